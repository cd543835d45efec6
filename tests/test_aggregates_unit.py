"""A unit of published figures alone, all written in its params: gaps, AI readiness, and a report in each language."""

import html
import json
import re
import shutil

import nbformat
import pandas as pd
import pytest
import yaml
from conftest import REPO, Project

from skillsgap.errors import SkillsgapError
from skillsgap.study.params import DEFAULTS
from skillsgap.wording import Words

SHARES = [  # by, group, role, shares at levels 0, 1, 2, 3, respondents
    ("all", "all", "officer", (0.1, 0.4, 0.4, 0.1), 300), ("all", "all", "manager", (0.0, 0.2, 0.5, 0.3), 100),
    ("agency_id", "A", "officer", (0.2, 0.6, 0.2, 0.0), 150), ("agency_id", "B", "officer", (0.0, 0.2, 0.6, 0.2), 150),
]  # fmt: skip
REQUIRED = {"officer": 2, "manager": 3}
INDICATORS = ["indicator_id", "label_en", "label_uz", "pillar", "direction", "min", "max", "value", "vintage", "owner"]
READY = [
    ("trained", "Staff trained in AI", "SI boʻyicha oʻqitilgan xodimlar", "proficiency", "higher", 0, 100, 40),
    ("passed", "Mean test result", "Oʻrtacha test natijasi", "proficiency", "higher", 0, 4, 2.8),
    ("broadband", "Offices on fibre", "Tolali aloqadagi idoralar", "infrastructure", "higher", 0, 100, 80),
    ("outage", "Hours of outage", "Uzilish soatlari", "infrastructure", "lower", 0, 48, 12),
    ("rules", "Rules in force", "Amaldagi qoidalar", "regulation", "higher", 0, 10, 2),
    ("audits", "Algorithms audited", "Auditdan oʻtgan algoritmlar", "regulation", "higher", 0, 100, 30),
]


def records(table):
    return json.loads(table.to_json(orient="records"))


def params():
    shares = [(by, group, "oversight", role, "staff", "level_share", level, share, n)
              for by, group, role, distribution, n in SHARES for level, share in enumerate(distribution)]  # fmt: skip
    columns = ["by", "group", "competency_id", "role_id", "role_level", "statistic", "level", "estimate", "n"]
    ready = pd.DataFrame([(*row, 2025, f"owner of {row[0]}") for row in READY], columns=INDICATORS)
    needs = [{"role_id": role, "role_level": "staff", "competency_id": "oversight", "required_level": level,
              "importance": 4} for role, level in REQUIRED.items()]  # fmt: skip
    return {
        "unit": "utopia", "title": {"en": "Utopia", "uz": "Utopiya"}, "fictional": True,
        "report_languages": ["en", "uz"],
        "study": {"population": {"en": "staff", "uz": "xodimlar"}, "years": "2025", "scale": "levels"},
        "data": {
            "competencies": {"rows": [{"competency_id": "oversight", "label_en": "Oversight of AI",
                                       "label_uz": "SI nazorati", "kind": "technical", "group": "oversight"}]},
            "aggregates": {"rows": records(pd.DataFrame(shares, columns=columns))},
            "requirements": {"rows": needs},
            "indicators": {"rows": records(ready.assign(source="an invented survey"))},
        },
        "readiness": {"floors": {"proficiency": 0.4, "infrastructure": 0.5, "regulation": 0.5}},
    }  # fmt: skip


