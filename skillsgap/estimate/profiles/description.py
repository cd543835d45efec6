"""How well a set of profiles fits the answers, and how clearly it tells respondents apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import xlogy

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.manifest import content_order
from skillsgap.estimate.profiles.onestep import ProfileMembership
from skillsgap.estimate.survey.weights import as_table, kish, weights_of


def describe_profiles(profiles, answers, sample_weight=None, *, counts="effective"):
    """Fit statistics of profiles on answers, and how certain the assignment to them is.

    Parameters
    ----------
    profiles : CompetencyProfiles, or ProfileMembership, fitted
    answers : DataFrame (n_respondents, n_variables), NaN = missing; rows without any answer count nowhere, for
        ProfileMembership those without a covariate neither
    sample_weight : Series with the same index, or array (n_respondents,), >= 0
    counts : {"effective", "given"}
        What the weights sum to in log-likelihood and criteria: Kish's effective n, which is also the n of the
        penalties, or what they sum to as given, with the number of rows in the penalties. Without weights the same.

    Returns
    -------
    DataFrame: statistic, profile (1..K, missing for the whole), value
        n_rows, n_complete (rows without a missing answer), loglik, n_parameters, aic, aic3, bic, sabic,
        entropy (relative, 1 = certain; NaN for one profile), classification_error (expected, 0-1),
        G2 (likelihood-ratio statistic of the complete rows against their patterns, which are counted by
        weight; NaN with continuous variables or covariates) and its degrees_of_freedom; by profile share,
        modal_share (assigned to the most probable profile) and average_posterior (of those assigned; NaN if nobody
        is).

    Raises
    ------
    EstimateError
        An unknown `counts`, or weights that can't be used.

    References
    ----------
    Vermunt and Magidson (2016), Technical Guide for Latent GOLD 5.1, sections 5.1-5.3.

    Examples
    --------
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, 1] * 20})
    >>> table = describe_profiles(CompetencyProfiles(n_profiles=2).fit(answers), answers)
    >>> table.set_index("statistic")["value"][["n_rows", "loglik", "n_parameters"]].round(2).tolist()
    [80.0, -55.45, 7.0]
    """
    if counts not in ("effective", "given"):
        raise EstimateError(f"counts is {counts!r}: give 'effective' or 'given'")
    answers, weights = _used(profiles, answers, sample_weight)
    if isinstance(profiles, ProfileMembership):
        rows, mean = np.full(len(answers), np.nan), profiles.loglik_ / profiles.n_rows_
    else:
        rows = profiles.score_samples(answers)
        mean = np.average(rows, weights=weights)
    posterior = _posterior(profiles, answers)
    n, total = (kish(weights),) * 2 if counts == "effective" else (len(weights), weights.sum())
    weights = weights / weights.sum()
    complete = answers.notna().all(axis=1).to_numpy()
    found = {"n_rows": len(answers), "n_complete": complete.sum()}
    found |= _criteria(total * mean, profiles.n_parameters_, n)
    found |= _certainty(posterior, weights)
    found |= _patterns(profiles, answers[complete], rows[complete], weights[complete] * total, len(answers))
    table = pd.DataFrame({"statistic": found.keys(), "profile": pd.NA, "value": found.values()})
    table = pd.concat([table, _by_profile(profiles.shares_, posterior, weights)], ignore_index=True)
    return table.astype({"profile": "Int64", "value": float})


def classification_table(profiles, answers, sample_weight=None):
    """Two-way table of the profile people are in against the most probable one, in weighted respondents.

    Parameters
    ----------
    profiles, answers, sample_weight : as in `describe_profiles`

    Returns
    -------
    DataFrame (profile in 1..K, profile assigned 1..K), which sums to Kish's effective n; off the diagonal are the
    respondents expected to be assigned wrongly.

    Examples
    --------
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, 1] * 20})
    >>> classification_table(CompetencyProfiles(n_profiles=2).fit(answers), answers).round(3).to_numpy().tolist()
    [[40.0, 0.0], [0.0, 40.0]]
    """
    answers, weights = _used(profiles, answers, sample_weight)
    posterior = _posterior(profiles, answers)
    mass = posterior * (weights * kish(weights) / weights.sum())[:, None]
    names = range(1, posterior.shape[1] + 1)
    return pd.DataFrame(mass.T @ _assigned(posterior), index=pd.Index(names, name="profile"),
                        columns=pd.Index(names, name="assigned"))  # fmt: skip


def _used(profiles, answers, sample_weight):
    """Rows of the likelihood, in an order made of what they hold: sums are the same in whatever order rows came."""
    table = as_table(answers)
    weights = weights_of(table, sample_weight)
    used = (weights > 0) & table.notna().any(axis=1).to_numpy()
    if isinstance(profiles, ProfileMembership):
        used &= table.index.isin(profiles.posterior_.index)
    table, weights = table.loc[used, list(profiles.kinds_)], weights[used]
    order = content_order(table, weights)
    return table.iloc[order], weights[order]


def _posterior(profiles, answers):
    if isinstance(profiles, ProfileMembership):
        return profiles.posterior_.loc[answers.index].to_numpy()
    return profiles.predict_proba(answers)


def _assigned(posterior):
    return (posterior.argmax(axis=1)[:, None] == np.arange(posterior.shape[1])).astype(float)


def _criteria(loglik, n_parameters, n):
    deviance = -2 * loglik
    return {
        "loglik": loglik,
        "n_parameters": n_parameters,
        "aic": deviance + 2 * n_parameters,
        "aic3": deviance + 3 * n_parameters,
        "bic": deviance + np.log(n) * n_parameters,
        "sabic": deviance + np.log((n + 2) / 24) * n_parameters,
    }


def _certainty(posterior, weights):
    n_profiles = posterior.shape[1]
    entropy = 1 + weights @ xlogy(posterior, posterior).sum(axis=1) / np.log(n_profiles) if n_profiles > 1 else np.nan
    return {"entropy": entropy, "classification_error": 1 - weights @ posterior.max(axis=1)}


def _patterns(profiles, answers, rows, weights, n_rows):
    """Likelihood-ratio statistic against a free probability for each observed pattern, complete rows only."""
    if len(profiles.categories_) < answers.shape[1]:
        return {"G2": np.nan, "degrees_of_freedom": np.nan}
    cells = np.prod([float(len(codes)) for codes in profiles.categories_.values()])
    degrees = min(n_rows, cells - 1) - profiles.n_parameters_
    if answers.empty:
        return {"G2": np.nan, "degrees_of_freedom": degrees}
    pattern = answers.groupby(list(answers.columns), observed=True).ngroup().to_numpy()
    share = np.bincount(pattern, weights)[pattern] / weights.sum()
    return {"G2": 2 * weights @ (np.log(share) - rows), "degrees_of_freedom": degrees}


def _by_profile(shares, posterior, weights):
    assigned = _assigned(posterior)
    modal = weights @ assigned
    with np.errstate(invalid="ignore"):
        average = (weights @ (posterior * assigned)) / modal
    numbers = {"share": shares, "modal_share": modal, "average_posterior": average}
    return pd.concat([pd.DataFrame({"statistic": name, "profile": np.arange(1, len(shares) + 1), "value": values})
                      for name, values in numbers.items()])  # fmt: skip
