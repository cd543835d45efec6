"""Every rule of a plan recomputed from who takes what, without the solver and without its matrices."""

import numpy as np
import pandas as pd

from skillsgap.decide.eligibility import eligible
from skillsgap.decide.ownrules import attribute_values, combinations
from skillsgap.decide.staffing import ROLES
from skillsgap.errors import PlanError

EXACT = 1e-9  # sums of cents aren't exact in binary: relative to the amounts that were added


def broken_rules(allocations, staff, options, rules, *, attained=None):
    """What a plan breaks, one line each; an empty list if it keeps every rule.

    Besides the rules: whole seats above 0, one option a person, and only options that those staff may take.

    Parameters
    ----------
    allocations, staff, options, rules : see `attained_rules`; staff need the columns that eligibility names.
    attained : what `attained_rules` gave for them, where that is known already

    Returns
    -------
    list of str: "budget: cost is 900, above the limit 800".

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> offer = SimpleNamespace(options=pd.DataFrame({"option_id": ["P"], "kind": "train"}), courses=pd.DataFrame(),
    ...                         steps=pd.DataFrame({"option": [0], "course_id": "P", "cost": 90.0, "seats": 1}))
    >>> plan = pd.DataFrame({"group_id": ["g"], "option_id": "P", "seats": 10})
    >>> rule = {"id": "budget", "family": "budget", "type": "max_sum", "field": "cost", "where": {}, "max": 800}
    >>> broken_rules(plan, pd.DataFrame({"group_id": ["g"], "size": 9}), offer, [rule])
    ['g: 10 seats for 9 people', 'budget: cost is 900, above the limit 800']
    """
    table = attained_rules(allocations, staff, options, rules) if attained is None else attained
    broken = _broken_seats(allocations, staff, options)
    for row in table[~table["holds"]].itertuples():
        side = "above" if row.sense == "at most" else "below"
        broken.append(f"{row.rule_id}: {row.measure} is {row.attained:,.12g}, {side} the limit {row.limit:,.12g}")
    return broken


def attained_rules(allocations, staff, options, rules):
    """What a plan attains under each rule, beside its limit.

    Parameters
    ----------
    allocations : DataFrame group_id (or cohort_id), option_id, seats and, where a rule adds up value, gap_closed
        (weighted levels of all its seats).
    staff : DataFrame group_id and size (or cohort_id and headcount), and the attributes that rules name.
    options : Options
    rules : list of dict, see `policy_rules`

    Returns
    -------
    DataFrame, one row a rule and combination: rule_id ("seats:B01"), family, sense (at most, at least), measure (what
        is added up), attained, limit, holds. Of a ratio both sides as they are compared; fixed costs are in the rule
        they are charged to; a minimum only for what is used at all has a row where it is used.
    """
    chosen, attributes = _Chosen(allocations, staff, options), attribute_values(_named(staff), options)
    rows, charges = [], []
    for rule in rules:
        if rule["type"] == "fixed_cost":
            charges += _charges(rule, chosen)
        else:
            rows += _ROWS[rule["type"]](rule, chosen, attributes)
    table = pd.DataFrame(rows, columns=["rule_id", "family", "sense", "measure", "attained", "limit", "scale"])
    for charged_to, cost in charges:
        paying = (table["rule_id"] == charged_to).to_numpy()
        if not paying.any():
            raise PlanError(f"a fixed cost is charged to {charged_to}, which is no rule; use the id of a budget.")
        table.loc[paying, ["attained", "scale"]] += cost
    over = (table["attained"] - table["limit"]).where(table["sense"] == "at most", table["limit"] - table["attained"])
    slack = EXACT * np.maximum(table["scale"], table["limit"].abs())
    return table.assign(holds=over.astype(float) <= slack).drop(columns="scale")


def _named(staff):
    names = {"cohort_id": "group_id", "headcount": "size"}
    return staff.rename(columns={old: new for old, new in names.items() if new not in staff})


