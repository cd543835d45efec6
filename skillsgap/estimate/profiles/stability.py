"""Whether profiles come back in another sample, and how far two sets of profiles agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.special import entr
from threadpoolctl import threadpool_limits

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.mixture import climb
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.profiles.starts import starting_values
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import t_quantile
from skillsgap.estimate.survey.replicates import bootstrap_factors
from skillsgap.estimate.survey.weights import kish

STABLE, POOR = 0.75, 0.60  # mean Jaccard from which a profile is stable, and below which it isn't interpreted
N_STARTS = 8  # random starts of each refit, beside the full-sample fit
SHORT_STEPS = 15  # EM steps by which they are ranked before the best goes on
RANK_ROWS = 2000  # rows they are ranked on
SETTLED = 1e-7  # mean log-likelihood
BATCH = 20  # refits that climb together


def profile_stability(profiles, answers, design: SurveyDesign, *, n_draws=50, random_state=0):
    """Estimate how alike profiles come out in other samples: bootstrap and split halves of the sampling units.

    Every refit is free: it climbs from its own random starts and from the full-sample fit, and the better end counts.
    Respondents are then assigned by the refit and by the full-sample fit (bootstrap: those drawn), or by the fits to
    the two halves (everybody). Profiles of two fits are matched one to one by largest total Jaccard.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    design : SurveyDesign of the same respondents
        Sampling units are resampled within strata; of a design that came as replicate weights of another kind than
        bootstrap or half samples, respondents are.
    n_draws : int >= 2
        Bootstrap refits; half as many splits (2 or more), each with two refits.
    random_state : int

    Returns
    -------
    DataFrame: profile (0 = all), statistic ("adjusted_rand_bootstrap", "adjusted_rand_split_half": 1 = the same, 0 =
    as by chance; "jaccard_bootstrap", "jaccard_split_half": shared members / members in either, 0-1), estimate (mean
    over draws), se (of one draw), ci_low, ci_high (2.5 and 97.5 % of the draws), n, n_eff, uncertainty, n_draws,
    verdict (of bootstrap Jaccard: "stable" from .75, "not interpreted" below .60, "uncertain" between; else empty)

    Raises
    ------
    EstimateError
        Fewer than two draws, or other respondents in the design.

    References
    ----------
    Hennig (2007), Computational Statistics and Data Analysis 52, 258-271; Hubert and Arabie (1985), Journal of
    Classification 2, 193-218.
    """
    if n_draws < 2:
        raise EstimateError(f"{n_draws} draws tell nothing about stability: ask for 2 or more, 50 is usual")
    answers, weights = by_row_key(answers, design)
    place, rng = design.weights.index.get_indexer(answers.index), np.random.default_rng(random_state)
    units = _units(design, place)
    drawn, halves = _resampled(design, place, weights, n_draws, rng), _halves(units, weights, max(2, n_draws // 2), rng)
    features, everybody = profiles._encode(answers), np.vstack([drawn, *halves])
    with threadpool_limits(1, "blas"):  # sums made by several threads differ in their last bits
        labels = [_assigned(profiles, features, profiles._theta[:, None])]
        for begin in range(0, len(everybody), BATCH):
            theta = _refits(profiles, features, everybody[begin:begin + BATCH], rng)
            labels.append(_assigned(profiles, features, theta))
    labels = np.concatenate(labels)
    full, refitted, first, second = labels[0], labels[1:n_draws + 1], *np.split(labels[n_draws + 1:], 2)
    k = profiles.n_profiles
    boot = [_agreement(full, other, np.where(draw > 0, weights, 0), k)
            for other, draw in zip(refitted, drawn, strict=True)]
    split = [_agreement(full, one, weights, k, two) for one, two in zip(first, second, strict=True)]
    share = profiles.predict_proba(answers)
    counts = np.column_stack([np.ones(len(answers)), share])
    return pd.concat([_summary("bootstrap", boot, counts, weights), _summary("split_half", split, counts, weights)],
                     ignore_index=True).sort_values(["profile", "statistic"], ignore_index=True)


def _units(design, place):
    """Sampling unit of each respondent; where the design doesn't know them, everybody is one."""
    line = design.linearization
    return np.arange(len(place)) if line is None else line.stages[0].units[line.rows][place]


