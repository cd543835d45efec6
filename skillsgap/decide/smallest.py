"""A smallest set of rules that no plan keeps."""

from dataclasses import replace

import numpy as np

from skillsgap.decide.elastic import NOTHING, elastic, only_rules, row_scale, sums
from skillsgap.errors import PlanError


class Search:
    """Which rules can hold together: asks the solver, and remembers the plans found.

    names : rows and switches, "id:key" where a rule is told apart; rule : name -> declared rule; charged : name of a
    fixed cost -> row it is charged to, money; facts : names of rules that always hold and are never in a conflict.

    Divisible seats give the first set: the rules with a price in the program that misses limits as little as it can.
    What is left is thinned out with whole seats, until each member's removal lets the others hold. (Deletion filter
    and elastic program: Chinneck 2008, Feasibility and Infeasibility in Optimization.)
    """

    def __init__(self, program, rules, solver, facts=()):
        self.program, self.solver = program, solver
        names, told = dict.fromkeys([*program.row_rule, *program.switch_rule]), {rule["id"]: rule for rule in rules}
        self.rule = {name: told[_id_of(name, told)] for name in names}
        self.facts = frozenset(name for name, rule in self.rule.items()
                               if {rule["type"], rule.get("family")} & set(facts))  # fmt: skip
        self.names = [name for name in names if name not in self.facts]
        self.charged = {}  # fixed cost -> its row's name and its amount
        charges = program.switching.tocoo()
        for row, switch, cost in zip(charges.row, charges.col, charges.data, strict=True):
            self.charged[program.switch_rule[switch]] = (program.row_rule[row], float(cost))
        self.found, self.divisible = [], []

    def smallest(self):
        """Names of a smallest conflict, or None."""
        core = self._fails_divisible(frozenset(self.names))
        if core is not None:
            core = self._thinned(self._fails_divisible, core)
            core = core if self._fails(core) else frozenset(self.names)
        else:
            core = self._failing()
        if core is None:
            return None
        core = self._thinned(self._fails, core)
        return [name for name in self.names if name in core]

    def only(self, names):
        """The program with these rules, and the facts, alone."""
        return only_rules(self.program, self.facts.union(names))

    def _thinned(self, fails, names):
        """Leave out families, then rules, those of most rows first and the first declared last, then halves of one."""
        for block in self._blocks("family"):
            core = fails(names.difference(block)) if names.intersection(block) else None
            names = names if core is None else core
        for block in self._blocks("id"):
            names = self._thin(fails, names, block)
        return names

    def _blocks(self, key):
        """Names of rules that are alike in this."""
        blocks = {}
        for name in reversed(self.names):
            blocks.setdefault(self.rule[name].get(key, name), []).append(name)
        return sorted(blocks.values(), key=len, reverse=True)

    def _thin(self, fails, names, block):
        block = [name for name in block if name in names]
        if not block:
            return names
        core = fails(names.difference(block))
        if core is not None or len(block) == 1:
            return names if core is None else core
        names = self._thin(fails, names, block[:len(block) // 2])
        return self._thin(fails, names, block[len(block) // 2:])

    def _fails_divisible(self, names):
        """Those of the names whose prices prove that divisible seats can't keep them all, or None if they can."""
        if any(names <= some for some in self.divisible):
            return None
        part = self.only(names)
        program = elastic(part, names)
        found = self.solver.divided(program)
        if found is None:  # rules without limits fail by themselves
            return names
        if found[0][len(part.group):len(program.group)].sum() <= NOTHING:
            self.divisible.append(names)
            return None
        scale = np.concatenate([row_scale(part), part.least[part.least > 0]])
        limits = np.concatenate([part.row_rule, part.switch_rule[part.least > 0]])
        price = found[1][len(program.size):len(program.size) + len(limits)]
        core = set(limits[np.abs(price) * scale > NOTHING])
        return names & (core | self._charges(core))

    def _fails(self, names):
        """The names if no plan of whole seats keeps them all, None if one does."""
        if any(names <= kept for kept, _ in self.found):
            return None
        part = self.only(names)
        seats = self.solver.whole(replace(part, value=np.zeros(len(part.value))), len(part.value), proved=True)
        if seats is None:
            return names
        self.found.append((names | frozenset(self.names).difference(self.broken(seats)), seats))
        return None

    def _failing(self):
        """Names that whole seats can't keep, taken in rule by rule as plans break them; None if all can be kept."""
        names = frozenset()
        while self._fails(names) is None:
            broken = {self.rule[name]["id"] for name in self.broken(self.plan_without(names, None)) - names}
            if not broken:
                return None
            names |= {name for name in self.names if self.rule[name]["id"] in broken}
        return names

    def broken(self, seats):
        """Names that a plan breaks; with a row go the fixed costs charged to it."""
        rows, classes = sums(self.program, seats)
        slight = NOTHING * row_scale(self.program)
        off = (rows < self.program.low - slight) | (rows > self.program.high + slight)
        short = (classes > 0.5) & (classes < self.program.least * (1 - NOTHING))
        names = {*self.program.row_rule[off], *self.program.switch_rule[short]}
        return (names | self._charges(names)) - self.facts

    def _charges(self, names):
        """Fixed costs that are charged to these rows."""
        return {name for name, (row, _) in self.charged.items() if row in names}

    def plan_without(self, names, name):
        """Seats of a plan that keeps all the names but one."""
        others = frozenset(names) - {name}
        return next(seats for kept, seats in self.found if others <= kept)


def _id_of(name, told):
    """The rule that a row belongs to: its id may itself contain a colon."""
    while name not in told:
        name, mark, _ = name.rpartition(":")
        if not mark:
            raise PlanError("rules are not those the program was built from; give both from one plan.")
    return name
