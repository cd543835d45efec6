"""Projection to the register and cohorts, against a drawn population and what must always hold."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.workforce.cohorts import cohorts
from skillsgap.estimate.workforce.projection import Projection, project_staff

TERMS = ["agency_id", "role_id", "grade"]
KEYS = ["agency_id", "role_id", "role_level", "grade"]


def draw_country(seed, n_staff=8000, n_sample=900, n_agencies=12):
    """Register with true profiles (1..3), answers of a sample; nobody of agency a00 answers."""
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, size, n_staff) for size in (n_agencies, 4, 3)]
    scores = np.log([0.4, 0.35, 0.25]) + sum(
        rng.normal(0, sd, (size, 3))[codes]
        for codes, size, sd in zip(draws, (n_agencies, 4, 3), (0.6, 0.4, 0.4), strict=True))
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    profile = (rng.random((n_staff, 1)) > chance.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    register = pd.DataFrame({
        "agency_id": [f"a{i:02d}" for i in draws[0]], "role_id": [f"r{i}" for i in draws[1]],
        "role_level": "senior", "grade": [f"g{i}" for i in draws[2]], "profile": profile + 1},
        index=pd.RangeIndex(n_staff, name="row_key"))
    rows = np.sort(rng.choice(np.flatnonzero(draws[0] > 0), n_sample, replace=False))
    probs = np.exp(-0.8 * (np.arange(5) - np.array([0.6, 2.0, 3.4])[:, None]) ** 2)
    probs /= probs.sum(axis=1, keepdims=True)
    above = rng.random((n_sample, 8))[:, :, None] > probs[profile[rows]].cumsum(axis=1)[:, None, :]
    codes = above.sum(axis=2).clip(0, 4).astype(float)
    codes[rng.random(codes.shape) < 0.1] = np.nan
    answers = pd.DataFrame(codes, columns=[f"c{j}" for j in range(8)], index=pd.Index(rows, name="row_key"))
    return register, answers


def cells_of(register):
    return register.groupby(KEYS).size().rename("headcount").reset_index()


def project(register, answers, seed=0, n_replicates=80):
    frame = register.loc[answers.index].assign(weight=len(register) / len(answers))
    design = survey_design(frame, n_replicates=n_replicates, random_state=seed)
    fit = CompetencyProfiles(3, n_starts=8).fit(answers, sample_weight=design.weights)
    replicates = profile_replicates(fit, answers, design)
    projection = project_staff(fit, answers, frame, cells_of(register), design, replicates=replicates,
                               terms=TERMS)
    return projection, fit, replicates, design


@pytest.fixture(scope="module")
def country():
    register, answers = draw_country(0)
    return register, answers, *project(register, answers)


def a_requirement(role, competencies, level=3, importance=2):
    return pd.DataFrame({"role_id": role, "role_level": "senior", "competency_id": competencies,
                         "required_level": level, "importance": importance})


def test_cells_keep_their_staff_and_profiles_their_direct_totals_in_every_replicate(country):
    register, _, projection, fit, replicates, _ = country
    staff = cells_of(register)["headcount"].to_numpy()
    assert np.allclose(projection.cells.groupby(KEYS)["headcount"].sum(), staff)
    assert np.allclose(projection.cells.groupby("profile")["headcount"].sum(), fit.shares_ * len(register))
    cube = projection.replicate_headcounts.reshape(-1, len(staff), 3)
    assert np.allclose(cube.sum(axis=2), staff)
    assert np.allclose(cube.sum(axis=1), replicates.shares * len(register), atol=1e-4)


def test_order_of_rows_changes_no_bit(country):
    register, answers, projection, fit, replicates, design = country
    again = project_staff(fit, answers.sample(frac=1, random_state=1), register.loc[answers.index[::-1]],
                          cells_of(register).sample(frac=1, random_state=2), design,
                          replicates=replicates, terms=TERMS)
    pd.testing.assert_frame_equal(projection.cells, again.cells, check_exact=True)
    assert np.array_equal(projection.replicate_headcounts, again.replicate_headcounts)


def test_headcounts_of_drawn_populations_lie_in_their_intervals():
    covered, unseen = [], []
    for seed in range(1, 6):
        register, answers = draw_country(seed)
        projection, *_ = project(register, answers, seed)
        truth = register.groupby(["agency_id", "profile"]).size().rename("truth")
        table = projection.headcounts(["agency_id"]).join(truth, on=["agency_id", "profile"])
        inside = (table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])
        covered.append(inside.mean())
        blank = table["agency_id"] == "a00"
        unseen.append(table.loc[blank, "se"].mean() / table.loc[~blank, "se"].mean())
        assert (table.loc[blank, "n"] == 0).all() and (table.loc[~blank, "n"] > 0).all()
    assert 0.88 <= np.mean(covered) <= 1  # 180 intervals, correlated in threes: about 2 points of error
    assert min(unseen) > 1.2  # nobody answered there, so less is known


def test_pooling_beats_the_posterior_means_of_small_agencies():
    errors = []
    for seed in range(5):
        register, answers = draw_country(seed, n_sample=300)  # some 27 respondents an agency
        projection, fit, *_ = project(register, answers, n_replicates=2)
        truth = pd.crosstab(register["agency_id"], register["profile"], normalize="index").iloc[1:]
        model = projection.headcounts(["agency_id"]).pivot(
            index="agency_id", columns="profile", values="estimate")
        model = model.div(model.sum(axis=1), axis=0).iloc[1:]
        direct = pd.DataFrame(fit.predict_proba(answers), columns=[1, 2, 3], index=answers.index)
        direct = direct.groupby(register.loc[answers.index, "agency_id"]).mean()
        errors.append([((table - truth) ** 2).to_numpy().mean() for table in (model, direct)])
    model_error, direct_error = np.mean(errors, axis=0)
    assert model_error < 0.95 * direct_error


def test_a_strong_penalty_gives_every_cell_the_same_mix(country):
    register, answers, _, fit, replicates, design = country
    flat = project_staff(fit, answers, register.loc[answers.index], cells_of(register), design,
                         replicates=replicates, terms=TERMS, penalty=1e-4)
    shares = flat.cells["headcount"] / flat.cells.groupby(KEYS)["headcount"].transform("sum")
    assert np.allclose(shares.to_numpy().reshape(-1, 3), fit.shares_, atol=1e-4)


def test_a_projection_refuses_what_it_cannot_link(country):
    register, answers, projection, fit, replicates, design = country
    people, cells = register.loc[answers.index], cells_of(register)
    with pytest.raises(EstimateError, match="absent: grade"):
        project_staff(fit, answers, people, cells.drop(columns="grade"), design, replicates=replicates,
                      terms=TERMS)
    with pytest.raises(EstimateError, match="covariates lack role_id"):
        project_staff(fit, answers, people.assign(role_id=None), cells, design, replicates=replicates,
                      terms=TERMS)
    with pytest.raises(EstimateError, match="no such column"):
        projection.headcounts(["sex"])


def test_cohorts_are_whole_people_and_every_cell_keeps_its_staff(country):
    register, answers, projection, fit, _, design = country
    requirements = pd.concat([a_requirement(role, answers.columns, 2 + i % 3)
                              for i, role in enumerate(sorted(register["role_id"].unique()))])
    table, shortfalls = cohorts(projection, answers, requirements, fit.predict_proba(answers), design.weights)
    staff = cells_of(register).set_index(KEYS)["headcount"]
    assert table["headcount"].dtype == int and (table["headcount"] > 0).all()
    assert table.groupby(KEYS)["headcount"].sum().equals(staff)
    by_role = ["role_id", "profile"]
    wanted = projection.cells.groupby(by_role)["headcount"].sum()
    assert (table.groupby(by_role)["headcount"].sum() - wanted).abs().max() < 3
    assert table["cohort_id"].is_monotonic_increasing and table["cohort_id"].iloc[0] == "c00001"
    keys = ["role_id", "role_level", "profile", "need_band"]
    sums = shortfalls.groupby([*keys, "competency_id"])["share"].sum()
    assert np.allclose(sums, 1) and len(sums) == 8 * len(shortfalls[keys].drop_duplicates())
    assert set(map(tuple, shortfalls[keys].to_numpy())) == set(map(tuple, table[keys].to_numpy()))
    mixed = answers.sample(frac=1, random_state=3)
    again = cohorts(projection, mixed, requirements, fit.predict_proba(mixed), design.weights)
    pd.testing.assert_frame_equal(table, again[0])
    pd.testing.assert_frame_equal(shortfalls, again[1])


def one_agency(headcounts):
    """A projection of one cell a grade, profile 1 only; head-count by grade."""
    cells = pd.DataFrame({"agency_id": "a", "role_id": "r", "role_level": "senior",
                          "grade": [f"g{i}" for i in range(len(headcounts))], "profile": 1,
                          "headcount": np.asarray(headcounts, dtype=float)})
    return Projection(cells, np.empty((0, len(cells))), pd.DataFrame(), {}, None)


def test_cohorts_by_hand():
    levels = pd.DataFrame({"x": [3.0, 2.9, 1.0, 1.0], "y": [3.0, 3.0, 3.0, np.nan]})
    requirements = pd.concat([a_requirement("r", ["x"], 3, 3), a_requirement("r", ["y"], 3, 1),
                              a_requirement("r", ["z"], 0, 5)])
    # Needs: 0; .1 x 3/4; 2 x 3/4; 2 -> low, low, high, high; weights 1, 1, 1, 1 -> halves.
    table, shortfalls = cohorts(one_agency([10]), levels, requirements, np.ones((4, 1)),
                                pd.Series(np.ones(4)))
    assert table[["need_band", "headcount"]].to_numpy().tolist() == [["low", 5], ["high", 5]]
    found = shortfalls.set_index(["need_band", "competency_id", "shortfall"])["share"].round(9).to_dict()
    assert {(b, c, round(s, 9)): v for (b, c, s), v in found.items()} == {
        ("high", "x", 2.0): 1.0, ("high", "y", 0.0): 1.0,
        ("low", "x", 0.0): 0.5, ("low", "x", 0.1): 0.5, ("low", "y", 0.0): 1.0}


def test_draws_of_levels_count_as_one_respondent_each():
    levels = pd.DataFrame({"x": [3.0, 1.0]})
    requirements, posterior, weights = a_requirement("r", ["x"]), np.ones((2, 1)), pd.Series([3.0, 1.0])
    once = cohorts(one_agency([8]), levels, requirements, posterior, weights)
    twice = cohorts(one_agency([8]), [levels, levels], requirements, posterior, weights)
    pd.testing.assert_frame_equal(once[0], twice[0])
    pd.testing.assert_frame_equal(once[1], twice[1])
    assert once[0].set_index("need_band")["headcount"].to_dict() == {"high": 2, "low": 6}


def test_small_cells_do_not_round_rare_bands_away():
    levels = pd.DataFrame({"x": [3.0] * 9 + [0.0]})
    table, _ = cohorts(one_agency([1] * 50), levels, a_requirement("r", ["x"]), np.ones((10, 1)),
                       pd.Series(np.ones(10)))
    assert table.groupby("need_band")["headcount"].sum().to_dict() == {"high": 5, "low": 45}


def test_cohorts_refuse_halves_of_people_and_unknown_competencies():
    levels = pd.DataFrame({"x": [3.0, 1.0]})
    with pytest.raises(EstimateError, match="whole people"):
        cohorts(one_agency([1.5]), levels, a_requirement("r", ["x"]), np.ones((2, 1)), pd.Series(np.ones(2)))
    with pytest.raises(EstimateError, match="no levels of q"):
        cohorts(one_agency([2]), levels, a_requirement("r", ["q"]), np.ones((2, 1)), pd.Series(np.ones(2)))
    table, shortfalls = cohorts(one_agency([2]), levels, a_requirement("other", ["x"]), np.ones((2, 1)),
                                pd.Series(np.ones(2)))
    assert table["need_band"].tolist() == ["low"] and shortfalls.empty
