"""Reliability: against hand computation and known truth (`python -m tests.oracles`: against R's psych and lavaan)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.factor import as_correlations, factor_fit, omega_slopes, one_factor
from skillsgap.estimate.measures.polychoric import polychoric_correlations, polychoric_statistics
from skillsgap.estimate.measures.reliability import group_mean_reliability, level_reliability, reliability
from skillsgap.estimate.measures.scales import (
    alpha_slopes,
    coefficient_alpha,
    pairwise_covariances,
    scale_statistics,
)
from skillsgap.estimate.survey.design import survey_design

LOADINGS = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
RESIDUALS = np.array([0.4, 0.5, 0.6, 0.5, 0.7])
OMEGA = LOADINGS.sum() ** 2 / (LOADINGS.sum() ** 2 + RESIDUALS.sum())


def draw_answers(rng, n):
    """Answers to five items that one factor of known loadings stands behind."""
    noise = rng.normal(size=(n, 5)) * np.sqrt(RESIDUALS)
    return pd.DataFrame(rng.normal(size=(n, 1)) * LOADINGS + noise, columns=list("abcde"))


def of(table, statistic, column="estimate"):
    values = table.loc[table["statistic"] == statistic, column].tolist()
    return values if len(values) > 1 else values[0]


# --- alpha by hand, and what must always hold ---------------------------------------------------------------------


def test_alpha_by_hand():
    """Items (1, 2, 3) and (1, 3, 2): variances 1 and 1, covariance 1/2; alpha = 2 (1 - 2 / 3) = 2/3."""
    answers = pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]})
    table = scale_statistics(answers)
    assert of(table, "alpha") == pytest.approx(2 / 3) and of(table, "n_complete") == 3
    assert of(table, "item_rest_correlation") == pytest.approx([0.5, 0.5]) and of(table, "item_mean") == [2, 2]
    assert of(table, "guttman_lambda6") == pytest.approx(1 - 2 * 0.75 / 3)  # a squared multiple correlation is 1/4
    assert of(table, "alpha", "ci_low") < 2 / 3 < of(table, "alpha", "ci_high") < 1


def test_covariances_are_those_of_pandas_where_answers_are_missing():
    rng = np.random.default_rng(0)
    answers = draw_answers(rng, 60).mask(rng.random((60, 5)) < 0.3)
    np.testing.assert_allclose(pairwise_covariances(answers.to_numpy(), np.ones((60, 1)))[0], answers.cov())
    assert of(scale_statistics(answers), "item_mean") == pytest.approx(answers.mean().tolist())
    complete = scale_statistics(answers.dropna())
    pd.testing.assert_frame_equal(scale_statistics(answers, missing="listwise"), complete)
    assert of(complete, "n_complete") == of(scale_statistics(answers), "n_complete") == len(answers.dropna())


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 12.0, 1e6]))
def test_weights(seed, factor):
    """Scaling changes nothing; a weight of 2 is the row twice (estimates); a weight of 0 is the row absent."""
    rng = np.random.default_rng(seed)
    answers = pd.DataFrame(rng.integers(0, 4, (60, 4)) + rng.integers(0, 3, (60, 1))).astype(float)
    weights = rng.integers(0, 3, 60).astype(float)
    holes, there = answers.mask(rng.random((60, 4)) < 0.2), weights > 0
    table = scale_statistics(holes, weights)
    pd.testing.assert_frame_equal(scale_statistics(holes, weights * factor), table, rtol=1e-6)
    pd.testing.assert_frame_equal(scale_statistics(holes[there], weights[there]), table)
    copied = answers.loc[np.repeat(np.arange(60), weights.astype(int))]
    twice, once = scale_statistics(copied), scale_statistics(answers, weights)
    for name in ("alpha", "guttman_lambda6", "omega_total", "item_mean", "item_rest_correlation", "alpha_if_dropped"):
        assert of(twice, name) == pytest.approx(of(once, name), nan_ok=True)
    matrix = polychoric_correlations(answers, weights)
    np.testing.assert_allclose(polychoric_correlations(answers, weights * factor), matrix, atol=1e-5)
    np.testing.assert_allclose(polychoric_correlations(answers[there], weights[there]), matrix, atol=1e-5)
    np.testing.assert_allclose(polychoric_correlations(copied), matrix, atol=1e-5)


def test_equal_weights_are_no_weights_and_a_wider_level_a_wider_interval():
    answers = draw_answers(np.random.default_rng(0), 40)
    plain = scale_statistics(answers)
    pd.testing.assert_frame_equal(scale_statistics(answers, np.full(40, 7.0)), plain)
    wide = scale_statistics(answers, level=0.99)
    assert of(wide, "alpha", "ci_low") < of(plain, "alpha", "ci_low")
    assert of(wide, "omega_total", "ci_high") > of(plain, "omega_total", "ci_high")


@pytest.mark.parametrize(("answers", "why"), [
    ({"a": [1.0, 2, 3]}, "one item"),
    ({"a": [2.0, 2, 2], "b": [1.0, 1, 1]}, "no variance"),
    ({"a": [np.nan] * 3, "b": [np.nan] * 3}, "nothing answered"),
    ({"a": [1, 2, np.nan], "b": [np.nan, np.nan, 1]}, "nothing answered"),
])  # fmt: skip
def test_a_scale_that_has_no_alpha_says_why(answers, why):
    answers = pd.DataFrame(answers)
    table = scale_statistics(answers)
    assert np.isnan(of(table, "alpha")) and set(table["why"]) == {why}
    ordinal = polychoric_statistics(answers)
    assert np.isnan(of(ordinal, "alpha_ordinal")) and set(ordinal["why"]) == {why}
    rows = answers.assign(weight=1.0)
    items = pd.DataFrame({"item_id": answers.columns, "competency_id": "c", "type": "anchored"})
    found = reliability(rows, items, pd.DataFrame({"competency_id": ["c"], "group": "g"}), survey_design(rows))
    assert found["estimate"].isna().all() and found["se"].isna().all() and set(found["why"]) == {why}


def test_an_empty_cell_among_two_by_two_ends_near_1_and_not_at_it():
    """Two-step estimates of other programs, to their digits, are 0.951 and 0.954: the likelihood is flat from there."""
    answers = pd.DataFrame(np.repeat([[0, 0], [1, 0], [1, 1]], [58, 393, 49], axis=0), columns=["a", "b"])
    assert polychoric_correlations(answers).loc["a", "b"] == pytest.approx(0.9525, abs=0.004)


def test_items_that_cancel_out_have_no_alpha_and_no_lambda(recwarn):
    table = scale_statistics(pd.DataFrame({"a": [1.0, 2, 3], "b": [3.0, 2, 1]}))
    assert np.isnan([of(table, "alpha"), of(table, "guttman_lambda6")]).all() and not recwarn.list


def test_faults_are_named():
    answers = pd.DataFrame({"a": [1, 2, 3], "b": [1, 3, 2]})
    with pytest.raises(EstimateError, match="missing 'casewise': use one of pairwise, listwise"):
        scale_statistics(answers, missing="casewise")
    with pytest.raises(EstimateError, match="level 95 of the intervals"):
        scale_statistics(answers, level=95)
    with pytest.raises(EstimateError, match="expected 3 weights"):
        scale_statistics(answers, [1, 2])
    with pytest.raises(EstimateError, match="2 negative or missing"):
        polychoric_correlations(answers, [1, -1, np.nan])
    with pytest.raises(EstimateError, match="thresholds 'mine': use one of"):
        polychoric_correlations(answers, thresholds="mine")


# --- one factor -----------------------------------------------------------------------------------------------------


def test_one_factor_reproduces_what_it_made():
    exact = np.outer(LOADINGS, LOADINGS) + np.diag(RESIDUALS)
    for size in (1, 9):
        fit = one_factor(size * exact)
        np.testing.assert_allclose(fit.loadings, LOADINGS * size**0.5, atol=1e-8)
        np.testing.assert_allclose(fit.residual_variances, RESIDUALS * size, atol=1e-7)
        assert fit.omega == pytest.approx(OMEGA)
    measures = factor_fit(exact, one_factor(exact), 300)
    assert measures["chisq"] == pytest.approx(0, abs=1e-9) and measures["df"] == 5 and measures["cfi"] == 1
    assert measures["rmsea"] == 0 and measures["srmr"] == pytest.approx(0, abs=1e-9)
    three = factor_fit(exact[:3, :3], one_factor(exact[:3, :3]), 300)
    assert three["df"] == 0 and three["cfi"] == three["tli"] == 1 and three["rmsea"] == 0
    assert np.isnan(one_factor(exact[:2, :2]).omega) and np.isnan(one_factor(np.ones((4, 4))).omega)


def test_slopes_of_alpha_and_omega_are_what_a_small_change_brings():
    """Of a matrix that one factor doesn't fit."""
    covariance = np.cov(np.random.default_rng(0).normal(size=(30, 5)).cumsum(axis=1).T)
    change = np.random.default_rng(1).normal(size=(5, 5))
    change = 1e-6 * (change + change.T)
    after = covariance + change
    found = (omega_slopes(covariance, one_factor(covariance)) * change).sum()
    assert found == pytest.approx(one_factor(after).omega - one_factor(covariance).omega, rel=1e-3)
    found = (alpha_slopes(covariance) * change).sum()
    assert found == pytest.approx(coefficient_alpha(after) - coefficient_alpha(covariance), rel=1e-3)


