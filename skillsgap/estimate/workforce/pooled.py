"""Multinomial logit of latent profiles with partly pooled effects, for a sample and all its replicates.

Coefficients are symmetric over the K profiles (no reference class): numbering them otherwise changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

START_SD = 0.5  # logits; first guess of the spread of effects: a share of 50 % then varies from 38 to 62 %
SD_RANGE = (0.02, 3.0)  # logits; below nothing differs visibly, above a category would be all one profile
ROUNDS = 8  # Fellner-Schall updates of the spread; later ones move effects by less than their errors
REPLICATE_STEPS = 4  # each cuts the distance to a replicate's solution to about a tenth
CHUNK = 25  # replicates worked on together: bounds memory


@dataclass(frozen=True)
class PooledLogit:
    """Fitted logit: coefs and sd of effects (K, p) and (p,), factor of the observed information."""

    coefs: np.ndarray
    sd: np.ndarray
    factor: tuple


def lifted(loglik):
    """Subtract each row's largest value, so that its exponential can't underflow everywhere."""
    return loglik - loglik.max(axis=-1, keepdims=True)


def softmax(scores):
    scores = np.exp(lifted(scores))
    return scores / scores.sum(axis=-1, keepdims=True)


def _posterior(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.sum(axis=-1, keepdims=True)


def _information(people, weights, *signed):
    """Sum of sign * X' w (diag(p) - pp') X over the given (sign, p): (K * columns) squared."""
    n_profiles, width = signed[0][1].shape[1], people.shape[1]
    whole = np.empty((n_profiles, width, n_profiles, width))
    for a in range(n_profiles):
        for b in range(a + 1):
            cell = weights * sum(sign * p[:, a] * ((a == b) - p[:, b]) for sign, p in signed)
            whole[a, :, b] = (people.T @ people.multiply(cell[:, None]).tocsr()).toarray()
            whole[b, :, a] = whole[a, :, b].T
    return whole.reshape(n_profiles * width, -1)


def _ridge(sd, n_profiles):
    """Penalty matrix: 1 / sd² on effects; for intercepts only their common shift, which changes no share."""
    width = len(sd)
    matrix = np.diag(np.tile(np.where(np.isinf(sd), 0, 1 / sd**2), n_profiles))
    first = np.arange(n_profiles) * width
    matrix[np.ix_(first, first)] += 1.0
    return matrix


def fit_pooled(people, likelihood, weights, owner, shares, penalty):
    """Newton within EM, alternating with updates of the spread of effects."""
    n_profiles = len(shares)
    coefs = np.zeros((n_profiles, people.shape[1]))
    coefs[:, 0] = np.log(np.maximum(shares, 1e-9))
    coefs[:, 0] -= coefs[:, 0].mean()
    sd = np.where(owner < 0, np.inf, START_SD if penalty is None else penalty)
    for _ in range(ROUNDS if penalty is None else 0):
        coefs, factor = _newton(coefs, people, likelihood, weights, sd, tol=1e-3)
        sd = _spread(coefs, factor, sd, owner)
    coefs, factor = _newton(coefs, people, likelihood, weights, sd)
    return PooledLogit(coefs, sd, factor)


def _newton(coefs, people, likelihood, weights, sd, tol=1e-8, max_steps=100):
    ridge = _ridge(sd, len(coefs))
    for _ in range(max_steps):
        prior = softmax(people @ coefs.T)
        posterior = _posterior(prior, likelihood)
        gradient = ((posterior - prior) * weights[:, None]).T @ people
        # The information of known profiles exceeds the observed one: such a step can't overshoot.
        step = linalg.solve(_information(people, weights, (1, prior)) + ridge,
                            gradient.ravel() - ridge @ coefs.ravel(), assume_a="pos").reshape(coefs.shape)
        coefs = coefs + step
        if np.abs(step).max() < tol:
            break
    prior = softmax(people @ coefs.T)
    posterior = _posterior(prior, likelihood)
    observed = _information(people, weights, (1, prior), (-1, posterior)) + ridge
    if np.linalg.eigvalsh(observed)[0] <= 1e-8:
        observed = _information(people, weights, (1, prior)) + ridge
    return coefs, linalg.cho_factor(observed)


def _spread(coefs, factor, sd, owner):
    """Fellner-Schall: sum of squared effects over the number of them the data really determine."""
    variance = np.diag(linalg.cho_solve(factor, np.eye(coefs.size))).reshape(coefs.shape)
    sd = sd.copy()
    for term in range(owner.max() + 1):
        mine = owner == term
        determined = (1 - variance[:, mine] / sd[mine] ** 2).sum()
        new = np.sqrt((coefs[:, mine] ** 2).sum() / max(determined, 1e-6))
        sd[mine] = np.clip(new, *SD_RANGE)
    return sd


def replicate_coefs(model, people, profiles, answers, weights, replicates):
    """Coefficients of every replicate: a few steps with the full sample's information, all in one product."""
    n_profiles, width = model.coefs.shape
    coefs = np.repeat(model.coefs[None], weights.shape[1], axis=0)
    onehot = profiles._encode(answers)[:, 1:]
    ridge = _ridge(model.sd, n_profiles)
    for a in range(0, len(coefs), CHUNK):
        some, weight = coefs[a:a + CHUNK], weights[:, a:a + CHUNK].T
        log_probs = np.log(replicates.probs[a:a + CHUNK]).reshape(-1, onehot.shape[1])
        loglik = (onehot @ log_probs.T).reshape(len(onehot), len(some), n_profiles).transpose(1, 0, 2)
        likelihood = np.exp(lifted(loglik))
        for _ in range(REPLICATE_STEPS):
            scores = (people @ some.reshape(-1, width).T).reshape(len(onehot), len(some), n_profiles)
            prior = softmax(scores.transpose(1, 0, 2))
            surplus = (_posterior(prior, likelihood) - prior) * weight[:, :, None]
            gradient = people.T @ surplus.transpose(1, 0, 2).reshape(len(onehot), -1)
            gradient = gradient.reshape(width, len(some), n_profiles).transpose(1, 2, 0)
            push = (gradient.reshape(len(some), -1) - some.reshape(len(some), -1) @ ridge).T
            some = some + linalg.cho_solve(model.factor, push).T.reshape(some.shape)
        coefs[a:a + CHUNK] = some
    return coefs


def pooling_draws(model, shape, design, random_state):
    """Draws of the error pooling makes: their variance and the replicates' add up to the posterior's."""
    rng = np.random.default_rng(random_state)
    precision = np.tile(np.where(np.isinf(model.sd), 0, 1 / model.sd), len(model.coefs))
    noise = rng.standard_normal((shape[0], len(precision))) / np.sqrt(design.scales * shape[0])[:, None]
    return linalg.cho_solve(model.factor, (noise * precision).T).T.reshape(shape)
