"""Latent class analysis of levels, with design weights and missing answers.

Many runs (starts, or replicates) climb together in one matrix product. Parameters of all runs are one array
`theta` (profiles, runs, 1 + categories): first the share, then the probabilities, variable after variable;
`first` holds the first column of each of these blocks. Data are a 0/1 matrix (n, 1 + categories) whose first
column is 1 and where a missing answer is a row of zeros.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.weights import as_table, kish, row_order, weights_of

FLOOR = 1e-12  # count no category falls below: keeps log finite, moves a log-likelihood by less than 1e-8
BLOCK = 1 << 18  # numbers worked on at a time (2 MB): the passes over one block stay in the processor's cache
SHORT_STEPS = 30  # EM steps by which starts are ranked before only the best go on
FINALISTS = 10  # starts carried to convergence
RANKED = 1e-8  # mean log-likelihood at which finalists stop: enough to tell which is best
REACHED = 0.01  # log-likelihood units within which a start counts as having reached the best


class CompetencyProfiles(BaseEstimator):
    """Estimate shares and answer probabilities of latent profiles (latent class analysis).

    Weighted pseudo-likelihood by accelerated EM with full information: a missing answer adds nothing.
    Levels are taken as categories, so no distance between them is assumed. Profiles are numbered by
    increasing expected level over all variables (ties by share), whatever the order of rows or the seed.

    Parameters
    ----------
    n_profiles : int >= 1
    n_starts : int >= 1
        The first start orders the profiles by level, the others perturb the marginal distributions.
        All run 30 steps, the best 10 to 1e-8, the winner to `tol`.
    max_iter : int
        Most EM steps of one start.
    tol : float
        A start has converged when three EM steps raise the mean log-likelihood by less.
    random_state : int

    Attributes
    ----------
    shares_ : ndarray (n_profiles,), sums to 1
    item_probs_ : dict, variable -> DataFrame (profile 1..K x category), rows sum to 1
    categories_ : dict, variable -> ndarray of the codes seen
    loglik_ : float, weights normalised to sum to the number of rows used
    n_parameters_, n_rows_, n_iter_ : int
    n_starts_reached_ : int, of the `n_starts_finished_` run to convergence, those within 0.01 of the best
    converged_ : bool

    References
    ----------
    Linzer and Lewis (2011), Journal of Statistical Software 42(10).
    Varadhan and Roland (2008), Scandinavian Journal of Statistics 35, 335-353 (squared extrapolation).

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 0, 1, 1], "c": [0, 0, 1, None]})
    >>> fit = CompetencyProfiles(n_profiles=2).fit(answers)
    >>> fit.shares_.round(3).tolist()
    [0.5, 0.5]
    >>> fit.item_probs_["c"].round(3).to_numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, n_profiles=5, n_starts=20, max_iter=2000, tol=1e-10, random_state=0):
        self.n_profiles = n_profiles
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, answers, y=None, sample_weight=None):
        """Fit the profiles.

        Parameters
        ----------
        answers : DataFrame (n_respondents, n_variables), integer codes, NaN = missing, index = row key
        y : ignored
        sample_weight : Series with the same index, or array (n_respondents,), >= 0; scaling changes nothing

        Raises
        ------
        EstimateError
            A variable nobody answered, codes that aren't whole numbers, fewer rows than profiles.
        """
        table, weights = _sorted_rows(answers, sample_weight)
        used = (weights > 0) & table.notna().any(axis=1).to_numpy()
        table, weights = table[used], weights[used]
        self._check(table)
        self.categories_ = {name: np.unique(table[name].dropna().to_numpy(dtype=int)) for name in table}
        self.feature_names_in_ = table.columns.to_numpy(dtype=object)
        self.n_features_in_ = table.shape[1]
        self.n_rows_ = len(table)
        weights = weights[None, :] * len(weights) / weights.sum()
        onehot = self._encode(table)
        starts = self._first_columns()
        theta = self._starting_values(weights[0] @ onehot / len(table))
        theta, loglik, *_ = climb(onehot, weights, theta, starts, max_iter=SHORT_STEPS, tol=self.tol)
        best = np.argsort(-loglik, kind="stable")[:FINALISTS]
        theta, loglik, steps, _ = climb(
            onehot, weights, theta[:, best], starts, max_iter=self.max_iter, tol=max(self.tol, RANKED))
        self.n_starts_finished_ = len(best)
        self.n_starts_reached_ = int(((loglik.max() - loglik) * len(table) <= REACHED).sum())
        winner = [int(np.argmax(loglik))]
        theta, loglik, last, done = climb(
            onehot, weights, theta[:, winner], starts, max_iter=self.max_iter, tol=self.tol)
        self.loglik_ = float(loglik[0] * len(table))
        self.n_iter_, self.converged_ = SHORT_STEPS + int(steps[winner][0] + last[0]), bool(done[0])
        self._store(theta[:, 0])
        return self

    def predict_proba(self, answers):
        """P(profile | answers), ndarray (n_respondents, n_profiles) in the order of the rows given."""
        table, _ = _sorted_rows(answers, None)
        joint = self._log_joint(table)
        joint = np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))
        back = np.empty(len(table), dtype=int)
        back[row_order(answers)] = np.arange(len(table))
        return joint[back]

    def log_likelihoods(self, answers):
        """log P(answers | profile), ndarray (n_respondents, n_profiles) in the order of the rows given."""
        return self._log_joint(as_table(answers)) - np.log(self.shares_)

    def score(self, answers, y=None, sample_weight=None):
        """Weighted mean log-likelihood of a respondent."""
        table, weights = _sorted_rows(answers, sample_weight)
        return float(weights @ np.logaddexp.reduce(self._log_joint(table), axis=1) / weights.sum())

    def aic(self, answers, sample_weight=None):
        """AIC, smaller is better; with weights the log-likelihood counts Kish's effective n."""
        return self._deviance(answers, sample_weight) + 2 * self.n_parameters_

    def bic(self, answers, sample_weight=None):
        """BIC, smaller is better; with weights n is Kish's effective n, in likelihood and penalty."""
        n_eff = kish(weights_of(as_table(answers), sample_weight))
        return self._deviance(answers, sample_weight) + np.log(n_eff) * self.n_parameters_

    def entropy(self, answers, sample_weight=None):
        """Relative entropy 1 + mean(sum p ln p) / ln K: 1 = certain, 0 = no idea; NaN for one profile."""
        if self.n_profiles == 1:
            return float("nan")
        posterior = np.maximum(self.predict_proba(answers), 1e-300)
        weights = weights_of(as_table(answers), sample_weight)
        plogp = (posterior * np.log(posterior)).sum(axis=1)
        return float(1 + weights @ plogp / weights.sum() / np.log(self.n_profiles))

    def _deviance(self, answers, sample_weight):
        n_eff = kish(weights_of(as_table(answers), sample_weight))
        return -2 * n_eff * self.score(answers, sample_weight=sample_weight)

    def _check(self, table):
        if self.n_profiles < 1 or len(table) < self.n_profiles:
            raise EstimateError(f"{self.n_profiles} profiles need at least as many respondents with an "
                                f"answer and a weight above 0; {len(table)} came: ask for fewer profiles")
        values = table.to_numpy(dtype=float, na_value=np.nan)
        silent = list(table.columns[np.isnan(values).all(axis=0)])
        if silent:
            raise EstimateError(f"nobody answered {', '.join(map(str, silent))}: leave these variables out")
        broken = np.nansum(values != np.round(values), axis=0) - np.isnan(values).sum(axis=0)
        if (broken > 0).any():
            raise EstimateError(f"variable {table.columns[int(np.argmax(broken))]}: profiles need whole "
                                f"numbers as codes, {int(broken.max())} answers are not: round levels first")

    def _first_columns(self):
        """First column of the share and of each variable in the stacked parameters."""
        return np.cumsum([0, 1] + [len(codes) for codes in self.categories_.values()])[:-1]

    def _encode(self, table):
        """0/1 matrix (n, 1 + all categories); first column 1, a missing answer is a row of zeros."""
        first = self._first_columns()
        onehot = np.zeros((len(table), 1 + sum(map(len, self.categories_.values()))))
        onehot[:, 0] = 1
        unseen = 0
        for start, (name, codes) in zip(first[1:], self.categories_.items(), strict=True):
            values = table[name].to_numpy(dtype=float, na_value=np.nan)
            place = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
            known = codes[place] == values
            unseen += int((~known & ~np.isnan(values)).sum())
            onehot[np.flatnonzero(known), start + place[known]] = 1
        if unseen:
            warnings.warn(f"{unseen} answers have codes not seen in fit; they count as missing", stacklevel=3)
        return onehot

    def _starting_values(self, marginals):
        """Marginals tilted by level (start 1) or times exponential draws: no row order can enter."""
        rng = np.random.default_rng(self.random_state)
        theta = np.empty((self.n_profiles, self.n_starts, len(marginals)))
        theta[:] = np.maximum(marginals, FLOOR)
        tilt = np.linspace(-1.5, 1.5, self.n_profiles) if self.n_profiles > 1 else np.zeros(1)
        ranks = np.concatenate([[0.0], *(np.linspace(-1, 1, len(c)) for c in self.categories_.values())])
        theta[:, 0] *= np.exp(tilt[:, None] * ranks)
        theta[:, 1:, 1:] *= rng.standard_exponential(theta[:, 1:, 1:].shape)
        return normalised(theta, self._first_columns())

    def _store(self, theta):
        values = np.concatenate(list(self.categories_.values()))
        level = np.round((theta[:, 1:] * values).sum(axis=1), 9)
        self._theta = theta[np.lexsort((theta[:, 0], level))]
        self.shares_ = self._theta[:, 0].copy()
        profile = pd.RangeIndex(1, self.n_profiles + 1, name="profile")
        parts = np.split(self._theta, self._first_columns()[1:], axis=1)[1:]
        self.item_probs_ = {name: pd.DataFrame(part, index=profile, columns=codes)
                            for part, (name, codes) in zip(parts, self.categories_.items(), strict=True)}
        self.n_parameters_ = self.n_profiles - 1 + self.n_profiles * (len(values) - len(self.categories_))

    def _log_joint(self, answers):
        if not hasattr(self, "_theta"):
            raise EstimateError("these profiles are not fitted yet: call fit(answers) first")
        absent = [str(name) for name in self.categories_ if name not in answers]
        if absent:
            raise EstimateError(f"answers lack {', '.join(absent)}, used to fit the profiles: add them")
        return self._encode(answers) @ np.log(self._theta).T


