"""Hold one table against its contract: every fault of it, before anything is used."""

import pandas as pd

from skillsgap.contracts import CONTRACTS, OPEN, check
from skillsgap.study.loaded import ROWS
from skillsgap.study.notation import typed
from skillsgap.wording import N_


def validate(loaded, labels=None):
    """Type a table's columns and hold them against its contract.

    Parameters
    ----------
    loaded : Loaded
        Its frame gets typed columns, its faults grow.
    labels : dict of str to collection of str, optional
        Codes that params name, by column: besides ours, a group of competencies or a tier of courses may be theirs.
    """
    contract, unread = CONTRACTS[loaded.table], set()
    for column, rule in contract.columns.items():
        if column in loaded.frame:
            before = len(loaded.faults)
            loaded.frame[column] = typed(loaded, column, rule.kind)
            unread |= {column} if len(loaded.faults) > before else set()
    failures = check(loaded.table, loaded.frame.drop(columns=ROWS, errors="ignore"))
    for (column, kind), cases in failures.groupby(["column", "check"], sort=True):
        if kind == "levels" and column in OPEN:
            cases = cases[~cases["value"].isin((labels or {}).get(column, ()))]
        # a value that can't be read is missing by now, and has been told
        if len(cases) and not (kind == "not_nullable" and column in unread):
            _broken(loaded, contract, column, kind, cases)
    _duplicates(loaded, contract)
    if "n_rows" in loaded.spec and loaded.rows != loaded.spec["n_rows"]:
        loaded.fault(None, None, N_("the file holds {rows} rows, and params say {n_rows}"),
                     N_("send the whole file, or correct data.{table}.n_rows"),
                     {"rows": loaded.rows, "n_rows": loaded.spec["n_rows"], "table": loaded.table})  # fmt: skip


def _broken(loaded, contract, column, kind, cases):
    rule, said = contract.columns[column], {"column": column, "table": contract.table}
    odd = None if cases["line"].isna().any() else loaded.frame[loaded.frame.index.isin(cases["line"])]
    said["value"] = cases.iloc[0]["value"]
    if odd is not None and column in loaded.frame:
        said["value"] = loaded.frame.loc[odd.index.min(), column]
    if isinstance(said["value"], float):
        said["value"] = f"{said['value']:g}"
    recode = N_("correct it, or recode it in params: data.{table}.recode.{column}")
    named = N_("correct it, or name it in params: labels.{column}")
    words = {
        "column_in_dataframe": (N_("there is no column {column}"),
                                N_("add it, or map it in params: data.{table}.columns")),
        "not_nullable": (N_("the value is empty"), N_("fill it in")),
        "levels": (N_("{value!r} is not one of {levels}"), named if column in OPEN else recode),
        "low": (N_("{value} is below {low}"), recode),
        "high": (N_("{value} is above {high}"), recode),
    }  # fmt: skip
    text, remedy = words[kind]
    limits = {"levels": ", ".join(map(str, rule.levels)), "low": rule.low, "high": rule.high}
    loaded.fault(odd, column, text, remedy, said | limits)


def _duplicates(loaded, contract):
    key = [column for column in contract.key if column in loaded.frame]
    whole = [column for column in key if not contract.columns[column].empty]
    if not key or ROWS in loaded.frame or not {c for c in contract.key if contract.columns[c].required} <= set(key):
        return
    if not contract.person_level:
        _said_again(loaded, contract)
    frame = loaded.frame.dropna(subset=whole)  # an empty key is told by the contract
    again = frame[frame.duplicated(key)]
    if again.empty or (contract.table in ("register", "responses") and "staff_id" not in key):
        return
    first = again.iloc[0]
    same = pd.concat([frame[c].eq(first[c]) | (frame[c].isna() & pd.isna(first[c])) for c in key], axis=1).all(axis=1)
    lines = frame.index[same]
    said = {"value": " ".join(str(first[c]) for c in key if pd.notna(first[c])),
            "lines": ", ".join(map(str, lines[:3]))}  # fmt: skip
    loaded.fault(again, " + ".join(key), N_("{value!r} stands in lines {lines}"), N_("keep one of them"), said)


def _said_again(loaded, contract):
    """A row that says in every column what another one says is that row, copied."""
    said = [column for column in contract.columns if column in loaded.frame]
    again = loaded.frame.duplicated(said)
    if again.any():
        copy = loaded.frame[again]
        same = loaded.frame[said].fillna("").astype(str).eq(copy[said].iloc[0].fillna("").astype(str)).all(axis=1)
        lines = ", ".join(map(str, loaded.frame.index[same][:3]))
        loaded.note(copy, None, N_("lines {lines} hold the same row"), N_("counted once"), {"lines": lines})
        loaded.frame = loaded.frame[~again]


def empty(loaded, column, remedy):
    """A fault where a column that may be empty in general is empty here."""
    odd = loaded.frame[loaded.frame[column].isna()]
    if len(odd):
        loaded.fault(odd, column, N_("the value is empty"), remedy)
