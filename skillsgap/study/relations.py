"""Hold the tables of a unit against each other and against what its params ask of them."""

from skillsgap.contracts import CONTRACTS, LEVELS
from skillsgap.errors import Problem
from skillsgap.study.agreement import agree
from skillsgap.study.checks import empty
from skillsgap.study.crosswalks import UNMAPPED
from skillsgap.study.nearest import near
from skillsgap.study.offers import offers
from skillsgap.wording import N_

CELL = ("agency_id", "role_id", "role_level", "grade")  # what a cell of the register is, at the least
ROLE = ("role_id", "role_level")
EQUITY = ("sex", "region")  # groups whose parts in each cell are kept, where the register knows them
DROPPED = ("staff_id", "date", "hire_date", "exit_date", "headcount")  # of a respondent: who it is, or no respondent's
# tables that say nothing without another
NEEDED = (("responses", "items"), ("responses", "competencies"), ("aggregates", "competencies"))
NOBODYS = N_("gaps.by names it, and it is empty throughout"), N_("drop it from gaps.by")
# column of one table -> the table and column that must know its values
REFERENCES = [
    ("descriptors", "competency_id", "competencies"),
    ("items", "competency_id", "competencies"), ("requirements", "competency_id", "competencies"),
    ("aggregates", "competency_id", "competencies"),
    ("course_effects", "competency_id", "competencies"), ("course_effects", "course_id", "courses"),
    ("training_records", "course_id", "courses"), ("register", "agency_id", "agencies"),
    ("responses", "agency_id", "agencies"), ("costs", "agency_id", "agencies"),
    ("responses", "staff_id", "people"), ("training_records", "staff_id", "people"),
]  # fmt: skip


def relate(tables, params):
    """Find the faults between tables: unknown codes, columns that something asks for, staff without a place.

    Parameters
    ----------
    tables : dict of str to Loaded
        Typed tables; `people` are the register's rows of respondents.
    params : Params

    Returns
    -------
    list of Problem
        The faults that are no single table's; the others are kept in their tables.
    """
    _references(tables)
    _places(tables, params)
    agree(tables)
    _limits(tables)
    _published(tables, params)
    return [*_linked(tables, params), *_declared(params), *_absent(tables, params), *_levels(tables, params),
            *offers(tables, params, EQUITY)]


def known_codes(tables):
    """Codes that other tables may refer to, by column: dict of str to sorted list."""
    known = {}
    for table, column in (("competencies", "competency_id"), ("agencies", "agency_id"), ("courses", "course_id"),
                          ("requirements", "role_id"), ("requirements", "role_level")):  # fmt: skip
        if table in tables and column in tables[table].frame:
            codes = set(tables[table].frame[column].dropna()) - {""}
            known[column] = sorted(codes | set(known.get(column, ())))
    return known


def _references(tables):
    for table, column, there in REFERENCES:
        here, known = tables.get(table), tables.get(there)
        if here is None or known is None or column not in here.frame or column not in known.frame:
            continue
        values = here.frame[column]
        odd = here.frame[values.notna() & ~values.isin(known.frame[column]) & (values != UNMAPPED)]
        if len(odd):
            value = odd[column].iloc[0]
            text, said = N_("{value!r} is not in {there}"), {"value": value, "there": known.name, "column": column}
            remedy = N_("add it there, or correct it ({column})")
            stripped = {str(code).lstrip("0"): code for code in known.frame[column].dropna()}
            if str(value).lstrip("0") in stripped:
                said["other"] = stripped[str(value).lstrip("0")]
                remedy = N_("{there} has {other!r}: leading zeros were lost or added; write the codes alike")
            here.fault(odd, column, text, remedy, said)


