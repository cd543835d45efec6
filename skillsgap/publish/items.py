"""Picture of the questions that work otherwise in one group than in another, and are left out of its comparison."""

import numpy as np
import pandas as pd
from babel.lists import format_list

from skillsgap.estimate.measures.dif import LARGE, MODERATE
from skillsgap.publish.canvas import LEADING, PALETTE, open_axes, require, sizes, wrap, write
from skillsgap.publish.naming import COLUMNS
from skillsgap.publish.rows import draw_key, lay_key, mark
from skillsgap.wording import N_

STRIP, MARGIN = 56.0, 14.0  # points: height of a compared column, and what is kept free at the left


def items_table(dif, *, words):
    """How differently each item works between the groups of each compared column, as `items_figure` draws it.

    Parameters
    ----------
    dif : DataFrame or None
        As `differential_functioning` gives it.
    words : Words

    Returns
    -------
    DataFrame of by, column, item_id, delta_r2, flag, dropped, said
        A row an item and column; `said` tells in words which group answers a dropped item higher or lower: of several
        groups the one that is furthest off. Items that could not be examined are left out.
    """
    columns = ["by", "column", "item_id", "delta_r2", "flag", "dropped", "said"]
    if dif is None or dif["delta_r2"].isna().all():
        return pd.DataFrame(columns=columns)
    known = dif[dif["delta_r2"].notna() & dif["estimate"].notna()]
    far = known.assign(size=known["estimate"].abs()).sort_values(["size", "category"], ascending=[False, True])
    table = far.drop_duplicates(["by", "item_id"]).sort_values(["by", "delta_r2", "item_id"],
                                                               ascending=[True, False, True])  # fmt: skip
    said = [_direction(row, words) if row.dropped else "" for row in table.itertuples()]
    table = table.assign(column=[words(COLUMNS.get(by, by)) for by in table["by"]], said=said)
    return table[columns].reset_index(drop=True)


def _direction(row, words):
    higher = N_("{item}: answered higher in the group “{category}” than in “{reference}” at the same level")
    lower = N_("{item}: answered lower in the group “{category}” than in “{reference}” at the same level")
    names = {name: _named(row.by, code, words) for name, code in
             (("category", row.category), ("reference", row.reference))}  # fmt: skip
    item = words.label("item_id", row.item_id)
    item = row.item_id if item == row.item_id else f"{row.item_id}, {item}"
    return words(higher if row.estimate > 0 else lower, item=item.rstrip("?.: "), **names)


def _named(column, code, words):
    """Name of a group; a language that params don't name is called as the report language calls it."""
    name = words.label(column, code)
    return words.locale.languages.get(code, code) if name == code and column.endswith("language") else name


def items_finding(table, *, words):
    """How many items work otherwise between which groups, and what is done about it.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"by": "sex", "column": "sexes", "item_id": ["a", "b"], "dropped": [True, False]})
    >>> items_finding(table, words=Words("en"))
    'Left out when sexes are compared, because they work differently between them: 1 of 2 questions'
    """
    if table.empty:
        return words("No question could be compared: there are no groups large enough, or no anchored questions")
    out, all_ = table[table["dropped"]], words.number(table["item_id"].nunique())
    if out.empty:
        return words("None of {all} questions works so differently between groups that a comparison leaves it out",
                     all=all_)  # fmt: skip
    columns = format_list(list(dict.fromkeys(out["column"])), locale=words.locale)
    return words("Left out when {groups} are compared, because they work differently between them: {few} of {all} "
                 "questions", few=words.number(out["item_id"].nunique()), all=all_, groups=columns)  # fmt: skip


def items_figure(table, ax=None, *, words, width=660):
    """How differently every item works between groups: a dot an item, a strip a compared column, the flagged named.

    Parameters
    ----------
    table : DataFrame with columns column, delta_r2, dropped, said
        As `items_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x is ΔR² (Nagelkerke), y runs down in points.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "items_figure", ["column", "delta_r2", "dropped", "said"])
    _, size, small = sizes(width)
    last = max(table["delta_r2"].max() * 1.05, LARGE * 1.3)
    strips, high = [], 0.0
    for column, items in table.groupby("column", sort=False):
        lines = [line for text in items.loc[items["dropped"], "said"] for line in wrap(text, width - 30, small)]
        strips.append((column, items, lines, high))
        high += STRIP + len(lines) * small * LEADING + 6 * bool(lines)
    key = [("hair", words("a question")), ("warm", words("a question left out of the comparison"))]
    placed, deep = lay_key(key, width, small)
    ax = open_axes(ax, width, high, left=MARGIN, right=16, top=deep + 20, bottom=42)
    ax.set(xlim=(0, last), ylim=(high, 0))
    draw_key(ax, key, placed, size=small, left=MARGIN, top=deep + 20)
    for x, name in ((MODERATE, words("moderate")), (LARGE, words("large"))):
        write(ax, x, 0, [f"{name} {words.number(x, 3)}"], size=small, align="center", colour=PALETTE["warm"])
    for column, items, lines, start in strips:
        _strip(ax, column, items, start, size=size, last=last)
        write(ax, 0, start + STRIP, lines, size=small, down=small)
    for tick in np.arange(0, last, 0.02):
        write(ax, tick, high, [words.number(tick, 2)], size=small, align="center", colour=PALETTE["soft"], down=14)
    said = wrap(words("ΔR²: what the group adds to explaining the answer, at the same level"), width - 16, small)
    write(ax, 0, high, said, size=small, colour=PALETTE["soft"], down=29, right=-MARGIN)
    return ax


def _strip(ax, column, items, start, *, size, last):
    """A line for each question of one compared column, and a dot for each that is left out."""
    floor = start + STRIP - 6
    ax.hlines(floor, 0, last, colors=PALETTE["bar"], lw=1, clip_on=False)
    ax.vlines([MODERATE, LARGE], start + 8, floor, colors=PALETTE["warm"], lw=1.2, ls=(0, (3, 2)), clip_on=False)
    write(ax, 0, start, [column], size=size, bold=True, down=24, right=-MARGIN)
    values, out = items["delta_r2"].to_numpy(dtype=float), items["dropped"].to_numpy(dtype=bool)
    mark(ax, values[~out], np.full((~out).sum(), floor - 8), "hair")
    mark(ax, values[out], np.full(out.sum(), floor - 8), "warm")
