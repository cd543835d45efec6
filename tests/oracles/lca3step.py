"""Adapter of kind lca3step: profiles of binary items, and an outcome or a covariate of them."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.description import describe_profiles
from skillsgap.estimate.profiles.membership import profile_regression
from skillsgap.estimate.profiles.onestep import ProfileMembership
from skillsgap.estimate.profiles.outcomes import profile_outcomes

STARTS = 50


def answer(spec, ask, folder):
    """The number, vector or matrix asked for."""
    codes = tuple((item, tuple(str(code) for code in spec["categories"][item])) for item in spec["items"])
    data, report, classes = (str(Path(folder) / spec["data"]), codes, spec["weights"]), ask["report"], spec["classes"]
    if report in ("item_probs", "class_shares", "loglik"):
        return _measurement(data, classes, report)
    variable, how = ask["variable"], {"correction": ask.get("correction") or "none"}
    how["assignment"] = ask.get("assignment") or "modal"
    if report == "means":
        one_step = ask["approach"] == "one_step"
        return _one_step_means(data, classes, variable) if one_step else _means(data, classes, variable, how)
    return _coefs(data, classes, variable, how, one_step=ask["approach"] == "one_step")


def _measurement(data, classes, report):
    fit = _fit(*data, classes)
    if report == "item_probs":
        probs = [table.reindex(columns=[0, 1], fill_value=0.0)[1] for table in fit.item_probs_.values()]
        return pd.concat(probs, axis=1).to_numpy().tolist()
    if report == "class_shares":
        return fit.shares_.tolist()
    answers, weights, _ = _read(*data)
    return describe_profiles(fit, answers, weights, counts="given").set_index("statistic").at["loglik", "value"]


def _means(data, classes, variable, how):
    answers, weights, rows = _read(*data)
    table = profile_outcomes(_fit(*data, classes), answers, rows[[variable]].apply(pd.to_numeric), weights, **how)
    return table["estimate"].tolist()


def _one_step_means(data, classes, variable):
    answers, weights, rows = _read(*data)
    both, kinds = answers.assign(**{variable: pd.to_numeric(rows[variable])}), dict.fromkeys(answers, "binary")
    fit = CompetencyProfiles(classes, kinds=kinds | {variable: "continuous"}, n_starts=STARTS)
    fit.fit(both, sample_weight=weights)
    # The order asked for is one of the items alone; that of the package takes every variable of the fit.
    probs = pd.concat([table.reindex(columns=[0, 1], fill_value=0.0)[1] for table in fit.item_probs_.values()], axis=1)
    return fit.means_.loc[probs.sum(axis=1).sort_values(ascending=False).index, variable].tolist()


def _coefs(data, classes, variable, how, *, one_step):
    answers, weights, rows = _read(*data)
    covariates = rows[[variable]].apply(pd.to_numeric)
    if one_step:
        fit = ProfileMembership(classes, kinds=dict.fromkeys(answers, "binary"), order="level_decreasing")
        return [[0.0, 0.0], *fit.fit(answers, covariates, sample_weight=weights).coef_.T.to_numpy().tolist()]
    table = profile_regression(_fit(*data, classes), answers, covariates, weights, reference=1, **how)
    return [[0.0, 0.0], *table.pivot(index="profile", columns="term", values="estimate")[["intercept", variable]]
            .to_numpy().tolist()]  # fmt: skip


@lru_cache(maxsize=8)
def _read(path, codes, weights):
    """Items as 0 and 1 (the place of their category), weights, and all columns as text."""
    rows = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    answers = pd.DataFrame({item: rows[item].map({code: place for place, code in enumerate(order)})
                            for item, order in codes})  # fmt: skip
    return answers, None if weights is None else pd.to_numeric(rows[weights]), rows


@lru_cache(maxsize=8)
def _fit(path, codes, weights, classes):
    answers, sample_weight, _ = _read(path, codes, weights)
    fit = CompetencyProfiles(classes, kinds=dict.fromkeys(answers, "binary"), order="level_decreasing",
                             n_starts=STARTS)  # fmt: skip
    return fit.fit(answers, sample_weight=sample_weight)
