"""Which competencies to work on first, and how sure that is."""

import numpy as np
import pandas as pd

TIERS = ("first", "next", "later")
SURE, OPEN = 0.80, 0.20  # a competency is among the first with at least, or at most, this probability


def rank_priorities(means, design, importance, headcount, *, top=3, factors, n_draws=4000, random_state=0):
    """Priority of each competency: shortfall × importance × head-count, and P(among the first `top`).

    Ranks come from joint posterior draws of the shortfalls, shrunk towards their mean by how uncertain
    they are (bootstrap frequencies would count the noise twice).

    Parameters
    ----------
    means : Means
        Shortfalls of the whole unit: one group, one column a competency, with replicates. A competency
        without a shortfall (nobody's role asks for it, or nobody answered) has no priority.
    design : SurveyDesign
    importance : Series of shape (n_competencies,)
        Mean importance 1–5 over the staff whose role asks for the competency.
    headcount : Series of shape (n_competencies,)
        Staff whose role asks for it.
    top : int
        How many competencies count as first.
    factors : collection of {"shortfall", "importance", "headcount"}
        The factors that enter; the others count as 1.
    n_draws : int
    random_state : int

    Returns
    -------
    DataFrame
        competency_id, shortfall (shrunk), importance, headcount, estimate (the priority: weighted levels of all its
        staff), se, ci_low, ci_high (95 % of the draws), n, n_eff, uncertainty, p_top, p_first (among the first
        `top`, and first of all), tier {first, next, later};
        sorted by tier, then competency_id: within a tier the order means nothing.

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91, on inference for ranks.
    """
    estimate = means.full.mean(axis=0)[0]
    told = np.isfinite(estimate)
    names, estimate = means.variables[told], estimate[told]
    covariance = _covariance(means, design)[np.ix_(told, told)]
    centre, spread = _posterior(estimate, covariance)
    rng = np.random.default_rng(random_state)
    shortfalls = np.maximum(rng.multivariate_normal(centre, spread, size=n_draws, method="eigh"), 0)
    use = importance.reindex(names).to_numpy() if "importance" in factors else np.ones(len(names))
    people = headcount.reindex(names).to_numpy() if "headcount" in factors else np.ones(len(names))
    factor = use * people
    drawn = (shortfalls if "shortfall" in factors else np.ones_like(shortfalls)) * factor
    # what ties in a draw is ordered by lot: no name comes first for its letter
    place = np.argsort(np.lexsort((rng.random(drawn.shape), -drawn), axis=1), axis=1)
    p_top, p_first = (place < top).mean(axis=0), (place == 0).mean(axis=0)
    table = pd.DataFrame({
        "competency_id": names, "shortfall": np.maximum(centre, 0), "importance": importance.reindex(names).to_numpy(),
        "headcount": headcount.reindex(names).to_numpy(),
        "estimate": (np.maximum(centre, 0) if "shortfall" in factors else 1.0) * factor, "se": drawn.std(axis=0),
        "ci_low": np.quantile(drawn, 0.025, axis=0), "ci_high": np.quantile(drawn, 0.975, axis=0),
        "n": means.n[0][told].astype(int), "n_eff": means.n_eff[0][told],
        "uncertainty": "sampling+measurement" if len(means.full) > 1 else "sampling", "p_top": p_top,
        "p_first": p_first,
        "tier": np.select([p_top >= SURE, p_top >= OPEN], TIERS[:2], TIERS[2]),
    })  # fmt: skip
    order = table["tier"].map(TIERS.index)
    return (
        table.assign(order=order)
        .sort_values(["order", "competency_id"])
        .drop(columns="order")
        .reset_index(drop=True)
    )


def _covariance(means, design):
    both = zip(means.full[:, 0], means.replicates[:, :, 0], strict=True)
    deviations = np.stack([design.deviations(full, replicates) for full, replicates in both])
    sampling = np.einsum("drj,drk->jk", deviations, deviations) / len(means.full)
    draws = len(means.full)
    if draws == 1:
        return sampling
    return sampling + (1 + 1 / draws) * np.atleast_2d(np.cov(means.full[:, 0].T))


def _posterior(estimate, covariance):
    """Normal posterior of exchangeable means with a common prior, joint over competencies."""
    n = len(estimate)
    between = max(estimate.var(ddof=1) - covariance.trace() / n, 0.0) if n > 1 else 0.0
    if between == 0.0:
        return np.full(n, estimate.mean()), np.full((n, n), covariance.sum() / n**2)  # one mean for all
    keep = between * np.linalg.inv(between * np.eye(n) + covariance)
    centre = estimate.mean() + keep @ (estimate - estimate.mean())
    spread = keep @ covariance
    return centre, (spread + spread.T) / 2
