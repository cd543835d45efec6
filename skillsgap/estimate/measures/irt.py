"""Item response models: what each item says of ability, and what a respondent's answers say of theirs."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.irt_fit import (
    Layout,
    blocks,
    category_tables,
    climb,
    moments,
    nodes_and_weights,
    observed_information,
    outer_products,
    score_blocks,
)
from skillsgap.estimate.survey.intervals import interval
from skillsgap.estimate.survey.weights import kish, weights_of

SLOPES = {"rasch": "one", "1pl": "common", "2pl": "free", "grm": "free", "grm_equal": "common"}
BINARY = ("rasch", "1pl", "2pl")
LEAST_ITEMS = {"one": 1, "common": 2, "free": 3}  # fewer leave a discrimination that any value would fit
LOGIT_SPREAD = 1.16  # sqrt(1 + (16 sqrt(3) / 15 pi)^2): a margin's logit to a threshold at discrimination 1
ABILITIES = np.linspace(-5, 5, 101)  # steps of 0.1: a third of the posterior sd of 30 good items


class ItemResponseModel(BaseEstimator):
    """Estimate difficulties and discriminations of items by marginal maximum likelihood, ability N(0, 1).

    P(answer above category c) = 1 / (1 + exp(-a (ability - b_c))). Full information: a missing answer adds nothing.
    A category nobody chose is kept: in the middle, the thresholds on both its sides are the same number (the limit of
    the likelihood), at an end its threshold is NaN; `n_parameters_` counts those estimated.

    Parameters
    ----------
    model : {"rasch", "1pl", "2pl", "grm", "grm_equal"}
        Two categories with discrimination 1, one common, or one an item; graded with one an item, or one common.
    categories : dict, item -> codes from low to high, optional
        Items may have different numbers of codes. Without, the codes seen, sorted.
    n_quadrature : int, 5 to 150
        Abilities the integral runs over.
    quadrature : {"gauss_hermite", "uniform"}
        Gauss-Hermite, or equal steps from -5 to 5: finer in the middle, so 31 do for 30 items.
    max_iter : int
    tol : float
        Converged when the next step, over all parameters, is shorter than so many standard errors.

    Attributes
    ----------
    difficulties_ : DataFrame (item x 1..C-1), NaN where an item has fewer categories
    discriminations_ : Series by item
    difficulty_se_, discrimination_se_ : of the same shapes; sandwich of observed information and weighted scores
    loglik_, loglik_weighted_ : float, weights normalised to sum to the rows used, and weights as given
    n_parameters_, n_rows_, n_iter_ : int
    converged_ : bool, always True: what doesn't converge raises
    max_gradient_ : float, log-likelihood a person and unit of a parameter (slope, or slope times difficulty)

    References
    ----------
    Samejima (1969), Psychometrika Monograph 17. Bock & Aitkin (1981), Psychometrika 46, 443-459.

    Examples
    --------
    >>> answers = pd.DataFrame([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1], [0, 0, 1]], columns=[*"abc"])
    >>> fit = ItemResponseModel("rasch").fit(answers)
    >>> fit.difficulties_[1].abs().round(3).tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(self, model="grm", *, categories=None, n_quadrature=41, quadrature="gauss_hermite",
                 max_iter=300, tol=1e-4):  # fmt: skip
        self.model = model
        self.categories = categories
        self.n_quadrature = n_quadrature
        self.quadrature = quadrature
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, answers, y=None, sample_weight=None):
        """Fit the items.

        Parameters
        ----------
        answers : DataFrame (n_respondents, n_items), NaN = missing
        y : ignored
        sample_weight : Series with the same index, or array (n_respondents,), >= 0; scaling changes nothing

        Raises
        ------
        EstimateError
            An item nobody answered or everybody answered alike, a code that isn't declared, too few items for the
            model, or no maximum was found; the item is named.
        """
        self._check_words()
        answers = pd.DataFrame(answers)
        weights = weights_of(answers, sample_weight)
        used = (weights > 0) & answers.notna().any(axis=1).to_numpy()
        answers, mean_weight = answers[used], weights[used].sum() / max(used.sum(), 1)
        weights = weights[used] / max(mean_weight, 1e-300)
        self.categories_ = {item: self._codes(answers[item], item) for item in answers}
        self.n_rows_, there = len(answers), answers.notna()
        self._seen = {item: _seen_codes(answers[item], codes) for item, codes in self.categories_.items()}
        self._check_items()
        self._n = there.sum()
        self._n_eff = pd.Series({item: kish(weights[there[item]]) for item in answers})
        self._layout = Layout(tuple(len(seen) for seen in self._seen.values()), SLOPES[self.model])
        patterns, mass, squares = _patterns(self._places(answers), weights)
        self._maximise(patterns, mass, squares)
        self.loglik_weighted_ = self.loglik_ * mean_weight
        self._store()
        return self

    def predict(self, answers):
        """Ability of each respondent: mean and sd of the posterior (EAP) under N(0, 1).

        Returns
        -------
        DataFrame
            ability, sd, n_answers; in the order of `answers`. NaN for who answered nothing.
        """
        places, log_p = self._places(answers), self._tables(ABILITIES)[0]
        mean, spread = moments(places, log_p, ABILITIES, np.zeros(len(places)), 1.0)
        n_answers = (places < len(self._layout.item)).sum(axis=1)
        table = pd.DataFrame({"ability": mean, "sd": np.sqrt(spread)}, index=answers.index)
        table[n_answers == 0] = np.nan
        return table.assign(n_answers=n_answers)

    def _check_words(self):
        if self.model not in SLOPES:
            raise EstimateError(f"model {self.model!r} is not known: choose one of {', '.join(SLOPES)}")
        if self.quadrature not in ("gauss_hermite", "uniform") or not 5 <= self.n_quadrature <= 150:
            raise EstimateError(f"quadrature {self.quadrature!r} with {self.n_quadrature} points: "
                                "choose gauss_hermite or uniform, and 5 to 150 points")  # fmt: skip

    def _check_items(self):
        least = LEAST_ITEMS[SLOPES[self.model]]
        if len(self._seen) < least:
            raise EstimateError(f"model {self.model} needs at least {least} items, {len(self._seen)} came: "
                                "add items, or fit grm_equal or rasch")  # fmt: skip
        for item, seen in self._seen.items():
            if not len(seen):
                raise EstimateError(f"item {item}: nobody with a weight above 0 answered it: leave it out")
            if len(seen) == 1:
                raise EstimateError(f"item {item}: everybody answered {self.categories_[item][seen[0]]}, which says "
                                    "nothing about ability: leave it out")  # fmt: skip
            if self.model in BINARY and len(self.categories_[item]) > 2:
                raise EstimateError(f"item {item} has {len(self.categories_[item])} categories and model "
                                    f"{self.model} takes 2: choose grm or grm_equal")  # fmt: skip

    def _codes(self, column, item):
        """Declared codes of an item, or those seen; an answer outside them is a fault."""
        if self.categories is None:
            return np.sort(column.dropna().unique())
        if item not in self.categories:
            raise EstimateError(f"categories don't say the codes of item {item}: add them, from low to high")
        codes = np.asarray(list(self.categories[item]))
        strange = column[column.notna() & ~column.isin(codes)]
        if len(strange):
            raise EstimateError(f"item {item}: answer {strange.iloc[0]} is not among its categories "
                                f"{', '.join(map(str, codes))} ({len(strange)} rows): correct or declare it")
        return codes

    def _places(self, answers):
        """Place of each answer on the axis of all categories; the axis' length for a missing one."""
        if not hasattr(self, "_layout"):
            raise EstimateError("this item response model is not fitted yet: call fit(answers) first")
        absent = [str(item) for item in self._seen if item not in answers]
        if absent:
            raise EstimateError(f"answers lack {', '.join(absent)}, used to fit the model: add them")
        width, unseen = len(self._layout.item), 0
        places = np.full((len(answers), len(self._seen)), width, dtype=np.int32)
        for j, (item, seen) in enumerate(self._seen.items()):
            codes = pd.Categorical(answers[item], categories=self.categories_[item][seen]).codes
            places[codes >= 0, j] = self._layout.first[j] + codes[codes >= 0]
            unseen += int((codes < 0).sum() - answers[item].isna().sum())
        if unseen:
            warnings.warn(f"{unseen} answers have codes not seen in fit; they count as missing", stacklevel=3)
        return places

    def _maximise(self, patterns, mass, squares):
        layout, grid = self._layout, nodes_and_weights(self.quadrature, self.n_quadrature)
        counts = sum(mass[rows] @ onehot for rows, onehot in blocks(patterns, len(layout.item)))
        below = np.concatenate([np.cumsum(c)[:-1] / c.sum() for c in np.split(counts, layout.first[1:])])
        start = np.concatenate([np.ones(layout.n_slopes), LOGIT_SPREAD * np.log((1 - below) / below)])
        found = climb(layout, start, grid, patterns, mass, max_iter=self.max_iter, tol=self.tol)
        best, self.loglik_, left, longest, gradient, self.n_iter_ = found
        if not left < self.tol:
            raise EstimateError(f"item {self._item_of(longest)}: no maximum found in {self.n_iter_} steps (the next is "
                                f"{left:.2g} standard errors long): leave the item out or raise max_iter")  # fmt: skip
        if best[: layout.n_slopes].sum() < 0:
            best[: layout.n_slopes] *= -1  # the likelihood is the same; more ability is to mean higher answers
        information = observed_information(layout, best, grid, patterns, mass)
        values, vectors = np.linalg.eigh(information)
        if values[0] <= 1e-9 * values[-1]:
            flat = self._item_of(int(np.argmax(np.abs(vectors[:, 0]))))
            raise EstimateError(f"item {flat}: the answers don't settle its parameters: leave it out, or fit grm_equal")
        self._parameters, self._grid, self._inverse = best, grid, np.linalg.inv(information)
        self.covariance_ = self._inverse @ outer_products(layout, best, grid, patterns, squares) @ self._inverse
        self.n_parameters_, self.converged_, self.max_gradient_ = len(best), True, float(gradient)

    def _item_of(self, parameter):
        layout = self._layout
        if parameter < layout.n_slopes:
            return "all" if layout.slopes == "common" else list(self._seen)[parameter]
        return list(self._seen)[layout.threshold_item[parameter - layout.n_slopes]]

    def _tables(self, abilities):
        return category_tables(self._layout, self._parameters, abilities)

    def _store(self):
        table = self._reported()[0].assign(se=lambda t: np.sqrt(_diagonal(self._reported()[1], self.covariance_)))
        steps = table[table["step"] > 0].pivot(index="item_id", columns="step", values=["estimate", "se"])
        names = list(self._seen)
        self.difficulties_, self.difficulty_se_ = (steps[k].reindex(names) for k in ("estimate", "se"))
        slopes = table[table["step"] == 0].set_index("item_id")
        self.discriminations_, self.discrimination_se_ = slopes["estimate"].rename(None), slopes["se"].rename(None)

    def _reported(self):
        """Difficulties (step 1, 2, …) and discriminations (step 0) item by item, and their derivatives."""
        layout, a = self._layout, self._layout.discriminations(self._parameters)
        b = -self._parameters[layout.n_slopes :] / a[layout.threshold_item]
        by_slope = layout.slope[layout.first]
        by = -(np.eye(len(self._parameters))[layout.n_slopes :] + b[:, None] * by_slope[layout.threshold_item])
        by /= a[layout.threshold_item][:, None]
        rows, derivatives, begin = [], [], 0
        for j, (item, seen) in enumerate(self._seen.items()):
            for step in range(1, len(self.categories_[item])):
                place = (seen < step).sum() - 1  # an unused category has the threshold of the next used one
                if 0 <= place < len(seen) - 1:
                    rows.append((item, step, b[begin + place]))
                    derivatives.append(by[begin + place])
                else:
                    rows.append((item, step, np.nan))
                    derivatives.append(np.full(len(self._parameters), np.nan))
            rows.append((item, 0, a[j]))
            derivatives.append(by_slope[j])
            begin += len(seen) - 1
        return pd.DataFrame(rows, columns=["item_id", "step", "estimate"]), np.array(derivatives)


