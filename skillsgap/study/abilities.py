"""Staff counted by what a course may ask of a person: a device, a language, time, a course taken before."""

import pandas as pd

from skillsgap.contracts import ABLE
from skillsgap.study.loaded import ROWS
from skillsgap.study.mapping import matches

COUNTED = ("agency_id", "role_id", "role_level", "device_access", "language", "promotion_window", "headcount")


def asked_of_people(params):
    """Columns of the register by which staff are counted for a plan; none where there is no plan."""
    plan = params.values.get("plan")
    return [] if plan is None else list(dict.fromkeys([*COUNTED, *window_of(params)]))


def window_of(params):
    """Who is inside a promotion window, as params declare it by columns of the register."""
    return params.values.get("plan", {}).get("hours", {}).get("window", {})


def in_window(frame, window):
    """Whether staff are inside a promotion window: yes, no, or "" where nothing tells.

    Examples
    --------
    >>> staff = pd.DataFrame({"tenure_years": ["4", "5"]})
    >>> in_window(staff, {"tenure_years": {"in": [5, 10]}}).tolist(), in_window(staff, {}).tolist()
    (['no', 'yes'], ['', ''])
    """
    if window and {*window} <= {*frame}:
        return matches(frame, window).map({True: "yes", False: "no"})
    return frame["promotion_window"] if "promotion_window" in frame else pd.Series("", index=frame.index)


def able_staff(register, people, courses, records):
    """Staff of the register by stratum and what a course may ask of them, as the stage table `able`.

    Of courses completed only those count that another course asks for. What the register doesn't tell is "".

    Parameters
    ----------
    register : Loaded
    people : Loaded or None
        The register's rows of those whom training records speak of.
    courses, records : DataFrame or None

    Returns
    -------
    DataFrame or None
        None where nothing is planned.
    """
    if register is None or register.able is None or courses is None:
        return None
    counted = register.able.assign(headcount=register.able[ROWS] * register.able.get("headcount", 1), completed="")
    done = _done(courses, records) if people is not None and records is not None else pd.Series(dtype=str)
    if len(done):
        known = people.frame.drop_duplicates("staff_id")
        known = known.assign(completed=known["staff_id"].map(done)).dropna(subset="completed")
        # they are among the counted, as people of whom no course is known
        counted = pd.concat([counted, known.assign(headcount=1), known.assign(headcount=-1, completed="")])
    places = {column: counted.get(column, "all") for column in ABLE[:3]}
    table = counted.assign(**places).reindex(columns=[*ABLE, "headcount"])
    table[list(ABLE)] = table[list(ABLE)].astype(object).fillna("")
    table = table.groupby(list(ABLE), sort=True)["headcount"].sum().reset_index()
    table = table[table["headcount"] > 0].reset_index(drop=True)
    return table.astype({"headcount": "int64"}) if (table["headcount"] % 1 == 0).all() else table


def _done(courses, records):
    """Courses that each person completed and another course asks for: "B02|B05" by staff_id."""
    asked = courses.get("prerequisites", pd.Series(dtype=str)).dropna().str.split("|").explode().str.strip()
    done = records[(records["completed"] == "yes") & records["course_id"].isin(asked)].dropna(subset="staff_id")
    return done.groupby("staff_id")["course_id"].agg(lambda each: "|".join(sorted(set(each))))
