"""Wall and CPU time of every stage of the fictional units, computed afresh in an empty store.

Run by ``make bench``; the seed is the params file's own, so only the machine varies.
"""

import shutil
import tempfile
import time
from pathlib import Path

from skillsgap.run.unit import open_unit, project_root, unit_names
from skillsgap.study.params import read_params


def main():
    root = project_root()
    with tempfile.TemporaryDirectory() as folder:
        for place in ("params", "data", "requirements"):
            shutil.copytree(root / place, Path(folder) / place)
        for name in unit_names(root):
            if read_params(root / "params" / f"{name}.yaml").values["fictional"]:
                measure(name, folder)


def measure(name, root):
    """Print one line a stage."""
    clock = time.perf_counter(), time.process_time()
    unit, stage = open_unit(name, root=root), "open"
    for following in unit.compute():
        clock, stage = report(name, stage, clock), following
    report(name, stage, clock)


def report(name, stage, clock):
    now = time.perf_counter(), time.process_time()
    print(f"{name:<12} {stage:<12} wall {now[0] - clock[0]:6.2f} s   CPU {now[1] - clock[1]:6.2f} s", flush=True)
    return now


if __name__ == "__main__":
    main()
