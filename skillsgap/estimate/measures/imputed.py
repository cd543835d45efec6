"""Draws of the true level behind self-ratings, from what an assessor found of some of the same people."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.stats import norm

from skillsgap.estimate.measures.scoring import LEAST, cut_at_ends

GROUP_SCALE = 0.2  # levels; scale of the half-Cauchy of a column's spread of bias: as likely below as above before data
SLOPE = (0.5, 0.5)  # mean and sd of what is thought of a slope before data: it lies between 0 and 1
BURN_IN, THIN = 50, 10  # steps of the sampler before the first draw, and from one to the next: they barely correlate
SPREAD, SPREAD_DF = 0.15, 4  # levels; prior spread of bias between competencies, and how many it weighs as much as
SHARED = 0.5  # of that variance, what a group of competencies has in common: with one test a group, data can't tell
SOLID = 1e-9  # relative; a direction in which people differ by less is none


def draw_true(rated, found, weights, conditioning, alphas, groups, n_draws, random_state):
    """Draw true levels; what is assumed is said in `calibrated_levels`.

    Parameters
    ----------
    rated : DataFrame of shape (n, n_competencies)
        Self-ratings; rows without weight last, so that they change no draw of the others.
    found : DataFrame of shape (n, n_tested)
        Assessments of the competencies that have enough, NaN where there is no self-rating or weight.
    weights : Series of shape (n,)
    conditioning : DataFrame of shape (n, n_columns)
    alphas, groups : Series
        Reliability and group by competency; groups may be None.
    n_draws, random_state : int

    Returns
    -------
    ndarray of shape (n_draws, n, n_competencies)
    """
    x, owner = _categories(conditioning, weights > 0)
    common, *streams = np.random.default_rng(random_state).spawn(1 + rated.shape[1])
    streams, centres = dict(zip(rated, streams, strict=True)), {}
    own = {name: _self_rated(ratings.to_numpy(), x, weights.to_numpy()) for name, ratings in rated.items()}
    bias = np.empty((found.shape[1], n_draws, len(owner)))
    for place, (name, assessed) in enumerate(found.items()):
        values = assessed.to_numpy()
        slope, line, bias[place], noise = _sampled(own[name], values, owner, n_draws, streams[name])
        centre, slope = own[name].centre(slope, line), np.clip(slope, 0.0, 1.0)
        true = np.minimum(slope * (1 - slope) * own[name].spread, noise)  # variance; the rest is the assessor's error
        share = np.isfinite(values)[:, None] * (true / noise)
        centres[name] = centre + share * (np.nan_to_num(values)[:, None] - centre), np.sqrt(true * (1 - share))
    mean = bias @ np.average(x, axis=0, weights=weights)
    for name, mix, off in _transferred(mean, list(found), list(rated), groups, common):
        slope = own[name].slope(alphas.get(name, 0.0))
        line = (1 - slope) * own[name].shifts(n_draws, streams[name]) - np.tensordot(mix, bias, axes=1)
        sd = np.sqrt(slope * (1 - slope) * own[name].spread)
        centres[name] = own[name].centre(slope, line) - off, sd
    noise = (streams[name].standard_normal((len(rated), n_draws)) for name in rated)
    return np.stack([cut_at_ends(*centres[name], some).T for name, some in zip(rated, noise, strict=True)], axis=2)


def _categories(conditioning, counted):
    """Ones and a column for each category that somebody who counts is in; and the field each is of, -1 the ones."""
    columns, owner = [np.ones(len(counted))], [-1]
    for name in conditioning:
        values = conditioning[name].astype("string")
        there = sorted(values[counted].dropna().unique())
        if len(there) > 1:
            columns += [(values == value).fillna(False).to_numpy(dtype=float) for value in there]
            owner += [max(owner) + 1] * len(there)
    return np.column_stack(columns), np.array(owner)


@dataclass(frozen=True)
class _SelfRated:
    """Self-ratings y (n,) of a competency, and their mean among people alike in x (n, p).

    `spread` and `total` are the variances of ratings round that mean and at all; `half` (p, rank) times standard
    normals draws the error of the mean's coefficients.
    """

    y: np.ndarray
    x: np.ndarray
    weights: np.ndarray
    usual: np.ndarray
    spread: float
    total: float
    half: np.ndarray

    def shifts(self, n_draws, rng):
        """Draws (n_draws, p) of the error of the mean's coefficients."""
        return rng.standard_normal((n_draws, self.half.shape[1])) @ self.half.T

    def centre(self, slope, line):
        """Mean of the true level given the self-rating (n, draws), from draws of slope and of coefficients of x."""
        return self.usual[:, None] + (self.y - self.usual)[:, None] * slope + self.x @ line.T

    def slope(self, alpha):
        """Reliability among people alike: the error variance is the same as overall, so it is lower."""
        alpha = max(np.nan_to_num(alpha), 0.0)
        return np.clip(1 - (1 - alpha) * self.total / self.spread, 0.0, 1.0) if self.spread > 0 else 1.0


