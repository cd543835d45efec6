"""From answers to levels, and how well they measure: the part of the chain that says what a level is worth."""

import pandas as pd

from skillsgap.estimate.measures.careless import careless_answers, with_and_without
from skillsgap.estimate.measures.dif import differential_functioning
from skillsgap.estimate.measures.reliability import group_mean_reliability, level_reliability, reliability
from skillsgap.estimate.measures.scoring import LEVEL_TYPES, score_competencies
from skillsgap.estimate.measures.selfreport import calibrated_levels, self_report_difference

COMPARED = ("answer_language", "sex")  # groups whose answers are compared besides those that results are split by
CONDITIONING = ("role_id", "region")  # what people may differ by before an item is said to behave differently
UNFLAGGED = "too few unflagged items"


def scores(unit):
    """Competency levels of each respondent."""
    responses, items = unit.table("responses"), unit.table("items")
    return {} if responses is None else {"scores": score_competencies(responses, items)}


def measurement(unit):
    """How reliable levels and group means are, which items behave differently, and what an assessor found."""
    if unit.table("responses") is None:
        return {}
    inside, items = unit.population, unit.table("items")
    levels, responses, here = unit.table("scores")[inside], unit.table("responses")[inside], unit.design.subset(inside)
    made = {
        "reliability": reliability(unit.table("responses"), items, unit.table("competencies"), unit.design),
        "self_report": self_report_difference(levels, responses, items, here),
    }
    if levels.empty:
        return made
    made |= {"dif": _dif(unit, responses, here), "group_reliability": _group_reliability(unit, levels, responses, here)}
    signs = careless_answers(responses, items, duration=responses.get("duration"))
    return made | {"careless": with_and_without(levels, signs, here)}


def _dif(unit, responses, design):
    by = [name for name in dict.fromkeys((*unit.values["gaps"]["by"], *COMPARED)) if name in responses]
    held = tuple(name for name in CONDITIONING if name in responses)
    given, tables = (responses, unit.table("items"), unit.table("competencies"), design), []
    for name in by:
        others = tuple(other for other in held if other != name)
        table = differential_functioning(*given, by=name, conditioning=others)
        tables += [table] if len(table) else []
    return pd.concat(tables, ignore_index=True) if tables else None


def _group_reliability(unit, levels, responses, design):
    tables = [group_mean_reliability(levels, responses[by], design).assign(by=by) for by in unit.values["gaps"]["by"]]
    return pd.concat(tables, ignore_index=True) if tables else None


def left_out(unit, by):
    """Items that behave differently between the groups of a column, and so are left out of their comparison.

    Returns
    -------
    set of str
    """
    table = unit.table("dif")
    if table is None:
        return set()
    return set(table.loc[(table["by"] == by) & table["dropped"].astype(bool), "item_id"])


def not_comparable(unit, by):
    """Competencies that can't be compared between the groups of a column.

    All of their items are left out, or so many of their group of competencies that too few are left to tell.
    """
    without = left_out(unit, by)
    if not without:
        return []
    table, items = unit.table("dif"), unit.table("items")
    told = table[table["by"] == by]
    touched = set(told.loc[told["item_id"].isin(without), "group"])
    few = told[told["group"].isin(touched) & (told["reason"] == UNFLAGGED)]["item_id"]
    anchored = items[items["type"].isin(LEVEL_TYPES)]
    gone = anchored["item_id"].isin(without).groupby(anchored["competency_id"]).all()
    return sorted({*items.loc[items["item_id"].isin(few), "competency_id"], *gone.index[gone]})


def draw_levels(unit, *, profile=None):
    """Plausible levels of every respondent, conditioned on all that results are split by, and what they rest on.

    Parameters
    ----------
    unit : Unit
    profile : Series of text by row key, optional
        Another column to condition on, for levels by profile.

    Returns
    -------
    CalibratedLevels
    """
    return _drawn(unit, unit.table("scores"), profile)


def _drawn(unit, levels, profile=None):
    competencies = unit.table("competencies")
    alphas = level_reliability(unit.table("reliability"), competencies)
    # what results are split by, what requirements depend on, and what a bias may differ by
    split, margins, responses = unit.values["gaps"]["by"], unit.values["design"]["calibrate"], unit.table("responses")
    columns = dict.fromkeys([*split, "role_id", "role_level", "sex", *margins])
    people = responses[[name for name in columns if name in responses]]
    people = people if profile is None else people.assign(profile=profile)
    seeds = {"n_draws": unit.values["gaps"]["n_draws"], "random_state": unit.values["random_state"]}
    groups = competencies.set_index("competency_id")["group"]
    return calibrated_levels(levels, responses, unit.table("items"), alphas, unit.design, people,
                             groups=groups, **seeds)  # fmt: skip


def unbiased_scores(unit):
    """Self-rated levels less the mean bias of each draw that they were calibrated in, or as they are.

    The draws themselves won't do for the levels of profiles: given a self-rating they lie nearer to the mean, as if
    profiles differed less.
    """
    levels = unit.table("scores")
    if not (unit.calibrated.facts["basis"] == "tested").any():
        return levels
    return [levels - weighted_mean(levels - draw, unit.design) for draw in unit.calibrated.draws]


def weighted_mean(values, design):
    """Mean of each column over those who have a value: of the full sample alone, where no error is wanted."""
    return values.mul(design.weights, axis=0).sum() / values.notna().mul(design.weights, axis=0).sum()


def comparable_scores(unit, by):
    """Scores of every respondent for comparing the groups of a column: without items that behave differently.

    Competencies that have other items keep their scores from those; those of `not_comparable` have none.
    """
    without, out = left_out(unit, by), not_comparable(unit, by)
    if not without:
        return unit.table("scores")
    items = unit.table("items")
    touched = sorted(set(items.loc[items["item_id"].isin(without), "competency_id"]) | set(out))
    kept = items[~items["item_id"].isin(without) & ~items["competency_id"].isin(out)]
    levels = unit.table("scores").copy()
    levels[touched] = score_competencies(unit.table("responses"), kept).reindex(columns=touched)
    return levels


def comparable_levels(unit, by):
    """Plausible levels of the population for comparing the groups of a column: drawn from `comparable_scores`."""
    if not left_out(unit, by):
        return unit.levels
    inside = unit.population.to_numpy()
    return [draw[inside] for draw in _drawn(unit, comparable_scores(unit, by)).draws]