def _linked(tables, params):
    """Each respondent has a row of the register: their own by staff_id, or their cell's."""
    responses, register = tables.get("responses"), tables.get("register")
    if responses is None or register is None:
        return []
    link, line = responses.spec.get("link"), params.line("data", "responses")
    if link is None:
        if "people" in tables and "staff_id" in responses.frame:
            empty(responses, "staff_id", N_("fill it in: without it nobody knows whose answers these are"))
            return []
        text = (N_("the register holds cells and no persons") if "people" not in tables
                else N_("there is no column staff_id"))  # fmt: skip
        remedy = N_("name the columns of a respondent's cell in data.responses.link, as in link: [{columns}]")
        shared = [c for c in CELL if c in responses.frame and c in register.frame]
        said = {"columns": ", ".join(shared or CELL[:2])}
        return [Problem(responses.name, text, remedy, column="staff_id", values=said)]
    for name, table in (("responses", responses), ("register", register)):
        lacking = [column for column in link if column not in table.frame]
        if lacking:
            return [Problem(params.path.name, N_("data.responses.link names {column!r}, which {file} lacks"),
                            N_("name columns that both tables have"), line,
                            values={"column": lacking[0], "file": table.name, "table": name})]  # fmt: skip
    cells = register.frame[link].drop_duplicates()
    # who didn't answer need not say where they work
    answered = responses.frame[responses.frame["answered"]] if "answered" in responses.frame else responses.frame
    told = answered[link].notna().all(axis=1)
    for column in link:
        blank = answered[answered[column].isna()]
        if len(blank):
            responses.fault(blank, column, N_("the value is empty, and data.responses.link goes by it"),
                            N_("fill it in, or name a column there that nobody leaves empty"))  # fmt: skip
    there = answered[link].merge(cells, on=link, how="left", indicator=True)["_merge"] == "both"
    odd = answered[told & ~there.to_numpy()]
    if len(odd):
        said = {"value": " ".join(map(str, odd.iloc[0][link])), "there": register.name}
        responses.fault(odd, " + ".join(link), N_("{value!r} is not in {there}"),
                        N_("add the cell there, or correct the codes"), said)  # fmt: skip
    return []


def _absent(tables, params):
    """Columns and tables that the stages will ask for, as far as the tables could be read."""
    values, faults = params.values, []
    register, responses = tables.get("register"), tables.get("responses")
    staff = None if register is None else _kept(register)
    people = None if responses is None else list(dict.fromkeys([*(staff or ()), *_kept(responses)]))
    if register is None and "register" in values["data"]:
        people = None  # it couldn't be read, so what it knows of people isn't known
    if people is not None and "requirements" in tables:
        table = responses if register is None else register
        for column in ROLE:
            if column not in people:
                table.fault(None, column, N_("requirements are by role and level, and there is no column {column}"),
                            N_("add it, or map it in params: data.{table}.columns"),
                            {"column": column, "table": table.table})  # fmt: skip
    margins = values["design"]["calibrate"]
    if margins and "register" not in values["data"]:
        text, line = N_("design.calibrate names margins, and there is no register"), params.line("design", "calibrate")
        faults.append(Problem(params.path.name, text, N_("declare data.register, or leave it out"), line))
    for column in values["gaps"]["by"] if register is not None and len(register.frame) else ():
        if column in staff and column not in _kept(responses or register) and register.frame[column].isna().all():
            register.fault(register.frame, column, *NOBODYS)
    faults += _unknown(("design", "calibrate"), margins, staff, register, params)
    faults += _unknown(("gaps", "by"), values["gaps"]["by"], people, register or responses, params)
    if people is not None:
        more = ["courses_completed"] if "training_records" in tables else []
        people += [*more, *(_kept_columns(tables["people"], "register") if "people" in tables else [])]
    faults += _unknown(("profiles", "hr_indicators"), values["profiles"]["hr_indicators"], people, responses, params)
    return faults


