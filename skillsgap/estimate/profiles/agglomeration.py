"""Starting values of Gaussian profiles by model-based agglomeration."""

from functools import lru_cache

import numpy as np

MOST_ROWS, MOST_NUMBERS = 2000, 20_000  # rows merged, and numbers in them; of more rows so many are drawn
MOST_PROFILES = 20  # partitions kept of a tree


def partition_start(features, weights, layout, values, n_profiles, random_state=0):
    """Parameters of the profiles that agglomeration finds: an M step from its partition of the complete rows.

    Parameters
    ----------
    features : ndarray (n, columns)
    weights : ndarray (n,) >= 0
    layout : skillsgap.estimate.profiles.mixture.Layout of the features
    values : ndarray (n, d), continuous variables, NaN = missing
    n_profiles : int
    random_state : int, draws the rows to merge where there are more than 2,000, or 20,000 values

    Returns
    -------
    ndarray (n_profiles, 1, columns); (n_profiles, 0, columns) where there are fewer different rows than profiles
    """
    rows = np.flatnonzero(~np.isnan(values).any(axis=1) & (weights > 0))
    most = min(MOST_ROWS, MOST_NUMBERS // values.shape[1])
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(random_state).choice(rows, most, replace=False))
    chosen, mass = np.ascontiguousarray(values[rows]), np.ascontiguousarray(weights[rows])
    partitions = _remembered(chosen.tobytes(), mass.tobytes(), chosen.shape[1]) if len(rows) else np.empty((0, 0))
    if n_profiles > partitions.shape[1]:
        return np.empty((n_profiles, 0, features.shape[1]))
    member = mass * (partitions[:, n_profiles - 1] == np.arange(n_profiles)[:, None])
    return layout.normalised((member @ features[rows])[:, None] / mass.sum())


@lru_cache(maxsize=2)
def _remembered(values, weights, n_variables):
    """The same rows are asked for once for every model and number of profiles."""
    values = np.frombuffer(values).reshape(-1, n_variables)
    return agglomerated(values, np.frombuffer(weights), MOST_PROFILES)


def agglomerated(values, weights, most_profiles):
    """Partitions of rows into 1, 2, ... profiles by merging, each time, the two whose union loses least likelihood.

    Every profile has its own covariance (VVV). With n rows, mean scatter W / n and t = (trace W + a) / n a profile
    costs n log(|W / n| + t), and n log t while n <= d; a is the overall scatter's mean diagonal element over n, so that
    one row is a profile of finite cost. Values are taken along the principal components of the standardised columns,
    each divided by the root of its singular value: between the columns' own shape and a sphere. Equal rows are one row
    from the start.

    Parameters
    ----------
    values : ndarray (n, d), no missing values
    weights : ndarray (n,) > 0, a weight of 2 is two rows
    most_profiles : int

    Returns
    -------
    ndarray (n, min(most_profiles, different rows)) of int
        Column K - 1 numbers the K profiles from 0.

    References
    ----------
    Fraley (1998), SIAM Journal on Scientific Computing 20, 270-281. Scrucca and Raftery (2015), Advances in Data
    Analysis and Classification 9, 447-460.

    Examples
    --------
    >>> agglomerated(np.array([[0.0], [0.1], [5.0], [5.1]]), np.ones(4), 2)[:, 1].tolist()
    [0, 0, 1, 1]
    """
    values, row = np.unique(values, axis=0, return_inverse=True)
    tree = _Tree(_rescaled(values, np.bincount(row, weights)), np.bincount(row, weights))
    group, columns = np.arange(len(values)), []
    while True:
        n_groups = len(values) - tree.merges
        if n_groups <= most_profiles:
            columns.append(np.unique(group, return_inverse=True)[1])
        if n_groups == 1:
            return np.column_stack(columns[::-1])[row.ravel()]
        kept, gone = tree.merge()
        group[group == gone] = kept


def _rescaled(values, weights):
    centred = values - np.average(values, axis=0, weights=weights)
    spread = np.sqrt(weights @ centred**2 / weights.sum())
    standard = centred / np.where(spread > 0, spread, 1)
    _, singular, axes = np.linalg.svd(np.sqrt(weights)[:, None] * standard, full_matrices=False)
    kept = singular > 1e-10 * singular[0]
    return standard @ axes[kept].T / np.sqrt(singular[kept])


class _Tree:
    """Groups still apart: their sizes, means, scatters and costs, and what each pair would cost more as one."""

    def __init__(self, values, sizes):
        n, d = values.shape
        centred = values - np.average(values, axis=0, weights=sizes)
        self.spare = (sizes @ centred**2).sum() / (sizes.sum() * d)
        self.sizes, self.means, self.scatter = sizes.astype(float), values.copy(), np.zeros((n, d, d))
        self.costs = self._cost(self.sizes, self.scatter)
        self.merges, self.apart = 0, np.ones(n, dtype=bool)
        self.loss = np.full((n, n), np.inf)
        for i in range(1, n):
            self.loss[i, :i] = self._losses(i, np.arange(i))
        self._nearest = self.loss.argmin(axis=1)
        self._least = self.loss[np.arange(n), self._nearest]

    def _cost(self, sizes, scatter):
        inside = (np.trace(scatter, axis1=-2, axis2=-1) + self.spare) / sizes
        wide = sizes > scatter.shape[-1]
        inside[wide] += np.maximum(np.linalg.det(scatter[wide] / sizes[wide, None, None]), 0)
        return sizes * np.log(inside)

    def _union(self, i, others):
        sizes = self.sizes[i] + self.sizes[others]
        apart = self.means[others] - self.means[i]
        between = (self.sizes[i] * self.sizes[others] / sizes)[:, None, None] * apart[:, :, None] * apart[:, None, :]
        return sizes, self.scatter[i] + self.scatter[others] + between

    def _losses(self, i, others):
        return self._cost(*self._union(i, others)) - self.costs[i] - self.costs[others]

    def merge(self):
        """Merge the pair that loses least; its numbers: the one kept, the one gone."""
        high = int(self._least.argmin())
        low = int(self._nearest[high])
        sizes, scatter = self._union(low, np.array([high]))
        self.means[low] = (self.sizes[low] * self.means[low] + self.sizes[high] * self.means[high]) / sizes[0]
        self.sizes[low], self.scatter[low] = sizes[0], scatter[0]
        self.costs[low] = self._cost(sizes, scatter)[0]
        self.apart[high], self.merges = False, self.merges + 1
        self.loss[high], self.loss[:, high] = np.inf, np.inf
        others = np.flatnonzero(self.apart)
        others = others[others != low]
        losses = self._losses(low, others)
        self.loss[np.maximum(low, others), np.minimum(low, others)] = losses
        stale = (self._nearest == low) | (self._nearest == high)
        stale[[low, high]] = True
        self._renew(np.flatnonzero(stale))
        above = others > low
        better = others[above][losses[above] < self._least[others[above]]]
        self._nearest[better], self._least[better] = low, self.loss[better, low]
        return low, high

    def _renew(self, rows):
        self._nearest[rows] = self.loss[rows].argmin(axis=1)
        self._least[rows] = self.loss[rows, self._nearest[rows]]
