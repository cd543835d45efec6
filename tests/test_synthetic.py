"""The fictional countries: same bytes again, moments as planted, and tables that keep their contracts."""

import copy
import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from skillsgap.contracts import CONTRACTS, GROUPS, check
from skillsgap.run.unit import open_unit
from skillsgap.study.synthetic import country as countries
from skillsgap.study.synthetic.country import draw_country, draw_missing, make_country, write_country
from skillsgap.study.synthetic.faults import AGE_BANDS
from skillsgap.study.synthetic.spec import read_spec, small_spec
from skillsgap.study.synthetic.staff import CELL

DATA = Path(__file__).parents[1] / "data"
ROOT = DATA / "synthetic"
ARVENIA = ROOT / "arvenia"
COUNTRIES = sorted(path.parent.name for path in ROOT.glob("*/spec.yaml"))
# drawn where they are needed, and not committed
LARGE = ("belmora",)
MAX_BYTES = 1_000_000  # of a file that is committed
SURE = 4.5  # standard errors that chance alone doesn't take a figure from its plan


@pytest.fixture(scope="module")
def spec():
    return read_spec(ARVENIA / "spec.yaml")


@pytest.fixture(scope="module")
def drawn():
    """Each country that is committed, drawn once."""
    specs = {name: read_spec(ROOT / name / "spec.yaml") for name in COUNTRIES if name not in LARGE}
    return {name: make_country(spec, spec["random_state"]) for name, spec in specs.items()}


@pytest.fixture(scope="module")
def country(drawn):
    return drawn["arvenia"]


def answered(country):
    return country.tables["responses"]["status"] != "no_response"


def invited(country):
    """Responses with the register's columns and the true profile beside them."""
    responses, register = country.tables["responses"], country.tables["register"]
    return responses.merge(register, on="staff_id").merge(country.truth["respondents"], on="staff_id")


def read(frame):
    """The table as it comes from its file: an empty cell is no value."""
    return frame.replace("", np.nan)


def asked(country, *types):
    """Ids of the items of some types that everybody is asked."""
    items = country.tables["items"]
    return items.loc[items["type"].isin(types) & items["form"].isin(["both", "long"]), "item_id"].tolist()


def within(share, plan, n):
    """Whether a drawn share is as near its plan as chance allows."""
    return abs(share - plan) < SURE * np.sqrt(plan * (1 - plan) / n)


# --- the files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COUNTRIES if name not in LARGE])
def test_regenerates_the_committed_files_byte_for_byte(drawn, name, tmp_path):
    written = write_country(drawn[name], tmp_path)
    for path in written:
        committed = (ROOT / name / path.relative_to(tmp_path)).read_bytes()
        again = path.read_bytes()
        if path.suffix == ".gz":  # zlib versions compress differently, the content is what must hold
            committed, again = gzip.decompress(committed), gzip.decompress(again)
        assert committed == again, f"{path.name} differs: make synthetic, and commit it"
        assert b"\r" not in again
        assert path.stat().st_size < MAX_BYTES
    there = {path.relative_to(ROOT / name) for path in (ROOT / name).rglob("*.csv*")}
    assert there == {path.relative_to(tmp_path) for path in written}


def test_register_file_carries_no_clock_time(country, tmp_path):
    write_country(country, tmp_path)
    assert (tmp_path / "register.csv.gz").read_bytes()[4:8] == bytes(4)


def test_same_seed_same_tables_other_seed_other_tables(spec):
    small = small_spec(spec)
    first, again, other = (make_country(small, random_state=seed) for seed in (1, 1, 2))
    for name in first.tables:
        pd.testing.assert_frame_equal(first.tables[name], again.tables[name])
    for name in first.truth:
        pd.testing.assert_frame_equal(first.truth[name], again.truth[name])
    for name in ("register", "responses", "training_records", "pilot_outcomes"):
        assert not first.tables[name].equals(other.tables[name])


def test_a_path_is_as_good_as_the_spec_it_holds(drawn):
    again = make_country(ROOT / "corva" / "spec.yaml", read_spec(ROOT / "corva" / "spec.yaml")["random_state"])
    pd.testing.assert_frame_equal(again.tables["responses"], drawn["corva"].tables["responses"])


