"""Korea's PIAAC file through the chain against an independent computation in plain numpy, written here.

Sampling variance: sum of squared deviations of 80 JK2 replicates (scale 1), mean over 10 plausible values; total
variance U + 1.1 B. Requirement: 5th weighted percentile of the well matched (F_Q07a = F_Q07b = 2) of an occupation.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REPO = Path(__file__).parents[1]
FILE = Path("survey_piaac") / "piaac_kor_employed.parquet"
PLACES = [Path(os.environ["SKILLSGAP_DATA"])] if os.environ.get("SKILLSGAP_DATA") else []
DATA = next((place for place in [*PLACES, REPO.parent / "shared" / "data"] if (place / FILE).is_file()), None)
PREFIX = {"literacy": "PVLIT", "numeracy": "PVNUM"}
MISSING = ["9995", "9996", "9997", "9998", "9999"]

pytestmark = pytest.mark.skipif(
    DATA is None, reason=f"{FILE.name} (the OECD's PIAAC public use file of Korea) is neither in SKILLSGAP_DATA nor in "
    "../shared/data")  # fmt: skip


@pytest.fixture(scope="module")
def raw():
    """The file as it is: one row an employed respondent."""
    return pd.read_parquet(DATA / FILE)


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The unit in a project folder of its own, so that its store starts empty."""
    from skillsgap.run.unit import Unit
    from skillsgap.study.params import read_params

    root = tmp_path_factory.mktemp("kor")
    shutil.copytree(REPO / "params", root / "params")
    return Unit(read_params(root / "params" / "kor-piaac.yaml"), agency=None, data=DATA, root=root)


class Survey:
    """Plain arrays of the file."""

    def __init__(self, raw):
        self.public = (raw["D_Q03"] == 2).to_numpy(dtype=bool)
        self.weights = np.column_stack([raw[f"SPFWT{r}"].to_numpy(dtype=float) for r in range(81)])
        self.scores = {name: np.column_stack([raw[f"{prefix}{m}"].to_numpy(dtype=float) for m in range(1, 11)])
                       for name, prefix in PREFIX.items()}
        self.matched = ((raw["F_Q07a"] == 2) & (raw["F_Q07b"] == 2)).fillna(False).to_numpy(dtype=bool)
        self.isco = raw["ISCO1C"].astype(str).to_numpy()
        self.industry = raw["ISIC1C"].astype(object).where(raw["ISIC1C"].notna(), "").astype(str).to_numpy()

    def requirements(self, name):
        """Occupation -> (10 plausible values, 81 weights); none for the armed forces and where fewer than 10."""
        table = {}
        for code in sorted(set(self.isco) - {"0", *MISSING}):
            rows = np.flatnonzero(self.matched & (self.isco == code))
            if len(rows) < 10:
                continue
            table[code] = np.empty((10, 81))
            for m in range(10):
                order = rows[np.argsort(self.scores[name][rows, m], kind="stable")]
                for r in range(81):
                    cumulated = np.cumsum(self.weights[order, r])
                    first = np.flatnonzero(cumulated / cumulated[-1] >= 0.05 - 1e-12)[0]
                    table[code][m, r] = self.scores[name][order[first], m]
        return table


@pytest.fixture(scope="module")
def survey(raw):
    return Survey(raw)


def combined(stack):
    """Estimate and standard error of (10 plausible values, 81 weights)."""
    sampling = ((stack[:, 1:] - stack[:, :1]) ** 2).sum(axis=1).mean()
    return stack[:, 0].mean(), np.sqrt(sampling + 1.1 * stack[:, 0].var(ddof=1))


def mean_of(values, weights):
    """Weighted means of (n, 10) or (n, 10, 81) values under (n, 81) weights."""
    values = np.broadcast_to(values.reshape(len(values), 10, -1), (len(values), 10, 81))
    return (values * weights[:, None]).sum(axis=0) / weights.sum(axis=0)


def row_of(table, **where):
    hold = np.logical_and.reduce([table[column] == value for column, value in where.items()])
    assert hold.sum() == 1
    return table[hold].iloc[0]


@pytest.mark.parametrize("name", PREFIX)
def test_means_of_the_public_sector_and_their_standard_errors(unit, survey, name):
    estimate, se = combined(mean_of(survey.scores[name][survey.public], survey.weights[survey.public]))
    row = row_of(unit.table("means"), by="all", variable=name)
    assert row["estimate"] == pytest.approx(estimate, rel=1e-10) and row["se"] == pytest.approx(se, rel=1e-9)
    assert row["n"] == survey.public.sum() == 535
    assert 250 < estimate < 300 and 1 < se < 5


