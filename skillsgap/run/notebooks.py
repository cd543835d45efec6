"""Run the notebooks: the report of each language for everybody, the technical ones where nobody is real."""

import atexit
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import nbformat
from traitlets.config import Config

from skillsgap.errors import SkillsgapError
from skillsgap.publish.pages import assemble
from skillsgap.run import THREADS
from skillsgap.run.unit import DATA

REPORT = "08_report"
# with outputs of arvenia, and held against them
COMMITTED = ("00_start_here", "01_records_and_quality", "04_skills_gaps", "08_report")
# each technical notebook, and the stage table without which its question can't be asked
TECHNICAL = {"00_start_here": "needs", "01_records_and_quality": "quality", "02_weights_and_measurement": "weights",
             "03_competency_profiles": "headcounts", "04_skills_gaps": "needs",
             "06_upskilling_plan": "plan_summary"}  # fmt: skip


def run_notebook(name, unit, target, *, lang="en"):
    """Execute one notebook for a unit and keep the executed file.

    Parameters
    ----------
    name : str
        Notebook without its ending.
    unit : Unit
    target : Path
        Where the executed notebook goes.
    lang : str

    Returns
    -------
    NotebookNode

    Raises
    ------
    SkillsgapError
        Names the notebook, the cell and the error, in one line.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    target.parent.mkdir(parents=True, exist_ok=True)
    # what the kernel is told, an empty folder of data too: it must find the same files as this process
    told = {**THREADS, DATA: str(Path(unit.data).resolve()) if unit.data else ""}
    try:
        with _environment(told), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the runner's own, about event loops; the notebook's stay in it
            papermill.execute_notebook(
                str(unit.root / "notebooks" / f"{name}.ipynb"),
                str(target),
                parameters={"unit": unit.name, "agency": None, "lang": lang, "overrides": {}},
                cwd=str(unit.root),
                kernel_name="python3",
                progress_bar=False,
                **_kernel(),
            )
    except PapermillExecutionError as error:
        what = " ".join([f"{error.ename}:", *error.evalue.splitlines()[:1]])
        raise SkillsgapError(
            f"notebook {name}, cell {error.cell_index}: {what}: see {target.name} in build/"
        ) from None
    return nbformat.read(target, as_version=4)


def refresh(name, root):
    """Run a notebook that is committed with its outputs, in place, with the values it has."""
    from nbclient import NotebookClient

    path = Path(root) / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(root)}}
    NotebookClient(notebook, kernel_name="python3", resources=resources, **_kernel()).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the time of day
    nbformat.write(notebook, path)


@contextmanager
def _environment(values):
    """Environment of the kernels that start meanwhile; this process gets its own back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _kernel():
    """Kernels log to nobody, and speak through files only this user may open, and no port is.

    A kernel that is told to end is interrupted first and may log that as an error; what goes wrong in a cell is told
    by the cell. Windows knows no such files.
    """
    quiet = {"extra_arguments": ["--IPKernelApp.log_level=50"]}
    if os.name == "nt":
        return quiet
    # a socket's path is at most about 100 characters, which a home folder's may exceed
    if "JUPYTER_RUNTIME_DIR" not in os.environ:
        os.environ["JUPYTER_RUNTIME_DIR"] = folder = tempfile.mkdtemp(prefix="sg-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return quiet | {"config": Config({"KernelManager": {"transport": "ipc"}})}


def report_page(unit, report, *, lang, others, files, folder):
    """The self-contained HTML report of a unit in one language, as bytes."""
    executed = run_notebook(REPORT, unit, folder / f"{REPORT}.{lang}.ipynb", lang=lang)
    return assemble(executed, lang=lang, title=report.title, other_pages=others, files=files).encode()
