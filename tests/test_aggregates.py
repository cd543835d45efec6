"""Published shares and means: by hand, against the same numbers from microdata, and errors against simulated truth."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import check
from skillsgap.errors import EstimateError
from skillsgap.estimate.aggregates import published_gaps, published_means
from skillsgap.estimate.gaps import required_levels, skill_gaps
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.survey.means import design_means

NEEDS = pd.DataFrame({"role_id": list("rrs"), "role_level": ["staff", "senior", "staff"], "competency_id": "c",
                      "required_level": [2.0, 4.0, 1.0]})  # fmt: skip


def rows(*values, **constant):
    """Aggregates from (role_id, level, estimate); a statistic is level_share unless said."""
    table = pd.DataFrame(values, columns=["role_id", "level", "estimate"])
    base = {"by": "all", "group": "all", "competency_id": "c", "statistic": "level_share", "role_level": "staff"}
    return table.assign(**{**base, **constant})


def estimates(table):
    return table.set_index("statistic")["estimate"].to_dict()


# --- by hand ----------------------------------------------------------------------------------------------------


def test_a_distribution_against_its_requirement_by_hand():
    """Levels 0, 2, 3 of a half, a quarter, a quarter, 100 respondents, against 2: mean level 1.25, shortfall 2 × 0.5.

    Variances: level 0.25 × 4 + 0.25 × 9 - 1.25² = 1.6875; shortfall 4 × 0.5 - 1 = 1; below 0.25; each over 100.
    """
    table = published_gaps(rows(("r", 0, 0.5), ("r", 2, 0.25), ("r", 3, 0.25), n=100), NEEDS).set_index("statistic")
    assert table["estimate"].to_dict() == {"level": 1.25, "required": 2.0, "shortfall": 1.0, "share_below": 0.5}
    assert table["se"].to_dict() == pytest.approx({"level": np.sqrt(0.016875), "required": 0.0,
                                                   "shortfall": 0.1, "share_below": 0.05})
    assert table.loc["shortfall", "ci_low"] == pytest.approx(1 - 0.1959964)
    odds = np.exp(0.1959964 / 0.5)  # a share of a half is symmetric on the logit scale
    assert table.loc["share_below", "ci_high"] == pytest.approx(odds / (1 + odds))
    assert (table["n"] == 100).all() and (table["n_eff"] == 100).all() and set(table["uncertainty"]) == {"sampling"}


def test_two_roles_by_n_and_by_headcount_by_hand():
    """r: all at 0 against 2; s: all at 1 against 1. One in four by n, one in two by head-count."""
    both = rows(("r", 0, 1.0), ("s", 1, 1.0)).assign(n=[20, 60])
    assert estimates(published_gaps(both, NEEDS)) == {"level": 0.75, "required": 1.25, "shortfall": 0.5,
                                                      "share_below": 0.25}
    staff = pd.DataFrame({"role_id": ["s", "r", "r"], "role_level": ["staff", "staff", "senior"],
                          "headcount": [300, 300, 900]})
    by_staff = published_gaps(both, NEEDS, headcounts=staff)
    assert estimates(by_staff) == {"level": 0.5, "required": 1.5, "shortfall": 1.0, "share_below": 0.5}
    assert (by_staff["se"] == 0).all()  # nobody differs from their role, and the mix of roles is known
    # by n the mix is a share of 80 respondents: 0.25 × 0.75 / 80, times the distance between the roles
    se = published_gaps(both, NEEDS).set_index("statistic")["se"]
    assert se.to_dict() == pytest.approx({name: size * np.sqrt(0.25 * 0.75 / 80) for name, size in
                                          {"level": 1, "required": 1, "shortfall": 2, "share_below": 1}.items()})


def test_a_mean_has_a_level_and_a_requirement_and_no_shortfall():
    one = rows(("r", np.nan, 1.75), statistic="mean", ci_low=1.55, ci_high=1.95)
    table = published_gaps(one, NEEDS).set_index("statistic")
    assert table.loc["level", ["estimate", "ci_low", "ci_high"]].tolist() == [1.75, 1.55, 1.95]
    assert table.loc["level", "se"] == pytest.approx(0.2 / 1.959964, rel=1e-6)
    assert table.loc["required", ["estimate", "se", "ci_low"]].tolist() == [2.0, 0.0, 2.0]
    assert table.loc[["shortfall", "share_below"], ["estimate", "se", "ci_low", "ci_high"]].isna().all(axis=None)
    mixed = published_gaps(pd.concat([one, rows(("s", 0, 1.0))]).assign(n=10), NEEDS).set_index("statistic")["estimate"]
    assert mixed["level"] == 0.875 and np.isnan(mixed["shortfall"])  # of the whole group it can't be known either


def test_errors_of_means_and_shares_come_from_se_then_the_interval_then_n():
    table = rows(("", np.nan, 0.2), ("", np.nan, 0.2), ("", np.nan, 0.2), ("", np.nan, 0.2), statistic="share",
                 role_level="").assign(competency_id=list("abcd"), se=[0.03, np.nan, np.nan, np.nan],
                                       ci_low=[np.nan, 0.1, np.nan, np.nan], ci_high=[np.nan, 0.3, np.nan, np.nan],
                                       n=[np.nan, 900, 100, np.nan])  # fmt: skip
    got = published_means(table).set_index("variable")
    assert got["se"].tolist() == pytest.approx([0.03, 0.1 / 1.959964, 0.04, np.nan], rel=1e-6, nan_ok=True)
    assert got["n_eff"].tolist() == pytest.approx([0.16 / 0.0009, 0.16 / 0.0026031, 100, np.nan], rel=1e-4, nan_ok=True)
    assert got.loc["b", ["ci_low", "ci_high"]].tolist() == [0.1, 0.3]
    assert got.loc["d", ["ci_low", "ci_high"]].isna().all()
    means = published_means(table.assign(statistic="mean", estimate=62.0)).set_index("variable")
    assert means["se"].isna().tolist() == [False, False, True, True]  # n says nothing about the spread of a mean
    assert means.loc["a", "ci_low"] == pytest.approx(62 - 0.03 * 1.959964)


def test_rounded_distributions_are_put_right_and_the_effective_n_fits_the_published_errors():
    """Shares 0.33 three times; p(1 - p)/se² is 50 for two of them, and a third error was rounded to 0."""
    se = np.sqrt(0.33 * 0.67 / 50)
    table = published_means(rows(("", 0, 0.33), ("", 1, 0.33), ("", 2, 0.33), role_level="", n=200)
                            .assign(se=[se, se, 0.0])).iloc[0]  # fmt: skip
    assert table["estimate"] == pytest.approx(1.0) and table["n"] == 200 and table["n_eff"] == pytest.approx(50)
    assert table["se"] == pytest.approx(np.sqrt(2 / 3 / 50))


# --- what is left out, and what is withheld -----------------------------------------------------------------------


def test_no_role_no_requirement_and_nothing_required_have_no_gap():
    without = rows((None, 0, 1.0), role_level=None, n=9)
    empty = published_gaps(without.drop(columns=["role_id", "role_level"]), NEEDS)
    assert empty.empty and list(empty) == list(published_gaps(rows(("r", 0, 1.0), n=9), NEEDS))
    assert published_gaps(without, NEEDS).empty
    assert published_gaps(rows(("r", 0, 1.0), n=9), NEEDS.assign(required_level=0.0)).empty
    assert published_gaps(rows(("r", 0, 1.0), competency_id="d"), NEEDS).empty
    assert published_gaps(rows(("r", np.nan, 0.4), statistic="share"), NEEDS).empty
    assert published_gaps(without.iloc[:0], NEEDS).empty and published_means(without.iloc[:0]).empty


def test_roles_of_unknown_weight_are_not_combined():
    both = rows(("r", 0, 1.0), ("s", 1, 1.0)).assign(n=[20, np.nan])
    assert published_gaps(both, NEEDS)["estimate"].isna().all()
    assert published_means(both)["estimate"].isna().all()
    staff = pd.DataFrame({"role_id": ["r"], "role_level": "staff", "headcount": 5})
    assert published_gaps(both.assign(n=9), NEEDS, headcounts=staff)["estimate"].isna().all()
    assert published_gaps(both[:1].assign(n=np.nan), NEEDS)["estimate"].notna().all()  # one role needs no weight
    assert published_gaps(both[:1].assign(n=np.nan), NEEDS)["se"].isna().tolist() == [True, False, True, True]


def test_head_counts_of_groups_weigh_groups_and_those_of_the_unit_only_the_unit():
    both = pd.concat([rows(("r", 0, 1.0), ("s", 1, 1.0), n=10, by=by, group=by) for by in ("all", "agency_id")])
    staff = pd.DataFrame({"role_id": list("rs"), "role_level": "staff", "headcount": [30, 10]})
    level = lambda table: table.query("statistic == 'level'").set_index("by")["estimate"].to_dict()  # noqa: E731
    assert level(published_gaps(both, NEEDS, headcounts=staff)) == {"all": 0.25, "agency_id": 0.5}
    agency = staff.assign(by="agency_id", group="agency_id")
    assert level(published_gaps(both, NEEDS, headcounts=agency)) == {"all": 0.5, "agency_id": 0.25}


def test_a_whole_role_meets_a_requirement_only_where_its_levels_require_the_same():
    whole = rows(("r", 1, 1.0), role_level=None, n=10)
    assert published_gaps(whole, NEEDS)["estimate"].isna().all()
    same = NEEDS.assign(required_level=2.0)
    assert estimates(published_gaps(whole, same))["shortfall"] == 1
    assert published_gaps(whole, same[same["role_level"] == "staff"])["estimate"].notna().all()
    other = pd.concat([same.query("role_level == 'staff'"), same.query("role_level == 'senior'")
                       .assign(competency_id="d")])  # fmt: skip
    assert published_gaps(whole, other)["estimate"].isna().all()  # of the seniors nothing is asked in c
    by_role = whole.drop(columns=["role_id", "role_level"]).assign(by="role_id", group="r")
    assert estimates(published_gaps(by_role, same))["shortfall"] == 1  # the group names the role
    fine = rows(("r", 2, 1.0), n=10)
    assert estimates(published_gaps(pd.concat([whole, fine]), NEEDS))["level"] == 2  # the finer one, not both
    assert published_means(pd.concat([whole, fine]))["estimate"].tolist() == [1]  # and here the coarser one
    everyone = rows(("", np.nan, 1.5), role_level="", statistic="mean")
    assert published_means(pd.concat([whole, fine, everyone]))["estimate"].tolist() == [1.5]


# --- faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "line"), [
    (rows(("r", 1, 0.5), ("r", 2, 0.3)), r"all all, competency c, role r staff: its level shares sum to 0.8, not 1"),
    (rows(("r", 1, 0.5), ("r", 2, 0.53)), r"sum to 1.03, not 1"),
    (rows(("r", 1, 0.5), ("s", 2, 0.53)), r"sum to 0.5, not 1: add .* \(2 such\)$"),
    (rows(("r", 1, 0.5), ("r", 1, 0.5)), "level_share is published twice"),
    (rows(("r", 1, 50), ("r", 2, 50)), "a share of 50 is outside 0–1: divide percentages by 100"),
    (rows(("r", np.nan, 62), statistic="share"), "a share of 62 is outside 0–1"),
    (rows(("r", np.nan, 1.0)), "has no level"),
    (rows(("r", 1, 1.0), ci_low=1.0, ci_high=0.9), "ci_low 1 is above ci_high 0.9"),
    (rows(("r", 1, 0.5), ("r", 2, 0.5)).assign(n=[5, 7]), "n differs between levels"),
    (pd.concat([rows(("r", 1, 1.0)), rows(("r", np.nan, 1.0), statistic="mean")]), "and another statistic"),
    (pd.concat([rows(("r", 1, 1.0)), rows(("s", np.nan, 1.0), statistic="share")]), "a share stands beside levels"),
    (rows(("r", np.nan, 62), statistic="mean"), "a mean of 62 is no level"),
])  # fmt: skip
def test_what_cannot_be_meant_is_one_line_with_its_place(table, line):
    with pytest.raises(EstimateError, match=line) as caught:
        published_gaps(table, NEEDS)
    assert str(caught.value).startswith("aggregates: all all, competency c, role r staff: ")
    assert "\n" not in str(caught.value)


# --- against microdata --------------------------------------------------------------------------------------------


def draw_people(seed=0, n=600):
    """People with whole levels of two competencies, and what their roles require (of one role nothing in b)."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"role_id": rng.choice(list("rst"), n), "role_level": rng.choice(["staff", "senior"], n),
                           "agency_id": rng.choice(list("xyz"), n), "weight": 1.0})  # fmt: skip
    levels = pd.DataFrame(rng.integers(0, 5, (n, 2)), columns=list("ab")).astype(float)
    needs = people[["role_id", "role_level"]].drop_duplicates().merge(pd.DataFrame({"competency_id": list("ab")}),
                                                                       how="cross")  # fmt: skip
    needs["required_level"] = rng.choice([1.0, 2.5, 3.0, 4.0], len(needs))
    return people, levels, needs[(needs["role_id"] != "t") | (needs["competency_id"] != "b")]


