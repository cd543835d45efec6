"""A questionnaire to print: one page of HTML a language, with boxes to tick and codes to type the answers in."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from skillsgap.publish.figures import PALETTE
from skillsgap.publish.pages import POLICY
from skillsgap.study.questionnaire.xlsform import sheets

HERE = Path(__file__).parent
CONSENT = ("purpose", "voluntary", "use", "retention", "contact")
SHORT, MIDDLING = 24, 42  # letters of an answer, up to which three or two stand side by side


def paper(form, lang):
    """A questionnaire on A4 paper: consent first, numbered questions, what to leave out said in words.

    Parameters
    ----------
    form : Form
    lang : str
        One of its languages.

    Returns
    -------
    str
        HTML that loads nothing and runs nothing, and prints in grey.
    """
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    say = {name: texts[lang] for name, texts in form.say.items()}
    numbers = {question.name: number for number, question in enumerate(form.questions(), start=1)}
    hints = _hints(form, numbers, lang)
    sections = [_section(section, form, numbers, hints, lang) for section in form.sections]
    version = sheets(form)["settings"][0]["version"]
    palette = ";".join(f"--{name}:{value}" for name, value in PALETTE.items())
    corners = {"top-left": form.title[lang], "top-right": say["fictional"] if form.fictional else "",
               "bottom-left": f"{form.id} · {lang} · {version}"}  # fmt: skip
    printed = "".join(f'@{place}{{content:"{_spelled(text)}"}}' for place, text in corners.items())
    style = "\n".join([f":root{{{palette}}}", (HERE / "paper.css").read_text("utf-8"),
                       f'@page{{{printed}@bottom-right{{content:counter(page) " / " counter(pages)}}}}'])  # fmt: skip
    return environment.get_template("paper.html.j2").render(
        lang=lang, title=form.title[lang], say=say, consent=CONSENT, sections=sections, fictional=form.fictional,
        several=len(form.languages) > 1, id=form.id, version=version, policy=POLICY, style=Markup(style))  # fmt: skip


def _spelled(text):
    """A text as a CSS string: each letter by its number, so that none can end the string."""
    return "".join(f"\\{ord(letter):x} " for letter in text)


def _section(section, form, numbers, hints, lang):
    lists = {question.choices for question in section.questions}
    table = len(lists) == 1 and len(section.questions) > 1 and "" not in lists
    leave, go_on = hints
    asked = [{"number": numbers[question.name], "text": question.texts[lang], "leave": leave.get(question.name, []),
              "go_on": go_on.get(question.name, []), **_answers(form.lists.get(question.choices, ()), lang)}
             for question in section.questions]  # fmt: skip
    instruct = section.instruct.get(lang, "")
    return {"title": section.texts[lang], "instruct": instruct, "table": table, "questions": asked}


def _answers(choices, lang):
    """Answers with the codes that are typed in, and how many stand side by side."""
    # some codes without the others would look like a mistake
    coded = all(choice.name.isdigit() for choice in choices)
    answers = [{"code": choice.name if coded else "", "text": choice.texts[lang]} for choice in choices]
    longest = max((len(answer["text"]) for answer in answers), default=0)
    return {"answers": answers, "beside": 3 if longest <= SHORT else 2 if longest <= MIDDLING else 1}


def _hints(form, numbers, lang):
    """By question: when it is to be left out, and with which question its answers go on, in words."""
    names, answers, gone = list(numbers), {question.name: question.choices for question in form.questions()}, {}
    for question in form.questions():
        for rule in question.skips:
            gone.setdefault(rule, []).append(question.name)
    leave, go_on = {}, {}
    for (before, codes), skipped in gone.items():
        start = numbers[before]  # names count from 0: here begin the questions behind it
        rest = names[start + len(skipped) :]
        follows = names[start : start + len(skipped)] == skipped and rest
        phrase = form.say["paper_skip" if follows else "paper_leave"][lang]
        texts = [choice.texts[lang] for choice in form.lists[answers[before]] if choice.name in codes]
        number = numbers[rest[0] if follows else before]
        said = phrase.replace("{number}", str(number)).replace("{answer}", " / ".join(texts))
        for name in [before] if follows else skipped:
            (go_on if follows else leave).setdefault(name, []).append(said)
    return leave, go_on
