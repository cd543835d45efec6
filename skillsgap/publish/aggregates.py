"""Sections of a report on published figures: values by group, distance to what is required, and their sources."""

from functools import partial

import pandas as pd

from skillsgap.publish import figures, pages
from skillsgap.publish.canvas import figure_html
from skillsgap.publish.gates import table_name
from skillsgap.publish.naming import column_name

SHOWN = 12  # competencies of a picture; the others stand in the tables
SPLIT = 4  # competencies of a picture that shows groups
GROUPS = 24  # groups that a picture shows


def published_sections(tables, facts, words):
    """A section for all, one a split, and one on requirements where there are some.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released tables; means has by, group, variable, estimate, ci_low, ci_high, withheld.
    facts : Facts
    words : Words

    Returns
    -------
    Html
    """
    means = tables["means"]
    order = [name for name in tables["competencies"]["competency_id"] if name in set(means["variable"])]
    made = [_required(tables, words)] if "gaps" in tables and "gaps" not in facts.stopped else []
    made += [_section(means[means["by"] == by], by, order, facts, words) for by in ("all", *facts.by)]
    return pages.join([piece for piece in made if piece is not None])


def _section(means, by, order, facts, words):
    if means.empty:
        return None
    column = words("everybody asked") if by == "all" else words.say("{column}", {"column": column_name(by)})
    if means["withheld"].all():
        return pages.notice(words("Figures by {column} are withheld: each rests on fewer than {threshold} respondents.",
                                  column=column, threshold=words.number(facts.threshold)))  # fmt: skip
    if by != "all" and means["group"].nunique() > GROUPS:
        return pages.notice(words("{n} {column}: too many to show; their figures stand in the tables.", column=column,
                                  n=words.number(means["group"].nunique())))  # fmt: skip
    shown = [name for name in order if name in set(means["variable"])][: SHOWN if by == "all" else SPLIT]
    means = means[means["variable"].isin(shown)]
    means = means.assign(variable=pd.Categorical(means["variable"], shown)).sort_values(["variable", "group"])
    table = value_table(means, by, words)
    title = _all_title(table, facts, words) if by == "all" else _split_title(table, column, facts, words)
    dek = words(
        "Published value (dot), on its interval where one was published; {shown} of {all} competencies, in their own "
        "order; groups in the order of the alphabet, which is no ranking",
        shown=words.number(len(shown)),
        all=words.number(len(order)),
    )
    draw = partial(figures.needs_figure, table, words=words, scale=facts.scale)
    return pages.section(title, dek, figure_html(draw, alt=title, widths=(660, 350)))


def value_table(means, by, words):
    """Finished table of published values: tier, label, estimate, ci_low, ci_high.

    For all, a row is a competency; in a split each competency is a tier, and a row is a group.
    """
    names = [words.label("competency_id", code) for code in means["variable"]]
    groups = [words.label(by, code) for code in means["group"]]
    numbers = means.filter(["estimate", "ci_low", "ci_high", "truth"]).astype(float).reset_index(drop=True)
    if by == "all":
        return numbers.assign(tier=words("As published"), label=names)
    order = [words.label("competency_id", code) for code in dict.fromkeys(means["variable"])]
    table = numbers.assign(tier=pd.Categorical(names, order, ordered=True), label=groups)
    table = table.sort_values("label", key=words.alphabet).sort_values("tier", kind="stable", ignore_index=True)
    return table.astype({"tier": str})


def _all_title(table, facts, words):
    known = table.dropna(subset=["estimate"])
    if len(known) == 1:
        return words("“{competency}” stands at {level}", competency=known["label"].iloc[0],
                     level=_said(known["estimate"].iloc[0], facts, words))  # fmt: skip
    return words("Published values run from {low} to {high}", low=_said(known["estimate"].min(), facts, words),
                 high=_said(known["estimate"].max(), facts, words))  # fmt: skip


def _split_title(table, column, facts, words):
    """The competency in which the groups lie furthest apart, the first in order where several do."""
    spans = table.groupby("tier", sort=False)["estimate"].agg(["min", "max"])
    widest = (spans["max"] - spans["min"]).round(4).idxmax()
    return words("By {column}, “{competency}” runs from {low} to {high}", column=column, competency=widest,
                 low=_said(spans.loc[widest, "min"], facts, words),
                 high=_said(spans.loc[widest, "max"], facts, words))  # fmt: skip


def _said(x, facts, words):
    return words.share(x) if facts.scale == "share" else words.number(x, 0 if facts.scale == "score" else 1)


def required_table(gaps, words):
    """Finished table of the published means furthest below what is required, as `gap_figure` takes it."""
    keys = ["by", "group", "competency_id"]
    wide = gaps.pivot_table(index=keys, columns="statistic", values="estimate", dropna=False, observed=True)
    wide = wide.reindex(columns=["level", "required"]).dropna()
    level = gaps[gaps["statistic"] == "level"].set_index(keys).filter(["ci_low", "ci_high", "truth"]).astype(float)
    table = wide.join(level).round(2).assign(gap=lambda t: t["level"] - t["required"], hot=False).reset_index()
    table = table.sort_values(["gap", *keys], ignore_index=True).head(SHOWN)
    names = [words.label("competency_id", code) for code in table["competency_id"]]
    groups = ["" if by == "all" else f"{words.label(by, code)}: "
              for by, code in zip(table["by"], table["group"], strict=True)]  # fmt: skip
    return table.assign(label=[group + name for group, name in zip(groups, names, strict=True)])


def _required(tables, words):
    table = required_table(tables["gaps"], words)
    if table.empty:
        return None
    first = table.iloc[0]
    title = words("“{competency}” stands at {level} where {required} is required", competency=first["label"],
                  level=words.number(first["level"], 1), required=words.number(first["required"], 1))  # fmt: skip
    dek = words("Published mean (dot, on its interval where one was published) and level required (bar); at the right "
                "the difference. A mean may meet a requirement that many people do not; the {shown} furthest below",
                shown=words.number(len(table)))  # fmt: skip
    draw = partial(figures.gap_figure, table, words=words)
    return pages.section(title, dek, figure_html(draw, alt=title, widths=(660, 350)))


def source_section(sources, words):
    """Where the figures are from: a row a table; None where nothing is known.

    Parameters
    ----------
    sources : sequence of dict
        Keys table, source, rows, as_of.
    words : Words
    """
    if not sources:
        return None
    rows = pd.DataFrame({
        "table": [words.say("{table}", {"table": table_name(one["table"])}) for one in sources],
        "source": [one["source"] for one in sources],
        "rows": [words.number(one["rows"]) for one in sources],
        "as_of": [one["as_of"] or "–" for one in sources],
    })  # fmt: skip
    columns = {"table": words("Table"), "source": words("Source"), "rows": words("Rows"), "as_of": words("As of")}
    dek = words("What was given for this report; nothing else is known of the people behind it")
    return pages.section(words("Where the figures are from"), dek, pages.table(rows, columns, numeric=["rows"]))
