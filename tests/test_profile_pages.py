"""What people see of the profiles: names that are true, distinct and steady; paragraphs; pictures that fit a page."""

import re
from functools import cache, partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.survey.design import survey_design
from skillsgap.publish import evidence, portraits, profiles
from skillsgap.publish.naming import group_levels, profile_names
from skillsgap.publish.portraits import AGAIN
from skillsgap.publish.profile_section import profile_sections
from skillsgap.publish.spread import spread_figure
from skillsgap.wording import Words

GROUPS = ["digital", "data", "ai", "genai", "oversight", "security"]
COMPETENCIES = pd.DataFrame({"competency_id": [f"{group}_{i}" for group in GROUPS for i in (1, 2)],
                             "group": np.repeat(GROUPS, 2)})  # fmt: skip
LONG = {"en": "Inspectorate of Land and Water Resources", "uz": "Raqamli hukumatni rivojlantirish agentligi"}
LABELS = {("agency_id", f"A{i:02d}"): {lang: f"{name} {i}" for lang, name in LONG.items()} for i in range(60)}
WIDTHS = (1028, 660, 350)


def tables_of(levels, shares, half=0.05):
    """Finished tables of profiles with these group levels (K, 6) and shares."""
    rows = []
    for k, (row, share) in enumerate(zip(levels, shares, strict=True), start=1):
        rows.append((k, "share", "share", share, share - 0.02, share + 0.02, 2500))
        rows += [(k, name, "level", row[i // 2], row[i // 2] - half, row[i // 2] + half, 2500 * share)
                 for i, name in enumerate(COMPETENCIES["competency_id"])]  # fmt: skip
    columns = ["profile", "variable", "statistic", "estimate", "ci_low", "ci_high", "n"]
    return {"profiles": pd.DataFrame(rows, columns=columns), "competencies": COMPETENCIES}


def country(n_profiles=8, n_agencies=60, seed=0):
    """Tables of a large country, with head-counts of agencies and grades."""
    draw = np.random.default_rng(seed)
    levels = np.linspace(0.6, 3, n_profiles)[:, None] + draw.normal(0, 0.5, (n_profiles, len(GROUPS)))
    shares = draw.dirichlet(np.full(n_profiles, 9.0))
    rows = [("all", "all", k + 1, 4e5 * share) for k, share in enumerate(shares)]
    for by, codes in (("agency_id", [f"A{i:02d}" for i in range(n_agencies)]), ("grade", ["G1", "G2", "G3", "G4"])):
        for code in codes:
            tilted = shares * np.exp(draw.normal(0, 0.3, n_profiles))
            rows += [(by, code, k + 1, 5000 * x / tilted.sum()) for k, x in enumerate(tilted)]
    counts = pd.DataFrame(rows, columns=["by", "group", "profile", "estimate"])
    counts = counts.assign(ci_low=counts["estimate"] * 0.8, ci_high=counts["estimate"] * 1.2)
    return tables_of(levels.clip(0.1, 3.9), shares, 0.1) | {"headcounts": counts}


def said(tables, lang="en", given=None):
    return profiles.said_names(tables, Words(lang), given)


@pytest.mark.parametrize("seed", range(40))
def test_names_are_true_of_the_levels_and_never_twice_the_same(seed):
    """Each name held against the table: strongest is above all others outside the intervals, ahead in over half."""
    draw = np.random.default_rng(seed)
    count = 1 + seed % 8
    spread = draw.choice([0.05, 0.3, 0.8])
    levels = np.linspace(0.5, draw.uniform(0.6, 3), count)[:, None] + draw.normal(0, spread, (count, len(GROUPS)))
    tables = tables_of(levels.clip(0, 4), draw.dirichlet(np.full(count, 5.0)))
    assert len(set(said(tables).values())) == len(set(said(tables, "uz").values())) == count
    table = group_levels(tables)
    for k, name in profile_names(tables).items():
        others, inner = table.drop(k), name["values"].get("name", name)
        text = inner["value"]
        if text == "strongest in {group}":
            group = inner["values"]["group"]["value"]
            assert table.at[k, group] - 0.05 > others[group].max() - 1e-9
        if text == "ahead in most things":
            assert (table.loc[k] > others.max()).mean() > 0.5
        if text in ("just starting", "behind in most things"):
            assert (table.loc[k] < others.min()).mean() > 0.5
            assert (table.loc[k].mean() < 1.5) == (text == "just starting")


def test_names_hold_under_small_changes_and_whatever_the_order_of_rows():
    """Levels like those of a fictional country, moved by 0.02: less than their errors."""
    levels = np.array([[1.2, 1.1, 0.8, 0.9, 1.0, 1.5], [2.3, 1.8, 1.4, 1.7, 1.5, 2.2], [2.2, 2.2, 1.3, 1.2, 2.7, 3.1],
                       [2.9, 3.1, 2.1, 1.7, 1.8, 2.4], [3.2, 2.6, 2.8, 3.0, 1.6, 2.3]])  # fmt: skip
    shares, draw = [0.25, 0.31, 0.17, 0.16, 0.11], np.random.default_rng(1)
    names = said(tables_of(levels, shares))
    assert names == {1: "just starting", 2: "about average in most things", 3: "strongest in Oversight and ethics",
                     4: "strongest in Data", 5: "strongest in Generative AI"}  # fmt: skip
    for _ in range(20):
        assert said(tables_of(levels + draw.normal(0, 0.02, levels.shape), shares)) == names
    tables = tables_of(levels, shares)
    assert said(tables | {"profiles": tables["profiles"].sample(frac=1, random_state=0)}) == names


def test_names_of_params_win_and_the_others_stay():
    tables = tables_of(np.array([[0.5] * 6, [3.0] * 6]), [0.5, 0.5])
    assert said(tables, given=["Newcomers"]) == {1: "Newcomers", 2: "ahead in most things"}
    assert said(tables, "uz", given=[{"en": "Newcomers", "uz": "Yangilar"}])[1] == "Yangilar"


def test_a_paragraph_says_size_levels_place_and_stability():
    tables = tables_of(np.array([[0.5, 0.6, 0.4, 0.3, 0.9, 1.0], [3.0, 3.1, 2.9, 2.4, 2.2, 2.0]]), [0.6, 0.4])
    rows = [("all", "all", 600.0, 400.0), ("grade", "G1", 450.0, 50.0), ("grade", "G2", 150.0, 350.0)]
    counts = pd.DataFrame([(by, group, k, x) for by, group, *both in rows for k, x in zip((1, 2), both, strict=True)],
                          columns=["by", "group", "profile", "estimate"])  # fmt: skip
    tables["headcounts"] = counts.assign(ci_low=counts["estimate"] * 0.9, ci_high=counts["estimate"] * 1.1)
    tables["stability"] = pd.DataFrame({"profile": [0, 1, 2], "statistic": ["adjusted_rand_bootstrap", AGAIN, AGAIN],
                                        "estimate": [0.9, 0.8, 0.55]})  # fmt: skip
    words = Words("en")
    first, second = (" ".join(words.say(each["value"], each["values"]) for each in sentences)
                     for sentences in portraits.profile_descriptions(tables).values())  # fmt: skip
    assert first == (
        "60% of staff (58%–62%), about 600 people. Highest level: Security and privacy (1.0, nearest to “awareness”); "
        "lowest: Generative AI (0.3, nearest to “none”). Below the average of all staff in every group of "
        "competencies, most in Digital (−1.0 levels), least in Security and privacy (−0.4). By grades: clearly more "
        "common than among all staff in G1; clearly less in G2. How well new draws of the sample find it "
        "again: stable (Jaccard index 0.80).")  # fmt: skip
    assert "Above the average of all staff" in second and "not to be interpreted" in second
    tables["profiles"].loc[tables["profiles"]["profile"] == 2, "estimate"] = np.nan
    assert [each["value"] for each in portraits.profile_descriptions(tables)[2]] == [
        "Withheld: it stands for too few people."]  # fmt: skip


def test_a_withheld_head_count_cannot_be_told_from_the_shares_beside_it():
    """Shares of a group add up to one, so all go; of other groups they add up (coded ones aside)."""
    counts = country(4, 5)["headcounts"]
    hidden = (counts["group"] == "A01") & (counts["profile"] == 2)
    counts.loc[hidden, ["estimate", "ci_low", "ci_high"]] = np.nan
    table = portraits.group_shares(counts, "agency_id").set_index("group")
    assert table.loc["A01", ["share", "ci_low", "ci_high"]].isna().all(axis=None)
    assert (table.loc["A01", "clear"] == 0).all()
    others = table.drop("A01").groupby("group")["share"].sum()
    np.testing.assert_allclose(others[table.drop("A01").groupby("group")["share"].min() > 0.05], 1)
    assert table["share"].dropna().between(0.05, 0.95).all()


def test_cells_draw_the_interval_of_the_table():
    """Places on each cell's line are those of level_low and level_high between 0 and 4."""
    table = profiles.level_table(country(3, 4), words=Words("en"))
    ax = profiles.profile_figure(table, words=Words("en"))
    bands = [c.get_segments()[0][:, 0] for c in ax.collections if c.get_linewidths()[0] == 4]
    tracks = [c.get_segments()[0][:, 0] for c in ax.collections if c.get_linewidths()[0] == 0.6]
    plt.close(ax.figure)
    drawn = sorted(tuple(((band - track[0]) / np.ptp(track) * 4).round(3)) for band, track in
                   zip(bands, tracks, strict=True))  # fmt: skip
    assert drawn == sorted(zip(table["level_low"], table["level_high"], strict=True))


@pytest.mark.parametrize("seed, ties", [(6, 2), (11, 1)])
def test_the_band_of_near_ties_holds_the_near_ties_and_no_other(seed, ties):
    """Oracle: what `select_profiles` says of people who hardly differ; of seed 11 the next number is just outside."""
    draw = np.random.default_rng(seed)
    kind = draw.integers(0, 3, 300)[:, None]
    answers = pd.DataFrame((draw.random((300, 6)) < 0.15 + 0.3 * kind).astype(int), columns=list("abcdef"))
    selection = select_profiles(answers, range(1, 6), survey_design(answers.assign(weight=1.0), n_replicates=2),
                                n_starts=10)  # fmt: skip
    table = evidence.number_table(selection, words=Words("en"))
    ax = evidence.number_figure(table, words=Words("en"))
    end = max(path.vertices[:, 0].max() for c in ax.collections for path in c.get_paths() if len(path.vertices) > 4)
    marks = dict(xy[::-1] for line in ax.lines if line.get_marker() == "o" for xy in zip(*line.get_data(), strict=True))
    plt.close(ax.figure)
    inside = [bool(marks[y] <= end) for y in sorted(marks)]
    assert inside == selection["near_tie"].tolist() and sum(inside) == ties


@pytest.mark.parametrize("near, used, said", [
    ([3], None, "3 profiles; no other number fits about as well"),
    ([3, 4], 3, "3 profiles; the data can’t tell this number from 4"),
    ([4, 5], None, "3 profiles; 4 and 5 fit better, but with a profile too small to describe"),
    ([3], 5, "5 profiles, as set in the params of this unit; 3 is recommended"),
])
def test_the_number_of_profiles_is_told_with_what_comes_near_it(near, used, said):
    numbers = pd.Series(range(1, 6))
    table = pd.DataFrame({"n_profiles": numbers, "recommended": numbers == 3, "near_tie": numbers.isin(near)})
    assert evidence.number_finding(table, words=Words("en"), used=used) == said


def test_bins_of_too_few_people_are_joined_before_they_are_shown():
    certainty = pd.DataFrame({"bin_low": [0.2, 0.5, 0.7, 0.9, 0.99], "bin_high": [0.5, 0.7, 0.9, 0.99, 1.0],
                              "share": [0.01, 0.02, 0.3, 0.66, 0.01], "n": [3, 8, 200, 400, 4]})  # fmt: skip
    table = evidence.certainty_table(certainty, words=Words("en"), threshold=10)
    assert table["label"].tolist() == ["90% or more", "70% to 90%", "20% to 70%"]
    assert table["n"].tolist() == [404, 200, 11]
    assert table["share"].sum() == pytest.approx(1)
    assert evidence.certainty_finding(table, words=Words("en")).startswith("With a probability of 90% or more 67%")


def test_a_few_unsure_people_do_not_make_everybody_unsure():
    certainty = pd.DataFrame({"bin_low": [0.5, 0.6, 0.9], "bin_high": [0.6, 0.7, 1.0], "share": [0.004, 0.006, 0.99],
                              "n": [3, 4, 540]})  # fmt: skip
    table = evidence.certainty_table(certainty, words=Words("en"), threshold=10)
    assert table[["label", "n", "clear"]].to_numpy().tolist() == [["90% or more", 540, True]]
    assert "over 95% fit one profile" in evidence.certainty_finding(table, words=Words("en"))


PICTURES = ["levels", "competencies", "agencies", "few agencies", "grades", "number", "certainty", "stability"]


@cache
def drawings(lang):
    """Every picture of profiles, of the largest country, in one language."""
    words, tables = Words(lang, LABELS), country()
    agencies = profiles.share_table(tables, "agency_id", words=words)
    numbers = pd.DataFrame({"n_profiles": range(1, 9), "n_parameters": 10 * np.arange(1, 9),
                            "wolfe": np.linspace(18000, 0, 8), "smallest_share": 0.05,
                            "near_tie": np.arange(1, 9) == 8, "recommended": np.arange(1, 9) == 8})  # fmt: skip
    certainty = pd.DataFrame({"bin_low": [0.2, 0.5, 0.9], "bin_high": [0.5, 0.9, 1], "share": [0.02, 0.28, 0.7],
                              "n": [50, 700, 1750]})  # fmt: skip
    stability = pd.DataFrame({"profile": range(1, 9), "statistic": AGAIN, "estimate": np.linspace(0.5, 0.95, 8)})
    stability = stability.assign(ci_low=stability["estimate"] - 0.1, ci_high=stability["estimate"] + 0.05)
    drawn = [
        (profiles.profile_figure, profiles.level_table(tables, words=words)),
        (profiles.profile_figure, profiles.level_table(tables, words=words, detail="competency")),
        (spread_figure, agencies),
        (profiles.share_figure, profiles.share_table(country(5, 12), "agency_id", words=words)),
        (profiles.share_figure, profiles.share_table(tables, "grade", words=words)),
        (evidence.number_figure, evidence.number_table(numbers, words=words)),
        (evidence.certainty_figure, evidence.certainty_table(certainty, words=words, threshold=10)),
        (evidence.stability_figure, evidence.stability_table(stability, tables, words=words)),
    ]
    return dict(zip(PICTURES, drawn, strict=True))


@pytest.mark.parametrize("lang", ["en", "uz"])
@pytest.mark.parametrize("name", PICTURES)
def test_no_text_leaves_the_page_or_covers_another(lang, name):
    """Of 8 profiles and 60 agencies with long names, at each of the widths that are drawn."""
    draw, table = drawings(lang)[name]
    for width in WIDTHS:
        ax = partial(draw, table, words=Words(lang, LABELS))(width=width)
        boxes = [text.get_window_extent() for text in ax.texts]
        page = ax.figure.bbox
        plt.close(ax.figure)
        assert [b for b in boxes if b.x0 < page.x0 - 12 or b.x1 > page.x1 + 12 or b.y0 < page.y0 - 12] == []
        sides = np.array([[b.x0 + 1, b.x1 - 1, b.y0 + 4, b.y1 - 4] for b in boxes])
        x0, x1, y0, y1 = (sides[:, i] for i in range(4))
        over = (x0[:, None] < x1) & (x0 < x1[:, None]) & (y0[:, None] < y1) & (y0 < y1[:, None])
        pairs = [(ax.texts[i].get_text(), ax.texts[j].get_text()) for i, j in np.argwhere(np.triu(over, 1))]
        assert pairs == [], width


def test_the_title_names_the_largest_clear_contrast_only():
    table = pd.DataFrame({"profile": "ahead", "row": ["Tax", "Roads"], "value": [0.3, 0.2], "low": [0.2, 0.1],
                          "high": [0.4, 0.3]})  # fmt: skip
    assert profiles.share_finding(table, "grade", words=Words("en")) == (
        "No profile is clearly more common in one of the grades than in another")  # fmt: skip


FACTS = SimpleNamespace(names=(), frequency=False, starts=50)
SELECTION = pd.DataFrame({"n_profiles": range(1, 6), "n_parameters": 10 * np.arange(1, 6), "wolfe": [900, 90, 9, 0, 8],
                          "smallest_share": 0.1, "average_posterior": 0.93, "starts_reached": 4,
                          "near_tie": np.arange(1, 6) == 4,
                          "recommended": np.arange(1, 6) == 4})  # fmt: skip


def section(tables, lang="en", **facts):
    facts = SimpleNamespace(**vars(FACTS) | facts)
    html = str(profile_sections(tables | {"selection": SELECTION}, facts, Words(lang, LABELS)).html)
    return html, re.sub(r"(?s)<svg.*?</svg>|<[^>]*>", " ", html)


def test_the_section_of_a_report_keeps_what_is_withheld_and_names_the_number():
    tables = country(4, 5)
    hidden = (tables["headcounts"]["group"] == "A01") & (tables["headcounts"]["profile"] == 2)
    tables["headcounts"].loc[hidden, ["estimate", "ci_low", "ci_high"]] = np.nan
    html, text = section(tables)
    assert "1 of 5 agencies are withheld: too few people in one of the profiles." in text
    assert "4 profiles; no other number fits about as well. Of 50 starts, 4" in text
    assert "with a probability of at least 93% on average." in text
    assert "By grades" in text and "By agencies" not in text  # of these there is a picture
    assert html.count('class="finding') == 3 and html.count('class="broad" hidden') == 0
    assert len(re.findall(r">\s*–\s*<", html)) == 2 * 4  # of the agency no profile has a share, on page and phone


def test_many_agencies_take_the_whole_page_and_names_of_params_stand_everywhere():
    names = [f"Kind {k}" for k in range(1, 9)]
    html, text = section(country(8, 60), names=names)
    assert html.count('class="broad" hidden') == 1
    assert all(text.count(name) >= 1 for name in names) and "just starting" not in text
    assert "8 profiles, as set in the params of this unit; 4 is recommended." in text


def test_one_agency_or_none_has_no_picture_and_a_profile_of_few_people_no_numbers():
    tables = country(3, 1)
    assert section(tables)[0].count('class="finding') == 2
    tables["profiles"].loc[tables["profiles"]["profile"] == 2, ["estimate", "ci_low", "ci_high"]] = np.nan
    assert "Withheld: it stands for too few people." in section(tables)[1]
    tables["profiles"]["estimate"] = np.nan
    assert section(tables)[1].strip() == "Profiles are withheld: too few people answered."


def test_of_shares_that_are_coded_alike_each_language_names_the_same_group():
    """Under 5 % in two agencies, whose names the languages order differently: the one with the lower upper end."""
    labels = {("agency_id", code): {"en": en, "uz": uz} for code, en, uz in
              (("a", "Counting House", "Sanoq"), ("b", "Wires", "Aloqa"), ("c", "Roads", "Yoʻllar"))}  # fmt: skip
    table = pd.DataFrame({"profile": "ahead", "share": 0.3, "code": list("abc"), "value": [0.05, 0.05, 0.4],
                          "low": [0.05, 0.05, 0.35], "high": [0.07, 0.2, 0.5], "clear": [-1, -1, 1]})  # fmt: skip
    for lang, name in (("en", "Counting House"), ("uz", "Sanoq")):
        words = Words(lang, labels)
        named = table.assign(row=[words.label("agency_id", code) for code in table["code"]])
        named = named.sort_values("row", key=words.alphabet)
        assert name in profiles.share_finding(named, "agency_id", words=words)
        ax = spread_figure(named, words=words)
        assert [text.get_text() for text in ax.texts if name in text.get_text()]
        plt.close(ax.figure)
