"""The gap figure: level now beside the level required, one row a competency."""

import numpy as np

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    PLANTED,
    TOP_LEVEL,
    diamonds,
    dots,
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


def gap_figure(table, ax=None, *, words, scale="levels", width=660):
    """Level now, with its interval, beside the level required: one row a competency.

    Parameters
    ----------
    table : DataFrame with columns label, level, ci_low, ci_high, required, gap, hot
        Sorted and rounded. `gap` is level minus required, negative where short; `hot` (bool) marks the rows
        that matter most. A row without `level` reads "withheld"; one without `required` has no gap. With
        an optional column `note` its text stands at the right instead of the gap; with `truth`, what was
        planted in a fictional country, a diamond stands at each planted level beside an estimated one.
    ax : matplotlib Axes, optional
    words : Words
        Wording of the report language.
    scale : {"levels", "score"}
        Levels 0 to 4 with their names, or a tested score on a numeric axis.
    width : float, points
        Width of the new figure. Below `NARROW` each label stands above its row.

    Returns
    -------
    Axes; x is the scale, y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.

    Examples
    --------
    >>> import pandas as pd
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"label": ["Oversight"], "level": [1.3], "ci_low": [1.1], "ci_high": [1.5],
    ...                       "required": [2.6], "gap": [-1.3], "hot": [True]})
    >>> [text.get_text() for text in gap_figure(table, words=Words("en")).texts][-4:]
    ['now 1.3', 'required 2.6', 'Oversight', '−1.3']
    """
    require(table, "gap_figure", ["label", "level", "ci_low", "ci_high", "required", "gap", "hot"])
    narrow, size, small = sizes(width)
    longest = max(text_length(text, size, bold=True) for text in table["label"])
    room = width - 60 if narrow else min(longest, width / 3)
    labels = [wrap(text, room, size, bold=True) for text in table["label"]]
    blocks = np.array([len(lines) for lines in labels]) * size * LEADING
    above, below = (blocks + 14, 16.0) if narrow else (np.maximum(16, blocks / 2 + 5),) * 2
    above = above + (size + 2) * (np.arange(len(labels)) == 0)  # where the first row names its marks
    height = (above + below).sum()
    centre = np.cumsum(above + below) - below
    aside = [_gap_said(row, words, 1 if scale == "levels" else 0) for row in table.itertuples()]
    left, right = (8, 56) if narrow else (room + 22, 66)
    right = max([right, *(text_length(said, size, bold=True) + 16 for said, _ in aside)])
    truth = shows_truth(table)
    ax = open_axes(ax, width, height, left=left, right=right, top=3 * small, bottom=2 * small * truth)
    ticks = _ticks(table[["ci_low", "ci_high", "level", "required", *["truth"] * truth]], scale)
    ax.set(xlim=(ticks[0], ticks[-1]), ylim=(height, 0), yticks=centre)
    ax.vlines(ticks, 0, height, colors=PALETTE["line"], lw=1, clip_on=False)
    _scale_words(ax, ticks, words, scale=scale, size=small, narrow=narrow)
    _marks(ax, table, centre)
    _name_marks(ax, table.iloc[0], centre[0], words, scale=scale, size=small)
    side = ax.get_yaxis_transform()
    if truth:
        diamonds(ax, table["truth"].where(table["level"].notna()), centre)
        write(ax, 0, height, [words(PLANTED)], size=small, down=16, right=-left, transform=side)
    for row, y, lines, (said, colour) in zip(table.itertuples(), centre, labels, aside, strict=True):
        up = 13 + (len(lines) - 1) * size * LEADING + (size + 2) * (y == centre[0])
        write(ax, 0, y, lines, size=size, bold=row.hot, right=-left, transform=side,
              down=-up if narrow else to_middle(lines, size))
        write(ax, 1, y, [said], size=size, bold=True, align="right", colour=colour, right=right,
              down=MIDDLE * size, transform=side)
    return ax


def _marks(ax, table, y):
    """Gap, interval, level required and level now, in this order of layers."""
    glow = np.where(table["hot"].to_numpy(dtype=bool), PALETTE["glow"], PALETTE["bar"])
    short = table["required"].where(table["required"] > table["level"], table["level"])  # no bar where it is met
    ax.hlines(y, table["level"], short, colors=glow, lw=6, clip_on=False)
    ax.hlines(y, table["ci_low"], table["ci_high"], colors=PALETTE["tint"], lw=14, clip_on=False)
    ax.vlines(table["required"], y - 9, y + 9, colors=PALETTE["ink"], lw=2.5, clip_on=False)
    dots(ax, table["level"], y, 8)


def _name_marks(ax, row, y, words, *, scale, size):
    """Say on the first row which mark is which; the two names lean away from each other."""
    places = np.array([row["level"], row["required"]], dtype=float)
    if np.isnan(places).any():
        return
    digits = 1 if scale == "levels" else 0
    names = [words("now {level}", level=words.number(places[0], digits)),
             words("required {level}", level=words.number(places[1], digits))]
    first, second = np.argsort(places, kind="stable")
    low, high = ax.get_xlim()
    points = (places - low) / (high - low) * points_of(ax)[0]
    wide = [text_length(name, size, bold=True) for name in names]
    leans = points[first] + 8 > wide[first]
    write(ax, places[first], y, [names[first]], size=size, bold=True, down=-13,
          align="right" if leans else "left", right=8 if leans else -points[first] - 4)
    start = max(points[second] - 8, 0 if leans else wide[first] + 4)
    write(ax, places[second], y, [names[second]], size=size, bold=True, down=-13,
          right=start - points[second])


def _gap_said(row, words, digits):
    if np.isnan(row.level):
        return words("withheld"), PALETTE["soft"]
    if hasattr(row, "note"):
        return row.note, PALETTE["ink"]
    if np.isnan(row.gap):
        return "", PALETTE["soft"]
    if row.gap >= 0:
        return words("met"), PALETTE["soft"]
    return words.signed(row.gap, digits), PALETTE["warm" if row.hot else "ink"]


def _ticks(values, scale):
    if scale == "levels":
        return np.arange(TOP_LEVEL + 1)
    low, high = np.nanmin(values.to_numpy(dtype=float)), np.nanmax(values.to_numpy(dtype=float))
    return np.arange(np.floor(low / 50) * 50, np.ceil(high / 50 + 0.01) * 50 + 1, 50)


def _scale_words(ax, ticks, words, *, scale, size, narrow):
    """Tick numbers and, below them, the names of levels as far as neighbours leave them room."""
    names = [words("none"), words("awareness"), words("working"), words("practitioner"), words("expert")]
    wide = max(text_length(name, size) for name in names) * 1.1 < points_of(ax)[0] / (len(ticks) - 1)
    named = names if wide else [names[0], "", "", "", names[-1]]
    edges = {0: "left", TOP_LEVEL: "right"} if narrow else {}
    pen = {"size": size, "colour": PALETTE["soft"], "transform": ax.get_xaxis_transform()}
    for tick in ticks:
        write(ax, tick, 1, [words.number(tick)], align="center", down=-7 - size * LEADING, **pen)
    for i, name in enumerate(named if scale == "levels" else []):
        align = edges.get(i, "center")
        write(ax, i, 1, [name], align=align, down=-7, right={"left": -4, "right": 4}.get(align, 0), **pen)
