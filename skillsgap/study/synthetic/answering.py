"""What the invited answer, to items of every type, and what an assessor finds of some of them."""

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

from skillsgap.contracts import GROUPS
from skillsgap.study.synthetic.staff import CELL, as_single, by_key, sum_effects

PAPER_RATE = 0.06  # share of those with a device who still answer on paper
HOME_LANGUAGE_RATE = 0.95  # share answering in their first language
STEEPNESS = 1.7  # of the chance to be right, by level: a logistic as near a normal as it gets
DIFFICULTY = (1.0, 3.0)  # levels, of the easiest and the hardest item with a key
# points, spread of what people answer round what was to be expected of them
SPREAD = {"frequency": 0.8, "importance": 0.7, "interest": 1.0, "barrier": 0.9, "climate": 0.8}
INTEREST = 0.5  # points an attitude a level higher adds to interest
INDIFFERENT = 2.4  # the attitude at which interest is as high as itself
BARRIER, NO_DEVICE, DEVICE = 2.0, 3.3, 1.0  # points: other barriers, and the device's own
DEVICE_ITEM = "BA03"
CLIMATE = 2.3  # points, of an agency without an effect
FEAR_ITEM = "CM05"  # agreement is bad news here
FIRST_BREAK, LAST_BREAK = 1 / 6, 3  # who breaks off does so after a sixth, and before the last three items


def asked(items):
    """The items of the long form and of the assessment; optional ones are not asked."""
    return items[items["form"] != "optional"].reset_index(drop=True)


def item_truth(spec, items, levels):
    """What an item was given: spread of its noise and, where it has a key, its difficulty.

    Parameters
    ----------
    spec : dict
        item_reliability: share of an anchored item's variance over all staff that is true, before rounding.
    items : DataFrame
    levels : DataFrame of shape (n_staff, n_competencies)

    Returns
    -------
    DataFrame
        item_id, type, noise_sd (levels or points), difficulty (level at which guessers apart half are right).
    """
    items = asked(items)
    noise = levels.std(ddof=0) * np.sqrt(1 / spec["item_reliability"] - 1)
    sd = items["type"].map(SPREAD).fillna(spec["self_report"]["tested_sd"])
    keyed = items["type"].isin(["knowledge", "judgement"])
    sd = sd.mask(items["type"] == "anchored", items["competency_id"].map(noise)).mask(keyed)
    difficulty = pd.Series(np.nan, index=items.index)
    difficulty[keyed] = np.linspace(*DIFFICULTY, keyed.sum())[by_key(items.loc[keyed, "item_id"])]
    return items[["item_id", "type"]].assign(noise_sd=sd, difficulty=difficulty)


def draw_responses(spec, tables, staff, sample, rng, tested_rng):
    """Draw one row for each of the invited; those who did not answer have empty answers.

    Parameters
    ----------
    spec : dict
    tables : dict of str to DataFrame
        competencies, items, requirements.
    staff : Staff
    sample : DataFrame
        From `draw_sample`.
    rng, tested_rng : numpy.random.Generator

    Returns
    -------
    DataFrame of shape (n_invited, n_columns)
        staff_id, or the columns of a register's cells; status, stratum, weight, answer_language, mode, date,
        tested, and a column an item.
    """
    n, items = len(sample), asked(tables["items"])
    people, answers = staff.register.iloc[sample.index].reset_index(drop=True), sample["answers"].to_numpy()
    levels = staff.levels.iloc[sample.index].reset_index(drop=True)
    language = _languages(spec, people, rng)
    truth = item_truth(spec, items, staff.levels)
    centre = _centres(spec, tables, staff, people, levels, language)
    order, form = by_key(items["item_id"]), (items["form"] != "assessment").to_numpy()
    noise, skips = rng.standard_normal(centre.shape)[:, order], rng.random(centre.shape)[:, order]
    codes = _codes(items, centre, noise, truth)
    partial = answers & (rng.random(n) < spec["partial_rate"])
    asks, place = form.sum(), np.cumsum(form) - 1
    last = np.where(partial, rng.integers(int(asks * FIRST_BREAK), max(asks - LAST_BREAK, 1), n), asks)
    empty = ~answers[:, None] | (skips < spec["item_missing_rate"]) | (place >= last[:, None])
    tested = answers & (tested_rng.random(n) < spec["self_report"]["tested"])
    found = _codes(items, centre, tested_rng.standard_normal(centre.shape)[:, order], truth)
    codes = np.where(form, np.where(empty, np.nan, codes), np.where(tested[:, None], found, np.nan))
    days = pd.bdate_range(*spec["survey_dates"]).strftime("%Y-%m-%d").to_numpy()
    paper = (people["device_access"] == "no").to_numpy() | (rng.random(n) < PAPER_RATE)
    about = pd.DataFrame({
        **_who(spec, staff, sample, people),
        "status": np.select([partial, answers], ["partial", "complete"], "no_response"),
        "stratum": sample["stratum"].to_numpy(),
        "weight": sample["weight"].to_numpy(),
        "answer_language": np.where(answers, np.array(spec["languages"])[language], ""),
        "mode": np.where(answers, np.where(paper, "paper", "web"), ""),
        "date": np.where(answers, days[rng.integers(0, len(days), n)], ""),
        "tested": np.where(tested, "yes", "no"),
    })  # fmt: skip
    codes = pd.DataFrame(codes, columns=items["item_id"]).astype("Int64")
    return pd.concat([about, _skip(items, codes)], axis=1)


