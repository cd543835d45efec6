"""Answers that stand one a row, turned into one respondent a row."""

import pandas as pd

from skillsgap.wording import N_


def widen(loaded):
    """Turn a long table of answers into a wide one: a column an item, the other columns as they are.

    Parameters
    ----------
    loaded : Loaded
        Its frame is replaced. An item answered twice by a person, and a column that says two things of one
        person, are faults.
    """
    item, answer = loaded.spec["long"]["item"], loaded.spec["long"]["answer"]
    frame, mapped = loaded.frame, loaded.spec.get("columns", {})
    person = [mapped.get(name, name) for name in ("staff_id", "wave") if mapped.get(name, name) in frame]
    if not person:
        loaded.fault(None, "staff_id", N_("answers stand one a row, and no column says whose they are"),
                     N_("map staff_id in data.responses.columns"))  # fmt: skip
        return
    again = frame[frame.duplicated([*person, item])]
    if len(again):
        said = {"who": " ".join(again.iloc[0][person]), "item": again.iloc[0][item]}
        loaded.fault(again, item, N_("{who!r} answers {item} twice"), N_("keep one of the answers"), said)
    others = [column for column in frame if column not in (item, answer)]
    each = frame[others].drop_duplicates()
    two = each[each.duplicated(person)]
    if len(two):
        said = {"who": " ".join(two.iloc[0][person])}
        loaded.fault(two, " + ".join(person), N_("the rows of {who!r} differ in more than the answer"),
                     N_("make them alike, or leave the column out"), said)  # fmt: skip
    first = frame.drop_duplicates([*person, item])
    wide = first.set_index([*person, item])[answer].unstack(item, fill_value="")
    people = frame[others].drop_duplicates(person)
    joined = people.join(wide, on=person)
    loaded.frame = pd.DataFrame(joined).rename_axis(index="line")
