"""Weights that meet the population's margins and totals, what that does to variances, and what it changed."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.distances import distance, solve
from skillsgap.estimate.survey.margins import Margin, indicator, usable_margins

# method: distance, and what the variance takes from influence values
METHODS = {
    "poststratify": ("linear", "cell_means"), "rake": ("exponential", "sweeps"), "greg": ("linear", "regression"),
    "raking": ("exponential", "regression"), "logit": ("logit", "regression"),
}  # fmt: skip
RESIDUALS = ("cell_means", "sweeps", "regression")
SWEEPS = 10  # over the margins, as R's survey has it
BLOCK = 2e7  # numbers in the second derivatives of replicates that are solved together


@dataclass(frozen=True)
class Calibration:
    """What calibration leaves of the influence values of an estimate: the part that margins don't explain.

    Parameters
    ----------
    rows : ndarray of shape (n_respondents,)
        Places of the calibrated respondents in the sample.
    kind : {"cell_means", "sweeps", "regression"}
    cells : list of sparse array of shape (n_respondents, n_categories)
        Who is in which category, by margin.
    variables : sparse array of shape (n_respondents, n_variables)
        Calibration variables.
    base : ndarray of shape (n_respondents,)
        Weights before calibration.
    before : Calibration, optional
        One that came earlier.
    """

    rows: np.ndarray
    kind: str
    cells: list
    variables: sparse.csr_array
    base: np.ndarray
    before: object = None

    def residuals(self, influence):
        """Influence values (n_sample, p) less what calibration explains of them."""
        left, own = influence.copy(), influence[self.rows]
        if self.kind == "regression":
            own = own - self.variables @ _coefficients(self.variables, self.base, own)
        elif self.kind == "cell_means":
            own = own - _cell_means(self.cells[0], self.base, own)
        else:
            there = (self.base > 0).astype(float)
            for _ in range(SWEEPS):
                for cells in self.cells:
                    own = own - _cell_means(cells, there, own)
        left[self.rows] = own
        return left if self.before is None else self.before.residuals(left)


def _cell_means(cells, weights, values):
    mass = cells.T @ weights
    return cells @ ((cells.T @ (values * weights[:, None])) / np.where(mass > 0, mass, 1.0)[:, None])


def _coefficients(x, weights, y):
    """Weighted least squares of y on x, whose columns may depend on each other."""
    weighted = x.multiply(weights[:, None]).T
    normal = (weighted @ x).toarray()
    size = np.sqrt(np.diag(normal))
    size = np.where(size > 0, size, 1.0)
    inverse = np.linalg.pinv(normal / size / size[:, None], rcond=1e-11, hermitian=True)
    return (inverse @ ((weighted @ y) / size[:, None])) / size[:, None]


def calibrate(design, sample, targets=(), *, totals=None, method="rake", bounds=(0.25, 4.0), tolerance=1e-9,
              residuals=None):  # fmt: skip
    """Weights that meet the population's margins and totals, in the full sample and in every replicate.

    Calibrated are base weight times g, where g is a function of x'λ, x are the calibration variables (who is in which
    category of the margins, and the terms of `totals`), and λ is such that the totals are met. Replicates that can't
    keep the bounds meet the totals without them, at the worst with a weight below 0; of a category that a replicate
    hasn't drawn, the people are spread over the others.

    Who tells no category of a margin keeps their share of the total: the one that the margins which everybody told
    give them (without any such, that of their base weights). The others meet the counts times one less that share, so
    their proportions. This takes those who don't tell for spread over the categories as the others are; where, say,
    mostly women don't tell their sex, women weigh too much.

    Parameters
    ----------
    design : SurveyDesign
    sample : DataFrame of shape (n_respondents, …)
        The margin columns of the respondents, in the order of the design; empty where somebody didn't tell.
    targets : list of Series
        Population counts by category, from `register_margins` or elsewhere; the names of the index are columns of
        `sample`, several of them crossed.
    totals : DataFrame, optional
        Further population totals: term (intercept or a column), level (the category that is counted; empty for a
        numeric column itself), total.
    method : {"rake", "poststratify", "greg", "raking", "logit"}
        rake and raking: g = exp(x'λ), where rake first brings the base weights, which may be on any scale, to the
        population's total. poststratify: one margin, g = count / weights in its category. greg: g = 1 + x'λ, which
        may be negative. logit: between the bounds along an S-shaped curve.
    bounds : (float, float) or None
        Smallest and largest g; weights are cut off there (logit: come near).
    tolerance : float
        Largest relative error of a total at convergence.
    residuals : {"cell_means", "sweeps", "regression"}, optional
        What a linearised variance takes off influence values: their base-weighted means in the categories
        (poststratify), unweighted means of one margin after the other ten times over (rake), or a base-weighted
        regression on the calibration variables (the others, and wherever somebody told no category).

    Returns
    -------
    SurveyDesign

    Raises
    ------
    EstimateError
        A margin can't be used (`margin_faults` finds all such at once), or the totals can't be met (of the full
        sample, within the bounds).

    References
    ----------
    Deville, Särndal & Sautory (1993), Journal of the American Statistical Association 88, 1013–1020; Deville &
    Särndal (1992), same journal 87, 376–382.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 1.0], "sex": ["f", "f", "m"]})
    >>> staff = pd.Series([2, 2], index=pd.Index(["f", "m"], name="sex"))
    >>> calibrate(survey_design(rows, n_replicates=20), rows, [staff]).weights.round(3).tolist()
    [1.0, 1.0, 2.0]
    """
    if not len(targets) and totals is None:
        return design
    _check_method(method, targets, totals, bounds, residuals)
    made, faults = usable_margins(sample, design.weights, targets)
    if faults := faults + _total_faults(sample, design.weights, totals):
        raise EstimateError(faults[0])
    extra, amounts = _further(sample, totals)
    base, size = design.matrix, made[0].counts.sum() if made else None
    if method in ("rake", "poststratify"):
        base = base * (size / base.sum(axis=0))
    weights = _Equations(made, extra, amounts, method, bounds, tolerance).weights(base)
    full = pd.Series(weights[:, 0], index=design.weights.index, name="weight")
    line = design.linearization
    if line is not None:
        variables = sparse.hstack([*(margin.explained for margin in made), extra], format="csr")
        kind = (residuals or METHODS[method][1]) if all(margin.whole for margin in made) else "regression"
        left = Calibration(line.rows, kind, [margin.cells for margin in made], variables, design.weights.to_numpy(),
                           line.calibration)  # fmt: skip
        whole = line.weights.copy()
        whole[line.rows] = full
        line = replace(line, weights=whole, calibration=left)
    return replace(design, weights=full, replicate_weights=weights[:, 1:], linearization=line)


def _check_method(method, targets, totals, bounds, residuals):
    if method not in METHODS:
        raise EstimateError(f"calibration method {method!r} isn't known: use {', '.join(METHODS)}")
    if residuals is not None and residuals not in RESIDUALS:
        raise EstimateError(f"residuals {residuals!r} aren't known: use {', '.join(RESIDUALS)}")
    if method in ("rake", "poststratify") and (totals is not None or not len(targets)):
        raise EstimateError(f"{method} takes margins and no other totals: use greg, raking or logit")
    if method == "poststratify" and len(targets) > 1:
        raise EstimateError(f"poststratify takes one margin, and {len(targets)} came: cross their columns, or use rake")
    if bounds is not None and not bounds[0] < 1 < bounds[1] or method == "logit" and bounds is None:
        raise EstimateError(f"bounds of {method} are {bounds}: give two numbers, one below and one above 1")


def _further(sample, totals):
    """Calibration variables beside the margins (n_rows, n_terms), and their totals."""
    if totals is None:
        return sparse.csr_array((len(sample), 0)), np.empty(0)
    columns = [_term(sample, row.term, row.level) for row in totals.itertuples()]
    return sparse.csr_array(np.column_stack(columns)), totals["total"].to_numpy(dtype=float)


def _term(sample, term, level):
    """Calibration variable of a total; NaN for respondents who tell no category, or no number."""
    if term == "intercept":
        return np.ones(len(sample))
    if pd.isna(level):
        return pd.to_numeric(sample[term], errors="coerce").to_numpy(dtype=float)
    margin = Margin(sample, pd.Series([1.0], index=pd.Index([level], name=term)))
    return np.where(margin.told.isna(), np.nan, ~margin.silent)


def _total_faults(sample, weights, totals):
    lines = []
    for row in () if totals is None else totals.itertuples():
        where = f"total of {row.term}" + ("" if pd.isna(row.level) else f" {row.level!r}")
        if row.term != "intercept" and row.term not in sample:
            lines.append(f"{where}: respondents have no column {row.term}: correct its name, or drop it")
            continue
        column = _term(sample, row.term, row.level)
        if not np.isfinite(row.total):
            lines.append(f"{where}: the population total is {row.total}: give a number")
        elif silent := int(np.isnan(column).sum()):
            lines.append(f"{where}: {silent} respondents have no {row.term}: fill it in, or drop it")
        elif row.total and not (weights.to_numpy() * column != 0).any():
            lines.append(f"{where}: no respondent has any: drop it, or merge its category with another")
    return lines


class _Equations:
    """Margins and totals that weights have to meet, over the distinct rows of calibration variables."""

    def __init__(self, margins, extra, amounts, method, bounds, tolerance):
        self.total = margins[0].counts.sum() if margins else 0.0
        margins = sorted(margins, key=lambda margin: -len(margin.labels))  # the solver is quick on the first
        self.margins, self.amounts, self.bounds, self.tolerance = margins, amounts, bounds, tolerance
        self.kind = METHODS[method][0]
        keys = np.column_stack([*(margin.codes for margin in margins), extra.toarray()])
        _, first, self.cell = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        self.parts = [margin.indicator[first] for margin in margins]
        self.extra = extra[first]

    def weights(self, base):
        """Calibrated weights from base weights (n_rows, n_sets), the full sample first."""
        cells = indicator(self.cell, self.extra.shape[0]).T @ base
        whole = [m.whole for m in self.margins]
        shared = base
        if any(whole) and not all(whole):
            shared = base * self._solved(cells, base, [i for i, told in enumerate(whole) if told])[self.cell]
        return base * self._solved(cells, shared, list(range(len(whole))))[self.cell]

    def _solved(self, cells, shared, used):
        parts = [self.parts[i] for i in used] + [self.extra]
        wanted = [self.margins[i].wanted(shared, self.total) for i in used]
        x, exclusive = sparse.hstack(parts, format="csr"), parts[0].shape[1] if used else 0
        wanted = np.vstack([*wanted, np.repeat(self.amounts[:, None], cells.shape[1], axis=1)])
        grow = distance(self.kind, self.bounds)
        solved = partial(solve, x, tolerance=self.tolerance, exclusive=exclusive)
        g, misfit, start = solved(cells[:, :1], wanted[:, :1], grow)
        if np.abs(misfit).max() >= self.tolerance:
            raise EstimateError(self._unmet(misfit[:, 0], wanted[:, 0], used))
        numbers = cells.shape[1] * x.shape[1] * (x.shape[1] - exclusive)
        blocks = np.array_split(np.arange(1, cells.shape[1]), int(numbers / BLOCK) + 1)
        found = [self._replicates(solved, cells[:, block], wanted[:, block], grow, start) for block in blocks]
        return np.hstack([g, *found])

    def _replicates(self, solved, cells, wanted, grow, start):
        g, misfit, _ = solved(cells, wanted, grow, start=start)
        for kind in ("exponential", "linear") if self.kind != "linear" else ("linear",):
            far = np.abs(misfit).max(axis=0, initial=0.0) >= self.tolerance
            if far.any():
                g[:, far], misfit[:, far], _ = solved(cells[:, far], wanted[:, far], distance(kind))
        lost = int((np.abs(misfit).max(axis=0, initial=0.0) >= self.tolerance).sum())
        if lost:
            names = ", ".join(margin.name for margin in self.margins)
            raise EstimateError(f"margins {names} can't be met together in {lost} of the replicates: drop a margin, or "
                                "merge its small categories")  # fmt: skip
        return g

    def _unmet(self, misfit, wanted, used):
        worst = int(np.abs(misfit).argmax())
        names = [f"{self.margins[i].name} {label!r}" for i in used for label in self.margins[i].labels]
        which = [*names, *(f"total {i + 1}" for i in range(len(self.amounts)))][worst]
        margins = ", ".join(m.name for m in self.margins) or "of the totals"
        within = "within {} and {} times the base weight".format(*self.bounds) if self.bounds else "together"
        reached = wanted[worst] * (1 - misfit[worst])
        return (f"margins {margins} can't be met {within} (furthest off is {which}: {reached:.4g} instead "
                f"of {wanted[worst]:.4g}): widen design.bounds, or drop a margin, or merge its small categories")


def calibration_diagnostics(before, after, sample, targets):
    """How the respondents compare with the population in every category of the margins, before and after calibration.

    Parameters
    ----------
    before, after : SurveyDesign
    sample : DataFrame of shape (n_respondents, …)
    targets : list of Series
        Population counts by category, as for `calibrate`.

    Returns
    -------
    DataFrame
        margin, category, n (respondents), population (people), share_population, share_before and share_after (of
        the weights of those who told a category), ratio (share_population / share_before).

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 1.0], "sex": ["f", "f", "m"]})
    >>> staff = pd.Series([2, 2], index=pd.Index(["f", "m"], name="sex"))
    >>> design = survey_design(rows, n_replicates=20)
    >>> table = calibration_diagnostics(design, calibrate(design, rows, [staff]), rows, [staff])
    >>> table[["category", "n", "share_before", "share_after", "ratio"]].round(2).to_numpy().tolist()
    [['f', 2, 0.67, 0.5, 0.75], ['m', 1, 0.33, 0.5, 1.5]]
    """
    tables = []
    for target in targets:
        margin = Margin(sample, target)
        first, last = (margin.cells.T @ design.weights.to_numpy() for design in (before, after))
        shares = [mass / mass.sum() for mass in (margin.counts, first, last)]
        tables.append(pd.DataFrame({
            "margin": margin.name, "category": margin.categories, "population": margin.counts,
            "n": (margin.cells.T @ (before.weights.to_numpy() != 0)).astype(int), "share_population": shares[0],
            "share_before": shares[1], "share_after": shares[2], "ratio": shares[0] / shares[1]}))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def weight_changes(before, after, *, bounds=None):
    """What calibration did to the weights: their design effect (Kish), effective number, and the ratios g.

    Parameters
    ----------
    before, after : SurveyDesign
    bounds : (float, float), optional
        Those of the calibration; g is counted from its mean, which is what the bounds of rake are about.

    Returns
    -------
    Series
        n, kish_deff_before, kish_deff_after, n_eff_before, n_eff_after, g_min, g_max, negative (weights below 0),
        at_bounds (share of respondents).

    References
    ----------
    Kish (1965), Survey Sampling, 11.7.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 1.0], "sex": ["f", "f", "m"]})
    >>> staff = pd.Series([2, 2], index=pd.Index(["f", "m"], name="sex"))
    >>> design = survey_design(rows, n_replicates=20)
    >>> weight_changes(design, calibrate(design, rows, [staff])).round(3).iloc[:6].tolist()
    [3.0, 1.0, 1.125, 3.0, 2.667, 0.75]
    """
    first, last = (design.weights.to_numpy() for design in (before, after))
    there = first > 0
    g = (last[there] / last.sum()) / (first[there] / first.sum())
    effective = [weights.sum() ** 2 / (weights**2).sum() for weights in (first, last)]
    edges = np.array(bounds or (-np.inf, np.inf))
    return pd.Series({
        "n": there.sum(), "kish_deff_before": there.sum() / effective[0], "kish_deff_after": there.sum() / effective[1],
        "n_eff_before": effective[0], "n_eff_after": effective[1], "g_min": g.min(), "g_max": g.max(),
        "negative": (last < 0).sum(), "at_bounds": np.isclose(g[:, None], edges, rtol=1e-6).any(axis=1).mean(),
    })  # fmt: skip