@pytest.mark.parametrize("name", PREFIX)
def test_means_by_industry_and_by_occupation(unit, survey, name):
    for by, codes in (("industry", survey.industry), ("isco08", survey.isco)):
        table, compared = unit.table("means"), 0
        for code in sorted(set(codes[survey.public]) - {"", *MISSING}):
            rows = survey.public & (codes == code)
            row = row_of(table, by=by, group=code, variable=name)
            assert row["n"] == rows.sum()
            if rows.sum() >= 10:
                estimate, se = combined(mean_of(survey.scores[name][rows], survey.weights[rows]))
                assert (row["estimate"], row["se"]) == pytest.approx((estimate, se), rel=1e-9)
                compared += 1
        assert compared >= 5


@pytest.mark.parametrize("name", PREFIX)
def test_requirements_of_every_occupation(unit, survey, name):
    table, expected = unit.table("derived_requirements"), survey.requirements(name)
    mine = table[table["competency_id"] == name].dropna(subset="required_level")
    assert sorted(mine["role_id"].unique()) == sorted(expected)
    for code, stack in expected.items():
        got = mine[mine["role_id"] == code].pivot(index="plausible_value", columns="replicate", values="required_level")
        np.testing.assert_array_equal(got.to_numpy(), stack)
        assert (mine.loc[mine["role_id"] == code, "n"] == (survey.matched & (survey.isco == code)).sum()).all()


@pytest.mark.parametrize("name", PREFIX)
def test_gaps_of_the_public_sector_against_them(unit, survey, name):
    expected = survey.requirements(name)
    rows = survey.public & np.isin(survey.isco, list(expected))
    level, weights = survey.scores[name][rows][:, :, None], survey.weights[rows]
    required = np.stack([expected[code] for code in survey.isco[rows]])
    parts = {"level": np.broadcast_to(level, required.shape), "required": required,
             "shortfall": np.maximum(required - level, 0), "share_below": (level < required).astype(float)}
    for statistic, values in parts.items():
        row = row_of(unit.table("gaps"), by="all", competency_id=name, statistic=statistic)
        assert (row["estimate"], row["se"]) == pytest.approx(combined(mean_of(values, weights)), rel=1e-9)
        assert row["n"] == rows.sum()


def test_nobody_without_a_computer_at_work_has_an_unknown_use_of_it(unit, raw):
    skipped = (raw["G_Q04"] == 2).to_numpy(dtype=bool)
    items = [f"G_Q05{letter}" for letter in "acdefgh"]
    assert raw.loc[skipped, items].isna().all(axis=None) and skipped.sum() == 1605
    for item in items:
        answers, given = unit.table("responses")[item], raw[item]
        assert answers.isna().sum() == given[~skipped].isna().sum()
        assert (answers == 1).sum() == (given == 1).sum() + skipped.sum()  # never, not unknown


def test_groups_of_fewer_than_ten_respondents_are_withheld(unit, survey):
    from skillsgap.publish.disclosure import Rules, release_tables

    views = {name: unit.table(name) for name in ("means", "gaps")}
    released = release_tables(views, Rules(**unit.values["disclosure"])).tables
    for by, codes in (("industry", survey.industry), ("isco08", survey.isco)):
        counts = pd.Series(codes[survey.public]).value_counts().drop(["", *MISSING], errors="ignore")
        small = set(counts.index[counts < 10])
        assert small
        for table in released.values():
            hidden = table[(table["by"] == by) & table["group"].isin(small)]
            assert len(hidden) and hidden["withheld"].all()
            assert hidden[["estimate", "se", "ci_low", "ci_high", "n", "n_eff"]].isna().all(axis=None)
        shown = released["means"][(released["means"]["by"] == by) & ~released["means"]["group"].isin(small)]
        assert shown[["estimate", "n"]].notna().all(axis=None) and (shown["n"] >= 10).all()


@pytest.mark.parametrize("name", PREFIX)
def test_released_requirements_are_one_a_role_with_the_error_of_the_method(unit, survey, name):
    from skillsgap.run.release import Published

    table = Published(unit).release.tables["derived_requirements"].query("competency_id == @name")
    expected = survey.requirements(name)
    assert table["role_id"].tolist() == sorted(expected)
    for code, values in expected.items():
        estimate, se = combined(values)
        row = table.set_index("role_id").loc[code]
        assert (row["required_level"], row["se"]) == (round(estimate), pytest.approx(se, abs=0.051))
