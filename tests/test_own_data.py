"""Files as an ordinary user has them: other codes, other names, fewer tables; the numbers stay the same."""

import pandas as pd
import pytest

from skillsgap.contracts import CONTRACTS, INPUTS
from skillsgap.errors import ParamsError, StudyError
from skillsgap.run.cli import main
from skillsgap.run.release import Published
from skillsgap.run.unit import Unit
from skillsgap.study.params import read_params

GAPS = ["group", "competency_id", "statistic", "estimate", "se"]


def opened(project):
    return Unit(read_params(project.params), agency=None, data=None, root=project.root)


def items_of(project, kind=None):
    items = opened(project).table("items")
    return items.loc[items["type"] == kind if kind else slice(None), "item_id"].tolist()


def test_anchored_answers_coded_from_one_give_the_same_levels(project, tmp_path):
    project.edit(lambda values: values.pop("questionnaire"))  # its descriptors count from 0
    items, before = items_of(project, "anchored"), opened(project.copy(tmp_path / "before"))

    def shift(table):
        answered = table[items] != ""
        moved = (table[items].where(answered, "0").astype(int) + 1).astype(str)
        return table.assign(**moved.where(answered, ""))

    project.rewrite("responses", shift)
    project.rewrite("items", lambda table: table.assign(lowest=table["lowest"].mask(table["type"] == "anchored", "1")))
    after = opened(project)
    assert after.table("gaps")[GAPS].equals(before.table("gaps")[GAPS])
    assert after.table("scores").min(axis=None) >= 0 and after.table("scores").max(axis=None) <= 4


def test_an_anchored_item_has_one_category_a_level(project):
    project.rewrite("items", lambda table: table.assign(n_categories="4"))
    with pytest.raises(StudyError, match="is anchored and has 4 categories, not 5: declare another type"):
        opened(project).table("items")


def test_a_response_rate_is_printed_only_where_it_is_known_how_many_were_asked(project):
    def subtitle(invited):
        project.edit(lambda values: values["data"]["responses"].update(invited=invited))
        unit = opened(project)
        return Published(unit).report("en")._sub(), int(unit.population.sum()), unit.facts.get("invited")

    told, answered, invited = subtitle(1000)
    assert f"{answered} answered ({answered / 1000:.0%})" in told and invited == 1000
    told, answered, invited = subtitle("unknown")
    assert f"{answered} answered, {answered / 300:.0%} of staff" in told and invited is None
    with pytest.raises(StudyError, match="answered, and data.responses.invited says that 5 were asked"):
        subtitle(5)


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
    unit, level = opened(project), "by == 'all' and competency_id == 'data_read' and statistic == 'level'"
    whole = unit.table("gaps").query(level)["n"].item()
    roles = unit.table("responses").loc[unit.table("scores")["data_read"].notna(), "role_id"]
    nobody = roles.value_counts().index[0]
    assert whole == len(roles)  # every role needs it

    def forgo(table):
        here = (table["role_id"] == nobody) & (table["competency_id"] == "data_read")
        return table.assign(required_level=table["required_level"].mask(here, "0"))

    project.rewrite("requirements", forgo)
    assert opened(project).table("gaps").query(level)["n"].item() == whole - (roles == nobody).sum()


def test_courses_for_everybody_need_no_eligibility(project):
    project.rewrite("courses", lambda table: table.assign(eligibility="", seats_max=""))
    with_column = opened(project).table("plan_courses")
    project.rewrite("courses", lambda table: table.drop(columns=["eligibility", "seats_max"]))
    assert opened(project).table("plan_courses").equals(with_column)


def test_a_file_with_other_separators_is_read_and_that_is_said(project, tmp_path):
    before = opened(project.copy(tmp_path / "before"))
    path = project.table("agencies")
    path.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    after = opened(project)
    assert after.table("labels").equals(before.table("labels"))
    assert after.table("notes")["file"].tolist() == ["agencies.csv"] and before.table("notes").empty


