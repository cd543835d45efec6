"""Planted values beside estimated ones, where a country is fictional and its truth is kept beside its data."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from skillsgap.errors import ParamsError


def planted(unit):
    """What was planted in a fictional unit, with the keys of the stage tables that estimate it.

    Parameters
    ----------
    unit : Unit

    Returns
    -------
    dict of str to DataFrame
        As far as the truth holds them, each with a column `truth`: gaps (by, group, competency_id, statistic),
        means (by, group, variable) and needs (by, group) for every `by` in their files; profiles (profile,
        variable, statistic, planted) and headcounts (by, group, profile, planted), where `planted` names the
        planted profile whose levels are nearest to those of the fitted one (least sum of squares over all).

    Raises
    ------
    ParamsError
        If the country is real, or nothing that was planted is kept beside its data.
    """
    if not unit.values["fictional"]:
        raise ParamsError(f"{unit.name} is a real country: nobody knows its true values")
    folder = _folder(unit)
    if folder is None:
        raise ParamsError(f"{unit.name} has no folder truth/ beside its data: nothing planted can be shown")
    tables, gaps, profiles = _by_group(folder), unit.table("gaps"), unit.table("profiles")
    if gaps is None or _short_of(gaps, "estimate") != _short_of(tables["gaps"], "truth"):
        tables.pop("needs", None)  # a need is a mean over competencies: over others it is another figure
    return tables | ({} if profiles is None else _by_profile(folder, profiles))


def drawn_moments(unit):
    """What was planted in a fictional unit beside what its drawn data hold: is the country the one its spec asks for?

    Parameters
    ----------
    unit : Unit

    Returns
    -------
    DataFrame
        figure, planted, generated, se (of drawing), z (difference in errors); empty where nothing is kept.
    """
    folder = _folder(unit)
    if folder is None or not (folder / "moments.csv").exists():
        return pd.DataFrame(columns=["figure", "planted", "generated", "se", "z"])
    table = pd.read_csv(folder / "moments.csv")
    return table.assign(z=(table["generated"] - table["planted"]) / table["se"])


def beside_truth(unit, name):
    """A stage table with what was planted beside what was estimated.

    Parameters
    ----------
    unit : Unit
    name : {"gaps", "means", "needs", "headcounts", "profiles"}

    Returns
    -------
    DataFrame
        The stage table with a column `truth`; empty values for a real country, and where nothing was planted.
        Of profiles and headcounts also `planted`, the planted profile that a fitted one is matched to.

    Raises
    ------
    ParamsError
        If the unit has no such table.
    """
    table = unit.table(name)
    if table is None:
        raise ParamsError(f"{unit.name} has no table {name}")
    known = unit.values["fictional"] and _folder(unit) is not None
    both = with_truth({name: table}, planted(unit) if known else {})[name]
    return both if "truth" in both else both.assign(truth=np.nan)


def with_truth(tables, truth):
    """Tables with what was planted in a column `truth`, empty where nothing was or nothing is estimated.

    A table that has no planted counterpart stays as it is.

    Parameters
    ----------
    tables : dict of str to DataFrame
    truth : dict of str to DataFrame
        As `planted` gives them.

    Returns
    -------
    dict of str to DataFrame

    Examples
    --------
    >>> needs = pd.DataFrame({"by": "agency_id", "group": ["a", "b"], "estimate": [0.2, 0.3]})
    >>> with_truth({"needs": needs}, {"needs": needs.drop(columns="estimate").assign(truth=[0.25, 0.28])})["needs"]
              by group  estimate  truth
    0  agency_id     a       0.2   0.25
    1  agency_id     b       0.3   0.28
    """
    both = {name: tables[name].merge(truth[name], how="left") for name in truth if name in tables}
    return tables | {name: table.assign(truth=table["truth"].where(table["estimate"].notna()))
                     for name, table in both.items()}  # fmt: skip


def _folder(unit):
    """Where the truth is kept: beside the data, as `make_country` writes it; None where it isn't."""
    files = [unit.values["data"].get(name, {}).get("file", "") for name in ("responses", "register", "aggregates")]
    places = [*([Path(unit.data)] if unit.data else []), unit.params.path.parent]
    folders = [(place / file).parent / "truth" for place in places for file in files if file]
    return next((folder for folder in folders if folder.is_dir()), None)


