"""Codes taken through a crosswalk, with what the mapping loses and what it does not know."""

import pandas as pd

from skillsgap.study.loaded import ROWS, count
from skillsgap.wording import N_

UNMAPPED = "unmapped"  # the code of staff whose own code has no target: they are staff all the same
EXACT = 1e-6  # beyond that people would be lost or made
STAYS = ("register", "responses")  # rows that are kept where a code has no target


def whole(walk):
    """Find the fault of a crosswalk that sends a code to several without saying how much of it goes to each.

    Parameters
    ----------
    walk : Loaded
        Columns from, to, and where a code is split, weight. Its faults grow.
    """
    if walk.faults:
        return
    weight = walk.frame["weight"].fillna(1.0) if "weight" in walk.frame else pd.Series(1.0, walk.frame.index)
    total = weight.groupby(walk.frame["from"]).transform("sum")
    odd = walk.frame[(total - 1).abs() > EXACT]
    if len(odd):
        first = odd["from"].iloc[0]
        walk.fault(odd, "weight", N_("the weights of {value!r} sum to {total} over its {n} targets"),
                   N_("give each target its part, 1 in all"),
                   {"value": first, "total": f"{total[(total - 1).abs() > EXACT].iloc[0]:g}",
                    "n": int((walk.frame["from"] == first).sum())})  # fmt: skip


def cross(loaded, column, name, walk):
    """Take the codes of a column through a crosswalk.

    A code that is split goes to its parts by weight where rows are cells with head-counts, and to its largest
    part (the rest is loss) where a row is a person, since nobody can be split.

    Parameters
    ----------
    loaded : Loaded
        Its frame is replaced; `mapped` tells the unmapped share of rows and the mean loss of the others.
    column : str
    name : str
        Name of the crosswalk.
    walk : Loaded
        Columns from, to, weight (1 where it is absent), loss (0 where it is absent).
    """
    table = walk.frame[["from", "to"]].assign(
        weight=walk.frame["weight"].fillna(1.0) if "weight" in walk.frame else 1.0,
        loss=walk.frame["loss"].fillna(0.0) if "loss" in walk.frame else 0.0,
    )
    frame, split = loaded.frame, loaded.table == "register" and "headcount" in loaded.frame
    if not split:  # the largest part; ties go to the first in code order
        table = table.sort_values(["from", "weight", "to"], ascending=[True, False, True]).drop_duplicates("from")
        table = table.assign(loss=1 - table["weight"] * (1 - table["loss"]), weight=1.0)
    filled = frame[frame[column] != ""]
    odd = filled[~filled[column].isin(table["from"])]
    lost = filled[column].map(table.assign(l=table["loss"] * table["weight"]).groupby("from")["l"].sum())
    people = _people(filled)
    whole, known = people.sum(), people[lost.notna()].sum()
    loaded.mapped.append({
        "table": loaded.table, "column": column, "crosswalk": name, "rows": count(filled),
        "unmapped": float(1 - known / whole) if whole else 0.0,
        "loss": float((lost * people).sum() / known) if known else 0.0,
    })  # fmt: skip
    if len(odd) and len(odd) == len(filled):
        loaded.fault(odd, column, N_("none of its codes, such as {value!r}, is in the crosswalk {name}"),
                     N_("correct the crosswalk, or the column it is for"),
                     {"value": odd[column].iloc[0], "name": name})  # fmt: skip
    elif len(odd):
        loaded.note(odd, column, N_("{value!r} is not in the crosswalk {name}"), N_("counted as unmapped"),
                    {"value": odd[column].iloc[0], "name": name})  # fmt: skip
    if split:
        loaded.frame = _split(frame, column, table)
        return
    mapped = frame[column].map(table.set_index("from")["to"])
    mapped = mapped.where(frame[column] != "", "")
    loaded.frame = frame.assign(**{column: mapped.fillna(UNMAPPED)})
    if loaded.table not in STAYS:
        loaded.frame = loaded.frame[mapped.notna()]


def _people(frame):
    """Head-count of each row, as far as it can be read; its rows where there is none."""
    rows = frame[ROWS] if ROWS in frame else pd.Series(1, index=frame.index)
    if "headcount" not in frame:
        return rows
    return rows * pd.to_numeric(frame["headcount"], errors="coerce").fillna(0)


def _split(frame, column, table):
    """Cells by their parts, each with its part of the head-count."""
    parts = frame.assign(line=frame.index).merge(table, left_on=column, right_on="from", how="left")
    share = parts["weight"].fillna(1.0)
    code = parts["to"].fillna(UNMAPPED).where(parts[column] != "", "")
    people = pd.to_numeric(parts["headcount"], errors="coerce") * share
    parts = parts.assign(**{column: code, "headcount": people.map(repr).where(people.notna(), parts["headcount"])})
    return parts.set_index("line")[list(frame)]
