"""Marginal maximum likelihood of graded responses: likelihood, scores, observed information and the climb.

Categories of all items stand on one axis, their thresholds on another: P(category k) = s(x_lower) - s(x_upper) with
x_t = a z + d_t, falling in t, and s the logistic function. Parameters are one vector: slopes (one an item, one, or
none), then thresholds d. Answers are one row a person of places on the category axis, WIDTH of the axis = missing.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

BLOCK = 1 << 18  # numbers worked on at a time (2 MB): memory doesn't grow with the number of people
ROUNDS = 12  # times the metric of the climb is renewed; two or three are usual
STEPS = 40  # quasi-Newton steps in one metric
RIDGE = 0.05  # share of each parameter's own information added to the starting metric: keeps it regular for few people
LEAST = -700.0  # least log-probability, still above the smallest number there is, so that 0 answers times it are 0
FAR = 25.0  # largest logarithm of a gap between thresholds (either sign): a trial step beyond it would overflow
NUDGE = 1e-5  # step of the central differences of the complete-data gradient: error about its square


@dataclass(frozen=True)
class Layout:
    """Where each category, threshold and slope stands.

    Parameters
    ----------
    n_categories : tuple of int, one an item, >= 2
    slopes : {"free", "common", "one"}
        A discrimination an item, one for all, or 1 for all.
    """

    n_categories: tuple
    slopes: str

    @cached_property
    def item(self):
        """Item of each category."""
        return np.repeat(np.arange(len(self.n_categories)), self.n_categories)

    @cached_property
    def first(self):
        """First category of each item."""
        return np.cumsum((0, *self.n_categories[:-1]))

    @cached_property
    def n_slopes(self):
        return {"free": len(self.n_categories), "common": 1, "one": 0}[self.slopes]

    @cached_property
    def n_thresholds(self):
        return len(self.item) - len(self.n_categories)

    @cached_property
    def threshold_item(self):
        return np.delete(self.item, self.first)

    @cached_property
    def lower(self):
        """Indicator (category, parameter) of the threshold below each category."""
        return self._indicator(np.delete(np.arange(len(self.item)), self.first))

    @cached_property
    def upper(self):
        """Indicator (category, parameter) of the threshold above each category."""
        return self._indicator(np.delete(np.arange(len(self.item)), self.first + np.array(self.n_categories) - 1))

    @cached_property
    def slope(self):
        """Indicator (category, parameter) of the slope of each category's item."""
        place = {"free": self.item, "common": np.zeros_like(self.item), "one": np.full_like(self.item, -1)}
        indicator = np.zeros((len(self.item), self.n_slopes + self.n_thresholds))
        indicator[:, : self.n_slopes] = place[self.slopes][:, None] == np.arange(self.n_slopes)
        return indicator

    @cached_property
    def gaps(self):
        """Thresholds as sums of an item's first one and of (negative) gaps: (threshold, threshold), ones and zeros."""
        same = self.threshold_item[:, None] == self.threshold_item
        return np.tril(same).astype(float)

    @cached_property
    def leading(self):
        """Whether each threshold is the first of its item."""
        return np.diff(self.threshold_item, prepend=-1) > 0

    def _gap(self, free):
        return np.exp(np.clip(free, -FAR, FAR))

    def _indicator(self, categories):
        indicator = np.zeros((len(self.item), self.n_slopes + self.n_thresholds))
        indicator[categories, self.n_slopes + np.arange(self.n_thresholds)] = 1
        return indicator

    def discriminations(self, parameters):
        """Slope of each item, shape (n_items,)."""
        if self.slopes == "one":
            return np.ones(len(self.n_categories))
        return np.broadcast_to(parameters[: self.n_slopes], len(self.n_categories))

    def parameters(self, raw):
        """Slopes and falling thresholds from free numbers: an item's first threshold, then logarithms of gaps."""
        free = raw[self.n_slopes :]
        return np.concatenate([raw[: self.n_slopes], self.gaps @ np.where(self.leading, free, -self._gap(free))])

    def raw(self, parameters):
        """The free numbers behind slopes and thresholds."""
        d = parameters[self.n_slopes :]
        drop = np.where(self.leading, 1.0, -np.diff(d, prepend=0.0))
        return np.concatenate([parameters[: self.n_slopes], np.where(self.leading, d, np.log(drop))])

    def jacobian(self, raw):
        """Derivatives (parameter, free number)."""
        whole = np.eye(len(raw))
        scale = np.where(self.leading, 1.0, -self._gap(raw[self.n_slopes :]))
        whole[self.n_slopes :, self.n_slopes :] = self.gaps * scale
        return whole


