"""Figures made of rows: a label, marks on a common axis and a few words at the right; and the key of the marks."""

from dataclasses import dataclass

import numpy as np

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    open_axes,
    points_of,
    sizes,
    text_length,
    to_middle,
    wrap,
    write,
)

ROW, HEAD, LINE = 23.0, 30.0, 18.0  # points: a row, the name of a block of rows, a line of the key
# told apart by shape and filling, so that grey is enough
MARKS = {
    "filled": {"marker": "o", "ms": 8, "mfc": PALETTE["blue"], "mec": PALETTE["paper"], "mew": 1},
    "warm": {"marker": "o", "ms": 8, "mfc": PALETTE["warm"], "mec": PALETTE["paper"], "mew": 1},
    "hollow": {"marker": "o", "ms": 7, "mfc": PALETTE["paper"], "mec": PALETTE["blue"], "mew": 1.7},
    "small": {"marker": "s", "ms": 4.5, "mfc": PALETTE["paper"], "mec": PALETTE["soft"], "mew": 1.3},
    "hair": {"marker": "|", "ms": 13, "mec": PALETTE["soft"], "mew": 1.2},
    "tick": {"marker": "|", "ms": 15, "mec": PALETTE["ink"], "mew": 2.5},
}


def mark(ax, x, y, name):
    """Marks of a kind at (x, y)."""
    ax.plot(x, y, linestyle="none", clip_on=False, **MARKS[name])


@dataclass(frozen=True)
class Rows:
    """Axes with a row for each label: y runs down in points, and `y` holds the middles of the rows."""

    ax: object
    y: np.ndarray
    width: float
    left: float
    right: float

    def intervals(self, low, high):
        """Bands behind the marks."""
        self.ax.hlines(self.y, low, high, colors=PALETTE["tint"], lw=9, clip_on=False)

    def marks(self, x, name, *, where=None, down=0.0):
        """A mark in every row, or in those of `where`."""
        there = np.ones(len(self.y), dtype=bool) if where is None else np.asarray(where, dtype=bool)
        mark(self.ax, np.asarray(x, dtype=float)[there], self.y[there] + down, name)

    def aside(self, texts, *, back=0.0, bold=False, warm=None, head=""):
        """Words at the right end of every row, `back` points further in, and what they are above the first row."""
        pen = {"size": sizes(self.width)[2], "align": "right", "transform": self.ax.get_yaxis_transform(),
               "right": self.right - back}  # fmt: skip
        warm = np.zeros(len(texts), dtype=bool) if warm is None else np.asarray(warm, dtype=bool)
        for text, y, hot in zip(texts, self.y, warm, strict=True):
            write(self.ax, 1, y, [text], bold=bold, down=MIDDLE * pen["size"], colour=PALETTE["warm" if hot else "ink"],
                  **pen)  # fmt: skip
        write(self.ax, 1, 0, [head], colour=PALETTE["soft"], down=-6, **pen)

    def axis(self, ticks, texts):
        """Lines from top to bottom, and what stands below them."""
        small, high = sizes(self.width)[2], self.ax.get_ylim()[0]
        self.ax.vlines(ticks, 0, high, colors=PALETTE["line"], lw=1, clip_on=False, zorder=0)
        for x, text in zip(ticks, texts, strict=True):
            write(self.ax, x, high, [text], align="center", size=small, colour=PALETTE["soft"], down=16)


def open_rows(ax, labels, *, width, right, limits, blocks=None, key=(), head=False, bottom=24.0):
    """Axes with labelled rows.

    Parameters
    ----------
    ax : Axes or None
    labels : sequence of str
        One a row, from the top.
    width, right, bottom : float, points
        Of the figure, and what is kept free at the right of the axis and below it.
    limits : (float, float)
        Ends of the axis.
    blocks : sequence of str, optional
        The block each row belongs to; its name stands above its first row.
    key : sequence of (mark, str)
        What each kind of mark means, above the rows.
    head : bool
        Whether a line is kept free for what stands above the words at the right.

    Returns
    -------
    Rows
    """
    narrow, size, small = sizes(width)
    room = min(max(text_length(text, size) for text in labels), (0.38 if narrow else 0.36) * width)
    lines = [wrap(text, room, size) for text in labels]
    blocks = [""] * len(labels) if blocks is None else list(blocks)
    starts = [name != before for name, before in zip(blocks, [""] + blocks[:-1], strict=True)]
    heights = np.array([max(ROW, len(each) * size * LEADING + 7) for each in lines])
    middles = np.cumsum(heights + HEAD * np.array(starts)) - heights / 2
    left, high = room + 14, heights.sum() + HEAD * sum(starts)
    placed, deep = lay_key(key, width, small)
    top = deep + 16.0 * head + 4
    ax = open_axes(ax, width, high, left=left, right=right, top=top, bottom=bottom)
    ax.set(xlim=limits, ylim=(high, 0))
    draw_key(ax, key, placed, size=small, left=left, top=top)
    side = ax.get_yaxis_transform()
    for each, y in zip(lines, middles, strict=True):
        write(ax, 0, y, each, size=size, right=-left, transform=side, down=to_middle(each, size))
    for name, starting, y, tall in zip(blocks, starts, middles, heights, strict=True):
        if starting:
            write(ax, 0, y - tall / 2 - 8, [name], size=size, bold=True, right=-left, transform=side)
    return Rows(ax, middles, width, left, right)


def lay_key(key, width, size):
    """Where each entry of a key stands, in points from the figure's top left, and how deep the key is."""
    places, x, y = [], 0.0, 0.0
    for _, text in key:
        wide = 16 + text_length(text, size)
        if x and x + wide > width:
            x, y = 0.0, y + LINE
        places.append((x, y))
        x += wide + 18
    return places, y + LINE + 4 if key else 0.0


def draw_key(ax, key, places, *, size, left, top):
    """Marks and their meanings above axes that leave the margins `left` and `top` (points)."""
    low, high = ax.get_xlim()
    for (name, text), (x, y) in zip(key, places, strict=True):
        line = y - top + size
        mark(ax, [low + (x - left + 6) * (high - low) / points_of(ax)[0]], [line - MIDDLE * size], name)
        write(ax, 0, line, [text], size=size, right=x - left + 16, transform=ax.get_yaxis_transform())
