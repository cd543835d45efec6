"""Adapter of kind lca: latent class analysis of categorical items."""

import json
from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.description import describe_profiles
from skillsgap.estimate.profiles.likelihoodratio import bootstrap_likelihood_ratio
from skillsgap.estimate.profiles.onestep import ProfileMembership
from skillsgap.estimate.profiles.sandwich import profile_errors

STARTS = 500  # the cases ask for the global maximum
JOINT_STARTS = 50  # beside the solution without covariates
NAMES = {"npar": "n_parameters", "n_used": "n_rows", "entropy_r2": "entropy", "class_shares": "share",
         "modal_shares": "modal_share", "avepp": "average_posterior"}  # fmt: skip
BY_CLASS = ("class_shares", "modal_shares", "avepp")


def answer(spec, ask, folder):
    """The number, vector, matrix or word asked for."""
    model, report = ask["model"], ask["report"]
    parts = {name: spec[name] for name in ("data", "items", "categories", "weights")}
    data = (json.dumps(parts | {"folder": str(Path(folder))}), model["missing"], tuple(model["covariates"]))
    if report == "best_k_bic":
        return str(min(model["classes"], key=lambda classes: _statistics(data, classes)["bic"][0]))
    if report.startswith("blrt"):
        test = _test(data, model["classes"], ask["null_classes"], ask.get("replicates", 1))
        decided = "yes" if test.p < ask.get("alpha", 0) else "no"
        return {"blrt_lr": test.statistic, "blrt_p": test.p, "blrt_reject": decided}[report]
    if report in ("coef", "coef_se"):
        return getattr(_fit(data, model["classes"]), f"{report}_").to_numpy().tolist()
    if report in ("item_probs", "item_probs_se"):
        table = _fit(data, model["classes"]).item_probs_ if report == "item_probs" else _errors(data, model["classes"])
        codes = range(len(spec["categories"][ask["item"]]))
        return table[ask["item"]].reindex(columns=codes, fill_value=0.0).to_numpy().tolist()
    if report == "class_shares_se":
        return _errors(data, model["classes"])["share"].tolist()
    found = _statistics(data, model["classes"])[NAMES.get(report, report)]
    return found if report in BY_CLASS else found[0]


@lru_cache(maxsize=16)
def _read(spec, missing, covariates):
    """Items as places of their categories, covariates and weights, of the rows that count."""
    spec = json.loads(spec)
    rows = pd.read_csv(Path(spec["folder"]) / spec["data"], dtype=str, keep_default_na=False, na_values=[""])
    rows = rows.dropna(subset=[*covariates, *(spec["items"] if missing == "listwise" else [])])
    places = {item: {str(code): place for place, code in enumerate(spec["categories"][item])} for item in spec["items"]}
    answers = pd.DataFrame({item: rows[item].map(places[item]) for item in spec["items"]})
    weights = None if spec["weights"] is None else pd.to_numeric(rows[spec["weights"]])
    return answers, rows[list(covariates)].apply(pd.to_numeric), weights


@lru_cache(maxsize=32)
def _fit(data, classes):
    answers, covariates, weights = _read(*data)
    options = {"kinds": dict.fromkeys(answers, "nominal"), "order": "share"}
    if covariates.empty or classes == 1:
        return CompetencyProfiles(classes, n_starts=STARTS, **options).fit(answers, sample_weight=weights)
    return ProfileMembership(classes, n_starts=JOINT_STARTS, **options).fit(answers, covariates, weights)


@lru_cache(maxsize=32)
def _statistics(data, classes):
    """What describes a fit, as lists by statistic; None where it has no value."""
    answers, _, weights = _read(*data)
    table = describe_profiles(_fit(data, classes), answers, weights, counts="given")
    value = table["value"].astype(object).where(table["value"].notna(), None)
    return value.groupby(table["statistic"]).agg(list)


@lru_cache(maxsize=32)
def _errors(data, classes):
    """Standard errors of shares, and of probabilities by item (class x category)."""
    fit, (answers, _, weights) = _fit(data, classes), _read(*data)
    if isinstance(fit, ProfileMembership):
        return fit.item_probs_se_ | {"share": fit.shares_se_}
    table = profile_errors(fit, answers, weights, information="outer")
    probs = table[table["statistic"] == "probability"]
    errors = {item: rows.pivot(index="profile", columns="category", values="se")
              for item, rows in probs.groupby("variable")}  # fmt: skip
    return errors | {"share": table.loc[table["statistic"] == "share", "se"]}


@lru_cache(maxsize=8)
def _test(data, classes, null, draws):
    answers, covariates, weights = _read(*data)
    if not covariates.empty:
        raise NotImplementedError("a bootstrap test with covariates")
    kinds = dict.fromkeys(answers, "nominal")
    return bootstrap_likelihood_ratio(answers, classes, weights, null_profiles=null, n_draws=draws, kinds=kinds)
