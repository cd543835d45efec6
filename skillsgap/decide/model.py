"""What a plan is made of: blocks of staff no rule tells apart, the courses for them, what a seat closes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.errors import PlanError

NEED_TYPE = ["role_id", "role_level", "profile", "need_band"]  # the columns that decide a person's shortfalls
HIGHEST_LEVEL = 4.0  # levels run from 0 none to 4 expert, so no course can raise anybody by more


@dataclass(frozen=True)
class Model:
    """Coefficients of the plan, built once for all budgets; a pair is a block and a course that helps it."""

    cohorts: pd.DataFrame  # sorted by cohort_id, with integer columns type and block
    courses: pd.DataFrame  # sorted by course_id, bounds filled in
    competencies: tuple[str, ...]
    terms: pd.DataFrame  # a seat's value in pieces: type, course, competency, coef, shortfall, gain, sd
    n_effects: int
    headcount: np.ndarray  # (n_blocks,) people
    need_per_head: np.ndarray  # (n_blocks,) weighted levels
    need: np.ndarray  # (n_competencies,) weighted levels, all staff
    pair_block: np.ndarray  # (n_pairs,)
    pair_course: np.ndarray  # (n_pairs,)
    pair_closed: np.ndarray  # (n_pairs, n_competencies) weighted levels closed by one seat

    @property
    def pair_value(self) -> np.ndarray:
        """Weighted levels one seat closes, all competencies together."""
        return self.pair_closed.sum(axis=1)


def eligible(cohorts: pd.DataFrame, courses: pd.DataFrame) -> pd.DataFrame:
    """Who may take which course.

    Parameters
    ----------
    cohorts : DataFrame, one row a cohort, with cohort_id and every column that a rule names.
    courses : DataFrame with course_id and eligibility: "" for everybody, or parts "column=value|value" joined
        by ";" that must all hold.

    Returns
    -------
    DataFrame of bool, index cohort_id, columns course_id, in the order of the inputs.

    Raises
    ------
    PlanError
        If a rule names an unknown column or cannot be read.

    Examples
    --------
    >>> staff = pd.DataFrame({"cohort_id": ["a", "b"], "role_level": ["junior", "lead"]})
    >>> offer = pd.DataFrame({"course_id": ["basics", "risk"], "eligibility": ["", "role_level=senior|lead"]})
    >>> eligible(staff, offer).to_numpy().tolist()
    [[True, False], [True, True]]
    """
    ids, rules = courses["course_id"].to_numpy(), courses["eligibility"].astype("string").fillna("")
    allowed = np.zeros((len(cohorts), len(ids)), dtype=bool)
    for place, (course_id, rule) in enumerate(zip(ids, rules, strict=True)):
        allowed[:, place] = _rule_mask(cohorts, course_id, rule)
    return pd.DataFrame(allowed, index=cohorts["cohort_id"].to_numpy(), columns=ids)


def _rule_mask(cohorts, course_id, rule):
    mask = np.ones(len(cohorts), dtype=bool)
    for part in filter(None, (text.strip() for text in rule.split(";"))):
        column, equals, values = (text.strip() for text in part.partition("="))
        if not (column and equals and values):
            raise PlanError(f'course {course_id}: eligibility "{part}" is not column=value|value; mend it.')
        if column not in cohorts.columns:
            known = ", ".join(name for name in cohorts.columns if name not in ("cohort_id", "headcount"))
            raise PlanError(f'course {course_id}: eligibility names "{column}", no column of cohorts; '
                            f"use one of {known}.")
        wanted = {value.strip() for value in values.split("|")}
        mask &= cohorts[column].astype(str).isin(wanted).to_numpy()
    return mask


def build_model(cohorts, shortfalls, courses, course_effects, weights) -> Model:
    """What one seat of each course is worth to a person of each cohort, over the distribution of shortfalls.

    value(cohort, course) = sum_j weight_j E[min(shortfall_j, gain_j)]. Cohorts with the same need type and
    the same useful courses form a block. Parameters and errors as in `plan_training`.
    """
    cohorts, courses = _checked_cohorts(cohorts), _checked_courses(courses)
    allowed = eligible(cohorts, courses).to_numpy()
    _refuse("course", courses["course_id"], ~allowed.any(axis=0),
            "has an eligibility that fits no cohort; correct the rule or leave the course out",
            courses["eligibility"])
    cohorts["type"] = cohorts.groupby(NEED_TYPE, sort=True).ngroup()
    needs = _needs(cohorts, shortfalls, weights)
    names = tuple(sorted(needs["competency_id"].unique()))
    effects = _checked_effects(course_effects, courses)
    terms = needs.merge(effects, on="competency_id")
    terms["competency"] = pd.Index(names).get_indexer(terms["competency_id"])
    keys = ["type", "course", "competency", "shortfall", "coef", "gain", "sd", "effect"]
    terms = terms[keys].sort_values(keys, ignore_index=True)

    n_types, n_courses, n_names = cohorts["type"].max() + 1, len(courses), len(names)
    cell = (terms["type"] * n_courses + terms["course"]) * n_names + terms["competency"]
    closed = np.bincount(cell, terms["coef"] * np.minimum(terms["shortfall"], terms["gain"]),
                         minlength=n_types * n_courses * n_names).reshape(n_types, n_courses, n_names)
    cell = needs["type"] * n_names + pd.Index(names).get_indexer(needs["competency_id"])
    need = np.bincount(cell, needs["coef"] * needs["shortfall"],
                       minlength=n_types * n_names).reshape(n_types, n_names)

    useful = allowed & (closed.sum(axis=2) > 0)[cohorts["type"]]
    key = np.column_stack([cohorts["type"], useful])
    blocks, cohorts["block"] = np.unique(key, axis=0, return_inverse=True)
    pair_block, pair_course = np.nonzero(blocks[:, 1:])
    heads = np.bincount(cohorts["block"], cohorts["headcount"]).astype(np.int64)
    return Model(
        cohorts=cohorts, courses=courses, competencies=names, terms=terms, n_effects=len(effects),
        headcount=heads, need_per_head=need[blocks[:, 0]].sum(axis=1), need=heads @ need[blocks[:, 0]],
        pair_block=pair_block, pair_course=pair_course,
        pair_closed=closed[blocks[pair_block, 0], pair_course],
    )


def _checked_cohorts(cohorts):
    if cohorts.empty:
        raise PlanError("cohorts has no row; a plan needs at least one cohort of staff.")
    table = cohorts.sort_values("cohort_id", ignore_index=True)
    ids, heads = table["cohort_id"], table["headcount"].to_numpy(dtype=float)
    _refuse("cohort", ids, ids.duplicated(), "appears twice; give each cohort one row")
    whole = np.isfinite(heads) & (heads >= 0) & (heads == np.floor(heads))
    _refuse("cohort", ids, ~whole, "needs a whole head-count >= 0; round it", table["headcount"])
    return table.astype(dict.fromkeys(NEED_TYPE, str)).assign(headcount=heads.astype(np.int64))


def _checked_courses(courses):
    if courses.empty:
        raise PlanError("courses has no row; without courses there is no plan.")
    table = courses.sort_values("course_id", ignore_index=True)
    ids = table["course_id"]
    _refuse("course", ids, ids.duplicated(), "appears twice; give each course one row")
    for column in ("cost_per_seat", "fixed_cost"):
        money = table[column].to_numpy(dtype=float)
        _refuse("course", ids, ~(np.isfinite(money) & (money >= 0)),
                f"has a negative or missing {column}; give an amount >= 0", table[column])
    # An empty class_min or seats_max is a rule that the course does not have.
    least = table["class_min"].astype(float).fillna(0.0).clip(lower=1.0)
    most = table["seats_max"].astype(float).fillna(np.inf)
    return table.assign(class_min=np.ceil(least), seats_max=np.floor(most))


def _checked_effects(course_effects, courses):
    table = course_effects[course_effects["course_id"].isin(courses["course_id"])]
    table = table.sort_values(["course_id", "competency_id"], ignore_index=True)
    ids, gain, sd = table["course_id"], table["gain"], table["sd"]
    doubled = table.duplicated(["course_id", "competency_id"])
    _refuse("course", ids, doubled, "has two effects on one competency; keep one", table["competency_id"])
    _refuse("course", ids, ~(gain <= HIGHEST_LEVEL),
            f"needs a gain in levels, at most {HIGHEST_LEVEL:g}; rescale it", gain)
    _refuse("course", ids, ~(sd >= 0), "has a negative or missing sd; give sd >= 0", sd)
    return pd.DataFrame({
        "competency_id": table["competency_id"], "course": pd.Index(courses["course_id"]).get_indexer(ids),
        "gain": gain.clip(lower=0.0), "sd": sd, "effect": np.arange(len(table)),
    })


def _needs(cohorts, shortfalls, weights):
    """Rows type, competency_id, shortfall, coef = share x weight."""
    role, full = ["role_id", "role_level"], [*NEED_TYPE, "competency_id"]
    table = shortfalls.astype(dict.fromkeys(NEED_TYPE, str))
    total = table.groupby(full)["share"].sum()
    if not ((total - 1).abs() <= 1e-6).all() or not (table[["shortfall", "share"]] >= 0).all(axis=None):
        where = (total - 1).abs().idxmax()
        raise PlanError(f"shortfalls: shortfall >= 0 and share >= 0 with sum 1 are expected; "
                        f"{'/'.join(where)} has the sum {total[where]:g}. Divide shares by their sum.")
    importance = weights[[*role, "competency_id", "weight"]].astype(dict.fromkeys(role, str))
    if importance.duplicated([*role, "competency_id"]).any() or not (importance["weight"] >= 0).all():
        raise PlanError("weights: one row a role, role level and competency with weight >= 0 is expected; "
                        "remove doubles and negative or missing weights.")
    types = cohorts[[*NEED_TYPE, "type"]].drop_duplicates()
    table = table.merge(types, on=NEED_TYPE).merge(importance, on=[*role, "competency_id"])
    if table.empty:
        raise PlanError("cohorts, shortfalls and weights have no role, profile and need band in common; "
                        "check that they were made with the same ids.")
    table["coef"] = table["share"] * table["weight"]
    keys = ["type", "competency_id", "shortfall", "coef"]
    return table[keys].sort_values(keys, ignore_index=True)


def _refuse(kind, ids, wrong, what, values=None):
    """One line naming the first offender, its value and how many there are."""
    wrong = np.asarray(wrong)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        came = "" if values is None else f" (came: {values.iloc[first]})"
        raise PlanError(f"{kind} {ids.iloc[first]} {what}{came}; {int(wrong.sum())} such row(s).")
