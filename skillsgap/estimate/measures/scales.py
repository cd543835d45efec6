"""One scale's answers: their covariances, alpha with Feldt's interval, item statistics, one factor and omega."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.factor import FIT, MIN_ITEMS, as_correlations, factor_fit, omega_slopes, one_factor
from skillsgap.estimate.survey.weights import weights_of

MISSING = ("pairwise", "listwise")
NO_VARIANCE = 1e-9  # squared levels: less than that is rounding, not disagreement
CONFIDENCE = 0.95


def scale_statistics(answers, sample_weight=None, *, missing="pairwise", standardised=False, level=CONFIDENCE):
    """Everything classical about one scale: alpha with Feldt's interval, its items, one factor and omega.

    Parameters
    ----------
    answers : DataFrame of shape (n_respondents, n_items)
        Items of one direction; NaN = not answered.
    sample_weight : array-like of shape (n_respondents,), optional
        Intervals and tests take the effective number of respondents (Kish).
    missing : {"pairwise", "listwise"}
        Covariances from the rows where both items are answered and means from all answers of an item, n = all rows;
        or complete rows only.
    standardised : bool
        Correlations in place of covariances.
    level : float
        Of the intervals, above 0 and below 1.

    Returns
    -------
    DataFrame
        statistic, item (empty for the scale), estimate, se, ci_low, ci_high, n, n_eff, uncertainty, why. Statistics
        of the scale: alpha, guttman_lambda6, omega_total, n_complete, and chisq, df, cfi, tli, rmsea, srmr of one
        factor; of its items: item_mean, item_rest_correlation, alpha_if_dropped, cfa_loadings. se only of alpha and
        omega (distribution-free). `why`, where not empty, keeps a number out of claims: one item, no variance,
        nothing answered, no factor.

    Raises
    ------
    EstimateError
        An unknown word, or weights or a level that can't be.

    References
    ----------
    Feldt (1965), Psychometrika 30, 357–370; Guttman (1945), Psychometrika 10, 255–282; McDonald (1999), Test theory.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 1, 2, 3], "b": [0, 1, 3, 4], "c": [1, 1, 2, 4]})
    >>> scale_statistics(answers).set_index("statistic").loc["alpha", ["estimate", "ci_low"]].round(3).tolist()
    [0.966, 0.776]
    """
    if not 0 < level < 1:
        raise EstimateError(f"level {level} of the intervals: give a share between 0 and 1")
    x, w = usable_rows(answers, sample_weight, missing)
    n, n_eff, raw = len(w), effective_n(w), pairwise_covariances(x, w[:, None])[0]
    covariance = as_correlations(raw)[0] if standardised else raw
    share = 1.0 if standardised else 1 - 1 / max(n, 1)  # the factor model divides by n, not by n - 1
    divided = covariance * share
    factor, why = one_factor(divided), why_not(x, covariance)
    measures = {
        "alpha": float(coefficient_alpha(covariance)), "omega_total": factor.omega,
        "guttman_lambda6": _lambda6(covariance), "n_complete": int(np.isfinite(x).all(axis=1).sum()),
        **factor_fit(divided, factor, n_eff),
    }  # fmt: skip
    of_items = {"item_mean": _means(x, w), "item_rest_correlation": _rest_correlation(covariance),
                "alpha_if_dropped": _alphas_without(covariance), "cfa_loadings": factor.loadings}  # fmt: skip
    rows = [(name, "", value) for name, value in measures.items()]
    rows += [(name, item, value) for name, values in of_items.items()
             for item, value in zip(answers.columns, values, strict=True)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["statistic", "item", "estimate"])
    table[["se", "ci_low", "ci_high"]] = np.nan
    slopes = alpha_slopes(covariance), omega_slopes(divided, factor) * share
    errors = [_sampling_error(_of_covariances(each, raw) if standardised else each, x, w) for each in slopes]
    table.loc[:1, "se"] = errors
    table.loc[0, ["ci_low", "ci_high"]] = feldt_interval(measures["alpha"], n_eff, x.shape[1], level)
    table.loc[1, ["ci_low", "ci_high"]] = log_interval(measures["omega_total"], errors[1], n_eff - 1, level)
    of_factor = table["statistic"].isin([*FIT, "omega_total", "cfa_loadings"])
    reasons = np.where(of_factor, why or why_no_factor(factor), why)
    return table.assign(n=n, n_eff=n_eff, uncertainty="sampling", why=reasons)


def usable_rows(answers, sample_weight, missing):
    """Answers and weights of the rows that count, as arrays.

    Raises
    ------
    EstimateError
        `missing` is not pairwise or listwise; weights are too few, missing, below 0 or all 0.
    """
    if missing not in MISSING:
        raise EstimateError(f"missing {missing!r}: use one of {', '.join(MISSING)}")
    x = answers.to_numpy(dtype=float, na_value=np.nan)
    w = weights_of(answers, sample_weight)
    there = (w > 0) & (np.isfinite(x).all(axis=1) if missing == "listwise" else True)
    return x[there], w[there]


def effective_n(weights):
    """Kish's effective number of rows: (sum of weights)² / sum of squared weights; 0 without rows."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def pairwise_covariances(x, weights):
    """Covariances of items from the rows where both are answered.

    Each is multiplied by rows / (rows - 1), with rows counted and not weighed, so that scaling weights changes nothing.

    Parameters
    ----------
    x : ndarray of shape (n_respondents, n_items)
        NaN = not answered.
    weights : ndarray of shape (n_respondents, n_weights)
        Above 0 in the first column.

    Returns
    -------
    ndarray of shape (n_weights, n_items, n_items)

    Examples
    --------
    >>> pairwise_covariances(np.array([[1.0, 2], [2, 4], [3, np.nan]]), np.ones((3, 1)))[0].tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    there = np.isfinite(x)
    y = np.where(there, x - _means(x, weights[:, 0]), 0.0)  # centring first keeps the products exact
    n_weights, k = weights.shape[1], x.shape[1]
    found = np.empty((n_weights, k, k))
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(k):
            both = there & there[:, [i]]
            rows = both.sum(axis=0)
            mass = weights.T @ both
            mine, other = weights.T @ (y[:, [i]] * both) / mass, weights.T @ (y * both) / mass
            found[:, i] = (weights.T @ (y * y[:, [i]]) / mass - mine * other) * rows / (rows - 1)
    return found


def coefficient_alpha(covariance):
    """Cronbach's alpha of covariance matrices (..., n_items, n_items); NaN for one item or no variance."""
    k, total = covariance.shape[-1], covariance.sum(axis=(-2, -1))
    trace = np.trace(covariance, axis1=-2, axis2=-1)
    known = (total > NO_VARIANCE * k) & (k > 1)
    return np.where(known, max(k, 2) / max(k - 1, 1) * (1 - trace / np.where(known, total, 1.0)), np.nan)


