"""Why no plan keeps every rule: a smallest set of rules that can't hold together, with the figures of each.

A rule that is told apart, such as champions of each agency, enters as its rows ("id:key"). Heads, eligibility and one
option a person are facts and never part of a conflict. In a plan's conflict so are what opening a course costs, and how
many have its devices, languages and earlier courses.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from skillsgap.decide.alike import joined_groups
from skillsgap.decide.elastic import Solver, elastic, sums
from skillsgap.decide.smallest import Search
from skillsgap.errors import PlanError

ROUNDS = 20  # of the search for the best ratio; it ends after three or four
LIGHT = 0.01  # of a limit: smaller changes are spared where others do without, for no more than that
TABLE = ["rule_id", "family", "type", "unit", "given", "needed", "alone", "relaxed_to"]


@dataclass(frozen=True)
class Conflict:
    """Rules that can't hold together, though any of them left out the others can.

    rules : ids, "id:key" for one row of a rule.
    table : a row a member: rule_id, family, type, unit, given (limit), needed (the limit that the other members leave
        possible), alone (the limit that makes the whole plan possible if no other rule changes, nan where none does),
        relaxed_to (the limit in the cheapest relaxation). nan for an implication, which has no limit.
    cheapest : rule_id, family, type, unit, given, relaxed_to: limits to change together, least in sum of relative
        changes; empty if rules without limits stand against each other.
    plans : rule_id -> seats (n_columns,) of a plan that keeps all other members: the proof that it is needed.
    """

    rules: tuple
    table: pd.DataFrame
    cheapest: pd.DataFrame
    plans: dict = field(repr=False)

    def messages(self):
        """English messages and the values in their places, the member with the largest limit in need first.

        Returns
        -------
        list of (message, values); values: rule, family, unit, given, needed or to; others is a tuple of rule ids.
        """
        told = []
        for row in self.table.dropna(subset=["needed"]).to_dict("records"):
            others = tuple(rule for rule in self.rules if rule != row["rule_id"])
            more = row["needed"] > row["given"]
            if not others:
                message = "{rule} asks for {given}; no more than {needed} is possible" if not more else \
                    "{rule} allows {given}; no less than {needed} is possible"
            else:
                message = "{others} need {needed}; {rule} gives {given}" if more else \
                    "{others} leave {needed} possible; {rule} asks for {given}"
            told.append((message, {"rule": row["rule_id"], "others": others, **_values(row, "needed")}))
        for row in self.cheapest.to_dict("records"):
            told.append(("cheapest way out: {rule} from {given} to {to}",
                         {"rule": row["rule_id"], **_values(row, "relaxed_to", "to")}))  # fmt: skip
        return told


def _values(row, name, key=None):
    return {"family": row["family"], "unit": row["unit"], "given": row["given"], key or name: row[name]}


def find_conflict(program, rules, *, choices=None, firm=(), facts=(), mip_gap=1e-4, random_state=0):
    """A smallest conflicting set of rules, what each needs, and the cheapest relaxation.

    Every limit told under `alone` and `relaxed_to` is one that a plan keeps. In a program of more than
    `solve.DIRECT` columns that plan is near the best one with divisible seats, so that a little less may do.

    Parameters
    ----------
    program : Program
    rules : list of dict, the declared rules the program was built from.
    choices : Choices the program was built from; without it a ratio's figures are nan.
    firm : ids or families of rules that the cheapest relaxation leaves alone, such as counts of devices.
    facts : types and families of rules that hold whatever else does and are never part of a conflict.
    mip_gap : relative gap of the figures; the set itself is proved.
    random_state : seed of the solver.

    Returns
    -------
    Conflict, or None if the rules can hold together.

    Raises
    ------
    PlanError
        If there is no plan even without any rule.

    Examples
    --------
    >>> from skillsgap.decide.choices import Choices
    >>> from skillsgap.decide.program import build_program
    >>> staff = pd.DataFrame({"group_id": ["a"], "size": [50]})
    >>> courses = pd.DataFrame({"option": [0], "course_id": ["C1"], "cost": [400.0], "seats": [1.0]})
    >>> rules = [{"id": "budget", "family": "budget", "type": "max_sum", "field": "cost", "max": 900},
    ...          {"id": "floor", "family": "floors", "type": "min_sum", "field": "seats", "min": 3}]
    >>> choices = Choices(staff, pd.DataFrame({"option_id": ["C1"]}), courses, np.array([0]), np.array([0]),
    ...                   {"value": np.ones(1)})
    >>> found = find_conflict(build_program(choices, rules), rules, choices=choices)
    >>> print(found.table[["rule_id", "given", "needed"]].to_string(index=False))
    rule_id  given  needed
     budget  900.0  1200.0
      floor    3.0     2.0
    """
    parts = {rule["id"]: [_numbers(choices, rule, part) for part in ("num", "den")]
             for rule in rules if choices is not None and rule["type"] == "min_ratio"}  # fmt: skip
    alike = joined_groups(program, sum(parts.values(), []))
    parts = {rule: [numbers[alike.columns] for numbers in both] for rule, both in parts.items()}
    search = Search(alike.program, rules, Solver(mip_gap, random_state), facts)
    members = search.smallest()
    if members is None:
        return None
    if not members:
        raise PlanError("even without rules there is no plan: each group must choose and some have no option; give "
                        "them one.")  # fmt: skip
    plans = {name: search.plan_without(members, name) for name in members}
    figures = _Figures(search, parts, plans)
    rows = []
    for name in members:
        about = figures.about(name)
        about["needed"] = figures.possible(name, set(members) - {name})
        rows.append(about | {"alone": figures.possible(name, set(search.names) - {name})})
    cheapest = figures.cheapest(firm, rows)
    relaxed = dict(zip(cheapest["rule_id"], cheapest["relaxed_to"], strict=True))
    table = pd.DataFrame([row | {"relaxed_to": relaxed.get(row["rule_id"], row["given"])} for row in rows])
    return Conflict(tuple(members), table[TABLE], cheapest, {name: alike.spread(each) for name, each in plans.items()})


class _Figures:
    """Limits as given, and as they would have to be; `parts`: numerator and denominator of each ratio, by column."""

    def __init__(self, search, parts, plans):
        self.search, self.program, self.rule = search, search.program, search.rule
        self.parts, self.scales = parts, {}  # of ratios, whose limit is 0 in their row: what counts as all of it
        for name, (_, den) in parts.items():
            if name not in self.rule:  # it has no row: nobody counts in it
                continue
            most = self.rule[name]["den_mult"] * max(den @ seats for seats in plans.values())
            self.scales |= {name: most} if most > 0 else {}

    def about(self, name):
        """What the tables say of a rule: family, type, unit and limit."""
        rule = self.rule[name]
        given, unit = np.nan, rule.get("field", "people")
        if rule["type"] == "fixed_cost":
            row, given = self.search.charged[name]
            unit = self.rule[row].get("field", "people")
        elif rule["type"] == "min_ratio":
            given, unit = _as_share(rule["den_mult"] / rule["num_mult"], rule), "share"
        elif rule["type"] != "implies":
            given = _limit(self.program, name)
        return {"rule_id": name, "family": rule.get("family", ""), "type": rule["type"], "unit": unit, "given": given}

    def possible(self, name, others):
        """The limit nearest to a rule's own with which it and the others hold; nan if there is none."""
        rule = self.rule[name]
        if rule["type"] == "implies":
            return np.nan
        if rule["type"] == "min_ratio":
            return self._best_ratio(name, others)
        row, cost = self.search.charged.get(name, (name, np.nan))
        seats = self._nearest({*others, name}, {row})
        if seats is None:
            return np.nan
        reached = _reached(self.search.only({*others, name}), row, seats)
        if name not in self.search.charged:
            return reached
        left = cost - (reached - _limit(self.program, row))
        return left if left >= 0 else np.nan

    def _nearest(self, names, loose):
        """Seats of the plan that keeps the names and misses the limits of the loose ones by least; None if none."""
        part = self.search.only(names)
        return self.search.solver.whole(elastic(part, loose, self.scales), len(part.group))

    def _best_ratio(self, name, others):
        """The best ratio that the other rules allow (Dinkelbach 1967)."""
        if name not in self.parts:
            return np.nan
        rule, part, (num, den) = self.rule[name], self.search.only(others), self.parts[name]
        ratio = rule["den_mult"] / rule["num_mult"]
        for _ in range(ROUNDS):
            size = max(abs(num).max(), abs(ratio * den).max())  # gaps are told in parts of it
            seats = self.search.solver.whole(replace(part, value=(num - ratio * den) / size), len(num))
            if seats is None:
                return np.nan
            before, ratio = ratio, (num @ seats) / (den @ seats)
            if abs(ratio - before) <= 1e-9 * abs(ratio):
                break
        return _as_share(ratio, rule)

    def cheapest(self, firm, members):
        """Limits that change together so that every rule holds, least in sum of relative changes; maybe a member's."""
        loose = {name for name in self.search.names if self.rule[name]["type"] not in ("fixed_cost", "implies")
                 and not {name, self.rule[name]["id"], self.rule[name].get("family")} & set(firm)}  # fmt: skip
        together = self._together(loose)
        single = pd.DataFrame(members).assign(relaxed_to=lambda table: table["alone"])
        single = single[single["rule_id"].isin(loose) & single["alone"].notna() & (single["given"] != 0)]
        single = single.loc[_parts(single).sort_values(kind="stable").index[:1], together.columns]
        # in a large program the plans behind both are near the best, so that a single change may turn out cheaper
        better = len(single) and (together.empty or _parts(single).sum() < _parts(together).sum())
        return single if better else together

    def _together(self, loose):
        """The plan that misses the loose limits by least, or one that misses fewer by hardly more."""
        changed, without = self._changed(loose), None
        part = _parts(changed)
        heavy = set(changed["rule_id"][(part >= LIGHT) | (part == part.max())])
        if len(heavy) < len(changed):
            without = self._changed(heavy)
        simpler = without is not None and 0 < len(without) and _parts(without).sum() <= part.sum() + LIGHT
        return without if simpler else changed

    def _changed(self, loose):
        """Table of the limits that the plan misses which misses the loose ones by least; empty if there is none."""
        seats, rows = self._nearest(set(self.search.names), loose), []
        broken = loose & self.search.broken(seats) if seats is not None else ()
        for name in (name for name in self.search.names if name in broken):
            if self.rule[name]["type"] == "min_ratio":
                num, den = self.parts.get(name, (np.full(len(seats), np.nan), np.ones(len(seats))))
                reached = _as_share((num @ seats) / (den @ seats), self.rule[name])
            else:
                reached = _reached(self.program, name, seats)
            rows.append(self.about(name) | {"relaxed_to": reached})
        return pd.DataFrame(rows, columns=[name for name in TABLE if name not in ("needed", "alone")])


def _parts(changed):
    """What each limit changes by, as a part of it."""
    return (changed["relaxed_to"] / changed["given"] - 1).abs()


def _reached(program, name, seats):
    rows, classes = sums(program, seats)
    at = program.row_rule == name
    return float(rows[at][0] if at.any() else classes[program.switch_rule == name][0])


def _limit(program, name):
    at = np.flatnonzero(program.row_rule == name)
    if len(at) == 0:
        return float(program.least[program.switch_rule == name][0])
    return float(program.high[at[0]] if np.isfinite(program.high[at[0]]) else program.low[at[0]])


def _numbers(choices, rule, part):
    """(n_columns,) numerator or denominator of a ratio."""
    where = {**(rule.get("where") or {}), **(rule.get(f"{part}_where") or {})}
    _, _, column, number = choices.sums(rule[part], where, rule=rule["id"])
    return np.bincount(column, number, minlength=len(choices.column_group))


def _as_share(ratio, rule):
    """A ratio above 1, all to a part, is said as the share of the part."""
    return ratio if rule["den_mult"] <= rule["num_mult"] else 1 / ratio
