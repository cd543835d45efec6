"""How often 95 % intervals hold the truth over simulated surveys of fixed synthetic populations, and how long they are.

Run by ``make verify``; QUICK=1 simulates 100 surveys of each kind instead of 1,000. All is drawn from fixed seeds.
Response depends on what the register knows (agency, grade, sex, age), on which skill depends too; in the last two kinds
also on skill itself, or skill is measured with error. "Not calibrated" has the weights of the invitation; "calibrated"
has weights that make up for response within strata (or sampled agencies), raked to the register's margins; "wide
margins" leaves out those of each agency by seniority, which figures of one agency need; "cells" takes response for a
draw within response cells instead of strata, which errors need where response is uneven within strata and most of a
population was invited. Errors after ± are Monte Carlo. The exit code is 1 where a goal is missed by more than three of
them.
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from functools import cached_property

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import optimize, special  # noqa: E402

from skillsgap.estimate.measures.scoring import plausible_levels  # noqa: E402
from skillsgap.estimate.survey.design import survey_design  # noqa: E402
from skillsgap.estimate.survey.estimates import survey_difference  # noqa: E402
from skillsgap.estimate.survey.margins import register_margins  # noqa: E402
from skillsgap.estimate.survey.means import design_means  # noqa: E402
from skillsgap.estimate.survey.response import adjust_response, response_cells, tipping_interval  # noqa: E402
from skillsgap.estimate.survey.weighting import calibrate  # noqa: E402

SEED = 20260305
SURVEYS = 100 if os.environ.get("QUICK") else 1000
REPLICATES = 100
RESPONSE = 0.65
REQUIRED, MARGIN = 2.5, 0.5  # below requirement means level < required - margin
RELIABILITY = 0.75
ASSUMED = (0.5, 1.0, 1.5)  # differences of non-respondents, as multiples of the true one
GOAL, TIPPING_GOAL = (0.93, 0.97), (0.90, 1.0)
MARGINS = [["unit", "senior"], ["grade", "sex"], "age"]
WIDE = ["unit", *MARGINS[1:]]
WHOLE, ONE, BELOW, APART = "mean level", "mean of one agency", "share below", "women less men"
FIRST = "A00"  # the one agency
LIMITS = ["estimate", "ci_low", "ci_high"]


@dataclass(frozen=True)
class Survey:
    """A population, and how it is asked.

    Parameters
    ----------
    name, about : str
    people : DataFrame
        A row a person: unit (stratum), agency, grade, senior, sex, age, level, below, chance (of answering when
        invited), and agencies (in the unit), drawn (of them), staff (in the agency), asked (of them), weight (of the
        invitation).
    stages : list
        As `survey_design` takes them.
    """

    name: str
    about: str
    people: pd.DataFrame
    stages: list

    @cached_property
    def truth(self):
        """What is to be estimated, of everybody."""
        people = self.people
        by_sex = people.groupby("sex")["level"].mean()
        return pd.Series({WHOLE: people["level"].mean(), ONE: people["level"][people["agency"] == FIRST].mean(),
                          BELOW: people["below"].mean(), APART: by_sex["f"] - by_sex["m"]})  # fmt: skip

    def draw(self, rng):
        """The invited of one survey, and whether they answered."""
        codes = pd.factorize(self.people["agency"])[0]
        agencies = self.people.drop_duplicates("agency")
        picked = places(pd.factorize(agencies["unit"])[0], rng) < agencies["drawn"].to_numpy()
        rows = picked[codes] & (places(codes, rng) < self.people["asked"].to_numpy())
        invited = self.people[rows]
        return invited, rng.random(len(invited)) < invited["chance"].to_numpy()

    def design(self, rows, method, seed, weight=None):
        """Where errors come from: with a weight that of the invitation, without one the shares that answered."""
        return survey_design(rows, weight=weight, stratum="unit", stages=self.stages, method=method,
                             n_replicates=REPLICATES, random_state=seed)  # fmt: skip

    @cached_property
    def margins(self):
        """Head-counts of the register, by name of the calibration."""
        register = self.people.assign(headcount=1)
        return {name: register_margins(register, by) for name, by in (("calibrated", MARGINS), ("wide margins", WIDE))}

    def calibrated(self, rows, seed):
        """The respondents' designs with weights that meet the register's margins, by way to errors."""
        design = calibrate(self.design(rows, "bootstrap", seed), rows, self.margins["calibrated"])
        bare = {"replicate_weights": np.empty((len(rows), 0)), "scales": np.empty(0), "method": "linearization"}
        return {"bootstrap": design, "linearization": replace(design, **bare)}  # the same weights


def places(codes, rng):
    """Place of everybody in a random order of those with the same code."""
    order = np.lexsort((rng.random(len(codes)), codes))
    first = np.searchsorted(codes[order], codes[order])
    ranks = np.empty(len(codes), dtype=int)
    ranks[order] = np.arange(len(codes)) - first
    return ranks


def population(agencies, number, *, skill=0.0):
    """Everybody of these agencies (unit, agencies, drawn, staff, asked a row each), and their chance of answering.

    Skill and response both rise with grade and fall with age, differ by sex among grades, and go together by agency;
    `skill` is how much the log odds of answering rise with a standard deviation of skill itself.
    """
    rng = np.random.default_rng([SEED, number])
    named = agencies.assign(agency=[f"A{i:02d}" for i in range(len(agencies))], good=rng.normal(0, 0.25, len(agencies)))
    people = named.loc[named.index.repeat(named["staff"])].reset_index(drop=True)
    n = len(people)
    grade, age, woman = rng.binomial(3, 0.4, n), rng.integers(0, 3, n), rng.random(n) < 0.55
    level = 1.5 + people["good"] + 0.4 * grade - 0.2 * age + 0.3 * woman * (grade > 1) + rng.normal(0, 0.7, n)
    level = level.clip(0, 4)
    odds = 1.5 * people["good"] + 0.6 * grade - 0.4 * age - 0.6 * woman + 1.2 * woman * (grade > 1)
    odds += skill * (level - level.mean()) / level.std()
    shift = optimize.brentq(lambda to: special.expit(odds + to).mean() - RESPONSE, -9, 9)
    weight = people["agencies"] / people["drawn"] * people["staff"] / people["asked"]
    return people.assign(grade=grade, senior=grade > 1, age=age, sex=np.where(woman, "f", "m"), level=level,
                         below=(level < REQUIRED - MARGIN).astype(float), weight=weight,
                         chance=special.expit(odds + shift))  # fmt: skip


def surveys():
    """The kinds of survey that are simulated."""
    sizes = np.array([800, *np.linspace(300, 1700, 9).astype(int)])
    single = pd.DataFrame({"unit": [f"A{i:02d}" for i in range(10)], "agencies": 1, "drawn": 1, "staff": sizes})
    stratified, within = single.assign(asked=150), [(None, "staff")]
    large = pd.DataFrame({"unit": [f"large {i}" for i in range(3)], "agencies": 1, "drawn": 1, "staff": 1500,
                          "asked": 150})  # fmt: skip
    small = pd.DataFrame({"unit": [f"ministry {i // 20}" for i in range(160)], "agencies": 20, "drawn": 6,
                          "staff": 50 + np.arange(160) * 37 % 90, "asked": 24})  # fmt: skip
    census = single.iloc[:5].assign(staff=[300, 150, 250, 350, 450])
    return [
        Survey("stratified", "10 agencies are strata, 150 staff of each invited, 65 % answer",
               population(stratified, 1), within),
        Survey("two-stage", "3 large agencies, and 6 of 20 agencies in each of 8 ministries; staff within; 65 % answer",
               population(pd.concat([large, small], ignore_index=True), 2), [("agency", "agencies"), (None, "staff")]),
        Survey("census", "all 1,500 staff of 5 agencies invited, 65 % answer",
               population(census.assign(asked=census["staff"]), 3), within),
        Survey("on skill", "as stratified, and who has more skill answers more: calibration can't make up for it",
               population(stratified, 4, skill=0.5), within),
    ]  # fmt: skip


def estimates(rows, design):
    """The four figures with their intervals."""
    one = rows["level"].where(rows["agency"] == FIRST)
    frame = pd.DataFrame({WHOLE: rows["level"], ONE: one, BELOW: rows["below"]})
    table = design_means(frame, design, shares=[BELOW]).set_index("variable")[LIMITS]
    apart = survey_difference(rows["level"], design, by=rows["sex"], between=("m", "f"))[LIMITS]
    return pd.concat([table, apart.set_axis([APART])])


def by_estimator(survey, number):
    """Figures of one survey: a table for each estimator and way to errors."""
    invited, answered = survey.draw(np.random.default_rng([SEED, number, 1]))
    rows = invited[answered]
    told = {("not calibrated", "linearization"): survey.design(rows, "linearization", number, "weight")}
    if survey.name == "stratified":
        design = survey.design(rows, "linearization", number)
        told["wide margins", "linearization"] = calibrate(design, rows, survey.margins["wide margins"])
    told |= {("calibrated", method): design for method, design in survey.calibrated(rows, number).items()}
    if survey.name == "census":
        told |= {("cells, calibrated", method): calibrate(design, rows, survey.margins["calibrated"])
                 for method, design in by_cell(survey, invited, answered, number).items()}  # fmt: skip
    return {how: estimates(rows, design) for how, design in told.items()}


def by_cell(survey, invited, answered, number):
    """Designs of a census' respondents where response is a draw within response cells, by way to errors."""
    came = pd.Series(answered, invited.index)
    cells = response_cells(came, invited[["unit", "grade", "sex", "age"]])
    everybody = survey.design(invited, "bootstrap", number, "weight")
    rows = pd.DataFrame({"cell": cells, "people": cells.map(cells.value_counts())})[answered]
    drawn = survey_design(rows, weight=None, stratum="cell", stages=[(None, "people")], method="linearization")
    return {"bootstrap": adjust_response(everybody, came, cells, random_state=number), "linearization": drawn}


