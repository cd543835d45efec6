"""The batch: states and exit codes, an index that stays as it is, reports that are whole or not there."""

import json
import os

import nbformat
import pytest
import yaml
from conftest import contents

from skillsgap.errors import ParamsError
from skillsgap.run import batch, cli
from skillsgap.run.batch import run_batch
from skillsgap.run.notebooks import run_notebook
from skillsgap.run.unit import DATA, Unit, open_unit, project_root
from skillsgap.study.params import read_params

AWAY = {"file": "far/away.csv", "source": {"name": "the Statistical Office", "get": "by letter"}}


def add_unit(project, name, change):
    """A second params file beside the first."""
    values = {**project.values(), "unit": name, "title": {"en": name.capitalize()}}
    change(values)
    project.params.with_name(f"{name}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def waiting(values):
    values["data"]["responses"].update(AWAY)


def broken(values):
    values["plan"]["budget"] = -5


def listed(project):
    """State of each unit as reports/index.json lists it."""
    states = json.loads((project.root / "reports" / "index.json").read_text(encoding="utf-8"))
    return {name: unit["state"] for name, unit in states.items()}


@pytest.fixture
def reports(monkeypatch, capsys):
    """Call ``python -m skillsgap reports`` in a project's folder, in this process: exit code and what it printed."""
    def call(project, *words):
        monkeypatch.chdir(project.root)
        code = cli.main(["reports", *words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def test_waiting_does_not_fail_the_batch_unless_asked_for_by_name(project, no_kernels, reports):
    add_unit(project, "away", waiting)
    code, printed = reports(project)
    assert code == 0 and "1 done, 0 unchanged, 1 waiting, 0 failed" in printed
    assert "away: waiting\n  away.yaml: waits for far/away.csv from the Statistical Office (by letter)" in printed
    assert reports(project, "away")[0] != 0
    assert reports(project, "tiny")[0] == 0
    assert listed(project) == {"away": "waiting", "tiny": "done"}


def test_a_failed_unit_fails_the_batch_and_stops_no_other(project, no_kernels, reports):
    add_unit(project, "bad", broken)
    code, printed = reports(project)
    assert code == 1 and "1 done, 0 unchanged, 0 waiting, 1 failed" in printed
    assert listed(project) == {"bad": "failed", "tiny": "done"}
    assert reports(project, "tiny")[0] == 0


def test_an_unknown_unit_is_refused_in_one_line_before_anything_runs(project, reports):
    code, printed = reports(project, "tiny", "tinny")
    assert code != 0 and printed == "there is no params/tinny.yaml: units here are tiny\n"
    assert not (project.root / "build").exists() and not (project.root / "reports").exists()


def test_the_end_says_what_was_made_where_and_in_how_long(project, no_kernels, reports):
    _, first = reports(project)
    assert "tiny: profiles" in first and "tiny: done" in first and "11 stages computed" in first
    assert "files written to reports/ in" in first and "open reports/index.html" in first
    _, second = reports(project)
    assert "tiny: unchanged" in second and "0 stages computed, 0 files written" in second


def test_the_index_lists_units_with_their_states(project, no_kernels):
    add_unit(project, "away", waiting)
    add_unit(project, "bad", broken)
    run_batch(root=project.root)
    assert listed(project) == {"away": "waiting", "bad": "failed", "tiny": "done"}
    for name in ("index.html", "index.uz.html"):
        page = (project.root / "reports" / name).read_text(encoding="utf-8")
        assert all(f'class="state {state}"' in page for state in ("done", "waiting", "failed"))
        assert 'href="tiny/en.html"' in page and "the Statistical Office" in page


def test_the_index_stays_byte_identical_while_nothing_changes(project, no_kernels):
    add_unit(project, "away", waiting)
    run_batch(root=project.root)
    before = contents(project.root / "reports")
    for units in (None, ["tiny"], ["away"]):
        run_batch(units, root=project.root)
        assert contents(project.root / "reports") == before


def test_the_index_forgets_a_fault_that_was_mended(project, no_kernels):
    run_batch(root=project.root)
    sound = project.params.read_bytes()
    project.edit(broken)
    run_batch(root=project.root)
    assert listed(project) == {"tiny": "failed"}
    project.params.write_bytes(sound)
    assert [m.state for m in run_batch(root=project.root)] == ["unchanged"]
    assert listed(project) == {"tiny": "unchanged"}


def test_the_index_forgets_a_unit_whose_params_are_gone(project, no_kernels):
    add_unit(project, "away", waiting)
    run_batch(root=project.root)
    project.params.with_name("away.yaml").unlink()
    run_batch(root=project.root)
    assert listed(project) == {"tiny": "done"}


@pytest.mark.parametrize("name", ["index.html", "index.uz.html", "index.json"])
def test_a_damaged_index_is_made_again(name, project, no_kernels):
    run_batch(root=project.root)
    page = (project.root / "reports" / "index.html").read_bytes()
    (project.root / "reports" / name).write_text("{half", encoding="utf-8")
    run_batch(root=project.root)
    again = (project.root / "reports" / "index.html").read_bytes()
    assert again == page if name != "index.json" else listed(project) == {"tiny": "unchanged"}
    assert b"half" not in b"".join(contents(project.root / "reports").values())


def test_an_interrupted_run_leaves_the_older_report_whole(project, no_kernels, monkeypatch):
    project.run()
    older = contents(project.root / "reports")
    project.edit(lambda values: values.update(title={"en": "Newer"}))
    made, page = [], batch.report_page

    def interrupted(*views, lang, **more):
        if made:
            raise KeyboardInterrupt
        made.append(lang)
        return page(*views, lang=lang, **more)

    monkeypatch.setattr(batch, "report_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        project.run()
    assert contents(project.root / "reports") == older
    monkeypatch.setattr(batch, "report_page", page)
    assert (project.run().state, project.run().state) == ("done", "unchanged")
    assert b"Newer" in (project.report / "en.html").read_bytes()


def test_a_disk_that_fills_up_leaves_no_half_report(project, no_kernels, monkeypatch):
    project.run()
    older, write, written = contents(project.report), batch.write_bytes, []
    project.edit(lambda values: values.update(title={"en": "Newer"}))

    def full(path, data):
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(batch, "write_bytes", full)
    manifest = project.run()
    assert manifest.state == "failed" and "No space left on device" in manifest.reason
    assert contents(project.report) == older
    monkeypatch.setattr(batch, "write_bytes", write)
    assert project.run().state == "done"
    assert [path.name for path in (project.root / "reports").iterdir()] == ["tiny"]


@pytest.mark.parametrize("name", ["en.html", "tables/gaps.csv", "manifest.json"])
def test_a_report_changed_by_hand_is_made_again(name, project, no_kernels):
    project.run()
    whole = contents(project.report)
    (project.report / name).write_text("changed by hand", encoding="utf-8")
    assert (project.run().state, contents(project.report)) == ("done", whole)
    (project.report / name).unlink()
    assert (project.run().state, contents(project.report)) == ("done", whole)


def test_a_stage_table_that_is_gone_is_computed_again(project, no_kernels):
    project.run()
    folder = project.open().store.folder
    (folder / "gaps.parquet").unlink()
    (project.report / "en.html").unlink()
    assert project.run().stages == ["gaps"]


def test_notebooks_write_nothing_but_the_store(made, tiny):
    mine = ("build/", "reports/")
    kept = {name: content for name, content in contents(made.project.root).items() if not name.startswith(mine)}
    assert kept == contents(tiny.root)


def test_the_folder_of_data_is_told_to_the_kernels_and_kept_by_nobody(project, tmp_path, monkeypatch):
    """Else the page would be of other files than the tables, or the next unit of this one's folder."""
    told = []

    def execute(source, target, **_):
        told.append(os.environ[DATA])
        nbformat.write(nbformat.v4.new_notebook(), target)

    monkeypatch.setattr("papermill.execute_notebook", execute)
    for before in (None, "elsewhere"):
        monkeypatch.delenv(DATA, raising=False) if before is None else monkeypatch.setenv(DATA, before)
        for data in (tmp_path, None):
            unit = Unit(read_params(project.params), agency=None, data=data, root=project.root)
            run_notebook("08_report", unit, tmp_path / "out.ipynb")
            assert os.environ.get(DATA) == before
    assert told == [str(tmp_path), ""] * 2


def test_a_notebook_that_stops_is_said_in_one_line_and_publishes_nothing(project):
    """With a real kernel."""
    path = project.root / "notebooks" / "08_report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = "raise ValueError('two\\nlines')"
    nbformat.write(notebook, path)
    manifest = project.run()
    assert manifest.state == "failed" and not project.report.exists()
    assert manifest.reason.startswith("notebook 08_report, cell") and len(manifest.reason.splitlines()) == 1
    assert "ValueError: two" in manifest.reason and "08_report.en.ipynb in build/" in manifest.reason


def test_what_ifs_have_a_store_of_their_own_and_reach_no_report(project, no_kernels):
    project.run()
    before = contents(project.report)
    unit, richer = project.open(), project.open(overrides={"plan": {"budget": 180_000}})
    spend = [u.table("plan_summary").set_index("name")["value"]["spend"] for u in (unit, richer)]
    assert richer.key != unit.key and richer.store.folder != unit.store.folder
    assert spend[1] > spend[0]
    assert contents(project.report) == before
    assert project.run().state == "unchanged"


def test_what_ifs_are_checked_like_params(project):
    with pytest.raises(ParamsError, match=r"^tiny\.yaml.*key plan\.budget is -5: expected 0 or more$"):
        project.open(overrides={"plan": {"budget": -5}})
    with pytest.raises(ParamsError, match=r"^tiny\.yaml.*unknown key plan\.budgit .*did you mean budget\?$"):
        project.open(overrides={"plan": {"budgit": 5}})


def test_an_agency_that_does_not_exist_is_one_line(project):
    with pytest.raises(ParamsError, match=r"^tiny has no agency 'lavy': .*hearth, levy, norvale_office$"):
        project.open(agency="lavy")
    assert project.open(agency="levy").agency == "levy"


def test_a_unit_that_does_not_exist_is_one_line(project):
    with pytest.raises(ParamsError, match=r"^there is no params/tinny\.yaml: units here are tiny$"):
        open_unit("tinny", root=project.root)


def test_the_project_is_found_from_any_folder_in_it(project, tmp_path, monkeypatch):
    monkeypatch.chdir(project.root / "data" / "synthetic")
    assert project_root() == project.root.resolve()
    monkeypatch.chdir(tmp_path)
    assert batch.run_unit(project.params.with_name("nobody.yaml")).state == "failed"
    with pytest.raises(ParamsError, match=r"^there is no params/ folder in "):
        project_root()


def test_outside_data_come_before_those_beside_the_params(project, tmp_path, monkeypatch):
    project.edit(lambda values: values["data"]["responses"].update(file="responses.csv"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (project.root / "data" / "synthetic" / "tiny" / "responses.csv").rename(outside / "responses.csv")
    assert project.run().state == "failed"
    keys = {project.open(data=outside).key}
    monkeypatch.setenv(DATA, str(outside))
    keys.add(project.open().key)
    assert len(keys) == 1
