"""Reference results in the oracle schema: every hard check of the kinds we offer, through one public verb each.

Oracles: R's survey, psych, lavaan, ltm, mirt, difR, irr and published tables, as each case's case.json names them.
"""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.oracles import __main__ as oracles

REPO = Path(__file__).resolve().parents[1]
ORACLES = REPO.parent / "shared" / "oracles"
KINDS = ("survey", "reliability", "irt", "dif", "agreement", "lca", "lca3step", "lpa", "optimisation")
CASES = [folder for kind in KINDS for folder in oracles.cases(ORACLES / kind)] if ORACLES.is_dir() else []
given = pytest.mark.skipif(not CASES, reason="the reference results (../shared/oracles) are not here")


def read(folder):
    return json.loads((folder / "case.json").read_text(encoding="utf-8"))


@given
@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_every_check_of_a_case_passes(folder, tmp_path):
    case = read(folder)
    answers, troubles = oracles.asked_without_values(folder, case["kind"], case["spec"])
    counts, lines, _ = oracles.judge(folder, answers)
    unknown, _ = oracles.unknown_misses(folder, lines)
    assert (troubles, unknown, counts["missing"]) == ([], 0, 0), lines
    # the judge that came with the cases says the same of the same answers
    path = tmp_path / "results.json"
    path.write_text(json.dumps(answers), encoding="utf-8")
    theirs = judge_of_the_cases().run(str(folder), str(path))
    assert theirs["hard_pass"] == counts["hard passed"] and theirs["soft_fail"] == counts["soft failed"]
    assert theirs["hard_fail"] == counts["hard failed"]
    assert theirs["hard_missing"] == theirs["soft_missing"] == 0


def judge_of_the_cases():
    spec = importlib.util.spec_from_file_location("check", ORACLES / "check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_adapter_never_sees_what_is_expected(monkeypatch, tmp_path):
    folder = made_up(tmp_path)
    seen = []

    def watch(place, asked, *_):
        seen.append((list(place.iterdir()), asked))
        return {}, []

    monkeypatch.setattr(oracles, "answers", watch)
    oracles.asked_without_values(folder, "reliability", read(folder)["spec"])
    (files, asked), = seen
    assert {path.name for path in files} == {"case.json", "items.csv"}
    assert asked == {"alpha": ASK, "unknown": {"statistic": "beauty", "report": "estimate"}}


STANDARD = {"dataclasses", "functools", "json", "math", "pathlib"}


def test_adapters_know_no_case_and_no_expected_value():
    folder = REPO / "tests" / "oracles"
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "__main__.py":
            assert "expected" not in text, f"{path.name} reads what is expected"
            imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
            assert imported <= {*STANDARD, "pandas", "numpy", "skillsgap", "tests"}, path.name
        for case in CASES:
            assert case.name not in text, f"{path.name} knows {case.name}"


ASK = {"statistic": "alpha", "report": "estimate", "missing": "pairwise", "standardised": False}


def made_up(place, value=0.9661, tolerance=1e-4):
    """A case of the schema with three items, whose alpha a textbook formula gives, and a statistic nobody offers."""
    folder = place / "reliability" / "three_items"
    folder.mkdir(parents=True)
    (folder / "items.csv").write_text("a,b,c\n0,0,1\n1,1,1\n2,3,2\n3,4,4\n", encoding="utf-8")
    spec = {"data": "items.csv", "items": ["a", "b", "c"], "categories": None, "reversed": "already_recoded",
            "weights": None}  # fmt: skip
    case = {"id": "three_items", "kind": "reliability", "title": "made up", "spec": spec}
    checks = [{"id": "alpha", "type": "number", "value": value, "rtol": 0, "atol": tolerance, "ask": ASK},
              {"id": "unknown", "type": "number", "value": 1, "ask": {"statistic": "beauty", "report": "estimate"}}]
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
    (folder / "expected.json").write_text(json.dumps({"id": "three_items", "checks": checks}), encoding="utf-8")
    return folder


def test_unseen_cases_run_through_the_same_command(tmp_path, capsys):
    made_up(tmp_path)
    assert not oracles.run(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("reliability/three_items: hard passed 1, hard failed 0, missing 1")
    assert lines[-1] == "cases 1, hard passed 1, hard failed 0, missing 1, soft failed 0"


def test_a_wrong_answer_fails(tmp_path, capsys):
    made_up(tmp_path, value=0.97)
    assert not oracles.run(tmp_path)
    out = capsys.readouterr().out
    assert "hard alpha: 0.966" in out
    assert out.splitlines()[-1] == "cases 1, hard passed 0, hard failed 1, missing 1, soft failed 0"


def test_a_kind_without_an_adapter_is_missing(tmp_path, capsys):
    folder = made_up(tmp_path)
    case = read(folder) | {"kind": "astrology"}
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
    assert not oracles.run(tmp_path)
    assert capsys.readouterr().out.splitlines()[-1] == "cases 1, hard passed 0, hard failed 0, missing 2, soft failed 0"