def test_errors_of_standardised_alpha_and_omega_are_those_of_a_jackknife():
    answers = draw_answers(np.random.default_rng(0), 200) * [1, 2, 3, 4, 5]
    without = [as_correlations(each)[0] for each in pairwise_covariances(answers.to_numpy(), 1 - np.eye(200) / 1.0001)]
    table = scale_statistics(answers, standardised=True)
    for name, values in (("alpha", [coefficient_alpha(each) for each in without]),
                         ("omega_total", [one_factor(each).omega for each in without])):  # fmt: skip
        assert of(table, name, "se") == pytest.approx(np.sqrt(199 / 200 * 200 * np.var(values)), rel=0.05)


def test_omega_and_its_errors_over_simulated_samples():
    """Mean over samples is the truth; the errors told are those seen; intervals hold it in 95 % (Monte Carlo error)."""
    rng, rows = np.random.default_rng(5), []
    for _ in range(120):
        table = scale_statistics(draw_answers(rng, 300))
        rows.append(table.set_index("statistic").loc["omega_total", ["estimate", "se", "ci_low", "ci_high"]])
    found = pd.DataFrame(rows).astype(float)
    spread = found["estimate"].std()
    assert abs(found["estimate"].mean() - OMEGA) < 3 * spread / np.sqrt(120) + 1e-3
    assert found["se"].mean() == pytest.approx(spread, rel=3 / np.sqrt(2 * 120))
    assert 0.90 <= found["ci_low"].le(OMEGA).mul(found["ci_high"].ge(OMEGA)).mean() <= 0.99


