"""Adapter of kind recovery: shares, limits, probabilities, labels and number of profiles of a simulated sample."""

import json
from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.shares import profile_estimates
from skillsgap.estimate.survey.design import survey_design

PRIOR = 0.5  # people of a prior in each category: estimates of the samples, not maximum likelihood, are asked for
REPLICATES = 200
COLUMNS = {"class_shares": "estimate", "ci_low": "ci_low", "ci_high": "ci_high"}


def answer(spec, ask, folder):
    """The list, table or number asked for."""
    case, report = key(spec, folder), ask["report"]
    if report == "chosen_k":
        table = selection(case)
        return int(table.loc[table["recommended"], "n_profiles"].iloc[0])
    if report == "modal_class":
        return fit(case).predict(sample(case)[0]).tolist()
    if report == "item_probs":
        return probabilities(estimates(case, 0.95), spec, "estimate")
    table = estimates(case, ask.get("interval", {"level": 0.95})["level"])
    return table.loc[table["statistic"] == "share", COLUMNS[report]].tolist()


def key(spec, folder):
    """What a fit depends on, as one text."""
    parts = {name: spec[name] for name in ("data", "design", "items", "categories", "classes")}
    return json.dumps(parts | {"folder": str(Path(folder))})


def probabilities(table, spec, column):
    """A column of the estimates of probabilities, [class][item][category]; 0 for a category nobody chose."""
    rows = table[table["statistic"] == "probability"]
    wide = rows.pivot(index="profile", columns=["variable", "category"], values=column)
    items = [wide[item].reindex(columns=[str(code) for code in spec["categories"][item]], fill_value=0.0).to_numpy()
             for item in spec["items"]]  # fmt: skip
    return [[item[k].tolist() for item in items] for k in range(len(wide))]


@lru_cache(maxsize=8)
def sample(case):
    """Answers as ordered categories, and the design with bootstrap replicates."""
    spec = json.loads(case)
    data = pd.read_csv(Path(spec["folder"]) / spec["data"], dtype=str, keep_default_na=False, na_values=[""])
    codes = {item: pd.CategoricalDtype([str(code) for code in spec["categories"][item]], ordered=True)
             for item in spec["items"]}  # fmt: skip
    return data[spec["items"]].astype(codes), _design(data, spec["design"])


def _design(data, given):
    rows, stages = pd.DataFrame(index=data.index), []  # columns of any name under names of our own
    if given["strata"] is not None:
        rows["stratum"] = data[given["strata"]]
    for depth, stage in enumerate(given["stages"]):
        named = {part: f"{part} {depth}" for part in ("psu", "fpc") if stage[part] is not None}
        rows = rows.assign(**{name: data[stage[part]] for part, name in named.items()})
        stages.append((named.get("psu"), named.get("fpc")))
    weight = {"ones": 1.0, "fpc": None, "column": "weight"}[given["weights"]["from"]]
    if weight == "weight":
        rows["weight"] = pd.to_numeric(data[given["weights"]["column"]])
    return survey_design(rows, weight=weight, stages=stages, n_replicates=REPLICATES)


@lru_cache(maxsize=8)
def fit(case):
    """The profiles, as many as were given."""
    answers, design = sample(case)
    profiles = CompetencyProfiles(json.loads(case)["classes"]["given"], prior=PRIOR)
    return profiles.fit(answers, sample_weight=design.weights)


@lru_cache(maxsize=8)
def estimates(case, level):
    """Shares and probabilities with limits."""
    answers, design = sample(case)
    return profile_estimates(fit(case), answers, design, confidence=level)


@lru_cache(maxsize=8)
def selection(case):
    """The table that a number is chosen from."""
    answers, design = sample(case)
    return select_profiles(answers, json.loads(case)["classes"]["candidates"], design)
