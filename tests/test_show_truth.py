"""What was planted, drawn beside what was estimated: on every figure that has a counterpart, and never published."""

import shutil
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import ParamsError
from skillsgap.publish import figures
from skillsgap.publish.aggregates import value_table
from skillsgap.publish.canvas import PLANTED, figure_html
from skillsgap.run.release import Published, open_report, table_files
from skillsgap.run.truth import beside_truth, coverage, planted, summary
from skillsgap.wording import Words

WORDS = Words("en")
GAPS = pd.DataFrame({
    "label": ["Oversight", "Safeguards", "Cloud"], "level": [1.3, 2.0, np.nan], "ci_low": [1.1, 1.9, np.nan],
    "ci_high": [1.5, 2.1, np.nan], "required": [2.6, 2.5, 2.0], "gap": [-1.3, -0.5, np.nan],
    "hot": [True, False, False], "truth": [1.45, 1.95, 1.0],
})  # fmt: skip
NEEDS = pd.DataFrame({"tier": "Most in need", "label": ["Levy", "Roads"], "estimate": [0.4, 0.3],
                      "ci_low": [0.35, 0.2], "ci_high": [0.5, 0.4], "truth": [0.9, np.nan]})  # fmt: skip
PROFILES = pd.DataFrame({
    "profile": ["starting", "starting", "ahead", "ahead"], "share": [0.6, 0.6, 0.4, 0.4], "ci_low": 0.3,
    "ci_high": 0.7, "competency": ["Data", "AI"] * 2, "level": [1.0, 0.5, 3.0, 2.5], "truth": [1.1, 0.6, 2.9, np.nan],
    "truth_share": [0.62, 0.62, np.nan, np.nan],
})  # fmt: skip
DRAWN = {"gap": (figures.gap_figure, GAPS), "needs": (figures.needs_figure, NEEDS),
         "profiles": (figures.profile_figure, PROFILES)}  # fmt: skip


@pytest.fixture(scope="module")
def project(tiny, tmp_path_factory):
    """The tiny country with its stage tables computed."""
    project = tiny.copy(tmp_path_factory.mktemp("truth"))
    list(project.open().compute())
    return project


@pytest.fixture
def folder(project, tmp_path):
    """A copy whose truth may be changed."""
    copy = project.copy(tmp_path / "copy")
    return copy, copy.table("responses").parent / "truth"


def drawn(draw, table, width=660):
    """Places of the diamonds, and the texts, of a figure."""
    ax = draw(table, words=WORDS, width=width)
    places = [x for line in ax.lines if line.get_marker() == "D" for x in line.get_xdata() if not np.isnan(x)]
    texts = [text.get_text() for text in ax.texts]
    plt.close(ax.figure)
    return places, texts


def test_gap_figure_has_a_diamond_beside_each_estimate_and_none_where_it_is_withheld():
    places, texts = drawn(figures.gap_figure, GAPS)
    assert places == [1.45, 1.95]
    assert texts.count(PLANTED) == 1


def test_needs_figure_leaves_room_for_a_planted_value_beyond_the_intervals():
    ax = figures.needs_figure(NEEDS, words=WORDS)
    [place] = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D" and line.get_xdata()[0] > 0]
    ends = [text.get_text() for text in ax.texts][-3:]
    plt.close(ax.figure)
    assert "1.00" in ends, "the axis ends beyond 0.9"
    assert place < figures.sizes(660)[1] * 20, "inside the first group's track"


def test_profile_figure_writes_planted_levels_below_the_estimated_ones_and_planted_shares():
    texts = drawn(figures.profile_figure, PROFILES)[1]
    assert [text for text in texts if text[0] == "◇"] == ["◇62%", "◇1.1", "◇2.9", "◇0.6", PLANTED]


@pytest.mark.parametrize("name", DRAWN)
def test_truth_is_named_where_there_is_some_and_changes_nothing_where_there_is_none(name):
    draw, table = DRAWN[name]
    page, plain, empty = (
        figure_html(partial(draw, shown, words=WORDS), alt="x")
        for shown in (table, table.drop(columns=table.filter(like="truth").columns),
                      table.assign(truth=np.nan, truth_share=np.nan))
    )  # fmt: skip
    assert page.count(PLANTED) == 2, "once for a page, once for a phone"
    assert "◇" not in plain + empty


def test_published_values_keep_their_planted_counterpart():
    means = pd.DataFrame({"variable": ["data", "ai"], "group": "all", "estimate": [1.0, 2.0], "ci_low": np.nan,
                          "ci_high": np.nan, "truth": [1.2, 1.9]})  # fmt: skip
    assert value_table(means, "all", WORDS)["truth"].tolist() == [1.2, 1.9]


