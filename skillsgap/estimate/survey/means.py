"""Means by group, in the full sample and all replicates, with design-based errors."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.intervals import interval


@dataclass(frozen=True)
class Means:
    """Domain means with all their replicates, for whatever is to be computed from them.

    Parameters
    ----------
    groups, variables : Index
    full : ndarray of shape (n_draws, n_groups, n_variables)
    replicates : ndarray of shape (n_draws, n_replicates, n_groups, n_variables)
    n, n_eff : ndarray of shape (n_groups, n_variables)
        Answers, and effective answers after unequal weights (Kish).
    linearised : ndarray of shape (n_draws, n_groups, n_variables), optional
        Sampling variance by linearisation, where the design has no replicates.
    """

    groups: pd.Index
    variables: pd.Index
    full: np.ndarray
    replicates: np.ndarray
    n: np.ndarray
    n_eff: np.ndarray
    linearised: np.ndarray | None = None

    def sampling(self, design):
        """Sampling variance; of several draws, its mean."""
        each = self.linearised
        if each is None:
            each = [design.variance(*both) for both in zip(self.full, self.replicates, strict=True)]
        return np.mean(each, axis=0)

    def variance(self, design):
        """Sampling variance, plus that between draws where there are several (Rubin)."""
        return pooled(self.full, [self.sampling(design)])

    def degf(self, design):
        """Degrees of freedom: the design's, or fewer where few draws tell what differs between them (Rubin)."""
        draws = len(self.full)
        if draws == 1:
            return np.full(self.full[0].shape, float(design.degf))
        total, sampling = self.variance(design), self.sampling(design)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.fmin(design.degf, (draws - 1) * (total / (total - sampling)) ** 2)


def group_means(draws, design, groups=None, *, per="answer"):
    """Weighted means (or totals, or ratios) of every column by group, in the full sample and all replicates.

    Parameters
    ----------
    draws : DataFrame, or list of DataFrame, of shape (n_respondents, n_variables)
        Values; several frames are plausible values of the same thing. NaN is outside the domain.
    design : SurveyDesign
    groups : Series of shape (n_respondents,), optional
        Domain of each respondent; respondents without one are left out.
    per : "answer", None, or list of ndarray of shape (n_respondents, n_variables)
        What sums are divided by: the answers (a mean), nothing (a total), or the sums of other values (a ratio).

    Returns
    -------
    Means
    """
    draws = draws if isinstance(draws, list) else [draws]
    rows, labels = domain_rows(groups, len(design.weights))
    parts = [sum_parts(frame, below) for frame, below in zip(draws, belows(draws, per), strict=True)]
    stacked = [_weighted_ratios(*part, design.matrix, rows) for part in parts]
    ratios = np.stack([ratio for ratio, _, _ in stacked])
    line = None
    if not design.replicated:
        each = [_linearised(*part[:2], ratio[0], design, rows) for part, ratio in zip(parts, ratios, strict=True)]
        line = np.stack(each)
    return Means(labels, draws[0].columns, ratios[:, 0], ratios[:, 1:], stacked[0][1], stacked[0][2], line)


def pooled(estimates, variances):
    """Variance of the mean of several draws' estimates (Rubin 1987); of one draw, its own."""
    sampling, draws = np.mean(variances, axis=0), len(estimates)
    return sampling + ((1 + 1 / draws) * np.var(estimates, axis=0, ddof=1) if draws > 1 else 0.0)


def joint_means(frame, design):
    """Means of every column, their covariance (n_variables, n_variables), and the answers behind each."""
    means = group_means(frame, design)
    full = means.full[0, 0]
    if design.replicated:
        deviations = design.deviations(full, means.replicates[0, :, 0])
        return full, deviations.T @ deviations, means
    above, below, _ = sum_parts(frame, "answer")
    return full, design.covariance(influence(above, below, full, design.weights.to_numpy())), means


def sum_parts(frame, below):
    """Values summed, what they are divided by, and who answered (n_respondents, n_variables each), 0 for the others."""
    values = frame.to_numpy(dtype=float)
    there = np.isfinite(values)
    if isinstance(below, np.ndarray):
        there &= np.isfinite(below)
        below = np.where(there, below, 0.0)
    return np.where(there, values, 0.0), there if isinstance(below, str) else below, there


def belows(draws, per):
    """What the sums of each draw are divided by."""
    return per if isinstance(per, list) else [per] * len(draws)


def influence(above, below, ratios, weights):
    """What one more unit of each respondent's weight adds to each ratio of sums (n_respondents, n_variables)."""
    if below is None:
        return above
    mass = weights @ below
    return (above - np.nan_to_num(ratios) * below) / np.where(mass != 0, mass, np.inf)


