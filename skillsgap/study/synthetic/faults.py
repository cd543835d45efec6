"""What a spec says that can't be drawn: every fault in one line, each with its remedy."""

import json
import math
import re
import unicodedata
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from babel import Locale
from jsonschema import Draft202012Validator

from skillsgap.contracts import GROUPS
from skillsgap.errors import SkillsgapError

SCHEMA = Path(__file__).with_name("spec.schema.json")
AGE_BANDS = {"under 30": 30, "30-39": 40, "40-49": 50, "50 and over": 120}  # first age above the band
SEXES = ("female", "male")
SHARED = ("profiles", "roles", "grades", "regions")  # spec entries whose shares add up to 1
# what effects may go by, and its codes or where they stand in the spec (* is any key)
FIELDS = {"agency_id": "agencies.*.agency_id", "role_id": "roles", "role_level": "grades.*.role_level",
          "grade": "grades", "region": "regions", "admin_level": "device_access", "age_band": tuple(AGE_BANDS),
          "sex": SEXES}  # fmt: skip
EFFECTS = ("profile_effects", "level_effects", "response_effects", "self_report.by", "exits")
# where names stand that would be read as 'no effect' if misspelt, and the names there are
NAMES = (
    ("agencies.*.roles", "roles"),
    ("agencies.*.hub_id", "agencies.*.agency_id"),
    ("agencies.*.region", "regions"),
    ("agencies.*.admin_level", "device_access"),
    *((key, (*FIELDS, "profile", "rate") if key == "exits" else tuple(FIELDS)) for key in EFFECTS),
    *((f"{key}.{field}", known) for key in EFFECTS for field, known in FIELDS.items()),
    ("exits.profile", "profiles"),
    ("profile_effects.*.*", "profiles"),
    ("dif.*", "languages"),
)


def check_spec(spec, shared):
    """Stop with every fault of a spec in one line.

    What is in shape is checked further, whatever else is out of shape; names are held against the shared
    tables where these can be read.

    Parameters
    ----------
    spec : dict
    shared : function of a spec giving dict of str to DataFrame
        Reads the framework and the common tables.

    Returns
    -------
    dict of str to DataFrame
        What `shared` read.

    Raises
    ------
    SkillsgapError
        Each fault with key, value and remedy.
    """
    shape = list(_shape_faults(spec))
    sound = partial(_sound, {tuple(map(str, steps)) for steps, _ in shape})
    faults = [text for _, text in shape]
    for check in (_number_faults, _pilot_faults, _date_faults, _name_faults, _real_faults):
        faults += check(spec, sound)
    tables = {}
    if sound("framework") and sound("common"):
        try:
            tables = shared(spec)
            faults += _shared_faults(spec, tables, sound)
        except SkillsgapError as fault:
            faults.append(str(fault))
    if faults:
        raise SkillsgapError("spec: " + "; ".join(dict.fromkeys(faults)))
    return tables


def _sound(spoilt, *paths):
    """Whether nothing at a path, or above it, is out of shape."""
    needed = [path.split(".") if isinstance(path, str) else [*map(str, path)] for path in paths]
    return not any(len(fault) <= len(need) and all(b in (a, "*") for a, b in zip(fault, need, strict=False))
                   for fault in spoilt for need in needed)  # fmt: skip


def _at(spec, path, sound):
    """Each place in shape that a path means, with its value; what is absent is passed over."""
    places = [((), spec)]
    for step in path.split("."):
        inner = [(steps, value, range(len(value)) if isinstance(value, list) else value)
                 for steps, value in places if sound(steps)]  # fmt: skip
        places = [((*steps, key), value[key]) for steps, value, keys in inner for key in keys if step in ("*", key)]
    return [(steps, value) for steps, value in places if sound(steps)]


def _names(spec, path, sound):
    """The names at a path: keys, entries, or a name itself."""
    found = [[value] if isinstance(value, str) else list(value) for _, value in _at(spec, path, sound)]
    return [name for names in found for name in names]


