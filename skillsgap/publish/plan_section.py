"""The plan in a report: what the money buys, who learns where, what rules cost, and how sure it is."""

from functools import partial

import numpy as np
import pandas as pd
from babel.lists import format_list

from skillsgap.contracts import TIERS
from skillsgap.publish import pages
from skillsgap.publish.canvas import figure_html
from skillsgap.publish.plan_figures import frontier_figure, kept_figure, price_figure, tier_figure
from skillsgap.publish.plan_words import (
    KINDS,
    amount,
    conflict_messages,
    counts_people,
    family_name,
    plan_facts,
    rule_name,
    unit_of,
)
from skillsgap.wording import N_

AGENCIES = 15  # agencies with a row each; of more those with most seats
OPTIONS = 8  # options whose stability is shown, those with most people
# by sense and unit of a limit that binds: what one unit of leeway is
NOTHING = 0.05  # percent of the shortfall: what costs less prints as nothing
TOLD = 0.15  # percent by which a price may be larger before that is told
LEEWAY = {
    ("at most", "seats"): N_("{rule}: full; one more seat would be worth {money}."),
    ("at most", "people"): N_("{rule}: at the limit of {limit}; one more person would be worth {money}."),
    ("at most", "hours"): N_("{rule}: at the limit of {limit}; one more hour would be worth {money}."),
    ("at least", "seats"): N_("{rule}: just met; one seat less would be worth {money}."),
    ("at least", "people"): N_("{rule}: just met with {limit}; one person less would be worth {money}."),
    ("at least", "hours"): N_("{rule}: just met with {limit}; one hour less would be worth {money}."),
}


def frontier_table(tables):
    """Finished table of budgets at which a plan keeps all rules: budget, best, common, ratio, chosen, enough, interval.

    `common` is largest gap first, `ratio` most gap per money first, both brought to keep the rules; ci_low and ci_high
    are known at the chosen budget. Without rules that cost money it begins with no money at all.
    """
    facts, curve = plan_facts(tables), tables["frontier"]
    curve = curve[curve["feasible"].astype(bool)] if "feasible" in curve else curve
    chosen = np.isclose(curve["budget"], facts["budget"])
    table = pd.DataFrame({
        "budget": curve["budget"], "best": np.where(chosen, facts["closed_share"], curve["closed_share"]),
        "common": curve["gap_first_share"], "ratio": curve["ratio_first_share"], "chosen": chosen,
        "enough": curve["enough"].astype(bool),
        "ci_low": np.where(chosen, facts["ci_low"], np.nan), "ci_high": np.where(chosen, facts["ci_high"], np.nan),
    })  # fmt: skip
    return table.sort_values("budget", ignore_index=True)


def tier_table(tables, words, *, shown=AGENCIES):
    """Finished table of seats by agency and tier: label, tier, seats; agencies with most seats, by the alphabet."""
    table = tables["plan_tiers"]
    largest = table.groupby("agency_id")["seats"].sum().sort_values(ascending=False, kind="stable").index[:shown]
    empty = (table["seats"] == 0).groupby(table["tier"]).transform("all")
    table = table[table["agency_id"].isin(largest) & ~empty & (table["tier"] != "")]
    table = table.assign(label=[words.label("agency_id", code) for code in table["agency_id"]])
    order = table["tier"].map({tier: i for i, tier in enumerate(_tiers(table["tier"]))})
    table = table.assign(order=order).sort_values("order").sort_values("label", key=words.alphabet, kind="stable")
    return table.assign(tier=[_tier(tier, words) for tier in table["tier"]])[["label", "tier", "seats"]]


