"""Texts of a form in each of its languages; where one is missing, its table or its params file has a fault."""

import re

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import Problem
from skillsgap.wording import N_

LACKING = N_("take {lang} out of questionnaire.languages, or add {n} texts, from {first} on")
BRACES = re.compile(r"\{[^{}]*\}|[{}]")  # a place to be filled in, or what is left of one
# what a form fills in: in the phrases of paper that say where to go on, and in all others
HINTS, VALUES = ("number", "answer"), ("office", "contact", "months", "minutes", "threshold")
ONLY_PHRASES = (N_("the text has {value!r}, and only form_texts have places to fill in"), N_("take the braces out"))


def texts_of(loaded, rows, stem, languages):
    """Texts of some rows of a table, by language.

    Parameters
    ----------
    loaded : Loaded
        Its faults grow where a language lacks texts.
    rows : DataFrame
        Those of its rows that the form uses.
    stem : {"text", "label"}
    languages : sequence of str
        Two-letter codes.

    Returns
    -------
    list of dict
        One a row, from language to text.
    """
    columns = {lang: f"{stem}_{lang}" for lang in languages}
    for lang, column in columns.items():
        lacks = rows[rows[column].isna() | (rows[column] == "")] if column in rows else rows
        if lacks.empty:
            continue
        key = [name for name in CONTRACTS[loaded.table].key if name in rows]
        said = {"lang": lang, "column": column, "n": len(lacks), "first": " ".join(map(str, lacks.iloc[0][key]))}
        if column in rows:
            loaded.fault(lacks, column, N_("the form is asked in {lang}, and the text is empty"), LACKING, said)
        else:
            loaded.fault(None, column, N_("the form is asked in {lang}, and there is no column {column}"), LACKING,
                         said)  # fmt: skip
    found = rows.reindex(columns=list(columns.values())).astype(object).fillna("")
    for column in columns.values() if loaded.table != "form_texts" else ():
        odd = found[found[column].str.contains(BRACES)]
        if len(odd):
            loaded.fault(odd, column, *ONLY_PHRASES, {"value": BRACES.search(odd[column].iloc[0])[0]})
    return found.set_axis(list(columns), axis=1).to_dict("records")


def texts_in(params, keys, texts, languages, problems):
    """Texts that stand in the params file under some keys, by language; `problems` grow where one is missing.

    Parameters
    ----------
    params : Params
    keys : tuple of str
    texts : mapping of language to text
    languages : sequence of str
    problems : list of Problem

    Returns
    -------
    dict of str to str
    """
    for lang in languages:
        if not texts.get(lang):
            said = {"key": ".".join(keys), "lang": lang}
            problems.append(Problem(params.path.name, N_("{key} has no text in {lang}"),
                                    N_("add it, or take {lang} out of questionnaire.languages"), params.line(*keys),
                                    values=said))  # fmt: skip
        elif odd := BRACES.search(texts[lang]):
            problems.append(Problem(params.path.name, *ONLY_PHRASES, params.line(*keys), values={"value": odd[0]}))
    return {lang: texts.get(lang, "") for lang in languages}


def check_places(loaded, languages):
    """Hold the {places} of each phrase against those of its English, and these against what a form fills in.

    Parameters
    ----------
    loaded : Loaded
        form_texts; its faults grow.
    languages : sequence of str
        Those of the form.
    """
    for line, row in loaded.frame.fillna("").iterrows():
        known = HINTS if row["text_id"] in ("paper_skip", "paper_leave") else VALUES
        known, english = {f"{{{name}}}" for name in known}, set(BRACES.findall(row["text_en"]))
        said = {"name": row["text_id"], "known": ", ".join(sorted(known))}
        for column in dict.fromkeys(["text_en", *(f"text_{lang}" for lang in languages)]):
            if not row.get(column):
                continue  # told where texts are asked for
            found, remedy = set(BRACES.findall(row[column])), N_("write its places as text_en does, letter for letter")
            if column == "text_en":
                odd, text, remedy = found - known, N_("a form has nothing to put in the place {value!r} of {name}"), N_(
                    "write one of {known}, or take the braces out")  # fmt: skip
            elif odd := found - english:
                text = N_("{name} has the place {value!r}, which its text_en does not have")
            else:
                odd, text = english - found, N_("{name} lacks the place {value!r}, which its text_en has")
            if odd:
                loaded.fault(loaded.frame.loc[[line]], column, text, remedy, {**said, "value": min(odd)})
