"""What each budget buys, beside what common practice would buy with the same money."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.decide.model import Model, build_model
from skillsgap.decide.plan import Plan, finish_plan, solve_seats
from skillsgap.errors import PlanError


def budget_frontier(
    cohorts: pd.DataFrame, shortfalls: pd.DataFrame, courses: pd.DataFrame, course_effects: pd.DataFrame,
    weights: pd.DataFrame, *, budgets: list[float], mip_gap: float = 1e-4, random_state: int = 0,
) -> pd.DataFrame:
    """Share of the need closed by the best plan of each budget.

    The plan of a smaller budget is feasible for a larger one and starts its search, so that more money never
    closes less. In the same way a bound proved for a larger budget holds for every smaller one.

    Parameters
    ----------
    cohorts, shortfalls, courses, course_effects, weights : DataFrame, see `plan_training`.
    budgets : money, each >= 0; sorted, doubles are dropped.
    mip_gap, random_state : see `plan_training`.

    Returns ------- DataFrame by rising budget: budget, spend, seats, value (weighted levels), closed_share,
    bound_share (no plan can close more), common_practice_share (see `common_practice`), gap (proved,
    relative).

    Raises
    ------
    PlanError
        For an empty list, a negative budget, or inputs that `plan_training` refuses.
    """
    amounts = np.unique(np.asarray(budgets, dtype=float))
    if len(amounts) == 0:
        raise PlanError("budgets is empty; give at least one amount of money.")
    model = build_model(cohorts, shortfalls, courses, course_effects, weights)
    plans, practice, seats = [], [], None
    for budget in amounts:
        seats, bound = solve_seats(
            model, budget=budget, mip_gap=mip_gap, random_state=random_state, start=seats)
        plans.append(finish_plan(model, seats, budget=budget, bound=bound, status="optimal"))
        practice.append(_practice_plan(model, budget))
    value = np.array([plan.value for plan in plans])
    bound = np.minimum.accumulate([plan.bound for plan in plans[::-1]])[::-1]
    need = plans[0].total_need if plans[0].total_need > 0 else 1.0
    return pd.DataFrame({
        "budget": amounts,
        "spend": [plan.spend for plan in plans],
        "seats": [int(plan.courses["seats"].sum()) for plan in plans],
        "value": value,
        "closed_share": value / need,
        "bound_share": bound / need,
        "common_practice_share": [plan.closed_share for plan in practice],
        "gap": np.divide(bound - value, value, out=np.zeros(len(value)), where=value > 0),
    })


def common_practice(
    cohorts: pd.DataFrame, shortfalls: pd.DataFrame, courses: pd.DataFrame, course_effects: pd.DataFrame,
    weights: pd.DataFrame, *, budget: float,
) -> Plan:
    """What "largest gap first" closes with the same money and the same rules.

    Cohorts are served in order of their need per head (ties: the first cohort_id of the block), each person
    with the eligible course that closes most for them (ties: the smaller course_id) while money and seats
    last, else the next best. Courses left below class_min are cancelled and their money returned; the people
    still without a seat are then served again from the other courses, until nothing has to be cancelled.

    Parameters
    ----------
    cohorts, shortfalls, courses, course_effects, weights : DataFrame, see `plan_training`.
    budget : money, >= 0.

    Returns
    -------
    Plan with status "common practice"; bound and gap are NaN, as nothing is proved about it.

    Raises
    ------
    PlanError
        For a negative budget, or inputs that `plan_training` refuses.
    """
    if not budget >= 0:
        raise PlanError(f"budget must be >= 0, but is {budget}; give the money available, 0 for none.")
    return _practice_plan(build_model(cohorts, shortfalls, courses, course_effects, weights), budget)


def _practice_plan(model, budget):
    seats = np.zeros(len(model.pair_block), dtype=np.int64)
    offered = np.ones(len(model.courses), dtype=bool)
    while True:
        seats = _serve(model, seats, offered, budget)
        taken = np.bincount(model.pair_course, seats, minlength=len(offered))
        cancelled = (taken > 0) & (taken < model.courses["class_min"].to_numpy())
        if not cancelled.any():
            return finish_plan(model, seats, budget=budget, bound=np.nan, status="common practice")
        seats[cancelled[model.pair_course]] = 0
        offered &= ~cancelled


@dataclass
class _Purse:
    """Money and seats that are left while people are served one after the other."""

    money: float
    places: np.ndarray
    opened: np.ndarray
    price: np.ndarray
    fixed: np.ndarray

    def buy(self, course: int, people: int) -> int:
        """Seats bought for at most so many people; the first one opens the course."""
        money = self.money - (0.0 if self.opened[course] else self.fixed[course])
        affordable = np.floor(money / self.price[course] + 1e-9) if self.price[course] > 0 else np.inf
        number = int(min(people, self.places[course], affordable)) if money >= 0 else 0
        if number > 0:
            self.money = money - number * self.price[course]
            self.places[course] -= number
            self.opened[course] = True
        return number


def _serve(model: Model, seats: np.ndarray, offered: np.ndarray, budget: float) -> np.ndarray:
    """Seats after everybody still without one was served in order of need; seats already given stay."""
    courses, seats = model.courses, seats.copy()
    taken = np.bincount(model.pair_course, seats, minlength=len(courses))
    price, fixed = courses["cost_per_seat"].to_numpy(dtype=float), courses["fixed_cost"].to_numpy(dtype=float)
    purse = _Purse(budget - float(taken @ price + (taken > 0) @ fixed),
                   courses["seats_max"].to_numpy() - taken, taken > 0, price, fixed)
    served = np.bincount(model.pair_block, seats, minlength=len(model.headcount))
    left = model.headcount - served.astype(np.int64)
    first = np.full(len(model.headcount), len(model.cohorts))
    np.minimum.at(first, model.cohorts["block"].to_numpy(), np.arange(len(model.cohorts)))
    block, course = model.pair_block, model.pair_course
    order = np.lexsort((course, -model.pair_value, first[block], -model.need_per_head[block]))
    for pair in order[offered[course[order]]]:
        if left[block[pair]] > 0:
            number = purse.buy(course[pair], left[block[pair]])
            seats[pair] += number
            left[block[pair]] -= number
    return seats
