"""A claim whose gate fails says why and what would unlock it; all others say the same numbers in each language."""

import html
import json
import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import ParamsError
from skillsgap.publish.claims import make_claims
from skillsgap.publish.disclosure import Rules, release_tables
from skillsgap.publish.gates import KINDS, Context, data_reasons
from skillsgap.publish.naming import profile_names
from skillsgap.wording import LANGUAGES, MINUS, Words

CONTEXT = Context(scale="levels", answered=400, top=3, respondents_gate=30, reliability_gate=0.7, threshold=10,
                  by=("agency_id",), self_reported=True)
LABELS = {("agency_id", code): {"en": f"Office {code}", "uz": f"Idora {code}"} for code in "abcdef"}
PARTS = ("number", "sentence", "certainty", "unlock")


def estimates(n, estimate, **columns):
    table = pd.DataFrame({"estimate": np.atleast_1d(np.asarray(estimate, dtype=float)), "n": n, "n_eff": n})
    table = table.assign(se=0.05, ci_low=table["estimate"] - 0.1, ci_high=table["estimate"] + 0.1,
                         uncertainty="sampling")
    return table.assign(**columns)


def unit(*, n=400, alpha=0.85, n_items=6, by="agency_id", groups="abcdef", most="ab", in_group=60):
    """Released tables of a small unit with levels, two competencies in two groups, profiles and a plan."""
    groups = list(groups)
    statistics = {"level": 1.5, "required": 2.6, "shortfall": 1.31, "share_below": 0.63}
    gaps = pd.concat([estimates(n, value, by="all", group="all", competency_id=c, statistic=statistic)
                      for c in ("oversight", "security") for statistic, value in statistics.items()])
    split = [estimates(in_group, 1.0, by=by, group=g, competency_id=c, statistic="shortfall")
             for g in groups for c in ("oversight", "security")]
    means = [estimates(n, 1.5, by="all", group="all", variable="oversight")]
    means += [estimates(in_group, 1.5, by=by, group=g, variable="oversight") for g in groups]
    shares = {1: 0.7, 2: 0.3}
    profiles = [estimates(n, shares[k], profile=k, variable="share", statistic="share") for k in shares]
    profiles += [estimates(n, level, profile=k, variable=c, statistic="level")
                 for k, level in ((1, 1.0), (2, 3.0)) for c in ("oversight", "security")]
    return {
        "competencies": pd.DataFrame({"competency_id": ["oversight", "security"], "group": ["oversight", "security"]}),
        "priorities": pd.DataFrame({"competency_id": ["oversight", "security"], "shortfall": [1.3, 1.2],
                                    "importance": 4.0, "headcount": 5000.0, "estimate": [26000.0, 24000.0],
                                    "p_top": [1.0, 0.87], "p_first": [0.9, 0.1], "tier": "first"}),
        "reliability": pd.DataFrame({"scale": "group", "scale_id": ["oversight", "security"], "statistic": "alpha",
                                     "n_items": n_items, "estimate": alpha, "ci_low": 0.7, "ci_high": 0.9, "n": n,
                                     "why": ""}),
        "gaps": pd.concat([gaps, *split], ignore_index=True), "means": pd.concat(means, ignore_index=True),
        "needs": estimates(in_group, [1.0] * len(groups), by=by, group=groups,
                           tier=["most" if g in most else "least" for g in groups]),
        "profiles": pd.concat(profiles, ignore_index=True),
        "headcounts": estimates(n, 14005.0, by="all", group="all", profile=1),
        "plan_summary": pd.Series({"budget": 1e6, "spend": 991_200.0, "seats": 512, "closed_share": 0.31,
                                   "ci_low": 0.24, "ci_high": 0.37, "gap": 1e-4, "value": 31.0, "bound": 31.2,
                                   "need": 100.0, "gap_first_share": 0.19, "ratio_first_share": 0.24,
                                   }).rename_axis("name").rename("value").reset_index(),
    }


def scored(*, n=300, in_group=40):
    """Released tables of a unit with tested scores and derived requirements."""
    statistics = {"level": 285.0, "required": 201.0, "shortfall": 0.2, "share_below": 0.11}
    names = ("literacy", "numeracy")
    both = [("all", "all", n), ("isco08", "1", in_group), ("isco08", "2", 60)]
    items = [f"i{k}" for k in range(3)]
    return {
        "competencies": pd.DataFrame({"competency_id": names, "group": "data"}),
        "means": pd.concat([estimates(m, 285.0, by=by, group=g, variable=c) for by, g, m in both for c in names],
                           ignore_index=True),
        "gaps": pd.concat([estimates(m, value, by=by, group=g, competency_id=c, statistic=s)
                           for by, g, m in both for c in names for s, value in statistics.items()], ignore_index=True),
        "profiles": pd.concat(
            [estimates(n, share, profile=k, variable="share", statistic="share") for k, share in ((1, 0.6), (2, 0.4))]
            + [estimates(n, level, profile=k, variable=item, statistic="level")
               for k, level in ((1, 1.5), (2, 4.0)) for item in items], ignore_index=True),
    }