def write(root, values):
    (root / "params").mkdir(parents=True)
    shutil.copy(REPO / "params" / DEFAULTS, root / "params")
    (root / "params" / "utopia.yaml").write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return Project(root, "utopia")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The unit after a whole run, with the real notebooks."""
    root = tmp_path_factory.mktemp("utopia")
    shutil.copytree(REPO / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    project = write(root, params())
    return project, project.run()


@pytest.fixture
def alone(tmp_path):
    """The same unit for a test to change."""
    return write(tmp_path / "utopia", params())


def text_of(project, lang):
    page = (project.report / f"{lang}.html").read_text(encoding="utf-8")
    page = re.sub(r"(?s)<(style|title)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))


def released(project, name):
    return pd.read_csv(project.report / "tables" / f"{name}.csv")


def test_the_unit_runs_without_profiles_or_a_plan(ran):
    project, manifest = ran
    assert manifest.state == "done", manifest.reason
    assert {"en.html", "uz.html", "tables/gaps.csv", "tables/readiness.csv", "tables/claims.csv"} <= set(manifest.files)
    for name in ("profiles", "selection", "headcounts", "priorities", "plan_summary", "frontier"):
        assert f"tables/{name}.csv" not in manifest.files
    unit = project.open()
    assert unit.table("profiles") is None and unit.table("weights") is None and unit.study.indicators is not None


def test_gaps_of_level_shares_by_role_by_hand(ran):
    """Officers lack 2, 1, 0, 0 and managers 3, 2, 1, 0 levels: 0.6 and 0.9, of 300 and of 100."""
    gaps = released(ran[0], "gaps").set_index(["by", "group", "statistic"])["estimate"]
    assert gaps["all", "all", "shortfall"] == pytest.approx((300 * 0.6 + 100 * 0.9) / 400)
    assert gaps["all", "all", "share_below"] == pytest.approx((300 * 0.5 + 100 * 0.7) / 400)
    assert gaps["agency_id", "A", "shortfall"] == pytest.approx(1.0)
    assert gaps["agency_id", "B", "level"] == pytest.approx(2.0)


def test_readiness_by_hand(ran):
    """Scores 0.4 and 0.7, 0.8 and 0.75, 0.2 and 0.3; to reach 0.5 from 0.25 rules must rise by half of its 10."""
    table = released(ran[0], "readiness").set_index("name")
    means = [0.55, 0.775, 0.25, (0.55 + 0.775 + 0.25) / 3, (0.55 * 0.775 * 0.25) ** (1 / 3)]
    assert table["estimate"].tolist() == pytest.approx(means, abs=1e-4)
    assert table["below"].tolist() == [False, False, True, False, False]
    assert table.loc["regulation", ["lift_indicator", "lift_from", "lift_to", "lift_owner"]].tolist() == [
        "rules", 2.0, 7.0, "owner of rules"]  # fmt: skip


def test_the_claims_speak_of_published_figures_and_what_needs_answers_is_withheld(ran):
    manifest = ran[1]
    assert {"share_below", "mean_oversight"} <= set(manifest.claims_made) and "profile" in manifest.claims_withheld
    claims = released(ran[0], "claims").set_index("claim_id")
    assert claims.loc["share_below", "number_en"] == "55%" and claims.loc["share_below", "number_uz"] == "55%"


@pytest.mark.parametrize("lang", ["en", "uz"])
def test_the_page_holds_gaps_and_readiness_in_each_language(ran, lang):
    text, words = text_of(ran[0], lang), Words(lang)
    name = {"en": "Oversight of AI", "uz": "SI nazorati"}[lang]
    assert words("“{competency}” stands at {level} where {required} is required", competency=f"A: {name}",
                 level=words.number(1.0, 1), required=words.number(2.0, 1)) in text  # fmt: skip
    assert words("“{pillar}” is the pillar below its floor", pillar=words("Regulatory preparedness")) in text
    rules = {"en": "Rules in force", "uz": "Amaldagi qoidalar"}[lang]
    assert f"“{rules}”" in text and "owner of rules" in text
    assert not re.search(r"\bnan\b|NaN|None\b(?! contains)|BIC", text)
    page = (ran[0].report / f"{lang}.html").read_text(encoding="utf-8")
    assert page.count('<section class="finding">') == 5  # required, all, agencies, readiness, sources: no profiles
    assert '<div class="plan">' not in page


def test_the_report_was_made_by_the_notebook_itself(ran):
    project = ran[0]
    [executed] = (project.root / "build" / "utopia").glob("*/notebooks/08_report.uz.ipynb")
    cells = {cell.source: cell.outputs for cell in nbformat.read(executed, 4).cells if cell.cell_type == "code"}
    assert cells["report.gaps()"] and cells["report.readiness()"]
    assert not cells["report.profiles()"] and not cells["report.plan()"] and not cells["report.groups()"]


def test_the_same_rows_in_another_order_give_the_same_tables(ran, alone, no_kernels):
    alone.edit(lambda values: [table["rows"].reverse() for table in values["data"].values()])
    alone.run()
    for name in ("gaps", "means", "readiness"):
        path = f"tables/{name}.csv"
        assert (alone.report / path).read_bytes() == (ran[0].report / path).read_bytes(), name


def test_without_indicators_or_with_a_pillar_less_the_rest_stays(alone, no_kernels):
    alone.edit(lambda values: values["data"]["indicators"].update(
        rows=[row for row in values["data"]["indicators"]["rows"] if row["pillar"] != "regulation"]))  # fmt: skip
    assert alone.run().state == "done"
    table = released(alone, "readiness").set_index("name")["estimate"]
    assert table.notna().to_dict() == {"proficiency": True, "infrastructure": True, "regulation": False,
                                       "arithmetic": False, "geometric": False}  # fmt: skip
    alone.edit(lambda values: values["data"].pop("indicators"))
    assert alone.run().state == "done" and not (alone.report / "tables" / "readiness.csv").exists()
    assert (alone.report / "tables" / "gaps.csv").exists()


@pytest.mark.parametrize(("change", "line"), [
    ({"value": 11}, "column value: 11 is outside its limits 0 to 10"),
    ({"max": 0}, "is outside its limits 0 to 0"),
    ({"pillar": "money"}, "money"), ({"direction": "up"}, "up"), ({"value": "much"}, "much"),
])  # fmt: skip
def test_a_damaged_indicator_ends_in_one_line(alone, no_kernels, change, line):
    alone.edit(lambda values: values["data"]["indicators"]["rows"][4].update(change))
    manifest = alone.run()
    assert manifest.state == "failed" and line in manifest.reason and "unexpected" not in manifest.reason


def test_a_floor_or_weight_that_cannot_be_meant_is_refused_by_the_schema(alone):
    for given in ({"floors": {"regulation": 2}}, {"weights": {"regulation": 0}}, {"floors": {"money": 0.5}}):
        alone.edit(lambda values, given=given: values.update(readiness=given))
        with pytest.raises(SkillsgapError, match="readiness"):
            alone.open()
