"""How many competency profiles there are, and why."""

from __future__ import annotations

from copy import copy

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.answerable import profile_problems
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.likelihoodratio import best_split, likelihood_ratio
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.profiles.stability import profile_stability
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.weights import kish

RARE = 0.05  # how often a profile that isn't there may lower the deviance by more than its penalty
CERTAIN = 0.70  # average posterior of those assigned below which a profile is told apart badly
SPLIT_ROWS = 2000  # rows on which splits of the fit before are ranked
SETTLED = 1e-6  # mean log-likelihood: 0.01 units at 10,000 respondents; criteria are told apart by whole units


def select_profiles(answers, candidates, design: SurveyDesign, *, kinds=None, covariance="VVI", n_starts=50,
                    min_share=0.05, min_respondents=50, n_draws=0, n_refits=0, random_state=0):
    """Fit each number of profiles, say which the data can't tell apart, and recommend one.

    The criterion is called `wolfe`: deviance on the scale of Kish's effective n, plus for each profile but the first
    the 95 % quantile of chi-square with 2(m - 1) degrees of freedom, m the free parameters that a profile adds.
    Why: a profile that isn't there still lowers the deviance. Its share lies on the boundary and its answers are
    chosen freely, so the usual chi-square with m degrees doesn't hold; Wolfe found that one with twice as many does,
    a drop of about 2 for each parameter (AIC3's "3 for each parameter" is that plus one, and about that quantile where
    a profile has ten to twenty parameters; where it has a hundred, the quantile is 2.3). Unequal weights make the drop
    larger by n / n_eff, which the effective scale takes out. Clusters ask for no more: they make shares vary between
    agencies, but within a profile the model takes answers as independent, colleagues' too.
    Recommended is the smallest criterion of the numbers whose smallest profile holds `min_share` of the staff and
    `min_respondents` respondents; the latter counts where it asks for no more than the former (from 1,000 respondents
    on by default), else real profiles of a small survey would fall to it. `near_tie` marks those of them within one
    standard deviation of that chi-square, 2 sqrt(m - 1), of the recommended: such a distance is what chance alone makes
    of the criterion. Entropy, posteriors, starts, tests and stability describe and never select.

    Parameters
    ----------
    answers : DataFrame (n_respondents, n_variables), NaN = missing, index = row key
    candidates : iterable of int >= 1
    design : SurveyDesign of the same respondents
    kinds, covariance, n_starts : as in CompetencyProfiles; each number also starts from the one before, split
    min_share : float, 0-1
    min_respondents : int
    n_draws : int
        Draws of the bootstrap likelihood-ratio test of each number against one fewer; 0 = no test.
    n_refits : int
        Bootstrap refits for stability of each number; 0 = none.

    Returns
    -------
    DataFrame, a row per number: n_profiles, loglik (weights sum to n), n_parameters, aic, aic3, bic, sabic, wolfe (all
    on the scale of the effective n), entropy, smallest_share, smallest_n (expected respondents), average_posterior
    (least over profiles), starts_reached, blrt_p, stability (mean adjusted Rand of refits), near_tie, recommended,
    reason

    Raises
    ------
    EstimateError
        No candidates, or answers that can't carry profiles (see `profile_problems`).

    References
    ----------
    Wolfe (1971), A Monte Carlo study of the sampling distribution of the likelihood ratio for mixtures of multinormal
    distributions, NPTRL Technical Bulletin STB 72-2; Bozdogan (1987), Psychometrika 52, 345-370 (AIC3); Lumley and
    Scott (2015), Journal of Survey Statistics and Methodology 3, 1-18 (design effects in AIC and BIC); Nylund,
    Asparouhov and Muthen (2007), Structural Equation Modeling 14, 535-569.
    """
    answers, weights = by_row_key(answers, design)
    numbers = sorted(set(candidates))
    if not numbers:
        raise EstimateError("select_profiles got no candidates: give the numbers to compare, as range(1, 9)")
    if problems := profile_problems(answers, weights, max(numbers)):
        raise EstimateError("; ".join(problems))
    options = {"kinds": kinds, "covariance": covariance, "n_starts": n_starts, "random_state": random_state}
    fits = _fits(numbers, answers, weights, options)
    table = pd.DataFrame([_describe(fit, answers, weights) for fit in fits.values()])
    table["blrt_p"] = [_test(fits, k, answers, weights, n_draws, random_state) for k in numbers]
    table["stability"] = [_stability(fit, answers, design, n_refits, random_state) for fit in fits.values()]
    return _recommend(table, next(iter(fits.values()))._layout, len(answers), min_share, min_respondents)


def profile_parameters(layout):
    """Free parameters that one more profile adds, its share among them."""
    return layout.n_parameters(2) - layout.n_parameters(1)


def _fits(numbers, answers, weights, options):
    fits = {}
    for k in numbers:
        fits[k] = CompetencyProfiles(k, tol=SETTLED, **options).fit(
            answers, sample_weight=weights, warm=_split(fits.get(k - 1), answers, weights))
    return fits