def test_a_factor_of_unrelated_items_or_with_a_negative_variance_is_kept_out_of_claims():
    """Unrelated: all answers crossed. Negative: of correlations .8, .8 and .4, as .8 × .8 / .4 = 1.6 is more than 1."""
    crossed = pd.DataFrame([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    assert of(scale_statistics(crossed), "omega_total", "why") == "no factor"
    root = np.linalg.cholesky(np.array([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]]))
    drawn = np.linalg.qr(np.random.default_rng(0).normal(size=(50, 4)))[0][:, :3]
    table = scale_statistics(pd.DataFrame(drawn @ root.T))
    assert of(table, "alpha", "why") == "" and of(table, "omega_total", "why") == "no factor"


# --- polychoric -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.3, 0.8])
@pytest.mark.parametrize("thresholds", ["all_answers_of_item", "complete_pair"])
def test_polychoric_finds_the_correlation_behind_the_categories(rho, thresholds):
    rng = np.random.default_rng(1)
    behind = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 20_000)
    answers = pd.DataFrame({"a": np.digitize(behind[:, 0], [-1, 0, 0.5]), "b": np.digitize(behind[:, 1], [0.2, 1.5])})
    answers = answers.astype(float).mask(rng.random(answers.shape) < 0.1)
    matrix = polychoric_correlations(answers, thresholds=thresholds)
    assert matrix.loc["a", "b"] == pytest.approx(rho, abs=4 * 1.4 / np.sqrt(16_000))


