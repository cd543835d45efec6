"""Other ways to close a gap: move, hire or contract people, in the same money as courses."""

import numpy as np
import pandas as pd

from skillsgap.decide.catalogue import refuse
from skillsgap.errors import PlanError

KINDS = ("redeploy", "hire", "contract")
ROLES = ("role_id", "role_level", "to_role_id", "to_role_level")
WANTED = ("kind", "role_id", "cost")


def checked_staffing(staffing: pd.DataFrame | None) -> pd.DataFrame:
    """Ways to staff a place, sorted by name.

    Parameters
    ----------
    staffing : DataFrame: kind (redeploy, hire or contract), role_id of the places, cost (money a person, > 0);
        optional role_level (empty = all), places (most people, empty = no limit), attrition (share that leaves
        in a year, 0 to below 1; empty = that of the role), to_role_id and to_role_level (of redeploy).

    Returns
    -------
    DataFrame: name ("hire:role/level", "redeploy:role/level>role/level"), kind, role_id, role_level, to_role_id,
        to_role_level (text, "" = none or all), cost, places (inf = no limit), attrition (NaN = that of the role).

    Raises
    ------
    PlanError
        Naming the way, the column, its value and what to do.

    Examples
    --------
    >>> ways = pd.DataFrame({"kind": ["hire"], "role_id": ["analyst"], "cost": [30000.0], "places": [4]})
    >>> checked_staffing(ways)[["name", "cost", "places"]].to_numpy().tolist()
    [['hire:analyst', 30000.0, 4.0]]
    """
    table = pd.DataFrame(columns=list(WANTED)) if staffing is None else staffing
    missing = [column for column in WANTED if column not in table.columns]
    if missing:
        raise PlanError(f"staffing has no column {missing[0]}; add it.")
    table = table.reindex(columns=["kind", *ROLES, "cost", "places", "attrition"]).reset_index(drop=True)
    for column in ("kind", *ROLES):
        table[column] = table[column].astype("string").fillna("").str.strip().astype(str)
    table = table.astype({"cost": float, "places": float, "attrition": float})
    place, target = (table[a].str.cat(table[b].where(table[b] == "", "/" + table[b]))
                     for a, b in (ROLES[:2], ROLES[2:]))
    table.insert(0, "name", table["kind"] + ":" + place + target.where(target == "", ">" + target))
    _check(table)
    return table.assign(places=table["places"].fillna(np.inf)).sort_values("name", ignore_index=True)


def _check(table):
    names, moves, cost = table["name"], table["kind"] == "redeploy", table["cost"]
    places, rate = table["places"], table["attrition"]
    refuse("staffing", names, ~table["kind"].isin(KINDS), f"has an unknown kind; use {', '.join(KINDS)}", table["kind"])
    refuse("staffing", names, table["role_id"] == "", "has no role_id; say whose places it fills")
    refuse("staffing", names, moves & (table["to_role_id"] == ""), "has no to_role_id; say where people move to")
    refuse("staffing", names, ~moves & (table["to_role_id"] != ""),
           "has a to_role_id, which only redeploy has; leave it empty", table["to_role_id"])
    refuse("staffing", names, names.duplicated(), "appears twice; keep one")
    refuse("staffing", names, ~(np.isfinite(cost) & (cost > 0)), "has a cost of 0 or less, or none; give the true cost",
           cost)
    refuse("staffing", names, (places < 0) | (places % 1 != 0) & np.isfinite(places),
           "needs a whole number of places >= 0; empty = no limit", places)
    refuse("staffing", names, (rate < 0) | (rate >= 1), "needs an attrition of 0 to below 1 a year", rate)


def may_be_staffed(cohorts: pd.DataFrame, ways: pd.DataFrame) -> np.ndarray:
    """Whose places each way fills: bool (n_cohorts, n_ways); nobody is moved to the role they have.

    Parameters
    ----------
    cohorts : DataFrame with role_id and role_level.
    ways : DataFrame with role_id, role_level, to_role_id, to_role_level as from `checked_staffing`.

    Examples
    --------
    >>> way = pd.DataFrame({"role_id": ["a"], "role_level": [""], "to_role_id": [""], "to_role_level": [""]})
    >>> may_be_staffed(pd.DataFrame({"role_id": ["a", "b"], "role_level": ["lead", "lead"]}), way).tolist()
    [[True], [False]]
    """
    def fits(role, level):
        wanted = ways[level].to_numpy(dtype=str)
        return (roles == ways[role].to_numpy(dtype=str)) & ((wanted == "") | (levels == wanted))

    roles, levels = (cohorts[[name]].astype(str).to_numpy(dtype=str) for name in ("role_id", "role_level"))
    return fits("role_id", "role_level") & ~fits("to_role_id", "to_role_level")
