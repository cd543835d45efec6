"""A bound from the parts of a program, such as agencies, that only prices of money and places hold together.

At fixed prices of the common rows every part is a small program of its own, solved with its classes open or shut, not
in between. What the parts reach together bounds every plan (Lagrange; Geoffrion 1974), nearer than divided classes do.

References
----------
Geoffrion, A. M. (1974). Lagrangean relaxation for integer programming. Mathematical Programming Study 2, 82-114.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from skillsgap.decide.relaxation import as_model, new_solver

COMMON = (0.5, 0.2, 0.08)  # a switch with members in more than this share of the groups belongs to no part
TOO_LARGE = 8_000  # columns beyond which a part is no small program


def parts_of(program):
    """Part of every group and of every switch, -1 for switches that are common to parts; None if there is one part."""
    pairs, n_groups, n_switches = program.members.tocoo(), len(program.size), len(program.least)
    cells = np.unique(pairs.row.astype(np.int64) * n_groups + program.group[pairs.col])
    switch, group = cells // n_groups, cells % n_groups
    count = np.bincount(switch, minlength=n_switches)
    for share in COMMON:
        local = count <= share * n_groups
        tie = local[switch]
        graph = sparse.csr_array((np.ones(tie.sum()), (group[tie], n_groups + switch[tie])),
                                 shape=(n_groups + n_switches,) * 2)  # fmt: skip
        number, label = connected_components(graph, directed=False)
        of_group, of_switch = label[:n_groups], np.where(local & (count > 0), label[n_groups:], -1)
        largest = np.bincount(of_group[program.group], minlength=number).max(initial=0)
        if len(np.unique(of_switch[of_switch >= 0])) > 1 and largest <= TOO_LARGE:
            return of_group, of_switch
    return None


def divided_switches(program, on, parts):
    """How far each switch is from open and shut, by its members, and the same of those that are common to parts."""
    off = np.minimum(on, 1 - on)
    divided = np.where(off > 1e-6, off, 0.0) * np.diff(program.members.indptr)
    return divided, divided if parts is None else divided * (parts[1] < 0)


def parts_bound(relaxed, parts, *, near, random_state=0):
    """Bound of the whole from its parts at the relaxation's prices, and the switches that the parts would set."""
    of_group, of_switch = parts
    program, n = relaxed.program, relaxed.n
    rows = relaxed.rows[:, :relaxed.n_known].tocsr()
    of_column = np.concatenate([of_group[program.group], of_switch])
    of_row = _single(rows, of_column)
    price = np.where(of_row < 0, relaxed.prices, 0.0)
    up = np.where(np.isfinite(relaxed.high), price.clip(min=0), 0.0)
    down = np.where(np.isfinite(relaxed.low), price.clip(max=0), 0.0)
    worth = relaxed.cost[:relaxed.n_known] - rows.T @ (up + down)
    total = up @ np.where(up > 0, relaxed.high, 0.0) + down @ np.where(down < 0, relaxed.low, 0.0)
    on = np.clip(relaxed.x[n:].round(), relaxed.least[n:relaxed.n_known], relaxed.upper[n:relaxed.n_known])
    common = np.flatnonzero(of_column < 0)
    total += np.maximum(worth[common] * relaxed.least[common], worth[common] * relaxed.upper[common]).sum()
    columns = rows.tocsc()
    for part in np.unique(of_column[of_column >= 0]):
        inside, here = np.flatnonzero(of_column == part), np.flatnonzero(of_row == part)
        bound, x = _solved(worth, columns, relaxed, inside, here, near, random_state)
        total += bound
        switches = inside >= n
        on[inside[switches] - n] = x[switches].round()
    return float(total), on


def _solved(worth, columns, relaxed, inside, here, near, random_state):
    """Bound and best columns of one part."""
    solver = new_solver(random_state, mip_rel_gap=near)
    switches = np.flatnonzero(inside >= relaxed.n)
    block = columns[:, inside].tocsr()[here].tocsc()
    solver.passModel(as_model(worth[inside], block, relaxed.low[here], relaxed.high[here], relaxed.least[inside],
                              relaxed.upper[inside], whole=switches))  # fmt: skip
    solver.run()
    info = solver.getInfo()
    found = np.asarray(solver.getSolution().col_value)
    bound = info.mip_dual_bound if len(switches) else info.objective_function_value
    return float(bound), found if len(found) else np.zeros(len(inside))


def _single(rows, of_column):
    """The part that alone has entries in a row, or -1."""
    label = of_column[rows.indices].astype(float)
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    least, most = np.full(rows.shape[0], np.inf), np.full(rows.shape[0], -np.inf)
    np.minimum.at(least, row, label)
    np.maximum.at(most, row, label)
    return np.where((least == most) & (least >= 0), least, -1).astype(int)