def _sorted_rows(answers, sample_weight):
    table = as_table(answers)
    order = row_order(table)
    return table.iloc[order], weights_of(table, sample_weight)[order]


def normalised(theta, first):
    """Shares sum to 1 over profiles, probabilities to 1 within each variable."""
    sums = np.add.reduceat(theta, first, axis=2)
    sums[..., 0] = theta[..., 0].sum(axis=0)
    return theta / np.repeat(sums, np.diff(np.append(first, theta.shape[2])), axis=2)


def em_step(onehot, weights, theta, first):
    """One EM step of all runs together: new parameters, and mean log-likelihood at the old ones.

    theta is (profiles, runs, 1 + categories), weights (1 or runs, n).
    """
    n_profiles, n_runs, width = theta.shape
    log_theta = np.log(theta).reshape(-1, width)
    counts, loglik = np.zeros_like(log_theta), np.zeros(n_runs)
    rows = max(64, BLOCK // len(log_theta))
    for begin in range(0, len(onehot), rows):
        part, weight = onehot[begin:begin + rows], weights[:, begin:begin + rows]
        joint = (log_theta @ part.T).reshape(n_profiles, n_runs, -1)
        top = joint.max(axis=0)
        np.exp(joint - top, out=joint)
        total = joint.sum(axis=0)
        loglik += (weight * (top + np.log(total))).sum(axis=1)
        joint *= weight / total
        counts += joint.reshape(len(log_theta), -1) @ part
    updated = normalised(np.maximum(counts, FLOOR).reshape(theta.shape), first)
    return updated, loglik / weights.sum(axis=1)


def _leap(zero, one, two, first):
    """Squared extrapolation of each run from two EM steps, kept inside the simplex."""
    step, bend = one - zero, two - 2 * one + zero
    length = np.sqrt((step**2).sum(axis=(0, 2)) / np.maximum((bend**2).sum(axis=(0, 2)), 1e-300))
    length = np.clip(length, 1, 100)[None, :, None]
    # A probability may fall to a tenth of the EM value at most: at 0 it could never rise again.
    return normalised(np.maximum(zero + 2 * length * step + length**2 * bend, two / 10), first)


def climb(onehot, weights, theta, first, *, max_iter, tol):
    """Accelerated EM of all runs; settled runs leave the batch. Never goes downhill."""
    final, loglik = theta.copy(), np.full(theta.shape[1], -np.inf)
    steps, done = np.zeros(theta.shape[1], dtype=int), np.zeros(theta.shape[1], dtype=bool)
    active = np.arange(theta.shape[1])
    for step in range(1, max_iter + 1, 3):
        weight = weights if len(weights) == 1 else weights[active]
        one, height = em_step(onehot, weight, theta, first)
        settled = height - loglik[active] < tol
        final[:, active], loglik[active], steps[active], done[active] = theta, height, step, settled
        if settled.all():
            break
        active, theta, one = active[~settled], theta[:, ~settled], one[:, ~settled]
        weight = weights if len(weights) == 1 else weights[active]
        two, height = em_step(onehot, weight, one, first)
        landed, landed_height = em_step(onehot, weight, _leap(theta, one, two, first), first)
        theta = np.where((landed_height >= height)[None, :, None], landed, two)
    return final, loglik, steps, done
