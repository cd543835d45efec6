"""What profiles earn, do and know: outcomes by profile, bias-corrected three-step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.classification import LEAST, matched, steps, wald
from skillsgap.estimate.survey.intervals import CONFIDENCE, interval, t_quantile
from skillsgap.estimate.survey.means import category_text

STEPS = 5000
CLOSE = 1e-8  # of parameters from one EM step to the next, on outcomes scaled to variance 1
LEAST_VARIANCE = 1e-6  # of the outcome's own; below it a likelihood would have no bound


def profile_outcomes(profiles, answers, outcomes, design=None, *, correction="bch", assignment="modal",
                     categories=None, compare=False, replicates=None, level=CONFIDENCE):  # fmt: skip
    """Mean, or share of each category, of outcomes in each profile, corrected for wrong assignments.

    Uncorrected, profiles look more alike than they are. BCH weighs each respondent by the inverse of the classification
    table: it assumes nothing about the outcome, but a share near 0 can come out below it. ML maximises the likelihood
    of assignment and outcome with that table fixed: shares stay within 0 and 1, means rest on normality in profiles.
    Weights enter every step. Errors hold those of the measurement, the classification table and this step, from
    replicate refits or linearised; only uncorrected linearised ones take assignments as known and are too small.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables), index row_key
    outcomes : DataFrame (n_respondents, n_outcomes) with the same row keys
        Numbers give means; text, bool and categories give the share of each category. Who lacks an outcome is left out
        of it.
    design : SurveyDesign, Series of weights, or None
        Without replicate weights errors are linearised (sandwich); None means equal weights.
    correction : {"bch", "ml", "none"}
    assignment : {"modal", "proportional"}
    categories : dict, outcome -> list of its categories in order; numbers named here give shares too
    compare : bool, add the differences of all pairs of profiles
    replicates : ReplicateFits of the same design; by default fitted here where the design has replicates
    level : float in (0, 1)

    Returns
    -------
    DataFrame
        outcome, statistic ("mean", "proportion" or "difference"), category (empty for means), profile, against (the
        profile subtracted, 0 if none), estimate, se, ci_low, ci_high (t; logit for shares within 0 and 1), p (that all
        profiles have the same, Wald; of a difference, that it is 0), n (expected number in the profile with the
        outcome; of a difference the smaller), n_missing (respondents left out), n_eff, uncertainty.

    Raises
    ------
    EstimateError
        Keys differ, a profile nobody is assigned to, an outcome nobody has or outside its categories.

    References
    ----------
    Vermunt (2010), Political Analysis 18, 450-469; Bolck, Croon and Hagenaars (2004), Political Analysis 12, 3-27;
    Bakk, Tekle and Vermunt (2013), Sociological Methodology 43, 272-311.

    Examples
    --------
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> answers = pd.DataFrame({"a": [0, 0, 1, 1] * 20, "b": [0, 0, 1, 1] * 20, "c": [0, 0, 1, 1] * 20})
    >>> years = pd.DataFrame({"years": [3.0, 5.0, 8.0, 10.0] * 20})
    >>> table = profile_outcomes(CompetencyProfiles(2).fit(answers), answers, years)
    >>> table[["profile", "estimate", "se"]].round(2).values.tolist()
    [[1.0, 4.0, 0.16], [2.0, 9.0, 0.16]]
    """
    made = steps(profiles, answers, design, replicates, correction=correction, assignment=assignment)
    outcomes = matched(outcomes, made.answers, "outcomes")
    if unknown := [name for name in categories or {} if name not in outcomes]:
        raise EstimateError(f"categories names {unknown[0]!r}, which isn't an outcome: correct the name")
    parts = []
    for name in outcomes:
        outcome = _outcome(outcomes[name], made.weights, correction, (categories or {}).get(name))
        parts += _table(outcome, made, compare, level)
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class _Outcome:
    """One outcome: columns (n, c), the number in standard deviations or a 0/1 column a category, 0 where missing."""

    name: str
    statistic: str
    categories: list
    columns: np.ndarray
    there: np.ndarray
    correction: str
    centre: float = 0.0
    spread: float = 1.0

    def estimate(self, run, start=None):
        """Mean of each column in each profile, (K * c,), profiles within columns."""
        if self.correction != "ml":
            member = run.corrected(self.correction) * (run.weights * self.there)[:, None]
            means = _ratio(member.T @ self.columns, member.sum(axis=0))
        elif self.statistic == "proportion":
            joint = _nonnegative(run.table, (run.member * run.weights[:, None]).T @ self.columns)
            means = _ratio(joint, joint.sum(axis=1))
        else:
            return self._normal(run, start)
        return means.T.ravel()

    def _normal(self, run, start):
        """Parameters (3 K,) of normals by EM: means, log-variances, log-shares; shares are those of the answers."""
        row, _, factor = run.records
        used = np.flatnonzero(self.there[row])
        row, factor, log_emission = row[used], factor[used], run.log_emission()[used]
        values, weights = self.columns[row, 0], factor * run.weights[row]
        mass = run.weights * self.there
        shares = np.log(np.maximum(mass @ run.posterior / mass.sum(), LEAST))
        if start is None:
            member = run.member * mass[:, None]
            means = (member.T @ self.columns)[:, 0] / np.maximum(member.sum(axis=0), LEAST)
            start = np.concatenate([means, np.zeros_like(means), shares])
        start = np.concatenate([start[:-len(shares)], shares])
        return _fixed_point(lambda at: _normal_step(values, weights, log_emission, at), start)

    def scores(self, full):
        """Function (estimates, table) -> (n, p) whose weighted sum is 0 at the estimates."""
        if self.statistic == "mean" and self.correction == "ml":
            return lambda at, table: self._normal_scores(full, at, table)
        # Where it is within 0 and 1, ML's share is BCH's: the likelihood of counts is saturated.
        correction = "bch" if self.correction == "ml" else self.correction

        def linear(at, table):
            surplus = self.columns[:, :, None] - at.reshape(len(self.categories), 1, -1).transpose(1, 0, 2)
            member = full.corrected(correction, table) * self.there[:, None]
            return (surplus * member[:, None, :]).reshape(len(member), -1)

        return linear

    def _normal_scores(self, full, at, table):
        row, _, factor = full.records
        means, logs, shares = at.reshape(3, -1)
        member, _ = _normal_members(self.columns[row, 0], full.log_emission(table), at)
        member *= (factor * self.there[row])[:, None]
        distance = self.columns[row] - means
        parts = [member * distance / np.exp(logs), member * (distance**2 / np.exp(logs) - 1),
                 (full.posterior[row] - np.exp(shares)) * (factor * self.there[row])[:, None]]
        whole = np.zeros((len(self.columns), at.size))
        np.add.at(whole, row, np.hstack(parts))
        return whole


def _ratio(sums, mass):
    """Sums over mass by profile; NaN where no mass is left, as BCH's weights can leave none."""
    mass = np.broadcast_to(np.asarray(mass)[:, None], sums.shape)
    return np.divide(sums, mass, out=np.full(sums.shape, np.nan), where=mass > LEAST)


