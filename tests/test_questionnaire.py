"""The questionnaire: a form that tools accept, prints well, and whose exported answers come back as they were given."""

import copy
import html
import re
import shutil
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REPO, contents
from openpyxl import load_workbook

from skillsgap.errors import ParamsError, StudyError
from skillsgap.publish.paper import paper
from skillsgap.run.questionnaire import read_form, register_columns, verdict, write_questionnaire
from skillsgap.study.loading import load_tables
from skillsgap.study.params import DEFAULTS, merge, read_params
from skillsgap.study.questionnaire.exported import TOOLS, answers_block
from skillsgap.study.questionnaire.form import build_form
from skillsgap.study.questionnaire.xlsform import sheets, xlsform
from skillsgap.study.records import read_study

FRAMEWORK = ("competencies", "descriptors", "items", "choices", "form_texts")
ABOUT = ["agency_id", "role_id", "role_level", "grade", "sex", "age_band"]
CODES = {"role_id": ["clerk", "analyst"], "role_level": ["staff", "lead"], "grade": ["G1", "G2"],
         "sex": ["female", "male"], "age_band": ["under 30", "30 and over"]}  # fmt: skip
HELD = ["staff_id", *ABOUT]  # columns of the register
NASTY = '<script>alert("1")</script> & \'x\''


def labels(languages=("en", "uz")):
    return {column: {code: {lang: f"{code} in {lang}" for lang in languages} for code in codes}
            for column, codes in CODES.items()}  # fmt: skip


VALUES = {
    "unit": "tiny-land", "title": {"en": "Tiny"}, "fictional": True, "status": "cleared", "report_languages": ["en"],
    "study": {"population": {"en": "staff"}, "years": "2026"}, "labels": labels(),
    "data": {
        **{table: {"file": f"../framework/{table}.csv"} for table in FRAMEWORK},
        "agencies": {"file": "../agencies.csv"}, "register": {"file": "../register.csv"},
        "responses": {"file": "../responses.csv", "respondents": {"status": {"in": ["complete"]}}},
    },
    "design": {"calibrate": ["agency_id", "sex"]},
    "questionnaire": {
        "languages": ["en", "uz"], "about": ABOUT,
        "consent": {"office": {"en": "Tiny Office", "uz": "Kichik idora"}, "contact": "survey@tiny.example",
                    "retention_months": 18},
    },
}  # fmt: skip
VALUES["data"]["items"]["population"] = {"form": {"in": ["both", "long"]}}


@dataclass(frozen=True)
class Land:
    """A project folder with one unit, its form, and answers to it, whoever gave them."""

    root: Path
    params: object
    tables: dict
    form: object
    answers: pd.DataFrame

    def built(self, change=None, **questionnaire):
        """The form after a change of its tables, which gets copies of them, and of what params ask for."""
        tables = copy.deepcopy(self.tables)
        if change:
            change(tables)
        values = merge(self.params.values, {"questionnaire": questionnaire})
        return build_form(replace(self.params, values=values), tables)


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    root = tmp_path_factory.mktemp("land")
    (root / "params").mkdir()
    shutil.copy(REPO / "params" / DEFAULTS, root / "params" / DEFAULTS)
    shutil.copytree(REPO / "data" / "framework", root / "framework")
    (root / "params" / "tiny-land.yaml").write_text(yaml.safe_dump(VALUES, allow_unicode=True, sort_keys=False))
    agencies = ["tax", "health", "roads"]
    named = {f"label_{lang}": [f"{code} office ({lang})" for code in agencies] for lang in ("en", "uz")}
    pd.DataFrame({"agency_id": agencies, **named}).to_csv(root / "agencies.csv", index=False)
    rng = np.random.default_rng(20260301)
    people = {"agency_id": agencies, **CODES}
    register = pd.DataFrame({column: rng.choice(codes, 400) for column, codes in people.items()})
    register.insert(0, "staff_id", [f"S{number:04}" for number in range(400)])
    register.to_csv(root / "register.csv", index=False)
    form, params, tables = read_form("tiny-land", root=root)
    answers = register.sample(120, random_state=1).join(given(root, rng)).assign(status="complete", date="2026-03-24")
    answers.to_csv(root / "responses.csv", index=False)
    return Land(root, params, tables, form, answers.astype(str).replace("nan", "").reset_index(drop=True))


