"""Each option of the generator moves what it is there to move and nothing else; a bad spec is stopped in one line."""

import copy
import os
import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import skillsgap as sg
from skillsgap.errors import SkillsgapError
from skillsgap.study.synthetic.country import make_country
from skillsgap.study.synthetic.spec import read_spec, small_spec
from skillsgap.study.synthetic.staff import chances_of

ROOT = Path(__file__).parents[1] / "data" / "synthetic"
SEED = 11
PLAIN = {"area_effects": {"sd": 0.0, "shape": "normal"}, "response_on_skill": 0, "dif": {},
         "self_report": {"bias": {}, "by": {}, "tested": 0.2, "tested_sd": 0.35},
         "mistakes": {"duplicates": 0, "typos": 0}}  # fmt: skip


@pytest.fixture(scope="module")
def spec():
    return read_spec(ROOT / "arvenia" / "spec.yaml")


@pytest.fixture(scope="module")
def plain(spec):
    """A middling country with every option off."""
    return {**small_spec(spec, n_staff=3000, n_agencies=12), **PLAIN}


@pytest.fixture(scope="module")
def base(plain):
    return make_country(plain, SEED)


def same(one, other, *names):
    for name in names:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name], obj=name)


def moment(country, figure):
    return country.truth["moments"].set_index("figure").loc[figure]


def as_planted(country, figure):
    row = moment(country, figure)
    return abs(row["generated"] - row["planted"]) < 4.5 * row["se"]


OTHERS = ("register", "training_records", "pilot_outcomes", "courses")


def test_a_smaller_sample_leaves_the_staff_as_they_are(plain, base):
    some = make_country({**plain, "n_invited": 500}, SEED)
    same(base, some, *OTHERS)
    pd.testing.assert_frame_equal(base.truth["gaps"], some.truth["gaps"])
    assert len(some.tables["responses"]) == 500


@pytest.mark.parametrize("shape, skewness", [("normal", 0), ("skewed", 2)])
def test_area_effects_move_levels_by_agency(plain, base, shape, skewness):
    country = make_country({**plain, "area_effects": {"sd": 0.3, "shape": shape}}, SEED)
    same(base, country, "register", "pilot_outcomes")
    about = ["staff_id", "status", "weight", "answer_language", "mode", "date", "tested"]
    pd.testing.assert_frame_equal(base.tables["responses"][about], country.tables["responses"][about])
    assert as_planted(country, "area effects, sd") and as_planted(country, "area effects, skewness")
    assert moment(country, "area effects, skewness")["planted"] == skewness
    areas = country.truth["areas"].query("group == 'security'").set_index("agency_id")["effect"]
    means = "by == 'agency_id' and competency_id == 'data_security'"
    levels = [c.truth["means"].query(means).set_index("group")["level"] for c in (base, country)]
    assert (levels[1] - levels[0] - areas).abs().max() < 0.06  # but for those cut off at 0 or 4


def test_nonresponse_on_skill_moves_who_answers_alone(plain, base):
    country = make_country({**plain, "response_on_skill": 1.0}, SEED)
    same(base, country, *OTHERS)
    assert as_planted(country, "response on skill") and as_planted(country, "response rate")
    skill = [c.truth["respondents"].loc[c.tables["responses"]["status"] != "no_response", "level"].mean()
             for c in (base, country)]  # fmt: skip
    assert skill[1] > skill[0] + 0.07
    both = (base.tables["responses"]["status"] == "complete") & (country.tables["responses"]["status"] == "complete")
    pd.testing.assert_frame_equal(base.tables["responses"][both], country.tables["responses"][both])


def test_dif_moves_one_item_in_one_language(plain, base):
    country = make_country({**plain, "dif": {"DI01": {"uz": -0.6}}}, SEED)
    same(base, country, *OTHERS)
    before, after = base.tables["responses"], country.tables["responses"]
    pd.testing.assert_frame_equal(before.drop(columns="DI01"), after.drop(columns="DI01"))
    moved = (before["DI01"] != after["DI01"]).fillna(False)
    assert moved.any() and set(after.loc[moved, "answer_language"]) == {"uz"}
    assert as_planted(country, "shift of DI01 in uz")
    assert country.truth["dif"].values.tolist() == [["DI01", "uz", -0.6]]


