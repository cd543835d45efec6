"""What common practice closes with the same money and under the same rules: those who stand first in line."""

from dataclasses import replace

import numpy as np

from skillsgap.decide.plan import Plan, finish_plan, plan_conflict
from skillsgap.decide.program import EXACT
from skillsgap.decide.solve import solve
from skillsgap.errors import PlanError

ORDERS = ("largest gap first", "best ratio first")
TURNS = 12  # times the line is served from the start, with what was missed reserved first
PATIENCE = 200  # refusals after which all who can't be served any more leave the line
TIE = 0.01  # of a seat: what the seat that closes most counts beside one that is kept
ROUGH = 0.05  # gap of the repair by solver: any near plan does


def common_practice(problem, *, order="largest gap first") -> Plan:
    """The plan of a simple queue, repaired until it keeps every rule.

    Staff stand in line by need a head ("largest gap first", everybody for the option that closes most) or by gap closed
    a unit of money ("best ratio first", staff and option together); ties by block, then option_id. Minimum rules are
    served first in that order, then everybody while each limit keeps. Classes below their least are cancelled, the
    emptiest half at a time, and their people served again. Where a ratio between staff is missed, such as an agency's
    least share of spend, the line is served again with that much reserved for those who lack it. If that ends nowhere,
    the solver looks for a plan that keeps all rules with the fewest seats changed, and the line goes on from there; so
    a plan is returned whenever one exists.

    Parameters
    ----------
    problem : Problem
    order : "largest gap first" or "best ratio first"

    Returns
    -------
    Plan with the order as its status; bound and gap are NaN, as nothing is proved about it.

    Raises
    ------
    PlanConflict
        If no plan keeps all rules.

    Examples
    --------
    Ten people lack 2 levels or none; the course that closes most costs 9 and closes 1, the other 3 and closes 0.5.

    >>> import pandas as pd
    >>> from skillsgap.decide.problem import plan_problem
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> staff = pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}])
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0, 2)])
    >>> offer = pd.DataFrame([{"course_id": c, "tier": "basic", "cost_per_seat": m, "fixed_cost": 0, "class_min": 1,
    ...                        "seats_max": 8, "eligibility": ""} for c, m in (("x", 9), ("y", 3))])
    >>> effect = pd.DataFrame([{"course_id": c, "competency_id": "c", "gain": g, "sd": 0.2}
    ...                        for c, g in (("x", 2.0), ("y", 1.0))])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 1.0}])
    >>> problem = plan_problem(staff, lacks, offer, effect, matter, rules={"budget": 36})
    >>> [common_practice(problem, order=order).value for order in ("largest gap first", "best ratio first")]
    [4.0, 5.0]
    """
    seats = practice_seats(problem, order=order)
    if seats is None:
        raise plan_conflict(problem)
    return finish_plan(problem, seats, status=order)


def practice_seats(problem, *, order):
    """Seats of each column that common practice gives; None if no plan keeps all rules."""
    program, line = problem.program, _line(problem, order)
    queue, last = _Queue(program, line), None
    for _ in range(TURNS):
        seats = queue.served()
        if program.keeps(seats):
            return queue.topped_up(seats)
        if not queue.reserve(seats) or (last is not None and np.array_equal(seats, last)):
            break
        last = seats
    repaired = _repaired(program, seats)
    return None if repaired is None else queue.topped_up(repaired)


def _line(problem, order):
    """Columns in the order in which they are served."""
    if order not in ORDERS:
        raise PlanError(f'order is "{order}"; use one of {", ".join(ORDERS)}.')
    group, option = problem.choices.column_group, problem.choices.column_option
    value = problem.choices.fields["value"]
    if order == ORDERS[0]:
        return np.lexsort((option, -value, group, -problem.blocks["need"].to_numpy()[group]))
    cost = problem.options.options["cost"].to_numpy(dtype=float)[option]
    return np.lexsort((option, group, -value / np.maximum(cost, 1e-9)))


def _repaired(program, seats):
    """The plan with the fewest seats changed: every seat of before that is kept counts 1, every new one costs 1.

    Of plans that change as many, the one that closes more: common practice is to be shown at its best.
    """
    wanted = np.where(seats > 0, 1.0, -1.0) + TIE * program.value / max(program.value.max(initial=0.0), 1e-300)
    solution = solve(replace(program, value=wanted), mip_gap=ROUGH)
    return None if solution.status == "infeasible" else solution.seats


