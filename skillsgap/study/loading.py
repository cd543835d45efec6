"""Load every declared table: read, translate, type and check it, the ones that others refer to first."""

import pandas as pd

from skillsgap.contracts import CONTRACTS, MISSING
from skillsgap.errors import Problem, StudyError, Waiting
from skillsgap.study.abilities import asked_of_people, in_window, window_of
from skillsgap.study.answers import answers
from skillsgap.study.checks import validate
from skillsgap.study.crosswalks import whole
from skillsgap.study.loaded import Loaded, count
from skillsgap.study.mapping import TEXTS, asked, declared_codes, find_columns, narrow, translate, unknown_columns
from skillsgap.study.reading.readers import open_source, read_text
from skillsgap.study.registers import stream
from skillsgap.study.relations import CELL, EQUITY, known_codes
from skillsgap.study.widen import widen
from skillsgap.wording import N_

# what others refer to comes first; the register comes last, since it keeps the rows of respondents only
ORDER = ("competencies", "descriptors", "agencies", "courses", "choices", "form_texts", "items", "requirements",
         "course_effects", "aggregates", "costs", "indicators", "exposure", "use_cases", "pilot_outcomes",
         "training_records", "responses", "register")  # fmt: skip
PLACES = {"file", "url", "rows"}  # where a table may stand


def load_tables(params, data):
    """Load all tables a params file declares.

    Parameters
    ----------
    params : Params
    data : path-like or None

    Returns
    -------
    tables : dict of str to Loaded
        Those that could be read; `people` are the register's rows of respondents.
    problems : list of Problem
        Faults of tables that could not be read.
    waiting : Waiting or None
    """
    declared, tables, problems, waiting = params.values["data"], {}, _two_places(params), None
    walks = {}
    for name, spec in declared.get("crosswalks", {}).items():
        try:
            walks[name] = _plain("crosswalk", spec, params, data, ("data", "crosswalks", name), {}, {})
            whole(walks[name])
            problems += walks[name].faults
        except StudyError as error:
            problems += error.problems
        except Waiting as error:
            waiting = error
    for table in ORDER:
        if table not in declared or not PLACES & set(declared[table]):
            problems += _undeclared(table, declared, params)
            continue
        try:
            tables |= _load(table, params, data, tables, walks)
        except StudyError as error:
            problems += error.problems
        except Waiting as error:
            waiting = error
    return tables, problems, waiting


def _two_places(params):
    """A table that is said to be in a file and somewhere else too."""
    text, remedy = N_("data.{table} names {places}"), N_("keep one of them")
    return [
        Problem(params.path.name, text, remedy, params.line("data", table),
                values={"table": table, "places": ", ".join(sorted(PLACES & spec.keys()))})
        for table, spec in params.values["data"].items() if table != "crosswalks" and len(PLACES & spec.keys()) > 1
    ]  # fmt: skip


def _undeclared(table, declared, params):
    if table not in declared or "derive" in declared[table]:
        return []
    text, line = N_("data.{table} has neither file nor rows"), params.line("data", table)
    return [Problem(params.path.name, text, N_("name a file"), line, values={"table": table})]


def _load(table, params, data, tables, walks):
    spec, keys = _spec(table, params), ("data", table)
    if table == "register":
        return _register(spec, params, data, tables, walks)
    known = known_codes(tables)
    loaded = _plain(table, spec, params, data, keys, walks, known, tables.get("items"))
    return {table: loaded}


def _spec(table, params):
    """A table's declaration; of responses with what derived requirements ask of them."""
    spec = params.values["data"][table]
    if table == "responses":
        derive = params.values["data"].get("requirements", {}).get("derive", {})
        spec = {**spec, **{key: value for key, value in derive.items() if key == "well_matched"}}
    return spec


def _plain(table, spec, params, data, keys, walks, known, items=None):
    """A table that is held as it is, typed and checked."""
    columns = [] if items is None else items.frame.get("item_id", pd.Series(dtype=str)).dropna().tolist()
    loaded = _read(table, spec, params, data, keys, columns)
    if "long" in spec:
        widen(loaded, columns)
    translate(loaded, walks, known, columns)
    _one_wave(loaded)
    _whole(loaded)
    validate(loaded, params.values.get("labels", {}))
    # answers are checked against their items, where those are sound
    if table == "responses" and items is not None and not items.faults:
        answers(loaded, items.frame)
    return loaded


