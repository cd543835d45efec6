"""Errors of profiles: closed forms, brute force and planted truth (populations: `python -m tests.oracles`)."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.sandwich import profile_errors
from skillsgap.estimate.profiles.shares import _matched, profile_estimates, profile_replicates
from skillsgap.estimate.survey.design import replicate_design, survey_design
from skillsgap.estimate.survey.estimates import survey_proportion
from tests.oracles import aggregate

RECOVERY = Path(__file__).resolve().parents[2] / "shared" / "oracles" / "recovery"
SHARES = np.array([0.35, 0.65])
PROBS = np.array([[0.9, 0.8, 0.97, 0.7, 0.9, 0.6], [0.2, 0.1, 0.3, 0.02, 0.4, 0.1]])  # of a 1, profile x item


def drawn(seed, *, agencies=40, each=12, missing=0.15):
    """Answers of two planted profiles by agency within ministry, and the columns of the design."""
    rng = np.random.default_rng(seed)
    psu = np.repeat(np.arange(agencies), each)
    share = special.expit(special.logit(SHARES[0]) + 0.4 * rng.standard_normal(agencies))
    profile = (rng.random(len(psu)) > share[psu]).astype(int)
    codes = (rng.random((len(psu), PROBS.shape[1])) < PROBS[profile]).astype(float)
    codes[rng.random(codes.shape) < missing] = np.nan
    answers = pd.DataFrame(codes, columns=list("abcdef"), index=pd.RangeIndex(len(psu), name="row_key"))
    weights = rng.gamma(8, 1 / 8, agencies)[psu] + 0.3
    rows = pd.DataFrame({"weight": weights, "stratum": psu % 4, "psu": psu}, index=answers.index)
    return answers, rows


def fitted(answers, design, **options):
    return CompetencyProfiles(2, n_starts=10, **options).fit(answers, sample_weight=design.weights)


def test_errors_of_one_profile_are_the_survey_estimates_errors_of_proportions():
    answers, rows = drawn(1)
    design = survey_design(rows, method="linearization")
    one = CompetencyProfiles(1).fit(answers, sample_weight=design.weights)
    table = profile_errors(one, answers, design=design)
    ours = table[(table["variable"] == "c") & (table["category"] == 1)].iloc[0]
    theirs = survey_proportion(answers["c"], design).query("category == '1'").iloc[0]
    assert ours["estimate"] == pytest.approx(theirs["estimate"], abs=1e-9)
    assert ours["se"] == pytest.approx(theirs["se"], rel=1e-6)


def test_observed_information_is_the_curvature_of_the_log_likelihood():
    """Brute force: the Hessian of a likelihood written down anew, for answers of two kinds, some missing."""
    rng = np.random.default_rng(3)
    profile = rng.random(300) < 0.4
    frame = pd.DataFrame({"a": rng.choice(3, 300) * ~profile + (rng.random(300) < 0.2), "x": 2.5 * profile,
                          "b": np.where(profile, 0, rng.choice(2, 300))}).astype(float)  # fmt: skip
    frame["x"] += rng.standard_normal(300)
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    weights = rng.gamma(5, 0.2, 300)
    fit = CompetencyProfiles(2, kinds={"x": "continuous"}, prior=0.5, tol=1e-14).fit(frame, sample_weight=weights)
    weights = weights * 300 / weights.sum()
    sizes = [len(fit.categories_[name]) for name in ("a", "b")]

    def parts(point):
        share, *rest = np.split(point, np.cumsum([1, *[2 * (size - 1) for size in sizes]]))
        logits = [np.column_stack([np.zeros(2), part.reshape(2, -1)]) for part in rest[:-1]]
        return np.r_[share, 0], logits, rest[-1][:2], rest[-1][2:]  # logits of profiles, of answers, mean, log sd

    def loss(point):
        share, logits, mean, log_sd = parts(point)
        joint = np.tile(special.log_softmax(share), (300, 1))
        prior = special.log_softmax(share).sum()
        for name, part in zip(("a", "b"), logits, strict=True):
            logs, codes = special.log_softmax(part, axis=1), frame[name]
            place = np.searchsorted(fit.categories_[name], codes.fillna(0))
            joint += np.where(codes.notna().to_numpy()[:, None], logs[:, place].T, 0)
            prior += logs.sum()
        density = stats.norm.logpdf(frame["x"].to_numpy()[:, None], mean, np.exp(log_sd))
        known = frame["x"].notna().to_numpy()
        centre = np.average(frame["x"][known], weights=weights[known])
        spread = np.average((frame["x"][known] - centre) ** 2, weights=weights[known])
        prior += (stats.norm.logpdf(centre, mean, np.exp(log_sd)) - spread / 2 / np.exp(2 * log_sd)).sum()
        joint += np.where(known[:, None], density, 0)
        return -(weights @ special.logsumexp(joint, axis=1)) - 0.5 * prior

    start = np.concatenate([
        [np.log(fit.shares_[0] / fit.shares_[1])],
        *[np.log(fit.item_probs_[name].to_numpy()[:, 1:] / fit.item_probs_[name].to_numpy()[:, :1]).ravel()
          for name in ("a", "b")],
        fit.means_["x"], np.log(fit.covariances_[:, 0, 0]) / 2])  # fmt: skip
    assert np.abs(optimize.approx_fprime(start, loss, 1e-6)).max() < 0.02  # the fit is a maximum of this likelihood
    hessian = curvature(loss, start)
    covariance = np.linalg.inv(hessian)

    def reported(point):
        share, logits, mean, _ = parts(point)
        return np.concatenate([special.softmax(share), special.softmax(logits[0], axis=1).ravel(), mean])

    slopes = np.array([(reported(start + step) - reported(start - step)) / 2e-5 for step in 1e-5 * np.eye(len(start))])
    brute = np.sqrt(np.einsum("pi,pq,qi->i", slopes, covariance, slopes))
    table = profile_errors(fit, frame, weights, information="observed")
    chosen = [table["statistic"] == "share", (table["variable"] == "a") & (table["statistic"] == "probability"),
              table["statistic"] == "mean"]  # fmt: skip
    ours = np.concatenate([table.loc[rows, "se"] for rows in chosen])
    np.testing.assert_allclose(ours, brute, rtol=2e-3)


def curvature(function, point, step=1e-4):
    moves = step * np.eye(len(point))
    return np.array([[(function(point + a + b) - function(point + a - b) - function(point - a + b)
                       + function(point - a - b)) / (4 * step**2) for b in moves] for a in moves])  # fmt: skip


def test_scores_of_jackknife_replicates_give_the_linearised_sandwich():
    """Theory: of a total, the delete-one-unit jackknife and the linearised variance are one number."""
    answers, rows = drawn(5)
    design = survey_design(rows, method="jackknife")
    fit = fitted(answers, design, prior=0.5)
    line = profile_errors(fit, answers, design=design)
    given = replicate_design(design.weights, design.replicate_weights, method="jkn", rscales=design.scales)
    np.testing.assert_allclose(profile_errors(fit, answers, design=given)["se"], line["se"], rtol=1e-8)
    table = profile_estimates(fit, answers, design)
    shares = table["statistic"] == "share"
    assert table.loc[shares, "se"].to_numpy() == pytest.approx(line.loc[shares.to_numpy(), "se"], rel=0.15)


@pytest.mark.parametrize(("variance", "samples"), [("sandwich", 120), ("replicates", 40)])
def test_intervals_hold_planted_truth(variance, samples):
    """Known truth: 95 % intervals of shares and of probabilities from .02 to .97 within Monte Carlo error of 0.95."""
    shares, probs, small = [], [], []
    for seed in range(samples):
        answers, rows = drawn(100 + seed, agencies=32)
        design = survey_design(rows, n_replicates=80, random_state=seed)
        table = profile_estimates(fitted(answers, design, prior=0.5, order="level_decreasing"), answers, design,
                                  variance=variance)  # fmt: skip
        share = table[table["statistic"] == "share"].iloc[0]
        true = special.expit(special.logit(SHARES[0]) + 0.4 * stats.norm.ppf((np.arange(999) + 0.5) / 999)).mean()
        shares.append(share["ci_low"] <= true <= share["ci_high"])
        one = table[(table["statistic"] == "probability") & (table["category"] == 1)]
        held = (one["ci_low"] <= PROBS.ravel()) & (one["ci_high"] >= PROBS.ravel())
        probs.append(held.mean())
        small.append(held.to_numpy()[PROBS.ravel() < 0.03].mean())
    error = np.sqrt(0.05 * 0.95 / samples)
    assert abs(np.mean(shares) - 0.95) < 3 * error
    assert 0.93 < np.mean(probs) < 0.975
    assert np.mean(small) > 0.95 - 3 * error


def test_a_category_nobody_chose_has_an_interval():
    """Korn and Graubard: of none among n, up to 1 - 0.025 ** (1 / n), and n a little less for the design."""
    answers, rows = drawn(7)
    answers["g"] = answers["a"].fillna(1) * 2  # nobody who answers 0 to a says 2
    design = survey_design(rows, n_replicates=40)
    fit = fitted(answers, design)
    for variance in ("replicates", "sandwich"):
        table = profile_estimates(fit, answers, design, variance=variance)
        none = table[(table["statistic"] == "probability") & (table["estimate"] < 1e-6)]
        assert len(none) and (none["se"] < 1e-6).all() and (none["ci_low"] == 0).all()
        assert none["ci_high"].between(1 - 0.025 ** (1 / none["n"]), 2 * (1 - 0.025 ** (1 / none["n_eff"]))).all()
        assert (table["ci_low"] <= table["estimate"] + 1e-6).all()
        assert (table["ci_high"] >= table["estimate"] - 1e-6).all()


def test_a_refit_with_profiles_interchanged_is_numbered_anew():
    answers, rows = drawn(8)
    design = survey_design(rows, n_replicates=20)
    fit = fitted(answers, design)
    np.testing.assert_array_equal(_matched(fit._theta[::-1] * 0.99, fit._theta), fit._theta * 0.99)
    refits = profile_replicates(fit, answers, design)
    assert refits.shares.shape == (20, 2) and np.allclose(refits.probs[:, :, :2].sum(axis=2), 1)


@pytest.mark.parametrize("prior", [0.0, 5.0])
def test_rows_of_no_weight_and_without_answers_change_no_error(prior):
    """A replicate with the full sample's weights is the full-sample fit, whoever was left out of that."""
    answers, rows = drawn(10)
    weights = rows["weight"] * (np.arange(len(rows)) % 3 > 0)
    answers.iloc[1] = np.nan
    fit, used = CompetencyProfiles(2, n_starts=5, prior=prior).fit(answers, sample_weight=weights), weights > 0
    used &= answers.notna().any(axis=1)
    for information in ("sandwich", "observed", "outer"):
        all_rows = profile_errors(fit, answers, weights, information=information)["se"]
        some_rows = profile_errors(fit, answers[used], weights[used], information=information)["se"]
        np.testing.assert_allclose(all_rows, some_rows, rtol=1e-4, atol=1e-9)
    same = replicate_design(weights, np.column_stack([weights] * 2), method="jk1")
    refits = profile_replicates(fit, answers, same, tol=1e-10, max_iter=2000)
    np.testing.assert_allclose(refits.theta, np.stack([fit._theta] * 2), atol=1e-5)


