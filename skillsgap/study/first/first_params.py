"""Write a first params file from a look at a user's files: guesses with their reasons, and what is left to say."""

import os
import re
from pathlib import Path

from skillsgap.contracts import INPUTS
from skillsgap.study.first.commented import Lines, listed, quoted
from skillsgap.study.first.first_tables import TODO, stand_in, write_table
from skillsgap.study.first.guess import guess_table
from skillsgap.study.first.look import look, series_of

MARGINS = ("agency_id", "grade", "sex", "age_band")  # what answering often depends on and registers know


def first_params(paths, *, unit, beside="params", data=None):
    """Write a commented first params file: what each file seems to be, why, and what a person has to say.

    Parameters
    ----------
    paths : sequence of path-like
        A user's files; at most the first 200,000 rows of each are looked at.
    unit : str
        Name of the unit, as the params file is to be called.
    beside : path-like, optional
        Folder of the params file, from which files are named.
    data : path-like, optional
        Folder of outside data: files in it are named from there.

    Returns
    -------
    str
        Text of the params file. It passes the schema; lines with TODO hold stand-ins.

    Raises
    ------
    StudyError
        A file can't be read.
    """
    guesses, strangers = {}, []
    for path in paths:
        guess = guess_table(look(Path(path)))
        if guess.table and guess.table not in guesses:
            guesses[guess.table] = guess
        else:
            strangers.append(guess)
    out = Lines()
    _head(out, unit, guesses)
    out.add(0, "data:")
    if not guesses:
        out.add(1, "responses: {file: responses.csv}", f"{TODO}: none of the files looks like a table of a unit")
    for table in [name for name in INPUTS if name in guesses]:
        write_table(out, guesses[table], guesses, _place(guesses[table].seen.path, beside, data))
    _proposed(out, guesses)
    for guess in strangers:
        _stranger(out, guess)
    _tail(out, guesses)
    return out.text()


def _place(path, beside, data):
    if data and Path(path).resolve().is_relative_to(Path(data).resolve()):
        return Path(path).resolve().relative_to(Path(data).resolve()).as_posix()
    return Path(os.path.relpath(Path(path).resolve(), Path(beside).resolve())).as_posix()


def _head(out, unit, guesses):
    out.add(0, "# yaml-language-server: $schema=../skillsgap/study/params.schema.json")
    out.say(0, f"First guesses from a look at the files. Correct them; every {TODO} needs you. "
               "`skillsgap columns` lists the columns that a table may have.")  # fmt: skip
    out.add(0, f"unit: {quoted(unit)}", "begin it with the country's ISO 3166-1 code, as in kor-piaac")
    out.add(0, f"title: {{en: {quoted(unit.replace('-', ' ').capitalize())}}}", f"{TODO}: as readers know it")
    out.add(0, "status: draft", "then queried, then cleared")
    out.add(0, "fictional: false")
    out.add(0, "report_languages: [en, uz]")
    out.add(0, "study:")
    out.add(1, f"population: {{en: {quoted(f'{TODO} staff of the public service')}}}", "whom the numbers speak for")
    year, why = _year(guesses)
    out.add(1, f"years: {quoted(year)}", why)
    scores, published = any(guess.scores for guess in guesses.values()), guesses.get("aggregates")
    scale = "score" if scores else stand_in(published, "statistic").replace("mean", "score") if published else "levels"
    out.add(1, f"scale: {scale}", "levels 0 none … 4 expert; score: a test's own scale; share: published shares")
    out.add(1, f"self_reported: {'false' if scores else 'true'}")
    if "courses" in guesses:
        _currency(out, guesses["courses"])
    out.gap()


