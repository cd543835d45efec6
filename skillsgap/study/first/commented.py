"""YAML with comments beside its lines, which no YAML library writes."""

import json
import re
import textwrap

PLAIN = re.compile(r"(?:\.\./)*[A-Za-z][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


class Lines:
    """Lines of YAML with their comments beside them."""

    def __init__(self):
        self._lines = []

    def add(self, depth, text, why=""):
        """A line, and why it is so."""
        line = f"{'  ' * depth}{text}"
        self._lines.append(f"{line:<47} # {clean(why)}" if why else line)

    def say(self, depth, text):
        """A comment of its own, as long as it takes."""
        start = "  " * depth + "# "
        self._lines += textwrap.wrap(clean(text), 116, initial_indent=start, subsequent_indent=start + "  ",
                                     break_long_words=False, break_on_hyphens=False)  # fmt: skip

    def gap(self):
        """An empty line."""
        self._lines.append("")

    def text(self):
        """The whole file."""
        return "\n".join(self._lines) + "\n"


def clean(text):
    """A text on one line without anything that could end a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def quoted(value):
    """A value as YAML: plain where that can't be misread, and quoted otherwise.

    Examples
    --------
    >>> print(quoted("AGY"), quoted("007"), quoted("no"), quoted("a: b"), quoted(5), quoted("Qo‘shma"))
    AGY "007" "no" "a: b" 5 "Qo‘shma"
    """
    if isinstance(value, int):
        return str(value)
    if PLAIN.fullmatch(value) and value.casefold() not in WORDS:
        return value
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(value, ensure_ascii=False))


def listed(values):
    """A list on one line."""
    return f"[{', '.join(map(quoted, values))}]"
