"""What every table must look like: columns, types, units, levels, and whom they could identify.

The contracts are plain data, so that asking about a column costs no import; `check` turns one into a
pandera schema and gives back every failure of the table at once.
"""

from dataclasses import dataclass, field
from functools import lru_cache

LEVELS = (0.0, 4.0)  # 0 none, 1 awareness, 2 working, 3 practitioner, 4 expert
GROUPS = ("digital", "data", "ai", "genai", "agentic", "oversight", "security", "procurement", "leadership", "attitude")
TIERS = ("basic", "practitioner", "champion", "procurement", "senior_strategy")
OPEN = ("group", "tier")  # columns whose codes are ours, and those that params name in labels
ITEM_TYPES = ("anchored", "tested", "frequency", "knowledge", "judgement", "supervisor", "importance",
              "required_level", "barrier", "interest", "climate")  # fmt: skip
MISSING = ("skipped", "dont_know", "refused", "not_applicable", "not_stated")
PILLARS = ("proficiency", "infrastructure", "regulation")
AUDIENCES = ("everyone", "specialist", "optional")  # of a competency: who is asked about it
FORMS = ("both", "long", "optional", "assessment")  # of an item: in which forms it stands
CRITERIA = ("effectiveness", "efficiency", "safety", "data_availability")
KINDS = ("train", "redeploy", "hire", "contract")  # ways to close a gap
IMPACT = ("public_interest", "fairness", "legality", "participation")  # criteria: evidence, or "not recorded"
STATUS = ("complete", "partial", "no_response")
PUBLISHED = ("mean", "share", "level_share")  # what aggregates may hold
STATISTICS = ("level", "required", "shortfall", "shortfall_raw", "share_below")
ESTIMATE = ("estimate", "se", "ci_low", "ci_high")
ABLE = ("agency_id", "role_id", "role_level", "device_access", "language", "long", "completed")
# tables a user brings; the study hands them on linked, without ids
INPUTS = ("competencies", "descriptors", "items", "choices", "form_texts", "requirements", "register", "responses",
          "aggregates", "courses", "course_effects", "agencies", "crosswalk", "costs", "training_records",
          "indicators", "exposure", "use_cases", "pilot_outcomes")  # fmt: skip
QUALITY = ("completeness", "validity", "consistency", "uniqueness", "timeliness", "coverage")


@dataclass(frozen=True)
class Column:
    """One column: `kind` is text, number, integer or date (ISO 8601); `identifies` is no, direct, near or sensitive."""

    kind: str = "text"
    levels: tuple = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    required: bool = True
    empty: bool = False
    identifies: str = "no"


@dataclass(frozen=True)
class Contract:
    """One table: its columns, the columns that make a row unique, and whether a row is a person."""

    table: str
    columns: dict = field(default_factory=dict)
    key: tuple = ()
    person_level: bool = False


def _text(**kind):
    return Column("text", **kind)


def _number(low=None, high=None, unit="", **kind):
    return Column("number", low=low, high=high, unit=unit, **kind)


def _count(low=0, **kind):
    return Column("integer", low=low, unit=kind.pop("unit", "people"), **kind)


def _date(**kind):
    return Column("date", unit="date", **kind)


def _optional(column):
    return Column(**{**column.__dict__, "required": False, "empty": True})


def _estimates(unit=""):
    return {name: _number(unit=unit, empty=True) for name in ESTIMATE} | {
        "n": _count(unit="respondents", empty=True),
        "n_eff": _number(0, unit="respondents", empty=True),
        "uncertainty": _text(
            levels=("sampling", "sampling+measurement", "sampling+model", "sampling+effect", "effect", "method")
        ),
    }


