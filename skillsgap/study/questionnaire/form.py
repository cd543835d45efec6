"""The questionnaire of a unit, built from its validated tables: what is asked, in which order, words and answers."""

import re
from dataclasses import dataclass

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import Problem, StudyError
from skillsgap.study.questionnaire.asked import LEVELS_OF, SKILLS, asked_items, bad_names
from skillsgap.study.questionnaire.texts import check_places, texts_in, texts_of
from skillsgap.wording import N_

NEEDED = ("competencies", "descriptors", "items", "choices", "form_texts")
# where a person works has to be known, or their answers belong to no part of the register
PLACES = ("agency_id", "unit_id", "admin_level", "region", "role_id", "role_level", "grade")
PREFER_NOT = "prefer_not_to_say"  # a code of any other question about the person
SECONDS = {"anchored": 20, "knowledge": 30, "judgement": 30}  # to read and answer a question; the developers' reading
OTHERWISE = 8  # seconds for a question of a battery, or about the person
GRIDS = ("importance", "interest", "barrier", "climate")  # batteries on one short scale
CONSENT = ("purpose", "voluntary", "use", "retention", "contact")  # what a respondent is told first, in this order
FIXED = ("start", "end", "today", "date", "intro", "consent", "declined", "answers", "answer_language", "mode",
         "sheet_number", "about", "thanks")  # fmt: skip
# phrases that every form needs, besides those of its sections and questions about the person
SAID = ("title", "consent_title", *(f"{stem}_{part}" for part in CONSENT for stem in ("head", "consent")),
        "consent_question", "consent_yes", "consent_no", "declined", "section_start", "answer_language", "mode",
        "mode_web", "mode_paper", "section_about", PREFER_NOT, "instruct_skills", "hint_skills", "hint_tasks", "thanks",
        "paper_tick", "paper_correct", "paper_codes", "paper_declined", "paper_skip", "paper_leave", "paper_question",
        "paper_thanks", "paper_typist", "paper_number", "fictional")  # fmt: skip
PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
# signs of a code in words, and what may stand between two words; any other sign has to stay, or it is another code
SIGNS = ((r"^(<=|≤)", "up_to_"), (r"^(>=|≥)", "from_"), ("^<", "under_"), ("^>", "over_"), (r"^(.+)\+$", r"from_\1"),
         ("[–—−]", "-"), (r"['ʻʼ‘’`]", ""), (r"[\s,;:/()]+", "_"))  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """An answer: its name in the form, the code it stands for, and its texts by language."""

    name: str
    code: str
    texts: dict


@dataclass(frozen=True)
class Question:
    """A question of one answer.

    Parameters
    ----------
    name : str
        Column of the answers.
    texts : dict of language to str
    choices : str
        Name of its list of answers; empty where a number is asked.
    required : bool
    skips : tuple of (str, tuple of str)
        Questions before it, with the answers at which this one is left out.
    low, high : float or None
        Limits of a number.
    """

    name: str
    texts: dict
    choices: str
    required: bool = False
    skips: tuple = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Section:
    """Questions under one title; a grid is a battery on one scale, shown as a table."""

    name: str
    texts: dict
    questions: tuple
    instruct: dict
    hint: dict
    grid: bool = False


@dataclass(frozen=True)
class Form:
    """A whole form.

    `sections` begin with the one about the person; `lists` holds the answers of each list, `say` the fixed phrases,
    `minutes` how long it takes.
    """

    unit: str
    kind: str
    title: dict
    languages: tuple
    fictional: bool
    sections: tuple
    lists: dict
    say: dict
    minutes: int

    @property
    def id(self):
        """Name of the form, as tools know it."""
        return f"{self.unit.replace('-', '_')}_{self.kind}"

    def questions(self):
        """All questions, in their order."""
        return [question for section in self.sections for question in section.questions]


