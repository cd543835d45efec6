"""Starting values of the EM: the whole sample's distributions, pushed apart by profile."""

import numpy as np


def starting_values(whole, layout, n_profiles, n_starts, random_state):
    """Parameters (profiles, starts, columns) from which to climb.

    Everybody's distribution (whole, of one profile) tilted by level (start 1), or times exponential draws; means lie a
    standard deviation apart. Rows enter through their sums only, so no order of rows can.
    """
    rng = np.random.default_rng(random_state)
    theta = np.repeat(np.repeat(whole, n_profiles, axis=0), n_starts, axis=1)
    tilt = np.linspace(-1.5, 1.5, n_profiles) if n_profiles > 1 else np.zeros(1)
    sizes = np.diff(np.append(layout.first, layout.width))[1:]
    ranks = np.concatenate([[0.0], *(np.linspace(-1, 1, size) if size > 1 else np.zeros(1) for size in sizes)])
    theta[:, 0, :layout.width] *= np.exp(tilt[:, None] * ranks)
    draws = theta[:, 1:, 1:layout.width]
    theta[:, 1:, 1:layout.width] = draws * rng.standard_exponential(draws.shape)
    if layout.n_continuous:
        theta = _apart(theta, tilt, layout, rng)
    return layout.normalised(theta)


def _apart(theta, tilt, layout, rng):
    """Means drawn from everybody's distribution, spread halved; as sums of equal profiles."""
    means, spread = layout.measured(theta)
    noise = rng.standard_normal(means.shape)
    noise[:, 0] = tilt[:, None] / 1.5
    if layout.square:
        moved = means + (np.linalg.cholesky(spread) @ noise[..., None])[..., 0]
        rest = [moved, (spread / 2 + moved[..., :, None] * moved[..., None, :]).reshape(*means.shape[:2], -1)]
    else:
        moved = means + np.sqrt(spread) * noise
        rest = [np.stack([np.ones_like(moved), moved, spread / 2 + moved**2], axis=3).reshape(*means.shape[:2], -1)]
    rest = np.concatenate(rest, axis=2) * theta[..., :1]
    return np.concatenate([theta[..., :layout.width], rest], axis=2)
