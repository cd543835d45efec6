"""Plausible abilities and levels from an item response model: draws that carry the error of the answers."""

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.irt import ABILITIES
from skillsgap.estimate.measures.irt_fit import moments, posteriors
from skillsgap.estimate.measures.scoring import indicators

MOST_STEPS, NEAR = 500, 1e-5  # EM of group means; 1e-5 of the ability scale is far below any sampling error


def plausible_abilities(model, answers, design=None, conditioning=None, *, n_draws=10, random_state=0):
    """Draws of each respondent's ability from its posterior.

    With `conditioning`, ability is normal around a weighted regression on these columns instead of N(0, 1), so that
    groups' means aren't drawn towards the overall mean. Item parameters and the regression count as known.

    Parameters
    ----------
    model : ItemResponseModel, fitted
    answers : DataFrame (n_respondents, n_items), index row_key; NaN = missing
    design : SurveyDesign, optional
        Weights of the regression; without, everybody counts the same.
    conditioning : DataFrame (n_respondents, n_columns), optional
        Every column results are to be split by, taken as categories (main effects; an empty cell is one of them).
    n_draws : int
    random_state : int

    Returns
    -------
    list of DataFrame
        `n_draws` frames with the column ability, rows as in `answers`; NaN for who answered nothing.

    References
    ----------
    Mislevy (1991), Psychometrika 56, 177-196.

    Examples
    --------
    >>> from skillsgap.estimate.measures.irt import ItemResponseModel
    >>> answers = pd.DataFrame([[0, 0], [1, 0], [1, 1], [0, 1], [None, None]], columns=[*"ab"])
    >>> draws = plausible_abilities(ItemResponseModel("rasch").fit(answers), answers, n_draws=200)
    >>> bool(np.mean([draw["ability"][2] > draw["ability"][0] for draw in draws]) > 0.7)
    True
    >>> int(draws[0]["ability"].count())
    4
    """
    if conditioning is not None and not conditioning.index.equals(answers.index):
        raise EstimateError(f"conditioning has {len(conditioning)} rows and answers {len(answers)}, or in another "
                            "order: give the same people in the same order")  # fmt: skip
    if design is not None and not design.weights.index.equals(answers.index):
        raise EstimateError("design and answers are of different people or in another order: use design.subset")
    order = np.argsort(answers.index.to_numpy(), kind="stable")
    places, log_p = model._places(answers.iloc[order]), model._tables(ABILITIES)[0]
    weights = np.ones(len(answers)) if design is None else design.weights.to_numpy()[order]
    means, sd = np.zeros(len(answers)), 1.0
    told = (places < len(log_p)).any(axis=1)
    if conditioning is not None:
        means, sd = _latent_regression(places, log_p, weights * told, indicators(conditioning.iloc[order]))
    drawn = np.empty((n_draws, len(answers)))
    chance = np.random.default_rng(random_state).random(drawn.shape)
    for rows, there in posteriors(places, log_p, ABILITIES, means, sd):
        drawn[:, rows] = _inverse(there, chance[:, rows])
    drawn[:, ~told] = np.nan
    back = np.argsort(order)
    return [pd.DataFrame({"ability": draw[back]}, index=answers.index) for draw in drawn]


def expected_level(model, ability, items=None):
    """Mean expected answer to anchored items at an ability: the level 0-4 that it stands for.

    Parameters
    ----------
    model : ItemResponseModel, fitted; its codes are levels
    ability : array-like, in standard deviations of the population; NaN stays
    items : list of item_id, optional
        Those of one competency; all by default.

    Returns
    -------
    ndarray of the shape of `ability`, levels on the scale of the codes

    Examples
    --------
    >>> from skillsgap.estimate.measures.irt import ItemResponseModel
    >>> answers = pd.DataFrame([[0, 4], [4, 0], [4, 4], [0, 0]], columns=["a", "b"])
    >>> fit = ItemResponseModel("rasch", categories={"a": [0, 4], "b": [0, 4]}).fit(answers)
    >>> expected_level(fit, [0.0]).round(2).tolist()
    [2.0]
    """
    ability = np.asarray(ability, dtype=float)
    wanted = list(model.categories_) if items is None else list(items)
    if unknown := [str(item) for item in wanted if item not in model.categories_]:
        raise EstimateError(f"items {', '.join(unknown)} are not in the model: fit it with them")
    total = np.zeros(ability.shape)
    for item in wanted:
        codes = pd.to_numeric(pd.Series(model.categories_[item]), errors="coerce").to_numpy(dtype=float)
        if np.isnan(codes).any():
            raise EstimateError(f"item {item}: its codes are no numbers, so they make no level: recode them to levels")
        codes = codes[model._seen[item]]
        steps = model.difficulties_.loc[item].to_numpy()[model._seen[item][1:] - 1]
        total += codes[0]
        for rise, step in zip(np.diff(codes), steps, strict=True):
            total += rise * expit(model.discriminations_[item] * (ability - step))
    return total / len(wanted)


