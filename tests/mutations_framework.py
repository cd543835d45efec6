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
    number,
    renamed,
    some,
    swapped,
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
        ("an unknown group", *wrong("competencies", 3, "group", "clouds", "'clouds' is not one of")),
        ("no English name", *wrong("competencies", 3, "label_en", "", "the value is empty")),
        ("a placeholder for a name", *wrong("competencies", 3, "label_en", "-", "'-'")),
        (
            "a competency left out",
            dropped("competencies", 3),
            ("items.csv line", "column competency_id: 'cloud' is not in competencies.csv", "add it there"),
        ),
        (
            "no column of groups",
            frame("competencies", lambda rows: rows.drop(columns="group")),
            ("competencies.csv, column group: there is no column group", "data.competencies.columns"),
        ),
    ),
    *some(
        "items",
        REJECTED,
        ("an id twice", *wrong("items", 3, "item_id", "DL01", "stands in lines 2, 3")),
        ("a Cyrillic letter in an id", cell("items", 3, "item_id", "D\u041b02"), ("responses.csv, column",)),
        ("a competency in another case", *wrong("items", 3, "competency_id", "Digital_Literacy", "differ only in")),
        ("no competency", *wrong("items", 3, "competency_id", "", "belongs to no competency")),
        (
            "four categories of an anchored item",
            cell("items", 5, "n_categories", "4"),
            ("responses.csv, column CL01", "anchored and has 4 categories"),
        ),
        (
            "a scale declared from 1 that begins with 0",
            cell("items", 5, "lowest", "1"),
            ("responses.csv line", "column CL01: answer 0 is outside 1..5"),
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
        (
            "a reversal left out",
            cell("items", 3, "reverse", ""),
            ("responses.csv, column DL02: item DL02 goes against",),
        ),
        ("a reversal as TRUE", *wrong("items", 3, "reverse", "TRUE", "'TRUE' is not one of yes, no")),
        (
            "no column of competencies",
            frame("items", lambda rows: rows.drop(columns="competency_id")),
            ("items.csv line 2, column competency_id", "belongs to no competency"),
        ),
        ("a misspelt column: revers", renamed("items", reverse="revers"), ("items.csv", "'revers'", "reverse")),
    ),
    *some(
        "requirements",
        REJECTED,
        ("a level above 4", *wrong("requirements", 5, "required_level", "5", "5 is above 4")),
        ("a level with a decimal comma", *number("requirements", 5, "required_level", "2,5")),
        ("a level as a range", *number("requirements", 5, "required_level", "2-3")),
        ("no level", *wrong("requirements", 5, "required_level", "", "the value is empty")),
        (
            "levels from 1 to 5",
            column("requirements", "required_level", lambda v: (v.astype(float) + 1).astype(str)),
            ("requirements.csv line", "column required_level", "is above 4"),
        ),
        ("importance above 5", *wrong("requirements", 5, "importance", "6", "6 is above 5")),
        (
            "level and importance swapped",
            swapped("requirements", "required_level", "importance"),
            ("requirements.csv line", "column required_level: 5 is above 4"),
        ),
        (
            "two levels for the same",
            again("requirements", required_level="4"),
            ("requirements.csv line 302, column role_id + role_level + competency_id", "keep one"),
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
            "a role in another case",
            column("requirements", "role_id", lambda v: v.replace("policy_officer", "Policy_Officer")),
            ("column role_id", "'Policy_Officer'", "differ only in"),
        ),
        (
            "levels of other words",
            column("requirements", "role_level", lambda v: "level " + v),
            ("requirements.csv, column role_id + role_level: none of its roles",),
        ),
        (
            "one level of other words",
            column("requirements", "role_level", lambda v: v.replace("senior", "seniors")),
            (
                "requirements.csv line",
                "column role_level: nobody in register.csv.gz has 'seniors', and 'senior' has no requirements",
            ),
        ),
        (
            "a role nobody declared",
            column("requirements", "role_id", lambda v: v.replace("policy_officer", "adviser")),
            ("requirements.csv line", "column role_id: 'adviser' is not one of the declared codes"),
            "declared",
        ),
        (
            "no column of importance",
            frame("requirements", lambda rows: rows.drop(columns="importance")),
            ("requirements.csv, column importance: there is no column importance",),
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
            "blanks around names",
            column("competencies", "label_en", lambda v: " " + v + " "),
            ("competencies.csv line 2, column label_en", "dropped"),
        ),
        (
            "no-break spaces and marks of no width in names",
            column("competencies", "label_en", lambda v: v.str.replace(" ", "\u00a0\u200b")),
            ("competencies.csv line 2, column label_en", "can't be seen", "made plain"),
        ),
        (
            "marks of no width in ids",
            column("competencies", "competency_id", lambda v: v.mask(v == "cloud", "cl\u200boud")),
            ("competencies.csv line 3, column competency_id", "can't be seen", "made plain"),
        ),
    ),
    *some(
        "requirements",
        NOTED,
        (
            "rows twice, as the file was joined to itself",
            frame("requirements", lambda rows: pd.concat([rows, rows])),
            ("requirements.csv line 302", "(300 rows)", "counted once"),
        ),
        (
            "a mark of no width in a role",
            column("requirements", "role_id", lambda v: v.replace("policy_officer", "policy_\u200bofficer")),
            ("requirements.csv line 2, column role_id", "can't be seen", "made plain"),
        ),
    ),
    *some(
        "items",
        PLAIN,
        ("whole numbers with decimals", column("items", "n_categories", lambda v: v + ".0"), "5.0 is 5"),
        (
            "other wording of a question",
            column("items", "text_en", lambda v: v + "!"),
            "the words of a question make no number",
        ),
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
        (
            "a role under a name of its own",
            column("requirements", "role_id", lambda v: v.replace("inspector", "adviser")),
            "a role that nobody holds may be required all the same; declare codes",
        ),
    ),
]
