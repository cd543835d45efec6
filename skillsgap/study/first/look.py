"""A look at a file as text: what each column holds, counted by distinct value, and which columns belong together."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from skillsgap.study.reading.readers import open_table

ROWS = 200_000  # a look, not a reading: more rows hardly change what a column is
WIDE = 50  # distinct values from which a column is a measure, not a code
LARGEST = 11  # categories of an item; more are a count
STYLES = (  # ways to write a number, the plainest first
    ({}, r"\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+"),
    ({"decimal": ","}, r"\d+(?:,\d+)?"),
    ({"thousands": ","}, r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"),
    ({"decimal": ",", "thousands": " "}, r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?|\d+(?:,\d+)?"),
    ({"thousands": " "}, r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"),
    ({"decimal": ",", "thousands": "."}, r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?"),
    ({"thousands": "'"}, r"\d{1,3}(?:['\u2019]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"),
)
RESERVED = re.compile(r"-\d|-?9+[5-9]|-?66|-?77|-?88|-?9{2,}")  # codes that codebooks keep for missing answers
NUMBERED = re.compile(r"(?P<stem>.*?)(?P<number>\d+)(?P<letter>[A-Za-z]?)")
APOSTROPHES = re.compile("['`\u02bb\u02bc\u2018\u2019\u00b4]")


@cache
def words():
    """The words that columns, missing answers and currencies go by."""
    return yaml.safe_load(Path(__file__).with_name("synonyms.yaml").read_text(encoding="utf-8"))


def tokens(name):
    """Words and numbers of a name.

    Examples
    --------
    >>> tokens("ISCO1C"), tokens("DateFirst_Hired"), tokens("Boʻlim nomi")
    (('isco', '1', 'c'), ('date', 'first', 'hired'), ('bolim', 'nomi'))
    """
    split = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", APOSTROPHES.sub("", name))
    return tuple(re.findall(r"[^\W\d_]+|\d+", split.casefold()))


@dataclass(frozen=True)
class Facts:
    """One column: `counts` holds the rows of each distinct text, the empty one left out."""

    name: str
    rows: int
    counts: pd.Series

    @cached_property
    def missing(self):
        """Codes that mean not answered, by kind; those of a number run under "codes"."""
        kinds = {APOSTROPHES.sub("", word): kind for kind, said in words()["missing"].items() for word in said}
        texts = self.counts.index.to_series()
        kind = texts.str.casefold().str.replace(APOSTROPHES, "", regex=True).map(kinds)
        found = {name: list(texts[kind == name]) for name in words()["missing"] if (kind == name).any()}
        reserved = _reserved(texts[kind.isna()])
        return {**found, **({"codes": reserved} if reserved else {})}

    @cached_property
    def valid(self):
        """`counts` without what means not answered."""
        return self.counts.drop([code for codes in self.missing.values() for code in codes])

    @cached_property
    def style(self):
        """How its numbers are written ({} plainly), or None where they aren't numbers."""
        found = notation(self.valid.index)
        return None if found is None else found[0]

    @property
    def unique(self):
        """Every row has a value of its own."""
        return len(self.counts) == self.counts.sum() == self.rows

    @property
    def measure(self):
        """Plain numbers of so many values that they measure something."""
        return len(self.valid) > WIDE and self.style == {}


@dataclass(frozen=True)
class Seen:
    """A file as it was looked at: its columns as text (`table`, at most ROWS rows), and facts of each."""

    path: Path
    table: pa.Table
    facts: dict
    notes: tuple

    def pairs(self, *columns):
        """Distinct combinations of columns."""
        return self.table.group_by(list(columns)).aggregate([]).num_rows

    def numbers(self, column):
        """A column as numbers, row by row."""
        return pd.to_numeric(self.table[column].to_pandas(), errors="coerce")


