"""What validate foretells is what the chain makes, and nothing is written; queries ask the owner what it says."""

import re
import time

import pandas as pd
import pytest
import yaml
from conftest import contents

from skillsgap.errors import EstimateError, ParamsError, StudyError
from skillsgap.run import forecast as forecasting
from skillsgap.run.forecast import NEEDS, STAGES, TABLES, comparable_units, forecast
from skillsgap.run.matrix import NAMES, matrix
from skillsgap.run.queries import write_queries
from skillsgap.run.release import Published
from skillsgap.run.unit import Unit
from skillsgap.study.params import read_params

# the stage table that shows that a stage was made
MADE = {"means": "means", "profiles": "profiles", "staff": "headcounts", "gaps": "gaps", "priorities": "priorities",
        "plan": "plan_summary", "readiness": "readiness"}  # fmt: skip
AWAY = {"file": "far/away.csv", "source": {"name": "the Statistical Office", "get": "by letter"}}
LEVELS = ["by", "group", "competency_id", "role_id", "role_level", "statistic", "level", "estimate", "n"]


def opened(project):
    return Unit(read_params(project.params), agency=None, data=None, root=project.root)


def foretold(project):
    [one] = forecast(project.root, [project.unit])
    return one


def made(project):
    """Stages whose tables the chain really makes."""
    unit = opened(project)
    for _ in unit.compute():
        pass
    return {stage for stage, table in MADE.items() if unit.table(table) is not None and len(unit.table(table))}


def drop(*names):
    """A change of params that takes tables, or the plan, away."""
    def change(values):
        for name in names:
            values["data"].pop(name, None)
        if "plan" in names:
            values.pop("plan")
        if "register" in names:
            values["design"]["calibrate"] = []
        if {"items", "agencies"} & set(names):
            values.pop("questionnaire", None)  # it asks for both

    return change


def stand_alone(project):
    """Answers that bring their own roles and agencies, so that the register can be taken away."""
    people = pd.read_csv(project.table("register"), dtype=str, keep_default_na=False).set_index("staff_id")
    place = people[["agency_id", "role_id", "role_level", "grade"]]
    project.rewrite("responses", lambda table: table.join(place, on="staff_id"))


def other(project, name, change=lambda values: None):
    """The same unit once more, under another name."""
    values = {**project.values(), "unit": name, "title": {"en": name.capitalize()}}
    change(values)
    path = project.params.with_name(f"{name}.yaml")
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")


def write_aggregates(project, *rows):
    """Published shares at levels 1 and 3, of a role each, in place of answers."""
    table = pd.DataFrame([("all", "all", "data_read", role, "staff", "level_share", level, 0.5, n)
                          for role, n in rows for level in (1, 3)], columns=LEVELS)  # fmt: skip
    table.to_csv(project.params.with_name("published.csv"), index=False)
    project.edit(drop("items", "responses", "register"))
    project.edit(lambda values: (values["data"].update(aggregates={"file": "published.csv"}),
                                 values["gaps"].update(by=[])))  # fmt: skip


# --- the forecast against the chain -------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [
    (), ("register",), ("requirements",), ("courses", "course_effects"), ("courses",), ("plan",),
    ("plan", "course_effects"), ("register", "requirements"), ("register", "agencies"),
    ("requirements", "courses", "course_effects", "plan"),
])  # fmt: skip
def test_the_chain_makes_what_was_foretold(project, gone):
    stand_alone(project)
    project.edit(drop(*gone))
    one = foretold(project)
    assert not one.faults and set(one.states) == set(STAGES)
    assert made(project) == {stage for stage in NEEDS if one.states[stage] == "printed"}
    gone = {*gone, "indicators"}  # which the fictional country has none of
    assert {stage: set(tables) <= gone for stage, tables in one.missing.items()} == {
        stage: True for stage in NEEDS if one.states[stage] == "missing"}  # fmt: skip


@pytest.mark.parametrize("role", ["policy_officer", "nobody"])
@pytest.mark.parametrize("gone", [(), ("requirements",)])
def test_the_chain_makes_of_published_figures_what_was_foretold(project, role, gone):
    write_aggregates(project, (role, 200))
    project.edit(drop(*gone))
    one = foretold(project)
    assert made(project) == {stage for stage in NEEDS if one.states[stage] == "printed"}
    assert ("gaps" in made(project)) == (role == "policy_officer" and not gone)
    assert one.missing["profiles"] == ("responses", "items")
    assert ("requirements" in one.unlocks) == bool(gone)


