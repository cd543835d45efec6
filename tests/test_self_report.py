"""Self-ratings against an assessor: by hand, against planted bias, and what a page says of it."""

import inspect
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import GROUPS, check
from skillsgap.estimate.measures.scoring import score_competencies
from skillsgap.estimate.measures.selfreport import self_report_difference
from skillsgap.estimate.survey.design import survey_design
from skillsgap.publish.disclosure import Rules, release_tables
from skillsgap.publish.foot import foot
from skillsgap.publish.report import Facts
from skillsgap.run.release import Published
from skillsgap.study.synthetic.country import make_country
from skillsgap.study.synthetic.spec import read_spec, small_spec
from skillsgap.wording import Words

REPO = Path(__file__).parents[1]
ITEMS = pd.DataFrame({
    "item_id": ["a1", "a2", "b1", "ta", "tb"], "competency_id": ["a", "a", "b", "a", "b"],
    "type": ["anchored"] * 3 + ["tested"] * 2, "n_categories": 5, "lowest": 0,
})  # fmt: skip
ANSWERS = pd.DataFrame({
    "a1": [2, 3, 4, 1, 0], "a2": [3, 3, np.nan, 1, 1], "b1": [1, 2, 3, np.nan, 4],
    "ta": [2, 2, 4, np.nan, np.nan], "tb": [1, 3, np.nan, 2, np.nan], "weight": [1.0, 2.0, 1.0, 3.0, 5.0],
}, index=pd.Index(range(5), name="row_key"))  # fmt: skip


def estimate(answers=ANSWERS, items=ITEMS, **options):
    """The table, of answers with their weights."""
    return self_report_difference(score_competencies(answers, items), answers, items, survey_design(answers, **options))


def drawn(n_assessed, shift=0.0, *, true=2.0, sd=(0.5, 0.3), seed=0):
    """Whole levels of people round a true level, from themselves and from an assessor."""
    rng = np.random.default_rng(seed)
    level = true + rng.normal(0, 0.3, n_assessed)
    rated, found = (np.clip(np.rint(level + add + rng.normal(0, s, n_assessed)), 0, 4)
                    for add, s in ((shift, sd[0]), (0.0, sd[1])))  # fmt: skip
    answers = pd.DataFrame({"a1": rated, "a2": rated, "b1": rated, "ta": found, "tb": found, "weight": 1.0})
    return answers.rename_axis("row_key")


# --- by hand ----------------------------------------------------------------------------------------------------


def test_weighted_mean_differences_by_hand():
    table = estimate().set_index("competency_id")
    # a: 0.5 once, 1 twice, 0 once; b: 0 once, -1 twice; the fourth rates no b, the fifth was not assessed
    assert table["estimate"].to_dict() == pytest.approx({"a": 2.5 / 4, "b": -2 / 3, "all": 0.25 / 4})
    assert table["n"].to_dict() == {"a": 3, "b": 2, "all": 3}
    assert table["n_eff"].to_dict() == pytest.approx({"a": 16 / 6, "b": 9 / 5, "all": 16 / 6})
    assert (table["uncertainty"] == "sampling").all() and (table["ci_low"] < table["ci_high"]).all()
    assert check("self_report", estimate()).empty


def test_the_interval_is_that_of_a_mean_of_differences():
    answers = drawn(400, 0.4)
    table = estimate(answers, n_replicates=2000).iloc[0]
    off = answers["a1"] - answers["ta"]
    assert table["estimate"] == pytest.approx(off.mean())
    assert table["se"] == pytest.approx(off.std() / np.sqrt(400), rel=0.1)


@pytest.mark.parametrize("change", [{"n_categories": 4}, {"lowest": 1}, {"type": "knowledge"}])
def test_a_test_that_gives_no_level_counts_for_nothing(change):
    tested = ITEMS["type"] == "tested"
    items = ITEMS.assign(**{column: ITEMS[column].mask(tested, value) for column, value in change.items()})
    table = estimate(items=items)
    assert table.empty and list(table) == list(estimate())
    assert check("self_report", table).empty


def test_nobody_assessed_makes_no_table_and_no_declared_lowest_is_0():
    assert estimate(ANSWERS.assign(ta=np.nan, tb=np.nan)).empty
    pd.testing.assert_frame_equal(estimate(items=ITEMS.drop(columns="lowest")), estimate())


def test_items_tied_to_no_competency_measure_none():
    assert self_report_difference(score_competencies(ANSWERS, ITEMS), ANSWERS, ITEMS.drop(columns="competency_id"),
                                  survey_design(ANSWERS)).empty  # fmt: skip