def given(root, rng):
    """Answers to every item, one in twenty left out, and those that a filter says are not asked."""
    items = pd.read_csv(root / "framework" / "items.csv", dtype=str, keep_default_na=False)
    items = items[items["form"].isin(["both", "long"])]
    columns = {}
    for item in items.itertuples():
        lowest = int(item.lowest)
        codes = rng.integers(lowest, lowest + int(item.n_categories), 400).astype(str)
        columns[item.item_id] = np.where(rng.random(400) < 0.05, "", codes)
    for item in items[items["filter_item"] != ""].itertuples():
        skipped = np.isin(columns[item.filter_item], item.filter_codes.split("|"))
        columns[item.item_id] = np.where(skipped, "", columns[item.item_id])
    return pd.DataFrame(columns)


# --- the workbook --------------------------------------------------------------------------------------------------


def test_pyxform_accepts_the_workbook_without_a_remark(land):
    from pyxform.xls2xform import convert

    warnings = []
    made = convert(BytesIO(xlsform(land.form)), warnings=warnings, file_type=".xlsx")
    assert warnings == [] and 'version="' in made.xform and "<h:title>Skills for" in made.xform


@pytest.mark.skipif(not shutil.which("java"), reason="ODK Validate needs Java")
@pytest.mark.parametrize("kind", ["short", "long"])
def test_odk_validate_accepts_it_too(land, tmp_path, kind):
    (tmp_path / "form.xlsx").write_bytes(xlsform(land.built(form=kind)))
    assert verdict(tmp_path / "form.xlsx") == "accepted by pyxform and ODK Validate"


def test_a_workbook_that_is_none_is_refused_with_the_reason(land, tmp_path):
    book = load_workbook(BytesIO(xlsform(land.form)))
    book["survey"]["A20"] = "select_one nowhere"
    book.save(tmp_path / "form.xlsx")
    assert verdict(tmp_path / "form.xlsx").startswith("refused by pyxform") and "nowhere" in verdict(
        tmp_path / "form.xlsx")  # fmt: skip


def test_the_same_form_has_the_same_bytes_and_another_one_another_version(land):
    def shuffle(tables):
        for name in ("descriptors", "choices", "form_texts"):
            tables[name].frame = tables[name].frame.sample(frac=1, random_state=3)

    assert xlsform(land.built(shuffle)) == xlsform(land.form)
    version = sheets(land.form)["settings"][0]["version"]
    assert re.fullmatch(r"\d{10}", version) and version != sheets(land.built(form="short"))["settings"][0]["version"]


def test_consent_comes_first_and_no_ends_the_form(land):
    survey = sheets(land.form)["survey"]
    names = [row.get("name") for row in survey]
    assert [row["type"] for row in survey[:3]] == ["start", "end", "today"] and "deviceid" not in names
    said = " ".join(row["label::English (en)"] for row in survey if row.get("name", "").startswith("consent_"))
    assert all(text in said for text in ("Tiny Office", "survey@tiny.example", "18 months", "at least 10 people"))
    assert "{" not in said
    depth, outermost = 0, []
    for row in survey[names.index("consent") + 2 :]:
        outermost += [row.get("relevant")] if depth == 0 else []
        depth += (row["type"] == "begin_group") - (row["type"] == "end_group")
    assert outermost[0] == "${consent} = 'no'" and set(outermost[1:]) == {"${consent} = 'yes'"}


def test_long_form_has_seventy_items_and_the_short_one_twenty_five(land):
    def asked(form):
        return [question.name for section in form.sections[1:] for question in section.questions]

    assert len(asked(land.form)) == 70 and len(asked(land.built(form="short"))) == 25
    assert 15 <= land.form.minutes <= 25 and land.built(form="short").minutes < 10
    with_web3 = land.built(lambda t: t.update(items=_unfiltered(land)), optional=["web3"])
    assert set(asked(with_web3)) - set(asked(land.form)) == {"WB01"}


def _unfiltered(land):
    values = copy.deepcopy(land.params.values)
    del values["data"]["items"]["population"]
    values["data"] = {name: values["data"][name] for name in ("competencies", "items")}
    return load_tables(replace(land.params, values=values), None)[0]["items"]