def _split(fit, answers, weights):
    """A fit with one of its profiles split in two, as a start of the next number."""
    if fit is None:
        return None
    step = max(1, len(answers) // SPLIT_ROWS)
    with threadpool_limits(1, "blas"):  # sums made by several threads differ in their last bits
        theta = best_split(fit._encode(answers.iloc[::step]), weights[None, ::step], fit._theta, fit._layout,
                           fit.n_profiles + 1, fit.n_profiles + 1, fit.random_state)
    start = copy(fit)
    start.n_profiles, start._theta = fit.n_profiles + 1, theta[:, 0]
    return start


def _describe(fit, answers, weights):
    used = (weights > 0) & answers.notna().any(axis=1).to_numpy()
    posterior, weights = fit.predict_proba(answers[used]), weights[used]
    n_eff, m = kish(weights), profile_parameters(fit._layout)
    deviance, count = -2 * fit.loglik_ * n_eff / len(weights), fit.n_parameters_
    modal = posterior.argmax(axis=1)[:, None] == np.arange(fit.n_profiles)
    assigned, certainty = weights @ modal, weights @ (posterior * modal)
    # Under wholly equal profiles somebody may be nobody's: such a profile is certain of no one.
    average = np.divide(certainty, assigned, out=np.zeros_like(certainty), where=assigned > 0)
    entropy = np.nan if fit.n_profiles == 1 else 1 + np.average(
        (posterior * np.log(np.maximum(posterior, 1e-300))).sum(axis=1), weights=weights) / np.log(fit.n_profiles)
    return {
        "n_profiles": fit.n_profiles, "loglik": fit.loglik_, "n_parameters": count, "aic": deviance + 2 * count,
        "aic3": deviance + 3 * count, "bic": deviance + np.log(n_eff) * count,
        "sabic": deviance + np.log((n_eff + 2) / 24) * count,
        "wolfe": deviance + (fit.n_profiles - 1) * stats.chi2.ppf(1 - RARE, 2 * (m - 1)),
        "entropy": entropy, "smallest_share": fit.shares_.min(),
        "smallest_n": int(np.round(posterior.sum(axis=0).min())), "average_posterior": average.min(),
        "starts_reached": fit.n_starts_reached_,
    }


def _test(fits, k, answers, weights, n_draws, random_state):
    if not n_draws or k - 1 not in fits:
        return np.nan
    return likelihood_ratio(fits[k - 1], fits[k], answers, weights, n_draws=n_draws, random_state=random_state).p


def _stability(fit, answers, design, n_refits, random_state):
    if not n_refits or fit.n_profiles == 1:
        return np.nan
    table = profile_stability(fit, answers, design, n_draws=n_refits, random_state=random_state)
    return table.set_index(["profile", "statistic"]).at[(0, "adjusted_rand_bootstrap"), "estimate"]


def _recommend(table, layout, n, min_share, min_respondents):
    m = profile_parameters(layout)
    need = min_respondents if n * min_share >= min_respondents else 0
    large = (table["smallest_share"] >= min_share) & (table["smallest_n"] >= need)
    chosen = table["wolfe"].where(large).idxmin() if large.any() else table.index[0]
    table["near_tie"] = large & (table["wolfe"] <= table.at[chosen, "wolfe"] + 2 * np.sqrt(m - 1))
    table["near_tie"] |= table.index == chosen
    table["recommended"] = table.index == chosen
    small = f"below {min_share:.0%}" + (f" or {need} respondents" if need else "")
    table["reason"] = [_why_chosen(table, chosen, large.any(), small) if i == chosen else
                       _why_not(table.loc[i], table.loc[chosen], large[i], small) for i in table.index]
    return table


def _why_chosen(table, chosen, large, small):
    row, top = table.loc[chosen], table["n_profiles"].max()
    if not large:
        return f"no number has profiles large enough ({_smallest(row)}, {small}): the fewest is taken"
    best, bic = table.loc[table["wolfe"].idxmin()], table.loc[table["bic"].idxmin(), "n_profiles"]
    said = "each profile lowers the deviance by more than one that is not there would"
    if row["n_profiles"] == table["n_profiles"].min():  # nothing smaller was tried for it to beat
        said = "the fewest tried" if len(table) > 1 else "the only number tried"
    if best["n_profiles"] > row["n_profiles"]:
        said += f"; {best['n_profiles']} profiles fit better still, but the {_smallest(best)}"
    elif row["n_profiles"] == top and top > 1:
        said += "; it is the largest number tried, and more may fit better still"
    elif top > row["n_profiles"]:
        said += ", a further one does not" if said.startswith("each") else ", and more do not fit better by enough"
    tied = table.loc[table["near_tie"] & (table.index != chosen), "n_profiles"]
    said += f"; near tie with {', '.join(map(str, tied))}" if len(tied) else ""
    said += f"; BIC, which asks for more, is smallest at {bic}" if bic != row["n_profiles"] else ""
    said += f"; {_smallest(row)}"
    if row["average_posterior"] < CERTAIN:
        said += f"; the least certain profile fits those assigned to it with probability {row['average_posterior']:.2f}"
    return said


def _why_not(row, chosen, large, small):
    tie = "; near tie: chance alone makes such a distance" if row["near_tie"] else ""
    if not large:
        return f"{_smallest(row)}, {small}"
    side = "more profiles than the answers ask for" if row["n_profiles"] > chosen["n_profiles"] else "too few profiles"
    return f"criterion {row['wolfe'] - chosen['wolfe']:.1f} above that of {chosen['n_profiles']}: {side}{tie}"


def _smallest(row):
    return f"smallest profile holds {row['smallest_share']:.1%}, {row['smallest_n']} respondents"
