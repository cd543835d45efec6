"""Units one after the other: each is done, unchanged, waiting or failed, and none stops another."""

import json
import os
import shutil
import traceback
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from skillsgap.errors import ParamsError, SkillsgapError, StudyError, Waiting
from skillsgap.publish.pages import index_page
from skillsgap.run.notebooks import TECHNICAL, report_page, run_notebook
from skillsgap.run.release import Published, table_files, unit_status
from skillsgap.run.store import PACKAGE, code_digest, digest, file_digest, write_bytes
from skillsgap.run.unit import Unit, project_root, unit_names
from skillsgap.study.params import read_params
from skillsgap.wording import LANGUAGES, Words

MANIFEST = "manifest.json"
INDEX = {"en": "index.html", "uz": "index.uz.html"}
STATES = ("done", "unchanged", "waiting", "failed")


@dataclass(frozen=True)
class Manifest:
    """What came of a unit.

    Parameters
    ----------
    unit : str
    state : {"done", "unchanged", "waiting", "failed"}
    reason : str
        Why, one line a fault; empty where all is well.
    stages : list of str
        Stages computed this time.
    files : dict of str to str
        Files of the report, with their digests.
    claims_made, claims_withheld : list of str
    key : str
        Digest of all that the report depends on.
    """

    unit: str
    state: str
    reason: str = ""
    stages: list = field(default_factory=list)
    files: dict = field(default_factory=dict)
    claims_made: list = field(default_factory=list)
    claims_withheld: list = field(default_factory=list)
    key: str = ""


def run_unit(path, *, data=None, root=None, progress=lambda step: None):
    """Make the report of one unit, if anything it depends on has changed.

    Parameters
    ----------
    path : path-like
        ``params/<unit>.yaml``.
    data : path-like, optional
        Folder of outside data.
    root : path-like, optional
        Project folder, with ``params/``, ``notebooks/``, ``build/`` and ``reports/``; by default the params file's.
    progress : callable
        Told the name of each step as it begins.

    Returns
    -------
    Manifest
        Never raises for what a user can mend: the state says failed or waiting, the reason why. What was
        published before stays as it is until the new report is complete.
    """
    path = Path(path)
    name = path.stem
    try:
        root = project_root(root or path.parent)
        unit = Unit(read_params(path), agency=None, data=data, root=root)
        return _run(unit, root / "reports" / name, progress)
    except Waiting as error:
        return Manifest(name, "waiting", str(error))
    except StudyError as error:
        return Manifest(name, "failed", "\n".join(map(str, error.problems)))
    except SkillsgapError as error:
        return Manifest(name, "failed", str(error))
    except OSError as error:  # a full disk, a folder nobody may write to
        place = os.path.relpath(error.filename, root) if error.filename else name
        return Manifest(name, "failed", f"{place}: {error.strerror}: see that it can be read and written")
    except Exception as error:  # noqa: BLE001 - a bug of ours must not stop the other units
        write_bytes(root / "build" / name / "error.log", traceback.format_exc().encode())
        first = next(iter(str(error).splitlines()), "")
        return Manifest(name, "failed", f"unexpected {type(error).__name__} in {name}: {first}: "
                                        f"please report build/{name}/error.log")  # fmt: skip


def _run(unit, folder, progress):
    if not {"responses", "aggregates", "indicators"} & set(unit.values["data"]):
        if "questionnaire" in unit.values:
            raise Waiting(f"nobody has answered yet: make questionnaire UNIT={unit.name}, field the form, and add the "
                          "answers to the params file")  # fmt: skip
        raise ParamsError(f"{unit.params.path.name}: there is nothing to estimate: declare data.responses with "
                          "data.items, data.aggregates or data.indicators")  # fmt: skip
    key = page_key(unit)
    before = read_manifest(folder)
    if before and before.key == key and _whole(folder, before):
        return Manifest(**{**asdict(before), "state": "unchanged", "stages": []})
    for stage in unit.compute():
        progress(stage)
    progress("release")
    published = Published(unit)
    files = table_files(published)
    for lang in unit.values["report_languages"]:
        progress(f"report {lang}")
        files |= _report(unit, published.report(lang), lang)
    if unit.values["fictional"]:
        for name, needed in TECHNICAL.items():
            if unit.table(needed) is None:
                continue
            progress(name)
            run_notebook(name, unit, unit.store.folder / "notebooks" / f"{name}.ipynb")
    claims = published.claims
    manifest = Manifest(
        unit.name,
        "done",
        stages=unit.computed,
        files={name: sha256(content).hexdigest() for name, content in sorted(files.items())},
        claims_made=claims.loc[claims["passed"], "claim_id"].tolist(),
        claims_withheld=claims.loc[~claims["passed"], "claim_id"].tolist(),
        key=key,
    )
    _publish(folder, files, manifest)
    return manifest


