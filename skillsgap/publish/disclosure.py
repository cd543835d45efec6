"""The only way out: what leaves the house is protected first, and nothing with an id leaves at all."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, ESTIMATE
from skillsgap.errors import DisclosureError
from skillsgap.wording import HIGH_SHARE, LOW_SHARE, N_

PROTECTION = N_("primary rule only, not yet proof against subtraction")
HIDDEN = ("estimate", "se", "ci_low", "ci_high", "n", "n_eff", "required_level")
# tables of head-counts: the column that counts people, and what is blanked where they are too few
COUNTED = {
    "headcounts": ("estimate", HIDDEN),
    "plan_agencies": ("eligible", ("seats", "cost", "eligible")),
    "plan_tiers": ("eligible", ("seats", "cost", "eligible")),
    "plan_groups": ("staff", ("staff", "seats", "gap_closed", "need")),
    "recommendations": ("eligible", ("staff", "eligible", "seats", "cost", "gap_closed", "mean_of_draws", "ci_low",
                                     "ci_high", "reached", "stability", "competency_1_share", "competency_2_share")),
    "priorities": ("headcount", ("shortfall", "headcount", *ESTIMATE, "n", "n_eff", "p_top", "p_first")),
}
DECIMALS = 4  # numbers are rounded before anything is ranked or printed, so that all machines agree
RUNNABLE = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Rules:
    """Disclosure rules of a unit.

    Parameters
    ----------
    threshold : int
        Respondents, and estimated head-count, behind every printed figure.
    rounding : int
        Head-counts are printed to the nearest multiple.
    """

    threshold: int = 10
    rounding: int = 5


@dataclass(frozen=True)
class Release:
    """Tables that may leave the house, and how much of them was withheld.

    Parameters
    ----------
    tables : dict of str to DataFrame
    figures, withheld : int
        Figures in all tables, and those blanked.
    """

    tables: dict
    figures: int
    withheld: int
    rules: Rules
    protection: str = PROTECTION


def release_tables(views, rules, *, published=()):
    """Protect the tables of a unit, all of them together.

    Primary rule: a figure rests on at least `rules.threshold` respondents, and a head-count is at least
    that large; planned seats may be fewer, the staff who may take them not. Head-counts are rounded, and
    shares of people below 5 % or above 95 % are coded as those limits. This is not yet proof against
    subtraction.

    Parameters
    ----------
    views : dict of str to DataFrame
        Tables by name. One with a row a person, or with a column that identifies, is refused.
    rules : Rules
    published : sequence of str
        Tables of figures that their owner has published: one whose number of respondents nobody told stays; one
        that rests on too few goes, here as anywhere.

    Returns
    -------
    Release

    Raises
    ------
    DisclosureError
        Names the table and the column that must not leave.

    Examples
    --------
    >>> gaps = pd.DataFrame({"group": ["a", "b"], "statistic": "level", "estimate": [1.0, 2.0], "n": [9, 10]})
    >>> release = release_tables({"gaps": gaps}, Rules())
    >>> release.tables["gaps"]["estimate"].tolist(), release.withheld
    ([nan, 2.0], 1)
    """
    released, figures, withheld = {}, 0, 0
    for name in sorted(views):
        _refuse(name, views[name])
        table = views[name].reset_index(drop=True)
        hidden = _too_few(name, table, rules, told=name not in published)
        blank = [column for column in COUNTED.get(name, ("", HIDDEN))[1] if column in table]
        table[blank] = table[blank].astype(float).mask(hidden, axis=0)
        if name == "needs":
            table["tier"] = table["tier"].mask(hidden)  # who is withheld stands in no tier
        released[name] = _rounded(name, _coded(table), rules).assign(withheld=hidden)
        figures += len(table)
        withheld += int(hidden.sum())
    return Release(released, figures, withheld, rules)


def _refuse(name, table):
    contract = CONTRACTS.get(name)
    direct = {column for c in CONTRACTS.values() for column, rule in c.columns.items() if rule.identifies == "direct"}
    found = sorted((direct | {"row_key"}) & {str(column) for column in [*table.columns, *table.index.names]})
    if found:
        raise DisclosureError(f"table {name} holds {found[0]}, which identifies people: it can't be released")
    if contract is not None and contract.person_level:
        raise DisclosureError(f"table {name} has a row a person: it can't be released, only counts and means can")


def _too_few(name, table, rules, *, told):
    """Rows that rest on too few; an unknown number counts as none where it ought to be `told`."""
    hidden = pd.Series(False, index=table.index)
    if "n" in table:
        hidden |= table["n"].astype(float).fillna(0 if told else np.inf) < rules.threshold
    if name in COUNTED:
        hidden |= table[COUNTED[name][0]] < rules.threshold
    if name == "profiles":
        hidden |= _small_profiles(table, rules)
    return hidden


def _coded(table):
    """Shares of (nearly) nobody and everybody say only that; their errors would say more."""
    if "statistic" not in table:
        return table
    share = table["statistic"].isin(["share", "share_below"])
    extreme = share & ~table["estimate"].between(LOW_SHARE, HIGH_SHARE) & table["estimate"].notna()
    limits = [column for column in ("estimate", "ci_low", "ci_high") if column in table]
    coded = table.copy()
    coded.loc[share, limits] = coded.loc[share, limits].clip(LOW_SHARE, HIGH_SHARE)
    if "se" in table:
        coded.loc[extreme, "se"] = np.nan
    return coded


def _small_profiles(table, rules):
    """Profiles that stand for fewer expected respondents than may be printed: all their rows are hidden."""
    share = table[table["statistic"] == "share"]
    small = share.loc[share["estimate"] * share["n"] < rules.threshold, "profile"]
    return table["profile"].isin(small)


def _rounded(name, table, rules):
    numbers = table.select_dtypes("float").columns
    table[numbers] = table[numbers].round(DECIMALS) + 0.0  # no negative zero
    counts = {"headcounts": ["estimate", "se", "ci_low", "ci_high"], "priorities": ["headcount"],
              "plan_agencies": ["eligible"], "plan_tiers": ["eligible"], "plan_groups": ["staff", "seats"],
              "recommendations": ["staff", "eligible"]}.get(name, [])  # fmt: skip
    for column in counts:
        table[column] = (table[column] / rules.rounding).round() * rules.rounding
    return table


def spreadsheet_safe(table):
    """A table for a CSV file: text that a spreadsheet would run as a formula is quoted."""
    table = table.copy()
    for column in table.select_dtypes(["object", "string"]):
        runs = table[column].astype("string").str.startswith(RUNNABLE, na=False)
        table[column] = table[column].mask(runs, "'" + table[column].astype("string"))
    return table
