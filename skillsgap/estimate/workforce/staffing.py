"""Cells of a register, who of their staff answered, and expected head-counts in the full sample and every replicate."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.errors import EstimateError
from skillsgap.estimate.workforce.cells import register_cells
from skillsgap.estimate.workforce.pooled import posterior_of, softmax

LONGEST = 20.0  # logits; of a step of the calibration: keeps it finite where a profile is next to nowhere
NEAR = 0.2  # logits; where Newton's step of the calibration is safe
CALIBRATED = 1e-10  # relative error of a profile's head-count at which calibration stops


@dataclass(frozen=True)
class Staffing:
    """What gives the head-count of every cell and profile in each run: the full sample, then the replicates.

    They are made when asked for: all of them at once would fill the memory where cells are many.

    Parameters
    ----------
    where : sparse (cells, p), 0/1
    coefs : ndarray (runs, K, p)
    staff : ndarray (cells, runs), or (cells, 1) where it is the same in every run
    told : ndarray (cells,), share of the staff who answered
    group : ndarray (cells,), row of `answered` that a cell's respondents are in
    answered : ndarray (runs, groups, K), mean membership of respondents
    chance : ndarray (cells, K), variance of head-counts given all probabilities
    """

    where: sparse.csr_matrix
    coefs: np.ndarray
    staff: np.ndarray
    told: np.ndarray
    group: np.ndarray
    answered: np.ndarray
    chance: np.ndarray

    @property
    def n_runs(self):
        return len(self.coefs)

    def run(self, r):
        """Expected head-counts (cells, K) of a run."""
        prior = softmax(self.where @ self.coefs[r].T)
        mix = prior + self.told[:, None] * (self.answered[r][self.group] - prior)
        return mix * self.staff[:, [r % self.staff.shape[1]]]


def complete_cells(register, columns):
    """Cells of a register in order, each once, with their headcount; without headcount a row is a person."""
    absent = [name for name in columns if name not in register]
    if absent:
        raise EstimateError(f"the register has no column {', '.join(absent)}, which the terms name: complete the "
                            "register")
    cells = register_cells(register, [name for name in register if name != "headcount"])
    if not cells["headcount"].sum() > 0:
        raise EstimateError("the register has no staff: give cells with a headcount above 0")
    return cells


def indicators(frame, cells, terms):
    """0/1 columns of respondents and of cells (intercept first); the term owning each column (-1 none)."""
    people, where, owner = [np.ones((len(frame), 1))], [np.ones((len(cells), 1))], [-1]
    for i, term in enumerate(terms):
        mine, known = (_joined(table, term.split(":")) for table in (frame, cells))
        values = np.unique(np.concatenate([mine, known]))
        for made, keys in ((people, mine), (where, known)):
            rows = np.arange(len(keys))
            made.append(sparse.csr_matrix((np.ones(len(keys)), (rows, np.searchsorted(values, keys))),
                                          shape=(len(keys), len(values))))
        owner += [i] * len(values)
    return sparse.hstack(people, format="csr"), sparse.hstack(where, format="csr"), np.array(owner)


def _joined(table, columns):
    """One text key a row; the separator is in no code."""
    parts = [table[name].astype(str) for name in columns]
    return np.array(["\x1f".join(key) for key in zip(*parts, strict=True)], dtype=object)


def support_of(frame, cells, weights):
    """Respondents by the cell columns that are known of them: n, weight_sum, weight_squares."""
    keys = _shared(frame, cells)
    counted = frame[keys].assign(n=1, weight_sum=weights, weight_squares=weights**2)
    return counted.groupby(keys, sort=True, observed=True).sum().reset_index()


def surveyed_staff(cells, frame, weights):
    """Staff of cells that the weights of respondents (n, runs) add up to: (cells, runs)."""
    keys = _shared(frame, cells)
    mine = pd.Index(_joined(cells, keys)).get_indexer(_joined(frame, keys))
    return sparse.csr_matrix((np.ones(len(mine)), (mine, np.arange(len(mine)))), (len(cells), len(mine))) @ weights


def _shared(frame, cells):
    return [name for name in cells if name != "headcount" and name in frame]


def staffing(cells, frame, where, coefs, likelihoods, shares, *, staff, predict):
    """Head-counts by cell from coefficients, in every run: probabilities calibrated to shares, respondents as they are.

    Parameters
    ----------
    coefs : ndarray (runs, K, p)
    likelihoods : iterable over runs of ndarray (n, K)
    shares : ndarray (runs, K), direct
    staff : ndarray (cells, runs) or (cells, 1)
    predict : bool
        The very staff of the register are to be told, so those who answered are known; otherwise a large population
        that looks like the sample is.

    Returns
    -------
    Staffing
    """
    keys = _shared(frame, cells)
    names, mine, n = np.unique(_joined(frame, keys), return_inverse=True, return_counts=True)
    here = pd.Index(names).get_indexer(_joined(cells, keys))  # of a cell among the groups of respondents
    there = np.zeros(len(names), dtype=int)  # of a group among the cells; where there are several, terms are alike
    there[here[here >= 0]] = np.flatnonzero(here >= 0)
    first, group = there[mine], np.maximum(here, 0)
    size = np.bincount(group, np.where(here < 0, 0, staff[:, 0]), minlength=len(names))
    told = np.where(predict & (here >= 0), np.minimum(1, n / np.maximum(size, 1e-300))[group], 0.0)
    members = sparse.csr_matrix((1 / n[mine], (mine, np.arange(len(mine)))), shape=(len(names), len(mine)))
    coefs, answered = coefs.copy(), np.zeros((len(coefs), len(names), coefs.shape[1]))
    for r, likelihood in enumerate(likelihoods):
        probs = softmax(where @ coefs[r].T)
        added = tilt(probs, staff[:, r % staff.shape[1]], shares[r])
        coefs[r, :, 0] += added
        probs = softmax(np.log(np.maximum(probs, 1e-300)) + added)
        posterior = posterior_of(probs[first], likelihood)
        answered[r] = members @ posterior
        if r == 0:
            unsure = members @ (posterior * (1 - posterior))
            open_ = probs * (1 - probs)
            chance = predict * staff[:, :1] * (open_ + told[:, None] * (unsure[group] - open_))
    return Staffing(where, coefs, staff, told, group, answered, chance)


def tilt(probs, staff, shares):
    """What to add to every log probability (cells, K) so that profiles hold `shares` of all staff (Newton)."""
    goal, times = np.maximum(shares / shares.sum(), 1e-12) * staff.sum(), np.ones(probs.shape[1])
    for _ in range(100):
        each = staff / np.maximum(probs @ times, 1e-300)
        total = times * (each @ probs)
        if (np.abs(total - goal) <= CALIBRATED * staff.sum()).all():
            break
        step = np.log(goal / np.maximum(total, 1e-300))
        if np.abs(step).max() < NEAR:  # near: Newton's step, which the common shift (of no effect) makes solvable
            both = (probs * times).T @ (probs * times * (each**2 / np.maximum(staff, 1e-300))[:, None])
            step = np.linalg.solve(np.diag(total) - both + total.sum() / len(total) ** 2, goal - total)
        times = times * np.exp(np.clip(step - step.mean(), -LONGEST, LONGEST))
    return np.log(times)
