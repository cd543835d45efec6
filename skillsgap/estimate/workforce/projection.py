"""From respondents to the whole staff: how many of each profile stand in every cell of the register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats
from scipy.sparse import linalg

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.shares import ReplicateFits
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import t_quantile
from skillsgap.estimate.survey.weights import kish
from skillsgap.estimate.workforce.pooled import fit_pooled, lifted, replicate_coefs, softmax
from skillsgap.estimate.workforce.staffing import (
    Staffing,
    complete_cells,
    indicators,
    staffing,
    support_of,
    surveyed_staff,
    tilt,
)

TAILS = (0.025, 0.975)
LEAST = 1e-3  # people a beta distribution rests on: below, the share is 0 or 1 and nothing between


@dataclass(frozen=True)
class Projection:
    """Head-counts of profiles over the cells of a register, or of the population that a survey stands for.

    Parameters
    ----------
    cells : DataFrame
        Cell columns, profile (1..K), headcount (people, not rounded); sorted by cell and profile.
    counts : Staffing
        Expected head-counts in the full sample and every replicate.
    support : DataFrame
        Respondents counted by cell columns: n, weight_sum, weight_squares.
    effect_sd : dict, term -> standard deviation of its effects in logits
    design : SurveyDesign
        Where variances and their degrees of freedom come from.
    population : {"register", "survey"}
        Whose staff the head-counts are: the register's, or without one what the design weights add up to.
    """

    cells: pd.DataFrame
    counts: Staffing
    support: pd.DataFrame
    effect_sd: dict
    design: SurveyDesign
    population: str = "register"

    def headcounts(self, by):
        """Head-count of each profile in groups of cells.

        The error holds sampling, pooling and chance: given every probability the staff who didn't answer still are
        of one profile or another, which counts where a group is small. Of a register of whole people limits are whole.

        Parameters
        ----------
        by : list of cell columns; [] = all staff

        Returns
        -------
        DataFrame: `by`, profile, estimate (people), se, ci_low, ci_high (95 %, within 0 and the group's
        staff), n (respondents in the group, 0 = the model alone speaks), n_eff, uncertainty. n and n_eff are
        missing where respondents aren't known by a column of `by`.
        """
        by = list(by)
        absent = [name for name in by if name not in self.cells]
        if absent:
            raise EstimateError(f"head-counts by {', '.join(absent)}: the register's cells have no such "
                                "column: add it to the cells or leave it out")
        groups = self.cells.groupby([*by, "profile"], sort=True)
        table = groups["headcount"].sum().rename("estimate").reset_index()
        which = sparse.csr_matrix((np.ones(len(self.cells)), (groups.ngroup(), np.arange(len(self.cells)))))
        se = np.sqrt(self._variance(which) + which @ self.counts.chance.ravel())
        full = table["estimate"].to_numpy()
        staff = table.groupby(by, sort=False)["estimate"].transform("sum").to_numpy() if by else full.sum()
        staff = np.maximum(staff, 1e-300)
        table = self._with_support(table.assign(se=se), by)
        told = _beta_limits(full / staff, se / staff, t_quantile(self.design.degf), table["n_eff"].fillna(0).to_numpy())
        low, high = (limit * staff for limit in told)
        if self.population == "register" and (self.counts.staff % 1 == 0).all():
            # the nearest whole numbers make up for counts coming in steps
            low, high = np.minimum(np.round(low), full), np.maximum(np.round(high), full)
        shown = [*by, "profile", "estimate", "se", "ci_low", "ci_high", "n", "n_eff", "uncertainty"]
        return table.assign(ci_low=low, ci_high=high, uncertainty="sampling+model")[shown]

    def _variance(self, which):
        """As the design's own, run by run: all runs of all cells would fill the memory."""
        full, sums = which @ self.counts.run(0).ravel(), np.zeros((3, which.shape[0]))
        for r, scale in enumerate(self.design.scales, 1):
            apart = which @ self.counts.run(r).ravel() - full
            sums += apart, scale * apart, scale * apart**2
        mean = sums[0] / len(self.design.scales) if self.design.centre == "replicate_mean" else 0
        return np.maximum(sums[2] - 2 * mean * sums[1] + mean**2 * self.design.scales.sum(), 0)

    def _with_support(self, table, by):
        if any(name not in self.support for name in by):
            return table.assign(n=pd.NA, n_eff=np.nan)
        sums = ["n", "weight_sum", "weight_squares"]
        found = self.support.groupby(by)[sums].sum() if by else self.support[sums].sum().to_frame().T
        found = found.assign(n_eff=found["weight_sum"] ** 2 / found["weight_squares"])[["n", "n_eff"]]
        table = table.join(found, on=by) if by else table.assign(**found.iloc[0])
        return table.assign(n=table["n"].fillna(0).astype(int), n_eff=table["n_eff"].fillna(0.0))


