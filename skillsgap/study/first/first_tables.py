"""One table of a first params file: which file, columns, codes and rows, each with its reason."""

import calendar
import json
import re

from skillsgap.contracts import CONTRACTS, STATUS
from skillsgap.study.first.commented import listed, quoted
from skillsgap.study.first.guess import PERSONS, gates
from skillsgap.study.first.look import date_order, notation

TODO = "TODO"
ASKING = ["item_id", "type", "filter_item", "filter_codes"]  # columns that say to whom an item was put
DECLARED = {"encoding": ("utf-16", "windows-1251", "windows-1252"), "delimiter": (";", "\t", "|")}
FAMILY = ["9995", "9996", "9997", "9998", "9999"]  # where one of them is used, the others mean missing too


def write_table(out, guess, guesses, place):
    """Write what is guessed of one file.

    Parameters
    ----------
    out : Lines
    guess : Guess
    guesses : dict of str to Guess
        Of all tables.
    place : str
        The file, as params are to name it.
    """
    facts, table = guess.seen.facts, guess.table
    out.add(1, f"{table}:", _reason(guess, guesses.get("items")))
    out.say(2, f"{guess.seen.path.name}: {len(facts)} columns; {guess.seen.table.num_rows} rows were looked at")
    out.add(2, f"file: {quoted(place)}")
    for note in guess.seen.notes:
        for key, known in DECLARED.items():
            if str(note.values.get(key)).lower() in known:
                out.add(2, f"{key}: {quoted(str(note.values[key]).lower())}", "as the file looks")
        out.say(2, str(note))
    _notation(out, guess)
    _columns(out, guess)
    _missing(out, guess, "items" in guesses)
    _rows_that_count(out, guess, guesses)
    if table == "responses":
        _answers(out, guess, guesses)
    unsaid = [name for name, why in guess.left.items() if not why]
    for name, why in guess.left.items():
        if why:
            out.say(2, f"not used: {name} ({why})")
    if "items" in guesses and table == "responses":
        unsaid = [name for name in unsaid if name not in guesses["items"].fact("item_id").counts.index]
    if unsaid:
        out.say(2, f"not used: {', '.join(unsaid)}")


def _reason(guess, items):
    if guess.table == "responses":
        answers = sum(len(b.columns) for b in guess.batteries)
        parts = [f"{answers} columns look like answers"] if answers else []
        if items and not guess.long:
            named = sum(name in guess.seen.facts for name in items.fact("item_id").counts.index)
            parts = [f"{named} columns are items of {items.seen.path.name}"]
        parts += ["plausible values"] * bool(guess.scores) + ["a row is one answer"] * bool(guess.long)
        return ", ".join(parts or ["answers"])
    if guess.table == "register":
        return "cells with head-counts" if "headcount" in guess.columns else "a row is a person"
    return "by its columns"


def _notation(out, guess):
    contract, styles, orders = CONTRACTS[guess.table].columns, {}, {}
    for ours, (theirs, _) in guess.columns.items():
        texts = guess.seen.facts[theirs].valid.index
        if contract[ours].kind in ("number", "integer") and (found := notation(texts)):
            styles[theirs] = found
        elif contract[ours].kind == "date":
            orders[theirs] = date_order(texts)
    odd = {theirs: found for theirs, found in styles.items() if found[0]}
    if odd:
        theirs, (style, sure) = next(iter(odd.items()))
        written = ", ".join(f"{key}: {json.dumps(mark, ensure_ascii=False)}" for key, mark in style.items())
        example = next(x for x in guess.seen.facts[theirs].valid.index if not x.isdigit())
        why = f"{theirs} has {example}" if sure else f"{TODO}: {theirs} has {example}: is the comma decimal?"
        out.add(2, f"numbers: {{{written}}}", why)
    for theirs, (order, why) in list(orders.items())[:1]:
        if order == "":
            out.add(2, "dates: dmy", f"{TODO}: {theirs}: {why}")
        elif order != "ymd":
            out.add(2, f"dates: {order}", f"{theirs}: {why}")


def _columns(out, guess):
    renamed = {ours: pair for ours, pair in guess.columns.items() if ours != pair[0]}
    contract = CONTRACTS[guess.table].columns
    lacking = [name for name, rule in contract.items() if rule.required and name not in guess.columns]
    id_of = guess.columns.get(CONTRACTS[guess.table].key[0])
    if "label_en" in lacking and id_of:
        lacking.remove("label_en")
        renamed["label_en"] = (id_of[0], f"{TODO}: no column looks like a name")
    same = [ours for ours, pair in guess.columns.items() if ours == pair[0]]
    if same:
        out.say(2, f"named as here: {', '.join(same)}")
    if renamed:
        out.add(2, "columns:")
        for ours, (theirs, why) in renamed.items():
            out.add(3, f"{ours}: {quoted(theirs)}", why)
    for name in contract:
        if name in guess.seen.facts and guess.columns.get(name, ("", ""))[0] != name:
            out.say(2, f"{TODO}: the column {name} is called as one of ours, and doesn't look like it: rename it")
    if lacking:
        out.add(2, "constants:", f"{TODO}: no column looks like these; stand-ins")
        for name in lacking:
            out.add(3, f"{name}: {quoted(stand_in(guess, name, contract[name]))}", _choices(contract[name]))


