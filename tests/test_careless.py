"""Signs of careless answers: by hand, and of people known to be so; results with and without them."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.careless import careless_answers, with_and_without
from skillsgap.estimate.survey.design import survey_design

ITEMS = pd.DataFrame({"item_id": [f"q{i}" for i in range(20)], "type": "anchored", "n_categories": 5})


def respondents(n=500, careless=25, seed=0):
    """The first `careless` tick one answer throughout, or all but one."""
    rng = np.random.default_rng(seed)
    answers = np.clip(np.rint(2 + rng.normal(0, 0.5, n)[:, None] + rng.normal(0, 0.9, (n, 20))), 0, 4)
    answers[:careless] = 4
    answers[: careless // 2, 7] = 3
    return pd.DataFrame(answers, columns=ITEMS["item_id"].tolist()).rename_axis("row_key")


def row(answers):
    return pd.DataFrame([answers], columns=[f"q{i}" for i in range(len(answers))], dtype=float)


def test_who_ticks_one_answer_is_found_and_others_are_not():
    signs = careless_answers(respondents(), ITEMS)
    assert signs["any"].head(25).all() and signs["any"].iloc[25:].mean() < 0.01
    assert signs["low_variation"].head(25).all()


def test_a_run_passes_over_skipped_questions_and_ends_at_another_answer():
    half = [2, 2, 2, 2, 2, np.nan, np.nan, 2, 2, 2, 2, 2, 0, 1, 2, 3, 4, 0, 1, 3]
    assert careless_answers(row(half), ITEMS).at[0, "long_run"]
    broken = [value if place != 5 else 1 for place, value in enumerate(half)]
    assert not careless_answers(row(broken), ITEMS).at[0, "long_run"]


def test_short_scales_and_few_answers_say_nothing():
    assert not careless_answers(row([3] * 8), ITEMS.head(8)).at[0, "any"]
    assert not careless_answers(row([3] * 9 + [np.nan] * 11), ITEMS).at[0, "any"]
    two = ITEMS.assign(n_categories=np.repeat([5, 4], 10))
    alternating = row([1, 3] * 5 + [2] * 10)
    assert careless_answers(alternating, two).at[0, "long_run"]


def test_speed_is_seconds_for_each_answered_item():
    rows = pd.concat([row([0, 1, 2, 3] * 5), row([0, 1, 2, 3] * 5), row([0, 1] + [np.nan] * 18)], ignore_index=True)
    minutes = pd.Series([39 / 60, 41 / 60, np.nan])
    assert careless_answers(rows, ITEMS, duration=minutes)["speed"].tolist() == [True, False, False]
    assert careless_answers(rows, ITEMS, duration=minutes, seconds_per_item=3)["speed"].tolist() == [True, True, False]


def test_order_of_rows_changes_nothing_and_items_must_be_there():
    rows = respondents(100)
    shuffled = careless_answers(rows.sample(frac=1, random_state=1), ITEMS).loc[rows.index]
    pd.testing.assert_frame_equal(shuffled, careless_answers(rows, ITEMS))
    with pytest.raises(EstimateError, match="no item"):
        careless_answers(rows[[]], ITEMS)


def test_results_with_and_without_are_shown_with_intervals_and_nobody_by_name():
    rows = respondents()
    signs, scores = careless_answers(rows, ITEMS), pd.DataFrame({"reading": rows.mean(axis=1)})
    table = with_and_without(scores, signs, survey_design(rows.assign(weight=1.0), n_replicates=100))
    shares = table[table["measure"] == "share"].set_index("variable")
    assert shares.loc["any", "estimate"] == pytest.approx(signs["any"].mean())
    assert shares.loc["any", "ci_low"] < shares.loc["any", "estimate"] < shares.loc["any", "ci_high"]
    means = table[table["measure"] == "mean"].set_index("respondents")
    assert means.loc["all", "estimate"] > means.loc["without", "estimate"] + 0.05
    assert means.loc["without", "n"] == (~signs["any"]).sum()
    assert len(table) == len(signs.columns) + 2 and "row_key" not in table


def test_weights_of_respondents_count():
    rows, rng = respondents(100), np.random.default_rng(0)
    signs, scores = careless_answers(rows, ITEMS), pd.DataFrame({"reading": rows.mean(axis=1)})
    w = rng.uniform(0, 3, 100)

    def estimates(weights, kept=slice(None)):
        there = rows.assign(weight=weights)[kept]
        design = survey_design(there, method="linearization")
        return with_and_without(scores, signs, design)[["estimate", "se", "n_eff"]]

    pd.testing.assert_frame_equal(estimates(w), estimates(40 * w))
    absent = np.where(np.arange(100) % 4, w, 0.0)
    pd.testing.assert_series_equal(estimates(absent)["estimate"], estimates(w, np.arange(100) % 4 > 0)["estimate"])
    np.testing.assert_allclose(
        estimates(np.where(signs["any"], 2.0, 1.0)).at[3, "estimate"],
        2 * signs["any"].sum() / (len(signs) + signs["any"].sum()),
    )
