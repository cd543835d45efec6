"""Weighted quantiles of a survey with Woodruff's intervals."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.estimates import domain, frames, uncertainty
from skillsgap.estimate.survey.intervals import CONFIDENCE, limits, t_quantile
from skillsgap.estimate.survey.means import domain_rows, group_means, pooled

RULES = ("math", "school")
KINDS = ("woodruff", "wald")
NEAR = 1e-10  # a cumulative share this close to a probability is equal to it


def survey_quantile(values, design, *, probabilities=(0.25, 0.5, 0.75), by=None, where=None, rule="math",
                    interval="woodruff", level=CONFIDENCE):  # fmt: skip
    """Weighted quantiles of each column, by group.

    Parameters
    ----------
    values : Series, DataFrame, or list of them, of shape (n_respondents, n_variables)
        In the order of the design; several are plausible values. NaN is outside the domain.
    design : SurveyDesign
    probabilities : float or sequence of float in (0, 1)
    by : Series of shape (n_respondents,), optional
    where : array-like of bool of shape (n_respondents,), optional
    rule : {"math", "school"}
        The smallest value whose cumulative share is at least the probability; or, where it is equal, the middle
        between that value and the next.
    interval : {"woodruff", "wald"}
        Woodruff: limits of the share at or below the quantile, put back through the rule; their half length over t is
        the standard error, and plausible values have t limits with it. Wald: t limits; where the design has replicates,
        with the error of the quantile over replicates (which a jackknife doesn't tell well).
    level : float in (0, 1)

    Returns
    -------
    DataFrame
        group, variable, probability, estimate, se, ci_low, ci_high, n, n_eff, uncertainty, degf.

    Raises
    ------
    EstimateError
        The rule, the interval or a probability isn't known.

    References
    ----------
    Woodruff (1952), Journal of the American Statistical Association 47, 635–646; Lumley (2010), Complex Surveys, ch. 2.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> age = pd.Series([30.0, 40.0, 50.0, 60.0], name="age")
    >>> design = survey_design(age.to_frame(), weight=10.0, method="linearization")
    >>> survey_quantile(age, design, probabilities=0.5)["estimate"].item()
    40.0
    >>> survey_quantile(age, design, probabilities=0.5, rule="school")["estimate"].item()
    45.0
    """
    asked = np.atleast_1d(np.asarray(probabilities, dtype=float))
    if rule not in RULES or interval not in KINDS or not ((asked > 0) & (asked < 1)).all():
        raise EstimateError(f"quantile {asked.tolist()}, rule {rule!r}, interval {interval!r}: use shares between "
                            f"0 and 1, rule {' or '.join(RULES)}, interval {' or '.join(KINDS)}")  # fmt: skip
    draws, groups = frames(values, design), domain(by, where, design)
    rows, labels = domain_rows(groups, len(design.weights))
    each = [_one_draw(frame, design, groups, rows, asked, rule, interval, level) for frame in draws]
    full, low, high, variance = (np.stack(parts) for parts in zip(*(parts for parts, _ in each), strict=True))
    estimate, se = full.mean(axis=0).ravel(), np.sqrt(pooled(full, variance)).ravel()
    ends = low[0].ravel(), high[0].ravel()
    if interval == "wald" or len(draws) > 1:
        ends = limits(estimate, se, design.degf, None, level=level)
    names = ["group", "variable", "probability"]
    index = pd.MultiIndex.from_product([labels, draws[0].columns, asked], names=names)
    n, n_eff = (part.ravel() for part in each[0][1])
    table = {"estimate": estimate, "se": se, "ci_low": ends[0], "ci_high": ends[1], "n": n.astype(int), "n_eff": n_eff,
             "uncertainty": uncertainty(draws), "degf": design.degf}  # fmt: skip
    return pd.DataFrame(table, index=index).reset_index()


def _one_draw(frame, design, groups, rows, asked, rule, interval, level):
    """Quantiles, Woodruff limits and variances (n_groups, n_variables * n_probabilities each); answers."""
    values, direct = frame.to_numpy(dtype=float), interval == "wald" and design.replicated
    matrix = design.matrix if direct else design.matrix[:, :1]
    steps = [[_steps(values[mine, column], matrix[mine]) for column in range(values.shape[1])] for mine in rows]
    place = np.repeat(np.arange(values.shape[1]), len(asked))
    found = np.reshape([np.hstack([_quantiles(*step, asked, rule) for step in group]) for group in steps],
                       (len(rows), matrix.shape[1], len(place)))  # fmt: skip
    full = found[:, 0]
    below = np.full((len(values), len(place)), np.nan)
    for mine, quantiles in zip(rows, full, strict=True):
        mine_values = values[mine][:, place]
        below[mine] = np.where(np.isfinite(mine_values), mine_values <= quantiles, np.nan)
    shares = group_means(pd.DataFrame(below), design, groups)
    low, high = limits(shares.full[0], np.sqrt(shares.sampling(design)), design.degf, None, level=level)
    ends = [np.reshape([_back(*each, len(asked), rule) for each in zip(steps, sides, strict=True)], full.shape)
            for sides in (low, high)]  # fmt: skip
    variance = ((ends[1] - ends[0]) / (2 * t_quantile(design.degf, level))) ** 2
    if direct:
        variance = design.variance(full, np.moveaxis(found[:, 1:], 1, 0))
    return (full, *ends, variance), (shares.n, shares.n_eff)


def _steps(values, weights):
    """Values there are, in order, and the cumulative share at each (n_values, n_weights)."""
    there = np.isfinite(values) & (weights[:, 0] != 0)
    if not there.any():
        return np.full(1, np.nan), np.ones((1, weights.shape[1]))
    levels, codes = np.unique(values[there], return_inverse=True)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(levels)))
    cumulative = np.add.reduceat(weights[there][order], starts, axis=0).cumsum(axis=0)
    mass = cumulative[-1]
    return levels, np.divide(cumulative, mass, out=np.full_like(cumulative, np.nan), where=mass > 0)


def _quantiles(levels, shares, probabilities, rule):
    """Quantiles (n_weights, n_probabilities) of a step function; the first or last value beyond its ends."""
    last, found = len(levels) - 1, np.empty((shares.shape[1], len(probabilities)))
    for place, probability in enumerate(probabilities):
        at = levels[np.minimum((shares < probability - NEAR).sum(axis=0), last)]
        if rule == "school":  # beside the value where the share is equal, the next one that somebody has
            at = (at + levels[np.minimum((shares <= probability + NEAR).sum(axis=0), last)]) / 2
        found[:, place] = np.where(np.isnan(shares[-1]), np.nan, at)
    return found


def _back(steps, shares, n_probabilities, rule):
    """Shares of one group put back through the rule, each variable's through its own steps."""
    parts = np.asarray(shares).reshape(len(steps), n_probabilities)
    return np.hstack([_quantiles(levels, cumulative[:, :1], part, rule)[0]
                      for (levels, cumulative), part in zip(steps, parts, strict=True)])  # fmt: skip
