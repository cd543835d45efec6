"""A small project that uses what params can declare, ways to damage it, and a judge of what comes of each damage.

A kind of damage is a way of going wrong, on a table, on a base (the same project with more or fewer declarations).
"""

import gzip
import json
import shutil
import threading
import time
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import pandas as pd
import yaml
from conftest import REPO, Project

from skillsgap.errors import Problem, SkillsgapError
from skillsgap.run.release import Published
from skillsgap.run.unit import open_unit
from skillsgap.study.params import DEFAULTS, read_params
from skillsgap.study.records import read_study
from skillsgap.study.spelling import fold
from skillsgap.study.spec import read_spec, small_spec
from skillsgap.study.synthetic import make_country, write_country

NOTED, PLAIN, REJECTED = "accepted with note", "accepted, nothing odd to say", "rejected"
INVISIBLE, WRONG = "invisible", "silently wrong"
ENDINGS = (NOTED, PLAIN, REJECTED, INVISIBLE, WRONG)
LIMIT = 20  # seconds
TOLD = ("notes", "sources", "columns")  # what was read, and not what numbers are made of
KEPT = ("digital_literacy", "cloud", "data_interpret", "genai_oversee", "data_security", "privacy", "ai_procurement",
        "digital_leadership", "collaboration", "innovation_mindset")  # fmt: skip
COURSES = ("B01", "B04", "B07", "P01", "P02", "C02", "R01", "R02", "S01", "S03", "B06")
AGENCIES = {"levy": "yig\u02bbim", "hearth": "ma\u02bcmur", "norvale_office": "cho\u02bbl-viloyat"}
ACADEMY = "\u0410\u043a\u0430\u0434\u0435\u043c\u0438\u044f \u0433\u043e\u0441\u0443\u0434\u0430\u0440\u0441\u0442\u0432\u0435\u043d\u043d\u043e\u0439 \u0441\u043b\u0443\u0436\u0431\u044b"  # fmt: skip
ROLE = "yo\u02bbnalish"  # what the register's file calls a role


@dataclass(frozen=True)
class Kind:
    """A kind of damage: what it is done to, how it ends, and what one line of the message must say.

    Parameters
    ----------
    name, table : str
    ends : str
        One of ENDINGS.
    damage : callable
        Gets a project of its own, and damages it.
    said : tuple of str
        Parts of one line of the fault or of the note.
    base : {"bare", "declared", "cells", "long"}
    why : str
        Of what no check can see, and of what is accepted without a word: the reason.
    """

    name: str
    table: str
    ends: str
    damage: object
    said: tuple = ()
    base: str = "bare"
    why: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a damaged project ended, in what words, and after how long."""

    ends: str
    lines: tuple
    seconds: float
    same_tables: bool = False


def some(table, ends, *rows):
    """Kinds of one table and ending: rows of (name, damage, parts of the line or the reason, base)."""
    found = []
    for name, damage, *rest in rows:
        said, base = rest[0] if rest else (), rest[1] if len(rest) > 1 else "bare"
        reason = isinstance(said, str)
        found.append(Kind(name, table, ends, damage, () if reason else said, base, said if reason else ""))
    return found


# ---------------------------------------------------------------- damage


def on_disk(table, change):
    """Change a file's bytes as they are on disk."""
    def damage(project):
        path = project.table(table)
        path.write_bytes(change(path.read_bytes()))

    return damage


def content(table, change):
    """Change a file's bytes as they are once unpacked."""
    zipped = table == "register"
    return on_disk(table, lambda raw: gzip.compress(change(gzip.decompress(raw)), mtime=0) if zipped else change(raw))


def text(table, change):
    """Change a file's text."""
    return content(table, lambda raw: change(raw.decode()).encode())


def lines(table, change):
    """Change a file's lines, the header first."""
    return text(table, lambda old: "".join(f"{line}\n" for line in change(old.splitlines())))


def frame(table, change):
    """Change a file's rows: a frame of text whose index is the line."""
    return lambda project: project.rewrite(table, change)


def column(table, name, change):
    """Change one column."""
    return frame(table, lambda rows: rows.assign(**{name: change(rows[name])}))


def cell(table, line, name, value):
    """Write one value."""
    return column(table, name, lambda values: values.mask(values.index == line, value))


def renamed(table, **names):
    """Rename columns of the file; {old: new}."""
    return frame(table, lambda rows: rows.rename(columns=names))


def swapped(table, one, other):
    """Two columns stand under each other's names."""
    return frame(table, lambda rows: rows.rename(columns={one: other, other: one}))


def params(*keys, **values):
    """Change the params below some keys."""
    def change(content):
        for key in keys:
            content = content.setdefault(key, {})
        content.update(values)

    return lambda project: project.edit(change)


