"""The undamaged project of the mutation tests: small, and with a bit of everything that params can declare."""

import shutil
from pathlib import Path

import pandas as pd
import yaml
from conftest import REPO, Project
from mutations import ACADEMY, ROLE

from skillsgap.study.params import DEFAULTS
from skillsgap.study.synthetic.country import make_country, write_country
from skillsgap.study.synthetic.spec import read_spec, small_spec

KEPT = ("digital_literacy", "cloud", "data_interpret", "genai_oversee", "data_security", "privacy", "ai_procurement",
        "collaboration", "innovation_mindset")  # fmt: skip
# anchored items, and some of the other types; those that the framework has not are made like one that it has
ITEMS = ("DL01", "DL02", "DL03", "CL01", "CL02", "DI01", "DI02", "GO01", "GO02", "GO03", "DS01", "DS02", "DS03",
         "PR01", "PR02", "PR03", "AP01", "AP02", "AP03", "IM01", "IM02", "IM03", "CB01",
         "KN01", "IP01", "IT01", "IT02", "TE01")  # fmt: skip
MORE = {"DL03": "DL02", "DI02": "DI01", "GO02": "GO01", "GO03": "GO01", "DS03": "DS02", "PR03": "PR02",
        "AP03": "AP02", "IM03": "IM02"}  # fmt: skip
COURSES = ("B01", "B04", "B07", "P01", "P02", "C02", "R01", "R02", "S01", "S03", "B06")
AGENCIES = {"levy": "yig\u02bbim", "hearth": "ma\u02bcmur", "norvale_office": "cho\u02bbl-viloyat"}


def write_bases(root):
    """The clean project, and the same with other declarations.

    Returns
    -------
    dict of str to Project
    """
    bare = _bare(Path(root) / "bare")
    bases = {name: bare.copy(Path(root) / name) for name in ("declared", "cells", "long", "form", "history")}
    for base, change in zip(bases.values(), (_declare, _as_cells, _as_long, _with_form, _with_history), strict=True):
        change(base)
    return {"bare": bare} | bases


