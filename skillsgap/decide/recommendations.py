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
WHAT = {
    "train": N_("{seats} of {eligible} staff who may ({role}, {level}, {agency}): {courses}; {cost}."),
    "redeploy": N_("{seats} of {eligible} staff who may ({role}, {level}, {agency}) move to another role; {cost}."),
    "hire": N_("{seats} of {eligible} places ({role}, {level}, {agency}) filled by hiring; {cost}."),
    "contract": N_("{seats} of {eligible} places ({role}, {level}, {agency}) filled by contract; {cost}."),
}  # fmt: skip
WHEN = N_("Starts in period {period}.")
CLOSES = N_("Closes {gap} weighted levels of need ({low} to {high}), most of it in {competencies}; the best plans of "
            "{stable} of {n} draws do the same.")  # fmt: skip
CLOSES_ALONE = N_("Closes {gap} weighted levels of need ({low} to {high}), most of it in {competencies}.")
WHY = N_("The rule {rule} asks for it.")
CRITERIA = {
    "public_interest": N_("Public interest: {told}."), "fairness": N_("Fairness: {told}."),
    "legality": N_("Legality: {told}."), "participation": N_("Participation: {told}."),
}  # fmt: skip


def recommendations(problem, plan, draws, *, impact=None) -> pd.DataFrame:
    """What a plan does for each stratum of staff, one row for each option it gives them.

    Parameters
    ----------
    problem : Problem
    plan : Plan made of it.
    draws : Draws made of the same plan.
    impact : dict course_id or "*" (the whole plan, staffing too) -> {criterion: evidence as text}; criteria are
        public_interest, fairness, legality and participation.

    Returns
    -------
    DataFrame: agency_id, role_id, role_level, option_id, kind, courses ("B02>P01"), tier, period (from 0), staff
        (head-count of the stratum), eligible (of them, may take it), seats, cost (of the seats; what a class costs as
        such is charged to the budget alone), gap_closed (importance-weighted levels), mean_of_draws, ci_low, ci_high
        (95 %, of the draws), reached (people x competencies brought to requirement), stability (0-1), n_draws,
        competency_1, competency_1_share, competency_2, competency_2_share (the two that close most, and their shares of
        gap_closed; empty and 0 where there are fewer), rule_id (the minimum that asks for these seats, "" = none does),
        and the four criteria: evidence, or "not recorded".

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
    table = table.assign(**_largest(problem.worth.competencies, closed),
                         rule_id=_asked_by(problem, plan, taken, row, len(cells)))
    return table.assign(**_impact(table["courses"], impact or {}, problem.options.courses["course_id"]))


def as_messages(table: pd.DataFrame) -> list:
    """Recommendations for prose: for each row a list of (message, values), sentences with {named} places.

    Values are typed as {"kind": ..., "value": ...}, and codes are told by the table that names them. Only rows that
    may be released should come here: those of a few eligible staff would speak of persons.

    Parameters
    ----------
    table : DataFrame from `recommendations`.
    """
    periods = table["period"].max() > 0 if len(table) else False
    return [_sentences(row, periods) for row in table.to_dict("records")]


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


def _impact(courses, impact, known):
    """Evidence on each criterion: that of the courses of a row, or else that of the whole plan."""
    for course, told in impact.items():
        if course != "*" and course not in set(known):
            raise PlanError(f'impact names "{course}", which is no course; use a course_id, or "*" for all.')
        odd = sorted(set(told) - set(IMPACT))
        if odd:
            raise PlanError(f'impact of "{course}" names "{odd[0]}"; use {", ".join(IMPACT)}.')
    general = impact.get("*", {})

    def evidence(option, criterion):
        told = [impact[course][criterion] for course in option.split(">") if impact.get(course, {}).get(criterion)]
        return "; ".join(dict.fromkeys(told)) or general.get(criterion) or NOT_RECORDED

    return {criterion: [evidence(option, criterion) for option in courses] for criterion in IMPACT}


def _sentences(row, periods):
    """One recommendation in sentences."""
    who = {"role": _label("role_id", row["role_id"]), "level": _label("role_level", row["role_level"]),
           "agency": _label("agency_id", row["agency_id"]), "seats": _number(row["seats"]),
           "eligible": _number(row["eligible"]), "cost": {"kind": "money", "value": float(row["cost"])}}  # fmt: skip
    if row["kind"] == "train":
        who["courses"] = _labels("course_id", row["courses"].split(">"))
    names = [row[name] for name in ("competency_1", "competency_2") if row[name]]
    told = [(WHAT[row["kind"]], who)]
    if periods:
        told.append((WHEN, {"period": _number(row["period"] + 1)}))
    if names:
        closes = {
            "gap": _number(row["gap_closed"], 1), "low": _number(row["ci_low"], 1), "high": _number(row["ci_high"], 1),
            "competencies": _labels("competency_id", names)}  # fmt: skip
        sure = {} if row["n_draws"] == 0 else {
            "n": _number(row["n_draws"]), "stable": _number(round(row["stability"] * row["n_draws"]))}
        told.append((CLOSES if sure else CLOSES_ALONE, closes | sure))
    if row["rule_id"]:
        told.append((WHY, {"rule": {"kind": "text", "value": row["rule_id"]}}))
    return told + [(CRITERIA[name], {"told": _evidence(row[name])}) for name in IMPACT]


def _evidence(text):
    return {"kind": "message" if text == NOT_RECORDED else "text", "value": text}


def _number(x, digits=0):
    return {"kind": "number", "value": round(float(x), 4), "digits": digits}


def _label(table, code):
    return {"kind": "label", "table": table, "value": str(code)}


def _labels(table, codes):
    return {"kind": "labels", "table": table, "value": [str(code) for code in codes]}
