"""One-line messages: what was expected, what came, where, and what to do about it."""

from dataclasses import dataclass


class SkillsgapError(Exception):
    """A problem a user can mend; its text is one line and needs no traceback."""


class ParamsError(SkillsgapError):
    """A params file says something that can't be meant."""


class EstimateError(SkillsgapError):
    """A number can't be estimated from what was given."""


class PlanError(SkillsgapError):
    """A plan can't be drawn up from what was given."""


class DisclosureError(SkillsgapError):
    """A table holds something that must not leave the house."""


class Waiting(SkillsgapError):  # noqa: N818 - a state of a unit, not a fault of anyone's
    """A declared outside source is absent: the unit waits and nothing is wrong."""


@dataclass(frozen=True)
class Problem:
    """One fault of the input, and every place where it occurs.

    Parameters
    ----------
    file : str
        Name of the file as the params file gives it.
    text : str
        What was expected and what came.
    remedy : str
        What to do about it.
    line : int, optional
        First line (of a text file) or row (of a binary one) concerned.
    column : str, optional
        Column or key concerned.
    rows : int
        How many rows are concerned.

    Examples
    --------
    >>> print(Problem("responses.csv", "answer 9 is outside 0..4", "add it to missing_codes", 412, "Q3", 14))
    responses.csv line 412, column Q3: answer 9 is outside 0..4 (14 rows): add it to missing_codes
    """

    file: str
    text: str
    remedy: str
    line: int | None = None
    column: str | None = None
    rows: int = 1

    def __str__(self):
        where = self.file
        if self.line is not None:
            where += f" line {self.line}"
        if self.column is not None:
            where += f", column {self.column}"
        many = f" ({self.rows} rows)" if self.rows > 1 else ""
        return f"{where}: {self.text}{many}: {self.remedy}"


class StudyError(SkillsgapError):
    """Every fault found in a unit's tables, those that concern most rows first.

    Parameters
    ----------
    problems : sequence of Problem
        At least one.
    """

    def __init__(self, problems):
        self.problems = tuple(sorted(problems, key=lambda p: (-p.rows, str(p))))
        super().__init__("\n".join(str(problem) for problem in self.problems))
