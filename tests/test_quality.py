"""Quality of what came in: each level begins where its definition says, with a reason, and names nobody."""

import json
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import CONTRACTS, QUALITY, check
from skillsgap.errors import SkillsgapError
from skillsgap.publish.quality import (
    coverage_figure,
    coverage_table,
    quality_figure,
    quality_reasons,
    weakest_quality,
)
from skillsgap.study.levels import CUTS, DEFINITIONS, level_of
from skillsgap.study.quality import NOTED, assess_quality
from skillsgap.wording import Words

STUDY = Path(__file__).parents[1] / "skillsgap" / "study"
AGENCIES = {  # staff, answered
    "big": (1000, 300), "keen": (40, 36), "slow": (500, 29), "few": (200, 9), "none": (300, 0), "tiny": (8, 7),
}
EN = Words("en")


def sources(**tables):
    rows = [(table, f"{table}.csv", rows, rows, as_of) for table, (rows, as_of) in tables.items()]
    return pd.DataFrame(rows, columns=["table", "file", "rows", "kept", "as_of"])


def columns(table, rows, **filled):
    """Counts of columns: filled, or filled with other counts by kind."""
    made = pd.DataFrame([{"table": table, "column": name, "rows": rows, "declared": True,
                          **(counts if isinstance(counts, dict) else {"filled": counts})}
                         for name, counts in filled.items()])
    kinds = ["skipped", "dont_know", "refused", "not_applicable", "not_stated"]
    return made.reindex(columns=["table", "column", "rows", "filled", *kinds, "declared"], fill_value=0).fillna(0)


def note(table, column, rows, text, line=2, **values):
    return {"table": table, "file": f"{table}.csv", "line": line, "column": column, "rows": rows, "text": text,
            "remedy": "read as one code", "values": json.dumps(values)}


@pytest.fixture
def study():
    staff = [(agency, "clerk", "staff", people) for agency, (people, _) in AGENCIES.items()]
    answered = [agency for agency, (_, people) in AGENCIES.items() for _ in range(people)]
    n = len(answered)
    return SimpleNamespace(
        competencies=pd.DataFrame({"competency_id": ["ai", "cloud"]}),
        items=pd.DataFrame({"item_id": ["Q1", "Q2"], "competency_id": ["ai", "cloud"], "type": "anchored"}),
        responses=pd.DataFrame({"agency_id": answered, "role_id": "clerk", "role_level": "staff", "in_population": True,
                                "Q1": 1.0, "Q2": 2.0}),
        register=pd.DataFrame(staff, columns=["agency_id", "role_id", "role_level", "headcount"]),
        requirements=pd.DataFrame({"role_id": "clerk", "role_level": "staff", "competency_id": ["ai", "cloud"]}),
        sources=sources(competencies=(2, ""), items=(2, ""), responses=(n, "2026-03-01"), requirements=(2, ""),
                        register=(2048, "2025-12-31")),
        columns=pd.concat([
            columns("competencies", 2, competency_id=2), columns("items", 2, item_id=2),
            columns("responses", n, staff_id=n, Q1=n, Q2=n), columns("register", 2048, staff_id=2048, sex=2048),
            columns("requirements", 2, role_id=2, role_level=2, competency_id=2),
        ]),
        notes=pd.DataFrame(columns=list(CONTRACTS["notes"].columns)),
        mapped=pd.DataFrame(columns=list(CONTRACTS["mapped"].columns)),
    )  # fmt: skip


def found(study, table, dimension, part="", **options):
    quality = assess_quality(study, reference_year=2026, **options)
    rows = quality[(quality["table"] == table) & (quality["dimension"] == dimension) & (quality["part"] == part)]
    assert len(rows) == 1, quality.to_string()
    return rows.iloc[0]


def said(row):
    return EN.told(row["reason"], row["values"])


def test_the_table_keeps_its_contract_and_has_a_reason_in_every_row(study):
    quality = assess_quality(study, reference_year=2026)
    assert check("quality", quality).empty
    assert not quality.duplicated(["table", "dimension", "part"]).any()
    reasons = quality_reasons(quality, words=EN)["reason"]
    assert reasons.str.len().min() > 10 and not reasons.str.contains("[{}]").any()
    assert list(quality["values"].map(json.loads).map(sorted)) == list(quality["values"].map(json.loads).map(list))


