"""Which HR variables go with membership in a profile: bias-corrected three-step logit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.classification import matched, steps, wald
from skillsgap.estimate.profiles.multinomial import coded_terms, hidden, known, log_shares, newton
from skillsgap.estimate.survey.intervals import CONFIDENCE, t_quantile
from skillsgap.estimate.survey.weights import kish


def profile_regression(profiles, answers, covariates, design=None, *, correction="bch", assignment="modal",
                       reference=1, categories=None, replicates=None, level=CONFIDENCE):  # fmt: skip
    """Multinomial logit of profile membership on HR variables, corrected for wrong assignments.

    Without correction effects are biased towards 0, the more so the less certain assignments are. BCH weighs each
    respondent by the inverse of the classification table; ML maximises the likelihood of assignments with that table
    fixed. Weights enter every step. Errors hold those of the measurement, the classification table and this step, from
    replicate refits or linearised; only uncorrected linearised ones take assignments as known and are too small.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables), index row_key
    covariates : DataFrame (n_respondents, n_covariates) with the same row keys; who lacks one is left out
        Numbers enter as they are, text, bool and categories as indicators against their first category.
    design : SurveyDesign, Series of weights, or None
        Without replicate weights errors are linearised (sandwich); None means equal weights.
    correction : {"bch", "ml", "none"}
    assignment : {"modal", "proportional"}
    reference : int, 1..K, the profile that others are set against
    categories : dict, covariate -> list of categories, the reference first
    replicates : ReplicateFits of the same design; by default fitted here where the design has replicates
    level : float in (0, 1)

    Returns
    -------
    DataFrame
        profile, reference, term (intercept first), category, estimate (logit), se, ci_low, ci_high (t), statistic, p,
        p_term (Wald test: the covariate has no effect on any profile), n (respondents used), n_missing (left out),
        n_eff, uncertainty.

    Raises
    ------
    EstimateError
        Keys differ, a profile nobody is assigned to, a covariate that adds nothing, or no finite solution.

    References
    ----------
    Vermunt (2010), Political Analysis 18, 450-469; Bolck, Croon and Hagenaars (2004), Political Analysis 12, 3-27;
    Bakk, Tekle and Vermunt (2013), Sociological Methodology 43, 272-311.

    Examples
    --------
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, 1] * 20})
    >>> covariates = pd.DataFrame({"degree": [0, 1, 0, 1] * 10 + [0, 1, 1, 1] * 10})
    >>> table = profile_regression(CompetencyProfiles(2).fit(answers), answers, covariates)
    >>> table[["profile", "term", "estimate"]].round(3).values.tolist()  # ln(10 / 20), ln(30 / 20) - ln(10 / 20)
    [[2, 'intercept', -0.693], [2, 'degree', 1.099]]
    """
    made = steps(profiles, answers, design, replicates, correction=correction, assignment=assignment)
    if reference not in range(1, profiles.n_profiles + 1) or profiles.n_profiles < 2:
        raise EstimateError(f"reference {reference!r} of {profiles.n_profiles} profiles: expected two profiles or "
                            "more, and one of them as reference")
    covariates = matched(covariates, made.answers, "covariates")
    terms = coded_terms(covariates, made.weights, categories=categories)
    fitted = _Logit(terms, made.full, correction)
    coefs = fitted.coefs(made.full)
    full = coefs[:, 1:].ravel()
    covariance = made.covariance(full, lambda run: fitted.coefs(run, coefs)[:, 1:].ravel(), fitted.scores)
    turn = np.kron(terms.back, _against(reference - 1, profiles.n_profiles).T)
    table = _table(terms, reference, profiles.n_profiles, turn @ full, turn @ covariance @ turn.T, made.design, level)
    used = made.weights[terms.rows]
    return table.assign(n=len(used), n_missing=int((made.weights > 0).sum()) - len(used), n_eff=kish(used),
                        uncertainty="sampling")


class _Logit:
    """Step three on standardised terms: coefficients, and the scores their errors are linearised from."""

    def __init__(self, terms, full, correction):
        self.rows, self.matrix = terms.rows, terms.matrix @ terms.back
        self.full, self.correction = full, correction

    def coefs(self, run, start=None):
        start = np.zeros((self.matrix.shape[1], run.table.shape[0])) if start is None else start
        if self.correction != "ml":
            likelihood = known(run.corrected(self.correction)[self.rows])
            return newton(self.matrix, run.weights[self.rows], likelihood, start)
        record, place, factor = self._records(run)
        weights = factor * run.weights[self.rows][place]
        return newton(self.matrix[place], weights, hidden(run.log_emission()[record]), start)

    def _records(self, run):
        """Records of respondents with all covariates, their places among these, and their factors."""
        row, _, factor = run.records
        place = np.full(len(run.weights), -1)
        place[self.rows] = np.arange(len(self.rows))
        record = np.flatnonzero(place[row] >= 0)
        return record, place[row[record]], factor[record]

    def scores(self, at, table):
        """(n, d (K - 1)), rows without all covariates 0."""
        coefs = np.hstack([np.zeros((self.matrix.shape[1], 1)), at.reshape(self.matrix.shape[1], -1)])
        shares, whole = log_shares(self.matrix, coefs), np.zeros((len(self.full.weights), at.size))
        if self.correction != "ml":
            surplus = self.full.corrected(self.correction, table)[self.rows] - np.exp(shares)
        else:
            record, place, factor = self._records(self.full)
            _, member, _ = hidden(self.full.log_emission(table)[record])(shares[place])
            surplus = np.zeros_like(shares)
            np.add.at(surplus, place, factor[:, None] * (member - np.exp(shares[place])))
        whole[self.rows] = (self.matrix[:, :, None] * surplus[:, None, 1:]).reshape(len(self.rows), -1)
        return whole


def _against(reference, n_profiles):
    """Matrix (K - 1, K - 1) by which coefs against profile 1 become those against the reference, which is left out."""
    turn = np.eye(n_profiles)
    turn[reference] -= 1
    return np.delete(turn[1:], reference, axis=1)


def _table(terms, reference, n_profiles, estimate, covariance, design, level):
    others = [k for k in range(1, n_profiles + 1) if k != reference]
    table = pd.DataFrame([(k, reference, *name) for name in terms.names for k in others],
                         columns=["profile", "reference", "term", "category"])
    se, reach = np.sqrt(np.diag(covariance)), t_quantile(design.degf, level)
    statistic = np.divide(estimate, se, out=np.full(len(se), np.nan), where=se > 0)
    table = table.assign(estimate=estimate, se=se, ci_low=estimate - reach * se, ci_high=estimate + reach * se,
                         statistic=statistic, p=2 * stats.t.sf(np.abs(statistic), max(design.degf, 1)))
    for places in table.groupby("term", sort=False).indices.values():
        table.loc[places, "p_term"] = wald(estimate[places], covariance[np.ix_(places, places)], design.degf)
    order = np.lexsort((np.arange(len(table)), table["profile"]))
    return table.iloc[order].reset_index(drop=True)
