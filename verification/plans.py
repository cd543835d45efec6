"""The fictional countries' plans for budgets from nothing to more than enough, judged outside the solver.

Run by ``make verify``; QUICK=1 takes the small country only. The countries are synthetic. Each budget gives a plan or a
conflict. A plan is recomputed twice: rule by rule from its allocations, and on the rows of the integer program. A
conflict is shown to be one by scipy's milp on its rules alone, and to be smallest by a plan without each member that
keeps all others. More money never closes less than the gap allows, and the declared budget's plan is the same, byte by
byte, from tables in another row order. Plans of other seeds are printed beside, for what within the gap is chance.
The exit code is 1 where any of this fails. CPU seconds are of solving, with the
proof of the gap or of the conflict.
"""

import os
import sys
import time

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import numpy as np  # noqa: E402
from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: E402

import skillsgap as sg  # noqa: E402
from skillsgap.decide.check import broken_rules  # noqa: E402
from skillsgap.decide.plan import PlanConflict, best_plan  # noqa: E402
from skillsgap.decide.problem import plan_problem  # noqa: E402
from skillsgap.decide.program import build_program  # noqa: E402
from skillsgap.run.planning import given  # noqa: E402

UNITS = ("corva",) if os.environ.get("QUICK") else ("corva", "belmora", "arvenia")
PARTS = (0, 0.02, 0.1, 0.3, 1, 2, 5, np.inf)  # of the declared budget
GAP, SEED, OTHER_SEEDS = 1e-3, 1, (2, 3)
SHUFFLED = ("cohorts", "shortfalls", "courses", "course_effects", "requirements", "able", "cohort_groups", "agencies",
            "costs")  # fmt: skip


class Shuffled:
    """A unit whose tables have their rows in another order."""

    def __init__(self, unit):
        self._unit = unit

    def __getattr__(self, name):
        return getattr(self._unit, name)

    def table(self, name):
        """A table as the unit has it, its rows shuffled if a plan is made of them."""
        table = self._unit.table(name)
        return table if table is None or name not in SHUFFLED else table.sample(frac=1, random_state=SEED)


def problem_of(unit):
    """What a unit's plan is made of."""
    got = given(unit)
    return plan_problem(got.cohorts, got.shortfalls, got.courses, got.course_effects, got.weights, rules=got.rules,
                        options=got.options, able=got.able, cohort_groups=got.cohort_groups, agencies=got.agencies,
                        attrition=got.attrition)  # fmt: skip


def keeps_rows(program, seats):
    """Whether whole seats, with the switches they need, keep every row and bound."""
    _, matrix, low, high, least, upper = program.as_milp()
    x = np.concatenate([seats, program.members @ seats > 0]).astype(float)
    total, slack = matrix @ x, 1e-9 * np.maximum(1.0, abs(matrix) @ x)
    return bool((x == np.rint(x)).all() and (x >= least).all() and (x <= upper).all()
                and (total >= low - slack).all() and (total <= high + slack).all())  # fmt: skip


def alone(problem, names):
    """The program of these rules, costs and abilities alone; "id:key" is one row of a rule that is told apart."""
    kept = []
    for rule in problem.rules:
        if rule["type"] == "fixed_cost" or rule["family"] == "able":
            kept.append(rule)
            continue
        key = next((key for key in ("max", "min", "cost") if isinstance(rule.get(key), dict)), None)
        rows = {} if key is None else {row: each for row, each in rule[key].items() if f"{rule['id']}:{row}" in names}
        if rows or (key is None and rule["id"] in names):
            kept.append(rule | ({key: rows} if rows else {}))
    ids = {rule["id"] for rule in kept}
    return build_program(problem.choices, [rule for rule in kept if rule.get("charged_to") in {*ids, None}])


def faults_of_conflict(problem, conflict):
    """What is wrong with a conflict."""
    program = alone(problem, conflict.rules)
    cost, matrix, low, high, least, upper = program.as_milp()
    for whole in (0, 1):  # what divided seats can't keep, whole ones can't either, and that is known sooner
        found = milp(np.zeros(len(cost)), constraints=LinearConstraint(matrix, low, high), bounds=Bounds(least, upper),
                     integrality=np.full(len(cost), whole))  # fmt: skip
        if found.status == 2:
            break
    wrong = [] if found.status == 2 else [f"the set is not shown to conflict: {found.message}"]
    return wrong + [f"{name} isn't needed" for name in conflict.rules
                    if not keeps_rows(alone(problem, set(conflict.rules) - {name}), conflict.plans[name])]


