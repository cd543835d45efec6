"""What happened around the survey: courses taken before it, and a pilot with a planted effect."""

import numpy as np
import pandas as pd

from skillsgap.study.synthetic.answering import staff_ids
from skillsgap.study.synthetic.catalogue import eligible
from skillsgap.study.synthetic.staff import by_key

DROPOUT_RATE = 0.15  # of those who could have completed
TEST_NOISE = 0.3  # levels, at most, by which a test before or after a course may err
DAYS_BACK = 730  # two years before the survey
HOURS_A_DAY = 4  # of a course
PILOT_LEVEL = 2.0  # of an untreated group in the first wave


def planted_gains(spec, effects):
    """What a completed course adds: mean over its competencies, by course.

    Parameters
    ----------
    spec : dict
        training.effect multiplies the gains.
    effects : DataFrame
        course_id, competency_id, gain.

    Returns
    -------
    Series
        Levels, by course_id.
    """
    return spec["training"]["effect"] * effects.groupby("course_id")["gain"].mean()


def draw_training(spec, tables, staff, rng):
    """Draw the courses that staff took in the two years before the survey, one a person.

    The levels of the survey are those after training: a completed course ends at the person's level, and
    began lower by its planted gain. Those for whom it would have begun below 0 dropped out, and some others
    did. Tests before and after err by at most TEST_NOISE, evenly to both sides and never past 0 or 4, so
    that nothing is cut off and the mean gain is the planted one.

    Parameters
    ----------
    spec : dict
    tables : dict of str to DataFrame
        courses, course_effects.
    staff : Staff
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        staff_id, course_id, start, end, completed, pre, post.
    """
    courses, effects, n = tables["courses"], tables["course_effects"], len(staff.register)
    effects = effects[effects["competency_id"].isin(staff.levels.columns)]
    gains = planted_gains(spec, effects).reindex(courses["course_id"])
    may = eligible(courses, staff.register) & gains.notna().to_numpy()
    takes = rng.random(n) < spec["training"]["rate"]
    wish = rng.random(may.shape, dtype=np.float32)[:, by_key(courses["course_id"])]
    course = np.where(may, wish, -1).argmax(axis=1)
    drops, before, noise = rng.random(n) < DROPOUT_RATE, rng.random(n), rng.uniform(-1, 1, (n, 2))
    rows = np.flatnonzero(takes & may.any(axis=1))
    course, gain = course[rows], gains.to_numpy()[course[rows]]
    post = _course_levels(staff.levels, effects, courses["course_id"])[rows, course]
    completed = (post >= gain) & ~drops[rows]
    pre = np.where(completed, post - gain, post)
    tests = np.column_stack([pre, post])
    tests += noise[rows] * np.minimum(TEST_NOISE, np.minimum(tests, 4 - tests))
    length = np.ceil(courses["hours"].to_numpy()[course] / HOURS_A_DAY).astype(int)
    ends = pd.to_datetime(spec["survey_dates"][0]) - pd.to_timedelta(
        1 + np.floor(before[rows] * (DAYS_BACK - length)).astype(int), unit="D"
    )
    starts = ends - pd.to_timedelta(length, unit="D")
    return pd.DataFrame({
        "staff_id": staff_ids(n)[rows],
        "course_id": courses["course_id"].to_numpy()[course],
        "start": starts.strftime("%Y-%m-%d"),
        "end": np.where(completed, ends.strftime("%Y-%m-%d"), ""),
        "completed": np.where(completed, "yes", "no"),
        "pre": tests[:, 0].round(2),
        "post": tests[:, 1].round(2),
    })  # fmt: skip


def _course_levels(levels, effects, courses):
    """Each person's mean level over the competencies of each course: array (n_staff, n_courses)."""
    taught = pd.crosstab(effects["course_id"], effects["competency_id"]).reindex(courses).fillna(0.0)
    taught = taught.div(taught.sum(axis=1).clip(lower=1), axis=0)
    return levels[taught.columns].to_numpy() @ taught.to_numpy().T


def draw_pilot(spec, rng):
    """Draw a pilot: mean outcomes of groups over waves, half of the groups treated from some wave on.

    Parameters
    ----------
    spec : dict
        pilot: groups, people (in each), waves, treated_from, effect, group_sd, wave_trend, sd (of a person).
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame of shape (n_groups * n_waves, 5)
        group, wave, treated, outcome (levels), n.
    """
    pilot = spec["pilot"]
    groups, waves = pilot["groups"], pilot["waves"]
    chosen = rng.permutation(groups) < groups // 2
    later = np.arange(len(waves)) >= waves.index(pilot["treated_from"])
    treated = chosen[:, None] & later
    base = PILOT_LEVEL + rng.normal(0, pilot["group_sd"], (groups, 1)) + pilot["wave_trend"] * np.arange(len(waves))
    noise = rng.normal(0, pilot["sd"] / np.sqrt(pilot["people"]), treated.shape)
    outcome = base + pilot["effect"] * treated + noise
    return pd.DataFrame({
        "group": np.repeat([f"P{number:02d}" for number in range(1, groups + 1)], len(waves)),
        "wave": np.tile(waves, groups),
        "treated": np.where(treated, "yes", "no").ravel(),
        "outcome": outcome.ravel().round(4),
        "n": pilot["people"],
    })  # fmt: skip