class _Chosen:
    """Allocations with a row for every course taken, and sums over those that match."""

    def __init__(self, allocations, staff, options):
        taken = _named(allocations)[["group_id", "option_id", "seats"]].rename(columns={"seats": "people"})
        closed = allocations["gap_closed"].to_numpy() if "gap_closed" in allocations else np.nan
        taken = taken.assign(value=closed / taken["people"].where(taken["people"] != 0), row=np.arange(len(taken)))
        of_option = options.options.drop(columns=[*ROLES, *options.steps], errors="ignore")
        table = taken.merge(of_option.assign(option=np.arange(len(of_option))), on="option_id")
        table = table.merge(options.steps, on="option")
        people = _named(staff)
        people = people[["group_id", *(column for column in people if column not in table)]]
        self.table = table.merge(people, on="group_id")
        self.texts = {}

    def text(self, attribute, rule):
        """An attribute as text, as rules compare it."""
        if attribute not in self.table:
            raise PlanError(f'rule {rule}: "{attribute}" is no attribute of courses, options or staff.')
        if attribute not in self.texts:
            self.texts[attribute] = self.table[attribute].astype(str)
        return self.texts[attribute]

    def sums(self, rule, field, where, by=()):
        """{key: (sum of a field over what matches, sum of its sizes)}; the key is "" without `by`."""
        mask = self.table["people"].to_numpy() != 0
        for attribute, wanted in (where or {}).items():
            wanted = wanted["in"] if isinstance(wanted, dict) else wanted
            wanted = [str(value) for value in (wanted if isinstance(wanted, (list, tuple, set)) else [wanted])]
            if attribute == "not_option":
                mask &= ~self.text("option_id", rule).isin(wanted).to_numpy()
            else:
                mask &= self.text(attribute, rule).isin(wanted).to_numpy()
        kept = np.flatnonzero(mask)
        texts = [self.text(attribute, rule).to_numpy()[kept] for attribute in by]
        cell, keys = pd.factorize(np.array(["/".join(some) for some in zip(*texts, strict=True)] if by else
                                           [""] * len(kept), dtype=object))  # fmt: skip
        parts = [part for part in field.split("*") if part != "people"]
        if not set(parts) & {"cost", "hours", "seats"}:  # a person counts once, however many courses the option has
            pairs = np.column_stack([cell, self.table["row"].to_numpy()[kept]])
            first = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
            cell, kept = cell[first], kept[first]
        amount = np.ones(len(kept))
        for part in ("people", *parts):
            amount = amount * self.table[part].to_numpy(dtype=float)[kept]
        total, size = (np.bincount(cell, number, minlength=len(keys)) for number in (amount, np.abs(amount)))
        return dict(zip(keys, zip(total.tolist(), size.tolist(), strict=True), strict=True))


def _sum_rows(rule, chosen, attributes):
    """Rows of a sum or a count: one for every limit."""
    most, field = rule["type"] == "max_sum", rule.get("field", "people")
    limit, by = rule["max" if most else "min"], rule.get("by", ())
    sums = chosen.sums(rule["id"], field, rule.get("where"), by)
    if not isinstance(limit, dict):
        keys = combinations(by, attributes) if by else [""]
        limit = dict.fromkeys(keys, limit)
    if rule.get("when_used"):
        limit = {key: least for key, least in limit.items() if key in sums}
    side, nothing = "at most" if most else "at least", (0.0, 0.0)
    return [(f"{rule['id']}:{key}" if key else rule["id"], rule["family"], side, field, sums.get(key, nothing)[0],
             bound, sums.get(key, nothing)[1]) for key, bound in limit.items()]  # fmt: skip


