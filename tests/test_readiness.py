"""AI readiness: by hand, against an independent simulation, its limits and floors, and what a page says of it."""

import html
import itertools
import re

import numpy as np
import pandas as pd
import pytest

from skillsgap.contracts import PILLARS, check
from skillsgap.errors import EstimateError
from skillsgap.estimate.readiness import CONCENTRATION, readiness
from skillsgap.publish.disclosure import Rules, release_tables
from skillsgap.publish.readiness import pillar_table, readiness_section
from skillsgap.wording import LANGUAGES, Words

FLOORS = {"proficiency": 0.5, "infrastructure": 0.5, "regulation": 0.5}
COLUMNS = ["indicator_id", "pillar", "direction", "min", "max", "value", "owner"]


def rows(*values):
    return pd.DataFrame(values, columns=COLUMNS)


def six():
    """Scores 0.6 and 0.8; 0.75 and 0.25 (lower is better); 0.1 and 0.5."""
    return rows(
        ("trained", "proficiency", "higher", 0, 100, 60, "academy"),
        ("passed", "proficiency", "higher", 1, 6, 5, "academy"),
        ("outage", "infrastructure", "lower", 0, 20, 5, "data centre"),
        ("age", "infrastructure", "lower", 2, 10, 8, "data centre"),
        ("rules", "regulation", "higher", 0, 10, 1, "ministry of justice"),
        ("audits", "regulation", "higher", 0, 4, 2, "audit office"),
    )


def of(scores):
    """Indicators from scores: {pillar: [score, …]}."""
    return rows(*((f"{pillar[0]}{i}", pillar, "higher", 0.0, 1.0, score, f"owner of {pillar[0]}{i}")
                  for pillar, values in scores.items() for i, score in enumerate(values)))  # fmt: skip


def named(table, **options):
    return readiness(table, **options).set_index("name")


# --- by hand ----------------------------------------------------------------------------------------------------


def test_six_indicators_by_hand():
    """Pillars 0.7, 0.5 and 0.3: arithmetic 0.5, geometric the cube root of 0.105; equal weights."""
    made = named(six())
    assert made.index.tolist() == [*PILLARS, "arithmetic", "geometric"]
    assert made["estimate"].tolist() == pytest.approx([0.7, 0.5, 0.3, 0.5, 0.105 ** (1 / 3)], rel=1e-12)
    assert made["n_indicators"].tolist() == [2, 2, 2, 6, 6] and set(made["uncertainty"]) == {"method"}
    # of two indicators each stands alone where the other is left out: 2.5 % between the lowest and the middle of three
    assert made.loc["regulation", ["ci_low", "ci_high"]].tolist() == pytest.approx([0.11, 0.49])
    assert check("readiness", made.reset_index()).empty


def test_declared_weights_by_hand():
    made = named(six(), weights={"proficiency": 2, "regulation": 5})  # 2 : 1 : 5, so of 8
    assert made.loc["arithmetic", "estimate"] == pytest.approx((2 * 0.7 + 0.5 + 5 * 0.3) / 8)
    assert made.loc["geometric", "estimate"] == pytest.approx((0.7**2 * 0.5 * 0.3**5) ** (1 / 8))
    twice = named(six(), weights={"proficiency": 4, "infrastructure": 2, "regulation": 10})
    pd.testing.assert_frame_equal(made, twice)  # only ratios count


def test_a_pillar_below_its_floor_is_flagged_with_its_smallest_change_and_owner():
    """Regulation lacks 0.2 of a mean of two, so 0.4 of any one range: rules, at 0.1, has most room, and goes to 5."""
    made = named(six(), floors=FLOORS)
    assert made["below"].tolist() == [False, False, True, False, False]  # 0.5 is no less than 0.5
    lift = ["lift_indicator", "lift_from", "lift_to", "lift_owner"]
    assert made.loc["regulation", lift].tolist() == ["rules", 1, 5, "ministry of justice"]
    assert (made.drop("regulation")["lift_indicator"] == "").all() and made.drop("regulation")["lift_to"].isna().all()
    down = named(six(), floors={"infrastructure": 0.625}).loc["infrastructure"]
    assert down[lift].tolist() == ["age", 8, 6, "data centre"]  # lower is better: a quarter of 8 years less