def stand_in(guess, name, rule=None):
    """A value for a column that a table must have, where no column of the file looks like it."""
    if name == "statistic":
        return "mean" if "mean" in guess.columns["estimate"][0].casefold() else "share"
    if rule.levels:
        return rule.levels[0]
    if name == "importance":
        return 3  # the middle: all alike, so that it weighs nothing
    return TODO if rule.kind == "text" else int(rule.low or 0)


def _choices(rule):
    if rule.levels:
        return f"one of {', '.join(rule.levels)}"
    return f"{rule.low:g} to {rule.high:g}" if rule.high is not None else ""


def _missing(out, guess, items_known):
    """Codes that mean not answered, of each column that is used."""
    found, doubts = {}, []
    for ours, (theirs, _) in guess.columns.items():
        facts = guess.seen.facts[theirs]
        measured = CONTRACTS[guess.table].columns[ours].kind in ("number", "integer") or ours == "staff_id"
        kinds = {kind: list(codes) for kind, codes in facts.missing.items() if not (measured and kind == "codes")}
        codes = facts.valid.index
        if "NA" in kinds.get("not_stated", ()) and (codes.str.fullmatch("[A-Z]{2}").mean() or 0) > 0.3:
            kinds["not_stated"].remove("NA")
            doubts.append((theirs, "NA"))
        if set(kinds.get("codes", ())) & set(FAMILY):
            kinds["codes"] = FAMILY
        if guess.table not in PERSONS and CONTRACTS[guess.table].columns[ours].required:
            if facts.unique:
                continue  # a code of its own in every row: none of them means nothing
            doubts += [(theirs, code) for codes in kinds.values() for code in codes]
        elif any(kinds.values()):
            found[ours] = ({kind: codes for kind, codes in kinds.items() if codes}, _seen_codes(facts))
    for battery in () if items_known else guess.batteries:
        run = f"outside {battery.low} to {battery.high}"
        found |= {item: ({"codes": list(battery.missing)}, run) for item in battery.columns if battery.missing}
    if found:
        out.add(2, "missing_codes:")
    for column, (kinds, why) in found.items():
        if set(kinds) == {"codes"}:
            out.add(3, f"{quoted(column)}: {listed(kinds['codes'])}", why)
        else:
            kinds = {("not_stated" if kind == "codes" else kind): codes for kind, codes in kinds.items()}
            said = ", ".join(f"{kind}: {listed(codes)}" for kind, codes in kinds.items())
            out.add(3, f"{quoted(column)}: {{{said}}}", why)
    for theirs, code in doubts:
        out.say(2, f"{TODO}: {theirs} holds {code} ({guess.seen.facts[theirs].counts[code]} rows): if it is no code of "
                   "its own and means that nothing is known, add it to missing_codes")  # fmt: skip


def _seen_codes(facts):
    codes = [code for codes in facts.missing.values() for code in codes]
    return f"{', '.join(codes[:5])}: {int(facts.counts[codes].sum())} rows"


def _rows_that_count(out, guess, guesses):
    """Which rows belong: the latest vintage, rows with a value, and what only a person can say."""
    if guess.vintage and guess.table == "register":
        name, latest, every = guess.vintage
        out.add(2, f"population: {{{quoted(name)}: {{in: {listed([latest])}}}}}",
                f"the cells come once for each of {', '.join(every[-4:])}; the latest")  # fmt: skip
        if month := re.fullmatch(r"(\d{4})-?(\d{2})", latest):
            last = calendar.monthrange(int(month[1]), int(month[2]))[1]
            out.add(2, f'as_of: "{month[1]}-{month[2]}-{last}"', f"the end of {latest}")
    elif guess.table not in PERSONS:
        required = [n for n, rule in CONTRACTS[guess.table].columns.items() if rule.required and n in guess.columns]
        short = {guess.columns[n][0] for n in required if guess.fact(n).counts.sum() < guess.fact(n).rows}
        said = {f"{quoted(name)}: {{missing: false}}": "rows where this is empty say nothing" for name in sorted(short)}
        if guess.table == "items" and "responses" in guesses:
            said |= _forms(out, guess, guesses["responses"])
        if said:
            out.add(2, f"population: {{{', '.join(said)}}}", "; ".join(dict.fromkeys(said.values())))
        key = [guess.columns[n][0] for n in CONTRACTS[guess.table].key if n in guess.columns]
        if key and guess.seen.pairs(*key) < 0.95 * guess.seen.table.num_rows:
            more = [n for n in guess.left if guess.seen.pairs(*key, n) > 1.02 * guess.seen.pairs(*key)]
            out.say(2, f"{TODO}: {' + '.join(key)} doesn't tell the rows apart; choose rows with population, by "
                       f"{', '.join(more) or 'a column'}")  # fmt: skip


