"""Gates of claims: what a number must rest on, and what is said instead where it rests on less."""

from dataclasses import dataclass, field

import pandas as pd

from skillsgap.publish.naming import column_name, value
from skillsgap.wording import N_

MIN_ITEMS = 4  # METHODS: the reliability of a group speaks from four items on
ROLES = ("role_id", "role_level", "isco08")  # codes that say what is required of somebody

TABLES = {
    "competencies": N_("list of competencies"),
    "descriptors": N_("descriptors of levels"),
    "items": N_("list of questions"),
    "choices": N_("list of answers"),
    "form_texts": N_("texts of the form"),
    "requirements": N_("requirements by role"),
    "register": N_("register of staff"),
    "responses": N_("answers of respondents"),
    "aggregates": N_("published figures"),
    "courses": N_("course catalogue"),
    "course_effects": N_("table of course effects"),
    "costs": N_("table of costs"),
    "agencies": N_("list of agencies"),
    "training_records": N_("records of training"),
    "pilot_outcomes": N_("outcomes of pilots"),
    "indicators": N_("readiness indicators"),
}
DIMENSIONS = {
    "completeness": N_("completeness"),
    "validity": N_("validity"),
    "consistency": N_("consistency"),
    "uniqueness": N_("uniqueness"),
    "timeliness": N_("timeliness"),
    "coverage": N_("coverage"),
}
# respondents get their roles and weights from the register, so that every figure rests on it where there is one
_ANSWERS = frozenset({"competencies", "items", "responses", "aggregates", "register"})
KINDS = {
    "means": (N_("levels and shares"), _ANSWERS),
    "gaps": (N_("gaps and priorities"), _ANSWERS | {"requirements"}),
    "needs": (N_("groups most in need"), _ANSWERS | {"requirements", "agencies"}),
    "profiles": (N_("competency profiles"), _ANSWERS),
    "plan": (N_("the plan"), _ANSWERS | {"requirements", "agencies", "courses", "course_effects", "costs"}),
    "readiness": (N_("AI readiness"), frozenset({"indicators"})),
}
# why answers can't carry a claim, as `reliability` gives it; one item stands for any number below MIN_ITEMS
UNTOLD = {
    "one item": N_("“{about}”: its group has too few questions to tell how far the answers agree."),
    "no variance": N_("“{about}”: everybody gave the same answer, so nobody can tell what it is worth."),
    "nothing answered": N_("“{about}”: nobody answered its questions."),
}
ASK = N_("The page of queries to the data owner says what would unlock it.")


@dataclass(frozen=True)
class Claim:
    """One sentence of a report, with everything needed to say it in any language, and what it rests on.

    `values` fill the places of `number`, `sentence`, `certainty` and `unlock`; see `Words.say`. `about` is the typed
    name that stands for the claim where it is withheld; `columns` are codes it rests on besides those of its kind.
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
    kind: str = "means"
    about: dict = field(default_factory=dict)
    columns: tuple = ()


@dataclass(frozen=True)
class Reason:
    """Why what rests on a table (and there on a column, if it names one) is withheld, in typed messages."""

    table: str
    column: str
    sentence: str
    values: dict
    unlock: str = ASK


@dataclass(frozen=True)
class Context:
    """What the claims of a unit are told besides its released tables.

    `reasons` withhold, the worst first; `margins` are the columns the weights are calibrated on; `items` holds the
    items of each competency. Of `published` figures some tell neither n nor interval; `answered` is None there.
    `group_reliability` says of each split how much of what its groups differ by isn't chance; `basis` of each
    competency whether its levels are self_reported, or calibrated to an assessor's (tested, transferred).
    """

    scale: str
    answered: int | None
    top: int
    respondents_gate: int
    reliability_gate: float
    threshold: int
    by: tuple
    self_reported: bool
    reasons: tuple = ()
    margins: tuple = ()
    items: dict = field(default_factory=dict)
    published: bool = False
    group_reliability: dict = field(default_factory=dict)
    response_rate: float | None = None
    basis: dict = field(default_factory=dict)


def data_reasons(quality, mapped, *, gates, unmapped):
    """What is wrong enough with the data to withhold what rests on them.

    Parameters
    ----------
    quality, mapped : DataFrame or None
        Stage tables; only the levels of whole tables count, not those of their parts.
    gates : mapping of dimension to quality level
        Lowest level 0–4 at which claims are made.
    unmapped : float
        Largest share of codes without a counterpart, 0–1.

    Returns
    -------
    list of Reason
        Unmapped codes first, largest share first; then quality levels, lowest first.

    Examples
    --------
    >>> mapped = pd.DataFrame({"table": ["register"], "column": ["role_id"], "crosswalk": ["roles"],
    ...                        "unmapped": [0.21], "loss": [0.0], "rows": [100]})
    >>> [(reason.table, reason.column) for reason in data_reasons(None, mapped, gates={}, unmapped=0.20)]
    [('register', 'role_id')]
    """
    found = []
    if mapped is not None:
        many = mapped[mapped["unmapped"] > unmapped]
        found += [_unmapped(row, unmapped) for row in
                  many.sort_values(["unmapped", "table", "column"], ascending=[False, True, True]).itertuples()]
    if quality is not None:
        lowest = quality["dimension"].map(dict(gates)).astype(float)
        low = quality[(quality["part"] == "") & (quality["level"] < lowest)]
        found += [_low(row, gates[row.dimension]) for row in
                  low.sort_values(["level", "table", "dimension"]).itertuples()]
    return found


def _unmapped(row, most):
    sentence = N_("{share} of the codes of {column} in the {table} have no counterpart in “{crosswalk}”; at most "
                  "{most} may lack one.")
    values = {
        "share": value("percent", row.unmapped), "most": value("percent", most), "column": column_name(row.column),
        "table": table_name(row.table), "crosswalk": value("text", row.crosswalk),
    }
    return Reason(row.table, row.column, sentence, values, N_("A crosswalk that covers them would unlock it."))


def _low(row, gate):
    sentence = N_("quality of the {table}: {dimension} is at level {level} of 4, and {gate} is needed: {reason}")
    values = {
        "table": table_name(row.table), "dimension": value("message", DIMENSIONS[row.dimension]),
        "level": value("number", row.level), "gate": value("number", gate),
        "reason": {"kind": "told", "value": row.reason, "values": row.values},
    }
    return Reason(row.table, "", sentence, values)


def table_name(table):
    """How a sentence calls a table, as a typed value."""
    return value("message", TABLES[table]) if table in TABLES else value("text", table)


def reasons_for(kind, reasons, columns=()):
    """The reasons that withhold a kind of claim, whose codes besides those of its kind are `columns`."""
    codes = {"", "competency_id", *columns, *(() if kind in ("means", "profiles") else ROLES)}
    return [reason for reason in reasons if reason.table in KINDS[kind][1] and reason.column in codes]


def rested(claim, context):
    """The claim where the data it rests on are good enough; else the worst reason why not."""
    if not claim.passed:
        return claim
    found = reasons_for(claim.kind, context.reasons, (*claim.columns, *context.margins))
    if not found:
        return claim
    return held(claim, "“{about}”: {reason}", found[0].unlock, reason=typed(found[0]))


def typed(reason):
    """A reason's sentence as a typed value."""
    return value("message", reason.sentence, values=reason.values)


