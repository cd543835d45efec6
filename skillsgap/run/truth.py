"""Planted against estimated, where a country is fictional and its truth is kept beside its data."""

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment


def beside_truth(unit, name):
    """A stage table with what was planted beside what was estimated.

    Parameters
    ----------
    unit : Unit
    name : {"gaps", "headcounts", "profiles"}
        Of the profiles, their shares.

    Returns
    -------
    DataFrame
        The stage table with a column `truth`; empty values for a real country, and where nothing was
        planted. Fitted profiles are matched to planted ones by the least squared distance of their levels.
    """
    table = unit.table(name)
    table = table[table["statistic"] == "share"] if name == "profiles" else table
    folder = unit.root / "data" / "synthetic" / unit.name / "truth"
    if not unit.values["fictional"] or not folder.is_dir():
        return table.assign(truth=np.nan)
    if name == "gaps":
        return table.merge(_gaps(folder), how="left")
    planted = pd.read_csv(folder / "profiles.csv").set_index("profile")
    names = _matched(unit.table("profiles"), planted)
    if name == "profiles":
        names = table["profile"].map(names)
        return table.assign(planted=names, truth=names.map(planted["share"]))
    counts = pd.read_csv(folder / "headcounts.csv").rename(columns={"agency_id": "group", "headcount": "truth"})
    whole = counts.groupby("profile")["truth"].sum().reset_index().assign(by="all", group="all")
    counts = pd.concat([counts.assign(by="agency_id"), whole]).rename(columns={"profile": "planted"})
    return table.assign(planted=table["profile"].map(names)).merge(counts, how="left")


def _gaps(folder):
    wide = pd.read_csv(folder / "gaps.csv").fillna({"group": "all"})
    return wide.melt(["by", "group", "competency_id"], var_name="statistic", value_name="truth")


def _matched(profiles, planted):
    levels = profiles[profiles["statistic"] == "level"].pivot(index="profile", columns="variable", values="estimate")
    there = [column for column in levels if column in planted]
    distance = levels[there].to_numpy()[:, None] - planted[there].to_numpy()[None]
    rows, columns = linear_sum_assignment((distance**2).sum(axis=2))
    return dict(zip(levels.index[rows], planted.index[columns], strict=True))


def summary(unit):
    """Planted against estimated in a few lines: shares, head-counts, gaps.

    Returns
    -------
    DataFrame
        figure, planted, estimated, se, inside (whether the 95 % interval holds the planted value).
    """
    rows = []
    shares = beside_truth(unit, "profiles")
    counts = beside_truth(unit, "headcounts").query("by == 'all'")
    for kind, table in (("share of", shares), ("head-count of", counts)):
        rows.append(pd.DataFrame({
            "figure": [f"{kind} {name}" for name in table["planted"]], "planted": table["truth"],
            "estimated": table["estimate"], "se": table["se"],
            "inside": table["truth"].between(table["ci_low"], table["ci_high"]),
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def coverage(unit):
    """How many planted values the 95 % intervals hold, and the mean error, by table and statistic."""
    gaps = beside_truth(unit, "gaps").dropna(subset="truth")
    counts = beside_truth(unit, "headcounts").dropna(subset="truth").assign(statistic="headcount")
    table = pd.concat([gaps, counts], ignore_index=True)
    table = table.assign(
        error=table["estimate"] - table["truth"],
        inside=table["truth"].between(table["ci_low"], table["ci_high"]),
    )
    grouped = table.groupby(["by", "statistic"])
    return grouped.agg(figures=("truth", "size"), inside=("inside", "mean"), mean_error=("error", "mean"),
                       mean_se=("se", "mean")).reset_index()  # fmt: skip
