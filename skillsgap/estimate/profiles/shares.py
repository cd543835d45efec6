"""How large the competency profiles are, at which levels, how they answer, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.mixture import climb
from skillsgap.estimate.profiles.quantities import quantities
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.profiles.sandwich import EMPTY, estimates_frame, profile_errors
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import CONFIDENCE, beta_limits, logit_limits, t_quantile
from skillsgap.estimate.survey.weights import kish

VARIANCES = ("replicates", "sandwich")


@dataclass(frozen=True)
class ReplicateFits:
    """Profiles refitted with every replicate weight, numbered as in the full sample.

    Parameters
    ----------
    theta : ndarray (n_replicates, n_profiles, n_columns), as in `skillsgap.estimate.profiles.mixture`
    width : int, columns of theta up to the last category
    """

    theta: np.ndarray
    width: int

    @property
    def shares(self):
        """(n_replicates, n_profiles)."""
        return self.theta[:, :, 0]

    @property
    def probs(self):
        """(n_replicates, n_profiles, all categories)."""
        return self.theta[:, :, 1:self.width]


def profile_replicates(profiles, answers, design: SurveyDesign, *, max_iter=200, tol=1e-7):
    """Refit fitted profiles with every replicate weight, each from the full-sample fit.

    A refit that ended with profiles interchanged is numbered anew: by the assignment to the full-sample fit with the
    least squared distance of parameters.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    design : SurveyDesign of the same respondents, R replicates
    max_iter, tol : as in CompetencyProfiles; above 1e-6 replicates stop short and errors come out too small

    Returns
    -------
    ReplicateFits

    Raises
    ------
    EstimateError
        The design has no replicates.
    """
    if not design.replicated:
        raise EstimateError("the design has no replicates to refit profiles with: use survey_design(..., "
                            "method='bootstrap'), or variance='sandwich'")  # fmt: skip
    answers, _ = by_row_key(answers, design)
    replicates = _replicate_weights(design, answers.index)
    answered = answers[list(profiles.kinds_)].notna().any(axis=1).to_numpy()
    replicates *= profiles.n_rows_ / replicates[:, answered].sum(axis=1, keepdims=True)  # a prior weighs as in the fit
    theta = np.repeat(profiles._layout.lifted(profiles._theta[:, None, :]), len(replicates), axis=1)
    theta, *_ = climb(profiles._encode(answers), replicates, theta, profiles._layout, max_iter=max_iter, tol=tol,
                      pseudo=profiles._pseudo)  # fmt: skip
    matched = [_matched(refit, profiles._theta) for refit in theta.transpose(1, 0, 2)]
    return ReplicateFits(np.array(matched).reshape(-1, *profiles._theta.shape), profiles._layout.width)


def _replicate_weights(design, index):
    place = design.weights.index.get_indexer(index)
    return np.ascontiguousarray(design.replicate_weights[place].T, dtype=float)


def _matched(refit, full):
    return refit[linear_sum_assignment(cdist(full[:, 1:], refit[:, 1:], "sqeuclidean"))[1]]


def profile_estimates(profiles, answers, design: SurveyDesign, replicates=None, *, levels=None, variance=None,
                      confidence=CONFIDENCE):  # fmt: skip
    """Share of each profile, its levels, probabilities of answers and means, with errors from replicates or scores.

    Both kinds of error hold the truth of shares as often (`make verify`); replicates also see a fit that is curved, as
    where profiles hardly differ, the sandwich needs no replicates and no refits. Either one says of a category that
    nobody in a profile chose that there is no error: the error of a probability is therefore never less than what the
    observed information leaves of it, and its interval is Jeffreys' at the number of answers with that error.

    Where profiles are formed on rounded levels, what rounding added is taken out again: of levels that are means of two
    items half lie at .5 and go up, by 0.2 on average.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    design : SurveyDesign of the same respondents
    replicates : ReplicateFits, default: computed here
    levels : DataFrame (n_respondents, n_variables), or list of DataFrame, optional
        The levels that `answers` are the rounded ones of; a list holds draws of them, whose spread is in the errors.
        Needs replicates.
    variance : {"replicates", "sandwich"}, default: replicates where the design has them
    confidence : float, of the limits

    Returns
    -------
    DataFrame: profile 1..K, variable ("share" or its name), statistic ("share" 0-1, "level" in code units,
    "probability" of a category 0-1, "mean" of a measurement), category, estimate, se, ci_low, ci_high (t; shares
    on the logit scale, probabilities Jeffreys'), n, n_eff, uncertainty. For shares n counts all respondents; else the
    expected number in the profile who answered.

    Raises
    ------
    EstimateError
        Answers and design hold other respondents; a variance that isn't known, or not with these levels and design.

    References
    ----------
    Patterson, Dayton and Graubard (2002), Journal of the American Statistical Association 97, 721-741;
    Brown, Cai and DasGupta (2001), Statistical Science 16, 101-133 (Jeffreys' interval).
    """
    answers, weights = by_row_key(answers, design)
    if replicates is not None and len(replicates.theta) != len(design.scales):
        raise EstimateError(f"replicates hold {len(replicates.theta)} fits, and the design has {len(design.scales)}: "
                            "refit them with profile_replicates on this design")
    variance = variance or ("replicates" if design.replicated else "sandwich")
    draws = [draw.loc[answers.index] for draw in (levels if isinstance(levels, list) else [levels]) if draw is not None]
    if variance not in VARIANCES or (draws and variance == "sandwich"):
        raise EstimateError(f"variance {variance!r}{' with levels' if draws else ''}: use replicates"
                            f"{'' if draws else ' or sandwich'}")  # fmt: skip
    table = estimates_frame(profiles)
    if variance == "sandwich":
        table["se"] = profile_errors(profiles, answers, design=design)["se"]
    else:
        replicates = replicates or profile_replicates(profiles, answers, design)
        table = _replicated(table, profiles, answers, design, replicates, draws)
    chosen = (table["statistic"] == "probability").to_numpy()
    if chosen.any():
        floor = profile_errors(profiles, answers, weights, information="observed")["se"]
        table.loc[chosen, "se"] = np.maximum(table["se"], floor)[chosen]
    table["n"], table["n_eff"] = _support(profiles, answers, weights, table)
    table["ci_low"], table["ci_high"] = _limits(table, profiles, design.degf, confidence)
    drawn = (table["statistic"] == "level") & (len(draws) > 1)
    table["uncertainty"] = np.where(drawn, "sampling+measurement", "sampling")
    return table[["profile", "variable", "statistic", "category", "estimate", "se", "ci_low", "ci_high", "n", "n_eff",
                  "uncertainty"]]  # fmt: skip


def _replicated(table, profiles, answers, design, replicates, draws):
    """Estimates and replicate errors, levels without what rounding added."""
    full = table["estimate"].to_numpy()
    refitted = quantities(profiles, replicates.theta.transpose(1, 0, 2)).reshape(len(replicates.theta), -1)
    measured = 0.0
    if draws:
        rows = np.flatnonzero(table["statistic"] == "level")
        weights = design.weights.loc[answers.index].to_numpy()[None]
        each = np.vstack([weights, _replicate_weights(design, answers.index)])
        added = _added(profiles, answers, sum(draws) / len(draws), each, table.loc[rows, "variable"])
        full, refitted, measured = full.copy(), refitted.copy(), np.zeros(len(full))
        full[rows] -= added[0]
        refitted[:, rows] -= added[1:]
        if len(draws) > 1:
            spread = [_added(profiles, answers, draw, weights, table.loc[rows, "variable"])[0] for draw in draws]
            measured[rows] = (1 + 1 / len(draws)) * np.var(spread, axis=0, ddof=1)
    return table.assign(estimate=full, se=np.sqrt(design.variance(full, refitted) + measured))


def _added(profiles, answers, levels, weights, variables):
    """What rounding added to the mean of each profile, by run: (runs, profiles x variables)."""
    names, posterior = list(dict.fromkeys(variables)), profiles.predict_proba(answers)
    difference = answers[names].to_numpy(float) - levels[names].to_numpy(float)
    there = np.isfinite(difference)
    cross = (posterior[:, :, None] * np.where(there, difference, 0.0)[:, None, :]).reshape(len(answers), -1)
    mass = (posterior[:, :, None] * there[:, None, :]).reshape(len(answers), -1)
    return (weights @ cross) / np.maximum(weights @ mass, 1e-300)


def _limits(table, profiles, degf, confidence):
    """Limits of every estimate, within what it can be."""
    estimate, se, quantile = table["estimate"].to_numpy(), table["se"].to_numpy(), t_quantile(degf, confidence)
    low, high = estimate - quantile * se, estimate + quantile * se
    values = profiles.manifest_.values()
    rows = np.flatnonzero(table["statistic"] == "level")
    ends = np.array([[values[name].min(), values[name].max()] for name in table.loc[rows, "variable"]]).reshape(-1, 2)
    low[rows], high[rows] = np.maximum(low[rows], ends[:, 0]), np.minimum(high[rows], ends[:, 1])
    rows = np.flatnonzero(table["statistic"] == "share")
    low[rows], high[rows] = logit_limits(estimate[rows], se[rows], quantile)
    rows = np.flatnonzero(table["statistic"] == "probability")
    low[rows], high[rows] = probability_limits(estimate[rows], se[rows], degf, table["n_eff"].to_numpy()[rows],
                                              level=confidence)  # fmt: skip
    return low, high


def probability_limits(estimate, se, degf, n_eff, *, level=CONFIDENCE):
    """Limits of probabilities: Jeffreys' interval at the number of answers that has this error, widened as t is.

    A probability of 0 or 1 has no error; its limits are Korn and Graubard's for `n_eff` answers.

    Parameters
    ----------
    estimate, se, n_eff : ndarray (n,)
    degf : int, degrees of freedom of se

    Returns
    -------
    low, high : ndarray (n,)

    Examples
    --------
    >>> low, high = probability_limits(np.array([0.0, 0.05, 0.5]), np.array([0, 0.02, 0.05]), 1000, np.full(3, 50))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.021, 0.403], [0.068, 0.101, 0.597])
    """
    inside = (np.minimum(estimate, 1 - estimate) * np.maximum(n_eff, 1.0) > EMPTY) & (se > 0)
    middle, error = np.where(inside, estimate, 0.5), np.where(inside, se, 0.5)
    error = error * t_quantile(degf, level) / stats.norm.ppf((1 + level) / 2)
    (yes, no), tail = middle * (1 - middle) / error**2 * np.array([middle, 1 - middle]), (1 - level) / 2
    low, high = (stats.beta.ppf(part, yes + 0.5, no + 0.5) for part in (tail, 1 - tail))
    edge = beta_limits(np.round(estimate), np.zeros(len(estimate)), degf, np.maximum(n_eff, 1.0), level)
    return np.where(inside, np.minimum(low, estimate), edge[0]), np.where(inside, np.maximum(high, estimate), edge[1])


def _support(profiles, answers, weights, table):
    """Respondents and effective respondents behind every estimate."""
    answered = answers[list(profiles.kinds_)].notna().to_numpy(dtype=float)
    posterior = profiles.predict_proba(answers)
    weighted = posterior * weights[:, None]
    # w² times membership, not its square: a respondent half in a profile is half a respondent, so n_eff <= n.
    mass, squares = weighted.T @ answered, (weighted * weights[:, None]).T @ answered
    n = np.column_stack([np.full(profiles.n_profiles, len(answers)), np.round(posterior.T @ answered)])
    n_eff = np.column_stack([np.full(profiles.n_profiles, kish(weights)), mass**2 / np.maximum(squares, 1e-300)])
    place = pd.Index(["share", *profiles.kinds_]).get_indexer(table["variable"])
    at = table["profile"].to_numpy() - 1, np.where(table["statistic"] == "share", 0, place)
    return n.astype(int)[at], n_eff[at]