@pytest.mark.parametrize("codes, names", [
    (["<35", "35+"], ["under_35", "from_35"]), (["<=2", ">2"], ["up_to_2", "over_2"]),
    (["under 30", "30–39", "G1"], ["under_30", "30-39", "G1"]),
    (["35", "<35 лет", "35 лет+"], ["code_1", "code_2", "code_3"]), (["a b", "a_b"], ["code_1", "code_2"]),
    (["5%", "50"], ["code_1", "code_2"]), (["prefer_not_to_say", "x"], ["code_1", "code_2"]),
])  # fmt: skip
def test_names_of_answers_say_their_codes_or_nothing(land, codes, names):
    named = {"age_band": {code: {"en": code, "uz": code} for code in codes}}
    values = {**land.params.values, "labels": {**land.params.values["labels"], **named}}
    form = build_form(replace(land.params, values=values), copy.deepcopy(land.tables))
    assert [(choice.name, choice.code) for choice in form.lists["age_band"][:-1]] == [*zip(names, codes, strict=True)]


def test_the_number_of_a_sheet_is_asked_on_paper_only_and_is_not_loaded(land):
    row = next(row for row in sheets(land.form)["survey"] if row.get("name") == "sheet_number")
    assert row["type"] == "text" and row["relevant"] == "${mode} = 'paper'" and "required" not in row
    assert "sheet_number:" not in answers_block(land.form, land.params, land.tables["items"].frame)


def test_a_form_without_english_needs_no_english_of_its_own(land):
    said = {"title": {"uz": "Kichik"}, "consent": {"office": {"uz": "Kichik idora"}}, "languages": ["uz"]}
    values = copy.deepcopy(land.params.values)
    values["questionnaire"]["consent"]["office"] = {}
    form = build_form(replace(land.params, values=merge(values, {"questionnaire": said})), copy.deepcopy(land.tables))
    assert form.title == {"uz": "Kichik"} and "answer_language" not in paper(form, "uz")
    path = land.root / "params" / "only-uz.yaml"
    data = yaml.safe_load((land.root / "params" / "tiny-land.yaml").read_text("utf-8"))
    data["questionnaire"] |= {**said, "consent": {**VALUES["questionnaire"]["consent"], **said["consent"]}}
    path.write_text(yaml.safe_dump({**data, "unit": "only-uz"}, allow_unicode=True), encoding="utf-8")
    assert read_params(path).values["questionnaire"]["title"] == {"uz": "Kichik"}
    path.unlink()


def test_a_language_is_a_column_of_texts(land):
    def add(tables):
        for name in (*FRAMEWORK, "agencies"):
            frame = tables[name].frame
            stem = "text" if "text_uz" in frame else "label"
            frame[f"{stem}_xx"] = frame[f"{stem}_uz"]

    values = merge(land.params.values, {
        "labels": labels(("en", "xx")),
        "questionnaire": {"languages": ["xx", "en"], "consent": {"office": {"xx": "Xo"}}},
    })  # fmt: skip
    tables = copy.deepcopy(land.tables)
    add(tables)
    form = build_form(replace(land.params, values=values), tables)
    survey = sheets(form)["survey"]
    assert {row["label::xx (xx)"] == "" for row in survey if "label::English (en)" in row} == {False}
    assert sheets(form)["settings"][0]["default_language"] == "xx (xx)"
    assert '<html lang="xx">' in paper(form, "xx") and "Xo " in paper(form, "xx")


def test_one_language_is_not_asked_for(land):
    form = land.built(languages=["en"])
    assert not [row for row in sheets(form)["survey"] if row.get("name") == "answer_language"]
    block = yaml.safe_load(answers_block(form, land.params, land.tables["items"].frame))
    assert block["data"]["responses"]["constants"] == {"answer_language": "en"}


# --- the round trip ------------------------------------------------------------------------------------------------


