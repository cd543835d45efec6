"""The stages of a unit, each a few lines from tables to tables; `unit` loads what is kept already."""

import re

import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.aggregates import published_gaps, published_means
from skillsgap.estimate.gaps import group_needs, required_levels, skill_gaps, tested_gaps
from skillsgap.estimate.priorities import rank_priorities
from skillsgap.estimate.readiness import readiness as readiness_scores
from skillsgap.estimate.requirements import derive_requirements
from skillsgap.estimate.survey.design import SurveyDesign, replicate_design, survey_design
from skillsgap.estimate.survey.margins import register_margins
from skillsgap.estimate.survey.means import design_means, group_means
from skillsgap.estimate.survey.weighting import calibrate, calibration_diagnostics
from skillsgap.run.measurement import (
    comparable_levels,
    comparable_scores,
    measurement,
    scores,
    weighted_mean,
)
from skillsgap.run.plans import plan
from skillsgap.run.profiles import profiles
from skillsgap.study.quality import assess_quality
from skillsgap.study.records import read_study
from skillsgap.study.relations import ROLE


def study(unit):
    """Validated tables."""
    return read_study(unit.params, data=unit.data).tables()


def quality(unit):
    """How good the data are, by table and dimension."""
    rules = {name: unit.values["disclosure"][name] for name in ("threshold", "rounding")}
    return {"quality": assess_quality(unit.study, reference_year=reference_year(unit.values), **rules)}


def reference_year(values):
    """The year the unit's numbers are of: the last that study.years names."""
    named = re.findall(r"\d{4}|(?<=/)\d{2}", values["study"]["years"])
    whole = [int(year) if len(year) == 4 else int(named[0][:2] + year) for year in named]
    return max(whole, default=None)


def design(unit):
    """Weights and replicates, each calibrated to the register."""
    responses, options = unit.table("responses"), unit.values["design"]
    if responses is None:
        return {}
    base, changed = base_design(responses, unit.table("replicate_weights"), unit.values), None
    made = base
    if unit.table("register") is not None and options["calibrate"]:
        counts = register_margins(unit.table("register"), options["calibrate"])
        made = calibrate(base, responses, counts, bounds=options["bounds"])
        changed = calibration_diagnostics(base, made, responses, counts)
    replicates = pd.DataFrame(made.replicate_weights, index=made.weights.index)
    replicates.columns = [f"r{i}" for i in range(replicates.shape[1])]
    facts = pd.DataFrame({"replicate": replicates.columns, "scale": made.scales, "method": made.method,
                          "degf": made.degf, "centre": made.centre})  # fmt: skip
    return {"weights": made.weights.to_frame().join(replicates), "design_facts": facts, "representativity": changed}


def base_design(responses, came, values, *, method="bootstrap"):
    """The design before calibration, from replicate weights that came or from how the respondents were drawn.

    Raises
    ------
    EstimateError
        No variance can be told: a sampling unit is alone in its stratum, or all of them are taken to add nothing.
    """
    options = values["design"]
    if came is not None:
        made = replicate_design(responses["weight"], came, method=values["data"]["responses"]["replicates"])
        if made.degf < 1:
            raise EstimateError("the replicate weights are all alike, so no variance can be told: send those that "
                                "were made, or drop data.responses.replicate_weights")  # fmt: skip
        return made
    made = survey_design(responses, n_replicates=options["n_replicates"], lonely_psu=options["lonely_psu"],
                         method=method, random_state=values["random_state"])  # fmt: skip
    if made.degf < 1:
        raise EstimateError("no stratum has two sampling units, so no variance can be told: merge strata, or set "
                            "design.lonely_psu to collapse")  # fmt: skip
    return made


def lonely_strata(responses, came, values):
    """Number of strata with one sampling unit of several, and what is done about them."""
    if responses is None or came is not None or values["design"]["lonely_psu"] == "fail":
        return 0, "fail"
    first = survey_design(responses, method="linearization", lonely_psu="certainty").linearization.stages[0]
    return int(((first.sampled == 1) & (first.fraction < 1)).sum()), values["design"]["lonely_psu"]


