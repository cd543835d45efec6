"""What a run would print, and what it would withhold and why: each unit's tables are read and checked, nothing fitted.

Whether the tables can carry an estimate shows only when it is made: margins that can't be met together, a competency
whose items agree too little, or a plan without a solution are found by the run itself.
"""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from skillsgap.errors import ParamsError, SkillsgapError, StudyError, Waiting
from skillsgap.estimate.measures.scoring import LEVEL_TYPES, score_competencies
from skillsgap.estimate.survey.margins import margin_faults
from skillsgap.publish.foot import LONELY
from skillsgap.publish.gates import data_reasons, reasons_for
from skillsgap.publish.naming import column_name
from skillsgap.run import chain
from skillsgap.run.questionnaire import form_of
from skillsgap.run.release import UNMAPPED, unit_status
from skillsgap.run.unit import project_root, unit_names
from skillsgap.study.params import read_params
from skillsgap.study.reading.readers import find_file
from skillsgap.study.records import read_study
from skillsgap.wording import Words

# what a unit may lack, in the order of the work
TABLES = ("responses", "items", "competencies", "aggregates", "register", "requirements", "courses", "course_effects",
          "plan", "indicators")  # fmt: skip
ANSWERS = ("responses", "items", "competencies")
PUBLISHED = ("aggregates", "competencies")
# what each stage is made of: any one of these will do ("derive": requirements derived from tested workers)
NEEDS = {
    "means": (ANSWERS, PUBLISHED),
    "profiles": (ANSWERS,),
    "staff": ((*ANSWERS, "register"),),
    "gaps": ((*ANSWERS, "requirements"), (*ANSWERS, "derive"), (*PUBLISHED, "requirements")),
    "priorities": ((*ANSWERS, "requirements"),),
    "plan": ((*ANSWERS, "register", "requirements", "courses", "course_effects", "plan"),),
    "readiness": (("indicators",),),
}
# the kind of claim that stands or falls with a stage
KIND = {"means": "means", "profiles": "profiles", "staff": "profiles", "gaps": "gaps", "priorities": "gaps",
        "plan": "plan", "readiness": "readiness"}  # fmt: skip
STAGES = ("read", "quality", *NEEDS)


@dataclass(frozen=True)
class Forecast:
    """What a run of one unit would come to.

    Parameters
    ----------
    unit : str
    status : {"draft", "queried", "cleared", ""}
        As in its params; empty where these can't be read.
    states : dict of str to str
        For each of STAGES: printed, withheld, missing, waiting or fault.
    missing : dict of str to tuple of str
        For each stage that is missing, the tables it lacks, in the order of the work.
    reasons : tuple of str
        Why, one line each.
    unlocks : dict of str to tuple of str
        For each absent table, the stages that it alone would make possible.
    faults : tuple of str
        One line each, those that concern most rows first; of a unit that can be reported, those of its questionnaire.
    """

    unit: str
    status: str
    states: dict
    missing: dict = field(default_factory=dict)
    reasons: tuple = ()
    unlocks: dict = field(default_factory=dict)
    faults: tuple = ()

    @property
    def compared(self):
        """Whether the unit may stand beside others: only what a data owner has answered for does."""
        return self.status == "cleared"

    @property
    def most(self):
        """The absent table that would unlock most stages, the first of several in the order of the work, or None."""
        return max(self.unlocks, key=lambda table: len(self.unlocks[table]), default=None)


def comparable_units(root=None):
    """Names of the units that enter comparisons: those whose data are cleared, and invented ones unless they say else.

    Parameters
    ----------
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.

    Returns
    -------
    list of str
        Units whose params can't be read are none of them.
    """
    root = project_root(root)
    names = []
    for name in unit_names(root):
        try:
            cleared = unit_status(read_params(root / "params" / f"{name}.yaml").values) == "cleared"
        except (SkillsgapError, OSError, RecursionError):
            cleared = False
        names += [name] if cleared else []
    return names


def forecast(root=None, units=None, *, data=None):
    """Foretell what a run of each unit would print; reads and checks its tables, fits and writes nothing.

    Parameters
    ----------
    root : path-like, optional
        Project folder; by default the one with ``params/`` at or above the working folder.
    units : sequence of str, optional
        By default all that have a params file.
    data : path-like, optional
        Folder of outside data.

    Returns
    -------
    list of Forecast
        In the order of the units; what is wrong with one stops no other.

    Raises
    ------
    ParamsError
        A unit that is named has no params file.
    """
    root = project_root(root)
    known = unit_names(root)
    unknown = [name for name in units or () if name not in known]
    if unknown:
        raise ParamsError(f"there is no params/{unknown[0]}.yaml: units here are {', '.join(known)}")
    return [_unit(name, root / "params" / f"{name}.yaml", data) for name in units or known]


