"""Spreadsheets, SPSS, Stata and Parquet files as tables of text."""

import re
import zlib
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skillsgap.study.reading.celltext import as_text, cell_text
from skillsgap.study.reading.texttable import BLANKS, NESTED, UNNEST, Findings, TextTable, unreadable
from skillsgap.wording import N_

FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([^"]+)"')
# what openpyxl and zipfile raise at a damaged file
DAMAGED = (BadZipFile, ParseError, LookupError, NotImplementedError, ValueError, EOFError, OSError, zlib.error)
CELLS = 4_000_000  # values of a wide file held at a time
SHOWN = 4  # columns named in a note


def open_parquet(path, name):
    """Open a Parquet file; of its columns only those asked for are read.

    Parameters
    ----------
    path : Path
    name : str
        As messages call the file.

    Returns
    -------
    TextTable

    Raises
    ------
    StudyError
        The file is damaged.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, UnicodeError, OSError) as error:
        raise unreadable(name, "Parquet", error) from None
    return TextTable(Findings(name), schema.names, partial(_parquet_rows, path, schema))


def _parquet_rows(path, schema, places, size, found):
    import pyarrow.parquet as pq

    for column in (schema.names[place] for place in places if pa.types.is_nested(schema.types[place])):
        found.fault(NESTED, UNNEST, column=column)
    found.stop()
    names, row = [schema.names[place] for place in places], 1
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=size, columns=names):
                batch.validate(full=True)  # text that is not UTF-8 comes through otherwise
                yield np.arange(row, row + len(batch)), [as_text(batch.column(name)) for name in names]
                row += len(batch)
    except (pa.ArrowException, UnicodeError, OSError) as error:
        raise unreadable(found.name, "Parquet", error) from None


def open_statistical(path, name, *, labels=False, encoding=None, kept=()):
    """Open an SPSS (.sav) or Stata (.dta) file.

    Parameters
    ----------
    path : Path
    name : str
        As messages call the file.
    labels : bool
        Value labels instead of codes, where a code has one.
    encoding : str, optional
        Of its text, where the file doesn't say it rightly.
    kept : collection of str
        Codes that params know to be missing, and of what kind: they stay, though the file declares them missing too.

    Returns
    -------
    TextTable
        Values that the file declares missing are "", with a note.

    Raises
    ------
    StudyError
        The file is damaged.
    """
    read = partial(_read_statistical, path, name, encoding)
    _, meta = read(metadataonly=True)
    header = meta.column_names
    if not all(header):
        raise unreadable(name, path.suffix, ValueError("a column has no name"))
    return TextTable(Findings(name), header, partial(_statistical_rows, read, header, labels, frozenset(kept)))


def _read_statistical(path, name, encoding, **options):
    import pyreadstat

    kind, read = ("Stata", pyreadstat.read_dta) if path.suffix.lower() == ".dta" else ("SPSS", pyreadstat.read_sav)
    try:
        return read(path, user_missing=True, output_format="dict", encoding=encoding, **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError, OverflowError, OSError) as error:
        raise unreadable(name, kind, error) from None


def _statistical_rows(read, header, labels, kept, places, size, found):
    names, row, dropped = [header[place] for place in places], 1, {}
    size = min(size, max(CELLS // (len(names) or 1), 1000))
    length = size
    while length == size:
        values, meta = read(row_offset=row - 1, row_limit=size, usecols=names or header[:1])
        length = len(next(iter(values.values()), ()))
        arrays = []
        for name in names:
            array, missing = _coded(values.pop(name), name, meta, labels, kept)
            dropped[name] = dropped.get(name, 0) + missing
            arrays.append(array)
        if length:
            yield np.arange(row, row + length), arrays
        row += length
    dropped = {name: n for name, n in dropped.items() if n}
    if dropped:
        named = ", ".join(f"{name} ({n})" for name, n in list(dropped.items())[:SHOWN])
        text = N_("values that the file declares missing, by column: {columns}")
        found.note(text, N_("read as empty"), column=next(iter(dropped)), rows=sum(dropped.values()),
                   values={"columns": named + (", …" if len(dropped) > SHOWN else "")})  # fmt: skip


def _coded(values, name, meta, labels, kept):
    """A column as text, and how many of its values were declared missing."""
    letters = meta.missing_user_values.get(name, ())
    ranges = meta.missing_ranges.get(name, ())
    named = meta.variable_value_labels.get(name, {}) if labels else {}
    if letters:
        values = [f".{value}" if isinstance(value, str) else cell_text(value) for value in values]
    array = pa.array(values, from_pandas=True)
    if meta.readstat_variable_types[name] == "float":
        array = array.cast(pa.float32())  # 0.1 was stored as the nearest float: 0.10000000149
    text = as_text(array)
    if not (letters or ranges or named):
        return text, 0
    codes = array.dictionary_encode()
    known = codes.dictionary.to_pylist()
    texts = as_text(codes.dictionary).to_pylist()
    empty = [t not in kept and (t[1:] in letters and t[:1] == "." or _within(value, ranges))
             for value, t in zip(known, texts, strict=True)]  # fmt: skip
    numbers = {cell_text(code): label for code, label in named.items()}
    texts = ["" if gone else numbers.get(t, t) for t, gone in zip(texts, empty, strict=True)]
    missing = pc.sum(pc.take(pa.array(empty, pa.bool_()), codes.indices)).as_py() or 0
    return pc.fill_null(pc.take(pa.array(texts, pa.string()), codes.indices), ""), missing


def _within(value, ranges):
    return any(type(span["lo"]) is type(value) and span["lo"] <= value <= span["hi"] for span in ranges)


def open_xlsx(path, name, *, sheet=None):
    """Open a sheet of a spreadsheet: the stored results of formulas, dates as ISO 8601, lines as the sheet's rows.

    Parameters
    ----------
    path : Path
    name : str
        As messages call the file.
    sheet : str, optional
        The first by default.

    Returns
    -------
    TextTable

    Raises
    ------
    StudyError
        The file is damaged, there is no such sheet, its first row is empty, or cells are merged.
    """
    found = Findings(name)
    with _book(path, name) as (reader, parts):
        book = reader.wb
        asked, sheet = sheet is not None, sheet or book.worksheets[0].title
        if sheet not in parts:
            text, values = N_("there is no sheet {sheet}"), {"sheet": sheet, "sheets": ", ".join(parts)}
            found.fault(text, N_("its sheets are {sheets}"), values=values)
            found.stop()
        others = [s.title for s in book.worksheets if s.title != sheet and any(any(row) for row in s.values)]
        if others and not asked:
            text, values = N_("other sheets have rows too: {sheets}"), {"sheets": ", ".join(others), "sheet": sheet}
            found.note(text, N_("only {sheet} is read"), values=values)
        header = [cell_text(cell.value) or "" for cell in next(book[sheet].iter_rows(), ())]
        with reader.archive.open(parts[sheet]) as part:
            formulas, merged = _marks(part)
    while header and not header[-1].strip(BLANKS):
        header.pop()
    if merged:
        found.fault(N_("cells {cells} are merged"), N_("part them, and give each its value"), rows=len(merged),
                    values={"cells": merged[0]})  # fmt: skip
    if not header:
        found.fault(N_("the first row is empty"), N_("put the names of the columns there"), 1)
    found.stop()
    return TextTable(found, header, partial(_sheet_rows, path, sheet, formulas, header), line=1)


@contextmanager
def _book(path, name, results=True):
    """The open reader of a workbook, and the part of the file that each sheet stands in."""
    from openpyxl.reader.excel import ExcelReader

    try:
        reader = ExcelReader(path, read_only=True, data_only=results)
        reader.read()
        parts = {sheet.name: link.target for sheet, link in reader.parser.find_sheets()}
        for sheet in reader.wb.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong one
        yield reader, parts
        reader.wb.close()
    except DAMAGED as error:
        raise unreadable(name, "XLSX", error) from None


def _marks(part):
    """Whether a sheet has formulas, and which of its cells are merged."""
    formulas, merged, rest = False, [], b""
    while chunk := part.read(1 << 20):
        rest += chunk
        formulas = formulas or bool(FORMULA.search(rest))
        whole = rest.rfind(b"<")
        merged += [cells.decode() for cells in MERGED.findall(rest[:whole])]
        rest = rest[whole:]
    return formulas, merged


def _sheet_rows(path, sheet, formulas, header, places, size, found):
    width, lines, rows = len(header), [], []
    with _book(path, found.name) as (book, _), _book(path, found.name, results=False) as (source, _):
        written = source.wb[sheet].iter_rows() if formulas else ()
        pairs = zip_longest(book.wb[sheet].iter_rows(), written, fillvalue=())
        next(pairs)
        for number, (cells, told) in enumerate(pairs, 2):
            row = _row(cells, told, number, header, found)
            if not "".join(row).strip(BLANKS):
                found.note(N_("blank lines stand between the rows"), N_("left out"), number)
                continue
            if any(row[width:]):
                values = {"n": max(n for n, value in enumerate(row, 1) if value), "width": width}
                found.fault(N_("{n} values under {width} columns"), N_("name every column"), number, values=values)
            lines.append(number)
            rows.append([row[place] if place < len(row) else "" for place in places])
            if len(rows) == min(size, 1 << 15):
                yield _columns(lines, rows, places)
                lines, rows = [], []
    if rows:
        yield _columns(lines, rows, places)


def _columns(lines, rows, places):
    return np.array(lines), [pa.array(values, pa.string()) for values in zip(*rows, strict=True)] if places else []


def _row(cells, told, number, header, found):
    """One row of a sheet as text; errors and results that were never worked out are faults."""
    for place, cell in enumerate(cells):
        column = header[place] if place < len(header) else None
        if cell.data_type == "e":
            found.fault(N_("the formula's result is the error {error}"), N_("correct it, or clear the cell"), number,
                        column, values={"error": cell.value})  # fmt: skip
        elif cell.value is None and place < len(told) and told[place].data_type == "f" and cell.data_type == "n":
            found.fault(N_("the formula has no stored result"), N_("open it in a spreadsheet, and save it"), number,
                        column)  # fmt: skip
    return [cell_text(cell.value) or "" for cell in cells]
