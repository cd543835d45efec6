"""Kinds of damage to files: encodings, compression, other kinds of file, and what lies where a file should."""

import codecs
import gzip

import pandas as pd
from mutations import (
    ACADEMY,
    NOTED,
    PLAIN,
    REJECTED,
    ROW,
    both,
    content,
    file_named,
    line,
    lines,
    on_disk,
    params,
    some,
    text,
)

MOJIBAKE = "is UTF-8 that was read as"


def encoded(table, encoding, bom=b""):
    return content(table, lambda raw: bom + raw.decode().encode(encoding))


def legacy(table, encoding, mark):
    """Saved in a code page that has no U+02BB, which therefore became another mark."""
    return text_to(table, lambda old: old.replace("\u02bb", mark).replace("\u02bc", mark).encode(encoding))


def text_to(table, change):
    return content(table, lambda raw: change(raw.decode()))


def twice_read(table, encoding):
    """UTF-8 read as a code page, and saved as UTF-8."""
    return text(table, lambda old: old.encode().decode(encoding, "replace"))


def in_place_of(table, make):
    """Something else lies where the file was."""

    def damage(project):
        path = project.table(table)
        path.unlink()
        make(path)

    return damage


def as_book(project, table="responses", sheet="data", more=None, change=None):
    """A table as a spreadsheet."""
    import openpyxl

    rows = pd.read_csv(project.table(table), dtype=str, keep_default_na=False)
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in [list(rows), *rows.to_numpy().tolist()]:
        page.append(row)
    if more:
        book.create_sheet(more).append(["x"])
    if change:
        change(page)
    path = project.table(table).with_name(f"{table}.xlsx")
    book.save(path)
    params("data", table, file=f"../data/{table}.xlsx")(project)
    return path


def book(change=None, more=None, table="responses"):
    return lambda project: as_book(project, table, more=more, change=change)


def set_cell(place, value):
    return lambda page: page.__setitem__(place, value)


def as_parquet(table, change=lambda rows: rows, raw=lambda data: data):
    def damage(project):
        rows = pd.read_csv(project.table(table), dtype=str, keep_default_na=False)
        path = project.table(table).with_name(f"{table}.parquet")
        change(rows).to_parquet(path, index=False)
        path.write_bytes(raw(path.read_bytes()))
        params("data", table, file=f"../data/{path.name}")(project)

    return damage


