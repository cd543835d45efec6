"""Kinds of damage to files: encodings, compression, delimiters, quotes, rows, headers, and what lies where a file should."""

import codecs
import gzip
import unicodedata
import zipfile
from io import BytesIO

import pandas as pd
from mutations import (
    ACADEMY,
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    both,
    cell,
    column,
    content,
    file_named,
    frame,
    lines,
    on_disk,
    params,
    some,
    swapped,
    text,
)

ROW = 3  # a line of a respondent, and of somebody in the register


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


def line(number, change):
    return lambda old: [change(row) if n == number else row for n, row in enumerate(old, 1)]


def put_in(number, *new):
    return lambda old: [*old[: number - 1], *new, *old[number - 1 :]]


def delimited(mark, quote=True):
    return lambda rows: [row.replace(",", mark) for row in rows] if quote else rows


def in_place_of(table, make):
    """Something else lies where the file was."""
    def damage(project):
        path = project.table(table)
        path.unlink()
        make(path)

    return damage


def zipped(raw):
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("responses.csv", raw)
    return packed.getvalue()


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


def stem(name):
    return f"{name}.csv"


WIDE = [f"q{n}" for n in range(3000)]
SMART = str.maketrans({'"': "\u201d"})
MOJIBAKE = "is UTF-8 that was read as"
FILES = [
    *some("responses", NOTED,
          ("UTF-16, little-endian, with a mark", encoded("responses", "utf-16-le", codecs.BOM_UTF16_LE),
           ("responses.csv", "not UTF-8", "read as utf-16")),
          ("UTF-16, big-endian, with a mark", encoded("responses", "utf-16-be", codecs.BOM_UTF16_BE),
           ("responses.csv", "read as utf-16")),
          ("UTF-16, little-endian, without a mark", encoded("responses", "utf-16-le"),
           ("responses.csv", "read as utf-16")),
          ("UTF-16, big-endian, without a mark", encoded("responses", "utf-16-be"),
           ("responses.csv", "read as utf-16")),
          ("a byte order mark before UTF-8", encoded("responses", "utf-8", codecs.BOM_UTF8),
           ("responses.csv", "byte order mark")),
          ("a byte order mark inside, where files were joined", lines("responses", line(ROW, lambda r: "\ufeff" + r)),
           ("responses.csv line 3, column staff_id", "dropped")),
          ("semicolons between values", lines("responses", delimited(";")), ("responses.csv", "';'", "read so")),
          ("tabs between values", lines("responses", delimited("\t")), ("responses.csv", "'\\t'", "read so")),
          ("bars between values", lines("responses", delimited("|")), ("responses.csv", "'|'", "read so")),
          ("a first line sep=;", lines("responses", lambda old: ["sep=;", *(row.replace(",", ";") for row in old)]),
           ("responses.csv line 1", "';'", "read so")),
          ("semicolons and decimal commas, as declared",
           both(lines("responses", lambda old: [row.replace(",", ";").replace(".", ",") for row in old]),
                params("data", "responses", numbers={"decimal": ","})),
           ("responses.csv", "read so")),
          ("carriage returns alone", text("responses", lambda old: old.replace("\n", "\r")),
           ("responses.csv", "carriage return")),
          ("blank lines between the rows", lines("responses", put_in(ROW, "", "   ")),
           ("responses.csv line 3", "blank lines", "left out")),
          ("rows of commas at the end", lines("responses", lambda old: [*old, *["," * old[0].count(",")] * 5]),
           ("responses.csv line 302", "left out")),
          ("a delimiter after every row and the header", lines("responses", lambda old: [row + "," for row in old]),
           ("responses.csv", "1 columns have neither a name nor values", "left out")),
          ("blanks after values", column("responses", "staff_id", lambda ids: ids + "  "),
           ("responses.csv line 2, column staff_id", "blanks", "dropped")),
          ("no-break spaces around values", column("responses", "DL01", lambda v: "\u00a0" + v),
           ("responses.csv line 2, column DL01", "blanks", "dropped")),
          ("a blank after a column's name", lines("responses", line(1, lambda r: r.replace("weight", "weight "))),
           ("responses.csv line 1, column weight", "dropped")),
          ("a mark of no width in a column's name", lines("responses", line(1, lambda r: r.replace("status", "sta\u200btus"))),
           ("responses.csv", "status", "taken as the same")),
          ("a column's name in capitals", lines("responses", line(1, lambda r: r.replace("weight", "WEIGHT"))),
           ("responses.csv", "column weight", "'WEIGHT'", "taken as the same")),
          ("a column's name with a blank for the underscore",
           lines("responses", line(1, lambda r: r.replace("staff_id", "Staff ID"))),
           ("responses.csv", "column staff_id", "'Staff ID'", "taken as the same")),
          ("an item's name in small letters", lines("responses", line(1, lambda r: r.replace("DL01", "dl01"))),
           ("responses.csv", "column DL01", "'dl01'", "taken as the same")),
          ("a spreadsheet with another sheet", book(more="notes"), ("responses.xlsx", "other sheets", "only data")),
          ),
    *some("register", NOTED,
          ("another apostrophe in a column's name", text("register", lambda old: old.replace("yo\u02bbnalish", "yo'nalish")),
           ("register.csv.gz", "column yo\u02bbnalish", "taken as the same")),
          ("letters and marks apart (NFD) in codes",
           column("register", "region", lambda v: v.replace("aravel", unicodedata.normalize("NFD", "\u00e9lan"))),
           ("register.csv.gz", "column region", "can't be seen")),
          ("blank lines in a gzipped file", lines("register", put_in(9, "")), ("register.csv.gz line 9", "left out")),
          ),
    *some("courses", NOTED,
          ("Windows-1251, told from the bytes", legacy("courses", "cp1251", "'"),
           ("courses.csv", "not UTF-8", "windows-1251")),
          ("Windows-1252 declared, and it is Windows-1251",
           both(legacy("courses", "cp1251", "'"), params("data", "courses", encoding="windows-1252")),
           ("courses.csv: its letters look like windows-1251", "as params declare")),
          ("Windows-1251, declared: apostrophes were lost",
           both(legacy("courses", "cp1251", "'"), params("data", "courses", encoding="windows-1251")),
           ("courses.csv", "column label_uz", "apostrophes")),
          ),
    *some("agencies", NOTED,
          ("Windows-1252, told from the bytes",
           both(text("agencies", lambda old: old.replace("Agency", "Ag\u00e9ncy\u00e9")), legacy("agencies", "cp1252", "\u2019")),
           ("agencies.csv", "not UTF-8", "windows-1252")),
          ),
    *some("responses", PLAIN,
          ("lines end in CR LF", text("responses", lambda old: old.replace("\n", "\r\n")), "the usual line end of Windows"),
          ("some lines end in CR LF", text("responses", lambda old: old.replace("\n", "\r\n", 40)), "both are line ends"),
          ("no line end after the last row", text("responses", lambda old: old.rstrip("\n")), "the row is whole"),
          ("every value in quotes",
           lines("responses", lambda old: ['"' + row.replace(",", '","') + '"' for row in old]), "a way of writing CSV"),
          ("rows in another order", frame("responses", lambda rows: rows.iloc[::-1]), "rows have no order"),
          ("columns in another order", frame("responses", lambda rows: rows[list(rows)[::-1]]), "columns have no order"),
          ("a column that nobody asked for", 
           frame("responses", lambda rows: rows.assign(remark="fine")), "what isn't declared isn't read"),
          ("3,000 columns that nobody asked for",
           frame("responses", lambda rows: pd.concat([rows, pd.DataFrame("1", rows.index, WIDE)], axis=1)),
           "what isn't declared isn't read"),
          ("a name in capitals: RESPONSES.CSV", file_named("responses", "RESPONSES.CSV"), "the same kind of file"),
          ("a spreadsheet of text cells", book(), "the same table in another kind of file"),
          ("a Parquet file of text", as_parquet("responses"), "the same table in another kind of file"),
          ),
    *some("register", PLAIN,
          ("rows in another order", frame("register", lambda rows: rows.iloc[::-1]), "rows have no order"),
          ("gzip parts, one after the other",
           on_disk("register", lambda raw: (lambda t: gzip.compress(t[:999]) + gzip.compress(t[999:]))(gzip.decompress(raw))),
           "gzip allows it"),
          ),
    *some("responses", REJECTED,
          ("UTF-16 declared, and it is UTF-8", params("data", "responses", encoding="utf-16"),
           ("responses.csv", "utf-16", "correct encoding in params")),
          ("UTF-8 declared, and it is UTF-16",
           both(encoded("responses", "utf-16-le", codecs.BOM_UTF16_LE), params("data", "responses", encoding="utf-8")),
           ("responses.csv", "declare utf-8", "utf-16")),
          ("UTF-32", encoded("responses", "utf-32"), ("responses.csv", "0x00")),
          ("a zero byte inside", lines("responses", line(ROW, lambda r: r.replace(",", ",\0", 1))),
           ("responses.csv line 3", "0x00", "export it again")),
          ("nothing but zero bytes", content("responses", lambda raw: bytes(len(raw))), ("responses.csv", "0x00")),
          ("a control character inside", lines("responses", line(ROW, lambda r: r.replace(",", ",\x1a", 1))),
           ("responses.csv line 3", "0x1a")),
          ("not compressed, though its name says so", both(file_named("responses", "responses.csv.gz")),
           ("responses.csv.gz", "can't be read as CSV")),
          ("compressed, though its name doesn't say so", content("responses", gzip.compress), ("responses.csv", "0x")),
          ("a zip archive under its name", content("responses", zipped), ("responses.csv", "0x")),
          ("a web page under its name",
           content("responses", lambda raw: b"<html><table><tr><td>" + raw.replace(b",", b"</td><td>") + b"</table>"),
           ("responses.csv",)),
          ("semicolons, and commas are declared",
           both(lines("responses", delimited(";")), params("data", "responses", delimiter=",")),
           ("responses.csv line 1", "','", "correct delimiter in params")),
          ("half of the rows with semicolons",
           lines("responses", lambda old: [row if n % 2 else row.replace(",", ";") for n, row in enumerate(old, 1)]),
           ("responses.csv line 2: 1 values under 34 columns (150 rows)",)),
          ("blanks between values", lines("responses", delimited(" ")), ("responses.csv, column status: there is no column status",)),
          ("a quote that is never closed", lines("responses", line(ROW, lambda r: r.replace(",", ',"', 1))),
           ("responses.csv line 3", "does not end", "close its quote")),
          ("single quotes around values", lines("responses", lambda old: [",".join(f"'{v}'" for v in r.split(",")) for r in old]),
           ("responses.csv",)),
          ("typographic quotes around values",
           lines("responses", lambda old: [",".join(f"\u201c{v}\u201d" for v in r.split(",")) for r in old]),
           ("responses.csv",)),
          ("a row with one value more", lines("responses", line(ROW, lambda r: r + ",1")),
           ("responses.csv line 3", "35 values under 34 columns")),
          ("a row with one value less", lines("responses", line(ROW, lambda r: r.rpartition(",")[0])),
           ("responses.csv line 3", "33 values under 34 columns")),
          ("a delimiter after every row, not after the header",
           lines("responses", lambda old: [old[0], *(row + "," for row in old[1:])]),
           ("responses.csv line 2", "35 values under 34 columns")),
          ("a delimiter after the header only", lines("responses", line(1, lambda r: r + ",")),
           ("responses.csv line 2", "34 values under 35 columns")),
          ("a row cut in the middle, the last one", text("responses", lambda old: old[:-9]), ("responses.csv line 301", "values under")),
          ("rows cut at a line's end, and their number is declared", lines("responses", lambda old: old[:-40]),
           ("responses.csv", "the file holds 260 rows, and params say 300", "n_rows"), "declared"),
          ("an empty file", content("responses", lambda raw: b""), ("responses.csv", "the file is empty")),
          ("nothing but blank lines", content("responses", lambda raw: b"\n \n\n"), ("responses.csv", "the file is empty")),
          ("a header and no rows", lines("responses", lambda old: old[:1]), ("responses.csv", "no rows under the header")),
          ("no header", lines("responses", lambda old: old[1:]), ("responses.csv",)),
          ("the header again among the rows", lines("responses", lambda old: [*old[:9], old[0], *old[9:]]),
           ("responses.csv line 10", "staff_id")),
          ("a title above the header", lines("responses", lambda old: ["Survey of 2026" + "," * old[0].count(","), *old]),
           ("responses.csv",)),
          ("the text of the questions under the header",
           lines("responses", lambda old: [old[0], ",".join(f"Question {n}" for n in range(len(old[0].split(",")))), *old[1:]]),
           ("responses.csv line 2",)),
          ("a line of totals at the end", lines("responses", lambda old: [*old, "Total,300" + "," * (old[0].count(",") - 1)]),
           ("responses.csv line 302",)),
          ("a source below the rows", lines("responses", lambda old: [*old, "Source: HR department"]),
           ("responses.csv line 302", "1 values under 34 columns")),
          ("a remark before the header", lines("responses", lambda old: ["# exported 2026-03-01", *old]), ("responses.csv",)),
          ("a column twice", lines("responses", line(1, lambda r: r.replace("DL02", "DL01"))),
           ("responses.csv line 1", "column DL01 stands twice", "rename one")),
          ("a column twice but for a blank", lines("responses", line(1, lambda r: r.replace("DL02", "DL01 "))),
           ("responses.csv line 1", "column DL01 stands twice")),
          ("a column twice but for capitals", frame("responses", lambda rows: rows.assign(Weight="1")),
           ("responses.csv", "column weight", "'Weight'")),
          ("a column without a name, with values", lines("responses", line(1, lambda r: r.replace("date", ""))),
           ("responses.csv line", "column 7 holds values and has no name")),
          ("a folder under its name", in_place_of("responses", lambda path: path.mkdir()), ("responses.csv",)),
          ("a link to itself", in_place_of("responses", lambda path: path.symlink_to(path)), ("responses.csv",)),
          ("a link to nothing", in_place_of("responses", lambda path: path.symlink_to("nowhere.csv")), ("responses.csv", "no such file")),
          ("no file", in_place_of("responses", lambda path: None), ("responses.csv", "no such file", "tiny.yaml line")),
          ("another kind of file", file_named("responses", "responses.doc"), ("responses.doc", "can't read this kind of file")),
          ("an outside file that is not there",
           both(in_place_of("responses", lambda path: None),
                params("data", "responses", source={"name": "the Office", "get": "ask"})),
           ("tiny.yaml", "waits for", "responses.csv", "the Office")),
          ("text under the name of a spreadsheet", file_named("responses", "responses.xlsx"),
           ("responses.xlsx", "can't be read as XLSX")),
          ("merged cells in a spreadsheet", book(lambda page: page.merge_cells("A4:A5")),
           ("responses.xlsx", "A4:A5 are merged")),
          ("a formula without a result in a spreadsheet", book(set_cell("D4", "=D3")),
           ("responses.xlsx line 4, column weight", "no stored result")),
          ("an error in a spreadsheet's cell", book(set_cell("I4", "#REF!")), ("responses.xlsx line 4, column DL01", "#REF!")),
          ("an empty first row in a spreadsheet", book(lambda page: page.insert_rows(1)),
           ("responses.xlsx line 1", "the first row is empty")),
          ("a sheet that is not there", both(book(), params("data", "responses", sheet="Sheet9")),
           ("responses.xlsx", "there is no sheet Sheet9")),
          ("a truncated Parquet file", as_parquet("responses", raw=lambda data: data[:-9]),
           ("responses.parquet", "can't be read as Parquet")),
          ("lists in a Parquet file's cells", as_parquet("responses", lambda rows: rows.assign(DL01=[["1"]] * len(rows))),
           ("responses.parquet, column DL01", "lists")),
          ("ids as floating-point numbers in a Parquet file",
           as_parquet("responses", lambda rows: rows.assign(staff_id=rows["staff_id"].astype(float))),
           ("responses.parquet line 1, column staff_id", "leading zeros")),
          ),
    *some("register", REJECTED,
          ("a truncated gzip file", on_disk("register", lambda raw: raw[: len(raw) // 2]),
           ("register.csv.gz", "can't be read as CSV", "export it again")),
          ("a gzip file with one byte changed", on_disk("register", lambda raw: raw[:900] + bytes([raw[900] ^ 255]) + raw[901:]),
           ("register.csv.gz", "can't be read as CSV")),
          ("other bytes after a gzip file", on_disk("register", lambda raw: raw + b"end of file\n"),
           ("register.csv.gz", "can't be read as CSV")),
          ("compressed twice", on_disk("register", gzip.compress), ("register.csv.gz", "0x")),
          ("a file of nothing", on_disk("register", lambda raw: b""), ("register.csv.gz", "empty")),
          ("a column's name read as Windows-1252", twice_read("register", "cp1252"), ("register.csv.gz", "column yo\u02bbnalish")),
          ("the header again among the rows", lines("register", lambda old: [*old[:9], old[0], *old[9:]]),
           ("register.csv.gz line 10",)),
          ("rows cut at a line's end, and their number is declared", lines("register", lambda old: old[:-9]),
           ("register.csv.gz", "291 rows, and params say 300"), "declared"),
          ("rows cut at a line's end: respondents are missed", lines("register", lambda old: old[:-9]),
           ("responses.csv line", "column staff_id: '000292' is not in register.csv.gz (9 rows)")),
          ("the responses in its place",
           lambda p: p.table("register").write_bytes(gzip.compress(p.table("responses").read_bytes())), ("register.csv.gz", "yo\u02bbnalish")),
          ),
    *some("courses", REJECTED,
          ("UTF-8 with a few bytes of Windows-1252",
           content("courses", lambda raw: raw.replace(b"Digital footing", "D\u00e9fi num\u00e9rique".encode("cp1252"), 1)),
           ("courses.csv line 2", "0xe9 is not UTF-8")),
          ("KOI8-R", text_to("courses", lambda old: old.replace("\u02bb", "'").replace("\u02bc", "'").encode("koi8-r")),
           ("courses.csv line", "is not UTF-8")),
          ("UTF-8 read as Windows-1252 and saved", twice_read("courses", "cp1252"), ("courses.csv line", "column label_uz", MOJIBAKE)),
          ("UTF-8 read as Windows-1251 and saved",
           text("courses", lambda old: old.replace(ACADEMY, ACADEMY.encode().decode("cp1251", "replace"))),
           ("courses.csv line", "column provider", MOJIBAKE)),
          ("letters that became question marks",
           text("courses", lambda old: old.replace("\u02bb", "?").replace("\u02bc", "?")),
           ("courses.csv line 3, column label_uz: letters of 'Ma?lumot bilan xavfsiz ishlash' were lost (5 rows)",)),
          ("letters that became U+FFFD", text("courses", lambda old: old.replace("\u02bb", "\ufffd")),
           ("courses.csv line", "column label_uz")),
          ("a delimiter inside a value", text("courses", lambda old: old.replace("Digital footing", "Digital, footing")),
           ("courses.csv line 2", "16 values under 15 columns", "quote values")),
          ("a blank before a quote", text("courses", lambda old: old.replace("Digital footing", ' "Digital, footing"')),
           ("courses.csv line 2",)),
          ("a fault below a quoted line end: the line is the file's",
           both(text("courses", lambda old: old.replace("Digital footing", '"Digital\nfooting"')),
                text("courses", lambda old: old.replace("online,8,", "online,much,", 1))),
           ("courses.csv line 4, column hours", "'much' is not a number")),
          ("the effects in their place", lambda p: p.table("courses").write_bytes(p.table("course_effects").read_bytes()),
           ("courses.csv", "there is no column")),
          ),
    *some("courses", PLAIN,
          ("a quote inside a value", text("courses", lambda old: old.replace("Lantern Learning", 'Lantern 5" Learning')),
           "a quote that begins no value is a character") if False else
          ("a million characters in one cell", text("courses", lambda old: old.replace("Lantern Learning", "L" * 1_000_000)),
           "who gives a course may be said at length"),
          ),
    *some("requirements", REJECTED,
          ("the register in their place",
           lambda p: p.table("requirements").write_bytes(gzip.decompress(p.table("register").read_bytes())),
           ("requirements.csv", "there is no column")),
          ("the header again among the rows", lines("requirements", lambda old: [*old[:9], old[0], *old[9:]]),
           ("requirements.csv line 10",)),
          ),
    *some("items", REJECTED,
          ("the competencies in their place", lambda p: p.table("items").write_bytes(p.table("competencies").read_bytes()),
           ("items.csv", "there is no column item_id")),
          ),
    *some("responses", INVISIBLE,
          ("rows cut at a line's end", lines("responses", lambda old: old[:-170]),
           "the file is whole in itself; declare n_rows"),
          ),
]
