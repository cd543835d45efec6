"""What a ministry declares of its plan, in `params`, as rules of a few kinds over who takes what."""

import math

import numpy as np

from skillsgap.decide.champions import champion_rules
from skillsgap.decide.ownrules import own_rules
from skillsgap.decide.ruleparts import (
    amount,
    at_least,
    at_most,
    known_keys,
    need_columns,
    no_doubles,
    one_of,
    part_of,
    share_of,
    staff_by,
)
from skillsgap.decide.staffing import ROLES
from skillsgap.errors import PlanError

KEYS = ("budget", "periods", "months", "class_by", "hours", "champions", "floors", "agency_minimum", "provider_max",
        "equity", "rules")  # fmt: skip
READ_ELSEWHERE = ("source", "sources", "frontier", "mip_gap", "n_draws", "draw_gap", "impact", "refreshers", "staffing")
STRATUM = ["agency_id", "role_id", "role_level"]  # what a register knows of everybody: counts of the able are by it


def policy_rules(plan, groups, options, *, able=None, agencies=None, total_need=None):
    """The rules of a plan: what it may spend, who must be served, and what each course can hold.

    Spend, in shares of agencies and providers, is the money of courses taken and of staffing; fixed costs of courses
    are charged to the budget but to no agency and no provider, since they pay for a class and not for a person.
    Shares of people are made whole: at least is rounded up, at most down, but never below the least.

    Parameters
    ----------
    plan : mapping, the part `plan` of params. All but the money may be absent, and then there is no such rule:
        budget (money) or periods [{label, budget}]; class_by (course, hub_id or agency_id: where a class is held, with
        a fixed cost and a least size of its own); hours {usual, promotion: most of a person; agency: hours a head and
        period that an agency can free, one number or by agency_id}; champions {min, max: shares of all staff,
        each_agency}; floors [{id, tier or courses, where, share of those staff who must take one}]; agency_minimum
        (0-1, of the agency's head-count share of spend; a plan leaves it out where no course helps anybody);
        provider_max (0-1, of spend; courses without a provider don't count as one); equity {by, tolerance, enforce};
        rules [a ministry's own, see `own_rules`].
    groups : DataFrame of blocks of staff: group_id, size (people), agency_id, role_id, role_level and what rules name;
        need (weighted levels a head) and shares such as "sex=female" (0-1 of the block) for equity.
    options : Options
    able : DataFrame agency_id, role_id, role_level, needs, people: staff who have everything that `needs` names (parts
        joined by ";"). One signature after another with " or " between counts those who have either. A stratum that
        is missing has nobody.
    agencies : DataFrame agency_id, hub_id; used where groups have no hub_id.
    total_need : weighted levels of all staff; by default that of the groups.

    Returns
    -------
    list of dict: id, family, type and what the type needs. Ids of one family start alike: "floors:basic".

    Raises
    ------
    PlanError
        Naming the key or rule, the value and what to write.

    Examples
    --------
    >>> import pandas as pd
    >>> from skillsgap.decide.options import training_options
    >>> staff = pd.DataFrame({"group_id": ["g"], "size": [50], "agency_id": "A", "role_id": "r", "role_level": "lead"})
    >>> courses = {"course_id": ["C1"], "tier": "champion", "cost_per_seat": 90.0, "fixed_cost": 0.0}
    >>> effects = {"course_id": ["C1"], "competency_id": "ai", "gain": 1.0, "sd": 0.3}
    >>> offer = training_options(pd.DataFrame(courses), pd.DataFrame(effects))
    >>> rules = policy_rules({"budget": 900, "champions": {"max": 0.1, "each_agency": False}}, staff, offer)
    >>> [(rule["id"], rule.get("min", rule.get("max"))) for rule in rules]
    [('budget', 900), ('champions_min', 3), ('champions_max', 5)]
    """
    known_keys("plan", plan, KEYS + READ_ELSEWHERE)
    _check_places(plan, groups)
    rules = [
        *_budget(plan, groups, options), *_classes(plan, groups, options), *_hours(plan, groups, options),
        *_places(options), *_able(able, groups, options), *_floors(plan.get("floors") or [], groups, options),
        *champion_rules(plan.get("champions"), groups, options, agencies), *_agency_minimum(plan, groups),
        *_providers(plan, options),
    ]  # fmt: skip
    equity = equity_rules(plan, groups, total_need=total_need)  # checked even if it is only priced
    if (plan.get("equity") or {}).get("enforce", False):
        rules += equity
    return rules + own_rules(plan.get("rules") or [], rules, groups, options)


