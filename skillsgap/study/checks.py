"""Hold every table against its contract, its items and the other tables: all faults, before anything is used."""

import difflib

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, check
from skillsgap.errors import Problem, StudyError

CELL = ("agency_id", "role_id", "role_level", "grade")  # what a cell of the register is, at the least
ROLE = ("role_id", "role_level")
ANCHORED = 5  # categories of an anchored item: level descriptors 0 none to 4 expert
DROPPED = ("staff_id", "date")  # of a respondent: they would tell who it is
# column of one table -> the table and column that must know its values
REFERENCES = [
    ("items", "competency_id", "competencies"), ("requirements", "competency_id", "competencies"),
    ("course_effects", "competency_id", "competencies"), ("course_effects", "course_id", "courses"),
    ("register", "agency_id", "agencies"), ("responses", "agency_id", "agencies"),
    ("responses", "staff_id", "register"),
]  # fmt: skip


def relate(tables, names, params):
    """Faults between tables: unknown codes, columns that something asks for, staff without a place.

    Parameters
    ----------
    tables : dict of str to DataFrame
    names : dict of str to str
        File of each table.
    params : Params

    Returns
    -------
    list of Problem
    """
    return [
        *_references(tables, names),
        *_absent(tables, names, params),
        *_levels(tables, names, params),
        *_empty_cells(tables, names, params),
        *_money(tables, names, params),
    ]


def validate(table, frame, name):
    """A table as its contract wants it, and every fault found.

    Parameters
    ----------
    table : str
    frame : DataFrame of str, or None
        Index is the line in the file.
    name : str
        File, as messages call it.

    Returns
    -------
    (DataFrame, list of Problem)
    """
    if frame is None:
        return None, []
    contract, faults = CONTRACTS[table], []
    typed = {}
    for column, rule in contract.columns.items():
        if column in frame:
            typed[column], problem = _typed(frame[column], rule.kind, name)
            faults += problem
    frame = frame.assign(**typed)
    bad = {(fault.column, fault.line) for fault in faults}
    failures = check(table, frame)
    for (column, kind), cases in failures.groupby(["column", "check"], sort=True):
        first = cases.iloc[0]
        if (column, first["line"]) not in bad:
            faults.append(_problem(contract, column, kind, first, len(cases), name))
    return frame, faults + _duplicates(frame, contract, name)


def _typed(values, kind, name):
    """A text column as its contract's kind; what can't be read is a fault, not a missing value."""
    if kind == "text":
        return values.mask(values == ""), []
    numbers = pd.to_numeric(values.mask(values == ""), errors="coerce")
    odd = values[~np.isfinite(numbers) & (values != "")]
    if kind == "integer":
        odd = pd.concat([odd, values[numbers.notna() & (numbers % 1 != 0)]])
    if odd.empty:
        return numbers, []
    wanted = "a whole number" if kind == "integer" else "a number"
    problem = Problem(name, f"{odd.iloc[0]!r} is not {wanted}", "correct it, or declare it in missing_codes",
                      int(odd.index[0]), values.name, len(odd))  # fmt: skip
    return numbers, [problem]


def _problem(contract, column, kind, first, rows, name):
    rule, value = contract.columns[column], first["value"]
    line = None if pd.isna(first["line"]) else int(first["line"])
    recode = f"correct it, or recode it in params: data.{contract.table}.recode.{column}"
    words = {
        "column_in_dataframe": (f"there is no column {column}", _map_it(contract.table)),
        "not_nullable": ("the value is empty", "fill it in"),
        "levels": (f"{value!r} is not one of {', '.join(map(str, rule.levels))}", recode),
        "low": (f"{value} is below {rule.low}", recode),
        "high": (f"{value} is above {rule.high}", recode),
    }  # fmt: skip
    text, remedy = words[kind]
    return Problem(name, text, remedy, line, column, rows)


