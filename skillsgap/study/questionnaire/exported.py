"""The piece of a params file that loads what a tool exports of a form."""

import json
import textwrap

from skillsgap.study.first.commented import listed, quoted
from skillsgap.study.questionnaire.asked import FORMS
from skillsgap.study.questionnaire.form import PLACES, PREFER_NOT
from skillsgap.study.questionnaire.xlsform import group_of

# between the group and the question in the heading of a column; SurveyCTO leaves the group out
TOOLS = {"odk-central": ("ODK Central", "-"), "kobotoolbox": ("KoboToolbox", "/"), "surveycto": ("SurveyCTO", None)}
# settings under which an export has these headings, and the names of answers in place of their texts
EXPORT = {
    "odk-central": "all submissions as CSV, with Remove group names off",
    "kobotoolbox": "type CSV, value and header format XML values and headers, Include groups in headers on, "
                   "group separator /",
    "surveycto": "CSV in wide format, with the names of fields alone, without groups, as headings",
}  # fmt: skip
SAVED = (
    "save the export as data/{unit}/answers.csv, a folder that git leaves alone: it holds what single people said. "
    "A sheet of paper that was typed in twice is found there by its sheet_number, which is not loaded."
)


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


def export_settings(form, tool):
    """How to export the answers, in one sentence, and how another export is known.

    Parameters
    ----------
    form : Form
    tool : {"odk-central", "kobotoolbox", "surveycto"}

    Returns
    -------
    settings, signs : str
    """
    heading, text = column_names(form, tool)["consent"], form.say["consent_yes"][form.languages[0]]
    return (f"Export from {TOOLS[tool][0]}: {EXPORT[tool]}.",
            f"Its headings are such as {heading}, and its cells hold yes, not {text!r}: an export with other headings "
            "or with texts was made with other settings; export again, and don't recode it.")  # fmt: skip


def answers_block(form, params, items, *, tool=None, register=()):
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
    register : sequence of str
        Columns that the unit's register holds, under our names; empty where it declares none.

    Returns
    -------
    str
        Keys data.items and data.responses, to be put in the place of the unit's own, and design.calibrate where
        that changes.
    """
    tool = tool or tool_of(params)
    names, data = column_names(form, tool), params.values["data"]
    consent = names.pop("consent")
    # tools have columns of the name status, which say how far a form is in their own work
    names = {"status": consent, **names}
    about = form.sections[0].questions
    refused = [question.name for question in about if question.choices and not question.required]
    told = [name for name in PLACES if name in names and name in register]
    lines = [
        *_comment(f"Loads the answers to the form {form.id}.", 0),
        *(line for text in export_settings(form, tool) for line in _comment(text, 0)),
        *_comment("Put data.items and data.responses in the place of those in the params file.", 0),
        "data:",
        *_comment("the questions of this form; of any other one there are no answers", 1),
        *_key("items", {**data["items"], "population": _population(form, items)}, 1),
        "  responses:",
        *_comment(SAVED.format(unit=params.unit), 2),
        *_key("file", f"../data/{params.unit}/answers.csv", 2),
        *_comment("how many people were asked: write the number; until then the page prints no response rate", 2),
        *_key("invited", "unknown", 2),
        *_comment("our name: heading of the column", 2),
        *_key("columns", names, 2),
        *_comment("who said no has no answers", 2),
        *_key("respondents", {consent: {"in": ["yes"]}}, 2),
    ]
    if len(form.languages) == 1:
        lines += _key("constants", {"answer_language": form.languages[0]}, 2)
    if told:
        lines += [*_comment("finds the respondent's part of the register, without a staff_id", 2),
                  *_key("link", told[:1], 2)]  # fmt: skip
    if skips := _skips(form, names):
        lines += [*_comment("questions that were rightly left out", 2), *_key("skip", skips, 2)]
    if refused:
        lines += _key("missing_codes", {name: {"refused": [PREFER_NOT]} for name in refused}, 2)
    lines += [*_comment("names of answers in the form: codes here; a form that was sent may have gaps", 2),
              *_key("recode", {"status": {"yes": "partial", "no": "no_response"}, **_recode(form)}, 2)]  # fmt: skip
    return "\n".join([*lines, *_calibrate(params, names, refused, told)]) + "\n"


def tool_of(params):
    """The tool a form is fielded with, as params name it."""
    return params.values["questionnaire"].get("tool", "odk-central")


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


def _calibrate(params, names, refused, told):
    """Margins that every respondent tells; one that people may refuse is the analyst's to add."""
    margins = params.values["design"]["calibrate"]
    kept = [name for name in margins if name in names and name not in refused] or told
    if kept == margins:
        return []
    why = "margins that every respondent tells and the register knows: answers are weighted to it by them"
    return ["design:", *_comment(why, 1), *_key("calibrate", kept, 1)]


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
