"""The weight of each row, in the order of the rows."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError


def as_table(answers):
    return answers if isinstance(answers, pd.DataFrame) else pd.DataFrame(np.asarray(answers))


def row_order(answers):
    return np.argsort(as_table(answers).index.to_numpy(), kind="stable")


def weights_of(table, sample_weight):
    """Weights in the order of the rows; a Series is matched by row key."""
    if sample_weight is None:
        return np.ones(len(table))
    if isinstance(sample_weight, pd.Series) and not sample_weight.index.equals(table.index):
        if not sample_weight.index.is_unique or not table.index.isin(sample_weight.index).all():
            raise EstimateError("weights and answers have different row keys: give each row of answers one")
        sample_weight = sample_weight.reindex(table.index)
    weights = np.asarray(sample_weight, dtype=float)
    if weights.shape != (len(table),) or not np.isfinite(weights).all() or (weights < 0).any():
        raise EstimateError(f"expected {len(table)} weights of 0 or more; got {weights.size}, of which "
                            f"{int((~(weights >= 0)).sum())} negative or missing: correct the weights")
    if not weights.any():
        raise EstimateError(f"all {len(table)} weights are zero: expected some above 0")
    return weights


def kish(weights):
    return weights.sum() ** 2 / (weights**2).sum()