def _declared(params):
    """What params declare and what that needs besides."""
    data, name = params.values["data"], params.path.name
    faults = [Problem(name, N_("data.{table} is there without data.{other}"), N_("declare it too"),
                      params.line("data", table), values={"table": table, "other": other})
              for table, other in NEEDED if table in data and other not in data]  # fmt: skip
    for table, spec in data.items():
        for walk in spec.get("crosswalk", {}).values() if table != "crosswalks" else ():
            if walk not in data.get("crosswalks", {}):
                faults.append(Problem(name, N_("data.{table} names a crosswalk {walk}, which is not there"),
                                      N_("declare it in data.crosswalks"), params.line("data", table, "crosswalk"),
                                      values={"table": table, "walk": walk}))  # fmt: skip
    if "derive" in data.get("requirements", {}) and "plausible_values" not in data.get("responses", {}):
        faults.append(Problem(name, N_("data.requirements.derive needs tested scores"),
                              N_("declare data.responses.plausible_values"),
                              params.line("data", "requirements", "derive")))  # fmt: skip
    if "plan" in params.values and "courses" in data and "course_effects" not in data:
        text, line = N_("data.courses is there without data.course_effects"), params.line("data", "courses")
        faults.append(Problem(name, text, N_("say what the courses change, or take plan out"), line))
    return faults


def _levels(tables, params):
    """Items that levels and profiles can't be made of, and requirements that are nobody's."""
    items, variables, faults = tables.get("items"), params.values["profiles"]["variables"], []
    if items is not None and {"item_id", "type"} <= set(items.frame):
        frame = items.frame
        anchored = frame[frame["type"] == "anchored"]
        if variables == "competencies" and anchored.empty:
            items.fault(None, "type", N_("no item is anchored, so there are no levels to form profiles on"),
                        N_("set profiles.variables to items"))  # fmt: skip
        lost = anchored[anchored["competency_id"].isna()] if "competency_id" in frame else anchored
        if len(lost):
            items.fault(lost, "competency_id", N_("the anchored item {item} belongs to no competency"), N_("name it"),
                        {"item": lost.iloc[0]["item_id"]})  # fmt: skip
        if isinstance(variables, list):
            faults += _unknown(("profiles", "variables"), variables, frame["item_id"].dropna().tolist(), items, params)
    required, table = tables.get("requirements"), tables.get("register") or tables.get("responses")
    if required is None or table is None or not {*ROLE} <= set(required.frame) & set(table.frame):
        return faults
    if table.frame.merge(required.frame[list(ROLE)], on=list(ROLE)).empty:
        required.fault(None, " + ".join(ROLE), N_("none of its roles and levels stands in {there}"),
                       N_("use the same codes in both"), {"there": table.name})  # fmt: skip
    if items is not None and {"competency_id", "type"} <= set(items.frame) and "competency_id" in required.frame:
        _unasked(required, items)
    return faults


def _unasked(required, items):
    """What is required and nobody was asked about has no level, and no gap: it is told, and left out."""
    anchored = items.frame["type"] == "anchored"
    asked = items.frame["competency_id"][anchored if anchored.any() else slice(None)]
    odd = required.frame[~required.frame["competency_id"].isin(asked)]
    if len(odd) == len(required.frame):
        required.fault(None, "competency_id", N_("none of its competencies has an item in {there}"),
                       N_("use the same codes in both"), {"there": items.name})  # fmt: skip
    for competency, rows in odd.groupby("competency_id", sort=True):
        required.note(rows, "competency_id", N_("{value!r} is required, and no item in {there} asks about it"),
                      N_("left out: it has no gap"), {"value": competency, "there": items.name})  # fmt: skip
    required.frame = required.frame.drop(odd.index)


def _unknown(keys, named, known, where, params):
    """Names in params that aren't known; nothing is, where a table couldn't be read, and then nothing is said."""
    faults = []
    for name in named if known is not None else ():
        if name not in known:
            remedy, values = near(name, known)
            said = {**values, "key": ".".join(keys), "name": name, "file": where.name}
            text = N_("{key} names {name!r}, which {file} lacks")
            theirs = {theirs: ours for ours, theirs in where.spec.get("columns", {}).items()}
            if name in theirs:
                remedy, said["near"] = N_("params call that column {near}"), theirs[name]
            faults.append(Problem(params.path.name, text, remedy, params.line(*keys), values=said))
    return faults