def test_polychoric_of_halves_by_hand_and_at_the_edge():
    """Two halves: P(both low) = 1/4 + arcsin(r) / 2 pi (Sheppard); items that never disagree stop at .9999."""
    counts = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    found = polychoric_correlations(counts, [3, 2, 2, 3]).loc["a", "b"]
    assert found == pytest.approx(np.sin(2 * np.pi * (0.3 - 0.25)), abs=1e-6)
    assert polychoric_correlations(counts, [1, 0, 0, 1]).loc["a", "b"] == pytest.approx(0.9999, abs=1e-6)
    table = polychoric_statistics(counts, [3, 2, 2, 3])
    assert of(table, "alpha_ordinal") == pytest.approx(2 * found / (1 + found))
    assert of(table, "polychoric_eigenvalues") == pytest.approx([1 + found, 1 - found])


# --- scales of a survey ---------------------------------------------------------------------------------------------


def draw_survey(seed, n=400):
    rng = np.random.default_rng(seed)
    rows = draw_answers(rng, n).mask(rng.random((n, 5)) < 0.1).assign(stratum=rng.integers(0, 4, n))
    rows["weight"] = rng.uniform(1, 3, n)
    items = pd.DataFrame({"item_id": [*"abcde", "often"], "competency_id": ["c", "c", "d", "d", "e", None],
                          "type": ["anchored"] * 5 + ["frequency"]})  # fmt: skip
    return rows, items, pd.DataFrame({"competency_id": ["c", "d", "e"], "group": "data"})


def test_reliability_of_competencies_and_of_their_group():
    rows, items, competencies = draw_survey(3)
    table = reliability(rows, items, competencies, survey_design(rows, n_replicates=50))
    assert table[["scale_id", "statistic", "n_items"]].to_numpy().tolist() == [
        ["c", "alpha", 2], ["d", "alpha", 2], ["e", "alpha", 1], ["data", "alpha", 5], ["data", "omega", 5],
    ]  # fmt: skip
    some = rows[rows[list("abcde")].notna().any(axis=1)]
    whole = scale_statistics(some[list("abcde")], some["weight"]).loc[0, ["estimate", "ci_low", "ci_high", "n"]]
    group = table.set_index(["scale_id", "statistic"]).loc["data"]
    assert group.loc["alpha", ["estimate", "ci_low", "ci_high", "n"]].tolist() == pytest.approx(whole.tolist())
    single = table.set_index("scale_id").loc["e"]
    assert single["why"] == "one item" and np.isnan(single["estimate"]) and single["n"] == rows["e"].notna().sum()
    assert group.loc["alpha", "n_eff"] < group.loc["alpha", "n"]
    assert reliability(rows, items[5:], competencies, survey_design(rows)).empty
    steps = level_reliability(table, competencies)
    assert steps["c"] == table["estimate"][0] and 0 < steps["e"] < 1


def test_replicates_and_linearisation_tell_like_errors_and_order_and_scale_change_nothing():
    rows, items, competencies = draw_survey(4)
    line = survey_design(rows, method="linearization")
    table = reliability(rows, items, competencies, line)
    drawn = reliability(rows, items, competencies, survey_design(rows, n_replicates=300))
    np.testing.assert_allclose(drawn["estimate"], table["estimate"])
    np.testing.assert_allclose(drawn["se"], table["se"], rtol=0.25)
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = rows.iloc[order].assign(weight=rows["weight"] * 50)
    for method, wanted in (("linearization", table), ("bootstrap", drawn)):
        again = reliability(mixed, items, competencies, survey_design(mixed, method=method, n_replicates=300))
        pd.testing.assert_frame_equal(again, wanted, rtol=1e-6)


def test_rows_of_weight_0_and_rows_without_answers_count_for_nothing():
    rows, items, competencies = draw_survey(5)
    rows.loc[:40, list("abcde")] = np.nan
    rows.loc[380:, "weight"] = 0.0
    table = reliability(rows, items, competencies, survey_design(rows, method="linearization"))
    fewer = rows.loc[41:379]
    kept = reliability(fewer, items, competencies, survey_design(fewer, method="linearization"))
    same = ["estimate", "ci_low", "ci_high", "n", "n_eff"]
    alphas = table["statistic"] == "alpha"  # omega's limits rest on se, and the strata on everybody sampled
    pd.testing.assert_frame_equal(table.loc[alphas, same], kept.loc[alphas, same])