def project_staff(profiles: CompetencyProfiles, answers, covariates, register_cells, design: SurveyDesign, *,
                  replicates: ReplicateFits, terms, penalty=None, random_state=0):
    """Estimate how many staff of each profile every register cell holds.

    P(profile | cell) is a multinomial logit on effects of `terms`, fitted to the answers with the profiles' answer
    probabilities held fixed (two-step: unlike a regression of posterior probabilities it doesn't pull differences
    towards zero). Effects are partly pooled, intercepts free, and set so that profile totals equal the direct estimate
    (share x staff). Respondents count by what they answered, the rest of their cell by the model. Every cell keeps its
    head-count, and profiles their direct totals.

    Replicates also carry a draw of what pooling may hide, at a spread drawn from its posterior, so an agency without
    respondents gets the width of an unknown agency. What was to be estimated are the profiles of the very staff there
    are: a sampling fraction therefore narrows intervals by what respondents told of themselves, and the corrections for
    it in replicate weights are taken out. Errors don't hold what no survey shows of itself: response that depends on
    the skills themselves, or levels that differ between agencies within a profile.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    covariates : DataFrame (n_respondents, ...) with the columns of `terms`, same row keys; its other columns place
        respondents in cells
    register_cells : DataFrame or None
        Columns of `terms`, any further cell columns, and headcount (people, >= 0); without headcount a row is one
        person. None where there is no register: the cells are those of the respondents, by all columns of
        `covariates`, and head-counts what their weights add up to, in every replicate anew.
    design : SurveyDesign of the same respondents
    replicates : ReplicateFits of the same design
    terms : list of str
        Columns, or several joined by ":" for their interaction.
    penalty : float > 0, optional
        Standard deviation of effects in logits. Default: estimated for each term (restricted likelihood, half-normal
        prior of 1 logit).
    random_state : int

    Returns
    -------
    Projection; `headcounts(by)` gives figures with intervals

    Raises
    ------
    EstimateError
        Row keys differ, replicates are of another design, a term is absent or missing in places, the register is empty.

    References
    ----------
    Bakk and Kuha (2018), Psychometrika 83, 871-892 (two-step).
    Park, Gelman and Bafumi (2004), Political Analysis 12, 375-385 (regression and post-stratification).
    Molina and Rao (2010), Canadian Journal of Statistics 38, 369-385 (respondents as seen, the rest predicted).
    Pfeffermann and Sverchkov (1999), Sankhya B 61, 166-186 (weights of a model that has what they depend on).
    Gelman (2006), Bayesian Analysis 1, 515-534 (priors of spreads).

    Examples
    --------
    >>> from skillsgap.estimate.profiles.shares import profile_replicates
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> people = pd.DataFrame({"agency": list("aaab" * 20 + "bbba" * 20), "weight": 10.0}).rename_axis("row_key")
    >>> answers = pd.DataFrame({f"q{j}": [0.0, 0.0, 0.0, 1.0] * 40 for j in range(6)}, people.index)
    >>> design = survey_design(people, n_replicates=50)
    >>> fit = CompetencyProfiles(2, n_starts=2).fit(answers, sample_weight=design.weights)
    >>> refits = profile_replicates(fit, answers, design)
    >>> cells = pd.DataFrame({"agency": ["a", "b"], "headcount": [900, 700]})
    >>> made = project_staff(fit, answers, people, cells, design, replicates=refits, terms=["agency"])
    >>> made.headcounts([])["estimate"].round().tolist()
    [1200.0, 400.0]
    """
    if not len(design.scales) or len(replicates.theta) != len(design.scales):
        raise EstimateError(f"replicates hold {len(replicates.theta)} fits, and the design has {len(design.scales)}: "
                            "refit them with profile_replicates on this design, which needs replicate weights")
    columns = list(dict.fromkeys(":".join(terms).split(":")))
    rows, surveyed = np.sort(answers.index.to_numpy()), register_cells is None
    frame = _respondents(covariates, rows, columns, design)
    matrix = design.matrix[design.weights.index.get_indexer(rows)]
    cells = complete_cells(frame if surveyed else register_cells, columns)
    staff = cells[["headcount"]].to_numpy(dtype=float)
    if surveyed:
        staff = surveyed_staff(cells, frame, matrix)
        cells["headcount"] = staff[:, 0]
    stretch = np.ones(len(rows)) if surveyed else _without_fraction(matrix, design.scales)
    people, where, owner = indicators(frame, cells, terms)
    weights = np.maximum(matrix[:, :1] + (matrix - matrix[:, :1]) * stretch[:, None], 0)
    weights = _beyond_terms(weights, people)
    likelihood, each = _likelihoods(profiles, answers.loc[rows], replicates)
    model = fit_pooled(people, likelihood, weights[:, 0], owner, profiles.shares_, penalty)
    coefs = replicate_coefs(model, people, likelihood, each, weights, owner, design.scales, random_state)
    shares = np.vstack([profiles.shares_, profiles.shares_ * (replicates.shares / profiles.shares_) ** stretch.mean()])
    runs = (likelihood if r < 0 else each([r])[:, 0] for r in range(-1, len(design.scales)))
    counts = staffing(cells, frame, where, coefs, runs, shares, staff=staff, predict=not surveyed)
    found = counts.run(0) / np.maximum(staff[:, :1], 1e-300)
    found = softmax(np.log(np.maximum(found, 1e-300)) + tilt(found, staff[:, 0], shares[0])) * staff[:, :1]
    long = cells.drop(columns="headcount").loc[cells.index.repeat(profiles.n_profiles)].reset_index(drop=True)
    long["profile"] = np.tile(np.arange(1, profiles.n_profiles + 1), len(cells))
    spread = dict(zip(terms, model.spread.tolist(), strict=True))
    return Projection(long.assign(headcount=found.ravel()), counts, support_of(frame, cells, weights[:, 0]), spread,
                      design, "survey" if surveyed else "register")


