"""Cells of the register split by profile and need into whole people, with their shortfalls."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from skillsgap.errors import EstimateError

ROLE, KEYS = ["role_id", "role_level"], ["agency_id", "role_id", "role_level", "grade"]
BANDS = ("low", "mid", "high")
TOP = 4.0  # levels
BIN = 0.25  # levels; width of the bins of a shortfall's distribution
BINS = int(TOP / BIN) + 1
NEGLIGIBLE = 1e-9  # share of a bin below which it is dropped: nobody in a country of a billion


def cohorts(projection, levels, requirements, posterior, weights, *, roles=None, need_bands=(0.25, 0.75)):
    """Estimate how many people of every register cell have each profile and need, and how short they are.

    Shortfall = max(0, R - C). Each role's requirements meet the levels of *all* respondents, weighted by weight
    x P(profile), as few answered in any one role. With `roles` a respondent's levels are first moved from their
    own role to the one looked at, by how far roles differ from what profiles explain: effects of role, role
    level and both, each shrunken by how well it is known (Paule and Mandel). Without `roles` a profile's levels
    are taken to be the same in every role, which overstates the shortfalls of those who are good at what their
    role is about. Agencies, sexes and regions are taken to differ by their profiles and roles only.

    Need = importance-weighted mean shortfall over the competencies a role requires. A role without requirements
    has need "low" and no shortfalls; so has a competency of which nobody's level is known. People are rounded by
    largest remainder within a cell; what is rounded off is carried to the role's next cell, so a profile of 5 %
    doesn't vanish where cells are small.

    Parameters
    ----------
    projection : Projection
        Its cells have agency_id, role_id, role_level, grade, perhaps others, and whole head-counts.
    levels : DataFrame (n_respondents, n_competencies), 0-4, NaN = missing; or a list of such draws
        Plausible levels must be drawn given profile and role: otherwise profiles look alike, and needs all middling.
    requirements : DataFrame: role_id, role_level, competency_id, required_level 0-4, importance >= 0
    posterior : ndarray (n_respondents, K) in the order of `levels`, or DataFrame by row key
    weights : Series (n_respondents,) by row key
    roles : DataFrame (n_respondents, ...) by row key, optional
        role_id and role_level of the respondents.
    need_bands : (float, float), levels; need below the first is "low", from the second on "high"

    Returns
    -------
    cohorts : DataFrame: cohort_id, agency_id, role_id, role_level, grade, profile, need_band, headcount (int)
    shortfalls : DataFrame: role_id, role_level, profile, need_band, competency_id, shortfall (levels), share
        (sums to 1 within the first five); bins of 0.25 levels at their mean, zero on its own

    Raises
    ------
    EstimateError
        Head-counts aren't whole, a cell column or a required competency is absent, respondents don't agree.

    References
    ----------
    Paule and Mandel (1982), Journal of Research of the National Bureau of Standards 87, 377-385.
    """
    if not 0 < need_bands[0] < need_bands[1]:
        raise EstimateError(f"need_bands are {need_bands}: give two levels over 0, the lower one first")
    cells = _cohort_cells(projection.cells)
    draws, mass = _respondents(levels, posterior, weights, cells.shape[1])
    known = cells.index.droplevel(["agency_id", "grade"])
    required = _required(requirements, draws[0], known)
    effects = None if roles is None else _RoleEffects(draws, mass, roles)
    shares, tables = {}, []
    for role in known.unique():
        needed = required.get(role, requirements.iloc[:0])
        names = needed["competency_id"].to_numpy()
        columns = draws[0].columns.get_indexer(names)
        move = 0 if effects is None else effects.towards(role)[:, columns]
        shares[role], table = _distributions(
            (draw.to_numpy()[:, columns] + move for draw in draws), needed, mass, need_bands)  # fmt: skip
        tables.append(table.assign(role_id=role[0], role_level=role[1]))
    table = _whole_people(cells, np.stack([shares[role] for role in known]))
    keys = [*ROLE, "profile", "need_band"]
    shortfalls = pd.concat(tables, ignore_index=True).merge(table[keys].drop_duplicates(), on=keys)
    return table, shortfalls[[*keys, "competency_id", "shortfall", "share"]]


def cohort_groups(table, cells, by):
    """Estimate which share of each cohort are women, or live in a region, ...

    Within a cell of the register a profile's groups are as projected: where the projection's terms hold sex, women's
    profiles differ from men's; where they don't, a profile is as common among both. Within a profile and role,
    need is taken to be the same for all groups.

    Parameters
    ----------
    table : DataFrame, cohorts as `cohorts` gives them
    cells : DataFrame, `cells` of the Projection they were made of
    by : list of str, columns of `cells`, such as sex, region, disability or language

    Returns
    -------
    DataFrame: cohort_id, by (the column), group (its value), share (over 0, sums to 1 within the first two)

    Raises
    ------
    EstimateError
        The cells don't have such a column, or don't hold these cohorts.

    Examples
    --------
    >>> cell = {"agency_id": "a", "role_id": "r", "role_level": "staff", "grade": "g", "profile": 1}
    >>> cells = pd.DataFrame([{**cell, "sex": "female", "headcount": 3.0}, {**cell, "sex": "male", "headcount": 1.0}])
    >>> cohort_groups(pd.DataFrame([{"cohort_id": "c1", **cell, "headcount": 4}]), cells, ["sex"])
      cohort_id   by   group  share
    0        c1  sex  female   0.75
    1        c1  sex    male   0.25
    """
    absent = [name for name in by if name not in cells]
    if absent:
        raise EstimateError(f"shares by {', '.join(absent)}: the register's cells have no such column: add it to "
                            "them or leave it out")  # fmt: skip
    keys, parts = [*KEYS, "profile"], []
    for name in by:
        people = cells.groupby([*keys, name], observed=True)["headcount"].sum().reset_index()
        people = people[people["headcount"] > 0].assign(by=name, group=people[name].astype(str))
        people["share"] = people["headcount"] / people.groupby(keys)["headcount"].transform("sum")
        parts.append(table[["cohort_id", *keys]].merge(people[[*keys, "by", "group", "share"]], on=keys, how="left"))
    found = pd.concat(parts, ignore_index=True)
    if found["share"].isna().any():
        lost = found.loc[found["share"].isna(), "cohort_id"].iloc[0]
        raise EstimateError(f"cohort {lost} is of no cell: give the cells that the cohorts were made of")
    found = found.sort_values(["cohort_id", "by", "group"], ignore_index=True)
    return found[["cohort_id", "by", "group", "share"]]


def _cohort_cells(cells):
    keys = [*ROLE, "agency_id", "grade"]
    absent = [name for name in keys if name not in cells]
    if absent:
        raise EstimateError(f"cohorts need cells with {', '.join(keys)}; absent: {', '.join(absent)}: add "
                            "them to the register's cells")
    counted = cells.groupby([*keys, "profile"], sort=True, observed=True)["headcount"].sum()
    wide = counted.unstack("profile", fill_value=0.0)
    staff = wide.sum(axis=1)
    if (np.abs(staff - staff.round()) > 1e-6).any():
        raise EstimateError("cohorts are whole people, but the register's head-counts aren't: round them")
    return wide


def _respondents(levels, posterior, weights, n_profiles):
    """Draws of levels and weight x P(profile), both sorted by row key."""
    draws = [levels] if isinstance(levels, pd.DataFrame) else list(levels)
    rows = draws[0].index
    lost = len(rows.difference(weights.index))
    if lost or not weights.loc[rows].ge(0).all() or not weights.loc[rows].sum() > 0:
        raise EstimateError(f"weights: {lost} of {len(rows)} respondents have none, or some are missing or negative, "
                            "or all are 0: give each a weight of 0 or more")  # fmt: skip
    if isinstance(posterior, pd.DataFrame):
        posterior = posterior.reindex(rows).to_numpy()
    alike = all(draw.index.equals(rows) and draw.columns.equals(draws[0].columns) for draw in draws)
    if len(posterior) != len(rows) or np.isnan(posterior).any() or not alike:
        raise EstimateError(f"posterior ({len(posterior)} rows) and every draw of levels ({len(rows)} rows) must hold "
                            "the same respondents in the same order, and draws the same competencies")  # fmt: skip
    if np.shape(posterior)[1] != n_profiles:
        raise EstimateError(f"posterior has {np.shape(posterior)[1]} profiles and the projection {n_profiles}: both "
                            "must come from the same fit")  # fmt: skip
    weight = weights.loc[rows].to_numpy(dtype=float)
    order = np.argsort(rows.to_numpy(), kind="stable")
    order = order[weight[order] > 0]
    mass = (np.asarray(posterior) * (weight / weight.sum())[:, None])[order]
    return [draw.iloc[order].astype(float) for draw in draws], mass


def _required(requirements, levels, roles):
    """What each role of the register requires, sorted by competency; of what nobody's level is known, nothing."""
    needed = requirements[requirements["required_level"] > 0].sort_values([*ROLE, "competency_id"])
    needed = needed[pd.MultiIndex.from_frame(needed[ROLE]).isin(roles)]
    for what, wrong in (
        ("no column of levels: add it, or drop the requirement", ~needed["competency_id"].isin(levels.columns)),
        ("two rows of requirements: keep one", needed.duplicated([*ROLE, "competency_id"])),
        ("a requirement over 4: levels are 0 to 4", needed["required_level"] > TOP),
        ("no importance of 0 or more: give one", ~(needed["importance"] >= 0)),
    ):
        if wrong.any():
            role, level, name = needed.loc[wrong.to_numpy(), [*ROLE, "competency_id"]].iloc[0]
            raise EstimateError(f"role {role}, {level}: competency {name} has {what}; {int(wrong.sum())} such row(s)")
    needed = needed[needed["competency_id"].isin(levels.columns[levels.notna().any()])]
    return dict(tuple(needed.groupby(ROLE, sort=True, observed=True)))


