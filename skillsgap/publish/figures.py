"""Figures of finished, released tables: each draws what its table says and computes nothing.

A figure function takes a table whose rows are sorted and rounded, and returns matplotlib Axes. Lengths are
points; at 72 dots an inch, as in an SVG file, a point is a CSS pixel. A title states a finding, so it is a
heading of the page and never part of the picture. `figure_html` puts a figure on a page, for two widths.

Of a fictional country the tables of gaps, needs and profiles may have a column `truth`: what was planted is then
drawn as a diamond and named below the figure. Budgets, quality, coverage and readiness have no planted counterpart.
"""

from itertools import groupby

import numpy as np

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    PLANTED,
    diamonds,
    dots,
    figure_html,
    open_axes,
    points_of,
    require,
    shows_truth,
    sizes,
    text_length,
    wrap,
    write,
)
from skillsgap.publish.dumbbell import gap_figure
from skillsgap.publish.profiles import CELL_INK, HEAT, profile_figure

__all__ = ["CELL_INK", "HEAT", "PALETTE", "figure_html", "frontier_figure", "gap_figure", "needs_figure",
           "profile_figure"]


def needs_figure(table, ax=None, *, words, scale="levels", width=660):
    """Need of groups, such as agencies, in tiers: a dot and an interval each, and no rank.

    Parameters
    ----------
    table : DataFrame with columns tier, label, estimate, ci_low, ci_high
        One row a group. The rows of a tier stand together; their order within it means nothing (sort them by
        label). A row without `estimate` reads "withheld". With an optional column `truth`, what was planted
        in a fictional country, a diamond stands at each planted value beside an estimated one.
    ax, words, width : as in `gap_figure`
    scale : {"levels", "score", "share"}
        How a value is written.

    Returns
    -------
    Axes; x and y are points, y runs down. All groups share one scale, which starts at 0.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "needs_figure", ["tier", "label", "estimate", "ci_low", "ci_high"])
    _, size, small = sizes(width)
    columns = min(max(2, round(width / 220)), table.groupby("tier").size().max())
    across = (width + 24) / max(columns, 2)  # a track as long as a page could not be read beside its value
    starts, room = np.arange(columns) * across, across - 24
    said = [_value(x, words, scale) for x in table["estimate"].dropna()]
    track = room - max([46, *(8 + text_length(text, size, bold=True) for text in said)])
    truth = shows_truth(table)
    top = _round_up(table[["estimate", "ci_high", *["truth"] * truth]], scale)
    bands = _bands(table, len(starts), lambda text: wrap(text, room, small))
    height = sum(32 + sum(step for step, _ in rows) for _, rows in bands) + 16
    ax = open_axes(ax, width, height, bottom=2 * small * truth)
    ax.set(xlim=(0, width), ylim=(height, 0))
    y = 0.0
    for tier, rows in bands:
        ax.hlines(y + 1, 0, width, colors=PALETTE["bar"], lw=1, clip_on=False)
        write(ax, 0, y + 18, [tier], size=size, bold=True)
        y += 32
        for step, groups in rows:
            for x, (group, lines) in zip(starts, groups, strict=False):
                line = y + step - 16
                write(ax, x, line - 10 - (len(lines) - 1 + 0.18) * small * LEADING, lines, size=small)
                _need(ax, group, x, line, track=track, top=top, words=words, scale=scale, size=small)
            y += step
    for x in starts:
        write(ax, x, height - 4, [words.number(0)], size=small, colour=PALETTE["soft"])
        end = words.percent(top) if scale == "share" else _value(top, words, scale)  # the end of an axis is nobody's
        write(ax, x + track, height - 4, [end], size=small, align="right", colour=PALETTE["soft"])
    if truth:
        write(ax, 0, height, [words(PLANTED)], size=small, down=16)
    return ax


def _bands(table, columns, wrap):
    """Tiers in the order of the table, cut into rows of `columns` groups, each with the height it needs."""
    bands = []
    for tier, members in groupby(table.itertuples(), key=lambda group: group.tier):
        groups = [(group, wrap(group.label)) for group in members]
        rows = [groups[i:i + columns] for i in range(0, len(groups), columns)]
        bands.append((tier, [(max(len(lines) for _, lines in row) * 15 + 26, row) for row in rows]))
    return bands


def _need(ax, group, x, y, *, track, top, words, scale, size):
    """Track, interval, dot and value of one group."""
    if np.isnan(group.estimate):
        write(ax, x, y + MIDDLE * size, [words("withheld")], size=size, colour=PALETTE["soft"])
        return
    ax.hlines(y, x, x + track, colors=PALETTE["line"], lw=1, clip_on=False)
    ax.hlines(y, x + group.ci_low / top * track, x + group.ci_high / top * track, colors=PALETTE["tint"],
              lw=11, clip_on=False)
    dots(ax, [x + group.estimate / top * track], [y], 7)
    if hasattr(group, "truth"):
        diamonds(ax, [x + group.truth / top * track], [y])
    write(ax, x + track + 8, y + MIDDLE * size, [_value(group.estimate, words, scale)], size=size, bold=True)


def _round_up(values, scale):
    step = {"levels": 0.2, "score": 50, "share": 0.1}[scale]
    return max(step, np.ceil(np.fmax.reduce(values.to_numpy(dtype=float), axis=None) / step - 1e-9) * step)


def _value(x, words, scale):
    return words.share(x) if scale == "share" else words.number(x, 2 if scale == "levels" else 0)


def frontier_figure(table, ax=None, *, words, width=288):
    """Share of the weighted shortfall that a budget closes, by the best plan and by common practice.

    Parameters
    ----------
    table : DataFrame with columns budget, best, common, chosen
        One row a budget, sorted; `best` and `common` are fractions; `chosen` (bool) marks the plan's budget.
        Optional columns ci_low and ci_high are the interval of `best`.
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
    height = 150
    ax = open_axes(ax, width, height, left=6, right=6, top=30, bottom=20)
    budget, best, common = (table[name].to_numpy(dtype=float) for name in ("budget", "best", "common"))
    last = budget[-1] if budget[-1] > 0 else 1.0
    ax.set(xlim=(0, last), ylim=(0, max(best.max(), common.max(), 0.01) * 1.02))
    ax.hlines(0, 0, last, colors=PALETTE["bar"], lw=1, clip_on=False)
    if "ci_low" in table:
        ax.fill_between(budget, table["ci_low"], table["ci_high"], color=PALETTE["tint"], lw=0,
                        clip_on=False)
    ax.plot(budget, common, color=PALETTE["soft"], lw=1.8, ls=(0, (5, 2)), clip_on=False)
    ax.plot(budget, best, color=PALETTE["blue"], lw=2.5, clip_on=False)
    dots(ax, budget, best, 5)
    write(ax, 0, 0, [words.number(0)], size=small, colour=PALETTE["soft"], down=16, right=-6)
    if table["chosen"].any():
        row = table.loc[table["chosen"].to_numpy(dtype=bool)].iloc[0]
        _name_chosen(ax, row, budget, best, common, words=words, size=small)
    return ax


