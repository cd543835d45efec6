"""Items that work otherwise in a group: against hand computation, statsmodels, and items whose fault was planted."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.cumulative import cumulative_logit
from skillsgap.estimate.measures.dif import COLUMNS, comparable_items, differential_functioning
from skillsgap.estimate.measures.itemdif import item_dif
from skillsgap.estimate.survey.design import survey_design

REGRESSED = ["estimate", "se", "uniform_chi2", "nonuniform_chi2", "both_p", "delta_r2_nagelkerke"]
TESTED = ["estimate", "se", "chi2", "p", "odds_ratio", "delta"]


def answers_of(n, *, shift=None, impact=0.0, n_items=5, seed=0, effects=None):
    """People of two languages answering items of five levels; `shift` is what an item adds in uz, in levels."""
    rng = np.random.default_rng(seed)
    uz = rng.random(n) < 0.4
    level = 2 + rng.normal(0, 0.9, n) - impact * uz
    answers = level[:, None] + rng.normal(0, 0.6, (n, n_items)) + (0 if effects is None else effects)
    for item, by in (shift or {}).items():
        answers[:, int(item[1:])] += by * uz
    table = pd.DataFrame(np.clip(np.rint(answers), 0, 4), columns=[f"q{i}" for i in range(n_items)])
    return table.assign(weight=rng.uniform(1, 3, n), answer_language=np.where(uz, "uz", "en"),
                        role_id=rng.choice(["clerk", "analyst"], n)).rename_axis("row_key")  # fmt: skip


def tables_of(rows):
    names = [name for name in rows if name.startswith("q")]
    items = pd.DataFrame({"item_id": names, "competency_id": "reading", "type": "anchored"})
    return items, pd.DataFrame({"competency_id": ["reading"], "group": ["data"]})


def examined(rows, design=None, **options):
    design = survey_design(rows, method="linearization") if design is None else design
    return differential_functioning(rows, *tables_of(rows), design, **{"by": "answer_language", **options})


def binary(seed=1, n=400):
    rows = answers_of(n, shift={"q1": -1.0}, n_items=6, seed=seed)
    answers = (rows.filter(like="q") >= 2).astype(float)
    return answers, rows["answer_language"], np.random.default_rng(seed).choice([0.5, 1, 2], n)


# --- the model and the two-group tests ---------------------------------------------------------------------------


def test_cumulative_logit_against_statsmodels():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 2))
    y = np.digitize(x @ [1.0, -0.5] + rng.logistic(size=300), [-1, 0, 2])
    ours, theirs = cumulative_logit(y, x, np.ones(300)), OrderedModel(y, x, distr="logit").fit(method="bfgs", disp=0)
    assert ours.loglik == pytest.approx(theirs.llf, rel=1e-8)
    np.testing.assert_allclose(ours.coefficients[-2:], theirs.params[:2], rtol=1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.inverse))[-2:], theirs.bse[:2], rtol=1e-3)


def test_cumulative_logit_climbs_to_the_top():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    y = (x @ [1.0, -1.0] + rng.logistic(size=200) > 0).astype(int)
    theta = cumulative_logit(y, x, np.ones(200)).coefficients
    slopes = np.column_stack([np.ones(200), x]).T @ (y - 1 / (1 + np.exp(theta[0] - x @ theta[1:])))
    assert np.abs(slopes).max() < 1e-9


def test_cumulative_logit_of_separated_answers_ends():
    fit = cumulative_logit(np.repeat([0, 1, 2], 20), np.repeat([0.0, 1.0, 2.0], 20)[:, None], np.ones(60))
    assert -1e-6 < fit.loglik <= 0 and np.isfinite(fit.coefficients).all()


def test_mantel_haenszel_of_one_stratum_by_hand():
    # everybody sums to 1: right and wrong are 30, 20 in the reference group, and 10, 40 in the focal one
    first = np.repeat([1, 0, 1, 0], [30, 20, 10, 40])
    group = pd.Series(np.repeat(["r", "f"], [50, 50]))
    row = item_dif(pd.DataFrame({"a": first, "b": 1 - first}), group, reference="r", focal="f",
                   method="mantel_haenszel").iloc[0]  # fmt: skip
    assert row["odds_ratio"] == pytest.approx(6.0)
    assert row["chi2"] == pytest.approx(9.5**2 / (50 * 50 * 40 * 60 / (100**2 * 99)))
    assert row["estimate"] == pytest.approx(-np.log(6)) and row["delta"] == pytest.approx(-2.35 * np.log(6))
    assert row["se"] == pytest.approx(np.sqrt(1 / 30 + 1 / 20 + 1 / 10 + 1 / 40)) and row["ets_class"] == "B_or_C"


@pytest.mark.parametrize("method", ["mantel_haenszel", "logistic", "proportional_odds"])
@pytest.mark.parametrize("purification", [False, True])
def test_scaling_weights_changes_nothing_and_zero_is_absent(method, purification):
    answers, group, w = binary()
    options = {"reference": "en", "focal": "uz", "method": method, "purification": purification}
    whole = item_dif(answers, group, sample_weight=w, **options)
    pd.testing.assert_frame_equal(whole, item_dif(answers, group, sample_weight=1000 * w, **options), rtol=1e-7)
    w[::3] = 0
    some = item_dif(answers[w > 0], group[w > 0], sample_weight=w[w > 0], **options)
    pd.testing.assert_frame_equal(item_dif(answers, group, sample_weight=w, **options), some, rtol=1e-9)


@pytest.mark.parametrize("method", ["mantel_haenszel", "logistic", "proportional_odds"])
def test_weight_2_is_the_row_twice_in_estimates(method):
    answers, group, _ = binary()
    times = 1 + (np.arange(len(answers)) % 3 == 0)
    options = {"reference": "en", "focal": "uz", "method": method}
    weighted = item_dif(answers, group, sample_weight=times, **options)
    twice = item_dif(answers.loc[answers.index.repeat(times)], group.repeat(times), **options)
    points = ["odds_ratio"] if method == "mantel_haenszel" else ["delta_r2_nagelkerke"]
    for column in ["estimate", *points]:
        np.testing.assert_allclose(weighted[column], twice[column], rtol=1e-6, atol=1e-9)


def test_purification_frees_items_from_another_ones_fault():
    rows = answers_of(1500, shift={"q0": -1.2}, n_items=8, seed=5)
    answers = (rows.filter(like="q") >= 2).astype(float)
    options = {"reference": "en", "focal": "uz", "method": "logistic"}
    before = item_dif(answers, rows["answer_language"], **options)["estimate"].iloc[1:].abs().mean()
    after = item_dif(answers, rows["answer_language"], purification=True, **options)
    assert after["flagged"].iloc[0]
    assert after["estimate"].iloc[1:].abs().mean() < before / 2


def test_an_item_answered_alike_has_no_numbers():
    answers, group, _ = binary()
    answers["q2"] = 1.0
    for method, columns in (("logistic", REGRESSED), ("mantel_haenszel", ["chi2", "odds_ratio"])):
        table = item_dif(answers, group, reference="en", focal="uz", method=method).set_index("item_id")
        assert table.loc["q2", columns].isna().all() and table.loc["q1", columns].notna().all()
    assert table["ets_class"].str.len().gt(0).tolist() == [item != "q2" for item in table.index]


def test_who_is_in_no_group_is_left_out():
    answers, group, _ = binary()
    unknown = pd.Series(np.arange(len(group)) % 4 == 0, group.index)
    options = {"reference": "en", "focal": "uz"}
    pd.testing.assert_frame_equal(item_dif(answers, group.mask(unknown), **options),
                                  item_dif(answers[~unknown], group[~unknown], **options))  # fmt: skip


def test_what_item_dif_refuses():
    answers, group, _ = binary()
    faults = ({"method": "mh"}, "unknown"), ({"focal": "ru"}, "nobody"), ({"continuity": "yates"}, "half")
    for changed, words in faults:
        with pytest.raises(EstimateError, match=words):
            item_dif(answers, group, **{"reference": "en", "focal": "uz", **changed})
    for weights in ([1, 2], np.where(np.arange(len(answers)), 1.0, np.nan), -np.ones(len(answers))):
        with pytest.raises(EstimateError, match="weights of 0 or more"):
            item_dif(answers, group, reference="en", focal="uz", sample_weight=weights)
    with pytest.raises(EstimateError, match="1 rows miss"):
        item_dif(answers.mask(answers.index.to_series() == 0), group, reference="en", focal="uz")
    with pytest.raises(EstimateError, match="two categories"):
        item_dif(answers + np.eye(len(answers), 6), group, reference="en", focal="uz", method="logistic")


# --- competency groups -------------------------------------------------------------------------------------------


def test_planted_items_are_flagged_and_others_are_not():
    rows = answers_of(1500, shift={"q1": -0.8, "q3": 0.8}, impact=0.3, n_items=6)
    table = examined(rows).set_index("item_id")
    assert list(table[table["dropped"]].index) == ["q1", "q3"]
    assert table.loc["q1", "ci_high"] < 0 < table.loc["q3", "ci_low"]
    assert table["comparable"].all() and comparable_items(table.reset_index(), "answer_language") == [
        "q0", "q2", "q4", "q5"]  # fmt: skip


def test_without_a_fault_few_items_are_significant_and_none_is_flagged():
    tables = pd.concat([examined(answers_of(400, seed=seed)) for seed in range(20)])
    assert not tables["dropped"].any()
    assert (tables["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.05)
    assert ((tables["ci_low"] < 0) & (tables["ci_high"] > 0)).mean() > 0.9


def test_a_shift_that_grows_with_the_level_is_found_by_the_interaction():
    rows = answers_of(2000, seed=8)
    level = rows.filter(like="q").mean(axis=1)
    turned = (rows["q0"] + 1.2 * (level - level.mean())).round().clip(0, 4)
    rows["q0"] = rows["q0"].where(rows["answer_language"] == "en", turned)
    table = examined(rows).set_index("item_id")
    assert table["p_nonuniform"].idxmin() == "q0" and table.loc["q0", "p_nonuniform"] < 1e-6


def test_an_effect_of_clusters_widens_the_error():
    rng = np.random.default_rng(4)
    psu = np.arange(1200) // 30
    effects = np.column_stack([rng.normal(0, 0.6, 40)[psu], *np.zeros((4, 1200))])
    rows = answers_of(1200, effects=effects, seed=4).assign(psu=psu)
    rows["answer_language"] = np.where(psu % 2, "uz", "en")
    alone, clustered = examined(rows.drop(columns="psu")), examined(rows)
    assert clustered.loc[0, "se"] > 1.5 * alone.loc[0, "se"] and clustered.loc[0, "p"] > alone.loc[0, "p"]


def test_replicates_and_linearisation_agree():
    rows = answers_of(800, shift={"q1": -0.6})
    line, drawn = examined(rows), examined(rows, survey_design(rows, n_replicates=400))
    np.testing.assert_allclose(drawn["estimate"], line["estimate"], rtol=1e-9)
    np.testing.assert_allclose(drawn["se"], line["se"], rtol=0.15)


def test_scaling_weights_order_of_rows_and_absent_rows_change_nothing():
    rows = answers_of(500, shift={"q1": -0.8})
    whole = examined(rows)
    pd.testing.assert_frame_equal(examined(rows.assign(weight=rows["weight"] * 50)), whole, rtol=1e-6)
    design = survey_design(rows, method="linearization")
    pd.testing.assert_frame_equal(examined(rows.sample(frac=1, random_state=0), design), whole)
    without = rows.assign(weight=rows["weight"].where(rows.index % 5 > 0, 0.0))
    points = ["estimate", "n", "n_eff", "delta_r2"]
    pd.testing.assert_frame_equal(examined(without)[points], examined(rows[rows.index % 5 > 0])[points])


def test_weight_2_is_the_row_twice_in_a_groups_estimates():
    rows = answers_of(300)
    times = 1 + rows.index.to_numpy() % 2
    twice = rows.loc[rows.index.repeat(times)].reset_index(drop=True).assign(weight=1.0).rename_axis("row_key")
    weighted = examined(rows.assign(weight=times.astype(float)))
    np.testing.assert_allclose(weighted[["estimate", "delta_r2"]], examined(twice)[["estimate", "delta_r2"]], rtol=1e-6)


def test_missing_answers_are_borne():
    rows = answers_of(1000, shift={"q1": -0.9})
    holes = np.random.default_rng(0).random((1000, 5)) < 0.2
    rows[rows.filter(like="q").columns] = rows.filter(like="q").mask(holes)
    table = examined(rows.assign(answer_language=rows["answer_language"].where(rows.index % 50 > 0),
                                 role_id=rows["role_id"].where(rows.index % 9 > 0))).set_index("item_id")  # fmt: skip
    assert list(table.index[table["dropped"]]) == ["q1"]
    assert (table["n"] < 400).all() and table["estimate"].notna().all()


def test_what_cant_be_examined_says_why():
    rows = answers_of(400, n_items=4)
    few = rows.assign(answer_language=np.where(np.arange(400) < 20, "ru", rows["answer_language"]))
    table = examined(few)
    assert set(table.loc[table["category"] == "ru", "reason"]) == {"too few respondents"}
    assert table.loc[table["category"] == "ru", "estimate"].isna().all()
    assert table.loc[table["category"] == "uz", "comparable"].all()
    assert set(examined(rows.drop(columns="q3"))["reason"]) == {"too few items"}
    assert comparable_items(examined(rows.drop(columns="q3")), "answer_language") == []
    assert examined(rows.assign(q0=2.0)).set_index("item_id").loc["q0", "reason"] == "no variance"
    assert set(examined(rows.assign(role_id=rows["answer_language"]))["reason"]) == {"confounded"}
    assert list(examined(rows.assign(answer_language="en")).columns) == COLUMNS
    with pytest.raises(EstimateError, match="no such column"):
        examined(rows, by=["sex"])


def test_a_group_with_too_few_unflagged_items_isnt_compared():
    table = examined(answers_of(1500, shift={"q0": -1.5, "q1": 1.5}, n_items=4))
    assert table["dropped"].sum() >= 2 and not table["comparable"].any()
    assert set(table["reason"]) == {"too few unflagged items"}


def test_several_categories_are_tested_together_and_told_apart():
    rows = answers_of(1500, seed=9).assign(agency_id=lambda r: np.array(["big", "big", "mid", "low"])[r.index % 4])
    rows["q2"] = (rows["q2"] - 1.5 * (rows["agency_id"] == "low")).clip(0, 4).round()
    table = examined(rows, by=["agency_id", "answer_language"])
    q2 = table[(table["by"] == "agency_id") & (table["item_id"] == "q2")].set_index("category")
    assert q2["dropped"].all() and q2["p"].nunique() == 1 and set(q2["reference"]) == {"big"}
    assert q2.loc["low", "ci_high"] < -1 and q2.loc["mid", "ci_low"] < 0 < q2.loc["mid", "ci_high"]
    assert not table.loc[table["by"] == "answer_language", "dropped"].any()


def test_groups_told_by_numbers_have_the_names_that_means_give_them():
    rows = answers_of(300).assign(unit=lambda r: np.where(r.index % 3, 1.0, 2.0))
    rows.loc[:4, "unit"] = np.nan
    table = examined(rows, by="unit")
    assert set(table["category"]) == {"2"} and set(table["reference"]) == {"1"}
