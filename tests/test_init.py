"""First guesses at a user's files: how much is right on real ones, and that what is written can be read."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from guess_score import score_guess
from hypothesis import given
from hypothesis import strategies as st

from skillsgap.study.first.commented import Lines, quoted
from skillsgap.study.first.first_params import first_params
from skillsgap.study.params import read_params

REPO = Path(__file__).parents[1]
PLACES = [Path(os.environ["SKILLSGAP_DATA"])] if os.environ.get("SKILLSGAP_DATA") else []
DATA = next((p for p in [*PLACES, REPO.parent / "shared" / "data"] if (p / "survey_piaac").is_dir()), None)
FILES = {
    "est-piaac": "survey_piaac/piaac_est_employed.parquet",
    "usa-cells": "hr/fedscope_cells_202409_202503_10agencies.csv",
    "usa-county": "hr/montgomery_county_2016_employees_no_names.csv",
    "gbr-roles": "requirements/gdad_role_skill_levels.csv",
}
MISSING = ["9995", "9996", "9997", "9998", "9999"]
ASKED = {  # the questions on how often something is done, 1 never to 5 every day
    "F_Q": "01b 02a 02b 02c 02d 02e 03a 03b 03c 04a 04b 05a 05b 06b 06c",
    "G_Q": "01a 01b 01c 01d 01e 01f 01g 01h 02a 02b 02c 02d 03b 03c 03d 03f 03g 03h 05a 05c 05d 05e 05f 05g 05h",
    "H_Q": "01a 01b 01c 01d 01e 01f 01g 01h 02a 02b 02c 02d 03b 03c 03d 03f 03g 03h 05a 05c 05d 05e 05f 05g 05h",
}
# what a person declares who knows the codebooks
TRUTH = {
    "est-piaac": {
        "responses": {
            "columns": {"staff_id": "SEQID", "weight": "SPFWT0", "isco08": "ISCO1C", "industry": "ISIC1C",
                        "sex": "GENDER_R", "age_band": "AGEG10LFS"},
            "missing_codes": {"isco08": MISSING, "industry": MISSING},
            "replicate_weights": {"prefix": "SPFWT", "from": 1, "to": 80}, "replicates": "jk2",
            "plausible_values": {n: {"prefix": p, "count": 10} for n, p in
                                 (("literacy", "PVLIT"), ("numeracy", "PVNUM"), ("problem_solving", "PVPSL"))},
            "population": {"D_Q03": {"in": [2]}},
            "skip": {f"G_Q05{x}": {"when": {"G_Q04": {"in": [2]}}, "value": 1} for x in "acdefgh"},
        },
        "items": {"rows": [{"item_id": section + name, "n_categories": 5, "lowest": 1}
                           for section, names in ASKED.items() for name in names.split()]},
    },
    "usa-cells": {"register": {
        "columns": {"agency_id": "AGY", "unit_id": "AGYSUB", "role_id": "OCC", "grade": "GRD", "headcount": "EMPCOUNT"},
        "population": {"DATECODE": {"in": ["202503"]}}}},
    "usa-county": {"register": {
        "columns": {"staff_id": "employee_id", "agency_id": "Department", "unit_id": "Division", "sex": "Gender",
                    "role_id": "Employee Position Title", "hire_date": "Date First Hired"}, "dates": "mdy"}},
    "gbr-roles": {"requirements": {
        "columns": {"role_id": "Role", "role_level": "Role Level", "competency_id": "Skill Name",
                    "required_level": "skill_level_num"},
        "population": {"skill_level_num": {"missing": False}}}},
}  # fmt: skip
# right of those made, right of those there: what is reached, so that it is not lost again
REACHED = {"est-piaac": (0.86, 0.9), "usa-cells": (1, 1), "usa-county": (1, 1), "gbr-roles": (1, 1)}

real = pytest.mark.skipif(DATA is None, reason="the public files are neither in SKILLSGAP_DATA nor in ../shared/data")


def written(folder, unit, *paths, data=None):
    """The params of a first file, read back, and its text."""
    text = first_params(paths, unit=unit, beside=folder, data=data)
    path = folder / f"{unit}.yaml"
    path.write_text(text, encoding="utf-8")
    shutil.copy(REPO / "params" / "_defaults.yaml", folder)
    return read_params(path).values, text


def table(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- how much is right -------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize("unit", FILES)
def test_first_guesses_at_real_files_are_right_as_often_as_is_said(unit, tmp_path):
    values, _ = written(tmp_path, unit, DATA / FILES[unit], data=DATA)
    assert next(iter(TRUTH[unit])) in values["data"]
    scored = score_guess(values["data"], TRUTH[unit])
    right, made, there = scored["right"].sum(), (scored["guess"] != "").sum(), (scored["truth"] != "").sum()
    print(f"\n{unit}: {right} right of {made} made, of {there} there\n{scored.to_string(index=False)}")
    assert right / made >= REACHED[unit][0] and right / there >= REACHED[unit][1]
    wrong = scored[(scored["guess"] != "") & (scored["truth"] != "") & ~scored["right"]]
    assert wrong.empty, "what is guessed otherwise than a person would"


@real
def test_guesses_hold_for_a_file_they_were_not_made_on(tmp_path):
    truth = read_params(REPO / "params" / "kor-piaac.yaml").values["data"]
    values, _ = written(tmp_path, "kor-piaac", DATA / "survey_piaac" / "piaac_kor_employed.parquet", data=DATA)
    scored = score_guess(values["data"], {table: truth[table] for table in ("responses", "items")})
    there = scored[scored["truth"] != ""]
    assert there["right"].mean() >= 0.77
    assert not len(there[(there["guess"] != "") & ~there["right"]])


@real
def test_questions_that_were_not_put_to_everybody_are_told(tmp_path):
    _, text = written(tmp_path, "est", DATA / FILES["est-piaac"], data=DATA)
    assert "G_Q05a … G_Q05h are empty where G_Q04 is 2." in " ".join(text.replace("#", " ").split())


@real
def test_a_file_for_every_file_there_is_can_be_read(tmp_path):
    for path in sorted([*DATA.rglob("*.csv"), *DATA.rglob("gsps*.parquet")]):
        written(tmp_path, "any", path, data=DATA)


@real
def test_a_survey_is_read_by_its_first_file_alone(tmp_path):
    from skillsgap.study.records import read_study

    written(tmp_path, "est-piaac", DATA / FILES["est-piaac"], data=DATA)
    tables = read_study(read_params(tmp_path / "est-piaac.yaml"), data=DATA).tables()
    assert tables["replicate_weights"].shape == (5355, 80) and tables["plausible_values"].shape == (5355, 30)


@real
def test_a_mean_of_service_is_nobodys_tenure(tmp_path):
    _, text = written(tmp_path, "usa", DATA / FILES["usa-cells"], data=DATA)
    assert "not used: AVGLOS (it is a figure over several people" in text


def test_the_score_counts_wrong_lacking_and_extra_guesses():
    made = {"register": {"columns": {"sex": "Gender", "grade": "Step", "region": "Area"}, "file": "a.csv"}}
    scored = score_guess(made, {"register": {"columns": {"sex": "Gender", "grade": "GRD", "role_id": "Job"}}})
    assert scored.set_index("fact")["right"].to_dict() == {
        "register.table": True, "register.columns.sex": True, "register.columns.grade": False,
        "register.columns.region": False, "register.columns.role_id": False,
    }  # fmt: skip


# --- what is guessed, on small files -------------------------------------------------------------------------------


def register(folder, head, rows=40, **columns):
    """A register of persons under the given names of its columns."""
    parts = {"id": [f"X{i:03}" for i in range(rows)], "agency": [f"m{i % 4}" for i in range(rows)],
             "role": [f"r{i % 5}" for i in range(rows)], "sex": ["fm"[i % 2] for i in range(rows)], **columns}
    return table(folder, "list.csv", head, *(",".join(row) for row in zip(*parts.values(), strict=True)))


@pytest.mark.parametrize("head", [
    "Табельный номер,Ведомство,Должность,Пол", "Tabel raqami,Vazirlik,Lavozim,Jinsi",
    "Табель рақами,Вазирлик,Лавозим,Жинси", "Employee ID,Department,Job title,Gender",
    "emp_id,MinistryCode_Ministry,PositionTitle,SEX",
])  # fmt: skip
def test_columns_are_known_in_each_language(tmp_path, head):
    values, _ = written(tmp_path, "uzb", register(tmp_path, head))
    names = head.split(",")
    assert values["data"]["register"]["columns"] == dict(zip(("staff_id", "agency_id", "role_id", "sex"), names,
                                                             strict=True))  # fmt: skip


def test_the_order_of_dates_is_guessed_or_asked_for(tmp_path):
    for dates, order, asked in ((["21.03.2020", "01.12.2019"], "dmy", False), (["03/21/2020"], "mdy", False),
                                (["2020-03-21"], None, False), (["01/02/2020"], "dmy", True),
                                (["21/03/2020", "03/21/2020"], "dmy", True)):  # fmt: skip
        path = register(tmp_path, "id,agency,role,sex,hire date", hired=[dates[i % len(dates)] for i in range(40)])
        values, text = written(tmp_path, "uzb", path)
        assert values["data"]["register"].get("dates") == order
        assert any("dates:" in line and "TODO" in line for line in text.splitlines()) == asked


def test_missing_codes_are_those_far_outside_and_words_for_nothing(tmp_path):
    path = register(tmp_path, "id,agency,role,sex,isco,region", isco=["1", "2", "3", "9998"] * 10,
                    region=["a", "b", "не указано", "refused"] * 10)
    values, _ = written(tmp_path, "uzb", path)
    assert values["data"]["register"]["missing_codes"] == {
        "isco08": MISSING, "region": {"not_stated": ["не указано"], "refused": ["refused"]}}  # fmt: skip


def test_na_among_codes_of_two_letters_is_asked_about(tmp_path):
    path = register(tmp_path, "id,agency,role,sex", agency=["NA", "NB", "NC", "ND"] * 10)
    values, text = written(tmp_path, "nam", path)
    assert "missing_codes" not in values["data"]["register"] and "TODO: agency holds NA (10 rows)" in text


def survey(folder, items, answers, head="respondent id,weight", more=("1.5",)):
    rows = [[f"p{i}", *more, *(answers[(i + j) % len(answers)] for j in range(len(items)))] for i in range(60)]
    return table(folder, "survey.csv", ",".join([head, *items]), *map(",".join, rows))


def test_items_share_one_run_of_codes_and_leave_missing_codes_out(tmp_path):
    path = survey(tmp_path, ["Q1", "Q2", "Q3", "Q4"], ["1", "2", "3", "4", "5", "9"])
    data = written(tmp_path, "uzb", path)[0]["data"]
    rows = data["items"]["rows"]
    assert [(r["item_id"], r["n_categories"], r["lowest"], r["type"]) for r in rows] == [
        (f"Q{i}", 5, 1, "frequency") for i in range(1, 5)]  # fmt: skip
    assert data["responses"]["missing_codes"] == {f"Q{i}": ["9"] for i in range(1, 5)}
    assert data["competencies"]["rows"][0]["competency_id"] == rows[0]["competency_id"] == "q"


def test_a_row_for_each_answer_is_told_from_a_row_for_each_person(tmp_path):
    rows = [f"p{i},Q{j},{(i + j) % 5}" for i in range(30) for j in range(4)]
    data = written(tmp_path, "uzb", table(tmp_path, "long.csv", "xodim id,savol,javob", *rows))[0]["data"]
    assert data["responses"]["long"] == {"item": "savol", "answer": "javob"}
    assert data["responses"]["columns"] == {"staff_id": "xodim id"} and len(data["items"]["rows"]) == 4


def test_the_latest_wave_is_reported_and_languages_of_answers_are_known(tmp_path):
    path = survey(tmp_path, ["Q1", "Q2", "Q3"], ["0", "1", "2"], "respondent id,survey wave,til,interview language",
                  ("2024", "uz", "ru"))  # fmt: skip
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1:20] = [line.replace("2024", "2025") for line in lines[1:20]]
    path.write_text("\n".join(lines), encoding="utf-8")
    spec = written(tmp_path, "uzb", path)[0]["data"]["responses"]
    assert spec["wave"] == "2025" and spec["columns"]["answer_language"] == "interview language"


def test_published_figures_are_aggregates_and_what_tells_rows_apart_is_named(tmp_path):
    rows = [f"agency,g{i % 3},skill{i % 2},{year},0.{i}5" for i in range(6) for year in (2024, 2025)]
    path = table(tmp_path, "published.csv", "breakdown,category,indicator,year,share", *rows)
    values, text = written(tmp_path, "uzb", path)
    assert values["data"]["aggregates"]["constants"] == {"statistic": "share"}
    assert "choose rows with population, by year" in text


def test_numbers_of_cells_are_read_as_they_are_written(tmp_path):
    rows = [f"a{i};r{i % 3};1 {i:03}" for i in range(1, 9)]
    path = table(tmp_path, "cells.csv", "idora,lavozim,xodimlar soni", *(row.replace(";", ",") for row in rows))
    spec = written(tmp_path, "uzb", path)[0]["data"]["register"]
    assert spec["numbers"] == {"decimal": ",", "thousands": " "} and spec["columns"]["headcount"] == "xodimlar soni"


ITEMS = ["item_id,competency_id,type,n_categories,form,filter_item,filter_codes", "A1,x,anchored,5,both,,",
         "A2,x,anchored,5,both,,", "A3,y,anchored,5,both,,", "B1,y,judgement,4,long,A1,0|1", "C1,,interest,5,long,,"]


def asked(folder, *questions, long=False):
    """What is made of items and of a survey that put some of them."""
    head = "respondent id,weight"
    path = survey(folder, questions, ["0", "1", "2", "3", "4"], head)
    if long:
        answers = pd.read_csv(path, dtype=str).melt(head.split(","), questions, "question", "answer")
        answers.to_csv(path, index=False)
    return written(folder, "uzb", table(folder, "items.csv", *ITEMS), path)


@pytest.mark.parametrize("long", [False, True])
def test_items_that_a_form_left_out_are_left_out_by_their_form(tmp_path, long):
    data = asked(tmp_path, "A1", "A2", "A3", long=long)[0]["data"]
    assert data["items"]["population"] == {"form": {"in": ["both"]}} and "skip" not in data["responses"]


def test_items_that_no_form_tells_from_the_asked_are_asked_about(tmp_path):
    values, text = asked(tmp_path, "A1", "A2", "B1")
    assert "population" not in values["data"]["items"]
    assert "TODO: survey.csv has no A3, C1" in text


@pytest.mark.parametrize("long", [False, True])
def test_questions_that_items_say_are_skipped_are_declared_so(tmp_path, long):
    data = asked(tmp_path, "A1", "A2", "A3", "B1", "C1", long=long)[0]["data"]
    assert data["responses"]["skip"] == {"B1": {"when": {"A1": {"in": ["0", "1"]}}}}
    assert "population" not in data["items"]


# --- what is written ----------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_is_quoted_so_that_it_is_read_back(text):
    assert yaml.safe_load(f"{{k: {quoted(text)}}}") == {"k": text}


def test_a_comment_can_not_become_a_line_of_its_own():
    out = Lines()
    out.say(0, "not used: a\nunit: evil\u2028x\x85y")
    out.add(0, "unit: uzb", "a\rdata: 1")
    assert yaml.safe_load(out.text()) == {"unit": "uzb"}


def test_strange_names_of_columns_are_read_back(tmp_path):
    names = ["no", "a: b #", '"gender"', "{lavozim}"]
    path = register(tmp_path, ",".join(f'"{name}"'.replace('""', '"""') for name in names))
    columns = written(tmp_path, "uzb", path)[0]["data"]["register"]["columns"]
    assert columns["sex"] == '"gender"' and columns["role_id"] == "{lavozim}"


