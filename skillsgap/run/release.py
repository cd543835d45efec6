"""From a unit's stage tables to what may leave the house: released tables, claims, and reports."""

import json
from collections import Counter
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, ESTIMATE
from skillsgap.errors import ParamsError
from skillsgap.estimate.measures.reliability import between_variance
from skillsgap.publish.claims import make_claims
from skillsgap.publish.disclosure import Rules, release_tables, spreadsheet_safe
from skillsgap.publish.gates import KINDS, Context, data_reasons, reasons_for, typed, with_tiers
from skillsgap.publish.report import Facts, Report
from skillsgap.run.chain import lonely_strata
from skillsgap.run.measurement import left_out, not_comparable
from skillsgap.run.truth import planted, with_truth
from skillsgap.run.unit import open_unit
from skillsgap.wording import LANGUAGES, N_, Words

# stage tables that leave the house; the others hold persons, or cells too small to print
VIEWS = ("competencies", "reliability", "self_report", "means", "selection", "profiles", "stability", "headcounts",
         "gaps", "needs", "priorities", "readiness", "plan_agencies", "plan_tiers", "plan_options", "plan_courses",
         "plan_competencies", "plan_groups", "plan_rules", "plan_prices", "plan_stability", "plan_conflict",
         "plan_summary", "recommendations", "frontier")  # fmt: skip

# views that tell no number of respondents, and rest on all of them
FROM_ALL = tuple(name for name in VIEWS if name.startswith((
    "plan_", "recommendations", "priorities", "frontier", "selection", "stability", "reliab")))  # fmt: skip

