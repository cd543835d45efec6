"""From answers to competency levels, how reliable they are, and draws that carry their error."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError

HALF = 0.5  # DESIGN: a competency has a level where at least half of its items are answered
NO_VARIANCE = 1e-9  # squared levels: less than that is rounding, not disagreement
LEVEL_TYPES = ("anchored",)  # items whose categories are level descriptors


def score_competencies(responses, items):
    """Level of each respondent in each competency: the mean of the anchored items answered.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        One column an item, coded 0–4; index ``row_key``.
    items : DataFrame
        item_id, competency_id, type. Only anchored items make a level; others are indexes.

    Returns
    -------
    DataFrame of shape (n_respondents, n_competencies)
        Levels 0–4; NaN where fewer than half of the items are answered.

    Examples
    --------
    >>> items = pd.DataFrame({"item_id": ["q1", "q2", "q3"], "competency_id": ["c", "c", "c"],
    ...                       "type": ["anchored"] * 3})
    >>> answers = pd.DataFrame({"q1": [4, 1], "q2": [3, np.nan], "q3": [np.nan, np.nan]})
    >>> score_competencies(answers, items)["c"].tolist()
    [3.5, nan]
    """
    anchored = items[items["type"].isin(LEVEL_TYPES)]
    if anchored.empty:
        return pd.DataFrame(index=responses.index)
    belongs = pd.crosstab(anchored["item_id"], anchored["competency_id"]).reindex(anchored["item_id"])
    answers = responses[anchored["item_id"]].to_numpy(dtype=float)
    there = np.isfinite(answers)
    sums = np.where(there, answers, 0.0) @ belongs.to_numpy()
    counts = there @ belongs.to_numpy()
    enough = counts >= HALF * belongs.to_numpy().sum(axis=0)
    levels = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=enough & (counts > 0))
    return pd.DataFrame(levels, index=responses.index, columns=belongs.columns.rename(None))


def cronbach_alpha(answers, weights=None):
    """Cronbach's alpha of a scale, from all answers there are, with Feldt's interval.

    Parameters
    ----------
    answers : DataFrame of shape (n_respondents, n_items)
        Items of one direction; NaN = not answered (covariances come from pairwise-complete rows).
    weights : array-like of shape (n_respondents,), optional

    Returns
    -------
    dict
        alpha, ci_low, ci_high (95 %), n. NaN for one item or no variance.

    References
    ----------
    Feldt (1965), Psychometrika 30, 357–370.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 1, 2, 3], "b": [0, 1, 3, 4], "c": [1, 1, 2, 4]})
    >>> round(float(cronbach_alpha(answers)["alpha"]), 3)
    0.966
    """
    w = np.ones(len(answers)) if weights is None else np.asarray(weights, dtype=float)
    x, w = answers.to_numpy(dtype=float)[w > 0], w[w > 0]
    n, k = x.shape
    covariance = _pairwise_covariance(x, w)
    total = covariance.sum()
    if k < 2 or not np.isfinite(total) or total <= NO_VARIANCE * k:
        return {
            "alpha": np.nan,
            "ci_low": np.nan,
            "ci_high": np.nan,
            "n": int(np.isfinite(x).any(axis=1).sum()),
        }
    alpha = k / (k - 1) * (1 - np.trace(covariance) / total)
    answered = int(np.isfinite(x).any(axis=1).sum())
    n_eff = w.sum() ** 2 / (w**2).sum() * answered / n
    df = max(n_eff - 1, 1), max((n_eff - 1) * (k - 1), 1)
    low, high = (1 - (1 - alpha) * stats.f.ppf(p, *df) for p in (0.975, 0.025))
    return {"alpha": alpha, "ci_low": low, "ci_high": high, "n": answered}


def _pairwise_covariance(x, w):
    there = np.isfinite(x)
    centre = np.average(np.where(there, x, 0.0), axis=0, weights=w)  # centring first keeps the products exact
    y = np.where(there, x - centre, 0.0)
    m = there * w[:, None]
    mass = m.T @ there
    first = (y * w[:, None]).T @ there  # sum of item i over rows where item j is answered too
    cross = (y * w[:, None]).T @ y
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = cross / mass - first / mass * (first.T / mass)
        # scaling the weights changes nothing: the correction uses counts of rows, not of weight
        rows = there.T.astype(float) @ there
        return covariance * rows / (rows - 1)


def reliability(responses, items, competencies, design):
    """Internal consistency of every competency and of every competency group.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
    items : DataFrame
        item_id, competency_id, type.
    competencies : DataFrame
        competency_id, group.
    design : SurveyDesign

    Returns
    -------
    DataFrame
        scale {competency, group}, scale_id, n_items, alpha, ci_low, ci_high, n. A claim about a group
        rests on at least 4 items.

    Examples
    --------
    >>> from skillsgap.estimate.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "q1": [0, 1, 2, 3], "q2": [0, 1, 3, 4]})
    >>> items = pd.DataFrame({"item_id": ["q1", "q2"], "competency_id": "c", "type": "anchored"})
    >>> competencies = pd.DataFrame({"competency_id": ["c"], "group": ["data"]})
    >>> reliability(rows, items, competencies, survey_design(rows))["n_items"].tolist()
    [2, 2]
    """
    columns = ["scale", "scale_id", "n_items", "alpha", "ci_low", "ci_high", "n"]
    anchored = items[items["type"].isin(LEVEL_TYPES)]
    if anchored.empty:
        return pd.DataFrame(columns=columns)
    # a question may name the group it stands in; the group of its competency is the one that counts
    groups = competencies[["competency_id", "group"]]
    anchored, rows = anchored[["item_id", "competency_id"]].merge(groups, on="competency_id"), []
    for scale, column in (("competency", "competency_id"), ("group", "group")):
        for scale_id, members in anchored.groupby(column, sort=True):
            alpha = cronbach_alpha(responses[members["item_id"]], design.weights)
            rows.append({"scale": scale, "scale_id": scale_id, "n_items": len(members), **alpha})
    return pd.DataFrame(rows, columns=columns)


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
    ...                       "n_items": [3, 1, 4], "alpha": [0.75, np.nan, 0.8]})
    >>> level_reliability(table, pd.DataFrame({"competency_id": ["a", "b"], "group": "g"})).round(2).to_dict()
    {'a': 0.75, 'b': 0.5}
    """
    own = reliability[reliability["scale"] == "competency"].set_index("scale_id")
    group = reliability[reliability["scale"] == "group"].set_index("scale_id")
    group = group.reindex(competencies.set_index("competency_id")["group"].reindex(own.index))
    single = pd.Series(_stepped(group["alpha"].to_numpy(), 1 / group["n_items"].to_numpy()), own.index)
    measured = own[own["alpha"] > 0]
    if len(measured):
        single[:] = _stepped(measured["alpha"], 1 / measured["n_items"]).mean()
    stepped = _stepped(single, own["n_items"])
    stepped = stepped.where(stepped > 0, 1.0)
    return own["alpha"].where(own["alpha"] > 0, stepped).rename_axis("competency_id")


