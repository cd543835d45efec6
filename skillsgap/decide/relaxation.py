"""The plan with divisible seats: its best value bounds every whole plan, its prices say what a rule costs.

Most columns never matter. The program starts with those that look best at the prices of a small sample of the staff,
and takes in others as long as they are worth more than the prices say; a switch is tied to one group's seats where it
is broken. The bound is worked out from the prices over *all* columns, so it holds whatever was left out.
"""

from dataclasses import replace

import highspy
import numpy as np
from scipy import sparse

from skillsgap.decide.branching import Branching
from skillsgap.errors import PlanError

SMALL = 5_000  # columns up to which all are taken at once
SAMPLE = 8_000  # columns of the sample that gives the first prices
PER_GROUP = 3  # columns of a group taken in a round
ROUNDS = 60
IDLE = 3  # rounds in which ties alone were added and the bound stayed
INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
FEASIBLE = 2  # HiGHS's primal_solution_status
DEVEX = 1  # HiGHS's number of these edge weights: a fifth quicker here than exact ones
MISSED = 1e-6  # people by which a limit may be missed


class Relaxation:
    """Linear program of a `Program`; `run` leaves x, value, prices and bound.

    x : (n_columns + n_switches,) seats, then switches. prices : (n_rows,) worth of a unit of each row of `as_milp`.
    """

    def __init__(self, program, *, prices=None, random_state=0, spare=False):
        self.program, self.random_state, self._most_allowed = program, random_state, program.high
        self.cost, rows, self.low, self.high, self.least, self.upper = program.as_milp()
        self.n, self.n_groups, self.n_known = len(program.group), len(program.size), len(self.cost)
        if prices is None and self.n > SMALL and self.n_groups > 1:
            prices = _sampled_prices(self, random_state)
        self.rows, self._spared = rows, np.zeros(0, dtype=int)
        if self.n > SMALL or spare:
            self._spares(np.flatnonzero(self.low[self.n_groups:] > 0) + self.n_groups)
        self._cells()
        self.columns = self._first(prices)
        self.solver, self.branching = new_solver(random_state), Branching(len(program.least))
        self._pass()

    def _spares(self, asked):
        """What these rows lack may be bought, for more than any seat is worth: their columns may come later."""
        count = len(asked)
        seats = abs(self.rows[:, :self.n]).max(axis=1).toarray().ravel()[asked] if self.n else np.zeros(count)
        # a unit of each is one seat's largest part, be the row in money or in parts of people
        spare = sparse.csc_array((np.where(seats > 0, seats, 1.0), (asked, np.arange(count))),
                                 shape=(len(self.low), count))  # fmt: skip
        self.rows = sparse.hstack([self.rows, spare], format="csc")
        dear = -1e3 * max(1.0, np.abs(self.program.value).max(initial=0.0))
        self.cost = np.concatenate([self.cost, np.full(count, dear)])
        self.least = np.concatenate([self.least, np.zeros(count)])
        self.upper = np.concatenate([self.upper, np.full(count, np.inf)])
        self._spared = np.concatenate([self._spared, asked])

    def _spare_more(self):
        """Spares for every row that has none, the first time that nothing else helps; whether there were any."""
        asked = np.setdiff1d(np.flatnonzero(np.isfinite(self.low)), self._spared)
        asked = asked[asked >= self.n_groups]
        if (self.columns < self.n_known).sum() >= self.n_known or len(asked) == 0:
            return False
        known = len(self.cost)
        self._spares(asked)
        self._take_columns(np.arange(known, len(self.cost)))
        return True

    def _first(self, prices):
        others = np.arange(self.n, len(self.cost))
        if self.n <= SMALL or prices is None:
            return np.arange(len(self.cost))
        return np.concatenate([self._best(self._worth(prices), PER_GROUP + 1, -np.inf), others])

    def _worth(self, prices):
        """Worth of a seat of every column beyond what its rows cost at these prices; people are free."""
        return (self.cost - self._charged(prices[self.n_groups:]))[:self.n]

    def _charged(self, prices):
        """What the rows but those of people cost a seat of every column; slicing the rows off would copy them."""
        return self.rows.T @ np.concatenate([np.zeros(self.n_groups), prices])

    def _best(self, worth, most, above):
        """The best columns of every group that are worth more than `above`."""
        order = np.lexsort((-worth, self.program.group))
        group = self.program.group[order]
        rank = np.arange(len(order)) - np.searchsorted(group, group)
        return np.sort(order[(rank < most) & (worth[order] > above)])

    def _pass(self):
        part = self.rows[:, self.columns]
        self.solver.passModel(as_model(self.cost[self.columns], part, self.low, self.high, self.least[self.columns],
                                       self.upper[self.columns]))  # fmt: skip

    def run(self, *, near=1e-7, enough=-np.inf):
        """Solve, taking in what is missing until the bound is `near` (relative); False if no divisible plan exists.

        A bound that isn't above `enough` ends it too: nothing better than what is known comes of it.
        """
        last, idle = np.inf, 0
        for _ in range(ROUNDS):
            if not self._solve():
                if self._spare_more():
                    continue
                return False
            if self.bound <= enough and self.x_spare.sum() <= MISSED:
                return True
            missing = self._missing()
            kept = self.x_spare.sum() <= MISSED
            if kept and self.bound - self.value <= near * abs(self.value):
                missing = missing[:0]
            if len(missing) == 0 and not kept:  # ties would only take more away
                if not self._possible():
                    return False
                continue
            broken = self._broken() if len(missing) == 0 else []
            if len(missing) == 0 and len(broken) == 0:
                return True
            if len(missing) == 0:  # ties that are only handed on from one equal plan to the next prove nothing
                last, idle = self.bound, 0 if self.bound < last - near * abs(self.value) else idle + 1
                if idle > IDLE:
                    return True
            self._take_columns(missing)
            self._take_links(broken)
        raise PlanError(f"the plan with divisible seats wasn't finished in {ROUNDS} rounds; report it.")

    def _possible(self):
        """Whether all limits can be kept, whatever it costs: then spares get dearer."""
        found = self.x, self.x_spare, self.prices, self.value, self.bound
        cost, self.cost = self.cost, -(np.arange(len(self.cost)) >= self.n_known).astype(float)
        self._change_costs()
        while self._solve() and len(missing := self._missing()):
            self._take_columns(missing)
        kept, self.cost = self.x_spare.sum() <= MISSED, cost
        if kept:
            self.cost[self.n_known:] *= 100
        else:
            self.x, self.x_spare, self.prices, self.value, self.bound = found
        self._change_costs()
        return kept

    def _change_costs(self):
        where = np.arange(len(self.columns), dtype=np.int32)
        self.solver.changeColsCost(len(where), where, self.cost[self.columns])

    def fits(self, program):
        """Whether it can go on with a program: the same coefficients, and no limit above the first ones."""
        known = self.program  # ties of switches hold as many seats as the first limits allow
        return all(one.shape == other.shape and np.array_equal(one.data, other.data)
            and np.array_equal(one.indices, other.indices) for one, other in (
            (program.matrix, known.matrix), (program.switching, known.switching), (program.members, known.members))
        ) and np.array_equal(program.least, known.least) and bool((program.high <= self._most_allowed).all())

    def turn(self, program):
        """Go on with other values or limits of the same columns and rows: what is known stays."""
        rows = self.n_groups + np.arange(len(program.low))
        for row in rows[(self.low[rows] != program.low) | (self.high[rows] != program.high)]:
            low, high = program.low[row - self.n_groups], program.high[row - self.n_groups]
            self.low[row], self.high[row] = low, high
            self.solver.changeRowBounds(int(row), float(low), float(high))
        if not np.array_equal(self.cost[:self.n], program.value):
            self.cost[:self.n] = program.value
            self._change_costs()
        self.program = program

    def decide(self, least, most):
        """Bounds of the switches: 0 and 0 is shut, 1 and 1 open, 0 and 1 left to the program."""
        places = np.flatnonzero((self.least[self.n:self.n_known] != least) | (self.upper[self.n:self.n_known] != most))
        if len(places):
            where = np.flatnonzero(np.isin(self.columns, places + self.n)).astype(np.int32)
            switch = self.columns[where] - self.n
            self.solver.changeColsBounds(len(where), where, least[switch], most[switch])
            self.least[self.n:self.n_known], self.upper[self.n:self.n_known] = least, most

    def _solve(self):
        if len(self.columns) == 0:  # HiGHS solves no empty model
            self.x, self.x_spare, self.prices = np.zeros(0), np.zeros(0), np.zeros(len(self.low))
            self.value = self.bound = 0.0
            return bool((self.low <= 0).all() and (self.high >= 0).all())
        self.solver.run()
        status = self.solver.getModelStatus()
        if status == highspy.HighsModelStatus.kUnknown:  # a start from the last basis went astray numerically
            self.solver.clearSolver()
            self.solver.run()
            status = self.solver.getModelStatus()
        if status in INFEASIBLE:
            return False
        if status != highspy.HighsModelStatus.kOptimal:
            raise PlanError(f"the solver stopped with {self.solver.modelStatusToString(status)}, expected an optimum; "
                            "check the sizes of costs and effects.")  # fmt: skip
        solution = self.solver.getSolution()
        every = np.zeros(len(self.cost))
        every[self.columns] = np.asarray(solution.col_value)
        self.x, self.x_spare = every[:self.n_known], every[self.n_known:]
        self.prices = np.asarray(solution.row_dual)
        self.value = float(self.cost[:self.n_known] @ self.x)
        self.bound = self._bound()
        return True

    def _bound(self):
        """No plan is worth more: the prices times the limits, and the best use of everybody at these prices."""
        price = self.prices[self.n_groups:]
        high, low = self.high[self.n_groups:], self.low[self.n_groups:]
        up, down = np.where(np.isfinite(high), price.clip(min=0), 0), np.where(np.isfinite(low), price.clip(max=0), 0)
        worth = self.cost - self._charged(up + down)
        best = np.full(self.n_groups, -np.inf if self.program.exact else 0.0)
        np.maximum.at(best, self.program.group, worth[:self.n])
        limits = up @ np.where(up > 0, high, 0.0) + down @ np.where(down < 0, low, 0.0)
        switch = slice(self.n, self.n_known)
        switches = np.maximum(worth[switch] * self.least[switch], worth[switch] * self.upper[switch]).sum()
        return float(limits + best @ self.program.size + switches)

    def gains(self):
        """Worth of a seat of every column beyond what all its rows cost, its people too."""
        return self._worth(self.prices) - self.prices[:self.n_groups][self.program.group]

    def tried(self, switch, value, steps):
        """About what value is left where a switch is decided: some steps of the solver, nothing taken in."""
        where, basis = np.flatnonzero(self.columns == self.n + switch).astype(np.int32), self.solver.getBasis()
        self.solver.changeColsBounds(1, where, np.full(1, value), np.full(1, value))
        self.solver.setOptionValue("simplex_iteration_limit", steps)
        self.solver.run()
        possible = self.solver.getModelStatus() not in INFEASIBLE
        left = self.solver.getInfo().objective_function_value if possible else -np.inf
        self.solver.setOptionValue("simplex_iteration_limit", highspy.kHighsIInf)
        self.solver.changeColsBounds(1, where, self.least[self.n + switch:][:1], self.upper[self.n + switch:][:1])
        self.solver.setBasis(basis)
        return left

    def switch_costs(self):
        """What each switch costs at these prices: money, and what its least takes from others."""
        rows, used = self.n_groups + np.arange(len(self.program.low)), self.program.least > 0
        costs = self.program.switching.T @ self.prices[rows]
        least = self.n_groups + len(self.program.low) + np.arange(used.sum())
        costs[used] -= self.program.least[used] * self.prices[least]
        return costs

    @property
    def switches(self):
        """Lower and upper bounds of the switches."""
        return self.least[self.n:self.n_known], self.upper[self.n:self.n_known]

    def _missing(self):
        """Columns not there yet that are worth more than their people's price."""
        gain = self.gains()
        gain[self.columns[self.columns < self.n]] = -np.inf
        return self._best(gain, PER_GROUP, 1e-9 * max(1.0, np.abs(self.program.value).max(initial=0.0)))

    def _take_columns(self, new):
        if len(new):
            part = self.rows[:, new]
            self.solver.addCols(len(new), self.cost[new], self.least[new], self.upper[new], part.nnz,
                                part.indptr[:-1], part.indices, part.data)  # fmt: skip
            self.columns = np.concatenate([self.columns, new])

    def _broken(self):
        """Ties of a switch to the seats of one group that are broken, as numbers of cells."""
        taken = np.bincount(self._cell, self.x[self._cell_column], minlength=len(self._most))
        over = taken - self._most * self.x[self.n:self.n_known][self._cell_switch]
        return np.flatnonzero(over > 1e-6 * np.maximum(1.0, self._most))

    def _take_links(self, broken):
        if len(broken) == 0:
            return
        inside = np.flatnonzero(np.isin(self._cell, broken))
        row = np.searchsorted(broken, self._cell[inside])
        row = np.concatenate([row, np.arange(len(broken))])
        column = np.concatenate([self._cell_column[inside], self.n + self._cell_switch[broken]])
        entry = np.concatenate([np.ones(len(inside)), -self._most[broken]])
        links = sparse.csc_array((entry, (row, column)), shape=(len(broken), len(self.cost)))
        self.rows = sparse.vstack([self.rows, links], format="csc")
        nothing, none = np.full(len(broken), -np.inf), np.zeros(len(broken))
        self.low, self.high = np.concatenate([self.low, nothing]), np.concatenate([self.high, none])
        part = sparse.csr_array(links[:, self.columns])
        self.solver.addRows(len(broken), nothing, none, part.nnz, part.indptr[:-1], part.indices, part.data)

    def _cells(self):
        """Each group of each switch: a switch that is open in part lets that part of the group's people in."""
        pairs, n_groups = self.program.members.tocoo(), self.n_groups
        cells, self._cell = np.unique(pairs.row.astype(np.int64) * n_groups + self.program.group[pairs.col],
                                      return_inverse=True)  # fmt: skip
        self._cell_column, self._cell_switch = pairs.col, cells // n_groups
        caps = self.program.caps[self._cell_switch]
        self._most = np.minimum(self.program.size[cells % n_groups], caps).astype(float)


