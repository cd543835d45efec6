"""How far the tables that came in can carry claims: a level 0 to 4 by table and dimension, each with its reason."""

import json

import pandas as pd

from skillsgap.contracts import CONTRACTS, INPUTS
from skillsgap.study.between import FEW, coverage, relations
from skillsgap.study.levels import COLUMNS, level_of, percent, row
from skillsgap.wording import N_

UNDATED = ("competencies", "items", "agencies", "crosswalk")  # they define words, which don't age
DATED = {"courses": "price_year", "indicators": "vintage", "exposure": "vintage"}
# an empty cell in these columns says "none", and nothing is missing
NONE_IS_SAID = ("exit_date", "promotion_window", "lowest", "reverse", "key", "cuts", "prerequisites", "eligibility",
                "class_min", "seats_max", "hub_id", "half_life_months", "rater_id", "mission_critical")  # fmt: skip
# what the message of an oddity holds that is not one of validity
NOTED = {"apostrophes": "consistency", "hold the same": "uniqueness"}


def assess_quality(study, *, reference_year=None, threshold=FEW, rounding=5):
    """Quality of each table, from 0 to 4, on each dimension that applies to it.

    Parameters
    ----------
    study : Study
        Its tables, and what was found on the way: `sources`, `columns`, `notes`, `mapped`.
    reference_year : int, optional
        Year the report speaks of; by default the newest that any table is of.
    threshold, rounding : int
        As in params under disclosure: an agency with fewer staff is only counted, fewer respondents are not
        printed, and the counts of agencies are rounded.

    Returns
    -------
    DataFrame of table, dimension, part, level, measure, reason, values
        `part` is empty for the whole table, an agency under coverage, or a column (or file) in which an oddity
        was put right. `measure` is the share that is right, or for timeliness the years between. `reason` is
        a message and `values` its plain values as JSON, as `Words.told` takes them. Sorted by the first three.

    References
    ----------
    DAMA UK Working Group (2013), The six primary dimensions for data quality assessment. Eurostat, European
    Statistics Code of Practice. OMB (2006), Standards and Guidelines for Statistical Surveys.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> courses = pd.DataFrame({"course_id": ["B01", "B02"], "price_year": [2024, 2024]})
    >>> sources = pd.DataFrame({"table": ["courses"], "file": ["c.csv"], "rows": [2], "kept": [2], "as_of": [""]})
    >>> columns = pd.DataFrame({"table": "courses", "column": list(courses), "rows": 2, "filled": [2, 1]})
    >>> found = assess_quality(SimpleNamespace(courses=courses, sources=sources, columns=columns),
    ...                        reference_year=2026)
    >>> found[["dimension", "level", "measure"]].values.tolist()
    [['completeness', 2, 0.75], ['timeliness', 2, 2.0], ['uniqueness', 4, 1.0], ['validity', 4, 1.0]]
    """
    facts = study.sources[study.sources["table"].isin(set(INPUTS) - {"crosswalk"})]
    tables = sorted(set(facts["table"]))
    rows = facts.groupby("table")["rows"].sum()
    columns = study.columns.assign(**{name: 0 for name in ("skipped", "not_applicable") if name not in study.columns})
    notes = _notes(study, tables)
    years = {table: _year(study, facts, table) for table in tables if table not in UNDATED}
    reference = reference_year or max((year for year in years.values() if year), default=None)
    made = coverage(study, few=max(threshold, FEW), threshold=threshold, rounding=rounding) + _noted(notes, rows)
    made += [_timeliness(table, year, reference) for table, year in years.items()]
    between = pd.DataFrame(relations(study), columns=["table", "share", "reason", "values"])
    for table in tables:
        here, odd = columns[columns["table"] == table], notes[notes["table"] == table]
        made += [
            _completeness(table, here),
            _validity(study, table, here, odd[odd["dimension"] == "validity"]),
            _uniqueness(table, set(here["column"]), odd[odd["dimension"] == "uniqueness"], rows[table]),
            _consistency(table, between[between["table"] == table], odd[odd["dimension"] == "consistency"]),
        ]
    found = pd.DataFrame([line for line in made if line is not None], columns=COLUMNS)
    return found.sort_values(COLUMNS[:3], ignore_index=True).astype({"level": "int64", "measure": "float64"})


def _completeness(table, columns):
    """Share of values that are there, of those that could be."""
    columns = columns[~columns["column"].isin(NONE_IS_SAID) & (columns["rows"] > 0)]
    if columns.empty:
        return None
    there = (columns["filled"] + columns["skipped"] + columns["not_applicable"]).clip(upper=columns["rows"])
    share = there.sum() / columns["rows"].sum()
    values = {"filled": there.sum(), "all": columns["rows"].sum()}
    reason = N_("all {all} values are there")
    if share < 1:
        each = (there / columns["rows"]).set_axis(columns["column"]).sort_index()
        reason = N_("{filled} of {all} values are there; fewest in {column} ({share}%)")
        values |= {"column": each.idxmin(), "share": percent(each.min())}
    return row(table, "completeness", level_of("completeness", share), share, reason, values)


