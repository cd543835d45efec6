"""Which stages each real file reaches through a params file alone, and whether its numbers are right.

Run by ``make verify DATA=folder``. The files are named in tests/real/*.yaml, and two in params/; the table is held
against tests/real/reached.csv, and the numbers against plain numpy and pandas on the same files, written here.
QUICK=1 reads and compares all, and fits profiles for one unit; --write writes the table anew, keeping the reasons.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from skillsgap.run.unit import DATA, open_unit  # noqa: E402
from skillsgap.study.params import DEFAULTS  # noqa: E402
from skillsgap.study.reading.readers import read_text  # noqa: E402

REPO = Path(__file__).parents[1]
REAL = REPO / "tests" / "real"
REACHED = REAL / "reached.csv"
STAGES = {"read": "sources", "quality": "quality", "means": "means", "profiles": "profiles", "staff": "headcounts",
          "gaps": "gaps", "priorities": "priorities", "readiness": "readiness", "plan": "plan_summary"}  # fmt: skip
FITTED = ("profiles", "staff", "plan")  # stages that rest on a fit
SHIPPED = ("est-piaac", "kor-piaac")  # units of params/ whose files are real
QUICKLY, LEFT_OUT = "est-piaac", "not fitted"  # the one unit that QUICK fits, and what it says of the others
KEYS = ["file", "unit", "table"]
REPLICATES = {"chl": 17}  # VENREPS; the others have 80
FACTOR = {"jk1": 79 / 80, "jk2": 1.0}
TESTED = {"literacy": "PVLIT", "numeracy": "PVNUM"}
NO_CODE = ["", "9995", "9996", "9997", "9998", "9999"]
# Linzer & Lewis (2011), Journal of Statistical Software 42(10), as poLCA prints them: classes, log-likelihood
LOGLIK = {"polca-carcinoma": (3, -293.705), "polca-cheating": (2, -440.0271)}


def names():
    """Units whose files are real."""
    return sorted([*SHIPPED, *(path.stem for path in REAL.glob("*.yaml"))])


def data_folder(given=None):
    """The folder of real files: the one named, SKILLSGAP_DATA, or ../shared/data; None where none is there."""
    places = [given, os.environ.get(DATA), REPO.parent / "shared" / "data"]
    return next((Path(place).resolve() for place in places if place and (Path(place) / "survey_piaac").is_dir()), None)


def project(folder):
    """A project folder with these units and the documented defaults."""
    params = shutil.copytree(REAL, Path(folder) / "params")
    for name in (DEFAULTS, *(f"{unit}.yaml" for unit in SHIPPED)):
        shutil.copy(REPO / "params" / name, params)
    return Path(folder)


def reach(unit, *, quick=False):
    """Which stages a unit reaches ("yes" or ""; "not fitted" where `quick` leaves it out), and the seconds of each."""
    reached, seconds = {}, {}
    for stage, table in STAGES.items():
        start = time.perf_counter()
        if quick and stage in FITTED and unit.name != QUICKLY:
            reached[stage] = LEFT_OUT
            continue
        made = unit.table(table)
        reached[stage] = "yes" if made is not None and len(made) else ""
        seconds[stage] = time.perf_counter() - start
    return reached, seconds


def rows_of(unit, reached):
    """A row for each outside file of a unit: how many of its rows were read and kept, and the unit's stages."""
    sources, declared = unit.table("sources").set_index("table"), unit.values["data"]
    walks = {f"crosswalk {name}": spec for name, spec in declared.get("crosswalks", {}).items()}
    for table, spec in {**declared, **walks}.items():
        path = Path(unit.data) / spec.get("file", "")
        if path.is_file():
            # a crosswalk is read whole and is no source of figures
            counts = sources.loc[table, ["rows", "kept"]] if table in sources.index else [len(read_text(path))] * 2
            judged = "yes" if table in set(unit.table("quality")["table"]) else ""
            yield [spec["file"], unit.name, table, *(str(int(count)) for count in counts),
                   *{**reached, "quality": judged}.values()]  # fmt: skip


