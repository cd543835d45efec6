"""Last lines of a report: how sure it is, what was mapped, what was withheld, and what it is not."""

import numpy as np

from skillsgap.publish import pages
from skillsgap.publish.disclosure import Rules
from skillsgap.publish.gates import table_name
from skillsgap.publish.naming import column_name, value
from skillsgap.publish.plan_words import plan_facts
from skillsgap.wording import N_

# what is done about strata with one sampling unit, by design.lonely_psu
LONELY = {
    "collapse": N_("Strata with one sampling unit: {n}, each joined with the next."),
    "certainty": N_("Strata with one sampling unit: {n}, taken to add no sampling error."),
}
NAMED = 6  # competencies that a sentence names; more of them are counted only
# where self-ratings stand beside what an assessor found, by the sign of a difference whose interval is clear of 0
STAND = {
    1: N_("Their self-ratings stand {size} levels above what the assessor found ({low} to {high})."),
    -1: N_("Their self-ratings stand {size} levels below what the assessor found ({low} to {high})."),
    0: N_("Their self-ratings stand neither clearly above nor clearly below what the assessor found ({low} to {high} "
          "levels)."),
}
UNCORRECTED = {
    1: N_("Levels and gaps here are not corrected for it: gaps are probably wider than shown."),
    -1: N_("Levels and gaps here are not corrected for it: gaps are probably narrower than shown."),
}


def foot(release, facts, words):
    """The last lines of a report.

    Parameters
    ----------
    release : Release
    facts : Facts
    words : Words

    Returns
    -------
    Html
    """
    sure = _published(words) if facts.published else _estimated(release.tables, facts, words)
    sure += _alike(release.tables, facts, words)
    sure += " " + words("None contains the bias that arises if those who did not answer differ.")
    if facts.self_reported:
        levels = facts.scale == "levels"
        sure += " " + (_rated(facts, words) if levels else words("The figures are self-reported."))
        sure += _assessed(release.tables, facts, words) if levels else ""
    sure += _left_out(facts, words)
    parts = [(words("How sure are we"), sure), (words("What was withheld"), _withheld(release, facts, words))]
    if facts.mapped is not None and len(facts.mapped):
        rows = facts.mapped.sort_values(["table", "column"]).itertuples()
        parts.append((words("How codes were mapped"), " ".join(_mapped(row, words) for row in rows)))
    nothing = words("An assessment of any person, or a ranking of agencies or countries.")
    parts.append((words("What this is not"), nothing))
    if facts.fictional:
        invented = words("Country, people and figures are invented; the data are synthetic.")
        parts.append((words("Fictional"), invented))
    if words.lang == "uz":
        parts.append((words("Language"), words("The Uzbek text awaits review by a native speaker.")))
    return pages.foot(parts)


def _alike(tables, facts, words):
    """Whether answers count alike although a register could tell whom there are too few of."""
    if facts.published or facts.staff is None or facts.calibrated or "means" not in tables:
        return ""
    there = tables["means"][["n", "n_eff"]].dropna().astype(float)
    # as many effective answers as answers: no weight differs from another
    alike = len(there) and np.allclose(there["n_eff"], there["n"])
    return " " + words("Answers were not weighted to the register: each counts alike.") if alike else ""


def _published(words):
    return words("The figures are printed as they were published, with the interval that was published or follows from "
                 "the published standard error; where neither was published, none is shown.")  # fmt: skip


def _estimated(tables, facts, words):
    sure = words(
        "Intervals of levels and gaps come from {replicates} replicates of the sample and contain sampling and "
        "measurement error; those of profiles contain sampling error.",
        replicates=words.number(facts.replicates),
    )
    n, done = facts.lonely
    if n:
        sure += " " + words(LONELY[done], n=words.number(n))
    if "headcounts" in tables:
        sure += " " + words("Those of head-counts contain the model’s error too.")
    if "plan_summary" in tables and plan_facts(tables).get("feasible", 1):
        sure += " " + words("Those of the plan contain only what is uncertain about courses.")
    return sure