def test_requirements_derived_from_tested_workers_make_gaps_and_no_plan(project):
    def derive(values):
        data = values["data"]
        data["requirements"] = {"derive": {"method": "pellizzari_fichen", "role": "role_id", "minimum": 2,
                                           "well_matched": {"DL01": {"in": [2]}}}}
        data["responses"]["plausible_values"] = {"cloud": {"prefix": "PV", "count": 2}}

    project.rewrite("responses", lambda table: table.assign(PV1="250", PV2=table["CL01"].replace("", "1") + "50"))
    project.edit(derive)
    one = foretold(project)
    assert {stage for stage in NEEDS if one.states[stage] == "printed"} == {"means", "profiles", "staff", "gaps"}
    assert made(project) == {"means", "profiles", "staff", "gaps"}


def test_items_without_levels_make_profiles_and_no_means(project):
    project.rewrite("items", lambda table: table.assign(type=table["type"].replace("anchored", "frequency")))
    project.edit(lambda values: (drop("requirements", "plan")(values), values["profiles"].update(variables="items")))
    one = foretold(project)
    assert made(project) == {stage for stage in NEEDS if one.states[stage] == "printed"} == {"profiles", "staff"}
    assert "means: no item is anchored and nothing was tested, so there are no levels" in one.reasons


@pytest.mark.parametrize("gone", ["items", "competencies", "course_effects"])
def test_what_the_study_refuses_is_a_fault_and_the_chain_refuses_it_too(project, gone):
    project.edit(drop(gone))
    one = foretold(project)
    assert set(one.states.values()) == {"fault"} and f"without data.{gone}" in one.faults[0]
    with pytest.raises(StudyError, match=f"without data.{gone}"):
        opened(project)
        made(project)


def test_margins_that_cannot_be_weighted_to_are_faults_before_a_run_and_in_it(project):
    def hide(share):
        def change(table):
            told = pd.read_csv(project.table("register"), dtype=str).set_index("staff_id")["sex"]
            sex = table["staff_id"].map(told)
            sex = sex.mask(pd.Series(range(len(table)), table.index) < share * len(table), "")
            return table.assign(sex=sex)

        project.rewrite("responses", change)

    hide(0.1)
    assert not foretold(project).faults and opened(project).table("weights") is not None
    hide(0.5)
    one = foretold(project)
    assert set(one.states.values()) == {"fault"} and len(one.faults) == 1
    assert re.match(r"margin sex: \d\d\.\d% of the weights are of people who gave no answer", one.faults[0])
    with pytest.raises(EstimateError, match=re.escape(one.faults[0])):
        opened(project).table("weights")


def test_a_register_alone_is_read_and_there_is_nothing_to_estimate(project):
    def alone(values):
        values["data"] = {"register": values["data"]["register"]}
        del values["plan"], values["questionnaire"]
        values["design"]["calibrate"], values["gaps"]["by"] = [], []

    project.edit(alone)
    one = foretold(project)
    assert one.states["read"] == one.states["quality"] == "printed"
    assert {one.states[stage] for stage in NEEDS} == {"missing"} and made(project) == set()
    text = matrix([one])
    assert "nothing to estimate: declare data.responses with data.items, or data.aggregates" in text
    assert "means, profiles, staff: needs responses, items, competencies" in text
    assert re.search(r"^tiny +yes +yes +no answer +no answer", text, re.M)
    assert text.endswith("most is unlocked by readiness indicators (1 unit, 1 stage)")


def test_every_stage_and_table_has_its_names():
    named = {table for ways in NEEDS.values() for way in ways for table in way} - {"derive"}
    assert named == set(TABLES) and tuple(NAMES) == TABLES and set(NEEDS) == set(MADE) == set(forecasting.KIND)


# --- what is withheld -----------------------------------------------------------------------------------------------


