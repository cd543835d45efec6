"""Bad input: one line a fault with place, value and remedy; nothing written for that unit, the others finished."""

import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from conftest import REPO, contents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillsgap.errors import ParamsError, StudyError
from skillsgap.run.batch import run_batch, run_unit
from skillsgap.study.params import read_params
from skillsgap.study.records import read_study

CASES = {}
FIRST, SILENT = 2, 3  # lines of the first respondent, and of the first who did not answer


def case(*parts):
    """A fault: a function that damages a project, and what the reason must say, each part in one line of it."""
    def keep(damage):
        CASES[damage.__name__] = (damage, parts)
        return damage

    return keep


def cell(project, table, line, column, value):
    """Write one value into a table."""
    def change(rows):
        rows.loc[line, column] = value
        return rows

    project.rewrite(table, change)


def params(*keys, **values):
    """A change of the params below some keys."""
    def change(content):
        for key in keys:
            content = content[key]
        content.update(values)

    return change


@case(("tiny.yaml line", "plan.budgit", "1", "did you mean budget?"))
def unknown_key(project):
    project.edit(params("plan", budgit=1))


@case(("tiny.yaml line", "unknown key 1", "known keys here"))
def unknown_key_that_is_a_number(project):
    project.edit(lambda values: values.update({1: 2, "abc": 3}))


@case(("courses.csv: there is no such file", "data.courses.file in tiny.yaml line"))
def missing_file_of_its_own(project):
    project.table("courses").unlink()


@case(("responses.csv line 5, column DL01: answer 9 is outside 0..4", "missing_codes"))
def answer_out_of_range(project):
    cell(project, "responses", 5, "DL01", "9")


@case(("responses.csv line 5, column DL01: 'often' is not a whole number", "correct it"))
def answer_that_is_text(project):
    cell(project, "responses", 5, "DL01", "often")


@case(("courses.csv line 7, column cost_per_seat: 'much' is not a number", "correct it"))
def text_where_a_number_is_expected(project):
    cell(project, "courses", 7, "cost_per_seat", "much")


@case(("items.csv line 7, column n_categories: 'five' is not a whole number", "correct it"))
def items_without_a_number_of_categories(project):
    cell(project, "items", 7, "n_categories", "five")


@case(("register.csv.gz line 9, column staff_id: 'A000004' stands in lines 5, 9", "keep one"),
      ("responses.csv line 9, column staff_id", "'A000008' is not in register.csv.gz", "add it there"))
def duplicate_staff_id(project):
    cell(project, "register", 9, "staff_id", "A000004")


@case(("register.csv.gz line 9, column staff_id: the value is empty (2 rows)", "fill it in"),
      ("responses.csv line 9, column staff_id", "(2 rows)", "add it there"))
def two_empty_staff_ids(project):
    cell(project, "register", 9, "staff_id", "")
    cell(project, "register", 10, "staff_id", "")


@case(("responses.csv line 5, column staff_id: 'X1' is not in register.csv.gz", "add it there"))
def respondent_unknown_to_the_register(project):
    cell(project, "responses", 5, "staff_id", "X1")


@case(("register.csv.gz line 9, column agency_id: 'zzz' is not in agencies.csv", "add it there"))
def unknown_agency_code(project):
    cell(project, "register", 9, "agency_id", "zzz")


@case(("register.csv.gz line 9, column role_id: the value is empty", "fill it in"))
def member_of_staff_without_a_role(project):
    cell(project, "register", 9, "role_id", "")


@case(("register.csv.gz, column agency: there is no column agency", "did you mean agency_id?"))
def mapped_column_that_is_not_there(project):
    project.edit(params("data", "register", columns={"agency_id": "agency"}))


@case(("courses.csv, column hours: there is no column hours", "data.courses.columns"))
def obligatory_column_that_is_not_there(project):
    project.rewrite("courses", lambda rows: rows.drop(columns="hours"))


@case(("tiny.yaml line", "design.calibrate names 'gender'", "register.csv.gz lacks", "known are"))
def calibration_to_an_unknown_column(project):
    project.edit(params("design", calibrate=["gender"]))


@case(("tiny.yaml line", "gaps.by names 'agency'", "did you mean agency_id?"))
def split_by_an_unknown_column(project):
    project.edit(params("gaps", by=["agency"]))


@case(("tiny.yaml line", "gaps.by names 'staff_id'", "known are"))
def split_by_person(project):
    project.edit(params("gaps", by=["staff_id"]))