def _report(unit, report, lang):
    """The page of a unit in one language, and the workbook of its plan: dict from file name to bytes."""
    others = {other: f"{other}.html" for other in unit.values["report_languages"] if other != lang}
    workbook = report.plan_workbook()
    files = {} if workbook is None else {f"plan.{lang}.xlsx": workbook}
    beside = {report.words("The plan as a workbook"): name for name in files}
    page = report_page(unit, report, lang=lang, others=others, files=beside, folder=unit.store.folder / "notebooks")
    return {f"{lang}.html": page, **files}


def page_key(unit):
    """Digest of all a report depends on: its stage tables' key, the page's params, code, wording, notebooks."""
    page = json.dumps(unit.values, sort_keys=True, ensure_ascii=False)
    return digest(unit.key, page, code_digest(PACKAGE, ["."]), code_digest(unit.root, ["notebooks"]))


def read_manifest(folder):
    """The manifest of an earlier report, or None."""
    path = Path(folder) / MANIFEST
    if not path.exists():
        return None
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None  # half a manifest is none: the report is made again


def _whole(folder, manifest):
    return all(
        (folder / name).exists() and file_digest(folder / name) == kept for name, kept in manifest.files.items()
    )


def _publish(folder, files, manifest):
    """Write a report aside and put it in place of the old one as a whole."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    kept = {**asdict(manifest), "stages": []}  # which stages were computed is of this run, not of the report
    for name, content in files.items():
        write_bytes(new / name, content)
    write_bytes(new / MANIFEST, (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def run_batch(units=None, *, data=None, root=None, progress=lambda unit, step: None, finished=lambda manifest: None):
    """Every unit in params/, or those named, one after the other; then the index.

    Returns
    -------
    list of Manifest
    """
    root = project_root(root)
    manifests = []
    for name in units or unit_names(root):
        path = root / "params" / f"{name}.yaml"
        manifest = run_unit(path, data=data, root=root, progress=lambda step, name=name: progress(name, step))
        finished(manifest)
        manifests.append(manifest)
    write_index(root, manifests)
    return manifests


def write_index(root, manifests):
    """Write reports/index.html in each language; a page whose content is the same stays as it is."""
    folder = root / "reports"
    before = _listed(folder / "index.json")
    now = {m.unit: {"state": m.state, "reason": _public(m)} for m in manifests}
    # a report that is unchanged stays listed as done, so that a run that changes nothing changes no page
    kept = {name: before[name] for name in now if now[name]["state"] == "unchanged" and name in before}
    kept = {name: state for name, state in kept.items() if state["state"] == "done"}
    changed = any({**now, **kept}[name] != before.get(name) for name in now)
    listed = {**before, **now} if changed else before
    states = {name: listed[name] for name in unit_names(root) if name in listed}
    pages = {name: _index(root, states, lang) for lang, name in INDEX.items()}
    pages["index.json"] = json.dumps(states, indent=1, ensure_ascii=False) + "\n"
    for name, page in pages.items():
        path, content = folder / name, page.encode()
        if not path.exists() or path.read_bytes() != content:
            write_bytes(path, content)


def _listed(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # half a list is none: it fills again as units run


def _public(manifest):
    """What the index may say: of faults only where they are, since the values may be somebody's."""
    if manifest.state != "failed":
        return manifest.reason
    places = list(dict.fromkeys(line.split(": ")[0] for line in manifest.reason.splitlines()))
    return "; ".join(places[:3]) + ("; …" if len(places) > 3 else "")


def _index(root, states, lang):
    words, units = Words(lang), []
    for name, state in states.items():
        try:
            values = read_params(root / "params" / f"{name}.yaml").values
        except (SkillsgapError, OSError, RecursionError):
            values = {"title": {"en": name}, "fictional": False, "report_languages": [], "status": "cleared"}
        pages = [code for code in values["report_languages"] if (root / "reports" / name / f"{code}.html").exists()]
        units.append({
            "title": words.text(values["title"]), "fictional": values["fictional"],
            "status": unit_status(values), **state,
            "links": [{"label": LANGUAGES[code], "href": f"{name}/{code}.html", "lang": code} for code in pages],
        })  # fmt: skip
    return index_page(units, words, other_pages={code: name for code, name in INDEX.items() if code != lang})