def read_design(unit):
    """The stored design; `weights` holds the full sample and every replicate."""
    weights, facts = unit.table("weights"), unit.table("design_facts")
    degf, method, centre = facts[["degf", "method", "centre"]].iloc[0]
    replicates = weights[facts["replicate"]].to_numpy()
    return SurveyDesign(weights["weight"], replicates, facts["scale"].to_numpy(), int(degf), method, centre)


def means(unit):
    """Mean level of each competency, mean tested proficiency of the population, or what was published."""
    if unit.table("responses") is None:
        published = unit.table("aggregates")
        return {} if published is None else {"means": published_means(published, headcounts=_published_staff(unit))}
    inside = unit.population
    values, here = tested(unit, inside), unit.design.subset(inside)
    basis = None if values else unit.calibrated.facts
    calibrated = basis is not None and (basis["basis"] == "tested").any()
    tables = []
    for by, groups in _splits(unit, inside).items():
        measured = values or (comparable_levels(unit, by) if calibrated else [comparable_scores(unit, by)[inside]])
        tables.append(design_means(measured, here, by=groups).assign(by=by))
    return {"means": pd.concat(tables, ignore_index=True), "level_basis": basis}


def _published_staff(unit):
    """Head-count by role, over all staff and in each group that figures were published for; None without a register."""
    register = unit.table("register")
    if register is None:
        return None
    splits = [by for by in unit.table("aggregates")["by"].unique() if by in register and by not in ROLE]
    tables = [register.assign(by="all", group="all")] + [register.assign(by=by, group=register[by]) for by in splits]
    return pd.concat(tables).groupby(["by", "group", *ROLE], sort=True)["headcount"].sum().reset_index()


def tested(unit, inside):
    """Plausible values as a list of frames, one column a competency; empty where nothing was tested."""
    values = unit.table("plausible_values")
    if values is None:
        return []
    names = sorted({column.rpartition(".")[0] for column in values})
    count = len(values.columns) // len(names)
    return [pd.DataFrame({name: values.loc[inside, f"{name}.{i + 1}"] for name in names}) for i in range(count)]


def gaps(unit):
    """Shortfalls by group and competency, and which groups need most."""
    if unit.table("responses") is None:
        return _published_gaps(unit)
    if unit.table("requirements") is not None:
        return _level_gaps(unit)
    if "derive" in unit.values["data"].get("requirements", {}):
        return _tested_gaps(unit)
    return {}


def _published_gaps(unit):
    published, needed = unit.table("aggregates"), unit.table("requirements")
    if published is None or needed is None:
        return {}
    table = published_gaps(published, needed, headcounts=_published_staff(unit))
    return {"gaps": table} if len(table) else {}


def required(unit, value="required_level"):
    """What each respondent's role requires, or how important that is."""
    people, names = unit.table("responses")[unit.population], list(unit.table("scores"))
    asked = required_levels(people, unit.table("requirements"), names) > 0  # METHODS: gaps are over R > 0
    return required_levels(people, unit.table("requirements"), names, value=value).where(asked)


def _splits(unit, inside):
    responses = unit.table("responses")[inside]
    return {"all": None} | {by: responses[by] for by in unit.values["gaps"]["by"]}


def _level_gaps(unit):
    inside = unit.population
    here = unit.design.subset(inside)
    needed, importance = required(unit), required(unit, "importance")
    tables, needs = [], []
    for by, groups in _splits(unit, inside).items():
        draws, measured = comparable_levels(unit, by), comparable_scores(unit, by)[inside]
        tables.append(skill_gaps(draws, needed, here, by=groups, raw=measured).assign(by=by))
        if groups is not None:
            short = _against_all([_mean_shortfall(draw, needed, importance) for draw in draws], here)
            each = design_means(short, here, by=groups)
            asked = each["n"] > 0  # a group of which nothing is required has no need
            needs.append(group_needs(each[asked].drop(columns="variable").reset_index(drop=True), by))
    made = {"gaps": pd.concat(tables, ignore_index=True)}
    return made | ({"needs": pd.concat(needs, ignore_index=True)} if needs else {})


