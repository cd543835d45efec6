"""Typed values as text, so that a code reads as it would in a text file: 3, not 3.0; 2025-12-31; true."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53  # up to here a float holds every whole number
MIDNIGHT = r" 00:00:00(\.0+)?$"


def as_text(array):
    """An Arrow array as text.

    Parameters
    ----------
    array : pyarrow.Array
        Of any type that is not nested.

    Returns
    -------
    pyarrow.Array of string
        Whole numbers without a decimal point, dates as ISO 8601, "" where there is no value.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        The type has no text.

    Examples
    --------
    >>> as_text(pa.array([1.0, 2.5, None])).to_pylist(), as_text(pa.array([True, None])).to_pylist()
    (['1', '2.5', ''], ['true', ''])
    """
    kind = array.type
    if isinstance(kind, pa.ExtensionType):
        return as_text(array.storage)
    if pa.types.is_dictionary(kind):
        return as_text(array.dictionary_decode())
    if pa.types.is_floating(kind):
        return _floats(array)
    text = pc.cast(array, pa.string())
    if pa.types.is_timestamp(kind):
        text = pc.replace_substring_regex(text, MIDNIGHT, "")
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        text = pc.replace_substring_regex(text, r"\.(\d*[1-9])?0+(Z?)$", r".\1\2")
        text = pc.replace_substring_regex(text, r"\.(Z?)$", r"\1")
    if pa.types.is_decimal(kind):
        text = pc.replace_substring_regex(text, r"(\.\d*?)0+$", r"\1")
        text = pc.replace_substring_regex(text, r"\.$", "")
    return pc.fill_null(text, "")


def _floats(array):
    values = array.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(values) < EXACT) & (values == np.round(values))
        tiny = ~whole & (np.abs(values) < 1e-4)
    text = pc.cast(array, pa.string())
    text = pc.if_else(pa.array(whole), pa.array(np.where(whole, values, 0).astype("int64")).cast(pa.string()), text)
    if tiny.any():  # Arrow writes 0.00001 where Python and pandas write 1e-05
        text = pc.replace_with_mask(text, pa.array(tiny), pa.array([str(value) for value in values[tiny]]))
    return pc.if_else(pa.array(np.isnan(values)), "", pc.fill_null(text, ""))


def cell_text(value):
    """One cell of a spreadsheet or a database as text; None where it holds no plain value.

    Examples
    --------
    >>> [cell_text(v) for v in (None, "007", 7.0, True, datetime.datetime(2025, 12, 31), decimal.Decimal("1.50"))]
    ['', '007', '7', 'true', '2025-12-31', '1.5']
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if abs(value) < EXACT and value == int(value) else repr(value)
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            return cell_text(float(value))
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo is None else value.astimezone(datetime.UTC)
        return value.isoformat(" ").replace("+00:00", "Z").removesuffix(" 00:00:00")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    plain = isinstance(value, int) or type(value).__name__ in ("UUID", "timedelta")
    return str(value) if plain else None
