"""Damaged input ends in the same numbers with the oddity noted, or in one-line faults: never silently in others.

``python tests/test_mutations.py`` prints what came of every kind, in the words a user gets.
"""

import re
import sys
import tempfile
from collections import Counter

import pytest
from mutations import ENDINGS, INVISIBLE, NOTED, PLAIN, REJECTED, WRONG
from mutations_courses import COURSES
from mutations_declarations import DECLARATIONS
from mutations_files import FILES
from mutations_form import FORM
from mutations_framework import FRAMEWORK
from mutations_histories import HISTORIES
from mutations_judge import LIMIT, Judge, equal, plain, released
from mutations_layout import LAYOUT
from mutations_register import REGISTER
from mutations_responses import RESPONSES
from mutations_weights import WEIGHTS
from mutations_yaml import YAML

LISTS = (FILES, LAYOUT, RESPONSES, WEIGHTS, REGISTER, FRAMEWORK, COURSES, YAML, DECLARATIONS, FORM, HISTORIES)
KINDS = {
    f"{kind.table}: {kind.name}{'' if kind.base == 'bare' else f' ({kind.base})'}": kind
    for kinds in LISTS for kind in kinds
}  # fmt: skip
LINE = re.compile(r"\S.*: .+")  # what is wrong, and where; what to do
AGAIN = 3  # kinds whose unchanged tables are taken through the whole chain


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return Judge(tmp_path_factory.mktemp("mutations"))


@pytest.fixture(scope="module")
def outcomes():
    """What came of each kind, as the tests below get it."""
    return {}


def missed(kind, outcome):
    """What a kind was to end in and to say, and did not; empty where it did."""
    if kind.ends != (INVISIBLE if outcome.ends == WRONG else outcome.ends):
        return f"ended {outcome.ends}"
    if kind.said and not any(all(part in line for part in kind.said) for line in outcome.lines):
        return f"said {outcome.lines}"
    return ""


@pytest.mark.parametrize("name", KINDS)
def test_damage_ends_in_the_same_numbers_or_in_lines(name, judge, outcomes):
    kind = KINDS[name]
    outcome = outcomes[name] = judge.outcome(kind)
    assert not missed(kind, outcome), missed(kind, outcome)
    assert all(LINE.fullmatch(line) for line in outcome.lines), outcome.lines
    assert outcome.seconds < LIMIT


def test_every_kind_says_what_it_ends_in_and_why():
    for name, kind in KINDS.items():
        assert bool(kind.said) == (kind.ends in (NOTED, REJECTED)), name
        assert bool(kind.why) == (kind.ends in (PLAIN, INVISIBLE)), name


def test_unchanged_tables_give_unchanged_numbers(judge, outcomes):
    """The judge's short cut: where the study's tables are the same bit for bit, so is all that is released."""
    same = [name for name, outcome in outcomes.items() if outcome.same_tables]
    for name in same[:: max(1, len(same) // AGAIN)]:
        clean = judge.clean(KINDS[name].base)
        assert equal(released(judge.damaged(KINDS[name])), clean.released, plain), name


def test_the_undamaged_projects_have_nothing_to_say(judge):
    assert not any(len(judge.clean(base).study.notes) for base in judge.bases)


def test_nothing_is_silently_wrong(outcomes, capsys):
    """The table of the issue; kinds that no check can see are counted apart, each with its reason."""
    if set(outcomes) != set(KINDS):
        pytest.skip("only some of the kinds were run")
    counted = count(outcomes)
    with capsys.disabled():
        print("", *table(counted), sep="\n")
    assert counted[WRONG] == 0
    assert sum(counted.values()) == len(KINDS) >= 150


def count(outcomes):
    """Kinds by how they ended; what no check can see apart from what is wrong."""
    ends = (INVISIBLE if o.ends == WRONG and KINDS[n].ends == INVISIBLE else o.ends for n, o in outcomes.items())
    return Counter(ends)


def table(counted):
    """Lines of the table."""
    rows = [("kinds of damage", sum(counted.values())), *((end, counted[end]) for end in ENDINGS)]
    return [f"{name:32}{n:5}" for name, n in rows]


def main():
    """Print every kind, how it ended and in what words; the exit code is the number of those that ended otherwise."""
    outcomes, wrong = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(folder)
        for name, kind in KINDS.items():
            outcome = outcomes[name] = judge.outcome(kind)
            fault = missed(kind, outcome)
            wrong += bool(fault)
            said = next((line for line in outcome.lines if all(part in line for part in kind.said)), "")
            print(f"{name}\n    {kind.ends}{fault and f' BUT {fault}'}: {kind.why or said}")
    print(*table(count(outcomes)), sep="\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