def equity_rules(plan, groups, *, total_need=None):
    """Each group of staff gets at least its share of the need, less a tolerance, of what the plan closes.

    Made whether params enforce them or not, so that their price can be told.

    Parameters
    ----------
    plan, groups, total_need : see `policy_rules`; a variable of equity.by is a column of groups (region) or a set of
        share columns (sex for "sex=female", "sex=male").

    Returns
    -------
    list of dict: min_ratio rules of the family equity; a group whose need share is below the tolerance has none.

    Examples
    --------
    >>> import pandas as pd
    >>> staff = pd.DataFrame({"group_id": ["a", "b"], "size": [10, 30], "need": [1.0, 1.0], "region": ["N", "S"]})
    >>> [(rule["id"], rule["den_mult"]) for rule in equity_rules({"equity": {"by": ["region"]}}, staff)]
    [('equity:region=N', 0.23), ('equity:region=S', 0.73)]
    """
    equity = plan.get("equity")
    if equity is None:
        return []
    known_keys("plan.equity", equity, ("by", "tolerance", "enforce"))
    tolerance = share_of("plan.equity.tolerance", equity.get("tolerance", 0.02))
    if not equity.get("by"):
        raise PlanError("plan.equity has no key by; name columns of staff, such as [sex, region].")
    need_columns(groups, ["need"], "plan.equity")
    need = (groups["size"] * groups["need"]).to_numpy(dtype=float)
    total = math.fsum(need) if total_need is None else float(total_need)  # exact: the order of rows changes nothing
    rules = []
    for name in equity["by"]:
        for group, belongs in _parts_of(name, groups):
            share = math.fsum(need * belongs) / total if total > 0 else 0.0
            if share <= tolerance:
                continue
            benefit = {"num": f"value*{group}"} if group in groups else \
                {"num": "value", "num_where": {name: group.partition("=")[2]}}
            rules.append({"id": f"equity:{group}", "family": "equity", "type": "min_ratio", **benefit, "den": "value",
                          "num_mult": 1.0, "den_mult": round(share - tolerance, 12)})  # fmt: skip
    return rules


def _parts_of(name, groups):
    """Groups of one variable, as "name=group", with the share of each block of staff that belongs to them."""
    shares = sorted(column for column in groups if str(column).startswith(f"{name}="))
    if shares:
        return [(column, groups[column].to_numpy(dtype=float)) for column in shares]
    need_columns(groups, [name], "plan.equity.by")
    text = groups[name].astype(str)
    return [(f"{name}={label}", (text == label).to_numpy(dtype=float))
            for label in sorted(groups[name].dropna().astype(str).unique())]  # fmt: skip


def _budget(plan, groups, options):
    """Money of each period, and the fixed costs that are charged to it."""
    if ("budget" in plan) == ("periods" in plan):
        raise PlanError("plan needs one of budget and periods, and has both or none; give budget: money, or "
                        "periods: [{label: 2026, budget: money}].")  # fmt: skip
    if "budget" in plan:
        money = amount("plan.budget", plan["budget"])
        return [at_most("budget", "budget", "cost", {}, money), *_fixed(plan, groups, options, None, "fixed", "budget")]
    if len(plan["periods"]) != options.n_periods:
        raise PlanError(f"plan.periods has {len(plan['periods'])} rows, but the options run over {options.n_periods} "
                        "periods; give each period a row.")  # fmt: skip
    rules = []
    for number, period in enumerate(plan["periods"]):
        known_keys(f"plan.periods row {number + 1}", period, ("label", "budget"), every=True)
        money = amount(f"plan.periods {period['label']}: budget", period["budget"])
        rules.append(at_most(f"budget:{period['label']}", "budget", "cost", {"period": number}, money))
        rules += _fixed(plan, groups, options, number, f"fixed {period['label']}", rules[-1]["id"])
    no_doubles("plan.periods: label", [period["label"] for period in plan["periods"]])
    return rules


