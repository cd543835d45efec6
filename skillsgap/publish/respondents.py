"""Pictures of who answered and who didn't: respondents against the register, and what silence may hide."""

import numpy as np
import pandas as pd

from skillsgap.errors import SkillsgapError
from skillsgap.publish.canvas import PALETTE, open_axes, points_of, require, sizes, text_length, wrap, write
from skillsgap.publish.naming import COLUMNS
from skillsgap.publish.rows import mark, open_rows
from skillsgap.wording import N_

CROSS = " × "  # between the columns of a margin, and between their codes
STEPS = 41  # points of the line; it is straight
ASSUMED = 2.0  # levels, up and down, that the picture goes: half of the scale


def response_table(representativity, *, words):
    """Share of each category of the margins in the register and among respondents, as `response_figure` draws it.

    Parameters
    ----------
    representativity : DataFrame or None
        As `calibration_diagnostics` gives it; None where nothing was calibrated.
    words : Words

    Returns
    -------
    DataFrame of margin, label, n, register, before, after
        Names in words; shares are fractions. Within a margin, who answered least for their number comes first.
    """
    if representativity is None:
        return pd.DataFrame(columns=["margin", "label", "n", "register", "before", "after"])
    named = [(_crossed(margin, lambda column: words(COLUMNS.get(column, column))), _category(margin, category, words))
             for margin, category in zip(representativity["margin"], representativity["category"], strict=True)]
    table = pd.DataFrame(named, columns=["margin", "label"], index=representativity.index)
    shares = representativity[["n", "share_population", "share_before", "share_after"]]
    table = table.join(shares.set_axis(["n", "register", "before", "after"], axis=1))
    margins = {name: place for place, name in enumerate(table["margin"].unique())}
    off = (table["before"] - table["register"]).round(6)
    order = pd.DataFrame({"margin": table["margin"].map(margins), "off": off, "label": table["label"]})
    return table.loc[order.sort_values(["margin", "off", "label"]).index].reset_index(drop=True)


def _crossed(text, name):
    return CROSS.join(name(part) for part in text.split(CROSS))


def _category(margin, category, words):
    columns, codes = margin.split(CROSS), str(category).split(CROSS)
    return CROSS.join(words.label(column, code) for column, code in zip(columns, codes, strict=True))


def response_finding(table, *, words):
    """The category that stood furthest off its share of the register, before calibration and after it.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"margin": "sexes", "label": ["Women", "Men"], "n": [60, 40], "register": 0.5,
    ...                       "before": [0.6, 0.4], "after": 0.5})
    >>> response_finding(table, words=Words("en"))
    '“Women” stood furthest off: 60% of answers before calibration, 50% after it, 50% in the register'
    """
    if table.empty:
        return words("Answers are not held against a register: there is none, or params name no margin of it")
    worst = table.loc[(table["before"] - table["register"]).abs().idxmax()]
    said = N_("“{category}” stood furthest off: {before} of answers before calibration, {after} after it, {register} "
              "in the register")  # fmt: skip
    return words(said, category=worst["label"],
                 **{name: words.percent(worst[name]) for name in ("before", "after", "register")})  # fmt: skip