def _mean_shortfall(levels, required, importance):
    """Importance-weighted mean shortfall of each respondent over the competencies their role asks for."""
    short = (required - levels).clip(lower=0)
    counted = importance.where(short.notna())
    return ((short * counted).sum(axis=1) / counted.sum(axis=1)).to_frame("shortfall")


def _against_all(draws, design):
    """Draws moved to one common mean: what moves everybody alike can't change how groups compare."""
    means = [weighted_mean(draw, design) for draw in draws]
    return [draw - mean + sum(means) / len(means) for draw, mean in zip(draws, means, strict=True)]


def _tested_gaps(unit):
    options = unit.values["data"]["requirements"]["derive"]
    roles, everyone = unit.table("responses")[options["role"]], pd.Series(True, unit.design.weights.index)
    by_competency = _by_competency(tested(unit, everyone))
    needed = derive_requirements(
        by_competency,
        roles,
        unit.table("responses")["well_matched"],
        unit.design,
        quantile=options.get("quantile", 0.05),
        minimum=options.get("minimum", 10),
        exclude=options.get("exclude", ()),
    )
    inside = unit.population
    here, values = unit.design.subset(inside), _by_competency(tested(unit, inside))
    tables = [
        tested_gaps(values, roles[inside], needed, here, by=groups).assign(by=by)
        for by, groups in _splits(unit, inside).items()
    ]
    return {"gaps": pd.concat(tables, ignore_index=True), "derived_requirements": needed}


def _by_competency(draws):
    return {name: [draw[name] for draw in draws] for name in draws[0]}


def priorities(unit):
    """Which competencies come first: shortfall × importance × head-count."""
    if unit.table("requirements") is None or unit.table("responses") is None:
        return {}
    here, options = unit.design.subset(unit.population), unit.values["priorities"]
    needed, importance = required(unit), required(unit, "importance")
    short = [(needed - draw).clip(lower=0) for draw in unit.levels]
    asked = (needed > 0).mul(here.weights, axis=0)
    return {
        "priorities": rank_priorities(
            group_means(short, here),
            here,
            (importance * asked).sum() / asked.sum(),
            asked.sum(),
            top=options["top"],
            factors=options["factors"],
            random_state=unit.values["random_state"],
        )
    }


def readiness(unit):
    """Pillars of AI readiness and their means, where a unit declares indicators."""
    if unit.table("indicators") is None:
        return {}
    options, seed = unit.values["readiness"], unit.values["random_state"]
    return {"readiness": readiness_scores(unit.table("indicators"), **options, random_state=seed)}


# each stage, and the tables it makes; a table that isn't there stays away
STAGES = {
    study: ("competencies", "items", "responses", "register", "requirements", "aggregates", "indicators",
            "courses", "course_effects", "agencies", "costs", "able", "replicate_weights", "plausible_values", "labels",
            "facts", "sources", "columns", "notes", "mapped"),
    quality: ("quality",),
    design: ("weights", "design_facts", "representativity"),
    scores: ("scores",),
    measurement: ("reliability", "self_report", "dif", "group_reliability", "careless"),
    means: ("means", "level_basis"),
    profiles: ("selection", "profiles", "profile_answers", "posterior", "certainty", "stability", "hr_outcomes",
               "hr_comparison", "cells", "headcounts", "cohorts", "shortfalls", "cohort_groups"),
    gaps: ("gaps", "needs", "derived_requirements"),
    priorities: ("priorities",),
    readiness: ("readiness",),
    plan: ("allocations", "plan_options", "plan_courses", "plan_agencies", "plan_tiers", "plan_competencies",
           "plan_groups", "plan_rules", "plan_prices", "plan_stability", "plan_conflict", "recommendations", "frontier",
           "plan_summary"),
}  # fmt: skip
