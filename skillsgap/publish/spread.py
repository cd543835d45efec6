"""Picture of where each profile is found, when there are too many groups for a row each."""

import numpy as np

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    PLANTED,
    diamonds,
    open_axes,
    require,
    shows_truth,
    sizes,
    wrap,
    write,
)
from skillsgap.wording import N_

PLOT, PANEL = 92.0, 320.0  # points: height of the lines of a panel, and the width that a panel asks for
GUTTER, AXIS = 26.0, 40.0  # points: between panels, and at the left of one for the numbers of its axis


def spread_figure(table, ax=None, *, words, width=660):
    """Share of every profile in every group of staff, lowest to highest, with its interval; the clear extremes named.

    Parameters
    ----------
    table : DataFrame with columns profile, share, row, value, low, high, clear
        As `share_table` gives it, of any number of groups; `truth`, where it is known, is a diamond.
    ax, words, width : as in `gap_figure`
        A panel a profile, as many beside each other as find room.

    Returns
    -------
    Axes; x and y are points, y runs down. All panels share one scale.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "spread_figure", ["profile", "share", "row", "value", "low", "high", "clear"])
    _, size, small = sizes(width)
    panels = [_panel(name, groups, words) for name, groups in table.groupby("profile", sort=False)]
    columns = min(max(1, round(width / PANEL)), len(panels))
    across = (width + GUTTER) / columns
    room = across - GUTTER
    top = max(0.2, np.ceil(np.fmax.reduce(table[["high", "share"]].to_numpy(dtype=float), axis=None) * 10) / 10)
    key = words("A line a group: its share (dot) and the 95% interval; filled where that lies above or below the share "
                "among all staff, the dashed line")  # fmt: skip
    said = [*wrap(key, width, small), *[words(PLANTED)] * shows_truth(table)]
    y, places = 0.0, []
    for start in range(0, len(panels), columns):
        row = [(panel, [wrap(text, room, size if i == 0 else small, bold=i == 0) for i, text in enumerate(panel[1])])
               for panel in panels[start:start + columns]]  # fmt: skip
        heads = max(len(lines[0]) for _, lines in row) * size * LEADING
        tails = max(sum(map(len, lines[1:])) for _, lines in row) * small * LEADING
        places += [(i * across, y, heads, panel, lines) for i, (panel, lines) in enumerate(row)]
        y += heads + PLOT + tails + 52
    ax = open_axes(ax, width, y, bottom=len(said) * small * LEADING + 4)
    ax.set(xlim=(0, width), ylim=(y, 0))
    for x, start, heads, (groups, _), lines in places:
        write(ax, x, start + size, lines[0], size=size, bold=True)
        _lines(ax, groups, x + AXIS, start + heads + 8, room - AXIS, top=top, words=words, size=small)
        write(ax, x, start + heads + PLOT + 30, [line for text in lines[1:] for line in text], size=small)
    write(ax, 0, y, said, size=small, colour=PALETTE["soft"])
    return ax


def _panel(name, groups, words):
    """Groups of a profile from its lowest share to its highest, its name, and a line each on the clear extremes."""
    groups = groups.dropna(subset="value").sort_values(["value", "high", "low", "row"])
    texts = [name]
    for sign, said in ((1, N_("most: {group}, {share} ({low} to {high})")),
                       (-1, N_("least: {group}, {share} ({low} to {high})"))):  # fmt: skip
        clear = groups[groups["clear"] == sign]
        if len(clear):
            one = clear.iloc[-1 if sign > 0 else 0]
            texts.append(words(said, group=one["row"], share=words.share(one["value"]), low=words.share(one["low"]),
                               high=words.share(one["high"])))  # fmt: skip
    return groups, texts if len(texts) > 1 else [*texts, words("nowhere clearly more or less common")]


def _lines(ax, groups, left, top_y, room, *, top, words, size):
    """Axis, the share among all staff, and an upright interval with a dot for each group."""
    floor = top_y + PLOT

    def at(share):
        return floor - np.asarray(share, dtype=float) / top * PLOT

    for tick in np.arange(0, top + 1e-9, 0.1 if top <= 0.3 else 0.2):
        ax.hlines(at(tick), left, left + room, colors=PALETTE["line"], lw=1, clip_on=False)
        write(ax, left - 6, at(tick), [words.percent(tick)], size=size, align="right", down=MIDDLE * size,
              colour=PALETTE["soft"])  # fmt: skip
    if groups.empty:
        write(ax, left + 8, at(top / 2), [words("withheld")], size=size, colour=PALETTE["soft"])
        return
    whole = groups["share"].iloc[0]
    step = min(room / len(groups), 26.0)
    x = left + step * (np.arange(len(groups)) + 0.5)
    ax.vlines(x, at(groups["low"]), at(groups["high"]), colors=PALETTE["tint"], lw=min(step * 0.6, 7), clip_on=False)
    ax.hlines(at(whole), left, left + room, colors=PALETTE["ink"], lw=1.2, ls=(0, (4, 2)), clip_on=False)
    clear, y = groups["clear"].to_numpy() != 0, at(groups["value"])
    pen = {"linestyle": "none", "marker": "o", "ms": min(max(step * 0.7, 3.4), 7), "clip_on": False}
    ax.plot(x[~clear], y[~clear], mfc=PALETTE["paper"], mec=PALETTE["blue"], mew=1.1, **pen)
    ax.plot(x[clear], y[clear], mfc=PALETTE["blue"], mec=PALETTE["blue"], mew=1.1, **pen)
    if shows_truth(groups):
        diamonds(ax, x, at(groups["truth"]), pen["ms"] * 0.7)
