"""Answers given without reading: how common their signs are, and what the results are without them."""

import numpy as np
import pandas as pd

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.means import design_means

SECONDS_PER_ITEM = 2.0  # Huang et al. (2012): nobody reads and answers a question in less
SHORTEST_SCALE = 10  # items: a run of one answer through fewer of them is nothing unusual
RUN_SHARE = 0.5  # of a scale's items: Curran (2016)
LOWEST_SD = 0.3  # codes: less than one answer in ten differs, and only by one
SECONDS = 60  # in a minute
SCALE = ("type", "n_categories", "lowest", "scale")  # items alike in these have the same categories


def careless_answers(responses, items, *, duration=None, seconds_per_item=SECONDS_PER_ITEM, run_share=RUN_SHARE,
                     lowest_sd=LOWEST_SD, shortest_scale=SHORTEST_SCALE):  # fmt: skip
    """Signs of careless answering: a long run of one answer, hardly any variation, too little time.

    Runs and variation are looked for in each set of items with the same categories, in the order of `items`; skipped
    questions are passed over. Each sign has innocent causes, so none is a finding about anybody: the result is of
    persons, for `with_and_without` only, and belongs in no table.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        Index ``row_key``; a column an item.
    items : DataFrame
        item_id, type, n_categories, and where there are lowest and scale.
    duration : Series of shape (n_respondents,), optional
        Minutes from start to end; empty where not known.
    seconds_per_item : float
        Less than this for each answered item is too little.
    run_share : float
        Share of a scale's items, 0 to 1, from which a run is long.
    lowest_sd : float
        Standard deviation of a person's answers to a scale (codes) below which there is hardly any variation.
    shortest_scale : int
        Items a scale needs (and answers a person needs in it) to be looked at.

    Returns
    -------
    DataFrame of shape (n_respondents, 4)
        long_run, low_variation, speed, any: whether the sign is there.

    References
    ----------
    Huang et al. (2012), Journal of Business and Psychology 27, 99–114; Meade & Craig (2012), Psychological Methods 17,
    437–455; Curran (2016), Journal of Experimental Social Psychology 66, 4–19; Dunn et al. (2018), Journal of
    Business and Psychology 33, 105–121.

    Examples
    --------
    >>> items = pd.DataFrame({"item_id": list("abcd"), "type": "anchored", "n_categories": 5})
    >>> rows = pd.DataFrame([[1, 2, 3, 2], [2, 2, 2, 3], [4, 4, 4, 4]], columns=list("abcd"))
    >>> careless_answers(rows, items, shortest_scale=4, run_share=0.75).sum().to_dict()
    {'long_run': 2, 'low_variation': 1, 'speed': 0, 'any': 2}
    """
    asked = items[items["item_id"].isin(responses.columns)]
    if asked.empty:
        raise EstimateError("careless answers: no item of `items` is a column of the responses: name the items asked")
    signs = pd.DataFrame(False, index=responses.index, columns=["long_run", "low_variation", "speed", "any"])
    for _, scale in asked.groupby([c for c in SCALE if c in asked], sort=True, dropna=False):
        if len(scale) < shortest_scale:
            continue
        answers = responses[scale["item_id"]].to_numpy(dtype=float)
        enough = np.isfinite(answers).sum(axis=1) >= shortest_scale
        signs["long_run"] |= enough & (_longest_run(answers) >= run_share * len(scale))
        signs["low_variation"] |= enough & (_spread(answers) < lowest_sd)
    if duration is not None:
        answered = responses[asked["item_id"]].notna().sum(axis=1)
        seconds = duration.reindex(responses.index).astype(float) * SECONDS
        signs["speed"] = (answered > 0) & (seconds < seconds_per_item * answered)
    return signs.assign(any=signs.any(axis=1))


def _longest_run(answers):
    """Longest run of one answer in each row, an item at a time."""
    last, run, longest = np.full(len(answers), np.nan), np.zeros(len(answers), int), np.zeros(len(answers), int)
    for column in answers.T:
        there = np.isfinite(column)
        run = np.where(there, np.where(column == last, run + 1, 1), run)
        last = np.where(there, column, last)
        longest = np.maximum(longest, run)
    return longest


def _spread(answers):
    """Standard deviation of each row's answers."""
    there = np.isfinite(answers)
    n = np.maximum(there.sum(axis=1), 1)
    mean = np.where(there, answers, 0.0).sum(axis=1) / n
    return np.sqrt((np.where(there, answers - mean[:, None], 0.0) ** 2).sum(axis=1) / n)


def with_and_without(scores, signs, design):
    """Share of respondents with each sign of carelessness, and mean levels with everybody and without those with any.

    Parameters
    ----------
    scores : DataFrame of shape (n_respondents, n_competencies)
        Levels 0–4, NaN where missing; index as in the design.
    signs : DataFrame of shape (n_respondents, n_signs)
        As `careless_answers` gives it.
    design : SurveyDesign

    Returns
    -------
    DataFrame
        measure {share, mean}, respondents {all, without}, variable (sign or competency), estimate (share, or level
        0–4), se, ci_low, ci_high, n (answers behind it), n_eff, uncertainty.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> design = survey_design(pd.DataFrame({"weight": [1.0, 1.0, 1.0, 1.0]}), n_replicates=20)
    >>> signs = pd.DataFrame({"any": [False, False, False, True]})
    >>> table = with_and_without(pd.DataFrame({"c": [1.0, 2.0, 3.0, 4.0]}), signs, design)
    >>> table[["measure", "respondents", "variable", "estimate", "n"]].values.tolist()
    [['share', 'all', 'any', 0.25, 4], ['mean', 'all', 'c', 2.5, 4], ['mean', 'without', 'c', 2.0, 3]]
    """
    rows = design.weights.index
    scores, signs = scores.loc[rows], signs.loc[rows]
    parts = {
        ("share", "all"): design_means(signs.astype(float), design, shares=list(signs)),
        ("mean", "all"): design_means(scores, design),
        ("mean", "without"): design_means(scores.where(~signs["any"]), design),
    }
    table = pd.concat(parts, names=["measure", "respondents"]).reset_index(["measure", "respondents"])
    return table.drop(columns="group").reset_index(drop=True)
