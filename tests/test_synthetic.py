"""The fictional country: same bytes again, moments as planted, and a bad spec stopped in one line."""

import copy
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import CONTRACTS, GROUPS, check
from skillsgap.errors import SkillsgapError
from skillsgap.study import synthetic
from skillsgap.study.spec import read_spec, small_spec
from skillsgap.study.synthetic import make_country, write_country

ROOT = Path(__file__).parents[1] / "data" / "synthetic"
ARVENIA = ROOT / "arvenia"
MAX_BYTES = 1_000_000  # of a file that is committed


@pytest.fixture(scope="module")
def spec():
    return read_spec(ARVENIA / "spec.yaml")


@pytest.fixture(scope="module")
def country(spec):
    return make_country(spec, spec["random_state"])


def answered(country):
    return country.tables["responses"]["status"] != "no_response"


def invited(country):
    """Responses with the register's columns and the true profile beside them."""
    responses, register = country.tables["responses"], country.tables["register"]
    return responses.merge(register, on="staff_id").merge(country.truth["respondents"], on="staff_id")


def within(share, plan, n, deviations=4.5):
    """Whether a drawn share is as near its plan as chance allows."""
    return abs(share - plan) < deviations * np.sqrt(plan * (1 - plan) / n)


def test_regenerates_the_committed_files_byte_for_byte(country, tmp_path):
    written = write_country(country, tmp_path)
    for path in written:
        committed = (ARVENIA / path.relative_to(tmp_path)).read_bytes()
        drawn = path.read_bytes()
        if path.suffix == ".gz":  # zlib versions compress differently, the content is what must hold
            committed, drawn = gzip.decompress(committed), gzip.decompress(drawn)
        assert committed == drawn, f"{path.name} differs: draw it again and commit it"
        assert b"\r" not in drawn
        assert path.stat().st_size < MAX_BYTES
    there = {path.relative_to(ARVENIA) for path in ARVENIA.rglob("*.csv*")}
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
    for name in ("register", "responses"):
        assert not first.tables[name].equals(other.tables[name])


def test_a_smaller_sample_leaves_the_staff_as_they_are(spec):
    small = small_spec(spec)
    everybody, some = make_country(small, 1), make_country({**small, "n_invited": 100}, 1)
    pd.testing.assert_frame_equal(everybody.tables["register"], some.tables["register"])
    pd.testing.assert_frame_equal(everybody.truth["gaps"], some.truth["gaps"])
    assert len(some.tables["responses"]) == 100


def test_small_country_invites_everybody(spec):
    country = make_country(small_spec(spec, n_staff=300, n_agencies=3), 5)
    assert len(country.tables["register"]) == len(country.tables["responses"]) == 300
    assert (country.tables["responses"]["weight"] == 1).all()
    assert country.tables["agencies"]["hub_id"].isin(country.tables["agencies"]["agency_id"]).all()
    assert country.truth["headcounts"]["headcount"].sum() == 300


def test_small_spec_leaves_the_spec_as_it_was(spec):
    before = copy.deepcopy(spec)
    make_country(small_spec(spec), 1)
    assert spec == before


def test_every_table_keeps_its_contract(country):
    for name, frame in country.tables.items():
        failures = check(name, frame)
        assert failures.empty, f"{name}: {failures}"
        key = list(CONTRACTS[name].key)
        assert not frame.duplicated(key).any(), name


def test_truth_is_kept_beside_and_not_in_the_tables(country):
    for name in ("register", "responses"):
        assert "profile" not in country.tables[name]


def test_every_table_of_the_framework_says_it_is_fictional(spec, country):
    assert spec["fictional"] is True
    assert (country.tables["requirements"]["source"] == "fictional").all()
    assert country.tables["courses"]["provider"].str.contains("fictional").all()
    assert (country.tables["courses"]["currency"] == "XXX").all()


def test_framework_covers_ten_groups_with_items_enough_for_a_scale(country):
    competencies, items = country.tables["competencies"], country.tables["items"]
    assert set(competencies["group"]) == set(GROUPS)
    assert len(items) == 60 and items.groupby("competency_id").size().reindex(competencies["competency_id"]).ge(2).all()
    group = items["competency_id"].map(competencies.set_index("competency_id")["group"])
    assert group.value_counts().min() >= 4  # the smallest scale whose reliability is printed
    assert (items["n_categories"] == 5).all() and (items["type"] == "anchored").all()


