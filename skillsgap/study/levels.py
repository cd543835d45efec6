"""What each level of quality means, and a row of the quality table.

The dimensions are those of DAMA UK (2013), with coverage (a part of accuracy in the European Statistical System's
quality framework) in place of accuracy, which needs a second measurement. The cut points are conventions of
ours; two are borrowed from the US OMB's Standards and Guidelines for Statistical Surveys (2006, 3.2.9 and 3.2.10),
which ask for a study of nonresponse bias below 80 % of units and below 70 % of an item's answers.
"""

import json

from skillsgap.wording import N_

DEFINITIONS = {
    "completeness": (
        N_("fewer than 50% of the values are there"),
        N_("50% to under 70% are there"),
        N_("70% to under 85% are there"),
        N_("85% to under 95% are there"),
        N_("at least 95% are there; a question that was rightly skipped counts as answered"),
    ),
    "validity": (
        N_("more than 20% of the values had to be put right, or have no place in a crosswalk"),
        N_("more than 5%, up to 20%"),
        N_("more than 1%, up to 5%"),
        N_("up to 1%, or an oddity of the whole file, or nobody has declared the codes"),
        N_("every value is a known code or a number within its range, and nothing was put right"),
    ),
    "consistency": (
        N_("fewer than 70% of what it refers to, or should speak of, is there"),
        N_("70% to under 90%"),
        N_("90% to under 98%"),
        N_("98% or more, or the same code was written in several ways"),
        N_("all of it is there, and each code is written in one way"),
    ),
    "uniqueness": (
        N_("more than 20% of the rows look like another one"),
        N_("more than 5%, up to 20%"),
        N_("more than 1%, up to 5%; or no key tells rows apart"),
        N_("a key tells rows apart; up to 1% look like another one"),
        N_("a key tells rows apart, and none looks like another one"),
    ),
    "timeliness": (
        N_("more than five years from the year the report speaks of"),
        N_("three to five years, or no date is declared"),
        N_("two years"),
        N_("one year"),
        N_("the same year"),
    ),
    "coverage": (
        N_("nobody answered"),
        N_("fewer answered than may be printed (10), or there is no register to hold the answers against"),
        N_("fewer than 30 answered: they may be printed, and carry no headline"),
        N_("at least 30 answered"),
        N_("at least 80% of staff answered; a whole unit has the level that agencies with 80% of its staff reach"),
    ),
}
# share that is right: levels 1, 2, 3 and 4 begin here, as DEFINITIONS says
CUTS = {
    "completeness": (0.50, 0.70, 0.85, 0.95),
    "validity": (0.80, 0.95, 0.99, 1.0),
    "consistency": (0.70, 0.90, 0.98, 1.0),
    "uniqueness": (0.80, 0.95, 0.99, 1.0),
}
COLUMNS = ["table", "dimension", "part", "level", "measure", "reason", "values"]


def row(table, dimension, level, measure, reason, values=None, part=""):
    """A row of the quality table; values are plain, as those of problems."""
    plain = {name: value if isinstance(value, (str, float)) else int(value) for name, value in (values or {}).items()}
    said = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return (table, dimension, part, int(level), round(float(measure), 4), reason, said)


def level_of(dimension, share):
    """The level that a share which is right reaches.

    Examples
    --------
    >>> [level_of("completeness", share) for share in (0.4, 0.5, 0.84, 0.95)]
    [0, 1, 2, 4]
    """
    return sum(share >= cut - 1e-12 for cut in CUTS[dimension])


def percent(share):
    """A share as whole per cent; what lacks anything is never 100.

    Examples
    --------
    >>> percent(0.9999), percent(1.0), percent(0.126)
    (99, 100, 13)
    """
    return 100 if share >= 1 else min(round(100 * float(share)), 99)
