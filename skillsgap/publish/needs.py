"""Which groups need most: the table and the section of a split, in three tiers and never as a ranking."""

from functools import partial

import numpy as np

from skillsgap.publish import figures, pages
from skillsgap.publish.canvas import figure_html
from skillsgap.publish.naming import COLUMNS

MANY = 12  # groups that stand in a column beside the plan; more of them take the whole width of a page


def needs_table(needs, words):
    """Finished table of need by group: tier, label, estimate, ci_low, ci_high, sorted by order and label.

    Groups in no tier, whose answers are too few for one, come last; `order` is 0 for those most in need, 3 for these.
    """
    tiers = [words("Most in need"), words("In between"), words("Least in need"), words("Too few answers to say")]
    order = needs["tier"].map({"most": 0, "between": 1, "least": 2}).fillna(3).astype(np.int64)
    labels = [words.label(by, code) for by, code in zip(needs["by"], needs["group"], strict=True)]
    table = needs.assign(order=order, label=labels, tier=[tiers[place] for place in order])
    table = table.sort_values("label", key=words.alphabet).sort_values("order", kind="stable")
    return table.round(4).reset_index(drop=True)


def needs_section(needs, words):
    """How many groups of a split need clearly more than the rest, and the need of each; returns Html.

    Parameters
    ----------
    needs : DataFrame
        Released needs of one split; `tier` is empty where too few answered.
    words : Words
    """
    table, by = needs_table(needs, words), needs["by"].iloc[0]
    most, told = int((table["order"] == 0).sum()), int((table["order"] < 3).sum())
    column, many = words(COLUMNS.get(by, by)), len(table) > MANY
    if told < 2:
        title = words("Too few answered to say which {column} need most", column=column)
    elif most:
        title = words("{most} of {all} {column} need clearly more than the rest", most=words.number(most),
                      all=words.number(told), column=column)  # fmt: skip
    else:
        title = words("Need differs more within {column} than between them", column=column)
    dek = words("Mean shortfall in levels over all competencies, weighted by importance, with its interval; "
                "groups and no ranking: within a group the order is the alphabet’s")  # fmt: skip
    draw = partial(figures.needs_figure, table, words=words)
    figure = figure_html(draw, alt=title, widths=(1028, 660, 350) if many else (660, 350))
    return pages.section(title, dek, figure, broad=many)