def look(path):
    """Look at the first rows of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Seen

    Raises
    ------
    StudyError
        The file can't be read.
    """
    opened, kept, rows = open_table({}, path), [], 0
    for _, batch in opened.batches(size=65536):
        kept.append(batch)
        rows += batch.num_rows
        if rows >= ROWS:
            break
    table = pa.concat_tables(kept)
    facts = {name: Facts(name, table.num_rows, _counted(table[name])) for name in table.column_names}
    return Seen(path, table, facts, tuple(opened.notes))


def _counted(column):
    found = pc.value_counts(column)
    counts = pd.Series(found.field("counts").to_numpy(zero_copy_only=False), index=found.field("values").to_pylist())
    return counts[counts.index != ""].sort_index()


def _reserved(texts):
    """Codes far outside the run of the others: 9999 among ISCO codes 1 to 9, 99 among ages."""
    whole = texts[texts.str.fullmatch(r"-?(?:0|[1-9]\d{0,8})")]
    odd = whole[whole.str.fullmatch(RESERVED)]
    if len(texts) - len(odd) > 120 or odd.empty:
        return []
    numbers = {text: int(text) for text in whole}
    rest = [number for text, number in numbers.items() if text not in odd.index]
    if not rest:  # letters, or nothing else at all
        return sorted(text for text in odd if re.fullmatch(r"-\d+|9{2,}[5-9]", text))
    top = max(rest)
    far = [t for t in odd if (numbers[t] < 0 <= min(rest)) or numbers[t] - top >= max(2, top / 4)]
    return sorted(far, key=numbers.get)


def notation(texts):
    """How numbers are written: (decimal, thousands and currency as params say them, whether it is sure).

    Examples
    --------
    >>> notation(["1 234,5", "7"]), notation(["$1,234.50"]), notation(["1,234"]), notation(["G4"])
    (({'decimal': ',', 'thousands': ' '}, True), ({'thousands': ',', 'currency': '$'}, True), \
({'decimal': ','}, False), None)
    """
    texts = pd.Series(list(texts), dtype=str)
    if len(texts) and texts.str.fullmatch(f"[+-]?(?:{STYLES[0][1]})", case=False).all():
        return {}, True
    currency = next((sign for sign in words()["currencies"] if texts.str.contains(sign, regex=False).any()), None)
    if currency:
        texts = texts.str.replace(currency, "", regex=False).str.strip()
    fit = [style for style, body in STYLES if texts.str.fullmatch(f"[+-]?(?:{body})", case=False).all()]
    if not fit or texts.empty:
        return None
    unsure = fit[0] == {"decimal": ","} and {"thousands": ","} in fit  # 1,234 is either
    return {**fit[0], **({"currency": currency} if currency else {})}, not unsure


def date_order(texts):
    """Order of day, month and year: (ymd, dmy, mdy; "" where it can't be told; None where these are no dates, why).

    Examples
    --------
    >>> date_order(["31/12/2025"])[0], date_order(["09/21/2015"])[0], date_order(["01/02/2025"])[0]
    ('dmy', 'mdy', '')
    """
    texts = pd.Series(list(texts), dtype=str)
    if len(texts) and texts.str.match(r"\d{4}-\d{2}-\d{2}(?:[ T].*)?$").all():
        return "ymd", "ISO 8601"
    parts = texts.str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-](?:\d{4})(?: .*)?$")
    if texts.empty or parts.isna().any(axis=None):
        return None, "no dates"
    first, second = parts[0].astype(int).max(), parts[1].astype(int).max()
    if first > 12 and second > 12:
        return "", "some have the day first, some the month"
    if first <= 12 and second <= 12:
        return "", "no day above 12 tells which comes first"
    return ("dmy", f"a first part goes up to {first}") if first > 12 else ("mdy", f"a second part goes up to {second}")


@dataclass(frozen=True)
class Battery:
    """Columns of a questionnaire that stand together and share one small run of codes, `low` to `high`."""

    columns: tuple
    low: int
    high: int
    missing: tuple


