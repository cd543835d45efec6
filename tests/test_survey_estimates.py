"""Survey estimates: what must hold whatever the weights, hand computation, and replicates gone through one by one."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.crosstabs import rao_scott_test
from skillsgap.estimate.survey.design import replicate_design, survey_design
from skillsgap.estimate.survey.estimates import (
    survey_difference,
    survey_mean,
    survey_proportion,
    survey_ratio,
    survey_total,
    weight_summary,
)
from skillsgap.estimate.survey.quantiles import survey_quantile
from skillsgap.estimate.survey.regression import survey_regression
from tests.oracles.survey import answer

VERBS = {
    "mean": lambda rows, design: survey_mean(rows[["y", "x"]], design, by=rows["g"]),
    "total": lambda rows, design: survey_total(rows["y"], design, by=rows["g"]),
    "ratio": lambda rows, design: survey_ratio(rows["y"], rows["x"], design, where=rows["x"] > 1),
    "proportion": lambda rows, design: survey_proportion(rows["g"], design, interval="beta"),
    "quantile": lambda rows, design: survey_quantile(rows["y"], design, by=rows["g"]),
    "direct quantile": lambda rows, design: survey_quantile(rows["y"], design, rule="school", interval="wald"),
    "difference": lambda rows, design: survey_difference(rows[["y"]], design, by=rows["g"], between=("u", "v")),
    "linear": lambda rows, design: survey_regression(rows, design, response="y", terms=["x", "g"]),
    "logistic": lambda rows, design: survey_regression(rows, design, response="b", terms=["x"], family="binomial"),
    "table": lambda rows, design: rao_scott_test(rows[["b", "g"]], design),
}
POINTS = ("estimate", "chi2")
ERRORS = ("se", "deff", "statistic", "p", "n_eff")


def drawn(n=240, seed=5):
    """Three strata of eight units of ten people, some of whom didn't answer."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"stratum": np.repeat(["A", "B", "C"], n // 3), "psu": np.repeat(np.arange(24), n // 24),
                         "weight": rng.integers(1, 5, n).astype(float), "x": rng.uniform(0.5, 4, n)})  # fmt: skip
    rows["g"] = rng.choice(["u", "v", "w"], n)
    rows["y"] = (rows["x"] + rng.normal(size=n) + rows["psu"] % 3 / 2).round(1)
    rows["b"] = (rows["y"] + rng.normal(size=n) > 2.5).astype(float)
    rows.loc[[3, 50, 51], "y"] = np.nan
    return rows.rename_axis("row_key")


def values(table, columns):
    return table[[column for column in columns if column in table]].to_numpy(dtype=float)


def same(one, other, columns, rtol=1e-7):
    np.testing.assert_allclose(values(one, columns), values(other, columns), rtol=rtol, atol=1e-10)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["linearization", "jackknife"])
class TestWeights:
    def test_weight_two_is_the_row_twice_within_its_unit(self, verb, method):
        rows = drawn().assign(weight=lambda frame: frame["weight"].where(frame.index % 4 > 0, 2.0))
        twice = rows.assign(weight=rows["weight"].where(rows.index % 4 > 0, 1.0))
        twice = pd.concat([twice, twice[twice.index % 4 == 0]]).reset_index(drop=True)
        one, other = (VERBS[verb](each, survey_design(each, method=method)) for each in (rows, twice))
        same(one, other, ("estimate", "se", "statistic", "p"))

    def test_weight_zero_is_a_row_that_is_not_there(self, verb, method):
        rows = drawn()
        nobody = rows.assign(weight=0.0, y=99.0, x=77.0, psu=500 + rows.index % 2, stratum="D")
        more = pd.concat([rows, nobody[:6]]).reset_index(drop=True)
        one, other = (VERBS[verb](each, survey_design(each, method=method)) for each in (rows, more))
        same(one, other, (*POINTS, "n", "n_eff"))

    def test_scale_of_weights_changes_nothing_but_totals(self, verb, method):
        rows = drawn()
        one = VERBS[verb](rows, survey_design(rows, method=method))
        other = VERBS[verb](rows, survey_design(rows.assign(weight=rows["weight"] * 37), method=method))
        if verb == "total":
            other[["estimate", "se"]] /= 37
        same(one, other, (*POINTS, *(column for column in ERRORS if column != "deff")))

    def test_order_of_rows_changes_nothing(self, verb, method):
        rows = drawn()
        mixed = rows.sample(frac=1, random_state=1)
        one, other = (VERBS[verb](each, survey_design(each, method=method)) for each in (rows, mixed))
        same(one, other, (*POINTS, *ERRORS), rtol=1e-6)


