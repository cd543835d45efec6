"""The estimator of competency profiles: scikit-learn's own checks, StepMix, planted truth and invariances."""

import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.description import classification_table, describe_profiles

SHARES = np.array([0.5, 0.3, 0.2])


def draw_answers(n, seed, n_variables=8, n_categories=4, missing=0.1, noise=0.9):
    """Answers of three planted profiles at low, middle and high levels, and who belongs to which."""
    rng = np.random.default_rng(seed)
    centres = np.linspace(0, n_categories - 1, 3)[:, None] + np.linspace(-0.4, 0.4, n_variables)
    probs = np.exp(-((np.arange(n_categories) - centres[:, :, None]) ** 2) / (2 * noise**2))
    probs /= probs.sum(axis=2, keepdims=True)
    profile = rng.choice(3, n, p=SHARES)
    above = rng.random((n, n_variables))[:, :, None] > probs[profile].cumsum(axis=2)
    codes = above.sum(axis=2).clip(0, n_categories - 1).astype(float)
    codes[rng.random(codes.shape) < missing] = np.nan
    names = [f"v{j}" for j in range(n_variables)]
    return pd.DataFrame(codes, columns=names, index=pd.RangeIndex(n, name="row_key")), profile + 1


def mixed_answers(n, seed):
    """Three profiles seen in an ordinal, a nominal, a binary and two continuous variables, 10 % missing."""
    rng = np.random.default_rng(seed)
    profile = rng.choice(3, n, p=SHARES)
    frame = pd.DataFrame({
        "level": np.clip(np.round(profile + 1 + rng.normal(0, 0.7, n)), 0, 4),
        "office": np.array(["north", "south", "west"], dtype=object)[(profile + (rng.random(n) < 0.3)) % 3],
        "certificate": (rng.random(n) < np.array([0.1, 0.4, 0.8])[profile]).astype(float),
        "years": 3 + 4 * profile + rng.normal(0, 2, n),
        "score": 250 + 20 * profile + rng.normal(0, 15, n),
    })  # fmt: skip
    return frame.mask(rng.random(frame.shape) < 0.1), profile + 1


