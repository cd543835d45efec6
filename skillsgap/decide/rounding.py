"""From divided seats to whole ones, and the best plan found so far."""

import numpy as np

from skillsgap.decide.program import EXACT
from skillsgap.decide.relaxation import FEASIBLE, as_model, new_solver

SPARE = 1_200  # columns that may come in when seats are made whole
NEAR = 150  # of those the first that may change
STEPS = 200  # nodes of the search for whole seats
OPENED = (0.9, 0.7, 0.5, 0.3, 0.0)  # parts of a class minimum that open a class


class Best:
    """The best plan so far; one is taken only if it keeps every rule of the program."""

    def __init__(self, program, seats=None):
        self.program, self.seats, self.value = program, None, -np.inf
        self.take(seats)

    def take(self, seats):
        """Keep this plan if it is better."""
        if seats is not None and self.program.value @ seats > self.value and self.program.keeps(seats):
            self.seats, self.value = seats, float(self.program.value @ seats)

    def enough(self, gap):
        """The bound that proves the gap (relative)."""
        return -np.inf if self.seats is None else self.value + gap * abs(self.value) + EXACT

    def near(self, bound, gap):
        """Whether no plan within this bound is better by more than the gap (relative)."""
        return bound <= self.enough(gap)


def opened(program, relaxed, low, high):
    """What to open: of a few readings of the divided plan the one whose own divided plan is worth most, or None.

    What has a fixed cost is open where the plan uses more than half of it; a class, where its seats reach a part of
    the least it asks for. `low` and `high` are bounds that hold.
    """
    best, chosen = -np.inf, None
    on = relaxed.x[relaxed.n:]
    for used in (0.5, 1e-6):
        fixed = (program.least == 0) & (low < high)
        settled = np.where(fixed, on > used, low), np.where(fixed, on > used, high)
        relaxed.decide(*settled)
        if relaxed.run(near=1e-4):
            break
    else:
        return None
    seats = program.members @ relaxed.x[:relaxed.n]
    readings = [np.clip((seats > 1e-7) & (seats >= part * program.least), *settled) for part in OPENED]
    for tried in np.unique(readings, axis=0)[::-1]:
        relaxed.decide(tried, tried)
        if relaxed.run(near=1e-4) and relaxed.value > best:
            best, chosen = relaxed.value, tried
    return chosen


def rounded(program, relaxed, on, best, mip_gap, random_state):
    """Whole seats near the divided ones, with what is open decided; None where that can't be or is no better."""
    relaxed.decide(on, on)
    if not relaxed.run(near=mip_gap / 10) or relaxed.bound <= best.value:
        return None
    shut = np.asarray((program.members[on == 0] > 0).sum(axis=0)).ravel() > 0
    x, regret = relaxed.x[:relaxed.n], np.abs(relaxed.gains())
    kept = relaxed.columns[relaxed.columns < relaxed.n]
    kept = kept[~shut[kept]]
    used, spare = kept[x[kept] > 1e-9], kept[x[kept] <= 1e-9]
    spare = spare[np.argsort(regret[spare], kind="stable")]
    parted = used[np.abs(x[used] - np.rint(x[used])) > 1e-6]
    # those who share their seats out may change first, and some for whom another seat is nearly as good
    near = program.group[np.concatenate([parted, spare[:NEAR]])]
    columns = np.sort(np.concatenate([used, spare[:SPARE]]))
    asked = program, on, mip_gap / 5, random_state
    found = _whole(*asked, columns, np.where(np.isin(program.group[columns], near), -1, np.rint(x[columns])))
    if found is not None and relaxed.bound - program.value @ found <= mip_gap / 5 * abs(relaxed.bound):
        return found
    for more in (SPARE, len(spare)):  # then everybody among the best columns, and among all
        columns = np.sort(np.concatenate([used, spare[:more]]))
        whole = _whole(*asked, columns, np.full(len(columns), -1))
        if whole is not None:
            return whole if found is None or program.value @ whole > program.value @ found else found
        if more >= len(spare):
            break
    return found


def _whole(program, on, mip_gap, random_state, columns, fixed):
    """Whole seats of these columns, of which some are fixed (-1 = free), others 0; None where none were found."""
    cost, rows, low, high, least, upper = program.only(columns).settled(on).as_milp()
    least, upper = np.where(fixed < 0, least, fixed), np.where(fixed < 0, upper, fixed)
    solver = new_solver(random_state, mip_rel_gap=mip_gap, mip_abs_gap=0.0, mip_max_nodes=STEPS)
    solver.passModel(as_model(cost, rows, low, high, least, upper, whole=np.arange(len(columns))))
    solver.run()
    if solver.getInfo().primal_solution_status != FEASIBLE:
        return None
    seats = np.zeros(len(program.group), dtype=np.int64)
    seats[columns] = np.rint(np.asarray(solver.getSolution().col_value))
    return seats