def test_bias_moves_self_ratings_and_leaves_what_the_assessor_finds(plain, base):
    report = {**PLAIN["self_report"], "bias": {"data": 0.5}, "by": {"sex": {"male": 0.3}}}
    country = make_country({**plain, "self_report": report}, SEED)
    same(base, country, *OTHERS)
    types = country.tables["items"].query("form != 'optional'").set_index("item_id")["type"]
    before, after = base.tables["responses"], country.tables["responses"]
    assert set(types[[not before[item].equals(after[item]) for item in types.index]]) == {"anchored"}
    for figure in ("self-report bias, data", "self-report bias, digital", "bias of the assessed"):
        assert as_planted(country, figure)
    tested = country.tables["responses"].query("tested == 'yes'").merge(country.tables["register"], on="staff_id")
    over = (tested["DI01"] - tested["TE02"]).astype(float).groupby(tested["sex"]).mean()
    assert over["female"] == pytest.approx(0.5, abs=0.25) and over["male"] == pytest.approx(0.8, abs=0.25)
    assert as_planted(country, "self-report bias, sex male")
    assert moment(country, "self-report bias, sex male")["se"] < 0.02
    assert not base.truth["moments"]["figure"].str.startswith("self-report bias, sex").any()


def test_the_tested_are_a_random_part_of_those_who_answer(plain, base):
    country = make_country({**plain, "self_report": {**PLAIN["self_report"], "tested": 0.0}}, SEED)
    found = [item for item in base.tables["responses"] if item.startswith("TE")]
    assert len(found) == 6 and country.tables["responses"][found].isna().all(axis=None)
    rest = [name for name in base.tables["responses"] if name not in [*found, "tested"]]
    pd.testing.assert_frame_equal(base.tables["responses"][rest], country.tables["responses"][rest])
    responses = base.tables["responses"]
    answers = responses["status"] != "no_response"
    assert abs((responses.loc[answers, "tested"] == "yes").mean() - 0.2) < 0.05
    assert (responses.loc[~answers, "tested"] == "no").all()
    assert responses.loc[responses["tested"] == "yes", found].notna().all(axis=None)


@pytest.mark.parametrize("reliability", [0.5, 0.72, 0.9])
def test_reliability_is_as_planted(plain, base, reliability):
    country = make_country({**plain, "item_reliability": reliability}, SEED)
    same(base, country, *OTHERS)
    assert as_planted(country, "item reliability")
    assert moment(country, "item reliability")["se"] < 0.01


def test_mistakes_are_made_on_request_and_kept_in_the_truth(plain, base):
    country = make_country({**plain, "mistakes": {"duplicates": 0.02, "typos": 0.01}}, SEED)
    assert "mistakes" not in base.truth
    same(base, country, "training_records", "pilot_outcomes")
    made, responses = country.truth["mistakes"], country.tables["responses"]
    copies = made.query("mistake == 'duplicate'")["row"] - 1
    assert len(copies) == round(0.02 * 3000) and len(responses) == 3060
    assert responses.duplicated(keep=False).sum() == 2 * len(copies)
    pd.testing.assert_frame_equal(responses.drop(index=copies).reset_index(drop=True), base.tables["responses"])
    typos, register = made.query("mistake == 'typo'"), country.tables["register"].copy()
    assert len(typos) == 5 * 30
    for column, rows in typos.groupby("column"):
        assert (register[column].to_numpy()[rows["row"] - 1] != rows["code"]).all()
        register.loc[rows["row"] - 1, column] = rows["code"].to_numpy()
    pd.testing.assert_frame_equal(register, base.tables["register"], check_dtype=False)
    fewer = make_country({**plain, "mistakes": {"duplicates": 0, "typos": 0.01}}, SEED)
    same(country, fewer, "register")


