"""Which items a form asks, in which order and with which answers, and what about them can't be asked."""

import re

import pandas as pd

from skillsgap.contracts import LEVELS
from skillsgap.errors import Problem
from skillsgap.wording import N_

FORMS = {"short": ("both",), "long": ("both", "long")}  # values of the column form that stand in each
# an item that is no self-rating of a competency stands with the others of its type
SECTIONS = {"frequency": "use", "knowledge": "cases", "judgement": "cases", "importance": "importance",
            "interest": "interest", "barrier": "barrier", "climate": "climate"}  # fmt: skip
ORDER = ("tasks", *dict.fromkeys(SECTIONS.values()))  # behind the sections of competencies
SKILLS = "skills_"  # names of sections of competencies begin so
DESCRIPTORS = "descriptors"  # the scale of an item whose answers are its competency's levels
LEVELS_OF = "levels_"  # names of lists of levels begin so
OPTIONAL = ("competency_id", "group", "form", "scale", "key", "filter_item", "filter_codes")  # columns of items
# XLSForm takes more, but SurveyCTO and statistics packages do not
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


def asked_items(tables, params):
    """The items of the form, in the order in which they are asked.

    Parameters
    ----------
    tables : dict of str to Loaded
        competencies, descriptors, items, choices; their faults grow.
    params : Params

    Returns
    -------
    items : DataFrame
        Columns of the table, with `section`, `list` (name of the list of answers), `codes` (tuple of int) and `skips`
        (tuple of pairs: an item asked before, and its codes at which this one is left out).
    problems : list of Problem
        Faults of the params file.
    """
    loaded, wanted = tables["items"], params.values["questionnaire"]
    frame = loaded.frame.assign(**{name: "" for name in OPTIONAL if name not in loaded.frame})
    frame = frame.fillna({name: "" for name in OPTIONAL})
    forms, optional = frame["form"].replace("", "both"), wanted.get("optional", [])
    extra = (forms == "optional") & frame["competency_id"].isin(optional)
    frame = frame[forms.isin(FORMS[wanted.get("form", "long")]) | extra]
    unknown = [name for name in optional if name not in set(frame["competency_id"])]
    text, remedy = N_("questionnaire.optional names {name}, which has no item of the form optional"), N_(
        "correct it, or let data.items.population keep the form optional")  # fmt: skip
    problems = [Problem(params.path.name, text, remedy, params.line("questionnaire", "optional"), values={"name": name})
                for name in unknown]  # fmt: skip
    frame = _sections(frame, loaded, tables["competencies"])
    levels = frame["scale"] == DESCRIPTORS
    frame = frame.assign(list=(LEVELS_OF + frame["competency_id"]).where(levels, frame["scale"]))
    answers = _levels(frame[levels], tables["descriptors"]) | _scales(tables["choices"])
    frame = frame[_answerable(frame, answers, loaded, tables["choices"])]
    frame = frame.assign(codes=[answers[name] for name in frame["list"]])
    return frame.assign(skips=_skips(frame, loaded)), problems


def _sections(frame, loaded, competencies):
    """Each item's section, and the items in the order of these; what belongs in none is a fault."""
    known = competencies.frame.set_index("competency_id")["group"]
    odd = frame[(frame["competency_id"] != "") & ~frame["competency_id"].isin(known.index)]
    if len(odd):
        said = {"value": odd["competency_id"].iloc[0], "there": competencies.name, "column": "competency_id"}
        loaded.fault(odd, "competency_id", N_("{value!r} is not in {there}"),
                     N_("add it there, or correct it ({column})"), said)  # fmt: skip
    rated = frame["type"] == "anchored"
    lost = frame[rated & (frame["competency_id"] == "")]
    if len(lost):
        loaded.fault(lost, "competency_id", N_("the anchored item {item} belongs to no competency"), N_("name it"),
                     {"item": lost["item_id"].iloc[0]})  # fmt: skip
    section = (SKILLS + frame["competency_id"].map(known)).where(frame["scale"] == DESCRIPTORS, "tasks")
    section = section.where(rated, frame["type"].map(SECTIONS))
    others = frame[~rated & section.isna()]
    if len(others):
        said = {"item": others["item_id"].iloc[0], "type": others["type"].iloc[0]}
        loaded.fault(others, "form", N_("the item {item} is of the type {type}, which a form can't ask"),
                     N_("set its form to assessment"), said)  # fmt: skip
    order = [*(SKILLS + known.dropna()).unique(), *ORDER]
    frame = frame.assign(section=pd.Categorical(section, order)).dropna(subset="section")
    return frame.sort_values("section", kind="stable").astype({"section": str})


