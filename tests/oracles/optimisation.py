"""Adapter of kind optimisation: an instance's groups, options and constraints as declared rules of a plan."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.decide.choices import Choices
from skillsgap.decide.conflicts import find_conflict
from skillsgap.decide.program import build_program
from skillsgap.decide.solve import solve


def answer(spec, ask, folder):
    """The best value, the status, the plan or the conflict asked for."""
    if spec["sense"] != "max" or spec["choose"] != "one_option_per_group":
        raise NotImplementedError(f"{spec['sense']}, {spec['choose']}")
    asked = (str(Path(folder) / spec["instance"]), spec["objective"]["field"], spec["null_option"])
    report = ask["report"]
    if report == "conflict":
        rules, choices, program = _built(*asked)
        return list(find_conflict(program, rules, choices=choices, mip_gap=0.0).rules)
    best = _best(*asked)
    if report in ("status", "objective"):
        return best.status if report == "status" else float(best.value)
    if report == "plan":
        _, choices, _ = _built(*asked)
        taken = np.flatnonzero(best.seats)
        groups = choices.groups["group_id"].to_numpy()[choices.column_group[taken]]
        return dict(zip(groups, choices.options["option_id"].to_numpy()[choices.column_option[taken]], strict=True))
    raise NotImplementedError(report)


@lru_cache(maxsize=8)
def _built(path, objective, null_option):
    """Constraints, choices and program of an instance: every option of every group is an option of its own."""
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    groups = pd.DataFrame([{name: value for name, value in group.items() if name != "options"} | {
        "group_id": group["id"], "size": 1} for group in given["groups"]])  # fmt: skip
    offers = pd.DataFrame([option | {"option": number} for number, option in enumerate(
        option for group in given["groups"] for option in group["options"])])  # fmt: skip
    column_group = np.repeat(np.arange(len(groups)), [len(group["options"]) for group in given["groups"]])
    steps = offers.drop(columns="id")
    options = offers[["id"]].rename(columns={"id": "option_id"})
    fields = {objective: offers[objective].to_numpy(dtype=float)}
    choices = Choices(groups, options, steps, column_group, np.arange(len(options)), fields)
    rules = given["constraints"]
    return rules, choices, build_program(choices, rules, value=objective, exact=True, null_option=null_option)


@lru_cache(maxsize=8)
def _best(path, objective, null_option):
    return solve(_built(path, objective, null_option)[2], mip_gap=0.0)