def held(tables, truth):
    """Whether the interval of each survey holds the truth, its length, and the error of the estimate."""
    low, high = (np.array([table[name] for table in tables]) for name in LIMITS[1:])
    inside = (low <= truth.to_numpy()) & (truth.to_numpy() <= high)
    return inside, high - low, np.array([table["estimate"] for table in tables]) - truth.to_numpy()


def verdict(share, n, goal=None):
    """What to print about a share of `n` surveys, and whether it misses its goal by more than three errors.

    The error is that which a share at the edge of the goal would have.
    """
    error = np.sqrt(share * (1 - share) / n)
    text = f"{share:.3f} ± {error:.3f}"
    if goal is None:
        return text, False
    edge = np.clip(share, *goal)
    met = "met" if edge == share else "MISSED"
    return f"{text}, goal {goal[0]:.2f}-{goal[1]:.2f} {met}", abs(share - edge) > 3 * np.sqrt(edge * (1 - edge) / n)


def show(name, estimator, method, figure, inside, length, off, goal):
    """Print a line; the number of goals missed (by more than three errors, and at all)."""
    n = len(inside)
    text, far = verdict(inside.mean(), n, goal)
    print(f"{name:<10} {estimator:<17} {method:<13} {figure:<22} coverage {text:<33} length {length.mean():.4f} ± "
          f"{length.std(ddof=1) / np.sqrt(n):.4f}  bias {off.mean():+.4f} ± {off.std(ddof=1) / np.sqrt(n):.4f}",
          flush=True)  # fmt: skip
    return np.array([far, "MISSED" in text], dtype=int)


