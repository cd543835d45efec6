"""Profiles of how the public sector of five PIAAC countries reads and uses computers at work, and how sure they are.

Run by ``make verify DATA=folder``. Fifteen questions on how often (1 never to 5 every day); who has no computer at work
does nothing on it: that skip is an answer. Replicate weights and their kind are the files' own. QUICK=1 tries fewer
numbers of profiles. The exit code is 1 where a country's shares don't add up or a refit of Korea differs.
"""

import os
import sys

import pandas as pd
from piaac_means import COUNTRIES, PUBLIC, read, replicates_of
from real_files import data_folder

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.shares import profile_estimates
from skillsgap.estimate.profiles.stability import profile_stability
from skillsgap.estimate.survey.design import replicate_design
from skillsgap.estimate.survey.weights import kish

COMPUTER = [f"G_Q05{letter}" for letter in "acdefgh"]
READING = [f"G_Q01{letter}" for letter in "abcdefgh"]
NO_COMPUTER = 2  # of G_Q04
MOST = 4 if os.environ.get("QUICK") else 8
PRIOR = 0.5


def public_sector(raw):
    """Answers of the public sector, and its design with the file's own replicates."""
    names, method = replicates_of(raw)
    inside = (raw["D_Q03"] == PUBLIC).to_numpy(dtype=bool)
    answers = raw[[*COMPUTER, *READING]].astype(float)
    answers[COMPUTER] = answers[COMPUTER].mask(raw["G_Q04"] == NO_COMPUTER, 1.0)
    inside &= answers.notna().any(axis=1).to_numpy()
    return answers[inside], replicate_design(raw["SPFWT0"], raw[names], method=method).subset(inside)


def tell(name, answers, design):
    """Print a country's numbers and profiles; whether its shares add up."""
    table = select_profiles(answers, range(1, MOST + 1), design, n_starts=50)
    chosen = table[table["recommended"]].iloc[0]
    bic = table.loc[table["bic"].idxmin(), "n_profiles"]
    fit = CompetencyProfiles(int(bic), prior=PRIOR).fit(answers, sample_weight=design.weights)
    print(f"\n{name}: {len(answers)} of the public sector, effective n {kish(design.weights.to_numpy()):.0f}; "
          f"criterion {chosen['n_profiles']} ({chosen['reason']}); BIC {bic}, shown below; {fit.n_starts_reached_} of "
          f"{fit.n_starts_finished_} starts carried to the end reached the best")  # fmt: skip
    estimates = profile_estimates(fit, answers, design)
    shares = estimates[estimates["statistic"] == "share"].set_index("profile")
    levels = estimates[estimates["statistic"] == "level"].assign(
        what=lambda rows: rows["variable"].isin(COMPUTER).map({True: "computer", False: "reading"}))
    use = levels.pivot_table(index="profile", columns="what", values="estimate")
    steady = profile_stability(fit, answers, design, n_draws=20).query("statistic == 'jaccard_bootstrap'")
    shown = shares[["estimate", "ci_low", "ci_high"]].join(use).assign(
        jaccard=steady.set_index("profile")["estimate"], verdict=steady.set_index("profile")["verdict"])
    print(shown.round(3).to_string())
    return abs(shares["estimate"].sum() - 1) < 1e-9


def main():
    data, sound = data_folder(next(iter(sys.argv[1:]), None)), []
    if data is None:
        return print("no folder of outside data was given: DATA=folder")
    for country, name in COUNTRIES.items():
        raw = read(data, country)
        if raw is None:
            print(f"{name}: its file is not there")
            continue
        answers, design = public_sector(raw)
        sound.append(tell(name, answers, design))
        if country == "kor":
            again = CompetencyProfiles(3).fit(answers.sample(frac=1, random_state=1), sample_weight=design.weights)
            first = CompetencyProfiles(3).fit(answers, sample_weight=design.weights)
            sound.append(bool((again.shares_ == first.shares_).all()))
    return 0 if all(sound) else 1


if __name__ == "__main__":
    pd.set_option("display.width", 160)
    sys.exit(main())