def claims_of(views, context=CONTEXT):
    return make_claims(release_tables(views, Rules()).tables, context).set_index("claim_id")


TESTED = Context(scale="score", answered=300, top=3, respondents_gate=30, reliability_gate=0.7, threshold=10,
                 by=("isco08",), self_reported=False)


def spoken(claims, lang, labels=LABELS):
    words = Words(lang, labels, {"en": "solar", "uz": "solar"})
    return pd.DataFrame({part: [words.say(m, v) for m, v in zip(claims[part], claims["numbers"], strict=True)]
                         for part in PARTS}, index=claims.index)


def numbers_in(text):
    """Numbers of a sentence without the marks of its language: 4 200,5 and 4,200.5 are the same."""
    text = re.sub(r"(?<=\d)[\s\u00a0\u202f.,](?=\d)", "", text.replace(MINUS, "-"))
    return sorted(re.findall(r"-?\d+", text))


UNITS = {
    "whole": (unit, {}, CONTEXT), "one agency in need": (unit, {"most": "a"}, CONTEXT),
    "none in need": (unit, {"most": ""}, CONTEXT), "all in need": (unit, {"most": "abcdef"}, CONTEXT),
    "few answers": (unit, {"n": 25}, CONTEXT), "too few to print": (unit, {"n": 8}, CONTEXT),
    "unreliable": (unit, {"alpha": 0.55}, CONTEXT), "few items": (unit, {"n_items": 3}, CONTEXT),
    "no alpha": (unit, {"alpha": np.nan}, CONTEXT), "small groups": (unit, {"in_group": 6}, CONTEXT),
    "regions": (unit, {"by": "region"}, Context(**{**CONTEXT.__dict__, "by": ("region",)})),
    "tested": (scored, {}, TESTED), "few tested": (scored, {"n": 20}, TESTED),
    "too few tested": (scored, {"n": 5}, TESTED), "small occupation": (scored, {"in_group": 4}, TESTED),
}


@pytest.mark.parametrize("name", UNITS)
def test_every_claim_says_the_same_numbers_in_each_language_and_none_is_empty(name):
    make, options, context = UNITS[name]
    claims = claims_of(make(**options), context)
    said = {lang: spoken(claims, lang) for lang in LANGUAGES}
    for lang, table in said.items():
        for claim_id, row in table.iterrows():
            text = " ".join(row)
            assert not re.search(r"\b(nan|none|null|inf)\b|[{}]", text, re.IGNORECASE), f"{lang} {claim_id}: {text}"
            for part in PARTS:
                assert numbers_in(row[part]) == numbers_in(said["en"].loc[claim_id, part]), f"{lang} {claim_id}"
    assert claims.index.is_unique
    held = claims[~claims["passed"]]
    assert (held["unlock"] != "").all() and (held["number"] == "").all() and (held["sentence"] != "").all()
    assert (claims.loc[claims["passed"], "number"] != "").all()


def test_the_whole_unit_makes_every_claim():
    claims = claims_of(unit())
    assert claims["passed"].all()
    assert claims.index.tolist() == ["share_below", "shortfall", "needs", "profile", "plan"]
    said = spoken(claims, "en")
    assert said.loc["share_below", "number"] == "63%"
    assert said.loc["share_below", "certainty"].startswith("53%–73%; 400 answers")
    assert said.loc["shortfall", "number"] == "1.3" and "87%" in said.loc["shortfall", "sentence"]
    assert said.loc["needs", ["number", "sentence"]].tolist() == [
        "2 of 6", "agencies need clearly more than the rest: Office a and Office b"]
    assert said.loc["profile", "number"] == "70%" and "14,005 people" in said.loc["profile", "sentence"]
    assert said.loc["plan", "number"] == "512 people for 991,200 solar"
    assert said.loc["plan", "sentence"].startswith("close 31% of the shortfall")
    assert said.loc["plan", "sentence"].endswith("first closes 19%, for the best ratio of gap to money first 24%")


