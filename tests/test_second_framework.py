"""Another framework through params and crosswalks alone: Arvenia measured against the UK's digital and data roles.

The UK's two files are outside sources. Where they are absent, files of the same form stand in, with levels made up
here; what is tested of them is recomputed from whichever files were read.
"""

import importlib.util
import itertools
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from skillsgap.errors import StudyError, Waiting
from skillsgap.publish.gates import data_reasons, reasons_for
from skillsgap.run.release import Published
from skillsgap.run.unit import open_unit
from skillsgap.study.loaded import Loaded
from skillsgap.study.mapping import translate
from skillsgap.study.params import DEFAULTS

REPO = Path(__file__).parents[1]
PLACE = REPO / "verification" / "real_files.py"
SPEC = importlib.util.spec_from_file_location(PLACE.stem, PLACE)
real = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(real)

UNIT = "arvenia-gdad"
VALUES = yaml.safe_load((REPO / "params" / f"{UNIT}.yaml").read_text(encoding="utf-8"))
SKILLS, LEVELS = (VALUES["data"][table]["file"] for table in ("competencies", "requirements"))
WALKS = REPO / "data" / "framework" / "crosswalks"
OURS = ["data_analyst", "it_specialist", "programme_manager"]
# as drawn: weights of the file, so that the numbers can be recomputed from the files alone
PLAIN = {"design": {"calibrate": [], "n_replicates": 20}}


def walk(name):
    return pd.read_csv(WALKS / f"gdad_{name}.csv").set_index("from")["to"]


def stand_in(folder):
    """Files of the form of the UK's, with the roles, levels and skills that params name."""
    (folder / "requirements").mkdir(parents=True)
    names = VALUES["data"]["competencies"]["population"]["Skill Name"]["in"]
    asked = VALUES["data"]["requirements"]["population"]
    titles = asked["Role Level"]["in"]
    numbers = itertools.cycle([1, 2, 3, 4, 2, 3, 4])
    rows = [
        {"Role": role, "Role Level": titles[3 * place + step], "Skill Name": name, "skill_level_num": next(numbers)}
        for place, role in enumerate(asked["Role"]["in"]) for step in range(3) for name in names
    ]  # fmt: skip
    pd.DataFrame({"Skill Name": [*names, "Juggling"]}).to_csv(folder / SKILLS, index=False)
    pd.DataFrame(rows).to_csv(folder / LEVELS, index=False)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    (folder / "params").mkdir()
    for name in (DEFAULTS, f"{UNIT}.yaml"):
        shutil.copy(REPO / "params" / name, folder / "params")
    (folder / "data").symlink_to(REPO / "data")
    return folder


@pytest.fixture(scope="module", params=["stand-in", "the UK's files"])
def outside(request, tmp_path_factory):
    if request.param == "stand-in":
        return stand_in(tmp_path_factory.mktemp("outside"))
    folder = real.data_folder()
    if folder is None:
        pytest.skip("the UK's files are neither in SKILLSGAP_DATA nor in ../shared/data")
    return folder


@pytest.fixture(scope="module")
def unit(root, outside):
    return open_unit(UNIT, data=outside, root=root, overrides=PLAIN)


@pytest.fixture(scope="module")
def people():
    """Respondents with their weight, their role in the UK's words and a level in each of its skills, by hand."""
    folder = REPO / "data" / "synthetic" / "arvenia"
    register = pd.read_csv(folder / "register.csv.gz", dtype=str).set_index("staff_id")
    answers = pd.read_csv(folder / "responses.csv", dtype={"staff_id": str})
    answers = answers[answers["status"].isin(["complete", "partial"])].set_index("staff_id")
    items = pd.read_csv(REPO / "data" / "framework" / "items.csv").query("type == 'anchored'")
    items = items.assign(skill=items["competency_id"].map(walk("skills"))).dropna(subset="skill")
    levels = {}
    for skill, mine in items.groupby("skill")["item_id"]:
        there = answers[list(mine)]
        levels[skill] = there.mean(axis=1).where(there.notna().sum(axis=1) >= len(mine) / 2)
    place = register.loc[answers.index, ["role_id", "role_level"]]
    place["role_id"] = place["role_id"].map(walk("roles"))
    return answers["weight"].astype(float), place, pd.DataFrame(levels), register


