"""Kinds of damage to courses taken and to pilots; all on the base `history`."""

from mutations import NOTED, PLAIN, REJECTED, again, cell, column, number, on_base, wrong

HISTORIES = [
    *on_base(
        "history",
        "training_records",
        REJECTED,
        (
            "a course unknown",
            *wrong("training_records", 3, "course_id", "B77", "'B77' is not in courses.csv", "add it there"),
        ),
        ("a course in another case", *wrong("training_records", 3, "course_id", "b01", "differ only in")),
        (
            "somebody who is not in the register",
            *wrong("training_records", 3, "staff_id", "999999", "'999999' is not in register.csv.gz"),
        ),
        (
            "ids without their zeros",
            column("training_records", "staff_id", lambda v: v.str.lstrip("0")),
            ("training_records.csv line 2", "column staff_id", "leading zeros were lost"),
        ),
        ("nobody", *wrong("training_records", 3, "staff_id", "", "the value is empty")),
        ("completed misspelt", *wrong("training_records", 3, "completed", "yess", "'yess' is not one of yes, no")),
        (
            "an end before the start",
            column("training_records", "start", lambda v: v.str.replace("202", "203")),
            ("column start: 203", "is above end, which is 202", "correct one",),
        ),
        ("a record twice", again("training_records", 3), ("training_records.csv", "stands in lines 3,", "keep one")),
        (
            "a record twice, with other results",
            again("training_records", 3, post="4"),
            ("training_records.csv", "stands in lines 3,", "keep one"),
        ),
        (
            "a day that the calendar lacks",
            *wrong("training_records", 3, "start", "2025-02-30", "'2025-02-30' is not a date"),
        ),
        ("a result above the scale", *wrong("training_records", 3, "post", "71", "71 is above 4")),
    ),
    *on_base(
        "history",
        "pilot_outcomes",
        REJECTED,
        ("treated misspelt", *wrong("pilot_outcomes", 3, "treated", "treated", "'treated' is not one of yes, no")),
        (
            "a group and wave twice, with other outcomes",
            again("pilot_outcomes", 3, outcome="3.9"),
            ("column group + wave: 'P01 2025-Q4' stands in lines 3,", "keep one"),
        ),
        ("nobody in a group", *wrong("pilot_outcomes", 3, "n", "0", "0 is below 1")),
        ("half a person", *wrong("pilot_outcomes", 3, "n", "2.5", "'2.5' is not a whole number")),
        ("an outcome with a decimal comma", *number("pilot_outcomes", 3, "outcome", "1,79")),
        ("no outcome", *wrong("pilot_outcomes", 3, "outcome", "", "the value is empty")),
    ),
    *on_base(
        "history",
        "pilot_outcomes",
        NOTED,
        (
            "a row copied",
            again("pilot_outcomes", 3),
            ("pilot_outcomes.csv line", "hold the same row", "counted once"),
        ),
    ),
    *on_base(
        "history",
        "pilot_outcomes",
        PLAIN,
        ("an outcome ten times as high", cell("pilot_outcomes", 3, "outcome", "17"), "no number depends on pilots yet"),
    ),
]
