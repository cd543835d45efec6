"""Rules of a plan, counted by hand, and broken on purpose; the check against the solver's own rows."""

import copy

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide.check import attained_rules, broken_rules
from skillsgap.decide.choices import Choices
from skillsgap.decide.options import training_options
from skillsgap.decide.policy import policy_rules
from skillsgap.decide.program import build_program
from skillsgap.decide.staffing import ROLES
from skillsgap.errors import PlanError

STAFF = pd.DataFrame(
    [("a1", 40, "A", "H1", "junior", "N", 0.50, 2.0), ("a2", 20, "A", "H1", "senior", "N", 0.25, 1.0),
     ("b1", 12, "B", "H2", "junior", "S", 0.75, 1.0), ("c1", 8, "C", "H2", "senior", "S", 0.50, 1.0)],
    columns=["group_id", "size", "agency_id", "hub_id", "role_level", "region", "sex=female", "need"],
).assign(role_id="clerk")
COURSES = pd.DataFrame(
    [("B1", "basic", "inhouse", "class", 5, 10.0, 100.0, 2, 55, "", ""),
     ("P1", "practitioner", "acme", "class", 10, 30.0, 0.0, 15, 99, "B1", "role_level=senior"),
     ("C1", "champion", "acme", "online", 20, 50.0, 0.0, 1, 8, "", "")],
    columns=["course_id", "tier", "provider", "mode", "hours", "cost_per_seat", "fixed_cost", "class_min", "seats_max",
             "prerequisites", "eligibility"])  # fmt: skip
EFFECTS = pd.DataFrame({"course_id": ["B1", "P1", "C1"], "competency_id": "ai", "gain": 1.0, "sd": 0.3})
ABLE = pd.DataFrame(
    [("A", "junior", "device_access=yes", 4), ("A", "senior", "device_access=yes", 20),
     ("B", "junior", "device_access=yes", 5), ("C", "senior", "device_access=yes", 8),
     ("C", "senior", "completed=B1", 1)],
    columns=["agency_id", "role_level", "needs", "people"]).assign(role_id="clerk")  # fmt: skip
PLAN = {
    "budget": 1500, "hours": {"agency": {"A": 7, "B": 7, "C": 12}}, "champions": {"min": 0.05, "max": 0.10},
    "floors": [{"id": "basic", "tier": "basic", "share": 0.6875},
               {"id": "seniors", "courses": ["P1", "C1"], "where": {"role_level": "senior"}, "share": 0.6}],
    "agency_minimum": 0.7, "provider_max": 0.61,
    "equity": {"by": ["region", "sex"], "tolerance": 0.11, "enforce": True},
}  # fmt: skip
WORTH = {"B1": 1.0, "B1>P1": 2.0, "C1": 3.0, "P1": 1.0}
SEATS = {("a1", "B1"): 30, ("a1", "C1"): 4, ("a2", "B1>P1"): 10, ("a2", "C1"): 2, ("b1", "B1"): 10, ("b1", "C1"): 1,
         ("c1", "B1>P1"): 5, ("c1", "C1"): 1}  # fmt: skip


@pytest.fixture(scope="module")
def offer():
    return training_options(COURSES, EFFECTS)


def allocations(seats):
    return pd.DataFrame([(group, option, number, number * WORTH[option]) for (group, option), number in seats.items()],
                        columns=["group_id", "option_id", "seats", "gap_closed"])  # fmt: skip


def rules_of(offer, **changes):
    return policy_rules({**copy.deepcopy(PLAN), **changes}, STAFF, offer, able=ABLE)


def broken_ids(lines):
    return {line.rpartition(":")[0] if " is " in line else line for line in lines}


def test_a_plan_at_its_limits_attains_what_is_counted_by_hand(offer):
    rules = rules_of(offer)
    table = attained_rules(allocations(SEATS), STAFF, offer, rules).set_index("rule_id")
    assert broken_rules(allocations(SEATS), STAFF, offer, rules) == []
    by_hand = {
        "budget": (1500, 1500), "seats:B1": (55, 55), "seats:P1": (15, 99), "seats:C1": (8, 8),
        "class_min:B1": (55, 2), "class_min:P1": (15, 15), "hours:A": (420, 420), "hours:B": (70, 84),
        "hours:C": (95, 96), "able device_access=yes:A/clerk/junior": (4, 4),
        "able device_access=yes:B/clerk/junior": (1, 5), "able completed=B1:A/clerk/junior": (0, 0),
        "able completed=B1:A/clerk/senior": (0, 0), "able completed=B1:B/clerk/junior": (0, 0),
        "able completed=B1:C/clerk/senior": (0, 1), "champions_min": (8, 4), "champions_max": (8, 8),
        "champions_agency_min:A": (6, 3), "champions_agency_max:A": (6, 6), "champions_hub_min:H2": (2, 1),
        "champions_hub_max:H2": (2, 2), "floors:basic": (55, 55), "floors:seniors": (18, 17),
        "agency_minimum:A": (1000, 735), "agency_minimum:B": (150, 147), "agency_minimum:C": (250, 98),
        "provider_max:acme": (854, 850), "provider_max:inhouse": (854, 550),
        "equity:region=N": (68, 94 * (100 / 120 - 0.11)), "equity:region=S": (26, 94 * (20 / 120 - 0.11)),
        "equity:sex=female": (43.75, 94 * (58 / 120 - 0.11)),
    }  # fmt: skip
    assert set(table.index) == set(by_hand)
    for rule, numbers in by_hand.items():
        assert table.loc[rule, ["attained", "limit"]].tolist() == pytest.approx(numbers, rel=1e-9), rule


@pytest.mark.parametrize("changes, broken", [
    ({("a1", "B1"): 31}, {"budget", "seats:B1", "hours:A"}),
    ({("a1", "B1"): 29}, {"floors:basic", "equity:region=N", "provider_max:acme"}),
    ({("c1", "B1>P1"): 4}, {"class_min:P1", "floors:basic"}),
    ({("a2", "B1>P1"): None, ("c1", "B1>P1"): None},
     {"floors:basic", "floors:seniors", "agency_minimum:C"}),  # no P1 at all: its class needn't be full
    ({("a1", "C1"): 5, ("b1", "C1"): None},
     {"hours:A", "able device_access=yes:A/clerk/junior", "champions_agency_max:A", "agency_minimum:B"}),
    ({("a1", "C1"): None, ("a2", "C1"): None}, {"champions_min", "champions_agency_min:A", "equity:region=N",
                                                "floors:seniors"}),
    ({("b1", "C1"): None, ("c1", "C1"): None}, {"champions_hub_min:H2", "agency_minimum:B"}),
    ({("b1", "C1"): 6}, {"budget", "seats:C1", "hours:B", "able device_access=yes:B/clerk/junior", "champions_max",
                         "champions_hub_max:H2", "provider_max:acme", "equity:region=N", "b1: 16 seats for 12 people"}),
    ({("c1", "P1"): 2}, {"budget", "hours:C", "able completed=B1:C/clerk/senior", "provider_max:acme",
                         "equity:region=N", "agency_minimum:B"}),
    ({("b1", "B1"): 9, ("b1", "P1"): 1}, {"floors:basic", "able completed=B1:B/clerk/junior", "provider_max:acme",
                                          "b1 takes P1: these staff may not take it", "budget"}),
    ({("a1", "B1"): 29.5}, {"floors:basic", "equity:region=N", "a1 takes B1: seats are no whole number above 0"}),
    ({("zz", "B1"): 1}, {"zz takes B1: no such staff"}),
])  # fmt: skip
def test_every_rule_broken_on_purpose_is_named_and_no_other(offer, changes, broken):
    seats = {key: number for key, number in {**SEATS, **changes}.items() if number is not None}
    assert broken_ids(broken_rules(allocations(seats), STAFF, offer, rules_of(offer))) == broken


@pytest.mark.parametrize("share", [0.05, 0.07])
@pytest.mark.parametrize("people", [1, 9, 19, 20, 99, 100, 1300])
def test_shares_of_people_are_made_whole_by_the_words_of_the_methods(offer, people, share):
    # 5-10 % of all; of an agency from floor(.05 n) to max(1, ceil(.10 n)): in hundredths, so in whole numbers
    low = round(100 * share)
    staff = STAFF.iloc[:1].assign(size=people, **{"sex=male": 0.5})
    rules = policy_rules({"budget": 1, "champions": {"min": share, "max": 0.1}}, staff.drop(columns="hub_id"), offer,
                         able=ABLE.assign(people=9999).replace({"needs": {"completed=B1": "device_access=yes"}})
                         .drop_duplicates().pipe(lambda t: pd.concat([t, t.assign(needs="completed=B1")])))
    limits = {rule["id"]: rule.get("min", rule.get("max")) for rule in rules if rule["family"] == "champions"}
    least = -(-people * low // 100)
    assert limits["champions_min"] == least
    assert limits["champions_max"] == max(people // 10, least)
    assert limits.get("champions_agency_min", {"A": 0}) == {"A": people * low // 100}
    assert limits["champions_agency_max"] == {"A": max(1, -(-people // 10))}


def test_signatures_of_the_able_count_the_nested_and_the_either(offer):
    options = training_options(COURSES.assign(mode="online", languages="en"), EFFECTS, languages=("en", "uz"))
    assert set(options.options["needs"]) == {"device_access=yes;language=en",
                                             "completed=B1;device_access=yes;language=en"}
    both, all_three = "device_access=yes;language=en", "completed=B1;device_access=yes;language=en"
    able = pd.concat([STAFF.assign(needs=needs, people=people)
                      for needs, people in ((both, 3), (all_three, 2), ("language=en or completed=B1", 5))])
    rules = policy_rules({"budget": 1}, STAFF, options, able=able)
    counted = {rule["id"]: (rule["where"]["needs"], rule["max"]["C/clerk/senior"])
               for rule in rules if rule["family"] == "able"}
    assert counted == {f"able {both}": ([all_three, both], 3), f"able {all_three}": ([all_three], 2),
                       "able language=en or completed=B1": ([all_three, both], 5)}


OWN = [
    {"id": "cap", "type": "max_sum", "field": "cost", "where": {"provider": "acme", "region": "N"}, "max": 700},
    {"id": "south", "type": "min_sum", "field": "seats", "by": ["region"], "where": {"tier": ["basic"]},
     "min": {"S": 15}},
    {"id": "women", "type": "min_ratio", "num": "people*sex=female", "den": "people", "num_mult": 100, "den_mult": 45},
    {"id": "cover", "type": "min_count", "where": {"role_level": "senior", "not_option": "B1"}, "min": 18},
    {"id": "rooms", "type": "max_sum", "field": "hours", "where": {"mode": "class"}, "max": 475},
    {"id": "hall", "type": "fixed_cost", "where": {"agency_id": "B"}, "cost": 50, "charged_to": "cap"},
    {"id": "lead", "type": "implies", "if_": ["a1", "C1"], "then_group_trained": "c1"},
]


def test_own_rules_of_every_type_attain_what_is_counted_by_hand(offer):
    rules = rules_of(offer, rules=OWN)
    table = attained_rules(allocations(SEATS), STAFF, offer, rules).set_index("rule_id")
    # cap: a1 4 x 50 + a2 10 x 30 + 2 x 50 = 600, and the hall of B 50; women: 34 x .5 + 12 x .25 + 11 x .75 + 6 x .5
    by_hand = {"cap": (650, 700), "south:S": (15, 15), "women": (3125, 45 * 63), "cover": (18, 18),
               "rooms": (55 * 5 + 150, 475), "lead": (6, 1)}
    assert set(table.index[table["family"] == "own"]) == set(by_hand)
    for rule, numbers in by_hand.items():
        assert table.loc[rule, ["attained", "limit"]].tolist() == pytest.approx(numbers), rule
    without = {key: number for key, number in SEATS.items() if key[0] != "c1"}
    broken = broken_ids(broken_rules(allocations(without), STAFF, offer, rules))
    assert broken >= {"lead", "south:S", "cover"} and not broken & {"cap", "women", "rooms"}


@pytest.mark.parametrize("changes, said", [
    ({"champions": {"max": 1.2}}, "plan.champions.max is 1.2.*from 0 to 1.*none is above 100 %"),
    ({"champions": {"min": 0.2}}, "min is 0.2, above max 0.1"),
    ({"champions": {"most": 0.2}}, 'plan.champions: key: "most" is no key; use one of each_agency, exp'),
    ({"champion": {}}, 'plan: key: "champion" is no key'),
    ({"budget": -1}, "plan.budget is -1; give a number that is not negative"),
    ({"budget": float("nan")}, "plan.budget is nan"),
    ({"periods": [{"label": "2026", "budget": 1}]}, "one of budget and periods"),
    ({"class_by": "town"}, 'class_by is "town"; use course, hub_id or agency_id'),
    ({"hours": {"usual": 8, "promotion": 4}}, "promotion is 4, less than the usual 8"),
    ({"hours": {"agency": {"Z": 4}}}, '"Z" is no agency; use one of A, B, C'),
    ({"floors": [{"id": "x", "tier": "master", "share": 1}]}, 'floors x: tier: "master" is no tier; use one of basic'),
    ({"floors": [{"id": "x", "courses": ["B9"]}]}, '"B9" is no course; use one of B1, C1, P1'),
    ({"floors": [{"id": "x", "tier": "basic", "where": {"town": "N"}}]}, '"town" is no column of staff'),
    ({"floors": [{"id": "x", "tier": "basic", "where": {"region": "E"}}]}, "where fits nobody"),
    ({"floors": [{"id": "x", "tier": "basic", "share": 100}]}, "plan.floors x: share is 100"),
    ({"agency_minimum": 1.5}, "plan.agency_minimum is 1.5"),
    ({"provider_max": 0.4}, "provider_max is 0.4, and there are 2 providers.*at least 0.5"),
    ({"equity": {"by": ["sex"], "tolerance": 2}}, "equity.tolerance is 2"),
    ({"equity": {"by": ["caste"]}}, "staff have no column caste"),
    ({"rules": [{**OWN[0], "type": "most"}]}, 'rules cap: type: "most" is no type of rule'),
    ({"rules": [{**OWN[0], "field": "joy"}]}, '"joy" is no field; use one of cost'),
    ({"rules": [{**OWN[0], "field": "cost*value"}]}, "multiplies two of"),
    ({"rules": [{**OWN[0], "where": {"town": "N"}}]}, '"town" is no attribute'),
    ({"rules": [{**OWN[0], "where": {"tier": "master"}}]}, 'cap: where tier: "master" is no tier'),
    ({"rules": [{**OWN[0], "where": {"course_id": ["B1", "B9"]}}]}, '"B9" is no course_id; use one of B1, C1, P1'),
    ({"rules": [{**OWN[0], "max": "700"}]}, "cap: max is 700"),
    ({"rules": [{**OWN[0], "id": "budget"}]}, "budget: this id is taken"),
    ({"rules": [OWN[0], OWN[0]]}, "cap: this id is taken"),
    ({"rules": [{**OWN[0], "when_used": True}]}, '"when_used" is no key'),
    ({"rules": [{key: OWN[0][key] for key in ("id", "type", "max")}]}, "a max_sum needs field"),
    ({"rules": [{**OWN[1], "min": {"E": 1}}]}, 'south: min: "E" is no region'),
    ({"rules": [{**OWN[5], "charged_to": "purse"}]}, '"purse" is no rule that adds up'),
    ({"rules": [{**OWN[6], "then_group_trained": "zz"}]}, '"zz" is no group'),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name_with_a_remedy(offer, changes, said):
    with pytest.raises(PlanError, match=said):
        rules_of(offer, **changes)


def test_conditions_of_courses_need_counts_of_the_able(offer):
    with pytest.raises(PlanError, match='options need "completed=B1", and nothing tells how many'):
        policy_rules(PLAN, STAFF, offer)


def solver_rows_broken(program, seats):
    """Rows and switches of the solver's program that these seats break, by rule."""
    used = (program.members @ seats > 0).astype(float)
    attained = program.matrix @ seats + program.switching @ used
    slack = 1e-9 * (abs(program.matrix) @ seats + 1)
    off = (attained > program.high + slack) | (attained < program.low - slack)
    return {*program.row_rule[off], *program.switch_rule[used.astype(bool) & (program.members @ seats < program.least)]}


@pytest.mark.parametrize("seed", range(6))
def test_the_check_and_the_solvers_rows_agree_on_drawn_plans(seed):
    rng = np.random.default_rng(seed)
    staffing = pd.DataFrame({"kind": ["hire", "redeploy"], "role_id": "clerk", "to_role_id": ["", "auditor"],
                             "cost": [400.0, 90.0], "places": [3, 5]})
    options = training_options(COURSES, EFFECTS.assign(half_life_months=12.0), n_periods=2, refreshers={"share": 0.3},
                               spread=1, staffing=staffing)
    plan = {**PLAN, "periods": [{"label": "first", "budget": 900}, {"label": "second", "budget": 700}],
            "class_by": "hub_id", "rules": [{**rule, "if_": ["a1", "C1@1"]} if rule["id"] == "lead" else
                                            {**rule, "where": {"agency_id": "B", "not_option": "B1@1"}}
                                            if rule["id"] == "hall" else rule
                                            for rule in OWN if rule["id"] != "cover"]}  # fmt: skip
    plan.pop("budget")
    rules = policy_rules(plan, STAFF, options, able=ABLE)
    ids = options.options["option_id"].to_numpy()
    group, option = (grid.ravel() for grid in np.meshgrid(np.arange(4), np.arange(len(options.options)), indexing="ij"))
    worth = rng.uniform(0, 3, len(group)).round(2)
    program = build_program(Choices(STAFF, options.options.drop(columns=list(ROLES)), options.steps, group, option,
                                    {"value": worth}), rules)
    for _ in range(5):
        seats = rng.poisson(rng.choice([0.3, 1, 3]), len(group)) * (rng.random(len(group)) < rng.choice([0.2, 0.6]))
        table = pd.DataFrame({"group_id": STAFF["group_id"].to_numpy()[group], "seats": seats,
                              "option_id": ids[option], "gap_closed": seats * worth})
        attained = attained_rules(table[seats > 0], STAFF, options, rules)
        assert set(attained.loc[~attained["holds"], "rule_id"]) == solver_rows_broken(program, seats.astype(float))


def test_periods_places_and_hubs_are_rules_of_their_own():
    staffing = pd.DataFrame({"kind": ["hire"], "role_id": "clerk", "cost": [400.0], "places": [3]})
    options = training_options(COURSES, EFFECTS, n_periods=2, completed=False, staffing=staffing)
    plan = {"periods": [{"label": 2026, "budget": 900}, {"label": 2027, "budget": 700}], "class_by": "hub_id",
            "hours": {"agency": 4}}
    rules = {rule["id"]: rule for rule in policy_rules(plan, STAFF, options, able=ABLE)}
    assert (rules["budget:2027"]["max"], rules["budget:2027"]["where"]) == (700, {"period": 1})
    assert rules["fixed 2027"]["cost"] == {"B1/1/H1": 100.0, "B1/1/H2": 100.0}
    assert rules["fixed 2027"]["charged_to"] == "budget:2027"
    assert rules["seats"]["max"] == {f"{course}/{period}": most for course, most in (("B1", 55), ("C1", 8), ("P1", 99))
                                     for period in (0, 1)}  # fmt: skip
    assert rules["class_min"]["min"] == {f"{course}/{period}/{hub}": least for course, least in (("B1", 2), ("P1", 15))
                                         for period in (0, 1) for hub in ("H1", "H2")}  # fmt: skip
    heads = (("A", 60), ("B", 12), ("C", 8))
    assert rules["hours"]["max"] == {f"{agency}/{period}": 4 * staff for agency, staff in heads
                                     for period in (0, 1)}  # fmt: skip
    places = rules["places:hire:clerk"]
    assert (places["max"], places["where"]) == (3, {"option_id": ["hire:clerk@1", "hire:clerk@2"]})
    with pytest.raises(PlanError, match="C has none; fill it in the table agencies"):
        policy_rules(plan, STAFF.replace({"hub_id": {"H2": None}}).assign(agency_id="C"), options, able=ABLE)


def test_the_order_of_rows_changes_no_rule(offer):
    turned = policy_rules({**PLAN, "rules": OWN}, STAFF[::-1], offer, able=ABLE[::-1])
    assert turned == rules_of(offer, rules=OWN)
