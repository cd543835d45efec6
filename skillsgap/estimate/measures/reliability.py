"""How reliable scales and group means are, with design-based errors."""

import numpy as np
import pandas as pd
from scipy import optimize, stats

from skillsgap.estimate.measures.factor import omega_slopes, one_factor
from skillsgap.estimate.measures.scales import (
    alpha_slopes,
    coefficient_alpha,
    effective_n,
    feldt_interval,
    influence,
    log_interval,
    pairwise_covariances,
    why_no_factor,
    why_not,
)
from skillsgap.estimate.measures.scoring import LEVEL_TYPES
from skillsgap.estimate.survey.means import design_means

OMEGA_ITEMS = 4  # METHODS: omega is for scales of at least 4 items
OWN_VARIANCE = 30  # answers; with fewer the variance of a mean is itself off by a quarter or more (root of 2 / 29)
CONFIDENCE = 0.95


def reliability(responses, items, competencies, design):
    """Internal consistency of every competency and of every competency group.

    Errors come from the design's replicates (omega's to first order in the covariances), or by linearisation where it
    has none. Alpha's interval is Feldt's for the effective number of respondents (Kish), omega's is symmetric in
    ln(1 - omega).

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        One column an item; NaN = not answered. Rows in the order of the design.
    items : DataFrame
        item_id, competency_id, type.
    competencies : DataFrame
        competency_id, group.
    design : SurveyDesign

    Returns
    -------
    DataFrame
        scale {competency, group}, scale_id, statistic {alpha; omega where there are at least 4 items}, n_items,
        estimate, se, ci_low, ci_high, n (who answered any item), n_eff, uncertainty, why. Where `why` is not empty
        (one item, no variance, nothing answered, no factor) the scale is to be left out of claims.

    References
    ----------
    Feldt (1965), Psychometrika 30, 357–370; McDonald (1999), Test theory; Bonett (2002), Journal of Educational and
    Behavioral Statistics 27, 335–340.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "q1": [0, 1, 2, 3], "q2": [0, 1, 3, 4]})
    >>> items = pd.DataFrame({"item_id": ["q1", "q2"], "competency_id": "c", "type": "anchored"})
    >>> competencies = pd.DataFrame({"competency_id": ["c"], "group": ["data"]})
    >>> reliability(rows, items, competencies, survey_design(rows))["estimate"].round(3).tolist()
    [0.966, 0.966]
    """
    columns = ["scale", "scale_id", "statistic", "n_items", "estimate", "se", "ci_low", "ci_high", "n", "n_eff",
               "uncertainty", "why"]  # fmt: skip
    anchored = items[items["type"].isin(LEVEL_TYPES)]
    if anchored.empty:
        return pd.DataFrame(columns=columns)
    # a question may name the group it stands in; the group of its competency is the one that counts
    groups = competencies[["competency_id", "group"]]
    anchored, rows = anchored[["item_id", "competency_id"]].merge(groups, on="competency_id"), []
    for scale, column in (("competency", "competency_id"), ("group", "group")):
        for scale_id, members in anchored.groupby(column, sort=True):
            answers = responses[members["item_id"]].to_numpy(dtype=float)
            rows += [{"scale": scale, "scale_id": scale_id, **row} for row in _reliabilities(answers, design)]
    return pd.DataFrame(rows, columns=columns)


def _reliabilities(x, design):
    """Alpha, and omega where there are items enough, of one scale."""
    there = np.isfinite(x).any(axis=1) & (design.weights.to_numpy() > 0)
    weights, k = design.matrix[there], x.shape[1]
    n_eff, covariances = effective_n(weights[:, 0]), pairwise_covariances(x[there], weights)
    full, why = covariances[0], why_not(x[there], covariances[0])
    common = {"n_items": k, "n": int(there.sum()), "n_eff": n_eff, "uncertainty": "sampling"}
    alphas = coefficient_alpha(covariances)
    se = _design_error(alphas, alpha_slopes(full), x, there, design)
    low, high = feldt_interval(alphas[0], n_eff, k)
    yield {"statistic": "alpha", "estimate": alphas[0], "se": se, "ci_low": low, "ci_high": high, **common, "why": why}
    if k >= OMEGA_ITEMS:
        factor = one_factor(full)
        slopes = omega_slopes(full, factor)
        omegas = factor.omega + ((covariances - full) * slopes).sum(axis=(1, 2))
        se = _design_error(omegas, slopes, x, there, design)
        low, high = log_interval(factor.omega, se, design.degf)
        yield {"statistic": "omega", "estimate": factor.omega, "se": se, "ci_low": low, "ci_high": high, **common,
               "why": why or why_no_factor(factor)}  # fmt: skip


def _design_error(values, slopes, x, there, design):
    """Standard error from the values of the full sample and every replicate, or from slopes where there are none."""
    if np.isnan(values[0]):
        return np.nan
    if design.replicated:
        return float(np.sqrt(design.variance(values[0], values[1:])))
    shares = np.zeros((len(x), 1))
    shares[there, 0] = influence(slopes, x[there], design.weights.to_numpy()[there])
    return float(np.sqrt(design.covariance(shares)[0, 0]))


