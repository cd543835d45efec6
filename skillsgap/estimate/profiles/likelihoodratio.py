"""Whether one more profile fits better than chance: the bootstrap likelihood-ratio test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.mixture import climb
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.weights import as_table, row_order, weights_of

SHORT_STEPS = 15  # EM steps by which the starts of a draw are ranked before the best goes on
SETTLED = 0.02  # log-likelihood units that three steps must still gain; draws and data stop short alike
EXACT = "The draws come from the fitted model, with the observed missing answers."
APPROXIMATE = ("Approximate under weights and clusters: the draws keep weights and missing answers, but take "
               "respondents as drawn one by one, and weights as unrelated to the answers of a profile.")


@dataclass(frozen=True)
class LikelihoodRatio:
    """Test of `null_profiles` against `n_profiles`.

    Parameters
    ----------
    null_profiles, n_profiles : int
    statistic : float, twice the gain in log-likelihood (weights sum to the number of rows)
    searched : float, the same as the draws' shorter search finds it; p compares like with like
    p : float, 0-1
    p_error : float, its Monte Carlo standard error
    draws : ndarray (number of draws,), the statistic where `null_profiles` is true
    note : str, how far to trust p
    """

    null_profiles: int
    n_profiles: int
    statistic: float
    searched: float
    p: float
    p_error: float
    draws: np.ndarray
    note: str


def bootstrap_likelihood_ratio(answers, n_profiles, design=None, *, null_profiles=None, n_draws=100, n_starts=None,
                               stop_after=None, kinds=None, covariance="VVI", random_state=0):
    """Test whether `n_profiles` fit better than fewer would by chance (parametric bootstrap).

    Parameters
    ----------
    answers : DataFrame (n_respondents, n_variables), NaN = missing, index = row key
    n_profiles : int >= 2
    design : SurveyDesign, or weights (Series or ndarray (n_respondents,)), or None for equal weights
    null_profiles : int, default one fewer
    n_draws : int
        p = (draws at or above the statistic + 1) / (n_draws + 1).
    n_starts : int, default 2 for each profile of the null, 4 at least
        Starts of the larger model in each draw, all splits of the smaller one refitted to it. Draws searched less
        thoroughly than the data would make p too small, so p comes from the statistic that the same search finds in the
        data: few starts make the test less keen, not dishonest.
    stop_after : int, optional
        Stop once so many draws reached the statistic, p = that number / draws made (Besag and Clifford): a p that is
        clearly large needs few draws.
    kinds, covariance : as in CompetencyProfiles
    random_state : int

    Returns
    -------
    LikelihoodRatio

    Raises
    ------
    EstimateError
        The null isn't smaller, or no draws are asked for.

    References
    ----------
    McLachlan (1987), Applied Statistics 36, 318-324; Nylund, Asparouhov and Muthen (2007), Structural Equation
    Modeling 14, 535-569; Besag and Clifford (1991), Biometrika 78, 301-304.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({name: [0, 1] * 40 for name in "abc"})
    >>> test = bootstrap_likelihood_ratio(answers, 2, n_draws=19)
    >>> round(test.statistic, 1), round(test.p, 2)
    (221.8, 0.05)
    """
    null_profiles = n_profiles - 1 if null_profiles is None else null_profiles
    if not 1 <= null_profiles < n_profiles:
        raise EstimateError(f"{null_profiles} profiles against {n_profiles}: the null must be smaller, and 1 or more")
    table = as_table(answers)
    weights = weights_of(table, getattr(design, "weights", design))
    order = row_order(table)
    table, weights = table.iloc[order], weights[order]
    options = {"kinds": kinds, "covariance": covariance, "random_state": random_state}
    null = CompetencyProfiles(null_profiles, **options).fit(table, sample_weight=weights)
    full = CompetencyProfiles(n_profiles, **options).fit(table, sample_weight=weights, warm=null)
    test = likelihood_ratio(null, full, table, weights, n_draws=n_draws, n_starts=n_starts, stop_after=stop_after,
                            random_state=random_state)
    return replace(test, note=APPROXIMATE) if _clustered(design) else test


def _clustered(design):
    """Whether respondents weren't drawn one by one, as far as the design knows."""
    if not isinstance(design, SurveyDesign):
        return False
    line = design.linearization
    return line is None or len(np.unique(line.stages[0].units[line.rows])) < len(line.rows)


