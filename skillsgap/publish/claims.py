"""Claims: a number, its gate, and its wording; what fails its gate is not printed, and says why."""

import json
from dataclasses import asdict

import pandas as pd

from skillsgap.publish.gates import Claim, differing, gated, held, rested, too_few
from skillsgap.publish.naming import column_name, label, profile_names, value
from skillsgap.publish.plan_words import plan_claim
from skillsgap.publish.sureness import sureness
from skillsgap.wording import N_

SURE = 0.80  # a gap weighs most when it comes first in so many draws
NAMED = 4  # groups a sentence names; more of them are counted only
MOST = 8  # claims of published figures; their pictures and tables show the others
KEPT = ["claim_id", "section", "passed", "hot", "number", "sentence", "certainty", "unlock", "numbers"]


def make_claims(tables, context, *, names=()):
    """Every claim of a unit, made or withheld.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released tables.
    context : Context
    names : sequence of text or {language: text}
        Names of the profiles in params, which win over those by rule.

    Returns
    -------
    DataFrame
        claim_id, section, passed, hot, number, sentence, certainty, unlock (messages), numbers (JSON).
    """
    made = []
    if context.published and "means" in tables:
        made += _published_claims(tables, context)
    elif "priorities" in tables:
        made += _priority_claims(tables, context)
    elif context.scale == "score":
        made += _tested_claims(tables, context)
    if "needs" in tables:
        made += [differing(claim, by, context) for by, claim in _needs_claims(tables["needs"])]
    if "profiles" in tables and tables["profiles"]["profile"].nunique() > 1:  # one profile is everybody: no finding
        made.append(_profile_claim(tables, context, names))
    made += _withheld_groups(tables, context)
    if "plan_summary" in tables:
        plan = plan_claim(tables)
        made.append(too_few(plan, context.answered, context) or plan)
    rows = [asdict(rested(claim, context)) for claim in made]
    numbers = [json.dumps(row["values"], sort_keys=True, ensure_ascii=False) for row in rows]
    return pd.DataFrame(rows, columns=KEPT[:-1]).assign(numbers=numbers)


def widest(tables):
    """The competency that comes first: the largest priority."""
    table = tables["priorities"]
    return table.sort_values(["estimate", "competency_id"], ascending=[False, True])["competency_id"].iloc[0]


def gap_row(tables, competency, statistic, by="all", group="all"):
    """One row of the gaps table."""
    gaps = tables["gaps"]
    here = (gaps["by"] == by) & (gaps["group"] == group) & (gaps["statistic"] == statistic)
    return gaps[here & (gaps["competency_id"] == competency)].iloc[0]


def _priority_claims(tables, context):
    ranked = tables["priorities"].sort_values(["estimate", "competency_id"], ascending=[False, True])
    first, second = ranked["competency_id"].iloc[[0, min(1, len(ranked) - 1)]]
    below = gap_row(tables, first, "share_below")
    short = gap_row(tables, second, "shortfall")
    in_top = ranked.set_index("competency_id")["p_top"]
    return [
        gated(
            Claim(
                "share_below",
                "claims",
                N_("{share}"),
                N_("of staff whose role asks for “{competency}” are below the level it requires; this gap weighs most")
                if ranked["p_first"].iloc[0] >= SURE
                else N_("of staff whose role asks for “{competency}” are below the level it requires"),
                N_("{sure}"),
                {
                    "share": value("share", below["estimate"]),
                    "competency": label("competency_id", first),
                    "sure": sureness(N_("{low}–{high}; {n} answers"), {
                        "low": value("share", below["ci_low"]),
                        "high": value("share", below["ci_high"]),
                        "n": value("number", below["n"]),
                    }, first, context, tables=tables),
                },
                hot=True,
                kind="gaps",
                **_about(first, context),
            ),
            below["n"],
            first,
            tables,
            context,
        ),
        gated(
            Claim(
                "shortfall",
                "claims",
                N_("{gap}"),
                N_("levels below requirement, on average over all staff whose role asks for “{competency}”; among the "
                   "first {top} in {often} of draws"),
                N_("{sure}"),
                {
                    "gap": value("number", short["estimate"], digits=1),
                    "competency": label("competency_id", second),
                    "top": value("number", context.top),
                    "often": _surety(in_top[second]),
                    "sure": sureness(N_("{low} to {high} levels; {n} answers"), {
                        "low": value("number", short["ci_low"], digits=2),
                        "high": value("number", short["ci_high"], digits=2),
                        "n": value("number", short["n"]),
                    }, second, context),
                },
                kind="gaps",
                **_about(second, context),
            ),
            short["n"],
            second,
            tables,
            context,
        ),
    ]  # fmt: skip


