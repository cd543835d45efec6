"""Search over what is opened: courses and classes are open or shut, never in between."""

import heapq

import numpy as np

from skillsgap.decide.parts import divided_switches, parts_bound, parts_of
from skillsgap.decide.rounding import opened, rounded

NODES = 200  # it ends by count, never by the clock, so that the same inputs give the same plan


class Search:
    """Branch and bound over the switches of a relaxation; better plans go to `best`."""

    def __init__(self, program, relaxed, best, *, mip_gap, random_state=0, nodes=NODES):
        self.program, self.relaxed, self.best = program, relaxed, best
        self.gap, self.random_state, self.nodes = mip_gap, random_state, nodes
        self.parts = parts_of(program)

    def run(self, bound):
        """Search until the gap is proved, or for so many nodes; the bound that was proved, at most the one given."""
        low, high = (some.copy() for some in self.relaxed.switches)
        queue, count, ended = [], 0, -np.inf
        node = (bound, low, high, False)
        while node is not None:
            bound, children = self._visit(*node)
            if not children:
                ended = max(ended, bound)
            for other in children[1:]:
                count += 1
                heapq.heappush(queue, (-other[0], count, other))
            node = children[0] if children else None  # dive: a plan early prunes the rest
            proved = max(ended, -queue[0][0] if queue else -np.inf, -np.inf if node is None else node[0])
            if self.best.near(proved, self.gap) or count >= self.nodes:
                break
            if node is None and queue:
                node = heapq.heappop(queue)[2]
        self.relaxed.decide(low, high)
        return proved

    def _visit(self, bound, low, high, told):
        """Bound of a node and its two children, the likelier first; none where the search needn't go on."""
        relaxed = self.relaxed
        relaxed.decide(low, high)
        if self.best.near(bound, self.gap):
            return bound, []
        if not relaxed.run(near=self.gap / 10, enough=self.best.enough(self.gap)):
            return -np.inf, []
        bound, on = min(bound, relaxed.bound), relaxed.x[relaxed.n:]
        if self.best.near(bound, self.gap):
            return bound, []
        divided, common = divided_switches(self.program, on, self.parts)
        if common.max(initial=0.0) == 0.0 and not told:
            bound, told = min(bound, self._end(low, high)), True
        elif divided.max(initial=0.0) == 0.0:
            self.best.take(rounded(self.program, relaxed, on.round(), self.best, self.gap, self.random_state))
        if divided.max(initial=0.0) == 0.0 or self.best.near(bound, self.gap):
            return bound, []
        children = []
        switch, answers = relaxed.branching.choose(relaxed, common if common.max() > 0 else divided)
        for answer in answers:
            shut, opened = low.copy(), high.copy()
            shut[switch] = opened[switch] = answer
            children.append((bound, shut, opened, told))
        return bound, children

    def _end(self, low, high):
        """Bound and plans where all that parts have in common is decided."""
        relaxed, bound, tried = self.relaxed, self.relaxed.bound, []
        if self.parts is not None:
            told, on = parts_bound(relaxed, self.parts, near=self.gap / 10, random_state=self.random_state)
            bound, tried = min(bound, told), [np.clip(on, low, high)]
        if not self.best.near(bound, self.gap):
            for on in [*tried, opened(self.program, relaxed, low, high)]:
                if on is not None:
                    found = rounded(self.program, relaxed, on, self.best, self.gap, self.random_state)
                    self.best.take(found)
        relaxed.decide(low, high)
        return bound
