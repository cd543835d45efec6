"""One unit opened: its stage tables, each loaded where it is kept and computed where it isn't."""

import json
import os
from functools import cached_property
from pathlib import Path

from skillsgap.errors import ParamsError, StudyError, Waiting
from skillsgap.run import chain
from skillsgap.run.measurement import draw_levels
from skillsgap.run.profiles import profile_answers
from skillsgap.run.store import Store, file_digest, fit_key, table_digest, write_bytes
from skillsgap.study.params import DEFAULTS, read_params
from skillsgap.study.reading.readers import find_file, open_source
from skillsgap.study.records import Study, read_study
from skillsgap.study.synthetic.country import draw_missing

DATA = "SKILLSGAP_DATA"  # folder of outside data, for notebooks, whose parameters don't name it
MAKES = {table: stage for stage, tables in chain.STAGES.items() for table in tables}


def project_root(start=None):
    """The folder with params/, at or above a folder."""
    start = Path(start or os.getcwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "params").is_dir():
            return folder
    raise ParamsError(f"there is no params/ folder in {start.name}/ or above it: start from the project's folder")


def unit_names(root):
    """Names of all units that have a params file."""
    return sorted(path.stem for path in (Path(root) / "params").glob("*.yaml") if path.name != DEFAULTS)


def open_unit(name, *, agency=None, overrides=None, data=None, root=None):
    """Open a unit by name: its stage tables load from the store, or are computed and kept.

    A fictional country whose files aren't there is drawn first.

    Parameters
    ----------
    name : str
        As in ``params/<name>.yaml``.
    agency : str, optional
        View of one agency.
    overrides : mapping, optional
        What-ifs over the params; they have a store of their own and never reach a report.
    data : path-like, optional
        Folder of outside data; by default the environment's SKILLSGAP_DATA.
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.

    Returns
    -------
    Unit

    Raises
    ------
    ParamsError, StudyError
        One line a fault.
    Waiting
        A declared outside source is absent.
    """
    root = project_root(root)
    path = root / "params" / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(unit_names(root))
        raise ParamsError(f"there is no params/{name}.yaml: units here are {known}")
    params = read_params(path, overrides=overrides)
    if params.values["fictional"]:
        draw_missing(root, [name])
    return Unit(params, agency=agency, data=data or os.environ.get(DATA) or None, root=root)


class Unit:
    """A unit and its stage tables.

    Parameters
    ----------
    params : Params
    agency : str or None
    data : path-like or None
    root : Path
    """

    def __init__(self, params, *, agency, data, root):
        self.params, self.values, self.name = params, params.values, params.unit
        self.agency, self.data, self.root = agency, data, Path(root)
        self.key = fit_key(params, self._digests(), root)
        self.store = Store(self.root / "build" / self.name / self.key)
        self.computed = []
        self._tables = {}
        if agency is not None and agency not in self._agencies():
            raise ParamsError(f"{self.name} has no agency {agency!r}: agencies are {', '.join(self._agencies())}")

    def table(self, name):
        """A stage table, or None where this unit has none."""
        if name not in self._tables:
            self._tables[name] = self.store.read(name) if name in self._made(MAKES[name]) else None
        return self._tables[name]

    def compute(self):
        """Every stage that isn't kept yet, in order; yields the name of each as it begins."""
        for stage in chain.STAGES:
            if not self._done(stage):
                yield stage.__name__
                self._made(stage)

    @cached_property
    def design(self):
        """The calibrated survey design."""
        return chain.read_design(self)

    @cached_property
    def study(self):
        """The validated tables."""
        return Study(**{name: self.table(name) for name in chain.STAGES[chain.study]})

    @property
    def population(self):
        """Respondents the estimates speak for: a boolean Series over row keys."""
        return self.table("responses")["in_population"].astype(bool)

    @cached_property
    def facts(self):
        """Single figures of the data: dict from name to value."""
        return self.table("facts").set_index("name")["value"].to_dict()

    @cached_property
    def labels(self):
        """Names of codes: (column, code) to text per language."""
        names = {}
        for column, code, lang, text in self.table("labels").itertuples(index=False):
            names.setdefault((column, code), {})[lang] = text
        declared = self.values.get("labels", {})
        return names | {(column, str(c)): texts for column, codes in declared.items() for c, texts in codes.items()}

    @cached_property
    def answers(self):
        """What the profiles are formed on: one row a respondent, whole levels or codes."""
        return profile_answers(self)

    @cached_property
    def calibrated(self):
        """Plausible levels of every respondent, calibrated to what an assessor found where one tested some."""
        return draw_levels(self)

    @cached_property
    def levels(self):
        """Plausible levels of the population: a list of frames."""
        return [draw[self.population.to_numpy()] for draw in self.calibrated.draws]

    @cached_property
    def required(self):
        """Level each respondent's role requires in each competency."""
        return chain.required(self)

    def _agencies(self):
        register = self.table("register")
        return [] if register is None else sorted(register["agency_id"].unique())

    def _digests(self):
        """Digest of every declared file or table; where one is missing, that is told with all other faults."""
        data = self.values["data"]
        declared = {(name,): spec for name, spec in data.items() if name != "crosswalks"}
        declared |= {("crosswalks", name): spec for name, spec in data.get("crosswalks", {}).items()}
        digests = {}
        try:
            for keys, spec in sorted(declared.items()):
                where = {"params": self.params, "data": self.data, "keys": ("data", *keys)}
                if "file" in spec:
                    digests[".".join(keys)] = file_digest(find_file(spec, **where))
                elif "url" in spec:
                    digests[".".join(keys)] = table_digest(open_source(spec, **where))
        except (StudyError, Waiting):
            read_study(self.params, data=self.data)
            raise
        return digests

    def _marker(self, stage):
        return self.store.folder / f"{stage.__name__}.json"

    def _done(self, stage):
        marker = self._marker(stage)
        return marker.exists() and all(map(self.store.has, json.loads(marker.read_text())))

    def _made(self, stage):
        """Names of the tables a stage made; computes them where that hasn't happened."""
        if not self._done(stage):
            made = {name: table for name, table in stage(self).items() if table is not None}
            for name, table in made.items():
                self.store.write(name, table)
            write_bytes(self._marker(stage), (json.dumps(sorted(made)) + "\n").encode())
            self.computed.append(stage.__name__)
        return json.loads(self._marker(stage).read_text())
