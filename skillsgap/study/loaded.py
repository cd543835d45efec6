"""A table on its way in, with what was found wrong and what was put right."""

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from skillsgap.errors import Problem

ROWS = "_rows"  # of a register read as cells: how many rows of the file a row stands for


@dataclass
class Loaded:
    """A table as text, its declaration, its faults and its notes.

    Parameters
    ----------
    table : str
        Which table of the design it is.
    name : str
        File, as messages call it.
    spec : dict
        What params declare of it.
    frame : DataFrame
        Text, then typed values; the index is the line in the file.
    rows : int
        Rows the file holds.
    missing : dict
        Declared missing values: column to kind to number of rows.
    mapped : list of dict
        Rows of the stage table `mapped`.
    alone : dict of str to int
        Of a register, how many rows have a value in each column that makes no cell.
    able : DataFrame, optional
        Of a register, its rows counted by what a course may ask of a person.
    """

    table: str
    name: str
    spec: dict
    frame: pd.DataFrame
    rows: int = 0
    faults: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    missing: dict = field(default_factory=dict)
    mapped: list = field(default_factory=list)
    alone: dict = field(default_factory=dict)
    able: pd.DataFrame | None = None

    @property
    def kept(self):
        """Rows of the file that belong here."""
        return count(self.frame)

    def fault(self, odd, column, text, remedy, values=None):
        """Keep a fault of some rows (None: of the whole file)."""
        self.faults.append(self._problem(odd, column, text, remedy, values))

    def note(self, odd, column, text, done, values=None):
        """Keep an oddity that was put right."""
        self.notes.append(self._problem(odd, column, text, done, values))

    def _problem(self, odd, column, text, remedy, values):
        line = None if odd is None else int(odd.index.min())
        return Problem(self.name, text, remedy, line, column, 1 if odd is None else count(odd), values or {})

    def filled(self, column):
        """How many rows of the file have a value in a column; of respondents, how many of those who answered."""
        values = self.frame[column]
        there = values.notna() & (values != "") & self.frame.get("answered", True)
        return int(self.frame[ROWS][there].sum() if ROWS in self.frame else there.sum())

    def counts(self, column):
        """Rows of the file by code, in the order of codes, the empty one left out: a dict."""
        values = self.frame[column]
        if ROWS in self.frame:
            counts = self.frame[ROWS].groupby(values, sort=True).sum().to_dict()
        else:
            counts = Counter(values.dropna())
        return {code: counts[code] for code in sorted(counts) if code != ""}


def count(frame):
    """How many rows of the file some rows stand for."""
    return int(frame[ROWS].sum()) if ROWS in frame else len(frame)