def test_groups_of_too_few_are_those_the_report_withholds(project):
    project.edit(lambda values: values["disclosure"].update(threshold=40) if "disclosure" in values
                 else values.update(disclosure={"threshold": 40}))  # fmt: skip
    one = foretold(project)
    means = Published(opened(project)).release.tables["means"].query("by == 'agency_id'")
    few = means.groupby("group")["withheld"].all()
    assert 0 < few.sum() < len(few)
    assert f"{few.sum()} of {len(few)} agencies have fewer than 40 respondents: withheld" in one.reasons


def test_a_gate_of_quality_withholds_what_rests_on_the_table(project):
    project.edit(lambda values: values.update(claims={"quality": {"timeliness": 4}}))
    project.edit(lambda values: values["data"]["courses"].update(as_of="2025"))
    one = foretold(project)
    stopped = Published(opened(project)).facts.stopped
    assert {stage for stage in NEEDS if one.states[stage] == "withheld"} == {
        stage for stage in NEEDS if forecasting.KIND[stage] in stopped}  # fmt: skip
    assert one.states["plan"] == "withheld"
    assert any(line.startswith("withheld: plan: quality of the course catalogue: timeliness") for line in one.reasons)


def test_unmapped_codes_above_the_limit_are_told(project):
    walk = pd.DataFrame({"from": ["G1", "G2"], "to": ["G1", "G2"]})
    walk.to_csv(project.params.with_name("grades.csv"), index=False)
    project.edit(lambda values: (values["data"].update(crosswalks={"grades": {"file": "grades.csv"}}),
                                 values["data"]["register"].update(crosswalk={"grade": "grades"})))  # fmt: skip
    one = foretold(project)
    assert not one.faults and "withheld" in one.states.values()
    assert any("have no counterpart in “grades”; at most 20% may lack one" in line for line in one.reasons)


@pytest.mark.parametrize(("kept", "states", "told"), [
    (20, {"printed", "withheld"}, "withheld: claims, plan: 20 answered, at least 30 must"),
    (8, {"withheld"}, "8 answered, at least 10 must"),
])
def test_too_few_respondents_for_claims_are_told(project, kept, states, told):
    stand_alone(project)
    project.edit(lambda values: values["design"].update(calibrate=[]))
    project.rewrite("responses", lambda table: table[table["status"] == "complete"].head(kept))
    one = foretold(project)
    assert {one.states[stage] for stage in NEEDS if stage != "readiness"} == states and one.states["plan"] == "withheld"
    assert any(line.endswith(told) for line in one.reasons)


def test_published_figures_of_too_few_are_told(project):
    write_aggregates(project, ("policy_officer", 200))
    path = project.params.with_name("published.csv")
    table = pd.read_csv(path)
    small = table.assign(by="agency_id", group="levy", n=5)
    unknown = table.assign(by="agency_id", group="roads", n=None)
    pd.concat([table, small, unknown]).to_csv(path, index=False)
    project.edit(drop("agencies"))
    assert "1 of 2 agencies have fewer than 10 respondents: withheld" in foretold(project).reasons


# --- what would unlock most -------------------------------------------------------------------------------------------


def test_the_one_file_that_unlocks_most_is_named_for_each_unit_and_for_all(project):
    stand_alone(project)
    project.edit(drop("register"))
    other(project, "second")
    other(project, "third", drop("requirements"))
    units = {one.unit: one for one in forecast(project.root)}
    ready = {"indicators": ("readiness",)}
    assert units["tiny"].unlocks == {"register": ("staff", "plan"), **ready} and units["tiny"].most == "register"
    assert units["third"].unlocks == {"register": ("staff",), "requirements": ("gaps", "priorities"), **ready}
    text = matrix(list(units.values()))
    assert "\n  register: unlocks staff, plan\n" in text and "\n  requirements: unlocks gaps, priorities\n" in text
    row = next(line for line in text.splitlines() if line.startswith("third "))
    assert re.split(" {2,}", row) == ["third", "yes", "yes", "printed", "printed", "no staff", "no roles",
                                      "no roles", "no staff", "no indic."]  # fmt: skip
    assert text.endswith("\nmost is unlocked by a register (3 units, 5 stages)")


def test_a_unit_that_waits_for_one_file_is_unlocked_by_it(project):
    project.edit(lambda values: values["data"]["responses"].update(AWAY))
    other(project, "both", lambda values: values["data"]["register"].update(AWAY))
    one, two = forecast(project.root, ["tiny", "both"])
    assert set(one.states.values()) == set(two.states.values()) == {"waiting"}
    made = tuple(stage for stage in NEEDS if stage != "readiness")
    assert one.unlocks == {"responses": made} and two.unlocks == {} and len(two.reasons) == 2
    assert "waits for far/away.csv from the Statistical Office" in one.reasons[0] and not one.faults


