"""Kinds of damage to what a questionnaire needs; all on the base `form`."""

import pandas as pd
from mutations import (
    NOTED,
    PLAIN,
    REJECTED,
    again,
    both,
    cell,
    column,
    dropped,
    frame,
    key,
    on_base,
    params,
    swapped,
    unset,
    wrong,
)


def without(table, name):
    return frame(table, lambda rows: rows.drop(columns=name))


def fault(table, line, *said):
    return (f"{table}.csv line {line}", *said)


FORM = [
    *on_base(
        "form",
        "competencies",
        REJECTED,
        ("an audience misspelt", *wrong("competencies", 3, "audience", "specialists", "is not one of everyone,")),
    ),
    *on_base(
        "form",
        "descriptors",
        REJECTED,
        (
            "a level missing",
            dropped("descriptors", 4),
            ("descriptors.csv, column level: the form asks for digital_literacy, which has no descriptor of 2",),
        ),
        (
            "a competency without any",
            dropped("descriptors", *range(7, 12)),
            ("the form asks for cloud, which has no descriptor of 0, 1, 2, 3, 4",),
        ),
        ("an empty text", *wrong("descriptors", 4, "text_en", "", "the value is empty")),
        (
            "an empty text in the other language",
            *wrong("descriptors", 4, "text_uz", "", "the form is asked in uz, and the text is empty"),
        ),
        (
            "a competency unknown",
            *wrong("descriptors", 4, "competency_id", "web3", "'web3' is not in competencies.csv"),
        ),
        (
            "a competency in another case",
            *wrong("descriptors", 4, "competency_id", "Digital_Literacy", "differ only in"),
        ),
        ("a level 5", *wrong("descriptors", 6, "level", "5", "5 is above 4")),
        ("a level between two", *wrong("descriptors", 6, "level", "3.5", "'3.5' is not a whole number")),
        (
            "levels from 1 to 5",
            column("descriptors", "level", lambda v: (v.astype(int) + 1).astype(str)),
            fault("descriptors", 6, "column level: 5 is above 4", "(9 rows)"),
        ),
        (
            "a level twice, with other texts",
            again("descriptors", 4, text_en="Another statement."),
            fault("descriptors", 47, "'digital_literacy 2' stands in lines 4, 47", "keep one"),
        ),
        (
            "levels and texts swapped",
            swapped("descriptors", "level", "text_en"),
            fault("descriptors", 2, "column level", "is not a whole number (45 rows)"),
        ),
    ),
    *on_base(
        "form",
        "choices",
        REJECTED,
        (
            "a code missing",
            dropped("choices", 3),
            ("items.csv line 3, column n_categories", "those of its scale task are 0, 2, 3, 4", "(13 rows)"),
        ),
        (
            "a code twice, with other texts",
            again("choices", 3, text_en="Another answer"),
            fault("choices", 26, "'task 1' stands in lines 3, 26", "keep one"),
        ),
        ("a code in words", *wrong("choices", 3, "code", "one", "'one' is not a whole number")),
        (
            "codes from 1",
            column("choices", "code", lambda v: (v.astype(int) + 1).astype(str)),
            ("items.csv line 3, column n_categories", "of its scale task are 1, 2, 3, 4, 5"),
        ),
        (
            "a scale misspelt",
            cell("choices", 3, "scale", "taks"),
            ("items.csv line 3, column n_categories", "those of its scale task are 0, 2, 3, 4"),
        ),
        ("an empty text", *wrong("choices", 3, "text_uz", "", "the form is asked in uz, and the text is empty")),
        (
            "no texts in a language",
            without("choices", "text_uz"),
            ("choices.csv, column text_uz: the form is asked in uz, and there is no column text_uz",),
        ),
    ),
    *on_base(
        "form",
        "form_texts",
        REJECTED,
        (
            "a text missing",
            frame("form_texts", lambda rows: rows[rows["text_id"] != "consent_no"]),
            ("form_texts.csv, column text_id: there is no text consent_no, which the form needs",),
        ),
        (
            "a text twice, with other words",
            again("form_texts", 3, text_en="Another"),
            ("column text_id: 'consent_title' stands in lines 3,", "keep one"),
        ),
    ),
    *on_base(
        "form",
        "items",
        REJECTED,
        ("a form misspelt", *wrong("items", 3, "form", "lnog", "'lnog' is not one of both, long")),
        ("no form", *wrong("items", 3, "form", "", "the value is empty", "fill it in")),
        ("a scale unknown", *wrong("items", 3, "scale", "tasks", "the item DL02 has the scale 'tasks', which has no")),
        ("a key outside the codes", *wrong("items", 25, "key", "4", "the key '4' of KN01 is none of its codes 0, 1")),
        (
            "a filter unknown",
            *wrong("items", 28, "filter_item", "IT09", "IT02 is left out by IT09, which the form does not ask"),
        ),
        (
            "a filter asked after the item",
            frame("items", lambda rows: rows.reindex([*rows.index[:25], 28, 27, 29])),
            ("items.csv line 27, column filter_item: the item IT02 is left out by IT01, which the form does not",),
        ),
        (
            "codes of a filter unknown",
            *wrong("items", 28, "filter_codes", "0|7", "left out at '0|7' of IT01, which are not among its codes"),
        ),
        ("a filter without codes", *wrong("items", 28, "filter_codes", "", "left out at '' of IT01")),
        ("a group misspelt", *wrong("items", 26, "group", "digitall", "'digitall' is not one of digital, data")),
        ("an importance without lowest", cell("items", 26, "lowest", ""), ("column IP01: answer 5 is outside 0..4",)),
        (
            "an importance of four categories",
            cell("items", 26, "n_categories", "4"),
            ("column IP01: answer 5 is outside 1..4",),
        ),
        (
            "an importance as a self-rating",
            cell("items", 26, "type", "anchored"),
            ("items.csv line 26, column competency_id: the anchored item IP01 belongs to no competency",),
        ),
        ("a type misspelt", *wrong("items", 25, "type", "knowlege", "'knowlege' is not one of anchored, tested")),
        ("an empty text", *wrong("items", 3, "text_uz", "", "the form is asked in uz, and the text is empty")),
        (
            "a name that no form can have",
            both(
                cell("items", 25, "item_id", "KN-01"),
                frame("responses", lambda rows: rows.rename(columns={"KN01": "KN-01"})),
            ),
            ("items.csv: a form can't have a question called 'KN-01'",),
        ),
        (
            "an assessed task in the form",
            *wrong("items", 29, "form", "long", "TE01 is of the type tested, which a form can't ask", "assessment"),
        ),
    ),
    *on_base(
        "form",
        "responses",
        REJECTED,
        ("tested misspelt", *wrong("responses", 3, "tested", "yess", "'yess' is not one of yes, no")),
        (
            "tested the other way round",
            column("responses", "tested", lambda v: v.map({"yes": "no", "no": "yes"})),
            ("column TE01: TE01 is skipped here, as params say, and has the answer",),
        ),
        ("no column tested", without("responses", "tested"), ("responses.csv", "tested")),
        (
            "an assessed task without its column",
            without("responses", "TE01"),
            ("responses.csv, column TE01",),
        ),
        ("a choice that is none", *wrong("responses", 3, "KN01", "4", "answer 4 is outside 0..3")),
        ("an importance of 0", *wrong("responses", 3, "IP01", "0", "answer 0 is outside 1..5")),
        (
            "an answer where the form asked nothing",
            frame("responses", lambda rows: rows.assign(IT02=rows["IT02"].mask(rows["IT01"] == "0", "3"))),
            ("column IT02: IT02 is skipped here, as params say, and has the answer '3'",),
        ),
    ),
    *on_base(
        "form",
        "params",
        REJECTED,
        (
            "a form in a language without texts",
            params("questionnaire", languages=["en", "fr"]),
            ("column text_fr: the form is asked in fr, and there is no column text_fr", "take fr out"),
        ),
        (
            "a form in no language",
            *key(("questionnaire.languages", "at least 1 of them"), "questionnaire", languages=[]),
        ),
        (
            "a form in a language by its name",
            *key(("questionnaire.languages.0 is 'uzbek'",), "questionnaire", languages=["uzbek"]),
        ),
        (
            "a question about a column without labels",
            *key(
                ("questionnaire.about names grade, whose codes have no names", "labels.grade"),
                "questionnaire",
                about=["agency_id", "grade"],
            ),
        ),
        (
            "a question about who somebody is",
            *key(("questionnaire.about names staff_id, which a form can't ask",), "questionnaire", about=["staff_id"]),
        ),
        (
            "a code without a name in a language",
            params("labels", "sex", male={"en": "Men"}),
            ("tiny.yaml line", "labels.sex.male", "uz"),
        ),
        (
            "an optional competency unknown",
            *key(
                ("questionnaire.optional names web4, which has no item of the form optional",),
                "questionnaire",
                optional=["web4"],
            ),
        ),
        ("a form of middle length", *key(("questionnaire.form is 'medium'",), "questionnaire", form="medium")),
        ("a form without consent", unset("questionnaire", "consent"), ("tiny.yaml line", "lacks the key consent")),
        (
            "answers kept for no time",
            *key(("retention_months is 0", "1 or more"), "questionnaire", "consent", retention_months=0),
        ),
        (
            "a form without its texts",
            unset("data", "form_texts"),
            ("tiny.yaml line", "a questionnaire needs data.form_texts", "declare it"),
        ),
        (
            "a form without descriptors",
            unset("data", "descriptors"),
            ("tiny.yaml line", "a questionnaire needs data.descriptors", "declare it"),
        ),
    ),
    *on_base(
        "form",
        "descriptors",
        NOTED,
        (
            "a row copied",
            again("descriptors", 4),
            fault("descriptors", 47, "lines 4, 47 hold the same row", "counted once"),
        ),
        (
            "other apostrophes in texts",
            column("descriptors", "text_uz", lambda v: v.str.replace("\u02bb", "'").str.replace("\u02bc", "`")),
            ("descriptors.csv line", "column text_uz", "other apostrophes", "written with these"),
        ),
    ),
    *on_base(
        "form",
        "choices",
        NOTED,
        ("a row copied", again("choices", 3), fault("choices", 26, "lines 3, 26 hold the same row", "counted once")),
    ),
    *on_base(
        "form",
        "descriptors",
        PLAIN,
        (
            "the texts of two levels swapped",
            frame("descriptors", lambda rows: rows.assign(text_en=rows["text_en"].mask(
                rows.index.isin([3, 4]), pd.Series(rows["text_en"].loc[[4, 3]].tolist(), [3, 4])))),  # fmt: skip
            "no number depends on the words; whoever reads the form sees it",
        ),
        (
            "rows in another order",
            frame("descriptors", lambda rows: rows.iloc[::-1]),
            "rows have no order",
        ),
    ),
    *on_base(
        "form",
        "items",
        PLAIN,
        ("another key", cell("items", 25, "key", "2"), "no number depends on keys yet; the framework is the user's"),
    ),
]