def test_weight_2_is_the_row_twice_and_weight_0_no_row():
    twice = ANSWERS.loc[np.repeat([0, 1, 2, 3, 4], [1, 2, 1, 3, 0])].assign(weight=1.0).reset_index(drop=True)
    without = ANSWERS.assign(weight=ANSWERS["weight"].mask(ANSWERS.index == 4, 0.0))
    for other in (twice, without):
        assert estimate(other)["estimate"].tolist() == pytest.approx(estimate()["estimate"].tolist())


def test_scale_of_weights_and_order_of_rows_and_items_change_nothing():
    answers = drawn(60, 0.2).assign(weight=np.tile([1.0, 2.0, 3.0], 20))
    table = estimate(answers)
    for other, items in ((answers.sample(frac=1, random_state=1), ITEMS.iloc[::-1]),
                         (answers.assign(weight=answers["weight"] * 7), ITEMS)):
        pd.testing.assert_frame_equal(estimate(other, items), table)


# --- against what was planted -----------------------------------------------------------------------------------


def test_the_95_interval_holds_the_truth_in_95_of_100_samples():
    tables = [estimate(drawn(60, seed=seed), n_replicates=100).iloc[0] for seed in range(200)]
    inside = np.mean([table["ci_low"] <= 0 <= table["ci_high"] for table in tables])
    assert 0.90 <= inside <= 0.98


def test_ends_of_the_scale_make_a_bias_smaller_and_draw_the_noisier_measure_inwards():
    middle, top = (estimate(drawn(4000, 0.5, true=true)).iloc[0]["estimate"] for true in (2.0, 4.0))
    assert middle == pytest.approx(0.5, abs=0.05) and top < 0.35
    low, high = (estimate(drawn(4000, true=true, sd=(0.9, 0.1))).iloc[0]["estimate"] for true in (0.2, 3.8))
    assert low > 0.1 and high < -0.1


@cache
def spec_of_arvenia():
    return read_spec(REPO / "data" / "synthetic" / "arvenia" / "spec.yaml")


def country(seed, bias, n_staff):
    """Answers of those who answered in a small country, half of them assessed too; and its items."""
    small = small_spec(spec_of_arvenia(), n_staff=n_staff, n_agencies=3)
    report = {**small["self_report"], "bias": bias, "tested": 0.5}
    tables = make_country({**small, "self_report": report}, random_state=seed).tables
    rows = tables["responses"].query("status != 'no_response'").drop(columns="stratum")
    items = tables["items"].query("item_id in @rows.columns")
    return rows.assign(**rows[items["item_id"]].astype(float)).rename_axis("row_key"), items


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_bias_is_found(seed):
    bias = {group: 0.1 * place for place, group in enumerate(GROUPS[:6])} | {"security": 0.3}
    rows, items = country(seed, bias, 600)
    table = estimate(rows, items)
    parts, whole = table[:-1], table.iloc[-1]
    planted = parts["competency_id"].map(items.query("type == 'tested'").set_index("competency_id")["group"]).map(bias)
    assert len(parts) == 6 and planted.notna().all()
    assert ((parts["estimate"] - planted).abs() < 4 * parts["se"]).all()
    assert abs(whole["estimate"] - planted.mean()) < 4 * whole["se"] and whole["ci_low"] > 0


def test_without_bias_most_intervals_hold_0():
    """Not 95 of 100: many staff of this country stand near level 0, where the noisier self-ratings come out higher."""
    inside = []
    for seed in range(5):
        rows, items = country(seed, {}, 1200)
        samples = [rows.iloc[start::6] for start in range(6)]
        tables = [estimate(sample, items, n_replicates=100).iloc[-1] for sample in samples]
        inside += [table["ci_low"] <= 0 <= table["ci_high"] for table in tables]
    assert sum(inside) >= 24 and len(inside) == 30


# --- what a page says of it ------------------------------------------------------------------------------------


def said(table, *, lang="en", scale="levels", n_eff=900.0, **facts):
    """The foot of a page whose one view, besides levels of 27 competencies, is this table."""
    levels = pd.DataFrame({"by": "all", "group": "all", "variable": [f"c{k}" for k in range(27)], "n": 900,
                           "n_eff": n_eff})  # fmt: skip
    release = release_tables({"self_report": table, "means": levels} if table is not None else {}, Rules())
    needed = [name for name, told in inspect.signature(Facts).parameters.items() if told.default is told.empty]
    facts = Facts(**dict.fromkeys(needed)
                  | {"scale": scale, "self_reported": True, "replicates": 200, **facts})
    return str(foot(release, facts, Words(lang)).html)


