"""Numbers and dates, read as params say they are written, and in no other way."""

import re

import numpy as np
import pandas as pd

from skillsgap.wording import N_

ORDERS = {
    "ymd": r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})",
    "dmy": r"(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>\d{4})",
    "mdy": r"(?P<m>\d{1,2})[./-](?P<d>\d{1,2})[./-](?P<y>\d{4})",
}
OWN = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"  # a number as a program writes it
CLOCK = r"(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"  # a time of day is dropped


def typed(loaded, column, kind):
    """A column of text as its contract's kind; what can't be read becomes a fault, and stays missing.

    Parameters
    ----------
    loaded : Loaded
        Its faults grow.
    column : str
    kind : {"text", "number", "integer", "date"}

    Returns
    -------
    Series
        Text with missing values, numbers, or ISO dates as text.
    """
    text = loaded.frame[column]
    if kind == "text":
        return text.mask(text == "")
    codes, found = pd.factorize(text)  # each spelling is read once
    read = _dates(found, loaded.spec) if kind == "date" else _numbers(found, loaded.spec, column)
    values = pd.Series(read.to_numpy()[codes], index=text.index, name=column)
    whole = kind == "integer"
    bad = found[read.isna() & (found != "")] if not whole else found[(read.isna() | (read % 1 != 0)) & (found != "")]
    if len(bad):
        odd = loaded.frame[text.isin(list(bad))]
        said = {"value": odd[column].iloc[0], "table": loaded.table}
        loaded.fault(odd, column, _wanted(kind), _remedy(said["value"], kind), said)
    return values.astype("int64") if whole and values.notna().all() and not len(bad) else values


def _wanted(kind):
    return {
        "number": N_("{value!r} is not a number"),
        "integer": N_("{value!r} is not a whole number"),
        "date": N_("{value!r} is not a date"),
    }[kind]


def _remedy(value, kind):
    if kind == "date" and re.search(r"\d", value):
        return N_("correct it, or say in params how dates are written: data.{table}.dates")
    if kind != "date" and re.search(r"\d", value) and re.fullmatch(r"[^A-Za-z]+", value):
        return N_("correct it, or say in params how numbers are written: data.{table}.numbers")
    return N_("correct it, or declare it in missing_codes")


def _numbers(found, spec, column):
    style = spec.get("numbers", {})
    percent = column in style.get("percent", ())
    decimal, thousands, currency = style.get("decimal", "."), style.get("thousands", ""), style.get("currency", "")
    text = pd.Series(found, dtype=str)
    if percent:
        text = text.str.removesuffix("%").str.strip()
    if currency:
        text = text.str.replace(currency, "", regex=False).str.strip()
    if thousands == " ":
        text = text.str.replace(r"[\u00a0\u202f]", " ", regex=True)
    group = re.escape(thousands)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if thousands else r"\d+"
    right = text.str.fullmatch(rf"[+-]?(?:(?:{whole})(?:{re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)"
                               r"(?:[eE][+-]?\d+)?", flags=re.ASCII)  # fmt: skip
    plain = text.str.replace(thousands, "", regex=False) if thousands else text
    plain = plain.str.replace(decimal, ".", regex=False) if decimal != "." else plain
    numbers = pd.to_numeric(plain.where(right.astype(bool)), errors="coerce").astype(float)
    if holds_numbers(spec):  # a number of the file's own is written in no notation
        own = text.str.fullmatch(OWN, flags=re.ASCII).astype(bool)
        numbers = numbers.mask(own, pd.to_numeric(text.where(own), errors="coerce").astype(float))
        if thousands == ".":  # 2.125 may be one of those, or the text of 2125: nobody can tell
            numbers = numbers.mask(text.str.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+", flags=re.ASCII).astype(bool))
    return numbers.where(np.isfinite(numbers)) / (100 if percent else 1)


def holds_numbers(spec):
    """Whether a table's source has numbers of its own, and not only their text."""
    return "url" in spec or str(spec.get("file", "")).lower().endswith((".xlsx", ".sav", ".dta", ".parquet"))


def _dates(found, spec):
    text = pd.Series(found, dtype=str)
    parts = text.str.extract(f"^{ORDERS[spec.get('dates', 'ymd')]}{CLOCK}$")[["y", "m", "d"]].fillna("")
    iso = parts["y"] + "-" + parts["m"].str.zfill(2) + "-" + parts["d"].str.zfill(2)
    there = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")  # no 31 April
    return there.dt.strftime("%Y-%m-%d")
