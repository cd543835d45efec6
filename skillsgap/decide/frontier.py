"""What each budget buys, beside what common practice would buy with the same money, and what each rule costs."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skillsgap.decide.leaves import Leaves
from skillsgap.decide.practice import ORDERS, practice_seats
from skillsgap.decide.program import EXACT, named_by
from skillsgap.decide.solve import DIRECT, MODEST, solve
from skillsgap.errors import PlanError

NODES = 100  # steps of the search for a price: what it may miss is told as the most that could be forgone
FEW = 5  # budgets of a large program up to which each is sought anew: a far one's divided plan is a slow start
LITTLE = 0.1  # of what money buys in the first third: less than this is little


def budget_frontier(problem, budgets, *, solution=None, mip_gap=1e-3, random_state=0, practice=True) -> pd.DataFrame:
    """Share of the need closed by the best plan of each budget, with a bound that no plan passes.

    A plan of a smaller budget is one of a larger budget too, and a bound of a larger one holds for a smaller one; so
    more money never closes less. For many budgets a large program keeps its search tree from one to the next (see
    `leaves`).

    Parameters
    ----------
    problem : Problem
    budgets : money, each >= 0; several periods keep their shares of it. Sorted, doubles are dropped.
    solution : what `best_plan` gave for the problem; its plan is then the point at the problem's own budget.
    mip_gap : relative gap to be proved at each budget; where the search ends before, `gap` tells what was proved.
    random_state : seed of the solver
    practice : whether the two common practices are worked out beside (see `common_practice`)

    Returns
    -------
    DataFrame by rising budget: budget, feasible (False where no plan keeps all rules; then spend and seats are 0 and
    shares missing), spend, seats (people), value (weighted levels), closed_share, bound_share (0-1 of the need), gap
    (proved, relative), gap_first_share, ratio_first_share, enough.

    `enough` is True from the budget on after which money buys little: each further unit of it closes less than a tenth
    of what a unit closes over the first third of the range of feasible budgets. Both are read off the smallest
    concave curve over the points, so that steps of single classes don't count.

    Raises
    ------
    PlanError
        For an empty list, or a budget that is negative or not finite.

    Examples
    --------
    Half of ten people lack 2 levels; a class costs 20 and 10 a seat, and a seat closes 0.5.

    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0, 2)])
    >>> offer = pd.DataFrame([{"course_id": "o", "tier": "basic", "cost_per_seat": 10, "fixed_cost": 20,
    ...                        "class_min": 2, "seats_max": 30, "eligibility": ""}])
    >>> effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules={"budget": 75})
    >>> curve = budget_frontier(problem, [0, 39, 75, 120, 200])
    >>> curve["closed_share"].tolist(), curve["enough"].tolist()
    ([0.0, 0.0, 0.25, 0.5, 0.5], [False, False, False, True, True])
    """
    amounts = np.unique(np.asarray(budgets, dtype=float))
    if len(amounts) == 0:
        raise PlanError("budgets is empty; give at least one amount of money.")
    if not (np.isfinite(amounts) & (amounts >= 0)).all():
        raise PlanError(f"budgets holds {amounts[~(np.isfinite(amounts) & (amounts >= 0))][0]:g}; give amounts of "
                        "money, 0 or more.")  # fmt: skip
    problems = [problem.with_budget(amount) for amount in amounts]
    columns = len(problem.program.group)
    alone = columns <= DIRECT or (columns > MODEST and len(amounts) <= FEW)
    search = _one_by_one if alone else _together
    known = {} if solution is None else {problem.budget: (solution.seats, solution.bound)}
    found = search(problems, known, mip_gap, random_state)
    need = max(float(problem.need.sum()), 1e-300)
    table = pd.DataFrame([_row(one, *best, need) for one, best in zip(problems, found, strict=True)])
    bound = table["bound_share"][::-1].cummin()[::-1].clip(lower=table["closed_share"])
    value = table["closed_share"].to_numpy(dtype=float)
    table["bound_share"] = bound
    gap = (bound - value) / np.where(value > 0, value, np.nan)
    table["gap"] = gap.where(value != 0, np.where(bound <= EXACT, 0.0, np.inf))
    for name, order in zip(("gap_first_share", "ratio_first_share"), ORDERS, strict=True):
        table[name] = [_practised(one, order, need) if practice and can else np.nan
                       for one, can in zip(problems, table["feasible"], strict=True)]  # fmt: skip
    return table.assign(enough=_enough(table)).fillna({"spend": 0.0, "seats": 0}).astype({"seats": int})


def _row(problem, seats, bound, need):
    if seats is None:
        return {"budget": problem.budget, "feasible": False, "spend": 0.0, "seats": 0, "value": np.nan,
                "closed_share": np.nan, "bound_share": np.nan}  # fmt: skip
    value = float(problem.program.value @ seats)
    return {"budget": problem.budget, "feasible": True, "spend": _spend(problem, seats), "seats": int(seats.sum()),
            "value": value, "closed_share": value / need, "bound_share": bound / need}  # fmt: skip


def _spend(problem, seats):
    program = problem.program
    rows = _money_rows(problem)
    used = (program.members @ seats > 0).astype(float)
    return float((program.matrix[rows] @ seats + program.switching[rows] @ used).sum())


def _money_rows(problem):
    return np.flatnonzero(np.isin(problem.program.row_rule, [rule["id"] for rule in problem.budgets]))


def _one_by_one(problems, known, mip_gap, random_state):
    """Seats and bound of each problem, the plan of each budget a start for the next; seats None where there is none."""
    found, start = [], None
    for problem in problems:
        if problem.budget in known:
            start, bound = known[problem.budget]
        else:
            solution = solve(problem.program, mip_gap=mip_gap, random_state=random_state, start=start)
            start, bound = None if solution.status == "infeasible" else solution.seats, solution.bound
        found.append((start, bound))
    return found


def _together(problems, known, mip_gap, random_state):
    """The same with one search tree for all budgets, from the largest to the smallest."""
    leaves = Leaves(problems[-1].program, _money_rows(problems[-1]), mip_gap=mip_gap, random_state=random_state)
    found = []
    for problem in reversed(problems):
        if problem.budget in known:
            leaves.know(*known[problem.budget])
            found.append(known[problem.budget])
            continue
        seats, bound = leaves.solve(problem.program)
        if seats is None and bound > -np.inf and len(problem.program.group) <= MODEST:
            solution = solve(problem.program, mip_gap=mip_gap, random_state=random_state)
            if solution.status != "infeasible":
                seats, bound = solution.seats, min(bound, solution.bound)
        found.append((seats, bound))
        if seats is None:  # nor does less money allow a plan
            break
    found = [(None, -np.inf)] * (len(problems) - len(found)) + found[::-1]
    value, best = problems[0].program.value, None
    for place, (seats, bound) in enumerate(found):  # what less money bought can still be bought
        if seats is not None:
            best = seats if best is None or value @ seats > value @ best else best
            found[place] = (best, bound)
    return found


def _practised(problem, order, need):
    seats = practice_seats(problem, order=order)
    return np.nan if seats is None else float(problem.program.value @ seats) / need


def _enough(table):
    """Budgets after which money buys little, see `budget_frontier`."""
    can = table["feasible"].to_numpy(dtype=bool)
    money, share = (table[name].to_numpy(dtype=float)[can] for name in ("budget", "closed_share"))
    enough = np.zeros(len(table), dtype=bool)
    if len(money) < 3:
        return enough
    kept = [0]
    for place in range(1, len(money)):  # upper hull: a point below the line of its neighbours goes
        while len(kept) > 1 and ((share[place] - share[kept[-2]]) * (money[kept[-1]] - money[kept[-2]]) >=
                                 (share[kept[-1]] - share[kept[-2]]) * (money[place] - money[kept[-2]])):  # fmt: skip
            kept.pop()
        kept.append(place)
    hull = np.interp(money, money[kept], share[kept])
    third = (money[-1] - money[0]) / 3
    usual = (np.interp(money[0] + third, money, hull) - hull[0]) / third
    after = np.diff(hull) / np.diff(money)
    enough[can] = np.append(after, after[-1]) < LITTLE * usual
    return enough


def rule_prices(problem, plan, solution, *, mip_gap=1e-3, random_state=0) -> pd.DataFrame:
    """What each family of rules costs: share of the need that stays open because of it.

    The plan keeps the rules, so it starts the search without them: no price is below 0. Rules on equity that params
    tell but don't enforce are priced by keeping them.

    Parameters
    ----------
    problem : Problem
    plan, solution : what `best_plan` gave for it
    mip_gap, random_state : see `plan_training`; both plans may be that much below the best.

    Returns
    -------
    DataFrame: family, enforced (bool), feasible (False where no plan keeps equity's rules beside the others; then its
    figures are missing), closed_share (with the family's rules, 0-1), without_share, forgone (their difference),
    forgone_most (what is proved not to be passed), money (currency that would close as much at the plan's price of
    money; missing where more money closes nothing). By falling cost.

    Examples
    --------
    The floor sends two of ten to a course that closes 0.25 for 10, where the other closes 0.5: 40 buys 1.5, not 2.

    >>> from skillsgap.decide.plan import best_plan
    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0, 2)])
    >>> offer = pd.DataFrame([{"course_id": c, "tier": c, "cost_per_seat": 10, "fixed_cost": 0, "class_min": 1,
    ...                        "seats_max": 30, "eligibility": ""} for c in ("basic", "practitioner")])
    >>> effect = pd.DataFrame([{"course_id": c, "competency_id": "c", "gain": g, "sd": 0.2}
    ...                        for c, g in (("basic", 0.5), ("practitioner", 1.0))])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> floor = {"id": "basics", "tier": "basic", "share": 0.2}
    >>> rules = {"budget": 40, "floors": [floor]}
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules=rules)
    >>> prices = rule_prices(problem, *best_plan(problem))
    >>> prices.loc[prices["family"] == "floors", ["closed_share", "without_share", "forgone", "money"]].values.tolist()
    [[0.15, 0.2, 0.05, 10.0]]
    """
    need = max(float(problem.need.sum()), 1e-300)
    seeds, rows = {"mip_gap": mip_gap, "random_state": random_state, "nodes": NODES}, []
    known = dict.fromkeys(rule["family"] for rule in problem.rules if rule["family"] != "budget")
    for family in known:
        ids = [rule["id"] for rule in problem.rules if rule["family"] == family]
        program, warm = _freed(problem.program, ids, solution.relaxation)
        free = solve(program, start=solution.seats, relaxation=warm, **seeds)
        rows.append(_price(family, True, (plan.value, solution.bound), (free.value, free.bound), need))
    if problem.equity and "equity" not in known:
        kept = solve(problem.with_rules(problem.equity).program, start=solution.seats, **seeds)
        if kept.status == "infeasible":
            rows.append({"family": "equity", "enforced": False, "feasible": False, "without_share": plan.closed_share})
        else:
            most = max(plan.value, kept.value)
            rows.append(_price("equity", False, (kept.value, kept.bound), (most, solution.bound), need))
    columns = ["family", "enforced", "feasible", "closed_share", "without_share", "forgone", "forgone_most"]
    table = pd.DataFrame(rows, columns=columns)
    price = plan.rules.loc[plan.rules["family"] == "budget", "price"].max()
    table["money"] = table["forgone"] * need / price if price > 0 else np.nan
    return table.sort_values(["forgone", "family"], ascending=[False, True], ignore_index=True)


def _price(family, enforced, kept, free, need):
    """Row of a family from the value and bound of the plans that keep its rules and that needn't."""
    forgone = free[0] - kept[0]
    return {"family": family, "enforced": enforced, "feasible": True, "closed_share": kept[0] / need,
            "without_share": free[0] / need, "forgone": forgone / need if forgone > EXACT * free[0] else 0.0,
            "forgone_most": max(0.0, free[1] - kept[0]) / need}  # fmt: skip


def _freed(program, ids, relaxation):
    """The program without some rules, and the relaxation to go on with if its rows are the same but for limits."""
    own = named_by(program.row_rule, ids)
    if relaxation is not None and not named_by(program.switch_rule, ids).any():
        free = replace(program, low=np.where(own, -np.inf, program.low), high=np.where(own, np.inf, program.high))
        if np.array_equal(free.caps, program.caps):
            return free, relaxation
    return program.without(ids), None
