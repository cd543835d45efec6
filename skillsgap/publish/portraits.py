"""What each profile is like, in messages: how many, at which levels, where, how sure; of groups, never of a person."""

import numpy as np
import pandas as pd

from skillsgap.publish.naming import column_name, group_levels, label, message, staff_average, value
from skillsgap.wording import HIGH_SHARE, LOW_SHARE, N_

NAMES = 3  # groups that a sentence names
# METHODS, profiles: mean Jaccard index over re-draws from which a profile is stable, below which it isn't interpreted
STABLE, LOOSE = 0.75, 0.60
AGAIN = "jaccard_bootstrap"  # the statistic of `profile_stability` that this is read from
LEVEL_NAMES = (N_("none"), N_("awareness"), N_("working"), N_("practitioner"), N_("expert"))
PLACES = ("agency_id", "grade")


def profile_descriptions(tables):
    """A paragraph on each profile, as messages: size, best and weakest, against all staff, where, how stable.

    Parameters
    ----------
    tables : dict of str to DataFrame
        profiles and competencies; as far as they are there also headcounts and stability. Each as it is
        released or as its stage gives it.

    Returns
    -------
    dict of int to list of typed values
        One sentence each, to be said with `Words.say`. A profile whose share is withheld has one sentence.
    """
    shares = tables["profiles"].query("statistic == 'share'").set_index("profile")
    levels = group_levels(tables).round(4)
    average = staff_average(tables, levels)
    places = {by: group_shares(tables["headcounts"], by) for by in PLACES if _split(tables.get("headcounts"), by)}
    told = {}
    for k, share in shares.sort_index().iterrows():
        if np.isnan(share["estimate"]) or k not in levels.index:
            told[int(k)] = [message(N_("Withheld: it stands for too few people."))]
            continue
        told[int(k)] = [_size(k, share, tables.get("headcounts")), _best(levels.loc[k].dropna()),
                        *_beside((levels.loc[k] - average).dropna(), len(levels)),
                        *(_where(table[table["profile"] == k], by) for by, table in places.items()),
                        *_stability(k, tables.get("stability"))]  # fmt: skip
    return told


def group_shares(headcounts, by):
    """Share of each profile among the staff of each group, from the head-counts, beside its share of all staff.

    Parameters
    ----------
    headcounts : DataFrame
        As released, or as the stage gives it; groups keep their staff, so the intervals are those of the counts.
    by : str

    Returns
    -------
    DataFrame of group, profile, share, ci_low, ci_high, whole, clear, and truth where it is known
        Fractions, coded at 5 % and 95 %. `clear` is 1 or -1 where the interval lies above or below the share of all
        staff, `whole`. Where one profile of a group is withheld, all of them are: their shares would tell it.

    Examples
    --------
    >>> counts = pd.DataFrame({"by": ["all", "all", "grade", "grade"], "group": ["all", "all", "G1", "G1"],
    ...                        "profile": [1, 2, 1, 2], "estimate": [60.0, 40, 10, 30], "ci_low": [50.0, 30, 5, 25],
    ...                        "ci_high": [70.0, 50, 15, 35]})
    >>> group_shares(counts, "grade")[["profile", "share", "whole", "clear"]].to_numpy().tolist()
    [[1.0, 0.25, 0.6, -1.0], [2.0, 0.75, 0.4, 1.0]]
    """
    known = headcounts[headcounts["by"].isin(["all", by])]
    staff = known.groupby(["by", "group"])["estimate"].transform(lambda counts: counts.sum(skipna=False))
    columns = [name for name in ("estimate", "ci_low", "ci_high", "truth") if name in known]
    shares = known[columns].div(staff, axis=0).where(known["estimate"].notna() & (staff > 0))
    shares = shares.clip(LOW_SHARE, HIGH_SHARE).rename(columns={"estimate": "share"})
    table = known[["by", "group", "profile"]].join(shares)
    whole = table[table["by"] == "all"].set_index("profile")["share"]
    table = table[table["by"] == by].drop(columns="by")
    table["whole"] = table["profile"].map(whole)
    table["clear"] = (table["ci_low"] > table["whole"]).astype(int) - (table["ci_high"] < table["whole"])
    return table.sort_values(["group", "profile"]).reset_index(drop=True)


def stability_word(jaccard):
    """How far a profile may be relied on, by its mean Jaccard index over re-draws; a message."""
    if jaccard >= STABLE:
        return N_("stable")
    return N_("to be read with caution") if jaccard >= LOOSE else N_("not to be interpreted")


