"""What tables say of each other: references that hold, and the answers against the register."""

import pandas as pd

from skillsgap.contracts import INPUTS
from skillsgap.study.levels import percent, row
from skillsgap.wording import HIGH_SHARE, LOW_SHARE, N_

FEW, ENOUGH, MOST = 10, 30, 0.80  # respondents of an agency, and the share of staff, as under coverage
MEASURING = ("anchored", "tested", "frequency", "knowledge", "judgement", "supervisor")
CELL = ("agency_id", "role_id", "role_level")


def relations(study):
    """What tables say of each other: (table, share that holds, message, values)."""
    at = {name: getattr(study, name, None) for name in (*INPUTS, "plausible_values")}
    items, register, responses, required = (at[n] for n in ("items", "register", "responses", "requirements"))
    measured = _measured(at)
    if at["competencies"] is not None:
        yield _holds("competencies", at["competencies"]["competency_id"].isin(measured),
                     N_("{n} of {all} competencies have an item or a figure"))
    if items is not None and "competency_id" in items:
        asked = items[items["type"].isin(MEASURING)]
        yield _holds("items", asked["competency_id"].notna(), N_("{n} of {all} items belong to a competency"))
    if required is not None:
        yield _holds("requirements", pd.Series(required["competency_id"].unique()).isin(measured),
                     N_("{n} of {all} competencies that roles require are measured"))
    roles = ["role_id", "role_level"]
    if required is not None and register is not None and {*roles} <= set(register):
        known = _known(register, required, roles)
        yield _staffed("register", known, register["headcount"],
                       N_("{share}% of staff are in a role and level that has requirements"))
    if register is not None and responses is not None:
        # a survey that doesn't tell, say, roles has one of them, called "all"
        shared = [c for c in CELL if c in register and c in responses and (responses[c] != "all").any()]
        if shared:
            yield _staffed("responses", _known(responses, register, shared), pd.Series(1.0, index=responses.index),
                           N_("{share}% of the respondents are in a place that the register has"))
    if at["courses"] is not None and at["course_effects"] is not None:
        yield _holds("courses", at["courses"]["course_id"].isin(at["course_effects"]["course_id"]),
                     N_("{n} of {all} courses say what they change"))
        yield _holds("course_effects", at["course_effects"]["competency_id"].isin(measured),
                     N_("{n} of {all} effects are on a competency that is measured"))
    if at["aggregates"] is not None and {"ci_low", "ci_high"} <= set(at["aggregates"]):
        figures = at["aggregates"].dropna(subset=["ci_low", "ci_high"])
        yield _holds("aggregates", figures["estimate"].between(figures["ci_low"], figures["ci_high"]),
                     N_("{n} of {all} published figures lie within their interval"))


def _measured(at):
    """Competencies of which anything is known: asked, tested or published."""
    columns = [] if at["plausible_values"] is None else at["plausible_values"].columns
    known = {column.rpartition(".")[0] for column in columns}
    for name in ("items", "aggregates"):
        table = at[name]
        known |= set() if table is None or "competency_id" not in table else set(table["competency_id"].dropna())
    return known


def _known(table, other, columns):
    return pd.MultiIndex.from_frame(table[columns]).isin(pd.MultiIndex.from_frame(other[columns].drop_duplicates()))


def _holds(table, true, message):
    share = float(true.mean()) if len(true) else 1.0
    return table, share, message, {"n": true.sum(), "all": len(true)}


def _staffed(table, true, people, message):
    """A share of people."""
    share = float(people[true].sum() / people.sum()) if people.sum() else 1.0
    return table, share, message, {"share": percent(share)}


def coverage(study, *, few, threshold, rounding):
    """The answers against the register, over all and by agency, as rows of the quality table.

    An agency with fewer staff than `threshold` is only counted, and of one where fewer than `few` answered it is
    said only that; head-counts are rounded.
    """
    responses, register = getattr(study, "responses", None), getattr(study, "register", None)
    if responses is None:
        return []
    if "in_population" in responses:
        responses = responses[responses["in_population"].astype(bool)]
    if register is None or not register["headcount"].sum():
        return [row("responses", "coverage", 1 if len(responses) else 0, float("nan"),
                    N_("there is no register to hold the {answered} answers against"),
                    {"answered": len(responses)})]  # fmt: skip
    known = {"agency_id"} <= set(register) & set(responses)
    known = known and register["agency_id"].nunique() > 1 and responses["agency_id"].isin(register["agency_id"]).any()
    staff = register.groupby("agency_id")["headcount"].sum() if known else pd.Series({"": register["headcount"].sum()})
    answered = responses["agency_id"].value_counts() if known else pd.Series({"": len(responses)})
    each = pd.DataFrame({"staff": staff, "answered": answered.reindex(staff.index).fillna(0)}).sort_index()
    each = each[each["staff"] > 0]
    each["share"] = (each["answered"] / each["staff"]).clip(upper=1)
    each["level"] = (each["answered"] > 0).astype(int) + (each["answered"] >= few) + (each["answered"] >= ENOUGH)
    each.loc[(each["share"] >= MOST) & (each["answered"] >= few), "level"] = 4
    shown = each[each["staff"] >= threshold] if known else each[:0]
    return [_covered(each, len(responses), len(each) - len(shown) if known else 0, rounding),
            *(_agency(agency, few, rounding) for agency in shown.itertuples())]  # fmt: skip


def _covered(each, answered, small, rounding):
    """The unit as a whole: the level that agencies with most of its staff reach."""
    whole = each["staff"].sum()
    level = max(level for level in range(5) if each.loc[each["level"] >= level, "staff"].sum() >= MOST * whole)
    share = round(min(answered / whole, 1.0), 2)
    values = {"share": percent(share), "staff": _rounded(whole, rounding), "threshold": ENOUGH, "small": small,
              "enough": (each["level"] >= 3).sum(), "all": len(each)}  # fmt: skip
    reason = N_("{share}% of {staff} staff answered")
    if len(each) > 1:
        reason = N_("{share}% of {staff} staff answered; {threshold} or more did in {enough} of {all} agencies")
    if small:
        reason = N_("{share}% of {staff} staff answered; {threshold} or more did in {enough} of {all} agencies; "
                    "too small to be shown: {small}")
    return row("responses", "coverage", level, share, reason, values)


def _agency(agency, few, rounding):
    values = {"staff": _rounded(agency.staff, rounding)}
    if agency.level == 0:
        return row("responses", "coverage", 0, 0, N_("none of {staff} staff answered"), values, agency.Index)
    if agency.answered < few:
        return row("responses", "coverage", 1, float("nan"), N_("fewer than {few} of {staff} staff answered"),
                   {**values, "few": few}, agency.Index)
    # of nearly nobody or everybody only that is said
    share = min(max(round(agency.share, 2), LOW_SHARE), HIGH_SHARE)
    reason = {LOW_SHARE: N_("up to {share}% of {staff} staff answered"),
              HIGH_SHARE: N_("{share}% or more of {staff} staff answered")}  # fmt: skip
    return row("responses", "coverage", agency.level, share,
               reason.get(share, N_("{share}% of {staff} staff answered")), {**values, "share": percent(share)},
               agency.Index)


def _rounded(count, rounding):
    return round(count / rounding) * rounding
