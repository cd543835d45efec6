"""The plan as a workbook, for the office that carries it out: its figures, who is offered what, courses, agencies."""

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Side

from skillsgap.contracts import IMPACT
from skillsgap.publish.plan_section import option_name
from skillsgap.publish.plan_words import plan_facts, rule_name
from skillsgap.publish.recommended import as_messages, evidence
from skillsgap.publish.sheets import colour, heading_row, plain, set_up, title_rows
from skillsgap.study.workbook import workbook_bytes
from skillsgap.wording import N_

TEXT, COUNT, LEVELS, SHARE = "@", "#,##0", "#,##0.0", "0%"
PERIOD, PRICE = (N_("Period"), 9, COUNT), (N_("Cost, {currency}"), 12, COUNT)
# column of a sheet: heading, width in letters, format
WHO = {
    "agency": (N_("Agency"), 26, TEXT), "role": (N_("Role"), 24, TEXT), "level": (N_("Level"), 12, TEXT),
    "what": (N_("Courses, or how the place is filled"), 40, TEXT), "tier": (N_("Tier"), 14, TEXT),
    "period": PERIOD, "eligible": (N_("Staff who may"), 10, COUNT), "seats": (N_("Seats"), 8, COUNT),
    "cost": PRICE, "gap_closed": (N_("Closes, weighted levels"), 11, LEVELS),
    "ci_low": (N_("95% interval, from"), 10, LEVELS), "ci_high": (N_("95% interval, to"), 10, LEVELS),
    "reached": (N_("Brought to requirement"), 13, LEVELS), "stability": (N_("Kept in draws"), 10, SHARE),
    "most": (N_("Most of it in"), 34, TEXT), "rule": (N_("Rule that asks for it"), 28, TEXT),
    "public_interest": (N_("Public interest"), 22, TEXT), "fairness": (N_("Fairness"), 22, TEXT),
    "legality": (N_("Legality"), 22, TEXT), "participation": (N_("Participation"), 22, TEXT),
    "told": (N_("In words"), 70, TEXT),
}  # fmt: skip
COURSES = {
    "course": (N_("Course"), 44, TEXT), "tier": (N_("Tier"), 18, TEXT), "provider": (N_("Provider"), 36, TEXT),
    "period": PERIOD, "seats": (N_("Seats"), 10, COUNT), "spend": PRICE,
    "gap_closed": (N_("Closes, weighted levels"), 14, LEVELS),
}  # fmt: skip
AGENCIES = {
    "agency": (N_("Agency"), 34, TEXT), "course": (N_("Course"), 44, TEXT), "tier": (N_("Tier"), 18, TEXT),
    "eligible": (N_("Staff who may"), 12, COUNT), "seats": (N_("Seats"), 10, COUNT), "cost": PRICE,
}  # fmt: skip
FIGURES = {
    "budget": (N_("Budget, {currency}"), COUNT), "spend": (N_("Spend, {currency}"), COUNT),
    "seats": (N_("People with a seat"), COUNT), "closed_share": (N_("Shortfall that is closed"), "0.0%"),
    "ci_low": (N_("95% interval, from"), "0.0%"), "ci_high": (N_("95% interval, to"), "0.0%"),
    "most": (N_("No plan for this money closes more than"), "0.0%"),
    "gap_first_share": (N_("Largest gaps first would close"), "0.0%"),
    "ratio_first_share": (N_("Best ratio of gap to money first would close"), "0.0%"),
    "worst_decile": (N_("Closed at least, in nine of ten draws"), "0.0%"), "n_draws": (N_("Draws"), COUNT),
    "unquizzed_share": (N_("Closed if seats are filled without a quiz"), "0.0%"),
}  # fmt: skip
SHEETS = {"plan": N_("Plan"), "who": N_("Recommendations"), "courses": N_("Courses"), "agencies": N_("Agencies")}
NOBODY = N_("A row speaks of a stratum of staff, never of a person; figures of fewer than {n} staff are withheld.")


def plan_workbook(tables, words, *, title, said, threshold):
    """The released plan as a workbook in one language; its bytes depend on the released tables alone.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released: plan_summary, plan_courses, plan_agencies, plan_options, recommendations.
    words : Words
    title : str
        Of the report, which tells a fictional country and a draft.
    said : dict
        The plan's claim in words: number, sentence, certainty.
    threshold : int
        Staff behind every printed figure.

    Returns
    -------
    bytes, or None where no plan keeps all rules
    """
    if not plan_facts(tables).get("feasible", 1):
        return None
    book = Workbook()
    lines = [(title, 16, "ink"), (". ".join([f"{said['number']} {said['sentence']}", said["certainty"]]), 11, "ink"),
             (words(NOBODY, n=words.number(threshold)), 11, "soft")]  # fmt: skip
    _figures(book.active, plan_facts(tables), words, lines)
    rows = {"who": _who(tables, words), "courses": _courses(tables, words), "agencies": _agencies(tables, words)}
    for (name, table), columns in zip(rows.items(), (WHO, COURSES, AGENCIES), strict=True):
        _fill(book.create_sheet(words(SHEETS[name])), table, columns, words, title)
    return workbook_bytes(book)


