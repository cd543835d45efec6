"""Where the Uzbek texts stand: each is read with its place in a file, and replaced there with all else left alone."""

import ast
import json
import re
from collections import defaultdict
from dataclasses import dataclass

import yaml
from babel.messages.pofile import denormalize, normalize

from skillsgap.run.store import digest
from skillsgap.wording import N_

CATALOGUE = "skillsgap/locale/uz/LC_MESSAGES/skillsgap.po"
# what is drawn from these (data/synthetic/*/*.csv) has its Uzbek from them
FILES = ("data/framework/*.csv", "data/synthetic/common/*.csv", "data/synthetic/*/spec.yaml", "params/[!_]*.yaml")
# groups of the sheet, in its order: where a text stands or, of a message, the modules that say it
GROUPS = {
    N_("Glossary"): r"/glossary\.csv",
    N_("Competencies"): r"/competencies\.csv",
    N_("Level descriptors"): r"/descriptors\.csv",
    N_("Survey questions"): r"/items\.csv",
    N_("Answers to choose from"): r"/choices\.csv",
    N_("Texts of the questionnaire"): r"/form_texts\.csv|/questionnaire",
    N_("Reports"): r"^skillsgap/(wording|publish/(?!queries|review))",
    N_("Questions to data owners"): r"/queries\.py",
    N_("Faults of files, and what to do about them"): r"^skillsgap/",
    N_("Courses and fictional countries"): r"^data/synthetic",
    N_("Titles and labels of units"): "",
}
STRING = r'"(?:[^"\\\n]|\\.)*"(?:\n"(?:[^"\\\n]|\\.)*")*'
MESSAGE = re.compile(rf"^msgid ({STRING})\nmsgstr ({STRING})", re.MULTILINE)
CELL = re.compile(r'("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)')
FOLDERS = re.compile(r"\b(skillsgap|data/framework|data/synthetic)/")  # said by the group already
WIDTH = 118  # letters of a line of the catalogue


@dataclass(frozen=True)
class Text:
    """An English text and its Uzbek one.

    Parameters
    ----------
    file : str
        Where it stands, from the project's folder.
    key : str
        What names it in that file.
    english, uzbek : str
    span : (int, int)
        Where the Uzbek text begins and ends in the file, as it is written there.
    where : str
        Where it is used, for a reader.
    group : str
        One of `GROUPS`.
    """

    file: str
    key: str
    english: str
    uzbek: str
    span: tuple
    where: str
    group: str

    @property
    def id(self):
        """Digests of its place and of the English text, so that a change of either is seen."""
        return f"{digest(self.file, self.key)[:10]}-{digest(self.english)[:4]}"


def read_texts(root):
    """Every text of a project that has an Uzbek one, in the order of the review sheet.

    Parameters
    ----------
    root : Path
        Project folder.

    Returns
    -------
    list of Text
    """
    said, texts = _said(root), []
    for file in (CATALOGUE, *sorted({p.relative_to(root).as_posix() for place in FILES for p in root.glob(place)})):
        content = (root / file).read_bytes().decode()
        for key, english, uzbek, span in READ[file.rpartition(".")[2]](content):
            modules = said.get(english, ["skillsgap/wording.py"])
            where, places = (", ".join(modules), modules) if file == CATALOGUE else (f"{file}: {key}", [file])
            where = FOLDERS.sub("", where)
            texts.append(Text(file, key, english, uzbek, span, where, _group(places)))
    order = list(GROUPS)
    return sorted(texts, key=lambda text: order.index(text.group))


def replaced(content, suffix, spans):
    """A file's content with texts replaced at their spans.

    Parameters
    ----------
    content : str
    suffix : {"po", "csv", "yaml"}
    spans : mapping of (start, end) to str

    Returns
    -------
    str

    Examples
    --------
    >>> replaced('gap,farq\\n', "csv", {(4, 8): "tafovut, farq"})
    'gap,"tafovut, farq"\\n'
    """
    for (start, end), text in sorted(spans.items(), reverse=True):
        content = content[:start] + WRITE[suffix](text, content[start:end]) + content[end:]
    return content


def _said(root):
    """Modules that hold each text, for all texts of the package's code."""
    found = defaultdict(list)
    for path in sorted((root / "skillsgap").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for text in {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}:
            found[text].append(path.relative_to(root).as_posix())
    return found


def _group(places):
    return next(name for name, pattern in GROUPS.items() if any(re.search(pattern, place) for place in places))


def _messages(content):
    """Messages of a catalogue; its head has an empty one."""
    for match in MESSAGE.finditer(content):
        if english := denormalize(match[1]):
            yield english, english, denormalize(match[2]), match.span(2)


def _cells(content):
    """Pairs of columns such as label_en and label_uz, named by the fewest first columns that tell rows apart."""
    header, *rows = _table(content)
    names = [value for value, _ in header]
    width = next((n for n in range(1, len(names)) if len({tuple(v for v, _ in r[:n]) for r in rows}) == len(rows)), 1)
    pairs = [(name[:-3], i, names.index(name[:-3] + "_uz"))
             for i, name in enumerate(names) if name.endswith("_en") and name[:-3] + "_uz" in names]  # fmt: skip
    for row in rows:
        for stem, english, uzbek in pairs:
            if row[english][0]:
                yield " ".join([*(value for value, _ in row[:width]), stem]), row[english][0], *row[uzbek]


def _table(content):
    """Rows of (value, span) of a comma-separated text; lines without cells are passed over."""
    rows, row, at = [], [], 0
    while at < len(content):
        match = CELL.match(content, at)
        row.append((_unquoted(match[1]), match.span(1)))
        at = match.end()
        if match[2] != ",":
            rows.append(row)
            row = []
    return [row for row in rows if len(row) > 1]


def _unquoted(cell):
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _nodes(content):
    """Pairs such as en and uz, or label_en and label_uz, of each mapping."""
    yield from _pairs(yaml.compose(content, Loader=yaml.SafeLoader), ())


def _pairs(node, path):
    if isinstance(node, yaml.SequenceNode):
        for i, part in enumerate(node.value):
            yield from _pairs(part, (*path, str(i)))
    if not isinstance(node, yaml.MappingNode):
        return
    parts = {key.value: part for key, part in node.value}
    for key, part in parts.items():
        uzbek = parts.get(re.sub("en$", "uz", key)) if re.fullmatch(r"(\w+_)?en", key) else None
        if uzbek is not None:
            named = ".".join([*path, *filter(None, [key[:-3]])])
            yield named, part.value, uzbek.value, (uzbek.start_mark.index, uzbek.end_mark.index)
        yield from _pairs(part, (*path, key))


def _message(text, _):
    return normalize(text, width=WIDTH)


def _cell(text, before):
    quoted = before.startswith('"') or re.search(r'[",\r\n]|^\s|\s$', text)
    return '"' + text.replace('"', '""') + '"' if quoted else text


def _node(text, before):
    plain = not before.startswith(('"', "'")) and yaml.safe_load(f"[{text}]") == [text]
    return text if plain else json.dumps(text, ensure_ascii=False)


READ = {"po": _messages, "csv": _cells, "yaml": _nodes}
WRITE = {"po": _message, "csv": _cell, "yaml": _node}