def _year(guesses):
    dates = guesses["responses"].columns.get("date") if "responses" in guesses else None
    found = {}
    if dates:
        years = guesses["responses"].fact("date").valid.index.str.extract(r"(\d{4})")[0].dropna()
        found[dates[0]] = sorted({years.min(), years.max()})
    for guess in guesses.values():
        if guess.vintage:
            found.setdefault(guess.vintage[0], re.findall(r"(?:19|20)\d\d", guess.vintage[1])[:1])
    for guess in guesses.values():
        found.setdefault(guess.seen.path.name, re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", guess.seen.path.name)[:1])
    for source, years in found.items():
        if years:
            return "-".join(years), f"from {source}"
    return TODO, "when the data were taken, as in 2025 or 2011/12"


def _currency(out, courses):
    known = {}
    for column in ("currency", "price_year"):
        if column in courses.columns and len(courses.fact(column).valid) == 1:
            known[column] = courses.fact(column).valid.index[0]
    code = known.get("currency", "")
    sure = bool(re.fullmatch("[A-Z]{3}", code)) and known.get("price_year", "").isdigit()
    code, year = (code, known["price_year"]) if sure else ("XXX", "2025")
    why = f"{TODO}: its name in texts" if sure else f"{TODO}: currency of the courses' prices, and the prices' year"
    out.add(0, f"currency: {{code: {quoted(code)}, label: {{en: {quoted(code)}}}, price_year: {year}}}", why)


def _series(guess):
    """Items by the question they belong to: {name: [(item, its battery)]}."""
    series = {}
    for battery in guess.batteries:
        for item in battery.columns:
            series.setdefault(series_of(item), []).append((item, battery))
    return series


def _proposed(out, guesses):
    """Items and competencies, where no file of them was given: one for each score, series, or published name."""
    responses, aggregates = guesses.get("responses"), guesses.get("aggregates")
    scores = list(responses.scores) if responses else []
    series = _series(responses) if responses and "items" not in guesses else {}
    named = [*scores, *(aggregates.fact("competency_id").counts.index if aggregates else ())]
    if "competencies" not in guesses and (series or named):
        _competencies(out, dict.fromkeys(named), scores, series)
    if series:
        _items(out, series, scores)


def _competencies(out, named, scores, series):
    out.add(1, "competencies:", f"{TODO}: label, kind and group are stand-ins")
    out.add(2, "rows:")
    row = "- {{competency_id: {}, label_en: {}, kind: technical, group: digital}}"
    for name in named:
        label = name.replace("_", " ").capitalize() if name in scores else name
        out.add(3, row.format(quoted(name), quoted(label)))
    for name in series:  # with tested scores beside them the questions make an index, and no competency
        text = row.format(quoted(_id(name)), quoted(name))
        out.add(3, f"# {text}" if scores else text, f"{name}…: {len(series[name])} items")


def _items(out, series, scores):
    out.add(1, "items:", "columns that stand together and share one run of codes")
    out.say(2, "frequency makes an index, for which no gap is printed. If the categories of a question describe the "
               "levels 0 none … 4 expert, make it anchored; that needs five of them.")  # fmt: skip
    out.add(2, "rows:")
    for name, columns in series.items():
        tie = "" if scores else f"competency_id: {quoted(_id(name))}, "
        for item, battery in columns:
            n = battery.high - battery.low + 1
            out.add(3, f"- {{item_id: {quoted(item)}, {tie}type: frequency, n_categories: {n}, lowest: {battery.low}}}")


def _id(name):
    return re.sub(r"\W+", "_", name.casefold()).strip("_") or "items"


def _stranger(out, guess):
    name, columns = guess.seen.path.name, ", ".join(guess.seen.facts)
    why = f"data.{guess.table} is another file already" if guess.table else "it looks like none of the tables"
    out.say(1, f"not used: {name} ({why}); its columns: {columns}")


def _tail(out, guesses):
    responses, register = guesses.get("responses"), guesses.get("register")
    margins = [column for column in MARGINS if register and column in register.columns]
    if responses and margins:
        out.gap()
        out.add(0, "design:")
        out.add(1, f"calibrate: {listed(margins)}", "margins of the register that answering may depend on")
    if responses and not _anchored(guesses):
        out.gap()
        out.add(0, "profiles:")
        out.add(1, "variables: items", "no item is anchored")
    people = [*(register.columns if register else ()), *responses.columns] if responses else ()
    by = [c for c in ("agency_id", "isco08", "region") if c in people][:1]
    if by:
        out.gap()
        out.add(0, "gaps:")
        out.add(1, f"by: {listed(by)}", f"{TODO}: columns to split by, one at a time")
    if "courses" in guesses:
        out.gap()
        out.say(0, f"{TODO}: plan: {{budget: 1000000, source: who says so}} in the prices of the courses")


def _anchored(guesses):
    items = guesses.get("items")
    return bool(items and "type" in items.columns and "anchored" in items.fact("type").counts.index)