def item_parameters(model, *, answers=None, design=None):
    """Difficulties and discriminations as a tidy table with 95 % intervals.

    Parameters
    ----------
    model : ItemResponseModel, fitted with the weights of the design
    answers : DataFrame, those of the fit; needed with a design
    design : SurveyDesign, optional
        Errors then follow strata, PSUs or replicates (each replicate by one Newton step from the full sample, which
        differs from a refit by less than the error of the error); without, respondents count as independent.

    Returns
    -------
    DataFrame
        item_id, parameter (difficulty_1, …, discrimination), estimate, se, ci_low, ci_high, n, n_eff, uncertainty.

    References
    ----------
    Binder (1983), International Statistical Review 51, 279-292.

    Examples
    --------
    >>> answers = pd.DataFrame([[0, 0], [1, 0], [1, 1], [0, 1]] * 25, columns=[*"ab"])
    >>> table = item_parameters(ItemResponseModel("rasch").fit(answers))
    >>> table["parameter"].tolist(), table["se"].round(2).tolist()
    (['difficulty_1', 'discrimination', 'difficulty_1', 'discrimination'], [0.24, 0.0, 0.24, 0.0])
    """
    table, by = model._reported()
    table["se"], degf = np.sqrt(_diagonal(by, model.covariance_)), np.inf
    if design is not None:
        table["se"], degf = np.sqrt(_design_variance(model, answers, design, table["estimate"], by)), design.degf
    low, high = interval(table["estimate"], table["se"], degf)
    names = np.where(table["step"] > 0, "difficulty_" + table["step"].astype(str), "discrimination")
    table = table.assign(parameter=names, ci_low=low, ci_high=high,
                         n=table["item_id"].map(model._n), n_eff=table["item_id"].map(model._n_eff),
                         uncertainty="sampling")  # fmt: skip
    columns = ["item_id", "parameter", "estimate", "se", "ci_low", "ci_high", "n", "n_eff", "uncertainty"]
    return table.dropna(subset="estimate")[columns].reset_index(drop=True)


