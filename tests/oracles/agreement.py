"""Adapter: raters' agreement."""

import json
import math
from functools import lru_cache

import pandas as pd

from skillsgap.estimate.measures.raters import rater_agreement

FIXED = {"model": "twoway", "ties": "corrected"}  # words that leave no choice
OPTIONS = {"weights": "weights", "metric": "metric", "pair_weight": "pair_weight", "type": "kind", "unit": "unit"}


def answer(spec, ask, folder):
    """The number asked for, from the one row the verb gives."""
    interval = ask.get("interval", {})
    others = [name for name, word in FIXED.items() if ask.get(name, word) != word]
    if others or interval.get("method", "f_mcgraw_wong") != "f_mcgraw_wong" or spec["missing"] != "none":
        raise NotImplementedError(f"{ask['statistic']} with {', '.join(others) or interval or spec['missing']}")
    options = {ours: ask[theirs] for theirs, ours in OPTIONS.items() if theirs in ask}
    options |= {name: interval[name] for name in ("level", "df_from") if name in interval}
    value = _table(json.dumps(spec), folder, ask["file"], tuple(ask["raters"]), ask["statistic"],
                   tuple(sorted(options.items()))).at[0, ask["report"]]  # fmt: skip
    if math.isnan(value):
        raise NotImplementedError(f"{ask['report']} of {ask['statistic']}")
    return float(value)


@lru_cache
def _table(spec, folder, file, raters, statistic, options):
    described = next(table for table in json.loads(spec)["tables"] if table["file"] == file)
    levels = [str(level) for level in described["categories"]]
    ratings = pd.read_csv(folder / file, dtype=str, keep_default_na=False)[list(raters)]
    numbers = pd.to_numeric(pd.Series(levels), errors="coerce")
    if numbers.isna().any():
        ratings = ratings.astype(pd.CategoricalDtype(levels, ordered=True))
    else:
        ratings = ratings.replace(dict(zip(levels, numbers, strict=True))).astype(float)
    return rater_agreement(ratings, statistic, **dict(options))