@pytest.mark.parametrize("n, more", [(29, "1 more"), (28, "2 more"), (9, "30 more")])
def test_too_few_answers_withhold_a_headline_and_say_how_many_more(n, more):
    """Below the disclosure threshold the number of answers itself is secret, so all 30 are asked for."""
    claims = claims_of(unit(n=n))
    for claim_id in ("share_below", "shortfall", "profile"):
        said = spoken(claims, "en").loc[claim_id]
        assert not claims.loc[claim_id, "passed"]
        assert "fewer than 30 people answered" in said["sentence"] and said["unlock"].startswith(more)
        assert said["number"] == said["certainty"] == ""
    assert claims.loc["plan", "passed"]


def test_thirty_answers_are_enough():
    assert claims_of(unit(n=30))["passed"].all()


def test_answers_that_agree_too_little_withhold_and_say_by_how_much():
    said = spoken(claims_of(unit(alpha=0.6949)), "en").loc["share_below"]
    assert "α 0.69, at least 0.70 is needed" in said["sentence"] and "clearer ones" in said["unlock"]
    assert claims_of(unit(alpha=0.70)).loc["share_below", "passed"]


@pytest.mark.parametrize("options", [{"n_items": 3}, {"alpha": np.nan}])
def test_a_group_of_too_few_questions_says_so_and_prints_no_alpha(options):
    said = spoken(claims_of(unit(**options)), "en").loc["share_below"]
    assert "too few questions" in said["sentence"] and "α" not in said["sentence"]


def test_tested_means_and_shares_have_the_same_gate():
    assert claims_of(scored(), TESTED)["passed"].all()
    claims = claims_of(scored(n=20), TESTED)
    assert not claims.loc[["mean_literacy", "mean_numeracy", "below_literacy", "below_numeracy"], "passed"].any()


def test_withheld_groups_are_counted_by_their_respondents_alone():
    """An occupation of 40 without a requirement has no gap, but it isn't "fewer than 10 respondents"."""
    views = scored()
    views["gaps"].loc[views["gaps"]["group"] == "1", ["estimate", "n"]] = [np.nan, 0]
    assert "groups_isco08" not in claims_of(views, TESTED).index
    claims = claims_of(scored(in_group=4), TESTED)
    assert spoken(claims, "en").loc["groups_isco08", "sentence"] == "1 of 2 occupations: fewer than 10 respondents."


def test_withheld_groups_stand_apart_in_nothing():
    views = unit(most="ab")
    views["needs"].loc[0, "n"] = 5
    said = spoken(claims_of(views), "en").loc["needs"]
    assert said[["number", "sentence"]].tolist() == ["1 of 5", "agencies need clearly more than the rest: Office b"]
    assert "needs" not in claims_of(unit(in_group=5)).index  # all withheld: nothing is claimed about them


def test_claims_name_the_groups_they_are_about():
    regions = Context(**{**CONTEXT.__dict__, "by": ("region",)})
    assert spoken(claims_of(unit(by="region"), regions), "en").loc["needs", "sentence"].startswith("regions need")
    both, other = unit(), unit(by="region", groups="pqr", most="p")
    both["needs"] = pd.concat([both["needs"], other["needs"]], ignore_index=True)
    said = spoken(claims_of(both), "en")
    assert said.loc[["needs", "needs_region"], "number"].tolist() == ["2 of 6", "1 of 3"]


def test_a_unit_with_one_competency():
    views = unit()
    views["priorities"] = views["priorities"][:1]
    said = spoken(claims_of(views), "en")
    assert "oversight" in said.loc["share_below", "sentence"] and "oversight" in said.loc["shortfall", "sentence"]


def test_a_plan_without_common_practice_or_money():
    views = unit()
    views["plan_summary"] = views["plan_summary"].query("name != 'ratio_first_share'")
    assert spoken(claims_of(views), "en").loc["plan", "sentence"].endswith("this money closes more than 31%")
    nothing = unit()
    for name in ("budget", "spend", "seats", "closed_share", "ci_low", "ci_high", "value", "bound", "need"):
        nothing["plan_summary"].loc[nothing["plan_summary"]["name"] == name, "value"] = 0.0
    assert spoken(claims_of(nothing), "en").loc["plan", "number"] == "0 people for 0 solar"


