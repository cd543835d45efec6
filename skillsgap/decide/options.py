"""What one person can be given: a course, a declared sequence of courses, or a place staffed otherwise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.decide.catalogue import checked_courses, checked_effects, refuse
from skillsgap.decide.eligibility import eligible
from skillsgap.decide.staffing import ROLES, checked_staffing, may_be_staffed
from skillsgap.errors import PlanError

STEP = ["option", "course_id", "provider", "tier", "mode", "cost", "hours", "seats", "period", "refresher"]


@dataclass(frozen=True)
class Options:
    """Options and what they are made of; `option` in a table is the row number in `options`.

    `options`: option_id, kind (train, redeploy, hire, contract), courses ("B02>P01"), tier (of the last course),
    period (of the first step, from 0), cost (money a seat, all steps), hours (all steps), needs (what a person must
    have: "" or sorted parts joined by ";"), places (most people), attrition (a year; NaN = that of the role),
    role_id, role_level, to_role_id, to_role_level (of staffing, else ""). `steps`: one row a course taken, staffing
    one with course_id "". `gains`: option, competency_id ("*" = all), period, effect (row of `effects`, -1 = the
    whole shortfall), factor (part of the gain left). `effects` and `courses`: checked.
    """

    options: pd.DataFrame
    steps: pd.DataFrame
    gains: pd.DataFrame
    effects: pd.DataFrame
    courses: pd.DataFrame
    n_periods: int
    months: float


def training_options(
    courses: pd.DataFrame, course_effects: pd.DataFrame, *, n_periods: int = 1, months: float = 12,
    hours_usual: float | None = None, hours_promotion: float | None = None, languages: tuple = (),
    device_modes: tuple = ("online",), refreshers: dict | None = None, completed: bool = True,
    sequences: bool = True, spread: int | None = None, staffing: pd.DataFrame | None = None,
    currency: str | None = None, price_year: int | None = None, scale: float = 4.0,
) -> Options:
    """Everything one person can be given, with its price, its gains by period and what it asks of the person.

    A course without prerequisites is an option; one with prerequisites is the last step of the sequence of all it
    needs, and an option of its own for those who have completed them. Gains halve every half_life_months.

    Parameters
    ----------
    courses, course_effects : DataFrame, see `checked_courses` and `checked_effects`; prerequisites are course_ids
        joined by "|", all of them needed.
    n_periods, months : number of periods in which an option may start, and the length of one.
    hours_usual, hours_promotion : most hours of a person in one period, usually and inside a promotion window; an
        option above the first needs "long=yes", one above the second is left out. None = no such rule.
    languages : those that staff speak; a course not given in all of them needs one of its own. () = no such rule.
    device_modes : modes that need a device ("device_access=yes").
    refreshers : {"share": s}: a later, shorter run at s x cost and hours puts the gain back and decay starts anew.
    completed, sequences : whether those two kinds of options exist.
    spread : periods between the steps of a sequence; None = all in one period.
    staffing : DataFrame, see `checked_staffing`.
    currency, price_year : those of the budget, which the courses must have.
    scale : levels from lowest to highest.

    Raises
    ------
    PlanError
        For bad input, one line that names the course, the column, the value and the remedy.

    Examples
    --------
    >>> offer = pd.DataFrame({"course_id": ["B", "P"], "prerequisites": ["", "B"], "hours": [10, 20],
    ...                       "cost_per_seat": [100.0, 300.0], "fixed_cost": [0.0, 0.0]})
    >>> effect = pd.DataFrame({"course_id": ["B", "P"], "competency_id": "c", "gain": [1.0, 0.5], "sd": 0.2})
    >>> training_options(offer, effect).options[["option_id", "cost", "hours", "needs"]].to_numpy().tolist()
    [['B', 100.0, 10.0, ''], ['B>P', 400.0, 30.0, ''], ['P', 300.0, 20.0, 'completed=B']]
    """
    share = _checked_numbers(n_periods, months, hours_usual, hours_promotion, refreshers, spread)
    offer = checked_courses(courses, currency=currency, price_year=price_year)
    effects, ways = checked_effects(course_effects, offer, scale=scale), checked_staffing(staffing)
    fading = set(effects.loc[np.isfinite(effects["half_life_months"]), "course_id"]) if share else set()
    rows = [row for route, done in _routes(offer, sequences, completed)
            for row in _taken(route, done, n_periods, spread or 0, fading)]
    steps = _priced(pd.DataFrame(rows, columns=[
        "option_id", "done", "order", "course_id", "period", "refresher"]), offer, share)
    busiest = steps.groupby(["option_id", "period"])["hours"].sum().groupby("option_id").max()
    long = busiest[busiest > (np.inf if hours_usual is None else hours_usual)].index
    steps = steps[~steps["option_id"].isin(busiest[
        busiest > (np.inf if hours_promotion is None else hours_promotion)].index)]
    options = _described(steps, offer, long, languages, device_modes)
    extra = _staffed(ways, n_periods)
    options = pd.concat([options, extra], ignore_index=True).sort_values("option_id", ignore_index=True)
    if options.empty:
        raise PlanError("no option is left; raise hours_promotion, or allow sequences or completed courses.")
    number = pd.Series(options.index, options["option_id"])
    gains = pd.concat([_gains(steps, effects, n_periods, months), _filled(extra, n_periods)], ignore_index=True)
    gains.insert(0, "option", number[gains.pop("option_id")].to_numpy())
    kept = extra.assign(course_id="", provider="", mode="", seats=1, refresher=False, order=0)
    steps = pd.concat([steps, kept], ignore_index=True).assign(option=lambda t: number[t["option_id"]].to_numpy())
    steps = steps.sort_values(["option", "order"], ignore_index=True)[STEP]
    gains = gains.sort_values(["option", "competency_id", "period", "effect"], ignore_index=True)
    return Options(options, steps, gains, effects, offer, n_periods, float(months))


def allowed(cohorts: pd.DataFrame, options: Options) -> np.ndarray:
    """Who may be given what: bool (n_cohorts, n_options), the rules of all courses of an option together.

    What `needs` asks of single persons is not looked at here: a cohort may have some who meet it.

    Raises
    ------
    PlanError
        If a rule cannot be read, or a course or way of staffing fits no cohort.
    """
    offer, table, steps = options.courses, options.options, options.steps
    may = eligible(cohorts, offer).to_numpy()
    remedy = "has an eligibility that fits no cohort; correct the rule or leave the course out"
    refuse("course", offer["course_id"], ~may.any(axis=0), remedy, offer["eligibility"])
    taken = np.zeros((len(offer), len(table)), dtype=np.int64)
    place = pd.Index(offer["course_id"]).get_indexer(steps["course_id"])
    taken[place[place >= 0], steps["option"].to_numpy()[place >= 0]] = 1
    result = (~may).astype(float) @ taken == 0
    staffed = np.flatnonzero(table["kind"] != "train")
    result[:, staffed] = may_be_staffed(cohorts, table.iloc[staffed])
    refuse("staffing", table["option_id"].iloc[staffed], ~result[:, staffed].any(axis=0),
           "fits no cohort; correct role_id and role_level")
    ends = table["courses"].str.rpartition(">")[2]
    closed = pd.Series(result.any(axis=0)).groupby(ends.to_numpy()).transform("any").to_numpy()
    refuse("course", ends, ~closed, "has prerequisites whose eligibility shuts out all who may take it; correct one",
           table["courses"])
    return result


def _checked_numbers(n_periods, months, hours_usual, hours_promotion, refreshers, spread):
    """The share of a refresher, 0 without refreshers."""
    if not (isinstance(n_periods, int | np.integer) and n_periods >= 1):
        raise PlanError(f"n_periods must be a whole number >= 1, but is {n_periods}; 1 plans one period.")
    if not 0 < months < np.inf:
        raise PlanError(f"months must be > 0, but is {months}; give the length of a period.")
    for name, hours in (("hours_usual", hours_usual), ("hours_promotion", hours_promotion)):
        if hours is not None and not hours > 0:
            raise PlanError(f"{name} must be > 0, but is {hours}; leave it out for no limit.")
    if None not in (hours_usual, hours_promotion) and hours_promotion < hours_usual:
        raise PlanError(f"hours_promotion {hours_promotion} is below hours_usual {hours_usual}; "
                        "a promotion window gives more time, so raise it.")
    if spread is not None and not (isinstance(spread, int | np.integer) and spread >= 0):
        raise PlanError(f"spread must be a whole number of periods >= 0, but is {spread}; None = all in one.")
    share = 0.0 if refreshers is None else refreshers.get("share", np.nan)
    if refreshers is not None and not 0 < share <= 1:
        raise PlanError(f"refreshers needs a share above 0 and at most 1, but has {share}; 0.3 is usual.")
    return share


def _routes(offer, sequences, completed):
    """Courses in the order in which they are taken, and prerequisites a person must bring."""
    asked = {course: tuple(filter(None, (part.strip() for part in text.split("|"))))
             for course, text in zip(offer["course_id"], offer["prerequisites"], strict=True)}
    for course, needed in asked.items():
        unknown = [name for name in needed if name not in asked]
        if unknown:
            raise PlanError(f"course {course}: prerequisites name {unknown[0]}, which is no course; correct the id, "
                            "or add the course.")
    before = {}

    def visit(course, path):
        if course in path:
            loop = " > ".join([*path[path.index(course):], course])
            raise PlanError(f"course {course}: prerequisites run in a circle ({loop}); take one of them out.")
        if course not in before:
            earlier = [name for needed in asked[course] for name in visit(needed, (*path, course))]
            before[course] = tuple(dict.fromkeys([*earlier, course]))
        return before[course]

    routes = []
    for course in asked:
        whole = visit(course, ())
        routes += [(whole, ())] if sequences or len(whole) == 1 else []
        routes += [((course,), asked[course])] if completed and len(whole) > 1 else []
    return routes


def _taken(route, done, n_periods, spread, fading):
    """Rows option_id, done, order, course_id, period, refresher: every start, with and without a refresher."""
    last, rows = spread * (len(route) - 1), []
    for start in range(n_periods - last):
        again = range(start + last + 1, n_periods) if fading.intersection(route) else ()
        for refresher in (None, *again):
            when = "" if n_periods == 1 else f"@{start + 1}" + ("" if refresher is None else f"+{refresher + 1}")
            name = ">".join(route) + when
            rows += [(name, done, k, course, start + k * spread, False) for k, course in enumerate(route)]
            if refresher is not None:
                rows += [(name, done, len(route) + k, course, refresher, True) for k, course in enumerate(route)
                         if course in fading]
    return rows


def _priced(steps, offer, share):
    """Steps with the price, hours and seat of each; a refresher costs its share of both."""
    known = offer.set_index("course_id").loc[steps["course_id"]].reset_index(drop=True)
    part = np.where(steps["refresher"], share, 1.0)
    return steps.assign(provider=known["provider"], tier=known["tier"], mode=known["mode"], seats=1,
                        languages=known["languages"], cost=known["cost_per_seat"].astype(float) * part,
                        hours=known["hours"] * part)


def _described(steps, offer, long, languages, device_modes):
    """One row an option: what it costs, how long it takes, what it asks of a person."""
    speech = {course: frozenset(filter(None, (part.strip() for part in text.split("|"))))
              for course, text in zip(offer["course_id"], offer["languages"], strict=True)}
    needs = {}
    for name, own in steps.groupby("option_id"):
        parts = {f"completed={course}" for course in own["done"].iloc[0]}
        spoken = {speech[course] for course in own["course_id"]}
        spoken = {group for group in spoken if group and not group.issuperset(languages)}
        parts |= {"language=" + "|".join(sorted(group)) for group in spoken
                  if not any(other < group for other in spoken)}
        parts |= {"device_access=yes"} if own["mode"].isin(device_modes).any() else set()
        parts |= {"long=yes"} if name in long else set()
        needs[name] = ";".join(sorted(parts))
    courses = steps[~steps["refresher"]].groupby("option_id")
    return pd.DataFrame({
        "kind": "train", "courses": courses["course_id"].agg(">".join), "tier": courses["tier"].last(),
        "period": courses["period"].min(), "cost": steps.groupby("option_id")["cost"].sum(),
        "hours": steps.groupby("option_id")["hours"].sum(), "needs": pd.Series(needs, dtype=str),
        "places": np.inf, "attrition": np.nan, **dict.fromkeys(ROLES, ""),
    }).rename_axis("option_id").reset_index()


def _staffed(ways, n_periods):
    """One row a way and the period in which it starts, with the columns of options."""
    starts = ways.merge(pd.DataFrame({"period": range(n_periods)}), how="cross")
    when = "" if n_periods == 1 else "@" + (starts["period"] + 1).astype(str)
    return starts.assign(option_id=starts["name"] + when, courses="", tier="", hours=0.0, needs="")[
        ["option_id", "kind", "courses", "tier", "period", "cost", "hours", "needs", "places", "attrition", *ROLES]]


def _gains(steps, effects, n_periods, months):
    """What is left of each gain in each period, since the step or its refresher."""
    key = ["option_id", "course_id"]
    again = steps.loc[steps["refresher"], [*key, "period"]].rename(columns={"period": "again"})
    table = steps.loc[~steps["refresher"], [*key, "period"]].rename(columns={"period": "taken"})
    table = table.merge(again, on=key, how="left").merge(effects.rename_axis("effect").reset_index(), on="course_id")
    table = table.merge(pd.DataFrame({"period": range(n_periods)}), how="cross")
    table = table[table["period"] >= table["taken"]]
    since = table["period"] - table["again"].where(table["period"] >= table["again"], table["taken"])
    factor = 0.5 ** (since * months / table["half_life_months"])
    return table[["option_id", "competency_id", "period", "effect"]].assign(factor=factor)


def _filled(extra, n_periods):
    """Staffing closes the whole shortfall from its period on."""
    table = extra[["option_id", "period"]].rename(columns={"period": "start"})
    table = table.merge(pd.DataFrame({"period": range(n_periods)}), how="cross")
    table = table[table["period"] >= table["start"]]
    return table[["option_id", "period"]].assign(competency_id="*", effect=-1, factor=1.0)
