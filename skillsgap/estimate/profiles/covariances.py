"""The 14 covariance models of Gaussian mixtures: their constrained M step and their parameters.

A model is three letters for volume, shape and orientation of the profiles' ellipsoids: E equal over profiles,
V varying, I spherical (shape) or along the axes (orientation). Covariance of profile k = volume * D A D' with D
orthogonal (orientation) and A diagonal with determinant 1 (shape).
"""

import numpy as np

from skillsgap.errors import EstimateError

MODELS = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")
RIDGE = 1e-10  # part of the overall scatter added to every profile's: no covariance is singular
CONSTANT = 1e-6  # least variance of a column, of their mean, by which its own scatter is measured
NARROW = 1e-4  # variance in some direction, of the pooled one, below which a profile is a coincidence
SETTLED = 1e-12  # change of the mean log-likelihood at which an iterative M step stops
COLD_ROUNDS, WARM_ROUNDS = 500, 5  # most rounds of an iterative M step; a warm one is resumed in the next EM step
TINY = 1e-10  # rows an empty profile is taken to hold


def constrained(model, counts, scatter, *, variances=None, previous=None):
    """Covariances that maximise the expected log-likelihood under a covariance model (the M step).

    What is maximised is sum_k -(counts_k log|S_k| + tr(S_k^-1 W_k)) / 2 with W_k the scatter of profile k plus
    1e-10 of the overall scatter diag(n * variances): no eigenvalue falls below 1e-10 of the overall variance, no
    likelihood is infinite, and every step maximises one and the same, minutely penalised, likelihood.
    VEI, VEE and VEV have one maximum and are found by alternation. EVE and VVE turn the common axes plane by plane,
    from the axes of the pooled scatter; each turn is the best one in closed form for a bound that touches the
    likelihood (Browne and McNicholas's majorisation), given the variances along the axes; planes that share no axis
    turn at once.

    Parameters
    ----------
    model : str
        One of `MODELS`.
    counts : ndarray (K,) or (K, R) >= 0
        Sums of the (weighted) posteriors of the profiles, of R runs.
    scatter : ndarray (K, d, d) or (K, R, d, d)
        sum_i w_i p_ik (x_i - mean_k)(x_i - mean_k)', in the units of the data up to one factor: EII, VII, EVE, VVE,
        EEV and VEV change when single columns change their unit.
    variances : ndarray (d,) or (R, d), optional
        Overall variance of each column in the same units; the pooled scatter's where not given, which is no floor
        when all profiles shrink together.
    previous : ndarray like scatter, optional
        Covariances of the step before. The five iterative models then start from them and do a few rounds only:
        faster, and EM never goes downhill.

    Returns
    -------
    ndarray like scatter

    Raises
    ------
    EstimateError
        A model that isn't one of the 14.

    References
    ----------
    Celeux and Govaert (1995), Pattern Recognition 28, 781-793. Flury and Gautschi (1986), SIAM Journal on
    Scientific and Statistical Computing 7, 169-184. Browne and McNicholas (2014), Advances in Data Analysis and
    Classification 8, 217-226.

    Examples
    --------
    >>> scatter = np.array([np.diag([4.0, 1.0]), np.diag([1.0, 1.0])])
    >>> constrained("EEI", np.array([3.0, 2.0]), scatter)[0].round(6).tolist()
    [[1.0, 0.0], [0.0, 0.4]]
    """
    _check(model)
    if np.ndim(counts) == 1:
        before = None if previous is None else previous[:, None]
        return constrained(model, counts[:, None], scatter[:, None], variances=variances, previous=before)[:, 0]
    counts = np.maximum(counts, TINY)
    scatter = _ridged(counts, scatter, variances)
    if model == "EEE":
        pooled = scatter.sum(axis=0) / counts.sum(axis=0)[:, None, None]
        return np.broadcast_to(pooled, scatter.shape).copy()
    if model == "VVV":
        return scatter / counts[..., None, None]
    if model == "VEE":
        return _equal_form(counts, scatter, previous)
    return _along_axes(model, counts, scatter, previous)


def n_covariance_parameters(model, n_profiles, n_variables):
    """Number of free covariance parameters of a model (Celeux and Govaert 1995, table 1).

    Examples
    --------
    >>> [n_covariance_parameters(model, 3, 2) for model in ("EII", "EEE", "VVV")]
    [1, 3, 9]
    """
    _check(model)
    held = {"I": 0, "E": 1, "V": n_profiles}
    volume, shape, orientation = (held[letter] for letter in model)
    return volume + shape * (n_variables - 1) + orientation * n_variables * (n_variables - 1) // 2


