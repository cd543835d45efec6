"""Pages load nothing, run nothing and escape what comes from data; figures are the same bytes every time."""

import io
import re
import warnings
from functools import partial
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import SkillsgapError
from skillsgap.publish import figures, pages
from skillsgap.publish.needs import needs_section
from skillsgap.wording import Words

matplotlib.use("agg")
WORDS = Words("en", currency={"en": "solar"})
NASTY = "<script>alert(1)</script> \"quoted\" & $a$ <b onclick='x'>"
LONG = "Sunʼiy intellekt yechimlarini davlat xaridlari orqali sotib olish va nazorat qilish"


def gap_table():
    return pd.DataFrame({
        "label": ["Oversight", LONG, "Hidden", "Collaboration"], "level": [1.3, 1.8, np.nan, 2.7],
        "ci_low": [1.1, 1.6, np.nan, 2.6], "ci_high": [1.5, 2.0, np.nan, 2.8],
        "required": [2.6, 2.8, 2.0, 2.6], "gap": [-1.3, -1.0, np.nan, 0.1],
        "hot": [True, True, False, False]})


def needs_table(n=12):
    tiers = np.repeat(["Most in need", "In between", "Least in need"], -(-n // 3))[:n]
    estimate = np.linspace(1.4, 0.4, n).round(1)
    table = pd.DataFrame({"tier": tiers, "label": [f"{LONG} {i}" for i in range(n)], "estimate": estimate,
                          "ci_low": estimate - 0.1, "ci_high": estimate + 0.1})
    table.loc[1, ["estimate", "ci_low", "ci_high"]] = np.nan
    return table


def profile_table(k=5):
    rows = [(f"Profile {i}", 1 / k, 1 / k - 0.03, 1 / k + 0.03, name, i * 4 / k)
            for i in range(k) for name in ("Oversight", LONG, "Security")]
    table = pd.DataFrame(rows, columns=["profile", "share", "ci_low", "ci_high", "competency", "level"])
    table.loc[0, "level"] = np.nan
    return table


def frontier_table(chosen=2):
    return pd.DataFrame({"budget": [0.0, 1e6, 2e6, 3e6, 4e6], "best": [0, 0.4, 0.7, 0.8, 0.85],
                         "common": [0, 0.3, 0.5, 0.6, 0.7], "chosen": np.arange(5) == chosen})


FIGURES = {
    "gap": partial(figures.gap_figure, gap_table(), words=WORDS),
    "score": partial(figures.gap_figure, gap_table().assign(
        level=[260.0, 270, np.nan, 280], ci_low=[255.0, 266, np.nan, 275], ci_high=[265.0, 274, np.nan, 285],
        required=[290.0, 285, 280, 279]), words=WORDS, scale="score"),
    "gap all withheld": partial(figures.gap_figure, gap_table().iloc[[2]], words=WORDS),
    **{f"needs {n}": partial(figures.needs_figure, needs_table(n), words=WORDS) for n in (3, 12, 60)},
    "needs shares": partial(figures.needs_figure, needs_table().assign(
        estimate=0.5, ci_low=0.4, ci_high=0.6), words=WORDS, scale="share"),
    **{f"profiles {k}": partial(figures.profile_figure, profile_table(k), words=WORDS) for k in (1, 5, 9)},
    **{f"frontier {i}": partial(figures.frontier_figure, frontier_table(i), words=WORDS) for i in range(5)},
    "frontier interval": partial(figures.frontier_figure, frontier_table().assign(
        ci_low=lambda t: t["best"] - 0.05, ci_high=lambda t: t["best"] + 0.05), words=WORDS),
    "frontier of both practices": partial(figures.frontier_figure, frontier_table().assign(
        ratio=lambda t: t["best"] * 0.95, enough=lambda t: t["budget"] > 2e6), words=WORDS),
    "frontier without choice": partial(figures.frontier_figure, frontier_table(9), words=WORDS),
}


def a_page(label="Oversight", other_pages=(), plan=True):
    table = gap_table().assign(label=label)
    figure = figures.figure_html(partial(figures.gap_figure, table, words=WORDS), alt=label)
    frontier = figures.figure_html(FIGURES["frontier 2"], alt=label, widths=(288, 350))
    seats = pd.DataFrame({"tier": [label], "seats": ["2,240"]})
    pieces = [
        ("head", pages.head([label], title=label, sub=label, fictional=True, draft=label, words=WORDS)),
        ("claims", pages.claims([{"number": label, "sentence": label, "certainty": label, "hot": True},
                                 {"sentence": label, "held": True, "unlock": label}], words=WORDS)),
        ("main", pages.section(label, label, figure, label)),
        ("main", pages.notice(label)),
        ("foot", pages.foot([(label, label)])),
    ]
    if plan:
        columns = {"tier": label, "seats": "Seats"}
        pieces.append(("aside", pages.plan_panel(label, label, frontier, seats, columns, words=WORDS)))
    return pages.assemble(pieces, lang="en", title=label, other_pages=other_pages)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [660, 350, 288])
def test_figure_draws_its_table_without_warning(name, width):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = FIGURES[name](width=width)
        file = io.BytesIO()
        ax.figure.savefig(file, format="png")
    plt.close(ax.figure)
    file.seek(0)
    colours = plt.imread(file)[..., :3] @ [1.0, 256.0, 65536.0]
    assert len(np.unique(colours)) > 2


@pytest.mark.parametrize("name", FIGURES)
def test_figure_takes_axes_it_is_given(name):
    figure, ax = plt.subplots()
    assert FIGURES[name](ax) is ax
    plt.close(figure)


@pytest.mark.parametrize("name", ["gap", "needs 12", "profiles 5", "frontier 2", "frontier of both practices"])
def test_text_of_a_figure_stays_inside_it(name):
    # The measuring font is the widest a page may fall back to, so the agg picture is the worst case.
    for width in (660, 350):
        ax = FIGURES[name](width=width)
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts]
        plt.close(ax.figure)
        edge = ax.figure.bbox
        assert min(box.x0 for box in boxes) > edge.x0 - 8
        assert max(box.x1 for box in boxes) < edge.x1 + 8 + 0.12 * max(box.width for box in boxes)
        assert min(box.y0 for box in boxes) > edge.y0 - 8 and max(box.y1 for box in boxes) < edge.y1 + 8


