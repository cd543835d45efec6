"""From declared files to validated tables: map, recode, check, link, and forget who is who."""

import difflib
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, STATUS, check
from skillsgap.errors import Problem, StudyError, Waiting
from skillsgap.study.readers import find_file, read_text

LANGUAGES = ("en", "uz")
CELL = ("agency_id", "role_id", "role_level", "grade")
# column of one table -> the table and column that must know its values
REFERENCES = [
    ("items", "competency_id", "competencies"), ("requirements", "competency_id", "competencies"),
    ("course_effects", "competency_id", "competencies"), ("course_effects", "course_id", "courses"),
    ("register", "agency_id", "agencies"), ("responses", "agency_id", "agencies"),
    ("responses", "staff_id", "register"),
]  # fmt: skip


@dataclass(frozen=True)
class Study:
    """Validated tables of a unit; a table that isn't there is None.

    `register` holds cells with their head-count, `responses` one respondent a row under a random row
    key; nothing here knows a staff_id.
    """

    competencies: pd.DataFrame
    items: pd.DataFrame
    responses: pd.DataFrame
    register: pd.DataFrame | None
    requirements: pd.DataFrame | None
    courses: pd.DataFrame | None
    course_effects: pd.DataFrame | None
    replicate_weights: pd.DataFrame | None
    plausible_values: pd.DataFrame | None
    labels: pd.DataFrame
    facts: pd.DataFrame

    def tables(self):
        """The tables that are there, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in named.items() if table is not None}


def read_study(params, *, data=None):
    """Read every table a params file declares, and validate all of them before any is used.

    Parameters
    ----------
    params : Params
    data : path-like, optional
        Folder of outside data, where declared files are looked up first.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        Every fault of every table: file, line, column, value, rows, remedy.
    Waiting
        A declared outside source is absent.
    """
    raw, problems, waiting = {}, [], None
    for table, spec in params.values["data"].items():
        try:
            raw[table] = _load(table, spec, params, data)
        except StudyError as error:
            problems += error.problems
        except Waiting as error:
            waiting = error
    if waiting and not problems:
        raise waiting
    tables = {}
    if "items" in raw:  # the answers are checked against their items, so items come first
        raw = {"items": raw.pop("items"), **raw}
    for table, (frame, name) in raw.items():
        tables[table], faults = _validate(table, frame, name, tables.get("items"), params)
        problems += faults
    problems += _references(tables, {table: name for table, (_, name) in raw.items()}, params)
    if problems:
        raise StudyError(problems)
    return _assemble(tables, params)


def _load(table, spec, params, data):
    if "rows" in spec:
        name = f"{params.path.name} data.{table}.rows"
        frame = pd.DataFrame(spec["rows"]).map(lambda value: "" if value is None else str(value))
        frame.index = pd.Index(
            [params.line("data", table, "rows", i) for i in range(len(frame))], name="line"
        )
    elif "file" in spec:
        path = find_file(spec, params=params, data=data, keys=("data", table))
        name, frame = path.name, read_text(path, columns=_wanted(spec, params))
    elif "derive" in spec:
        return None, None
    else:
        text, line = f"data.{table} has neither file nor rows", params.line("data", table)
        raise StudyError([Problem(params.path.name, text, "name a file", line)])
    frame, faults = _map(frame, spec, name)
    if faults:
        raise StudyError(faults)
    return frame, name


def _wanted(spec, params):
    """Columns of a wide binary file that params speak of; None (all) where it declares no columns."""
    if "columns" not in spec:
        return None
    wanted = (
        set(spec["columns"].values()) | set(spec.get("population", ())) | set(spec.get("respondents", ()))
    )
    for rule in spec.get("skip", {}).values():
        wanted |= set(rule["when"])
    derive = params.values["data"].get("requirements", {}).get("derive", {})
    wanted |= set(derive.get("well_matched", ()))
    wanted |= set(spec.get("skip", ())) | set(_series(spec))
    for row in params.values["data"]["items"].get("rows", ()):
        wanted.add(str(row.get("item_id")))
    return wanted


def _series(spec):
    """Replicate weight and plausible value columns a responses table declares."""
    columns = []
    if "replicate_weights" in spec:
        span = spec["replicate_weights"]
        columns += [f"{span['prefix']}{i}" for i in range(span["from"], span["to"] + 1)]
    for span in spec.get("plausible_values", {}).values():
        columns += [f"{span['prefix']}{i}" for i in range(1, span["count"] + 1)]
    return columns


def _map(frame, spec, name):
    """Apply the declarations: names, missing codes, skip patterns, recodes (in this order)."""
    there = frame.attrs.get("columns", list(frame))
    wanted = spec.get("columns", {})
    skips = spec.get("skip", {})
    conditions = [*spec.get("population", ()), *spec.get("respondents", ()), *skips,
                  *(column for rule in skips.values() for column in rule["when"])]  # fmt: skip
    lacking = [column for column in [*wanted.values(), *_series(spec), *conditions] if column not in frame]
    if lacking:
        close = difflib.get_close_matches(lacking[0], there, 1)
        remedy = f"did you mean {close[0]}?" if close else f"its columns are {', '.join(there[:8])}…"
        return frame, [Problem(name, f"there is no column {lacking[0]}", remedy, column=lacking[0])]
    for column, rule in skips.items():
        skipped = matches(frame, rule["when"]) & (frame[column] == "")
        frame[column] = frame[column].mask(skipped, str(rule["value"]))
    # a column may serve under two names (a code for people, a condition), so it is copied, not renamed
    frame = frame.assign(**{ours: frame[theirs] for ours, theirs in wanted.items()})
    for column, codes in spec.get("missing_codes", {}).items():
        frame[column] = frame[column].mask(frame[column].isin([str(code) for code in codes]), "")
    for column, codes in spec.get("recode", {}).items():
        frame[column] = frame[column].replace({str(old): str(new) for old, new in codes.items()})
    return frame, []


def matches(frame, conditions):
    """Rows for which all declared conditions hold.

    Examples
    --------
    >>> rows = pd.DataFrame({"sector": ["2", "1", ""]})
    >>> matches(rows, {"sector": {"in": [2]}}).tolist(), matches(rows, {"sector": {"missing": True}}).tolist()
    ([True, False, False], [False, False, True])
    """
    hold = pd.Series(True, index=frame.index)
    for column, condition in conditions.items():
        if "in" in condition:
            hold &= frame[column].isin([str(code) for code in condition["in"]])
        if "missing" in condition:
            hold &= (frame[column] == "") == condition["missing"]
    return hold


def _validate(table, frame, name, items, params):
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
    faults += _duplicates(frame, contract, name)
    if table == "responses" and items is not None and not faults:
        frame, problems = _answers(frame, items, name)
        faults += problems
    return frame, faults


def _typed(values, kind, name):
    """A text column as its contract's kind; what can't be read is a fault, not a missing value."""
    if kind == "text":
        return values.mask(values == ""), []
    numbers = pd.to_numeric(values.mask(values == ""), errors="coerce")
    odd = values[numbers.isna() & (values != "")]
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
        "column_in_dataframe": (f"there is no column {column}", f"add it, or map it in params: data.{contract.table}.columns"),
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
    twice = frame[frame.duplicated(key, keep=False)]
    if twice.empty:
        return []
    value = " ".join(str(twice.iloc[0][column]) for column in key)
    lines = twice.index[(twice[key] == twice.iloc[0][key]).all(axis=1)]
    text = f"{value!r} stands in lines {' and '.join(str(line) for line in lines[:3])}"
    extra = int(frame.duplicated(key).sum())
    return [Problem(name, text, "keep one of them", int(lines[1]), " + ".join(key), extra)]


def _answers(frame, items, name):
    """Answers as numbers within each item's categories; reversed items turned round."""
    faults, typed = [], {}
    for item in items.itertuples():
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
        typed[item.item_id] = (lowest + highest - numbers) if reverse else numbers
    return frame.assign(**typed), faults