def _forms(out, items, responses):
    """Which items were asked, where their form tells: {condition: why}; else a person has to say."""
    name, file = items.columns["item_id"][0], responses.seen.path.name
    frame = items.seen.table.to_pandas()
    there = frame[name].isin(_asked(responses))
    lacking = frame.loc[~there, name].tolist()
    if lacking and there.any() and "form" in items.columns:
        form = items.columns["form"][0]
        asked, others = sorted(set(frame.loc[there, form])), set(frame.loc[~there, form])
        if "" not in asked and not others & set(asked):
            return {f"{quoted(form)}: {{in: {listed(asked)}}}": f"the items that {file} has"}
    if lacking:
        some = ", ".join([*lacking[:8], *["…"] * (len(lacking) > 8)])
        out.say(2, f"{TODO}: {file} has no {some}: choose the items that were asked with population, or add them")
    return {}


def _asked(responses):
    """What the answers are to: columns, or rows where a row is one answer."""
    return responses.seen.facts[responses.long["item"]].counts.index if responses.long else responses.seen.facts


def _skips(out, responses, items):
    """Questions that items say are left out after some answer, and tests that only some were given."""
    there, tested = _asked(responses), responses.columns.get("tested", ("",))[0]
    table = items.seen.table.to_pandas()[[theirs for theirs, _ in items.columns.values()]]
    told = table.set_axis(list(items.columns), axis=1).reindex(columns=ASKING, fill_value="")
    rules = []
    for item, kind, before, codes in told[told["item_id"].isin(there)].itertuples(index=False):
        if before in there:
            rules.append((item, before, codes.split("|"), f"{items.seen.path.name} says so"))
        elif kind == "tested" and tested:
            rules.append((item, tested, ["no"], "who was not tested has no answer"))
    if rules:
        out.add(2, "skip:")
    for item, before, codes, why in rules:
        out.add(3, f"{quoted(item)}: {{when: {{{quoted(before)}: {{in: {listed(codes)}}}}}}}", why)


def _answers(out, guess, guesses):
    if "status" in guess.columns and (seen := [s for s in STATUS[:-1] if s in guess.fact("status").counts.index]):
        out.add(2, f"respondents: {{{quoted(guess.columns['status'][0])}: {{in: {listed(seen)}}}}}",
                "the others count in the response rate")  # fmt: skip
    else:
        out.say(2, f"{TODO}: if only some rows belong: population: {{COLUMN: {{in: [codes]}}}}")
    if guess.vintage:
        out.add(2, f"wave: {quoted(guess.vintage[1])}", f"the latest of {', '.join(guess.vintage[2][-4:])}")
    if guess.long:
        item, answer = guess.long["item"], guess.long["answer"]
        out.add(2, f"long: {{item: {quoted(item)}, answer: {quoted(answer)}}}", "a row is one answer")
    if guess.weights:
        prefix, first, last = guess.weights
        out.add(2, f"replicate_weights: {{prefix: {quoted(prefix)}, from: {first}, to: {last}}}",
                f"{last - first + 1} columns {prefix}{first} … {prefix}{last}")  # fmt: skip
        said = {f.valid.index[0].lower(): n for n, f in guess.seen.facts.items() if len(f.valid) == 1}
        how = next((kind for kind in ("jk1", "jk2") if kind in said), None)
        out.add(2, f"replicates: {how or 'jk2'}", f"{said[how]} says so" if how else f"{TODO}: jk1 or jk2?")
    if guess.scores:
        out.add(2, "plausible_values:")
        for name, (prefix, count) in guess.scores.items():
            why = f"{prefix}1 … {prefix}{count}: measures that lie close together"
            out.add(3, f"{name}: {{prefix: {quoted(prefix)}, count: {count}}}", why)
    if "items" in guesses:
        _skips(out, guess, guesses["items"])
    for items, (question, code) in gates(guess).items():
        rule = f"{{when: {{{quoted(question)}: {{in: {listed([code])}}}}}, value: CODE}}"
        out.say(2, f"{TODO}: {items[0]} … {items[-1]} are empty where {question} is {code}. If that means never, not "
                   f"unknown: skip: {{{quoted(items[0])}: {rule}, …}} for each of them")  # fmt: skip
    _link(out, guess, guesses.get("register"))


def _link(out, guess, register):
    """How respondents find their row of the register, where that isn't by staff_id."""
    if register is None or {"staff_id"} <= set(guess.columns) & set(register.columns):
        return
    shared = [c for c in ("agency_id", "unit_id", "role_id", "role_level", "grade")
              if c in guess.columns and c in register.columns]  # fmt: skip
    if shared:
        out.add(2, f"link: {listed(shared)}", "both files have these; there is no shared staff_id")
    else:
        out.say(2, f"{TODO}: nothing links the respondents to the register: link: [columns that both have]")
