"""A register of any size as cells: rows of text are counted as they stream by, and only respondents are kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from skillsgap.study.loaded import ROWS

MOST = 500_000  # distinct rows kept apart before they are counted together again


@dataclass(frozen=True)
class Streamed:
    """What is left of a register once it has streamed by; every index is the first line concerned.

    Parameters
    ----------
    cells : DataFrame of str
        Distinct rows over the columns that make a cell; `_rows` counts them in the file.
    alone : dict of str to DataFrame
        Distinct values of every other column, with `_rows`.
    people : DataFrame of str, or None
        Whole rows of those whose id was asked for; None where nobody has one.
    besides : DataFrame of str
        Distinct rows over the columns that were asked for besides, with `_rows`.
    empty, twice : DataFrame
        Rows without an id; ids that stand more than once, with `lines` (at most 3) and `_rows` beyond the first.
    rows : int
    """

    cells: pd.DataFrame
    alone: dict
    people: pd.DataFrame
    besides: pd.DataFrame
    empty: pd.DataFrame
    twice: pd.DataFrame
    rows: int


def stream(source, by, alone, *, identity=None, ids=(), count=None, besides=()):
    """Count a register's rows by cell in one pass, in memory that depends on the number of cells.

    Of persons it holds a 64-bit digest each, for the check that nobody stands twice, and the rows of respondents.

    Parameters
    ----------
    source : TextTable
    by : list of str
        The file's columns that make a cell.
    alone : list of str
        Its other columns that are to be checked.
    identity : str, optional
        Its column of ids.
    ids : collection of str
        Ids of respondents; people whose ids differ in leading zeros only are held too.
    count : str, optional
        Its column of head-counts. Rows are cells then: two that agree in all else are one cell counted twice.
    besides : collection of str, optional
        Columns of `by` and `alone` over which its rows are counted once more.

    Returns
    -------
    Streamed
    """
    columns = list(dict.fromkeys([*by, *alone, *([identity] if identity else [])]))
    cell = [column for column in source.columns if column != count] if count else []
    keys = cell or ([identity] if identity else [])
    wanted = pa.array(sorted({name.lstrip("0") for name in ids}), pa.string())
    cells, values, empty = _Counter(by), {column: _Counter([column]) for column in alone}, _Counter([])
    others = [_Counter(besides)] if besides else []
    people, digests, rows = [], [], 0
    for lines, table in source.batches(list(dict.fromkeys([*columns, *keys]))):
        rows += len(table)
        for counter in (cells, *values.values(), *others):
            counter.add(table, lines)
        if keys:
            digests.append(_digests(table.select(keys)))
        if identity:
            marked = table.append_column("_line", pa.array(lines))
            people.append(marked.filter(pc.is_in(pc.utf8_ltrim(table[identity], "0"), wanted)))
            none = pc.equal(table[identity], "")
            empty.add(table.filter(none), lines[none.to_numpy(zero_copy_only=False)])
    return Streamed(
        cells.frame(), {column: counter.frame() for column, counter in values.items()},
        _frame(pa.concat_tables(people)) if identity else None,
        others[0].frame() if others else pd.DataFrame(), empty.frame() if identity else pd.DataFrame(),
        _twice(source, keys, np.concatenate(digests)) if digests else pd.DataFrame(), rows,
    )  # fmt: skip


class _Counter:
    """Rows of batches counted by some columns, with the first line of each kind of row."""

    def __init__(self, by):
        self._by, self._parts = list(by), []

    def add(self, table, lines):
        columns = {name: table[name] for name in self._by}
        part = pa.table(columns | {"_line": pa.array(lines), ROWS: pa.array(np.ones(len(lines), np.int64))})
        self._parts.append(self._count(part))
        if sum(map(len, self._parts)) > MOST:
            self._parts = [self._count(pa.concat_tables(self._parts))]

    def _count(self, table):
        if not self._by:
            return table.group_by([]).aggregate([("_line", "min"), (ROWS, "sum")]).rename_columns(["_line", ROWS])
        counted = table.group_by(self._by).aggregate([("_line", "min"), (ROWS, "sum")])
        return counted.rename_columns([*self._by, "_line", ROWS])

    def frame(self):
        """Counted rows in the order of their first lines."""
        if not self._parts:
            return pd.DataFrame({ROWS: pd.Series(dtype="int64")})
        frame = _frame(self._count(pa.concat_tables(self._parts)))
        return frame[frame[ROWS].fillna(0) > 0].astype({ROWS: "int64"})


def _frame(table):
    """Text columns over the line each row stands in."""
    frame = table.to_pandas()
    frame = frame.set_index(frame.pop("_line").astype("Int64").fillna(0).astype("int64").rename("line")).sort_index()
    texts = [name for name in frame if name != ROWS]
    return frame.astype(dict.fromkeys(texts, str))


def _digests(table):
    """A 64-bit digest of each row; one that is empty gets 0 and is never taken for a second one."""
    columns = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in table.columns]
    joined = pc.binary_join_element_wise(*columns, "\x1f") if len(columns) > 1 else _without_zeros(columns[0])
    digests = pd.util.hash_array(joined.to_numpy(zero_copy_only=False), categorize=False)
    return np.where(pc.equal(joined, "").to_numpy(zero_copy_only=False), np.uint64(0), digests)


def _without_zeros(ids):
    """Ids without leading zeros, which programs lose: 007 and 7 are one person."""
    return pc.utf8_ltrim(ids, characters="0")


def _twice(source, keys, digests):
    """Rows that stand more than once: found by digest, then read again for the values and lines themselves."""
    order = np.sort(digests)
    again = np.unique(order[1:][(order[1:] == order[:-1]) & (order[1:] != 0)])
    if not len(again):
        return pd.DataFrame()
    found = []
    for lines, table in source.batches(keys):
        hit = np.isin(_digests(table.select(keys)), again)
        rows = table.select(keys).to_pandas()[hit].astype(str)
        text = rows[keys[0]].str.lstrip("0") if len(keys) == 1 else rows.agg("\x1f".join, axis=1)
        found.append(pd.DataFrame({"id": text, "line": lines[hit]}))
    found = pd.concat(found)
    found = found[found.duplicated("id", keep=False)]  # two ids may share a digest and be two people
    if found.empty:
        return pd.DataFrame()
    lines = found.groupby("id", sort=False)["line"].agg(lambda each: ", ".join(map(str, each[:3])))
    second = found[found.duplicated("id")].groupby("id", sort=False)["line"].agg(["first", "count"])
    frame = second.join(lines.rename("lines")).reset_index().rename(columns={"first": "line", "count": ROWS})
    return frame.set_index("line").sort_index()
