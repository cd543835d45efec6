"""Polychoric correlations: how strongly what lies behind two ordinal items goes together."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.scales import coefficient_alpha, effective_n, usable_rows, why_not

THRESHOLDS = ("all_answers_of_item", "complete_pair")
LARGEST = 0.9999  # items that never disagree have no maximum short of 1
SMALLEST = 1e-15  # probability of a cell: less is rounding of the integral
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)


def polychoric_correlations(answers, sample_weight=None, *, missing="pairwise", thresholds="all_answers_of_item"):
    """Correlations of the normal variables behind ordinal items, by two-step maximum likelihood.

    Thresholds come from the margins, then each correlation from the table of its two items. Empty cells are left
    as they are; where two items never disagree the correlation stops at 0.9999. With an empty cell among two by two the
    likelihood rises up to 1 but stops doing so measurably before: the correlation is some value beyond that.

    Parameters
    ----------
    answers : DataFrame of shape (n_respondents, n_items)
        Ordered codes; NaN = not answered.
    sample_weight : array-like of shape (n_respondents,), optional
    missing : {"pairwise", "listwise"}
        Rows where both items are answered, or only those where all are.
    thresholds : {"all_answers_of_item", "complete_pair"}
        Rows behind the thresholds: every answer of an item, or those of the pair.

    Returns
    -------
    DataFrame of shape (n_items, n_items)
        NaN for an item with one category, and for items nobody answered together.

    Raises
    ------
    EstimateError
        An unknown word, or weights that can't be.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443–460; Drezner & Wesolowsky (1990), Journal of Statistical Computation and
    Simulation 35, 101–107, for the bivariate normal.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1, 0, 1], "b": [0, 0, 1, 1, 1, 0]})
    >>> round(float(polychoric_correlations(answers).loc["a", "b"]), 3)  # halves: sin(2 pi (2/6 - 1/4))
    0.5
    """
    if thresholds not in THRESHOLDS:
        raise EstimateError(f"thresholds {thresholds!r}: use one of {', '.join(THRESHOLDS)}")
    x, w = usable_rows(answers, sample_weight, missing)
    items = [_indicators(column) for column in x.T]
    matrix = np.eye(len(items))
    for i, first in enumerate(items):
        for j in range(i):
            counts = items[j].T @ (first * w[:, None])
            if thresholds == "complete_pair":
                margins = counts.sum(axis=1), counts.sum(axis=0)
            else:
                margins = items[j].T @ w, first.T @ w
            matrix[i, j] = matrix[j, i] = _correlation(counts, *margins)
        if first.shape[1] < 2:
            matrix[i, i] = np.nan
    return pd.DataFrame(matrix, index=answers.columns, columns=answers.columns)


def polychoric_statistics(answers, sample_weight=None, *, missing="pairwise", thresholds="all_answers_of_item"):
    """Alpha of the polychoric correlations of a scale, and their eigenvalues: is there one dimension?

    Parameters
    ----------
    answers, sample_weight, missing, thresholds
        As for `polychoric_correlations`.

    Returns
    -------
    DataFrame
        statistic {alpha_ordinal, polychoric_eigenvalues}, place (of an eigenvalue, the largest is 1), estimate, se,
        ci_low, ci_high (empty: none is known), n, n_eff, uncertainty, why.

    References
    ----------
    Zumbo, Gadermann & Zeisser (2007), Journal of Modern Applied Statistical Methods 6, 21–29.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1, 0, 1], "b": [0, 0, 1, 1, 1, 0]})
    >>> polychoric_statistics(answers)["estimate"].round(3).tolist()
    [0.667, 1.5, 0.5]
    """
    x, w = usable_rows(answers, sample_weight, missing)
    matrix = polychoric_correlations(answers, sample_weight, missing=missing, thresholds=thresholds).to_numpy()
    k, why = len(matrix), why_not(x, matrix)
    eigen = np.linalg.eigvalsh(matrix)[::-1] if np.isfinite(matrix).all() else np.full(k, np.nan)
    estimate = np.array([coefficient_alpha(matrix), *eigen])
    names = ["alpha_ordinal", *["polychoric_eigenvalues"] * k]
    table = pd.DataFrame({"statistic": names, "place": [1, *range(1, k + 1)], "estimate": estimate})
    return table.assign(se=np.nan, ci_low=np.nan, ci_high=np.nan, n=len(w), n_eff=effective_n(w),
                        uncertainty="sampling", why=why)  # fmt: skip


def _indicators(column):
    """One column of zeros and ones for each category that occurs; none for who didn't answer."""
    return (column[:, None] == np.unique(column[np.isfinite(column)])).astype(float)


def _correlation(counts, rows, columns):
    if min((counts.sum(axis=1) > 0).sum(), (counts.sum(axis=0) > 0).sum()) < 2:
        return np.nan
    h, k = (ndtri(np.clip(np.cumsum(each)[:-1] / each.sum(), 0, 1)) for each in (rows, columns))
    found = minimize_scalar(
        lambda r: -(counts * np.log(_cells(h, k, np.arcsin(r)))).sum(),
        bounds=(-LARGEST, LARGEST),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(found.x)


def _cells(h, k, angle):
    """Probabilities between thresholds h and k of two normals whose correlation is the sine of the angle."""
    theta = angle / 2 * (NODES + 1)
    a, b = (np.clip(each, -9, 9) for each in np.meshgrid(h, k, indexing="ij"))  # 9: as good as infinite
    bend = a[..., None] ** 2 + b[..., None] ** 2 - 2 * (a * b)[..., None] * np.sin(theta)
    tilt = np.exp(-bend / (2 * np.cos(theta) ** 2)) @ NODE_WEIGHTS * angle / (4 * np.pi)
    inner = np.outer(ndtr(h), ndtr(k)) + tilt
    below = np.zeros((len(h) + 2, len(k) + 2))
    below[1:-1, 1:-1], below[1:-1, -1], below[-1, 1:-1], below[-1, -1] = inner, ndtr(h), ndtr(k), 1.0
    return np.maximum(np.diff(np.diff(below, axis=0), axis=1), SMALLEST)