def test_order_of_rows_and_scale_of_weights_change_nothing():
    answers, rows = drawn(9)
    design = survey_design(rows, n_replicates=20)
    fit = fitted(answers, design)
    mixed = np.random.default_rng(0).permutation(len(answers))
    pd.testing.assert_frame_equal(profile_estimates(fit, answers.iloc[mixed], design),
                                  profile_estimates(fit, answers, design), check_exact=True)  # fmt: skip
    larger = replace(design, weights=design.weights * 1000, replicate_weights=design.replicate_weights * 1000)
    pd.testing.assert_frame_equal(profile_estimates(fit, answers, larger), profile_estimates(fit, answers, design))


def test_what_cannot_be_had_is_refused():
    answers, rows = drawn(10)
    design = survey_design(rows, method="linearization")
    fit = fitted(answers, design)
    assert (profile_estimates(fit, answers, design)["se"] > 0).all()  # no replicates: the sandwich
    with pytest.raises(EstimateError, match="no replicates"):
        profile_estimates(fit, answers, design, variance="replicates")
    with pytest.raises(EstimateError, match="use replicates"):
        profile_estimates(fit, answers, design, levels=answers)
    with pytest.raises(EstimateError, match="information 'all' isn't known"):
        profile_errors(fit, answers, information="all")


