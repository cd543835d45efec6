"""Kinds of damage to what is measured and required: competencies, items and requirements."""

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    again,
    cell,
    column,
    dropped,
    frame,
    some,
    wrong,
)

FRAMEWORK = [
    *some(
        "competencies",
        REJECTED,
        (
            "an id twice",
            *wrong("competencies", 3, "competency_id", "digital_literacy", "stands in lines 2, 3", "keep one"),
        ),
        ("a placeholder for a name", *wrong("competencies", 3, "label_en", "-", "'-'")),
    ),
    *some(
        "items",
        REJECTED,
        ("a Cyrillic letter in an id", cell("items", 3, "item_id", "D\u041b02"), ("responses.csv, column",)),
        ("a competency in another case", *wrong("items", 3, "competency_id", "Digital_Literacy", "differ only in")),
        (
            "four categories of an anchored item",
            cell("items", 5, "n_categories", "4"),
            ("responses.csv, column CL01", "anchored and has 4 categories"),
        ),
        (
            "a scale declared from 0 that begins with 1",
            cell("items", 4, "lowest", "0"),
            ("responses.csv line", "column DL03: answer 5 is outside 0..4"),
        ),
        (
            "a reversal that is none",
            cell("items", 9, "reverse", "yes"),
            ("responses.csv, column GO01: item GO01 goes against",),
        ),
        ("a reversal as TRUE", *wrong("items", 3, "reverse", "TRUE", "'TRUE' is not one of yes, no")),
    ),
    *some(
        "requirements",
        REJECTED,
        ("a level above 4", *wrong("requirements", 5, "required_level", "5", "5 is above 4")),
        (
            "levels from 1 to 5",
            column("requirements", "required_level", lambda v: (v.astype(float) + 1).astype(str)),
            ("requirements.csv line", "column required_level", "is above 4"),
        ),
        (
            "two levels for the same",
            again("requirements", required_level="4"),
            ("requirements.csv line 272, column role_id + role_level + competency_id", "keep one"),
        ),
        (
            "a role misspelt",
            column("requirements", "role_id", lambda v: v.replace("policy_officer", "policy_oficer")),
            (
                "requirements.csv line",
                "column role_id: nobody in register.csv.gz has 'policy_oficer', and 'policy_officer' has no",
            ),
        ),
        (
            "levels of other words",
            column("requirements", "role_level", lambda v: "level " + v),
            ("requirements.csv, column role_id + role_level: none of its roles",),
        ),
        (
            "a role nobody declared",
            column("requirements", "role_id", lambda v: v.replace("policy_officer", "adviser")),
            ("requirements.csv line", "column role_id: 'adviser' is not one of the declared codes"),
            "declared",
        ),
    ),
    *some(
        "competencies",
        NOTED,
        (
            "other apostrophes in names",
            column("competencies", "label_uz", lambda v: v.str.replace("\u02bb", "'").str.replace("\u02bc", "`")),
            ("competencies.csv line", "column label_uz", "other apostrophes", "written with these"),
        ),
        (
            "no-break spaces and marks of no width in names",
            column("competencies", "label_en", lambda v: v.str.replace(" ", "\u00a0\u200b")),
            ("competencies.csv line 2, column label_en", "can't be seen", "made plain"),
        ),
    ),
    *some(
        "requirements",
        NOTED,
        (
            "rows twice, as the file was joined to itself",
            frame("requirements", lambda rows: pd.concat([rows, rows])),
            ("requirements.csv line 272", "(270 rows)", "counted once"),
        ),
    ),
    *some(
        "items",
        PLAIN,
        ("whole numbers with decimals", column("items", "n_categories", lambda v: v + ".0"), "5.0 is 5"),
    ),
    *some(
        "items",
        INVISIBLE,
        ("an item left out", dropped("items", 9), "a file may hold answers that items don't declare; declare n_rows"),
        (
            "an item given to another competency",
            cell("items", 9, "competency_id", "data_security"),
            "the framework is the user's to say",
        ),
    ),
    *some(
        "requirements",
        INVISIBLE,
        ("rows left out", dropped("requirements", *range(20, 40)), "not every role needs everything; declare n_rows"),
    ),
]