def graded_levels(model, answers, design=None, conditioning=None, *, competencies=None, n_draws=10, random_state=0):
    """Plausible levels: draws of ability turned into the level each stands for.

    Parameters
    ----------
    model, answers, design, conditioning, n_draws, random_state
        As for `plausible_abilities`.
    competencies : Series, item_id -> competency_id, optional
        One column of levels a competency, all from the same ability; without, one column `level` over all items.

    Returns
    -------
    list of DataFrame
        `n_draws` frames of levels (on the scale of the codes), rows as in `answers`; NaN for who answered nothing.

    Examples
    --------
    >>> from skillsgap.estimate.measures.irt import ItemResponseModel
    >>> answers = pd.DataFrame([[0, 4], [4, 0], [4, 4], [0, 0]], columns=["a", "b"])
    >>> fit = ItemResponseModel("rasch").fit(answers)
    >>> levels = graded_levels(fit, answers, competencies=pd.Series({"a": "data"}), n_draws=2)
    >>> len(levels), bool(levels[0]["data"].between(0, 4).all())
    (2, True)
    """
    draws = plausible_abilities(model, answers, design, conditioning, n_draws=n_draws, random_state=random_state)
    if competencies is None:
        competencies = pd.Series("level", index=list(model.categories_))
    belongs = {name: list(part.index) for name, part in competencies.groupby(competencies, sort=True)}
    return [pd.DataFrame({name: expected_level(model, draw["ability"], items) for name, items in belongs.items()},
                         index=answers.index) for draw in draws]  # fmt: skip


def test_information(model, abilities):
    """Fisher information of the answered test at points of the ability scale.

    Parameters
    ----------
    model : ItemResponseModel, fitted
    abilities : array-like of shape (n_points,), ability in standard deviations of the population

    Returns
    -------
    DataFrame
        ability, information, se (1 / sqrt of the information), reliability (information / (1 + information), the share
        of the population's variance that an ability estimate of that precision would leave explained).

    References
    ----------
    Samejima (1969), Psychometrika Monograph 17, ch. 6.

    Examples
    --------
    >>> from skillsgap.estimate.measures.irt import ItemResponseModel
    >>> fit = ItemResponseModel("rasch").fit(pd.DataFrame([[0, 1], [1, 0], [1, 1], [0, 0]]))
    >>> test_information(fit, [0.0])[["information", "reliability"]].round(2).to_numpy().tolist()
    [[0.5, 0.33]]
    """
    abilities = np.asarray(abilities, dtype=float)
    log_p, by_lower, by_upper = model._tables(abilities)
    slopes = model._layout.discriminations(model._parameters)[model._layout.item][:, None]
    information = (np.exp(log_p) * (slopes * (by_lower + by_upper)) ** 2).sum(axis=0)
    return pd.DataFrame({"ability": abilities, "information": information, "se": information**-0.5,
                         "reliability": information / (1 + information)})  # fmt: skip


def marginal_reliability(model):
    """Reliability 0-1 of ability estimates over the N(0, 1) population, all items answered: mean of I / (1 + I).

    References
    ----------
    Green, Bock, Humphreys, Linn & Reckase (1984), Journal of Educational Measurement 21, 347-360.

    Examples
    --------
    >>> from skillsgap.estimate.measures.irt import ItemResponseModel
    >>> round(marginal_reliability(ItemResponseModel("rasch").fit(pd.DataFrame([[0, 1], [1, 0], [1, 1], [0, 0]]))), 2)
    0.29
    """
    density = stats.norm.pdf(ABILITIES)
    return float(density @ test_information(model, ABILITIES)["reliability"] / density.sum())


def _latent_regression(places, log_p, weights, x):
    """Mean of each row and sd around it, by EM; rows of weight 0 get a mean and give nothing."""
    if not weights.any():
        raise EstimateError("nobody with a weight above 0 answered an item: there is no ability to draw")
    root = np.sqrt(weights / weights.sum())
    solve = np.linalg.pinv(x * root[:, None])
    means, sd = np.zeros(len(x)), 1.0
    for _ in range(MOST_STEPS):
        before = means, sd
        mean, variance = moments(places, log_p, ABILITIES, means, sd)
        means = x @ (solve @ (mean * root))
        sd = np.sqrt(root**2 @ (variance + (mean - means) ** 2))
        if np.abs(means - before[0]).max() < NEAR and abs(sd - before[1]) < NEAR:
            return means, sd
    raise EstimateError(f"the regression of ability on the conditioning columns found no maximum in {MOST_STEPS} "
                        "steps: condition on fewer columns or merge small categories")  # fmt: skip


def _inverse(there, chance):
    """Abilities at the chances (draw, row) of each row's posterior, taken as flat within a step of the grid."""
    width = ABILITIES[1] - ABILITIES[0]
    reached = np.cumsum(there, axis=1)
    drawn = np.empty(chance.shape)
    for k, chances in enumerate(chance):
        place = np.minimum((reached < chances[:, None] * reached[:, -1:]).sum(axis=1), len(ABILITIES) - 1)[:, None]
        mass = np.take_along_axis(there, place, axis=1)[:, 0]
        over = np.take_along_axis(reached, place, axis=1)[:, 0] - chances * reached[:, -1]
        drawn[k] = ABILITIES[place[:, 0]] + width * (0.5 - over / np.maximum(mass, 1e-300))
    return drawn
