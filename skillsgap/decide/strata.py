"""The plan as it can be carried out: seats by what is known of everybody, and what not knowing profiles costs.

An agency knows of its staff their role, level and grade, not their profile or what they lack. Seats are offered to such
strata. Who of a stratum takes one may be left to chance, or to a placement quiz whose result only the employee sees:
the quiz brings each seat to those it helps most, and so recovers the whole value of the plan.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.decide.choices import Choices
from skillsgap.decide.draws import seats_of
from skillsgap.decide.options import allowed
from skillsgap.decide.program import build_program
from skillsgap.decide.solve import solve
from skillsgap.errors import PlanError
from skillsgap.wording import N_

OBSERVED = ["agency_id", "role_id", "role_level", "grade"]  # what a register knows of everybody
QUIZ = N_("Seats are offered by agency, role, level and grade. Filled at random within these, they close {random} of "
          "what the plan closes. A placement quiz that only the employee sees brings back the rest.")  # fmt: skip


@dataclass(frozen=True)
class Executable:
    """Seats by stratum, and what they are worth without a quiz; gap closed in importance-weighted levels.

    `seats`: agency_id, role_id, role_level, grade, option_id, staff (head-count), eligible (of them), seats, cost,
    gap_closed (with a quiz), gap_closed_random. `blind`: the same of the best plan for which nobody's profile is
    known, None where the rules allow none. `values`: filled (quiz, random, blind), gap_closed, closed_share, lost
    (share of the plan's value, 0-1), seats, cost (of seats). `message`: sentence with {named} places, typed values.
    """

    seats: pd.DataFrame
    blind: pd.DataFrame | None
    values: pd.DataFrame
    message: tuple


def executable_plan(problem, plan, *, mip_gap=1e-3, random_state=0) -> Executable:
    """Value of a plan by how its seats are filled: by a quiz, at random, or planned without knowing anybody's profile.

    At random means that each eligible person of a stratum is as likely as the next, and nobody takes two options; where
    options are open to different people, those open to fewer are filled first. Eligible is whom the courses' own rules
    admit: a skill that a course asks for is tested at its door. The blind plan keeps the same rules; those that speak
    of profiles or need bands hold for the numbers expected.

    Parameters
    ----------
    problem : Problem
    plan : Plan made of it.
    mip_gap : gap to be proved for the blind plan.
    random_state : seed of the solver.

    Raises
    ------
    PlanError
        If staff have no grade, or the plan is of another problem.

    Examples
    --------
    Of ten clerks four lack 2 levels and six none; four seats raise by 1.

    >>> from skillsgap.decide.plan import best_plan
    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"agency_id": "A", "role_id": "r", "role_level": "junior", "grade": "g", "profile": 1}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "need_band": "high", "headcount": 4, **key},
    ...                       {"cohort_id": "b", "need_band": "low", "headcount": 6, **key}])
    >>> lacks = staff.assign(competency_id="c", shortfall=[2.0, 0.0], share=1.0)
    >>> offer = pd.DataFrame([{"course_id": "o", "tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 0.0}])
    >>> effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules={"budget": 40})
    >>> done = executable_plan(problem, best_plan(problem)[0])
    >>> done.values["gap_closed"].round(9).tolist(), done.values["lost"].round(9).tolist()
    ([4.0, 1.6, 1.6], [0.0, 0.6, 0.6])
    """
    if "grade" not in problem.cohorts:
        raise PlanError("cohorts have no column grade; add it, with one code where there are no grades.")
    seats_of(problem, plan)
    cells = _cells(problem)
    given = plan.allocations.merge(cells.strata_of, on="cohort_id")
    given["option"] = pd.Index(problem.options.options["option_id"]).get_indexer(given["option_id"])
    known = given.groupby(["stratum", "option"], sort=True)[["seats", "gap_closed"]].sum().reset_index()
    known["gap_closed_random"] = cells.at_random(known)
    blind = _blind(problem, cells, known, mip_gap, random_state)
    ways = [("quiz", known, plan.value), ("random", known, known["gap_closed_random"].sum()),
            ("blind", blind, None if blind is None else blind["gap_closed_random"].sum())]
    values = pd.DataFrame([_value(problem, plan, *way) for way in ways])
    part = 1 - values.loc[1, "lost"]
    return Executable(_told(problem, cells, known), None if blind is None else _told(problem, cells, blind), values,
                      (QUIZ, {"random": {"kind": "percent", "value": round(float(part), 4)}}))


@dataclass(frozen=True)
class _Cells:
    """People of each stratum by block; a cell is a block's people in a stratum, sorted by stratum."""

    strata: pd.DataFrame  # OBSERVED, staff
    strata_of: pd.DataFrame  # cohort_id, stratum
    stratum: np.ndarray  # (n_cells,)
    block: np.ndarray
    people: np.ndarray
    may: np.ndarray  # (n_blocks, n_options)
    worth: np.ndarray  # (n_blocks, n_options) gap that a seat closes

    def eligible(self, stratum, option):
        """Whom of each stratum an option is open to, (n,)."""
        open_to = np.zeros((len(self.strata), self.may.shape[1]))
        np.add.at(open_to, self.stratum, self.people[:, None] * self.may[self.block])
        return open_to[stratum, option]

    def at_random(self, seats):
        """Gap that seats (stratum, option, seats) are expected to close if chance fills them."""
        order = seats.assign(open_to=self.eligible(seats["stratum"], seats["option"]))
        order = order.sort_values(["stratum", "open_to", "option"])
        turn = order.groupby("stratum").cumcount()
        left, closed = self.people.astype(float), pd.Series(0.0, index=seats.index)
        for _, now in order.groupby(turn):  # one option of every stratum at a time
            row = np.full(len(self.strata), -1)
            row[now["stratum"]] = np.arange(len(now))
            cell = np.flatnonzero(row[self.stratum] >= 0)
            row = row[self.stratum[cell]]
            option, block = now["option"].to_numpy()[row], self.block[cell]
            free = left[cell] * self.may[block, option]
            among = np.bincount(row, free, minlength=len(now))
            seats_each = now["seats"].to_numpy() / np.where(among > 0, among, np.inf)
            taken = free * np.minimum(seats_each, 1.0)[row]
            left[cell] -= taken
            closed[now.index] = np.bincount(row, taken * self.worth[block, option], minlength=len(now))
        return closed


def _cells(problem):
    """Cells of a problem, with what every block may take: also options that don't help it."""
    cohorts, blocks = problem.cohorts, problem.blocks
    known = cohorts[OBSERVED].astype(str)
    grouped = cohorts.groupby([known[name] for name in OBSERVED], sort=True)
    strata = grouped["headcount"].sum().rename("staff").reset_index()
    of_cohort = cohorts[["cohort_id", "block"]].assign(stratum=grouped.ngroup())
    people = cohorts["headcount"].groupby([of_cohort["stratum"], of_cohort["block"]], sort=True).sum()
    stratum, block = (people.index.get_level_values(level).to_numpy() for level in (0, 1))
    may = allowed(blocks.rename(columns={"group_id": "cohort_id", "size": "headcount"}), problem.options)
    return _Cells(strata, of_cohort[["cohort_id", "stratum"]], stratum, block, people.to_numpy(), may,
                  problem.worth.value[problem.kind])


def _blind(problem, cells, known, mip_gap, random_state):
    """The best seats by stratum if a seat is worth what its eligible staff gain on average, or None."""
    program, stratum, option = _averaged(problem, cells)
    n_options = cells.may.shape[1]
    place = pd.Index(stratum * n_options + option).get_indexer(known["stratum"] * n_options + known["option"])
    start = np.zeros(len(option), dtype=np.int64)
    start[place[place >= 0]] = known["seats"].to_numpy()[place >= 0]
    found = solve(program, mip_gap=mip_gap, random_state=random_state, start=start)
    if found.status == "infeasible":
        return None
    taken = np.flatnonzero(found.seats)
    table = pd.DataFrame({"stratum": stratum[taken], "option": option[taken], "seats": found.seats[taken]})
    return table.assign(gap_closed_random=cells.at_random(table))


def _averaged(problem, cells):
    """The program of strata: each column is the mean over the people of the stratum whom the option is open to."""
    block, option = np.nonzero(cells.may & (problem.blocks["size"].to_numpy() > 0)[:, None])
    every = Choices(problem.blocks, problem.choices.options, problem.choices.steps, block, option,
                    {"value": cells.worth[block, option]})
    program = build_program(every, problem.rules)
    cell, chosen = np.nonzero(cells.may[cells.block] & (cells.people > 0)[:, None])
    keys, column = np.unique(cells.stratum[cell] * cells.may.shape[1] + chosen, return_inverse=True)
    number = np.full(cells.may.shape, -1)
    number[block, option] = np.arange(len(block))
    share = cells.people[cell] / np.bincount(column, cells.people[cell])[column]
    mean = sparse.csr_array((share, (number[cells.block[cell], chosen], column)), shape=(len(block), len(keys)))
    stratum, option = np.divmod(keys, cells.may.shape[1])
    kept = np.flatnonzero(mean.T @ program.value > 0)
    kept = np.union1d(kept, np.flatnonzero(np.isin(option, _asked(problem))))
    program = replace(program, size=cells.strata["staff"].to_numpy(), group=stratum, value=mean.T @ program.value,
                      matrix=sparse.csr_array(program.matrix @ mean), members=sparse.csr_array(program.members @ mean))
    return _with_room(program.only(kept), cells, stratum[kept], option[kept]), stratum[kept], option[kept]


def _asked(problem):
    """Options that some column takes though it closes nothing there: a rule may ask for them."""
    return np.unique(problem.choices.column_option[problem.choices.fields["value"] <= 0])


def _with_room(program, cells, stratum, option):
    """Rows that keep options open to a part of a stratum, and to no others, within that part."""
    room = cells.eligible(stratum, option)
    rows, high = [], []
    for column in np.flatnonzero(room < cells.strata["staff"].to_numpy()[stratum]):
        here = cells.block[(cells.stratum == stratum[column]) & (cells.people > 0)]
        others = np.flatnonzero(stratum == stratum[column])
        inside = ~(cells.may[np.ix_(here, option[others])] & ~cells.may[here, option[column]][:, None]).any(axis=0)
        rows.append(others[inside])
        high.append(room[column])
    if not rows:
        return program
    row = np.repeat(np.arange(len(rows)), [len(some) for some in rows])
    matrix = sparse.csr_array((np.ones(len(row)), (row, np.concatenate(rows))), shape=(len(rows), len(option)))
    nothing = sparse.csr_array((len(rows), program.switching.shape[1]))
    return replace(
        program, matrix=sparse.vstack([program.matrix, matrix], format="csr"),
        switching=sparse.vstack([program.switching, nothing], format="csr"),
        low=np.concatenate([program.low, np.full(len(rows), -np.inf)]), high=np.concatenate([program.high, high]),
        row_rule=np.concatenate([program.row_rule, np.full(len(rows), "room", dtype=object)]))  # fmt: skip


def _told(problem, cells, table):
    """Seats by stratum and option in words of the tables."""
    offer = problem.options.options.iloc[table["option"]]
    named = cells.strata.iloc[table["stratum"]].reset_index(drop=True)
    rest = table.drop(columns=["stratum", "option"]).assign(cost=table["seats"] * offer["cost"].to_numpy(dtype=float))
    open_to = cells.eligible(table["stratum"], table["option"]).astype(int)
    return named.assign(option_id=offer["option_id"].to_numpy(), eligible=open_to).join(rest)[
        [*OBSERVED, "option_id", "staff", "eligible", "seats", "cost", *rest.columns.difference(["seats", "cost"])]]


def _value(problem, plan, name, table, closed):
    """One way to fill seats: what it closes and what is lost."""
    if table is None:
        return {"filled": name}
    need = float(problem.need.sum())
    cost = problem.options.options["cost"].to_numpy(dtype=float)[table["option"]]
    return {"filled": name, "gap_closed": float(closed), "closed_share": closed / need if need > 0 else 0.0,
            "lost": 1 - closed / plan.value if plan.value > 0 else 0.0, "seats": int(table["seats"].sum()),
            "cost": float((cost * table["seats"]).sum())}  # fmt: skip
