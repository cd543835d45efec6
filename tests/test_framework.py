"""The framework that is shipped: every competency in both languages, with five levels a respondent can tell apart."""

import re
from pathlib import Path

import pandas as pd
import pytest

from skillsgap.contracts import AUDIENCES, GROUPS, check

FRAMEWORK = Path(__file__).parents[1] / "data" / "framework"
LANGUAGES = ("en", "uz")
LONGEST = {"label_en": 28, "label_uz": 34, "definition": 200, "text": 160}  # characters; labels stand on figures
WORDS = range(15, 31)  # of an English definition: one sentence
DOMAINS = {"planning_design", "data_use_governance", "management_execution", "attitude"}  # UNESCO's and attitudes
ATTITUDES = ("trust", "creativity", "adaptability", "curiosity", "experimentation")  # UNESCO's five, in its order
AREAS = {"information_data", "communication_collaboration", "content_creation", "safety", "problem_solving"}  # DigComp
GOALS = {str(n) for n in range(1, 18)}
# how many of each the framework holds at least, of whom all are asked unless the audience says otherwise
AT_LEAST = {"digital": 2, "data": 4, "ai": 2, "genai": 4, "agentic": 3, "oversight": 3, "security": 2,
            "procurement": 1, "leadership": 2, "attitude": 2}  # fmt: skip
NAMED = {"digital_literacy", "cloud", "ml_basics", "data_security", "privacy", "data_ethics", "transparency",
         "human_oversight", "ai_procurement", "ai_risk", "digital_leadership", "innovation_mindset", "collaboration",
         "service_design", "web3"}  # fmt: skip
# oʻ and gʻ take U+02BB and nothing else does; tutuq is U+02BC; no other mark stands for either
WRONG_MARK = re.compile(r"['`´‘’ʹ]|(?<![oOgG])ʻ|(?<=[oOgG])ʼ")
ENGLISH = re.compile(r"\b(?:the|and|with|of|for|from|that|this|which|have|not|our|you|are|by|data|AI|work)\b",
                     re.IGNORECASE)  # fmt: skip


def read(table):
    return pd.read_csv(FRAMEWORK / f"{table}.csv", dtype={"sdg": "str"}, keep_default_na=False)


@pytest.fixture(scope="module")
def competencies():
    return read("competencies").set_index("competency_id", drop=False)


@pytest.fixture(scope="module")
def descriptors():
    return read("descriptors")


@pytest.fixture(scope="module")
def cells(competencies, descriptors):
    """Every English text beside its Uzbek one, named by where it stands."""
    parts = [pd.DataFrame({"kind": kind, "where": where, "en": table[f"{kind}_en"], "uz": table[f"{kind}_uz"]})
             for kind, table, where in (("label", competencies, competencies["competency_id"]),
                                        ("definition", competencies, competencies["competency_id"]),
                                        ("text", descriptors, descriptors["competency_id"] + " "
                                         + descriptors["level"].astype(str)))]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def where(cells, wrong):
    return cells.loc[wrong, ["kind", "where", "en", "uz"]].to_numpy().tolist()


def joined(column):
    return column[column != ""].str.split("|").explode()


@pytest.mark.parametrize("table", ["competencies", "descriptors"])
def test_the_file_meets_its_contract_and_is_written_the_same_everywhere(table):
    frame = read(table)
    assert check(table, frame.replace("", None)).empty
    content = (FRAMEWORK / f"{table}.csv").read_bytes()
    assert b"\r" not in content and content.endswith(b"\n") and not content.startswith(b"\xef\xbb\xbf")


def test_there_are_20_to_30_competencies_of_both_kinds(competencies):
    assert 20 <= len(competencies) <= 30
    assert set(competencies["kind"]) == {"technical", "non_technical"}
    assert set(AT_LEAST) == set(GROUPS)
    counts = competencies["group"].value_counts().to_dict()
    assert {group: counts.get(group, 0) for group, least in AT_LEAST.items() if counts.get(group, 0) < least} == {}


