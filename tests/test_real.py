"""Real files through params files alone: what verification/real_files.py runs in full, read and judged here."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
import yaml

from skillsgap.errors import StudyError
from skillsgap.run.unit import open_unit
from skillsgap.study.loaded import Loaded
from skillsgap.study.notation import typed
from skillsgap.study.params import read_params

REPO = Path(__file__).parents[1]
PLACE = REPO / "verification" / "real_files.py"
SPEC = importlib.util.spec_from_file_location(PLACE.stem, PLACE)
real = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(real)

FOLDER = real.data_folder()
with_files = pytest.mark.skipif(
    FOLDER is None, reason="the real files are neither in SKILLSGAP_DATA nor in ../shared/data")  # fmt: skip
AS_READ = ["rows", "kept", "read", "quality"]
# what a file would have to be, and why it can't be: the two reasons that a loader can say
REFUSED = {
    "crosswalk with several targets and no weights": (
        {"crosswalks": {"skills": {"file": "requirements/piaac2esco.csv", "columns": {
            "from": "PIAAC_QuestionId", "to": "ESCO_skill_conceptUri"}}},
         "competencies": {"rows": [{"competency_id": "c", "label_en": "C", "kind": "technical", "group": "data"}]}},
        "the weights of 'F_Q02b' sum to"),
    "occupations that meet in one code": (
        {"crosswalks": {"isco": {"file": "../one_target.csv"}},
         "exposure": {"file": "exposure/eloundou_occ_level.csv", "crosswalk": {"isco08": "isco"},
                      "columns": {"isco08": "O*NET-SOC Code", "score": "human_rating_beta"},
                      "constants": {"index_id": "beta", "vintage": "2023"}}},
        "stands in lines"),
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return real.project(tmp_path_factory.mktemp("real"))


@pytest.mark.parametrize("name", real.names())
def test_params_of_a_real_file_keep_the_schema(name, root):
    assert read_params(root / "params" / f"{name}.yaml").unit == name


def test_the_table_says_of_every_file_what_stops_it():
    table = real.committed()
    assert set(table["unit"]) - {""} == set(real.names()) and not table.duplicated(real.KEYS).any()
    assert (table["why"] != "").all() and (table["read"] == "yes").eq(table["unit"] != "").all()


@with_files
def test_the_table_names_every_file():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.suffix != ".md"}
    assert files == set(real.committed()["file"])


@with_files
@pytest.mark.parametrize("name", real.names())
def test_a_real_file_is_read_as_the_table_says(name, root):
    unit = open_unit(name, data=FOLDER, root=root)
    reached = dict.fromkeys(real.STAGES, "") | {"read": "yes"}
    rows = {tuple(row[:3]): dict(zip([*AS_READ[:2], *real.STAGES], row[3:], strict=True))
            for row in real.rows_of(unit, reached)}  # fmt: skip
    table = real.committed().query("unit == @name").set_index(real.KEYS)
    assert {key: [row[column] for column in AS_READ] for key, row in rows.items()} == {
        key: list(values) for key, values in zip(table.index, table[AS_READ].to_numpy().tolist(), strict=True)}


@with_files
@pytest.mark.parametrize("name", ["us-fedscope", "us-montgomery", "gsps-chl", "uk-cars", "uk-gdad", "piaac-nzl"])
def test_numbers_of_a_real_file_are_those_that_other_means_give(name, root):
    assert real.compare([open_unit(name, data=FOLDER, root=root)], quick=True) == []


@with_files
def test_a_number_that_moves_is_told(root):
    unit = open_unit("uk-cars", data=FOLDER, root=root)
    means = unit.table("means").copy()
    means.loc[0, "estimate"] += 1e-6
    unit._tables["means"] = means
    assert len(real.compare([unit], quick=True)) == 1
    table = real.committed()
    moved = table.assign(kept=table["kept"].mask(table["unit"] == "uk-cars", "1"))
    assert len(real.unlike(table.drop(columns="why"), moved.drop(columns="why"))) == 1


@with_files
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_says_why(kind, tmp_path):
    data, message = REFUSED[kind]
    folder = real.project(tmp_path) / "params"
    (tmp_path / "one_target.csv").write_text("from,to\n11-1011.00,1111\n11-1011.03,1111\n")
    values = {"unit": "refused", "title": {"en": "Refused"}, "fictional": False, "report_languages": ["en"],
              "study": {"population": {"en": "nobody"}, "years": "2024"}, "data": data}  # fmt: skip
    (folder / "refused.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(StudyError, match=message):
        open_unit("refused", data=FOLDER, root=tmp_path).table("sources")


def test_per_cent_is_read_with_and_without_its_sign():
    written = pd.DataFrame({"estimate": ["12.5", "12.5%", "12.5 %"], "n": ["40", "40", "40"]})
    loaded = Loaded("aggregates", "file.csv", {"numbers": {"percent": ["estimate"]}}, written)
    assert typed(loaded, "estimate", "number").tolist() == [0.125] * 3 and not loaded.faults
    assert typed(loaded, "n", "integer").tolist() == [40] * 3
