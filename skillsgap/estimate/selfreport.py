"""How far self-ratings stand from what an assessor found of the same people."""

from skillsgap.estimate.design import design_means
from skillsgap.estimate.scoring import LEVEL_TYPES, score_competencies

TESTED, LEVELS, LOWEST = "tested", 5, 0  # items whose categories are the levels 0 to 4, as an assessor gave them
ALL = "all"  # the row over all assessed competencies


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
    >>> from skillsgap.estimate.design import survey_design
    >>> items = pd.DataFrame({"item_id": ["t"], "competency_id": ["c"], "type": ["tested"], "n_categories": [5]})
    >>> rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0, 5.0], "t": [2, 1, 3, None]})
    >>> levels = pd.DataFrame({"c": [3.0, 1.0, 3.5, 4.0]})
    >>> self_report_difference(levels, rows, items, survey_design(rows))[["competency_id", "estimate", "n"]]
      competency_id  estimate  n
    0             c       0.5  3
    1           all       0.5  3
    """
    if "competency_id" not in items:
        items = items.assign(competency_id=None)  # tied to no competency, they measure none
    lowest = items["lowest"].fillna(LOWEST) if "lowest" in items else LOWEST
    levels = items[(items["type"] == TESTED) & (items["n_categories"] == LEVELS) & (lowest == LOWEST)]
    levels = levels[levels["competency_id"].isin(scores.columns)]
    assessed = score_competencies(responses, levels.assign(type=LEVEL_TYPES[0]))
    off = (scores[assessed.columns] - assessed).loc[design.weights.index]
    table = design_means(off.assign(**{ALL: off.mean(axis=1)}), design).rename(columns={"variable": "competency_id"})
    return table[table["n"] > 0].drop(columns="group").reset_index(drop=True)
