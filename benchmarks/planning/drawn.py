"""A made-up country (synthetic) whose training plan has rules of every kind, and can be met whatever the seed.

A plan is planted first: every agency runs a few courses with full classes. Limits are then drawn tight, and opened
just as far as the planted plan needs.
"""

import numpy as np
import pandas as pd
from planning.limits import rules_around

TIERS = {  # courses of ten, money a seat, hours, gain in levels, staff of ten thousand the planted plan sends there
    "basic": (2, 90, 8, 0.6, 2700),
    "practice": (5, 420, 24, 1.2, 800),
    "oversight": (2, 320, 16, 0.9, 250),
    "champion": (1, 1300, 60, 1.9, 700),
}
N_COMPETENCIES, N_PROVIDERS, AGENCIES_A_HUB = 14, 7, 5
LEVELS = ["junior", "lead", "senior"]


def drawn_plan(n_cohorts=500, n_options=40, seed=0, n_agencies=15):
    """Cohorts, courses and declared rules of a synthetic country, as `Choices` and `build_program` take them.

    Parameters
    ----------
    n_cohorts, n_options, n_agencies : sizes; at least 10 courses, so that each tier has one.
    seed : of everything drawn.

    Returns
    -------
    groups : DataFrame: group_id, agency_id, hub_id, role_id, role_level, profile, need_band, size (people), sex=female
        (share of women).
    options, steps : DataFrames; an option is one course.
    column_group, column_option : (n_columns,) a cohort and a course it may take.
    fields : {"value": (n_columns,) weighted levels a seat closes}.
    rules : declared rules; no seed gives a set that cannot be met.
    """
    rng = np.random.default_rng(seed)
    groups = _groups(rng, n_cohorts, n_agencies)
    options, steps, gains = _courses(rng, n_options)
    value, need = _worth(rng, groups, gains)
    allowed = _allowed(rng, groups, steps)
    planted = _planted(rng, groups, steps, allowed)
    allowed |= planted > 0
    rules = rules_around(rng, groups, steps, np.where(allowed, value, 0), need, planted)
    column_group, column_option = np.nonzero(allowed)
    return groups, options, steps, column_group, column_option, {"value": value[allowed]}, rules


def _names(prefix, numbers, width=2):
    return [f"{prefix}{number + 1:0{width}d}" for number in numbers]


