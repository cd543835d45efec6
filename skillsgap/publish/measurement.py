"""Pictures of how well the questions measure: reliability, information, and self-ratings against tests."""

import numpy as np
import pandas as pd
from babel.lists import format_list

from skillsgap.publish.canvas import PALETTE, TOP_LEVEL, open_axes, points_of, require, sizes, text_length, write
from skillsgap.publish.rows import mark, open_rows
from skillsgap.wording import N_

WHY = {"one item": N_("one question only"), "no variance": N_("all answered alike"),
       "nothing answered": N_("nothing answered")}  # fmt: skip


def reliability_table(reliability, *, gate, words):
    """Reliability of every competency group, as `reliability_figure` draws it.

    Parameters
    ----------
    reliability : DataFrame
        As `reliability` gives it.
    gate : float
        Alpha a headline needs.
    words : Words

    Returns
    -------
    DataFrame of label, n_items, alpha, ci_low, ci_high, omega, why, headline
        Most reliable first; `why` says in words why there is no alpha.
    """
    groups = reliability[reliability["scale"] == "group"].set_index("scale_id")
    alpha, omega = (groups[groups["statistic"] == name] for name in ("alpha", "omega"))
    table = pd.DataFrame({
        "label": [words.label("group", code) for code in alpha.index], "n_items": alpha["n_items"],
        "alpha": alpha["estimate"], "ci_low": alpha["ci_low"], "ci_high": alpha["ci_high"],
        "omega": omega["estimate"].where(omega["why"] == "").reindex(alpha.index),
        "why": [words(WHY.get(why, why)) if why else "" for why in alpha["why"]],
    })  # fmt: skip
    table["headline"] = (table["why"] == "") & (table["alpha"] >= gate)
    return table.sort_values(["alpha", "label"], ascending=[False, True]).reset_index(drop=True)


def reliability_finding(table, *, gate, words):
    """Which competency groups are not reliable enough for a headline.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"label": ["Data", "Attitudes"], "headline": [True, False]})
    >>> reliability_finding(table, gate=0.7, words=Words("en"))
    'Below 0.70, and so without a headline: 1 of 2 groups of competencies (Attitudes)'
    """
    if table.empty:
        return words("No reliability of scales: there are no anchored questions here")
    short, said = table.loc[~table["headline"], "label"], words.number(gate, 2)
    if short.empty:
        return words("All {all} groups of competencies reach {gate}, which a headline needs",
                     all=words.number(len(table)), gate=said)  # fmt: skip
    return words("Below {gate}, and so without a headline: {few} of {all} groups of competencies ({groups})",
                 few=words.number(len(short)), all=words.number(len(table)), gate=said,
                 groups=format_list(list(short), locale=words.locale))  # fmt: skip


