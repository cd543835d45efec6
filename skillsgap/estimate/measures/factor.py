"""One common factor of a scale's items, by normal-theory maximum likelihood: loadings, fit, omega."""

from dataclasses import dataclass

import numpy as np

FIT = ("chisq", "df", "cfi", "tli", "rmsea", "srmr")
MIN_ITEMS = 3  # two items have one covariance and two loadings
MAX_STEPS = 500  # Fisher scoring needs 5 to 50; far more means there is no inner maximum
MAX_HALVINGS = 12
TOLERANCE = 1e-10  # largest step, in correlations
RIDGE = 1e-10  # keeps a step finite where an item shares nothing with the others
SINGULAR = 1e-10  # smallest eigenvalue of correlations that have a likelihood: items answered alike have none
NUDGE = 1e-5  # of a parameter, in standard deviations of its item, for curvature


@dataclass(frozen=True)
class OneFactor:
    """A fitted factor of variance 1; NaN where none is identified or none was reached.

    Parameters
    ----------
    loadings, residual_variances : ndarray of shape (n_items,)
        Loadings add up to something positive. A residual variance below 0 says that one factor is a wrong model.
    discrepancy : float
        F_ML, 0 where the factor reproduces every covariance.
    """

    loadings: np.ndarray
    residual_variances: np.ndarray
    discrepancy: float

    @property
    def omega(self):
        """Share of the variance of the items' sum that the factor makes up (McDonald 1999)."""
        common = self.loadings.sum() ** 2
        return float(common / (common + self.residual_variances.sum()))

    @property
    def implied(self):
        """Covariances that the factor reproduces, of shape (n_items, n_items)."""
        return _implied(np.concatenate([self.loadings, self.residual_variances]))


def one_factor(covariance):
    """Loadings and residual variances of one factor behind the covariances of a scale.

    Residual variances are not kept above 0.

    Parameters
    ----------
    covariance : ndarray of shape (n_items, n_items)
        Of at least 3 items.

    Returns
    -------
    OneFactor

    References
    ----------
    Jöreskog (1967), Psychometrika 32, 443–482.

    Examples
    --------
    >>> loadings = np.array([0.8, 0.6, 0.5, 0.4])
    >>> fit = one_factor(np.outer(loadings, loadings) + np.diag(1 - loadings**2))
    >>> fit.loadings.round(3).tolist(), round(fit.omega, 3)
    ([0.8, 0.6, 0.5, 0.4], 0.671)
    """
    k, (correlations, spread) = len(covariance), as_correlations(np.asarray(covariance, dtype=float))
    values, discrepancy = np.full(2 * k, np.nan), np.nan
    if k >= MIN_ITEMS and np.isfinite(correlations).all() and np.linalg.eigvalsh(correlations)[0] > 0:
        values, discrepancy = _scoring(correlations)
    sign = -1 if values[:k].sum() < 0 else 1
    return OneFactor(sign * values[:k] * spread, values[k:] * spread**2, float(discrepancy))


def omega_slopes(covariance, factor):
    """How much omega changes with each covariance: to first order, the sum of slopes × changes.

    Parameters
    ----------
    covariance : ndarray of shape (n_items, n_items)
    factor : OneFactor
        Fitted to it.

    Returns
    -------
    ndarray of shape (n_items, n_items)
        Symmetric; NaN without a factor.
    """
    k, spread = len(covariance), np.sqrt(np.diag(covariance))
    if not np.isfinite(factor.discrepancy):
        return np.full((k, k), np.nan)
    values = np.concatenate([factor.loadings, factor.residual_variances])
    nudges = np.diag(NUDGE * np.concatenate([spread, spread**2]))
    change = [_slope(covariance, values + each)[0] - _slope(covariance, values - each)[0] for each in nudges]
    curvature = -np.array(change) / (2 * np.diag(nudges)[:, None])
    common, unique = factor.loadings.sum(), factor.residual_variances.sum()
    of_omega = np.repeat([2 * common * unique, -(common**2)], k) / (common**2 + unique) ** 2
    # at the maximum the slopes in the parameters stay 0, which says how parameters move with the covariances
    of_loadings, of_residuals = np.split(np.linalg.lstsq(curvature, of_omega)[0], 2)
    inverse = np.linalg.inv(factor.implied)
    both = np.outer(of_loadings, factor.loadings)
    return inverse @ (both + both.T + np.diag(of_residuals)) @ inverse / 2


