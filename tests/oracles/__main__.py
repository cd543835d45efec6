"""Run every oracle case found in a directory: ``python -m tests.oracles DIRECTORY [KIND ...]``.

A case is a folder with case.json and expected.json. The adapter of its kind (`answer` in the module of that name)
is given the case's spec and each check's question, never what is expected; the judge compares afterwards. Populations
of the kind recovery have no expected.json: they are judged all together, against their truth and a reference.
"""

import importlib
import json
import math
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.oracles import aggregate

RECOVERY = "recovery"
KNOWN = tomllib.loads(Path(__file__).with_name("known_misses.toml").read_text(encoding="utf-8"))
NAMES = {"class_shares": "shares", "item_probs": "probs", "modal_class": "labels", "chosen_k": "k"}


def cases(directory):
    """Folders of cases under a directory, in the order of their names."""
    found = Path(directory).rglob("case.json")
    return sorted(path.parent for path in found if path.with_name("expected.json").exists())


def questions(folder):
    """What is asked of a case: check id and question, without any of the values expected."""
    checks = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["checks"]
    return {check["id"]: check["ask"] for check in checks}


def answers(folder, asked, kind, spec):
    """The adapter's answers to the questions it offers one to, and a line for each it fails at."""
    try:
        adapter = importlib.import_module(f"tests.oracles.{kind}")
    except ModuleNotFoundError as error:
        if error.name != f"tests.oracles.{kind}":
            raise
        return {}, [f"no adapter for {kind}"]
    given, lines = {}, []
    for name, ask in asked.items():
        try:
            given[name] = adapter.answer(spec, ask, folder)
        except Exception as error:  # noqa: BLE001 - a case that breaks mustn't keep the others from running
            offered = "not offered" if isinstance(error, NotImplementedError) else f"{type(error).__name__}: {error}"
            lines.append(f"{name}: {offered}")
    return given, lines


def asked_without_values(folder, kind, spec, asked=None):
    """Answers worked out in a copy of the folder from which what is expected was removed."""
    asked = questions(folder) if asked is None else asked
    hidden = shutil.ignore_patterns("expected.json", "truth.json")
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / folder.name, ignore=hidden))
        return answers(copy, asked, kind, spec)


def judge(folder, given):
    """Counts of the checks by outcome, a line for each that fails, and the largest part of a tolerance used up."""
    counts, lines, worst = dict.fromkeys(("hard passed", "hard failed", "missing", "soft failed"), 0), [], 0.0
    for check in json.loads((folder / "expected.json").read_text(encoding="utf-8"))["checks"]:
        soft = check.get("level") == "soft"
        if check["id"] not in given:
            counts["missing"] += 1
            continue
        share = used_tolerance(check, given[check["id"]])
        if share > 1:
            counts["soft failed" if soft else "hard failed"] += 1
            lines.append(f"{'soft' if soft else 'hard'} {check['id']}: {_short(given[check['id']])}, expected "
                         f"{_short(check['value'])}")  # fmt: skip
        elif not soft:
            counts["hard passed"] += 1
        if not soft:
            worst = max(worst, share)
    return counts, lines, worst


def unknown_misses(folder, lines):
    """How many hard misses are not known, and a line for each known miss: why, or that it isn't missed any more."""
    case = _case(folder)
    known = KNOWN.get(f"{case['kind']}/{case['id']}", {})
    missed = {line.split(" ", 1)[1].rpartition(": ")[0].split(": ")[0] for line in lines if line.startswith("hard ")}
    told = [f"known {name}: {why}" if name in missed else f"no longer missed {name}: take it out of known_misses.toml"
            for name, why in known.items()]  # fmt: skip
    return len(missed - set(known)) + len(set(known) - missed), told


