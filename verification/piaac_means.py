"""PIAAC's public-sector means, errors and intervals of five countries: the package's verbs, and the published formula.

Run by ``make verify DATA=folder``. Everybody employed who said that they work in the public sector (D_Q03 = 2), in
the three tested domains; Spain didn't test problem solving. Ten plausible values, and the replicate weights of the
files: the formula is that of the survey's technical report (OECD 2013, chapters 15 and 18), in plain numpy, here.
"""

import sys

import numpy as np
import pandas as pd
from real_files import data_folder
from scipy import stats

from skillsgap.estimate.survey.design import replicate_design
from skillsgap.estimate.survey.means import design_means

COUNTRIES = {"kor": "Korea", "est": "Estonia", "chl": "Chile", "esp": "Spain", "nzl": "New Zealand"}
DOMAINS = {"PVLIT": "literacy", "PVNUM": "numeracy", "PVPSL": "problem solving"}
DRAWS = range(1, 11)
PUBLIC = 2  # of D_Q03; 1 is private, 3 non-profit
SHOWN = ["estimate", "se", "ci_low", "ci_high", "n", "n_eff", "degf"]
CLOSE = 1e-9


def read(data, country):
    """The employed of a country; None where its file isn't there."""
    path = data / "survey_piaac" / f"piaac_{country}_employed.parquet"
    return pd.read_parquet(path) if path.is_file() else None


def replicates_of(raw):
    """Names of the replicate weights, and how they were made, as the file itself says (VENREPS, VEMETHOD).

    Chile has 17: its columns from the 18th on are copies of the full weight.
    """
    return [f"SPFWT{r}" for r in range(1, raw["VENREPS"].iloc[0] + 1)], raw["VEMETHOD"].iloc[0].lower()


def by_the_package(raw):
    """A row a domain: what the verbs of the package say."""
    names, method = replicates_of(raw)
    design = replicate_design(raw["SPFWT0"], raw[names], method=method)
    sector = raw["D_Q03"].where(raw["D_Q03"] == PUBLIC)
    tested = {domain: prefix for prefix, domain in DOMAINS.items() if f"{prefix}1" in raw}
    tables = []
    for domain, prefix in tested.items():  # one at a time, since some have no problem solving
        draws = [raw[[f"{prefix}{m}"]].set_axis([domain], axis=1) for m in DRAWS]
        tables.append(design_means(draws, design, by=sector))
    return pd.concat(tables).set_index("variable").assign(degf=design.degf)[SHOWN]


def by_the_formula(raw):
    """The same by the published formula: f × Σ(θ_r − θ_0)², averaged over ten values, + 1.1 × their variance.

    The interval is a t interval with the design's degrees of freedom (``degf``), or Rubin's (1987) where fewer.
    """
    names, method = replicates_of(raw)
    factor = {"jk2": 1.0, "jk1": (len(names) - 1) / len(names)}[method]
    weights = raw[["SPFWT0", *names]].to_numpy(dtype=float)
    degf = np.linalg.matrix_rank(weights[:, 1:], rtol=1e-5) - 1
    told = {}
    for prefix, domain in DOMAINS.items():
        if f"{prefix}1" not in raw:
            continue
        rows = (raw["D_Q03"] == PUBLIC).to_numpy(dtype=bool) & raw[f"{prefix}1"].notna().to_numpy()
        w, sampling, values = weights[rows], [], []
        for m in DRAWS:
            means = [np.average(raw[f"{prefix}{m}"].to_numpy(dtype=float)[rows], weights=column) for column in w.T]
            values.append(means[0])
            sampling.append(factor * sum((mean - means[0]) ** 2 for mean in means[1:]))
        between = 1.1 * np.var(values, ddof=1)
        estimate, se = np.mean(values), np.sqrt(np.mean(sampling) + between)
        reach = stats.t.ppf(0.975, min(degf, 9 * (se**2 / between) ** 2)) * se
        effective = w[:, 0].sum() ** 2 / (w[:, 0] ** 2).sum()
        told[domain] = [estimate, se, estimate - reach, estimate + reach, rows.sum(), effective, degf]
    return pd.DataFrame.from_dict(told, orient="index", columns=SHOWN)


def largest_difference(ours, theirs):
    """Relative, over all figures; endless where rows differ."""
    if list(ours.index) != list(theirs.index):
        return np.inf
    return float((ours / theirs - 1).abs().to_numpy().max())


def main():
    """Print both for every country; the exit code is 1 where a figure differs by more than 1e-9 of its size."""
    data = data_folder()
    if data is None:
        print("PIAAC means: skipped, since neither --data, SKILLSGAP_DATA nor ../shared/data holds survey_piaac")
        return 0
    print("PIAAC, first cycle: means of the public sector's employed (own account), score 0-500")
    print(f"{'country':<12} {'domain':<16} {'by':<8} {'estimate':>10} {'se':>8}   {'95 % interval':<19} {'n':>5} "
          f"{'n_eff':>7} {'degf':>4}")  # fmt: skip
    worst = 0.0
    for country, title in COUNTRIES.items():
        raw = read(data, country)
        if raw is None:
            print(f"{title:<12} skipped: piaac_{country}_employed.parquet isn't there")
            continue
        ours, theirs = by_the_package(raw), by_the_formula(raw)
        for domain in theirs.index:
            for how, table in (("package", ours), ("formula", theirs)):
                row = table.loc[domain]
                print(f"{title:<12} {domain:<16} {how:<8} {row['estimate']:10.5f} {row['se']:8.5f}   "
                      f"{row['ci_low']:9.5f} {row['ci_high']:9.5f} {row['n']:5.0f} {row['n_eff']:7.1f} "
                      f"{row['degf']:4.0f}")  # fmt: skip
        worst = max(worst, largest_difference(ours, theirs))
    print(f"PIAAC means: largest relative difference {worst:.1e} (at most {CLOSE:g} is met); there is no published "
          "table of public-sector means to compare with")  # fmt: skip
    return int(worst > CLOSE)


if __name__ == "__main__":
    sys.exit(main())
