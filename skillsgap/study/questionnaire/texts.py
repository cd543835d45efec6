"""Texts of a form in each of its languages; where one is missing, its table or its params file has a fault."""

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import Problem
from skillsgap.wording import N_

LACKING = N_("take {lang} out of questionnaire.languages, or add {n} texts, from {first} on")


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
    return {lang: texts.get(lang, "") for lang in languages}
