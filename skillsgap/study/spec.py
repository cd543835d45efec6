"""What a fictional country is drawn from: its spec, read, checked in every number and name, and scaled down."""

from pathlib import Path

import numpy as np
import yaml

from skillsgap.contracts import GROUPS
from skillsgap.errors import SkillsgapError

AGE_BANDS = {"under 30": 30, "30-39": 40, "40-49": 50, "50 and over": 120}  # first age above the band
SEXES = ("female", "male")
SHARED = ("profiles", "roles", "grades", "regions")  # spec entries whose shares add up to 1
KEYS = {
    "fictional", "country", "label", "currency", "currency_label", "framework", "random_state", "n_staff",
    "n_invited", "response_rate", "partial_rate", "item_missing_rate", "allocation_power", "level_sd",
    "item_noise_sd", "languages", "survey_dates", "regions", "agencies", "roles", "grades", "device_access",
    "profiles", "competency_offset", "level_effects", "profile_effects", "response_effects",
}  # fmt: skip


def read_spec(path):
    """Read a country's spec; its framework folder is taken relative to the file.

    Parameters
    ----------
    path : str or Path
        A spec.yaml; see data/synthetic/arvenia/spec.yaml, where every key is explained.

    Returns
    -------
    dict
        For `make_country`.

    Raises
    ------
    SkillsgapError
        When the file is not YAML or says something that can't be drawn.
    """
    path = Path(path)
    try:
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as fault:
        fault_name = type(fault).__name__
        raise SkillsgapError(f"{path.name} can't be read as YAML ({fault_name}): mend the file") from fault
    check_spec(spec)
    return {**spec, "framework": str(path.parent / spec["framework"])}


def small_spec(spec, *, n_staff=300, n_agencies=3):
    """The same country with fewer people: its first agencies, shrunk in proportion, everybody invited.

    Parameters
    ----------
    spec : dict
        From `read_spec`.
    n_staff, n_agencies : int
        People and agencies to keep.

    Returns
    -------
    dict
        A spec; any other key can be overridden with `{**small_spec(spec), key: value}`.

    Raises
    ------
    SkillsgapError
        When there are not that many agencies, or fewer people than agencies.

    Examples
    --------
    >>> agencies = [{"agency_id": a, "hub_id": "b", "staff": s} for a, s in (("a", 60), ("b", 30), ("c", 10))]
    >>> whole = {"agencies": agencies, "profile_effects": {}, "response_effects": {}, "level_effects": {}}
    >>> [agency["staff"] for agency in small_spec(whole, n_staff=9, n_agencies=2)["agencies"]]
    [6, 3]
    """
    kept = spec["agencies"][:n_agencies]
    if not 1 <= n_agencies <= len(spec["agencies"]) or n_staff < n_agencies:
        raise SkillsgapError(
            f"small_spec: n_agencies {n_agencies} and n_staff {n_staff} don't fit: give 1 to "
            f"{len(spec['agencies'])} agencies and at least one person for each"
        )
    sizes = apportion(n_staff, np.array([agency["staff"] for agency in kept], float))
    ids = [agency["agency_id"] for agency in kept]
    agencies = [
        {**agency, "staff": int(size), "hub_id": agency["hub_id"] if agency["hub_id"] in ids else ids[0]}
        for agency, size in zip(kept, sizes, strict=True)
    ]
    effects = {
        key: {**spec[key], "agency_id": {a: e for a, e in spec[key].get("agency_id", {}).items() if a in ids}}
        for key in ("profile_effects", "response_effects", "level_effects")
    }
    return {**spec, **effects, "n_staff": n_staff, "n_invited": n_staff, "agencies": agencies}


def check_spec(spec):
    """Stop with every fault of the spec in one line."""
    if not isinstance(spec, dict):
        raise SkillsgapError(f"spec: {type(spec).__name__} is not a mapping: start from arvenia's spec.yaml")
    faults = [f"unknown key {key}: remove it or correct its name" for key in sorted(set(spec) - KEYS)]
    faults += [f"key {key} is absent: add it" for key in sorted(KEYS - set(spec))]
    faults = faults or [*_number_faults(spec), *_name_faults(spec)]
    if faults:
        raise SkillsgapError("spec: " + "; ".join(faults))


def _number_faults(spec):
    if spec["fictional"] is not True:
        yield f"fictional is {spec['fictional']}, but a drawn country always is: set it to true"
    people = {f"agencies.{agency['agency_id']}.staff": agency["staff"] for agency in spec["agencies"]}
    for key, value in (people | {key: spec[key] for key in ("n_staff", "n_invited")}).items():
        if not isinstance(value, int) or value < 1:
            yield f"{key} is {value}: give a whole number of people, at least 1"
    for key in ("level_sd", "item_noise_sd", "allocation_power", "partial_rate", "item_missing_rate"):
        if not 0 <= spec[key] <= 1:
            yield f"{key} is {spec[key]}: give a number from 0 to 1"
    shares = {f"{key}.{name}.share": entry["share"] for key in SHARED for name, entry in spec[key].items()}
    for key, value in (shares | {"response_rate": spec["response_rate"]}).items():
        if not 0 < value <= 1:
            yield f"{key} is {value}: give a share above 0 and up to 1"
    for key in SHARED:
        total = sum(entry["share"] for entry in spec[key].values())
        if abs(total - 1) > 1e-9:
            yield f"{key}.*.share adds up to {total:.4g}: make the shares add up to 1"
    if (total := sum(people.values())) != spec["n_staff"]:
        yield f"n_staff is {spec['n_staff']}, but agencies.*.staff adds up to {total}: make them agree"


def _name_faults(spec):
    """Misspelt names, which would otherwise be read as 'no effect'."""
    roles, profiles, groups = set(spec["roles"]), set(spec["profiles"]), set(GROUPS)
    agencies = {agency["agency_id"] for agency in spec["agencies"]}
    levels = {grade["role_level"] for grade in spec["grades"].values()}
    values = {"agency_id": agencies, "role_id": roles, "role_level": levels, "grade": set(spec["grades"])}
    values |= {"age_band": set(AGE_BANDS), "sex": set(SEXES)}
    named = []
    for agency in spec["agencies"]:
        key = f"agencies.{agency['agency_id']}"
        named += [(f"{key}.roles", agency["roles"], roles), (f"{key}.hub_id", {agency["hub_id"]}, agencies)]
        named += [(f"{key}.region", {agency["region"]} - {""}, set(spec["regions"]))]
    for key in ("profile_effects", "level_effects", "response_effects"):
        named += [(key, spec[key], set(values))]
        named += [(f"{key}.{field}", by, values.get(field, set())) for field, by in spec[key].items()]
    for key, targets in (("profile_effects", profiles), ("level_effects", groups)):
        effects = [(f"{key}.{f}.{v}", e) for f, by in spec[key].items() for v, e in by.items()]
        named += [(name, effect, targets) for name, effect in effects]
    for key, names, known in named:
        if set(names) - known:
            yield f"{key} names {', '.join(sorted(set(names) - known))}: use {', '.join(sorted(known))}"
    for name, profile in spec["profiles"].items():
        if set(profile["levels"]) != groups:
            yield f"profiles.{name}.levels names {', '.join(profile['levels'])}: give {', '.join(GROUPS)}"


def apportion(total, sizes):
    """Whole numbers that add up to `total`, in proportion to sizes (largest remainders, first wins)."""
    exact = total * sizes / sizes.sum()
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole
