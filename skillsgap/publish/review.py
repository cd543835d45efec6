"""The review sheet of the Uzbek: each text beside its English one, with room to correct it: a page and a workbook."""

import re

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter

from skillsgap.publish import pages
from skillsgap.publish.sheets import colour, heading_row, plain, set_up, title_rows
from skillsgap.study.workbook import workbook_bytes
from skillsgap.wording import N_, Words

PLACE = re.compile(r"(\{\w+(?:![a-z])?\})")
TITLE = N_("Uzbek texts for review")
STATE = N_("Awaits review by a native speaker")
SECOND = N_("What to do: see the second sheet")
# column of the workbook: heading, width in letters
COLUMNS = {"number": ("№", 6), "group": (N_("Part"), 15), "english": (N_("English"), 44), "uzbek": (N_("Uzbek"), 44),
           "correction": (N_("Correction"), 44), "remark": (N_("Remark"), 22), "where": (N_("Used in"), 30),
           "id": (N_("Code"), 8)}  # fmt: skip
OPEN = ("correction", "remark")  # what a reviewer writes into
HOW = (
    N_("Compare each Uzbek text with the English one. Where it is right, leave the yellow cells empty."),
    N_("Where it is not, write the whole corrected text into “Correction”. Questions and reasons go into “Remark”."),
    N_("Words in braces, as in {agency}, stand for a name or number that is filled in later. Keep each as it is "
       "written, and move it where the sentence needs it."),
    N_("Any apostrophe may be typed: the right ones, as in “oʻrin” and “maʼno”, are set when the file is read."),
    N_("The glossary says which word stands for which. If you change a word there, the texts that still use the "
       "old word are listed when the sheet is loaded."),
    N_("Rows may be filtered. To sort them, take the protection off: it has no password. “Code” brings each correction "
       "back to its text."),
)  # fmt: skip


def review_page(rows):
    """The sheet as a page to read and to print: parts, numbered texts side by side, blank columns to write into.

    Parameters
    ----------
    rows : DataFrame
        One row a text, in the order to be shown: id, group, where, english, uzbek.

    Returns
    -------
    str
        HTML of the same kind as `pages.assemble` makes: it loads nothing and runs nothing.
    """
    english, uzbek = Words("en"), Words("uz")
    numbered = rows.assign(number=range(1, len(rows) + 1))
    parts = [{"name": both(name), "rows": [{**row, "english": PLACE.split(row["english"]),
                                             "uzbek": PLACE.split(row["uzbek"])} for row in part.to_dict("records")]}
             for name, part in numbered.groupby("group", sort=False)]  # fmt: skip
    labels = {name: both(heading) for name, (heading, _) in COLUMNS.items()}
    how = [[PLACE.split(words.told(line, {})) for words in (english, uzbek)] for line in HOW]
    head = pages.head([english(STATE), uzbek(STATE)], title=" / ".join(both(TITLE)), words=uzbek)
    return pages.assemble([("head", head), ("main", pages.review(parts, labels, how))], lang="uz", title=uzbek(TITLE))


def review_workbook(rows):
    """The sheet as an Excel workbook, whose corrected copies can be read back; its bytes depend on `rows` alone.

    Parameters
    ----------
    rows : DataFrame
        As for `review_page`.

    Returns
    -------
    bytes
    """
    book = Workbook()
    sheet = book.active
    sheet.title = "uz"
    _how(book.create_sheet("i"))
    top = _top(sheet)
    for number, row in enumerate(rows.to_dict("records"), start=1):
        values = {**row, "number": number, "group": " / ".join(both(row["group"]))}
        for i, name in enumerate(COLUMNS, start=1):
            _cell(sheet.cell(top + number, i), name, values.get(name))
    set_up(sheet, top, len(rows), len(COLUMNS))
    guard = sheet.protection
    guard.sheet, guard.autoFilter, guard.formatColumns, guard.formatRows = True, False, False, False
    return workbook_bytes(book)


def both(message):
    """A message in English and in Uzbek.

    Examples
    --------
    >>> both("Table")
    ('Table', 'Jadval')
    """
    return Words("en")(message), Words("uz")(message)


def heading(name):
    """How the workbook heads a column: in English and in Uzbek."""
    return " / ".join(dict.fromkeys(both(COLUMNS[name][0])))


def _top(sheet):
    """Write what stands above the texts; returns the row of the headings."""
    lines = [(both(TITLE), 16, "ink"), (both(STATE), 11, "warm"), (both(SECOND), 11, "soft")]
    row = title_rows(sheet, [(" / ".join(texts), size, name) for texts, size, name in lines])
    heading_row(sheet, row, [(heading(name), width) for name, (_, width) in COLUMNS.items()])
    return row


def _how(sheet):
    """Write what to do, in English and in Uzbek."""
    for row, line in enumerate(HOW, start=1):
        for column, lang in enumerate(("en", "uz"), start=1):
            cell = sheet.cell(row, column, _rich(Words(lang).told(line, {})))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.column_dimensions[get_column_letter(column)].width = 70


def _cell(cell, name, value):
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.border = Border(bottom=Side("thin", color=colour("line")))
    if name in OPEN:
        cell.fill, cell.protection = PatternFill("solid", fgColor="FFF6CC"), Protection(locked=False)
        cell.number_format = "@"  # what is typed is text, also where it begins with = or looks like a date
    elif name in ("english", "uzbek"):
        plain(cell, _rich(value))
    else:
        cell.value = value
        cell.font = Font(size=11 if name == "number" else 8, color=colour("soft"))


def _rich(text):
    """A text with its places in bold."""
    place = InlineFont(b=True, color=colour("blue"))
    parts = [TextBlock(place, part) if PLACE.fullmatch(part) else part for part in PLACE.split(text) if part]
    return CellRichText(parts) if len(parts) > 1 else text
