"""Contracts: every table of the design has one, METHODS' needs are in them, and no verb uses a column outside them."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from skillsgap.contracts import CONTRACTS, INPUTS, check
from skillsgap.study.records import Study

REPO = Path(__file__).parents[1]
NEEDS = tomllib.loads((REPO / "tests" / "methods_needs.toml").read_text(encoding="utf-8"))
SHARED = REPO.parent / "shared"
# tables of the design, as it groups them
DESIGN = ("competencies", "items", "requirements", "register", "responses", "aggregates", "training_records", "courses",
          "course_effects", "costs", "agencies", "indicators", "exposure", "crosswalk", "use_cases", "pilot_outcomes")
FRAMEWORK = ("descriptors", "choices", "form_texts")  # and what a questionnaire is made of besides


def test_every_table_of_the_design_has_a_contract():
    assert {*DESIGN, *FRAMEWORK} == set(INPUTS) and set(INPUTS) <= set(CONTRACTS)


@pytest.mark.parametrize("section", NEEDS)
def test_a_need_of_METHODS_is_declared_by_a_contract(section):
    for need in NEEDS[section]["needs"]:
        table, column = need.split(".")
        assert column in CONTRACTS[table].columns, f"METHODS, {section}, needs {need}"


@pytest.mark.skipif(not (SHARED / "METHODS.md").exists(), reason="the project's METHODS are not beside this checkout")
def test_every_section_of_METHODS_was_walked():
    headings = re.findall(r"^## (.+)$", (SHARED / "METHODS.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in headings if not any(name.startswith(section) for section in NEEDS)] == []


# columns that a verb makes for itself on the way from one contract's columns to another's; in the chain also the
# columns of design_facts, which is a record and no table
BETWEEN = {
    "estimate.aggregates": {"cell", "count", "fixed", "inverse", "p", "required", "size", "total", "variance"},
    "measures.careless": {"any", "long_run", "low_variation", "speed"},
    "estimate.gaps": {"shortfall_raw"},
    "measures.irt": {"step"},
    "measures.irt_abilities": {"ability", "reliability"},
    "estimate.priorities": {"order"},
    "profiles.gaussian": {"degenerate"},
    "profiles.membership": {"p_term", "term"},
    "profiles.selection": {"adjusted_rand_bootstrap", "smallest_n", "stability"},
    "workforce.able": {"needs", "people"},
    "workforce.projection": {"weight_squares", "weight_sum"},
    "measures.raters": {"df_from", "kind", "metric", "pair_weight", "unit", "weights"},
    "survey.response": {"size", "sum"},
    "measures.scales": {"alpha", "omega_total"},
    "survey.weighting": {"total"},
    "run.chain": {"centre", "degf", "method"},
}
# columns of a plan's blocks, options and steps, and the words of its rules and params: they are no tables of a unit
OF_PLANS = {
    "_merge", "again", "block", "charged_to", "competency", "den_mult", "done", "each_agency", "effect",
    "factor", "field", "gap_closed_random", "group_id", "holds", "id", "if_", "in", "label", "lost",
    "mip_abs_gap", "mip_max_nodes", "needs", "num", "num_mult", "num_where", "open_to", "option", "order", "people",
    "periods", "place", "places", "promotion", "provider_max", "refresher", "regret", "regret_cautious",
    "role_id_asked", "role_level_asked", "row", "seats_all", "seats_drawn", "since", "size", "taken",
    "then_group_trained", "to_role_id", "to_role_level", "usual",
}
VERBS = sorted([*(REPO / "skillsgap" / "estimate").rglob("*.py"), *(REPO / "skillsgap" / "decide").glob("*.py"),
                REPO / "skillsgap" / "run" / "chain.py"])  # fmt: skip


def used_columns(path):
    """Names that code takes from a frame by subscript, `groupby`, `merge`, `join` or `sort_values`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript):
            yield from _texts(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("groupby", "merge", "join", "sort_values", "set_index", "drop_duplicates"):
                for argument in (*node.args, *(word.value for word in node.keywords if word.arg in ("on", "by"))):
                    yield from _texts(argument)


def _texts(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.List, ast.Tuple)):
        for part in node.elts:
            yield from _texts(part)


def params_keys(schema=None):
    """Every key that a params file may have."""
    if schema is None:
        schema = json.loads((REPO / "skillsgap" / "study" / "params.schema.json").read_text(encoding="utf-8"))
    for key, value in schema.items():
        if key == "properties":
            yield from value
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield from params_keys(part)


@pytest.mark.parametrize("path", VERBS, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_no_verb_uses_a_column_that_no_contract_declares(path):
    declared = {column for contract in CONTRACTS.values() for column in contract.columns}
    name = f"{path.parent.name}.{path.stem}"
    if name in ("run.chain", "run.profiles"):  # they ask tables and params by name too
        declared |= {*CONTRACTS, *params_keys()}
    declared |= OF_PLANS if path.parent.name == "decide" else set()
    found = set(used_columns(path))
    assert sorted(found - declared - BETWEEN.get(name, set())) == []
    assert BETWEEN.get(name, set()) <= found, "a column that nothing makes any more"


def test_a_study_holds_nothing_undeclared(made):
    unit = made.project.open()
    items = set(unit.table("items")["item_id"])
    extra = {"in_population", "well_matched"}
    for name, table in Study.tables(unit.study).items():
        if name in CONTRACTS and name in INPUTS:
            allowed = {*CONTRACTS[name].columns, *extra, *(items if name == "responses" else ())}
            assert set(table) <= allowed, name


@pytest.mark.parametrize("table", INPUTS)
def test_every_failure_of_a_table_comes_at_once(table):
    columns = CONTRACTS[table].columns
    frame = pd.DataFrame({name: ["nonsense" if rule.levels else -1e9] for name, rule in columns.items()})
    failed = set(check(table, frame)["column"])
    limited = {name for name, rule in columns.items() if rule.levels or rule.low is not None}
    assert limited <= failed
