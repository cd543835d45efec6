"""Pictures of what the profiles rest on: how many there are, how clearly people fit one, how stable each is."""

import numpy as np
import pandas as pd
from babel.lists import format_list

from skillsgap.publish.canvas import PALETTE, require, sizes, text_length, write
from skillsgap.publish.portraits import AGAIN, LOOSE, STABLE, stability_word
from skillsgap.publish.profiles import said_names
from skillsgap.publish.rows import open_rows

NAMED = 2  # profiles that a title names
SURE = 0.9  # probability from which people fit one profile clearly


def number_table(selection, *, words):
    """How far each number of profiles lies from the best by the criterion of `select_profiles`, to be drawn.

    Parameters
    ----------
    selection : DataFrame
        As `select_profiles` gives it.
    words : Words

    Returns
    -------
    DataFrame of n_profiles, label, away, near, recommended, near_tie, smallest
        `near` is the distance up to which numbers are near ties.
    """
    table = selection.sort_values("n_profiles")
    labels = [words("1 profile") if k == 1 else words("{number} profiles", number=words.number(k))
              for k in table["n_profiles"]]  # fmt: skip
    more = (table["n_parameters"].diff() / table["n_profiles"].diff()).max()  # parameters that a profile adds
    near = 2 * np.sqrt(more - 1) if len(table) > 1 else 0.0  # a standard deviation of chi-square, as in selection
    table = table.assign(label=labels, away=(table["wolfe"] - table["wolfe"].min()).round(2), near=near)
    table = table.rename(columns={"smallest_share": "smallest"}).round({"smallest": 3, "near": 2})
    return table[["n_profiles", "label", "away", "near", "recommended", "near_tie", "smallest"]].reset_index(drop=True)


def number_finding(table, *, words, used=None):
    """The number of profiles, and which others the data can't tell from it.

    Parameters
    ----------
    table : DataFrame
        As `number_table` gives it.
    words : Words
    used : int, optional
        The number that params chose; by default the recommended one.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"n_profiles": [4, 5, 6], "recommended": [False, True, False],
    ...                       "near_tie": [False, True, True]})
    >>> number_finding(table, words=Words("en"))
    '5 profiles; the data can’t tell this number from 6'
    >>> number_finding(table, words=Words("en"), used=4)
    '4 profiles, as set in the params of this unit; 5 is recommended'
    """
    chosen = table.loc[table["recommended"], "n_profiles"].iloc[0]
    if used not in (None, chosen):
        return words("{number} profiles, as set in the params of this unit; {best} is recommended",
                     number=words.number(used), best=words.number(chosen))  # fmt: skip
    near = table.loc[table["near_tie"], "n_profiles"]
    others = format_list([words.number(k) for k in near if k != chosen], locale=words.locale)
    if chosen not in set(near):
        return words("{number} profiles; {others} fit better, but with a profile too small to describe",
                     number=words.number(chosen), others=others)  # fmt: skip
    if not others:
        return words("{number} profiles; no other number fits about as well", number=words.number(chosen))
    return words("{number} profiles; the data can’t tell this number from {others}", number=words.number(chosen),
                 others=others)  # fmt: skip


