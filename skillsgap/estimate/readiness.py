"""How ready a public service is for AI: pillars of declared indicators, and floors that no average may hide."""

import numpy as np
import pandas as pd

from skillsgap.contracts import PILLARS
from skillsgap.errors import EstimateError

CONCENTRATION = 30  # of the weights' draws: a declared third lies between 0.18 and 0.51 in 95 % of them
LIMITS = (2.5, 97.5)
NEAR = 1e-9  # rounding noise of a score
DIGITS, DECIMALS = 3, 4  # a change is told to a thousandth of its indicator's range, to the decimals that are released


def readiness(indicators, *, weights=None, floors=None, n_draws=1000, random_state=0):
    """Score of each pillar of readiness and their weighted means, with what would lift a pillar that is too low.

    An indicator runs from 0, its worse declared limit, to 1, its better one; a pillar is the mean of its indicators.
    The interval contains method uncertainty only: which indicators were chosen (each is left out in turn, and none)
    and, in the means, the weights (Dirichlet draws around the declared ones). Indicators bring no sampling error.

    Parameters
    ----------
    indicators : DataFrame with columns indicator_id, pillar, direction {higher, lower}, min, max, value, owner
        In each indicator's own units.
    weights : mapping of pillar to number above 0, optional
        A pillar that isn't named weighs 1.
    floors : mapping of pillar to 0–1, optional
        Score that a pillar must reach, whatever the average.
    n_draws : int
    random_state : int

    Returns
    -------
    DataFrame
        part {pillar, overall}, name (a pillar, arithmetic, geometric), estimate 0–1, ci_low, ci_high, n_indicators,
        floor, below, lift_indicator, lift_from, lift_to, lift_owner, uncertainty. Both means are empty where a pillar
        has no indicator; a pillar of one has no interval. The lift is the smallest change of one indicator that
        brings a pillar to its floor, in its own units: the same part of any indicator's range, so that the one with
        most room is named (of several the first in the alphabet); empty where none alone can.

    Raises
    ------
    EstimateError
        A value outside its limits, no range between them, an unknown pillar or direction, no weight or floor.

    References
    ----------
    OECD & JRC (2008), Handbook on Constructing Composite Indicators, chapters 5 to 7.

    Examples
    --------
    >>> table = pd.DataFrame({"indicator_id": list("abcd"), "pillar": [*PILLARS, "regulation"], "direction": "higher",
    ...                       "min": 0, "max": 10, "value": [9, 4, 2, 4], "owner": "ministry"})
    >>> made = readiness(table, floors={"regulation": 0.5}).set_index("name")
    >>> made["estimate"].round(3).tolist()
    [0.9, 0.4, 0.3, 0.533, 0.476]
    >>> made.loc["regulation", ["lift_indicator", "lift_from", "lift_to"]].astype(str).tolist()
    ['c', '2.0', '6.0']
    """
    weights = _by_pillar(weights, 1.0, "weight above 0", lambda x: 0 < x < np.inf)
    floors = _by_pillar(floors, np.nan, "floor from 0 to 1", lambda x: 0 <= x <= 1)
    table, weights = _normalised(indicators), weights / weights.sum()
    pillars = [table[table["pillar"] == pillar] for pillar in PILLARS]
    rows = [_pillar(name, part, floor) for name, part, floor in zip(PILLARS, pillars, floors, strict=True)]
    settings = _settings(np.array([row["estimate"] for row in rows]), pillars)
    draws = np.random.default_rng(random_state).dirichlet(CONCENTRATION * weights, size=n_draws)
    drawn = np.vstack([weights, draws])  # the declared weights and the scores as they are stand first
    for name, means in (("arithmetic", settings @ drawn.T), ("geometric", np.prod(settings[:, None] ** drawn, axis=2))):
        rows.append({"part": "overall", "name": name, "estimate": means[0, 0], "n_indicators": len(table)})
        rows[-1]["ci_low"], rows[-1]["ci_high"] = np.percentile(means[:, 1:], LIMITS)
    usual = {"floor": np.nan, "below": False, "lift_indicator": "", "lift_from": np.nan, "lift_to": np.nan,
             "lift_owner": "", "uncertainty": "method"}  # fmt: skip
    columns = ["part", "name", "estimate", "ci_low", "ci_high", "n_indicators", *usual]
    made = pd.DataFrame([usual | row for row in rows], columns=columns)
    return made.assign(**made[["estimate", "ci_low", "ci_high"]].clip(upper=1.0))