def test_framework_is_complete(country):
    tables = country.tables
    roles = tables["requirements"][["role_id", "role_level"]].drop_duplicates()
    assert len(tables["requirements"]) == len(roles) * len(tables["competencies"])
    assert (tables["requirements"]["required_level"] * 2 % 1 == 0).all()
    used = tables["register"][["role_id", "role_level"]].drop_duplicates()
    assert len(used.merge(roles)) == len(used)
    assert set(tables["course_effects"]["course_id"]) == set(tables["courses"]["course_id"])
    assert set(tables["course_effects"]["competency_id"]) <= set(tables["competencies"]["competency_id"])
    for frame in ("competencies", "items", "requirements", "courses", "course_effects"):
        assert b"\r" not in (ROOT / "framework" / f"{frame}.csv").read_bytes()


def test_uzbek_uses_its_own_letters(country):
    for name in ("competencies", "items", "courses", "agencies"):
        frame = country.tables[name]
        for column in (c for c in frame if c.endswith("_uz")):
            assert not frame[column].str.contains("['`‘’]").any(), (name, column)
            # U+02BB belongs to o and g only; U+02BC elsewhere
            assert not frame[column].str.contains("[^OoGg]ʻ|[OoGg]ʼ").any(), (name, column)
    assert country.tables["competencies"]["label_en"].str.len().max() <= 28
    assert country.tables["competencies"]["label_uz"].str.len().max() <= 34


def test_profile_shares_are_as_planted(spec, country):
    drawn = country.truth["profiles"].set_index("profile")["share"]
    for name, profile in spec["profiles"].items():
        assert within(drawn[name], profile["share"], spec["n_staff"])


def test_profile_levels_are_as_planted(spec, country):
    competencies = country.tables["competencies"].set_index("competency_id")
    drawn = country.truth["profiles"].set_index("profile")[competencies.index]
    by_group = pd.DataFrame({name: profile["levels"] for name, profile in spec["profiles"].items()})
    planted = by_group.loc[competencies["group"]].set_axis(competencies.index).T
    planted = planted + pd.Series(spec["competency_offset"]).reindex(planted.columns).fillna(0.0)
    free = ~competencies["group"].isin(["digital", "data", "procurement", "leadership"])  # no role effects
    inside = (planted > 1) & (planted < 3) & free  # nothing is cut off at 0 or 4
    assert inside.to_numpy().sum() > 40
    error = spec["level_sd"] / np.sqrt(spec["n_staff"] * 0.1)
    assert (drawn - planted).where(inside).abs().max().max() < 0.005 + 5 * error


def test_answers_are_independent_within_a_profile(country):
    people = invited(country)[answered(country).to_numpy()]
    first = country.tables["items"].drop_duplicates("competency_id")["item_id"].tolist()
    everyday = people.loc[people["profile"] == "everyday_users", first].astype(float)
    between = everyday.corr().to_numpy()[np.triu_indices(len(first), 1)]
    assert abs(between.mean()) < 0.02
    overall = people[first].astype(float).corr().to_numpy()[np.triu_indices(len(first), 1)]
    assert overall.mean() > 5 * 0.02  # it is the profiles that make answers go together


def test_answers_recover_the_true_levels(country):
    """Weighted by design and response chance known to be about equal within agency and grade."""
    people = invited(country)
    items = country.tables["items"]
    chance = answered(country).groupby([people["agency_id"], people["grade"]]).transform("mean")
    weight = people["weight"] / chance.to_numpy()
    truth = country.truth["gaps"].query("by == 'all'").set_index("competency_id")["level"]
    for competency, names in items.groupby("competency_id")["item_id"]:
        level = people[names.tolist()].astype(float).mean(axis=1)
        seen = level.notna()
        estimate = np.average(level[seen], weights=weight[seen])
        # 0.07: four standard errors plus the lift where answers are cut off at 0
        assert abs(estimate - truth[competency]) < 0.07, competency


def test_response_rate_and_its_causes_are_as_planted(spec, country):
    people, said = invited(country), answered(country)
    assert within(said.mean(), spec["response_rate"], len(said))
    age = people["age_band"].map({name: i for i, name in enumerate(synthetic.AGE_BANDS)})
    assert 0.10 < np.corrcoef(age, said)[0, 1] < 0.25
    by_agency = said.groupby(people["agency_id"]).mean()
    assert by_agency["westmoor_office"] < by_agency["levy"] < by_agency["digital_office"]


def test_who_answers_does_not_depend_on_the_profile_given_what_is_observed(country):
    people, said = invited(country), answered(country)
    fields = [people[name] for name in ("agency_id", "grade", "age_band", "sex")]
    leftover = said - said.groupby(fields).transform("mean")
    by_profile = leftover.groupby(people["profile"])
    assert (by_profile.mean().abs() < 4.5 * 0.5 / np.sqrt(by_profile.size())).all()


