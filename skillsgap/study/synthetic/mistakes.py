"""Mistakes as people make them, on request: rows entered twice, and codes misspelt."""

import numpy as np
import pandas as pd

TYPED = ("agency_id", "role_id", "grade", "sex", "age_band")  # codes that somebody typed
# ways to misspell a code, none of which leaves it as it was
SLIPS = (
    lambda code: code[0] + code,
    lambda code: code + code[-1],
    lambda code: code[1:],
    lambda code: code + "?",
)


def make_mistakes(spec, tables, rng):
    """Copy some rows of the responses, and misspell some codes of the register.

    Parameters
    ----------
    spec : dict
        mistakes: shares of response rows copied and of codes misspelt; absent or 0 leaves all as it is.
    tables : dict of str to DataFrame
        register, responses. A register of cells holds no typed codes: then it is the responses' codes.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of dict of str to DataFrame and DataFrame
        The two tables, and what was done: mistake, table, row (1 is the first below the header), column, code.
    """
    shares = spec.get("mistakes") or {"duplicates": 0.0, "typos": 0.0}
    copying, typing = rng.spawn(2)  # so that copies leave the typos where they are
    responses, done = _copied(tables["responses"], shares["duplicates"], copying)
    tables = {"register": tables["register"], "responses": responses}
    typed = "responses" if spec["register"] == "cells" else "register"
    tables[typed], typos = _misspelt(tables[typed], shares["typos"], typing)
    done, typos = (frame.assign(table=name) for frame, name in ((done, "responses"), (typos, typed)))
    return tables, pd.concat([done, typos], ignore_index=True)[["mistake", "table", "row", "column", "code"]]


def _copied(table, share, rng):
    copied = np.sort(rng.choice(len(table), round(share * len(table)), replace=False))
    place = rng.integers(0, len(table), len(copied)) + 0.5  # anywhere in the file
    position = np.concatenate([np.arange(len(table)), place])
    order = np.argsort(position, kind="stable")
    rows = np.flatnonzero(order >= len(table)) + 1
    again = pd.concat([table, table.iloc[copied]], ignore_index=True).iloc[order].reset_index(drop=True)
    return again, pd.DataFrame({"mistake": "duplicate", "row": rows, "column": "", "code": ""})


def _misspelt(table, share, rng):
    """Codes replaced by a slip of theirs; each code has only a few, as one person's habits have."""
    columns, done = {}, []
    for column in (name for name in TYPED if name in table):
        codes = table[column].to_numpy(object)
        rows = np.sort(rng.choice(len(table), round(share * len(table)), replace=False))
        slip = rng.integers(0, len(SLIPS), len(rows))
        named = {code: [misspell(code) for misspell in SLIPS] for code in np.unique(codes.astype(str))}
        wrong = pd.DataFrame(named).T
        columns[column] = codes.copy()
        columns[column][rows] = wrong.to_numpy()[wrong.index.get_indexer(codes[rows]), slip]
        done.append(pd.DataFrame({"mistake": "typo", "row": rows + 1, "column": column, "code": codes[rows]}))
    return table.assign(**columns), pd.concat(done, ignore_index=True)