def price_table(tables, words):
    """Finished table of what rules cost: family, label, percent of the shortfall, most, enforced; the dearest first.

    `most` is what the price is proved not to pass, in percent too, nan where that adds nothing. None where prices were
    not worked out.
    """
    if "plan_prices" not in tables:
        return None
    table = tables["plan_prices"].dropna(subset="forgone")
    names = [words.say(name["value"], {}) for name in map(family_name, table["family"])]
    table = table.assign(label=[_capital(name) for name in names], percent=(table["forgone"] * 100).round(2) + 0.0,
                         most=(table["forgone_most"] * 100).round(2), enforced=table["enforced"].astype(bool))
    table["most"] = table["most"].where(table["most"] - table["percent"] >= TOLD)
    table = table.sort_values(["percent", "family"], ascending=[False, True], ignore_index=True)
    return table[["family", "label", "percent", "most", "enforced"]]


def kept_table(tables, words, *, shown=OPTIONS):
    """Finished table of the options with most people: label, stability, seats, n_draws; None without draws."""
    if "plan_stability" not in tables:
        return None
    plan = tables["plan_options"].set_index("option_id")
    table = tables["plan_stability"].dropna(subset="stability")
    table = table.assign(seats=table["option_id"].map(plan["seats"]))
    table = table[table["seats"] > 0].sort_values(["seats", "option_id"], ascending=[False, True]).head(shown)
    label = [option_name(plan.loc[option], words) for option in table["option_id"]]
    return table.assign(label=label)[["label", "stability", "seats", "n_draws"]].reset_index(drop=True)


def option_name(option, words):
    """Courses of an option one after the other, or the way a place is staffed."""
    if option["kind"] in KINDS:
        return words(KINDS[option["kind"]])
    return " → ".join(words.label("course_id", course) for course in str(option["courses"]).split(">"))


def plan_panel(tables, said, words):
    """The panel of the plan: what it costs and closes, the frontier, and its seats by tier; returns Html.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released.
    said : dict
        The plan's claim in words: number, sentence, certainty.
    words : Words
    """
    if not plan_facts(tables).get("feasible", 1):
        told = [words.say(each["value"], each["values"]) for each in conflict_messages(tables["plan_conflict"])]
        dek = ". ".join(map(_capital, told)) + "."
        return pages.plan_panel(words("No plan keeps all rules"), dek, "", words=words)
    curve = frontier_table(tables)
    parts = [said["sentence"], said["certainty"]]
    enough = curve[curve["enough"]]
    if len(enough):
        parts.append(words("From {money} on (○) more money buys little", money=words.money(enough["budget"].iloc[0])))
    figure = ""  # a frontier without money has nothing to draw
    if len(curve) and curve["budget"].max() > 0:
        draw = partial(frontier_figure, curve, words=words)
        figure = figure_html(draw, alt=said["sentence"], widths=(288, 350))
    rows = _by_tier(tables, words)
    columns = {"tier": words("Tier"), "seats": words("Seats"), "spend": words("Spend")}
    return pages.plan_panel(said["number"], ". ".join(parts) + ".", figure, rows, columns, words=words)


def _by_tier(tables, words):
    """Seats and money by tier, and the people of every other way to staff a place."""
    sums = tables["plan_courses"].groupby("tier")[["seats", "spend"]].sum()
    rows = [(_tier(tier, words), sums.loc[tier]) for tier in _tiers(sums.index)]
    ways = tables["plan_options"].query("kind != 'train' and seats > 0").groupby("kind")[["seats", "spend"]].sum()
    rows += [(_capital(words(KINDS[kind])), ways.loc[kind]) for kind in KINDS if kind in ways.index]
    return pd.DataFrame([{"tier": name, "seats": words.number(row["seats"]), "spend": words.number(row["spend"])}
                         for name, row in rows])  # fmt: skip


def plan_sections(tables, words):
    """Who learns where, what rules cost, and how sure the plan is; None where there is no plan.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released.
    words : Words

    Returns
    -------
    Html or None
    """
    if "plan_summary" not in tables or not plan_facts(tables).get("feasible", 1):
        return None
    made = [make(tables, words) for make in (_who, _prices, _sure)]
    made = [piece for piece in made if piece is not None]
    return pages.join(made) if made else None