def reached_table(units, data, *, quick=False):
    """File × stage, with the files that no unit names; prints a line a unit as it goes."""
    rows = []
    for unit in units:
        reached, seconds = reach(unit, quick=quick)
        rows += rows_of(unit, reached)
        there = ", ".join(stage for stage, state in reached.items() if state == "yes")
        slowest = max(seconds, key=seconds.get)
        print(f"{unit.name:<18} {sum(seconds.values()):5.1f} s (longest: {slowest} {seconds[slowest]:.1f} s)  {there}",
              flush=True)  # fmt: skip
    files = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.*") if path.suffix != ".md")
    named = {row[0] for row in rows}
    rows += [[name, "", "", "", "", *[""] * len(STAGES)] for name in files if name not in named]
    return pd.DataFrame(rows, columns=[*KEYS, "rows", "kept", *STAGES]).sort_values(KEYS, ignore_index=True)


def committed():
    """The table as it is committed; `why` says what stops a file where it stops."""
    return pd.read_csv(REACHED, dtype=str, keep_default_na=False) if REACHED.exists() else None


def unlike(table, before):
    """Lines about rows and values that differ from the committed table; what QUICK leaves out differs from nothing."""
    columns = [column for column in table if column not in KEYS]
    here, there = (each.set_index(KEYS)[columns].stack() for each in (table, before))
    missing = here.index.symmetric_difference(there.index)
    both = here.index.intersection(there.index)
    lines = [f"{' '.join(key)}: is in one of the tables only" for key in missing]
    return lines + [f"{' '.join(key)}: {here[key]!r}, and the committed table says {there[key]!r}"
                    for key in both if here[key] not in (LEFT_OUT, there[key])]  # fmt: skip


# --- the numbers, by other means ---------------------------------------------------------------------------------


def piaac(unit, data):
    """PIAAC's formulas in plain numpy: means and standard errors by group, and derived requirements."""
    spec = unit.values["data"]["responses"]
    raw = pd.read_parquet(data / spec["file"])
    count, factor = REPLICATES.get(spec["file"].split("_")[-2], 80), FACTOR[spec["replicates"]]
    weights = raw[[f"SPFWT{r}" for r in range(count + 1)]].to_numpy(dtype=float)
    public = (raw["D_Q03"] == 2).to_numpy(dtype=bool)
    codes = {by: raw[spec["columns"][by]].astype(object).fillna("").astype(str).to_numpy()
             for by in unit.values["gaps"]["by"]}  # fmt: skip
    table = unit.table("means").set_index(["by", "group", "variable"])
    for name, prefix in TESTED.items():
        scores = raw[[f"{prefix}{m}" for m in range(1, 11)]].to_numpy(dtype=float)
        known = ~np.isnan(scores).any(axis=1)
        groups = {("all", "all"): public & known}
        for by, code in codes.items():
            for value in sorted(set(code[public]) - set(NO_CODE)):
                named = spec.get("recode", {}).get(by, {}).get(value, value)
                groups[by, named] = public & known & (code == value)
        for (by, group), rows in groups.items():
            row, total = table.loc[(by, group, name)], weights[rows].sum(axis=0)
            yield f"{by} {group} {name} n", row["n"], rows.sum()
            if (total > 0).all():  # a replicate without anybody of the group has no mean, and the formula no value
                estimate, se = combined(scores[rows].T @ weights[rows] / total, factor)
                yield f"{by} {group} {name} mean", row["estimate"], estimate
                yield f"{by} {group} {name} standard error", row["se"], se
        yield from requirements(unit, raw, name, scores, weights, codes["isco08"], factor)


def combined(stack, factor):
    """Estimate and standard error of (10 plausible values, 1 + R weights): U + 1.1 B."""
    sampling = factor * ((stack[:, 1:] - stack[:, :1]) ** 2).sum(axis=1).mean()
    return stack[:, 0].mean(), np.sqrt(sampling + 1.1 * stack[:, 0].var(ddof=1))