def test_row_order_of_the_tables_changes_nothing(study):
    before = assess_quality(study, reference_year=2026)
    study.notes = pd.DataFrame([note("items", "item_id", 1, "{x} is odd", x=1), note("items", "", 1, "read as UTF-16")])
    mixed = SimpleNamespace(**{name: frame.sample(frac=1, random_state=1) for name, frame in vars(study).items()})
    pd.testing.assert_frame_equal(assess_quality(study), assess_quality(mixed))
    assert not assess_quality(study).equals(before)


def test_each_dimension_has_five_definitions_and_a_level_begins_at_its_cut():
    assert set(DEFINITIONS) == set(QUALITY) and all(len(levels) == 5 for levels in DEFINITIONS.values())
    for dimension, cuts in CUTS.items():
        assert list(cuts) == sorted(cuts)
        assert [level_of(dimension, cut) for cut in cuts] == [1, 2, 3, 4]
        assert [level_of(dimension, cut - 1e-6) for cut in cuts] == [0, 1, 2, 3]
        # and the percentages that a definition names are its cuts
        for cut in cuts[:-1]:
            texts = " ".join(DEFINITIONS[dimension])
            assert f"{cut:.0%}" in texts or f"{1 - cut:.0%}" in texts, (dimension, cut)


def test_completeness_counts_what_was_rightly_skipped_as_answered_and_dont_know_as_missing(study):
    study.columns = pd.concat([study.columns.query("table != 'items'"), columns(
        "items", 100, Q1={"filled": 60, "skipped": 30, "not_applicable": 10},
        Q2={"filled": 60, "dont_know": 20, "refused": 10, "not_stated": 10})])
    row = found(study, "items", "completeness")
    assert (row["level"], row["measure"]) == (2, 0.8)
    assert said(row) == "160 of 200 values are there; fewest in Q2 (60%)"


def test_an_empty_cell_that_says_none_is_not_missing(study):
    study.columns = pd.concat([study.columns, columns("register", 2048, exit_date=3)])
    assert found(study, "register", "completeness")["level"] == 4


def test_validity_falls_with_what_was_put_right_and_names_each_oddity(study):
    study.notes = pd.DataFrame([note("register", "sex", 100, "{value!r} is not a number", value="x")])
    row = found(study, "register", "validity")
    assert row["level"] == 2 and row["measure"] == pytest.approx(1 - 100 / 4096, abs=1e-4)
    assert said(row) == "oddities put right: 1, in 100 of 4096 values"
    part = found(study, "register", "validity", "sex")
    assert said(part) == "'x' is not a number" and part["level"] == 2


def test_an_oddity_of_a_whole_file_is_named_and_costs_one_level(study):
    study.notes = pd.DataFrame([note("items", "", 1, "the file begins with a byte order mark", line=None)])
    assert found(study, "items", "validity")["level"] == 3
    assert said(found(study, "items", "validity", "items.csv")) == "the file begins with a byte order mark"


def test_two_oddities_of_one_column_have_two_rows(study):
    study.notes = pd.DataFrame([note("items", "item_id", 1, text, line) for text, line in (("one", 9), ("other", 2))])
    assert said(found(study, "items", "validity", "item_id")) == "other"
    assert said(found(study, "items", "validity", "item_id 2")) == "one"


def test_validity_is_at_most_3_where_nobody_has_declared_the_codes(study):
    study.columns.loc[study.columns["column"] == "sex", "declared"] = False
    row = found(study, "register", "validity")
    assert row["level"] == 3 and "1 of 1 columns of codes have no declared codes (sex is one)" in said(row)


def test_codes_that_a_crosswalk_lacks_lower_validity_to_0_above_a_fifth(study):
    for unmapped, level in ((0.21, 0), (0.20, 1), (0.04, 2)):
        study.mapped = pd.DataFrame([{"table": "register", "column": "role_id", "crosswalk": "roles", "rows": 9,
                                      "unmapped": unmapped, "loss": 0.0}])
        assert found(study, "register", "validity")["level"] == level
    assert said(found(study, "register", "validity")) == "4% of role_id have a code that the crosswalk roles lacks"