def number_figure(table, ax=None, *, words, width=660):
    """How far each number of profiles lies from the best by the criterion, and the band that is a near tie.

    Parameters
    ----------
    table : DataFrame with columns label, away, near, recommended, near_tie, smallest
        As `number_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is log10(1 + difference), y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "number_figure", ["label", "away", "near", "recommended", "near_tie", "smallest"])
    narrow, _, small = sizes(width)
    near = table["near"].iloc[0]
    last, start = max(table["away"].max(), 10 * near), -0.03  # room for the mark at 0
    said = [words("recommended") if chosen else words("near tie") if tied else ""
            for chosen, tied in zip(table["recommended"], table["near_tie"], strict=True)]  # fmt: skip
    head = "" if narrow else words("smallest profile")
    back = text_length(head, small) + 14 * bool(head)
    right = back + max(text_length(text, small, bold=True) for text in said) + 10
    rows = open_rows(ax, list(table["label"]), width=width, right=right, limits=(start, np.log10(1 + last) * 1.04),
                     head=True, bottom=56)  # fmt: skip
    high, tens = rows.ax.get_ylim()[0], 10.0 ** np.arange(1, np.log10(last) + 1e-9)
    rows.ax.fill_between([start, np.log10(1 + near)], 0, high, color=PALETTE["tint"], lw=0, zorder=-1, clip_on=False)
    ticks = np.array([0.0, *(tens[-1:] if narrow else tens)])
    rows.axis(np.log10(1 + ticks), [words.number(x) for x in ticks])
    write(rows.ax, start, 0, [words("near tie: up to {near}", near=words.number(near))], size=small, down=-6,
          colour=PALETTE["blue"])  # fmt: skip
    place = np.log10(1 + table["away"])
    rows.marks(place, "hollow", where=~table["recommended"])
    rows.marks(place, "filled", where=table["recommended"])
    rows.aside(said, bold=True, back=back)
    if not narrow:
        rows.aside([words.share(x) if x < 1 else "" for x in table["smallest"]], head=head)
    write(rows.ax, start, high, [words("criterion above the best")], size=small, colour=PALETTE["soft"], down=32,
          right=-rows.left * narrow)  # fmt: skip
    return rows.ax


def certainty_table(certainty, *, words, threshold):
    """Share of people by the probability of the profile that fits them best, as `certainty_figure` draws it.

    Bins are joined on their side of 0.9 only, so that it stays true who is sure; a side of too few has no bin.

    Parameters
    ----------
    certainty : DataFrame of bin_low, bin_high, share, n
        Sorted by bin_low.
    words : Words
    threshold : int
        Respondents that stand behind every printed share; bins with fewer are joined to others.

    Returns
    -------
    DataFrame of label, low, share, n, clear
        Surest first; `clear` marks the bins from 0.9 on.
    """
    there = certainty[certainty["n"] > 0].sort_values("bin_low")
    clear = there["bin_low"] >= SURE - 1e-9
    bins = [row for part in (there[~clear], there[clear]) for row in _joined(part, threshold)]
    table = pd.DataFrame(bins, columns=["low", "high", "share", "n"])[::-1].reset_index(drop=True)
    labels = [words("{low} or more", low=words.percent(low)) if high >= 1 else
              words("{low} to {high}", low=words.percent(low), high=words.percent(high))
              for low, high in zip(table["low"], table["high"], strict=True)]  # fmt: skip
    table = table.assign(label=labels, clear=table["low"] >= SURE - 1e-9)
    return table[["label", "low", "share", "n", "clear"]].round({"share": 3, "n": 0})


def _joined(part, threshold):
    """Bins of neighbours, lowest first, each of so many respondents; none where all of them are fewer."""
    bins = []
    for row in part.itertuples():
        if not bins or bins[-1]["n"] >= threshold:
            bins.append({"low": row.bin_low, "high": row.bin_high, "share": 0.0, "n": 0})
        bins[-1] |= {"high": row.bin_high, "share": bins[-1]["share"] + row.share, "n": bins[-1]["n"] + row.n}
    if bins and bins[-1]["n"] < threshold:
        last = bins.pop()
        if bins:
            more = {name: bins[-1][name] + last[name] for name in ("share", "n")}
            bins[-1] |= {"high": last["high"], **more}
    return bins


def certainty_finding(table, *, words):
    """How many people fit one profile clearly.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"share": [0.7, 0.3], "clear": [True, False]})
    >>> certainty_finding(table, words=Words("en"))
    'With a probability of 90% or more 70% fit one profile; the others stand between profiles'
    """
    return words("With a probability of {sure} or more {share} fit one profile; the others stand between profiles",
                 share=words.share(table.loc[table["clear"], "share"].sum()), sure=words.percent(SURE))  # fmt: skip


def certainty_figure(table, ax=None, *, words, width=660):
    """Share of people by how probable the profile is that fits them best: a bar a bin, nobody singled out.

    Parameters
    ----------
    table : DataFrame with columns label, share, n, clear
        As `certainty_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the share, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "certainty_figure", ["label", "share", "n", "clear"])
    last = np.ceil(table["share"].max() * 10 + 0.2) / 10
    narrow, _, small = sizes(width)
    said, head = [words.share(x) for x in table["share"]], words("answers")
    back = text_length(head, small) + 10
    right = back + max(text_length(text, small, bold=True) for text in said) + 12
    rows = open_rows(ax, list(table["label"]), width=width, right=right, limits=(0, last), head=True)
    ticks = np.arange(0, last + 0.01, 0.4 if narrow and last > 0.4 else 0.2)
    rows.axis(ticks, [words.percent(tick) for tick in ticks])
    colours = np.where(table["clear"], PALETTE["blue"], PALETTE["bar"])
    rows.ax.hlines(rows.y, 0, table["share"], colors=colours, lw=12, clip_on=False)
    rows.aside(said, bold=True, back=back)
    rows.aside([words.number(n) for n in table["n"]], head=head)
    write(rows.ax, 0, 0, [words("probability of the best profile")], size=small, colour=PALETTE["soft"],
          down=-6, right=-rows.left)  # fmt: skip
    return rows.ax


def stability_table(stability, tables, *, words, given=None):
    """How well re-draws of the sample find each profile again, as `stability_figure` draws it.

    Parameters
    ----------
    stability : DataFrame of profile, statistic, estimate, ci_low, ci_high
        As `profile_stability` gives it.
    tables : dict of str to DataFrame
        profiles and competencies, which name the profiles.
    words : Words
    given : sequence, optional
        Names of params.

    Returns
    -------
    DataFrame of label, estimate, ci_low, ci_high, verdict, solid
    """
    names = said_names(tables, words, given)
    table = stability[(stability["statistic"] == AGAIN) & stability["profile"].isin(list(names))]
    table = table.sort_values("profile").assign(label=table["profile"].map(names), solid=table["estimate"] >= STABLE)
    table["verdict"] = [words(stability_word(x)) for x in table["estimate"]]
    return table[["label", "estimate", "ci_low", "ci_high", "verdict", "solid"]].round(3).reset_index(drop=True)


def stability_finding(table, *, words):
    """How many profiles re-draws of the sample find again.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> stability_finding(pd.DataFrame({"label": ["a", "b"], "solid": [True, False]}), words=Words("en"))
    'Stable when the sample is drawn anew: 1 of 2 profiles; not “b”'
    """
    weak, all_ = table.loc[~table["solid"], "label"], words.number(len(table))
    if weak.empty:
        return words("All {all} profiles are stable when the sample is drawn anew", all=all_)
    few = words.number(table["solid"].sum())
    if len(weak) > NAMED:
        return words("Stable when the sample is drawn anew: {few} of {all} profiles", few=few, all=all_)
    names = format_list([f"“{name}”" for name in weak], locale=words.locale)
    return words("Stable when the sample is drawn anew: {few} of {all} profiles; not {names}", few=few, all=all_,
                 names=names)  # fmt: skip


def stability_figure(table, ax=None, *, words, width=660):
    """Mean Jaccard index of every profile over re-draws of the sample, and from where on it is stable.

    Parameters
    ----------
    table : DataFrame with columns label, estimate, ci_low, ci_high, verdict, solid
        As `stability_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the index, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "stability_figure", ["label", "estimate", "ci_low", "ci_high", "verdict", "solid"])
    narrow, _, small = sizes(width)
    said = [f"{words.number(x, 2)}" if narrow else f"{words.number(x, 2)} {verdict}"
            for x, verdict in zip(table["estimate"], table["verdict"], strict=True)]  # fmt: skip
    rows = open_rows(ax, list(table["label"]), width=width, limits=(0, 1), head=True, bottom=72,
                     right=max(text_length(text, small, bold=True) for text in said) + 14)  # fmt: skip
    rows.axis([0, 0.5, 1], [words.number(tick, 1) for tick in (0, 0.5, 1)])
    high = rows.ax.get_ylim()[0]
    rows.ax.vlines([LOOSE, STABLE], 0, high, colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)), clip_on=False)
    pen = {"size": small, "colour": PALETTE["warm"], "align": "right"}
    write(rows.ax, 1, 0, [words("stable from {value}", value=words.number(STABLE, 2))], down=-6, **pen)
    write(rows.ax, LOOSE, high, [words("not to be interpreted below {value}", value=words.number(LOOSE, 2))], down=32,
          **pen)  # fmt: skip
    rows.intervals(table["ci_low"], table["ci_high"])
    rows.marks(table["estimate"], "filled", where=table["solid"])
    rows.marks(table["estimate"], "warm", where=~table["solid"])
    rows.aside(said, bold=True, warm=~table["solid"])
    write(rows.ax, 0, high, [words("Jaccard index, mean of re-draws")], size=small, down=48, colour=PALETTE["soft"],
          right=-rows.left)  # fmt: skip
    return rows.ax
