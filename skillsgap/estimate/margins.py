"""Margins that weights are calibrated to: who is in which category, and what keeps a margin from being met."""

import numpy as np
import pandas as pd
from scipy import sparse

UNTOLD = 0.2  # share of the weights without a category above which a margin says too little


def margin_faults(sample, weights, register, *, margins):
    """Find what keeps margins from being calibrated to, as far as that shows without raking.

    Parameters
    ----------
    sample : DataFrame of shape (n_respondents, …)
        The margin columns of the respondents; empty where somebody didn't tell.
    weights : Series of shape (n_respondents,)
        Base weights.
    register : DataFrame
        Margin columns and ``headcount``.
    margins : list of str

    Returns
    -------
    list of str
        One line a fault: too many tell no category, a category has staff and no respondent, or the register lacks it.

    Examples
    --------
    >>> rows = pd.DataFrame({"sex": ["f", "x", None]})
    >>> register = pd.DataFrame({"sex": ["f", "m"], "headcount": [2, 2]})
    >>> for line in margin_faults(rows, pd.Series([1.0, 1.0, 2.0]), register, margins=["sex"]):
    ...     print(line)
    margin sex: 50.0% of the weights are of people who gave no answer, at most 20% may: drop it from design.calibrate
    margin sex: 'm' has staff but no respondent: merge categories, or drop it from design.calibrate
    margin sex: 'x' is not in the register: merge categories, or drop it from design.calibrate
    """
    lines, counted = [], weights.to_numpy(dtype=float)
    for margin in margins:
        values, staff = sample[margin], register.groupby(margin)["headcount"].sum()
        there, known = set(values[counted > 0].dropna().astype(str)), set(staff.index.astype(str))
        untold = counted[values.isna().to_numpy()].sum() / counted.sum()
        if untold > UNTOLD:
            lines.append(f"margin {margin}: {untold:.1%} of the weights are of people who gave no answer, at most "
                         f"{UNTOLD:.0%} may: drop it from design.calibrate")  # fmt: skip
        lacking = sorted(set(staff.index[staff > 0].astype(str)) - there)
        unknown = sorted(set(values.dropna().astype(str)) - known)
        sides = [(lacking, "has staff but no respondent"), (unknown, "is not in the register")]
        lines += [f"margin {margin}: {code!r} {side}: merge categories, or drop it from design.calibrate"
                  for codes, side in sides for code in codes]  # fmt: skip
    return lines


def margin_indicator(values, register, margin):
    """Tell who is in which category of a margin, and how many staff are.

    Parameters
    ----------
    values : Series of shape (n_respondents,)
    register : DataFrame
    margin : str

    Returns
    -------
    indicator : sparse array of shape (n_respondents, n_categories)
        Ones and zeros; where anybody told no category, a last column more tells who.
    staff : ndarray of shape (n_categories, 1)
        Head-counts, in the order of the codes.
    """
    counts = register.groupby(margin)["headcount"].sum()
    codes = pd.Categorical(values.astype(str), categories=counts.index.astype(str)).codes
    untold = values.isna().to_numpy()
    codes = np.where(untold, len(counts), codes)
    shape = (len(values), len(counts) + int(untold.any()))
    indicator = sparse.csr_array((np.ones(len(values)), (np.arange(len(values)), codes)), shape=shape)
    return indicator, counts.to_numpy(dtype=float)[:, None]
