"""What a spec says that can't be drawn: every fault in one line, each with its remedy."""

import json
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from jsonschema import Draft202012Validator

from skillsgap.contracts import GROUPS
from skillsgap.errors import SkillsgapError

SCHEMA = Path(__file__).with_name("spec.schema.json")
AGE_BANDS = {"under 30": 30, "30-39": 40, "40-49": 50, "50 and over": 120}  # first age above the band
SEXES = ("female", "male")
SHARED = ("profiles", "roles", "grades", "regions")  # spec entries whose shares add up to 1


def check_spec(spec, shared):
    """Stop with every fault of a spec in one line.

    Parameters
    ----------
    spec : dict
    shared : function of a spec giving dict of str to DataFrame
        Reads the framework and the common tables; called once the spec itself is in order.

    Returns
    -------
    dict of str to DataFrame
        What `shared` read.

    Raises
    ------
    SkillsgapError
        Each fault with key, value and remedy.
    """
    faults = list(dict.fromkeys(_shape_faults(spec))) or [*_number_faults(spec), *_name_faults(spec)]
    if faults:
        raise SkillsgapError("spec: " + "; ".join(faults))
    tables = shared(spec)
    faults = [*_shared_faults(spec, tables)]
    if faults:
        raise SkillsgapError("spec: " + "; ".join(faults))
    return tables


@lru_cache
def _validator():
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _shape_faults(spec):
    """Keys that are absent or unknown, and values of the wrong kind or out of range."""
    if not isinstance(spec, dict):
        yield f"{type(spec).__name__} is not a mapping: start from arvenia's spec.yaml"
        return
    for error in sorted(_validator().iter_errors(spec), key=lambda e: list(map(str, e.absolute_path))):
        keys = _path(spec, error.absolute_path)
        before = f"{keys}." if keys else ""
        if error.validator == "required":
            lacking = [key for key in error.validator_value if key not in error.instance]
            yield from (f"key {before}{key} is absent: add it" for key in lacking)
        elif error.validator == "additionalProperties":
            odd = sorted(map(str, set(error.instance) - set(error.schema["properties"])))
            yield from (f"unknown key {before}{key}: remove it or correct its name" for key in odd)
        else:
            given = error.schema.get("description", "keys with values")
            yield f"{keys} is {json.dumps(error.instance, default=str, ensure_ascii=False)[:60]}: give {given}"
    for keys, value in _numbers(spec, ""):
        if not math.isfinite(value):
            yield f"{keys} is {value}: give a number"


def _path(spec, steps):
    """Keys to a value, an agency under its id."""
    names, here = [], spec
    for step in steps:
        here = here[step]
        agency = isinstance(step, int) and isinstance(here, dict) and here.get("agency_id")
        names.append(str(agency or step))
    return ".".join(names)


def _numbers(value, keys):
    if isinstance(value, float):
        yield keys, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _numbers(entry, f"{keys}.{key}" if keys else str(key))


def _number_faults(spec):
    for key in SHARED:
        total = sum(entry["share"] for entry in spec[key].values())
        if abs(total - 1) > 1e-9:
            yield f"{key}.*.share adds up to {total:.4g}: make the shares add up to 1"
    agencies, staff = spec["agencies"], sum(agency["staff"] for agency in spec["agencies"])
    if staff != spec["n_staff"]:
        yield f"n_staff is {spec['n_staff']}, but agencies.*.staff adds up to {staff}: make them agree"
    if len(agencies) > spec["n_staff"]:
        yield f"agencies are {len(agencies)}, but n_staff is {spec['n_staff']}: give each agency at least one person"
    if spec["n_invited"] < len(agencies):
        yield f"n_invited is {spec['n_invited']}, but there are {len(agencies)} agencies: invite one of each at least"
    for agency in agencies:
        if not any(role["share"] * agency["roles"].get(name, 1) for name, role in spec["roles"].items()):
            yield f"agencies.{agency['agency_id']}.roles leaves no role: give one a multiple above 0"
    if any(region.get("second_language") for region in spec["regions"].values()) and len(spec["languages"]) < 2:
        yield "regions have a second_language, but languages is one: add the second, or take the shares out"
    yield from _date_faults(spec["survey_dates"])
    pilot = spec["pilot"]
    if pilot["treated_from"] not in pilot["waves"][1:]:
        yield (f"pilot.treated_from is {pilot['treated_from']}: name a wave after the first, "
               f"{', '.join(pilot['waves'][1:])}")  # fmt: skip
    if (people := pilot["groups"] * pilot["people"]) > spec["n_staff"]:
        yield f"pilot has {people} people in its groups, but n_staff is {spec['n_staff']}: take fewer"


