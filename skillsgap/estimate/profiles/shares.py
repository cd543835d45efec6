"""How large the competency profiles are, at which levels, and how sure we are of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.estimate.profiles.competency import climb
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import logit_limits
from skillsgap.estimate.survey.weights import kish


@dataclass(frozen=True)
class ReplicateFits:
    """Profiles refitted with every replicate weight: shares (R, K), probs (R, K, all categories)."""

    shares: np.ndarray
    probs: np.ndarray


def profile_replicates(profiles, answers, design: SurveyDesign, *, max_iter=200, tol=1e-7):
    """Refit fitted profiles with every replicate weight, each from the full-sample fit.

    Starting there keeps profile k of a replicate matched to profile k of the full sample.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    design : SurveyDesign of the same respondents, R replicates
    max_iter, tol : as in CompetencyProfiles; above 1e-6 replicates stop short and errors come out too small

    Returns
    -------
    ReplicateFits
    """
    answers, _ = by_row_key(answers, design)
    place = design.weights.index.get_indexer(answers.index)
    replicates = np.ascontiguousarray(design.replicate_weights[place].T, dtype=float)
    replicates *= len(answers) / replicates.sum(axis=1, keepdims=True)
    theta = np.repeat(profiles._theta[:, None, :], len(replicates), axis=1)
    theta, *_ = climb(profiles._encode(answers), replicates, theta, profiles._first_columns(),
                      max_iter=max_iter, tol=tol)
    theta = theta.transpose(1, 0, 2)
    return ReplicateFits(theta[:, :, 0].copy(), theta[:, :, 1:].copy())


def profile_estimates(profiles, answers, design: SurveyDesign, replicates=None, *, levels=None):
    """Share of each profile and its expected level on each variable, with replicate errors.

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

    Returns
    -------
    DataFrame: profile 1..K, variable ("share" or its name), statistic ("share" 0-1, "level" in code units),
    estimate, se, ci_low, ci_high (95 %, t; logit limits for shares), n, n_eff, uncertainty. For shares n
    counts all respondents; for levels the expected number in the profile who answered.
    """
    answers, weights = by_row_key(answers, design)
    replicates = profile_replicates(profiles, answers, design) if replicates is None else replicates
    full = _shares_and_levels(profiles, profiles._theta[None, :, 0], profiles._theta[None, :, 1:])[0]
    refitted = _shares_and_levels(profiles, replicates.shares, replicates.probs)
    draws = [draw.loc[answers.index] for draw in (levels if isinstance(levels, list) else [levels]) if draw is not None]
    if draws:
        each = np.vstack([weights, design.replicate_weights[design.weights.index.get_indexer(answers.index)].T])
        added = _added(profiles, answers, sum(draws) / len(draws), each)
        full, refitted = full - added[0], refitted - added[1:]
    variance = design.variance(full, refitted)
    if len(draws) > 1:
        spread = np.stack([_added(profiles, answers, draw, weights[None])[0] for draw in draws])
        variance = variance + (1 + 1 / len(draws)) * spread.var(axis=0, ddof=1)
    se = np.sqrt(variance)
    quantile = stats.t.ppf(0.975, design.degf)
    low, high = full - quantile * se, full + quantile * se
    low[:, 0], high[:, 0] = logit_limits(full[:, 0], se[:, 0], quantile)
    ends = np.array([[codes[0], codes[-1]] for codes in profiles.categories_.values()]).T
    low[:, 1:], high[:, 1:] = np.maximum(low[:, 1:], ends[0]), np.minimum(high[:, 1:], ends[1])
    n, n_eff = _support(profiles, answers, weights)
    names = ["share", *profiles.categories_]
    table = pd.MultiIndex.from_product(
        [range(1, profiles.n_profiles + 1), names], names=["profile", "variable"]).to_frame(index=False)
    table["statistic"] = np.where(table["variable"] == "share", "share", "level")
    for name, values in zip(["estimate", "se", "ci_low", "ci_high", "n", "n_eff"],
                            [full, se, low, high, n, n_eff], strict=True):
        table[name] = values.ravel()
    drawn = (table["statistic"] == "level") & (len(draws) > 1)
    return table.assign(uncertainty=np.where(drawn, "sampling+measurement", "sampling"))


def _shares_and_levels(profiles, shares, probs):
    """(runs, profiles, 1 + variables)."""
    values = probs * np.concatenate(list(profiles.categories_.values()))
    levels = np.add.reduceat(values, profiles._first_columns()[1:] - 1, axis=2)
    return np.concatenate([shares[:, :, None], levels], axis=2)


def _added(profiles, answers, levels, weights):
    """What rounding added to the mean of each profile, by run: (runs, profiles, 1 + variables), 0 for shares."""
    names, posterior = list(profiles.categories_), profiles.predict_proba(answers)
    difference = answers[names].to_numpy(float) - levels[names].to_numpy(float)
    there = np.isfinite(difference)
    cross = (posterior[:, :, None] * np.where(there, difference, 0.0)[:, None, :]).reshape(len(answers), -1)
    mass = (posterior[:, :, None] * there[:, None, :]).reshape(len(answers), -1)
    added = (weights @ cross) / np.maximum(weights @ mass, 1e-300)
    added = added.reshape(len(weights), profiles.n_profiles, len(names))
    return np.concatenate([np.zeros((*added.shape[:2], 1)), added], axis=2)


def _support(profiles, answers, weights):
    answered = answers[list(profiles.categories_)].notna().to_numpy(dtype=float)
    posterior = profiles.predict_proba(answers)
    weighted = posterior * weights[:, None]
    # w² times membership, not its square: a respondent half in a profile is half a respondent, so n_eff <= n.
    mass, squares = weighted.T @ answered, (weighted * weights[:, None]).T @ answered
    n = np.column_stack([np.full(profiles.n_profiles, len(answers)), np.round(posterior.T @ answered)])
    n_eff = mass**2 / np.maximum(squares, 1e-300)
    return n.astype(int), np.column_stack([np.full(profiles.n_profiles, kish(weights)), n_eff])
