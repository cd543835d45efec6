"""Survey design: weights, and where the variance of anything estimated with them comes from."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.replicates import RHO, bootstrap_factors, jackknife_factors, paired_factors
from skillsgap.estimate.survey.sampling import sampling_stages, stage_covariance, stage_degf

METHODS = ("bootstrap", "linearization", "jackknife", "jk2", "brr", "fay")
GIVEN = ("jk1", "jkn", "jk2", "brr", "fay", "bootstrap")  # kinds of replicate weights that come with data
CENTRES = ("full_sample", "replicate_mean")
LARGEST = 2e8  # numbers of a jackknife's replicate weights
RANK = 1e-5  # relative tolerance of the rank of replicate weights, as R's survey has it


@dataclass(frozen=True)
class Linearization:
    """What a linearised variance needs of the whole sample, also where only a domain is looked at.

    Parameters
    ----------
    stages : tuple of Stage
    weights : ndarray of shape (n_sample,)
    rows : ndarray of shape (n_respondents,)
        Places of the respondents looked at in the sample.
    calibration : Calibration, optional
        Its `residuals` replaces influence by what the calibration left of it.
    """

    stages: tuple
    weights: np.ndarray
    rows: np.ndarray
    calibration: object = None

    def covariance(self, influence):
        """Covariance (p, p) of estimates with `influence` (n_respondents, p), which is 0 outside the domain."""
        whole = np.zeros((len(self.weights), influence.shape[1]))
        whole[self.rows] = influence
        if self.calibration is not None:
            whole = self.calibration.residuals(whole)
        return stage_covariance(self.stages, whole * self.weights[:, None])


@dataclass(frozen=True)
class SurveyDesign:
    """Weights of the full sample and where variances come from: replicates, or linearisation over sampling stages.

    Variance of any estimate from replicates: ``sum over r of scales[r] * (replicate r - centre)**2``.

    Parameters
    ----------
    weights : Series of shape (n_respondents,)
        People each respondent stands for; index ``row_key``.
    replicate_weights : ndarray of shape (n_respondents, n_replicates)
        The same in every replicate; no columns where variances are linearised.
    scales : ndarray of shape (n_replicates,)
        Factor of each replicate in the variance.
    degf : int
        Degrees of freedom of the variance.
    method : str
        How the replicates were made, or linearization.
    centre : {"full_sample", "replicate_mean"}
        What replicates are set against.
    linearization : Linearization, optional
        Absent where the data came with replicate weights.
    """

    weights: pd.Series
    replicate_weights: np.ndarray
    scales: np.ndarray
    degf: int
    method: str
    centre: str = "full_sample"
    linearization: Linearization | None = None

    def subset(self, mask):
        """The design seen from a domain; its degrees of freedom stay those of the whole sample."""
        mask = np.asarray(mask, dtype=bool)
        line = self.linearization
        line = line and replace(line, rows=line.rows[mask])
        return replace(self, weights=self.weights[mask], replicate_weights=self.replicate_weights[mask],
                       linearization=line)  # fmt: skip

    @cached_property
    def matrix(self):
        """Weights of shape (n_respondents, 1 + n_replicates), the full sample first."""
        return np.column_stack([self.weights.to_numpy(), self.replicate_weights])

    @property
    def replicated(self):
        """Whether variances come from replicates."""
        return self.replicate_weights.shape[1] > 0

    def deviations(self, full, replicates):
        """Estimates of replicates (n_replicates, …) less the centre, scaled so that their squares sum to a variance.

        A replicate without the group says nothing.
        """
        if not self.replicated:
            raise EstimateError("the design has no replicates, which this estimate's error is taken from: use "
                                "survey_design(..., method='bootstrap')")  # fmt: skip
        centre = full
        if self.centre == "replicate_mean":
            centre = np.nansum(replicates, axis=0) / np.maximum(np.isfinite(replicates).sum(axis=0), 1)
        root = np.sqrt(self.scales).reshape(-1, *(1,) * np.ndim(full))
        return np.nan_to_num(replicates - centre) * root

    def variance(self, full, replicates):
        """Variance of estimates from those of every replicate (n_replicates, …)."""
        return np.where(np.isnan(full), np.nan, (self.deviations(full, replicates) ** 2).sum(axis=0))

    def covariance(self, influence):
        """Linearised covariance (p, p) of estimates whose influence values (n_respondents, p) are given."""
        if self.linearization is None:
            raise EstimateError("the design knows replicate weights only, and no strata and sampling units: "
                                "its variances come from replicates")  # fmt: skip
        return self.linearization.covariance(np.asarray(influence, dtype=float))


def survey_design(responses, *, weight="weight", stratum=None, stages=None, method="bootstrap", n_replicates=200,
                  rho=RHO, lonely_psu="fail", random_state=0):  # fmt: skip
    """Describe how the respondents were drawn, so that errors of what is estimated from them can be told.

    Response is a second phase: the units counted as sampled are those that answered. With a population (fpc) in each
    stratum, a census that 65 % answered is a sample of 65 %: its variance isn't zero. It takes response for chance
    within a stratum; where it is uneven there, errors come out a tenth too small, and `adjust_response` over cells of
    alike response is the better account. `tipping_point` says how unlike those who didn't answer would have to be.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        Index ``row_key``, and the columns named below.
    weight : str, float or None
        Column of people each respondent stands for; one number for everybody; or None for the inverse of the
        sampling fractions.
    stratum : str, optional
        Column of the first stage's strata; by default ``stratum`` where there is one.
    stages : sequence of (unit column or None, population column or None), optional
        Sampling stages from the outside in; by default the columns ``psu`` and ``fpc``, each where there is one, and
        inside units the people of whom ``fpc2`` gives the number in the unit.
        A population is the number of units in a stratum (or parent unit), or the fraction of it that was sampled.
    method : {"bootstrap", "linearization", "jackknife", "jk2", "brr", "fay"}
        Where variances come from: replicates of that kind, or Taylor linearisation.
    n_replicates : int
        Of a bootstrap.
    rho : float
        Fay's factor.
    lonely_psu : {"fail", "adjust", "collapse", "certainty"}
        A stratum with one sampling unit of several: refused; set against the mean of all units; joined with the next
        stratum; or taken to add nothing.
    random_state : int

    Returns
    -------
    SurveyDesign

    Raises
    ------
    EstimateError
        A column isn't there, a stratum has one sampling unit, a population is unclear or too small, no weight is
        positive, or the method can't be used with these strata.

    References
    ----------
    Lumley (2010), Complex Surveys, ch. 2–3; Rao, Wu & Yue (1992), Survey Methodology 18, 209–217.

    Examples
    --------
    >>> rows = pd.DataFrame({"weight": [10.0, 10.0, 20.0]}, index=pd.Index([0, 1, 2], name="row_key"))
    >>> design = survey_design(rows, n_replicates=50)
    >>> design.replicate_weights.shape, design.degf
    ((3, 50), 2)
    """
    if method not in METHODS:
        raise EstimateError(f"variance method {method!r} isn't known: use {', '.join(METHODS)}")
    order = np.argsort(responses.index.to_numpy(), kind="stable")  # what is drawn mustn't depend on the order of rows
    rows = responses.iloc[order]
    if stratum is None and "stratum" in rows:
        stratum = "stratum"
    if stages is None:
        told = {name: name if name in rows and rows[name].notna().any() else None for name in ("psu", "fpc", "fpc2")}
        inner = [(None, told["fpc2"])] if told["psu"] and told["fpc2"] else []
        stages = [(told["psu"], told["fpc"]), *inner]
    named = [weight if isinstance(weight, str) else None, stratum, *(column for stage in stages for column in stage)]
    if unknown := [column for column in named if column is not None and column not in rows]:
        raise EstimateError(f"respondents have no column {unknown[0]}, which the design names: correct its name")
    made = sampling_stages(rows, stratum=stratum, stages=stages, lonely=lonely_psu)
    base = _base_weights(rows, weight, made)
    factors, scales = _factors(made, method, n_replicates, rho, np.random.default_rng(random_state))
    back = np.argsort(order)
    weights = pd.Series(base[back], index=responses.index, name="weight")
    line = Linearization(tuple(stage.take(back) for stage in made), base[back], np.arange(len(rows)))
    return SurveyDesign(weights, (factors * base[:, None])[back], scales, stage_degf(made, base), method,
                        linearization=line)  # fmt: skip


def _base_weights(rows, weight, stages):
    if weight is None:
        weights, share = np.ones(len(rows)), np.ones(len(stages[0].sampled))
        for stage in stages:
            share = (share * np.where(stage.population is None, 1.0, stage.fraction))[stage.parents]
        return weights / share[stages[-1].units]
    given = pd.to_numeric(rows[weight], errors="coerce") if isinstance(weight, str) else weight
    weights = np.full(len(rows), given, dtype=float)
    if not (weights > 0).any() or not np.isfinite(weights).all() or (weights < 0).any():
        raise EstimateError(f"weights: none is positive, or some are negative or not finite: correct column {weight}")
    return weights


def _factors(stages, method, n_replicates, rho, rng):
    if method == "linearization":
        return np.empty((len(stages[0].units), 0)), np.empty(0)
    if any(stage.alone == "adjust" for stage in stages):
        raise EstimateError("lonely_psu 'adjust' goes with linearised variances: use collapse or certainty, or "
                            "method='linearization'")  # fmt: skip
    if method == "bootstrap":
        return bootstrap_factors(stages, n_replicates, rng)
    if method == "jackknife":
        if (units := len(stages[0].parents)) * len(stages[0].units) > LARGEST:
            raise EstimateError(f"a jackknife makes a replicate for each of {units} units: use bootstrap")
        return jackknife_factors(stages)
    return paired_factors(stages, method, rho)


def replicate_design(weights, replicate_weights, *, method, scale=None, rscales=None, rho=None, combined=True,
                     centre="full_sample"):  # fmt: skip
    """Describe a sample by the replicate weights that came with it.

    Parameters
    ----------
    weights : Series of shape (n_respondents,)
    replicate_weights : DataFrame or ndarray of shape (n_respondents, n_replicates)
    method : {"jk1", "jkn", "jk2", "brr", "fay", "bootstrap"}
        How they were made.
    scale : float, optional
        Overall factor of the variance; by default the method's: jk1 (R - 1) / R, jkn and jk2 1, brr and bootstrap
        1 / R, fay 1 / (R (1 - rho)²).
    rscales : float or array-like of shape (n_replicates,), optional
        Factor of each replicate; 1 by default.
    rho : float, optional
        Fay's factor.
    combined : bool
        Whether they already hold the base weight.
    centre : {"full_sample", "replicate_mean"}
        What replicates are set against.

    Returns
    -------
    SurveyDesign
        Its degrees of freedom are the rank of the replicate weights less 1.

    Raises
    ------
    EstimateError
        Nobody says how they were made, a factor that the method needs is missing, or no weight is positive.

    References
    ----------
    OECD (2013), Technical report of the Survey of Adult Skills, ch. 15; Lumley (2010), Complex Surveys, ch. 2.

    Examples
    --------
    >>> weights = pd.Series([1.0, 1.0, 1.0])
    >>> left_out = 1.5 * (1 - np.eye(3))
    >>> design = replicate_design(weights, left_out, method="jk1")
    >>> design.degf, design.scales.round(2).tolist()
    (2, [0.67, 0.67, 0.67])
    """
    given, weights = np.asarray(replicate_weights, dtype=float), weights.astype(float)
    if not (weights > 0).any() or not np.isfinite(weights).all() or not np.isfinite(given).all():
        raise EstimateError("weights: none is positive, or some are not finite: correct the column weight")
    if method not in GIVEN or centre not in CENTRES:
        raise EstimateError(f"replicate weights came, and not how they were made (known are {', '.join(GIVEN)}): say "
                            "it in data.responses.replicates")  # fmt: skip
    if method == "jkn" and rscales is None and scale is None:
        raise EstimateError("jkn replicates need the factor of each stratum, (n - 1) / n: give rscales")
    if method == "fay" and rho is None and scale is None:
        raise EstimateError("Fay's replicates need rho, the factor of the weights that were made smaller: give rho")
    count = given.shape[1]
    if scale is None:
        scale = {"jk1": (count - 1) / count, "jkn": 1.0, "jk2": 1.0, "brr": 1 / count, "bootstrap": 1 / count,
                 "fay": 1 / (count * (1 - (rho or 0.0)) ** 2)}[method]  # fmt: skip
    scales = scale * np.broadcast_to(np.asarray(1.0 if rscales is None else rscales, dtype=float), count)
    replicates = given if combined else given * weights.to_numpy()[:, None]
    degf = int(np.linalg.matrix_rank(given, rtol=RANK)) - 1
    return SurveyDesign(weights, replicates, scales, degf, method, centre)