def row(estimate, low, high, n=120):
    whole = pd.DataFrame({"competency_id": ["a", "all"], "estimate": estimate, "se": 0.1, "ci_low": low,
                          "ci_high": high, "n": n, "n_eff": 1.0 * n, "uncertainty": "sampling"})
    return whole


@pytest.mark.parametrize(("table", "sentence"), [
    (row(0.24, 0.21, 0.27), "Their self-ratings stand 0.24 levels above what the assessor found (0.21 to 0.27). Levels "
                            "and gaps here are not corrected for it: gaps are probably wider than shown."),
    (row(-0.24, -0.27, -0.21), "Their self-ratings stand 0.24 levels below what the assessor found (0.21 to 0.27). "
                               "Levels and gaps here are not corrected for it: gaps are probably narrower than shown."),
    (row(0.02, -0.01, 0.05), "Their self-ratings stand neither clearly above nor clearly below what the assessor found "
                             "(−0.01 to 0.05 levels)."),
    (row(0.05, 0.004, 0.1), "neither clearly above nor clearly below what the assessor found (0.00 to 0.10 levels)."),
])  # fmt: skip
def test_a_page_says_which_way_its_gaps_are_wrong(table, sentence):
    text = said(table)
    assert sentence in text and "An assessor also tested 120 respondents, in 1 of 27 competencies." in text
    assert "Baholovchi 120 nafar respondentni 27 ta" in said(table, lang="uz")


def test_a_page_whose_levels_are_calibrated_says_so_and_no_longer_which_way_they_are_wrong():
    text = said(row(0.24, 0.21, 0.27), bases={"tested": 6, "transferred": 21})
    assert "Levels are self-rated and calibrated to what an assessor found" in text
    assert "In 21 of 27 competencies nobody was assessed" in text and "not corrected" not in text
    assert "nobody was assessed" not in said(row(0.24, 0.21, 0.27), bases={"tested": 6})


def test_a_page_counts_the_questions_left_out_of_a_comparison():
    text = said(row(0.24, 0.21, 0.27), uneven={"sex": (2, 41, ()), "agency_id": (0, 41, ())})
    assert "2 of 41, left out of the comparison" in text and "0 of 41" not in text


def test_fewer_than_ten_assessed_are_not_printed():
    assert "assessor" in said(row(0.24, 0.21, 0.27, n=10))
    nine = row(0.24, 0.21, 0.27, n=9)
    assert "assessor" not in said(nine) and "Levels are self-reported." in said(nine)
    released = release_tables({"self_report": nine}, Rules()).tables["self_report"]
    assert released["withheld"].all() and released[["estimate", "se", "ci_low", "ci_high", "n"]].isna().all(axis=None)


def test_without_assessed_items_or_levels_a_page_says_nothing_of_it():
    assert "assessor" not in said(None) and "assessor" not in said(row(0.24, 0.21, 0.27), scale="score")


@pytest.mark.parametrize(("facts", "told"), [
    ({"staff": 5000}, True), ({"staff": 5000, "n_eff": 700.0}, False), ({"staff": 5000, "calibrated": True}, False),
    ({}, False), ({"staff": 5000, "published": True}, False),
])  # fmt: skip
def test_answers_that_count_alike_beside_a_register_are_told(facts, told):
    table = row(0.24, 0.21, 0.27)
    assert ("Answers were not weighted to the register: each counts alike." in said(table, **facts)) is told
    assert ("vaznlanmagan: ularning hammasi teng hisoblanadi" in said(table, lang="uz", **facts)) is told


def test_the_chain_makes_protects_and_prints_it(made):
    unit = made.project.open()
    table, tested = unit.table("self_report"), unit.table("responses").query("tested == 'yes' and in_population")
    assert len(table) == 7 and table["n"].iloc[-1] <= len(tested)
    released = Published(unit).release.tables["self_report"]
    assert (released["withheld"] == (table["n"] < 10)).all()
    page = (made.project.report / "en.html").read_text(encoding="utf-8")
    assert ("An assessor also tested" in page) == (table["n"].iloc[-1] >= 10)


def test_a_unit_without_assessed_items_has_no_such_table(project):
    keep = "both|long"
    project.edit(lambda values: (
        values["data"]["items"].update(population={"form": {"in": keep.split("|")}}),
        [values["data"]["responses"]["skip"].pop(f"TE0{k}", None) for k in range(1, 7)],
    ))
    published = Published(project.open())
    assert published.unit.table("self_report").empty and "self_report" not in published.release.tables
