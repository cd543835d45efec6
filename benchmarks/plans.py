"""The upskilling plan with every kind of rule, beside peers on the same matrices: CPU seconds at a proved gap.

The country is made up (synthetic) and its rules can be met. No time is told before every answer was found to keep every
row in whole seats, and ours to be within its stated gap of the best answer of anybody. scipy and ours take turns in
this process. CBC, SCIP and CP-SAT run in processes of their own with the interpreter that the variable PEERS names
(`pip install pulp ortools` there); one that isn't installed is named and skipped. The exit code is 1 where a limit is
missed. QUICK=1 takes a small country, whose times aren't judged.
"""

import os
import sys
import time
from dataclasses import replace

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import numpy as np  # noqa: E402
from planning.drawn import drawn_plan  # noqa: E402
from planning.peers import PEERS, by_process, by_scipy  # noqa: E402

from skillsgap.decide.choices import Choices  # noqa: E402
from skillsgap.decide.leaves import Leaves  # noqa: E402
from skillsgap.decide.program import build_program  # noqa: E402
from skillsgap.decide.solve import solve  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
SEEDS = range(1 if QUICK else 3)
SMALL = (80, 20, 4) if QUICK else (500, 40, 15)  # cohorts, courses, agencies
LARGE = (300, 40, 8) if QUICK else (5_000, 40, 60)
GAP, LARGE_GAP, DRAWS_GAP = 1e-4, 1e-3, 5e-3
FRONTIER_GAP = 1e-3  # what `budget_frontier` proves where nothing else is asked; at 0.01 % some searches end before
RATIO, SECONDS, SOLVES = 0.2, 60.0, 10.0  # limits: of scipy's CPU, for the large country, for 50 budgets or 20 draws
BUDGETS, DRAWS = (10, 5) if QUICK else (50, 20)
PATIENCE = 20 if QUICK else 300  # seconds after which a peer is stopped and its gap is told
KEPT = 1e-6  # part of a row's size by which a peer may miss it; ours may miss it by a thousandth of that


def country(size, seed):
    """The program of a drawn country."""
    cohorts, courses, agencies = size
    *choices, rules = drawn_plan(cohorts, courses, seed, agencies)
    return build_program(Choices(*choices), rules)


def timed(compute):
    """Result and CPU seconds of this process."""
    start = time.process_time()
    result = compute()
    return result, time.process_time() - start


def in_full(program, seats):
    """Seats, then the switches they need: the columns of `Program.as_milp`."""
    return np.concatenate([seats, (program.members @ seats > 0).astype(float)])


def worth(milp, columns, kept=KEPT):
    """Value of an answer in whole numbers; NaN where it misses a bound, or a row by more than `kept` of its size."""
    cost, matrix, low, high, least, upper = milp
    given = np.asarray(columns, dtype=float)
    whole = np.rint(given)
    total, size = matrix @ whole, np.maximum(1.0, abs(matrix) @ np.abs(whole))
    fine = (np.abs(given - whole).max() <= KEPT and (whole >= least).all() and (whole <= upper).all()
            and (total >= low - kept * size).all() and (total <= high + kept * size).all())  # fmt: skip
    return float(cost @ whole) if fine else np.nan


def verdict(value, limit, unit=""):
    """Words for a figure beside its limit, and whether that holds; a small country isn't judged."""
    word = "not judged at this size" if QUICK else "met" if value <= limit else "MISSED"
    return f"limit {limit:g}{unit}: {word}", QUICK or value <= limit


def told(name, value, found, gap):
    """A line of the table for an answer that keeps every row."""
    proved = "no bound" if found["bound"] is None else f"gap {max(0.0, found['bound'] / value - 1):.1e}"
    print(f"  {name}: value {value:.2f}, {proved} (asked {gap:g}), {found['seconds']:.1f} CPU s, {found['ended']}",
          flush=True)  # fmt: skip