def build_form(params, tables):
    """Build a unit's questionnaire.

    Parameters
    ----------
    params : Params
        With the key `questionnaire`.
    tables : dict of str to Loaded
        competencies, descriptors, items, choices, form_texts and, where it is asked for, agencies. Questions of a
        section keep the order of their table.

    Returns
    -------
    Form

    Raises
    ------
    StudyError
        Every fault of the tables and of the params: texts missing in a language, levels or scales without answers,
        filters that aren't asked before, names that no form can have.
    """
    _there(params, tables)
    wanted = params.values["questionnaire"]
    languages = tuple(wanted["languages"])
    items, problems = asked_items(tables, params)
    minutes = _minutes(items, len(wanted["about"]))
    say = _Phrases(params, tables["form_texts"], minutes, problems)
    about, lists = _about(params, tables, say, problems)
    sections = (Section("about", say["section_about"], about, {}, {}),
                *_sections(items, params, tables["items"], say, problems))  # fmt: skip
    title = say["title"]
    if "title" in wanted:
        title = texts_in(params, ("questionnaire", "title"), wanted["title"], languages, problems)
    form = Form(params.unit, wanted.get("form", "long"), title, languages, params.values["fictional"], sections,
                {**lists, **_lists(items, tables, languages)}, {name: say[name] for name in SAID}, minutes)  # fmt: skip
    problems += bad_names(_names(form, tables["items"].name, params.path.name))
    problems += [fault for table in tables.values() for fault in table.faults]
    if problems:
        raise StudyError(dict.fromkeys(problems))
    return form


def _there(params, tables):
    """The tables a form needs are declared and could be read."""
    problems = [fault for table in tables.values() for fault in table.faults]
    text, remedy, line = N_("a questionnaire needs data.{table}"), N_("declare it"), params.line("questionnaire")
    problems += [Problem(params.path.name, text, remedy, line, values={"table": name})
                 for name in NEEDED if name not in tables]  # fmt: skip
    if problems:
        raise StudyError(dict.fromkeys(problems))


class _Phrases(dict):
    """Fixed phrases by name and language, with what params say in their places; one that isn't there is a fault."""

    def __init__(self, params, loaded, minutes, problems):
        wanted = params.values["questionnaire"]
        consent, languages = wanted["consent"], wanted["languages"]
        office = texts_in(params, ("questionnaire", "consent", "office"), consent["office"], languages, problems)
        plain = {"contact": consent["contact"], "months": consent["retention_months"], "minutes": minutes,
                 "threshold": params.values["disclosure"]["threshold"]}  # fmt: skip
        self._loaded, self._blank = loaded, dict.fromkeys(languages, "")
        check_places(loaded, languages)
        rows = zip(loaded.frame["text_id"], texts_of(loaded, loaded.frame, "text", languages), strict=True)
        super().__init__({
            name: {lang: _fill(text, {**plain, "office": office[lang]}) for lang, text in texts.items()}
            for name, texts in rows
        })  # fmt: skip

    def __missing__(self, name):
        self._loaded.fault(None, "text_id", N_("there is no text {name}, which the form needs"),
                           N_("add a row with its texts"), {"name": name})  # fmt: skip
        return self.setdefault(name, self._blank)


