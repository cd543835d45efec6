"""The page of queries of a unit: its study is read, and what is odd or wrong in it becomes questions to its owner."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import ParamsError, Problem, StudyError, Waiting
from skillsgap.publish.gates import TABLES
from skillsgap.publish.queries import ANALYST, queries_page
from skillsgap.run import chain
from skillsgap.run.forecast import absent_files
from skillsgap.run.store import write_bytes
from skillsgap.run.unit import project_root, unit_names
from skillsgap.study.params import read_params
from skillsgap.study.records import read_study
from skillsgap.wording import N_, Words

ANSWER = '<p class="answer">'  # the room for an answer, of which the page has one a question


@dataclass(frozen=True)
class Queries:
    """A page of queries.

    Parameters
    ----------
    path : Path
        Where it is: in ``build/``, since it may show where in a file personal data are.
    asked : int
        How many questions it asks.
    own : tuple of str
        Faults of the params file, which are the analyst's own and not on the page.
    """

    path: Path
    asked: int
    own: tuple = ()


def write_queries(name, *, root=None, data=None, lang=None):
    """Write the page of queries to the owner of a unit's data; one that says so where there is nothing to ask.

    Parameters
    ----------
    name : str
        As in ``params/<name>.yaml``.
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.
    data : path-like, optional
        Folder of outside data.
    lang : {"en", "uz"}, optional
        By default the owner's language, or else the first that the unit reports in.

    Returns
    -------
    Queries

    Raises
    ------
    ParamsError
        There is no such unit, or its params can't be read: that is no question to the owner of the data.
    StudyError
        The faults are all of the params file.
    """
    root = project_root(root)
    if name not in unit_names(root):
        raise ParamsError(f"there is no params/{name}.yaml: units here are {', '.join(unit_names(root))}")
    params = read_params(root / "params" / f"{name}.yaml")
    values = params.values
    owner = values.get("data_owner", {})
    words = Words(lang or owner.get("lang") or values["report_languages"][0])
    problems, notes, quality = _found(params, data, words)
    own = [problem for problem in problems if ANALYST.search(problem.file)]
    if own and len(own) == len(problems):
        raise StudyError(own)
    page = queries_page(
        values["title"],
        problems,
        notes,
        quality,
        owner=owner.get("name") or words("the owner of the data"),
        words=words,
        gates=values["claims"].get("quality", {}),
        identifying=_identifying(values["data"]),
    )
    path = root / "build" / name / f"queries.{words.lang}.html"
    write_bytes(path, page.encode())
    return Queries(path, page.count(ANSWER), tuple(map(str, own)))


def _found(params, data, words):
    """Faults of a unit's tables; or, where there are none, what was put right in them and how good they are."""
    try:
        study = read_study(params, data=data)
    except StudyError as error:
        return error.problems, None, None
    except Waiting as error:
        return _absent(params, data, words) or [Problem(params.unit, str(error), N_("the file"))], None, None
    return [], study.notes, chain.quality(SimpleNamespace(values=params.values, study=study))["quality"]


def _absent(params, data, words):
    """Outside files that aren't there, as problems."""
    problems = []
    for table, (spec, _) in absent_files(params, data).items():
        said = {"table": words(TABLES.get(table, table)), "source": spec["source"]["name"]}
        text = N_("{table}: the file has not come from {source}")
        problems.append(Problem(Path(spec["file"]).name, text, N_("the file"), values=said))
    return problems


def _identifying(data):
    """The files' own names of columns that say who somebody is."""
    return sorted({
        theirs
        for table, spec in data.items() if table in CONTRACTS
        for ours, theirs in spec.get("columns", {}).items()
        if ours in CONTRACTS[table].columns and CONTRACTS[table].columns[ours].identifies == "direct"
    })  # fmt: skip