def _ratio_rows(rule, chosen, attributes):
    """Both sides of a ratio."""
    sides = []
    for name in ("num", "den"):
        where = {**(rule.get("where") or {}), **(rule.get(f"{name}_where") or {})}
        total, scale = chosen.sums(rule["id"], rule[name], where).get("", (0.0, 0.0))
        sides.append((total * rule[f"{name}_mult"], scale * rule[f"{name}_mult"]))
    (num, num_scale), (den, den_scale) = sides
    measure = f"{rule['num_mult']:g} x {rule['num']}"
    return [(rule["id"], rule["family"], "at least", measure, num, den, num_scale + den_scale)]


def _implied_rows(rule, chosen, attributes):
    """If a group takes an option, another takes one."""
    group, option = rule["if_"]
    asked = bool(chosen.sums(rule["id"], "people", {"group_id": group, "option_id": option}))
    trained = chosen.sums(rule["id"], "people", {"group_id": rule["then_group_trained"]}).get("", (0.0, 0.0))[0]
    return [(rule["id"], rule["family"], "at least", "people", trained, float(asked), 0.0)]


_ROWS = {"max_sum": _sum_rows, "min_sum": _sum_rows, "min_count": _sum_rows, "min_ratio": _ratio_rows,
         "implies": _implied_rows}  # fmt: skip


def _charges(rule, chosen):
    """Fixed costs of what is used at all."""
    used = chosen.sums(rule["id"], "people", rule.get("where"), rule.get("by", ()))
    cost = rule["cost"]
    return [(rule["charged_to"], float(cost.get(key, 0.0) if isinstance(cost, dict) else cost)) for key in used]


def _broken_seats(allocations, staff, options):
    """Whole seats, known staff and options, one option a person, and only what those staff may take."""
    plan, people = _named(allocations), _named(staff)
    seats = pd.to_numeric(plan["seats"]).astype(float)
    pairs = plan["group_id"].astype(str) + " takes " + plan["option_id"].astype(str)
    faults = [
        (~((seats >= 1) & (seats % 1 == 0)), "seats are no whole number above 0"),
        (pairs.duplicated(), "stands twice"),
        (~plan["group_id"].isin(people["group_id"]), "no such staff"),
        (~plan["option_id"].isin(options.options["option_id"]), "no such option"),
        (~_may_take(plan, people, options), "these staff may not take it"),
    ]
    broken = [f"{pair}: {text}" for mask, text in faults for pair in pairs[mask]]
    taken = seats.groupby(plan["group_id"]).sum()
    heads = people.set_index("group_id")["size"].reindex(taken.index).astype(float)
    over = taken[taken > heads]
    return broken + [f"{group}: {number:g} seats for {heads[group]:g} people" for group, number in over.items()]


def _may_take(plan, people, options):
    """Whether all courses of an option are for those staff, and a way of staffing is for their role."""
    known = plan.reset_index(names="row").merge(people, on="group_id").merge(
        options.options.assign(option=np.arange(len(options.options))), on="option_id", suffixes=("", "_asked"))
    shut = pd.Series(False, index=plan.index)
    if "eligibility" in options.courses:
        open_to = eligible(people.assign(cohort_id=people["group_id"]), options.courses)
        steps = known[["row", "group_id", "option"]].merge(options.steps[["option", "course_id"]], on="option")
        steps = steps[steps["course_id"].isin(open_to.columns)]
        place = [open_to.index.get_indexer(steps["group_id"]), open_to.columns.get_indexer(steps["course_id"])]
        shut[steps["row"][~open_to.to_numpy()[tuple(place)]]] = True
    ways = known[known["kind"] != "train"]
    if len(ways):
        alike = [ways["role_id"] == ways["role_id_asked"], ways["role_level"] == ways["role_level_asked"]]
        there = [ways["role_id"] == ways["to_role_id"], ways["role_level"] == ways["to_role_level"]]
        fits = alike[0] & (alike[1] | (ways["role_level_asked"] == ""))
        stays = there[0] & (there[1] | (ways["to_role_level"] == ""))
        shut[ways["row"][~fits | stays]] = True
    return ~shut
