"""Figures of the plan: what budgets buy, who is trained where, what rules cost, and what draws keep."""

import numpy as np
import pandas as pd

from skillsgap.publish.canvas import (
    MIDDLE,
    PALETTE,
    SLACK,
    dots,
    open_axes,
    points_of,
    require,
    sizes,
    text_length,
    to_middle,
    wrap,
    write,
)
from skillsgap.publish.rows import open_rows
from skillsgap.wording import N_

FEW = 12  # budgets that have a dot each; of more the line is enough
COMMON = {"common": ((0, (5, 2)), N_("largest first {share}")),
          "ratio": ((0, (1, 1.6)), N_("best ratio first {share}"))}  # fmt: skip
SAMPLE = 20.0  # points: a piece of a line before its name


def frontier_figure(table, ax=None, *, words, width=288):
    """Share of the weighted shortfall that a budget closes, by the best plan and by common practice.

    Parameters
    ----------
    table : DataFrame with columns budget, best, common, chosen
        One row a budget, sorted; `best` and `common` (largest gap first) are fractions; `chosen` (bool) marks the
        plan's budget. Optional: `ratio`, the other common practice; ci_low and ci_high, intervals of `best` where they
        are known; `enough` (bool), whose first row, a hollow dot, is where money begins to buy little.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the budget, y the share closed.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "frontier_figure", ["budget", "best", "common", "chosen"])
    _, _, small = sizes(width)
    ax = open_axes(ax, width, 150, left=6, right=6, top=30, bottom=20)
    budget, best = table["budget"].to_numpy(dtype=float), table["best"].to_numpy(dtype=float)
    last = budget[-1] if budget[-1] > 0 else 1.0
    drawn = table.reindex(columns=["best", *COMMON, "ci_high"]).to_numpy(dtype=float)
    ax.set(xlim=(0, last), ylim=(0, max(np.fmax.reduce(drawn, axis=None), 0.01) * 1.02))
    ax.hlines(0, 0, last, colors=PALETTE["bar"], lw=1, clip_on=False)
    if "ci_low" in table:
        ax.vlines(budget, table["ci_low"], table["ci_high"], colors=PALETTE["tint"], lw=9, clip_on=False)
    for name in (name for name in COMMON if name in table):
        ax.plot(budget, table[name], color=PALETTE["soft"], lw=1.8, ls=COMMON[name][0], clip_on=False)
    ax.plot(budget, best, color=PALETTE["blue"], lw=2.5, clip_on=False)
    if len(table) <= FEW:
        dots(ax, budget, best, 5)
    if "enough" in table and table["enough"].any():
        first = table["enough"].to_numpy(dtype=bool).argmax()
        ax.plot(budget[first], best[first], "o", ms=7, mfc=PALETTE["paper"], mec=PALETTE["blue"], mew=1.7,
                clip_on=False)  # fmt: skip
    write(ax, 0, 0, [words.number(0)], size=small, colour=PALETTE["soft"], down=16, right=-6)
    if table["chosen"].any():
        _name_chosen(ax, table, table["chosen"].to_numpy(dtype=bool).argmax(), words=words, size=small)
    return ax


def _name_chosen(ax, table, chosen, *, words, size):
    """The chosen budget and what each way of spending it closes, written where the lines leave room."""
    row, last, wide = table.iloc[chosen], ax.get_xlim()[1], points_of(ax)[0]
    place, budget = row["budget"] / last * wide, table["budget"].to_numpy(dtype=float)
    ax.vlines(row["budget"], 0, row["best"], colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)), clip_on=False)
    dots(ax, [row["budget"]], [row["best"]], 9)
    said = words("best plan {share}", share=words.percent(row["best"]))
    start = max(place + 8 - text_length(said, size, bold=True), -6)
    end = min(start + text_length(said, size, bold=True), wide)
    above = np.nanmax([np.interp(end / wide * last, budget, table["best"]), row.get("ci_high", np.nan)])
    write(ax, start / wide * last, above, [said], size=size, bold=True, colour=PALETTE["blue"], down=-9)
    _name_common(ax, table, row, place, words=words, size=size)
    said = words.money(row["budget"])
    half = text_length(said, size, bold=True) / 2
    write(ax, row["budget"], 0, [said], size=size, bold=True, align="center", down=16,
          right=np.clip(place, half + 6, wide + 6 - half) - place)


def _name_common(ax, table, row, place, *, words, size):
    """What common practice closes, the higher first, each after a piece of its line, under all lines."""
    (last, top), (wide, high) = (ax.get_xlim()[1], ax.get_ylim()[1]), points_of(ax)
    there = sorted((name for name in COMMON if name in table and pd.notna(row[name])), key=lambda name: -row[name])
    texts = [words(COMMON[name][1], share=words.percent(row[name])) for name in there]
    room = SAMPLE + max((text_length(text, size) for text in texts), default=0.0)
    start = place + 10 if place + 10 + room / SLACK <= wide + 6 else place - 10 - room
    start = max(start, -6)
    lowest = table[there].min(axis=1) if there else table["best"]
    under = np.interp(max(start, 0) / wide * last, table["budget"], lowest) * high / top - 17
    y = max(under, 6 + 15 * (len(texts) - 1))
    for i, (name, text) in enumerate(zip(there, texts, strict=True)):
        line, x = (y - 15 * i) / high * top, start / wide * last
        middle = line + MIDDLE * size / high * top
        ax.plot([x, x + (SAMPLE - 5) / wide * last], [middle, middle], color=PALETTE["soft"], lw=1.8,
                ls=COMMON[name][0], clip_on=False)  # fmt: skip
        write(ax, x, line, [text], size=size, colour=PALETTE["soft"], right=SAMPLE)


def tier_figure(table, ax=None, *, words, width=660):
    """Seats by group of staff and tier: a bar and its number for each, tiers beside each other.

    Parameters
    ----------
    table : DataFrame with columns label, tier, seats
        One row a group and tier, groups and tiers in the order to be shown. A row without `seats` reads "withheld".
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x and y are points, y runs down. All bars share one scale, from 0.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "tier_figure", ["label", "tier", "seats"])
    narrow, size, small = sizes(width)
    seats = table.set_index(["label", "tier"])["seats"]
    labels, tiers = list(dict.fromkeys(table["label"])), list(dict.fromkeys(table["tier"]))
    left = 0.0 if narrow else min(max(text_length(text, size) for text in labels), 0.32 * width) + 14
    across, gap = (width - left) / len(tiers), 10.0
    number = max(text_length(words.number(x), small) for x in seats.fillna(0))
    room, most = across - gap - number - 5, max(seats.max(), 1.0)
    heads = [wrap(tier, across - gap, small, bold=True) for tier in tiers]
    top = max(map(len, heads)) * 15 + 8
    lines = [wrap(text, width if narrow else left - 14, size) for text in labels]
    heights = np.array([len(each) * 16 + (22 if narrow else 8) for each in lines], dtype=float)
    y = np.cumsum(heights) - (11 if narrow else heights / 2)
    ax = open_axes(ax, width, heights.sum() + 4, top=top)
    ax.set(xlim=(0, width), ylim=(heights.sum() + 4, 0))
    for i, head in enumerate(heads):
        write(ax, left + i * across, 0, head, size=small, bold=True, down=-8 - 15 * (len(head) - 1))
    for text, each, at, tall in zip(labels, lines, y, heights, strict=True):
        first = at - tall + 11 + size if narrow else at + to_middle(each, size)
        write(ax, 0, first, each, size=size)
        for i, tier in enumerate(tiers):
            _bar(ax, left + i * across, at, seats.get((text, tier), 0.0), room / most, words=words, size=small)
    return ax