def _name_chosen(ax, row, budget, best, common, *, words, size):
    """The chosen budget and what both ways of spending it close, written where the lines leave room."""
    last, top = ax.get_xlim()[1], ax.get_ylim()[1]
    wide, high = points_of(ax)
    place = row["budget"] / last * wide
    ax.vlines(row["budget"], 0, row["best"], colors=PALETTE["warm"], lw=1.5, ls=(0, (3, 2)), clip_on=False)
    dots(ax, [row["budget"]], [row["best"]], 9)
    said = words("best plan {share}", share=words.percent(row["best"]))
    start = max(place + 8 - text_length(said, size, bold=True), -6)
    end = min(start + text_length(said, size, bold=True), wide)
    write(ax, start / wide * last, np.interp(end / wide * last, budget, best), [said], size=size, bold=True,
          colour=PALETTE["blue"], down=-9)
    said = words("common practice {share}", share=words.percent(row["common"]))
    lines, start = wrap(said, wide - place + 12, size), place + 8
    if wide - place < 90:
        lines, start = [said], place - 8 - text_length(said, size)
    under = np.interp(start / wide * last, budget, common) - 17 / high * top
    write(ax, start / wide * last, max(under, 6 / high * top), lines, size=size, colour=PALETTE["soft"])
    said = words.money(row["budget"])
    half = text_length(said, size, bold=True) / 2
    write(ax, row["budget"], 0, [said], size=size, bold=True, align="center", down=16,
          right=np.clip(place, half + 6, wide + 6 - half) - place)