def export(land, tool):
    """Answers as a tool would export them, with columns of its own, and three people who said no."""
    book, between = sheets(land.form), TOOLS[tool][1]
    names = {row["name"]: row for row in book["survey"] if "name" in row}
    answers = land.answers.replace({"age_band": {"under 30": "under_30", "30 and over": "30_and_over"}})
    answers = answers.assign(consent="yes", mode="web", answer_language="uz", today="2026-03-24")
    answers.loc[:9, "sex"] = "prefer_not_to_say"
    refused = pd.DataFrame({"consent": ["no"] * 3, "date": "2026-03-24"}).reindex(columns=answers.columns)
    rows = pd.concat([answers[:50], refused, answers[50:]], ignore_index=True).fillna("")
    columns, stack = {}, []
    for row in book["survey"]:
        if row["type"] == "begin_group":
            stack.append(row["name"])
        elif row["type"] == "end_group":
            stack.pop()
        else:
            heading = between.join([*stack, row["name"]]) if between else row["name"]
            columns[heading] = rows[row["name"]] if row["name"] in rows else ""
    _offered(rows, book, names)
    ids = [f"uuid:{number:05}" for number in range(len(rows))]
    own = {"odk-central": {"meta-instanceID": ids, "KEY": ids, "SubmitterID": "4", "Status": "", "FormVersion": "1"},
           "kobotoolbox": {"_id": ids, "_uuid": ids, "_submission_time": "2026-03-24T10:00:00", "_status": "submitted",
                           "__version__": "v1", "_index": range(1, len(rows) + 1)},
           "surveycto": {"KEY": ids, "instanceID": ids, "formdef_version": "1"}}[tool]  # fmt: skip
    first = {} if tool == "kobotoolbox" else {"SubmissionDate": "2026-03-24T10:00:00.000Z"}
    frame = pd.DataFrame({**first, **columns, **own})
    if tool == "surveycto":
        frame["today"] = "Mar 24, 2026"
    return frame.to_csv(index=False, sep=";" if tool == "kobotoolbox" else ",")


def _offered(rows, book, names):
    """Each answer is one the form offers, and stands where its rules ask for it."""
    offered = pd.DataFrame(book["choices"]).groupby("list_name")["name"].agg(set)
    for name, row in names.items():
        if name not in rows or not row["type"].startswith("select_one"):
            continue
        answered = rows[rows[name] != ""]
        assert set(answered[name]) <= offered[row["type"].split()[1]], name
        for before, code in re.findall(r"\$\{(\w+)\} != '(\w+)'", row.get("relevant", "")):
            assert (answered[before] != code).all(), name


@pytest.mark.parametrize("tool", TOOLS)
def test_exported_answers_come_back_item_by_item_and_find_their_register(land, tmp_path, tool):
    shutil.copytree(land.root, tmp_path / "land")
    path = tmp_path / "land" / "params" / "tiny-land.yaml"
    save(tmp_path / "land", export(land, tool))
    block = yaml.safe_load(answers_block(land.form, land.params, land.tables["items"].frame, tool=tool, register=HELD))
    path.write_text(yaml.safe_dump(instead(VALUES, block), allow_unicode=True), encoding="utf-8")
    params = read_params(path)
    back, direct = read_study(params), read_study(land.params)
    assert params.values["design"]["calibrate"] == ["agency_id"]  # ten people kept their sex to themselves
    items = direct.items["item_id"].tolist()
    assert back.items["item_id"].tolist() == items and len(items) == 70
    frame = load_tables(params, None)[0]["responses"].frame
    frame = frame[frame["answered"]].reset_index(drop=True)
    told = land.answers[items].apply(pd.to_numeric).reset_index(drop=True)
    importance = [name for name in items if name.startswith("IP")]  # whose codes begin with 1, and stay
    pd.testing.assert_frame_equal(frame[items], told, check_dtype=False)
    assert frame[importance].min(axis=None) == 1
    for column in ABOUT:
        assert frame[column].tolist()[10:] == land.answers[column].tolist()[10:], column
    assert frame["sex"][:10].isna().all() and set(frame["date"]) == {"2026-03-24"}
    assert set(frame["answer_language"]) == {"uz"} and set(frame["mode"]) == {"web"}
    assert set(frame["status"]) == {"partial"}
    assert block["data"]["responses"]["invited"] == "unknown" and "invited" not in set(back.facts["name"])
    cells = [column for column in ABOUT if column != "sex"]
    one, other = (study.responses[[*cells, *items]].sort_values([*items, *cells], ignore_index=True)
                  for study in (back, direct))  # fmt: skip
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_a_unit_that_names_no_margins_is_weighted_by_what_everybody_tells(land, tmp_path):
    shutil.copytree(land.root, tmp_path / "land")
    path = tmp_path / "land" / "params" / "tiny-land.yaml"
    values = {key: value for key, value in VALUES.items() if key != "design"}
    path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
    write_questionnaire("tiny-land", root=tmp_path / "land")
    block = (tmp_path / "land" / "questionnaires" / "tiny-land" / "long" / "answers.yaml").read_text("utf-8")
    told = yaml.safe_load(block)
    assert told["design"] == {"calibrate": ["agency_id", "role_id", "role_level", "grade"]}
    assert told["data"]["responses"]["file"] == "../data/tiny-land/answers.csv"
    assert "# how many people were asked" in block and "'Yes, I take part'" in block
    save(tmp_path / "land", export(land, "odk-central"))
    path.write_text(yaml.safe_dump(instead(values, told), allow_unicode=True), encoding="utf-8")
    assert read_study(read_params(path)).responses["grade"].notna().all()


