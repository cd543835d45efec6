"""Projection to the register, against post-stratification, statsmodels, drawn populations and what must always hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse, stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.workforce.pooled import fit_pooled, softmax
from skillsgap.estimate.workforce.projection import project_staff

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


def known_profiles(seed, sizes, sampled, fraction=True):
    """Agencies whose sampled staff tell their profile (1, 2) without doubt."""
    rng = np.random.default_rng(seed)
    register = pd.DataFrame({"agency_id": np.repeat([f"a{i}" for i in range(len(sizes))], sizes)})
    register["profile"] = 1 + (rng.random(len(register)) < np.repeat([0.3, 0.5, 0.6][:len(sizes)], sizes))
    place = register.groupby("agency_id").cumcount().to_numpy()
    rows = register[place < np.repeat(sampled, sizes)].rename_axis("row_key")
    rows = rows.assign(weight=np.repeat(np.divide(sizes, sampled), sampled), fpc=np.repeat(sizes, sampled))
    design = survey_design(rows if fraction else rows.drop(columns="fpc"), stratum="agency_id", n_replicates=1000)
    answers = pd.DataFrame({f"c{j}": rows["profile"] * 1.0 for j in range(12)})
    fit = CompetencyProfiles(2, n_starts=2).fit(answers, sample_weight=design.weights)
    return register, rows, answers, fit, profile_replicates(fit, answers, design), design


def test_cells_keep_their_staff_and_profiles_their_direct_totals(country):
    register, _, projection, fit, *_ = country
    staff = cells_of(register)["headcount"].to_numpy()
    assert np.allclose(projection.cells.groupby(KEYS)["headcount"].sum(), staff)
    assert np.allclose(projection.cells.groupby("profile")["headcount"].sum(), fit.shares_ * len(register))
    for r in (0, 1, 80):
        assert np.allclose(projection.counts.run(r).sum(axis=1), staff)


def test_probabilities_of_every_replicate_meet_its_direct_shares(country):
    register, _, projection, _, replicates, _ = country
    staff, counts = cells_of(register)["headcount"].to_numpy(), projection.counts
    for r in (1, 40, 80):
        shares = staff @ softmax(counts.where @ counts.coefs[r].T) / len(register)
        assert np.allclose(shares, replicates.shares[r - 1], atol=1e-3)  # the stretch: bootstrap noise of fractions


def test_order_of_rows_changes_no_bit(country):
    register, answers, projection, fit, replicates, design = country
    again = project_staff(fit, answers.sample(frac=1, random_state=1), register.loc[answers.index[::-1]],
                          cells_of(register).sample(frac=1, random_state=2), design,
                          replicates=replicates, terms=TERMS)
    pd.testing.assert_frame_equal(projection.headcounts(["agency_id"]), again.headcounts(["agency_id"]),
                                  check_exact=True)
    pd.testing.assert_frame_equal(projection.cells, again.cells, check_exact=True)


def test_a_register_of_persons_is_one_of_cells(country):
    register, answers, projection, fit, replicates, design = country
    again = project_staff(fit, answers, register.loc[answers.index], register[KEYS], design, replicates=replicates,
                          terms=TERMS)
    pd.testing.assert_frame_equal(projection.cells, again.cells, check_exact=True)


def test_known_profiles_without_pooling_are_statsmodels_multinomial_logit():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 3, 600), rng.integers(0, 2, 600)
    chance = softmax(np.array([[0, 0.5, -0.5], [0.4, 0, 0], [0, -1, 0.6]])[codes[0]] + codes[1][:, None] * [0, 0.5, 1])
    profile = (rng.random((600, 1)) > chance.cumsum(axis=1)).sum(axis=1)
    columns = np.column_stack([np.ones(600), *(codes[0] == i for i in range(3)), *(codes[1] == i for i in range(2))])
    owner = np.array([-1, 0, 0, 0, 1, 1])
    made = fit_pooled(sparse.csr_matrix(columns), np.eye(3)[profile], np.ones(600), owner, np.full(3, 1 / 3), 1e3)
    there = sm.MNLogit(profile, columns[:, [0, 2, 3, 5]]).fit(disp=0, tol=1e-12)
    assert np.allclose(softmax(columns @ made.coefs.T), there.predict(), atol=1e-5)


def test_spreads_are_those_planted():
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        agency, sds = np.repeat(np.arange(40), 60), np.array([0.8, 0.4, 0.2])
        chance = softmax(rng.normal(0, sds, (40, 3))[agency])
        profile = (rng.random((len(agency), 1)) > chance.cumsum(axis=1)).sum(axis=1)
        people = sparse.csr_matrix(np.column_stack([np.ones(len(agency)), agency[:, None] == np.arange(40)]))
        owner = np.repeat([-1, 0], [1, 40])
        made = fit_pooled(people, np.eye(3)[profile], np.ones(len(agency)), owner, np.full(3, 1 / 3))
        found.append([made.spread[0], *(made.sd[0] * made.ratio[0])])
    rms, first, second, third = np.mean(found, axis=0)
    assert rms == pytest.approx(np.sqrt((sds**2).mean()), rel=0.1)  # 12 draws of 40 agencies: 4 % of error
    assert first == pytest.approx(0.8, rel=0.15) and first > second > third


def test_known_profiles_without_pooling_are_post_stratified_with_the_textbook_error():
    sizes, sampled = np.array([400, 90, 60]), np.array([100, 60, 15])
    for fraction in (True, False):  # a fraction that replicates know or don't changes nothing: it is in the cells
        register, rows, answers, fit, replicates, design = known_profiles(1, sizes, sampled, fraction)
        cells = register.groupby("agency_id").size().rename("headcount").reset_index()
        made = project_staff(fit, answers, rows, cells, design, replicates=replicates, terms=["agency_id"],
                             penalty=30.0)
        table = made.headcounts(["agency_id"]).query("profile == 2")
        share = rows.groupby("agency_id")["profile"].mean().to_numpy() - 1
        assert np.allclose(table["estimate"], sizes * share, rtol=1e-3)
        textbook = sizes * np.sqrt((1 - sampled / sizes) * share * (1 - share) / sampled)
        assert np.allclose(table["se"], textbook, rtol=0.1)  # 1,000 replicates, and pooling's draw


def test_a_census_of_known_profiles_is_counted_without_error():
    register, rows, answers, fit, replicates, design = known_profiles(2, [40, 30, 12], [40, 30, 12], False)
    cells = register.groupby("agency_id").size().rename("headcount").reset_index()
    table = project_staff(fit, answers, rows, cells, design, replicates=replicates, terms=["agency_id"]).headcounts(
        ["agency_id"])
    truth = register.groupby(["agency_id", "profile"]).size().to_numpy()
    assert np.allclose(table["estimate"], truth, atol=1e-4) and (table["se"] < 1e-3).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_agencies_of_one_profile_each_are_told_as_such():
    register, rows, answers, *_ = known_profiles(3, [400, 90, 60], [100, 60, 15], False)
    only = {"a0": 1, "a1": 2, "a2": 2}  # an agency tells the profile: no finite effect fits best
    rows = rows.drop(columns="fpc").assign(profile=rows["agency_id"].map(only))
    answers = answers.mul(0).add(rows["profile"] * 1.0, axis=0)
    design = survey_design(rows, n_replicates=80)
    fit = CompetencyProfiles(2, n_starts=2).fit(answers, sample_weight=design.weights)
    cells = register.groupby("agency_id").size().rename("headcount").reset_index()
    table = project_staff(fit, answers, rows, cells, design, replicates=profile_replicates(fit, answers, design),
                          terms=["agency_id"]).headcounts(["agency_id"])
    assert np.allclose(table["estimate"], [400, 0, 0, 90, 0, 60], atol=3)
    none = table[table["profile"] != table["agency_id"].map(only)]
    # none of the sampled: Clopper and Pearson's limit of all staff is the longest that could be said, 1 % the shortest
    upper = stats.beta.ppf(0.975, 1, [100, 60, 15]) * [400, 90, 60]
    assert (none["ci_low"] == 0).all() and (none["ci_high"] <= upper + 0.5).all()
    assert (none["ci_high"] >= [4, 1, 1]).all()


def test_headcounts_of_drawn_populations_lie_in_their_intervals():
    covered, unseen = [], []
    for seed in range(1, 6):
        register, answers = draw_country(seed)
        projection, *_ = project(register, answers, seed)
        truth = register.groupby(["agency_id", "profile"]).size().rename("truth")
        table = projection.headcounts(["agency_id"]).join(truth, on=["agency_id", "profile"])
        assert (table[["ci_low", "ci_high"]] % 1 == 0).all().all()  # whole people
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


def test_without_a_register_it_speaks_for_the_population_of_the_survey(country):
    register, answers, _, fit, replicates, design = country
    people = register.loc[answers.index, KEYS]
    made = project_staff(fit, answers, people, None, design, replicates=replicates, terms=TERMS)
    assert made.population == "survey" and list(made.cells)[:-2] == KEYS
    whole = made.headcounts([])
    assert np.allclose(whole["estimate"], fit.shares_ * design.weights.sum())
    totals = replicates.shares * design.replicate_weights.sum(axis=0)[:, None]
    assert np.allclose(whole["se"], np.sqrt(design.variance(whole["estimate"].to_numpy(), totals)))
    other = replace(design, centre="replicate_mean")
    assert np.allclose(replace(made, design=other).headcounts([])["se"],
                       np.sqrt(other.variance(whole["estimate"].to_numpy(), totals)))
    by = made.headcounts(["agency_id"])
    weighed = design.weights.groupby(people["agency_id"]).sum()
    assert np.allclose(by.groupby("agency_id")["estimate"].sum(), weighed)
    flat = project_staff(fit, answers, people, None, design, replicates=replicates, terms=TERMS, penalty=1e-4)
    shares = flat.cells["headcount"] / flat.cells.groupby(KEYS)["headcount"].transform("sum")
    assert np.allclose(shares.to_numpy().reshape(-1, 3), fit.shares_, atol=1e-4)  # so strong that all mixes are one


def test_interactions_are_terms_and_scaling_weights_changes_nothing(country):
    register, answers, _, fit, replicates, design = country
    people, cells = register.loc[answers.index], cells_of(register)
    double = survey_design(people.assign(weight=1.0), n_replicates=80)
    one, two = (project_staff(fit, answers, people, cells, design, replicates=replicates, terms=["agency_id:grade"])
                .headcounts(["agency_id"]) for design in (design, double))
    pd.testing.assert_frame_equal(one, two)


def test_a_projection_refuses_what_it_cannot_link(country):
    register, answers, projection, fit, replicates, design = country
    people, cells = register.loc[answers.index], cells_of(register)
    with pytest.raises(EstimateError, match="no column grade"):
        project_staff(fit, answers, people, cells.drop(columns="grade"), design, replicates=replicates,
                      terms=TERMS)
    with pytest.raises(EstimateError, match="no staff"):
        project_staff(fit, answers, people, cells.assign(headcount=0), design, replicates=replicates, terms=TERMS)
    with pytest.raises(EstimateError, match="covariates lack role_id"):
        project_staff(fit, answers, people.assign(role_id=None), cells, design, replicates=replicates,
                      terms=TERMS)
    with pytest.raises(EstimateError, match="no such column"):
        projection.headcounts(["sex"])
    with pytest.raises(EstimateError, match="more than 6000 effects"):
        everybody = pd.Series(answers.index.astype(str), answers.index)
        many = pd.concat([people.assign(agency_id=everybody + f"x{i}") for i in range(3)])
        codes = pd.concat([answers] * 3).set_axis(range(len(many)))
        rows = many.set_axis(range(len(many))).assign(weight=1.0)
        project_staff(fit, codes, rows, rows[KEYS], survey_design(rows, n_replicates=80), replicates=replicates,
                      terms=TERMS)
