"""Names of profiles by rule, as messages, and the typed values that fill the places of a message."""

from collections import Counter

import numpy as np

from skillsgap.wording import N_

BROAD = 0.3  # levels: this far from all staff, over all it knows, a profile is below or above average
PEAK = 0.25  # levels: this much better in one thing than in the rest, a profile is named for that
STARTING = 1.5  # mean level that is nearer to awareness than to working
LEVELS = {
    "start": N_("just starting"), "ahead": N_("ahead in most things"),
    "below": N_("below average in most things"), "about": N_("about average in most things"),
    "above": N_("above average in most things"), "less": N_("below average, least so in {group}"),
    "below but": N_("below average, but ahead in {group}"), "about but": N_("about average, ahead in {group}"),
    "above but": N_("above average, most of all in {group}"),
}  # fmt: skip
_BETWEEN, _ABOVE_ALL = N_("in between"), N_("in between, above all “{group}”")
ITEMS = {
    "start": N_("light users"), "ahead": N_("heavy users"), "below": _BETWEEN, "about": _BETWEEN, "above": _BETWEEN,
    "less": _ABOVE_ALL, "below but": _ABOVE_ALL, "about but": _ABOVE_ALL, "above but": _ABOVE_ALL,
}  # fmt: skip
# how a sentence calls the groups of a column
COLUMNS = {
    "agency_id": N_("agencies"),
    "industry": N_("industries"),
    "isco08": N_("occupations"),
    "region": N_("regions"),
    "admin_level": N_("levels of administration"),
    "role_id": N_("roles"),
    "role_level": N_("role levels"),
    "competency_id": N_("competencies"),
    "grade": N_("grades"),
    "sex": N_("sexes"),
    "age_band": N_("age groups"),
    "education": N_("levels of education"),
    "language": N_("language groups"),
    "answer_language": N_("language groups"),
    "disability": N_("disability groups"),
}


def value(kind, x, **more):
    """A typed value of a message."""
    return {"kind": kind, "value": x if isinstance(x, (str, dict)) else round(float(x), 4), **more}


def label(column, code):
    """The name of a code, as a typed value."""
    return {"kind": "label", "table": column, "value": str(code)}


def column_name(column):
    """How a sentence calls the groups of a column, as a typed value; params may name others under labels.by."""
    return value("message", COLUMNS[column]) if column in COLUMNS else label("by", column)


def profile_names(tables, given=None):
    """Name of each profile by rule: what it is like beside the others, never twice the same.

    In this order: lowest or highest in most things; clearly the strongest of all in something; better or less behind
    in something than in the rest; alike in most things. What is clear stands outside the intervals of the others. Two
    names that would be the same add the mean level.

    Parameters
    ----------
    tables : dict of str to DataFrame
        With profiles (as `profile_estimates` gives them) and competencies.
    given : sequence of text or {language: text}, optional
        Names of params, from profile 1 on, which win.

    Returns
    -------
    dict of int to typed value; profiles without levels have no name
    """
    levels = group_levels(tables).round(4)  # so that all machines agree
    low, high = (group_levels(tables, end).reindex_like(levels).fillna(levels) for end in ("ci_low", "ci_high"))
    names = {int(k): _by_rule(k, levels, low, high, staff_average(tables, levels)) for k in levels.index}
    for digits in (1, 2):  # of the mean level; profiles as alike as that are one
        double = Counter(map(str, names.values()))
        again = {k: name for k, name in names.items() if double[str(name)] > 1}
        names |= {k: message(N_("{name}, {level} on average"), name=name,
                             level=value("number", levels.loc[k].mean(), digits=digits)) for k, name in again.items()}
    double = Counter(map(str, names.values()))
    names |= {k: message(N_("{name} ({number})"), name=name, number=value("number", k))
              for k, name in names.items() if double[str(name)] > 1}
    given = {k: {"kind": "text", "value": text} for k, text in enumerate(given or (), start=1)}
    return {k: message(N_("{name}"), name=given[k]) if k in given else name for k, name in names.items()}


def message(text, **values):
    """A message with its typed values, as a typed value."""
    return value("message", text, values=values)


def staff_average(tables, levels):
    """Mean level of all staff in each column of `levels`: that of the profiles, each by its share."""
    shares = tables["profiles"].query("statistic == 'share'").set_index("profile")["estimate"].reindex(levels.index)
    shares = shares.fillna(shares.mean()).fillna(1.0)
    return levels.mul(shares, axis=0).sum() / shares.sum()


def _by_rule(profile, levels, low, high, average):
    """The name of one profile; others may still have the same."""
    said = ITEMS if levels.columns.name == "item_id" else LEVELS
    away, mine = levels - average, levels.loc[profile]
    overall, others = away.mean(axis=1), levels.drop(profile)
    broad, peak = np.array([BROAD, PEAK]) * (0.25 if levels.max(axis=None) <= 1 else 1.0)  # of answers no and yes too
    here = overall[profile]
    if others.empty:
        return message(N_("everybody alike"))
    if here < -broad and (mine < others.min()).mean() > 0.5:
        return message(said["start"] if mine.mean() < STARTING or said is ITEMS else N_("behind in most things"))
    if here > broad and (mine > others.max()).mean() > 0.5:
        return message(said["ahead"])
    beyond = away.loc[profile] - here  # better or worse than in the rest
    first = beyond[(low.loc[profile] > others.max()) & (mine > high.drop(profile).max()) & (beyond >= peak)]
    if len(first) and said is LEVELS:
        return message(N_("strongest in {group}"), group=label("group", first.idxmax()))
    tier = "below" if here < -broad else "above" if here > broad else "about"
    if beyond.max() < peak:
        return message(said[tier])
    best = beyond.idxmax()
    less = tier != "above" and away.loc[profile, best] < (peak if said is LEVELS else 1e-9)  # of all staff, not ahead
    if less and tier == "about" and said is LEVELS:
        return message(said["about"])
    return message(said["less" if less else f"{tier} but"], group=label(levels.columns.name, best))


def group_levels(tables, value="estimate"):
    """Mean level of each profile in each competency group, or in each item where items form the profiles.

    `value` is the column that is averaged: the estimate, an end of its interval, or the truth of a fictional country.
    Averaged ends of intervals are those of levels whose errors go together: the widest that a group's mean can have.
    """
    levels = tables["profiles"].query("statistic == 'level'")
    groups = tables["competencies"].set_index("competency_id")["group"]
    known = levels["variable"].isin(groups.index)
    levels = levels[known] if known.any() else levels  # HR indicators beside competencies are no levels
    column = levels["variable"].map(groups) if known.any() else levels["variable"]
    order = list(dict.fromkeys(groups)) if known.any() else list(dict.fromkeys(levels["variable"]))
    table = levels.assign(column=column).pivot_table(index="profile", columns="column", values=value)
    table = table[[name for name in order if name in table]]  # a group without answers has no level
    return table.rename_axis(columns="group" if known.any() else "item_id")
