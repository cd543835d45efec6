"""The piece of a params file that loads what a tool exports of a form."""

import json
import textwrap

from skillsgap.study.first.commented import listed, quoted
from skillsgap.study.questionnaire.asked import FORMS
from skillsgap.study.questionnaire.form import PLACES, PREFER_NOT
from skillsgap.study.questionnaire.xlsform import group_of

# between the group and the question in the heading of a column; SurveyCTO leaves the group out
TOOLS = {"odk-central": ("ODK Central", "-"), "kobotoolbox": ("KoboToolbox", "/"), "surveycto": ("SurveyCTO", None)}
EXPORT = {
    "odk-central": "Export all data as CSV, with the names of groups in the headings.",
    "kobotoolbox": "Export as CSV with XML values and headings, with groups in the headings, separated by a slash.",
    "surveycto": "Export in the wide format as CSV, without the names of groups.",
}


def column_names(form, tool):
    """How a tool heads the column of each question.

    Parameters
    ----------
    form : Form
    tool : {"odk-central", "kobotoolbox", "surveycto"}

    Returns
    -------
    dict of str to str
    """
    between = TOOLS[tool][1]
    return {name: f"{group}{between}{name}" if group and between else name for name, group in group_of(form).items()}


def answers_block(form, params, items, tool=None):
    """Params that load the exported answers of a form, as commented YAML.

    Parameters
    ----------
    form : Form
    params : Params
        Of the unit.
    items : DataFrame
        The unit's items, of which the form asks some.
    tool : {"odk-central", "kobotoolbox", "surveycto"}, optional
        By default the one that params name, or else ODK Central.

    Returns
    -------
    str
        Keys data.items and data.responses, to be put in the place of the unit's own, and design.calibrate where
        that changes.
    """
    tool = tool or params.values["questionnaire"].get("tool", "odk-central")
    names, data = column_names(form, tool), params.values["data"]
    consent = names.pop("consent")
    # tools have columns of the name status, which say how far a form is in their own work
    names = {"status": consent, **names}
    about = form.sections[0].questions
    refused = [question.name for question in about if question.choices and not question.required]
    link = [name for name in PLACES if name in names and "register" in data][:1]
    lines = [
        *_comment(f"Loads the answers to the form {form.id}, as {TOOLS[tool][0]} exports them. {EXPORT[tool]}", 0),
        *_comment("Put data.items and data.responses in the place of those in the params file.", 0),
        "data:",
        *_comment("the questions of this form; of any other one there are no answers", 1),
        *_key("items", {**data["items"], "population": _population(form, items)}, 1),
        "  responses:",
        *_key("file", "answers.csv", 2),
        *_comment("our name: heading of the column", 2),
        *_key("columns", names, 2),
        *_comment("who said no is counted as asked, and has no answers", 2),
        *_key("respondents", {consent: {"in": ["yes"]}}, 2),
    ]
    if len(form.languages) == 1:
        lines += _key("constants", {"answer_language": form.languages[0]}, 2)
    if link:
        lines += [*_comment("finds the respondent's part of the register, without a staff_id", 2),
                  *_key("link", link, 2)]  # fmt: skip
    if skips := _skips(form, names):
        lines += [*_comment("questions that were rightly left out", 2), *_key("skip", skips, 2)]
    if refused:
        lines += _key("missing_codes", {name: {"refused": [PREFER_NOT]} for name in refused}, 2)
    lines += [*_comment("names of answers in the form: codes here; a form that was sent may have gaps", 2),
              *_key("recode", {"status": {"yes": "partial", "no": "no_response"}, **_recode(form)}, 2)]  # fmt: skip
    return "\n".join([*lines, *_calibrate(params, names, refused)]) + "\n"


def _population(form, items):
    """Which rows of items the form asks: by the column form alone, where that says it all."""
    asked = {question.name for section in form.sections[1:] for question in section.questions}
    if "form" in items:
        told = set(items.loc[items["item_id"].isin(asked), "form"].dropna())
        forms = [name for name in (*FORMS["long"], "optional") if name in told]
        if forms and set(items.loc[items["form"].isin(forms), "item_id"]) == asked:
            return {"form": {"in": forms}}
    names = [name for name in items["item_id"] if name in asked]
    return {"item_id": {"in": names}}


def _skips(form, names):
    """Questions that other answers leave out, under the headings of the export."""
    asked = [question for section in form.sections[1:] for question in section.questions if len(question.skips) == 1]
    return {names[question.name]: {"when": {names[other]: {"in": [*codes]}}}
            for question in asked for other, codes in question.skips}  # fmt: skip


def _recode(form):
    """Codes that a form can't hold, by the names they have in it."""
    lists = {question.name: form.lists[question.choices] for question in form.sections[0].questions if question.choices}
    return {name: {choice.name: choice.code for choice in choices if choice.name != PREFER_NOT}
            for name, choices in lists.items() if any(choice.name != choice.code for choice in choices)}  # fmt: skip


def _calibrate(params, names, refused):
    """Margins that every respondent has told; nobody can be weighted by what they would not say."""
    margins = params.values["design"]["calibrate"]
    kept = [name for name in margins if name in names and name not in refused]
    if kept == margins:
        return []
    return ["design:", *_comment("margins that every respondent tells", 1), *_key("calibrate", kept, 1)]


def _key(name, value, depth):
    """A key of YAML, with one line for each key in it."""
    head = f"{'  ' * depth}{quoted(name)}:"
    if isinstance(value, dict):
        return [head, *(line for key, inner in value.items() for line in _key(key, inner, depth + 1))]
    plain = isinstance(value, list) and all(isinstance(code, (str, int)) for code in value)
    return [f"{head} {listed(value) if plain else quoted(value) if isinstance(value, str) else json.dumps(value)}"]


def _comment(text, depth):
    start = "  " * depth + "# "
    return textwrap.wrap(text, 116, initial_indent=start, subsequent_indent=start)