def _duplicates(frame, contract, name):
    key = [column for column in contract.key if column in frame]
    if len(key) < len(contract.key):
        return []
    frame = frame.dropna(subset=key)  # an empty key is told by the contract
    twice = frame[frame.duplicated(key, keep=False)]
    if twice.empty:
        return []
    value = " ".join(str(twice.iloc[0][column]) for column in key)
    lines = twice.index[(twice[key] == twice.iloc[0][key]).all(axis=1)]
    text = f"{value!r} stands in lines {' and '.join(str(line) for line in lines[:3])}"
    extra = int(frame.duplicated(key).sum())
    return [Problem(name, text, "keep one of them", int(lines[1]), " + ".join(key), extra)]


def answers(frame, items, name):
    """Answers as numbers within each item's categories; reversed items turned round."""
    faults, typed = [], {}
    for item in items.itertuples():
        if item.type == "anchored" and item.n_categories != ANCHORED:
            text = f"item {item.item_id} is anchored and has {item.n_categories:g} categories, not {ANCHORED}"
            faults.append(Problem(name, text, "declare another type, or one category a level", column=item.item_id))
        if item.item_id not in frame:
            faults.append(Problem(name, f"there is no column {item.item_id}, which items declare",
                                  "add it, or drop the item", column=item.item_id))  # fmt: skip
            continue
        numbers, problem = _typed(frame[item.item_id], "integer", name)
        lowest = int(getattr(item, "lowest", 0) or 0) if not pd.isna(getattr(item, "lowest", 0)) else 0
        highest = lowest + int(item.n_categories) - 1
        outside = numbers[numbers.notna() & ~numbers.between(lowest, highest)]
        if len(outside) and not problem:
            text = f"answer {outside.iloc[0]:g} is outside {lowest}..{highest}"
            remedy = "correct it, or add it to missing_codes"
            problem = [Problem(name, text, remedy, int(outside.index[0]), item.item_id, len(outside))]
        faults += problem
        reverse = getattr(item, "reverse", None) == "yes"
        numbers = (lowest + highest - numbers) if reverse else numbers
        # the categories of an anchored item are the levels 0 to 4, whatever the codes they came in
        typed[item.item_id] = numbers - lowest if item.type == "anchored" else numbers
    return frame.assign(**typed), faults


def _references(tables, names):
    faults = []
    for table, column, known in REFERENCES:
        here, there = tables.get(table), tables.get(known)
        if here is None or there is None or column not in here or column not in there:
            continue
        odd = here[here[column].notna() & ~here[column].isin(there[column])]
        if len(odd):
            text = f"{odd.iloc[0][column]!r} is not in {names[known]}"
            remedy = f"add it there, or correct it ({column})"
            faults.append(Problem(names[table], text, remedy, int(odd.index[0]), column, len(odd)))
    return faults


def _absent(tables, names, params):
    """Columns and tables that the stages will ask for, as far as the tables could be read."""
    values, faults = params.values, []
    register, responses = tables.get("register"), tables.get("responses")
    staff = None if register is None else _kept("register", register)
    people = None if responses is None else list(dict.fromkeys([*(staff or ()), *_kept("responses", responses)]))
    if register is None and "register" in values["data"]:
        people = None  # it couldn't be read, so what it knows of people isn't known
    if people is not None and tables.get("requirements") is not None:
        table = "responses" if register is None else "register"
        text = "requirements are by role and level, and there is no column {}"
        faults += [Problem(names[table], text.format(column), _map_it(table), column=column)
                   for column in ROLE if column not in people]  # fmt: skip
    margins = values["design"]["calibrate"]
    if margins and "register" not in values["data"]:
        text, line = "design.calibrate names margins, and there is no register", params.line("design", "calibrate")
        faults.append(Problem(params.path.name, text, "declare data.register, or leave it out", line))
    faults += _unknown(("design", "calibrate"), margins, staff, names.get("register"), params)
    where = names.get("register", names.get("responses"))
    faults += _unknown(("gaps", "by"), values["gaps"]["by"], people, where, params)
    if "plan" in values and "courses" in values["data"] and "course_effects" not in values["data"]:
        text, line = "data.courses is there without data.course_effects", params.line("data", "courses")
        faults.append(Problem(params.path.name, text, "say what the courses change, or take plan out", line))
    return faults


