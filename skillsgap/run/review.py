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
from skillsgap.run.store import write_bytes
from skillsgap.run.texts import read_texts, replaced
from skillsgap.run.unit import project_root
from skillsgap.study.spelling import uzbek
from skillsgap.wording import N_

DELIMITERS = ",;\t"  # what spreadsheets put between the values of a saved .csv
AGAIN = N_("make the sheet again, and copy the correction into its row")


@dataclass(frozen=True)
class Corrected:
    """What a corrected sheet changed.

    Parameters
    ----------
    changes : tuple of (str, str, str)
        File and key of each text, its Uzbek before, and now.
    notes : tuple of str
        Corrections that were set right, and the reviewer's remarks, a line each.
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
    places = {code.partition("-")[0] for code in known}
    found, problems, notes = {}, [], []
    for line, row in _sheet(path):
        if row["remark"].strip():
            notes.append(f"row {line}, remark: {row['remark'].strip()}")
        if not row["correction"]:
            continue
        text = known.get(row["id"].strip())
        said = _settled(row["correction"], row["english"])
        fault = _fault(said, row, text, places) or _twice(said, text, found)
        if fault:
            wrong, remedy, values = fault
            problems.append(Problem(path.name, wrong, remedy, line, heading("correction"), values=values))
            continue
        found[text] = said
        if said != row["correction"].strip():
            notes.append(f"row {line}, written with the right apostrophes and blanks: {said}")
    if problems:
        raise StudyError(problems)
    return Corrected(_write(root, texts, found), tuple(notes))


def _rows(texts):
    """Texts as rows of the sheet; one that stands in several places of a group is shown once."""
    rows = pd.DataFrame([(t.id, t.group, t.where, t.english, t.uzbek) for t in texts],
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
    if _settled(row["uzbek"], text.english) != _settled(text.uzbek, text.english) != said:
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


def _twice(said, text, found):
    if found.get(text, said) != said:
        return N_("another row corrects the same text otherwise"), N_("keep one of them"), {}
    return None


def _write(root, texts, found):
    """Write each corrected text wherever it stands; returns what changed."""
    meant = {(text.group, text.english, text.uzbek): said for text, said in found.items() if said != text.uzbek}
    changed = {t: meant[t.group, t.english, t.uzbek] for t in texts if (t.group, t.english, t.uzbek) in meant}
    files = {}
    for file in {text.file for text in changed}:
        content = (root / file).read_bytes().decode()
        spans = {text.span: said for text, said in changed.items() if text.file == file}
        files[file] = replaced(content, file.rpartition(".")[2], spans).encode()
    for file, data in sorted(files.items()):
        write_bytes(root / file, data)
    return tuple((f"{text.file}: {text.key}", text.uzbek, said) for text, said in changed.items())