def requirements(unit, raw, name, scores, weights, isco, factor):
    """5th weighted percentile of the well-matched of an occupation, where there are at least ten."""
    matched = ((raw["F_Q07a"] == 2) & (raw["F_Q07b"] == 2)).fillna(False).to_numpy(dtype=bool)
    made = unit.table("derived_requirements").query("competency_id == @name").dropna(subset="required_level")
    found = {}
    for code in sorted(set(isco) - {"0", *NO_CODE}):
        rows = np.flatnonzero(matched & (isco == code))
        if len(rows) >= 10:
            found[code] = np.array([percentile(scores[rows, m], weights[rows]) for m in range(10)])
    yield f"occupations with a requirement in {name}", " ".join(sorted(made["role_id"].unique())), " ".join(found)
    for code, stack in found.items():
        mine = made[made["role_id"] == code].pivot(
            index="plausible_value", columns="replicate", values="required_level").to_numpy()  # fmt: skip
        for what, ours, theirs in zip(("level", "its standard error"), combined(mine, factor), combined(stack, factor),
                                      strict=True):  # fmt: skip
            yield f"required {name} of occupation {code}, {what}", ours, theirs


def percentile(values, weights, share=0.05):
    """Smallest value at or below which a share of the weight lies, under each column of weights."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order], axis=0)
    first = (cumulated / cumulated[-1] >= share - 1e-12).argmax(axis=0)
    return values[order][first]


def register(unit, data):
    """Head-count of the whole and of every agency, role and grade, as plain pandas counts them."""
    spec = unit.values["data"]["register"]
    raw = pd.read_csv(data / spec["file"], dtype=str, keep_default_na=False)
    for column, condition in spec.get("population", {}).items():
        raw = raw[raw[column].isin([str(code) for code in condition["in"]])]
    columns = spec["columns"]
    people = raw[columns["headcount"]].astype(int) if "headcount" in columns else pd.Series(1, index=raw.index)
    cells = unit.table("register")
    yield "staff", cells["headcount"].sum(), people.sum()
    for column in ("agency_id", "role_id", "grade"):
        if column in columns:
            ours, theirs = cells.groupby(column)["headcount"].sum(), people.groupby(raw[columns[column]]).sum()
            for code in ours.index.union(theirs.index):
                yield f"staff of {column} {code}", ours.get(code), theirs.get(code)


def aggregates(unit, data):
    """Published figures, as plain pandas reads them."""
    spec = unit.values["data"]["aggregates"]
    read = pd.read_parquet if spec["file"].endswith("parquet") else pd.read_csv
    raw = read(data / spec["file"])
    for column, condition in spec["population"].items():
        raw = raw[raw[column].isin(condition["in"])] if "in" in condition else raw[raw[column].notna()]
    factor = 100 if "percent" in spec.get("numbers", {}) else 1
    raw = raw.rename(columns={theirs: ours for ours, theirs in spec["columns"].items()})
    for column, codes in spec["recode"].items():
        raw[column] = raw[column].replace(codes)
    raw["group"] = raw["group"].mask(raw["by"] == "all", "all")
    ours = unit.table("means").set_index(["by", "group", "variable"])
    yield "figures", len(ours), len(raw)
    for row in raw.to_dict("records"):
        mine = ours.loc[(row["by"], mended(row["group"]), row["competency_id"])]
        for column in {"estimate", "ci_low", "ci_high"} & set(raw):
            yield f"{row['by']} {row['group']} {row['competency_id']} {column}", mine[column], row[column] / factor


def mended(name):
    """Names of Uruguay's regions were read as Windows-1252 upstream; the suite mends them, and notes that it did."""
    return name.encode("cp1252").decode() if "\u00c3" in name else name


