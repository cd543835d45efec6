"""Conflicts of rules against plans counted by hand, and against all plans of small drawn programs."""

import itertools

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide import elastic
from skillsgap.decide.choices import Choices
from skillsgap.decide.conflicts import find_conflict
from skillsgap.decide.program import build_program
from skillsgap.errors import PlanError

BUDGET = {"id": "budget", "family": "budget", "type": "max_sum", "field": "cost", "max": 300_000}
CHAMPIONS = {"id": "champions_min", "family": "champions", "type": "min_sum", "field": "people",
             "where": {"tier": "champion"}, "min": 103}  # fmt: skip


def staff(sizes, agencies, women=0.5):
    return pd.DataFrame({"group_id": [f"g{g}" for g in range(len(sizes))], "size": sizes, "agency_id": agencies,
                         "women": women})  # fmt: skip


def offered(groups, courses):
    """Every group may take every course."""
    n, m = len(groups), len(courses)
    steps = courses.assign(option=range(m), seats=1.0)
    return Choices(groups, pd.DataFrame({"option_id": courses["course_id"]}), steps, np.repeat(np.arange(n), m),
                   np.tile(np.arange(m), n), {"value": np.ones(n * m)})  # fmt: skip


def conflict_of(groups, courses, rules, **options):
    choices = offered(groups, courses)
    return find_conflict(build_program(choices, rules), rules, choices=choices, mip_gap=0.0, **options)


def two_courses(cost=4000.0):
    return pd.DataFrame({"course_id": ["B1", "C1"], "tier": ["basic", "champion"], "cost": [100.0, cost],
                         "hours": [8.0, 60.0]})  # fmt: skip


def test_champions_need_more_than_the_budget():
    # 5 % of 2,060 staff are 103 champions at 4,000 each: 412,000
    others = [{"id": "hours", "family": "hours", "type": "max_sum", "field": "hours", "max": 1e6}]
    found = conflict_of(staff([2000, 60], ["A", "B"]), two_courses(), [BUDGET, CHAMPIONS, *others])
    assert found.rules == ("budget", "champions_min")
    table = found.table.set_index("rule_id")
    assert table.loc["budget", ["given", "needed", "alone"]].tolist() == [300_000, 412_000, 412_000]
    assert table.loc["champions_min", ["given", "needed", "alone"]].tolist() == [103, 75, 75]
    # 28 of 103 champions fewer are a smaller part than 112,000 of 300,000
    assert found.cheapest[["rule_id", "given", "relaxed_to"]].values.tolist() == [["champions_min", 103, 75]]
    assert found.messages()[0] == ("{others} need {needed}; {rule} gives {given}", {
        "rule": "budget", "others": ("champions_min",), "family": "budget", "unit": "cost", "given": 300_000,
        "needed": 412_000})  # fmt: skip


def test_a_rule_told_apart_is_named_by_its_row():
    rules = [BUDGET, {**CHAMPIONS, "min": {"A": 3, "B": 7}, "by": ["agency_id"]}]
    found = conflict_of(staff([10, 5], ["A", "B"]), two_courses(), rules)
    assert found.rules == ("champions_min:B",)
    assert found.table.loc[0, ["given", "needed", "alone", "relaxed_to"]].tolist() == [7, 5, 5, 5]


def test_fixed_costs_count_where_they_decide():
    # three seats cost 300; opening the course costs 60 more than the money left
    rules = [{**BUDGET, "max": 340}, {"id": "floor", "type": "min_sum", "field": "seats", "min": 3},
             {"id": "fixed", "type": "fixed_cost", "by": ["course_id"], "cost": {"B1": 100, "C1": 100},
              "charged_to": "budget"}]  # fmt: skip
    found = conflict_of(staff([9], ["A"]), two_courses(), rules)
    assert found.rules == ("budget", "floor", "fixed:B1")
    assert found.table["needed"].tolist() == [400, 2, 40]
    assert conflict_of(staff([9], ["A"]), two_courses(), [{**BUDGET, "max": 400}, *rules[1:]]) is None


