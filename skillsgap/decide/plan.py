"""The upskilling plan: which cohort takes which course under one budget, proved best within a stated gap.

Staff enter as counts. Cohorts that differ only in what no rule looks at (agency, grade) are solved as one
block and its seats shared out afterwards in proportion to head-count: the value is exactly the same, the
integer program several times smaller, and no agency is served first merely because of its place in the table.
"""

from dataclasses import dataclass

import highspy
import numpy as np
import pandas as pd

from skillsgap.decide.model import Model, build_model, eligible
from skillsgap.errors import PlanError

N_RUNNERS_UP = 100  # close decisions left open when seats are made whole: enough room, still solved at once


@dataclass(frozen=True)
class Plan:
    """A checked plan; money in the budget's currency, need and gap closed in importance-weighted levels.

    `allocations`: cohort_id, course_id, seats, cost (with its part of the fixed cost), gap_closed.
    `courses`: course_id, tier, seats, spend, gap_closed, runs. `competencies`: competency_id, closed, need.
    `value` <= best possible <= `bound`; `gap` = (bound - value) / value, NaN where nothing was proved.
    `people_without_need`: staff with no stated requirement or no shortfall, whom no course can help.
    """

    allocations: pd.DataFrame
    courses: pd.DataFrame
    competencies: pd.DataFrame
    value: float
    bound: float
    gap: float
    spend: float
    budget: float
    total_need: float
    people_without_need: int
    status: str

    @property
    def closed_share(self) -> float:
        """Share of the total need that the plan closes, 0 to 1."""
        return self.value / self.total_need if self.total_need > 0 else 0.0


def plan_training(
    cohorts: pd.DataFrame, shortfalls: pd.DataFrame, courses: pd.DataFrame, course_effects: pd.DataFrame,
    weights: pd.DataFrame, *, budget: float, mip_gap: float = 1e-4, random_state: int = 0,
) -> Plan:
    """The plan that closes most importance-weighted gap for the money, with a proved bound.

    Maximise sum value x seats subject to: at most one course a person, eligibility, seats_max, class_min for
    a course that runs (its fixed_cost is paid once), total spend <= budget. Solved as an integer program over
    blocks of cohorts that no rule tells apart, which is exact; a block's seats are shared out over its
    cohorts in proportion to their head-counts by largest remainder.

    Parameters
    ----------
    cohorts : DataFrame: cohort_id, agency_id, role_id, role_level, grade, profile, need_band, headcount.
    shortfalls : DataFrame: role_id, role_level, profile, need_band, competency_id, shortfall (levels, >= 0),
        share (sums to 1 within the first five). A cohort without rows has no stated requirement, no need.
    courses : DataFrame: course_id, tier, cost_per_seat and fixed_cost (currency of the budget, >= 0),
        class_min and seats_max (empty = no such rule), eligibility (see `eligible`).
    course_effects : DataFrame: course_id, competency_id, gain (levels, at most 4; negative counts as 0), sd.
    weights : DataFrame: role_id, role_level, competency_id, weight (>= 0; the caller normalises).
    budget : money, >= 0; infinity means no limit.
    mip_gap : largest accepted (bound - value) / value.
    random_state : seed of the solver; the same inputs give the same plan, whatever their row order.

    Raises
    ------
    PlanError
        For inputs outside these ranges, a course nobody may take, or a plan that fails its check.

    References
    ----------
    Huangfu, Q. and Hall, J. A. J. (2018). Parallelizing the dual revised simplex method. Mathematical
    Programming Computation 10, 119-142 (HiGHS).

    Examples
    --------
    Half of ten people lack 2 levels and half none; a course gives 1 level, so a seat closes 0.5 on average.

    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0, 2)])
    >>> offer = pd.DataFrame([{"course_id": "o", "tier": "basic", "cost_per_seat": 10, "fixed_cost": 20,
    ...                        "class_min": 2, "seats_max": 30, "eligibility": ""}])
    >>> effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> plan = plan_training(staff, lacks, offer, effect, matter, budget=75)
    >>> plan.spend, plan.value, plan.total_need, plan.status
    (70.0, 2.5, 10.0, 'optimal')
    """
    model = build_model(cohorts, shortfalls, courses, course_effects, weights)
    seats, bound = solve_seats(model, budget=budget, mip_gap=mip_gap, random_state=random_state)
    return finish_plan(model, seats, budget=budget, bound=bound, status="optimal")


