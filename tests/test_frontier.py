"""Budgets, prices of rules and common practice against enumeration of every plan, by hand, and as properties."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide import frontier
from skillsgap.decide.check import broken_rules
from skillsgap.decide.choices import Choices
from skillsgap.decide.frontier import budget_frontier, rule_prices
from skillsgap.decide.plan import PlanConflict, best_plan
from skillsgap.decide.practice import ORDERS, _repaired, common_practice
from skillsgap.decide.problem import plan_problem
from skillsgap.decide.program import build_program
from skillsgap.errors import PlanError

KEY = ["role_id", "role_level", "profile", "need_band"]
EVERY_RULE = {
    "class_by": "hub_id", "champions": {"min": 0.05, "max": 0.2}, "agency_minimum": 0.5, "provider_max": 0.8,
    "floors": [{"id": "basics", "tier": "basic", "share": 0.3},
               {"id": "leads", "tier": ["practitioner", "champion"], "where": {"role_level": "lead"}, "share": 0.25}],
    "hours": {"agency": 6}, "equity": {"by": ["region"], "tolerance": 0.1, "enforce": True},
    "rules": [{"id": "north", "type": "min_count", "where": {"region": "N"}, "min": 2}],
}  # fmt: skip


def draw(seed, rules, *, n_cohorts=10, heads=9):
    """A small country with courses of three tiers and two providers."""
    rng = np.random.default_rng(seed)
    levels = rng.choice(["staff", "lead"], n_cohorts)
    levels[:2] = ["lead", "staff"]
    agency = rng.integers(0, 3, n_cohorts)
    agency[:3] = range(min(3, n_cohorts))
    staff = pd.DataFrame({
        "cohort_id": [f"k{i:02d}" for i in range(n_cohorts)], "agency_id": np.array(list("ABC"))[agency],
        "region": np.array(["N", "S", "S"])[agency], "role_id": "r", "role_level": levels, "grade": "g",
        "profile": rng.integers(1, 3, n_cohorts), "need_band": rng.choice(["low", "high"], n_cohorts),
        "headcount": rng.integers(1, heads + 1, n_cohorts)})  # fmt: skip
    cells = staff[KEY].drop_duplicates()
    lacks = pd.concat([cells.assign(competency_id=name, share=1.0,
                                    shortfall=rng.choice([0.5, 1.0, 2.0, 3.0], len(cells)))
                       for name in ("c1", "c2")])  # fmt: skip
    courses = pd.DataFrame({
        "course_id": ["B1", "B2", "P1", "C1"], "tier": ["basic", "basic", "practitioner", "champion"],
        "provider": ["x", "y", "x", "y"], "mode": "class", "hours": [4, 6, 8, 12],
        "cost_per_seat": rng.integers(2, 9, 4).astype(float), "fixed_cost": rng.integers(0, 9, 4).astype(float),
        "class_min": rng.integers(1, 4, 4), "seats_max": rng.integers(8, 40, 4), "eligibility": ""})  # fmt: skip
    effects = pd.DataFrame([(course, name, gain, 0.2) for course in courses["course_id"] for name, gain in
                            zip(["c1", "c2"], rng.choice([0.3, 0.5, 1.0, 1.6], 2), strict=True)],
                           columns=["course_id", "competency_id", "gain", "sd"])  # fmt: skip
    weights = pd.DataFrame([("r", level, name, float(rng.integers(1, 4))) for level in ("staff", "lead")
                            for name in ("c1", "c2")], columns=[*KEY[:2], "competency_id", "weight"])  # fmt: skip
    hubs = pd.DataFrame({"agency_id": list("ABC"), "hub_id": ["H1", "H1", "H2"]})
    return plan_problem(staff, lacks, courses, effects, weights, rules=rules, agencies=hubs)


def every_plan(problem):
    """All seats of a tiny problem: one row a plan, a column a block with an option."""
    group, size = problem.choices.column_group, problem.blocks["size"].to_numpy()
    ways = []
    for block, people in enumerate(size):
        width = (group == block).sum()
        ways.append([some for some in product(range(people + 1), repeat=width) if sum(some) <= people])
    return np.array([sum(some, ()) for some in product(*ways)])


def kept_by_hand(problem, plans, without=()):
    """Which plans keep the floor, the class sizes, places and the provider's share; and what each costs."""
    option, group = problem.choices.column_option, problem.choices.column_group
    steps, offer = problem.options.steps, problem.options.courses.set_index("course_id")
    course = steps.set_index("option")["course_id"].to_numpy()[option]
    assert len(steps) == len(problem.options.options)  # one course an option, so that a column is a course
    cost = (plans * offer["cost_per_seat"].to_numpy()[offer.index.get_indexer(course)]).astype(float)
    kept, spend = np.ones(len(plans), dtype=bool), cost.sum(axis=1)
    for name, one in offer.iterrows():
        seats = plans[:, course == name].sum(axis=1)
        kept &= seats <= one["seats_max"]
        if "classes" not in without:
            kept &= (seats == 0) | (seats >= one["class_min"])
        spend += (seats > 0) * one["fixed_cost"]
    if "floors" not in without:
        basics = plans[:, np.isin(course, ["B1", "B2"])].sum(axis=1)
        kept &= basics >= np.ceil(0.3 * problem.blocks["size"].sum() - 1e-9)
    if "providers" not in without:
        for name in ("x", "y"):
            kept &= cost[:, offer["provider"].reindex(course).to_numpy() == name].sum(axis=1) <= \
                0.8 * cost.sum(axis=1) + 1e-9
    assert len(group) == plans.shape[1]
    return kept, spend