def alpha_slopes(covariance):
    """How much alpha changes with each covariance: to first order, the sum of slopes × changes."""
    k, total = len(covariance), covariance.sum()
    if not np.isfinite(coefficient_alpha(covariance)):
        return np.full((k, k), np.nan)
    return k / (k - 1) * (np.trace(covariance) / total**2 - np.eye(k) / total)


def influence(slopes, x, weights):
    """What each row adds to a statistic of the covariances, per unit of weight (linearisation).

    Parameters
    ----------
    slopes : ndarray of shape (n_items, n_items)
        Of the statistic in each covariance.
    x : ndarray of shape (n_respondents, n_items)
    weights : ndarray of shape (n_respondents,)

    Returns
    -------
    ndarray of shape (n_respondents,)
        Its weighted sum is 0.
    """
    there, total = np.isfinite(x), np.zeros(len(x))
    y = np.where(there, x, 0.0)
    for i in range(x.shape[1]):
        both = there & there[:, [i]]
        mass = weights @ both
        mine, other = weights @ (y[:, [i]] * both) / mass, weights @ (y * both) / mass
        product = (y[:, [i]] - mine) * (y - other) * both
        total += ((product - both * (weights @ product / mass)) / mass) @ slopes[i]
    return total


def why_not(x, covariance):
    """Why a scale has no alpha: one item, nothing answered (by anybody together), no variance; empty if it has one."""
    there = np.isfinite(x).astype(float)
    if x.shape[1] < 2:
        return "one item"
    if not (there.T @ there).all():
        return "nothing answered"
    return "" if np.isfinite(coefficient_alpha(covariance)) else "no variance"


def why_no_factor(factor):
    """Says "no factor" where one factor was not reached, holds fewer than 3 items, or leaves a variance below 0."""
    held = (np.abs(factor.loadings) > NO_VARIANCE).sum() >= MIN_ITEMS
    return "" if held and (factor.residual_variances >= 0).all() else "no factor"


def feldt_interval(alpha, n, n_items, level=CONFIDENCE):
    """Feldt's limits of alpha from n (effective) respondents."""
    tails = (1 + level) / 2, (1 - level) / 2
    return tuple(1 - (1 - alpha) * stats.f.ppf(tail, n - 1, (n - 1) * (n_items - 1)) for tail in tails)


def log_interval(omega, se, df, level=CONFIDENCE):
    """Limits symmetric in ln(1 - omega), which keeps them below 1."""
    half = stats.t.ppf((1 + level) / 2, max(df, 1)) * np.divide(se, 1 - omega)
    return 1 - (1 - omega) * np.exp(half), 1 - (1 - omega) * np.exp(-half)


def _means(x, w):
    there = np.isfinite(x)
    mass = w @ there
    return np.divide(w @ np.where(there, x, 0.0), mass, out=np.full(x.shape[1], np.nan), where=mass > 0)


def _rest_correlation(covariance):
    own, row = np.diag(covariance), covariance.sum(axis=1)
    rest = row.sum() - 2 * row + own
    usable = (own > 0) & (rest > 0)
    return np.where(usable, (row - own) / np.sqrt(np.where(usable, own * rest, 1.0)), np.nan)


def _alphas_without(covariance):
    kept = [np.delete(np.arange(len(covariance)), i) for i in range(len(covariance))]
    return [float(coefficient_alpha(covariance[np.ix_(k, k)])) for k in kept]


def _lambda6(covariance):
    correlations = as_correlations(covariance)[0]
    if not np.isfinite(coefficient_alpha(correlations)):
        return np.nan
    return 1 - (1 / np.diag(np.linalg.pinv(correlations, hermitian=True))).sum() / correlations.sum()


def _of_covariances(slopes, covariance):
    """Slopes in covariances from slopes in the correlations that they are turned into."""
    correlations, spread = as_correlations(covariance)
    return (slopes - np.diag((slopes * correlations).sum(axis=1))) / np.outer(spread, spread)


def _sampling_error(slopes, x, w):
    if not np.isfinite(slopes).all():
        return np.nan
    return np.sqrt(len(w) / (len(w) - 1) * ((w * influence(slopes, x, w)) ** 2).sum())