def test_a_register_of_cells_gives_what_its_persons_give(project, tmp_path):
    before = opened(project.copy(tmp_path / "before"))
    cell = ["agency_id", "role_id", "role_level", "grade", "sex", "region", "age_band"]
    register = pd.read_csv(project.table("register"), dtype=str, keep_default_na=False)
    known = register.set_index("staff_id")[cell]
    project.rewrite("responses", lambda table: table.join(known, on="staff_id").drop(columns="staff_id"))
    cells = register.groupby(cell).size().rename("headcount").reset_index()
    cells.to_csv(project.table("register"), index=False)
    project.edit(lambda values: values["data"]["responses"].update(link=cell))
    project.edit(lambda values: values["data"]["register"].update(n_rows=len(cells)))
    after = opened(project)
    assert after.table("register").equals(before.table("register"))
    # other keys, so other draws; what is drawn from nothing is the same
    raw = "statistic == 'shortfall_raw'"
    left, right = (unit.table("gaps").query(raw)[["group", "competency_id", "estimate"]] for unit in (after, before))
    pd.testing.assert_frame_equal(left.reset_index(drop=True), right.reset_index(drop=True), rtol=1e-9)


def test_an_empty_place_of_a_linked_respondent_is_told_as_empty(project):
    cell = ["agency_id", "grade"]
    register = pd.read_csv(project.table("register"), dtype=str).set_index("staff_id")[cell]
    project.rewrite("responses", lambda table: table.join(register, on="staff_id").drop(columns="staff_id"))
    project.rewrite("responses", lambda t: t.assign(grade=t["grade"].where(t["status"] == "partial", "")))
    register.groupby(cell).size().rename("headcount").reset_index().to_csv(project.table("register"), index=False)
    project.edit(lambda values: values["data"]["responses"].update(link=cell))
    with pytest.raises(StudyError) as caught:
        opened(project).table("responses")
    told = [str(fault) for fault in caught.value.problems if "data.responses.link goes by it" in str(fault)]
    assert len(told) == 1 and "column grade" in told[0] and "nan" not in str(caught.value)


def test_answers_one_a_row_give_what_a_wide_file_gives(project, tmp_path):
    before = opened(project.copy(tmp_path / "before"))
    items = items_of(project)

    def lengthen(table):
        rest = [column for column in table if column not in items]
        return table.melt(rest, items, "question", "given").query("given != ''").sort_values(["question", "staff_id"])

    answered = pd.read_csv(project.table("responses"), dtype=str, keep_default_na=False)[items].ne("").any(axis=1)
    project.rewrite("responses", lambda table: lengthen(table[answered.to_numpy()]))
    project.edit(lambda values: values["data"]["responses"].update(long={"item": "question", "answer": "given"}))
    project.edit(lambda values: values["data"]["responses"].pop("n_rows", None))
    after = opened(project)
    columns = list(before.table("responses"))
    people = before.table("responses")[before.table("responses")[items].notna().any(axis=1)]
    left, right = (table.sort_values(columns).reset_index(drop=True)
                   for table in (after.table("responses")[columns], people))  # fmt: skip
    pd.testing.assert_frame_equal(left, right, check_dtype=False)


def test_an_item_that_no_row_answers_is_told_before_a_skip_asks_for_it(project):
    rows = ["A000001,DL01,2", "A000001,IT02,3"]
    project.table("responses").write_text("\n".join(["staff_id,question,given", *rows]) + "\n", encoding="utf-8")
    project.edit(lambda values: values["data"].update(responses={
        "file": values["data"]["responses"]["file"], "long": {"item": "question", "answer": "given"},
        "skip": {"IT02": {"when": {"IT01": {"in": [0]}}}, "JU01": {"when": {"UG01": {"in": [0]}}}}}))  # fmt: skip
    with pytest.raises(StudyError) as caught:
        opened(project).table("responses")
    told = [problem.column for problem in caught.value.problems]
    assert len(told) == len(set(told)) == 74 and {"IT01", "JU01", "UG01"} <= set(told)


def test_what_is_skipped_is_counted_of_those_who_answered(project):
    columns = opened(project).table("columns").set_index(["table", "column"]).loc["responses"]
    assert columns.loc["TE01", "skipped"] > 0 and (columns["filled"] + columns["skipped"] <= columns["rows"]).all()


def test_one_wave_of_several_is_reported(project, tmp_path):
    before = opened(project.copy(tmp_path / "before"))
    project.rewrite("responses", lambda table: pd.concat([table.assign(wave="2025"), table.assign(wave="2026")]))
    with pytest.raises(StudyError, match="the waves are 2025, 2026, and params name none"):
        opened(project).table("responses")
    project.edit(lambda values: values["data"]["responses"].update(wave=2026))
    after = opened(project).table("responses").drop(columns="wave")
    pd.testing.assert_frame_equal(after, before.table("responses"))


