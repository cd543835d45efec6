"""Requirements derived from well-matched workers: by definition, by hand, and never from too few."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.errors import EstimateError
from skillsgap.estimate.requirements import derive_requirements, weighted_quantile
from skillsgap.estimate.survey.design import survey_design


def by_definition(values, weights, p):
    """Smallest value whose cumulated weight share reaches p, in exact fractions."""
    total = sum(weights)
    for value in sorted(set(values)):
        if Fraction(sum(w for v, w in zip(values, weights, strict=True) if v <= value), total) >= p:
            return value
    raise AssertionError("a share of one is always reached")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=25),
       st.sampled_from(["0.05", "0.1", "0.25", "0.3", "0.5", "0.7", "0.9", "1"]))
def test_a_weighted_quantile_is_its_definition(rows, p):
    values, weights = zip(*rows, strict=True)
    if not sum(weights):
        return
    # a third and a seventh of whole weights: shares are the same, but no longer exact in floating point
    columns = np.column_stack([np.array(weights) / by for by in (1, 3, 7)])
    got = weighted_quantile(np.array(values, dtype=float), columns, float(p))
    assert got.tolist() == [by_definition(values, weights, Fraction(p))] * 3


def matched(n_by_role, seed=0):
    roles = pd.Series(np.repeat(list(n_by_role), list(n_by_role.values())))
    rows = pd.DataFrame({"weight": np.random.default_rng(seed).uniform(1, 3, len(roles))})
    values = {"literacy": [pd.Series(np.arange(len(roles), dtype=float) + step) for step in (200, 300)]}
    return rows, roles, values


def test_by_hand():
    """Six equal workers of whom one is overskilled: 30 % of five is reached at the second smallest of the rest."""
    rows = pd.DataFrame({"weight": 1.0}, index=range(6))
    values = {"literacy": [pd.Series([250.0, 210, 230, 100, 270, 290])]}
    fit = pd.Series([True, True, True, False, True, True])
    table = derive_requirements(values, pd.Series(["2"] * 6), fit, survey_design(rows, n_replicates=5),
                                quantile=0.3, minimum=5)
    full = table[table["replicate"] == 0]
    assert full[["role_id", "plausible_value", "required_level", "n"]].to_numpy().tolist() == [["2", 1, 230.0, 5]]
    assert table["replicate"].tolist() == list(range(6))


def test_every_plausible_value_and_every_replicate_has_its_own():
    rows, roles, values = matched({"1": 30, "2": 20})
    design = survey_design(rows, n_replicates=7)
    table = derive_requirements(values, roles, pd.Series(True, roles.index), design)
    assert len(table) == 2 * 2 * 8
    for row in table.itertuples():
        inside = (roles == row.role_id).to_numpy()
        weights, level = design.matrix[inside, row.replicate], values["literacy"][row.plausible_value - 1][inside]
        share = pd.Series(weights, level.to_numpy()).cumsum() / weights.sum()
        assert row.required_level == share.index[share >= 0.05 - 1e-12][0]


def test_a_role_with_too_few_has_an_empty_requirement_and_says_how_many():
    rows, roles, values = matched({"1": 30, "2": 9, "0": 30})
    roles[29], rows.loc[0, "weight"] = None, 0.0
    table = derive_requirements(values, roles, pd.Series(True, roles.index), survey_design(rows, n_replicates=3),
                                exclude=[0])
    few = table[table["role_id"] == "2"]
    assert len(few) == 1 and few["required_level"].isna().all() and few["n"].item() == 9
    assert set(table["role_id"]) == {"1", "2"}
    assert (table.loc[table["role_id"] == "1", "n"] == 28).all()  # one has no role, one no weight


def test_nobody_well_matched_is_one_clear_line():
    rows, roles, values = matched({"1": 12})
    with pytest.raises(EstimateError, match="no worker is well matched: check requirements.derive.well_matched"):
        derive_requirements(values, roles, pd.Series(False, roles.index), survey_design(rows, n_replicates=3))