def _outcome(column, weights, correction, categories):
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and categories is None
    there = column.notna().to_numpy()
    if not weights[there].any():
        raise EstimateError(f"nobody has outcome {column.name}: leave it out")
    if numeric:
        values = np.where(there, column.to_numpy(dtype=float, na_value=np.nan), 0.0)[:, None]
        if not np.isfinite(values).all():
            raise EstimateError(f"outcome {column.name} holds infinity: expected finite numbers or nothing")
        centre = np.average(values[there, 0], weights=weights[there])
        spread = np.sqrt(np.average((values[there, 0] - centre) ** 2, weights=weights[there])) or 1.0
        scaled = np.where(there[:, None], (values - centre) / spread, 0.0)
        return _Outcome(column.name, "mean", [""], scaled, there, correction, centre, spread)
    text = category_text(column)
    names = [str(each) for each in categories] if categories else sorted(text[there & (weights > 0)].unique())
    wrong = text[there & ~text.isin(names).to_numpy(dtype=bool)]
    if categories and len(wrong):
        raise EstimateError(f"outcome {column.name}: {len(wrong)} values as {wrong.iloc[0]!r} aren't among its "
                            "categories: add them, or empty these cells")
    columns = np.column_stack([(text == each).fillna(False).to_numpy(dtype=float) for each in names])
    return _Outcome(column.name, "proportion", names, columns, there, correction)


def _nonnegative(table, counts):
    """Likeliest expected counts (K, c) by true profile behind counts (K, c) by assigned profile, none below 0."""
    joint = np.linalg.solve(table.T, counts)
    below = (joint < 0).any(axis=0)
    if not below.any():
        return joint
    some, mine = np.maximum(joint[:, below], counts[:, below].sum(axis=0) * 1e-3 + LEAST), counts[:, below]
    for _ in range(STEPS):
        new = some * (table @ (mine / np.maximum(table.T @ some, LEAST)))
        moved = np.abs(new - some).max()
        some = new
        if moved <= CLOSE * mine.sum():
            break
    joint[:, below] = some
    return joint


def _normal_members(values, log_emission, at):
    """P(profile | assignment, outcome) of records (m, K), and their log-likelihoods."""
    means, logs, shares = at.reshape(3, -1)
    joint = log_emission + shares - 0.5 * (logs + (values[:, None] - means) ** 2 / np.exp(logs))
    top = joint.max(axis=1, keepdims=True)
    total = np.exp(joint - top).sum(axis=1, keepdims=True)
    return np.exp(joint - top) / total, (top + np.log(total))[:, 0]


