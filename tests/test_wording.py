"""Every message the package can say has its Uzbek words, and a number reads the same in each language."""

import ast
import csv
import json
import re
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
import yaml
from babel.messages.pofile import read_po
from babel.numbers import parse_decimal
from hypothesis import given
from hypothesis import strategies as st

from skillsgap.run.terms import bare
from skillsgap.wording import HIGH_SHARE, LOCALES, LOW_SHARE, MINUS, Words

REPO = Path(__file__).parents[1]
PACKAGE = REPO / "skillsgap"
SPEAKERS = {"words", "N_"}  # calls of these names and attributes say a message; so does a Words itself: self(…)
SAID = re.compile(r"""\b(?:words|N_)\(\s*(["'])(.+?)\1""", re.DOTALL)
TOLD = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)  # what is no text of a template
ANSWER = re.compile(r"\b\w+ = \w*")  # a column and its code, for whoever types a paper form in
# oʻ and gʻ take U+02BB and nothing else does; tutuq is U+02BC; no other mark stands for either
WRONG_MARK = re.compile(r"['`´‘’ʹ]|(?<![oOgG])ʻ|(?<=[oOgG])ʼ")
# what messages keep beyond the glossary, which lets tables say some of these in a second way: the English word as a
# pattern, the stem its Uzbek message must hold
FIELD_WORDS = {r"agenc(y|ies)": "idora", r"levels?": "daraja", r"points": "ball", r"register": "kadrlar reyestri",
               r"requires?|required": "talab", r"shares?": "ulush", r"unit": "birlik"}  # fmt: skip
POWERS = {"million": 1e6, "billion": 1e9, "milliard": 1e9, "trillion": 1e12}


@cache
def messages():
    """Every message, with the file that says it."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for argument in first_arguments(path):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found[argument.value] = path.name
    for path in sorted(PACKAGE.rglob("*.j2")):
        found |= {message: path.name for _, message in SAID.findall(path.read_text(encoding="utf-8"))}
    return found


def first_arguments(path):
    """What is said in a Python file: the first argument of each such call, both of them of `a if b else c`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in SPEAKERS or (name == "self" and path.name == "wording.py"):
                first = node.args[0]
                yield from (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)