def _design_variance(model, answers, design, estimates, by):
    if answers is None or not answers.index.equals(design.weights.index):
        raise EstimateError("item parameters with a design need the answers of the same people in the same order")
    weights = design.weights.to_numpy()
    scores = [s for *_, s in score_blocks(model._layout, model._parameters, model._grid, model._places(answers))]
    scale = model.n_rows_ / weights[answers.notna().any(axis=1)].sum()
    influence = np.concatenate(scores) @ (model._inverse * scale) @ by.T
    influence = np.nan_to_num(influence)
    far = np.abs(weights @ influence) / np.sqrt(np.maximum(_diagonal(by, model.covariance_), 1e-300))
    if np.nanmax(far) > 0.1:
        raise EstimateError("the model was fitted to other answers or weights than the design's: fit it with "
                            "sample_weight=design.weights")  # fmt: skip
    if not design.replicated:
        return np.diag(design.covariance(influence))
    full = estimates.to_numpy()
    return design.variance(full, full + design.replicate_weights.T @ influence)


def _seen_codes(column, codes):
    return np.flatnonzero(pd.Index(codes).isin(column.dropna().unique()))


def _patterns(places, weights):
    """Distinct rows, sums of their weights and of the squares; sorted, so that the order of people can't matter."""
    order = np.lexsort((weights, *places.T))
    places, weights = places[order], weights[order]
    starts = np.flatnonzero(np.append(True, (places[1:] != places[:-1]).any(axis=1)))
    return places[starts], np.add.reduceat(weights, starts), np.add.reduceat(weights**2, starts)


def _diagonal(by, covariance):
    """Variances of linear combinations (rows of `by`)."""
    return np.einsum("ij,jk,ik->i", by, covariance, by, optimize=True)
