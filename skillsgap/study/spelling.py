"""Codes that look alike: one spelling where only apostrophes and blanks differ, a fault where more does."""

import re
import unicodedata

from skillsgap.wording import N_

UNSEEN = N_("blanks or marks that can't be seen stand inside")
# Uzbek is typed with any of these for U+02BB (oʻ, gʻ) and U+02BC
APOSTROPHES = str.maketrans(dict.fromkeys("\u02bb\u02bc\u2018\u2019\u00b4`\u02b9\uff07", "'"))
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
# Cyrillic letters that are drawn as Latin ones
HOMOGLYPHS = str.maketrans("АВЕКМНОРСТХУІаеорсухіԁѕј", "ABEKMHOPCTXYIaeopcyxidsj")


def fold(text):
    """A text without what a reader can't see: kinds of apostrophe, dash and blank, composed or decomposed letters.

    Examples
    --------
    >>> fold("Qo\u02bbqon  shahri") == fold("Qo\u2019qon shahri")
    True
    """
    return tidy(text).translate(APOSTROPHES).translate(DASHES)


def tidy(text):
    """A text with single plain blanks, composed letters, and no marks of no width.

    Examples
    --------
    >>> tidy("Cloud\u00a0 services\u200b")
    'Cloud services'
    """
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def blur(text):
    """A folded text without case, blanks, accents of width, or the alphabet a letter is from.

    Examples
    --------
    >>> blur("G4") == blur("\u0413" "4"), blur("Female") == blur("female"), blur("\u0410" "1") == blur("A1")
    (False, True, True)
    >>> blur("3O - 39") == blur("30-39"), blur("policy officer") == blur("policy_officer"), blur("AI") == blur("AL")
    (True, True, False)
    """
    text = re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", fold(text)).translate(HOMOGLYPHS)).casefold()
    return text.replace("o", "0") if re.search(r"\d", text) else text  # beside figures one is taken for the other


def settle(loaded, column, known=()):
    """One spelling for each code of a column: the known one, or else the one that most rows have.

    Codes that differ in apostrophes, dashes, kinds of blank or the composition of letters are read as one, with a
    note; those that differ in case, blanks or letters of the same looks only are a fault, unless both are known.

    Parameters
    ----------
    loaded : Loaded
        Its frame is changed in place, its notes and faults grow.
    column : str
    known : collection of str
        Codes of another table or of params that the column refers to.
    """
    written(loaded, column, tidy, UNSEEN, N_("made plain"))
    counts, best = loaded.counts(column), {}  # ties go to the first in code order
    for code in sorted(known, key=lambda code: (code not in counts, code)):
        best.setdefault(fold(code), code)
    for code in sorted(counts, key=lambda code: (-counts[code], code)):
        best.setdefault(fold(code), code)
    target = {c: best[fold(c)] for c in counts if c not in known and best[fold(c)] != c}
    if target:
        first = next(iter(target))
        odd = loaded.frame[loaded.frame[column].isin(list(target))]
        loaded.note(odd, column, N_("{value} is also written with other apostrophes, dashes or blanks"),
                    N_("read as one code"), {"value": target[first]})  # fmt: skip
        loaded.frame[column] = loaded.frame[column].replace(target)
    kept = {target.get(code, code) for code in counts}
    _alike(loaded, column, sorted(kept, key=lambda code: (-counts.get(code, 0), code)), set(known))


def _alike(loaded, column, codes, known):
    """A fault for each code that looks like one that is known, or that more rows have."""
    seen = {blur(code): code for code in sorted(known)}
    for code in codes:
        other = seen.setdefault(blur(code), code)
        if other != code and not {code, other} <= known:
            odd = loaded.frame[loaded.frame[column] == code]
            text = N_("{value!r} and {other!r} differ only in case, in blanks or in letters of the same looks")
            remedy = N_("correct it, or recode one to the other in params: data.{table}.recode.{column}")
            loaded.fault(odd, column, text, remedy,
                         {"value": code, "other": other, "table": loaded.table, "column": column})  # fmt: skip


def uzbek(text):
    """Uzbek text with its own apostrophes: U+02BB after o and g, U+02BC elsewhere.

    Examples
    --------
    >>> uzbek("O'zbek ta`lim") == "O\u02bbzbek ta\u02bclim"
    True
    """
    text = unicodedata.normalize("NFC", text).translate(APOSTROPHES)
    return re.sub("(?<=[ogOG])'", "\u02bb", text).replace("'", "\u02bc")


def written(loaded, column, right, text, done):
    """Write the values of a column as they should be written, with a note where they were not.

    Parameters
    ----------
    loaded : Loaded
        Its frame is changed in place, its notes grow.
    column : str
    right : callable (str) -> str
    text, done : str
        What was odd, and what was done, of the first {value} of them, which is {right} now.
    """
    given = loaded.frame[column]
    better = {value: better for value in given.unique() if (better := right(value)) != value}
    if better:
        odd = loaded.frame[given.isin(list(better))]
        first = odd[column].iloc[0]
        loaded.note(odd, column, text, done, {"value": first, "right": better[first]})
        loaded.frame[column] = given.replace(better)