@pytest.mark.parametrize("width, sizes, columns", [
    (660, [1, 1, 1], 1), (660, [2, 1], 2), (660, [7, 1], 3), (1028, [9, 20], 5), (1028, [3, 2], 3), (350, [9], 2)])
def test_an_axis_stands_under_each_column_that_holds_a_group_and_no_other(width, sizes, columns):
    table = needs_table(sum(sizes)).assign(tier=np.repeat([f"Tier {i}" for i in range(len(sizes))], sizes),
                                           estimate=0.5, ci_low=0.4, ci_high=0.6)  # fmt: skip
    ax = figures.needs_figure(table, words=WORDS, width=width)
    places = {name: sorted({text.xy[0] for text in ax.texts if test(text.get_text())}) for name, test in
              {"axis": lambda said: said == "0", "group": lambda said: said.startswith("Sun")}.items()}  # fmt: skip
    plt.close(ax.figure)
    assert places["axis"] == places["group"] and len(places["axis"]) == columns


def test_a_missing_column_or_row_is_said_in_one_line():
    with pytest.raises(SkillsgapError, match="absent: hot"):
        figures.gap_figure(gap_table().drop(columns="hot"), words=WORDS)
    with pytest.raises(SkillsgapError, match="without rows"):
        figures.needs_figure(needs_table().iloc[:0], words=WORDS)


def test_drawing_is_the_same_bytes_whatever_the_session_set():
    plt.close("all")
    first = figures.figure_html(FIGURES["gap"], alt="gaps")
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert figures.figure_html(FIGURES["gap"], alt="gaps") == first
    assert plt.get_fignums() == []


def test_a_notebook_stays_ready_to_show_figures():
    def draw(width):
        matplotlib.interactive(True)  # as a notebook's backend does when the first figure wakes it
        return FIGURES["gap"](width=width)

    matplotlib.interactive(False)
    figures.figure_html(draw, alt="gaps")
    assert matplotlib.is_interactive()
    matplotlib.interactive(False)


def test_drawings_for_page_and_phone_have_no_ids_and_readable_text():
    html = figures.figure_html(FIGURES["gap"], alt="gaps")
    assert html.count("<svg") == 2 and 'class="wide"' in html and 'class="phone" hidden' in html
    assert html.count('role="img" aria-label="gaps"') == 2
    assert not re.search(r"\sid=|href|<style|<image|<defs|font-family", html)
    assert "Oversight</text>" in html
    assert min(float(size) for size in re.findall(r"font-size:([\d.]+)px", html)) >= 11


def test_page_has_its_policy_and_nothing_from_outside():
    page = a_page(other_pages={"uz": "uz.html"})
    policy = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
              "base-uri 'none'; form-action 'none'")
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in page
    assert '<html lang="en">' in page
    assert not re.search(r"<script|<link|<iframe|<img|\bsrc=|url\(|@import|https?:", page, re.IGNORECASE)
    assert re.findall(r'href="([^"]*)"', page) == ["uz.html"]


@pytest.mark.parametrize("href", ["https://a.org/u.html", "../u.html", "/u.html", "javascript:x", "//a.html"])
def test_page_links_nowhere_else(href):
    with pytest.raises(SkillsgapError, match="links to"):
        a_page(other_pages={"uz": href})
    links = [{"label": "x", "href": href, "lang": "en"}]
    with pytest.raises(SkillsgapError, match="links to"):
        pages.index_page([{"title": "A", "state": "done", "links": links}], WORDS)


