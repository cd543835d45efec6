"""What params declare of a table, applied to its text: names, missing codes, skips, recodes, crosswalks."""

import difflib
import re

import pandas as pd

from skillsgap.contracts import CONTRACTS, MISSING, OPEN, STATUS
from skillsgap.study.crosswalks import cross
from skillsgap.study.headings import find_own, same_but_for_signs, unknown_names
from skillsgap.study.loaded import count
from skillsgap.study.nearest import near
from skillsgap.study.spelling import UNSEEN, blur, settle, tidy, uzbek, written
from skillsgap.study.suspects import mend, suspect
from skillsgap.wording import N_

NEAR = 0.8  # likeness of two codes of which one may be the other misspelt
EVERY = "*"  # in missing_codes: of every column
MISREAD = (N_("{value!r} is UTF-8 that was read as another encoding"), N_("read as {right!r}"))
# who somebody is, where, and how many they stand for is no answer: "*" leaves it alone
PLACED = ("agency_id", "unit_id", "role_id", "role_level", "grade", "status", "wave", "stratum", "psu", "fpc", "fpc2",
          "weight", "headcount", "competency_id", "item_id", "course_id", "by", "group")  # fmt: skip
FREE = ("staff_id", "rater_id")  # ids are matched as they are; nobody spells them
WHOLE, DECIMALS = re.compile(r"-?[0-9]+(?:\.0+)?"), re.compile(r"-?[0-9]+\.0+")
TEXTS = re.compile(r"(?:label|text|definition)_(\w\w)")
PROSE = ("source", "provider", "owner", "eligibility", "prerequisites", "languages", "cuts", "key")


def translate(loaded, crosswalks, known, items=()):
    """Apply the declarations of one table to its frame, in this order.

    Conditions are asked in the file's own names and codes. Then columns get our names, constants are added, rows
    outside the population are left out, declared missing codes become empty, skips get their meaning, codes are
    recoded, settled in spelling, held against their declared list, and taken through a crosswalk.

    Parameters
    ----------
    loaded : Loaded
        Its frame is replaced, its faults, notes and counts grow.
    crosswalks : dict of str to Loaded
    known : dict of str to collection of str
        Codes that other tables know, by column.
    items : collection of str
        Columns of answers, which missing codes for every column mean too.

    Returns
    -------
    Loaded
    """
    _number_codes(loaded)
    spec, told = loaded.spec, _conditions(loaded)
    there = told.pop("belongs", None)
    loaded.frame = loaded.frame.assign(**told)
    _name(loaded)
    if there is not None:
        _meaningless(loaded, there)
        loaded.frame = loaded.frame[there]
    if there is not None and not there.any():
        loaded.fault(None, None, N_("no row is left by data.{table}.population"), N_("correct the conditions"),
                     {"table": loaded.table})  # fmt: skip
    unknown_columns(loaded, list(loaded.frame))
    _forget(loaded, items)
    _skip(loaded)
    for column, codes in spec.get("recode", {}).items():
        _recode(loaded, column, {str(old): str(new) for old, new in codes.items()})
    walked = {column: crosswalks[name] for column, name in spec.get("crosswalk", {}).items() if name in crosswalks}
    # codes that go through a crosswalk are those of its one side; what other tables know are those of the other
    known = known | {column: sorted(set(walk.frame["from"])) for column, walk in walked.items() if "from" in walk.frame}
    for column in _codes(loaded):
        declared = declared_codes(spec, column)
        written(loaded, column, mend, *MISREAD)
        suspect(loaded, column, declared or known.get(column, ()))
        settle(loaded, column, declared or known.get(column, ()))
        _allowed(loaded, column, declared)
    for column in [c for c in spec.get("codes", {}) if c in loaded.frame and c not in _codes(loaded)]:
        _allowed(loaded, column, declared_codes(spec, column))  # answers and numbers have codes too
    for column in loaded.frame:
        if column in PROSE and column in CONTRACTS[loaded.table].columns:
            written(loaded, column, mend, *MISREAD)
            suspect(loaded, column, prose=True)
        elif match := TEXTS.fullmatch(column):
            written(loaded, column, mend, *MISREAD)
            suspect(loaded, column)
            written(loaded, column, tidy, UNSEEN, N_("made plain"))
            if match[1] == "uz":
                written(loaded, column, uzbek, N_("Uzbek text has other apostrophes than U+02BB and U+02BC"),
                        N_("written with these"))  # fmt: skip
    for column in [column for column in walked if column in loaded.frame]:
        cross(loaded, column, spec["crosswalk"][column], walked[column])
    return loaded


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