def written(change):
    """Change the text of the params file."""
    def damage(project):
        project.params.write_text(change(project.params.read_text(encoding="utf-8")), encoding="utf-8")

    return damage


def both(*damages):
    """One damage after the other."""
    return lambda project: [damage(project) for damage in damages]


def file_named(table, name, **declared):
    """The same bytes under another name, which params give."""
    def damage(project):
        path = project.table(table)
        path.rename(path.with_name(name))
        params("data", table, file=f"../data/{name}", **declared)(project)

    return damage


# ---------------------------------------------------------------- the project


def write_bases(root):
    """The clean project, and the same with other declarations.

    Returns
    -------
    dict of str to Project
    """
    bare = _bare(Path(root) / "bare")
    bases = {name: bare.copy(Path(root) / name) for name in ("declared", "cells", "long")}
    _declare(bases["declared"])
    _as_cells(bases["cells"])
    _as_long(bases["long"])
    return {"bare": bare} | bases


def _bare(root):
    project, synthetic, made = Project(root), REPO / "data" / "synthetic", root / "made"
    for name in ("data", "params", "made"):
        (root / name).mkdir(parents=True)
    spec = small_spec(read_spec(synthetic / "arvenia" / "spec.yaml"), n_staff=300, n_agencies=3)
    write_country(make_country(spec, random_state=1), made)
    tables = {name: pd.read_csv(folder / f"{name}.csv{gz}", dtype=str, keep_default_na=False)
              for folder, gz, names in ((synthetic / "framework", "", ("competencies", "items", "requirements",
                                                                        "courses", "course_effects")),
                                        (made, "", ("agencies", "responses")), (made, ".gz", ("register",)))
              for name in names}  # fmt: skip
    shutil.rmtree(made)
    for name, table in _enriched(tables).items():
        table.to_csv(root / "data" / f"{name}.csv{'.gz' if name == 'register' else ''}", index=False,
                     lineterminator="\n")  # fmt: skip
    shutil.copy(REPO / "params" / DEFAULTS, root / "params")
    project.params.write_text((REPO / "tests" / "mutations.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return project


def _enriched(tables):
    """The framework cut to ten competencies, and files that need what params can declare."""
    items = tables["items"]
    items = items[items["competency_id"].isin(KEPT) & ~items["item_id"].isin(["CB02", "CB03"])]
    items = items.assign(lowest=items["item_id"].map({"DL03": "1"}).fillna(""),
                         reverse=items["item_id"].map({"DL02": "yes"}).fillna("no"))  # fmt: skip
    courses = tables["courses"][tables["courses"]["course_id"].isin(COURSES)]
    courses = courses.assign(provider=courses["provider"].replace("Skills Workshop (fictional)", ACADEMY))
    effects, agencies = tables["course_effects"], tables["agencies"]
    agencies = agencies.assign(label_en=agencies["label_en"].str.replace("Region", "R\u00e9gion"))
    return {
        "competencies": tables["competencies"][tables["competencies"]["competency_id"].isin(KEPT)],
        "items": items,
        "requirements": tables["requirements"][tables["requirements"]["competency_id"].isin(KEPT)],
        "courses": courses,
        "course_effects": effects[effects["course_id"].isin(COURSES) & effects["competency_id"].isin(KEPT)],
        "agencies": agencies.replace({"agency_id": AGENCIES, "hub_id": AGENCIES}),
        "grades": pd.DataFrame({"from": ["G1", "G2", "G3", "G4", "G5"],
                                "to": ["junior", "junior", "middle", "senior", "senior"]}),
        "register": _register(tables["register"]),
        "responses": _responses(tables["responses"], items["item_id"].tolist()),
    }  # fmt: skip


def _register(table):
    """Ids of digits, sex as a number, columns under the file's own names."""
    number = pd.Series(range(len(table)), index=table.index)
    hired = "20" + (26 - table["tenure_years"].astype(int) % 20).astype(str).str.zfill(2) + "-03-"
    return table.assign(
        staff_id=table["staff_id"].str[1:], agency_id=table["agency_id"].replace(AGENCIES),
        sex=table["sex"].map({"female": "1", "male": "2"}), hire_date=hired + (number % 28 + 1).astype(str).str.zfill(2),
    ).rename(columns={"role_id": ROLE})  # fmt: skip


def _responses(table, items):
    """Respondents first; an item turned round, one from 1 to 5, missing codes, and a question that may be skipped."""
    table = table.sort_values("status", key=lambda s: s == "no_response", kind="stable").reset_index(drop=True)
    number, answered = pd.Series(range(len(table))), table["status"] != "no_response"
    def turned(name, plus, times):
        return table[name].where(table[name] == "", pd.to_numeric(table[name]).mul(times).add(plus).astype("Int64")
                                 .astype("string"))  # fmt: skip
    missing = (table["IM01"] == "") & answered
    table = table.assign(
        staff_id=table["staff_id"].str[1:], stratum=table["stratum"].replace(AGENCIES),
        weight=(number % 3).map({0: "1.5", 1: "2.0", 2: "2.25"}), duration=(number % 17 + 9).astype(str).where(answered, ""),
        DL02=turned("DL02", 4, -1), DL03=turned("DL03", 1, 1),
        IM01=table["IM01"].mask(missing, number.mod(2).map({0: "88", 1: "99"})),
        CL02=table["CL02"].mask(table["CL01"] == "0", ""),
    )  # fmt: skip
    return table[["staff_id", "status", "stratum", "weight", "answer_language", "mode", "date", "duration", *items]]


def _declare(project):
    """Codes and numbers of rows, so that what the data can't tell is known."""
    tables = {name: pd.read_csv(project.table(name), dtype=str, keep_default_na=False)
              for name in project.values()["data"] if name != "crosswalks"}  # fmt: skip
    def declare(values):
        for name, table in tables.items():
            values["data"][name]["n_rows"] = len(table)
        listed = {"register": ("age_band", "grade", "education", "device_access", "language", "region"),
                  "responses": ("stratum", "answer_language", "mode"), "requirements": ("role_id", "role_level")}  # fmt: skip
        for name, columns in listed.items():
            values["data"][name]["codes"] = {c: sorted(set(tables[name][c]) - {""}) for c in columns}
        values["data"]["register"]["codes"] |= {"sex": ["female", "male"], "role_level": ["lead", "senior", "staff"]}
        values["data"]["responses"]["columns"] = {"weight": "weight", "stratum": "stratum"}

    project.edit(declare)


def _as_cells(project):
    """The register as cells with head-counts; respondents are linked by cell."""
    cell = ["agency_id", "role_level", ROLE, "daraja", "sex", "age_band"]
    register = pd.read_csv(project.table("register"), dtype=str, keep_default_na=False).rename(columns={"grade": "daraja"})
    responses = pd.read_csv(project.table("responses"), dtype=str, keep_default_na=False)
    own = register.set_index("staff_id").loc[responses["staff_id"], cell].reset_index(drop=True)
    responses = pd.concat([responses, own.rename(columns={ROLE: "role_id", "daraja": "grade"})], axis=1)
    responses["sex"] = responses["sex"].map({"1": "female", "2": "male"})
    responses["grade"] = responses["grade"].map({"G1": "junior", "G2": "junior", "G3": "middle"}).fillna("senior")
    cells = register.groupby(cell, sort=True).size().rename("headcount").reset_index()
    cells.to_csv(project.table("register"), index=False, lineterminator="\n")
    responses.to_csv(project.table("responses"), index=False, lineterminator="\n")
    project.edit(lambda values: (
        values["data"]["register"]["columns"].update(grade="daraja"),
        values["data"]["responses"].update(link=["agency_id", "role_id", "role_level", "grade", "sex", "age_band"]),
    ))  # fmt: skip


def _as_long(project):
    """One answer a row, of those who answered and of those who did not."""
    responses = pd.read_csv(project.table("responses"), dtype=str, keep_default_na=False)
    items = [name for name in responses if name[:2].isupper()]
    told = [name for name in responses if name not in items]
    rows = responses.melt(told, items, "savol", "javob").sort_values(["staff_id", "savol"], kind="stable")
    rows.to_csv(project.table("responses"), index=False, lineterminator="\n")
    project.edit(lambda values: (
        values["data"]["responses"].update(long={"item": "savol", "answer": "javob"}),
        values["data"]["responses"].pop("skip"),
    ))  # fmt: skip


# ---------------------------------------------------------------- the judge


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
            study = read_study(read_params(project.params))
            same = clean.declares(project) and equal(tables_of(study), tables_of(clean.study))
            if not same and not equal(released(project), clean.released, plain):
                return Outcome(WRONG, notes_of(study.notes), 0)
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
        return {**project.values(), "data": None} == self._asked

    @cached_property
    def released(self):
        return released(self.project)


def released(project):
    """Released tables of a project, by name."""
    return Published(open_unit(project.unit, root=project.root)).release.tables


def tables_of(study):
    """Tables that the numbers are made of, by name."""
    return {name: table for name, table in study.tables().items() if name not in TOLD}


def equal(one, other, change=lambda table: table):
    """Whether two sets of tables are the same bit for bit, as they are or after a change."""
    return set(one) == set(other) and all(change(one[name]).equals(change(other[name])) for name in one)


def plain(table):
    """A released table with its codes and names in one kind of apostrophe, dash and blank: the numbers are as they were."""
    texts = [name for name in table if pd.api.types.is_string_dtype(table[name])]
    return table.assign(**{name: table[name].map(fold, na_action="ignore") for name in texts})


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


def yaml_of(values):
    """A params file's text."""
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
