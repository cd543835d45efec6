"""Item response models: weights, missing answers, posteriors and draws, errors under a design, faults."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.irt import ItemResponseModel, item_parameters
from skillsgap.estimate.measures.irt_abilities import (
    expected_level,
    graded_levels,
    marginal_reliability,
    plausible_abilities,
    test_information,
)
from skillsgap.estimate.survey.design import survey_design

test_information.__test__ = False  # a verb of the package, not a test
SLOPES = np.array([0.8, 1.0, 1.3, 1.6, 2.0, 1.1])
STEPS = np.array([-1.4, -0.5, 0.4, 1.3]) + np.array([-0.3, 0.0, 0.2, -0.1, 0.3, 0.1])[:, None]


def simulate(n, seed, *, ability=None, missing=0.0):
    """Answers 0-4 to six items; a share of them missing at random."""
    rng = np.random.default_rng(seed)
    ability = rng.standard_normal(n) if ability is None else ability
    chance = rng.random((n, len(SLOPES)))
    answers = sum(chance < 1 / (1 + np.exp(-SLOPES * (ability[:, None] - step))) for step in STEPS.T).astype(float)
    answers[rng.random(answers.shape) < missing] = np.nan
    return pd.DataFrame(answers, columns=[f"q{j}" for j in range(1, 7)], index=pd.RangeIndex(n, name="row_key"))


def same(one, other, atol=1e-5):
    np.testing.assert_allclose(one.difficulties_, other.difficulties_, atol=atol)
    np.testing.assert_allclose(one.discriminations_, other.discriminations_, atol=atol)


@pytest.fixture(scope="module")
def answers():
    return simulate(1500, 1, missing=0.1)


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(2).integers(0, 3, 1500).astype(float)


@pytest.fixture(scope="module")
def weighted(answers, weights):
    return ItemResponseModel().fit(answers, sample_weight=weights)


@pytest.fixture(scope="module")
def plain():
    data = simulate(3000, 3)
    return data, ItemResponseModel().fit(data)


def test_weight_2_is_the_row_twice_and_weight_0_the_row_absent(answers, weights, weighted):
    repeated = answers.loc[answers.index.repeat(weights.astype(int))].reset_index(drop=True)
    twice = ItemResponseModel().fit(repeated)
    same(weighted, twice)
    told = repeated.notna().any(axis=1).mean()
    assert weighted.loglik_weighted_ == pytest.approx(twice.loglik_, rel=1e-9) and told == 1


def test_scaling_the_weights_changes_nothing(answers, weights, weighted):
    scaled = ItemResponseModel().fit(answers, sample_weight=weights * 250)
    same(weighted, scaled, atol=1e-9)
    np.testing.assert_allclose(weighted.difficulty_se_, scaled.difficulty_se_, rtol=1e-9)
    assert scaled.loglik_ == pytest.approx(weighted.loglik_)


def test_order_of_rows_changes_no_byte(answers, weights, weighted):
    order = np.random.default_rng(0).permutation(len(answers))
    shuffled = ItemResponseModel().fit(answers.iloc[order], sample_weight=pd.Series(weights, answers.index))
    assert shuffled.difficulties_.equals(weighted.difficulties_) and shuffled.loglik_ == weighted.loglik_
    draws, again = (plausible_abilities(weighted, data, n_draws=1)[0] for data in (answers, answers.iloc[order]))
    pd.testing.assert_frame_equal(again.loc[draws.index], draws)


def test_answers_missing_at_random_leave_the_truth_in_reach():
    model = ItemResponseModel(quadrature="uniform", n_quadrature=31).fit(simulate(8000, 5, missing=0.3))
    off = np.concatenate([((model.difficulties_ - STEPS) / model.difficulty_se_).to_numpy().ravel(),
                          (model.discriminations_ - SLOPES) / model.discrimination_se_])  # fmt: skip
    assert np.sqrt(np.mean(off**2)) < 1.4 and np.abs(off).max() < 3.5  # 30 errors in units of their standard error


def test_draws_agree_with_the_posterior_and_with_the_population(plain):
    data, model = plain
    eap = model.predict(data)
    draws = np.stack([d["ability"] for d in plausible_abilities(model, data, n_draws=40)])
    assert np.abs(draws.mean(axis=0) - eap["ability"]).mean() < eap["sd"].mean() / np.sqrt(40)
    assert draws.mean() == pytest.approx(0, abs=0.03) and draws.var() == pytest.approx(1, abs=0.03)
    assert (draws.var(axis=0, ddof=1) / eap["sd"] ** 2).mean() == pytest.approx(1, abs=0.02)


def test_conditioning_keeps_group_means_from_being_shrunken(plain):
    _, model = plain
    group = np.arange(4000) % 2
    data = simulate(4000, 9, ability=np.random.default_rng(8).normal(1.0 * group - 0.5, 0.8))
    groups = pd.DataFrame({"group": group}, index=data.index)
    design = survey_design(pd.DataFrame({"weight": 1.0}, index=data.index), n_replicates=2)
    draws = plausible_abilities(model, data, design, groups, n_draws=5)
    gap = np.mean([np.diff(d["ability"].groupby(group).mean())[0] for d in draws])
    shrunken = np.diff(model.predict(data)["ability"].groupby(group).mean())[0]
    assert gap == pytest.approx(1.0, abs=0.08) and shrunken < 0.9


def test_weights_of_the_draws_mean_what_weights_mean(plain, weights):
    _, model = plain
    data, group = simulate(1500, 12), pd.DataFrame({"group": np.arange(1500) % 3})
    twice = data.index.append(data.index[weights == 2])  # the first 1,500 keys draw the same chances in each call

    def draw(places, mass):
        answers = data.loc[places].reset_index(drop=True)
        design = survey_design(pd.DataFrame({"weight": mass}, index=answers.index), n_replicates=2)
        groups = group.loc[places].reset_index(drop=True)
        return plausible_abilities(model, answers, design, groups, n_draws=1)[0]["ability"].to_numpy()[:1500]

    given = draw(data.index, weights)
    np.testing.assert_allclose(draw(data.index, weights * 40), given, atol=1e-9)
    np.testing.assert_allclose(draw(twice, np.minimum(weights, 1)[twice]), given, atol=1e-9)
    noisy = data.copy()
    noisy[weights == 0] = 4.0
    design = survey_design(pd.DataFrame({"weight": weights}), n_replicates=2)
    other = plausible_abilities(model, noisy, design, group, n_draws=1)[0]["ability"].to_numpy()
    np.testing.assert_allclose(other[weights > 0], given[weights > 0], atol=1e-9)


def test_scaling_a_design_leaves_the_errors(answers, weights, weighted):
    rows = pd.DataFrame({"weight": weights}, index=answers.index)
    one, other = (item_parameters(weighted, answers=answers, design=survey_design(some, method="linearization"))
                  for some in (rows, rows * 30))  # fmt: skip
    pd.testing.assert_frame_equal(one, other)


def test_levels_are_the_expected_answer(plain):
    data, model = plain
    levels = graded_levels(model, data, n_draws=10)
    assert np.mean([d["level"].mean() for d in levels]) == pytest.approx(data.to_numpy().mean(), abs=0.02)
    one = graded_levels(model, data, competencies=pd.Series({"q1": "a", "q2": "a", "q3": "b"}), n_draws=1)[0]
    assert list(one.columns) == ["a", "b"]
    assert np.all(np.diff(expected_level(model, np.linspace(-4, 4, 20))) > 0)


def test_who_answered_nothing_has_no_ability(plain):
    data, model = plain
    some = data.head(3).copy()
    some.iloc[1] = np.nan
    table = model.predict(some)
    assert table["n_answers"].tolist() == [6, 0, 6] and table["ability"].isna().tolist() == [False, True, False]
    assert plausible_abilities(model, some, n_draws=1)[0]["ability"].isna().tolist() == [False, True, False]


def test_information_says_how_precise_the_abilities_are(plain):
    data, model = plain
    near = test_information(model, [0.0])
    slope = model.discriminations_.iloc[0]
    assert near["se"].iloc[0] == pytest.approx(near["information"].iloc[0] ** -0.5) and slope > 0
    explained = model.predict(data)["ability"].var()
    assert marginal_reliability(model) == pytest.approx(explained, abs=0.03)


def test_errors_follow_the_design(plain):
    data, model = plain
    alone = item_parameters(model)
    rows = pd.DataFrame({"weight": 1.0}, index=data.index)
    line = item_parameters(model, answers=data, design=survey_design(rows, method="linearization"))
    np.testing.assert_allclose(line["se"], alone["se"], rtol=1e-3)  # n / (n - 1) apart
    drawn = item_parameters(model, answers=data, design=survey_design(rows, n_replicates=300))
    assert (drawn["se"] / alone["se"]).mean() == pytest.approx(1, abs=0.05)
    doubled = pd.concat([data, data], ignore_index=True)  # everybody twice, as clusters of two, is one survey of each
    rows = pd.DataFrame({"weight": 1.0, "psu": np.tile(np.arange(len(data)), 2)})
    pairs = item_parameters(ItemResponseModel().fit(doubled), answers=doubled,
                            design=survey_design(rows, method="linearization"))  # fmt: skip
    np.testing.assert_allclose(pairs["se"], line["se"], rtol=1e-4)
    columns = ["item_id", "parameter", "estimate", "se", "ci_low", "ci_high", "n", "n_eff", "uncertainty"]
    assert list(pairs.columns) == columns and (pairs["n"] == len(doubled)).all()


def test_errors_of_a_model_fitted_with_other_weights_are_refused(plain):
    data, model = plain
    design = survey_design(pd.DataFrame({"weight": 1.0 + (data["q1"] > 2)}, index=data.index), n_replicates=2)
    with pytest.raises(EstimateError, match="sample_weight=design.weights"):
        item_parameters(model, answers=data, design=design)


def test_items_may_differ_in_categories_and_a_category_may_go_unused():
    data = simulate(1500, 4)
    data["q1"], data["q2"] = (data["q1"] > 1).astype(float), data["q2"].replace(2, 3)
    model = ItemResponseModel(categories={"q1": [0, 1], "q2": range(6)} | {f"q{j}": range(5) for j in (3, 4, 5, 6)})
    steps = model.fit(data).difficulties_
    assert steps.loc["q1"].notna().tolist() == [True, False, False, False, False]
    assert steps.loc["q2", 2] == steps.loc["q2", 3] and np.isnan(steps.loc["q2", 5])
    assert model.n_parameters_ == 1 + 3 + 4 * 4 + 6
    assert len(item_parameters(model)) == 1 + 4 + 4 * 4 + 6


def test_a_reversed_item_gets_a_negative_discrimination():
    data = simulate(1500, 6).assign(q6=lambda t: 4 - t["q6"])
    slopes = ItemResponseModel().fit(data).discriminations_
    assert slopes["q6"] < -0.8 and (slopes.drop("q6") > 0.5).all()


@pytest.mark.parametrize(("change", "options", "said"), [
    ({"q2": 3.0}, {}, "item q2: everybody answered 3.0"),
    ({"q2": np.nan}, {}, "item q2: nobody with a weight above 0 answered"),
    ({}, {"model": "2pl"}, "item q1 has 5 categories and model 2pl takes 2"),
    ({"q3": 9.0}, {"categories": {f"q{j}": range(5) for j in range(1, 7)}}, "item q3: answer 9.0 is not among"),
    ({}, {"max_iter": 1}, "no maximum found"),
    ({}, {"quadrature": "simpson"}, "choose gauss_hermite or uniform"),
])  # fmt: skip
def test_faults_name_the_item_and_the_remedy(answers, change, options, said):
    with pytest.raises(EstimateError, match=said):
        ItemResponseModel(**options).fit(answers.assign(**change))


def test_answers_no_model_can_tell_apart_are_refused():
    steps = pd.DataFrame(np.tril(np.ones((5, 4))), columns=[*"abcd"])  # who passes an item passes all easier ones
    with pytest.raises(EstimateError, match="item "):
        ItemResponseModel("2pl").fit(pd.concat([steps] * 40, ignore_index=True))
    with pytest.raises(EstimateError, match="at least 3 items"):
        ItemResponseModel("2pl").fit(steps[["a", "b"]])
