"""Mantel and Haenszel's test and logistic regression of each item between two groups matched on their sums."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.cumulative import cumulative_logit, delta_r2, normalised, standardised
from skillsgap.estimate.survey.intervals import interval
from skillsgap.estimate.survey.weights import weights_of

ALPHA = 0.05
MAX_ROUNDS = 11  # with all items in the score, and up to ten times without those flagged last
CONTINUITY = ("half_if_difference_at_least_half", "none")


def item_dif(answers, group, *, reference, focal, method="proportional_odds", includes_studied_item=True,
             purification=False, continuity=CONTINUITY[0], sample_weight=None):  # fmt: skip
    """Difference between two groups' answers to each item at the same matching score: log odds.

    The score is the sum of all items (or of all others). With `purification`, items with p < .05 (of Mantel and
    Haenszel's test, or of group and interaction together) are left out of it, again until the same ones are found.

    Parameters
    ----------
    answers : DataFrame of shape (n_respondents, n_items)
        Codes, low to high, two a column unless the method is proportional_odds; none missing.
    group : Series of shape (n_respondents,)
        In the order of `answers`; who is in neither group, or in none, is left out.
    reference, focal : label
        The two groups.
    method : {"mantel_haenszel", "logistic", "proportional_odds"}
    includes_studied_item : bool
        Whether an item is part of its own matching score, also when flagged.
    purification : bool
    continuity : {"half_if_difference_at_least_half", "none"}
        What is taken from |A - E(A)| in the Mantel–Haenszel chi-square.
    sample_weight : array-like of shape (n_respondents,), optional
        Scaled to their effective number; 0 = absent.

    Returns
    -------
    DataFrame
        item_id, estimate (log odds, positive: the focal group answers higher), se, ci_low, ci_high, n, n_eff,
        uncertainty, flagged; chi2, p, odds_ratio, delta, ets_class (empty where there is no delta) of Mantel and
        Haenszel, or uniform_chi2, nonuniform_chi2, both_p, delta_r2_nagelkerke of a regression.

    Raises
    ------
    EstimateError
        An unknown word, an answer missing, a group without anybody, weights that can't be, or more than two categories
        where two are needed.

    References
    ----------
    Holland & Thayer (1988), in Test Validity, 129–145; Robins, Breslow & Greenland (1986), Biometrics 42, 311–323;
    Swaminathan & Rogers (1990), Journal of Educational Measurement 27, 361–370; Zumbo (1999), Handbook on DIF.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1, 0, 1, 0, 1, 0, 1, 0], "b": [0, 1, 1, 0, 0, 1, 1, 0]})
    >>> group = pd.Series(["r", "r", "r", "r", "f", "f", "f", "f"])
    >>> item_dif(answers, group, reference="r", focal="f", method="mantel_haenszel")["odds_ratio"].tolist()
    [1.0, 1.0]
    """
    if method not in _METHODS or continuity not in CONTINUITY:
        raise EstimateError(f"item_dif: method {method!r} or continuity {continuity!r} is unknown: methods are "
                            f"{', '.join(_METHODS)}, continuity {' or '.join(CONTINUITY)}")  # fmt: skip
    weights, names = weights_of(answers, sample_weight), group.astype("string").to_numpy(dtype=object, na_value="")
    rows = (weights > 0) & np.isin(names, [str(reference), str(focal)])
    values, is_focal = answers.to_numpy(dtype=float)[rows], names[rows] == str(focal)
    if not is_focal.any() or is_focal.all():
        raise EstimateError(f"item_dif: nobody is in {reference!r} or nobody in {focal!r}: name two groups of the data")
    if np.isnan(values).any():
        raise EstimateError(f"item_dif: {int(np.isnan(values).any(axis=1).sum())} rows miss an answer, so their sums "
                            "say less: use differential_functioning, which matches on means")  # fmt: skip
    if method != "proportional_odds" and max(len(np.unique(column)) for column in values.T) > 2:
        raise EstimateError(f"item_dif: {method} needs two categories an item: use proportional_odds")
    w, n_eff = normalised(weights[rows])
    flagged = np.zeros(values.shape[1], dtype=bool)
    for _ in range(MAX_ROUNDS if purification else 1):
        table = pd.DataFrame([_METHODS[method](*_matched(values, item, ~flagged, includes_studied_item), is_focal, w,
                                               continuity) for item in range(len(flagged))])  # fmt: skip
        found = (table["p" if method == "mantel_haenszel" else "both_p"] < ALPHA).to_numpy()
        if (found == flagged).all() or found.all():
            break
        flagged = found
    low, high = interval(table["estimate"], table["se"], np.inf)
    head = {"item_id": list(answers), "estimate": table.pop("estimate"), "se": table.pop("se"), "ci_low": low,
            "ci_high": high, "n": len(values), "n_eff": n_eff, "uncertainty": "sampling", "flagged": found}  # fmt: skip
    return pd.concat([pd.DataFrame(head), table], axis=1)


def _matched(values, item, anchor, includes):
    """Codes of an item, from 0 without gaps, and the score it is matched on."""
    part = anchor.copy()
    part[item] = includes
    return np.unique(values[:, item], return_inverse=True)[1], np.round(values[:, part].sum(axis=1), 9)


def _mantel_haenszel(right, score, focal, weights, continuity):
    strata = np.unique(score, return_inverse=True)[1]
    cells = np.bincount(strata * 4 + focal * 2 + (1 - right), weights, 4 * strata.max() + 4).reshape(-1, 4)
    squares = np.bincount(strata, weights**2)
    a, b, c, d = cells[np.bincount(strata) > 1].T
    total = a + b + c + d
    # total - 1 in an unweighted stratum: of n_eff rows each counts total / n_eff
    less_one = total - squares[np.bincount(strata) > 1] / total
    expected = (a + b) * (a + c) / total
    variance = ((a + b) * (c + d) * (a + c) * (b + d) / (total**2 * less_one)).sum()
    off = abs((a - expected).sum())
    off -= 0.5 if continuity == CONTINUITY[0] and off >= 0.5 else 0.0
    for_reference, for_focal = a * d / total, b * c / total
    r, s, p, q = for_reference.sum(), for_focal.sum(), (a + d) / total, (b + c) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2, odds = off**2 / np.float64(variance), r / np.float64(s)
        spread = ((p * for_reference).sum() / (2 * r**2) + (q * for_focal).sum() / (2 * s**2)
                  + (p * for_focal + q * for_reference).sum() / (2 * r * s))  # fmt: skip
        log_odds = np.log(odds)
    delta, tail = -2.35 * log_odds, stats.chi2.sf(chi2, 1)
    ets = "A" if abs(delta) < 1 or tail >= ALPHA else "B_or_C" if abs(delta) >= 1.5 else "B"
    ets = "" if np.isnan(delta) else ets
    return {"estimate": -log_odds, "se": np.sqrt(spread), "chi2": chi2, "p": tail, "odds_ratio": odds, "delta": delta,
            "ets_class": ets}  # fmt: skip


def _regression(y, score, focal, weights, continuity):
    if y.max() == 0:  # everybody answers the same
        return dict.fromkeys(_REGRESSED, np.nan)
    x = np.column_stack([standardised(score, weights), focal])
    fits = [cumulative_logit(y, columns, weights) for columns in (x[:, :1], x, np.column_stack([x, x[:, 0] * focal]))]
    alone, uniform, full = (fit.loglik for fit in fits)
    at = fits[1].coefficients.size - 1
    return {"estimate": fits[1].coefficients[at], "se": np.sqrt(fits[1].inverse[at, at]),
            "uniform_chi2": 2 * (uniform - alone), "nonuniform_chi2": 2 * (full - uniform),
            "both_p": stats.chi2.sf(2 * (full - alone), 2),
            "delta_r2_nagelkerke": delta_r2(y, weights, alone, full)}  # fmt: skip


_REGRESSED = ("estimate", "se", "uniform_chi2", "nonuniform_chi2", "both_p", "delta_r2_nagelkerke")
_METHODS = {"mantel_haenszel": _mantel_haenszel, "logistic": _regression, "proportional_odds": _regression}
