"""Kinds of damage to the values of responses and register, whatever file they stand in."""

import unicodedata

import pandas as pd
from mutations import (
    INVISIBLE,
    NOTED,
    PLAIN,
    REJECTED,
    ROLE,
    both,
    cell,
    column,
    frame,
    lines,
    params,
    some,
    swapped,
)

ROW = 3
ITEMS = ("DL01", "DL02", "DL03", "DI01", "DI02", "GO01", "GO02", "GO03", "DS01", "DS02", "DS03", "CB01")


def every(value):
    return lambda values: values.where(values == "", value)


def shifted(by, items=None, rows=lambda r: r["status"] != ""):
    """Answers moved along the scale, of some items and rows."""
    def change(table):
        names = items or [name for name in table if name[:2].isupper()]
        hit = rows(table)
        moved = {n: table[n].where(~hit | table[n].isin(["", "88", "99"]),
                                   (pd.to_numeric(table[n]) + by).astype("Int64").astype("string")) for n in names}  # fmt: skip
        return table.assign(**moved)

    return frame("responses", change)


def turned(*items, rows=lambda r: r["status"] != ""):
    """Answers the other way round."""
    def change(table):
        hit = rows(table)
        top = {name: 6 if name == "DL03" else 4 for name in items}
        return table.assign(**{
            n: table[n].where(~hit | table[n].isin(["", "88", "99"]),
                              (top[n] - pd.to_numeric(table[n])).astype("Int64").astype("string")) for n in items
        })  # fmt: skip

    return frame("responses", change)


def of_agency(code):
    return lambda rows: rows["stratum"] == code


def doubled(table, ids=lambda rows: rows["staff_id"], count=1):
    """The first rows again at the end, under the ids given."""
    return frame(table, lambda rows: pd.concat([rows, rows.iloc[:count].assign(staff_id=ids)]))


def left(table, line, first):
    """A value lost, so that all behind it stand one column too far left."""
    def change(rows):
        here = list(rows).index(first)
        moved = [*rows.loc[line].tolist()[:here], *rows.loc[line].tolist()[here + 1 :], ""]
        rows.loc[line] = moved
        return rows

    return frame(table, change)


def down(table, names):
    """A block of columns moved down by a row against the others."""
    return frame(table, lambda rows: rows.assign(**{name: rows[name].shift(1, fill_value=rows[name].iloc[-1]) for name in names}))


def respondents_in(table):
    return [name for name in table if name[:2].isupper()]


def whole(table, names, change):
    return frame(table, lambda rows: rows.assign(**{name: change(rows[name]) for name in (names or respondents_in(rows))}))


def one(name, value, line=ROW, table="responses"):
    return cell(table, line, name, value)


def odd_number(value):
    return (one("DL01", value), ("responses.csv line 3, column DL01", f"{value!r} is not a whole number"))


def odd_weight(value, text=None):
    return (one("weight", value), ("responses.csv line 3, column weight", text or f"{value!r} is not a number"))


def older(project):
    """Somebody who did not answer is of an age that no respondent has."""
    last = pd.read_csv(project.table("responses"), dtype=str, keep_default_na=False)["staff_id"].iloc[-1]
    column_of = frame("register", lambda rows: rows.assign(age_band=rows["age_band"].mask(rows["staff_id"] == last, "70 and over")))
    column_of(project)


def everywhere_left_out(project):
    """The register lacks people, and so do the answers."""
    for table in ("register", "responses"):
        frame(table, lambda rows: rows[~rows["staff_id"].between("000270", "000300")])(project)


