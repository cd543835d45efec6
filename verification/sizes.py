"""Registers of 1 and 10 million staff: time and memory until they are cells, beside plain pandas on the first.

Run by ``make verify``; QUICK=1 leaves the 10 million out. The registers are synthetic, drawn from a fixed seed, with
the columns of the fictional countries' registers. Each reading is a process of its own, so that its peak memory is
its own; peaks are above that of a process that only imports the library. Results are compared before times are.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

CELL = ["agency_id", "role_id", "role_level", "grade", "sex", "region", "age_band"]
BATCH = 1_000_000
SEED = 20260301
PARAMS = """
unit: large
title: {en: A large register (synthetic)}
fictional: true
report_languages: [en]
study: {population: {en: staff}, years: "2026"}
design: {calibrate: [sex, age_band]}
data:
  register: {file: FILE}
"""


def draw(start, rows):
    """Some staff of a register: ids in order, the rest by chance; a batch is the same whatever came before it."""
    rng = np.random.default_rng([SEED, start])

    def codes(name, n):
        return np.array([f"{name}{i:02d}" for i in range(n)])[rng.integers(n, size=rows)]

    return pa.table({
        "staff_id": np.char.add("S", np.char.zfill(np.arange(start, start + rows).astype(str), 9)),
        "agency_id": codes("agency", 60),
        "admin_level": np.array(["central", "regional", "local"])[rng.integers(3, size=rows)],
        "region": codes("region", 14),
        "role_id": codes("role", 12), "role_level": codes("rank", 3), "isco08": codes("24", 20),
        "grade": codes("G", 6), "sex": codes("sex", 2), "age_band": codes("age", 4), "language": codes("qa", 2),
        "tenure_years": rng.integers(0, 40, rows).astype(str), "education": codes("degree", 3),
        "device_access": codes("device", 2),
    })  # fmt: skip


def write(folder, rows, kind):
    """A register of so many rows as .csv or .parquet, written batch by batch."""
    path = Path(folder) / f"register_{rows}.{kind}"
    schema = draw(0, 1).cast(pa.schema([(name, pa.string()) for name in draw(0, 1).column_names])).schema
    if kind == "csv":  # without quotes, as most registers come
        opened = pa.csv.CSVWriter(path, schema, write_options=pa.csv.WriteOptions(quoting_style="needed"))
    else:
        opened = pa.parquet.ParquetWriter(path, schema)
    with opened as writer:
        for start in range(0, rows, BATCH):
            writer.write_table(draw(start, min(BATCH, rows - start)).cast(schema))
    return path


def ours(path):
    """The register as the suite reads it: checked, and counted by cell."""
    from skillsgap.study.params import read_params
    from skillsgap.study.records import read_study

    params = path.with_name("large.yaml")
    defaults = (Path(__file__).parents[1] / "params" / "_defaults.yaml").read_text(encoding="utf-8")
    path.with_name("_defaults.yaml").write_text(defaults, encoding="utf-8")
    params.write_text(PARAMS.replace("FILE", path.name), encoding="utf-8")
    return lambda: read_study(read_params(params)).register


def plain(path):
    """The register as a short pandas script reads it: all of it as text, then counted; nothing is checked."""
    def read():
        options = {"dtype": str, "keep_default_na": False}
        frame = pd.read_csv(path, **options) if path.suffix == ".csv" else pd.read_parquet(path)
        return frame.groupby(CELL, sort=True).size().rename("headcount").reset_index()

    return read


def peak_memory():
    """Peak resident memory of this process in KiB; what its parent once held is not counted."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def measure(how, path):
    """Seconds, peak memory above the start in MiB, and a digest of the cells, of one reading in this process."""
    read = {"skillsgap": ours, "pandas": plain}[how](path)
    before = peak_memory()
    started = time.perf_counter()
    cells = read()
    seconds = time.perf_counter() - started
    peak = peak_memory() - before
    text = cells[[*CELL, "headcount"]].sort_values(CELL).to_csv(index=False)
    told = {"seconds": seconds, "mib": peak / 1024, "staff": int(cells["headcount"].sum()), "cells": len(cells)}
    print(json.dumps({**told, "digest": hashlib.sha256(text.encode()).hexdigest()}))


def apart(how, path):
    """The same in a process of its own."""
    command = [sys.executable, __file__, how, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"})  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def compare(folder, rows, runs):
    """Both ways on the same file, turn by turn; the medians of their ratios."""
    wrong = 0
    for kind in ("csv", "parquet"):
        path = write(folder, rows, kind)
        pairs = [(apart("skillsgap", path), apart("pandas", path)) for _ in range(runs)]
        wrong += sum(a["digest"] != b["digest"] for a, b in pairs)
        for how, told in zip(("skillsgap", "plain pandas"), zip(*pairs, strict=True), strict=True):
            show(how, kind, rows, told)
        ratios = {key: np.median([a[key] / b[key] for a, b in pairs]) for key in ("seconds", "mib")}
        print(f"  skillsgap against pandas: time {ratios['seconds']:.2f} times, memory {ratios['mib']:.2f} times, "
              f"median of {runs} pairs; cells that differ: {wrong}")
        path.unlink()
    return wrong


def show(how, kind, rows, told):
    seconds, mib = (np.median([each[key] for each in told]) for key in ("seconds", "mib"))
    print(f"{how:<13} {kind:<8} {rows:>11,} staff {told[0]['cells']:>8,} cells {seconds:7.2f} s {mib:8.0f} MiB",
          flush=True)


def main():
    if len(sys.argv) == 3:
        return measure(sys.argv[1], Path(sys.argv[2]))
    quick = bool(os.environ.get("QUICK"))
    with tempfile.TemporaryDirectory() as folder:
        wrong = compare(folder, 1_000_000, 3 if quick else 5)
        for kind in () if quick else ("csv", "parquet"):
            path = write(folder, 10_000_000, kind)
            told = apart("skillsgap", path)
            show("skillsgap", kind, 10_000_000, [told])
            wrong += told["staff"] != 10_000_000
            path.unlink()
    print(f"large registers: {wrong} differences")
    return sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