def _levels(items, descriptors):
    """The levels of each competency that is asked; one of another number than five is a fault."""
    low, high = (int(level) for level in LEVELS)
    wanted, told = tuple(range(low, high + 1)), descriptors.frame
    told = told[told["text_en"].notna() & (told["text_en"] != "")]
    for competency in items["competency_id"].unique():
        found = set(told.loc[told["competency_id"] == competency, "level"])
        if found != set(wanted):
            lacking = ", ".join(str(level) for level in wanted if level not in found)
            descriptors.fault(None, "level", N_("the form asks for {competency}, which has no descriptor of {levels}"),
                              N_("describe each level from {low} to {high}"),
                              {"competency": competency, "levels": lacking, "low": low, "high": high})  # fmt: skip
    return {LEVELS_OF + competency: wanted for competency in items["competency_id"].unique()}


def _scales(choices):
    codes = choices.frame.dropna(subset="code").groupby("scale", sort=False)["code"]
    return {scale: tuple(sorted(map(int, values))) for scale, values in codes}


def _answerable(frame, answers, loaded, choices):
    """Whether each item's scale, number of categories and key go together, as a list; where not, a fault."""
    good, others = [], {}
    for i, item in frame.iterrows():
        codes = answers.get(item["list"], ())
        lowest = 0 if pd.isna(item.get("lowest")) else int(item["lowest"])
        span = tuple(range(lowest, lowest + int(item["n_categories"])))
        said = {"item": item["item_id"], "scale": item["scale"], "there": choices.name, "key": item["key"],
                "codes": ", ".join(map(str, codes)), "low": span[0], "high": span[-1]}  # fmt: skip
        good.append(bool(codes))
        if codes != span:
            others.setdefault((item["list"], span), (said, []))[1].append(i)
        elif item["key"] != "" and str(item["key"]) not in map(str, codes):
            loaded.fault(frame.loc[[i]], "key", N_("the key {key!r} of {item} is none of its codes {codes}"),
                         N_("correct it"), said)  # fmt: skip
    for said, lines in others.values():  # one scale is told once, however many items share it
        if said["codes"]:
            column, remedy = "n_categories", N_("correct lowest and n_categories, or the scale")
            text = N_("the codes of {item} go from {low} to {high}, and those of its scale {scale} are {codes}")
        else:
            column, remedy = "scale", N_("add them there, or correct the scale")
            text = N_("the item {item} has the scale {scale!r}, which has no choices in {there}")
        loaded.fault(frame.loc[lines], column, text, remedy, said)
    return good


def _skips(frame, loaded):
    """When each item is left out: by its own filter, or because that one was left out for its own."""
    rules, codes = {}, dict(zip(frame["item_id"], frame["codes"], strict=True))
    for i, item in frame.iterrows():
        name, before = item["item_id"], item["filter_item"]
        rules[name] = ()
        if before == "":
            continue
        wanted = tuple(code for code in str(item["filter_codes"]).split("|") if code)
        said = {"item": name, "filter": before, "codes": "|".join(wanted)}
        if before not in rules or before == name:
            loaded.fault(frame.loc[[i]], "filter_item",
                         N_("the item {item} is left out by {filter}, which the form does not ask before it"),
                         N_("ask it before, or take the filter out"), said)  # fmt: skip
        elif not wanted or not set(wanted) <= set(map(str, codes[before])):
            loaded.fault(frame.loc[[i]], "filter_codes",
                         N_("the item {item} is left out at {codes!r} of {filter}, which are not among its codes"),
                         N_("name codes of it, as in 0|1"), said)  # fmt: skip
        else:
            rules[name] = ((before, wanted), *rules[before])
    return list(rules.values())


def bad_names(names):
    """Names of questions that no form can have, or that stand twice but for case.

    Parameters
    ----------
    names : sequence of (name, where)
        Where each is from, as messages call it.

    Returns
    -------
    list of Problem

    Examples
    --------
    >>> for problem in bad_names([("DL01", "items.csv"), ("dl01", "items.csv"), ("1st", "items.csv")]):
    ...     print(problem)
    items.csv: the questions 'DL01' and 'dl01' have one name: rename one of them
    items.csv: a form can't have a question called '1st': use up to 32 letters, figures and _, a letter first
    """
    problems, seen = [], {}
    for name, where in names:
        said = {"name": name, "other": seen.get(name.casefold())}
        if not NAME.fullmatch(name):
            text, remedy = N_("a form can't have a question called {name!r}"), N_(
                "use up to 32 letters, figures and _, a letter first")  # fmt: skip
            problems.append(Problem(where, text, remedy, values=said))
        elif name.casefold() in seen:
            text, remedy = N_("the questions {other!r} and {name!r} have one name"), N_("rename one of them")
            problems.append(Problem(where, text, remedy, values=said))
        seen.setdefault(name.casefold(), name)
    return problems
