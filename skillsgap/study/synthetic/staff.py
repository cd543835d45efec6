"""Everybody who works in a fictional country: register, profile, true levels, and who leaves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, softmax

from skillsgap.contracts import GROUPS
from skillsgap.errors import SkillsgapError
from skillsgap.study.synthetic.faults import AGE_BANDS, SEXES

CELL = ["agency_id", "admin_level", "region", "role_id", "role_level", "isco08", "grade", "sex", "age_band"]
AGE_RANGE = (21, 64)  # years, school leaving to pension
AGE_SD = 8.5  # years within a grade: makes the bands of neighbouring grades overlap
MASTER_RATE = 0.4  # share of those with higher education who went on
CLIMATE_SD = 0.4  # points of the five of a climate item, between agencies
TOP_LEVEL = 4
CLOSE = 1e-9  # to which the mean chance meets the share that was planted


@dataclass(frozen=True)
class Staff:
    """All staff of a country and what nobody is told about them.

    Attributes
    ----------
    register : DataFrame of shape (n_staff, n_columns)
        Codes as categories; row i has staff_id i + 1.
    profile : Series of shape (n_staff,)
        Name of each person's profile, as category.
    levels : DataFrame of shape (n_staff, n_competencies)
        True levels, 0..4.
    expected : Series
        Mean level of each competency that chance was to give round the planted centres.
    areas : DataFrame of shape (n_agencies, n_groups + 1)
        Levels every competency of a group is higher in the agency, and `climate` in points.
    """

    register: pd.DataFrame
    profile: pd.Series
    levels: pd.DataFrame
    expected: pd.Series
    areas: pd.DataFrame


def draw(rng, chances):
    """One code per row of a table of chances (n, k)."""
    cumulated = np.cumsum(chances, axis=1)
    # rounding may leave the last sum a hair under 1; a draw above it belongs to the last code
    return np.minimum((rng.random((len(chances), 1)) > cumulated).sum(axis=1), chances.shape[1] - 1)


def chances_of(logits, shares, *, counts=None, what):
    """Class chances from logits, with intercepts such that their mean over people equals `shares`.

    Parameters
    ----------
    logits : array of shape (n, k)
    shares : array of shape (k,)
    counts : array of shape (n,), optional
        People a row stands for; one by default.
    what : str
        Key of the spec, for the message.

    Raises
    ------
    SkillsgapError
        When the effects are so strong that no intercept gives the shares.
    """
    intercept = np.log(shares)
    for _ in range(1000):
        chances = softmax(logits + intercept, axis=1)
        mean = np.average(chances, axis=0, weights=counts)
        if np.abs(mean - shares).max() < CLOSE:
            return chances
        intercept = intercept + np.log(shares / mean)
    raise SkillsgapError(f"spec: {what} are so strong that the planted shares can't hold: weaken them")


def sum_effects(people, effects, columns):
    """For each row the sum of effects[field][its value][column]: array (n, len(columns)); fields are categories."""
    total = np.zeros((len(people), len(columns)))
    for name, by_value in effects.items():
        field = people[name].cat
        table = pd.DataFrame.from_dict(by_value, orient="index")
        total += table.reindex(index=field.categories, columns=columns).fillna(0.0).to_numpy(float)[field.codes]
    return total


def by_key(keys):
    """Place of each key in their order: what is drawn by it doesn't depend on the order of the rows."""
    return np.argsort(np.argsort(np.asarray(keys, str), kind="stable"))


def as_single(effects):
    """Effects on one thing in the form that `sum_effects` takes."""
    return {field: {value: {"it": effect} for value, effect in by.items()} for field, by in effects.items()}


def draw_register(spec, rng):
    """Draw all staff with what a register knows about them.

    Parameters
    ----------
    spec : dict
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame of shape (n_staff, n_columns)
        Codes as categories, in an order that means nothing.
    """
    n, agencies = spec["n_staff"], pd.DataFrame(spec["agencies"])
    roles, grades, regions = (pd.DataFrame.from_dict(spec[key], orient="index")
                              for key in ("roles", "grades", "regions"))  # fmt: skip
    agency = rng.permutation(np.repeat(np.arange(len(agencies)), agencies["staff"]))
    multiples = pd.DataFrame(agencies["roles"].tolist(), columns=roles.index).fillna(1.0).to_numpy(float)
    mix = multiples * roles["share"].to_numpy()
    role = draw(rng, (mix / mix.sum(axis=1, keepdims=True))[agency])
    grade, spread = (_shared(rng, table["share"], n) for table in (grades, regions))
    seat = regions.index.get_indexer(agencies["region"])[agency]  # -1: all over the country
    region = np.where(seat < 0, spread, seat)
    age = np.clip(rng.normal(grades["age_mean"].to_numpy()[grade], AGE_SD), *AGE_RANGE)
    second = regions.reindex(columns=["second_language"]).fillna(0.0).to_numpy()[region, 0]
    level = agencies["admin_level"].map(spec["device_access"]).to_numpy()[agency]
    higher, device = rng.random(n) < grades["higher_education"].to_numpy()[grade], rng.random(n) < level
    return pd.DataFrame({
        "agency_id": _coded(agency, agencies["agency_id"]),
        "admin_level": _coded(agency, agencies["admin_level"]),
        "region": _coded(region, regions.index),
        "role_id": _coded(role, roles.index),
        "role_level": _coded(grade, grades["role_level"]),
        "isco08": _coded(role, roles["isco08"]),
        "grade": _coded(grade, grades.index),
        "sex": _coded((rng.random(n) >= roles["female"].to_numpy()[role]).astype(int), SEXES),
        "age_band": _coded(np.searchsorted(list(AGE_BANDS.values()), age, side="right"), list(AGE_BANDS)),
        "language": _coded((rng.random(n) < second).astype(int), spec["languages"]),
        "tenure_years": np.floor((age - AGE_RANGE[0]) * rng.random(n)).astype(int),
        "education": _coded(higher * (1 + (rng.random(n) < MASTER_RATE)), ("secondary", "bachelor", "master")),
        "device_access": _coded(device.astype(int), ("no", "yes")),
    })  # fmt: skip