@case(("responses.csv line 2, column mode: gaps.by names it, and it is empty throughout", "drop it"))
def split_by_a_column_that_nobody_tells(project):
    project.rewrite("responses", lambda rows: rows.assign(mode=""))
    project.edit(params("gaps", by=["mode"]))


@case(("register.csv.gz line 2, column education: gaps.by names it, and it is empty throughout", "drop it"))
def split_by_a_column_of_the_register_that_is_empty(project):
    project.rewrite("register", lambda rows: rows.assign(education=""))
    project.edit(params("gaps", by=["education"]))


@case(("responses.csv line 2, column stratum: the value is empty", "leave the column out"))
def respondent_without_a_stratum(project):
    cell(project, "responses", FIRST, "stratum", "")


@case(("responses.csv line 2, column fpc: it is a share of those asked, and", "number of people in each stratum"))
def population_as_a_share_of_those_asked(project):
    project.rewrite("responses", lambda rows: rows.assign(fpc="0.5"))


@case(("no stratum has two sampling units, so no variance can be told", "collapse"))
def every_stratum_with_one_sampling_unit(project):
    project.rewrite("responses", lambda rows: rows.assign(psu=rows["stratum"]))
    project.edit(params("design", lonely_psu="certainty"))


@case(("tiny.yaml line", "key design.bounds.0 is 4: expected less than 1"))
def bounds_that_leave_out_the_base_weight(project):
    project.edit(params("design", bounds=[4, 5]))


@case(("tiny.yaml line", "says how replicate weights were made, and there are none", "add the key replicate_weights"))
def a_method_without_replicate_weights(project):
    project.edit(params("data", "responses", replicates="jk1"))


def replicated(project, first, last, weights):
    """Replicate weights `weights` (rows -> dict), declared from one number to another."""
    project.rewrite("responses", lambda rows: rows.assign(**weights(rows)))
    span = {"prefix": "RW", "from": first, "to": last}
    project.edit(params("data", "responses", replicates="jk1", replicate_weights=span))


@case(("responses.csv: data.responses.replicate_weights go from 3 to 1", "the lower number first"))
def replicate_weights_counted_downwards(project):
    replicated(project, 3, 1, lambda rows: {})


@case(("the replicate weights are all alike, so no variance can be told",))
def replicate_weights_all_alike(project):
    replicated(project, 1, 3, lambda rows: {f"RW{i}": rows["weight"] for i in (1, 2, 3)})


@case(("responses.csv line", "column RW2: every replicate weight of this column is 0", "send the replicate weights"))
def replicate_weights_of_nobody(project):
    replicated(project, 1, 3, lambda rows: {"RW1": rows["weight"], "RW2": "0", "RW3": (rows.index % 2).astype(str)})


@case(("tiny.yaml line", "profiles.variables names 'DL99'", "items.csv lacks", "known are UG01"))
def profiles_on_an_unknown_item(project):
    project.edit(params("profiles", variables=["DL01", "DR01", "DL99"]))


@case(("tiny.yaml line", "profiles: data_read: all", "are the same (2)", "leave data_read out of profiles.variables"))
def profiles_on_a_competency_in_which_all_are_alike(project):
    same = ("DR01", "DR02")
    project.rewrite("responses", lambda rows: rows.assign(**{
        item: rows[item].where(rows[item] == "", "2") for item in same if item in rows}))  # fmt: skip


@case(("tiny.yaml line", "profiles: DR01: none of 158 respondents answered it", "leave DR01 out"))
def profiles_on_an_item_that_nobody_answered(project):
    project.rewrite("responses", lambda rows: rows.assign(DR01=""))
    project.edit(params("profiles", variables=["DL01", "DR01", "DI01"]))


@case(("tiny.yaml line", "profiles: 12 profiles, but 3 variables with 15 different answers tell at most 9 apart"))
def more_profiles_than_answers_tell_apart(project):
    project.edit(params("profiles", variables=["DL01", "DR01", "DI01"], n_profiles=12))


@case(("tiny.yaml line", "respondents holds 99% of the weight", "correct or trim the weights"))
def all_weight_on_one_respondent(project):
    project.rewrite("responses", lambda rows: rows.assign(weight=["250"] + ["0.01"] * (len(rows) - 1)))
    project.edit(params("design", calibrate=[]))


