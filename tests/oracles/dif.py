"""Adapter: differential item functioning between two groups."""

import json
from functools import lru_cache

import pandas as pd

from skillsgap.estimate.measures.itemdif import item_dif

REPORTS = {"group_coefficient": "estimate"}  # where the verb's column has another name


def answer(spec, ask, folder):
    """The number asked for: a row and a column of the table of all items."""
    known = {"score": "sum_of_all_items", "missing": "none"}
    if {"score": spec["matching"]["score"], "missing": spec["missing"]} != known:
        raise NotImplementedError(f"matching on {spec['matching']['score']} with {spec['missing']} missing")
    continuity = ask.get("continuity", "half_if_difference_at_least_half")
    table = _table(json.dumps(spec), folder, ask["method"], continuity)
    column = REPORTS.get(ask["report"], ask["report"])
    if column not in table:
        raise NotImplementedError(f"{ask['report']} of {ask['method']}")
    value = table.at[ask["item"], column]
    return value if isinstance(value, str) else float(value)


@lru_cache
def _table(spec, folder, method, continuity):
    spec = json.loads(spec)
    data = pd.read_csv(folder / spec["data"], dtype=str, keep_default_na=False)
    levels = [str(level) for level in spec["categories"]]
    numbers = pd.to_numeric(pd.Series(levels), errors="coerce")
    codes = dict(zip(levels, range(len(levels)) if numbers.isna().any() else numbers, strict=True))
    group, matching, weights = spec["group"], spec["matching"], spec["weights"]
    return item_dif(
        data[spec["items"]].replace(codes).astype(float),
        data[group["column"]],
        reference=group["reference"],
        focal=group["focal"],
        method=method,
        includes_studied_item=matching["includes_studied_item"],
        purification=matching["purification"],
        continuity=continuity,
        sample_weight=None if weights is None else data[weights].astype(float),
    ).set_index("item_id")
