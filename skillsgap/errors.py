"""One-line messages: what was expected, what came, where, and what to do about it."""

from dataclasses import dataclass, field


class SkillsgapError(Exception):
    """A problem a user can mend; its text is one line and needs no traceback."""


class ParamsError(SkillsgapError):
    """A params file says something that can't be meant."""


class EstimateError(SkillsgapError, ValueError):
    """A number can't be estimated from what was given."""


class PlanError(SkillsgapError):
    """A plan can't be drawn up from what was given."""


class DisclosureError(SkillsgapError):
    """A table holds something that must not leave the house."""


class Waiting(SkillsgapError):  # noqa: N818 - a state of a unit, not a fault of anyone's
    """A declared outside source is absent: the unit waits and nothing is wrong."""


@dataclass(frozen=True)
class Problem:
    """One fault or oddity of the input, and every place where it occurs.

    Parameters
    ----------
    file : str
        Name of the file as the params file gives it.
    text : str
        What was expected and what came: a message with {places}, so that it can be said in any language.
    remedy : str
        What to do about it; of an oddity that was put right, what was done.
    line : int, optional
        First line (of a text file) or row (of a binary one) concerned.
    column : str, optional
        Column or key concerned.
    rows : int
        How many rows are concerned.
    values : mapping
        What stands in the places of `text` and `remedy`; without any, both are taken as they are.

    Examples
    --------
    >>> print(Problem("responses.csv", "answer {value} is outside {low}..{high}", "add it to missing_codes", 412,
    ...               "Q3", 14, {"value": 9, "low": 0, "high": 4}))
    responses.csv line 412, column Q3: answer 9 is outside 0..4 (14 rows): add it to missing_codes
    """

    file: str
    text: str
    remedy: str
    line: int | None = None
    column: str | None = None
    rows: int = 1
    values: dict = field(default_factory=dict, compare=False)

    def __str__(self):
        where = self.file
        if self.line is not None:
            where += f" line {self.line}"
        if self.column is not None:
            where += f", column {self.column}"
        many = f" ({self.rows} rows)" if self.rows > 1 else ""
        return f"{where}: {self.said(self.text)}{many}: {self.said(self.remedy)}"

    def said(self, message):
        """`text` or `remedy` (or a translation of it) with the values in their places."""
        return message.format(**self.values) if self.values else message


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

    def table(self):
        """The faults as a DataFrame: file, line, column, rows, text, remedy; worst first."""
        return problem_table(self.problems)


def problem_table(problems):
    """Faults or oddities as a DataFrame, one a row, in English.

    Returns
    -------
    DataFrame
        file, line (empty where the whole file is meant), column, rows, text, remedy.
    """
    import pandas as pd

    rows = [(p.file, p.line, p.column or "", p.rows, p.said(p.text), p.said(p.remedy))
            for p in problems]  # fmt: skip
    table = pd.DataFrame(rows, columns=["file", "line", "column", "rows", "text", "remedy"])
    return table.astype({"line": "Int64", "rows": "int64"})