def ours(program, gap, **start):
    """Our answer in a peer's words."""
    found, seconds = timed(lambda: solve(program, mip_gap=gap, **start))
    return {"columns": in_full(program, found.seats), "bound": found.bound, "seconds": seconds, "ended": found.status}


def judged(milp, mine, others, gap):
    """Our value, and what is wrong with it or with a peer's answer, as a list of sentences."""
    value, wrong = worth(milp, mine["columns"], KEPT / 1000), []
    if not np.isfinite(value):
        wrong.append("our plan breaks a rule")
    if mine["bound"] - value > gap * value * (1 + 1e-9):
        wrong.append(f"our gap is {mine['bound'] / value - 1:.1e}, asked {gap:g}")
    for name, found in others.items():
        theirs = worth(milp, found["columns"]) if found["columns"] is not None else np.nan
        if np.isfinite(theirs) and theirs > mine["bound"] * (1 + KEPT):
            wrong.append(f"{name} found {theirs:.2f}, above our bound {mine['bound']:.2f}")
    return value, wrong


def beside_peers():
    """At 0.01 %: ours and scipy in turn for every seed, the other peers once."""
    ratios, fine = [], True
    for seed in SEEDS:
        program = country(SMALL, seed)
        milp = program.as_milp()
        turns = [lambda p=program: ("skillsgap", ours(p, GAP)), lambda m=milp: ("scipy", by_scipy(m, GAP, PATIENCE))]
        found = dict(turn() for turn in (turns if seed % 2 == 0 else turns[::-1]))
        found |= others(milp) if seed == SEEDS[0] else {}
        mine = found.pop("skillsgap")
        value, wrong = judged(milp, mine, found, GAP)
        print(f"  seed {seed}: {len(program.group)} columns, {len(program.least)} switches, {milp[1].shape[0]} rows")
        fine &= report(milp, mine, value, found, wrong)
        ratios.append(mine["seconds"] / found["scipy"]["seconds"])
    words, met = verdict(np.median(ratios), RATIO)
    if fine:
        print(f"  CPU of ours / scipy's: {np.median(ratios):.3f} (median; {min(ratios):.3f} to {max(ratios):.3f}); "
              f"{words}")  # fmt: skip
    return fine and met


def others(milp):
    """Answers of the peers in processes of their own; those not installed are named."""
    answers = {name: by_process(name, milp, GAP, PATIENCE) for name in PEERS}
    for name in [name for name, answer in answers.items() if answer is None]:
        print(f"  {name}: not installed: pip install {PEERS[name]}")
        del answers[name]
    return answers


def report(milp, mine, value, found, wrong):
    """Lines of one country; False, and no times, where an answer of ours is wrong."""
    if wrong:
        print("  no time told: " + "; ".join(wrong), flush=True)
        return False
    told("skillsgap", value, mine, GAP)
    for name, answer in found.items():
        theirs = np.nan if answer["columns"] is None else worth(milp, answer["columns"])
        if np.isfinite(theirs):
            told(name, theirs, answer, GAP)
        else:
            broken = "no plan" if answer["columns"] is None else "its plan breaks a row"
            print(f"  {name}: {broken} after {answer['seconds']:.1f} CPU s, {answer['ended']}", flush=True)
    return True


def large():
    """5,000 cohorts at 0.1 %."""
    program = country(LARGE, 0)
    milp = program.as_milp()
    mine = ours(program, LARGE_GAP)
    value, wrong = judged(milp, mine, {}, LARGE_GAP)
    print(f"  {len(program.group)} columns, {len(program.least)} switches, {milp[1].shape[0]} rows")
    if wrong:
        print("  no time told: " + "; ".join(wrong))
        return False
    told("skillsgap", value, mine, LARGE_GAP)
    words, met = verdict(mine["seconds"], SECONDS, " CPU s")
    print(f"  {mine['seconds']:.1f} CPU s; {words}")
    return met


