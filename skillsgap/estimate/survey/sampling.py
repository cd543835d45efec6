"""How a sample was drawn, stage by stage: what linearised variances and resampling are taken from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.errors import EstimateError

LONELY = ("fail", "adjust", "collapse", "certainty")  # what is done with a stratum of one sampling unit


@dataclass(frozen=True)
class Stage:
    """Units of one stage: their number for each row, their parents, and how many of a parent's were sampled.

    Parameters
    ----------
    units : ndarray of shape (n_rows,)
    parents : ndarray of shape (n_units,)
        Number of the stratum (first stage), or of the unit of the stage before.
    sampled : ndarray of shape (n_parents,)
    population : ndarray of shape (n_parents,), or None
        Units there are; None = drawn with replacement, later stages then add nothing.
    alone : {"adjust", "certainty"}
        What a parent's only unit, one of several there are, adds to the variance.
    """

    units: np.ndarray
    parents: np.ndarray
    sampled: np.ndarray
    population: np.ndarray | None
    alone: str = "certainty"

    @property
    def fraction(self):
        """Share of its units that were sampled, of each parent; 0 where drawn with replacement."""
        return np.zeros(len(self.sampled)) if self.population is None else self.sampled / self.population

    def take(self, rows):
        """The stage seen from some rows: units without any of them still count."""
        return Stage(self.units[rows], self.parents, self.sampled, self.population, self.alone)

    def spread(self, values, share):
        """Sum over parents of share * (1 - n/N) n/(n - 1) times squared deviations of unit totals."""
        totals = _sums(self.units, len(self.parents)) @ values
        means = (_sums(self.parents, len(self.sampled)) @ totals) / self.sampled[:, None]
        n = np.maximum(self.sampled, 2)
        factor = share * (1 - self.fraction) * np.where(self.sampled > 1, n / (n - 1), 0.0)
        if self.alone == "adjust":
            alone = self.sampled == 1
            means[alone] = totals.mean(axis=0)
            factor = np.where(alone, share * (1 - self.fraction), factor)
        deviations = totals - means[self.parents]
        return (deviations * factor[self.parents, None]).T @ deviations


def _sums(codes, n):
    """Sparse matrix that adds up rows by their code."""
    return sparse.csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(n, len(codes)))


def sampling_stages(rows, *, stratum=None, stages=(), lonely="fail"):
    """Read the stages of a sample from its columns.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, …)
    stratum : str, optional
        Column of the first stage's strata.
    stages : sequence of (unit column or None, population column or None)
        From the outside in. Without a unit column every row is its own unit. A population is the number of units in
        the stratum or parent unit, or, where no value is above 1, the fraction of them that was sampled.
    lonely : {"fail", "adjust", "collapse", "certainty"}
        A stratum with one sampling unit of several: refused; set against the mean of all units; joined with the next
        stratum; or taken to add nothing.

    Returns
    -------
    tuple of Stage

    Raises
    ------
    EstimateError
        A stratum has one sampling unit, or a population that varies within it or is less than what was sampled.

    References
    ----------
    Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, ch. 4; Lumley (2010), Complex Surveys, ch. 3.

    Examples
    --------
    >>> rows = pd.DataFrame({"ministry": ["A", "A", "A", "B", "B"], "agency": [1, 1, 2, 3, 4], "of": [9, 9, 9, 2, 2]})
    >>> sampling_stages(rows, stratum="ministry", stages=[("agency", "of")])[0].fraction.round(2).tolist()
    [0.22, 1.0]
    """
    names = pd.Series("", rows.index) if stratum is None else rows[stratum].astype(str)
    parents, labels = pd.factorize(names.to_numpy(), sort=True)
    made = []
    for depth, (unit, population) in enumerate(stages or [(None, None)]):
        own = np.arange(len(rows)) if unit is None else pd.factorize(rows[unit].astype(str).to_numpy(), sort=True)[0]
        units, first = _numbered(parents, own)
        above = parents[first]
        there = None if population is None else _population(rows[population], parents, labels, first, above, depth)
        stage = Stage(units, above, np.bincount(above, minlength=len(labels)), there)
        made.append(_checked(stage, labels, lonely, depth))
        if population is None:
            break
        labels = names.iloc[first].to_numpy() if unit is None else rows[unit].astype(str).iloc[first].to_numpy()
        parents = units
    return tuple(made)


def _numbered(parents, own):
    """Units told apart within their parent: a number for each row, and the first row of each unit."""
    pairs = parents.astype(np.int64) * (own.max(initial=0) + 1) + own
    _, first, units = np.unique(pairs, return_index=True, return_inverse=True)
    return units, first


def _population(values, parents, labels, first, above, depth):
    told = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    largest = np.full(len(labels), -np.inf)
    smallest = np.full(len(labels), np.inf)
    np.maximum.at(largest, parents, told)
    np.minimum.at(smallest, parents, told)
    unclear = np.flatnonzero(~(largest - smallest <= 1e-9 * np.abs(largest)) | ~(smallest > 0))
    if len(unclear):
        raise EstimateError(f"{_where(depth)} {labels[unclear[0]]!r}: its population count ({values.name}) is empty, "
                            "not above 0, or not the same in every row: give one number")  # fmt: skip
    sampled = np.bincount(above, minlength=len(labels))
    population = sampled / largest if largest.max() <= 1 else largest
    short = np.flatnonzero(population < sampled * (1 - 1e-9))
    if len(short):
        place, remedy = short[0], "correct the population count"
        raise EstimateError(f"{_where(depth)} {labels[place]!r}: {sampled[place]} units were sampled of the "
                            f"{population[place]:g} there are ({values.name}): {remedy}")  # fmt: skip
    return population


def _where(depth):
    return "stratum" if depth == 0 else f"unit of stage {depth}"


def _checked(stage, labels, lonely, depth):
    """The stage with what is to be done about units that are alone."""
    alone = np.flatnonzero((stage.sampled == 1) & (stage.fraction < 1))
    if not len(alone) or lonely == "certainty":
        return stage
    if lonely == "adjust":
        return Stage(stage.units, stage.parents, stage.sampled, stage.population, "adjust")
    if lonely == "collapse" and depth == 0 and len(stage.parents) > 1:
        return _collapsed(stage, set(alone))
    if len(labels) == 1 and depth == 0:
        raise EstimateError("the sample has one sampling unit, so no variance can be told: name the units people were "
                            "drawn in (psu), or leave psu out where they were drawn one by one")  # fmt: skip
    count = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
    join = "collapse (joins it with the next) or " if depth == 0 else ""
    raise EstimateError(f"{_where(depth)} {labels[alone[0]]!r}{count} has one sampling unit, so its variance can't be "
                        f"told: merge it with a similar one, or set design.lonely_psu to {join}certainty")  # fmt: skip


def _collapsed(stage, alone):
    """Strata of one unit joined with the next one in the order of their names (the last with the one before)."""
    target, group, units = np.zeros(len(stage.sampled), dtype=int), 0, 0
    for code, sampled in enumerate(stage.sampled):
        target[code], units = group, units + sampled
        if units > 1 or code not in alone:
            group, units = group + 1, 0
    target[target == group] = max(group - 1, 0)
    sampled = np.bincount(target, weights=stage.sampled).astype(int)
    population = None if stage.population is None else np.bincount(target, weights=stage.population)
    return Stage(stage.units, target[stage.parents], sampled, population, stage.alone)


def stage_covariance(stages, values):
    """Covariance of the totals of `values` (weight times influence, (n_rows, p)) under a sample of these stages.

    Each stage adds its own term, times the sampling fractions of the stages outside it.
    """
    total, share = 0.0, np.ones(len(stages[0].sampled))
    for stage in stages:
        total = total + stage.spread(values, share)
        share = (share * stage.fraction)[stage.parents]
    return total


def stage_degf(stages, weights):
    """Degrees of freedom of a variance: units of the first stage in which somebody has a weight, less their strata."""
    there = np.unique(stages[0].units[weights > 0])
    return len(there) - len(np.unique(stages[0].parents[there]))
