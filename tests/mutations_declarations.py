"""Kinds of damage to what params say of the tables."""

from mutations import INVISIBLE, NOTED, REJECTED, key, params, put, some

DECLARATIONS = [
    *some(
        "params",
        REJECTED,
        (
            "a margin by the file's name",
            *key(("design.calibrate names 'yo\u02bbnalish'", "role_id"), "design", calibrate=["yo\u02bbnalish"]),
        ),
        ("a split by person", *key(("gaps.by names 'staff_id'",), "gaps", by=["staff_id"])),
        (
            "our name of a column misspelt",
            params("data", "register", "columns", agencyid="agency_id"),
            ("register.csv.gz, column agencyid: data.register.columns names 'agencyid'", "did you mean agency_id?"),
        ),
        (
            "a constant for a column that the file has",
            params("data", "register", constants={"grade": "G1"}),
            ("register.csv.gz, column grade", "the file has that column too"),
        ),
        (
            "a recode of some codes only",
            params("data", "register", recode={"sex": {"1": "female"}}),
            ("register.csv.gz line", "column sex: '2' has no recode"),
        ),
        (
            "a recode that is a list",
            *key(
                ("data.register.recode.sex", "keys with values"), "data", "register", recode={"sex": ["female", "male"]}
            ),
        ),
        (
            "an unknown kind of missing",
            *key(("data.responses.missing_codes",), "data", "responses", missing_codes={"*": {"lost": [88]}}),
        ),
        (
            "a skip under a condition that nobody meets",
            params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [7]}}, "value": 0}}),
            ("responses.csv, column CL02: no row meets the condition of data.responses.skip.CL02",),
        ),
        (
            "a skip of those who answered",
            params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [3]}}, "value": 0}}),
            ("responses.csv line", "column CL02: CL02 is skipped here, as params say", "data.responses.skip.CL02"),
        ),
        (
            "a condition that nobody meets",
            params("data", "responses", respondents={"status": {"in": ["finished"]}}),
            ("tiny.yaml line", "no respondent is left by data.responses.respondents"),
        ),
        (
            "a condition with one code misspelt",
            params("data", "responses", respondents={"status": {"in": ["complete", "partail"]}}),
            (
                "responses.csv, column status: data.responses.respondents names 'partail', which no row has",
                "did you mean partial?",
            ),
        ),
        (
            "a condition that is a formula",
            *key(("data.responses.respondents",), "data", "responses", respondents="status == 'complete'"),
        ),
        (
            "a population of nobody",
            params("data", "register", population={"region": {"in": ["atlantis"]}}),
            ("register.csv.gz: no row is left by data.register.population",),
        ),
        ("an unknown delimiter", *key(("data.courses.delimiter",), "data", "courses", delimiter=":")),
        (
            "the wrong order of dates",
            params("data", "responses", dates="mdy"),
            ("responses.csv line 2, column date", "is not a date"),
        ),
        (
            "one mark for thousands and decimals",
            params("data", "courses", numbers={"decimal": ",", "thousands": ","}),
            ("tiny.yaml line", "data.courses.numbers has ',' for thousands and for decimals"),
        ),
        (
            "a link by a column nobody knows",
            params("data", "responses", link=["agency"]),
            ("tiny.yaml line", "data.responses.link names 'agency'"),
        ),
        (
            "an outside source without saying where to get it",
            *key(("data.courses.source", "lacks the key get"), "data", "courses", source={"name": "x"}),
        ),
        ("a zero character in a path", params("data", "courses", file="../data/a\0.csv"), ("tiny.yaml",)),
        ("a path without end", params("data", "courses", file="x" * 5000 + ".csv"), ("there is no such file",)),
        (
            "an oddity stood by without a reason",
            *key(("data.responses.accept", "reason"), "data", "responses", accept=[{"check": "reversed"}]),
        ),
    ),
    *some(
        "params",
        NOTED,
        (
            "an apostrophe of another kind in a column's name",
            put("yo\u02bbnalish", "yo\u2019nalish"),
            ("register.csv.gz, column yo\u2019nalish", "taken as the same"),
        ),
        (
            "a blank in a declared code",
            params("data", "register", codes={"age_band": ["under\u00a030", "30-39", "40-49", "50 and over"]}),
            ("register.csv.gz line", "column age_band", "read as one code"),
        ),
    ),
    *some(
        "params",
        INVISIBLE,
        (
            "a recode that merges two codes",
            params("data", "register", recode={"sex": {"1": "female", "2": "female"}}),
            "merging is what recodes are for",
        ),
        (
            "no condition on the status",
            params("data", "responses", respondents={"status": {"in": ["complete"]}}),
            "who counts as a respondent is the user's to say",
        ),
    ),
]