def test_scikit_learn_accepts_the_estimator():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(CompetencyProfiles(), on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"} and len(results) > 40


@pytest.mark.parametrize("seed", [0, 1])
def test_log_likelihood_not_below_stepmix(seed):
    stepmix = pytest.importorskip("stepmix")
    answers, _ = draw_answers(400, seed, n_variables=6)
    theirs = stepmix.StepMix(n_components=4, measurement="categorical_nan", n_init=5, max_iter=300,
                             abs_tol=1e-7, rel_tol=1e-9, random_state=seed, progress_bar=0)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(answers)
        reference = theirs.score(answers)
    assert CompetencyProfiles(4, random_state=seed).fit(answers).score(answers) >= reference - 1e-6


def test_likelihood_of_normal_profiles_is_the_one_of_scikit_learn():
    """Its GaussianMixture at our parameters gives our log-likelihood, and can't climb from there."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(2)
    values = np.vstack([rng.normal([0, 100], [1, 20], (200, 2)), rng.normal([4, 180], [2, 10], (120, 2))])
    ours = CompetencyProfiles(2, kinds=dict.fromkeys(range(2), "continuous")).fit(values)
    spread = np.diagonal(ours.covariances_, axis1=1, axis2=2)
    theirs = GaussianMixture(2, covariance_type="diag", weights_init=ours.shares_, means_init=ours.means_.to_numpy(),
                             precisions_init=1 / spread, reg_covar=0, tol=1e-10).fit(values)  # fmt: skip
    assert ours.score(values) == pytest.approx(theirs.score(values), abs=1e-7)
    assert np.allclose(ours.means_, theirs.means_, rtol=1e-4) and ours.n_parameters_ == 9
    assert np.allclose(ours.predict_proba(values), theirs.predict_proba(values), atol=1e-4)


def test_variables_of_all_kinds_together_find_the_planted_profiles():
    answers, truth = mixed_answers(2500, 3)
    fit = CompetencyProfiles(3).fit(answers)
    assert fit.kinds_ == {"level": "ordinal", "office": "nominal", "certificate": "binary",
                          "years": "continuous", "score": "continuous"}  # fmt: skip
    # simulated: errors of shares and means are within four standard errors of a known membership, times two
    assert np.abs(fit.shares_ - SHARES).max() < 8 * np.sqrt(0.25 / 2500)
    assert np.abs(fit.means_["years"] - [3, 7, 11]).max() < 8 * 2 / np.sqrt(500 * 0.9)
    assert np.allclose(np.sqrt(fit.covariances_[:, 1, 1]), 15, rtol=0.2)
    assert adjusted_rand_score(truth, fit.predict(answers)) > adjusted_rand_score(
        truth, CompetencyProfiles(3).fit(answers[["level", "office"]]).predict(answers[["level", "office"]])) + 0.1
    assert fit.n_parameters_ == 2 + 3 * (fit.item_probs_["level"].shape[1] - 1 + 2 + 1 + 4)


def test_kinds_are_inferred_by_the_stated_rule_or_declared():
    frame = pd.DataFrame({
        "flag": [True, False] * 30, "two": [1, 5] * 30, "three": [1, 2, 3] * 20, "many": range(60),
        "half": [0.5, 1.5, 2.5] * 20, "part": [0.25, 0.75] * 30,
        "text": ["a", "b", "c"] * 20, "yes": ["no", "yes"] * 30,
        "grade": pd.Categorical(["C", "A", "B"] * 20, categories=["C", "B", "A"], ordered=True),
    })  # fmt: skip
    kinds = CompetencyProfiles(1).fit(frame).kinds_
    assert kinds == {"flag": "binary", "two": "binary", "three": "ordinal", "many": "continuous", "half": "continuous",
                     "part": "binary", "text": "nominal", "yes": "nominal", "grade": "ordinal"}  # fmt: skip
    fit = CompetencyProfiles(1, kinds={"three": "continuous", "two": "nominal"}).fit(frame)
    assert fit.kinds_ == kinds | {"three": "continuous", "two": "nominal"}
    assert fit.means_.at[1, "three"] == pytest.approx(2) and list(fit.categories_["grade"]) == ["C", "B", "A"]
    with pytest.raises(EstimateError, match="'metric'"):
        CompetencyProfiles(1, kinds={"three": "metric"}).fit(frame)
    with pytest.raises(EstimateError, match="three: declared binary, but it has 3"):
        CompetencyProfiles(1, kinds={"three": "binary"}).fit(frame)
    with pytest.raises(EstimateError, match="text: declared ordinal, but text as 'a' has no order"):
        CompetencyProfiles(1, kinds={"text": "ordinal"}).fit(frame)


def test_order_of_rows_changes_no_bit():
    answers, _ = mixed_answers(400, 5)
    weights = pd.Series(np.random.default_rng(5).gamma(4, 0.25, 400), index=answers.index)
    mixed = answers.sample(frac=1, random_state=1)
    one = CompetencyProfiles(3, n_starts=8).fit(answers, sample_weight=weights)
    two = CompetencyProfiles(3, n_starts=8).fit(mixed, sample_weight=weights[mixed.index])
    assert np.array_equal(one._theta, two._theta) and one.loglik_ == two.loglik_
    back = pd.DataFrame(two.predict_proba(mixed), index=mixed.index).sort_index().to_numpy()
    assert np.array_equal(one.predict_proba(answers), back)
    pd.testing.assert_frame_equal(describe_profiles(one, answers, weights), describe_profiles(two, mixed, weights),
                                  check_exact=True)  # fmt: skip


def test_number_of_threads_changes_no_bit():
    code = ("import sys; sys.path.insert(0, 'tests')\nfrom test_profiles import *\n"
            "fit = CompetencyProfiles(4, n_starts=6).fit(draw_answers(3000, 1, n_variables=20)[0])\n"
            "print(json.dumps([fit.loglik_, *fit._theta.ravel()]))")  # fmt: skip

    def fitted(threads):
        pinned = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        run = subprocess.run([sys.executable, "-c", code], env=os.environ | pinned, capture_output=True, text=True,
                             cwd=Path(__file__).parents[1], check=True)  # fmt: skip
        return json.loads(run.stdout)

    assert fitted(1) == fitted(2)


def test_profiles_are_numbered_by_content_whatever_the_seed():
    answers, _ = draw_answers(600, 6)
    fits = [CompetencyProfiles(3, random_state=seed).fit(answers) for seed in range(3)]
    levels = [sum(table.to_numpy() @ table.columns for table in fit.item_probs_.values()) for fit in fits]
    assert all((np.diff(level) > 0).all() for level in levels)
    assert np.allclose(fits[0].shares_, [fit.shares_ for fit in fits], atol=1e-4)
    falling, share = (CompetencyProfiles(3, order=order).fit(answers) for order in ("level_decreasing", "share"))
    assert np.array_equal(falling.shares_, fits[0].shares_[::-1]) and (np.diff(share.shares_) < 0).all()


def test_weight_two_is_the_row_twice_weight_nought_no_row_and_scaling_nothing():
    answers, _ = mixed_answers(300, 7)
    weights = np.random.default_rng(7).integers(0, 3, len(answers)).astype(float)
    weighted = CompetencyProfiles(3).fit(answers, sample_weight=weights)
    twice = CompetencyProfiles(3).fit(answers.loc[answers.index.repeat(weights.astype(int))])
    scaled = CompetencyProfiles(3).fit(answers, sample_weight=1000 * weights)
    for other in (twice, scaled):
        assert np.allclose(weighted.shares_, other.shares_, atol=1e-4)
        assert np.allclose(weighted.item_probs_["level"], other.item_probs_["level"], atol=1e-3)
        assert np.allclose(weighted.means_, other.means_, rtol=1e-3)
        score = weighted.score(answers, sample_weight=weights)
        assert score == pytest.approx(other.score(answers, sample_weight=weights), abs=1e-6)
    assert weighted.bic(answers, weights) == pytest.approx(scaled.bic(answers, 1000 * weights), abs=1e-3)
    assert weighted.loglik_ == pytest.approx(scaled.loglik_, abs=1e-4)
    assert weighted.loglik_ == pytest.approx(twice.loglik_ * weighted.n_rows_ / twice.n_rows_, abs=1e-4)


def test_codes_from_one_fit_the_model_of_codes_from_nought():
    answers, _ = draw_answers(400, 8, n_categories=5)
    one, nought = CompetencyProfiles(3).fit(answers + 1), CompetencyProfiles(3).fit(answers)
    assert np.allclose(one.shares_, nought.shares_, atol=1e-6)
    assert one.loglik_ == pytest.approx(nought.loglik_, abs=1e-6)
    assert one.n_parameters_ == nought.n_parameters_
    assert list(one.item_probs_["v0"]) == [1, 2, 3, 4, 5]


def test_numbers_text_and_scale_of_a_variable_change_nothing_but_names():
    answers, _ = draw_answers(400, 9, missing=0)
    text = answers.astype(int).astype(str)
    as_text = CompetencyProfiles(2).fit(text)
    kinds = dict.fromkeys(answers, "nominal")
    assert as_text.loglik_ == pytest.approx(CompetencyProfiles(2, kinds=kinds).fit(answers).loglik_, abs=1e-5)
    mixed, _ = mixed_answers(400, 9)
    metres = mixed.assign(years=mixed["years"] * 1000 - 5)
    per = CompetencyProfiles(2).fit(mixed), CompetencyProfiles(2).fit(metres)
    n = mixed["years"].notna().sum()
    assert per[0].loglik_ - n * np.log(1000) == pytest.approx(per[1].loglik_, abs=1e-4)


def test_a_sample_of_the_model_leads_back_to_it():
    answers, _ = mixed_answers(2000, 10)
    fit = CompetencyProfiles(3).fit(answers)
    drawn, profile = fit.sample(6000, random_state=1)
    again = CompetencyProfiles(3).fit(drawn)
    assert np.allclose(again.shares_, fit.shares_, atol=0.05)
    assert np.allclose(again.means_, fit.means_, atol=0.3 * np.sqrt(fit.covariances_.max(axis=0).diagonal()))
    assert np.allclose(again.item_probs_["certificate"], fit.item_probs_["certificate"], atol=0.06)
    assert np.allclose(np.bincount(profile, minlength=4)[1:] / 6000, fit.shares_, atol=0.03)
    assert drawn.equals(fit.sample(6000, random_state=1)[0]) and list(drawn) == list(answers)


def test_rows_without_any_answer_add_nothing():
    answers, _ = draw_answers(200, 9)
    silent = pd.DataFrame(np.nan, index=range(200, 230), columns=answers.columns)
    both = pd.concat([answers, silent])
    fit, same = CompetencyProfiles(2).fit(answers), CompetencyProfiles(2).fit(both)
    assert fit.loglik_ == same.loglik_ and same.n_rows_ == 200
    assert np.allclose(same.predict_proba(silent), same.shares_)
    table = describe_profiles(same, both).set_index("statistic")["value"]
    assert table["n_rows"] == 200 and table["loglik"] == pytest.approx(fit.loglik_)
    assert same.bic(both) == pytest.approx(fit.bic(answers))
    assert same.entropy(both) == pytest.approx(fit.entropy(answers))


def test_description_counts_weights_as_asked_and_its_table_holds_everybody():
    answers, _ = draw_answers(300, 13)
    weights = pd.Series(np.random.default_rng(13).integers(1, 4, 300) * 2.0, index=answers.index)
    fit = CompetencyProfiles(3).fit(answers, sample_weight=weights)
    effective, given = (describe_profiles(fit, answers, weights, counts=counts).set_index("statistic")["value"]
                        for counts in ("effective", "given"))  # fmt: skip
    assert effective["bic"] == pytest.approx(fit.bic(answers, weights))
    assert effective["entropy"] == pytest.approx(fit.entropy(answers, weights))
    twice = answers.loc[answers.index.repeat(weights.astype(int))].reset_index(drop=True)
    assert given["G2"] == pytest.approx(describe_profiles(fit, twice).set_index("statistic").at["G2", "value"])
    assert given["loglik"] == pytest.approx(fit.loglik_ * weights.mean())
    assert given["bic"] == pytest.approx(-2 * given["loglik"] + fit.n_parameters_ * np.log(300))
    table = classification_table(fit, answers, weights)
    n_eff = weights.sum() ** 2 / (weights**2).sum()
    assert np.allclose(table.sum(axis=1), n_eff * fit.shares_, atol=1e-3)
    assert np.allclose(table.sum(), n_eff * given["modal_share"])
    assert 1 - np.trace(table) / n_eff == pytest.approx(given["classification_error"])


def test_frames_survive_pickling_cloning_and_columns_in_another_order():
    answers, _ = mixed_answers(300, 11)
    fit = CompetencyProfiles(2, n_starts=4).fit(answers)
    again = pickle.loads(pickle.dumps(fit))
    assert np.array_equal(again.predict_proba(answers[answers.columns[::-1]]), fit.predict_proba(answers))
    fresh = clone(fit)
    assert fresh.get_params() == fit.get_params() and not hasattr(fresh, "shares_")
    table = fit.to_frame()
    assert np.allclose(table[table["statistic"] == "share"]["estimate"], fit.shares_)
    probability = table[table["statistic"] == "probability"]
    assert np.allclose(probability.groupby(["profile", "variable"])["estimate"].sum(), 1)


def test_what_a_fit_can_do_without_is_warned_of():
    answers, _ = draw_answers(200, 12, missing=0)
    fit = CompetencyProfiles(2, n_starts=2)
    with pytest.warns(UserWarning, match="everybody answered v0 alike"):
        fit.fit(answers.assign(v0=2.0))
    with pytest.warns(UserWarning, match="3 profiles of 2 different patterns"):
        CompetencyProfiles(3, n_starts=2).fit(pd.DataFrame({"a": [1, 2] * 30, "b": [2, 1] * 30}))
    with pytest.warns(UserWarning, match="one of 200 rows carries nearly all the weight"):
        fit.fit(answers, sample_weight=np.r_[1e9, np.ones(199)])
    with pytest.warns(UserWarning, match="49 respondents are too few"):
        fit.fit(answers.head(49))
    with pytest.warns(UserWarning, match="1 answers have codes not seen in fit"):
        posterior = fit.fit(answers).predict_proba(answers.head(1).assign(v0=9))
    assert np.allclose(posterior, fit.predict_proba(answers.head(1).assign(v0=np.nan)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.fit(answers)


def test_bad_input_is_refused_with_numbers_and_remedy():
    answers, _ = draw_answers(60, 10)
    with pytest.raises(EstimateError, match="nobody answered v3"):
        CompetencyProfiles(2).fit(answers.assign(v3=np.nan))
    with pytest.raises(EstimateError, match="9 profiles.*8 came"):
        CompetencyProfiles(9).fit(answers.head(8))
    with pytest.raises(EstimateError, match="1 negative or missing"):
        CompetencyProfiles(2).fit(answers, sample_weight=np.r_[-1.0, np.ones(59)])
    with pytest.raises(EstimateError, match="order 'size'"):
        CompetencyProfiles(2, order="size").fit(answers)
    with pytest.raises(EstimateError, match="VVV needs every continuous value"):
        CompetencyProfiles(2, covariance="VVV").fit(mixed_answers(100, 1)[0])
    with pytest.raises(EstimateError, match="column v0 comes twice"):
        CompetencyProfiles(2).fit(pd.concat([answers, answers[["v0"]]], axis=1))
    with pytest.raises(EstimateError, match="counts is 'n'"):
        describe_profiles(CompetencyProfiles(2, n_starts=2).fit(answers), answers, counts="n")