class _RoleEffects:
    """How far the levels of a role, a role level and both together are from what profiles explain (levels)."""

    def __init__(self, draws, mass, roles):
        rows, weight = draws[0].index, mass.sum(axis=1)
        absent = [name for name in ROLE if name not in roles]
        if absent or len(rows.difference(roles.index)) or roles.loc[rows, ROLE].isna().any(axis=None):
            raise EstimateError("roles must give every respondent of levels a role_id and a role_level: link the "
                                "register, or leave roles out")  # fmt: skip
        people = roles.loc[rows, ROLE].astype(str).assign(both=lambda each: _both(each[ROLE[0]], each[ROLE[1]]))
        known = draws[0].notna().to_numpy()
        self._own, self._effects = np.zeros(known.shape), []
        for column in people:
            codes, names = pd.factorize(people[column], sort=True)
            left = (_unexplained(np.nan_to_num(draw.to_numpy() - self._own), known, mass) for draw in draws)
            effect = _shrunken(left, known * weight[:, None], codes)
            self._own += effect[codes]
            self._effects.append(pd.DataFrame(effect, names))

    def towards(self, role):
        """What to add to the levels of each respondent to stand in a role; of unknown ones, what is known."""
        places = zip(self._effects, (str(role[0]), str(role[1]), _both(*map(str, role))), strict=True)
        return sum(table.loc[name].to_numpy() for table, name in places if name in table.index) - self._own


