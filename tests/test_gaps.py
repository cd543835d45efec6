"""Shortfalls, gaps of tested proficiency and needs of groups: by hand, by a plain loop, against known truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.errors import EstimateError
from skillsgap.estimate.gaps import group_needs, required_levels, skill_gaps
from skillsgap.estimate.gaps import tested_gaps as gaps_of_tested  # pytest takes every name in "test" for a test
from skillsgap.estimate.requirements import derive_requirements
from skillsgap.estimate.survey.design import replicate_design, survey_design

STATISTICS = ["level", "required", "shortfall", "share_below"]


def estimates(table, by=("group", "competency_id", "statistic")):
    return table.set_index(list(by))["estimate"].sort_index()


# --- by hand ----------------------------------------------------------------------------------------------------


def test_gaps_of_five_people_by_hand():
    """Weights 1 1 2 1 1; requirement 3, for the last one 1; the fifth has no level, the fourth no requirement.

    Group x: levels 1, 2, 2.5 (weight 2) against 3: mean level (1 + 2 + 5) / 4, shortfalls 2, 1, 0.5.
    Below is C < 2.5, so that 2.5 itself isn't. Group y: only the last counts, level 4 against 1.
    """
    rows = pd.DataFrame({"weight": [1.0, 1, 2, 1, 1, 1], "group": list("xxxyyy")})
    level = pd.DataFrame({"c": [1.0, 2.0, 2.5, 0.0, np.nan, 4.0]})
    required = pd.DataFrame({"c": [3.0, 3.0, 3.0, np.nan, 3.0, 1.0]})
    table = skill_gaps([level], required, survey_design(rows, n_replicates=50), by=rows["group"], raw=level - 0.5)
    got = estimates(table)
    assert got["x", "c"].to_dict() == pytest.approx({"level": 2.0, "required": 3.0, "shortfall": 1.0,
                                                     "share_below": 0.5, "shortfall_raw": 1.5})
    assert got["y", "c"].to_dict() == {"level": 4.0, "required": 1.0, "shortfall": 0.0, "share_below": 0.0,
                                       "shortfall_raw": 0.0}
    assert table.groupby("group")["n"].unique().map(list).to_dict() == {"x": [3], "y": [1]}
    assert set(table["uncertainty"]) == {"sampling"}


def test_plausible_levels_are_averaged_and_their_spread_is_in_the_error():
    """Draws 2 and 3 of everybody against 3: mean shortfall 1/2, B = 1/2, no sampling variance: se² = 1.5 B."""
    level = pd.DataFrame({"c": [2.0, 2.0, 2.0]})
    design = survey_design(level.assign(weight=1.0), n_replicates=20)
    table = skill_gaps([level, level + 1], level * 0 + 3, design).set_index("statistic")
    assert table.loc["shortfall", "estimate"] == 0.5
    assert table.loc["shortfall", "se"] == pytest.approx(np.sqrt(0.75))
    assert table.loc["shortfall", "ci_low"] == 0  # a shortfall is never negative
    assert table.loc["shortfall", "uncertainty"] == "sampling+measurement"
    assert table.loc["required", "uncertainty"] == "sampling"


def test_a_requirement_of_several_raters_is_their_mean_and_nobody_else_has_one():
    people = pd.DataFrame({"role_id": ["r", "s", None], "role_level": "staff"}, index=[4, 5, 6])
    asked = pd.DataFrame({"role_id": ["r", "r", "s"], "role_level": "staff", "competency_id": ["c", "c", "d"],
                          "required_level": [2.0, 3.0, 1.0]})
    table = required_levels(people, asked, ["c", "d", "e"])
    expected = pd.DataFrame({"c": [2.5, np.nan, np.nan], "d": [np.nan, 1, np.nan], "e": np.nan}, index=[4, 5, 6])
    pd.testing.assert_frame_equal(table, expected, check_names=False)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_what_must_always_hold(seed):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"weight": rng.uniform(0, 5, 30), "group": rng.choice(list("xyz"), 30)})
    draws = [pd.DataFrame(rng.uniform(0, 4, (30, 3)), columns=list("abc")) for _ in range(2)]
    holes = rng.random((30, 3)) < 0.2
    draws = [draw.mask(holes) for draw in draws]
    required = pd.DataFrame(rng.integers(0, 5, (30, 3)), columns=list("abc")).astype(float)
    design = survey_design(rows, n_replicates=20)
    table = skill_gaps(draws, required, design, by=rows["group"])
    assert list(table.columns[:3]) == ["group", "competency_id", "statistic"]
    share = table[table["statistic"] == "share_below"].dropna()
    assert share[["estimate", "ci_low", "ci_high"]].stack().between(-1e-12, 1 + 1e-12).all()
    wide = estimates(table).unstack()
    assert (wide["shortfall"] >= (wide["required"] - wide["level"]) - 1e-9).all()  # max(0, x) is never less than x
    assert (table["se"].dropna() >= 0).all()
    order = rng.permutation(30)
    again = skill_gaps([draw.iloc[order] for draw in draws], required.iloc[order],
                       survey_design(rows.iloc[order], n_replicates=20), by=rows["group"].iloc[order])
    pd.testing.assert_frame_equal(table, again)


# --- tested proficiency against derived requirements ---------------------------------------------------------------


def draw_tested(seed=0, n=240, replicates=6, draws=3):
    """Workers with plausible values, roles (one without requirement) and supplied replicate weights."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"weight": rng.uniform(1, 4, n), "role": rng.choice(list("1239"), n, p=[0.4, 0.3, 0.25, 0.05]),
                         "industry": rng.choice(["O", "P", None], n), "public": rng.random(n) < 0.4,
                         "matched": rng.random(n) < 0.5})
    given = pd.DataFrame(rows["weight"].to_numpy()[:, None] * rng.choice([0.0, 1.0, 2.0], (n, replicates)))
    centre = rng.normal(260, 40, n)
    values = {name: [pd.Series(centre + rng.normal(0, 15, n)) for _ in range(draws)]
              for name in ("literacy", "numeracy")}
    return rows, given, values


