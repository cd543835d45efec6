"""The verbs of the command line; nothing heavy is imported before a verb needs it."""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from skillsgap.errors import SkillsgapError
from skillsgap.run import THREADS

ASIDE = ("mutations", "validate", "bad_input", "own_data", "plan", "oracles", "threestep", "covariances",
         "shares")  # take as long as all others together; none needs the project that runs once with all notebooks
EXTRAS = {"runtime": [], "test": ["--extra", "test"], "all": ["--all-extras"]}


def main(argv=None):
    """Run one verb; returns the exit code."""
    arguments = _parser().parse_args(argv)
    os.environ.update(THREADS)
    try:
        return arguments.verb(arguments)
    except SkillsgapError as error:
        return _refuse(str(error))
    except OSError as error:  # a full disk, a folder nobody may write to
        return _refuse(f"{error.filename or 'files'}: {error.strerror}: see that it can be read and written")
    except KeyboardInterrupt:
        return _refuse("stopped: what was finished stays, and is not made again")


def _parser():
    parser = argparse.ArgumentParser(prog="skillsgap", description="Skills gaps and plans for the public sector.")
    verbs = parser.add_subparsers(required=True, metavar="verb")

    def verb(does, what, *arguments):
        added = verbs.add_parser(does.__name__.lstrip("_"), help=what)
        for names, options in arguments:
            added.add_argument(*names, **options)
        added.set_defaults(verb=does)

    data = (["--data"], {"metavar": "FOLDER", "help": "folder of outside data"})
    units = (["units"], {"nargs": "*", "metavar": "UNIT"})
    unit = (["unit"], {"metavar": "UNIT"})
    verb(_reports, "make the reports of all units, or of those named", units, data)
    verb(_validate, "say what each unit will print and withhold, why, and what would unlock more", units, data)
    verb(_queries, "write a page of questions to the owner of a unit's data", unit, data,
         (["--lang"], {"metavar": "LANG", "help": "language of the page; by default the data owner's"}))  # fmt: skip
    verb(_init, "look at files and write a first params file, with its guesses explained",
         (["files"], {"nargs": "+", "metavar": "FILE"}),
         (["--output"], {"required": True, "metavar": "params/UNIT.yaml"}))  # fmt: skip
    verb(_questionnaire, "write a unit's questionnaire: XLSForm, paper, and params that load the answers", unit, data)
    verb(_review, "write the sheet on which a native speaker reviews the Uzbek, or load a corrected one",
         (["--corrected"], {"metavar": "FILE", "help": "a corrected sheet, .xlsx or .csv"}))  # fmt: skip
    verb(_columns, "list the columns of every table a unit may bring")
    verb(_synthetic, "draw the fictional countries' data again")
    verb(_truth, "print planted values of a fictional unit beside drawn and estimated ones", unit)
    verb(_notebooks, "run the notebooks that are committed with outputs, in place")
    verb(_test, "run the tests", data)
    verb(_verify, "run the longer proofs: real files, large registers, coverage of intervals", data)
    verb(_bench, "run the benchmarks")
    verb(_lock, "resolve the dependencies anew into requirements/ (needs uv)")
    return parser


def _reports(arguments):
    from skillsgap.run.unit import unit_names

    started = time.perf_counter()
    root = _root(_named(arguments))
    refused = _unknown(arguments, root)
    if refused:
        return _refuse(refused)
    from skillsgap.run.batch import run_batch

    shown = _Progress(arguments.units or unit_names(root))
    manifests = run_batch(
        arguments.units or None, data=arguments.data, root=root, progress=shown.step, finished=shown.finished
    )
    shown.close()
    return _summary(manifests, bool(arguments.units), time.perf_counter() - started)


def _named(arguments):
    """The units that were named; none where all are meant."""
    return arguments.units if "units" in arguments else [arguments.unit]


def _root(units):
    """The project folder, with the fictional countries of these units drawn, or all of them where none is named."""
    from skillsgap.run.unit import project_root
    from skillsgap.study.synthetic.country import draw_missing

    root = project_root()
    for name in draw_missing(root, units):
        print(f"{name}: drawn (synthetic)")
    return root


