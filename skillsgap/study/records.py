"""From declared files to validated tables: link, drop who is who, and say what was found on the way."""

import json
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, STATUS
from skillsgap.errors import Problem, StudyError
from skillsgap.study.abilities import able_staff
from skillsgap.study.drawn import numbers, sampled
from skillsgap.study.loading import column_facts, load_tables
from skillsgap.study.mapping import series
from skillsgap.study.relations import CELL, DROPPED, EQUITY, relate, respondents

LANGUAGES = ("en", "uz")


@dataclass(frozen=True)
class Study:
    """Validated tables of a unit; a table that isn't there is None.

    `register` holds cells with their head-count, `able` the same staff by what a course may ask of them, `responses`
    one respondent a row under a random row key; nothing here knows a staff_id. `sources`, `columns`, `notes` and
    `mapped` say what was read, how far it is filled, what was put right, and what crosswalks lost.
    """

    competencies: pd.DataFrame | None
    items: pd.DataFrame | None
    responses: pd.DataFrame | None
    register: pd.DataFrame | None
    requirements: pd.DataFrame | None
    aggregates: pd.DataFrame | None
    indicators: pd.DataFrame | None
    courses: pd.DataFrame | None
    course_effects: pd.DataFrame | None
    agencies: pd.DataFrame | None
    costs: pd.DataFrame | None
    able: pd.DataFrame | None
    replicate_weights: pd.DataFrame | None
    plausible_values: pd.DataFrame | None
    labels: pd.DataFrame
    facts: pd.DataFrame
    sources: pd.DataFrame
    columns: pd.DataFrame
    notes: pd.DataFrame
    mapped: pd.DataFrame

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
    tables, problems, waiting = load_tables(params, data)
    people = tables.get("people")
    problems += relate(tables, params)
    responses = tables.get("responses")
    if responses is not None:
        _answered(responses)
        sampled(responses)
        if "items" in tables and not responses.faults and not tables["items"].faults:
            respondents(responses, tables["items"].frame, params)
    replicated = {} if responses is None else numbers(responses)
    for name, table in tables.items():
        problems += table.faults if name != "people" else []
    if waiting and not problems:
        raise waiting
    if problems:
        raise StudyError(dict.fromkeys(problems))
    return _assemble(tables, people, replicated, params)


def _answered(responses):
    """Who answered, whom estimates speak for, and how many people each stands for."""
    frame = responses.frame
    if "answered" not in frame:
        frame["answered"] = frame["status"] != STATUS[-1] if "status" in frame else True
    if "in_population" not in frame:
        frame["in_population"] = True


def _assemble(tables, people, replicated, params):
    frames = {name: table.frame for name, table in tables.items()}
    made = dict.fromkeys(field.name for field in fields(Study))
    for name in ("competencies", "items", "requirements", "aggregates", "indicators", "courses", "course_effects",
                 "agencies", "costs"):
        if name in frames:
            made[name] = frames[name].reset_index(drop=True)
    made["register"] = _cells(frames.get("register"), params.values)
    made["able"] = able_staff(tables.get("register"), people, made["courses"], frames.get("training_records"))
    facts = {}
    if "responses" in tables:
        made |= _respondents(tables, people, replicated, params)
        facts |= _invited(tables["responses"])
    made["labels"] = _labels(frames)
    made["facts"] = pd.DataFrame({"name": list(facts), "value": list(facts.values())}, columns=["name", "value"])
    return Study(**{**made, **_findings(tables, params)})


def _invited(responses):
    """How many people were asked: as params say, or a row each; nothing where params say that nobody knows."""
    told = responses.spec.get("invited", len(responses.frame))
    return {} if told == "unknown" else {"invited": float(told)}


def _respondents(tables, people, replicated, params):
    """Those who answered, linked to the register, under random keys in place of their ids."""
    loaded, items = tables["responses"], tables["items"].frame["item_id"].tolist()
    linked = _link(loaded, people, tables.get("register"))
    linked = linked[linked["answered"]]
    if "training_records" in tables and "staff_id" in linked and "courses_completed" not in linked:
        linked = linked.assign(courses_completed=_completed(tables["training_records"].frame, linked["staff_id"]))
    if "weight" not in linked:
        linked = linked.assign(weight=1.0)
    ids = linked["staff_id"] if "staff_id" in linked else _contents(linked[sorted(linked)])
    linked = linked.assign(row_key=row_keys(ids, params.values["random_state"]))
    keys = linked["row_key"]
    linked = linked.set_index("row_key").sort_index()
    kept = [c for c in (*CONTRACTS["responses"].columns, "in_population", "well_matched") if c in linked]
    replicated = replicated.loc[keys.index].set_axis(keys.to_numpy()).rename_axis("row_key").sort_index()
    spec = loaded.spec
    return {
        "responses": linked[[c for c in kept if c not in DROPPED] + items],
        "replicate_weights": _weights(replicated, spec),
        "plausible_values": _plausible(replicated, spec),
    }


