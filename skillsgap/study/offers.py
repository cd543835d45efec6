"""What stands against a plan: courses nobody could be given, prices of another currency, rules that name nobody."""

from collections import Counter

import pandas as pd

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import Problem
from skillsgap.study.agreement import RULE
from skillsgap.study.nearest import near
from skillsgap.wording import N_

# of a course: what can't be 0, and what to write
ABOVE_NOTHING = (
    ("courses", "cost_per_seat", N_("give the true cost, or 0.01 where it is free")),
    ("course_effects", "half_life_months", N_("leave it empty where nothing is forgotten")),
)


def offers(tables, params, kept):
    """Find the faults of what a plan can buy, and of the rules it is to keep.

    Parameters
    ----------
    tables : dict of str to Loaded
        Typed tables; the faults of courses and effects grow.
    params : Params
    kept : collection of str
        Columns by which the parts of cohorts are known, for equity.

    Returns
    -------
    list of Problem
        Those of the params file.
    """
    plan, courses = params.values.get("plan"), tables.get("courses")
    if plan is None or courses is None:
        return []
    for table, column, remedy in ABOVE_NOTHING:
        if table in tables and column in tables[table].frame:
            odd = tables[table].frame[tables[table].frame[column] == 0]
            if len(odd):
                tables[table].fault(odd, column, N_("{column} is 0"), remedy, {"column": column})
    _effects(tables.get("course_effects"))
    _order(courses)
    # where codes of staff are wrong in themselves, what follows from that isn't told again
    sound = not any(tables[name].faults for name in ("register", "requirements") if name in tables)
    staff = tables["register"] if sound and "register" in tables else None
    _nobody(courses, staff)
    return [*_money(courses, params), *_names(plan, tables, staff, params, kept), *_providers(plan, courses, params)]


def _money(courses, params):
    """One currency and one price year: a budget can't be spent on prices of another."""
    currency = params.values.get("currency")
    if currency is None:
        line = params.line("plan")
        return [Problem(params.path.name, N_("there is a plan and no key currency"), N_("add it"), line)]
    for column, ours in (("currency", currency["code"]), ("price_year", currency["price_year"])):
        frame = courses.frame
        odd = frame[frame[column].notna() & (frame[column] != ours)] if column in frame else ()
        if len(odd):
            value = odd[column].iloc[0]
            said = {"value": value if isinstance(value, str) else f"{value:g}", "ours": ours,
                    "params": params.path.name}  # fmt: skip
            courses.fault(odd, column, N_("{value} is not the budget's {ours}"),
                          N_("convert the prices, or correct currency in {params}"), said)  # fmt: skip
    return []


def _effects(effects):
    """What a course changes is told in levels, or in standard deviations of them."""
    if effects is None or "gain" not in effects.frame:
        return
    frame = effects.frame
    odd = frame[frame["gain"].isna() & (frame["d"].isna() if "d" in frame else True)]
    if len(odd) and not any(fault.column == "gain" for fault in effects.faults):
        effects.fault(odd, "gain", N_("the value is empty"), N_("give the gain in levels, or d in standard deviations"))


def _order(courses):
    """Prerequisites are courses of the catalogue, and none is its own, not even by way of others."""
    if not {"course_id", "prerequisites"} <= set(courses.frame):
        return
    frame = courses.frame.dropna(subset="course_id").drop_duplicates("course_id")
    before = {course: [name.strip() for name in str(named).split("|") if name.strip()] if pd.notna(named) else []
              for course, named in zip(frame["course_id"], frame["prerequisites"], strict=True)}  # fmt: skip
    for course, named in before.items():
        here = frame[frame["course_id"] == course]
        for name in [name for name in named if name not in before]:
            remedy, said = near(name, list(before))
            courses.fault(here, "prerequisites", N_("{value!r} is not a course"), remedy, {**said, "value": name})
    done = set()
    for course in before:
        if circle := _circle(course, before, done):
            here = frame[frame["course_id"].isin(circle)]
            courses.fault(here, "prerequisites", N_("prerequisites go round in a circle ({circle})"),
                          N_("take one of them out"), {"circle": " > ".join([*circle, circle[0]])})  # fmt: skip
            return