def _who(tables, words):
    """Seats by agency and tier, and that nobody is picked by name."""
    facts = plan_facts(tables)
    if "plan_tiers" not in tables or not tables["plan_tiers"]["seats"].sum() > 0:
        return None
    agencies = tables["plan_tiers"]["agency_id"].nunique()
    tiers = tables["plan_tiers"].groupby("tier")["seats"].sum()
    title = words("{people} people take {seats} seats, {share} of them in the tier “{tier}”",
                  people=words.number(facts["seats"]), seats=words.number(tiers.sum()),
                  share=words.percent(tiers.max() / tiers.sum()), tier=_tier(tiers.idxmax(), words))  # fmt: skip
    table = tier_table(tables, words)
    dek = words("Seats by agency and tier of course, in alphabetical order") if agencies <= AGENCIES else \
        words("Seats by agency and tier of course; the {shown} agencies of {all} with most seats, in alphabetical "
              "order", shown=words.number(AGENCIES), all=words.number(agencies))  # fmt: skip
    figure = figure_html(partial(tier_figure, table, words=words), alt=title, widths=(1028, 660, 350))
    said = [words("Seats are offered by agency, role, level and grade; nobody is named. A placement quiz that only the "
                  "employee sees tells who takes which course.")]  # fmt: skip
    if pd.notna(facts.get("unquizzed_share")):
        said.append(words("With it the plan closes {share} of the shortfall; with the same seats filled at random "
                          "{random}.", share=words.percent(facts["closed_share"]),
                          random=words.percent(facts["unquizzed_share"])))  # fmt: skip
    if pd.notna(facts.get("unknown_share")):
        said.append(words("A plan made without knowing any profile would close {share}.",
                          share=words.percent(facts["unknown_share"])))  # fmt: skip
    return pages.section(title, dek, figure, " ".join(said), broad=True)


def _prices(tables, words):
    """What each rule costs, who gets how much of what is closed, and what leeway would be worth."""
    table = price_table(tables, words)
    if table is None or table.empty:
        return None
    equity = table[table["family"] == "equity"]
    free = (table["percent"] < NOTHING) & table["most"].isna()
    if len(equity) and free[equity.index[0]]:
        title = words("Fairness costs next to nothing")
    elif len(equity):
        row = equity.iloc[0]
        fair = {"percent": words.number(row["percent"], 1)}
        title = words("Fairness costs the plan {percent}% of the shortfall", **fair) if row["enforced"] else \
            words("Fairness would cost the plan {percent}% of the shortfall", **fair)  # fmt: skip
    else:
        title = words("What each rule costs")
    dek = words("How much more of the shortfall the plan would close without the rule; of a rule that is not enforced, "
                "how much less with it")  # fmt: skip
    dear, free = table[~free], table.loc[free, "label"]
    figure = figure_html(partial(price_figure, dear, words=words), alt=title) if len(dear) else ""
    never = tables["plan_prices"]["family"][tables["plan_prices"]["forgone"].isna()]
    names = [_capital(words.say(family_name(family)["value"], {})) for family in never]
    said = [words("{rule}: no plan keeps this beside the other rules.", rule=name) for name in names]
    if dear["most"].notna().any():
        said.append(words("Where two figures stand, the price lies between them: the search ended before it was known "
                          "nearer."))  # fmt: skip
    if len(free):
        said.append(words("What costs next to nothing: {names}.", names=format_list(
            [name[:1].lower() + name[1:] for name in free], locale=words.locale)))  # fmt: skip
    return pages.section(title, dek, figure, " ".join([*said, *_groups(tables, words), *leeway(tables, words)]))