def test_every_table_has_the_names_of_the_package():
    rows = drawn()
    for name, verb in VERBS.items():
        wanted = {"n", "n_eff", "uncertainty"} | (set() if name == "table" else {"estimate", "se", "ci_low", "ci_high"})
        assert wanted <= set(verb(rows, survey_design(rows, n_replicates=20)))


# --- linearisation and replicates ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [verb for verb in VERBS if "quantile" not in verb and verb != "table"])
def test_linearised_and_jackknife_errors_are_close(verb):
    rows = drawn()
    one, other = (VERBS[verb](rows, survey_design(rows, method=method)) for method in ("linearization", "jackknife"))
    same(one, other, ("estimate",), rtol=1e-9)
    same(one, other, ("se",), rtol=0.06)


def test_a_total_has_the_same_error_by_jackknife_and_linearised():
    rows = drawn()
    tables = [survey_total(rows["x"], survey_design(rows, method=m), where=rows["g"] == "u") for m in
              ("linearization", "jackknife")]  # fmt: skip
    same(*tables, ("estimate", "se", "deff"), rtol=1e-10)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("centre", ["full_sample", "replicate_mean"])
def test_a_replicate_is_the_same_estimate_with_other_weights(verb, centre):
    rows = drawn()
    made = survey_design(rows, method="jackknife")
    design = replicate_design(made.weights, made.replicate_weights, method="jkn", rscales=made.scales, centre=centre)
    column = "chi2" if verb == "table" else "estimate"
    full = VERBS[verb](rows, design)
    one_by_one = [VERBS[verb](rows, survey_design(rows.assign(weight=w), method="linearization"))[column]
                  for w in made.replicate_weights.T]  # fmt: skip
    if verb not in ("table", "quantile"):
        around = full["estimate"].to_numpy() if centre == "full_sample" else np.mean(one_by_one, axis=0)
        variance = (made.scales[:, None] * (np.stack(one_by_one) - around) ** 2).sum(axis=0)
        np.testing.assert_allclose(full["se"], np.sqrt(variance), rtol=1e-6)


def test_units_outside_a_domain_still_count():
    rows = drawn()
    inside = rows["psu"] < 10  # B has two of its eight units, C none
    design = survey_design(rows, method="linearization")
    here = survey_mean(rows["x"], design, where=inside).iloc[0]
    missing = survey_mean(rows["x"].where(inside), design).iloc[0]
    alone = survey_mean(rows["x"][inside], survey_design(rows[inside], method="linearization")).iloc[0]
    assert here["se"] == pytest.approx(missing["se"], rel=1e-12)
    assert here["estimate"] == pytest.approx(alone["estimate"], rel=1e-12)
    assert here["se"] != pytest.approx(alone["se"], rel=1e-3)
    assert here["degf"] == 21


def test_a_census_has_no_error():
    rows = drawn().assign(weight=1.0, fpc=8.0)
    design = survey_design(rows, method="linearization")
    assert survey_mean(rows["x"], design)["se"].item() == pytest.approx(0, abs=1e-12)


# --- by hand -------------------------------------------------------------------------------------------------


def plain(rows, weight=10.0):
    return survey_design(rows, weight=weight, method="linearization")


def test_errors_of_a_simple_random_sample_are_the_textbook_ones():
    rows = pd.DataFrame({"y": [1.0, 2.0, 4.0, 7.0], "fpc": 40.0})
    row = survey_mean(rows["y"], plain(rows)).iloc[0]
    se = np.sqrt(rows["y"].var() / 4 * (1 - 4 / 40))
    assert row["se"] == pytest.approx(se, rel=1e-12)
    assert row["deff"] == pytest.approx(1, rel=1e-12)
    assert row["ci_high"] == pytest.approx(3.5 + stats.t.ppf(0.975, 3) * se, rel=1e-12)
    total = survey_total(rows["y"], plain(rows), srs="with_replacement").iloc[0]
    assert (total["estimate"], total["se"]) == pytest.approx((140, 40 * se), rel=1e-12)
    assert total["deff"] == pytest.approx(0.9, rel=1e-12)


