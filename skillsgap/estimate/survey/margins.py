"""Margins that weights are calibrated to: who is in which category, and what keeps a margin from being met."""

import numpy as np
import pandas as pd
from scipy import sparse

UNTOLD = 0.2  # share of the weights without a category above which a margin says too little
APART = 0.005  # relative difference of two margins' totals above which they can't be of the same people
CROSS = " × "


def register_margins(register, margins):
    """Head-counts of a register by each margin.

    Parameters
    ----------
    register : DataFrame
        Margin columns and ``headcount``.
    margins : list of str or of list of str
        Columns; a list of columns is crossed.

    Returns
    -------
    list of Series of shape (n_categories,)
        Index: the column, or the columns crossed.

    Examples
    --------
    >>> register = pd.DataFrame({"sex": ["f", "m", "f"], "headcount": [2, 2, 1]})
    >>> register_margins(register, ["sex"])[0].to_dict()
    {'f': 3, 'm': 2}
    """
    return [register.groupby(margin, sort=True)["headcount"].sum() for margin in margins]


def margin_name(target):
    """Name of a margin, for people."""
    return CROSS.join(map(str, target.index.names))


def _text(frame):
    """Categories as text, crossed columns joined; empty where any of them is. 1, 1.0 and "1" are the same."""
    columns = [frame[name].convert_dtypes().astype("string") for name in frame]
    return columns[0].str.cat(columns[1:], sep=CROSS) if columns[1:] else columns[0]


def margin_counts(target):
    """Population counts of a margin by category as text, in the order of the text."""
    counts = pd.Series(target.to_numpy(dtype=float), index=_text(target.index.to_frame(index=False)).to_numpy())
    return counts.sort_index()


def indicator(codes, width):
    """Sparse ones and zeros of shape (n_rows, width): who is in which category; nothing where the code is -1."""
    rows = np.flatnonzero(codes >= 0)
    return sparse.csr_array((np.ones(len(rows)), (rows, codes[rows])), shape=(len(codes), width))


def margin_faults(sample, weights, register, *, margins):
    """Find what keeps a register's margins from being calibrated to, as far as that shows without raking.

    Parameters
    ----------
    sample : DataFrame of shape (n_respondents, …)
        The margin columns of the respondents; empty where somebody didn't tell.
    weights : Series of shape (n_respondents,)
        Base weights.
    register : DataFrame
        Margin columns and ``headcount``.
    margins : list of str or of list of str

    Returns
    -------
    list of str
        One line a fault.

    Examples
    --------
    >>> rows = pd.DataFrame({"sex": ["f", "x", None]})
    >>> register = pd.DataFrame({"sex": ["f", "m"], "headcount": [2, 2]})
    >>> for line in margin_faults(rows, pd.Series([1.0, 1.0, 2.0]), register, margins=["sex"]):
    ...     print(line)
    margin sex: 50.0% of the weights are of people who gave no answer, at most 20% may: drop it from design.calibrate
    margin sex: 'm' has staff but no respondent: merge categories, or drop it from design.calibrate
    margin sex: 'x' is not in the register: merge categories, or drop it from design.calibrate
    """
    return usable_margins(sample, weights, register_margins(register, margins))[1]


def usable_margins(sample, weights, targets):
    """Margins of the sample, as far as they can be used, and a line for each fault that shows without calibrating.

    Faults are a margin without a table, a count that can't be one, a category on one side only, too many who tell none,
    and two margins of different totals.
    """
    made, lines = [], []
    for target in targets:
        name, found = margin_name(target), _unusable(sample, target)
        if not found:
            margin = Margin(sample, target)
            found = _one_sided(margin, weights.to_numpy(dtype=float))
            made += [] if found else [margin]
        lines += [f"margin {name}: {line}" for line in found]
    totals = {margin.name: margin.counts.sum() for margin in made}
    names = list(totals)
    lines += [f"margins {names[0]} and {name}: their totals differ ({totals[names[0]]:.10g} and {totals[name]:.10g}), "
              "and must be of the same people: correct the counts, or drop one from design.calibrate"
              for name in names[1:] if abs(totals[name] / totals[names[0]] - 1) > APART]  # fmt: skip
    return made, lines


