"""Adapter of kind reliability (and of the reliability questions of kind irt)."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.measures.polychoric import polychoric_correlations, polychoric_statistics
from skillsgap.estimate.measures.scales import scale_statistics

SAME = ("alpha", "alpha_if_dropped", "item_rest_correlation", "item_mean", "guttman_lambda6", "omega_total",
        "cfa_loadings", "n_complete")  # fmt: skip
VECTORS = ("alpha_if_dropped", "item_rest_correlation", "item_mean", "cfa_loadings", "polychoric_eigenvalues")


def answer(spec, ask, folder):
    """The number, vector or matrix asked for."""
    name, categories = ask["statistic"], spec.get("categories")
    if not isinstance(categories, dict):
        categories = dict.fromkeys(spec["items"], categories)
    codes = tuple((item, tuple(str(code) for code in categories[item] or ())) for item in spec["items"])
    data = (str(Path(folder) / spec["data"]), codes, spec.get("weights"), ask["missing"])
    if name == "polychoric":
        return _matrix(*data, ask["thresholds"])
    if name in ("alpha_ordinal", "polychoric_eigenvalues"):
        table = _ordinal(*data, ask["thresholds"])
    elif name in SAME or name == "cfa_fit":
        level = ask.get("interval", {}).get("level", 0.95)
        table = _classical(*data, ask.get("standardised", False), level)
        name = ask["measure"] if name == "cfa_fit" else name
    else:
        raise NotImplementedError(name)
    found = table.loc[table["statistic"] == name, ask["report"]].tolist()
    return found if name in VECTORS else found[0]


def _read(path, codes, weights):
    rows = pd.read_csv(path, dtype=str)
    answers = pd.DataFrame({item: _numbers(rows[item], order) for item, order in codes})
    return answers, None if weights is None else pd.to_numeric(rows[weights])


def _numbers(column, order):
    """Codes as numbers; categories in words count from 1 in their order."""
    try:
        return pd.to_numeric(column)
    except ValueError:
        return column.map({code: place for place, code in enumerate(order, 1)})


@lru_cache(maxsize=8)
def _classical(path, codes, weights, missing, standardised, level):
    answers, sample_weight = _read(path, codes, weights)
    return scale_statistics(answers, sample_weight, missing=missing, standardised=standardised, level=level)


@lru_cache(maxsize=8)
def _matrix(path, codes, weights, missing, thresholds):
    answers, sample_weight = _read(path, codes, weights)
    return polychoric_correlations(answers, sample_weight, missing=missing, thresholds=thresholds).to_numpy().tolist()


@lru_cache(maxsize=8)
def _ordinal(path, codes, weights, missing, thresholds):
    answers, sample_weight = _read(path, codes, weights)
    return polychoric_statistics(answers, sample_weight, missing=missing, thresholds=thresholds)