def _unit(name, path, data):
    status = ""
    try:
        params = read_params(path)
        status = unit_status(params.values)
        study = read_study(params, data=data)
        if study.responses is not None:  # raises what keeps a variance from being told
            chain.base_design(study.responses, study.replicate_weights, params.values, method="linearization")
        if faults := _of_margins(study, params.values["design"]["calibrate"]):
            return _stopped(name, status, faults)
        found = _of_study(params, study)
        return replace(found, faults=_of_form(params, data))
    except Waiting as error:
        return _waits(params, data, str(error))
    except StudyError as error:
        return _stopped(name, status, map(str, error.problems))
    except SkillsgapError as error:
        return _stopped(name, status, str(error).splitlines())
    except OSError as error:
        return _stopped(name, status, [f"{error.filename or name}: {error.strerror}: see that it can be read"])
    except Exception as error:  # noqa: BLE001 - a bug of ours must not stop the other units
        first = next(iter(str(error).splitlines()), "")
        return _stopped(name, status, [f"unexpected {type(error).__name__} in {name}: {first}: please report this"])


def _of_margins(study, margins):
    """Why respondents can't be weighted to the register, one line each."""
    responses, register = study.responses, study.register
    if responses is None or register is None:
        return []
    return margin_faults(responses, responses["weight"], register, margins=margins)


def _of_form(params, data):
    """Faults of the questionnaire that params ask for, one line each; they stop the form, and no report."""
    try:
        if "questionnaire" in params.values:
            form_of(params, data)
    except StudyError as error:
        return tuple(f"make questionnaire: {problem}" for problem in error.problems)
    return ()


def _stopped(name, status, lines):
    return Forecast(name, status, dict.fromkeys(STAGES, "fault"), faults=tuple(lines))


def absent_files(params, data):
    """Outside files that aren't there: dict from table to its declaration and to the line that says what it waits for.

    Parameters
    ----------
    params : Params
    data : path-like or None

    Returns
    -------
    dict of str to (dict, str)
        A crosswalk is called ``crosswalk <name>``.
    """
    declared = {name: (("data", name), spec) for name, spec in params.values["data"].items() if name != "crosswalks"}
    for name, spec in params.values["data"].get("crosswalks", {}).items():
        declared[f"crosswalk {name}"] = (("data", "crosswalks", name), spec)
    absent = {}
    for name, (keys, spec) in declared.items():
        try:
            if "file" in spec:
                find_file(spec, params=params, data=data, keys=keys)
        except Waiting as error:
            absent[name] = spec, str(error)
    return absent


def _waits(params, data, line):
    """A unit whose outside files aren't there: all of it waits; where it is one file, that unlocks everything."""
    absent = absent_files(params, data)
    reasons = [told for _, told in absent.values()] or [line]
    unlocks = dict.fromkeys(absent, _reached(_there(params.values))) if len(absent) == 1 else {}
    states = dict.fromkeys(STAGES, "waiting")
    return Forecast(params.unit, unit_status(params.values), states, reasons=tuple(reasons), unlocks=unlocks)


def _there(values):
    """What a unit declares, by the words of NEEDS."""
    data = values["data"]
    there = {name for name, spec in data.items() if {"file", "url", "rows"} & set(spec)}
    if "derive" in data.get("requirements", {}) and data.get("responses", {}).get("plausible_values"):
        there.add("derive")
    return there | ({"plan"} & set(values))


def _reached(there):
    """Stages that can be made of some tables."""
    return tuple(stage for stage, ways in NEEDS.items() if any(set(way) <= there for way in ways))


def _lacks(stage, there):
    """What a stage lacks on the way that is furthest along."""
    way = max(NEEDS[stage], key=lambda way: len(there.intersection(way)))
    return tuple(table for table in TABLES if table in set(way) - there)


