"""Kinds of damage to courses and their effects, agencies, and the crosswalk of grades."""

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    again,
    both,
    cell,
    column,
    dropped,
    frame,
    grades,
    number,
    params,
    some,
    split,
    swapped,
    wrong,
)

COURSES = [
    *some(
        "courses",
        REJECTED,
        ("an id twice, for two courses", *wrong("courses", 3, "course_id", "B01", "stands in lines 2, 3")),
        ("hours beyond a year's", *wrong("courses", 3, "hours", "9999", "9999 is above 2000")),
        ("a price with a currency sign", *number("courses", 3, "cost_per_seat", "$150")),
        ("a price with a thousands blank", *number("courses", 3, "fixed_cost", "10 000")),
        ("no price", *wrong("courses", 3, "cost_per_seat", "", "the value is empty")),
        (
            "another currency",
            *wrong("courses", 3, "currency", "EUR", "EUR is not the budget's XXX", "convert the prices"),
        ),
        ("a currency in small letters", *wrong("courses", 3, "currency", "xxx", "xxx")),
        ("prices of another year", *wrong("courses", 3, "price_year", "2019", "2019 is not the budget's 2026")),
        (
            "a class larger than its seats",
            both(cell("courses", 3, "class_min", "5000")),
            ("courses.csv line 3, column class_min", "seats_max"),
        ),
        (
            "a broken rule of eligibility",
            cell("courses", 3, "eligibility", "role_id:data_analyst"),
            ("courses.csv line 3, column eligibility",),
        ),
        ("eligibility by a column nobody has", cell("courses", 3, "eligibility", "shoe_size=42"), ("shoe_size",)),
        (
            "eligibility with one role misspelt",
            cell("courses", 6, "eligibility", "role_id=data_analyst|policy_oficer|finance_officer"),
            ("policy_oficer",),
        ),
        (
            "hours and price swapped",
            swapped("courses", "hours", "fixed_cost"),
            ("courses.csv line", "column hours", "is above 2000"),
        ),
        (
            "prices with decimal commas, and points declared",
            both(column("courses", "cost_per_seat", lambda v: v + ",50")),
            ("courses.csv line 2, column cost_per_seat: '150,50' is not a number", "data.courses.numbers"),
        ),
    ),
    *some(
        "course_effects",
        REJECTED,
        ("a gain above the scale", *wrong("course_effects", 3, "gain", "9", "9 is above 4")),
        ("an unknown course", *wrong("course_effects", 3, "course_id", "B99", "'B99' is not in courses.csv")),
        ("a course in another case", *wrong("course_effects", 3, "course_id", "b01", "differ only in")),
        ("unknown evidence", *wrong("course_effects", 3, "evidence", "rumour", "'rumour' is not one of")),
        (
            "two gains for the same",
            again("course_effects", gain="3"),
            ("course_effects.csv line", "column course_id + competency_id", "keep one"),
        ),
        (
            "not declared, and a plan",
            lambda p: p.edit(lambda v: v["data"].pop("course_effects")),
            ("tiny.yaml line", "data.courses is there without data.course_effects"),
        ),
    ),
    *some(
        "agencies",
        REJECTED,
        (
            "an agency left out",
            dropped("agencies", 2),
            ("register.csv.gz line", "column agency_id: 'yig\u02bbim' is not in agencies.csv", "rows)"),
        ),
        ("an id twice, under two names", *wrong("agencies", 3, "agency_id", "yig\u02bbim", "stands in lines 2, 3")),
        (
            "codes in capitals",
            column("agencies", "agency_id", lambda v: v.str.upper()),
            ("register.csv.gz line", "column agency_id", "differ only in"),
        ),
    ),
    *some(
        "grades",
        REJECTED,
        ("a crosswalk whose weights exceed 1", split("0.8", "0.8"), ("grades.csv line", "'G1'", "1.6")),
        ("a crosswalk whose weights lack a part", split("0.5", "0.2"), ("grades.csv line", "'G1'", "0.7")),
        (
            "a pair twice",
            grades(lambda rows: pd.concat([rows, rows.iloc[:1].assign(to="senior")])),
            ("grades.csv line", "'G1'", "2"),
        ),
        (
            "from and to swapped",
            grades(lambda rows: rows.rename(columns={"from": "to", "to": "from"})),
            ("register.csv.gz", "column grade", "crosswalk grades"),
        ),
        (
            "no target",
            grades(lambda rows: rows.assign(to=rows["to"].where(rows.index > 0, ""))),
            ("grades.csv line 2, column to: the value is empty",),
        ),
    ),
    *some(
        "agencies",
        NOTED,
        (
            "codes read as Windows-1252",
            column("agencies", "agency_id", lambda v: v.map(lambda c: c.encode().decode("cp1252"))),
            ("agencies.csv line 2, column agency_id", "was read as"),
        ),
        (
            "another apostrophe in codes",
            column("agencies", "agency_id", lambda v: v.str.replace("\u02bb", "\u2018")),
            ("column agency_id", "read as one code"),
        ),
    ),
    *some(
        "courses",
        PLAIN,
        (
            "prices as they are written elsewhere, as declared",
            both(
                column("courses", "fixed_cost", lambda v: "$" + v.str.replace(r"(\d)(\d{3})$", r"\1,\2", regex=True)),
                params("data", "courses", numbers={"thousands": ",", "currency": "$"}),
            ),
            "params say so",
        ),
        (
            "prices with blanks and commas, as declared",
            both(
                column(
                    "courses",
                    "fixed_cost",
                    lambda v: v.str.replace(r"(\d)(\d{3})$", "\\1\u00a0\\2", regex=True) + ",00",
                ),
                params("data", "courses", numbers={"thousands": " ", "decimal": ","}),
            ),
            "params say so",
        ),
        ("rows in another order", frame("courses", lambda rows: rows.iloc[::-1]), "rows have no order"),
    ),
    *some(
        "courses",
        INVISIBLE,
        (
            "a price ten times as high",
            column("courses", "cost_per_seat", lambda v: v + "0"),
            "prices differ; only the budget's owner can tell",
        ),
        ("seat price and fixed price swapped", swapped("courses", "cost_per_seat", "fixed_cost"), "both are prices"),
        (
            "a course left out",
            both(dropped("courses", 2), frame("course_effects", lambda rows: rows[rows["course_id"] != "B01"])),
            "a catalogue may be as short as one likes; declare n_rows",
        ),
        (
            "a thousands point read as a decimal one",
            column("courses", "fixed_cost", lambda v: v.str.replace(r"(\d{3})$", r".\1", regex=True)),
            "12.000 is a number of its own; declare numbers",
        ),
    ),
    *some(
        "course_effects",
        INVISIBLE,
        ("gain and its spread swapped", swapped("course_effects", "gain", "sd"), "both are in levels"),
    ),
    *some(
        "grades",
        INVISIBLE,
        (
            "a code left out of the crosswalk",
            grades(lambda rows: rows.drop(index=3)),
            "told as unmapped, with its share, which may hold claims back",
        ),
        (
            "a code sent elsewhere",
            grades(lambda rows: rows.assign(to=rows["to"].where(rows.index > 0, "senior"))),
            "a crosswalk is the user's to say",
        ),
    ),
]