def test_mistakes_in_cells_are_made_in_the_responses(plain):
    country = make_country({**plain, "register": "cells", "mistakes": {"duplicates": 0, "typos": 0.01}}, SEED)
    known = set(country.tables["register"]["role_id"])
    assert 0 < (~country.tables["responses"]["role_id"].isin(known)).sum() < 60
    assert set(country.truth["mistakes"]["table"]) == {"responses"}


def test_training_moves_the_records_alone(plain, base):
    country = make_country({**plain, "training": {"rate": 0.6, "effect": 1.4}}, SEED)
    same(base, country, "register", "responses", "pilot_outcomes")
    assert as_planted(country, "training effect") and as_planted(country, "training effect, dropped out")
    assert len(country.tables["training_records"]) > 1.4 * len(base.tables["training_records"])
    assert make_country({**plain, "training": {"rate": 0, "effect": 1}}, SEED).tables["training_records"].empty


def test_exits_move_exit_dates_alone(plain, base):
    country = make_country({**plain, "exits": {"rate": 0.2, "profile": {"ai_forward": 2.0}}}, SEED)
    same(base, country, "responses", "training_records", "pilot_outcomes")
    drop = {"columns": "exit_date"}
    pd.testing.assert_frame_equal(base.tables["register"].drop(**drop), country.tables["register"].drop(**drop))
    assert as_planted(country, "exit rate")


def test_the_pilot_moves_its_outcomes_alone(plain, base):
    pilot = {**plain["pilot"], "effect": 0.0}
    country = make_country({**plain, "pilot": pilot}, SEED)
    same(base, country, "register", "responses", "training_records")
    moved = base.tables["pilot_outcomes"]["outcome"] - country.tables["pilot_outcomes"]["outcome"]
    treated = base.tables["pilot_outcomes"]["treated"] == "yes"
    np.testing.assert_allclose(moved, np.where(treated, plain["pilot"]["effect"], 0), atol=1e-4)
    assert as_planted(country, "pilot effect") and 0.2 < treated.mean() < 0.3


@pytest.mark.parametrize("languages, known", [(["en"], {"en"}), (["en", "uz", "fr"], {"en", "uz", "fr"})])
def test_any_number_of_answer_languages(plain, languages, known):
    second = {"second_language": 0.3 if len(languages) > 1 else 0}
    regions = {name: {**entry, **second} for name, entry in plain["regions"].items()}
    country = make_country({**plain, "languages": languages, "regions": regions}, SEED)
    assert set(country.tables["responses"]["answer_language"]) - {""} == known
    assert set(country.tables["register"]["language"]) == set(languages[:2])


# --- bad specs ---------------------------------------------------------------------------------------------------


def changed(spec, path, value):
    """A copy of the spec with one entry changed (or taken out); steps of the path are keys or list positions."""
    spec = copy.deepcopy(spec)
    *steps, last = path.split(".") if isinstance(path, str) else path
    target = spec
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    if value is GONE:
        del target[last]
    else:
        target[int(last) if last.isdigit() else last] = value
    return spec