def observed(survey):
    """Response that depends on observed things only: coverage of every estimator; the goals missed."""
    drawn = [by_estimator(survey, number) for number in range(SURVEYS)]
    missed = np.zeros(2, dtype=int)
    for estimator, method in drawn[0]:
        results = held([told[estimator, method] for told in drawn], survey.truth)
        for place, figure in enumerate(survey.truth.index):
            goal = None if estimator in ("not calibrated", "wide margins") else GOAL
            missed += show(survey.name, estimator, method, figure, *(each[:, place] for each in results), goal)
    return missed


def unlike(survey, number):
    """A survey where who answers depends on skill: calibrated tables by method, and what only a simulation knows.

    Added are the share that answered, and how unlike them the non-respondents of this very survey are after
    calibration: (estimate of all invited - estimate of the respondents) / share that didn't answer.
    """
    invited, answered = survey.draw(np.random.default_rng([SEED, number, 1]))
    rows, one = invited[answered], (invited["agency"] == FIRST).to_numpy()
    told = {method: estimates(rows, design) for method, design in survey.calibrated(rows, number).items()}
    weights = invited["weight"].to_numpy()
    rate = np.average(answered, weights=weights)
    rates = pd.Series({WHOLE: rate, ONE: np.average(answered[one], weights=weights[one]), BELOW: rate})
    design = survey.design(invited, "linearization", number)
    everybody = estimates(invited, calibrate(design, invited, survey.margins["calibrated"])).drop(APART)
    table = told["bootstrap"].drop(APART)
    return told, table.assign(rate=rates, unlike=(everybody["estimate"] - table["estimate"]) / (1 - rates))