def _unknown(arguments, root):
    """What is wrong with the units and the folder that were named; None where nothing is."""
    from skillsgap.run.unit import unit_names

    known = unit_names(root)
    unknown = [name for name in _named(arguments) if name not in known]
    if unknown:
        return f"there is no params/{unknown[0]}.yaml: units here are {', '.join(known)}"
    if arguments.data and not Path(arguments.data).is_dir():
        return f"DATA={arguments.data}: there is no such folder: name the folder that holds the files"
    return None


def _validate(arguments):
    root = _root(_named(arguments))
    refused = _unknown(arguments, root)
    if refused:
        return _refuse(refused)
    from skillsgap.run.forecast import forecast
    from skillsgap.run.matrix import matrix

    found = forecast(root, arguments.units or None, data=arguments.data)
    print(matrix(found))
    return int(any(unit.faults for unit in found))


def _queries(arguments):
    root = _root(_named(arguments))
    refused = _unknown(arguments, root)
    if refused:
        return _refuse(refused)
    from skillsgap.run.queries import write_queries

    made = write_queries(arguments.unit, root=root, data=arguments.data, lang=arguments.lang)
    print(f"{made.path.relative_to(root)}: {made.asked} questions")
    for line in made.own:
        print(f"  yours to mend: {line}")
    return 0


def _init(arguments):
    from skillsgap.run.store import write_bytes
    from skillsgap.study.first.first_params import first_params

    target = Path(arguments.output)
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\.yaml", target.name):
        return _refuse(f"{target.name}: a unit is named in small letters, figures and hyphens: as in kor-piaac.yaml")
    if target.exists():
        return _refuse(f"{target}: there is such a file: name another, or move it away")
    absent = [file for file in arguments.files if not Path(file).is_file()]
    if absent:
        return _refuse(f"{absent[0]}: there is no such file: name the files to look at")
    write_bytes(target, first_params(arguments.files, unit=target.stem, beside=target.parent).encode())
    print(f"written {target}: read its comments, fill in what says TODO, then make validate UNIT={target.stem}")
    return 0


def _questionnaire(arguments):
    root = _root(_named(arguments))
    refused = _unknown(arguments, root)
    if refused:
        return _refuse(refused)
    from skillsgap.run.questionnaire import write_questionnaire

    made = write_questionnaire(arguments.unit, root=root, data=arguments.data)
    print(f"{made.questions} questions, about {made.minutes} minutes; {made.verdict}")
    for path in made.files:
        print(f"  {path.relative_to(root)}")
    print(made.export)
    return int(made.verdict.startswith("refused"))


def _review(arguments):
    from skillsgap.run.review import load_review, write_review
    from skillsgap.run.unit import project_root

    root = project_root()
    if arguments.corrected:
        if not Path(arguments.corrected).is_file():
            return _refuse(f"{arguments.corrected}: there is no such file: name the corrected sheet")
        corrected = load_review(arguments.corrected, root=root)
        for place, before, now in corrected.changes:
            print(f"{place}: {before} -> {now}")
        for note in corrected.notes:
            print(note)
        print(f"{len(corrected.changes)} texts changed")
        return 0
    for path in write_review(root=root):
        print(path.relative_to(root))
    return 0


class _Progress:
    """A bar on a terminal, plain lines elsewhere."""

    def __init__(self, units):
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=len(units), unit="unit", bar_format="{desc:<40} {bar} {n_fmt}/{total_fmt} {elapsed}")

    def step(self, unit, step):
        if self._bar is None:
            print(f"{unit}: {step}", flush=True)
        else:
            self._bar.set_description_str(f"{unit}: {step}")

    def finished(self, manifest):
        lines = [f"{manifest.unit}: {manifest.state}", *(f"  {line}" for line in manifest.reason.splitlines())]
        if self._bar is None:
            print("\n".join(lines), flush=True)
        else:
            self._bar.write("\n".join(lines))
            self._bar.update()

    def close(self):
        if self._bar is not None:
            self._bar.close()


def _summary(manifests, named, seconds):
    from skillsgap.run.batch import STATES

    made = [m for m in manifests if m.state == "done"]
    files = sum(len(m.files) + 1 for m in made)
    stages = sum(len(m.stages) for m in manifests)
    states = [f"{sum(m.state == s for m in manifests)} {s}" for s in STATES]
    print(f"{', '.join(states)}; {stages} stages computed, {files} files written to reports/ in {seconds:.1f} s")
    if any(m.state in ("done", "unchanged") for m in manifests):
        print("open reports/index.html")
    failed = any(m.state == "failed" for m in manifests)
    return 1 if failed or (named and any(m.state == "waiting" for m in manifests)) else 0


