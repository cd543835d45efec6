"""Response as a second phase of sampling: rates, weights, representativity, and how unlike non-respondents may be."""

import numpy as np
import pandas as pd
from scipy import special

from skillsgap.contracts import STATUS
from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import interval
from skillsgap.estimate.survey.means import design_means
from skillsgap.estimate.survey.replicates import bootstrap_factors
from skillsgap.estimate.survey.sampling import Stage

FEWEST = 10  # respondents that carry a response rate of their own
NEWTON = 25
RIDGE = 1e-9  # keeps the logistic equations solvable where everybody of a category answered


def response_rates(status, design, *, by=None):
    """Share of the invited that answered: in full (AAPOR's RR1), and in full or in part (RR2), with invitation weights.

    Parameters
    ----------
    status : Series of shape (n_invited,)
        complete, partial or no_response.
    design : SurveyDesign
        Of all invited.
    by : Series of shape (n_invited,), optional
        Groups to tell rates of.

    Returns
    -------
    DataFrame
        group, variable (rr1 or rr2), estimate, se, ci_low, ci_high, n (invited), n_eff, uncertainty, and the invited
        counted by status.

    Raises
    ------
    EstimateError
        A status is none of the three, or empty.

    References
    ----------
    AAPOR (2023), Standard Definitions, 10th ed.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "status": ["complete", "partial", "no_response", "complete"]})
    >>> table = response_rates(rows["status"], survey_design(rows, n_replicates=50))
    >>> table[["variable", "estimate", "n", "complete"]].to_numpy().tolist()
    [['rr1', 0.5, 4, 2], ['rr2', 0.75, 4, 2]]
    """
    if unknown := sorted(set(map(str, status)) - set(STATUS)):
        raise EstimateError(f"status {unknown[0]!r} isn't known: it is one of {', '.join(STATUS)}")
    shares = pd.DataFrame({"rr1": status == STATUS[0], "rr2": status != STATUS[-1]}).astype(float)
    table = design_means(shares, design, by=by, shares=["rr1", "rr2"])
    groups = pd.Series("all", status.index) if by is None else by.astype("string")
    counts = pd.crosstab(groups, status).reindex(columns=STATUS, fill_value=0)
    return table.join(counts.set_axis(counts.index.astype(str)).set_axis(list(STATUS), axis=1), on="group")


def response_cells(answered, by, *, n_min=FEWEST):
    """Cells of the invited within which response is taken for chance.

    A cell with too few respondents joins the one whose response rate is nearest.

    Parameters
    ----------
    answered : Series of bool, shape (n_invited,)
    by : Series or DataFrame of shape (n_invited, …)
        What is known of everybody; cells are its combinations.
    n_min : int
        Fewest respondents of a cell.

    Returns
    -------
    Series of str, shape (n_invited,)

    Raises
    ------
    EstimateError
        Something of `by` isn't known of everybody, or fewer than `n_min` answered at all.

    Examples
    --------
    >>> answered = pd.Series([True, True, True, False, False, True])
    >>> response_cells(answered, pd.Series(list("aabbcc")), n_min=2).tolist()
    ['a', 'a', 'b + c', 'b + c', 'b + c', 'b + c']
    """
    by = by.to_frame() if isinstance(by, pd.Series) else by
    if by.isna().any(axis=None):
        name = by.columns[by.isna().any()][0]
        raise EstimateError(f"response cells: {name} is empty for {by[name].isna().sum()} of the invited: leave it out")
    if answered.sum() < n_min:
        raise EstimateError(f"response cells: only {answered.sum()} of {len(answered)} answered: lower n_min ({n_min})")
    names = by.iloc[:, 0].astype(str).str.cat([by[c].astype(str) for c in by.columns[1:]], sep=" × ")
    counts = answered.astype(bool).groupby(names.to_numpy()).agg(["sum", "size"])
    merged = {name: [name] for name in counts.index}
    while counts["sum"].min() < n_min and len(counts) > 1:
        small = counts["sum"].idxmin()
        others = counts.drop(small)
        rates = (others["sum"] / others["size"] - counts.at[small, "sum"] / counts.at[small, "size"]).abs()
        near = rates.idxmin()
        joined = counts.loc[[small, near]].sum().rename(near).to_frame().T
        counts = pd.concat([others.drop(near), joined]).sort_index()
        merged[near] += merged.pop(small)
    label = {name: " + ".join(sorted(group)) for group in merged.values() for name in group}
    return names.map(label).rename("cell")


