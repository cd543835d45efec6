"""Guess which table a file is, and which of its columns are ours."""

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS, INPUTS
from skillsgap.study.first.look import (
    Battery,
    Seen,
    batteries,
    date_order,
    notation,
    numbered,
    small_run,
    tokens,
    words,
)

PERSONS = ("register", "responses")  # tables without a required column: known by what a row is
PLACES = ("agency_id", "unit_id", "grade", "sex", "hire_date")  # what a list of staff tells, and no other list
CODES = ("isco08", "industry", "region", "education", "age_band")  # often there in several depths
WEIGHTY = re.compile(r"w(?:eigh)?t|wgt|rep|brr|jk|vazn|вес", re.IGNORECASE)
VINTAGE = r"(?:19|20)\d{2}(?:[-/.]?(?:0[1-9]|1[0-2]))?(?:-\d{2})?|20\d{2}[- ]?Q[1-4]"


@dataclass
class Guess:
    """One file: the table it is, `columns` (ours: (theirs, why)), what else was found, and columns left out."""

    seen: Seen
    table: str | None = None
    columns: dict = field(default_factory=dict)
    batteries: list = field(default_factory=list)
    weights: tuple | None = None  # prefix, first, last
    scores: dict = field(default_factory=dict)  # competency: (prefix, count)
    long: dict = field(default_factory=dict)
    vintage: tuple | None = None  # column, latest value, all values
    left: dict = field(default_factory=dict)  # theirs: why it was not used

    def theirs(self):
        """Columns of the file that a guess uses."""
        return {theirs for theirs, _ in self.columns.values()}

    def fact(self, ours):
        """Facts of the column that is ours."""
        return self.seen.facts[self.columns[ours][0]]


def guess_table(seen):
    """Guess which of the tables a file is, and which columns are which.

    Parameters
    ----------
    seen : Seen

    Returns
    -------
    Guess
        Its `table` is None where the file looks like none.
    """
    base = Guess(seen)
    _runs(base)
    best, score = base, 0.7  # below this, more is lacking than found
    for table in INPUTS:
        guess, points = _as_table(base, table)
        if points > score:
            best, score = guess, points
    if best.table in PERSONS:
        _vintage(best)
    _leave(best)
    return best


def _runs(base):
    """Plausible values and replicate weights: runs of measures, told apart by name or by what stands beside them."""
    seen = base.seen
    for prefix, (first, last) in numbered(seen).items():
        many = last - first + 1
        full = f"{prefix}0"
        beside = full in seen.facts and seen.facts[full].measure
        if (WEIGHTY.search(prefix) or beside) and many >= 10:
            base.weights = (prefix, first, last)
            if beside:
                base.columns["weight"] = (full, f"the weight that {prefix}{first} … {prefix}{last} vary around")
        elif first == 1 and many <= 20 and (prefix.casefold().startswith("pv") or _close(seen, prefix)):
            short = re.sub("^pv_?|[_ ]+$", "", prefix.casefold()) or "score"
            base.scores[words()["scores"].get(short, re.sub(r"\W+", "_", short))] = (prefix, many)


def _close(seen, prefix):
    """Plausible values of one person lie close together."""
    pair = np.corrcoef(seen.numbers(f"{prefix}1").fillna(0), seen.numbers(f"{prefix}2").fillna(0))
    return pair[0, 1] > 0.5


def _as_table(base, table):
    """The file taken as one table, and how much speaks for it."""
    guess = Guess(base.seen, table, {}, [], base.weights, base.scores)
    series = {f"{p}{i}" for p, a, b in _spans(base) for i in range(a, b + 1)}
    match_columns(guess, series, dict(base.columns) if table == "responses" else {})
    stem = " ".join(tokens(base.seen.path.name.split(".")[0]))
    hint = 0.5 * any(name in stem for name in words()["tables"].get(table, (table.replace("_", " "),)))
    if table in PERSONS:
        return guess, _person_points(guess, series) + hint
    required = [name for name, column in CONTRACTS[table].columns.items() if column.required]
    found = [name for name in required if name in guess.columns]
    if table == "aggregates" and "estimate" in found:
        found.append("statistic")
    own = sum(guess.columns[name][0] == name for name in set(found) & set(guess.columns))
    key = CONTRACTS[table].key[0] in guess.columns
    return guess, (len(found) / len(required) + 0.02 * own) * key + hint * bool(len(found) >= len(required) / 2)


def _person_points(guess, series):
    if guess.table == "responses":
        guess.long = _long(guess)
        guess.batteries = _asked(guess) if guess.long else batteries(guess.seen, guess.theirs() | series)
        answered = guess.scores or guess.weights or guess.long or guess.batteries
        known = {"staff_id", "weight", "status"} & set(guess.columns) or guess.scores
        return 1.2 * bool(answered and (known or len(guess.seen.facts) > 20))
    places = {*PLACES} & set(guess.columns)
    cells = "headcount" in guess.columns and (places or "role_id" in guess.columns)
    return 0.85 * bool(cells or (places and "staff_id" in guess.columns))