def _figures(sheet, facts, words, lines):
    """The plan in figures."""
    sheet.title = words(SHEETS["plan"])
    for column, width in (("A", 52), ("B", 16), ("C", 40)):
        sheet.column_dimensions[column].width = width
    top = title_rows(sheet, lines, across=3) + 1
    facts = facts.copy()
    facts["most"] = max(facts["bound"], facts["value"]) / facts["need"] if facts["need"] > 0 else np.nan
    shown = [(name, *FIGURES[name]) for name in FIGURES if pd.notna(facts.get(name))]
    for row, (name, text, form) in enumerate(shown, start=top):
        plain(sheet.cell(row, 1), _heading(text, words))
        sheet.cell(row, 2, float(facts[name])).number_format = form


def _fill(sheet, table, columns, words, title):
    """One table: what it is of, headings, rows."""
    columns = {name: column for name, column in columns.items() if name in table}
    top = title_rows(sheet, [(title, 11, "soft")])
    heading_row(sheet, top, [(_heading(text, words), width) for text, width, _ in columns.values()])
    line, wrapped = Border(bottom=Side("thin", color=colour("line"))), Alignment(wrap_text=True, vertical="top")
    for i, (name, (_, _, form)) in enumerate(columns.items(), start=1):
        for row, x in enumerate(table[name].tolist(), start=top + 1):
            cell = plain(sheet.cell(row, i), None if x is None or x != x else x)
            cell.number_format, cell.border, cell.alignment = form, line, wrapped
    set_up(sheet, top, len(table), len(columns))


def _who(tables, words):
    """Every recommendation, in alphabetical order of agencies and roles."""
    told = _dressed(tables["recommendations"], words)
    rows, said = told.to_dict("records"), as_messages(tables["recommendations"])
    table = told.assign(
        agency=_names(told, "agency_id", words), role=_names(told, "role_id", words),
        level=_names(told, "role_level", words), what=[option_name(row, words) for row in rows],
        most=[_most(row, words) for row in rows], rule=[_asking(row, words) for row in rows],
        told=[" ".join(words.say(*sentence) for sentence in each[:-len(IMPACT)]) for each in said],
        **{name: [words.say("{told}", {"told": evidence(x)}) for x in told[name]] for name in IMPACT})  # fmt: skip
    return _in_order(table, ["agency", "role"], ["role_level", "option_id"], words)


def _courses(tables, words):
    """What is to be bought of each course."""
    table = _dressed(tables["plan_courses"].query("seats > 0"), words)
    return _in_order(table.assign(course=_names(table, "course_id", words)), ["course"], [], words)


def _agencies(tables, words):
    """What each agency sends its staff to."""
    table = _dressed(tables["plan_agencies"], words)
    table = table.assign(agency=_names(table, "agency_id", words), course=_names(table, "course_id", words))
    return _in_order(table, ["agency", "course"], [], words)


def _dressed(table, words):
    """Names of tiers, periods from 1 where there are several, and what is withheld marked as such."""
    seats = table["seats"].astype(object).where(table["seats"].notna(), words("withheld"))
    table = table.assign(tier=_names(table.fillna({"tier": ""}), "tier", words), seats=seats)
    if table.get("period", pd.Series([0])).max() > 0:
        return table.assign(period=table["period"] + 1)
    return table.drop(columns="period", errors="ignore")


def _names(table, code, words):
    return [words.label(code, x) if x else "" for x in table[code]]


def _in_order(table, named, coded, words):
    keys = {f"_{name}": words.alphabet(table[name]) for name in named}
    return table.assign(**keys).sort_values([*keys, *coded], kind="stable", ignore_index=True)


def _most(row, words):
    """The competencies that a recommendation closes most of."""
    return ", ".join(words.label("competency_id", row[name]) for name in ("competency_1", "competency_2") if row[name])


def _heading(text, words):
    return words(text, currency=words.currency).rstrip(", ")


def _asking(row, words):
    """The rule that asks for the seats of a recommendation; empty where none does."""
    named = rule_name(row["rule_id"], row["rule_family"]) if row["rule_id"] else {"kind": "text", "value": ""}
    return words.say("{rule}", {"rule": named})
