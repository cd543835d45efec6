"""Cells of a register and the cohorts made of them, against hand-worked cases and a drawn population."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.workforce.cells import register_cells
from skillsgap.estimate.workforce.cohorts import KEYS, ROLE, cohort_groups, cohorts

NAMES = [f"c{j}" for j in range(6)]
TYPE = [*ROLE, "profile", "need_band"]


def draw_staff(seed, role_sd, n_staff=24_000):
    """Staff with known profile, sex, region and levels; each role moves each competency by its own effect."""
    rng = np.random.default_rng(seed)
    agency, role, level, grade = (rng.integers(0, size, n_staff) for size in (12, 8, 2, 4))
    profile = np.minimum(rng.integers(0, 3, n_staff) + (rng.random(n_staff) < role / 20), 2)
    effects = rng.normal(0, role_sd, (8, len(NAMES)))
    levels = np.array([0.9, 1.9, 2.9])[profile][:, None] + effects[role] + rng.normal(0, 0.5, (n_staff, len(NAMES)))
    staff = pd.DataFrame({
        "agency_id": [f"a{i:02d}" for i in agency], "role_id": [f"r{i}" for i in role],
        "role_level": np.array(["staff", "lead"])[level], "grade": [f"g{i}" for i in grade], "profile": profile + 1,
        "sex": np.where(rng.random(n_staff) < 0.3 + 0.2 * profile, "female", "male"),
        "region": [f"x{i}" for i in agency % 5]})  # fmt: skip
    needed = staff[ROLE].drop_duplicates().sort_values(ROLE).merge(pd.DataFrame({"competency_id": NAMES}), how="cross")
    rank = np.arange(len(needed))
    needed = needed.assign(required_level=2.0 + rank % 3 / 2, importance=1.0 + rank % 2)
    return staff, pd.DataFrame(np.clip(levels, 0, 4), columns=NAMES), needed


def counted(staff, *more):
    """What a projection without error would hold."""
    keys = [*KEYS, *more, "profile"]
    return SimpleNamespace(cells=staff.groupby(keys).size().rename("headcount").astype(float).reset_index())


def sampled(staff, levels, size=3000, seed=1):
    """Respondents: rows, levels, profiles known for sure, weights."""
    rows = np.sort(np.random.default_rng(seed).choice(len(staff), size, replace=False))
    posterior = (staff["profile"].to_numpy()[rows, None] == [1, 2, 3]).astype(float)
    return rows, levels.loc[rows], posterior, pd.Series(len(staff) / size, index=rows)


def true_shortfalls(staff, levels, needed):
    wide = needed.pivot(index=ROLE, columns="competency_id", values="required_level")
    short = (staff[ROLE].join(wide, on=ROLE)[NAMES] - levels).clip(lower=0)
    return short.groupby([staff[name] for name in ROLE]).mean().stack().rename_axis([*ROLE, "competency_id"])


def mean_shortfalls(table, shortfalls):
    """What cohorts say about each role's mean shortfall: the sum a plan works on, over its staff."""
    heads = table.groupby(TYPE)["headcount"].sum().rename("heads")
    means = shortfalls.assign(x=shortfalls["shortfall"] * shortfalls["share"])
    means = means.groupby([*TYPE, "competency_id"])["x"].sum().reset_index().join(heads, on=TYPE)
    sums = means.assign(x=means["x"] * means["heads"]).groupby([*ROLE, "competency_id"])[["x", "heads"]].sum()
    return sums["x"] / sums["heads"]


@pytest.fixture(scope="module")
def country():
    staff, levels, needed = draw_staff(0, 0.35)
    rows, *respondents = sampled(staff, levels)
    made = cohorts(counted(staff), respondents[0], needed, *respondents[1:], roles=staff.loc[rows])
    return staff, levels, needed, respondents, made