NO_CODES = "nothing says which codes there are; declare them"
RESPONSES = [
    *some("responses", REJECTED,
          ("an answer beyond the scale", one("DL01", "7"), ("responses.csv line 3, column DL01: answer 7 is outside 0..4", "missing_codes")),
          ("an answer below the scale", one("DL01", "-1"), ("responses.csv line 3, column DL01: answer -1 is outside 0..4",)),
          ("an undeclared missing code in many rows", whole("responses", ["GO01"], lambda v: v.where(v != "1", "9")),
           ("responses.csv line", "column GO01: answer 9 is outside 0..4", "rows)", "missing_codes")),
          ("a huge answer", one("DL01", "1e308"), ("responses.csv line 3, column DL01", "1e+308", "outside")),
          ("more digits than any number has", one("DL01", "9" * 400), ("responses.csv line 3, column DL01",)),
          ("an answer in words", *odd_number("often")),
          ("an answer between two categories", *odd_number("2.5")),
          ("an answer with a decimal comma", *odd_number("3,0")),
          ("an answer that a spreadsheet made a date", *odd_number("2026-01-03")),
          ("an answer NA", *odd_number("NA")), ("an answer null", *odd_number("null")),
          ("an answer N/A", *odd_number("N/A")), ("an answer -", *odd_number("-")), ("an answer .", *odd_number(".")),
          ("an answer nan", *odd_number("nan")), ("an answer None", *odd_number("None")), ("an answer inf", *odd_number("inf")),
          ("an answer TRUE", *odd_number("TRUE")), ("an answer that is a formula", *odd_number("=A1")),
          ("an answer that is a spreadsheet's error", *odd_number("#REF!")),
          ("a letter O for a zero", *odd_number("O")), ("digits of another script", *odd_number("\u0663")),
          ("full-width digits", *odd_number("\uff13")), ("a hexadecimal answer", *odd_number("0x3")),
          ("a percent sign", *odd_number("3%")), ("two answers in one cell", *odd_number("2;3")),
          ("answers from 1 to 5 in the whole file", shifted(1), ("responses.csv line", "answer 5 is outside 0..4")),
          ("answers from 1 to 5 in one item", shifted(1, ["GO01"]), ("responses.csv line", "column GO01: answer 5 is outside 0..4")),
          ("answers from 1 to 5 in one agency", shifted(1, None, of_agency("yig\u02bbim")),
           ("responses.csv line", "answer 5 is outside 0..4")),
          ("answers from 0 to 4 where items say 1 to 5", shifted(-1, ["DL03"]),
           ("responses.csv line", "column DL03: answer 0 is outside 1..5")),
          ("answers in percent", whole("responses", None, lambda v: v.where(v.isin(["", "88", "99"]), v + "0")),
           ("responses.csv line", "is outside 0..4")),
          ("an item the other way round, of three", turned("GO01"),
           ("responses.csv, column GO01", "item GO01 goes against the other items of genai_oversee", "reverse: yes")),
          ("an item the other way round, of two", turned("DI01"),
           ("responses.csv, column DI0", "goes against the other items of data_interpret")),
          ("a declared reversal that was turned before", turned("DL02"),
           ("responses.csv, column DL02", "goes against the other items of digital_literacy")),
          ("a person twice, all of it", doubled("responses", lambda r: r["staff_id"], 3),
           ("responses.csv line 302, column staff_id", "stands in lines 2 and 302", "(3 rows)")),
          ("a person twice, with other answers",
           both(doubled("responses", lambda r: r["staff_id"]), cell("responses", 302, "DL01", "0"), cell("responses", 302, "CL01", "4")),
           ("responses.csv line 302, column staff_id", "stands in lines 2 and 302", "keep one")),
          ("a person's answers twice, under the id of somebody who did not answer",
           frame("responses", lambda rows: pd.concat([rows.iloc[:-1], rows.iloc[[0]].assign(staff_id=rows["staff_id"].iloc[-1])])),
           ("responses.csv line 301", "lines 2 and 301 hold the same", "drop the copies")),
          ("no id", one("staff_id", ""), ("responses.csv line 3, column staff_id",)),
          ("an id nobody has", one("staff_id", "999999"), ("responses.csv line 3, column staff_id", "'999999' is not in register.csv.gz")),
          ("an id in another case", one("staff_id", "a00001"), ("responses.csv line 3, column staff_id", "'a00001' is not in")),
          ("ids without their leading zeros", column("responses", "staff_id", lambda v: v.str.lstrip("0")),
           ("responses.csv line 2, column staff_id", "(300 rows)", "leading zeros were lost")),
          ("an id in scientific notation", one("staff_id", "1E+05"), ("responses.csv line 3, column staff_id", "'1E+05' is not in")),
          ("ids with decimals", column("responses", "staff_id", lambda v: v.str.lstrip("0") + ".0"),
           ("responses.csv line 2, column staff_id", "leading zeros")),
          ("a missing id written as NA", one("staff_id", "NA"), ("responses.csv line 3, column staff_id", "'NA'")),
          ("an unknown status", one("status", "finished"), ("responses.csv line 3, column status: 'finished' is not one of")),
          ("a status in capitals", one("status", "COMPLETE"), ("responses.csv line 3, column status", "'COMPLETE'")),
          ("a status of somebody who answered: none", one("status", ""), ("responses.csv line 3, column status", "answer")),
          ("a status of somebody who answered: no_response", one("status", "no_response"),
           ("responses.csv line 3, column status", "answer")),
          ("complete, and not a single answer", whole("responses", None, lambda v: v.mask(v.index == ROW, "")),
           ("responses.csv line 3", "no answer")),
          ("answers a row too far down", down("responses", ["GO01", "GO02", "GO03"]),
           ("responses.csv line 144, column status: the status is 'no_response', and there are answers",)),
          ("status a row too far down", down("responses", ["status"]), ("responses.csv line", "column status", "answer")),
          ("a negative weight", *odd_weight("-1", "-1 is below 0")), ("a weight nan", *odd_weight("nan")),
          ("a weight inf", *odd_weight("inf")), ("a weight in words", *odd_weight("two")),
          ("a weight with a decimal comma", *odd_weight("1,5")), ("a weight in percent", *odd_weight("50%")),
          ("a weight beyond all numbers", *odd_weight("1e999")),
          ("no weight for one", *odd_weight("", "the value is empty")),
          ("a weight larger than the whole staff", one("weight", "1e6"), ("responses.csv line 3, column weight: one respondent stands for 1e+06 people",)),
          ("weights that are all 0", column("responses", "weight", every("0")), ("responses.csv line 2, column weight: every respondent has the weight 0",)),
          ("weights in thousands of people", column("responses", "weight", lambda v: (v.astype(float) * 1000).astype(str)),
           ("responses.csv line 2, column weight: one respondent stands for 1500 people, and register.csv.gz has 300 (300 rows)",)),
          ("decimal commas throughout, undeclared",
           lambda p: lines("responses", lambda old: [row.replace(",", ";").replace(".", ",") for row in old])(p),
           ("responses.csv line 2, column weight: '1,5' is not a number", "data.responses.numbers")),
          ("decimal commas declared, and they are points", params("data", "responses", numbers={"decimal": ","}),
           ("responses.csv line 2, column weight: '1.5' is not a number",)),
          ("a day that the calendar lacks", one("date", "2026-02-30"), ("responses.csv line 3, column date: '2026-02-30' is not a date",)),
          ("a spreadsheet's number for a date", one("date", "46096"), ("responses.csv line 3, column date: '46096' is not a date", "dates")),
          ("dates day first, undeclared", column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3/\2/\1", regex=True)),
           ("responses.csv line 2, column date", "is not a date", "data.responses.dates")),
          ("one date month first among dates day first",
           both(column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", regex=True)),
                one("date", "03.25.2026"), params("data", "responses", dates="dmy")),
           ("responses.csv line 3, column date: '03.25.2026' is not a date",)),
          ("a year of two digits", one("date", "26-03-09"), ("responses.csv line 3, column date", "'26-03-09' is not a date")),
          ("a month in words", one("date", "9 mart 2026"), ("responses.csv line 3, column date",)),
          ("a negative duration", one("duration", "-5"), ("responses.csv line 3, column duration: -5 is below 0",)),
          ("an unknown stratum of one respondent", one("stratum", "alone"), ("stratum 'alone'", "one sampling unit")),
          ("a stratum in another case", one("stratum", "Yig\u02bbim"), ("responses.csv line 3, column stratum", "differ only in")),
          ("a Cyrillic letter in a stratum", one("stratum", "m\u0430\u02bcmur"), ("responses.csv line 3, column stratum", "differ only in case, in blanks or in letters of the same looks")),
          ("a stratum nobody declared", one("stratum", "alone"), ("responses.csv line 3, column stratum: 'alone' is not one of the declared codes"), "declared"),
          ("a placeholder for a stratum", column("responses", "stratum", lambda v: v.mask(v.index < 9, "N/A")),
           ("responses.csv line 2, column stratum", "'N/A'", "missing_codes")),
          ("a spreadsheet's error for a language", one("answer_language", "#N/A"), ("responses.csv line 3, column answer_language", "'#N/A'")),
          ("a formula for a language", one("answer_language", "=B2"), ("responses.csv line 3, column answer_language", "'=B2'")),
          ("a value lost: the row's status stands under staff_id", left("responses", ROW, "staff_id"),
           ("responses.csv line 3, column staff_id", "'complete' is not in")),
          ("a value lost: the answers stand one item too far left", frame("responses", lambda rows: rows.assign(
              **dict(zip(respondents_in(rows), [rows[n] for n in [*respondents_in(rows)[1:], "DL01"]], strict=True)))),
           ("responses.csv line", "outside")),
          ("two items of other scales swapped", swapped("responses", "DL03", "CL01"), ("responses.csv line", "column DL03: answer 0 is outside 1..5")),
          ("status and stratum swapped", swapped("responses", "status", "stratum"), ("responses.csv line 2, column status", "is not one of")),
          ("weight and date swapped", swapped("responses", "weight", "date"), ("responses.csv line 2, column weight", "is not a number")),
          ("weight and mode swapped", swapped("responses", "weight", "mode"), ("responses.csv line 2, column weight: 'web' is not a number",)),
          ("id and weight swapped", swapped("responses", "staff_id", "weight"), ("responses.csv line", "column staff_id")),
          ("language and mode swapped, codes declared", swapped("responses", "answer_language", "mode"),
           ("responses.csv line 2, column answer_language: 'web' is not one of the declared codes", "codes.answer_language"), "declared"),
          ("a misspelt name: weigth", frame("responses", lambda rows: rows.rename(columns={"weight": "weigth"})),
           ("responses.csv", "'weigth'", "weight")),
          ("no column of weights, though params map it", frame("responses", lambda rows: rows.drop(columns="weight")),
           ("responses.csv, column weight: there is no column weight, which params name"), "declared"),
          ("no column of an item", frame("responses", lambda rows: rows.drop(columns="GO02")), ("responses.csv, column GO02: there is no column GO02",)),
          ("no column that a condition names", frame("responses", lambda rows: rows.drop(columns="status")),
           ("responses.csv, column status: there is no column status, which params name")),
          ("two waves in one file", frame("responses", lambda rows: rows.assign(wave=["2025", "2026"] * 150)),
           ("responses.csv, column wave", "2025, 2026", "data.responses.wave")),
          ("everybody asked, nobody answered", whole("responses", None, lambda v: v.mask(v != "", "")), ("responses.csv",)),
          ("an item answered twice by a person", doubled("responses", lambda r: r["staff_id"]),
           ("responses.csv line", "column savol", "twice"), "long"),
          ("a person's rows that differ in more than the answer", one("status", "partial", 4),
           ("responses.csv line", "differ in more than the answer"), "long"),
          ("an item in another case, one answer a row", one("savol", "dl01", 5), ("responses.csv", "'dl01'"), "long"),
          ("an answer beyond the scale, one answer a row", one("javob", "7", 2), ("responses.csv line", "answer 7 is outside"), "long"),
          ("a cell that the register lacks", one("role_level", "chief", 2), ("responses.csv line 2", "chief", "is not in register.csv.gz"), "cells"),
          ),
    *some("responses", NOTED,
          ("an item that items don't know, one answer a row", one("savol", "XX01"), ("responses.csv line 3, column savol", "'XX01'", "left out"), "long"),
          ("whole numbers with decimals throughout", whole("responses", None, lambda v: v.where(v == "", v + ".0")),
           ("responses.csv, column DL01", "whole numbers are written with decimals")),
          ("other apostrophes in strata", column("responses", "stratum", lambda v: v.str.replace("\u02bb", "\u2018").where(v.index % 3 == 0, v)),
           ("responses.csv line", "column stratum", "other apostrophes", "read as one code")),
          ("other dashes in strata", column("responses", "stratum", lambda v: v.str.replace("-", "\u2013").where(v.index % 7 == 0, v)),
           ("responses.csv line", "column stratum", "read as one code")),
          ("marks of no width inside strata", column("responses", "stratum", lambda v: v.str.replace("im", "i\u200bm").where(v.index % 5 == 0, v)),
           ("responses.csv line", "column stratum", "can't be seen", "made plain")),
          ),
    *some("responses", PLAIN,
          ("a plus before a number", column("responses", "weight", lambda v: "+" + v), "a way of writing a number"),
          ("dates and times of day", column("responses", "date", lambda v: v.where(v == "", v + " 09:30:00")), "the day is the same"),
          ("dates day first, as declared",
           both(column("responses", "date", lambda v: v.str.replace(r"(\d+)-(\d+)-(\d+)", r"\3.\2.\1", regex=True)),
                params("data", "responses", dates="dmy")), "params say so"),
          ("decimal commas, as declared",
           both(column("responses", "weight", lambda v: v.str.replace(".", ",")),
                params("data", "responses", numbers={"decimal": ","})), "params say so"),
          ("an answer in scientific notation", column("responses", "weight", lambda v: v.replace("2.0", "2.0e0")), "a way of writing a number"),
          ),
    *some("responses", INVISIBLE,
          ("two items of one scale swapped", swapped("responses", "PR01", "GO01"), "the same categories in both"),
          ("both items of a competency the other way round", turned("DI01", "DI02"), "they agree with each other"),
          ("the only item of a competency the other way round", turned("CB01"), "nothing to hold it against"),
          ("all answers of an agency the other way round", turned(*ITEMS, rows=of_agency("yig\u02bbim")), "an agency may be as weak as the others are strong"),
          ("an answer mistyped within the scale", whole("responses", ["CB01"], lambda v: v.mask((v == "1") & (v.index < 60), "4")), "it is as good as any"),
          ("an item a row too far down, among respondents", frame("responses", lambda rows: rows.assign(
              CB01=rows["CB01"].where(rows["status"] == "no_response", rows["CB01"].shift(1, fill_value="2")))), "each row is possible"),
          ("the ids of two people swapped",
           column("responses", "staff_id", lambda v: v.set_axis(v.index).iloc[[3, 1, 2, 0, *range(4, len(v))]].set_axis(v.index)),
           "nothing else says who they are"),
          ("no column of weights", frame("responses", lambda rows: rows.drop(columns="weight")),
           "a survey without weights is allowed; map weight in columns"),
          ("weights doubled for some", column("responses", "weight", lambda v: v.mask(v.index % 4 == 0, "3.9")), "each is possible"),
          ("a weight of 0", one("weight", "0"), "who stands for nobody may have the weight 0"),
          ("a value lost in one row: answers one item too far left, within the scale",
           left("responses", ROW, "GO01"), "every answer is possible"),
          ("strata under other names, one for one", column("responses", "stratum", lambda v: v.replace({"ma\u02bcmur": "yig\u02bbim"})),
           NO_CODES),
          ),
]
REGISTER = [
    *some("register", REJECTED,
          ("an agency nobody knows", cell("register", 3, "agency_id", "zzz"), ("register.csv.gz line 3, column agency_id: 'zzz' is not in agencies.csv", "add it there")),
          ("an agency in another case", cell("register", 3, "agency_id", "YIG\u02bbIM"), ("register.csv.gz line 3, column agency_id", "differ only in")),
          ("a Cyrillic letter in an agency's code", cell("register", 3, "agency_id", "m\u0430\u02bcmur"), ("register.csv.gz line 3, column agency_id", "differ only in case, in blanks or in letters of the same looks")),
          ("no agency", cell("register", 3, "agency_id", ""), ("register.csv.gz line 3, column agency_id: the value is empty", "fill it in")),
          ("no role", cell("register", 3, ROLE, ""), ("register.csv.gz line 3, column role_id: the value is empty",)),
          ("no sex, which a margin needs", cell("register", 3, "sex", ""), ("register.csv.gz line 3, column sex: the value is empty",)),
          ("no id", cell("register", 3, "staff_id", ""), ("register.csv.gz line 3, column staff_id: the value is empty",)),
          ("a row twice, all of it", frame("register", lambda rows: pd.concat([rows, rows.iloc[:2]])),
           ("register.csv.gz line 302, column staff_id", "stands in lines 2 and 302", "(2 rows)")),
          ("an id twice, for two people", cell("register", 3, "staff_id", "000001"), ("register.csv.gz line 3, column staff_id", "stands in lines 2 and 3", "keep one")),
          ("ids without their leading zeros", column("register", "staff_id", lambda v: v.str.lstrip("0")),
           ("responses.csv line 2, column staff_id", "leading zeros")),
          ("people twice, under other ids; their number is declared", doubled("register", lambda r: "9" + r["staff_id"].str[1:], 30),
           ("register.csv.gz", "330 rows, and params say 300"), "declared"),
          ("a code that has no recode, though others have", cell("register", 3, "sex", "3"), ("register.csv.gz line 3, column sex: '3' has no recode", "data.register.recode.sex")),
          ("a label among codes", cell("register", 3, "sex", "F"), ("register.csv.gz line 3, column sex: 'F' has no recode",)),
          ("a target of recode in another case", cell("register", 3, "sex", "Female"), ("register.csv.gz line 3, column sex: 'Female'",)),
          ("an age band nobody declared", cell("register", 3, "age_band", "60-69"), ("register.csv.gz line 3, column age_band: '60-69' is not one of the declared codes",), "declared"),
          ("an age band that a spreadsheet made a date", cell("register", 3, "age_band", "Mar-39"), ("register.csv.gz line 3, column age_band: 'Mar-39' is not one of",), "declared"),
          ("a letter O for the zero of an age band", cell("register", 3, "age_band", "3O-39"), ("register.csv.gz line 3, column age_band: '3O-39'", "30-39")),
          ("blanks around the dash of an age band", column("register", "age_band", lambda v: v.mask(v.index % 9 == 0, v.str.replace("-", " - "))),
           ("register.csv.gz line", "column age_band", "differ only in")),
          ("an age band in another case", column("register", "age_band", lambda v: v.mask(v.index % 9 == 0, v.str.upper())),
           ("register.csv.gz line", "column age_band: '50 AND OVER'", "differ only in")),
          ("a placeholder for an age band", cell("register", 3, "age_band", "NA"), ("register.csv.gz line 3, column age_band", "'NA'", "missing_codes")),
          ("a question mark for an age band", cell("register", 3, "age_band", "?"), ("register.csv.gz line 3, column age_band", "'?'")),
          ("a spreadsheet's error for a role", cell("register", 3, ROLE, "#REF!"), ("register.csv.gz line 3, column role_id", "'#REF!'")),
          ("a formula for a role", cell("register", 3, ROLE, "=VLOOKUP(A3;B:C;2)"), ("register.csv.gz line 3, column role_id",)),
          ("an admin level nobody knows", cell("register", 3, "admin_level", "federal"), ("register.csv.gz line 3, column admin_level: 'federal' is not one of",)),
          ("tenure below 0", cell("register", 3, "tenure_years", "-1"), ("register.csv.gz line 3, column tenure_years: -1 is below 0",)),
          ("tenure of 400 years", cell("register", 3, "tenure_years", "400"), ("register.csv.gz line 3, column tenure_years: 400 is above 70",)),
          ("a year in place of a tenure", column("register", "tenure_years", lambda v: "20" + v.str.zfill(2)), ("register.csv.gz line", "column tenure_years", "is above 70")),
          ("a unit behind a number", cell("register", 3, "tenure_years", "12 yil"), ("register.csv.gz line 3, column tenure_years: '12 yil' is not a number",)),
          ("a date in another order", cell("register", 3, "hire_date", "03/04/2021"), ("register.csv.gz line 3, column hire_date: '03/04/2021' is not a date", "data.register.dates")),
          ("region and role swapped", swapped("register", "region", ROLE), ("requirements.csv, column role_id + role_level: none of its roles")),
          ("agency and region swapped", swapped("register", "agency_id", "region"), ("register.csv.gz line 2, column agency_id", "is not in agencies.csv")),
          ("sex and age swapped", swapped("register", "sex", "age_band"), ("register.csv.gz line 2, column sex", "has no recode")),
          ("role and level swapped", swapped("register", ROLE, "role_level"), ("requirements.csv, column role_id + role_level",)),
          ("grade and occupation swapped", swapped("register", "grade", "isco08"), ("register.csv.gz", "column grade", "crosswalk grades")),
          ("region and level of administration swapped", swapped("register", "region", "admin_level"), ("register.csv.gz line 2, column admin_level", "is not one of")),
          ("age and education swapped, codes declared", swapped("register", "age_band", "education"), ("register.csv.gz line 2, column age_band", "declared codes"), "declared"),
          ("a value lost: role level under role", left("register", 3, ROLE), ("register.csv.gz line 3, column sex: '50 and over' has no recode",)),
          ("a value lost: an age under sex", left("register", 3, "sex"), ("register.csv.gz line 3, column sex", "has no recode")),
          ("no column of agencies", frame("register", lambda rows: rows.drop(columns="agency_id")), ("tiny.yaml line", "design.calibrate names 'agency_id'", "register.csv.gz lacks")),
          ("no column that params map", frame("register", lambda rows: rows.drop(columns=ROLE)), ("register.csv.gz, column yo\u02bbnalish: there is no column",)),
          ("respondents left out", frame("register", lambda rows: rows.drop(index=range(250, 290))),
           ("responses.csv line", "column staff_id: '000251' is not in register.csv.gz (40 rows)")),
          ("no column of ids", frame("register", lambda rows: rows.drop(columns="staff_id")), ("responses.csv, column staff_id", "cells and no persons", "link")),
          ("a misspelt column: age_bnad", frame("register", lambda rows: rows.rename(columns={"age_band": "age_bnad"})), ("register.csv.gz", "'age_bnad'", "age_band")),
          ("a head-count beside each person", frame("register", lambda rows: rows.assign(headcount="7")), ("register.csv.gz", "column headcount", "staff_id")),
          ("an age that no respondent has", older, ("margin age_band: '70 and over' has staff but no respondent",)),
          ("a line of totals", frame("register", lambda rows: pd.concat([rows, rows.iloc[:1].assign(staff_id="Total", agency_id="Total")])),
           ("register.csv.gz line 302, column agency_id: 'Total' is not in agencies.csv",)),
          ("a negative head-count", cell("register", 3, "headcount", "-2"), ("register.csv.gz line 3, column headcount: -2 is below 0",), "cells"),
          ("a head-count in words", cell("register", 3, "headcount", "few"), ("register.csv.gz line 3, column headcount: 'few' is not a number",), "cells"),
          ("a suppressed head-count", cell("register", 3, "headcount", "<5"), ("register.csv.gz line 3, column headcount: '<5' is not a number",), "cells"),
          ("no head-count", cell("register", 3, "headcount", ""), ("register.csv.gz line 3, column headcount: the value is empty",), "cells"),
          ("a cell twice", frame("register", lambda rows: pd.concat([rows, rows.iloc[:2]])), ("register.csv.gz line 205", "hold the same cell", "keep one"), "cells"),
          ("a cell twice, with other head-counts", frame("register", lambda rows: pd.concat([rows, rows.iloc[:2].assign(headcount="9")])),
           ("register.csv.gz line 205", "keep one"), "cells"),
          ("a line of totals", frame("register", lambda rows: pd.concat([rows, rows.iloc[:1].assign(agency_id="all", headcount="300")])),
           ("register.csv.gz line 205, column agency_id: 'all' is not in agencies.csv",), "cells"),
          ("shares for head-counts", column("register", "headcount", lambda v: (v.astype(float) / 300).round(5).astype(str)),
           ("responses.csv line 2, column weight: one respondent stands for 1.5 people, and register.csv.gz has 0.99964",), "cells"),
          ("all head-counts 0", column("register", "headcount", every("0")), ("register.csv.gz", "headcount"), "cells"),
          ("a missing cell, which respondents have", frame("register", lambda rows: rows.iloc[3:]), ("responses.csv line", "is not in register.csv.gz"), "cells"),
          ("head-counts with a thousands comma", column("register", "headcount", lambda v: v.mask(v.index == 3, '1,200')),
           ("register.csv.gz line 3, column headcount: '1,200' is not a number", "data.register.numbers"), "cells"),
          ),
    *some("register", NOTED,
          ("four kinds of apostrophe in the codes of agencies",
           column("register", "agency_id", lambda v: pd.Series([c.replace("\u02bb", m).replace("\u02bc", m) for c, m in
                                                               zip(v, "'\u2018\u2019`" * 75, strict=True)], v.index)),
           ("register.csv.gz line 2, column agency_id", "other apostrophes", "read as one code")),
          ("one other apostrophe throughout",
           column("register", "agency_id", lambda v: v.str.replace("\u02bb", "'").str.replace("\u02bc", "'")),
           ("register.csv.gz line 2, column agency_id", "other apostrophes", "read as one code")),
          ("no-break spaces in age bands", column("register", "age_band", lambda v: v.mask(v.index % 9 == 0, v.str.replace(" ", "\u00a0"))),
           ("register.csv.gz line", "column age_band", "can't be seen", "made plain")),
          ("other dashes in age bands", column("register", "age_band", lambda v: v.mask(v.index % 9 == 0, v.str.replace("-", "\u2013"))),
           ("register.csv.gz line", "column age_band", "read as one code")),
          ("letters and marks apart (NFD) in the codes of agencies",
           column("register", "region", lambda v: v.mask(v == "aravel", "\u00f6stra").mask((v == "aravel") & (v.index % 2 == 0),
                                                                                     unicodedata.normalize("NFD", "\u00f6stra"))),
           ("register.csv.gz line", "column region", "can't be seen")),
          ("occupations with decimals", column("register", "isco08", lambda v: v + ".0"), ("register.csv.gz", "column isco08", "decimals")),
          ),
    *some("register", INVISIBLE,
          ("people twice, under other ids", doubled("register", lambda r: "9" + r["staff_id"].str[1:], 30),
           "two people may agree in all that a register says; declare n_rows"),
          ("people left out, here and in the responses", everywhere_left_out, "the rest is whole; declare n_rows"),
          ("ages a row too far down", down("register", ["age_band"]), "each row is possible"),
          ("age bands misspelt so that no other code is near", column("register", "age_band", lambda v: v.mask(v.index % 7 == 0, "middle")), NO_CODES),
          ("age and education swapped", swapped("register", "age_band", "education"), NO_CODES),
          ("a grade that the crosswalk lacks", column("register", "grade", lambda v: v.mask(v.index % 7 == 0, "G9")),
           "told as unmapped, with its share, which may hold claims back"),
          ("head-counts of another year", column("register", "headcount", lambda v: (v.astype(int) * 2 + 1).astype(str)), "each is possible", "cells"),
          ),
]
VALUES = RESPONSES + REGISTER