def _fixed(plan, groups, options, period, rule, charged_to):
    """A class pays its fixed cost in every period in which somebody takes it."""
    cost = options.courses.set_index("course_id")["fixed_cost"]
    where, steps = {"course_id": sorted(cost.index[cost > 0])}, options.steps
    if period is not None:
        where, steps = {**where, "period": period}, steps[steps["period"] == period]
    by, amounts = _by_class(plan, groups, options, steps, cost[cost > 0])
    return [{"id": rule, "family": "budget", "type": "fixed_cost", "where": where, "by": by, "cost": amounts,
             "charged_to": charged_to}] if amounts else []  # fmt: skip


def _by_class(plan, groups, options, steps, amounts, *, place=True):
    """What a class is told by, and an amount for every class that can be held: its course, period and place."""
    by = ["course_id"] if options.n_periods == 1 else ["course_id", "period"]
    cells = steps.loc[steps["course_id"].isin(amounts.index), by].drop_duplicates().sort_values(by)
    keys = {"/".join(map(str, cell)): float(amounts[cell[0]]) for cell in cells.itertuples(index=False, name=None)}
    where_held = plan.get("class_by", "course")
    if where_held == "course" or not place:
        return by, keys
    places = sorted(groups[where_held].astype(str).unique())
    return [*by, where_held], {f"{key}/{name}": number for key, number in keys.items() for name in places}


def _classes(plan, groups, options):
    """Seats of a course, and the fewest with which a class is held."""
    courses = options.courses.set_index("course_id")
    most, least = courses["seats_max"], courses["class_min"]
    by, seats = _by_class(plan, groups, options, options.steps, most[np.isfinite(most)], place=False)
    rules = [{**at_most("seats", "seats", "seats", {}, seats), "by": by}] if seats else []
    by, seats = _by_class(plan, groups, options, options.steps, least[least > 1])
    if seats:
        rules.append({**at_least("class_min", "classes", "seats", {}, seats), "by": by, "when_used": True})
    return rules


def _check_places(plan, groups):
    place = plan.get("class_by", "course")
    if place not in ("course", "hub_id", "agency_id"):
        raise PlanError(f'plan.class_by is "{place}"; use course, hub_id or agency_id.')
    if place != "course":
        need_columns(groups, [place], "plan.class_by")
        unplaced = groups.loc[groups[place].isna(), "agency_id"].unique()
        if len(unplaced):
            raise PlanError(f"plan.class_by is {place}, but {', '.join(sorted(map(str, unplaced)))} has none; fill it "
                            "in the table agencies.")  # fmt: skip


def _places(options):
    """People that can be moved, hired or contracted, over all periods together."""
    ways = options.options[np.isfinite(options.options["places"])]
    name = ways["option_id"] if options.n_periods == 1 else ways["option_id"].str.replace(r"@\d+$", "", regex=True)
    return [at_most(f"places:{way}", "seats", "people", {"option_id": sorted(own["option_id"])},
                    float(own["places"].iloc[0])) for way, own in ways.groupby(name)]  # fmt: skip


def _hours(plan, groups, options):
    """Working time that each agency can free."""
    hours = plan.get("hours") or {}
    known_keys("plan.hours", hours, ("usual", "promotion", "window", "agency"))
    for key in ("usual", "promotion"):
        if hours.get(key) is not None:
            amount(f"plan.hours.{key}", hours[key])
    if hours.get("promotion") is not None and hours["promotion"] < hours.get("usual", 0):
        raise PlanError(f"plan.hours.promotion is {hours['promotion']}, less than the usual {hours['usual']}; a "
                        "promotion window has more hours.")  # fmt: skip
    free = hours.get("agency")
    if free is None:
        return []
    staff = staff_by(groups, "agency_id")
    free = free if isinstance(free, dict) else dict.fromkeys(staff.index, free)
    for agency in free:
        one_of(f"plan.hours.agency {agency}", agency, staff.index, "agency")
    limit = {agency: amount(f"plan.hours.agency {agency}", each) * int(staff[agency]) for agency, each in free.items()}
    by = ["agency_id"]
    if options.n_periods > 1:
        by = ["agency_id", "period"]
        limit = {f"{agency}/{period}": most for agency, most in limit.items() for period in range(options.n_periods)}
    return [{**at_most("hours", "hours", "hours", {}, limit), "by": by}]