def test_the_same_files_give_the_same_text_in_any_order_of_rows(tmp_path):
    path = survey(tmp_path, ["Q1", "Q2", "Q3"], ["1", "2", "3", "4"])
    first = first_params([path], unit="uzb", beside=tmp_path)
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *reversed(rows)]) + "\n", encoding="utf-8")
    assert first_params([path], unit="uzb", beside=tmp_path) == first


def test_two_files_of_one_table_give_it_once(tmp_path):
    first = register(tmp_path, "id,agency,role,sex")
    second = shutil.copy(first, tmp_path / "second.csv")
    values, text = written(tmp_path, "uzb", first, second)
    assert values["data"]["register"]["file"] == "list.csv" and "second.csv (data.register is another file" in text


def test_another_encoding_and_delimiter_are_declared(tmp_path):
    path = register(tmp_path, "Табельный номер,Ведомство,Должность,Пол")
    path.write_bytes(path.read_text(encoding="utf-8").replace(",", ";").replace("m1", "Сув").encode("windows-1251"))
    spec = written(tmp_path, "uzb", path)[0]["data"]["register"]
    assert (spec["encoding"], spec["delimiter"], spec["columns"]["sex"]) == ("windows-1251", ";", "Пол")


def test_files_that_are_no_table_are_told_and_the_file_still_loads(tmp_path):
    path = table(tmp_path, "weather.csv", "day,rain", *(f"{i},{i % 3}" for i in range(30)))
    _, text = written(tmp_path, "uzb", path)
    assert "not used: weather.csv (it looks like none of the tables); its columns: day, rain" in text


def test_the_files_of_the_fictional_country_give_the_tables_of_its_own_params(tmp_path):
    from skillsgap.study.records import read_study

    place = REPO / "data" / "synthetic"
    files = [*sorted((place / "arvenia").glob("*.csv*")), *sorted((REPO / "data" / "framework").glob("*.csv"))]
    _, text = written(tmp_path, "arvenia", *files)
    assert "missing_codes" not in text
    mine = read_study(read_params(tmp_path / "arvenia.yaml")).tables()
    own = read_study(read_params(REPO / "params" / "arvenia.yaml")).tables()
    assert own.pop("able") is not None and set(mine) == set(own)  # staff are counted for a plan, which no file tells
    unsaid = ["as_of", "declared"]  # when a table was true, and which codes it may hold, no file says
    for name, expected in own.items():
        pd.testing.assert_frame_equal(mine[name].drop(columns=unsaid, errors="ignore"),
                                      expected.drop(columns=unsaid, errors="ignore"))  # fmt: skip
