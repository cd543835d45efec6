"""Whom the survey invites, and who answers."""

import numpy as np
import pandas as pd

from skillsgap.study.synthetic.spec import apportion
from skillsgap.study.synthetic.staff import as_single, chances_of, sum_effects


def draw_sample(spec, staff, rng):
    """Draw the invited, stratified by agency, and which of them answer.

    Who answers depends on what response_effects name, which the register knows, and as far as
    response_on_skill says on the mean true level, which it does not.

    Parameters
    ----------
    spec : dict
    staff : Staff
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame of shape (n_invited, 4)
        stratum, weight (design weight N_h / n_h), chance of answering, answers; index: row of the register.
    """
    agency = staff.register["agency_id"]
    sizes = agency.value_counts(sort=False)
    invited = pd.Series(_allocate(spec, sizes.to_numpy()), index=sizes.index)
    order = pd.Series(rng.random(len(agency))).groupby(agency, observed=True).rank(method="first")
    rows = np.flatnonzero(order <= agency.map(invited).astype(int))
    stratum = agency.iloc[rows]
    logit = sum_effects(staff.register.iloc[rows], as_single(spec["response_effects"]), ["it"])
    skill = staff.levels.iloc[rows].mean(axis=1).to_numpy()
    logit += spec["response_on_skill"] * (skill - skill.mean())[:, None]
    rate = spec["response_rate"]
    chance = chances_of(np.hstack([0 * logit, logit]), np.array([1 - rate, rate]), what="response_effects")[:, 1]
    weight = stratum.map(sizes / invited).astype(float).round(6)
    return pd.DataFrame({"stratum": stratum.astype(str), "weight": weight, "chance": chance,
                         "answers": rng.random(len(rows)) < chance})  # fmt: skip


def _allocate(spec, sizes):
    """How many of each agency are invited: in proportion to staff ** power, all of those that are too small."""
    invited = np.zeros(len(sizes), int)
    open_ = np.ones(len(sizes), bool)
    while open_.any():
        left = min(spec["n_invited"], spec["n_staff"]) - invited[~open_].sum()
        invited[open_] = apportion(left, sizes[open_] ** float(spec["allocation_power"]), least=1)
        full = open_ & (invited > sizes)
        if not full.any():
            break
        invited[full] = sizes[full]
        open_ &= ~full
    return invited
