"""A register of 10 million staff streamed into cells, projected and split into cohorts: CPU seconds and peak memory.

The staff are made up (synthetic) and drawn as they stream by, so that no machine has to hold them. Before a time is
told, two chunk sizes gave the same cells, and every cell kept its staff in the cohorts. QUICK=1 uses a million.
"""

import os
import resource
import time

import numpy as np
import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.workforce.cells import register_cells
from skillsgap.estimate.workforce.cohorts import KEYS, ROLE, cohort_groups, cohorts
from skillsgap.estimate.workforce.projection import project_staff

STAFF = 1_000_000 if os.environ.get("QUICK") else 10_000_000
SEED, BLOCK = 20260301, 100_000
AGENCIES, ROLES, REGIONS, SAMPLE, ITEMS, REPLICATES, DRAWS = 60, 30, 14, 10_000, 20, 40, 10
CELL = [*KEYS, "sex", "region"]
CENTRES = np.array([0.6, 1.2, 1.9, 2.6, 3.3])  # levels; of the profiles


def codes(prefix, numbers):
    return np.array([f"{prefix}{i:02d}" for i in range(numbers.max() + 1)])[numbers]


def block(number):
    """The same people whatever the chunks: agency, role, role level, grade, sex and region of each."""
    rng = np.random.default_rng([SEED, number])
    agency, role = (rng.integers(0, size, BLOCK) for size in (AGENCIES, ROLES))
    grade = np.minimum(rng.integers(0, 6, BLOCK), rng.integers(0, 6, BLOCK))
    region = np.where(agency % 3 == 0, rng.integers(0, REGIONS, BLOCK), agency % REGIONS)  # a third sit everywhere
    sex = np.where(rng.random(BLOCK) < 0.3 + 0.4 * role / ROLES, "female", "male")
    level = np.array(["staff", "senior", "lead"])[grade // 2]
    return pd.DataFrame({"agency_id": codes("a", agency), "role_id": codes("r", role), "role_level": level,
                         "grade": codes("g", grade), "sex": sex, "region": codes("x", region)})  # fmt: skip


class Stream:
    """Chunks of so many blocks each, and the CPU seconds that drawing them took."""

    def __init__(self, blocks):
        self.blocks, self.seconds = blocks, 0.0

    def __iter__(self):
        for first in range(0, STAFF // BLOCK, self.blocks):
            start = time.process_time()
            chunk = pd.concat([block(i) for i in range(first, min(first + self.blocks, STAFF // BLOCK))])
            self.seconds += time.process_time() - start
            yield chunk


def survey(rng):
    """Respondents with what the register knows of them, answers in five categories, and draws of their levels."""
    people = block(0).iloc[:SAMPLE].assign(weight=STAFF / SAMPLE).rename_axis("row_key")
    profile = rng.integers(0, len(CENTRES), SAMPLE)
    level = np.clip(CENTRES[profile][:, None] + rng.normal(0, 0.5, (SAMPLE, ITEMS)), 0, 4)
    answers = pd.DataFrame(np.rint(np.clip(level + rng.normal(0, 0.4, level.shape), 0, 4)), people.index)
    answers = answers.mask(rng.random(level.shape) < 0.1).set_axis([f"c{i:02d}" for i in range(ITEMS)], axis=1)
    draws = [pd.DataFrame(np.clip(level + rng.normal(0, 0.2, level.shape), 0, 4), people.index, answers.columns)
             for _ in range(DRAWS)]  # fmt: skip
    return people, answers, draws


def requirements(cells, names):
    """Between 1 and 3 levels of every competency in every role."""
    table = cells[ROLE].drop_duplicates().merge(pd.DataFrame({"competency_id": names}), how="cross")
    rank = table.groupby(ROLE, sort=False).ngroup() + table.groupby(ROLE).cumcount()
    return table.assign(required_level=1.0 + rank % 5 / 2, importance=1.0 + rank % 3)


def counted(blocks):
    """Cells of the whole staff, and the CPU seconds that counting took beside drawing."""
    stream, start = Stream(blocks), time.process_time()
    return register_cells(stream, CELL), time.process_time() - start - stream.seconds


def told(what, seconds):
    """CPU seconds, and the most memory held up to now."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{what}: {seconds:.1f} CPU s, peak {peak:.2f} GB so far", flush=True)


def timed(compute):
    start = time.process_time()
    result = compute()
    return result, time.process_time() - start


def main():
    (cells, seconds), (coarse, _) = counted(2), counted(7)
    pd.testing.assert_frame_equal(cells, coarse)
    print(f"{STAFF} staff (synthetic), {len(cells)} cells by {', '.join(CELL)}; equal for chunks of {2 * BLOCK} and "
          f"{7 * BLOCK} people")  # fmt: skip
    told("register_cells", seconds)
    people, answers, draws = survey(np.random.default_rng([SEED, 10**6]))
    design = survey_design(people, n_replicates=REPLICATES, random_state=SEED)
    fit = CompetencyProfiles(len(CENTRES), n_starts=10).fit(answers, sample_weight=design.weights)
    replicates, seconds = timed(lambda: profile_replicates(fit, answers, design))
    told(f"profile_replicates: {REPLICATES} replicates of the profiles on {SAMPLE} respondents", seconds)
    projection, seconds = timed(lambda: project_staff(
        fit, answers, people, cells, design, replicates=replicates, terms=["agency_id", *ROLE, "grade", "sex"]))
    told(f"project_staff with {REPLICATES} replicates", seconds)
    needed, members = requirements(cells, answers.columns), fit.predict_proba(answers)
    (table, _), seconds = timed(lambda: cohorts(projection, draws, needed, members, design.weights, roles=people))
    groups, more = timed(lambda: cohort_groups(table, projection.cells, ["sex", "region"]))
    staff = cells.groupby(KEYS)["headcount"].sum()
    pd.testing.assert_series_equal(table.groupby(KEYS)["headcount"].sum(), staff)
    told(f"cohorts: {len(table)}, every one of {len(staff)} cells with its staff", seconds)
    told(f"cohort_groups: {len(groups)} shares by sex and region", more)


if __name__ == "__main__":
    main()
