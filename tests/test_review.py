"""The review sheet: each Uzbek text beside its English one, and corrections that load back and touch nothing else."""

import csv
import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from skillsgap.errors import SkillsgapError, StudyError
from skillsgap.run.review import load_review, write_review
from skillsgap.run.texts import CATALOGUE, FILES, GROUPS, READ, read_texts, replaced

REPO = Path(__file__).parents[1]
ENGLISH, UZBEK, CORRECTION, REMARK, CODE = 3, 4, 5, 6, 8  # columns of the workbook


SAID = ("Withheld", "Draft", "Contact", "line {line}", "Date", "Your answer", "Please send")
COURSES = "course_id,label_en,label_uz,hours\nB01,Digital footing,Raqamli asoslar,10\nB02,\"A, b\",\"Ha, yoʻq\",2\n"


@pytest.fixture
def project(tmp_path):
    """A project of a few texts: messages of one page, a table and a params file."""
    head, *entries = (REPO / CATALOGUE).read_text(encoding="utf-8").split("\n\n")
    entries = [entry for entry in entries if any(f'msgid "{message}"\n' in entry for message in SAID)]
    files = {CATALOGUE: "\n\n".join([head, *entries]) + "\n", "data/synthetic/common/courses.csv": COURSES}
    for name in ("skillsgap/publish/queries.py", "params/est-piaac.yaml"):
        files[name] = (REPO / name).read_text(encoding="utf-8")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def glossary(project):
    """The project with a term, and courses whose Uzbek has its word with a suffix, another word, or another term."""
    path = project / "data/framework/glossary.csv"
    path.parent.mkdir(parents=True)
    path.write_text("term_en,term_uz,also_uz,definition_en,definition_uz\ngap,tafovut,oraliq|boʻshliq,What lacks,Kam\n",
                    encoding="utf-8")  # fmt: skip
    names = [*((f"Gap no. {n}", f"{n}-tafovutlar") for n in range(12)), ("A gap here", "Bu yerda oraliq"),
             ("Gaps", "Farqlar, tafovut"), ("Gapless", "Tafovutsiz")]  # fmt: skip
    lines = [f"C{n:02},{en},\"{uz}\",1\n" for n, (en, uz) in enumerate(names)]
    (project / "data/synthetic/common/courses.csv").write_text(COURSES + "".join(lines), encoding="utf-8")
    return project


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*")
            if p.is_file() and "build" not in p.parts}  # fmt: skip


def corrected(root, change, name="back.xlsx"):
    """Write the sheet, put (column, value) pairs into rows found by their English text, and save it elsewhere."""
    book = load_workbook(write_review(root=root)[1])
    rows = {row[ENGLISH - 1].value: row for row in book.active.iter_rows() if row[CODE - 1].value}
    for english, cells in change.items():
        for column, value in cells.items():
            rows[english][column - 1].value = value
    path = root / name
    book.save(path)
    return path


def faults(root, change):
    before = contents(root)
    with pytest.raises(StudyError) as error:
        load_review(corrected(root, change), root=root)
    after = contents(root)
    del after["back.xlsx"]
    assert after == before
    return "\n".join(map(str, error.value.problems))


CHANGES = {
    "Withheld": {CORRECTION: "Eʼlon qilinmadi"},  # a message
    "Digital footing": {CORRECTION: "  Raqamli ko'nikmalar, asoslar "},  # a cell that needs quotes now
    "Writes programs": {CORRECTION: "Dastur tuzish", REMARK: "shorter"},  # a params file
}


def test_three_corrections_change_three_texts(project):
    before, texts = contents(project), read_texts(project)
    done = load_review(corrected(project, CHANGES), root=project)
    after, now = contents(project), read_texts(project)
    assert {(old.english, new.uzbek) for old, new in zip(texts, now, strict=True) if old.uzbek != new.uzbek} == {
        ("Withheld", "Eʼlon qilinmadi"), ("Digital footing", "Raqamli koʻnikmalar, asoslar"),
        ("Writes programs", "Dastur tuzish")}  # fmt: skip
    assert len(done.changes) == 3 and len(done.notes) == 2 and any("shorter" in note for note in done.notes)
    for name in before:  # one line of each file but the source
        old, new = before[name].splitlines(), after[name].splitlines()
        assert len(old) == len(new) and sum(a != b for a, b in zip(old, new, strict=True)) == (
            name != "skillsgap/publish/queries.py"), name  # fmt: skip
    book = load_workbook(write_review(root=project)[1])
    shown = {row[ENGLISH - 1]: row[UZBEK - 1] for row in book.active.iter_rows(values_only=True)}
    assert shown["Withheld"] == "Eʼlon qilinmadi"


