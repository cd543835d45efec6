"""What comes of a damage: the released numbers against those of the same project undamaged."""

import json
import shutil
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from unittest import mock

import pandas as pd
from conftest import Project
from mutations import NOTED, PLAIN, REJECTED, WRONG
from mutations_project import write_bases

from skillsgap.errors import Problem, SkillsgapError
from skillsgap.run.questionnaire import form_of
from skillsgap.run.release import Published
from skillsgap.run.unit import open_unit
from skillsgap.study.params import read_params
from skillsgap.study.records import read_study
from skillsgap.study.spelling import fold

LIMIT = 20  # seconds
TOLD = ("notes", "sources", "columns")  # what was read, and not what numbers are made of


@dataclass(frozen=True)
class Outcome:
    """How a damaged project ended, in what words, and after how long."""

    ends: str
    lines: tuple
    seconds: float
    same_tables: bool = False


class Judge:
    """What comes of a damage, against the same project undamaged, which is run once.

    Parameters
    ----------
    root : path-like
        A folder for the projects.
    """

    def __init__(self, root):
        self.root, self.bases = Path(root), write_bases(root)
        self._clean = {}

    def clean(self, base):
        """Study and released tables of the undamaged project."""
        if base not in self._clean:
            self._clean[base] = Clean(self.bases[base])
        return self._clean[base]

    def damaged(self, kind):
        """A copy of the kind's project, damaged."""
        root = self.root / "damaged"
        shutil.rmtree(root, ignore_errors=True)
        project = self.bases[kind.base].copy(root)
        shutil.rmtree(root / "build", ignore_errors=True)
        kind.damage(project)
        return project

    def outcome(self, kind):
        """How a kind ends: an Outcome; a fault that is not one of ours is raised."""
        project, clean = self.damaged(kind), self.clean(kind.base)
        begun = time.perf_counter()
        result = _limited(partial(self._end, project, clean))
        return replace(result, seconds=time.perf_counter() - begun)

    def _end(self, project, clean):
        try:
            params = read_params(project.params)
            study = read_study(params)
            same = clean.declares(project) and equal(tables_of(study), tables_of(clean.study))
            if not same and not equal(released(project, study), clean.released, plain):
                return Outcome(WRONG, notes_of(study.notes), 0)
            if "questionnaire" in params.values:
                form_of(params)  # as validate does; a fault of the form stops no numbers, so these are looked at first
        except SkillsgapError as error:
            return Outcome(REJECTED, tuple(str(error).splitlines()), 0)
        told = tuple(line for line in notes_of(study.notes) if line not in notes_of(clean.study.notes))
        return Outcome(NOTED if told else PLAIN, told, 0, same)


@dataclass(frozen=True)
class Clean:
    """The undamaged project and what comes of it."""

    project: Project

    @cached_property
    def study(self):
        return read_study(read_params(self.project.params))

    @cached_property
    def _asked(self):
        return {**self.project.values(), "data": None}

    def declares(self, project):
        """Whether a project's params ask for the same numbers: they differ in what they say of the data at the most."""
        same = project.params.read_bytes() == self.project.params.read_bytes()
        return same or {**project.values(), "data": None} == self._asked

    @cached_property
    def released(self):
        return released(self.project, self.study)


def released(project, study=None):
    """Released tables of a project, by name; from its study, where that has been read already."""
    with mock.patch("skillsgap.run.chain.read_study", lambda *_, **__: study) if study else nullcontext():
        return Published(open_unit(project.unit, root=project.root)).release.tables


def tables_of(study):
    """Tables that the numbers are made of, by name."""
    return {name: table for name, table in study.tables().items() if name not in TOLD}


def equal(one, other, change=lambda table: table):
    """Whether two sets of tables are the same bit for bit, as they are or after a change."""
    return set(one) == set(other) and all(change(one[name]).equals(change(other[name])) for name in one)


def plain(table):
    """A released table in one order of rows, its codes and names in one kind of apostrophe, dash and blank."""
    texts = [name for name in table if pd.api.types.is_string_dtype(table[name])]
    folded = table.assign(**{name: table[name].map(fold, na_action="ignore") for name in texts})
    return folded.sort_values(list(table), ignore_index=True)


def notes_of(notes):
    """Notes as lines."""
    return tuple(
        str(Problem(n.file, n.text, n.remedy, None if pd.isna(n.line) else n.line, n.column or None, n.rows,
                    json.loads(n.values))) for n in notes.itertuples(index=False)
    )  # fmt: skip


def _limited(call):
    """The result of a call, within LIMIT seconds."""
    result = []
    thread = threading.Thread(target=lambda: result.append(_caught(call)), daemon=True)
    thread.start()
    thread.join(LIMIT)
    if not result:
        raise TimeoutError(f"no answer in {LIMIT} seconds")
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def _caught(call):
    try:
        return call()
    except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
        return error
