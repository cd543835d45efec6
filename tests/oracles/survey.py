"""Adapter: survey estimates under a sampling design, with calibration or replicate weights."""

import json
from dataclasses import replace
from functools import lru_cache

import pandas as pd

from skillsgap.estimate.survey.crosstabs import rao_scott_test
from skillsgap.estimate.survey.design import replicate_design, survey_design
from skillsgap.estimate.survey.estimates import (
    survey_difference,
    survey_mean,
    survey_proportion,
    survey_ratio,
    survey_total,
    weight_summary,
)
from skillsgap.estimate.survey.quantiles import survey_quantile
from skillsgap.estimate.survey.regression import survey_regression
from skillsgap.estimate.survey.weighting import calibrate

RESIDUALS = {
    "cell_means_base_weighted": "cell_means",
    "cell_means_unweighted_10_sweeps": "sweeps",
    "regression_base_weighted": "regression",
}
SAMPLE = ("data", "design", "replicates", "calibration", "missing", "categories")
KEPT_APART = ("report", "coefficient", "n", "with")  # which of a verb's numbers is meant; not what it is asked


def answer(spec, ask, folder):
    """The number asked for: a row and a column of the verb's table."""
    spec = {key: spec.get(key) for key in SAMPLE} | ask.get("with", {})
    report, statistic = ask["report"], ask["statistic"]
    if statistic == "weights" and report == "first":
        return _design(json.dumps(spec), folder).weights.head(ask["n"]).tolist()
    if statistic in ("weights", "degf"):
        names = {"estimate": "degf", "kish_neff": "n_eff"}
        return float(weight_summary(_design(json.dumps(spec), folder))[names.get(report, report)])
    table = _table(json.dumps(spec), folder, json.dumps({k: ask[k] for k in ask if k not in KEPT_APART}))
    if "coefficient" in ask:
        term, level = ask["coefficient"]["term"], ask["coefficient"]["level"]
        table = table[(table["term"] == term) & (table["category"] == ("" if level is None else str(level)))]
    columns = ["ci_low", "ci_high"] if report == "interval" else report
    values = table[columns].astype(float).to_numpy().tolist()
    return values if isinstance(ask.get("quantile"), list) else values[0]


@lru_cache(maxsize=8)
def _data(folder, name):
    return pd.read_csv(folder / name, dtype=str, keep_default_na=False, na_values=[""])


@lru_cache(maxsize=32)
def _design(spec, folder):
    spec = json.loads(spec)
    data, sample = _data(folder, spec["data"]), spec["design"]
    rows, strata = pd.DataFrame(index=data.index), sample["strata"]  # columns of any name under names of our own
    if strata is not None:
        rows["stratum"] = data[strata]
    stages = []
    for depth, stage in enumerate(sample["stages"]):
        named = {part: f"{part} {depth}" for part in ("psu", "fpc") if stage[part] is not None}
        rows = rows.assign(**{name: data[stage[part]] for part, name in named.items()})
        stages.append((named.get("psu"), named.get("fpc")))
    weight = {"ones": 1.0, "fpc": None, "column": "weight"}[sample["weights"]["from"]]
    if weight == "weight":
        rows["weight"] = _numbers(data, sample["weights"]["column"])
    design = survey_design(rows, weight=weight, stages=stages, method="linearization")
    if spec["replicates"]:
        design = _replicated(design, rows, data, stages, spec["replicates"])
    return _calibrated(design, data, spec["calibration"], folder) if spec["calibration"] else design


def _replicated(design, rows, data, stages, given):
    if "construct" in given:
        rows, first = rows.assign(weight=design.weights), [(stages[0][0], None)]
        made = survey_design(rows, stages=first, method="jackknife")
        return replace(made, centre=given["centre"])
    names = given["columns"]
    columns = [f"{names['prefix']}{number}" for number in range(names["first"], names["last"] + 1)]
    return replicate_design(
        design.weights,
        data[columns].astype(float),
        method=given["type"].lower(),
        scale=given.get("scale"),
        rscales=given.get("rscales"),
        rho=given.get("rho"),
        combined=given.get("combined", True),
        centre=given["centre"],
    )