def degenerate(model, counts, covariances):
    """Whether a fit owes its likelihood to a coincidence: a profile squeezed onto a few rows, a line or a plane.

    With covariances that vary, the likelihood has no bound: a profile on one row, or on rows that share a rounded
    value, raises it at will. Such a maximum is told by a profile that holds fewer than d + 1 rows, or whose variance in
    some direction is below 1e-4 of the pooled within-profile variance in that direction (Hathaway's condition with the
    pooled covariance as the yardstick; no unit or rotation of the data enters). Models with one covariance for all
    profiles can't degenerate.

    Parameters
    ----------
    model : str
    counts : ndarray (K, R)
        Rows each profile holds.
    covariances : ndarray (K, R, d, d)

    Returns
    -------
    ndarray (R,) of bool

    References
    ----------
    Hathaway (1985), Annals of Statistics 13, 795-800. McLachlan and Peel (2000), Finite Mixture Models, ch. 3.10.

    Examples
    --------
    >>> covariances = np.array([np.eye(2), np.diag([1.0, 1e-7])])[:, None]
    >>> degenerate("VVV", np.array([[50.0], [50.0]]), covariances).tolist()
    [True]
    """
    _check(model)
    if "V" not in model or len(counts) == 1:
        return np.zeros(counts.shape[1], dtype=bool)
    shares = counts / counts.sum(axis=0)
    pooled = (shares[..., None, None] * covariances).sum(axis=0)
    whiten = np.linalg.inv(np.linalg.cholesky(pooled))
    least = np.linalg.eigvalsh(whiten @ covariances @ np.swapaxes(whiten, 1, 2))[..., 0]
    return ((least < NARROW) | (counts < covariances.shape[-1] + 1)).any(axis=0)


def _check(model):
    if model not in MODELS:
        raise EstimateError(f"covariance model {model!r} is not known: use one of {', '.join(MODELS)}")


def _ridged(counts, scatter, variances):
    total = counts.sum(axis=0)[:, None]
    if variances is None:
        variances = np.diagonal(scatter, axis1=2, axis2=3).sum(axis=0) / total
    # A constant column has no variance of its own to be measured by.
    least = CONSTANT * np.mean(variances, axis=-1, keepdims=True) + np.finfo(float).tiny ** 0.5
    variances = np.maximum(variances, least)
    overall = RIDGE * total * variances
    return scatter + overall[..., None] * np.eye(scatter.shape[-1])


def _along_axes(model, counts, scatter, previous):
    """Models whose profiles have axes: the columns, their own eigenvectors, or common ones to be found first."""
    volume, shape, orientation = model
    if orientation == "I":
        values = _diagonal(scatter)
        if shape == "I":
            # A sphere is the diagonal model of the mean variance: equal or unequal.
            values, shape = np.broadcast_to(values.mean(axis=-1, keepdims=True), values.shape), volume
        form = None if previous is None else _diagonal(previous[0])
        return _spectra(volume + shape, counts, values, form)[..., None] * np.eye(values.shape[-1])
    if orientation == "V":
        values, axes = np.linalg.eigh(scatter)
    else:
        axes = _common_axes(volume, counts, scatter, previous)
        values = _diagonal(np.swapaxes(axes, 1, 2) @ scatter @ axes)
    form = np.linalg.eigvalsh(previous[0]) if previous is not None and model == "VEV" else None
    return (axes * _spectra(volume + shape, counts, values, form)[..., None, :]) @ np.swapaxes(axes, -1, -2)


def _diagonal(matrices):
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _spectra(kind, counts, values, form=None):
    """Variances (K, R, d) along the axes from the scatter along them; kind: volume and shape, E or V."""
    if kind == "EE":
        return np.broadcast_to(values.sum(axis=0) / counts.sum(axis=0)[:, None], values.shape)
    if kind == "VV":
        return values / counts[..., None]
    if kind == "EV":
        size = _size(values)
        return values / size * (size.sum(axis=0) / counts.sum(axis=0)[:, None])
    rounds = COLD_ROUNDS if form is None else WARM_ROUNDS
    form = values.sum(axis=0) if form is None else form
    for _ in range(rounds):
        before = form / _size(form)
        volumes = (values / before).mean(axis=-1, keepdims=True) / counts[..., None]
        form = (values / volumes).sum(axis=0)
        form = form / _size(form)
        if np.abs(np.log(form / before)).max() ** 2 < SETTLED:  # the likelihood is flat to first order at its maximum
            break
    return volumes * form


