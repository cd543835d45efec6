"""Files as an ordinary user has them: other codes, other names, fewer tables; the numbers stay the same."""

import pytest

from skillsgap.contracts import CONTRACTS, INPUTS
from skillsgap.errors import StudyError
from skillsgap.run.cli import main
from skillsgap.run.unit import Unit
from skillsgap.study.params import read_params

GAPS = ["group", "competency_id", "statistic", "estimate", "se"]


def opened(project):
    return Unit(read_params(project.params), agency=None, data=None, root=project.root)


def items_of(project):
    return opened(project).table("items")["item_id"].tolist()


def test_anchored_answers_coded_from_one_give_the_same_levels(project, tmp_path):
    items, before = items_of(project), opened(project.copy(tmp_path / "before"))

    def shift(table):
        answered = table[items] != ""
        moved = (table[items].where(answered, "0").astype(int) + 1).astype(str)
        return table.assign(**moved.where(answered, ""))

    project.rewrite("responses", shift)
    project.rewrite("items", lambda table: table.assign(lowest="1"))
    after = opened(project)
    assert after.table("gaps")[GAPS].equals(before.table("gaps")[GAPS])
    assert after.table("scores").min(axis=None) >= 0 and after.table("scores").max(axis=None) <= 4


def test_an_anchored_item_has_one_category_a_level(project):
    project.rewrite("items", lambda table: table.assign(n_categories="4"))
    with pytest.raises(StudyError, match="is anchored and has 4 categories, not 5: declare another type"):
        opened(project).table("items")


def test_missing_codes_hold_under_the_files_own_name_of_a_column(project):
    project.rewrite("register", lambda table: table.rename(columns={"education": "EDU"}))
    project.edit(lambda values: values["data"]["register"].update(
        columns={"education": "EDU"}, missing_codes={"EDU": ["master"]}, recode={"EDU": {"bachelor": "first degree"}},
        codes={"EDU": ["first degree", "secondary", "doctorate", "vocational"]},
    ))
    known = set(opened(project).table("responses")["education"].dropna())
    assert "first degree" in known and not known & {"master", "bachelor"}


def test_a_unit_without_splits_has_gaps_and_no_groups(project):
    project.edit(lambda values: values.update(gaps={"by": []}))
    unit = opened(project)
    assert set(unit.table("gaps")["by"]) == {"all"} and unit.table("needs") is None
    assert unit.table("priorities") is not None and unit.table("plan_summary") is not None


def test_a_requirement_of_nothing_leaves_people_out(project):
    unit = opened(project)
    whole = unit.table("gaps").query("by == 'all' and competency_id == 'cloud' and statistic == 'level'")["n"].item()
    roles = unit.table("responses").loc[unit.table("scores")["cloud"].notna(), "role_id"]
    nobody = roles.value_counts().index[0]

    def forgo(table):
        here = (table["role_id"] == nobody) & (table["competency_id"] == "cloud")
        return table.assign(required_level=table["required_level"].mask(here, "0"))

    project.rewrite("requirements", forgo)
    after = opened(project).table("gaps").query("by == 'all' and competency_id == 'cloud' and statistic == 'level'")
    assert after["n"].item() == whole - (roles == nobody).sum()


def test_courses_for_everybody_need_no_eligibility(project):
    project.rewrite("courses", lambda table: table.assign(eligibility="", seats_max=""))
    with_column = opened(project).table("plan_courses")
    project.rewrite("courses", lambda table: table.drop(columns=["eligibility", "seats_max"]))
    assert opened(project).table("plan_courses").equals(with_column)


def test_a_file_with_other_separators_says_so(project):
    path = project.table("agencies")
    path.write_text(path.read_text().replace(",", ";"))
    with pytest.raises(StudyError, match="agencies.csv line 1: its values are not separated by commas"):
        opened(project).table("responses")


def test_every_column_a_unit_may_bring_is_listed(capsys):
    assert main(["columns"]) == 0
    tables = capsys.readouterr().out.split(": a row is one ")
    assert len(tables) == len(INPUTS) + 1
    for table, told in zip(INPUTS, tables[1:], strict=True):
        assert all(f"  {column} " in told for column in CONTRACTS[table].columns)
    assert "  required_level     number 0..4 levels" in tables[3] and "optional text one of yes, no" in tables[2]
