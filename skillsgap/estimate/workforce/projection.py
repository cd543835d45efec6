"""From respondents to the whole staff: how many of each profile stand in every cell of the register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.shares import ReplicateFits
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import logit_limits
from skillsgap.estimate.survey.weights import kish
from skillsgap.estimate.workforce.pooled import fit_pooled, lifted, pooling_draws, replicate_coefs, softmax

RAKED = 1e-10  # relative error of a profile's head-count at which calibration stops


@dataclass(frozen=True)
class Projection:
    """Head-counts of profiles over the cells of a register.

    Parameters
    ----------
    cells : DataFrame
        Cell columns, profile (1..K), headcount (people, not rounded); sorted by cell and profile.
    replicate_headcounts : ndarray (n_replicates, n_rows of cells)
    support : DataFrame
        Respondents counted by cell columns: n, weight_sum, weight_squares.
    effect_sd : dict, term -> standard deviation of its effects in logits
    design : SurveyDesign
        Where variances and their degrees of freedom come from.
    """

    cells: pd.DataFrame
    replicate_headcounts: np.ndarray
    support: pd.DataFrame
    effect_sd: dict
    design: SurveyDesign

    def headcounts(self, by):
        """Head-count of each profile in groups of cells.

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
        replicates = which @ self.replicate_headcounts.T
        full = table["estimate"].to_numpy()
        se = np.sqrt(self.design.variance(full, replicates.T))
        staff = table.groupby(by, sort=False)["estimate"].transform("sum").to_numpy() if by else full.sum()
        staff = np.maximum(staff, 1e-300)
        low, high = logit_limits(full / staff, se / staff, stats.t.ppf(0.975, self.design.degf))
        table = table.assign(se=se, ci_low=low * staff, ci_high=high * staff)
        return self._with_support(table, by).assign(uncertainty="sampling+model")

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

    P(profile | cell) is a multinomial logit on main effects of `terms`, fitted to the answers with the
    profiles' answer probabilities held fixed (two-step: unlike a regression of posterior probabilities it
    doesn't pull differences towards zero). Effects are partly pooled, intercepts free. Every cell keeps its
    head-count, profile totals equal the direct estimate (share x staff); both hold in every replicate.
    Replicates also carry a draw of what pooling may hide, so an agency without respondents gets the width
    of an unknown agency.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    answers : DataFrame (n_respondents, n_variables) it was fitted on
    covariates : DataFrame (n_respondents, ...) with the columns `terms`, same row keys
    register_cells : DataFrame, `terms`, any further cell columns, and headcount (people, >= 0)
    design : SurveyDesign of the same respondents
    replicates : ReplicateFits of the same design
    terms : list of str
    penalty : float > 0, optional
        Standard deviation of effects in logits. Default: estimated for each term (Fellner and Schall).
    random_state : int

    Returns
    -------
    Projection

    Raises
    ------
    EstimateError
        Row keys differ, a term is absent or missing in places, the register is empty.

    References
    ----------
    Bakk and Kuha (2018), Psychometrika 83, 871-892 (two-step).
    Wood and Fasiolo (2017), Biometrics 73, 1071-1081 (generalised Fellner-Schall).
    Park, Gelman and Bafumi (2004), Political Analysis 12, 375-385 (regression and post-stratification).
    """
    cells = _register(register_cells, terms)
    rows = np.sort(answers.index.to_numpy())
    frame = _respondents(covariates, rows, terms, design)
    place = design.weights.index.get_indexer(rows)
    weights = np.column_stack([design.weights.to_numpy(), design.replicate_weights])[place]
    weights = weights * kish(weights[:, 0]) / weights.sum(axis=0)
    people, where, owner = _indicators(frame, cells, terms)
    answers = answers.loc[rows]
    model = fit_pooled(people, np.exp(lifted(profiles.log_likelihoods(answers))), weights[:, 0], owner,
                 profiles.shares_, penalty)
    coefs = replicate_coefs(model, people, profiles, answers, weights[:, 1:], replicates)
    coefs += pooling_draws(model, coefs.shape, design, random_state)
    staff = cells["headcount"].to_numpy(dtype=float)
    full = _raked(where @ model.coefs.T, staff, profiles.shares_)
    runs = [_raked(where @ coef.T, staff, shares)
            for coef, shares in zip(coefs, replicates.shares, strict=True)]
    long = cells.drop(columns="headcount").loc[cells.index.repeat(profiles.n_profiles)].reset_index(drop=True)
    long["profile"] = np.tile(np.arange(1, profiles.n_profiles + 1), len(cells))
    sds = {name: float(model.sd[owner == i][0]) for i, name in enumerate(terms)}
    return Projection(long.assign(headcount=full.ravel()), np.stack(runs).reshape(len(coefs), -1),
                      _support(frame, cells, weights[:, 0]), sds, design)


def _register(register_cells, terms):
    absent = [name for name in [*terms, "headcount"] if name not in register_cells]
    if absent or not register_cells["headcount"].sum() > 0:
        raise EstimateError(f"the register's cells need {', '.join([*terms, 'headcount'])} and some staff; "
                            f"absent: {', '.join(absent) or 'staff'}: complete the register")
    keys = [name for name in register_cells if name != "headcount"]
    holes = [name for name in keys if register_cells[name].isna().any()]
    if holes:
        raise EstimateError(f"the register's cells have no value of {', '.join(holes)} in places: give one, "
                            "such as \"unknown\"")
    return register_cells.groupby(keys, sort=True, observed=True)["headcount"].sum().reset_index()


def _respondents(covariates, rows, terms, design):
    if set(rows) != set(design.weights.index) or not set(rows) <= set(covariates.index):
        raise EstimateError(f"answers ({len(rows)} rows), covariates ({len(covariates)}) and design "
                            f"({len(design.weights)}) must hold the same row keys: use design.subset")
    frame = covariates.loc[rows]
    holes = [name for name in terms if name not in frame or frame[name].isna().any()]
    if holes:
        raise EstimateError(f"covariates lack {', '.join(holes)} for some respondents: link the register")
    return frame


def _indicators(frame, cells, terms):
    """0/1 columns of respondents and of cells (intercept first); the term owning each column (-1 none)."""
    people, where, owner = [np.ones((len(frame), 1))], [np.ones((len(cells), 1))], [-1]
    for i, name in enumerate(terms):
        known, mine = cells[name].astype(str), frame[name].astype(str)
        values = np.union1d(known, mine)
        people.append(sparse.csr_matrix(mine.to_numpy()[:, None] == values).astype(float))
        where.append(sparse.csr_matrix(known.to_numpy()[:, None] == values).astype(float))
        owner += [i] * len(values)
    return sparse.hstack(people, format="csr"), sparse.hstack(where, format="csr"), np.array(owner)


def _raked(scores, staff, shares):
    """Head-counts (cells, K): cells keep their staff, profiles get share x staff."""
    counts = softmax(scores) * staff[:, None]
    goal = shares / shares.sum() * staff.sum()
    for _ in range(500):
        total = counts.sum(axis=0)
        if (np.abs(total - goal) <= RAKED * staff.sum()).all():
            break
        counts *= goal / np.maximum(total, 1e-300)
        counts *= (staff / np.maximum(counts.sum(axis=1), 1e-300))[:, None]
    return counts


def _support(frame, cells, weights):
    keys = [name for name in cells if name != "headcount" and name in frame]
    counted = frame[keys].assign(n=1, weight_sum=weights, weight_squares=weights**2)
    return counted.groupby(keys, sort=True, observed=True).sum().reset_index()
