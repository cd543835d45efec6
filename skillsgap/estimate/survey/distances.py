"""Distances of calibrated from base weights, and the solver of calibration equations under each of them."""

from functools import partial

import numpy as np
from scipy import sparse, special

STEPS = 60  # Newton steps, after which totals are taken for impossible: those that are possible need 5 to 20
HALVINGS = 30
FLAT = 0.01  # slope, as a share of the free one, given to weights at a bound, so that a step leads off them again
RIDGE = 1e-13  # of the diagonal: margins that add up to the same total make the equations singular
LARGEST = 300.0  # exponents are kept below it, so that nothing overflows on the way


def distance(kind, bounds=None):
    """How the ratio g of a calibrated to its base weight follows from u = x'λ.

    Parameters
    ----------
    kind : {"linear", "exponential", "logit"}
        g = 1 + u; g = exp(u); or the S-shaped curve through g(0) = 1 between the bounds.
    bounds : (float, float), optional
        Of g. The first two are cut off there, the last comes near them.

    Returns
    -------
    function of u
        g, its slope, and its integral over u (the dual of the distance).

    References
    ----------
    Deville & Särndal (1992), Journal of the American Statistical Association 87, 376–382.

    Examples
    --------
    >>> distance("linear", (0.5, 1.2))(np.array([-1.0, 0.1, 1.0]))[0].tolist()
    [0.5, 1.1, 1.2]
    """
    lower, upper = (-np.inf, np.inf) if bounds is None else bounds
    if kind == "logit":
        return partial(_logit, lower=lower, upper=upper)
    if kind == "linear":
        return partial(_cut, curve=_linear, ends=(lower - 1, upper - 1))
    with np.errstate(divide="ignore"):
        ends = np.log(max(lower, 0.0)), min(np.log(upper), LARGEST)
    return partial(_cut, curve=_exponential, ends=ends)


def _linear(u):
    return 1 + u, np.ones_like(u), u + u * u / 2


def _exponential(u):
    g = np.exp(u)
    return g, g, g


def _cut(u, curve, ends):
    inside = np.clip(u, *ends)
    g, slope, area = curve(inside)
    return g, np.where(inside == u, slope, FLAT * slope), area + g * (u - inside)


def _logit(u, lower, upper):
    width = upper - lower
    steep = width / ((1 - lower) * (upper - 1))
    along = steep * u + np.log((1 - lower) / (upper - 1))
    share = special.expit(along)
    area = lower * u + width / steep * np.logaddexp(0, along)
    return lower + width * share, steep * width * share * (1 - share), area


def solve(x, base, targets, grow, *, tolerance, start=None, exclusive=0):
    """Ratios g with which base weights meet their targets, for many sets of base weights at once.

    Newton's method on the concave dual: a step that would lower it is halved.

    Parameters
    ----------
    x : sparse array of shape (n_rows, n_variables)
        Calibration variables.
    base : ndarray of shape (n_rows, n_sets)
    targets : ndarray of shape (n_variables, n_sets)
        Totals to meet. One of a variable that nobody with a weight has is passed over.
    grow : function from `distance`
    tolerance : float
        Relative error of a total at which a set is done.
    start : ndarray of shape (n_variables, 1), optional
        λ to begin with.
    exclusive : int
        The first variables, of which no row has two (categories of a margin): what is quick to solve for.

    Returns
    -------
    g : ndarray of shape (n_rows, n_sets)
    misfit : ndarray of shape (n_variables, n_sets)
        Relative errors; where one is above the tolerance, the totals could not be met.
    multipliers : ndarray of shape (n_variables, n_sets)

    Examples
    --------
    >>> sex = sparse.csr_array(np.array([[1.0, 0], [1, 0], [0, 1]]))
    >>> solve(sex, np.ones((3, 1)), np.array([[3.0], [3]]), distance("linear"), tolerance=1e-9)[0].ravel().round(6)
    array([1.5, 1.5, 3. ])
    """
    own, width = x[:, :exclusive], x.shape[1]
    pairs = [sparse.csr_array((0, len(base))), *(x.multiply(x[:, [k]]).T for k in range(exclusive, width))]
    pairs = sparse.vstack(pairs, format="csr")
    size = abs(x).T @ base
    wanted = np.where(size > 0, targets, 0.0)
    unit = np.maximum(np.abs(wanted), 1e-6 * size) + (size == 0)
    multipliers = np.zeros(targets.shape) if start is None else np.where(size > 0, start, 0.0)
    misfit, off = np.full(targets.shape, np.inf), np.arange(base.shape[1])
    g = np.ones(base.shape)
    for _ in range(STEPS):
        here, sums, now = base[:, off], wanted[:, off], multipliers[:, off]
        g[:, off], slope, area = grow(x @ now)
        left = sums - x.T @ (here * g[:, off])
        misfit[:, off] = left / unit[:, off]
        more = np.abs(misfit[:, off]).max(axis=0) >= tolerance
        if not more.any():
            break
        off, here, sums, now = off[more], here[:, more], sums[:, more], now[:, more]
        curve = here * slope[:, more]
        rest = (pairs @ curve).reshape(width - exclusive, width, len(off))
        step = _newton(own.multiply(own).T @ curve, rest, left[:, more])
        multipliers[:, off] = _climbed(x, here, sums, grow, now, step, (here * area[:, more]).sum(axis=0))
    return g, misfit, multipliers


def _newton(own, rest, left):
    """Steps (n_variables, n_sets) to the top of a quadratic dual.

    Its second derivatives are those of exclusive variables with themselves (n_exclusive, n_sets), which have none with
    each other, and those of the rest with all (n_rest, n_variables, n_sets).
    """
    first, more = len(own), np.arange(len(rest))
    spread = np.sqrt(np.vstack([own, rest[more, first + more]]))
    spread = np.where(spread > 0, spread, 1.0)
    rest = (rest / spread[first:, None] / spread).transpose(2, 0, 1)
    rest[:, more, first + more] = 1 + RIDGE
    across, left = rest[:, :, :first], (left / spread).T[:, :, None]
    square = rest[:, :, first:] - across @ across.transpose(0, 2, 1) / (1 + RIDGE)
    last = np.linalg.solve(square, left[:, first:] - across @ left[:, :first] / (1 + RIDGE))
    begin = (left[:, :first] - across.transpose(0, 2, 1) @ last) / (1 + RIDGE)
    return np.concatenate([begin, last], axis=1)[:, :, 0].T / spread


def _climbed(x, base, wanted, grow, now, step, area):
    """Multipliers after the longest of the steps 1, 1/2, 1/4 … that doesn't lower the dual."""
    height, length = (wanted * now).sum(axis=0) - area, np.ones(base.shape[1])
    noise = 1e-13 * (np.abs(wanted * now).sum(axis=0) + np.abs(area))
    open_ = np.arange(base.shape[1])
    for _ in range(HALVINGS):
        tried = now[:, open_] + length[open_] * step[:, open_]
        area = (base[:, open_] * grow(x @ tried)[2]).sum(axis=0)
        low = ~((wanted[:, open_] * tried).sum(axis=0) - area >= height[open_] - noise[open_])
        open_ = open_[low]
        if not len(open_):
            break
        length[open_] /= 2
    return now + length * step