def _size(values):
    """Geometric mean over the axes: the d-th root of the determinant."""
    return np.exp(np.log(values).mean(axis=-1, keepdims=True))


def _equal_form(counts, scatter, previous):
    """VEE: volumes times one matrix of determinant 1, by alternation."""
    rounds = COLD_ROUNDS if previous is None else WARM_ROUNDS
    form = scatter.sum(axis=0) if previous is None else previous[0]
    form = form / _root_determinant(form)
    for _ in range(rounds):
        inverse = np.linalg.inv(form)
        volumes = np.einsum("rij,krji->kr", inverse, scatter) / (scatter.shape[-1] * counts)
        form = (scatter / volumes[..., None, None]).sum(axis=0)
        form = form / _root_determinant(form)
        change = inverse @ form - np.eye(form.shape[-1])
        if (change**2).sum(axis=(1, 2)).max() < SETTLED:
            break
    return volumes[..., None, None] * form


def _root_determinant(matrices):
    return np.exp(np.linalg.slogdet(matrices)[1] / matrices.shape[-1])[:, None, None]


def _common_axes(volume, counts, scatter, previous):
    """EVE and VVE: orthogonal matrices (R, d, d) whose columns are the profiles' common axes.

    Both log v and a geometric mean of v lie below their tangents, so a turn that lowers the tangent sum_k slope_k' v_k
    of the variances v along the axes lowers the cost; in one plane the tangent is a cosine of twice the angle.
    """
    start, rounds = scatter.sum(axis=0), COLD_ROUNDS
    if previous is not None:
        # A sum of matrices with common axes has these axes; unequal parts keep its eigenvalues apart.
        parts = np.sqrt(np.arange(1.0, len(previous) + 1))[:, None, None, None]
        start, rounds = (parts * previous / _diagonal(previous).sum(axis=-1)[..., None, None]).sum(axis=0), WARM_ROUNDS
    axes = np.linalg.eigh(start)[1]
    inside = np.swapaxes(axes, 1, 2) @ scatter @ axes
    cost = _axes_cost(volume, counts, inside)
    for _ in range(rounds):
        for planes in _rounds(axes.shape[-1]):
            turn = _best_turn(volume, counts, inside, *planes)
            axes = axes @ turn
            inside = np.swapaxes(turn, 1, 2) @ inside @ turn
        before, cost = cost, _axes_cost(volume, counts, inside)
        if (before - cost).max() < SETTLED:
            break
    return axes


def _rounds(d):
    """Pairs of d axes, first and second (2, pairs), in rounds whose pairs share none: a tournament's schedule."""
    ring = np.arange(d + d % 2)
    schedule = []
    for _ in ring[1:]:
        pairs = np.sort(np.stack([ring[:len(ring) // 2], ring[:len(ring) // 2 - 1:-1]]), axis=0)
        schedule.append(pairs[:, pairs[1] < d])
        ring = np.concatenate([ring[:1], np.roll(ring[1:], 1)])
    return schedule


def _axes_cost(volume, counts, inside):
    """-2/n times the log-likelihood with the variances along the axes at their best, up to a constant."""
    logs = np.log(_diagonal(inside))
    if volume == "V":
        return (counts[..., None] * logs).sum(axis=(0, 2)) / counts.sum(axis=0)
    return logs.shape[-1] * np.log(np.exp(logs.mean(axis=-1)).sum(axis=0))


def _best_turn(volume, counts, inside, p, q):
    """Matrices (R, d, d) that turn axes p[i] and q[i] by the best angle for each i."""
    values = _diagonal(inside)
    size = counts[..., None] if volume == "V" else _size(values)
    slope = size / values[..., p] - size / values[..., q]
    even = (slope * (values[..., p] - values[..., q])).sum(axis=0) / 2
    odd = (slope * inside[..., p, q]).sum(axis=0)
    angle = np.where((even == 0) & (odd == 0), 0.0, np.arctan2(-odd, -even) / 2)
    turn = np.tile(np.eye(inside.shape[-1]), (len(angle), 1, 1))
    turn[:, p, p] = turn[:, q, q] = np.cos(angle)
    turn[:, q, p] = np.sin(angle)
    turn[:, p, q] = -turn[:, q, p]
    return turn
