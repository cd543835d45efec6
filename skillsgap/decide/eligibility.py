"""Who may take which course."""

import numpy as np
import pandas as pd

from skillsgap.errors import PlanError


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