def test_intervals_of_a_share():
    rows = pd.DataFrame({"answer": ["yes"] * 3 + ["no"] * 7})
    table = {kind: survey_proportion(rows["answer"], plain(rows), categories={"answer": ["yes"]}, interval=kind).iloc[0]
             for kind in ("wald", "logit", "beta")}  # fmt: skip
    se, t = np.sqrt(0.21 / 9), stats.t.ppf(0.975, 9)
    assert table["wald"]["ci_low"] == pytest.approx(0.3 - t * se)
    assert table["logit"]["ci_low"] == pytest.approx(1 / (1 + np.exp(-np.log(3 / 7) + t * se / 0.21)))
    assert table["beta"]["ci_low"] == pytest.approx(stats.beta.ppf(0.025, 2.7, 7.3))  # nine effective answers
    assert table["beta"]["ci_high"] == pytest.approx(stats.beta.ppf(0.975, 3.7, 6.3))


def test_nobody_and_everybody_have_clopper_pearson_limits():
    rows = pd.DataFrame({"answer": ["yes"] * 10})
    table = survey_proportion(rows["answer"], plain(rows), categories={"answer": ["yes", "no"]}, interval="beta")
    assert table["ci_low"].tolist() == pytest.approx([0.025**0.1, 0])
    assert table["ci_high"].tolist() == pytest.approx([1, 1 - 0.025**0.1])


def test_quantiles_by_both_rules():
    rows = pd.DataFrame({"age": [50.0, 20.0, 40.0, 30.0, np.nan], "w": [2.0, 1.0, 3.0, 2.0, 9.0]})
    design = survey_design(rows, weight="w", method="linearization")
    shares = (0.1, 0.125, 0.375, 0.5, 0.9)  # people at or below: 1/8 to 20, 3/8 to 30, 6/8 to 40
    found = {rule: survey_quantile(rows["age"], design, probabilities=shares, rule=rule)["estimate"].tolist()
             for rule in ("math", "school")}  # fmt: skip
    assert found == {"math": [20, 20, 30, 40, 50], "school": [20, 25, 35, 40, 50]}


def test_woodruff_limits_are_those_of_the_share_put_back():
    rows = pd.DataFrame({"age": np.arange(1.0, 101.0)})
    row = survey_quantile(rows["age"], plain(rows), probabilities=0.5).iloc[0]
    reach = stats.t.ppf(0.975, 99) * np.sqrt(0.25 / 99)
    assert row[["estimate", "ci_low", "ci_high"]].tolist() == [50, *np.ceil([50 - 100 * reach, 50 + 100 * reach])]


def test_a_difference_is_the_slope_on_the_group_and_knows_the_covariance():
    rows = drawn()
    for method in ("linearization", "jackknife"):
        design = survey_design(rows, method=method)
        row = survey_difference(rows["y"], design, by=rows["g"], between=("u", "w")).iloc[0]
        slope = survey_regression(rows, design, response="y", terms=["g"], categories={"g": ["u", "w"]}).iloc[1]
        columns = ["estimate", "se", "statistic", "p", "n"]
        np.testing.assert_allclose(row[columns].astype(float), slope[columns].astype(float), rtol=1e-8)
        assert row["degf"] == design.degf == 21


def test_a_group_against_everybody_counts_itself_on_both_sides():
    rows = drawn().assign(g="u")
    row = survey_difference(rows["y"], survey_design(rows, method="linearization"), by=rows["g"], between=(None, "u"))
    assert row[["estimate", "se"]].to_numpy().tolist() == [[0, 0]]