def faults_of_plan(problem, plan, seats):
    """What is wrong with a plan."""
    rows = plan.allocations.merge(problem.cohorts[["cohort_id", "block"]], on="cohort_id")
    rows = rows.assign(group_id=problem.blocks["group_id"].to_numpy()[rows["block"]])
    rows = rows.groupby(["group_id", "option_id"])[["seats", "gap_closed"]].sum().reset_index()
    wrong = broken_rules(rows, problem.blocks, problem.options, problem.rules)
    wrong += [] if keeps_rows(problem.program, seats) else ["rows of the program are broken"]
    return wrong + ([] if plan.value <= plan.bound * (1 + 1e-9) else ["the value is above the bound"])


def judged(problem, part):
    """What a budget gives: plan or None, a line to print, and what is wrong."""
    problem = problem.with_budget(part if part in (0, np.inf) else part * problem.budget)
    start = time.process_time()
    try:
        plan, solution = best_plan(problem, mip_gap=GAP, random_state=SEED)
    except PlanConflict as caught:
        spent, conflict = time.process_time() - start, caught.conflict
        told = f"conflict of {len(conflict.rules)}: {', '.join(conflict.rules)[:70]}"
        return None, f"{told:<62} {spent:7.1f}", faults_of_conflict(problem, conflict)
    spent = time.process_time() - start
    told = f"{plan.status:<9}{plan.closed_share:8.2%} closed{plan.spend:14,.0f} spent  gap {plan.gap:8.3%}"
    return plan, f"{told:<62} {spent:7.1f}", faults_of_plan(problem, plan, solution.seats)


def across_seeds(problem, plan):
    """A line on plans that other seeds of the solver give: what they close, and how many seats they give the same."""
    given = [plan, *(best_plan(problem, mip_gap=GAP, random_state=seed)[0] for seed in OTHER_SEEDS)]
    keys, cohorts = ["agency_id", "role_id", "role_level", "option_id"], problem.cohorts.set_index("cohort_id")
    seats = [one.allocations.join(cohorts[keys[:3]], on="cohort_id").groupby(keys)["seats"].sum() for one in given]
    alike = [np.minimum(*first.align(other, fill_value=0)).sum() / max(first.sum(), other.sum(), 1)
             for place, first in enumerate(seats) for other in seats[place + 1:]]  # fmt: skip
    shares = [one.closed_share for one in given]
    seeds = ", ".join(map(str, (SEED, *OTHER_SEEDS)))
    return (f"  seeds {seeds}: {min(shares):.3%} to {max(shares):.3%} closed; seats by agency, role, level and option "
            f"alike between two: {min(alike):.0%} to {max(alike):.0%}")


def verify(name):
    """Print a unit's table; how many faults it has."""
    unit = sg.open_unit(name)
    problem, faults, before, declared = problem_of(unit), [], None, None
    columns, blocks = len(problem.choices.column_group), len(problem.blocks)
    print(f"{name} (synthetic): {blocks:,} blocks, {columns:,} columns, {len(problem.program.low):,} rows; "
          f"seed {SEED}, gap asked for {GAP:.1%}; parts of the budget, then CPU seconds", flush=True)
    for part in PARTS:
        plan, line, wrong = judged(problem, part)
        if before is not None and (plan is None or plan.value < before * (1 - GAP) or plan.bound < before * (1 - 1e-9)):
            wrong.append("more money closes less")
        before, declared = (before if plan is None else plan.value), (plan if part == 1 else declared)
        print(f"  {part:>5g}  {line}" + "".join(f"\n    WRONG: {fault}" for fault in wrong), flush=True)
        faults += wrong
    other, _, wrong = judged(problem_of(Shuffled(unit)), 1)
    texts = [None if plan is None else plan.allocations.to_csv() for plan in (declared, other)]
    print(f"  rows in another order: {'the same plan' if texts[0] == texts[1] else 'WRONG: another plan'}", flush=True)
    if declared is not None:
        print(across_seeds(problem, declared), flush=True)
    return len(faults) + len(wrong) + (texts[0] != texts[1])


if __name__ == "__main__":
    sys.exit(int(sum([verify(name) for name in UNITS]) > 0))
