"""From respondents to the whole staff: how many of each profile stand in every cell of the register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.lca import CompetencyProfiles, kish
from skillsgap.estimate.pooled import fit_pooled, lifted, pooling_draws, replicate_coefs, softmax
from skillsgap.estimate.profiles import ReplicateFits
from skillsgap.estimate.survey.design import SurveyDesign
from skillsgap.estimate.survey.intervals import logit_limits

BANDS = ("low", "mid", "high")
BIN = 0.25  # levels; width of the bins of a shortfall's distribution
NEGLIGIBLE = 1e-9  # share of a bin below which it is dropped: nobody in a country of a billion
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


def cohorts(projection, levels, requirements, posterior, weights, *, need_bands=(0.25, 0.75)):
    """Split every register cell into profile x need band, in whole people, with their shortfalls.

    Shortfall = max(0, R - C). Within a profile levels are taken to be the same in every role (the latent
    class model's local independence, extended to roles), so each role's requirements meet the levels of
    *all* respondents, weighted by weight x P(profile). Need = importance-weighted mean shortfall over the
    competencies a role requires. A role without requirements has need "low" and no shortfalls.

    Parameters
    ----------
    projection : Projection, cells with agency_id, role_id, role_level, grade; whole head-counts by cell
    levels : DataFrame (n_respondents, n_competencies), 0-4, NaN = missing; or a list of such draws
    requirements : DataFrame: role_id, role_level, competency_id, required_level 0-4, importance
    posterior : ndarray (n_respondents, K) in the order of `levels`, or DataFrame by row key
    weights : Series (n_respondents,) by row key
    need_bands : (float, float), levels; need below the first is "low", from the second on "high"

    Returns
    -------
    cohorts : DataFrame: cohort_id, agency_id, role_id, role_level, grade, profile, need_band, headcount (int)
    shortfalls : DataFrame: role_id, role_level, profile, need_band, competency_id, shortfall (levels), share
        (sums to 1 within the first five); bins of 0.25 levels at their mean, zero on its own

    Raises
    ------
    EstimateError
        Head-counts aren't whole, a cell column or a required competency is absent.
    """
    cells = _cohort_cells(projection.cells)
    draws = [levels] if isinstance(levels, pd.DataFrame) else list(levels)
    values, mass = _stacked(draws, posterior, weights)
    shares, tables = {}, []
    required = dict(tuple(requirements.groupby(["role_id", "role_level"], sort=True)))
    for role in cells.index.droplevel(["agency_id", "grade"]).unique():
        needed = required.get(role, requirements.iloc[:0])
        needed = needed[needed["required_level"] > 0].sort_values("competency_id")
        absent = sorted(set(needed["competency_id"]) - set(draws[0].columns))
        if absent:
            raise EstimateError(f"role {role[0]}, {role[1]}: no levels of {', '.join(absent)}, which it "
                                "requires: add them to levels or drop the requirement")
        short = np.maximum(needed["required_level"].to_numpy(dtype=float)
                           - values[:, draws[0].columns.get_indexer(needed["competency_id"])], 0)
        band = _need_band(short, needed["importance"].to_numpy(dtype=float), need_bands)
        shares[role] = _band_shares(band, mass)
        tables.append(_histograms(short, band, mass, needed["competency_id"].to_numpy())
                      .assign(role_id=role[0], role_level=role[1]))
    table = _whole_people(cells, shares)
    keys = ["role_id", "role_level", "profile", "need_band"]
    shortfalls = pd.concat(tables, ignore_index=True).merge(table[keys].drop_duplicates(), on=keys)
    return table, shortfalls[[*keys, "competency_id", "shortfall", "share"]]


def _cohort_cells(cells):
    keys = ["role_id", "role_level", "agency_id", "grade"]
    absent = [name for name in keys if name not in cells]
    if absent:
        raise EstimateError(f"cohorts need cells with {', '.join(keys)}; absent: {', '.join(absent)}: add "
                            "them to the register's cells")
    wide = cells.groupby([*keys, "profile"], sort=True)["headcount"].sum().unstack("profile")
    staff = wide.sum(axis=1)
    if (np.abs(staff - staff.round()) > 1e-6).any():
        raise EstimateError("cohorts are whole people, but the register's head-counts aren't: round them")
    return wide


def _stacked(draws, posterior, weights):
    """Levels of all draws under one another, by row key, and weight x P(profile) of each row."""
    rows = draws[0].index
    if isinstance(posterior, pd.DataFrame):
        posterior = posterior.loc[rows].to_numpy()
    if len(posterior) != len(rows) or any(not draw.index.equals(rows) for draw in draws):
        raise EstimateError(f"posterior ({len(posterior)} rows) and every draw of levels ({len(rows)} rows) "
                            "must hold the same respondents in the same order")
    order = np.argsort(rows.to_numpy(), kind="stable")
    mass = (np.asarray(posterior) * weights.loc[rows].to_numpy()[:, None])[order]
    values = [draw.to_numpy(dtype=float, na_value=np.nan)[order] for draw in draws]
    return np.concatenate(values), np.tile(mass, (len(draws), 1))


def _need_band(short, importance, need_bands):
    """0, 1, 2 for low, mid, high; -1 where every required level is missing."""
    known = ~np.isnan(short)
    total = known @ importance
    need = np.nan_to_num(short) @ importance / np.where(total > 0, total, 1)
    # Rounded first, so that a need equal to a cut doesn't fall to either side by the last bit.
    band = np.searchsorted(need_bands, np.round(need, 9), side="right")
    return np.where((total > 0) | (short.shape[1] == 0), band, -1)


def _band_shares(band, mass):
    """(K, 3) shares of need bands within each profile."""
    sums = mass.T @ (band[:, None] == np.arange(3))
    return sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-300)


def _histograms(short, band, mass, names):
    bins = int(np.ceil(4 / BIN)) + 1
    place = np.ceil(np.round(np.nan_to_num(short), 9) / BIN).astype(int)
    code = (np.arange(len(names)) * 3 + np.maximum(band, 0)[:, None]) * bins + place
    known = ~np.isnan(short) & (band >= 0)[:, None]
    code, value, person = code[known], short[known], np.nonzero(known)[0]
    parts = []
    for profile in range(mass.shape[1]):
        weight = np.bincount(code, mass[person, profile], minlength=len(names) * 3 * bins)
        total = np.bincount(code, mass[person, profile] * value, minlength=len(weight))
        cell = np.repeat(weight.reshape(-1, bins).sum(axis=1), bins)
        weight = np.where(weight > NEGLIGIBLE * cell, weight, 0)
        cell = np.repeat(weight.reshape(-1, bins).sum(axis=1), bins)
        kept = np.flatnonzero(weight)
        parts.append(pd.DataFrame({
            "profile": profile + 1, "need_band": np.array(BANDS, dtype=object)[kept // bins % 3],
            "competency_id": names[kept // (3 * bins)], "shortfall": total[kept] / weight[kept],
            "share": weight[kept] / cell[kept]}))
    return pd.concat(parts, ignore_index=True)


def _whole_people(cells, shares):
    """Largest remainder within each cell, what is rounded off carried to the role's next cell.

    Without the carry a profile of 5 % would vanish wherever cells are small. Ties go to the first in order.
    """
    rows, carry, role = [], None, None
    for key, counts in zip(cells.index, cells.to_numpy(), strict=True):
        if key[:2] != role:
            role, carry = key[:2], np.zeros(3 * len(counts))
        ideal = (counts[:, None] * shares[role]).ravel()
        people = np.floor(ideal + 1e-9).astype(int)
        missing = int(round(counts.sum())) - people.sum()
        wish = np.where(ideal > 1e-9, np.round(ideal - people + carry, 9), -np.inf)
        people[np.argsort(-wish, kind="stable")[:missing]] += 1
        carry = carry + ideal - people
        rows += [(*key, i // 3 + 1, i % 3, people[i]) for i in np.flatnonzero(people)]
    order = ["agency_id", "role_id", "role_level", "grade", "profile", "need_band"]
    table = pd.DataFrame(rows, columns=[*cells.index.names, "profile", "need_band", "headcount"])
    table = table.sort_values(order).reset_index(drop=True)
    table["need_band"] = np.array(BANDS, dtype=object)[table["need_band"]]
    table.insert(0, "cohort_id", [f"c{i:05d}" for i in range(1, len(table) + 1)])
    return table[["cohort_id", *order, "headcount"]]
