"""Answers that stand one a row, turned into one respondent a row."""

import pandas as pd

from skillsgap.study.spelling import blur
from skillsgap.wording import N_


def widen(loaded, items=()):
    """Turn a long table of answers into a wide one: a column an item, the other columns as they are.

    Parameters
    ----------
    loaded : Loaded
        Its frame is replaced. An item answered twice by a person, and a column that says two things of one
        person, are faults, and so is an item written otherwise than in `items`.
    items : collection of str
        Items as they are declared; the answers to others are left out, and one without answers is a fault.
    """
    item, answer = loaded.spec["long"]["item"], loaded.spec["long"]["answer"]
    _undeclared(loaded, item, items)
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
    silent = [name for name in items if name not in wide]
    for name in silent:
        loaded.fault(None, name, N_("there is no column {item}, which items declare"), N_("add it, or drop the item"),
                     {"item": name})  # fmt: skip
    people = frame[others].drop_duplicates(person)
    joined = people.join(wide, on=person).assign(**dict.fromkeys(silent, ""))  # conditions may ask for them
    loaded.frame = pd.DataFrame(joined).rename_axis(index="line")


def _undeclared(loaded, item, items):
    known = {blur(name): name for name in items}
    others = [name for name in sorted(set(loaded.frame[item])) if name not in items]
    alike = [name for name in others if blur(name) in known]
    if alike:
        odd = loaded.frame[loaded.frame[item].isin(alike)]
        said = {"value": odd[item].iloc[0], "near": known[blur(odd[item].iloc[0])]}
        loaded.fault(odd, item, N_("items write {value!r} as {near!r}"), N_("write the item alike in both"), said)
    elif others and len(items):
        odd = loaded.frame[loaded.frame[item].isin(others)]
        loaded.note(odd, item, N_("answers to {n} items, such as {value!r}, that items don't declare"), N_("left out"),
                    {"n": len(others), "value": odd[item].iloc[0]})  # fmt: skip