# what a plan is made of, as a page names it where it is missing
FOR_A_PLAN = {
    "responses": N_("enough answers of respondents"),
    "register": N_("a register of staff"),
    "requirements": N_("requirements by role"),
    "courses": N_("a course catalogue with costs"),
    "course_effects": N_("what each course changes"),
    "plan": N_("a budget"),
}
UNMAPPED = 0.20  # share of codes without a counterpart above which claims are withheld, unless params say


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
        for name, key in (("means", "variable"), ("gaps", "competency_id")):
            if name in views:  # what can't be compared is no figure that rests on too few
                pairs = pd.MultiIndex.from_frame(views[name][["by", key]])
                views[name] = views[name][~pairs.isin(self._apart)]
        if self.too_few:
            views = {name: table for name, table in views.items() if name not in FROM_ALL}
        if self.unit.table("derived_requirements") is not None:
            derived = self.unit.table("derived_requirements")
            views["derived_requirements"] = _requirements(derived, self.unit.design)
        rules = Rules(**self.unit.values["disclosure"])
        if self.published and self.scale == "share":
            views["means"] = views["means"].assign(statistic="share")  # protected as shares are, printed as shares
        if "priorities" in views and "headcount" in self.unit.values["priorities"]["factors"]:
            views["priorities"] = _rounded_priorities(views["priorities"], rules.rounding)
        if "needs" in views:
            views["needs"] = with_tiers(views["needs"], self.unit.values["claims"]["respondents"])
        return release_tables(views, rules, published=("means", "gaps") if self.published else ())

    @property
    def too_few(self):
        """Whether fewer people answered than may stand behind a printed figure."""
        return self.answered is not None and self.answered < self.unit.values["disclosure"]["threshold"]

    @property
    def published(self):
        """Whether there are published figures only, and nobody's answers."""
        return self.unit.table("responses") is None

    @property
    def scale(self):
        """Scale of the figures: levels, score or share."""
        return self.unit.values["study"].get("scale", "levels")

    @property
    def by(self):
        """Columns that figures are split by."""
        declared = tuple(self.unit.values["gaps"]["by"])
        if not self.published:
            return declared
        means = self.unit.table("means")  # none where there are indicators only
        there = set() if means is None else set(means["by"]) - {"all"}
        return tuple(by for by in dict.fromkeys((*declared, *sorted(there))) if by in there)

    @property
    def answered(self):
        """Respondents the estimates speak for; None where nobody's answers are known."""
        return None if self.published else int(self.unit.population.sum())

    @property
    def names(self):
        """Names of the profiles in params, from profile 1 on; empty where the rule names them.

        Raises
        ------
        ParamsError
            As many names as there are profiles, and they have to be.
        """
        given, table = self.unit.values["profiles"].get("names", ()), self.unit.table("profiles")
        found = len(given) if table is None else table["profile"].nunique()
        if given and len(given) != found:
            raise ParamsError(f"profiles.names has {len(given)} names, and there are {found} profiles: give {found} "
                              f"names, or set profiles.n_profiles to {len(given)}")  # fmt: skip
        return tuple(given)

    @cached_property
    def reasons(self):
        """Why what rests on some of the data is withheld."""
        options = self.unit.values["claims"]
        return data_reasons(
            self.unit.table("quality"),
            self.unit.table("mapped"),
            gates=options.get("quality", {}),
            unmapped=options.get("unmapped", UNMAPPED),
        )

    @cached_property
    def claims(self):
        """Every claim, made or withheld."""
        values = self.unit.values
        return make_claims(
            self.release.tables,
            Context(
                scale=self.scale,
                answered=self.answered,
                top=values["priorities"]["top"],
                respondents_gate=values["claims"]["respondents"],
                reliability_gate=values["claims"]["reliability"],
                group_reliability=self._group_reliability(),
                response_rate=self._response_rate(),
                basis=self._basis(),
                threshold=values["disclosure"]["threshold"],
                by=self.by,
                self_reported=values["study"].get("self_reported", True),
                reasons=tuple(self.reasons),
                margins=self._margins,
                items=self._items(),
                published=self.published,
            ),
            names=self.names,
        )

    def _group_reliability(self):
        """How much of what the groups of a split differ by in need isn't chance, by column: 0 to 1."""
        needs, found = self.unit.table("needs"), {}
        for by, table in needs.groupby("by") if needs is not None else ():
            told = table[table["se"] > 0]
            between = between_variance(told["estimate"].to_numpy(), told["se"].to_numpy() ** 2)[0]
            found[by] = float((between / (between + told["se"] ** 2)).mean())
        return found

    def _response_rate(self):
        """Share of those asked who answered, 1 where weights came that make up for it; None where nobody knows."""
        if self.published or self.unit.table("replicate_weights") is not None:
            return None if self.published else 1.0
        invited = self.unit.facts.get("invited")
        # with those who answered and whom the estimates don't speak for
        return None if invited is None else len(self.unit.table("responses")) / invited

    def _uneven(self):
        """Of each split examined for it: items that behave differently, all items, competencies not to be compared."""
        table = self.unit.table("dif")
        examined = [] if table is None else [by for by in self.by if (table["by"] == by).any()]
        return {by: (len(left_out(self.unit, by)), table["item_id"].nunique(), not_comparable(self.unit, by))
                for by in examined}  # fmt: skip

    @property
    def _apart(self):
        """Splits and the competencies that can't be compared in them, as pairs."""
        return [(by, competency) for by, (*_, out) in self._uneven().items() for competency in out]

    def _basis(self):
        """What each competency's levels rest on: tested, transferred or self_reported."""
        table = self.unit.table("level_basis")
        return {} if table is None else table.set_index("competency_id")["basis"].to_dict()

    @property
    def _margins(self):
        return tuple(self.unit.values["design"]["calibrate"]) if self.unit.table("register") is not None else ()

    def _items(self):
        """Items of each competency, whose points a crosswalk may have mapped."""
        items = self.unit.table("items")
        if items is None or "competency_id" not in items:
            return {}
        return items.groupby("competency_id")["item_id"].agg(lambda names: tuple(sorted(names))).to_dict()

    def words(self, lang):
        """The unit's words in a language."""
        currency = self.unit.values.get("currency", {}).get("label")
        return Words(lang, self.unit.labels, currency)

    def report(self, lang, *, show_truth=False):
        """The report in a language; what it publishes never holds the planted values that it may show."""
        shown = self.release
        if show_truth:
            shown = replace(shown, tables=with_truth(shown.tables, planted(self.unit)))
        return Report(shown, self.claims, self.facts, self.words(lang))

    @cached_property
    def facts(self):
        """What a page says besides figures."""
        unit, values = self.unit, self.unit.values
        register, rounding = unit.table("register"), values["disclosure"]["rounding"]
        staff = None if register is None else round(register["headcount"].sum() / rounding) * rounding
        stopped = {kind: reasons_for(kind, self.reasons, self._margins) for kind in KINDS}
        return Facts(
            title=values["title"],
            population=values["study"]["population"],
            years=values["study"]["years"],
            scale=self.scale,
            fictional=values["fictional"],
            self_reported=values["study"].get("self_reported", True),
            staff=staff,
            agencies=None if register is None else register["agency_id"].nunique(),
            response_rate=self._response_rate(),
            answered=self.answered,
            replicates=None if self.published else unit.design.replicate_weights.shape[1],
            calibrated=bool(self._margins and not self.published),
            by=self.by,
            starts=values["profiles"]["n_starts"],
            frequency=self._frequency(),
            threshold=values["disclosure"]["threshold"],
            plan_lacks=self._plan_lacks(),
            optional=self._optional(),
            role=values["data"].get("requirements", {}).get("derive", {}).get("role", "role_id"),
            status=unit_status(values),
            published=self.published,
            sources=self._sources(),
            mapped=unit.table("mapped"),
            stopped={kind: typed(found[0]) for kind, found in stopped.items() if found},
            bases=dict(Counter(self._basis().values())),
            uneven=self._uneven(),
            lonely=lonely_strata(unit.table("responses"), unit.table("replicate_weights"), values),
            names=self.names,
        )

    def _frequency(self):
        """Whether all questions ask how often, from 1 never to 5 every day."""
        items = self.unit.table("items")
        if items is None or "lowest" not in items:
            return False
        return bool(((items["type"] == "frequency") & (items["n_categories"] == 5) & (items["lowest"] == 1)).all())

    def _plan_lacks(self):
        there = {*self.unit.values, *self.unit.values["data"]} - ({"responses"} if self.too_few else set())
        return tuple(message for name, message in FOR_A_PLAN.items() if name not in there)

    def _optional(self):
        """Optional competencies that no requirement names."""
        listed, required = self.unit.table("competencies"), self.unit.table("requirements")
        if listed is None or "audience" not in listed:
            return frozenset()
        optional = set(listed.loc[listed["audience"] == "optional", "competency_id"])
        return frozenset(optional - (set() if required is None else set(required["competency_id"])))

    def _sources(self):
        """Table, source, rows and date of each table that was read."""
        sources = self.unit.table("sources")
        if sources is None:
            return ()
        declared = self.unit.values["data"]
        named = [declared.get(row.table, {}).get("source", {}).get("name") for row in sources.itertuples()]
        return tuple(
            {"table": row.table, "source": name or Path(row.file).name, "rows": int(row.rows), "as_of": row.as_of}
            for row, name in zip(sources.itertuples(), named, strict=True)
        )


