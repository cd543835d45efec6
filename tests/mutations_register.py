"""Kinds of damage to a register of persons, and of cells with head-counts."""

import unicodedata

import pandas as pd
from mutations import (
    INVISIBLE,
    NO_CODES,
    NOTED,
    REJECTED,
    ROLE,
    cell,
    column,
    doubled,
    down,
    frame,
    left,
    some,
    swapped,
)


def every(value):
    return lambda values: values.where(values == "", value)


def older(project):
    """Somebody who did not answer is of an age that no respondent has."""
    last = pd.read_csv(project.table("responses"), dtype=str, keep_default_na=False)["staff_id"].iloc[-1]
    column_of = frame(
        "register", lambda rows: rows.assign(age_band=rows["age_band"].mask(rows["staff_id"] == last, "70 and over"))
    )
    column_of(project)


REGISTER = [
    *some(
        "register",
        REJECTED,
        (
            "an agency in another case",
            cell("register", 3, "agency_id", "YIG\u02bbIM"),
            ("register.csv.gz line 3, column agency_id", "differ only in"),
        ),
        (
            "a Cyrillic letter in an agency's code",
            cell("register", 3, "agency_id", "m\u0430\u02bcmur"),
            (
                "register.csv.gz line 3, column agency_id",
                "differ only in case, in blanks or in letters of the same looks",
            ),
        ),
        (
            "an id twice, for two people",
            cell("register", 3, "staff_id", "000001"),
            ("register.csv.gz line 3, column staff_id", "stands in lines 2, 3", "keep one"),
        ),
        (
            "people twice, under other ids; their number is declared",
            doubled("register", lambda r: "9" + r["staff_id"].str[1:], 30),
            ("register.csv.gz", "330 rows, and params say 300"),
            "declared",
        ),
        (
            "a code that has no recode, though others have",
            cell("register", 3, "sex", "3"),
            ("register.csv.gz line 3, column sex: '3' has no recode", "data.register.recode.sex"),
        ),
        (
            "an age band nobody declared",
            cell("register", 3, "age_band", "60-69"),
            ("register.csv.gz line 3, column age_band: '60-69' is not one of the declared codes",),
            "declared",
        ),
        (
            "a letter O for the zero of an age band",
            cell("register", 3, "age_band", "3O-39"),
            ("register.csv.gz line 3, column age_band: '3O-39'", "30-39"),
        ),
        (
            "blanks around the dash of an age band",
            column("register", "age_band", lambda v: v.mask(v.index % 9 == 0, v.str.replace("-", " - "))),
            ("register.csv.gz line", "column age_band", "differ only in"),
        ),
        (
            "a placeholder for an age band",
            cell("register", 3, "age_band", "NA"),
            ("register.csv.gz line 3, column age_band", "'NA'", "missing_codes"),
        ),
        (
            "tenure below 0",
            cell("register", 3, "tenure_years", "-1"),
            ("register.csv.gz line 3, column tenure_years: -1 is below 0",),
        ),
        (
            "agency and region swapped",
            swapped("register", "agency_id", "region"),
            ("register.csv.gz line 2, column agency_id", "is not in agencies.csv"),
        ),
        (
            "grade and occupation swapped",
            swapped("register", "grade", "isco08"),
            ("register.csv.gz", "column grade", "crosswalk grades"),
        ),
        (
            "age and education swapped, codes declared",
            swapped("register", "age_band", "education"),
            ("register.csv.gz line 2, column age_band", "declared codes"),
            "declared",
        ),
        (
            "a value lost: role level under role",
            left("register", 3, ROLE),
            ("register.csv.gz line 3, column sex: '50 and over' has no recode",),
        ),
        (
            "no column of ids",
            frame("register", lambda rows: rows.drop(columns="staff_id")),
            ("responses.csv, column staff_id", "cells and no persons", "link"),
        ),
        (
            "a misspelt column: age_bnad",
            frame("register", lambda rows: rows.rename(columns={"age_band": "age_bnad"})),
            ("register.csv.gz", "'age_bnad'", "age_band"),
        ),
        (
            "a head-count beside each person",
            frame("register", lambda rows: rows.assign(headcount="7")),
            ("register.csv.gz", "column headcount", "staff_id"),
        ),
        ("an age that no respondent has", older, ("margin age_band: '70 and over' has staff but no respondent",)),
        (
            "a negative head-count",
            cell("register", 3, "headcount", "-2"),
            ("register.csv.gz line 3, column headcount: -2 is below 0",),
            "cells",
        ),
        (
            "a suppressed head-count",
            cell("register", 3, "headcount", "<5"),
            ("register.csv.gz line 3, column headcount: '<5' is not a number",),
            "cells",
        ),
        (
            "a cell twice, with other head-counts",
            frame("register", lambda rows: pd.concat([rows, rows.iloc[:2].assign(headcount="9")])),
            ("register.csv.gz line 195", "keep one"),
            "cells",
        ),
        ("all head-counts 0", column("register", "headcount", every("0")), ("register.csv.gz", "headcount"), "cells"),
        (
            "head-counts with a thousands comma",
            column("register", "headcount", lambda v: v.mask(v.index == 3, "1,200")),
            ("register.csv.gz line 3, column headcount: '1,200' is not a number", "data.register.numbers"),
            "cells",
        ),
    ),
    *some(
        "register",
        NOTED,
        (
            "four kinds of apostrophe in the codes of agencies",
            column(
                "register",
                "agency_id",
                lambda v: pd.Series(
                    [
                        c.replace("\u02bb", m).replace("\u02bc", m)
                        for c, m in zip(v, "'\u2018\u2019`" * 75, strict=True)
                    ],
                    v.index,
                ),
            ),
            ("register.csv.gz line 2, column agency_id", "other apostrophes", "read as one code"),
        ),
        (
            "letters and marks apart (NFD) in the codes of education",
            column(
                "register",
                "education",
                lambda v: v.mask(v == "secondary", "\u00f6stra").mask(
                    (v == "secondary") & (v.index % 2 == 0), unicodedata.normalize("NFD", "\u00f6stra")
                ),
            ),
            ("register.csv.gz line", "column education", "can't be seen"),
        ),
        (
            "occupations with decimals",
            column("register", "isco08", lambda v: v + ".0"),
            ("register.csv.gz", "column isco08", "decimals"),
        ),
    ),
    *some(
        "register",
        INVISIBLE,
        (
            "people twice, under other ids",
            doubled("register", lambda r: "9" + r["staff_id"].str[1:], 30),
            "two people may agree in all that a register says; declare n_rows",
        ),
        ("ages a row too far down", down("register", ["age_band"]), "each row is possible"),
        (
            "age bands misspelt so that no other code is near",
            column("register", "age_band", lambda v: v.mask(v.index % 7 == 0, "middle")),
            NO_CODES,
        ),
    ),
]
