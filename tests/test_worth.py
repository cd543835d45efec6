"""Worth against recomputation row by row from its definition, staffing and attrition by hand, and bad input."""

import time
from itertools import product

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide.options import training_options
from skillsgap.decide.worth import NEED_TYPE, needs_of, option_worth, worth_of
from skillsgap.errors import PlanError

NAMES = ["c1", "c2", "c3"]
KEY = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}


def draw_tables(seed):
    """Types, shortfalls, weights, courses with prerequisites and effects with decay, in arbitrary row order."""
    rng = np.random.default_rng(seed)
    types = pd.DataFrame(product(["q", "r"], ["junior", "lead"], [1, 2, 10], ["low", "high"]), columns=NEED_TYPE)
    known = types[types["role_level"] != "lead"]
    lacks = known.merge(pd.DataFrame({"competency_id": NAMES}), how="cross").sample(frac=0.8, random_state=seed)
    lacks = lacks.merge(pd.DataFrame({"share": [0.2, 0.3, 0.5]}), how="cross")
    lacks["shortfall"] = rng.choice([0, 0.3, 0.5, 0.8, 1.2, 2, 3.5], len(lacks))
    matter = pd.DataFrame(product(["q", "r"], ["junior", "lead"], NAMES),
                          columns=["role_id", "role_level", "competency_id"])
    matter["weight"] = rng.integers(0, 4, len(matter)) / 2
    courses = pd.DataFrame({"course_id": ["a", "b", "d"], "prerequisites": ["", "a", "a|b"], "cost_per_seat": 10.0,
                            "fixed_cost": 0.0})
    effects = pd.DataFrame(product(["a", "b", "d"], [*NAMES, "unasked"]), columns=["course_id", "competency_id"])
    effects = effects.sample(frac=0.7, random_state=seed)
    effects["gain"], effects["sd"] = rng.choice([-0.1, 0.0, 0.3, 0.8, 1.5], len(effects)), 0.3
    effects["half_life_months"] = rng.choice([np.nan, 9.0, 24.0], len(effects))
    return types.sample(frac=1, random_state=seed), lacks, matter, courses, effects


def by_definition(lacked, option, effects, leave, n_periods, months):
    """Closed and reached of one person and option, by loops over periods, effects and rows of shortfalls."""
    chain, _, when = option["option_id"].partition("@")
    start, again = ([int(part) - 1 for part in (when or "1").split("+")] + [99])[:2]
    closed, reached = dict.fromkeys(NAMES, 0.0), dict.fromkeys(NAMES, 0.0)
    for period, name in product(range(start, n_periods), NAMES):
        since = (period - (again if period >= again else start)) * months
        gain = sum(max(row["gain"], 0) * (1 if np.isnan(row["half_life_months"]) else 0.5 ** (
            since / row["half_life_months"])) for row in effects
            if row["competency_id"] == name and row["course_id"] in chain.split(">"))
        here = (1 - leave) ** ((period - start + 0.5) * months / 12)
        for row in [row for row in lacked if row["competency_id"] == name]:
            closed[name] += row["weight"] * row["share"] * min(row["shortfall"], gain) * here / n_periods
            if period == n_periods - 1 and row["shortfall"] > 0.5 >= row["shortfall"] - gain - 1e-9:
                reached[name] += row["share"] * here
    return [closed[name] for name in NAMES], [reached[name] for name in NAMES]


@pytest.mark.parametrize(("seed", "n_periods"), [(0, 1), (1, 1), (2, 3)])
def test_worth_equals_its_definition(seed, n_periods):
    types, lacks, matter, courses, effects = draw_tables(seed)
    options = training_options(courses, effects, n_periods=n_periods, months=6,
                               refreshers={"share": 0.3} if n_periods > 1 else None)
    leave = {"q": 0.2, "r": 0.05}
    rates = pd.DataFrame({"role_id": ["", "q"], "attrition": [0.05, 0.2]})
    worth = option_worth(types, lacks, matter, options, attrition=rates)
    assert worth.competencies == tuple(NAMES)
    assert worth.types[NEED_TYPE].apply(tuple, axis=1).is_monotonic_increasing and len(worth.types) == len(types)
    back = types.assign(profile=types["profile"].astype(str)).reset_index(drop=True)
    number = needs_of(types, lacks, matter).number(types)
    pd.testing.assert_frame_equal(worth.types.iloc[number].reset_index(drop=True), back, check_dtype=False)
    rows, known = effects.to_dict("records"), lacks.merge(matter)
    for place, (_, person) in zip(number, types.iterrows(), strict=True):
        lacked = known[(known[NEED_TYPE] == person[NEED_TYPE]).all(axis=1)].to_dict("records")
        for k, option in options.options.iterrows():
            closed, reached = by_definition(lacked, option, rows, leave[person["role_id"]], n_periods, 6)
            assert worth.closed[place, k] == pytest.approx(closed, abs=1e-12)
            assert worth.reached[place, k] == pytest.approx(reached, abs=1e-12)
    assert worth.need.sum(axis=1) @ np.ones(len(types)) == pytest.approx(
        (lacks.merge(matter).eval("share * shortfall * weight")).sum())
    assert (worth.closed <= worth.need[:, None] + 1e-12).all() and (worth.reached <= worth.below[:, None] + 1e-12).all()
    assert worth.below.sum() == pytest.approx(lacks.loc[lacks["shortfall"] > 0.5, "share"].sum())