def unit_status(values):
    """How far the data of a unit are cleared: draft, queried or cleared, from its params.

    Where params don't say, real data are a draft, and invented ones need nobody's word.

    Examples
    --------
    >>> unit_status({"fictional": False}), unit_status({"fictional": True})
    ('draft', 'cleared')
    """
    return values.get("status") or ("cleared" if values["fictional"] else "draft")


def open_report(unit, *, lang="en", agency=None, overrides=None, show_truth=False):
    """The report of a unit in one language; each of its methods gives one piece of the page.

    With `show_truth` figures of gaps, needs, profiles and published values, and the tables they are drawn from, also
    hold what was planted in a fictional country. Budgets, quality, coverage and readiness have no planted counterpart
    and stay as they are. Published pages and released tables never hold it.

    Parameters
    ----------
    unit : str
    lang : {"en", "uz"}
    agency : str, optional
    overrides : mapping, optional
    show_truth : bool

    Returns
    -------
    Report

    Raises
    ------
    ParamsError
        If the truth of a real country is asked for, or of one that keeps none beside its data.
    """
    if agency is not None:
        raise ParamsError("a report of one agency is not made yet: leave agency empty")
    return Published(open_unit(unit, agency=agency, overrides=overrides)).report(lang, show_truth=show_truth)


def _rounded_priorities(table, rounding):
    """Priorities from the head-count as it is printed: a product of the exact one would tell it."""
    printed = (table["headcount"] / rounding).round() * rounding
    exact = table["headcount"].where(table["headcount"] > 0, 1.0)
    shown = {name: table[name] * printed / exact for name in ESTIMATE}
    return table.assign(headcount=printed, **shown)


def _declared(name, table):
    """The columns a contract declares: a file may hold others, which nobody agreed to publish."""
    return table[[column for column in CONTRACTS[name].columns if column in table]]


def _requirements(derived, design):
    """Each requirement as the mean over plausible values, with its standard error, to whole points.

    It is a low quantile of some tens of people: more digits would be somebody's score.
    """
    keys = ["role_id", "competency_id"]
    rows, columns = [*keys, "n"], ["plausible_value", "replicate"]
    wide = derived.set_index([*rows, *columns])["required_level"].unstack(columns)
    full = wide.xs(0, axis=1, level="replicate")
    each = [design.variance(full[draw].to_numpy(), wide[draw].drop(columns=0).to_numpy().T) for draw in full]
    variance = np.mean(each, axis=0) + (1 + 1 / full.shape[1]) * full.var(axis=1, ddof=1)
    table = pd.DataFrame({"required_level": full.mean(axis=1).round(), "se": np.sqrt(variance).round(1)})
    return table.reset_index()


def table_files(published):
    """Released tables as CSV and JSON: dict from file name to bytes, each row marked with its unit.

    Returns
    -------
    dict of str to bytes
    """
    unit = published.unit
    origin = "synthetic" if unit.values["fictional"] else "published figures" if published.published else "survey"
    status = unit_status(unit.values)
    origin = origin if status == "cleared" else f"{origin}, {status}"
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
