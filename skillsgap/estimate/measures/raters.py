"""How far several raters of the same things agree."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError

CHOICES = {
    "weights": ("none", "squared"),
    "metric": ("nominal", "ordinal", "interval"),
    "pair_weight": ("standard", "one"),
    "kind": ("agreement", "consistency"),
    "unit": ("single", "average"),
    "df_from": ("single", "average"),
}


def rater_agreement(ratings, statistic, *, weights="none", metric="ordinal", pair_weight="standard", kind="agreement",
                    unit="single", df_from="single", level=0.95, n_bootstrap=500, random_state=0):  # fmt: skip
    """Agreement of raters beyond chance, 1 being complete: a kappa, alpha, intraclass correlation or concordance.

    For requirements that several raters set, and levels that supervisors give. What is rated counts once each: it
    isn't a sample of people, so there are no survey weights. Limits are F limits of McGraw and Wong for the
    intraclass correlation, else percentiles of a bootstrap over what was rated.

    Parameters
    ----------
    ratings : DataFrame of shape (n_subjects, n_raters)
        Numbers, or an ordered categorical (then positions count); other text only where order says nothing: Fleiss'
        kappa, Cohen's unweighted, Krippendorff's nominal alpha. Only Krippendorff's alpha bears missing ratings;
        elsewhere a subject that a rater left out is left out.
    statistic : {"fleiss_kappa", "cohen_kappa", "krippendorff_alpha", "icc", "kendall_w"}
        Cohen's kappa needs two raters; Kendall's W is corrected for ties.
    weights : {"none", "squared"}
        Disagreement in Cohen's kappa: any, or squared distance of positions among the categories that occur.
    metric : {"nominal", "ordinal", "interval"}
        Distance in Krippendorff's alpha.
    pair_weight : {"standard", "one"}
        Weight of a pair of ratings of a subject in it: 1 / (its ratings - 1), or 1 as some programs have it.
    kind : {"agreement", "consistency"}
        Two-way intraclass correlation, with or without differences between the raters' means.
    unit : {"single", "average"}
        Of one rating, or of the mean of all raters.
    df_from : {"single", "average"}
        Correlation behind the approximate degrees of freedom of its limits (agreement only).
    level : float
        Of the interval, between 0 and 1.
    n_bootstrap, random_state : int

    Returns
    -------
    DataFrame of one row
        statistic, estimate, se (bootstrap; NaN for icc), ci_low, ci_high, n (subjects), n_eff (the same), raters, z
        (Fleiss' kappa over its standard error under chance, else NaN), uncertainty. Numbers are NaN where nothing
        varies.

    Raises
    ------
    EstimateError
        A word, statistic or level that can't be, text without an order, or fewer than 2 raters or subjects.

    References
    ----------
    Fleiss (1971), Psychological Bulletin 76, 378–382; Cohen (1968), ibid. 70, 213–220; McGraw & Wong (1996),
    Psychological Methods 1, 30–46; Krippendorff (2004), Content Analysis, ch. 11; Kendall & Smith (1939), Annals of
    Mathematical Statistics 10, 275–287.

    Examples
    --------
    >>> ratings = pd.DataFrame({"first": [1, 1, 2, 2], "second": [1, 1, 2, 1]})
    >>> rater_agreement(ratings, "cohen_kappa")["estimate"].tolist()
    [0.5]
    """
    given = {"weights": weights, "metric": metric, "pair_weight": pair_weight, "kind": kind, "unit": unit,
             "df_from": df_from}  # fmt: skip
    for name, value in given.items():
        if value not in CHOICES[name]:
            raise EstimateError(f"rater_agreement: {name} {value!r} is unknown: use {' or '.join(CHOICES[name])}")
    if statistic not in _STATISTICS:
        raise EstimateError(f"rater_agreement: statistic {statistic!r} is unknown: use {', '.join(_STATISTICS)}")
    if not 0 < level < 1:
        raise EstimateError(f"rater_agreement: level {level} of the interval: give a share between 0 and 1")
    unordered = statistic in _UNORDERED and given.get(_UNORDERED[statistic], "none") in ("none", "nominal")
    table = _codes(ratings, unordered)
    answered = np.isfinite(table).sum(axis=1)
    table = table[answered >= 2 if statistic == "krippendorff_alpha" else answered == table.shape[1]]
    n, m = table.shape
    if n < 2 or m < 2 or (statistic == "cohen_kappa" and m != 2):
        raise EstimateError(f"rater_agreement: {statistic} of {n} subjects by {m} raters can't be told: give two or "
                            "more of both, and to Cohen's kappa two raters")  # fmt: skip
    estimate, z = _STATISTICS[statistic](table, given), np.nan
    if statistic == "icc":
        se, (low, high) = np.nan, _icc_limits(table, given, level)
    else:
        rng = np.random.default_rng(random_state)
        table = table[np.lexsort(table.T)]  # in whatever order the subjects came
        drawn = [_STATISTICS[statistic](table[rng.integers(0, n, n)], given) for _ in range(n_bootstrap)]
        drawn = [value for value in drawn if np.isfinite(value)]  # a draw in which nothing varies has no value
        enough = len(drawn) > n_bootstrap / 2
        se = np.std(drawn, ddof=1) if enough else np.nan
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if enough else (np.nan, np.nan)
    if statistic == "fleiss_kappa":
        z = estimate / np.sqrt(_fleiss_null_variance(table))
    return pd.DataFrame([{"statistic": statistic, "estimate": estimate, "se": se, "ci_low": low, "ci_high": high,
                          "n": n, "n_eff": float(n), "raters": m, "z": z, "uncertainty": "sampling"}])  # fmt: skip


def _codes(ratings, unordered):
    """Ratings as numbers; of ordered categories the position, of other text a number each."""
    if all(pd.api.types.is_numeric_dtype(kind) for kind in ratings.dtypes):
        return ratings.to_numpy(dtype=float)
    kinds = {column.dtype for _, column in ratings.items()}
    shared = kinds.pop() if len(kinds) == 1 else None
    if isinstance(shared, pd.CategoricalDtype) and shared.ordered:
        codes = np.column_stack([column.cat.codes for _, column in ratings.items()]).astype(float)
    elif not unordered:
        raise EstimateError("rater_agreement: ratings are text without an order: give numbers, or the same ordered "
                            "categories in every column")  # fmt: skip
    else:
        flat, _ = pd.factorize(ratings.astype("string").to_numpy(dtype=object, na_value=None).ravel(), sort=True)
        codes = flat.reshape(ratings.shape).astype(float)
    return np.where(codes < 0, np.nan, codes)


def _counts(table):
    """How often each value was given to each subject, and the values."""
    values = np.unique(table[np.isfinite(table)])
    return (table[:, :, None] == values).sum(axis=1).astype(float), values


def _ratio(disagreement, expected):
    """One less the disagreement there is over that of chance."""
    return 1 - disagreement / expected if expected > 0 else np.nan


def _fleiss(table, given):
    counts, _ = _counts(table)
    m = table.shape[1]
    agreed = ((counts**2).sum(axis=1) - m).mean() / (m * (m - 1))
    return _ratio(1 - agreed, 1 - ((counts.mean(axis=0) / m) ** 2).sum())


def _fleiss_null_variance(table):
    n, m = table.shape
    p = _counts(table)[0].mean(axis=0) / m
    pq = (p * (1 - p)).sum()
    return 2 / (pq**2 * n * m * (m - 1)) * (pq**2 - (p * (1 - p) * (1 - 2 * p)).sum()) if pq > 0 else np.nan


def _cohen(table, given):
    values, codes = np.unique(table, return_inverse=True)
    first, second = codes.reshape(table.shape).T
    k = len(values)
    joint = np.bincount(first * k + second, minlength=k * k).reshape(k, k) / len(table)
    far = np.subtract.outer(np.arange(k), np.arange(k))
    cost = far**2 if given["weights"] == "squared" else (far != 0)
    return _ratio((cost * joint).sum(), (cost * np.outer(joint.sum(axis=1), joint.sum(axis=0))).sum())


def _krippendorff(table, given):
    counts, values = _counts(table)
    each = counts.sum(axis=1)
    share = 1 / (each - 1) if given["pair_weight"] == "standard" else np.ones(len(each))
    # coincidences: every ordered pair of ratings of a subject, a rating not paired with itself
    observed = (counts * share[:, None]).T @ counts - np.diag((counts * share[:, None]).sum(axis=0))
    margin = observed.sum(axis=0)
    if given["metric"] == "ordinal":
        middle = np.cumsum(margin) - margin / 2  # the ratings between two categories, half of each of them
    else:
        middle = values
    far = np.subtract.outer(middle, middle)
    cost = (far != 0) if given["metric"] == "nominal" else far**2
    total = margin.sum()
    return _ratio((cost * observed).sum() / total, (cost * np.outer(margin, margin)).sum() / (total * (total - 1)))


def _mean_squares(table):
    """Of subjects, raters and the rest."""
    n, m = table.shape
    grand, by_subject, by_rater = table.mean(), table.mean(axis=1), table.mean(axis=0)
    rest = ((table - by_subject[:, None] - by_rater + grand) ** 2).sum() / ((n - 1) * (m - 1))
    return (m * ((by_subject - grand) ** 2).sum() / (n - 1), n * ((by_rater - grand) ** 2).sum() / (m - 1), rest)


def _icc(table, given):
    n, m = table.shape
    subjects, raters, rest = _mean_squares(table)
    between = m * (raters - rest) / n if given["kind"] == "agreement" else 0.0
    below = subjects + (m - 1) * rest + between if given["unit"] == "single" else subjects + between / m
    return (subjects - rest) / below if below > 0 else np.nan


def _icc_limits(table, given, level):
    n, m = table.shape
    subjects, raters, rest = _mean_squares(table)
    tails, found = (1 + level) / 2, _icc(table, given)
    if not found < 1:  # everybody agrees, or nothing varies
        return found, found
    if given["kind"] == "consistency":
        df = (n - 1) * (m - 1)
        f = np.array([subjects / rest / stats.f.ppf(tails, n - 1, df), subjects / rest * stats.f.ppf(tails, df, n - 1)])
        return tuple((f - 1) / (f + m - 1) if given["unit"] == "single" else 1 - 1 / f)
    rho = _icc(table, {**given, "unit": given["df_from"]})
    a, b = m * rho / (n * (1 - rho)), 1 + m * rho * (n - 1) / (n * (1 - rho))
    v = (a * raters + b * rest) ** 2 / ((a * raters) ** 2 / (m - 1) + (b * rest) ** 2 / ((n - 1) * (m - 1)))
    lower, upper = stats.f.ppf(tails, n - 1, v), stats.f.ppf(tails, v, n - 1)
    noise = m * raters + (m * n - m - n) * rest
    if given["unit"] == "single":
        return (n * (subjects - lower * rest) / (lower * noise + n * subjects),
                n * (upper * subjects - rest) / (noise + n * upper * subjects))  # fmt: skip
    return (n * (subjects - lower * rest) / (lower * (raters - rest) + n * subjects),
            n * (upper * subjects - rest) / (raters - rest + n * upper * subjects))  # fmt: skip


def _kendall(table, given):
    n, m = table.shape
    ranks = stats.rankdata(table, axis=0)
    totals = ranks.sum(axis=1)
    sizes = [np.unique(column, return_counts=True)[1] for column in ranks.T]
    ties = sum((size**3 - size).sum() for size in sizes)
    most = m**2 * (n**3 - n) - m * ties
    return 12 * ((totals - totals.mean()) ** 2).sum() / most if most > 0 else np.nan


_STATISTICS = {"fleiss_kappa": _fleiss, "cohen_kappa": _cohen, "krippendorff_alpha": _krippendorff, "icc": _icc,
               "kendall_w": _kendall}  # fmt: skip
_UNORDERED = {"fleiss_kappa": "", "cohen_kappa": "weights", "krippendorff_alpha": "metric"}  # and the word that says so