@pytest.mark.skipif(not RECOVERY.is_dir(), reason="the reference results (../shared/oracles) are not here")
def test_our_judge_of_recovery_says_what_the_judge_of_the_cases_says(tmp_path):
    spec = importlib.util.spec_from_file_location("judge_recovery", RECOVERY / "judge_recovery.py")
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    rng, results = np.random.default_rng(0), {}
    for name in ("pop000", "pop002", "pop006", "pop010"):
        truth = json.loads((RECOVERY / name / "truth.json").read_text(encoding="utf-8"))
        order = rng.permutation(truth["K"])
        probs, shares = np.array(truth["true_probs"])[order], np.array(truth["true_shares"])[order]
        results[name] = {
            "probs": (probs * rng.uniform(0.9, 1.1, probs.shape)).tolist(), "shares": (shares * 0.97).tolist(),
            "ci_low": (shares - 0.01).tolist(), "ci_high": (shares + rng.normal(0.01, 0.01, len(shares))).tolist(),
            "labels": rng.permuted(truth["true_class"]).tolist(), "k": int(rng.integers(2, 4)),
        }  # fmt: skip
    found = aggregate.table(RECOVERY, results).set_index("measure")
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results), encoding="utf-8")
    said = theirs.judge(str(RECOVERY), str(path))
    for measure in aggregate.MEASURES:
        for value in ("got", "reference", "difference", "se"):
            assert found.at[measure, value] == pytest.approx(said[measure][value], abs=1e-12), (measure, value)
