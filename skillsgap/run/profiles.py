"""Which kinds of staff there are and where they work: the part of the chain from answers to cohorts."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.answerable import profile_problems
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.likelihoodratio import bootstrap_likelihood_ratio
from skillsgap.estimate.profiles.outcomes import profile_outcomes
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.shares import profile_estimates, profile_replicates
from skillsgap.estimate.profiles.stability import compare_profiles, profile_stability
from skillsgap.estimate.workforce.cohorts import cohort_groups, cohorts
from skillsgap.estimate.workforce.projection import project_staff
from skillsgap.run.measurement import draw_levels, unbiased_scores
from skillsgap.study.relations import CELL, EQUITY, ROLE

BINS = np.linspace(0, 1, 11)  # of the largest membership
FEWEST_VARIABLES = 3  # of categories: fewer tell no profiles apart (Allman, Matias and Rhodes 2009)


def profile_answers(unit):
    """Manifest variables of the profiles: competency levels to the nearest whole one, or items."""
    variables, items = unit.values["profiles"]["variables"], unit.table("items")["item_id"].tolist()
    if variables == "competencies":
        # halves go up: a level reached in most of its items counts as reached
        answers = np.floor(unit.table("scores") + 0.5)
    else:
        answers = unit.table("responses")[items if variables == "items" else variables].astype(float)
    answers = answers[unit.population & (unit.design.weights > 0)]
    # what nobody answered tells no profiles apart; where params name it, the fit says so
    answers = answers if isinstance(variables, list) else answers.dropna(axis=1, how="all")
    return answers.dropna(how="all")


def fit_profiles(unit, answers, n_profiles):
    """The profiles the chain uses; notebooks call the same."""
    options = {name: unit.values["profiles"][name] for name in ("n_starts", "prior")}
    fit = CompetencyProfiles(n_profiles, **options, random_state=unit.values["random_state"])
    return fit.fit(answers, sample_weight=unit.design.weights.loc[answers.index])


def profiles(unit):
    """Number of profiles, their shares and levels, how sure all that is, and where their members are."""
    if unit.table("responses") is None:
        return {}
    answers, options = profile_answers(unit), unit.values["profiles"]
    if len(answers) < unit.values["disclosure"]["threshold"]:
        return {}  # too few for any figure: the release says so
    candidates = {*options["candidates"], options["n_profiles"] or options["candidates"][0]}
    _refuse(unit, answers, max(candidates))
    here, seed = unit.design.subset(unit.design.weights.index.isin(answers.index)), unit.values["random_state"]
    table = select_profiles(answers, candidates, here, n_starts=options["n_starts"], random_state=seed)
    chosen = options["n_profiles"] or int(table.loc[table["recommended"], "n_profiles"].iloc[0])
    table = table.drop(columns="stability")  # of the chosen number, below
    table["blrt_p"] = [_tested(unit, answers, number, chosen) for number in table["n_profiles"]]
    fit = fit_profiles(unit, answers, chosen)
    levels = unbiased_scores(unit) if options["variables"] == "competencies" else None
    refits = profile_replicates(fit, answers, here)
    posterior = pd.DataFrame(fit.predict_proba(answers), index=answers.index)
    posterior.columns = [f"profile_{k + 1}" for k in posterior]
    estimates = profile_estimates(fit, answers, here, refits, levels=levels)
    answering = estimates["statistic"] == "probability"
    made = {"selection": table, "profiles": estimates[~answering].drop(columns="category").reset_index(drop=True),
            "profile_answers": estimates[answering].reset_index(drop=True), "posterior": posterior,
            "certainty": certainty(posterior, here.weights)}  # fmt: skip
    if chosen > 1 and options["n_draws"]:
        made["stability"] = profile_stability(fit, answers, here, n_draws=options["n_draws"], random_state=seed)
    return made | _beside_hr(unit, fit, answers, here, refits) | _workforce(unit, fit, answers, here, refits, posterior)


def _refuse(unit, answers, most):
    """Raise what stands against profiles, a line each, before the first is fitted."""
    options, problems = unit.values["profiles"], profile_problems(answers, unit.design.weights.loc[answers.index], most)
    sizes = answers.nunique()
    # each profile has a share and, of every variable, all probabilities but one: no more than there are patterns
    apart = float(sizes.astype(float).prod() // ((sizes - 1).sum() + 1)) if len(sizes) >= FEWEST_VARIABLES else 1
    if apart < most and not problems:
        problems = [f"{most} profiles, but {len(sizes)} variables with {sizes.sum()} different answers tell at most "
                    f"{max(apart, 1):.0f} apart: add items to profiles.variables, or ask for fewer in "
                    "profiles.candidates ([1] gives levels without profiles)"]  # fmt: skip
    differ = unit.table("responses").loc[answers.index, options["hr_indicators"]].nunique()
    problems += [f"hr_indicators names {name}, of which {len(answers)} respondents have {number} different values: "
                 "it needs 2, leave it out" for name, number in differ.items() if number < 2]  # fmt: skip
    if options["n_draws"] == 1:
        problems.append("n_draws is 1, which tells nothing about stability: write 0 for none, or 2 or more")
    line = unit.params.line("profiles")
    place = unit.params.path.name + (f" line {line}" if line else "") + ", profiles"
    if problems:
        raise EstimateError("\n".join(f"{place}: {problem}" for problem in problems))


def _tested(unit, answers, number, chosen):
    """p-value of a number against one fewer, for the chosen number and the next; others are told by the criterion."""
    n_draws = unit.values["profiles"]["n_tests"]
    if number not in (chosen, chosen + 1) or number == 1 or not n_draws:
        return np.nan
    weights, seed = unit.design.weights.loc[answers.index], unit.values["random_state"]
    return bootstrap_likelihood_ratio(answers, number, weights, n_draws=n_draws, random_state=seed).p


def certainty(posterior, weights):
    """Share of the staff by the largest of their memberships: how many belong clearly to one profile."""
    bins = pd.cut(posterior.max(axis=1), BINS, include_lowest=True, labels=False)
    counted = pd.DataFrame({"share": weights.loc[posterior.index] / weights.loc[posterior.index].sum(), "n": 1})
    counted = counted.groupby(bins).sum().rename_axis("bin").reset_index()
    low = BINS[counted.pop("bin").astype(int)]
    return counted.assign(bin_low=low, bin_high=low + BINS[1])[["bin_low", "bin_high", "share", "n"]].round(12)


def _beside_hr(unit, fit, answers, here, refits):
    """HR indicators by profile, and whether profiles formed with them are other ones."""
    named = unit.values["profiles"]["hr_indicators"]
    if not named or fit.n_profiles == 1:
        return {}
    indicators = unit.table("responses").loc[answers.index, named]
    wider = fit_profiles(unit, answers.join(indicators), fit.n_profiles)
    grades = unit.table("responses").get("grade")
    return {"hr_outcomes": profile_outcomes(fit, answers, indicators, here, replicates=refits),
            "hr_comparison": compare_profiles(fit, wider, answers.join(indicators), here, given=grades)}


def _workforce(unit, fit, answers, here, refits, posterior):
    register = unit.table("register")
    if register is None:
        return {}
    equity, responses = [column for column in EQUITY if column in register], unit.table("responses").loc[answers.index]
    staff = register.assign(**{column: register[column].fillna("unknown") for column in equity})
    staff = staff.groupby([*CELL, *equity], sort=True)["headcount"].sum().reset_index()
    # an equity column that respondents lack can't tell where profiles are, only how its groups are spread over cells
    known = [column for column in (*CELL, *equity) if column in responses and responses[column].notna().all()]
    terms = [column for column in known if staff[column].nunique() > 1]
    projection = project_staff(fit, answers, responses[known], staff, here, replicates=refits, terms=terms,
                               random_state=unit.values["random_state"])  # fmt: skip
    counts = [projection.headcounts([]).assign(by="all", group="all")]
    for by in ("agency_id", "role_id", "grade"):
        counts.append(projection.headcounts([by]).assign(by=by).rename(columns={by: "group"}))
    cells = projection.cells.groupby([*CELL, "profile"], sort=True)["headcount"].sum().reset_index()
    made = {"cells": cells, "headcounts": pd.concat(counts, ignore_index=True)}
    if unit.table("requirements") is None:
        return made
    # levels drawn without the profile would lie nearer to each other than the profiles do
    profile = posterior.to_numpy().argmax(axis=1).astype(str)
    profile = pd.Series(profile, answers.index).reindex(unit.table("scores").index, fill_value="none")
    draws = [draw.loc[answers.index] for draw in draw_levels(unit, profile=profile).draws]
    table, shortfalls = cohorts(projection, draws, unit.table("requirements"), posterior.to_numpy(), here.weights,
                                roles=responses[list(ROLE)])  # fmt: skip
    groups = {"cohort_groups": cohort_groups(table, projection.cells, equity)} if equity else {}
    return made | {"cohorts": table, "shortfalls": shortfalls} | groups
