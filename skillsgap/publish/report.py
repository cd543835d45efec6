"""One report: what stands on its page, from released tables and claims, in one language."""

from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from babel.lists import format_list

from skillsgap.publish import figures, foot, pages
from skillsgap.publish.aggregates import published_sections, source_section
from skillsgap.publish.canvas import figure_html
from skillsgap.publish.claims import SURE, widest
from skillsgap.publish.naming import COLUMNS
from skillsgap.publish.needs import needs_section, needs_table
from skillsgap.publish.plan_book import plan_workbook
from skillsgap.publish.plan_section import frontier_table, plan_panel, plan_sections
from skillsgap.publish.plan_words import plan_facts
from skillsgap.publish.profile_section import profile_sections
from skillsgap.publish.profiles import level_table, share_table
from skillsgap.publish.readiness import readiness_section

SHOWN = 12  # competencies a figure shows; the others stand in the tables
FIRST = 4  # claims beside each other
HOT = 3  # marks in the one warm colour


@dataclass(frozen=True)
class Facts:
    """What a page says of a unit besides its figures.

    `answered`, `response_rate` and `replicates` are None where figures were published and nobody's answers are known;
    `response_rate` also where nobody knows how many were asked.
    `optional` holds the competencies that need no question: ours are optional, and no requirement names them.
    `bases` counts competencies by what their levels rest on (tested, transferred, self_reported); `uneven` tells of
    each split how many of how many questions are left out of its comparison, and what can't be compared at all;
    `lonely` is the number of strata with one sampling unit, and what is done about them.
    `stopped` holds the typed reason why a kind of finding is withheld, for each kind that the data can't carry.
    `names` are those of params for the profiles, from profile 1 on.
    """

    title: dict
    population: dict
    years: str
    scale: str
    fictional: bool
    self_reported: bool
    staff: int | None
    agencies: int | None
    response_rate: float | None
    answered: int | None
    replicates: int | None
    calibrated: bool
    by: tuple
    starts: int
    frequency: bool
    threshold: int
    role: str
    plan_lacks: tuple
    optional: frozenset = frozenset()
    status: str = "cleared"
    published: bool = False
    sources: tuple = ()
    mapped: pd.DataFrame | None = None
    stopped: dict = field(default_factory=dict)
    bases: dict = field(default_factory=dict)
    uneven: dict = field(default_factory=dict)
    lonely: tuple = (0, "")
    names: tuple = ()