class _Queue:
    """Serves a line of columns under the rules of a program; `targets` = what each row's own people get first."""

    def __init__(self, program, line):
        self.program, self.line = program, line
        self.matrix, self.members = program.matrix.tocsc(), program.members.tocsc()
        self.asked = np.flatnonzero(np.isfinite(program.low))
        self.targets = np.where(np.isfinite(program.low), program.low, 0.0).clip(min=0)
        self.switching = program.switching.tocsc()
        self.helps = program.matrix.copy()
        self.helps.data = self.helps.data.clip(min=0)
        self.helps.eliminate_zeros()

    def served(self):
        """Seats after all were served, minimum rules first, and small classes cancelled."""
        program, offered = self.program, np.ones(len(self.line), dtype=bool)
        shut = program.caps < program.least
        offered &= np.asarray((program.members[shut] > 0).sum(axis=0)).ravel() == 0
        seats = np.zeros(len(self.line), dtype=np.int64)
        while True:
            round_ = _Round(self, seats)
            for row in self.asked[self.targets[self.asked] > 0]:
                round_.serve(self._helpers(row, offered), row=row)
            round_.serve(self.line[offered[self.line]])
            seats = round_.seats
            part = program.members @ seats / np.where(program.least > 0, program.least, 1.0)
            small = np.flatnonzero((part > 0) & (part < 1 - EXACT) & (program.least > 0))
            if len(small) == 0:
                return seats
            cancelled = small[np.argsort(part[small], kind="stable")][:-(-len(small) // 2)]
            columns = np.unique(program.members[cancelled].indices)
            offered[columns] = False
            seats = seats.copy()
            seats[columns] = 0

    def _helpers(self, row, offered):
        """Columns that add to a row, in line."""
        place = np.zeros(len(self.line), dtype=bool)
        place[self.helps.indices[self.helps.indptr[row]:self.helps.indptr[row + 1]]] = True
        return self.line[(place & offered)[self.line]]

    def reserve(self, seats):
        """Reserve more for each row that was missed; False where no row is what is wrong."""
        program = self.program
        on = (program.members @ seats > 0).astype(float)
        lacks = program.low - program.matrix @ seats - program.switching @ on
        short = lacks > EXACT * np.maximum(1.0, np.abs(program.low))
        short &= np.isfinite(program.low)
        self.targets = np.where(short, np.maximum(self.targets, self.helps @ seats) + 1.05 * lacks, self.targets)
        return bool(short.any())

    def topped_up(self, seats):
        """Who can still be served without breaking a rule, a minimum or a ratio too, in the classes that are held."""
        held = self.program.members @ seats > 0
        shut = np.asarray((self.program.members[~held] > 0).sum(axis=0)).ravel() > 0
        round_ = _Round(self, seats, strict=True)
        round_.serve(self.line[~shut[self.line]])
        return round_.seats


class _Round:
    """Room that is left under each limit while people are served one after the other."""

    def __init__(self, queue, seats, *, strict=False):
        program = queue.program
        self.queue, self.program, self.seats = queue, program, seats.copy()
        self.left = program.size - np.bincount(program.group, seats, minlength=len(program.size)).astype(np.int64)
        self.on = program.members @ seats > 0
        used = self.on.astype(float)
        slack = EXACT * np.maximum(1.0, abs(program.matrix) @ seats + np.where(np.isfinite(program.high),
                                                                               np.abs(program.high), 0))
        self.total = program.matrix @ seats + program.switching @ used
        self.room = program.high - self.total + slack
        self.above = self.total - program.low + slack if strict else np.full(len(program.low), np.inf)

    def serve(self, line, *, row=None):
        """Serve a line until its end, or until a row has reached its target."""
        matrix, size = self.queue.matrix, self.program.group
        start, index, number = matrix.indptr, matrix.indices, matrix.data
        missing = np.inf
        if row is not None:
            helps = self.queue.helps
            part = slice(helps.indptr[row], helps.indptr[row + 1])
            missing = self.queue.targets[row] - helps.data[part] @ self.seats[helps.indices[part]]
            weight = dict(zip(helps.indices[part].tolist(), helps.data[part].tolist(), strict=True))
        line, at, refused = self._possible(line), 0, 0
        while at < len(line) and missing > 1e-9:
            column = line[at]
            at += 1
            people = self.left[size[column]]
            if people <= 0:
                continue
            rows, each = index[start[column]:start[column + 1]], number[start[column]:start[column + 1]]
            if row is not None:
                people = min(people, int(np.ceil(missing / weight[column] - 1e-9)))
            people = self._buy(column, rows, each, people)
            if people == 0:
                refused += 1
                if refused % PATIENCE == 0:
                    line, at = self._possible(line[at:]), 0
            elif row is not None:
                missing -= people * weight[column]

    def _buy(self, column, rows, each, people):
        """Seats bought for at most so many people; the first one opens a class."""
        members, switching = self.queue.members, self.queue.switching
        switches = members.indices[members.indptr[column]:members.indptr[column + 1]]
        opening = [switch for switch in switches if not self.on[switch]]
        for switch in opening:
            entry = slice(switching.indptr[switch], switching.indptr[switch + 1])
            self.room[switching.indices[entry]] -= switching.data[entry]
        room = self.room[rows]
        charged = bool(opening) and self.room.min(initial=0.0) < 0
        limit = np.full(len(rows), np.inf)
        np.divide(room, each, out=limit, where=each > 0)
        np.divide(self.above[rows], -each, out=limit, where=(each < 0) & np.isfinite(self.above[rows]))
        people = 0 if charged else max(0, int(min(people, np.floor(limit.min(initial=np.inf)))))
        if people == 0:
            for switch in opening:
                entry = slice(switching.indptr[switch], switching.indptr[switch + 1])
                self.room[switching.indices[entry]] += switching.data[entry]
            return 0
        self.on[opening] = True
        self.room[rows] -= people * each
        self.above[rows] += people * each
        self.left[self.program.group[column]] -= people
        self.seats[column] += people
        return people

    def _possible(self, line):
        """Those in line who could still have a seat."""
        line = line[self.left[self.program.group[line]] > 0]
        if len(line) == 0:
            return line
        matrix = self.queue.matrix
        count = np.diff(matrix.indptr)[line]
        entry = np.repeat(matrix.indptr[:-1][line], count) + np.arange(count.sum()) - np.repeat(
            np.cumsum(count) - count, count)
        full = (matrix.data[entry] > 0) & (matrix.data[entry] > self.room[matrix.indices[entry]])
        full |= (matrix.data[entry] < 0) & (-matrix.data[entry] > self.above[matrix.indices[entry]])
        return line[np.bincount(np.repeat(np.arange(len(line)), count), full, minlength=len(line)) == 0]