def response_figure(table, ax=None, *, words, width=660):
    """Share of every category in the register and among respondents, before calibration (hollow) and after (filled).

    Parameters
    ----------
    table : DataFrame with columns margin, label, n, register, before, after
        As `response_table` gives it, in the order to be drawn.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the share, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "response_figure", ["margin", "label", "n", "register", "before", "after"])
    narrow, _, _ = sizes(width)
    last = np.ceil(table[["register", "before", "after"]].max(axis=None) * 10 + 0.2) / 10
    key = [("hollow", words("answers before calibration")), ("filled", words("after calibration")),
           ("tick", words("staff in the register"))]  # fmt: skip
    rows = open_rows(ax, list(table["label"]), width=width, right=58, limits=(0, last), blocks=table["margin"],
                     key=key, head=True)  # fmt: skip
    ticks = np.arange(0, last + 0.01, 0.2 if narrow and last > 0.4 else 0.1)
    rows.axis(ticks, [words.percent(tick) for tick in ticks])
    rows.ax.hlines(rows.y, table["before"], table["after"], colors=PALETTE["blue"], lw=1.5, clip_on=False)
    rows.marks(table["register"], "tick")
    rows.marks(table["before"], "hollow")
    rows.marks(table["after"], "filled")
    rows.aside([words.number(n) for n in table["n"]], head=words("answers"))
    return rows.ax


def levels_required(gaps, priorities):
    """Mean level of each competency beside the level required, what weighs most first.

    Parameters
    ----------
    gaps, priorities : DataFrame or None
        Stage tables; without either of them there is nothing to set levels against.

    Returns
    -------
    DataFrame of estimate, ci_low, ci_high, required
        Index competency_id.
    """
    columns = ["estimate", "ci_low", "ci_high", "required"]
    if gaps is None or priorities is None:
        return pd.DataFrame(columns=columns)
    whole = gaps[gaps["by"] == "all"].set_index("competency_id")
    required = whole.loc[whole["statistic"] == "required", "estimate"]
    levels = whole[whole["statistic"] == "level"].join(required.rename("required"))
    order = priorities.sort_values(["estimate", "competency_id"], ascending=[False, True])["competency_id"]
    return levels.reindex(order)[columns].dropna()


def tipping_table(tip, response_rate, *, lowest=0.0, highest=4.0):
    """Mean level of all staff, for how far those who didn't answer may stand from those who did.

    Parameters
    ----------
    tip : DataFrame of one row
        As `tipping_point` gives it for the mean level of a competency.
    response_rate : float
        Above 0, up to 1.
    lowest, highest : float
        Ends of the scale, beyond which nobody stands.

    Returns
    -------
    DataFrame of difference, estimate, ci_low, ci_high, threshold, direction, tipping_point, possible, silent
        A row a difference; of the columns after ci_high each is the same in every row.

    Examples
    --------
    >>> from skillsgap.estimate.survey.response import tipping_point
    >>> level = pd.DataFrame({"estimate": [1.0], "ci_low": [0.9], "ci_high": [1.1]})
    >>> table = tipping_table(tipping_point(level, 0.5, threshold=1.6, lowest=0, highest=4), 0.5)
    >>> table[["difference", "estimate", "tipping_point"]].round(2).iloc[-1].tolist()
    [2.0, 2.0, 1.0]
    """
    if len(tip) != 1:
        raise SkillsgapError(f"tipping_table expects the level of one competency, and {len(tip)} rows came")
    tip = tip.iloc[0]
    reach = max(ASSUMED, 1.1 * tip["tipping_point"]) if tip["possible"] else ASSUMED
    down, up = (reach, ASSUMED) if tip["direction"] == "lower" else (ASSUMED, reach)
    far = np.linspace(max(-down, lowest - tip["estimate"]), min(up, highest - tip["estimate"]), STEPS)
    moved = {name: tip[name] + (1 - response_rate) * far for name in ("estimate", "ci_low", "ci_high")}
    told = {name: tip[name] for name in ("threshold", "direction", "tipping_point", "possible")}
    return pd.DataFrame({"difference": far, **moved}).assign(**told, silent=1 - response_rate)


def tipping_finding(table, competency, *, words):
    """What is said of a competency's mean level, and how unlike the silent would have to be for it not to hold.

    Parameters
    ----------
    table : DataFrame
        As `tipping_table` gives it; empty where the response rate isn't known or nothing is required.
    competency : str
        Its name.
    words : Words

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"direction": ["higher"], "tipping_point": 1.0, "possible": True, "silent": 0.5})
    >>> tipping_finding(table, "Cloud", words=Words("en")).split(" unless ")[0]
    '“Cloud” is below the level required on average'
    """
    if table.empty:
        return words("No tipping point: how many were asked isn’t known, or no level is required")
    first = table.iloc[0]
    if pd.isna(first["direction"]):
        said = N_("The {silent} who did not answer might change on which side of the level required “{competency}” is")
    elif not first["possible"]:
        said = N_("On which side of the level required “{competency}” is holds however the {silent} who did not answer "
                  "would rate")  # fmt: skip
    elif first["direction"] == "higher":
        said = N_("“{competency}” is below the level required on average unless the {silent} who did not answer stand "
                  "{levels} levels above those who did")  # fmt: skip
    else:
        said = N_("“{competency}” is above the level required on average unless the {silent} who did not answer stand "
                  "{levels} levels below those who did")  # fmt: skip
    levels = "" if pd.isna(first["tipping_point"]) else words.number(first["tipping_point"], 1)
    return words(said, competency=competency, silent=words.percent(first["silent"]), levels=levels)


def tipping_figure(table, ax=None, *, words, width=660):
    """Mean level of all staff against how far those who didn't answer stand from those who did; the claim's tipping.

    Parameters
    ----------
    table : DataFrame
        As `tipping_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the difference in levels, y the mean level.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "tipping_figure", ["difference", "estimate", "ci_low", "ci_high", "threshold", "direction",
                                      "tipping_point", "possible"])  # fmt: skip
    _, size, small = sizes(width)
    x, first, high = table["difference"].to_numpy(), table.iloc[0], 230.0
    low, top = table["ci_low"].min(), max(table["ci_high"].max(), first["threshold"] + 0.1)
    ax = open_axes(ax, width, high, left=6, right=56, top=20, bottom=44)
    ax.set(xlim=(x[0], x[-1]), ylim=(low - 0.05 * (top - low), top))
    floor = ax.get_ylim()[0]
    ax.vlines(0, floor, top, colors=PALETTE["line"], lw=1)
    whole = np.arange(np.ceil(floor), top)
    ax.hlines(whole, x[0], x[-1], colors=PALETTE["line"], lw=1)
    for level in whole:
        write(ax, x[-1], level, [words("level {level}", level=words.number(level))], size=small, right=8, down=4,
              colour=PALETTE["soft"])  # fmt: skip
    ax.fill_between(x, table["ci_low"], table["ci_high"], color=PALETTE["tint"], lw=0)
    ax.plot(x, table["estimate"], color=PALETTE["blue"], lw=2.5, solid_capstyle="butt")
    ax.hlines([first["threshold"], floor], x[0], x[-1], colors=[PALETTE["ink"], PALETTE["bar"]], lw=[2, 1],
              clip_on=False)  # fmt: skip
    _tipping_words(ax, table, words=words, size=size, small=small)
    return ax


def _tipping_words(ax, table, *, words, size, small):
    """Axis, the lines' names, and the tipping point where there is one on the scale."""
    x, first = table["difference"].to_numpy(), table.iloc[0]
    (low, high), floor = ax.get_xlim(), ax.get_ylim()[0]
    for tick in np.arange(np.ceil(low), high + 0.01):
        write(ax, tick, floor, [words.signed(tick, 0)], size=small, align="center", colour=PALETTE["soft"], down=15)
    said = words("levels by which those who did not answer stand above (+) or below (−) those who did")
    for i, line in enumerate(wrap(said, points_of(ax)[0], small)):
        write(ax, low, floor, [line], size=small, colour=PALETTE["soft"], down=32 + i * 14)
    said = words("required {level}", level=words.number(first["threshold"], 1))
    write(ax, low, first["threshold"], [said], size=size, bold=True, down=-6)
    mark(ax, [0.0], [np.interp(0.0, x, table["estimate"])], "filled")
    said = words("if they are alike {level}", level=words.number(np.interp(0.0, x, table["estimate"]), 1))
    room = points_of(ax)[0] * (high - 0.0) / (high - low) + 50 - text_length(said, size, bold=True)
    write(ax, 0.0, np.interp(0.0, x, table["ci_low"]), [said], size=size, bold=True, down=18, right=min(room, 0.0),
          colour=PALETTE["blue"])  # fmt: skip
    if pd.isna(first["direction"]) or not first["possible"]:
        return
    point = first["tipping_point"] * (1 if first["direction"] == "higher" else -1)
    if not low <= point <= high:
        return
    ax.vlines(point, floor, first["threshold"], colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)))
    mark(ax, [point], [first["threshold"]], "warm")
    said = words("tipping point {levels}", levels=words.signed(point, 1))
    place, wide = (point - low) / (high - low) * points_of(ax)[0], text_length(said, size, bold=True)
    write(ax, point, floor, [said], size=size, bold=True, colour=PALETTE["warm"], down=-8,
          right=6 if place + wide + 6 <= points_of(ax)[0] + 50 else -wide - 6)  # fmt: skip