class Report:
    """A page of a unit; each method gives one piece, or None where there is nothing to show.

    Parameters
    ----------
    release : Release
    claims : DataFrame
        As `make_claims` gives them.
    facts : Facts
    words : Words
    """

    def __init__(self, release, claims, facts, words):
        self.release, self.tables, self.claims_table = release, release.tables, claims
        self.facts, self.words = facts, words

    @property
    def title(self):
        """Title of the file, which every printed page repeats: unit, who is meant, when, and whether it is a draft."""
        marks = [self.words("fictional")] if self.facts.fictional else []
        draft = pages.draft_mark(self.facts.status, self.words)
        return " · ".join([*self._who(), *marks, *([draft] if draft else [])])

    def _who(self):
        title, population = self.words.text(self.facts.title), self.words.text(self.facts.population)
        return [title, population] if self.facts.years in title else [title, population, self.facts.years]

    def head(self):
        """Who and when, the finding, and how it is known."""
        return pages.head(
            self._who(),
            title=self._finding(),
            sub=self._sub(),
            fictional=self.facts.fictional,
            draft=pages.draft_mark(self.facts.status, self.words),
            words=self.words,
        )

    def _finding(self):
        words, unit = self.words, self.words.text(self.facts.title)
        claims = self.claims_table.set_index("claim_id")
        if self.facts.published:
            return words("{unit}: what published figures tell, and what they leave open", unit=unit)
        if "priorities" in self.tables and claims.loc["share_below", "passed"]:
            sure = self.tables["priorities"]["p_first"].max() >= SURE
            named = {"competency": self._name(widest(self.tables))}
            weighs = words("“{competency}” is the gap that weighs most", **named)
            gap = weighs if sure else words("“{competency}” is among the gaps that weigh most", **named)
            plan = plan_facts(self.tables) if claims["passed"].get("plan", False) else {}
            if not plan.get("feasible", 1):
                return words("{unit}: {finding}; no plan keeps all rules", unit=unit, finding=gap)
            if plan.get("spend", 0) == 0:
                return words("{unit}: {finding}", unit=unit, finding=gap)
            return words(
                "{unit}: {finding}; {money} would close {share} of the shortfall",
                unit=unit,
                finding=gap,
                money=words.money(plan["spend"]),
                share=words.percent(plan["closed_share"]),
            )
        if "gaps" in self.tables and self.facts.scale == "score" and "gaps" not in self.facts.stopped:
            below = self.tables["gaps"].query("by == 'all' and statistic == 'share_below'")
            worst = below.sort_values(["estimate", "competency_id"], ascending=[False, True]).iloc[0]
            if pd.isna(worst["estimate"]):
                return words("{unit}: kinds of staff, and how sure we are", unit=unit)
            finding = words(
                "{share} test below what their occupation requires in {competency}",
                share=words.share(worst["estimate"]),
                competency=self._name(worst["competency_id"]).lower(),
            )
            return words("{unit}: {finding}", unit=unit, finding=finding)
        return words("{unit}: kinds of staff, and how sure we are", unit=unit)

    def _sub(self):
        words, facts = self.words, self.facts
        parts = []
        if facts.staff is not None:
            parts.append(words("{staff} staff in {agencies} agencies", staff=words.number(facts.staff),
                               agencies=words.number(facts.agencies)))  # fmt: skip
        elif facts.scale == "levels" and not facts.published:
            parts.append(words("no register: the figures speak for those who answered"))
        if facts.published:
            parts.append(words("published figures; no microdata"))
        elif facts.response_rate is None and facts.staff:
            parts.append(words("{answered} answered, {rate} of staff", answered=words.number(facts.answered),
                               rate=words.percent(facts.answered / facts.staff)))  # fmt: skip
        elif facts.response_rate is not None and facts.response_rate < 1:
            parts.append(words("{answered} answered ({rate})", answered=words.number(facts.answered),
                               rate=words.percent(facts.response_rate)))  # fmt: skip
        else:
            parts.append(words("{answered} respondents", answered=words.number(facts.answered)))
        if facts.calibrated:
            parts.append(words("calibrated to the register"))
        if facts.scale != "share":
            scored = facts.scale == "score"
            parts.append(words("tested, 0 to 500 points") if scored else words("levels 0 none to 4 expert"))
        return "\u00a0· ".join(parts if facts.published else [*parts, words("intervals are 95%")])

    def claims(self):
        """The first claims, the withheld ones in their place."""
        shown = self.claims_table[self.claims_table["section"] == "claims"]
        return pages.claims([self._said(claim) for claim in shown.head(FIRST).itertuples()], words=self.words)

    def more_claims(self):
        """The claims after the first ones."""
        shown = self.claims_table[self.claims_table["section"] == "claims"].iloc[FIRST:]
        if shown.empty:
            return None
        return pages.claims([self._said(claim) for claim in shown.itertuples()], words=self.words)

    def _said(self, claim):
        say = partial(self.words.say, values=claim.numbers)
        return {
            "number": say(claim.number),
            "sentence": say(claim.sentence),
            "certainty": say(claim.certainty),
            "hot": claim.hot,
            "held": not claim.passed,
            "unlock": say(claim.unlock),
        }

    def _name(self, competency):
        return self.words.label("competency_id", competency)

    def _stopped(self, kind):
        """Why a kind of finding is not shown; None where its data can carry it."""
        reason = self.facts.stopped.get(kind)
        if reason is None:
            return None
        return pages.notice(f"{self.words('Withheld')}: {self.words.say(reason['value'], reason['values'])}")

    def gaps(self):
        """Level now against level required, the widest first; of published figures what they tell."""
        if self.facts.published and "means" not in self.tables:
            return None  # indicators only
        if self.facts.published:
            return self._stopped("means") or published_sections(self.tables, self.facts, self.words)
        if self._stopped("gaps"):
            return self._stopped("gaps")
        if "gaps" not in self.tables:
            return pages.notice(self.words("No gaps are shown: this unit has no requirements by role."))
        if self.facts.scale == "score":
            return self._tested()
        words, table = self.words, self.gap_table()
        widest_two = table["label"].tolist()[:2]
        number = self.tables["gaps"]["competency_id"].nunique()
        dek = words(
            "Level now (dot, on its interval) and level required (bar), mean over staff; at the right what those "
            "below their requirement lack, spread over all staff; the {shown} widest of {all}",
            shown=words.number(len(table)),
            all=words.number(number),
        )
        first = table.iloc[0]
        sentence = words(
            "“{competency}” stands at {level} where {required} is required.",
            competency=first["label"],
            level=words.number(first["level"], 1),
            required=words.number(first["required"], 1),
        )
        title = words("“{first}” and “{second}” trail furthest behind", first=widest_two[0], second=widest_two[1])
        return pages.section(title, dek, self._figure(figures.gap_figure, table, title), sentence)

    def gap_table(self):
        """Finished table of the widest gaps: code, label, level, ci_low, ci_high, required, gap, hot."""
        gaps = self.tables["gaps"].query("by == 'all'")
        short = gaps[gaps["statistic"] == "shortfall"].set_index("competency_id")["estimate"]
        table = self._gap_table(gaps, "competency_id")
        table["gap"] = -table["code"].map(short).round(2)
        table = table.sort_values(["gap", "code"]).head(SHOWN).reset_index(drop=True)
        return table.assign(hot=table.index < HOT)

    def _gap_table(self, gaps, names):
        wide = gaps.pivot_table(index=names, columns="statistic", values="estimate", dropna=False)
        limits = gaps[gaps["statistic"] == "level"].set_index(names).filter(["ci_low", "ci_high", "truth"])
        digits = 0 if self.facts.scale == "score" else 2
        table = wide[["level", "required"]].join(limits).round(digits)
        table = table.assign(gap=table["level"] - table["required"], hot=False)
        table = table.rename_axis("code").reset_index()
        return table.assign(label=[self.words.label(names, code) for code in table["code"]])

    def _tested(self):
        parts = []
        for by in self.facts.by:
            for competency in sorted(self.tables["gaps"]["competency_id"].unique()):
                parts.append(self._tested_by(by, competency))
        return pages.join(parts)

    def _tested_by(self, by, competency):
        words = self.words
        rows = self.tables["gaps"].query("by == @by and competency_id == @competency and not withheld")
        table = self._gap_table(rows.rename(columns={"group": by}), by).sort_values("label", key=self.words.alphabet)
        below = rows[rows["statistic"] == "share_below"].set_index("group")["estimate"]
        table["note"] = [words.share(below[code]) for code in table["code"]]
        name, column = self._name(competency), words(COLUMNS.get(by, by))
        low, high = table["level"].min(), table["level"].max()
        title = words(
            "{competency}: mean scores by {column} run from {low} to {high}",
            competency=name,
            column=column,
            low=words.number(low),
            high=words.number(high),
        )
        dek = words(
            "Mean score (dot, on its interval) and the score that 95% of well-matched people in the same occupations "
            "reach (bar), over people whose occupation has such a score; at the right the share below it. In "
            "alphabetical order; groups of fewer than {n} respondents are withheld",
            n=words.number(self.facts.threshold),
        )
        figure = self._figure(figures.gap_figure, table, title, scale="score")
        return pages.section(title, dek, figure, self._without_requirement(by, competency))

    def _without_requirement(self, by, competency):
        derived = self.tables["derived_requirements"]
        lacking = derived[derived["required_level"].isna() & (derived["competency_id"] == competency)]
        if by != self.facts.role or lacking.empty:
            return ""
        names = format_list([self.words.label(by, code) for code in lacking["role_id"]], locale=self.words.locale)
        return self.words("Without requirement, as too few are well matched: {names}.", names=names)

    def groups(self):
        """Which groups need most, in three tiers, for each split."""
        if "needs" not in self.tables:
            return None
        if self._stopped("needs"):
            return self._stopped("needs")
        splits = self.tables["needs"].groupby("by", sort=False)
        told = [by for by, groups in splits if len(groups) > 1 and not groups["withheld"].all()]
        needs = self.tables["needs"]
        return pages.join([needs_section(needs[needs["by"] == by], self.words) for by in told]) if told else None

    def needs_table(self, by=None):
        """Finished table of need by agency (or another split): tier, label, estimate, ci_low, ci_high."""
        needs = self.tables["needs"]
        return needs_table(needs[needs["by"] == (by or needs["by"].iloc[0])], self.words)

    def readiness(self):
        """Pillars of AI readiness against their floors; None where there are no indicators."""
        if "readiness" not in self.tables:
            return None
        return self._stopped("readiness") or readiness_section(self.tables["readiness"], self.words)

    def profiles(self):
        """The kinds of staff found, how large, at which levels, what each is like, and where."""
        if "profiles" not in self.tables:
            return None  # a claim says what would unlock them
        if self._stopped("profiles"):
            return self._stopped("profiles")
        return profile_sections(self.tables, self.facts, self.words)

    def profile_table(self, detail="group"):
        """Finished table of profiles by group of competencies or by competency, as `level_table` gives it."""
        return level_table(self.tables, words=self.words, detail=detail, given=self.facts.names)

    def share_table(self, by="agency_id"):
        """Finished table of the share of each profile in each group of staff, as `share_table` gives it."""
        return share_table(self.tables, by, words=self.words, given=self.facts.names)

    def no_plan(self):
        """Why there is no plan, and what would make one."""
        if "plan_summary" in self.tables:
            return None
        return pages.notice(
            self.words(
                "There is no plan. To make one, this unit lacks: {missing}.",
                missing=format_list([self.words(name) for name in self.facts.plan_lacks], locale=self.words.locale),
            )
        )

    def frontier_table(self):
        """Finished table of budgets, as `plan_section.frontier_table` gives it."""
        return frontier_table(self.tables)

    def plan(self):
        """What the plan costs and closes, and its frontier, or why no plan keeps all rules; None without a plan."""
        if "plan_summary" not in self.tables:
            return None
        claim = self.claims_table.set_index("claim_id").loc["plan"]
        said = self._said(claim)
        if not claim["passed"]:
            return pages.notice(f"{self.words('Withheld')}: {said['sentence']} {said['unlock']}")
        return plan_panel(self.tables, said, self.words)

    def plan_sections(self):
        """Who learns where, what rules cost, how sure the plan is; None where there is no plan or it is withheld."""
        return plan_sections(self.tables, self.words) if self._plan_told() else None

    def plan_workbook(self):
        """The plan as an Excel workbook, as bytes; None where there is no plan or it is withheld."""
        if not self._plan_told():
            return None
        said = self._said(self.claims_table.set_index("claim_id").loc["plan"])
        return plan_workbook(self.tables, self.words, title=self.title, said=said, threshold=self.facts.threshold)

    def _plan_told(self):
        return self.claims_table.set_index("claim_id")["passed"].get("plan", False)

    def sources(self):
        """Where published figures are from; None where the answers themselves were given."""
        return source_section(self.facts.sources, self.words) if self.facts.published else None

    def foot(self):
        """How sure, what was mapped, what was withheld, what this is not."""
        return foot.foot(self.release, self.facts, self.words)

    def _figure(self, draw, table, alt, *, widths=(660, 350), **options):
        return figure_html(partial(draw, table, words=self.words, **options), alt=alt, widths=widths)