def _fill(text, values):
    """A text with the values it has places for; other places stay for the page that knows them."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _minutes(items, about):
    """How long the form takes, in whole minutes."""
    seconds = items["type"].map(SECONDS).fillna(OTHERWISE).sum() + OTHERWISE * about
    return max(1, round(float(seconds) / 60))


def _about(params, tables, say, problems):
    """Questions about the person, and their lists of answers."""
    questions, lists, path, line = [], {}, params.path.name, params.line("questionnaire", "about")
    known = {name: rule for name, rule in CONTRACTS["register"].columns.items()
             if rule.identifies != "direct" and rule.kind in ("text", "number") and name != "headcount"}  # fmt: skip
    for name in params.values["questionnaire"]["about"]:
        rule, said = known.get(name), {"column": name, "known": ", ".join(known)}
        if rule is None:
            problems.append(Problem(path, N_("questionnaire.about names {column}, which a form can't ask"),
                                    N_("name some of {known}"), line, values=said))  # fmt: skip
        elif rule.kind == "number":
            questions.append(Question(name, say[f"about_{name}"], "", low=rule.low, high=rule.high))
        elif codes := _codes(name, params, tables, problems):
            placed = name in PLACES
            lists[name] = (*_choices(codes), *([] if placed else [Choice(PREFER_NOT, PREFER_NOT, say[PREFER_NOT])]))
            questions.append(Question(name, say[f"about_{name}"], name, required=placed))
        else:
            problems.append(Problem(path, N_("questionnaire.about names {column}, whose codes have no names"),
                                    N_("name each code in labels.{column}"), line, values=said))  # fmt: skip
    return tuple(questions), lists


def _codes(column, params, tables, problems):
    """Codes of a column with their texts: as the table of agencies names them, or as params do."""
    languages, agencies = params.values["questionnaire"]["languages"], tables.get("agencies")
    if column == "agency_id" and agencies is not None:
        named = texts_of(agencies, agencies.frame, "label", languages)
        return dict(zip(agencies.frame["agency_id"], named, strict=True))
    return {str(code): texts_in(params, ("labels", column, str(code)), texts, languages, problems)
            for code, texts in params.values.get("labels", {}).get(column, {}).items()}  # fmt: skip


def _choices(codes):
    """Answers under names that every tool takes: the codes themselves or their words, or else numbers for the list."""
    names = [code if PLAIN.fullmatch(code) else _worded(code) for code in codes]
    if len({PREFER_NOT, *names}) <= len(names) or not all(map(PLAIN.fullmatch, names)):
        names = [f"code_{number}" for number in range(1, len(names) + 1)]
    return [Choice(name, code, texts) for name, (code, texts) in zip(names, codes.items(), strict=True)]


def _worded(code):
    """A code with words in the place of its signs, as far as there are any for them.

    Examples
    --------
    >>> [_worded(code) for code in ("<35", "35+", "under 30", "50 and over", "30–39")]
    ['under_35', 'from_35', 'under_30', '50_and_over', '30-39']
    """
    for sign, word in SIGNS:
        code = re.sub(sign, word, code.strip())
    return re.sub("_+", "_", code).strip("_")


def _lists(items, tables, languages):
    """Answers of the scales and of the levels that are asked, by the name of the list."""
    choices, levels = tables["choices"], tables["descriptors"]
    rows = choices.frame[choices.frame["scale"].isin(items["list"])]
    rated = levels.frame[(LEVELS_OF + levels.frame["competency_id"]).isin(items["list"])]
    told = [*zip(rows["scale"], rows["code"], texts_of(choices, rows, "text", languages), strict=True),
            *zip(LEVELS_OF + rated["competency_id"], rated["level"], texts_of(levels, rated, "text", languages),
                 strict=True)]  # fmt: skip
    found = {}
    for name, code, texts in sorted(told, key=lambda row: row[:2]):
        found[name] = (*found.get(name, ()), Choice(str(int(code)), str(int(code)), texts))
    return found


def _sections(items, params, loaded, say, problems):
    """The sections of the form behind the one about the person."""
    languages, groups = params.values["questionnaire"]["languages"], params.values.get("labels", {}).get("group", {})
    texts, opened = dict(zip(items.index, texts_of(loaded, items, "text", languages), strict=True)), False
    for name, rows in items.groupby("section", sort=False):
        skills, short = name.startswith(SKILLS), name.removeprefix(SKILLS)
        title = f"section_{short}"
        own = short in groups and title not in say
        titles = (texts_in(params, ("labels", "group", short), groups[short], languages, problems)
                  if own else say[title])  # fmt: skip
        instruct = {} if skills and opened else say["instruct_skills" if skills else f"instruct_{name}"]
        opened |= skills
        hint = say[f"hint_{'skills' if skills else name}"] if skills or name == "tasks" else {}
        asked = tuple(Question(row.item_id, texts[row.Index], row.list, skips=row.skips) for row in rows.itertuples())
        yield Section(name, titles, asked, instruct, hint, name in GRIDS)


def _names(form, items, path):
    """Each name of the form with the file it is from."""
    fixed = [(name, path) for name in (*FIXED, *(section.name for section in form.sections[1:]))]
    return [*fixed, *((question.name, path if section.name == "about" else items)
                      for section in form.sections for question in section.questions)]  # fmt: skip
