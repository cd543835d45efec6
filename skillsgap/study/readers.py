"""Read a file as text, with the line or row of every value, and find it in the first place."""

import csv
import gzip
import zlib
from pathlib import Path

import pandas as pd

from skillsgap.errors import Problem, StudyError, Waiting

READS = ".csv, .csv.gz, .parquet"


def find_file(spec, *, params, data, keys):
    """Path of a declared file: in DATA first, then beside the params file.

    Raises
    ------
    Waiting
        An outside source that isn't there: says which file, from whom, and where to put it.
    StudyError
        A file of the unit's own that isn't there.
    """
    name, shown = spec["file"], spec["file"]
    if Path(name).is_absolute():
        shown = Path(name).name  # a message may be printed in the index, which says no path of this machine
    places = ([Path(data) / name] if data else []) + [params.path.parent / name]
    for place in places:
        if place.is_file():
            return place
    where = params.line(*keys, "file")
    if "source" in spec:
        source = spec["source"]
        # the reason stands in reports/index.html, so it says no path of this machine
        folder = "the folder named by DATA=" if data else "the folder you name by DATA="
        raise Waiting(f"{params.path.name}: waits for {shown} from {source['name']} "
                      f"({source['get']}): put it into {folder}")  # fmt: skip
    remedy = f"put it there or correct {'.'.join(keys)}.file in {params.path.name} line {where}"
    raise StudyError([Problem(shown, "there is no such file beside the params file or in DATA", remedy)])


def read_text(path, *, columns=None):
    """Read a table as text.

    Parameters
    ----------
    path : Path
        A .csv or .csv.gz (comma, UTF-8), or a .parquet file.
    columns : collection of str, optional
        Of a Parquet file, the columns to load; those absent are left out.

    Returns
    -------
    DataFrame of str
        An empty cell is ""; the index is the line of a text file, the row (from 1) of a Parquet file.

    Raises
    ------
    StudyError
        The file is empty, ragged, not UTF-8, or of another kind.
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(path, columns)
    if not name.endswith((".csv", ".csv.gz")):
        raise _fault(path, f"can't read this kind of file (reads {READS})", "save it as .csv")
    try:
        opened = gzip.open(path, "rt", encoding="utf-8-sig", newline="") if name.endswith(".gz") else path.open(
            encoding="utf-8-sig", newline="")  # fmt: skip
        with opened as file:
            return _read_csv(path, csv.reader(file, strict=True))
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except (csv.Error, EOFError, OSError, zlib.error) as error:
        raise _fault(path, f"can't be read as CSV ({error})", "export it again") from None


def _not_utf8(path):
    """The first line that isn't UTF-8; a decoder tells only the place in its buffer."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                text = f"byte {line[error.start]:#04x} is not UTF-8"
                return _fault(path, text, "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)", number)


def _read_csv(path, reader):
    header = next(reader, None)
    if not header:
        raise _fault(path, "the file is empty", "export it again, with a header line")
    header = [column.strip() for column in header]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise _fault(path, "its values are not separated by commas", "save it as CSV with commas", 1)
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise _fault(path, f"column {twice[0]} stands twice", "rename one of them", 1)
    lines, rows = [], []
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            text = f"{len(row)} values under {len(header)} columns"
            raise _fault(path, text, "quote values that hold a comma", reader.line_num)
        lines.append(reader.line_num)
        rows.append([value.strip() for value in row])
    if not rows:
        raise _fault(path, "there are no rows under the header", "export it again")
    return pd.DataFrame(rows, columns=header, index=pd.Index(lines, name="line"), dtype=str)


def _read_parquet(path, columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        there = file.schema_arrow.names
        wanted = there if columns is None else [column for column in there if column in columns]
        frame = file.read(columns=wanted).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise _fault(
            path, f"can't be read as Parquet ({str(error).splitlines()[0]})", "export it again"
        ) from None
    if frame.empty and not len(frame):
        raise _fault(path, "there are no rows", "export it again")
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="line")
    frame = pd.DataFrame({column: as_text(frame[column]) for column in frame}, index=frame.index)
    frame.attrs["columns"] = there
    return frame


def as_text(values):
    """Whole numbers without a decimal point, so that a code reads as it would in a text file."""
    if pd.api.types.is_integer_dtype(values):
        return values.astype("Int64").astype("string").fillna("").astype(str)
    if pd.api.types.is_float_dtype(values):
        whole = (values == values.round()) & (values.abs() < 1e15)
        text = values.map(repr).where(~whole, values.where(whole).astype("Int64").astype("string"))
        return text.where(values.notna(), "").astype(str)
    return values.astype("string").fillna("").str.strip().astype(str)


def _fault(path, text, remedy, line=None):
    return StudyError([Problem(path.name, text, remedy, line)])
