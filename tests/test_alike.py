"""Joined groups: every plan of the small program is one of the whole program, and the other way round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from skillsgap.decide.alike import joined_groups
from skillsgap.decide.program import Program


def drawn(seed, n_groups=8, n_options=3, exact=False):
    """A program whose groups are of three kinds, with rules and switches that tell kinds and options apart."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n_groups)
    group, option = (grid.ravel() for grid in np.meshgrid(np.arange(n_groups), np.arange(n_options), indexing="ij"))
    coefficient = rng.integers(0, 4, (4, 3, n_options))
    matrix = sparse.csr_array(coefficient[:, kind[group], option].astype(float))
    size = rng.integers(1, 9, n_groups)
    total = matrix @ (size[group] / n_options)
    members = sparse.csr_array((option[None] == np.arange(n_options)[:, None]).astype(float))
    return Program(
        size=size, group=group, value=rng.random(len(group)), matrix=matrix,
        switching=sparse.csr_array(rng.integers(0, 3, (4, n_options)) * [[1.0], [1], [0], [0]]),
        low=np.array([-np.inf, -np.inf, *(total[2:] * 0.4)]), high=np.array([*(total[:2] * 0.9), np.inf, np.inf]),
        row_rule=np.array(list("abcd")), members=members, least=rng.integers(0, 6, n_options).astype(float),
        switch_rule=np.array(["k0", "k1", "k2"]), exact=exact)


def a_plan(program, cost):
    """A plan that keeps a program, by scipy; None if there is none."""
    _, matrix, low, high, least, upper = program.as_milp()
    found = milp(np.concatenate([cost, np.zeros(len(program.least))]), bounds=Bounds(least, upper),
                 constraints=LinearConstraint(matrix, low, high), integrality=np.ones(len(least)))  # fmt: skip
    return np.rint(found.x[:len(program.group)]).astype(np.int64) if found.status == 0 else None


@pytest.mark.parametrize("exact", [False, True])
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000))
def test_the_same_can_be_kept_in_both(seed, exact):
    program = drawn(seed, exact=exact)
    joined = joined_groups(program)
    assert len(joined.program.size) <= 3 and joined.program.size.sum() == program.size.sum()
    cost = np.random.default_rng(seed).random(len(joined.program.group))
    small, whole = a_plan(joined.program, cost), a_plan(program, np.zeros(len(program.group)))
    assert (small is None) == (whole is None)
    if small is not None:
        seats = joined.spread(small)
        assert program.keeps(seats) and seats.sum() == small.sum()
        np.testing.assert_allclose(program.matrix @ seats, joined.program.matrix @ small)
        np.testing.assert_allclose(program.members @ seats, joined.program.members @ small)


def test_numbers_tell_groups_apart():
    program = drawn(1)
    apart = joined_groups(program, [np.arange(len(program.group), dtype=float)])
    assert len(apart.program.size) == len(program.size)
    seats = np.where(np.arange(len(program.group)) % 3 == 0, program.upper, 0)
    np.testing.assert_array_equal(apart.spread(seats[apart.columns]), seats)


def test_groups_without_columns_and_programs_without_groups():
    program = drawn(2)
    bare = joined_groups(program.only(np.zeros(0, dtype=int)))
    assert len(bare.program.size) == 1 and bare.spread(np.zeros(0, dtype=np.int64)).tolist() == []
