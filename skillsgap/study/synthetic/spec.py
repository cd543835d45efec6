"""What a fictional country is drawn from: its spec, read, checked and scaled down."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import yaml

from skillsgap.errors import SkillsgapError
from skillsgap.study.synthetic.catalogue import read_shared
from skillsgap.study.synthetic.faults import check_spec


def read_spec(path):
    """Read a country's spec; its folders are taken relative to the file.

    Parameters
    ----------
    path : path-like
        A spec.yaml; start from a copy of data/synthetic/arvenia/spec.yaml, where every key is explained.

    Returns
    -------
    dict
        For `make_country` and `small_spec`.

    Raises
    ------
    SkillsgapError
        When there is no such file, or it is not YAML or says something that can't be drawn.
    """
    path = Path(path)
    if not path.is_file():
        raise SkillsgapError(f"{path}: there is no such file: name a spec.yaml, as data/synthetic/arvenia/spec.yaml")
    try:
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as fault:
        reason = getattr(fault, "problem", None) or str(fault).partition("\n")[0]
        raise SkillsgapError(f"{path.name} can't be read as YAML ({reason}): mend the file") from fault
    if isinstance(spec, dict):
        folders = {key: str(path.parent / spec[key]) for key in ("framework", "common")
                   if isinstance(spec.get(key), str)}  # fmt: skip
        spec = with_dates({**spec, **folders})
    check_spec(spec, read_shared)
    return spec


def with_dates(spec):
    """The spec with the days of the survey as text, where YAML made dates of them."""
    days = spec.get("survey_dates") if isinstance(spec, dict) else None
    if not isinstance(days, list):
        return spec
    return {**spec, "survey_dates": [str(day) if isinstance(day, date) else day for day in days]}


def small_spec(spec, *, n_staff=300, n_agencies=3):
    """The same country with fewer people: its first agencies, shrunk in proportion, everybody invited.

    Parameters
    ----------
    spec : dict or path-like
        From `read_spec`, or the path of a spec.yaml.
    n_staff, n_agencies : int
        People and agencies to keep; the pilot's groups shrink with them.

    Returns
    -------
    dict
        A spec; any other key can be overridden with `{**small_spec(spec), key: value}`.

    Raises
    ------
    SkillsgapError
        When there are not that many agencies, or fewer than two people for each, or it is no spec.

    Examples
    --------
    >>> agencies = [{"agency_id": a, "hub_id": "b", "staff": s} for a, s in (("a", 60), ("b", 30), ("c", 10))]
    >>> whole = {"agencies": agencies, "profile_effects": {"agency_id": {"a": {}, "c": {}}},
    ...          "pilot": {"groups": 24, "people": 40}}
    >>> small = small_spec(whole, n_staff=9, n_agencies=2)
    >>> [agency["staff"] for agency in small["agencies"]], small["profile_effects"], small["pilot"]
    ([6, 3], {'agency_id': {'a': {}}}, {'groups': 4, 'people': 2})
    """
    spec = read_spec(spec) if isinstance(spec, str | os.PathLike) else spec
    if not isinstance(spec, dict) or not {"agencies", "pilot"} <= set(spec):
        raise SkillsgapError("small_spec: this is no spec: give one from read_spec")
    for name, number in (("n_staff", n_staff), ("n_agencies", n_agencies)):
        if not is_whole(number):
            raise SkillsgapError(f"small_spec: {name} is {number!r}: give a whole number")
    kept = spec["agencies"][:n_agencies]
    if not 1 <= n_agencies <= len(spec["agencies"]) or n_staff < max(4, 2 * n_agencies):
        raise SkillsgapError(
            f"small_spec: n_agencies {n_agencies} and n_staff {n_staff} don't fit: give 1 to "
            f"{len(spec['agencies'])} agencies and at least two people for each, four in all"
        )
    sizes = apportion(n_staff, np.array([agency["staff"] for agency in kept], float), least=1)
    ids = [agency["agency_id"] for agency in kept]
    agencies = [
        {**agency, "staff": int(size), "hub_id": agency["hub_id"] if agency["hub_id"] in ids else ids[0]}
        for agency, size in zip(kept, sizes, strict=True)
    ]
    groups = min(spec["pilot"]["groups"], n_staff // 2)
    pilot = {**spec["pilot"], "groups": groups, "people": min(spec["pilot"]["people"], n_staff // groups)}
    return {**_without_agencies(spec, set(ids)), "n_staff": n_staff, "n_invited": n_staff, "agencies": agencies,
            "pilot": pilot}  # fmt: skip


def is_whole(number):
    """Whether it is a whole number, 0 or more."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and number >= 0


def _without_agencies(entry, kept):
    """Effects by agency, of those agencies only that are kept."""
    if not isinstance(entry, dict):
        return entry
    return {
        key: {name: effect for name, effect in value.items() if name in kept}
        if key == "agency_id" and isinstance(value, dict) else _without_agencies(value, kept)
        for key, value in entry.items()
    }  # fmt: skip


def apportion(total, sizes, *, least=0):
    """Whole numbers that add up to `total`, in proportion to sizes (largest remainders, first wins).

    Parameters
    ----------
    total : int
    sizes : array of shape (n_parts,)
    least : int
        Every part gets that many first; the rest is shared in proportion to what sizes ask beyond it.

    Examples
    --------
    >>> apportion(10, np.array([6.0, 3.0, 1.0])).tolist(), apportion(4, np.array([98.0, 1.0, 1.0]), least=1).tolist()
    ([6, 3, 1], [2, 1, 1])
    """
    wanted = total * sizes / sizes.sum()
    exact = wanted
    if (wanted < least).any():
        beyond = np.maximum(wanted - least, 0)
        exact = least + (total - least * len(sizes)) * beyond / beyond.sum()
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole
