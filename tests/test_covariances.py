"""Covariance models of Gaussian profiles, held against brute force, published tables and planted faults."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.agglomeration import agglomerated
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.covariances import MODELS, constrained, degenerate, n_covariance_parameters
from skillsgap.estimate.profiles.gaussian import select_covariance

ITERATIVE = ("VEI", "VEE", "EVE", "VVE", "VEV")

# mclust 5's BIC of iris (as printed in its documentation, sign turned), 2 and 3 profiles
IRIS = {"EII": (1123.4117, 878.7650), "VII": (1012.2352, 853.8144), "EEI": (1042.9679, 813.0504),
        "VEI": (956.2823, 779.1566), "EVI": (1007.3082, 797.8342), "VVI": (857.5515, 744.6382),
        "EEE": (688.0972, 632.9647), "VEE": (656.3270, 605.3982), "EVV": (658.3306, 656.0359),
        "VVV": (574.0178, 580.8396), "VEV": (561.7285, 562.5522)}  # fmt: skip


def drawn(seed, n_profiles=3, d=3, runs=2):
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(n_profiles, runs, d, d)) * rng.uniform(0.5, 3, (n_profiles, runs, 1, d))
    counts = rng.uniform(20, 80, (n_profiles, runs))
    return counts, shape @ np.swapaxes(shape, -1, -2) * counts[..., None, None]


def expected_loglik(counts, scatter, covariances):
    inside = np.trace(np.linalg.solve(covariances, scatter), axis1=-2, axis2=-1)
    return -0.5 * (counts * np.linalg.slogdet(covariances)[1] + inside).sum(axis=0)


def of_parameters(model, free, n_profiles, d):
    """Any covariances of a model from unconstrained numbers: log-volumes, log-shapes, rotation vectors (d = 3)."""
    free = iter(free)

    def taken(letter, size):
        held = {"I": np.zeros((1, size)), "E": 1, "V": n_profiles}[letter]
        rows = held if letter == "I" else np.array([[next(free) for _ in range(size)] for _ in range(held)])
        return np.tile(rows, (n_profiles // len(rows), 1))

    volume, shape = taken(model[0], 1), taken(model[1], d - 1)
    shape = np.column_stack([shape, -shape.sum(axis=1)])
    axes = Rotation.from_rotvec(taken(model[2], 3)).as_matrix()
    return (axes * np.exp(volume + shape)[:, None, :]) @ np.swapaxes(axes, 1, 2), list(free)


@pytest.mark.parametrize("model", MODELS)
def test_no_covariances_of_the_model_do_better_against_scipy(model):
    """A quasi-Newton search over every free parameter, from several starts, never beats the M step."""
    counts, scatter = drawn(1)
    ours = expected_loglik(counts, scatter, constrained(model, counts, scatter))[0]
    n_free, rng = n_covariance_parameters(model, 3, 3), np.random.default_rng(2)

    def cost(free):
        covariances, unused = of_parameters(model, free, 3, 3)
        assert not unused  # the published number of parameters is what the parametrisation takes
        return -expected_loglik(counts[:, 0], scatter[:, 0], covariances)

    best = -min(minimize(cost, rng.normal(size=n_free), method="BFGS").fun for _ in range(4))
    assert ours >= best - 1e-4
    if model not in ("EVE", "VVE"):  # these two may have several maxima, the others have one
        assert ours == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_volume_shape_and_orientation_are_equal_where_the_model_says_so(model):
    covariances = constrained(model, *drawn(3, n_profiles=4))
    volume, shape, orientation = model
    values = np.linalg.eigvalsh(covariances)
    size = np.exp(np.log(values).mean(axis=-1))
    assert (np.ptp(size, axis=0).max() < 1e-9 * size.max()) == (volume == "E")
    form = values / size[..., None]
    if orientation != "I":
        assert (np.ptp(form, axis=0).max() < 1e-9 * form.max()) == (shape == "E")
        twisted = [np.abs(a @ b - b @ a).max() for a, b in itertools.combinations(covariances, 2)]
        assert (max(twisted) < 1e-9 * np.abs(covariances).max() ** 2) == (orientation == "E")
    else:
        assert np.abs(covariances * (1 - np.eye(3))).max() == 0
        assert (np.abs(form - 1).max() < 1e-9) == (shape == "I")


def test_runs_together_are_the_runs_one_by_one():
    counts, scatter = drawn(4, runs=5)
    for model in MODELS:
        single = np.stack([constrained(model, counts[:, r], scatter[:, r]) for r in range(5)], axis=1)
        # Runs of one batch all go on until the last has settled.
        apart = 1e-4 if model in ITERATIVE else 1e-13
        assert np.abs(constrained(model, counts, scatter) - single).max() < apart * np.abs(single).max()


@pytest.mark.parametrize("model", ITERATIVE)
def test_from_the_step_before_no_step_goes_downhill(model):
    counts, scatter = drawn(5)
    covariances = constrained(model, *drawn(6))  # of other data: far from the best
    heights = [expected_loglik(counts, scatter, covariances)]
    for _ in range(200):
        covariances = constrained(model, counts, scatter, previous=covariances)
        heights.append(expected_loglik(counts, scatter, covariances))
    assert np.diff(heights, axis=0).min() > -1e-7
    if model not in ("EVE", "VVE"):
        cold = constrained(model, counts, scatter)
        assert heights[-1] == pytest.approx(expected_loglik(counts, scatter, cold), abs=1e-4)


def test_numbers_of_parameters_are_the_published_ones():
    """Celeux and Govaert (1995), table 1, for 3 profiles of 4 variables; Browne and McNicholas (2014) for EVE, VVE."""
    published = {"EII": 1, "VII": 3, "EEI": 4, "VEI": 6, "EVI": 10, "VVI": 12, "EEE": 10, "VEE": 12, "EVE": 16,
                 "VVE": 18, "EEV": 22, "VEV": 24, "EVV": 28, "VVV": 30}  # fmt: skip
    assert {model: n_covariance_parameters(model, 3, 4) for model in MODELS} == published
    with pytest.raises(EstimateError, match="XYZ"):
        n_covariance_parameters("XYZ", 3, 4)


def test_a_profile_on_one_row_has_a_covariance_and_is_called_degenerate():
    counts, scatter = drawn(7)
    counts[0], scatter[0] = 1, 0
    for model in MODELS:
        covariances = constrained(model, counts, scatter)
        assert np.linalg.eigvalsh(covariances).min() > 0
        assert degenerate(model, counts, covariances).all() == ("V" in model)
    assert not degenerate("VVV", *(lambda c, s: (c, constrained("VVV", c, s)))(*drawn(8))).any()


def test_agglomeration_finds_planted_groups_whatever_the_rows_order():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [30, 0], [0, 500.0]])
    values = np.repeat(centres, 30, axis=0) + rng.normal(size=(90, 2)) * [1, 10]
    order = rng.permutation(90)
    labels = agglomerated(values[order], np.ones(90), 3)[:, 2]
    assert pd.crosstab(labels, order // 30).gt(0).sum(axis=1).eq(1).all()
    twice = agglomerated(np.vstack([values, values]), np.ones(180), 3)
    assert (twice[:90] == agglomerated(values, np.full(90, 2.0), 3)).all()
    assert (twice[:90] == twice[90:]).all()


@pytest.mark.parametrize("model", list(IRIS))
def test_iris_reaches_the_published_bic_of_every_model(model):
    rows = load_iris(as_frame=True).data
    kinds = dict.fromkeys(rows, "continuous")
    for n_profiles, published in zip((2, 3), IRIS[model], strict=True):
        fit = CompetencyProfiles(n_profiles, kinds=kinds, covariance=model, order="share", n_starts=5).fit(rows)
        assert fit.bic(rows) <= published + 1e-3
        assert not fit.degenerate_


def test_the_likelihood_is_that_of_scipy_normals():
    rows = load_iris(as_frame=True).data
    fit = CompetencyProfiles(3, kinds=dict.fromkeys(rows, "continuous"), covariance="VVE", n_starts=2).fit(rows)
    joint = [share * multivariate_normal(mean, covariance).pdf(rows) for share, mean, covariance in
             zip(fit.shares_, fit.means_.to_numpy(), fit.covariances_, strict=True)]  # fmt: skip
    assert fit.loglik_ == pytest.approx(np.log(np.sum(joint, axis=0)).sum(), abs=1e-6)


def test_choice_over_all_models_is_the_published_one():
    table = select_covariance(load_iris(as_frame=True).data, MODELS, range(1, 5))
    assert table.loc[:1, ["model", "n_profiles"]].to_numpy().tolist() == [["VEV", 2], ["VEV", 3]]
    assert table.loc[:1, "bic"].to_list() == pytest.approx([561.7285, 562.5522], abs=2e-3)


def test_rounded_values_lure_no_choice_into_a_spike():
    """29 setosa have a petal width of exactly 0.2: a plane of them would raise the likelihood at will."""
    rows = load_iris(as_frame=True).data
    table = select_covariance(rows, ["VEV", "VVV"], [2, 3, 4], n_starts=20)
    assert table.loc[0, ["model", "n_profiles"]].tolist() == ["VEV", 2]
    assert table.loc[0, "bic"] == pytest.approx(561.7285, abs=1e-3)
    assert not table["degenerate"].any()
