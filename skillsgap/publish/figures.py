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
    require,
    shows_truth,
    sizes,
    text_length,
    wrap,
    write,
)
from skillsgap.publish.dumbbell import gap_figure
from skillsgap.publish.plan_figures import frontier_figure
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