def adjust_response(design, answered, cells, *, random_state=0):
    """Weights of the respondents, who stand for all invited of their response cell, in every replicate.

    Response is a second phase: within a cell, who answers is taken for a draw. Each replicate finds the response rates
    anew. Where the invited are a good part of the population (fpc), resampling them tells too little, so that
    respondents are resampled within cells on top, and a census that 65 % answered has the variance of a sample of
    65 %. Where the cells are the strata, `survey_design` of the respondents alone, with their populations, says the
    same; cells across the strata need this.

    Parameters
    ----------
    design : SurveyDesign
        Of all invited.
    answered : Series of bool, shape (n_invited,)
    cells : Series of shape (n_invited,)
        From `response_cells`.
    random_state : int

    Returns
    -------
    SurveyDesign
        Of the respondents.

    Raises
    ------
    EstimateError
        A cell has no respondent, the design has no replicates, or (with fpc) others than a bootstrap's.

    References
    ----------
    Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, 15.6; Kim, Navarro & Fuller (2006), Journal of
    the American Statistical Association 101, 312–320; Preston (2009), Survey Methodology 35, 227–234.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "unit": list("aaaabb")})
    >>> answered = pd.Series([True, True, False, False, True, True])
    >>> adjust_response(survey_design(rows, n_replicates=50), answered, rows["unit"]).weights.tolist()
    [2.0, 2.0, 1.0, 1.0]
    """
    there = answered.to_numpy(dtype=bool)
    codes, labels = pd.factorize(cells.astype(str).to_numpy(), sort=True)
    counted = np.bincount(codes[there], minlength=len(labels))
    if not design.replicated:
        raise EstimateError("response rates are found anew in every replicate: use method='bootstrap'")
    if not counted.all():
        raise EstimateError(f"response cell {labels[counted.argmin()]!r} has no respondent: join it with another "
                            "(response_cells does)")  # fmt: skip
    invited, weights = design.matrix, design.matrix[there]
    share = _fractions(design)[there]
    if share.any():
        weights = weights.copy()
        weights[:, 1:] += _second_phase(design, answered, codes, counted, share, random_state)
    mass = np.stack([np.bincount(codes, column, len(labels)) for column in invited.T])
    kept = np.stack([np.bincount(codes[there], column, len(labels)) for column in weights.T])
    ratio = np.divide(mass, kept, out=np.zeros_like(mass), where=kept > 0)
    weights = weights * ratio.T[codes[there]]
    full = pd.Series(weights[:, 0], index=design.weights.index[there], name="weight")
    degf = min(design.degf, max(int(there.sum()) - len(labels), 1))
    return SurveyDesign(full, weights[:, 1:], design.scales, degf, design.method, design.centre)


def _fractions(design):
    """Share of the population that was invited, where each person of the sample stands; 0 without an fpc."""
    if design.linearization is None:
        return np.zeros(len(design.weights))
    stages = design.linearization.stages
    share = 1.0
    for stage in stages:
        share = (share * stage.fraction)[stage.parents]
    return share[stages[-1].units][design.linearization.rows]


def _second_phase(design, answered, codes, counted, share, random_state):
    """What drawing respondents within cells adds to their replicate weights (n_respondents, n_replicates)."""
    if design.method != "bootstrap":
        raise EstimateError("response adds variance to a design with fpc that takes a bootstrap: use that method")
    there = answered.to_numpy(dtype=bool)
    order = np.argsort(answered.index[there].to_numpy(), kind="stable")
    invited = np.bincount(codes, minlength=len(counted)).astype(float)
    stage = Stage(np.arange(len(order)), codes[there][order], counted, invited)
    factors, _ = bootstrap_factors((stage,), design.replicate_weights.shape[1], np.random.default_rng(random_state))
    first, full = design.replicate_weights[there], design.weights.to_numpy()[there, None]
    # the root of the first phase's factor keeps the size of what the second adds; no weight goes below 0
    added = np.sqrt(first * full * share[:, None]) * (factors[np.argsort(order)] - 1)
    return np.maximum(added, -first)


def representativity(answered, known, design):
    """How evenly response spreads over what is known of everybody: R = 1 - 2 × SD of the response propensities.

    1 is even response, 0 as uneven as can be. Propensities come from a weighted logistic regression; chance makes R of
    small samples too low.

    Parameters
    ----------
    answered : Series of bool, shape (n_invited,)
    known : DataFrame of shape (n_invited, n_columns)
        Categorical register columns.
    design : SurveyDesign
        Of all invited, with replicates.

    Returns
    -------
    DataFrame
        One row: estimate, se, ci_low, ci_high, n, n_eff, uncertainty, and response_rate (weighted).

    References
    ----------
    Schouten, Cobben & Bethlehem (2009), Survey Methodology 35, 101–113.
    """
    keys = known.astype(str).fillna("").apply(lambda column: column.astype("category"))
    cell = keys.groupby(list(keys), observed=True, sort=True).ngroup().to_numpy()
    _, first = np.unique(cell, return_index=True)
    x = pd.get_dummies(keys, drop_first=True, dtype=float).assign(one=1.0).to_numpy()[first]
    weights = design.matrix / design.matrix.sum(axis=0) * len(cell)
    invited, came = np.zeros((2, len(first), weights.shape[1]))
    np.add.at(invited, cell, weights)
    np.add.at(came, cell, weights * answered.to_numpy(dtype=float)[:, None])
    chance = _propensities(x, invited, came)
    mean = (invited * chance).sum(axis=0) / invited.sum(axis=0)
    spread = np.sqrt((invited * (chance - mean) ** 2).sum(axis=0) / invited.sum(axis=0))
    even = 1 - 2 * spread
    se = np.sqrt(design.variance(even[0], even[1:]))
    low, high = interval(even[0], se, design.degf, share=True)
    full = weights[:, 0]
    return pd.DataFrame([{"estimate": even[0], "se": float(se), "ci_low": float(low), "ci_high": float(high),
                          "n": int((full > 0).sum()), "n_eff": full.sum() ** 2 / (full**2).sum(),
                          "uncertainty": "sampling", "response_rate": mean[0]}])  # fmt: skip