@pytest.mark.parametrize("seed", range(5))
def test_frontier_practice_and_prices_against_every_plan(seed):
    rules = {"budget": 30.0, "provider_max": 0.8, "floors": EVERY_RULE["floors"][:1]}
    problem = draw(seed, rules, n_cohorts=2, heads=3)
    plans = every_plan(problem)
    value = plans @ problem.choices.fields["value"] / problem.need.sum()
    kept, spend = kept_by_hand(problem, plans)
    curve = budget_frontier(problem, [60, 0, 12, 18, 24, 30, 30], mip_gap=0).set_index("budget")
    assert curve.index.tolist() == [0, 12, 18, 24, 30, 60]
    for budget, row in curve.iterrows():
        can = kept & (spend <= budget + 1e-9)
        assert row["feasible"] == can.any()
        if can.any():
            assert row["closed_share"] == pytest.approx(value[can].max(), abs=1e-9)
            practice = row[["gap_first_share", "ratio_first_share"]].astype(float)
            assert practice.notna().all() and (practice <= value[can].max() + 1e-9).all()
            assert row["spend"] <= budget + 1e-9
    if not (kept & (spend <= 30)).any():
        return
    plan, solution = best_plan(problem, mip_gap=0)
    prices = rule_prices(problem, plan, solution, mip_gap=0).set_index("family")
    for family in ("floors", "providers", *({"classes"} & {rule["family"] for rule in problem.rules})):
        free, cost = kept_by_hand(problem, plans, without=(family,))
        assert prices.loc[family, "without_share"] == pytest.approx(value[free & (cost <= 30 + 1e-9)].max(), abs=1e-9)
        assert prices.loc[family, "forgone"] == pytest.approx(prices.loc[family, "without_share"] - plan.closed_share)
        assert prices.loc[family, "forgone_most"] >= prices.loc[family, "forgone"] >= 0


@pytest.mark.parametrize("seed", range(1, 15))
def test_practice_keeps_every_rule_whenever_a_plan_does(seed):
    budget = float(np.random.default_rng(seed).choice([40, 90, 150, 300]))
    problem = draw(seed, {"budget": budget, **EVERY_RULE})
    staff = problem.cohorts.merge(pd.DataFrame({"agency_id": list("ABC"), "hub_id": ["H1", "H1", "H2"]}))
    try:
        best = best_plan(problem, mip_gap=0)[0]
    except PlanConflict:
        with pytest.raises(PlanConflict):
            common_practice(problem, order=ORDERS[seed % 2])
        return
    for order in ORDERS:
        plan = common_practice(problem, order=order)
        rules = [rule for rule in problem.rules if "group_id" not in str(rule)]
        assert broken_rules(plan.allocations, staff, problem.options, rules) == []
        assert plan.value <= best.value + 1e-9 and plan.status == order and np.isnan(plan.bound)