def test_tested_gaps_equal_a_plain_loop_over_draws_and_replicates():
    rows, given, values = draw_tested()
    everyone = replicate_design(rows["weight"], given, method="jk2")
    needed = derive_requirements(values, rows["role"], rows["matched"], everyone, minimum=10, exclude=["3"])
    assert needed.loc[needed["required_level"].isna(), "role_id"].unique().tolist() == ["9"]
    public = rows["public"]
    here = {name: [draw[public] for draw in each] for name, each in values.items()}
    table = gaps_of_tested(here, rows["role"][public], needed, everyone.subset(public), by=rows["industry"][public])
    weights = np.column_stack([rows["weight"], given])
    for (group, competency), part in table.groupby(["group", "competency_id"]):
        inside = (public & (rows["industry"] == group) & rows["role"].isin(["1", "2"])).to_numpy()
        stacks = {statistic: np.zeros((3, 7)) for statistic in STATISTICS}
        for m in range(3):
            for r in range(7):
                full = needed.query("competency_id == @competency and plausible_value == @m + 1 and replicate == @r")
                asked = rows["role"].map(full.set_index("role_id")["required_level"])[inside].to_numpy()
                level, w = values[competency][m].to_numpy()[inside], weights[inside, r]
                for statistic, x in (("level", level), ("required", asked), ("shortfall", np.maximum(asked - level, 0)),
                                     ("share_below", level < asked)):
                    stacks[statistic][m, r] = (w * x).sum() / w.sum()
        for row in part.itertuples():
            stack = stacks[row.statistic]
            sampling = ((stack[:, 1:] - stack[:, :1]) ** 2).sum(axis=1).mean()
            variance = sampling + (1 + 1 / 3) * stack[:, 0].var(ddof=1)
            assert row.estimate == pytest.approx(stack[:, 0].mean(), rel=1e-12)
            assert row.se == pytest.approx(np.sqrt(variance), rel=1e-9)
            assert row.n == inside.sum()
            assert row.n_eff == pytest.approx(weights[inside, 0].sum() ** 2 / (weights[inside, 0] ** 2).sum())
    assert set(table["group"]) == {"O", "P"} and set(table["statistic"]) == set(STATISTICS)


