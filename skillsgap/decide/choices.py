"""Who could take what, as one long table: the coefficients of every declared rule are read from it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from skillsgap.errors import PlanError

PEOPLE = "people"  # counts each person once, however many courses the option has


@dataclass(frozen=True)
class Choices:
    """Groups of staff and the options open to them; a column is a group with one option.

    `groups`: group_id, size and attributes. `options`: option_id and attributes. `steps`: option (its row number),
    attributes and numbers of each course in it, such as cost, hours and seats. `fields`: numbers of a column.
    """

    groups: pd.DataFrame
    options: pd.DataFrame
    steps: pd.DataFrame
    column_group: np.ndarray
    column_option: np.ndarray
    fields: dict = field(default_factory=dict)

    @cached_property
    def _long(self):
        """Column and step of every course of every column."""
        order = np.argsort(self.steps["option"].to_numpy(), kind="stable")
        count = np.bincount(self.steps["option"], minlength=len(self.options))
        first, each = np.concatenate([[0], np.cumsum(count)]), count[self.column_option]
        column = np.repeat(np.arange(len(each)), each)
        within = np.arange(len(column)) - np.repeat(np.cumsum(each) - each, each)
        return column, order[first[self.column_option][column] + within]

    def _attribute(self, name, rule):
        """Values of an attribute and, for every course of every column, which of them it has."""
        column, step = self._long
        if name in self.steps:
            return self.steps[name], step
        if name in self.options:
            return self.options[name], self.column_option[column]
        if name in self.groups:
            return self.groups[name], self.column_group[column]
        known = sorted({*self.steps, *self.options, *self.groups} - {"option"})
        raise PlanError(f'rule {rule}: "{name}" is no attribute of courses, options or staff; use one of '
                        f"{', '.join(known)}.")  # fmt: skip

    def _matching(self, where, rule):
        """Which courses of which columns fit every condition."""
        mask = np.ones(len(self._long[0]), dtype=bool)
        for name, wanted in (where or {}).items():
            if name == "not_option":
                mask &= (self.options["option_id"] != wanted).to_numpy()[self.column_option[self._long[0]]]
                continue
            values, place = self._attribute(name, rule)
            wanted = wanted["in"] if isinstance(wanted, dict) else wanted
            wanted = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
            mask &= values.astype(str).isin([str(value) for value in wanted]).to_numpy()[place]
        return np.flatnonzero(mask)

    def _numbers(self, name, chosen, rule):
        """A field's number for each chosen course, and whether it is one of the column as a whole."""
        column, step = (part[chosen] for part in self._long)
        number, whole = np.ones(len(chosen)), True
        for part in name.split("*"):
            if part == PEOPLE:
                continue
            if part in self.fields:
                number = number * self.fields[part][column]
            elif part in self.steps:
                number, whole = number * self.steps[part].to_numpy(dtype=float)[step], False
            elif part in self.groups:
                number = number * self.groups[part].to_numpy(dtype=float)[self.column_group[column]]
            else:
                known = sorted({*self.fields, *self.steps.select_dtypes("number"), PEOPLE} - {"option"})
                raise PlanError(f'rule {rule}: "{part}" is no field; use one of {", ".join(known)}.')
        return column, number, whole

    def sums(self, name, where, *, by=(), rule=""):
        """Coefficients of a field over the matching choices, apart for each combination of `by`.

        Returns
        -------
        keys : Index of text, combinations joined with "/" ("" without `by`)
        rows, columns, coefficients : arrays; row numbers are places in `keys`
        """
        chosen = self._matching(where, rule)
        column, number, whole = self._numbers(name, chosen, rule)
        keys, row = self._cells(by, chosen, rule)
        table = pd.DataFrame({"row": row, "column": column, "number": number})
        table = table.drop_duplicates(["row", "column"]) if whole else \
            table.groupby(["row", "column"], as_index=False, sort=True)["number"].sum()
        table = table[table["number"] != 0]
        return keys, table["row"].to_numpy(), table["column"].to_numpy(), table["number"].to_numpy()

    def _cells(self, by, chosen, rule):
        if not by:
            return pd.Index([""]), np.zeros(len(chosen), dtype=np.int64)
        code = np.zeros(len(chosen), dtype=np.int64)
        parts = []
        for name in by:
            values, place = self._attribute(name, rule)
            codes, labels = pd.factorize(values.astype(str), sort=True)
            code = code * len(labels) + codes[place[chosen]]
            parts.append(labels)
        cells, row = np.unique(code, return_inverse=True)
        labels = np.unravel_index(cells, [len(part) for part in parts])
        return pd.Index(["/".join(some) for some in zip(*(part[label] for part, label in
                                                          zip(parts, labels, strict=True)), strict=True)]), row