def solve_seats(
    model: Model, *, budget: float, mip_gap: float = 1e-4, random_state: int = 0,
    start: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """Seats of every pair (whole numbers) and the proved upper bound of the value.

    First whole courses with divisible seats, whose optimum bounds the plan's; then the seats are made whole.
    With the courses decided all rows but money form a transport problem, so whole seats right beside the
    divisible ones keep every rule and lose the worth of a seat or two. Where that exceeds `mip_gap`, the full
    program is solved. `start` : seats of any feasible plan, for example that of a smaller budget.
    """
    if not budget >= 0:
        raise PlanError(f"budget must be >= 0, but is {budget}; give the money available, 0 for none.")
    if not 0 <= mip_gap < 1:
        raise PlanError(f"mip_gap must be at least 0 and below 1, but is {mip_gap}; 0.0001 is usual.")
    cap = _seat_cap(model, budget)
    cap = np.where(cap >= model.courses["class_min"], cap, 0.0)
    use = np.flatnonzero((cap[model.pair_course] > 0) & (model.headcount[model.pair_block] > 0))
    best = np.zeros(len(model.pair_block), dtype=np.int64) if start is None else start.copy()
    if len(use) == 0:
        return best, float(best @ model.pair_value)
    unit = _power_of_two(model.pair_value[use].max())
    lp = _program(model, use, model.pair_value[use] / unit, cap, budget)

    def columns(seats):
        opened = np.bincount(model.pair_course, seats, minlength=len(cap)) > 0
        return np.concatenate([seats[use], opened]).astype(float)

    def better(found):
        seats = np.zeros_like(best)
        seats[use] = np.rint(found[:len(use)]).astype(np.int64)
        return seats if seats @ model.pair_value > best @ model.pair_value else best

    divisible, _, bound = _run(lp, np.arange(len(use), lp.num_col_), mip_gap / 2, random_state, columns(best))
    runs = np.rint(divisible[len(use):])
    best = better(_whole_seats(lp, model.pair_block[use], runs, mip_gap / 4, random_state))
    if _relative_gap(bound * unit, float(best @ model.pair_value)) > mip_gap:
        found, _, exact = _run(lp, np.arange(lp.num_col_), mip_gap, random_state, columns(best))
        best, bound = better(found), min(bound, exact)
    value = float(best @ model.pair_value)
    bound = max(bound * unit, value)  # the solver's bound carries rounding noise
    if _relative_gap(bound, value) > mip_gap + 1e-7:
        raise PlanError(f"the plan for budget {budget} could only be proved to a gap of "
                        f"{_relative_gap(bound, value):.1e}, not {mip_gap:g}; ask for a larger mip_gap.")
    return best, bound


def _whole_seats(lp, block, runs, mip_gap, random_state):
    """Whole seats near the best divisible ones, with the courses that run decided.

    Only blocks with a split seat, and those where the runner-up is nearly as good, may change.
    """
    n, low, high = len(block), np.array(lp.col_lower_), np.array(lp.col_upper_)
    lp.col_lower_, lp.col_upper_ = np.concatenate([low[:n], runs]), np.concatenate([high[:n], runs])
    corner, reduced_cost, _ = _run(lp, [], 0.0, random_state)
    seats, regret = np.rint(corner[:n]), np.abs(reduced_cost[:n])
    regret[regret < 1e-9] = np.inf
    free = np.isin(block, block[np.argsort(regret, kind="stable")[:N_RUNNERS_UP]])
    free |= np.isin(block, block[np.abs(corner[:n] - seats) > 1e-7])
    lp.col_lower_ = np.concatenate([np.where(free, low[:n], seats), runs])
    lp.col_upper_ = np.concatenate([np.where(free, high[:n], seats), runs])
    found, _, _ = _run(lp, np.flatnonzero(free), mip_gap, random_state)
    lp.col_lower_, lp.col_upper_ = low, high
    return found


def _run(lp, whole, mip_gap, random_state, guess=None):
    """Best columns, their reduced costs (none if whole) and the bound, infinite where none was found."""
    kinds = np.full(lp.num_col_, highspy.HighsVarType.kContinuous)
    kinds[whole] = highspy.HighsVarType.kInteger
    lp.integrality_ = kinds.tolist()
    solver = _solver(mip_gap, random_state)
    solver.passModel(lp)
    if guess is not None:
        solution = highspy.HighsSolution()
        solution.col_value = guess.tolist()
        solver.setSolution(solution)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return np.zeros(lp.num_col_), np.zeros(lp.num_col_), np.inf
    if status != highspy.HighsModelStatus.kOptimal:
        raise PlanError(f"the solver stopped with {solver.modelStatusToString(status)}, expected an optimum; "
                        "check the sizes of costs and effects.")
    info, solution = solver.getInfo(), solver.getSolution()
    bound = info.mip_dual_bound if len(whole) else info.objective_function_value
    return np.asarray(solution.col_value), np.asarray(solution.col_dual), float(bound)


def _seat_cap(model, budget):
    """Most seats a course can have: its own limit, the people it helps, what the whole budget would buy."""
    courses = model.courses
    people = np.bincount(model.pair_course, model.headcount[model.pair_block], minlength=len(courses))
    left, price = budget - courses["fixed_cost"].to_numpy(), courses["cost_per_seat"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        bought = np.where(left < 0, 0.0, np.where(price > 0, np.floor(left / price + 1e-9), np.inf))
    return np.minimum(np.minimum(courses["seats_max"].to_numpy(), people), bought)


def _program(model, use, value, cap, budget):
    """Columns: seats of the used pairs, then one switch a course. Rows: heads, at most, at least, money."""
    block, course = model.pair_block[use], model.pair_course[use]
    n, n_blocks, n_courses = len(use), len(model.headcount), len(cap)
    money = model.courses[["cost_per_seat", "fixed_cost"]].to_numpy(dtype=float)
    unit = _power_of_two(money.max())  # costs near 1, so that tolerances mean the same in any currency
    money = money / unit
    last = n_blocks + 2 * n_courses
    switch = np.arange(n_courses)
    index = np.concatenate([
        np.column_stack([block, n_blocks + course, n_blocks + n_courses + course, np.full(n, last)]).ravel(),
        np.column_stack([n_blocks + switch, last - n_courses + switch, np.full(n_courses, last)]).ravel()])
    least = model.courses["class_min"].to_numpy()
    entry = np.concatenate([
        np.column_stack([np.ones((n, 3)), money[course, 0]]).ravel(),
        np.column_stack([-cap, -least, money[:, 1]]).ravel()])
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.sense_ = n + n_courses, last + 1, highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate([value, np.zeros(n_courses)])
    lp.col_lower_ = np.zeros(n + n_courses)
    lp.col_upper_ = np.concatenate([np.minimum(model.headcount[block], cap[course]), cap > 0])
    lp.row_lower_ = np.concatenate([np.full(n_blocks + n_courses, -np.inf), np.zeros(n_courses), [-np.inf]])
    no_limit = np.full(n_courses, np.inf)
    lp.row_upper_ = np.concatenate([model.headcount, np.zeros(n_courses), no_limit, [budget / unit]])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([4 * np.arange(n), 4 * n + 3 * np.arange(n_courses + 1)])
    lp.a_matrix_.index_, lp.a_matrix_.value_ = index, entry
    return lp


def _power_of_two(size):
    return 2.0 ** np.round(np.log2(size)) if size > 0 else 1.0  # division by it is exact


def _solver(mip_gap, random_state):
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", int(random_state))
    solver.setOptionValue("mip_rel_gap", float(mip_gap))
    solver.setOptionValue("mip_abs_gap", 0.0)
    # With two dozen switches the tree is small; sub-searches took 17 s of 19 at 28,000 columns.
    for search in ("root_reduced_cost", "rins", "rens"):
        solver.setOptionValue(f"mip_heuristic_run_{search}", False)
    # Seats are rounded to whole numbers afterwards; a tight tolerance keeps the rounding from costing money.
    solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    return solver


def finish_plan(model: Model, seats: np.ndarray, *, budget: float, bound: float, status: str) -> Plan:
    """Seats of the pairs as a plan for cohorts, checked outside the solver."""
    courses, taken = model.courses, np.bincount(model.pair_course, seats, minlength=len(model.courses))
    runs = taken > 0
    price, fixed = courses["cost_per_seat"].to_numpy(dtype=float), courses["fixed_cost"].to_numpy(dtype=float)
    spend = price * taken + fixed * runs
    value = model.pair_value
    closed = seats @ model.pair_closed
    cohort, pair, number = _share_out(model, seats)
    course = model.pair_course[pair]
    allocations = pd.DataFrame({
        "cohort_id": model.cohorts["cohort_id"].to_numpy()[cohort],
        "course_id": courses["course_id"].to_numpy()[course],
        "seats": number, "cost": number * (price + fixed / np.maximum(taken, 1))[course],
        "gap_closed": number * value[pair],
    }).sort_values(["cohort_id", "course_id"], ignore_index=True)
    table = pd.DataFrame({
        "course_id": courses["course_id"], "tier": courses["tier"], "seats": taken.astype(np.int64),
        "spend": spend, "runs": runs,
        "gap_closed": np.bincount(model.pair_course, seats * value, minlength=len(courses)),
    })[["course_id", "tier", "seats", "spend", "gap_closed", "runs"]]
    total = float(seats @ value)
    plan = Plan(
        allocations=allocations, courses=table, competencies=pd.DataFrame(
            {"competency_id": list(model.competencies), "closed": closed, "need": model.need}),
        value=total, bound=bound, gap=_relative_gap(bound, total), spend=float(spend.sum()),
        budget=float(budget), total_need=float(model.need.sum()), status=status,
        people_without_need=int(model.headcount[model.need_per_head <= 0].sum()),
    )
    check_plan(plan, model.cohorts, model.courses)
    return plan


def _relative_gap(bound, value):
    if value > 0:
        return (bound - value) / value
    return 0.0 if bound <= 0 else bound * np.inf  # NaN stays NaN: nothing was proved


def _share_out(model, seats):
    """Seats of each block over its cohorts by largest remainder: arrays cohort, pair, number.

    To the remainder is added what the agency has lost by rounding so far, so that a small agency whose claim
    is below half a seat in every block gets its turn. Ties go to the smaller cohort_id.
    """
    agency, names = pd.factorize(model.cohorts["agency_id"], sort=True)
    owed, left = np.zeros(len(names)), model.cohorts["headcount"].to_numpy().copy()
    by_block = np.argsort(model.cohorts["block"].to_numpy(), kind="stable")
    first = np.searchsorted(model.cohorts["block"].to_numpy()[by_block], np.arange(len(model.headcount) + 1))
    shares = []
    for pair in np.flatnonzero(seats):
        block = model.pair_block[pair]
        members = by_block[first[block]:first[block + 1]]
        claim, people = int(seats[pair]) * left[members], left[members].sum()
        given, remainder = claim // people, (claim % people) / people
        order = np.lexsort((members, -np.round(remainder + owed[agency[members]], 9), remainder == 0))
        given[order[:int(seats[pair]) - given.sum()]] += 1
        np.add.at(owed, agency[members], claim / people - given)
        left[members] -= given
        shares.append(np.column_stack([members, np.full(len(members), pair), given]))
    rows = np.concatenate(shares) if shares else np.zeros((0, 3), dtype=np.int64)
    return rows[rows[:, 2] > 0].T


def check_plan(plan: Plan, cohorts: pd.DataFrame, courses: pd.DataFrame) -> None:
    """Recompute every rule of a plan from its allocations alone, without the solver or the model.

    Raises
    ------
    PlanError
        Naming every rule that the plan breaks.
    """
    table, courses = plan.allocations, courses.set_index("course_id")
    pairs = pd.MultiIndex.from_frame(table[["cohort_id", "course_id"]])
    seats = table.groupby("course_id")["seats"].sum()
    offer = courses.loc[seats.index]
    heads = cohorts.set_index("cohort_id")["headcount"].reindex(table["cohort_id"].unique())
    may = eligible(cohorts, courses.reset_index()).stack()
    spend = float((seats * offer["cost_per_seat"] + offer["fixed_cost"]).sum())
    closed, slack = table["gap_closed"].sum(), 1e-9 * max(1.0, spend)  # sums of cents are not exact in binary
    costs = [abs(total - spend) for total in (plan.spend, plan.courses["spend"].sum(), table["cost"].sum())]
    broken = {
        "seats are not whole numbers above 0": not (table["seats"].ge(1) & (table["seats"] % 1 == 0)).all(),
        "a cohort takes a course twice": pairs.has_duplicates,
        "more seats than people": not (table.groupby("cohort_id")["seats"].sum() <= heads.sort_index()).all(),
        "a cohort takes a course it may not": not may.reindex(pairs, fill_value=False).all(),
        "more seats than seats_max": (seats > offer["seats_max"]).any(),
        "a class below class_min": (seats < offer["class_min"]).any(),
        f"spend {spend} is above the budget {plan.budget}": spend > plan.budget + slack,
        "spend and costs differ": max(costs) > 1e3 * slack,
        "value and gap closed differ": abs(closed - plan.value) > 1e-9 * max(1.0, plan.value),
    }
    if any(broken.values()):
        which = "; ".join(rule for rule, fails in broken.items() if fails)
        raise PlanError(f"the plan for budget {plan.budget} breaks its rules: {which}. Report it.")


def effect_interval(
    plan: Plan, cohorts: pd.DataFrame, shortfalls: pd.DataFrame, courses: pd.DataFrame,
    course_effects: pd.DataFrame, weights: pd.DataFrame, *, n_draws: int = 200, random_state: int = 0,
) -> pd.DataFrame:
    """Share of the need that a fixed plan closes when course effects are uncertain.

    One draw is one N(gain, sd), cut off at 0, for every course and competency, the same for all who attend.
    As nobody gains more than the shortfall, the draws lie lower on average than the plan's figure: see
    `mean_of_draws`.

    Parameters
    ----------
    plan : Plan made from the same five tables, see `plan_training`.
    n_draws : number of draws, at least 2.
    random_state : seed of the draws.

    Returns
    -------
    DataFrame of one row: statistic, estimate (the plan's share), se, ci_low, ci_high (95 %, percentiles),
    mean_of_draws, n_draws, uncertainty = "effect" (the survey's sampling error is not in it).
    """
    if n_draws < 2:
        raise PlanError(f"n_draws must be at least 2, but is {n_draws}; 200 is usual.")
    model = build_model(cohorts, shortfalls, courses, course_effects, weights)
    kind = model.cohorts.set_index("cohort_id")["type"]
    course = pd.Index(model.courses["course_id"]).get_indexer(plan.allocations["course_id"])
    kind = kind.loc[plan.allocations["cohort_id"]].to_numpy()
    seats = plan.allocations.groupby([kind, course])["seats"].sum()
    seats = seats.rename_axis(["type", "course"]).reset_index()
    terms = model.terms.merge(seats, on=["type", "course"])
    coef, shortfall = (terms["coef"] * terms["seats"]).to_numpy(), terms["shortfall"].to_numpy()
    gain, sd, effect = (terms[column].to_numpy() for column in ("gain", "sd", "effect"))
    noise = np.random.default_rng(random_state).standard_normal((n_draws, model.n_effects))
    closed = [coef @ np.minimum(shortfall, np.maximum(gain + sd * draw[effect], 0.0)) for draw in noise]
    share = np.array(closed) / (plan.total_need if plan.total_need > 0 else 1.0)
    low, high = np.quantile(share, [0.025, 0.975])
    return pd.DataFrame({
        "statistic": ["closed_share"], "estimate": plan.closed_share, "se": share.std(ddof=1), "ci_low": low,
        "ci_high": high, "mean_of_draws": share.mean(), "n_draws": n_draws, "uncertainty": "effect",
    })