def _columns(_):
    from skillsgap.contracts import CONTRACTS, INPUTS

    for table in INPUTS:
        print(f"{table}: a row is one {' + '.join(CONTRACTS[table].key)}")
        for name, column in CONTRACTS[table].columns.items():
            limits = [f"{x:g}" if x is not None else "" for x in (column.low, column.high)]
            span = f" {'..'.join(limits)}" if any(limits) else ""
            allowed = f" one of {', '.join(column.levels)}" if column.levels else span
            unit = f" {column.unit}" if column.unit else ""
            print(f"  {name:<18} {'' if column.required else 'optional '}{column.kind}{allowed}{unit}")
    return 0


def _synthetic(_):
    from skillsgap.run.unit import project_root
    from skillsgap.study.synthetic.country import draw_country

    for path in sorted((project_root() / "data" / "synthetic").glob("*/spec.yaml")):
        draw_country(path)
        print(f"{path.parent.name}: drawn (synthetic)")
    return 0


def _truth(arguments):
    from skillsgap.run.truth import coverage, drawn_moments, planted, summary
    from skillsgap.run.unit import open_unit

    _root(_named(arguments))
    unit = open_unit(arguments.unit)
    planted(unit)  # refuses a real country
    for said, table in (("planted and drawn", drawn_moments(unit)), ("planted and estimated", summary(unit)),
                        ("how many planted values the 95 % intervals hold", coverage(unit))):  # fmt: skip
        print(f"{said} (synthetic):\n{table.round(4).to_string(index=False)}\n")
    return 0


def _notebooks(_):
    from skillsgap.run.notebooks import COMMITTED, refresh
    from skillsgap.run.unit import project_root

    for name in COMMITTED:
        refresh(name, project_root())
        print(f"{name}: run in place")
    return 0


def _test(arguments):
    from skillsgap.run.notebooks import COMMITTED
    from skillsgap.run.unit import DATA, project_root

    root = project_root()
    if arguments.data:
        os.environ[DATA] = str(Path(arguments.data).resolve())
    notebooks = [f"notebooks/{name}.ipynb" for name in COMMITTED]
    command, others = [sys.executable, "-m", "pytest", "-q"], [f"tests/test_{name}.py" for name in ASIDE]
    # half of the time goes to a few files: they run beside the rest, and are printed after it
    aside = subprocess.Popen([*command, *others], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    runs = ([*command, "tests", *(f"--ignore={name}" for name in others), "--doctest-modules", "skillsgap"],
            [*command, "--nbval", "--nbval-sanitize-with", "tests/nbval.cfg", *notebooks])  # fmt: skip
    codes = [subprocess.run(run, cwd=root).returncode for run in runs]
    sys.stdout.buffer.write(aside.communicate()[0])
    return max(*codes, aside.returncode)


def _bench(_):
    return _programs("benchmarks")


def _verify(arguments):
    from skillsgap.run.unit import DATA

    if arguments.data:
        os.environ[DATA] = str(Path(arguments.data).resolve())
    return _programs("verification")


def _programs(folder):
    """Run every program of a folder, each as a process of its own; the worst exit code is ours."""
    from skillsgap.run.unit import project_root

    root = project_root()
    programs = sorted((root / folder).glob("*.py"))
    return max(subprocess.run([sys.executable, str(program)], cwd=root).returncode for program in programs)


def _lock(_):
    from skillsgap.run.unit import project_root

    root, options = project_root(), ["--universal", "--generate-hashes", "--no-build", "--no-emit-index-url",
                                     "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet",
                                     "--python-version", "3.11"]  # fmt: skip
    for name, extras in reversed(EXTRAS.items()):
        target = root / "requirements" / f"{name}.txt"
        # one resolution for all: the smaller locks hold the versions of the largest
        bound = [] if name == "all" else ["--constraint", "requirements/all.txt"]
        command = ["uv", "pip", "compile", "pyproject.toml", *extras, *options, *bound, "--output-file", str(target)]
        try:
            code = subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL).returncode
        except FileNotFoundError:
            return _refuse("lock needs uv: pip install uv")
        if code:
            return code
    return 0


def _refuse(line):
    print(line, file=sys.stderr)
    return 2