def nodes_and_weights(rule, n):
    """Abilities and log weights by which an integral over N(0, 1) becomes a sum of `n` terms."""
    if rule == "gauss_hermite":
        nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    else:
        nodes = np.linspace(-5, 5, n)  # N(0, 1) has less than a millionth beyond
        weights = np.exp(-(nodes**2) / 2)
    return nodes, np.log(weights / weights.sum())


def category_tables(layout, parameters, nodes):
    """Log-probabilities of each category, and their derivatives by its lower and upper threshold.

    Returns
    -------
    tuple of three ndarray of shape (n_categories of all items, n_nodes)
    """
    d = parameters[layout.n_slopes :]
    x = layout.discriminations(parameters)[layout.threshold_item][:, None] * nodes + d[:, None]
    below, above = layout.lower[:, layout.n_slopes :], layout.upper[:, layout.n_slopes :]
    # s(x) - s(y) = s(x) s(-y) (1 - e^(y - x)): nothing cancels, however far out the node
    log_p = below @ log_expit(x) + above @ log_expit(-x)
    by_lower, by_upper = below @ expit(-x), -(above @ expit(x))
    middle = (below.sum(axis=1) > 0) & (above.sum(axis=1) > 0)
    gap = (below @ d - above @ d)[middle, None]
    log_p[middle] += np.log(-np.expm1(-gap))
    by_lower[middle] -= np.exp(-gap) / np.expm1(-gap)
    by_upper[middle] += np.exp(-gap) / np.expm1(-gap)
    return np.maximum(log_p, LEAST), by_lower, by_upper


