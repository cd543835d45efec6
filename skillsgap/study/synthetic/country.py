"""A fictional country drawn from a spec: staff, a survey of some of them, and the truth about all of them.

Every true level is known, so whatever is estimated later from the survey can be held against it.
"""

import gzip
import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.errors import SkillsgapError
from skillsgap.study.synthetic.answering import draw_responses, staff_ids
from skillsgap.study.synthetic.catalogue import NEEDED, own_costs, own_courses, read_shared
from skillsgap.study.synthetic.faults import check_spec
from skillsgap.study.synthetic.histories import draw_pilot, draw_training
from skillsgap.study.synthetic.mistakes import make_mistakes
from skillsgap.study.synthetic.moments import planted_moments
from skillsgap.study.synthetic.sample import draw_sample
from skillsgap.study.synthetic.spec import is_whole, read_spec, with_dates
from skillsgap.study.synthetic.staff import CELL, draw_exits, draw_staff
from skillsgap.study.synthetic.truth import planted_truth

OWN = ("agencies", "requirements", "courses", "course_effects", "costs", "register", "responses", "pilot_outcomes")
OF_PERSONS = ("training_records",)
TRUTH = ("profiles", "headcounts", "gaps", "means", "needs", "areas", "dif", "bias", "courses", "exits", "pilot",
         "moments")  # fmt: skip
TRUTH_OF_PERSONS = ("respondents",)
PACKED = ("register",)  # written as csv.gz
# a stream of random numbers each, so that an option leaves the others' draws as they are; add new ones at the end
STREAMS = ("staff", "levels", "areas", "sample", "answers", "training", "exits", "pilot", "mistakes", "tested")


@dataclass(frozen=True)
class Country:
    """A fictional country: what a study would be given, and what it could not know.

    Attributes
    ----------
    tables : dict of str to DataFrame
        competencies and items (the framework, as read); agencies, requirements, courses, course_effects, costs,
        register, responses, pilot_outcomes, and of a register of persons training_records.
    truth : dict of str to DataFrame
        profiles, headcounts, gaps, means, needs, areas, dif, bias, courses, exits, pilot, moments; of a register
        of persons respondents; and mistakes, where some were asked for. See `planted_truth`, `planted_moments` and
        `make_mistakes`.
    """

    tables: dict
    truth: dict


def make_country(spec, random_state):
    """Draw a fictional country with known profiles, levels and gaps, and a survey with nonresponse.

    A person's profile is multinomial given agency, role and grade; the true level of a competency is normal
    round the profile's mean with the effects of role and agency; an anchored answer is the true level plus
    what self-reports add plus noise, rounded to 0..4. Who answers depends on agency, grade, age and sex, so
    that weights calibrated to the register can put it right, and on request on skill, so that they can't.

    Parameters
    ----------
    spec : dict or path-like
        The path of a spec.yaml: start from a copy of data/synthetic/arvenia/spec.yaml, where every key is explained.
        Or a dict from `read_spec` or `small_spec`; its folders `framework` and `common` are taken as they stand.
    random_state : int or numpy.random.Generator
        Seed, 0 or more; never None, as the same seed gives the same country. Every part has a stream of its own,
        so that a smaller sample leaves the staff as they are.

    Returns
    -------
    Country

    Raises
    ------
    SkillsgapError
        When the spec or its folders can't be drawn from (every fault in one line, with its remedy), or
        random_state is no seed.
    """
    if not (is_whole(random_state) or isinstance(random_state, np.random.Generator)):
        raise SkillsgapError(f"random_state is {random_state!r}: give a whole number, 0 or more, or a numpy Generator")
    spec = read_spec(spec) if isinstance(spec, str | os.PathLike) else with_dates(spec)
    tables = check_spec(spec, read_shared)
    streams = dict(zip(STREAMS, np.random.default_rng(random_state).spawn(len(STREAMS)), strict=True))
    measured = tables["competencies"][tables["competencies"]["audience"] != "optional"]
    staff = draw_staff(spec, measured, streams["staff"], streams["areas"], streams["levels"])
    sample = draw_sample(spec, staff, streams["sample"])
    leaving = draw_exits(spec, staff, streams["exits"])
    tables |= {
        "agencies": pd.DataFrame(spec["agencies"])[["agency_id", "label_en", "label_uz", "admin_level", "hub_id"]],
        "courses": own_courses(spec, tables["courses"]),
        "costs": own_costs(spec, tables["costs"]),
        "register": _register(spec, staff, leaving),
        "responses": draw_responses(spec, tables, staff, sample, streams["answers"], streams["tested"]),
        "pilot_outcomes": draw_pilot(spec, streams["pilot"]),
    }
    if spec["register"] == "persons":
        tables["training_records"] = draw_training(spec, tables, staff, streams["training"])
    truth = planted_truth(spec, tables, staff, sample, leaving)
    truth["moments"] = planted_moments(spec, tables, staff, sample, leaving)
    marred, mistakes = make_mistakes(spec, tables, streams["mistakes"])
    return Country(tables | marred, truth | ({"mistakes": mistakes} if any(spec.get("mistakes", {}).values()) else {}))


