"""Names of columns: those that differ in case or signs only are one, and one that is nearly ours is asked about."""

import re

from skillsgap.contracts import CONTRACTS
from skillsgap.study.nearest import near
from skillsgap.study.spelling import blur
from skillsgap.wording import N_

SHORTEST = 5  # letters of a name from which on one letter more, less or other is no name of its own
WORDS = re.compile(r"(?:label|text|definition)_\w\w")  # another language, not a slip


def squash(name):
    """A column's name without case and signs.

    Examples
    --------
    >>> squash("Staff ID") == squash("staff_id")
    True
    """
    return re.sub(r"[\W_]", "", blur(name))


def same_but_for_signs(column, there):
    """The only one of the columns whose name is the same but for case, blanks and signs; None where there isn't one."""
    alike = [name for name in there if squash(name) == squash(column)]
    return alike[0] if len(alike) == 1 else None


def find_own(source, loaded, taken, items=()):
    """Our columns in a file that writes them otherwise, under names that params don't speak of.

    Parameters
    ----------
    source : TextTable
    loaded : Loaded
        Its notes and faults grow: of a column that stands twice but for case and signs, and of a name that is nearly
        one of ours.
    taken : collection of str
        Columns of the file that params speak of.
    items : collection of str
        Columns of answers.

    Returns
    -------
    dict of str to str
        Name in the file of each.
    """
    ours = [c for c in (*CONTRACTS[loaded.table].columns, *items) if c not in loaded.spec.get("columns", {})]
    free = {name: squash(name) for name in source.columns if name not in taken and name not in ours}
    used = {squash(name): name for name in source.columns if name not in free}
    for name in [name for name, plain in free.items() if plain in used]:
        loaded.fault(None, used[free[name]], N_("the file has {theirs!r} too, which differs in case or signs only"),
                     N_("rename or drop one of them"), {"theirs": name})  # fmt: skip
        del free[name]
    found, absent = {}, [column for column in ours if column not in source.columns]
    for column in absent:
        theirs = [name for name, plain in free.items() if plain == squash(column)]
        if len(theirs) == 1:
            found[column] = theirs[0]
            del free[theirs[0]]
    for column in absent:
        if column not in found and column not in items and not WORDS.fullmatch(column):
            _slips(loaded, column, free)
    return found


def _slips(loaded, column, free):
    for name, plain in free.items():
        if min(len(plain), len(squash(column))) >= SHORTEST and _one_off(plain, squash(column)):
            loaded.fault(None, column, N_("the file has no {column}, and has {theirs!r}"),
                         N_("rename it, or map it in params: data.{table}.columns"),
                         {"column": column, "theirs": name, "table": loaded.table})  # fmt: skip


def _one_off(one, other):
    """Whether two names differ in one letter that is other, more, less, or changed places with the next."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    first = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[first:], other[first:]
    return a[1:] == b[1:] or a == b[1:] or a[1:] == b or (a[:2] == b[1::-1] and a[2:] == b[2:])


def unknown_names(loaded, items=()):
    """Find the faults of params that give a column or a constant a name that no such table has.

    Parameters
    ----------
    loaded : Loaded
        Its faults grow.
    items : collection of str
        Columns of answers.
    """
    ours = [*CONTRACTS[loaded.table].columns, *items]
    for key in ("columns", "constants"):
        for name in loaded.spec.get(key, ()):
            if name not in ours:
                remedy, values = near(name, ours)
                loaded.fault(None, name, N_("data.{table}.{key} names {name!r}, which no such table has"), remedy,
                             {**values, "table": loaded.table, "key": key, "name": name})  # fmt: skip
