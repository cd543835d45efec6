"""Adapter of kind lpa."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.gaussian import select_covariance

N_STARTS = 10


def answer(spec, ask, folder):
    """The number, vector, matrix or name asked for."""
    path, variables = str(Path(folder) / spec["data"]), tuple(spec["variables"])
    table = _table(path, variables, tuple(spec["models"]), tuple(spec["classes"]))
    if ask["fit"] != "chosen":
        model, classes = ask["fit"]["model"], ask["fit"]["classes"]
        table = table[(table["model"] == model) & (table["n_profiles"] == classes)]
        table = table if len(table) else _table(path, variables, (model,), (classes,))
    chosen, report = table.iloc[0], ask["report"]
    if report == "bic":
        return -float(chosen["bic"])  # the case's sign: larger is better
    if report in ("model", "loglik"):
        return chosen[report]
    if report in ("classes", "npar"):
        return int(chosen["n_profiles" if report == "classes" else "n_parameters"])
    X = _rows(path, variables)
    fit = _fit(path, variables, chosen["model"], int(chosen["n_profiles"]))
    if report == "shares":
        return fit.shares_.tolist()
    if report == "means":
        return fit.means_.to_numpy().tolist()
    if report == "entropy_r2":
        return fit.entropy(X)
    if report == "modal_sizes":
        return [int((fit.predict(X) == profile).sum()) for profile in fit.means_.index]
    raise NotImplementedError(report)


@lru_cache(maxsize=16)
def _rows(path, variables):
    return pd.read_csv(path)[list(variables)].astype(float)


@lru_cache(maxsize=16)
def _table(path, variables, models, classes):
    return select_covariance(_rows(path, variables), models, classes, n_starts=N_STARTS)


@lru_cache(maxsize=64)
def _fit(path, variables, model, classes):
    kinds = dict.fromkeys(variables, "continuous")
    fit = CompetencyProfiles(classes, kinds=kinds, covariance=model, order="share", n_starts=N_STARTS)
    return fit.fit(_rows(path, variables))
