"""Adapter of kind irt; reliability questions go to the adapter of that kind."""

from functools import lru_cache
from pathlib import Path

import pandas as pd

from skillsgap.estimate.measures.irt import ItemResponseModel
from tests.oracles import reliability


def answer(spec, ask, folder):
    """The number, vector or matrix asked for."""
    if ask["statistic"] != "irt":
        return reliability.answer(spec, ask, folder)
    codes = tuple((item, tuple(str(code) for code in spec["categories"][item])) for item in spec["items"])
    quadrature = (spec["quadrature"]["rule"], spec["quadrature"]["points"])
    model = _fit(str(Path(folder) / spec["data"]), codes, spec.get("weights"), ask["model"], *quadrature)
    report, slopes = ask["report"], model.discriminations_.tolist()
    steps = [model.difficulties_.loc[item].iloc[: len(order) - 1].tolist() for item, order in codes]
    if report == "loglik":
        return model.loglik_weighted_
    if report == "npar":
        return model.n_parameters_
    if report == "discrimination":
        return slopes[0] if ask["model"] == "1pl" else slopes
    if report == "difficulty":
        return [row[0] if len(row) == 1 else row for row in steps]
    if report == "params":
        return [[*row, slope] for row, slope in zip(steps, slopes, strict=True)]
    raise NotImplementedError(report)


@lru_cache(maxsize=16)
def _fit(path, codes, weights, model, rule, points):
    rows = pd.read_csv(path, dtype=str)
    sample_weight = None if weights is None else pd.to_numeric(rows[weights])
    fit = ItemResponseModel(model, categories=dict(codes), n_quadrature=points, quadrature=rule)
    return fit.fit(rows[[item for item, _ in codes]], sample_weight=sample_weight)
