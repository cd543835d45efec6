"""Adapter of kind lpa.

The choice rests on the start by agglomeration, as the reference's does; a fit asked for by name has random starts too.
"""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.gaussian import select_covariance

RANDOM_STARTS = 10


def answer(spec, ask, folder):
    """The number, vector, matrix or name asked for."""
    path, variables = str(Path(folder) / spec["data"]), tuple(spec["variables"])
    asked, report = ask["fit"], ask["report"]
    if asked == "chosen":
        n_starts, tried = 1, (tuple(spec["models"]), tuple(spec["classes"]))
    else:
        n_starts, tried = RANDOM_STARTS, ((asked["model"],), (asked["classes"],))
    chosen = _table(path, variables, *tried, n_starts).iloc[0]
    if report == "bic":
        return -float(chosen["bic"])  # the case's sign: larger is better
    if report in ("model", "loglik"):
        return chosen[report]
    if report in ("classes", "npar"):
        return int(chosen["n_profiles" if report == "classes" else "n_parameters"])
    X = _rows(path, variables)
    fit = _fit(path, variables, chosen["model"], int(chosen["n_profiles"]), n_starts)
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


@lru_cache(maxsize=256)
def _table(path, variables, models, classes, n_starts):
    return select_covariance(_rows(path, variables), models, classes, n_starts=n_starts)


@lru_cache(maxsize=64)
def _fit(path, variables, model, classes, n_starts):
    kinds = dict.fromkeys(variables, "continuous")
    fit = CompetencyProfiles(classes, kinds=kinds, covariance=model, order="share", n_starts=n_starts)
    return fit.fit(_rows(path, variables))