def _levels(tables, names, params):
    """Items that levels and profiles can't be made of, and requirements that are nobody's."""
    items, variables, faults = tables.get("items"), params.values["profiles"]["variables"], []
    if items is not None and {"item_id", "type"} <= set(items):
        anchored = items[items["type"] == "anchored"]
        if variables == "competencies" and anchored.empty:
            faults.append(Problem(names["items"], "no item is anchored, so there are no levels to form profiles on",
                                  "set profiles.variables to items", column="type"))  # fmt: skip
        lost = anchored[anchored["competency_id"].isna()] if "competency_id" in items else anchored
        if len(lost):
            text, line = f"the anchored item {lost.iloc[0]['item_id']} belongs to no competency", int(lost.index[0])
            faults.append(Problem(names["items"], text, "name it", line, "competency_id", len(lost)))
        if isinstance(variables, list):
            known = items["item_id"].dropna().tolist()
            faults += _unknown(("profiles", "variables"), variables, known, names["items"], params)
    required, table = tables.get("requirements"), "register" if "register" in tables else "responses"
    staff = tables.get(table)
    if required is not None and staff is not None and {*ROLE} <= set(required) and {*ROLE} <= set(staff):
        if staff.merge(required[list(ROLE)], on=list(ROLE)).empty:
            text = f"none of its roles and levels stands in {names[table]}"
            remedy = "use the same codes in both"
            faults.append(Problem(names["requirements"], text, remedy, column=" + ".join(ROLE)))
    return faults


def _unknown(keys, named, known, where, params):
    """Names in params that aren't known; nothing is, where a table couldn't be read, and then nothing is said."""
    text = "{} names {!r}, which {} lacks"
    return [Problem(params.path.name, text.format(".".join(keys), name, where), near(name, known), params.line(*keys))
            for name in named if known is not None and name not in known]  # fmt: skip


def _kept(table, frame):
    """Columns that stay once tables are linked."""
    return [column for column in CONTRACTS[table].columns if column in frame and column not in DROPPED]


def near(name, known):
    """What to do about a name that isn't known."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known[:8])}{'…' if len(known) > 8 else ''}"


def _empty_cells(tables, names, params):
    """Everybody in the register has a place in it: someone without one would be counted nowhere."""
    register, faults = tables.get("register"), []
    for column in dict.fromkeys([*CELL, *params.values["design"]["calibrate"]]):
        if register is not None and column in register and register[column].isna().any():
            lines = register.index[register[column].isna()]
            remedy = "fill it in, with a code of its own if need be"
            faults.append(Problem(names["register"], "the value is empty", remedy, int(lines[0]), column, len(lines)))
    return faults


def _money(tables, names, params):
    """One currency and one price year: a budget can't be spent on prices of another."""
    courses, plan, currency = tables.get("courses"), params.values.get("plan"), params.values.get("currency")
    if courses is None or plan is None:
        return []
    if currency is None:
        return [Problem(params.path.name, "there is a plan and no key currency", "add it", params.line("plan"))]
    faults = []
    for column, ours in (("currency", currency["code"]), ("price_year", currency["price_year"])):
        odd = courses[courses[column].notna() & (courses[column] != ours)] if column in courses else courses[:0]
        if len(odd):
            text = f"{odd[column].iloc[0]} is not the budget's {ours}"
            remedy = f"convert the prices, or correct currency in {params.path.name}"
            faults.append(Problem(names["courses"], text, remedy, int(odd.index[0]), column, len(odd)))
    return faults


def check_respondents(responses, items, name):
    """Those who answered must have answered something, and stand for somebody."""
    faults = []
    if responses[items["item_id"].tolist()].isna().all(axis=None):
        faults.append(Problem(name, f"none of {len(responses)} respondents has an answer in {len(items)} items",
                              "check item_id in items against the columns"))  # fmt: skip
    if "weight" in responses:
        empty = responses.index[responses["weight"].isna()]
        if len(empty):
            remedy = "give each respondent a weight, or leave the column out"
            faults.append(Problem(name, "the value is empty", remedy, int(empty[0]), "weight", len(empty)))
        elif not responses["weight"].any():
            faults.append(Problem(name, "every respondent has the weight 0", "say how many people each stands for",
                                  int(responses.index[0]), "weight", len(responses)))  # fmt: skip
    if faults:
        raise StudyError(faults)


def _map_it(table):
    return f"add it, or map it in params: data.{table}.columns"
