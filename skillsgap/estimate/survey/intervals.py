"""Intervals of estimates from their standard errors."""

import numpy as np
from scipy import stats

from skillsgap.errors import EstimateError

CONFIDENCE = 0.95
KNOWN = 1e10  # effective answers beyond which a share has no error, as one that weights were calibrated to
KINDS = ("wald", "logit", "beta")


def interval(estimate, se, degf, *, share=False, level=CONFIDENCE):
    """t limits; for shares on the logit scale, which keeps them between 0 and 1."""
    t = t_quantile(degf, level)
    low, high = estimate - t * se, estimate + t * se
    share = np.broadcast_to(share, np.shape(estimate))
    logit = logit_limits(np.where(share, estimate, 0.5), np.where(share, se, 0.0), t)
    return np.where(share, logit[0], low), np.where(share, logit[1], high)


def limits(estimate, se, degf, n, *, kind="wald", level=CONFIDENCE, rows=None):
    """Interval of the kind asked for: t, or for shares on the logit scale or Korn and Graubard's."""
    if kind not in KINDS or not 0 < level < 1:
        raise EstimateError(f"interval {kind!r} at level {level}: use {' or '.join(KINDS)}, and a level within 0 and 1")
    if kind != "wald" and ((estimate < 0) | (estimate > 1)).any():
        raise EstimateError(f"interval {kind!r} is one of shares, and an estimate isn't within 0 and 1: use wald")
    if kind == "beta":
        return beta_limits(estimate, se, degf, n, level, rows=rows)
    return interval(estimate, se, degf, share=kind == "logit", level=level)


def t_quantile(degf, level=CONFIDENCE):
    """How many standard errors an interval reaches to each side."""
    return stats.t.ppf((1 + level) / 2, np.maximum(degf, 1))


def logit_limits(share, se, quantile):
    """Interval of shares, symmetric on the logit scale; a share of 0 or 1, or without error, is its own limits."""
    inside = (share > 0) & (share < 1) & (se > 0)
    middle = np.where(inside, share, 0.5)
    half = quantile * np.where(inside, se, 0) / (middle * (1 - middle))
    logit = np.log(middle / (1 - middle))
    low, high = 1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))
    return np.where(inside, low, share), np.where(inside, high, share)


def beta_limits(share, se, degf, n, level=CONFIDENCE, *, rows=None):
    """Clopper–Pearson limits of shares at the effective number of answers (Korn & Graubard 1998).

    A share of 0 or 1 has no standard error: its effective answers are its answers `n`. `rows` are the respondents in
    the domain, answered or not, whose t quantile R's survey sets against the design's; `n` by default.
    """
    share, se, n = (np.asarray(each, dtype=float) for each in (share, se, n))
    spread, rows = share * (1 - share), n if rows is None else rows
    effective = np.divide(spread, se**2, out=np.where(spread > 0, np.inf, n), where=(se > 0) & (spread > 0))
    effective = effective * (stats.t.ppf((1 + level) / 2, np.maximum(rows - 1, 1)) / t_quantile(degf, level)) ** 2
    known = effective > KNOWN
    effective = np.where(known, KNOWN, effective)
    yes, no, tail = effective * share, effective * (1 - share), (1 - level) / 2
    low, high = stats.beta.ppf(tail, yes, no + 1), stats.beta.ppf(1 - tail, yes + 1, no)
    low, high = np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)
    return np.where(known, share, low), np.where(known, share, high)
