"""Profiles against outcomes and HR variables: StepMix, poLCA, known groups, planted truth and invariances."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pandas.testing import assert_frame_equal

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.membership import profile_regression
from skillsgap.estimate.profiles.onestep import ProfileMembership
from skillsgap.estimate.profiles.outcomes import profile_outcomes
from skillsgap.estimate.profiles.sandwich import profile_errors
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import survey_design

ITEMS = [f"q{j}" for j in range(8)]
PROBS = np.array([[0.2] * 8, [0.8] * 4 + [0.2] * 4, [0.8] * 8])  # of answer 1, by profile
MEANS = np.array([1.9, 2.6, 3.2])  # of y, by profile
COEFS = np.array([[0.0, 0.0], [0.3, 0.5], [-0.2, 1.0]])  # intercept and slope of z, by profile
CHEATING = Path(__file__).resolve().parents[2] / "shared" / "data" / "classic" / "polca_cheating.csv"


def draw_people(seed, n_units=60, size=30, *, informative=True):
    """Answers, covariate z and outcome y of staff in units; the higher y, the likelier somebody is in the sample."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n_units), size)
    z = rng.normal(0, 0.6, n_units)[unit] + rng.normal(0, 0.8, len(unit))
    shares = np.exp(COEFS[:, 0] + z[:, None] * COEFS[:, 1])
    profile = (rng.random((len(unit), 1)) > (shares / shares.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    y = MEANS[profile] + rng.normal(0, 0.3, n_units)[unit] + rng.normal(0, 0.7, len(unit))
    chance = 0.1 + 0.8 / (1 + np.exp(2.5 - y)) if informative else np.ones(len(unit))
    answers = (rng.random((len(unit), 8)) < PROBS[profile]).astype(float)
    people = pd.DataFrame(answers, columns=ITEMS).assign(z=z, y=y, psu=unit, weight=1 / chance, profile=profile + 1)
    people = people[rng.random(len(unit)) < chance * 0.6].reset_index(drop=True)
    return people.rename_axis("row_key")


def fitted(people, weight=None, **settings):
    fit = CompetencyProfiles(3, n_starts=6, **settings)
    return fit.fit(people[ITEMS], sample_weight=None if weight is None else people[weight])


@pytest.fixture(scope="module")
def people():
    return draw_people(1, informative=False)


@pytest.fixture(scope="module")
def profiles(people):
    return fitted(people)


@pytest.fixture(scope="module")
def repeated():
    """A sample with weights 1 to 3, and the same people as often as they weigh."""
    some = draw_people(2, n_units=30, informative=False)
    some["times"] = np.random.default_rng(0).integers(1, 4, len(some))
    return some, some.loc[some.index.repeat(some["times"])].reset_index(drop=True).rename_axis("row_key")


@pytest.mark.parametrize("correction", ["none", "bch", "ml"])
def test_stepmix_on_repeated_rows_is_ours_with_weights(repeated, correction):
    """StepMix 3 (Morin et al. 2025) leaves weights out of BCH and ML: it gets each row as often as it weighs."""
    from stepmix.stepmix import StepMix

    weighted, whole = repeated
    fit = fitted(weighted, "times", order="level_decreasing", kinds=dict.fromkeys(ITEMS, "binary"))
    means = profile_outcomes(fit, weighted[ITEMS], weighted[["y"]], weighted["times"], correction=correction)
    coefs = profile_regression(fit, weighted[ITEMS], weighted[["z"]], weighted["times"], correction=correction)
    settings = {"n_components": 3, "measurement": "binary", "n_steps": 3, "n_init": 3, "random_state": 0,
                "correction": None if correction == "none" else correction.upper(), "assignment": "modal",
                "abs_tol": 1e-10, "rel_tol": 0, "max_iter": 2000, "progress_bar": 0}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = StepMix(structural="gaussian_diag", **settings).fit(whole[ITEMS], whole[["y"]]).get_parameters()
        newton = {"method": "newton-raphson", "max_iter": 50, "tol": 1e-8}
        logit = StepMix(structural="covariate", structural_params=newton, **settings)
        logit = logit.fit(whole[ITEMS], whole[["z"]]).get_parameters()
    order = np.argsort(-theirs["measurement"]["pis"].sum(axis=1))
    assert means["estimate"].to_numpy() == pytest.approx(theirs["structural"]["means"].ravel()[order], abs=2e-4)
    beta = logit["structural"]["beta"][np.argsort(-logit["measurement"]["pis"].sum(axis=1))]
    assert coefs["estimate"].to_numpy() == pytest.approx((beta - beta[0])[1:].ravel(), abs=2e-3)


@pytest.mark.parametrize("assignment", ["modal", "proportional"])
@pytest.mark.parametrize("correction", ["none", "bch", "ml"])
def test_weight_two_is_a_row_twice_and_scale_and_order_of_rows_are_nothing(repeated, correction, assignment):
    weighted, whole = repeated
    fit, how = fitted(weighted, "times"), {"correction": correction, "assignment": assignment}
    grown = pd.concat([weighted, weighted.head(5).assign(times=0, y=99.0).set_axis(range(9001, 9006))])
    for rows in (weighted, whole, grown):
        rows["band"] = np.where(rows["y"] > 2.5, "high", "low")
    outcomes = profile_outcomes(fit, weighted[ITEMS], weighted[["y", "band"]], weighted["times"], **how)
    coefs = profile_regression(fit, weighted[ITEMS], weighted[["z", "band"]], weighted["times"], **how)
    for rows, weights in ((whole, None), (grown, grown["times"] * 7.0)):
        again = profile_outcomes(fit, rows[ITEMS], rows[["y", "band"]], weights, **how)
        assert again["estimate"].to_numpy() == pytest.approx(outcomes["estimate"].to_numpy(), abs=1e-7)
        again = profile_regression(fit, rows[ITEMS], rows[["z", "band"]], weights, **how)
        assert again["estimate"].to_numpy() == pytest.approx(coefs["estimate"].to_numpy(), abs=1e-7)
    mixed = weighted.sample(frac=1, random_state=0)
    assert_frame_equal(profile_outcomes(fit, mixed[ITEMS], mixed[["y", "band"]], mixed["times"], **how), outcomes,
                       check_exact=True)  # fmt: skip
    assert_frame_equal(profile_regression(fit, mixed[ITEMS], mixed[["z", "band"]], mixed["times"], **how), coefs,
                       check_exact=True)  # fmt: skip


@pytest.mark.parametrize("correction", ["none", "bch", "ml"])
def test_profiles_without_doubt_are_ordinary_groups(people, correction):
    """Where answers tell profiles apart for certain: group means with their textbook errors, statsmodels' MNLogit."""
    sure = pd.DataFrame({q: people["profile"] for q in ITEMS}).astype(float)
    fit = CompetencyProfiles(3, n_starts=6).fit(sure)
    means = profile_outcomes(fit, sure, people[["y"]], correction=correction)
    groups, n = people.groupby("profile")["y"], len(people)
    assert means["estimate"].to_numpy() == pytest.approx(groups.mean().to_numpy(), abs=1e-6)
    se = np.sqrt(groups.var(ddof=0) / groups.count() * n / (n - 1))
    assert means["se"].to_numpy() == pytest.approx(se.to_numpy(), rel=1e-5)
    assert means["n"].tolist() == groups.count().tolist()
    coefs = profile_regression(fit, sure, people[["z"]], correction=correction)
    theirs = sm.MNLogit(people["profile"], sm.add_constant(people[["z"]])).fit(disp=0)
    assert coefs["estimate"].to_numpy() == pytest.approx(theirs.params.to_numpy().T.ravel(), abs=1e-5)
    assert coefs["se"].to_numpy() == pytest.approx(theirs.bse.to_numpy().T.ravel(), rel=0.1)


def test_reference_only_turns_the_logits(people, profiles):
    first = profile_regression(profiles, people[ITEMS], people[["z"]], correction="ml")
    third = profile_regression(profiles, people[ITEMS], people[["z"]], correction="ml", reference=3)
    mine = first.query("profile == 3")["estimate"].to_numpy()
    assert third.query("profile == 1")["estimate"].to_numpy() == pytest.approx(-mine, abs=1e-9)
    assert third.query("profile == 1")["se"].to_numpy() == pytest.approx(first.query("profile == 3")["se"], abs=1e-9)
    assert third["p_term"].to_numpy() == pytest.approx(first["p_term"].to_numpy(), rel=1e-6)


def test_planted_truth_is_found_again_and_held_by_intervals():
    """24 samples of units with weights that go with the outcome: uncorrected means and slopes are too alike; corrected
    ones aren't, and their 95 % intervals hold the truth. (150 samples: 0.92-0.95 by mean, 0.93-0.95 by coefficient; 24
    leave Monte Carlo errors of 0.025 in coverage and of a sixth in a standard error.)"""
    found = {name: [] for name in ("none", "bch", "ml")}
    for seed in range(24):
        people = draw_people(seed, n_units=50)
        design = survey_design(people, method="linearization")
        fit = fitted(people, "weight")
        for correction in found:
            means = profile_outcomes(fit, people[ITEMS], people[["y"]], design, correction=correction)
            coefs = profile_regression(fit, people[ITEMS], people[["z"]], design, correction=correction)
            both = pd.concat([means, coefs[coefs["term"] == "z"]])
            found[correction].append(both[["estimate", "ci_low", "ci_high"]].to_numpy())
    truth = np.concatenate([MEANS, COEFS[1:, 1]])
    for correction, tables in found.items():
        estimate, low, high = np.moveaxis(np.array(tables), 2, 0)
        off, noise = estimate.mean(axis=0) - truth, estimate.std(axis=0) / np.sqrt(len(tables))
        holds = ((low <= truth) & (truth <= high)).mean()
        if correction == "none":
            assert off[0] > 3 * noise[0] and off[2] < -3 * noise[2] and off[4] < -3 * noise[4]
            assert holds < 0.87
        else:
            assert (np.abs(off) < np.maximum(3 * noise, 0.05)).all()
            assert holds > 0.87


def test_linearised_errors_are_those_of_a_jackknife_of_every_step(people, profiles):
    """Leaving out unit after unit and refitting all tells the same errors. Were the measurement taken as known,
    linearised errors of intercepts would be 30 % smaller."""
    design, line = survey_design(people, method="jackknife"), survey_design(people, method="linearization")
    refits = profile_replicates(profiles, people[ITEMS], design)
    for correction in ("bch", "ml"):
        for verb, of in ((profile_outcomes, ["y"]), (profile_regression, ["z"])):
            both = {"correction": correction, "replicates": refits}
            jackknife = verb(profiles, people[ITEMS], people[of], design, **both)["se"]
            linear = verb(profiles, people[ITEMS], people[of], line, correction=correction)["se"]
            assert (linear / jackknife).between(0.92, 1.08).all()


def test_shares_of_an_outcome_add_up_and_ml_keeps_them_between_0_and_1(people, profiles):
    outcome = pd.DataFrame({"post": np.where(people["profile"] == 1, "new", "old")}, index=people.index)
    bch = profile_outcomes(profiles, people[ITEMS], outcome)
    ml = profile_outcomes(profiles, people[ITEMS], outcome, correction="ml")
    for table in (bch, ml):
        assert table.groupby("profile")["estimate"].sum().to_numpy() == pytest.approx(np.ones(3), abs=1e-6)
        assert ((table["ci_low"] <= table["estimate"]) & (table["estimate"] <= table["ci_high"])).all()
    assert bch["estimate"].min() < 0  # nobody in profiles 2 and 3 has it
    assert ml["estimate"].between(0, 1).all() and ml["ci_low"].ge(0).all() and ml["ci_high"].le(1).all()


def test_differences_and_the_test_that_all_are_equal(people, profiles):
    table = profile_outcomes(profiles, people[ITEMS], people[["y"]], compare=True)
    means, pairs = table.query("statistic == 'mean'"), table.query("statistic == 'difference'")
    assert pairs[["profile", "against"]].values.tolist() == [[2, 1], [3, 1], [3, 2]]
    level = means.set_index("profile")["estimate"]
    assert pairs["estimate"].tolist() == pytest.approx([level[2] - level[1], level[3] - level[1], level[3] - level[2]])
    assert (means["p"] < 1e-6).all() and (pairs["p"] < 1e-6).all()
    noise = pd.DataFrame({"y": np.random.default_rng(3).normal(size=len(people))}, index=people.index)
    assert profile_outcomes(profiles, people[ITEMS], noise)["p"].iloc[0] > 0.01


def test_missing_outcomes_and_covariates_are_left_out_and_counted(people, profiles):
    holes = people[["y", "z"]].mask(np.random.default_rng(0).random((len(people), 2)) < 0.2)
    means = profile_outcomes(profiles, people[ITEMS], holes[["y"]])
    assert (means["n_missing"] == holes["y"].isna().sum()).all()
    assert abs(means["n"].sum() + means["n_missing"].iloc[0] - len(people)) <= 2  # each rounded
    assert means["estimate"].to_numpy() == pytest.approx(MEANS, abs=0.25)
    coefs = profile_regression(profiles, people[ITEMS], holes[["z"]])
    assert (coefs["n_missing"] == holes["z"].isna().sum()).all()
    assert (coefs["n"] == holes["z"].notna().sum()).all()


@pytest.mark.parametrize("correction", ["none", "bch", "ml"])
def test_a_constant_outcome_is_that_constant_in_each_profile(people, profiles, correction):
    same = pd.DataFrame({"pay": 7.0}, index=people.index)
    table = profile_outcomes(profiles, people[ITEMS], same, correction=correction)
    assert table["estimate"].to_numpy() == pytest.approx(np.full(3, 7.0), abs=1e-9)
    assert table["se"].to_numpy() == pytest.approx(np.zeros(3), abs=1e-9) and table["p"].isna().all()


def test_one_profile_has_the_mean_of_all_and_nothing_to_test(people):
    one = CompetencyProfiles(1).fit(people[ITEMS])
    table = profile_outcomes(one, people[ITEMS], people[["y"]], compare=True)
    assert len(table) == 1 and table["p"].isna().all() and table.at[0, "estimate"] == pytest.approx(people["y"].mean())


def test_nullable_bool_is_bool_and_ordered_categories_stand_in_their_order(people, profiles):
    high = people["y"] > 2.5
    plain, nullable = (profile_outcomes(profiles, people[ITEMS], high.astype(kind).to_frame("high"))
                       for kind in ("bool", "boolean"))  # fmt: skip
    assert_frame_equal(plain, nullable)
    band = pd.cut(people["y"], [-10, 2, 3, 10], labels=["low", "mid", "high"]).to_frame("band")
    table = profile_regression(profiles, people[ITEMS], band)
    assert list(dict.fromkeys(table["category"])) == ["", "mid", "high"]


def test_what_cannot_be_estimated_is_refused_in_words(people, profiles):
    answers, y, z = people[ITEMS], people[["y"]], people[["z"]]
    two = answers[profiles.predict(answers) < 3]
    with pytest.raises(EstimateError, match="nobody has profile 3 as the most probable"):
        profile_outcomes(profiles, two, y)
    assert profile_outcomes(profiles, two, y, assignment="proportional")["estimate"].notna().all()
    with pytest.raises(EstimateError, match="correction 'bhc'"):
        profile_outcomes(profiles, answers, y, correction="bhc")
    with pytest.raises(EstimateError, match="outcomes lack row keys"):
        profile_outcomes(profiles, answers, y.iloc[1:])
    with pytest.raises(EstimateError, match="nobody has outcome y"):
        profile_outcomes(profiles, answers, y * np.nan)
    with pytest.raises(EstimateError, match="covariate same"):
        profile_regression(profiles, answers, z.assign(same=3.0))
    with pytest.raises(EstimateError, match="reference 4 of 3 profiles"):
        profile_regression(profiles, answers, z, reference=4)
    sure = pd.DataFrame({"only": profiles.predict(answers) == 3}, index=people.index)
    with pytest.raises(EstimateError, match="no finite solution"):
        profile_regression(profiles, answers, sure)


@pytest.mark.skipif(not CHEATING.exists(), reason="needs the given data")
def test_joint_fit_is_polcas_of_cheating_on_grades():
    """poLCA 1.6 on its data set cheating, 2 classes with GPA: likelihood, shares, coefficients and their errors."""
    rows = pd.read_csv(CHEATING)
    rows.columns = rows.columns.str.strip('"')
    fit = ProfileMembership(2, order="share").fit(
        rows.dropna(subset=["GPA"])[["LIEEXAM", "LIEPAPER", "FRAUD", "COPYEXAM"]], rows.dropna(subset=["GPA"])[["GPA"]])
    assert fit.loglik_ == pytest.approx(-429.638384351789, abs=1e-5) and fit.n_parameters_ == 10
    assert (fit.bic_, fit.aic_) == pytest.approx((916.802495091834, 879.276768703578), abs=1e-4)
    assert fit.shares_ == pytest.approx([0.821894081324527, 0.178105918675473], abs=1e-5)
    assert fit.coef_[2].to_numpy() == pytest.approx([0.113424094083691, -0.842484532403551], abs=1e-4)
    assert fit.coef_se_[2].to_numpy() == pytest.approx([0.509916463893408, 0.281314685798618], rel=1e-4)
    assert fit.entropy_ == pytest.approx(0.727471194107309, abs=1e-5)


def test_joint_fit_without_covariates_is_the_plain_one(people, profiles):
    alone = ProfileMembership(3, n_starts=6).fit(people[ITEMS], people[[]])
    assert alone.loglik_ == pytest.approx(profiles.loglik_, abs=1e-5)
    assert alone.n_parameters_ == profiles.n_parameters_
    assert alone.bic_ == pytest.approx(profiles.bic(people[ITEMS]), abs=1e-4)
    assert alone.posterior_.to_numpy() == pytest.approx(profiles.predict_proba(people[ITEMS]), abs=1e-3)
    errors = profile_errors(profiles, people[ITEMS], information="outer").set_index(["statistic", "profile"])["se"]
    assert alone.shares_se_ == pytest.approx(errors.loc["share"].to_numpy(), rel=0.01)
    theirs = np.concatenate([alone.item_probs_se_[q].loc[2] for q in ITEMS])
    assert np.sort(theirs) == pytest.approx(np.sort(errors.loc["probability", 2].to_numpy()), rel=0.01)


def test_joint_fit_finds_planted_coefficients_and_needs_no_order_of_rows(repeated):
    people = draw_people(5, n_units=150, informative=False)
    both = ProfileMembership(3, n_starts=3).fit(people[ITEMS], people[["z"]])
    off = (both.coef_.to_numpy() - COEFS[1:].T) / both.coef_se_.to_numpy()
    assert np.abs(off).max() < 3 and both.coef_se_.to_numpy().max() < 0.2
    assert len(both.posterior_) == len(people) and both.converged_
    weighted, whole = repeated
    once = ProfileMembership(3, n_starts=3).fit(weighted[ITEMS], weighted[["z"]], weighted["times"])
    often = ProfileMembership(3, n_starts=3).fit(whole[ITEMS], whole[["z"]])
    assert once.coef_.to_numpy() == pytest.approx(often.coef_.to_numpy(), abs=1e-3)
    mixed = weighted.sample(frac=1, random_state=1)
    again = ProfileMembership(3, n_starts=3).fit(mixed[ITEMS], mixed[["z"]], mixed["times"])
    assert_frame_equal(again.coef_, once.coef_, check_exact=True)
    assert again.posterior_.index.equals(mixed.index)
