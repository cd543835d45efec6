"""Levels, alpha and plausible levels: against psych (oracles/reliability), hand computation and known truth."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.errors import EstimateError
from skillsgap.estimate.design import survey_design
from skillsgap.estimate.scoring import cronbach_alpha, plausible_levels, reliability, score_competencies

ORACLES = Path(__file__).parents[2] / "shared" / "oracles" / "reliability"
CASES = sorted(path.parent for path in ORACLES.glob("*/case.json"))


# --- alpha against R's psych ------------------------------------------------------------------------------------


def answer(answers, ask):
    """What `cronbach_alpha` says to a check; None where it offers nothing."""
    answers = answers.dropna() if ask["missing"] == "listwise" else answers
    complete = not answers.isna().any().any()
    if ask["statistic"] == "alpha_if_dropped" and not ask["standardised"]:
        return [cronbach_alpha(answers.drop(columns=item))["alpha"] for item in answers]
    if ask["statistic"] != "alpha" or (ask["standardised"] and not complete):
        return None
    result = cronbach_alpha((answers - answers.mean()) / answers.std() if ask["standardised"] else answers)
    return result["alpha" if ask["report"] == "estimate" else ask["report"]]


def checks(folder):
    spec = json.loads((folder / "case.json").read_text())["spec"]
    answers = pd.read_csv(folder / spec["data"])[spec["items"]]
    return answers, json.loads((folder / "expected.json").read_text())["checks"]


@pytest.mark.skipif(not CASES, reason=f"no reference results: {ORACLES} is absent")
@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_alpha_and_feldts_interval_against_psych(folder):
    answers, asked = checks(folder)
    given = {check["id"]: answer(answers, check["ask"]) for check in asked}
    for check in asked:
        if given[check["id"]] is not None:
            np.testing.assert_allclose(given[check["id"]], check["value"], rtol=check["rtol"], atol=check["atol"],
                                       err_msg=check["id"])
    assert sum(value is not None for value in given.values()) >= 5


@pytest.mark.skipif(not CASES, reason=f"no reference results: {ORACLES} is absent")
def test_checks_against_psych_that_wait_for_more_measures():
    waiting = Counter()
    for folder in CASES:
        answers, asked = checks(folder)
        waiting.update(c["ask"]["statistic"] for c in asked if answer(answers, c["ask"]) is None)
    pytest.skip(f"{waiting.total()} checks: " + ", ".join(f"{n} {kind}" for kind, n in sorted(waiting.items())))


# --- alpha by hand, and what must always hold ---------------------------------------------------------------------


def test_alpha_by_hand():
    """Items (1, 2, 3) and (1, 3, 2): variances 1 and 1, covariance 1/2; alpha = 2 (1 - 2 / 3) = 2/3."""
    answers = pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]})
    result = cronbach_alpha(answers)
    assert result["alpha"] == pytest.approx(2 / 3) and result["n"] == 3
    assert result["ci_low"] < result["alpha"] < result["ci_high"] < 1


def test_no_alpha_of_one_item_or_of_equal_answers():
    assert np.isnan(cronbach_alpha(pd.DataFrame({"a": [1, 2, 3]}))["alpha"])
    assert np.isnan(cronbach_alpha(pd.DataFrame({"a": [2, 2, 2], "b": [1, 1, 1]}))["alpha"])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 12.0, 1e6]))
def test_weights_of_alpha(seed, factor):
    """Scaling changes nothing; a weight of 2 is the row twice; a weight of 0 is the row absent."""
    rng = np.random.default_rng(seed)
    answers = pd.DataFrame(rng.integers(0, 5, (30, 4)) + rng.integers(0, 3, (30, 1))).astype(float)
    weights = rng.integers(0, 3, 30).astype(float)
    given, scaled = cronbach_alpha(answers, weights), cronbach_alpha(answers, weights * factor)
    assert scaled == pytest.approx(given)
    copied = answers.loc[np.repeat(np.arange(30), weights.astype(int))]
    assert cronbach_alpha(copied)["alpha"] == pytest.approx(given["alpha"])
    holes = answers.mask(rng.random((30, 4)) < 0.2)
    present = weights > 0
    assert cronbach_alpha(holes, weights) == pytest.approx(cronbach_alpha(holes[present], weights[present]))


def test_equal_weights_are_no_weights():
    answers = pd.DataFrame(np.random.default_rng(0).integers(0, 5, (40, 3))).astype(float)
    assert cronbach_alpha(answers, np.full(40, 7.0)) == pytest.approx(cronbach_alpha(answers))


def test_reliability_of_competencies_and_of_their_group():
    rng = np.random.default_rng(3)
    base = rng.normal(2, 1, 200)
    rows = pd.DataFrame({f"q{i}": np.clip(np.round(base + rng.normal(0, 0.7, 200)), 0, 4) for i in range(4)})
    rows["weight"] = 1.0
    items = pd.DataFrame({"item_id": ["q0", "q1", "q2", "q3", "often"], "competency_id": ["c", "c", "d", "d", None],
                          "type": ["anchored"] * 4 + ["frequency"]})
    competencies = pd.DataFrame({"competency_id": ["c", "d"], "group": "data"})
    table = reliability(rows, items, competencies, survey_design(rows, n_replicates=2)).set_index(["scale", "scale_id"])
    assert table["n_items"].to_dict() == {("competency", "c"): 2, ("competency", "d"): 2, ("group", "data"): 4}
    whole = cronbach_alpha(rows[["q0", "q1", "q2", "q3"]])["alpha"]
    assert table.loc[("group", "data"), "alpha"] == pytest.approx(whole)
    assert reliability(rows, items[4:], competencies, survey_design(rows, n_replicates=2)).empty


# --- levels -----------------------------------------------------------------------------------------------------


def test_a_level_needs_at_least_half_of_its_items_answered():
    items = pd.DataFrame({"item_id": [f"q{i}" for i in range(5)], "competency_id": ["c"] * 4 + ["d"],
                          "type": ["anchored"] * 5})
    answers = pd.DataFrame([[4, 3, 2, 1, 0], [4, 3, None, None, None], [4, None, None, None, 2]], dtype=float)
    levels = score_competencies(answers.set_axis(items["item_id"], axis=1), items)
    assert levels["c"].tolist()[:2] == [2.5, 3.5] and np.isnan(levels["c"][2])
    assert levels["d"].fillna(-1).tolist() == [0, -1, 2]


def test_only_anchored_items_make_a_level():
    items = pd.DataFrame({"item_id": ["q", "r"], "competency_id": ["c", "c"], "type": ["anchored", "frequency"]})
    answers = pd.DataFrame({"q": [1.0], "r": [4.0]})
    assert score_competencies(answers, items)["c"].tolist() == [1]
    assert score_competencies(answers, items[1:]).empty


# --- plausible levels --------------------------------------------------------------------------------------------

REQUIRED = 2.5


def draw_people(seed, n=1500, n_items=3):
    """True levels in three groups, items that measure them with error, and the level they give."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"group": rng.choice(list("abc"), n)}, index=pd.RangeIndex(n, name="row_key"))
    truth = people["group"].map({"a": 1.6, "b": 2.0, "c": 2.4}) + rng.normal(0, 0.5, n)
    items = pd.DataFrame(truth.to_numpy()[:, None] + rng.normal(0, 0.6, (n, n_items)), index=people.index)
    return people, truth, items.mean(axis=1).to_frame("c"), cronbach_alpha(items)["alpha"]


