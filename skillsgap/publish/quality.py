"""Pictures of what came in: the quality of each table, and how many of each agency's staff answered."""

import numpy as np
import pandas as pd

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    TOP_LEVEL,
    dots,
    open_axes,
    require,
    sizes,
    text_length,
    to_middle,
    wrap,
    write,
)
from skillsgap.publish.gates import DIMENSIONS, TABLES
from skillsgap.wording import N_

ROW = 30  # points between two tables
LETTERS = "ABCDEF"  # in place of names, where columns are too thin for them


def quality_figure(table, ax=None, *, words, width=660):
    """Quality of each table on each dimension: a number 0 to 4 and as many filled marks of four.

    Parameters
    ----------
    table : DataFrame with columns table, dimension, level
        As `assess_quality` gives it; of rows with a `part` only the whole table's are drawn. Where a dimension
        doesn't apply, its cell stays empty. Levels 0 and 1 are in the one warm colour.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x and y are points, y runs down.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"table": ["register"], "dimension": ["validity"], "level": [3]})
    >>> [text.get_text() for text in quality_figure(table, words=Words("en")).texts]
    ['validity', 'register of staff', '3']
    """
    require(table, "quality_figure", ["table", "dimension", "level"])
    narrow, size, small = sizes(width)
    wide = _whole(table).pivot(index="table", columns="dimension", values="level")
    wide = wide.loc[[name for name in TABLES if name in wide.index] + sorted(set(wide.index) - set(TABLES)),
                    [name for name in DIMENSIONS if name in wide]]  # fmt: skip
    names = [words(TABLES.get(name, name)) for name in wide.index]
    room = min(max(text_length(name, size) for name in names), (0.31 if narrow else 0.27) * width)
    starts, direct = _starts([words(DIMENSIONS[name]) for name in wide], room + 10, width, narrow=narrow, size=small)
    labels = [wrap(name, room, size) for name in names]
    heights = np.array([max(ROW, len(lines) * size * LEADING + 8) for lines in labels])
    heads, top = _heads([words(DIMENSIONS[name]) for name in wide], starts, width, direct=direct, size=small)
    height = top + heights.sum()
    ax = open_axes(ax, width, height)
    ax.set(xlim=(0, width), ylim=(height, 0))
    for x, y, said, bold in heads:
        write(ax, x, y, [said], size=small, bold=bold)
    middles = top + np.cumsum(heights) - heights / 2
    ax.hlines(middles - heights / 2, 0, width, colors=PALETTE["line"], lw=1, clip_on=False)
    for levels, lines, y in zip(wide.to_numpy(dtype=float), labels, middles, strict=True):
        write(ax, 0, y, lines, size=size, down=to_middle(lines, size))
        for i in np.flatnonzero(~np.isnan(levels)):
            _mark(ax, int(levels[i]), starts[i], y, apart=5.5 if narrow else 7, words=words, size=size)
    return ax


def _starts(names, left, width, *, narrow, size):
    """Where each column begins, and whether its name has room above it: as wide as the names ask for, or all alike."""
    last = 36 if narrow else 58  # the last column needs no more than its own marks
    wide = np.array([max(text_length(name, size) + 12, last) for name in names])
    if wide.sum() - 12 <= width - left:
        spare = min((width - left - wide.sum() + 12) / len(names), 40)
        return left + np.concatenate([[0], np.cumsum(wide + spare)[:-1]]), True
    step = min((width - left - last) / max(len(names) - 1, 1), 110)
    return left + np.arange(len(names)) * step, False


