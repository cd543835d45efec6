"""Peers on the very matrices of a program: scipy in this process, the others each in a process of its own.

Run by another interpreter, this file solves a model: `python peers.py NAME MODEL.mps GAP SECONDS`, and prints JSON with
the CPU seconds of the solver alone, its columns, its bound, and how it ended. It needs nothing of this project.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEERS = {"PuLP, CBC": "pulp", "OR-Tools, SCIP": "ortools", "OR-Tools, CP-SAT": "ortools"}


def by_scipy(milp, gap, seconds=None):
    """Columns, bound, CPU seconds and how scipy.optimize.milp ended; `milp` as `Program.as_milp` gives it."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint
    from scipy.optimize import milp as solve

    cost, matrix, low, high, least, upper = milp
    start = time.process_time()
    options = {"mip_rel_gap": gap} | ({"time_limit": seconds} if seconds else {})
    found = solve(-cost, integrality=np.ones(len(cost)), bounds=Bounds(least, upper),
                  constraints=LinearConstraint(matrix, low, high), options=options)  # fmt: skip
    took = time.process_time() - start
    return {"columns": found.x, "bound": -found.mip_dual_bound, "seconds": took, "ended": found.message.split(".")[0]}


def by_process(name, milp, gap, seconds):
    """The same of a peer in a process of its own, by the interpreter that PEERS names; None if it isn't installed."""
    python = os.environ.get("PEERS", sys.executable)
    asked = subprocess.run([python, "-c", f"import {PEERS[name]}"], capture_output=True)
    if asked.returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.mps"
        write_mps(model, *milp)
        made = subprocess.run([python, __file__, name, str(model), str(gap), str(seconds)], capture_output=True,
                              text=True)  # fmt: skip
    if made.returncode:
        raise RuntimeError(f"{name} failed: {made.stderr.strip().splitlines()[-1:]}")
    return json.loads(made.stdout.splitlines()[-1])


def write_mps(path, cost, matrix, low, high, least, upper):
    """The program as free MPS, to be minimised: columns x0, x1, ... whole, rows r0, r1, ... with one limit each."""
    import numpy as np

    kind = np.where(low == high, "E", np.where(np.isneginf(low), "L", "G"))
    lines = ["NAME plan", "ROWS", " N value", *(f" {k} r{i}" for i, k in enumerate(kind)), "COLUMNS",
             " M1 'MARKER' 'INTORG'"]  # fmt: skip
    for j in range(len(cost)):
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        lines.append(f" x{j} value {-cost[j]:.17g}")
        lines += [f" x{j} r{i} {a:.17g}" for i, a in zip(matrix.indices[part], matrix.data[part], strict=True)]
    side = np.where(kind == "L", high, low)
    lines += [" M2 'MARKER' 'INTEND'", "RHS", *(f" b r{i} {side[i]:.17g}" for i in np.flatnonzero(side)), "BOUNDS"]
    for j in range(len(cost)):
        lines += [f" LO b x{j} {least[j]:.17g}", f" UP b x{j} {upper[j]:.17g}"]
    path.write_text("\n".join([*lines, "ENDATA", ""]))


def solved_by_cbc(model, gap, seconds):
    """CBC as PuLP brings it, on one thread; the bound is read from its log."""
    import pulp

    variables, problem = pulp.LpProblem.fromMPS(model)
    log = f"{model}.log"
    solver = pulp.PULP_CBC_CMD(msg=False, gapRel=gap, timeLimit=seconds, threads=1, logPath=log, keepFiles=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    problem.solve(solver)
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    bound = re.findall(r"(?:Lower bound|best possible):?\s+(-?[\d.e+]+)", Path(log).read_text())
    columns = [variables[f"x{j}"].value() for j in range(len(variables))]
    return {"columns": columns if None not in columns else None, "bound": -float(bound[-1]) if bound else None,
            "seconds": took, "ended": pulp.LpSolution[problem.sol_status]}  # fmt: skip


def solved_by_ortools(model, gap, seconds, solver, settings):
    """SCIP or CP-SAT as OR-Tools brings them, on one thread."""
    from ortools.linear_solver.python import model_builder

    problem = model_builder.Model()
    problem.import_from_mps_file(model)
    worker = model_builder.Solver(solver)
    worker.set_solver_specific_parameters(settings.format(gap=gap))
    worker.set_time_limit_in_seconds(seconds)
    start = time.process_time()
    status = worker.solve(problem)
    took = time.process_time() - start
    columns = bound = None
    if status in (model_builder.SolveStatus.OPTIMAL, model_builder.SolveStatus.FEASIBLE):
        place = {variable.name: variable for variable in problem.get_variables()}
        columns = [worker.value(place[f"x{j}"]) for j in range(len(place))]
        bound = -worker.best_objective_bound
    return {"columns": columns, "bound": bound, "seconds": took, "ended": status.name.lower()}


def main(name, model, gap, seconds):
    if name == "PuLP, CBC":
        found = solved_by_cbc(model, float(gap), float(seconds))
    else:
        solver, settings = {"OR-Tools, SCIP": ("scip", "limits/gap = {gap}"),
                            "OR-Tools, CP-SAT": ("sat", "num_workers: 1 relative_gap_limit: {gap}")}[name]  # fmt: skip
        found = solved_by_ortools(model, float(gap), float(seconds), solver, settings)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
