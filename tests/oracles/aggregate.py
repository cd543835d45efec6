"""Judge of the recovery kind: all populations together, each paired with a reference's results on the same sample."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

MEASURES = {"coverage": 0, "share_error": -1, "ari": 1, "prob_error": -1, "k_right": 1}  # 1: more is better
CLEAR = 2.0  # standard errors of a paired difference beyond which it is one


def table(directory, results):
    """A row a measure: ours and the reference's mean over populations, the paired difference and its error.

    Parameters
    ----------
    directory : Path
        Holds a folder with truth.json for each population, and reference.json.
    results : dict, population -> {"shares", "ci_low", "ci_high", "probs", "labels", "k"}

    Returns
    -------
    DataFrame: measure, got, reference, difference, se, worse (beyond two standard errors). Coverage is pooled over
    shares, as the reference's; its difference is between means over populations.
    """
    reference = _read(Path(directory) / "reference.json")
    pairs = []
    for name, given in sorted(results.items()):
        truth, theirs = _read(Path(directory) / name / "truth.json"), reference[name]
        ours = measures(given, truth)
        right = theirs["k_right"] if "k_right" in theirs else theirs["k_chosen"] == truth["K"]
        other = {**theirs, "coverage": np.mean(theirs["covered"]), "k_right": float(right)}
        pairs.append([[ours[key], other[key], truth["K"]] for key in MEASURES])
    values = np.array(pairs, dtype=float)  # populations x measures x (ours, theirs, classes)
    difference = values[:, :, 0] - values[:, :, 1]
    error = difference.std(axis=0, ddof=min(1, len(values) - 1)) / math.sqrt(len(values))
    means = values[:, :, :2].mean(axis=0)
    means[0] = np.average(values[:, 0, :2], axis=0, weights=values[:, 0, 2])
    made = pd.DataFrame({"measure": list(MEASURES), "got": means[:, 0], "reference": means[:, 1],
                         "difference": difference.mean(axis=0), "se": error})  # fmt: skip
    sign = np.array(list(MEASURES.values()))
    return made.assign(worse=made["difference"] * sign < -CLEAR * made["se"])


def measures(given, truth):
    """How one population was recovered; classes are matched to the true ones by their probabilities."""
    place = matched(given["probs"], truth["true_probs"])
    shares, low, high = (np.array(given[name], dtype=float)[place] for name in ("shares", "ci_low", "ci_high"))
    true = np.array(truth["true_shares"])
    if len(given["labels"]) != len(truth["true_class"]):
        raise ValueError(f"{len(given['labels'])} labels for {len(truth['true_class'])} rows")
    return {
        "coverage": ((low <= true) & (true <= high)).mean(),
        "share_error": np.abs(shares - true).mean(),
        "ari": adjusted_rand(given["labels"], truth["true_class"]),
        "prob_error": np.abs(flat(given["probs"])[place] - flat(truth["true_probs"])).mean(),
        "k_right": float(given["k"] == truth["K"]),
    }


def matched(found, true):
    """For each true class, the place of the class found that stands for it: least sum of squared distances."""
    found, true = flat(found), flat(true)
    if found.shape != true.shape:
        raise ValueError(f"probabilities of {found.shape[0]} classes x {found.shape[1]}, the truth has {true.shape}")
    distance = ((true[:, None] - found[None]) ** 2).sum(axis=2)
    orders = np.array(_orders(frozenset(range(len(true)))))
    return orders[distance[np.arange(len(true)), orders].sum(axis=1).argmin()]


def flat(probs):
    """Probabilities of each class in one row, whatever the numbers of categories."""
    return np.array([[one for item in of_class for one in item] for of_class in probs], dtype=float)


def _orders(left):
    return [[one, *rest] for one in sorted(left) for rest in _orders(left - {one})] if left else [[]]


def adjusted_rand(one, other):
    """Adjusted Rand index of two groupings (Hubert and Arabie 1985)."""
    counts = pd.crosstab(np.array(one), np.array(other)).to_numpy()
    together, rows, columns = (_pairs(each) for each in (counts, counts.sum(axis=1), counts.sum(axis=0)))
    by_chance, most = rows * columns / _pairs(counts.sum()), (rows + columns) / 2
    return 1.0 if most == by_chance else (together - by_chance) / (most - by_chance)


def _pairs(counts):
    return float((counts * (counts - 1) / 2).sum())


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))
