"""Published shares and means: straight to the tables of means and gaps, where nobody has the answers."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.gaps import MARGIN
from skillsgap.estimate.survey.intervals import interval

PLACE = ["by", "group", "competency_id"]
ROLE = ["role_id", "role_level"]
CELL = [*PLACE, *ROLE]
NUMBERS = ["level", "estimate", "se", "ci_low", "ci_high", "n"]
FIGURES = ["estimate", "se", "ci_low", "ci_high", "n", "n_eff", "uncertainty"]
ROUNDING = 0.02  # whole per cents rarely sum further from 1 than this; beyond it one is wrong or missing
NORMAL = 1.959963984540054  # half of a published 95 % interval, in standard errors


def published_means(aggregates, *, headcounts=None):
    """Means and shares as they were published, and mean levels of published distributions over levels.

    A missing standard error comes from the 95 % interval, or else from n as in simple random sampling; where
    neither is known, error and interval stay empty. Where only roles were published they are combined as in
    `published_gaps`.

    Parameters
    ----------
    aggregates : DataFrame
        by, group, competency_id, statistic {mean, share, level_share}, estimate (shares 0–1), and optionally
        role_id, role_level, level (0–4, of level_share), se, ci_low, ci_high, n (respondents behind a mean, a
        share or a whole distribution).
    headcounts : DataFrame, optional
        As in `published_gaps`.

    Returns
    -------
    DataFrame
        by, group, variable (the competency), estimate, se, ci_low, ci_high, n, n_eff, uncertainty.

    Raises
    ------
    EstimateError
        A share is outside 0–1, a distribution doesn't sum to 1 (within 0.02), something is published twice, a
        level_share has no level, limits are the wrong way round, or n differs within a distribution.

    Examples
    --------
    >>> rows = pd.DataFrame({"by": "all", "group": "all", "competency_id": "c", "statistic": "level_share",
    ...                      "level": [1, 2, 3], "estimate": [0.25, 0.5, 0.25], "n": 200})
    >>> published_means(rows)[["variable", "estimate", "se"]].values.tolist()
    [['c', 2.0, 0.05]]
    """
    rows = _published(aggregates)
    # what was published of the whole is surer than what can be put together from its parts
    for keys, column in ((PLACE, "role_id"), ([*PLACE, "role_id"], "role_level")):
        rows = _preferred(rows, keys, rows[column] == "")
    table = _together(_weighted(_over_levels(rows, rows["level"]), headcounts))
    return table.rename(columns={"competency_id": "variable"})[["by", "group", "variable", *FIGURES]]


def published_gaps(aggregates, requirements, *, headcounts=None, margin=MARGIN):
    """Mean level, requirement, shortfall and share below requirement, from levels published by role.

    The distribution over levels in a role meets what the role requires; its error is that of a multinomial with
    the effective n that fits the published errors (the median of p(1 - p)/se² over levels), or else n. The
    levels are as measured, so that measurement error is in the shortfall, as in `skill_gaps`' shortfall_raw.
    Of a role with only a mean, the shortfall and the share below stay empty: max(0, R - C) is convex, so its
    mean is at least R - mean(C) (Jensen's inequality), and how much more depends on the spread around the mean.

    The roles of a group are combined by head-count, and where the group has none, by n; roles that weren't
    published are not in it. Where a role's weight is unknown the group's figures stay empty, and so where levels
    are published for a whole role whose role levels are asked different things.

    Parameters
    ----------
    aggregates : DataFrame
        As in `published_means`. Rows that name no role (in role_id, or as the group where by is role_id), single
        shares, and competencies of which the role asks nothing have no gap.
    requirements : DataFrame
        role_id, role_level, competency_id, required_level (0–4); several raters are averaged.
    headcounts : DataFrame, optional
        role_id, role_level, headcount (people), and by and group; without these two they are of the whole unit
        (by and group "all").
    margin : float
        Below requirement means level < required - margin.

    Returns
    -------
    DataFrame
        by, group, competency_id, statistic {level, required, shortfall, share_below}, estimate, se, ci_low,
        ci_high, n, n_eff, uncertainty.

    Raises
    ------
    EstimateError
        As `published_means`, or a mean to be held against a requirement is outside the levels 0–4.

    Examples
    --------
    >>> rows = pd.DataFrame({"by": "all", "group": "all", "competency_id": "c", "role_id": "r", "role_level": "staff",
    ...                      "statistic": "level_share", "level": [1, 2, 3], "estimate": [0.25, 0.5, 0.25], "n": 200})
    >>> needs = pd.DataFrame({"role_id": ["r"], "role_level": "staff", "competency_id": "c", "required_level": 3.0})
    >>> published_gaps(rows, needs).set_index("statistic")["estimate"].to_dict()
    {'level': 2.0, 'required': 3.0, 'shortfall': 1.0, 'share_below': 0.75}
    """
    rows = _published(aggregates)
    rows = rows[(rows["role_id"] != "") & (rows["statistic"] != "share")]
    rows = _preferred(rows, [*PLACE, "role_id"], rows["role_level"] != "")
    rows = rows.merge(_needed(requirements), on=[*ROLE, "competency_id"])
    rows = rows[rows["required"] != 0]  # METHODS: gaps are over R > 0
    mean, level, required = rows["statistic"] == "mean", rows["level"], rows["required"]
    _refuse(rows, mean & ~level.between(0, 4), "a mean of {estimate:g} is no level of 0–4 to hold against what is "
            "required: put it on levels, or leave its requirement out")  # fmt: skip
    below = (level < required - margin).where(required.notna()).astype(float)
    values = {"level": level.where(required.notna()), "required": required,
              "shortfall": (required - level).clip(lower=0).mask(mean), "share_below": below.mask(mean)}  # fmt: skip
    tables = []
    for statistic, value in values.items():
        cells = _over_levels(rows, value)
        if statistic == "required":
            cells["variance"] = 0.0
        if statistic != "level":
            cells[["ci_low", "ci_high"]] = np.nan  # those that came are of the mean level
        kind = "share" if statistic == "share_below" else statistic
        tables.append(_together(_weighted(cells.assign(statistic=kind), headcounts)).assign(statistic=statistic))
    table = pd.concat(tables).sort_values(PLACE, kind="stable", ignore_index=True)
    short = table["statistic"] == "shortfall"  # never negative, whatever its interval says
    table["ci_low"] = table["ci_low"].mask(short, table["ci_low"].clip(lower=0))
    return table[[*PLACE, "statistic", *FIGURES]]


def _published(aggregates):
    """Rows in a fixed order and checked, with se, n_eff, their `cell`, and `p`, the share of the cell at `level`."""
    rows = aggregates.reindex(columns=[*CELL, "statistic", *NUMBERS])
    rows[CELL] = _text(rows[CELL])
    rows[NUMBERS] = rows[NUMBERS].astype(float)
    rows["role_id"] = rows["role_id"].mask((rows["by"] == "role_id") & (rows["role_id"] == ""), rows["group"])
    rows = rows.sort_values([*CELL, "statistic", "level", "estimate"], ignore_index=True)
    rows["cell"] = rows.groupby(CELL).ngroup()
    spread, levels = rows["statistic"] == "level_share", rows["estimate"].where(rows["statistic"] == "level_share")
    _check(rows, spread, levels)
    se = rows["se"].fillna((rows["ci_high"] - rows["ci_low"]) / (2 * NORMAL))
    one = (rows["estimate"] * (1 - rows["estimate"])).mask(rows["statistic"] == "mean")  # variance of one answer
    told = (one / se**2).where((one > 0) & (se > 0))  # an error of 0 is one that was rounded
    told = told.mask(spread, told.groupby(rows["cell"]).transform("median"))
    rows["n_eff"] = told.fillna(rows["n"].where(rows["n"] > 0)).mask(rows["statistic"] == "mean")
    rows["se"] = se.fillna(np.sqrt(one / rows["n_eff"]))
    rows["p"] = (levels / levels.groupby(rows["cell"]).transform("sum")).where(spread, 1.0)
    rows["level"] = rows["level"].where(spread, rows["estimate"])
    rows[["ci_low", "ci_high"]] = rows[["ci_low", "ci_high"]].mask(spread, axis=0)
    return rows


def _text(columns):
    return columns.astype(object).fillna("").astype(str)


def _check(rows, spread, levels):
    is_share = rows["statistic"] != "mean"
    _refuse(rows, is_share & ~rows["estimate"].between(0, 1),
            "a share of {estimate:g} is outside 0–1: divide percentages by 100")  # fmt: skip
    _refuse(rows, spread & rows["level"].isna(), "a level_share of {estimate:g} has no level: say which of 0–4")
    _refuse(rows, rows["ci_low"] > rows["ci_high"], "ci_low {ci_low:g} is above ci_high {ci_high:g}: swap them")
    _refuse(rows, rows.duplicated([*CELL, "statistic", "level"]), "{statistic} is published twice: keep one row")
    several = rows.groupby("cell")["statistic"].transform("nunique") > 1
    _refuse(rows, several, "both {statistic} and another statistic are published: keep one of them")
    single = (rows["statistic"] == "share").groupby([rows[key] for key in PLACE])
    _refuse(rows, single.transform("nunique") > 1, "a share stands beside levels: give it its own competency_id")
    rows = rows.assign(total=levels.groupby(rows["cell"]).transform("sum"))
    _refuse(rows, spread & ((rows["total"] - 1).abs() > ROUNDING + 1e-9),
            "its level shares sum to {total:.4g}, not 1: add the levels that are missing, or correct them")  # fmt: skip
    _refuse(rows, rows.groupby("cell")["n"].transform("nunique") > 1,
            "n differs between levels: give the respondents of the whole distribution in each row")  # fmt: skip


def _refuse(rows, bad, message):
    """One line about the first cell concerned, and how many there are."""
    if not bad.any():
        return
    first = rows[bad].iloc[0]
    role = f", role {first['role_id']} {first['role_level']}".rstrip() if first["role_id"] else ""
    count = rows.loc[bad, "cell"].nunique()
    many = f" ({count} such)" if count > 1 else ""
    where = f"{first['by']} {first['group']}, competency {first['competency_id']}{role}"
    raise EstimateError(f"aggregates: {where}: {message.format(**first)}{many}")


def _preferred(rows, keys, better):
    """Within `keys` the rows that are better, or all where none is."""
    return rows[better | ~better.groupby([rows[key] for key in keys]).transform("any")]


def _needed(requirements):
    """What each role level requires; a whole role (role_level empty) only where all of its levels require the same."""
    asked = requirements.assign(**_text(requirements[[*ROLE, "competency_id"]])).sort_values("required_level")
    needed = asked.groupby([*ROLE, "competency_id"], as_index=False)["required_level"].mean()
    role = needed.groupby(["role_id", "competency_id"])["required_level"].agg(["min", "max", "count"]).reset_index()
    same = role["count"] == role["role_id"].map(needed.groupby("role_id")["role_level"].nunique())
    role["required_level"] = role["min"].where(same & (role["min"] == role["max"]))
    whole = role[["role_id", "competency_id", "required_level"]].assign(role_level="")
    return pd.concat([needed[needed["role_level"] != ""], whole]).rename(columns={"required_level": "required"})


def _over_levels(rows, value):
    """Mean of `value` in each cell, and its variance: multinomial, or as published for a single mean or share."""
    cell = rows["cell"]
    mean = (rows["p"] * value).groupby(cell).sum(skipna=False)
    spread = (rows["p"] * (value - cell.map(mean)) ** 2).groupby(cell).sum(skipna=False)
    cells = rows.drop_duplicates("cell").set_index("cell")
    variance = (spread / cells["n_eff"]).where(cells["statistic"] == "level_share", cells["se"] ** 2)
    return cells.assign(estimate=mean, variance=variance)


def _weighted(cells, headcounts):
    """Cells with their `weight` in their group, and whether head-counts `fixed` it."""
    if headcounts is None:
        return cells.assign(weight=cells["n"], fixed=False)
    staff = headcounts if "by" in headcounts else headcounts.assign(by="all", group="all")
    keys = ["by", "group", *ROLE]
    staff = staff.assign(**_text(staff[keys])).sort_values("headcount")
    staff = pd.concat([staff[staff["role_level"] != ""], staff.assign(role_level="")])
    known = cells[keys].join(staff.groupby(keys)["headcount"].sum(), on=keys)["headcount"].astype(float)
    fixed = known.notna().groupby([cells["by"], cells["group"]]).transform("any")
    return cells.assign(weight=known.where(fixed, cells["n"]), fixed=fixed)


def _together(cells):
    """Roles of each group as one, with errors and intervals; a group with a weight unknown stays empty."""
    keys = [cells[key] for key in PLACE]
    alone = cells["weight"].groupby(keys).transform("size") == 1
    share = (cells["weight"] / cells["weight"].groupby(keys).transform("sum", skipna=False)).mask(alone, 1.0)
    parts = pd.DataFrame({
        "estimate": share * cells["estimate"], "variance": share**2 * cells["variance"],
        "n": cells["n"], "size": cells["n_eff"].fillna(cells["n"]), "inverse": share**2 / cells["n_eff"],
    })  # fmt: skip
    table = parts.groupby(keys).sum(skipna=False)
    middle = cells[PLACE].join(table["estimate"], on=PLACE)["estimate"]
    # n says how many of each role were met by chance, so that mix has an error too; a head-count has none
    mix = (share * (cells["estimate"] - middle) ** 2).mask(cells["fixed"], 0.0).groupby(keys).sum(skipna=False)
    variance = table["variance"] + (mix / table["size"]).where(mix > 0, 0.0)
    table["se"] = np.sqrt(variance).where(table["estimate"].notna())
    table["n_eff"] = (1 / table["inverse"]).where(table["inverse"] > 0)
    is_share = (cells["statistic"] == "share").groupby(keys).first()
    low, high = interval(table["estimate"], table["se"], np.inf, share=is_share)
    told = table["se"].notna()
    came = cells[["ci_low", "ci_high"]].where(alone & cells["estimate"].notna(), axis=0).groupby(keys).first()
    for column, limit in (("ci_low", low), ("ci_high", high)):
        table[column] = came[column].fillna(pd.Series(limit, table.index).where(told))
    return table.assign(uncertainty="sampling").reset_index()