def _date_faults(dates):
    try:
        first, last = pd.to_datetime(dates, format="%Y-%m-%d")
    except ValueError:
        yield f"survey_dates are {', '.join(dates)}: give days of the calendar"
        return
    if not np.busday_count(first.date(), last.date() + pd.Timedelta(days=1)) > 0:
        yield f"survey_dates are {', '.join(dates)}: give a first day and a later last one with a working day between"


def _name_faults(spec):
    """Misspelt names, which would otherwise be read as 'no effect'."""
    agencies = [agency["agency_id"] for agency in spec["agencies"]]
    if twice := sorted({name for name in agencies if agencies.count(name) > 1}):
        yield f"agencies names {', '.join(twice)} twice: give each agency an agency_id of its own"
    levels = {grade["role_level"] for grade in spec["grades"].values()}
    values = {"agency_id": agencies, "role_id": spec["roles"], "role_level": levels, "grade": spec["grades"],
              "region": spec["regions"], "admin_level": spec["device_access"], "age_band": AGE_BANDS,
              "sex": SEXES}  # fmt: skip
    named = []
    for agency in spec["agencies"]:
        key = f"agencies.{agency['agency_id']}"
        named += [(f"{key}.roles", agency["roles"], spec["roles"]), (f"{key}.hub_id", [agency["hub_id"]], agencies),
                  (f"{key}.region", {agency["region"]} - {""}, spec["regions"]),
                  (f"{key}.admin_level", [agency["admin_level"]], spec["device_access"])]  # fmt: skip
    effects = {key: spec[key] for key in ("profile_effects", "level_effects", "response_effects")}
    effects["self_report.by"] = spec["self_report"]["by"]
    effects["exits"] = {key: by for key, by in spec["exits"].items() if key != "rate"}
    for key, by_field in effects.items():
        known = {**values, "profile": spec["profiles"]} if key == "exits" else values
        named += [(key, by_field, known)]
        named += [(f"{key}.{field}", by, known.get(field, ())) for field, by in by_field.items()]
    named += [(f"profile_effects.{field}.{value}", effect, spec["profiles"])
              for field, by in spec["profile_effects"].items() for value, effect in by.items()]  # fmt: skip
    named += [(f"dif.{item}", by, spec["languages"]) for item, by in spec.get("dif", {}).items()]
    yield from _unknown(named)


def _unknown(named):
    for key, names, known in named:
        if odd := sorted(set(names) - set(known)):
            yield f"{key} names {', '.join(odd)}: use {', '.join(sorted(known)) or 'none'}"


def _shared_faults(spec, tables):
    """Names that the framework, the requirements or the catalogue doesn't have, and the other way round."""
    competencies, items, courses = tables["competencies"], tables["items"], tables["courses"]
    known = competencies["competency_id"]
    anchored = items.loc[(items["type"] == "anchored") & (items["form"] != "optional"), "item_id"]
    of_items = items.loc[items["competency_id"] != "", "competency_id"]
    yield from _unknown([
        ("competency_offset", spec["competency_offset"], known),
        ("dif", spec.get("dif", {}), anchored),
        ("competencies.csv: group", competencies["group"], GROUPS),
        ("items.csv: competency_id", of_items, known),
        ("items.csv: filter_item", set(items["filter_item"]) - {""}, items["item_id"]),
        ("courses.csv: provider", courses["provider"], spec["catalogue"]["providers"]),
        ("course_effects.csv: course_id", tables["course_effects"]["course_id"], courses["course_id"]),
        ("course_effects.csv: competency_id", tables["course_effects"]["competency_id"], known),
    ])  # fmt: skip
    bare = items[(items["competency_id"] == "") & items["type"].isin(["anchored", "tested", "knowledge", "judgement",
                                                                      "frequency"])]  # fmt: skip
    if len(bare):
        yield f"items.csv: {', '.join(bare['item_id'])} have no competency_id: say what each measures"
    levels = {grade["role_level"] for grade in spec["grades"].values()}
    there = set(zip(tables["requirements"]["role_id"], tables["requirements"]["role_level"], strict=True))
    absent = sorted({(role, level) for role in spec["roles"] for level in levels} - there)
    if absent:
        yield f"requirements.csv lacks {absent[0][0]}, {absent[0][1]}: add its rows, or take the role out of roles"