_maybe = _optional(_text())
_near, _sensitive = (_optional(_text(identifies=how)) for how in ("near", "sensitive"))
_levels = _optional(_number(*LEVELS, "levels"))
_money = _number(0, unit="currency")
_yes_no = _text(levels=("yes", "no"))
_admin = {"admin_level": _optional(_text(levels=("central", "regional", "local")))}
_person = {
    **dict.fromkeys(("agency_id", "unit_id"), _near), **_admin,
    **dict.fromkeys(("region", "role_id", "role_level", "isco08", "grade"), _near),
    "sex": _sensitive, "age_band": _near, "disability": _sensitive, "language": _sensitive,
    "tenure_years": _optional(_number(0, 70, "years", identifies="near")), "education": _near,
    "fte": _optional(_number(0, 1.5, "full-time equivalents")),
    "hours_available": _optional(_number(0, 2000, "hours a year")), "promotion_window": _maybe, "device_access": _maybe,
    **dict.fromkeys(("hire_date", "exit_date"), _optional(_date(identifies="near"))),
}  # fmt: skip
_cell = {name: _text() for name in ("agency_id", "role_id", "role_level", "grade")}
_profile = {"profile": _count(1, unit="profile number")}
_places = {"tier": _text(empty=True), "seats": _count(1, unit="seats"), "cost": _money, "eligible": _count()}
_option = {"option_id": _text(), "kind": _text(levels=KINDS), "tier": _text(empty=True), "courses": _text(empty=True)}
_worth, _blank = _number(unit="weighted levels"), _text(empty=True)
_when, _bought = {"period": _count(unit="period, from 0")}, {"seats": _count(unit="seats"), "spend": _money,
                                                              "gap_closed": _worth}
_label = {"label_en": _text(), "label_uz": _maybe}
_texts = {"text_en": _text(), "text_uz": _maybe}