def _by_pillar(given, usual, what, right):
    """A number for each pillar, in their order."""
    for pillar, x in (given or {}).items():
        if pillar not in PILLARS or not right(x):
            raise EstimateError(f"readiness: {pillar}: {x}: expected a {what} for {', '.join(PILLARS)}")
    return np.array([(given or {}).get(pillar, usual) for pillar in PILLARS], dtype=float)


def _normalised(indicators):
    """Indicators sorted by their name, with a score from 0 to 1."""
    table = indicators.sort_values("indicator_id", ignore_index=True)
    table = table.assign(**table[["min", "max", "value"]].astype(float))
    span = table["max"] - table["min"]
    _refuse(table[~table["pillar"].isin(PILLARS)], "pillar {pillar} is none of " + ", ".join(PILLARS))
    _refuse(table[~table["direction"].isin(["higher", "lower"])], "direction {direction} is neither higher nor lower")
    _refuse(table[~span.between(0, np.inf, inclusive="neither")], "min {min:.12g} is not below max {max:.12g}")
    _refuse(table[~table["value"].between(table["min"], table["max"])],
            "value {value:.12g} is outside {min:.12g} to {max:.12g}: correct it, or the limits")  # fmt: skip
    share = (table["value"] - table["min"]) / span
    return table.assign(score=share.where(table["direction"] == "higher", 1 - share))


def _refuse(odd, text):
    if len(odd):
        many = f" ({len(odd)} such)" if len(odd) > 1 else ""
        raise EstimateError(f"indicators: {odd['indicator_id'].iloc[0]}: {text.format(**odd.iloc[0])}{many}")


def _pillar(name, part, floor):
    score = part["score"].mean()
    without, below = _without_each(part), bool(score < floor - NEAR)
    row = {"part": "pillar", "name": name, "estimate": score, "n_indicators": len(part), "floor": floor, "below": below}
    row["ci_low"], row["ci_high"] = np.percentile([score, *without] if without else np.nan, LIMITS)
    return row | (_lift(part, floor - score) if below else {})


def _without_each(part):
    """Mean score with each indicator left out in turn; none where that would leave nothing."""
    scores = part["score"].to_numpy()
    return [np.delete(scores, i).mean() for i in range(len(scores))] if len(scores) > 1 else []


def _settings(scores, pillars):
    """Pillar scores as they are, then with each indicator left out in turn: one row a setting."""
    columns = np.arange(len(scores))
    left_out = [(k, score) for k, part in enumerate(pillars) for score in _without_each(part)]
    return np.array([scores, *(np.where(columns == k, score, scores) for k, score in left_out)])


def _lift(part, short):
    """The indicator with most room and the value that lifts its pillar; nothing where its best value would not."""
    least = part.loc[part["score"].round(12).idxmin()]
    if least["score"] + short * len(part) > 1 + NEAR:
        return {}
    span, sign = least["max"] - least["min"], 1 if least["direction"] == "higher" else -1
    # rounded away from where it stands, so that what is printed does lift the pillar
    tens = 10.0 ** np.clip(np.ceil(DIGITS - np.log10(span)), 0, DECIMALS)
    to = sign * np.ceil((sign * least["value"] + short * len(part) * span) * tens - NEAR) / tens
    return {"lift_indicator": least["indicator_id"], "lift_from": least["value"], "lift_owner": least["owner"],
            "lift_to": np.clip(to, least["min"], least["max"])}  # fmt: skip
