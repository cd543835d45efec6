"""The upskilling plan: which staff take which course or sequence, proved best within a stated gap.

Staff enter as counts. Cohorts that differ only in what no rule looks at are solved as one block and its seats shared
out afterwards in proportion to head-count: the value is the same, and no cohort is served first because of its name.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.decide.check import attained_rules, broken_rules
from skillsgap.decide.conflicts import find_conflict
from skillsgap.decide.problem import plan_problem
from skillsgap.decide.relaxation import Relaxation
from skillsgap.decide.solve import solve
from skillsgap.errors import PlanError

BINDING = 1e-6  # relative; nearer than this a limit is reached


class PlanConflict(PlanError):
    """No plan keeps all rules; `conflict` names a smallest set that can't hold together, and the cheapest way out."""

    def __init__(self, conflict):
        super().__init__(f"no plan keeps all rules: {', '.join(conflict.rules)} can't hold together; loosen one.")
        self.conflict = conflict


@dataclass(frozen=True)
class Plan:
    """A checked plan; money in the budget's currency, need and gap closed in importance-weighted levels.

    `allocations`: cohort_id, option_id, seats (people), cost, gap_closed, reached (people x competencies brought to
    requirement). `options`: option_id, kind, tier, courses, period, seats, spend, gap_closed. `courses`: course_id,
    tier, provider, period, seats, spend (with fixed costs). `competencies`: competency_id, closed, need, reached, below
    (people below requirement). `agencies`: agency_id, staff, seats, spend, gap_closed, need. `groups`: by, group,
    staff, seats, gap_closed, need (None where no groups were given). `rules`: rule_id, family, sense, measure,
    attained, limit, binding, price (gap closed by a unit more), money (currency a unit is worth).
    `value` <= best possible <= `bound`; `gap` = (bound - value) / value, NaN where nothing was proved.
    `people_without_need`: staff with no stated requirement or no shortfall. status: "optimal", "feasible" (proved to
    a wider gap than asked for) or the name of a common practice.
    """

    allocations: pd.DataFrame
    options: pd.DataFrame
    courses: pd.DataFrame
    competencies: pd.DataFrame
    agencies: pd.DataFrame
    groups: pd.DataFrame | None
    rules: pd.DataFrame
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
    weights: pd.DataFrame, *, budget: float | None = None, rules: dict | None = None, options=None,
    able: pd.DataFrame | None = None, cohort_groups: pd.DataFrame | None = None, agencies: pd.DataFrame | None = None,
    attrition: pd.DataFrame | None = None, mip_gap: float = 1e-4, random_state: int = 0,
) -> Plan:
    """The plan that closes most importance-weighted gap under all rules, with a proved bound.

    Maximise sum value x seats, with at most one option a person and every declared rule kept. An option is a course,
    a declared sequence of courses, or a way of staffing a place; its value is the weighted shortfall it is expected to
    close, over the distribution of shortfalls. Cohorts that no rule tells apart are one block, which is exact.

    Parameters
    ----------
    cohorts : DataFrame: cohort_id, agency_id, role_id, role_level, grade, profile, need_band, headcount.
    shortfalls : DataFrame: role_id, role_level, profile, need_band, competency_id, shortfall (levels, >= 0),
        share (sums to 1 within the first five). A cohort without rows has no stated requirement, no need.
    courses, course_effects : DataFrame, see `training_options`.
    weights : DataFrame: role_id, role_level, competency_id, weight (>= 0; the caller normalises).
    budget : money, >= 0; instead of the one in `rules`.
    rules : dict, the part `plan` of params, see `policy_rules`; by default the budget alone.
    options : Options made of the same courses, where periods, hours or languages matter.
    able : DataFrame, staff who have what options need, see `policy_rules`; without it no device, language or earlier
        course is asked for, and a course with prerequisites comes with them.
    cohort_groups : DataFrame: cohort_id, by, group, share (0-1); for equity.
    agencies : DataFrame: agency_id, hub_id.
    attrition : DataFrame: role_id, attrition (0-1 a year).
    mip_gap : gap (bound - value) / value to be proved; on a large unit the search ends after so many steps, and the
        gap that was proved is told.
    random_state : seed of the solver; the same inputs give the same plan, whatever their row order.

    Raises
    ------
    PlanConflict
        If no plan keeps all rules.
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
    if budget is not None:
        if not budget >= 0:
            raise PlanError(f"budget must be >= 0, but is {budget}; give the money available, 0 for none.")
        rules = {name: value for name, value in (rules or {}).items() if name != "periods"} | {"budget": budget}
    if not rules:
        raise PlanError("no budget was given; give budget, or rules with one.")
    problem = plan_problem(
        cohorts, shortfalls, courses, course_effects, weights, rules=rules, options=options, able=able,
        cohort_groups=cohort_groups, agencies=agencies, attrition=attrition)
    return best_plan(problem, mip_gap=mip_gap, random_state=random_state)[0]


def plan_conflict(problem, *, random_state=0):
    """Why no plan keeps all rules of a problem, to be raised; costs, and who is able to take what, are facts."""
    return PlanConflict(find_conflict(problem.program, problem.rules, choices=problem.choices,
                                      facts=("fixed_cost", "able"), random_state=random_state))  # fmt: skip


def best_plan(problem, *, mip_gap=1e-4, random_state=0, start=None, relaxation=None):
    """The plan of a problem and the solution behind it; `start` and `relaxation` as in `solve`.

    Raises
    ------
    PlanConflict
        If no plan keeps all rules.
    """
    solution = solve(problem.program, mip_gap=mip_gap, random_state=random_state, start=start, relaxation=relaxation)
    if solution.status == "infeasible":
        raise plan_conflict(problem, random_state=random_state)
    prices = shadow_prices(problem.program, solution.seats, random_state=random_state)
    plan = finish_plan(problem, solution.seats, bound=solution.bound, status=solution.status, prices=prices)
    return plan, solution


def shadow_prices(program, seats, *, random_state=0):
    """What a unit more of each rule's limit would close with divisible seats, the same courses and classes open.

    Returns
    -------
    Series by rule: weighted levels a unit, >= 0.
    """
    settled = program.settled(((program.members @ seats) > 0).astype(float))
    relaxed = Relaxation(settled, random_state=random_state)
    relaxed.run()
    prices = np.abs(relaxed.prices[relaxed.n_groups:][:len(settled.row_rule)])
    return pd.Series(prices).groupby(settled.row_rule).sum()


def finish_plan(problem, seats, *, bound=np.nan, status, prices=None):
    """Tables of a plan from the seats of each column, every rule checked anew."""
    taken = np.flatnonzero(seats)
    of_block = _of_blocks(problem, taken, seats[taken])
    made = of_block, problem.blocks, problem.options, problem.rules
    attained = attained_rules(*made)
    broken = broken_rules(*made, attained=attained)
    if broken:
        raise PlanError(f"the plan breaks its rules: {'; '.join(broken[:5])}. Report it.")
    allocations = _shared_out(problem, taken, seats[taken])
    value = float(of_block["gap_closed"].sum())
    courses = _courses(problem, of_block)
    need = problem.need
    return Plan(
        allocations=allocations, options=_by_option(problem, of_block), courses=courses,
        competencies=_competencies(problem, taken, seats[taken], need), agencies=_agencies(problem, of_block),
        groups=_groups(problem, of_block), rules=_priced(problem, attained, prices), value=value,
        bound=max(bound, value), gap=_relative_gap(max(bound, value), value), spend=_spend(problem, attained),
        budget=problem.budget, total_need=float(need.sum()), status=status,
        people_without_need=int(problem.blocks["size"][problem.blocks["need"] <= 0].sum()))  # fmt: skip


def _relative_gap(bound, value):
    if value > 0:
        return (bound - value) / value
    return 0.0 if bound <= 0 else bound * np.inf  # NaN stays NaN: nothing was proved


def _of_blocks(problem, taken, people):
    """Seats of blocks with their cost and the gap they close."""
    block, option = problem.choices.column_group[taken], problem.choices.column_option[taken]
    offer = problem.options.options
    return pd.DataFrame({
        "group_id": problem.blocks["group_id"].to_numpy()[block],
        "option_id": offer["option_id"].to_numpy()[option], "seats": people,
        "cost": people * offer["cost"].to_numpy(dtype=float)[option],
        "gap_closed": people * problem.choices.fields["value"][taken],
        "reached": people * problem.worth.reached[problem.kind[block], option].sum(axis=1)})  # fmt: skip


def _shared_out(problem, taken, people):
    """Seats of each block over its cohorts by largest remainder; ties go to the smaller cohort_id."""
    cohorts = problem.cohorts
    by_block = np.argsort(cohorts["block"].to_numpy(), kind="stable")
    first = np.searchsorted(cohorts["block"].to_numpy()[by_block], np.arange(len(problem.blocks) + 1))
    left, ids = cohorts["headcount"].to_numpy().copy(), cohorts["cohort_id"].to_numpy()
    rows = []
    for column, number in zip(taken, people, strict=True):
        block = problem.choices.column_group[column]
        members = by_block[first[block]:first[block + 1]]
        claim, whole = int(number) * left[members], left[members].sum()
        given, remainder = claim // whole, claim % whole
        order = np.lexsort((members, -remainder))
        given[order[:int(number) - given.sum()]] += 1
        left[members] -= given
        rows.append(np.column_stack([members, np.full(len(members), column), given])[given > 0])
    cohort, column, number = (np.concatenate(rows) if rows else np.zeros((0, 3), dtype=np.int64)).T
    table = _of_blocks(problem, column, number).drop(columns="group_id")
    table.insert(0, "cohort_id", ids[cohort])
    return table.sort_values(["cohort_id", "option_id"], ignore_index=True)


def _by_option(problem, taken):
    told = problem.options.options[["option_id", "kind", "tier", "courses", "period"]]
    sums = taken.groupby("option_id")[["seats", "cost", "gap_closed"]].sum().rename(columns={"cost": "spend"})
    return told.merge(sums, on="option_id").sort_values("option_id", ignore_index=True)


def _courses(problem, taken):
    """Seats and money of each course and period, fixed costs of its classes included."""
    options, steps = problem.options.options, problem.options.steps
    table = steps.merge(options[["option_id"]].rename_axis("option").reset_index(), on="option")
    table = table[table["course_id"] != ""].merge(taken, on="option_id", suffixes=("", "_all"))
    table["spend"] = table["seats_all"] * table["cost"]
    table["seats"] = table["seats_all"] * table["seats"]
    # what an option closes belongs to its courses by their hours: a part each, so that courses add up to the plan
    hours = table["hours"].astype(float).clip(lower=1e-9)
    part = hours / hours.groupby([table["group_id"], table["option_id"]]).transform("sum")
    table["gap_closed"] = part * table["gap_closed"]
    keys = ["course_id", "tier", "provider", "period"]
    made = table.groupby(keys, sort=True, dropna=False)[["seats", "spend", "gap_closed"]].sum().reset_index()
    paid = _fixed_costs(problem, taken)
    if len(paid):
        made["spend"] += made.set_index(["course_id", "period"]).index.map(paid).fillna(0.0).to_numpy(dtype=float)
    return made


def _fixed_costs(problem, taken):
    """Fixed costs that are paid, by course and period."""
    fixed = [rule for rule in problem.rules if rule["type"] == "fixed_cost"]
    if not fixed or taken.empty:
        return pd.Series(dtype=float)
    steps = problem.options.steps.merge(
        problem.options.options[["option_id"]].rename_axis("option").reset_index(), on="option")
    rows = taken.merge(steps[["option_id", "course_id", "period"]], on="option_id")
    rows = rows.merge(problem.blocks, on="group_id", suffixes=("", "_block"))
    paid = []
    for rule in fixed:
        here = rows
        for name, wanted in (rule.get("where") or {}).items():
            wanted = wanted["in"] if isinstance(wanted, dict) else wanted
            wanted = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
            here = here[here[name].astype(str).isin([str(value) for value in wanted])]
        by = [*rule.get("by", ())]
        classes = here.drop_duplicates(list(dict.fromkeys(["course_id", "period", *by])))
        key = classes[by].astype(str).agg("/".join, axis=1) if by else pd.Series("", index=classes.index)
        cost = key.map(rule["cost"]) if isinstance(rule["cost"], dict) else rule["cost"]
        paid.append(classes[["course_id", "period"]].assign(cost=cost))
    return pd.concat(paid).groupby(["course_id", "period"])["cost"].sum()


def _competencies(problem, taken, people, need):
    block, option = problem.choices.column_group[taken], problem.choices.column_option[taken]
    kind, size = problem.kind[block], problem.blocks["size"].to_numpy()
    return pd.DataFrame({
        "competency_id": list(problem.worth.competencies),
        "closed": people @ problem.worth.closed[kind, option], "need": need,
        "reached": people @ problem.worth.reached[kind, option], "below": size @ problem.worth.below[problem.kind]})


def _agencies(problem, taken):
    blocks = problem.blocks.assign(all_need=problem.blocks["size"] * problem.blocks["need"])
    made = blocks.groupby("agency_id", sort=True).agg(staff=("size", "sum"), need=("all_need", "sum"))
    sums = taken.merge(blocks[["group_id", "agency_id"]], on="group_id").groupby("agency_id")
    sums = sums[["seats", "cost", "gap_closed", "reached"]].sum().rename(columns={"cost": "spend"})
    return made.join(sums).fillna(0.0).astype({"seats": int}).reset_index()


def _groups(problem, taken):
    """What each group of staff gets, beside its part of the need."""
    shares = [name for name in problem.blocks if "=" in name]
    if not shares:
        return None
    blocks, rows = problem.blocks, []
    place = pd.Index(blocks["group_id"]).get_indexer(taken["group_id"])
    for name in shares:
        part = blocks[name].to_numpy(dtype=float)
        rows.append({"by": name.partition("=")[0], "group": name.partition("=")[2],
                     "staff": part @ blocks["size"], "seats": part[place] @ taken["seats"],
                     "gap_closed": part[place] @ taken["gap_closed"], "need": part @ (blocks["size"] * blocks["need"])})
    return pd.DataFrame(rows)


def _spend(problem, attained):
    budgets = {rule["id"] for rule in problem.budgets}
    return float(attained.loc[attained["rule_id"].isin(budgets), "attained"].sum())


def _priced(problem, attained, prices):
    """Rules with what they attain, whether they bind, and what a unit more would be worth."""
    table = attained.drop(columns="holds")
    size = np.maximum(table["limit"].abs(), 1e-300)
    table["binding"] = (table["attained"] - table["limit"]).abs() <= BINDING * size
    if prices is None:
        return table.assign(price=np.nan, money=np.nan)
    table["price"] = table["rule_id"].map(prices).fillna(0.0)
    budgets = {rule["id"] for rule in problem.budgets}
    of_money = table.loc[table["rule_id"].isin(budgets), "price"].max()
    table["money"] = table["price"] / of_money if of_money > 0 else np.nan
    return table