def gated(claim, n, competency, tables, context):
    """The claim where enough people answered enough reliable items; else why not and what would help."""
    few = too_few(claim, n, context)
    if few is not None:
        return few
    alpha, why = _agreement(tables, competency)
    if why:
        return held(claim, UNTOLD[why], N_("More items, or clearer ones, would unlock it."))
    if alpha is not None and alpha < context.reliability_gate:
        return held(
            claim,
            N_("“{about}”: the answers of its group agree too little (α {alpha}, at least {gate} is needed)."),
            N_("More items, or clearer ones, would unlock it."),
            alpha=value("number", alpha, digits=2),
            gate=value("number", context.reliability_gate, digits=2),
        )
    return claim


def differing(claim, by, context):
    """The claim where what groups differ by is more than chance; else why not and what would help."""
    reliability = context.group_reliability.get(by)
    if reliability is None or reliability >= context.reliability_gate:
        return claim
    return held(
        claim,
        N_("“{about}”: they differ by little more than chance (reliability of their means {reliability}, at least "
           "{gate} is needed)."),
        N_("A larger sample, or wider groups, would unlock them."),
        reliability=value("number", reliability, digits=2),
        gate=value("number", context.reliability_gate, digits=2),
    )  # fmt: skip


def too_few(claim, n, context):
    """The claim withheld where too few people answered, else None."""
    if n >= context.respondents_gate:
        return None
    return held(
        claim,
        N_("“{about}”: fewer than {gate} people answered."),
        N_("{more} more answers would unlock it."),
        gate=value("number", context.respondents_gate),
        more=value("number", context.respondents_gate - (0 if pd.isna(n) else n)),
    )


def with_tiers(needs, gate):
    """Needs of groups, without the tier of those of which fewer than `gate` answered.

    Examples
    --------
    >>> with_tiers(pd.DataFrame({"tier": ["most", "least"], "n": [29, 30]}), 30)["tier"].tolist()
    [nan, 'least']
    """
    return needs.assign(tier=needs["tier"].mask(needs["n"] < gate))


def held(claim, sentence, unlock, **values):
    """The claim withheld: why, and what would unlock it; its name is among the values as `about`."""
    values = {"about": claim.about, **values}
    return Claim(claim.claim_id, claim.section, "", sentence, "", values, passed=False, unlock=unlock)


def _agreement(tables, competency):
    """α of the competency's group (None without scales), and why it can't be told or nothing rests on the answers."""
    table, groups = tables.get("reliability"), tables["competencies"].set_index("competency_id")["group"]
    if table is None or table.empty:
        return None, ""
    alphas = table[table["statistic"] == "alpha"].set_index(["scale", "scale_id"])
    for place in (("competency", competency), ("group", groups[competency])):
        if place in alphas.index and alphas.at[place, "why"] in ("no variance", "nothing answered"):
            return None, alphas.at[place, "why"]
    place = ("group", groups[competency])
    if place not in alphas.index or alphas.at[place, "n_items"] < MIN_ITEMS or pd.isna(alphas.at[place, "estimate"]):
        return None, "one item"
    return alphas.at[place, "estimate"], ""
