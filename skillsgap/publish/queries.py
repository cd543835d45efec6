"""The page of queries: what to ask the owner of the data, what hangs on it, and what to send."""

import json
import re
from dataclasses import replace

import pandas as pd
from babel.lists import format_list

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import Problem
from skillsgap.publish import pages
from skillsgap.publish.gates import DIMENSIONS, KINDS, table_name
from skillsgap.wording import N_, catalogue

LONGEST = 360  # letters of a sentence; a longer one holds a value nobody would read to its end
# columns that say who somebody is, under our names
DIRECT = frozenset(c for t in CONTRACTS.values() for c, rule in t.columns.items() if rule.identifies == "direct")
ANALYST = re.compile(r"\.ya?ml\b")  # a fault of a params file is the analyst's, and no question to anybody
# a remedy that speaks of params is the analyst's too: the owner is asked for what it needs to be known
PARAMS = re.compile(r"params|missing_codes|recode|crosswalk|accept|declare|data\.|profiles\.|reverse|item_id|map ")
# places of a message that say where and never who
PLACES = frozenset({"line", "lines", "there", "file", "table", "column", "columns", "theirs"})
MEANT = N_("The rows corrected, or what the value means.")
SEND = {
    "completeness": N_("The rows or values that are missing, or why there are none."),
    "validity": N_("The right values, or what the odd ones mean."),
    "consistency": N_("Which of the tables is right, and the other one corrected."),
    "uniqueness": N_("Which of the rows that stand twice counts."),
    "timeliness": N_("A newer file, or the date for which this one is true."),
    "coverage": N_("What is missing from the parts named, or why nothing was sent for them."),
}


def queries_page(unit_title, problems, notes, quality, *, owner, words, gates=(), identifying=()):
    """One page of numbered questions to the owner of the data, in their language.

    Faults come first, since each stops the report; then quality levels below their gate, which withhold claims; then
    oddities that were put right, to be confirmed. Faults of params files are left out.

    Parameters
    ----------
    unit_title : str or mapping of language to text
    problems : sequence of Problem
    notes : DataFrame or sequence of Problem, or None
        Stage table `notes`, or the same oddities as problems.
    quality : DataFrame or None
        Stage table `quality`.
    owner : str
        Name of the data owner.
    words : Words
        In the language of the owner.
    gates : mapping of dimension to quality level
        Lowest level at which claims are made, as in params.
    identifying : sequence of str
        The file's own names of columns that say who somebody is; values in them are never shown.

    Returns
    -------
    str
        HTML of the same kind as `pages.assemble` makes: it loads nothing and runs nothing.
    """
    private = DIRECT | set(identifying)
    items = [_fault(problem, words) for problem in _hidden(_asked(problems), private, words)]
    items += _levels(quality, dict(gates), words)
    items += [_oddity(problem, words) for problem in _hidden(_asked(_problems(notes)), private, words)]
    title = words("Questions about the data of {unit}", unit=words.text(unit_title))
    sub = words("To {owner}. Please answer below each question, or send a corrected file.", owner=owner)
    labels = {
        "consequence": words("What hangs on it"), "send": words("Please send"), "answer": words("Your answer"),
        "by": words("Answered by"), "date": words("Date"), "contact": words("Contact"),
    }  # fmt: skip
    listed = pages.queries(items, labels, nothing=words("There is nothing to ask: the data were read without a doubt."))
    head = pages.head([], title=title, sub=sub if items else "", words=words)
    return pages.assemble([("head", head), ("main", listed)], lang=words.lang, title=title)


def _asked(problems):
    """Problems of the data, those that concern most rows first."""
    here = [problem for problem in problems if not ANALYST.search(problem.file)]
    return sorted(here, key=lambda problem: (-problem.rows, str(problem)))


def _problems(notes):
    """Rows of the stage table `notes` as problems."""
    if notes is None or not isinstance(notes, pd.DataFrame):
        return list(notes or ())
    lines = [None if pd.isna(line) else int(line) for line in notes["line"]]
    return [
        Problem(row.file, row.text, row.remedy, line, row.column or None, int(row.rows), json.loads(row.values))
        for row, line in zip(notes.itertuples(name="Note"), lines, strict=True)
    ]


class Hidden(str):
    """What stands for a value that isn't shown; in quotes it would look like one."""

    __repr__ = str.__str__


def _hidden(problems, private, words):
    """The problems without a value that says who somebody is."""
    return [_without_ids(problem, private, words("(id not shown)")) for problem in problems]


def _without_ids(problem, private, hidden):
    told = " ".join([problem.column or "", problem.text, *map(str, problem.values.values())])
    if not private & set(re.findall(r"\w+", told)):
        return problem
    if not problem.values and problem.text not in catalogue("uz"):
        # a text that was glued together may hold an id, and so its remedy; only a known message surely holds none
        said = N_("a value is wrong, unknown or stands twice (id not shown)")
        return replace(problem, text=said, remedy=MEANT)
    number = {name for name, x in problem.values.items() if not isinstance(x, str) and name not in ("value", "key")}
    shown = number | (PLACES & set(problem.values))
    values = {name: x if name in shown else Hidden(hidden) for name, x in problem.values.items()}
    return replace(problem, values=values)


def _fault(problem, words):
    text, remedy = words.problem(problem)
    if PARAMS.search(problem.remedy):
        remedy = (words(MEANT) if problem.line is not None
                  else words("The file again with what it lacks, or why it can’t be had."))  # fmt: skip
    consequence = words("No report can be made until this is answered.")
    return {"where": _where(problem, words), "what": _cut(text), "consequence": consequence, "send": remedy}


def _oddity(problem, words):
    text, remedy = words.problem(problem)
    what = words("{oddity}. It was put right: {done}.", oddity=_cut(text), done=remedy)
    return {
        "where": _where(problem, words), "what": what, "consequence": words("Nothing, if what was done is right."),
        "send": words("A word that this is right."),
    }  # fmt: skip


def _where(problem, words):
    """File, line, column and number of rows, as far as they are known."""
    parts = [problem.file]
    if problem.line is not None:
        parts.append(words("line {line}", line=words.told("{line}", {"line": problem.line})))
    if problem.column:
        parts.append(words("column {column}", column=problem.column))
    if problem.rows > 1:
        parts.append(words("{rows} rows", rows=words.number(problem.rows)))
    return " · ".join(parts)


def _levels(quality, gates, words):
    """A question for each table and dimension below its gate, the lowest level first."""
    if quality is None or quality.empty:
        return []
    lowest = quality["dimension"].map(gates).astype(float)
    low = quality[(quality["part"] == "") & (quality["level"] < lowest)].sort_values(["level", "table", "dimension"])
    items = []
    for row in low.itertuples(name="Level"):
        kinds = [words(name) for name, tables in KINDS.values() if row.table in tables]
        withheld = words("Withheld until then: {claims}.", claims=format_list(kinds, locale=words.locale))
        items.append({
            "where": words.say("{table}", {"table": table_name(row.table)}),
            "what": words(
                "{dimension} is at level {level} of 4, and {gate} is needed: {reason}.",
                dimension=words(DIMENSIONS[row.dimension]),
                level=words.number(row.level),
                gate=words.number(gates[row.dimension]),
                reason=words.told(row.reason, row.values),
            ),
            "consequence": withheld if kinds else words("Nothing in this report."),
            "send": words(SEND[row.dimension]),
        })  # fmt: skip
    return items


def _cut(text):
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