def _by_group(folder):
    """Truth about groups of staff: every `by` that the files hold."""
    keys = ["by", "group", "competency_id"]
    tables = {"gaps": _read(folder / "gaps.csv").melt(keys, var_name="statistic", value_name="truth")}
    if (folder / "means.csv").exists():
        columns = {"competency_id": "variable", "level": "truth"}
        tables["means"] = _read(folder / "means.csv").rename(columns=columns)[["by", "group", "variable", "truth"]]
    if (folder / "needs.csv").exists():
        tables["needs"] = _read(folder / "needs.csv").rename(columns={"need": "truth"})[["by", "group", "truth"]]
    return tables


def _short_of(gaps, value):
    """Competencies of which there is a shortfall."""
    return set(gaps.loc[(gaps["statistic"] == "shortfall") & gaps[value].notna(), "competency_id"])


def _by_profile(folder, profiles):
    """Truth about profiles; nothing where answers to single questions formed them, whose levels nobody planted."""
    there = _read(folder / "profiles.csv").set_index("profile")
    levels = profiles[profiles["statistic"] == "level"].pivot(index="profile", columns="variable", values="estimate")
    shared = [column for column in levels if column in there]
    if not shared:
        return {}
    names = _matched(levels[shared], there[shared])
    table = profiles[["profile", "variable", "statistic"]].assign(planted=profiles["profile"].map(names))
    values = there.rename_axis("planted").melt(var_name="variable", value_name="truth", ignore_index=False)
    table = table.merge(values.reset_index(), how="left")
    columns = {"agency_id": "group", "profile": "planted", "headcount": "truth"}
    counts = _read(folder / "headcounts.csv").rename(columns=columns).assign(by="agency_id")
    whole = counts.groupby("planted", as_index=False)["truth"].sum().assign(by="all", group="all")
    fitted = pd.DataFrame(names.items(), columns=["profile", "planted"])
    return {"profiles": table, "headcounts": pd.concat([counts, whole]).merge(fitted)}


def _matched(levels, there):
    """Planted profile of each fitted one; a fitted one that is left over has none."""
    distance = levels.to_numpy()[:, None] - there.to_numpy()[None]
    rows, columns = linear_sum_assignment((distance**2).sum(axis=2))
    return dict(zip(levels.index[rows], there.index[columns], strict=True))


def _read(file):
    codes = dict.fromkeys(("by", "group", "agency_id", "profile", "competency_id"), str)
    return pd.read_csv(file, dtype=codes, keep_default_na=False, na_values=[""])  # a code may read NA


def summary(unit):
    """Planted against estimated in a few lines: shares and head-counts of profiles.

    Returns
    -------
    DataFrame
        figure, planted, estimated, se, inside (whether the 95 % interval holds the planted value).
    """
    rows = []
    shares = beside_truth(unit, "profiles").query("statistic == 'share'")
    counts = beside_truth(unit, "headcounts").query("by == 'all'")
    for kind, table in (("share of", shares), ("head-count of", counts)):
        rows.append(pd.DataFrame({
            "figure": [f"{kind} {name}" for name in table["planted"]], "planted": table["truth"],
            "estimated": table["estimate"], "se": table["se"],
            "inside": table["truth"].between(table["ci_low"], table["ci_high"]),
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def coverage(unit):
    """How many planted values the 95 % intervals hold, and the mean error, by split and statistic.

    Returns
    -------
    DataFrame
        by, statistic (of gaps; need, headcount; of profiles share and level), figures, inside (a fraction),
        mean_error, mean_se.
    """
    needs = beside_truth(unit, "needs").assign(statistic="need")
    counts = beside_truth(unit, "headcounts").assign(statistic="headcount")
    profiles = beside_truth(unit, "profiles").assign(by="profile")
    table = pd.concat([beside_truth(unit, "gaps"), needs, counts, profiles]).dropna(subset="truth")
    table = table.assign(
        error=table["estimate"] - table["truth"],
        inside=table["truth"].between(table["ci_low"], table["ci_high"]),
    )
    grouped = table.groupby(["by", "statistic"])
    return grouped.agg(figures=("truth", "size"), inside=("inside", "mean"), mean_error=("error", "mean"),
                       mean_se=("se", "mean")).reset_index()  # fmt: skip
