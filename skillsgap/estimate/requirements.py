"""Requirements nobody wrote down, derived from tested people whose skills match their job."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError


def derive_requirements(
    plausible_values, roles, well_matched, design, *, quantile=0.05, minimum=10, exclude=()
):
    """Tested proficiency below which hardly anyone well matched to a role works (Pellizzari and Fichen).

    The requirement of a role is a low quantile of proficiency among its workers who report being neither
    over- nor under-skilled: weighted, per plausible value, and again in every replicate, so that later
    intervals contain its error. The method fixes the share of well-matched workers below it.

    Parameters
    ----------
    plausible_values : dict of str to list of DataFrame-like of shape (n_respondents,)
        For each competency its plausible values, on the scale of the test.
    roles : Series of shape (n_respondents,)
        Role of each worker; index ``row_key``.
    well_matched : Series of bool of shape (n_respondents,)
    design : SurveyDesign
        Of all employed, not only of those the estimates will speak for.
    quantile : float
        Share of the well-matched below the requirement.
    minimum : int
        Well-matched workers (unweighted) a role needs; others get no requirement.
    exclude : collection of str
        Roles to leave out.

    Returns
    -------
    DataFrame
        role_id, competency_id, plausible_value (from 1), replicate (0 = full sample), required_level,
        n. A role with too few workers has one row per competency, with an empty requirement.

    Raises
    ------
    EstimateError
        Nobody is well matched.

    References
    ----------
    Pellizzari & Fichen (2017), IZA Journal of Labor Economics 6:1.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": [1.0] * 20})
    >>> values = {"literacy": [pd.Series(range(200, 220))]}
    >>> table = derive_requirements(values, pd.Series(["2"] * 20), pd.Series([True] * 20),
    ...                             survey_design(rows, n_replicates=20))
    >>> table.loc[table["replicate"] == 0, ["required_level", "n"]].values.tolist()
    [[200.0, 20.0]]
    """
    weights, role = design.matrix, roles.to_numpy()
    matched = well_matched.to_numpy(dtype=bool) & roles.notna().to_numpy() & (weights[:, 0] > 0)
    if not matched.any():
        raise EstimateError("no worker is well matched: check requirements.derive.well_matched")
    tables = []
    for role_id in sorted(set(role[roles.notna()]) - set(map(str, exclude))):
        for competency, draws in sorted(plausible_values.items()):
            values = np.column_stack(draws).astype(float)
            rows = matched & (role == role_id) & np.isfinite(values).all(axis=1)
            n, levels = int(rows.sum()), np.full((1, 1), np.nan)
            if n >= minimum:
                levels = np.array([weighted_quantile(column, weights[rows], quantile) for column in values[rows].T])
            tables.append(_rows(role_id, competency, levels, n))
    return pd.concat(tables, ignore_index=True)


def _rows(role_id, competency, levels, n):
    draw, replicate = (index.ravel() for index in np.indices(levels.shape))
    return pd.DataFrame({
        "role_id": role_id, "competency_id": competency, "plausible_value": draw + 1,
        "replicate": replicate, "required_level": levels.ravel(), "n": n,
    })  # fmt: skip


def weighted_quantile(values, weights, p):
    """Smallest value whose cumulated weight share reaches p, for each column of weights.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([[1.0], [1.0], [2.0]]), 0.5)
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order], axis=0)
    # the share may fall short of p by rounding alone
    reached = cumulated >= p * cumulated[-1] - 1e-12 * cumulated[-1]
    return values[order][reached.argmax(axis=0)]
