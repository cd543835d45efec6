"""Texts that are no code and no name: placeholders, spreadsheet errors, formulas, letters lost between encodings."""

import re

from skillsgap.wording import N_

# rows that sum the others, in our languages; no member of staff is one
TOTALS = frozenset(("total", "totals", "grand total", "subtotal", "jami", "barchasi", "hammasi",
                    "\u0436\u0430\u043c\u0438", "\u0438\u0442\u043e\u0433\u043e", "\u0432\u0441\u0435\u0433\u043e"))
# what people and programs write for "nothing here"; whether it is one of the codes only params can say
PLACEHOLDERS = frozenset("na n/a n.a. nan null - -- \u2013 \u2014 . .. ... ? ??".split())
# #REF!, #DIV/0!, #N/A, in any language; #### is a column too narrow
ERROR = re.compile(r"#[^\W\d_]+(?:/[^\W_]+)?[!?]|#[^\W\d_]/[^\W\d_]|#{3,}")
FORMULA = re.compile(r"=\s*[\w(+\-\"'$@\[].*", re.DOTALL)
LOST = re.compile(r"[^\W\d_]\?[a-z\u0430-\u044f]|\ufffd")
BEYOND = re.compile(r"[^\x00-\x7f]+")
# letters of our languages and the signs of their texts; what else UTF-8 read wrongly would give is there by chance
MEANT = re.compile("[\u00a0-\u017f\u02bb\u02bc\u0400-\u04ff\u2010-\u203a]+")
MISREAD = {"windows-1252": 2, "windows-1251": 4}  # shortest run of letters that tells: \u0415\u0451 begins real words


def suspect(loaded, column, known=(), *, prose=False):
    """Find the faults of a column of codes or of text, that no reader of it would want printed.

    Parameters
    ----------
    loaded : Loaded
        Its faults grow.
    column : str
    known : collection of str
        Codes that params or another table declare: what stands there is meant.
    prose : bool
        The column holds free text, in which a dash may stand alone.
    """
    found = [value for value in loaded.frame[column].unique() if value and value not in known]
    _fault(loaded, column, [v for v in found if v.lower() in PLACEHOLDERS and not prose],
           N_("{value!r} may mean that nothing is known"),
           N_("declare it in data.{table}.missing_codes, or if it is a code in data.{table}.codes.{column}"))
    _fault(loaded, column, [v for v in found if v.lower().rstrip(": ") in TOTALS and loaded.table == "register"],
           N_("{value!r} looks like a row that sums others, and would be counted once more"),
           N_("take it out of the file; if it is a code, name it in data.{table}.codes.{column}"))
    _fault(loaded, column, [v for v in found if ERROR.fullmatch(v)],
           N_("{value!r} is a spreadsheet's error"), N_("correct the sheet, and export it again"))  # fmt: skip
    _fault(loaded, column, [v for v in found if FORMULA.fullmatch(v)],
           N_("{value!r} is a formula and no value"), N_("export the sheet's values"))  # fmt: skip
    _fault(loaded, column, [v for v in found if LOST.search(v) and not (prose and "\ufffd" not in v)],
           N_("letters of {value!r} were lost"), N_("export it again as UTF-8"))  # fmt: skip


def mend(text):
    """A text whose letters are UTF-8 read as a code page, read as UTF-8; any other text as it is.

    Examples
    --------
    >>> mend("Paysand\u00c3\u00ba"), mend("\u00c9lan"), mend("\u0415\u0451") == "\u0415\u0451"
    ('Paysand\xfa', '\xc9lan', True)
    """
    return text if text.isascii() else BEYOND.sub(lambda run: _anew(run[0]), text)


def _anew(run):
    for encoding, shortest in MISREAD.items():
        try:
            meant = run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if len(run) >= shortest and MEANT.fullmatch(meant):
            return meant
    return run


def _fault(loaded, column, values, text, remedy):
    if values:
        odd = loaded.frame[loaded.frame[column].isin(values)]
        said = {"value": odd[column].iloc[0], "table": loaded.table, "column": column}
        loaded.fault(odd, column, text, remedy, said)