@pytest.fixture(scope="module")
def asked(outside):
    """What the UK's file asks of each role at each of our levels, by hand."""
    table = pd.read_csv(outside / LEVELS)
    table = table.assign(role_level=table["Role Level"].map(walk("levels"))).dropna(subset="role_level")
    table = table[table["Role"].isin(set(walk("roles")))].drop_duplicates()
    return table.set_index(["Role", "role_level", "Skill Name"])["skill_level_num"]


def test_levels_are_those_of_the_mapped_items(unit, people):
    weight, _, levels, _ = people
    means = unit.table("means").query("by == 'all'").set_index("variable")["estimate"]
    by_hand = {name: np.average(x.dropna(), weights=weight[x.notna()]) for name, x in levels.items()}
    assert set(means.index) == set(walk("skills")) == set(by_hand)
    pd.testing.assert_series_equal(means.sort_index(), pd.Series(by_hand).sort_index(), check_names=False)


def test_reliability_is_that_of_their_groups_and_not_of_ours(unit):
    table = unit.table("reliability")
    assert set(table.query("scale == 'competency'")["scale_id"]) == set(walk("skills"))
    counted = table.query("scale == 'group'").set_index("scale_id")["n_items"]
    assert counted.to_dict() == {"data": 7, "delivery": 10, "technology": 4}


def test_requirements_are_those_of_the_file(unit, asked):
    read = unit.table("requirements").set_index(["role_id", "role_level", "competency_id"])["required_level"]
    measured = asked[asked.index.get_level_values(2).isin(set(walk("skills")))]
    assert read.sort_index().to_dict() == measured.sort_index().to_dict() and len(read) > 30
    assert set(read.index.get_level_values(1)) == {"staff", "senior", "lead"}


def test_required_levels_of_people_are_those_of_their_role(unit, people, asked):
    weight, place, levels, _ = people
    gaps = unit.table("gaps").query("by == 'role_id' and statistic == 'required'").set_index(["group", "competency_id"])
    compared = 0
    for (role, skill), row in gaps[gaps["n"] > 0].iterrows():
        mine = place[(place["role_id"] == role) & levels[skill].notna()]
        needed = mine["role_level"].map(asked.xs((role, skill), level=(0, 2))).dropna()
        assert row["n"] == len(needed)
        assert row["estimate"] == pytest.approx(np.average(needed, weights=weight[needed.index]))
        compared += 1
    assert compared >= 12


def test_staff_without_a_counterpart_are_told_and_carry_no_gap(unit, people):
    _, place, _, register = people
    mapped = unit.table("mapped").set_index(["table", "column"])
    outside = ~register["role_id"].isin(OURS)
    assert mapped.loc[("register", "role_id"), "unmapped"] == pytest.approx(outside.mean())
    assert outside.mean() < VALUES["claims"]["unmapped"] < 0.9
    gaps = unit.table("gaps").query("statistic == 'required'")
    assert (gaps.loc[gaps["group"] == "unmapped", "n"] == 0).all()
    assert gaps.loc[gaps["by"] == "all", "n"].max() <= place["role_id"].notna().sum()
    assert set(unit.table("needs")["group"]) == set(walk("roles"))


def test_no_gap_is_claimed_unless_params_accept_how_many_are_outside(unit):
    by_default = yaml.safe_load((REPO / "params" / DEFAULTS).read_text(encoding="utf-8"))["claims"]["unmapped"]
    for most, held in ((by_default, True), (VALUES["claims"]["unmapped"], False)):
        reasons = data_reasons(None, unit.table("mapped"), gates={}, unmapped=most)
        assert bool(reasons_for("gaps", reasons)) is held