def _groups(tables, words):
    """The group of staff that gets least of what the plan closes, beside its part of the need."""
    table = tables.get("plan_groups")
    if table is None or table.dropna(subset=["gap_closed", "need"]).empty:
        return []
    table = table.dropna(subset=["gap_closed", "need"])
    whole = table.groupby("by")[["gap_closed", "need"]].transform("sum")
    parts = (table[["gap_closed", "need"]] / whole.where(whole > 0)).assign(
        name=[words.label(by, group) for by, group in zip(table["by"], table["group"], strict=True)])
    parts = parts.dropna().assign(short=parts["need"] - parts["gap_closed"])
    if parts.empty:
        return []
    last = parts.sort_values(["short", "name"], ascending=[False, True]).iloc[0]
    return [words("Furthest behind its part of the need is “{group}”: {need} of the need, {closed} of what is closed.",
                  group=last["name"], need=words.percent(last["need"]), closed=words.percent(last["gap_closed"]))]


def leeway(tables, words):
    """What a little more room would be worth, a sentence for each family of rules that binds.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released, with plan_rules: rule_id, family, sense, measure, limit, binding, money (what a unit of the limit is
        worth) and one_percent (share of the need that 1 % more of the limit would close).
    words : Words

    Returns
    -------
    list of str; the budget's first, then the dearest rule of each family
    """
    table = tables.get("plan_rules")
    if table is None or table.empty:
        return []
    said = []
    binding = table[table["binding"].astype(bool)]
    for row in binding[(binding["family"] == "budget") & (binding["one_percent"] > 0)].itertuples():
        said.append(words("{rule}: another {money} would close about {percent}% more of the shortfall.",
                          rule=_named(row, words), money=words.money(row.limit / 100),
                          percent=words.number(row.one_percent * 100, 2)))  # fmt: skip
    others = binding[(binding["family"] != "budget") & (binding["money"] > 0)]
    others = others.sort_values(["money", "rule_id"], ascending=[False, True]).drop_duplicates("family")
    for row in others.itertuples():
        unit = unit_of(row)
        if counts_people(row.rule_id, row.family):
            said.append(words("{rule}: at the limit in places; one more person would be worth up to {money}.",
                              rule=_named(row, words), money=words.money(row.money)))  # fmt: skip
        elif (row.sense, unit) in LEEWAY:
            limit = amount(row.limit, unit)
            said.append(words(LEEWAY[row.sense, unit], rule=_named(row, words), money=words.money(row.money),
                              limit=words.say(limit["value"], limit.get("values", {}))))  # fmt: skip
    return said


def _named(row, words):
    name = rule_name(row.rule_id, row.family)
    return _capital(words.label(name["table"], name["value"]) if name["kind"] == "label" else
                    words.say(name["value"], name.get("values", {})))  # fmt: skip


def _sure(tables, words):
    """What draws of the effects of courses do to the plan."""
    facts = plan_facts(tables)
    table = kept_table(tables, words)
    if table is None or table.empty or not facts.get("n_draws", 0) > 0:
        return None
    title = words("In nine of ten draws the plan closes at least {share}",
                  share=words.percent(facts["worst_decile"]))  # fmt: skip
    dek = words("How often the best plan for another draw of what courses do gives the same staff at least half of "
                "these seats again, on average over staff; the {shown} courses with most people, {n} draws",
                shown=words.number(len(table)), n=words.number(facts["n_draws"]))  # fmt: skip
    figure = figure_html(partial(kept_figure, table, words=words), alt=title)
    said = [words("Had we known what courses do, another plan would have closed at least {regret}% of the shortfall "
                  "more in half of the draws.", regret=words.number(facts["regret_median"] * 100, 1))]  # fmt: skip
    if facts.reindex(["cautious_share", "cautious_worst_decile"]).notna().all():
        said.append(words("A cautious plan, made for courses that do little, would close {share} on average, and at "
                          "least {worst} in nine of ten draws.", share=words.percent(facts["cautious_share"]),
                          worst=words.percent(facts["cautious_worst_decile"])))  # fmt: skip
    return pages.section(title, dek, figure, " ".join(said))


def _tiers(there):
    """Tiers in order: ours, then those of params by code."""
    return sorted(set(there) - {""}, key=lambda tier: (TIERS.index(tier) if tier in TIERS else len(TIERS), tier))


def _tier(tier, words):
    return words.label("tier", tier)


def _capital(text):
    return text[:1].upper() + text[1:]
