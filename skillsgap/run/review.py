"""The review sheet of the Uzbek: written for a native speaker, and read back with what they corrected."""

import csv
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from zipfile import BadZipFile

import pandas as pd
from openpyxl import load_workbook

from skillsgap.errors import Problem, SkillsgapError, StudyError
from skillsgap.publish.review import COLUMNS, heading, review_page, review_workbook
from skillsgap.run.store import digest, write_bytes
from skillsgap.run.terms import bare, english, english_left, holds, small_words
from skillsgap.run.texts import read_texts, replaced
from skillsgap.run.unit import project_root
from skillsgap.study.spelling import uzbek
from skillsgap.wording import N_

DELIMITERS = ",;\t"  # what spreadsheets put between the values of a saved .csv
SHARED = "BOTH of skillsgap/run/terms.py"
LISTED = 10  # numbers of texts that a line names
OVERWRITTEN = (N_("the Uzbek was changed in its own column"),
               N_("move it to “Correction”, or write the text as it was"))  # fmt: skip
AGAIN = N_("make the sheet again, and copy the correction into its row")


@dataclass(frozen=True)
class Corrected:
    """What a corrected sheet changed.

    Parameters
    ----------
    changes : tuple of (str, str, str)
        File and key of each text, its Uzbek before, and now.
    notes : tuple of str
        Corrections that were set right, the reviewer's remarks, and the texts that still use a glossary's old word,
        a line each.
    """

    changes: tuple
    notes: tuple


def write_review(*, root=None):
    """Write the review sheet to ``build/review/`` as uz.html and uz.xlsx.

    Parameters
    ----------
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.

    Returns
    -------
    list of Path
    """
    root = project_root(root)
    rows = _rows(read_texts(root))
    files = {"uz.html": review_page(rows).encode(), "uz.xlsx": review_workbook(rows)}
    for name, data in files.items():
        write_bytes(root / "build" / "review" / name, data)
    return [root / "build" / "review" / name for name in files]


def load_review(path, *, root=None):
    """Put the corrections of a sheet into the files that hold the texts; nothing is written unless all are sound.

    Parameters
    ----------
    path : path-like
        The corrected workbook, or a .csv saved from it.
    root : path-like, optional
        Project folder, as in `write_review`.

    Returns
    -------
    Corrected

    Raises
    ------
    SkillsgapError
        The file is no review sheet.
    StudyError
        Every fault of the corrections, with their rows.
    """
    root, path = project_root(root), Path(path)
    texts = read_texts(root)
    known = {text.id: text for text in texts}
    places, small = {code.partition("-")[0] for code in known}, small_words(texts)
    found, problems, notes = {}, [], []
    for line, row in _sheet(path):
        if row["remark"].strip():
            notes.append(f"row {line}, remark: {row['remark'].strip()}")
        said = _settled(row["correction"], row["english"])
        if _overwritten(row, said):
            problems.append(Problem(path.name, *OVERWRITTEN, line, heading("uzbek")))
        if not row["correction"]:
            continue
        text = known.get(row["id"].strip().rpartition("-")[0])
        fault = (_fault(said, row, text, places) or _foreign(said, small)
                 or _second(said, text, root) or _twice(said, text, found))  # fmt: skip
        if fault:
            wrong, remedy, values = fault
            problems.append(Problem(path.name, wrong, remedy, line, heading("correction"), values=values))
            continue
        found[text] = said
        if said != row["correction"].strip():
            notes.append(f"row {line}, written with the right apostrophes and blanks: {said}")
    if problems:
        raise StudyError(problems)
    meant = {(text.group, text.english, text.uzbek): said for text, said in found.items() if said != text.uzbek}
    return Corrected(_write(root, texts, meant), (*notes, *_old_words(texts, meant)))


def _rows(texts):
    """Texts as rows of the sheet; one that stands in several places of a group is shown once."""
    rows = pd.DataFrame([(f"{t.id}-{_mark(t.uzbek)}", t.group, t.where, t.english, t.uzbek) for t in texts],
                        columns=["id", "group", "where", "english", "uzbek"])  # fmt: skip
    same = rows.groupby(["group", "english", "uzbek"])["where"]
    more = same.transform("size") - 1
    rows["where"] = rows["where"].where(more == 0, rows["where"] + " (+" + more.astype(str) + ")")
    return rows.drop_duplicates(["group", "english", "uzbek"]).reset_index(drop=True)


def _sheet(path):
    """Row number and values of each row under the headings."""
    rows = _workbook(path) if path.suffix.lower() == ".xlsx" else _delimited(path)
    names = {heading(name).partition(" / ")[0]: name for name in COLUMNS}
    top, places = None, {}
    for line, row in enumerate(rows, start=1):
        values = ["" if value is None else str(value) for value in row]
        if top is None:
            places = {names[v.partition(" / ")[0]]: i for i, v in enumerate(values) if v.partition(" / ")[0] in names}
            top = line if {"id", "english", "uzbek", "correction"} <= set(places) else None
        elif any(values):
            yield line, {name: values[i] if i < len(values) else "" for name, i in ({"remark": 99} | places).items()}
    if top is None:
        raise SkillsgapError(f"{path.name} is no review sheet: it needs the columns Code, English, Uzbek, Correction")