def reliability_figure(table, ax=None, *, words, gate, width=660):
    """Alpha of every competency group with its interval, omega beside it, and the line that a headline needs.

    Parameters
    ----------
    table : DataFrame with columns label, alpha, ci_low, ci_high, omega, why, headline
        As `reliability_table` gives it.
    ax, words, width : as in `gap_figure`
    gate : float

    Returns
    -------
    Axes; x is reliability, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "reliability_figure", ["label", "alpha", "ci_low", "ci_high", "omega", "why", "headline"])
    said = [words.number(alpha, 2) if not why else why for alpha, why in zip(table["alpha"], table["why"], strict=True)]
    small = sizes(width)[2]
    lowest = np.fmin.reduce(table[["ci_low", "omega"]].to_numpy(dtype=float), axis=None, initial=gate - 0.1)
    limits = np.clip(np.floor(lowest * 10) / 10, 0, 0.9), 1.0
    key = [("filled", words("α with its 95% interval")), ("small", "ω")]
    key += [("warm", words("α that carries no headline"))] * (not table["headline"].all())
    rows = open_rows(ax, list(table["label"]), width=width, limits=limits, key=key, head=True,
                     right=max(text_length(text, small, bold=True) for text in said) + 14)  # fmt: skip
    step = 0.1 if limits[0] >= 0.4 and width >= 480 else 0.2
    ticks = np.arange(1.0, limits[0] - 1e-9, -step)
    rows.axis(ticks, [words.number(tick, 1) for tick in ticks])
    rows.intervals(table["ci_low"], table["ci_high"])
    rows.ax.vlines(gate, 0, rows.ax.get_ylim()[0], colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)), clip_on=False)
    write(rows.ax, gate, 0, [words("headlines from {gate}", gate=words.number(gate, 2))], size=small, align="center",
          colour=PALETTE["warm"], down=-6)  # fmt: skip
    rows.marks(table["omega"], "small", where=table["omega"].notna())
    rows.marks(table["alpha"], "filled", where=table["headline"])
    rows.marks(table["alpha"], "warm", where=~table["headline"] & table["alpha"].notna())
    rows.aside(said, bold=True, warm=~table["headline"])
    return rows.ax


def information_finding(table, group, *, gate, words):
    """From which level to which a group of competencies tells people apart reliably enough.

    Parameters
    ----------
    table : DataFrame with columns level, reliability
    group : str
        Name of the group of competencies.
    gate : float
    words : Words

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"level": [0.5, 1.0, 2.0, 3.5], "reliability": [0.5, 0.7, 0.8, 0.6]})
    >>> information_finding(table, "Data", gate=0.7, words=Words("en"))
    '“Data” measures with a reliability of 0.70 or more from level 1.0 to 2.0'
    """
    if table.empty:
        return words("No item response model: no group of competencies has three anchored questions or more")
    well, said = table[table["reliability"] >= gate], words.number(gate, 2)
    if well.empty:
        return words("“{group}” measures at no level with a reliability of {gate}", group=group, gate=said)
    low, high = (words.number(end, 1) for end in (well["level"].min(), well["level"].max()))
    return words("“{group}” measures with a reliability of {gate} or more from level {low} to {high}", group=group,
                 gate=said, low=low, high=high)  # fmt: skip


def information_figure(table, ax=None, *, words, gate, width=660):
    """Reliability along the levels: where on the scale a group of competencies tells people apart.

    Parameters
    ----------
    table : DataFrame with columns level, reliability
        Sorted by level; `test_information` gives the reliability, `expected_level` the level.
    ax, words, width : as in `gap_figure`
    gate : float
        Reliability that is enough; the part of the line that reaches it is drawn heavy.

    Returns
    -------
    Axes; x is the level, y the reliability.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "information_figure", ["level", "reliability"])
    _, size, small = sizes(width)
    level, value = table["level"].to_numpy(), table["reliability"].to_numpy()
    ax = open_axes(ax, width, 200.0, left=34, right=20, top=30, bottom=40)
    ax.set(xlim=(0, TOP_LEVEL), ylim=(0, 1))
    ax.hlines([0, 0.5, 1], 0, TOP_LEVEL, colors=PALETTE["line"], lw=1)
    ax.hlines(gate, 0, TOP_LEVEL, colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)))
    ax.fill_between(level, 0, value, where=value >= gate, color=PALETTE["tint"], lw=0)
    ax.plot(level, value, color=PALETTE["blue"], lw=1.5, ls=(0, (5, 2)))
    ax.plot(level, np.where(value >= gate, value, np.nan), color=PALETTE["blue"], lw=3)
    soft = {"size": small, "colour": PALETTE["soft"]}
    for y, digits in ((0, 0), (0.5, 1), (1, 0)):
        write(ax, 0, y, [words.number(y, digits)], align="right", right=-8, down=4, **soft)
    write(ax, 0, gate, [words.number(gate, 2)], align="right", right=-6, down=4, size=small, colour=PALETTE["warm"])
    names = [words("none"), words("awareness"), words("working"), words("practitioner"), words("expert")]
    roomy = max(text_length(name, small) for name in names) < points_of(ax)[0] / TOP_LEVEL
    for i, name in enumerate(names):
        write(ax, i, 0, [words.number(i)], align="center", down=16, **soft)
        write(ax, i, 0, [name if roomy or i in (0, TOP_LEVEL) else ""], down=31, **soft,
              align="center" if roomy else "right" if i else "left", right=0 if roomy else 8 if i else -8)  # fmt: skip
    for whole in range(1, TOP_LEVEL):
        if level[0] <= whole <= level[-1]:
            there = np.interp(whole, level, value)
            mark(ax, [whole], [there], "filled")
            write(ax, whole, there, [words.number(there, 2)], size=size, bold=True, align="center", down=-10,
                  colour=PALETTE["blue"])  # fmt: skip
    write(ax, 0, 1, [words("reliability of one person’s level")], down=-14, right=-34, **soft)
    return ax