def test_cohorts_are_whole_people_every_cell_keeps_its_staff_and_every_role_its_profiles(country):
    staff, _, _, _, (table, shortfalls) = country
    assert table["headcount"].dtype == np.int64 and (table["headcount"] > 0).all()
    assert table.groupby(KEYS)["headcount"].sum().equals(staff.groupby(KEYS).size())
    drift = table.groupby([*ROLE, "profile"])["headcount"].sum() - staff.groupby([*ROLE, "profile"]).size()
    assert drift.abs().max() < 3  # people, of some 500 in a profile of a role
    assert table["cohort_id"].is_monotonic_increasing and table["cohort_id"].is_unique
    sums = shortfalls.groupby([*TYPE, "competency_id"])["share"].sum()
    assert np.allclose(sums, 1) and len(sums) == len(NAMES) * len(shortfalls[TYPE].drop_duplicates())
    assert set(map(tuple, shortfalls[TYPE].to_numpy())) == set(map(tuple, table[TYPE].to_numpy()))


def test_shortfalls_and_need_bands_of_roles_are_those_of_the_drawn_staff(country):
    staff, levels, needed, respondents, made = country
    truth = true_shortfalls(staff, levels, needed)
    plain = cohorts(counted(staff), respondents[0], needed, *respondents[1:])
    moved, same = (np.sqrt(((mean_shortfalls(*each) - truth) ** 2).mean()) for each in (made, plain))
    rows = respondents[0].index
    direct = true_shortfalls(staff.loc[rows], levels.loc[rows], needed)
    assert moved < np.sqrt(((direct - truth) ** 2).mean())  # better than the respondents of each role alone
    assert moved < 0.2 * same  # a profile's levels aren't the same in every role here
    found = made[0].groupby(["role_id", "need_band"])["headcount"].sum().unstack(fill_value=0)
    true = _bands(staff, levels, needed)
    assert (found - true).abs().to_numpy().mean() < 0.01 * len(staff) / 8


def _bands(staff, levels, needed):
    wide = {value: staff[ROLE].join(needed.pivot(index=ROLE, columns="competency_id", values=value), on=ROLE)[NAMES]
            for value in ("required_level", "importance")}  # fmt: skip
    short = (wide["required_level"] - levels).clip(lower=0) * wide["importance"]
    need = short.sum(axis=1) / wide["importance"].sum(axis=1)
    band = pd.cut(need, [-1, 0.25, 0.75, 9], right=False, labels=["low", "mid", "high"]).astype(str)
    return pd.crosstab(staff["role_id"], band.rename("need_band"))


def test_roles_that_do_not_differ_are_left_nearly_as_they_are():
    staff, levels, needed = draw_staff(3, 0.0)
    rows, *respondents = sampled(staff, levels)
    truth = true_shortfalls(staff, levels, needed)
    both = [cohorts(counted(staff), respondents[0], needed, *respondents[1:], roles=roles)
            for roles in (None, staff.loc[rows])]  # fmt: skip
    same, moved = (np.sqrt(((mean_shortfalls(*each) - truth) ** 2).mean()) for each in both)
    assert moved < same + 0.005  # levels; moving what need not be moved costs next to nothing


def test_womens_and_regions_shares_add_up_to_the_staff_of_every_cell(country):
    staff, _, _, _, (table, _) = country
    groups = cohort_groups(table, counted(staff, "sex", "region").cells, ["sex", "region"])
    assert np.allclose(groups.groupby(["cohort_id", "by"])["share"].sum(), 1) and (groups["share"] > 0).all()
    assert groups.groupby("by")["cohort_id"].nunique().eq(len(table)).all()
    people = groups.merge(table[["cohort_id", "headcount", "role_id", "profile", *KEYS[:1]]])
    people = people.assign(people=people["share"] * people["headcount"])
    women = people[people["group"] == "female"].groupby(["role_id", "profile"])["people"].sum()
    true = staff[staff["sex"] == "female"].groupby(["role_id", "profile"]).size()
    assert ((women - true).abs() / np.sqrt(true)).max() < 0.5  # rounding, half of what chance would do
    # a region holds whole agencies here: its staff are exactly theirs
    regions = people[people["by"] == "region"].groupby("group")["people"].sum()
    assert np.allclose(regions, staff.groupby("region").size())