def test_where_no_plan_keeps_all_rules_the_claim_says_why():
    views = unit()
    views["plan_summary"] = pd.DataFrame({"name": ["feasible", "budget"], "value": [0.0, 3e5]})
    views["plan_conflict"] = pd.DataFrame([
        {"rule_id": "budget", "family": "budget", "given": 3e5, "needed": 4.12e5, "alone": 4.12e5,
         "relaxed_to": 4.12e5},
        {"rule_id": "champions_min", "family": "champions", "given": 9e2, "needed": 7e2, "alone": 7e2,
         "relaxed_to": 9e2}])
    said = spoken(claims_of(views), "en").loc["plan"]
    assert said["number"] == "No plan keeps all rules"
    assert said["sentence"] == "For the number of champions it takes 412,000 solar; the budget is 300,000 solar"


def test_a_probability_from_draws_is_never_certainty():
    views = unit()
    views["priorities"]["p_top"] = 1.0
    assert "over 99% of draws" in spoken(claims_of(views), "en").loc["shortfall", "sentence"]


def test_profiles_are_named_by_rule_unless_params_name_them():
    """Low in all, high in all, or by what it is better in than in the rest; a claim says the name of params."""
    levels = {(1, "oversight"): 0.5, (1, "security"): 0.6, (2, "oversight"): 3.4, (2, "security"): 3.5,
              (3, "oversight"): 2.6, (3, "security"): 1.4}
    rows = [estimates(400, level, profile=k, variable=c, statistic="level") for (k, c), level in levels.items()]
    tables = {"profiles": pd.concat(rows, ignore_index=True), "competencies": unit()["competencies"]}
    tables["competencies"].loc[2] = ["unanswered", "leadership"]
    names = profile_names(tables)
    assert [names[k]["value"] for k in (1, 2, 3)] == ["just starting", "ahead in most things",
                                                      "about average, ahead in {group}"]
    assert names[3]["values"]["group"] == {"kind": "label", "table": "group", "value": "oversight"}
    named = make_claims(release_tables(unit(), Rules()).tables, CONTEXT, names=[{"en": "Novices", "uz": "Yangilar"}])
    for lang, name in (("en", "Novices"), ("uz", "Yangilar")):
        assert f"“{name}”" in spoken(named.set_index("claim_id"), lang).loc["profile", "sentence"]


def test_names_of_params_are_as_many_as_the_profiles():
    names = [{"en": "Novices", "uz": "Yangilar"}]
    one = publish(unit(), values("levels", profiles={"n_starts": 50, "names": names}))
    with pytest.raises(ParamsError, match=r"profiles.names has 1 names, and there are 2 profiles: give 2"):
        _ = one.names
    two = publish(unit(), values("levels", profiles={"n_starts": 50, "names": names * 2}))
    assert two.names == tuple(names * 2)


# --- what the data are worth ----------------------------------------------------------------------------------------


def quality(table="register", dimension="coverage", level=1, part=""):
    reason, values = "{share}% of {n} staff answered", json.dumps({"share": 41.5, "n": 12000})
    return pd.DataFrame([{"table": table, "dimension": dimension, "part": part, "level": level, "measure": 0.4,
                          "reason": reason, "values": values}])


def mapped(table="register", column="role_id", unmapped=0.31, loss=0.05):
    return pd.DataFrame([{"table": table, "column": column, "crosswalk": "roles", "unmapped": unmapped, "loss": loss,
                          "rows": 100}])


def resting(quality=None, mapped=None, gates=None, **options):
    """The whole unit's claims, with these tables about its data."""
    gates = {"coverage": 2} if gates is None else gates
    found = data_reasons(quality, mapped, gates=gates, unmapped=0.20)
    return claims_of(unit(), replace(CONTEXT, reasons=tuple(found), **options))


def withheld(claims):
    return set(claims.index[~claims["passed"]])


ALL = {"share_below", "shortfall", "needs", "profile", "plan"}


def test_a_quality_level_below_its_gate_withholds_what_rests_on_the_table_and_says_why():
    claims = resting(quality())
    assert withheld(claims) == ALL
    said = spoken(claims, "en").loc["plan"]
    assert said["sentence"] == ("“the plan”: quality of the register of staff: coverage is at level 1 of 4, and 2 is "
                                "needed: 41.5% of 12,000 staff answered")
    assert "page of queries" in said["unlock"] and said["number"] == ""


@pytest.mark.parametrize("table, expected", [
    ("responses", ALL), ("items", ALL), ("competencies", ALL), ("courses", {"plan"}), ("course_effects", {"plan"}),
    ("requirements", ALL - {"profile"}), ("agencies", {"needs", "plan"}), ("indicators", set()),
])
def test_a_table_withholds_only_what_rests_on_it(table, expected):
    assert withheld(resting(quality(table))) == expected


