"""The plan of a unit: what the money buys, what more would buy, what each rule costs, how sure, who and when."""

import numpy as np
import pandas as pd

from skillsgap.decide.draws import plan_draws
from skillsgap.decide.frontier import budget_frontier, rule_prices
from skillsgap.decide.options import allowed
from skillsgap.decide.plan import PlanConflict, best_plan
from skillsgap.decide.problem import plan_problem
from skillsgap.decide.recommendations import checked_impact, recommendations
from skillsgap.decide.strata import executable_plan
from skillsgap.run.planning import given

NODES = 20  # steps of the search for a draw's plan: a good one is found early; what is not proved is told
PRINTED = 5  # rules of one family whose price a page names; of the many about single strata the dearest


def unit_problem(unit):
    """What the plan of a unit is made of, built once: None where it declares no plan, or lacks what one needs.

    Parameters
    ----------
    unit : Unit

    Returns
    -------
    Problem or None
    """
    made = given(unit)
    if made is None:
        return None
    return plan_problem(
        made.cohorts, made.shortfalls, made.courses, made.course_effects, made.weights, rules=made.rules,
        options=made.options, able=made.able, cohort_groups=made.cohort_groups, agencies=made.agencies,
        attrition=made.attrition)


def plan(unit):
    """The plan under all rules of the unit with all that is asked about it; or the rules that can't hold together."""
    problem = unit_problem(unit)
    if problem is None:
        return {}
    asked, seed = unit.values["plan"], {"random_state": unit.values["random_state"]}
    checked_impact(asked.get("impact"), problem.options.courses["course_id"])  # before the search for a plan
    try:
        best, solution = best_plan(problem, mip_gap=asked["mip_gap"], **seed)
    except PlanConflict as error:
        facts = {"feasible": 0, "budget": problem.budget, "need": float(problem.need.sum())}
        return {"plan_conflict": told_conflict(error.conflict), "plan_summary": _named(facts)}
    wide = {"mip_gap": asked["draw_gap"], **seed}
    budgets = [factor * problem.budget for factor in asked["frontier"]]
    curve = budget_frontier(problem, budgets, solution=solution, **wide)
    made = {
        "allocations": best.allocations, "plan_options": best.options, "plan_courses": best.courses,
        "plan_agencies": by_agency(problem, best, "course_id"), "plan_tiers": by_agency(problem, best, "tier"),
        "plan_competencies": best.competencies, "plan_groups": best.groups, "frontier": curve,
        "plan_rules": named_rules(best.rules, best.total_need),
    }  # fmt: skip
    drawn = plan_draws(problem, best, n_draws=asked["n_draws"], solution=solution, nodes=NODES, **wide)
    made["recommendations"] = who = recommendations(problem, best, drawn, impact=asked.get("impact"))
    if asked["n_draws"] == 0:
        return made | {"plan_summary": _named(_facts(best, curve) | _between(drawn.interval))}
    placed = executable_plan(problem, best, **wide)
    facts = _facts(best, curve) | _sure(drawn) | _placed(placed)
    return made | {"plan_prices": rule_prices(problem, best, solution, **wide), "plan_stability": _stability(who),
                   "plan_summary": _named(facts)}  # fmt: skip


def _facts(best, curve):
    """The figures of a plan by name."""
    here = curve[np.isclose(curve["budget"], best.budget)]
    practice = {name: here[name].iloc[0] if len(here) else np.nan for name in ("gap_first_share", "ratio_first_share")}
    return {
        "feasible": 1, "budget": best.budget, "spend": best.spend, "seats": best.allocations["seats"].sum(),
        "closed_share": best.closed_share, "gap": best.gap, "value": best.value, "bound": best.bound,
        "need": best.total_need, "reached": best.competencies["reached"].sum(),
        "below": best.competencies["below"].sum(), **practice,
    }  # fmt: skip


