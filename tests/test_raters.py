"""Raters' agreement: published examples, hand computation, statsmodels and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.raters import rater_agreement

# four coders of twelve units, as published by Krippendorff (2011), "Computing Krippendorff's alpha-reliability"
UNITS = pd.DataFrame([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
    [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
]).T  # fmt: skip
# six targets and four judges of Shrout & Fleiss (1979)
JUDGES = pd.DataFrame([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


def drawn(n=60, m=3, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(np.clip(rng.integers(0, 5, n)[:, None] + rng.integers(-1, 2, (n, m)), 0, 4))


def value(ratings, statistic, **options):
    return rater_agreement(ratings, statistic, n_bootstrap=20, **options).at[0, "estimate"]


@pytest.mark.parametrize("metric, published", [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_alpha_of_his_own_example(metric, published):
    assert value(UNITS, "krippendorff_alpha", metric=metric) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("kind, unit, published", [("agreement", "single", 0.29), ("agreement", "average", 0.62),
                                                   ("consistency", "single", 0.71), ("consistency", "average", 0.91)])
def test_intraclass_correlations_of_shrout_and_fleiss(kind, unit, published):
    row = rater_agreement(JUDGES, "icc", kind=kind, unit=unit).iloc[0]
    assert row["estimate"] == pytest.approx(published, abs=5e-3)
    assert row["ci_low"] < row["estimate"] < row["ci_high"] <= 1


def test_intraclass_limits_of_an_average_follow_from_those_of_one_rating():
    one = rater_agreement(JUDGES, "icc").loc[0, ["ci_low", "ci_high"]].astype(float)
    mean = rater_agreement(JUDGES, "icc", unit="average").loc[0, ["ci_low", "ci_high"]].astype(float)
    np.testing.assert_allclose(mean, 4 * one / (1 + 3 * one))
    assert (rater_agreement(JUDGES, "icc", level=0.5).at[0, "ci_low"]) > one["ci_low"]


def test_fleiss_kappa_against_statsmodels():
    ratings = drawn(m=4)
    assert value(ratings, "fleiss_kappa") == pytest.approx(fleiss_kappa(aggregate_raters(ratings.to_numpy())[0]))


def test_fleiss_kappa_and_its_z_by_hand():
    # two raters agree on 3 of 4 subjects; 5 of the 8 ratings are of one category
    row = rater_agreement(pd.DataFrame([["x", "x"], ["x", "x"], ["b", "b"], ["x", "b"]]),
                          "fleiss_kappa").iloc[0]  # fmt: skip
    p = np.array([5, 3]) / 8
    assert row["estimate"] == pytest.approx((3 / 4 - (p**2).sum()) / (1 - (p**2).sum()))
    pq, third = (p * (1 - p)).sum(), (p * (1 - p) * (1 - 2 * p)).sum()
    assert row["z"] == pytest.approx(row["estimate"] / np.sqrt(2 / (pq**2 * 4 * 2) * (pq**2 - third)))


@pytest.mark.parametrize("weights, theirs", [("none", None), ("squared", "quadratic")])
def test_cohens_kappa_against_scikit_learn(weights, theirs):
    ratings = drawn(m=2)
    expected = cohen_kappa_score(ratings[0].astype(int), ratings[1].astype(int), weights=theirs)
    assert value(ratings, "cohen_kappa", weights=weights) == pytest.approx(expected)


def test_kendalls_w_against_friedmans_test_which_corrects_for_ties():
    ratings = drawn(n=15, m=4)
    chi2 = stats.friedmanchisquare(*ratings.to_numpy()).statistic
    assert value(ratings, "kendall_w") == pytest.approx(chi2 / (4 * 14))
    assert value(pd.DataFrame({"a": [1, 2, 3], "b": [10, 20, 30]}), "kendall_w") == pytest.approx(1.0)


@pytest.mark.parametrize("statistic", ["fleiss_kappa", "cohen_kappa", "krippendorff_alpha", "icc", "kendall_w"])
def test_order_of_subjects_and_names_of_codes_change_nothing(statistic):
    ratings = drawn(m=2)
    row = rater_agreement(ratings, statistic, random_state=1)
    shuffled = rater_agreement(ratings.sample(frac=1, random_state=3), statistic, random_state=1)
    pd.testing.assert_frame_equal(shuffled, row)
    kind = pd.CategoricalDtype(["none", "aware", "working", "practised", "expert"], ordered=True)
    named = ratings.apply(lambda column: pd.Categorical.from_codes(column, dtype=kind))
    pd.testing.assert_frame_equal(rater_agreement(named, statistic, random_state=1), row)
    assert row.at[0, "n"] == 60 and row.at[0, "ci_low"] < row.at[0, "estimate"] < row.at[0, "ci_high"]


def test_pairs_of_weight_one_count_subjects_with_more_ratings_more():
    assert value(drawn(m=2), "krippendorff_alpha") == value(drawn(m=2), "krippendorff_alpha", pair_weight="one")
    few = UNITS.iloc[:, :3]
    assert value(few, "krippendorff_alpha") != value(few, "krippendorff_alpha", pair_weight="one")


def test_a_subject_that_a_rater_left_out_is_left_out_elsewhere():
    whole = UNITS.dropna()
    assert value(UNITS, "icc") == value(whole, "icc")
    assert rater_agreement(UNITS, "fleiss_kappa").at[0, "n"] == len(whole)


def test_nothing_varies_and_other_faults():
    same = pd.DataFrame(np.ones((5, 2)))
    for statistic in ("fleiss_kappa", "cohen_kappa", "krippendorff_alpha", "icc", "kendall_w"):
        assert np.isnan(value(same, statistic))
    for ratings, statistic, options in ((same, "kappa", {}), (same, "icc", {"kind": "absolute"}),
                                        (drawn(m=3), "cohen_kappa", {}), (same.head(1), "icc", {})):  # fmt: skip
        with pytest.raises(EstimateError, match="rater_agreement"):
            rater_agreement(ratings, statistic, **options)


def test_text_without_an_order_only_where_order_says_nothing():
    words = pd.DataFrame([["low", "mid"], ["high", "high"], ["mid", "mid"], ["low", "low"]])
    assert value(words, "cohen_kappa") == value(words, "cohen_kappa", weights="none") < 1
    assert value(words, "krippendorff_alpha", metric="nominal") < 1
    for statistic, options in (("cohen_kappa", {"weights": "squared"}), ("krippendorff_alpha", {}), ("icc", {}),
                               ("kendall_w", {})):  # fmt: skip
        for ratings in (words, words.astype("category")):
            with pytest.raises(EstimateError, match="without an order"):
                rater_agreement(ratings, statistic, **options)


@pytest.mark.parametrize("kind", ["agreement", "consistency"])
@pytest.mark.parametrize("unit", ["single", "average"])
def test_raters_who_agree_in_everything_leave_no_interval(kind, unit, recwarn):
    ratings = pd.DataFrame({"a": [1, 2, 4], "b": [1, 2, 4], "c": [1, 2, 4]})
    row = rater_agreement(ratings, "icc", kind=kind, unit=unit).iloc[0]
    assert row[["estimate", "ci_low", "ci_high"]].tolist() == [1, 1, 1]
    assert np.isnan(value(ratings * 0, "icc", kind=kind, unit=unit)) and not recwarn.list
    with pytest.raises(EstimateError, match="level 95"):
        rater_agreement(ratings, "icc", level=95)
