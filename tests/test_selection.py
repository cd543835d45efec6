"""How many profiles there are: planted numbers, a bootstrap test of others, known partitions, and refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.answerable import profile_problems
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.likelihoodratio import bootstrap_likelihood_ratio
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.stability import compare_profiles, cramers_v, profile_stability
from skillsgap.estimate.survey.design import survey_design

BLRT = Path(__file__).resolve().parents[2] / "shared" / "oracles" / "lca" / "blrt_give"


def planted(n, seed, shares=(0.5, 0.3, 0.2), n_items=8, n_codes=3, missing=0.1):
    """Answers of profiles with flat Dirichlet answer probabilities, their design, and who is in which."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(n_codes), (len(shares), n_items))
    profile = rng.choice(len(shares), n, p=shares)
    codes = (rng.random((n, n_items))[:, :, None] > probs[profile].cumsum(axis=2)).sum(axis=2)
    answers = pd.DataFrame(codes.clip(0, n_codes - 1).astype(float), index=pd.RangeIndex(n, name="row_key"))
    answers.columns = [f"v{j}" for j in range(n_items)]
    answers[rng.random(answers.shape) < missing] = np.nan
    rows = pd.DataFrame({"weight": rng.gamma(6, 1 / 6, n) + 0.2, "psu": rng.integers(0, 40, n)}, index=answers.index)
    return answers, survey_design(rows, n_replicates=30, random_state=seed), profile


def test_planted_number_is_recommended_and_near_ties_are_few():
    right, held, size = 0, 0, 0
    for seed in range(12):
        answers, design, _ = planted(600, seed)
        table = select_profiles(answers, range(1, 6), design, n_starts=20).set_index("n_profiles")
        right += table.at[3, "recommended"]
        held, size = held + table.at[3, "near_tie"], size + table["near_tie"].sum()
    assert right >= 10 and held == 12 and size <= 1.5 * 12


def test_a_profile_that_is_not_there_lowers_the_deviance_by_two_for_each_parameter():
    """Wolfe (1971): chi-square with 2(m - 1) degrees of freedom, on the scale of the effective n."""
    drops = []
    for seed in range(12):
        answers, design, _ = planted(600, 50 + seed)
        table = select_profiles(answers, [3, 4], design, n_starts=20)
        scale = (table["aic"] - 2 * table["n_parameters"]) / (-2 * table["loglik"])
        drops.append(2 * scale[0] * np.diff(table["loglik"])[0] / np.diff(table["n_parameters"])[0])
    assert 1.4 < np.mean(drops) < 2.2 and np.mean(np.array(drops) < 2.8) >= 11 / 12


def test_rows_in_any_order_and_weights_on_any_scale_choose_alike():
    answers, design, _ = planted(300, 3)
    table = select_profiles(answers, [1, 2, 3], design, n_starts=8, n_draws=9, n_refits=4)
    mixed = answers.sample(frac=1, random_state=1)
    mixed = select_profiles(mixed, [1, 2, 3], design, n_starts=8, n_draws=9, n_refits=4)
    pd.testing.assert_frame_equal(table, mixed, check_exact=True)
    rows = pd.DataFrame({"weight": 1000 * design.weights, "psu": design.linearization.stages[0].units})
    scaled = select_profiles(answers, [1, 2, 3], survey_design(rows, n_replicates=2), n_starts=8)
    same = ["loglik", "aic", "aic3", "bic", "sabic", "wolfe", "entropy", "smallest_share", "near_tie", "recommended"]
    pd.testing.assert_frame_equal(table[same], scaled[same], rtol=1e-6)
    assert table.set_index("n_profiles").loc[[2, 3], "blrt_p"].tolist() == [0.1, 0.1] and np.isnan(table["blrt_p"][0])


def test_equal_weights_on_any_level_give_textbook_criteria():
    answers, _, _ = planted(400, 4)
    design = survey_design(pd.DataFrame({"weight": 7.0}, index=answers.index), n_replicates=2)
    row = select_profiles(answers, [2], design, n_starts=8).iloc[0]
    m, deviance = row["n_parameters"], -2 * row["loglik"]
    assert row["aic"] == pytest.approx(deviance + 2 * m) and row["aic3"] == pytest.approx(deviance + 3 * m)
    assert row["bic"] == pytest.approx(deviance + m * np.log(400))
    assert row["sabic"] == pytest.approx(deviance + m * np.log(402 / 24))


def test_small_profiles_are_refused_with_their_numbers():
    answers, design, _ = planted(1000, 5, shares=(0.6, 0.37, 0.03), n_items=16)
    table = select_profiles(answers, [1, 2, 3], design, n_starts=20).set_index("n_profiles")
    assert table.at[2, "recommended"] and not table.at[3, "near_tie"]
    assert "below 5%" in table.at[3, "reason"] and "respondents" in table.at[3, "reason"]
    assert "3 profiles fit better still, but the smallest profile holds" in table.at[2, "reason"]