def test_consistency_is_the_worst_relation_between_tables(study):
    assert found(study, "register", "consistency")["level"] == 4
    study.requirements = study.requirements.assign(role_id="judge")
    row = found(study, "register", "consistency")
    assert (row["level"], row["measure"]) == (0, 0.0)
    assert said(row) == "0% of staff are in a role and level that has requirements"
    study.items = study.items.query("competency_id == 'ai'")
    assert said(found(study, "competencies", "consistency")) == "1 of 2 competencies have an item or a figure"


def test_a_code_in_two_spellings_is_a_matter_of_consistency(study):
    text = "{value} is also written with other apostrophes, dashes or blanks"
    study.notes = pd.DataFrame([note("register", "sex", 7, text, value="a")])
    assert found(study, "register", "consistency")["level"] == 3
    assert found(study, "register", "validity")["level"] == 4
    assert said(found(study, "register", "consistency", "sex")).startswith("a is also written")


def test_oddities_are_told_apart_by_words_that_the_study_uses():
    source = "".join(path.read_text(encoding="utf-8") for path in STUDY.glob("*.py") if path.stem != "quality")
    assert all(words in source for words in [*NOTED, "is not in the crosswalk"])


def test_uniqueness_asks_for_a_key(study):
    assert said(found(study, "register", "uniqueness")) == "staff_id tells each row from all others"
    study.columns = study.columns.query("not (table == 'register' and column == 'staff_id')")
    assert found(study, "register", "uniqueness")["level"] == 2
    study.notes = pd.DataFrame([note("responses", "", 1, "lines {n} hold the same answers", n=3)])
    row = found(study, "responses", "uniqueness")
    assert row["level"] == 3 and said(row) == "1 of 381 rows look like another one"


@pytest.mark.parametrize("year, level", [(2026, 4), (2025, 3), (2027, 3), (2024, 2), (2023, 1), (2021, 1), (2020, 0)])
def test_timeliness_counts_years_from_the_one_the_report_speaks_of(study, year, level):
    study.sources.loc[study.sources["table"] == "register", "as_of"] = f"{year}-06-30"
    row = found(study, "register", "timeliness")
    assert (row["level"], said(row)) == (level, f"of {year}; the report speaks of 2026")


def test_timeliness_without_a_date_is_1_and_words_have_no_date(study):
    row = found(study, "requirements", "timeliness")
    assert (row["level"], said(row)) == (1, "no date is declared") and np.isnan(row["measure"])
    quality = assess_quality(study)  # the newest date is the reference
    assert quality.query("table == 'responses' and dimension == 'timeliness'")["level"].tolist() == [4]
    assert quality.query("table == 'items' and dimension == 'timeliness'").empty


@pytest.mark.parametrize("agency, level, words", [
    ("big", 3, "30% of 1000 staff answered"), ("keen", 4, "90% of 40 staff answered"),
    ("slow", 2, "6% of 500 staff answered"), ("few", 1, "fewer than 10 of 200 staff answered"),
    ("none", 0, "none of 300 staff answered"),
])
def test_coverage_by_agency(study, agency, level, words):
    row = found(study, "responses", "coverage", agency)
    assert (row["level"], said(row)) == (level, words)


def test_coverage_of_nearly_everybody_says_only_that(study):
    study.responses = pd.concat([study.responses, study.responses.query("agency_id == 'keen'").head(4)])
    assert said(found(study, "responses", "coverage", "keen")) == "95% or more of 40 staff answered"
    assert found(study, "responses", "coverage", "keen")["measure"] == 0.95


def test_a_whole_unit_has_the_level_that_agencies_with_most_of_its_staff_reach(study):
    row = found(study, "responses", "coverage")
    # 1040 of 2048 reach 3; 1540 reach 2; 1748, with those of tiny, reach 1: the first with 80 %
    assert row["level"] == 1
    assert said(row) == ("19% of 2050 staff answered; 30 or more did in 2 of 6 agencies; too small to be shown: 1")