def _spans(base):
    return [*([base.weights] if base.weights else []), *((p, 1, n) for p, n in base.scores.values())]


def match_columns(guess, taken, given):
    """Give each column of a contract the column of the file whose name and content fit best, each only once.

    Parameters
    ----------
    guess : Guess
        Its `columns` and `left` are filled.
    taken : collection of str
        Columns that are something else.
    given : dict
        What is known already, ours: (theirs, why).
    """
    contract, free = CONTRACTS[guess.table], [c for c in guess.seen.facts if c not in taken]
    offers = []
    for ours, rule in contract.columns.items():
        for place, theirs in enumerate(free):
            score, why = name_score(ours, theirs)
            if score and ours not in given:
                odd = misfit(guess, ours, rule, guess.seen.facts[theirs])
                if odd:
                    guess.left.setdefault(theirs, f"not {ours}: {odd}")
                else:
                    thin = guess.table == "responses" and ours in CODES and _thin(guess.seen.facts[theirs])
                    offers.append((thin, -score, place, ours, theirs, why))
    guess.columns = dict(given)
    for _, _, _, ours, theirs, why in sorted(offers):
        if ours not in guess.columns and theirs not in guess.theirs():
            guess.columns[ours] = (theirs, why)
    if guess.table in PERSONS and not {"staff_id", "headcount"} & set(guess.columns):
        keys = [c for c in free if guess.seen.facts[c].unique and c not in guess.theirs()
                and not _fractions(guess.seen.facts[c])]  # fmt: skip
        if keys:
            guess.columns["staff_id"] = (keys[0], "a value of its own in every row")
    order = list(contract.columns)
    guess.columns = dict(sorted(guess.columns.items(), key=lambda pair: order.index(pair[0])))


def _thin(facts):
    """Codes so fine that too few respondents have each of them; a coarser column may be there."""
    return facts.valid.sum() < 30 * len(facts.valid)


@cache
def _synonyms(ours):
    return {tuple(tokens(name)) for name in (ours, *words()["columns"].get(ours, ()))}


@cache
def name_score(ours, theirs):
    """How well a name fits a column of ours: (0 to 4, why).

    Examples
    --------
    >>> name_score("sex", "Gender"), name_score("sex", "GENDER_R")[0], name_score("sex", "AVGLOS")
    ((3.0, 'named so'), 2.05, (0.0, ''))
    """
    if ours == theirs:
        return 4.0, ""
    name, best = tokens(theirs), 0.0
    for known in _synonyms(ours):
        if name == known or "".join(name) == "".join(known):
            return 3.0, "named so"
        inside = any(name[i : i + len(known)] == known for i in range(len(name) - len(known) + 1))
        if inside and len("".join(known)) > 2:
            best = max(best, round(2 + len(known) / 10 - (len(name) - len(known)) / 20, 4))
    return best, "its name says so" if best else ""


def misfit(guess, ours, rule, facts):
    """Why a column's content can't be that of ours; "" where it can."""
    table, valid, filled = guess.table, facts.valid, facts.valid.sum()
    if not filled:
        return "it is empty" if facts.counts.empty else f"it holds only {', '.join(facts.counts.index[:3])}"
    if rule.required and filled < 0.5 * facts.rows:
        return "most of it is empty"
    if table in PERSONS and filled < 0.05 * facts.rows:
        return "nearly all of it is empty"
    if table in PERSONS and ours != "headcount" and _averaged(facts.name):
        return "it is a figure over several people, not a person's own"
    if guess.weights and table == "responses" and ours in ("stratum", "psu", "fpc"):
        return "the replicate weights hold the design"
    if ours == "staff_id" or CONTRACTS[table].key == (ours,):
        return "" if len(facts.counts) >= 0.9 * facts.rows else "its values stand more than once"
    if rule.kind in ("number", "integer"):
        return _misfit_number(rule, valid)
    if rule.kind == "date":
        return "" if date_order(valid.index)[0] is not None else "it holds no dates"
    if rule.levels and valid[valid.index.isin(rule.levels)].sum() < 0.5 * filled:
        return f"its values are not {', '.join(rule.levels[:3])}"
    if table in PERSONS:
        return _misfit_code(ours, facts)
    return ""


def _averaged(name):
    first = tokens(name)
    return any(word in first or (first and first[0].startswith(word) and len(word) > 2 and len(first[0]) > len(word)
                                 and word in ("avg", "mean", "average"))
               for word in words()["averages"])  # fmt: skip


