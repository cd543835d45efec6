"""A form as an XLSForm workbook, which ODK, KoboToolbox and SurveyCTO take."""

import hashlib
import json

from babel import Locale, UnknownLocaleError
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from skillsgap.study.questionnaire.form import CONSENT
from skillsgap.study.workbook import workbook_bytes
from skillsgap.wording import LANGUAGES

YES = "${consent} = 'yes'"
SHEET = "sheet_number"  # of a form on paper; found again by it, and not loaded
MANY = 12  # answers from which on a list is folded up and can be searched
WIDE = 60  # letters of a column


def xlsform(form):
    """A form as the bytes of an XLSForm workbook: the same form gives the same bytes.

    Parameters
    ----------
    form : Form

    Returns
    -------
    bytes
        With the sheets survey, choices and settings.
    """
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets(form).items():
        sheet = book.create_sheet(name)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        for row in [dict(zip(columns, columns, strict=True)), *rows]:
            sheet.append([row.get(column) for column in columns])
        sheet.freeze_panes = "A2"
        for i, column in enumerate(columns, start=1):
            longest = max(len(str(row.get(column, ""))) for row in rows)
            sheet.column_dimensions[get_column_letter(i)].width = min(WIDE, max(len(column), longest) + 2)
        for row in sheet.iter_rows():
            for cell in row:
                cell.number_format, cell.alignment = "@", Alignment(vertical="top", wrap_text=True)
                cell.font = Font(bold=cell.row == 1)
    return workbook_bytes(book)


def sheets(form):
    """The rows of each sheet of an XLSForm workbook.

    Parameters
    ----------
    form : Form

    Returns
    -------
    dict of str to list of dict
        survey, choices, settings; every cell is text.
    """
    found = {"survey": _survey(form), "choices": _choices(form)}
    first = form.languages[0]
    found["settings"] = [{"form_title": form.title[first], "form_id": form.id, "version": _version(form, found),
                          "default_language": language_name(first), "style": "pages"}]  # fmt: skip
    return found


def _version(form, found):
    """Ten figures, as SurveyCTO wants a version; another form has another one."""
    content = json.dumps([form.title, found], ensure_ascii=False).encode()
    return f"{int(hashlib.sha256(content).hexdigest(), 16) % 10**10:010}"


def language_name(lang):
    """A language as XLSForm names it: its own name and its code.

    Examples
    --------
    >>> language_name("uz"), language_name("ky"), language_name("xx")
    ('Oʻzbekcha (uz)', 'Кыргызча (ky)', 'xx (xx)')
    """
    try:
        own = LANGUAGES.get(lang) or Locale.parse(lang).get_display_name(lang)
    except UnknownLocaleError:
        own = lang
    return f"{own[:1].upper()}{own[1:]} ({lang})" if own != lang else f"{lang} ({lang})"


def group_of(form):
    """The group of each question whose answer is exported; empty for one that stands in none.

    Parameters
    ----------
    form : Form

    Returns
    -------
    dict of str to str
        In the order of the form.
    """
    start = ["answer_language"] * (len(form.languages) > 1) + ["mode"]
    asked = {question.name: section.name for section in form.sections for question in section.questions}
    return {"date": "", "consent": "intro", **dict.fromkeys(start, "answers"), **asked}


def _texts(stem, texts):
    return {f"{stem}::{language_name(lang)}": text for lang, text in texts.items()}


def _label(texts):
    return _texts("label", texts)


def _joined(*parts):
    """A heading and its sentence as one text, by language."""
    return {lang: ". ".join(part[lang] for part in parts) for lang in parts[0]}


def _survey(form):
    say = form.say
    page = [{"type": "note", "name": f"consent_{part}", **_label(_joined(say[f"head_{part}"], say[f"consent_{part}"]))}
            for part in CONSENT]  # fmt: skip
    rows = [
        *({"type": kind, "name": kind} for kind in ("start", "end", "today")),
        # tools export dates in their own ways, and a text as it is
        {"type": "calculate", "name": "date", "calculation": "string(${today})"},
        {"type": "begin_group", "name": "intro", **_label(say["consent_title"]), "appearance": "field-list"},
        *page,
        {"type": "select_one consent", "name": "consent", **_label(say["consent_question"]), "required": "yes"},
        {"type": "end_group"},
        {"type": "note", "name": "declined", **_label(say["declined"]), "relevant": "${consent} = 'no'"},
        {"type": "begin_group", "name": "answers", **_label(say["section_start"]), "relevant": YES,
         "appearance": "field-list"},
    ]  # fmt: skip
    names = ["answer_language"] * (len(form.languages) > 1) + ["mode"]
    rows += [{"type": f"select_one {name}", "name": name, **_label(say[name]), "required": "yes"} for name in names]
    rows += [{"type": "text", "name": SHEET, **_label(say["paper_number"]), "relevant": "${mode} = 'paper'"},
             {"type": "end_group"}]  # fmt: skip
    for section in form.sections:
        rows += _section(section, form)
    return [*rows, {"type": "note", "name": "thanks", **_label(say["thanks"]), "relevant": YES}]


def _section(section, form):
    group = {"type": "begin_group", "name": section.name, **_label(section.texts), "relevant": YES}
    if section.grid:
        head = {"type": f"select_one {section.questions[0].choices}", "name": f"{section.name}_head",
                **_label(section.instruct), "appearance": "label"}  # fmt: skip
        rows = [group | {"appearance": "field-list"}, head]
    else:
        note = {"type": "note", "name": f"{section.name}_note", **_label(section.instruct)}
        rows = [group, *([note] if section.instruct else [])]
    rows += [_question(question, section, form) for question in section.questions]
    return [*rows, {"type": "end_group"}]


def _question(question, section, form):
    row = {"name": question.name, **_label(question.texts), **_texts("hint", section.hint)}
    if question.required:
        row["required"] = "yes"
    if question.skips:
        row["relevant"] = " and ".join(f"${{{name}}} != '{code}'" for name, codes in question.skips for code in codes)
    if not question.choices:
        limits = [f". {sign} {limit:g}" for sign, limit in ((">=", question.low), ("<=", question.high))
                  if limit is not None]  # fmt: skip
        return {"type": "decimal", **row} | ({"constraint": " and ".join(limits)} if limits else {})
    if section.grid:
        row["appearance"] = "list-nolabel"
    elif len(form.lists[question.choices]) > MANY:
        row["appearance"] = "minimal autocomplete"
    return {"type": f"select_one {question.choices}", **row}


def _choices(form):
    say = form.say
    fixed = {"consent": {"yes": say["consent_yes"], "no": say["consent_no"]},
             "mode": {"web": say["mode_web"], "paper": say["mode_paper"]}}  # fmt: skip
    if len(form.languages) > 1:
        own = {lang: dict.fromkeys(form.languages, language_name(lang)) for lang in form.languages}
        fixed["answer_language"] = own
    rows = [(name, code, texts) for name, codes in fixed.items() for code, texts in codes.items()]
    rows += [(name, choice.name, choice.texts) for name, choices in form.lists.items() for choice in choices]
    return [{"list_name": name, "name": code, **_label(texts)} for name, code, texts in rows]