def _rated(facts, words):
    """Whose levels the figures are: people's own, or theirs brought to what an assessor found."""
    if not facts.bases.get("tested"):
        return words("Levels are self-reported.")
    said = words("Levels are self-rated and calibrated to what an assessor found; profiles are formed on self-ratings.")
    if facts.bases.get("transferred"):
        others, everything = (words.number(n) for n in (facts.bases["transferred"], sum(facts.bases.values())))
        said += " " + words("In {others} of {all} competencies nobody was assessed: they are corrected as the "
                            "assessed ones are, and their intervals are wider for it.",
                            others=others, all=everything)  # fmt: skip
    return said


def _left_out(facts, words):
    """Questions that groups of one level answer differently, by the comparison that they are left out of."""
    said = ""
    for by, (n, whole, apart) in facts.uneven.items():
        if n:
            said += " " + words.say(
                N_("Questions that {column} answer differently although they stand at the same level: {n} of {all}, "
                   "left out of the comparison."),
                {"column": column_name(by), "n": value("number", n), "all": value("number", whole)})  # fmt: skip
        if apart:
            sentence = N_("Not comparable between {column}, for want of other questions: {n} competencies.")
            if len(apart) <= NAMED:
                sentence = N_("Not comparable between {column}, for want of other questions: {names}.")
            names = {"kind": "labels", "table": "competency_id", "value": list(apart)}
            said += " " + words.say(sentence, {"column": column_name(by), "n": value("number", len(apart)),
                                               "names": names})  # fmt: skip
    return said


def _assessed(tables, facts, words):
    """What an assessor found of some respondents, and, where levels aren't calibrated to it, what that does to gaps."""
    table = tables.get("self_report")
    if table is None or table["withheld"].iloc[-1]:
        return ""
    whole = table.set_index("competency_id").loc["all"]
    limits = whole[["ci_low", "ci_high"]].astype(float).round(2)  # as printed: a limit of 0.00 is not clear of 0
    side = int(np.sign(limits).sum() / 2)
    low, high = sorted(limits.abs() if side else limits)
    said = words("An assessor also tested {n} respondents, in {tested} of {all} competencies.",
                 n=words.number(whole["n"]), tested=words.number(len(table) - 1),
                 all=words.number(tables["means"]["variable"].nunique()))  # fmt: skip
    said += " " + words(STAND[side], size=words.number(abs(whole["estimate"]), 2), low=words.number(low, 2),
                        high=words.number(high, 2))  # fmt: skip
    if side and not facts.bases.get("tested"):
        said += " " + words(UNCORRECTED[side])
    return f" {said}"


def _withheld(release, facts, words):
    rules = release.rules
    withheld = words(
        "{withheld} of {figures} figures rest on fewer than {threshold} people. Head-counts are rounded to "
        "{rounding}. Protection: {protection}.",
        withheld=words.number(release.withheld),
        figures=words.number(release.figures),
        threshold=words.number(rules.threshold),
        rounding=words.number(rules.rounding),
        protection=words(release.protection),
    )
    if facts.published:
        withheld += " " + words("Figures published without a number of respondents are printed as published.")
    withheld += _unasked(release.tables, facts.optional, words)
    usual = Rules().threshold
    if rules.threshold < usual:
        withheld += " " + words("This unit lowered the threshold from {usual}.", usual=words.number(usual))
    return withheld


def _unasked(tables, optional, words):
    """How many competencies of the list nobody was asked about, besides those that are optional."""
    if not {"competencies", "means"} <= set(tables):
        return ""
    asked = set(tables["means"]["variable"])
    listed = set(tables["competencies"]["competency_id"]) - (optional - asked)
    lacking = len(listed - asked)
    said = words("Competencies without a question, and so without a figure: {n} of {all}.", n=words.number(lacking),
                 all=words.number(len(listed)))  # fmt: skip
    return f" {said}" if lacking else ""


def _mapped(row, words):
    sentence = N_("{table}, {column}: through “{crosswalk}”, which has no counterpart for {unmapped} and loses {loss} "
                  "of the rest on average.")
    return words.say(sentence, {
        "table": table_name(row.table), "column": column_name(row.column), "crosswalk": value("text", row.crosswalk),
        "unmapped": value("percent", row.unmapped), "loss": value("percent", row.loss),
    })  # fmt: skip
