"""What tables say of the same people and places, where no two of them can both be right."""

import difflib
import re

import pandas as pd

from skillsgap.study.loaded import ROWS
from skillsgap.wording import N_

MOVED = 0.2  # share of people whose place may have changed between a register and a survey
SAME = ("agency_id", "unit_id", "admin_level", "region", "role_id", "role_level", "grade", "sex", "age_band",
        "education")  # fmt: skip
NEAR = 0.85  # likeness of two codes of which one may be the other misspelt
ROLE = ("role_id", "role_level")
COHORT = ("agency_id", "role_id", "role_level", "grade", "profile", "need_band")  # what a rule may go by
RULE = re.compile(r"\s*([^=;|]+?)\s*=\s*([^=;]+?)\s*")  # column=code|code
# columns of a row of which the first can't be above the second
ORDER = (("courses", "class_min", "seats_max"), ("register", "hire_date", "exit_date"),
         ("training_records", "start", "end"))  # fmt: skip


def agree(tables):
    """Find the faults between tables that are each sound in themselves.

    Parameters
    ----------
    tables : dict of str to Loaded
        Typed tables. Their faults grow: staff without a head, respondents who stand for more than everybody, roles
        and rules of eligibility whose codes are nearly those that staff have, bounds the wrong way round.
    """
    register, responses = tables.get("register"), tables.get("responses")
    people = register or responses
    for table, low, high in ORDER:
        if table in tables and {low, high} <= set(tables[table].frame):
            _ordered(tables[table], low, high)
    if register is not None and not register.faults:
        staff = _staff(register)
        if not staff:
            register.fault(None, "headcount" if "headcount" in register.frame else None,
                           N_("it holds nobody"), N_("send the head-counts"))  # fmt: skip
        elif responses is not None and "weight" in responses.frame:
            _weighed(responses, register, staff)
    if responses is not None and "people" in tables and "staff_id" in responses.frame:
        _same_people(responses, tables["people"])
    if people is not None and "requirements" in tables:
        _required(tables["requirements"], people)
    if people is not None and "courses" in tables and "eligibility" in tables["courses"].frame:
        _eligible(tables["courses"], people, tables.get("requirements"))


def _same_people(responses, people):
    """What the survey and the register both say of a person: seldom different, or one of them is about others."""
    known = people.frame.drop_duplicates("staff_id").set_index("staff_id")
    both = responses.frame[["staff_id"]].join(known, on="staff_id")
    for column in [c for c in SAME if c in responses.frame and c in people.frame]:
        ours, theirs = responses.frame[column], both[column]
        known = ours.notna() & theirs.notna()
        odd = responses.frame[known & (ours != theirs)]
        if odd.empty:
            continue
        said = {"column": column, "there": people.name, "n": len(odd), "all": int(known.sum())}
        text = N_("{column} differs from {there} for {n} of {all} people")
        if len(odd) > MOVED * known.sum():
            remedy = N_("correct the one that is wrong, or leave the column out of one")
            responses.fault(odd, column, text, remedy, said)
        else:
            responses.note(odd, column, text, N_("read as the survey has it"), said)


def _staff(register):
    """People a register stands for: its head-counts, or its rows."""
    rows = register.frame[ROWS]
    return float((rows * register.frame["headcount"]).sum() if "headcount" in register.frame else rows.sum())


def _weighed(responses, register, staff):
    odd = responses.frame[pd.to_numeric(responses.frame["weight"]) > staff]
    if len(odd):
        said = {"value": f"{odd['weight'].iloc[0]:g}", "staff": f"{staff:g}", "there": register.name}
        responses.fault(odd, "weight", N_("one respondent stands for {value} people, and {there} has {staff}"),
                        N_("correct it: a weight says how many people a respondent stands for"), said)  # fmt: skip


def _ordered(loaded, low, high):
    frame = loaded.frame.dropna(subset=[low, high])
    odd = frame[frame[low] > frame[high]]
    if len(odd):
        shown = [f"{v:g}" if isinstance(v, (int, float)) else v for v in odd[[low, high]].iloc[0]]
        loaded.fault(odd, low, N_("{value} is above {high}, which is {other}"), N_("correct one of them"),
                     {"value": shown[0], "high": high, "other": shown[1]})  # fmt: skip


def _required(required, people):
    """Roles and levels that nobody holds, and whose names are nearly those of roles that have no requirements."""
    for column in ROLE:
        if column not in required.frame or column not in people.frame:
            continue
        held, asked = _codes(people.frame[column]), _codes(required.frame[column])
        for code in sorted(asked - held):
            if alike := difflib.get_close_matches(code, sorted(held - asked), 1, NEAR):
                odd = required.frame[required.frame[column] == code]
                required.fault(odd, column, N_("nobody in {there} has {value!r}, and {near!r} has no requirements"),
                               N_("write them alike"),
                               {"value": code, "near": alike[0], "there": people.name})  # fmt: skip


def _eligible(courses, people, required):
    """Rules that can't be read, and codes in them that nobody has and that are nearly those that staff have."""
    for line, rule in courses.frame["eligibility"].dropna().items():
        odd = courses.frame.loc[[line]]
        for part in filter(str.strip, rule.split(";")):
            read = RULE.fullmatch(part)
            if read is None:
                courses.fault(odd, "eligibility", N_("{value!r} is not column=code|code"), N_("correct the rule"),
                              {"value": part})  # fmt: skip
            elif read[1] not in COHORT:
                courses.fault(odd, "eligibility", N_("the rule goes by {column}, which cohorts don't have"),
                              N_("known are {known}"), {"column": read[1], "known": ", ".join(COHORT)})  # fmt: skip
            elif read[1] in people.frame:
                held, named = _codes(people.frame[read[1]]), {code.strip() for code in read[2].split("|")}
                if required is not None and read[1] in required.frame:
                    named -= _codes(required.frame[read[1]])
                for code in sorted(named - held):
                    _nearly(courses, odd, code, held, people.name)


def _nearly(courses, odd, code, held, there):
    if alike := difflib.get_close_matches(code, sorted(held), 1, NEAR):
        courses.fault(odd, "eligibility", N_("nobody in {there} has {value!r}"), N_("did you mean {near}?"),
                      {"value": code, "near": alike[0], "there": there})  # fmt: skip


def _codes(values):
    return set(values.dropna().astype(str))