def find_columns(source, loaded, items=()):
    """The columns that params speak of and our own, in the file: by name, or but for case, blanks and signs.

    Parameters
    ----------
    source : TextTable
    loaded : Loaded
        Its faults and notes grow.
    items : collection of str
        Columns of answers.

    Returns
    -------
    dict of str to str
        Name in the file of each column that is spelled otherwise there.
    """
    # where a row is one answer, items become columns later
    rows, items = (items, ()) if "long" in loaded.spec else ((), items)
    wanted, aliases = [column for column in asked(loaded.spec) if column not in rows], {}
    for column in wanted:
        if column in source.columns:
            continue
        theirs = same_but_for_signs(column, source.columns)
        if theirs is None:
            loaded.fault(None, column, *_lacking(column, source.columns))
        else:
            aliases[column] = theirs
    if loaded.table != "responses" or len(items):
        unknown_names(loaded, items)
    aliases |= find_own(source, loaded, {*wanted, *aliases.values()}, items)
    for column, theirs in aliases.items():
        loaded.note(None, column, N_("the file writes the column as {theirs!r}"), N_("taken as the same"),
                    {"theirs": theirs})  # fmt: skip
    return aliases


def unknown_columns(loaded, there):
    """Find faults of declarations about a column that is not there, as far as no reading would tell."""
    for key in ("recode", "missing_codes", "codes", "crosswalk"):
        for column in loaded.spec.get(key, ()):
            if column != EVERY and column not in there:
                loaded.fault(None, column, *_lacking(column, there))
    for column in loaded.spec.get("numbers", {}).get("percent", ()):
        if column not in there:
            loaded.fault(None, column, *_lacking(column, there))


def declared_codes(spec, column):
    """Codes a column may hold, as params declare them under our name or the file's own."""
    codes = spec.get("codes", {})
    return [str(code) for code in codes.get(column) or codes.get(spec.get("columns", {}).get(column), ())]


def narrow(spec, columns):
    """What a declaration says of some of our columns only."""
    said = {key: {c: v for c, v in spec[key].items() if c in columns or c == EVERY}
            for key in ("columns", "constants", "crosswalk") if key in spec}  # fmt: skip
    theirs = {*columns, *said.get("columns", {}).values()}
    said |= {key: {c: v for c, v in spec[key].items() if c in theirs or c == EVERY}
             for key in ("recode", "missing_codes", "codes") if key in spec}  # fmt: skip
    if "numbers" in spec:
        percent = [column for column in spec["numbers"].get("percent", ()) if column in columns]
        said["numbers"] = spec["numbers"] | {"percent": percent}
    return said | {key: spec[key] for key in ("dates", "file", "url") if key in spec}


def series(spec):
    """Replicate weight and plausible value columns a responses table declares."""
    columns = []
    if "replicate_weights" in spec:
        span = spec["replicate_weights"]
        columns += [f"{span['prefix']}{i}" for i in range(span["from"], span["to"] + 1)]
    for span in spec.get("plausible_values", {}).values():
        columns += [f"{span['prefix']}{i}" for i in range(1, span["count"] + 1)]
    return columns


def asked(spec):
    """Columns of the file, by its own names, that the declarations of a table speak of."""
    conditions = [spec.get(key, {}) for key in ("population", "respondents", "well_matched")]
    skips = spec.get("skip", {})
    named = [column for condition in conditions for column in condition]
    named += [*skips, *(column for rule in skips.values() for column in rule["when"])]
    told = [*spec.get("columns", {}).values(), *spec.get("long", {}).values(), *series(spec), *named]
    return list(dict.fromkeys(told))


