"""Latent class analysis of levels, items and HR indicators: the profiles of competency of a workforce."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.agglomeration import partition_start
from skillsgap.estimate.profiles.covariances import MODELS
from skillsgap.estimate.profiles.manifest import content_order, manifest
from skillsgap.estimate.profiles.mixture import Layout, climb
from skillsgap.estimate.profiles.starts import starting_values
from skillsgap.estimate.survey.weights import kish, weights_of

ORDERS = ("level", "level_decreasing", "share")
DIAGONAL = ("VVI", "EEI")  # take missing values of continuous variables as they are
SCALED = (*DIAGONAL, "VEI", "EVI", "EEE", "VVV", "VEE", "EVV")  # don't change when a variable changes its unit
SUBSAMPLE = 2000  # rows on which starts are ranked, where there are twice as many
SHORT_STEPS = 30  # EM steps by which starts are ranked before only the best go on
FINALISTS = 5  # starts that go on after a ranking on a subsample; twice as many, to the end, where all rows ranked them
CARRIED = 3  # of those of a subsample, carried to convergence
RANKED = 1e-8  # mean log-likelihood at which finalists stop: enough to tell which is best
REACHED = 0.01  # log-likelihood units within which a start counts as having reached the best
FEW = 50  # respondents below which profiles are hardly more than a drawing


class CompetencyProfiles(DensityMixin, BaseEstimator):
    """Estimate shares and answers of latent profiles: latent class analysis of answers of any kind.

    Weighted pseudo-likelihood by accelerated EM with full information: a missing answer adds nothing. Within a profile
    answers are independent; ordinal, nominal and binary ones have a probability for each category (no distance between
    categories is assumed), continuous ones are normal. Numbers don't depend on the order of rows, the scale of weights
    or how many threads there are.

    Parameters
    ----------
    n_profiles : int >= 1
    kinds : dict, variable -> "ordinal" | "nominal" | "binary" | "continuous", optional
        Variables not named are inferred (see `skillsgap.estimate.profiles.manifest.infer_kind`): by dtype, then two
        numbers are binary, up to 12 whole numbers ordinal, other numbers continuous, text nominal.
    covariance : {"VVI", "EEI", ...}
        Covariances of continuous variables, by the letters of Banfield and Raftery: volume, shape and orientation each
        Equal, Varying or the Identity. Values of continuous variables may be missing for VVI and EEI only.
    order : {"level", "level_decreasing", "share"}
        How profiles are numbered: by expected level over all variables but nominal ones (continuous ones in standard
        deviations), or by decreasing share.
    prior : float >= 0
        People of a prior: so many are added to each profile's share, to each category of each variable in each profile,
        and with everybody's mean and variance to continuous variables. 0 = maximum likelihood; 0.5 (Jeffreys, Firth)
        keeps probabilities off 0 and 1, where they have no error.
    n_starts : int >= 1
        The first start orders the profiles by level, the others are random. All run 30 EM steps (on 2,000 rows where
        there are 4,000), the best go on to convergence.
    max_iter : int
        Most EM steps of one start.
    tol : float
        A start has converged when three EM steps raise the mean log-likelihood by less.
    random_state : int

    Attributes
    ----------
    shares_ : ndarray (n_profiles,), sums to 1
    item_probs_ : dict, categorical variable -> DataFrame (profile 1..K x category), rows sum to 1
    means_ : DataFrame (profile 1..K x continuous variable)
    covariances_ : ndarray (n_profiles, d, d) of the continuous variables
    kinds_ : dict, variable -> kind
    categories_ : dict, categorical variable -> ndarray of the codes seen
    loglik_ : float, weights normalised to sum to the number of rows used; without the prior's part
    n_parameters_, n_rows_, n_iter_ : int
    n_starts_reached_ : int, of the `n_starts_finished_` run to convergence, those within 0.01 of the best
    converged_ : bool
    degenerate_ : bool, every start ended with a continuous variable squeezed to nothing: the likelihood means nothing

    References
    ----------
    Linzer and Lewis (2011), Journal of Statistical Software 42(10).
    Varadhan and Roland (2008), Scandinavian Journal of Statistics 35, 335-353 (squared extrapolation).

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, None] * 20})
    >>> fit = CompetencyProfiles(n_profiles=2).fit(answers)
    >>> fit.shares_.round(3).tolist()
    [0.5, 0.5]
    >>> fit.item_probs_["c"].round(3).to_numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, n_profiles=5, *, kinds=None, covariance="VVI", order="level", prior=0.0, n_starts=50,
                 max_iter=2000, tol=1e-10, random_state=0):
        self.n_profiles = n_profiles
        self.kinds = kinds
        self.covariance = covariance
        self.order = order
        self.prior = prior
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def fit(self, X, y=None, sample_weight=None, *, warm=None):
        """Fit the profiles.

        Parameters
        ----------
        X : DataFrame (n_respondents, n_variables), NaN = missing, index = row key; or array
        y : ignored
        sample_weight : Series with the same index, or array (n_respondents,), >= 0; scaling changes nothing
        warm : CompetencyProfiles, optional
            A fit of the same variables with as many profiles or one fewer (each is split in turn), as further starts.

        Raises
        ------
        EstimateError
            A variable nobody answered, a kind its values can't have, fewer rows than profiles, missing continuous
            values where `covariance` has products of variables.
        """
        table = self._table(X, reset=True)
        weights = weights_of(table, sample_weight)
        used = (weights > 0) & table.notna().any(axis=1).to_numpy()
        table, weights = table[used], weights[used]
        self._check(table)
        order = content_order(table, weights)
        table, weights = table.iloc[order], weights[order]
        square = self.covariance not in DIAGONAL
        self.manifest_ = manifest(table, weights, self.kinds, square=square, common_scale=self.covariance not in SCALED)
        if square and table[self.manifest_.continuous].isna().to_numpy().any():
            raise EstimateError(f"covariance {self.covariance} needs every continuous value, some are missing: take "
                                "VVI or EEI, or leave these rows out")
        self._warn(table, weights)
        with threadpool_limits(1, "blas"):  # sums made by several threads differ in their last bits
            self._search(self.manifest_.features(table), weights[None] * (len(weights) / weights.sum()), warm)
        self.loglik_ -= float(self.manifest_.offset(table) @ weights * len(weights) / weights.sum())
        return self

    def _check(self, table):
        if self.n_profiles < 1 or len(table) < self.n_profiles:
            raise EstimateError(f"{self.n_profiles} profiles need at least as many respondents with an answer and a "
                                f"weight above 0; n_samples = {len(table)} came: ask for fewer profiles")
        if self.order not in ORDERS or self.covariance not in MODELS:
            raise EstimateError(f"order {self.order!r}, covariance {self.covariance!r}: expected one of "
                                f"{', '.join(ORDERS)} and one of {', '.join(MODELS)}")

    def _warn(self, table, weights):
        """Say what lets a fit exist and mean little."""
        constant = [str(name) for name in table if table[name].nunique() == 1]
        if constant:
            _warn(f"everybody answered {', '.join(constant)} alike: it tells no profiles apart")
        patterns = len(table.drop_duplicates()) if len(table) < 20 * self.n_profiles or len(table.columns) < 4 else None
        if patterns is not None and patterns < self.n_profiles:
            _warn(f"{self.n_profiles} profiles of {patterns} different patterns of answers: ask for at most {patterns}")
        if kish(weights) < min(1.5, len(weights)) and len(weights) > 1:
            _warn(f"one of {len(weights)} rows carries nearly all the weight: correct the weights")
        if len(table) < FEW:
            _warn(f"{len(table)} respondents are too few to tell profiles apart: expected {FEW} or more")

    def _search(self, features, weights, warm):
        self.n_rows_ = len(features)
        self._layout = self._columns()
        whole = self._layout.normalised((weights @ features)[None])
        theta = starting_values(whole, self._layout, self.n_profiles, self.n_starts, self.random_state)
        self._pseudo = self._layout.pseudo(self.prior, whole[0, 0])
        rules = {"max_iter": self.max_iter, "pseudo": self._pseudo}
        theta = np.concatenate([self._ranked(features, weights, theta), *_warm(warm, self),
                                *self._grouped(features, weights[0])], axis=1)  # fmt: skip
        if len(features) >= 2 * SUBSAMPLE:
            theta, loglik, *_ = climb(features, weights, theta, self._layout, tol=RANKED, max_iter=SHORT_STEPS,
                                      pseudo=self._pseudo)  # fmt: skip
            theta = theta[:, np.argsort(-loglik, kind="stable")[:CARRIED]]
        theta, loglik, steps, _ = climb(features, weights, theta, self._layout, tol=max(self.tol, RANKED), **rules)
        self.n_starts_finished_ = theta.shape[1]
        squeezed = self._layout.degenerate(theta, len(features))
        self.degenerate_ = bool(squeezed.all())
        winner = [int(np.argmax(np.where(squeezed & ~squeezed.all(), -np.inf, loglik)))]
        self.n_starts_reached_ = int((np.abs(loglik[winner] - loglik) * len(features) <= REACHED).sum())
        theta = self._layout.lifted(theta[:, winner])
        theta, loglik, last, done = climb(features, weights, theta, self._layout, tol=self.tol, **rules)
        self.loglik_ = float(loglik[0] * len(features) - (self._layout.natural(theta) @ self._pseudo).sum())
        self.n_iter_, self.converged_ = SHORT_STEPS + int(steps[winner][0] + last[0]), bool(done[0])
        self._store(theta[:, 0])

    def _ranked(self, features, weights, theta):
        """The best starts after a short run; in single precision, which is enough to rank by and twice as fast."""
        many = len(features) >= 2 * SUBSAMPLE
        if many:
            rows = np.sort(np.random.default_rng(self.random_state).permutation(len(features))[:SUBSAMPLE])
            features, weights = features[rows], weights[:, rows]
        kind = float if self._layout.n_continuous else np.float32
        theta, loglik, *_ = climb(
            *(part.astype(kind) for part in (features, weights, theta)), self._layout, max_iter=SHORT_STEPS, tol=0,
            pseudo=self._pseudo.astype(kind))
        loglik = np.where(self._layout.degenerate(theta, len(features)), -np.inf, loglik)
        return theta[:, np.argsort(-loglik, kind="stable")[:FINALISTS if many else 2 * FINALISTS]].astype(float)

    def _grouped(self, features, weights):
        """A start from merging rows step by step, where all variables are continuous."""
        if self._layout.width > 1:
            return []
        d, square = self._layout.n_continuous, self._layout.square
        values = features[:, 1:1 + d] if square else np.where(features[:, 1::3] > 0, features[:, 2::3], np.nan)
        return [partition_start(features, weights, self._layout, values, self.n_profiles, self.random_state)]

    def _columns(self):
        sizes = [len(codes) for codes in self.manifest_.categories.values()]
        first = np.cumsum([0, 1, *sizes])[:-1] if sizes else np.array([0])
        return Layout(first, 1 + sum(sizes), len(self.manifest_.continuous), self.manifest_.square, self.covariance)

    def _store(self, theta):
        """Number the profiles, and give parameters the names users know."""
        self._theta = theta[self._numbering(theta)]
        self.kinds_, self.categories_ = self.manifest_.kinds, self.manifest_.categories
        self.shares_ = self._theta[:, 0].copy()
        profile = pd.RangeIndex(1, self.n_profiles + 1, name="profile")
        parts = np.split(self._theta[:, :self._layout.width], self._layout.first[1:], axis=1)[1:]
        self.item_probs_ = {name: pd.DataFrame(part, index=profile, columns=codes)
                            for part, (name, codes) in zip(parts, self.categories_.items(), strict=True)}
        names = self.manifest_.continuous
        none = np.zeros((self.n_profiles, 1, 0))
        means, spread = self._layout.measured(self._theta[:, None]) if names else (none, none)
        scale = np.array([self.manifest_.scale[name] for name in names])
        centre = np.array([self.manifest_.centre[name] for name in names])
        self.means_ = pd.DataFrame(means[:, 0] * scale + centre, index=profile, columns=names)
        spread = spread[:, 0] if self._layout.square else np.einsum("kd,de->kde", spread[:, 0], np.eye(len(names)))
        self.covariances_ = spread * scale[:, None] * scale
        self.n_parameters_ = self._layout.n_parameters(self.n_profiles)

    def _numbering(self, theta):
        if self.order == "share":
            return np.lexsort((self._levels(theta), -theta[:, 0]))
        sign = -1 if self.order == "level_decreasing" else 1
        return np.lexsort((theta[:, 0], sign * self._levels(theta)))

    def _levels(self, theta):
        """Expected level of each profile over all variables; rounded, so that equal ones count as equal."""
        values = [np.nan_to_num(codes) for codes in self.manifest_.values().values()]
        level = theta[:, 1:self._layout.width] @ np.concatenate([*values, np.zeros(0)])
        if self._layout.n_continuous:
            level = level + self._layout.measured(theta[:, None])[0][:, 0].sum(axis=1)
        return np.round(level, 9)

    def predict(self, X):
        """Most probable profile 1..K of each row; for groups of rows, never to judge a person."""
        return self.predict_proba(X).argmax(axis=1) + 1

    def predict_proba(self, X):
        """P(profile | answers), ndarray (n_respondents, n_profiles) in the order of the rows given."""
        joint = self._log_joint(self._table(X))
        return np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))

    def log_likelihoods(self, X):
        """log P(answers | profile), ndarray (n_respondents, n_profiles) in the order of the rows given."""
        table = self._table(X)
        return self._log_joint(table) - np.log(self.shares_) - self.manifest_.offset(table)[:, None]

    def score_samples(self, X):
        """Log-likelihood of each row, ndarray (n_respondents,)."""
        table = self._table(X)
        return np.logaddexp.reduce(self._log_joint(table), axis=1) - self.manifest_.offset(table)

    def score(self, X, y=None, sample_weight=None):
        """Weighted mean log-likelihood of a respondent."""
        return float(np.average(self.score_samples(X), weights=weights_of(self._table(X), sample_weight)))

    def aic(self, X, sample_weight=None):
        """AIC, smaller is better; with weights the log-likelihood counts Kish's effective n."""
        return self._criterion(X, sample_weight, lambda n_eff: 2)

    def aic3(self, X, sample_weight=None):
        """AIC with 3 for each parameter, smaller is better."""
        return self._criterion(X, sample_weight, lambda n_eff: 3)

    def bic(self, X, sample_weight=None):
        """BIC, smaller is better; with weights n is Kish's effective n, in likelihood and penalty."""
        return self._criterion(X, sample_weight, np.log)

    def sabic(self, X, sample_weight=None):
        """Sample-size-adjusted BIC, smaller is better: BIC with (n + 2) / 24 for n in the penalty."""
        return self._criterion(X, sample_weight, lambda n_eff: np.log((n_eff + 2) / 24))

    def _criterion(self, X, sample_weight, penalty):
        table, weights = self._answered(X, sample_weight)
        n_eff = kish(weights)
        return -2 * n_eff * np.average(self.score_samples(table), weights=weights) + penalty(n_eff) * self.n_parameters_

    def entropy(self, X, sample_weight=None):
        """Relative entropy 1 + mean(sum p ln p) / ln K: 1 = certain, 0 = no idea; NaN for one profile."""
        if self.n_profiles == 1:
            return float("nan")
        table, weights = self._answered(X, sample_weight)
        posterior = np.maximum(self.predict_proba(table), 1e-300)
        plogp = (posterior * np.log(posterior)).sum(axis=1)
        return float(1 + weights @ plogp / weights.sum() / np.log(self.n_profiles))

    def _answered(self, X, sample_weight):
        """Rows with an answer, as in fit, and their weights."""
        table = self._table(X)
        weights, there = weights_of(table, sample_weight), table.notna().any(axis=1).to_numpy()
        return table[there], weights[there]

    def sample(self, n_samples=1, *, random_state=None):
        """Draw respondents from the fitted model.

        Returns
        -------
        DataFrame (n_samples, n_variables) without missing answers, and ndarray (n_samples,) of their profiles 1..K
        """
        check_is_fitted(self)
        rng = np.random.default_rng(self.random_state if random_state is None else random_state)
        profile = rng.choice(self.n_profiles, n_samples, p=self.shares_ / self.shares_.sum())
        drawn = {}
        for name, probs in self.item_probs_.items():
            passed = rng.random((n_samples, 1)) > probs.to_numpy().cumsum(axis=1)[profile]
            drawn[name] = self.categories_[name][np.minimum(passed.sum(axis=1), probs.shape[1] - 1)]
        if len(self.means_.columns):
            noise = rng.standard_normal((n_samples, len(self.means_.columns)))
            values = np.einsum("nde,ne->nd", np.linalg.cholesky(self.covariances_)[profile], noise)
            drawn |= dict(zip(self.means_, (values + self.means_.to_numpy()[profile]).T, strict=True))
        return pd.DataFrame(drawn)[list(self.kinds_)], profile + 1

    def to_frame(self):
        """All parameters, a row each: profile, variable, statistic (share, probability, mean, variance), category."""
        check_is_fitted(self)
        rows = [(k, "share", "share", None, share) for k, share in enumerate(self.shares_, 1)]
        rows += [(k, name, "probability", code, value) for name, probs in self.item_probs_.items()
                 for k, row in probs.iterrows() for code, value in row.items()]
        for i, name in enumerate(self.means_):
            for k in self.means_.index:
                rows += [(k, name, "mean", None, self.means_.at[k, name]),
                         (k, name, "variance", None, self.covariances_[k - 1, i, i])]
        return pd.DataFrame(rows, columns=["profile", "variable", "statistic", "category", "estimate"])

    def _log_joint(self, table):
        with threadpool_limits(1, "blas"):
            return self._encode(table) @ self._layout.natural(self._theta[:, None])[:, 0].T

    def _encode(self, X):
        """Features of rows in the order given."""
        return self.manifest_.features(self._table(X))

    def _table(self, X, *, reset=False):
        """The rows as a DataFrame, after scikit-learn's checks."""
        if not reset:
            check_is_fitted(self, "_theta")
        if isinstance(X, pd.DataFrame):
            if not X.columns.is_unique:
                raise EstimateError(f"column {X.columns[X.columns.duplicated()][0]} comes twice: keep one")
            named = not reset and hasattr(self, "feature_names_in_") and set(self.feature_names_in_) <= set(X)
            X = X[list(self.feature_names_in_)] if named else X  # further columns and another order do no harm
            validate_data(self, X, reset=reset, skip_check_array=True)
            values = X.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
            if np.isinf(values).any():
                raise EstimateError("answers contain infinity: expected finite numbers or nothing")
            if len(X) and len(X.columns):
                return X
        return pd.DataFrame(validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", dtype="numeric"))


def _warn(text):
    warnings.warn(text, UserWarning, stacklevel=4)


def _warm(warm, profiles):
    """Starts from another fit: as it is, or with each of its profiles split in two along random directions."""
    if warm is None or warm._layout.n_columns != profiles._layout.n_columns:
        return []
    theta, more = warm._theta[:, None], profiles.n_profiles - warm.n_profiles
    if more == 0:
        return [theta]
    if more != 1:
        return []
    rng = np.random.default_rng(profiles.random_state)
    starts = []
    for k in range(warm.n_profiles):
        width = profiles._layout.width
        both = np.concatenate([theta, theta[k:k + 1]])
        both[[k, -1], :, 0] /= 2
        push = rng.uniform(0.5, 1.5, (1, width - 1))
        both[k, :, 1:width] *= push
        both[-1, :, 1:width] *= 2 - push
        starts.append(profiles._layout.normalised(_mass(both, width)))
    return starts


def _mass(theta, width):
    """Sums a theta stands for: categories as they are, the rest times the share."""
    counts = theta * theta[..., :1]
    counts[..., :width] = theta[..., :width]
    return counts
