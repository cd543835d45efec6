"""The undamaged project of the mutation tests: small, and with a bit of everything that params can declare."""

import shutil
from pathlib import Path

import pandas as pd
from conftest import REPO, Project
from mutations import ACADEMY, ROLE

from skillsgap.study.params import DEFAULTS
from skillsgap.study.synthetic.country import make_country, write_country
from skillsgap.study.synthetic.spec import read_spec, small_spec

KEPT = ("digital_literacy", "cloud", "data_interpret", "genai_oversee", "data_security", "privacy", "ai_procurement",
        "collaboration", "innovation_mindset")  # fmt: skip
COURSES = ("B01", "B04", "B07", "P01", "P02", "C02", "R01", "R02", "S01", "S03", "B06")
AGENCIES = {"levy": "yig\u02bbim", "hearth": "ma\u02bcmur", "norvale_office": "cho\u02bbl-viloyat"}


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
    """The framework cut to nine competencies, and files that need what params can declare."""
    items = tables["items"]
    items = items[items["competency_id"].isin(KEPT) & ~items["item_id"].isin(["CB02", "CB03"])]
    items = items.assign(lowest=items["item_id"].map({"DL03": "1"}).fillna(""),
                         reverse=items["item_id"].map({"DL02": "yes"}).fillna("no"))  # fmt: skip
    courses = tables["courses"][tables["courses"]["course_id"].isin(COURSES)]
    courses = courses.drop(columns=["mode", "languages"]).assign(
        provider=courses["provider"].replace("Skills Workshop (fictional)", ACADEMY)
    )
    effects, agencies = tables["course_effects"], tables["agencies"]
    agencies = agencies.assign(label_en=agencies["label_en"].str.replace("Region", "R\u00e9gion"))
    return {
        "competencies": tables["competencies"][tables["competencies"]["competency_id"].isin(KEPT)]
        .drop(columns=["unesco_domain", "digcomp_area"]),
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
    return table.drop(columns=["language", "device_access"]).assign(
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
    return table[["staff_id", "status", "stratum", "weight", "answer_language", "mode", "date", "duration", *items]]


def _declare(project):
    """Codes and numbers of rows, so that what the data can't tell is known."""
    tables = {name: pd.read_csv(project.table(name), dtype=str, keep_default_na=False)
              for name in project.values()["data"] if name != "crosswalks"}  # fmt: skip

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
    register = pd.read_csv(project.table("register"), dtype=str, keep_default_na=False).rename(
        columns={"grade": "daraja"}
    )
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