def _bare(root):
    project, synthetic = Project(root), REPO / "data" / "synthetic"
    for name in ("data", "params", "made", "framework"):
        (root / name).mkdir(parents=True)
    framework = {name: _text(REPO / "data" / "framework" / f"{name}.csv")
                 for name in ("competencies", "descriptors", "items", "choices", "form_texts")}  # fmt: skip
    framework["items"] = _more_items(framework["items"])
    for name, table in framework.items():
        _write(root / "framework" / f"{name}.csv", table)
    spec = small_spec(read_spec(synthetic / "arvenia" / "spec.yaml"), n_staff=300, n_agencies=3)
    write_country(make_country({**spec, "framework": str(root / "framework")}, random_state=1), root / "made")
    own = {path.name.partition(".")[0]: _text(path) for path in sorted((root / "made").glob("*.csv*"))}
    for name in ("made", "framework"):
        shutil.rmtree(root / name)
    for name, table in _enriched(framework | own).items():
        _write(root / "data" / f"{name}.csv{'.gz' if name == 'register' else ''}", table)
    shutil.copy(REPO / "params" / DEFAULTS, root / "params")
    project.params.write_text((REPO / "tests" / "mutations.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return project


def _text(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _write(path, table):
    table.to_csv(path, index=False, lineterminator="\n")


def _more_items(items):
    """The framework's items, and a second or third one of some competencies, worded as the one before."""
    like = items.set_index("item_id").loc[list(MORE.values())].reset_index()
    return pd.concat([items, like.assign(item_id=list(MORE), type="anchored", form="long", scale="task")])


def _enriched(tables):
    """The framework cut to nine competencies, and files that need what params can declare."""
    items = tables["items"].set_index("item_id", drop=False).loc[list(ITEMS)]
    items = items.assign(lowest=items["lowest"].mask(items["item_id"] == "DL03", "1"),
                         scale=items["scale"].mask(items["item_id"] == "DL03", "task1"),
                         reverse=items["item_id"].map({"DL02": "yes"}).fillna("no"))  # fmt: skip
    choices = tables["choices"][tables["choices"]["scale"].isin(items["scale"])]
    from_1 = choices[choices["scale"] == "task"].assign(scale="task1", code=lambda t: (t["code"].astype(int) + 1))
    courses = tables["courses"][tables["courses"]["course_id"].isin(COURSES)]
    courses = courses.drop(columns=["mode", "languages", "accessible", "prerequisites"]).assign(
        provider=courses["provider"].mask(courses["tier"] == "procurement", ACADEMY)
    )
    effects, agencies, records = tables["course_effects"], tables["agencies"], tables["training_records"]
    agencies = agencies.assign(label_en=agencies["label_en"].str.replace("Region", "R\u00e9gion"))
    kept = {name: tables[name][tables[name]["competency_id"].isin(KEPT)]
            for name in ("competencies", "descriptors", "requirements")}  # fmt: skip
    return {
        **kept,
        "competencies": kept["competencies"].drop(columns=["unesco_domain", "digcomp_area"]),
        "items": items,
        "choices": pd.concat([choices, from_1]),
        "form_texts": tables["form_texts"],
        "courses": courses,
        "course_effects": effects[effects["course_id"].isin(COURSES) & effects["competency_id"].isin(KEPT)],
        "agencies": agencies.replace({"agency_id": AGENCIES, "hub_id": AGENCIES}),
        "grades": pd.DataFrame({"from": ["G1", "G2", "G3", "G4", "G5"],
                                "to": ["junior", "junior", "middle", "senior", "senior"]}),
        "register": _register(tables["register"]),
        "responses": _responses(tables["responses"], list(ITEMS)),
        "training_records": records[records["course_id"].isin(COURSES)].assign(staff_id=records["staff_id"].str[1:]),
        "pilot_outcomes": tables["pilot_outcomes"],
    }  # fmt: skip


def _register(table):
    """Ids of digits, sex as a number, columns under the file's own names."""
    number = pd.Series(range(len(table)), index=table.index)
    hired = "20" + (26 - table["tenure_years"].astype(int) % 20).astype(str).str.zfill(2) + "-03-"
    return table.drop(columns=["language", "device_access", "exit_date"]).assign(
        staff_id=table["staff_id"].str[1:], agency_id=table["agency_id"].replace(AGENCIES),
        sex=table["sex"].map({"female": "1", "male": "2"}),
        hire_date=hired + (number % 28 + 1).astype(str).str.zfill(2),
    ).rename(columns={"role_id": ROLE})  # fmt: skip


def _responses(table, items):
    """Respondents first; an item turned round, one from 1 to 5, missing codes, and a question that may be skipped."""
    table = table.sort_values("status", key=lambda s: s == "no_response", kind="stable").reset_index(drop=True)
    number, answered = pd.Series(range(len(table))), table["status"] != "no_response"

    def turned(name, plus, times):
        other = pd.to_numeric(table[name]).mul(times).add(plus).astype("Int64").astype("string")
        return table[name].where(table[name] == "", other)

    missing = (table["IM01"] == "") & answered
    table = table.assign(
        staff_id=table["staff_id"].str[1:], stratum=table["stratum"].replace(AGENCIES),
        weight=(number % 3).map({0: "1.5", 1: "2.0", 2: "2.25"}),
        duration=(number % 17 + 9).astype(str).where(answered, ""),
        DL02=turned("DL02", 4, -1), DL03=turned("DL03", 1, 1),
        IM01=table["IM01"].mask(missing, number.mod(2).map({0: "88", 1: "99"})),
        CL02=table["CL02"].mask(table["CL01"] == "0", ""),
    )  # fmt: skip
    told = ["staff_id", "status", "stratum", "weight", "answer_language", "mode", "date", "duration", "tested"]
    return table[[*told, *items]]


def _declare(project):
    """Codes and numbers of rows, so that what the data can't tell is known."""
    tables = {name: _text(project.table(name)) for name in project.values()["data"] if name != "crosswalks"}

    def declare(values):
        for name, table in tables.items():
            values["data"][name]["n_rows"] = len(table)
        listed = {"register": ("age_band", "grade", "education", "region"), "requirements": ("role_id", "role_level"),
                  "responses": ("stratum", "answer_language", "mode")}  # fmt: skip
        for name, columns in listed.items():
            values["data"][name]["codes"] = {c: sorted(set(tables[name][c]) - {""}) for c in columns}
        values["data"]["register"]["codes"] |= {"sex": ["female", "male"], "role_level": ["lead", "senior", "staff"]}
        values["data"]["responses"]["columns"] = {"weight": "weight", "stratum": "stratum"}

    project.edit(declare)


def _as_cells(project):
    """The register as cells with head-counts; respondents are linked by cell."""
    cell = ["agency_id", "role_level", ROLE, "daraja", "sex", "age_band"]
    register = _text(project.table("register")).rename(columns={"grade": "daraja"})
    responses = _text(project.table("responses"))
    own = register.set_index("staff_id").loc[responses["staff_id"], cell].reset_index(drop=True)
    responses = pd.concat([responses, own.rename(columns={ROLE: "role_id", "daraja": "grade"})], axis=1)
    responses["sex"] = responses["sex"].map({"1": "female", "2": "male"})
    responses["grade"] = responses["grade"].map({"G1": "junior", "G2": "junior", "G3": "middle"}).fillna("senior")
    cells = register.groupby(cell, sort=True).size().rename("headcount").reset_index()
    _write(project.table("register"), cells)
    _write(project.table("responses"), responses)
    project.edit(lambda values: (
        values["data"]["register"]["columns"].update(grade="daraja"),
        values["data"]["responses"].update(link=["agency_id", "role_id", "role_level", "grade", "sex", "age_band"]),
    ))  # fmt: skip


def _as_long(project):
    """One answer a row, of those who answered and of those who did not."""
    responses = _text(project.table("responses"))
    items = [name for name in responses if name[:2].isupper()]
    told = [name for name in responses if name not in items]
    rows = responses.melt(told, items, "savol", "javob").sort_values(["staff_id", "savol"], kind="stable")
    _write(project.table("responses"), rows)
    project.edit(lambda values: (
        values["data"]["responses"].update(long={"item": "savol", "answer": "javob"}),
        values["data"]["responses"].pop("skip"),
    ))  # fmt: skip


def _with_form(project):
    """What a questionnaire needs besides."""
    more = yaml.safe_load((REPO / "tests" / "mutations_form.yaml").read_text(encoding="utf-8"))
    project.edit(lambda values: (values["data"].update(more.pop("data")), values.update(more)))


def _with_history(project):
    """Courses taken, and a pilot."""
    tables = ("training_records", "pilot_outcomes")
    project.edit(lambda values: values["data"].update({name: {"file": f"../data/{name}.csv"} for name in tables}))
