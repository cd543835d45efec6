"""How sure a plan is where the effects of its courses are not: what it closes, and what would have been best."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from skillsgap.decide.plan import Plan, finish_plan
from skillsgap.decide.search import NODES
from skillsgap.decide.solve import solve
from skillsgap.decide.worth import worth_of
from skillsgap.errors import PlanError

STRATUM = ["agency_id", "role_id", "role_level"]  # what a recommendation speaks of
LOWER_DECILE = 1.2816  # standard deviations below the mean of a normal distribution
SCALE = 4.0  # levels: nobody gains more
BATCH = 8  # draws valued at once: more take memory and save no time
ALIKE = 0.5  # a draw's best plan gives the same where a stratum gets so much of its seats


@dataclass(frozen=True)
class Draws:
    """A plan under drawn effects of its courses; gap closed in importance-weighted levels.

    `table`: draw, expected, cautious (gap closed by the two plans), optimum (gap closed by the best plan found for this
    draw), bound (no plan closes more), regret, regret_cautious (share of the optimum that is missed, 0-1), one row a
    solved draw. `plans`: plan (expected, cautious), closed_share (mean over all draws), worst_decile (it closes more in
    nine draws of ten), median_regret, spend, seats. `recommendations`: agency_id, role_id, role_level, option_id,
    seats, gap_closed, mean_of_draws, ci_low, ci_high, stability (share of the solved draws whose best plan gives this
    stratum at least half as many seats of this option), n_draws. `interval`: statistic, estimate, se, ci_low, ci_high,
    mean_of_draws, n_draws, uncertainty = "effect" (sampling error is not in it). `cautious`: the plan made with every
    gain at its lower decile. `expert`: part of the gap closed that rests on effects which experts only judged, 0-1.
    """

    table: pd.DataFrame
    plans: pd.DataFrame
    recommendations: pd.DataFrame
    interval: pd.DataFrame
    cautious: Plan | None
    expert: float

    @property
    def n_draws(self) -> int:
        """Number of draws for which a best plan was sought."""
        return len(self.table)


def plan_draws(problem, plan, *, n_draws=20, n_fixed=200, mip_gap=0.005, random_state=0, solution=None,
               nodes=NODES) -> Draws:
    """What a plan closes and how much better one could have done, over draws of what the courses achieve.

    One draw is one N(gain, sd) for every course and competency, cut off at 0 and at the scale, the same for all who
    attend. Only what a seat closes is drawn: the rules stay those of the plan, so every plan is possible in every draw
    and regret is never negative. As nobody gains more than they lack, plans close less over the draws than at the
    expected gains: `mean_of_draws` stands beside each estimate and lies within its interval.

    Parameters
    ----------
    problem : Problem
    plan : Plan made of it, by `best_plan` or otherwise.
    n_draws : number of draws for which the best plan is sought, at least 2; 0 for intervals alone, without a cautious
        plan, stability or regret.
    n_fixed : number of draws for the intervals of the fixed plans, at least n_draws; the first are the same.
    mip_gap : gap to be proved for each draw.
    random_state : seed of the draws and of the solver.
    nodes : steps of the search for each draw; with fewer the bounds in `table` lie farther off.
    solution : what `best_plan` returned beside the plan; its relaxation is a warm start.

    Raises
    ------
    PlanError
        For numbers of draws outside their ranges, or a plan of another problem.

    Examples
    --------
    Ten people lack 2 levels each. A seat in course a closes 1 +- 0.5 levels, one in course b 0.8 for sure.

    >>> from skillsgap.decide.plan import best_plan
    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": 2.0, "share": 1.0, **key}])
    >>> offer = pd.DataFrame({"course_id": ["a", "b"], "tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 0.0})
    >>> effect = pd.DataFrame({"course_id": ["a", "b"], "competency_id": "c", "gain": [1, 0.8], "sd": [0.5, 0.0]})
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules={"budget": 100})
    >>> draws = plan_draws(problem, best_plan(problem)[0], n_draws=40)
    >>> draws.plans["seats"].tolist(), draws.plans["worst_decile"].round(2).tolist()
    ([10, 10], [0.18, 0.4])
    >>> row = draws.recommendations.iloc[0]
    >>> row["option_id"], bool(0.5 < row["stability"] < 0.9)
    ('a', True)
    """
    if n_draws < 0 or n_draws == 1 or n_fixed < max(2, n_draws):
        raise PlanError(f"n_draws is {n_draws} and n_fixed {n_fixed}; draw at least twice, and n_fixed not less often; "
                        "n_draws may be 0.")  # fmt: skip
    seats, effects = seats_of(problem, plan), problem.options.effects
    gain, sd = (effects[name].to_numpy(dtype=float) for name in ("gain", "sd"))
    gains = _gains(problem, n_fixed, random_state)
    relaxation = None if solution is None else solution.relaxation
    given = {"mip_gap": mip_gap, "random_state": random_state, "nodes": nodes}
    low, cautious = None, None
    if n_draws:
        careful = np.clip(gain - LOWER_DECILE * sd, 0.0, SCALE)
        low = solve(_with(problem, next(_values(problem, careful[None]))), relaxation=relaxation, **given)
        cautious, relaxation = finish_plan(problem, low.seats, status="cautious"), low.relaxation or relaxation
    cells, taken = _cells(problem), np.flatnonzero(seats)
    planned, place = np.unique(cells[taken], return_inverse=True)
    solved, same = [], []
    for value in _values(problem, gains[:n_draws]):  # the plan is no start: a search that begins there would end there
        best = solve(_with(problem, value), relaxation=relaxation, **given)
        relaxation = best.relaxation or relaxation
        solved.append((best.value, best.bound))
        same.append(np.bincount(cells, best.seats)[planned] >= ALIKE * np.bincount(cells, seats)[planned])
    fixed = np.array([seats] if low is None else [seats, low.seats])
    filled = np.flatnonzero(fixed.any(axis=0))
    value = np.array(list(_values(problem, gains, filled))).reshape(n_fixed, len(filled))
    totals = value @ fixed[:, filled].T
    closed = np.array([np.bincount(place, each, minlength=len(planned)) for each in
                       (value * seats[filled])[:, seats[filled] > 0]])  # fmt: skip
    table = _table(totals[:n_draws], np.array(solved).reshape(n_draws, 2))
    rows = _rows(problem, seats, cells, planned).assign(
        **_spread(closed), stability=np.mean(same, axis=0) if n_draws else np.nan, n_draws=n_draws)
    plans = _plans(problem, totals, table, [plan, cautious][:len(fixed)])
    return Draws(table, plans, rows, _interval(plan, totals[:, 0]), cautious, _expert(problem, seats))


def _gains(problem, n_fixed, random_state):
    """Drawn gains of every effect: (n_fixed, n_effects)."""
    gain, sd = (problem.options.effects[name].to_numpy(dtype=float) for name in ("gain", "sd"))
    noise = np.random.default_rng(random_state).standard_normal((n_fixed, len(gain)))
    return np.clip(gain + sd * noise, 0.0, SCALE)


def seats_of(problem, plan) -> np.ndarray:
    """Seats of each column of a problem in a plan made of it.

    Raises
    ------
    PlanError
        If the plan is one of another problem.
    """
    rows, choices, n_options = plan.allocations, problem.choices, len(problem.options.options)
    block = problem.cohorts.set_index("cohort_id")["block"].reindex(rows["cohort_id"]).fillna(-1).to_numpy(dtype=int)
    option = pd.Index(problem.options.options["option_id"]).get_indexer(rows["option_id"])
    column = pd.Index(choices.column_group * n_options + choices.column_option).get_indexer(block * n_options + option)
    if len(rows) and min(block.min(), option.min(), column.min()) < 0:
        raise PlanError("the plan gives seats that this problem does not know; use the problem it was made of.")
    seats = np.bincount(column, rows["seats"], minlength=len(choices.column_group)).astype(np.int64)
    if not problem.program.keeps(seats):
        raise PlanError("the plan does not keep the rules of this problem; use the problem it was made of.")
    return seats


def _with(problem, value):
    return replace(problem.program, value=value)


def _values(problem, gains, columns=slice(None)):
    """Gap that a seat of these columns closes at each of the gains (n_draws, n_effects), one draw after the other."""
    group, option = problem.kind[problem.choices.column_group[columns]], problem.choices.column_option[columns]
    options, option = _offered(problem.options, option)
    for first in range(0, len(gains), BATCH):
        some = gains[first:first + BATCH]
        worth = worth_of(problem.needs, _copies(options, len(some)), gains=some.ravel(), attrition=problem.attrition)
        value = worth.value.reshape(len(problem.needs.types), len(some), -1)
        for number in range(len(some)):
            yield value[group, number, option]


def _offered(options, numbers):
    """The options that these numbers name, and their numbers among them."""
    kept, place = np.unique(numbers, return_inverse=True)
    number = np.full(len(options.options), -1)
    number[kept] = np.arange(len(kept))
    gains = options.gains.assign(option=number[options.gains["option"]])
    few = replace(options, options=options.options.iloc[kept].reset_index(drop=True), gains=gains[gains["option"] >= 0])
    return few, place


def _copies(options, times):
    """Every option so many times, each time with effects of its own: worth is quicker for several draws at once."""
    n, m, gains = len(options.options), len(options.effects), options.gains
    own = gains["effect"] >= 0  # -1 stands for a place that is staffed, which nothing is drawn for
    gains = [gains.assign(option=gains["option"] + k * n, effect=gains["effect"] + k * m * own) for k in range(times)]
    return replace(
        options, options=pd.concat([options.options] * times, ignore_index=True),
        effects=pd.concat([options.effects] * times, ignore_index=True), gains=pd.concat(gains, ignore_index=True))


def _cells(problem):
    """Number of the stratum and option of each column."""
    stratum = problem.blocks.groupby(STRATUM, sort=True).ngroup().to_numpy()
    return stratum[problem.choices.column_group] * len(problem.options.options) + problem.choices.column_option


def _rows(problem, seats, cells, planned):
    """What the plan gives each stratum."""
    stratum, option = np.divmod(planned, len(problem.options.options))
    names = problem.blocks[STRATUM].drop_duplicates().sort_values(STRATUM).iloc[stratum].reset_index(drop=True)
    sums = [np.bincount(cells, number)[planned] for number in (seats, seats * problem.choices.fields["value"])]
    return names.assign(option_id=problem.options.options["option_id"].to_numpy()[option],
                        seats=sums[0].astype(int), gap_closed=sums[1])


def _spread(closed):
    low, high = np.quantile(closed, [0.025, 0.975], axis=0)
    return {"mean_of_draws": closed.mean(axis=0), "ci_low": low, "ci_high": high}


def _table(totals, solved):
    """What the plans close in each draw, beside the best: another plan at hand may be better than the one found."""
    best = np.maximum(solved[:, 0], totals.max(axis=1))
    missed = 1 - np.divide(totals, best[:, None], out=np.ones_like(totals), where=best[:, None] > 0)
    return pd.DataFrame({
        "draw": np.arange(1, len(best) + 1), "expected": totals[:, 0], "cautious": totals[:, -1], "optimum": best,
        "bound": np.maximum(solved[:, 1], best), "regret": missed[:, 0], "regret_cautious": missed[:, -1]})


def _plans(problem, totals, table, plans):
    need = problem.need.sum()
    share = totals / (need if need > 0 else 1.0)
    return pd.DataFrame({
        "plan": ["expected", "cautious"][:len(plans)], "closed_share": share.mean(axis=0),
        "worst_decile": np.quantile(share, 0.1, axis=0),
        "median_regret": table[["regret", "regret_cautious"]].median().to_numpy()[:len(plans)],
        "spend": [one.spend for one in plans], "seats": [int(one.allocations["seats"].sum()) for one in plans]})


def _interval(plan, totals):
    share = totals / (plan.total_need if plan.total_need > 0 else 1.0)
    spread = {name: float(one[0]) for name, one in _spread(share[:, None]).items()}
    return pd.DataFrame([{"statistic": "closed_share", "estimate": plan.closed_share, "se": share.std(ddof=1), **spread,
                          "n_draws": len(share), "uncertainty": "effect"}])  # fmt: skip


def _expert(problem, seats):
    """Part of what a plan closes where an option's effect on a competency is a judgement by experts."""
    gains = problem.options.gains
    judged = gains[problem.options.effects["evidence"].eq("expert").reindex(gains["effect"]).fillna(False).to_numpy()]
    place = pd.Index(problem.worth.competencies).get_indexer(judged["competency_id"])
    mask = np.zeros(problem.worth.closed.shape[1:])
    mask[judged["option"].to_numpy()[place >= 0], place[place >= 0]] = 1.0
    option = problem.choices.column_option
    closed = problem.worth.closed[problem.kind[problem.choices.column_group], option] * seats[:, None]
    total = closed.sum()
    return float((closed * mask[option]).sum() / total) if total > 0 else 0.0