def _read(table, spec, params, data, keys, items):
    if "rows" in spec:
        return _written(table, spec, params, keys)
    source = open_source(spec, params=params, data=data, keys=keys)
    loaded = Loaded(table, source.name, spec, pd.DataFrame())
    aliases = find_columns(source, loaded, items)
    if loaded.faults:
        raise StudyError(loaded.faults)
    names = {theirs: ours for ours, theirs in aliases.items()}
    frame = read_text(source, columns=_wanted(table, spec, source, names, items))
    loaded.frame = frame.rename(columns=names)
    loaded.rows, loaded.notes = len(frame), [*source.notes, *loaded.notes]
    return loaded


def _written(table, spec, params, keys):
    """Rows that stand in the params file itself."""
    name = f"{params.path.name} {'.'.join(keys)}.rows"
    frame = pd.DataFrame(spec["rows"], dtype=object).map(lambda value: "" if pd.isna(value) else str(value))
    lines = pd.Index([params.line(*keys, "rows", i) for i in range(len(frame))], name="line")
    # several rows in one line of the params file are told apart by their number
    frame.index = lines if lines.is_unique else pd.RangeIndex(1, len(frame) + 1, name="line")
    return Loaded(table, name, spec, frame.astype(str), len(frame))


def _wanted(table, spec, source, names, items):
    """Columns to read: those a table may have, texts in any language, and those params speak of; others stay unread."""
    if "long" in spec:
        return None
    ours = {*CONTRACTS[table].columns, *asked(spec), *items, *spec.get("recode", ()), *spec.get("missing_codes", ())}
    return [column for column in source.columns if (name := names.get(column, column)) in ours or TEXTS.fullmatch(name)]


def _one_wave(loaded):
    """One wave is reported; where there are several, params say which."""
    if loaded.table != "responses" or "wave" not in loaded.frame:
        return
    waves = sorted(set(loaded.frame["wave"]))
    wave = loaded.spec.get("wave")
    if wave is not None and str(wave) in waves:
        loaded.frame = loaded.frame[loaded.frame["wave"] == str(wave)]
    elif wave is not None or len(waves) > 1:
        loaded.fault(None, "wave", N_("the waves are {waves}, and params name {wave}"),
                     N_("name the one to report in data.responses.wave"),
                     {"waves": ", ".join(waves), "wave": wave or "none"})  # fmt: skip


def _whole(loaded):
    """The whole is one group, whatever the file calls it."""
    if loaded.table == "aggregates" and {"by", "group"} <= set(loaded.frame):
        loaded.frame["group"] = loaded.frame["group"].mask(loaded.frame["by"] == "all", "all")


def _register(spec, params, data, tables, walks):
    """A register of any size, streamed to cells; with the rows of respondents, where it holds persons."""
    source = open_source(spec, params=params, data=data, keys=("data", "register"))
    cells = Loaded("register", source.name, spec, pd.DataFrame())
    names = {theirs: ours for ours, theirs in find_columns(source, cells).items()}
    if cells.faults:
        raise StudyError(cells.faults)
    own = {names.get(column, column): column for column in source.columns}
    mapped = spec.get("columns", {})
    file = {name: column for name, column in own.items() if name not in mapped.values()}
    file |= {ours: own[theirs] for ours, theirs in mapped.items()}
    held = [column for column in CONTRACTS["register"].columns if column in file]
    if {"staff_id", "headcount"} <= {*held}:
        cells.fault(None, "headcount", N_("the rows have a staff_id and a head-count: are they people, or cells?"),
                    N_("take one of the two columns out"))  # fmt: skip
        raise StudyError(cells.faults)
    unknown_columns(cells, [*file, *own, *spec.get("constants", ())])
    fixed = spec.get("constants", {})
    used = [column for column in (*_used(params), "headcount") if column in held]
    rest = [column for column in held if column not in (*used, "staff_id")]
    conditions = [own[column] for column in spec.get("population", ())]
    ids, besides = _ids(tables), [column for column in asked_of_people(params) if column in held]
    streamed = stream(
        source, list(dict.fromkeys([*(file[c] for c in used), *conditions])), [file[c] for c in rest],
        identity=file.get("staff_id"), ids=ids, count=file.get("headcount"),
        besides=list(dict.fromkeys([*(file[c] for c in besides), *(conditions if besides else ())])),
    )  # fmt: skip
    known = known_codes(tables)
    cells.frame, cells.rows = streamed.cells.rename(columns=names), streamed.rows
    cells.notes = [*source.notes, *cells.notes]
    whole = {key: spec[key] for key in ("population", "n_rows", "as_of") if key in spec}
    cells.spec = narrow(spec, [*used, *fixed]) | whole
    translate(cells, walks, known)
    validate(cells)
    for column in rest:
        frame = streamed.alone[file[column]].rename(columns=names)
        alone = Loaded("register", source.name, narrow(spec, [column]), frame)
        translate(alone, walks, known)
        validate(alone)
        for grown in ("faults", "notes", "mapped"):
            getattr(cells, grown).extend(getattr(alone, grown))
        cells.missing |= alone.missing
        cells.alone[column] = alone.filled(column)
    _identities(cells, streamed, "staff_id" in held)
    if "staff_id" in held:
        cells.alone["staff_id"] = streamed.rows - count(streamed.empty)
    cells.spec, window = spec, window_of(params)
    if besides:
        some = narrow(spec, [*besides, *fixed]) | {key: spec[key] for key in ("population",) if key in spec}
        cells.able = _again(some, source, streamed.besides.rename(columns=names), walks, known, window).frame
    if streamed.people is None:
        return {"register": cells}
    people = _again(spec, source, streamed.people.rename(columns=names), walks, known, window)
    return {"register": cells, "people": people}


