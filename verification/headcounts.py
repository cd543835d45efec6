"""How near head-counts of profiles come to the truth, and how often their 95 % intervals hold it.

Run by ``make verify``; QUICK=1 simulates 8 surveys of each kind instead of 80. All is drawn from fixed seeds. Every
survey has a population of its own: agencies with skewed effects on profiles, roles and grades with normal ones, staff
of one profile each, and answers that the profile draws. Respondents are fitted anew each time, profiles and all, and
projected to the register. "Direct" are weighted means of the respondents' memberships, agency by agency, times staff:
what pooling gains against them, and what it costs in agencies unlike the others, stands in one line. Errors after ±
are Monte Carlo (between surveys). The exit code is 1 where a goal is missed by more than three of them.

Then the fictional countries, as the project's own reports have them (where their tables are kept): there levels differ
between agencies within a profile too, and in Belmora who answers depends on skill. In full runs Belmora is drawn again
without either, to see which of the two the misses come from.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import yaml  # noqa: E402
from scipy.special import expit  # noqa: E402

from skillsgap.estimate.profiles.competency import CompetencyProfiles  # noqa: E402
from skillsgap.estimate.profiles.shares import profile_replicates  # noqa: E402
from skillsgap.estimate.survey.design import survey_design  # noqa: E402
from skillsgap.estimate.survey.margins import register_margins  # noqa: E402
from skillsgap.estimate.survey.weighting import calibrate  # noqa: E402
from skillsgap.estimate.workforce.projection import project_staff  # noqa: E402
from skillsgap.run.truth import beside_truth  # noqa: E402
from skillsgap.run.unit import open_unit, project_root  # noqa: E402

SEED = 20260406
QUICK = bool(os.environ.get("QUICK"))
SURVEYS = 8 if QUICK else 80
REPLICATES = 80
GOAL = (0.925, 0.975)
TERMS = ["agency", "role", "grade"]
EFFECTS = {"agency": 0.5, "role": 0.5, "grade": 0.3, "ministry": 0.3}  # logits, standard deviation
SHARES = (0.3, 0.35, 0.2, 0.15)
CENTRES = np.array([0.5, 1.4, 2.3, 3.3])  # most usual answer of each profile, 0-4
N_ITEMS, SHARPNESS, BLANK = 14, 0.7, 0.08
SMALL = 100  # staff; an agency below is small
LEAN = {"profiles": {"candidates": [5], "n_profiles": 5, "n_tests": 0, "n_draws": 0}}
FAR = 1.5  # standard deviations; an agency whose effect on a profile is larger is unlike the others


@dataclass(frozen=True)
class World:
    """A kind of country and survey.

    Parameters
    ----------
    agencies : DataFrame: agency, ministry, staff, asked (of them), of (agencies in the stratum), drawn (of these)
    response : float, share that answers
    skill : float, logits that answering rises with a profile
    fraction : bool, the design is told how many staff there are, so that its errors allow for it
    goal : (float, float) or None, where the coverage of agencies and of all staff is to lie
    """

    name: str
    about: str
    agencies: pd.DataFrame
    response: float = 0.6
    skill: float = 0.0
    fraction: bool = False
    goal: tuple | None = GOAL


def worlds():
    sizes = np.round(np.geomspace(20, 3000, 40)).astype(int)
    names = [f"a{i:02d}" for i in range(60)]
    large = pd.DataFrame({"agency": names[:40], "ministry": [f"m{i // 5}" for i in range(40)], "staff": sizes})
    large = large.assign(of=5, drawn=5)
    large["asked"] = np.minimum(sizes, np.round(2400 * np.sqrt(sizes) / np.sqrt(sizes).sum())).astype(int)
    few = pd.DataFrame({"agency": names[:8], "ministry": "m", "staff": [300, 215, 145, 95, 60, 40, 30, 15]})
    few = few.assign(of=8, drawn=8, asked=few["staff"])
    two = pd.DataFrame({"agency": names, "ministry": [f"m{i % 6}" for i in range(60)],
                        "staff": 60 + np.arange(60) * 37 % 290, "of": 10, "drawn": 5, "asked": 50})
    return [
        World("stratified", "40 agencies of 20 to 3,000 staff, 2,400 invited, 60 % answer", large),
        World("small service", "900 staff of 8 agencies, all invited, 62 % answer", few, response=0.62),
        World("the same, fpc", "and the design is told how many staff there are", few, response=0.62, fraction=True),
        World("two-stage", "5 of 10 agencies drawn in each of 6 ministries, 50 staff of each; errors take "
              "agencies for drawn with replacement, so they are long", two, goal=(GOAL[0], 1)),
        World("on skill", "as stratified, but the more skilled answer more", large, skill=0.35, goal=None),
    ]


def population(world, rng):
    """Everybody: agency, ministry, role, grade, profile (1..K); and by agency the effects on profiles."""
    agencies = world.agencies
    people = agencies.loc[agencies.index.repeat(agencies["staff"])].reset_index(drop=True)
    mixes = rng.dirichlet(np.full(6, 3.0), len(agencies)).cumsum(axis=1)
    place = agencies.index.repeat(agencies["staff"]).to_numpy()
    people["role"] = [f"r{i}" for i in (rng.random((len(people), 1)) > mixes[place]).sum(axis=1).clip(0, 5)]
    people["grade"] = [f"g{i}" for i in rng.choice(4, len(people), p=[0.4, 0.3, 0.2, 0.1])]
    logits = np.tile(np.log(SHARES), (len(people), 1))
    for term, sd in EFFECTS.items():
        codes, names = pd.factorize(people[term])
        size = (len(names), len(SHARES))
        drawn = sd * (rng.exponential(size=size) - 1 if term == "agency" else rng.standard_normal(size))
        logits += drawn[codes] if len(names) > 1 else 0
        if term == "agency":
            effects = pd.DataFrame(drawn, index=names, columns=range(1, len(SHARES) + 1))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    people["profile"] = 1 + (rng.random((len(people), 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    return people.rename_axis("row_key"), effects


def survey(world, people, rng):
    """Respondents with weights that are calibrated to the register, their answers, and the design."""
    first = people.drop_duplicates("agency")
    within = pd.Series(rng.random(len(first)), first["agency"]).groupby(first["ministry"].to_numpy()).rank()
    asked = people["agency"].map(within <= first.set_index("agency")["drawn"])
    asked &= pd.Series(rng.random(len(people))).groupby(people["agency"]).rank() <= people["asked"]
    rows, odds = people[asked], np.log(world.response / (1 - world.response))
    lean = 0.5 * rows["grade"].str[1].astype(int) - 0.4 * rows["role"].isin(["r0", "r1"])
    lean = lean + world.skill * rows["profile"]
    rows = rows[rng.random(len(rows)) < expit(odds + lean - lean.mean())]
    rows = rows.assign(weight=rows["of"] / rows["drawn"] * rows["staff"] / rows["asked"])
    clustered = (world.agencies["drawn"] < world.agencies["of"]).any()
    stages = [("agency", None)] if clustered else [(None, "staff" if world.fraction else None)]
    design = survey_design(rows, stratum="ministry" if clustered else "agency", stages=stages,
                           n_replicates=REPLICATES, lonely_psu="collapse", random_state=0)
    ministries = people["ministry"].nunique() > 1
    margins = register_margins(people.assign(headcount=1), ["ministry" if ministries else "agency", "grade"])
    return rows, answers_of(rows, rng), calibrate(design, rows, margins, bounds=(0.1, 10.0))


def answers_of(rows, rng):
    probs = np.exp(-SHARPNESS * (np.arange(5) - CENTRES[:, None]) ** 2)
    probs = (probs / probs.sum(axis=1, keepdims=True)).cumsum(axis=1)[rows["profile"] - 1]
    codes = (rng.random((len(rows), N_ITEMS, 1)) > probs[:, None]).sum(axis=2).clip(0, 4).astype(float)
    codes[rng.random(codes.shape) < BLANK] = np.nan
    return pd.DataFrame(codes, index=rows.index, columns=[f"c{j}" for j in range(N_ITEMS)]).dropna(how="all")


def projected(world, number):
    """One survey: head-counts by agency and profile, by profile alone, and the spreads beside those planted."""
    rng = np.random.default_rng([SEED, number])
    people, effects = population(world, rng)
    rows, answers, design = survey(world, people, rng)
    rows, design = rows.loc[answers.index], design.subset(design.weights.index.isin(answers.index))
    fit = CompetencyProfiles(len(SHARES), n_starts=10).fit(answers, sample_weight=design.weights)
    terms = TERMS + ["ministry"] * (world.agencies["ministry"].nunique() > 1)
    cells = people.groupby(["agency", "ministry", "role", "grade"]).size().rename("headcount").reset_index()
    start = time.process_time()
    refits = profile_replicates(fit, answers, design)
    made = project_staff(fit, answers, rows, cells, design, replicates=refits, terms=terms)
    agencies = made.headcounts(["agency"])
    seconds = time.process_time() - start
    truth = people.groupby(["agency", "profile"]).size().rename("truth")
    agencies = agencies.join(truth, on=["agency", "profile"]).fillna({"truth": 0})
    agencies["staff"] = agencies.groupby("agency")["truth"].transform("sum")
    means = fit.predict_proba(answers) * design.weights.loc[answers.index].to_numpy()[:, None]
    direct = pd.DataFrame(means, columns=effects.columns).groupby(rows["agency"].to_numpy()).sum()
    direct = direct.div(direct.sum(axis=1), axis=0).stack().rename("direct")
    agencies = agencies.join(direct, on=["agency", "profile"])
    far = (effects / EFFECTS["agency"]).stack().rename("effect")
    agencies = agencies.join(far, on=["agency", "profile"])
    planted = people["profile"].value_counts().sort_index().to_numpy()
    whole = made.headcounts([]).assign(truth=planted, staff=len(people))
    centred = effects.sub(effects.mean(axis=1), axis=0)  # what is common to all profiles changes no share
    planted = np.sqrt((centred**2).to_numpy().mean() * len(SHARES) / (len(SHARES) - 1))
    return agencies, whole, (made.effect_sd["agency"], planted, seconds)


def rate(tables):
    """Mean over surveys of the share of intervals that hold the truth, and its Monte Carlo error."""
    held = [((table["ci_low"] <= table["truth"]) & (table["truth"] <= table["ci_high"])).mean()
            for table in tables if len(table)]
    return np.mean(held), np.std(held, ddof=1) / np.sqrt(len(held))


def line(name, what, tables, goal):
    """Print coverage and errors of one kind of figure; whether its goal is missed."""
    share, error = rate(tables)
    table = pd.concat(tables, ignore_index=True)
    wrong, told = (100 * column / table["staff"] for column in (table["estimate"] - table["truth"], table["se"]))
    said = f"{name:<14} {what:<26} {len(table):>6} coverage {share:.3f} ± {error:.3f}"
    said += f"  rmse {np.sqrt((wrong**2).mean()):5.2f}  se {np.sqrt((told**2).mean()):5.2f}"
    said += f"  bias {wrong.mean():+.2f}" if what.startswith("unlike") else ""
    both = table.dropna(subset="direct") if "direct" in table else table.iloc[:0]
    if len(both):
        alone = 100 * (both["direct"] - both["truth"] / both["staff"])
        ratio = (wrong[both.index] ** 2).mean() / (alone**2).mean()
        said += f"  direct {np.sqrt((alone**2).mean()):5.2f}  mse ratio {ratio:.2f}"
    edge = np.clip(share, *goal) if goal else share
    print(said + (f"  goal {goal[0]}-{goal[1]} {'met' if edge == share else 'MISSED'}" if goal else ""), flush=True)
    return abs(share - edge) > 3 * max(error, np.sqrt(edge * (1 - edge) / len(table)))


def simulated(world):
    """All surveys of a kind; the number of goals missed by more than three Monte Carlo errors."""
    drawn = [projected(world, number) for number in range(SURVEYS)]
    agencies, whole = [one[0] for one in drawn], [one[1] for one in drawn]
    kinds = {"agencies by profile": lambda table: table["n"] >= 0, "no respondents": lambda table: table["n"] == 0,
             "small, with respondents": lambda table: (table["n"] > 0) & (table["staff"] < SMALL),
             "large, with respondents": lambda table: (table["n"] > 0) & (table["staff"] >= SMALL),
             "unlike others, respondents": lambda table: (table["n"] > 0) & (table["effect"] > FAR)}  # fmt: skip
    print(f"\n{world.name}: {world.about}; errors in points of 100 of an agency's (all) staff")
    missed = 0
    for what, which in kinds.items():
        tables = [table[which(table)] for table in agencies]
        if sum(map(len, tables)):
            missed += line(world.name, what, tables, world.goal if what == "agencies by profile" else None)
    missed += line(world.name, "all staff by profile", whole, world.goal)
    sds = np.array([one[2] for one in drawn])
    error = sds[:, 0].std(ddof=1) / np.sqrt(SURVEYS)
    print(f"{world.name:<14} spread of agencies: estimated {sds[:, 0].mean():.3f} ± {error:.3f}, planted "
          f"{sds[:, 1].mean():.3f}; {sds[:, 2].mean():.2f} CPU s a projection, {REPLICATES} replicates", flush=True)
    return missed


def country(unit, about=""):
    """Print how head-counts of a fictional country stand to what was planted there."""
    table = beside_truth(unit, "headcounts").dropna(subset="truth")
    inside = table["truth"].between(table["ci_low"], table["ci_high"])
    apart = (table["estimate"] - table["truth"]) / table["se"]
    for by, rows in table.groupby("by"):
        print(f"{unit.name} (synthetic){about}, {by}: {len(rows)} head-counts, {inside[rows.index].mean():.3f} in "
              f"their intervals, mean squared error {(apart[rows.index] ** 2).mean():.2f} of its estimate", flush=True)


def drawn_again(name, about, changes):
    """A fictional country drawn from its spec with changes, beside the original; nothing of it is kept."""
    root = project_root()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "data" / "synthetic" / name
        place.mkdir(parents=True)
        (Path(folder) / "params").mkdir()
        for link in ("data/framework", "data/synthetic/common", "params/_defaults.yaml", f"params/{name}.yaml"):
            os.symlink(root / link, Path(folder) / link)
        spec = yaml.safe_load((root / "data" / "synthetic" / name / "spec.yaml").read_text(encoding="utf-8"))
        (place / "spec.yaml").write_text(yaml.safe_dump(spec | changes, allow_unicode=True), encoding="utf-8")
        country(open_unit(name, root=folder, overrides=LEAN), f", {about}")


def main():
    started = time.time()
    missed = sum(simulated(world) for world in worlds())
    print("\nfictional countries, by agency and over all staff")
    for name in ("arvenia", "corva", "belmora"):
        unit = open_unit(name)
        if unit.store.has("headcounts"):
            country(unit)
        else:
            print(f"{name}: no head-counts are kept: run make reports UNIT={name}")
    if not QUICK:
        drawn_again("belmora", "who answers doesn't depend on skill", {"response_on_skill": 0})
        drawn_again("belmora", "nor do levels differ between agencies or roles within a profile",
                    {"response_on_skill": 0, "area_effects": {"sd": 0, "shape": "normal"}, "level_effects": {}})
    print(f"{time.time() - started:.0f} s; {missed} goals missed by more than three Monte Carlo errors")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
