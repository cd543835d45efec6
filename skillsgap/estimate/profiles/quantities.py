"""What is reported of a profile: its share, its expected levels, probabilities of answers, means of measurements."""

from __future__ import annotations

import numpy as np
import pandas as pd


def quantities(profiles, theta):
    """Shares, levels, probabilities and means that parameters stand for.

    Parameters
    ----------
    profiles : CompetencyProfiles, fitted
    theta : ndarray (n_profiles, n_runs, n_columns), as in `skillsgap.estimate.profiles.mixture`

    Returns
    -------
    ndarray (n_runs, n_profiles, n_quantities), in the order of `quantity_names`

    Examples
    --------
    >>> from skillsgap.estimate.profiles.competency import CompetencyProfiles
    >>> fit = CompetencyProfiles(1).fit(pd.DataFrame({"a": [0, 1, 2, 2] * 20, "b": [0, 0, 1, 1] * 20}))
    >>> quantities(fit, fit._theta[:, None])[0, 0].round(2).tolist()
    [1.0, 1.25, 0.5, 0.25, 0.25, 0.5, 0.5, 0.5]
    """
    layout, seen = profiles._layout, profiles.manifest_
    probs = theta[..., 1:layout.width]
    parts = [theta[..., :1], probs @ _level_weights(profiles), probs]
    if layout.n_continuous:
        scale, centre = (np.array([told[name] for name in seen.continuous]) for told in (seen.scale, seen.centre))
        parts.append(layout.measured(theta)[0] * scale + centre)
    return np.concatenate(parts, axis=2).transpose(1, 0, 2)


def quantity_names(profiles):
    """Variable, statistic (share, level, probability, mean) and category of each quantity of a profile."""
    numbered = [name for name, values in profiles.manifest_.values().items() if not np.isnan(values).any()]
    rows = [("share", "share", None), *((name, "level", None) for name in numbered)]
    rows += [(name, "probability", code) for name, codes in profiles.categories_.items() for code in codes]
    rows += [(name, "mean", None) for name in profiles.manifest_.continuous]
    return pd.DataFrame(rows, columns=["variable", "statistic", "category"], dtype=object)


def _level_weights(profiles):
    """What each category adds to each level, (n_categories, n_levels); nominal variables have none."""
    values = profiles.manifest_.values()
    weights = np.zeros((profiles._layout.width - 1, len(values)))
    for j, (start, counted) in enumerate(zip(profiles._layout.first[1:] - 1, values.values(), strict=True)):
        weights[start:start + len(counted), j] = counted
    return weights[:, ~np.isnan(weights).any(axis=0)]