def _resampled(design, place, weights, n_draws, rng):
    """Weights of bootstrap samples (n_draws, n)."""
    if design.linearization is not None:
        factors, _ = bootstrap_factors(design.linearization.stages, n_draws, rng)
        return np.maximum(factors[design.linearization.rows][place].T, 0) * weights
    if design.method in ("bootstrap", "brr") and design.replicated:
        count = design.replicate_weights.shape[1]
        chosen = rng.choice(count, n_draws, replace=n_draws > count)
        return design.replicate_weights[place][:, chosen].T
    return rng.multinomial(len(weights), np.full(len(weights), 1 / len(weights)), size=n_draws) * weights


def _halves(units, weights, n_splits, rng):
    """Weights of the two random halves of the units, a row each split."""
    names, unit = np.unique(units, return_inverse=True)
    side = np.array([rng.permutation(len(names)) < len(names) / 2 for _ in range(n_splits)])[:, unit]
    return np.where(side, weights, 0), np.where(side, 0, weights)


def _refits(profiles, features, weights, rng):
    """Free refits, one for each row of weights: (K, runs, width)."""
    layout, runs = profiles._layout, np.arange(len(weights))
    weights = weights * (len(features) / weights.sum(axis=1, keepdims=True))
    whole = layout.normalised((weights.mean(axis=0) @ features)[None, None])
    starts = starting_values(whole, layout, profiles.n_profiles, N_STARTS, int(rng.integers(2**32)))
    rows = np.sort(rng.permutation(len(features))[:RANK_ROWS])
    starts, height, *_ = climb(features[rows], np.repeat(weights[:, rows], N_STARTS, axis=0),
                               np.tile(starts, (1, len(runs), 1)), layout, max_iter=SHORT_STEPS, tol=0,
                               pseudo=profiles._pseudo)  # fmt: skip
    best = height.reshape(len(runs), N_STARTS).argmax(axis=1) + N_STARTS * runs
    full = np.repeat(layout.lifted(profiles._theta[:, None]), len(runs), axis=1)
    both = np.concatenate([full, starts[:, best]], axis=1)
    theta, height, *_ = climb(features, np.tile(weights, (2, 1)), both, layout, max_iter=300, tol=SETTLED,
                             pseudo=profiles._pseudo)  # fmt: skip
    warm, free = height.reshape(2, -1)
    return theta[:, runs + len(runs) * (free > warm + SETTLED)]


def _assigned(profiles, features, theta):
    """Most probable profile of everybody in each run, (runs, n)."""
    natural = profiles._layout.natural(theta)
    return np.array([(features @ natural[:, run].T).argmax(axis=1) for run in range(natural.shape[1])], dtype=np.uint8)


def _agreement(full, one, weights, k, two=None):
    """Adjusted Rand index of two assignments, then Jaccard of each profile, numbered as in the full-sample fit."""
    two = full if two is None else two
    counted = _crossed(two, one, weights, k)
    jaccard = _jaccard(counted)
    row, column = linear_sum_assignment(-jaccard)
    found = jaccard[row, column]
    if two is not full:
        _, mine = linear_sum_assignment(-_jaccard(_crossed(full, two, weights, k)))
        found = found[mine]
    return np.concatenate([[adjusted_rand(counted)], found])


def _crossed(one, two, weights, k):
    return np.bincount(one.astype(int) * k + two, weights=weights, minlength=k * k).reshape(k, k)


def _jaccard(counted):
    either = counted.sum(axis=1)[:, None] + counted.sum(axis=0) - counted
    return np.divide(counted, either, out=np.zeros_like(counted), where=either > 0)


def adjusted_rand(counted):
    """Adjusted Rand index of a table of weights (a, b), of pairs drawn with replacement; 1 where both are one group.

    Differs from the index of pairs without replacement by about 1 / n, and doesn't depend on the scale of weights.

    Examples
    --------
    >>> adjusted_rand(np.array([[2.0, 0.0], [0.0, 3.0]]))
    1.0
    """
    share = counted / counted.sum()
    pairs, rows, columns = (share**2).sum(), (share.sum(axis=1)**2).sum(), (share.sum(axis=0)**2).sum()
    chance, most = rows * columns, (rows + columns) / 2
    return 1.0 if most - chance < 1e-12 else float((pairs - chance) / (most - chance))