def _unusable(sample, target):
    """Faults of a margin's own table."""
    names = list(target.index.names)
    if unknown := [str(name) for name in names if name not in sample]:
        return [f"respondents have no column {unknown[0]}: name the index of the counts after columns, or drop it"]
    if not len(target):
        return ["its table of population counts is empty: give the counts, or drop it from design.calibrate"]
    counts = margin_counts(target)
    wrong = counts[~np.isfinite(counts) | (counts < 0)]
    twice = counts.index[counts.index.duplicated()]
    lines = [f"{code!r} has the population count {count:g}: give a number from 0" for code, count in wrong.items()]
    lines += [f"{code!r} has several population counts: give one" for code in twice.unique()]
    if counts.index.isna().any():
        lines.append("one of the population counts has no category: name it, or leave it out")
    if not lines and not counts.any():
        lines.append("all population counts are 0: give the counts, or drop it from design.calibrate")
    return lines


def _one_sided(margin, weights):
    """Categories that only the population or only the respondents have, and too many that told none."""
    some, labels = weights > 0, np.array(margin.categories)
    silent = weights[some & margin.told.isna().to_numpy()].sum() / weights[some].sum()
    there = np.bincount(margin.codes[some], minlength=len(labels) + 1)[: len(labels)] > 0
    unknown, staff = margin.told[some & margin.silent].dropna(), margin.counts > 0
    lines = []
    if silent > UNTOLD:
        lines.append(f"{silent:.1%} of the weights are of people who gave no answer, at most {UNTOLD:.0%} may: drop it "
                     "from design.calibrate")  # fmt: skip
    sides = [(labels[staff & ~there], "has staff but no respondent"),
             (labels[~staff & there], "has respondents but no staff"),
             (sorted(set(unknown)), "is not in the register")]  # fmt: skip
    remedy = "merge categories, or drop it from design.calibrate"
    return lines + [f"{str(code)!r} {side}: {remedy}" for names, side in sides for code in names]


class Margin:
    """A margin of the sample: who is in which category, who told none, and the counts to meet."""

    def __init__(self, sample, target):
        counts, self.told = margin_counts(target), _text(sample[list(target.index.names)])
        codes, self.categories = counts.index.get_indexer(self.told), list(counts.index)
        self.name, self.counts = margin_name(target), counts.to_numpy()
        self.silent, self.cells = codes < 0, indicator(codes, len(counts))
        self.codes = np.where(self.silent, len(counts), codes)
        self.whole = not self.silent.any()
        self.labels = self.categories + ([] if self.whole else ["none told"])

    @property
    def indicator(self):
        """Categories, and a last one of those who told none where there are any."""
        return indicator(self.codes, len(self.labels))

    @property
    def explained(self):
        """Variables whose totals are fixed: told categories are fixed only in proportion where some told none."""
        if self.whole:
            return self.cells
        told = (~self.silent)[:, None] * (self.counts / self.counts.sum())
        return sparse.csr_array(np.column_stack([np.ones(len(told)), self.cells.toarray() - told]))

    def wanted(self, weights, total):
        """Targets of each column of weights, of the given total.

        The people of a category that a replicate lost are spread over the others of the margin. Who told none keep
        their share, and the others get the rest.
        """
        there = self.indicator.T @ weights
        kept = np.where(there[: len(self.counts)] > 0, self.counts[:, None], 0.0)
        mass = kept.sum(axis=0)
        wanted = kept * np.divide(total, mass, out=np.zeros_like(mass), where=mass > 0)
        if self.whole:
            return wanted
        share = there[-1] / there.sum(axis=0)
        return np.vstack([wanted * (1 - share), total * share])
