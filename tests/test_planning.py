"""What a plan is made of, carried from the files: counted against the files themselves, refused with file and line."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skillsgap.decide.policy import policy_rules
from skillsgap.errors import EstimateError, ParamsError, StudyError
from skillsgap.estimate.workforce.able import able_counts, any_of
from skillsgap.run import planning
from skillsgap.study.params import read_params
from skillsgap.study.records import read_study

REPO = Path(__file__).parents[1]
CORVA = REPO / "data" / "synthetic" / "corva"
PARTS = {"device_access": ("", "yes", "no"), "language": ("en", "uz"), "long": ("yes", "no"),
         "completed": ("", "B01", "B02", "B01|B02")}  # fmt: skip
NEEDS = ["device_access=yes", "language=en|uz", "completed=B01;completed=B02", "device_access=yes or language=uz",
         "completed=B02;device_access=yes;long=yes"]  # fmt: skip


@pytest.fixture
def project(tiny, tmp_path):
    """The tiny project with all the rules of its plan."""
    return tiny.copy(tmp_path / "project")


def has(person, signature):
    """Whether one person has what a signature asks, read off the definition."""
    def part(text):
        name, value = text.split("=")
        return bool(set(value.split("|")) & set(person[name].split("|")))

    return any(all(map(part, one.split(";"))) for one in signature.split(" or "))


@pytest.mark.parametrize("seed", range(3))
def test_the_able_are_counted_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    staff = pd.DataFrame({name: rng.choice(kinds, 200) for name, kinds in PARTS.items()}).assign(
        agency_id=rng.choice(["a", "b"], 200), role_id="clerk", role_level=rng.choice(["staff", "lead"], 200))
    found = able_counts(staff, NEEDS).set_index(["agency_id", "role_level", "needs"])["people"]
    people = staff.to_dict("records")
    for (agency, level, needs), count in found.items():
        here = [one for one in people if (one["agency_id"], one["role_level"]) == (agency, level)]
        assert count == sum(has(one, needs) for one in here)
    cells = staff.groupby(list(staff)).size().rename("headcount").reset_index().sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(able_counts(cells, NEEDS).set_index(found.index.names)["people"], found)


def test_what_a_register_does_not_tell_limits_nobody_but_completed_and_long_are_recorded_or_not_so():
    staff = pd.DataFrame({"agency_id": "a", "role_id": "r", "role_level": "staff", "headcount": [3, 4]})
    found = able_counts(staff, ["device_access=yes", "completed=B1", "long=yes"]).set_index("needs")
    assert found["people"].to_dict() == {"device_access=yes": 7, "completed=B1": 0, "long=yes": 0}
    assert found.loc["device_access=yes", "untold"] == "device_access=yes" and found.loc["long=yes", "untold"] == ""
    people = staff.drop(columns="headcount").assign(staff_id=["x", "y"], promotion_window=["yes", "no"])
    records = pd.DataFrame({"staff_id": ["x", "x", "y"], "course_id": ["B1", "B2", "B1"],
                            "completed": ["yes", "no", "no"]})  # fmt: skip
    told = able_counts(people, ["completed=B1", "completed=B2", "long=yes"], training_records=records)
    assert told["people"].tolist() == [1, 0, 1]
    with pytest.raises(EstimateError, match="height=tall, which no register tells"):
        able_counts(staff, ["height=tall"])


def test_options_do_not_count_twice_on_the_same_people():
    assert any_of(["device_access=yes", "language=en", "completed=B1", ""]) == [
        "completed=B1", "device_access=yes", "device_access=yes or language=en", "language=en"]  # fmt: skip


@pytest.fixture(scope="module")
def corva():
    return read_study(read_params(REPO / "params" / "corva.yaml"))


def test_the_able_of_a_study_are_those_of_its_files(corva):
    with gzip.open(CORVA / "register.csv.gz", "rt", encoding="utf-8") as file:
        staff = list(csv.DictReader(file))
    with (CORVA / "training_records.csv").open(encoding="utf-8") as file:
        done = {(row["staff_id"], row["course_id"]) for row in csv.DictReader(file) if row["completed"] == "yes"}
    for needs, told in (
        ("device_access=yes", lambda one: one["device_access"] == "yes"),
        ("completed=B02;device_access=yes",
         lambda one: one["device_access"] == "yes" and (one["staff_id"], "B02") in done),
        ("long=yes", lambda one: one["tenure_years"] in ("3", "4", "8", "9", "13", "14")),  # as params declare
    ):
        counted = Counter((one["agency_id"], one["role_id"], one["role_level"]) for one in staff if told(one))
        found = able_counts(corva.able, [needs]).set_index(["agency_id", "role_id", "role_level"])["people"]
        assert found[found > 0].to_dict() == counted, needs
    assert corva.able["headcount"].sum() == len(staff) == corva.register["headcount"].sum()
    assert not {"staff_id", "row_key"} & set(corva.able)


def test_levels_are_spread_round_their_role(corva):
    # within roles 1, 3 and 4, 4 with double weight: variance (1 + 1 + 0) / 4
    levels = pd.DataFrame({"x": [1.0, 3.0, 4.0, np.nan]})
    role, weights = pd.Series(["a", "a", "b", "b"]), pd.Series([1.0, 1.0, 2.0, 5.0])
    assert planning.spread_within([levels, levels], [role], weights)["x"] == pytest.approx(np.sqrt(0.5))


def test_champions_come_from_the_interested_of_the_cohorts_that_params_name():
    staff = pd.DataFrame({"agency_id": ["A", "A", "A"], "profile": [1, 2, 1], "need_band": ["low", "low", "high"],
                          "headcount": [10, 9, 100]})  # fmt: skip
    interested = pd.DataFrame({"profile": [1, 2], "interested": [0.5, 0.25]})
    rule = planning.interest_rule(staff, interested, {"need_bands": ["low"]})
    assert rule["max"] == {"A/1": 5, "A/2": 2}


def groups_of(given):
    """Cohorts as groups of rules, each with its need and hub."""
    groups = given.cohorts.rename(columns={"cohort_id": "group_id", "headcount": "size"})
    groups = groups.merge(given.agencies[["agency_id", "hub_id"]], on="agency_id").assign(need=1.0)
    shares = given.cohort_groups.assign(name=lambda t: t["by"] + "=" + t["group"])
    shares = shares.pivot_table(index="cohort_id", columns="name", values="share", fill_value=0.0).reset_index()
    return groups.merge(shares, left_on="group_id", right_on="cohort_id")


def test_params_and_files_make_a_plan_s_rules(project):
    unit = project.open()
    given = planning.given(unit)
    rules = {rule["id"]: rule for rule in policy_rules(given.rules, groups_of(given), given.options, able=given.able,
                                                       agencies=given.agencies)}  # fmt: skip
    assert {rule["family"] for rule in rules.values()} >= {"budget", "able", "champions", "floors", "agency_minimum",
                                                           "providers", "own"}  # fmt: skip
    staff = given.cohorts["headcount"].sum()
    assert rules["champions_min"]["min"] == np.ceil(0.05 * staff) and rules["budget"]["max"] == 90_000
    chosen = given.courses.set_index("course_id")["eligibility"]
    assert chosen["C02"] == "need_band=low|mid;role_level=senior|lead" and chosen["B01"] == ""
    assert given.interested["interested"].between(0, 1).all()
    assert given.attrition.set_index("role_id")["attrition"]["it_specialist"] == pytest.approx(0.124)


def test_an_effect_in_standard_deviations_becomes_levels(project):
    project.rewrite("course_effects", lambda t: t.assign(
        d=t.index.map({2: "0.6"}).fillna(""), gain=t["gain"].mask(t.index == 2, "")))  # fmt: skip
    unit = project.open()
    effects, people = planning.in_levels(unit), unit.table("responses")[unit.population]
    roles = [people["role_id"], people["role_level"]]
    spread = planning.spread_within(unit.levels, roles, unit.design.weights[unit.population])
    assert effects["gain"].iloc[0] == pytest.approx(0.6 * spread[effects["competency_id"].iloc[0]])
    assert effects["gain"].notna().all() and 0.2 < spread.mean() < 2


def faults_of(project):
    with pytest.raises((ParamsError, StudyError)) as caught:
        read_study(read_params(project.params))
    return str(caught.value).splitlines()


def set_plan(**values):
    return lambda project: project.edit(lambda content: content["plan"].update(values))


def cell(table, line, column, value):
    def changed(rows):
        return rows.assign(**{column: rows[column].mask(rows.index == line, value)})

    return lambda project: project.rewrite(table, changed)


BASIC = {"id": "b", "tier": "basic", "share": 0.1}


@pytest.mark.parametrize(("damage", "parts"), [
    (cell("courses", 2, "cost_per_seat", "0"), ("courses.csv line 2, column cost_per_seat", "0.01 where it is free")),
    (cell("courses", 2, "cost_per_seat", "-5"), ("courses.csv line 2, column cost_per_seat: -5", "correct it")),
    (cell("courses", 3, "prerequisites", "P01"), ("courses.csv line 3, column prerequisites", "B02 > P01 > B02",
                                                  "take one of them out")),
    (cell("courses", 11, "prerequisites", "B2"), ("courses.csv line 11, column prerequisites: 'B2' is not a course",)),
    (cell("courses", 3, "eligibility", "grade=G9"), ("courses.csv line 3, column eligibility: nobody", "grade=G9")),
    (cell("courses", 3, "price_year", "2019"), ("courses.csv line 3, column price_year: 2019", "convert the prices")),
    (cell("course_effects", 4, "gain", "4.5"), ("course_effects.csv line 4, column gain: 4.5 is above 4",)),
    (cell("course_effects", 4, "gain", ""), ("course_effects.csv line 4, column gain", "or d in standard deviations")),
    (cell("course_effects", 4, "half_life_months", "0"), ("course_effects.csv line 4, column half_life_months",)),
    (set_plan(champions={"min": 0.05, "max": 1.2}), ("tiny.yaml line", "plan.champions.max is 1.2", "5 % is 0.05")),
    (set_plan(champions={"min": 0.2, "max": 0.1}), ("tiny.yaml line", "plan.champions.min is 0.2", "correct one")),
    (set_plan(provider_max=0.4), ("tiny.yaml line", "provider_max is 0.4", "2 providers", "write 0.5 or more")),
    (set_plan(agency_minimum=50), ("tiny.yaml line", "plan.agency_minimum is 50", "5 % is 0.05")),
    (set_plan(periods=[{"label": 1, "budget": 5}, {"label": 2, "budget": 5}]), ("tiny.yaml line", "one of the two")),
    (set_plan(floors=[{**BASIC, "courses": ["B01"]}]), ("plan.floors.0", "a tier or courses, one of the two")),
    (set_plan(floors=[BASIC, dict(BASIC)]), ("tiny.yaml line", "plan.floors has id 'b' twice")),
    (set_plan(floors=[{**BASIC, "tier": "basics"}]), ("plan.floors.tier names 'basics'", "did you mean basic?")),
    (set_plan(hours={"usual": 50, "promotion": 40}), ("plan.hours.usual is 50, above plan.hours.promotion",)),
    (set_plan(hours={"window": {"tenure": {"in": [3]}}}), ("plan.hours.window names 'tenure'", "tenure_years")),
    (set_plan(equity={"by": ["disability"]}), ("plan.equity.by names 'disability'", "known are region, sex")),
    (set_plan(staffing=[{"kind": "hire", "role_id": "it"}]), ("plan.staffing.role_id names 'it'",)),
    (set_plan(staffing=[{"kind": "hire", "role_id": "it_specialist", "cost": 0}]), ("plan.staffing.0.cost is 0",)),
])  # fmt: skip
def test_what_no_plan_can_stand_on_is_refused_in_one_line(project, damage, parts):
    damage(project)
    lines = faults_of(project)
    assert len(lines) == 1 and all(part in lines[0] for part in parts), lines


def test_a_unit_without_a_plan_has_none_of_its_defaults(project):
    project.edit(lambda content: content.pop("plan"))
    assert "plan" not in read_params(project.params).values
    assert read_params(project.params, overrides={"plan": {"budget": 5}}).values["plan"]["n_draws"] == 20
