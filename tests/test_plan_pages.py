"""The plan on a page: the same numbers in each language, each from a table; figures that draw; a conflict in words."""

import html
import re
import warnings
from functools import partial
from io import BytesIO

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import SkillsgapError
from skillsgap.publish import pages, plan_figures, plan_section
from skillsgap.publish.claims import make_claims
from skillsgap.publish.disclosure import Rules, release_tables
from skillsgap.publish.gates import Context
from skillsgap.publish.plan_words import FAMILIES, conflict_messages, rule_name
from skillsgap.wording import LANGUAGES, MINUS, Words

matplotlib.use("agg")
SUMMARY = {
    "feasible": 1, "budget": 5e6, "spend": 4_980_000.0, "seats": 14_579, "closed_share": 0.213, "ci_low": 0.171,
    "ci_high": 0.226, "gap": 1e-4, "value": 213.0, "bound": 213.2, "need": 1000.0, "gap_first_share": 0.164,
    "ratio_first_share": 0.195, "regret_median": 0.006, "worst_decile": 0.178, "n_draws": 20, "cautious_share": 0.206,
    "cautious_worst_decile": 0.185, "unquizzed_share": 0.187, "unknown_share": 0.174, "reached": 9_000, "below": 50_000,
}  # fmt: skip
TIERS = {"basic": 10_836, "practitioner": 2_800, "champion": 700, "procurement": 243, "senior_strategy": 0}
COURSES = {"B01": ("basic", "First steps with data"), "B02>P01": ("practitioner", "Dashboards"),
           "B05>B06>C01": ("champion", "Oversight champions"), "R01": ("procurement", "Buying AI step by step")}
LABELS = {("course_id", code): {"en": name, "uz": f"{name} kursi"} for code, name in
          {"B01": "First steps with data", "B02": "Reading charts", "P01": "Dashboards", "B05": "Human oversight",
           "B06": "Ethics", "C01": "Oversight champions", "R01": "Buying AI step by step"}.items()}
LABELS |= {("sex", "female"): {"en": "Women", "uz": "Ayollar"}, ("sex", "male"): {"en": "Men", "uz": "Erkaklar"}}
OFFICES = ["Ministry of Finance", "Tax and Customs Service", "Labour Office", "Court Administration", "Roads"]


def labels(agencies):
    names = {f"A{i:02}": f"{OFFICES[i % 5]} {i // 5 + 1}" for i in range(agencies)}
    return LABELS | {("agency_id", code): {"en": name, "uz": f"{name} idorasi"} for code, name in names.items()}


def words(lang, agencies=12):
    return Words(lang, labels(agencies), {"en": "solar", "uz": "solar"})


