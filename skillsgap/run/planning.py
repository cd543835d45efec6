"""From a unit's tables and params to what a plan is made of."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skillsgap.decide.options import Options, training_options
from skillsgap.estimate.workforce.able import able_counts, any_of
from skillsgap.study.relations import ROLE

RULES = ("budget", "periods", "months", "class_by", "hours", "champions", "floors", "agency_minimum", "provider_max",
         "equity", "rules")  # fmt: skip
BY_ROLE = {"hire": "hire_cost", "contract": "contract_cost", "redeploy": None}  # of a way without a cost of its own
TRAINED = ("need_bands", "experience", "interest")  # of champions: which cohorts, not how many


@dataclass(frozen=True)
class Given:
    """What a plan is made of: the arguments of `plan_training`, and what else its callers need.

    `rules` is the part of params that `policy_rules` reads; `interested` tells by profile which share of staff would
    like to be champions (None where nobody was asked).
    """

    cohorts: pd.DataFrame
    shortfalls: pd.DataFrame
    courses: pd.DataFrame
    course_effects: pd.DataFrame
    weights: pd.DataFrame
    options: Options
    rules: dict
    able: pd.DataFrame | None
    cohort_groups: pd.DataFrame | None
    agencies: pd.DataFrame | None
    attrition: pd.DataFrame | None
    interested: pd.DataFrame | None


def given(unit):
    """Everything that the plan of a unit is made of; None where it declares none, or lacks what one needs."""
    plan = unit.values.get("plan")
    if plan is None or any(unit.table(name) is None for name in ("courses", "course_effects", "cohorts")):
        return None
    staff, champions = unit.table("cohorts"), plan.get("champions", {})
    courses, effects = offered(unit.table("courses"), champions), in_levels(unit)
    options = training_options(courses, effects, **_taught(unit), staffing=staffing(unit))
    interested = champion_interest(unit)
    rules = {key: plan[key] for key in RULES if key in plan}
    for key, own in (("hours", ("window",)), ("champions", TRAINED)):
        rules |= {key: {name: value for name, value in plan[key].items() if name not in own}} if key in plan else {}
    if interested is not None:
        rules["rules"] = [*rules.get("rules", ()), interest_rule(staff, interested, champions)]
    return Given(staff, unit.table("shortfalls"), courses, effects, importance_weights(unit.table("requirements")),
                 options, rules, able(unit, options), unit.table("cohort_groups"), unit.table("agencies"),
                 attrition(unit), interested)  # fmt: skip


def _taught(unit):
    """How courses become options: periods, hours, languages, refreshers, and the money prices are in."""
    plan, counted = unit.values["plan"], unit.table("able")
    spoken = () if counted is None else sorted(set(counted["language"]) - {""})
    return {
        "n_periods": len(plan.get("periods", "1")), "months": plan["months"],
        "hours_usual": plan.get("hours", {}).get("usual"), "hours_promotion": plan.get("hours", {}).get("promotion"),
        "languages": tuple(spoken), "refreshers": plan.get("refreshers"),
        "completed": counted is not None and bool((counted["completed"] != "").any()),  # by nobody: no such option
        "currency": unit.values["currency"]["code"], "price_year": unit.values["currency"]["price_year"],
    }  # fmt: skip


def offered(courses, champions):
    """The catalogue, with champions' courses open to those cohorts only whom params let be champions.

    Examples
    --------
    >>> offer = pd.DataFrame({"tier": ["basic", "champion"], "eligibility": [None, "grade=G3"]})
    >>> offered(offer, {"need_bands": ["low"], "experience": {"role_level": ["lead"]}})["eligibility"].tolist()
    ['', 'grade=G3;need_band=low;role_level=lead']
    """
    rules = courses.get("eligibility", pd.Series("", index=courses.index)).astype("string").fillna("").astype(str)
    more = [f"{column}={'|'.join(map(str, codes))}" for column, codes in _cohorts_of(champions).items()]
    narrow = [";".join([*([rule] if rule else []), *more]) if tier == "champion" else rule
              for rule, tier in zip(rules, courses["tier"], strict=True)]  # fmt: skip
    return courses.assign(eligibility=narrow)


def _cohorts_of(champions):
    """Column of cohorts: codes that champions have; by need for skill, by what params name for experience."""
    needs = {"need_band": champions["need_bands"]} if "need_bands" in champions else {}
    return needs | champions.get("experience", {})


def in_levels(unit):
    """Effects of courses in levels: where only d is known, the gain is d x SD of the levels within roles."""
    effects = unit.table("course_effects")
    lacking = effects["gain"].isna() & effects["d"].notna() if "d" in effects else pd.Series(False, effects.index)
    if not lacking.any():
        return effects
    people = unit.table("responses")[unit.population]
    weights = unit.design.weights[unit.population]
    spread = spread_within(unit.levels, [people[name] for name in ROLE], weights)
    return effects.assign(gain=effects["gain"].where(~lacking, effects["d"] * effects["competency_id"].map(spread)))


def spread_within(draws, roles, weights):
    """Standard deviation of each competency's levels round the mean of their role, over all staff: a Series.

    Examples
    --------
    >>> levels, clerk = pd.DataFrame({"x": [1.0, 3.0, 0.0, 2.0]}), pd.Series(["a", "a", "b", "b"])
    >>> float(spread_within([levels], [clerk], pd.Series([1.0, 1.0, 1.0, 1.0]))["x"])
    1.0
    """
    squares = []
    for draw in draws:
        known = draw.notna().mul(weights, axis=0)
        mean = (draw * known).groupby(roles).transform("sum") / known.groupby(roles).transform("sum")
        squares.append(((draw - mean) ** 2 * known).sum() / known.sum())
    return (sum(squares) / len(squares)) ** 0.5


def able(unit, options):
    """Staff by stratum who have what options ask of a person, as `policy_rules` wants them."""
    counted = unit.table("able")
    if counted is None:
        return None
    return able_counts(counted, any_of(options.options["needs"]))


def staffing(unit):
    """Ways to staff a place as params declare them; those without a cost take that of their role, or None."""
    ways = pd.DataFrame(unit.values["plan"].get("staffing", ()))
    if ways.empty:
        return None
    known = _by_role(unit)
    for kind, column in BY_ROLE.items():
        mine = (ways["kind"] == kind) & ways.get("cost", pd.Series(np.nan, ways.index)).isna()
        if column is not None and known is not None and column in known:
            ways.loc[mine, "cost"] = ways.loc[mine, "role_id"].map(known[column])
    return ways


def attrition(unit):
    """Share of each role's staff that leaves in a year, where costs tell it."""
    known = _by_role(unit)
    return None if known is None or "attrition" not in known else known["attrition"].dropna().reset_index()


