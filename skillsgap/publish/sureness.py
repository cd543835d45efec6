"""How sure a figure is, in words: its interval, what its levels rest on, and what silence may hide."""

import pandas as pd

from skillsgap.contracts import LEVELS
from skillsgap.estimate.survey.response import tipping_point
from skillsgap.publish.naming import value
from skillsgap.wording import N_

BASES = {
    "self_reported": N_("self-reported"),
    "tested": N_("calibrated to tests"),
    "transferred": N_("corrected as tested competencies are"),
}


def sureness(message, values, competency, context, *, tables=None):
    """A typed message of an interval with what its levels rest on and, once a page, the tipping point of the claim.

    Parameters
    ----------
    message : str
        The interval and the number of answers, with {named} places.
    values : dict
        Typed values of these places.
    competency : str
    context : Context
    tables : dict of str to DataFrame, optional
        Released tables; without them nothing is said of those who did not answer.

    Returns
    -------
    dict
        A typed value.
    """
    sure = value("message", message, values=values)
    if context.self_reported:
        basis = value("message", BASES[context.basis.get(competency, "self_reported")])
        sure = value("message", N_("{sure}, {basis}"), values={"sure": sure, "basis": basis})
    tipping = None if tables is None else _tipping(competency, tables, context)
    if tipping is None:
        return sure
    return value("message", N_("{sure}; {tipping}"), values={"sure": sure, "tipping": tipping})


def _tipping(competency, tables, context):
    """How unlike those who didn't answer would have to be for staff to be at the required level on average, or None."""
    rate = context.response_rate
    if rate is None or rate >= 1:
        return None
    gaps = tables["gaps"]
    mine = gaps[(gaps["by"] == "all") & (gaps["competency_id"] == competency)].set_index("statistic")
    if not {"level", "required"} <= set(mine.index) or mine.loc[["level", "required"], "estimate"].isna().any():
        return None
    threshold = mine.at["required", "estimate"]
    row = tipping_point(mine.loc[["level"]], rate, threshold=threshold, lowest=LEVELS[0], highest=LEVELS[1]).iloc[0]
    if pd.isna(row["direction"]) or row["direction"] != "higher":
        return value("message", N_("non-respondents could tip the average to either side"))
    if not row["possible"]:
        return value("message", N_("below on average whatever non-respondents would say"))
    levels = value("number", row["tipping_point"], digits=1)
    return value("message", N_("below on average unless non-respondents are {levels} levels better"),
                 values={"levels": levels})  # fmt: skip
