"""From a unit's stage tables to what may leave the house: released tables, claims, and reports."""

import json
from dataclasses import asdict
from functools import cached_property

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import ParamsError
from skillsgap.publish.claims import Context, make_claims
from skillsgap.publish.disclosure import Rules, release_tables, spreadsheet_safe
from skillsgap.publish.report import Facts, Report
from skillsgap.run.unit import open_unit
from skillsgap.study.records import LANGUAGES
from skillsgap.wording import N_, Words

# stage tables that leave the house; the others hold persons, or cells too small to print
VIEWS = ("competencies", "reliability", "means", "selection", "profiles", "headcounts", "gaps", "needs",
         "priorities", "plan_agencies", "plan_courses", "plan_competencies", "plan_summary", "frontier")  # fmt: skip


# what a plan is made of, as a page names it where it is missing
FOR_A_PLAN = {
    "register": N_("a register of staff"),
    "requirements": N_("requirements by role"),
    "courses": N_("a course catalogue with costs"),
    "course_effects": N_("what each course changes"),
    "plan": N_("a budget"),
}


class Published:
    """What a unit publishes: its release, its claims, and a report in each language.

    Parameters
    ----------
    unit : Unit
    """

    def __init__(self, unit):
        self.unit = unit

    @cached_property
    def release(self):
        """Protected tables, all views together."""
        views = {name: self.unit.table(name) for name in VIEWS}
        views = {name: _declared(name, table) for name, table in views.items() if table is not None and len(table)}
        if self.unit.table("derived_requirements") is not None:
            derived = self.unit.table("derived_requirements")
            views["derived_requirements"] = _requirements(derived, self.unit.design.scale)
        rules = Rules(**self.unit.values["disclosure"])
        if "priorities" in views and "headcount" in self.unit.values["priorities"]["factors"]:
            views["priorities"] = _rounded_priorities(views["priorities"], rules.rounding)
        return release_tables(views, rules)

    @cached_property
    def claims(self):
        """Every claim, made or withheld."""
        values = self.unit.values
        return make_claims(
            self.release.tables,
            Context(
                scale=values["study"].get("scale", "levels"),
                answered=int(self.unit.population.sum()),
                top=values["priorities"]["top"],
                respondents_gate=values["claims"]["respondents"],
                reliability_gate=values["claims"]["reliability"],
                threshold=values["disclosure"]["threshold"],
                by=tuple(values["gaps"]["by"]),
                self_reported=values["study"].get("self_reported", True),
            ),
        )

    def words(self, lang):
        """The unit's words in a language."""
        currency = self.unit.values.get("currency", {}).get("label")
        return Words(lang, self.unit.labels, currency)

    def report(self, lang):
        """The report in a language."""
        return Report(self.release, self.claims, self.facts, self.words(lang))

    @cached_property
    def facts(self):
        """What a page says besides figures."""
        unit, values = self.unit, self.unit.values
        register, rounding = unit.table("register"), values["disclosure"]["rounding"]
        staff = None if register is None else round(register["headcount"].sum() / rounding) * rounding
        answered = int(unit.population.sum())
        return Facts(
            title=values["title"],
            population=values["study"]["population"],
            years=values["study"]["years"],
            scale=values["study"].get("scale", "levels"),
            fictional=values["fictional"],
            self_reported=values["study"].get("self_reported", True),
            staff=staff,
            agencies=None if register is None else register["agency_id"].nunique(),
            invited=answered if unit.table("replicate_weights") is not None else int(unit.facts["invited"]),
            answered=answered,
            replicates=unit.design.replicate_weights.shape[1],
            calibrated=bool(register is not None and values["design"]["calibrate"]),
            by=tuple(values["gaps"]["by"]),
            starts=values["profiles"]["n_starts"],
            threshold=values["disclosure"]["threshold"],
            plan_lacks=tuple(message for name, message in FOR_A_PLAN.items() if name not in {*values, *values["data"]}),
            role=values["data"].get("requirements", {}).get("derive", {}).get("role", "role_id"),
        )


def open_report(unit, *, lang="en", agency=None, overrides=None):
    """The report of a unit in one language; each of its methods gives one piece of the page.

    Parameters
    ----------
    unit : str
    lang : {"en", "uz"}
    agency : str, optional
    overrides : mapping, optional

    Returns
    -------
    Report
    """
    if agency is not None:
        raise ParamsError("a report of one agency is not made yet: leave agency empty")
    return Published(open_unit(unit, agency=agency, overrides=overrides)).report(lang)


def _rounded_priorities(table, rounding):
    """Priorities from the head-count as it is printed: a product of the exact one would tell it."""
    printed = (table["headcount"] / rounding).round() * rounding
    exact = table["headcount"].where(table["headcount"] > 0, 1.0)
    return table.assign(headcount=printed, priority=table["priority"] * printed / exact)


def _declared(name, table):
    """The columns a contract declares: a file may hold others, which nobody agreed to publish."""
    return table[[column for column in CONTRACTS[name].columns if column in table]]


def _requirements(derived, scale):
    """Each requirement as the mean over plausible values, with its standard error, to whole points.

    It is a low quantile of some tens of people: more digits would be somebody's score.
    """
    keys = ["role_id", "competency_id"]
    rows, columns = [*keys, "n"], ["plausible_value", "replicate"]
    wide = derived.set_index([*rows, *columns])["required_level"].unstack(columns)
    full = wide.xs(0, axis=1, level="replicate")
    sampling = sum(((wide[draw].sub(wide[draw][0], axis=0)) ** 2).sum(axis=1) * scale for draw in full) / full.shape[1]
    variance = sampling + (1 + 1 / full.shape[1]) * full.var(axis=1, ddof=1)
    table = pd.DataFrame({"required_level": full.mean(axis=1).round(), "se": np.sqrt(variance).round(1)})
    return table.reset_index()


def table_files(published):
    """Released tables as CSV and JSON: dict from file name to bytes, each row marked with its unit.

    Returns
    -------
    dict of str to bytes
    """
    unit = published.unit
    origin = "synthetic" if unit.values["fictional"] else "survey"
    note, rules = published.release.protection, asdict(published.release.rules)
    files = {}
    tables = {**published.release.tables, "claims": _spoken(published)}
    for name, table in tables.items():
        marked = spreadsheet_safe(table)
        marked.insert(0, "unit", unit.name)
        marked.insert(1, "data", origin)
        files[f"tables/{name}.csv"] = marked.to_csv(index=False, lineterminator="\n").encode()
        rows = json.loads(table.to_json(orient="records", double_precision=15))
        body = {"unit": unit.name, "data": origin, "table": name, "protection": note, **rules, "rows": rows}
        files[f"tables/{name}.json"] = (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
    return files


def _spoken(published):
    """The claims with their sentences in every language."""
    claims = published.claims
    spoken = {}
    for lang in LANGUAGES:
        words = published.words(lang)
        for part in ("number", "sentence", "certainty", "unlock"):
            spoken[f"{part}_{lang}"] = [words.say(m, v) for m, v in zip(claims[part], claims["numbers"], strict=True)]
    return pd.concat([claims[["claim_id", "section", "passed", "hot", "numbers"]], pd.DataFrame(spoken)], axis=1)
