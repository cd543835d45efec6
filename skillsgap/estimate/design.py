"""Survey design: weights and replicate weights, calibration of all of them, and design-based means."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.margins import margin_faults, margin_indicator

CONFIDENCE = 0.95
UNBOUNDED = (0.0, 1e9)  # no weight reaches a thousand million times its base


@dataclass(frozen=True)
class SurveyDesign:
    """Weights of the full sample and of its replicates.

    Variance of any estimate: ``scale * sum over replicates of (replicate - full sample)**2``.

    Parameters
    ----------
    weights : Series of shape (n_respondents,)
        People each respondent stands for; index ``row_key``.
    replicate_weights : ndarray of shape (n_respondents, n_replicates)
        The same in every replicate.
    scale : float
        Factor of the replicate variance.
    degf : int
        Degrees of freedom of the variance.
    method : str
        How the replicates were made.
    """

    weights: pd.Series
    replicate_weights: np.ndarray
    scale: float
    degf: int
    method: str

    def subset(self, mask):
        """The design seen from a domain; its degrees of freedom stay those of the whole sample."""
        mask = np.asarray(mask, dtype=bool)
        return SurveyDesign(
            self.weights[mask], self.replicate_weights[mask], self.scale, self.degf, self.method
        )

    @property
    def matrix(self):
        """Weights of shape (n_respondents, 1 + n_replicates), the full sample first."""
        return np.column_stack([self.weights.to_numpy(), self.replicate_weights])


def survey_design(responses, *, replicate_weights=None, method="bootstrap", n_replicates=200, random_state=0):
    """Describe how the respondents were drawn, in weights and replicate weights.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        Index ``row_key``; column ``weight`` (people), and optionally ``stratum`` and ``psu``.
    replicate_weights : DataFrame of shape (n_respondents, n_replicates), optional
        Those that came with the data; they already hold the base weight.
    method : {"bootstrap", "jk1", "jk2", "brr"}
        How the replicates that came were made, to be said (jk1, jk2 or brr); without any, a bootstrap is
        drawn (Rao and Wu's: n_h - 1 of n_h PSUs with replacement in every stratum).
    n_replicates : int
        Bootstrap replicates to draw.
    random_state : int

    Returns
    -------
    SurveyDesign

    Raises
    ------
    EstimateError
        A stratum has one PSU, no weight is positive, or nobody says how the replicates that came were made.

    References
    ----------
    Rao, Wu & Yue (1992), Survey Methodology 18, 209–217; OECD (2013), PIAAC technical report, ch. 15.

    Examples
    --------
    >>> rows = pd.DataFrame({"weight": [10.0, 10.0, 20.0]}, index=pd.Index([0, 1, 2], name="row_key"))
    >>> design = survey_design(rows, n_replicates=50)
    >>> design.replicate_weights.shape, design.degf
    ((3, 50), 2)
    """
    weights = responses["weight"].astype(float)
    if not (weights > 0).any() or not np.isfinite(weights).all():
        raise EstimateError("weights: none is positive, or some are not finite: correct the column weight")
    if replicate_weights is not None:
        given = replicate_weights.to_numpy(dtype=float)
        count = given.shape[1]
        scales = {"brr": 1 / count, "jk1": (count - 1) / count, "jk2": 1.0}
        if method not in scales:
            raise EstimateError(f"replicate weights came, and not how they were made (known are {', '.join(scales)}): "
                                "say it in data.responses.replicates")  # fmt: skip
        scale = scales[method]
        degf = int(np.linalg.matrix_rank(given, rtol=1e-5)) - 1
        return SurveyDesign(weights, given, scale, degf, method)
    order = np.argsort(responses.index.to_numpy(), kind="stable")
    factors = np.empty((len(responses), n_replicates))
    drawn, degf = _bootstrap(responses.iloc[order], n_replicates, np.random.default_rng(random_state))
    factors[order] = drawn
    return SurveyDesign(weights, factors * weights.to_numpy()[:, None], 1.0 / n_replicates, degf, "bootstrap")


def _bootstrap(rows, n_replicates, rng):
    strata = rows["stratum"].astype(str) if "stratum" in rows else pd.Series("", rows.index)
    psu = rows["psu"].astype(str) if "psu" in rows else pd.Series(np.arange(len(rows)), rows.index)
    factors, degf = np.empty((len(rows), n_replicates)), 0
    for stratum, members in strata.groupby(strata, sort=True):
        places = np.flatnonzero(strata.to_numpy() == stratum)
        codes, units = pd.factorize(psu.to_numpy()[places])
        n = len(units)
        if n < 2:
            raise EstimateError(
                f"stratum {stratum!r} has one sampling unit ({len(members)} rows), so its variance can't be "
                "told: merge it with a similar stratum"
            )
        counts = rng.multinomial(n - 1, np.full(n, 1 / n), size=n_replicates).T
        factors[places] = counts[codes] * (n / (n - 1))
        degf += n - 1
    return factors, degf


def calibrate(design, sample, register, *, margins, bounds=(0.25, 4.0), tolerance=1e-6, max_sweeps=500):
    """Weights that meet the register's margins, in the full sample and in every replicate.

    Raking (exponential distance), with each weight kept within `bounds` times its base weight. A replicate
    that drew too few of a category to keep the bounds meets the margins without them.

    Who tells no category of a margin keeps their share of the total: the one that the margins which everybody told
    give them (without any such, that of their base weights). The others meet the register's head-counts times one
    less that share, so its proportions. This takes those who don't tell for spread over the categories as the others
    are; where, say, mostly women don't tell their sex, women weigh too much.

    Parameters
    ----------
    design : SurveyDesign
    sample : DataFrame of shape (n_respondents, …)
        The margin columns of the respondents, in the order of the design; empty where somebody didn't tell.
    register : DataFrame
        Margin columns and ``headcount``.
    margins : list of str
        Columns whose head-counts the weights must meet.
    bounds : (float, float)
        Smallest and largest multiple of a base weight.
    tolerance : float
        Largest relative error of a margin at convergence.
    max_sweeps : int

    Returns
    -------
    SurveyDesign

    Raises
    ------
    EstimateError
        A category stands on one side only, more than 20 % tell none (`margin_faults` finds both at once), or the
        margins can't be met (of the full sample, within the bounds).

    References
    ----------
    Deville, Särndal & Sautory (1993), Journal of the American Statistical Association 88, 1013–1020.

    Examples
    --------
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 1.0], "sex": ["f", "f", "m"]})
    >>> register = pd.DataFrame({"sex": ["f", "m"], "headcount": [2, 2]})
    >>> design = survey_design(rows, n_replicates=20)
    >>> calibrate(design, rows, register, margins=["sex"]).weights.round(3).tolist()
    [1.0, 1.0, 2.0]
    """
    if not margins:
        return design
    if faults := margin_faults(sample, design.weights, register, margins=margins):
        raise EstimateError(faults[0])
    made = [margin_indicator(sample[m], register, m) for m in margins]
    base = design.matrix
    # a base weight may be on any scale; start from the register's total so that bounds mean what they say
    start = base * (made[0][1].sum() / base.sum(axis=0))
    weights, error = _rake(start, made, bounds, tolerance, max_sweeps)
    if error[0] >= tolerance:
        raise EstimateError(
            f"margins {', '.join(margins)} can't be met within {bounds[0]} and {bounds[1]} times the base weight "
            f"(off by {error[0]:.2g}): widen design.bounds, or drop a margin, or merge its small categories"
        )
    far = np.flatnonzero(error >= tolerance)
    if len(far):
        weights[:, far], error[far] = _rake(start[:, far], made, UNBOUNDED, tolerance, max_sweeps)
    if error.max() >= tolerance:
        raise EstimateError(
            f"margins {', '.join(margins)} can't be met together in {(error >= tolerance).sum()} of "
            f"{len(error) - 1} replicates: drop a margin, or merge its small categories"
        )
    full = pd.Series(weights[:, 0], index=design.weights.index, name="weight")
    return SurveyDesign(full, weights[:, 1:], design.scale, design.degf, design.method)


def _rake(start, margins, bounds, tolerance, max_sweeps):
    """Weights and the largest relative error of a margin, for each column of weights."""
    whole, shared = [made for made in margins if _is_told(*made)], start
    if 0 < len(whole) < len(margins):
        shared, _ = _rake(start, whole, bounds, tolerance, max_sweeps)
    indicators = [indicator for indicator, _ in margins]
    wanted = [_present(indicator.T @ shared, target) for indicator, target in margins]
    weights, error = start.copy(), np.full(start.shape[1], np.inf)
    for _ in range(max_sweeps):
        off = np.flatnonzero(error >= tolerance)
        if not len(off):
            break
        some = weights[:, off]
        for indicator, want in zip(indicators, wanted, strict=True):
            some *= indicator @ _ratio(want[:, off], indicator.T @ some)
        weights[:, off] = np.clip(some, start[:, off] * bounds[0], start[:, off] * bounds[1])
        errors = [_error(i.T @ weights[:, off], w[:, off]) for i, w in zip(indicators, wanted, strict=True)]
        error[off] = np.max(errors, axis=0)
    return weights, error


def _is_told(indicator, target):
    return indicator.shape[1] == len(target)


def _present(there, target):
    """Targets of each replicate; the staff of a category it lost are spread over the others of the margin.

    A last row of `there` beyond the categories is who told none: they keep their share, and the others get the rest.
    """
    kept = np.where(there[: len(target)] > 0, target, 0.0)
    total = kept.sum(axis=0)
    wanted = kept * np.divide(target.sum(), total, out=np.zeros_like(total), where=total > 0)
    if len(there) == len(target):
        return wanted
    share = there[-1] / there.sum(axis=0)
    return np.vstack([wanted * (1 - share), target.sum() * share])


def _ratio(target, current):
    return np.divide(target, current, out=np.ones_like(current), where=current > 0)


def _error(current, target):
    return (np.abs(current - target) / np.where(target > 0, target, 1.0)).max(axis=0)


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
    """

    groups: pd.Index
    variables: pd.Index
    full: np.ndarray
    replicates: np.ndarray
    n: np.ndarray
    n_eff: np.ndarray

    def variance(self, scale):
        """Sampling variance, plus that between draws where there are several (Rubin)."""
        deviations = np.nan_to_num(self.replicates - self.full[:, None])  # a replicate without the group says nothing
        sampling = (scale * (deviations**2).sum(axis=1)).mean(axis=0)
        draws = len(self.full)
        between = self.full.var(axis=0, ddof=1) * (1 + 1 / draws) if draws > 1 else 0.0
        return np.where(np.isnan(self.full[0]), np.nan, sampling + between)


