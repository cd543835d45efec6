"""From answers to competency levels, and draws that carry their error."""

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import norm

from skillsgap.errors import EstimateError

HALF = 0.5  # DESIGN: a competency has a level where at least half of its items are answered
LEVEL_TYPES = ("anchored",)  # items whose categories are level descriptors
TOP = 4  # highest level; the lowest is 0
LEAST = 1e-6  # levels; keeps what doesn't vary divisible
NEAR = np.linspace(-8.0, 8.0, 4001)  # standard deviations from the end of the scale
ABOVE = NEAR * ndtr(NEAR) + norm.pdf(NEAR)  # mean of what is cut off at the end


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


def plausible_levels(scores, alphas, design, conditioning, *, n_draws=10, random_state=0):
    """Draws of the true level behind each measured one, for whatever is not linear in it.

    A shortfall max(0, R - C) of an error-prone C is biased upward, more where C is less reliable. Each
    draw is normal around ``k x + (1 - k) m``, with m the mean level of people of the same conditioning
    columns (weighted regression), k the reliability among them, and variance ``k (1 - k) s²`` of their
    levels around m; cut off at 0 and 4 round a centre that keeps its mean. So group means stay where they are.

    Parameters
    ----------
    scores : DataFrame of shape (n_respondents, n_competencies)
        Measured levels 0–4, NaN where missing (stays missing).
    alphas : Series of shape (n_competencies,)
        Reliability of each measured level; NaN or below 0 counts as 0.
    design : SurveyDesign
    conditioning : DataFrame of shape (n_respondents, n_columns)
        Every column results are to be split by, and those the requirement depends on; an empty cell is a category.
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
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> scores = pd.DataFrame({"c": [1.0, 2.0, 3.0]}, index=pd.Index([0, 1, 2], name="row_key"))
    >>> design = survey_design(scores.assign(weight=1.0), n_replicates=20)
    >>> draws = plausible_levels(scores, pd.Series({"c": 1.0}), design, scores[[]], n_draws=2)
    >>> draws[0]["c"].tolist()
    [1.0, 2.0, 3.0]
    """
    if len(conditioning) != len(scores):
        raise EstimateError(f"conditioning has {len(conditioning)} rows and scores {len(scores)}: give the same people")
    scores = scores.sort_index()
    weights, x = design.weights.loc[scores.index].to_numpy(), indicators(conditioning.loc[scores.index])
    posterior, spread = np.empty(scores.shape), np.empty(scores.shape[1])
    for place, competency in enumerate(scores):
        alpha = np.nan_to_num(max(alphas.get(competency, 0.0), 0.0))
        posterior[:, place], spread[place] = _posterior(scores[competency].to_numpy(), x, weights, alpha)
    noise = np.random.default_rng(random_state).standard_normal((n_draws, *scores.shape))
    drawn = (cut_at_ends(posterior, spread, one) for one in noise)  # one at a time, for memory
    return [pd.DataFrame(draw, scores.index, scores.columns) for draw in drawn]


def indicators(conditioning):
    """Ones, and a column for every category but the first of each column; an empty cell is a category."""
    columns = [np.ones(len(conditioning))]
    for name in conditioning:
        codes, seen = pd.factorize(conditioning[name].astype("string"), sort=True, use_na_sentinel=False)
        columns.append(codes[:, None] == np.arange(1, len(seen)))
    return np.column_stack(columns).astype(float)


def cut_at_ends(mean, sd, noise):
    """Levels with these means: normal from standard normal noise, cut off at 0 and 4 round a centre that keeps them."""
    low = mean < TOP / 2
    above = np.where(low, mean, TOP - mean)
    far = above / np.maximum(sd, LEAST)
    middle = np.where(far < NEAR[-1], sd * np.interp(far, ABOVE, NEAR), above)
    cut = np.clip(middle + sd * noise, 0, TOP)
    return np.where(low, cut, TOP - cut)


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