@lru_cache
def _validator():
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _shape_faults(spec):
    """Keys that are absent or unknown, and values of the wrong kind or out of range: places and texts."""
    if not isinstance(spec, dict):
        yield (), f"{type(spec).__name__} is not a mapping: start from arvenia's spec.yaml"
        return
    for error in sorted(_validator().iter_errors(spec), key=lambda e: list(map(str, e.absolute_path))):
        steps = tuple(error.absolute_path)
        keys = _path(spec, steps)
        before = f"{keys}." if keys else ""
        if error.validator == "required":
            lacking = [key for key in error.validator_value if key not in error.instance]
            yield from (((*steps, key), f"key {before}{key} is absent: add it") for key in lacking)
        elif error.validator == "additionalProperties":
            odd = sorted(map(str, set(error.instance) - set(error.schema["properties"])))
            yield from (((*steps, key), f"unknown key {before}{key}: remove it or correct its name") for key in odd)
        else:
            given = error.schema.get("description", "keys with values")
            value = json.dumps(error.instance, default=str, ensure_ascii=False, skipkeys=True)[:60]
            yield steps, f"{keys} is {value}: give {given}"
    yield from _odd_entries(spec, spec, ())


def _odd_entries(spec, value, steps):
    """Numbers that are none, and keys that YAML didn't read as text (no, 1), which no code would be equal to."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        here = (*steps, key)
        if isinstance(value, dict) and not isinstance(key, str):
            yield here, f"key {_path(spec, here)} is not text: put {key} in quotes"
        if isinstance(entry, float) and not math.isfinite(entry):
            yield here, f"{_path(spec, here)} is {entry}: give a number"
        yield from _odd_entries(spec, entry, here)


def _path(spec, steps):
    """Keys to a value, an agency under its id."""
    names, here = [], spec
    for step in steps:
        here = here[step]
        agency = isinstance(step, int) and isinstance(here, dict) and here.get("agency_id")
        names.append(str(agency or step))
    return ".".join(names)


def _number_faults(spec, sound):
    for key in SHARED:
        total = sum(entry["share"] for entry in spec[key].values()) if sound(f"{key}.*.share") else 1
        if abs(total - 1) > 1e-9:
            yield f"{key}.*.share adds up to {total:.4g}: make the shares add up to 1"
    agencies = spec["agencies"] if sound("agencies") else []
    staff = sum(agency["staff"] for agency in agencies) if sound("n_staff", "agencies.*.staff") else 0
    if staff and staff != spec["n_staff"]:
        yield f"n_staff is {spec['n_staff']}, but agencies.*.staff adds up to {staff}: make them agree"
    if sound("n_staff") and len(agencies) > spec["n_staff"]:
        yield f"agencies are {len(agencies)}, but n_staff is {spec['n_staff']}: give each agency at least one person"
    if sound("n_invited") and spec["n_invited"] < len(agencies):
        yield f"n_invited is {spec['n_invited']}, but there are {len(agencies)} agencies: invite one of each at least"
    roles = spec["roles"] if sound("roles") else {}
    for steps, multiples in _at(spec, "agencies.*.roles", sound):
        if roles and not any(multiples.get(name, 1) for name in roles):
            yield f"{_path(spec, steps)} leaves no role: give one a multiple above 0"
    seconds = any(share for _, share in _at(spec, "regions.*.second_language", sound))
    if seconds and sound("languages") and len(spec["languages"]) < 2:
        yield "regions have a second_language, but languages is one: add the second, or take the shares out"


def _pilot_faults(spec, sound):
    pilot = spec["pilot"] if sound("pilot") else {}
    if sound("pilot.treated_from", "pilot.waves.*") and pilot["treated_from"] not in pilot["waves"][1:]:
        yield (f"pilot.treated_from is {pilot['treated_from']}: name a wave after the first, "
               f"{', '.join(pilot['waves'][1:])}")  # fmt: skip
    people = pilot["groups"] * pilot["people"] if sound("pilot.groups", "pilot.people", "n_staff") else 0
    if people and people > spec["n_staff"]:
        yield f"pilot has {people} people in its groups, but n_staff is {spec['n_staff']}: take fewer"


def _date_faults(spec, sound):
    if not sound("survey_dates.*"):
        return
    dates = spec["survey_dates"]
    try:
        first, last = pd.to_datetime(dates, format="%Y-%m-%d")
    except ValueError:
        yield f"survey_dates are {', '.join(dates)}: give days of the calendar"
        return
    if not np.busday_count(first.date(), last.date() + pd.Timedelta(days=1)) > 0:
        yield f"survey_dates are {', '.join(dates)}: give a first day and a later last one with a working day between"


def _name_faults(spec, sound):
    """Misspelt names, which would otherwise be read as 'no effect'."""
    agencies = _names(spec, "agencies.*.agency_id", sound)
    if twice := sorted({name for name in agencies if agencies.count(name) > 1}):
        yield f"agencies names {', '.join(twice)} twice: give each agency an agency_id of its own"
    for path, known in NAMES:
        if isinstance(known, str):
            if not sound(known):
                continue
            known = _names(spec, known, sound)
        for steps, value in _at(spec, path, sound):
            names = {value} - {""} if isinstance(value, str) else value
            yield from _unknown([(_path(spec, steps), names, known)])


def _unknown(named):
    for key, names, known in named:
        if odd := sorted(map(str, set(names) - set(known))):
            yield f"{key} names {', '.join(odd)}: use {', '.join(sorted(map(str, known))) or 'none'}"


def _real_faults(spec, sound):
    for path in ("country", "label.en", "label.uz"):
        for _, name in _at(spec, path, sound):
            if _letters(re.sub(r"\(.*?\)", "", name)) in _real_names():
                yield f'{path} is "{name}": invent a name, as a fictional country can\'t bear a real one\'s'


@lru_cache
def _real_names():
    territories = [Locale(language).territories.items() for language in ("en", "uz")]
    return {_letters(name) for names in territories for code, name in names if code.isalpha()}


def _letters(name):
    """A name without accents, marks and spaces, so that each way to write it is the same."""
    plain = unicodedata.normalize("NFKD", name.replace("&", "and")).casefold()
    return re.sub("[^a-z]", "", plain)


def _shared_faults(spec, tables, sound):
    """Names that the framework, the requirements or the catalogue doesn't have, and the other way round."""
    competencies, items, courses = tables["competencies"], tables["items"], tables["courses"]
    known = competencies["competency_id"]
    anchored = items.loc[(items["type"] == "anchored") & (items["form"] != "optional"), "item_id"]
    of_items = items.loc[items["competency_id"] != "", "competency_id"]
    yield from _unknown([
        ("competency_offset", _names(spec, "competency_offset", sound), known),
        ("dif", _names(spec, "dif", sound), anchored),
        ("competencies.csv: group", competencies["group"], GROUPS),
        ("items.csv: competency_id", of_items, known),
        ("items.csv: filter_item", set(items["filter_item"]) - {""}, items["item_id"]),
        ("courses.csv: provider", courses["provider"] if sound("catalogue.providers") else (),
         _names(spec, "catalogue.providers", sound)),
        ("course_effects.csv: course_id", tables["course_effects"]["course_id"], courses["course_id"]),
        ("course_effects.csv: competency_id", tables["course_effects"]["competency_id"], known),
    ])  # fmt: skip
    bare = items[(items["competency_id"] == "") & items["type"].isin(["anchored", "tested", "knowledge", "judgement",
                                                                      "frequency"])]  # fmt: skip
    if len(bare):
        yield f"items.csv: {', '.join(bare['item_id'])} have no competency_id: say what each measures"
    if sound("roles", "grades.*.role_level"):
        yield from _unrequired(spec, tables["requirements"])


def _unrequired(spec, requirements):
    """Roles of which nothing is required at a level that some grade has."""
    levels = {grade["role_level"] for grade in spec["grades"].values()}
    there = set(zip(requirements["role_id"], requirements["role_level"], strict=True))
    absent = {role: sorted(level for level in levels if (role, level) not in there) for role in spec["roles"]}
    named = [f"{role} ({', '.join(lacking)})" for role, lacking in absent.items() if lacking]
    if named:
        yield f"requirements.csv lacks {', '.join(named)}: add the rows, or take the roles or their levels out"
