"""How many staff of each stratum have what a course asks of a person: a device, a language, time, another course."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError

PARTS = ("device_access", "language", "long", "completed")  # columns that a part of `needs` may name
RECORDED = ("long", "completed")  # what nobody has unless something says so


def able_counts(register, needs, *, keys=("agency_id", "role_id", "role_level"), training_records=None):
    """Count the staff of each stratum who have everything that a signature of needs names.

    A part that names device_access or language limits nobody where the register lacks that column, or has it empty
    throughout; where it is empty for some, those don't have it. Nobody is inside a promotion window (long=yes) or has
    completed a course unless it is recorded.

    Parameters
    ----------
    register : DataFrame
        Persons, one a row; or cells with a column headcount (people). `keys`, and of device_access, language, long
        (or promotion_window, "yes") and completed ("B02|B05") those that are known.
    needs : iterable of str
        Signatures: parts joined by ";", all of which a person must have, as "device_access=yes;language=en|uz"
        (either language) or "completed=B02". Signatures joined by " or " count those who have either.
    keys : sequence of str
        What makes a stratum.
    training_records : DataFrame, optional
        course_id and completed (yes or no), with staff_id or row_key as the register has it.

    Returns
    -------
    DataFrame: `keys`, needs, people (0 or more), untold (parts that the register doesn't tell, joined by ";");
        one row for every stratum and signature, sorted

    Raises
    ------
    EstimateError
        The register lacks a stratum's column, or a part names something else than these columns.

    Examples
    --------
    >>> staff = pd.DataFrame({"agency_id": "a", "role_id": "clerk", "role_level": "staff",
    ...                       "device_access": ["yes", "yes", "no"], "completed": ["B02", "", "B02|B05"]})
    >>> able_counts(staff, ["device_access=yes", "completed=B02;device_access=yes"])[["needs", "people"]]
                                 needs  people
    0  completed=B02;device_access=yes       1
    1                device_access=yes       2
    """
    keys, needs = list(keys), sorted(set(needs))
    absent = [name for name in keys if name not in register]
    if absent:
        raise EstimateError(f"the register has no column {', '.join(absent)}: add it, or count by others")
    staff = _known(register, training_records)
    staff = staff.groupby([*keys, *PARTS], sort=True, observed=True)["headcount"].sum().reset_index()
    strata = staff[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    place = pd.MultiIndex.from_frame(strata).get_indexer(pd.MultiIndex.from_frame(staff[keys]))
    told = {name for name in PARTS if name in RECORDED or (staff[name] != "").any()}
    people, tables = staff["headcount"].to_numpy(), []
    for one in needs:
        either = [_parts(each) for each in one.split(" or ")]
        have = np.any([_have(staff, parts, told) for parts in either], axis=0)
        counted = np.bincount(place, people * have, minlength=len(strata))
        untold = sorted({f"{name}={value}" for parts in either for name, value in parts if name not in told})
        tables.append(strata.assign(needs=one, people=counted, untold=";".join(untold)))
    found = pd.concat(tables, ignore_index=True) if tables else strata.iloc[:0].assign(needs="", people=0.0, untold="")
    found = found.sort_values([*keys, "needs"], ignore_index=True)
    whole = (found["people"] % 1 == 0).all()
    return found.astype({"people": "int64"}) if whole else found


def any_of(needs):
    """Signatures to count, so that options that ask for different things don't count on the same few people.

    Seats of options that ask for A or for B can't exceed the staff who have A or B (Hall). Those who have completed a
    course are too few for that to matter: of the other signatures every pair is joined, and all of them.

    Examples
    --------
    >>> any_of(["completed=B02", "device_access=yes", "long=yes"])
    ['completed=B02', 'device_access=yes', 'device_access=yes or long=yes', 'long=yes']
    """
    asked = sorted({one for one in needs if one})
    shared = [one for one in asked if "completed=" not in one]
    parts = [set(one.split(";")) for one in shared]
    pairs = [f"{shared[i]} or {shared[j]}" for i in range(len(shared)) for j in range(i + 1, len(shared))
             if not (parts[i] <= parts[j] or parts[j] <= parts[i])]  # fmt: skip
    widest = [one for one, own in zip(shared, parts, strict=True) if not any(other < own for other in parts)]
    return sorted({*asked, *pairs, *([" or ".join(widest)] if widest else [])})


def _known(register, records):
    """Head-count of each row and what is known of its people, as text, "" where it isn't."""
    staff = register.assign(headcount=register.get("headcount", 1))
    if "long" not in staff and "promotion_window" in staff:
        staff = staff.assign(long=staff["promotion_window"])
    if records is not None:
        key = next((name for name in ("staff_id", "row_key") if name in staff and name in records), None)
        if key is None:
            raise EstimateError("training_records and register share neither staff_id nor row_key: give both one")
        done = records[records["completed"] == "yes"].groupby(key)["course_id"].agg("|".join)
        staff = staff.assign(completed=staff[key].map(done))
    unknown = {name: "" for name in PARTS if name not in staff}
    return staff.assign(**unknown, **{name: staff[name].astype("string").fillna("").astype(str)
                                      for name in PARTS if name in staff})  # fmt: skip


def _parts(signature):
    """Parts of a signature as (column, value)."""
    parts = [tuple(part.strip().partition("=")[::2]) for part in signature.split(";") if part.strip()]
    for name, value in parts:
        if name not in PARTS or not value:
            raise EstimateError(f"needs ask for {name}={value}, which no register tells: use {', '.join(PARTS)}")
    return parts


def _have(staff, parts, told):
    """Which rows' people have every part."""
    have = np.ones(len(staff), dtype=bool)
    for name, value in parts:
        if name in told:
            wanted = set(value.split("|"))
            kinds = {kind: bool(wanted & set(kind.split("|"))) for kind in staff[name].unique()}
            have &= staff[name].map(kinds).to_numpy(dtype=bool)
    return have