@pytest.fixture
def project(tmp_path, spec):
    """A project folder with one small country, whose files are not there."""
    shutil.copytree(DATA / "framework", tmp_path / "data" / "framework")
    shutil.copytree(ROOT / "common", tmp_path / "data" / "synthetic" / "common")
    small = {**small_spec(spec), "framework": "../../framework", "common": "../common"}
    folder = tmp_path / "data" / "synthetic" / "tiny"
    folder.mkdir()
    (folder / "spec.yaml").write_text(yaml.safe_dump(small, allow_unicode=True), encoding="utf-8")
    return tmp_path


def test_a_country_is_drawn_when_it_is_missing_or_out_of_date(project):
    folder = project / "data" / "synthetic" / "tiny"
    assert draw_missing(project) == ["tiny"] and draw_missing(project) == []
    (folder / "truth" / "gaps.csv").unlink()
    assert draw_missing(project) == ["tiny"]
    text = (folder / "spec.yaml").read_text(encoding="utf-8")
    (folder / "spec.yaml").write_text(text.replace("response_rate: 0.51", "response_rate: 0.6"), encoding="utf-8")
    assert draw_missing(project) == ["tiny"] and draw_missing(project) == []
    courses = project / "data" / "synthetic" / "common" / "courses.csv"
    courses.write_text(courses.read_text(encoding="utf-8").replace("12000", "13000"), encoding="utf-8")
    assert draw_missing(project) == ["tiny"]


def test_opening_a_unit_draws_its_country_and_no_other(project):
    shutil.copytree(project / "data" / "synthetic" / "tiny", project / "data" / "synthetic" / "other")
    (project / "params").mkdir()
    shutil.copy(DATA.parent / "params" / "_defaults.yaml", project / "params")
    text = (DATA.parent / "params" / "arvenia.yaml").read_text(encoding="utf-8")
    text = text.replace("synthetic/arvenia/", "synthetic/tiny/")
    (project / "params" / "tiny.yaml").write_text(text.replace("unit: arvenia", "unit: tiny").replace(
        "    n_rows: 20000 ", "    n_rows: 300 "), encoding="utf-8")  # fmt: skip
    assert open_unit("tiny", root=project).table("register")["headcount"].sum() == 300
    assert not (project / "data" / "synthetic" / "other" / "register.csv.gz").exists()


def test_a_country_that_came_with_the_project_is_left_alone(project):
    folder = project / "data" / "synthetic" / "tiny"
    spec = read_spec(folder / "spec.yaml")
    write_country(make_country(spec, 7), folder)
    before = (folder / "responses.csv").read_bytes()
    assert draw_missing(project) == [] and (folder / "responses.csv").read_bytes() == before
    draw_country(folder / "spec.yaml")  # asked for by name
    assert (folder / "responses.csv").read_bytes() != before
    assert not (folder / "truth" / "drawn.json").exists()