def group_means(draws, design, groups=None):
    """Weighted means of every column by group, in the full sample and all replicates.

    Parameters
    ----------
    draws : DataFrame, or list of DataFrame, of shape (n_respondents, n_variables)
        Values; several frames are plausible values of the same thing. NaN is outside the domain.
    design : SurveyDesign
    groups : Series of shape (n_respondents,), optional
        Domain of each respondent; respondents without one are left out.

    Returns
    -------
    Means
    """
    draws = draws if isinstance(draws, list) else [draws]
    codes, labels = _groups(groups, len(design.weights))
    weights = design.matrix
    stacked = [_weighted_means(frame.to_numpy(dtype=float), weights, codes, len(labels)) for frame in draws]
    means = np.stack([mean for mean, _, _ in stacked])
    return Means(labels, draws[0].columns, means[:, 0], means[:, 1:], stacked[0][1], stacked[0][2])


def _groups(groups, n):
    if groups is None:
        return np.zeros(n, dtype=int), pd.Index(["all"])
    codes, labels = pd.factorize(groups.astype("string"), sort=True)
    return codes, pd.Index(labels.astype(str))


def _weighted_means(values, weights, codes, n_groups):
    """Means (1 + n_replicates, n_groups, n_variables), answers and effective answers."""
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0)
    means = np.full((weights.shape[1], n_groups, values.shape[1]), np.nan)
    n, n_eff = np.zeros((2, n_groups, values.shape[1]))
    for group in range(n_groups):
        rows = codes == group
        mass = weights[rows].T @ there[rows]
        sums = weights[rows].T @ filled[rows]
        means[:, group] = np.divide(sums, mass, out=np.full_like(sums, np.nan), where=mass > 0)
        squares = (weights[rows, :1] ** 2).T @ there[rows]
        n[group] = (there[rows] & (weights[rows, :1] > 0)).sum(axis=0)
        n_eff[group] = np.divide(mass[:1] ** 2, squares, out=np.zeros_like(squares), where=squares > 0)[0]
    return means, n, n_eff


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
    se = np.sqrt(means.variance(design.scale)).ravel()
    table = pd.DataFrame({"estimate": estimate, "se": se}, index=index).reset_index()
    low, high = interval(table["estimate"], table["se"], design.degf, share=table["variable"].isin(shares))
    return table.assign(ci_low=low, ci_high=high, n=means.n.ravel().astype(int), n_eff=means.n_eff.ravel(),
                        uncertainty=uncertainty)  # fmt: skip


