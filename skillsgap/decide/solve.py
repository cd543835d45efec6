"""The best plan in whole seats, and the bound that proves how near the best it is.

A small program goes to HiGHS as it is. A large one is solved with divisible seats first, whose value bounds the plan's;
then what is opened is decided, and the few seats that came out divided are made whole. Only where that is not near
enough to the bound, switches and then all seats are branched on.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from skillsgap.decide.program import EXACT
from skillsgap.decide.relaxation import FEASIBLE, INFEASIBLE, Relaxation, as_model, new_solver
from skillsgap.decide.rounding import Best, opened, rounded
from skillsgap.decide.search import NODES, Search
from skillsgap.errors import PlanError

DIRECT = 3_000  # columns up to which HiGHS gets the whole program at once
MODEST = 12_000  # and up to which it gets it when everything else was not enough


@dataclass(frozen=True)
class Solution:
    """Whole seats of every column and the proved bound; `relaxation` to go on with.

    status : "optimal" (gap reached), "feasible" (the gap that was proved is larger), or "infeasible".
    """

    status: str
    seats: np.ndarray
    value: float
    bound: float
    relaxation: Relaxation | None = None

    @property
    def gap(self):
        """(bound - value) / value; 0 where nothing can be closed."""
        if self.value > 0:
            return max(0.0, (self.bound - self.value) / self.value)
        return 0.0 if self.bound <= EXACT else np.inf


def solve(program, *, mip_gap=1e-4, random_state=0, start=None, relaxation=None, nodes=NODES):
    """Best whole seats of a program within a proved relative gap.

    Parameters
    ----------
    program : Program
    mip_gap : gap to be proved; a search over a large program ends after a fixed number of steps even if it isn't.
    start : seats of a plan that keeps all rules, such as a smaller budget's
    relaxation : to go on with if it fits: of a program with the same coefficients and no smaller limits

    nodes : steps of the search over a large program; with fewer it ends sooner and proves less

    Returns
    -------
    Solution
    """
    if not 0 <= mip_gap < 1:
        raise PlanError(f"mip_gap must be at least 0 and below 1, but is {mip_gap}; 0.0001 is usual.")
    program = program.joined()
    best = Best(program, start)
    if len(program.group) == 0:  # nobody can take anything: HiGHS solves no empty model
        best.take(np.zeros(0, dtype=np.int64))
        return _nothing(program) if best.seats is None else _solution(best, 0.0, mip_gap)
    if len(program.group) <= DIRECT or program.exact:
        return _at_once(program, best, np.inf, mip_gap, random_state)
    fits = relaxation is not None and relaxation.fits(program)
    relaxed = relaxation if fits else Relaxation(program, random_state=random_state)
    relaxed.turn(program)
    if not relaxed.run(near=mip_gap / 100):
        return _nothing(program)
    bound, free = relaxed.bound, [some.copy() for some in relaxed.switches]
    on = opened(program, relaxed, *free)
    if on is not None:
        best.take(rounded(program, relaxed, on, best, mip_gap, random_state))
    relaxed.decide(*free)
    if not best.near(bound, mip_gap):
        search = Search(program, relaxed, best, mip_gap=mip_gap, random_state=random_state,
                        nodes=nodes)
        bound = search.run(bound)
    if best.seats is None or (not best.near(bound, mip_gap) and len(program.group) <= MODEST and nodes >= NODES):
        return _at_once(program, best, bound, mip_gap, random_state)
    return _solution(best, bound, mip_gap, relaxed)


def _nothing(program):
    return Solution("infeasible", np.zeros(len(program.group), dtype=np.int64), np.nan, np.nan)


def _solution(best, bound, mip_gap, relaxed=None):
    if best.seats is None:
        raise PlanError("no plan in whole seats was found though divided ones would do; ask for a larger mip_gap.")
    status = "optimal" if best.near(bound, mip_gap) else "feasible"
    return Solution(status, best.seats, best.value, max(bound, best.value), relaxed)


def _at_once(program, best, bound, mip_gap, random_state):
    """HiGHS on the program as it is; where that is large it ends after so many nodes."""
    cost, rows, low, high, least, upper = program.as_milp()
    n, options = len(program.group), {"mip_rel_gap": float(mip_gap), "mip_abs_gap": 0.0}
    whole = np.array_equal(program.value, np.rint(program.value))
    if whole:
        options["mip_abs_gap"] = 1 - 1e-6  # whole values: nothing lies between
    if n > DIRECT:
        options["mip_max_nodes"] = NODES
    solver = new_solver(random_state, **options)
    solver.passModel(as_model(cost, rows, low, high, least, upper, whole=np.arange(len(cost))))
    if best.seats is not None:
        guess = highspy.HighsSolution()
        guess.col_value = np.concatenate([best.seats, (program.members @ best.seats) > 0]).astype(float).tolist()
        solver.setSolution(guess)
    solver.run()
    if solver.getModelStatus() in INFEASIBLE:
        return _nothing(program)
    info = solver.getInfo()
    if info.primal_solution_status == FEASIBLE:
        best.take(np.rint(np.asarray(solver.getSolution().col_value)[:n]).astype(np.int64))
    bound = min(float(info.mip_dual_bound), bound)
    return _solution(best, np.floor(bound + EXACT) if whole else bound, mip_gap)