def _split(headcounts, by):
    return headcounts is not None and headcounts.loc[headcounts["by"] == by, "group"].nunique() > 1


def _size(profile, share, headcounts):
    values = {"share": value("share", share["estimate"]), "low": value("share", share["ci_low"]),
              "high": value("share", share["ci_high"])}  # fmt: skip
    whole = pd.DataFrame() if headcounts is None else headcounts.query("by == 'all' and profile == @profile")
    if whole.empty or whole["estimate"].isna().all():
        return message(N_("{share} of those the answers speak for ({low}–{high})."), **values)
    people = value("number", whole["estimate"].iloc[0])
    return message(N_("{share} of staff ({low}–{high}), about {people} people."), people=people, **values)


def _best(levels):
    """Where it is highest and lowest, and how the scale calls that."""
    ends = {"best": levels.idxmax(), "weakest": levels.idxmin()}
    values = {place: label(levels.index.name, code) for place, code in ends.items()}
    values |= {"high": value("number", levels.max(), digits=1), "low": value("number", levels.min(), digits=1)}
    if levels.index.name == "item_id":
        return message(N_("Highest mean answer: “{best}” ({high}); lowest: “{weakest}” ({low})."), **values)
    words = {f"{place}_word": message(LEVEL_NAMES[int(np.clip(np.floor(levels[code] + 0.5), 0, 4))])
             for place, code in ends.items()}  # fmt: skip
    return message(N_("Highest level: {best} ({high}, nearest to “{best_word}”); lowest: {weakest} ({low}, nearest to "
                      "“{weakest_word}”)."), **values, **words)  # fmt: skip


def _beside(away, profiles):
    """Where it stands above and below the average of all staff: no sentence, or one."""
    if profiles < 2 or away.index.name == "item_id":
        return []
    values = {"ahead": label(away.index.name, away.idxmax()), "behind": label(away.index.name, away.idxmin()),
              "more": value("signed", away.max(), digits=1), "less": value("signed", away.min(), digits=1)}  # fmt: skip
    if away.round(1).min() > 0:
        return [message(N_("Above the average of all staff in every group of competencies, most in {ahead} ({more} "
                           "levels), least in {behind} ({less})."), **values)]  # fmt: skip
    if away.round(1).max() < 0:
        return [message(N_("Below the average of all staff in every group of competencies, most in {behind} ({less} "
                           "levels), least in {ahead} ({more})."), **values)]  # fmt: skip
    return [message(N_("Against the average of all staff: highest in {ahead} ({more} levels), lowest in {behind} "
                       "({less})."), **values)]  # fmt: skip


def _where(table, by):
    """The groups in which it is clearly more and less common than among all staff."""
    table = table.sort_values(["share", "group"], ascending=[False, True])
    more, less = table.loc[table["clear"] > 0, "group"], table.loc[table["clear"] < 0, "group"][::-1]
    values = {"more": _listed(more, by), "less": _listed(less, by)}
    said = {
        (True, True): N_("By {column}: clearly more common than among all staff in {more}; clearly less in {less}."),
        (True, False): N_("By {column}: clearly more common than among all staff in {more}; nowhere clearly less."),
        (False, True): N_("By {column}: clearly less common than among all staff in {less}; nowhere clearly more."),
        (False, False): N_("By {column}: nowhere clearly more or less common than among all staff."),
    }[len(more) > 0, len(less) > 0]
    return message(said, column=column_name(by), **values)


def _listed(groups, by):
    """The first groups by name, in the order of their codes, which ranks nobody, and how many more there are."""
    names = {"kind": "labels", "table": by, "value": sorted(groups.head(NAMES))}
    rest = len(groups) - NAMES
    return message(N_("{names} ({few} more)"), names=names, few=value("number", rest)) if rest > 0 else names


def _stability(profile, stability):
    """How well re-draws of the sample find it again: no sentence, or one."""
    if stability is None:
        return []
    found = stability.loc[(stability["profile"] == profile) & (stability["statistic"] == AGAIN), "estimate"].dropna()
    return [message(N_("How well new draws of the sample find it again: {verdict} (Jaccard index {jaccard})."),
                    verdict=message(stability_word(jaccard)), jaccard=value("number", jaccard, digits=2))
            for jaccard in found]  # fmt: skip
