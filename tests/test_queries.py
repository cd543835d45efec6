"""The page of queries asks the data owner in their language, says what hangs on each answer, and shows no id."""

import html
import json
import re

import pandas as pd
import pytest

from skillsgap.contracts import QUALITY
from skillsgap.errors import Problem
from skillsgap.publish.gates import DIMENSIONS, KINDS, TABLES
from skillsgap.publish.queries import SEND, queries_page
from skillsgap.wording import LANGUAGES, N_, Words

NASTY = "<script>alert(1)</script> & \"x\" <b onclick='y'>"
SOMEBODY = "E0012"
OUTSIDE = Problem("responses.csv", "answer {value} is outside {low}..{high}", "correct it, or add it to missing_codes",
                  412, "DL03", 1400, {"value": "9", "low": 0, "high": 4})
LACKS = Problem("courses.csv", "there is no column {column}", "add it, or map it in params: data.{table}.columns",
                column="hours", values={"column": "hours", "table": "courses"})
TWICE = Problem("register.csv", "{value!r} stands in lines {lines}", "keep one of them", 7, "staff_id", 2,
                {"value": SOMEBODY, "lines": "7, 90"})
READ = Problem("responses.csv", "the file is {encoding}", "read as {encoding}", values={"encoding": "UTF-16"})
NOTES = pd.DataFrame({
    "table": "register", "file": "register.csv", "line": pd.array([None, 3], "Int64"), "column": ["", "staff_id"],
    "rows": [1, 20], "text": ["the file is {encoding}", "blanks around {value}"], "remedy": "read without them",
    "values": [json.dumps({"encoding": "UTF-16"}), json.dumps({"value": f"{SOMEBODY} "})],
})  # fmt: skip


def levels(**level):
    rows = [("register", name, "", x, 0.5, "{share}% of {n} rows", json.dumps({"share": 41.25, "n": 12345}))
            for name, x in level.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["table", "dimension", "part", "level", "measure", "reason", "values"])


def page(problems=(), notes=None, quality=None, *, lang="en", **options):
    words = Words(lang, {}, {})
    title = {"en": "Arvenia", "uz": "Arveniya"}
    return queries_page(title, problems, notes, quality, owner="Ministry", words=words, **options)