def likelihood_ratio(null, full, answers, weights, *, n_draws, n_starts=None, stop_after=None, random_state=0):
    """The test of two models fitted to these answers and weights, in the order of row keys."""
    if n_draws < 1:
        raise EstimateError(f"{n_draws} draws give no p-value: ask for 99 or more")
    used = (weights > 0) & answers.notna().any(axis=1).to_numpy()
    answers, weights = answers[used], (weights[used] / weights[used].mean())[None]
    n_starts = max(4, 2 * null.n_profiles) if n_starts is None else n_starts
    draws, missing, reached = [], answers.isna(), 0
    with threadpool_limits(1, "blas"):  # sums made by several threads differ in their last bits
        searched = _ratio(null, full.n_profiles, null._encode(answers), weights, n_starts, random_state)
        for seed in np.random.default_rng(random_state).integers(2**32, size=n_draws):
            drawn = null.sample(len(answers), random_state=seed)[0].set_axis(answers.index).mask(missing)
            draws.append(_ratio(null, full.n_profiles, null._encode(drawn), weights, n_starts, seed))
            reached += draws[-1] >= searched
            if reached == stop_after:
                break
    p = reached / len(draws) if reached == stop_after else (reached + 1) / (len(draws) + 1)
    return LikelihoodRatio(null.n_profiles, full.n_profiles, 2 * (full.loglik_ - null.loglik_), searched, p,
                           float(np.sqrt(p * (1 - p) / len(draws))), np.array(draws),
                           EXACT if np.ptp(weights) < 1e-9 else APPROXIMATE)

def _ratio(null, n_profiles, features, weights, n_starts, seed):
    """Statistic of one data set: the null climbs from `null`, the larger model from splits of where it arrives."""
    layout, rules = null._layout, {"max_iter": 500, "tol": SETTLED / len(features)}
    theta, low, *_ = climb(features, weights, layout.lifted(null._theta[:, None]), layout, **rules)
    start = best_split(features, weights, theta[:, 0], layout, n_profiles, n_starts, seed)
    _, high, *_ = climb(features, weights, start, layout, **rules)
    return 2 * len(features) * float(max(high[0] - low[0], 0.0))


def best_split(features, weights, theta, layout, n_profiles, n_starts, seed):
    """The best of `n_starts` splits of profiles theta (K, width), after a short climb: (n_profiles, 1, width)."""
    starts = _splits(features, weights, theta, layout, n_profiles, n_starts, np.random.default_rng(seed))
    none = np.zeros(features.shape[1])
    # Single precision is enough to rank starts by, and twice as fast.
    some, weight, starts, none = (part.astype(np.float32) for part in (features, weights, starts, none))
    with np.errstate(invalid="ignore"):  # a step too short for single precision: the climb takes the one before
        starts, high, *_ = climb(some, weight, starts, layout, max_iter=SHORT_STEPS, tol=0, pseudo=none)
    return starts[:, [int(np.argmax(high))]].astype(float)


def _splits(features, weights, theta, layout, n_profiles, n_starts, rng):
    """Starts (n_profiles, n_starts, width): profiles in turn, cut in two softly across random directions of answers."""
    joint = features @ layout.natural(theta[:, None])[:, 0].T
    members = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)) * weights.T
    sums = [list(members.T @ features) for _ in range(n_starts)]
    for more in range(n_profiles - len(theta)):
        across = features @ rng.standard_normal((features.shape[1], n_starts))
        across -= across.mean(axis=0)
        cut = np.arange(more, more + n_starts) % len(theta)
        part = members[:, cut] / (1 + np.exp(-2 * across / np.maximum(across.std(axis=0), 1e-12)))
        for start, moved in enumerate(part.T @ features):
            sums[start][cut[start]] = sums[start][cut[start]] - moved / (more + 1)
            sums[start].append(moved / (more + 1))
    return layout.normalised(np.array(sums).transpose(1, 0, 2))
