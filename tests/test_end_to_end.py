"""The whole chain on 300 people, from params to pages; and on arvenia what was estimated against what was planted."""

import ast
import getpass
import html
import json
import re
import shutil
import zipfile
from collections import Counter
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REPO, SOMEBODY, contents

from skillsgap.contracts import CONTRACTS
from skillsgap.run import batch, chain
from skillsgap.run.notebooks import TECHNICAL
from skillsgap.run.store import FIT_CODE, PACKAGE, code_digest
from skillsgap.run.truth import beside_truth

STAGES = [stage.__name__ for stage in chain.STAGES]
LANGUAGES = ("en", "uz")
NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")
GROUPS = {"en": ",", "uz": "\u00a0\u202f"}


def tables(unit):
    """Every stage table of a unit."""
    found = {name: unit.table(name) for names in chain.STAGES.values() for name in names}
    return {name: table for name, table in found.items() if table is not None}


def released(run):
    """Released tables as read from their CSV files."""
    files = {name: content for name, content in contents(run.project.report).items() if name.endswith(".csv")}
    return {Path(name).stem: pd.read_csv(BytesIO(content)) for name, content in files.items()}


def visible(page):
    """What a reader sees of a page: text without markup, styles and titles of pictures."""
    page = re.sub(r"(?s)<(style|script|head)\b.*?</\1>", " ", page)
    return html.unescape(re.sub(r"(?s)<[^>]*>", " ", page))


def numbers(text, lang):
    """The numbers of a text, with a decimal point and ungrouped, each with how often it stands there."""
    found = NUMBER.findall(text)
    plain = [re.sub(f"[{GROUPS[lang]}]", "", number) for number in found]
    return Counter(number.replace(",", ".") for number in plain)


def test_manifest_lists_what_was_made(made):
    manifest, files = made.manifest, contents(made.project.report)
    assert (manifest.unit, manifest.state, manifest.reason) == ("tiny", "done", "")
    assert manifest.stages == STAGES
    assert manifest.files == {name: sha256(files[name]).hexdigest() for name in files if name != "manifest.json"}
    assert {"en.html", "uz.html", "tables/gaps.csv", "tables/gaps.json"} <= set(files)
    claims = released(made)["claims"]
    assert sorted(manifest.claims_made) == sorted(claims.loc[claims["passed"], "claim_id"])
    assert sorted(manifest.claims_withheld) == sorted(claims.loc[~claims["passed"], "claim_id"])
    assert {"share_below", "shortfall", "profile", "plan"} <= {*manifest.claims_made, *manifest.claims_withheld}
    written = json.loads(files["manifest.json"])
    assert written["files"] == manifest.files and written["key"] == manifest.key


def test_each_step_is_told_as_it_begins(made):
    assert list(made.steps) == [*STAGES, "release", "report en", "report uz", *TECHNICAL]


def test_every_notebook_ran_to_its_end(made):
    folder = made.project.open().store.folder / "notebooks"
    assert {path.stem for path in folder.iterdir()} == {*TECHNICAL, "08_report.en", "08_report.uz"}
    for path in folder.iterdir():
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in cells), path.stem
        assert not {out["output_type"] for cell in cells for out in cell["outputs"]} & {"error", "stream"}, path.stem


