"""Profiles and what membership in them depends on, in one likelihood: latent class regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.classification import known_scores
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.manifest import content_order
from skillsgap.estimate.profiles.multinomial import coded_terms, known, log_shares, newton
from skillsgap.estimate.profiles.starts import starting_values
from skillsgap.estimate.survey.weights import kish, weights_of

SHORT_STEPS = 20  # EM steps by which starts are ranked before only the best go on
FINALISTS = 3
REACHED = 0.01  # log-likelihood units within which a start counts as having reached the best
FAR = 15.0  # logits for one standard deviation: a share of 0 in all but name


class ProfileMembership(BaseEstimator):
    """Estimate latent profiles and a multinomial logit of membership on covariates, jointly.

    Full information: rows lack answers, not covariates. Covariates help to measure here, so profiles can shift with
    them; the three-step `profile_regression` keeps profiles as they are. Errors are those of independent rows (inverse
    outer product of scores); for designs take the three-step.

    Parameters
    ----------
    n_profiles : int >= 2
    kinds, order, n_starts, max_iter, tol, random_state
        As in CompetencyProfiles. The first start is its solution, the others are random.

    Attributes
    ----------
    shares_, shares_se_ : ndarray (n_profiles,), means over rows of P(profile | covariates)
    item_probs_, item_probs_se_ : dict, categorical variable -> DataFrame (profile x category)
    means_ : DataFrame (profile x continuous variable)
    coef_, coef_se_ : DataFrame (intercept and terms x profile 2..K), logits against profile 1
    posterior_ : DataFrame (row key of rows used x profile), P(profile | answers, covariates)
    loglik_, aic_, bic_, entropy_ : float; with weights the criteria count Kish's effective n
    n_parameters_, n_rows_, n_missing_ : int; rows with a missing covariate are left out, `n_missing_` says how many
    n_starts_reached_ : int, of the `n_starts_finished_`, those within 0.01 of the best
    converged_ : bool

    References
    ----------
    Bandeen-Roche, Miglioretti, Zeger and Rathouz (1997), JASA 92, 1375-1386; Linzer and Lewis (2011), Journal of
    Statistical Software 42(10).

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, 1] * 20})
    >>> fit = ProfileMembership(2, n_starts=5).fit(answers, pd.DataFrame({"post": [0, 1] * 40}))
    >>> (fit.coef_[2].round(3) + 0).tolist(), fit.coef_se_[2].round(2).tolist()
    ([0.0, 0.0], [0.32, 0.45])
    """

    def __init__(self, n_profiles=5, *, kinds=None, order="level", n_starts=20, max_iter=2000, tol=1e-10,
                 random_state=0):  # fmt: skip
        self.n_profiles = n_profiles
        self.kinds = kinds
        self.order = order
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, answers, covariates, sample_weight=None, *, categories=None):
        """Fit profiles and logit.

        Parameters
        ----------
        answers : DataFrame (n_respondents, n_variables), index row key, NaN = missing
        covariates : DataFrame (n_respondents, n_covariates) with the same index
            Numbers enter as they are, text, bool and categories as indicators against their first category.
        sample_weight : Series with the same index, or array (n_respondents,), >= 0; scaling changes nothing
        categories : dict, covariate -> list of categories, the reference first

        Raises
        ------
        EstimateError
            Indexes differ, one profile, a covariate that adds nothing, or no start has a solution.
        """
        if self.n_profiles < 2 or not covariates.index.equals(answers.index):
            raise EstimateError(f"{self.n_profiles} profiles, {len(answers)} rows of answers, {len(covariates)} of "
                                "covariates: expected two profiles or more and the same rows in the same order")
        weights = weights_of(answers, sample_weight) * answers.notna().any(axis=1).to_numpy()
        order = content_order(pd.concat([answers, covariates.add_prefix("covariate ")], axis=1), weights)
        terms = coded_terms(covariates.iloc[order], weights[order], categories=categories)
        used = order[terms.rows]
        self.n_rows_, self.n_missing_ = len(used), int((weights > 0).sum()) - len(used)
        answers, weights = answers.iloc[used], weights[used]
        measure = CompetencyProfiles(self.n_profiles, kinds=self.kinds, order=self.order, n_starts=self.n_starts,
                                     random_state=self.random_state).fit(answers, sample_weight=weights)
        joint = _Joint(measure._encode(answers), weights / weights.mean(), terms.matrix @ terms.back, measure._layout)
        with threadpool_limits(1, "blas"):  # sums made by several threads differ in their last bits
            theta, coefs = self._search(joint, measure._theta)
            self._store(joint, measure, theta, coefs, answers, terms)
        self.loglik_ -= float(measure.manifest_.offset(answers) @ joint.weights)
        self._criteria(joint)
        self.posterior_ = self.posterior_.iloc[np.argsort(used)]
        return self

    def _search(self, joint, theta):
        """Climb from the profiles without covariates and from random starts, and give back the best."""
        whole = joint.layout.normalised((joint.weights @ joint.features)[None, None])
        drawn = starting_values(whole, joint.layout, self.n_profiles, self.n_starts, self.random_state)
        runs = [joint.climb(each, joint.even(each), SHORT_STEPS, self.tol) for each in [theta, *drawn.swapaxes(0, 1)]]
        runs = sorted(runs, key=lambda run: -run[2])[:FINALISTS]
        runs = [joint.climb(*run[:2], self.max_iter, self.tol) for run in runs]
        heights = np.array([run[2] for run in runs])
        theta, coefs, height, self.converged_ = runs[int(np.argmax(heights))]
        if not np.isfinite(height):
            raise EstimateError("no start of the joint fit has a solution, as where a covariate fixes the profile: "
                                "merge its categories, or ask for fewer profiles")
        if np.abs(coefs - coefs[:, :1])[1:].max(initial=0) > FAR:
            warnings.warn("in some category hardly anybody is in some profile: that coefficient has no finite value, "
                          "and its error means nothing", stacklevel=3)
        self.n_starts_finished_ = len(runs)
        self.n_starts_reached_ = int(((heights.max() - heights) * self.n_rows_ <= REACHED).sum())
        self.loglik_ = height * self.n_rows_
        return theta, coefs

    def _store(self, joint, measure, theta, coefs, answers, terms):
        """Number the profiles, and give parameters, posteriors and errors the names users know."""
        theta[:, 0] = np.average(np.exp(log_shares(joint.matrix, coefs)), weights=joint.weights, axis=0)
        order = measure._numbering(theta)
        measure._store(theta)
        coefs = coefs[:, order] - coefs[:, order[:1]]
        for name in ("shares_", "item_probs_", "means_", "kinds_", "categories_"):
            setattr(self, name, getattr(measure, name))
        profile = pd.RangeIndex(1, self.n_profiles + 1, name="profile")
        posterior, _ = joint.posterior(measure._theta, coefs)
        self.posterior_ = pd.DataFrame(posterior, index=answers.index, columns=profile)
        rows = pd.MultiIndex.from_tuples(terms.names, names=["term", "category"])
        self.coef_ = pd.DataFrame(terms.back @ coefs[:, 1:], index=rows, columns=profile[1:])
        unsure = np.average(special.entr(posterior).sum(axis=1), weights=joint.weights)
        self.entropy_ = float(1 - unsure / np.log(self.n_profiles))
        self._errors(joint, measure, coefs, posterior, known_scores(measure, answers)[:, :, 1:], terms)

    def _criteria(self, joint):
        n_eff, more = kish(joint.weights), (joint.matrix.shape[1] - 1) * (self.n_profiles - 1)
        self.n_parameters_ = joint.layout.n_parameters(self.n_profiles) + more
        deviance = -2 * self.loglik_ * n_eff / self.n_rows_
        self.aic_, self.bic_ = deviance + 2 * self.n_parameters_, deviance + np.log(n_eff) * self.n_parameters_

    def _errors(self, joint, measure, coefs, posterior, scores, terms):
        """Standard errors from the inverse outer product of scores, carried to what is reported."""
        n, shares = len(posterior), np.exp(log_shares(joint.matrix, coefs))
        of_coefs = joint.matrix[:, :, None] * (posterior - shares)[:, None, 1:]
        scores = np.hstack([of_coefs.reshape(n, -1), (scores * posterior[:, :, None]).reshape(n, -1)])
        covariance = np.linalg.pinv((scores * joint.weights[:, None]).T @ scores, rcond=1e-10, hermitian=True)
        n_coefs, slopes = of_coefs[0].size, shares[:, :, None] * (np.eye(self.n_profiles) - shares[:, None, :])
        of_coefs, of_items = covariance[:n_coefs, :n_coefs], covariance[n_coefs:, n_coefs:]
        turn = np.kron(terms.back, np.eye(self.n_profiles - 1))
        self.coef_se_ = self.coef_ * 0 + np.sqrt(np.diag(turn @ of_coefs @ turn.T)).reshape(self.coef_.shape)
        slope = np.einsum("n,nd,ntu->tdu", joint.weights / n, joint.matrix, slopes[:, :, 1:]).reshape(-1, n_coefs)
        self.shares_se_ = np.sqrt(np.diag(slope @ of_coefs @ slope.T))
        self.item_probs_se_, columns = {}, of_items.shape[0] // self.n_profiles
        for first, (name, probs) in zip(joint.layout.first[1:] - 1, self.item_probs_.items(), strict=True):
            self.item_probs_se_[name] = probs * 0
            for k, p in enumerate(probs.to_numpy()):
                mine = slice(k * columns + first, k * columns + first + len(p))
                slope = np.diag(p) - np.outer(p, p)
                variance = np.diag(slope @ of_items[mine, mine] @ slope)
                self.item_probs_se_[name].iloc[k] = np.sqrt(np.maximum(variance, 0))


@dataclass(frozen=True)
class _Joint:
    """Likelihood of answers and covariates: features (n, width), weights (n,) of mean 1, standardised terms (n, d)."""

    features: np.ndarray
    weights: np.ndarray
    matrix: np.ndarray
    layout: object

    def even(self, theta):
        """Coefficients (d, K) of a membership that depends on nothing."""
        coefs = np.zeros((self.matrix.shape[1], len(theta)))
        coefs[0] = np.log(theta[:, 0] / theta[0, 0])
        return coefs

    def posterior(self, theta, coefs):
        """P(profile | answers, covariates) (n, K) and the mean log-likelihood."""
        joint = self.features @ self.layout.natural(theta[:, None])[:, 0].T
        joint += log_shares(self.matrix, coefs) - np.log(theta[:, 0])
        total = special.logsumexp(joint, axis=1, keepdims=True)
        return np.exp(joint - total), float(self.weights @ total[:, 0] / len(total))

    def step(self, theta, coefs):
        """EM step, of the logit one Newton step, and the mean log-likelihood before it."""
        posterior, height = self.posterior(theta, coefs)
        theta = self.layout.normalised(((posterior * self.weights[:, None]).T @ self.features)[:, None])[:, 0]
        return theta, newton(self.matrix, self.weights, known(posterior), coefs, steps=1), height

    def climb(self, theta, coefs, max_iter, tol):
        """Accelerated EM, never downhill: parameters, mean log-likelihood, whether it settled; -inf where it broke."""
        height = -np.inf
        try:
            for _ in range(1, max_iter + 1, 3):
                one, coefs_one, new = self.step(theta, coefs)
                if new - height < tol:
                    return theta, coefs, new, True
                height = new
                two, coefs_two, before = self.step(one, coefs_one)
                far = self.layout.leap(theta[:, None], one[:, None], two[:, None])[:, 0]
                landed, coefs_landed, after = self.step(far, _leap(coefs, coefs_one, coefs_two))
                theta, coefs = (landed, coefs_landed) if after >= before else (two, coefs_two)
            return theta, coefs, height, False
        except EstimateError:
            return theta, coefs, -np.inf, False


def _leap(zero, one, two):
    """Squared extrapolation of coefficients from two EM steps."""
    step, bend = one - zero, two - 2 * one + zero
    length = np.clip(np.sqrt((step**2).sum() / max((bend**2).sum(), 1e-300)), 1, 100)
    return zero + 2 * length * step + length**2 * bend