def _references(tables, names, params):
    faults = []
    for table, column, known in REFERENCES:
        here, there = tables.get(table), tables.get(known)
        key = "staff_id" if column == "staff_id" else column
        if here is None or there is None or column not in here or key not in there:
            continue
        odd = here[here[column].notna() & ~here[column].isin(there[key])]
        if len(odd):
            text = f"{odd.iloc[0][column]!r} is not in {names[known]}"
            remedy = f"add it there, or correct it ({column})"
            faults.append(Problem(names[table], text, remedy, int(odd.index[0]), column, len(odd)))
    return faults


def _assemble(tables, params):
    values = params.values
    spec = values["data"]["responses"]
    responses, register = tables["responses"], tables.get("register")
    responses = _link(responses, register)
    invited = len(responses)
    answered = (
        matches(responses.fillna("").astype(str), spec["respondents"]) if "respondents" in spec else None
    )
    if answered is None:
        answered = (
            responses["status"] != STATUS[-1] if "status" in responses else pd.Series(True, responses.index)
        )
    responses = responses[answered]
    if responses.empty:
        raise StudyError([Problem(params.path.name, "no respondent is left by data.responses.respondents",
                                  "correct the conditions", params.line("data", "responses", "respondents"))])  # fmt: skip
    responses = responses.assign(row_key=row_keys(responses["staff_id"], values["random_state"]))
    responses = responses.set_index("row_key").sort_index()
    text = responses.astype("string").fillna("")
    population = matches(text, spec.get("population", {}))
    if not population.any():
        raise StudyError([Problem(params.path.name, "no respondent is in data.responses.population",
                                  "correct the conditions", params.line("data", "responses", "population"))])  # fmt: skip
    derive = values["data"].get("requirements", {}).get("derive")
    kept = [c for c in CONTRACTS["responses"].columns if c in responses and c not in ("staff_id", "date")]
    people = responses[kept + tables["items"]["item_id"].tolist()].assign(in_population=population)
    if derive:
        people = people.assign(well_matched=matches(text, derive["well_matched"]))
    if "weight" not in people:
        people = people.assign(weight=1.0)
    return Study(
        competencies=tables["competencies"].reset_index(drop=True),
        items=tables["items"].reset_index(drop=True),
        responses=people,
        register=_cells(register, values),
        requirements=_plain(tables.get("requirements")),
        courses=_plain(tables.get("courses")),
        course_effects=_plain(tables.get("course_effects")),
        replicate_weights=_numbers(responses, _replicate_columns(spec)),
        plausible_values=_plausible(responses, spec),
        labels=_labels(tables, values.get("labels", {})),
        facts=pd.DataFrame({"name": ["invited"], "value": [float(invited)]}),
    )


