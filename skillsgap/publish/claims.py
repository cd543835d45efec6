"""Claims: a number, its gate, and its wording; what fails its gate is not printed, and says why."""

import json
from dataclasses import asdict, dataclass, field

import pandas as pd

from skillsgap.publish.naming import label, profile_names, value
from skillsgap.wording import N_

MIN_ITEMS = 4  # METHODS: the reliability of a group speaks from four items on
SURE = 0.80  # a gap weighs most when it comes first in so many draws
NAMED = 4  # groups a sentence names; more of them are counted only


# how a sentence calls the groups of a column
COLUMNS = {
    "agency_id": N_("agencies"),
    "industry": N_("industries"),
    "isco08": N_("occupations"),
    "region": N_("regions"),
    "admin_level": N_("levels of administration"),
    "role_id": N_("roles"),
    "grade": N_("grades"),
    "sex": N_("sexes"),
    "age_band": N_("age groups"),
    "education": N_("levels of education"),
    "language": N_("language groups"),
    "answer_language": N_("language groups"),
    "disability": N_("disability groups"),
}


@dataclass(frozen=True)
class Claim:
    """One sentence of a report, with everything needed to say it in any language.

    `values` fill the places of `number`, `sentence`, `certainty` and `unlock`; see `Words.say`.
    """

    claim_id: str
    section: str
    number: str
    sentence: str
    certainty: str = ""
    values: dict = field(default_factory=dict)
    passed: bool = True
    hot: bool = False
    unlock: str = ""


@dataclass(frozen=True)
class Context:
    """What the claims of a unit are told besides its released tables."""

    scale: str
    answered: int
    top: int
    respondents_gate: int
    reliability_gate: float
    threshold: int
    by: tuple
    self_reported: bool


def make_claims(tables, context):
    """Every claim of a unit, made or withheld.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Released tables.
    context : Context

    Returns
    -------
    DataFrame
        claim_id, section, passed, hot, number, sentence, certainty, unlock (messages), numbers (JSON).
    """
    made = []
    if "priorities" in tables:
        made += _priority_claims(tables, context)
    elif context.scale == "score":
        made += _tested_claims(tables, context)
    if "needs" in tables:
        made += _needs_claims(tables["needs"], context)
    made.append(_profile_claim(tables, context))
    made += _withheld_groups(tables, context)
    if "plan_summary" in tables:
        plan = _plan_claim(tables)
        made.append(_few(plan, context.answered, value("message", N_("the plan")), context) or plan)
    rows = [asdict(claim) for claim in made]
    table = pd.DataFrame(rows)
    table["numbers"] = [
        json.dumps(values, sort_keys=True, ensure_ascii=False) for values in table.pop("values")
    ]
    columns = [
        "claim_id",
        "section",
        "passed",
        "hot",
        "number",
        "sentence",
        "certainty",
        "unlock",
        "numbers",
    ]
    return table[columns]


def widest(tables):
    """The competency that comes first: the largest priority."""
    table = tables["priorities"]
    return table.sort_values(["priority", "competency_id"], ascending=[False, True])["competency_id"].iloc[0]


def gap_row(tables, competency, statistic, by="all", group="all"):
    """One row of the gaps table."""
    gaps = tables["gaps"]
    here = (gaps["by"] == by) & (gaps["group"] == group) & (gaps["statistic"] == statistic)
    return gaps[here & (gaps["competency_id"] == competency)].iloc[0]


def _priority_claims(tables, context):
    ranked = tables["priorities"].sort_values(["priority", "competency_id"], ascending=[False, True])
    first, second = ranked["competency_id"].iloc[[0, min(1, len(ranked) - 1)]]
    below = gap_row(tables, first, "share_below")
    short = gap_row(tables, second, "shortfall")
    in_top = ranked.set_index("competency_id")["p_top"]
    asked = N_("{low}–{high}; {n} answers, self-reported") if context.self_reported else N_("{low}–{high}; {n} answers")
    return [
        _gated(
            Claim(
                "share_below",
                "claims",
                N_("{share}"),
                N_("of staff whose role asks for “{competency}” are below the level it requires; this gap weighs most")
                if ranked["p_first"].iloc[0] >= SURE
                else N_("of staff whose role asks for “{competency}” are below the level it requires"),
                asked,
                {
                    "share": value("share", below["estimate"]),
                    "competency": label("competency_id", first),
                    "low": value("share", below["ci_low"]),
                    "high": value("share", below["ci_high"]),
                    "n": value("number", below["n"]),
                },
                hot=True,
            ),
            below["n"],
            first,
            tables,
            context,
        ),
        _gated(
            Claim(
                "shortfall",
                "claims",
                N_("{gap}"),
                N_("levels below requirement, on average over all staff whose role asks for “{competency}”; among the "
                   "first {top} in {sure} of draws"),
                N_("{low} to {high} levels; {n} answers"),
                {
                    "gap": value("number", short["estimate"], digits=1),
                    "competency": label("competency_id", second),
                    "top": value("number", context.top),
                    "sure": _surety(in_top[second]),
                    "low": value("number", short["ci_low"], digits=2),
                    "high": value("number", short["ci_high"], digits=2),
                    "n": value("number", short["n"]),
                },
            ),
            short["n"],
            second,
            tables,
            context,
        ),
    ]  # fmt: skip


def _surety(probability):
    """A probability from draws is never certainty."""
    if probability > 0.99:
        return value("message", N_("over 99%"))
    return value("percent", probability)


