"""Steps one and two of the three-step method: who is in which profile, how often that is wrong, and what errors follow.

Step one measures (the fitted profiles), step two assigns each respondent, step three relates profiles to outcomes or
covariates. Assignments are wrong for known shares of people, the classification table; step three takes that out again.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.respondents import by_row_key
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import SurveyDesign, survey_design
from skillsgap.estimate.survey.weights import weights_of

CORRECTIONS = ("bch", "ml", "none")
ASSIGNMENTS = ("modal", "proportional")
SINGULAR = 1e-4  # smallest singular value of a classification table: below it two profiles can't be told apart
LEAST = 1e-300  # keeps logarithms finite
LOST = 0.05  # share of replicates that may be without a solution


@dataclass(frozen=True)
class Classified:
    """One measurement with one set of weights.

    Parameters
    ----------
    posterior : ndarray (n, K), P(profile | answers)
    member : ndarray (n, K), assignment: 0/1 (modal) or the posterior (proportional)
    weights : ndarray (n,)
    """

    posterior: np.ndarray
    member: np.ndarray
    weights: np.ndarray

    @cached_property
    def table(self):
        """P(assigned to | in profile), (K, K): rows are true profiles and sum to 1."""
        mass = self.posterior * self.weights[:, None]
        return (mass.T @ self.member) / np.maximum(mass.sum(axis=0), LEAST)[:, None]

    def corrected(self, correction, table=None):
        """Weights of each respondent in each profile (n, K): rows sum to 1; BCH's may be below 0."""
        if correction == "none":
            return self.member
        return self.member @ np.linalg.inv(self.table if table is None else table)

    @cached_property
    def records(self):
        """Respondent, profile assigned to and weight of each record; one record a respondent if modal, else up to K."""
        row, assigned = np.nonzero(self.member)
        return row, assigned, self.member[row, assigned]

    def log_emission(self, table=None):
        """log P(assigned to | in profile) of every record, (m, K)."""
        return np.log(np.maximum(self.table if table is None else table, LEAST)).T[self.records[1]]

    def check(self, correction):
        """Refuse what can't be corrected: nobody assigned to a profile, or two profiles that are one."""
        empty = np.flatnonzero(self.member.T @ self.weights <= 0) + 1
        if len(empty):
            raise EstimateError(f"nobody has profile {empty[0]} as the most probable one: take "
                                "assignment='proportional', or fit fewer profiles")
        if correction != "none" and np.linalg.svd(self.table, compute_uv=False)[-1] < SINGULAR:
            raise EstimateError("assignments don't tell all profiles apart (the classification table is singular), so "
                                "they can't be corrected: fit fewer profiles")


@dataclass(frozen=True)
class Steps:
    """Respondents in the order of their keys, measured and assigned with full-sample and replicate weights."""

    profiles: object
    answers: pd.DataFrame
    weights: np.ndarray
    design: SurveyDesign
    replicates: object
    correction: str
    assignment: str

    @cached_property
    def full(self):
        posterior = self.profiles.predict_proba(self.answers)
        return Classified(posterior, self._member(posterior), self.weights)

    @cached_property
    def place(self):
        """Where each respondent stands in the design."""
        return self.design.weights.index.get_indexer(self.answers.index)

    @cached_property
    def of_table(self):
        """Influence values of the classification table (n, K²), those that came through the measurement in them.

        Whoever is assigned where stays as it is; how often that is wrong moves with the measurement, whose parameters
        have the inverse outer product of their scores as covariance.
        """
        posterior, scores = self.full.posterior, known_scores(self.profiles, self.answers)
        n, n_profiles = posterior.shape
        apart = (self.full.member[:, None, :] - self.full.table) / (self.weights @ posterior)[:, None]
        moves = np.empty((n_profiles**2, *scores.shape[1:]))
        for u in range(n_profiles):
            turned = posterior * (np.eye(n_profiles)[u] - posterior[:, [u]]) * self.weights[:, None]
            moves[:, u] = (turned[:, :, None] * apart).reshape(n, -1).T @ scores[:, u]
        scores *= posterior[:, :, None]
        scores[:, :, 0] -= self.profiles.shares_
        scores = scores.reshape(n, -1)
        outer = np.linalg.pinv((scores * self.weights[:, None]).T @ scores, rcond=1e-10, hermitian=True)
        return (posterior[:, :, None] * apart).reshape(n, -1) + scores @ (outer @ moves.reshape(n_profiles**2, -1).T)

    def rerun(self):
        """The same with each replicate's weights and its own measurement.

        Corrected, the most probable profile stays the full sample's: what a change of it would do, the classification
        table takes out again, but jackknife replicates, which hardly move, would make too much of its jumps.
        """
        features, fixed = self.profiles._encode(self.answers), self.assignment == "modal" and self.correction != "none"
        for r, weights in enumerate(self.design.replicate_weights[self.place].T):
            joint = features @ self.profiles._layout.natural(self.replicates.theta[r][:, None])[:, 0].T
            posterior = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
            yield Classified(posterior, self.full.member if fixed else self._member(posterior), weights)

    def _member(self, posterior):
        if self.assignment == "proportional":
            return posterior
        return np.eye(posterior.shape[1])[posterior.argmax(axis=1)]

    def covariance(self, full, estimate, scores):
        """Covariance (p, p) of estimates, the classification table's error in it.

        Parameters
        ----------
        full : ndarray (p,), the full-sample estimates
        estimate : callable (Classified) -> ndarray (p,), for replicates
        scores : callable (estimates, table) -> ndarray (n, p), whose weighted sum is 0 at `full`, for linearisation
        """
        if not self.design.replicated:
            influence = np.zeros((len(self.design.weights), len(full)))
            influence[self.place] = _influence(self, full, scores)
            return self.design.covariance(influence)
        refitted = np.full((self.design.replicate_weights.shape[1], len(full)), np.nan)
        for r, classified in enumerate(self.rerun()):
            try:
                refitted[r] = estimate(classified)
            except (EstimateError, np.linalg.LinAlgError):  # told below
                continue
        lost = int(np.isnan(refitted).any(axis=1).sum())
        if lost > LOST * len(refitted):
            raise EstimateError(f"{lost} of {len(refitted)} replicates have no solution, so there is no error to tell: "
                                "merge categories, or fit fewer profiles")
        if lost:
            warnings.warn(f"{lost} of {len(refitted)} replicates have no solution and add nothing to errors",
                          stacklevel=4)
        deviations = self.design.deviations(full, refitted)
        return deviations.T @ deviations