def _propensities(x, invited, came):
    """Response propensities of cells (n_cells, n_sets) by logistic regression, for many sets of weights at once."""
    coefs = np.zeros((x.shape[1], invited.shape[1]))
    for _ in range(NEWTON):
        chance = special.expit(x @ coefs)
        curve = np.einsum("ck,cs,cl->skl", x, invited * chance * (1 - chance), x, optimize=True)
        slope = (x.T @ (came - invited * chance)).T[:, :, None]
        step = np.linalg.solve(curve + RIDGE * np.eye(x.shape[1]), slope)[:, :, 0].T
        coefs += np.clip(step, -3, 3)  # a category that all answered would run off
        if np.abs(step).max() < 1e-9:
            break
    return special.expit(x @ coefs)


def tipping_point(estimates, response_rate, *, threshold, lowest=None, highest=None):
    """How unlike the non-respondents would have to be for a claim to fail: "holds unless they are 0.6 levels lower".

    The claim is that a mean is beyond the threshold, as its whole interval is. If the mean of those who didn't answer
    differs by d from that of those who did, the mean of all differs by (1 - response rate) × d.

    Parameters
    ----------
    estimates : DataFrame
        estimate, ci_low and ci_high, a row each claim.
    response_rate, threshold : float or Series of shape (n_rows,)
    lowest, highest : float, optional
        Ends of the scale; a difference that would lead beyond them isn't possible.

    Returns
    -------
    DataFrame
        `estimates`, with threshold, direction (lower or higher; empty where the interval holds the threshold, so that
        there is no claim), tipping_point (the difference, from 0; infinite where everybody answered), nonrespondents
        (their mean at that point) and possible (whether the scale allows it).

    Raises
    ------
    EstimateError
        A response rate is not above 0 and up to 1.

    References
    ----------
    Rubin (1977), Journal of the American Statistical Association 72, 538–543; Cochran (1977), Sampling
    Techniques, 13.2.

    Examples
    --------
    >>> table = pd.DataFrame({"estimate": [2.5], "ci_low": [2.3], "ci_high": [2.7]})
    >>> tipping_point(table, 0.6, threshold=2.0)[["direction", "tipping_point", "nonrespondents"]].round(2).to_numpy()
    array([['lower', 0.75, 1.75]], dtype=object)
    """
    silent = _silent(response_rate)
    above, below = estimates["ci_low"] > threshold, estimates["ci_high"] < threshold
    room = (estimates["ci_low"] - threshold).where(above, threshold - estimates["ci_high"]).where(above | below)
    with np.errstate(divide="ignore"):
        point = room / silent
    there = estimates["estimate"] + np.where(above, -point, point)
    inside = there.clip(lowest, highest) == there
    direction = pd.Series(np.select([above, below], ["lower", "higher"], ""), estimates.index).replace("", None)
    return estimates.assign(threshold=threshold, direction=direction, tipping_point=point, nonrespondents=there,
                            possible=inside & np.isfinite(there))  # fmt: skip


def tipping_interval(estimates, response_rate, *, difference, lowest=None, highest=None):
    """Intervals that hold for any difference of the non-respondents' mean up to the one assumed.

    Parameters
    ----------
    estimates : DataFrame
        ci_low and ci_high, a row each estimate.
    response_rate, difference : float or Series of shape (n_rows,)
        The difference is the largest, up or down.
    lowest, highest : float, optional
        Ends of the scale.

    Returns
    -------
    DataFrame
        `estimates`, with difference, tipping_low and tipping_high.

    Raises
    ------
    EstimateError
        A response rate is not above 0 and up to 1, or a difference is below 0.

    Examples
    --------
    >>> table = pd.DataFrame({"estimate": [2.5], "ci_low": [2.3], "ci_high": [2.7]})
    >>> tipping_interval(table, 0.6, difference=0.5)[["tipping_low", "tipping_high"]].round(2).to_numpy().tolist()
    [[2.1, 2.9]]
    """
    if (np.asarray(difference) < 0).any():
        raise EstimateError(f"the difference of non-respondents is {np.min(difference):g}: give a number from 0")
    wider = _silent(response_rate) * difference
    low, high = (estimates["ci_low"] - wider).clip(lower=lowest), (estimates["ci_high"] + wider).clip(upper=highest)
    return estimates.assign(difference=difference, tipping_low=low, tipping_high=high)


def _silent(response_rate):
    """Share of the invited that didn't answer."""
    rate = np.atleast_1d(np.asarray(response_rate, dtype=float))
    wrong = rate[~((rate > 0) & (rate <= 1))]
    if len(wrong):
        raise EstimateError(f"a response rate is {wrong[0]:g}: give a share above 0, up to 1")
    return 1 - response_rate