def _by_role(unit):
    """Costs of a role, the mean over agencies where these differ."""
    costs = unit.table("costs")
    if costs is None or "role_id" not in costs:
        return None
    return costs.dropna(subset="role_id").groupby("role_id")[list(costs.select_dtypes("number"))].mean()


def champion_interest(unit):
    """Share of each profile's staff who would like to be champions: profile, interested (0-1), n (respondents).

    Weighted by weight x P(profile); who isn't asked, being interested in nothing of the kind, isn't interested.
    """
    asked = unit.values["plan"].get("champions", {}).get("interest")
    items, posterior = unit.table("items"), unit.table("posterior")
    if asked is None or posterior is None or asked["item"] not in set(items["item_id"]):
        return None
    item = items.set_index("item_id").loc[asked["item"]]
    people = unit.table("responses").loc[posterior.index]
    answer = people[item.name].astype(float)
    if isinstance(item.get("filter_item"), str) and item["filter_item"] in people:
        codes = str(item["filter_codes"]).split("|")
        told = people[item["filter_item"]].astype(float)
        answer = answer.mask(answer.isna() & told.isin([float(code) for code in codes]), -1.0)
    known = answer.notna()
    mass = posterior[known].mul(unit.design.weights.loc[posterior.index][known], axis=0)
    share = mass.mul(answer[known] >= asked["from"], axis=0).sum() / mass.sum()
    return pd.DataFrame({"profile": range(1, len(share) + 1), "interested": share.to_numpy(), "n": int(known.sum())})


def interest_rule(staff, interested, champions):
    """No more champions of an agency and profile than are interested, as a rule of params."""
    may = np.ones(len(staff), dtype=bool)
    for column, codes in _cohorts_of(champions).items():
        may &= staff[column].astype(str).isin([str(code) for code in codes]).to_numpy()
    share = staff["profile"].map(interested.set_index("profile")["interested"])
    people = (staff["headcount"] * share * may).groupby([staff["agency_id"], staff["profile"]]).sum()
    most = {f"{agency}/{profile}": int(np.floor(count + 1e-9)) for (agency, profile), count in people.items()}
    return {"id": "champions_interested", "type": "max_sum", "field": "people", "where": {"tier": "champion"},
            "by": ["agency_id", "profile"], "max": most}  # fmt: skip


def importance_weights(requirements):
    """Weight of a competency in a role: its importance as a part of the role's whole."""
    total = requirements.groupby(["role_id", "role_level"])["importance"].transform("sum")
    keys = ["role_id", "role_level", "competency_id"]
    return requirements[keys].assign(weight=requirements["importance"] / total)