def test_a_drawing_that_was_broken_off_is_seen(project, monkeypatch):
    folder = project / "data" / "synthetic" / "tiny"
    draw_missing(project)
    monkeypatch.setattr(countries, "write_country", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        draw_country(folder / "spec.yaml")
    monkeypatch.undo()
    assert draw_missing(project) == ["tiny"]
    assert json.loads((folder / "truth" / "drawn.json").read_text(encoding="utf-8"))["digest"]


# --- the tables --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COUNTRIES if name not in LARGE])
def test_every_table_keeps_its_contract(drawn, name):
    for table, frame in drawn[name].tables.items():
        failures = check(table, read(frame))
        assert failures.empty, f"{table}: {failures}"
        assert not frame.duplicated([column for column in CONTRACTS[table].key if column in frame]).any(), table


def test_truth_is_kept_beside_and_not_in_the_tables(country):
    for name in ("register", "responses"):
        assert "profile" not in country.tables[name]


@pytest.mark.parametrize("name", COUNTRIES)
def test_every_country_says_it_is_fictional(name):
    spec = read_spec(ROOT / name / "spec.yaml")
    assert spec["fictional"] is True and "fictional" in spec["label"]["en"] and spec["currency"] == "XXX"
    assert all("fictional" in provider for provider in spec["catalogue"]["providers"].values())
    assert {"en", "uz"} >= set(spec["languages"])


def test_what_a_country_asks_and_offers_says_it_is_fictional(drawn):
    for country in drawn.values():
        assert (country.tables["requirements"]["source"] == "fictional").all()
        assert (country.tables["costs"]["source"] == "fictional").all()
        assert country.tables["courses"]["provider"].str.contains("fictional").all()
        assert (country.tables["courses"]["currency"] == "XXX").all()


def test_courses_are_priced_and_sized_for_the_country(drawn):
    prices = {name: read_spec(ROOT / name / "spec.yaml")["catalogue"]["price"] for name in drawn}
    common = pd.read_csv(ROOT / "common" / "courses.csv", keep_default_na=False).set_index("course_id")
    for name, country in drawn.items():
        own, price = country.tables["courses"].set_index("course_id"), prices[name]
        np.testing.assert_allclose(own["cost_per_seat"], common["cost_per_seat"] * price, rtol=0.06)
        assert (own["class_min"] >= 4).all() and (own["class_min"] <= common["class_min"]).all()
        assert (own["class_min"] <= own["seats_max"]).all()
    assert set(drawn["corva"].tables["courses"]["languages"]) == {"en"}
    assert set(drawn["arvenia"].tables["courses"]["languages"]) == {"en|uz", "en"}


def test_requirements_are_there_for_everybody(drawn):
    for country in drawn.values():
        required = country.tables["requirements"][["role_id", "role_level"]].drop_duplicates()
        used = country.tables["register"][["role_id", "role_level"]].drop_duplicates()
        assert len(used.merge(required)) == len(used)


def test_uzbek_uses_its_own_letters(drawn):
    for country in drawn.values():
        for name in ("courses", "agencies"):
            for column in (c for c in country.tables[name] if c.endswith("_uz")):
                texts = country.tables[name][column]
                assert not texts.str.contains("['`‘’]").any(), (name, column)
                # U+02BB belongs to o and g only; U+02BC elsewhere
                assert not texts.str.contains("[^OoGg]ʻ|[OoGg]ʼ").any(), (name, column)


# --- the staff ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in COUNTRIES if name not in LARGE])
def test_every_moment_is_as_planted(drawn, name):
    moments = drawn[name].truth["moments"]
    off = (moments["generated"] - moments["planted"]).abs() / moments["se"]
    assert len(moments) >= 33 and moments["se"].gt(0).all()
    assert off.max() < SURE, moments[off >= SURE]


def test_profile_levels_are_as_planted(spec, country):
    competencies = country.tables["competencies"].query("audience != 'optional'").set_index("competency_id")
    found = country.truth["profiles"].set_index("profile")[competencies.index]
    by_group = pd.DataFrame({name: profile["levels"] for name, profile in spec["profiles"].items()})
    planted = by_group.loc[competencies["group"]].set_axis(competencies.index).T
    planted = planted + pd.Series(spec["competency_offset"]).reindex(planted.columns).fillna(0.0)
    counts = country.truth["headcounts"].pivot(index="agency_id", columns="profile", values="headcount")
    areas = country.truth["areas"].pivot(index="agency_id", columns="group", values="effect")
    of_area = (counts / counts.sum()).T @ areas.reindex(counts.index)
    planted = planted + of_area[competencies["group"]].set_axis(competencies.index, axis=1)
    free = ~competencies["group"].isin(["digital", "data", "procurement", "leadership"])  # no role effects
    inside = (planted > 1) & (planted < 3) & free  # nothing is cut off at 0 or 4
    assert inside.to_numpy().sum() > 40
    error = spec["level_sd"] / np.sqrt(spec["n_staff"] * 0.1)
    assert (found - planted).where(inside).abs().max().max() < 0.005 + 5 * error


def test_gaps_of_agencies_add_up_to_the_whole(country):
    gaps, key = country.truth["gaps"], ["group", "competency_id"]
    required = country.tables["requirements"].query("required_level > 0")
    asked_of = country.tables["register"].merge(required, on=["role_id", "role_level"])
    staff = asked_of.rename(columns={"agency_id": "group"}).groupby(key).size()
    parts = gaps[gaps["by"] == "agency_id"].set_index(key)
    weight = staff / staff.groupby("competency_id").transform("sum")
    columns = ["level", "required", "shortfall", "share_below"]
    summed = parts[columns].mul(weight, axis=0).groupby("competency_id").sum()
    whole = gaps[gaps["by"] == "all"].set_index("competency_id")[columns]
    pd.testing.assert_frame_equal(summed, whole.sort_index(), atol=2e-6, rtol=0)
    assert (whole["shortfall"] >= whole["required"] - whole["level"] - 1e-9).all()


def test_truth_speaks_of_all_agencies_levels_of_administration_and_sexes(country):
    for name in ("gaps", "means", "needs"):
        sizes = country.truth[name].groupby("by")["group"].nunique()
        assert sizes.to_dict() == {"all": 1, "agency_id": 12, "admin_level": 2, "sex": 2}


def test_oversight_of_generative_ai_and_agents_is_the_widest_gap(country):
    whole = country.truth["gaps"].query("by == 'all'").sort_values("shortfall", ascending=False)
    assert whole["competency_id"].tolist()[:2] == ["genai_oversee", "agentic_safeguards"]


# --- the survey --------------------------------------------------------------------------------------------------


def test_answers_are_independent_within_a_profile(country):
    people = invited(country)[answered(country).to_numpy()]
    items = country.tables["items"].query("type == 'anchored' and form != 'optional'")
    first = items.drop_duplicates("group")["item_id"].tolist()
    everyday = people.loc[people["profile"] == "everyday_users", first].astype(float)
    between = everyday.corr().to_numpy()[np.triu_indices(len(first), 1)]
    assert abs(between.mean()) < 0.02
    overall = people[first].astype(float).corr().to_numpy()[np.triu_indices(len(first), 1)]
    assert overall.mean() > 5 * 0.02  # it is the profiles that make answers go together


def test_answers_recover_the_true_levels(spec, country):
    """Weighted by design and response chance known to be about equal within agency and grade."""
    people, items = invited(country), country.tables["items"]
    items = items[items["item_id"].isin(asked(country, "anchored")) & ~items["item_id"].isin(list(spec["dif"]))]
    chance = answered(country).groupby([people["agency_id"], people["grade"]]).transform("mean")
    weight = people["weight"] / chance.to_numpy()
    truth = country.truth["means"].query("by == 'all'").set_index("competency_id")["level"]
    for competency, names in items.groupby("competency_id")["item_id"]:
        level = people[names.tolist()].astype(float).mean(axis=1)
        seen = level.notna()
        estimate = np.average(level[seen], weights=weight[seen])
        # 0.08: four standard errors plus the lift where answers are cut off at 0
        assert abs(estimate - truth[competency]) < 0.08, competency


def test_response_rate_and_its_causes_are_as_planted(spec, country):
    people, said = invited(country), answered(country)
    assert within(said.mean(), spec["response_rate"], len(said))
    age = people["age_band"].map({name: i for i, name in enumerate(AGE_BANDS)})
    assert 0.10 < np.corrcoef(age, said)[0, 1] < 0.25
    by_agency = said.groupby(people["agency_id"]).mean()
    assert by_agency["westmoor_office"] < by_agency["levy"] < by_agency["digital_office"]


def test_who_answers_does_not_depend_on_the_profile_given_what_is_observed(country):
    people, said = invited(country), answered(country)
    fields = [people[name] for name in ("agency_id", "grade", "age_band", "sex")]
    leftover = said - said.groupby(fields).transform("mean")
    by_profile = leftover.groupby(people["profile"])
    assert (by_profile.mean().abs() < SURE * 0.5 / np.sqrt(by_profile.size())).all()


def test_status_and_answers_agree(spec, country):
    responses, items = country.tables["responses"], country.tables["items"]
    forms = items[items["form"].isin(["both", "long"])]
    filled = responses[forms["item_id"]].notna()
    silent = responses["status"] == "no_response"
    assert not responses.loc[silent, items.query("form != 'optional'")["item_id"]].notna().any(axis=None)
    assert (responses.loc[silent, ["answer_language", "mode", "date"]] == "").all(axis=None)
    free = forms.loc[forms["filter_item"] == "", "item_id"]
    complete = filled.loc[responses["status"] == "complete", free]
    assert within(1 - complete.mean(axis=None), spec["item_missing_rate"], complete.size)
    assert not filled.loc[responses["status"] == "partial", forms["item_id"].iloc[-1]].any()
    partial = (responses["status"] == "partial").sum() / (~silent).sum()
    assert within(partial, spec["partial_rate"], (~silent).sum())


def test_every_answer_is_a_category_of_its_item_and_optional_items_are_not_asked(drawn):
    for country in drawn.values():
        for item in country.tables["items"].itertuples():
            if item.form == "optional":
                assert item.item_id not in country.tables["responses"]
                continue
            given = country.tables["responses"][item.item_id].dropna()
            assert given.between(item.lowest, item.lowest + item.n_categories - 1).all(), item.item_id
            assert given.nunique() >= 3, item.item_id


def test_design_weights_restore_each_agency(spec, country):
    totals = country.tables["responses"].groupby("stratum")["weight"].sum()
    staff = country.tables["register"]["agency_id"].value_counts()
    np.testing.assert_allclose(totals, staff.reindex(totals.index), rtol=1e-5)
    rate = country.tables["responses"]["stratum"].value_counts() / staff
    assert rate["digital_office"] > 2 * rate["levy"]  # small agencies are oversampled
    assert len(country.tables["responses"]) == spec["n_invited"]


def test_what_the_form_skips_is_empty(country):
    items, responses = country.tables["items"], country.tables["responses"]
    rules = items[items["filter_item"] != ""]
    assert len(rules) >= 2
    for rule in rules.itertuples():
        skipped = responses[rule.filter_item].astype(str).isin(rule.filter_codes.split("|"))
        assert skipped.sum() > 20 and responses.loc[skipped, rule.item_id].isna().all()
        assert responses.loc[~skipped & (responses["status"] == "complete"), rule.item_id].notna().mean() > 0.9


def test_items_with_a_key_are_answered_right_more_often_by_those_who_know(country):
    people, items = invited(country)[answered(country).to_numpy()], country.tables["items"].set_index("item_id")
    for name in asked(country, "knowledge", "judgement"):
        right = (people[name] == int(items.loc[name, "key"])).where(people[name].notna()).astype(float)
        high = people["level"] > people["level"].median()
        assert right[high].mean() > right[~high].mean() + 0.02 and right.mean() > 0.25, name
        wrong = people.loc[right == 0, name].value_counts(normalize=True)
        assert len(wrong) == 3 and wrong.between(0.25, 0.42).all()  # no wrong option is better than another


def test_importance_follows_the_role_and_a_barrier_the_device(country):
    people = invited(country)[answered(country).to_numpy()]
    buyers = people["role_id"] == "procurement_officer"
    assert people.loc[buyers, "IP08"].mean() > people.loc[~buyers, "IP08"].mean() + 0.5
    without = people["device_access"] == "no"
    assert people.loc[without, "BA03"].mean() > people.loc[~without, "BA03"].mean() + 1.5
    assert abs(people.loc[without, "BA01"].mean() - people.loc[~without, "BA01"].mean()) < 0.25


def test_climate_is_the_agency_s_and_fear_its_other_side(country):
    people = invited(country)[answered(country).to_numpy()]
    means = people.groupby("agency_id")[["CM01", "CM02", "CM05"]].mean().astype(float)
    effects = country.truth["areas"].query("group == 'climate'").set_index("agency_id")["effect"]
    assert means["CM01"].corr(effects) > 0.8 and means["CM05"].corr(effects) < -0.8


def test_those_who_work_with_generative_ai_use_it_more(country):
    people = invited(country)[answered(country).to_numpy()]
    ahead = people["profile"] == "ai_forward"
    assert people.loc[ahead, "UG01"].mean() > people.loc[~ahead, "UG01"].mean() + 1


def test_training_records_lie_in_the_two_years_before_the_survey(spec, country):
    records, register = country.tables["training_records"], country.tables["register"]
    assert within(len(records) / len(register), spec["training"]["rate"], len(register))
    starts, ends = pd.to_datetime(records["start"]), pd.to_datetime(records["end"])
    first = pd.Timestamp(spec["survey_dates"][0])
    assert (starts >= first - pd.Timedelta(days=731)).all() and (ends.dropna() < first).all()
    assert (ends.notna() == (records["completed"] == "yes")).all()
    assert (ends.dropna() > starts[ends.notna()]).all()
    courses = country.tables["courses"].set_index("course_id")["eligibility"]
    leads = records[records["course_id"].map(courses) == "role_level=lead"].merge(register)
    assert len(leads) > 20 and (leads["role_level"] == "lead").all()


def test_exit_dates_lie_in_the_year_after_the_survey(spec, country):
    leaves = pd.to_datetime(country.tables["register"]["exit_date"].replace("", None))
    end = pd.Timestamp(spec["survey_dates"][1])
    assert leaves.dropna().between(end + pd.Timedelta(days=1), end + pd.Timedelta(days=365)).all()
    rates = country.truth["exits"].set_index("role_id")["rate"]
    assert rates["it_specialist"] > 1.5 * rates["case_worker"]


def test_the_order_of_rows_of_the_framework_and_the_catalogue_does_not_matter(spec, tmp_path):
    small = {**small_spec(spec), "partial_rate": 0}  # who breaks off does so in the order of the form
    for key in ("framework", "common"):
        (tmp_path / key).mkdir()
        for path in Path(small[key]).glob("*.csv"):
            header, *rows = path.read_text(encoding="utf-8").splitlines()
            order = np.random.default_rng(4).permutation(len(rows))
            text = "\n".join([header, *(rows[i] for i in order)])
            (tmp_path / key / path.name).write_text(text, encoding="utf-8")
    first = make_country(small, 1)
    other = make_country({**small, **{key: str(tmp_path / key) for key in ("framework", "common")}}, 1)
    for name in ("register", "responses", "training_records"):
        columns = first.tables[name].columns
        pd.testing.assert_frame_equal(first.tables[name], other.tables[name][columns], obj=name)
    key = ["by", "group", "competency_id"]
    gaps = [country.truth["gaps"].sort_values(key, ignore_index=True) for country in (first, other)]
    pd.testing.assert_frame_equal(*gaps, atol=2e-6, rtol=0)


def test_a_large_federation_with_every_option_on_is_as_planted():
    spec = read_spec(ROOT / "belmora" / "spec.yaml")
    assert spec["register"] == "cells" and spec["area_effects"]["shape"] == "skewed"
    assert spec["response_on_skill"] and spec["dif"] and spec["self_report"]["bias"]
    country = make_country(small_spec(spec, n_staff=20_000, n_agencies=60), 1)
    moments = country.truth["moments"]
    off = (moments["generated"] - moments["planted"]).abs() / moments["se"]
    assert off.max() < SURE, moments[off >= SURE]
    for name, frame in country.tables.items():
        assert check(name, read(frame)).empty, name
    assert country.tables["register"]["headcount"].sum() == 20_000


def test_small_spec_keeps_all_that_a_country_needs(spec):
    before = copy.deepcopy(spec)
    country = make_country(small_spec(spec, n_staff=300, n_agencies=3), 5)
    assert len(country.tables["register"]) == len(country.tables["responses"]) == 300
    assert (country.tables["responses"]["weight"] == 1).all()
    assert country.tables["agencies"]["hub_id"].isin(country.tables["agencies"]["agency_id"]).all()
    assert country.truth["headcounts"]["headcount"].sum() == 300
    assert spec == before


def test_cells_of_a_register_hold_the_same_staff_as_persons(spec):
    small = small_spec(spec)
    persons, cells = make_country(small, 3), make_country({**small, "register": "cells"}, 3)
    counted = persons.tables["register"].groupby(CELL).size().rename("headcount").reset_index()
    found = cells.tables["register"].sort_values(CELL, ignore_index=True)
    pd.testing.assert_frame_equal(counted, found, check_dtype=False)
    assert "staff_id" not in cells.tables["responses"] and "training_records" not in cells.tables
    assert "respondents" not in cells.truth
    linked = persons.tables["responses"][["staff_id"]].merge(persons.tables["register"], on="staff_id")[CELL]
    pd.testing.assert_frame_equal(linked, cells.tables["responses"][CELL], check_dtype=False)
    for name in ("gaps", "profiles", "exits", "pilot"):
        pd.testing.assert_frame_equal(persons.truth[name], cells.truth[name])


def test_groups_of_the_framework_are_those_of_the_profiles(spec):
    schema = json.loads((Path(countries.__file__).parent / "spec.schema.json").read_text(encoding="utf-8"))
    assert tuple(schema["$defs"]["groups"]["required"]) == GROUPS
