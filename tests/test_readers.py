"""Readers: the same table whatever the file, physical lines, one note for what was put right, one line for a fault."""

import csv
import datetime as dt
import gzip
import io
import os
import pwd
import random
import re
import shutil
import subprocess
import tempfile
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from skillsgap.errors import StudyError, Waiting
from skillsgap.study.reading import delimited
from skillsgap.study.reading.celltext import as_text, cell_text
from skillsgap.study.reading.decoding import guess
from skillsgap.study.reading.readers import open_source, open_table, read_text

HEADER = ["id", "name", "note"]
TEXTS = {
    "latin": [["007", "Région Sud", "métier, été"], ["2", "Curaçao", ""], ["NA", "Ægir", 'a "quoted" word']],
    "cyrillic": [["007", "Отдел кадров", "да; нет"], ["2", "Сирдарё вилояти", ""], ["NA", "Бухгалтерия", "null"]],
    "ascii": [["007", "Head office", "1,5"], ["2", "null", ""], ["NA", "x|y", "1 234,5"]],
}
CODECS = {"latin": ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"),
          "cyrillic": ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"),
          "ascii": ("ascii", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")}  # fmt: skip


def written(rows, *, delimiter=",", end="\n", header=HEADER):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    return out.getvalue()


@pytest.fixture
def read(tmp_path):
    """Bytes (or text) of a file and its declaration in; frame and notes, as lines, out."""
    def read(content, name="t.csv", *, columns=None, **spec):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        source = open_table(spec, path)
        return read_text(source, columns), [str(note) for note in source.notes]

    return read


@pytest.fixture
def fault(read):
    """The lines of the fault that reading ends in."""
    def fault(content, name="t.csv", **spec):
        with pytest.raises(StudyError) as raised:
            read(content, name, **spec)
        return str(raised.value).splitlines()

    return fault


# --- encodings, delimiters and line ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(("kind", "codec"), [(kind, codec) for kind, codecs in CODECS.items() for codec in codecs])
def test_any_encoding_delimiter_and_line_end_gives_the_same_table_and_is_said(read, kind, codec, delimiter, end):
    content = written(TEXTS[kind], delimiter=delimiter, end=end).encode(codec)
    plain = codec in ("ascii", "utf-8")
    for name, data in (("t.csv", content), ("t.csv.gz", gzip.compress(content))):
        frame, notes = read(data, name)
        assert frame.to_numpy().tolist() == TEXTS[kind] and list(frame) == HEADER
        assert frame.index.tolist() == [2, 3, 4] and frame.index.name == "line" and frame.attrs["columns"] == HEADER
        assert (frame.dtypes == pd.Series(["x"]).dtype).all()
        assert len(notes) == (not plain) + (delimiter != ",") + (end == "\r"), notes
    named = {"cp1252": "windows-1252", "cp1251": "windows-1251", "utf-8-sig": "utf-8"}.get(codec, "utf-16")
    if not plain:
        assert notes[0].endswith(f": read as {named}")
        declared, notes = read(content, encoding=named, delimiter=delimiter)
        assert declared.equals(frame) and len(notes) == (end == "\r")


def test_a_plain_file_gives_no_note(read):
    frame, notes = read("a,b\nNA,null\n007,\n")
    assert frame.to_numpy().tolist() == [["NA", "null"], ["007", ""]] and notes == []


def test_letters_tell_windows_1251_from_1252_or_the_file_is_refused(fault):
    russian, french = "Начальник отдела кадров, бухгалтер", "à côté de l'école, déjà été élève où ça"
    assert guess(russian.encode("cp1251")) == "windows-1251" and guess(french.encode("cp1252")) == "windows-1252"
    assert guess(russian.encode()) == "utf-8"
    for text, codec in [(russian, "koi8-r"), (russian, "cp866"), (russian.lower(), "koi8-r"), (french, "cp850"),
                        (french, "mac-roman"), ("Défi", "cp1252"), ("¿Cuántos años? ¿Dónde?", "cp850"),
                        (f"{russian} {french}", "utf-8")]:  # fmt: skip
        data = text.encode(codec) if codec != "utf-8" else russian.encode("cp1251") + french.encode("cp1252")
        assert guess(data) is None, (text, codec)
    (line,) = fault(b"a\n" + russian.encode("koi8-r") + b"\n", delimiter=",")
    assert re.match(r"t\.csv line 2: byte 0x\w\w is not UTF-8: save the file as UTF-8 .* or declare its encoding", line)


def test_text_that_is_ascii_for_long_is_told_apart_where_it_ends(read, monkeypatch):
    monkeypatch.setattr("skillsgap.study.reading.decoding.CHUNK", 128)
    rows = [["a" * 30, "b", "c"]] * 10
    for kind, codec in [("latin", "utf-8"), ("latin", "cp1252"), ("cyrillic", "cp1251"), ("cyrillic", "utf-16")]:
        for end in ("\n", "\r\n"):
            frame, notes = read(written(rows + TEXTS[kind], end=end).encode(codec))
            assert frame.to_numpy().tolist() == rows + TEXTS[kind] and len(notes) == (codec != "utf-8")
            assert frame.index.tolist() == list(range(2, 15))


@pytest.mark.parametrize(("content", "spec", "said"), [
    (written(TEXTS["latin"]).encode() + b"9,R\xe9gion,\n", {}, "line 5: byte 0xe9 is not UTF-8: save the file as"),
    (b"a,b\n1,D\xe9fi\n", {}, "line 2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
    (b"a,b\n1,D\xe9fi\n", {"encoding": "utf-8"}, "line 2: byte 0xe9 is not UTF-8: save the file as UTF-8"),
    (b"a,b\n\n1,\x98\n", {"encoding": "windows-1251"}, "line 3: byte 0x98 is not windows-1251: save"),
    ("a,b\n1,é\n", {"encoding": "windows-1252"}, "params declare windows-1252, and its bytes are utf-8: correct"),
    ("\ufeffa,b\n1,x\n", {"encoding": "windows-1251"}, "params declare windows-1251, and its bytes are utf-8: correct"),
    (b"a,b\n1,x\n", {"encoding": "utf-16"}, "params declare utf-16, and its bytes are not: correct encoding"),
    (b"a,b\n1,2\n1,\0x\n", {}, "line 3: byte 0x00 does not belong into a text file: export it again as text"),
    (b"PK\x03\x04a,b\n", {}, "line 1: byte 0x03 does not belong into a text file"),
    ("a,b\n1,2\n".encode("utf-16")[:-1], {}, "line 2: byte 0x0a is not utf-16-le"),
    ("a,b\n1,2\n".encode("utf-32"), {}, "line 1: byte 0x00 does not belong into a text file"),
])  # fmt: skip
def test_bytes_that_do_not_fit_are_named_with_line_and_remedy(fault, content, spec, said):
    (line,) = fault(content, **spec)
    assert line.startswith("t.csv ") or line.startswith("t.csv:")
    assert said in line


def test_a_declared_code_page_that_the_letters_contradict_is_noted(read):
    _, notes = read(written(TEXTS["latin"]).encode("cp1252"), encoding="windows-1251")
    assert notes == ["t.csv: its letters look like windows-1252: read as params declare"]


def test_the_delimiter_is_taken_only_where_every_row_agrees(read, fault):
    frame, _ = read("a;b,c\n1;5\n2;6\n")
    assert list(frame) == ["a", "b,c"]
    assert fault("a,b;c\n1,5;2\n") == [
        "t.csv line 1: its values may be separated by any of ',' ';': declare delimiter in params"]  # fmt: skip
    assert fault("a,b;c\n1,2;3;4\n1\n") == [
        "t.csv line 1: its rows agree with none of the delimiters ',' ';': declare delimiter in params"]  # fmt: skip
    frame, notes = read("a,b;c\n1,5;2\n", delimiter=";")
    assert frame.to_numpy().tolist() == [["1,5", "2"]] and not notes
    assert fault("a;b\n1;2\n", delimiter=",") == [
        "t.csv line 1: its values are not separated by ',': correct delimiter in params"]  # fmt: skip


def test_a_first_line_for_the_spreadsheet_names_the_delimiter(read, fault):
    for first in ("sep=;", '"sep=;"', "SEP=;"):
        frame, notes = read(f"{first}\r\na;b\r\n1,5;2\r\n")
        assert frame.reset_index().to_numpy().tolist() == [[3, "1,5", "2"]]
        assert notes == ["t.csv line 1: the first line names the delimiter ';': read so"]
    assert "names the delimiter ';', and params ',': correct" in fault("sep=;\na;b\n1;2\n", delimiter=",")[0]


# --- lines, blanks, columns ------------------------------------------------------------------------------------------


def test_lines_are_those_of_the_file_whatever_stands_between(read):
    frame, notes = read('\na,b\n\n1,"x\ny"\n , \n\n2,3\n""\n"","4"\n,\n5,"6"""\n\n')
    assert frame.reset_index().to_numpy().tolist() == [[4, "1", "x\ny"], [8, "2", "3"], [10, "", "4"], [12, "5", '6"']]
    assert notes == ["t.csv line 1: blank lines stand between the rows (7 rows): left out"]


def test_blanks_around_values_and_names_are_dropped_with_one_note(read):
    blanks = [" ", "\u00a0", "\u200b", "\ufeff", "\t", "\u2009", "\u3000"]
    rows = "".join(f"{blank}{n}, x y{blank}\n" for n, blank in enumerate(blanks))
    frame, notes = read(f"a,\u200bb \n9,z\n{rows}")
    assert list(frame) == ["a", "b"] and frame["b"].tolist() == ["z"] + ["x y"] * 7
    assert notes == ["t.csv line 1, column b: blanks stand around values (8 rows): dropped"]
    _, notes = read("a,b\n9,z\n9, z\n 9,z\n")
    assert notes == ["t.csv line 3, column b: blanks stand around values (2 rows): dropped"]


def test_columns_without_a_name_hold_nothing_or_are_a_fault(read, fault):
    frame, notes = read("a,b,,\n1,2,, \n3,4,,\n", columns=["b"])
    assert frame["b"].tolist() == ["2", "4"] and frame.attrs["columns"] == ["a", "b"]
    assert notes[-1] == "t.csv: 2 columns have neither a name nor values: left out"
    (line,) = fault(",a\n0,x\n1,y\n")
    assert line == "t.csv line 2: column 1 holds values and has no name (2 rows): name it, or delete it"


def test_columns_are_selected_and_absent_ones_left_out(read):
    for content in ("a,b,c\n1,2,3\n", 'a,b,c\n1,2,"3\n"\n'):
        frame, _ = read(content, columns=["c", "a", "z"])
        assert list(frame) == ["a", "c"] and frame.attrs["columns"] == ["a", "b", "c"]
        frame, _ = read(content, columns=[])
        assert list(frame) == [] and frame.index.tolist() == [2]


@pytest.mark.parametrize(("content", "said"), [
    ("", ["t.csv: the file is empty: export it again, with a header line"]),
    ("\n \n", ["t.csv: the file is empty: export it again, with a header line"]),
    ("\ufeff", ["t.csv: the file is empty: export it again, with a header line"]),
    (",,\n1,2,3\n", ["t.csv line 1: the header names no column: export it again, with a header line"]),
    ("a,b\n", ["t.csv: there are no rows under the header: export it again"]),
    ("a,b\n\n,\n", ["t.csv: there are no rows under the header: export it again"]),
    ("a,b,a ,b\n1,2,3,4\n", ["t.csv line 1: column a stands twice: rename one of them",
                             "t.csv line 1: column b stands twice: rename one of them"]),
    ("a,b\n1,2\n1,2,3\n1\n", ["t.csv line 3: 3 values under 2 columns (2 rows): quote values that hold a comma"]),
    ("a;b\n1;2\n1\n", ["t.csv line 3: 1 values under 2 columns: quote values that hold the delimiter"]),
    ('a,b\n1,"2\n3,4\n', ["t.csv line 2: a quoted value begins in this line and does not end as it should: close its "
                          "quote, or double the quotes inside it"]),
    ('a,b\n1,2\n1,"2\n3,"4"\n', ["t.csv line 3: a quoted value begins in this line and does not end as it should: "
                                 "close its quote, or double the quotes inside it"]),
    ('a,"b\n1,2\n', ["t.csv line 1: a quoted value begins in this line and does not end as it should: close its "
                     "quote, or double the quotes inside it"]),
    ('a,b\n1, "2"\n', ["t.csv line 2: a blank stands before a quote: take it out"]),
])  # fmt: skip
def test_a_damaged_text_file_ends_in_one_line_a_fault(fault, content, said):
    assert fault(content) == said


def test_an_unclosed_quote_in_a_long_file_is_found_at_its_line(fault, monkeypatch):
    monkeypatch.setattr("skillsgap.study.reading.decoding.CHUNK", 1 << 12)
    (line,) = fault('a,b\n1,2\n1,"2\n' + "3,4\n" * 100_000)
    assert line.startswith("t.csv line 3: a quoted value begins in this line and does not end")
    (line,) = fault('a,b\n1,2\n1,"2\n' + "3,4\n" * 5_000)
    assert line.startswith("t.csv line 3: a quoted value begins in this line and does not end")


def test_compressed_files_that_are_cut_or_not_compressed_are_told(fault):
    whole = gzip.compress(written(TEXTS["ascii"] * 5000).encode())
    assert fault(whole[:-20], "t.csv.gz")[0].startswith("t.csv.gz: can't be read as CSV (Compressed file ended")
    assert fault(b"a,b\n1,2\n", "t.csv.gz")[0].startswith("t.csv.gz: can't be read as CSV (Not a gzipped file")
    assert "line 1: byte 0x8b is not UTF-8" in fault(whole)[0]


# --- the fast way and the exact way ----------------------------------------------------------------------------------

PIECES = st.sampled_from(["a", "1", "", '"', '""', ",", "\n", ";", " ", "é", "NA", '"x"', '"x,y"', ',"', '",', "\n\n"])


def outcome(content, columns, *, fast, chunk):
    """Table and notes, or the fault, of a text file read with Arrow allowed or not."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr("skillsgap.study.reading.decoding.CHUNK", chunk)
        if not fast:
            patch.setattr(delimited, "_by_arrow", lambda *_: None)
        path = Path(folder, "t.csv")
        path.write_text(content, encoding="utf-8", newline="")
        try:
            source = open_table({"delimiter": ","}, path)
            frame = read_text(source, columns)
            return frame.reset_index().to_numpy().tolist(), list(frame), [str(note) for note in source.notes]
        except StudyError as error:
            return str(error)


@settings(derandomize=True, database=None, deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=24).map("".join), st.sampled_from([None, ["b"]]), st.sampled_from([16, 1 << 20]))
@example('x,"y"\n"",\n', None, 1 << 20)
@example('"p","q"\n"","r,s"\n" "," "\n', None, 1 << 20)
def test_the_fast_and_the_exact_way_give_the_same(content, columns, chunk):
    content = f"a,b\n{content}"
    exact = outcome(content, columns, fast=False, chunk=1 << 20)
    assert outcome(content, columns, fast=True, chunk=chunk) == exact


def test_rows_of_a_plain_or_fully_quoted_file_take_the_fast_way(read, monkeypatch):
    monkeypatch.setattr(delimited, "_one_by_one", lambda *_: pytest.fail("read row by row"))
    plain = pd.DataFrame({"a": ["x,y", ""], "b": ["1", "é"]})
    frame, _ = read(plain.to_csv(index=False, quoting=csv.QUOTE_ALL))
    assert frame.to_numpy().tolist() == plain.to_numpy().tolist()


def test_a_long_file_streams_in_bounded_memory(tmp_path):
    rows = 500_000
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("id,agency,grade,level\n")
        file.writelines(f"A{n:07d},levy,officer,{n % 5}\n" for n in range(rows))
    before, most, seen = pa.total_allocated_bytes(), 0, 0
    tracemalloc.start()
    source = open_table({}, path)
    for lines, table in source.batches(["agency", "level"], size=10_000):
        assert len(lines) == table.num_rows <= 10_000 and lines[0] == seen + 2
        seen, most = seen + len(lines), max(most, pa.total_allocated_bytes() - before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == rows and source.notes == []
    assert peak < 64e6 and most < 64e6, (peak, most)


# --- spreadsheets, SPSS, Stata, Parquet ------------------------------------------------------------------------------

TYPED = pd.DataFrame({
    "id": ["007", "b", "NA", ""], "n": [1.0, 2.0, None, 40.0], "x": [0.1, 1e-5, 2.0, None],
    "day": [dt.date(2025, 12, 31), dt.date(1999, 1, 1), None, dt.date(2000, 2, 29)],
    "at": [dt.datetime(2025, 1, 1, 10, 30), dt.datetime(2025, 1, 1), None, dt.datetime(2025, 1, 1, 0, 0, 1)],
})  # fmt: skip
AS_CSV = ("id,n,x,day,at\n007,1,0.1,2025-12-31,2025-01-01 10:30:00\nb,2,1e-05,1999-01-01,2025-01-01\nNA,,2,,\n"
          ",40,,2000-02-29,2025-01-01 00:00:01\n")  # fmt: skip


def spreadsheet(path, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def test_every_kind_of_file_gives_the_frame_that_csv_gives(read, tmp_path):
    expected, _ = read(AS_CSV)
    cells = TYPED.astype(object).where(TYPED.notna(), None).to_numpy().tolist()
    spreadsheet(tmp_path / "t.xlsx", ("S", [list(TYPED), *cells]))
    pyreadstat.write_sav(TYPED, tmp_path / "t.sav")
    pyreadstat.write_dta(TYPED, tmp_path / "t.dta")
    typed = pa.Table.from_pandas(TYPED, preserve_index=False)
    pq.write_table(typed, tmp_path / "t.parquet", row_group_size=2)
    for name in ("t.xlsx", "t.sav", "t.dta", "t.parquet"):
        for columns in (None, ["day", "id", "none"]):
            source = open_table({}, tmp_path / name)
            frame = read_text(source, columns)
            wanted = expected[[c for c in expected if columns is None or c in columns]]
            assert frame.to_numpy().tolist() == wanted.to_numpy().tolist(), name
            assert (frame.dtypes == wanted.dtypes).all() and list(frame) == list(wanted)
            assert frame.index.tolist() == ([2, 3, 4, 5] if name == "t.xlsx" else [1, 2, 3, 4])
            assert frame.attrs["columns"] == list(expected) and source.notes == []


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(st.lists(st.none() | st.floats(allow_nan=False) | st.integers(-10**6, 10**6).map(float), min_size=1))
def test_numbers_read_as_python_and_a_text_file_write_them(values):
    assert as_text(pa.array(values, pa.float64())).to_pylist() == [cell_text(value) for value in values]


def test_arrow_types_as_text():
    def text(values, kind=None):
        return as_text(pa.array(values, kind)).to_pylist()

    assert text(["a", None, "a"], pa.dictionary(pa.int8(), pa.string())) == ["a", "", "a"]
    assert text([True, False, None]) == ["true", "false", ""] and text([None, None]) == ["", ""]
    assert text([5, 150, None], pa.decimal128(9, 2)) == ["5", "150", ""]
    assert text([0.1, 3.0], pa.float32()) == ["0.1", "3"] and text([2**60], pa.uint64()) == [str(2**60)]
    moments = [dt.datetime(2025, 1, 1, 5), dt.datetime(2025, 1, 2, 0, 0, 0, 500_000), dt.datetime(2025, 1, 3)]
    assert text(moments) == ["2025-01-01 05:00:00", "2025-01-02 00:00:00.5", "2025-01-03"]
    zone = [moment.replace(tzinfo=dt.UTC) for moment in moments[:1]]
    assert text(zone, pa.timestamp("us", "UTC")) == ["2025-01-01 05:00:00Z"] == [cell_text(zone[0])]


def test_nested_parquet_columns_are_refused_only_where_they_are_read(tmp_path, read):
    pq.write_table(pa.table({"a": ["x"], "b": [[1, 2]]}), tmp_path / "t.parquet")
    source = open_table({}, tmp_path / "t.parquet")
    assert read_text(source, ["a"])["a"].tolist() == ["x"]
    with pytest.raises(StudyError, match="t.parquet, column b: it holds lists.*: export it with one plain value"):
        read_text(source)


def test_damaged_and_unknown_files_are_told_in_one_line(fault):
    for name, kind in {"t.xlsx": "XLSX", "t.sav": "SPSS", "t.dta": "Stata", "t.parquet": "Parquet"}.items():
        (line,) = fault(b"not what it seems", name)
        assert re.fullmatch(rf"{name}: can't be read as {kind} \(.*\): export it again", line)
    (line,) = fault(b"x", "t.xls")
    reads = ".csv, .csv.gz, .xlsx, .sav, .dta, .parquet"
    assert line == f"t.xls: can't read this kind of file (reads {reads}): save it as .csv"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.xlsx", "t.sav", "t.dta", "t.parquet"])
def test_a_file_with_damaged_bytes_is_read_or_told_in_lines(tmp_path, name):
    path, dice = tmp_path / name, random.Random(1)
    if path.suffix in (".csv", ".gz"):
        TYPED.to_csv(path, index=False)
    elif name == "t.xlsx":
        spreadsheet(path, ("S", [list(TYPED), ["a", 1, 2.5, dt.date(2025, 1, 1), "#N/A"], *[["b", 2]] * 50]))
    else:
        {"t.sav": pyreadstat.write_sav, "t.dta": pyreadstat.write_dta, "t.parquet": pd.DataFrame.to_parquet}[name](
            TYPED, path)  # fmt: skip
    whole = path.read_bytes()
    for _ in range(100):
        content, at = bytearray(whole), dice.randrange(len(whole))
        content[at : at + dice.choice([0, 1, 30, len(whole)])] = dice.randbytes(dice.choice([0, 1, 3]))
        path.write_bytes(content)
        try:
            read_text(open_table({}, path))
        except StudyError as error:
            assert all(line.startswith(name) and str(tmp_path) not in line for line in str(error).splitlines())


def test_sheets_are_named_noted_and_numbered_as_in_the_spreadsheet(tmp_path):
    path = tmp_path / "t.xlsx"
    spreadsheet(path, ("Cover", [["made by", None], ["us"]]), ("Staff", [["id", None, "ok"], [], ["a", None, True]]),
                ("Empty", []))  # fmt: skip
    source = open_table({"sheet": "Staff"}, path)
    assert read_text(source).reset_index().to_numpy().tolist() == [[3, "a", "true"]]
    assert [str(note) for note in source.notes] == [
        "t.xlsx line 2: blank lines stand between the rows: left out",
        "t.xlsx: 1 columns have neither a name nor values: left out"]  # fmt: skip
    first = open_table({}, path)  # who doesn't name a sheet is told of the others
    assert "t.xlsx: other sheets have rows too: Staff: only Cover is read" in [str(note) for note in first.notes]
    with pytest.raises(StudyError, match="there is no sheet Stuff: its sheets are Cover, Staff, Empty"):
        open_table({"sheet": "Stuff"}, path)


@pytest.mark.parametrize(("rows", "merge", "said"), [
    ([["id", "x"], ["a", "#N/A"], ["b", "#REF!"]], None,
     ["t.xlsx line 2, column x: the formula's result is the error #N/A (2 rows): correct it, or clear the cell"]),
    ([["id", "x"], ["a", "=1+1"]], None,
     ["t.xlsx line 2, column x: the formula has no stored result: open it in a spreadsheet, and save it"]),
    ([["id", "x"], ["a", 1], ["b", 2, 3]], None, ["t.xlsx line 3: 3 values under 2 columns: name every column"]),
    ([["id", None], ["a", 1]], None, ["t.xlsx line 2: 2 values under 1 columns: name every column"]),
    ([["id", "x", "id "], ["a", 1, 2]], None, ["t.xlsx line 1: column id stands twice: rename one of them"]),
    ([[], ["id", "x"], ["a", 1]], None, ["t.xlsx line 1: the first row is empty: put the names of the columns there"]),
    ([["id", "x"]], None, ["t.xlsx: there are no rows under the header: export it again"]),
    ([["id", None], ["a", 1]], "A1:B1", ["t.xlsx: cells A1:B1 are merged: part them, and give each its value"]),
])  # fmt: skip
def test_a_spreadsheet_that_misleads_is_refused(tmp_path, rows, merge, said):
    path = tmp_path / "t.xlsx"
    book = spreadsheet(path, ("S", rows))
    if merge:
        book["S"].merge_cells(merge)
        book.save(path)
    with pytest.raises(StudyError) as raised:
        read_text(open_table({}, path))
    assert str(raised.value).splitlines() == said


def test_missing_codes_and_labels_of_spss_and_stata(tmp_path):
    coded = pd.DataFrame({"q": [1.0, 2.0, 98.0, 99.0, None], "s": ["a", "b", "zz", "a", "b"]})
    pyreadstat.write_sav(coded, tmp_path / "t.sav", missing_ranges={"q": [{"lo": 97, "hi": 99}], "s": ["zz"]},
                         variable_value_labels={"q": {1: "no", 98: "don't know"}})  # fmt: skip
    stata = pd.DataFrame({"q": [1, 2, "a", "b", 2], "s": ["a", "b", "c", "a", "b"]})
    pyreadstat.write_dta(stata, tmp_path / "t.dta", missing_user_values={"q": ["a", "b"]},
                         variable_value_labels={"q": {1: "no", "a": "don't know"}})  # fmt: skip
    for name, note, kept in [("t.sav", "q (2), s (1) (3 rows)", 98), ("t.dta", "q (2) (2 rows)", ".a")]:
        source = open_table({}, tmp_path / name)
        assert read_text(source)["q"].tolist() == ["1", "2", "", "", "2" if name == "t.dta" else ""]
        assert [str(n) for n in source.notes] == [
            f"{name}, column q: values that the file declares missing, by column: {note}: read as empty"]  # fmt: skip
        assert read_text(open_table({"labels": True}, tmp_path / name))["q"].tolist()[:3] == ["no", "2", ""]
        # params that say what kind of missing a code is need to see it
        spec = {"missing_codes": {"q": {"dont_know": [kept]}}}
        assert read_text(open_table(spec, tmp_path / name))["q"].tolist()[:4] == ["1", "2", str(kept), ""]


def test_wide_statistical_files_are_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("skillsgap.study.reading.formats.CELLS", 10)
    frame = pd.DataFrame({"id": [str(n) for n in range(2500)], "f": np.arange(2500, dtype="float32") / 10})
    frame.to_stata(tmp_path / "t.dta", write_index=False)
    source = open_table({}, tmp_path / "t.dta")
    assert [len(lines) for lines, _ in source.batches()] == [1000, 1000, 500]
    text = read_text(source)
    assert text["f"].tolist()[:4] == ["0", "0.1", "0.2", "0.3"] and text.index.tolist() == list(range(1, 2501))


# --- databases -------------------------------------------------------------------------------------------------------


def programs(name):
    places = [Path(found) for found in [shutil.which(name)] if found]
    return [*places, *sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)]


@pytest.fixture(scope="session")
def server():
    """The url of a PostgreSQL server that lives as long as the tests; it refuses to run as root."""
    pytest.importorskip("psycopg", reason="the extra sql is not installed")
    if not (programs("initdb") and programs("pg_ctl")):
        pytest.skip("no PostgreSQL server on this machine")
    names = {user.pw_name for user in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in names), None) if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path is short
    if user:
        shutil.chown(folder, user)

    def run(program, *words):
        who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        command = [programs(program)[0], "-D", folder / "data", *words]
        return subprocess.run(command, cwd=folder, check=False, timeout=60, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, **who).returncode  # fmt: skip

    try:
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        if run("initdb", "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C") or run("pg_ctl", "-w", "-o", options,
                                                                                         "start"):  # fmt: skip
            pytest.skip("PostgreSQL could not be started here")
        yield f"postgresql+psycopg://owner@/postgres?host={folder}"
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


TABLES = """
create schema hr;
create table hr."Staff list" (id text primary key, "the n" int, x numeric(8, 2), day date, at timestamp, ok bool);
insert into hr."Staff list" values ('b ', 2, 1.50, null, '2025-01-01 10:30', true), ('007', 1, 5.00, '2025-12-31',
  '2025-01-01', false), ('NA', null, null, null, null, null);
create view hr.seen as select x, id from hr."Staff list";
create table nested (id int, list int[], doc json); insert into nested values (1, '{1,2}', '{}');
create table hidden (id int); insert into hidden values (1);
create table big as select n, n % 7 as m from generate_series(1, 50000) as n order by random();
create role guest login;
"""


@pytest.fixture(scope="session")
def database(server):
    from sqlalchemy import create_engine, text

    engine = create_engine(server)
    with engine.begin() as connection:
        for statement in TABLES.split(";\n"):
            connection.execute(text(statement))
    engine.dispose()
    return server


@pytest.fixture
def params(tmp_path):
    """As much of Params as finding a source needs."""
    return SimpleNamespace(path=tmp_path / "unit.yaml", line=lambda *keys: 7)


@pytest.fixture
def opened(params):
    def opened(**spec):
        return open_source(spec, params=params, data=None, keys=("data", "register"))

    return opened


@pytest.fixture
def refused(opened):
    def refused(**spec):
        with pytest.raises(StudyError) as raised:
            read_text(opened(**spec))
        (line,) = str(raised.value).splitlines()
        return line

    return refused


def test_a_table_of_a_database_reads_as_text_in_the_order_of_its_key(database, opened):
    source = opened(url=database, table="hr.Staff list")
    frame = read_text(source)
    assert frame.reset_index().to_numpy().tolist() == [
        [1, "007", "1", "5", "2025-12-31", "2025-01-01", "false"], [2, "NA", "", "", "", "", ""],
        [3, "b", "2", "1.5", "", "2025-01-01 10:30:00", "true"]]  # fmt: skip
    assert list(frame) == source.columns == ["id", "the n", "x", "day", "at", "ok"]
    assert [str(n) for n in source.notes] == [
        "table hr.Staff list line 3, column id: blanks stand around values: dropped"]  # fmt: skip
    assert list(read_text(source, ["x"])) == ["x"]


def test_a_view_is_read_in_the_order_of_all_its_columns(database, opened):
    assert read_text(opened(url=database, table="hr.seen"))["id"].tolist() == ["b", "007", "NA"]


def test_a_large_table_streams_in_an_order_of_its_own(database, opened):
    lines, tables = zip(*opened(url=database, table="big").batches(size=20_000), strict=True)
    assert [len(part) for part in lines] == [20_000, 20_000, 10_000]
    assert pa.concat_tables(tables)["n"].to_pylist() == [str(n) for n in range(1, 50_001)]


def test_what_a_database_refuses_is_one_line_without_a_secret(database, refused, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    guest, nowhere = database.replace("owner@", "guest@"), database.replace("host=", "host=/nowhere")
    lines = {
        "there is no table or view none: correct table in params": refused(url=database, table="none"),
        "there is no right to read it: ask for the right to SELECT": refused(url=guest, table="hidden"),
        "the database can't be reached: start it": refused(url=nowhere, table="hidden"),
        "its url holds a password: take it out": refused(url=database.replace("@", ":s3cret@"), table="big"),
        "its url holds a password": refused(url=f"{database}&password=s3cret", table="big"),
        "column list: it holds lists, bytes": refused(url=database, table="nested"),
        "its url names no database that can be read": refused(url="what is this", table="big"),
        "write it as SQLAlchemy does": refused(url="nosuch://host/x", table="big"),
    }
    for said, line in lines.items():
        assert line.startswith("table ") and said in line and "s3cret" not in line and "/" not in line.split("~/")[0]


def test_a_name_is_a_name_and_no_statement(database, refused, opened):
    for table in ("big; drop table big", 'big" where 1=1 --', "big where n = 1"):
        assert "there is no table or view" in refused(url=database, table=table)
    assert len(read_text(opened(url=database, table="big"))) == 50_000


def test_sqlite_is_read_where_files_are_looked_up_and_never_made(opened, refused, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "staff.db") as made:
        made.execute("create table staff (id text, n, primary key (id))")
        made.executemany("insert into staff values (?, ?)", [("b", 2.0), ("a", "x"), ("c", None)])
    made.close()
    frame = read_text(opened(url="sqlite:///staff.db", table="staff"))
    assert frame.to_numpy().tolist() == [["a", "x"], ["b", "2"], ["c", ""]]
    line = refused(url="sqlite:///none.db", table="staff")
    assert line == ("none.db: there is no such file beside the params file or in DATA: put it there or correct "
                    "data.register.url in unit.yaml line 7")  # fmt: skip
    assert not (tmp_path / "none.db").exists()
    assert "there is no table or view stuff" in refused(url="sqlite:///staff.db", table="stuff")


def test_a_database_needs_the_extra(refused, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    assert refused(url="postgresql://host/x", table="t") == (
        "table t: reading a database needs SQLAlchemy: install the extra sql")  # fmt: skip


def test_a_source_that_is_declared_by_half_or_absent(opened, refused, tmp_path):
    line = refused(url="sqlite:///x.db")
    assert line == "unit.yaml line 7: data.register has a url and no table: name the table or view"
    assert refused(labels=True) == "unit.yaml line 7: data.register has neither file nor rows: name a file"
    assert refused(file="x.csv").startswith("x.csv: there is no such file")
    with pytest.raises(Waiting, match="unit.yaml: waits for x.csv from the Office"):
        opened(file="x.csv", source={"name": "the Office", "get": "ask"})
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    assert opened(file="x.csv", delimiter=";").columns == ["a", "b"]
