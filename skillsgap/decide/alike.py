"""Groups that no rule tells apart, as one: what a seat is worth doesn't decide whether rules can hold together."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.decide.program import Program


@dataclass(frozen=True)
class Alike:
    """A program in which all groups with the same columns are one group; `columns` are those that stand for all."""

    program: Program
    columns: np.ndarray
    _whole: Program
    _place: np.ndarray  # column of the small program that stands for each of the whole
    _before: np.ndarray  # people of groups of the same kind that come before each group

    def spread(self, seats):
        """Seats of every column of the whole program: groups of a kind are filled one after the other.

        Whole seats of the small program that keep a rule give whole seats that keep it, and no group gives more people
        than it has.
        """
        small, group = self.program, self._whole.group
        order = np.lexsort((np.arange(len(small.group)), small.group))
        taken, first = np.cumsum(seats[order]), np.searchsorted(small.group[order], np.arange(len(small.size)))
        end = np.zeros(len(order), dtype=taken.dtype)
        end[order] = taken - np.concatenate([[0], taken])[first][small.group[order]]
        end = end[self._place]
        begin, low = end - seats[self._place], self._before[group]
        return (np.minimum(end, low + self._whole.size[group]) - np.maximum(begin, low)).clip(min=0)


def joined_groups(program, numbers=()):
    """Join the groups of a program that rules don't tell apart.

    Parameters
    ----------
    program : Program
    numbers : arrays (n_columns,) by which groups are to be told apart too

    Returns
    -------
    Alike

    Examples
    --------
    >>> from skillsgap.decide.choices import Choices
    >>> from skillsgap.decide.program import build_program
    >>> staff = pd.DataFrame({"group_id": ["a", "b"], "size": [5, 7]})
    >>> steps = pd.DataFrame({"option": [0], "course_id": ["C1"], "cost": [10.0], "seats": [1.0]})
    >>> choices = Choices(staff, pd.DataFrame({"option_id": ["C1"]}), steps, np.array([0, 1]), np.array([0, 0]),
    ...                   {"value": np.array([1.0, 2.0])})
    >>> rule = {"id": "budget", "family": "budget", "type": "max_sum", "field": "cost", "max": 90}
    >>> joined = joined_groups(build_program(choices, [rule]))
    >>> joined.program.size.tolist(), joined.spread(np.array([9])).tolist()
    ([12], [5, 4])
    """
    kind = _kinds(program, numbers)
    order, n_groups = np.lexsort((kind, program.group)), len(program.size)
    starts = np.searchsorted(program.group[order], np.arange(n_groups + 1))
    like = _numbered([kind[order[first:end]].tobytes() for first, end in pairwise(starts)])
    model = np.unique(like, return_index=True)[1]
    columns = np.flatnonzero(model[like][program.group] == program.group)
    number = np.empty(len(order), dtype=int)
    number[columns] = np.arange(len(columns))
    rank = np.arange(len(order)) - starts[program.group[order]]
    place = np.empty(len(order), dtype=int)
    place[order] = number[order[starts[model[like]][program.group[order]] + rank]]
    size = np.bincount(like, program.size, minlength=len(model)).astype(program.size.dtype)
    small = replace(program.only(columns), size=size, group=like[program.group[columns]])
    return Alike(small, columns, program, place, _people_before(program.size, like))


def _kinds(program, numbers):
    """Number of the kind of each column: the same in every rule, switch and number."""
    rows = [program.matrix, program.members, *(sparse.csr_array(np.atleast_2d(each)) for each in numbers)]
    table = sparse.csc_array(sparse.vstack(rows, format="csc"))
    table.sum_duplicates()
    return _numbered([table.indices[first:end].tobytes() + table.data[first:end].tobytes()
                      for first, end in pairwise(table.indptr)])  # fmt: skip


def _numbered(texts):
    """Number of each text, the same for the same text, from 0 in the order of their first places."""
    return pd.factorize(np.array(texts, dtype=object))[0]


def _people_before(size, like):
    """People in the groups of the same kind before each group."""
    order = np.argsort(like, kind="stable")
    total = np.concatenate([[0], np.cumsum(size[order])])
    first = np.searchsorted(like[order], np.arange(like.max(initial=-1) + 1))
    before = np.empty(len(size), dtype=total.dtype)
    before[order] = total[:-1] - total[first][like[order]]
    return before
