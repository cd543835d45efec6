"""Linear and logistic regression of a survey, with design-based errors."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import special
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.estimates import against_zero, frames, inside, uncertainty
from skillsgap.estimate.survey.intervals import CONFIDENCE
from skillsgap.estimate.survey.means import category_text, pooled

RANK = 1e-7  # a term of which less than this share isn't told by those before it adds nothing, as in R's lm
STEPS = 100
CLOSE = 1e-10  # of coefficients from one step to the next
FAMILIES = {"gaussian": sm.families.Gaussian, "binomial": sm.families.Binomial}


def survey_regression(data, design, *, response, terms, family="gaussian", success=None, categories=None, where=None,
                      level=CONFIDENCE):  # fmt: skip
    """Coefficients of a weighted linear or logistic regression with intercept (pseudo-likelihood).

    Respondents who lack the response or a term are outside the domain. With replicates the model is fitted again in
    each; otherwise the covariance is the sandwich of the influence values.

    Parameters
    ----------
    data : DataFrame, or list of DataFrame, of shape (n_respondents, …)
        In the order of the design; several hold plausible values, pooled by Rubin's rules.
    design : SurveyDesign
    response : str
    terms : sequence of str
        Columns; categorical ones enter as indicators against their first category.
    family : {"gaussian", "binomial"}
    success : str, optional
        Category of the response that is coded 1, the others 0; without it the response is numeric.
    categories : dict of str to list, optional
        Categories of the categorical columns, the reference first; who has another is outside the domain. Columns of
        text are categorical anyway, in sorted order. Categories that nobody in the domain has are passed over.
    where : array-like of bool of shape (n_respondents,), optional
    level : float in (0, 1)

    Returns
    -------
    DataFrame
        term (intercept first), category (empty for numeric terms), estimate, se, ci_low, ci_high (t with ``degf``), n,
        statistic, p (t with degf + 1 - number of coefficients, as R's svyglm; NaN where none is left), degf, n_eff,
        uncertainty.

    Raises
    ------
    EstimateError
        A column or the family isn't known, a response is text or (binomial) isn't 0 or 1, a weight is below 0, answers
        are too few, the terms can't be told apart, or the fit has no finite solution.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279–292; Lumley (2010), Complex Surveys, ch. 5–6.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"level": [1.0, 3.0, 4.0, 4.0], "sex": ["f", "f", "m", "m"]})
    >>> design = survey_design(rows, weight=10.0, method="linearization")
    >>> table = survey_regression(rows, design, response="level", terms=["sex"])
    >>> table[["term", "category", "estimate", "se"]].round(3).values.tolist()
    [['intercept', '', 2.0, 0.816], ['sex', 'm', 2.0, 0.816]]
    """
    if family not in FAMILIES:
        raise EstimateError(f"family {family!r} isn't known: use {' or '.join(FAMILIES)}")
    draws, weights = frames(data, design), design.weights.to_numpy()
    if negative := int((weights < 0).sum()):
        raise EstimateError(f"{negative} weights are below 0, which a regression can't have: calibrate within bounds")
    among = inside(where, design) & (weights > 0)
    models = [_model(frame, response, terms, family, success, categories or {}, among) for frame in draws]
    fits = [_coefficients(model, design) for model in models]
    full = np.stack([estimate for estimate, _ in fits])
    se = np.sqrt(pooled(full, [np.diag(covariance) for _, covariance in fits]))
    width, mine = full.shape[1], weights[models[0].rows]
    table = against_zero(full.mean(axis=0), se, design.degf, design.degf + 1 - width, np.full(width, len(mine)), level)
    names = dict(zip(("term", "category"), zip(*models[0].names, strict=True), strict=True))
    n_eff = mine.sum() ** 2 / (mine**2).sum()
    return pd.DataFrame({**names, **table, "n_eff": n_eff, "uncertainty": uncertainty(draws)})


@dataclass(frozen=True)
class Model:
    """What is fitted: rows in the domain, their response and terms, and the names of the coefficients."""

    rows: np.ndarray
    response: np.ndarray
    terms: np.ndarray
    names: list
    family: str

    def fit(self, weights):
        """Coefficients of the full sample."""
        made = sm.GLM(self.response, self.terms, family=FAMILIES[self.family](), var_weights=weights / weights.mean())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PerfectSeparationWarning)  # told below
            fitted = made.fit(maxiter=STEPS, tol=CLOSE, tol_criterion="params")
        if not fitted.converged:
            raise self.endless()
        return fitted.params

    def refit(self, weights, coefficients):
        """Coefficients of a replicate, by Newton steps from those of the full sample; NaN where it lost a category."""
        if not np.abs(self.terms[weights > 0]).any(axis=0).all():
            return np.full(len(coefficients), np.nan)
        for _ in range(STEPS):
            means, slope = self.means(coefficients)
            uphill = self.terms.T @ (weights * (self.response - means))
            try:
                step = np.linalg.solve(self.information(weights * slope), uphill)
            except np.linalg.LinAlgError as error:
                raise self.endless() from error
            coefficients = coefficients + step
            if np.abs(step).max() <= CLOSE * (1 + np.abs(coefficients).max()):
                return coefficients
        raise self.endless()

    def means(self, coefficients):
        """Fitted means, and their slope in the linear predictor."""
        linear = self.terms @ coefficients
        if self.family == "gaussian":
            return linear, np.ones(len(linear))
        means = special.expit(linear)
        return means, means * (1 - means)

    def information(self, weights):
        """Weighted cross products of the terms."""
        return (self.terms * weights[:, None]).T @ self.terms

    def endless(self):
        """The error of a fit without a finite solution."""
        terms = ", ".join(dict.fromkeys(term for term, _ in self.names[1:]))
        return EstimateError(f"the regression on {terms} has no finite solution in the sample or a replicate, as where "
                             "everybody in a category has the same outcome: merge it, or leave out a term")  # fmt: skip


def _model(frame, response, terms, family, success, categories, among):
    if unknown := [name for name in (response, *terms) if name not in frame]:
        raise EstimateError(f"the data have no column {unknown[0]}: correct the name of the response or term")
    if success is None and not pd.api.types.is_numeric_dtype(frame[response]):
        raise EstimateError(f"response {response} is text: name the category that is 1 in success, or give numbers")
    columns, names = [np.ones(len(frame))], [("intercept", "")]
    for term in terms:
        numeric = pd.api.types.is_numeric_dtype(frame[term]) and term not in categories
        if numeric:
            columns, names = [*columns, frame[term].to_numpy(dtype=float)], [*names, (term, "")]
            continue
        text = category_text(frame[term])
        found = set(text[among].dropna())
        known = [str(each) for each in categories.get(term, sorted(found)) if str(each) in found]
        there = text.isin(known)
        columns += [(text == each).astype(float).where(there).to_numpy(dtype=float) for each in known[1:]]
        names += [(term, each) for each in known[1:]]
    outcome = frame[response]
    if success is not None:
        outcome = (category_text(outcome) == str(success)).astype(float).where(outcome.notna())
    outcome, matrix = outcome.to_numpy(dtype=float), np.column_stack(columns)
    rows = np.flatnonzero(among & np.isfinite(outcome) & np.isfinite(matrix).all(axis=1))
    if family == "binomial" and not np.isin(outcome[rows], (0, 1)).all():
        raise EstimateError(f"response {response}: a logistic regression needs 0 and 1: name the category that is 1 in "
                            "success")  # fmt: skip
    _check_terms(matrix[rows], names)
    return Model(rows, outcome[rows], matrix[rows], names, family)


def _check_terms(matrix, names):
    """Refuse more coefficients than answers, and terms that can't be told apart, naming the first that adds nothing."""
    if len(matrix) <= len(names):
        raise EstimateError(f"{len(matrix)} answers in the domain are too few for {len(names)} coefficients: leave out "
                            "terms, or widen the domain")  # fmt: skip
    size = np.sqrt((matrix**2).sum(axis=0))
    # what a term has that those before it have not
    own = np.abs(np.diag(np.linalg.qr(matrix / np.where(size > 0, size, 1.0), mode="r")))
    if (own < RANK).any():
        name = " ".join(names[int((own < RANK).argmax())]).strip()
        raise EstimateError(f"term {name}: nobody in the domain has it, or the terms before it say the same: leave it "
                            "out, or merge its category with another")  # fmt: skip


def _coefficients(model, design):
    """Coefficients and their covariance, from replicates or linearised."""
    weights = design.weights.to_numpy()[model.rows]
    full = model.fit(weights)
    if design.replicated:
        deviations = design.deviations(
            full, np.stack([model.refit(mine, full) for mine in design.replicate_weights[model.rows].T])
        )
        return full, deviations.T @ deviations
    means, slope = model.means(full)
    influence = np.zeros((len(design.weights), len(full)))
    left = model.terms * (model.response - means)[:, None]
    influence[model.rows] = left @ np.linalg.inv(model.information(weights * slope))
    return full, design.covariance(influence)