def test_plausible_values_are_pooled_by_rubins_rules():
    rows = drawn()
    design, rng = survey_design(rows, method="linearization"), np.random.default_rng(2)
    draws = [rows[["y"]] + rng.normal(size=(len(rows), 1)) for _ in range(5)]
    both = {"g": rows["g"], "x": rows["x"]}
    for verb in (lambda v: survey_mean(v, design), lambda v: survey_total(v, design),
                 lambda v: survey_quantile(v, design, probabilities=0.5),
                 lambda v: survey_difference(v, design, by=rows["g"], between=("u", "v")),
                 lambda v: survey_regression([d.assign(**both) for d in v] if isinstance(v, list) else v.assign(**both),
                                             design, response="y", terms=["x", "g"])):  # fmt: skip
        each, row = [verb(draw).iloc[-1] for draw in draws], verb(draws).iloc[-1]
        estimates = [one["estimate"] for one in each]
        variance = np.mean([one["se"] ** 2 for one in each]) + 1.2 * np.var(estimates, ddof=1)
        assert (row["estimate"], row["se"]) == pytest.approx((np.mean(estimates), np.sqrt(variance)), rel=1e-10)
        assert row["uncertainty"] == "sampling+measurement"


def test_an_unclustered_table_is_nearly_pearsons():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"a": rng.integers(0, 2, 4000), "b": rng.integers(0, 3, 4000)})
    row = rao_scott_test(rows, plain(rows)).iloc[0]
    pearson = stats.chi2_contingency(pd.crosstab(rows["a"], rows["b"]), correction=False)
    assert row["chi2"] == pytest.approx(pearson.statistic, rel=1e-10)
    assert row["p"] == pytest.approx(pearson.pvalue, abs=0.01)
    assert row["df1"] == pytest.approx(2, rel=0.01)


def test_a_category_that_nobody_in_the_domain_has_is_passed_over():
    rows = drawn()
    design = survey_design(rows, method="linearization")
    tables = [survey_regression(rows, design, response="y", terms=["g"], categories={"g": each}, where=rows["g"] != "u")
              for each in (["q", "u", "v", "w"], ["v", "w"])]  # fmt: skip
    pd.testing.assert_frame_equal(*tables)


def test_weights_are_summed_up():
    rows = drawn()
    summary, w = weight_summary(survey_design(rows, n_replicates=2)), rows["weight"]
    assert summary["kish_deff"] == pytest.approx(1 + w.var(ddof=0) / w.mean() ** 2)
    assert summary["n_eff"] * summary["kish_deff"] == pytest.approx(len(rows))


