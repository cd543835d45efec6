"""What a plan is made of, built once for all budgets and draws: blocks of staff, options, rules, one program."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from skillsgap.decide.catalogue import refuse
from skillsgap.decide.choices import Choices
from skillsgap.decide.options import Options, allowed, training_options
from skillsgap.decide.policy import equity_rules, policy_rules
from skillsgap.decide.program import Program, build_program
from skillsgap.decide.staffing import ROLES
from skillsgap.decide.worth import NEED_TYPE, Needs, Worth, needs_of, worth_of
from skillsgap.errors import PlanError

BLOCK = ["agency_id", *NEED_TYPE]  # cohorts that differ in nothing else are one block: no rule tells them apart


@dataclass(frozen=True)
class Problem:
    """Inputs of a plan turned into blocks, columns and rules; a column is a block with one option.

    `cohorts` has the number of its `block`; `blocks`: group_id, size, need (weighted levels a head), what rules name.
    `rules` hold; `equity` is what equity rules would be, whether they hold or not.
    """

    cohorts: pd.DataFrame
    blocks: pd.DataFrame
    kind: np.ndarray  # (n_blocks,) row of `needs.types`
    options: Options
    needs: Needs
    worth: Worth
    attrition: pd.DataFrame | None
    choices: Choices
    rules: list
    equity: list
    program: Program

    @property
    def need(self):
        """Weighted levels of all staff, by competency."""
        return self.blocks["size"].to_numpy() @ self.worth.need[self.kind]

    @property
    def budget(self):
        """Money of all periods."""
        return float(sum(rule["max"] for rule in self.budgets))

    @property
    def budgets(self):
        """The rules that hold the money, one a period."""
        return [rule for rule in self.rules if rule["family"] == "budget" and rule["type"] == "max_sum"]

    def with_budget(self, budget):
        """The same problem with this much money; several periods keep their shares of it."""
        if not budget >= 0:
            raise PlanError(f"budget must be >= 0, but is {budget}; give the money available, 0 for none.")
        part = budget / self.budget if self.budget > 0 else np.nan
        rules, high = [], self.program.high.copy()
        for rule in self.rules:
            if rule["family"] == "budget" and rule["type"] == "max_sum":
                amount = rule["max"] * part if np.isfinite(part) and np.isfinite(self.budget) else \
                    budget / len(self.budgets)
                rule = rule | {"max": amount}
                high[self.program.row_rule == rule["id"]] = amount
            rules.append(rule)
        return replace(self, rules=rules, program=replace(self.program, high=high))

    def without(self, names):
        """The same problem without these rules."""
        names = set(names)
        kept = [rule for rule in self.rules if rule["id"] not in names]
        return replace(self, rules=kept, program=self.program.without(names))

    def with_rules(self, more):
        """The same problem with further rules."""
        rules = [*self.rules, *more]
        return replace(self, rules=rules, program=build_program(self.choices, rules))

    def with_gains(self, gains):
        """The same problem with other gains of the courses (n_effects,)."""
        worth = worth_of(self.needs, self.options, gains=gains, attrition=self.attrition)
        value = worth.value[self.kind[self.choices.column_group], self.choices.column_option]
        # equity's rules add up value: their coefficients follow it
        choices = replace(self.choices, fields=self.choices.fields | {"value": value})
        program = replace(self.program, value=value)
        if any("value" in str(rule.get(part, "")) for rule in self.rules for part in ("field", "num", "den")):
            program = build_program(choices, self.rules)
        return replace(self, worth=worth, choices=choices, program=program)


def plan_problem(
    cohorts, shortfalls, courses, course_effects, weights, *, rules, options=None, able=None, cohort_groups=None,
    agencies=None, attrition=None,
):
    """Blocks, options, worth and rules of a plan; parameters as in `plan_training`."""
    if options is None:  # nobody's devices, languages and earlier courses are known
        known = {} if able is not None else {"completed": False, "device_modes": ()}
        options = training_options(courses, course_effects, **known)
    needs = needs_of(cohorts, shortfalls, weights)
    worth = worth_of(needs, options, attrition=attrition)
    cohorts, blocks = _blocks(cohorts, options, rules, cohort_groups, agencies)
    kind = needs.number(blocks)
    blocks = blocks.assign(need=worth.need[kind].sum(axis=1))
    declared = policy_rules(rules, blocks, options, able=able, agencies=agencies)
    group, option = _columns(blocks, options, worth, kind, declared)
    reached = set(blocks["agency_id"].to_numpy()[group])  # a least share for whom no course helps would allow no spend
    declared = [rule for rule in declared if rule["family"] != "agency_minimum"
                or rule["num_where"]["agency_id"] in reached]  # fmt: skip
    attributes = options.options.drop(columns=list(ROLES))
    fields = {"value": worth.value[kind[group], option]}
    choices = Choices(blocks, attributes, options.steps, group, option, fields)
    return Problem(
        cohorts, blocks, kind, options, needs, worth, attrition, choices, declared, equity_rules(rules, blocks),
        build_program(choices, declared))  # fmt: skip


def _blocks(cohorts, options, rules, cohort_groups, agencies):
    """Cohorts with the number of their block, and the blocks with what rules and courses tell staff apart by."""
    cohorts = _checked_cohorts(cohorts)
    said = " ".join([str(rules), *options.courses.get("eligibility", pd.Series(dtype=str)).astype(str)])
    keys = BLOCK + [name for name in cohorts if name not in (*BLOCK, "cohort_id", "headcount") and name in said]
    grouped = cohorts.groupby(keys, sort=True, dropna=False)
    blocks = grouped["headcount"].sum().rename("size").reset_index()
    cohorts = cohorts.assign(block=grouped.ngroup().to_numpy())
    blocks.insert(0, "group_id", [f"b{number:05d}" for number in range(len(blocks))])
    if agencies is not None:
        extra = [name for name in ("hub_id", "admin_level") if name in agencies and name not in blocks]
        known = agencies.drop_duplicates("agency_id").set_index("agency_id")[extra]
        blocks = blocks.join(known.reindex(blocks["agency_id"]).set_axis(blocks.index))
    if cohort_groups is not None:
        blocks = blocks.join(_group_shares(cohorts, cohort_groups))
    return cohorts, blocks


def _group_shares(cohorts, cohort_groups):
    """Share of each block in each group, such as "sex=female": 0-1, by number of the block."""
    table = cohort_groups.merge(cohorts[["cohort_id", "block", "headcount"]], on="cohort_id")
    name = table["by"].astype(str) + "=" + table["group"].astype(str)
    people = (table["share"] * table["headcount"]).groupby([table["block"], name]).sum().unstack(fill_value=0.0)
    size = cohorts.groupby("block")["headcount"].sum()
    return people.div(size, axis=0).reindex(size.index).fillna(0.0)


def _checked_cohorts(cohorts):
    if cohorts.empty:
        raise PlanError("cohorts has no row; a plan needs at least one cohort of staff.")
    table = cohorts.sort_values("cohort_id", ignore_index=True)
    ids, heads = table["cohort_id"], table["headcount"].to_numpy(dtype=float)
    refuse("cohort", ids, ids.duplicated(), "appears twice; give each cohort one row")
    whole = np.isfinite(heads) & (heads >= 0) & (heads == np.floor(heads))
    refuse("cohort", ids, ~whole, "needs a whole head-count >= 0; round it", table["headcount"])
    return table.astype(dict.fromkeys(NEED_TYPE, str)).assign(headcount=heads.astype(np.int64))


def _columns(blocks, options, worth, kind, rules):
    """Which block could take which option: it may, and the option helps, or a rule asks for it."""
    may = allowed(blocks.rename(columns={"group_id": "cohort_id", "size": "headcount"}), options)
    may &= (blocks["size"].to_numpy() > 0)[:, None]
    asked = {str(value) for rule in rules if rule["type"] in ("min_sum", "min_count") and not rule.get("when_used")
             for name, value in _codes(rule) if name in ("tier", "course_id")}  # fmt: skip
    steps = options.steps
    wanted = steps[["tier", "course_id"]].astype(str).isin(asked).any(axis=1).groupby(steps["option"]).any()
    value = worth.value[kind]
    return np.nonzero(may & ((value > 0) | ((value >= 0) & wanted.to_numpy()[None, :])))


def _codes(rule):
    for name, value in (rule.get("where") or {}).items():
        value = value["in"] if isinstance(value, dict) else value
        for code in value if isinstance(value, (list, tuple, set)) else [value]:
            yield name, code
