"""Levels calibrated to what an assessor found of some: against planted truth, and what must always hold."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.scoring import plausible_levels, score_competencies
from skillsgap.estimate.measures.selfreport import calibrated_levels, self_report_difference
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.survey.means import design_means, group_means

ITEMS = pd.DataFrame({
    "item_id": ["a1", "b1", "ta"], "competency_id": ["a", "b", "a"], "type": ["anchored", "anchored", "tested"],
    "n_categories": 5, "lowest": 0,
})  # fmt: skip
ALPHAS = pd.Series({"a": 0.6, "b": 0.6})


def rated(seed, n=400, *, overall=0.3, men=0.1, true=2.0, sd=(0.5, 0.35), assessed=0.3):
    """Self-ratings a1 and b1 of women and men, as far too high, what an assessor found of some in a, and the truth."""
    rng = np.random.default_rng(seed)
    man = rng.random(n) < 0.5
    level = true + 0.2 * man + rng.normal(0, 0.6, n)
    shift = overall + np.where(man, men, -men)
    a1, b1, ta = (np.clip(np.rint(level + add + rng.normal(0, s, n)), 0, 4)
                  for add, s in ((shift, sd[0]), (shift, sd[0]), (0.0, sd[1])))  # fmt: skip
    ta[rng.random(n) > assessed] = np.nan
    rows = pd.DataFrame({"a1": a1, "b1": b1, "ta": ta, "sex": np.where(man, "m", "f"), "true": level, "weight": 1.0})
    return rows.rename_axis("row_key")


def calibrated(rows, items=ITEMS, method="linearization", **options):
    """What `calibrated_levels` makes of answers."""
    scores = score_competencies(rows, items)
    design = survey_design(rows, method=method, n_replicates=50)
    return calibrated_levels(scores, rows, items, ALPHAS, design, rows[["sex"]], **options)


def holds(draws, rows, truth, by=None):
    """Whether Rubin's 95 % interval of a's mean (of men, where split), with his degrees of freedom, holds the truth."""
    design = survey_design(rows, method="linearization")
    means = group_means([draw[["a"]].loc[rows.index] for draw in draws], design, by)
    each = means.full[:, -1, 0]
    variance, between = means.variance(design)[-1, 0], each.var(ddof=1) * (1 + 1 / len(each))
    t = stats.t.ppf(0.975, (len(each) - 1) * (variance / between) ** 2)
    return abs(each.mean() - truth) <= t * np.sqrt(variance)


def test_95_percent_intervals_hold_the_true_mean_and_those_of_self_ratings_do_not():
    n, inside, raw_inside = 80, [], []
    for seed in range(n):
        rows = rated(seed)
        draws, design = calibrated(rows, random_state=seed).draws, survey_design(rows, method="linearization")
        raw = plausible_levels(score_competencies(rows, ITEMS), ALPHAS, design, rows[["sex"]])
        inside.append([holds(draws, rows, 2.1), holds(draws, rows, 2.2, rows["sex"])])  # all, and men
        raw_inside.append([holds(raw, rows, 2.1), holds(raw, rows, 2.2, rows["sex"])])
    error = np.sqrt(0.95 * 0.05 / n)
    print(f"inside {np.mean(inside, axis=0)}, before {np.mean(raw_inside, axis=0)}, Monte Carlo error {error:.3f}")
    assert (np.abs(np.mean(inside, axis=0) - 0.95) < 3 * error).all() and np.mean(raw_inside) == 0


def test_intervals_of_groups_of_unlike_bias_hold_where_one_in_eight_was_tested():
    inside, true = [], np.linspace(-0.3, 0.3, 6)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows = rated(seed, 800, overall=0.0, men=0.0, assessed=0.12)
        place, bias = rng.integers(0, 6, 800), 0.3 + rng.normal(0, 0.2, 6)
        level = 2 + true[place] + rng.normal(0, 0.6, 800)
        rows["a1"], found = (np.rint(level + add + rng.normal(0, s, 800)).clip(0, 4) for add, s in
                             ((bias[place], 0.5), (0.0, 0.35)))  # fmt: skip
        rows = rows.assign(ta=np.where(rows["ta"].notna(), found, np.nan), sex=place.astype(str))
        draws, design = calibrated(rows, random_state=seed).draws, survey_design(rows, method="linearization")
        table = design_means([draw[["a"]] for draw in draws], design, by=rows["sex"])
        inside += ((table["ci_low"] <= 2 + true) & (2 + true <= table["ci_high"])).tolist()
    assert 0.90 <= np.mean(inside) <= 0.985  # 180 intervals, six to a sample: Monte Carlo error 0.02


def test_levels_vary_as_true_ones_do_and_the_assessed_lie_nearer():
    rows = rated(1, n=6000)
    draws = np.array([draw["a"] for draw in calibrated(rows).draws])
    assert draws.std() == pytest.approx(rows["true"].std(), abs=0.03)
    error, tested = np.sqrt(((draws - rows["true"].to_numpy()) ** 2).mean(axis=0)), rows["ta"].notna()
    assert error[tested].mean() < error[~tested].mean() - 0.05
    short = np.maximum(2.5 - draws, 0).mean()
    assert short == pytest.approx(np.maximum(2.5 - rows["true"], 0).mean(), abs=0.03)


def test_what_is_cut_off_at_0_moves_no_mean():
    rows = rated(2, n=4000, true=0.5, overall=0.0, men=0.0)
    draws = np.array([draw["a"] for draw in calibrated(rows).draws])
    assert draws.min() == 0 and draws.mean() == pytest.approx(np.clip(rows["true"], 0, 4).mean(), abs=0.03)


def test_groups_have_their_own_bias():
    rows = rated(3, n=3000, men=0.3)
    off = rows["a1"] - np.mean([draw["a"] for draw in calibrated(rows).draws], axis=0)
    bias = off.groupby(rows["sex"]).mean()
    assert bias["m"] == pytest.approx(0.6, abs=0.1) and bias["f"] == pytest.approx(0.0, abs=0.1)


def test_biases_of_small_groups_are_drawn_to_the_rest_where_they_only_seem_to_differ():
    rows = rated(3, n=400, men=0.0).assign(sex=np.arange(400) // 10)
    off = rows["a1"] - np.mean([draw["a"] for draw in calibrated(rows, n_draws=20).draws], axis=0)
    seen = (rows["a1"] - rows["ta"]).groupby(rows["sex"]).mean()
    assert seen.std() > 0.35 and off.groupby(rows["sex"]).mean().std() < 0.2


def test_facts_say_who_was_tested_and_how_far_self_ratings_stand_above():
    rows = rated(4, n=1500).assign(weight=np.tile([1.0, 2.0, 3.0], 500))
    a, b = calibrated(rows).facts.to_dict("records")
    assert (a["basis"], a["uncertainty"], b["basis"], b["uncertainty"]) == (
        "tested", "sampling+measurement", "transferred", "sampling+model")  # fmt: skip
    design = survey_design(rows, method="linearization")
    direct = self_report_difference(score_competencies(rows, ITEMS), rows, ITEMS, design).iloc[0]
    assert (a["n"], b["n"], b["n_eff"]) == (direct["n"], 0, 0) and a["n_eff"] == pytest.approx(direct["n_eff"])
    assert a["ci_low"] < 0.3 < a["ci_high"] and a["estimate"] == pytest.approx(direct["estimate"], abs=direct["se"])
    assert b["estimate"] == pytest.approx(a["estimate"], abs=0.05) and b["se"] > 0.2 > 4 * a["se"]


def test_a_bias_is_rather_that_of_the_own_group():
    rows = rated(5, n=1500).assign(c1=lambda r: r["b1"], d1=lambda r: r["b1"], tb=lambda r: (r["b1"] - 1).clip(0))
    rows["tb"] = rows["tb"].where(rows["ta"].notna())
    more = {"item_id": ["c1", "d1", "tb"], "competency_id": ["c", "d", "b"], "type": ["anchored", "anchored", "tested"]}
    items = pd.concat([ITEMS, pd.DataFrame(more).assign(n_categories=5, lowest=0)])
    groups = pd.Series({"a": "x", "c": "x", "b": "y"})
    facts = calibrated(rows, items, groups=groups).facts.set_index("competency_id")["estimate"]
    assert facts["b"] > facts["d"] + 0.2 and facts["a"] < facts["c"] - 0.1 and facts["c"] < facts["d"] - 0.1


def test_with_nobody_tested_or_too_few_levels_are_those_of_plausible_levels():
    rows = rated(6, n=60)
    for answers in (rows.assign(ta=np.nan), rows.assign(ta=np.where(np.arange(60) < 29, 2.0, np.nan))):
        made = calibrated(answers, random_state=3)
        scores, design = score_competencies(rows, ITEMS), survey_design(rows, method="linearization")
        same = plausible_levels(scores, ALPHAS, design, rows[["sex"]], random_state=3)
        for draw, other in zip(made.draws, same, strict=True):
            pd.testing.assert_frame_equal(draw, other)
        assert (made.facts["basis"] == "self_reported").all() and made.facts["estimate"].isna().all()


def test_weights_and_order_of_rows_items_and_columns():
    rows = rated(7, n=300).assign(weight=np.tile([0.0, 2.0, 3.0], 100)).astype({"a1": float})
    rows.loc[5, "a1"] = np.nan
    made = calibrated(rows, method="bootstrap")
    assert made.draws[0].isna().sum().to_dict() == {"a": 1, "b": 0}
    for other, items in ((rows.assign(weight=rows["weight"] * 7), ITEMS), (rows[rows["weight"] > 0], None),
                         (rows.sample(frac=1, random_state=1), ITEMS.iloc[::-1])):  # fmt: skip
        again = calibrated(other, *([] if items is None else [items]), method="bootstrap")
        for draw, same in zip(again.draws, made.draws, strict=True):
            pd.testing.assert_frame_equal(draw, same.loc[draw.index, list(draw)], rtol=1e-7)
    twice = rows.loc[np.repeat(rows.index, rows["weight"].astype(int))].assign(weight=1.0).reset_index(drop=True)
    more = calibrated(twice.rename_axis("row_key")).facts
    assert more["estimate"].tolist() == pytest.approx(made.facts["estimate"].tolist(), abs=0.05)


def test_faults_of_a_call_are_told():
    rows = rated(8, n=60)
    with pytest.raises(EstimateError, match="at least 2"):
        calibrated(rows, n_draws=1)
    design = survey_design(rows, method="linearization")
    with pytest.raises(EstimateError, match="59 rows and scores 60"):
        calibrated_levels(score_competencies(rows, ITEMS), rows, ITEMS, ALPHAS, design, rows[["sex"]][1:])