@case(("tiny.yaml line", "profiles: 45 respondents", "profiles need 50 or more", "profiles.candidates to [1]"))
def too_few_respondents_for_profiles(project):
    few = {"status": {"in": ["complete", "partial"]}, "staff_id": {"in": []}}
    answered = pd.read_csv(project.table("responses"), dtype=str).query("status in ['complete', 'partial']")
    few["staff_id"]["in"] = answered["staff_id"].head(45).tolist()
    project.edit(params("data", "responses", respondents=few))
    project.edit(params("design", calibrate=[]))


@case(("tiny.yaml line", 'profiles.variables is ["DL01", "DR01"]', "a list of items, 3 or more"))
def profiles_on_two_items(project):
    project.edit(params("profiles", variables=["DL01", "DR01"]))


@case(("tiny.yaml line", "profiles.hr_indicators names 'tenure'", "did you mean tenure_years?"))
def indicator_that_nobody_has(project):
    project.edit(params("profiles", hr_indicators=["tenure"]))


@case(("tiny.yaml line", "hr_indicators names tenure_years, of which", "have 1 different values", "leave it out"))
def indicator_in_which_all_are_alike(project):
    project.rewrite("register", lambda rows: rows.assign(tenure_years="5"))
    project.edit(params("profiles", hr_indicators=["tenure_years"]))


@case(("tiny.yaml line", "profiles.names has 3 names, and profiles.n_profiles is 2", "as many names"),
      ("tiny.yaml line", "profiles.names has 'a' for 2 profiles (en)", "a name of its own"))
def names_that_are_not_those_of_the_profiles(project):
    project.edit(params("profiles", n_profiles=2, names=[{"en": "a"}, {"en": "a", "uz": "b"}, {"en": "c"}]))


@case(("tiny.yaml line", "profiles.prior is -1", "0 or more"))
def prior_of_fewer_than_nobody(project):
    project.edit(params("profiles", prior=-1))


@case(("register.csv.gz, column sx: there is no column sx", "did you mean sex?"))
def recode_of_an_unknown_column(project):
    project.edit(params("data", "register", recode={"sx": {"f": "female"}}))


@case(("responses.csv, column DL02: there is no column DL02, which items declare", "drop the item"))
def unknown_item_column(project):
    project.rewrite("responses", lambda rows: rows.drop(columns="DL02"))


@case(("items.csv, column type: no item is anchored", "profiles.variables"))
def levels_without_an_anchored_item(project):
    project.rewrite("items", lambda rows: rows.assign(type=rows["type"].replace("anchored", "frequency")))


@case(("items.csv line 7, column competency_id: the anchored item DR01 belongs to no competency", "name it"))
def anchored_item_without_a_competency(project):
    cell(project, "items", 7, "competency_id", "")


@case(("requirements.csv, column role_id + role_level: none", "register.csv.gz", "use the same codes"))
def requirements_for_roles_that_nobody_has(project):
    project.rewrite("register", lambda rows: rows.assign(role_level="grade " + rows["role_level"]))


@case(("requirements.csv line 7, column competency_id: 'digitl' is not in competencies.csv", "correct it"))
def requirement_for_an_unknown_competency(project):
    cell(project, "requirements", 7, "competency_id", "digitl")


@case(("course_effects.csv line 7, column course_id: 'B99' is not in courses.csv", "correct it"))
def effect_of_an_unknown_course(project):
    cell(project, "course_effects", 7, "course_id", "B99")


@case(("tiny.yaml line", "data.courses is there without data.course_effects", "take plan out"))
def courses_without_effects(project):
    project.edit(lambda values: values["data"].pop("course_effects"))


@case(("courses.csv line 7, column eligibility: nobody in register.csv.gz", "role_id=astronaut", "correct the rule"))
def course_that_nobody_may_take(project):
    cell(project, "courses", 7, "eligibility", "role_id=astronaut")


@case(("courses.csv line 7, column currency: EUR", "XXX", "convert the prices"))
def prices_in_another_currency(project):
    cell(project, "courses", 7, "currency", "EUR")


@case(("responses.csv, column role_id", "data.responses.columns"), ("responses.csv, column role_level",),
      ("tiny.yaml line", "gaps.by names 'agency_id'"), ("tiny.yaml line", "no register: declare data.register"))
def requirements_by_role_and_nobody_has_one(project):
    project.edit(lambda values: [values["data"].pop(table) for table in ("register", "agencies")])


@case(("courses.csv: the file is empty", "export it again"))
def empty_file(project):
    project.table("courses").write_bytes(b"")