def _calibrated(design, data, given, folder):
    margins = []
    for margin in given.get("margins") or []:
        population = _data(folder, margin["file"])
        margins.append(_numbers(population, margin["count"]).set_axis(_index(population, margin["variables"])))
    totals, sample = given.get("totals"), data
    if totals:
        totals = pd.DataFrame([{**row, "level": None if row["level"] is None else str(row["level"])} for row in totals])
        numeric = set(totals.loc[totals["level"].isna(), "term"]) - {"intercept"}
        sample = data.assign(**{term: _numbers(data, term) for term in numeric})
    return calibrate(
        design,
        sample,
        margins,
        totals=totals,
        method=given["method"],
        bounds=given["bounds"],
        tolerance=given["tolerance"],
        residuals=RESIDUALS[given["residuals"]],
    )


def _index(frame, columns):
    if len(columns) == 1:
        return pd.Index(frame[columns[0]], name=columns[0])
    return pd.MultiIndex.from_frame(frame[columns])


def _numbers(data, column):
    return pd.to_numeric(data[column]).astype(float)


def _inside(data, ask):
    """Rows of the domain: each condition on its column holds."""
    conditions = dict(ask.get("where", {}))
    cells = {column: {"in": [category]} for column, category in ask.get("by", {}).items()}
    inside = pd.Series(True, data.index)
    for column, condition in [*conditions.items(), *cells.items()]:
        if "in" in condition:
            inside &= data[column].isin([str(category) for category in condition["in"]])
        if "min" in condition:
            inside &= _numbers(data, column) >= condition["min"]
        if "max" in condition:
            inside &= _numbers(data, column) <= condition["max"]
        if "missing" in condition:
            inside &= data[column].isna() == condition["missing"]
    return inside.to_numpy()


@lru_cache(maxsize=64)
def _table(spec, folder, ask):
    """The verb's table, one row for each number that can be asked of it."""
    spec, ask, design = json.loads(spec), json.loads(ask), _design(spec, folder)
    data, statistic = _data(folder, spec["data"]), ask["statistic"]
    asked = ask.get("interval", {})
    level, kind = asked.get("level", 0.95), {"wald_t": "wald"}.get(asked.get("method"), asked.get("method"))
    common = {"where": _inside(data, ask)}
    if statistic == "chisq_raoscott":
        return rao_scott_test(data[ask["variables"]], design, **common)
    common["level"] = level
    if statistic in ("glm_gaussian", "glm_logit"):
        return _regression(spec, ask, data, design, common)
    if statistic == "quantile":
        return survey_quantile(_numbers(data, ask["variable"]), design, probabilities=ask["quantile"], rule=ask["rule"],
                               interval=kind or ("wald" if design.replicated else "woodruff"), **common)  # fmt: skip
    if statistic == "ttest":
        return survey_difference(_numbers(data, ask["variable"]), design, by=data[ask["group"]],
                                 between=ask["group_levels"], **common)  # fmt: skip
    common["srs"] = ask.get("srs", "without_replacement")
    if statistic == "proportion":
        one = {ask["variable"]: [ask["level"]]}
        return survey_proportion(data[ask["variable"]], design, categories=one, interval=kind or "wald", **common)
    values = _numbers(data, ask["variable"])
    if statistic == "mean":
        return survey_mean(values, design, interval=kind or "wald", **common)
    if kind not in (None, "wald"):
        raise NotImplementedError(f"a {kind} interval of a {statistic}")
    if statistic == "ratio":
        return survey_ratio(values, _numbers(data, ask["denominator"]), design, **common)
    return survey_total(values, design, **common)


def _regression(spec, ask, data, design, common):
    categories = {term: spec["categories"][term] for term in ask["terms"] if term in spec["categories"]}
    success = ask.get("response_level")
    numeric = [name for name in ask["terms"] if name not in categories] + ([ask["response"]] if success is None else [])
    frame = data.assign(**{name: _numbers(data, name) for name in numeric})
    return survey_regression(frame, design, response=ask["response"], terms=ask["terms"], success=success,
                             family={"glm_gaussian": "gaussian", "glm_logit": "binomial"}[ask["statistic"]],
                             categories=categories, **common)  # fmt: skip
