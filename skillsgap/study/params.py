"""Read a unit's one params file: what it may say, where it is wrong, and what it means by default."""

import difflib
import json
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from skillsgap.errors import ParamsError, Problem

SCHEMA = Path(__file__).with_name("params.schema.json")
DEFAULTS = "_defaults.yaml"
DEEPEST = 20  # levels of keys in keys; params have 6
TYPES = {"object": "keys with values", "array": "a list", "string": "a text", "integer": "a whole number",
         "number": "a number", "boolean": "true or false", "null": "null"}  # fmt: skip


@dataclass(frozen=True)
class Params:
    """One unit's params, complete with defaults.

    Parameters
    ----------
    path : Path
        The params file.
    values : dict
        Its content over the defaults.
    lines : dict of tuple to int
        Line of each key, by its path of keys.
    """

    path: Path
    values: dict
    lines: dict

    @property
    def unit(self):
        """Name of the unit."""
        return self.values["unit"]

    def line(self, *keys):
        """Line of a key, or of the nearest key above it; None for a default."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys)


def read_params(path, *, overrides=None):
    """Read and check one params file over the documented defaults.

    Parameters
    ----------
    path : path-like
        ``params/<unit>.yaml``; ``_defaults.yaml`` is looked up beside it.
    overrides : mapping, optional
        What-ifs, merged over the file: ``{"plan": {"budget": 300000}}``.

    Returns
    -------
    Params

    Raises
    ------
    ParamsError
        One line a fault: file, line, key, value, remedy.
    """
    path = Path(path)
    own, lines = _load(path)
    defaults = path.with_name(DEFAULTS)
    if not defaults.exists():
        raise ParamsError(f"{path.name}: there is no {DEFAULTS} beside it: copy the project's own, which holds "
                          "what a unit need not say")  # fmt: skip
    base = _load(defaults)[0]
    if "plan" not in {**own, **(overrides or {})}:
        base.pop("plan", None)  # a unit without a plan needs none of its defaults
    values = merge(merge(base, own), overrides or {})
    problems = [_problem(path, error, lines) for error in _errors(values)]
    problems = problems or [*_marks(path, values, lines), *_names(path, values["profiles"], lines),
                            *_quotas(path, values.get("plan", {}), lines)]  # fmt: skip
    if not problems and values["unit"] != path.stem:
        remedy = f"rename the file or write unit: {path.stem}"
        problems = [Problem(path.name, f"key unit is {values['unit']!r}", remedy, lines.get(("unit",)))]
    if problems:
        raise ParamsError("\n".join(map(str, problems)))
    return Params(path, values, lines)


def merge(base, over):
    """Lay one mapping over another, key by key; lists and scalars replace."""
    merged = deepcopy(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else deepcopy(value)
    return merged


class _Loader(yaml.SafeLoader):
    """Plain words stay words: `no`, `40_49`, `12:30` and `2026-03-02` are texts here, as people mean them."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        """Keys are text, as written: they are names and codes, and codes are matched as text."""
        for key, _ in node.value:
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,14})$", "-+0123456789"),  # what has more digits is no number anyone means
    ("float", r"^[-+]?(?:(?:0|[1-9]\d{0,14})\.\d*(?:[eE][-+]?\d{1,2})?|\.\d+|[1-9]\d{0,14}[eE][-+]?\d{1,2})$",
     "-+.0123456789"),
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _load(path):
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ParamsError(f"{path.name}: there is no such params file in {path.parent.name}/") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = f"byte {error.object[error.start]:#04x}"
        raise ParamsError(f"{path.name} line {line}: {byte} is not UTF-8: save the file as UTF-8") from None
    try:
        _plain(path, yaml.parse(text, Loader=_Loader))
        values = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
        lines = {}
        _walk(path, yaml.compose(text, Loader=_Loader), (), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "can't be read as YAML"
        raise ParamsError(f"{path.name}{where}: {reason}: correct the YAML") from None
    if not isinstance(values, dict):
        raise ParamsError(f"{path.name}: expected keys and values, found nothing: see params/arvenia.yaml")
    return values, lines


def _plain(path, events):
    """Refuse what params have no use for, before any alias is followed (it may be a bomb) or any value is made."""
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        here = f"{path.name} line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ParamsError(f"{here}: YAML anchors are not used here: write the value out")
        if getattr(event, "tag", None):
            raise ParamsError(f"{here}: YAML tags such as {event.tag[:40]!r} are not used here: take it out")
        if depth > DEEPEST:
            raise ParamsError(f"{here}: more than {DEEPEST} levels stand in each other: see params/arvenia.yaml")


def _walk(path, node, keys, lines):
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*keys, key.value)
            if here in lines:
                raise ParamsError(f"{path.name} line {key.start_mark.line + 1}: key {key.value} stands twice "
                                  f"(first in line {lines[here]}): keep one")  # fmt: skip
            lines[here] = key.start_mark.line + 1
            _walk(path, value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(path, value, (*keys, number), lines)


def _marks(path, values, lines):
    """Tables whose numbers have one mark for thousands and for decimals: 1.500 would be read as either."""
    styles = {table: spec.get("numbers", {}) for table, spec in values["data"].items() if table != "crosswalks"}
    return [
        Problem(path.name, f"data.{table}.numbers has {style['thousands']!r} for thousands and for decimals",
                "say which it is", lines.get(("data", table, "numbers")))
        for table, style in styles.items() if style.get("thousands") == style.get("decimal", ".")
    ]  # fmt: skip


def _names(path, profiles, lines):
    """Names of profiles that aren't as many as the profiles, or stand for two of them."""
    names, number = profiles.get("names", []), profiles.get("n_profiles")
    found, line = [], lines.get(("profiles", "names"))
    if names and len(names) != number:
        text = f"key profiles.names has {len(names)} names, and profiles.n_profiles is {number or 'not set'}"
        found.append(Problem(path.name, text, "set the number, and give as many names", line))
    for lang in sorted({lang for name in names for lang in name}):
        said = [name.get(lang) for name in names]
        twice = [text for text in said if text is not None and said.count(text) > 1]
        found += [Problem(path.name, f"key profiles.names has {twice[0]!r} for {len(twice)} profiles ({lang})",
                          "give each a name of its own", line)] if twice else []  # fmt: skip
    return found