def blocks(places, width):
    """Rows and 0/1 matrix (rows, width) of their answers, some at a time; a missing answer is a row of zeros."""
    step = max(64, BLOCK // max(width, 64))
    for begin in range(0, len(places), step):
        rows = slice(begin, min(begin + step, len(places)))
        onehot = np.zeros((rows.stop - begin, width + 1))
        np.put_along_axis(onehot, places[rows].astype(np.intp), 1.0, axis=1)
        yield rows, onehot[:, :-1]


def posterior(onehot, log_p, log_prior):
    """Posterior over the nodes of each row, and the log-likelihood of each row."""
    joint = onehot @ log_p + log_prior
    top = joint.max(axis=1, keepdims=True)
    np.exp(joint - top, out=joint)
    total = joint.sum(axis=1, keepdims=True)
    return joint / total, (top + np.log(total))[:, 0]


def posteriors(places, log_p, nodes, means, sd):
    """Rows and posterior over equally spaced nodes where ability is N(mean of the row, sd), some rows at a time."""
    for rows, onehot in blocks(places, len(log_p)):
        yield rows, posterior(onehot, log_p, -(((nodes - means[rows, None]) / sd) ** 2) / 2)[0]


def moments(places, log_p, nodes, means, sd):
    """Posterior mean and variance of each row."""
    mean, square = np.empty((2, len(places)))
    for rows, there in posteriors(places, log_p, nodes, means, sd):
        mean[rows], square[rows] = there @ nodes, there @ nodes**2
    return mean, square - mean**2


def complete_gradient(layout, parameters, nodes, counts):
    """Gradient of the log-likelihood if abilities were seen, given expected counts (category, node)."""
    _, by_lower, by_upper = category_tables(layout, parameters, nodes)
    return ((counts * by_lower).sum(axis=1) @ layout.lower + (counts * by_upper).sum(axis=1) @ layout.upper
            + (counts * (by_lower + by_upper)) @ nodes @ layout.slope)  # fmt: skip


def likelihood(layout, parameters, grid, places, weights):
    """Weighted log-likelihood, its gradient, and expected counts (category, node)."""
    nodes, log_prior = grid
    log_p = category_tables(layout, parameters, nodes)[0]
    counts, loglik = np.zeros_like(log_p), 0.0
    for rows, onehot in blocks(places, len(log_p)):
        there, heights = posterior(onehot, log_p, log_prior)
        there *= weights[rows, None]
        counts += onehot.T @ there
        loglik += weights[rows] @ heights
    return loglik, complete_gradient(layout, parameters, nodes, counts), counts


def score_blocks(layout, parameters, grid, places):
    """Rows, 0/1 answers, posterior and scores (rows, n_parameters) of each row's log-likelihood, some at a time."""
    nodes, log_prior = grid
    log_p, by_lower, by_upper = category_tables(layout, parameters, nodes)
    by_slope = (by_lower + by_upper) * nodes
    for rows, onehot in blocks(places, len(log_p)):
        there, _ = posterior(onehot, log_p, log_prior)
        scores = ((there @ by_lower.T) * onehot) @ layout.lower + ((there @ by_upper.T) * onehot) @ layout.upper
        yield rows, onehot, there, scores + ((there @ by_slope.T) * onehot) @ layout.slope


def outer_products(layout, parameters, grid, places, weights):
    """Sum of weight times score times score transposed."""
    total = np.zeros((len(parameters), len(parameters)))
    for rows, _, _, scores in score_blocks(layout, parameters, grid, places):
        total += (scores * weights[rows, None]).T @ scores
    return total


def observed_information(layout, parameters, grid, places, weights):
    """Minus the second derivatives of the log-likelihood.

    References
    ----------
    Louis (1982), Journal of the Royal Statistical Society B 44, 226-233: information of the complete data less the
    posterior variance of their score.
    """
    nodes, log_prior = grid
    log_p, by_lower, by_upper = category_tables(layout, parameters, nodes)
    pairs, counts = np.zeros((len(nodes), len(log_p), len(log_p))), np.zeros_like(log_p)
    information = np.zeros((len(parameters), len(parameters)))
    for rows, onehot, there, scores in score_blocks(layout, parameters, grid, places):
        there *= weights[rows, None]
        counts += onehot.T @ there
        information += (scores * weights[rows, None]).T @ scores
        for place, root in enumerate(np.sqrt(there).T):
            some = onehot * root[:, None]
            pairs[place] += some.T @ some
    for place, node in enumerate(nodes):
        lower, upper = by_lower[:, place, None], by_upper[:, place, None]
        by = lower * layout.lower + upper * layout.upper + node * (lower + upper) * layout.slope
        information -= by.T @ pairs[place] @ by
    for place, nudge in enumerate(NUDGE * np.eye(len(parameters))):
        high = complete_gradient(layout, parameters + nudge, nodes, counts)
        information[place] -= (high - complete_gradient(layout, parameters - nudge, nodes, counts)) / (2 * NUDGE)
    return (information + information.T) / 2


def climb(layout, start, grid, places, weights, *, max_iter, tol):
    """Quasi-Newton steps to the maximum, in a metric in which a standard error is about the same for every parameter.

    The metric is the outer product of scores, renewed until the step it proposes is shorter than `tol` standard errors.

    Returns
    -------
    parameters, log-likelihood, length of the last step (standard errors), its longest parameter, largest element of
    the gradient (log-likelihood a person), steps taken
    """
    raw, n, taken = layout.raw(start), weights.sum(), 0
    for _ in range(ROUNDS):
        parameters, chain = layout.parameters(raw), layout.jacobian(raw)
        height, gradient, _ = likelihood(layout, parameters, grid, places, weights)
        metric = chain.T @ outer_products(layout, parameters, grid, places, weights) @ chain / n
        metric += RIDGE * (taken == 0) * np.diag(np.diag(metric))
        root = np.linalg.cholesky(metric + 1e-12 * np.trace(metric) * np.eye(len(raw)))
        step = np.linalg.solve(root, chain.T @ gradient / n) * np.sqrt(n)
        back, origin = np.linalg.inv(root).T, raw
        if np.linalg.norm(step) < tol or taken >= max_iter:
            break

        def descent(moved, back=back, origin=origin):
            there = origin + back @ moved
            loglik, slope, _ = likelihood(layout, layout.parameters(there), grid, places, weights)
            return -loglik / n, -back.T @ (layout.jacobian(there).T @ slope) / n

        limits = {"gtol": tol / 2 / np.sqrt(n), "norm": 2, "maxiter": min(STEPS, max_iter - taken)}
        found = minimize(descent, np.zeros(len(raw)), jac=True, method="BFGS", options=limits)
        raw, taken = origin + back @ found.x, taken + max(found.nit, 1)
    longest = int(np.argmax(np.abs(back @ step) / np.linalg.norm(back, axis=1)))
    return parameters, height, float(np.linalg.norm(step)), longest, np.abs(gradient).max() / n, taken
