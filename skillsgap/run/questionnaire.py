"""The questionnaire of a unit as files: a workbook to field, a form to print, and params that load the answers."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from skillsgap.errors import ParamsError, StudyError
from skillsgap.publish.paper import paper
from skillsgap.run.store import write_bytes
from skillsgap.run.unit import project_root, unit_names
from skillsgap.study.loading import load_tables
from skillsgap.study.params import read_params
from skillsgap.study.questionnaire.exported import answers_block
from skillsgap.study.questionnaire.form import NEEDED, build_form
from skillsgap.study.questionnaire.xlsform import xlsform

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
    """

    files: tuple
    questions: int
    minutes: int
    verdict: str


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
    """Write a unit's questionnaire to ``questionnaires/<unit>/``; the same inputs give the same bytes.

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
    folder = root / "questionnaires" / name
    made = {folder / f"{name}.xlsx": xlsform(form)}
    made |= {folder / f"paper.{lang}.html": paper(form, lang).encode() for lang in form.languages}
    made[folder / "answers.yaml"] = answers_block(form, params, tables["items"].frame).encode()
    for path, content in made.items():
        write_bytes(path, content)
    return Questionnaire(tuple(made), len(form.questions()), form.minutes, verdict(folder / f"{name}.xlsx"))


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
