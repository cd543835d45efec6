"""One Uzbek word for each English one, in every message, table and params file; none missing, none left English."""

import csv
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from test_wording import WRONG_MARK

from skillsgap.run.terms import bare, english, english_left, holds, small_words
from skillsgap.run.texts import read_texts

REPO = Path(__file__).parents[1]
# words that code, params, figures and translations share
FIELD_WORDS = {
    "unit", "register", "respondent", "item", "competency", "level", "required level", "gap", "shortfall", "profile",
    "cell", "cohort", "design (of a survey)", "weight", "replicate", "priority", "course", "seat", "plan", "budget",
    "frontier", "release", "view", "claim", "answer language", "report language",
}  # fmt: skip
# one Uzbek word for several English ones, because Uzbek has no second one that a reader would tell apart
SHARED = {"yetishmovchilik", "ishonch oraligʻi", "qator"}
# (what the English text holds, term): why its Uzbek does without the term
EXCEPTIONS = {
    ("benefit claims", "claim"): "a claim is an application here",
    ("(federal seat)", "seat"): "a seat is a capital here",
    ("Senior staff", "staff"): "the name of a grade",
    ("Public interest", "interest"): "the common good here",
    ("on a line from 0", "line"): "a line is drawn here",
    ("A line a group", "line"): "a line is drawn here",
}
SAME = {"solar", "respondent"}  # a currency; words of both languages


@cache
def texts():
    return read_texts(REPO)


@cache
def glossary():
    with (REPO / "data" / "framework" / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return {row["term_en"]: row for row in csv.DictReader(file)}


def excused(message, term):
    return any(part in message for part, word in EXCEPTIONS if word == term)


@pytest.mark.parametrize("term", glossary())
def test_a_term_has_one_word(term):
    row, word = glossary()[term], english(term)
    terms = [row["term_uz"], *filter(None, row["also_uz"].split("|"))]
    broken = {(text.english, text.uzbek) for text in texts()
              if word.search(bare(text.english)) and not holds(text.uzbek, terms) and not excused(text.english, term)}
    assert broken == set()


def test_the_glossary_names_the_field_words_each_once():
    assert set(glossary()) >= FIELD_WORDS
    meant = defaultdict(set)
    for term, row in glossary().items():
        assert all(row[name].strip() == row[name] != "" and "\n" not in row[name]
                   for name in row if name != "also_uz"), term  # fmt: skip
        meant[row["term_uz"]].add(term)
    assert {word for word, terms in meant.items() if len(terms) > 1} == SHARED
    assert list(glossary()) == sorted(glossary(), key=str.casefold)


def test_an_exception_is_still_needed():
    for part, term in EXCEPTIONS:
        row = glossary()[term]
        said = [text.uzbek for text in texts() if part in text.english and english(term).search(bare(text.english))]
        assert said and not all(holds(one, [row["term_uz"], *filter(None, row["also_uz"].split("|"))]) for one in said)


def test_another_word_is_still_needed():
    """A second Uzbek word is let stand only where some text has it and not the first."""
    for term, row in glossary().items():
        said = [text.uzbek for text in texts() if english(term).search(bare(text.english))
                and not holds(text.uzbek, [row["term_uz"]]) and not excused(text.english, term)]  # fmt: skip
        others = filter(None, row["also_uz"].split("|"))
        assert [other for other in others if not any(holds(one, [other]) for one in said)] == [], term


def test_no_text_is_missing():
    assert [text.where for text in texts() if not text.uzbek.strip()] == []


def test_apostrophes():
    assert {text.uzbek for text in texts() if WRONG_MARK.search(text.uzbek)} == set()


def test_no_english_is_left():
    """Words that are never written small in English are names; other words of both languages are kept."""
    small = small_words(texts())
    left = {text.uzbek: words for text in texts() if (words := english_left(text.uzbek, small))}
    assert left == {}


def test_a_text_is_not_its_english():
    same = {text.english for text in texts() if text.uzbek == text.english} - SAME
    assert {said for said in same if re.search(r"(?<!\w)[a-z]{2,}", bare(said))} == set()


@pytest.mark.parametrize(("said", "term", "found"), [
    ("kompetensiyalar", "kompetensiya", True), ("yetishmovchiligi", "yetishmovchilik", True),
    ("ishonch oraliqlari", "ishonch oraligʻi", True), ("oraliq va ishonch", "ishonch oraligʻi", True),
    ("mikromaʼlumot", "maʼlumot", False), ("reja", "daraja", False), ("koʻnikmasi", "koʻnikma", True),
])  # fmt: skip
def test_stems_are_found(said, term, found):
    assert holds(said, [term]) == found


@pytest.mark.parametrize(("said", "term", "found"), [
    ("Competencies", "competency", True), ("AI agents", "AI agent", True), ("said", "AI", False),
    ("unity", "unit", False), ("the surveys", "survey", True), ("the gaps", "gap", True), ("non-data", "data", False),
])  # fmt: skip
def test_terms_are_found(said, term, found):
    assert bool(english(term).search(said)) == found