def test_those_with_most_need_or_most_gap_for_the_money_come_first():
    problem = draw(1, {"budget": 60.0})
    need = problem.blocks["need"].to_numpy()
    first = common_practice(problem, order="largest gap first")
    seats = problem.cohorts.merge(first.allocations.groupby("cohort_id")["seats"].sum().reset_index(), how="left")
    seats = seats.fillna({"seats": 0}).groupby("block")[["headcount", "seats"]].sum()
    whole = need[seats["seats"] == seats["headcount"]]
    assert 0 < len(whole) < len(need) and whole.min() >= need[seats["seats"] == 0].max()
    ratio = common_practice(problem, order="best ratio first")
    assert ratio.allocations["gap_closed"].sum() / ratio.spend > first.value / first.spend
    with pytest.raises(PlanError, match='order is "by name"; use one of largest gap first, best ratio first'):
        common_practice(problem, order="by name")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_tree_for_all_budgets_finds_what_each_budget_alone_finds(seed, monkeypatch):
    problem = draw(seed, {"budget": 150.0, **EVERY_RULE}, n_cohorts=14)
    budgets = np.linspace(0, 400, 14)
    alone = budget_frontier(problem, budgets, mip_gap=0, practice=False)
    monkeypatch.setattr(frontier, "DIRECT", 0)
    together = budget_frontier(problem, budgets, mip_gap=0.01, practice=False)
    assert together["feasible"].tolist() == alone["feasible"].tolist() and 2 < alone["feasible"].sum()
    for curve in (alone, together):
        can = curve[curve["feasible"]]
        assert (can[["closed_share", "bound_share"]].diff().dropna() >= -1e-12).all(axis=None)
        assert (can["spend"] <= can["budget"] + 1e-9).all()
    both = alone.merge(together, on="budget").query("feasible_x")
    assert (both["closed_share_y"] <= both["closed_share_x"] + 1e-9).all()
    assert (both["bound_share_y"] >= both["closed_share_x"] - 1e-9).all()
    assert both["gap_y"].median() <= 0.01 and (both["gap_y"] <= 0.1).all()


def test_money_buys_little_after_the_point_told():
    problem = draw(3, {"budget": 100.0})
    curve = budget_frontier(problem, np.linspace(0, 600, 25), practice=False)
    share, enough = curve["closed_share"].to_numpy(), curve["enough"].to_numpy()
    assert enough.any() and not enough[0] and (np.diff(enough.astype(int)) >= 0).all()
    point = int(np.argmax(enough))
    usual = np.interp(200, curve["budget"], share) / 200
    assert (share[-1] - share[point]) / (600 - curve["budget"][point]) < 0.1 * usual
    assert (share[point] - share[point - 1]) / 25 >= 0.1 * usual
    assert curve["gap_first_share"].isna().all()
    assert not budget_frontier(problem, [0, 50], practice=False)["enough"].any()


def test_equity_that_is_not_enforced_is_priced_by_keeping_it():
    told = {"budget": 60.0, "equity": {"by": ["region"], "tolerance": 0.01}}
    problem = draw(2, told)
    plan, solution = best_plan(problem, mip_gap=0)
    row = rule_prices(problem, plan, solution, mip_gap=0).set_index("family").loc["equity"]
    enforced = draw(2, told | {"equity": told["equity"] | {"enforce": True}})
    fair = best_plan(enforced, mip_gap=0)
    assert not row["enforced"] and row["closed_share"] == pytest.approx(fair[0].closed_share)
    assert row["forgone"] == pytest.approx(plan.closed_share - fair[0].closed_share) and row["forgone"] > 0
    price = plan.rules.set_index("rule_id").loc["budget", "price"]
    assert row["money"] == pytest.approx(row["forgone"] * plan.total_need / price)
    other = rule_prices(enforced, *fair, mip_gap=0).set_index("family").loc["equity"]
    assert other["enforced"] and other["forgone"] == pytest.approx(row["forgone"])
    nobody = {"id": "nobody", "type": "max_sum", "field": "seats", "where": {"region": "N"}, "max": 0}
    strict = draw(2, told | {"budget": 150.0, "floors": EVERY_RULE["floors"][:1], "rules": [nobody]})
    row = rule_prices(strict, *best_plan(strict)).set_index("family").loc["equity"]
    assert not row["feasible"] and np.isnan(row["forgone"])


@pytest.mark.parametrize("budgets, said", [([], "budgets is empty"), ([5, -1], "budgets holds -1; give amounts"),
                                           ([np.nan], "holds nan"), ([np.inf], "holds inf")])  # fmt: skip
def test_budgets_that_cannot_be_meant(budgets, said):
    with pytest.raises(PlanError, match=said):
        budget_frontier(draw(0, {"budget": 10.0}), budgets)


@pytest.mark.parametrize("value", [(1.0, 2.0), (2.0, 1.0)])
def test_of_repairs_that_change_as_many_seats_the_one_that_closes_more_is_taken(value):
    """Nobody was served, and one of the group must be: either course would do."""
    staff = pd.DataFrame({"group_id": ["a"], "size": [5]})
    steps = pd.DataFrame({"option": [0, 1], "course_id": ["A", "B"], "cost": [10.0, 10.0], "seats": [1.0, 1.0]})
    choices = Choices(staff, pd.DataFrame({"option_id": ["A", "B"]}), steps, np.array([0, 0]), np.array([0, 1]),
                      {"value": np.array(value)})  # fmt: skip
    floor = {"id": "floor", "family": "floors", "type": "min_sum", "field": "seats", "min": 1}
    repaired = _repaired(build_program(choices, [floor]), np.zeros(2, dtype=np.int64))
    assert repaired.tolist() == [int(value[0] > value[1]), int(value[1] > value[0])]
