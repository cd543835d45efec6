"""Errors of what is reported of profiles from scores and information: sandwich, observed or outer product.

Complete data (answers and profile) are an exponential family whatever the kinds of variables, so all is told by the
sums T of memberships x features. With G = d(natural parameters)/dT = R R', the coordinates phi of natural = R phi have
complete information 1, scores R't, and lose R' Cov(t | answers) R by not seeing the profile (Louis 1982).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.manifest import content_order
from skillsgap.estimate.profiles.quantities import quantities, quantity_names
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.survey.weights import as_table, weights_of

INFORMATION = ("sandwich", "observed", "outer")
STEP = 1e-5  # of numeric derivatives, in standard errors of the sums T
EMPTY = 1e-3  # people below whom a category of a profile is taken for empty: its probability of 0 has no error
RANK = 1e-4  # eigenvalues of G, scaled, below which a direction isn't a parameter
ROWS = 20000  # respondents whose scores are worked out at a time
LEAST_INFORMATION = 1e-6  # of what complete data would tell: below it nothing is known, errors are as good as endless


def profile_errors(profiles, answers, weights=None, design=None, *, information="sandwich"):
    """Standard errors of shares, levels, probabilities and means of fitted profiles.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    weights : Series or array (n_respondents,), optional; 1 by default
    design : SurveyDesign of the same respondents, optional
        Its weights are used. Without it respondents count as drawn one by one.
    information : {"sandwich", "observed", "outer"}
        Sandwich: A⁻¹BA⁻¹ with A the observed information of the weighted pseudo-likelihood and B the design's
        covariance of the scores (sampling units within strata, or replicates). Observed: A⁻¹. Outer: the inverse of
        the sum of products of scores. The last two take answers for independent.

    Returns
    -------
    DataFrame, a row per profile and quantity: profile, variable, statistic (share, level, probability, mean),
    category, estimate, se. A probability of 0 or 1 has se 0.

    Raises
    ------
    EstimateError
        Another kind of information, or a design of other respondents.

    References
    ----------
    Louis (1982), Journal of the Royal Statistical Society B 44, 226-233; White (1982), Econometrica 50, 1-25;
    Patterson, Dayton and Graubard (2002), Journal of the American Statistical Association 97, 721-741.

    Examples
    --------
    >>> import pandas as pd
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> answers = pd.DataFrame({"a": [0, 0, 0, 1] * 25, "b": [0, 0, 1, 1] * 25})
    >>> table = profile_errors(CompetencyProfiles(1).fit(answers), answers, information="observed")
    >>> table.loc[table["statistic"] == "probability", "se"].round(3).tolist()  # root of p (1 - p) / 100
    [0.043, 0.043, 0.05, 0.05]
    """
    if information not in INFORMATION:
        raise EstimateError(f"information {information!r} isn't known: use {', '.join(INFORMATION)}")
    if design is None:
        answers = as_table(answers)
        weights = weights_of(answers, weights)
        order = content_order(answers, weights)
        answers, weights = answers.iloc[order], weights[order]
    else:
        answers, weights = by_row_key(answers, design)
    used = (weights > 0) & answers[list(profiles.kinds_)].notna().any(axis=1).to_numpy()
    scale = used.sum() / weights[used].sum()  # as in the fit: rows it left out hold no information here either
    weights = weights * scale
    slopes, scores, products, observed = _information(profiles, answers, weights, keep=information == "sandwich")
    covariance = _inverse(products if information == "outer" else observed)
    if information == "sandwich":
        covariance = covariance @ _meat(scores, weights, scale, answers.index, design) @ covariance
    variance = np.einsum("qr,rs,qs->q", slopes, covariance, slopes, optimize=True)
    table = estimates_frame(profiles)
    return table.assign(se=np.sqrt(np.maximum(variance, 0.0)))


def estimates_frame(profiles):
    """A row per profile and quantity, with its estimate."""
    names = quantity_names(profiles)
    table = names.loc[np.tile(np.arange(len(names)), profiles.n_profiles)].reset_index(drop=True)
    table.insert(0, "profile", np.repeat(np.arange(1, profiles.n_profiles + 1), len(names)))
    return table.assign(estimate=quantities(profiles, profiles._theta[:, None]).ravel())


def _information(profiles, answers, weights, *, keep):
    """Slopes of quantities (q, r), scores (n, r) where kept, their products and observed information (r, r)."""
    features, natural = profiles._encode(answers), profiles._layout.natural(profiles._theta[:, None])[:, 0]
    joint = features @ natural.T
    member = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
    mass = member * weights[:, None]
    sums = mass.T @ features + profiles._pseudo
    size = np.sqrt(mass.T @ features**2 + profiles._pseudo)
    there = np.flatnonzero(size.ravel() ** 2 > EMPTY)
    change, reported = _slopes(profiles, sums, size, there)
    values, vectors = _directions(change)
    root = np.zeros((sums.size, len(values)))
    root[there] = vectors * np.sqrt(values) / size.ravel()[there, None]
    root = [(some, part[:, some]) for part in root.reshape(*sums.shape, -1)
            for some in [np.flatnonzero(part.any(axis=0))]]  # most directions concern one profile only
    products, told, kept = np.zeros((len(values),) * 2), np.zeros((len(values),) * 2), []
    for begin in range(0, len(features), ROWS):
        rows = slice(begin, begin + ROWS)
        scores = np.zeros((len(features[rows]), len(values)))
        for k, (some, part) in enumerate(root):
            turned = features[rows] @ part
            scores[:, some] += member[rows, k, None] * turned
            told[np.ix_(some, some)] += turned.T @ (turned * mass[rows, k, None])
        products += scores.T @ (scores * weights[rows, None])
        kept += [scores] if keep else []
    observed = np.eye(len(values)) - told + products
    return reported.T @ (vectors / np.sqrt(values)), np.vstack(kept) if keep else None, products, observed


def _directions(natural):
    """Eigenvalues and vectors of G in the directions that are parameters, one block of variables at a time."""
    natural = (natural + natural.T) / 2
    values, vectors = [], []
    blocks = connected_components(natural != 0)[1]
    for block in range(blocks.max() + 1):
        rows = np.flatnonzero(blocks == block)
        own, turned = np.linalg.eigh(natural[np.ix_(rows, rows)])
        values.append(own[own > RANK])
        vectors.append(np.zeros((len(natural), len(values[-1]))))
        vectors[-1][rows] = turned[:, own > RANK]
    return np.concatenate(values), np.hstack(vectors)


def _slopes(profiles, sums, size, there):
    """Derivatives of natural parameters and of quantities by the sums, in units of their size."""
    layout = profiles._layout
    shift = np.zeros((len(there), sums.size))
    shift[np.arange(len(there)), there] = STEP * size.ravel()[there]
    both = sums.ravel() + np.concatenate([shift, -shift])
    theta = layout.normalised(both.reshape(-1, *sums.shape).transpose(1, 0, 2))
    natural = layout.natural(theta).transpose(1, 0, 2).reshape(len(both), -1)[:, there] * size.ravel()[there]
    reported = quantities(profiles, theta).reshape(len(both), -1)
    half = len(there)
    return tuple((each[:half] - each[half:]) / (2 * STEP) for each in (natural, reported))


def _inverse(information):
    values, vectors = np.linalg.eigh(information)
    return (vectors / np.maximum(values, LEAST_INFORMATION)) @ vectors.T


def _meat(scores, weights, scale, index, design):
    """Covariance of the sum of weighted scores under the design."""
    if design is None:
        weighted = scores * weights[:, None]
        return weighted.T @ weighted
    scores = scores[index.get_indexer(design.weights.index)]
    if design.linearization is not None:
        return design.covariance(scores) * scale**2
    totals = scale * (design.matrix.T @ scores)
    deviations = design.deviations(totals[0], totals[1:])
    return deviations.T @ deviations
