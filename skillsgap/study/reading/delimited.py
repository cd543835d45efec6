"""Text files of values between delimiters: the delimiter told or declared, every row held against the header."""

import csv
import io
import re
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from skillsgap.study.reading.decoding import blocks
from skillsgap.study.reading.texttable import BLANKS, Findings, TextTable
from skillsgap.wording import N_

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 2000  # lines looked at for the delimiter; every row is checked against it later
# lines that may be blank: of delimiters, quotes, and bytes that blanks are made of
BLANK = {mark: re.compile(rb'\n[" \t\x0b\x0c\x80-\xbf\xc2\xe1-\xe3\xef' + re.escape(mark.encode()) + rb"]*\n")
         for mark in DELIMITERS}  # fmt: skip
QUOTE, LINE_END = ord('"'), ord("\n")
ENDLESS = N_("a quoted value begins in this line and does not end as it should")
CLOSE = N_("close its quote, or double the quotes inside it")


def open_delimited(path, name, *, encoding=None, delimiter=None):
    """Open a .csv or .csv.gz file.

    Parameters
    ----------
    path : Path
    name : str
        As messages call the file.
    encoding : {"utf-8", "utf-16", "windows-1251", "windows-1252"}, optional
    delimiter : {",", ";", "\\t", "|"}, optional
        What isn't declared is told from the file, and noted where it isn't UTF-8 or a comma.

    Returns
    -------
    TextTable

    Raises
    ------
    StudyError
        The file is empty, is no text, or its encoding or delimiter can't be told.
    """
    found, sniffed = Findings(name), Findings(name)
    _, block = next(blocks(path, encoding, sniffed), (1, b""))
    lines = [f"{line}\n" for line in block.decode().split("\n", SAMPLE)[:SAMPLE]]
    head = next((n for n, line in enumerate(lines) if line.strip(BLANKS)), None)
    if head is None:
        found.fault(N_("the file is empty"), N_("export it again, with a header line"))
        found.stop()
    _note_blank(found, 1, head)
    said = lines[head].strip(BLANKS + '"')
    if said.lower().startswith("sep=") and said[4:] in DELIMITERS or said.lower() == "sep=":
        delimiter, head = _spoken(said[4:] or "\t", delimiter, head, found), head + 1
    delimiter = delimiter or _told(lines[head:], head + 1, found)
    reader = csv.reader(lines[head:], delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
    except csv.Error:
        found.fault(ENDLESS, CLOSE, head + 1)
        found.stop()
    if len(header) == 1 and any(mark in header[0] for mark in DELIMITERS):
        found.fault(N_("its values are not separated by {delimiter!r}"), N_("correct delimiter in params"), head + 1,
                    values={"delimiter": delimiter})  # fmt: skip
    rows = partial(_rows, path, encoding, delimiter, len(header), head + 1 + reader.line_num)
    return TextTable(found, header, rows, line=head + 1, again=sniffed.notes)


def _spoken(said, declared, head, found):
    """The delimiter that a first line written for a spreadsheet names."""
    if declared not in (None, said):
        text = N_("the first line names the delimiter {said!r}, and params {declared!r}")
        found.fault(text, N_("correct delimiter in params"), head + 1, values={"said": said, "declared": declared})
        found.stop()
    found.note(N_("the first line names the delimiter {said!r}"), N_("read so"), head + 1, values={"said": said})
    return said


def _told(lines, line, found):
    """The only delimiter that the header has, or, of several, the only one that all rows agree with."""
    widths = {mark: _widths(lines, mark) for mark in DELIMITERS}
    inside = [mark for mark in DELIMITERS if widths[mark][0] > 1]
    fit = [mark for mark in inside if len(inside) == 1 or len(set(widths[mark])) == 1]
    if len(fit) != 1 and inside:
        text = N_("its values may be separated by any of {delimiters}") if fit else N_(
            "its rows agree with none of the delimiters {delimiters}")  # fmt: skip
        values = {"delimiters": " ".join(map(repr, fit or inside))}
        found.fault(text, N_("declare delimiter in params"), line, values=values)
        found.stop()
    told = fit[0] if fit else ","
    if told != ",":
        found.note(N_("its values are separated by {delimiter!r}"), N_("read so"), line, values={"delimiter": told})
    return told


def _widths(lines, mark):
    """Values in each row of the sample that is not blank."""
    widths = []
    try:
        for row in csv.reader(lines, delimiter=mark):
            widths += [len(row)] if "".join(row).strip(BLANKS) else []
    except csv.Error:
        return widths or [1]
    return widths[:-1] if len(lines) == SAMPLE and len(widths) > 1 else widths  # the last may go on after the sample


def _rows(path, encoding, delimiter, width, body, places, size, found):
    """Blocks of rows: by Arrow where every line is a row as the header wants it, else one by one."""
    carry, line, asked = b"", body, len(places)
    places = places or [0]  # to count rows
    for start, block in blocks(path, encoding, found):
        if start == 1:
            block = block.split(b"\n", body - 1)[-1]
        block = carry + block
        arrays = _by_arrow(block, delimiter, width, places)
        if arrays is not None:
            lines, carry = np.arange(line, line + len(arrays[0])), b""
        else:
            lines, arrays, carry = _one_by_one(block, line, delimiter, width, places, found)
        line += block.count(b"\n") - carry.count(b"\n")
        yield lines, arrays[:asked]
    if carry:
        found.fault(ENDLESS, CLOSE, line)


def _by_arrow(block, delimiter, width, places):
    """Columns of a block whose every line is a row; None where it isn't that plain."""
    quoted = QUOTE in block
    if quoted and not _plain_quotes(block, delimiter):
        return None
    block = block.replace(b'""', b"") if quoted else block
    if not block or BLANK[delimiter].search(b"\n" + block):
        return None
    names = [str(place) for place in range(width)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block),
            read_options=arrow_csv.ReadOptions(column_names=names),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False, double_quote=False, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False,
                include_columns=[str(place) for place in places],
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:
        return None
    return [column.combine_chunks() for column in table.columns]


def _plain_quotes(block, delimiter):
    """Whether each quote opens or closes a whole value, which holds neither a quote nor a line end.

    Then the first quote of a block opens a value and the second ends it, and so on: there is one way to read it.
    """
    data = np.frombuffer(b"\n" + block, np.uint8)
    quotes, ends = np.flatnonzero(data == QUOTE), np.flatnonzero(data == LINE_END)
    if len(quotes) % 2:
        return False
    edge = np.zeros(256, bool)
    edge[[ord(delimiter), LINE_END]] = True
    opens, closes = quotes[::2], quotes[1::2]
    inside = np.array_equal(np.searchsorted(ends, opens), np.searchsorted(ends, closes))
    return bool(inside and edge[data[opens - 1]].all() and edge[data[closes + 1]].all())


def _one_by_one(block, line, delimiter, width, places, found):
    """Columns of a block read row by row, and the bytes of a last row that goes on in the next block."""
    text, rows, starts, start = block.decode(), [], [], 0
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            rows.append(row)
            starts.append(start)
            start = reader.line_num
        carry = ""
    except csv.Error as error:
        if "unexpected end" not in str(error):
            found.fault(ENDLESS, CLOSE, line + start)
            found.stop()
        carry = text.split("\n", start)[-1]
    sound = [n for n, row in enumerate(rows) if len(row) == width and "".join(row).strip(BLANKS)]
    if len(sound) < len(rows):
        for n in sorted(set(range(len(rows))) - set(sound)):
            _odd_row(rows[n], line + starts[n], delimiter, width, found)
    arrays = [pa.array([rows[n][place] for n in sound], pa.string()) for place in places]
    lines = line + np.array(starts, "int64")[sound]
    for array in arrays:
        odd = np.flatnonzero(pc.match_substring_regex(array, r'^\s+"').to_numpy(zero_copy_only=False))
        if len(odd):
            found.fault(N_("a blank stands before a quote"), N_("take it out"), int(lines[odd[0]]), rows=len(odd))
    return lines, arrays, carry.encode()


def _odd_row(row, line, delimiter, width, found):
    if not "".join(row).strip(BLANKS):
        _note_blank(found, line, 1)
        return
    remedy = N_("quote values that hold a comma") if delimiter == "," else N_("quote values that hold the delimiter")
    values = {"n": len(row), "width": width}
    found.fault(N_("{n} values under {width} columns"), remedy, line, values=values)


def _note_blank(found, line, rows):
    if rows:
        found.note(N_("blank lines stand between the rows"), N_("left out"), line, rows=rows)