def _kept(loaded):
    """Columns that stay once tables are linked."""
    return _kept_columns(loaded, loaded.table)


def _kept_columns(loaded, table):
    return [c for c in CONTRACTS[table].columns if c in loaded.frame and c not in DROPPED]


def _places(tables, params):
    """Everybody in the register has a place in it: someone without one would be counted nowhere."""
    register = tables.get("register")
    for column in dict.fromkeys([*CELL, *params.values["design"]["calibrate"], "headcount"]):
        if register is not None and column in register.frame:
            odd = register.frame[register.frame[column].isna()]
            # a head-count that can't be read has been told as what it is
            told = any(fault.column == column for fault in register.faults)
            if len(odd) and not told:
                register.fault(odd, column, N_("the value is empty"),
                               N_("fill it in, with a code of its own if need be"))  # fmt: skip


def _limits(tables):
    """An indicator lies within the limits it is measured against."""
    indicators = tables.get("indicators")
    if indicators is None or not {"min", "max", "value"} <= set(indicators.frame):
        return
    frame = indicators.frame
    odd = frame[(frame["value"] < frame["min"]) | (frame["value"] > frame["max"])]
    if len(odd):
        said = {name: f"{odd[name].iloc[0]:g}" for name in ("value", "min", "max")}
        indicators.fault(odd, "value", N_("{value} is outside its limits {min} to {max}"),
                         N_("correct the value or its limits"), said)  # fmt: skip


def _published(tables, params):
    """A published mean of levels is one of them, or between two."""
    loaded = tables.get("aggregates")
    levels = params.values["study"].get("scale", "levels") == "levels"
    if loaded is None or not levels or not {"statistic", "estimate"} <= set(loaded.frame):
        return
    low, high = LEVELS
    odd = loaded.frame[(loaded.frame["statistic"] == "mean") & ~loaded.frame["estimate"].between(low, high)
                       & loaded.frame["estimate"].notna()]  # fmt: skip
    if len(odd):
        said = {"value": f"{odd['estimate'].iloc[0]:g}", "low": f"{low:g}", "high": f"{high:g}"}
        loaded.fault(odd, "estimate", N_("the mean level {value} is outside {low}..{high}"),
                     N_("correct it, or say on which scale it is in study.scale"), said)  # fmt: skip


def respondents(loaded, items, params):
    """Find faults of those who answered: nobody left, nothing answered, nobody stood for.

    Parameters
    ----------
    loaded : Loaded
        Responses; rows that did not answer, or don't belong to the population, are in it.
    items : DataFrame
    params : Params
    """
    frame = loaded.frame[loaded.frame["answered"]]
    for column, key in (("answered", "respondents"), ("in_population", "population")):
        if not frame[column].any():
            line = params.line("data", "responses", key)
            loaded.faults.append(Problem(params.path.name, N_("no respondent is left by data.responses.{key}"),
                                         N_("correct the conditions"), line, values={"key": key}))  # fmt: skip
            return
    inside, split = frame[frame["in_population"]], params.values["gaps"]["by"]
    for column in [name for name in split if name in inside and inside[name].isna().all()]:
        loaded.fault(inside, column, *NOBODYS)
    if frame[items["item_id"].tolist()].isna().all(axis=None):
        loaded.fault(None, None, N_("none of {n} respondents has an answer in {items} items"),
                     N_("check item_id in items against the columns"), {"n": len(frame), "items": len(items)})
    if "weight" not in frame:
        return
    none = frame[frame["weight"].isna()]
    if len(none):
        loaded.fault(none, "weight", N_("the value is empty"),
                     N_("give each respondent a weight, or leave the column out"))  # fmt: skip
    elif not frame["weight"].any():
        loaded.fault(frame, "weight", N_("every respondent has the weight 0"),
                     N_("say how many people each stands for"))  # fmt: skip