# --- many units, damaged ones among them ------------------------------------------------------------------------------


def damage(project):
    other(project, "away", lambda values: values["data"]["responses"].update(AWAY))
    other(project, "budget", lambda values: values["plan"].update(budget=-5))
    other(project, "lost", lambda values: values["data"]["items"].update(file="nowhere.csv"))
    other(project, "odd", lambda values: values["data"]["responses"].update(codes={"mode": ["by pigeon"]}))
    project.params.with_name("torn.yaml").write_text("unit: [torn\n", encoding="utf-8")
    project.params.with_name("bytes.yaml").write_bytes(b"\xff\xfe\x00")


def test_no_unit_in_trouble_stops_another_and_nothing_is_written(project):
    damage(project)
    before = contents(project.root)
    units = {one.unit: one for one in forecast(project.root)}
    assert contents(project.root) == before
    troubled = {name for name, one in units.items() if one.faults}
    assert troubled == {"budget", "lost", "odd", "torn", "bytes"}
    assert units["tiny"].states["plan"] == "printed" and units["away"].states["plan"] == "waiting"
    assert all(one.faults and "\n" not in line for one in units.values() if one.faults for line in one.faults)
    text = matrix(list(units.values()))
    assert "torn: params can't be read, 1 fault, worst first" in text
    assert "Traceback" not in text and text == matrix(forecast(project.root))


def test_a_bug_is_a_fault_of_its_unit_alone(project, monkeypatch):
    other(project, "second")
    whole = forecasting.read_study

    def broken(params, *, data):
        return whole(params, data=data) if params.unit == "tiny" else 1 // 0

    monkeypatch.setattr(forecasting, "read_study", broken)
    second, tiny = forecast(project.root)
    assert second.faults == ("unexpected ZeroDivisionError in second: integer division or modulo by zero: please "
                             "report this",) and not tiny.faults  # fmt: skip


def test_faults_stand_worst_first(project):
    project.rewrite("responses", lambda table: table.assign(DL01="9"))
    project.rewrite("requirements", lambda table: table.assign(importance=["9", *table["importance"][1:]]))
    faults = foretold(project).faults
    assert "responses.csv" in faults[0] and "rows)" in faults[0] and "requirements.csv line 2" in faults[-1]


def test_forty_units_are_read_in_time_and_fit_a_terminal(project):
    stand_alone(project)
    project.rewrite("items", lambda table: table.head(4))  # a short survey: forty of them are read here
    gone = [(), ("register",), ("requirements",), ("courses", "course_effects"), ("plan", "course_effects")]
    for number in range(39):
        name = f"ministry-of-long-affairs-number-{number:02d}" if number % 3 else f"u{number}"
        other(project, name, drop(*gone[number % 5]))
    start = time.process_time()
    units = forecast(project.root)
    assert len(units) == 40 and time.process_time() - start < 60
    lines = matrix(units).splitlines()
    assert max(map(len, lines)) <= 100
    column = lines[0].index("quality")
    assert {line[column : column + 3] for line in lines[1:41]} == {"yes"} and lines[41] == ""


def test_the_widest_matrix_still_fits():
    widest = dict(zip(STAGES, ["waiting", "waiting", *["missing"] * len(NEEDS)], strict=True))
    missing = {stage: tuple(sorted({table for way in ways for table in way} - {"derive"},
                                   key=lambda table: -len(NAMES[table][0]))) for stage, ways in NEEDS.items()}
    one = forecasting.Forecast("a-unit-with-as-many-letters-as-it-may-take", "draft", widest, missing)
    assert max(map(len, matrix([one]).splitlines())) <= 100


def test_a_unit_that_is_not_there_is_named(project):
    with pytest.raises(ParamsError, match="there is no params/nope.yaml: units here are tiny"):
        forecast(project.root, ["nope"])


# --- who may be compared ----------------------------------------------------------------------------------------------