def test_a_budget_of_nothing_is_a_plan_without_floors_and_a_conflict_with_them():
    groups, nothing = staff([50], ["A"]), {**BUDGET, "max": 0}
    assert conflict_of(groups, two_courses(), [nothing]) is None
    found = conflict_of(groups, two_courses(), [nothing, {**CHAMPIONS, "min": 2}])
    assert found.rules == ("budget", "champions_min")
    assert found.table["needed"].tolist() == [8000, 0]


def test_only_whole_seats_conflict():
    # with divisible seats a quarter of a class of 8 takes the two; a whole class has no room in 5 places
    rules = [{"id": "places", "type": "max_sum", "field": "seats", "max": 5},
             {"id": "floor", "type": "min_sum", "field": "seats", "where": {"course_id": "C1"}, "min": 2},
             {"id": "classes", "type": "min_sum", "field": "seats", "by": ["course_id"], "min": 8, "when_used": True}]
    found = conflict_of(staff([40], ["A"]), two_courses(), rules)
    assert found.rules == ("places", "floor", "classes:C1")
    assert found.table["needed"].tolist() == [8, 0, 5]


def test_firm_rules_are_not_relaxed_and_a_choice_of_nothing_is_refused():
    groups = staff([2000, 60], ["A", "B"])
    found = conflict_of(groups, two_courses(), [BUDGET, CHAMPIONS], firm=("champions",))
    assert found.cheapest[["rule_id", "relaxed_to"]].values.tolist() == [["budget", 412_000]]
    choices = Choices(groups, pd.DataFrame({"option_id": ["B1"]}), two_courses()[:1].assign(option=0, seats=1.0),
                      np.array([0]), np.array([0]), {"value": np.ones(1)})  # fmt: skip
    with pytest.raises(PlanError, match="even without rules"):
        find_conflict(build_program(choices, [BUDGET], exact=True), [BUDGET], choices=choices)