def test_a_floor_is_no_matter_of_the_average():
    high = named(of({"proficiency": [1.0], "infrastructure": [1.0], "regulation": [0.49]}), floors=FLOORS)
    assert high.loc["arithmetic", "estimate"] > 0.8 and high["below"].sum() == 1


def test_where_none_alone_can_lift_a_pillar_none_is_named():
    made = named(of({"regulation": [0.1, 0.1, 0.1]}), floors={"regulation": 0.5})
    assert made.loc["regulation", "below"] and made.loc["regulation", "lift_indicator"] == ""
    just = named(of({"regulation": [0.1, 0.1, 0.1]}), floors={"regulation": 0.4}).loc["regulation"]
    assert [just["lift_indicator"], just["lift_to"]] == ["r0", 1.0]  # to its best value, and the first of equals


@pytest.mark.parametrize(("low", "high", "decimals"), [(0, 1, 3), (0, 100, 1), (0, 80, 2), (0, 0.05, 4), (0, 1e7, 0)])
@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_a_change_is_told_in_few_digits_and_still_lifts(low, high, decimals, direction):
    rng = np.random.default_rng(1)
    for _ in range(20):
        table = of({"regulation": rng.uniform(0, 0.5, 3)}).assign(direction=direction, min=low, max=high)
        table["value"] = low + (high - low) * (table["value"] if direction == "higher" else 1 - table["value"])
        made = named(table, floors={"regulation": 0.5}).loc["regulation"]
        if not made["lift_indicator"]:
            continue
        to = made["lift_to"]
        assert to == round(to, decimals) or to in (low, high)
        lifted = table.assign(value=table["value"].where(table["indicator_id"] != made["lift_indicator"], to))
        again = named(lifted, floors={"regulation": 0.5}).loc["regulation"]
        assert not again["below"] and again["estimate"] <= 0.5 + 0.5 * 10.0**-decimals / (high - low)


# --- limits and gaps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "line"), [
    ({"value": 11}, "rules: value 11 is outside 0 to 10: correct it, or the limits"),
    ({"value": -0.001}, "rules: value -0.001 is outside 0 to 10"),
    ({"value": np.nan}, "rules: value nan is outside 0 to 10"),
    ({"min": 10}, "rules: min 10 is not below max 10"),
    ({"max": np.inf}, "rules: min 0 is not below max inf"),
    ({"pillar": "money"}, "rules: pillar money is none of proficiency, infrastructure, regulation"),
    ({"direction": "up"}, "rules: direction up is neither higher nor lower"),
])  # fmt: skip
def test_what_cannot_be_meant_is_one_line_that_names_the_indicator(change, line):
    table = six().astype({"min": float, "max": float, "value": float})
    for column, x in change.items():
        table.loc[table["indicator_id"] == "rules", column] = x
    with pytest.raises(EstimateError, match=f"^indicators: {re.escape(line)}") as caught:
        readiness(table)
    assert "\n" not in str(caught.value)
    with pytest.raises(EstimateError, match=r"^indicators: age: value .* \(6 such\)$"):
        readiness(six().assign(value=1000))


@pytest.mark.parametrize("options", [
    {"weights": {"proficiency": 0}}, {"weights": {"proficiency": -1}}, {"weights": {"proficiency": np.inf}},
    {"weights": {"money": 1}}, {"floors": {"regulation": 1.1}}, {"floors": {"regulation": np.nan}},
])  # fmt: skip
def test_weights_and_floors_that_cannot_be_meant_are_refused(options):
    with pytest.raises(EstimateError, match="^readiness: (proficiency|money|regulation): "):
        readiness(six(), **options)


