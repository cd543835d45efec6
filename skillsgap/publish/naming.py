"""Names of profiles by rule, as messages, and the typed values that fill the places of a message."""

from skillsgap.wording import N_

BROAD = 0.3  # levels: a profile this far from the average in everything is named for that
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


def profile_names(tables):
    """Name of each profile by rule: what it is highest in, or that it is low or high in everything.

    Returns
    -------
    dict of int to typed value
    """
    levels = group_levels(tables)
    rest = levels.sub(levels.mean(axis=0), axis=1)
    overall = rest.mean(axis=1)
    low, high, peak = N_("just starting"), N_("ahead in most things"), N_("strongest in {group}")
    if levels.columns.name == "item_id":
        low, high, peak = N_("light users"), N_("heavy users"), N_("in between, above all “{group}”")
    names, taken = {}, set()
    for profile in levels.index:
        if overall[profile] == overall.min() and overall[profile] < -BROAD:
            message, values = low, {}
        elif overall[profile] == overall.max() and overall[profile] > BROAD:
            message, values = high, {}
        else:
            peaks = (rest.loc[profile] - overall[profile]).sort_values(ascending=False, kind="stable")
            best = next((g for g in peaks.index if g not in taken), peaks.index[0])
            taken.add(best)
            message, values = peak, {"group": label(levels.columns.name, best)}
        names[int(profile)] = {"kind": "message", "value": message, "values": values}
    return names


def group_levels(tables, value="estimate"):
    """Mean level of each profile in each competency group, or in each item where items form the profiles.

    `value` is the column that is averaged: the estimate, or the truth of a fictional country.
    """
    levels = tables["profiles"].query("statistic == 'level'")
    groups = tables["competencies"].set_index("competency_id")["group"]
    known = levels["variable"].isin(groups.index).all()
    column = levels["variable"].map(groups) if known else levels["variable"]
    order = list(dict.fromkeys(groups)) if known else list(dict.fromkeys(levels["variable"]))
    table = levels.assign(column=column).pivot_table(index="profile", columns="column", values=value)
    table = table[[name for name in order if name in table]]  # a group without answers has no level
    return table.rename_axis(columns="group" if known else "item_id")
