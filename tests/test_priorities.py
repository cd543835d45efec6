"""Priorities: P(among the first k) against a brute-force simulation of the posterior, factors, ties, gaps in data."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.estimate.priorities import rank_priorities
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.survey.means import group_means

ALL = ("shortfall", "importance", "headcount")
DRAWS = 4000


def draw_shortfalls(seed=0, n=150, draws=3):
    """Shortfalls of 150 people in six competencies, people alike in all of them, with plausible values."""
    rng = np.random.default_rng(seed)
    centre = np.array([1.0, 0.95, 0.8, 0.78, 0.5, 0.2])
    person = rng.normal(0, 0.4, (n, 1))
    true = centre + person + rng.normal(0, 0.6, (n, 6))
    frames = [pd.DataFrame(np.maximum(true + rng.normal(0, 0.2, (n, 6)), 0), columns=list("abcdef"))
              for _ in range(draws)]
    design = survey_design(pd.DataFrame({"weight": rng.uniform(1, 3, n)}), n_replicates=100)
    return group_means(frames, design), design


def series(**values):
    return pd.Series(values, dtype=float)


IMPORTANCE = series(a=3, b=3, c=4, d=4, e=5, f=2)
PEOPLE = series(a=900, b=1000, c=900, d=1000, e=1000, f=1000)


def by_brute_force(means, design, factor, top, n=200_000):
    """Exchangeable normal means with their joint error: shrink, draw, count. Nothing of the package is used."""
    estimate, sampling = means.full[:, 0].mean(axis=0), np.zeros((6, 6))
    for draw in range(3):
        for scale, replicate in zip(design.scales, means.replicates[draw, :, 0], strict=True):
            deviation = replicate - means.full[draw, 0]
            sampling += scale * np.outer(deviation, deviation) / 3
    between_draws = np.cov(means.full[:, 0], rowvar=False)
    error = sampling + (1 + 1 / 3) * between_draws
    spread = max(estimate.var(ddof=1) - np.trace(error) / 6, 0)
    precision = np.linalg.inv(error) + np.eye(6) / spread  # prior N(mean, spread), error known
    covariance = np.linalg.inv(precision)
    centre = covariance @ (np.linalg.solve(error, estimate) + estimate.mean() / spread)
    noise = np.random.default_rng(99).standard_normal((n, 6))
    drawn = np.maximum(centre + noise @ np.linalg.cholesky(covariance).T, 0) * factor
    first = np.argpartition(-drawn, top - 1, axis=1)[:, :top]
    return centre, np.bincount(first.ravel(), minlength=6) / n


@pytest.mark.parametrize("top", [1, 3])
def test_probability_of_being_among_the_first_against_brute_force(top):
    means, design = draw_shortfalls()
    table = rank_priorities(means, design, IMPORTANCE, PEOPLE, top=top, factors=ALL, n_draws=DRAWS)
    table = table.set_index("competency_id").loc[list("abcdef")]
    centre, p = by_brute_force(means, design, (IMPORTANCE * PEOPLE).to_numpy(), top)
    np.testing.assert_allclose(table["shortfall"], centre, rtol=1e-9)
    np.testing.assert_allclose(table["estimate"], centre * IMPORTANCE * PEOPLE, rtol=1e-9)
    assert (np.abs(table["p_top"] - p) < 4 * np.sqrt(p * (1 - p) / DRAWS) + 1e-3).all()
    assert table["p_top"].sum() == pytest.approx(top)
    assert 0.05 < np.median(p) < 0.95 or top == 1


def test_shortfalls_are_shrunken_towards_their_mean():
    means, design = draw_shortfalls()
    table = rank_priorities(means, design, IMPORTANCE, PEOPLE, factors=ALL).set_index("competency_id")["shortfall"]
    raw = pd.Series(means.full.mean(axis=0)[0], index=list("abcdef"))
    assert table.max() < raw.max() and table.min() > raw.min()
    assert table.mean() == pytest.approx(raw.mean(), rel=0.02)


@pytest.mark.parametrize("factors", [ALL, ("shortfall",), ("importance", "headcount"), ("headcount",), ()])
def test_every_factor_can_be_switched_off(factors):
    means, design = draw_shortfalls()
    table = rank_priorities(means, design, IMPORTANCE, PEOPLE, factors=factors).set_index("competency_id")
    expected = pd.Series(1.0, table.index)
    for factor, values in (("shortfall", table["shortfall"]), ("importance", IMPORTANCE), ("headcount", PEOPLE)):
        expected *= values if factor in factors else 1.0
    pd.testing.assert_series_equal(table["estimate"], expected, check_names=False)
    pd.testing.assert_series_equal(table["importance"], IMPORTANCE[table.index], check_names=False)
    if "shortfall" not in factors:  # nothing uncertain is left but the lot among those that tie
        ahead = np.array([(expected > own).sum() for own in expected])
        tied = np.array([np.isclose(expected, own).sum() for own in expected])
        p = np.clip((3 - ahead) / tied, 0, 1)
        assert (np.abs(table["p_top"] - p) <= 4 * np.sqrt(p * (1 - p) / 4000)).all()


def test_ties_are_broken_by_lot_and_tiers_are_no_ranking():
    means, design = draw_shortfalls()
    table = rank_priorities(means, design, IMPORTANCE, PEOPLE, factors=())
    assert table["competency_id"].tolist() == list("abcdef") and (table["tier"] == "next").all()
    assert np.abs(table["p_first"] - 1 / 6).max() < 4 * np.sqrt(1 / 6 * 5 / 6 / 4000)
    table = rank_priorities(means, design, IMPORTANCE, PEOPLE, factors=ALL)
    for _, part in table.groupby("tier"):
        assert part["competency_id"].is_monotonic_increasing
    assert table["tier"].map(["first", "next", "later"].index).is_monotonic_increasing
    tier = np.select([table["p_top"] >= 0.8, table["p_top"] >= 0.2], ["first", "next"], "later")
    assert (table["tier"] == tier).all()


def test_the_seed_decides_the_draws():
    means, design = draw_shortfalls()
    one, same, other = (rank_priorities(means, design, IMPORTANCE, PEOPLE, factors=ALL, random_state=seed)
                        for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one["p_top"].equals(other["p_top"])


def test_a_competency_nobody_s_role_asks_for_has_no_priority_and_changes_no_other():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.uniform(0, 2, (60, 3)), columns=list("abc"))
    design = survey_design(frame.assign(weight=1.0), n_replicates=30)
    given = (series(a=3, b=2, c=4), series(a=10, b=10, c=10))
    plain = rank_priorities(group_means([frame], design), design, *given, factors=ALL, top=1)
    empty = group_means([frame.assign(unasked=np.nan)], design)
    pd.testing.assert_frame_equal(rank_priorities(empty, design, *given, factors=ALL, top=1), plain)
    one = rank_priorities(group_means([frame[["a"]]], design), design, *given, factors=ALL, top=1)
    assert one[["competency_id", "p_top"]].to_numpy().tolist() == [["a", 1.0]]


def test_where_all_shortfalls_are_alike_nothing_comes_first():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(1, 0.5, (40, 8)), columns=list("abcdefgh"))
    frame += 1 - frame.mean()
    design = survey_design(frame.assign(weight=1.0), n_replicates=60)
    ones = pd.Series(1.0, frame.columns)
    table = rank_priorities(group_means([frame], design), design, ones, ones, factors=ALL, top=2)
    assert np.allclose(table["shortfall"], 1) and not (table["tier"] == "first").any()