def test_codes_go_through_a_crosswalk_and_its_loss_is_told(project):
    roles = sorted(pd.read_csv(project.table("register"), dtype=str)["role_id"].unique())
    project.rewrite("register", lambda table: table.assign(role_id="old " + table["role_id"]))
    rows = [{"from": f"old {role}", "to": role, "loss": "0.1"} for role in roles[1:]]
    project.edit(lambda values: (
        values["data"].update(crosswalks={"roles": {"rows": rows}}),
        values["data"]["register"].update(crosswalk={"role_id": "roles"}),
    ))  # fmt: skip
    unit = opened(project)
    told, staff = unit.table("mapped").iloc[0], unit.table("register").groupby("role_id")["headcount"].sum()
    assert set(staff.index) == {*roles[1:], "unmapped"}
    assert told["unmapped"] == pytest.approx(staff["unmapped"] / staff.sum()) and told["loss"] == pytest.approx(0.1)


def test_numbers_and_dates_mean_only_what_params_say(project, tmp_path):
    before = opened(project.copy(tmp_path / "before"))
    project.rewrite("courses", lambda table: table.assign(
        cost_per_seat="$" + table["cost_per_seat"].str.replace(".", ",", regex=False)))  # fmt: skip
    project.rewrite("responses", lambda table: table.assign(date=pd.to_datetime(table["date"]).dt.strftime("%d/%m/%Y")
                                                            .fillna("")))  # fmt: skip
    with pytest.raises(StudyError) as caught:
        opened(project).table("courses")
    assert "is not a number" in str(caught.value) and "data.courses.numbers" in str(caught.value)
    assert "is not a date" in str(caught.value) and "data.responses.dates" in str(caught.value)
    project.edit(lambda values: (
        values["data"]["courses"].update(numbers={"decimal": ",", "currency": "$"}),
        values["data"]["responses"].update(dates="dmy"),
    ))  # fmt: skip
    after = opened(project)
    assert after.table("courses").equals(before.table("courses"))
    assert after.table("sources").equals(before.table("sources"))


def test_missing_codes_are_counted_by_kind(project):
    item = items_of(project)[0]
    project.rewrite("responses", lambda table: table.assign(**{item: table[item].replace({"0": "97", "1": "98"})}))
    project.edit(lambda values: values["data"]["responses"].update(
        missing_codes={"*": {"dont_know": [97], "refused": ["98"]}}))  # fmt: skip
    row = opened(project).table("columns").set_index(["table", "column"]).loc[("responses", item)]
    assert row["dont_know"] > 0 and row["refused"] > 0 and row["not_stated"] == 0
    assert row["filled"] < row["rows"]


def test_every_column_a_unit_may_bring_is_listed(capsys):
    assert main(["columns"]) == 0
    tables = capsys.readouterr().out.split(": a row is one ")
    assert len(tables) == len(INPUTS) + 1
    for table, told in zip(INPUTS, tables[1:], strict=True):
        assert all(f"  {column} " in told for column in CONTRACTS[table].columns)
    told = dict(zip(INPUTS, tables[1:], strict=True))
    assert "  required_level     number 0..4 levels" in told["requirements"]
    assert "optional text one of yes, no" in told["items"]


def test_a_survey_that_few_answered_releases_nothing_that_rests_on_them(project):
    items = items_of(project)

    def silence(table):
        few = (table["status"] != "no_response").cumsum() <= 8
        table[items] = table[items].where(few, "")
        return table.assign(status=table["status"].where(few, "no_response"))

    project.rewrite("responses", silence)
    project.edit(lambda values: values["design"].update(calibrate=[]))
    released = Published(opened(project)).release.tables
    assert not {"priorities", "plan_summary", "plan_courses", "plan_agencies", "frontier"} & set(released)
    for name, table in released.items():
        assert name in ("competencies", "quality") or table["withheld"].all(), name


def test_numbers_of_a_spreadsheet_are_not_read_as_text_in_another_notation(project):
    before = opened(project).table("courses")
    table = pd.read_csv(project.table("courses"))
    table["cost_per_seat"] = table["cost_per_seat"] + 0.125
    table.to_excel(project.params.with_name("courses.xlsx"), index=False)
    project.edit(lambda values: values["data"]["courses"].update(file="courses.xlsx", numbers={"decimal": ","}))
    assert opened(project).table("courses")["cost_per_seat"].tolist() == (before["cost_per_seat"] + 0.125).tolist()
    project.edit(lambda values: values["data"]["courses"]["numbers"].update(thousands="."))
    with pytest.raises(StudyError, match=r"column cost_per_seat: '\d+\.125' is not a number"):
        opened(project).table("courses")


