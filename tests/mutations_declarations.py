"""Kinds of damage to what params say of the tables."""

from mutations import INVISIBLE, NOTED, REJECTED, both, frame, key, params, put, some, unset

DECLARATIONS = [
    *some(
        "params",
        REJECTED,
        (
            "a margin nobody knows",
            *key(("design.calibrate names 'gender'", "register.csv.gz lacks"), "design", calibrate=["gender"]),
        ),
        (
            "a margin by the file's name",
            *key(("design.calibrate names 'yo\u02bbnalish'", "role_id"), "design", calibrate=["yo\u02bbnalish"]),
        ),
        (
            "a split by a column nobody knows",
            *key(("gaps.by names 'agency'", "did you mean agency_id?"), "gaps", by=["agency"]),
        ),
        ("a split by person", *key(("gaps.by names 'staff_id'",), "gaps", by=["staff_id"])),
        (
            "a column that is not in the file",
            params("data", "register", "columns", grade="daraja"),
            ("register.csv.gz, column daraja: there is no column daraja",),
        ),
        (
            "our name of a column misspelt",
            params("data", "register", "columns", agencyid="agency_id"),
            ("register.csv.gz, column agencyid: data.register.columns names 'agencyid'", "did you mean agency_id?"),
        ),
        (
            "two columns from one",
            params("data", "register", "columns", role_level="yo\u02bbnalish"),
            ("requirements.csv, column role_id + role_level: none",),
        ),
        (
            "a constant for a column that the file has",
            params("data", "register", constants={"grade": "G1"}),
            ("register.csv.gz, column grade", "the file has that column too"),
        ),
        (
            "a constant for a column nobody knows",
            params("data", "register", constants={"agencyid": "x"}),
            ("register.csv.gz, column agencyid: data.register.constants names 'agencyid'",),
        ),
        (
            "a recode of a column nobody knows",
            params("data", "register", recode={"sx": {"f": "female"}}),
            ("register.csv.gz, column sx: there is no column sx", "did you mean sex?"),
        ),
        (
            "a recode of some codes only",
            params("data", "register", recode={"sex": {"1": "female"}}),
            ("register.csv.gz line", "column sex: '2' has no recode"),
        ),
        (
            "a recode to a code of other words",
            params("data", "register", recode={"sex": {"1": "Female", "2": "male"}}),
            ("register.csv.gz line", "column sex: 'Female' is not one of"),
            "declared",
        ),
        (
            "a recode that is a list",
            *key(
                ("data.register.recode.sex", "keys with values"), "data", "register", recode={"sex": ["female", "male"]}
            ),
        ),
        (
            "no missing codes, though the file has some",
            unset("data", "responses", "missing_codes"),
            ("responses.csv line", "column IM01: answer", "is outside 0..4", "missing_codes"),
        ),
        (
            "other missing codes than the file has",
            params("data", "responses", missing_codes={"*": [77, 98]}),
            ("responses.csv line", "column IM01", "is outside 0..4"),
        ),
        (
            "an unknown kind of missing",
            *key(("data.responses.missing_codes",), "data", "responses", missing_codes={"*": {"lost": [88]}}),
        ),
        (
            "codes that lack one",
            params("data", "register", codes={"age_band": ["30-39", "40-49", "50 and over"]}),
            ("register.csv.gz line", "column age_band: 'under 30' is not one of the declared codes"),
        ),
        (
            "codes in another case",
            params("data", "register", codes={"age_band": ["Under 30", "30-39", "40-49", "50 and over"]}),
            ("register.csv.gz line", "column age_band", "'under 30'"),
        ),
        (
            "a skip of an item nobody knows",
            params("data", "responses", skip={"CL99": {"when": {"CL01": {"in": [0]}}, "value": 0}}),
            ("responses.csv, column CL99: there is no column CL99",),
        ),
        (
            "a skip that sets an answer beyond the scale",
            params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [0]}}, "value": 9}}),
            ("responses.csv line", "column CL02: answer 9 is outside 0..4"),
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
            "a question that was skipped and answered",
            frame("responses", lambda rows: rows.assign(CL02=rows["CL02"].mask(rows["CL01"] == "0", "1"))),
            ("responses.csv line", "column CL02: CL02 is skipped here, as params say, and has the answer '1'"),
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
            "a condition in another case",
            params("data", "responses", respondents={"status": {"in": ["Complete", "partial"]}}),
            ("responses.csv, column status: data.responses.respondents names 'Complete'", "did you mean complete?"),
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
        (
            "another number of rows",
            params("data", "responses", n_rows=3000),
            ("responses.csv: the file holds 300 rows, and params say 3000", "correct data.responses.n_rows"),
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
            "a crosswalk that is not there",
            params("data", "register", crosswalk={"grade": "levels"}),
            ("tiny.yaml line", "data.register names a crosswalk levels", "declare it"),
        ),
        (
            "a crosswalk for another column",
            params("data", "register", crosswalk={"age_band": "grades"}),
            ("register.csv.gz", "column age_band", "crosswalk grades"),
        ),
        (
            "a link by a column nobody knows",
            params("data", "responses", link=["agency"]),
            ("tiny.yaml line", "data.responses.link names 'agency'"),
        ),
        (
            "a wave that the file lacks",
            both(frame("responses", lambda rows: rows.assign(wave="2026")), params("data", "responses", wave=2025)),
            ("responses.csv, column wave", "2025"),
        ),
        (
            "replicate weights that the file lacks",
            params("data", "responses", replicate_weights={"prefix": "w", "from": 1, "to": 3}, replicates="jk1"),
            ("responses.csv, column w1: there is no column w1",),
        ),
        (
            "an outside source without saying where to get it",
            *key(("data.courses.source", "lacks the key get"), "data", "courses", source={"name": "x"}),
        ),
        (
            "a path with backslashes",
            params("data", "courses", file="..\\data\\courses.csv"),
            ("there is no such file", "data.courses.file in tiny.yaml line"),
        ),
        ("a zero character in a path", params("data", "courses", file="../data/a\0.csv"), ("tiny.yaml",)),
        ("a path without end", params("data", "courses", file="x" * 5000 + ".csv"), ("there is no such file",)),
        (
            "a database that nobody runs",
            lambda p: p.edit(
                lambda v: v["data"].update(courses={"url": "postgresql+psycopg://127.0.0.1:1/none", "table": "courses"})
            ),
            ("courses",),
        ),
        (
            "a database's address that is none",
            lambda p: p.edit(lambda v: v["data"].update(courses={"url": "my database", "table": "courses"})),
            ("courses",),
        ),
        (
            "responses without items",
            unset("data", "items"),
            ("tiny.yaml line", "data.responses is there without data.items", "declare it too"),
        ),
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
            "an answer declared missing",
            params("data", "responses", missing_codes={"*": [88, 99], "GO01": [0]}),
            "a missing code is what params say it is",
        ),
        (
            "no skip, though a question was skipped",
            unset("data", "responses", "skip"),
            "an empty answer may be one not given",
        ),
        (
            "no condition on the status",
            params("data", "responses", respondents={"status": {"in": ["complete"]}}),
            "who counts as a respondent is the user's to say",
        ),
    ),
]
