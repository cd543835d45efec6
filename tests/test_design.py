"""Designs, their replicates and means: textbook formulas and hand computation (against R's survey: test_oracles.py)."""

import numpy as np
import pandas as pd
import pytest

from skillsgap.errors import EstimateError
from skillsgap.estimate.survey.design import replicate_design, survey_design
from skillsgap.estimate.survey.means import design_means

# --- textbook variances --------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_psu", [1, 3])
def test_rao_wu_variance_is_the_textbook_stratified_one(per_psu):
    """Equal weights in a stratum keep the mean linear, so expectation is exact; B draws leave sqrt(2 / B)."""
    rng, replicates = np.random.default_rng(5), 4000
    strata, units, stands_for = [4, 7, 12], np.array([0.5, 0.3, 0.2]), []
    for stratum, (n, share) in enumerate(zip(strata, units, strict=True)):
        centre = rng.normal(stratum, 1, n)
        for psu in range(n):
            stands_for.append(pd.DataFrame({"stratum": stratum, "psu": psu, "weight": share / (n * per_psu),
                                            "y": rng.normal(centre[psu], 0.5, per_psu)}))
    rows = pd.concat(stands_for, ignore_index=True).rename_axis("row_key")
    design = survey_design(rows, n_replicates=replicates, random_state=1)
    psu_means = rows.groupby(["stratum", "psu"])["y"].mean().groupby("stratum")
    textbook = (units**2 * psu_means.var() / psu_means.size()).sum()
    got = design_means(rows[["y"]], design)["se"].item() ** 2
    assert abs(got / textbook - 1) < 4 * np.sqrt(2 / replicates)
    assert design.degf == sum(strata) - 3


def test_plausible_values_are_combined_by_rubins_rule():
    """By hand: PV 1 has mean 2.25, replicates 2 and 2.5, so U = 0.125; PV 2 has mean 3 in all, so U = 0.

    B = var(2.25, 3) = 0.28125 and the variance is (0.125 + 0) / 2 + (1 + 1/2) B = 0.484375.
    """
    rows = pd.DataFrame({"weight": [1.0, 1.0, 2.0]})
    given = pd.DataFrame({"r1": [2.0, 0.0, 2.0], "r2": [0.0, 2.0, 2.0]})
    design = replicate_design(rows["weight"], given, method="jk2")
    draws = [pd.DataFrame({"pv": [1.0, 2.0, 3.0]}), pd.DataFrame({"pv": [2.0, 2.0, 4.0]})]
    row = design_means(draws, design).iloc[0]
    assert row["estimate"] == pytest.approx(2.625)
    assert row["se"] == pytest.approx(np.sqrt(0.484375))
    assert (row["n"], row["uncertainty"]) == (3, "sampling+measurement")
    assert row["n_eff"] == pytest.approx(16 / 6)


def test_groups_are_domains_and_one_without_answers_has_no_estimate_and_no_error():
    rows = pd.DataFrame({"weight": 1.0, "y": [1.0, 3.0, np.nan, np.nan]})
    table = design_means(rows[["y"]], survey_design(rows), by=pd.Series(["a", "a", "b", None])).set_index("group")
    assert table.loc["a", "estimate"] == 2 and list(table.index) == ["a", "b"]
    assert table.loc["b", ["estimate", "se", "ci_low", "ci_high"]].isna().all() and table.loc["b", "n"] == 0


def test_intervals_of_shares_stay_between_0_and_1():
    rows = pd.DataFrame({"weight": 1.0, "y": [1.0] + [0.0] * 11})
    table = design_means(rows[["y"]], survey_design(rows), shares=["y"])
    assert 0 < table["ci_low"].item() < table["estimate"].item() < table["ci_high"].item() < 1


# --- one clear line ---------------------------------------------------------------------------------------------


def line_of(function, *args, **options):
    with pytest.raises(EstimateError) as caught:
        function(*args, **options)
    text = str(caught.value)
    assert "\n" not in text and ": " in text
    return text


def test_a_stratum_with_one_sampling_unit():
    rows = pd.DataFrame({"weight": 1.0, "stratum": ["s1", "s1", "s2"]})
    text = line_of(survey_design, rows)
    assert "stratum 's2' has one sampling unit" in text and "set design.lonely_psu to collapse" in text


def test_no_usable_weight():
    assert "none is positive" in line_of(survey_design, pd.DataFrame({"weight": [0.0, 0.0]}))
    for wrong in (np.nan, "heavy"):
        assert "not finite: correct column w" in line_of(survey_design, pd.DataFrame({"w": [1.0, wrong]}), weight="w")


def test_a_column_that_is_not_there():
    rows = pd.DataFrame({"weight": [1.0, 1.0]})
    assert "no column wgt" in line_of(survey_design, rows, weight="wgt")
    assert "no column region" in line_of(survey_design, rows, stratum="region")
    assert "no column agency" in line_of(survey_design, rows, stages=[("agency", None)])


def test_a_jackknife_of_too_many_units():
    rows = pd.DataFrame({"weight": np.ones(20_000)})
    assert "each of 20000 units" in line_of(survey_design, rows, method="jackknife")


def test_units_without_a_weight_give_no_degrees_of_freedom():
    rows = pd.DataFrame({"weight": [1.0, 1, 1, 1, 0, 0], "stratum": list("aaabbb"), "psu": [1, 2, 3, 4, 5, 6]})
    assert survey_design(rows, method="linearization").degf == 2


def test_replicates_of_which_nobody_says_how_they_were_made():
    """Taken for a bootstrap, the standard errors of 80 JK2 replicates would be a ninth of the right ones."""
    rows = pd.DataFrame({"weight": [1.0, 1.0]})
    text = line_of(replicate_design, rows["weight"], rows[["weight"]], method=None)
    assert "known are jk1, jkn, jk2, brr, fay, bootstrap" in text and "data.responses.replicates" in text
    assert "give rho" in line_of(replicate_design, rows["weight"], rows[["weight"]], method="fay")