def _quotas(path, plan, lines):
    """Bounds of the plan the wrong way round, and names that stand for two things."""
    found = []
    for key, low, high in (("champions", "min", "max"), ("hours", "usual", "promotion")):
        least, most = plan.get(key, {}).get(low), plan.get(key, {}).get(high)
        if least is not None and most is not None and least > most:
            text = f"key plan.{key}.{low} is {least}, above plan.{key}.{high}, which is {most}"
            found.append(Problem(path.name, text, "correct one of them", lines.get(("plan", key, low))))
    for key, name in (("periods", "label"), ("floors", "id"), ("rules", "id")):
        named = [str(row[name]) for row in plan.get(key, ())]
        twice = [number for number, one in enumerate(named) if one in named[:number]]
        found += [Problem(path.name, f"key plan.{key} has {name} {named[number]!r} twice", "give each its own",
                          lines.get(("plan", key, number, name))) for number in twice[:1]]  # fmt: skip
    return found


@lru_cache
def _validator():
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _errors(values):
    return sorted(_validator().iter_errors(values), key=lambda error: list(map(str, error.absolute_path)))


def _problem(path, error, lines):
    keys = tuple(error.absolute_path)
    name = ".".join(map(str, keys)) or "the file"
    text, remedy = f"key {name} is {_short(error.instance)}", f"expected {_expected(error)}"
    if error.validator in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, dict):
        known = _known_keys(error.schema)
        odd = sorted(set(error.instance) - set(known))[0]
        close = difflib.get_close_matches(str(odd), known, 1)
        name = f"{'.'.join(map(str, keys))}.{odd}" if keys else odd
        text = f"unknown key {name} (value {_short(error.instance[odd])})"
        remedy = f"did you mean {close[0]}?" if close else f"known keys here: {', '.join(known)}"
        keys = (*keys, odd)
    elif error.validator == "required":
        lacking = [key for key in error.validator_value if key not in error.instance]
        text, remedy = f"{name} lacks the key {lacking[0]}", "add it"
    elif error.validator == "dependentRequired":
        text, remedy = f"key {name} has replicate weights and doesn't say how they were made", "add the key replicates"
        if "replicates" in error.instance:
            text = f"key {name}.replicates says how replicate weights were made, and there are none"
            remedy = "add the key replicate_weights, or take it out"
    while keys and keys not in lines:
        keys = keys[:-1]
    return Problem(path.name, text, remedy, lines.get(keys))


def _known_keys(schema):
    """Keys an object may have, its own and those of the definition it builds on."""
    shared = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return [*schema.get("properties", ()), *shared.get("properties", ())]


def _expected(error):
    words = {
        "minimum": "{} or more", "exclusiveMinimum": "more than {}", "maximum": "{} or less",
        "exclusiveMaximum": "less than {}",
        "type": "{}", "enum": "one of {}", "pattern": "something like {}",
        "minItems": "at least {} of them", "maxItems": "at most {} of them", "uniqueItems": "each only once",
        "minLength": "some text", "maxLength": "at most {} characters", "minProperties": "at least {} of them",
        "oneOf": error.schema.get("description"), "not": "a name that is no language's",
    }  # fmt: skip
    wanted = error.validator_value
    if error.validator == "pattern":
        wanted = error.schema["examples"]
    if error.validator == "type":
        wanted = " or ".join(TYPES.get(kind, kind) for kind in ([wanted] if isinstance(wanted, str) else wanted))
    elif isinstance(wanted, list):
        wanted = ", ".join(map(str, wanted))
    elif str(error.schema.get("description")).startswith("a share"):
        return words[error.validator].format(wanted) + f", {error.schema['description']}"
    return (words.get(error.validator) or "something else ({})").format(wanted)


def _short(value):
    text = repr(value) if not isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