def _beta_limits(share, se, quantile, n_eff):
    """Limits of the beta distribution with this mean and error, stretched as a t quantile is beyond a normal one.

    Limits on the logit scale would reach from nobody to everybody where few are of a profile. There the beta has no
    room either (a shape below 1/2), and limits are at least as wide as the group's respondents alone would give
    (Jeffreys).
    """
    spread = np.maximum(se * quantile / stats.norm.ppf(0.975), 1e-12) ** 2
    n = np.maximum(share * (1 - share) / spread - 1, LEAST)
    inside = (share > 0) & (share < 1)
    mean = np.where(inside, share, 0.5)
    low, high = (stats.beta.ppf(tail, mean * n, (1 - mean) * n) for tail in TAILS)
    alone = [stats.beta.ppf(tail, share * n_eff + 0.5, (1 - share) * n_eff + 0.5) for tail in TAILS]
    few = (n_eff > 0) & (se > 1e-6)
    low = np.where(few & ((1 - mean) * n < 0.5), np.minimum(low, alone[0]), low)
    high = np.where(few & (mean * n < 0.5), np.maximum(high, alone[1]), high)
    return np.where(inside, low, share), np.where(inside, high, share)


def _respondents(covariates, rows, columns, design):
    if set(rows) != set(design.weights.index) or not set(rows) <= set(covariates.index):
        raise EstimateError(f"answers ({len(rows)} rows), covariates ({len(covariates)}) and design "
                            f"({len(design.weights)}) must hold the same row keys: use design.subset")
    frame = covariates.loc[rows]
    holes = [name for name in columns if name not in frame or frame[name].isna().any()]
    if holes:
        raise EstimateError(f"covariates lack {', '.join(holes)} for some respondents: link the register")
    return frame


def _without_fraction(matrix, scales):
    """What each respondent's replicate weights are stretched by, so that they don't hold a sampling fraction (n,).

    The variance of a replicate's factor is 1 less the fraction, whatever the design; what differs from 1 by no more
    than the error that a bootstrap has of it is left.
    """
    factor = np.divide(matrix[:, 1:], matrix[:, :1], out=np.ones_like(matrix[:, 1:]), where=matrix[:, :1] > 0)
    variance = (factor - 1) ** 2 @ scales
    least = variance * (1 + np.sqrt(2 / max(len(scales), 1)))
    return np.where(variance > 0, 1 / np.sqrt(np.clip(least, 1e-4, 1)), 1.0)


def _beyond_terms(weights, people):
    """Weights less what the terms tell of them, normalised to Kish's effective n.

    Who is in a large agency weighs much, but tells no more about it than one in a small agency about that. Given the
    terms that part of a weight says nothing of profiles (Pfeffermann and Sverchkov 1999).
    """
    used = weights[:, 0] > 0
    logs = np.log(weights[used, 0])
    told = linalg.lsqr(people[used], logs - logs.mean(), damp=1.0, atol=1e-12, btol=1e-12)[0]
    weights = weights / np.exp(people @ told)[:, None]
    return weights * kish(weights[:, 0]) / weights.sum(axis=0)


def _likelihoods(profiles, answers, replicates):
    """P(answers | profile) up to a factor for each row: (n, K), and of replicates by their places (n, places, K)."""
    features, layout, theta = profiles._encode(answers), profiles._layout, replicates.theta

    def each(places):
        natural = layout.natural(theta[places].transpose(1, 0, 2)).transpose(1, 0, 2)
        natural[:, :, 0] -= np.log(theta[places][:, :, 0])
        loglik = features @ natural.reshape(-1, natural.shape[2]).T
        return np.exp(lifted(loglik.reshape(len(features), len(places), -1)))

    return np.exp(lifted(profiles.log_likelihoods(answers))), each
