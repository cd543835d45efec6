"""Kinds of damage to the status, weights, strata and dates of respondents."""

from mutations import (
    INVISIBLE,
    NO_CODES,
    NOTED,
    PLAIN,
    REJECTED,
    ROW,
    both,
    column,
    down,
    frame,
    left,
    lines,
    one,
    params,
    some,
    swapped,
    whole,
)


def odd_weight(value, text=None):
    return (one("weight", value), ("responses.csv line 3, column weight", text or f"{value!r} is not a number"))


WEIGHTS = [
    *some(
        "responses",
        REJECTED,
        (
            "a status of somebody who answered: none",
            one("status", ""),
            ("responses.csv line 3, column status", "answer"),
        ),
        (
            "a status of somebody who answered: no_response",
            one("status", "no_response"),
            ("responses.csv line 3, column status", "answer"),
        ),
        (
            "complete, and not a single answer",
            whole("responses", None, lambda v: v.mask(v.index == ROW, "")),
            ("responses.csv line 3", "no answer"),
        ),
        ("status a row too far down", down("responses", ["status"]), ("responses.csv line", "column status", "answer")),
        ("a negative weight", *odd_weight("-1", "-1 is below 0")),
        ("a weight with a decimal comma", *odd_weight("1,5")),
        ("no weight for one", *odd_weight("", "the value is empty")),
        (
            "a weight larger than the whole staff",
            one("weight", "1e6"),
            ("responses.csv line 3, column weight: one respondent stands for 1e+06 people",),
        ),
        (
            "decimal commas throughout, undeclared",
            lambda p: lines("responses", lambda old: [row.replace(",", ";").replace(".", ",") for row in old])(p),
            ("responses.csv line 2, column weight: '1,5' is not a number", "data.responses.numbers"),
        ),
        (
            "a day that the calendar lacks",
            one("date", "2026-02-30"),
            ("responses.csv line 3, column date: '2026-02-30' is not a date",),
        ),
        (
            "dates day first, undeclared",
            column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3/\2/\1", regex=True)),
            ("responses.csv line 2, column date", "is not a date", "data.responses.dates"),
        ),
        (
            "one date month first among dates day first",
            both(
                column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", regex=True)),
                one("date", "03.25.2026"),
                params("data", "responses", dates="dmy"),
            ),
            ("responses.csv line 3, column date: '03.25.2026' is not a date",),
        ),
        (
            "no stratum for one",
            one("stratum", ""),
            ("responses.csv line 3, column stratum: the value is empty", "leave the column out"),
        ),
        (
            "strata of one sampling unit each",
            frame("responses", lambda rows: rows.assign(psu=rows["stratum"])),
            ("stratum", "has one sampling unit", "design.lonely_psu"),
        ),
        (
            "a population smaller than the sample",
            frame("responses", lambda rows: rows.assign(fpc="2")),
            ("stratum", "were sampled of the 2 there are (fpc)"),
        ),
        (
            "a population that varies within strata",
            frame("responses", lambda rows: rows.assign(fpc=(400 + rows.index % 2).astype(str))),
            ("stratum", "not the same in every row"),
        ),
        (
            "a stratum nobody declared",
            one("stratum", "alone"),
            ("responses.csv line 3, column stratum: 'alone' is not one of the declared codes"),
            "declared",
        ),
        (
            "a placeholder for a stratum",
            column("responses", "stratum", lambda v: v.mask(v.index < 9, "N/A")),
            ("responses.csv line 2, column stratum", "'N/A'", "missing_codes"),
        ),
        (
            "a value lost: the row's status stands under staff_id",
            left("responses", ROW, "staff_id"),
            ("responses.csv line 3, column staff_id", "'complete' is not in"),
        ),
        (
            "language and mode swapped, codes declared",
            swapped("responses", "answer_language", "mode"),
            (
                "responses.csv line 2, column answer_language: 'web' is not one of the declared codes",
                "codes.answer_language",
            ),
            "declared",
        ),
        (
            "no column of weights, though params map it",
            frame("responses", lambda rows: rows.drop(columns="weight")),
            ("responses.csv, column weight: there is no column weight, which params name"),
            "declared",
        ),
        (
            "two waves in one file",
            frame("responses", lambda rows: rows.assign(wave=["2025", "2026"] * 150)),
            ("responses.csv, column wave", "2025, 2026", "data.responses.wave"),
        ),
    ),
    *some(
        "responses",
        NOTED,
        (
            "other apostrophes in strata",
            column("responses", "stratum", lambda v: v.str.replace("\u02bb", "\u2018").where(v.index % 3 == 0, v)),
            ("responses.csv line", "column stratum", "other apostrophes", "read as one code"),
        ),
    ),
    *some(
        "responses",
        PLAIN,
        (
            "dates day first, as declared",
            both(
                column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", regex=True)),
                params("data", "responses", dates="dmy"),
            ),
            "params say so",
        ),
        (
            "decimal commas, as declared",
            both(
                column("responses", "weight", lambda v: v.str.replace(".", ",")),
                params("data", "responses", numbers={"decimal": ","}),
            ),
            "params say so",
        ),
    ),
    *some(
        "responses",
        INVISIBLE,
        (
            "no column of weights",
            frame("responses", lambda rows: rows.drop(columns="weight")),
            "a survey without weights is allowed; map weight in columns",
        ),
        (
            "strata under other names, one for one",
            column("responses", "stratum", lambda v: v.replace({"ma\u02bcmur": "yig\u02bbim"})),
            NO_CODES,
        ),
    ),
]