def test_only_cleared_units_enter_comparisons(project):
    for name, fictional, status in [("real", False, None), ("asked", False, "queried"), ("fine", False, "cleared"),
                                    ("rough", True, "draft")]:  # fmt: skip

        def change(values, fictional=fictional, status=status):
            values.update(fictional=fictional, status=status)
            if status is None:
                del values["status"]

        other(project, name, change)
    project.edit(lambda values: values.pop("status", None))
    project.params.with_name("torn.yaml").write_text("unit: [torn\n", encoding="utf-8")
    assert comparable_units(project.root) == ["fine", "tiny"]
    units = {one.unit: one for one in forecast(project.root)}
    assert [name for name, one in units.items() if one.compared] == ["fine", "tiny"]
    assert units["real"].status == "draft"
    text = matrix(list(units.values()))
    assert "real: draft, stays out of comparisons" in text and "tiny: cleared, enters comparisons" in text


# --- queries ---------------------------------------------------------------------------------------------------------


def page(made):
    return made.path.read_text(encoding="utf-8")


def test_a_unit_without_a_doubt_has_a_page_that_says_so(project):
    project.rewrite("responses", lambda table: table.assign(weight="1"))
    made = write_queries("tiny", root=project.root)
    assert made.asked == 0 and made.path == project.root / "build" / "tiny" / "queries.en.html"
    assert "There is nothing to ask" in page(made)


def test_queries_speak_the_owners_language_before_the_units(project):
    assert 'lang="uz"' in page(write_queries("tiny", root=project.root, lang="uz"))
    project.edit(lambda values: values.update(report_languages=["en"], data_owner={"name": "Soliq", "lang": "uz"}))
    project.rewrite("responses", lambda table: table.assign(DL01="9"))
    made = write_queries("tiny", root=project.root)
    assert made.path.name == "queries.uz.html" and 'lang="uz"' in page(made) and "Soliq" in page(made)
    assert 'lang="en"' in page(write_queries("tiny", root=project.root, lang="en"))


def test_faults_of_the_data_are_asked_and_those_of_params_are_the_analysts(project):
    project.rewrite("responses", lambda table: table.assign(DL01="9"))
    assert write_queries("tiny", root=project.root).asked == 1
    project.edit(lambda values: values["gaps"].update(by=["shoe_size"]))
    made = write_queries("tiny", root=project.root)
    assert made.asked == 1 and len(made.own) == 1 and "shoe_size" in made.own[0]
    assert "responses.csv" in page(made) and "shoe_size" not in page(made)


def test_a_fault_of_params_alone_makes_no_page_that_says_all_is_well(project):
    project.edit(lambda values: values["gaps"].update(by=["shoe_size"]))
    with pytest.raises(StudyError, match="shoe_size"):
        write_queries("tiny", root=project.root)
    project.params.write_text("unit: [torn\n", encoding="utf-8")
    with pytest.raises(ParamsError, match="tiny.yaml line"):
        write_queries("tiny", root=project.root)
    with pytest.raises(ParamsError, match="there is no params/nope.yaml"):
        write_queries("nope", root=project.root)
    assert not (project.root / "build" / "tiny").exists()


def test_an_outside_file_that_has_not_come_is_asked_for(project):
    project.edit(lambda values: values["data"]["responses"].update(AWAY))
    made = write_queries("tiny", root=project.root)
    assert made.asked == 1 and "away.csv" in page(made)
    assert "answers of respondents: the file has not come from the Statistical Office" in page(made)


def test_low_quality_and_what_was_put_right_are_asked(project):
    project.edit(lambda values: values.update(claims={"quality": {"coverage": 4}}))
    path = project.table("responses")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    project.rewrite("register", lambda table: table.assign(region=table["region"] + " "))
    made = write_queries("tiny", root=project.root)
    assert made.asked >= 2 and "coverage is at level" in page(made) and "It was put right" in page(made)


def test_ids_under_the_files_own_name_are_not_shown(project):
    project.rewrite("responses", lambda table: pd.concat([table, table.head(1)]).rename(columns={"staff_id": "PNR"}))
    project.edit(lambda values: values["data"]["responses"].update(columns={"staff_id": "PNR"}))
    ids = pd.read_csv(project.table("responses"), dtype=str)["PNR"]
    made = write_queries("tiny", root=project.root)
    assert made.asked and ids[0] not in page(made)
