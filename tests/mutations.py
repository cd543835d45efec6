"""Kinds of damage to a project, and the ways of doing them.

A kind is a way of going wrong, on a table, on a base: the same project with more or fewer declarations.
"""

import gzip
from dataclasses import dataclass

import pandas as pd
import yaml

NOTED, PLAIN, REJECTED = "accepted with note", "accepted, nothing odd to say", "rejected"
INVISIBLE, WRONG = "invisible", "silently wrong"
ENDINGS = (NOTED, PLAIN, REJECTED, INVISIBLE, WRONG)
ACADEMY = "Академия государственной службы"
ROLE = "yo\u02bbnalish"  # what the register's file calls a role
ROW = 3  # a line of a respondent, and of somebody in the register
NO_CODES = "nothing says which codes there are; declare them"


@dataclass(frozen=True)
class Kind:
    """A kind of damage: what it is done to, how it ends, and what one line of the message must say.

    Parameters
    ----------
    name, table : str
    ends : str
        One of ENDINGS.
    damage : callable
        Gets a project of its own, and damages it.
    said : tuple of str
        Parts of one line of the fault or of the note.
    base : {"bare", "declared", "cells", "long", "form", "history"}
    why : str
        Of what no check can see, and of what is accepted without a word: the reason.
    """

    name: str
    table: str
    ends: str
    damage: object
    said: tuple = ()
    base: str = "bare"
    why: str = ""


def some(table, ends, *rows):
    """Kinds of one table and ending: rows of (name, damage, part or parts of the line, or else the reason, base)."""
    found = []
    for name, damage, said, *base in rows:
        parts = (said,) if isinstance(said, str) else said
        told = ends in (NOTED, REJECTED)
        found.append(Kind(name, table, ends, damage, parts if told else (), *(base or ["bare"]), "" if told else said))
    return found


def on_base(base, table, ends, *rows):
    """Kinds of one table and ending on a base of their own: rows as for `some`."""
    return some(table, ends, *((*row, base) for row in rows))


def on_disk(table, change):
    """Change a file's bytes as they are on disk."""

    def damage(project):
        path = project.table(table)
        path.write_bytes(change(path.read_bytes()))

    return damage


def content(table, change):
    """Change a file's bytes as they are once unpacked."""
    zipped = table == "register"
    return on_disk(table, lambda raw: gzip.compress(change(gzip.decompress(raw)), mtime=0) if zipped else change(raw))


def text(table, change):
    """Change a file's text."""
    return content(table, lambda raw: change(raw.decode()).encode())


def lines(table, change):
    """Change a file's lines, the header first."""
    return text(table, lambda old: "".join(f"{line}\n" for line in change(old.splitlines())))


def frame(table, change):
    """Change a file's rows: a frame of text whose index is the line."""
    return lambda project: project.rewrite(table, change)


def column(table, name, change):
    """Change one column."""
    return frame(table, lambda rows: rows.assign(**{name: change(rows[name])}))


def cell(table, line, name, value):
    """Write one value."""
    return column(table, name, lambda values: values.mask(values.index == line, value))


def swapped(table, one, other):
    """Two columns stand under each other's names."""
    return frame(table, lambda rows: rows.rename(columns={one: other, other: one}))


def params(*keys, **values):
    """Change the params below some keys."""

    def change(content):
        for key in keys:
            content = content.setdefault(key, {})
        content.update(values)

    return lambda project: project.edit(change)


def written(change):
    """Change the text of the params file."""

    def damage(project):
        project.params.write_text(change(project.params.read_text(encoding="utf-8")), encoding="utf-8")

    return damage


def both(*damages):
    """One damage after the other."""
    return lambda project: [damage(project) for damage in damages]


def file_named(table, name, **declared):
    """The same bytes under another name, which params give."""

    def damage(project):
        path = project.table(table)
        path.rename(path.with_name(name))
        params("data", table, file=f"../data/{name}", **declared)(project)

    return damage


def line(number, change):
    return lambda old: [change(row) if n == number else row for n, row in enumerate(old, 1)]


def doubled(table, ids=lambda rows: rows["staff_id"], count=1):
    """The first rows again at the end, under the ids given."""
    return frame(table, lambda rows: pd.concat([rows, rows.iloc[:count].assign(staff_id=ids)]))


def left(table, line, first):
    """A value lost, so that all behind it stand one column too far left."""

    def change(rows):
        here = list(rows).index(first)
        moved = [*rows.loc[line].tolist()[:here], *rows.loc[line].tolist()[here + 1 :], ""]
        rows.loc[line] = moved
        return rows

    return frame(table, change)


def down(table, names):
    """A block of columns moved down by a row against the others."""
    return frame(
        table, lambda rows: rows.assign(**{name: rows[name].shift(1, fill_value=rows[name].iloc[-1]) for name in names})
    )


def respondents_in(table):
    return [name for name in table if name[:2].isupper()]


def whole(table, names, change):
    return frame(
        table, lambda rows: rows.assign(**{name: change(rows[name]) for name in (names or respondents_in(rows))})
    )


def one(name, value, line=ROW, table="responses"):
    return cell(table, line, name, value)


def odd_number(value):
    return (one("DL01", value), ("responses.csv line 3, column DL01", f"{value!r} is not a whole number"))


def dropped(table, *lines):
    return frame(table, lambda rows: rows.drop(index=list(lines)))


def again(table, line=2, **changed):
    """A row once more at the end, with other values in some columns."""
    return frame(table, lambda rows: pd.concat([rows, rows.loc[[line]].assign(**changed)]))


def wrong(table, line, name, value, *said):
    return cell(table, line, name, value), (f"{table}.csv line {line}, column {name}", *said)


def number(table, line, name, value):
    return wrong(table, line, name, value, f"{value!r} is not a number")


def split(*weights):
    """A crosswalk that parts G1, with these weights."""
    rows = [["G1", "junior", weights[0]], ["G1", "middle", weights[1]], ["G2", "junior", "1"], ["G3", "middle", "1"],
            ["G4", "senior", "1"], ["G5", "senior", "1"]]  # fmt: skip
    return lambda project: pd.DataFrame(rows, columns=["from", "to", "weight"]).to_csv(
        project.root / "data" / "grades.csv", index=False, lineterminator="\n"
    )


def grades(change):
    def damage(project):
        path = project.root / "data" / "grades.csv"
        change(pd.read_csv(path, dtype=str)).to_csv(path, index=False, lineterminator="\n")

    return damage


def raw(change):
    """Change the params file's bytes."""
    return lambda project: project.params.write_bytes(change(project.params.read_bytes()))


def put(old, new):
    """Another text in place of one that stands in the params file."""

    def change(text):
        if old not in text:
            raise ValueError(f"{old} is not in the params")
        return text.replace(old, new, 1)

    return written(change)


def unset(*keys):
    def change(values):
        for key in keys[:-1]:
            values = values[key]
        del values[keys[-1]]

    return lambda project: project.edit(change)


def key(said, *keys, **values):
    return params(*keys, **values), ("tiny.yaml line", *said)


def yaml_of(values):
    """A params file's text."""
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