def test_stage_tables_keep_their_contracts_and_hold_no_ids(made):
    unit = made.project.open()
    ids = {c for contract in CONTRACTS.values() for c, rule in contract.columns.items() if rule.identifies == "direct"}
    for name, table in tables(unit).items():
        assert not ids & {*table.columns, *table.index.names}, name
    assert unit.table("register")["headcount"].sum() == 300
    assert unit.table("cells")["headcount"].sum() == pytest.approx(300)
    assert unit.table("cohorts")["headcount"].sum() == 300
    spend = unit.table("plan_summary").set_index("name")["value"]
    assert 0 < spend["spend"] <= spend["budget"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_self_contained(made, lang):
    page = (made.project.report / f"{lang}.html").read_text("utf-8")
    assert f'lang="{lang}"' in page and "default-src 'none'" in page
    loaded = re.findall(r"""\b(?:src|srcset|href)\s*=\s*["']?([^"'\s>]+)|url\(\s*["']?([^"')]+)""", page)
    beside = re.compile(r"$|#|data:|(?:en|uz)\.html$|plan\.(?:en|uz)\.xlsx$")
    other = [place for pair in loaded for place in pair if not beside.match(place)]
    assert loaded and not other
    assert not re.search(r"<(?:script|iframe|object|embed|link|img|form)\b|@import|\bon\w+=", page)


def test_both_languages_print_the_same_numbers(made):
    en, uz = ((made.project.report / f"{lang}.html").read_text("utf-8") for lang in LANGUAGES)
    assert numbers(visible(en), "en") == numbers(visible(uz), "uz")
    assert sum(numbers(visible(en), "en").values()) > 50
    claims = released(made)["claims"].astype("string").fillna("")
    for part in ("number", "sentence", "certainty", "unlock"):
        for _, claim in claims.iterrows():
            assert numbers(claim[f"{part}_en"], "en") == numbers(claim[f"{part}_uz"], "uz"), claim["claim_id"]


def test_csv_and_json_agree(made):
    for name, table in released(made).items():
        body = json.loads((made.project.report / "tables" / f"{name}.json").read_text("utf-8"))
        assert (body["unit"], body["data"], body["table"]) == ("tiny", "synthetic", name)
        assert (table["unit"] == "tiny").all() and (table["data"] == "synthetic").all()
        there = pd.DataFrame(body["rows"]).replace("", None)  # CSV knows no empty text
        for column in there:
            pd.testing.assert_series_equal(table[column], there[column], check_dtype=False, rtol=1e-12, obj=name)
        assert list(there) == list(table)[2:]


def written(workbook):
    """All texts of an .xlsx file; its clock stands still at the first moment that such a file can name."""
    with zipfile.ZipFile(BytesIO(workbook)) as book:
        return "".join(book.read(name).decode("utf-8") for name in book.namelist()).replace("1980-01-01T00:00:00Z", "")


def test_nothing_released_tells_who_or_where_or_when(made):
    register = pd.read_csv(made.project.table("register"), dtype=str)
    told = re.compile(r"\b(?:" + "|".join(register["staff_id"]) + r")\b")
    places = [str(made.project.root), str(REPO), str(Path.home()), f"/{getpass.getuser()}/", SOMEBODY]
    words = [*places, "row_key", "staff_id", date.today().isoformat()]
    for name, content in contents(made.project.root / "reports").items():
        text = written(content) if name.endswith(".xlsx") else content.decode("utf-8")
        assert not told.search(text), name
        assert not [word for word in words if word in text], name
        # the time of a clock, as 06:04 or 6:04:59; a picture's numbers are never written so
        assert not re.search(r"\b[0-2]?\d:[0-5]\d\b", text), name


def test_a_second_run_computes_and_writes_nothing(made):
    def stamps(project):
        folders = (project.root / "reports", project.root / "build")
        return {path: path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}

    before, times = contents(made.project.root / "reports"), stamps(made.project)
    again = made.project.run()
    assert (again.state, again.stages, again.reason) == ("unchanged", [], "")
    assert (again.files, again.key) == (made.manifest.files, made.manifest.key)
    assert contents(made.project.root / "reports") == before
    assert stamps(made.project) == times


def test_the_same_inputs_give_the_same_bytes_in_another_folder(made, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "TECHNICAL", {})  # no report depends on them
    again = tiny.copy(tmp_path / "elsewhere")
    manifest = again.run()
    assert manifest.stages == STAGES
    assert contents(again.report) == contents(made.project.report)


def test_row_order_changes_nothing(made, tiny, tmp_path):
    shuffled = tiny.copy(tmp_path / "shuffled")
    for seed, name in enumerate(sorted(tiny.values()["data"])):
        if name not in ("items", "competencies"):  # pages show these in their own order
            shuffled.rewrite(name, lambda rows, seed=seed: rows.sample(frac=1, random_state=seed))
    was, now = made.project.open(), shuffled.open()
    assert was.key != now.key
    for name, table in tables(was).items():
        other = now.table(name)
        if name in ("requirements", "courses", "course_effects", "agencies", "costs"):  # handed on as they came
            keys = [key for key in CONTRACTS[name].key if key in table]
            table, other = (t.sort_values(keys, ignore_index=True) for t in (table, other))
        pd.testing.assert_frame_equal(table, other, check_exact=True, obj=name)


def test_a_change_of_wording_redoes_pages_and_never_fits(made, tmp_path, no_kernels, monkeypatch):
    changed = made.project.copy(tmp_path / "changed")
    changed.edit(lambda values: values.update(title={"en": "Smaller", "uz": "Kichikroq"}))
    manifest = changed.run()
    assert (manifest.state, manifest.stages) == ("done", [])
    assert b"Smaller" in (changed.report / "en.html").read_bytes()
    monkeypatch.setattr(batch, "code_digest", lambda *_: "another catalogue")
    again = changed.run()
    assert (again.state, again.stages) == ("done", []) and again.key != manifest.key


def test_stage_tables_depend_on_the_code_that_computes_them_and_not_on_words(tmp_path):
    package = shutil.copytree(PACKAGE, tmp_path / "skillsgap", ignore=shutil.ignore_patterns("__pycache__"))
    fits, pages = code_digest(package, FIT_CODE), code_digest(package, ["."])
    assert fits == code_digest(PACKAGE, FIT_CODE)
    catalogue = next(package.rglob("*.po"))
    catalogue.write_text(catalogue.read_text("utf-8") + "\n# reviewed\n", encoding="utf-8")
    assert code_digest(package, FIT_CODE) == fits and code_digest(package, ["."]) != pages
    (package / "estimate" / "gaps.py").write_text("", encoding="utf-8")
    assert code_digest(package, FIT_CODE) != fits


def run_cells(project, name, monkeypatch):
    """Names a notebook defines, run cell by cell in this process with its unit set to tiny."""
    monkeypatch.chdir(project.root)
    cells = json.loads((project.root / "notebooks" / f"{name}.ipynb").read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {}
    for source in [code[0], "unit = 'tiny'", *code[1:]]:
        exec(compile(ast.parse(source), name, "exec"), names)  # noqa: S102 - our own notebook
    return names


def test_tables_of_notebook_03_equal_the_chains(made, monkeypatch):
    names, unit = run_cells(made.project, "03_competency_profiles", monkeypatch), made.project.open()
    shares = unit.table("profiles").query("statistic == 'share'")["estimate"]
    np.testing.assert_allclose(names["profiles"].shares_, shares, rtol=1e-12)


def test_tables_of_notebook_04_equal_the_chains(made, monkeypatch):
    names, unit = run_cells(made.project, "04_skills_gaps", monkeypatch), made.project.open()
    keys = ["competency_id", "statistic"]
    whole = unit.table("gaps").query("by == 'all'").set_index(keys).sort_index()
    shown = names["gaps"].reset_index().set_index(keys).sort_index()[["estimate", "se", "ci_low", "ci_high", "n"]]
    pd.testing.assert_frame_equal(shown, whole[list(shown)], check_exact=True)


def test_tables_of_notebook_06_equal_the_chains(made, monkeypatch):
    names, unit = run_cells(made.project, "06_upskilling_plan", monkeypatch), made.project.open()
    pd.testing.assert_frame_equal(names["plan"].allocations, unit.table("allocations"), check_exact=True)
    pd.testing.assert_frame_equal(names["plan"].courses, unit.table("plan_courses"), check_exact=True)


def inside(table):
    """Share of planted values that the 95 % intervals hold."""
    return table["truth"].between(table["ci_low"], table["ci_high"]).mean()


def test_planted_profile_shares_lie_within_three_standard_errors(arvenia):
    """5 shares at once: chance alone would break this in 5 × 0.3 % of draws; the seed is fixed."""
    shares = beside_truth(arvenia, "profiles").query("statistic == 'share'")
    assert shares["planted"].nunique() == len(shares) == 5
    assert ((shares["estimate"] - shares["truth"]).abs() < 3 * shares["se"]).all()
    counts = beside_truth(arvenia, "headcounts").query("by == 'all'")
    assert ((counts["estimate"] - counts["truth"]).abs() < 3 * counts["se"]).all()
    assert counts["truth"].sum() == 20_000


def test_the_planted_items_and_no_others_are_left_out_of_a_comparison_of_languages(arvenia):
    """Oracle: DC01 and GE01 are planted half a level lower and 0.4 levels higher in Uzbek."""
    table = arvenia.table("dif")
    dropped = table[table["dropped"].astype(bool)]
    assert set(dropped["by"]) == {"answer_language"} and set(dropped["item_id"]) == {"DC01", "GE01"}
    sign = dropped.set_index(["item_id", "category"])["estimate"]
    assert sign["DC01", "uz"] < 0 < sign["GE01", "uz"]


def test_intervals_hold_the_planted_levels_of_everybody(arvenia):
    """27 competencies, calibrated to what assessors found of 12 %: 0.95 less three standard errors of a share of 27."""
    levels = beside_truth(arvenia, "gaps").query("by == 'all' and statistic == 'level'")
    assert len(levels) == 27 and inside(levels) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 27)


def test_profiles_add_up_to_the_mean_of_everybody(arvenia):
    """Levels that are means of two items are rounded for the fit, and half of them go up: none of it is printed."""
    means = arvenia.table("means").query("by == 'all'").set_index("variable")["estimate"]
    levels = arvenia.table("profiles").pivot(index="profile", columns="variable", values="estimate")
    added = levels.drop(columns="share").mul(levels["share"], axis=0).sum()
    assert (added - means).abs().max() < 0.02


def test_intervals_hold_the_planted_levels_of_profiles(arvenia):
    """5 profiles × 27 competencies, their errors shared by answers of the same people: as for shortfalls."""
    levels = beside_truth(arvenia, "profiles").query("statistic == 'level'")
    assert len(levels) == 5 * 27 and 0.85 <= inside(levels) <= 1


def test_intervals_hold_the_planted_head_counts_of_agencies(arvenia):
    """12 agencies × 5 profiles, of which 48 are free. Independent 95 % intervals would hold 0.95 ± 3 × 0.031 of
    them; errors shared by agencies (one model, one fit) widen that by about half: 0.81 to 1."""
    counts = beside_truth(arvenia, "headcounts").query("by == 'agency_id'")
    assert len(counts) == 60 and counts["truth"].notna().all()
    assert 0.81 <= inside(counts) <= 1


def test_intervals_hold_the_planted_shortfalls_of_agencies(arvenia):
    """12 agencies × 27 competencies. A person's levels go together, so the 324 are worth about 5 independent
    ones an agency: 0.95 ± 3 × sqrt(0.95 × 0.05 / 60): 0.87 to 1."""
    gaps = beside_truth(arvenia, "gaps").query("by == 'agency_id' and statistic == 'shortfall'")
    assert len(gaps) == 12 * len(arvenia.table("scores").columns) and gaps["truth"].notna().all()
    assert 0.87 <= inside(gaps) <= 1