def _validity(study, table, columns, notes):
    """Share of values that came as a known code or number; at most 3 where nobody has declared the codes."""
    values, mapped = columns["rows"].sum(), getattr(study, "mapped", None)
    odd = notes.loc[notes["column"] != "", "rows"].sum()
    right = 1 - min(odd / values, 1) if values else 1.0
    lost = mapped[mapped["table"] == table] if mapped is not None else pd.DataFrame({"unmapped": []})
    if len(lost) and 1 - lost["unmapped"].max() < right:
        worst = lost.sort_values(["unmapped", "column"], ascending=[False, True]).iloc[0]
        return row(table, "validity", level_of("validity", 1 - worst["unmapped"]), 1 - worst["unmapped"],
                   N_("{share}% of {column} have a code that the crosswalk {crosswalk} lacks"),
                   {"share": percent(worst["unmapped"]), "column": worst["column"],
                    "crosswalk": worst["crosswalk"]})  # fmt: skip
    if len(notes):
        return row(table, "validity", min(level_of("validity", right), 3), right,
                   N_("oddities put right: {n}, in {odd} of {all} values"),
                   {"n": len(notes), "odd": odd, "all": values})  # fmt: skip
    codes = columns[columns["column"].isin(_codes(table))]
    open_ = codes[~codes["declared"].astype(bool)] if "declared" in codes else codes[:0]
    if len(open_):
        return row(table, "validity", 3, right,
                   N_("{n} of {all} columns of codes have no declared codes ({column} is one): a typing error there "
                      "can't be seen"),
                   {"n": len(open_), "all": len(codes), "column": open_["column"].min()})
    return row(table, "validity", 4, 1.0, N_("every value is a known code or a number within its range"))


def _codes(table):
    """Columns that hold codes of people or of published groups."""
    rules = CONTRACTS[table].columns
    return [name for name, rule in rules.items() if rule.kind == "text" and rule.identifies in ("near", "sensitive")]


def _uniqueness(table, columns, notes, rows):
    """Whether a key tells rows apart, and how many look like another one all the same."""
    key = [name for name in CONTRACTS[table].key if name in columns]
    needed = {name for name in CONTRACTS[table].key if CONTRACTS[table].columns[name].required}
    alike = min(notes["rows"].sum() / rows, 1) if rows else 0.0
    level = level_of("uniqueness", 1 - alike)
    if not key or not needed <= set(key):
        return row(table, "uniqueness", min(level, 2), 1 - alike,
                   N_("no key tells its rows apart: one that stands twice can't be seen"))  # fmt: skip
    if alike:
        return row(table, "uniqueness", level, 1 - alike, N_("{n} of {all} rows look like another one"),
                   {"n": notes["rows"].sum(), "all": rows})
    return row(table, "uniqueness", 4, 1.0, N_("{key} tells each row from all others"), {"key": " + ".join(key)})


def _timeliness(table, year, reference):
    if year is None or reference is None:
        return row(table, "timeliness", 1, float("nan"), N_("no date is declared"))
    apart = abs(int(reference) - year)
    level = 0 if apart > 5 else max(1, 4 - apart)
    values = {"year": str(year), "reference": str(reference)}
    return row(table, "timeliness", level, apart, N_("of {year}; the report speaks of {reference}"), values)


def _year(study, sources, table):
    """Year a table is of: the oldest declared, or else that of its middle row."""
    declared = sources.loc[(sources["table"] == table) & (sources["as_of"].fillna("") != ""), "as_of"]
    if len(declared):
        return int(declared.astype(str).str[:4].min())
    frame, column = getattr(study, table, None), DATED.get(table)
    if frame is None or column not in frame:
        return None
    years = pd.to_numeric(frame[column].dropna().astype(str).str[:4], errors="coerce").dropna()
    return int(years.quantile(0.5, interpolation="lower")) if len(years) else None


def _notes(study, tables):
    """Oddities that were put right, in one order, each with its dimension."""
    notes = getattr(study, "notes", None)
    if notes is None:
        notes = pd.DataFrame(columns=list(CONTRACTS["notes"].columns))
    # what a crosswalk lacks is counted by `mapped` already
    notes = notes[notes["table"].isin(tables) & ~notes["text"].str.contains("is not in the crosswalk", regex=False)]
    notes = notes.assign(column=notes["column"].fillna(""), dimension="validity")
    notes = notes.sort_values(["table", "column", "file", "line", "text"], ignore_index=True)
    for words, dimension in NOTED.items():
        notes["dimension"] = notes["dimension"].mask(notes["text"].str.contains(words, regex=False), dimension)
    return notes


def _noted(notes, rows):
    """Each oddity in its own words, as a part of its table."""
    where = notes["column"].mask(notes["column"] == "", notes["file"])
    nth = notes.assign(where=where).groupby(["table", "dimension", "where"]).cumcount()
    part = where.mask(nth > 0, where + " " + (nth + 1).astype(str))
    share = 1 - (notes["rows"] / notes["table"].map(rows).astype(float)).clip(upper=1).where(notes["column"] != "", 0.0)
    return [
        row(note.table, note.dimension, min(level_of(note.dimension, right), 3), right, note.text,
            json.loads(note.values), place)
        for note, right, place in zip(notes.itertuples(name="Note"), share, part, strict=True)
    ]  # fmt: skip


def _consistency(table, relations, notes):
    """The relation to another table that holds least; at most 3 where codes were written in several ways."""
    if relations.empty and notes.empty:
        return None
    worst = relations.sort_values(["share", "reason"]).iloc[:1]
    share = worst["share"].iloc[0] if len(worst) else 1.0
    if share < 1:
        level = level_of("consistency", share)
        return row(table, "consistency", level, share, worst["reason"].iloc[0], worst["values"].iloc[0])
    if len(notes):
        return row(table, "consistency", 3, 1.0, N_("codes or names in several spellings, read as one: {n} values"),
                   {"n": notes["rows"].sum()})
    return row(table, "consistency", 4, 1.0, N_("what it refers to is all there"))
