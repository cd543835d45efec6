"""The plan's workbook, read back: the released tables' figures under named headings, in both languages."""

from io import BytesIO

import pandas as pd
import pytest
from openpyxl import load_workbook

from skillsgap.contracts import IMPACT
from skillsgap.decide.recommendations import NOT_RECORDED
from skillsgap.publish.disclosure import Rules, release_tables
from skillsgap.publish.plan_book import AGENCIES, COURSES, SHEETS, WHO, plan_workbook
from skillsgap.wording import LANGUAGES, Words

LABELS = {("agency_id", "tax"): {"en": "=Tax()", "uz": "Soliq"}, ("course_id", "B01"): {"en": "Data", "uz": "Maʼlumot"}}
SAID = {"number": "9 people", "sentence": "close 3%", "certainty": "2–4%"}


def tables(**first):
    """A plan of two rows, of which disclosure withholds the second."""
    row = {"agency_id": "tax", "role_id": "clerk", "role_level": "junior", "option_id": "B01", "kind": "train",
           "tier": "basic", "courses": "B01", "period": 0, "staff": 60, "eligible": 40, "seats": 9, "cost": 900.0,
           "gap_closed": 3.2, "mean_of_draws": 3.1, "ci_low": 2.5, "ci_high": 4.0, "reached": 2.0, "stability": 0.8,
           "n_draws": 10, "competency_1": "data", "competency_1_share": 0.7, "competency_2": "",
           "competency_2_share": 0, "rule_id": "floors:basics", "rule_family": "floors",
           **dict.fromkeys(IMPACT, NOT_RECORDED), "fairness": "need decides"}  # fmt: skip
    few = {**row, "role_id": "chief", "eligible": 4, "staff": 4, "seats": 2, "rule_id": "", "rule_family": ""}
    facts = {"feasible": 1, "budget": 1e5, "spend": 9e4, "seats": 9, "closed_share": 0.03, "value": 3, "bound": 3.01,
             "need": 100, "ci_low": 0.02, "ci_high": 0.04}  # fmt: skip
    made = {
        "recommendations": pd.DataFrame([{**row, **first}, few]),
        "plan_courses": pd.DataFrame([{"course_id": "B01", "tier": "basic", "provider": "", "period": row["period"],
                                       "seats": 11, "spend": 1100.0, "gap_closed": 4.0}]),
        "plan_agencies": pd.DataFrame([{"agency_id": "tax", "course_id": "B01", "tier": "basic", "seats": 11,
                                        "cost": 1100.0, "eligible": 44}]),
        "plan_summary": pd.Series(facts, dtype=float).rename_axis("name").rename("value").reset_index(),
    }  # fmt: skip
    return release_tables(made, Rules(threshold=10, rounding=5)).tables


def book(lang="en", given=None):
    words = Words(lang, LABELS, {"en": "solar", "uz": "solar"})
    made = plan_workbook(given or tables(), words, title="Arvenia · fictional", said=SAID, threshold=10)
    return load_workbook(BytesIO(made))


def rows(sheet, top=2):
    """The table of a sheet, under its headings."""
    values = list(sheet.iter_rows(min_row=top, values_only=True))
    return pd.DataFrame(values[1:], columns=values[0])


def test_figures_are_those_of_the_released_tables():
    made = book()
    assert made.sheetnames == ["Plan", "Recommendations", "Courses", "Agencies"]
    who = rows(made["Recommendations"]).set_index("Role").loc["clerk"]
    figures = ["Staff who may", "Seats", "Cost, solar", "Closes, weighted levels"]
    assert who[figures].tolist() == [40, 9, 900, 3.2]
    assert (who["Kept in draws"], who["Rule that asks for it"]) == (0.8, "mandatory courses (basics)")
    assert (who["Fairness"], who["Legality"]) == ("need decides", "not recorded")
    assert who["In words"].startswith("9 of 40 staff who may (clerk, junior, =Tax()): Data; 900 solar. Closes 3.2")
    assert not any(name in who["In words"] for name in ("Fairness", "{"))
    assert rows(made["Courses"])["Cost, solar"].tolist() == rows(made["Agencies"])["Cost, solar"].tolist() == [1100]
    told = {row[0]: row[1] for row in made["Plan"].iter_rows(min_row=4, values_only=True)}
    assert told["Budget, solar"] == 100_000 and told["No plan for this money closes more than"] == pytest.approx(0.0301)


def test_rows_of_few_staff_say_withheld_and_no_figure():
    few = rows(book()["Recommendations"]).set_index("Role").loc["chief"]
    assert few["Seats"] == "withheld"
    assert few[["Staff who may", "Cost, solar", "Closes, weighted levels", "Kept in draws", "In words"]].isna().all()


def test_text_that_looks_like_a_formula_stays_text():
    cells = [cell for row in book()["Agencies"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value == "=Tax()"} == {"s"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_headings_are_in_the_language(lang):
    words, made = Words(lang), book(lang)
    assert made.sheetnames == [words(name) for name in SHEETS.values()]
    for sheet, columns in zip(made.worksheets[1:], (WHO, COURSES, AGENCIES), strict=True):
        shown = [text for name, (text, *_) in columns.items() if name != "period"]  # there is one
        assert [cell.value for cell in sheet[2]] == [words(text, currency="solar") for text in shown]


def test_periods_are_told_where_there_are_several():
    table = rows(book(given=tables(period=1))["Recommendations"])
    assert sorted(table["Period"]) == [1, 2] and "Starts in period 2." in "".join(table["In words"].fillna(""))


def test_no_workbook_where_no_plan_keeps_all_rules():
    given = tables()
    given["plan_summary"] = pd.DataFrame({"name": ["feasible"], "value": [0.0]})
    assert plan_workbook(given, Words("en"), title="", said=SAID, threshold=10) is None


def test_a_run_writes_it_beside_the_page_that_links_to_it(made):
    report = made.project.report
    for lang in LANGUAGES:
        name = f"plan.{lang}.xlsx"
        assert name in made.manifest.files and f'href="{name}"' in (report / f"{lang}.html").read_text("utf-8")
        sheet = load_workbook(report / name)[Words(lang)(SHEETS["who"])]
        released = pd.read_csv(report / "tables" / "recommendations.csv")
        shown = pd.to_numeric(rows(sheet)[Words(lang)(WHO["seats"][0])], errors="coerce")
        assert len(shown) == len(released) and shown.sum() == released["seats"].sum()