def _normal_step(values, weights, log_emission, at):
    """EM step, and the log-likelihood before it."""
    member, heights = _normal_members(values, log_emission, at)
    member *= weights[:, None]
    mass = np.maximum(member.sum(axis=0), LEAST)
    means = values @ member / mass
    variances = ((values[:, None] - means) ** 2 * member).sum(axis=0) / mass
    new = [means, np.log(np.maximum(variances, LEAST_VARIANCE)), at[-len(means):]]
    return np.concatenate(new), weights @ heights


def _fixed_point(step, at):
    """Where EM steps lead, by squared extrapolation that never goes downhill."""
    for _ in range(STEPS):
        one, _ = step(at)
        two, height = step(one)
        first, bend = one - at, two - 2 * one + at
        if np.abs(first).max() <= CLOSE:
            return one
        length = np.clip(np.sqrt((first**2).sum() / max((bend**2).sum(), LEAST)), 1, 100)
        landed, landed_height = step(at + 2 * length * first + length**2 * bend)
        at = landed if landed_height >= height else two
    raise EstimateError("the likelihood of an outcome by profile has no clear maximum: take correction='bch'")


def _table(outcome, made, compare, level):
    """Rows of one outcome, categories after one another."""
    profiles, full = np.arange(1, made.full.table.shape[0] + 1), outcome.estimate(made.full)
    if not np.isfinite(full).all():
        empty = profiles[np.flatnonzero(~np.isfinite(full))[0] % len(profiles)]
        raise EstimateError(f"outcome {outcome.name}: profile {empty} has nobody left with it after correction: leave "
                            "the outcome out, or fit fewer profiles")
    covariance = made.covariance(full, lambda run: outcome.estimate(run, full), outcome.scores(made.full))
    n, n_eff = _support(made.full, outcome.there)
    parts = []
    for c, category in enumerate(outcome.categories):
        mine = slice(c * len(profiles), (c + 1) * len(profiles))
        mean = full[mine] * outcome.spread + outcome.centre
        spread = covariance[mine, mine] * outcome.spread**2
        apart = _contrasts(len(profiles))
        p = wald(apart[:len(profiles) - 1] @ mean, apart[:len(profiles) - 1] @ spread @ apart[:len(profiles) - 1].T,
                 made.design.degf)
        parts += [_rows(outcome, category, profiles, 0, mean, np.sqrt(np.diag(spread)), p, n, n_eff, made, level)]
        if compare and len(profiles) > 1:
            one, two = np.array(list(combinations(range(len(profiles)), 2))).reshape(-1, 2).T
            off, se = mean[two] - mean[one], np.sqrt(np.maximum(np.diag(apart @ spread @ apart.T), 0))
            p = 2 * stats.t.sf(np.divide(np.abs(off), se, out=np.full(len(se), np.nan), where=se > 0), made.design.degf)
            parts += [_rows(outcome, category, two + 1, one + 1, off, se, p, np.minimum(n[one], n[two]),
                            np.minimum(n_eff[one], n_eff[two]), made, level)]
    return parts


def _contrasts(n_profiles):
    """Matrix that subtracts the first profile from each other one, then the second from those after it, and so on."""
    pairs = list(combinations(range(n_profiles), 2))
    return np.array([np.eye(n_profiles)[two] - np.eye(n_profiles)[one] for one, two in pairs]).reshape(-1, n_profiles)


def _rows(outcome, category, profile, against, estimate, se, p, n, n_eff, made, level):
    difference = np.any(against)
    share = (outcome.statistic == "proportion") and not difference
    # Where its error exceeds p (1 - p), the logit of a share says nothing: t limits within 0 and 1 then.
    logit = share & (estimate > 0) & (estimate < 1) & (se < estimate * (1 - estimate))
    low, high = interval(estimate, np.where(logit | (not share), se, 0.0), made.design.degf, share=logit, level=level)
    reach = t_quantile(made.design.degf, level) * se
    low = np.where(logit | (not share), low, np.maximum(estimate - reach, np.minimum(estimate, 0)))
    high = np.where(logit | (not share), high, np.minimum(estimate + reach, np.maximum(estimate, 1)))
    missing = int((~outcome.there & (made.weights > 0)).sum())
    return pd.DataFrame({
        "outcome": outcome.name, "statistic": "difference" if difference else outcome.statistic, "category": category,
        "profile": profile, "against": against, "estimate": estimate, "se": se, "ci_low": low, "ci_high": high, "p": p,
        "n": n, "n_missing": missing, "n_eff": n_eff, "uncertainty": "sampling"})


def _support(full, there):
    """Expected number of respondents with the outcome in each profile, and what it is worth with unequal weights."""
    mass = full.posterior * there[:, None]
    n = np.round((full.weights > 0) @ mass).astype(int)
    return n, (full.weights @ mass) ** 2 / np.maximum(full.weights**2 @ mass, LEAST)