FILES = [
    *some(
        "responses",
        REJECTED,
        (
            "UTF-8 declared, and it is UTF-16",
            both(encoded("responses", "utf-16-le", codecs.BOM_UTF16_LE), params("data", "responses", encoding="utf-8")),
            ("responses.csv", "declare utf-8", "utf-16"),
        ),
        (
            "a zero byte inside",
            lines("responses", line(ROW, lambda r: r.replace(",", ",\0", 1))),
            ("responses.csv line 3", "0x00", "export it again"),
        ),
        (
            "not compressed, though its name says so",
            both(file_named("responses", "responses.csv.gz")),
            ("responses.csv.gz", "can't be read as CSV"),
        ),
        (
            "a web page under its name",
            content("responses", lambda raw: b"<html><table><tr><td>" + raw.replace(b",", b"</td><td>") + b"</table>"),
            ("responses.csv",),
        ),
        ("an empty file", content("responses", lambda raw: b""), ("responses.csv", "the file is empty")),
        ("a folder under its name", in_place_of("responses", lambda path: path.mkdir()), ("responses.csv",)),
        ("a link to itself", in_place_of("responses", lambda path: path.symlink_to(path)), ("responses.csv",)),
        ("no file", in_place_of("responses", lambda path: None), ("responses.csv", "no such file", "tiny.yaml line")),
        (
            "another kind of file",
            file_named("responses", "responses.doc"),
            ("responses.doc", "can't read this kind of file"),
        ),
        (
            "an outside file that is not there",
            both(
                in_place_of("responses", lambda path: None),
                params("data", "responses", source={"name": "the Office", "get": "ask"}),
            ),
            ("tiny.yaml", "waits for", "responses.csv", "the Office"),
        ),
        (
            "text under the name of a spreadsheet",
            file_named("responses", "responses.xlsx"),
            ("responses.xlsx", "can't be read as XLSX"),
        ),
        (
            "merged cells in a spreadsheet",
            book(lambda page: page.merge_cells("A4:A5")),
            ("responses.xlsx", "A4:A5 are merged"),
        ),
        (
            "a formula without a result in a spreadsheet",
            book(set_cell("D4", "=D3")),
            ("responses.xlsx line 4, column weight", "no stored result"),
        ),
        (
            "a truncated Parquet file",
            as_parquet("responses", raw=lambda data: data[:-9]),
            ("responses.parquet", "can't be read as Parquet"),
        ),
        (
            "ids as floating-point numbers in a Parquet file",
            as_parquet("responses", lambda rows: rows.assign(staff_id=rows["staff_id"].astype(float))),
            ("responses.parquet line 1, column staff_id", "leading zeros"),
        ),
    ),
    *some(
        "register",
        REJECTED,
        (
            "a truncated gzip file",
            on_disk("register", lambda raw: raw[: len(raw) // 2]),
            ("register.csv.gz", "can't be read as CSV", "export it again"),
        ),
        (
            "a gzip file with one byte changed",
            on_disk("register", lambda raw: raw[:900] + bytes([raw[900] ^ 255]) + raw[901:]),
            ("register.csv.gz", "can't be read as CSV"),
        ),
        (
            "a column's name read as Windows-1252",
            twice_read("register", "cp1252"),
            ("register.csv.gz", "column yo\u02bbnalish"),
        ),
        (
            "the responses in its place",
            lambda p: p.table("register").write_bytes(gzip.compress(p.table("responses").read_bytes())),
            ("register.csv.gz", "yo\u02bbnalish"),
        ),
    ),
    *some(
        "courses",
        REJECTED,
        (
            "UTF-8 with a few bytes of Windows-1252",
            content(
                "courses", lambda raw: raw.replace(b"Digital basics", "D\u00e9fi num\u00e9rique".encode("cp1252"), 1)
            ),
            ("courses.csv line 2", "0xe9 is not UTF-8"),
        ),
        (
            "KOI8-R",
            text_to("courses", lambda old: old.replace("\u02bb", "'").replace("\u02bc", "'").encode("koi8-r")),
            ("courses.csv line", "is not UTF-8"),
        ),
        (
            "UTF-8 read as Windows-1252, which has no such letters, and saved",
            twice_read("courses", "cp1252"),
            ("courses.csv line", "column provider", "were lost"),
        ),
        (
            "letters that became question marks",
            text("courses", lambda old: old.replace("\u02bb", "?").replace("\u02bc", "?")),
            ("courses.csv line 3, column label_uz: letters of 'Ma?lumotlar bilan xavfsiz ishlash' were lost (5 rows)",),
        ),
    ),
    *some(
        "items",
        REJECTED,
        (
            "the competencies in their place",
            lambda p: p.table("items").write_bytes(p.table("competencies").read_bytes()),
            ("items.csv", "there is no column item_id"),
        ),
    ),
    *some(
        "responses",
        NOTED,
        (
            "UTF-16, little-endian, with a mark",
            encoded("responses", "utf-16-le", codecs.BOM_UTF16_LE),
            ("responses.csv", "not UTF-8", "read as utf-16"),
        ),
        (
            "UTF-16, little-endian, without a mark",
            encoded("responses", "utf-16-le"),
            ("responses.csv", "read as utf-16"),
        ),
        (
            "a byte order mark before UTF-8",
            encoded("responses", "utf-8", codecs.BOM_UTF8),
            ("responses.csv", "byte order mark"),
        ),
        (
            "a byte order mark inside, where files were joined",
            lines("responses", line(ROW, lambda r: "\ufeff" + r)),
            ("responses.csv line 3, column staff_id", "dropped"),
        ),
        ("a spreadsheet with another sheet", book(more="notes"), ("responses.xlsx", "other sheets", "only data")),
    ),
    *some(
        "courses",
        NOTED,
        (
            "Windows-1251, told from the bytes",
            legacy("courses", "cp1251", "'"),
            ("courses.csv", "not UTF-8", "windows-1251"),
        ),
        (
            "UTF-8 read as Windows-1252 and saved",
            text("courses", lambda old: old.replace("\u02bb", "\u00ca\u00bb")),
            ("courses.csv line 11, column label_uz", MOJIBAKE, "read as 'Raqamli o\u02bbzgarishlarga yetakchilik'"),
        ),
        (
            "UTF-8 read as Windows-1251 and saved",
            text("courses", lambda old: old.replace(ACADEMY, ACADEMY.encode().decode("cp1251"))),
            ("courses.csv line", "column provider", MOJIBAKE),
        ),
    ),
    *some(
        "agencies",
        NOTED,
        (
            "Windows-1252, told from the bytes",
            both(
                text("agencies", lambda old: old.replace("Agency", "Ag\u00e9ncy\u00e9")),
                legacy("agencies", "cp1252", "\u2019"),
            ),
            ("agencies.csv", "not UTF-8", "windows-1252"),
        ),
    ),
    *some(
        "responses",
        PLAIN,
    ),
    *some(
        "register",
        PLAIN,
    ),
    *some(
        "courses",
        PLAIN,
        (
            "a million characters in one cell",
            text("courses", lambda old: old.replace("Lantern Learning", "L" * 1_000_000)),
            "who gives a course may be said at length",
        ),
    ),
]
