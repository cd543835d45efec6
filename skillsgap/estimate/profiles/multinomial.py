"""Multinomial logit of profile membership that is known only up to weights or likelihoods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg, special

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.means import category_text

STEPS = 200
CLOSE = 1e-9  # of coefficients from one step to the next, on standardised terms
RANK = 1e-7  # a term of which less than this share isn't told by those before it adds nothing, as in R's lm


@dataclass(frozen=True)
class Terms:
    """Terms of a logit: matrix (n_rows, d), its first column 1; (term, category) of each column; places of the rows."""

    matrix: np.ndarray
    names: list
    rows: np.ndarray

    @cached_property
    def back(self):
        """Square matrix B: `matrix @ B` is standardised (a salary is no harder than a share), `B @` its coefs ours."""
        back, centre = np.eye(len(self.names)), self.matrix.mean(axis=0)
        spread = self.matrix.std(axis=0)
        back[0, 1:] = -centre[1:] / spread[1:]
        back[np.arange(1, len(back)), np.arange(1, len(back))] = 1 / spread[1:]
        return back


def coded_terms(covariates, weights, *, categories=None):
    """Covariates as the terms of a logit with intercept.

    Parameters
    ----------
    covariates : DataFrame (n, n_covariates); numeric, or categorical (text, category or bool)
    weights : ndarray (n,); rows of weight 0, and those that lack a covariate, are left out
    categories : dict, column -> list of categories, the reference first; ordered categories stand as they are, others
        are sorted

    Raises
    ------
    EstimateError
        More terms than rows, or a term that adds nothing to those before it.
    """
    columns, names, among = [np.ones(len(covariates))], [("intercept", "")], weights > 0
    if unknown := [name for name in categories or {} if name not in covariates]:
        raise EstimateError(f"categories names {unknown[0]!r}, which isn't a covariate: correct the name")
    for term in covariates:
        column = covariates[term]
        number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        if number and term not in (categories or {}):
            columns, names = [*columns, column.to_numpy(dtype=float, na_value=np.nan)], [*names, (str(term), "")]
            continue
        text = category_text(column)
        found = set(text[among].dropna())
        known = [str(each) for each in (categories or {}).get(term, _in_order(column, found)) if str(each) in found]
        there = text.isin(known).to_numpy(dtype=bool)
        columns += [np.where(there, (text == each).fillna(False).to_numpy(dtype=float), np.nan) for each in known[1:]]
        columns += [np.where(there, 0.0, np.nan)] if len(known) < 2 else []
        names += [(str(term), each) for each in known[1:] or [""]]
    matrix = np.column_stack(columns)
    rows = np.flatnonzero(among & np.isfinite(matrix).all(axis=1))
    _check(matrix[rows], names)
    return Terms(matrix[rows], names, rows)


def _in_order(column, found):
    ordered = isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered
    return list(column.cat.categories) if ordered else sorted(found)


def _check(matrix, names):
    if len(matrix) <= len(names):
        raise EstimateError(f"{len(matrix)} rows with all covariates are too few for {len(names)} terms: leave out "
                            "covariates, or merge categories")
    size = np.sqrt((matrix**2).sum(axis=0))
    own = np.abs(np.diag(np.linalg.qr(matrix / np.where(size > 0, size, 1.0), mode="r")))
    if (own < RANK).any():
        name = " ".join(names[int((own < RANK).argmax())]).strip()
        raise EstimateError(f"covariate {name}: it is the same for everybody, or the covariates before it say the "
                            "same: leave it out, or merge its category with another")


def known(membership):
    """Likelihood of shares where membership is given, (n, K): rows sum to 1, single entries may be below 0 (BCH)."""
    return lambda log_shares: ((membership * log_shares).sum(axis=1), membership, False)


def hidden(log_likelihood):
    """Likelihood of shares where each row has a log-likelihood in every profile, (n, K)."""
    def at(log_shares):
        joint = log_shares + log_likelihood
        total = special.logsumexp(joint, axis=1, keepdims=True)
        return total[:, 0], np.exp(joint - total), True
    return at


def log_shares(matrix, coefs):
    """log P(profile | terms), (n, K), from coefs (d, K)."""
    scores = matrix @ coefs
    return scores - special.logsumexp(scores, axis=1, keepdims=True)


def newton(matrix, weights, likelihood, coefs, *, steps=STEPS):
    """Coefficients (d, K), those of the first profile 0, at the largest weighted log-likelihood of shares.

    Where membership is given the function is concave even with negative weights, since those of a row sum to 1. Where
    it is hidden, a step takes the curvature of given membership if the true one isn't that of a maximum.

    Parameters
    ----------
    matrix : ndarray (n, d)
    weights : ndarray (n,)
    likelihood : what `known` or `hidden` gave
    coefs : ndarray (d, K), where to start
    steps : int; with 1 a single step uphill

    Raises
    ------
    EstimateError
        No finite solution.
    """
    weights = weights / weights.sum()
    height, member, mixed = _height(matrix, weights, likelihood, coefs)
    for _ in range(steps):
        shares = np.exp(log_shares(matrix, coefs))
        uphill = (matrix.T @ ((member - shares) * weights[:, None]))[:, 1:]
        step = np.zeros_like(coefs)
        step[:, 1:] = _step(matrix, weights, shares, member if mixed else None, uphill)
        for _ in range(40):
            new_height, new_member, _ = _height(matrix, weights, likelihood, coefs + step)
            if new_height >= height - 1e-14 * (1 + abs(height)):
                break
            step = step / 2
        coefs, height, member = coefs + step, new_height, new_member
        if steps == 1 or np.abs(step).max() <= CLOSE * (1 + np.abs(coefs).max()):
            return coefs
    raise endless()


def _height(matrix, weights, likelihood, coefs):
    values, member, mixed = likelihood(log_shares(matrix, coefs))
    return float(weights @ values), member, mixed


def _step(matrix, weights, shares, member, uphill):
    """Newton step of the coefficients of profiles 2..K, (d, K - 1)."""
    safe = information(matrix, weights, shares)
    for curvature in ([safe - information(matrix, weights, member)] if member is not None else []) + [safe]:
        try:
            return linalg.cho_solve(linalg.cho_factor(curvature), uphill.T.ravel()).reshape(uphill.T.shape).T
        except linalg.LinAlgError:
            continue
    raise endless()


def information(matrix, weights, shares):
    """Sum of w (diag(p) - pp') x xx' over rows, for profiles 2..K: ((K - 1) d) squared."""
    width, others = matrix.shape[1], range(1, shares.shape[1])
    whole = np.empty((len(others), width, len(others), width))
    for a in others:
        for b in range(1, a + 1):
            cell = weights * shares[:, a] * ((a == b) - shares[:, b])
            whole[a - 1, :, b - 1] = (matrix * cell[:, None]).T @ matrix
            whole[b - 1, :, a - 1] = whole[a - 1, :, b - 1].T
    return whole.reshape(len(others) * width, -1)


def endless():
    """The error of a logit without a finite solution."""
    return EstimateError("the logit of profile membership has no finite solution, as where nobody of a category is in "
                         "some profile, or a profile is too small: merge categories, leave out a covariate, or ask "
                         "for fewer profiles")
