"""What the rows of respondents say of how they were drawn, and what keeps errors from being told from it."""

import pandas as pd

from skillsgap.study.mapping import series
from skillsgap.study.notation import typed
from skillsgap.wording import N_

DRAWN = ("stratum", "psu", "fpc", "fpc2")


def sampled(loaded):
    """Find faults of the sample: places in it that some don't tell, populations that aren't, more answers than asked.

    Parameters
    ----------
    loaded : Loaded
        Responses; rows that did not answer are in it. A stratum that nobody tells is left out of them.
    """
    told, answered = loaded.spec.get("invited"), loaded.frame[loaded.frame["answered"]]
    n = len(answered)
    if isinstance(told, int) and told < n:
        loaded.fault(None, None, N_("{n} answered, and data.responses.invited says that {invited} were asked"),
                     N_("correct it, or write unknown"), {"n": n, "invited": told})  # fmt: skip
    there = [column for column in DRAWN if column in answered and answered[column].notna().any()]
    wrong = {fault.column for fault in loaded.faults}  # told as what it is
    for column in there:
        odd = answered[answered[column].isna()]
        if len(odd) and column not in wrong:
            loaded.fault(odd, column, N_("the value is empty"), N_("fill it in, or leave the column out"))
    asked = told if isinstance(told, int) else len(loaded.frame)
    shares = "fpc" in set(there) - wrong and answered["fpc"].between(0, 1, inclusive="right").all()
    if shares and "psu" not in there and n < asked:
        loaded.fault(answered, "fpc", N_("it is a share of those asked, and {silent} of them didn't answer"),
                     N_("give the number of people in each stratum"), {"silent": asked - n})  # fmt: skip
    if "fpc2" in there and not {"psu", "fpc"} <= set(there):
        loaded.note(answered, "fpc2", N_("it counts people in sampling units, and says nothing without {columns}"),
                    N_("left out"), {"columns": "psu, fpc"})  # fmt: skip
    if "stratum" in loaded.frame and "stratum" not in there:
        loaded.frame = loaded.frame.drop(columns="stratum")


def numbers(loaded):
    """Replicate weights and plausible values as numbers; what can't be read is a fault.

    Parameters
    ----------
    loaded : Loaded

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
    """
    frame, span = loaded.frame, loaded.spec.get("replicate_weights")
    columns = [column for column in series(loaded.spec) if column in frame]
    found = {column: typed(loaded, column, "number") for column in columns}
    if span is not None and span["to"] <= span["from"]:
        loaded.fault(None, None, N_("data.responses.replicate_weights go from {first} to {last}"),
                     N_("name two of them or more, the lower number first"),
                     {"first": span["from"], "last": span["to"]})  # fmt: skip
    answered = frame["answered"].astype(bool)
    for column in found if span is not None and answered.any() else ():
        odd = frame[found[column].isna() | (found[column] < 0)]
        if column.startswith(span["prefix"]) and len(odd):
            loaded.fault(odd, column, N_("a replicate weight is missing or negative"),
                         N_("send the replicate weights of every respondent"))  # fmt: skip
        elif column.startswith(span["prefix"]) and not found[column][answered].any():
            loaded.fault(frame[answered], column, N_("every replicate weight of this column is 0"),
                         N_("send the replicate weights of every respondent"))  # fmt: skip
    return pd.DataFrame(found, index=frame.index)