def test_text_from_data_is_escaped_everywhere():
    page = a_page(label=NASTY)
    unit = {"title": NASTY, "state": "failed", "reason": NASTY, "fictional": True,
            "links": [{"label": NASTY, "href": "a/en.html", "lang": "en"}]}
    index = pages.index_page([unit], WORDS, title=NASTY)
    for html in (page, index):
        assert "<script" not in html and "<b onclick" not in html
        assert "&lt;script&gt;" in html


def test_pages_are_the_same_bytes_twice():
    assert a_page() == a_page()


def test_a_withheld_claim_prints_no_number():
    html = str(pages.claims([{"number": "6 in 10", "sentence": "too few", "held": True, "unlock": "20 more"}],
                            words=WORDS).html)
    assert "6 in 10" not in html and "Withheld" in html and "too few 20 more" in html
    with pytest.raises(SkillsgapError, match="also found: colour"):
        pages.claims([{"colour": "red"}], words=WORDS)


@pytest.mark.parametrize("n, broad", [(12, False), (13, True), (60, True)])
def test_many_groups_take_the_whole_width_and_a_drawing_for_it(n, broad):
    needs = needs_table(n).rename(columns={"label": "group"}).assign(by="agency_id", tier="most")
    html = str(needs_section(needs, WORDS).html)
    assert ('<section class="finding broad">' in html) == ('class="broad" hidden' in html) == broad
    assert html.count("<svg") == 2 + broad and html.count('class="wide" role') == 1  # a notebook shows the wide one


def test_page_without_plan_uses_the_whole_width():
    assert '<body class="beside">' in a_page() and "<aside>" in a_page()
    assert '<body class="whole">' in a_page(plan=False) and "<aside>" not in a_page(plan=False)


def test_notebook_outputs_become_the_page():
    piece = pages.head(["Arvenia"], title="A finding", words=WORDS)
    output = nbformat.v4.new_output("execute_result", {"text/html": piece._repr_html_()})
    cell = nbformat.v4.new_code_cell("", outputs=[output], metadata={"tags": ["head"]})
    other = nbformat.v4.new_code_cell("", outputs=[output], metadata={"tags": ["parameters"]})
    page = pages.assemble(nbformat.v4.new_notebook(cells=[cell, other]), lang="uz", title="Arvenia")
    assert page.count("A finding") == 1 and '<html lang="uz">' in page
    cell["outputs"] = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]
    with pytest.raises(SkillsgapError, match="head failed: ValueError: no"):
        pages.assemble(nbformat.v4.new_notebook(cells=[cell]), lang="en", title="Arvenia")


def test_page_needs_a_head_and_known_tags():
    with pytest.raises(SkillsgapError, match="tagged head"):
        pages.assemble([("main", pages.notice("x"))], lang="en", title="x")


def test_index_lists_units_with_state_reason_and_links():
    units = [{"title": "Arvenia", "state": "done", "fictional": True,
              "links": [{"label": "English", "href": "arvenia/en.html", "lang": "en"}]},
             {"title": "Korea", "state": "waiting", "reason": "file absent"}]
    page = pages.index_page(units, WORDS)
    assert page.count("FICTIONAL COUNTRY") == 1 and "file absent" in page
    assert re.findall(r'href="([^"]*)"', page) == ["arvenia/en.html"]
    with pytest.raises(SkillsgapError, match="Korea: state lost"):
        pages.index_page([{"title": "Korea", "state": "lost"}], WORDS)


@pytest.mark.parametrize("lang", ["en", "uz"])
def test_the_index_marks_what_is_not_cleared(lang):
    words, marks = Words(lang), {"draft": "Draft", "queried": "Data queried: answers of the data owner outstanding"}
    for status, mark in {**marks, "cleared": "", None: ""}.items():
        page = pages.index_page([{"title": "A", "state": "done", "status": status}], words)
        assert page.count('class="stamp quiet"') == bool(mark)
        assert not mark or words(mark) in page
    assert "stamp quiet" not in pages.index_page([{"title": "A", "state": "done"}], words)


def contrast(one, other):
    """Contrast ratio as in WCAG 2.2."""
    def luminance(colour):
        channels = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05
    low, high = sorted([luminance(one), luminance(other)])
    return high / low


def test_text_keeps_wcag_aa_contrast_in_light_and_dark():
    css = Path(pages.__file__).with_name("page.css").read_text("utf-8")
    dark = dict(re.findall(r"--(\w+):(#\w+)", css[css.index("prefers-color-scheme:dark"):]))
    assert set(dark) == set(figures.PALETTE)
    for palette in (figures.PALETTE, dark):
        for text in ("ink", "soft", "blue", "warm"):
            assert contrast(palette[text], palette["paper"]) >= 4.5
            assert contrast(palette[text], palette["wash"]) >= 4.5
    for level in (0.0, 0.5, 1.0):
        assert contrast(figures.CELL_INK, figures.HEAT(level)) >= 4.5
