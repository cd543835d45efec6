"""The questionnaire's items: complete in both languages, short enough, and covering what was asked of the framework."""

import re
from pathlib import Path

import pandas as pd
import pytest

from skillsgap.contracts import GROUPS, TIERS, check

DATA = Path(__file__).parents[1] / "data"
FORMS = {"long": ("both", "long"), "short": ("both",)}
# seconds to answer, a planning figure: five descriptors are read in full, a case is read twice, a scale is known
SECONDS = {"descriptors": 25, "case": 40, "scale": 8}
CASES = ("knowledge", "judgement")
# what the workshop's four sessions and the Korean paper name
PHRASES = (
    "advanced IT and data analysis", "innovation mindset", "digital leadership",
    "use digital tools in internal processes", "cloud computing", "artificial intelligence", "machine learning",
    "data security", "Web 3.0",
    "read, interpret and communicate data", "assess data quality, limitations and ethics",
    "collect, manage and safeguard data, privacy", "understand, evaluate and apply generative AI", "oversee it",
    "data ethics", "algorithmic transparency", "human oversight", "policy alignment with public values",
    "work alongside agents", "where agents fit in workflows", "safeguards", "suitable use cases",
    "AI procurement", "AI risk and impact assessment", "manpower and budget decisions on AI",
    "trust", "creativity", "adaptability", "curiosity", "experimentation", "fear of failure",
    "bureaucratic rigidity")  # fmt: skip


def read(path):
    return pd.read_csv(DATA / path, dtype=str, keep_default_na=False)


ITEMS, CHOICES = read("framework/items.csv"), read("framework/choices.csv")
COMPETENCIES, COVERAGE = read("framework/competencies.csv"), read("framework/coverage.csv")
DESCRIPTORS = read("framework/descriptors.csv")
ANCHORED = ITEMS[ITEMS["type"] == "anchored"]
CORE = COMPETENCIES[COMPETENCIES["audience"] != "optional"]
COMMON = {name: read(f"synthetic/common/{name}.csv") for name in ("requirements", "courses", "course_effects")}


def of_form(form, items=ITEMS):
    return items[items["form"].isin(FORMS[form])]


@pytest.mark.parametrize("table", ["framework/items", "framework/choices", "synthetic/common/requirements",
                                   "synthetic/common/courses", "synthetic/common/course_effects"])  # fmt: skip
def test_a_table_keeps_its_contract(table):
    assert check(table.split("/")[-1], pd.read_csv(DATA / f"{table}.csv")).empty


@pytest.mark.parametrize("table", [ITEMS, CHOICES, COMMON["courses"]], ids=["items", "choices", "courses"])
def test_every_text_stands_in_both_languages_with_the_right_apostrophes(table):
    texts = table.filter(regex="^(text|label)_")
    assert list(texts.columns.str[-2:]) == ["en", "uz"]
    assert (texts.map(str.strip) == texts).all(axis=None) and (texts != "").all(axis=None)
    uzbek = "\n".join(texts.iloc[:, 1])
    assert re.findall(r"\w*['`´‘’]\w*", uzbek) == []
    assert re.findall(r"\w*(?:[^oOgG]ʻ|[oOgG]ʼ)\w*", uzbek) == []
    assert texts[texts.iloc[:, 0] == texts.iloc[:, 1]].empty


def test_the_forms_have_the_length_they_promise():
    assert 60 <= len(of_form("long")) <= 70
    assert len(of_form("short")) == 25
    assert len(ITEMS[ITEMS["type"] == "climate"]) == 5 == len(of_form("short", ITEMS[ITEMS["type"] == "climate"]))


@pytest.mark.parametrize("form, low, high", [("long", 18, 22), ("short", 0, 12)])
def test_a_form_is_answered_in_the_minutes_it_promises(form, low, high):
    items = of_form(form)
    kind = items["scale"].where(items["scale"] == "descriptors", "scale").mask(items["type"].isin(CASES), "case")
    assert low <= kind.map(SECONDS).sum() / 60 <= high


@pytest.mark.parametrize("form, asked", [("long", ("everyone", "specialist")), ("short", ("everyone",))])
def test_every_competency_of_a_form_has_an_anchored_item(form, asked):
    wanted = COMPETENCIES.loc[COMPETENCIES["audience"].isin(asked), "competency_id"]
    anchored = of_form(form, ANCHORED[ANCHORED["scale"] == "descriptors"])
    assert sorted(anchored["competency_id"]) == sorted(wanted)


def test_every_group_has_the_anchored_items_that_a_reliability_needs():
    counts = of_form("long", ANCHORED)["group"].value_counts().reindex(GROUPS, fill_value=0)
    assert (counts >= 4).all(), counts.to_dict()


def test_an_item_names_its_competency_and_the_group_of_it():
    group = COMPETENCIES.set_index("competency_id")["group"]
    named = ITEMS[ITEMS["competency_id"] != ""]
    assert list(named["group"]) == list(named["competency_id"].map(group))
    unnamed = ITEMS[ITEMS["competency_id"] == ""]
    assert set(unnamed["type"]) == {"importance", "interest", "barrier", "climate"}
    assert sorted(ITEMS.loc[ITEMS["type"] == "importance", "group"]) == sorted(GROUPS)


def test_a_question_over_descriptors_opens_with_its_competencys_label():
    over = ANCHORED[ANCHORED["scale"] == "descriptors"].merge(COMPETENCIES, on="competency_id")
    for language in ("en", "uz"):
        opening = over[f"text_{language}"].str.partition(":")[0]
        assert list(opening) == list(over[f"label_{language}"])


