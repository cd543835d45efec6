"""The repository keeps its own promises: layers, dependencies and locks, notebooks, names, schema, sizes."""

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import skillsgap as sg
from skillsgap.contracts import CONTRACTS

REPO = Path(__file__).parents[1]
PACKAGE = REPO / "skillsgap"
LAYERS = tomllib.loads((REPO / "tests" / "layers.toml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))
# committed with outputs, compared by nbval
COMMITTED = ("00_start_here", "01_records_and_quality", "04_skills_gaps", "08_report")
IMPORTED_AS = {"sklearn": "scikit-learn", "yaml": "pyyaml"}  # module -> distribution, where the names differ
CONDA_NAMES = {"playwright-python": "playwright"}  # conda-forge -> PyPI, where the names differ
LONGEST = 420  # lines of a file: read in one sitting


# --- layers ------------------------------------------------------------------------------------------------------


def module_of(path):
    """run/cli.py -> run.cli; run/__init__.py -> run.__init__."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(name):
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imported(name):
    """Dotted names a module imports anywhere, also inside functions."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} line {node.lineno}: a relative import hides the room it is from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(name):
    """Modules of the package a module imports; a name is looked for in the package itself, then in its module."""
    for dotted in imported(name):
        parts = dotted.split(".")
        if parts[0] == "skillsgap":
            inside = [".".join(parts[1:n]) for n in range(len(parts), 1, -1)]
            yield next(m for place in inside for m in (place, f"{place}.__init__") if m in MODULES)


def room_of(name):
    return name.split(".")[0] if "." in name else "floor" if name in LAYERS["floor"] else "top"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_layer_may(name):
    room, own = room_of(name), name.rpartition(".")[2]
    for other in own_imports(name):
        there = room_of(other)
        if room == "floor":
            allowed = False
        elif room == "top":
            allowed = other in LAYERS["top"][name]
        elif there == room:
            allowed = other.rpartition(".")[2] in LAYERS[room].get(own, [])
        else:
            allowed = there == "floor" or there in LAYERS["rooms"][room]
        assert allowed, f"{name} imports {other}, which tests/layers.toml doesn't allow"


def test_rooms_stand_in_the_order_of_the_work_and_estimate_and_decide_on_the_floor_alone():
    order, rooms = LAYERS["order"], LAYERS["rooms"]
    assert order == ["study", "estimate", "decide", "publish", "run"] and set(rooms) == set(order)
    assert {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()} == set(order)
    for room, others in rooms.items():
        assert all(order.index(other) < order.index(room) for other in others)
    assert rooms["estimate"] == rooms["decide"] == []


@pytest.mark.parametrize("room", LAYERS["order"])
def test_imports_inside_a_room_are_named_and_without_circles(room):
    allowed, done = LAYERS[room], {"__init__"}
    here = {name.rpartition(".")[2] for name in MODULES if room_of(name) == room} - {"__init__"}
    assert set(allowed) == here, "tests/layers.toml names each module of a room, and no other"
    left = dict(allowed)
    while left:
        free = [name for name, needs in left.items() if set(needs) <= done]
        assert free, f"{room}: {sorted(left)} import each other in a circle"
        done |= {name for name in free if left.pop(name) is not None}


def test_only_the_package_itself_loads_modules_by_name():
    for name in MODULES:
        if any(dotted.split(".")[0] == "importlib" for dotted in imported(name)):
            assert name == "__init__"


def test_importing_the_package_alone_loads_nothing_heavy():
    code = "import sys, skillsgap; print([m for m in ('numpy', 'pandas', 'scipy', 'sklearn') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_public_name_is_there_and_says_what_it_is():
    assert set(dir(sg)) == set(sg.__all__) and len(sg.__all__) == len(set(sg.__all__))
    for name in set(sg.__all__) - {"__version__"}:
        value = getattr(sg, name)
        assert value.__doc__ and value.__module__.startswith("skillsgap."), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sg.nothing  # noqa: B018


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name) in ("estimate", "decide")])
def test_estimate_and_decide_read_no_files_print_nothing_and_draw_nothing(name):
    called = {node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
              for node in ast.walk(tree(name)) if isinstance(node, ast.Call)}
    files = re.compile(r"open|print|input|read_\w+|to_(csv|parquet|excel|json|pickle|sql|html|feather)|savetxt|save|"
                       r"loadtxt|fromfile|tofile|memmap|unlink|mkdir|write_\w+|system|Popen")
    assert not sorted(filter(files.fullmatch, called))
    heads = {dotted.split(".")[0] for dotted in imported(name)}
    assert not heads & {"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "logging", "matplotlib", "seaborn",
                        "random"}


# --- dependencies and locks ----------------------------------------------------------------------------------------