def test_drawn_gains_stand_in_for_those_of_effects():
    """Draws give what a catalogue with those gains would; a draw below 0 counts as 0."""
    types, lacks, matter, courses, effects = draw_tables(5)
    options = training_options(courses, effects, n_periods=2)
    drawn = np.random.default_rng(5).normal(0.4, 0.5, len(options.effects))
    other = training_options(courses, options.effects.assign(gain=drawn), n_periods=2)
    one, two = option_worth(types, lacks, matter, options, gains=drawn), option_worth(types, lacks, matter, other)
    assert (drawn < 0).any() and one.closed.min() >= 0
    np.testing.assert_array_equal(one.closed, two.closed)
    np.testing.assert_array_equal(one.reached, two.reached)


def test_row_order_changes_no_bit():
    types, lacks, matter, courses, effects = draw_tables(8)
    mixed = [table.sample(frac=1, random_state=3) for table in (types, lacks, matter, courses, effects)]
    one = option_worth(types, lacks, matter, training_options(courses, effects, n_periods=2))
    two = option_worth(*mixed[:3], training_options(*mixed[3:], n_periods=2))
    for name in ("closed", "reached", "need", "below"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def staffed_tables():
    """Role r lacks 2 levels (half of it) in c; in role s people of profile 1 lack 0.4, twenty of them, or 1.6, ten."""
    rows = [("r", "mid", 0.0, 0.5), ("r", "mid", 2.0, 0.5), ("s", "low", 0.4, 1.0), ("s", "high", 1.6, 1.0)]
    lacks = pd.DataFrame([KEY | {"role_id": role, "need_band": band, "competency_id": "c", "shortfall": size,
                                 "share": share} for role, band, size, share in rows])
    staff = lacks[NEED_TYPE].drop_duplicates(ignore_index=True).assign(headcount=[6, 20, 10])
    matter = pd.DataFrame({"role_id": ["r", "s"], "role_level": "junior", "competency_id": "c", "weight": [3.0, 1.0]})
    offer = pd.DataFrame([{"course_id": "o", "cost_per_seat": 10.0, "fixed_cost": 0.0}])
    effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}])
    return staff, lacks, matter, offer, effect


def test_train_redeploy_and_hire_in_one_measure():
    """r needs 3 levels a head. Hiring closes 3; moving to s leaves (20 x 0.4 + 10 x 1.6) / 30 = 0.8: closes 2.2.

    With two periods, started in the second, half of each; a hire with attrition 0.19 a year keeps 0.9 at mid-year.
    """
    staff, lacks, matter, offer, effect = staffed_tables()
    ways = pd.DataFrame({"kind": ["hire", "contract", "redeploy", "redeploy"], "role_id": "r", "cost": 9.0,
                         "to_role_id": [None, None, "s", "nowhere"], "attrition": [0.19, None, None, None]})
    options = training_options(offer, effect, staffing=ways)
    assert options.options["option_id"].tolist() == ["contract:r", "hire:r", "o", "redeploy:r>nowhere", "redeploy:r>s"]
    worth = option_worth(staff, lacks, matter, options)
    assert worth.value[0] == pytest.approx([3, 2.7, 1.5, 0, 2.2])
    assert worth.reached[0, :, 0] == pytest.approx([0.5, 0.45, 0, 0, 0.5 - 1 / 3])
    later = option_worth(staff, lacks, matter, training_options(offer, effect, staffing=ways, n_periods=2))
    assert later.value[0, [1, 9]] == pytest.approx([1.5, 1.1])
    assert later.value[0, 2] == pytest.approx(3 * (0.81**0.5 + 0.81**1.5) / 2)


