"""Levels and plausible levels: against hand computation and known truth."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.scales import scale_statistics
from skillsgap.estimate.measures.scoring import plausible_levels, score_competencies
from skillsgap.estimate.survey.design import survey_design

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
    return people, truth, items.mean(axis=1).to_frame("c"), scale_statistics(items).at[0, "estimate"]


def plausible(people, scores, alpha, **options):
    design = survey_design(scores.assign(weight=1.0), n_replicates=2)
    return plausible_levels(scores, pd.Series({"c": alpha}), design, people[["group"]], **options)


def test_group_means_stay_where_they_are():
    people, _, scores, alpha = draw_people(1)
    draws = pd.concat(plausible(people, scores, alpha, n_draws=60), axis=1)
    difference = (draws.mean(axis=1) - scores["c"]).groupby(people["group"]).mean()
    assert difference.abs().max() < 4 * 0.4 / np.sqrt(400 * 60)  # 0.4: spread of a draw; some 400 in a group


def test_means_stay_also_near_the_ends_of_the_scale():
    people, _, scores, _ = draw_people(1)
    for near in ((scores - 1.8).clip(0, 4), (scores + 1.8).clip(0, 4)):
        draws = pd.concat(plausible(people, near, 0.6, n_draws=60), axis=1)
        difference = (draws.mean(axis=1) - near["c"]).groupby(people["group"]).mean()
        assert difference.abs().max() < 0.015 and draws.min(axis=None) >= 0 and draws.max(axis=None) <= 4


def test_who_tells_no_group_is_not_counted_among_the_first():
    people, _, scores, _ = draw_people(1, n=90)
    people = people.assign(group=people["group"].mask(people.index < 30))
    scores.iloc[:30] = 4.0
    drawn = plausible(people, scores, 0.0)[0]["c"]
    assert (drawn[:30] == 4).all() and drawn[30:].max() < 3


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
