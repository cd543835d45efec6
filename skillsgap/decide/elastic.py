"""Limits that may be missed, and the plan that misses them by least."""

from dataclasses import dataclass, replace

import highspy
import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.decide.relaxation import FEASIBLE, INFEASIBLE, as_model, new_solver
from skillsgap.decide.solve import DIRECT
from skillsgap.errors import PlanError

NODES = 200  # of a search for whole seats near divided ones in a large program
OPENED = (0.5, 0.25, 0.1, 0.0)  # parts of a class minimum that open a class
WIDER = (0, 100, 4000)  # columns that may change beside those with divided seats
NOTHING = 1e-7  # of a limit: less than this isn't missed


@dataclass(frozen=True)
class Solver:
    """Asks HiGHS for divided or whole seats that make most of a program's value."""

    mip_gap: float
    random_state: int

    def divided(self, program):
        """Columns of `as_milp`, divisible, prices of its rows and columns; None if nothing keeps them."""
        return self._run(program.as_milp())

    def whole(self, program, n, *, proved=False):
        """The first n columns as whole seats, the others divisible; None if there is no plan.

        In a large program the plan is one near the divisible seats, and none may be found though there is one, unless
        it is to be `proved` that there is none.
        """
        cost, rows, low, high, least, upper = program.as_milp()
        n_all = len(program.group)
        low[len(program.size) - (n_all - n):len(program.size)] = -np.inf  # only people must choose
        model = cost, rows, low, high, least, upper
        if n > DIRECT:
            divided = self._run(model)
            seats = None if divided is None else self._near(program, model, divided[0], n)
            if seats is None and divided is not None and proved:  # that what is opened is whole mostly decides
                divided = self._run(model, whole=np.arange(n_all, len(cost)))
                seats = None if divided is None else self._near(program, model, divided[0], n)
            if seats is not None or divided is None or not proved:
                return seats
        found = self._run(model, whole=np.concatenate([np.arange(n), np.arange(n_all, len(cost))]))
        return None if found is None else np.rint(found[0][:n])

    def _near(self, program, model, x, n):
        """Whole seats near divided ones, what is opened decided first."""
        cost, rows, low, high = model[:4]
        least, upper = (some.copy() for some in model[4:])  # the model is asked again where nothing is found near
        switches, group = slice(len(program.group), len(cost)), program.group[:n]
        used = program.members @ x[:len(program.group)]
        for part in OPENED:  # the first is mostly the best, the others for where it leads nowhere
            least[switches] = upper[switches] = (used > 1e-6) & (used >= part * program.least)
            divided = self._run((cost, rows, low, high, least, upper))
            if divided is None:
                continue
            seats = np.rint(divided[0][:n])
            # those who share their seats out may change, then those for whom another seat is nearly as good
            order = np.lexsort((np.abs(divided[2][:n]), np.abs(divided[0][:n] - seats) <= 1e-6))
            parted = (np.abs(divided[0][:n] - seats) > 1e-6).sum()
            for more in WIDER:
                free = np.isin(group, group[order[:parted + more]])
                fixed = least.copy(), upper.copy()
                fixed[0][:n], fixed[1][:n] = np.where(free, 0, seats), np.where(free, upper[:n], seats)
                found = self._run((cost, rows, low, high, *fixed), whole=np.flatnonzero(free), mip_max_nodes=NODES)
                if found is not None:
                    return np.rint(found[0][:n])
        return None

    def _run(self, model, *, whole=(), **limits):
        solver = new_solver(self.random_state, mip_rel_gap=float(self.mip_gap), mip_abs_gap=NOTHING, **limits)
        solver.passModel(as_model(*model, whole=whole))
        solver.run()
        status, solution = solver.getModelStatus(), solver.getSolution()
        if status in INFEASIBLE or (limits and solver.getInfo().primal_solution_status != FEASIBLE):
            return None
        if status != highspy.HighsModelStatus.kOptimal and not limits:
            raise PlanError(f"the solver stopped with {solver.modelStatusToString(status)}, expected an optimum; "
                            "check the sizes of costs and limits.")  # fmt: skip
        return tuple(np.asarray(part) for part in (solution.col_value, solution.row_dual, solution.col_dual))


def only_rules(program, names):
    """The program with these rules alone, named as its rows and switches are."""
    rows = np.flatnonzero(pd.Index(program.row_rule).isin(names))
    switching = program.switching[rows]
    charged = np.asarray(abs(switching).sum(axis=0)).ravel() > 0
    kept = np.flatnonzero(pd.Index(program.switch_rule).isin(names) & ((program.least > 0) | charged))
    return replace(program, matrix=program.matrix[rows], switching=switching[:, kept], low=program.low[rows],
                   high=program.high[rows], row_rule=program.row_rule[rows], members=program.members[kept],
                   least=program.least[kept], switch_rule=program.switch_rule[kept])  # fmt: skip


def elastic(program, loose, scales=None):
    """The program whose loose limits may be missed, to be missed by least, in parts of a limit.

    What is missed is seats of nobody: divisible columns, each of its own group, after those of the program.

    Parameters
    ----------
    program : Program
    loose : names of rows and of switches with a least
    scales : see `row_scale`
    """
    rows = np.flatnonzero(pd.Index(program.row_rule).isin(loose))
    used = np.flatnonzero(pd.Index(program.switch_rule).isin(loose) & (program.least > 0))
    n, k, scale = len(program.group), len(rows) + len(used), row_scale(program, scales)[rows]
    down = np.isfinite(program.high[rows])
    most = program.matrix[rows].multiply(np.where(down, 1, -1)[:, None]).maximum(0) @ program.upper
    most += program.switching[rows].sum(axis=1) + np.where(down, -program.high[rows], program.low[rows])
    room = np.ceil(np.concatenate([most.clip(min=0) / scale, np.ones(len(used))]))
    slack = np.where(down, -scale, scale), (rows, np.arange(len(rows)))
    filled = program.least[used], (used, len(rows) + np.arange(len(used)))
    return replace(
        program, size=np.concatenate([program.size, room.astype(np.int64)]),
        group=np.concatenate([program.group, len(program.size) + np.arange(k)]),
        value=np.concatenate([np.zeros(n), -np.ones(k)]), matrix=_beside(program.matrix, slack, k),
        members=_beside(program.members, filled, k))  # fmt: skip


def row_scale(program, scales=None):
    """(n_rows,) what counts as all of a limit: itself, or what `scales` names; without a limit the row's largest."""
    limit = np.where(np.isfinite(program.high), program.high, np.where(np.isfinite(program.low), program.low, 0.0))
    largest = abs(program.matrix).max(axis=1).toarray().ravel() if program.matrix.shape[1] else np.zeros(len(limit))
    scale = np.where(limit != 0, np.abs(limit), np.where(largest > 0, largest, 1.0))
    own = pd.Series(scales or {}, dtype=float).reindex(program.row_rule).to_numpy()
    return np.where(np.isnan(own), scale, own)


def sums(program, seats):
    """(n_rows,) sums with fixed costs, and (n_switches,) sums of the members, of a plan."""
    classes = program.members @ seats
    return program.matrix @ seats + program.switching @ (classes > 0.5), classes


def _beside(matrix, entries, k):
    return sparse.hstack([matrix, sparse.csr_array(entries, shape=(matrix.shape[0], k))], format="csr")