def _bar(ax, x, y, seats, scale, *, words, size):
    """A bar of so many seats, and their number; a thin line where there are none."""
    known = pd.notna(seats)
    end = x + (seats * scale if known else 0.0)
    ax.vlines(x, y - 7, y + 7, colors=PALETTE["line"], lw=1, clip_on=False)
    if known and seats > 0:
        ax.fill_between([x, end], y - 6, y + 6, color=PALETTE["blue"], lw=0, clip_on=False)
    said = words.number(seats) if known else words("withheld")
    write(ax, end + 5, y + MIDDLE * size, [said], size=size, colour=PALETTE["ink" if known and seats > 0 else "soft"])


def price_figure(table, ax=None, *, words, width=660):
    """What each rule costs: how much more of the shortfall the plan would close without it.

    Parameters
    ----------
    table : DataFrame with columns label, percent, enforced, perhaps most
        One row a family of rules; `percent` of the shortfall; `most`, where it is known, what the price is proved not
        to pass; `enforced` (bool) fills the dot.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is percent of the shortfall, y runs down.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "price_figure", ["label", "percent", "enforced"])
    percent, enforced = table["percent"].to_numpy(dtype=float), table["enforced"].to_numpy(dtype=bool)
    key = [(mark, text) for mark, text, there in (("filled", words("enforced"), enforced.any()),
                                                  ("hollow", words("not enforced"), not enforced.all())) if there]
    most = table["most"].to_numpy(dtype=float) if "most" in table else np.full(len(table), np.nan)
    limits = (0, max(np.nanmax(np.fmax(percent, most)) * 1.05, 0.1))
    rows = open_rows(ax, table["label"], width=width, right=56 if np.isnan(most).all() else 84, limits=limits, key=key,
                     bottom=6)  # fmt: skip
    rows.ax.hlines(rows.y, 0, percent, colors=PALETTE["tint"], lw=5, clip_on=False)
    rows.ax.hlines(rows.y, percent, most, colors=PALETTE["blue"], lw=1.2, clip_on=False)
    rows.ax.vlines(0, 0, rows.ax.get_ylim()[0], colors=PALETTE["bar"], lw=1, clip_on=False)
    rows.marks(percent, "filled", where=enforced)
    rows.marks(percent, "hollow", where=~enforced)
    said = [words.number(x, 1) + ("" if np.isnan(up) else f"–{words.number(up, 1)}")
            for x, up in zip(percent, most, strict=True)]
    rows.aside([words("{number}%", number=each) for each in said], bold=True)
    return rows.ax


def kept_figure(table, ax=None, *, words, width=660):
    """How often draws keep what the plan recommends: a share of the draws for each option.

    Parameters
    ----------
    table : DataFrame with columns label, stability, seats
        One row an option; `stability` is the share of draws, 0 to 1, `seats` the people in the plan.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the share of draws, y runs down.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "kept_figure", ["label", "stability", "seats"])
    rows = open_rows(ax, table["label"], width=width, right=124, limits=(0, 1), head=True)
    rows.ax.hlines(rows.y, 0, 1, colors=PALETTE["line"], lw=1, clip_on=False)
    rows.marks(table["stability"], "filled")
    rows.aside([words.percent(x) for x in table["stability"]], back=62, bold=True, head=words("kept"))
    rows.aside([words.number(x) for x in table["seats"]], head=words("People"))
    rows.axis([0, 0.5, 1], [words.percent(x) for x in (0, 0.5, 1)])
    return rows.ax