CONTRACTS = {
    contract.table: contract
    for contract in (
        Contract("competencies", {
            "competency_id": _text(), **_label, "kind": _text(levels=("technical", "non_technical")),
            "group": _text(levels=GROUPS), "unesco_domain": _maybe, "digcomp_area": _maybe, "sdg": _maybe,
            "audience": _optional(_text(levels=AUDIENCES)), "unesco_attitudes": _maybe, "definition_en": _maybe,
            "definition_uz": _maybe}, ("competency_id",)),
        # what somebody at a level of a competency can do, as they would say it
        Contract("descriptors", {
            "competency_id": _text(), "level": _count(0, high=4, unit="levels"), **_texts}, ("competency_id", "level")),
        Contract("items", {
            "item_id": _text(), "competency_id": _maybe, "type": _text(levels=ITEM_TYPES),
            "n_categories": _count(2, unit="categories"), "lowest": _optional(_count(0, unit="code")),
            "reverse": _optional(_yes_no), "key": _maybe, "cuts": _maybe, "group": _optional(_text(levels=GROUPS)),
            "form": _optional(_text(levels=FORMS)), "scale": _maybe, "filter_item": _maybe, "filter_codes": _maybe,
            "text_en": _maybe, "text_uz": _maybe}, ("item_id",)),
        # categories of a scale that items share, in the order of their codes
        Contract("choices", {"scale": _text(), "code": _count(unit="code"), **_texts}, ("scale", "code")),
        Contract("form_texts", {"text_id": _text(), **_texts}, ("text_id",)),
        Contract("requirements", {
            "role_id": _text(), "role_level": _text(), "competency_id": _text(),
            "required_level": _number(*LEVELS, "levels"), "importance": _number(1, 5, "points"),
            "mission_critical": _optional(_yes_no), "rater_id": _maybe, "source": _maybe,
        }, ("role_id", "role_level", "competency_id")),
        # a row is a person with a staff_id, or a cell of persons with its head-count
        Contract("register", {
            "staff_id": _optional(_text(identifies="direct")), "headcount": _optional(_number(0, unit="people")),
            **_person}, ("staff_id",), person_level=True),
        # a survey that is linked by cell, or to no register, needs no staff_id
        Contract("responses", {
            "staff_id": _optional(_text(identifies="direct")), "wave": _maybe,
            "status": _optional(_text(levels=STATUS)), "stratum": _maybe, "psu": _maybe,
            "fpc": _optional(_number(0, unit="units in the stratum, or fraction")),
            "fpc2": _optional(_number(0, unit="people in the unit, or fraction")),
            "weight": _optional(_number(0, unit="people")), "answer_language": _sensitive, "mode": _maybe,
            "tested": _optional(_yes_no), "date": _optional(_date()), "duration": _optional(_number(0, unit="minutes")),
            "courses_completed": _optional(_count(unit="courses", identifies="near")), "industry": _near, **_person,
        }, ("staff_id",), person_level=True),
        # what somebody has published: a mean, a share, or the share of people at a level
        Contract("aggregates", {
            "by": _text(), "group": _text(), "competency_id": _text(), "role_id": _maybe, "role_level": _maybe,
            "statistic": _text(levels=PUBLISHED), "level": _levels, "estimate": _number(), "se": _optional(_number(0)),
            "ci_low": _optional(_number()), "ci_high": _optional(_number()), "n": _optional(_count(unit="respondents")),
        }, ("by", "group", "competency_id", "role_id", "role_level", "statistic", "level")),
        Contract("courses", {
            "course_id": _text(), **_label, "tier": _text(levels=TIERS), "provider": _maybe, "mode": _maybe,
            "hours": _number(0, 2000, "hours"), "cost_per_seat": _money, "fixed_cost": _money, "currency": _text(),
            "price_year": _count(1990, unit="year"), "class_min": _optional(_count(1, unit="seats")),
            "seats_max": _optional(_count(1, unit="seats")), "languages": _maybe, "accessible": _maybe,
            "prerequisites": _maybe, "eligibility": _maybe}, ("course_id",)),
        Contract("course_effects", {
            "course_id": _text(), "competency_id": _text(), "gain": _number(0, 4, "levels", empty=True),
            "d": _optional(_number(unit="standard deviations")), "sd": _number(0, 4, "levels"),
            "evidence": _text(levels=("rct", "quasi", "prepost", "expert")),
            "half_life_months": _optional(_number(0, unit="months"))}, ("course_id", "competency_id")),
        Contract("agencies", {
            "agency_id": _text(), **_label, "hub_id": _maybe, **_admin}, ("agency_id",)),
        # a mapping of codes or of points of a scale; one that splits gives each part its weight
        Contract("crosswalk", {
            "from": _text(), "to": _text(), "weight": _optional(_number(0, 1)), "loss": _optional(_number(0, 1)),
        }, ("from", "to")),
        Contract("costs", {
            "role_id": _maybe, "agency_id": _maybe, "hour_cost": _money, "hire_cost": _optional(_money),
            "contract_cost": _optional(_money), "attrition": _optional(_number(0, 1, "a year")), "source": _maybe,
        }, ("role_id", "agency_id")),
        Contract("training_records", {
            "staff_id": _text(identifies="direct"), "course_id": _text(), "start": _optional(_date(identifies="near")),
            "end": _optional(_date(identifies="near")), "completed": _yes_no, "pre": _levels, "post": _levels,
        }, ("staff_id", "course_id", "start"), person_level=True),
        Contract("indicators", {
            "indicator_id": _text(), **_label, "pillar": _text(levels=PILLARS),
            "direction": _text(levels=("higher", "lower")), "min": _number(), "max": _number(), "value": _number(),
            "vintage": _text(), "owner": _text(), "source": _text()}, ("indicator_id",)),
        Contract("exposure", {
            "isco08": _text(), "index_id": _text(), "score": _number(0), "sd": _optional(_number(0)),
            "vintage": _text()}, ("isco08", "index_id")),
        Contract("use_cases", {
            "use_case_id": _text(), **_label, "roles": _maybe, "oversight_level": _number(*LEVELS, "levels"),
            **{name: _number(0, 5, "points") for name in CRITERIA}}, ("use_case_id",)),
        Contract("pilot_outcomes", {
            "group": _text(), "wave": _text(), "treated": _yes_no, "outcome": _number(), "n": _count(1, unit="people"),
        }, ("group", "wave")),
        # stage tables: what the chain hands from room to room
        Contract("notes", {
            "table": _text(), "file": _text(), "line": Column("integer", empty=True), "column": _text(empty=True),
            "rows": _count(unit="rows"), "text": _text(), "remedy": _text(), "values": _text(),
        }, ("table", "file", "line", "column", "text")),
        Contract("sources", {
            "table": _text(), "file": _text(), "rows": _count(unit="rows"), "kept": _count(unit="rows"),
            "as_of": _text(empty=True)}, ("table",)),
        Contract("columns", {
            "table": _text(), "column": _text(), "rows": _count(unit="rows"), "filled": _count(unit="rows"),
            **{kind: _count(unit="rows") for kind in MISSING}, "declared": Column("flag")}, ("table", "column")),
        Contract("quality", {
            "table": _text(), "dimension": _text(levels=QUALITY), "part": _text(empty=True),
            "level": _count(0, high=4, unit="quality level"), "measure": _number(empty=True), "reason": _text(),
            "values": _text()}, ("table", "dimension", "part")),
        Contract("mapped", {
            "table": _text(), "column": _text(), "crosswalk": _text(), "unmapped": _number(0, 1), "loss": _number(0, 1),
            "rows": _count(unit="rows")}, ("table", "column")),
        Contract("scores", {"row_key": _count(unit="key")}, ("row_key",), person_level=True),
        Contract("weights", {"row_key": _count(unit="key"), "weight": _number(0, unit="people")},
                 ("row_key",), person_level=True),
        # the respondents beside the register, before and after their weights were brought to it
        Contract("representativity", {
            "margin": _text(), "category": _text(), "population": _number(0, unit="people"),
            "n": _count(unit="respondents"), "share_population": _number(0, 1), "share_before": _number(0, 1),
            "share_after": _number(0, 1), "ratio": _number(0, empty=True)}, ("margin", "category")),
        Contract("reliability", {
            "scale": _text(levels=("competency", "group")), "scale_id": _text(),
            "statistic": _text(levels=("alpha", "omega")), "n_items": _count(1, unit="items"),
            **_estimates("coefficient, up to 1"),
            "why": _text(levels=("", "one item", "no variance", "nothing answered", "no factor"), empty=True),
        }, ("scale", "scale_id", "statistic")),
        Contract("group_reliability", {
            "by": _text(), "group": _text(), "variable": _text(), **_estimates("coefficient, 0 to 1"),
        }, ("by", "group", "variable")),
        # how an item's answers differ between groups of people of the same level
        Contract("dif", {
            "by": _text(), "group": _text(), "item_id": _text(), "category": _text(), "reference": _text(),
            **_estimates("log odds"), "delta_r2": _number(empty=True), "p": _number(0, 1, empty=True),
            "p_nonuniform": _number(0, 1, empty=True),
            "flag": _text(levels=("", "none", "negligible", "moderate", "large"), empty=True),
            "dropped": Column("flag"), "comparable": Column("flag"), "reason": _text(empty=True),
        }, ("by", "item_id", "category")),
        Contract("careless", {
            "measure": _text(levels=("share", "mean")), "respondents": _text(levels=("all", "without")),
            "variable": _text(), **_estimates("share, or level")}, ("measure", "respondents", "variable")),
        Contract("level_basis", {
            "competency_id": _text(), "basis": _text(levels=("tested", "transferred", "self_reported")),
            **_estimates("levels, self-rated minus calibrated")}, ("competency_id",)),
        Contract("self_report", {
            "competency_id": _text(), **_estimates("levels, self-rated minus assessed")}, ("competency_id",)),
        Contract("means", {
            "by": _text(), "group": _text(), "variable": _text(), **_estimates("scale of the test"),
        }, ("by", "group", "variable")),
        Contract("selection", {
            "n_profiles": _count(1, unit="profiles"), "loglik": _number(), "n_parameters": _count(), "aic": _number(),
            "aic3": _number(), "bic": _number(), "sabic": _number(), "wolfe": _number(),
            "entropy": _number(0, 1, empty=True), "smallest_share": _number(0, 1), "average_posterior": _number(0, 1),
            "starts_reached": _count(unit="starts"), "blrt_p": _number(0, 1, empty=True), "near_tie": Column("flag"),
            "recommended": Column("flag")}, ("n_profiles",)),
        Contract("profiles", {
            **_profile, "variable": _text(), "statistic": _text(levels=("share", "level", "mean")),
            **_estimates("share, level or unit of the variable")}, ("profile", "variable", "statistic")),
        Contract("profile_answers", {
            **_profile, "variable": _text(), "statistic": _text(levels=("probability",)), "category": _text(),
            **_estimates("share of the profile")}, ("profile", "variable", "category")),
        # how clearly people belong to one profile: the largest of their memberships, in bins
        Contract("certainty", {
            "bin_low": _number(0, 1), "bin_high": _number(0, 1), "share": _number(0, 1),
            "n": _count(unit="respondents")}, ("bin_low",)),
        Contract("stability", {
            "profile": _count(0, unit="profile number, 0 for all"), "statistic": _text(),
            **{name: _number(-1, 1) for name in ESTIMATE}, "n_draws": _count(2, unit="draws"),
            "verdict": _text(levels=("", "stable", "uncertain", "not interpreted"))}, ("profile", "statistic")),
        Contract("hr_outcomes", {
            "outcome": _text(), "statistic": _text(levels=("mean", "proportion")), "category": _text(empty=True),
            **_profile, **_estimates("unit of the indicator"), "p": _number(0, 1, empty=True),
            "n_missing": _count(unit="respondents")}, ("outcome", "statistic", "category", "profile")),
        Contract("hr_comparison", {
            "statistic": _text(), "of": _text(levels=("first", "second", "both")), **_estimates(),
        }, ("statistic", "of")),
        Contract("cells", {**_cell, **_profile, "headcount": _number(0, unit="people")},
                 (*_cell, "profile")),
        Contract("headcounts", {"by": _text(), "group": _text(), **_profile, **_estimates("people")},
                 ("by", "group", "profile")),
        Contract("cohorts", {
            "cohort_id": _text(), **_cell, **_profile, "need_band": _text(levels=("low", "mid", "high")),
            "headcount": _count(1)}, ("cohort_id",)),
        # which part of a cohort are women, live in a region, ...: what equity of a plan is told by
        Contract("cohort_groups", {
            "cohort_id": _text(), "by": _text(), "group": _text(identifies="sensitive"), "share": _number(0, 1 + 1e-9),
        }, ("cohort_id", "by", "group")),
        Contract("shortfalls", {
            "role_id": _text(), "role_level": _text(), **_profile, "need_band": _text(levels=("low", "mid", "high")),
            "competency_id": _text(), "shortfall": _number(*LEVELS, "levels"), "share": _number(0, 1 + 1e-9),
        }, ("role_id", "role_level", "profile", "need_band", "competency_id", "shortfall")),
        # staff by what a course may ask of a person besides their cohort; "" where the register doesn't tell
        Contract("able", {
            **{name: _text() for name in ABLE}, "headcount": _number(0, unit="people")}, ABLE),
        Contract("gaps", {
            "by": _text(), "group": _text(), "competency_id": _text(), "statistic": _text(levels=STATISTICS),
            **_estimates("levels, share, or scale of the test")}, ("by", "group", "competency_id", "statistic")),
        Contract("derived_requirements", {
            "role_id": _text(), "competency_id": _text(), "plausible_value": _count(1, unit="plausible value"),
            "replicate": _count(unit="replicate"), "required_level": _number(unit="scale of the test", empty=True),
            "n": _count(unit="respondents")}, ("role_id", "competency_id", "plausible_value", "replicate")),
        Contract("priorities", {
            "competency_id": _text(), "shortfall": _number(0), "importance": _number(0, 5),
            "headcount": _number(0, unit="people"), **_estimates("weighted levels of all its staff"),
            "p_top": _number(0, 1), "p_first": _number(0, 1), "tier": _text(levels=("first", "next", "later")),
        }, ("competency_id",)),
        Contract("needs", {
            "by": _text(), "group": _text(), **_estimates("levels, or scale of the test"),
            "tier": _text(levels=("most", "between", "least"))}, ("by", "group")),
        Contract("allocations", {
            "cohort_id": _text(), "option_id": _text(), "seats": _count(1, unit="seats"), "cost": _money,
            "gap_closed": _worth, "reached": _number(unit="people")}, ("cohort_id", "option_id")),
        Contract("plan_options", {**_option, **_when, **_bought}, ("option_id",)),
        Contract("plan_courses", {
            "course_id": _text(), "tier": _blank, "provider": _blank, **_when, **_bought}, ("course_id", "period")),
        Contract("plan_agencies", {"agency_id": _text(), "course_id": _text(), **_places}, ("agency_id", "course_id")),
        Contract("plan_tiers", {"agency_id": _text(), **_places}, ("agency_id", "tier")),
        Contract("plan_competencies", {
            "competency_id": _text(), "closed": _number(), "need": _number(0), "reached": _number(unit="people"),
            "below": _number(0, unit="people")}, ("competency_id",)),
        Contract("plan_groups", {
            "by": _text(), "group": _text(), "staff": _number(0, unit="people"), "seats": _number(0, unit="seats"),
            "gap_closed": _worth, "need": _worth}, ("by", "group")),
        # how far each rule of the plan is used, and what one more unit of what it limits is worth
        Contract("plan_rules", {
            "rule_id": _text(), "family": _text(), "sense": _text(), "measure": _text(),
            **dict.fromkeys(("attained", "limit"), _number(empty=True)), "binding": Column("flag"),
            "price": _number(unit="weighted levels a unit", empty=True), "one_percent": _number(0),
            "money": _number(unit="currency a unit", empty=True)}, ("rule_id",)),
        # what the plan would close without the rules of a family, or with those that are told and not enforced
        Contract("plan_prices", {
            "family": _text(), "enforced": Column("flag"), "feasible": Column("flag"),
            **dict.fromkeys(("closed_share", "without_share", "forgone", "forgone_most"), _number(0, 1, empty=True)),
            "money": _number(unit="currency", empty=True)}, ("family",)),
        Contract("plan_stability", {
            "option_id": _text(), "tier": _blank, "seats": _count(unit="seats"), "stability": _number(0, 1),
            "n_draws": _count(unit="draws")}, ("option_id",)),
        # rules that can't all be kept: each is needed, and what it would have to give way to
        Contract("plan_conflict", {
            "rule_id": _text(), "family": _text(), "type": _text(), "unit": _blank, "member": Column("flag"),
            **dict.fromkeys(("given", "needed", "alone", "relaxed_to"), _number(empty=True))}, ("rule_id",)),
        # who is to be given what and when, how sure that is, and why
        Contract("recommendations", {
            "agency_id": _text(), "role_id": _text(), "role_level": _text(), **_option, **_when,
            "staff": _count(), "eligible": _count(), "seats": _count(1, unit="seats"), "cost": _money,
            **dict.fromkeys(("gap_closed", "mean_of_draws", "ci_low", "ci_high"), _worth),
            "reached": _number(unit="people"), "stability": _number(0, 1, empty=True), "n_draws": _count(unit="draws"),
            **{f"competency_{i}{end}": kind for i in (1, 2) for end, kind in (("", _blank), ("_share", _number()))},
            "rule_id": _blank, "rule_family": _blank, **dict.fromkeys(IMPACT, _text()),
        }, ("agency_id", "role_id", "role_level", "option_id")),
        Contract("plan_summary", {"name": _text(), "value": _number(empty=True)}, ("name",)),
        Contract("frontier", {
            "budget": _money, "feasible": Column("flag"), "spend": _money, "seats": _count(unit="seats"),
            **dict.fromkeys(("value", "closed_share", "bound_share", "gap", "gap_first_share", "ratio_first_share"),
                            _number(empty=True)), "enough": Column("flag")}, ("budget",)),
        Contract("readiness", {
            "part": _text(levels=("pillar", "overall")), "name": _text(levels=(*PILLARS, "arithmetic", "geometric")),
            **{name: _number(0, 1, empty=True) for name in ("estimate", "ci_low", "ci_high", "floor")},
            "n_indicators": _count(unit="indicators"), "below": Column("flag"), "lift_indicator": _text(empty=True),
            "lift_from": _number(empty=True), "lift_to": _number(empty=True), "lift_owner": _text(empty=True),
            "uncertainty": _text(levels=("method",))}, ("part", "name")),
        Contract("claims", {
            "claim_id": _text(), "section": _text(), "passed": Column("flag"), "hot": Column("flag"), "number": _text(),
            "sentence": _text(), "certainty": _text(empty=True), "numbers": _text(), "unlock": _text(empty=True),
        }, ("claim_id",)),
    )
}  # fmt: skip


