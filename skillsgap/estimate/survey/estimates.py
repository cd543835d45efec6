"""Means, totals, shares and ratios of a survey, by group, with design-based errors; and differences of means."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.intervals import CONFIDENCE, limits
from skillsgap.estimate.survey.means import (
    belows,
    category_text,
    check_rows,
    domain_rows,
    group_means,
    influence,
    joint_means,
    pooled,
    sum_parts,
    tidy,
)

SRS = ("without_replacement", "with_replacement")


def survey_mean(values, design, *, by=None, where=None, interval="wald", level=CONFIDENCE, srs="without_replacement"):
    """Weighted mean of each column, by group.

    Parameters
    ----------
    values : Series, DataFrame, or list of them, of shape (n_respondents, n_variables)
        In the order of the design. Several are plausible values of the same variables, pooled by Rubin's rules. NaN
        is outside the domain: it adds nothing, and its sampling unit still counts.
    design : SurveyDesign
    by : Series of shape (n_respondents,), optional
        Group of each respondent; those without one are left out.
    where : array-like of bool of shape (n_respondents,), optional
        Respondents looked at.
    interval : {"wald", "logit", "beta"}
        t limits; for shares also t limits on the logit scale, or Korn and Graubard's.
    level : float in (0, 1)
        Confidence of the interval.
    srs : {"without_replacement", "with_replacement"}
        The simple random sample that deff is set against; without replacement, weights must sum to people.

    Returns
    -------
    DataFrame
        group, variable, estimate, se, ci_low, ci_high, n, n_eff (Kish), uncertainty, deff (design variance over that
        of a simple random sample of the same n; NaN where weights sum to fewer people than answered), degf.

    Raises
    ------
    EstimateError
        The interval, its level or srs isn't known, the interval is one of shares and a mean isn't within 0 and 1, or
        lengths differ from the design's.

    References
    ----------
    Lumley (2010), Complex Surveys, ch. 2; Rubin (1987), Multiple Imputation for Nonresponse in Surveys, ch. 3.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> level = pd.Series([1.0, 2.0, 3.0], name="level")
    >>> design = survey_design(level.to_frame(), weight=10.0, method="linearization")
    >>> survey_mean(level, design)[["estimate", "se", "deff"]].round(3).values.tolist()
    [[2.0, 0.577, 1.111]]
    """
    return _estimates(values, "answer", design, by, where, interval, level, srs)


def survey_total(values, design, *, by=None, where=None, level=CONFIDENCE, srs="without_replacement"):
    """Weighted total of each column, by group.

    Parameters and returned columns are those of `survey_mean`, with t intervals.

    Raises
    ------
    EstimateError
        As `survey_mean`.

    References
    ----------
    Lumley (2010), Complex Surveys, ch. 2.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> trained = pd.Series([1.0, 0.0, 1.0], name="trained")
    >>> survey_total(trained, survey_design(trained.to_frame(), weight=10.0, method="linearization"))["estimate"].item()
    20.0
    """
    return _estimates(values, None, design, by, where, "wald", level, srs)


def survey_ratio(values, denominators, design, *, by=None, where=None, level=CONFIDENCE, srs="without_replacement"):
    """Weighted total of each column of `values` over that of the same column of `denominators`, by group.

    Respondents who lack either are outside the domain. Other parameters and returned columns are those of
    `survey_mean`, with t intervals; ``variable`` names the numerator.

    Raises
    ------
    EstimateError
        As `survey_mean`, or numerators and denominators aren't as many.

    References
    ----------
    Lumley (2010), Complex Surveys, ch. 5.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"gap": [1.0, 0.0, 2.0], "required": [4.0, 2.0, 4.0]})
    >>> design = survey_design(rows, weight=10.0, method="linearization")
    >>> survey_ratio(rows["gap"], rows["required"], design)["estimate"].round(2).item()
    0.3
    """
    above, below = frames(values, design), frames(denominators, design)
    if len(above) != len(below) or above[0].shape != below[0].shape:
        raise EstimateError("a ratio needs as many denominators as numerators: give columns (and draws) in pairs")
    return _estimates(values, [frame.to_numpy(dtype=float) for frame in below], design, by, where, "wald", level, srs)


def survey_proportion(values, design, *, categories=None, by=None, where=None, interval="logit", level=CONFIDENCE,
                      srs="without_replacement"):  # fmt: skip
    """Weighted share of each category of each column, by group.

    Parameters are those of `survey_mean`, where values are categories (numbers and text count as text), and

    categories : dict of str to list, optional
        Categories of a column, in order; by default those found, sorted as text.

    Returns
    -------
    DataFrame
        As `survey_mean`, with ``category`` after ``variable``.

    Raises
    ------
    EstimateError
        As `survey_mean`.

    References
    ----------
    Korn & Graubard (1998), Survey Methodology 24, 193–201 (beta); Lumley (2010), Complex Surveys, ch. 2.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> grade = pd.Series(["mid", "mid", "senior", None], name="grade")
    >>> design = survey_design(grade.to_frame(), weight=10.0, method="linearization")
    >>> survey_proportion(grade, design)[["category", "estimate"]].round(3).values.tolist()
    [['mid', 0.667], ['senior', 0.333]]
    """
    texts = [frame.apply(category_text) for frame in frames(values, design)]
    pairs = []
    for column in texts[0]:
        found = sorted({text for frame in texts for text in frame[column].dropna()})
        pairs += [(column, str(category)) for category in (categories or {}).get(column, found)]
    shares = [pd.DataFrame({place: (frame[column] == category).astype(float).where(frame[column].notna())
                            for place, (column, category) in enumerate(pairs)}, index=frame.index)
              for frame in texts]  # fmt: skip
    table = _estimates(shares, "answer", design, by, where, interval, level, srs)
    table.insert(2, "category", [pairs[place][1] for place in table["variable"]])
    return table.assign(variable=[pairs[place][0] for place in table["variable"]])


def frames(values, design):
    """Values as frames, one for each draw, that have the length of the design."""
    made = [pd.DataFrame(each) for each in (values if isinstance(values, list) else [values])]
    for frame in made:
        check_rows("values", frame, len(design.weights))
    return made


def inside(where, design):
    """Who is looked at (n_respondents,): everybody, unless something else is said."""
    n = len(design.weights)
    mask = np.ones(n, dtype=bool) if where is None else np.asarray(where, dtype=bool)
    check_rows("where", mask, n)
    return mask


def domain(by, where, design):
    """Group of each respondent looked at; empty for the others."""
    groups = pd.Series("all", design.weights.index) if by is None else by
    check_rows("by", groups, len(design.weights))
    return groups if where is None else groups.astype(object).where(inside(where, design))


def _estimates(values, per, design, by, where, kind, level, srs):
    if srs not in SRS:
        raise EstimateError(f"srs {srs!r} isn't known: use {' or '.join(SRS)}")
    draws, groups = frames(values, design), domain(by, where, design)
    means, (rows, _) = group_means(draws, design, groups, per=per), domain_rows(groups, len(design.weights))
    parts = zip(draws, belows(draws, per), means.full, strict=True)
    simple = np.mean([_simple_variance(*part, design.weights.to_numpy(), rows, srs) for part in parts], axis=0)
    deff = np.divide(means.sampling(design), simple, out=np.full(simple.shape, np.nan), where=simple > 0)
    table, degf = tidy(means, design, uncertainty=uncertainty(draws)), means.degf(design).ravel()
    asked = np.repeat([len(mine) for mine in rows], len(means.variables))
    low, high = limits(table["estimate"], table["se"], degf, table["n"], kind=kind, level=level, rows=asked)
    return table.assign(ci_low=low, ci_high=high, deff=deff.ravel(), degf=degf)


def uncertainty(draws):
    """What the intervals of estimates from these draws contain."""
    return "sampling+measurement" if len(draws) > 1 else "sampling"


def _simple_variance(frame, below, ratios, weights, rows, srs):
    """Variance (n_groups, n_variables) of the same estimates in a simple random sample of as many answers."""
    above, below, there = sum_parts(frame, below)
    variances = np.full(ratios.shape, np.nan)
    for group, mine in enumerate(rows):
        w, some = weights[mine], there[mine] & (weights[mine] != 0)[:, None]
        each = influence(above[mine], None if below is None else below[mine], ratios[group], w)
        n, people = some.sum(axis=0), w @ some
        mass = np.where(people > 0, people, np.nan)
        spread = w @ np.where(some, each - (w @ each) / mass, 0.0) ** 2 / mass * n / np.maximum(n - 1, 1)
        missed = 1 - n / mass if srs == "without_replacement" else 1.0
        variances[group] = mass**2 * spread / np.maximum(n, 1) * missed
    return variances


def survey_difference(values, design, *, by, between, where=None, level=CONFIDENCE):
    """Difference of the weighted means of two groups, their covariance included, and its t test.

    It is the slope of a weighted regression on the indicator of the second group, which is R's svyttest.

    Parameters
    ----------
    values : Series, DataFrame, or list of them, of shape (n_respondents, n_variables)
        As for `survey_mean`.
    design : SurveyDesign
    by : Series of shape (n_respondents,)
    between : (str or None, str)
        The group taken as reference (None: everybody, those without a group too) and the other one.
    where : array-like of bool of shape (n_respondents,), optional
    level : float in (0, 1)

    Returns
    -------
    DataFrame
        variable, reference, group, estimate (group less reference), se, ci_low, ci_high (t with ``degf``), n, n_eff
        (of both groups), uncertainty, statistic, p (t with degf - 1), degf.

    Raises
    ------
    EstimateError
        Nobody answered in one of the groups.

    References
    ----------
    Lumley (2010), Complex Surveys, ch. 2 and 5.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"level": [1.0, 3.0, 4.0, 4.0], "sex": ["f", "f", "m", "m"]})
    >>> design = survey_design(rows, weight=10.0, method="linearization")
    >>> table = survey_difference(rows["level"], design, by=rows["sex"], between=("f", "m"))
    >>> table[["estimate", "se"]].round(3).values.tolist()
    [[2.0, 0.816]]
    """
    draws, groups, among = frames(values, design), category_text(domain(by, None, design)), inside(where, design)
    masks = [among & (True if name is None else (groups == str(name)).fillna(False).to_numpy(dtype=bool))
             for name in between]  # fmt: skip
    pairs = [joint_means(pd.concat([frame.where(mask[:, None] & frame.notna()) for mask in masks], axis=1), design)
             for frame in draws]  # fmt: skip
    names, width = list(draws[0].columns), draws[0].shape[1]
    contrast = np.hstack([-np.eye(width), np.eye(width)])
    full = np.stack([contrast @ means for means, _, _ in pairs])
    if np.isnan(full).any():
        raise EstimateError(f"{names[int(np.isnan(full).any(axis=0).argmax())]}: nobody answered in {between[0]} or "
                            f"{between[1]}: compare other groups")  # fmt: skip
    variance = pooled(full, [np.diag(contrast @ each @ contrast.T) for _, each, _ in pairs])
    n, n_eff = (each.reshape(2, width).sum(axis=0) for each in (pairs[0][2].n, pairs[0][2].n_eff))
    named = {"variable": names, "reference": "all" if between[0] is None else str(between[0]), "group": str(between[1])}
    table = against_zero(full.mean(axis=0), np.sqrt(variance), design.degf, design.degf - 1, n, level)
    return pd.DataFrame({**named, **table, "n_eff": n_eff, "uncertainty": uncertainty(draws)})


def against_zero(estimate, se, degf, degf_test, n, level):
    """Columns of estimates that are tested against 0; p is NaN where no degree of freedom is left for the test."""
    low, high = limits(estimate, se, degf, n, level=level)
    statistic = np.divide(estimate, se, out=np.full(len(se), np.nan), where=se > 0)
    p = 2 * stats.t.sf(np.abs(statistic), degf_test)
    return {"estimate": estimate, "se": se, "ci_low": low, "ci_high": high, "n": n.astype(int), "statistic": statistic,
            "p": p, "degf": degf}  # fmt: skip


def weight_summary(design):
    """What unequal weights cost, and the degrees of freedom that the sample leaves.

    Parameters
    ----------
    design : SurveyDesign

    Returns
    -------
    Series
        n (rows), sum, min, max, kish_deff = n sum(w²) / sum(w)², n_eff = sum(w)² / sum(w²), degf.

    References
    ----------
    Kish (1992), Journal of Official Statistics 8, 183–200.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0]})
    >>> weight_summary(survey_design(rows))[["sum", "kish_deff", "n_eff"]].round(3).tolist()
    [4.0, 1.125, 2.667]
    """
    weights = design.weights.to_numpy()
    squares = (weights**2).sum() / weights.sum() ** 2
    return pd.Series({"n": len(weights), "sum": weights.sum(), "min": weights.min(), "max": weights.max(),
                      "kish_deff": len(weights) * squares, "n_eff": 1 / squares, "degf": design.degf})  # fmt: skip