def test_a_scale_has_one_choice_for_every_category_of_its_items():
    codes = CHOICES.groupby("scale")["code"].apply(lambda code: [int(value) for value in code])
    asked = ITEMS[ITEMS["scale"] != "descriptors"]
    assert set(asked["scale"]) == set(codes.index)
    for item in asked.itertuples():
        low = int(item.lowest)
        assert codes[item.scale] == list(range(low, low + int(item.n_categories))), item.item_id
    assert not CHOICES.duplicated(["scale", "text_en"]).any() and not CHOICES.duplicated(["scale", "text_uz"]).any()


def test_a_key_is_one_of_the_codes_and_not_always_the_same():
    cases = ITEMS[ITEMS["type"].isin(CASES)]
    assert list(cases["scale"]) == list(cases["item_id"]) and len(cases) == 6
    assert cases["key"].isin(["0", "1", "2", "3"]).all() and cases["key"].nunique() == 4
    assert (ITEMS.loc[~ITEMS["type"].isin(CASES), "key"] == "").all()


@pytest.mark.parametrize("language", ["en", "uz"])
def test_the_right_answer_does_not_stand_out_by_its_length(language):
    keyed = ITEMS[ITEMS["key"] != ""]
    length = CHOICES.set_index(["scale", "code"])[f"text_{language}"].str.len()
    for item in keyed.itertuples():
        options = length[item.scale]
        assert options.max() <= 1.6 * options.min(), item.item_id


def test_a_filter_points_to_an_earlier_item_of_the_same_form_and_to_codes_it_has():
    place = {item: number for number, item in enumerate(ITEMS["item_id"])}
    rows = ITEMS.set_index("item_id")
    filtered = ITEMS[ITEMS["filter_item"] != ""]
    assert 1 <= len(filtered) <= 3
    for item in filtered.itertuples():
        asked = rows.loc[item.filter_item]
        assert place[item.filter_item] < place[item.item_id]
        assert asked["form"] in ("both", item.form) and item.type != "anchored"
        codes = range(int(asked["lowest"]), int(asked["lowest"]) + int(asked["n_categories"]))
        assert set(item.filter_codes.split("|")) <= {str(code) for code in codes}
    assert (ITEMS.loc[ITEMS["filter_item"] == "", "filter_codes"] == "").all()


def own_texts():
    """What each competency and item says of itself in English, by (kind, id)."""
    tags = COMPETENCIES[["label_en", "definition_en", "unesco_domain", "unesco_attitudes", "digcomp_area"]]
    said = pd.concat([
        tags.agg(" ".join, axis=1).set_axis(COMPETENCIES["competency_id"]),
        DESCRIPTORS.set_index("competency_id")["text_en"],
        ITEMS.set_index("competency_id")["text_en"],
    ])  # fmt: skip
    by_competency = said.groupby(level=0).agg(" ".join).str.replace("_", " ")
    by_item = ITEMS.set_index("item_id")["text_en"]
    return pd.concat({"competency": by_competency, "item": by_item})


def uncovered(coverage):
    """Rows of the coverage table whose target does not exist, or says no word that begins with the stem."""
    texts = own_texts()
    silent = [
        re.search(rf"\b{re.escape(row.word)}", texts.get((row.kind, row.id), ""), re.IGNORECASE) is None
        for row in coverage.itertuples()
    ]
    return coverage[silent]


def test_every_phrase_is_covered():
    assert set(COVERAGE["phrase"]) == set(PHRASES)


def test_what_covers_a_phrase_speaks_of_it():
    assert (COVERAGE["word"].str.len() >= 2).all()
    missing = uncovered(COVERAGE)
    assert missing.empty, missing.to_string()


def test_a_target_that_does_not_speak_of_a_phrase_is_found():
    assert len(uncovered(COVERAGE.head(3).assign(word="zebra"))) == 3
    assert len(uncovered(COVERAGE.head(2).assign(id="nobody"))) == 2


def test_a_phrase_is_covered_by_a_competency_or_by_what_an_agency_is_like():
    types = ITEMS.set_index("item_id")["type"]
    targets = COVERAGE.loc[COVERAGE["kind"] == "item", "id"]
    assert set(targets.map(types)) <= {"climate", "barrier"}
    assert set(COVERAGE["kind"]) == {"competency", "item"}


def test_requirements_are_complete_and_in_half_levels():
    required = COMMON["requirements"]
    assert len(required) == 10 * 3 * len(CORE) and set(required["competency_id"]) == set(CORE["competency_id"])
    assert not required.duplicated(["role_id", "role_level", "competency_id"]).any()
    level = required["required_level"].astype(float)
    assert ((level * 2) % 1 == 0).all()
    asked = required[level > 1].groupby("competency_id")["role_id"].nunique()
    specialist = CORE.loc[CORE["audience"] == "specialist", "competency_id"]
    assert (asked[specialist] < 10).all() and (asked[specialist] > 0).all()


def test_every_competency_is_moved_by_two_courses_and_courses_build_on_each_other():
    courses, effects = COMMON["courses"].set_index("course_id"), COMMON["course_effects"]
    assert set(courses["tier"]) == set(TIERS) and set(effects["course_id"]) == set(courses.index)
    assert (effects.groupby("competency_id").size()[list(CORE["competency_id"])] >= 2).all()
    assert set(effects["competency_id"]) <= set(CORE["competency_id"])
    assert effects["gain"].astype(float).between(0.2, 1.2).all()
    before = courses["prerequisites"].map(lambda ids: [name for name in ids.split("|") if name])
    done = set()
    for _ in courses.index:  # a course is open once those before it are; a circle never opens
        done |= {course for course in courses.index if set(before[course]) <= done}
    assert done == set(courses.index)
