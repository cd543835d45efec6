"""Pictures of the profiles: their levels in every group of competencies, and where they are found."""

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from skillsgap.publish.canvas import (
    LEADING,
    MIDDLE,
    PALETTE,
    PLANTED,
    TOP_LEVEL,
    diamonds,
    open_axes,
    require,
    shows_truth,
    sizes,
    text_length,
    to_middle,
    wrap,
    write,
)
from skillsgap.publish.naming import COLUMNS, group_levels, profile_names
from skillsgap.publish.portraits import group_shares
from skillsgap.wording import LOW_SHARE

# One hue, light enough at its top for dark digits in every cell, on paper and on a dark page alike.
HEAT = LinearSegmentedColormap.from_list("level", ["#f1f7fa", "#5597b8"])
CELL_INK, CELL_RIM = "#101c26", "#fdfefe"
THIN = 6  # profiles beyond which a cell on a phone has no room for a sign of per cent
RANKED = ("grade", "role_level", "age_band", "admin_level")  # columns whose codes have an order; others: the alphabet


def said_names(tables, words, given=None):
    """Names of the profiles in the report language, by number."""
    return {k: words.say(name["value"], name["values"]) for k, name in profile_names(tables, given).items()}


def level_table(tables, *, words, detail="group", given=None):
    """Level of each profile in every group of competencies or in every competency, as `profile_figure` draws it.

    Parameters
    ----------
    tables : dict of str to DataFrame
        profiles and competencies, released or as the stages give them; with `truth` its planted counterpart.
    words : Words
    detail : {"group", "competency"}
        Of a group the interval is the widest that its competencies' intervals allow.
    given : sequence, optional
        Names of params.

    Returns
    -------
    DataFrame of profile, share, ci_low, ci_high, competency, level, level_low, level_high
        A row a profile and group; also truth and truth_share where they are known.
    """
    names, source = said_names(tables, words, given), tables["profiles"]
    if detail == "competency":
        codes = tables["competencies"]["competency_id"]
        whole = tables | {"competencies": pd.DataFrame({"competency_id": codes, "group": codes})}
        column = "competency_id"
    else:
        whole, column = tables, group_levels(tables).columns.name
    columns = {"estimate": "level", "ci_low": "level_low", "ci_high": "level_high", "truth": "truth"}
    wide = {name: group_levels(whole, code) for code, name in columns.items() if code in source}
    table = pd.concat({name: values.stack() for name, values in wide.items()}, axis=1).reset_index()
    table = table.rename(columns={table.columns[1]: "code"})
    shares = source.query("statistic == 'share'").set_index("profile")
    shares = shares.rename(columns={"estimate": "share", "truth": "truth_share"})
    table = table.join(shares[[name for name in ("share", "ci_low", "ci_high", "truth_share") if name in shares]],
                       on="profile")  # fmt: skip
    order = table["code"].map({code: place for place, code in enumerate(wide["level"].columns)})
    table = table.assign(order=order).sort_values(["profile", "order"]).drop(columns="order")
    table.insert(0, "competency", [words.label(column, code) for code in table.pop("code")])
    return table.assign(profile=table["profile"].map(names)).round(2).reset_index(drop=True)


