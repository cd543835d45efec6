"""Paper and pen of the figures: palette, bare axes, text that fits, and a drawing for each of two widths."""

import io
from functools import lru_cache

import matplotlib
import matplotlib.pyplot as plt
from markupsafe import Markup
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from skillsgap.errors import SkillsgapError
from skillsgap.publish.svg import plain_svg
from skillsgap.wording import N_

# Text colours keep 4.5 : 1 on paper and on wash, for weak projectors; page.css has the values for dark rooms.
PALETTE = {
    "ink": "#16232f", "soft": "#51606d", "line": "#d8dfe5", "bar": "#bcc7d0", "wash": "#f3f6f8",
    "paper": "#ffffff", "blue": "#0b5f86", "tint": "#9fcbe0", "warm": "#b54a00", "glow": "#f4c39c",
}
TOP_LEVEL = 4
NARROW = 480  # points; a figure less wide than this takes its phone layout
LEADING = 1.22  # line height, in sizes
SLACK = 1.12  # how much wider our font is than a page's
PLANTED = N_("◇ planted value (synthetic data)")
MIDDLE = 0.36  # from the middle of a line of text down to its baseline, in sizes
# Widths are measured in the font that comes with matplotlib, so that bytes don't depend on a machine's fonts;
# it is wider than the fonts the page asks for, so what was measured fits.
FONT = FontProperties(family=["DejaVu Sans"])
BOLD = FontProperties(family=["DejaVu Sans"], weight="bold")
DRAWING = Markup('<div class="{}"{} role="img" aria-label="{}" style="max-width:{}px">{}</div>')


def figure_html(draw, *, alt, widths=(660, 350)):
    """A figure as SVG inside HTML, drawn for a page and for a phone; the style sheet shows one.

    Parameters
    ----------
    draw : callable
        Takes `width` (points) and returns Axes, such as ``partial(gap_figure, table, words=words)``.
    alt : str
        What the figure shows, for readers who can't see it.
    widths : sequence of float
        Widths of the page's and of the phone's version, in CSS pixels; of three the first takes a screen's whole page.

    Returns
    -------
    Markup; the same bytes for the same table, free of ids, links and styles that could reach the page.
    """
    colours = {value: name for name, value in PALETTE.items()}
    parts = []
    names, stretches = ("broad", "wide", "phone")[-len(widths):], (1.05, 1.05, 1.4)[-len(widths):]
    for name, width, stretch in zip(names, widths, stretches, strict=True):
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "skillsgap"})
            file, figure = io.StringIO(), draw(width=width).figure
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
            plt.close(figure)
            awake = matplotlib.is_interactive()
        # A notebook's backend wakes with the first figure; the context would put it to sleep again, and what
        # is drawn later would not show.
        matplotlib.interactive(awake)
        # Without the style sheet, as in a notebook, only the wide drawing shows.
        hidden = Markup(" hidden") if name != "wide" else ""
        parts.append(DRAWING.format(name, hidden, alt, round(width * stretch),
                                    Markup(plain_svg(file.getvalue(), colours))))
    return Markup('<div class="fig">{0}</div>').format(Markup("").join(parts))


def points_of(ax):
    """Width and height of axes in points."""
    box, figure = ax.get_position(), ax.figure
    return box.width * figure.get_figwidth() * 72, box.height * figure.get_figheight() * 72


def open_axes(ax, width, height, *, left=0, right=0, top=0, bottom=0):
    """The given axes, or new ones that leave these margins (points), without any decoration."""
    if ax is None:
        full = height + top + bottom
        figure = plt.figure(figsize=(width / 72, full / 72), dpi=110)
        ax = figure.add_axes([left / width, bottom / full, (width - left - right) / width, height / full])
    ax.set_axis_off()
    return ax


def write(ax, x, y, lines, *, size, bold=False, align="left", colour=PALETTE["ink"], right=0, down=0,
          transform=None):
    """Lines of text, each its own object, because a browser's font aligns what ours did not measure."""
    for i, line in enumerate(lines):
        if line:
            ax.annotate(line, (x, y), (right, -down - i * size * LEADING), textcoords="offset points",
                        xycoords=ax.transData if transform is None else transform, ha=align, va="baseline",
                        color=colour, fontsize=size, fontproperties=BOLD if bold else FONT,
                        annotation_clip=False, parse_math=False)


def dots(ax, x, y, size):
    """Dots with a rim, so that they stand out from what is beneath them."""
    ax.plot(x, y, "o", ms=size, color=PALETTE["blue"], mec=PALETTE["paper"], mew=1, clip_on=False)


def shows_truth(table):
    """Whether a finished table holds a planted value, which a figure then draws and names."""
    return "truth" in table and bool(table["truth"].notna().any())


def diamonds(ax, x, y, size=5.0):
    """Planted values: white with a dark edge, smaller than a dot, so that both show where they coincide."""
    ax.plot(x, y, "D", ms=size, color=PALETTE["paper"], mec=PALETTE["ink"], mew=1.3, clip_on=False)


def to_middle(lines, size):
    """From the middle of some lines of text down to the baseline of the first."""
    return MIDDLE * size - (len(lines) - 1) * size * LEADING / 2


def sizes(width):
    """Whether the layout is the phone's, and the sizes of text and of small text; a phone needs no less."""
    return width < NARROW, 13.0, 12.0


@lru_cache(maxsize=4096)
def text_length(text, size, bold=False):
    """Width of a line in points."""
    unit, _, _ = TextToPath().get_text_width_height_descent(text, BOLD if bold else FONT, ismath=False)
    return unit / (BOLD if bold else FONT).get_size_in_points() * size


def wrap(text, width, size, bold=False):
    """Lines no wider than `width` points; a word too long for a line is cut.

    Examples
    --------
    >>> wrap("Data literacy: judge quality", 110, 12)
    ['Data literacy:', 'judge quality']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if text_length(longer, size, bold) <= width:
            lines[-1] = longer
            continue
        *cut, rest = _cut(word, width * SLACK, size, bold)
        lines += [*cut, rest]
    return [line for line in lines if line] or [""]


def _cut(word, width, size, bold):
    """Pieces of a word that fit, the last one whole, the others with a hyphen."""
    length = text_length(word, size, bold)
    if length <= width:
        return [word]
    letters = max(3, int(width * len(word) / length) - 1)
    pieces = [word[i:i + letters] for i in range(0, len(word), letters)]
    return [piece + "-" for piece in pieces[:-1]] + pieces[-1:]


def require(table, name, columns):
    """Raise SkillsgapError unless the table has these columns and at least one row."""
    absent = [column for column in columns if column not in table]
    if absent:
        raise SkillsgapError(f"{name} expects the columns {', '.join(columns)}; absent: {', '.join(absent)}")
    if table.empty:
        raise SkillsgapError(f"{name} got a table without rows; say in words what was withheld instead")