def _again(spec, source, frame, walks, known, window):
    """Other rows of the register, such as those of respondents; their faults are the register's, and told there."""
    loaded = Loaded("register", source.name, spec, frame)
    translate(loaded, walks, known)
    loaded.frame = loaded.frame.assign(long=in_window(loaded.frame, window))
    validate(loaded)
    return loaded


def _used(params):
    """Columns the unit's cells are told apart by."""
    link = params.values["data"].get("responses", {}).get("link", ())
    options = params.values
    return list(dict.fromkeys([*CELL, *EQUITY, *options["design"]["calibrate"], *options["gaps"]["by"], *link]))


def _ids(tables):
    """Staff whom other tables speak of: only their rows of the register are kept."""
    speaking = [tables[name].frame for name in ("responses", "training_records") if name in tables]
    return list(dict.fromkeys(code for frame in speaking if "staff_id" in frame for code in frame["staff_id"].dropna()))


def _identities(cells, streamed, persons):
    column = "staff_id" if persons else None
    if len(streamed.empty):
        cells.fault(streamed.empty, column, N_("the value is empty"), N_("fill it in"))
    if len(streamed.twice):
        first = streamed.twice.iloc[0]
        text = N_("{value!r} stands in lines {lines}") if persons else N_("lines {lines} hold the same cell")
        value = first["id"] if persons else ""
        cells.fault(streamed.twice, column, text, N_("keep one of them"), {"value": value, "lines": first["lines"]})


def column_facts(tables, params):
    """How far each column is filled, and of what kind its missing values are, as the stage table `columns`.

    Of responses those count who answered; a person who didn't left nothing out.

    Parameters
    ----------
    tables : dict of str to Loaded
    params : Params

    Returns
    -------
    DataFrame
    """
    rows, known = [], known_codes(tables)
    for table, loaded in tables.items():
        if table == "people":
            continue
        items = tables["items"].frame["item_id"].tolist() if table == "responses" and "items" in tables else []
        whole = count(loaded.frame[loaded.frame["answered"]]) if "answered" in loaded.frame else loaded.kept
        for column in (*CONTRACTS[table].columns, *items):
            filled = loaded.alone.get(column)
            if filled is None and column in loaded.frame:
                filled = loaded.filled(column)
            if filled is not None:
                declared = column in (*items, *known) or _declared(table, column, loaded.spec, params)
                kinds = dict.fromkeys(MISSING, 0) | loaded.missing.get(column, {})
                rows.append({"table": table, "column": column, "rows": whole, "filled": filled, **kinds,
                             "declared": declared})  # fmt: skip
    return pd.DataFrame(rows, columns=list(CONTRACTS["columns"].columns))


def _declared(table, column, spec, params):
    rule = CONTRACTS[table].columns[column]
    return (bool(rule.levels) or rule.kind != "text" or column in params.values.get("labels", {})
            or bool(declared_codes(spec, column)))  # fmt: skip
