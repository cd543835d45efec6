"""What leaves the house: no ids, no person, nothing that rests on too few, and nothing a spreadsheet would run."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import DisclosureError
from skillsgap.publish.disclosure import PROTECTION, Rules, release_tables, spreadsheet_safe
from skillsgap.wording import HIGH_SHARE, LOW_SHARE

RULES = Rules(threshold=10, rounding=5)
FIGURES = ["estimate", "se", "ci_low", "ci_high", "n_eff"]


def estimates(n, seed=0, **columns):
    """A table of estimates; `n` says how many respondents are behind each row."""
    values = np.random.default_rng(seed).uniform(0.2, 0.8, (len(n), len(FIGURES)))
    table = pd.DataFrame(values, columns=FIGURES)
    return table.assign(n=n, uncertainty="sampling", **columns)


def views(n, counts, seed=0):
    """One table of every kind that is released, resting on these respondents and head-counts."""
    rng = np.random.default_rng(seed)
    groups = [f"g{i}" for i in range(len(n))]
    number = lambda: rng.uniform(1, 4, len(n))  # noqa: E731
    return {
        "gaps": estimates(n, seed, by="agency_id", group=groups, competency_id="c", statistic="level"),
        "means": estimates(n, seed + 1, by="agency_id", group=groups, variable="c"),
        "self_report": estimates(n, seed + 5, competency_id=groups),
        "profiles": estimates(n, seed + 2, profile=range(1, len(n) + 1), variable="share", statistic="share").assign(
            estimate=0.5
        ),
        "needs": estimates(n, seed + 3, by="agency_id", group=groups, tier=rng.choice(["most", "least"], len(n))),
        "headcounts": estimates(n, seed + 4, by="agency_id", group=groups, profile=1).assign(estimate=counts),
        "reliability": pd.DataFrame({"scale": "group", "scale_id": groups, "statistic": "alpha", "n_items": 4,
                                     "estimate": number() / 5, "ci_low": 0.1, "ci_high": 0.9, "n": n}),
        "derived_requirements": pd.DataFrame({"role_id": groups, "competency_id": "c", "n": n,
                                              "required_level": number()}),
        "plan_agencies": pd.DataFrame({"agency_id": groups, "course_id": "B01", "seats": rng.integers(1, 9, len(n)),
                                       "cost": number(), "eligible": counts}),
        "priorities": pd.DataFrame({"competency_id": groups, "shortfall": number(), "importance": 3.0,
                                    "headcount": counts, "estimate": number(), "p_top": number() / 5,
                                    "p_first": number() / 5, "tier": "later"}),
    }


COUNTED = {"headcounts": "estimate", "plan_agencies": "eligible", "priorities": "headcount"}
# what may stand in a withheld row: it says nothing about those in it (the tier is the same in all such rows)
HARMLESS = {"profile", "n_items", "importance", "withheld"}


def too_few(name, table):
    hidden = table["n"] < 10 if "n" in table else pd.Series(False, table.index)
    if name == "profiles":  # its share of the respondents counts, not all of them
        hidden = hidden | (table["n"] * table["estimate"] < 10)
    return hidden | (table[COUNTED[name]] < 10) if name in COUNTED else hidden


# --- ids and persons --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["staff_id", "row_key"])
def test_a_column_that_identifies_is_refused_by_name(column):
    table = pd.DataFrame({column: ["a"], "estimate": [1.0]})
    for each in (table, table.set_index(column)):
        with pytest.raises(DisclosureError, match=f"table gaps holds {column}, which identifies people"):
            release_tables({"gaps": each}, RULES)


def test_every_column_declared_as_identifying_is_refused():
    columns = [item for contract in CONTRACTS.values() for item in contract.columns.items()]
    direct = {column for column, rule in columns if rule.identifies == "direct"}
    assert "staff_id" in direct
    for column in direct:
        with pytest.raises(DisclosureError):
            release_tables({"anything": pd.DataFrame({column: [1]})}, RULES)


@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract.person_level])
def test_a_table_with_a_row_a_person_is_refused(name):
    with pytest.raises(DisclosureError, match=f"table {name} has a row a person"):
        release_tables({name: pd.DataFrame({"region": ["r"]})}, RULES)


# --- the threshold ------------------------------------------------------------------------------------------------


def test_fewer_than_ten_respondents_are_withheld_and_ten_are_not():
    release = release_tables({"gaps": views([0, 9, 10, 11], [50.0] * 4)["gaps"]}, RULES)
    table = release.tables["gaps"]
    assert table["withheld"].tolist() == [True, True, False, False]
    assert table["estimate"].isna().tolist() == table["n"].isna().tolist() == [True, True, False, False]
    assert (release.figures, release.withheld, release.protection) == (4, 2, PROTECTION)


def test_a_head_count_below_the_threshold_is_withheld_whoever_answered():
    table = release_tables({"headcounts": views([50, 50], [9.0, 10.0])["headcounts"]}, RULES).tables["headcounts"]
    assert table["withheld"].tolist() == [True, False] and table["estimate"].isna().tolist() == [True, False]


def test_planned_seats_may_be_few_but_not_the_staff_who_may_take_them():
    table = pd.DataFrame({"agency_id": ["a", "b"], "course_id": "B01", "seats": [2, 2], "cost": [300.0, 300.0],
                          "eligible": [40, 9]})
    released = release_tables({"plan_agencies": table}, RULES).tables["plan_agencies"]
    assert released["seats"].tolist()[0] == 2 and released["withheld"].tolist() == [False, True]
    assert released.loc[1, ["seats", "cost", "eligible"]].isna().all()


def test_an_unknown_number_of_respondents_counts_as_none():
    assert release_tables({"means": views([np.nan, 30], [1, 1])["means"]}, RULES).withheld == 1


few_and_many = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(few_and_many, st.integers(0, 99))
def test_nothing_under_the_threshold_survives(behind, seed):
    """No figure of a withheld row is printed, and changing what is withheld changes nothing that is printed."""
    n, counts = (np.array(x, dtype=float) for x in zip(*behind, strict=True))
    given, other = views(n, counts, seed), views(n, counts, seed + 100)
    # the attacker's view: all as it was but the secrets of the withheld rows
    swapped = {name: table.where(~too_few(name, table), other[name]) for name, table in given.items()}
    release, again = release_tables(given, RULES), release_tables(swapped, RULES)
    for name, table in release.tables.items():
        hidden = too_few(name, given[name])
        assert table["withheld"].tolist() == hidden.tolist(), name
        numbers = table.select_dtypes("number").columns.difference(HARMLESS)
        assert table.loc[hidden, numbers].isna().all(axis=None), name
        kept = table.loc[~hidden, numbers.difference(["se"])]
        assert kept.notna().all(axis=None), name
        if "n" in table:
            assert (kept["n"] >= 10).all()
        pd.testing.assert_frame_equal(again.tables[name], table)


# --- rounding and coding ------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(few_and_many, st.sampled_from([1, 5, 10]))
def test_head_counts_are_printed_to_the_nearest_multiple(behind, base):
    n, counts = (np.array(x, dtype=float) + 10 for x in zip(*behind, strict=True))
    given = views(n, counts * 3.7)
    tables = release_tables(given, Rules(rounding=base)).tables
    for name, column in COUNTED.items():
        printed = tables[name][column].to_numpy()
        assert (printed % base == 0).all() and (np.abs(printed - given[name][column]) <= base / 2).all()
    assert (tables["headcounts"][["se", "ci_low", "ci_high"]] % base == 0).all(axis=None)


def test_shares_of_nearly_nobody_and_everybody_are_coded_and_their_errors_dropped():
    share = [0.0, 0.04, 0.06, 0.94, 0.96, 1.0]
    table = pd.DataFrame({"statistic": "share_below", "estimate": share, "se": 0.01, "n": 50,
                          "ci_low": np.array(share) - 0.03, "ci_high": np.array(share) + 0.03})
    coded = release_tables({"gaps": table}, RULES).tables["gaps"]
    assert coded["estimate"].tolist() == [LOW_SHARE, LOW_SHARE, 0.06, 0.94, HIGH_SHARE, HIGH_SHARE]
    assert coded["se"].isna().tolist() == [True, True, False, False, True, True]
    assert coded[["ci_low", "ci_high"]].stack().between(LOW_SHARE, HIGH_SHARE).all()
    levels = release_tables({"gaps": table.assign(statistic="level")}, RULES).tables["gaps"]
    assert levels["estimate"].tolist() == share  # only shares of people are coded


def test_two_exports_that_should_agree_do():
    """Numbers are rounded before anything is ranked or printed, and there is no negative zero."""
    table = views([50], [100.0])["gaps"].assign(estimate=[0.123456], se=[-1e-9])
    released = release_tables({"gaps": table}, RULES).tables["gaps"]
    assert released["estimate"].item() == 0.1235 and str(released["se"].item()) == "0.0"


# --- formulas and what was given ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")"])
def test_text_a_spreadsheet_would_run_is_quoted(text):
    table = pd.DataFrame({"group": [text, "harmless = text"], "n": [50, 50]})
    assert spreadsheet_safe(table)["group"].tolist() == ["'" + text, "harmless = text"]


def test_the_given_tables_stay_as_they_were():
    given = views([3, 30], [3.0, 30.0])
    before = {name: table.copy() for name, table in given.items()}
    release_tables(given, RULES)
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])