def frontier(program, budgets, gap):
    """Seats and bound of the best plan of each rising budget."""
    programs = [program.limited("budget", budget) for budget in budgets]
    tree = Leaves(programs[-1], np.flatnonzero(program.row_rule == "budget"), mip_gap=gap)
    return [tree.solve(one) for one in reversed(programs)][::-1]


def fifty_budgets():
    """The frontier against one plan: more money never closes less beyond the gap."""
    program = country(SMALL, 0)
    one = ours(program, FRONTIER_GAP)
    middle = program.high[program.row_rule == "budget"][0]
    budgets = np.linspace(0.9, 1.8, BUDGETS) * middle
    found, seconds = timed(lambda: frontier(program, budgets, FRONTIER_GAP))
    values = np.array([worth(program.limited("budget", budget).as_milp(), in_full(program, seats), KEPT / 1000)
                       for budget, (seats, _) in zip(budgets, found, strict=True)])  # fmt: skip
    gaps = np.array([bound for _, bound in found]) / values - 1
    if not (gaps <= FRONTIER_GAP * (1 + KEPT)).all() or (np.diff(values) < -FRONTIER_GAP * values[1:]).any():
        print("  no time told: a plan breaks a rule, its gap, or closes less for more money")
        return False
    words, met = verdict(seconds / one["seconds"], SOLVES)
    print(f"  {BUDGETS} budgets: {seconds:.1f} CPU s, one plan {one['seconds']:.1f}: ratio "
          f"{seconds / one['seconds']:.1f}; {words}")  # fmt: skip
    return met


def draws(program, values, gap):
    """Seats and bound of the best plan under each draw of the values."""
    found, relaxed = [], None
    for value in values:
        solution = solve(replace(program, value=value), mip_gap=gap, relaxation=relaxed)
        relaxed = solution.relaxation or relaxed
        found.append((solution.seats, solution.bound))
    return found


def twenty_draws():
    """Plans under drawn effects at 0.5 %, against one plan at that gap."""
    program = country(SMALL, 0)
    rng = np.random.default_rng(20260301)
    option = drawn_plan(*SMALL[:2], 0, SMALL[2])[4]
    effects = np.clip(rng.normal(1.0, 0.3, (DRAWS, SMALL[1])), 0.05, None)
    values = program.value * effects[:, option]
    one = ours(program, DRAWS_GAP)
    found, seconds = timed(lambda: draws(program, values, DRAWS_GAP))
    for value, (seats, bound) in zip(values, found, strict=True):
        reached = worth(replace(program, value=value).as_milp(), in_full(program, seats), KEPT / 1000)
        if not bound / reached - 1 <= DRAWS_GAP * (1 + KEPT):
            print("  no time told: a plan breaks a rule or its gap")
            return False
    words, met = verdict(seconds / one["seconds"], SOLVES)
    print(f"  {DRAWS} draws: {seconds:.1f} CPU s, one plan {one['seconds']:.1f}: ratio "
          f"{seconds / one['seconds']:.1f}; {words}")  # fmt: skip
    return met


PARTS = {
    f"{SMALL[0]} cohorts, {SMALL[1]} courses, gap {GAP:.2%}, beside peers": beside_peers,
    f"{LARGE[0]} cohorts, {LARGE[1]} courses, gap {LARGE_GAP:.1%}": large,
    f"{BUDGETS} budgets against one plan, gap {FRONTIER_GAP:.1%}": fifty_budgets,
    f"{DRAWS} draws of the effects against one plan, gap {DRAWS_GAP:.1%}": twenty_draws,
}


def main(chosen):
    """Run the parts whose number is named, or all of them."""
    print("plans with every kind of rule (synthetic), one thread" + (", QUICK: a small country" if QUICK else ""))
    fine = []
    for number, (name, part) in enumerate(PARTS.items(), 1):
        if not chosen or str(number) in chosen:
            print(f"{number}. {name}", flush=True)
            fine.append(part())
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
