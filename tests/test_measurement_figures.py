"""Pictures of weights and measurement: what they say, that they are drawn, and notebook 02 on a unit of its own."""

from functools import partial
from io import BytesIO

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from test_end_to_end import run_cells

from skillsgap.errors import SkillsgapError
from skillsgap.estimate.survey.response import tipping_point
from skillsgap.publish import items, measurement, respondents
from skillsgap.publish.canvas import figure_html
from skillsgap.wording import Words

WORDS = Words("en", {("item_id", "q1"): {"en": "Reading data?"}, ("sex", "f"): {"en": "Women"},
                     ("sex", "m"): {"en": "Men"}, ("competency_id", "cloud"): {"en": "Cloud"}})  # fmt: skip
GATE = 0.7
WIDTHS = (660, 350)


def level(estimate=1.2, half=0.1):
    return pd.DataFrame({"estimate": [estimate], "ci_low": [estimate - half], "ci_high": [estimate + half]})


def tip(estimate=1.2, threshold=1.8, rate=0.5):
    point = tipping_point(level(estimate), rate, threshold=threshold, lowest=0, highest=4)
    return respondents.tipping_table(point, rate)


REPRESENTATIVITY = pd.DataFrame({
    "margin": ["sex", "sex", "sex × grade", "sex × grade"], "category": ["f", "m", "f × G1", "m × G1"],
    "n": [60, 40, 60, 40], "population": 500.0, "share_population": 0.5, "share_before": [0.6, 0.4, 0.6, 0.4],
    "share_after": 0.5})  # fmt: skip
RELIABILITY = pd.DataFrame({
    "scale": "group", "scale_id": ["data", "data", "ai", "cloudy"], "statistic": ["alpha", "omega", "alpha", "alpha"],
    "n_items": [4, 4, 3, 1], "estimate": [0.8, 0.81, 0.6, np.nan], "ci_low": [0.75, 0.76, 0.5, np.nan],
    "ci_high": [0.85, 0.86, 0.7, np.nan], "why": ["", "", "", "one item"]})  # fmt: skip
DIF = pd.DataFrame({
    "by": "sex", "item_id": ["q1", "q2", "q3"], "category": "m", "reference": "f", "estimate": [-1.1, 0.1, np.nan],
    "delta_r2": [0.05, 0.001, np.nan], "flag": ["moderate", "none", ""], "dropped": [True, False, False]})  # fmt: skip
BASIS = pd.DataFrame({
    "competency_id": ["cloud", "data", "ai"], "basis": ["tested", "tested", "transferred"], "estimate": [0.4, 0.1, 0.3],
    "ci_low": [0.3, -0.1, -0.2], "ci_high": [0.5, 0.3, 0.8], "n": [90, 90, 0]})  # fmt: skip
CURVE = pd.DataFrame({"level": np.linspace(0.2, 3.8, 37), "reliability": 0.8 - np.linspace(-0.6, 0.6, 37) ** 2})
FIGURES = {
    "response": partial(respondents.response_figure, respondents.response_table(REPRESENTATIVITY, words=WORDS)),
    "tipping": partial(respondents.tipping_figure, tip()),
    "tipping, impossible": partial(respondents.tipping_figure, tip(threshold=3.9)),
    "tipping, above": partial(respondents.tipping_figure, tip(2.8)),
    "reliability": partial(measurement.reliability_figure,
                           measurement.reliability_table(RELIABILITY, gate=GATE, words=WORDS), gate=GATE),
    "information": partial(measurement.information_figure, CURVE, gate=GATE),
    "items": partial(items.items_figure, items.items_table(DIF, words=WORDS)),
    "self_report": partial(measurement.self_report_figure, measurement.self_report_table(BASIS, words=WORDS)),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("lang", ["en", "uz"])
@pytest.mark.parametrize("width", WIDTHS)
def test_picture_is_not_blank_and_no_text_leaves_it(name, lang, width):
    figure = FIGURES[name](words=Words(lang), width=width).figure
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=72)
    pixels = matplotlib.image.imread(BytesIO(picture.getvalue()))[..., :3].reshape(-1, 3)
    colours, counts = np.unique((pixels * 255).round().astype(int), axis=0, return_counts=True)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    edge = figure.get_figwidth() * figure.dpi
    plt.close(figure)
    assert len(colours) > 20 and counts.max() / counts.sum() < 0.99
    assert min(box.x0 for box in boxes) > -1 and max(box.x1 for box in boxes) < edge + 1


@pytest.mark.parametrize("name", FIGURES)
def test_picture_stands_in_any_page_and_is_the_same_twice(name):
    draw = partial(FIGURES[name], words=WORDS)
    html = figure_html(draw, alt="x")
    assert html == figure_html(draw, alt="x")
    assert not [part for part in (" id=", "href", "<style") if part in html]


