"""Kinds of damage to a params file: its bytes, its YAML, its keys and values, and what it says of the tables."""

import codecs

import yaml
from mutations import INVISIBLE, NOTED, PLAIN, REJECTED, both, column, frame, params, some, written, yaml_of

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


def raw(change):
    """Change the params file's bytes."""
    return lambda project: project.params.write_bytes(change(project.params.read_bytes()))


def put(old, new):
    """Another text in place of one that stands in the params file."""
    def change(text):
        if old not in text:
            raise ValueError(f"{old} is not in the params")
        return text.replace(old, new, 1)

    return written(change)


def after(more):
    return written(lambda text: text + more)


def unset(*keys):
    def change(values):
        for key in keys[:-1]:
            values = values[key]
        del values[keys[-1]]

    return lambda project: project.edit(change)


def named(name):
    """The unit under another name, in the file and in the file's name."""
    def damage(project):
        values = project.values() | {"unit": name}
        project.params.write_text(yaml_of(values), encoding="utf-8")

    return damage


def key(said, *keys, **values):
    return params(*keys, **values), ("tiny.yaml line", *said)


LIST = ("tiny.yaml: expected keys and values",)
PARAMS = [
    *some("params", REJECTED,
          ("UTF-16", raw(lambda old: old.decode().encode("utf-16")), ("tiny.yaml line 1", "is not UTF-8")),
          ("Windows-1251", raw(lambda old: old.decode().replace("\u02bb", "\u045e").encode("cp1251")), ("tiny.yaml line", "is not UTF-8", "save the file as UTF-8")),
          ("a zero byte", raw(lambda old: old.replace(b"fictional", b"fic\0tional", 1)), ("tiny.yaml",)),
          ("an empty file", raw(lambda old: b""), LIST),
          ("nothing but remarks", raw(lambda old: b"# unit: tiny\n"), LIST),
          ("a list", raw(lambda old: b"- unit\n- tiny\n"), LIST),
          ("one word", raw(lambda old: b"tiny\n"), LIST),
          ("two documents", after("---\nunit: other\n"), ("tiny.yaml", "correct the YAML")),
          ("a bracket never closed", put("candidates: [2]", "candidates: [2"), ("tiny.yaml line", "correct the YAML")),
          ("a quote never closed", put('years: "2026"', 'years: "2026'), ("tiny.yaml line", "correct the YAML")),
          ("a tab for blanks", put("\n  budget:", "\n\tbudget:"), ("tiny.yaml line", "correct the YAML")),
          ("a key one blank too far left", put("\n  source: invented", "\n source: invented"), ("tiny.yaml line", "correct the YAML")),
          ("a no-break space for a blank", put("\n  budget:", "\n\u00a0 budget:"), ("tiny.yaml line",)),
          ("no blank after a colon", put("budget: 90000", "budget:90000"), ("tiny.yaml line",)),
          ("typographic quotes", put("unit: tiny", "unit: \u201ctiny\u201d"), ("tiny.yaml line", "unit")),
          ("a tag that runs a program", put("unit: tiny", "unit: !!python/object/apply:os.system ['true']"), ("tiny.yaml line", "correct the YAML")),
          ("a tag of bytes", put("unit: tiny", "unit: !!binary dGlueQ=="), ("tiny.yaml line",)),
          ("an unknown tag", put("budget: 90000", "budget: !money 90000"), ("tiny.yaml line", "correct the YAML")),
          ("an alias bomb", raw(lambda old: BOMB.encode() + old), ("tiny.yaml line 1", "anchors are not used")),
          ("an anchor", put("plan:", "plan: &plan"), ("tiny.yaml line", "anchors are not used")),
          ("an alias to nothing", put("budget: 90000", "budget: *money"), ("tiny.yaml line",)),
          ("a merge key", after("extra: {<<: {plan: 1}}\n"), ("tiny.yaml line",)),
          ("brackets 5,000 deep", after("deep: " + "[" * 5000 + "]" * 5000 + "\n"), ("tiny.yaml", "correct the YAML")),
          ("a number of 5,000 digits", put("budget: 90000", "budget: " + "9" * 5000), ("tiny.yaml line", "plan.budget")),
          ("a key twice", after("plan: {budget: 3}\n"), ("tiny.yaml line", "key plan stands twice", "first in line", "keep one")),
          ("a key twice, further in", put("budget: 90000", "budget: 90000\n  budget: 80000"), ("tiny.yaml line", "key budget stands twice")),
          ("a key twice, the second quoted", put("budget: 90000", 'budget: 90000\n  "budget": 80000'), ("tiny.yaml line", "key budget stands twice")),
          ("a key of a table twice", put("{sex: {1: female, 2: male}}", "{sex: {1: female, 1: male}}"), ("tiny.yaml line", "key 1 stands twice")),
          ("a key nobody knows", *key(("plan.budgit", "did you mean budget?"), "plan", budgit=1)),
          ("a key in capitals", written(lambda text: text.replace("\ndesign:", "\nDesign:")), ("tiny.yaml line", "unknown key Design", "did you mean design?")),
          ("a Cyrillic letter in a key", put("design:", "d\u0435sign:"), ("tiny.yaml line", "did you mean design?")),
          ("an unknown table", *key(("data.respnses", "did you mean responses?"), "data", respnses={"file": "x.csv"})),
          ("an unknown key of a table", *key(("data.register.collumns", "did you mean columns?"), "data", "register", collumns={"x": "y"})),
          ("a number for a key", *key(("unknown key 7",), **{"7": 1})),
          ("a table that is a text", *key(("data.courses", "keys with values"), "data", courses="courses.csv")),
          ("a table that is a list", *key(("data.courses", "keys with values"), "data", courses=["courses.csv"])),
          ("a table of nothing", *key(("data.courses",), "data", courses=None)),
          ("a file that is a number", *key(("data.courses.file", "a text"), "data", "courses", file=7)),
          ("a list that is a text", *key(("design.calibrate", "a list"), "design", calibrate="agency_id")),
          ("a file and rows too", *key(("data.courses",), "data", "courses", rows=[{"course_id": "B01"}])),
          ("no unit", unset("unit"), ("tiny.yaml", "lacks the key unit")),
          ("no tables", unset("data"), ("tiny.yaml", "lacks the key data")),
          ("a unit named otherwise than its file", named("other"), ("tiny.yaml line 1: key unit is 'other'", "rename the file")),
          ("a unit's name with a path", named("../../tiny"), ("tiny.yaml line 1", "a name like arvenia")),
          ("a unit's name with a folder", named("a/b"), ("tiny.yaml line 1", "a name like arvenia")),
          ("a unit's name with a backslash", named("a\\b"), ("tiny.yaml line 1", "a name like arvenia")),
          ("a unit's name in capitals", named("Tiny"), ("tiny.yaml line 1", "a name like arvenia")),
          ("a unit named as a language", named("uz"), ("tiny.yaml line 1", "language")),
          ("a unit's name without end", named("t" * 300), ("tiny.yaml line 1", "at most 40 characters")),
          ("a unit that is a number", named(7), ("tiny.yaml line 1", "a text")),
          ("a line end in a unit's name", named("tiny\n"), ("tiny.yaml line 1",)),
          ("a budget in words", *key(("plan.budget is 'a lot'", "expected a number"), "plan", budget="a lot")),
          ("a budget with blanks", *key(("plan.budget is '90 000'", "a number"), "plan", budget="90 000")),
          ("a budget with underscores", put("90000", "90_000"), ("tiny.yaml line", "plan.budget is '90_000'", "a number")),
          ("a budget with a comma", put("90000", "90,000"), ("tiny.yaml line", "plan.budget is '90,000'", "a number")),
          ("a negative budget", *key(("plan.budget is -5", "0 or more"), "plan", budget=-5)),
          ("a budget without end", put("90000", ".inf"), ("tiny.yaml line", "plan.budget is '.inf'", "a number")),
          ("a budget beyond all numbers", put("90000", "9e999"), ("tiny.yaml line", "plan.budget")),
          ("a budget that is no number", put("90000", ".nan"), ("tiny.yaml line", "plan.budget is '.nan'", "a number")),
          ("a budget that is true", put("90000", "true"), ("tiny.yaml line", "plan.budget is True", "a number")),
          ("a budget that is yes", put("90000", "yes"), ("tiny.yaml line", "plan.budget is 'yes'", "a number")),
          ("an octal number", put("n_replicates: 20", "n_replicates: 020"), ("tiny.yaml line", "design.n_replicates is '020'")),
          ("fewer replicates than any error can rest on", *key(("design.n_replicates is 2", "20 or more"), "design", n_replicates=2)),
          ("a billion replicates", *key(("design.n_replicates", "2000 or less"), "design", n_replicates=10**9)),
          ("a negative seed", *key(("random_state is -1", "0 or more"), random_state=-1)),
          ("no candidate", *key(("profiles.candidates", "at least 1"), "profiles", candidates=[])),
          ("99 profiles", *key(("profiles.candidates.0", "12 or less"), "profiles", candidates=[99])),
          ("a threshold that protects nobody", *key(("disclosure.threshold is 1", "2 or more"), "disclosure", threshold=1)),
          ("an unknown language", *key(("report_languages.0 is 'ru'", "one of en, uz"), report_languages=["ru"])),
          ("a language twice", *key(("report_languages", "each only once"), report_languages=["en", "en"])),
          ("a title that is a text", *key(("title is 'Tiny'", "keys with values"), title="Tiny")),
          ("a currency in small letters", *key(("currency.code is 'xxx'",), "currency", code="xxx")),
          ("a single budget for the frontier", *key(("plan.frontier", "at least 2"), "plan", frontier=[1.0])),
          ("an unknown scale", *key(("study.scale is 'points'", "one of levels"), "study", scale="points")),
          ("an unknown status", *key(("key status is 'final'", "one of draft"), status="final")),
          ("a margin nobody knows", *key(("design.calibrate names 'gender'", "register.csv.gz lacks"), "design", calibrate=["gender"])),
          ("a margin by the file's name", *key(("design.calibrate names 'yo\u02bbnalish'", "role_id"), "design", calibrate=["yo\u02bbnalish"])),
          ("a split by a column nobody knows", *key(("gaps.by names 'agency'", "did you mean agency_id?"), "gaps", by=["agency"])),
          ("a split by person", *key(("gaps.by names 'staff_id'",), "gaps", by=["staff_id"])),
          ("profiles on an item nobody knows", *key(("profiles.variables names 'DL99'",), "profiles", variables=["DL01", "DL99"])),
          ("a column that is not in the file", *key((), "data", "register", "columns", grade="daraja2")) if False else
          ("a column that is not in the file", params("data", "register", "columns", grade="daraja"), ("register.csv.gz, column daraja: there is no column daraja",)),
          ("our name of a column misspelt", params("data", "register", "columns", agencyid="agency_id"), ("tiny.yaml", "agencyid", "agency_id")),
          ("two columns from one", params("data", "register", "columns", role_level="yo\u02bbnalish"), ("requirements.csv, column role_id + role_level: none",)),
          ("a constant for a column that the file has", params("data", "register", constants={"grade": "G1"}), ("register.csv.gz, column grade", "the file has that column too")),
          ("a constant for a column nobody knows", params("data", "register", constants={"agencyid": "x"}), ("agencyid",)),
          ("a recode of a column nobody knows", params("data", "register", recode={"sx": {"f": "female"}}), ("register.csv.gz, column sx: there is no column sx", "did you mean sex?")),
          ("a recode of some codes only", params("data", "register", recode={"sex": {"1": "female"}}), ("register.csv.gz line", "column sex: '2' has no recode")),
          ("a recode to a code of other words", params("data", "register", recode={"sex": {"1": "Female", "2": "male"}}), ("register.csv.gz line", "column sex: 'Female' is not one of"), "declared"),
          ("a recode that is a list", *key(("data.register.recode.sex", "keys with values"), "data", "register", recode={"sex": ["female", "male"]})),
          ("no missing codes, though the file has some", unset("data", "responses", "missing_codes"), ("responses.csv line", "column IM01: answer", "is outside 0..4", "missing_codes")),
          ("other missing codes than the file has", params("data", "responses", missing_codes={"*": [77, 98]}), ("responses.csv line", "column IM01", "is outside 0..4")),
          ("missing codes of a column nobody knows", params("data", "responses", missing_codes={"*": [88, 99], "XX01": [9]}), ("responses.csv, column XX01: there is no column XX01",)),
          ("an unknown kind of missing", *key(("data.responses.missing_codes",), "data", "responses", missing_codes={"*": {"lost": [88]}})),
          ("codes of a column nobody knows", params("data", "register", codes={"age": ["x"]}), ("register.csv.gz, column age: there is no column age",)),
          ("codes that lack one", params("data", "register", codes={"age_band": ["30-39", "40-49", "50 and over"]}), ("register.csv.gz line", "column age_band: 'under 30' is not one of the declared codes")),
          ("codes in another case", params("data", "register", codes={"age_band": ["Under 30", "30-39", "40-49", "50 and over"]}), ("register.csv.gz line", "column age_band", "'under 30'")),
          ("a skip of an item nobody knows", params("data", "responses", skip={"CL99": {"when": {"CL01": {"in": [0]}}, "value": 0}}), ("responses.csv, column CL99: there is no column CL99",)),
          ("a skip that sets an answer beyond the scale", params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [0]}}, "value": 9}}), ("responses.csv line", "column CL02: answer 9 is outside 0..4")),
          ("a skip under a condition that nobody meets", params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [7]}}, "value": 0}}), ("CL02",)),
          ("a skip of those who answered", params("data", "responses", skip={"CL02": {"when": {"CL01": {"in": [3]}}, "value": 0}}), ("column CL02", "answer")),
          ("a condition that nobody meets", params("data", "responses", respondents={"status": {"in": ["finished"]}}), ("status", "'finished'")),
          ("a condition with one code misspelt", params("data", "responses", respondents={"status": {"in": ["complete", "partail"]}}), ("'partail'", "partial")),
          ("a condition in another case", params("data", "responses", respondents={"status": {"in": ["Complete", "partial"]}}), ("'Complete'", "complete")),
          ("a condition on a column nobody knows", params("data", "responses", respondents={"state": {"in": ["complete"]}}), ("responses.csv, column state: there is no column state", "did you mean status?")),
          ("a condition that is a formula", *key(("data.responses.respondents",), "data", "responses", respondents="status == 'complete'")),
          ("a population of nobody", params("data", "register", population={"region": {"in": ["atlantis"]}}), ("tiny.yaml line", "population")),
          ("another number of rows", params("data", "responses", n_rows=3000), ("responses.csv: the file holds 300 rows, and params say 3000", "correct data.responses.n_rows")),
          ("a number of rows in words", *key(("data.responses.n_rows", "a whole number"), "data", "responses", n_rows="all")),
          ("an unknown encoding", *key(("data.courses.encoding is 'koi8-r'", "one of utf-8"), "data", "courses", encoding="koi8-r")),
          ("an unknown delimiter", *key(("data.courses.delimiter",), "data", "courses", delimiter=":")),
          ("an unknown order of dates", *key(("data.responses.dates is 'dym'", "one of ymd"), "data", "responses", dates="dym")),
          ("the wrong order of dates", params("data", "responses", dates="mdy"), ("responses.csv line 2, column date", "is not a date")),
          ("one mark for thousands and decimals", params("data", "courses", numbers={"decimal": ",", "thousands": ","}), ("courses",)),
          ("a crosswalk that is not there", params("data", "register", crosswalk={"grade": "levels"}), ("tiny.yaml line", "data.register names a crosswalk levels", "declare it")),
          ("a crosswalk for a column nobody knows", params("data", "register", crosswalk={"grad": "grades"}), ("register.csv.gz, column grad: there is no column grad",)),
          ("a crosswalk for another column", params("data", "register", crosswalk={"age_band": "grades"}), ("register.csv.gz", "column age_band", "crosswalk grades")),
          ("a link by a column nobody knows", params("data", "responses", link=["agency"]), ("tiny.yaml line", "data.responses.link names 'agency'")),
          ("a link by too few columns", params("data", "responses", link=["agency_id", "role_id"]), ("role_level",), "cells"),
          ("a wave that the file lacks", both(frame("responses", lambda rows: rows.assign(wave="2026")), params("data", "responses", wave=2025)), ("responses.csv, column wave", "2025")),
          ("replicate weights without a word on how they were made", *key(("data.responses", "add the key replicates"), "data", "responses", replicate_weights={"prefix": "w", "from": 1, "to": 3})),
          ("replicate weights that the file lacks", params("data", "responses", replicate_weights={"prefix": "w", "from": 1, "to": 3}, replicates="jk1"), ("responses.csv, column w1: there is no column w1",)),
          ("plausible values that the file lacks", params("data", "responses", plausible_values={"cloud": {"prefix": "PV", "count": 2}}), ("responses.csv, column PV1",)),
          ("an outside source without saying where to get it", *key(("data.courses.source", "lacks the key get"), "data", "courses", source={"name": "x"})),
          ("a path with backslashes", params("data", "courses", file="..\\data\\courses.csv"), ("there is no such file", "data.courses.file in tiny.yaml line")),
          ("an absolute path to nowhere", params("data", "courses", file="/nowhere/courses.csv"), ("courses.csv: there is no such file",)),
          ("a path that ends in a folder", params("data", "courses", file="../data"), ("data", "there is no such file")),
          ("a zero character in a path", params("data", "courses", file="../data/a\0.csv"), ("tiny.yaml",)),
          ("a path without end", params("data", "courses", file="x" * 5000 + ".csv"), ("there is no such file",)),
          ("a database that nobody runs", lambda p: p.edit(lambda v: v["data"].update(courses={"url": "postgresql+psycopg://127.0.0.1:1/none", "table": "courses"})), ("courses",)),
          ("a database's address that is none", lambda p: p.edit(lambda v: v["data"].update(courses={"url": "my database", "table": "courses"})), ("courses",)),
          ("no register, and margins", lambda p: p.edit(lambda v: (v["data"].pop("register"), v["data"].pop("agencies"))), ("tiny.yaml line", "design.calibrate names margins, and there is no register")),
          ("responses without items", unset("data", "items"), ("tiny.yaml line", "data.responses is there without data.items", "declare it too")),
          ("a plan without a currency", unset("currency"), ("tiny.yaml line", "no key currency")),
          ("an oddity stood by without a reason", *key(("data.responses.accept", "reason"), "data", "responses", accept=[{"check": "reversed"}])),
          ("numbers of an unknown quality dimension", *key(("claims.quality.beauty",), "claims", quality={"beauty": 2})),
          ),
    *some("params", NOTED,
          ("an apostrophe of another kind in a column's name", put("yo\u02bbnalish", "yo\u2019nalish"), ("register.csv.gz, column yo\u2019nalish", "taken as the same")),
          ("a column's name in capitals", put("yo\u02bbnalish", "YO\u02bbNALISH"), ("register.csv.gz", "taken as the same")),
          ("a blank in a declared code", params("data", "register", codes={"age_band": ["under\u00a030", "30-39", "40-49", "50 and over"]}), ("register.csv.gz line", "column age_band", "read as one code")),
          ("a skip that some have answered all the same", column("responses", "CL02", lambda v: v.mask((v == "") & (v.index % 3 == 0), "0")), ("responses.csv line", "column CL02")),
          ),
    *some("params", PLAIN,
          ("a byte order mark", raw(lambda old: codecs.BOM_UTF8 + old), "Windows' editors write one; a file has no other meaning with it"),
          ("CR LF", raw(lambda old: old.replace(b"\n", b"\r\n")), "the usual line end of Windows"),
          ("keys in another order", lambda p: p.params.write_text(yaml.safe_dump(p.values(), allow_unicode=True)), "keys have no order"),
          ("a number in scientific notation", put("90000", "9e4"), "a way of writing a number"),
          ),
    *some("params", INVISIBLE,
          ("a recode that merges two codes", params("data", "register", recode={"sex": {"1": "female", "2": "female"}}), "merging is what recodes are for"),
          ("an answer declared missing", params("data", "responses", missing_codes={"*": [88, 99], "GO01": [0]}), "a missing code is what params say it is"),
          ("another budget", params("plan", budget=9000), "it is the user's to say"),
          ("no skip, though a question was skipped", unset("data", "responses", "skip"), "an empty answer may be one not given"),
          ("no respondents' condition", unset("data", "responses", "respondents"), "status tells who answered, all the same") if False else
          ("no condition on the status", params("data", "responses", respondents={"status": {"in": ["complete"]}}), "who counts as a respondent is the user's to say"),
          ),
]