def check(table, frame):
    """Every failure of a table against its contract.

    Parameters
    ----------
    table : str
        Name of a contract.
    frame : DataFrame
        Typed rows; the index is the line in the file, or the row.

    Returns
    -------
    DataFrame of (column, check, value, line)
        Empty where the table keeps its contract; `column` is empty for a check over the whole table.
    """
    import pandas as pd
    import pandera.pandas as pa

    try:
        _schema(table).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as caught:
        cases = caught.failure_cases
        # a failed check on the whole frame repeats once per column: one row a line is enough
        column = cases["column"].fillna("").where(cases["schema_context"] == "Column", "")
        failed = pd.DataFrame(
            {"column": column, "check": cases["check"], "value": cases["failure_case"], "line": cases["index"]}
        )
        missing = cases["check"] == "column_in_dataframe"
        failed.loc[missing, "column"] = cases.loc[missing, "failure_case"]
        return failed.drop_duplicates(["column", "check", "line"], ignore_index=True)
    return pd.DataFrame(columns=["column", "check", "value", "line"])


@lru_cache
def _schema(table):
    import pandera.pandas as pa

    columns = {name: _pandera_column(column, pa) for name, column in CONTRACTS[table].columns.items()}
    return pa.DataFrameSchema(columns, strict=False)


def _pandera_column(column, pa):
    checks = []
    if column.levels:
        checks.append(pa.Check.isin(column.levels, error="levels"))
    if column.low is not None:
        checks.append(pa.Check.ge(column.low, error="low"))
    if column.high is not None:
        checks.append(pa.Check.le(column.high, error="high"))
    return pa.Column(None, checks, nullable=column.empty, required=column.required)