def _circle(course, before, done, path=()):
    """The first courses found that lead back to themselves; `done` are those that don't."""
    if course in path:
        return path[path.index(course):]
    for name in () if course in done else before.get(course, ()):
        if found := _circle(name, before, done, (*path, course)):
            return found
    done.add(course)
    return ()


def _nobody(courses, register):
    """Courses whose rule of eligibility nobody in the register meets."""
    if register is None or "eligibility" not in courses.frame:
        return
    told = {fault.line for fault in courses.faults if fault.column == "eligibility"}
    for line, rule in courses.frame["eligibility"].dropna().items():
        parts = [RULE.fullmatch(part) for part in rule.split(";") if part.strip()]
        meet = pd.Series(True, index=register.frame.index)
        for part in filter(None, parts):
            if part[1] in register.frame:
                meet &= register.frame[part[1]].isin([code.strip() for code in part[2].split("|")])
        if line not in told and not meet.any():
            courses.fault(courses.frame.loc[[line]], "eligibility", N_("nobody in {there} meets {value!r}"),
                          N_("correct the rule, or take the course out"), {"value": rule, "there": register.name})


def _names(plan, tables, register, params, kept):
    """Courses, tiers, columns and roles that the plan's rules name and nobody has."""
    agencies = tables.get("agencies")
    named = [*_courses(plan, tables["courses"].frame)]
    if plan.get("class_by") == "hub_id":
        named.append((("class_by",), "hub_id", [] if agencies is None else list(agencies.frame)))
    if register is not None:
        named += _staff(plan, register.frame)
        named += [(("equity", "by"), name, [column for column in kept if column in register.frame])
                  for name in plan.get("equity", {}).get("by", ())]  # fmt: skip
        held = [column for column in CONTRACTS["register"].columns if column in {*register.frame, *register.alone}]
        named += [(("hours", "window"), name, held) for name in plan.get("hours", {}).get("window", ())]
    return [_unknown(("plan", *keys), name, known, params) for keys, name, known in named
            if known is not None and name not in set(known)]  # fmt: skip


def _courses(plan, courses):
    """What rules name of courses: where in the plan, the name, and the known ones."""
    for number, floor in enumerate(plan.get("floors", ())):
        keys, known = ("floors", number, "courses"), courses.get("course_id")
        yield from ((keys, name, known) for name in floor.get("courses", ()))
        if "tier" in floor:
            yield ("floors", number, "tier"), floor["tier"], courses.get("tier")
    if plan.get("champions", {}).get("min"):
        yield ("champions",), "champion", courses.get("tier")


def _staff(plan, staff):
    """What rules name of staff: where in the plan, the code, and those that staff have."""
    for number, floor in enumerate(plan.get("floors", ())):
        for column, codes in floor.get("where", {}).items():
            codes = codes if isinstance(codes, list) else [codes]
            yield from ((("floors", number, "where", column), str(code), staff.get(column)) for code in codes)
    for column, codes in plan.get("champions", {}).get("experience", {}).items():
        yield from ((("champions", "experience", column), str(code), staff.get(column)) for code in codes)
    for number, way in enumerate(plan.get("staffing", ())):
        for key in ("role_id", "role_level", "to_role_id", "to_role_level"):
            if way.get(key):
                yield ("staffing", number, key), way[key], staff.get(key.removeprefix("to_"))


def _unknown(keys, name, known, params):
    remedy, said = near(name, sorted({str(one) for one in known if pd.notna(one)}))
    key = ".".join(str(part) for part in keys if not isinstance(part, int))
    return Problem(params.path.name, N_("{key} names {name!r}, which the data don't know"), remedy, params.line(*keys),
                   values={**said, "key": key, "name": name})  # fmt: skip


def _providers(plan, courses, params):
    """Where each provider may have a part of the money, all of them together may have all of it."""
    most, names = plan.get("provider_max"), Counter(courses.frame.get("provider", pd.Series(dtype=str)).dropna())
    if most is None or not names or most * len(names) >= 1 or courses.frame["provider"].isna().any():
        return []
    said = {"most": f"{most:g}", "n": len(names), "least": f"{-(-1000 // len(names)) / 1000:g}"}
    return [Problem(params.path.name, N_("plan.provider_max is {most}, and there are {n} providers"),
                    N_("write {least} or more: together they must be able to get all of the money"),
                    params.line("plan", "provider_max"), values=said)]  # fmt: skip
