"""The questionnaire of a unit as files: a workbook to field, a form to print, and params that load the answers."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import ParamsError, SkillsgapError, StudyError
from skillsgap.publish.paper import paper
from skillsgap.run.store import write_bytes
from skillsgap.run.unit import project_root, unit_names
from skillsgap.study.loaded import Loaded
from skillsgap.study.loading import load_tables
from skillsgap.study.mapping import find_columns
from skillsgap.study.params import read_params
from skillsgap.study.questionnaire.exported import answers_block, export_settings, tool_of
from skillsgap.study.questionnaire.form import NEEDED, build_form
from skillsgap.study.questionnaire.xlsform import xlsform
from skillsgap.study.reading.readers import open_source

TABLES = (*NEEDED, "agencies")  # others, such as answers, need not be there yet


@dataclass(frozen=True)
class Questionnaire:
    """A written questionnaire.

    Parameters
    ----------
    files : tuple of Path
        The workbook, the form on paper in each language, and the params that load its answers.
    questions, minutes : int
        How long it is.
    verdict : str
        What pyxform and ODK Validate say of the workbook, as far as they are there.
    export : str
        How to export the answers, so that the params load them.
    """

    files: tuple
    questions: int
    minutes: int
    verdict: str
    export: str


def read_form(name, *, root=None, data=None):
    """Build a unit's form from the tables it declares, without its answers and register.

    Parameters
    ----------
    name : str
        As in ``params/<name>.yaml``.
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.
    data : path-like, optional
        Folder of outside data.

    Returns
    -------
    form : Form
    params : Params
    tables : dict of str to Loaded

    Raises
    ------
    ParamsError
        There is no such unit, or its params ask for no questionnaire.
    StudyError
        Every fault of the tables, and of what the form asks of them.
    Waiting
        A declared outside source is absent.
    """
    root = project_root(root)
    if name not in unit_names(root):
        raise ParamsError(f"there is no params/{name}.yaml: units here are {', '.join(unit_names(root))}")
    params = read_params(root / "params" / f"{name}.yaml")
    if "questionnaire" not in params.values:
        raise ParamsError(f"params/{name}.yaml has no key questionnaire: add it, as in params/arvenia.yaml")
    return form_of(params, data)


def form_of(params, data=None):
    """Build the form that params ask for; see `read_form`, which finds the params by the unit's name."""
    declared = params.values["data"]
    framework = {table: declared[table] for table in TABLES if table in declared}
    framework |= {"crosswalks": declared["crosswalks"]} if "crosswalks" in declared else {}
    tables, problems, waiting = load_tables(replace(params, values={**params.values, "data": framework}), data)
    if problems:
        raise StudyError([*problems, *(fault for table in tables.values() for fault in table.faults)])
    if waiting:
        raise waiting
    return build_form(params, tables), params, tables


def write_questionnaire(name, *, root=None, data=None):
    """Write a unit's questionnaire to ``questionnaires/<unit>/<form>/``; the same inputs give the same bytes.

    Papers in languages that the form is no longer asked in are removed.

    Parameters
    ----------
    name, root, data
        As for `read_form`, which see for the errors too.

    Returns
    -------
    Questionnaire
    """
    root = project_root(root)
    form, params, tables = read_form(name, root=root, data=data)
    folder = root / "questionnaires" / name / form.kind
    made = {folder / f"{name}.xlsx": xlsform(form)}
    made |= {folder / f"paper.{lang}.html": paper(form, lang).encode() for lang in form.languages}
    block = answers_block(form, params, tables["items"].frame, register=register_columns(params, data))
    made[folder / "answers.yaml"] = block.encode()
    for path, content in made.items():
        write_bytes(path, content)
    for path in set(folder.glob("paper.*.html")) - set(made):
        path.unlink()
    settings, _ = export_settings(form, tool_of(params))
    return Questionnaire(tuple(made), len(form.questions()), form.minutes, verdict(folder / f"{name}.xlsx"), settings)


def register_columns(params, data=None):
    """Columns of the register that params declare, under our names; all it may have where it isn't there yet."""
    spec, ours = params.values["data"].get("register"), tuple(CONTRACTS["register"].columns)
    if spec is None:
        return ()
    if "rows" in spec:
        known = {name for row in spec["rows"] for name in row}
    else:
        try:
            source = open_source(spec, params=params, data=data, keys=("data", "register"))
        except SkillsgapError:  # make validate tells what it is
            return ours
        known = {*source.columns, *find_columns(source, Loaded("register", source.name, spec, pd.DataFrame()))}
    return tuple(name for name in ours if name in {*known, *spec.get("columns", {}), *spec.get("constants", {})})


def verdict(path):
    """What pyxform, and with Java ODK Validate, say of an XLSForm workbook, in one line.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
    """
    try:
        from pyxform.errors import PyXFormError
        from pyxform.validators.odk_validate import ODKValidateError
        from pyxform.xls2xform import convert
    except ImportError:
        return f"not checked: pip install pyxform, then xls2xform {Path(path).name}"
    java, warnings = bool(shutil.which("java")), []
    checked = "pyxform and ODK Validate" if java else "pyxform (ODK Validate needs Java)"
    try:
        convert(str(path), warnings=warnings, validate=java)
    except (PyXFormError, ODKValidateError) as error:
        return f"refused by {checked}: {' '.join(str(error).split())}"
    told = f", with the remarks: {'; '.join(' '.join(line.split()) for line in warnings)}" if warnings else ""
    return f"accepted by {checked}{told}"
