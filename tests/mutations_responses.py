"""Kinds of damage to answers, and to whose they are."""

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    REJECTED,
    ROW,
    both,
    cell,
    column,
    doubled,
    down,
    frame,
    left,
    odd_number,
    one,
    respondents_in,
    some,
    swapped,
    whole,
)

ITEMS = ("DL01", "DL02", "DL03", "DI01", "DI02", "GO01", "GO02", "GO03", "DS01", "DS02", "DS03", "CB01")


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
            "an answer below the scale",
            one("DL01", "-1"),
            ("responses.csv line 3, column DL01: answer -1 is outside 0..4",),
        ),
        (
            "an undeclared missing code in many rows",
            whole("responses", ["GO01"], lambda v: v.where(v != "1", "9")),
            ("responses.csv line", "column GO01: answer 9 is outside 0..4", "rows)", "missing_codes"),
        ),
        ("an answer in words", *odd_number("often")),
        ("an answer between two categories", *odd_number("2.5")),
        ("an answer with a decimal comma", *odd_number("3,0")),
        ("an answer NA", *odd_number("NA")),
        ("an answer -", *odd_number("-")),
        ("an answer TRUE", *odd_number("TRUE")),
        ("digits of another script", *odd_number("\u0663")),
        ("full-width digits", *odd_number("\uff13")),
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
            "answers from 0 to 4 where items say 1 to 5",
            shifted(-1, ["DL03"]),
            ("responses.csv line", "column DL03: answer 0 is outside 1..5"),
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
            "a person twice, all of it",
            doubled("responses", lambda r: r["staff_id"], 3),
            ("responses.csv line 302, column staff_id", "stands in lines 2, 302", "(3 rows)"),
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
            "an id nobody has",
            one("staff_id", "999999"),
            ("responses.csv line 3, column staff_id", "'999999' is not in register.csv.gz"),
        ),
        (
            "ids without their leading zeros",
            column("responses", "staff_id", lambda v: v.str.lstrip("0")),
            ("responses.csv line 2, column staff_id", "(300 rows)", "leading zeros were lost"),
        ),
        (
            "an id in scientific notation",
            one("staff_id", "1E+05"),
            ("responses.csv line 3, column staff_id", "'1E+05' is not in"),
        ),
        (
            "answers a row too far down",
            down("responses", ["GO01", "GO02", "GO03"]),
            ("responses.csv line 144, column status: the status is 'no_response', and there are answers",),
        ),
        (
            "a value lost: the answers stand one item too far left",
            frame(
                "responses",
                lambda rows: rows.assign(
                    **dict(
                        zip(respondents_in(rows), [rows[n] for n in [*respondents_in(rows)[1:], "DL01"]], strict=True)
                    )
                ),
            ),
            ("responses.csv line", "outside"),
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
            "an item answered twice by a person",
            doubled("responses", lambda r: r["staff_id"]),
            ("responses.csv line", "column savol", "twice"),
            "long",
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
            one("savol", "XX01"),
            ("responses.csv line 3, column savol", "'XX01'", "left out"),
            "long",
        ),
        (
            "whole numbers with decimals throughout",
            whole("responses", None, lambda v: v.where(v == "", v + ".0")),
            ("responses.csv, column DL01", "whole numbers are written with decimals"),
        ),
    ),
    *some(
        "responses",
        INVISIBLE,
        ("two items of one scale swapped", swapped("responses", "PR01", "GO01"), "the same categories in both"),
        ("both items of a competency the other way round", turned("DI01", "DI02"), "they agree with each other"),
        ("the only item of a competency the other way round", turned("CB01"), "nothing to hold it against"),
        (
            "all answers of an agency the other way round",
            turned(*ITEMS, rows=of_agency("yig\u02bbim")),
            "an agency may be as weak as the others are strong",
        ),
        (
            "an answer mistyped within the scale",
            whole("responses", ["CB01"], lambda v: v.mask((v == "1") & (v.index < 60), "4")),
            "it is as good as any",
        ),
        (
            "an item a row too far down, among respondents",
            frame(
                "responses",
                lambda rows: rows.assign(
                    CB01=rows["CB01"].where(rows["status"] == "no_response", rows["CB01"].shift(1, fill_value="2"))
                ),
            ),
            "each row is possible",
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
        (
            "a value lost in one row: answers one item too far left, within the scale",
            left("responses", ROW, "GO01"),
            "every answer is possible",
        ),
    ),
]
