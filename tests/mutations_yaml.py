"""Kinds of damage to a params file: its bytes, its YAML, its keys and values."""

import codecs

from mutations import INVISIBLE, PLAIN, REJECTED, key, params, put, raw, some, unset, written, yaml_of

BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
LIST = ("tiny.yaml: expected keys and values",)


def after(more):
    return written(lambda text: text + more)


def named(name):
    """The unit under another name, in the file and in the file's name."""

    def damage(project):
        values = project.values() | {"unit": name}
        project.params.write_text(yaml_of(values), encoding="utf-8")

    return damage


YAML = [
    *some(
        "params",
        REJECTED,
        ("UTF-16", raw(lambda old: old.decode().encode("utf-16")), ("tiny.yaml line 1", "is not UTF-8")),
        (
            "Windows-1251",
            raw(lambda old: old.decode().replace("\u02bb", "\u045e").encode("cp1251")),
            ("tiny.yaml line", "is not UTF-8", "save the file as UTF-8"),
        ),
        ("a zero byte", raw(lambda old: old.replace(b"fictional", b"fic\0tional", 1)), ("tiny.yaml",)),
        ("an empty file", raw(lambda old: b""), LIST),
        ("a list", raw(lambda old: b"- unit\n- tiny\n"), LIST),
        ("two documents", after("---\nunit: other\n"), ("tiny.yaml", "correct the YAML")),
        ("a bracket never closed", put("candidates: [2]", "candidates: [2"), ("tiny.yaml line", "correct the YAML")),
        ("a quote never closed", put('years: "2026"', 'years: "2026'), ("tiny.yaml line", "correct the YAML")),
        ("a tab for blanks", put("\n  budget:", "\n\tbudget:"), ("tiny.yaml line", "correct the YAML")),
        (
            "a key one blank too far left",
            put("\n  source: invented", "\n source: invented"),
            ("tiny.yaml line", "correct the YAML"),
        ),
        ("typographic quotes", put("unit: tiny", "unit: \u201ctiny\u201d"), ("tiny.yaml line", "unit")),
        (
            "a tag that runs a program",
            put("unit: tiny", "unit: !!python/object/apply:os.system ['true']"),
            ("tiny.yaml line 2", "tags", "python/object/apply"),
        ),
        ("a tag of bytes", put("unit: tiny", "unit: !!binary dGlueQ=="), ("tiny.yaml line 2", "tags", "take it out")),
        ("a tag of a number", put("budget: 90000", "budget: !!float .inf"), ("tiny.yaml line", "tags", "take it out")),
        ("an alias bomb", raw(lambda old: BOMB.encode() + old), ("tiny.yaml line 1", "anchors are not used")),
        ("an anchor", put("plan:", "plan: &plan"), ("tiny.yaml line", "anchors are not used")),
        ("an alias to nothing", put("budget: 90000", "budget: *money"), ("tiny.yaml line",)),
        ("a merge key", after("extra: {<<: {plan: 1}}\n"), ("tiny.yaml line",)),
        (
            "brackets 5,000 deep",
            after("deep: " + "[" * 5000 + "]" * 5000 + "\n"),
            ("tiny.yaml line", "more than 20 levels"),
        ),
        ("a number of 5,000 digits", put("budget: 90000", "budget: " + "9" * 5000), ("tiny.yaml line", "plan.budget")),
        (
            "a key twice",
            after("plan: {budget: 3}\n"),
            ("tiny.yaml line", "key plan stands twice", "first in line", "keep one"),
        ),
        (
            "a key twice, further in",
            put("budget: 90000", "budget: 90000\n  budget: 80000"),
            ("tiny.yaml line", "key budget stands twice"),
        ),
        (
            "a key of a table twice",
            put("{sex: {1: female, 2: male}}", "{sex: {1: female, 1: male}}"),
            ("tiny.yaml line", "key 1 stands twice"),
        ),
        ("a key nobody knows", *key(("plan.budgit", "did you mean budget?"), "plan", budgit=1)),
        (
            "a key in capitals",
            written(lambda text: text.replace("\ndesign:", "\nDesign:")),
            ("tiny.yaml line", "unknown key Design", "did you mean design?"),
        ),
        ("a Cyrillic letter in a key", put("design:", "d\u0435sign:"), ("tiny.yaml line", "did you mean design?")),
        ("an unknown table", *key(("data.respnses", "did you mean responses?"), "data", respnses={"file": "x.csv"})),
        (
            "an unknown key of a table",
            *key(("data.register.collumns", "did you mean columns?"), "data", "register", collumns={"x": "y"}),
        ),
        ("a table that is a text", *key(("data.courses", "keys with values"), "data", courses="courses.csv")),
        ("a table that is a list", *key(("data.courses", "keys with values"), "data", courses=["courses.csv"])),
        ("a list that is a text", *key(("design.calibrate", "a list"), "design", calibrate="agency_id")),
        (
            "a file and rows too",
            *key(("data.courses names file, rows", "keep one"), "data", "courses", rows=[{"course_id": "B01"}]),
        ),
        ("no unit", unset("unit"), ("tiny.yaml", "lacks the key unit")),
        (
            "a unit named otherwise than its file",
            named("other"),
            ("tiny.yaml line 1: key unit is 'other'", "rename the file"),
        ),
        ("a unit's name with a path", named("../../tiny"), ("tiny.yaml line 1", "something like kor-piaac")),
        ("a unit's name with a backslash", named("a\\b"), ("tiny.yaml line 1", "something like kor-piaac")),
        ("a unit's name in capitals", named("Tiny"), ("tiny.yaml line 1", "something like kor-piaac")),
        ("a unit named as a language", named("uz"), ("tiny.yaml line 1", "language")),
        ("a unit's name without end", named("t" * 300), ("tiny.yaml line 1", "at most 40 characters")),
        ("a unit that is a number", named(7), ("tiny.yaml line 1", "a text")),
        ("a line end in a unit's name", named("tiny\n"), ("tiny.yaml line 1",)),
        ("a budget in words", *key(("plan.budget is 'a lot'", "expected a number"), "plan", budget="a lot")),
        (
            "a budget with underscores",
            put("90000", "90_000"),
            ("tiny.yaml line", "plan.budget is '90_000'", "a number"),
        ),
        ("a budget with a comma", put("90000", "90,000"), ("tiny.yaml line", "plan.budget is '90,000'", "a number")),
        ("a negative budget", *key(("plan.budget is -5", "0 or more"), "plan", budget=-5)),
        ("a budget without end", put("90000", ".inf"), ("tiny.yaml line", "plan.budget is '.inf'", "a number")),
        ("a budget that is no number", put("90000", ".nan"), ("tiny.yaml line", "plan.budget is '.nan'", "a number")),
        ("a budget that is true", put("90000", "true"), ("tiny.yaml line", "plan.budget is True", "a number")),
        (
            "an octal number",
            put("n_replicates: 20", "n_replicates: 020"),
            ("tiny.yaml line", "design.n_replicates is '020'"),
        ),
        (
            "fewer replicates than any error can rest on",
            *key(("design.n_replicates is 2", "20 or more"), "design", n_replicates=2),
        ),
        ("a negative seed", *key(("random_state is -1", "0 or more"), random_state=-1)),
        ("99 profiles", *key(("profiles.candidates.0", "12 or less"), "profiles", candidates=[99])),
        (
            "a threshold that protects nobody",
            *key(("disclosure.threshold is 1", "2 or more"), "disclosure", threshold=1),
        ),
        ("an unknown language", *key(("report_languages.0 is 'ru'", "one of en, uz"), report_languages=["ru"])),
        ("an unknown scale", *key(("study.scale is 'points'", "one of levels"), "study", scale="points")),
    ),
    *some(
        "params",
        PLAIN,
        (
            "a byte order mark",
            raw(lambda old: codecs.BOM_UTF8 + old),
            "Windows' editors write one; a file has no other meaning with it",
        ),
        ("CR LF", raw(lambda old: old.replace(b"\n", b"\r\n")), "the usual line end of Windows"),
        ("a number in scientific notation", put("90000", "9e4"), "a way of writing a number"),
    ),
    *some(
        "params",
        INVISIBLE,
        ("another budget", params("plan", budget=9000), "it is the user's to say"),
    ),
]