def test_only_what_the_register_holds_is_a_margin(land, tmp_path):
    table = pd.read_csv(land.root / "register.csv").drop(columns=["role_level"]).rename(columns={"grade": "Grade"})
    table.rename(columns={"role_id": "Job"}).to_csv(tmp_path / "register.csv", index=False)
    register = {"file": str(tmp_path / "register.csv"), "columns": {"role_id": "Job"}}

    def held(data):
        return register_columns(replace(land.params, values={**land.params.values, "data": data}))

    assert [name for name in ABOUT if name in held({"register": register})] == [
        "agency_id", "role_id", "grade", "sex", "age_band"]  # fmt: skip
    assert held({"register": {"rows": [{"agency_id": "tax", "headcount": 5}]}}) == ("headcount", "agency_id")
    assert held({}) == () and set(ABOUT) < set(held({"register": {"file": "not-there-yet.csv"}}))


def test_a_submission_that_was_exported_twice_is_seen(land, tmp_path):
    shutil.copytree(land.root, tmp_path / "land")
    lines = export(land, "odk-central").splitlines(keepends=True)
    save(tmp_path / "land", "".join([*lines, lines[1]]))
    path = tmp_path / "land" / "params" / "tiny-land.yaml"
    block = yaml.safe_load(answers_block(land.form, land.params, land.tables["items"].frame, register=HELD))
    path.write_text(yaml.safe_dump(instead(VALUES, block), allow_unicode=True), encoding="utf-8")
    with pytest.raises(StudyError, match=r"lines 2, 125 hold the same \d+ answers"):
        read_study(read_params(path))


def instead(values, block):
    """Params with the block in the place of their items and responses."""
    values = copy.deepcopy(values)
    del values["data"]["items"], values["data"]["responses"]
    return merge(values, block)


def save(root, answers):
    """Where the block looks for answers."""
    (root / "data" / "tiny-land").mkdir(parents=True)
    (root / "data" / "tiny-land" / "answers.csv").write_text(answers, encoding="utf-8")


def test_the_block_says_which_items_where_the_form_column_does_not(land):
    form = land.built(lambda t: t.update(items=_unfiltered(land)), form="short", optional=["web3"])
    frame = _unfiltered(land).frame
    two = pd.concat([frame, frame[frame["item_id"] == "WB01"].assign(item_id="WB02")])
    block = yaml.safe_load(answers_block(form, land.params, two))["data"]["items"]["population"]
    assert set(block) == {"item_id"} and len(block["item_id"]["in"]) == 26


# --- on paper ------------------------------------------------------------------------------------------------------


def visible(page):
    page = re.sub(r"(?s)<(style|head)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<[^>]*>", " ", page)))


@pytest.mark.parametrize("lang", ["en", "uz"])
def test_the_paper_form_asks_everything_in_order_and_loads_nothing(land, lang):
    page = paper(land.form, lang)
    text, at = visible(page), 0
    for question in land.form.questions():
        at = text.index(question.texts[lang], at)
    numbers = re.findall(r'class="no">(\d+)<', page)
    assert numbers == [str(number) for number in range(1, len(land.form.questions()) + 1)]
    for choices in land.form.lists.values():
        assert all(choice.texts[lang] in text for choice in choices)
    assert "default-src 'none'" in page and not re.search(r"<script|src=|href=|url\(", page)
    assert text.index(land.form.say["consent_question"][lang]) < text.index(land.form.questions()[0].texts[lang])
    assert "{" not in text


