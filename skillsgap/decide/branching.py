"""Which switch to decide next: the one whose two answers bring the bound down most.

What an answer brought down is remembered for a unit of its distance (pseudo-costs); until that is known, a few steps of
the solver tell it roughly (reliability branching).

References
----------
Achterberg, T., Koch, T. and Martin, A. (2005). Branching rules revisited. Operations Research Letters 33, 42-54.
"""

import numpy as np

TRIED = 8  # switches looked at by a node, those first that seem to matter most
STEPS = 60  # of the solver for each answer
LITTLE = 1e-6  # of the bound: an answer that brings it down by less counts as this


class Branching:
    """Remembers, for programs that differ little, how far each answer brings the bound down."""

    def __init__(self, n_switches):
        self.drop = np.full((2, n_switches), np.nan)  # a unit of distance to 0 and to 1

    def choose(self, relaxed, weight):
        """The switch to decide and its answers, the likelier first.

        Parameters
        ----------
        relaxed : Relaxation, as it was solved for the node
        weight : (n_switches,) above 0 for those that may be chosen; decides where nothing else does
        """
        on, value = relaxed.x[relaxed.n:], relaxed.value
        distance, among = np.stack([on, 1 - on]), np.flatnonzero(weight > 0)
        promise = distance.prod(axis=0) * relaxed.switch_costs()
        best, chosen, answers = -1.0, None, (0.0, 1.0)
        for switch in among[np.lexsort((-weight[among], -promise[among]))][:TRIED]:
            if np.isnan(self.drop[0, switch]):
                left = np.array([relaxed.tried(switch, answer, STEPS) for answer in (0.0, 1.0)])
                self.drop[:, switch] = (value - left.clip(min=0)).clip(min=0) / distance[:, switch].clip(min=1e-6)
            drops = self.drop[:, switch] * distance[:, switch]
            score = np.maximum(drops, LITTLE * abs(value) + 1e-300).prod()
            if score > best:
                best, chosen, answers = score, switch, (0.0, 1.0) if drops[0] <= drops[1] else (1.0, 0.0)
        return chosen, answers