def tabulate(people, levels, roles=("role_id", "role_level")):
    """Shares of people at each level, as an office would publish them: over all and by agency."""
    long = people.join(levels).melt(["role_id", "role_level", "agency_id", "weight"], var_name="competency_id",
                                    value_name="level")  # fmt: skip
    tables = []
    for by in ("all", "agency_id"):
        keys = ["by", "group", *roles, "competency_id"]
        counts = long.assign(by=by, group="all" if by == "all" else long[by]).groupby([*keys, "level"]).size()
        n = counts.groupby(keys).transform("sum")
        tables.append(pd.DataFrame({"estimate": counts / n, "n": n, "statistic": "level_share"}).reset_index())
    return pd.concat(tables, ignore_index=True)


def test_gaps_equal_those_of_the_same_people_one_by_one():
    people, levels, needs = draw_people()
    table = published_gaps(tabulate(people, levels), needs)
    required, design = required_levels(people, needs, list("ab")), survey_design(people, n_replicates=10)
    direct = pd.concat([skill_gaps([levels], required, design, by=groups, raw=levels).assign(by=by)
                        for by, groups in {"all": None, "agency_id": people["agency_id"]}.items()])  # fmt: skip
    keys = ["by", "group", "competency_id", "statistic"]
    both = table.merge(direct, on=keys, suffixes=("", "_direct"), validate="1:1")
    assert len(both) == len(table) == 2 * 4 * 4
    for column, rtol, atol in (("estimate", 0, 1e-12), ("n", 0, 0), ("n_eff", 1e-12, 0)):
        np.testing.assert_allclose(both[column], both[f"{column}_direct"], rtol=rtol, atol=atol)
    short = table[table["statistic"] == "shortfall"].assign(statistic="shortfall_raw").merge(direct, on=keys)
    np.testing.assert_allclose(short["estimate_x"], short["estimate_y"], rtol=0, atol=1e-12)
    # the error is that of a simple random sample of the people of all roles: the spread between roles is in it
    spread = (required - levels).clip(lower=0).std(ddof=0) / np.sqrt(required.notna().sum())
    mine = table.query("by == 'all' and statistic == 'shortfall'").set_index("competency_id")["se"]
    np.testing.assert_allclose(mine, spread, rtol=1e-12)
    assert check("gaps", table).empty