def interval(estimate, se, degf, *, share=False):
    """95 % t limits; for shares on the logit scale, which keeps them between 0 and 1."""
    t = stats.t.ppf((1 + CONFIDENCE) / 2, max(degf, 1))
    low, high = estimate - t * se, estimate + t * se
    share = np.broadcast_to(share, np.shape(estimate))
    logit = logit_limits(np.where(share, estimate, 0.5), np.where(share, se, 0.0), t)
    return np.where(share, logit[0], low), np.where(share, logit[1], high)


def logit_limits(share, se, quantile):
    """Interval of shares, symmetric on the logit scale; a share of 0 or 1, or without error, is its own limits."""
    inside = (share > 0) & (share < 1) & (se > 0)
    middle = np.where(inside, share, 0.5)
    half = quantile * np.where(inside, se, 0) / (middle * (1 - middle))
    logit = np.log(middle / (1 - middle))
    low, high = 1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))
    return np.where(inside, low, share), np.where(inside, high, share)


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
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0]})
    >>> design = survey_design(rows, n_replicates=50)
    >>> design_means(pd.DataFrame({"level": [1.0, 2.0, 3.0]}), design)["estimate"].tolist()
    [2.25]
    """
    several = isinstance(values, list) and len(values) > 1
    uncertainty = "sampling+measurement" if several else "sampling"
    return tidy(group_means(values, design, by), design, uncertainty=uncertainty, shares=shares)
