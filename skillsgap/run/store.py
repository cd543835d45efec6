"""Stage tables kept by digest: what was computed from these inputs is never computed twice."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

import pandas as pd

from skillsgap.contracts import CONTRACTS, INPUTS, check
from skillsgap.errors import SkillsgapError

PACKAGE = Path(__file__).parent.parent
# what a stage table depends on, of the code and of params; a change of wording or of a page leaves it alone
FIT_CODE = ("errors.py", "contracts.py", "study", "estimate", "decide", "run/chain.py", "run/measurement.py",
            "run/planning.py", "run/plans.py", "run/profiles.py")
LOCK = Path("requirements") / "runtime.txt"
FIT_KEYS = ("unit", "random_state", "data", "design", "profiles", "gaps", "priorities", "readiness", "plan")


def digest(*parts):
    """Digest of texts and bytes, in this order."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def file_digest(path):
    """Digest of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_digest(source):
    """Digest of the text of a table that is no file of its own."""
    total = hashlib.sha256()
    for _, batch in source.batches():
        for name in batch.column_names:
            total.update(json.dumps([name, batch[name].to_pylist()], ensure_ascii=False).encode())
    return total.hexdigest()


def code_digest(root, places, suffixes=(".py", ".json", ".j2", ".css", ".po", ".ipynb")):
    """Digest of source files below some places, by name and content."""
    files = []
    for place in places:
        path = Path(root) / place
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        files += [file for file in found if file.suffix in suffixes and ".ipynb_checkpoints" not in file.parts]
    return digest(*(text for file in files for text in (file.relative_to(root).as_posix(), file.read_bytes())))


def fit_key(params, digests, root):
    """Key of a unit's stage tables: its params, its data, the code that computes them, and the lock."""
    values = {key: params.values.get(key) for key in FIT_KEYS}
    values["profiles"] = {key: value for key, value in (values["profiles"] or {}).items() if key != "names"}
    # what codes are called changes no table; which of them are named decides whether a code is known
    values["labels"] = {column: sorted(codes) for column, codes in params.values.get("labels", {}).items()}
    lock = Path(root) / LOCK
    return digest(
        json.dumps(values, sort_keys=True, ensure_ascii=False),
        *(part for item in sorted(digests.items()) for part in item),
        code_digest(PACKAGE, FIT_CODE),
        lock.read_bytes() if lock.exists() else b"",
    )[:16]


def write_bytes(path, data):
    """Write a file aside, flush it to disk, and rename it into place: never half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


class Store:
    """Stage tables of one key, as ``build/<unit>/<key>/<table>.parquet``.

    Parameters
    ----------
    folder : Path
        Folder of the unit and key.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def has(self, table):
        """Whether the table is kept."""
        return self._path(table).exists()

    def read(self, table):
        """A kept table."""
        return pd.read_parquet(self._path(table))

    def write(self, table, frame):
        """Keep a table, if it keeps its contract."""
        if table in CONTRACTS and table not in INPUTS:
            named = frame.index.names != [None]
            # rounding noise of a sum, like a mean of 5.000000000000004, breaks nothing
            failures = check(table, (frame.reset_index() if named else frame).round(9))
            if len(failures):
                first = failures.iloc[0]
                raise SkillsgapError(
                    f"stage table {table}, column {first['column']}: {first['value']!r} breaks the contract "
                    f"({first['check']}, {len(failures)} in all): please report this"
                )
        write_bytes(self._path(table), frame.to_parquet())

    def _path(self, table):
        return self.folder / f"{table}.parquet"