def test_the_report_says_in_both_languages_what_was_mapped(root, outside):
    made = Published(open_unit(UNIT, data=outside, root=root, overrides=PLAIN))
    assert made.claims["passed"].any()
    pages = {lang: str(made.report(lang).foot()) for lang in ("en", "uz")}
    assert all("gdad_roles" in page and "gdad_skills" in page for page in pages.values())
    assert "Competencies without a question" in pages["en"]
    words = made.words("uz")
    assert words.label("group", "delivery") == "Ijro" and words.label("group", "data") == "Maʼlumotlar"
    assert words.label("competency_id", "Planning") == "Planning"  # no Uzbek name: the English one


def test_what_is_required_and_nobody_was_asked_is_told(unit, asked):
    notes = unit.table("notes").query("table == 'requirements'")
    lacking = set(asked.index.get_level_values(2)) - set(walk("skills"))
    told = notes[notes["text"].str.contains("is required, and no item")]
    assert len(told) == len(lacking) > 0


def test_without_the_uk_s_files_the_unit_waits(root, tmp_path, monkeypatch):
    monkeypatch.delenv("SKILLSGAP_DATA", raising=False)
    with pytest.raises(Waiting, match="waits for requirements/gdad_.* from UK Government Digital and Data"):
        open_unit(UNIT, data=tmp_path, root=root).table("sources")


@pytest.mark.parametrize("name", ["skills", "roles", "levels"])
def test_every_row_of_a_crosswalk_says_what_it_loses_and_why(name):
    table = pd.read_csv(WALKS / f"gdad_{name}.csv")
    assert table["loss"].between(0, 0.6).all() and table["why"].str.len().gt(5).all()
    assert (table.groupby("from")["weight"].sum() == 1).all()
    named = {"skills": set(VALUES["data"]["competencies"]["population"]["Skill Name"]["in"]),
             "roles": set(VALUES["data"]["requirements"]["population"]["Role"]["in"]),
             "levels": {"staff", "senior", "lead"}}  # fmt: skip
    assert set(table["to"]) <= named[name]


def test_codes_before_a_crosswalk_are_not_taken_for_those_behind_it():
    roles = Loaded("crosswalk", "roles.csv", {}, pd.DataFrame({"from": ["data_analyst"], "to": ["Data analyst"]}))
    frame = pd.DataFrame({"staff_id": ["1", "2"], "role_id": ["data_analyst", "cook"]}, index=[2, 3])
    loaded = translate(Loaded("responses", "r.csv", {"crosswalk": {"role_id": "roles"}}, frame), {"roles": roles},
                       {"role_id": ["Data analyst"]})  # fmt: skip
    assert loaded.frame["role_id"].tolist() == ["Data analyst", "unmapped"] and not loaded.faults


def own(root, labels):
    """A unit with a group of competencies and a tier of courses of its own."""
    course = {"course_id": "c", "label_en": "C", "tier": "evening", "hours": 4, "cost_per_seat": 1, "fixed_cost": 0,
              "currency": "XXX", "price_year": 2026}  # fmt: skip
    competency = {"competency_id": "a", "label_en": "A", "kind": "technical", "group": "delivery"}
    data = {"competencies": {"rows": [competency]}, "courses": {"rows": [course]}}
    values = {"unit": "own", "title": {"en": "Own"}, "fictional": True, "report_languages": ["en"], "labels": labels,
              "study": {"population": {"en": "staff"}, "years": "2026"}, "data": data}  # fmt: skip
    (root / "params" / "own.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return open_unit("own", root=root)


def test_own_groups_and_tiers_are_accepted_where_params_name_them(root):
    labels = {"group": {"delivery": {"en": "Delivery"}}, "tier": {"evening": {"en": "Evening classes"}}}
    unit = own(root, labels)
    assert unit.table("competencies")["group"].tolist() == ["delivery"]
    assert unit.table("courses")["tier"].tolist() == ["evening"]
    assert Published(unit).words("en").label("tier", "evening") == "Evening classes"


def test_own_groups_and_tiers_are_refused_where_nobody_names_them(root):
    with pytest.raises(StudyError) as caught:
        own(root, {"group": {"deliverance": {"en": "Delivery"}}}).table("competencies")
    said = str(caught.value)
    assert "'delivery' is not one of digital, data" in said and "'evening' is not one of basic" in said
    assert "name it in params: labels.group" in said and "name it in params: labels.tier" in said