def test_nobody_in_the_domain_gives_no_rows_and_nobody_who_answered_no_number():
    rows, none = drawn(), np.zeros(240, dtype=bool)
    bootstrap = survey_design(rows, n_replicates=9)
    for design in (survey_design(rows, method="linearization"), bootstrap, replace(bootstrap, centre="replicate_mean")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert survey_mean(rows["y"], design, where=none).empty
            assert survey_quantile(rows["y"], design, where=none).empty
            assert survey_proportion(pd.Series([None] * 240, name="q"), design).empty
            for verb in (survey_mean, survey_total, survey_quantile):
                table = verb(rows["y"].where(rows["g"] != "u"), design, by=rows["g"])
                assert table.loc[table["group"] == "u", ["estimate", "se", "ci_low"]].isna().all(axis=None)


def test_a_test_without_degrees_of_freedom_has_no_p():
    rows = drawn().assign(stratum="s", psu=np.arange(240) % 2)
    design = survey_design(rows, method="linearization")
    assert design.degf == 1
    assert survey_difference(rows["y"], design, by=rows["g"], between=("u", "v"))["p"].isna().all()
    assert survey_regression(rows, design, response="y", terms=["x", "g"])["p"].isna().all()


def test_a_share_that_is_known_exactly_is_its_own_limits():
    rows = drawn().assign(psu=None, fpc=80.0)
    design = survey_design(rows, stages=[(None, "fpc")], method="linearization")
    table = survey_proportion(rows["b"].fillna(0), design, interval="beta")
    np.testing.assert_allclose(table["ci_low"], table["estimate"])
    np.testing.assert_allclose(table["ci_high"], table["estimate"])


def test_answers_with_a_weight_below_0_count():
    rows = drawn()
    design = survey_design(rows, method="linearization")
    turned = replace(design, weights=design.weights.where(rows.index != 7, -0.5))
    assert survey_mean(rows["x"], turned)["n"].item() == survey_mean(rows["x"], design)["n"].item()


def test_the_adapter_takes_columns_of_any_name_and_whole_numbers_as_categories(tmp_path):
    """A unit column called weight or stratum, and levels that a table of mixed levels would turn into 2.0."""
    rows = drawn().assign(weight=np.arange(240) % 8, w=2.0, stratum=np.arange(240) % 24, code=1 + np.arange(240) % 3)
    rows.to_csv(tmp_path / "data.csv", index=False)
    stages, weights = [{"psu": "stratum", "fpc": None}], {"from": "column", "column": "w"}
    spec = {"data": "data.csv", "design": {"strata": None, "stages": stages, "weights": weights}, "categories": {}}
    degf = {"statistic": "degf", "report": "estimate"}
    assert answer(spec, degf, tmp_path) == 23
    spec["design"] |= {"strata": "psu", "stages": [{"psu": "weight", "fpc": None}]}
    assert answer(spec, degf, tmp_path) == rows.groupby("psu")["weight"].nunique().sum() - rows["psu"].nunique()
    spec["calibration"] = {"method": "greg", "bounds": None, "tolerance": 1e-9, "residuals": "regression_base_weighted",
                           "totals": [{"term": "intercept", "level": None, "total": 600.0},
                                      {"term": "code", "level": 2, "total": 300.0}]}  # fmt: skip
    ask = {"statistic": "proportion", "variable": "code", "level": 2, "report": "estimate"}
    assert answer(json.loads(json.dumps(spec)), ask, tmp_path) == pytest.approx(0.5)


# --- faults --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, d: survey_mean(r["y"], d, interval="exact"), "interval 'exact'"),
        (lambda r, d: survey_mean(r["y"], d, srs="none"), "srs 'none'"),
        (lambda r, d: survey_mean(r["y"][:5], d), "5 rows, and 240 respondents"),
        (lambda r, d: survey_ratio(r[["y", "x"]], r["x"], d), "as many denominators"),
        (lambda r, d: survey_quantile(r["y"], d, probabilities=1.5), "quantile"),
        (lambda r, d: survey_difference(r["y"], d, by=r["g"], between=("u", "z")), "nobody answered in u or z"),
        (lambda r, d: survey_regression(r, d, response="y", terms=["x"], family="probit"), "family 'probit'"),
        (lambda r, d: survey_regression(r, d, response="y", terms=["x"], family="binomial"), "needs 0 and 1"),
        (lambda r, d: survey_regression(r.assign(z=2 * r["x"]), d, response="y", terms=["x", "z"]), "term z"),
        (
            lambda r, d: survey_regression(r.assign(c=r["b"] + 1), d, response="b", terms=["c"], family="binomial"),
            "no finite solution",
        ),
        (lambda r, d: survey_mean(3 * r["y"], d, interval="logit"), "one of shares"),
        (lambda r, d: survey_mean(r["y"], d, by=r["g"][:5]), "by: 5 rows, and 240 respondents"),
        (lambda r, d: survey_mean(r["y"], d, where=r["x"][:5] > 1), "where: 5 rows"),
        (lambda r, d: survey_difference(r["y"], d, by=r["g"][:5], between=("u", "v")), "by: 5 rows"),
        (lambda r, d: survey_regression(r, d, response="z", terms=["x"]), "no column z"),
        (lambda r, d: survey_regression(r, d, response="g", terms=["x"]), "response g is text"),
        (lambda r, d: survey_regression(r, d, response="y", terms=["x"], where=r.index < 2), "too few"),
        (lambda r, d: survey_regression(r, replace(d, weights=-d.weights), response="y", terms=["x"]), "below 0"),
        (lambda r, d: rao_scott_test(r[["b"]], d), "two columns"),
        (lambda r, d: rao_scott_test(r[["b", "g"]], d, where=r["b"] > 0), "column b"),
    ],
)
def test_faults_are_told_in_one_line(call, message):
    rows = drawn()
    with pytest.raises(EstimateError, match=message):
        call(rows, survey_design(rows, n_replicates=2))
