"""A register of any size counted into cells as it streams by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError

MOST = 200_000  # cells kept apart before they are counted together again: bounds memory
PART = 1e-6  # people; fractions of head-counts are summed in whole parts, so that no order of rows moves a bit


def register_cells(chunks, by):
    """Count the staff of a register by cell, in memory that depends on the number of cells and no more.

    Where the register is cut into chunks, and in which order its rows stand, changes nothing.

    Parameters
    ----------
    chunks : iterable of DataFrame, or one DataFrame
        Persons, one a row; or cells with a column headcount (people, 0 or more; to six decimals).
    by : list of str
        Columns that make a cell, such as agency_id, role_id, role_level, grade, sex, region.

    Returns
    -------
    DataFrame: `by`, headcount (integer; float where some aren't whole), sorted by `by`

    Raises
    ------
    EstimateError
        No rows, a cell column is absent, empty in places or of another type than in the first chunk, head-counts
        that are no numbers of people, persons and cells in one register.

    Examples
    --------
    >>> first = pd.DataFrame({"agency_id": ["a", "b"], "sex": ["female", "male"]})
    >>> register_cells([first, first.iloc[:1]], ["agency_id", "sex"])
      agency_id     sex  headcount
    0         a  female          2
    1         b    male          1
    """
    chunks = [chunks] if isinstance(chunks, pd.DataFrame) else chunks
    by, parts, kinds = list(by), [], None
    for number, chunk in enumerate(chunks, 1):
        if len(chunk):
            kinds = _check(chunk, by, number, kinds)
            parts.append(_counted(chunk[by].assign(headcount=_people(chunk, number)), by))
        if sum(map(len, parts[1:])) > max(MOST, len(parts[0])):
            parts = [_counted(pd.concat(parts), by)]
    if not parts:
        raise EstimateError("the register has no rows: give chunks with people, or cells with a headcount")
    cells = _counted(pd.concat(parts), by).sort_values(by, ignore_index=True)
    people, whole = cells["headcount"], int(1 / PART)
    return cells.assign(headcount=people / whole if (people % whole).any() else people // whole)


def _check(chunk, by, number, kinds):
    """Types of the columns, as in the chunks before."""
    absent = [name for name in by if name not in chunk]
    if absent or not by:
        raise EstimateError(f"register, chunk {number}: there is no column {', '.join(absent) or 'to count by'}: add "
                            "it, or count by others")  # fmt: skip
    mine = {name: _kind(chunk[name]) for name in by} | {"headcount": "headcount" in chunk}
    for name in by:
        empty = chunk[name].isna() | chunk[name].eq("") if mine[name] == "string" else chunk[name].isna()
        if empty.any():
            raise EstimateError(f"register, chunk {number}: {name} is empty in {int(empty.sum())} row(s): fill it in, "
                                'with a code of its own such as "unknown" if need be')  # fmt: skip
    odd = [name for name, kind in mine.items() if kind != (kinds or mine)[name] or str(kind).startswith("mixed")]
    if odd:
        raise EstimateError(f"register, chunk {number}: {odd[0]} mixes types, or isn't of the type it was before: read "
                            "it alike everywhere, codes as text")  # fmt: skip
    return mine


def _kind(column):
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    return pd.api.types.infer_dtype(values, skipna=True)


def _people(chunk, number):
    """Head-count of each row in whole parts of a person."""
    if "headcount" not in chunk:
        return np.int64(1 / PART)
    column = chunk["headcount"]
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise EstimateError(f"register, chunk {number}: headcount holds {column.dtype}, no numbers: mend the column")
    people = column.to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((people >= 0) & (people <= 1e9))
    if wrong.any():
        raise EstimateError(f"register, chunk {number}: headcount is {people[wrong][0]:g} in a row, {int(wrong.sum())} "
                            "such row(s): give people, 0 to a billion")  # fmt: skip
    return np.rint(people / PART).astype(np.int64)


def _counted(rows, by):
    cells = rows.groupby(by, sort=False, observed=True)["headcount"].sum().reset_index()
    for name in by:
        values = cells[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(values.cat.categories.dtype)
        cells[name] = values.astype(str) if values.dtype == object else values
    return cells