def _about(competency, context):
    """What a claim on one competency is called, and the items it rests on."""
    return {"about": label("competency_id", competency), "columns": context.items.get(competency, ())}


def _surety(probability):
    """A probability from draws is never certainty."""
    if probability > 0.99:
        return value("message", N_("over 99%"))
    return value("percent", probability)


def _tested_claims(tables, context):
    claims = []
    means = tables["means"].query("by == 'all'")
    for row in means.itertuples():
        claim = Claim(
            f"mean_{row.variable}",
            "claims",
            N_("{mean}"),
            N_("points of 500 on average in {competency}"),
            N_("{low} to {high}; standard error {se}; {n} respondents, tested"),
            {
                "mean": value("number", row.estimate),
                "competency": label("competency_id", row.variable),
                "low": value("number", row.ci_low),
                "high": value("number", row.ci_high),
                "se": value("number", row.se, digits=1),
                "n": value("number", row.n),
            },
            **_about(row.variable, context),
        )
        claims.append(gated(claim, row.n, row.variable, tables, context))
    below = tables["gaps"].query("by == 'all' and statistic == 'share_below'") if "gaps" in tables else means[:0]
    for row in below.itertuples():
        short = gap_row(tables, row.competency_id, "shortfall")
        claim = Claim(
            f"below_{row.competency_id}",
            "claims",
            N_("{share}"),
            N_("test below what people well matched to the same occupation show in {competency}; the method "
               "puts about 5% of those below by construction"),
            N_("{low}–{high}; spread over all {n} respondents whose occupation has a requirement, {short} points are "
               "missing"),
            {
                "share": value("share", row.estimate),
                "competency": label("competency_id", row.competency_id),
                "low": value("share", row.ci_low),
                "high": value("share", row.ci_high),
                "n": value("number", row.n),
                "short": value("number", short["estimate"], digits=1),
            },
            kind="gaps",
            **_about(row.competency_id, context),
        )  # fmt: skip
        claims.append(gated(claim, row.n, row.competency_id, tables, context))
    return claims


# how published figures of a scale are said: kind and digits of the number, digits of its interval, and the sentence
PUBLISHED = {
    "levels": ("number", 1, 2, N_("is the published mean level of “{competency}”, from 0 none to 4 expert")),
    "score": ("number", 0, 0, N_("is the published mean score of “{competency}”")),
    "share": ("share", 0, 0, N_("is the published share for “{competency}”")),
}


def _published_claims(tables, context):
    """What somebody has published for all, in the order of the competencies; and what only microdata would tell."""
    order = tables["competencies"]["competency_id"].tolist()
    means = tables["means"].query("by == 'all' and variable in @order")
    means = means.sort_values("variable", key=lambda names: names.map(order.index)).head(MOST)
    kind, digits, finer, sentence = PUBLISHED[context.scale]
    claims = []
    for row in means.itertuples():
        certainty, values = _as_published(row, kind, finer)
        values |= {"mean": value(kind, row.estimate, digits=digits), "competency": label("competency_id", row.variable)}
        rests = _about(row.variable, context)
        claim = Claim(f"mean_{row.variable}", "claims", N_("{mean}"), sentence, certainty, values, **rests)
        claims.append(_counted(claim, row, context))
    gap = _published_gap(tables, context) or _no_microdata("share_below", N_("share below the required level"))
    claims = [gap, *claims] if gap.hot else [*claims, gap]
    return [*claims, _no_microdata("profile", N_("competency profiles"))]


def _published_gap(tables, context):
    """The largest share below requirement, where distributions over levels were published, or None."""
    below = tables["gaps"].query("by == 'all' and statistic == 'share_below'") if "gaps" in tables else pd.DataFrame()
    below = below.dropna(subset="estimate") if len(below) else below
    if below.empty:
        return None
    row = below.sort_values(["estimate", "competency_id"], ascending=[False, True]).iloc[0]
    certainty, values = _as_published(row, "share", 0)
    values |= {"share": value("share", row["estimate"]), "competency": label("competency_id", row["competency_id"])}
    sentence = N_("of staff whose role asks for “{competency}” are below the level it requires")
    rests = {"kind": "gaps", **_about(row["competency_id"], context)}
    claim = Claim("share_below", "claims", N_("{share}"), sentence, certainty, values, hot=True, **rests)
    return _counted(claim, row, context)