def test_a_sheet_loaded_twice_changes_nothing_more(project):
    path = corrected(project, {"Withheld": {CORRECTION: "Eʼlon qilinmadi"}})
    assert len(load_review(path, root=project).changes) == 1
    assert load_review(path, root=project).changes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_in_any_order_saved_as_csv_load_too(project, delimiter):
    sheet = load_workbook(corrected(project, {"Withheld": {CORRECTION: "Eʼlon qilinmadi"}})).active
    rows = [["" if value is None else value for value in row] for row in sheet.iter_rows(values_only=True)]
    top = next(i for i, row in enumerate(rows) if str(row[CODE - 1]).startswith("Code"))
    out = io.StringIO(newline="")
    shuffled = sorted(rows[top + 1 :], key=lambda row: row[ENGLISH - 1])
    csv.writer(out, delimiter=delimiter).writerows(rows[: top + 1] + shuffled)
    (project / "back.csv").write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    assert [said for *_, said in load_review(project / "back.csv", root=project).changes] == ["Eʼlon qilinmadi"]


@pytest.mark.parametrize(("said", "fault"), [
    ("Текст кириллицада", "Cyrillic letters: Текст, кириллицада: write it in Latin letters"),
    ("R\u0430qamli asoslar", "Cyrillic letters: R\u0430qamli:"),  # drawn as the Latin a
    ("Your answer: programs", "English is left in it: answer, programs: write it in Uzbek"),
])  # fmt: skip
def test_a_correction_is_uzbek_in_latin_letters(project, said, fault):
    told = faults(project, {"Digital footing": {CORRECTION: said}})
    assert re.search(r"line \d+, column Correction", told) and fault in told and "\n" not in told


def test_a_name_may_stand_in_a_correction(project):
    path = corrected(project, {"Digital footing": {CORRECTION: "SI, ChatGPT va Excel asoslari"}})
    assert len(load_review(path, root=project).changes) == 1


@pytest.mark.parametrize("cells", [
    {UZBEK: "Raqamli poydevor"}, {UZBEK: "Raqamli poydevor", CORRECTION: "Raqamli tayanch"}, {UZBEK: None}
])  # fmt: skip
def test_an_edit_in_the_uzbek_column_is_not_lost(project, cells):
    told = faults(project, {"Digital footing": cells, "Withheld": {CORRECTION: "Eʼlon qilinmadi"}})
    assert re.search(r"line \d+, column Uzbek.*: the Uzbek was changed in its own column: move it to", told)
    assert "\n" not in told


@pytest.mark.parametrize("own", ["Raqamli poydevor", "Raqamli  asoslar ", None])
def test_an_edit_that_was_moved_is_taken(project, own):
    path = corrected(project, {"Digital footing": {UZBEK: own, CORRECTION: "Raqamli poydevor"}})
    assert [said for *_, said in load_review(path, root=project).changes] == ["Raqamli poydevor"]


def test_texts_that_still_use_an_old_word_of_the_glossary_are_listed(glossary):
    done = load_review(corrected(glossary, {"gap": {CORRECTION: "farq"}}), root=glossary)
    rows = load_workbook(glossary / "back.xlsx").active.iter_rows(values_only=True)
    still = [row[0] for row in rows if str(row[ENGLISH - 1]).startswith("Gap no.")]
    assert len(done.changes) == 1 and len(still) == 12
    assert done.notes == (f"gap: 12 texts still say 'tafovut', not 'farq', № {', '.join(map(str, still[:10]))} "
                          "and 2 more",)  # fmt: skip


def test_a_term_is_not_its_own_second_word(glossary):
    assert "also_uz has 'oraliq' for this term already" in faults(glossary, {"gap": {CORRECTION: "oraliq"}})


def test_every_fault_is_told_at_once_and_nothing_is_written(project):
    told = faults(project, {
        "Withheld": {CODE: "0123456789-abcd", CORRECTION: "Eʼlon qilinmadi"},
        "Draft": {CORRECTION: "   "},
        "Contact": {CORRECTION: "contact"},
        "line {line}": {CORRECTION: "{qator}-qator"},
        "Date": {CORRECTION: "Sana {date}"},
        "Your answer": {CORRECTION: "Javob {"},
        "Please send": {CORRECTION: "Yuboring"},
    })  # fmt: skip
    assert told.count("\n") == 5
    for part in ("no text with the code '0123456789-abcd'", "the correction is blank", "is the English text",
                 "as they are: {line}", "take the braces out"):  # fmt: skip
        assert part in told
    assert len(set(re.findall(r"line (\d+), column Correction", told))) == 6


