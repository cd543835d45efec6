"""Whether two categorical columns of a survey go together."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.estimates import inside
from skillsgap.estimate.survey.means import category_text, check_rows, joint_means


def rao_scott_test(values, design, *, where=None):
    """Pearson's chi-square of a weighted two-way table, with Rao and Scott's second-order correction (F form).

    Parameters
    ----------
    values : DataFrame of shape (n_respondents, 2)
        Categories (numbers and text count as text), in the order of the design; who lacks either is outside the domain.
    design : SurveyDesign
    where : array-like of bool of shape (n_respondents,), optional

    Returns
    -------
    DataFrame
        One row: rows, columns (names), statistic (F), df1, df2, p (upper tail), chi2 (of the table scaled to n
        answers), n, n_eff, degf, uncertainty.

    Raises
    ------
    EstimateError
        There aren't two columns, or one of them has a single category.

    References
    ----------
    Rao & Scott (1984), Annals of Statistics 12, 46–60; Thomas & Rao (1987), JASA 82, 630–636.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"sex": list("ffffmmmm"), "trained": [1, 1, 1, 0, 0, 0, 0, 1]})
    >>> design = survey_design(rows, weight=10.0, method="linearization")
    >>> rao_scott_test(rows, design)[["statistic", "chi2", "p"]].round(3).values.tolist()
    [[1.75, 2.0, 0.227]]
    """
    check_rows("values", values, len(design.weights))
    if values.shape[1] != 2:
        raise EstimateError(f"a two-way table has two columns, not {values.shape[1]}: give two")
    among = values.notna().all(axis=1).to_numpy() & (design.weights.to_numpy() != 0) & inside(where, design)
    coded = [pd.factorize(category_text(values[column])[among], sort=True) for column in values]
    for column, (_, found) in zip(values, coded, strict=True):
        if len(found) < 2:
            raise EstimateError(f"column {column}: everybody in the domain has the same category: a table needs two")
    (rows, row_names), (columns, column_names) = coded
    shape = len(row_names), len(column_names)
    cells = np.full((len(values), shape[0] * shape[1]), np.nan)
    cells[among] = np.eye(shape[0] * shape[1])[rows * shape[1] + columns]
    shares, covariance, means = joint_means(pd.DataFrame(cells), design)
    n = int(means.n[0, 0])
    table = shares.reshape(shape)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    chi2 = n * ((table - expected) ** 2 / expected).sum()
    delta = _design_effects(shares, covariance, shape, n)
    trace = np.trace(delta)
    df1 = trace**2 / np.trace(delta @ delta)
    found = {"statistic": chi2 / trace, "df1": df1, "df2": df1 * design.degf,
             "p": stats.f.sf(chi2 / trace, df1, df1 * design.degf), "chi2": chi2, "n": n, "n_eff": means.n_eff[0, 0],
             "degf": design.degf, "uncertainty": "sampling"}  # fmt: skip
    return pd.DataFrame([{"rows": values.columns[0], "columns": values.columns[1], **found}])


def _design_effects(shares, covariance, shape, n):
    """Design effects of the contrasts that tell the table from independence, as a matrix."""
    def coded(size):
        return np.column_stack([np.ones(size), np.eye(size)[:, 1:]])

    rows, columns = np.kron(coded(shape[0]), np.ones((shape[1], 1))), np.kron(np.ones((shape[0], 1)), coded(shape[1]))
    main = np.column_stack([rows, columns[:, 1:]])
    both = np.column_stack([rows[:, [i]] * columns[:, [j]] for i in range(1, shape[0]) for j in range(1, shape[1])])
    contrast = both - main @ np.linalg.lstsq(main, both, rcond=None)[0]
    inverse = np.divide(1.0, shares, out=np.zeros_like(shares), where=shares > 0)[:, None] * contrast
    return np.linalg.solve(contrast.T @ inverse / n, inverse.T @ covariance @ inverse)