def _gated(claim, n, competency, tables, context):
    """The claim where enough people answered enough reliable items; else why not and what would help."""
    few = _few(claim, n, claim.values["competency"], context)
    if few is not None:
        return few
    alpha = _group_alpha(tables, competency)
    if alpha is not None and pd.isna(alpha):
        return _held(
            claim,
            N_("“{competency}”: its group has too few questions to tell how far the answers agree."),
            N_("More items, or clearer ones, would unlock it."),
            competency=claim.values["competency"],
        )
    if alpha is not None and alpha < context.reliability_gate:
        return _held(
            claim,
            N_("“{competency}”: the answers of its group agree too little (α {alpha}, at least {gate} is needed)."),
            N_("More items, or clearer ones, would unlock it."),
            competency=claim.values["competency"],
            alpha=value("number", alpha, digits=2),
            gate=value("number", context.reliability_gate, digits=2),
        )  # fmt: skip
    return claim


def _few(claim, n, name, context):
    """The claim withheld where too few people answered, else None."""
    if n >= context.respondents_gate:
        return None
    return _held(
        claim,
        N_("“{competency}”: fewer than {gate} people answered."),
        N_("{more} more answers would unlock it."),
        competency=name,
        gate=value("number", context.respondents_gate),
        more=value("number", context.respondents_gate - (0 if pd.isna(n) else n)),
    )


def _held(claim, sentence, unlock, **values):
    return Claim(claim.claim_id, claim.section, "", sentence, "", values, passed=False, unlock=unlock)


def _group_alpha(tables, competency):
    table, groups = tables.get("reliability"), tables["competencies"].set_index("competency_id")["group"]
    if table is None or table.empty:
        return None
    row = table[(table["scale"] == "group") & (table["scale_id"] == groups[competency])]
    return row["alpha"].iloc[0] if len(row) and row["n_items"].iloc[0] >= MIN_ITEMS else float("nan")


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
        )
        claims.append(_gated(claim, row.n, row.variable, tables, context))
    for row in tables["gaps"].query("by == 'all' and statistic == 'share_below'").itertuples():
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
        )  # fmt: skip
        claims.append(_gated(claim, row.n, row.competency_id, tables, context))
    return claims


def _needs_claims(needs, context):
    """One claim a split of several groups; where all are withheld, `_withheld_groups` says so."""
    claims = []
    for by, groups in needs.groupby("by", sort=False):
        if groups["withheld"].all() or len(groups) < 2:
            continue
        named = (groups["tier"] == "most") & (groups["n"] >= context.respondents_gate)
        most = groups[named].sort_values("group")
        values = {
            "most": value("number", len(most)),
            "all": value("number", len(groups)),
            "column": value("message", COLUMNS.get(by, by)),
            "names": {"kind": "labels", "table": by, "value": most["group"].tolist()},
        }
        if 0 < len(most) <= NAMED:
            sentence = N_("{column} need clearly more than the rest: {names}")
        else:
            sentence = N_("{column} need clearly more than the rest")
        certainty = N_("90% sure of each, after allowing for how few answered; groups, not a ranking")
        claim_id = "needs" if not claims else f"needs_{by}"
        claims.append(Claim(claim_id, "claims", N_("{most} of {all}"), sentence, certainty, values))
    return claims


def _profile_claim(tables, context):
    shares = tables["profiles"].query("variable == 'share'").sort_values("profile")
    first = shares.iloc[0]
    few = _few(Claim("profile", "claims", "", ""), first["n"], value("message", N_("competency profiles")), context)
    if few is not None:
        return few
    values = {
        "share": value("share", first["estimate"]),
        "name": profile_names(tables)[int(first["profile"])],
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
    return Claim("profile", "claims", N_("{share}"), sentence, N_("{low}–{high}"), values)


def _withheld_groups(tables, context):
    # of the means, which need an answer and nothing else: a gap may be empty for want of a requirement
    means, claims = tables["means"], []
    for by in context.by:
        rows = means[means["by"] == by].groupby("group")["withheld"].all()
        if not rows.any():
            continue
        values = {
            "few": value("number", rows.sum()),
            "all": value("number", len(rows)),
            "threshold": value("number", context.threshold),
            "column": value("message", COLUMNS.get(by, by)),
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


def _plan_claim(tables):
    facts = tables["plan_summary"].set_index("name")["value"]
    chosen = tables["frontier"][tables["frontier"]["budget"] == facts["budget"]]
    bound = facts["bound"] / facts["need"] if facts["need"] > 0 else 0.0
    values = {
        "seats": value("number", facts["seats"]),
        "spend": value("money", facts["spend"]),
        "share": value("percent", facts["closed_share"]),
        "bound": value("percent", max(bound, facts["closed_share"])),
        "low": value("percent", facts["ci_low"]),
        "high": value("percent", facts["ci_high"]),
    }
    sentence = N_("close {share} of the shortfall, weighted by importance; no plan for this money closes more than "
                  "{bound}")
    if len(chosen):
        values["common"] = value("percent", chosen["common_practice_share"].iloc[0])
        sentence = N_("close {share} of the shortfall, weighted by importance; no plan for this money closes more "
                      "than {bound}; going for the largest gaps first would close {common}")
    certainty = N_("{low}–{high} if courses do more or less than expected")
    return Claim("plan", "plan", N_("{seats} seats for {spend}"), sentence, certainty, values)  # fmt: skip