def test_a_row_of_totals_is_not_counted_as_staff(project):
    def total(table):
        return pd.concat([table, table.tail(1).assign(staff_id="T1", role_id="Jami")])

    project.rewrite("register", total)
    project.edit(lambda values: values["data"]["register"].update(n_rows=301))
    with pytest.raises(StudyError, match="line 302, column role_id: 'Jami' looks like a row that sums others"):
        opened(project).table("register")


def test_a_person_who_lost_leading_zeros_is_not_two_people(project):
    project.rewrite("register", lambda table: pd.concat([
        table.assign(staff_id=table["staff_id"].str.replace("A", "0")),
        table.tail(1).assign(staff_id="300")]))  # fmt: skip
    project.rewrite("responses", lambda table: table.assign(staff_id=table["staff_id"].str.replace("A", "0")))
    project.edit(lambda values: values["data"]["register"].update(n_rows=301))
    with pytest.raises(StudyError, match="line 302, column staff_id: '300' stands in lines 301, 302"):
        opened(project).table("register")


def test_places_that_survey_and_register_tell_differently_are_noted_or_refused(project):
    known = pd.read_csv(project.table("register"), dtype=str).set_index("staff_id")["agency_id"]
    project.rewrite("responses", lambda table: table.assign(agency_id=table["staff_id"].map(known)))
    assert opened(project).table("notes").empty

    def move(share):
        def change(table):
            moved = table.index < table.index[0] + share * len(table)
            one, two = sorted(set(known))[:2]
            other = table["agency_id"].map({one: two, two: one})
            return table.assign(agency_id=table["agency_id"].mask(moved & other.notna(), other))

        project.rewrite("responses", change)

    move(0.05)
    notes = opened(project).table("notes")
    assert notes["column"].tolist() == ["agency_id"] and "differs from {there}" in notes["text"].iloc[0]
    move(1.0)
    with pytest.raises(StudyError, match="column agency_id: agency_id differs from register.csv.gz"):
        opened(project).table("responses")


def test_missing_codes_of_every_column_leave_places_and_weights_alone(project):
    project.edit(lambda values: values["data"]["register"].update(missing_codes={"*": ["levy", "1"]}))
    project.edit(lambda values: values["data"]["responses"].update(missing_codes={"*": [1]}))
    unit = opened(project)
    assert "levy" in set(unit.table("register")["agency_id"]) and unit.table("responses")["weight"].gt(0).all()


def test_codes_hold_for_answers_and_numbers_too(project):
    item = items_of(project)[0]
    project.edit(lambda values: values["data"]["responses"].update(codes={item: [0, 1, 2]}))
    with pytest.raises(StudyError, match=f"column {item}: '[34]' is not one of the declared codes 0, 1, 2"):
        opened(project).table("responses")


def test_a_published_mean_beyond_the_levels_is_refused(project):
    rows = [{"by": "all", "group": "all", "competency_id": "cloud", "statistic": "mean", "estimate": 2125}]
    project.edit(lambda values: (
        values["data"].update(aggregates={"rows": rows}),
        [values["data"].pop(table) for table in ("items", "responses", "register", "agencies")],
        values["design"].update(calibrate=[]), values["gaps"].update(by=[]),
    ))  # fmt: skip
    with pytest.raises(StudyError, match=r"column estimate: the mean level 2125 is outside 0\.\.4"):
        opened(project).table("aggregates")


def test_two_targets_in_one_line_of_params_are_told_apart(project):
    text = project.params.read_text(encoding="utf-8").replace(
        "data:\n", "data:\n  crosswalks: {w: {rows: [{from: A, to: Y}, {from: A, to: Z}]}}\n", 1)  # fmt: skip
    project.params.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="the weights of 'A' sum to 2 over its 2 targets"):
        opened(project).table("responses")


@pytest.mark.parametrize("day", ["31.12.2025", "2025-13-01", "yesterday"])
def test_the_day_a_table_is_of_is_a_date(project, day):
    project.edit(lambda values: values["data"]["register"].update(as_of=day))
    with pytest.raises(ParamsError, match="expected something like 2026-03-31"):
        opened(project)
