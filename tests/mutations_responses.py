"""Kinds of damage to answers, and to whose they are."""

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    REJECTED,
    again,
    both,
    cell,
    column,
    doubled,
    frame,
    odd_number,
    one,
    some,
    swapped,
    whole,
)


def shifted(by, items=None, rows=lambda r: r["status"] != ""):
    """Answers moved along the scale, of some items and rows."""

    def change(table):
        names = items or [name for name in table if name[:2].isupper()]
        hit = rows(table)
        kept = {name: ~hit | table[name].isin(["", "88", "99"]) for name in names}
        moved = {name: (pd.to_numeric(table[name]) + by).astype("Int64").astype("string") for name in names}
        return table.assign(**{name: table[name].where(kept[name], moved[name]) for name in names})

    return frame("responses", change)


def turned(*items, rows=lambda r: r["status"] != ""):
    """Answers the other way round."""

    def change(table):
        hit = rows(table)
        top = {name: 6 if name == "DL03" else 4 for name in items}
        return table.assign(**{
            n: table[n].where(~hit | table[n].isin(["", "88", "99"]),
                              (top[n] - pd.to_numeric(table[n])).astype("Int64").astype("string")) for n in items
        })  # fmt: skip

    return frame("responses", change)


def of_agency(code):
    return lambda rows: rows["stratum"] == code


RESPONSES = [
    *some(
        "responses",
        REJECTED,
        (
            "an answer beyond the scale",
            one("DL01", "7"),
            ("responses.csv line 3, column DL01: answer 7 is outside 0..4", "missing_codes"),
        ),
        (
            "an undeclared missing code in many rows",
            whole("responses", ["GO01"], lambda v: v.where(v != "1", "9")),
            ("responses.csv line", "column GO01: answer 9 is outside 0..4", "rows)", "missing_codes"),
        ),
        ("an answer between two categories", *odd_number("2.5")),
        ("an answer with a decimal comma", *odd_number("3,0")),
        ("an answer NA", *odd_number("NA")),
        ("digits of another script", *odd_number("\u0663")),
        ("answers from 1 to 5 in the whole file", shifted(1), ("responses.csv line", "answer 5 is outside 0..4")),
        (
            "answers from 1 to 5 in one item",
            shifted(1, ["GO01"]),
            ("responses.csv line", "column GO01: answer 5 is outside 0..4"),
        ),
        (
            "answers from 1 to 5 in one agency",
            shifted(1, None, of_agency("yig\u02bbim")),
            ("responses.csv line", "answer 5 is outside 0..4"),
        ),
        (
            "an item the other way round, of three",
            turned("GO01"),
            ("responses.csv, column GO01", "item GO01 goes against the other items of genai_oversee", "reverse: yes"),
        ),
        (
            "an item the other way round, of two",
            turned("DI01"),
            ("responses.csv, column DI0", "goes against the other items of data_interpret"),
        ),
        (
            "a declared reversal that was turned before",
            turned("DL02"),
            ("responses.csv, column DL02", "goes against the other items of digital_literacy"),
        ),
        (
            "a person twice, with other answers",
            both(
                doubled("responses", lambda r: r["staff_id"]),
                cell("responses", 302, "DL01", "0"),
                cell("responses", 302, "CL01", "4"),
            ),
            ("responses.csv line 302, column staff_id", "stands in lines 2, 302", "keep one"),
        ),
        (
            "a person's answers twice, under the id of somebody who did not answer",
            frame(
                "responses",
                lambda rows: pd.concat([rows.iloc[:-1], rows.iloc[[0]].assign(staff_id=rows["staff_id"].iloc[-1])]),
            ),
            ("responses.csv line 301", "lines 2, 301 hold the same", "drop the copies"),
        ),
        ("no id", one("staff_id", ""), ("responses.csv line 3, column staff_id",)),
        (
            "an id in scientific notation",
            one("staff_id", "1E+05"),
            ("responses.csv line 3, column staff_id", "'1E+05' is not in"),
        ),
        (
            "two items of other scales swapped",
            swapped("responses", "DL03", "CL01"),
            ("responses.csv line", "column DL03: answer 0 is outside 1..5"),
        ),
        (
            "a misspelt name: weigth",
            frame("responses", lambda rows: rows.rename(columns={"weight": "weigth"})),
            ("responses.csv", "'weigth'", "weight"),
        ),
        (
            "everybody asked, nobody answered",
            whole("responses", None, lambda v: v.mask(v != "", "")),
            ("responses.csv",),
        ),
        (
            "a person's rows that differ in more than the answer",
            one("status", "partial", 4),
            ("responses.csv line", "differ in more than the answer"),
            "long",
        ),
        ("an item in another case, one answer a row", one("savol", "dl01", 5), ("responses.csv", "'dl01'"), "long"),
        (
            "a cell that the register lacks",
            one("role_level", "chief", 2),
            ("responses.csv line 2", "chief", "is not in register.csv.gz"),
            "cells",
        ),
    ),
    *some(
        "responses",
        NOTED,
        (
            "an item that items don't know, one answer a row",
            again("responses", savol="XX01"),
            ("responses.csv line 8402, column savol", "'XX01'", "left out"),
            "long",
        ),
    ),
    *some(
        "responses",
        INVISIBLE,
        ("two items of one scale swapped", swapped("responses", "PR01", "GO01"), "the same categories in both"),
        ("both items of a competency the other way round", turned("DI01", "DI02"), "they agree with each other"),
        ("the only item of a competency the other way round", turned("CB01"), "nothing to hold it against"),
        (
            "an answer mistyped within the scale",
            whole("responses", ["CB01"], lambda v: v.mask((v == "1") & (v.index < 60), "4")),
            "it is as good as any",
        ),
        (
            "the ids of two people swapped",
            column(
                "responses",
                "staff_id",
                lambda v: v.set_axis(v.index).iloc[[3, 1, 2, 0, *range(4, len(v))]].set_axis(v.index),
            ),
            "nothing else says who they are",
        ),
    ),
]
