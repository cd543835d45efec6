"""A table of text, batch by batch: the same whatever kind of file or database it comes from."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skillsgap.errors import Problem, StudyError
from skillsgap.wording import N_

# what can't be seen at either end of a value: blanks of all widths, and marks of no width
BLANKS = (" \t\n\r\x0b\x0c\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
          "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff")  # fmt: skip
NESTED = N_("it holds lists, bytes or other values that are no text")
UNNEST = N_("export it with one plain value a cell")
AROUND = N_("blanks stand around values")


class Findings:
    """Faults and oddities of one table, each kind once: where it first stands, and how many rows it concerns.

    Parameters
    ----------
    name : str
        File or table, as messages call it.
    notes : mapping of str to Problem, optional
        Oddities found before.
    """

    def __init__(self, name, notes=()):
        self.name, self.faults, self.notes = name, {}, dict(notes)

    def fault(self, text, remedy, line=None, column=None, rows=1, values=None):
        """Something that must be mended; more of the same only adds its rows."""
        self._keep(self.faults, text, remedy, line, column, rows, values)

    def note(self, text, remedy, line=None, column=None, rows=1, values=None):
        """Something that was put right; more of the same only adds its rows."""
        self._keep(self.notes, text, remedy, line, column, rows, values)

    def _keep(self, kept, text, remedy, line, column, rows, values):
        if text in kept:
            kept[text] = replace(kept[text], rows=kept[text].rows + rows)
        else:
            kept[text] = Problem(self.name, text, remedy, line, column, rows, values or {})

    def stop(self):
        """Raise the faults, if there are any."""
        if self.faults:
            raise StudyError(list(self.faults.values()))


def unreadable(name, kind, error):
    """The fault of a file that is damaged or of another kind than its name says."""
    reason = getattr(error, "strerror", None) or (str(error) or type(error).__name__).splitlines()[0]
    text = N_("can't be read as {kind} ({reason})")
    values = {"kind": kind, "reason": reason}
    return StudyError([Problem(name, text, N_("export it again"), values=values)])


class TextTable:
    """Columns of text under checked names, read as often as asked.

    Parameters
    ----------
    found : Findings
        What was found on opening.
    header : sequence of str
        Names as they stand in the file.
    rows : callable (places, size, found) -> iterator of (lines, list of pyarrow string arrays)
        Reads the columns at these places of the header.
    line : int, optional
        Line of the header.
    again : mapping of str to Problem, optional
        Notes that each reading makes again.

    Attributes
    ----------
    name : str
    columns : list of str
        Names without blanks around them; a column without a name is left out, and may hold nothing.
    notes : list of Problem
        Oddities put right; those of the rows join once a reading has come to its end.
    """

    def __init__(self, found, header, rows, *, line=None, again=()):
        names = [column.strip(BLANKS) for column in header]
        if list(header) != names:
            odd = next(name for name, raw in zip(names, header, strict=True) if name != raw)
            found.note(AROUND, N_("dropped"), line, odd or None)
        for column in dict.fromkeys(name for name in names if name and names.count(name) > 1):
            found.faults[column] = Problem(found.name, N_("column {column} stands twice"), N_("rename one of them"),
                                           line, values={"column": column})  # fmt: skip
        if not any(names):
            found.fault(N_("the header names no column"), N_("export it again, with a header line"), line)
        found.stop()
        self.name, self._rows, self._opened, self._noted = found.name, rows, found.notes, {**dict(again), **found.notes}
        self._places = {name: place for place, name in enumerate(names) if name}
        self._unnamed = [place for place, name in enumerate(names) if not name]
        self.columns = list(self._places)

    @property
    def notes(self):
        return list(self._noted.values())

    def batches(self, columns=None, size=262144):
        """Read the rows, `size` of them at most at a time.

        Parameters
        ----------
        columns : collection of str, optional
            Columns to load; those absent are left out.
        size : int

        Yields
        ------
        (ndarray of int64, pyarrow.Table of string)
            Line (of a text file or sheet) or row from 1; values without blanks around them, "" where empty.

        Raises
        ------
        StudyError
            At the end, with every kind of fault the rows have.
        """
        chosen = [column for column in self.columns if columns is None or column in columns]
        places = [self._places[column] for column in chosen]
        found, seen = Findings(self.name, self._opened), 0
        for lines, arrays in self._rows(places + self._unnamed, size, found):
            seen += len(lines)
            arrays = _trimmed(arrays, chosen, lines, found)
            self._check_unnamed(arrays[len(chosen) :], lines, found)
            table = pa.table(dict(zip(chosen, arrays, strict=False)), schema=_strings(chosen))
            for first in range(0, 0 if found.faults else len(lines), size):
                yield lines[first : first + size], table.slice(first, size)
        if not seen and not found.faults:
            found.fault(N_("there are no rows under the header"), N_("export it again"))
        found.stop()
        if self._unnamed:
            values = {"n": len(self._unnamed)}
            found.note(N_("{n} columns have neither a name nor values"), N_("left out"), values=values)
        self._noted |= found.notes

    def _check_unnamed(self, arrays, lines, found):
        for place, array in zip(self._unnamed, arrays, strict=True):
            filled = np.flatnonzero(pc.not_equal(array, "").to_numpy(zero_copy_only=False))
            if len(filled):
                text = N_("column {place} holds values and has no name")
                found.fault(text, N_("name it, or delete it"), int(lines[filled[0]]), rows=len(filled),
                            values={"place": place + 1})  # fmt: skip


def _strings(names):
    return pa.schema([(name, pa.string()) for name in names])


def _trimmed(arrays, names, lines, found):
    """Values without blanks around them; one note says where the first was, and in how many rows."""
    done, touched, first = [], None, None
    for place, array in enumerate(arrays):
        trimmed = pc.utf8_trim(array, BLANKS)
        if not trimmed.equals(array):
            changed = pc.not_equal(trimmed, array).to_numpy(zero_copy_only=False)
            touched = changed if touched is None else touched | changed
            first = min(first or (len(lines), 0), (int(changed.argmax()), place))
        done.append(trimmed)
    if first:
        column = names[first[1]] if first[1] < len(names) else None
        found.note(AROUND, N_("dropped"), int(lines[first[0]]), column, int(touched.sum()))
    return done