def plausible(people, scores, alpha, **options):
    design = survey_design(scores.assign(weight=1.0), n_replicates=2)
    return plausible_levels(scores, pd.Series({"c": alpha}), design, people[["group"]], **options)


def test_group_means_stay_where_they_are():
    people, _, scores, alpha = draw_people(1)
    draws = pd.concat(plausible(people, scores, alpha, n_draws=60), axis=1)
    difference = (draws.mean(axis=1) - scores["c"]).groupby(people["group"]).mean()
    assert difference.abs().max() < 4 * 0.4 / np.sqrt(400 * 60)  # 0.4: spread of a draw; some 400 in a group


def test_variance_is_that_of_the_true_levels():
    """Var(draw | group) = reliability × Var(measured | group), which is the variance of the truth, 0.25."""
    found = []
    for seed in range(20):
        people, _, scores, alpha = draw_people(seed)
        draws = plausible(people, scores, alpha, n_draws=5)
        found.append(np.mean([draw["c"].groupby(people["group"]).var().mean() for draw in draws]))
    assert abs(np.mean(found) - 0.25) < 3 * np.std(found, ddof=1) / np.sqrt(20) + 1e-3


def test_the_bias_of_shortfalls_is_removed():
    """max(0, R - C) of an error-prone C is too large; over plausible levels it is right within Monte Carlo error."""
    raw, corrected = [], []
    for seed in range(40):
        people, truth, scores, alpha = draw_people(seed)
        true = (REQUIRED - truth).clip(lower=0).mean()
        draws = plausible(people, scores, alpha, n_draws=10, random_state=seed)
        raw.append((REQUIRED - scores["c"]).clip(lower=0).mean() - true)
        corrected.append(np.mean([(REQUIRED - draw["c"]).clip(lower=0).mean() for draw in draws]) - true)
    raw_error, error = (np.std(each, ddof=1) / np.sqrt(40) for each in (raw, corrected))
    assert np.mean(raw) > 8 * raw_error and np.mean(raw) > 0.02
    assert abs(np.mean(corrected)) < 3 * error and error < 0.002


def test_seeds_and_the_order_of_rows():
    people, _, scores, alpha = draw_people(2, n=50)
    first = plausible(people, scores, alpha, n_draws=2, random_state=4)
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first[0], plausible(people, scores, alpha, n_draws=2, random_state=5)[0])
    order = np.random.default_rng(0).permutation(50)
    design = survey_design(scores.assign(weight=1.0), n_replicates=2)
    again = plausible_levels(scores.iloc[order], pd.Series({"c": alpha}), design, people.iloc[order[::-1]],
                             n_draws=2, random_state=4)
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_missing_levels_stay_missing_also_where_nobody_answered():
    people, _, scores, alpha = draw_people(6, n=40)
    scores = scores.where(pd.Series(scores.index >= 5, scores.index)).assign(nobody=np.nan)
    draws = plausible(people, scores, alpha, n_draws=3)
    for draw in draws:
        assert draw["c"].isna().sum() == 5 and draw["nobody"].isna().all()
        assert draw["c"].dropna().between(0, 4).all()


def test_full_reliability_draws_what_was_measured_and_none_draws_the_mean_of_like_people():
    people, _, scores, _ = draw_people(7, n=60)
    np.testing.assert_allclose(plausible(people, scores, 1.0)[0], scores)
    means = scores["c"].groupby(people["group"]).transform("mean")
    for alpha in (0.0, np.nan, -0.3):
        np.testing.assert_allclose(plausible(people, scores, alpha)[0]["c"], means)


def test_conditioning_of_other_people_is_refused():
    people, _, scores, alpha = draw_people(8, n=20)
    with pytest.raises(EstimateError, match="conditioning has 19 rows and scores 20: give the same people"):
        plausible(people[1:], scores, alpha)