def _misfit_number(rule, valid):
    found = notation(valid.index)
    if found is None:
        return "it holds no numbers"
    if found[0] == {}:
        numbers = pd.to_numeric(valid.index.to_series())
        low, high = (-np.inf if rule.low is None else rule.low), (np.inf if rule.high is None else rule.high)
        if valid[((numbers < low) | (numbers > high)).to_numpy()].sum() > 0.1 * valid.sum():
            return f"its numbers go from {numbers.min():g} to {numbers.max():g}"
    return ""


def _misfit_code(ours, facts):
    distinct = len(facts.valid)
    if ours in ("sex", "disability") and distinct > 6:
        return f"it has {distinct} values"
    if ours in ("age_band", "education", "region", "language", "answer_language") and distinct > 60:
        return f"it has {distinct} values"
    if distinct > 20 and distinct > 0.6 * facts.rows:
        return "nearly every row has a value of its own"
    return "its numbers are measured, not codes" if facts.measure and _fractions(facts) else ""


def _fractions(facts):
    return facts.valid.index.str.contains(r"\.\d*[1-9]").any()


def _long(guess):
    """Columns of the item and the answer, where a person has a row for each answer."""
    facts, named = guess.seen.facts, words()["long"]
    found = {role: next((c for c in facts if tokens(c) in {tokens(w) for w in named[role]}), None) for role in named}
    if None in found.values() or found["item"] == found["answer"]:
        return {}
    repeated = [c for c in facts if 1 < len(facts[c].counts) < facts[c].rows
                and guess.seen.pairs(c, found["item"]) == facts[c].rows]  # fmt: skip
    keys = sorted((c for c in repeated if c not in found.values()), key=lambda c: (-name_score("staff_id", c)[0], c))
    if not keys:
        return {}
    guess.columns["staff_id"] = (keys[0], f"with {found['item']} it tells every row")
    return found


def _asked(guess):
    """The items of a file with a row for each answer, which share the run of codes of all answers."""
    run = small_run(guess.seen.facts[guess.long["answer"]])
    return [Battery(tuple(guess.seen.facts[guess.long["item"]].valid.index), *run)] if run else []


def _vintage(guess):
    """A column that tells which wave a respondent, or which vintage a cell of the register, is of."""
    if "wave" in guess.columns:
        facts = guess.fact("wave")
        guess.vintage = (facts.name, facts.valid.index.max(), list(facts.valid.index))
        return
    cell = [theirs for ours, (theirs, _) in guess.columns.items() if ours != "headcount"]
    for name, facts in guess.seen.facts.items() if "headcount" in guess.columns else ():
        named = any(word in tokens(name) for word in words()["vintages"]) and name not in cell
        dated = facts.valid.index.str.fullmatch(VINTAGE).all() and 2 <= len(facts.valid) <= 60
        if named and dated and guess.seen.pairs(*cell, name) > 1.2 * guess.seen.pairs(*cell):  # the cells come again
            guess.vintage = (name, facts.valid.index.max(), list(facts.valid.index))
            return


def gates(guess):
    """Questions that stay empty where a question before them has one code: {items: (question, code)}."""
    found, names = {}, list(guess.seen.facts)
    free = {name for name in guess.left if 2 <= len(guess.seen.facts[name].counts) <= 3}
    for items in {} if guess.long else [battery.columns for battery in guess.batteries]:
        empty = [guess.seen.table[item].to_pandas() == "" for item in items]
        skipped = pd.concat(empty, axis=1).all(axis=1)
        first = names.index(items[0])
        for name in [n for n in names[max(0, first - 5) : first] if n in free] if skipped.mean() > 0.02 else ():
            codes = guess.seen.table[name].to_pandas()
            shares = skipped.groupby(codes).mean().drop("", errors="ignore")
            if shares.max() > 0.99 and (shares > 0.05).sum() == 1:
                found[items] = (name, shares.idxmax())
    return found


def _leave(guess):
    """Say of every column that nothing uses why it is left."""
    used = guess.theirs() | set(guess.long.values()) | {c for b in guess.batteries for c in b.columns}
    used |= {f"{p}{i}" for p, a, b in _spans(guess) for i in range(a, b + 1)}
    used |= {guess.vintage[0]} if guess.vintage else set()
    codes = [(ours, theirs) for ours, (theirs, _) in guess.columns.items() if ours.endswith("_id") or ours == "isco08"]
    left = {}
    for name, facts in guess.seen.facts.items():
        if name in used:
            continue
        labels = [theirs for ours, theirs in codes if ours != "staff_id" and facts.style is None
                  and 0.8 <= len(facts.counts) / max(1, len(guess.seen.facts[theirs].counts)) <= 1 < len(facts.counts)
                  and guess.seen.pairs(theirs, name) == guess.seen.pairs(theirs)]  # fmt: skip
        why = guess.left.get(name, "")
        if guess.table in PERSONS and not why and _averaged(name):
            why = "it is a figure over several people, not a person's own"
        left[name] = f"it names the codes of {labels[0]}" if labels else why
    guess.left = left
