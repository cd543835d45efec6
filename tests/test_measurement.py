"""The chain's measurement: what is said of items and levels, and what a comparison leaves out."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import check
from skillsgap.estimate.measures.scoring import score_competencies
from skillsgap.run import chain
from skillsgap.run.forecast import forecast
from skillsgap.run.measurement import (
    COMPARED,
    UNFLAGGED,
    comparable_levels,
    comparable_scores,
    left_out,
    not_comparable,
)
from skillsgap.run.release import Published

ESTIMATES = ["estimate", "se", "ci_low", "ci_high", "n", "n_eff", "uncertainty"]
TABLES = ("reliability", "dif", "group_reliability", "careless", "level_basis", "self_report", "means", "gaps", "needs",
          "profiles", "headcounts", "priorities")  # fmt: skip


@pytest.fixture
def unit(made):
    return made.project.open()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_estimates_has_the_same_columns_and_keeps_its_contract(unit, name):
    table = unit.table(name)
    assert set(ESTIMATES) <= set(table) and len(table)
    assert check(name, table).empty


def test_items_are_compared_between_the_groups_of_every_split_and_of_sex_and_language(unit):
    by = {name for name in (*unit.values["gaps"]["by"], *COMPARED) if unit.table("responses")[name].nunique() > 1}
    assert set(unit.table("dif")["by"]) == by
    anchored = unit.table("items").query("type == 'anchored'")["item_id"]
    assert set(unit.table("dif")["item_id"]) == set(anchored)


def test_what_levels_rest_on_is_told_of_every_competency(unit):
    basis = unit.table("level_basis").set_index("competency_id")["basis"]
    assert set(basis.index) == set(unit.table("scores"))
    tested = unit.table("items").query("type == 'tested'").merge(unit.table("level_basis"))
    assert (tested.loc[tested["n"] >= 30, "basis"] == "tested").all()


def flagged(unit, items, reason="", by="agency_id"):
    """The unit as if these items behaved differently between agencies, or too few comparable ones were left."""
    table = unit.table("dif").query("by == @by").copy()
    mine = table["item_id"].isin(items)
    table["dropped"] = mine & (reason == "")
    table["reason"] = np.where(mine, reason, "")
    unit._tables["dif"] = table
    return unit


def test_without_flagged_items_a_comparison_has_the_levels_of_everybody(unit):
    flagged(unit, [])
    assert comparable_levels(unit, "agency_id") is unit.levels
    unit._tables["dif"] = None
    assert comparable_levels(unit, "agency_id") is unit.levels


def test_a_flagged_item_is_left_out_of_the_comparison_and_of_nothing_else(unit):
    unit = flagged(unit, ["ML02"])
    assert left_out(unit, "agency_id") == {"ML02"} and left_out(unit, "sex") == set()
    whole, others = unit.levels, comparable_levels(unit, "agency_id")
    assert len(whole) == len(others)
    for before, after in zip(whole, others, strict=True):
        pd.testing.assert_frame_equal(before.drop(columns="ml_basics"), after.drop(columns="ml_basics"))
    items = unit.table("items")
    kept = score_competencies(unit.table("responses"), items[items["item_id"] != "ML02"])["ml_basics"][unit.population]
    both = unit.table("scores")["ml_basics"][unit.population]
    drawn = pd.concat([draw["ml_basics"] for draw in others], axis=1).mean(axis=1)
    there = kept.notna() & both.notna()
    assert np.corrcoef(drawn[there], kept[there])[0, 1] > np.corrcoef(drawn[there], both[there])[0, 1]


def test_a_competency_without_a_comparable_item_has_no_level_in_the_comparison(unit):
    unit = flagged(unit, ["CL01", "CL02"])
    assert comparable_levels(unit, "agency_id")[0]["cloud"].isna().all()
    assert unit.levels[0]["cloud"].notna().any()


def test_competencies_of_a_group_with_too_few_comparable_items_are_not_compared(unit):
    unit, items = flagged(unit, ["ML01", "AR01"]), unit.table("items").set_index("item_id")["competency_id"]
    unit._tables["dif"]["reason"] = np.where(unit.table("dif")["group"] == "ai", UNFLAGGED, "")
    assert not_comparable(unit, "agency_id") == sorted({items["ML01"], items["AR01"]}) == ["ai_risk", "ml_basics"]
    assert not_comparable(unit, "sex") == []


def test_what_too_few_answered_to_examine_is_compared_like_what_was_never_examined(unit):
    unit = flagged(unit, ["ML01"], reason=UNFLAGGED)
    assert not_comparable(unit, "agency_id") == [] and comparable_levels(unit, "agency_id") is unit.levels


def test_means_and_raw_shortfalls_of_groups_rest_on_the_items_that_gaps_rest_on(unit):
    flagged(unit, ["CL01", "CL02", "ML02"])
    tables = {"means": chain.means(unit)["means"], "gaps": chain.gaps(unit)["gaps"]}
    for table, key in ((tables["means"], "variable"), (tables["gaps"], "competency_id")):
        cloud = table[table[key] == "cloud"].set_index("by")["n"]
        assert (cloud["agency_id"] == 0).all() and (cloud["all"] > 0).all()
    assert comparable_scores(unit, "sex") is unit.table("scores")


def test_what_cannot_be_compared_is_said_so_and_is_no_figure_that_rests_on_too_few(unit):
    before, page = Published(unit).release, Published(flagged(unit, ["CL01", "CL02"]))
    gaps = page.release.tables["gaps"]
    assert page.release.figures < before.figures and page.release.withheld <= before.withheld
    assert set(gaps.loc[gaps["competency_id"] == "cloud", "by"]) == {"all"}
    name = page.words("en").label("competency_id", "cloud")
    foot = str(page.report("en").foot().html)
    assert f"Not comparable between agencies, for want of other questions: {name}." in foot


def test_the_response_rate_counts_those_whom_the_estimates_do_not_speak_for(project):
    before = Published(project.open()).facts.response_rate
    project.edit(lambda values: values["data"]["responses"].update(population={"answer_language": {"in": ["en"]}}))
    page = Published(project.open())
    assert page.facts.response_rate == before and page.answered < len(page.unit.table("responses"))


def test_who_weighs_nothing_and_what_nobody_answered_tell_no_profiles_apart(project):
    project.rewrite("responses", lambda rows: rows.assign(CL01="", CL02="", weight=["0", "2", "1"] * (len(rows) // 3)))
    unit = project.open()
    counted = unit.population & (unit.table("weights")["weight"] > 0)
    assert "cloud" not in unit.answers and set(unit.answers.index) <= set(counted.index[counted])
    assert unit.table("scores")["cloud"].isna().all() and len(unit.table("profiles"))


@pytest.mark.parametrize(("done", "said"), [("collapse", "joined with the next"), ("certainty", "no sampling error")])
def test_a_page_says_what_became_of_strata_with_one_sampling_unit(project, done, said):
    project.rewrite("responses", lambda rows: rows.assign(stratum=rows["stratum"].where(rows.index != 2, "alone")))
    project.edit(lambda values: values["design"].update(lonely_psu=done))
    [told] = forecast(project.root)
    assert not told.faults and any("one sampling unit: 1" in reason and said in reason for reason in told.reasons)
    assert said in str(Published(project.open()).report("en").foot().html)