def _number_codes(loaded):
    """Whole numbers that another program wrote as 1.0, 2.0 are the codes 1, 2."""
    named, changed = loaded.spec.get("columns", {}), []
    rules = CONTRACTS[loaded.table].columns.items()
    numbers = {named.get(name, name) for name, rule in rules if rule.kind != "text"} | set(series(loaded.spec))
    for column in loaded.frame:
        if column in numbers or pd.api.types.is_numeric_dtype(loaded.frame[column]):
            continue
        found = set(loaded.frame[column].unique()) - {""}
        if any(map(DECIMALS.fullmatch, found)) and all(map(WHOLE.fullmatch, found)):
            loaded.frame[column] = loaded.frame[column].str.replace(r"\.0+$", "", regex=True)
            changed.append(column)
    if changed:
        loaded.note(None, changed[0], N_("whole numbers are written with decimals in {n} columns"),
                    N_("read without them"), {"n": len(changed)})  # fmt: skip


def _conditions(loaded):
    """What params ask of a row, in the file's own names and codes."""
    # respondents outside the population still serve derived requirements; other rows don't belong here at all
    inside = "in_population" if loaded.table == "responses" else "belongs"
    told = {"answered": "respondents", "well_matched": "well_matched", inside: "population"}
    told = {ours: key for ours, key in told.items() if key in loaded.spec}
    for key in told.values():
        for column, condition in loaded.spec[key].items():
            _misspelt(loaded, key, column, [str(code) for code in condition.get("in", ())])
    return {ours: matches(loaded.frame, loaded.spec[key]) for ours, key in told.items()}


def _misspelt(loaded, key, column, named):
    """A code of a condition that no row has, where one that rows have is nearly it."""
    found = set(loaded.frame[column])
    there = sorted(found - {"", *named})
    for code in [code for code in named if code not in found and re.search(r"[^\W\d_]", code)]:
        same = [other for other in there if blur(other) == blur(code)]
        alike = same or difflib.get_close_matches(code, there, 1, NEAR)
        if alike:
            loaded.fault(None, column, N_("data.{table}.{key} names {value!r}, which no row has"),
                         N_("did you mean {near}?"),
                         {"table": loaded.table, "key": key, "value": code, "near": alike[0]})  # fmt: skip


def _meaningless(loaded, there):
    """No row is left out for a code that means nothing, or for none."""
    known = {c: rule.levels for c, rule in CONTRACTS[loaded.table].columns.items() if rule.levels and c not in OPEN}
    plain = [named for named in loaded.spec["population"] if named not in loaded.spec.get("recode", ())]
    for column in [ours for named in plain for ours in sorted(_copies(loaded, named)) if ours in known]:
        odd = loaded.frame[~there & ~loaded.frame[column].isin(known[column])]
        if len(odd):
            said = {"value": odd[column].iloc[0], "levels": ", ".join(known[column]), "table": loaded.table,
                    "column": column}  # fmt: skip
            recode = N_("correct it, or recode it in params: data.{table}.recode.{column}")
            text, remedy = ((N_("{value!r} is not one of {levels}"), recode) if said["value"]
                            else (N_("the value is empty"), N_("fill it in")))  # fmt: skip
            loaded.fault(odd, column, text, remedy, said)


def _name(loaded):
    # a column may serve under two names (a code for people, a condition), so it is copied, not renamed
    wanted = loaded.spec.get("columns", {})
    given = {ours: loaded.frame[theirs] for ours, theirs in wanted.items()}
    # a column of the file that is another one of ours is not taken under its own name too
    elsewhere = [name for name in wanted.values() if name in CONTRACTS[loaded.table].columns]
    frame = loaded.frame.drop(columns=elsewhere).assign(**given)
    fixed = {column: str(value) for column, value in loaded.spec.get("constants", {}).items()}
    for column in fixed:
        if column in frame:
            loaded.fault(None, column, N_("params give all rows one {column}, and the file has that column too"),
                         N_("drop it from data.{table}.constants, or map another column"),
                         {"column": column, "table": loaded.table})  # fmt: skip
    loaded.frame = frame.assign(**fixed)
    loaded.frame.attrs = {}


def _copies(loaded, named):
    """A column under our name, and under the file's own, where codes may be declared too."""
    return {named, *(ours for ours, theirs in loaded.spec.get("columns", {}).items() if theirs == named)}


