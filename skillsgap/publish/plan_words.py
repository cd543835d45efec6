"""The plan in typed messages: its claim, what its rules are called, and why no plan may keep them all."""

import pandas as pd

from skillsgap.publish.gates import Claim
from skillsgap.publish.naming import label, message, value
from skillsgap.wording import N_

FAMILIES = {
    "budget": N_("the budget"),
    "seats": N_("seats in courses"),
    "classes": N_("the smallest class"),
    "hours": N_("time for training"),
    "able": N_("devices, languages and earlier courses"),
    "champions": N_("the number of champions"),
    "floors": N_("mandatory courses"),
    "agency_minimum": N_("the least share of each agency"),
    "providers": N_("the most for one provider"),
    "equity": N_("equity between groups of staff"),
    "own": N_("the unit’s own rules"),
}
# columns whose codes follow the colon of a rule's id, by family; others are said as they are
PARTS = {"seats": ["course_id"], "classes": ["course_id"], "hours": ["agency_id"], "champions": ["agency_id"],
         "agency_minimum": ["agency_id"], "able": ["agency_id", "role_id", "role_level"],
         "floors": ["floor"]}  # fmt: skip
UNITS = {"budget": "cost", "hours": "hours", "seats": "seats", "classes": "seats", "agency_minimum": "share",
         "providers": "share", "equity": "share"}  # fmt: skip
KINDS = {"redeploy": N_("move to another role"), "hire": N_("hire"), "contract": N_("hire by contract")}
MANY = 3  # rules that a sentence names one by one; of more it names the families
ABOUT, RESTS = value("message", N_("the plan")), ("agency_id", "grade")


def plan_facts(tables):
    """Name and value of what the plan is summed up in: a Series."""
    return tables["plan_summary"].set_index("name")["value"]


def plan_claim(tables):
    """What the plan costs and closes, or that no plan keeps all rules; from released tables."""
    facts = plan_facts(tables)
    rests = {"kind": "plan", "about": ABOUT, "columns": RESTS}
    if not facts.get("feasible", 1):
        said = conflict_messages(tables["plan_conflict"])
        return Claim("plan", "plan", N_("No plan keeps all rules"), N_("{why}"), "", {"why": said[0]}, **rests)
    bound = facts["bound"] / facts["need"] if facts["need"] > 0 else 0.0
    values = {
        "people": value("number", facts["seats"]),
        "spend": value("money", facts["spend"]),
        "share": value("percent", facts["closed_share"]),
        "bound": value("percent", max(bound, facts["closed_share"])),
        "low": value("percent", facts["ci_low"]),
        "high": value("percent", facts["ci_high"]),
    }
    sentence = N_("close {share} of the shortfall, weighted by importance; no plan for this money closes more than "
                  "{bound}")
    usual = facts.reindex(["gap_first_share", "ratio_first_share"])
    if usual.notna().all():
        values |= {"gap": value("percent", usual.iloc[0]), "ratio": value("percent", usual.iloc[1])}
        sentence = N_("close {share} of the shortfall, weighted by importance; no plan for this money closes more "
                      "than {bound}; with the same money and rules, going for the largest gaps first closes {gap}, for "
                      "the best ratio of gap to money first {ratio}")
    certainty = N_("{low}–{high} if courses do more or less than expected")
    return Claim("plan", "plan", N_("{people} people for {spend}"), sentence, certainty, values, **rests)


def rule_name(rule_id, family):
    """What a rule is called: its family and, where it is one of many, which; a typed value.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> named = rule_name("seats:B01", "seats")
    >>> Words("en", {("course_id", "B01"): {"en": "First steps"}}).say(named["value"], named["values"])
    'seats in courses (First steps)'
    """
    head, _, rest = ("", "", "") if counts_people(rule_id, family) else str(rule_id).partition(":")
    name = value("message", FAMILIES[family]) if family in FAMILIES and family != "own" else label("rule", head)
    if not rest:
        return name
    column, mark, code = rest.partition("=")
    if family == "equity" and mark:
        part = label(column, code)
    elif family in PARTS:
        parts = [label(name, code) for name, code in zip(PARTS[family], rest.split("/"), strict=False)]
        part = listed(parts)
    else:
        part = value("text", rest)
    return message(N_("{rule} ({part})"), rule=name, part=part)