def test_every_split_in_the_file_is_joined(folder):
    project, truth = folder
    kept = pd.read_csv(truth / "gaps.csv")
    split = kept[kept["by"] == "agency_id"]
    pd.concat([kept, split.assign(by="region")]).to_csv(truth / "gaps.csv", index=False)
    gaps = planted(project.open())["gaps"]
    assert set(kept["by"]) | {"region"} == set(gaps["by"])
    both = beside_truth(project.open(), "gaps").set_index(["by", "group", "competency_id", "statistic"])["truth"]
    for row in kept.head(40).itertuples():
        if (row.by, row.group, row.competency_id, "shortfall") in both.index:
            assert both[row.by, row.group, row.competency_id, "shortfall"] == row.shortfall
    assert both.xs("shortfall", level="statistic").notna().all()


def test_needs_and_means_are_joined_where_they_were_planted(folder):
    project, truth = folder
    needs = project.open().table("needs")[["by", "group"]]
    needs.assign(need=0.25).to_csv(truth / "needs.csv", index=False)
    means = project.open().table("means")[["by", "group", "variable"]].rename(columns={"variable": "competency_id"})
    means.assign(level=1.5).to_csv(truth / "means.csv", index=False)
    unit = project.open()
    assert beside_truth(unit, "needs")["truth"].eq(0.25).all()
    assert beside_truth(unit, "means")["truth"].eq(1.5).all()
    report = Published(unit).report("en", show_truth=True)
    assert report.needs_table()["truth"].eq(0.25).all()
    assert "need" in set(coverage(unit)["statistic"])


def test_a_need_over_other_competencies_is_no_counterpart(folder):
    project, truth = folder
    project.open().table("needs")[["by", "group"]].assign(need=0.25).to_csv(truth / "needs.csv", index=False)
    gaps = pd.read_csv(truth / "gaps.csv")
    gaps[gaps["competency_id"] != gaps["competency_id"].iloc[0]].to_csv(truth / "gaps.csv", index=False)
    assert "needs" not in planted(project.open())


def test_report_with_truth_draws_it_and_nothing_released_holds_it(project):
    published = Published(project.open())
    report, plain = published.report("en", show_truth=True), published.report("en")
    gaps = pd.read_csv(project.table("responses").parent / "truth" / "gaps.csv").query("by == 'all'")
    table = report.gap_table()
    expected = table["code"].map(gaps.set_index("competency_id")["level"])
    np.testing.assert_allclose(table["truth"], expected, atol=0.0051)
    assert report.profile_table()[["truth", "truth_share"]].notna().all(axis=None)
    assert PLANTED in str(report.gaps()) and PLANTED in str(report.profiles())
    for piece in (plain.gaps(), plain.groups(), plain.profiles(), plain.foot()):
        assert "◇" not in str(piece)
    pd.testing.assert_frame_equal(table.drop(columns="truth"), plain.gap_table())
    pd.testing.assert_frame_equal(report.frontier_table(), plain.frontier_table())
    assert not [name for name, shown in published.release.tables.items() if "truth" in shown or "planted" in shown]
    assert not [name for name, file in table_files(published).items() if b"truth" in file or b"planted" in file]


def test_profiles_and_headcounts_are_matched_one_to_one(project):
    unit = project.open()
    shares = beside_truth(unit, "profiles").query("statistic == 'share'")
    assert shares["planted"].is_unique
    counts = beside_truth(unit, "headcounts").query("by == 'all'").set_index("profile")
    assert counts["planted"].to_dict() == shares.set_index("profile")["planted"].to_dict()
    staff = pd.read_csv(project.table("responses").parent / "truth" / "headcounts.csv")["headcount"].sum()
    np.testing.assert_allclose(counts["truth"] / staff, shares["truth"], atol=1e-6)
    assert len(summary(unit)) == 2 * len(shares)


def test_answers_to_single_questions_have_no_planted_levels(project, monkeypatch):
    unit = project.open()
    profiles = unit.table("profiles")
    items = profiles.assign(variable=profiles["variable"].where(profiles["statistic"] == "share", "DL01"))
    items = items.drop_duplicates(["profile", "variable"])
    monkeypatch.setitem(unit._tables, "profiles", items)
    assert "profiles" not in planted(unit)


def test_truth_of_a_real_country_is_refused_in_one_line(project, tmp_path, monkeypatch):
    real = project.copy(tmp_path / "real")
    real.edit(lambda values: values.update(fictional=False))
    monkeypatch.chdir(real.root)
    with pytest.raises(ParamsError, match="^tiny is a real country: nobody knows its true values$"):
        open_report("tiny", show_truth=True)
    assert beside_truth(real.open(), "gaps")["truth"].isna().all()


def test_truth_that_was_not_kept_is_refused_in_one_line(folder):
    project, truth = folder
    shutil.rmtree(truth)
    with pytest.raises(ParamsError, match="^tiny has no folder truth/ beside its data: nothing planted can be shown$"):
        Published(project.open()).report("en", show_truth=True)
    assert beside_truth(project.open(), "needs")["truth"].isna().all()
