"""Replicates of a sample: factors of the base weight that stand for other samples of the same kind."""

import numpy as np
from scipy import linalg

from skillsgap.errors import EstimateError

RHO = 0.5  # Fay: weights of a half sample are multiplied by rho and 2 - rho


def bootstrap_factors(stages, n_replicates, rng):
    """Rescaled bootstrap: n - 1 of n units drawn with replacement in every stratum, and scaled for its fraction.

    Where units were drawn of a population (fpc), what is drawn inside them is resampled too, each stage with the
    fractions of those outside it.

    Parameters
    ----------
    stages : tuple of Stage
    n_replicates : int
    rng : numpy Generator

    Returns
    -------
    factors : ndarray of shape (n_rows, n_replicates)
    scales : ndarray of shape (n_replicates,)

    References
    ----------
    Rao, Wu & Yue (1992), Survey Methodology 18, 209–217; Preston (2009), Survey Methodology 35, 227–234.
    """
    share = np.ones(len(stages[0].sampled))
    above = np.ones((len(stages[0].sampled), n_replicates))  # how often the parent was drawn, rescaled
    factors = np.ones((len(stages[0].units), n_replicates))
    for stage in stages:
        drawn = _drawn(stage, n_replicates, rng)
        spread = np.sqrt(share * (1 - stage.fraction))[stage.parents, None]
        # the root keeps the variance that a unit drawn several times adds inside it at once its size
        root = np.sqrt(above)[stage.parents]
        factors += (spread * root * (drawn - 1))[stage.units]
        above, share = above[stage.parents] * drawn, (share * stage.fraction)[stage.parents]
    return factors, np.full(n_replicates, 1 / n_replicates)


def _drawn(stage, n_replicates, rng):
    """How often each unit is drawn, times n / (n - 1); 1 for units that are alone."""
    drawn = np.ones((len(stage.parents), n_replicates))
    order = np.argsort(stage.parents, kind="stable")
    ends = np.cumsum(stage.sampled)
    for size in np.unique(stage.sampled[stage.sampled > 1]):
        parents = np.flatnonzero(stage.sampled == size)
        units = order[(ends[parents] - size)[:, None] + np.arange(size)]
        counts = rng.multinomial(size - 1, np.full(size, 1 / size), size=(len(parents), n_replicates))
        drawn[units.ravel()] = counts.transpose(0, 2, 1).reshape(-1, n_replicates) * (size / (size - 1))
    return drawn


def jackknife_factors(stages):
    """Delete one unit at a time and multiply the rest of its stratum by n / (n - 1) (JK1, or JKn with strata).

    Returns
    -------
    factors : ndarray of shape (n_rows, n_units)
    scales : ndarray of shape (n_units,)
        (n - 1) / n of the unit's stratum, times one less its sampling fraction.
    """
    first = stages[0]
    n = first.sampled[first.parents]
    left, mine = np.arange(len(first.parents)), first.units
    same = first.parents[mine][:, None] == first.parents[left]
    grown = np.where(n > 1, n / np.maximum(n - 1, 1), 1.0)
    factors = np.where(same, grown, 1.0)
    factors[mine[:, None] == left] = 0.0
    alone = np.flatnonzero(n == 1)
    factors[:, alone] = 1.0  # leaving a lonely unit out tells nothing
    return factors, (n - 1) / n * (1 - first.fraction[first.parents])


def paired_factors(stages, kind, rho=RHO):
    """Half samples of two units in every stratum: JK2 (a stratum at a time), BRR, or Fay's (balanced).

    Parameters
    ----------
    stages : tuple of Stage
    kind : {"jk2", "brr", "fay"}
    rho : float
        Of Fay's.

    Returns
    -------
    factors : ndarray of shape (n_rows, n_replicates)
    scales : ndarray of shape (n_replicates,)

    Raises
    ------
    EstimateError
        A stratum has not two units.

    References
    ----------
    McCarthy (1969), Review of the International Statistical Institute 37, 239–264; Judkins (1990), Journal of
    Official Statistics 6, 223–239.
    """
    first = stages[0]
    if (first.sampled != 2).any():
        raise EstimateError(f"{kind} replicates need two sampling units in every stratum: use bootstrap or jackknife")
    order = np.argsort(first.parents, kind="stable")
    second = np.zeros(len(first.parents), dtype=bool)
    second[order[1::2]] = True
    sign, stratum = np.where(second, -1.0, 1.0)[first.units], first.parents[first.units]
    strata = len(first.sampled)
    if kind == "jk2":
        return 1 - sign[:, None] * (stratum[:, None] == np.arange(strata)), np.ones(strata)
    count = 1 << int(strata).bit_length()  # the power of two above the number of strata
    signs = linalg.hadamard(count)[:, 1 : strata + 1].T[stratum] * sign[:, None]
    half = 1.0 if kind == "brr" else 1 - rho
    return 1 + half * signs, np.full(count, 1 / (count * half**2))