def levels(unit, data):
    """What roles require, as plain pandas reads it."""
    spec = unit.values["data"]["requirements"]
    raw = pd.read_csv(data / spec["file"], dtype=str, keep_default_na=False)
    raw = raw.rename(columns={theirs: ours for ours, theirs in spec["columns"].items()})
    if "crosswalk" in spec:
        raw["required_level"] = (raw["required_level"].astype(int) / 25).astype(str)
    raw = raw[raw["required_level"] != ""].assign(**{name: str(value) for name, value in spec["constants"].items()})
    keys = ["role_id", "role_level", "competency_id"]
    raw = raw[[*keys, "required_level"]].drop_duplicates().set_index(keys)["required_level"].astype(float)
    ours = unit.table("requirements").set_index(keys)["required_level"]
    yield "requirements", len(ours), len(raw)
    for key, level in raw.items():
        yield " / ".join(key), ours.get(key), level


def indicators(unit, data):
    """The one value of a country, as plain pandas reads it."""
    spec = unit.values["data"]["indicators"]
    raw = pd.read_csv(data / spec["file"])
    (column, condition), = spec["population"].items()
    raw = raw[raw[column].str.strip().isin(condition["in"])]
    yield spec["columns"]["value"], unit.table("indicators")["value"].item(), raw[spec["columns"]["value"]].item()


def published_fit(unit, _):
    """The log-likelihood that poLCA's authors print."""
    n_profiles, loglik = LOGLIK[unit.name]
    yield f"log-likelihood of {n_profiles} classes", round(unit.table("selection").set_index("n_profiles")["loglik"]
                                                          [n_profiles], 3), round(loglik, 3)  # fmt: skip


def proofs(unit, *, quick=False):
    """Pairs of what the suite says and what other means say: (what, ours, theirs)."""
    declared = unit.values["data"]
    wanted = [piaac] * ("plausible_values" in declared.get("responses", {})) + [register] * ("register" in declared)
    wanted += [aggregates] * ("aggregates" in declared) + [levels] * ("file" in declared.get("requirements", {}))
    wanted += [indicators] * ("indicators" in declared)
    wanted += [published_fit] * (unit.name in LOGLIK and not quick)
    for proof in wanted:
        yield from proof(unit, Path(unit.data))


def differ(ours, theirs):
    """Whether two values are not the same, numbers to 1e-9 of their size."""
    if isinstance(theirs, str) or ours is None or theirs is None:
        return ours != theirs
    return not (np.isclose(float(ours), float(theirs), rtol=1e-9, atol=1e-9) or (pd.isna(ours) and pd.isna(theirs)))


def compare(units, *, quick=False):
    """Lines about numbers that differ; prints a line a unit."""
    lines = []
    for unit in units:
        pairs = list(proofs(unit, quick=quick))
        odd = [f"{unit.name}: {what}: {ours!r}, by other means {theirs!r}"
               for what, ours, theirs in pairs if differ(ours, theirs)]  # fmt: skip
        if pairs:
            print(f"{unit.name:<18} {len(pairs):6,} numbers by other means, {len(odd)} differ", flush=True)
        lines += odd
    return lines


def main():
    """Print the table and every difference; the exit code is 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="FOLDER", help="folder of the real files")
    parser.add_argument("--write", action="store_true", help="write tests/real/reached.csv anew")
    arguments = parser.parse_args()
    data, quick = data_folder(arguments.data), bool(os.environ.get("QUICK")) and not arguments.write
    if data is None:
        print("real files: skipped, since neither --data, SKILLSGAP_DATA nor ../shared/data holds them")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root = project(folder)
        units = [open_unit(name, data=data, root=root) for name in names()]
        table, before = reached_table(units, data, quick=quick), committed()
        lines = compare(units, quick=quick)
    print(table.to_string(index=False))
    if arguments.write:
        why = {} if before is None else before.set_index(KEYS)["why"].to_dict()
        table["why"] = [why.get(tuple(key), "") for key in table[KEYS].to_numpy()]
        table.to_csv(REACHED, index=False, lineterminator="\n")
    else:
        lines += unlike(table, before.drop(columns="why"))
    print("\n".join([*lines, f"real files: {len(lines)} differences"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
