"""Means of 100 agencies in 200 replicates on 100,000 respondents, beside a plain numpy groupby, svy and R's survey.

Peers take turns in one run, on the same bootstrap weights; every result is compared with ours before its time is
told. The goal is at most three times the numpy loop. A peer that isn't installed is named and skipped. QUICK=1 uses
a tenth of the respondents.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.estimate.survey.design import survey_design
from skillsgap.estimate.survey.means import design_means, group_means

AGENCIES, REPLICATES, SEED = 100, 200, 20260301
PEOPLE, ROUNDS = (10_000, 3) if os.environ.get("QUICK") else (100_000, 5)
GOAL = 3.0


def sample():
    """Respondents of a made-up survey (synthetic): a level, an agency and a weight each."""
    rng = np.random.default_rng(SEED)
    agency = rng.integers(0, AGENCIES, PEOPLE)
    level = np.clip(rng.normal(2 + 0.3 * np.sin(agency), 1.0), 0, 4)
    rows = pd.DataFrame({"weight": rng.uniform(1, 9, PEOPLE), "agency": agency, "level": level})
    rows["agency"] = "A" + rows["agency"].astype(str).str.zfill(3)
    return rows.rename_axis("row_key")


def plain(level, codes, weights):
    """A weighted groupby for each column of weights, as anyone would write it in numpy."""
    means = np.empty((weights.shape[1], AGENCIES))
    for replicate in range(weights.shape[1]):
        w = weights[:, replicate]
        means[replicate] = np.bincount(codes, w * level, AGENCIES) / np.bincount(codes, w, AGENCIES)
    return means


def by_svy(rows, design):
    """Means and standard errors of svy from the same replicate weights: a function that computes them."""
    import polars
    import svy

    names = [f"r{i + 1}" for i in range(REPLICATES)]
    frame = pd.concat([rows.reset_index(drop=True), pd.DataFrame(design.replicate_weights, columns=names)], axis=1)
    weights = svy.RepWeights(method="bootstrap", prefix="r", n_reps=REPLICATES, df=design.degf)
    made = svy.Sample(polars.from_pandas(frame), svy.Design(wgt="weight", rep_wgts=weights))

    def compute():
        found = made.estimation.mean("level", by="agency", method="replication", variance_center="estimate")
        table = found.to_polars().to_pandas()
        table = table.set_index("agency").sort_index()
        return table["est"].to_numpy(), table["se"].to_numpy()

    return compute


R_CODE = """
suppressMessages(library(survey))
d <- read.csv("rows.csv"); w <- as.matrix(read.csv("replicates.csv"))
s <- svrepdesign(data = d, weights = ~weight, repweights = w, type = "bootstrap", combined.weights = TRUE,
                 scale = 1 / ncol(w), rscales = rep(1, ncol(w)), mse = TRUE)
took <- system.time(t <- svyby(~level, ~agency, s, svymean))[["elapsed"]]
write.csv(data.frame(estimate = coef(t), se = SE(t)), "out.csv", row.names = FALSE); cat(took)
"""


def by_r(folder):
    """Seconds svyby took in R, and its estimates and standard errors."""
    made = subprocess.run(["Rscript", "-e", R_CODE], cwd=folder, capture_output=True, text=True, check=True)
    table = pd.read_csv(Path(folder) / "out.csv")
    return float(made.stdout.split()[-1]), table["estimate"].to_numpy(), table["se"].to_numpy()


def timed(compute):
    start = time.perf_counter()
    result = compute()
    return time.perf_counter() - start, result


def main():
    rows = sample()
    design = survey_design(rows, n_replicates=REPLICATES, random_state=SEED)
    frame, codes = rows[["level"]], pd.factorize(rows["agency"], sort=True)[0]
    level, by = rows["level"].to_numpy(), rows["agency"]
    weights = np.asfortranarray(design.replicate_weights)  # the loop's best case: each replicate lies together
    ours = group_means(frame, design, by).replicates[0, :, :, 0]
    np.testing.assert_allclose(ours, plain(level, codes, weights), rtol=1e-12)
    print(f"{PEOPLE} respondents, {AGENCIES} agencies, {REPLICATES} replicates (synthetic); means of all replicates "
          "equal to 1e-12")  # fmt: skip
    rounds = [(timed(lambda: group_means(frame, design, by))[0], timed(lambda: plain(level, codes, weights))[0])
              for _ in range(ROUNDS)]  # fmt: skip
    mine, theirs = np.array(rounds).T
    ratio = np.median(mine / theirs)
    print(f"skillsgap {np.median(mine):.3f} s, numpy loop {np.median(theirs):.3f} s: ratio {ratio:.2f} (median of "
          f"{ROUNDS} pairs, {min(mine / theirs):.2f} to {max(mine / theirs):.2f}); goal at most {GOAL:g}: "
          f"{'met' if ratio <= GOAL else 'missed'}")  # fmt: skip
    table = design_means(frame, design, by=by)
    beside_svy(rows, design, table, lambda: design_means(frame, design, by=by))
    beside_r(rows, design, table, lambda: design_means(frame, design, by=by))


def told(name, pairs, estimate, se, table):
    """Print a peer's time beside ours, once its estimates and errors were found to be the same."""
    np.testing.assert_allclose(estimate, table["estimate"], rtol=1e-9)
    np.testing.assert_allclose(se, table["se"], rtol=1e-6)
    mine, theirs = np.array(pairs).T
    print(f"{name}: means and errors equal; skillsgap {np.median(mine):.3f} s, {name} {np.median(theirs):.3f} s: "
          f"{np.median(theirs / mine):.1f} times ours (median of {len(pairs)} pairs)", flush=True)  # fmt: skip


def beside_svy(rows, design, table, compute):
    try:
        peer = by_svy(rows, design)
    except ImportError:
        print("svy: not installed")
        return
    pairs, result = [], None
    for _ in range(ROUNDS):
        seconds, result = timed(peer)
        pairs.append((timed(compute)[0], seconds))
    told("svy", pairs, *result, table)


def beside_r(rows, design, table, compute):
    if shutil.which("Rscript") is None:
        print("R survey: no Rscript on this machine")
        return
    with tempfile.TemporaryDirectory() as folder:
        rows.to_csv(Path(folder) / "rows.csv", index=False)
        pd.DataFrame(design.replicate_weights).to_csv(Path(folder) / "replicates.csv", index=False)
        pairs = []
        for _ in range(1 if PEOPLE > 50_000 else ROUNDS):
            seconds, *result = by_r(folder)
            pairs.append((timed(compute)[0], seconds))
    told("R survey", pairs, *result, table)


if __name__ == "__main__":
    main()