def counts_people(rule_id, family):
    """Whether a rule's limit is a count of some staff, by which few could be told; its place and limit stay unsaid."""
    return family == "able" or str(rule_id).startswith("champions_interested")


def family_name(family):
    """What rules of a family are called together; a typed value."""
    return value("message", FAMILIES.get(family, FAMILIES["own"]))


def listed(names):
    """Several typed values as one."""
    said = names[0]
    for name in names[1:]:
        said = message(N_("{first} and {second}"), first=said, second=name)
    return said


def amount(x, unit):
    """A limit in its unit, as a typed value: cost, hours, seats, people, share; levels of anything else."""
    if unit in ("cost", "share"):
        return value("money" if unit == "cost" else "percent", x)
    said = {"hours": N_("{n} hours"), "seats": N_("{n} seats"), "people": N_("{n} people")}.get(unit, N_("{n} levels"))
    return message(said, n=value("number", x))


def unit_of(row):
    """Unit of a rule's limit: as the row tells, or by its family."""
    told = getattr(row, "unit", None) or str(getattr(row, "measure", ""))
    if told in ("cost", "hours", "seats", "people", "share", "value"):
        return told
    return UNITS.get(row.family, "people")


def conflict_messages(conflict):
    """Why no plan keeps all rules, and the cheapest way out, as typed values; money is told first.

    Parameters
    ----------
    conflict : DataFrame
        Released: rule_id, family, given (limit), needed (the limit that the other rules leave possible), relaxed_to
        (the limit in the cheapest relaxation), alone (the limit that makes a plan possible if nothing else changes),
        unit where it is not the family's, and member (False for a rule of the relaxation that is not in the conflict).

    Returns
    -------
    list of typed values; a sentence each, without its full stop
    """
    rows = sorted(conflict.itertuples(), key=lambda row: (unit_of(row) != "cost", row.rule_id))
    members = [row for row in rows if getattr(row, "member", True)]
    told = [row for row in rows if not counts_people(row.rule_id, row.family)]
    why = [_stands(row, [other for other in members if other is not row]) for row in told
           if row in members and pd.notna(row.needed)]  # fmt: skip
    changed = [row for row in told if pd.notna(row.relaxed_to) and row.relaxed_to != row.given]
    hidden = any(row.relaxed_to != row.given for row in rows if row not in told and pd.notna(row.relaxed_to))
    out = [message(N_("{rule} from {given} to {to}"), rule=rule_name(row.rule_id, row.family),
                   given=amount(row.given, unit_of(row)), to=amount(row.relaxed_to, unit_of(row))) for row in changed]
    if not why:
        names = listed([rule_name(row.rule_id, row.family) for row in members])
        why = [message(N_("These rules cannot hold together: {names}"), names=names)]
    said = [why[0]]
    if out and not hidden:
        said.append(message(N_("The smallest change that makes a plan possible: {changes}"), changes=listed(out)))
    alone = [message(N_("{rule} to {to}"), rule=rule_name(row.rule_id, row.family), to=amount(row.alone, unit_of(row)))
             for row in told if pd.notna(row.alone) and changed != [row]]  # fmt: skip
    return [*said, *(message(N_("Or one change alone: {change}"), change=change) for change in alone)]


def _stands(row, others):
    """One rule against the others."""
    said = {"rule": rule_name(row.rule_id, row.family), "given": amount(row.given, unit_of(row)),
            "needed": amount(row.needed, unit_of(row))}  # fmt: skip
    if not others:
        return message(N_("{rule}: the rule says {given}, and only {needed} is possible"), **said)
    names = [rule_name(each.rule_id, each.family) for each in others]
    names = list({str(name): name for name in names}.values())
    if len(names) > MANY:
        names = [family_name(family) for family in dict.fromkeys(each.family for each in others)]
    said["others"] = listed(names)
    if row.needed > row.given:
        return message(N_("For {others} it takes {needed}; the budget is {given}") if row.rule_id == "budget" else
                       N_("For {others} it takes {needed}; {rule}: {given}"), **said)  # fmt: skip
    return message(N_("{rule}: {given}; {others} leave room for {needed}"), **said)