def test_order_of_rows_scale_of_weights_and_rows_without_weight_change_nothing(country):
    staff, _, needed, (levels, posterior, weights), made = country
    mixed = np.random.default_rng(3).permutation(len(levels))
    other = (staff.index.isin(levels.index) == 0).nonzero()[0][:5]  # five more, of no weight
    more = pd.concat([levels.iloc[mixed], levels.iloc[:5].set_axis(other).assign(c0=4.0)])
    members = pd.DataFrame(posterior, levels.index, [1, 2, 3]).reindex(more.index).fillna(1 / 3)
    again = cohorts(SimpleNamespace(cells=counted(staff).cells.sample(frac=1, random_state=2)), more,
                    needed.sample(frac=1, random_state=4), members, weights.reindex(more.index).fillna(0) * 7,
                    roles=staff)  # fmt: skip
    pd.testing.assert_frame_equal(made[0], again[0])
    pd.testing.assert_frame_equal(made[1], again[1], rtol=1e-9)
    twice = cohorts(counted(staff), [levels, levels], needed, posterior, weights, roles=staff)
    pd.testing.assert_frame_equal(made[0], twice[0])


def a_requirement(competencies, level=3.0, importance=2.0):
    return pd.DataFrame({"role_id": "r", "role_level": "senior", "competency_id": competencies,
                         "required_level": level, "importance": importance})  # fmt: skip


def one_agency(headcounts):
    """Cells of one profile, one a grade."""
    grades = [f"g{i:03d}" for i in range(len(headcounts))]
    cells = pd.DataFrame({"agency_id": "a", "role_id": "r", "role_level": "senior", "grade": grades, "profile": 1})
    return SimpleNamespace(cells=cells.assign(headcount=np.asarray(headcounts, dtype=float)))


def test_cohorts_by_hand():
    levels = pd.DataFrame({"x": [3.0, 2.9, 1.0, 1.0], "y": [3.0, 3.0, 3.0, np.nan], "q": np.nan})
    requirements = pd.concat([a_requirement(["x", "q"], 3, 3), a_requirement(["y"], 3, 1), a_requirement(["z"], 0, 5)])
    # needs: 0; .1 x 3/4; 2 x 3/4; 2: low, low, high, high. Nobody's q is known, no z is required
    table, shortfalls = cohorts(one_agency([10]), levels, requirements, np.ones((4, 1)), pd.Series(np.ones(4)))
    assert table[["need_band", "headcount"]].to_numpy().tolist() == [["low", 5], ["high", 5]]
    found = shortfalls.set_index(["need_band", "competency_id", "shortfall"])["share"].round(9).to_dict()
    assert {(b, c, round(s, 9)): v for (b, c, s), v in found.items()} == {
        ("high", "x", 2.0): 1.0, ("high", "y", 0.0): 1.0,
        ("low", "x", 0.0): 0.5, ("low", "x", 0.1): 0.5, ("low", "y", 0.0): 1.0}  # fmt: skip


def test_small_cells_do_not_round_rare_bands_away():
    levels = pd.DataFrame({"x": [3.0] * 9 + [0.0]})
    table, _ = cohorts(one_agency([1] * 50), levels, a_requirement(["x"]), np.ones((10, 1)), pd.Series(np.ones(10)))
    assert table.groupby("need_band")["headcount"].sum().to_dict() == {"high": 5, "low": 45}


def test_a_role_of_which_nothing_is_required_has_low_need():
    levels = pd.DataFrame({"x": [3.0, 1.0]})
    other = a_requirement(["x"]).assign(role_id="other")
    table, shortfalls = cohorts(one_agency([2]), levels, other, np.ones((2, 1)), pd.Series(np.ones(2)))
    assert table["need_band"].tolist() == ["low"] and shortfalls.empty


