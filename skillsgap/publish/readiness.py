"""The readiness section of a report: pillars against their floors, what would lift one, and both means beside them."""

from functools import partial

from babel.lists import format_list

from skillsgap.publish import figures, pages
from skillsgap.publish.canvas import figure_html
from skillsgap.wording import N_

PILLARS = {
    "proficiency": N_("Workforce proficiency"),
    "infrastructure": N_("Digital infrastructure"),
    "regulation": N_("Regulatory preparedness"),
}
FULL = 99.5  # prints as 100; the axis of scores would go on to 150 from there


def readiness_section(table, words):
    """Pillars of readiness on their intervals, the smallest change that lifts each that is too low, and the means.

    Parameters
    ----------
    table : DataFrame
        Released; as `readiness` of the room estimate gives it.
    words : Words

    Returns
    -------
    Html
    """
    drawn = pillar_table(table, words)
    if drawn.empty:
        return pages.notice(words("AI readiness is withheld: no pillar has indicators."))
    title = _title(drawn, words)
    dek = words("Mean of a pillar’s indicators, from 0, the worst declared value, to 100, the best (dot, on its "
                "interval), and the score required of it, its floor (bar). Intervals show how far the choice of "
                "indicators matters, for both means that of weights too; they contain no sampling error")  # fmt: skip
    draw = partial(figures.gap_figure, drawn, words=words, scale="score")
    said = [*(_lift(row, words) for row in table[table["below"]].itertuples()), _overall(table, words)]
    return pages.section(title, dek, figure_html(draw, alt=title, widths=(660, 350)), " ".join(said))


def pillar_table(table, words):
    """Finished table of the pillars that have indicators, scores out of 100, as `gap_figure` takes it."""
    shown = table[(table["part"] == "pillar") & table["estimate"].notna()].reset_index(drop=True)
    names = {"estimate": "level", "ci_low": "ci_low", "ci_high": "ci_high", "floor": "required"}
    scores = shown[list(names)].astype(float).mul(100).round().clip(upper=FULL).rename(columns=names)
    gap = scores["level"] - scores["required"]
    gap = gap.mask(shown["below"], gap.clip(upper=-1))  # what is below its floor by less than a point is below it
    return scores.assign(label=[words(PILLARS[name]) for name in shown["name"]], gap=gap, hot=shown["below"])


def _title(drawn, words):
    low, floors = drawn[drawn["hot"]], drawn["required"].notna().sum()
    if len(low) == 1:
        return words("“{pillar}” is the pillar below its floor", pillar=low["label"].iloc[0])
    if len(low):
        return words("{pillars} are below their floors", pillars=_listed(low["label"], words))
    if floors == len(PILLARS):
        return words("All three pillars reach their floors")
    if floors:
        return words("No pillar that has a floor is below it")
    scores = [f"{row.label} {words.number(row.level)}" for row in drawn.itertuples()]
    return words("AI readiness out of 100: {scores}", scores=format_list(scores, locale=words.locale))


def _listed(names, words):
    return format_list([f"“{name}”" for name in names], locale=words.locale)


def _lift(row, words):
    pillar, indicator = words(PILLARS[row.name]), words.label("indicator_id", row.lift_indicator)
    if not row.lift_indicator:
        return words("No indicator alone can lift “{pillar}” to its floor.", pillar=pillar)
    low, high = (words.told("{x}", {"x": x}) for x in (row.lift_from, row.lift_to))
    return words("The smallest change of one indicator that lifts “{pillar}” to its floor: “{indicator}” from {low} to "
                 "{high} (owner: {owner}).", pillar=pillar, indicator=indicator, low=low, high=high,
                 owner=row.lift_owner)  # fmt: skip


def _overall(table, words):
    lacking = table[(table["part"] == "pillar") & table["estimate"].isna()]
    if len(lacking):
        pillars = _listed([words(PILLARS[name]) for name in lacking["name"]], words)
        return words("An overall figure is withheld: there are no indicators of {pillars}.", pillars=pillars)
    means = table[table["part"] == "overall"].set_index("name")[["estimate", "ci_low", "ci_high"]].mul(100)
    said = {}
    for name, row in means.map(words.number).iterrows():
        between = words("{low} to {high}", low=row["ci_low"], high=row["ci_high"])
        said[name] = f"{row['estimate']} ({between})"
    return words("With the declared weights the arithmetic mean of the pillars is {arithmetic} of 100, and the "
                 "geometric mean, in which a weak pillar counts more, {geometric}.", **said)  # fmt: skip
