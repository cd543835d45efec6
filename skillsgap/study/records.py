"""From declared files to validated tables: map, recode, check, link, and forget who is who."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, STATUS
from skillsgap.errors import Problem, StudyError, Waiting
from skillsgap.study.checks import CELL, DROPPED, answers, check_respondents, near, relate, validate
from skillsgap.study.readers import find_file, read_text

LANGUAGES = ("en", "uz")


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
    declared = params.values["data"]
    derive = declared.get("requirements", {}).get("derive", {})
    responses = {**declared["responses"], **{k: v for k, v in derive.items() if k == "well_matched"}}
    for table, spec in {**declared, "responses": responses}.items():
        try:
            raw[table] = _load(table, spec, params, data)
        except StudyError as error:
            problems += error.problems
        except Waiting as error:
            waiting = error
    if waiting and not problems:
        raise waiting
    tables, sound = {}, set()
    if "items" in raw:  # the answers are checked against their items, so items come first
        raw = {"items": raw.pop("items"), **raw}
    for table, (frame, name) in raw.items():
        tables[table], faults = validate(table, frame, name)
        if table == "responses" and "items" in sound:
            tables[table], more = answers(tables[table], tables["items"], name)
            faults += more
        sound |= set() if faults else {table}
        problems += faults
    names = {table: name for table, (_, name) in raw.items()}
    problems += relate(tables, names, params)
    if problems:
        raise StudyError(problems)
    return _assemble(tables, names["responses"], params)


def _load(table, spec, params, data):
    if "rows" in spec:
        name = f"{params.path.name} data.{table}.rows"
        frame = pd.DataFrame(spec["rows"], dtype=object).map(lambda value: "" if pd.isna(value) else str(value))
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
    """Columns of a wide binary file that params speak of; None (all) where params don't name all it needs."""
    if "columns" not in spec or "rows" not in params.values["data"]["items"]:
        return None
    wanted = (
        set(spec["columns"].values()) | set(spec.get("population", ())) | set(spec.get("respondents", ()))
    )
    for rule in spec.get("skip", {}).values():
        wanted |= set(rule["when"])
    wanted |= set(spec.get("well_matched", ()))
    wanted |= set(spec.get("skip", ())) | set(_series(spec))
    for row in params.values["data"]["items"]["rows"]:
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
    conditions = [*spec.get("population", ()), *spec.get("respondents", ()), *spec.get("well_matched", ()), *skips,
                  *(column for rule in skips.values() for column in rule["when"])]  # fmt: skip
    lacking = [column for column in [*wanted.values(), *_series(spec), *conditions] if column not in frame]
    if lacking:
        return frame, [_lacks(name, lacking[0], there)]
    frame = frame.assign(**_conditions(frame, spec))
    for column, rule in skips.items():
        skipped = matches(frame, rule["when"]) & (frame[column] == "")
        frame[column] = frame[column].mask(skipped, str(rule["value"]))
    # a column may serve under two names (a code for people, a condition), so it is copied, not renamed
    frame = frame.assign(**{ours: frame[theirs] for ours, theirs in wanted.items()})
    lacking = [column for key in ("missing_codes", "recode") for column in spec.get(key, ()) if column not in frame]
    if lacking:
        return frame, [_lacks(name, lacking[0], frame)]
    copies = {}  # codes may be declared under the file's own name of a column too
    for ours, theirs in wanted.items():
        copies.setdefault(theirs, []).append(ours)
    for named, codes in spec.get("missing_codes", {}).items():
        for column in {named, *copies.get(named, ())}:
            frame[column] = frame[column].mask(frame[column].isin([str(code) for code in codes]), "")
    for named, codes in spec.get("recode", {}).items():
        for column in {named, *copies.get(named, ())}:
            frame[column] = frame[column].replace({str(old): str(new) for old, new in codes.items()})
    return frame, []


def _lacks(name, column, there):
    text = f"there is no column {column}, which params name"
    return Problem(name, text, near(column, list(there)), column=column)


def _conditions(frame, spec):
    """What params ask of a respondent, in the file's own names and codes."""
    told = {"answered": "respondents", "in_population": "population", "well_matched": "well_matched"}
    return {ours: matches(frame, spec[key]) for ours, key in told.items() if key in spec}


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


def _assemble(tables, name, params):
    values, spec = params.values, params.values["data"]["responses"]
    register = _filled(tables.get("register"))
    responses = _link(tables["responses"], register)
    invited = len(responses)
    responses = _answered(responses, params)
    check_respondents(responses, tables["items"], name)
    responses = responses.assign(row_key=row_keys(responses["staff_id"], values["random_state"]))
    responses = responses.set_index("row_key").sort_index()
    kept = [c for c in (*CONTRACTS["responses"].columns, "in_population", "well_matched") if c in responses]
    people = responses[[c for c in kept if c not in DROPPED] + tables["items"]["item_id"].tolist()]
    return Study(
        competencies=_plain(tables["competencies"]),
        items=_plain(tables["items"]),
        responses=people,
        register=_cells(register, values),
        requirements=_plain(tables.get("requirements")),
        courses=_plain(tables.get("courses")),
        course_effects=_plain(tables.get("course_effects")),
        replicate_weights=_numbers(responses, _series({k: v for k, v in spec.items() if k == "replicate_weights"})),
        plausible_values=_plausible(responses, spec),
        labels=_labels(tables),
        facts=pd.DataFrame({"name": ["invited"], "value": [float(invited)]}),
    )


def _filled(register):
    """A register that doesn't tell, say, grades has one of them, called "all"."""
    if register is None:
        return None
    return register.assign(**{column: "all" for column in CELL if column not in register})


def _answered(responses, params):
    """Respondents, with whether estimates speak for them; refused where nobody is left."""
    if "answered" not in responses:
        known = "status" in responses
        responses = responses.assign(answered=responses["status"] != STATUS[-1] if known else True)
    if "in_population" not in responses:
        responses = responses.assign(in_population=True)
    if "weight" not in responses:
        responses = responses.assign(weight=1.0)
    for column, key in (("answered", "respondents"), ("in_population", "population")):
        responses = responses[responses["answered"]]
        if not responses[column].any():
            text, line = f"no respondent is left by data.responses.{key}", params.line("data", "responses", key)
            raise StudyError([Problem(params.path.name, text, "correct the conditions", line)])
    return responses


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
    >>> sorted(row_keys(pd.Series(["b", "a", "c"]), 1).tolist())
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


def _labels(tables):
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
    return pd.DataFrame(sorted(rows), columns=["column", "code", "lang", "text"])