def used_tolerance(check, value):
    """How far an answer is from what is expected, in tolerances: up to 1 passes."""
    expected, kind = check["value"], check["type"]
    if kind in ("number", "vector", "matrix"):
        ours, theirs = _flat(value), _flat(expected)
        if len(ours) != len(theirs):
            return math.inf
        pairs = zip(ours, theirs, strict=True)
        return max((_distance(a, b, check) for a, b in pairs), default=0.0)
    if kind == "string":
        return 0.0 if str(value) == str(expected) else math.inf
    if kind == "one_of_sets":
        return 0.0 if sorted(value) in [sorted(some) for some in expected] else math.inf
    return 0.0 if (list(value) if kind == "string_list" else value) == expected else math.inf


def _distance(ours, theirs, check):
    if ours is None or theirs is None:
        return 0.0 if ours is None and theirs is None else math.inf
    ours, theirs = float(ours), float(theirs)
    if not math.isfinite(ours):
        return math.inf
    if check.get("direction") == "at_least" and ours >= theirs:
        return 0.0
    allowed = check.get("atol", 0) + check.get("rtol", 0) * abs(theirs)
    off = abs(ours - theirs)
    return off / allowed if allowed else math.inf if off else 0.0


def _flat(value):
    if isinstance(value, (list, tuple)):
        return [one for some in value for one in _flat(some)]
    return [value]


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def populations(directory):
    """Folders of populations under a directory: recovery cases, which have a truth and no expected.json."""
    found = sorted(path.parent for path in Path(directory).rglob("case.json"))
    found = [folder for folder in found if not (folder / "expected.json").exists()]
    return [folder for folder in found if _case(folder)["kind"] == RECOVERY]


def recovered(folders):
    """Answers for every population, by name, and a line for each that has not all of them."""
    results, lines = {}, []
    for folder in folders:
        case = _case(folder)
        asked = {one["id"]: one["ask"] for one in case["asks"]}
        given, troubles = asked_without_values(folder, RECOVERY, case["spec"], asked)
        lines += [f"{folder.name} {line}" for line in troubles]
        if len(given) == len(asked):
            results[folder.name] = {NAMES.get(asked[name]["report"], asked[name]["report"]): value
                                    for name, value in given.items()}  # fmt: skip
    return results, lines


def run_populations(directory):
    """Answer all populations of a directory, keep the answers in a file, print the pairs with the reference."""
    folders, passed = populations(directory), True
    for place in sorted({folder.parent for folder in folders}):
        results, lines = recovered([folder for folder in folders if folder.parent == place])
        path = Path(tempfile.mkdtemp(prefix="recovery_")) / "results.json"
        path.write_text(json.dumps(results), encoding="utf-8")
        print(f"{RECOVERY}: {len(results)} populations answered, {len(lines)} questions not; answers in {path}")
        for line in lines:
            print(f"  {line}")
        if results:
            pairs = aggregate.table(place, results)
            print(pairs.round(5).to_string(index=False))
            lines = lines or pairs["worse"].any()
        passed = passed and bool(results) and not lines
    return passed


def _case(folder):
    return json.loads((folder / "case.json").read_text(encoding="utf-8"))


def run(directory, kinds=()):
    """Run the cases, print a line for each and one for all, and give back whether every hard check passed."""
    totals, count, unknown = dict.fromkeys(("hard passed", "hard failed", "missing", "soft failed"), 0), 0, 0
    for folder in cases(directory):
        case = _case(folder)
        if kinds and case["kind"] not in kinds:
            continue
        given, troubles = asked_without_values(folder, case["kind"], case["spec"])
        counts, lines, worst = judge(folder, given)
        count, (more, known) = count + 1, unknown_misses(folder, lines)
        unknown += more
        totals = {name: totals[name] + counts[name] for name in totals}
        told = ", ".join(f"{name} {number}" for name, number in counts.items())
        print(f"{case['kind']}/{case['id']}: {told}; worst uses {worst:.2g} of its tolerance")
        for line in [*troubles, *lines, *known]:
            print(f"  {line}")
    passed = run_populations(directory) if not kinds or RECOVERY in kinds else True
    print(f"cases {count}, " + ", ".join(f"{name} {number}" for name, number in totals.items()))
    return passed and unknown == 0 and totals["missing"] == 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m tests.oracles DIRECTORY [KIND ...]")
    sys.exit(0 if run(sys.argv[1], sys.argv[2:]) else 1)