def test_both_limits_are_inside():
    made = named(of({"proficiency": [0, 0], "infrastructure": [1, 1], "regulation": [1, 1]}))
    assert made["estimate"].tolist() == pytest.approx([0, 1, 1, 2 / 3, 0])
    full = readiness(of({pillar: [1, 1, 1] for pillar in PILLARS}))
    assert full[["estimate", "ci_low", "ci_high"]].stack().tolist() == pytest.approx([1.0] * 15)
    assert check("readiness", full).empty  # a sum of thirds is no more than 1


@pytest.mark.parametrize("gone", [["regulation"], ["proficiency", "infrastructure"], list(PILLARS)])
def test_without_a_pillar_there_is_no_overall_figure_and_the_others_stay(gone):
    table = six()
    made = named(table[~table["pillar"].isin(gone)], floors=FLOORS)
    assert made.loc[["arithmetic", "geometric", *gone], ["estimate", "ci_low", "ci_high"]].isna().all(axis=None)
    kept = [pillar for pillar in PILLARS if pillar not in gone]
    assert made.loc[kept, "estimate"].tolist() == named(table).loc[kept, "estimate"].tolist()
    assert not made.loc[gone, "below"].any() and check("readiness", made.reset_index()).empty


# --- intervals ----------------------------------------------------------------------------------------------------


def simulated(scores, weights, n, seed):
    """Both means, drawn one at a time: gamma weights, and one indicator or none left out by lot."""
    rng, drawn = np.random.default_rng(seed), []
    names = [(p, i) for p in PILLARS for i in range(len(scores[p])) if len(scores[p]) > 1]
    for _ in range(n):
        out = (names + [None])[rng.integers(len(names) + 1)]
        pillars = [np.mean([x for i, x in enumerate(scores[p]) if (p, i) != out]) for p in PILLARS]
        weight = rng.gamma(CONCENTRATION * np.array(weights) / sum(weights))
        weight /= weight.sum()
        drawn.append([sum(w * x for w, x in zip(weight, pillars, strict=True)),
                      np.exp(sum(w * np.log(x) for w, x in zip(weight, pillars, strict=True)))])  # fmt: skip
    return np.percentile(drawn, [2.5, 97.5], axis=0).T


@pytest.mark.parametrize("weights", [(1, 1, 1), (3, 1, 2)])
def test_intervals_of_both_means_equal_an_independent_simulation(weights):
    scores = {"proficiency": [0.9, 0.6, 0.8], "infrastructure": [0.5], "regulation": [0.2, 0.3, 0.1, 0.6]}
    made = named(of(scores), weights=dict(zip(PILLARS, weights, strict=True)), n_draws=20_000, random_state=3)
    got = made.loc[["arithmetic", "geometric"], ["ci_low", "ci_high"]].to_numpy(dtype=float)
    np.testing.assert_allclose(got, simulated(scores, weights, 40_000, 5), atol=0.005)


def test_intervals_of_pillars_are_what_leaving_out_does_and_one_indicator_has_none():
    scores = [0.2, 0.4, 0.9, 0.5]
    made = named(of({"proficiency": scores, "infrastructure": [0.5], "regulation": [0.3, 0.3]}))
    means = [np.mean(kept) for kept in itertools.combinations(scores, 3)] + [np.mean(scores)]
    assert made.loc["proficiency", ["ci_low", "ci_high"]].tolist() == pytest.approx(np.percentile(means, [2.5, 97.5]))
    assert made.loc["infrastructure", ["ci_low", "ci_high"]].isna().all()
    assert made.loc["regulation", ["ci_low", "ci_high"]].tolist() == pytest.approx([0.3, 0.3])


def test_the_comment_on_the_concentration_is_true():
    third = np.random.default_rng(0).dirichlet([CONCENTRATION / 3] * 3, 200_000)[:, 0]
    assert np.percentile(third, [2.5, 97.5]).round(2).tolist() == [0.18, 0.51]


