"""Kinds of damage to courses and their effects, agencies, and the crosswalk of grades."""

from mutations import (
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    both,
    cell,
    column,
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
        ("a price with a currency sign", *number("courses", 3, "cost_per_seat", "$150")),
        (
            "another currency",
            *wrong("courses", 3, "currency", "EUR", "EUR is not the budget's XXX", "convert the prices"),
        ),
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
        (
            "eligibility by a column nobody has",
            cell("courses", 3, "eligibility", "shoe_size=42"),
            ("courses.csv line 3, column eligibility: the rule goes by shoe_size",),
        ),
        (
            "eligibility with one role misspelt",
            cell("courses", 6, "eligibility", "role_id=data_analyst|policy_oficer|finance_officer"),
            ("policy_oficer",),
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
        ("a course in another case", *wrong("course_effects", 3, "course_id", "b01", "differ only in")),
    ),
    *some(
        "agencies",
        REJECTED,
    ),
    *some(
        "grades",
        REJECTED,
        ("a crosswalk whose weights exceed 1", split("0.8", "0.8"), ("grades.csv line", "'G1'", "1.6")),
        ("a crosswalk whose weights lack a part", split("0.5", "0.2"), ("grades.csv line", "'G1'", "0.7")),
        (
            "from and to swapped",
            grades(lambda rows: rows.rename(columns={"from": "to", "to": "from"})),
            ("register.csv.gz", "column grade", "crosswalk grades"),
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
    ),
    *some(
        "courses",
        INVISIBLE,
        (
            "a price ten times as high",
            column("courses", "cost_per_seat", lambda v: v + "0"),
            "prices differ; only the budget's owner can tell",
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
    ),
]