def _of_study(params, study):
    """The forecast of a unit whose tables are sound."""
    values, there = params.values, _there(params.values)
    read = SimpleNamespace(values=values, study=study, table=study.tables().get)
    quality = chain.quality(read)["quality"]
    # published figures are put together and not fitted, so that what they come to can be seen at once
    published = chain.means(read) | chain.gaps(read) if study.responses is None else {}
    missing = {stage: _lacks(stage, there) for stage in NEEDS if stage not in _reached(there)}
    reasons = [f"{', '.join(stages)}: needs {', '.join(tables)}" for tables, stages in _together(missing)]
    if published and "gaps" not in published and "gaps" not in missing:
        missing["gaps"] = ("aggregates",)
        reasons.append("gaps: no figure was published of a role whose requirements are known")
    tested = study.responses is None or study.plausible_values is not None
    if not tested and not study.items["type"].isin(LEVEL_TYPES).any():
        missing["means"] = ("items",)
        reasons.append("means: no item is anchored and nothing was tested, so there are no levels")
    elif "means" in missing:
        reasons.append("nothing to estimate: declare data.responses with data.items, or data.aggregates")
    made = [stage for stage in NEEDS if stage not in missing]
    withheld, why = _withheld(study, values, quality, made)
    reasons += [*why, *_lonely(study, values), *_few_groups(study, values, published)]
    states = {stage: "missing" if stage in missing else "withheld" if stage in withheld else "printed"
              for stage in STAGES}  # fmt: skip
    now = set(_reached(there))
    gained = {table: tuple(stage for stage in _reached(there | {table}) if stage not in now)
              for table in TABLES if table not in there}  # fmt: skip
    unlocks = {table: stages for table, stages in gained.items() if stages}
    return Forecast(params.unit, unit_status(values), states, missing, tuple(reasons), unlocks)


def _together(missing):
    """Stages that lack the same, each group once."""
    groups = {}
    for stage, tables in missing.items():
        groups.setdefault(tables, []).append(stage)
    return groups.items()


def _withheld(study, values, quality, made):
    """Stages that are made and not printed, and one line a reason, on single claims too."""
    claims, threshold = values["claims"], values["disclosure"]["threshold"]
    margins = values["design"]["calibrate"] if study.register is not None else ()
    words, withheld, lines = _words(values), set(), []
    for reason in data_reasons(quality, study.mapped, gates=claims.get("quality", {}),
                               unmapped=claims.get("unmapped", UNMAPPED)):  # fmt: skip
        stages = [stage for stage in made if reasons_for(KIND[stage], [reason], margins)]
        withheld |= set(stages)
        what = ", ".join(stages) or "claims on these codes"
        lines.append(f"withheld: {what}: {words.say(reason.sentence, reason.values).rstrip('.')}")
    answered = None if study.responses is None else int(study.responses["in_population"].sum())
    if answered is not None and answered < claims["respondents"]:
        too_few = set(made) - {"readiness"} if answered < threshold else {"plan"} & set(made)
        withheld |= too_few
        what = ", ".join(["claims", *(stage for stage in made if stage in too_few)])
        needed = claims["respondents"] if answered >= threshold else threshold
        lines.append(f"withheld: {what}: {answered} answered, at least {needed} must")
    return withheld, lines


def _lonely(study, values):
    """What is done about strata with one sampling unit, where there are any."""
    n, done = chain.lonely_strata(study.responses, study.replicate_weights, values)
    return [_words(values)(LONELY[done], n=str(n)).rstrip(".")] if n else []


def _few_groups(study, values, published):
    """Of each split, how many groups have too few respondents to be printed."""
    threshold, words, counts = values["disclosure"]["threshold"], _words(values), {}
    if study.responses is not None:
        inside = study.responses["in_population"].astype(bool)
        people = study.responses[inside]
        answers = study.plausible_values
        answers = score_competencies(study.responses, study.items) if answers is None else answers
        there = answers[inside].notna().mul(people["weight"] > 0, axis=0)
        counts = {by: there.groupby(people[by]).sum().max(axis=1) for by in values["gaps"]["by"]}
    elif "means" in published:
        means = published["means"].astype({"n": float}).fillna({"n": np.inf})  # a number nobody told hides nothing
        splits = means[means["by"] != "all"].groupby("by")
        counts = {by: rows.groupby("group")["n"].max() for by, rows in splits}
    lines = []
    for by, people in counts.items():
        few = int((people < threshold).sum())
        name = words.say("{column}", {"column": column_name(by)})
        if few:
            lines.append(f"{few} of {len(people)} {name} have fewer than {threshold} respondents: withheld")
    return lines


def _words(values):
    named = values.get("labels", {}).items()
    return Words("en", {(column, str(code)): texts for column, codes in named for code, texts in codes.items()})