def _who(spec, staff, sample, people):
    if spec["register"] == "cells":
        return {name: people[name].astype(str) for name in CELL}
    return {"staff_id": staff_ids(len(staff.register))[sample.index]}


def staff_ids(n):
    """Ids of all staff, in the register's order."""
    return ("A" + pd.Series(np.arange(1, n + 1)).astype(str).str.zfill(6)).to_numpy()


def _languages(spec, people, rng):
    """Code of the language each answers in: mostly their first, else one of the others."""
    first, n = people["language"].cat.codes.to_numpy(), len(spec["languages"])
    other = (first + 1 + rng.integers(0, max(n - 1, 1), len(people))) % n
    return np.where(rng.random(len(people)) < HOME_LANGUAGE_RATE, first, other)


def _centres(spec, tables, staff, people, levels, language):
    """What is to be expected of each answer before noise and rounding: array (n, n_items).

    Of an item with a key it is the level of its competency.
    """
    items = asked(tables["items"])
    has_level = items["competency_id"].isin(levels.columns).to_numpy()
    centre = np.zeros((len(people), len(items)))
    centre[:, has_level] = levels[items.loc[has_level, "competency_id"]].to_numpy()
    anchored = (items["type"] == "anchored").to_numpy()
    centre[:, anchored] += report_shift(spec, items[anchored], people, np.array(spec["languages"])[language])
    attitude = tables["competencies"].loc[lambda c: c["group"] == "attitude", "competency_id"]
    attitude = levels[[name for name in attitude if name in levels]].mean(axis=1).to_numpy()
    climate = staff.areas["climate"].to_numpy()[people["agency_id"].cat.codes]
    wanted = _importance(tables, people)
    device = np.where(people["device_access"] == "no", NO_DEVICE, DEVICE)
    for number, item in enumerate(items.itertuples()):
        if item.type == "importance":
            centre[:, number] = wanted[:, GROUPS.index(item.group)]
        elif item.type == "interest":
            centre[:, number] = INDIFFERENT + INTEREST * (attitude - INDIFFERENT)
        elif item.type == "barrier":
            centre[:, number] = device if item.item_id == DEVICE_ITEM else BARRIER
        elif item.type == "climate":
            centre[:, number] = CLIMATE + (-climate if item.item_id == FEAR_ITEM else climate)
    return centre


def report_shift(spec, items, people, languages):
    """Levels by which self-ratings stand above the truth: bias, and items that work otherwise in a language.

    Parameters
    ----------
    spec : dict
    items : DataFrame of shape (n_items, ...)
    people : DataFrame of shape (n, ...)
    languages : array of shape (n,)

    Returns
    -------
    array of shape (n, n_items)
    """
    report = spec["self_report"]
    shift = items["group"].map(report["bias"]).fillna(0.0).to_numpy(float)
    shift = shift + sum_effects(people, as_single(report["by"]), ["it"])
    for number, item in enumerate(items["item_id"]):
        by_language = spec.get("dif", {}).get(item, {})
        shift[:, number] += pd.Series(languages).map(by_language).fillna(0.0).to_numpy(float)
    return shift


def _importance(tables, people):
    """Importance of each competency group in each person's role: array (n, n_groups)."""
    group = tables["competencies"].set_index("competency_id")["group"]
    required = tables["requirements"].assign(group=lambda r: r["competency_id"].map(group))
    roles = ["role_id", "role_level"]
    wide = required.pivot_table(index=roles, columns="group", values="importance", aggfunc="mean")
    wide = wide.reindex(columns=list(GROUPS)).fillna(wide.stack().mean())
    return wide.reindex(pd.MultiIndex.from_frame(people[roles].astype(str))).to_numpy()


def _codes(items, centre, noise, truth):
    """Answers as codes: rounded within the categories, or right or one of the wrong ones."""
    lowest, n = items["lowest"].to_numpy(float), items["n_categories"].to_numpy(int)
    sd = truth["noise_sd"].to_numpy()
    codes = np.clip(np.rint(centre + noise * np.nan_to_num(sd)), lowest, lowest + n - 1)
    for number in np.flatnonzero(truth["difficulty"].notna()):
        chance = right_chance(centre[:, number], truth["difficulty"][number], n[number])
        draw = ndtr(noise[:, number])
        # what is left of the draw above the chance to be right picks one of the wrong options
        wrong = np.minimum((draw - chance) / (1 - chance) * (n[number] - 1), n[number] - 2).astype(int)
        key = int(items["key"][number]) - lowest[number]
        codes[:, number] = lowest[number] + np.where(draw < chance, key, (key + 1 + wrong) % n[number])
    return codes


def right_chance(level, difficulty, n):
    """Chance to be right on an item with a key and `n` options: guessing, and knowing at a level.

    Examples
    --------
    >>> right_chance(np.array([2.0]), 2.0, 4).tolist()
    [0.625]
    """
    return 1 / n + (1 - 1 / n) * expit(STEEPNESS * (level - difficulty))


def _skip(items, codes):
    """Empty what the form skips after an earlier answer."""
    rules = items[items["filter_item"] != ""]
    skipped = {
        item.item_id: codes[item.item_id].mask(
            codes[item.filter_item].astype(str).isin(item.filter_codes.split("|"))
        )
        for item in rules.itertuples()
    }
    return codes.assign(**skipped)
