"""Figures of finished, released tables: each draws what its table says and computes nothing.

A figure function takes a table whose rows are sorted and rounded, and returns matplotlib Axes. Lengths are
points; at 72 dots an inch, as in an SVG file, a point is a CSS pixel. A title states a finding, so it is a
heading of the page and never part of the picture. `figure_html` puts a figure on a page, for two widths.

Of a fictional country the tables of gaps, needs and profiles may have a column `truth`: what was planted is then
drawn as a diamond and named below the figure. Budgets, quality, coverage and readiness have no planted counterpart.
"""

from itertools import groupby

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    PLANTED,
    TOP_LEVEL,
    diamonds,
    dots,
    figure_html,
    open_axes,
    points_of,
    require,
    shows_truth,
    sizes,
    text_length,
    to_middle,
    wrap,
    write,
)
from skillsgap.publish.dumbbell import gap_figure

__all__ = ["PALETTE", "figure_html", "frontier_figure", "gap_figure", "needs_figure", "profile_figure"]

# One hue, light enough at its top for dark digits in every cell, on paper and on a dark page alike.
HEAT = LinearSegmentedColormap.from_list("level", ["#f1f7fa", "#5597b8"])
CELL_INK = "#101c26"


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


def profile_figure(table, ax=None, *, words, width=660):
    """Mean level of each profile in each competency, and the share of staff in each profile.

    Parameters
    ----------
    table : DataFrame with columns profile, share, ci_low, ci_high, competency, level
        One row a profile and competency (or group of them), in the order to be drawn; `share`, a fraction,
        and its interval repeat in each row of a profile. Names are labels. A missing level leaves a dash.
        With an optional column `truth`, what was planted in a fictional country, each cell has the planted
        level below the estimated one; `truth_share`, a fraction, is that of the profile.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x and y are points, y runs down.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "profile_figure", ["profile", "share", "ci_low", "ci_high", "competency", "level"])
    narrow, _, size = sizes(width)
    profiles = table.drop_duplicates("profile")
    competencies = list(dict.fromkeys(table["competency"]))
    left = (0.42 if narrow else 0.3) * width
    step = min((width - left) / len(profiles), 130)
    labels = [wrap(text, left - 12, size) for text in competencies]
    truth = shows_truth(table)
    heights = np.array([max(38 if truth else 30, len(lines) * size * LEADING + 8) for lines in labels])
    longest = max(text_length(word, size, bold=True) for name in profiles["profile"] for word in name.split())
    arrange = _column_heads if max(longest, 76) <= step else _numbered_heads
    heads, top = arrange(profiles, words, left=left, step=step, width=width, size=size)
    height = top + heights.sum()
    ax = open_axes(ax, width, height, bottom=2 * size * truth)
    ax.set(xlim=(0, width), ylim=(height, 0))
    for x, y, lines, bold, align in heads:
        write(ax, x, y, lines, size=size, bold=bold, align=align)
    wide = table.pivot(index="competency", columns="profile", values=["level", *["truth"] * truth])
    levels, planted = (wide.reindex(columns=[(name, profile) for profile in profiles["profile"]]).loc[competencies]
                       for name in ("level", "truth"))  # fmt: skip
    starts = top + np.cumsum(heights) - heights
    for name, lines, tall, y in zip(competencies, labels, heights, starts, strict=True):
        write(ax, 0, y + tall / 2, lines, size=size, down=to_middle(lines, size))
        _cells(ax, zip(levels.loc[name], planted.loc[name], strict=True), left, y, step, tall, words, size)
    if truth:
        write(ax, 0, height, [words(PLANTED)], size=size, down=16)
    return ax


def _column_heads(profiles, words, *, left, step, width, size):
    """Name, share and interval above each column: blocks (x, y, lines, bold, align), and their height."""
    names = [wrap(name, step - 8, size, bold=True) for name in profiles["profile"]]
    betweens = [[*wrap(_between(row, words), step - 8, size), *_planted(row, words)] for row in profiles.itertuples()]
    leading = size * LEADING
    top = (max(map(len, names)) + max(map(len, betweens)) + 1) * leading + 14
    heads = []
    for i, (name, between, share) in enumerate(zip(names, betweens, profiles["share"], strict=True)):
        x, y = left + (i + 0.5) * step, top - max(map(len, betweens)) * leading - 6
        heads += [(x, y - leading - (len(name) - 1) * leading - 2, name, True, "center"),
                  (x, y, [words.share(share)], True, "center"), (x, y + leading, between, False, "center")]
    return heads, top


def _numbered_heads(profiles, words, *, left, step, width, size):
    """Where columns are too thin for names: numbers above them, and the names listed on top."""
    names = [wrap(name, width - 20, size, bold=True) for name in profiles["profile"]]
    shares = [" ".join([words.share(row.share), f"({_between(row, words)})", *_planted(row, words)])
              for row in profiles.itertuples()]  # fmt: skip
    aside = 36 + max(text_length(name, size, bold=True) for name in profiles["profile"])
    beside = aside + max(text_length(share, size) for share in shares) <= width
    heads, y = [], size
    for i, (name, share) in enumerate(zip(names, shares, strict=True), start=1):
        heads += [(0, y, [words.number(i)], True, "left"), (20, y, name, True, "left")]
        y += (len(name) - beside) * size * LEADING
        said = wrap(share, width - 20, size)
        heads.append((aside if beside else 20, y, said, False, "left"))
        y += len(said) * size * LEADING + 5
    y += size
    heads += [(left + (i + 0.5) * step, y, [words.number(i + 1)], True, "center") for i in range(len(names))]
    return heads, y + 8


def _between(row, words):
    return words("{low} to {high}", low=words.share(row.ci_low), high=words.share(row.ci_high))


def _planted(row, words):
    """Share of a profile as it was planted: no line, or one."""
    share = getattr(row, "truth_share", np.nan)
    return [] if np.isnan(share) else [f"◇{words.percent(share)}"]


def _cells(ax, row, left, y, step, height, words, size):
    """Cells of a competency: the level, and below it the planted one where it is known."""
    for i, (level, truth) in enumerate(row):
        x, known, both = left + i * step, not np.isnan(level), not np.isnan(truth)
        fill = to_hex(HEAT(level / TOP_LEVEL)) if known else PALETTE["wash"]
        ax.add_patch(Rectangle((x + 1, y + 1), step - 2, height - 2, facecolor=fill, lw=0, clip_on=False))
        middle, line = y + height / 2, size * LEADING
        write(ax, x + step / 2, middle - both * line / 2, [words.number(level, 1) if known else "–"], size=size,
              align="center", colour=CELL_INK if known else PALETTE["soft"], down=MIDDLE * size)
        if both:
            write(ax, x + step / 2, middle + line / 2, [f"◇{words.number(truth, 1)}"], size=size, align="center",
                  colour=CELL_INK, down=MIDDLE * size)


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
