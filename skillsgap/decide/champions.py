"""How many champions a plan trains: of all staff, of each agency, and of small agencies through their hub."""

import math

import numpy as np
import pandas as pd

from skillsgap.decide.ruleparts import at_least, at_most, known_keys, no_doubles, part_of, share_of, staff_by
from skillsgap.errors import PlanError

CHAMPIONS = {"min": 0.05, "max": 0.10, "each_agency": True}  # METHODS.md: 5-10 % of all staff
CHOSEN_BY = ("need_bands", "experience", "interest")  # who can be one: read where choices are made


def champion_rules(champions, groups, options, agencies):
    """Champions of all staff and, within a rounding band, of each agency; small ones share theirs through a hub.

    An agency is small if its least share of champions is no whole person; without a hub it keeps a band of its own.

    Parameters
    ----------
    champions : None (no rules) or a mapping of min, max (shares of all staff) and each_agency (bool).
    groups, options, agencies : see `policy_rules`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> staff = pd.DataFrame({"agency_id": ["A", "B", "C"], "hub_id": "H", "size": [61, 12, 9]})
    >>> offer = SimpleNamespace(steps=pd.DataFrame({"tier": ["champion"]}))
    >>> for rule in champion_rules({}, staff, offer, None):
    ...     print(rule["id"], rule.get("min", rule.get("max")))
    champions_min 5
    champions_max 8
    champions_agency_min {'A': 3}
    champions_agency_max {'A': 7}
    champions_hub_min:H 1
    champions_hub_max:H 3
    """
    if champions is None:
        return []
    known_keys("plan.champions", champions, (*CHAMPIONS, *CHOSEN_BY))
    champions = {**CHAMPIONS, **champions}
    low, high = (share_of(f"plan.champions.{key}", champions[key]) for key in ("min", "max"))
    if low > high:
        raise PlanError(f"plan.champions.min is {low}, above max {high}; exchange them.")
    where = {"tier": "champion"}
    if low > 0 and "champion" not in set(options.steps["tier"]):
        raise PlanError("plan.champions asks for champions, and no course is of the tier champion; give a course "
                        "that tier, or leave champions out.")  # fmt: skip
    staff = staff_by(groups, "agency_id")
    least = math.ceil(part_of(low, staff.sum()))
    most = max(math.floor(part_of(high, staff.sum())), least)  # below ten people no whole number is 5 to 10 %
    rules = _band("champions_min", "champions_max", where, least, most)
    if not champions["each_agency"]:
        return rules
    hub = _hubs(groups, agencies).reindex(staff.index)
    small = hub.notna() & np.array([0 < part_of(low, people) < 1 for people in staff], dtype=bool)
    least, most = _rounding(low, high, staff[~small])
    for rule in _band("champions_agency_min", "champions_agency_max", where, least, most) if least else ():
        rules.append({**rule, "by": ["agency_id"]})
    least, most = _rounding(low, high, staff[small].groupby(hub[small].astype(str)).sum())
    for name in least:
        members = {**where, "agency_id": sorted(hub.index[small & (hub.astype(str) == name)])}
        rules += _band(f"champions_hub_min:{name}", f"champions_hub_max:{name}", members, least[name], most[name])
    return rules


def _band(low_id, high_id, where, least, most):
    needed = any(least.values()) if isinstance(least, dict) else least > 0
    low = [at_least(low_id, "champions", "people", where, least)] if needed else []
    return [*low, at_most(high_id, "champions", "people", where, most)]


def _rounding(low, high, staff):
    """METHODS.md: from floor(low n) to max(1, ceil(high n)) champions among n staff."""
    least = {str(name): math.floor(part_of(low, people)) for name, people in staff.items()}
    return least, {str(name): max(1, math.ceil(part_of(high, people))) for name, people in staff.items()}


def _hubs(groups, agencies):
    """Hub of each agency, empty where none is known."""
    if "hub_id" in groups:
        pairs = groups[["agency_id", "hub_id"]].drop_duplicates()
    elif agencies is not None and "hub_id" in agencies:
        pairs = agencies[["agency_id", "hub_id"]].drop_duplicates()
    else:
        return pd.Series(dtype=object)
    no_doubles("hub_id: agency", pairs["agency_id"])
    return pairs.set_index("agency_id")["hub_id"]
