"""The cumulative logit (proportional odds) model by Newton's method, quick enough for every item and every group."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit


class Fit(NamedTuple):
    """A fitted model; the last category has no threshold."""

    loglik: float
    coefficients: np.ndarray  # thresholds, then slopes
    inverse: np.ndarray  # of the information, in the same order
    scores: np.ndarray  # of each row, before its weight


def normalised(weights):
    """Weights that add up to their effective number, and that number (Kish)."""
    n_eff = weights.sum() ** 2 / (weights**2).sum()
    return weights * (n_eff / weights.sum()), n_eff


def standardised(score, weights):
    """Score less its weighted mean, over its weighted standard deviation."""
    centred = score - np.average(score, weights=weights)
    spread = np.sqrt(np.average(centred**2, weights=weights))
    return centred / spread if spread > 0 else centred


def delta_r2(y, weights, smaller, larger):
    """Nagelkerke's R² of a larger model less that of a smaller one; their log-likelihoods are given."""
    mass = np.bincount(y, weights)
    n, null = mass.sum(), (mass * np.log(mass / mass.sum())).sum()
    return (np.exp(2 * (null - smaller) / n) - np.exp(2 * (null - larger) / n)) / -np.expm1(2 * null / n)


def cumulative_logit(y, x, weights, *, start=None, max_steps=60):
    """Maximum-likelihood fit of P(y <= k) = logit⁻¹(threshold_k - x'slope), by Newton's method (Pratt: it is concave).

    Parameters
    ----------
    y : ndarray of shape (n,)
        Codes from 0, each of which occurs; with two of them this is binary logistic regression.
    x : ndarray of shape (n, p)
        Without an intercept. Collinear columns share their slope.
    weights : ndarray of shape (n,)
        Positive; `normalised` makes the information that of their effective number.
    start : ndarray of shape (at most thresholds + p,), optional
        Coefficients of a model of the first columns, to begin with.
    max_steps : int

    Returns
    -------
    Fit

    References
    ----------
    McCullagh (1980), Journal of the Royal Statistical Society B 42, 109–142; Pratt (1981), Journal of the American
    Statistical Association 76, 103–106.

    Examples
    --------
    >>> fit = cumulative_logit(np.array([0, 1, 1, 0, 1, 1]), np.array([[0.0], [0], [0], [1], [1], [1]]), np.ones(6))
    >>> fit.coefficients.round(3).tolist()
    [-0.693, 0.0]
    """
    k = y.max()
    # indicators of the threshold above each row's category, and of the one below
    up, down = np.eye(k + 1, k)[y], np.eye(k + 1, k, -1)[y]
    shares = np.cumsum(np.bincount(y, weights))[:-1] / weights.sum()
    theta = np.log(shares / (1 - shares)) if start is None else start
    theta = np.concatenate([theta, np.zeros(k + x.shape[1] - len(theta))])
    old, step = -np.inf, np.zeros_like(theta)
    for _ in range(max_steps):
        for _ in range(30):
            loglik, terms = _terms(theta + step, y, x, k)
            loglik = weights @ loglik
            if loglik >= old - 1e-12 * abs(old):
                break
            step /= 2
        theta, old = theta + step, loglik
        d_up, d_down, f_up, f_down, between = terms
        scores = np.column_stack([d_up[:, None] * up + d_down[:, None] * down, -(d_up + d_down)[:, None] * x])
        above, below, moved = up.T * (weights * f_up), down.T * (weights * f_down), (up - down).T * (weights * between)
        cross = -(above + below) @ x
        information = np.block([[above @ up + below @ down + moved @ (up - down), cross],
                                [cross.T, x.T * (weights * (f_up + f_down)) @ x]])  # fmt: skip
        slope = weights @ scores
        inverse = np.linalg.pinv(information, rcond=1e-12, hermitian=True)
        step = inverse @ slope
        if slope @ step < 1e-16:
            break
    return Fit(old, theta, inverse, scores)


def _terms(theta, y, x, k):
    """Log-likelihood of each row and its derivatives; no difference of two probabilities, so tails keep digits."""
    cuts, eta = np.concatenate([[-np.inf], theta[:k], [np.inf]]), x @ theta[k:]
    up, down, gap = cuts[y + 1] - eta, cuts[y] - eta, cuts[y + 1] - cuts[y]
    with np.errstate(all="ignore"):  # crossing thresholds give nan, which the step halving refuses
        loglik = log_expit(up) + log_expit(-down) + np.log(-np.expm1(-gap))
        ratio = 1 / np.expm1(gap)
    return loglik, (expit(-up) + ratio, -expit(down) - ratio, expit(up) * expit(-up), expit(down) * expit(-down),
                    ratio * (1 + ratio))  # fmt: skip