def on_skill(survey):
    """Response that depends on skill: what calibrated intervals miss, and what tipping intervals hold; goals missed."""
    told, tables = zip(*(unlike(survey, number) for number in range(SURVEYS)), strict=True)
    for method in told[0]:
        results = held([each[method] for each in told], survey.truth)
        for place, figure in enumerate(survey.truth.index):
            show(survey.name, "calibrated", method, figure, *(each[:, place] for each in results), None)
    truth, missed = survey.truth.drop(APART), np.zeros(2, dtype=int)
    unlikes = np.abs(np.array([table["unlike"] for table in tables]))
    largest = pd.Series(np.abs(np.mean([table["unlike"] for table in tables], axis=0)), truth.index)
    for times in ASSUMED:
        wide = [tipping_interval(table, table["rate"], difference=times * largest) for table in tables]
        wide = [table.assign(ci_low=table["tipping_low"], ci_high=table["tipping_high"]) for table in wide]
        results, within = held(wide, truth), unlikes <= times * largest.to_numpy()
        for place, figure in enumerate(truth.index):
            print(f"{survey.name}, {figure}: assumed difference {times * largest.iloc[place]:.3f}, {times:g} times the "
                  f"mean of the true ones; contains the true one in {verdict(within[:, place].mean(), SURVEYS)[0]} "
                  "of the surveys")  # fmt: skip
            one = [each[:, place] for each in results]
            missed += show(survey.name, "tipping interval", "all surveys", figure, *one,
                           TIPPING_GOAL if times >= 1 else None)  # fmt: skip
            if within[:, place].sum() > 1:
                missed += show(survey.name, "tipping interval", "those of them", figure,
                               *(each[within[:, place]] for each in one), TIPPING_GOAL)  # fmt: skip
    return missed


def measured(survey):
    """Levels measured with normal error: the mean shortfall of the measured, and of plausible ones; no goal is set."""
    levels = survey.people["level"]
    truth = pd.Series({"mean shortfall": (REQUIRED - levels).clip(lower=0).mean()})
    spread, tables = np.sqrt(levels.var() * (1 / RELIABILITY - 1)), {"measured level": [], "plausible levels": []}
    for number in range(SURVEYS):
        rng = np.random.default_rng([SEED, number, 1])
        invited, answered = survey.draw(rng)
        rows = invited[answered]
        design = calibrate(survey.design(rows, "linearization", number), rows, survey.margins["calibrated"])
        scores = rows[["level"]] + rng.normal(0, spread, (len(rows), 1))
        known = rows[["unit", "grade", "sex", "age"]]
        draws = plausible_levels(scores, pd.Series({"level": RELIABILITY}), design, known, random_state=number)
        for name, values in (("measured level", scores), ("plausible levels", draws)):
            short = [short_of(each) for each in values] if isinstance(values, list) else short_of(values)
            tables[name].append(design_means(short, design).set_index("variable")[LIMITS])
    for name, drawn in tables.items():
        results = held(drawn, truth)
        show("error", name, "linearization", "mean shortfall", *(each[:, 0] for each in results), None)
    return np.zeros(2, dtype=int)


def short_of(levels):
    """How far levels fall short of the requirement."""
    return (REQUIRED - levels.set_axis(["mean shortfall"], axis=1)).clip(lower=0)


def main():
    """Print a line a figure; the exit code is 1 where a goal is missed by more than three Monte Carlo errors."""
    print(f"coverage of 95 % intervals: {SURVEYS:,} surveys of each kind, {REPLICATES} replicates; all synthetic")
    missed, first, started = np.zeros(2, dtype=int), surveys()[0], time.process_time()
    for survey in surveys():
        print(f"{survey.name}: {survey.about} (population {len(survey.people):,})")
        missed += on_skill(survey) if survey.name == "on skill" else observed(survey)
    print(f"error: as stratified, and levels are measured with a reliability of {RELIABILITY}")
    missed += measured(first)
    print(f"coverage: {missed[1]} goals missed, {missed[0]} of them by more than three Monte Carlo errors; "
          f"{time.process_time() - started:.0f} s of CPU")  # fmt: skip
    return int(missed[0] > 0)


if __name__ == "__main__":
    sys.exit(main())