def test_a_level_at_its_gate_one_without_a_gate_and_one_of_a_part_withhold_nothing():
    for case in (quality(level=2), quality(dimension="validity"), quality(part="A1", level=0)):
        assert withheld(resting(case)) == set()
    assert withheld(resting(quality(), gates={})) == set()


@pytest.mark.parametrize("column, expected", [
    ("role_id", ALL - {"profile"}), ("role_level", ALL - {"profile"}), ("isco08", ALL - {"profile"}),
    ("competency_id", ALL), ("agency_id", {"needs", "plan"}), ("grade", {"plan"}), ("region", set()),
    ("DL01", {"share_below"}),
])
def test_codes_without_counterpart_withhold_what_rests_on_them(column, expected):
    claims = resting(mapped=mapped("responses", column), items={"oversight": ("DL01", "DL02")})
    assert withheld(claims) == expected


def test_a_margin_that_was_mapped_withholds_all_that_is_weighted_by_it():
    assert withheld(resting(mapped=mapped(column="region"), margins=("region",))) == ALL


def test_a_fifth_may_lack_a_counterpart_and_not_more():
    assert withheld(resting(mapped=mapped(unmapped=0.20))) == set()
    claims = resting(mapped=mapped(unmapped=0.21))
    said = spoken(claims, "en").loc["share_below"]
    assert "21% of the codes of roles in the register of staff have no counterpart in “roles”" in said["sentence"]
    assert said["unlock"] == "A crosswalk that covers them would unlock it."


def test_the_worst_reason_is_told_whatever_the_order_of_rows():
    many = pd.concat([mapped(unmapped=0.3), mapped(column="role_level", unmapped=0.6)])
    for order in (many, many[::-1]):
        assert "60% of the codes of role levels" in spoken(resting(quality(), order), "en").loc["plan", "sentence"]


