"""How well profiles, their intervals and their number are recovered from samples whose truth is known.

Run by ``make verify``, where the populations of the reference results are at hand (../shared/oracles/recovery, or the
directory given as argument); QUICK=1 takes every fifth. Each population was drawn with 2 to 4 profiles, at low, middle
or high separation, and sampled by agency within ministry with unequal weights; a tenth to a third of the answers is
missing. Profiles are fitted with the true number and half a person of a prior in each category, as maximum likelihood
is further from the truth than the reference; the number is chosen from the candidates apart from that. "Reference"
are results another program reached on the same samples; its intervals of shares are rebuilt from its errors (t on the
logit scale, which tells of every share whether it was covered as the reference itself has it). Those of probabilities
aren't kept; "plain" are logit intervals by the sandwich, as the reference has them for shares. Errors after ± are Monte
Carlo (between populations). The exit code is 1 where a goal is missed by more than three of them.
"""

import os
import sys
from pathlib import Path

from skillsgap.run import THREADS

os.environ.update(THREADS)  # as the command line does, before anything numerical is imported
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the adapter and the judge are of the tests

import json  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from skillsgap.estimate.profiles.sandwich import profile_errors  # noqa: E402
from skillsgap.estimate.profiles.shares import profile_estimates  # noqa: E402
from skillsgap.estimate.survey.intervals import logit_limits, t_quantile  # noqa: E402
from tests.oracles import recovery  # noqa: E402
from tests.oracles.aggregate import adjusted_rand, flat, matched  # noqa: E402

GIVEN = ROOT.parent / "shared" / "oracles" / "recovery"
STRIDE = 5 if os.environ.get("QUICK") else 1
LEVEL = 0.95
GOALS = {  # measure: least, most
    "mean share error / reference": (-np.inf, 1.0),
    "shares covered": (0.925, 0.97),
    "length of share intervals / reference": (-np.inf, 1.1),
    "shares covered, sandwich": (0.925, 0.97),
    "length of share intervals / reference, sandwich": (-np.inf, 1.1),
    "probabilities covered": (0.925, 0.97),
    "probabilities covered, sandwich": (0.925, 0.97),
    "length of probability intervals / plain": (-np.inf, 1.1),
    "length of probability intervals / plain, sandwich": (-np.inf, 1.1),
    "adjusted Rand / ceiling": (0.97, np.inf),
    "true number in the near-tie set": (0.95, np.inf),
    "size of the near-tie set": (-np.inf, 1.5),
}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def measured(folder, theirs):
    """What one population adds to the table: sums over its classes, probabilities or itself."""
    case, truth = read(folder / "case.json"), read(folder / "truth.json")
    key, spec = recovery.key(case["spec"], folder), case["spec"]
    answers, design = recovery.sample(key)
    by_replicates = recovery.estimates(key, LEVEL)
    place = matched(recovery.probabilities(by_replicates, spec, "estimate"), truth["true_probs"])
    row = {"separation": theirs["separation"], "shares": truth["K"]}
    shares = by_replicates.loc[by_replicates["statistic"] == "share", "estimate"].to_numpy()[place]
    row["share error"] = np.abs(shares - truth["true_shares"]).mean()
    row["share error, reference"] = theirs["share_error"]
    low, high = logit_limits(np.array(theirs["shares"]), np.array(theirs["share_se"]), t_quantile(design.degf))
    row["share length, reference"], row["covered, reference"] = (high - low).sum(), sum(theirs["covered"])
    row["probabilities, reference"] = truth["bar"]["covP"]
    sandwich = profile_estimates(recovery.fit(key), answers, design, variance="sandwich", confidence=LEVEL)
    row["probability length, plain"] = plain_length(recovery.fit(key), answers, design)
    for name, table in (("", by_replicates), (", sandwich", sandwich)):
        row |= {what + name: value for what, value in intervals(table, spec, truth, place).items()}
    row["rand"] = adjusted_rand(recovery.fit(key).predict(answers), truth["true_class"])
    row["rand, ceiling"], row["rand, reference"] = theirs["ari_ceiling"], theirs["ari"]
    chosen = recovery.selection(key).set_index("n_profiles")
    row["right"], row["right, reference"] = chosen.at[truth["K"], "recommended"], theirs["k_chosen"] == truth["K"]
    row["in set"], row["set size"] = chosen.at[truth["K"], "near_tie"], chosen["near_tie"].sum()
    return row