def batteries(seen, taken):
    """Questions that are answered with one small run of whole codes, three or more in a row.

    Parameters
    ----------
    seen : Seen
    taken : collection of str
        Columns that are something else.

    Returns
    -------
    list of Battery
    """
    groups, last = [], None
    for name, facts in seen.facts.items():
        span = None if name in taken else small_run(facts)
        shape = _shape(name)
        if span is None or shape is None:
            last = None
            continue
        joins = last is not None and _alike(last, span, shape, name)
        if not joins:
            groups.append({"columns": [], "low": span[0], "high": span[1], "shape": shape, "missing": set()})
        last = groups[-1]
        last["columns"].append(name)
        last.update(low=min(last["low"], span[0]), high=max(last["high"], span[1]))
        last["missing"] |= set(span[2])
    return [Battery(tuple(g["columns"]), g["low"], g["high"], tuple(sorted(g["missing"])))
            for g in groups if len(g["columns"]) >= 3]  # fmt: skip


def small_run(facts):
    """(lowest, highest, missing codes) of whole codes that run from 0 or 1, or None.

    Examples
    --------
    >>> small_run(Facts("Q1", 9, pd.Series({"1": 4, "2": 1, "3": 2, "9": 2})))
    (1, 3, ('9',))
    """
    said = [code for kind, codes in facts.missing.items() if kind != "codes" for code in codes]
    texts = [text for text in facts.counts.index if text not in said]
    if not all(re.fullmatch(r"-?\d{1,5}", text) for text in texts):
        return None
    numbers = sorted(int(text) for text in texts if text == str(int(text)) and int(text) >= 0)
    if not numbers or numbers[0] > 1:
        return None
    run = [numbers[0]]
    for number in numbers[1:]:
        if number - run[-1] > 1 + (number < 7):  # a category that nobody chose; 7, 8 and 9 may mean missing
            break
        run.append(number)
    outside = [text for text in texts if text not in map(str, run)]
    sound = all(RESERVED.fullmatch(text) or text in "789" for text in outside)
    return (run[0], run[-1], (*outside, *said)) if sound and 2 <= len(run) <= LARGEST else None


def _shape(name):
    """Of Q05a: letters, number, letter; names that are whole questions have one shape; None without a number."""
    if len(name) > 25 and len(name.split()) > 3:
        return "question"
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", name)) if NUMBERED.fullmatch(name) else None


def series_of(item):
    """The question that an item belongs to: Q05a to Q05, DL01 to DL.

    Examples
    --------
    >>> series_of("G_Q05a"), series_of("DL01"), series_of("Q7_2")
    ('G_Q05', 'DL', 'Q7')
    """
    match = NUMBERED.fullmatch(item)
    if not match:
        return "items"
    return (match["stem"] + match["number"] if match["letter"] else match["stem"]).rstrip("_- .") or "items"


def _alike(group, span, shape, name):
    """One battery has names of one shape and one run of codes; of a question's, few people may leave one out."""
    if group["shape"] != shape or group["low"] != span[0]:
        return False
    sizes = sorted((group["high"] - group["low"] + 1, span[1] - span[0] + 1))
    kin = series_of(name) == series_of(group["columns"][-1])
    return sizes[0] == sizes[1] or (kin and sizes[0] >= 3 and sizes[1] - sizes[0] == 1)


def numbered(seen):
    """Runs of measures named prefix+number: {prefix: (first, last)}; ten plausible values, eighty weights."""
    found = {}
    for name in seen.facts:
        match = re.fullmatch(r"(.*?\D)(\d+)", name)
        if match and str(int(match[2])) == match[2] and seen.facts[name].measure:
            found.setdefault(match[1], set()).add(int(match[2]))
    runs = {prefix: (min(n - {0}), max(n)) for prefix, n in found.items() if len(n - {0}) >= 3}
    return {prefix: (a, b) for prefix, (a, b) in runs.items() if len(found[prefix] - {0}) == b - a + 1}