@cache
def translations():
    with (LOCALES / "uz" / "LC_MESSAGES" / "skillsgap.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale="uz", abort_invalid=True) if m.id}


def places(text):
    """Each place with its conversion."""
    return sorted((name, how or "") for _, name, _, how in Formatter().parse(text) if name is not None)


def each(check):
    """The messages of the catalogue that fail a check, so that one run names all of them."""
    return {message: said for message, said in translations().items() if not check(message, said)}


def test_every_message_is_translated():
    assert len(messages()) > 100
    assert {m: where for m, where in messages().items() if not translations().get(m)} == {}


def test_no_translation_is_of_a_message_nobody_says():
    assert sorted(set(translations()) - set(messages())) == []


def test_messages_are_literals():
    """What is glued together before it is said can't be found in a catalogue."""
    glued = [f"{path.name}: {ast.unparse(argument)}" for path in PACKAGE.rglob("*.py")
             for argument in first_arguments(path) if isinstance(argument, (ast.JoinedStr, ast.BinOp))]  # fmt: skip
    assert glued == []


def test_templates_have_no_text_of_their_own():
    texts = {path.name: ANSWER.sub(" ", TOLD.sub(" ", path.read_text(encoding="utf-8")))
             for path in PACKAGE.rglob("*.j2")}  # fmt: skip
    assert len(texts) >= 3
    assert {name: re.findall(r"[^\W\d_]{2,}", text) for name, text in texts.items()} == dict.fromkeys(texts, [])


def test_the_catalogue_says_that_it_awaits_review():
    text = (LOCALES / "uz" / "LC_MESSAGES" / "skillsgap.po").read_text(encoding="utf-8")
    assert "awaits review by a native speaker" in text[: text.index("msgid")]
    assert "#, fuzzy" not in text


def test_places_are_the_same():
    assert each(lambda message, said: places(said) == places(message)) == {}


def test_numbers_inside_messages_are_the_same():
    assert each(lambda *both: len({tuple(sorted(re.findall(r"\d+", bare(text)))) for text in both}) == 1) == {}


def test_sentences_end_alike():
    assert each(lambda message, said: message.endswith(".") == said.endswith(".") and said == said.strip()) == {}


def test_no_line_begins_with_a_dash():
    assert each(lambda _, said: not re.search(" [–—]", said)) == {}


@pytest.mark.parametrize("text", ["maʻlumot", "ma'lumot", "ma’lumot", "oʼrin", "o‘rin", "gʼazna"])
def test_wrong_apostrophes_are_seen(text):
    assert WRONG_MARK.search(text)


@pytest.mark.parametrize("term", FIELD_WORDS)
def test_a_field_word_is_always_the_same(term):
    word = re.compile(rf"\b(?:{term})\b", re.IGNORECASE)
    assert each(lambda message, said: not word.search(bare(message)) or FIELD_WORDS[term] in said.lower()) == {}


TABLES = sorted(path for place in ("framework/*.csv", "synthetic/common/*.csv", "synthetic/*/agencies.csv")
                for path in (REPO / "data").glob(place))  # fmt: skip


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_texts_of_tables_have_their_uzbek(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert list(untranslated(rows)) == []


@pytest.mark.parametrize("path", sorted((REPO / "params").glob("[!_]*.yaml")), ids=lambda path: path.stem)
def test_texts_of_params_have_their_uzbek(path):
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "uz" not in values["report_languages"]:
        pytest.skip("has no Uzbek report")
    assert list(untranslated(values)) == []


def untranslated(value):
    """English texts without their Uzbek one; under `columns` stand names of columns and no texts."""
    if isinstance(value, list):
        for part in value:
            yield from untranslated(part)
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        if key != "columns":
            yield from untranslated(part)
        if isinstance(part, str) and part and re.fullmatch(r"(\w+_)?en", str(key)):
            if not str(value.get(re.sub("en$", "uz", str(key))) or "").strip():
                yield part


def test_an_untranslated_text_is_seen():
    rows = [{"label_en": "B", "label_uz": " "}, {"text_en": "C", "text_uz": "oʻn"}, {"columns": {"label_en": "D"}}]
    assert list(untranslated({"title": {"en": "A"}, "rows": rows})) == ["A", "B"]


LANGUAGE = st.sampled_from(["en", "uz"])
AMOUNT = st.floats(-1e9, 1e9)


def read(text, lang):
    """A written number, read by Babel's rules of the language; a true minus is the only one allowed."""
    assert "-" not in text
    return float(parse_decimal(text.removeprefix("+").replace(MINUS, "-"), locale=lang))


@given(lang=LANGUAGE, x=AMOUNT, digits=st.integers(0, 3))
def test_a_number_reads_back(lang, x, digits):
    assert read(Words(lang).number(x, digits), lang) == round(x, digits)


@given(lang=LANGUAGE, x=AMOUNT)
def test_a_difference_reads_back_and_shows_its_sign(lang, x):
    text = Words(lang).signed(x, 1)
    assert read(text, lang) == round(x, 1)
    assert text[0] == {1: "+", -1: MINUS}.get((round(x, 1) > 0) - (round(x, 1) < 0), "0")


@given(lang=LANGUAGE, x=st.floats(0, 1))
def test_a_percentage_reads_back(lang, x):
    text = Words(lang).percent(x)
    assert text.endswith("%")
    assert read(text[:-1], lang) == round(100 * round(x, 2))


@given(lang=LANGUAGE, x=st.floats(0, 1))
def test_a_share_tells_nothing_of_nobody_or_everybody(lang, x):
    words = Words(lang)
    if LOW_SHARE < x < HIGH_SHARE:
        assert words.share(x) == words.percent(x)
    else:
        limit, most = (LOW_SHARE, "under {share}") if x <= LOW_SHARE else (HIGH_SHARE, "over {share}")
        assert words.share(x) == words(most, share=words.percent(limit))


@given(lang=LANGUAGE, x=st.floats(0, 9e11))
def test_money_reads_back_to_its_last_digit(lang, x):
    amount, *power, currency = Words(lang, currency={"en": "solar", "uz": "solar"}).money(x).split(" ")
    unit = POWERS[power[0]] if power else 1
    assert currency == "solar"
    assert read(amount, lang) * unit == pytest.approx(x, abs=0.0501 * unit if power else 0.5)


LABELS = {
    ("agency_id", "A1"): {"en": "Tax office", "uz": "Soliq idorasi"},
    ("agency_id", "A2"): {"en": "Roads", "uz": "Yoʻllar"},
    ("agency_id", "A3"): {"en": "Schools"},
}
TYPED = [
    ({"kind": "number", "value": 20140}, "20,140", "20\N{NO-BREAK SPACE}140"),
    ({"kind": "number", "value": 1.337, "digits": 2}, "1.34", "1,34"),
    ({"kind": "signed", "value": -1.34, "digits": 1}, "−1.3", "−1,3"),
    ({"kind": "signed", "value": 0.04, "digits": 1}, "0.0", "0,0"),
    ({"kind": "percent", "value": 0.613}, "61%", "61%"),
    ({"kind": "share", "value": 0.613}, "61%", "61%"),
    ({"kind": "share", "value": LOW_SHARE}, "under 5%", "5% dan kam"),
    ({"kind": "share", "value": 0.99}, "over 95%", "95% dan koʻp"),
    ({"kind": "money", "value": 4_200_000}, "4.2 million solar", "4,2 million solar"),
    ({"kind": "money", "value": 1.5e9}, "1.5 billion solar", "1,5 milliard solar"),
    ({"kind": "text", "value": {"en": "staff", "uz": "xodimlar"}}, "staff", "xodimlar"),
    ({"kind": "label", "table": "agency_id", "value": "A1"}, "Tax office", "Soliq idorasi"),
    ({"kind": "label", "table": "agency_id", "value": "A3"}, "Schools", "Schools"),
    ({"kind": "label", "table": "agency_id", "value": "A9"}, "A9", "A9"),
    ({"kind": "label", "table": "tier", "value": "champion"}, "Champions", "Peshqadamlar"),
    ({"kind": "labels", "table": "agency_id", "value": ["A1", "A2"]},
     "Tax office and Roads", "Soliq idorasi va Yoʻllar"),
    ({"kind": "message", "value": "over 99%"}, "over 99%", "99% dan koʻp"),
    ({"kind": "message", "value": "strongest in {group}",
      "values": {"group": {"kind": "label", "table": "group", "value": "genai"}}},
     "strongest in Generative AI", "Generativ SI boʻyicha kuchli"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "english", "uzbek"), TYPED)
def test_typed_values_are_said(value, english, uzbek):
    for lang, expected in {"en": english, "uz": uzbek}.items():
        words = Words(lang, LABELS, {"en": "solar", "uz": "solar"})
        assert words.say("{share}", {"share": value}) == expected
        assert words.say("{share}", json.dumps({"share": value})) == expected


def test_an_unknown_message_stays_english():
    assert Words("uz")("{n} of nothing", n=3) == "3 of nothing"
    assert Words("uz").say("", {}) == ""
