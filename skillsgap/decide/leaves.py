"""One search tree for many budgets: a bound proved at one budget is a straight line that bounds all others.

At the prices of a divided plan every budget's value is bounded by the plan's bound and the price of the money that is
more or less. So each leaf of the tree, which is a decision on some switches, keeps the lines it was given, and only the
leaves whose lines leave too much room at a budget are looked at anew.
"""

from dataclasses import dataclass

import numpy as np

from skillsgap.decide.parts import divided_switches, parts_bound, parts_of
from skillsgap.decide.relaxation import Relaxation
from skillsgap.decide.rounding import Best, opened, rounded

VISITS = 40  # of a budget; the search ends by count, never by the clock
SEARCHED = 160  # where no plan was found yet
ANEW = 15  # leaves that leave too much room at a new budget beyond which the tree is grown anew
ROUGHLY = 4  # whole seats are made to this times a fifth of the gap


@dataclass
class Leaf:
    """Switches between low and high; `lines` = (constant, price of each money row) that bound its value."""

    low: np.ndarray
    high: np.ndarray
    lines: list
    told: float = -1.0  # money at which its parts were asked

    def bound(self, money):
        """Most that plans with these switches can be worth with this money."""
        return min((constant + price @ money for constant, price in self.lines), default=np.inf)


class Leaves:
    """Best plans and bounds of one program at one budget after the other, from the largest to the smallest."""

    def __init__(self, program, rows, *, mip_gap, random_state=0):
        self.rows, self.gap, self.random_state, self.on, self.last = rows, mip_gap, random_state, None, None
        program = program.joined()
        self.relaxed = Relaxation(program, random_state=random_state)
        self.parts = parts_of(program)
        self.root = Leaf(*(some.copy() for some in self.relaxed.switches), [])
        self.leaves = [Leaf(self.root.low, self.root.high, [])]

    def solve(self, program):
        """Best whole seats (None if none were found) and the bound; -inf if no plan exists.

        The columns and rows are those of the first program, and no limit of the money rows is larger than before.
        """
        program = program.joined()
        self.relaxed.turn(program)
        best, self.tried, money = Best(program, self.last), set(), program.high[self.rows]  # where money is left over
        if not best.near(self._bound(money), self.gap):
            self._guess(best, money)
        if sum(not best.near(leaf.bound(money), self.gap) for leaf in self.leaves) > ANEW:
            self.leaves = [Leaf(self.root.low, self.root.high, list(self.root.lines))]
        for number in range(SEARCHED):
            if best.near(self._bound(money), self.gap) or not self.leaves:
                break
            if number >= VISITS and best.seats is not None:
                break
            leaf = self.leaves.pop(int(np.argmax([leaf.bound(money) for leaf in self.leaves])))
            kept, ended = self._visit(leaf, best, money)
            self.leaves += kept
            if ended:
                break
        self.last = best.seats
        return best.seats, self._bound(money)

    def know(self, seats, bound):
        """Take in the best plan of a budget, which is none above the last, and its bound: it holds for less money."""
        self.last, self.on = seats, (self.relaxed.program.members @ seats > 0).astype(float)
        self.root.lines.append((bound, np.zeros(len(self.rows))))

    def _bound(self, money):
        return min(self.root.bound(money), max((leaf.bound(money) for leaf in self.leaves), default=-np.inf))

    def _visit(self, leaf, best, money):
        """What becomes of a leaf: nothing, itself with a new line, or two; and whether no visit can help more."""
        relaxed = self.relaxed
        relaxed.decide(leaf.low, leaf.high)
        if not relaxed.run(near=self.gap / 10, enough=best.enough(self.gap)):
            return [], False  # nor with less money
        self._line(leaf, relaxed.bound, money)
        if best.near(leaf.bound(money), self.gap):
            return [leaf], False
        on = relaxed.x[relaxed.n:]
        divided, common = divided_switches(relaxed.program, on, self.parts)
        if self.parts is not None and common.max(initial=0.0) == 0 and leaf.told != money.sum():
            bound, tried = parts_bound(relaxed, self.parts, near=self.gap / 10, random_state=self.random_state)
            self._line(leaf, bound, money)
            leaf.told = money.sum()
            self._round(best, np.clip(tried, leaf.low, leaf.high))
            return [leaf], False
        if divided.max(initial=0.0) == 0.0:
            return [leaf], not self._round(best, on.round())
        switch, answers = relaxed.branching.choose(relaxed, common if common.max() > 0 else divided)
        return self._branch(leaf, switch, answers), False

    def _line(self, leaf, bound, money):
        price = self.relaxed.prices[self.relaxed.n_groups:][self.rows].clip(min=0)
        leaf.lines.append((bound - price @ money, price))

    def _branch(self, leaf, switch, answers):
        children = []
        for value in answers:
            low, high = leaf.low.copy(), leaf.high.copy()
            low[switch] = high[switch] = value
            children.append(Leaf(low, high, list(leaf.lines), leaf.told))
        return children

    def _guess(self, best, money):
        """Round what was open at the last budget or what this one's divided plan suggests, whichever promises more."""
        relaxed, promise = self.relaxed, {}
        relaxed.decide(self.root.low, self.root.high)
        if not relaxed.run(near=self.gap / 10):
            self.leaves = []
            return
        self._line(self.root, relaxed.bound, money)
        for on in (self.on, opened(best.program, relaxed, self.root.low, self.root.high)):
            if on is not None:
                relaxed.decide(on, on)
                promise[-relaxed.value if relaxed.run(near=self.gap / 10) else np.inf] = on
        if promise:
            self._round(best, promise[min(promise)])

    def _round(self, best, on):
        """Try what this opening gives; whether it wasn't tried at this budget before."""
        key = on.astype(bool).tobytes()
        if key in self.tried:
            return False
        self.tried.add(key)
        value = best.value
        best.take(rounded(best.program, self.relaxed, on, best, ROUGHLY * self.gap, self.random_state))
        if best.value > value:
            self.on = on
        return True