def _shared(rng, shares, n):
    return np.minimum(np.searchsorted(np.cumsum(shares.to_numpy()), rng.random(n), side="right"), len(shares) - 1)


def _coded(codes, names):
    """Categories from codes; names that several codes share become one category."""
    number, unique = pd.factorize(pd.Index(names).astype(str))
    return pd.Categorical.from_codes(number[codes], unique)


def draw_areas(spec, rng):
    """Draw what distinguishes agencies: levels by competency group, and the climate.

    Parameters
    ----------
    spec : dict
        area_effects: sd (levels) and shape; skewed is an exponential less its mean, skewness 2.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame of shape (n_agencies, n_groups + 1)
    """
    names = pd.Index([agency["agency_id"] for agency in spec["agencies"]], name="agency_id")
    shape, size = spec["area_effects"]["shape"], (len(names), len(GROUPS))
    # as many draws whatever the shape, so that what is drawn after them stays
    normal, skewed = rng.standard_normal(size), rng.exponential(size=size) - 1
    effects = spec["area_effects"]["sd"] * (skewed if shape == "skewed" else normal)
    areas = pd.DataFrame(effects, index=names, columns=list(GROUPS))
    return areas.assign(climate=rng.normal(0, CLIMATE_SD, len(names)))


def draw_staff(spec, competencies, rng, area_rng, level_rng):
    """Draw register, profiles and true levels.

    A person's profile is multinomial given what profile_effects name; the true level of a competency is
    normal round the profile's mean with the effects of role and agency, independently within the profile.

    Parameters
    ----------
    spec : dict
    competencies : DataFrame
        competency_id, group.
    rng, area_rng, level_rng : numpy.random.Generator

    Returns
    -------
    Staff
    """
    register, areas = draw_register(spec, rng), draw_areas(spec, area_rng)
    profile = _draw_profiles(spec, register, level_rng)
    means = pd.DataFrame([entry["levels"] for entry in spec["profiles"].values()])[list(GROUPS)].to_numpy(float)
    by_group = means[profile.cat.codes] + sum_effects(register, spec["level_effects"], list(GROUPS))
    by_group += areas[list(GROUPS)].to_numpy()[register["agency_id"].cat.codes]
    names, sd = competencies["competency_id"].tolist(), spec["level_sd"]
    levels, expected = np.empty((len(register), len(names)), order="F"), {}
    groups = competencies["group"].tolist()
    # a competency at a time, so that few columns of a large register are held; by id, so that rows may be sorted
    for number in np.argsort(names):
        name, group = names[number], groups[number]
        centre = by_group[:, GROUPS.index(group)] + spec["competency_offset"].get(name, 0.0)
        levels[:, number] = np.clip(centre + sd * level_rng.standard_normal(len(register)), 0, TOP_LEVEL)
        expected[name] = censored_mean(centre, sd).mean()
    return Staff(register, profile, pd.DataFrame(levels, columns=names, copy=False), pd.Series(expected), areas)


def censored_mean(centre, sd):
    """Mean of a normal cut off at 0 and TOP_LEVEL.

    Examples
    --------
    >>> censored_mean(np.array([2.0, 0.0]), 1.0).round(4).tolist()  # 0.3989: half of a normal's mean deviation
    [2.0, 0.3989]
    """
    if sd == 0:
        return np.clip(centre, 0, TOP_LEVEL)
    low, high = -centre / sd, (TOP_LEVEL - centre) / sd
    density = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / np.sqrt(2 * np.pi)
    inside = ndtr(high) - ndtr(low)
    return centre * inside + sd * density + TOP_LEVEL * (1 - ndtr(high))


def _draw_profiles(spec, register, rng):
    """Each person's profile; chances are worked out once for people who are alike in all that matters."""
    fields = list(spec["profile_effects"]) or ["agency_id"]
    alike = register.groupby(fields, observed=True, sort=True)
    kind, counts = alike.ngroup().to_numpy(), alike.size()
    first = pd.Series(np.arange(len(register))).groupby(kind).first()
    logits = sum_effects(register.iloc[first], spec["profile_effects"], list(spec["profiles"]))
    shares = np.array([entry["share"] for entry in spec["profiles"].values()])
    chances = chances_of(logits, shares, counts=counts.to_numpy(), what="profile_effects")
    return pd.Series(pd.Categorical.from_codes(draw(rng, chances[kind]), list(spec["profiles"])))


def draw_exits(spec, staff, rng):
    """Draw who leaves within a year of the survey, and when.

    Parameters
    ----------
    spec : dict
        exits: rate a year, and logits by register column or profile.
    staff : Staff
    rng : numpy.random.Generator

    Returns
    -------
    Series of shape (n_staff,)
        Date of leaving, NaT of those who stay.
    """
    people = staff.register.assign(profile=staff.profile)
    logit = sum_effects(people, as_single({f: by for f, by in spec["exits"].items() if f != "rate"}), ["it"])
    rate = spec["exits"]["rate"]
    chance = chances_of(np.hstack([0 * logit, logit]), np.array([1 - rate, rate]), what="exits")[:, 1]
    leaves, day = rng.random(len(people)) < chance, rng.integers(1, 366, len(people))
    dates = pd.to_datetime(spec["survey_dates"][1]) + pd.to_timedelta(day, unit="D")
    return pd.Series(dates).where(leaves)
