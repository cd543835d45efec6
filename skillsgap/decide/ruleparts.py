"""Pieces that rules are made of, and the refusals they share: each names the key, the value and the remedy."""

import math
from fractions import Fraction
from numbers import Real

import pandas as pd

from skillsgap.errors import PlanError


def at_most(rule, family, field, where, limit):
    """A sum of at most this; a limit by key is one row each."""
    return {"id": rule, "family": family, "type": "max_sum", "field": field, "where": where, "max": limit}


def at_least(rule, family, field, where, limit):
    """A sum of at least this; a limit by key is one row each."""
    return {"id": rule, "family": family, "type": "min_sum", "field": field, "where": where, "min": limit}


def staff_by(groups, by):
    """Head-count of each agency or stratum."""
    return groups.groupby(by)["size"].sum()


def part_of(share, people):
    """A share of whole people, without binary rounding: 7 % of 100 are 7, not 7.000000000000001."""
    return Fraction(str(share)) * int(people)


def share_of(what, number):
    """A share from 0 to 1, as it was given."""
    return amount(what, number, high=1.0, remedy="give a share from 0 to 1, such as 0.05 for 5 %; none is above 100 %")


def need_columns(groups, columns, what):
    """Refuse staff without a column that a rule reads."""
    for column in columns:
        if column not in groups:
            raise PlanError(f"{what}: staff have no column {column}; fill it in the register, or take it out.")


def amount(what, number, *, low=0.0, high=math.inf, remedy="give a number that is not negative"):
    """A number within its bounds, as it was given."""
    good = isinstance(number, Real) and not isinstance(number, bool) and math.isfinite(number)
    if not (good and low <= number <= high):
        raise PlanError(f"{what} is {number}; {remedy}.")
    return number


def one_of(what, name, known, word):
    """Refuse a name that isn't known, saying which are."""
    known = list(known)
    if name not in known:
        names = [str(some) for some in sorted(known, key=str)]
        said = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise PlanError(f'{what}: "{name}" is no {word}; use one of {said}.')


def known_keys(what, given, known, *, every=False):
    """Refuse anything but a mapping of known keys."""
    if not isinstance(given, dict):
        raise PlanError(f"{what} is {given}; give {', '.join(known)}, each with its value.")
    for key in given:
        one_of(f"{what}: key", key, known, "key")
    missing = [key for key in known if key not in given]
    if every and missing:
        raise PlanError(f"{what} has no {' and no '.join(missing)}; add it.")


def no_doubles(what, names):
    """Refuse a name that stands twice."""
    names = pd.Series(list(names), dtype=object)
    if names.duplicated().any():
        raise PlanError(f"{what} {names[names.duplicated()].iloc[0]} appears twice; keep one.")
