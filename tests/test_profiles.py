"""Latent class analysis against poLCA's results, StepMix, planted truth and its own invariances."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.shares import profile_estimates, profile_replicates
from skillsgap.estimate.survey.design import SurveyDesign, survey_design

ORACLES = Path(__file__).resolve().parents[2] / "shared" / "oracles" / "lca"
STARTS = 100  # the oracles ask for the global maximum


def draw_answers(n, seed, n_variables=8, n_categories=4, missing=0.1, noise=0.9):
    """Answers of three planted profiles with shares .5, .3, .2 at low, middle and high levels."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.5, 0.3, 0.2])
    centres = np.linspace(0, n_categories - 1, 3)[:, None] + np.linspace(-0.4, 0.4, n_variables)
    probs = np.exp(-((np.arange(n_categories) - centres[:, :, None]) ** 2) / (2 * noise**2))
    probs /= probs.sum(axis=2, keepdims=True)
    profile = rng.choice(3, n, p=shares)
    above = rng.random((n, n_variables))[:, :, None] > probs[profile].cumsum(axis=2)
    codes = above.sum(axis=2).clip(0, n_categories - 1).astype(float)
    codes[rng.random(codes.shape) < missing] = np.nan
    names = [f"v{j}" for j in range(n_variables)]
    return pd.DataFrame(codes, columns=names, index=pd.RangeIndex(n, name="row_key")), shares, probs


def a_design(index, seed=0, n_replicates=60):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"weight": rng.gamma(4, 0.25, len(index)) + 0.3}, index=index)
    return survey_design(rows, n_replicates=n_replicates, random_state=seed)


def oracle_cases():
    return sorted(path for path in ORACLES.iterdir()) if ORACLES.is_dir() else []


def answer(fit, answers, ask):
    """The number an oracle asks for, profiles by decreasing share; None where this estimator gives none."""
    order = np.argsort(-fit.shares_, kind="stable")
    posterior = fit.predict_proba(answers)[:, order]
    modal = posterior.argmax(axis=1)
    given = {
        "loglik": lambda: fit.loglik_,
        "npar": lambda: fit.n_parameters_,
        "bic": lambda: fit.bic(answers),
        "aic": lambda: fit.aic(answers),
        "n_used": lambda: len(answers),
        "n_complete": lambda: len(answers.dropna()),
        "class_shares": lambda: fit.shares_[order],
        "item_probs": lambda: fit.item_probs_[ask["item"]].to_numpy()[order],
        "entropy_r2": lambda: fit.entropy(answers),
        "classification_error": lambda: 1 - posterior.max(axis=1).mean(),
        "modal_shares": lambda: np.bincount(modal, minlength=len(order)) / len(modal),
        "avepp": lambda: [posterior[modal == k, k].mean() for k in range(len(order))],
    }.get(ask["report"])
    return None if given is None else given()


@pytest.mark.skipif(not ORACLES.is_dir(), reason="the reference results (../shared/oracles) are not here")
@pytest.mark.parametrize("case", oracle_cases(), ids=lambda path: path.name)
def test_fits_equal_polca(case):
    spec = json.loads((case / "case.json").read_text())["spec"]
    data = pd.read_csv(case / spec["data"])[spec["items"]]
    checks = json.loads((case / "expected.json").read_text())["checks"]
    fits, wrong, compared = {}, [], 0
    for check in checks:
        model = check["ask"]["model"]
        if model["covariates"] or isinstance(model["classes"], list):
            continue
        answers = data.dropna() if model["missing"] == "listwise" else data
        key = (model["classes"], model["missing"])
        if key not in fits:
            fits[key] = CompetencyProfiles(model["classes"], n_starts=STARTS).fit(answers)
        got = answer(fits[key], answers, check["ask"])
        if got is None:
            continue
        compared += 1
        error = np.asarray(got) - np.asarray(check["value"])
        error = np.minimum(error, 0) if check.get("direction") == "at_least" else error
        allowed = check["atol"] + check["rtol"] * np.abs(check["value"])
        if (np.abs(error) > allowed).any() and check.get("level") != "soft":
            wrong.append((check["id"], np.abs(error).max()))
    assert not wrong and compared >= 3


