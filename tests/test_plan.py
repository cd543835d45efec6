"""The plan against enumeration of every allocation, against hand computation, and as properties."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.decide.frontier import budget_frontier, common_practice
from skillsgap.decide.model import eligible
from skillsgap.decide.plan import check_plan, effect_interval, plan_training
from skillsgap.errors import PlanError

GAP = 1e-4
LEVELS = ["junior", "lead"]
BANDS = ["low", "high"]


def draw_tables(seed, *, n_cohorts=5, n_courses=3, heads=4):
    """Five small tables in arbitrary row order; costs are whole numbers."""
    rng = np.random.default_rng(seed)
    cohorts = pd.DataFrame({
        "cohort_id": [f"k{i:02d}" for i in range(n_cohorts)],
        "agency_id": rng.choice(["A", "B", "C"], n_cohorts),
        "role_id": "r",
        "role_level": rng.choice(LEVELS, n_cohorts),
        "grade": rng.choice(["g1", "g2"], n_cohorts),
        "profile": rng.integers(1, 3, n_cohorts),
        "need_band": rng.choice(BANDS, n_cohorts),
        "headcount": rng.integers(0, heads + 1, n_cohorts),
    })
    shortfalls = pd.DataFrame(
        [("r", level, profile, band, name, size, share)
         for level, profile, band, name in product(LEVELS, [1, 2], BANDS, ["c1", "c2"])
         for size, share in zip(rng.choice([0, 0.5, 1, 2, 3], 2, replace=False), [0.25, 0.75], strict=True)],
        columns=["role_id", "role_level", "profile", "need_band", "competency_id", "shortfall", "share"])
    courses = pd.DataFrame({
        "course_id": [f"o{i}" for i in range(n_courses)],
        "tier": "basic",
        "cost_per_seat": rng.integers(1, 6, n_courses),
        "fixed_cost": rng.integers(0, 6, n_courses),
        "class_min": rng.integers(0, 4, n_courses),
        "seats_max": rng.integers(2, 8, n_courses),
        "eligibility": [""] + list(rng.choice(["", f"role_level={cohorts['role_level'][0]}"], n_courses - 1)),
    })
    effects = pd.DataFrame(
        [(course, name, gain, 0.3) for course in courses["course_id"]
         for name, gain in zip(["c1", "c2"], rng.choice([0, 0.4, 0.7, 1.5], 2), strict=True)],
        columns=["course_id", "competency_id", "gain", "sd"])
    weights = pd.DataFrame(
        [("r", level, name, float(rng.integers(0, 4))) for level in LEVELS for name in ["c1", "c2"]],
        columns=["role_id", "role_level", "competency_id", "weight"])
    weights.loc[0, "weight"] = 1.0
    return cohorts, shortfalls, courses, effects, weights


def seat_value(tables, cohort, course):
    """Worth of one seat by its definition, row by row."""
    _, shortfalls, _, effects, weights = tables
    worth = 0.0
    for row in shortfalls.itertuples():
        if any(getattr(row, key) != getattr(cohort, key) for key in ("role_level", "profile", "need_band")):
            continue
        same = effects[effects["competency_id"] == row.competency_id]
        gain = same.loc[same["course_id"] == course.course_id, "gain"].sum()
        same = weights[weights["competency_id"] == row.competency_id]
        weight = same.loc[same["role_level"] == row.role_level, "weight"].sum()
        worth += weight * row.share * min(row.shortfall, gain)
    return worth


def splits(heads, n_courses):
    return [seats for seats in product(range(heads + 1), repeat=n_courses) if sum(seats) <= heads]


def best_by_enumeration(tables, budgets):
    """Largest value over every allocation of whole seats, for each budget."""
    cohorts, _, courses, _, _ = tables
    may = eligible(cohorts, courses).to_numpy()
    worth = np.array([[seat_value(tables, k, o) for o in courses.itertuples()] for k in cohorts.itertuples()])
    choices = [[np.array(seats) for seats in splits(heads, len(courses)) if not np.any(seats * ~row)]
               for heads, row in zip(cohorts["headcount"], may, strict=True)]
    best = np.zeros(len(budgets))
    price, fixed = courses["cost_per_seat"].to_numpy(), courses["fixed_cost"].to_numpy()
    most, least = courses["seats_max"].to_numpy(), courses["class_min"].to_numpy()
    for chosen in product(*choices):
        seats = np.array(chosen)
        taken = seats.sum(axis=0)
        runs = taken > 0
        if np.all((taken <= most) & (~runs | (taken >= least))):
            affordable = taken @ price + runs @ fixed <= np.array(budgets)
            best = np.maximum(best, affordable * (seats * worth).sum())
    return best


@pytest.mark.parametrize("seed", range(12))
def test_value_equals_enumeration(seed):
    tables = draw_tables(seed, n_cohorts=4, n_courses=2, heads=3)
    budgets = (0, 7, 15, 40)
    for budget, best in zip(budgets, best_by_enumeration(tables, budgets), strict=True):
        plan = plan_training(*tables, budget=budget, mip_gap=0.0)
        assert plan.value == pytest.approx(best, abs=1e-6)
        assert plan.bound >= best - 1e-6
        assert common_practice(*tables, budget=budget).value <= best + 1e-9


def ten_people(*courses):
    """Ten people of whom half lack 2 levels of c (weight 3); a course gives 1 level unless stated."""
    key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    usual = {"course_id": "o", "tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 20.0, "class_min": 2,
             "seats_max": 30, "eligibility": "", "gain": 1.0}
    offer = pd.DataFrame([usual | course for course in courses])
    return (
        pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}]),
        pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0.0, 2.0)]),
        offer.drop(columns="gain"),
        offer[["course_id", "gain"]].assign(competency_id="c", sd=0.2),
        pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 3.0}]))


def one_cohort(*, budget, **course):
    return plan_training(*ten_people(course), budget=budget)


def test_seat_is_worth_the_expected_minimum_not_the_minimum_of_means():
    # E min(s, 1) = 0.5 x 0 + 0.5 x 1 = 0.5, while min(E s, 1) = 1; times weight 3.
    plan = one_cohort(budget=60)
    assert plan.courses["seats"].tolist() == [4]
    assert plan.value == pytest.approx(4 * 3 * 0.5)
    assert plan.total_need == pytest.approx(10 * 3 * 1.0)
    assert plan.closed_share == pytest.approx(0.2)
    assert plan.allocations["cost"].tolist() == [60.0]
    assert plan.competencies.to_dict("list") == {"competency_id": ["c"], "closed": [6.0], "need": [30.0]}


@pytest.mark.parametrize("budget", [0, 29.99, 39.99])
def test_budget_too_small_for_a_class_is_an_empty_optimal_plan(budget):
    plan = one_cohort(budget=budget)
    assert (plan.status, plan.spend, plan.value, plan.bound, plan.gap) == ("optimal", 0.0, 0.0, 0.0, 0.0)
    assert plan.allocations.empty and not plan.courses["runs"].any()


def test_unlimited_budget_and_rules_left_empty():
    plan = one_cohort(budget=np.inf, seats_max=np.nan, class_min=np.nan)
    assert plan.courses["seats"].tolist() == [10]


def test_costs_that_binary_fractions_cannot_hold():
    assert one_cohort(budget=0.3, cost_per_seat=0.1, fixed_cost=0.0).courses["seats"].tolist() == [3]


@pytest.mark.parametrize(("course", "words"), [
    ({"cost_per_seat": -1.0}, "course o has a negative or missing cost_per_seat"),
    ({"fixed_cost": np.nan}, "course o has a negative or missing fixed_cost"),
    ({"eligibility": "role_level=senior"}, "course o has an eligibility that fits no cohort"),
    ({"eligibility": "office=north"}, 'course o: eligibility names "office"'),
    ({"eligibility": "role_level"}, "is not column=value"),
])
def test_a_course_that_cannot_be_planned_is_named(course, words):
    with pytest.raises(PlanError, match=words) as caught:
        one_cohort(budget=10, **course)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("budget", [-1, float("nan")])
def test_negative_budget_is_one_line_with_the_value(budget):
    for plan in (plan_training, common_practice):
        with pytest.raises(PlanError, match=f"budget must be >= 0, but is {budget}; give"):
            plan(*draw_tables(0), budget=budget)


@pytest.mark.parametrize(("place", "column", "value", "words"), [
    (0, "headcount", 1.5, "whole head-count"),
    (0, "cohort_id", "k01", "cohort k01 appears twice"),
    (1, "share", 0.9, "share >= 0 with sum 1"),
    (3, "gain", 5.0, "at most 4"),
    (3, "sd", -0.1, "negative or missing sd"),
    (4, "weight", -1.0, "weight >= 0"),
])
def test_tables_outside_their_range(place, column, value, words):
    tables = list(draw_tables(1))
    changed = tables[place].astype({column: object})
    changed.loc[0, column] = value
    tables[place] = changed.infer_objects()
    with pytest.raises(PlanError, match=words):
        plan_training(*tables, budget=10)


def test_eligibility_parts_must_all_hold_and_bars_mean_any():
    cohorts = pd.DataFrame({"cohort_id": list("abc"), "role_level": ["lead", "senior", "lead"],
                            "role_id": ["buyer", "buyer", "clerk"]})
    rules = ["role_level=lead|senior; role_id=buyer", "", "role_id=clerk"]
    courses = pd.DataFrame({"course_id": ["x", "y", "z"], "eligibility": rules})
    expected = [[True, True, False], [True, True, False], [False, True, True]]
    assert eligible(cohorts, courses).to_numpy().tolist() == expected
    courses["eligibility"] = courses["eligibility"].replace("", None)
    assert eligible(cohorts, courses).to_numpy().tolist() == expected


def test_seats_are_shared_over_agencies_in_proportion():
    """60 seats for 120 like people, 40 agencies of one and one of 80: half of each."""
    tables = list(draw_tables(3))
    size = [1] * 40 + [80]
    cohorts = pd.concat([tables[0].iloc[[0]]] * 41, ignore_index=True)
    tables[0] = cohorts.assign(cohort_id=[f"k{i:02d}" for i in range(41)], headcount=size,
                               agency_id=[f"A{i:02d}" for i in range(41)])
    tables[2] = tables[2].iloc[[0]].assign(seats_max=60, class_min=1, eligibility="")
    tables[3] = tables[3].assign(gain=1.0)
    plan = plan_training(*tables, budget=10_000)
    large = plan.allocations["cohort_id"] == "k40"
    assert plan.allocations.loc[large, "seats"].tolist() == [40]
    assert plan.allocations.loc[~large, "seats"].tolist() == [1] * 20


def test_an_agency_rounded_down_before_comes_first():
    """Small agency S has a claim of 0.4 seats in each of ten blocks: it gets four, not none."""
    key = [("r", "junior", p, "low") for p in range(10)]
    names = ["role_id", "role_level", "profile", "need_band"]
    staff = pd.DataFrame([(f"{a}{k[2]}", a, "g", n, *k) for k in key for a, n in (("L", 4), ("S", 1))],
                         columns=["cohort_id", "agency_id", "grade", "headcount", *names])
    lacks = pd.DataFrame(key, columns=names).assign(competency_id="c", shortfall=1.0, share=1.0)
    offer = pd.DataFrame([(f"o{k[2]}", "basic", 1.0, 0.0, 1, 2, f"profile={k[2]}") for k in key], columns=[
        "course_id", "tier", "cost_per_seat", "fixed_cost", "class_min", "seats_max", "eligibility"])
    effect = offer[["course_id"]].assign(competency_id="c", gain=1.0, sd=0.1)
    weight = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    plan = plan_training(staff, lacks, offer, effect, weight, budget=100)
    small = plan.allocations["cohort_id"].str.startswith("S")
    assert plan.allocations["seats"].sum() == 20
    assert plan.allocations.loc[small, "seats"].sum() == 4


def test_ties_go_to_the_smaller_cohort_id_whatever_the_row_order():
    tables = list(ten_people({"seats_max": 3, "class_min": 3}))
    twins = pd.concat([tables[0]] * 4, ignore_index=True).assign(cohort_id=list("dbca"), headcount=1)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        for maker in (plan_training, common_practice):
            plan = maker(twins.iloc[order], *tables[1:], budget=1000)
            assert plan.allocations["cohort_id"].tolist() == ["a", "b", "c"]


def test_common_practice_cancels_small_classes_and_serves_again():
    # The better course x is chosen first, but 7 seats are no class of 8; its money and people go to y.
    tables = ten_people({"course_id": "x", "gain": 2.0, "seats_max": 7, "class_min": 8},
                        {"course_id": "y", "gain": 1.0, "seats_max": 9})
    plan = common_practice(*tables, budget=115)
    assert plan.courses.set_index("course_id")["seats"].to_dict() == {"x": 0, "y": 9}
    assert (plan.spend, plan.value) == (110.0, 9 * 3 * 0.5)
    assert (plan.status, np.isnan(plan.bound), np.isnan(plan.gap)) == ("common practice", True, True)


def test_staff_without_stated_need_count_but_get_no_seat():
    tables = list(draw_tables(2))
    tables[0].loc[0, ["role_id", "headcount"]] = ["elsewhere", 3]
    plan = plan_training(*tables, budget=1000)
    assert plan.people_without_need >= 3
    assert "k00" not in set(plan.allocations["cohort_id"])
    tables[0]["role_id"] = "elsewhere"
    with pytest.raises(PlanError, match="in common"):
        plan_training(*tables, budget=1000)


def test_check_refuses_a_plan_that_was_changed():
    tables = draw_tables(5)
    plan = plan_training(*tables, budget=30)
    check_plan(plan, tables[0], tables[2])
    plan.allocations.loc[0, "seats"] += 10
    with pytest.raises(PlanError, match="more seats than people"):
        check_plan(plan, tables[0], tables[2])


seeds = st.integers(0, 10_000)
small = settings(max_examples=25, deadline=None, derandomize=True)


def test_large_plan_is_proved_with_divisible_seats_made_whole():
    """2,000 people in cohorts of many kinds; the bound of the divisible seats is within the gap."""
    tables = list(draw_tables(11, n_cohorts=200, n_courses=6, heads=20))
    tables[2] = tables[2].assign(seats_max=[150, 80, 300, 60, 90, 400], class_min=[5, 20, 8, 30, 12, 6],
                                 fixed_cost=[40, 90, 25, 130, 60, 75], eligibility="")
    plan = plan_training(*tables, budget=1500)
    assert 0 <= plan.gap <= GAP + 1e-7
    assert plan.closed_share > common_practice(*tables, budget=1500).closed_share


@small
@given(seed=seeds, budget=st.integers(0, 120))
def test_every_rule_is_kept(seed, budget):
    tables = draw_tables(seed, n_cohorts=8, heads=9)
    cohorts, _, courses, _, _ = tables
    for plan in (plan_training(*tables, budget=budget), common_practice(*tables, budget=budget)):
        offer = courses.set_index("course_id")
        taken = plan.allocations.groupby("course_id")["seats"].sum().reindex(offer.index, fill_value=0)
        spend = (taken * offer["cost_per_seat"] + (taken > 0) * offer["fixed_cost"]).sum()
        people = plan.allocations.groupby("cohort_id")["seats"].sum()
        assert spend == pytest.approx(plan.spend) and spend <= budget
        assert (people <= cohorts.set_index("cohort_id")["headcount"].loc[people.index]).all()
        assert ((taken == 0) | (taken >= offer["class_min"])).all()
        assert (taken <= offer["seats_max"]).all()
        assert plan.competencies["closed"].sum() == pytest.approx(plan.value)
        assert plan.value <= plan.total_need + 1e-9


@small
@given(seed=seeds)
def test_more_budget_never_closes_less_and_practice_never_beats_the_bound(seed):
    curve = budget_frontier(*draw_tables(seed, n_cohorts=8, heads=9), budgets=[90, 0, 10, 25, 25, 45, 1000])
    assert curve["budget"].tolist() == [0, 10, 25, 45, 90, 1000]
    assert (curve["value"].diff().dropna() >= 0).all()
    assert (curve["bound_share"].diff().dropna() >= 0).all()
    assert (curve["common_practice_share"] <= curve["bound_share"] + 1e-9).all()
    assert (curve["gap"] <= GAP + 1e-7).all()
    assert (curve["spend"] <= curve["budget"]).all()


@small
@given(seed=seeds, budget=st.integers(0, 120))
def test_row_order_changes_nothing(seed, budget):
    tables = draw_tables(seed, n_cohorts=8, heads=9)
    mixed = [table.sample(frac=1, random_state=seed) for table in tables]
    for maker in (plan_training, common_practice):
        one, other = maker(*tables, budget=budget), maker(*mixed, budget=budget)
        for name in ("allocations", "courses", "competencies"):
            pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
        assert (one.value, one.spend) == (other.value, other.spend)


def test_effect_interval_holds_the_plan_and_moves_the_gains():
    tables = draw_tables(7, n_cohorts=8, heads=9)
    plan = plan_training(*tables, budget=60)
    row = effect_interval(plan, *tables, n_draws=100, random_state=1).iloc[0]
    assert 0 <= row["ci_low"] < row["mean_of_draws"] < row["ci_high"] <= 1
    assert row["uncertainty"] == "effect" and row["estimate"] == plan.closed_share
    sure = (*tables[:3], tables[3].assign(sd=0.0), tables[4])
    fixed = effect_interval(plan, *sure, n_draws=5).iloc[0]
    assert fixed["se"] == pytest.approx(0, abs=1e-12)
    assert fixed["ci_low"] == pytest.approx(plan.closed_share)
    mixed = [table.sample(frac=1, random_state=3) for table in tables]
    pd.testing.assert_series_equal(effect_interval(plan, *mixed, n_draws=100, random_state=1).iloc[0], row)


def test_nothing_is_printed(capfd):
    plan_training(*draw_tables(9), budget=30)
    out = capfd.readouterr()
    assert out.out == "" and out.err == ""