def _register(spec, staff, leaving):
    """The register as an office would hand it over: a row a person, or a row a cell."""
    if spec["register"] == "cells":
        cells = staff.register.groupby(CELL, observed=True).size().rename("headcount").reset_index()
        return cells.astype(dict.fromkeys(CELL, str))
    ids = staff_ids(len(staff.register))
    coded = {name: str for name, kind in staff.register.dtypes.items() if kind == "category"}
    register = staff.register.astype(coded).assign(exit_date=leaving.dt.strftime("%Y-%m-%d").fillna(""))
    return pd.concat([pd.Series(ids, name="staff_id"), register], axis=1)


def write_country(country, folder):
    """Write what was drawn (not the framework) as CSV, and the truth in a folder beside it.

    The same country gives the same bytes: UTF-8, "\\n" line ends, and the register compressed without
    a clock time.

    Parameters
    ----------
    country : Country
    folder : str or Path
        Made where absent.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    frames = {name: country.tables[name] for name in (*OWN, *OF_PERSONS) if name in country.tables}
    frames |= {f"truth/{name}": frame for name, frame in country.truth.items()}
    written = []
    for name, frame in frames.items():
        data = frame.to_csv(index=False, lineterminator="\n").encode("utf-8")
        path = folder / _file(name)
        path.write_bytes(_compress(data) if name in PACKED else data)
        written.append(path)
    return written


def _file(name):
    return f"{name}.csv.gz" if name in PACKED else f"{name}.csv"


def _compress(data):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def draw_country(path):
    """Draw and write the country of a spec file, beside the file.

    A country that was not there whole gets a mark of what it was drawn from, by which `draw_missing` sees that
    it is out of date. One that came with the project has no mark, and is drawn again by this function only.

    Parameters
    ----------
    path : path-like
        A spec.yaml.

    Returns
    -------
    Country
    """
    path = Path(path)
    spec, mark = read_spec(path), _mark(path)
    marks = mark.is_file() or not _whole(spec, path.parent)
    country = make_country(spec, spec["random_state"])
    if marks:  # of nothing yet, so that a writing that is broken off is seen
        mark.parent.mkdir(exist_ok=True)
        mark.write_text("", encoding="utf-8")
    write_country(country, path.parent)
    if marks:
        mark.write_text(_stamp(spec, path), encoding="utf-8")
    return country


def draw_missing(root, units=()):
    """Draw every country of data/synthetic that is absent, or was drawn here from something else.

    Parameters
    ----------
    root : path-like
        The project folder.
    units : sequence of str
        Units whose params name the countries to look at; without any, all countries are.

    Returns
    -------
    list of str
        Names of the countries drawn.
    """
    drawn, files = [], [Path(root) / "params" / f"{unit}.yaml" for unit in units]
    said = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    for path in sorted((Path(root) / "data" / "synthetic").glob("*/spec.yaml")):
        if units and not any(f"synthetic/{path.parent.name}/" in text for text in said):
            continue
        spec, mark = read_spec(path), _mark(path)
        current = not mark.is_file() or mark.read_text(encoding="utf-8") == _stamp(spec, path)
        if not (current and _whole(spec, path.parent)):
            draw_country(path)
            drawn.append(path.parent.name)
    return drawn


def _mark(path):
    return path.parent / "truth" / "drawn.json"


def _whole(spec, folder):
    """Whether every file of a country is there."""
    persons = spec["register"] == "persons"
    names = [*OWN, *(OF_PERSONS if persons else ())]
    names += [f"truth/{name}" for name in (*TRUTH, *(TRUTH_OF_PERSONS if persons else ()))]
    return all((folder / _file(name)).is_file() for name in names)


def _stamp(spec, path):
    """Digest of all that a country is drawn from: its spec, the shared tables, and this room's own source."""
    shared = [Path(spec[key]) / f"{name}.csv" for key, files in NEEDED.items() for name in files]
    sources = sorted(source for source in Path(__file__).parent.iterdir() if source.suffix in (".py", ".json"))
    digest = hashlib.sha256()
    for file in (path, *shared, *sources):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return json.dumps({"digest": digest.hexdigest()}) + "\n"