def test_attrition_by_hand():
    """Of a role with attrition 0.36 a year 0.8 are there in the middle of the year; own rates go before."""
    staff, lacks, matter, offer, effect = staffed_tables()
    ways = pd.DataFrame({"kind": ["hire", "contract"], "role_id": "r", "cost": 9.0, "attrition": [0.0, None]})
    rates = pd.DataFrame({"role_id": ["r"], "agency_id": ["A"], "attrition": [0.36]})
    worth = option_worth(staff, lacks, matter, training_options(offer, effect, staffing=ways), attrition=rates)
    assert worth.value[0] == pytest.approx([3 * 0.8, 3, 1.5 * 0.8])
    assert worth.value[1:, 2].tolist() == [1.0, 0.4]


def test_gains_of_a_sequence_add_up_to_what_is_lacked():
    """Two steps of 0.75 level close 1.5 of 2 levels and, for a person who lacks 1, no more than 1."""
    lacks = pd.DataFrame([KEY | {"competency_id": "c", "shortfall": s, "share": 0.5} for s in (1.0, 2.0)])
    matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    offer = pd.DataFrame({"course_id": ["a", "b"], "prerequisites": ["", "a"], "cost_per_seat": 1.0, "fixed_cost": 0.0})
    effect = pd.DataFrame({"course_id": ["a", "b"], "competency_id": "c", "gain": 0.75, "sd": 0.0})
    worth = option_worth(lacks, lacks, matter, training_options(offer, effect))
    assert worth.value.tolist() == [[0.75, (1 + 1.5) / 2, 0.75]]
    assert worth.reached[0, :, 0].tolist() == [0.5, 1.0, 0.5]  # 2 - 1.5 = 0.5 is at requirement, 1 - 0.75 too


def test_bad_input_is_named():
    staff, lacks, matter, offer, effect = staffed_tables()
    options = training_options(offer, effect)
    for change, words in (({"share": 0.4}, "r/junior/1/mid/c has the sum 0.8"), ({"role_id": "x"}, "in common"),
                          ({"shortfall": -1.0}, "r/junior/1/mid/c has shortfall -1")):
        with pytest.raises(PlanError, match=words):
            needs_of(staff, lacks[:2].assign(**change), matter)
    with pytest.raises(PlanError, match="remove doubles"):
        needs_of(staff, lacks, pd.concat([matter, matter]))
    needs = needs_of(staff, lacks, matter)
    for gains in ([1.0, 2.0], [np.nan]):
        with pytest.raises(PlanError, match="gains must be 1 numbers"):
            worth_of(needs, options, gains=gains)
    for rates in ({"role_id": ["r"], "attrition": [1.5]}, {"role_id": ["r", "r"], "attrition": [0.1, 0.2]}):
        with pytest.raises(PlanError, match='attrition: role "r" has'):
            worth_of(needs, options, attrition=pd.DataFrame(rates))


def test_a_draw_of_a_whole_unit_takes_a_fraction_of_a_second():
    """450 types x 60 options x 20 competencies, 15 points each: 0.15 CPU s a draw were promised, thrice that fails."""
    rng = np.random.default_rng(1)
    names = [f"c{j:02d}" for j in range(20)]
    types = pd.DataFrame(product([f"r{i:02d}" for i in range(15)], ["a", "b"], range(5), "lmh"), columns=NEED_TYPE)
    lacks = types.merge(pd.DataFrame({"competency_id": names}), how="cross")
    lacks = lacks.loc[lacks.index.repeat(15)].assign(share=1 / 15, shortfall=rng.uniform(0, 3, len(lacks) * 15))
    matter = types[["role_id", "role_level"]].drop_duplicates().merge(
        pd.DataFrame({"competency_id": names}), how="cross").assign(weight=1.0)
    offer = pd.DataFrame({"course_id": [f"o{k:02d}" for k in range(60)], "cost_per_seat": 1.0, "fixed_cost": 0.0})
    effect = offer[["course_id"]].merge(pd.DataFrame({"competency_id": names}), how="cross").sample(
        frac=0.25, random_state=1).assign(gain=1.0, sd=0.3)
    options, needs = training_options(offer, effect), needs_of(types, lacks, matter)
    drawn = rng.uniform(0, 2, (3, len(effect)))
    start = time.process_time()
    for gains in drawn:
        worth_of(needs, options, gains=gains)
    assert (time.process_time() - start) / 3 < 0.45
