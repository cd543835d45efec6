"""What a plan recommends, as records: who, what, when, at what cost, what it closes, how sure, and why.

A record speaks of a stratum of staff (agency, role, level), never of a person.
"""

import numpy as np
import pandas as pd

from skillsgap.contracts import IMPACT
from skillsgap.decide.draws import STRATUM, seats_of
from skillsgap.decide.options import allowed
from skillsgap.errors import PlanError
from skillsgap.wording import N_

NOT_RECORDED = N_("not recorded")
ASKING = 1e-9  # gap closed a unit: a minimum with a higher price holds the plan back, so it is why seats are there


def recommendations(problem, plan, draws, *, impact=None) -> pd.DataFrame:
    """What a plan does for each stratum of staff, one row for each option it gives them.

    Parameters
    ----------
    problem : Problem
    plan : Plan made of it.
    draws : Draws made of the same plan.
    impact : see `checked_impact`.

    Returns
    -------
    DataFrame: agency_id, role_id, role_level, option_id, kind, courses ("B02>P01"), tier, period (from 0), staff
        (head-count of the stratum), eligible (of them, may take it), seats, cost (of the seats; what a class costs as
        such is charged to the budget alone), gap_closed (importance-weighted levels), mean_of_draws, ci_low, ci_high
        (95 %, of the draws), reached (people x competencies brought to requirement), stability (0-1), n_draws,
        competency_1, competency_1_share, competency_2, competency_2_share (the two that close most, and their shares of
        gap_closed; empty and 0 where there are fewer), rule_id and rule_family (the minimum that asks for these seats;
        "" = none does), and the four criteria: evidence, or "not recorded".

    Raises
    ------
    PlanError
        If every stratum is one person, draws are of another plan, or impact names what is not there.

    Examples
    --------
    Ten people lack 2 levels each; four seats close 1 level each.

    >>> from skillsgap.decide.draws import plan_draws
    >>> from skillsgap.decide.plan import best_plan
    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": 2.0, "share": 1.0, **key}])
    >>> offer = pd.DataFrame([{"course_id": "o", "tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 0.0}])
    >>> effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.0}])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules={"budget": 40})
    >>> plan, _ = best_plan(problem)
    >>> table = recommendations(problem, plan, plan_draws(problem, plan, n_draws=2, n_fixed=2))
    >>> table[["option_id", "eligible", "seats", "cost", "gap_closed", "stability", "fairness"]].values.tolist()
    [['o', 10, 4, 40.0, 4.0, 1.0, 'not recorded']]
    """
    staff = problem.blocks.groupby(STRATUM)["size"].sum()
    if staff.max() <= 1:
        raise PlanError("every agency, role and level has one person only, so recommendations would be for persons; "
                        "join roles or agencies.")  # fmt: skip
    seats, n_options = seats_of(problem, plan), len(problem.options.options)
    taken = np.flatnonzero(seats)
    block, option = problem.choices.column_group[taken], problem.choices.column_option[taken]
    stratum = problem.blocks.groupby(STRATUM, sort=True).ngroup().to_numpy()
    cells, row = np.unique(stratum[block] * n_options + option, return_inverse=True)
    table = _who(problem, staff, *np.divmod(cells, n_options))
    table["seats"] = np.bincount(row, seats[taken], minlength=len(cells)).astype(int)
    table["cost"] = table["seats"] * problem.options.options["cost"].to_numpy(dtype=float)[cells % n_options]
    table = _sure(table, draws)
    kind = problem.kind[block]
    closed, reached = np.zeros((2, len(cells), len(problem.worth.competencies)))
    np.add.at(closed, row, problem.worth.closed[kind, option] * seats[taken, None])
    np.add.at(reached, row, problem.worth.reached[kind, option] * seats[taken, None])
    table.insert(table.columns.get_loc("stability"), "reached", reached.sum(axis=1))
    asked, family = _asked_by(problem, plan, taken, row, len(cells)), plan.rules.set_index("rule_id")["family"]
    table = table.assign(**_largest(problem.worth.competencies, closed), rule_id=asked,
                         rule_family=family.reindex(asked).fillna("").to_numpy())
    return table.assign(**_evidence(table["courses"], checked_impact(impact, problem.options.courses["course_id"])))


