"""Skills gaps: what people can do against what their roles require, with everything uncertain in it."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.means import Means, _groups, group_means, tidy

MARGIN = 0.5  # DESIGN: on levels, below requirement means C < R - 0.5
SURE = 0.90  # a group stands apart when its need is above (or below) the unit's with this probability
NEEDS = ("most", "between", "least")


def required_levels(people, requirements, competencies, value="required_level"):
    """What each respondent's role requires.

    Parameters
    ----------
    people : DataFrame of shape (n_respondents, …)
        role_id, role_level; index ``row_key``.
    requirements : DataFrame
        role_id, role_level, competency_id and the column `value`.
    competencies : list of str
    value : str

    Returns
    -------
    DataFrame of shape (n_respondents, n_competencies)
        NaN where nothing is required.

    Examples
    --------
    >>> people = pd.DataFrame({"role_id": ["r"], "role_level": ["staff"]}, index=[7])
    >>> needs = people.assign(competency_id="c", required_level=2.5)
    >>> required_levels(people, needs, ["c"]).to_dict()
    {'c': {7: 2.5}}
    """
    wide = requirements.pivot_table(index=["role_id", "role_level"], columns="competency_id", values=value)
    joined = people[["role_id", "role_level"]].join(
        wide.reindex(columns=competencies), on=["role_id", "role_level"]
    )
    return joined[list(competencies)]


def skill_gaps(draws, required, design, *, by=None, raw=None, margin=MARGIN):
    """Mean level, requirement, shortfall and share below requirement, by group and competency.

    Parameters
    ----------
    draws : list of DataFrame of shape (n_respondents, n_competencies)
        Plausible levels, so that measurement error doesn't inflate the shortfall.
    required : DataFrame of shape (n_respondents, n_competencies)
        Level required of each; NaN leaves the respondent out of that competency.
    design : SurveyDesign
    by : Series of shape (n_respondents,), optional
        Group of each; all together by default.
    raw : DataFrame of shape (n_respondents, n_competencies), optional
        Measured levels, whose uncorrected shortfall then stands beside.
    margin : float
        Below requirement means level < required - margin.

    Returns
    -------
    DataFrame
        group, competency_id, statistic {level, required, shortfall, shortfall_raw, share_below},
        estimate, se, ci_low, ci_high, n, n_eff, uncertainty.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> level = pd.DataFrame({"c": [1.0, 2.0, 4.0]})
    >>> design = survey_design(level.assign(weight=1.0), n_replicates=50)
    >>> gaps = skill_gaps([level], level * 0 + 3.0, design)
    >>> gaps.set_index("statistic")["estimate"].round(2).to_dict()
    {'level': 2.33, 'required': 3.0, 'shortfall': 1.0, 'share_below': 0.67}
    """
    draws = [draw.where(required.notna()) for draw in draws]
    required = required.where(draws[0].notna())
    parts = {
        "level": draws,
        "required": required,
        "shortfall": [(required - draw).clip(lower=0) for draw in draws],
        "share_below": [_below(draw, required, margin) for draw in draws],
    }
    if raw is not None:
        parts["shortfall_raw"] = (required - raw).clip(lower=0)
    tables = [
        tidy(
            group_means(values, design, by),
            design,
            uncertainty="sampling+measurement"
            if isinstance(values, list) and len(values) > 1
            else "sampling",
            shares=required.columns if statistic == "share_below" else (),
        ).assign(statistic=statistic)
        for statistic, values in parts.items()
    ]
    return _gaps(pd.concat(tables, ignore_index=True))


def _below(level, required, margin):
    return (level < required - margin).where(level.notna() & required.notna()).astype(float)


def _gaps(table):
    table = table.rename(columns={"variable": "competency_id"})
    # a shortfall is never negative, whatever its t interval says
    short = table["statistic"].str.startswith("shortfall")
    table["ci_low"] = table["ci_low"].mask(short, table["ci_low"].clip(lower=0))
    first = ["group", "competency_id", "statistic"]
    return table[first + [column for column in table if column not in first]]


def tested_gaps(plausible_values, roles, requirements, design, *, by=None):
    """Gaps of tested proficiency against requirements that are themselves estimates.

    Every plausible value meets the requirement drawn from the same plausible value, every replicate the
    requirement of the same replicate, so the interval contains the error of both. Below means C < R.

    Parameters
    ----------
    plausible_values : dict of str to list of Series of shape (n_respondents,)
    roles : Series of shape (n_respondents,)
    requirements : DataFrame
        As `derive_requirements` gives them.
    design : SurveyDesign
        Of the same respondents.
    by : Series of shape (n_respondents,), optional

    Returns
    -------
    DataFrame
        As `skill_gaps` gives it, without shortfall_raw.

    Raises
    ------
    EstimateError
        No role of these respondents has a requirement.
    """
    competencies = sorted(plausible_values)
    codes, labels = _groups(by, len(roles))
    draws = len(plausible_values[competencies[0]])
    stacks = {s: np.full((draws, design.matrix.shape[1], len(labels), len(competencies)), np.nan)
              for s in ("level", "required", "shortfall", "share_below")}  # fmt: skip
    counts = np.zeros((2, len(labels), len(competencies)))
    for place, competency in enumerate(competencies):
        needed = _required_by_draw(requirements, roles, competency, draws, design.matrix.shape[1])
        if np.isnan(needed).all():
            raise EstimateError(f"{competency}: no role has a requirement: lower requirements.derive.minimum")
        for draw in range(draws):
            level = np.asarray(plausible_values[competency][draw], dtype=float)[:, None]
            _fill(stacks, draw, place, level, needed[draw], design.matrix, codes)
        counts[:, :, place] = _counts(
            np.isfinite(needed[0][:, 0]) & np.isfinite(level[:, 0]), design.weights.to_numpy(), codes, len(labels)
        )
    tables = []
    for statistic, stack in stacks.items():
        means = Means(labels, pd.Index(competencies), stack[:, 0], stack[:, 1:], *counts)
        shares = competencies if statistic == "share_below" else ()
        tidied = tidy(means, design, uncertainty="sampling+measurement", shares=shares)
        tables.append(tidied.assign(statistic=statistic))
    return _gaps(pd.concat(tables, ignore_index=True))


def _required_by_draw(requirements, roles, competency, draws, n_weights):
    """Requirement of each respondent: (n_draws, n_respondents, 1 + n_replicates)."""
    mine = requirements[requirements["competency_id"] == competency].dropna(subset="required_level")
    known = sorted(mine["role_id"].unique())
    table = mine.sort_values(["role_id", "plausible_value", "replicate"])["required_level"].to_numpy()
    table = table.reshape(len(known), draws, n_weights)
    place = pd.Index(known).get_indexer(pd.Index(roles))
    needed = np.full((draws, len(roles), n_weights), np.nan)
    has = place >= 0
    needed[:, has] = table[place[has]].transpose(1, 0, 2)
    return needed


def _fill(stacks, draw, place, level, needed, weights, codes):
    there = np.isfinite(needed) & np.isfinite(level)
    mass = np.where(there, weights, 0.0)
    parts = {"level": np.broadcast_to(level, needed.shape), "required": needed,
             "shortfall": np.maximum(needed - level, 0), "share_below": level < needed}  # fmt: skip
    for statistic, values in parts.items():
        weighted = np.where(there, values, 0.0) * mass
        for group in range(stacks[statistic].shape[2]):
            rows = codes == group
            total = mass[rows].sum(axis=0)
            sums = weighted[rows].sum(axis=0)
            stacks[statistic][draw, :, group, place] = np.divide(
                sums, total, out=np.full_like(sums, np.nan), where=total > 0
            )


def _counts(there, weights, codes, n_groups):
    inside = [there & (weights > 0) & (codes == group) for group in range(n_groups)]
    n = [int(rows.sum()) for rows in inside]
    n_eff = [w.sum() ** 2 / (w**2).sum() if len(w := weights[rows]) else 0.0 for rows in inside]
    return np.array([n, n_eff])


def group_needs(gaps, by):
    """Average shortfall over competencies by group, in three tiers and never as a ranking.

    A group stands apart when its need lies above (or below) the average of the groups with 90 %
    probability, after shrinking each group towards that average by how uncertain it is.

    Parameters
    ----------
    gaps : DataFrame
        One group a row: group, estimate, se, ci_low, ci_high, n, n_eff, uncertainty.
    by : str
        Name of the column the groups come from.

    Returns
    -------
    DataFrame
        by, group, estimate, se, ci_low, ci_high, n, n_eff, uncertainty, tier {most, between, least}.

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the NBS 87, 377–385, for the variance between groups.

    Examples
    --------
    >>> groups = pd.DataFrame({"group": list("abc"), "estimate": [1.0, 0.5, 0.0], "se": 0.05})
    >>> group_needs(groups, "agency_id")["tier"].tolist()
    ['most', 'between', 'least']
    """
    told = gaps[gaps["estimate"].notna() & (gaps["se"] > 0)]  # one respondent has no standard error, and no tier
    if told.empty:
        return gaps.assign(by=by, tier=NEEDS[1])[["by", *gaps.columns, "tier"]]
    mean, between = _shrinkage(told["estimate"].to_numpy(), told["se"].to_numpy() ** 2)
    keep = between / (between + gaps["se"] ** 2) if between > 0 else pd.Series(0.0, gaps.index)
    centre = mean + keep * (gaps["estimate"] - mean)
    spread = np.sqrt(keep) * gaps["se"]
    above = stats.norm.cdf((centre - mean) / spread.where(spread > 0, np.inf))
    above = np.where(gaps.index.isin(told.index), above, 0.5)
    tier = np.select([above >= SURE, above <= 1 - SURE], [NEEDS[0], NEEDS[2]], NEEDS[1])
    return gaps.assign(by=by, tier=tier)[["by", *gaps.columns, "tier"]]


def _shrinkage(estimates, variances, sweeps=200):
    """Mean of and variance between groups, whose weighted squares then equal their expectation."""
    between = 0.0
    for _ in range(sweeps):
        w = 1 / (variances + between)
        mean = (w * estimates).sum() / w.sum()
        excess = (w * (estimates - mean) ** 2).sum() - (len(estimates) - 1)
        if between == 0.0 and excess <= 0:
            break
        between += excess / (w**2 * (estimates - mean) ** 2).sum()
        if abs(excess) < 1e-10:
            break
    return mean, between
