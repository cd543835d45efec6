"""The catalogue: courses, what they cost and what they change, refused where a plan could not stand on them."""

import numpy as np
import pandas as pd

from skillsgap.errors import PlanError

TEXTS = ("tier", "provider", "mode", "languages", "prerequisites", "eligibility")


def checked_courses(courses: pd.DataFrame, *, currency: str | None = None,
                    price_year: int | None = None) -> pd.DataFrame:
    """Courses sorted by course_id with every column a plan reads.

    Parameters
    ----------
    courses : DataFrame: course_id, cost_per_seat (> 0) and fixed_cost (>= 0) in one currency; optional tier,
        provider, mode, languages, prerequisites, eligibility (text; empty = none), hours (>= 0, empty = 0),
        class_min and seats_max (empty = no such rule), currency, price_year.
    currency, price_year : those of the budget; None = not compared.

    Returns
    -------
    DataFrame: the same columns, with hours, class_min >= 1 and seats_max (inf = no limit) as numbers.

    Raises
    ------
    PlanError
        Naming the course, the column, its value and what to do.

    Examples
    --------
    >>> offer = pd.DataFrame({"course_id": ["b", "a"], "cost_per_seat": [10.0, 20.0], "fixed_cost": [0.0, 5.0]})
    >>> checked_courses(offer)[["course_id", "class_min", "seats_max"]].to_numpy().tolist()
    [['a', 1.0, inf], ['b', 1.0, inf]]
    """
    _columns("courses", courses, ("course_id", "cost_per_seat", "fixed_cost"))
    if courses.empty:
        raise PlanError("courses has no row; without courses there is no plan.")
    table = courses.astype({"course_id": str}).sort_values("course_id", ignore_index=True)
    table = table.reindex(columns=list(dict.fromkeys([*table, *TEXTS, "hours", "class_min", "seats_max"])))
    for column in TEXTS:
        table[column] = table[column].astype("string").fillna("").str.strip().astype(str)
    ids = table["course_id"]
    refuse("course", ids, ids.duplicated(), "appears twice; give each course one row")
    refuse("course", ids, ids.str.contains("[|;=>]"), "has | ; = or > in its course_id; use other characters")
    _prices(table, currency, price_year)
    number = table[["hours", "class_min", "seats_max"]].astype(float)
    least = np.ceil(number["class_min"].fillna(0.0).clip(lower=1.0))
    most = np.floor(number["seats_max"].fillna(np.inf))
    refuse("course", ids, number["hours"] < 0, "has hours below 0; give its length", table["hours"])
    refuse("course", ids, least > most, "has a class_min above its seats_max; lower it or add seats",
           table["class_min"].astype(str) + " > " + table["seats_max"].astype(str))
    return table.assign(hours=number["hours"].fillna(0.0), class_min=least, seats_max=most)


def _prices(table, currency, price_year):
    ids, seat, fixed = table["course_id"], table["cost_per_seat"].astype(float), table["fixed_cost"].astype(float)
    refuse("course", ids, ~(np.isfinite(seat) & (seat >= 0)),
           "has a negative or missing cost_per_seat; give an amount > 0", seat)
    refuse("course", ids, seat == 0, "has cost_per_seat 0; give the true cost, or 0.01 where it is free")
    refuse("course", ids, ~(np.isfinite(fixed) & (fixed >= 0)),
           "has a negative or missing fixed_cost; give an amount >= 0", fixed)
    for column, ours in (("currency", currency), ("price_year", price_year)):
        if ours is None:
            continue
        _columns("courses", table, (column,))
        refuse("course", ids, table[column] != ours,
               f"has another {column} than the budget's {ours}; convert its prices", table[column])


def checked_effects(course_effects: pd.DataFrame, courses: pd.DataFrame, *, scale: float = 4.0) -> pd.DataFrame:
    """Effects of the courses offered, sorted by course_id and competency_id.

    Parameters
    ----------
    course_effects : DataFrame: course_id, competency_id, gain (levels, at most `scale`; negative counts as 0),
        sd (levels, 0 to `scale`); optional half_life_months (> 0, empty = no decay), evidence. An effect given
        as a standardised d must be made a gain first: d x SD of the levels.
    courses : DataFrame from `checked_courses`; effects of other courses are left out.
    scale : levels from lowest to highest, which nobody can be raised by more than.

    Returns
    -------
    DataFrame: course_id, competency_id, gain, sd, half_life_months (inf = no decay), evidence.

    Raises
    ------
    PlanError
        Naming the course, the competency, the value and what to do.
    """
    _columns("course_effects", course_effects, ("course_id", "competency_id", "gain", "sd"))
    table = course_effects.astype({"course_id": str, "competency_id": str})
    table = table[table["course_id"].isin(courses["course_id"])]
    table = table.sort_values(["course_id", "competency_id"], ignore_index=True)
    table = table.reindex(columns=list(dict.fromkeys([*table, "d", "half_life_months", "evidence"])))
    ids = table["course_id"] + ", competency " + table["competency_id"]
    gain, sd, d, half = (table[name].astype(float) for name in ("gain", "sd", "d", "half_life_months"))
    refuse("course", ids, ids.duplicated(), "has two effects on one competency; keep one")
    refuse("course", ids, gain.isna() & d.notna(), "has an effect d without gain; give gain = d x SD of the levels", d)
    refuse("course", ids, gain.isna(), "has neither gain nor d; give the gain in levels")
    refuse("course", ids, gain > scale, f"has a gain above the scale's {scale:g} levels; rescale it", gain)
    refuse("course", ids, ~(sd >= 0), "has a negative or missing sd; give sd >= 0", sd)
    refuse("course", ids, sd > scale, f"has an sd above the scale's {scale:g} levels; rescale it", sd)
    refuse("course", ids, half <= 0, "has a half_life_months of 0 or less; leave it empty for no decay", half)
    evidence = table["evidence"].astype("string").fillna("").astype(str)
    return table[["course_id", "competency_id"]].assign(
        gain=gain.clip(lower=0.0), sd=sd, half_life_months=half.fillna(np.inf), evidence=evidence)


def refuse(kind: str, ids: pd.Series, wrong, what: str, values: pd.Series | None = None) -> None:
    """Raise PlanError where any row is wrong: one line with the first of them, its value and how many there are.

    Examples
    --------
    >>> refuse("course", pd.Series(["a", "b"]), [False, True], "is odd; mend it", pd.Series([1, 2]))
    Traceback (most recent call last):
    skillsgap.errors.PlanError: course b is odd; mend it (came: 2); 1 such row(s).
    """
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        came = "" if values is None else f" (came: {values.iloc[first]})"
        raise PlanError(f"{kind} {ids.iloc[first]} {what}{came}; {int(wrong.sum())} such row(s).")


def _columns(name, table, wanted):
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise PlanError(f"{name} has no column {missing[0]}; add it.")