def _workbook(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a spreadsheet adds to a file is of no concern here
            book = load_workbook(path, data_only=True)
    except (KeyError, ValueError, BadZipFile) as error:
        raise SkillsgapError(f"{path.name} can't be read as a workbook: save it as .xlsx again") from error
    return [row for sheet in book.worksheets[:1] for row in sheet.iter_rows(values_only=True)]


def _delimited(path):
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SkillsgapError(f"{path.name} is not UTF-8: save it as CSV UTF-8, or send the .xlsx file") from error
    code = heading("id")
    delimiter = next((d for d in DELIMITERS if d + code in content or f'{d}"{code}"' in content), ",")
    return list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))


def _settled(correction, english):
    """A correction with the right apostrophes and single blanks; lines stay lines where the English has them."""
    lines = [" ".join(line.split()) for line in correction.strip().splitlines()]
    said = ("\n" if "\n" in english.strip() else " ").join(lines)
    return re.sub(" (?=[–—])", "\N{NO-BREAK SPACE}", uzbek(said))  # a dash never begins a line


def _fault(said, row, text, places):
    """What is wrong with a correction, and what to do: (text, remedy, values), or None."""
    code = row["id"].strip()
    if text is None and code.partition("-")[0] in places:
        return N_("the English text has changed since the sheet was made"), AGAIN, {}
    if text is None:
        return N_("there is no text with the code {code!r}"), AGAIN, {"code": code}
    if not said:
        return N_("the correction is blank"), N_("write the text, or clear the cell"), {}
    if _mark(text.uzbek) != code.rpartition("-")[2] and _settled(text.uzbek, text.english) != said:
        return N_("the Uzbek text has changed since the sheet was made; it is now {now!r}"), AGAIN, {"now": text.uzbek}
    if _places(said) != _places(text.english):
        keep = {"places": " ".join(_places(text.english) or ())}
        remedy = N_("keep these as they are: {places}") if keep["places"] else N_("take the braces out")
        return N_("its words in braces are not those of the English text"), remedy, keep
    if said.casefold() == text.english.casefold() and text.uzbek != text.english:
        return N_("the correction is the English text"), N_("write it in Uzbek, or clear the cell"), {}
    return None


def _places(text):
    """Places of a text to be filled in, in the order of the alphabet; None where its braces don't match."""
    try:
        return sorted(f"{{{name}!{how}}}" if how else f"{{{name}}}"
                      for _, name, _, how in Formatter().parse(text) if name is not None)  # fmt: skip
    except ValueError:
        return None


def _mark(text):
    """What tells one Uzbek text from another, whatever a spreadsheet does to its blanks."""
    return digest(_settled(text, ""))[:4]


def _overwritten(row, said):
    """Whether the Uzbek is no longer what the code was made for, and the correction doesn't say the same."""
    mark, now = row["id"].strip().split("-")[2:], _settled(row["uzbek"], row["english"])
    return bool(mark) and mark != [_mark(now)] and (not said or now not in ("", said))


def _foreign(said, small):
    cyrillic = re.findall(r"\w*[\u0400-\u052f]\w*", said)
    if cyrillic:
        return N_("it has Cyrillic letters: {words}"), N_("write it in Latin letters"), {"words": ", ".join(cyrillic)}
    left = ", ".join(sorted(english_left(said, small)))
    remedy = N_("write it in Uzbek; if Uzbek has the word too, add it here: {place}")
    return (N_("English is left in it: {words}"), remedy, {"words": left, "place": SHARED}) if left else None


def _is_term(text):
    return text.file.endswith("/glossary.csv") and text.key.endswith(" term")


def _second(said, text, root):
    """A term's word can't be its own second one."""
    if not _is_term(text):
        return None
    with (root / text.file).open(encoding="utf-8", newline="") as file:
        others = {row["term_en"]: row["also_uz"].split("|") for row in csv.DictReader(file)}[text.english]
    if said not in others:
        return None
    remedy = N_("choose another word, or take it out of also_uz first")
    return N_("also_uz has {word!r} for this term already"), remedy, {"word": said}


def _twice(said, text, found):
    if found.get(text, said) != said:
        return N_("another row corrects the same text otherwise"), N_("keep one of them"), {}
    return None


def _old_words(texts, meant):
    """A line for each term of the glossary whose word changed: the numbers of the texts that still use the old one."""
    rows = [(e, meant.get((g, e, u), u)) for _, g, _, e, u in _rows(texts).itertuples(index=False)]
    for text in texts:
        old, new = text.uzbek, meant.get((text.group, text.english, text.uzbek))
        if new and _is_term(text):
            term = english(text.english)
            numbers = [str(number) for number, (its, said) in enumerate(rows, start=1)
                       if term.search(bare(its)) and holds(said, [old]) and not holds(said, [new])]  # fmt: skip
            more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
            listed = f", № {', '.join(numbers[:LISTED])}{more}" if numbers else ""
            yield f"{text.english}: {len(numbers)} texts still say {old!r}, not {new!r}{listed}"


def _write(root, texts, meant):
    """Write each corrected text wherever it stands; returns what changed."""
    changed = {t: meant[t.group, t.english, t.uzbek] for t in texts if (t.group, t.english, t.uzbek) in meant}
    files = {}
    for file in {text.file for text in changed}:
        content = (root / file).read_bytes().decode()
        spans = {text.span: said for text, said in changed.items() if text.file == file}
        files[file] = replaced(content, file.rpartition(".")[2], spans).encode()
    for file, data in sorted(files.items()):
        write_bytes(root / file, data)
    return tuple((f"{text.file}: {text.key}", text.uzbek, said) for text, said in changed.items())