def checked_impact(impact, course_ids) -> dict:
    """Evidence on what a plan does beyond the gap it closes, as somebody declared it; {} for None.

    Parameters
    ----------
    impact : dict course_id or "*" (the whole plan, staffing too) -> {criterion: evidence as text}, or None; criteria
        are public_interest, fairness, legality and participation.
    course_ids : courses there are.

    Raises
    ------
    PlanError
        If it names another course or criterion.
    """
    for course, told in (impact or {}).items():
        if course != "*" and course not in set(course_ids):
            raise PlanError(f'impact names "{course}", which is no course; use a course_id, or "*" for all.')
        odd = sorted(set(told) - set(IMPACT))
        if odd:
            raise PlanError(f'impact of "{course}" names "{odd[0]}"; use {", ".join(IMPACT)}.')
    return impact or {}


def _who(problem, staff, stratum, option):
    """Stratum and option of each row, with the people they are for."""
    blocks = problem.blocks
    may = allowed(blocks.rename(columns={"group_id": "cohort_id", "size": "headcount"}), problem.options)
    open_to = (may * blocks["size"].to_numpy()[:, None])
    open_to = pd.DataFrame(open_to).groupby([blocks[name] for name in STRATUM], sort=True).sum().to_numpy()
    offer = problem.options.options[["option_id", "kind", "courses", "tier", "period"]]
    names = staff.index.to_frame(index=False).iloc[stratum].reset_index(drop=True)
    return names.join(offer.iloc[option].reset_index(drop=True)).assign(
        staff=staff.to_numpy()[stratum], eligible=open_to[stratum, option].astype(int))


def _sure(table, draws):
    """What the draws tell of each row."""
    told = draws.recommendations
    both = table.merge(told, on=[*STRATUM, "option_id"], how="outer", suffixes=("", "_drawn"), indicator=True)
    if not ((both["_merge"] == "both") & (both["seats"] == both["seats_drawn"])).all():
        raise PlanError("the draws are of another plan; make them anew with plan_draws(problem, plan).")
    told = table[[*STRATUM, "option_id"]].merge(told, on=[*STRATUM, "option_id"], how="left")
    return table.join(told[["gap_closed", "mean_of_draws", "ci_low", "ci_high", "stability", "n_draws"]])


def _largest(names, closed):
    """The two competencies of each row that close most, with their shares."""
    total = closed.sum(axis=1, keepdims=True)
    share = np.divide(closed, total, out=np.zeros_like(closed), where=total > 0)
    order, columns = np.argsort(-share, axis=1, kind="stable"), {}
    for place in range(2):
        found = share[np.arange(len(share)), order[:, place]] if place < len(names) else np.zeros(len(share))
        name = np.asarray(names)[order[:, place]] if place < len(names) else np.full(len(share), "")
        columns |= {f"competency_{place + 1}": np.where(found > 0, name, ""), f"competency_{place + 1}_share": found}
    return columns


def _asked_by(problem, plan, taken, row, n):
    """Of the minimum rules that hold the plan back, the dearest that counts these seats; "" where there is none."""
    rules = plan.rules[(plan.rules["sense"] == "at least") & (plan.rules["family"] != "providers")]  # those only limit
    asking = rules[rules["binding"] | (rules["price"] > ASKING)].sort_values("rule_id", ascending=False)
    asking = asking.sort_values("price", kind="stable", na_position="first")
    answer, program = np.full(n, "", dtype=object), problem.program
    for rule in asking["rule_id"]:  # the dearest comes last and so stays
        here = np.flatnonzero((program.row_rule == rule) & np.isfinite(program.low))
        helps = np.asarray((program.matrix[here][:, taken] > 0).sum(axis=0)).ravel() > 0
        answer[row[helps]] = rule
    return answer


def _evidence(courses, impact):
    """Evidence on each criterion: that of the courses of a row, or else that of the whole plan."""
    general = impact.get("*", {})

    def evidence(option, criterion):
        told = [impact[course][criterion] for course in option.split(">") if impact.get(course, {}).get(criterion)]
        return "; ".join(dict.fromkeys(told)) or general.get(criterion) or NOT_RECORDED

    return {criterion: [evidence(option, criterion) for option in courses] for criterion in IMPACT}
