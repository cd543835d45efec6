"""What validate prints: units by stages, why below it, and the one file that would unlock most."""

import textwrap

from skillsgap.run.forecast import STAGES

WIDTH = 100  # columns of a terminal
NARROW = 12  # letters of a unit's name that stay at the least
# how a cell calls what a unit lacks, and how a sentence does; in the order of the work
NAMES = {
    "responses": ("no answer", "the answers of respondents"),
    "items": ("no items", "a list of items"),
    "competencies": ("no skills", "a list of competencies"),
    "aggregates": ("no figure", "published figures"),
    "register": ("no staff", "a register"),
    "requirements": ("no roles", "requirements by role"),
    "courses": ("no course", "a course catalogue"),
    "course_effects": ("no effect", "a table of course effects"),
    "plan": ("no budget", "a budget (key plan)"),
    "indicators": ("no indic.", "readiness indicators"),
}


def matrix(forecasts):
    """Units by stages as text for a terminal, below it why, and at the end what would unlock most.

    Parameters
    ----------
    forecasts : sequence of Forecast

    Returns
    -------
    str
        Lines of at most 100 letters, without one at its end.
    """
    rows = [["unit", *STAGES], *([f.unit, *(_cell(f, stage) for stage in STAGES)] for f in forecasts)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    gap = 2 if sum(widths) + 2 * len(STAGES) <= WIDTH else 1
    widths[0] = min(widths[0], max(NARROW, WIDTH - sum(widths[1:]) - gap * len(STAGES)))
    lines = [(" " * gap).join(map(_fit, row, widths)).rstrip() for row in rows]
    for one in forecasts:
        lines += ["", *_block(one)]
    return "\n".join([*lines, "", *_wrapped(_unlocks_most(forecasts), "")])


def _fit(text, width):
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"


def _cell(one, stage):
    state = one.states[stage]
    if state == "missing":
        return NAMES[one.missing[stage][0]][0]
    return "yes" if state == "printed" and stage in ("read", "quality") else state


def _block(one):
    """A unit's name and status, and below it why, one line a reason or fault."""
    said = "enters comparisons" if one.compared else "stays out of comparisons"
    if one.faults:
        said = f"{len(one.faults)} {'fault' if len(one.faults) == 1 else 'faults'}, worst first"
    status = one.status or "params can't be read"
    lines = [f"{one.unit}: {status}, {said}"]
    for line in [*one.faults, *one.reasons, *_unlocked(one)]:
        lines += _wrapped(line, "  ")
    return lines


def _unlocked(one):
    if one.most:
        return [f"{one.most}: unlocks {', '.join(one.unlocks[one.most])}"]
    if one.missing:
        stage, tables = next(iter(one.missing.items()))
        return [f"no single file unlocks more: {stage} would need {', '.join(tables)}"] if len(tables) > 1 else []
    return []


def _unlocks_most(forecasts):
    """The one table over all units that would unlock most stages; the first of several in the order of the work."""
    tables = [*NAMES, *sorted({table for f in forecasts for table in f.unlocks} - set(NAMES))]
    gained = {table: [len(f.unlocks[table]) for f in forecasts if table in f.unlocks] for table in tables}
    table = max(gained, key=lambda table: sum(gained[table]))
    if not gained[table]:
        return "no single file would unlock more"
    units, stages = len(gained[table]), sum(gained[table])
    many = f"{units} unit{'s' * (units > 1)}, {stages} stage{'s' * (stages > 1)}"
    return f"most is unlocked by {NAMES.get(table, ('', f'the {table}'))[1]} ({many})"


def _wrapped(line, indent):
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