def steps(profiles, answers, design, replicates, *, correction, assignment):
    """Measure and assign.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables)
    design : SurveyDesign, weights (Series or array), or None for equal weights
    replicates : ReplicateFits, or None to fit them here if the design has replicate weights
    """
    if correction not in CORRECTIONS or assignment not in ASSIGNMENTS:
        raise EstimateError(f"correction {correction!r}, assignment {assignment!r}: expected one of "
                            f"{', '.join(CORRECTIONS)} and one of {', '.join(ASSIGNMENTS)}")
    if not isinstance(design, SurveyDesign):
        rows = pd.DataFrame({"weight": weights_of(answers, design)}, index=answers.index)
        design = survey_design(rows, method="linearization")
    if replicates is None and design.replicated:
        replicates = profile_replicates(profiles, answers, design)
    if replicates is not None and len(replicates.shares) != design.replicate_weights.shape[1]:
        raise EstimateError(f"{len(replicates.shares)} replicate fits came with a design of "
                            f"{design.replicate_weights.shape[1]} replicates: fit them with this design")
    answers, weights = by_row_key(answers, design)
    made = Steps(profiles, answers, weights, design, replicates, correction, assignment)
    made.full.check(correction)
    return made


def matched(table, answers, what):
    """Outcomes or covariates (a table or a column) of the respondents, in the order of their keys."""
    table = table.to_frame() if isinstance(table, pd.Series) else table
    if not table.index.is_unique or not answers.index.isin(table.index).all():
        raise EstimateError(f"{what} lack row keys of the answers, or hold some twice: give each respondent one row")
    return table.loc[answers.index]


def _influence(made, full, scores):
    """Influence values (n, p) per unit of weight: of step three itself, and through the classification table."""
    weights, table = made.weights, made.full.table
    slope = _slopes(lambda at: weights @ scores(at, table), full)
    through = _slopes(lambda at: weights @ scores(full, at.reshape(table.shape)), table.ravel())
    pushed = scores(full, table)
    if through.any():
        pushed = pushed + made.of_table @ through.T
    return -np.linalg.solve(slope, pushed.T).T


def known_scores(profiles, answers):
    """Scores of each profile's natural parameters were everybody known to be in it, (n, K, columns)."""
    features, layout = profiles._encode(answers), profiles._layout
    there, width = np.ones_like(features), layout.width
    answered = np.add.reduceat(features[:, :width], layout.first, axis=1)
    there[:, :width] = np.repeat(answered, np.diff(np.append(layout.first, width)), axis=1)
    if layout.n_continuous and not layout.square:
        there[:, width:] = np.repeat(features[:, width::3], 3, axis=1)
    expected = profiles._theta.copy()
    expected[:, 0] = 0  # of the share only the slope: its score subtracts itself, in or out of the profile
    return features[:, None, :] - there[:, None, :] * expected


def _slopes(function, at):
    """Derivatives (len(function), len(at)) by central differences."""
    columns = []
    for j in range(len(at)):
        step = np.zeros_like(at)
        step[j] = 1e-5 * (1 + abs(at[j]))
        columns.append((function(at + step) - function(at - step)) / (2 * step[j]))
    return np.column_stack(columns)


def wald(estimate, covariance, degf):
    """p of the test that all estimates are 0, NaN without any: F with the rank of their covariance and what the design
    has left."""
    if not len(estimate):
        return np.nan
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-10 * max(values[-1], LEAST)
    rank = int(kept.sum())
    if not np.isfinite(values).all() or values[-1] <= 0 or degf < rank:
        return np.nan
    chi = ((vectors[:, kept].T @ estimate) ** 2 / values[kept]).sum()
    return float(stats.f.sf(chi / rank * (degf - rank + 1) / degf, rank, degf - rank + 1))