def _both(role, level):
    return role + "\x1f" + level


def _unexplained(levels, known, mass):
    """Levels less what profiles explain of them."""
    means = (mass.T @ levels) / np.maximum(mass.T @ known, 1e-300)
    return levels - (mass / mass.sum(axis=1, keepdims=True)) @ means


def _shrunken(draws, weights, codes):
    """Means of groups (n_groups, n_columns) over draws, drawn to zero by their error against their spread."""
    which = sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))))
    total = which @ weights
    n_eff = total**2 / np.maximum(which @ weights**2, 1e-300)
    means, within = [], []
    for values in draws:
        means.append((which @ (weights * values)) / np.maximum(total, 1e-300))
        within.append((weights * (values - means[-1][codes]) ** 2).sum(axis=0) / np.maximum(total.sum(axis=0), 1e-300))
    free = np.maximum(1 - (n_eff > 0).sum(axis=0) / np.maximum(n_eff.sum(axis=0), 1e-300), 0.1)
    error = (np.mean(within, axis=0) / free + 1e-12) / np.maximum(n_eff, 1e-12)
    error += (1 + 1 / len(means)) * np.var(means, axis=0, ddof=len(means) > 1)  # Rubin: what levels are unsure by
    means = np.mean(means, axis=0)
    # Paule and Mandel: the spread at which the groups' scaled squares average one
    low, high = np.zeros(means.shape[1]), (means**2).max(axis=0) * len(means) + 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        more = (means**2 / (middle + error)).sum(axis=0) > max(len(means) - 1, 1)
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return means * high / (high + error)


