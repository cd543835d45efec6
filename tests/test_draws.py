"""Plans under drawn effects, against formulas for a single draw, enumeration, and solving each draw anew."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide.draws import plan_draws, seats_of
from skillsgap.decide.options import training_options
from skillsgap.decide.plan import best_plan
from skillsgap.decide.problem import plan_problem
from skillsgap.decide.recommendations import recommendations
from skillsgap.decide.solve import solve
from skillsgap.errors import PlanError
from skillsgap.publish.recommended import as_messages
from skillsgap.wording import Words

TYPE = ["role_id", "role_level", "profile", "need_band"]


def tables(cohorts, shortfalls, courses):
    """The five tables of a plan: cohorts with their head-counts, what each lacks of c, what each course gives."""
    usual = {"agency_id": "A", "role_id": "r", "role_level": "junior", "grade": "g", "profile": 1, "need_band": "mid"}
    staff = pd.DataFrame([usual | some for some in cohorts])
    staff.insert(0, "cohort_id", [f"k{number:03d}" for number in range(len(staff))])
    lacks = staff[TYPE].assign(competency_id="c", shortfall=shortfalls, share=1.0).drop_duplicates()
    offer = pd.DataFrame([{"tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 0.0, "gain": 1.0, "sd": 0.0} | some
                          for some in courses])  # fmt: skip
    matter = staff[["role_id", "role_level"]].drop_duplicates().assign(competency_id="c", weight=1.0)
    effects = offer[["course_id", "gain", "sd"]].assign(competency_id="c", evidence="rct")
    return staff, lacks, offer.drop(columns=["gain", "sd"]), effects, matter


def planned(given, *, budget, **rules):
    problem = plan_problem(*given, rules={"budget": budget} | rules)
    return problem, *best_plan(problem, mip_gap=0.0)


TEN = tables([{"headcount": 10}], [2.0],
             [{"course_id": "risky", "sd": 0.5}, {"course_id": "sure", "gain": 0.8}])  # fmt: skip


def test_one_risky_and_one_sure_course_against_formulas():
    # ten seats: risky closes min(g, 2) a seat with g = 1 + z / 2 cut at 0, sure 0.8; all lack 2 levels
    problem, plan, solution = planned(TEN, budget=100)
    draws = plan_draws(problem, plan, n_draws=30, n_fixed=400, mip_gap=0.0, random_state=4, solution=solution)
    z = np.random.default_rng(4).standard_normal((400, 2))[:, 0]  # effects are sorted by course
    risky = np.clip(1 + z / 2, 0, 2)
    first = risky[:30]
    np.testing.assert_allclose(draws.table["expected"], 10 * first)
    np.testing.assert_allclose(draws.table["cautious"], 8.0)  # 1 - 1.28 x 0.5 is below 0.8
    np.testing.assert_allclose(draws.table["optimum"], 10 * np.maximum(first, 0.8))
    np.testing.assert_allclose(draws.table["regret"], 1 - first / np.maximum(first, 0.8))
    assert draws.plans["median_regret"].tolist() == pytest.approx(
        [np.median(1 - first / np.maximum(first, 0.8)), np.median(1 - 0.8 / np.maximum(first, 0.8))])
    row = draws.recommendations.iloc[0]
    assert (row["option_id"], row["seats"], row["n_draws"]) == ("risky", 10, 30)
    assert row["stability"] == pytest.approx((first >= 0.8).mean())
    # shares are of a need of 2 a head; N(1, 0.5) cut at 0 and 2 is symmetric round 1, so its mean is 1
    told = draws.interval.iloc[0]
    assert told[["mean_of_draws", "se", "ci_low", "ci_high"]].tolist() == pytest.approx(
        [risky.mean() / 2, risky.std(ddof=1) / 2, *np.quantile(risky, [0.025, 0.975]) / 2])
    assert told["estimate"] == 0.5 and told["mean_of_draws"] == pytest.approx(0.5, abs=4 * 0.25 / np.sqrt(400))
    assert draws.plans["worst_decile"].tolist() == pytest.approx([np.quantile(risky, 0.1) / 2, 0.4])


def test_effects_that_are_sure_leave_no_regret_and_full_stability():
    given = tables([{"headcount": 6}, {"headcount": 3, "need_band": "high"}], [0.5, 2.0],
                   [{"course_id": "a"}, {"course_id": "b", "gain": 1.8, "cost_per_seat": 20.0}])  # fmt: skip
    problem, plan, _ = planned(given, budget=70)
    draws = plan_draws(problem, plan, n_draws=3, n_fixed=5, mip_gap=0.0)
    assert (draws.recommendations["stability"] == 1).all() and (draws.table["regret"] == 0).all()
    assert draws.plans["closed_share"].tolist() == pytest.approx([plan.closed_share] * 2)
    assert draws.interval[["ci_low", "ci_high"]].iloc[0].tolist() == pytest.approx([plan.closed_share] * 2)
    assert draws.expert == 0.0
    given[3].loc[given[3]["course_id"] == "b", "evidence"] = "expert"
    problem, plan, _ = planned(given, budget=70)
    by = plan.options.set_index("option_id")["gap_closed"]
    assert plan_draws(problem, plan, n_draws=2, n_fixed=2).expert == pytest.approx(by.get("b", 0.0) / plan.value)


def random_tables(seed, *, n_cohorts=4, heads=3):
    """Few people, two courses with minimum classes and fixed costs, uncertain effects."""
    rng = np.random.default_rng(seed)
    cohorts = [{"headcount": int(rng.integers(1, heads + 1)), "profile": number, "role_level": level, "grade": level}
               for number, level in enumerate(rng.choice(["junior", "lead"], n_cohorts))]  # fmt: skip
    courses = [{"course_id": name, "cost_per_seat": float(rng.integers(2, 6)), "fixed_cost": float(rng.integers(0, 4)),
                "class_min": int(rng.integers(1, 3)), "gain": float(rng.choice([0.4, 0.8, 1.3])), "sd": 0.4}
               for name in ("a", "b")]  # fmt: skip
    return tables(cohorts, rng.choice([0.0, 0.5, 1.0, 2.0], n_cohorts), courses)


def enumerated(given, gains, budget):
    """Most gap that any whole seats close at these gains, by trying all."""
    staff, lacks, offer, _, _ = given
    short = staff.merge(lacks, on=TYPE)["shortfall"].to_numpy()
    worth = np.minimum(short[:, None], gains)
    ways = [[(i, j) for i in range(n + 1) for j in range(n + 1 - i)] for n in staff["headcount"]]
    best = 0.0
    for chosen in product(*ways):
        seats = np.array(chosen)
        taken = seats.sum(axis=0)
        cost = taken @ offer["cost_per_seat"] + (taken > 0) @ offer["fixed_cost"]
        if cost <= budget and ((taken == 0) | (taken >= offer["class_min"])).all():
            best = max(best, (seats * worth).sum())
    return best


@pytest.mark.parametrize("seed", range(2))
def test_optimum_of_each_draw_equals_enumeration_and_row_order_changes_nothing(seed):
    given = random_tables(seed)
    problem, plan, _ = planned(given, budget=22)
    draws = plan_draws(problem, plan, n_draws=4, n_fixed=20, mip_gap=0.0, random_state=seed)
    z, effects = np.random.default_rng(seed).standard_normal((20, 2)), given[3]
    for row in draws.table.itertuples():
        gains = np.clip(effects["gain"].to_numpy() + 0.4 * z[row.draw - 1], 0, 4)
        assert row.optimum == pytest.approx(enumerated(given, gains, 22), abs=1e-9)
        assert 0 <= row.regret <= 1 and max(row.expected, row.cautious) <= row.optimum + 1e-12 <= row.bound + 1e-9
    rows, one = draws.recommendations, draws.interval.iloc[0]
    assert rows["stability"].between(0, 1).all() and rows["gap_closed"].sum() == pytest.approx(plan.value)
    assert rows["mean_of_draws"].between(rows["ci_low"], rows["ci_high"]).all()
    assert one["ci_low"] <= one["mean_of_draws"] <= one["ci_high"]
    other, again, _ = planned([table.sample(frac=1, random_state=seed) for table in given], budget=22)
    shuffled = plan_draws(other, again, n_draws=4, n_fixed=20, mip_gap=0.0, random_state=seed)
    pd.testing.assert_frame_equal(shuffled.table, draws.table)
    pd.testing.assert_frame_equal(shuffled.recommendations, rows)


def test_warm_draws_of_a_large_program_are_within_the_gap_of_solving_each_anew():
    rng = np.random.default_rng(0)
    cohorts = [{"headcount": int(n), "profile": k % 150, "agency_id": f"A{k // 150}", "role_level": "ab"[k % 2]}
               for k, n in enumerate(rng.integers(1, 30, 300))]  # fmt: skip
    short = np.tile(rng.uniform(0, 3, 150), 2)
    courses = [{"course_id": f"o{k:02d}", "cost_per_seat": float(cost), "gain": float(gain), "sd": 0.3,
                "fixed_cost": 50.0, "class_min": 20, "seats_max": 400.0}
               for k, (cost, gain) in enumerate(zip(rng.uniform(20, 60, 14), rng.uniform(0.3, 1.5, 14), strict=True))]
    problem = plan_problem(*tables(cohorts, short, courses), rules={"budget": 40_000.0})
    assert len(problem.choices.column_group) > 3000
    plan, solution = best_plan(problem, mip_gap=0.005)
    draws = plan_draws(problem, plan, n_draws=2, n_fixed=2, solution=solution)
    z, effects = np.random.default_rng(0).standard_normal((2, 14)), problem.options.effects
    for row in draws.table.itertuples():
        drawn = problem.with_gains(np.clip(effects["gain"] + 0.3 * z[row.draw - 1], 0, 4).to_numpy())
        anew = solve(drawn.program, mip_gap=0.005)
        assert anew.value <= row.bound * (1 + 1e-9) and row.optimum <= anew.bound * (1 + 1e-9)
        assert row.bound <= row.optimum * 1.005 + 1e-9
        assert row.expected == pytest.approx(drawn.program.value @ seats_of(problem, plan))
        assert row.cautious == pytest.approx(drawn.program.value @ seats_of(problem, draws.cautious))


def test_periods_and_hired_places_are_valued_as_a_plan_with_those_gains_is():
    given = tables([{"headcount": 6}, {"headcount": 3, "need_band": "high"}], [0.5, 2.0],
                   [{"course_id": "a", "sd": 0.3}, {"course_id": "b", "gain": 1.8, "cost_per_seat": 20.0, "sd": 0.4}])
    ways = pd.DataFrame([{"kind": "hire", "role_id": "r", "role_level": "", "cost": 25.0, "places": 2}])
    options = training_options(given[2], given[3].assign(half_life_months=18.0), n_periods=2, staffing=ways)
    money = [{"label": str(year), "budget": 60.0} for year in (2026, 2027)]
    problem = plan_problem(*given, rules={"periods": money}, options=options)
    plan, _ = best_plan(problem, mip_gap=0.0)
    assert "hire" in set(plan.options["kind"]) and plan.options["period"].max() == 1
    draws = plan_draws(problem, plan, n_draws=2, n_fixed=11)
    z, effects = np.random.default_rng(0).standard_normal((11, 2)), options.effects
    for row in draws.table.itertuples():
        drawn = problem.with_gains((effects["gain"] + effects["sd"] * z[row.draw - 1]).clip(0, 4).to_numpy())
        assert row.expected == pytest.approx(drawn.program.value @ seats_of(problem, plan))


def test_without_draws_of_the_best_plan_intervals_are_the_same_and_nothing_is_said_of_stability():
    problem, plan, solution = planned(TEN, budget=100)
    all_, alone = (plan_draws(problem, plan, n_draws=n, n_fixed=50, solution=solution) for n in (3, 0))
    pd.testing.assert_frame_equal(all_.interval, alone.interval)
    kept = ["option_id", "seats", "gap_closed", "mean_of_draws", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(all_.recommendations[kept], alone.recommendations[kept])
    assert alone.recommendations["stability"].isna().all() and alone.n_draws == 0 and alone.cautious is None
    assert alone.plans["plan"].tolist() == ["expected"]
    said = [Words("en").say(*pair) for pairs in as_messages(recommendations(problem, plan, alone)) for pair in pairs]
    assert any(text.startswith("Closes") for text in said) and not any("draws" in text for text in said)


def test_refusals():
    problem, plan, _ = planned(TEN, budget=100)
    with pytest.raises(PlanError, match="n_draws is 1"):
        plan_draws(problem, plan, n_draws=1)
    with pytest.raises(PlanError, match="does not keep the rules"):
        plan_draws(problem.with_budget(50), plan)
    with pytest.raises(PlanError, match="does not know"):
        plan_draws(problem, replace(plan, allocations=plan.allocations.assign(option_id="else")))