def test_paper_says_in_words_what_to_leave_out(land):
    numbers = {question.name: number for number, question in enumerate(land.form.questions(), start=1)}
    text = visible(paper(land.form, "en"))
    for question in land.form.questions():
        for before, _ in question.skips:
            left, gone_on = f"to question {numbers[before]}.", f"go on with question {numbers[question.name] + 1}."
            assert left in text or gone_on in text
    assert [question for question in land.form.questions() if question.skips]


def test_a_text_on_paper_is_text_and_only_a_fictional_country_says_so(land):
    def spoil(tables):
        tables["items"].frame.loc[tables["items"].frame["item_id"] == "CM01", "text_en"] = NASTY

    assert NASTY in visible(paper(land.built(spoil), "en")) and "<script" not in paper(land.built(spoil), "en")
    real = replace(land.form, fictional=False)
    assert "Fictional" in paper(land.form, "en") and "Fictional" not in paper(real, "en")


# --- the verb ------------------------------------------------------------------------------------------------------


def test_the_verb_writes_the_same_files_twice(land):
    made = write_questionnaire("tiny-land", root=land.root)
    folder = land.root / "questionnaires" / "tiny-land" / "long"
    before = contents(folder)
    assert set(before) == {"tiny-land.xlsx", "paper.en.html", "paper.uz.html", "answers.yaml"}
    assert made.questions == 76 and made.verdict.startswith("accepted by pyxform")
    (folder / "paper.ru.html").write_text("of a language that was taken out")
    write_questionnaire("tiny-land", root=land.root)
    assert contents(folder) == before


def test_the_verb_says_how_to_export_and_paper_which_form_it_is(land):
    made = write_questionnaire("tiny-land", root=land.root)
    assert made.export == "Export from ODK Central: all submissions as CSV, with Remove group names off."
    version = sheets(land.form)["settings"][0]["version"]
    assert f"tiny_land_long · uz · {version}" in visible(paper(land.form, "uz"))
    assert "answer_language = uz · mode = paper" in visible(paper(land.form, "uz"))


def test_small_codes_stand_at_all_answers_of_a_question_or_at_none(land):
    for block in re.findall(r"(?s)<ul class=\"beside.*?</ul>", paper(land.form, "en")):
        assert block.count("<sub>") in (0, block.count("<li>"))


def test_a_unit_that_asks_for_no_form_is_told_so(land, tmp_path):
    shutil.copytree(land.root, tmp_path / "land")
    values = {key: value for key, value in VALUES.items() if key != "questionnaire"}
    (tmp_path / "land" / "params" / "tiny-land.yaml").write_text(yaml.safe_dump(values, allow_unicode=True))
    with pytest.raises(ParamsError, match="has no key questionnaire: add it"):
        write_questionnaire("tiny-land", root=tmp_path / "land")
    with pytest.raises(ParamsError, match="there is no params/nowhere.yaml"):
        write_questionnaire("nowhere", root=land.root)


# --- bad input -----------------------------------------------------------------------------------------------------


def put(table, column, value, **where):
    """Change a table where its columns have some values."""

    def change(tables):
        frame = tables[table].frame
        rows = np.logical_and.reduce([frame[name].astype(str) == str(wanted) for name, wanted in where.items()])
        frame[column] = frame[column].astype(object).mask(rows, value)

    return change


def drop(table, **where):
    def change(tables):
        frame = tables[table].frame
        rows = np.logical_and.reduce([frame[name].astype(str) == str(wanted) for name, wanted in where.items()])
        tables[table].frame = frame[~rows]

    return change