def test_a_text_that_changed_meanwhile_is_told(project):
    path = corrected(project, {"Withheld": {CORRECTION: "Eʼlon qilinmadi"}, "Men": {CORRECTION: "Erkak"}})
    params, po = project / "params/est-piaac.yaml", project / CATALOGUE
    params.write_text(params.read_text(encoding="utf-8").replace("en: Men,", "en: Males,"), encoding="utf-8")
    po.write_text(po.read_text(encoding="utf-8").replace('"Eʼlon qilinmagan"', '"Berilmagan"'), encoding="utf-8")
    with pytest.raises(StudyError) as error:
        load_review(path, root=project)
    assert "the English text has changed" in str(error.value) and "it is now 'Berilmagan'" in str(error.value)


@pytest.mark.parametrize(("name", "data"), [
    ("a.xlsx", b"no workbook"), ("a.csv", b"a,b\n1,2\n"), ("a.csv", "Code,English\n1,o\u2018".encode("cp1251"))
])  # fmt: skip
def test_what_is_no_sheet_is_refused_in_a_line(project, name, data):
    (project / name).write_bytes(data)
    with pytest.raises(SkillsgapError, match=r"^a\.\w+ [^\n]+$"):
        load_review(project / name, root=project)


def test_every_text_is_on_both_sheets_once(monkeypatch):
    sheets = {}
    monkeypatch.setattr("skillsgap.run.review.write_bytes", lambda path, data: sheets.update({path.name: data}))
    write_review(root=REPO)
    texts = read_texts(REPO)
    assert len({text.id for text in texts}) == len(texts) > 1000
    assert {text.group for text in texts} == set(GROUPS)
    book = load_workbook(io.BytesIO(sheets["uz.xlsx"]))
    rows = [row for row in book.active.iter_rows(values_only=True) if row[CODE - 1]][1:]
    shown = {(row[ENGLISH - 1], row[UZBEK - 1]) for row in rows}
    assert shown == {(text.english, text.uzbek) for text in texts}
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    html = sheets["uz.html"].decode()
    assert html.count("<tr id=") == len(rows) and "<script" not in html
    assert '<b class="place">{agency}</b>' in html and "tekshiruvini kutmoqda" in html


def test_the_same_texts_give_the_same_bytes(project):
    first = [path.read_bytes() for path in write_review(root=project)]
    assert [path.read_bytes() for path in write_review(root=project)] == first


def test_only_what_a_reviewer_writes_is_open(project):
    sheet = load_workbook(write_review(root=project)[1]).active
    assert sheet.protection.sheet and sheet.protection.sort  # a locked cell can't be sorted, so it isn't offered
    assert not sheet.protection.autoFilter and sheet.freeze_panes and sheet.auto_filter.ref
    for row in sheet.iter_rows(min_row=int(sheet.freeze_panes[1:])):
        assert [cell.column for cell in row if not cell.protection.locked] == [CORRECTION, REMARK]
        assert all(cell.data_type == "s" for cell in (row[ENGLISH - 1], row[UZBEK - 1]))


@pytest.mark.parametrize("suffix", ["po", "csv", "yaml"])
def test_writing_what_is_there_changes_no_text(suffix):
    texts = [text for text in read_texts(REPO) if text.file.endswith(suffix)]
    for file in {text.file for text in texts}:
        before = {(text.key, text.english, text.uzbek) for text in texts if text.file == file}
        content = (REPO / file).read_bytes().decode()
        again = replaced(content, suffix, {text.span: text.uzbek for text in texts if text.file == file})
        assert {found[:3] for found in READ[suffix](again)} == before


def test_each_file_with_uzbek_is_one_of_those_reviewed():
    """Except what is drawn from them: the tables of a fictional country."""
    paths = [p for place in ("data/framework", "params") for p in (REPO / place).rglob("*.*")
             if p.suffix in (".csv", ".yaml") and re.search(r"_uz\b|\buz:", p.read_text(encoding="utf-8"))]  # fmt: skip
    reviewed = {p for place in FILES for p in REPO.glob(place)}
    assert [str(p) for p in paths if p not in reviewed] == []