@pytest.mark.parametrize(("change", "told"), [
    ({"projection": one_agency([1.5])}, "whole people"),
    ({"projection": SimpleNamespace(cells=one_agency([2]).cells.drop(columns="grade"))}, "absent: grade"),
    ({"requirements": a_requirement(["q"])}, "competency q has no column of levels"),
    ({"requirements": a_requirement(["x", "x"])}, "competency x has two rows"),
    ({"requirements": a_requirement(["x"], importance=np.nan)}, "no importance"),
    ({"requirements": a_requirement(["x"], level=5)}, "a requirement over 4"),
    ({"posterior": np.ones((2, 2))}, "2 profiles and the projection 1"),
    ({"posterior": np.ones((3, 1))}, r"posterior \(3 rows\)"),
    ({"weights": pd.Series([1.0])}, "weights: 1 of 2 respondents"),
    ({"weights": pd.Series([0.0, 0.0])}, "or all are 0"),
    ({"roles": pd.DataFrame({"role_id": ["r"], "role_level": ["senior"]})}, "roles must give every respondent"),
    ({"need_bands": (0.5, 0.5)}, "need_bands are"),
])  # fmt: skip
def test_cohorts_refuse_what_they_cannot_work_on(change, told):
    given = {"projection": one_agency([2]), "requirements": a_requirement(["x"]), "posterior": np.ones((2, 1)),
             "levels": pd.DataFrame({"x": [3.0, 1.0]}), "weights": pd.Series(np.ones(2))}  # fmt: skip
    with pytest.raises(EstimateError, match=told):
        cohorts(**given | change)


def test_groups_refuse_other_cells(country):
    table, cells = country[-1][0], counted(country[0], "sex").cells
    with pytest.raises(EstimateError, match="no such column"):
        cohort_groups(table, cells, ["region"])
    with pytest.raises(EstimateError, match="cohort c00001 is of no cell"):
        cohort_groups(table, cells[cells["agency_id"] != "a00"], ["sex"])


def test_a_register_gives_the_same_cells_however_it_is_cut_and_ordered():
    staff, by = draw_staff(5, 0.3, n_staff=5000)[0], [*KEYS, "sex"]
    whole = staff.groupby(by).size().rename("headcount").reset_index()
    pd.testing.assert_frame_equal(register_cells(staff, by), whole)
    mixed = staff.sample(frac=1, random_state=1)
    for size in (3, 640, 5000):
        some = mixed.iloc[:100] if size == 3 else mixed
        chunks = (some.iloc[i : i + size] for i in range(0, len(some), size))
        pd.testing.assert_frame_equal(register_cells(chunks, by), register_cells(some.astype("category"), by))
    cells = whole.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(register_cells([cells[:99], cells[99:]], by), whole)
    parts = [cells.assign(headcount=0.1)] * 3  # three tenths are 0.3, and not 0.30000000000000004
    assert register_cells(parts, by)["headcount"].eq(0.3).all()


@pytest.mark.parametrize(("chunks", "told"), [
    ([], "no rows"),
    ([{"sex": ["f"]}, {"role": ["f"]}], "chunk 2: there is no column sex"),
    ([{"sex": ["f", None]}], r"chunk 1: sex is empty in 1 row"),
    ([{"sex": ["f", ""]}], "sex is empty in 1 row"),
    ([{"sex": ["1"]}, {"sex": [1]}], "chunk 2: sex mixes types"),
    ([{"sex": ["1", 1]}], "chunk 1: sex mixes types"),
    ([{"sex": ["f"]}, {"sex": ["f"], "headcount": [2]}], "chunk 2: headcount mixes types"),
    ([{"sex": ["f"], "headcount": [-2]}], "headcount is -2 in a row"),
    ([{"sex": ["f"], "headcount": [np.nan]}], "headcount is nan in a row"),
    ([{"sex": ["f"], "headcount": ["2"]}], "headcount holds str, no numbers"),
])  # fmt: skip
def test_a_register_that_cannot_be_counted_is_refused(chunks, told):
    with pytest.raises(EstimateError, match=told):
        register_cells(map(pd.DataFrame, chunks), ["sex"])