def drawn(seed):
    """Three small groups, two courses, and rules of every kind with limits that often can't hold together."""
    rng = np.random.default_rng(seed)
    groups = staff(rng.integers(1, 4, 3), ["A", "A", "B"], np.array([0.0, 1.0, 0.5]))
    courses = pd.DataFrame({"course_id": ["P", "Q"], "cost": rng.integers(2, 9, 2) * 1.0,
                            "hours": rng.integers(1, 6, 2) * 1.0})  # fmt: skip
    most, n = int(rng.integers(4, 40)), rng.integers(1, 6, 12)
    rules = [
        {"id": "budget", "family": "budget", "type": "max_sum", "field": "cost", "max": most},
        {"id": "hours", "type": "max_sum", "field": "hours", "by": ["agency_id"], "max": {"A": int(2 * n[0]), "B": 6}},
        {"id": "floor:P", "type": "min_sum", "field": "seats", "where": {"course_id": "P"}, "min": int(n[1])},
        {"id": "floor:Q", "type": "min_sum", "field": "people", "where": {"course_id": "Q"}, "by": ["agency_id"],
         "min": {"A": int(n[2]), "B": int(n[3]) // 2}},
        {"id": "count", "type": "min_count", "where": {"agency_id": "B"}, "min": int(n[4])},
        {"id": "women", "type": "min_ratio", "num": "seats*women", "den": "seats", "num_mult": 10,
         "den_mult": int(2 * n[5])},
        {"id": "part", "type": "min_ratio", "num": "cost", "den": "cost", "den_where": {"course_id": "Q"},
         "num_mult": 0.6, "den_mult": 1.0},
        {"id": "class", "type": "min_sum", "field": "seats", "by": ["course_id"], "min": int(n[6]), "when_used": True},
        {"id": "open", "type": "fixed_cost", "by": ["course_id"], "cost": {"P": int(n[7]), "Q": int(n[8])},
         "charged_to": "budget"},
        {"id": "if", "type": "implies", "if_": ["g0", "P"], "then_group_trained": "g2"},
    ]  # fmt: skip
    kept = rng.random(len(rules)) < 0.65
    kept[0] |= kept[8]  # what fixed costs are charged to
    return groups, courses, [rule for rule, keep in zip(rules, kept, strict=True) if keep]


class Enumerated:
    """All plans of a drawn program, and what each reaches of every rule, worked out plan by plan."""

    def __init__(self, groups, courses, rules):
        self.limit, self.reached, self.charges, self.kind = {}, {}, {}, {}
        each = [[(p, q) for p in range(size + 1) for q in range(size + 1 - p)] for size in groups["size"]]
        plans = np.array(list(itertools.product(*each)), dtype=float)  # (n_plans, groups, courses)
        for rule in rules:
            self.add(rule, plans, groups, courses)
        self.plans, self.n = plans.reshape(len(plans), -1), len(plans)

    def add(self, rule, plans, groups, courses):
        where, by = rule.get("where", {}), (rule.get("by") or [None])[0]
        here = [[all({"course_id": courses["course_id"][c], "agency_id": groups["agency_id"][g]}[name] == value
                     for name, value in where.items()) for c in range(2)] for g in range(3)]  # fmt: skip
        number = {"cost": np.tile(courses["cost"], (3, 1)), "hours": np.tile(courses["hours"], (3, 1)),
                  "seats": np.ones((3, 2)), "people": np.ones((3, 2)),
                  "seats*women": np.tile(groups["women"].to_numpy()[:, None], (1, 2))}  # fmt: skip
        cells = {"": np.ones((3, 2))}
        if by == "agency_id":
            cells = {f":{a}": np.tile((groups["agency_id"] == a).to_numpy(float)[:, None], (1, 2)) for a in "AB"}
        elif by == "course_id":
            cells = {f":{c}": np.tile((courses["course_id"] == c).to_numpy(float), (3, 1)) for c in "PQ"}
        for key, cell in cells.items():
            name = rule["id"] + key
            def total(field, extra=1.0, cell=cell):
                return (plans * number[field] * here * cell * extra).sum(axis=(1, 2))
            limit = rule.get("max", rule.get("min", rule.get("cost")))
            self.limit[name] = limit[key[1:]] if isinstance(limit, dict) else limit
            self.kind[name] = "class" if rule.get("when_used") else rule["type"]
            if rule["type"] == "min_ratio":
                only = np.array([0.0, 1.0]) if "den_where" in rule else 1.0
                top, bottom = total(rule["num"]), total(rule["den"], only)
                with np.errstate(divide="ignore", invalid="ignore"):
                    self.reached[name] = np.where(bottom > 0, top / bottom, np.inf)
                self.limit[name] = rule["den_mult"] / rule["num_mult"]
            elif rule["type"] == "implies":
                self.reached[name] = np.where((plans[:, 0, 0] == 0) | (plans[:, 2].sum(axis=1) > 0), 1.0, 0.0)
                self.limit[name] = 1.0
            elif rule["type"] == "fixed_cost":
                self.charges[name] = limit[key[1:]] * (total("seats") > 0)
            else:
                self.reached[name] = total(rule.get("field", "people"))

    def amount(self, name, kept):
        """What each plan reaches of a rule if the rules kept hold, which may be fixed costs."""
        extra = sum(self.charges[fixed] for fixed in self.charges if fixed in kept) if name == "budget" else 0.0
        return self.reached[name] + extra

    def miss(self, name, kept):
        """How far each plan misses a limit."""
        amount, limit = self.amount(name, kept), self.limit[name]
        if self.kind[name] == "max_sum":
            return np.maximum(amount - limit, 0)
        short = np.maximum(limit - amount, 0)
        return np.where(amount == 0, 0, short) if self.kind[name] == "class" else short

    def holds(self, kept):
        """Which plans keep all of these rules."""
        good = np.ones(self.n, dtype=bool)
        for name in (name for name in kept if name in self.reached):
            good &= self.miss(name, kept) <= 1e-9
        return good

    def nearest(self, name, others):
        """The limit nearest to a rule's own that some plan allows which keeps the others."""
        if name in self.charges:
            good = self.holds(set(others) - {"budget"})
            left = self.limit["budget"] - self.amount("budget", others)
            return left[good & (left >= 0) & (self.charges[name] > 0)].max(initial=-np.inf)
        good = self.holds(others)
        amount = self.amount(name, others)[good]
        return amount.min(initial=np.inf) if self.kind[name] == "max_sum" else amount.max(initial=-np.inf)


@pytest.mark.parametrize("part", range(3))
def test_small_programs_against_all_their_plans(part):
    conflicts = 0
    for seed in range(25 * part, 25 * part + 25):
        groups, courses, rules = drawn(seed)
        truth = Enumerated(groups, courses, rules)
        names = [*truth.reached, *truth.charges]
        found = conflict_of(groups, courses, rules)
        if found is None:
            assert truth.holds(names).any(), seed
            continue
        conflicts += 1
        assert not truth.holds(found.rules).any(), seed
        for row in found.table.to_dict("records"):
            check_member(truth, found, row, names, seed)
        check_cheapest(truth, found, names, seed)
    assert conflicts >= 10


def test_as_large_programs_are_solved_the_set_is_proved_and_the_limits_told_suffice(monkeypatch):
    monkeypatch.setattr(elastic, "DIRECT", 0)
    told = 0
    for seed in range(100, 130):
        groups, courses, rules = drawn(seed)
        truth = Enumerated(groups, courses, rules)
        names = [*truth.reached, *truth.charges]
        found = conflict_of(groups, courses, rules)
        if found is None:
            assert truth.holds(names).any(), seed
            continue
        assert not truth.holds(found.rules).any(), seed
        for row in found.table.to_dict("records"):
            others = set(names) - {row["rule_id"]}
            assert truth.holds(set(found.rules) - {row["rule_id"]}).any(), seed
            if row["rule_id"] in truth.charges or np.isnan(row["alone"]):
                continue
            told += 1
            name, before = row["rule_id"], truth.limit[row["rule_id"]]
            truth.limit[name] = widened(truth, name, row["alone"])
            assert truth.holds({*others, name}).any(), f"{seed}: {name}"
            truth.limit[name] = before
    assert told >= 5


def widened(truth, name, limit):
    """A limit as the rule's own, a hair wider."""
    return (1 / limit if name == "part" else limit) * (1 + 1e-9 if truth.kind[name] == "max_sum" else 1 - 1e-9)


def check_member(truth, found, row, names, seed):
    name = row["rule_id"]
    others = set(found.rules) - {name}
    same = (truth.plans == found.plans[name]).all(axis=1)
    assert truth.holds(others)[same].all() and same.any(), f"{seed}: {name} isn't needed"
    if row["type"] == "implies":
        assert np.isnan([row["needed"], row["alone"]]).all()
        return
    as_given = (lambda ratio: 1 / ratio) if name == "part" else (lambda ratio: ratio)
    assert row["given"] == pytest.approx(as_given(truth.limit[name]))
    assert row["needed"] == pytest.approx(as_given(truth.nearest(name, others))), f"{seed}: {name}"
    alone = truth.nearest(name, set(names) - {name})
    assert np.isnan(row["alone"]) if np.isinf(alone) else row["alone"] == pytest.approx(as_given(alone)), seed


def check_cheapest(truth, found, names, seed):
    changed = found.cheapest.set_index("rule_id")
    hard = {name for name in names if truth.kind[name] == "implies"}
    open_to_change = [name for name in truth.reached if name not in hard]
    least = sum(truth.miss(name, names) / max(truth.limit[name], 1) for name in open_to_change)[truth.holds(hard)].min()
    ours = np.abs(changed["relaxed_to"] / changed["given"] - 1).sum()
    if not any(truth.kind[name] == "min_ratio" for name in names):  # their part is of a denominator that varies
        assert ours == pytest.approx(least), seed
    for name, limit in changed["relaxed_to"].items():
        truth.limit[name] = widened(truth, name, limit)
    assert truth.holds(names).any(), f"{seed}: no plan after the cheapest relaxation"