def test_a_claim_with_too_few_answers_says_that_first():
    found = data_reasons(quality(), None, gates={"coverage": 2}, unmapped=0.2)
    claims = claims_of(unit(n=20), replace(CONTEXT, reasons=tuple(found)))
    assert "fewer than 30" in spoken(claims, "en").loc["share_below", "sentence"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reasons_say_the_same_numbers_in_each_language(lang):
    for claims in (resting(quality()), resting(mapped=mapped())):
        for part in PARTS:
            both = zip(spoken(claims, lang)[part], spoken(claims, "en")[part], strict=True)
            assert all(numbers_in(one) == numbers_in(other) for one, other in both)


# --- a unit as it is published, from its stage tables on -----------------------------------------------------------


@dataclass
class Unit:
    """What a release asks of a unit, without the chain."""

    tables: dict
    values: dict
    name: str = "somewhere"

    def table(self, name):
        return self.tables.get(name)

    @cached_property
    def labels(self):
        return LABELS | {("by", "department"): {"en": "departments", "uz": "boʻlim"}}


def values(scale="share", **more):
    return {
        "title": {"en": "Coders", "uz": "Dasturchilar"}, "fictional": False, "report_languages": ["en", "uz"],
        "study": {"population": {"en": "analysts", "uz": "tahlilchilar"}, "years": "2023", "scale": scale},
        "data": {"aggregates": {"source": {"name": "a survey of <analysts>", "get": "x"}}, "competencies": {}},
        "design": {"calibrate": []}, "gaps": {"by": []}, "priorities": {"top": 3, "factors": []},
        "claims": {"respondents": 30, "reliability": 0.7}, "disclosure": {"threshold": 10, "rounding": 5},
        "profiles": {"n_starts": 50}, **more,
    }


def published_tables(scale="share", gaps=False):
    factor = {"share": 1.0, "levels": 4.0, "score": 500.0}[scale]
    nan = np.nan
    rows = [("all", "all", "git", 0.4, nan, nan, nan), ("all", "all", "r", 0.7, 0.66, 0.74, 900),
            ("all", "all", "sas", 0.02, nan, nan, 25), ("all", "all", "stata", 0.31, 0.3, 0.32, nan)]
    rows += [("department", d, c, x, nan, nan, n)
             for d, x, n in (("a", 0.8, nan), ("b", 0.3, 40), ("c", 0.3371, 4)) for c in ("git", "r")]
    means = pd.DataFrame(rows, columns=["by", "group", "variable", "estimate", "ci_low", "ci_high", "n"])
    means[["estimate", "ci_low", "ci_high"]] *= factor
    tables = {
        "competencies": pd.DataFrame({"competency_id": ["r", "git", "sas", "stata"], "label_en": "x", "group": "data"}),
        "means": means.assign(se=nan, n_eff=nan, uncertainty="sampling"),
        "sources": pd.DataFrame({"table": ["aggregates", "competencies"], "file": ["../secret/a.csv", "../x/c.csv"],
                                 "rows": [1200, 4], "kept": [1200, 4], "as_of": ["2023-11-01", ""]}),
    }
    if gaps:
        found = {"level": 1.2, "required": 2.5, "shortfall": 1.4, "share_below": 0.55 if gaps == "levels" else nan}
        tables["gaps"] = pd.DataFrame([
            {"by": "all", "group": "all", "competency_id": c, "statistic": s, "estimate": x + (c == "r") * 0.1,
             "se": nan, "ci_low": nan, "ci_high": nan, "n": nan, "n_eff": nan, "uncertainty": "sampling"}
            for c in ("r", "git") for s, x in found.items()])
    return tables


def publish(tables, said):
    from skillsgap.run.release import Published

    return Published(Unit(tables, said))


def page_of(published, lang):
    from skillsgap.publish import pages

    report = published.report(lang)
    parts = {"head": [report.head()], "claims": [report.claims()], "aside": [report.plan()],
             "main": [report.gaps(), report.groups(), report.profiles(), report.plan_sections(), report.more_claims(),
                      report.no_plan(), report.sources()],
             "foot": [report.foot()]}
    pieces = [(tag, piece) for tag, made in parts.items() for piece in made if piece is not None]
    return pages.assemble(pieces, lang=lang, title=report.title)


def text_of(page):
    body = re.sub(r"(?s)<(style|title)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


CASES = [("share", False), ("levels", False), ("levels", "means"), ("levels", "levels"), ("score", False)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scale, gaps", CASES)
def test_a_unit_of_published_figures_makes_a_whole_page_with_the_same_numbers(scale, gaps, lang):
    published = publish(published_tables(scale, gaps), values(scale))
    page = page_of(published, lang)
    text = text_of(page)
    assert not re.search(r"\bnan\b|NaN|None\b(?! contains)", page) and "secret" not in page
    assert "<script" not in page and "<analysts>" not in page.replace("&lt;analysts&gt;", "")
    assert numbers_in(text) == numbers_in(text_of(page_of(published, "en")))


def test_published_shares_print_as_per_cent_and_say_how_sure_they_are():
    said = spoken(publish(published_tables(), values()).claims.set_index("claim_id"), "en")
    assert said.loc["mean_r", ["number", "certainty"]].tolist() == [
        "70%", "66% to 74%; 900 respondents, as published"]
    assert said.loc["mean_git", "certainty"] == "as published, without interval and number of respondents"
    assert said.loc["mean_stata", "certainty"] == "30% to 32%; number of respondents not published"
    assert "fewer than 30 people answered" in said.loc["mean_sas", "sentence"]
    assert said.index.tolist()[:4] == ["mean_r", "mean_git", "mean_sas", "mean_stata"]
    assert spoken(publish(published_tables("levels"), values("levels")).claims.set_index("claim_id"),
                  "en").loc["mean_r", "number"] == "2.8"


def test_what_needs_microdata_is_withheld_and_says_which_file_unlocks_it():
    claims = publish(published_tables(), values()).claims.set_index("claim_id")
    for claim_id in ("share_below", "profile"):
        said = spoken(claims, "en").loc[claim_id]
        assert "published figures only" in said["sentence"] and "answers of respondents" in said["unlock"]
    text = text_of(page_of(publish(published_tables(), values()), "en"))
    assert "this unit lacks: enough answers of respondents, a register of staff" in text


def test_published_distributions_over_levels_make_the_share_below_a_claim():
    said = spoken(publish(published_tables("levels", "levels"), values("levels")).claims.set_index("claim_id"), "en")
    assert said.loc["share_below", "number"] == "65%" and said.index[0] == "share_below"
    said = spoken(publish(published_tables("levels", "means"), values("levels")).claims.set_index("claim_id"), "en")
    assert said.loc["share_below", "number"] == ""


def test_a_published_figure_that_rests_on_too_few_goes_and_one_of_unknown_n_stays():
    published = publish(published_tables(), values())
    means = published.release.tables["means"].set_index(["group", "variable"])
    assert means.loc[("c", "r"), ["estimate", "n"]].isna().all() and means.loc[("c", "r"), "withheld"]
    assert means.loc[("a", "r"), "estimate"] == 0.8 and not means.loc[("a", "r"), "withheld"]
    assert means.loc[("all", "sas"), "estimate"] == 0.05  # coded, as any share of nearly nobody
    text = text_of(page_of(published, "en"))
    assert "34%" not in text and "withheld" in text
    assert "Figures published without a number of respondents are printed as published." in text
    assert "1 of 3 departments: fewer than 10 respondents." in text


def test_an_estimate_of_unknown_n_is_withheld_as_ever():
    views = {"means": estimates(np.nan, 0.5, by="all", group="all", variable="r")}
    assert release_tables(views, Rules()).withheld == 1
    assert release_tables(views, Rules(), published=("means",)).withheld == 0


def test_a_page_of_published_figures_names_its_sources():
    text = text_of(page_of(publish(published_tables(), values()), "en"))
    assert "published figures a survey of <analysts> 1,200 2023-11-01" in text
    assert "list of competencies c.csv 4 –" in text


def test_a_split_that_is_withheld_as_a_whole_says_so():
    tables = published_tables()
    tables["means"].loc[tables["means"]["by"] == "department", "n"] = 5
    text = text_of(page_of(publish(tables, values()), "en"))
    assert "Figures by departments are withheld: each rests on fewer than 10 respondents." in text


def test_row_order_of_published_figures_changes_nothing():
    tables = published_tables("levels", "levels")
    shuffled = {**tables, **{name: tables[name][::-1].reset_index(drop=True) for name in ("means", "gaps")}}
    assert page_of(publish(shuffled, values("levels")), "en") == page_of(publish(tables, values("levels")), "en")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("more, marked", [
    ({"status": "draft"}, "Draft"), ({"status": "queried"}, "Data queried: answers of the data owner outstanding"),
    ({"status": "cleared"}, ""), ({}, "Draft"), ({"fictional": True}, ""),
    ({"fictional": True, "status": "draft"}, "Draft"),
])
def test_a_unit_that_is_not_cleared_is_marked_on_every_page(more, marked, lang):
    published = publish(published_tables(), values(**more))
    page = page_of(published, lang)
    mark = Words(lang)(marked) if marked else ""
    assert (f'<b class="stamp quiet">{mark}</b>' in page) == bool(mark)
    title = re.search(r"<title>(.*?)</title>", page).group(1)
    assert title.endswith(mark) and published.report(lang).title == title
    # every printed page repeats the title in its margin
    printed = re.search(r'@bottom-left\{content:"(.*?)"', page).group(1)
    assert "".join(chr(int(code, 16)) for code in re.findall(r"\\([0-9a-f]+) ", printed)) == title


def test_a_crosswalk_is_told_in_the_foot_with_what_it_lost():
    tables = {**published_tables(), "mapped": mapped("aggregates", "competency_id", unmapped=0.1, loss=0.05)}
    text = text_of(page_of(publish(tables, values()), "en"))
    assert ("How codes were mapped published figures, competencies: through “roles”, which has no counterpart for 10% "
            "and loses 5% of the rest on average.") in text
    assert "How codes were mapped" not in text_of(page_of(publish(published_tables(), values()), "en"))


def needs_of(*answers):
    """A published unit whose agencies, all of them most in need but the last, have so many answers."""
    levels = [0.9] * (len(answers) - 1) + [0.2]
    needs = estimates(list(answers), levels, by="agency_id", group=list("abcdef")[: len(answers)])
    needs["tier"] = ["most"] * (len(needs) - 1) + ["least"]
    return publish({**published_tables(), "needs": needs}, values())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_groups_with_too_few_answers_stand_in_no_tier_and_claim_and_section_count_the_same(lang):
    published = needs_of(60, 29, 30, 6, 40)
    released, report = published.release.tables["needs"], published.report(lang)
    assert released["tier"].fillna("").tolist() == ["most", "", "most", "", "least"]
    table, said = report.needs_table(), spoken(published.claims.set_index("claim_id"), lang).loc["needs"]
    assert table["group"].tolist() == ["a", "c", "e", "b", "d"] and table["order"].tolist() == [0, 0, 2, 3, 3]
    assert table["estimate"].isna().tolist() == [False] * 4 + [True]
    assert numbers_in(said["number"]) == ["2", "3"] and numbers_in(said["certainty"]) == ["2", "90"]
    section = str(report.groups().html)
    assert numbers_in(re.search("<h2>(.*?)</h2>", section)[1]) == ["2", "3"]
    assert report.words("Too few answers to say") in section


def test_groups_that_differ_by_chance_only_are_not_said_to_need_more():
    tables = unit(most="ab")
    claims = claims_of(tables, replace(CONTEXT, group_reliability={"agency_id": 0.45}))
    held = claims.loc["needs"]
    assert not held["passed"] and "more than chance" in spoken(claims, "en").loc["needs", "sentence"]
    assert claims_of(tables, replace(CONTEXT, group_reliability={"agency_id": 0.75})).loc["needs", "passed"]


@pytest.mark.parametrize(("rate", "said"), [(None, ""), (1.0, ""), (0.5, "non-respondents are 2.0"), (0.9, "whatever")])
def test_a_headline_says_how_unlike_those_who_did_not_answer_would_have_to_be(rate, said):
    told = spoken(claims_of(unit(), replace(CONTEXT, response_rate=rate)), "en")["certainty"]
    assert said in told["share_below"] and ("non-respondents" in told["share_below"]) == bool(said)
    assert "non-respondents" not in told["shortfall"] and len(told["share_below"]) < 110


def test_where_the_first_profile_is_withheld_the_next_is_told_and_nothing_that_is_not_a_number():
    tables = unit()
    tables["profiles"].loc[tables["profiles"]["profile"] == 1, "n"] = 9
    said = spoken(claims_of(tables), "en").loc["profile"]
    assert said["number"] == "30%" and "NaN" not in said["certainty"]


@pytest.mark.parametrize(("place", "why", "said"), [
    (("competency", "oversight"), "no variance", "everybody gave the same answer"),
    (("group", "oversight"), "nothing answered", "nobody answered its questions"),
    (("group", "oversight"), "one item", "too few questions"),
])  # fmt: skip
def test_a_scale_that_tells_nothing_says_so_and_carries_no_claim(place, why, said):
    tables = unit()
    row = tables["reliability"].iloc[[0]].assign(scale=place[0], scale_id=place[1], n_items=1, estimate=np.nan, why=why)
    kept = tables["reliability"]
    kept = kept[(kept["scale"] != place[0]) | (kept["scale_id"] != place[1])]
    claims = claims_of({**tables, "reliability": pd.concat([kept, row], ignore_index=True)})
    assert not claims.loc["share_below", "passed"] and claims.loc["shortfall", "passed"]
    assert said in spoken(claims, "en").loc["share_below", "sentence"]


@pytest.mark.parametrize(("basis", "said"), [
    ({}, "self-reported"), ({"oversight": "tested"}, "calibrated to tests"),
    ({"oversight": "transferred"}, "corrected as tested competencies are"),
])  # fmt: skip
def test_a_headline_says_what_its_levels_rest_on(basis, said):
    assert said in spoken(claims_of(unit(), replace(CONTEXT, basis=basis)), "en").loc["share_below", "certainty"]


def test_a_unit_of_indicators_only_makes_no_claim_and_fails_at_none():
    claims = claims_of({}, replace(CONTEXT, published=True, answered=None))
    assert claims.empty and {"passed", "section", "numbers"} <= set(claims)


def test_without_two_groups_in_a_tier_nobody_is_said_to_need_more_or_less():
    published = needs_of(60, 29, 12)
    assert "needs" not in published.claims["claim_id"].tolist()
    assert "<h2>Too few answered to say which agencies need most</h2>" in str(published.report("en").groups().html)


def test_an_optional_competency_needs_no_question_unless_a_requirement_names_it():
    competencies = pd.DataFrame({"competency_id": ["r", "git", "sas", "stata", "web"], "group": "data",
                                 "audience": ["everyone"] * 4 + ["optional"]})  # fmt: skip
    tables, said = {**published_tables(), "competencies": competencies}, "Competencies without a question"
    foot = lambda **more: text_of(str(publish({**tables, **more}, values()).report("en").foot().html))  # noqa: E731
    assert said not in foot()
    assert f"{said}, and so without a figure: 1 of 5." in foot(requirements=pd.DataFrame({"competency_id": ["web"]}))
    means = tables["means"][tables["means"]["variable"] != "sas"]
    assert f"{said}, and so without a figure: 1 of 4." in foot(means=means)


def test_figures_and_sections_of_what_is_withheld_are_not_shown_either():
    tables = {**published_tables(), "mapped": mapped("aggregates", "competency_id", unmapped=0.4)}
    published = publish(tables, values())
    assert not published.claims["passed"].any() and set(published.facts.stopped) == set(KINDS) - {"readiness"}
    text = text_of(page_of(published, "en"))
    assert "Withheld: 40% of the codes of competencies in the published figures" in text and "70%" not in text
    low = publish({**published_tables(), "quality": quality("aggregates")},
                  values(claims={"respondents": 30, "reliability": 0.7, "quality": {"coverage": 2}}))
    assert not low.claims["passed"].any() and "70%" not in text_of(page_of(low, "en"))
