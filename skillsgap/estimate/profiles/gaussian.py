"""Choice of covariance model and number of profiles of continuous variables (latent profile analysis)."""

import pandas as pd

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.covariances import MODELS


def select_covariance(X, models=MODELS, classes=range(1, 10), *, sample_weight=None, n_starts=1, random_state=0):
    """Compare Gaussian profiles of every covariance model and number of profiles by BIC.

    Parameters
    ----------
    X : DataFrame (n, d) of continuous variables, no missing values; index = row key
    models : sequence of str, from the 14 of `skillsgap.estimate.profiles.covariances`
    classes : sequence of int
    sample_weight : Series with the same index, or array (n,), >= 0
    n_starts, random_state : int
        Starts of each fit beside the one by agglomeration. The likelihood has no bound, so more starts lead to higher
        maxima and sooner or later to profiles of a handful of rows that pass for real; the published choices, and the
        default here, rest on agglomeration. Raise it to learn how far the choice depends on it.

    Returns
    -------
    DataFrame: model, n_profiles, loglik, n_parameters, bic (smaller is better), converged, degenerate
        Best first: by BIC, degenerate fits last. A fit is degenerate where none of its starts led to a maximum without
        a profile squeezed onto a few rows (see `covariances.degenerate`): its likelihood means nothing.

    References
    ----------
    Fraley and Raftery (2002), Journal of the American Statistical Association 97, 611-631.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [0.1, 0.3, 0.7, 0.9, 5.2, 5.4, 5.5, 5.9] * 8})
    >>> best = select_covariance(rows, ["EEI"], [1, 2]).iloc[0]
    >>> best["model"], int(best["n_profiles"])
    ('EEI', 2)
    """
    kinds = dict.fromkeys(X.columns, "continuous")
    rows = []
    for model in models:
        for n_profiles in classes:
            fit = CompetencyProfiles(
                n_profiles, kinds=kinds, covariance=model, order="share", n_starts=n_starts, random_state=random_state)
            fit.fit(X, sample_weight=sample_weight)
            rows.append((model, n_profiles, fit.loglik_, fit.n_parameters_, fit.bic(X, sample_weight),
                         fit.converged_, fit.degenerate_))
    table = pd.DataFrame(
        rows, columns=["model", "n_profiles", "loglik", "n_parameters", "bic", "converged", "degenerate"])
    return table.sort_values(["degenerate", "bic"], kind="stable", ignore_index=True)