def requirements_of(*extras):
    texts = PROJECT["dependencies"] + [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    return {canonicalize_name(r.name): r for r in map(Requirement, texts)}


@cache
def lock(name):
    """Distribution -> the versions it is locked to (several, where markers tell platforms apart)."""
    text, versions = (REPO / "requirements" / f"{name}.txt").read_text(encoding="utf-8"), {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        pinned, *hashes = (line.strip().rstrip("\\").strip() for line in entry.splitlines())
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), pinned
        requirement = Requirement(pinned)
        [specifier] = requirement.specifier
        assert specifier.operator == "==" and requirement.url is None, pinned
        versions.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return versions


LOCKS = {"runtime": [], "test": ["test"], "all": list(PROJECT["optional-dependencies"])}


def test_every_library_the_package_imports_is_a_declared_dependency():
    heads = {dotted.split(".")[0] for name in MODULES for dotted in imported(name)}
    used = {IMPORTED_AS.get(head, head) for head in heads - set(sys.stdlib_module_names) - {"skillsgap"}}
    # of the extras, the package itself reads databases and asks pyxform
    assert not used - set(requirements_of("sql", "forms"))


@pytest.mark.parametrize("name, extras", LOCKS.items())
def test_a_lock_holds_every_direct_dependency_within_its_range(name, extras):
    versions = lock(name)
    for dependency, requirement in requirements_of(*extras).items():
        assert dependency in versions, f"{dependency} is not in requirements/{name}.txt: make lock"
        assert all(requirement.specifier.contains(version) for version in versions[dependency]), dependency


def test_the_larger_locks_hold_the_smaller_ones_versions():
    for smaller, larger in (("runtime", "test"), ("runtime", "all"), ("test", "all")):
        assert all(versions <= lock(larger).get(name, set()) for name, versions in lock(smaller).items()), larger


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_local_path(name):
    text = (REPO / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted|^-e|file:| @ |^\.|^/", text, re.MULTILINE)


def test_the_build_backend_is_installed_with_the_rest():
    build = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    for text in build:  # the project itself is installed without build isolation
        assert canonicalize_name(Requirement(text).name) in lock("runtime")


def test_environment_yml_says_the_same_as_pyproject():
    environment = yaml.safe_load((REPO / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"][0] == "conda-forge"
    *plain, pip = environment["dependencies"]
    assert pip["pip"][-1] == "-e ."
    listed = [Requirement(text) for text in plain + pip["pip"][:-1]]
    assert len({r.name for r in listed}) == len(listed)
    ranges = {canonicalize_name(CONDA_NAMES.get(r.name, r.name)): r.specifier for r in listed}
    assert ranges.pop("python") == SpecifierSet(PROJECT["requires-python"]) and not ranges.pop("pip")
    assert ranges == {name: r.specifier for name, r in requirements_of(*PROJECT["optional-dependencies"]).items()}


# --- notebooks -----------------------------------------------------------------------------------------------------


@cache
def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@each_notebook
def test_a_cell_is_short_and_defines_and_repeats_nothing(path):
    banned = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)
    for cell in cells(path, "code"):
        assert len(cell.source.splitlines()) <= 15, cell.source
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, banned)], cell.source


@each_notebook
def test_one_cell_holds_the_four_parameters(path):
    [cell] = [cell for cell in cells(path, "code") if "parameters" in cell.metadata.get("tags", [])]
    body = ast.parse(cell.source).body
    assert [node.targets[0].id for node in body] == ["unit", "agency", "lang", "overrides"]
    values = [ast.literal_eval(node.value) for node in body]
    assert values == ["arvenia", None, "en", {}]
    assert cells(path, "code")[0] == cell  # papermill puts its own right below


@each_notebook
def test_the_last_section_says_what_the_notebook_does_not_show(path):
    text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert headings[-1] == "What this does not show" or path.stem == "08_report"


@each_notebook
def test_a_notebook_holds_no_error_and_no_place_on_anyone_s_machine(path):
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    shown = [data for output in outputs for kind, data in output.data.items() if not kind.startswith("image/")]
    text = json.dumps([shown, [cell.source for cell in cells(path, "code")]])
    assert not re.search(r"(?<![\w.<])/(home|root|work|tmp|Users|usr|var|mnt|opt)/|[A-Za-z]:\\\\", text)


@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_notebook_was_run_from_top_to_bottom(name):
    code = cells(REPO / "notebooks" / f"{name}.ipynb", "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "make notebooks"
    assert sum(bool(cell.outputs) for cell in code) >= 4


# --- data as data --------------------------------------------------------------------------------------------------


def test_the_schema_of_params_is_a_json_schema_and_forbids_unknown_keys():
    schema = json.loads((PACKAGE / "study" / "params.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert {path.name for path in (REPO / "params").glob("*.yaml")} >= {"_defaults.yaml", "arvenia.yaml"}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_column_of_a_contract_has_a_kind_and_its_key_exists(contract):
    for name, column in contract.columns.items():
        assert column.kind in ("text", "number", "integer", "date", "flag"), name
        assert column.identifies in ("no", "direct", "near", "sensitive"), name
        assert not column.levels or column.kind == "text", name
        assert column.low is None or column.high is None or column.low < column.high, name
    assert contract.key and set(contract.key) <= set(contract.columns)
    assert contract.person_level or not {c for c, rule in contract.columns.items() if rule.identifies == "direct"}


@pytest.mark.skipif(not shutil.which("git") or not (REPO / ".git").exists(), reason="this is no clone")
def test_no_tracked_file_is_large_and_no_source_file_is_long():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    tracked = [REPO / name for name in names.split("\0") if name and (REPO / name).exists()]
    assert not [path.name for path in tracked if path.stat().st_size > 1_000_000]
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LONGEST, f"{path.name} has {lines} lines"


def test_every_target_of_make_forwards_to_a_verb_that_exists():
    recipes = re.findall(r"^\t@?(.+)$", (REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    verbs = {m.group(1) for recipe in recipes if (m := re.match(r"\$\(RUN\) (\w+)", recipe))}
    helped = subprocess.run([sys.executable, "-m", "skillsgap", "--help"], cwd=REPO, capture_output=True, text=True)
    assert helped.returncode == 0 and verbs and all(re.search(rf"^ +{verb}\b", helped.stdout, re.M) for verb in verbs)


def test_every_module_can_be_imported():
    for name in MODULES:
        importlib.import_module("skillsgap" if name == "__init__" else f"skillsgap.{name.removesuffix('.__init__')}")