@pytest.mark.skipif(not ORACLES.is_dir(), reason="the reference results (../shared/oracles) are not here")
def test_smallest_bic_picks_the_number_the_oracle_picks():
    case = ORACLES / "sim_ordinal_na_give"
    spec = json.loads((case / "case.json").read_text())["spec"]
    checks = {c["id"]: c for c in json.loads((case / "expected.json").read_text())["checks"]}
    data = pd.read_csv(case / spec["data"])[spec["items"]]
    design = survey_design(pd.DataFrame({"weight": 1.0}, index=data.index), n_replicates=2)
    table = select_profiles(data, range(1, 6), design)
    assert str(table.loc[table["bic"].idxmin(), "n_profiles"]) == checks["K_by_bic"]["value"]
    assert table["recommended"].sum() == 1
    assert table.loc[table["recommended"], "reason"].str.contains("smallest BIC").all()
    by_number = table.set_index("n_profiles")
    assert by_number.loc[3, "bic"] == pytest.approx(checks["K3.bic"]["value"], abs=2e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_log_likelihood_not_below_stepmix(seed):
    stepmix = pytest.importorskip("stepmix")
    answers, *_ = draw_answers(400, seed, n_variables=6)
    theirs = stepmix.StepMix(n_components=4, measurement="categorical_nan", n_init=5, max_iter=300,
                             abs_tol=1e-7, rel_tol=1e-9, random_state=seed, progress_bar=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(answers)
        reference = theirs.score(answers)
    ours = CompetencyProfiles(4, n_starts=50, random_state=seed).fit(answers)
    assert ours.score(answers) >= reference - 1e-6


def test_planted_profiles_come_back_within_three_standard_errors():
    answers, shares, probs = draw_answers(1500, 3)
    design = survey_design(pd.DataFrame({"weight": 2.0}, index=answers.index), n_replicates=100)
    fit = CompetencyProfiles(3).fit(answers, sample_weight=design.weights)
    table = profile_estimates(fit, answers, design)
    truth = np.column_stack([shares, probs @ np.arange(probs.shape[2])]).ravel()
    off = np.abs(table["estimate"] - truth) / table["se"]
    assert off.max() < 3.5 and (off < 2).mean() > 0.85
    assert table["n"].iloc[0] == 1500 and (table["n_eff"] <= table["n"] + 0.5).all()
    assert ((table["ci_low"] < table["estimate"]) & (table["estimate"] < table["ci_high"])).all()


def test_order_of_rows_changes_no_bit():
    answers, *_ = draw_answers(300, 5)
    design = a_design(answers.index)
    mixed = answers.sample(frac=1, random_state=1)
    one = CompetencyProfiles(3, n_starts=8).fit(answers, sample_weight=design.weights)
    two = CompetencyProfiles(3, n_starts=8).fit(mixed, sample_weight=design.weights)
    assert np.array_equal(one.shares_, two.shares_) and one.loglik_ == two.loglik_
    assert np.array_equal(one.predict_proba(answers), two.predict_proba(mixed.sort_index()))
    assert np.array_equal(one.predict_proba(answers), pd.DataFrame(
        two.predict_proba(mixed), index=mixed.index).sort_index().to_numpy())
    pd.testing.assert_frame_equal(profile_estimates(one, answers, design),
                                  profile_estimates(two, mixed, design), check_exact=True)


def test_profiles_are_numbered_by_level_whatever_the_seed():
    answers, *_ = draw_answers(600, 6)
    fits = [CompetencyProfiles(3, random_state=seed).fit(answers) for seed in range(3)]
    levels = [sum(table.to_numpy() @ table.columns for table in fit.item_probs_.values()) for fit in fits]
    assert all((np.diff(level) > 0).all() for level in levels)
    assert np.allclose(fits[0].shares_, fits[1].shares_, atol=1e-4)
    assert np.allclose(fits[0].shares_, fits[2].shares_, atol=1e-4)


def test_weight_two_is_the_row_twice_weight_nought_no_row_and_scaling_nothing():
    answers, *_ = draw_answers(300, 7)
    weights = np.random.default_rng(7).integers(0, 3, len(answers)).astype(float)
    weighted = CompetencyProfiles(3).fit(answers, sample_weight=weights)
    twice = CompetencyProfiles(3).fit(answers.loc[answers.index.repeat(weights.astype(int))])
    scaled = CompetencyProfiles(3).fit(answers, sample_weight=1000 * weights)
    assert np.allclose(weighted.shares_, twice.shares_, atol=1e-4)
    assert np.allclose(weighted.item_probs_["v0"], twice.item_probs_["v0"], atol=1e-3)
    assert np.allclose(weighted.shares_, scaled.shares_, atol=1e-6)
    assert weighted.bic(answers, weights) == pytest.approx(scaled.bic(answers, 1000 * weights), abs=1e-3)
    assert weighted.loglik_ == pytest.approx(scaled.loglik_, abs=1e-4)


def test_replicates_are_full_fits_with_profiles_matched():
    answers, *_ = draw_answers(400, 8)
    design = a_design(answers.index, n_replicates=20)
    fit = CompetencyProfiles(3).fit(answers, sample_weight=design.weights)
    replicates = profile_replicates(fit, answers, design)
    assert replicates.shares.shape == (20, 3) and np.allclose(replicates.shares.sum(axis=1), 1)
    for r in (0, 11):
        alone = CompetencyProfiles(3).fit(answers, sample_weight=design.replicate_weights[:, r])
        assert np.allclose(replicates.shares[r], alone.shares_, atol=2e-3)


def test_rows_without_any_answer_add_nothing():
    answers, *_ = draw_answers(200, 9)
    silent = pd.DataFrame(np.nan, index=range(200, 230), columns=answers.columns)
    fit, same = (CompetencyProfiles(2).fit(frame) for frame in (answers, pd.concat([answers, silent])))
    assert fit.loglik_ == same.loglik_ and same.n_rows_ == 200
    assert np.allclose(same.predict_proba(silent), same.shares_)


def test_bad_input_is_refused_with_numbers_and_remedy():
    answers, *_ = draw_answers(60, 10)
    with pytest.raises(EstimateError, match="nobody answered v3"):
        CompetencyProfiles(2).fit(answers.assign(v3=np.nan))
    with pytest.raises(EstimateError, match="v1.*7 answers are not"):
        CompetencyProfiles(2).fit(answers.assign(v1=np.r_[np.full(7, 0.5), np.ones(53)]))
    with pytest.raises(EstimateError, match="9 profiles"):
        CompetencyProfiles(9).fit(answers.head(8))
    with pytest.raises(EstimateError, match="1 negative or missing"):
        CompetencyProfiles(2).fit(answers, sample_weight=np.r_[-1.0, np.ones(59)])
    with pytest.raises(EstimateError, match="same row keys"):
        profile_replicates(CompetencyProfiles(2).fit(answers), answers.head(50), a_design(answers.index))
    with pytest.warns(UserWarning, match="1 answers have codes not seen"):
        CompetencyProfiles(2).fit(answers).predict_proba(answers.head(1).assign(v0=9))


def test_selection_says_near_ties_and_small_profiles():
    answers, *_ = draw_answers(700, 11)
    weights = pd.Series(1.0, index=answers.index)
    design = SurveyDesign(weights, np.ones((700, 2)), np.full(2, 0.5), 699, "bootstrap")
    table = select_profiles(answers, [2, 3, 4], design, min_respondents=100).set_index("n_profiles")
    assert table.index[table["recommended"]].tolist() == [3]
    assert table["near_tie"].equals(table["sabic"] <= table["sabic"].min() + 6)
    assert (table["smallest_n"] - 700 * table["smallest_share"]).abs().max() < 1
    refused = select_profiles(answers, [3], design, min_share=0.4)
    assert "below 40%" in refused["reason"].iloc[0]