def _lacking(column, there):
    remedy, values = near(column, list(there))
    return N_("there is no column {column}, which params name"), remedy, {**values, "column": column}


def _forget(loaded, items):
    """Declared missing codes become empty, and are counted by kind."""
    everywhere = loaded.spec.get("missing_codes", {}).get(EVERY)
    declared = {column: codes for column, codes in loaded.spec.get("missing_codes", {}).items() if column != EVERY}
    if everywhere is not None:
        ours = [c for c in CONTRACTS[loaded.table].columns if c not in (*FREE, *PLACED)]
        declared = {column: everywhere for column in (*ours, *items) if column in loaded.frame} | declared
    for named, codes in declared.items():
        if named not in loaded.frame:
            continue
        kinds = codes if isinstance(codes, dict) else {"not_stated": codes}
        for column in _copies(loaded, named):
            counted = dict.fromkeys(MISSING, 0)
            for kind, values in kinds.items():
                gone = loaded.frame[column].isin([str(code) for code in values])
                if gone.any():
                    counted[kind] = _lost(loaded, gone)
                    loaded.frame[column] = loaded.frame[column].mask(gone, "")
            loaded.missing[column] = counted


def _skip(loaded):
    """A question that was rightly skipped gets the answer its skipping means, or is counted as skipped."""
    for column, rule in loaded.spec.get("skip", {}).items():
        met, value = matches(loaded.frame, rule["when"]), str(rule.get("value", ""))
        answered = loaded.frame[met & ~loaded.frame[column].isin(["", value])]
        said = {"column": column, "table": loaded.table}
        if "value" in rule and not met.any():
            loaded.fault(None, column, N_("no row meets the condition of data.{table}.skip.{column}"),
                         N_("correct it, or leave it out"), said)  # fmt: skip
        elif len(answered):
            loaded.fault(answered, column, N_("{column} is skipped here, as params say, and has the answer {answer!r}"),
                         N_("correct it, or data.{table}.skip.{column}"),
                         said | {"answer": answered[column].iloc[0]})  # fmt: skip
        empty = met & (loaded.frame[column] == "")
        for name in _copies(loaded, column):
            loaded.frame[name] = loaded.frame[name].mask(empty, value)
            if "value" not in rule:
                missing = loaded.missing.setdefault(name, dict.fromkeys(MISSING, 0))
                missing["skipped"] += _lost(loaded, empty)


def _lost(loaded, rows):
    """How many rows of the file some rows stand for; of respondents, those who answered, as others left nothing out."""
    there = loaded.frame["answered"] if "answered" in loaded.frame else loaded.frame.get("status") != STATUS[-1]
    return count(loaded.frame[rows & there])


def _recode(loaded, named, codes):
    """Another code for each declared one; a code that is neither declared nor a target is a fault."""
    if named not in loaded.frame:
        return
    known = {*codes, *codes.values(), "", *declared_codes(loaded.spec, named)}
    odd = loaded.frame[~loaded.frame[named].isin(known)]
    if len(odd):
        loaded.fault(odd, named, N_("{value!r} has no recode, though other codes of the column have"),
                     N_("add it to data.{table}.recode.{column}, or to data.{table}.codes.{column}"),
                     {"value": odd[named].iloc[0], "table": loaded.table, "column": named})  # fmt: skip
    for column in _copies(loaded, named):
        loaded.frame[column] = loaded.frame[column].replace(codes)


def _codes(loaded):
    """Columns of codes: text by contract, no id, no prose."""
    columns = CONTRACTS[loaded.table].columns
    return [
        name for name, rule in columns.items()
        if name in loaded.frame and rule.kind == "text" and name not in (*FREE, *PROSE) and not TEXTS.fullmatch(name)
    ]  # fmt: skip


def _allowed(loaded, column, allowed):
    if not allowed:
        return
    odd = loaded.frame[~loaded.frame[column].isin(["", *allowed])]
    if len(odd):
        loaded.fault(odd, column, N_("{value!r} is not one of the declared codes {codes}"),
                     N_("correct it, recode it, or add it to data.{table}.codes.{column}"),
                     {"value": odd[column].iloc[0], "codes": ", ".join(allowed), "table": loaded.table,
                      "column": column})  # fmt: skip