def self_report_table(level_basis, *, words):
    """How far self-ratings stand above what an assessor found, as `self_report_figure` draws it.

    Parameters
    ----------
    level_basis : DataFrame or None
        As the `facts` of `calibrated_levels`.
    words : Words

    Returns
    -------
    DataFrame of basis, block, label, estimate, ci_low, ci_high, n
        Tested competencies first, each block by the bias; empty where nobody was tested.
    """
    columns = ["basis", "block", "label", "estimate", "ci_low", "ci_high", "n"]
    if level_basis is None or level_basis["estimate"].isna().all():
        return pd.DataFrame(columns=columns)
    blocks = {"tested": words("tested"), "transferred": words("not tested")}
    table = level_basis[level_basis["basis"].isin(blocks)]
    labels = [words.label("competency_id", code) for code in table["competency_id"]]
    table = table.assign(label=labels, block=table["basis"].map(blocks)).sort_values(
        ["basis", "estimate", "label"], ascending=[True, False, True])  # fmt: skip
    return table[columns].reset_index(drop=True)


def self_report_finding(table, *, words):
    """In how many tested competencies self-ratings differ from the assessor's beyond chance, and where most.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"basis": "tested", "label": ["Cloud", "Data"], "estimate": [0.4, 0.1],
    ...                       "ci_low": [0.3, -0.1], "ci_high": [0.5, 0.3]})
    >>> self_report_finding(table, words=Words("en"))
    'In 1 of 2 tested competencies self-ratings differ from the assessor’s beyond chance, most in “Cloud”: +0.40 levels'
    """
    if table.empty:
        return words("No bias of self-ratings is known: nobody has both a self-rating and an assessor’s")
    tested = table[table["basis"] == "tested"]
    off = tested[(tested["ci_low"] > 0) | (tested["ci_high"] < 0)]
    if off.empty:
        return words("In none of {all} tested competencies do self-ratings differ from the assessor’s beyond chance",
                     all=words.number(len(tested)))  # fmt: skip
    worst = off.loc[off["estimate"].abs().idxmax()]
    return words("In {few} of {all} tested competencies self-ratings differ from the assessor’s beyond chance, most in "
                 "“{competency}”: {levels} levels", few=words.number(len(off)), all=words.number(len(tested)),
                 competency=worst["label"], levels=words.signed(worst["estimate"], 2))  # fmt: skip


def self_report_figure(table, ax=None, *, words, width=660):
    """Self-rated minus assessed level by competency, with its interval; hollow where nobody was tested.

    Parameters
    ----------
    table : DataFrame with columns basis, block, label, estimate, ci_low, ci_high, n
        As `self_report_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the difference in levels, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "self_report_figure", ["basis", "block", "label", "estimate", "ci_low", "ci_high", "n"])
    reach = np.ceil(max(table[["ci_low", "ci_high"]].abs().max(axis=None), 0.2) * 5 + 0.1) / 5
    tested, small = table["basis"] == "tested", sizes(width)[2]
    ends = words("rated lower than assessed"), words("rated higher")
    rows = open_rows(ax, list(table["label"]), width=width, right=100, limits=(-reach, reach), blocks=table["block"],
                     head=True, bottom=56)  # fmt: skip
    step = 0.2 if reach <= 0.6 and width >= 480 else reach
    ticks = np.arange(-reach, reach + 0.01, step)
    rows.axis(ticks, [words.signed(tick, 1) for tick in ticks])
    floor = rows.ax.get_ylim()[0]
    rows.ax.vlines(0, 0, floor, colors=PALETTE["ink"], lw=1.5, clip_on=False)
    rows.intervals(table["ci_low"], table["ci_high"])
    rows.marks(table["estimate"], "filled", where=tested)
    rows.marks(table["estimate"], "hollow", where=~tested)
    rows.aside([words.signed(x, 2) for x in table["estimate"]], bold=True, back=48, head=words("levels"))
    rows.aside([words.number(n) if n else "–" for n in table["n"]], head=words("tested"))
    both = sum(text_length(end, small) for end in ends) + 12 <= points_of(rows.ax)[0]
    for x, end, align, down in ((-reach, ends[0], "left", 32), (reach, ends[1], "right", 32 if both else 48)):
        write(rows.ax, x, floor, [end], size=small, align=align, colour=PALETTE["soft"], down=down)
    return rows.ax
