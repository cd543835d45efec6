"""What a plan recommends, in sentences: who, what, when, what it closes, how sure that is, and why."""

from skillsgap.contracts import IMPACT
from skillsgap.decide.recommendations import NOT_RECORDED
from skillsgap.publish.naming import label, value
from skillsgap.publish.plan_words import KINDS, rule_name
from skillsgap.wording import N_

WHAT = {
    "train": N_("{seats} of {eligible} staff who may ({role}, {level}, {agency}): {courses}; {cost}."),
    "redeploy": N_("{seats} of {eligible} staff who may ({role}, {level}, {agency}) move to another role; {cost}."),
    "hire": N_("{seats} of {eligible} places ({role}, {level}, {agency}) filled by hiring; {cost}."),
    "contract": N_("{seats} of {eligible} places ({role}, {level}, {agency}) filled by contract; {cost}."),
}  # fmt: skip
WHEN = N_("Starts in period {period}.")
CLOSES = N_("Closes {gap} weighted levels of need ({low} to {high}), most of it in {competencies}; the best plans of "
            "{stable} of {n} draws do the same.")  # fmt: skip
CLOSES_ALONE = N_("Closes {gap} weighted levels of need ({low} to {high}), most of it in {competencies}.")
WHY = N_("A rule asks for it: {rule}.")
CRITERIA = {
    "public_interest": N_("Public interest: {told}."), "fairness": N_("Fairness: {told}."),
    "legality": N_("Legality: {told}."), "participation": N_("Participation: {told}."),
}  # fmt: skip


def as_messages(table):
    """Recommendations for prose: sentences with {named} places, in any language.

    Parameters
    ----------
    table : DataFrame
        From `recommendations`, released: rows of a few eligible staff would speak of persons. Withheld ones have no
        sentences.

    Returns
    -------
    list of list of (message, values), as `Words.say` takes them; one list a row

    Examples
    --------
    >>> import pandas as pd
    >>> from skillsgap.wording import Words
    >>> row = {"agency_id": "tax", "role_id": "clerk", "role_level": "junior", "option_id": "B01", "kind": "train",
    ...        "courses": "B01", "period": 0, "eligible": 40, "seats": 9, "cost": 900.0, "gap_closed": 3.2,
    ...        "ci_low": 2.5, "ci_high": 4.0, "stability": 0.8, "n_draws": 10, "competency_1": "data",
    ...        "competency_2": "", "rule_id": "", "rule_family": ""} | dict.fromkeys(IMPACT, NOT_RECORDED)
    >>> said = [Words("en").say(*sentence) for sentence in as_messages(pd.DataFrame([row]))[0]]
    >>> said[0]
    '9 of 40 staff who may (clerk, junior, tax): B01; 900.'
    """
    periods = len(table) > 0 and table["period"].max() > 0
    return [_sentences(row, periods) if row["seats"] == row["seats"] else [] for row in table.to_dict("records")]


def _sentences(row, periods):
    """One recommendation."""
    who = {"role": label("role_id", row["role_id"]), "level": label("role_level", row["role_level"]),
           "agency": label("agency_id", row["agency_id"]), "seats": value("number", row["seats"]),
           "eligible": value("number", row["eligible"]), "cost": value("money", row["cost"])}  # fmt: skip
    if row["kind"] not in KINDS:
        who["courses"] = _labels("course_id", row["courses"].split(">"))
    told = [(WHAT[row["kind"]], who)]
    if periods:
        told.append((WHEN, {"period": value("number", row["period"] + 1)}))
    names = [row[name] for name in ("competency_1", "competency_2") if row[name]]
    if names:
        gap = {name: value("number", row[column], digits=1)
               for name, column in (("gap", "gap_closed"), ("low", "ci_low"), ("high", "ci_high"))}  # fmt: skip
        closes = gap | {"competencies": _labels("competency_id", names)}
        sure = {} if row["n_draws"] == 0 else {
            "n": value("number", row["n_draws"]),
            "stable": value("number", round(row["stability"] * row["n_draws"]))}  # fmt: skip
        told.append((CLOSES if sure else CLOSES_ALONE, closes | sure))
    if row["rule_id"]:
        told.append((WHY, {"rule": rule_name(row["rule_id"], row["rule_family"])}))
    return told + [(CRITERIA[name], {"told": evidence(row[name])}) for name in IMPACT]


def evidence(text):
    """What is told of a criterion, as a typed value: in the words of those who declared it."""
    return value("message" if text == NOT_RECORDED else "text", text)


def _labels(table, codes):
    return {"kind": "labels", "table": table, "value": [str(code) for code in codes]}
