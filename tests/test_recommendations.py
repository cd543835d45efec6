"""Recommendations and executable plans, against counts by hand and enumeration of every way to fill the seats."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from test_draws import planned, random_tables, tables

from skillsgap.contracts import IMPACT
from skillsgap.decide.draws import plan_draws
from skillsgap.decide.recommendations import NOT_RECORDED, recommendations
from skillsgap.decide.strata import QUIZ, executable_plan
from skillsgap.errors import PlanError
from skillsgap.publish.recommended import as_messages
from skillsgap.wording import Words

PERSONAL = {"cohort_id", "profile", "need_band", "staff_id", "respondent_id", "group_id"}
SKILLED = {"course_id": "expert", "tier": "champion", "gain": 2.0, "cost_per_seat": 30.0,
           "eligibility": "need_band=low"}  # fmt: skip


def mixed(*courses):
    """Eleven clerks of one stratum: 4 lack 2 levels, 5 lack 1, and 2 with low need 0.6; and three leads."""
    return tables(
        [{"need_band": "high", "headcount": 4}, {"need_band": "mid", "headcount": 5},
         {"need_band": "low", "headcount": 2}, {"role_level": "lead", "headcount": 3}],
        [2.0, 1.0, 0.6, 1.5], [{"course_id": "basics", "eligibility": ""}, *courses])  # fmt: skip


def filled_in_every_way(people, options):
    """Mean gap closed over all ways to give seats: people [(may take: set, worth: dict)], options [(name, seats)]."""
    totals = []

    def fill(left, rest, closed):
        if not rest:
            totals.append(closed)
            return
        (name, seats), *rest = rest
        able = [person for person in left if name in people[person][0]]
        for chosen in combinations(able, seats):
            fill([person for person in left if person not in chosen], rest,
                 closed + sum(people[person][1][name] for person in chosen))

    fill(list(range(len(people))), options, 0.0)
    return np.mean(totals)


def test_seats_filled_by_chance_are_worth_the_mean_over_all_ways_to_fill_them():
    rule = {"id": "two", "type": "min_sum", "field": "people", "where": {"tier": "champion"}, "min": 1}
    problem, plan, _ = planned(mixed(SKILLED), budget=30 + 60, rules=[rule])
    seats = plan.allocations.groupby("option_id")["seats"].sum().to_dict()
    assert seats == {"basics": 6, "expert": 1}
    done = executable_plan(problem, plan)
    clerk = [{"basics": min(short, 1.0), "expert": min(short, 2.0)} for short in (2, 2, 2, 2, 1, 1, 1, 1, 1, 0.6, 0.6)]
    people = [({"basics", "expert"} if worth["basics"] == 0.6 else {"basics"}, worth) for worth in clerk]
    of_clerks = done.seats[done.seats["role_level"] == "junior"].set_index("option_id")["seats"]
    oracle = filled_in_every_way(people, [("expert", of_clerks["expert"]), ("basics", of_clerks["basics"])])
    leads = done.seats[done.seats["role_level"] == "lead"]
    assert done.values["gap_closed"].tolist()[:2] == pytest.approx([plan.value, oracle + 1.0 * leads["seats"].sum()])
    assert done.seats.set_index(["role_level", "option_id"])["eligible"].to_dict().items() >= {
        ("junior", "basics"): 11, ("junior", "expert"): 2}.items()
    assert done.message[0] == QUIZ and "percent" not in Words("en").say(*done.message)


@pytest.mark.parametrize("seed", range(3))
def test_the_blind_plan_equals_enumeration_over_strata(seed):
    given, budget = random_tables(seed, n_cohorts=5), 25
    problem, plan, _ = planned(given, budget=budget)
    done = executable_plan(problem, plan, mip_gap=0.0)
    staff, lacks, offer, effects, _ = given
    short = staff.merge(lacks, on=["role_id", "role_level", "profile", "need_band"])
    worth = [(group["headcount"].sum(), [np.average(np.minimum(group["shortfall"], gain), weights=group["headcount"])
                                         for gain in effects["gain"]])
             for _, group in short.groupby(["agency_id", "role_id", "role_level", "grade"])]  # fmt: skip
    best = 0.0
    for chosen in product(*[[(i, j) for i in range(n + 1) for j in range(n + 1 - i)] for n, _ in worth]):
        taken = np.sum(chosen, axis=0)
        cost = taken @ offer["cost_per_seat"] + (taken > 0) @ offer["fixed_cost"]
        if cost <= budget and ((taken == 0) | (taken >= offer["class_min"])).all():
            best = max(best, sum(np.dot(seats, each) for seats, (_, each) in zip(chosen, worth, strict=True)))
    value = done.values.set_index("filled")["gap_closed"]
    assert value["blind"] == pytest.approx(best)
    assert value["quiz"] == pytest.approx(plan.value) and plan.value + 1e-9 >= value["blind"] >= value["random"] - 1e-9
    assert done.seats["seats"].sum() == plan.allocations["seats"].sum()
    assert done.seats["gap_closed_random"].sum() == pytest.approx(value["random"])


def test_a_record_counted_by_hand():
    # 10 % of 11 staff are 2 champions at 30, open to the two who lack 0.6; the other 60 buy 6 seats that close 1 each
    given = tables([{"headcount": 9}, {"headcount": 2, "need_band": "low"}], [2.0, 0.6],
                   [{"course_id": "basics", "sd": 0.4}, SKILLED])  # fmt: skip
    problem, plan, solution = planned(given, budget=120, champions={"min": 0.1, "max": 0.2, "each_agency": False})
    draws = plan_draws(problem, plan, n_draws=8, solution=solution, mip_gap=0.0)
    table = recommendations(problem, plan, draws, impact={
        "*": {"fairness": "need decides"}, "expert": {"fairness": "by test", "legality": "reviewed"}})
    row = table.set_index("option_id").to_dict("index")
    assert [row["basics"][name] for name in ("seats", "cost", "staff", "eligible", "rule_id")] == [6, 60.0, 11, 11, ""]
    assert row["basics"]["gap_closed"] == pytest.approx(6) and row["basics"]["reached"] == 0  # 2 - 1 is still below
    assert [row["expert"][name] for name in ("seats", "cost", "staff", "eligible", "rule_id", "tier")] == \
        [2, 60.0, 11, 2, "champions_min", "champion"]
    assert row["expert"]["gap_closed"] == pytest.approx(1.2) and row["expert"]["reached"] == pytest.approx(2)
    assert (row["expert"]["ci_low"], row["expert"]["ci_high"]) == pytest.approx((1.2, 1.2))
    assert (row["basics"]["competency_1"], row["basics"]["competency_1_share"]) == ("c", 1.0)
    assert (row["basics"]["competency_2"], row["basics"]["competency_2_share"]) == ("", 0.0)
    assert [row["expert"][name] for name in IMPACT] == [NOT_RECORDED, "by test", "reviewed", NOT_RECORDED]
    assert [row["basics"][name] for name in IMPACT] == [NOT_RECORDED, "need decides", NOT_RECORDED, NOT_RECORDED]
    said = [[Words("en").say(*pair) for pair in pairs] for pairs in as_messages(table)]
    assert said[1][0] == "2 of 2 staff who may (r, junior, A): expert; 60."
    assert "A rule asks for it: the number of champions." in said[1] and "Legality: reviewed." in said[1]
    assert all("{" not in text for text in sum(said, []))


@pytest.mark.parametrize("seed", range(2))
def test_rows_are_strata_and_add_up_to_the_plan(seed):
    problem, plan, _ = planned(random_tables(seed, n_cohorts=6), budget=30)
    table = recommendations(problem, plan, plan_draws(problem, plan, n_draws=3, n_fixed=30))
    assert not PERSONAL & set(table) and not table.duplicated(["agency_id", "role_id", "role_level", "option_id"]).any()
    for column, total in (("gap_closed", plan.value), ("seats", plan.allocations["seats"].sum()),
                          ("cost", plan.allocations["cost"].sum()), ("reached", plan.competencies["reached"].sum())):
        assert table[column].sum() == pytest.approx(total)
    assert (table["seats"] <= table["eligible"]).all() and (table["eligible"] <= table["staff"]).all()
    assert table["stability"].between(0, 1).all() and (table["n_draws"] == 3).all()
    assert table["mean_of_draws"].between(table["ci_low"] - 1e-9, table["ci_high"] + 1e-9).all()


def test_refusals():
    problem, plan, _ = planned(mixed(), budget=50)
    draws = plan_draws(problem, plan, n_draws=2, n_fixed=2)
    smaller, less, _ = planned(mixed(), budget=30)
    with pytest.raises(PlanError, match="draws are of another plan"):
        recommendations(smaller, less, draws)
    with pytest.raises(PlanError, match='names "C9", which is no course'):
        recommendations(problem, plan, draws, impact={"C9": {}})
    with pytest.raises(PlanError, match='names "cost"; use public_interest'):
        recommendations(problem, plan, draws, impact={"*": {"cost": "low"}})
    with pytest.raises(PlanError, match="no column grade"):
        staff, *rest = mixed()
        executable_plan(*planned((staff.drop(columns="grade"), *rest), budget=50)[:2])
    alone, each, _ = planned(tables([{"headcount": 1, "role_level": level} for level in "ab"], [1.0, 2.0],
                                    [{"course_id": "o"}]), budget=20)  # fmt: skip
    with pytest.raises(PlanError, match="one person only"):
        recommendations(alone, each, plan_draws(alone, each, n_draws=2, n_fixed=2))


def test_nothing_planned_is_an_empty_table_of_the_same_columns():
    problem, plan, _ = planned(mixed(), budget=0)
    draws = plan_draws(problem, plan, n_draws=2, n_fixed=3)
    table, done = recommendations(problem, plan, draws), executable_plan(problem, plan)
    assert table.empty and {"seats", "rule_id", *IMPACT} <= set(table) and as_messages(table) == []
    assert done.values["lost"].tolist() == [0, 0, 0] and pd.isna(draws.table).sum().sum() == 0
