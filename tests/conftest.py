"""One fictional country of 300 people in a project folder of its own, for tests that run the whole chain."""

import os

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported

import shutil  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

import pandas as pd  # noqa: E402
import pytest  # noqa: E402
import yaml  # noqa: E402

from skillsgap.run import batch  # noqa: E402
from skillsgap.run.unit import open_unit  # noqa: E402
from skillsgap.study.params import DEFAULTS  # noqa: E402
from skillsgap.study.synthetic.country import make_country, write_country  # noqa: E402
from skillsgap.study.synthetic.spec import read_spec, small_spec  # noqa: E402

REPO = Path(__file__).parents[1]
SOMEBODY = "zebulon_q"  # a user name that stands nowhere by chance


@dataclass(frozen=True)
class Project:
    """A project folder, with ways to change its one unit before it runs."""

    root: Path
    unit: str = "tiny"

    @property
    def params(self):
        return self.root / "params" / f"{self.unit}.yaml"

    @property
    def report(self):
        return self.root / "reports" / self.unit

    def values(self):
        return yaml.safe_load(self.params.read_text(encoding="utf-8"))

    def edit(self, change):
        """Change the params: `change` gets them as a dict, and alters it in place."""
        values = self.values()
        change(values)
        self.params.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def table(self, name):
        """Path of a table's file."""
        return (self.root / "params" / self.values()["data"][name]["file"]).resolve()

    def rewrite(self, name, change):
        """Change a table: `change` gets it as text, its first row being line 2, and returns it."""
        path = self.table(name)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        change(table.set_axis(table.index + 2)).to_csv(path, index=False, lineterminator="\n")

    def run(self, **options):
        """Run the unit; returns its manifest."""
        return batch.run_unit(self.params, root=self.root, **options)

    def open(self, **options):
        """The unit, as a notebook opens it."""
        return open_unit(self.unit, root=self.root, **options)

    def copy(self, target):
        """The same project in another folder."""
        return Project(Path(shutil.copytree(self.root, target, dirs_exist_ok=True)), self.unit)


def contents(folder):
    """Bytes of every file below a folder, by name."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@dataclass(frozen=True)
class Run:
    """A project that has run, with what came of it and the steps it took."""

    project: Project
    manifest: batch.Manifest
    steps: tuple


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Arvenia's first 3 agencies with 300 staff, all of them invited. Nothing has run; no test may write to it."""
    project, synthetic = Project(tmp_path_factory.mktemp("tiny")), REPO / "data" / "synthetic"
    folder = project.root / "data" / "synthetic"
    shutil.copytree(REPO / "data" / "framework", project.root / "data" / "framework")
    spec = small_spec(read_spec(synthetic / "arvenia" / "spec.yaml"), n_staff=300, n_agencies=3)
    write_country(make_country(spec, random_state=1), folder / "tiny")
    shutil.copytree(REPO / "notebooks", project.root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    project.params.parent.mkdir()
    shutil.copy(REPO / "params" / DEFAULTS, project.params.parent)
    arvenia = (REPO / "params" / "arvenia.yaml").read_text(encoding="utf-8")
    project.params.write_text(arvenia.replace("arvenia", "tiny"), encoding="utf-8")
    project.edit(lambda values: values.update(
        title={"en": "Tiny", "uz": "Mitti"},
        design={**values["design"], "n_replicates": 60},
        profiles={"candidates": [1, 2, 3, 4], "n_starts": 10, "n_draws": 10, "n_tests": 3,
                  "hr_indicators": ["courses_completed"]},
        plan={**values["plan"], "budget": 90_000, "n_draws": 2, "frontier": [0.5, 1.0, 2.0],
              "mip_gap": 0.01, "draw_gap": 0.05},
    ))
    project.edit(lambda values: values["data"]["register"].update(n_rows=300))
    return project


@pytest.fixture(scope="session")
def made(tiny, tmp_path_factory):
    """The tiny project after one whole run, notebooks and all; no test may write to it either."""
    project, steps = tiny.copy(tmp_path_factory.mktemp("made")), []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("USER", "LOGNAME", "USERNAME"):
            patch.setenv(name, SOMEBODY)
        manifest = project.run(progress=steps.append)
    return Run(project, manifest, tuple(steps))


@pytest.fixture
def project(tiny, tmp_path):
    """A copy of the tiny project for a test to change, whose chain takes one second."""
    project = tiny.copy(tmp_path / "project")
    project.edit(lambda values: (
        values["design"].update(n_replicates=20),
        values["profiles"].update(candidates=[2], n_starts=2, n_draws=0, n_tests=0, hr_indicators=[]),
        values.update(plan={"budget": 90_000, "frontier": [0.5, 1.0], "n_draws": 0, "mip_gap": 0.01}),
    ))
    return project


@pytest.fixture
def no_kernels(monkeypatch):
    """Reports without notebooks: a page in place of notebook 08, and no technical ones."""
    def page(unit, report, *, lang, others, files, folder):
        return f"<html lang={lang}>{report.title}</html>".encode()

    monkeypatch.setattr(batch, "report_page", page)
    monkeypatch.setattr(batch, "TECHNICAL", {})


@pytest.fixture(scope="session")
def arvenia():
    """Arvenia's 20,000 staff, in the store of this checkout: what `make reports` computed of it is kept by the key of
    its data, params and code, and isn't computed again."""
    unit = open_unit("arvenia", root=REPO)
    for _ in unit.compute():
        pass
    return unit