def items(text):
    """Each question as its plain text."""
    found = re.findall(r"(?s)<li>(.*?)</li>", text)
    return [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", item))).strip() for item in found]


def test_a_fault_says_where_what_how_many_what_hangs_on_it_and_what_to_send():
    [first, second] = items(page([LACKS, OUTSIDE]))
    assert first.startswith("responses.csv · line 412 · column DL03 · 1,400 rows answer 9 is outside 0..4")
    assert "No report can be made until this is answered." in first
    assert "Please send The rows corrected, or what the value means." in first and "missing_codes" not in first
    assert "The file again with what it lacks" in second and "params" not in second
    assert first.endswith("Your answer")


def test_faults_come_first_then_levels_that_withhold_and_what_was_put_right_last():
    quality = levels(coverage=1, validity=3, timeliness=0)
    first, second, last = items(page([OUTSIDE], [READ], quality, gates={"coverage": 2, "validity": 3}))
    assert "outside" in first
    assert "coverage is at level 1 of 4, and 2 is needed: 41.25% of 12,345 rows." in second
    assert "Withheld until then: levels and shares, gaps and priorities" in second and "the plan" in second
    assert "the file is UTF-16. It was put right: read as UTF-16." in last
    assert "Nothing, if what was done is right." in last


def test_levels_of_parts_and_of_dimensions_without_a_gate_ask_nothing():
    quality = pd.concat([levels(coverage=1).assign(part="A1"), levels(timeliness=0)])
    assert items(page((), None, quality, gates={"coverage": 2})) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("problem", [
    TWICE,
    Problem("r.csv", "{value!r} is not in {there}", "{there} has {other!r}", 9, "SEQID", 3,
            {"value": SOMEBODY, "there": "r.csv", "other": SOMEBODY}),
    Problem("r.csv", "{value} is above {high}", "correct it", 9, "staff_id", 1, {"value": 12, "high": 5}),
    Problem("r.csv", "{key!r} stands twice in {columns}", "keep one", 9, None, 2,
            {"key": f"{SOMEBODY} C1", "columns": "staff_id + course_id"}),
    Problem("r.csv", f"'{SOMEBODY}' is unknown", f"did you mean {SOMEBODY}?", 9, "staff_id", 1),
], ids=["twice", "the file's own name", "a number", "a key of several columns", "glued"])
def test_what_says_who_somebody_is_never_shows(problem, lang):
    text = page([problem], [problem], lang=lang, identifying=["SEQID"])
    assert SOMEBODY not in text and " 12 " not in items(text)[0]
    assert "9" in items(text)[0] or "7" in items(text)[0]
    if lang == "en":
        assert all("(id not shown)" in item for item in items(text))


def test_lines_and_files_of_an_id_still_show():
    assert "stands in lines 7, 90" in items(page([TWICE]))[0]


def test_notes_may_come_as_the_stage_table():
    first, second = items(page((), NOTES))
    assert first.startswith("register.csv · line 3 · column staff_id · 20 rows") and SOMEBODY not in first
    assert "the file is UTF-16" in second and "line" not in second.split("·")[0]


def test_a_fault_of_params_is_no_question_to_the_owner():
    faults = [Problem("arvenia.yaml", "there is nothing", "name a file", 3),
              Problem("arvenia.yaml data.items.rows", "no", "x", 4)]  # fmt: skip
    assert "There is nothing to ask" in page(faults)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_where_there_is_nothing_to_ask_the_page_says_so(lang):
    text = page(lang=lang)
    assert items(text) == [] and 'class="notice"' in text and "<ol" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_both_languages_ask_the_same_questions_with_the_same_numbers(lang):
    def numbers(text):
        return [sorted(re.findall(r"\d+", re.sub(r"(?<=\d)[\s\u00a0.,](?=\d)", "", item))) for item in items(text)]

    given = ([OUTSIDE, LACKS, TWICE], NOTES, levels(coverage=1))
    text = page(*given, lang=lang, gates={"coverage": 2})
    assert f'<html lang="{lang}">' in text and len(items(text)) == 6
    assert numbers(text) == numbers(page(*given, gates={"coverage": 2}))


def test_the_page_loads_nothing_runs_nothing_and_escapes_what_comes_from_data():
    problem = Problem(NASTY, "{value}", NASTY, 1, NASTY, 2, {"value": NASTY})
    text = queries_page(NASTY, [problem], [problem], None, owner=NASTY, words=Words("en"))
    assert "<script" not in text and "<b onclick" not in text and "&lt;script&gt;" in text
    assert "default-src 'none'" in text and not re.search(r"\bsrc=|url\(|href=|https?:", text)


def test_an_endless_value_is_cut():
    assert len(items(page([Problem("a.csv", "{value}", "correct it", 1, "x", 1, {"value": "y" * 9000})]))[0]) < 700


def test_row_order_changes_nothing():
    quality = levels(coverage=1, validity=0)
    gates = {"coverage": 2, "validity": 2}
    text = page([OUTSIDE, LACKS, TWICE], NOTES, quality, gates=gates)
    assert page([TWICE, LACKS, OUTSIDE], NOTES[::-1], quality[::-1], gates=gates) == text


def test_every_dimension_has_its_name_and_what_to_send_and_every_kind_rests_on_known_tables():
    assert set(SEND) == set(DIMENSIONS) == set(QUALITY)
    assert {table for _, tables in KINDS.values() for table in tables} <= set(TABLES)


def test_a_problem_is_said_with_its_values_as_the_language_writes_them():
    problem = Problem("a.csv", N_("{n} of {all}, in {year}"), "{share} left",
                      values={"n": 1.5, "all": 20140, "year": 2026, "share": "007"})  # fmt: skip
    assert Words("en").problem(problem) == ("1.5 of 20,140, in 2026", "007 left")
    assert Words("uz").problem(problem) == ("1,5 of 20\u00a0140, in 2026", "007 left")
    assert Words("en").problem(Problem("a", "a { stays", "so")) == ("a { stays", "so")
