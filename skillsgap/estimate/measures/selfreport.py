"""How far self-ratings stand from what an assessor found of the same people, and levels calibrated to that."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.imputed import draw_true
from skillsgap.estimate.measures.scoring import LEVEL_TYPES, plausible_levels, score_competencies
from skillsgap.estimate.survey.means import design_means

TESTED, LEVELS, LOWEST = "tested", 5, 0  # items whose categories are the levels 0 to 4, as an assessor gave them
ALL = "all"  # the row over all assessed competencies
MINIMUM = 30  # DESIGN: people with both a self-rating and an assessment, below which a competency is not calibrated


def self_report_difference(scores, responses, items, design):
    """Estimate how much higher people rate themselves than an assessor rated them: mean difference in levels.

    It speaks for everybody only where the assessed were a random part of the respondents: they keep the weights of
    respondents. The interval holds what differs between people, also by the error of either measure, and not what
    few assessors have in common.

    Both measures are whole levels (a self-rating over several items is their mean). Rounding adds noise to each and,
    over people spread across levels, shifts neither. Ending at 0 and 4 does: it cuts off what stands above 4 or below
    0, so a bias of people near an end comes out smaller than it is, and the noisier measure is drawn further towards
    the middle. Where nobody is biased, self-ratings then come out a little high near 0 and a little low near 4.

    Parameters
    ----------
    scores : DataFrame of shape (n_respondents, n_competencies)
        Self-rated levels 0–4, as `score_competencies` gives them.
    responses : DataFrame of shape (n_respondents, …)
        One column an item, empty for who was not assessed; index ``row_key`` as in `scores` and the design.
    items : DataFrame
        item_id, competency_id, type, n_categories, and where declared lowest (else 0). Counted are those of type
        tested with the five levels 0–4 for categories.
    design : SurveyDesign

    Returns
    -------
    DataFrame
        competency_id, estimate (self-rated minus assessed level, -4 to 4), se, ci_low, ci_high, n, n_eff,
        uncertainty: a row for each competency of which somebody has both, and one over `all` of them, the mean of
        each person's mean difference. Empty where nobody has both.

    Examples
    --------
    >>> import pandas as pd
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> items = pd.DataFrame({"item_id": ["t"], "competency_id": ["c"], "type": ["tested"], "n_categories": [5]})
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0, 5.0], "t": [2, 1, 3, None]})
    >>> levels = pd.DataFrame({"c": [3.0, 1.0, 3.5, 4.0]})
    >>> self_report_difference(levels, rows, items, survey_design(rows))[["competency_id", "estimate", "n"]]
      competency_id  estimate  n
    0             c       0.5  3
    1           all       0.5  3
    """
    assessed = _assessed(responses, items, scores.columns)
    off = (scores[assessed.columns] - assessed).loc[design.weights.index]
    table = design_means(off.assign(**{ALL: off.mean(axis=1)}), design).rename(columns={"variable": "competency_id"})
    return table[table["n"] > 0].drop(columns="group").reset_index(drop=True)


def _assessed(responses, items, competencies):
    """Levels that an assessor gave, a column for each competency that has a tested item."""
    if "competency_id" not in items:
        items = items.assign(competency_id=None)  # tied to no competency, they measure none
    lowest = items["lowest"].fillna(LOWEST) if "lowest" in items else LOWEST
    levels = items[(items["type"] == TESTED) & (items["n_categories"] == LEVELS) & (lowest == LOWEST)]
    levels = levels[levels["competency_id"].isin(competencies)]
    return score_competencies(responses, levels.assign(type=LEVEL_TYPES[0]))


@dataclass(frozen=True)
class CalibratedLevels:
    """Plausible levels after calibration to what an assessor found, and what that rests on.

    Attributes
    ----------
    draws : list of DataFrame of shape (n_respondents, n_competencies)
        Levels 0–4.
    facts : DataFrame
        A row a competency: competency_id; basis (tested, transferred from the tested ones, or self_reported);
        estimate, the levels by which self-ratings stand above the calibrated ones, with se, ci_low and ci_high
        (nothing where self_reported); n and n_eff, who was tested and rated themselves; uncertainty.
    """

    draws: list
    facts: pd.DataFrame


def calibrated_levels(scores, responses, items, alphas, design, conditioning, *, groups=None, n_draws=10,
                      random_state=0):  # fmt: skip
    """Plausible true levels of everybody, given their self-ratings and what an assessor found of a random part.

    A self-rating is taken for the true level plus a bias of the person's groups plus error, an assessment for the true
    level plus error. The errors depend neither on each other, nor on the true level, nor on who was tested, and the
    assessor is right on average. Among people alike in `conditioning` both measures then share only the true level:
    the slope of assessments on self-ratings is the reliability k of a self-rating, k (1 - k) s² (s² their variance) is
    that of true levels among people of one self-rating, and what assessments vary beyond it is the assessor's error.
    That self-ratings rise with the true level one for one is used for this variance, and for means of groups with few
    tested; the mean over all is a regression of the assessments and holds without it. Whole levels from 0 to 4 obey all
    this roughly: the ends bend it a little.

    - Tested competencies (30 people or more with both measures): bias is one overall and one of each category of each
      conditioning column, those of a column normal with a spread of its own, so that small categories are drawn
      towards the overall bias as far as the data don't tell them apart. Every draw of levels has its own draw of mean
      self-ratings, biases, spreads, slope and residual variance (Gibbs sampler). Who was tested has levels from both.
    - Other competencies: reliability from `alphas`, as in `plausible_levels`, and the bias of the tested ones. Biases
      vary about a common mean by what the tested ones show, and half of that variance is shared within a group of
      competencies. The draws hold what this may be wrong by, as far as the tested competencies are like the others.
    - Nobody, or fewer people, tested: `plausible_levels`, unchanged.

    What is thought before data, in levels: a column's spread of bias is as likely below 0.2 as above (half-Cauchy; it
    matters where a column has few categories or few tested); biases of competencies spread by 0.15, which weighs as
    much as four of them; slopes are 0.5 give or take 0.5. Self-ratings in levels are off by tenths. Where 12 % of 800
    were tested and biases of six groups spread by 0 to 0.2, 95 % intervals held true means in 0.96–0.98 of 150 samples
    overall and in 0.95–0.98 by group; 40 draws in place of 10 narrowed them by 1 %.

    Draws are cut off at 0 and 4 round a centre that keeps their mean. Estimate from each, and combine by Rubin's rules.

    Parameters
    ----------
    scores : DataFrame of shape (n_respondents, n_competencies)
        Self-rated levels 0–4, NaN where missing (stays missing).
    responses : DataFrame of shape (n_respondents, …)
        One column an item, NaN for who was not tested; the tested are a random part of the respondents.
    items : DataFrame
        item_id, competency_id, type, n_categories and, where declared, lowest.
    alphas : Series of shape (n_competencies,)
        Reliability of each self-rated level, for competencies without a test.
    design : SurveyDesign
    conditioning : DataFrame of shape (n_respondents, n_columns)
        Every column results are to be split by, and those bias may depend on.
    groups : Series, optional
        Group of each competency, index competency_id; without it, all are of one kind.
    n_draws : int
        At least 2.
    random_state : int

    Returns
    -------
    CalibratedLevels

    Raises
    ------
    EstimateError
        `conditioning` has other people than `scores`, or one draw is asked for.

    References
    ----------
    Cole, Chu & Greenland (2006), International Journal of Epidemiology 35, 1074–1081; Blackwell, Honaker & King (2017),
    Sociological Methods & Research 46, 303–341; Carroll, Ruppert, Stefanski & Crainiceanu (2006), Measurement Error in
    Nonlinear Models, ch. 2; Gelman (2006), Bayesian Analysis 1, 515–534.

    Examples
    --------
    All rate themselves half a level too high:

    >>> from skillsgap.estimate.survey.design import survey_design
    >>> rows = pd.DataFrame({"weight": 1.0, "t": [1, 2, 3, 2] * 50}).rename_axis("row_key")
    >>> items = pd.DataFrame({"item_id": ["t"], "competency_id": ["c"], "type": ["tested"], "n_categories": [5]})
    >>> scores = pd.DataFrame({"c": rows["t"] + 0.5})
    >>> made = calibrated_levels(scores, rows, items, pd.Series(), survey_design(rows, n_replicates=20), rows[[]])
    >>> made.facts.round(2)[["competency_id", "basis", "estimate", "n"]]
      competency_id   basis  estimate    n
    0             c  tested       0.5  200
    """
    if len(conditioning) != len(scores):
        raise EstimateError(f"conditioning has {len(conditioning)} rows and scores {len(scores)}: give the same people")
    if n_draws < 2:
        raise EstimateError(f"n_draws is {n_draws}: give at least 2, what differs between draws is part of the error")
    names, weights = sorted(scores), design.weights.loc[scores.index]
    # by key, and who counts for nothing last, so that they change no draw of the others
    weights = weights.sort_index().sort_values(ascending=False, key=lambda w: w > 0, kind="stable")
    rated = scores.loc[weights.index, names]
    counted = rated.notna().mul(weights > 0, axis=0)
    found = _assessed(responses, items, names).reindex(index=weights.index, columns=names).where(counted)
    tested = [name for name in names if found[name].notna().sum() >= MINIMUM]
    if tested:
        people = conditioning.loc[weights.index]
        levels = draw_true(rated, found[tested], weights, people, alphas, groups, n_draws, random_state)
        draws = [pd.DataFrame(draw, weights.index, names).sort_index()[list(scores)] for draw in levels]
    else:
        draws = plausible_levels(scores, alphas, design, conditioning, n_draws=n_draws, random_state=random_state)
    return CalibratedLevels(draws, _facts(scores, draws, found, tested, design))


def _facts(scores, draws, found, tested, design):
    """On what each competency's levels rest, and how far self-ratings stand above them."""
    order = design.weights.index
    table = design_means([(scores - draw).loc[order] for draw in draws], design)
    names, known = table["variable"], ["estimate", "se", "ci_low", "ci_high"]
    weights = found.loc[order, names].notna().mul(design.weights, axis=0).to_numpy()
    mass, squares = weights.sum(axis=0), (weights**2).sum(axis=0)
    basis = np.where(names.isin(tested), "tested", "transferred" if tested else "self_reported")
    return pd.DataFrame({
        "competency_id": names, "basis": basis, **(table[known] if tested else dict.fromkeys(known, np.nan)),
        "n": (weights > 0).sum(axis=0),
        "n_eff": np.divide(mass**2, squares, out=np.zeros_like(mass), where=squares > 0),
        "uncertainty": np.where(basis == "transferred", "sampling+model", "sampling+measurement"),
    })  # fmt: skip