@case(("courses.csv: there are no rows under the header", "export it again"))
def header_only(project):
    project.rewrite("courses", lambda rows: rows.head(0))


@case(("courses.csv line 5: 18 values under 17 columns", "quote values that hold a comma"))
def ragged_row(project):
    path = project.table("courses")
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] += ",more"
    path.write_text("\n".join(lines), encoding="utf-8")


@case(("courses.csv line 2: byte 0xe9 is not UTF-8", "save the file as UTF-8"))
def table_that_is_not_utf8(project):
    path = project.table("courses")
    path.write_bytes(path.read_bytes().replace(b"Digital", "Défi".encode("latin-1"), 1))


@case(("register.csv.gz: can't be read as CSV", "export it again"))
def compressed_file_that_is_not(project):
    project.table("register").write_bytes(b"staff_id,agency_id\nA1,levy\n")


@case(("courses.xls: can't read this kind of file", "save it as .csv"))
def file_of_another_kind(project):
    (project.params.parent / "courses.xls").write_bytes(b"x")
    project.edit(params("data", "courses", file="courses.xls"))


@case(("tiny.yaml line", "data.courses has neither file nor rows", "name a file"))
def table_without_file_or_rows(project):
    project.edit(params("data", courses={}))


@case(("tiny.yaml line", "plan.budget is -5", "0 or more"))
def negative_budget(project):
    project.edit(params("plan", budget=-5))


@case(("tiny.yaml line", "plan.budget is 'a lot'", "expected a number"))
def budget_in_words(project):
    project.edit(params("plan", budget="a lot"))


@case(("tiny.yaml line", "plan.budget is '.inf'", "expected a number"))
def endless_budget(project):
    project.edit(params("plan", budget=float("inf")))


@case(("tiny.yaml line", "disclosure.threshold is 1", "2 or more"))
def disclosure_of_everybody(project):
    project.edit(lambda values: values.update(disclosure={"threshold": 1}))


@case(("tiny.yaml line", "profiles.variables is 'competences'", "competencies, items, or a list of items"))
def unknown_word(project):
    project.edit(params("profiles", variables="competences"))


@case(("tiny.yaml line 1: key unit is 'other'", "rename the file or write unit: tiny"))
def unit_named_otherwise_than_its_file(project):
    project.edit(lambda values: values.update(unit="other"))


@case(("tiny.yaml line", "key plan stands twice", "first in line", "keep one"))
def duplicate_key(project):
    project.params.write_text(project.params.read_text(encoding="utf-8") + "plan: {budget: 3}\n", encoding="utf-8")


@case(("tiny.yaml line 2", "correct the YAML"))
def params_that_are_not_yaml(project):
    project.params.write_text("unit: [tiny\ntitle", encoding="utf-8")


@case(("tiny.yaml: expected keys and values",))
def params_that_say_nothing(project):
    project.params.write_text("", encoding="utf-8")


@case(("tiny.yaml line 2: byte 0xe9 is not UTF-8", "save the file as UTF-8"))
def params_that_are_not_utf8(project):
    project.params.write_bytes("unit: tiny\ntitle: {en: Défi}\n".encode("latin-1"))


@case((f"responses.csv line {FIRST}, column weight: every respondent has the weight 0", "how many people"))
def weights_all_zero(project):
    project.rewrite("responses", lambda rows: rows.assign(weight="0"))


@case(("responses.csv line 2, column weight: -1 is below 0", "(300 rows)", "correct it"))
def weights_negative(project):
    project.rewrite("responses", lambda rows: rows.assign(weight="-1"))


@case((f"responses.csv line {FIRST}, column weight: the value is empty", "give each respondent a weight"))
def respondent_without_a_weight(project):
    cell(project, "responses", FIRST, "weight", "")


@case(("responses.csv line 5, column weight: 'inf' is not a number", "correct it"))
def weight_without_end(project):
    cell(project, "responses", 5, "weight", "inf")


@case(("stratum 'alone'", "one sampling unit", "merge it"))
def stratum_with_one_respondent(project):
    cell(project, "responses", FIRST, "stratum", "alone")


@case(("margin sex: 'other' has staff but no respondent", "drop it from design.calibrate"))
def margin_category_without_respondents(project):
    project.edit(lambda values: values["data"]["register"]["codes"]["sex"].append("other"))
    cell(project, "register", SILENT, "sex", "other")


@case(("tiny.yaml line", "no respondent is left by data.responses.respondents", "correct the conditions"))
def no_respondent_left(project):
    project.edit(params("data", "responses", respondents={"status": {"in": ["finished"]}}))


