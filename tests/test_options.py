"""Options against sequences, prices, needs and decay worked out by hand, eligibility row by row, and bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide.options import allowed, training_options
from skillsgap.errors import PlanError

ARVENIA = Path(__file__).parents[1] / "data" / "synthetic" / "arvenia"
OFFER = {"cost_per_seat": 100.0, "fixed_cost": 0.0, "hours": 10.0, "mode": "classroom", "languages": "",
         "prerequisites": "", "eligibility": "", "tier": "basic"}


def offered(*courses):
    """A catalogue of these courses, and effects of gain 1 on competency c with a half-life of 12 months."""
    table = pd.DataFrame([OFFER | course for course in courses])
    effect = table[["course_id"]].assign(competency_id="c", gain=1.0, sd=0.2, half_life_months=12.0)
    return table, effect


def row(options, option_id):
    return options.options.set_index("option_id").loc[option_id]


def test_declared_sequences_of_arvenia():
    """C01 asks for B05 and B06; P01 for B02: prices and hours added up by hand from courses.csv."""
    options = training_options(pd.read_csv(ARVENIA / "courses.csv"), pd.read_csv(ARVENIA / "course_effects.csv"),
                               currency="XXX", price_year=2026, languages=("en", "uz"))
    chain = row(options, "B05>B06>C01")
    assert (chain["cost"], chain["hours"], chain["tier"]) == (280 + 320 + 800, 14 + 12 + 60, "champion")
    assert row(options, "C01")["needs"] == "completed=B05;completed=B06"
    assert row(options, "B02>P01")["cost"] == 180 + 480
    assert row(options, "B02>P02")["needs"] == "device_access=yes;language=en"
    assert row(options, "P02")["needs"] == "completed=B02;language=en"
    number = options.options["option_id"].tolist().index("B05>B06>C01")
    own = options.steps[options.steps["option"] == number]
    assert own["course_id"].tolist() == ["B05", "B06", "C01"] and own["seats"].tolist() == [1, 1, 1]
    with_prerequisites = 9 + 3 + 1  # P01-P09, C01-C03, R02
    assert len(options.options) == 28 + with_prerequisites


def test_prerequisites_hold_transitively_and_once():
    """d asks for b and c, which both ask for a: a is taken once, before them."""
    tables = offered({"course_id": "a"}, {"course_id": "b", "prerequisites": "a"},
                     {"course_id": "c", "prerequisites": "a"}, {"course_id": "d", "prerequisites": "b | c"})
    assert training_options(*tables, completed=False).options["option_id"].tolist() == ["a", "a>b", "a>b>c>d", "a>c"]
    alone = training_options(*tables, sequences=False).options
    assert alone["option_id"].tolist() == list("abcd")
    assert alone["needs"].tolist() == ["", "completed=a", "completed=a", "completed=b;completed=c"]


def test_decay_and_refreshers_by_hand():
    """Half-life 12 months, periods of 12: 1, 1/2, 1/4; a refresher puts it back and decay starts anew."""
    options = training_options(*offered({"course_id": "a"}), n_periods=3, refreshers={"share": 0.3})
    names = options.options["option_id"]
    factor = options.gains.assign(name=names[options.gains["option"]].to_numpy()).groupby("name")["factor"].agg(list)
    assert factor.to_dict() == {"a@1": [1, 0.5, 0.25], "a@1+2": [1, 1, 0.5], "a@1+3": [1, 0.5, 1], "a@2": [1, 0.5],
                                "a@2+3": [1, 1], "a@3": [1]}
    assert options.options["period"].tolist() == [0, 0, 0, 1, 1, 2]
    assert (row(options, "a@1+3")["cost"], row(options, "a@1+3")["hours"]) == (130.0, 13.0)
    second = options.steps[options.steps["refresher"]]
    assert second[["cost", "hours", "period"]].to_numpy().tolist() == [[30, 3, 1], [30, 3, 2], [30, 3, 2]]


def test_lasting_gains_need_no_refresher_and_halves_of_a_year_decay_by_the_root():
    table, effect = offered({"course_id": "a"})
    lasting = training_options(table, effect.drop(columns="half_life_months"), n_periods=2, refreshers={"share": 0.5})
    assert lasting.options["option_id"].tolist() == ["a@1", "a@2"] and (lasting.gains["factor"] == 1).all()
    half = training_options(table, effect, n_periods=2, months=6)
    assert half.gains["factor"].tolist() == [1, np.sqrt(0.5), 1]


def test_steps_of_a_sequence_spread_over_periods():
    """a in the first and b in the second period; started in the last period there is no time for b."""
    tables = offered({"course_id": "a"}, {"course_id": "b", "prerequisites": "a"})
    options = training_options(*tables, n_periods=2, spread=1, completed=False)
    assert options.options["option_id"].tolist() == ["a>b@1", "a@1", "a@2"]
    assert options.steps["period"].tolist() == [0, 1, 0, 1]
    own = options.gains[options.gains["option"] == 0]
    assert own[["period", "factor"]].to_numpy().tolist() == [[0, 1], [1, 0.5], [1, 1]]


def test_what_an_option_asks_of_a_person():
    tables = offered({"course_id": "a", "mode": "online", "languages": "uz|en", "hours": 30},
                     {"course_id": "b", "languages": "uz", "prerequisites": "a"},
                     {"course_id": "z", "hours": 200})
    options = training_options(*tables, languages=("en", "uz", "kaa"), hours_usual=30, hours_promotion=100)
    assert options.options.set_index("option_id")["needs"].to_dict() == {
        "a": "device_access=yes;language=en|uz", "a>b": "device_access=yes;language=uz;long=yes",
        "b": "completed=a;language=uz"}
    assert not training_options(*tables).options["needs"].str.contains("language|long").any()


def test_staffing_stands_beside_courses():
    ways = pd.DataFrame({"kind": ["redeploy", "hire"], "role_id": "r", "cost": [500.0, 9000.0], "places": [None, 2],
                         "to_role_id": ["s", None], "to_role_level": ["lead", None], "attrition": [None, 0.1]})
    options = training_options(*offered({"course_id": "a"}), n_periods=2, staffing=ways)
    assert options.options["option_id"].tolist() == ["a@1", "a@2", "hire:r@1", "hire:r@2", "redeploy:r>s/lead@1",
                                                     "redeploy:r>s/lead@2"]
    assert row(options, "hire:r@2")[["places", "attrition", "cost", "period"]].tolist() == [2, 0.1, 9000, 1]
    hired = options.gains[options.gains["option"] == 2]
    assert hired["competency_id"].tolist() == ["*", "*"] and (hired["effect"] == -1).all()
    assert options.steps.loc[options.steps["option"] == 2, ["course_id", "cost"]].to_numpy().tolist() == [["", 9000]]
    staff = pd.DataFrame({"cohort_id": ["1", "2", "3"], "role_id": ["r", "s", "s"], "role_level": ["x", "x", "lead"]})
    may = allowed(staff, options)
    assert may[:, 0].all() and may[:, [2, 4]].tolist() == [[True, True], [False, False], [False, False]]


@pytest.mark.parametrize("seed", range(4))
def test_allowed_row_by_row(seed):
    """All rules of all courses of an option, looked up person by person in plain Python."""
    rng = np.random.default_rng(seed)
    staff = pd.DataFrame({"cohort_id": [f"k{i}" for i in range(30)], "role_id": rng.choice(["p", "q", "r"], 30),
                          "role_level": rng.choice(["junior", "senior", "lead"], 30)})
    rules = {"a": "", "b": "role_id=p|q", "c": "role_level=senior|lead;role_id=q|r", "d": ""}
    before = {"a": "", "b": "a", "c": "b|d", "d": ""}
    options = training_options(*offered(*[
        {"course_id": name, "eligibility": rules[name], "prerequisites": before[name]} for name in rules]))
    may = allowed(staff, options)
    for k, person in staff.iterrows():
        for number, chain in enumerate(options.options["courses"]):
            parts = [part.split("=") for name in chain.split(">") for part in rules[name].split(";") if part]
            assert may[k, number] == all(person[column] in values.split("|") for column, values in parts)


def test_row_order_changes_nothing():
    tables = [pd.read_csv(ARVENIA / name) for name in ("courses.csv", "course_effects.csv")]
    mixed = [table.sample(frac=1, random_state=1) for table in tables]
    one, other = (training_options(*given, n_periods=2, refreshers={"share": 0.3}) for given in (tables, mixed))
    for name in ("options", "steps", "gains", "effects"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


@pytest.mark.parametrize(("change", "words"), [
    ({"cost_per_seat": 0.0}, "course b has cost_per_seat 0; give the true cost, or 0.01 where it is free"),
    ({"cost_per_seat": -5.0}, r"course b has a negative or missing cost_per_seat.*\(came: -5.0\)"),
    ({"fixed_cost": -1.0}, r"course b has a negative or missing fixed_cost.*\(came: -1.0\)"),
    ({"prerequisites": "b"}, r"course b: prerequisites run in a circle \(b > b\)"),
    ({"prerequisites": "nowhere"}, "course b: prerequisites name nowhere, which is no course"),
    ({"course_id": "a"}, "course a appears twice"),
    ({"course_id": "a>b"}, "course a>b has | ; = or > in its course_id"),
    ({"class_min": 20, "seats_max": 10}, r"course b has a class_min above its seats_max.*\(came: 20.0 > 10.0\)"),
    ({"hours": -1}, "course b has hours below 0"),
    ({"currency": "EUR"}, r"course b has another currency than the budget's XXX; convert its prices \(came: EUR\)"),
    ({"price_year": 2020}, r"course b has another price_year than the budget's 2026.*\(came: 2020\)"),
])
def test_bad_courses_are_named(change, words):
    usual = {"currency": "XXX", "price_year": 2026}
    tables = offered({"course_id": "a", **usual}, {"course_id": "b", **usual} | change)
    with pytest.raises(PlanError, match=words):
        training_options(*tables, currency="XXX", price_year=2026)


def test_circles_are_spelt_out():
    tables = offered({"course_id": "P00"}, {"course_id": "P01", "prerequisites": "P00|P02"},
                     {"course_id": "P02", "prerequisites": "P01"})
    with pytest.raises(PlanError, match="P01 > P02 > P01"):
        training_options(*tables)


@pytest.mark.parametrize(("change", "words"), [
    ({"gain": 4.5}, r"course a, competency c has a gain above the scale's 4 levels; rescale it \(came: 4.5\)"),
    ({"sd": 5.0}, r"course a, competency c has an sd above the scale's 4 levels"),
    ({"sd": -0.1}, "course a, competency c has a negative or missing sd"),
    ({"gain": np.nan}, "course a, competency c has neither gain nor d"),
    ({"gain": np.nan, "d": 0.5}, r"course a, competency c has an effect d without gain.*\(came: 0.5\)"),
    ({"half_life_months": 0.0}, "course a, competency c has a half_life_months of 0 or less"),
    (None, "course a, competency c has two effects on one competency"),
])
def test_bad_effects_are_named(change, words):
    table, effect = offered({"course_id": "a"})
    effect = pd.concat([effect] * 2) if change is None else effect.assign(**change)
    with pytest.raises(PlanError, match=words):
        training_options(table, effect)


@pytest.mark.parametrize(("change", "words"), [
    ({"n_periods": 0}, "n_periods must be a whole number >= 1"), ({"months": 0}, "months must be > 0"),
    ({"hours_usual": -1}, "hours_usual must be > 0"),
    ({"hours_usual": 40, "hours_promotion": 20}, "hours_promotion 20 is below hours_usual 40"),
    ({"refreshers": {"share": 1.5}}, "share above 0 and at most 1, but has 1.5"),
    ({"refreshers": {}}, "share above 0"), ({"spread": -1}, "spread must be"),
    ({"hours_promotion": 5}, "no option is left"),
])
def test_bad_settings_are_named(change, words):
    with pytest.raises(PlanError, match=words):
        training_options(*offered({"course_id": "a"}), **change)


@pytest.mark.parametrize(("change", "words"), [
    ({"kind": "borrow"}, "has an unknown kind; use redeploy, hire, contract"), ({"cost": 0.0}, "has a cost of 0"),
    ({"role_id": None}, "has no role_id"), ({"to_role_id": "s"}, "only redeploy has"),
    ({"kind": "redeploy"}, "has no to_role_id"), ({"places": 1.5}, "whole number of places"),
    ({"attrition": 1.0}, "attrition of 0 to below 1"),
])
def test_bad_staffing_is_named(change, words):
    way = pd.DataFrame([{"kind": "hire", "role_id": "r", "cost": 10.0} | change])
    with pytest.raises(PlanError, match=words):
        training_options(*offered({"course_id": "a"}), staffing=way)


def test_courses_and_ways_that_fit_nobody_are_named():
    staff = pd.DataFrame({"cohort_id": ["1", "2"], "role_id": ["p", "q"], "role_level": "lead"})
    tables = offered({"course_id": "a"}, {"course_id": "b", "eligibility": "role_id=x"})
    with pytest.raises(PlanError, match=r"course b has an eligibility that fits no cohort.*\(came: role_id=x\)"):
        allowed(staff, training_options(*tables))
    tables = offered({"course_id": "a", "eligibility": "role_id=p"},
                     {"course_id": "b", "eligibility": "role_id=q", "prerequisites": "a"})
    assert allowed(staff, training_options(*tables)).tolist() == [[True, False, False], [False, False, True]]
    with pytest.raises(PlanError, match="course b has prerequisites whose eligibility shuts out all"):
        allowed(staff, training_options(*tables, completed=False))
    way = pd.DataFrame([{"kind": "hire", "role_id": "x", "cost": 10.0}])
    with pytest.raises(PlanError, match="staffing hire:x fits no cohort"):
        allowed(staff, training_options(*offered({"course_id": "a"}), staffing=way))