def _able(able, groups, options):
    """No more people in options that ask for something than there are who have it."""
    asked = sorted(needs for needs in options.options["needs"].fillna("").unique() if needs)
    if not asked:
        return []
    missing = asked if able is None else sorted(set(asked) - set(able["needs"]))
    if missing:
        raise PlanError(f'options need "{missing[0]}", and nothing tells how many staff have it; count them in the '
                        "register by agency, role and level, or take that condition off the courses.")  # fmt: skip
    counts = able.set_index(["needs", *STRATUM])["people"]
    if counts.index.has_duplicates or not (counts >= 0).all():
        raise PlanError("able has a stratum twice or fewer than 0 people in one; give each stratum and needs one row "
                        "with a count.")  # fmt: skip
    staff, rules = staff_by(groups, STRATUM), []
    for needs in sorted(able["needs"].unique()):
        either = [set(part.split(";")) for part in needs.split(" or ")]
        matching = [some for some in asked if any(parts <= set(some.split(";")) for parts in either)]
        people = counts[needs].reindex(staff.index, fill_value=0)
        scarce = people[people < staff]
        limit = {"/".join(map(str, stratum)): math.floor(count + 1e-9) for stratum, count in scarce.items()}
        if matching and limit:
            rules.append({**at_most(f"able {needs}", "able", "people", {"needs": matching}, limit), "by": STRATUM})
    return rules


def _floors(floors, groups, options):
    """Courses that a share of some staff must take."""
    no_doubles("plan.floors: id", [floor.get("id") for floor in floors])
    offered, rules = {*options.steps, *options.options.drop(columns=list(ROLES))}, []
    of_staff = [column for column in groups if column not in offered]
    for floor in floors:
        name = f"plan.floors {floor.get('id')}"
        known_keys(name, floor, ("id", "tier", "courses", "where", "share"))
        if ("tier" in floor) == ("courses" in floor):
            raise PlanError(f"{name} needs one of tier and courses; name what these staff must take.")
        key, column, word = ("tier", "tier", "tier") if "tier" in floor else ("courses", "course_id", "course")
        wanted = floor[key] if isinstance(floor[key], (list, tuple)) else [floor[key]]
        for one in wanted:
            one_of(f"{name}: {key}", one, sorted(filter(None, options.steps[column].unique())), word)
        chosen = np.ones(len(groups), dtype=bool)
        for attribute, values in (floor.get("where") or {}).items():
            values = values if isinstance(values, (list, tuple)) else [values]
            one_of(f"{name}: where", attribute, of_staff, "column of staff")
            chosen &= groups[attribute].astype(str).isin([str(value) for value in values]).to_numpy()
        people = int(groups["size"].to_numpy()[chosen].sum())
        if people == 0:
            raise PlanError(f"{name}: where fits nobody; correct it or leave the floor out.")
        least = math.ceil(part_of(share_of(f"{name}: share", floor.get("share", 1.0)), people))
        where = {column: list(wanted), **(floor.get("where") or {})}
        rules.append(at_least(f"floors:{floor['id']}", "floors", "people", where, least))
    return rules


def _agency_minimum(plan, groups):
    """Each agency's spend is at least a part of its head-count share of all spend."""
    share = share_of("plan.agency_minimum", plan.get("agency_minimum", 0.0))
    staff = staff_by(groups, "agency_id")
    return [{"id": f"agency_minimum:{agency}", "family": "agency_minimum", "type": "min_ratio", "num": "cost",
             "num_where": {"agency_id": agency}, "den": "cost", "num_mult": 1.0,
             "den_mult": float(part_of(share, people) / int(staff.sum()))}
            for agency, people in staff.items() if share > 0 and people > 0]  # fmt: skip


def _providers(plan, options):
    """No provider gets more than a share of spend."""
    if plan.get("provider_max") is None:
        return []
    most = share_of("plan.provider_max", plan["provider_max"])
    names = sorted(name for name in options.steps["provider"].dropna().unique() if name)
    unnamed = len(names) == 0 or not options.steps["provider"].isin(names).all()
    if not unnamed and most * len(names) < 1:
        raise PlanError(f"plan.provider_max is {most}, and there are {len(names)} providers: no spend can keep to "
                        f"that; write at least {math.ceil(1000 / len(names)) / 1000}.")  # fmt: skip
    return [{"id": f"provider_max:{name}", "family": "providers", "type": "min_ratio", "num": "cost", "den": "cost",
             "den_where": {"provider": name}, "num_mult": most, "den_mult": 1.0} for name in names]  # fmt: skip