def _distributions(levels, needed, mass, need_bands):
    """Shares (K, 3) of need bands by profile, and how shortfalls are spread within each."""
    names, importance = needed["competency_id"].to_numpy(), needed["importance"].to_numpy(dtype=float)
    wanted, size = needed["required_level"].to_numpy(dtype=float), len(names) * 3 * BINS
    bands, weight, total = np.zeros((3, mass.shape[1])), *np.zeros((2, size, mass.shape[1]))
    for draw in levels:
        short = np.maximum(wanted - np.clip(draw, 0, TOP), 0)
        band = _need_band(short, importance, need_bands)
        bands += (band == np.arange(3)[:, None]) @ mass
        place = np.ceil(np.round(np.nan_to_num(short), 9) / BIN).astype(np.int32)
        code = (np.arange(len(names), dtype=np.int32) * 3 + np.maximum(band, 0)[:, None]) * BINS + place
        known = ~np.isnan(short) & (band >= 0)[:, None]
        ends = np.concatenate([[0], known.sum(axis=1).cumsum()])
        for sums, value in ((weight, known), (total, short)):
            sums += sparse.csr_matrix((value[known].astype(float), code[known], ends), (len(short), size)).T @ mass
    bands = np.where(bands.sum(axis=0) > 0, bands, bands.sum(axis=1, keepdims=True))
    return (bands / bands.sum(axis=0)).T, _histograms(weight, total, names)


def _need_band(short, importance, need_bands):
    """0, 1, 2 for low, mid, high; -1 where every required level is missing."""
    known = ~np.isnan(short)
    total = known @ importance
    need = np.nan_to_num(short) @ importance / np.where(total > 0, total, 1)
    # Rounded first, so that a need equal to a cut doesn't fall to either side by the last bit.
    band = np.searchsorted(need_bands, np.round(need, 9), side="right")
    return np.where((total > 0) | (short.shape[1] == 0), band, -1)


def _histograms(weight, total, names):
    """One row a bin that is not empty, from the mass in each bin and the mass x shortfall (n_bins, K)."""
    def whole():
        return np.repeat(weight.reshape(-1, BINS, weight.shape[1]).sum(axis=1), BINS, axis=0)

    weight = np.where(weight > NEGLIGIBLE * whole(), weight, 0)
    profile, kept = np.nonzero(weight.T)
    here = weight[kept, profile]
    return pd.DataFrame({
        "profile": profile + 1, "need_band": np.array(BANDS, dtype=object)[kept // BINS % 3],
        "competency_id": names[kept // (3 * BINS)], "shortfall": total[kept, profile] / here,
        "share": here / whole()[kept, profile]})  # fmt: skip


def _whole_people(cells, shares):
    """Largest remainder within each cell, what is rounded off carried to the role's next cell.

    Cells are sorted by role; the first cells of all roles are rounded together, then the second, and so on.
    Ties go to the first in order.
    """
    counts = cells.to_numpy()
    ideal = (counts[:, :, None] * shares).reshape(len(counts), -1)
    people = np.floor(ideal + 1e-9).astype(np.int64)
    missing = np.round(counts.sum(axis=1)).astype(np.int64) - people.sum(axis=1)
    rest, role = ideal - people, cells.groupby(ROLE, sort=True).ngroup().to_numpy()
    turn = cells.groupby(ROLE, sort=True).cumcount().to_numpy()
    carry = np.zeros((role.max() + 1, ideal.shape[1]))
    by_turn = np.argsort(turn, kind="stable")
    for now in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
        wish = np.where(ideal[now] > 1e-9, np.round(rest[now] + carry[role[now]], 9), -np.inf)
        place = np.argsort(np.argsort(-wish, axis=1, kind="stable"), axis=1, kind="stable")
        more = place < missing[now, None]
        people[now] += more
        carry[role[now]] += rest[now] - more
    cell, kind = np.nonzero(people)
    order = [*KEYS, "profile", "need_band"]
    table = cells.index.to_frame(index=False).iloc[cell].assign(
        profile=kind // 3 + 1, need_band=kind % 3, headcount=people[cell, kind])  # fmt: skip
    table = table.sort_values(order, ignore_index=True)
    table["need_band"] = np.array(BANDS, dtype=object)[table["need_band"]]
    digits = max(5, len(str(len(table))))  # ids sort as cohorts do
    table.insert(0, "cohort_id", ["c" + str(i).zfill(digits) for i in range(1, len(table) + 1)])
    return table[["cohort_id", *order, "headcount"]]