def plan_tables(agencies=12, **summary):
    """Tables of a plan as the stage writes them."""
    budgets = np.linspace(0, 10e6, 50)
    best = 0.32 * (1 - np.exp(-budgets / 4.6e6))
    frontier = pd.DataFrame({
        "budget": budgets, "spend": budgets, "seats": budgets / 340, "closed_share": best, "bound_share": best,
        "gap_first_share": best * 0.77, "ratio_first_share": best * 0.92, "enough": budgets > 7.5e6,
        "feasible": budgets >= 1e6})  # fmt: skip
    frontier.loc[~frontier["feasible"], ["closed_share", "gap_first_share", "ratio_first_share"]] = np.nan
    chosen = pd.DataFrame([{**frontier.iloc[0], "budget": 5e6, "closed_share": 0.213, "gap_first_share": 0.164,
                            "ratio_first_share": 0.195, "enough": False, "feasible": True}])
    frontier = pd.concat([frontier, chosen]).sort_values("budget", ignore_index=True)
    cells = [(f"A{i:02}", tier, seats * (i + 1) * 2 // (agencies * (agencies + 1)))
             for i in range(agencies) for tier, seats in TIERS.items()]
    tiers = pd.DataFrame(cells, columns=["agency_id", "tier", "seats"])
    options = pd.DataFrame([{"option_id": courses, "kind": "train", "tier": tier, "courses": courses, "period": 0,
                             "seats": TIERS[tier], "spend": TIERS[tier] * 300.0, "gap_closed": TIERS[tier] * 0.01}
                            for courses, (tier, _) in COURSES.items()])  # fmt: skip
    rules = [("budget", "budget", "at most", "cost", 5e6, 0.0016, 1.0),
             ("seats:B01", "seats", "at most", "seats", 2400.0, 3e-4, 419.0),
             ("seats:R01", "seats", "at most", "seats", 400.0, 1e-4, 333.0),
             ("champions_min", "champions", "at least", "people", 700.0, 9e-4, 645.0),
             ("provider_max:Lantern", "providers", "at least", "0.65 x cost", 3e6, 1e-4, 0.1)]
    return {
        "plan_summary": pd.Series({**SUMMARY, **summary}).rename_axis("name").rename("value").reset_index(),
        "frontier": frontier,
        "plan_tiers": tiers.assign(cost=tiers["seats"] * 300.0, eligible=tiers["seats"] * 3 + 10),
        "plan_options": options,
        "plan_courses": pd.DataFrame({"course_id": ["B01", "P01", "C01", "R01"], "tier": list(TIERS)[:4],
                                      "provider": "x", "period": 0, "seats": list(TIERS.values())[:4],
                                      "spend": [2_708_570.0, 1_634_000.0, 590_000.0, 47_430.0]}),
        "plan_groups": pd.DataFrame({"by": "sex", "group": ["female", "male"], "staff": 10_000.0, "seats": 7_000.0,
                                     "gap_closed": [97.0, 116.0], "need": [480.0, 520.0]}),
        "plan_rules": pd.DataFrame(rules, columns=["rule_id", "family", "sense", "measure", "limit", "one_percent",
                                                   "money"]).assign(binding=True),
        "plan_prices": pd.DataFrame({"family": ["champions", "equity", "floors", "providers", "agency_minimum"],
                                     "closed_share": 0.213, "without_share": 0.22, "money": 1e5,
                                     "forgone": [0.013, 0.004, 0.002, 0, 0],
                                     "forgone_most": [0.013, 0.004, 0.0047, 0.0005, 0.0005],
                                     "enforced": [True, False, True, True, True]}),
        "plan_stability": options[["option_id", "tier"]].assign(stability=[0.97, 0.81, 0.66, 1.0], n_draws=20),
    }  # fmt: skip


CONFLICT = pd.DataFrame([
    {"rule_id": "budget", "family": "budget", "given": 300_000.0, "needed": 412_000.0, "alone": 412_000.0,
     "relaxed_to": 300_000.0, "cost": 0.0},
    {"rule_id": "champions_min", "family": "champions", "given": 1_000.0, "needed": 728.0, "alone": 728.0,
     "relaxed_to": 728.0, "cost": 112_000.0}])


def no_plan():
    return {"plan_summary": pd.DataFrame({"name": ["feasible", "budget"], "value": [0.0, 3e5]}),
            "plan_conflict": CONFLICT}


CONTEXT = Context(scale="levels", answered=400, top=3, respondents_gate=30, reliability_gate=0.7, threshold=10,
                  by=("agency_id",), self_reported=True)


def said_claim(tables, lang):
    claim = make_claims(tables, CONTEXT).set_index("claim_id").loc["plan"]
    return {part: words(lang).say(claim[part], claim["numbers"]) for part in ("number", "sentence", "certainty")}


def a_page(tables, lang, agencies=12):
    said = words(lang, agencies)
    pieces = [("head", pages.head(["Arvenia"], title="Arvenia", words=said)),
              ("aside", plan_section.plan_panel(tables, said_claim(tables, lang), said))]
    sections = plan_section.plan_sections(tables, said)
    pieces += [("main", pages.notice("…")), ("main", pages.notice("…"))]
    pieces += [("main", sections)] if sections is not None else []
    return pages.assemble(pieces, lang=lang, title="Arvenia")


def text_of(page):
    body = re.sub(r"(?s)<(style|title|svg)\b.*?</\1>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def numbers_in(text):
    """Numbers of a text without the marks of its language."""
    text = re.sub(r"(?<=\d)[\s\u00a0\u202f.,](?=\d)", "", text.replace(MINUS, "-"))
    return sorted(re.findall(r"-?\d+", text))


UNITS = {"a dozen agencies": plan_tables, "sixty agencies": partial(plan_tables, 60), "no plan": no_plan,
         "no money": partial(plan_tables, spend=0.0, seats=0, closed_share=0.0, ci_low=0.0, ci_high=0.0, value=0.0)}


@pytest.mark.parametrize("name", UNITS)
def test_a_page_says_the_same_numbers_in_each_language(name):
    tables = UNITS[name]()
    english, uzbek = (text_of(a_page(tables, lang, 60)) for lang in LANGUAGES)
    assert numbers_in(english) == numbers_in(uzbek) and len(numbers_in(english)) >= 3
    assert not re.search(r"\b(nan|None|inf)\b|[{}]", english + uzbek)


def test_the_page_tells_what_the_tables_hold():
    """Oracle: the tables above, read by hand."""
    text = text_of(a_page(plan_tables(), "en"))
    for said in ("14,579 people for 5 million solar", "close 21% of the shortfall", "largest gaps first closes 16%",
                 "17%–23% if courses do more or less", "with the same seats filled at random 19%",
                 "without knowing any profile would close 17%", "Fairness would cost the plan 0.4% of the shortfall",
                 "“Women”: 48% of the need, 46% of what is closed", "another 50,000 solar would close about 0.16%",
                 "Seats in courses (First steps with data): full; one more seat would be worth 419 solar",
                 "just met with 700 people; one person less would be worth 645 solar",
                 "Where two figures stand, the price lies between them",
                 "In nine of ten draws the plan closes at least 18%", "20 draws"):  # fmt: skip
        assert said in text, said
    assert "333" not in text, "of a family the dearest rule is told and no other"


def test_withheld_cells_are_called_so_and_add_to_nothing():
    tables = plan_tables()
    tables["plan_tiers"].loc[tables["plan_tiers"]["tier"] == "procurement", "seats"] = np.nan
    assert "withheld" in a_page(tables, "en") and "NaN" not in a_page(tables, "en")


def test_released_tables_of_a_plan_make_the_same_page():
    tables = plan_tables()
    assert text_of(a_page(release_tables(tables, Rules()).tables, "en")) == text_of(a_page(tables, "en"))


def test_of_many_agencies_those_with_most_people_are_shown_by_the_alphabet():
    table = plan_section.tier_table(plan_tables(60), words("en", 60))
    shown = list(dict.fromkeys(table["label"]))
    most = {words("en", 60).label("agency_id", f"A{i}") for i in range(45, 60)}
    assert shown == sorted(shown) and set(shown) == most
    assert "Senior strategy" not in set(table["tier"]), "a tier that nobody takes has no column"


def test_a_budget_without_a_plan_is_not_on_the_frontier():
    table = plan_section.frontier_table(plan_tables())
    assert table["budget"].min() >= 1e6 and table["best"].notna().all() and table["chosen"].sum() == 1
    assert table.loc[table["chosen"], ["ci_low", "ci_high"]].notna().all(axis=None)
    assert table.loc[~table["chosen"], ["ci_low", "ci_high"]].isna().all(axis=None)


def said_conflict(table, lang="en"):
    return [words(lang).say(each["value"], each["values"]) for each in conflict_messages(table)]


def test_a_conflict_is_told_with_its_figures_and_the_cheapest_way_out():
    """Oracle: the sentence of the issue, champions that need 412,000 under a budget of 300,000."""
    assert said_conflict(CONFLICT) == [
        "For the number of champions it takes 412,000 solar; the budget is 300,000 solar",
        "The smallest change that makes a plan possible: the number of champions from 1,000 people to 728 people",
        "Or one change alone: the budget to 412,000 solar"]
    assert said_conflict(CONFLICT[::-1]) == said_conflict(CONFLICT)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_conflicts_without_money_without_limits_and_of_many_rules_are_told(lang):
    asked = CONFLICT.assign(rule_id=["seats:C01", "champions_min"], family=["seats", "champions"], given=[20.0, 30.0],
                            needed=[30.0, 20.0])  # fmt: skip
    assert "20" in said_conflict(asked, lang)[0] and "30" in said_conflict(asked, lang)[0]
    share = CONFLICT[:1].assign(rule_id="equity:sex=female", family="equity", given=0.46, needed=0.41, alone=np.nan,
                                relaxed_to=np.nan)  # fmt: skip
    assert "46%" in said_conflict(share, lang)[0] and "41%" in said_conflict(share, lang)[0]
    empty = CONFLICT.assign(given=np.nan, needed=np.nan, alone=np.nan, relaxed_to=np.nan)
    assert len(said_conflict(empty, lang)) == 1
    many = pd.concat([CONFLICT[:1], *[CONFLICT[1:].assign(rule_id=f"champions_agency_min:A0{i}") for i in range(5)]])
    assert "A0" not in said_conflict(many, lang)[0].partition(";")[0], "more than three rules are named by their family"


def test_counts_of_few_people_are_not_told():
    """Limits of devices, languages and interest are head-counts of strata: neither they nor their places are said."""
    few = CONFLICT.assign(rule_id=["able device_access=yes:A01/clerk/staff", "champions_min"],
                          family=["able", "champions"], given=[3.0, 20.0], needed=[9.0, 7.0], alone=[9.0, 7.0],
                          relaxed_to=[9.0, 20.0])  # fmt: skip
    assert said_conflict(few) == [
        "the number of champions: 20 people; devices, languages and earlier courses leave room for 7 people",
        "Or one change alone: the number of champions to 7 people"]
    tables = plan_tables()
    tables["plan_rules"] = pd.DataFrame([{"rule_id": "able device_access=yes:A01/clerk/staff", "family": "able",
                                          "sense": "at most", "measure": "people", "limit": 3.0, "one_percent": 0.0,
                                          "money": 2906.0, "binding": True}])
    (said,) = plan_section.leeway(tables, words("en"))
    assert said.startswith("Devices, languages and earlier courses: at the limit in places;") and "3" not in said


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_family_of_rules_has_a_name(family, lang):
    name = rule_name(f"{family}:A00/clerk/staff", family)
    said = words(lang).say(name["value"], name.get("values", {}))
    if family != "own":  # named by the ministry, in params
        assert said.startswith(words(lang)(FAMILIES[family])) and ("(" in said) == (family != "able")


FIGURES = {
    "frontier": lambda said: partial(plan_figures.frontier_figure, plan_section.frontier_table(plan_tables())),
    "tiers": lambda said: partial(plan_figures.tier_figure, plan_section.tier_table(plan_tables(), said)),
    "tiers of many": lambda said: partial(plan_figures.tier_figure, plan_section.tier_table(plan_tables(60), said)),
    "prices": lambda said: partial(plan_figures.price_figure, plan_section.price_table(plan_tables(), said)),
    "kept": lambda said: partial(plan_figures.kept_figure, plan_section.kept_table(plan_tables(), said)),
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [1028, 660, 350])
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_in_each_width_and_language_with_its_text_inside(name, width, lang):
    # The measuring font is the widest a page may fall back to, so the agg picture is the worst case.
    said = words(lang, 60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = FIGURES[name](said)(words=said, width=width)
        ax.figure.savefig(BytesIO(), format="png")
    boxes, edge = [text.get_window_extent() for text in ax.texts], ax.figure.bbox
    plt.close(ax.figure)
    assert min(box.x0 for box in boxes) > edge.x0 - 8 and max(box.x1 for box in boxes) < edge.x1 + 24
    assert min(box.y0 for box in boxes) > edge.y0 - 8 and max(box.y1 for box in boxes) < edge.y1 + 8


@pytest.mark.parametrize("name", ["frontier", "tier", "price", "kept"])
def test_a_figure_says_what_its_table_lacks(name):
    with pytest.raises(SkillsgapError, match=f"{name}_figure"):
        getattr(plan_figures, f"{name}_figure")(pd.DataFrame({"label": ["x"]}), words=words("en"))