def _self_rated(y, x, weights):
    w = _normalised(np.where(np.isfinite(y), weights, 0.0))
    filled, n_eff = np.nan_to_num(y), max(w.sum(), 1.0)
    roots, axes = np.linalg.eigh((x.T * w) @ x)
    solid = roots > SOLID * max(roots[-1], SOLID)
    half = axes[:, solid] / np.sqrt(roots[solid])
    usual = x @ (half @ (half.T @ (x.T @ (w * filled))))
    total = (w * (filled - w @ filled / n_eff) ** 2).sum() / n_eff
    spread = (w * (filled - usual) ** 2).sum() / max(n_eff - solid.sum(), n_eff / 2)
    return _SelfRated(y, x, weights, usual, spread, total, half * np.sqrt(spread))


def _normalised(weights):
    """Weights whose sum is the effective number of people."""
    squares = (weights**2).sum()
    return weights * (weights.sum() / squares) if squares > 0 else weights


def _sampled(own, found, owner, n_draws, rng):
    """Draws of slope (n_draws,), line and bias (n_draws, p) and noise (n_draws,), by a Gibbs sampler.

    The model is ``found - usual - shift = slope (y - usual - shift) - bias + error``, where the mean self-rating is
    usual + shift, and all self-ratings say how large a shift may be. The line is
    (1 - slope) shift - bias.
    """
    rows, p, sizes = np.isfinite(found), len(owner), np.bincount(owner[1:])
    both = np.column_stack([own.y, found])[rows] - own.usual[rows, None]
    w, everything = _normalised(own.weights[rows]), np.column_stack([own.x[rows], both])
    whole, n_eff = (everything.T * w) @ everything, w.sum()
    noise, spread, turn, kept = whole[-1, -1] / n_eff + LEAST, np.full(len(sizes), GROUP_SCALE**2), np.eye(p + 2), []
    for step in range(BURN_IN + THIN * n_draws):
        shift = own.shifts(1, rng)[0]
        turn[:p, p:] = -shift[:, None]
        now = turn.T @ whole @ turn  # squares and products round usual + shift
        prior = np.concatenate([[0.0], 1 / spread[owner[1:]], [SLOPE[1] ** -2]])
        pull = now[:-1, -1] / noise
        pull[-1] += SLOPE[0] * prior[-1]
        factor = np.linalg.cholesky(now[:-1, :-1] / noise + np.diag(prior))
        push = solve_triangular(factor, pull, lower=True) + rng.standard_normal(p + 1)
        coefs = solve_triangular(factor, push, lower=True, trans="T")
        left = np.append(-coefs, 1.0)
        noise = (left @ now @ left / 2 + LEAST) / rng.standard_gamma(n_eff / 2)
        scale = rng.standard_exponential(len(sizes)) / (1 / spread + GROUP_SCALE**-2)  # half-Cauchy, as a mixture
        squares = np.bincount(owner[1:], coefs[1:-1] ** 2, len(sizes))
        spread = (squares / 2 + scale) / rng.standard_gamma((sizes + 1) / 2)
        if step >= BURN_IN:
            kept.append((coefs[-1], (1 - coefs[-1]) * shift + coefs[:-1], -coefs[:-1], noise))
    slope, line, bias, noise = (np.array(values) for values in zip(*kept, strict=True))
    # moved so that the mean of the few draws is that of all steps
    moved = [some[::THIN] + some.mean(axis=0) - some[::THIN].mean(axis=0) for some in (slope, line, bias)]
    return *moved, noise[::THIN]


def _transferred(bias, tested, names, groups, rng):
    """Name, shares of the tested ones' bias in its own, and draws of what it differs by, of each competency not tested.

    Best linear prediction of a bias from those of the tested ones (tested, n_draws), of unknown mean, where the biases
    of one group of competencies correlate by SHARED.
    """
    others = [name for name in names if name not in tested]
    kind = np.zeros(len(names)) if groups is None else groups.reindex(names).astype(str).to_numpy()
    alike = pd.DataFrame(np.where(np.eye(len(names)), 1.0, SHARED * (kind[:, None] == kind)), names, names)
    inverse, near = np.linalg.inv(alike.loc[tested, tested]), alike.loc[others, tested].to_numpy()
    overall = inverse.sum(axis=0) / inverse.sum()
    left = 1 - near @ inverse.sum(axis=1)  # what a common mean must still say
    mix = near @ inverse + np.outer(left, overall)
    off = bias.mean(axis=1) - overall @ bias.mean(axis=1)
    variance = (SPREAD_DF * SPREAD**2 + off @ inverse @ off) / (SPREAD_DF + len(tested) - 3)
    covariance = alike.loc[others, others] - near @ inverse @ near.T + np.outer(left, left) / inverse.sum()
    # normal scores in random order: between few draws they vary exactly as much as they should
    scores = norm.ppf((np.arange(bias.shape[1]) + 0.5) / bias.shape[1])
    scores = rng.permuted(np.tile(scores / scores.std(ddof=1), (len(others), 1)), axis=1)
    return zip(others, mix, np.linalg.cholesky(variance * covariance) @ scores, strict=True)