def test_workers_without_a_test_are_not_counted():
    rows, given, values = draw_tested()
    values = {name: [draw.mask(draw.index < 20) for draw in each] for name, each in values.items()}
    design = replicate_design(rows["weight"], given, method="jk2")
    needed = derive_requirements(values, rows["role"], rows["matched"], design)
    table = gaps_of_tested(values, rows["role"], needed, design)
    assert (table["n"] == rows["role"].isin(["1", "2", "3"])[20:].sum()).all()
    tested = ~rows.index.isin(range(20))
    again = derive_requirements({name: [draw[tested] for draw in each] for name, each in values.items()},
                                rows["role"][tested], rows["matched"][tested], design.subset(tested))
    pd.testing.assert_frame_equal(needed, again)


def test_nobody_with_a_requirement_is_one_clear_line():
    rows, given, values = draw_tested()
    design = replicate_design(rows["weight"], given, method="jk2")
    needed = derive_requirements(values, rows["role"], rows["matched"], design, minimum=1000)
    with pytest.raises(EstimateError, match="no role has a requirement: lower requirements.derive.minimum"):
        gaps_of_tested(values, rows["role"], needed, design)


# --- needs of groups ---------------------------------------------------------------------------------------------


def test_tiers_hold_what_they_promise_on_known_truth():
    """30 groups with true needs N(1, 0.3²), measured with unequal errors, 100 times: at least 90 % of the groups in
    a tier are truly on its side; and where all are truly alike, next to none stands apart."""
    rng, right, alike = np.random.default_rng(4), [], []
    for _ in range(100):
        se = rng.uniform(0.05, 0.5, 30)
        truth = rng.normal(1, 0.3, 30)
        for true, kept in ((truth, right), (np.ones(30), alike)):
            groups = pd.DataFrame({"group": [f"g{i}" for i in range(30)], "estimate": rng.normal(true, se), "se": se})
            tier = group_needs(groups, "agency_id")["tier"]
            kept += list(np.sign(true[tier == "most"] - 1)) + list(-np.sign(true[tier == "least"] - 1))
    assert len(right) > 500 and np.mean(np.array(right) > 0) > 0.9 - 3 * np.sqrt(0.09 / len(right))
    assert len(alike) < 0.03 * 100 * 30


def test_tiers_don_t_depend_on_the_order_and_are_no_ranking():
    groups = pd.DataFrame({"group": list("dcba"), "estimate": [0.2, 1.0, 1.9, 1.0], "se": 0.1, "n": 30})
    table = group_needs(groups, "region")
    assert table["group"].tolist() == list("dcba")
    assert dict(zip(table["group"], table["tier"], strict=True)) == {
        "a": "between", "b": "most", "c": "between", "d": "least"}
    again = group_needs(groups[::-1], "region")
    pd.testing.assert_frame_equal(table, again.loc[table.index])


def test_a_group_without_estimate_or_error_has_no_tier_and_moves_no_other():
    """One respondent has no standard error, nobody no estimate: 0 and empty are not certainty."""
    groups = pd.DataFrame({"group": list("abcd"), "estimate": [2.0, 0.1, 9.0, np.nan], "se": [0.05, 0.05, 0.0, np.nan]})
    table = group_needs(groups, "agency_id")
    assert table["tier"].tolist() == ["most", "least", "between", "between"]
    assert group_needs(groups[2:], "agency_id")["tier"].tolist() == ["between", "between"]