def test_what_was_asked_for_by_name_is_there(competencies):
    assert sorted(NAMED - set(competencies.index)) == []
    assert competencies.loc[competencies["audience"] == "optional", "competency_id"].tolist() == ["web3"]
    assert set(competencies["audience"]) == set(AUDIENCES)


def test_each_competency_has_five_levels_in_order(competencies, descriptors):
    levels = descriptors.groupby("competency_id", sort=False)["level"].agg(list)
    assert levels.index.tolist() == competencies["competency_id"].tolist()
    assert levels[levels.map(lambda found: found != [0, 1, 2, 3, 4])].to_dict() == {}


def test_no_text_is_empty_or_badly_spaced(cells):
    for language in LANGUAGES:
        text = cells[language]
        assert where(cells, (text == "") | (text != text.str.strip()) | text.str.contains(r"\s{2}|\n")) == []


def test_no_text_stands_twice(cells):
    for language in LANGUAGES:
        assert where(cells, cells[language].str.casefold().duplicated(keep=False)) == []


def test_texts_fit_where_they_are_shown(cells):
    for language in LANGUAGES:
        most = cells["kind"].map(lambda kind, code=language: LONGEST.get(f"{kind}_{code}", LONGEST.get(kind)))
        assert where(cells, cells[language].str.len() > most) == []


def test_sentences_end_in_a_full_stop_and_labels_do_not(cells):
    for language in LANGUAGES:
        assert where(cells, cells[language].str.endswith(".") == (cells["kind"] == "label")) == []


def test_a_definition_is_one_sentence(cells):
    definition = cells["kind"] == "definition"
    assert where(cells, definition & ~cells["en"].str.split().str.len().isin(WORDS)) == []
    for language in LANGUAGES:
        assert where(cells, definition & cells[language].str.contains(r"[.!?] ")) == []


def test_a_respondent_speaks_in_each_descriptor(descriptors):
    """Level 0 says what has not happened yet; the levels above it say what the respondent does."""
    none = descriptors["level"] == 0
    pattern = none.map({True: r"I have not .*\byet\b", False: r"I (?!have not)"})
    spoken = [re.match(say, text) is not None for say, text in zip(pattern, descriptors["text_en"], strict=True)]
    assert descriptors.loc[[not said for said in spoken], "text_en"].tolist() == []
    uzbek = descriptors["text_uz"]
    assert uzbek[~uzbek.str.contains(r"man\b") | (none != uzbek.str.contains(r"\bhali\b"))].tolist() == []


def test_the_highest_level_passes_it_on(descriptors):
    expert = descriptors[descriptors["level"] == 4]
    teaches = expert["text_en"].str.contains(r"\b(?:teach|train|prepare)\b")
    assert expert.loc[~teaches, "text_en"].tolist() == []
    assert expert.loc[~expert["text_uz"].str.contains("oʻrgat|oʻqit|tayyorlay"), "text_uz"].tolist() == []


def test_no_english_is_left_in_uzbek(cells):
    assert where(cells, (cells["uz"] == cells["en"]) | cells["uz"].str.contains(ENGLISH)) == []


def test_apostrophes_are_the_right_ones(cells):
    assert where(cells, cells["uz"].str.contains(WRONG_MARK)) == []
    assert where(cells, cells["en"].str.contains("[`´‘’ʻʼ]")) == []


def test_numbers_are_the_same_in_both_languages(cells):
    assert where(cells, cells["en"].str.findall(r"\d+") != cells["uz"].str.findall(r"\d+")) == []


def test_tags_are_of_the_allowed_sets(competencies):
    assert set(competencies["unesco_domain"]) == DOMAINS
    assert set(competencies["digcomp_area"]) == AREAS
    assert set(joined(competencies["sdg"])) <= GOALS
    named = joined(competencies["unesco_attitudes"])
    assert set(named) == set(ATTITUDES) and named.value_counts().min() >= 2
    order = competencies["unesco_attitudes"].str.split("|").map(lambda found: [a for a in ATTITUDES if a in found])
    assert competencies["unesco_attitudes"].tolist() == order.str.join("|").tolist()