def level_reliability(reliability, competencies):
    """Reliability of each competency's level: its own alpha, or what one item of the others is worth.

    One item has no alpha, and a scale that disagrees with itself has none above 0. Neither means that its levels
    are pure noise. Where other competencies are asked about in several items, what one of these is worth on
    average (Spearman and Brown) speaks for it, on the assumption that items are alike. Where none is, its group's
    alpha does, stepped down to its number of items: a lower bound, since a group's competencies differ. Where there is
    none either, 1 leaves the measured levels as they are.

    Parameters
    ----------
    reliability : DataFrame
        As `reliability` gives it.
    competencies : DataFrame
        competency_id, group.

    Returns
    -------
    Series
        Index competency_id, values above 0 and up to 1.

    References
    ----------
    Spearman (1910) and Brown (1910), British Journal of Psychology 3, 271–295 and 296–322.

    Examples
    --------
    >>> table = pd.DataFrame({"scale": ["competency", "competency", "group"], "scale_id": ["a", "b", "g"],
    ...                       "statistic": "alpha", "n_items": [3, 1, 4], "estimate": [0.75, np.nan, 0.8]})
    >>> level_reliability(table, pd.DataFrame({"competency_id": ["a", "b"], "group": "g"})).round(2).to_dict()
    {'a': 0.75, 'b': 0.5}
    """
    alphas = reliability[reliability["statistic"] == "alpha"].set_index("scale_id")
    own, group = alphas[alphas["scale"] == "competency"], alphas[alphas["scale"] == "group"]
    group = group.reindex(competencies.set_index("competency_id")["group"].reindex(own.index))
    single = pd.Series(_stepped(group["estimate"].to_numpy(), 1 / group["n_items"].to_numpy()), own.index)
    measured = own[own["estimate"] > 0]
    if len(measured):
        single[:] = _stepped(measured["estimate"], 1 / measured["n_items"]).mean()
    stepped = _stepped(single, own["n_items"])
    stepped = stepped.where(stepped > 0, 1.0)
    return own["estimate"].where(own["estimate"] > 0, stepped).rename_axis("competency_id")


def _stepped(alpha, times):
    """Reliability of a scale that is so many times as long."""
    return times * alpha / (1 + (times - 1) * alpha)


def group_mean_reliability(scores, groups, design):
    """Reliability of group means: the variance of true group means, over itself plus a group's error variance.

    It is what a shrunken mean keeps of the group's own value. The variance between true means solves the moment
    equation sum((mean - centre)² / (variance + error variance)) = groups - 1; the interval puts its 95 % limits (the
    chi-square quantiles of the same sum) in, and takes error variances as known. Groups of fewer than 30 answers get
    the error variance of an answer in all groups over their effective answers: their own is too uncertain, and the
    more it is so, the more it makes groups seem to differ.

    Parameters
    ----------
    scores : DataFrame, or list of DataFrame, of shape (n_respondents, n_variables)
        A list holds plausible values of the same variables: their error counts as error.
    groups : Series of shape (n_respondents,)
    design : SurveyDesign

    Returns
    -------
    DataFrame
        group, variable, estimate, se (NaN), ci_low, ci_high, n, n_eff, uncertainty. Group "all" is the mean over
        groups. NaN for a group without answers, and where fewer than 2 have any.

    References
    ----------
    Fay & Herriot (1979), Journal of the American Statistical Association 74, 269–277; Bliese (2000), in Klein &
    Kozlowski, Multilevel theory, 349–381 (ICC(2)); Viechtbauer (2007), Statistics in Medicine 26, 37–52.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "psu": range(8), "c": [0.0, 1, 0, 1, 3, 4, 3, 4]})
    >>> table = group_mean_reliability(rows[["c"]], pd.Series(list("aaaabbbb")), survey_design(rows))
    >>> table["group"].tolist(), bool(table["estimate"].min() > 0.9)
    (['a', 'b', 'all'], True)
    """
    means = design_means(scores, design, by=groups)
    variables = means.groupby("variable", sort=False)
    return pd.concat([_of_groups(rows) for _, rows in variables], ignore_index=True)


def _of_groups(means):
    error = _error_variances(means)
    known = error > 0
    between = between_variance(means["estimate"][known].to_numpy(), error[known].to_numpy())
    names = ["estimate", "ci_low", "ci_high"]
    values = pd.DataFrame({name: each / (each + error) for name, each in zip(names, between, strict=True)})
    table = means.assign(**values, se=np.nan)
    whole = {**table.iloc[0], **values.mean(), "group": "all", "n": means["n"].sum(), "n_eff": means["n_eff"].sum()}
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)


def _error_variances(means):
    """A group's own design variance, or that of an answer in all groups over its effective answers."""
    own, n, n_eff = means["se"] ** 2, means["n"], means["n_eff"]
    freedom = (n - 1).clip(lower=0).sum()
    of_answer = (own * n_eff * n).sum() / freedom if freedom else np.nan  # n / (n - 1): deviations from own means
    return own.where((n >= OWN_VARIANCE) & (own > 0), of_answer / n_eff.where(n_eff > 0))


def between_variance(estimates, variances):
    """Variance of the true values behind estimates of known error variance, with its 95 % limits.

    Parameters
    ----------
    estimates, variances : ndarray of shape (n_groups,)
        Variances above 0.

    Returns
    -------
    tuple of float
        Variance (0 where the estimates differ no more than their errors let them), lower and upper limit.

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the National Bureau of Standards 87, 377–385; Viechtbauer (2007).

    Examples
    --------
    >>> [round(each, 2) for each in between_variance(np.array([1.0, 3.0, 5.0]), np.array([1.0, 1.0, 1.0]))]
    [3.0, 0.08, 156.99]
    """
    degrees = len(estimates) - 1
    if degrees < 1:
        return np.nan, np.nan, np.nan

    def excess(between, wanted):
        weights = 1 / (between + variances)
        return weights @ (estimates - np.average(estimates, weights=weights)) ** 2 - wanted

    limits = stats.chi2.ppf([(1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2], degrees)
    spread = ((estimates - estimates.mean()) ** 2).sum()  # the sum is below spread / between
    return tuple(0.0 if excess(0.0, wanted) <= 0 else optimize.brentq(excess, 0.0, spread / wanted, args=(wanted,))
                 for wanted in (degrees, *limits))  # fmt: skip
