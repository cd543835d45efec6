"""Pages: each function returns one piece of a report, `assemble` makes of them one file.

A report's notebook calls one function a cell; the cell's tag (head, claims, main, aside, foot) says where its
piece goes. Text is escaped by the templates and nowhere else. A page loads nothing and runs nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from skillsgap.errors import SkillsgapError
from skillsgap.publish.figures import PALETTE
from skillsgap.wording import LANGUAGES, N_

HERE = Path(__file__).parent
PARTS = ("head", "claims", "main", "aside", "foot")
POLICY = Markup("default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
                "form-action 'none'")
STATUS = {"draft": N_("Draft"), "queried": N_("Data queried: answers of the data owner outstanding")}
CLAIM = {"number": "", "sentence": "", "certainty": "", "hot": False, "held": False, "unlock": ""}
# A link leads to a file beside the page, or below it, and nowhere else.
NEAR = re.compile(r"(?:\w[\w-]*/)*\w[\w.-]*\.(?:html|xlsx)")


@dataclass(frozen=True)
class Html:
    """A piece of a page that a notebook shows as it is.

    Parameters
    ----------
    html : Markup
        Escaped text and trusted markup.
    """

    html: Markup

    def _repr_html_(self):
        return str(self.html)

    def __html__(self):
        return str(self.html)


def draft_mark(status, words):
    """How every page of a unit that isn't cleared is marked; empty where it is, returns str.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> draft_mark("draft", Words("en")), draft_mark("cleared", Words("en"))
    ('Draft', '')
    """
    return words(STATUS[status]) if status in STATUS else ""


def head(kicker, *, title, words, sub="", fictional=False, draft=""):
    """Top of a page: who and when, the finding as title, how it is known.

    Parameters
    ----------
    kicker : list of str
        Short facts such as unit, view and wave.
    title, sub : str
        The finding; who was asked, how many answered, the scale.
    words : Words
    fictional : bool
        Stamps the page as about a fictional country.
    draft : str
        Text of a second stamp, as `draft_mark` gives it; empty for none.

    Returns
    -------
    Html
    """
    return _piece("head", kicker, words("FICTIONAL COUNTRY") if fictional else "", draft, title, sub)


def claims(items, *, words):
    """The claims of a page: a number, its sentence, its certainty; a withheld one keeps its place.

    Parameters
    ----------
    items : list of dict
        Keys number, sentence, certainty, hot, held, unlock; all optional. A claim that is `held` prints its
        sentence (why) and `unlock` (what would change it), and no number.
    words : Words

    Returns
    -------
    Html

    Raises
    ------
    SkillsgapError
        If a claim has another key.

    Examples
    --------
    >>> from skillsgap.wording import Words
    >>> "6 in 10" in claims([{"number": "6 in 10", "held": True}], words=Words("en")).html
    False
    """
    unknown = sorted({key for item in items for key in item} - set(CLAIM))
    if unknown:
        raise SkillsgapError(f"a claim has the keys {', '.join(CLAIM)}; also found: {', '.join(unknown)}")
    return _piece("claims", [{**CLAIM, **item} for item in items], words("Withheld"))


def section(title, dek, figure, sentence="", *, broad=False):
    """A finding: its title, how to read it, a figure or table, and its number said again.

    Parameters
    ----------
    title, dek, sentence : str
    figure : Markup or Html
        What `figure_html` or `table` returned; plain text is escaped.
    broad : bool
        Takes the whole width of a page: for a figure drawn with three widths.

    Returns
    -------
    Html
    """
    return _piece("section", title, dek, figure, sentence, broad)


def plan_panel(headline, dek, figure, rows=None, columns=None, *, words):
    """The plan: what it costs and closes, the frontier, and its seats by tier.

    Parameters
    ----------
    headline, dek : str
    figure : Markup or Html
        The frontier, drawn with ``widths=(288, 350)``.
    rows : DataFrame, optional
        Formatted text; one row a tier or course. None where there is no plan to be told of.
    columns : dict of column to heading
        In the order to be shown; all but the first are set as numbers.
    words : Words

    Returns
    -------
    Html
    """
    seats = "" if rows is None else table(rows, columns, numeric=list(columns)[1:])
    return _piece("plan_panel", words("The plan"), headline, dek, figure, seats)


def table(rows, columns, *, numeric=(), caption=""):
    """A table of finished text.

    Parameters
    ----------
    rows : DataFrame
        Formatted text; the first shown column names the row.
    columns : dict of column to heading
        In the order to be shown.
    numeric : sequence of str
        Columns set flush right.
    caption : str

    Returns
    -------
    Html

    Raises
    ------
    SkillsgapError
        If a column is absent.
    """
    absent = [name for name in columns if name not in rows]
    if absent:
        raise SkillsgapError(f"a page's table lacks {', '.join(absent)}; its columns: {', '.join(rows)}")
    cells = rows[list(columns)].to_numpy(dtype=object).tolist()
    flush = [i for i, name in enumerate(columns) if name in numeric]
    return _piece("table", cells, list(columns.values()), flush, caption)


def foot(parts):
    """Short texts beside each other: last lines of a page, or in a section a paragraph on each of a few things.

    Parameters
    ----------
    parts : list of (heading, text)

    Returns
    -------
    Html
    """
    return _piece("foot", parts)


def queries(items, labels, *, nothing):
    """A numbered list of questions to a data owner, each with room for an answer.

    Parameters
    ----------
    items : list of dict
        Keys where, what, consequence, send.
    labels : dict of str to str
        Headings of consequence, send and answer, and of the blank lines by, date and contact.
    nothing : str
        What stands here where there is nothing to ask.

    Returns
    -------
    Html
    """
    return _piece("queries", items, labels, nothing)


def review(parts, labels, how):
    """Numbered texts in two languages side by side, part by part, with room to correct each.

    Parameters
    ----------
    parts : list of dict
        Keys name (English, Uzbek) and rows: a list of dicts number, where, english, uzbek. The two texts are lists in
        which every second piece is a place to be filled in.
    labels : dict of str to (English, Uzbek)
        Headings of number, english, uzbek, correction and remark.
    how : list of (English, Uzbek)
        What to do, pieces as in the texts.

    Returns
    -------
    Html
    """
    return _piece("review", parts, labels, how)


def notice(text):
    """Why something is not on the page, such as a plan without a course catalogue; returns Html."""
    return _piece("notice", text)


def assemble(pieces, *, lang, title, other_pages=(), files=()):
    """One self-contained page from the pieces of a notebook.

    Parameters
    ----------
    pieces : notebook node or list of (tag, html)
        Of a notebook, the HTML outputs of the cells tagged head, claims, main, aside or foot, in their order.
    lang : str
        Report language, BCP 47.
    title : str
        Title of the file; printed pages repeat it.
    other_pages : mapping of language to file name
        The same page in other languages, in the same folder.
    files : mapping of label to file name
        What else lies in the folder, such as a workbook.

    Returns
    -------
    str; HTML without scripts and without anything from outside. Without an aside the findings take its place.

    Raises
    ------
    SkillsgapError
        If a cell failed, a tag is unknown, the head is missing or a link leaves the folder.
    """
    pairs = _outputs(pieces) if hasattr(pieces, "cells") else list(pieces)
    unknown = sorted({tag for tag, _ in pairs} - set(PARTS))
    if unknown or not any(tag == "head" for tag, _ in pairs):
        raise SkillsgapError(f"a page needs a piece tagged head, and knows the tags {', '.join(PARTS)}; "
                             f"unknown: {', '.join(unknown) or 'none'}")
    parts = {part: Markup("\n".join(_text(html) for tag, html in pairs if tag == part)) for part in PARTS}
    return _page(parts, lang, title, other_pages, files)


def index_page(units, words, *, title=None, sub="", other_pages=()):
    """The list of all units with their states and the way to their reports.

    Parameters
    ----------
    units : list of dict
        Keys title, state {done, unchanged, waiting, failed}, reason (str), fictional (bool), status {draft,
        queried, cleared}, and links: a list of dicts label, href (relative, .html), lang.
    words : Words
    title, sub : str, optional
    other_pages : mapping of language to file name

    Returns
    -------
    str; HTML of the same kind as `assemble` makes.

    Raises
    ------
    SkillsgapError
        If a state is unknown or a link leads elsewhere.
    """
    names = {"done": words("done"), "unchanged": words("unchanged"), "waiting": words("waiting"),
             "failed": words("failed")}
    shown = []
    for unit in units:
        if unit["state"] not in names:
            raise SkillsgapError(f"{unit['title']}: state {unit['state']} is none of {', '.join(names)}")
        links = [{**link, "href": _near(link["href"])} for link in unit.get("links", ())]
        draft = draft_mark(unit.get("status"), words)
        shown.append({"reason": "", "fictional": False, **unit, "name": names[unit["state"]], "links": links,
                      "draft": draft})
    states = [unit["state"] for unit in units]
    counts = [(state, name, words.number(states.count(state))) for state, name in names.items()
              if state in states]
    title = title or words("Skills-gap reports")
    stamp = words("FICTIONAL COUNTRY")
    body = Html(Markup(_environment().get_template("index.html.j2").render(units=shown, counts=counts, stamp=stamp)))
    pieces = [("head", head([], title=title, sub=sub, words=words)), ("main", body)]
    return assemble(pieces, lang=words.lang, title=title, other_pages=other_pages)


def _page(parts, lang, title, other_pages, files):
    pages = [{"lang": code, "label": LANGUAGES.get(code, code), "href": href and _near(href)}
             for code, href in sorted({**dict(other_pages), lang: ""}.items())]
    pages = pages if len(pages) > 1 else []
    pages += [{"lang": lang, "label": label, "href": _near(name)} for label, name in dict(files).items()]
    palette = ";".join(f"--{name}:{value}" for name, value in PALETTE.items())
    # Any character may stand in a CSS string by its number, so no title can end the string or the style.
    spelled = "".join(f"\\{ord(letter):x} " for letter in title)
    printed = (f'@page{{@bottom-left{{content:"{spelled}"}}'
               '@bottom-right{content:counter(page) " / " counter(pages)}}')
    style = "\n".join([f":root{{{palette}}}", (HERE / "page.css").read_text("utf-8"), printed])
    return _environment().get_template("page.html.j2").render(
        parts=parts, lang=lang, title=title, pages=pages, policy=POLICY, style=Markup(style))


@lru_cache
def _environment():
    return Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined,
                       keep_trailing_newline=True)


def _piece(name, *values):
    return Html(Markup(getattr(_environment().get_template("fragments.html.j2").module, name)(*values)))


def _outputs(notebook):
    """Tag and HTML of each output of the tagged cells."""
    pairs = []
    for cell in notebook.cells:
        tags = [tag for tag in cell.get("metadata", {}).get("tags", []) if tag in PARTS]
        for output in cell.get("outputs", []) if tags else []:
            if output["output_type"] == "error":
                raise SkillsgapError(f"the report's {tags[0]} failed: {output['ename']}: {output['evalue']}")
            html = output.get("data", {}).get("text/html")
            if html is not None:
                pairs.append((tags[0], html))
    return pairs


def _text(html):
    """Notebook files keep text as one string or as a list of lines."""
    return "".join(html) if isinstance(html, list) else html._repr_html_() if isinstance(html, Html) else html


def _near(href):
    if not NEAR.fullmatch(href):
        raise SkillsgapError(f"a page links to .html and .xlsx files beside or below it; got {href!r}")
    return href


def join(pieces):
    """Several pieces as one, for a cell that shows more than one."""
    return Html(Markup("\n").join(piece.html for piece in pieces))