def as_model(cost, matrix, low, high, least, upper, whole=()):
    """A program for HiGHS, to be maximised; `whole` = numbers of the columns that are whole."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.sense_ = len(cost), len(low), highspy.ObjSense.kMaximize
    lp.col_cost_, lp.row_lower_, lp.row_upper_ = cost, low, high
    lp.col_lower_, lp.col_upper_ = least, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if len(whole):
        kinds = np.full(len(cost), highspy.HighsVarType.kContinuous)
        kinds[whole] = highspy.HighsVarType.kInteger
        lp.integrality_ = kinds.tolist()
    return lp


def new_solver(random_state, **options):
    """HiGHS, silent and on one thread, so that the same program gives the same plan."""
    solver = highspy.Highs()
    usual = {"output_flag": False, "threads": 1, "random_seed": int(random_state),
             # seats are rounded to whole numbers afterwards; a tight tolerance keeps that from costing money
             "primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9,
             "simplex_dual_edge_weight_strategy": DEVEX}  # fmt: skip
    for name, value in (usual | options).items():
        solver.setOptionValue(name, value)
    return solver


def _sampled_prices(whole, random_state):
    """Prices of the rows from a part of the groups, with limits to match."""
    program = whole.program
    every = max(2, int(np.ceil(whole.n / SAMPLE)))
    taken = np.arange(len(program.size)) % every == 0
    share = program.size[taken].sum() / max(1, program.size.sum())
    columns = np.flatnonzero(taken[program.group])
    number = np.cumsum(taken) - 1
    part = replace(program.only(columns), size=program.size[taken], group=number[program.group[columns]],
                   low=program.low * share, high=program.high * share, least=program.least * share,
                   switching=program.switching * share)  # fmt: skip
    sample = Relaxation(part, random_state=random_state, spare=True)  # floors of a small agency may not scale
    sample.run(near=1e-3)
    # rules, class minima and a tie of each switch come first in both; ties of single groups differ
    prices, shared = np.zeros(len(whole.low)), len(program.low) + (program.least > 0).sum() + len(program.least)
    prices[whole.n_groups:][:shared] = sample.prices[taken.sum():][:shared]
    return prices