# --- group means -----------------------------------------------------------------------------------------------------


def test_reliability_of_group_means_by_hand():
    """Means 1, 3, 5 of 40 answers each, error variances v alike: sum of squares 8 = 2 (tau2 + v), so tau2 = 4 - v."""
    steps = np.tile(np.linspace(-6, 6, 40), 3)
    groups = pd.Series(np.repeat(["x", "y", "z"], 40))
    rows = pd.DataFrame({"weight": 2.0, "c": steps + np.repeat([1.0, 3.0, 5.0], 40)})
    error = steps[:40].var() / 40 * 120 / 119
    table = group_mean_reliability(rows[["c"]], groups, survey_design(rows, method="linearization"))
    assert table["group"].tolist() == ["x", "y", "z", "all"]
    assert table["estimate"].tolist() == pytest.approx([(4 - error) / 4] * 4)
    assert (table["ci_low"] < table["estimate"]).all() and (table["estimate"] < table["ci_high"]).all()
    assert table["n"].tolist() == [40, 40, 40, 120] and set(table["uncertainty"]) == {"sampling"}


@pytest.mark.parametrize("size", [4, 40])
def test_reliability_of_group_means_over_simulated_surveys(size):
    """Between variance .09, answers' variance .81: also where groups are too small to tell their own errors."""
    rng, off = np.random.default_rng(2), []
    for _ in range(40):
        sizes = np.maximum(rng.poisson(size, 30), 2)
        groups = np.repeat(np.arange(30), sizes)
        rows = pd.DataFrame({"weight": 1.0, "c": rng.normal(2, 0.3, 30)[groups] + rng.normal(0, 0.9, len(groups))})
        table = group_mean_reliability(rows, pd.Series(groups), survey_design(rows, method="linearization"))
        found = table[(table["variable"] == "c") & (table["group"] == "all")]["estimate"].iloc[0]
        off.append(found - np.mean(0.09 / (0.09 + 0.81 / sizes)))
    assert abs(np.mean(off)) < 3 * np.std(off, ddof=1) / np.sqrt(40) + 0.01


def test_groups_that_differ_no_more_than_by_chance_and_groups_without_answers():
    rows = pd.DataFrame({"weight": 1.0, "c": [1.0, 3, 1, 3, 1, 3, np.nan]})
    groups = pd.Series(["x", "x", "y", "y", "z", "z", "empty"])
    design = survey_design(rows, n_replicates=50)
    table = group_mean_reliability(rows[["c"]], groups, design).set_index("group")
    assert table.loc[["x", "y", "z", "all"], "estimate"].tolist() == [0, 0, 0, 0]
    assert np.isnan(table.loc["empty", "estimate"]) and table.loc["empty", "n"] == 0
    alone = group_mean_reliability(rows[["c"]], groups.where(groups == "x"), design)
    assert alone["estimate"].isna().all()
    draws = [rows[["c"]], rows[["c"]] + 0.1]
    assert set(group_mean_reliability(draws, groups, design)["uncertainty"]) == {"sampling+measurement"}
    heavier = group_mean_reliability(rows[["c"]], groups, survey_design(rows.assign(weight=9.0), n_replicates=50))
    pd.testing.assert_frame_equal(heavier.set_index("group"), table)


@pytest.mark.parametrize("rows", [3, 60])
def test_items_answered_alike_have_an_alpha_and_no_factor(rows):
    """Their correlations are singular: normal-theory likelihood has no maximum there, and nothing breaks."""
    rng = np.random.default_rng(3)
    answers = pd.DataFrame(rng.integers(0, 5, (rows, 4)).astype(float), columns=list("abcd"))
    answers["b"] = answers["a"]
    items = pd.DataFrame({"item_id": list("abcd"), "competency_id": "c", "type": "anchored"})
    design = survey_design(answers.assign(weight=1.0), n_replicates=20)
    table = reliability(answers, items, pd.DataFrame({"competency_id": ["c"], "group": ["g"]}), design)
    omega = table[table["statistic"] == "omega"]
    assert omega["estimate"].isna().all() and (omega["why"] == "no factor").all()
    assert table.loc[table["statistic"] == "alpha", "estimate"].notna().all()