def _summary(kind, draws, counts, weights):
    """Mean and spread over draws (n_draws, 1 + K) as tidy rows."""
    draws = np.array(draws)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    names = [f"adjusted_rand_{kind}"] + [f"jaccard_{kind}"] * (draws.shape[1] - 1)
    estimate = draws.mean(axis=0)
    judged = kind == "bootstrap"
    verdict = [""] + [_verdict(value) if judged else "" for value in estimate[1:]]
    n_eff = [kish(weights)] + [(weights @ share)**2 / (weights**2 @ share) for share in counts.T[1:]]
    return pd.DataFrame({
        "profile": range(draws.shape[1]), "statistic": names, "estimate": estimate, "se": draws.std(axis=0, ddof=1),
        "ci_low": low, "ci_high": high, "n": np.round(counts.sum(axis=0)).astype(int), "n_eff": n_eff,
        "uncertainty": "sampling", "n_draws": len(draws), "verdict": verdict})


def _verdict(jaccard):
    return "stable" if jaccard >= STABLE else "not interpreted" if jaccard < POOR else "uncertain"


def compare_profiles(first, second, answers, design: SurveyDesign, *, given=None):
    """Estimate how far two sets of profiles agree, as with and without HR indicators, and how much is rediscovered.

    Parameters
    ----------
    first, second : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) with the variables of both, NaN = missing
    design : SurveyDesign of the same respondents, with replicates
    given : Series (n_respondents,), optional
        A group everybody is in anyway, as grade; those without one are left out of its rows.

    Returns
    -------
    DataFrame: statistic, of ("first", "second", "both"), estimate, se, ci_low, ci_high (95 %, t), n, n_eff, uncertainty
        adjusted_rand of most probable profiles; expected_rand, the same of memberships (lower: uncertain members count
        in several profiles); for each fit with `given`: mutual_information (2 I / (H + H'), 0 = unrelated, 1 = one
        tells the other) and cramers_v of memberships, 0-1. Fits are taken as they are; errors are of the respondents.

    Raises
    ------
    EstimateError
        Other respondents in the design, or a design without replicates.

    References
    ----------
    Hubert and Arabie (1985), Journal of Classification 2, 193-218; Strehl and Ghosh (2002), Journal of Machine Learning
    Research 3, 583-617.
    """
    answers, weights = by_row_key(answers, design)
    place = design.weights.index.get_indexer(answers.index)
    matrix = np.vstack([weights, design.replicate_weights[place].T])
    members = [fit.predict_proba(answers) for fit in (first, second)]
    modal = [np.eye(share.shape[1])[share.argmax(axis=1)] for share in members]
    asked = [("adjusted_rand", "both", *modal, adjusted_rand), ("expected_rand", "both", *members, adjusted_rand)]
    if given is not None:
        groups = pd.get_dummies(given.reindex(answers.index)).to_numpy(float)
        asked += [(name, of, share, groups, measure) for of, share in zip(("first", "second"), members, strict=True)
                  for name, measure in (("mutual_information", mutual_information), ("cramers_v", cramers_v))]
    return pd.DataFrame([_compared(*part, matrix, design) for part in asked])


def _compared(name, of, one, two, measure, matrix, design):
    there = two.sum(axis=1) > 0
    values = np.array([measure(one[there].T @ (two[there] * row[there, None])) for row in matrix])
    se = float(np.sqrt(design.variance(values[0], values[1:])))
    t = t_quantile(design.degf)
    return {"statistic": name, "of": of, "estimate": values[0], "se": se, "ci_low": max(values[0] - t * se, -1.0),
            "ci_high": min(values[0] + t * se, 1.0), "n": int(there.sum()), "n_eff": kish(matrix[0, there]),
            "uncertainty": "sampling"}


def mutual_information(counted):
    """Mutual information of a table of weights over the mean of both entropies, 0-1.

    Examples
    --------
    >>> round(mutual_information(np.array([[2.0, 0.0], [0.0, 2.0]])), 6), round(mutual_information(np.ones((2, 3))), 6)
    (1.0, 0.0)
    """
    share = counted / counted.sum()
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    both = entr(rows).sum() + entr(columns).sum()
    return 0.0 if both == 0 else float(np.clip(2 * (1 - entr(share).sum() / both), 0, 1))


def cramers_v(counted):
    """Cramér's V of a table of weights, 0-1; 0 where there is one row or column.

    Examples
    --------
    >>> cramers_v(np.array([[2.0, 0.0], [0.0, 2.0]]))
    1.0
    """
    share = counted[counted.sum(axis=1) > 0][:, counted.sum(axis=0) > 0] / counted.sum()
    chance, least = np.outer(share.sum(axis=1), share.sum(axis=0)), min(share.shape) - 1
    return float(np.sqrt(((share - chance)**2 / chance).sum() / least)) if least else 0.0
