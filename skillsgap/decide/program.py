"""Declared rules as an integer program: whole seats of every column, and switches for what is opened.

Every rule of a plan is one of a few kinds: a sum at most or at least, a ratio, a count, a fixed cost, an implication.
A sum at least with `when_used` binds only what is used at all, such as a class minimum.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from skillsgap.errors import PlanError

_ONE = ("",)  # the key of a rule that isn't told apart
TYPES = ("max_sum", "min_sum", "min_count", "min_ratio", "fixed_cost", "implies")
EXACT = 1e-9  # relative; sums of cents are not exact in binary
STRONG = 4_000  # entries up to which a switch bounds every column by itself, which proves more


@dataclass(frozen=True)
class Program:
    """Maximise value x seats; `exact` = each group gives all its people, else at most.

    matrix (n_rows, n_columns) and switching (n_rows, n_switches) between low and high; row_rule names each row's rule.
    A switch is on where a member column has a seat; then its members' sum is at least its least.
    """

    size: np.ndarray
    group: np.ndarray
    value: np.ndarray
    matrix: sparse.csr_array
    switching: sparse.csr_array
    low: np.ndarray
    high: np.ndarray
    row_rule: np.ndarray
    members: sparse.csr_array  # (n_switches, n_columns) weights in the sum
    least: np.ndarray  # (n_switches,) 0 = none
    switch_rule: np.ndarray
    exact: bool = False

    @property
    def upper(self):
        """Most seats a column can have: its group's people."""
        return self.size[self.group]

    def without(self, rules):
        """The program without these rules, all else as it is: whole rules by id, or one row as "id:key"."""
        gone, off = (named_by(names, rules) for names in (self.row_rule, self.switch_rule))
        switching = self.switching.tolil()
        switching[:, np.flatnonzero(off & (self.least == 0))] = 0  # a fixed cost that is waived
        return replace(
            self, matrix=self.matrix[~gone], switching=sparse.csr_array(switching)[~gone], low=self.low[~gone],
            high=self.high[~gone], row_rule=self.row_rule[~gone], least=np.where(off, 0.0, self.least))  # fmt: skip

    def limited(self, rule, high):
        """The program with another upper limit of one rule's rows."""
        return replace(self, high=np.where(self.row_rule == rule, high, self.high))

    def settled(self, on):
        """The program with what is opened decided (n_switches, 0 or 1): what is left has no switches.

        Its prices are those of rules alone; a switch that holds as many seats as a rule would share the rule's price.
        """
        shut = np.asarray((self.members[on == 0] > 0).sum(axis=0)).ravel() > 0
        asked = np.flatnonzero((on > 0) & (self.least > 0))
        paid = self.switching @ on
        part = self.only(np.flatnonzero(~shut))
        return replace(
            part, matrix=sparse.vstack([part.matrix, part.members[asked]], format="csr"), least=np.zeros(0),
            low=np.concatenate([self.low - paid, self.least[asked]]), members=part.members[:0],
            high=np.concatenate([self.high - paid, np.full(len(asked), np.inf)]), switch_rule=self.switch_rule[:0],
            switching=sparse.csr_array((len(self.low) + len(asked), 0)),
            row_rule=np.concatenate([self.row_rule, self.switch_rule[asked]]))  # fmt: skip

    def joined(self):
        """The program with one switch for all that the same seats turn on, such as a class and its fixed cost."""
        rows = self.members.sorted_indices()
        same, first = {}, np.zeros(len(self.least), dtype=int)
        for switch in np.argsort(-self.least, kind="stable"):  # of two with a least, each keeps its own
            key = rows.indices[rows.indptr[switch]:rows.indptr[switch + 1]].tobytes()
            first[switch] = same.setdefault(key, switch) if self.least[switch] == 0 else switch
            same.setdefault(key, switch)
        kept, place = np.unique(first, return_inverse=True)
        into = sparse.csr_array((np.ones(len(first)), (np.arange(len(first)), place)), shape=(len(first), len(kept)))
        return replace(self, switching=sparse.csr_array(self.switching @ into).sorted_indices(), least=self.least[kept],
                       members=self.members[kept], switch_rule=self.switch_rule[kept])  # fmt: skip

    def only(self, columns):
        """The program with these columns alone (numbers); the others have no seats."""
        return replace(self, group=self.group[columns], value=self.value[columns], matrix=self.matrix[:, columns],
                       members=self.members[:, columns])  # fmt: skip

    @property
    def caps(self):
        """(n_switches,) most seats that all members of a switch can have together."""
        pairs, n_groups = self.members.tocoo(), len(self.size)
        cell = np.unique(pairs.row.astype(np.int64) * n_groups + self.group[pairs.col])
        people = np.bincount(cell // n_groups, self.size[cell % n_groups], minlength=len(self.least))
        # a row that holds all members of a switch, none below `each` a seat, leaves room for high / each of them
        plain = np.isfinite(self.high) & ~_any_negative(self.matrix) & ~_any_negative(self.switching)
        rows = self.matrix[np.flatnonzero(plain)].tocsc()
        count = np.diff(rows.indptr)[pairs.col]
        switch = np.repeat(pairs.row, count)
        entry = np.repeat(rows.indptr[pairs.col], count) + _within(count)
        cell, place = np.unique(switch * max(rows.shape[0], 1) + rows.indices[entry], return_inverse=True)
        each = np.full(len(cell), np.inf)
        np.minimum.at(each, place, rows.data[entry])
        full = np.bincount(place, minlength=len(cell)) == np.diff(self.members.indptr)[cell // max(rows.shape[0], 1)]
        room = np.floor(self.high[plain][cell % max(rows.shape[0], 1)] / each + 1e-9)
        np.minimum.at(people, (cell // max(rows.shape[0], 1))[full & (each > 0)], room[full & (each > 0)])
        return people

    def keeps(self, seats):
        """Whether whole seats keep every row of the program."""
        heads = np.bincount(self.group, seats, minlength=len(self.size))
        if (heads > self.size).any() or (seats < 0).any() or (self.exact and (heads < self.size).any()):
            return False
        sums = self.members @ seats
        on = sums > 0
        if (sums[on] < self.least[on] - EXACT * np.maximum(1, self.least[on])).any():
            return False
        total = self.matrix @ seats + self.switching @ on.astype(float)
        size = abs(self.matrix) @ seats + abs(self.switching) @ on.astype(float)
        slack = EXACT * np.maximum(1.0, size)
        return bool((total <= self.high + slack).all() and (total >= self.low - slack).all())

    def as_milp(self):
        """Costs to maximise, rows and bounds: columns are whole seats, then a switch each, 0 or 1.

        Returns
        -------
        cost, matrix (csc), row_low, row_high, column_low, column_high
        """
        n, s, caps = len(self.group), len(self.least), self.caps
        heads = sparse.csr_array((np.ones(n), (self.group, np.arange(n))), shape=(len(self.size), n))
        used = self.least > 0
        link, capped = self._links(caps)
        blocks = [[heads, None], [self.matrix, self.switching],
                  [self.members[used], sparse.csr_array(-sparse.diags_array(self.least))[used]], [link, capped]]
        low = [self.size if self.exact else np.full(len(self.size), -np.inf), self.low, np.zeros(used.sum()),
               np.full(link.shape[0], -np.inf)]  # fmt: skip
        high = [self.size, self.high, np.full(used.sum(), np.inf), np.zeros(link.shape[0])]
        if s == 0:
            blocks = [row[:1] for row in blocks[:2]]
            low, high = low[:2], high[:2]
        matrix = sparse.csc_array(sparse.block_array(blocks, format="csc"))
        shut = caps < np.maximum(self.least / np.maximum(_largest(self.members), 1e-300), 1)
        return (np.concatenate([self.value, np.zeros(s)]), matrix, np.concatenate(low), np.concatenate(high),
                np.zeros(n + s), np.concatenate([self.upper, np.where(shut, 0, 1)]))  # fmt: skip

    def _links(self, caps):
        """Rows that keep a switch on while a member has seats: one a switch, and one a group of it where few."""
        taking = sparse.csr_array((self.members > 0).astype(float))
        plain = sparse.csr_array(-sparse.diags_array(caps.astype(float)))
        if taking.nnz > STRONG or len(caps) == 0:
            return taking, plain
        pairs = taking.tocoo()
        cells, row = np.unique(pairs.row.astype(np.int64) * len(self.size) + self.group[pairs.col], return_inverse=True)
        strong = sparse.csr_array((np.ones(len(row)), (row, pairs.col)), shape=(len(cells), taking.shape[1]))
        switch, group = cells // len(self.size), cells % len(self.size)
        most = np.minimum(self.size[group], caps[switch]).astype(float)
        tight = sparse.csr_array((-most, (np.arange(len(cells)), switch)), shape=(len(cells), len(caps)))
        return sparse.vstack([taking, strong], format="csr"), sparse.vstack([plain, tight], format="csr")


def build_program(choices, rules, *, value="value", exact=False, null_option=None):
    """The integer program of declared rules; errors name the rule.

    Parameters
    ----------
    choices : Choices
    rules : list of dict, with id, type and what the type needs (see `TYPES`)
    value : field to maximise
    exact : each group takes as many options as it has people, one of which may be the null option
    null_option : id of the option that means nothing is done
    """
    _checked(rules)
    rows, switches = _Rows(), _Rows()
    for rule in rules:
        if rule["type"] not in ("fixed_cost", "implies"):
            (switches if rule.get("when_used") else rows).add(rule, *_sum_rule(choices, rule))
    for rule in rules:
        if rule["type"] == "implies":
            _imply(choices, rule, rows, null_option)
    n, rule_of = len(choices.column_group), np.array(rows.rule, dtype=object)
    charged = []
    for rule in (some for some in rules if some["type"] == "fixed_cost"):
        keys, row, column, number = choices.sums("people", rule.get("where"), by=rule.get("by", ()), rule=rule["id"])
        for key in range(len(keys)):
            paid = np.flatnonzero(rule_of == rule["charged_to"])
            if len(paid) == 0:
                raise PlanError(f"rule {rule['id']}: it is charged to {rule['charged_to']}, no rule of this plan.")
            cost = rule["cost"].get(keys[key], 0.0) if isinstance(rule["cost"], dict) else rule["cost"]
            charged.append((paid, len(switches.rule), float(cost)))
            switches.one(rule, keys[key], column[row == key], np.ones((row == key).sum()), 0.0, np.inf)
    return _program(choices, rows, switches, charged, value, exact, n)


class _Rows:
    """Rows put together piece by piece: entries, limits, and the rule each belongs to."""

    def __init__(self):
        self.row, self.column, self.number, self.low, self.high, self.rule = [], [], [], [], [], []

    def add(self, rule, keys, row, column, number, low, high):
        """Rows of one rule: a row for each key that has a limit."""
        kept = np.flatnonzero(~(np.isneginf(low) & np.isposinf(high)))
        place = np.full(len(keys), -1)
        place[kept] = len(self.rule) + np.arange(len(kept))
        inside = place[row] >= 0
        self.row.append(place[row][inside])
        self.column.append(column[inside])
        self.number.append(number[inside])
        self.low += list(low[kept])
        self.high += list(high[kept])
        self.rule += [_named(rule["id"], keys[some]) for some in kept]

    def one(self, rule, key, column, number, low, high):
        """A single row."""
        self.add(rule, [key], np.zeros(len(column), dtype=int), column, number, np.array([low]), np.array([high]))
        if np.isneginf(low) and np.isposinf(high):
            raise PlanError(f"rule {rule['id']}: it has no limit.")

    def matrix(self, n):
        """(n_rows, n) coefficients."""
        parts = [np.concatenate(part) if part else np.zeros(0) for part in (self.number, self.row, self.column)]
        shape = (len(self.rule), n)
        return sparse.csr_array((parts[0], (parts[1].astype(int), parts[2].astype(int))), shape=shape)


def _named(rule, key):
    return f"{rule}:{key}" if key else rule


def _checked(rules):
    seen = set()
    for rule in rules:
        if rule.get("type") not in TYPES:
            raise PlanError(f'rule {rule.get("id")}: its type is "{rule.get("type")}"; use one of {", ".join(TYPES)}.')
        if rule["id"] in seen:
            raise PlanError(f"rule {rule['id']}: two rules have this id; rename one.")
        seen.add(rule["id"])


def _sum_rule(choices, rule):
    """Keys, entries and limits of a sum, a count or a ratio."""
    by, where = tuple(rule.get("by", ())), rule.get("where")
    if rule["type"] == "min_ratio":
        parts = [choices.sums(rule[name], {**(where or {}), **(rule.get(f"{name}_where") or {})}, rule=rule["id"])
                 for name in ("num", "den")]
        number = np.concatenate([rule["num_mult"] * parts[0][3], -rule["den_mult"] * parts[1][3]])
        column = np.concatenate([parts[0][2], parts[1][2]])
        return _ONE, np.zeros(len(column), dtype=int), column, number, np.zeros(1), np.full(1, np.inf)
    field = "people" if rule["type"] == "min_count" else rule["field"]
    keys, row, column, number = choices.sums(field, where, by=by, rule=rule["id"])
    limit = rule["max" if rule["type"] == "max_sum" else "min"]
    if isinstance(limit, dict):
        missing = [key for key, amount in limit.items() if key not in keys and amount > 0]
        if rule["type"] != "max_sum" and missing and not rule.get("when_used"):
            keys = keys.append(type(keys)(missing))  # a floor that nobody can help to meet is still a floor
        limit = np.array([limit.get(key, np.nan) for key in keys], dtype=float)
    else:
        limit = np.full(len(keys), float(limit))
    nothing = np.isnan(limit)
    if rule["type"] == "max_sum":
        return keys, row, column, number, np.full(len(keys), -np.inf), np.where(nothing, np.inf, limit)
    return keys, row, column, number, np.where(nothing, -np.inf, limit), np.full(len(keys), np.inf)


def _imply(choices, rule, rows, null_option):
    """If a group takes an option, another group takes one too."""
    ids, options = choices.groups["group_id"].to_numpy(), choices.options["option_id"].to_numpy()
    group, option = ids[choices.column_group], options[choices.column_option]
    first = np.flatnonzero((group == rule["if_"][0]) & (option == rule["if_"][1]))
    then = np.flatnonzero((group == rule["then_group_trained"]) & (option != null_option))
    for name in (rule["if_"][0], rule["then_group_trained"]):
        if name not in ids:
            raise PlanError(f"rule {rule['id']}: {name} is no group; use a group_id.")
    # at most `size` seats of the first are covered by a single seat of the other
    most = choices.groups["size"].to_numpy(dtype=float)[choices.column_group[first]]
    column, number = np.concatenate([then, first]), np.concatenate([np.repeat(most.max(initial=1.0), len(then)),
                                                                    -np.ones(len(first))])
    rows.one(rule, "", column, number, 0.0, np.inf)


def _program(choices, rows, switches, charged, value, exact, n):
    matrix = rows.matrix(n)
    switching = sparse.lil_array((len(rows.rule), len(switches.rule)))
    for paid, switch, cost in charged:
        switching[paid, switch] = cost
    return Program(
        size=choices.groups["size"].to_numpy().astype(np.int64), group=choices.column_group,
        value=np.asarray(choices.fields[value], dtype=float), matrix=matrix, switching=sparse.csr_array(switching),
        low=np.array(rows.low), high=np.array(rows.high), row_rule=np.array(rows.rule, dtype=object),
        members=switches.matrix(n), least=np.array(switches.low), exact=exact,
        switch_rule=np.array(switches.rule, dtype=object))  # fmt: skip


def named_by(names, rules):
    """Which rows or switches belong to these rules: named by their ids, or by one row as "id:key"."""
    rules = set(rules)
    return np.array([name in rules or name.partition(":")[0] in rules for name in names], dtype=bool)


def _any_negative(matrix):
    return np.asarray((matrix < 0).sum(axis=1)).ravel() > 0


def _largest(matrix):
    return matrix.max(axis=1).toarray().ravel() if matrix.shape[1] else np.zeros(matrix.shape[0])


def _within(count):
    """0, 1, ... within each of consecutive runs of these lengths."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