@pytest.mark.skipif(not BLRT.is_dir(), reason="the reference results (../shared/oracles) are not here")
def test_bootstrap_test_equals_the_oracle():
    data = pd.read_csv(BLRT / "blrt.csv")
    checks = {check["id"]: check for check in json.loads((BLRT / "expected.json").read_text())["checks"]}
    for pair in ("1v2", "2v3"):
        test = bootstrap_likelihood_ratio(data, int(pair[-1]), n_draws=99)
        ratio, p = checks[f"blrt.{pair}.lr"], checks[f"blrt.{pair}.p"]
        assert test.statistic == pytest.approx(ratio["value"], abs=ratio["atol"])
        assert test.p == pytest.approx(p["value"], abs=p["atol"]) and test.draws.shape == (99,)
        assert ("yes" if test.p < 0.05 else "no") == checks[f"blrt.{pair}.reject05"]["value"]


def test_bootstrap_test_rejects_a_true_null_as_often_as_it_says():
    p = []
    for seed in range(25):
        answers, design, _ = planted(150, 200 + seed, shares=(0.6, 0.4), n_items=5, n_codes=2)
        p.append(bootstrap_likelihood_ratio(answers, 3, design, n_draws=19, random_state=seed).p)
    assert np.mean(np.array(p) <= 0.1) <= 0.3 and 0.3 <= np.mean(p) <= 0.75  # 0.1 and 0.5, and three errors of 25


def test_bootstrap_test_stops_once_its_answer_is_clear():
    answers, _, _ = planted(200, 6, shares=(0.6, 0.4))
    test = bootstrap_likelihood_ratio(answers, 3, n_draws=500, stop_after=3)
    assert test.note.startswith("The draws come from the fitted model")
    rows = pd.DataFrame({"weight": 1.0, "psu": np.arange(len(answers)) // 10}, index=answers.index)
    clustered = bootstrap_likelihood_ratio(answers, 3, survey_design(rows, method="linearization"), n_draws=1)
    assert clustered.note.startswith("Approximate under weights and clusters")
    assert len(test.draws) < 100 and test.p == 3 / len(test.draws) and (test.draws >= test.searched).sum() == 3
    with pytest.raises(EstimateError, match="3 profiles against 3"):
        bootstrap_likelihood_ratio(answers, 3, null_profiles=3)


def test_planted_profiles_are_stable_and_a_profile_too_many_is_not():
    answers, design, _ = planted(900, 7)
    for k, low, high in ((3, 0.75, 1.0), (5, 0.0, 0.75)):
        fit = CompetencyProfiles(k).fit(answers, sample_weight=design.weights)
        table = profile_stability(fit, answers, design, n_draws=12).set_index(["statistic", "profile"])
        jaccard = table.loc["jaccard_bootstrap"]
        assert low <= jaccard["estimate"].min() <= high
        assert (jaccard["verdict"] == "stable").all() == (k == 3)
        assert table.at[("adjusted_rand_bootstrap", 0), "n_draws"] == 12
        assert table["estimate"].between(table["ci_low"], table["ci_high"]).all()


def test_partitions_compare_as_in_scikit_learn():
    answers, design, profile = planted(800, 8)
    grade = pd.Series(profile + 1.0, index=answers.index).where(np.arange(800) % 10 > 0)
    equal = survey_design(pd.DataFrame({"weight": 3.0}, index=answers.index), n_replicates=20)
    with_grade = answers.assign(grade=grade)
    first, second = CompetencyProfiles(3).fit(answers), CompetencyProfiles(3).fit(with_grade)
    table = compare_profiles(first, second, with_grade, equal, given=grade).set_index(["statistic", "of"])
    one, two = first.predict(answers), second.predict(with_grade)
    assert table.at[("adjusted_rand", "both"), "estimate"] == pytest.approx(adjusted_rand_score(one, two), abs=0.005)
    told = normalized_mutual_info_score(grade.dropna(), second.predict(with_grade)[grade.notna()])
    found = table.loc["mutual_information", "estimate"]
    assert found["first"] < found["second"] <= told + 0.02 and table.at[("cramers_v", "second"), "n"] == 720
    assert (table["se"] > 0).all() and cramers_v(np.array([[10.0, 20.0], [20.0, 10.0]])) == pytest.approx(1 / 3)


def test_answers_that_cannot_carry_profiles_are_refused_with_numbers_and_remedy():
    answers, design, _ = planted(60, 9)
    for broken, weights, n_profiles, text in (
            (answers.assign(v1=2.0), None, 2, r"v1: all 60 answers are the same \(2\).*leave v1 out"),
            (answers.assign(v2=np.nan), None, 2, "v2: none of 60 respondents answered it: leave v2 out"),
            (answers[["v0"]].dropna(), None, 4, "4 profiles, but the answers show 3 different patterns only"),
            (answers, np.r_[1e6, np.ones(59)], 2, "one of 60 respondents holds 100% of the weight"),
            (answers.head(30), None, 2, "30 respondents with an answer.*need 50 or more")):
        assert pd.Series(profile_problems(broken, weights, n_profiles)).str.contains(text).any()
    assert profile_problems(answers, design.weights, 5) == []
    with pytest.raises(EstimateError, match="v1: all 60.*leave v1 out"):
        select_profiles(answers.assign(v1=2.0), [1, 2], design)
    with pytest.raises(EstimateError, match="no candidates"):
        select_profiles(answers, [], design)