def _sure(drawn):
    """How the plan, and one made of cautious gains, do over the draws."""
    plans = drawn.plans.set_index("plan")
    regret = plans.loc["expected", "median_regret"] * plans.loc["expected", "closed_share"]  # of the need, as the rest
    return _between(drawn.interval) | {
        "n_draws": drawn.n_draws, "regret_median": regret,
        "worst_decile": plans.loc["expected", "worst_decile"],
        "draw_gap": float((drawn.table["bound"] / drawn.table["optimum"] - 1).max()),
        "cautious_share": plans.loc["cautious", "closed_share"],
        "cautious_worst_decile": plans.loc["cautious", "worst_decile"], "expert": drawn.expert,
    }  # fmt: skip


def _between(interval):
    """What the plan closes if courses do more or less than stated."""
    row = interval.iloc[0]
    return {"ci_low": row["ci_low"], "ci_high": row["ci_high"], "mean_share": row["mean_of_draws"]}


def _placed(placed):
    """What the same seats close without a quiz, and what the best plan closes that knows nobody's profile."""
    shares = placed.values.set_index("filled")["closed_share"]
    return {"unquizzed_share": shares["random"], "unknown_share": shares["blind"]}


def _stability(who):
    """How often the best plan of a draw gives an option to the same strata, by option, weighted by its seats."""
    seats = who.groupby(["option_id", "tier"])["seats"].sum()
    kept = (who["stability"] * who["seats"]).groupby([who["option_id"], who["tier"]]).sum() / seats
    table = pd.DataFrame({"seats": seats, "stability": kept}).reset_index()
    return table.assign(n_draws=who["n_draws"].max() if len(who) else 0)


def _named(facts):
    return pd.Series(facts, dtype=float).rename_axis("name").rename("value").reset_index()


def by_agency(problem, best, column):
    """Seats of each course or tier in each agency, with the staff who may take it.

    Parameters
    ----------
    problem : Problem
    best : Plan
    column : "course_id" or "tier"

    Returns
    -------
    DataFrame of agency_id, the column (with its tier), seats, cost, eligible
    """
    cohorts, options, steps = problem.cohorts, problem.options, problem.options.steps
    names = list(dict.fromkeys([column, "tier"]))
    of_option = steps.merge(options.options[["option_id"]].rename_axis("option").reset_index(), on="option")
    taken = best.allocations.drop(columns="cost").merge(of_option.drop(columns="seats"), on="option_id")
    taken = taken[taken["course_id"] != ""].merge(cohorts[["cohort_id", "agency_id"]], on="cohort_id")
    taken["cost"] = taken["cost"] * taken["seats"]
    made = taken.groupby(["agency_id", *names])[["seats", "cost"]].sum().reset_index()
    may = pd.DataFrame(allowed(cohorts, options).T).groupby(steps.groupby("option")[column].last().to_numpy()).any()
    people = (may * cohorts["headcount"].to_numpy()).T.groupby(cohorts["agency_id"].to_numpy()).sum().stack()
    eligible = made.set_index(["agency_id", column]).index.map(people)
    return made.assign(eligible=np.asarray(eligible, dtype=float).astype(int))


def named_rules(rules, total_need):
    """Rules that bind and may be told: those about few staff of one agency and role would tell their number.

    Parameters
    ----------
    rules : DataFrame, see `Plan`
    total_need : weighted levels of all staff

    Returns
    -------
    DataFrame with the same columns and one_percent: share of the need that a limit 1 % looser would close
    """
    bound = rules[rules["binding"] & (rules["price"] > 0) & ~_of_few(rules)]
    bound = bound.sort_values(["family", "price", "rule_id"], ascending=[True, False, True])
    bound = bound.groupby("family").head(PRINTED).reset_index(drop=True)
    return bound.assign(one_percent=bound["price"] * bound["limit"].abs() / 100 / total_need)


def told_conflict(conflict):
    """A conflict's members, and what else its cheapest way out changes; numbers of few staff are left out."""
    table, cheapest = conflict.table.assign(member=True), conflict.cheapest
    others = cheapest[~cheapest["rule_id"].isin(table["rule_id"])].assign(member=False)
    table = pd.concat([table, others], ignore_index=True)
    figures = ["given", "needed", "alone", "relaxed_to"]
    table[figures] = table[figures].mask(_of_few(table), axis=0)
    return table


def _of_few(rules):
    """Whether a rule's limit is a number of staff of one stratum."""
    return (rules["family"] == "able") | rules["rule_id"].str.startswith("champions_interested")