def _groups(rng, n, n_agencies):
    """Cohorts: every agency has some, of its own roles; small kinds of staff are many, large ones few."""
    agency = np.sort(np.r_[np.arange(n_agencies), rng.integers(0, n_agencies, n - n_agencies)])
    kinds = [8 if n <= 1000 else 12, len(LEVELS), 4, 3]
    kind = np.concatenate([rng.choice(np.prod(kinds), size, replace=False) for size in np.bincount(agency)])
    role, level, profile, band = np.unravel_index(kind, kinds)
    women = np.clip(0.25 + 0.5 * role / kinds[0] + rng.normal(0, 0.1, n), 0.02, 0.98)
    return pd.DataFrame({
        "group_id": _names("c", range(n), 5), "agency_id": _names("a", agency), "role_id": _names("r", role),
        "role_level": np.array(LEVELS)[level], "profile": _names("p", profile, 1), "need_band": band.astype(str),
        "hub_id": _names("h", agency // AGENCIES_A_HUB), "sex=female": women,
        "size": np.ceil(rng.lognormal(np.log(60), 0.9, n) / (1 + 0.7 * level)).astype(int)})  # fmt: skip


def _courses(rng, n):
    """Courses, their one step each, and the levels (n, n_competencies) a seat adds; dearer courses add more."""
    size = np.array([share[0] for share in TIERS.values()]) / 10
    tier = np.repeat(np.arange(len(TIERS)), np.diff(np.r_[0, np.rint(np.cumsum(size) * n).astype(int)]))
    _, money, hours, gain, _ = np.array(list(TIERS.values())).T[:, tier]
    quality = rng.lognormal(0, 0.3, n)
    reach = rng.random((n, N_COMPETENCIES)).argsort(axis=1).argsort(axis=1) < rng.integers(2, 6, n)[:, None]
    gains = reach * np.clip(gain * quality**0.6, 0.2, 3)[:, None] * rng.uniform(0.6, 1.2, reach.shape)
    ids = _names("k", range(n))
    online = rng.random(n) < 0.45
    steps = pd.DataFrame({
        "option": np.arange(n), "course_id": ids, "provider": _names("v", rng.permutation(n) % N_PROVIDERS, 1),
        "tier": np.array(list(TIERS))[tier], "mode": np.where(online, "online", "classroom"),
        "cost": np.rint(money * quality * rng.lognormal(0, 0.15, n) * np.where(online, 0.7, 1)),
        "hours": np.rint(hours * rng.uniform(0.7, 1.3, n)), "seats": 1, "period": 0, "refresher": False})  # fmt: skip
    options = steps.assign(option_id=ids, kind="train", needs=np.where(online, "device_access=yes", ""))
    return options[["option_id", "kind", "tier", "period", "cost", "hours", "needs"]], steps, gains


def _worth(rng, groups, gains):
    """Weighted levels a seat closes, (n_cohorts, n_options), and needs a head, over three shortfalls a competency."""
    kind = groups.groupby(["role_id", "role_level", "profile", "need_band"], sort=True).ngroup().to_numpy()
    first = np.unique(kind, return_index=True)[1]
    weights = rng.gamma(1.5, size=(12, N_COMPETENCIES))
    weights /= weights.sum(axis=1, keepdims=True)
    weights = weights[pd.factorize(groups["role_id"], sort=True)[0][first]]
    band = groups["need_band"].astype(int).to_numpy()[first]
    mean = np.clip(0.3 + 0.6 * band[:, None] + rng.normal(0, 0.5, (len(first), N_COMPETENCIES)), 0, 3.5)
    shortfall = np.stack([np.clip(mean * spread, 0, 4) for spread in (0.4, 1.0, 1.6)])  # a third of the kind each
    closed = np.minimum(shortfall[..., None, :], gains).mean(axis=0)
    worth = (closed * weights[:, None, :]).sum(axis=2) * N_COMPETENCIES
    return worth[kind], (shortfall.mean(axis=0) * weights).sum(axis=1)[kind] * N_COMPETENCIES


def _allowed(rng, groups, steps):
    """Who may take which course: by role and level; champions come from half of the roles and levels."""
    kind = groups.groupby(["role_id", "role_level"], sort=True).ngroup().to_numpy()
    chance = steps["tier"].map({"basic": 0.95, "practice": 0.77, "oversight": 0.77, "champion": 0.5}).to_numpy()
    return (rng.random((kind.max() + 1, len(steps))) < chance)[kind]


def _planted(rng, groups, steps, allowed):
    """Seats (n_cohorts, n_options) of a plan in which every agency fills a few courses of each tier."""
    seats = np.zeros(allowed.shape, dtype=int)
    left = groups["size"].to_numpy().copy()
    tiers = steps["tier"].to_numpy()
    for _, rows in groups.groupby("agency_id", sort=True).indices.items():
        staff = groups["size"].to_numpy()[rows].sum()
        for tier in reversed(TIERS):
            wanted = int(np.ceil(TIERS[tier][-1] / 10_000 * staff))
            courses = rng.permutation(np.flatnonzero(tiers == tier))[: 1 if tier == "champion" else 2]
            sizes = np.diff(np.linspace(0, wanted, len(courses) + 1).astype(int))
            for course, size in zip(courses, sizes, strict=True):
                order = rows[np.lexsort((rng.random(len(rows)), ~allowed[rows, course]))]  # those who may come first
                before = np.cumsum(left[order]) - left[order]
                taken = np.clip(size - before, 0, left[order])
                seats[order, course] += taken
                left[order] -= taken
    return seats