GONE = object()
BAD = [
    ("profiles.data_strong.share", 0.25, ["profiles", "1.1", "make the shares add up to 1"]),
    ("regions.norvale.share", 0.5, ["regions", "add up to 1"]),
    ("roles.inspector.share", -0.1, ["roles.inspector.share", "-0.1", "give a share"]),
    ("roles.inspector.share", "much", ["roles.inspector.share", "much", "give a share"]),
    ("agencies.0.staff", -5, ["agencies.levy.staff", "-5", "at least 1"]),
    ("agencies.0.staff", 4100.5, ["agencies.levy.staff", "4100.5", "whole number"]),
    ("agencies.1.agency_id", "levy", ["agencies", "levy twice", "of its own"]),
    ("agencies.1.roles", {"baker": 2}, ["agencies.hearth.roles", "baker", "use case_worker"]),
    ("agencies.1.roles", dict.fromkeys(["policy_officer", "case_worker", "inspector", "data_analyst", "it_specialist",
                                        "procurement_officer", "hr_officer", "finance_officer",
                                        "communications_officer", "programme_manager"], 0),
     ["agencies.hearth.roles", "no role", "above 0"]),
    ("agencies.1.hub_id", "nowhere", ["agencies.hearth.hub_id", "nowhere", "use care"]),
    ("agencies.1.region", "moon", ["agencies.hearth.region", "moon", "use aravel"]),
    ("agencies.1.admin_level", "local", ["agencies.hearth.admin_level", "local", "use central, regional"]),
    ("agencies", [], ["agencies", "give a list of agencies"]),
    ("n_invited", -1, ["n_invited", "-1", "at least 1"]),
    ("n_invited", 5, ["n_invited", "12 agencies", "invite one of each"]),
    ("n_staff", 19000, ["n_staff", "19000", "20000", "make them agree"]),
    ("n_staff", 6, ["agencies are 12", "n_staff is 6", "at least one person"]),
    ("response_rate", 1.2, ["response_rate", "1.2", "between 0 and 1"]),
    ("response_rate", float("nan"), ["response_rate", "nan", "give a number"]),
    ("partial_rate", 1, ["partial_rate is 1", "from 0 and below 1"]),
    ("item_missing_rate", 1, ["item_missing_rate is 1", "from 0 and below 1"]),
    ("currency", "UZS", ["currency", "UZS", "give XXX", "real one's currency"]),
    ("country", "uzbekistan", ["country", "uzbekistan", "invent a name"]),
    ("country", "bosnia_and_herzegovina", ["country", "bosnia_and_herzegovina", "invent a name"]),
    ("label", {"en": "Kazakhstan (fictional)", "uz": "Arveniya"}, ["label.en", "Kazakhstan", "invent a name"]),
    ("label", {"en": "Arvenia", "uz": "O'zbekiston (xayoliy)"}, ["label.uz", "O'zbekiston", "invent a name"]),
    ("agencies.0.roles", {"inspector": float("nan")}, ["agencies.levy.roles.inspector is nan", "give a number"]),
    ("response_effects.grade", {1: 0.2}, ["response_effects.grade.1 is not text", "put 1 in quotes"]),
    ("regions", {False: {"label_en": "N", "label_uz": "N", "share": 1}}, ["regions.False is not text", "in quotes"]),
    ("fictional", False, ["fictional", "false", "always fictional"]),
    ("n_stuff", 3, ["unknown key n_stuff", "correct its name"]),
    ("pilot.wave", 3, ["unknown key pilot.wave", "correct its name"]),
    ("exits", GONE, ["key exits is absent", "add it"]),
    ("training.effect", GONE, ["key training.effect is absent", "add it"]),
    ("item_reliability", 0, ["item_reliability is 0", "above 0 and up to 1"]),
    ("item_reliability", 1.1, ["item_reliability is 1.1", "above 0 and up to 1"]),
    ("area_effects.shape", "lumpy", ["area_effects.shape", "lumpy", "normal or skewed"]),
    ("area_effects.sd", -1, ["area_effects.sd is -1", "standard deviation"]),
    ("register", "people", ["register", "people", "persons or cells"]),
    ("self_report.tested", 1.5, ["self_report.tested is 1.5", "0 to 1"]),
    ("self_report.bias", {"date": 0.1}, ["self_report.bias.date", "correct its name"]),
    ("self_report.by", {"sex": {"men": 0.1}}, ["self_report.by.sex", "men", "use female, male"]),
    ("dif", {"DI99": {"uz": 1}}, ["dif", "DI99", "use AF01"]),
    ("dif", {"KN01": {"uz": 1}}, ["dif", "KN01"]),
    ("dif", {"DI01": {"fr": 1}}, ["dif.DI01", "fr", "use en, uz"]),
    ("languages", [], ["languages", "one or more"]),
    ("languages", ["en", "en"], ["languages", "each once"]),
    ("languages", ["en"], ["second_language", "take the shares out"]),
    ("survey_dates", ["2026-03-27", "2026-03-02"], ["survey_dates", "later last one"]),
    ("survey_dates", ["2026-02-30", "2026-03-02"], ["survey_dates", "2026-02-30", "calendar"]),
    ("survey_dates", ["2026-03-07", "2026-03-08"], ["survey_dates", "working day"]),
    ("profile_effects.grade.G9", {}, ["profile_effects.grade", "G9", "use G1"]),
    ("profile_effects.grade.G1", {"slow": 1}, ["profile_effects.grade.G1", "slow", "use ai_forward"]),
    ("profile_effects.grade.G1", {"just_starting": 100}, ["profile_effects.grade.G1.just_starting", "-10 to 10"]),
    ("response_effects.colour", {"red": 1}, ["response_effects", "colour", "use admin_level"]),
    ("level_effects.role_id.data_analyst", {"dta": 1}, ["level_effects.role_id.data_analyst.dta", "correct its name"]),
    ("exits.profile", {"slow": 1}, ["exits.profile", "slow", "use ai_forward"]),
    ("exits.rate", 1, ["exits.rate is 1", "between 0 and 1"]),
    ("competency_offset.swimming", 1, ["competency_offset", "swimming", "use agentic_fit"]),
    ("profiles.data_strong.levels.ai", GONE, ["profiles.data_strong.levels.ai is absent", "add it"]),
    ("pilot.treated_from", "2024-Q1", ["pilot.treated_from", "2024-Q1", "name a wave after the first", "2025-Q4"]),
    ("pilot.people", 900, ["pilot", "21600", "take fewer"]),
    ("catalogue.providers", {"academy": "A (fictional)"}, ["courses.csv: provider", "market", "use academy"]),
    ("framework", "nowhere", ["framework", "nowhere", "name the folder"]),
    ("common", "nowhere", ["common", "nowhere", "name the folder"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "words"), BAD, ids=[f"{path}={value}"[:40] for path, value, _ in BAD])
def test_a_bad_spec_is_stopped_in_one_line(spec, path, value, words):
    with pytest.raises(SkillsgapError) as caught:
        make_country(changed(spec, path, value), 0)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_all_faults_of_a_spec_are_named_together(spec):
    bad = changed(changed(spec, "n_invited", 0), "response_rate", -1)
    with pytest.raises(SkillsgapError, match="n_invited is 0.*response_rate is -1"):
        make_country(bad, 0)


def test_a_fault_of_shape_hides_no_other_fault(spec):
    faults = [
        ("response_rate", 2, "response_rate is 2"),
        ("agencies.3.region", 7, "agencies.sundale_office.region is 7"),
        ("agencies.1.hub_id", "moon", "agencies.hearth.hub_id names moon"),
        ("roles.inspector.female", -1, "roles.inspector.female is -1"),
        ("exits", GONE, "exits is absent"),
        ("n_staff", 5, "n_staff is 5, but"),
        ("dif", {"DI01": {"xx": 1}}, "dif.DI01 names xx"),
        ("common", "nowhere", "lacks requirements.csv"),
        ("profiles.data_strong.share", 0.2, "profiles.*.share adds up to 1.05"),
        ("country", "brazil", '"brazil"'),
        ("response_effects.sex", {"men": 1}, "response_effects.sex names men"),
        ("survey_dates", ["2026-02-30", "2026-03-02"], "2026-02-30"),
    ]
    bad = spec
    for path, value, _ in faults:
        bad = changed(bad, path, value)
    with pytest.raises(SkillsgapError) as caught:
        make_country(bad, 0)
    assert [words for _, _, words in faults if words not in str(caught.value)] == []
    with pytest.raises(SkillsgapError, match="n_invited is 0.*dif names QQ99"):  # once the tables can be read
        make_country(changed(changed(spec, "dif", {"QQ99": {"uz": 1}}), "n_invited", 0), 0)


def test_the_requirements_that_a_new_role_lacks_are_all_named(spec):
    bad = changed(changed(spec, "roles.sailor", spec["roles"]["inspector"]), "roles.cook", spec["roles"]["inspector"])
    for role, share in (("inspector", 0.1), ("sailor", 0.05), ("cook", 0.02)):
        bad = changed(bad, f"roles.{role}", {**bad["roles"][role], "share": share})
    with pytest.raises(SkillsgapError) as caught:
        make_country(bad, 0)
    assert "requirements.csv lacks sailor (lead, senior, staff), cook (lead, senior, staff)" in str(caught.value)


@pytest.mark.parametrize("random_state", [-1, 1.5, "x", None, True])
def test_what_is_no_seed_is_refused_in_one_line(plain, random_state):
    with pytest.raises(SkillsgapError, match="random_state is .*: give a whole number, 0 or more, or a numpy Gen"):
        make_country(plain, random_state)


def test_nearly_no_answers_are_drawn_without_warnings(spec):
    small = {**small_spec(spec, n_staff=40, n_agencies=1), "item_missing_rate": 0.999}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        country = make_country(small, SEED)
    assert len(country.tables["responses"]) == 40


def test_the_spec_is_read_and_scaled_by_public_verbs(spec, tmp_path):
    assert sg.read_spec is read_spec and sg.small_spec is small_spec
    path = ROOT / "arvenia" / "spec.yaml"
    assert sg.read_spec(str(path)) == sg.read_spec(path) == spec
    assert small_spec(path, n_staff=100) == small_spec(spec, n_staff=100)
    for verb in (sg.make_country, sg.read_spec):
        assert "data/synthetic/arvenia/spec.yaml" in verb.__doc__


def test_days_that_yaml_read_as_dates_are_taken(spec):
    loaded = yaml.safe_load((ROOT / "arvenia" / "spec.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded["survey_dates"][0], date)
    loaded |= {key: spec[key] for key in ("framework", "common")}
    one, other = (make_country(small_spec(given), SEED) for given in (loaded, spec))
    pd.testing.assert_frame_equal(one.tables["responses"], other.tables["responses"])


def test_folders_of_a_dict_that_are_not_found_are_explained(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = {**spec, "framework": os.path.join("..", "..", "framework")}
    with pytest.raises(SkillsgapError, match="lacks competencies.csv: name the folder with it .read_spec takes"):
        make_country(loaded, SEED)


def test_a_spec_that_is_no_mapping_or_no_yaml_is_named(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(SkillsgapError, match="spec.yaml can't be read as YAML"):
        read_spec(path)
    path.write_text("survey_dates: [2026-02-30, 2026-03-01]", encoding="utf-8")
    with pytest.raises(SkillsgapError, match="spec.yaml can't be read as YAML .*day"):
        read_spec(path)
    with pytest.raises(SkillsgapError, match="nofile.yaml: there is no such file: name a spec.yaml"):
        read_spec(tmp_path / "nofile.yaml")
    for nothing in ([1], None):
        with pytest.raises(SkillsgapError, match="is not a mapping"):
            make_country(nothing, 0)
        with pytest.raises(SkillsgapError, match="this is no spec: give one from read_spec"):
            small_spec(nothing)


def test_effects_too_strong_for_the_shares_are_named():
    # one half is sure to answer and the other sure not to: no intercept gives three tenths
    with pytest.raises(SkillsgapError, match="response_effects are so strong .* weaken them"):
        chances_of(np.array([[0.0, 900.0], [900.0, 0.0]]), np.array([0.7, 0.3]), what="response_effects")


def test_small_spec_refuses_more_agencies_than_there_are(spec):
    with pytest.raises(SkillsgapError, match="n_agencies 13"):
        small_spec(spec, n_agencies=13)
    with pytest.raises(SkillsgapError, match="n_staff is 300.5: give a whole number"):
        small_spec(spec, n_staff=300.5)
