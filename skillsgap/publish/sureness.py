"""How sure a figure is, in words: its interval, what its levels rest on, and what silence may hide."""

import pandas as pd

from skillsgap.contracts import LEVELS
from skillsgap.estimate.survey.response import tipping_point
from skillsgap.publish.naming import value
from skillsgap.wording import N_

BASES = {
    "self_reported": N_("self-reported"),
    "tested": N_("self-rated and calibrated to what an assessor found"),
    "transferred": N_("self-rated and corrected by what an assessor found in other competencies"),
}


def sureness(message, values, competency, tables, context):
    """A typed message of an interval with what its levels rest on and the tipping point of the claim they are below.

    Parameters
    ----------
    message : str
        The interval and the number of answers, with {named} places.
    values : dict
        Typed values of these places.
    competency : str
    tables : dict of str to DataFrame
        Released tables.
    context : Context

    Returns
    -------
    dict
        A typed value.
    """
    sure = value("message", message, values=values)
    if context.self_reported:
        basis = value("message", BASES[context.basis.get(competency, "self_reported")])
        sure = value("message", N_("{sure}, {basis}"), values={"sure": sure, "basis": basis})
    tipping = _tipping(competency, tables, context)
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
    silent = value("percent", 1 - rate)
    if pd.isna(row["direction"]) or row["direction"] != "higher":
        return value("message", N_("the {silent} who did not answer might change on which side of it staff are on "
                                   "average"), values={"silent": silent})  # fmt: skip
    if not row["possible"]:
        return value("message", N_("that staff are below it on average holds however the {silent} who did not answer "
                                   "would rate"), values={"silent": silent})  # fmt: skip
    levels = value("number", row["tipping_point"], digits=1)
    return value("message", N_("that staff are below it on average holds unless the {silent} who did not answer "
                               "stand {levels} levels above those who did"),
                 values={"silent": silent, "levels": levels})  # fmt: skip
