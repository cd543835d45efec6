"""Accelerated EM of a mixture of profiles, many runs (starts, or replicates) at once in one matrix product.

Every density here is an exponential family: log P(row | profile) is linear in the row's features. So one product of
features and natural parameters makes the E step, one product of memberships and features the M step, whatever the kinds
of the variables. `theta` (profiles, runs, width) holds the mean-value parameters: share; probabilities of categories;
then (1, mean, mean square) of each continuous variable — or all means and all mean products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skillsgap.estimate.profiles.covariances import constrained, degenerate, n_covariance_parameters

FLOOR = 1e-12  # count no category falls below: keeps log finite, moves a log-likelihood by less than 1e-8
BLOCK = 1 << 18  # numbers worked on at a time (2 MB): the passes over one block stay in the processor's cache
LIFT = 1e-4  # probability given to every category before a last climb
LEAST_VARIANCE = 1e-10  # of a variable's own variance; below it a likelihood would have no bound


@dataclass(frozen=True)
class Layout:
    """Which columns of features and parameters mean what.

    Parameters
    ----------
    first : ndarray, first column of the share and of each categorical variable
    width : int, columns up to the last category
    n_continuous : int
    square : bool, all products of continuous variables are there (not only squares)
    model : str, covariance model, as "VVI"
    """

    first: np.ndarray
    width: int
    n_continuous: int = 0
    square: bool = False
    model: str = "VVI"

    @property
    def n_columns(self):
        d = self.n_continuous
        return self.width + (d + d * d if self.square else 3 * d)

    def n_parameters(self, n_profiles):
        free = n_profiles - 1 + n_profiles * (self.width - len(self.first))
        d = self.n_continuous
        return free + n_profiles * d + (n_covariance_parameters(self.model, n_profiles, d) if d else 0)

    def normalised(self, counts, before=None):
        """Parameters from sums of memberships x features: shares sum to 1, probabilities to 1 within a variable.

        `before` (parameters) is where covariance models without a closed form go on from.
        """
        part = np.maximum(counts[..., :self.width], FLOOR)
        sums = np.add.reduceat(part, self.first, axis=2)
        sums[..., 0] = part[..., 0].sum(axis=0)
        part = part / np.repeat(sums, np.diff(np.append(self.first, self.width)), axis=2)
        if not self.n_continuous:
            return part
        means, products, mass = self._moments(counts)
        before = self.measured(before)[1] if before is not None and self.square else None
        return self._joined(part, means, self._constrained(products, means, mass, before))

    def _moments(self, counts):
        """Means (K, R, d), mean products (K, R, d) or (K, R, d, d), and the mass they rest on."""
        rest, d = counts[..., self.width:], self.n_continuous
        if self.square:
            mass = np.maximum(counts[..., :1], 1e-300)
            return rest[..., :d] / mass, (rest[..., d:] / mass).reshape(*rest.shape[:2], d, d), mass[..., 0]
        blocks = rest.reshape(*rest.shape[:2], d, 3)
        mass = np.maximum(blocks[..., 0], 1e-300)
        return blocks[..., 1] / mass, blocks[..., 2] / mass, mass

    def _constrained(self, products, means, mass, before):
        """Covariances (K, R, d, d) or variances (K, R, d) as the model allows them."""
        if self.square:
            spread = products - means[..., :, None] * means[..., None, :]
            share = (mass / mass.sum(axis=0))[..., None]
            overall = (share * np.diagonal(products, axis1=2, axis2=3)).sum(axis=0) - (share * means).sum(axis=0) ** 2
            scatter = spread * mass[..., None, None]
            return constrained(self.model, mass, scatter, variances=np.maximum(overall, 0), previous=before)
        spread = np.maximum(products - means**2, 0)
        if self.model == "EEI":
            spread = np.broadcast_to((spread * mass).sum(axis=0) / mass.sum(axis=0), spread.shape)
        return np.maximum(spread, LEAST_VARIANCE)

    def _joined(self, part, means, spread):
        shape = means.shape[:2]
        if self.square:
            rest = np.concatenate([means, (spread + means[..., :, None] * means[..., None, :]).reshape(*shape, -1)], 2)
        else:
            rest = np.stack([np.ones_like(means), means, spread + means**2], axis=3).reshape(*shape, -1)
        return np.concatenate([part, rest], axis=2)

    def measured(self, theta):
        """Means (K, R, d) and covariances (K, R, d, d) or variances (K, R, d) that theta stands for."""
        means, products, _ = self._moments(np.concatenate([np.ones_like(theta[..., :1]), theta[..., 1:]], axis=2))
        return means, products - (means[..., :, None] * means[..., None, :] if self.square else means**2)

    def degenerate(self, theta, n_rows):
        """Runs (runs,) of bool whose likelihood rests on a continuous variable squeezed to nothing."""
        if not self.n_continuous:
            return np.zeros(theta.shape[1], dtype=bool)
        spread = self.measured(theta)[1]
        spread = spread if self.square else spread[..., None] * np.eye(self.n_continuous)
        return degenerate(self.model, theta[..., 0] * n_rows, spread)

    def natural(self, theta):
        """Coefficients of the features in log(share x density), (profiles, runs, n_columns)."""
        logs = np.log(theta[..., :self.width])
        if not self.n_continuous:
            return logs
        means, spread = self.measured(theta)
        if not self.square:
            spread = np.maximum(spread, LEAST_VARIANCE / 2)
            flat = [-0.5 * (means**2 / spread + np.log(2 * np.pi * spread)), means / spread, -0.5 / spread]
            return np.concatenate([logs, np.stack(flat, axis=3).reshape(*logs.shape[:2], -1)], axis=2)
        inverse = np.linalg.inv(spread)
        slope = (inverse @ means[..., None])[..., 0]
        logs[..., 0] -= 0.5 * ((means * slope).sum(axis=2) + np.linalg.slogdet(spread)[1]
                               + self.n_continuous * np.log(2 * np.pi))
        return np.concatenate([logs, slope, -0.5 * inverse.reshape(*logs.shape[:2], -1)], axis=2)

    def lifted(self, theta):
        """Parameters with no probability at 0, to climb on from.

        A probability that a leap pushed to 1e-14 rises by a factor a step and adds nothing to the likelihood for long,
        so a run would count as settled below its maximum.
        """
        theta = theta.copy()
        theta[..., 1:self.width] += LIFT
        sums = np.add.reduceat(theta[..., :self.width], self.first, axis=2)
        sums[..., 0] = 1
        theta[..., :self.width] /= np.repeat(sums, np.diff(np.append(self.first, self.width)), axis=2)
        return theta

    def pseudo(self, prior, whole):
        """Sums that `prior` people add to each profile: one to its share and each category, one like all (whole)."""
        sums = np.full(self.n_columns, float(prior))
        sums[self.width:] *= whole[self.width:]
        return sums

    def leap(self, zero, one, two):
        """Squared extrapolation of each run from two EM steps, kept inside what parameters may be."""
        step, bend = one - zero, two - 2 * one + zero
        length = np.sqrt((step**2).sum(axis=(0, 2)) / np.maximum((bend**2).sum(axis=(0, 2)), 1e-30))
        length = np.clip(length, 1, 100)[None, :, None]
        far = zero + 2 * length * step + length**2 * bend
        # A probability may fall to a tenth of the EM value at most: at 0 it could never rise again.
        far[..., :self.width] = np.maximum(far[..., :self.width], two[..., :self.width] / 10)
        if not self.n_continuous:
            return self.normalised(far)
        outside = self._outside(far, two)[None, :, None]
        far = np.where(outside, two, far)
        counts = far * far[..., :1]
        counts[..., :self.width] = far[..., :self.width]
        return np.where(outside, two, self.normalised(counts, two))

    def _outside(self, far, two):
        """Runs whose leap leaves too little variance (runs,)."""
        new, old = self.measured(far)[1], self.measured(two)[1]
        if self.square:
            new, old = np.linalg.eigvalsh(new), np.linalg.eigvalsh(old)
        return (new < old / 10).any(axis=(0, 2)) | (far[..., 0] <= 0).any(axis=0)


def em_step(features, weights, theta, layout, pseudo):
    """One EM step of all runs together: new parameters, and mean penalised log-likelihood at the old ones.

    theta is (profiles, runs, width), weights (1 or runs, n); pseudo (width,) is what the prior adds to each profile's
    sums, 0 for none. Being linear in the natural parameters like the data, it costs the likelihood their product.
    """
    n_profiles, n_runs, width = theta.shape
    natural = layout.natural(theta)
    loglik = (natural @ pseudo).sum(axis=0)
    natural = natural.reshape(-1, width)
    counts = np.tile(pseudo, (len(natural), 1))
    rows = max(64, BLOCK // len(natural))
    for begin in range(0, len(features), rows):
        part, weight = features[begin:begin + rows], weights[:, begin:begin + rows]
        joint = (natural @ part.T).reshape(n_profiles, n_runs, -1)
        top = joint.max(axis=0)
        np.exp(joint - top, out=joint)
        total = joint.sum(axis=0)
        loglik += (weight * (top + np.log(total))).sum(axis=1)
        joint *= weight / total
        counts += joint.reshape(len(natural), -1) @ part
    return layout.normalised(counts.reshape(theta.shape), theta), loglik / weights.sum(axis=1)


def climb(features, weights, theta, layout, *, max_iter, tol, pseudo=None):
    """Accelerated EM of all runs; settled runs leave the batch. Never goes downhill.

    Parameters
    ----------
    features : ndarray (n, width)
    weights : ndarray (1 or runs, n)
    theta : ndarray (profiles, runs, width), starting values
    layout : Layout
    max_iter : int, most EM steps
    tol : float, a run has settled when three steps raise its mean log-likelihood by less
    pseudo : ndarray (width,), sums the prior adds to each profile (`Layout.pseudo`); None = maximum likelihood

    Returns
    -------
    theta, mean penalised log-likelihood (runs,), steps (runs,), settled (runs,)
    """
    pseudo = np.zeros(theta.shape[2]) if pseudo is None else pseudo
    final, loglik = theta.copy(), np.full(theta.shape[1], -np.inf)
    steps, done = np.zeros(theta.shape[1], dtype=int), np.zeros(theta.shape[1], dtype=bool)
    active = np.arange(theta.shape[1])
    for step in range(1, max_iter + 1, 3):
        weight = weights if len(weights) == 1 else weights[active]
        one, height = em_step(features, weight, theta, layout, pseudo)
        settled = height - loglik[active] < tol
        final[:, active], loglik[active], steps[active], done[active] = theta, height, step, settled
        if settled.all():
            break
        active, theta, one = active[~settled], theta[:, ~settled], one[:, ~settled]
        weight = weights if len(weights) == 1 else weights[active]
        two, height = em_step(features, weight, one, layout, pseudo)
        landed, landed_height = em_step(features, weight, layout.leap(theta, one, two), layout, pseudo)
        theta = np.where((landed_height >= height)[None, :, None], landed, two)
    return final, loglik, steps, done
