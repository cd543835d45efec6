"""A ministry's own rules: read as they stand, and refused where they name what isn't there."""

from itertools import product

from skillsgap.decide.ruleparts import amount, known_keys, one_of
from skillsgap.decide.staffing import ROLES
from skillsgap.errors import PlanError

FIELDS = ("cost", "hours", "seats", "people", "value")
NEEDED = {"max_sum": ("field", "max"), "min_sum": ("field", "min"), "min_count": ("min",),
          "min_ratio": ("num", "den", "num_mult", "den_mult"), "fixed_cost": ("cost", "charged_to"),
          "implies": ("if_", "then_group_trained")}  # fmt: skip
ALLOWED = {"max_sum": ("where", "by"), "min_sum": ("where", "by", "when_used"), "min_count": ("where", "by"),
           "min_ratio": ("where", "num_where", "den_where"), "fixed_cost": ("where", "by"), "implies": ()}  # fmt: skip


def own_rules(rules, taken, groups, options):
    """A ministry's own rules, checked by name against the courses, the options and the staff of the plan.

    Parameters
    ----------
    rules : list of dict with id, type and what the type needs; where {attribute: value or list}; by [attributes].
        max_sum (field, max), min_sum (field, min, when_used), min_count (min), min_ratio (num, den, num_mult,
        den_mult: num_mult x num - den_mult x den >= 0), fixed_cost (cost, charged_to), implies (if_: [group, option],
        then_group_trained). Fields: cost, hours, seats, people, value, a number of staff, or a product such as
        "value*sex=female".
    taken : list of dict, the rules that are already there
    groups, options : see `policy_rules`

    Returns
    -------
    list of dict, with the family "own"; one minimum for every combination of `by` is written out, so that a
    combination nobody can serve counts too.

    Raises
    ------
    PlanError
        Naming the rule, the value and what is known.
    """
    ids, checked = {rule["id"] for rule in taken}, []
    ids |= {name.partition(":")[0] for name in ids}
    attributes = attribute_values(groups, options)
    for rule in rules:
        name = _identity(rule, ids)
        ids.add(rule["id"])
        for key in ("field", "num", "den"):
            if key in rule:
                _check_field(name, rule[key], groups)
        for key in ("where", "num_where", "den_where"):
            _check_where(f"{name}: {key}", rule.get(key) or {}, attributes)
        made = {"family": "own", **rule}
        if "by" in rule:
            made |= _spelt_out(name, rule, attributes)
        for key in ("max", "min", "cost", "num_mult", "den_mult"):
            for limit in made[key].values() if isinstance(made.get(key), dict) else [made.get(key, 0)]:
                amount(f"{name}: {key}", limit)
        if rule["type"] == "fixed_cost":
            sums = [some["id"] for some in [*taken, *checked] if some["type"] == "max_sum" and "by" not in some]
            one_of(f"{name}: charged_to", rule["charged_to"], sums, "rule that adds up at most")
        if rule["type"] == "implies":
            _check_implies(name, rule, groups, options)
        checked.append(made)
    return checked


def _identity(rule, ids):
    known = f"plan.rules {rule.get('id')}"
    if not isinstance(rule.get("id"), str) or not rule["id"] or ":" in rule["id"]:
        raise PlanError(f'{known}: a rule needs an id without ":"; name it, such as women_in_south.')
    if rule["id"] in ids:
        raise PlanError(f"{known}: this id is taken by another rule; rename yours.")
    one_of(f"{known}: type", rule.get("type"), NEEDED, "type of rule")
    needed = ("id", "type", *NEEDED[rule["type"]])
    known_keys(known, rule, (*needed, "family", *ALLOWED[rule["type"]]))
    missing = [key for key in needed if key not in rule]
    if missing:
        raise PlanError(f"{known}: a {rule['type']} needs {', '.join(missing)}; add it.")
    return known


def attribute_values(groups, options):
    """Values of every attribute, looked for in courses, then options, then staff; a role is that of staff."""
    tables = (groups, options.options.drop(columns=list(ROLES), errors="ignore"), options.steps)
    found = {column: table[column] for table in tables for column in table if column not in ("option", "size")}
    return found | {"not_option": options.options["option_id"]}


def _check_field(name, field, groups):
    parts = str(field).split("*")
    numbers = [column for column in groups.select_dtypes("number") if column != "size"]
    for part in parts:
        one_of(f"{name}: field", part, [*FIELDS, *numbers], "field")
    if sum(part in FIELDS for part in parts) > 1:
        raise PlanError(f'{name}: "{field}" multiplies two of {", ".join(FIELDS)}; multiply one with numbers of staff.')


def _check_where(name, where, attributes):
    for attribute, wanted in where.items():
        one_of(name, attribute, attributes, "attribute of courses, options or staff")
        wanted = wanted["in"] if isinstance(wanted, dict) and list(wanted) == ["in"] else wanted
        known = set(attributes[attribute].astype(str))
        for value in wanted if isinstance(wanted, (list, tuple)) else [wanted]:
            one_of(f"{name} {attribute}", str(value), known, attribute)


def _spelt_out(name, rule, attributes):
    """Limits of every combination, and none of a combination that isn't there."""
    for attribute in rule["by"]:
        one_of(f"{name}: by", attribute, attributes, "attribute of courses, options or staff")
    known = combinations(rule["by"], attributes)
    key = next(key for key in ("max", "min", "cost") if key in rule)
    limit = rule[key]
    for some in limit if isinstance(limit, dict) else ():
        one_of(f"{name}: {key}", str(some), known, "/".join(rule["by"]))
    return {key: {str(some): each for some, each in limit.items()} if isinstance(limit, dict) else
            dict.fromkeys(known, limit)}  # fmt: skip


def combinations(by, attributes):
    """Every combination of the values of some attributes, as keys "a/b"."""
    values = (sorted(attributes[attribute].dropna().astype(str).unique()) for attribute in by)
    return ["/".join(some) for some in product(*values)]


def _check_implies(name, rule, groups, options):
    if not isinstance(rule["if_"], (list, tuple)) or len(rule["if_"]) != 2:
        raise PlanError(f"{name}: if_ is {rule['if_']}; give [group, option].")
    one_of(f"{name}: if_", rule["if_"][0], groups["group_id"], "group")
    one_of(f"{name}: if_", rule["if_"][1], options.options["option_id"], "option")
    one_of(f"{name}: then_group_trained", rule["then_group_trained"], groups["group_id"], "group")