def test_the_geometric_mean_is_never_above_the_arithmetic_one_and_intervals_hold_the_estimate():
    rng = np.random.default_rng(7)
    for _ in range(50):
        table = of({pillar: rng.uniform(0, 1, rng.integers(1, 5)) for pillar in PILLARS})
        made = named(table, weights=dict(zip(PILLARS, rng.uniform(0.2, 5, 3), strict=True)), n_draws=200)
        low, high = (made.loc[name] for name in ("geometric", "arithmetic"))
        assert (low[["estimate", "ci_low"]] <= high[["estimate", "ci_low"]] + 1e-12).all()
        told = made[made["ci_low"].notna()]
        assert (told["ci_low"] <= told["estimate"] + 1e-12).all()
        assert (told["estimate"] <= told["ci_high"] + 1e-12).all()


def test_row_order_changes_no_bit_and_the_seed_decides():
    table, options = six(), {"floors": FLOORS, "weights": {"regulation": 2}}
    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 97):
        pd.testing.assert_frame_equal(readiness(table.iloc[list(order)], **options), readiness(table, **options),
                                      check_exact=True)  # fmt: skip
    other = readiness(table, **options, random_state=1)
    assert not other["ci_low"].equals(readiness(table, **options)["ci_low"])


# --- on the page --------------------------------------------------------------------------------------------------


def said(table, lang="en", **options):
    released = release_tables({"readiness": readiness(table, **options)}, Rules()).tables["readiness"]
    labels = {("indicator_id", "rules"): {"en": "Rules in force", "uz": "Amaldagi qoidalar"}}
    section = readiness_section(released, Words(lang, labels))
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<svg.*?</svg>|<[^>]*>", " ", str(section.html), flags=re.S)))


def test_the_title_states_the_finding_and_the_sentence_the_smallest_change_and_its_owner():
    text = said(six(), floors=FLOORS)
    assert "“Regulatory preparedness” is the pillar below its floor" in text
    assert "“Rules in force” from 1 to 5 (owner: ministry of justice)" in text
    assert "arithmetic mean of the pillars is 50 (37 to 62) of 100, and the geometric" in text
    assert "a weak pillar counts more, 47 (28 to 59)." in text
    assert "All three pillars reach their floors" in said(six(), floors=dict.fromkeys(PILLARS, 0.3))
    assert "No pillar that has a floor is below it" in said(six(), floors={"regulation": 0.3})
    assert "“Digital infrastructure” and “Regulatory preparedness” are below their floors" in said(
        six(), floors=dict.fromkeys(PILLARS, 0.6))  # fmt: skip
    alone = said(six())
    assert "Workforce proficiency 70, Digital infrastructure 50, and Regulatory preparedness 30" in alone
    none = said(of({pillar: [0.1, 0.1, 0.1] for pillar in PILLARS}), floors={"regulation": 0.9})
    assert "No indicator alone can lift “Regulatory preparedness” to its floor." in none


def test_without_a_pillar_the_overall_figure_is_withheld_and_said():
    table = six()
    text = said(table[table["pillar"] != "infrastructure"])
    assert "An overall figure is withheld: there are no indicators of “Digital infrastructure”." in text
    assert "arithmetic" not in text and "nan" not in text.lower()
    assert "AI readiness is withheld" in said(table.iloc[:0])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_says_the_same_numbers_and_nothing_is_nan(lang):
    for table in (six(), of({"proficiency": [1.0], "infrastructure": [0.98, 1.0], "regulation": [0.004, 0.0]})):
        text = said(table, lang, floors=FLOORS)
        assert not re.search(r"\bnan\b|NaN|None", text) and "{" not in text
        assert sorted(re.findall(r"\d+", text)) == sorted(re.findall(r"\d+", said(table, "en", floors=FLOORS)))


def test_a_pillar_just_below_its_floor_is_never_drawn_as_met():
    table = readiness(of({"proficiency": [0.4999], "regulation": [0.9]}), floors=FLOORS)
    drawn = pillar_table(table, Words("en"))
    assert drawn["gap"].tolist() == [-1, 40] and drawn["hot"].tolist() == [True, False]