def _link(responses, people, register):
    """What the register knows of a respondent or their cell; the survey's own column wins where both have it."""
    frame, link = responses.frame, responses.spec.get("link")
    if link is not None:
        known = [c for c in register.frame if c in CONTRACTS["register"].columns and c not in (*frame, "headcount")]
        cells = register.frame[[*link, *known]].drop_duplicates()
        told = cells.groupby(link)[known].nunique(dropna=False) if known else cells[link]
        known = [c for c in known if (told[c] == 1).all()]  # a cell tells only what is the same in all of it
        frame = frame.join(cells.drop_duplicates(link).set_index(link)[known], on=link)
    elif people is not None:
        known = [c for c in CONTRACTS["register"].columns if c in people.frame and c not in frame]
        frame = frame.join(people.frame.drop_duplicates("staff_id").set_index("staff_id")[known], on="staff_id")
    # a register that doesn't tell, say, grades has one of them, called "all"
    lacking = [column for column in CELL if register is not None and column not in frame]
    return frame.assign(**dict.fromkeys(lacking, "all"))


def _completed(records, people):
    """How many courses each person completed; no record is none."""
    done = records.loc[records["completed"] == "yes", "staff_id"].value_counts()
    return people.map(done).fillna(0).astype(int)


def _contents(frame):
    """Each row as one text: people without an id are told apart by all they said, and who said the same is the same."""
    texts = [frame[column].astype(str) for column in frame]
    return texts[0].str.cat(texts[1:], sep="\x1f")


def row_keys(staff_ids, random_state):
    """Random keys in place of staff_ids: the same for the same people in any row order.

    Examples
    --------
    >>> sorted(row_keys(pd.Series(["b", "a", "c"]), 1).tolist())
    [0, 1, 2]
    """
    ids = staff_ids.to_numpy(dtype=str)
    # shorter ids first, so that 7 and 10 stand as 007 and 010 do
    rank = np.argsort(np.lexsort((ids, np.char.str_len(ids))), kind="stable")
    return np.random.default_rng(random_state).permutation(len(rank))[rank]


def _cells(register, values):
    """The register as cells with head-counts, over the columns the unit uses and no others."""
    if register is None:
        return None
    people = register["_rows"].astype("int64")
    if "headcount" in register:
        people = people * register["headcount"]
    register = register.assign(**{column: "all" for column in CELL if column not in register}, people=people)
    used = [*CELL, *EQUITY, *values["design"]["calibrate"], *values["gaps"]["by"]]
    by = [column for column in dict.fromkeys(used) if column in register]
    cells = register.groupby(by, dropna=False, sort=True)["people"].sum().rename("headcount").reset_index()
    whole = (cells["headcount"] % 1 == 0).all()
    return cells.astype({"headcount": "int64"}) if whole else cells


def _weights(given, spec):
    columns = series({key: value for key, value in spec.items() if key == "replicate_weights"})
    return given[columns] if columns else None


def _plausible(given, spec):
    columns = {
        f"{span['prefix']}{i}": f"{competency}.{i}"
        for competency, span in spec.get("plausible_values", {}).items()
        for i in range(1, span["count"] + 1)
    }
    return given[list(columns)].rename(columns=columns) if columns else None


def _labels(frames):
    keys = {
        "competencies": "competency_id",
        "courses": "course_id",
        "agencies": "agency_id",
        "items": "item_id",
        "indicators": "indicator_id",
    }
    rows = []
    for table, key in keys.items():
        frame, stem = frames.get(table), "text" if table == "items" else "label"
        for lang in LANGUAGES:
            if frame is not None and f"{stem}_{lang}" in frame:
                named = frame[[key, f"{stem}_{lang}"]].dropna()
                rows += [(key, code, lang, text) for code, text in named.itertuples(index=False)]
    return pd.DataFrame(sorted(rows), columns=["column", "code", "lang", "text"])


def _findings(tables, params):
    """What was read, how far it is filled, what was put right, and what crosswalks lost."""
    read = {name: table for name, table in tables.items() if name != "people"}
    sources = [(name, t.name, t.rows, t.kept, _as_of(t)) for name, t in read.items()]
    notes = [_note(name, problem) for name, table in read.items() for problem in table.notes]
    mapped = [row for table in read.values() for row in table.mapped]
    return {
        "sources": pd.DataFrame(sources, columns=list(CONTRACTS["sources"].columns)),
        "columns": column_facts(tables, params),
        "notes": pd.DataFrame(notes, columns=list(CONTRACTS["notes"].columns)).astype({"line": "Int64"}),
        "mapped": pd.DataFrame(mapped, columns=list(CONTRACTS["mapped"].columns)),
    }


def _as_of(table):
    """When a table was true: as params say, or the last day anybody answered."""
    told = table.frame["date"].dropna() if "date" in table.frame else ()
    return str(table.spec.get("as_of", max(told, default="")))


def _note(table, problem: Problem):
    return (table, problem.file, problem.line, problem.column or "", problem.rows, problem.text, problem.remedy,
            json.dumps(problem.values, sort_keys=True, ensure_ascii=False, default=str))  # fmt: skip