def test_means_equal_those_of_the_same_people_one_by_one():
    people, levels, _ = draw_people(1)
    design = survey_design(people, n_replicates=10)
    direct = pd.concat([design_means(levels, design).assign(by="all"),
                        design_means(levels, design, by=people["agency_id"]).assign(by="agency_id")])  # fmt: skip
    direct = direct.set_index(["by", "group", "variable"]).sort_index()
    for roles in ((), ("role_id", "role_level")):
        table = published_means(tabulate(people, levels, roles))
        assert check("means", table).empty
        table = table.set_index(["by", "group", "variable"]).sort_index()
        np.testing.assert_allclose(table["estimate"], direct["estimate"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(table["n"], direct["n"])
        np.testing.assert_allclose(table.loc["all", "se"], levels.std(ddof=0) / np.sqrt(len(levels)), rtol=1e-12)


def test_the_order_of_rows_changes_no_bit():
    people, levels, needs = draw_people(2)
    table = tabulate(people, levels)
    other = table.sample(frac=1, random_state=3)
    staff = people.groupby(["role_id", "role_level"]).size().rename("headcount").reset_index()
    shuffled = staff.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(published_means(table), published_means(other), check_exact=True)
    pd.testing.assert_frame_equal(published_gaps(table, needs, headcounts=staff),
                                  published_gaps(other, needs[::-1], headcounts=shuffled), check_exact=True)


# --- standard errors against simulated truth ------------------------------------------------------------------------


def simulate(fixed, effect=1.0, draws=4000, n=300):
    """Distributions of `draws` samples over levels in two roles; the sample of each role has a fixed size or not."""
    rng, truth = np.random.default_rng(5), np.array([[0.4, 0.3, 0.2, 0.1, 0.0], [0.1, 0.1, 0.2, 0.3, 0.3]])
    size = int(n / effect)  # answers that count as one are worth fewer
    if fixed:
        counts = np.stack([rng.multinomial(size // 2, p, draws) for p in truth], axis=1)
    else:
        counts = rng.multinomial(size, (truth * [[0.7], [0.3]]).ravel(), draws).reshape(draws, 2, 5)
    index = pd.MultiIndex.from_product([[f"g{i}" for i in range(draws)], list("rs"), range(5)],
                                       names=["group", "role_id", "level"])  # fmt: skip
    role = counts.sum(axis=2, keepdims=True)
    shares = pd.Series((counts / role).ravel(), index)
    table = rows(*zip(index.get_level_values(1), index.get_level_values(2), shares, strict=True), by="sample",
                 group=index.get_level_values(0))
    n_role = np.repeat(role.ravel(), 5)
    return table.assign(n=n_role * effect, se=np.sqrt(shares.to_numpy() * (1 - shares.to_numpy()) / n_role))


@pytest.mark.parametrize(("fixed", "effect", "columns"), [
    (False, 1.0, ["n"]), (True, 1.0, ["n"]), (True, 2.0, ["n", "se"]), (False, 2.0, ["n", "se"]),
])  # fmt: skip
def test_standard_errors_are_those_of_simulated_samples(fixed, effect, columns):
    """4000 samples: the standard deviation of their estimates has a Monte Carlo error of 1/√8000 = 1.1 %, and
    the mean of p(1 - p)/n is 1 - 1/n of the variance (n is 45 at least): three of the first and 0.01 are allowed."""
    table = simulate(fixed, effect)
    staff = pd.DataFrame({"role_id": list("rs"), "role_level": "staff", "headcount": [7, 3]})
    staff = staff.merge(table[["by", "group"]].drop_duplicates(), how="cross") if fixed else None
    given = table[[*table.columns.difference(["n", "se"]), *columns]]
    got = published_gaps(given, NEEDS, headcounts=staff)
    for statistic, each in got.groupby("statistic"):
        if fixed and statistic == "required":
            assert (each["se"] == 0).all()
            continue
        told = np.sqrt((each["se"] ** 2).mean())
        assert told / each["estimate"].std() == pytest.approx(1, abs=3 / np.sqrt(8000) + 0.01), statistic
        truth = each["estimate"].mean()
        held = each["ci_low"].le(truth) & each["ci_high"].ge(truth)
        assert held.mean() == pytest.approx(0.95, abs=0.02), statistic
