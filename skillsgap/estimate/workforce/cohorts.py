"""Cells of the register split by profile and need into whole people, with their shortfalls."""

from __future__ import annotations

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError

BANDS = ("low", "mid", "high")
BIN = 0.25  # levels; width of the bins of a shortfall's distribution
NEGLIGIBLE = 1e-9  # share of a bin below which it is dropped: nobody in a country of a billion


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
