"""Kinds of damage to the layout of a table: delimiters, quotes, rows and headers."""

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    ROW,
    both,
    column,
    frame,
    line,
    lines,
    params,
    some,
    text,
)

WIDE = [f"q{n}" for n in range(3000)]


def put_in(number, *new):
    return lambda old: [*old[: number - 1], *new, *old[number - 1 :]]


def delimited(mark, quote=True):
    return lambda rows: [row.replace(",", mark) for row in rows] if quote else rows


LAYOUT = [
    *some(
        "responses",
        REJECTED,
        (
            "semicolons, and commas are declared",
            both(lines("responses", delimited(";")), params("data", "responses", delimiter=",")),
            ("responses.csv line 1", "','", "correct delimiter in params"),
        ),
        (
            "half of the rows with semicolons",
            lines("responses", lambda old: [row if n % 2 else row.replace(",", ";") for n, row in enumerate(old, 1)]),
            ("responses.csv line 2: 1 values under 37 columns (150 rows)",),
        ),
        (
            "a quote that is never closed",
            lines("responses", line(ROW, lambda r: r.replace(",", ',"', 1))),
            ("responses.csv line 3", "does not end", "close its quote"),
        ),
        (
            "a row with one value more",
            lines("responses", line(ROW, lambda r: r + ",1")),
            ("responses.csv line 3", "38 values under 37 columns"),
        ),
        (
            "rows cut at a line's end, and their number is declared",
            lines("responses", lambda old: old[:-40]),
            ("responses.csv", "the file holds 260 rows, and params say 300", "n_rows"),
            "declared",
        ),
        (
            "the header again among the rows",
            lines("responses", lambda old: [*old[:9], old[0], *old[9:]]),
            ("responses.csv line 10", "staff_id"),
        ),
        (
            "a column twice",
            lines("responses", line(1, lambda r: r.replace("DL02", "DL01"))),
            ("responses.csv line 1", "column DL01 stands twice", "rename one"),
        ),
        (
            "a column twice but for capitals",
            frame("responses", lambda rows: rows.assign(Weight="1")),
            ("responses.csv", "column weight", "'Weight'"),
        ),
        (
            "a column without a name, with values",
            lines("responses", line(1, lambda r: r.replace("date", ""))),
            ("responses.csv line", "column 7 holds values and has no name"),
        ),
    ),
    *some(
        "register",
        REJECTED,
    ),
    *some(
        "courses",
        REJECTED,
        (
            "a delimiter inside a value",
            text("courses", lambda old: old.replace("Digital basics", "Digital, basics")),
            ("courses.csv line 2", "14 values under 13 columns", "quote values"),
        ),
        (
            "a fault below a quoted line end: the line is the file's",
            both(
                text("courses", lambda old: old.replace("Digital basics", '"Digital\nbasics"')),
                text("courses", lambda old: old.replace(",8,150,", ",much,150,", 1)),
            ),
            ("courses.csv line 4, column hours", "'much' is not a number"),
        ),
    ),
    *some(
        "responses",
        NOTED,
        ("semicolons between values", lines("responses", delimited(";")), ("responses.csv", "';'", "read so")),
        (
            "a first line sep=;",
            lines("responses", lambda old: ["sep=;", *(row.replace(",", ";") for row in old)]),
            ("responses.csv line 1", "';'", "read so"),
        ),
        (
            "semicolons and decimal commas, as declared",
            both(
                lines("responses", lambda old: [row.replace(",", ";").replace(".", ",") for row in old]),
                params("data", "responses", numbers={"decimal": ","}),
            ),
            ("responses.csv", "read so"),
        ),
        (
            "carriage returns alone",
            text("responses", lambda old: old.replace("\n", "\r")),
            ("responses.csv", "carriage return"),
        ),
        (
            "blank lines between the rows",
            lines("responses", put_in(ROW, "", "   ")),
            ("responses.csv line 3", "blank lines", "left out"),
        ),
        (
            "blanks after values",
            column("responses", "staff_id", lambda ids: ids + "  "),
            ("responses.csv line 2, column staff_id", "blanks", "dropped"),
        ),
        (
            "a mark of no width in a column's name",
            lines("responses", line(1, lambda r: r.replace("status", "sta\u200btus"))),
            ("responses.csv", "status", "taken as the same"),
        ),
        (
            "a column's name in capitals",
            lines("responses", line(1, lambda r: r.replace("weight", "WEIGHT"))),
            ("responses.csv", "column weight", "'WEIGHT'", "taken as the same"),
        ),
        (
            "an item's name in small letters",
            lines("responses", line(1, lambda r: r.replace("DL01", "dl01"))),
            ("responses.csv", "column DL01", "'dl01'", "taken as the same"),
        ),
    ),
    *some(
        "register",
        NOTED,
        (
            "another apostrophe in a column's name",
            text("register", lambda old: old.replace("yo\u02bbnalish", "yo'nalish")),
            ("register.csv.gz", "column yo\u02bbnalish", "taken as the same"),
        ),
    ),
    *some(
        "responses",
        PLAIN,
        (
            "lines end in CR LF",
            text("responses", lambda old: old.replace("\n", "\r\n")),
            "the usual line end of Windows",
        ),
        (
            "every value in quotes",
            lines("responses", lambda old: ['"' + row.replace(",", '","') + '"' for row in old]),
            "a way of writing CSV",
        ),
        ("rows in another order", frame("responses", lambda rows: rows.iloc[::-1]), "rows have no order"),
        ("columns in another order", frame("responses", lambda rows: rows[list(rows)[::-1]]), "columns have no order"),
        (
            "3,000 columns that nobody asked for",
            frame("responses", lambda rows: pd.concat([rows, pd.DataFrame("1", rows.index, WIDE)], axis=1)),
            "what isn't declared isn't read",
        ),
    ),
    *some(
        "courses",
        PLAIN,
    ),
    *some(
        "responses",
        INVISIBLE,
        (
            "rows cut at a line's end",
            lines("responses", lambda old: old[:-170]),
            "the file is whole in itself; declare n_rows",
        ),
    ),
]
