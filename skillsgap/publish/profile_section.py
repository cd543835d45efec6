"""The profiles in a report: how many kinds of staff there are, what each is like, and where it is found."""

from functools import partial

from skillsgap.publish import pages
from skillsgap.publish.canvas import figure_html
from skillsgap.publish.evidence import number_finding, number_table, stability_finding, stability_table
from skillsgap.publish.naming import COLUMNS, group_levels
from skillsgap.publish.portraits import STABLE, profile_descriptions
from skillsgap.publish.profiles import level_table, profile_figure, said_names, share_figure, share_finding, share_table
from skillsgap.publish.spread import spread_figure

MANY = 15  # groups that have a row each; of more, each profile has a picture of all of them
PLACE = "agency_id"  # the groups whose shares a report shows; others stand in the tables


def profile_sections(tables, facts, words):
    """How many profiles and at which levels, a paragraph on each, and their shares by agency.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released tables: profiles, competencies and selection; as far as they are there headcounts and stability.
    facts : Facts
    words : Words

    Returns
    -------
    Html
    """
    shares = tables["profiles"].query("statistic == 'share'").set_index("profile")["estimate"]
    if tables["profiles"]["estimate"].isna().all():
        return pages.notice(words("Profiles are withheld: too few people answered."))
    if len(shares) < 2:
        return pages.join([])  # no kinds of staff to tell of
    names = said_names(tables, words, facts.names)
    title = words("{number} kinds of staff; {share} are “{name}”", number=words.number(len(shares)),
                  share=words.share(shares.max()), name=names[shares.idxmax()])  # fmt: skip
    draw = partial(profile_figure, level_table(tables, words=words, given=facts.names), words=words)
    first = pages.section(title, _shown(tables, facts, words), figure_html(draw, alt=title),
                          _number(tables["selection"], len(shares), facts, words))  # fmt: skip
    made = [first, _portraits(tables, names, facts, words), _places(tables, facts, words)]
    return pages.join([piece for piece in made if piece is not None])


def _shown(tables, facts, words):
    """What the picture shows."""
    if group_levels(tables).columns.name != "item_id":
        return words("Mean level of each profile in each group of competencies; above it the share of staff")
    if facts.frequency:
        return words("How often people of each profile do each thing at work, 1 never to 5 every day; above it the "
                     "share of the population")  # fmt: skip
    return words("Mean answer of each profile to each question, in the codes of the questionnaire; above it the share "
                 "of the population")  # fmt: skip


def _number(selection, used, facts, words):
    """Why so many, and how many starts arrived at the same profiles."""
    told = [number_finding(number_table(selection, words=words), words=words, used=used) + "."]
    told += [words("Of {starts} starts, {reached} of the most promising reached the same best fit.",
                   starts=words.number(facts.starts), reached=words.number(reached))
             for reached in selection.loc[selection["n_profiles"] == used, "starts_reached"]]  # fmt: skip
    return " ".join(told)


def _portraits(tables, names, facts, words):
    """A paragraph on each profile, how clearly people belong to one, and whether other samples would show the same."""
    rest, selection = dict(tables), tables["selection"]
    used = (selection["n_profiles"] == tables["profiles"]["profile"].nunique()) & (selection["n_profiles"] > 1)
    sure = [words("Answers that fit a profile best belong to it with a probability of at least {share} on average.",
                  share=words.percent(min(int(average * 100), 99) / 100))  # "at least": rounded down
            for average in selection.loc[used, "average_posterior"]]  # fmt: skip
    # not in each paragraph what stands once on the page: the agencies, and that a profile is stable
    if "headcounts" in tables:
        rest["headcounts"] = tables["headcounts"][tables["headcounts"]["by"] != PLACE]
    if "stability" in tables:
        again = stability_table(tables["stability"], tables, words=words, given=facts.names)
        sure.append(stability_finding(again, words=words) + ".")
        rest["stability"] = tables["stability"][tables["stability"]["estimate"] < STABLE]
    parts = [(names.get(k, words.number(k)), " ".join(words.say(each["value"], each["values"]) for each in sentences))
             for k, sentences in profile_descriptions(rest).items()]  # fmt: skip
    dek = words("Profiles describe the staff as a whole and type nobody: people have each of them with some "
                "probability")  # fmt: skip
    return pages.section(words("What each kind of staff is like"), dek, pages.foot(parts), " ".join(sure), broad=True)


def _places(tables, facts, words):
    """Shares of the profiles by agency; None where there aren't two."""
    if "headcounts" not in tables or (tables["headcounts"]["by"] == PLACE).sum() == 0:
        return None
    table, column = share_table(tables, PLACE, words=words, given=facts.names), words(COLUMNS[PLACE])
    groups = table["row"].nunique()
    if groups < 2:
        return None
    title = share_finding(table, PLACE, words=words)
    if table["value"].isna().all():
        return pages.notice(f"{title}.")
    many = groups > MANY
    dek = words("Share of each profile among the staff of each of {all} {column}, from the lowest to the highest; from "
                "the register and a model of the answers, which moves small groups towards the others" if many else
                "Share of each profile among the staff of each of {all} {column}, in alphabetical order; from the "
                "register and a model of the answers, which moves small groups towards the others",
                all=words.number(groups), column=column)  # fmt: skip
    draw = partial(spread_figure if many else share_figure, table, words=words)
    figure = figure_html(draw, alt=title, widths=(1028, 660, 350) if many else (660, 350))
    hidden = table.loc[table["value"].isna(), "row"].nunique()
    few = words("{few} of {all} {column} are withheld: too few people in one of the profiles.", column=column,
                few=words.number(hidden), all=words.number(groups))  # fmt: skip
    return pages.section(title, dek, figure, few if hidden else "", broad=many)
