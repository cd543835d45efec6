"""Answers held against their items: within their categories, the same way round, and each person's own."""

import numpy as np
import pandas as pd

from skillsgap.contracts import STATUS
from skillsgap.study.notation import typed
from skillsgap.wording import N_

ANCHORED = 5  # categories of an anchored item: level descriptors 0 none to 4 expert
ENOUGH = 30  # respondents from whom on a correlation is looked at
AGAINST = 0.1  # an item that goes against the others of its competency correlates below minus this, and clearly
KEYED = ("knowledge", "judgement")  # one answer is right, and the others are in no order
LONG = 20  # items from which on two people don't give all the same answers by chance


def answers(loaded, items):
    """Answers as numbers within each item's categories; reversed items turned round.

    Parameters
    ----------
    loaded : Loaded
        Its frame gets typed answers, its faults grow.
    items : DataFrame
        item_id, competency_id, type, n_categories, and where declared lowest and reverse.
    """
    found = {}
    for item in items.itertuples():
        name = item.item_id
        if item.type == "anchored" and item.n_categories != ANCHORED:
            loaded.fault(None, name, N_("item {item} is anchored and has {n} categories, not {anchored}"),
                         N_("declare another type, or one category a level"),
                         {"item": name, "n": f"{item.n_categories:g}", "anchored": ANCHORED})  # fmt: skip
        if name not in loaded.frame:
            loaded.fault(None, name, N_("there is no column {item}, which items declare"),
                         N_("add it, or drop the item"), {"item": name})  # fmt: skip
            continue
        found[name] = _answer(loaded, item)
    loaded.frame = loaded.frame.assign(**found)
    if not loaded.faults:
        _answered(loaded, list(found))
        _reversed(loaded, items)
        _copied(loaded, list(found))


def _answer(loaded, item):
    name, before = item.item_id, len(loaded.faults)
    numbers = typed(loaded, name, "integer")
    lowest = getattr(item, "lowest", 0)
    lowest = 0 if pd.isna(lowest) else int(lowest)
    highest = lowest + int(item.n_categories) - 1
    outside = numbers.notna() & ~numbers.between(lowest, highest)
    if outside.any() and len(loaded.faults) == before:
        outside = loaded.frame[outside]
        said = {"value": f"{numbers[outside.index[0]]:g}", "low": lowest, "high": highest}
        loaded.fault(outside, name, N_("answer {value} is outside {low}..{high}"),
                     N_("correct it, add it to missing_codes, or correct lowest and n_categories of the item"), said)
    if getattr(item, "reverse", None) == "yes":
        numbers = lowest + highest - numbers
    # the categories of an anchored item are the levels 0 to 4, whatever the codes they came in
    return numbers - lowest if item.type == "anchored" else numbers


def _answered(loaded, names):
    """Who did not answer has no answers, and who completed the survey has some."""
    if "status" not in loaded.frame:
        return
    frame, asked = loaded.frame, [name for name in names if name not in loaded.spec.get("skip", {})]
    given = frame[asked].notna().sum(axis=1)
    silent = frame["status"].isna() | (frame["status"] == STATUS[-1])
    for odd, text in ((frame[silent & (given > 0)], N_("the status is {value!r}, and there are answers")),
                      (frame[(frame["status"] == STATUS[0]) & (given == 0)],
                       N_("the status is {value!r}, and there is no answer"))):  # fmt: skip
        if len(odd) and given.any():
            status = odd["status"].iloc[0]
            loaded.fault(odd, "status", text, N_("correct the status, or the row's answers"),
                         {"value": "" if pd.isna(status) else status})  # fmt: skip


def _accepted(loaded, check):
    return {rule.get("column") for rule in loaded.spec.get("accept", ()) if rule["check"] == check}


def _reversed(loaded, items):
    """An item that goes against the others of its competency is one whose reversal nobody declared."""
    if "competency_id" not in items:
        return
    ordered = items[~items["type"].isin(KEYED)].dropna(subset=["competency_id"])
    for competency, group in ordered.groupby("competency_id", sort=True):
        names = group["item_id"].tolist()
        if len(names) < 2 or _accepted(loaded, "reversed") & set(names):
            continue
        table = loaded.frame[names]
        against = {name: r for name in names if (r := _with_others(table, name)) is not None}
        if not against:
            continue
        worst = min(sorted(against), key=against.get)
        text = N_("item {item} goes against the other items of {competency} (correlation {r})")
        remedy = N_("say reverse: yes in items if it is worded the other way round; if the data are right, say so in "
                    "data.{table}.accept")  # fmt: skip
        loaded.fault(None, worst, text, remedy, {"item": worst, "competency": competency, "table": loaded.table,
                                                 "r": f"{against[worst]:.2f}".replace("-", "\u2212")})


def _with_others(table, name):
    """Correlation with the mean of the other items, where it is clearly negative; else None."""
    others = table.drop(columns=name).mean(axis=1)
    pairs = pd.DataFrame({"item": table[name], "others": others}).dropna()
    if len(pairs) < ENOUGH or (pairs.nunique() < 2).any():
        return None
    r = float(np.corrcoef(pairs["item"], pairs["others"])[0, 1])
    return r if r < -max(AGAINST, 2.6 / np.sqrt(len(pairs))) else None


def _copied(loaded, names):
    """The same long row of answers twice is one person's, entered twice."""
    if len(names) < LONG:
        return
    given = loaded.frame[names]
    given = given[given.notna().sum(axis=1) >= LONG]
    # who ticks one column all the way down has many doubles
    distinct = sum((given == code).any(axis=1).astype(int) for code in np.unique(given.stack()))
    given = given[distinct > 2] if len(given) else given
    again = given[given.duplicated(keep="first")]
    if len(again):
        first = given[given.eq(again.iloc[0]).where(given.notna(), given.isna() & again.iloc[0].isna()).all(axis=1)]
        said = {"lines": ", ".join(map(str, first.index[:3])), "n": int(again.iloc[0].notna().sum()),
                "table": loaded.table}  # fmt: skip
        text, remedy = N_("lines {lines} hold the same {n} answers"), N_("drop the copies; if they are different "
                                                                        "people, say so in data.{table}.accept")
        if _accepted(loaded, "same_answers"):
            loaded.note(loaded.frame.loc[again.index], None, text, N_("kept, as params say"), said)
        else:
            loaded.fault(loaded.frame.loc[again.index], None, text, remedy, said)