BAD = {
    "competency": (put("items", "competency_id", "alchemy", item_id="DL01"), "'alchemy' is not in competencies.csv"),
    "no competency": (put("items", "competency_id", None, item_id="DL01"), "item DL01 belongs to no competency"),
    "level": (drop("descriptors", competency_id="cloud", level=3), "asks for cloud, which has no descriptor of 3: "
              "describe each level from 0 to 4"),
    "empty level": (put("descriptors", "text_en", "", competency_id="cloud", level=2), "no descriptor of 2"),
    "scale": (drop("choices", scale="barrier"), "BA01 has the scale 'barrier', which has no choices in choices.csv"),
    "codes": (put("items", "lowest", 1, item_id="CM01"), "codes of CM01 go from 1 to 5, and those of its scale agree"),
    "key": (put("items", "key", "7", item_id="KN01"), "the key '7' of KN01 is none of its codes 0, 1, 2, 3"),
    "filter outside": (put("items", "filter_item", "TE01", item_id="JU01"), "left out by TE01, which the form does"),
    "filter behind": (put("items", "filter_item", "CM01", item_id="JU01"), "left out by CM01, which the form does not"),
    "filter codes": (put("items", "filter_codes", "9", item_id="JU01"), "left out at '9' of UG01, which are not among"),
    "type": (put("items", "type", "supervisor", item_id="CM01"), "CM01 is of the type supervisor, which a form can't"),
    "name": (put("items", "item_id", "1 st", item_id="CM01"), "a form can't have a question called '1 st'"),
    "twice": (put("items", "item_id", "dl01", item_id="CM01"), "the questions 'DL01' and 'dl01' have one name"),
    "ours": (put("items", "item_id", "consent", item_id="CM01"), "the questions 'consent' and 'consent' have one name"),
    "phrase": (drop("form_texts", text_id="thanks"), "there is no text thanks, which the form needs"),
    "text": (put("items", "text_uz", None, item_id="CM01"), "asked in uz, and the text is empty: take uz out of "
             "questionnaire.languages, or add 1 texts, from CM01 on"),
    "place misspelt": (put("form_texts", "text_uz", "Savollar: {contаct}", text_id="consent_contact"), "text_uz: "
                       "consent_contact has the place '{contаct}', which its text_en does not have: write its places"),
    "place lost": (put("form_texts", "text_uz", "Bir necha daqiqa.", text_id="consent_purpose"),
                   "consent_purpose lacks the place '{minutes}', which its text_en has"),
    "place unknown": (put("form_texts", "text_en", "About {minuts} minutes.", text_id="consent_purpose"), "a form has "
                      "nothing to put in the place '{minuts}' of consent_purpose: write one of {contact}, {minutes}"),
    "brace": (put("form_texts", "text_uz", "Bir {minutes daqiqa {office}", text_id="consent_purpose"),
              "consent_purpose has the place '{'"),
    "brace in item": (put("items", "text_uz", "Men ${DL01} bilaman", item_id="CM01"),
                      "column text_uz: the text has '{DL01}', and only form_texts have places"),
    "brace in answer": (put("choices", "text_en", "Never}", scale="often", code=0), "the text has '}'"),
    "brace in level": (put("descriptors", "text_en", "I {do}", competency_id="cloud", level=2), "the text has '{do}'"),
}  # fmt: skip


@pytest.mark.parametrize("change, said", BAD.values(), ids=BAD)
def test_what_can_not_be_asked_is_named_with_its_remedy(land, change, said):
    with pytest.raises(StudyError) as caught:
        land.built(change)
    assert said in str(caught.value)


def test_everything_is_named_at_once(land):
    def spoil(tables):
        for change, _ in (BAD["scale"], BAD["level"], BAD["key"]):
            change(tables)

    with pytest.raises(StudyError) as caught:
        land.built(spoil, languages=["en", "fr"], about=["agency_id", "region", "staff_id"], optional=["alchemy"])
    said = str(caught.value)
    for part in ("has no choices", "no descriptor of 3", "the key '7'", "asked in fr, and there is no column text_fr",
                 "asked in fr, and there is no column label_fr", "consent.office has no text in fr",
                 "names region, whose codes have no names: name each code in labels.region",
                 "names staff_id, which a form can't ask: name some of", "optional names alchemy"):  # fmt: skip
        assert part in said, part
    levels = r"(?m)^descriptors.csv, column text_fr: .* add 134 texts, from digital_literacy 0 on$"
    assert len(re.findall(levels, said)) == 1


def test_a_table_that_is_not_declared_is_asked_for(land):
    with pytest.raises(StudyError, match=r"a questionnaire needs data.choices: declare it"):
        land.built(lambda tables: tables.pop("choices"))