def profile_figure(table, ax=None, *, words, width=660):
    """Mean level of each profile in each competency with its interval, and the share of staff in each profile.

    Parameters
    ----------
    table : DataFrame with columns profile, share, ci_low, ci_high, competency, level
        One row a profile and competency (or group of them), in the order to be drawn; `share`, a fraction,
        and its interval repeat in each row of a profile. Names are labels. A missing level leaves a dash.
        With level_low and level_high each cell has the interval on its own scale from 0 to 4 (or as far as
        answers go). With an optional column `truth`, what was planted in a fictional country, each cell has the
        planted level too; `truth_share`, a fraction, is that of the profile.
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
    highest = np.fmax.reduce(table.filter(regex="^level|^truth$").to_numpy(dtype=float), axis=None)
    top = 1 if highest <= 1 else max(TOP_LEVEL, np.ceil(highest))
    note = words("In each cell the level, and its 95% interval on a line from 0 to {top}", top=words.number(top))
    columns = {"competency": "row", "level": "value", "level_low": "low", "level_high": "high"}
    return _matrix(table.rename(columns=columns), ax, words=words, width=width, top=top,
                   say=lambda x: words.number(x, 1), note=note if "level_low" in table else "")  # fmt: skip


def share_table(tables, by, *, words, given=None):
    """Share of each profile in each group of staff, as `share_figure` and `spread_figure` draw it.

    Parameters
    ----------
    tables : dict of str to DataFrame
        profiles, competencies and headcounts, released or as the stages give them.
    by : str
        Column of the head-counts, such as agency_id or grade.
    words : Words
    given : sequence, optional
        Names of params.

    Returns
    -------
    DataFrame of profile, share, ci_low, ci_high, row, value, low, high, clear, and truth where it is known
        `share` and its interval are those of the profile among all staff, `value`, `low` and `high` those in the
        group `row`. Grades stand in the order of their codes, agencies in that of the alphabet.
    """
    names, counts = said_names(tables, words, given), tables["headcounts"]
    table = group_shares(counts, by).rename(columns={"share": "value", "ci_low": "low", "ci_high": "high"})
    shares = tables["profiles"].query("statistic == 'share'").set_index("profile")
    shares = shares[["estimate", "ci_low", "ci_high"]].rename(columns={"estimate": "share"})
    table["row"] = [words.label(by, code) for code in table["group"]]
    table = table[table["profile"].isin(list(names))].join(shares, on="profile").drop(columns="whole")
    if by not in RANKED:
        table = table.sort_values("row", key=words.alphabet, kind="stable")
    table = table.sort_values("profile", kind="stable").assign(profile=lambda t: t["profile"].map(names))
    return table.drop(columns="group").round(3).reset_index(drop=True)


def share_finding(table, by, *, words):
    """The largest clear difference between groups in how common a profile is.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> table = pd.DataFrame({"profile": "ahead", "row": ["Tax", "Roads"], "value": [0.4, 0.1], "low": [0.35, 0.06],
    ...                       "high": [0.45, 0.15]})
    >>> share_finding(table, "agency_id", words=Words("en"))
    '“ahead”: 40% of staff in Tax, 10% in Roads'
    """
    column = words(COLUMNS.get(by, by))
    if table["value"].isna().all():
        return words("Shares of profiles by {column} are withheld: too few people", column=column)
    best, found = 0.0, None
    for profile, groups in table.dropna(subset="value").groupby("profile", sort=False):
        groups = groups.sort_values(["value", "high", "low"])  # of shares coded alike the same one in each language
        high, low = groups.iloc[-1], groups.iloc[0]
        if high["low"] > low["high"] and high["value"] - low["value"] > best:
            best, found = high["value"] - low["value"], (profile, high, low)
    if found is None:
        return words("No profile is clearly more common in one of the {column} than in another", column=column)
    profile, high, low = found
    return words("“{name}”: {high} of staff in {most}, {low} in {least}", name=profile, high=words.share(high["value"]),
                 low=words.share(low["value"]), most=high["row"], least=low["row"])  # fmt: skip


def share_figure(table, ax=None, *, words, width=660):
    """Share of every profile in every group of staff with its interval, beside its share of all; for a few groups.

    Parameters
    ----------
    table : DataFrame with columns profile, share, ci_low, ci_high, row, value, low, high, clear
        As `share_table` gives it.
    ax, words, width : as in `gap_figure`

    Returns
    -------
    Axes; x and y are points, y runs down.

    Raises
    ------
    SkillsgapError
        If the table lacks a column or has no row.
    """
    require(table, "share_figure", ["profile", "share", "ci_low", "ci_high", "row", "value", "low", "high", "clear"])
    highest = np.fmax.reduce(table[["high", "share"]].to_numpy(dtype=float), axis=None)
    top = max(0.2, np.ceil(highest * 10) / 10)
    note = words("In each cell the share, and its 95% interval on a line from 0% to {top}; the tick is the share among "
                 "all staff. Bold: clearly above or below it", top=words.percent(top))  # fmt: skip

    thin = sizes(width)[0] and table["profile"].nunique() > THIN  # the note below has the sign of per cent

    def say(x):
        text = words.number(max(x, LOW_SHARE) * 100) if thin else words.percent(max(x, LOW_SHARE))
        return f"<{text}" if x <= LOW_SHARE else text

    return _matrix(table, ax, words=words, width=width, top=top, say=say, note=note, tick=True)


def _matrix(table, ax, *, words, width, top, say, note, tick=False):
    """A column a profile, under its name and share, and a row a thing: a value in each cell, and its interval."""
    narrow, _, size = sizes(width)
    profiles, rows = table.drop_duplicates("profile"), list(dict.fromkeys(table["row"]))
    left = (0.42 if narrow else 0.3) * width
    step = min((width - left) / len(profiles), 130)
    labels = [wrap(text, left - 12, size) for text in rows]
    truth, bars = shows_truth(table), "low" in table
    least = 30 + 8 * (bars or truth) + 14 * (bars and truth)
    heights = np.array([max(least, len(lines) * size * LEADING + 8) for lines in labels])
    longest = max(text_length(word, size, bold=True) for name in profiles["profile"] for word in name.split())
    arrange = _column_heads if max(longest, 76) <= step else _numbered_heads
    heads, deep = arrange(profiles, words, left=left, step=step, width=width, size=size)
    said = wrap(note, width, size) if note else []
    said += [words(PLANTED)] * truth
    height = deep + heights.sum()
    ax = open_axes(ax, width, height, bottom=len(said) * size * LEADING + 12 * bool(said))
    ax.set(xlim=(0, width), ylim=(height, 0))
    for x, y, lines, bold, align in heads:
        write(ax, x, y, lines, size=size, bold=bold, align=align)
    for name, lines, tall, y in zip(rows, labels, heights, deep + np.cumsum(heights) - heights, strict=True):
        write(ax, 0, y + tall / 2, lines, size=size, down=to_middle(lines, size))
        row = table[table["row"] == name].set_index("profile").reindex(profiles["profile"])
        for i, cell in enumerate(row.itertuples()):
            _cell(ax, cell, left + i * step, y, step, tall, top=top, say=say, size=size, bars=bars,
                  tick=profiles["share"].iloc[i] if tick else np.nan)  # fmt: skip
    write(ax, 0, height, said, size=size, down=16)
    return ax


def _cell(ax, cell, x, y, step, height, *, top, say, size, bars, tick):
    """A value, what was planted where that is known, and below them the interval on a line of its own."""
    known, truth = not np.isnan(cell.value), getattr(cell, "truth", np.nan)
    fill = to_hex(HEAT(cell.value / top)) if known else PALETTE["wash"]
    ax.add_patch(Rectangle((x + 1, y + 1), step - 2, height - 2, facecolor=fill, lw=0, clip_on=False))
    said = [say(cell.value) if known else "–"]
    planted = [] if np.isnan(truth) or not known else [f"◇{say(truth)}"]
    if planted and text_length(*planted, size) <= step - 2:
        said += planted
    middle = y + height / 2 - 6 * (bars and known)
    for i, text in enumerate(said):
        write(ax, x + step / 2, middle + (i - (len(said) - 1) / 2) * size * LEADING, [text], size=size, align="center",
              bold=bool(getattr(cell, "clear", 0)) and i == 0, colour=CELL_INK if known else PALETTE["soft"],
              down=MIDDLE * size)  # fmt: skip
    if not (bars and known):
        return
    line, start, room = y + height - 10, x + 5, step - 10
    at = start + room * np.clip(np.array([cell.value, cell.low, cell.high, tick, truth]) / top, 0, 1)
    ax.hlines(line, start, start + room, colors=CELL_INK, lw=0.6, clip_on=False)
    ax.hlines(line, at[1], at[2], colors=CELL_INK, lw=4, clip_on=False)
    ax.vlines(at[3], line - 6, line + 6, colors=CELL_INK, lw=1, clip_on=False)
    ax.plot(at[0], line, "o", ms=3.4, color=CELL_RIM, mec=CELL_INK, mew=0.8, clip_on=False)
    if planted and len(said) == 1:  # no room for the number
        diamonds(ax, at[4:], [line - 1], 4)


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