def test_a_small_agency_and_few_respondents_are_named_nowhere(study):
    quality = assess_quality(study, reference_year=2026)
    assert "tiny" not in set(quality["part"]) and "tiny" not in "".join(quality["values"])
    few = quality[quality["part"] == "few"].iloc[0]
    assert np.isnan(few["measure"]) and json.loads(few["values"]) == {"staff": 200, "few": 10}
    raised = assess_quality(study, reference_year=2026, threshold=50)
    assert not {"keen", "tiny"} & set(raised["part"])
    assert raised.query("part == 'slow'")["level"].tolist() == [1]  # 29 may not be printed there


def test_coverage_without_a_register_or_agencies(study):
    study.responses = study.responses.drop(columns="agency_id")
    quality = assess_quality(study).query("dimension == 'coverage'")
    assert quality[["part", "level"]].values.tolist() == [["", 3]]
    study.responses = study.responses.assign(agency_id="all", role_id="all", role_level="all")
    assert len(assess_quality(study).query("dimension == 'coverage'")) == 1
    assert assess_quality(study).query("table == 'responses' and dimension == 'consistency'").empty
    study.register = None
    row = found(study, "responses", "coverage")
    assert (row["level"], said(row)) == (1, "there is no register to hold the 381 answers against")
    study.responses = None
    assert assess_quality(study).query("dimension == 'coverage'").empty


def test_a_unit_of_published_figures_or_of_a_register_alone_is_assessed_too(study):
    figures = pd.DataFrame({"by": "all", "group": ["a", "b"], "competency_id": "ai", "statistic": "mean",
                            "estimate": [1.0, 2.0], "ci_low": [0.5, 2.5], "ci_high": [1.5, 3.0]})
    unit = SimpleNamespace(aggregates=figures, sources=sources(aggregates=(2, "2024")), notes=None, mapped=None,
                           columns=columns("aggregates", 2, by=2, group=2, competency_id=2, statistic=2, estimate=2))
    quality = assess_quality(unit, reference_year=2026).set_index("dimension")["level"].to_dict()
    assert quality == {"completeness": 4, "consistency": 0, "timeliness": 2, "uniqueness": 4, "validity": 4}
    alone = SimpleNamespace(register=study.register, sources=study.sources.query("table == 'register'"),
                            columns=study.columns)
    assert set(assess_quality(alone)["dimension"]) == {"completeness", "timeliness", "uniqueness", "validity"}


def test_the_weakest_is_said_in_one_sentence(study):
    quality = assess_quality(study, reference_year=2026)
    assert weakest_quality(quality, words=EN) == (
        "Weakest is coverage (answers of respondents), at level 1 of 4: 19% of 2050 staff answered; 30 or more did in "
        "2 of 6 agencies; too small to be shown: 1 (others at this level: 1).")
    assert weakest_quality(quality.query("level == 4"), words=EN).startswith("Every table is at level 4")


@pytest.mark.parametrize("width", [660, 350])
def test_pictures_show_every_level_and_withhold_what_may_not_be_printed(study, width):
    quality = assess_quality(study, reference_year=2026)
    whole = quality[quality["part"] == ""]
    ax = quality_figure(quality, words=EN, width=width)
    texts = [text.get_text() for text in ax.texts]
    assert sorted(t for t in texts if t.isdigit()) == sorted(whole["level"].astype(str))
    assert all(name in texts for name in QUALITY)
    filled = sum(len(line.get_xdata()) for line in ax.lines if line.get_markeredgewidth() == 0)
    assert filled == whole["level"].sum()
    ax = coverage_figure(coverage_table(quality, words=EN), words=EN, width=width)
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("withheld") == 1 and "90%" in texts and "under 5%" in texts
    plt.close("all")


def test_a_picture_of_nothing_is_refused(study):
    with pytest.raises(SkillsgapError, match="quality_figure got a table without rows"):
        quality_figure(assess_quality(study).head(0), words=EN)
    with pytest.raises(SkillsgapError, match="coverage_figure expects the columns"):
        coverage_figure(pd.DataFrame({"label": ["a"]}), words=EN)
