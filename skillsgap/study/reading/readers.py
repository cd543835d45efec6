"""Find what a table declares, a file or a database, and open it as text, with the line or row of every value."""

from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from skillsgap.errors import Problem, StudyError, Waiting
from skillsgap.study.reading.database import open_database
from skillsgap.study.reading.delimited import open_delimited
from skillsgap.study.reading.formats import open_parquet, open_statistical, open_xlsx
from skillsgap.wording import N_

READS = ".csv, .csv.gz, .xlsx, .sav, .dta, .parquet"


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
        if _is_file(place):
            return place
    where = params.line(*keys, "file")
    if "source" in spec:
        source = spec["source"]
        # the reason stands in reports/index.html, so it says no path of this machine
        folder = "the folder named by DATA=" if data else "the folder you name by DATA="
        raise Waiting(f"{params.path.name}: waits for {shown} from {source['name']} "
                      f"({source['get']}): put it into {folder}")  # fmt: skip
    text = N_("there is no such file beside the params file or in DATA")
    remedy = N_("put it there or correct {key} in {params} line {line}")
    values = {"key": ".".join(map(str, (*keys, "url" if "url" in spec else "file"))), "params": params.path.name,
              "line": where}  # fmt: skip
    raise StudyError([Problem(shown, text, remedy, values=values)])


def _is_file(place):
    try:
        return place.is_file()
    except OSError:  # a name longer than any file's
        return False


def open_source(spec, *, params, data, keys):
    """Open the file or the database table that a table's declaration names.

    Parameters
    ----------
    spec : mapping
        The declaration, with `file`, or `url` and `table`.
    params : Params
    data : path-like or None
        Folder of outside data.
    keys : tuple of str
        Where the declaration stands in params.

    Returns
    -------
    TextTable

    Raises
    ------
    Waiting, StudyError
        As `find_file` and `open_table`.
    """
    if "url" in spec and "table" in spec:
        return open_database(
            spec["url"], spec["table"],
            find=lambda name: find_file({**spec, "file": name}, params=params, data=data, keys=keys),
        )  # fmt: skip
    if "file" in spec:
        return open_table(spec, find_file(spec, params=params, data=data, keys=keys))
    text = N_("{key} has a url and no table") if "url" in spec else N_("{key} has neither file nor rows")
    remedy = N_("name the table or view") if "url" in spec else N_("name a file")
    raise StudyError([Problem(params.path.name, text, remedy, params.line(*keys), values={"key": ".".join(keys)})])


def open_table(spec, path, name=None):
    """Open a file of any kind that is read here.

    Parameters
    ----------
    spec : mapping
        Of a table's declaration: encoding, delimiter, sheet, labels and missing_codes.
    path : Path
    name : str, optional
        As messages call the file; its own name by default.

    Returns
    -------
    TextTable

    Raises
    ------
    StudyError
        The file is empty, damaged, ambiguous, or of another kind.
    """
    name, kind = name or path.name, path.name.lower()
    if kind.endswith((".csv", ".csv.gz")):
        return open_delimited(path, name, encoding=spec.get("encoding"), delimiter=spec.get("delimiter"))
    if kind.endswith(".xlsx"):
        return open_xlsx(path, name, sheet=spec.get("sheet"))
    if kind.endswith((".sav", ".dta")):
        return open_statistical(path, name, labels=spec.get("labels", False), encoding=spec.get("encoding"),
                                kept=_missing_codes(spec))  # fmt: skip
    if kind.endswith(".parquet"):
        return open_parquet(path, name)
    text = N_("can't read this kind of file (reads {kinds})")
    raise StudyError([Problem(name, text, N_("save it as .csv"), values={"kinds": READS})])


def _missing_codes(spec):
    """All codes that params declare missing, of any column and kind."""
    declared = spec.get("missing_codes", {}).values()
    lists = chain.from_iterable(codes.values() if isinstance(codes, dict) else [codes] for codes in declared)
    return {str(code) for codes in lists for code in codes}


def read_text(source, columns=None):
    """Read a whole table as text.

    Parameters
    ----------
    source : TextTable or Path
    columns : collection of str, optional
        The columns to load; those absent are left out.

    Returns
    -------
    DataFrame of str
        An empty cell is ""; the index is the line or row; ``attrs["columns"]`` are all columns there.

    Raises
    ------
    StudyError
        The rows are ragged, not in the encoding, or otherwise damaged.
    """
    source = open_table({}, source) if isinstance(source, Path) else source
    lines, tables = zip(*source.batches(columns), strict=True)
    index = pd.Index(np.concatenate(lines), name="line")
    frame = pa.concat_tables(tables).to_pandas() if tables[0].num_columns else pd.DataFrame(index=index)
    frame.index = index
    frame.attrs["columns"] = source.columns
    return frame