def _plain(table):
    return None if table is None else table.reset_index(drop=True)


def _link(responses, register):
    """What the register knows of a respondent; the survey's own column wins where both have it."""
    if register is None:
        return responses
    known = [c for c in CONTRACTS["register"].columns if c in register and c not in responses]
    return responses.join(register.set_index("staff_id")[known], on="staff_id")


def row_keys(staff_ids, random_state):
    """Random keys in place of staff_ids: the same for the same people in any row order.

    Examples
    --------
    >>> sorted(row_keys(pd.Series(["b", "a", "c"]), 1))
    [0, 1, 2]
    """
    rank = np.argsort(np.argsort(staff_ids.to_numpy(dtype=str), kind="stable"), kind="stable")
    return np.random.default_rng(random_state).permutation(len(rank))[rank]


def _cells(register, values):
    """The register as cells with head-counts, over the columns the unit uses and no others."""
    if register is None:
        return None
    used = [*CELL, *values["design"]["calibrate"], *values["gaps"]["by"]]
    by = [column for column in dict.fromkeys(used) if column in register]
    return register.groupby(by, dropna=False, sort=True).size().rename("headcount").reset_index()


def _replicate_columns(spec):
    return _series({key: spec[key] for key in ("replicate_weights",) if key in spec})


def _numbers(responses, columns):
    if not columns:
        return None
    return responses[columns].apply(pd.to_numeric)


def _plausible(responses, spec):
    columns = {
        f"{competency}.{i}": f"{span['prefix']}{i}"
        for competency, span in spec.get("plausible_values", {}).items()
        for i in range(1, span["count"] + 1)
    }
    if not columns:
        return None
    values = _numbers(responses, list(columns.values()))
    values.columns = list(columns)
    return values


def _labels(tables, declared):
    keys = {
        "competencies": "competency_id",
        "courses": "course_id",
        "agencies": "agency_id",
        "items": "item_id",
    }
    rows = []
    for table, key in keys.items():
        frame, stem = tables.get(table), "text" if table == "items" else "label"
        for lang in LANGUAGES:
            if frame is not None and f"{stem}_{lang}" in frame:
                named = frame[[key, f"{stem}_{lang}"]].dropna()
                rows += [(key, code, lang, text) for code, text in named.itertuples(index=False)]
    for column, codes in declared.items():
        rows += [
            (column, str(code), lang, text) for code, texts in codes.items() for lang, text in texts.items()
        ]
    return pd.DataFrame(sorted(rows), columns=["column", "code", "lang", "text"])