def test_status_and_answers_agree(spec, country):
    responses, items = country.tables["responses"], country.tables["items"]["item_id"].tolist()
    filled = responses[items].notna()
    silent = responses["status"] == "no_response"
    assert not filled[silent].any(axis=None)
    assert (responses.loc[silent, ["answer_language", "mode", "date"]] == "").all(axis=None)
    complete = filled[responses["status"] == "complete"]
    assert within(1 - complete.mean(axis=None), spec["item_missing_rate"], complete.size)
    assert not filled.loc[responses["status"] == "partial", items[-1]].any()
    partial = (responses["status"] == "partial").sum() / (~silent).sum()
    assert within(partial, spec["partial_rate"], (~silent).sum())
    assert responses[items].max().max() == 4 and responses[items].min().min() == 0


def test_design_weights_restore_each_agency(spec, country):
    totals = country.tables["responses"].groupby("stratum")["weight"].sum()
    staff = country.tables["register"]["agency_id"].value_counts()
    np.testing.assert_allclose(totals, staff.reindex(totals.index), rtol=1e-5)
    rate = country.tables["responses"]["stratum"].value_counts() / staff
    assert rate["digital_office"] > 2 * rate["levy"]  # small agencies are oversampled
    assert len(country.tables["responses"]) == spec["n_invited"]


def test_gaps_of_agencies_add_up_to_the_whole(country):
    gaps = country.truth["gaps"]
    staff = country.tables["register"]["agency_id"].value_counts()
    parts = gaps[gaps["by"] == "agency_id"].set_index(["group", "competency_id"])
    weight = parts.index.get_level_values("group").map(staff / staff.sum())
    columns = ["level", "required", "shortfall", "share_below"]
    summed = parts[columns].mul(weight, axis=0).groupby("competency_id").sum()
    whole = gaps[gaps["by"] == "all"].set_index("competency_id")[columns]
    pd.testing.assert_frame_equal(summed, whole.sort_index(), atol=2e-6, rtol=0)
    assert (whole["shortfall"] >= whole["required"] - whole["level"] - 1e-9).all()


def test_shortfall_and_share_below_of_two_people():
    register = pd.DataFrame({"role_id": "clerk", "role_level": ["staff", "lead"]})
    requirements = register.assign(competency_id="x", required_level=[2.0, 3.0])
    levels = pd.DataFrame({"x": [1.6, 1.0]})
    row = synthetic._gaps(requirements, register, levels, "all").iloc[0]
    # 0.4 short and not below 2 - 0.5; 2.0 short and below 3 - 0.5
    assert row[["level", "required", "shortfall", "share_below"]].tolist() == [1.3, 2.5, 1.2, 0.5]


def test_oversight_of_generative_ai_and_agents_is_the_widest_gap(country):
    whole = country.truth["gaps"].query("by == 'all'").sort_values("shortfall", ascending=False)
    assert whole["competency_id"].tolist()[:2] == ["genai_oversee", "agentic_safeguards"]


def changed(spec, path, value):
    """A copy of the spec with one entry changed; steps of the path are keys or list positions."""
    spec = copy.deepcopy(spec)
    *steps, last = path
    target = spec
    for step in steps:
        target = target[step]
    target[last] = value
    return spec


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["profiles", "data_strong", "share"], 0.25, ["profiles", "1.1", "add up to 1"]),
        (["roles", "inspector", "share"], -0.1, ["roles.inspector.share", "-0.1", "give a share"]),
        (["agencies", 0, "staff"], -5, ["agencies.levy.staff", "-5", "at least 1"]),
        (["n_invited"], -1, ["n_invited", "-1", "at least 1"]),
        (["n_staff"], 19000, ["n_staff", "19000", "20000", "make them agree"]),
        (["response_rate"], 1.2, ["response_rate", "1.2", "up to 1"]),
        (["fictional"], False, ["fictional", "False", "set it to true"]),
        (["n_stuff"], 3, ["n_stuff", "correct its name"]),
        (["profile_effects", "grade", "G9"], {}, ["profile_effects.grade", "G9", "use G1"]),
        (["agencies", 1, "roles"], {"baker": 2}, ["agencies.hearth.roles", "baker", "use case_worker"]),
        (["framework"], "nowhere", ["framework", "nowhere", "name the folder"]),
    ],
)
def test_a_bad_spec_is_stopped_in_one_line(spec, path, value, words):
    with pytest.raises(SkillsgapError) as caught:
        make_country(changed(spec, path, value), 0)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_all_faults_of_a_spec_are_named_together(spec):
    bad = changed(changed(spec, ["n_invited"], 0), ["response_rate"], -1)
    with pytest.raises(SkillsgapError, match="n_invited is 0.*response_rate is -1"):
        make_country(bad, 0)


def test_a_spec_that_is_not_yaml_is_named(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(SkillsgapError, match="spec.yaml can't be read as YAML"):
        read_spec(path)


def test_small_spec_refuses_more_agencies_than_there_are(spec):
    with pytest.raises(SkillsgapError, match="n_agencies 13"):
        small_spec(spec, n_agencies=13)