def plain_length(fit, answers, design):
    """Mean length of logit intervals of probabilities whose errors are the sandwich alone."""
    table = profile_errors(fit, answers, design=design).query("statistic == 'probability'")
    low, high = logit_limits(table["estimate"].to_numpy(), table["se"].to_numpy(), t_quantile(design.degf))
    return (high - low).mean()


def intervals(table, spec, truth, place):
    """How many shares are covered, what part of the probabilities, and how long the intervals are."""
    share = table[table["statistic"] == "share"].iloc[place]
    low, high = (flat(recovery.probabilities(table, spec, limit))[place] for limit in ("ci_low", "ci_high"))
    true = flat(truth["true_probs"])
    inside = (low <= true) & (true <= high)
    return {
        "share length": (share["ci_high"] - share["ci_low"]).sum(),
        "covered": share["ci_low"].le(truth["true_shares"]).mul(share["ci_high"].ge(truth["true_shares"])).sum(),
        "probabilities": inside.mean(),
        "probability length": (high - low).mean(),
        "probabilities below .05": inside[true < 0.05].mean() if (true < 0.05).any() else np.nan,
    }


def ratio(top, bottom=1.0):
    """A ratio of means over populations, and its Monte Carlo error (linearised)."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=float), np.asarray(bottom, dtype=float))
    there = np.isfinite(top)
    top, bottom = top[there], bottom[there]
    value = top.mean() / bottom.mean()
    rest = (top - value * bottom) / bottom.mean()
    return value, rest.std(ddof=1) / np.sqrt(len(rest)) if len(rest) > 1 else np.nan


def summary(rows):
    """Measures as name, value, Monte Carlo error, the reference's value."""
    made = [("mean share error", *ratio(rows["share error"]), rows["share error, reference"].mean()),
            ("mean share error / reference", *ratio(rows["share error"], rows["share error, reference"]), 1.0)]
    shares, others = rows["shares"], ratio(rows["covered, reference"], rows["shares"])[0]
    theirs, plain = rows["probabilities, reference"].mean(), rows["probability length, plain"]
    for way in ("", ", sandwich"):
        made += [
            ("shares covered" + way, *ratio(rows["covered" + way], shares), others),
            ("length of share intervals / reference" + way,
             *ratio(rows["share length" + way], rows["share length, reference"]), 1.0),
            ("probabilities covered" + way, *ratio(rows["probabilities" + way]), theirs),
            ("probabilities below .05 covered" + way, *ratio(rows["probabilities below .05" + way]), np.nan),
            ("length of probability intervals" + way, *ratio(rows["probability length" + way]), np.nan),
            ("length of probability intervals / plain" + way, *ratio(rows["probability length" + way], plain), 1.0),
        ]  # fmt: skip
    ceiling = rows["rand, ceiling"]
    made += [
        ("adjusted Rand", *ratio(rows["rand"]), rows["rand, reference"].mean()),
        ("adjusted Rand / ceiling", *ratio(rows["rand"], ceiling), ratio(rows["rand, reference"], ceiling)[0]),
        ("number right", *ratio(rows["right"]), rows["right, reference"].mean()),
        ("true number in the near-tie set", *ratio(rows["in set"]), np.nan),
        ("size of the near-tie set", *ratio(rows["set size"]), np.nan),
    ]
    return pd.DataFrame(made, columns=["measure", "value", "error", "reference"])


def main():
    """Print the tables; 1 where a goal is missed clearly."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else GIVEN
    if not (place / "reference.json").is_file():
        print(f"recovery of profiles: {place} isn't there, nothing is measured")
        return 0
    reference = read(place / "reference.json")
    names = sorted(reference)[::STRIDE]
    rows = pd.DataFrame([measured(place / name, reference[name]) for name in names])
    table = summary(rows)
    print(f"recovery of profiles: {len(rows)} populations (simulated), reference on the same samples")
    worst = 0
    for row in table.itertuples():
        least, most = GOALS.get(row.measure, (-np.inf, np.inf))
        off = max(least - row.value, row.value - most)
        told = "" if row.measure not in GOALS else f"  goal {least:g} to {most:g}".replace("-inf to", "at most")
        told = told.replace(" to inf", " or more") + ("  MISSED" if off > 0 else "")
        worst = max(worst, off - 3 * row.error)
        print(f"  {row.measure:50} {row.value:7.4f} ± {row.error:.4f}  reference {row.reference:7.4f}{told}")
    by = {name: summary(part).set_index("measure")["value"] for name, part in rows.groupby("separation", sort=False)}
    print(pd.DataFrame(by).round(4).to_string())
    return int(worst > 0)


if __name__ == "__main__":
    sys.exit(main())