@case(("responses.csv: none of", "has an answer in 76 items", "check item_id"))
def nobody_answered_anything(project):
    items = pd.read_csv(project.table("items"))["item_id"]
    project.rewrite("responses", lambda rows: rows.assign(**dict.fromkeys(items, "")))


@pytest.fixture
def reported(project):
    """A project with an older report of its unit, which nobody may touch."""
    for name in ("en.html", "manifest.json", "tables/gaps.csv"):
        (project.report / name).parent.mkdir(parents=True, exist_ok=True)
        (project.report / name).write_text("older", encoding="utf-8")
    return project


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_one_line_with_place_value_and_remedy(name, reported):
    damage, expected = CASES[name]
    damage(reported)
    older = contents(reported.root / "reports")
    manifest = reported.run()
    lines = manifest.reason.splitlines()
    assert manifest.state == "failed"
    for parts in expected:
        assert any(all(part in line for part in parts) for line in lines), manifest.reason
    assert len(lines) == len(expected), manifest.reason
    assert "unexpected" not in manifest.reason and str(reported.root) not in manifest.reason
    assert contents(reported.root / "reports") == older
    assert not (reported.root / "build" / "tiny" / "error.log").exists()


def test_all_faults_of_all_tables_come_together(project):
    together = [answer_out_of_range, unknown_agency_code, effect_of_an_unknown_course, weight_without_end,
                text_where_a_number_is_expected, split_by_an_unknown_column]  # fmt: skip
    for damage in together:
        damage(project)
    project.edit(params("data", "agencies", file="../data/none.csv"))
    parts = [part for damage in together for part in CASES[damage.__name__][1][0]]
    parts = [part for part in parts if "zzz" not in part and part != "add it there"]  # needs the missing file
    reason = project.run().reason
    assert all(part in reason for part in [*parts, "none.csv: there is no such file"]), reason
    assert len(reason.splitlines()) == len(together)


def test_an_outside_file_that_is_absent_makes_the_unit_wait(reported):
    older = contents(reported.root / "reports")
    source = {"name": "the Statistical Office", "get": "by letter"}
    reported.table("responses").unlink()
    reported.edit(params("data", "responses", source=source))
    manifest = reported.run(data=reported.root / "data")
    assert manifest.state == "waiting"
    for part in ("tiny.yaml", "tiny/responses.csv", *source.values(), "DATA="):
        assert part in manifest.reason
    assert len(manifest.reason.splitlines()) == 1 and str(reported.root) not in manifest.reason
    assert contents(reported.root / "reports") == older
    # a fault of the unit's own is told although it waits
    reported.table("courses").unlink()
    assert reported.run().state == "failed"


def test_a_folder_that_cannot_be_written_is_said_in_one_line(project, no_kernels):
    (project.root / "build").write_text("a file where a folder should be")
    manifest = project.run()
    assert manifest.state == "failed" and len(manifest.reason.splitlines()) == 1
    assert manifest.reason.startswith("build/tiny/") and str(project.root) not in manifest.reason


def test_a_bug_of_ours_fails_its_unit_in_one_line_with_the_log_beside(project, monkeypatch):
    monkeypatch.setattr("skillsgap.run.batch.Published", lambda unit: 1 / 0)
    manifest = project.run()
    assert manifest.state == "failed" and len(manifest.reason.splitlines()) == 1
    assert "ZeroDivisionError" in manifest.reason and "build/tiny/error.log" in manifest.reason
    assert "Traceback" in (project.root / "build" / "tiny" / "error.log").read_text()


def test_a_params_file_that_is_not_there_is_said(project):
    manifest = run_unit(project.params.with_name("nobody.yaml"))
    assert (manifest.state, manifest.reason) == ("failed", "nobody.yaml: there is no such params file in params/")


