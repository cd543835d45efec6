"""What to do about a name that isn't known: the nearest known one, or all of them."""

import difflib

from skillsgap.wording import N_

SHOWN = 8  # names a message lists


def near(name, known):
    """The remedy for a name that isn't known, and what stands in its places.

    Examples
    --------
    >>> near("agency", ["agency_id", "grade"]), near("zzz", ["a", "b"])
    (('did you mean {near}?', {'near': 'agency_id'}), ('known are {known}', {'known': 'a, b'}))
    """
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return N_("did you mean {near}?"), {"near": close[0]}
    return N_("known are {known}"), {"known": ", ".join(known[:SHOWN]) + ("…" if len(known) > SHOWN else "")}