def _heads(names, starts, width, *, direct, size):
    """Names above the columns, or letters and the names listed on top: (x, y, text, bold), and their height."""
    if direct:
        return [(x, size + 4, name, False) for x, name in zip(starts, names, strict=True)], size + 14
    listed = [(10 + (i % 2) * width * 0.5, size + 4 + i // 2 * size * LEADING, name)
              for i, name in enumerate(names)]  # fmt: skip
    bottom = listed[-1][1] + 2 * size
    heads = [(x, bottom, letter, True) for x, letter in zip(starts, LETTERS, strict=False)]
    for (x, y, name), letter in zip(listed, LETTERS, strict=False):
        heads += [(x - 10, y, letter, True), (x + 6, y, name, False)]
    return heads, bottom + 10


def _mark(ax, level, x, y, *, apart, words, size):
    """The number, and beside it four squares of which as many are filled: to be read without colour too."""
    colour = PALETTE["warm" if level <= 1 else "blue"]
    write(ax, x, y, [words.number(level)], size=size, bold=True, down=MIDDLE * size)
    places = x + size + apart / 2 + np.arange(TOP_LEVEL) * apart
    ax.plot(places[level:], [y] * (TOP_LEVEL - level), "s", ms=apart - 2.5, mfc=PALETTE["paper"], mec=PALETTE["bar"],
            mew=1, clip_on=False)
    ax.plot(places[:level], [y] * level, "s", ms=apart - 1.5, color=colour, mew=0, clip_on=False)


def weakest_quality(table, *, words):
    """The finding of a quality picture in one sentence: the lowest level, of what, and why.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"table": ["register", "items"], "dimension": ["validity", "validity"], "level": [1, 3],
    ...                       "reason": ["no date is declared", ""], "values": ["{}", "{}"]})
    >>> weakest_quality(table, words=Words("en"))
    'Weakest is validity (register of staff), at level 1 of 4: no date is declared.'
    """
    whole = _whole(table).sort_values(["level", "table", "dimension"])
    lowest = whole[whole["level"] == whole["level"].iloc[0]]
    # what the answers and the register lack weighs more than what other tables lack
    order = {name: i for i, name in enumerate(("responses", "aggregates", "register"))}
    worst = lowest.sort_values("table", key=lambda names: names.map(order).fillna(len(order)), kind="stable").iloc[0]
    if worst["level"] == TOP_LEVEL:
        return words("Every table is at level 4 of 4 on every dimension that applies to it.")
    said = N_("Weakest is {dimension} ({table}), at level {level} of 4: {reason}.")
    if len(lowest) > 1:
        said = N_("Weakest is {dimension} ({table}), at level {level} of 4: {reason} (others at this level: {more}).")
    return words(said, dimension=words(DIMENSIONS[worst["dimension"]]), level=words.number(worst["level"]),
                 table=words(TABLES.get(worst["table"], worst["table"])), more=words.number(len(lowest) - 1),
                 reason=words.told(worst["reason"], worst["values"]))  # fmt: skip


def quality_reasons(table, *, words):
    """A quality table as it is read: names of tables and dimensions, level, and the reason in words.

    Returns
    -------
    DataFrame of table, dimension, part, level, reason; lowest level first.
    """
    shown = table.sort_values(["level", "table", "dimension", "part"], ignore_index=True)
    said = [words.told(reason, values) for reason, values in zip(shown["reason"], shown["values"], strict=True)]
    return shown.assign(
        table=[words(TABLES.get(name, name)) for name in shown["table"]], reason=said,
        dimension=[words(DIMENSIONS[name]) for name in shown["dimension"]],
    )[["table", "dimension", "part", "level", "reason"]]  # fmt: skip


def coverage_table(table, *, words):
    """Answered share by agency, as `coverage_figure` draws it.

    Returns
    -------
    DataFrame of label, share, level
        Highest share first; `share` is empty where fewer answered than may be printed.
    """
    agencies = table[(table["dimension"] == "coverage") & (table["part"] != "")]
    labels = [words.label("agency_id", code) for code in agencies["part"]]
    shown = pd.DataFrame({"label": labels, "share": agencies["measure"].to_numpy(),
                          "level": agencies["level"].to_numpy()})  # fmt: skip
    return shown.sort_values(["share", "label"], ascending=[False, True], ignore_index=True)


def coverage_figure(table, ax=None, *, words, width=660):
    """Share of each agency's staff that answered: a dot on a line that starts at 0.

    Parameters
    ----------
    table : DataFrame with columns label, share
        In the order to be drawn; `share` is a fraction. A row without it reads "withheld".
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is the share, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "coverage_figure", ["label", "share"])
    narrow, size, small = sizes(width)
    room = (0.42 if narrow else 0.36) * width
    labels = [wrap(text, room, size) for text in table["label"]]
    heights = np.array([max(24, len(lines) * size * LEADING + 8) for lines in labels])
    centre, left, right = np.cumsum(heights) - heights / 2, room + 18, 84
    ax = open_axes(ax, width, heights.sum(), left=left, right=right, top=4, bottom=20)
    share = table["share"].to_numpy(dtype=float)
    step = 0.1 if np.fmax.reduce(share, initial=0) <= 0.4 else 0.25
    ticks = np.arange(0, max(np.ceil(np.fmax.reduce(share, initial=0) / step - 1e-9), 1) + 1) * step
    ax.set(xlim=(0, ticks[-1]), ylim=(heights.sum(), 0))
    ax.vlines(ticks, 0, heights.sum(), colors=PALETTE["line"], lw=1, clip_on=False)
    ax.hlines(centre, 0, share, colors=PALETTE["bar"], lw=6, clip_on=False)
    dots(ax, share, centre, 8)
    for tick in ticks[[0, -1]] if narrow else ticks:
        write(ax, tick, 0, [words.percent(tick)], align="center", size=small, colour=PALETTE["soft"], down=15,
              transform=ax.get_xaxis_transform())
    side = ax.get_yaxis_transform()
    for lines, x, y in zip(labels, share, centre, strict=True):
        known = not np.isnan(x)
        write(ax, 0, y, lines, size=size, right=-left, transform=side, down=to_middle(lines, size))
        write(ax, 1, y, [words.share(x) if known else words("withheld")], size=size, bold=known, align="right",
              right=right, down=MIDDLE * size, transform=side, colour=PALETTE["ink" if known else "soft"])
    return ax


def _whole(table):
    return table[table["part"] == ""] if "part" in table else table