def _as_published(row, kind, digits):
    """How sure a published figure is: its interval and n, as far as they were published."""
    between, counted = pd.notna(row.ci_low) and pd.notna(row.ci_high), pd.notna(row.n)
    values = {"n": value("number", row.n)} if counted else {}
    if between:
        values |= {"low": value(kind, row.ci_low, digits=digits), "high": value(kind, row.ci_high, digits=digits)}
    return {
        (True, True): N_("{low} to {high}; {n} respondents, as published"),
        (True, False): N_("{low} to {high}; number of respondents not published"),
        (False, True): N_("{n} respondents, as published; no interval published"),
        (False, False): N_("as published, without interval and number of respondents"),
    }[between, counted], values


def _counted(claim, row, context):
    """The gate of respondents, where their number was published."""
    few = too_few(claim, row.n, context) if row.withheld or pd.notna(row.n) else None
    return few or claim


def _no_microdata(claim_id, name):
    claim = Claim(claim_id, "claims", "", "", about=value("message", name))
    unlock = N_("The answers of respondents, with the list of questions, would unlock it.")
    return held(claim, N_("“{about}”: of this unit there are published figures only."), unlock)


def _needs_claims(needs):
    """A claim for each split with several groups in a tier; where all are withheld, `_withheld_groups` says so."""
    claims = []
    for by, groups in needs.groupby("by", sort=False):
        told = groups["tier"].count()
        if told < 2:
            continue
        most = groups[groups["tier"] == "most"].sort_values("group")
        values = {
            "most": value("number", len(most)),
            "all": value("number", told),
            "few": value("number", len(groups) - told),
            "column": column_name(by),
            "names": {"kind": "labels", "table": by, "value": most["group"].tolist()},
        }
        if 0 < len(most) <= NAMED:
            sentence = N_("{column} need clearly more than the rest: {names}")
        else:
            sentence = N_("{column} need clearly more than the rest")
        certainty = N_("90% sure of each, after allowing for how few answered; groups, not a ranking")
        if told < len(groups):
            certainty = N_("90% sure of each, after allowing for how few answered; {few} more have too few answers to "
                           "say; groups, not a ranking")
        claim_id = "needs" if not claims else f"needs_{by}"
        rests = {"kind": "needs", "about": column_name(by), "columns": (by,)}
        claims.append((by, Claim(claim_id, "claims", N_("{most} of {all}"), sentence, certainty, values, **rests)))
    return claims


def _profile_claim(tables, context, names):
    shares = tables["profiles"].query("statistic == 'share'").sort_values("profile")
    told = shares.dropna(subset="estimate")  # those of a few people are withheld
    rests = {"kind": "profiles", "about": value("message", N_("competency profiles"))}
    few = too_few(Claim("profile", "claims", "", "", **rests), told["n"].max(), context)
    if few is not None:
        return few
    first = told.iloc[0]
    values = {
        "share": value("share", first["estimate"]),
        "name": profile_names(tables, names)[int(first["profile"])],
        "profiles": value("number", len(shares)),
        "low": value("share", first["ci_low"]),
        "high": value("share", first["ci_high"]),
        "people": value("number", 0),
    }
    sentence = N_("have the profile “{name}”, one of {profiles} found in the answers")
    if "headcounts" in tables:
        counts = tables["headcounts"].query("by == 'all' and profile == @first.profile and not withheld")
        if len(counts):
            values["people"] = value("number", counts["estimate"].iloc[0])
            sentence = N_("of staff, about {people} people, have the profile “{name}”, one of {profiles} found")
    return Claim("profile", "claims", N_("{share}"), sentence, N_("{low}–{high}"), values, **rests)


def _withheld_groups(tables, context):
    # of the means, which need an answer and nothing else: a gap may be empty for want of a requirement
    means, claims = tables.get("means"), []
    for by in context.by if means is not None else ():
        rows = means[means["by"] == by].groupby("group")["withheld"].all()
        if not rows.any():
            continue
        values = {
            "few": value("number", rows.sum()),
            "all": value("number", len(rows)),
            "threshold": value("number", context.threshold),
            "column": column_name(by),
        }
        claims.append(
            Claim(
                f"groups_{by}", "claims", "",
                N_("{few} of {all} {column}: fewer than {threshold} respondents."),
                values=values, passed=False,
                unlock=N_("A larger sample, or wider groups, would unlock them."),
            )
        )  # fmt: skip
    return claims