def factor_fit(covariance, factor, n):
    """How well one factor reproduces the covariances of one scale.

    Parameters
    ----------
    covariance : ndarray of shape (n_items, n_items)
        With divisor n.
    factor : OneFactor
    n : float
        Respondents (of a weighted sample: effective ones).

    Returns
    -------
    dict
        chisq, df, cfi, tli, rmsea, srmr.

    References
    ----------
    Bentler (1990), Psychological Bulletin 107, 238–246; Hu & Bentler (1999), Structural Equation Modeling 6, 1–55.

    Examples
    --------
    >>> r = np.array([[1, 0.5, 0.4, 0.3], [0.5, 1, 0.4, 0.3], [0.4, 0.4, 1, 0.6], [0.3, 0.3, 0.6, 1]])
    >>> fit = factor_fit(r, one_factor(r), 200)
    >>> fit["df"], round(fit["srmr"], 3)
    (2, 0.078)
    """
    if not np.isfinite(factor.discrepancy):
        return dict.fromkeys(FIT, np.nan)
    k, (correlations, spread) = len(covariance), as_correlations(covariance)
    df, free_df = k * (k - 3) // 2, k * (k - 1) // 2
    chisq, free = n * factor.discrepancy, -n * np.linalg.slogdet(correlations)[1]  # free: all items unrelated
    excess, free_excess = chisq - df if df else 0.0, free - free_df
    worst = max(excess, free_excess, 0.0)
    cfi = 1 - max(excess, 0.0) / worst if worst else 1.0
    tli = 1 - excess / df * free_df / free_excess if df and free_excess else 1.0
    rmsea = float(np.sqrt(max(excess, 0.0) / (n * df))) if df else 0.0
    residuals = (covariance - factor.implied) / np.outer(spread, spread)
    srmr = float(np.sqrt(np.mean(residuals[np.tril_indices(k)] ** 2)))
    return dict(zip(FIT, (chisq, df, cfi, tli, rmsea, srmr), strict=True))


def as_correlations(covariance):
    """Correlations, and the standard deviations of the items; NaN for items without variance."""
    variances = np.diag(covariance)
    spread = np.sqrt(np.where(variances > 0, variances, np.nan))
    return covariance / np.outer(spread, spread), spread


def _implied(values):
    loadings, residuals = np.split(values, 2)
    return np.outer(loadings, loadings) + np.diag(residuals)


def _start(correlations):
    """Residual variances from squared multiple correlations, loadings from the first factor of what they leave."""
    residuals = (1 - 0.5 / len(correlations)) / np.diag(np.linalg.inv(correlations))
    root = np.sqrt(residuals)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    return np.concatenate([root * vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.1)), residuals])


def _scoring(correlations):
    """Fisher scoring with halved steps: (loadings, residual variances) and discrepancy; NaN where it doesn't end."""
    if np.linalg.eigvalsh(correlations)[0] <= SINGULAR:
        return np.full(2 * len(correlations), np.nan), np.nan
    values = _start(correlations)
    now = _discrepancy(correlations, values)
    for _ in range(MAX_STEPS):
        slope, inverse = _slope(correlations, values)
        step = np.linalg.lstsq(_information(values, inverse), slope, rcond=None)[0]
        if np.abs(step).max() <= TOLERANCE:
            return values, now
        for _ in range(MAX_HALVINGS):
            then = _discrepancy(correlations, values + step)
            if then <= now + 1e-12:  # 1e-12: rounding
                break
            step = step / 2
        values, now = values + step, then
    return np.full_like(values, np.nan), np.nan


def _discrepancy(correlations, values):
    eigen, vectors = np.linalg.eigh(_implied(values))
    if eigen[0] <= 0:
        return np.inf
    along = ((correlations @ vectors) * vectors).sum(axis=0)
    return (np.log(eigen) + along / eigen).sum() - np.linalg.slogdet(correlations)[1] - len(eigen)


def _slope(covariance, values):
    """Slope of minus half the discrepancy, and the inverse of the implied covariances."""
    implied = _implied(values)
    inverse = np.linalg.inv(implied)
    pull = inverse @ (covariance - implied) @ inverse
    return np.concatenate([pull @ values[: len(pull)], np.diag(pull) / 2]), inverse


def _information(values, inverse):
    """Expected curvature of half the discrepancy."""
    loadings = values[: len(inverse)]
    b = inverse @ loadings
    mixed = inverse * b
    loaded = np.outer(b, b) + loadings @ b * inverse
    return np.block([[loaded, mixed], [mixed.T, inverse**2 / 2]]) + RIDGE * np.eye(len(values))
