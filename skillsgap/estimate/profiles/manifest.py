"""The manifest variables of a latent class analysis: their kinds, and their answers as one matrix of features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError

KINDS = ("ordinal", "nominal", "binary", "continuous")
MOST_LEVELS = 12  # whole numbers with more different values than this are taken for measurements


def infer_kind(column):
    """Kind of a variable: declared by its dtype, else told by its values.

    Ordered categories are ordinal; other categories, text and objects nominal; columns of bool, and any two different
    numbers, binary; up to 12 different whole numbers ordinal; all other numbers continuous.

    Examples
    --------
    >>> [infer_kind(pd.Series(values)) for values in ([0, 1, 1], [1, 2, 5], [0.3, 1.7, 2.0], ["a", "b", "c"])]
    ['binary', 'ordinal', 'continuous', 'nominal']
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "ordinal" if column.dtype.ordered else "nominal"
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return "nominal"
    values = np.unique(_numbers(column))
    values = values[~np.isnan(values)]
    if len(values) <= 2:
        return "binary"
    return "ordinal" if len(values) <= MOST_LEVELS and (values == np.round(values)).all() else "continuous"


@dataclass(frozen=True)
class Manifest:
    """Variables as a fit saw them.

    Parameters
    ----------
    kinds : dict, variable -> "ordinal" | "nominal" | "binary" | "continuous", in the order of the columns
    categories : dict, categorical variable -> ndarray of its codes, in order
    centre, scale : dict, continuous variable -> float; features hold (value - centre) / scale
    square : bool
        True where features hold all products of continuous variables (covariances), not only their squares.
    """

    kinds: dict
    categories: dict
    centre: dict
    scale: dict
    square: bool

    @property
    def continuous(self):
        return [name for name, kind in self.kinds.items() if kind == "continuous"]

    def values(self):
        """What each category counts in a level: its number, or its place; NaN for nominal ones."""
        return {name: _counted(codes, self.kinds[name]) for name, codes in self.categories.items()}

    def features(self, table):
        """Matrix (n, width): 1; 0/1 by category; then per continuous variable there, x, x² — or all x, all products.

        A missing answer is a row of zeros. Codes not seen in fit count as missing, with a warning.
        """
        width = 1 + sum(map(len, self.categories.values()))
        blocks, first, unseen = np.zeros((len(table), width)), 1, 0
        blocks[:, 0] = 1
        for name, codes in self.categories.items():
            place = pd.Index(codes).get_indexer(_categories(table[name]))
            unseen += int((place < 0).sum() - table[name].isna().sum())
            known = np.flatnonzero(place >= 0)
            blocks[known, first + place[known]] = 1
            first += len(codes)
        if unseen:
            warnings.warn(f"{unseen} answers have codes not seen in fit; they count as missing", stacklevel=4)
        return np.hstack([blocks, self._measured(table)]) if self.continuous else blocks

    def _measured(self, table):
        values = [(_numbers(table[name]) - self.centre[name]) / self.scale[name] for name in self.continuous]
        values = np.column_stack(values)
        if self.square:
            return np.hstack([values, (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)])
        there = ~np.isnan(values)
        values = np.where(there, values, 0.0)
        return np.stack([there, values, values**2], axis=2).reshape(len(values), -1)

    def offset(self, table):
        """Log-density of each row lost by scaling: sum of log(scale) over the values there, (n,)."""
        logs = np.array([np.log(self.scale[name]) for name in self.continuous])
        return table[self.continuous].notna().to_numpy(dtype=float) @ logs if len(logs) else np.zeros(len(table))


def manifest(table, weights, kinds, *, square, common_scale):
    """Learn kinds, categories and scales from a table.

    Parameters
    ----------
    table : DataFrame (n, n_variables)
    weights : ndarray (n,)
    kinds : dict of some variables' kinds, the others are inferred; or None
    square : bool, keep the products of continuous variables
    common_scale : bool, one scale for all continuous variables (their ratios are part of the model)

    Raises
    ------
    EstimateError
        A kind that doesn't exist or that the values can't have, a variable nobody answered.
    """
    wrong = {name: kind for name, kind in (kinds or {}).items() if kind not in KINDS or name not in table}
    if wrong:
        name, kind = next(iter(wrong.items()))
        raise EstimateError(f"kinds names {name!r} as {kind!r}: expected a column of the answers and one of "
                            f"{', '.join(KINDS)}")
    silent = [str(name) for name in table if not table[name].notna().any()]
    if silent:
        raise EstimateError(f"nobody answered {', '.join(silent)}: leave these variables out")
    chosen = {name: (kinds or {}).get(name) or infer_kind(table[name]) for name in table}
    categories = {name: _codes(table[name]) for name, kind in chosen.items() if kind != "continuous"}
    _check_declared(table, chosen, categories)
    centre, scale = {}, {}
    for name in (name for name, kind in chosen.items() if kind == "continuous"):
        values = _numbers(table[name])
        known = ~np.isnan(values)
        centre[name] = float(np.average(values[known], weights=weights[known]))
        if np.ptp(values[known]) == 0:
            centre[name] = float(values[known][0])  # rounding of the average would be taken for a spread
        scale[name] = float(np.sqrt(np.average((values[known] - centre[name]) ** 2, weights=weights[known]))) or 1.0
    if common_scale and scale:
        scale = dict.fromkeys(scale, float(np.exp(np.mean(np.log(list(scale.values()))))))
    return Manifest(chosen, categories, centre, scale, square)


def _check_declared(table, kinds, categories):
    for name, codes in categories.items():
        if kinds[name] == "binary" and len(codes) > 2:
            raise EstimateError(f"variable {name}: declared binary, but it has {len(codes)} different answers: "
                                "declare it ordinal or nominal")
        dtype = table[name].dtype
        if kinds[name] == "ordinal" and codes.dtype == object and not getattr(dtype, "ordered", False):
            raise EstimateError(f"variable {name}: declared ordinal, but text as {codes[0]!r} has no order: give "
                                "numbers or ordered categories, or declare it nominal")


def content_order(table, weights):
    """Order of rows by what they hold, so that the order they came in can't enter a number."""
    keys = np.zeros(len(table), dtype=np.uint64)
    for name in table:
        column = table[name]
        whole = _numbers(column) if pd.api.types.is_numeric_dtype(column.dtype) else column.astype(str).to_numpy(object)
        keys = keys * np.uint64(1000003) + pd.util.hash_array(whole)
    return np.lexsort((weights, keys))


def _numbers(column):
    try:
        values = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise EstimateError(f"variable {column.name}: declared continuous, but its values are no numbers, as "
                            f"{column.dropna().iloc[0]!r}: declare it nominal or ordinal") from None
    return values + 0.0  # -0 and 0 are one value


def _categories(column):
    """Codes as they are compared: numbers as numbers, all else as it is."""
    return _numbers(column) if pd.api.types.is_numeric_dtype(column.dtype) else column.to_numpy(dtype=object)


def _codes(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        seen = column.cat.remove_unused_categories().cat.categories
        return seen.to_numpy()
    codes = pd.unique(_categories(column.dropna()))
    codes = np.sort(codes) if codes.dtype != object else np.array(sorted(codes, key=str), dtype=object)
    return codes.astype(int) if codes.dtype == float and (codes == np.round(codes)).all() else codes


def _counted(codes, kind):
    numeric = np.issubdtype(codes.dtype, np.number) or codes.dtype == bool
    if kind == "nominal" or (kind == "binary" and not numeric):
        return np.full(len(codes), np.nan)
    return codes.astype(float) if numeric else np.arange(len(codes), dtype=float)