def test_one_bad_unit_stops_only_itself(project, no_kernels):
    away = params("data", "responses", file="far.csv", source={"name": "the Office", "get": "ask"})
    for name, change in {"bad": params("plan", budget=-5), "away": away}.items():
        values = {**project.values(), "unit": name}
        change(values)
        project.params.with_name(f"{name}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    manifests = {m.unit: m for m in run_batch(root=project.root)}
    assert {unit: m.state for unit, m in manifests.items()} == {"away": "waiting", "bad": "failed", "tiny": "done"}
    assert {path.name for path in (project.root / "reports").iterdir() if path.is_dir()} == {"tiny"}


def test_the_index_tells_where_a_fault_is_and_nobodys_id(project):
    duplicate_staff_id(project)
    reason = run_batch(root=project.root)[0].reason
    index = b"".join(contents(project.root / "reports").values()).decode()
    assert "A000004" in reason and "A000004" not in index
    assert "register.csv.gz line 9, column staff_id" in index


def call(root, *words):
    """``python -m skillsgap`` in a folder: exit code and all it printed."""
    done = subprocess.run([sys.executable, "-m", "skillsgap", *words], cwd=root, text=True, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "PYTHONPATH": str(REPO)})  # fmt: skip
    return done.returncode, done.stdout


def test_the_command_line_prints_one_line_a_fault_and_no_traceback(project):
    answer_out_of_range(project)
    code, printed = call(project.root, "reports")
    assert code == 1 and "Traceback" not in printed and "Warning" not in printed
    assert re.search(r"^  responses\.csv line 5, column DL01: answer 9 is outside 0\.\.4: ", printed, re.M)
    assert "0 done, 0 unchanged, 0 waiting, 1 failed" in printed


def test_the_command_line_refuses_in_one_line(project, tmp_path):
    refused = {
        ("reports", "tinny"): "there is no params/tinny.yaml: units here are tiny",
        ("reports", "--data", "nowhere"): "nowhere: there is no such folder",
        ("truth", "tinny"): "there is no params/tinny.yaml: units here are tiny",
    }
    for words, line in refused.items():
        code, printed = call(project.root, *words)
        assert code and line in printed and len(printed.splitlines()) == 1, printed
    code, printed = call(tmp_path, "reports")
    assert code and "there is no params/ folder" in printed and len(printed.splitlines()) == 1


JUNK = st.sampled_from([None, -1, 0, 1e9, True, "", "x", "ü", [], {}, [1], ["x"], {"x": 1}, {"in": []}, [[]], [{}]])
FUZZ = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELLS = st.sampled_from(["", "-1", "9", "2.5", "x", "1e400", "nan", "A000004"])


def keys_of(values, above=()):
    """The path of every key in a params file."""
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from keys_of(value, (*above, key))


@settings(FUZZ, max_examples=150)
@given(data=st.data())
def test_params_of_any_kind_are_read_or_refused_in_lines(data, tiny, tmp_path):
    values = tiny.values()
    *above, key = data.draw(st.sampled_from(sorted(keys_of(values))))
    content = values
    for step in above:
        content = content[step]
    content[data.draw(st.sampled_from([key, "x", 7, None, True]))] = data.draw(JUNK)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    try:
        read_params(path)
    except ParamsError as error:
        assert all(line.startswith("tiny.yaml") and line.count(": ") for line in str(error).splitlines())


@settings(FUZZ, max_examples=25)
@given(data=st.data())
def test_a_value_of_any_kind_is_taken_or_told_with_file_and_line(data, tiny, tmp_path):
    project = tiny.copy(tmp_path)
    table = data.draw(st.sampled_from(sorted(tiny.values()["data"])))
    rows = pd.read_csv(tiny.table(table), dtype=str, keep_default_na=False)
    line, column = data.draw(st.integers(2, len(rows) + 1)), data.draw(st.sampled_from(list(rows)))
    cell(project, table, line, column, data.draw(CELLS))
    try:
        read_study(read_params(project.params))
    except StudyError as error:
        assert all(re.match(r"\S+\.csv(\.gz)?( line \d+)?, column \S+: ", line) for line in str(error).splitlines())


def test_init_refuses_in_one_line_and_writes_nothing(project, tmp_path):
    here = tmp_path / "here.csv"
    here.write_text("a,b\n1,2\n", encoding="utf-8")
    refused = {
        ("init", "away.csv", "--output", "params/new.yaml"): "away.csv: there is no such file",
        ("init", str(here), "--output", "params/New Unit.yaml"): "New Unit.yaml: a unit is named in small letters",
        ("init", str(here), "--output", "params/tiny.yaml"): "tiny.yaml: there is such a file",
    }
    before = contents(project.root / "params")
    for words, line in refused.items():
        code, printed = call(project.root, *words)
        assert code and line in printed and len(printed.splitlines()) == 1, printed
    assert contents(project.root / "params") == before
    assert call(project.root, "init", str(here), "--output", "params/new.yaml")[0] == 0
    assert (project.root / "params" / "new.yaml").exists()