@pytest.mark.parametrize("draw", [
    respondents.response_figure, respondents.tipping_figure, items.items_figure, measurement.self_report_figure,
    partial(measurement.reliability_figure, gate=GATE), partial(measurement.information_figure, gate=GATE),
])  # fmt: skip
def test_a_table_without_rows_is_refused(draw):
    with pytest.raises(SkillsgapError, match="expects the columns"):
        draw(pd.DataFrame(), words=WORDS)


def test_what_is_absent_is_said():
    none = pd.DataFrame(columns=["scale", "scale_id", "statistic", "estimate", "n_items", "ci_low", "ci_high", "why"])
    said = [
        respondents.response_finding(respondents.response_table(None, words=WORDS), words=WORDS),
        respondents.tipping_finding(respondents.levels_required(None, None), "Cloud", words=WORDS),
        measurement.reliability_finding(measurement.reliability_table(none, gate=GATE, words=WORDS), gate=GATE,
                                        words=WORDS),
        measurement.information_finding(pd.DataFrame(), "Data", gate=GATE, words=WORDS),
        items.items_finding(items.items_table(None, words=WORDS), words=WORDS),
        measurement.self_report_finding(measurement.self_report_table(None, words=WORDS), words=WORDS),
    ]  # fmt: skip
    assert len(set(said)) == len(said) and all(len(text) > 40 and "{" not in text for text in said)


def test_a_crossed_margin_is_named_column_by_column_and_the_least_answered_comes_first():
    table = respondents.response_table(REPRESENTATIVITY, words=WORDS)
    assert table["margin"].tolist() == ["sexes", "sexes", "sexes × grades", "sexes × grades"]
    assert table["label"].tolist() == ["Men", "Women", "Men × G1", "Women × G1"]


def test_a_group_without_alpha_says_why_and_carries_no_headline():
    table = measurement.reliability_table(RELIABILITY, gate=GATE, words=WORDS).set_index("label")
    assert table["headline"].tolist() == [True, False, False]
    assert table.loc["cloudy", "why"] == "one question only" and table.loc["Data", "omega"] == 0.81


def test_a_flagged_item_is_told_with_its_direction_and_one_that_was_not_examined_is_left_out():
    table = items.items_table(DIF, words=WORDS).set_index("item_id")
    assert list(table.index) == ["q1", "q2"] and table.loc["q2", "said"] == ""
    assert table.loc["q1", "said"] == ("q1, Reading data: answered lower in the group “Men” than in “Women” at the "
                                       "same level")  # fmt: skip


@pytest.mark.parametrize("estimate, threshold, edge", [(1.2, 1.8, "ci_high"), (2.8, 2.2, "ci_low")])
def test_at_the_tipping_point_the_end_of_the_interval_is_the_threshold(estimate, threshold, edge):
    table = tip(estimate, threshold, 0.6)
    point = table["tipping_point"].iloc[0] * (1 if edge == "ci_high" else -1)
    np.testing.assert_allclose(np.interp(point, table["difference"], table[edge]), threshold, rtol=1e-12)
    assert table["difference"].min() >= -estimate and table["difference"].max() <= 4 - estimate + 1e-9


@pytest.mark.parametrize("estimate, threshold, said", [
    (1.2, 1.8, "stand 1.0 levels above those who did"), (2.8, 2.2, "stand 1.0 levels below those who did"),
    (1.2, 1.25, "might change"), (1.2, 3.9, "holds however"),
])  # fmt: skip
def test_each_outcome_of_the_tipping_point_has_its_sentence(estimate, threshold, said):
    assert said in respondents.tipping_finding(tip(estimate, threshold), "Cloud", words=WORDS)


def test_notebook_02_makes_the_chains_weights_and_its_effective_sample(project, monkeypatch):
    names, unit = run_cells(project, "02_weights_and_measurement", monkeypatch), project.open()
    plt.close("all")
    stored = unit.table("weights")
    np.testing.assert_allclose(names["design"].weights, stored["weight"], rtol=1e-12)
    np.testing.assert_allclose(names["design"].replicate_weights, stored.drop(columns="weight"), rtol=1e-9)
    changed = names["changed"].set_index(["margin", "category"])["share_after"]
    np.testing.assert_allclose(changed, unit.table("representativity")["share_after"], rtol=1e-9)
    weights = stored.loc[unit.population.to_numpy(), "weight"]
    assert names["changes"]["n_eff_after"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    alpha = unit.table("reliability").query("scale == 'group' and statistic == 'alpha'").set_index("scale_id")
    assert names["own"]["alpha"] == pytest.approx(alpha.loc[names["group"], "estimate"], rel=1e-9)
