"""How many competency profiles there are, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.weights import kish

NEAR_TIE = 6.0  # distance in sample-size-adjusted BIC that the data can't tell apart


def select_profiles(answers, candidates, design: SurveyDesign, *, random_state=0, n_starts=20, min_share=0.05,
                    min_respondents=50):
    """Fit each number of profiles and recommend one.

    Recommended is the smallest BIC among numbers whose smallest profile holds `min_share` of the staff and
    `min_respondents` respondents (the latter only from 500 respondents on). `near_tie` marks every number
    whose sample-size-adjusted BIC lies within 6 of the best: the data don't tell these apart. All criteria
    count Kish's effective n, in likelihood and penalty. Entropy and posteriors describe, they never select.

    Parameters
    ----------
    answers : DataFrame (n_respondents, n_variables), integer codes, NaN = missing, index = row key
    candidates : iterable of int >= 1
    design : SurveyDesign of the same respondents
    min_share : float, 0-1
    min_respondents : int

    Returns
    -------
    DataFrame, a row per number: n_profiles, loglik, n_parameters, aic, bic, sabic, entropy, smallest_share,
    smallest_n (expected respondents), average_posterior (least over profiles), starts_reached, near_tie,
    recommended, reason

    Raises
    ------
    EstimateError
        No candidates, or the answers can't carry one of them.

    References
    ----------
    Nylund, Asparouhov and Muthen (2007), Structural Equation Modeling 14, 535-569.
    """
    answers, weights = by_row_key(answers, design)
    rows = [_describe(CompetencyProfiles(k, n_starts=n_starts, random_state=random_state)
                      .fit(answers, sample_weight=weights), answers, weights)
            for k in sorted(set(candidates))]
    if not rows:
        raise EstimateError("select_profiles got no candidates: give the numbers to compare, as range(1, 9)")
    table = pd.DataFrame(rows)
    table["near_tie"] = table["sabic"] <= table["sabic"].min() + NEAR_TIE
    need = min_respondents if len(answers) >= 500 else 0
    fits = (table["smallest_share"] >= min_share) & (table["smallest_n"] >= need)
    chosen = table["bic"].where(fits).idxmin() if fits.any() else 0
    table["recommended"] = table.index == chosen
    table["reason"] = [_reason(row, table.loc[chosen], ok, table["near_tie"].sum() > 1, min_share, need)
                       for row, ok in zip(table.itertuples(), fits, strict=True)]
    return table


def _describe(fit, answers, weights):
    posterior = fit.predict_proba(answers)
    modal = posterior.argmax(axis=1)[:, None] == np.arange(fit.n_profiles)
    certainty = (posterior * modal * weights[:, None]).sum(axis=0)
    assigned = (modal * weights[:, None]).sum(axis=0)
    bic, n_eff = fit.bic(answers, weights), kish(weights)
    return {
        "n_profiles": fit.n_profiles, "loglik": fit.loglik_, "n_parameters": fit.n_parameters_,
        "aic": fit.aic(answers, weights), "bic": bic,
        "sabic": bic + fit.n_parameters_ * (np.log((n_eff + 2) / 24) - np.log(n_eff)),
        "entropy": fit.entropy(answers, weights), "smallest_share": fit.shares_.min(),
        "smallest_n": int(np.round(posterior.sum(axis=0).min())),
        "average_posterior": (certainty / np.where(assigned > 0, assigned, np.inf)).min(),
        "starts_reached": fit.n_starts_reached_,
    }


def _reason(row, chosen, fits, tied, min_share, need):
    tie = "; near tie: sample-size-adjusted BIC within 6 of the best" if row.near_tie and tied else ""
    smallest = f"smallest profile holds {row.smallest_share:.1%}, {row.smallest_n} respondents"
    if not fits:
        return f"{smallest}, below {min_share:.0%}" + (f" or {need} respondents" if need else "") + tie
    if row.n_profiles == chosen.n_profiles:
        return f"smallest BIC of the numbers whose profiles are large enough; {smallest}" + tie
    return f"BIC {row.bic - chosen.bic:.1f} above the recommended number ({chosen.n_profiles})" + tie