def _stepped(alpha, times):
    """Reliability of a scale that is so many times as long."""
    return times * alpha / (1 + (times - 1) * alpha)


def plausible_levels(scores, alphas, design, conditioning, *, n_draws=10, random_state=0):
    """Draws of the true level behind each measured one, for whatever is not linear in it.

    A shortfall max(0, R - C) of an error-prone C is biased upward, more where C is less reliable. Each
    draw is normal around ``k x + (1 - k) m``, with m the mean level of people of the same conditioning
    columns (weighted regression), k the reliability among them, and variance ``k (1 - k) s²`` of their
    levels around m; so group means stay where they are.

    Parameters
    ----------
    scores : DataFrame of shape (n_respondents, n_competencies)
        Measured levels 0–4, NaN where missing (stays missing).
    alphas : Series of shape (n_competencies,)
        Reliability of each measured level; NaN or below 0 counts as 0.
    design : SurveyDesign
    conditioning : DataFrame of shape (n_respondents, n_columns)
        Every column results are to be split by, and those the requirement depends on.
    n_draws : int
    random_state : int

    Returns
    -------
    list of DataFrame
        `n_draws` frames of levels 0–4.

    References
    ----------
    Mislevy (1991), Psychometrika 56, 177–196.

    Examples
    --------
    >>> from skillsgap.estimate.design import survey_design
    >>> scores = pd.DataFrame({"c": [1.0, 2.0, 3.0]}, index=pd.Index([0, 1, 2], name="row_key"))
    >>> design = survey_design(scores.assign(weight=1.0), n_replicates=20)
    >>> draws = plausible_levels(scores, pd.Series({"c": 1.0}), design, scores[[]], n_draws=2)
    >>> draws[0]["c"].tolist()
    [1.0, 2.0, 3.0]
    """
    if len(conditioning) != len(scores):
        raise EstimateError(
            f"conditioning has {len(conditioning)} rows and scores {len(scores)}: give the same people"
        )
    scores = scores.sort_index()
    weights = design.weights.loc[scores.index].to_numpy()
    codes = [
        pd.factorize(conditioning.loc[scores.index, c].astype("string"), sort=True)[0] for c in conditioning
    ]
    dummies = [
        code[:, None] == np.arange(1, code.max() + 1) for code in codes
    ]  # the first category is the base
    x = np.column_stack([np.ones(len(scores)), *dummies])
    posterior, spread = np.empty(scores.shape), np.empty(scores.shape[1])
    for place, competency in enumerate(scores):
        alpha = np.nan_to_num(max(alphas.get(competency, 0.0), 0.0))
        posterior[:, place], spread[place] = _posterior(scores[competency].to_numpy(), x, weights, alpha)
    rng = np.random.default_rng(random_state)
    noise = rng.standard_normal((n_draws, *scores.shape))
    return [
        pd.DataFrame(np.clip(posterior + spread * draw, 0, 4), index=scores.index, columns=scores.columns)
        for draw in noise
    ]


def _posterior(y, x, weights, alpha):
    rows = np.isfinite(y) & (weights > 0)
    if not rows.any():
        return y, 0.0
    root = np.sqrt(weights[rows])
    coefficients = np.linalg.lstsq(x[rows] * root[:, None], y[rows] * root, rcond=None)[0]
    fitted = x @ coefficients
    mean = np.average(y[rows], weights=weights[rows])
    total = np.average((y[rows] - mean) ** 2, weights=weights[rows])
    within = np.average((y[rows] - fitted[rows]) ** 2, weights=weights[rows])
    # the error variance is the same within groups as overall, so reliability is lower among similar people
    k = 1 - (1 - alpha) * total / within if within > 0 else 1.0
    k = float(np.clip(k, 0.0, 1.0))
    return k * y + (1 - k) * fitted, np.sqrt(k * (1 - k) * within)