def _linearised(above, below, ratios, design, rows):
    """Variances (n_groups, n_variables) of ratios of weighted sums by Taylor linearisation."""
    variances, weights = np.full(ratios.shape, np.nan), design.weights.to_numpy()
    for group, mine in enumerate(rows):
        whole = np.zeros(above.shape)
        whole[mine] = influence(above[mine], None if below is None else below[mine], ratios[group], weights[mine])
        variances[group] = np.diag(design.covariance(whole))
    return np.where(np.isnan(ratios), np.nan, variances)


def check_rows(name, values, n):
    """Refuse values that aren't one for each respondent."""
    if len(values) != n:
        raise EstimateError(f"{name}: {len(values)} rows, and {n} respondents in the design: give one row for each, in "
                            "the order of the design")  # fmt: skip


def category_text(values):
    """Categories as text; whole numbers without decimals."""
    whole = pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all()
    return (values.astype("Int64") if whole else values).astype("string")


def _groups(groups, n):
    if groups is None:
        return np.zeros(n, dtype=int), pd.Index(["all"])
    check_rows("by", groups, n)
    codes, labels = pd.factorize(category_text(groups), sort=True)
    return codes, pd.Index(labels.astype(str))


def domain_rows(groups, n):
    """Places of every group's respondents, and the names of the groups."""
    codes, labels = _groups(groups, n)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    return [order[first:last] for first, last in zip(ends[:-1], ends[1:], strict=True)], labels


def _weighted_ratios(above, below, there, weights, rows):
    """Ratios (1 + n_replicates, n_groups, n_variables), answers and effective answers."""
    width = above.shape[1]
    both = above if below is None else np.column_stack([above, below])
    ratios = np.full((weights.shape[1], len(rows), width), np.nan)
    n, n_eff = np.zeros((2, len(rows), width))
    for group, mine in enumerate(rows):
        some = weights[mine]
        totals = some.T @ both[mine]
        sums, mass = totals[:, :width], totals[:, width:] if width < both.shape[1] else np.ones_like(totals)
        ratios[:, group] = np.divide(sums, mass, out=np.full_like(sums, np.nan), where=mass != 0)
        answered = np.column_stack([some[:, 0] != 0, some[:, 0], some[:, 0] ** 2]).T @ there[mine].astype(float)
        n[group] = answered[0]
        n_eff[group] = np.divide(answered[1] ** 2, answered[2], out=np.zeros(width), where=answered[2] > 0)
    ratios[0][n == 0] = np.nan  # a total of nobody isn't known
    return ratios, n, n_eff


def tidy(means, design, *, uncertainty="sampling", shares=()):
    """Means as a tidy table with standard errors and 95 % t intervals.

    Parameters
    ----------
    means : Means
    design : SurveyDesign
    uncertainty : str
        What the intervals contain.
    shares : collection of str
        Variables that are shares: their interval is taken on the logit scale.

    Returns
    -------
    DataFrame of (group, variable, estimate, se, ci_low, ci_high, n, n_eff, uncertainty)
    """
    index = pd.MultiIndex.from_product([means.groups, means.variables], names=["group", "variable"])
    estimate = means.full.mean(axis=0).ravel()
    se = np.sqrt(means.variance(design)).ravel()
    table = pd.DataFrame({"estimate": estimate, "se": se}, index=index).reset_index()
    degf = means.degf(design).ravel()
    low, high = interval(table["estimate"], table["se"], degf, share=table["variable"].isin(shares))
    return table.assign(ci_low=low, ci_high=high, n=means.n.ravel().astype(int), n_eff=means.n_eff.ravel(),
                        uncertainty=uncertainty)  # fmt: skip


def design_means(values, design, *, by=None, shares=()):
    """Weighted means by group with design-based errors; plausible values carry measurement error.

    Parameters
    ----------
    values : DataFrame, or list of DataFrame, of shape (n_respondents, n_variables)
        A list holds plausible values of the same variables.
    design : SurveyDesign
    by : Series of shape (n_respondents,), optional
    shares : collection of str
        Columns of zeros and ones.

    Returns
    -------
    DataFrame
        group, variable, estimate, se, ci_low, ci_high, n, n_eff, uncertainty.

    References
    ----------
    OECD (2013), Technical report of the Survey of Adult Skills, chapters 15 and 18.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0]})
    >>> design = survey_design(rows, n_replicates=50)
    >>> design_means(pd.DataFrame({"level": [1.0, 2.0, 3.0]}), design)["estimate"].tolist()
    [2.25]
    """
    several = isinstance(values, list) and len(values) > 1
    uncertainty = "sampling+measurement" if several else "sampling"
    return tidy(group_means(values, design, by), design, uncertainty=uncertainty, shares=shares)
