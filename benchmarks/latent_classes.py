"""Competency profiles beside StepMix and k-means: log-likelihood first, then CPU time and memory.

Everybody is made up (synthetic), so the profiles are known. No time is told where our log-likelihood is below the
peer's, a search from scratch, or that of the planted parameters; the exit code is 1 then. Both sides run in this
process on one thread. Seeds are 0-4, 0-9 where 2,000 people show how often a search ends below the best.
QUICK=1 takes fewer people and seeds.
"""

import copy
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from skillsgap.estimate.profiles.competency import CompetencyProfiles
from skillsgap.estimate.profiles.likelihoodratio import bootstrap_likelihood_ratio
from skillsgap.estimate.profiles.selection import select_profiles
from skillsgap.estimate.profiles.shares import profile_replicates
from skillsgap.estimate.survey.design import survey_design

QUICK = bool(os.environ.get("QUICK"))
SEEDS = range(2 if QUICK else 5)
ITEMS, CATEGORIES = 30, 5
SHARES = {5: [0.3, 0.25, 0.2, 0.15, 0.1], 6: [0.28, 0.22, 0.18, 0.14, 0.1, 0.08]}
EQUAL = 1e-3  # log-likelihood units: where two searches that stop at 1e-10 a person reach the same maximum
STOPPED = 0.01  # the same where a search stops at 1e-8 a person (selection) or 1e-7 (replicates)
STARTS = 5  # of StepMix


def planted(seed, n, n_profiles=5, missing=0.1):
    """Answers 0-4 to 30 items of planted profiles, their log-likelihood at the truth, and who is in which."""
    rng = np.random.default_rng(seed)
    centre = np.linspace(0.6, CATEGORIES - 1.6, n_profiles)[:, None] + rng.normal(0, 0.5, (n_profiles, ITEMS))
    probs = np.exp(-((np.arange(CATEGORIES) - centre[:, :, None]) ** 2) / (2 * 1.2**2))
    probs /= probs.sum(axis=2, keepdims=True)
    shares = np.array(SHARES[n_profiles])
    profile = rng.choice(n_profiles, n, p=shares)
    codes, joint = np.empty((n, ITEMS)), np.tile(np.log(shares), (n, 1))
    for j in range(ITEMS):  # item by item: all at once would take more memory than the fit
        passed = rng.random((n, 1)) > probs[:, j].cumsum(axis=1)[profile]
        code = passed.sum(axis=1).clip(0, CATEGORIES - 1)
        there = rng.random(n) >= missing
        joint[there] += np.log(probs[:, j, code[there]]).T
        codes[:, j] = np.where(there, code, np.nan)
    names = [f"item{j + 1}" for j in range(ITEMS)]
    answers = pd.DataFrame(codes, columns=names, index=pd.RangeIndex(n, name="row_key"))
    return answers, float(logsumexp(joint, axis=1).sum()), profile


def timed(compute, *given):
    """Result and CPU seconds."""
    start = time.process_time()
    return compute(*given), time.process_time() - start


def verdict(value, goal, unit):
    outcome = "not judged at this size" if QUICK else "met" if value <= goal else "MISSED"
    return f"goal at most {goal:g}{unit}: {outcome}"


def by_stepmix(answers, n_profiles, seed):
    """Log-likelihood StepMix reaches with its own settings and 5 starts."""
    from stepmix import StepMix

    fit = StepMix(n_profiles, measurement="categorical_nan", n_init=STARTS, random_state=seed, progress_bar=0)
    return float(fit.fit(answers).score(answers)) * len(answers)


def ours(answers, seed, n_profiles=5, n_starts=50):
    return CompetencyProfiles(n_profiles, n_starts=n_starts, random_state=seed).fit(answers)


def beside_stepmix():
    """CPU time at 10,000 people: at most a hundredth of StepMix's."""
    n, rounds, sound = 1_000 if QUICK else 10_000, [], True
    for seed in SEEDS:
        answers, *_ = planted(seed, n)
        fit, seconds = timed(ours, answers, seed)
        theirs, theirs_took = timed(by_stepmix, answers, 5, seed)
        gain = fit.loglik_ - theirs
        sound &= gain >= -EQUAL
        rounds.append((seconds, theirs_took))
        told = f"CPU {seconds:.2f} s and {theirs_took:.1f} s" if gain >= -EQUAL else "no time told"
        print(f"  seed {seed}: log-likelihood {fit.loglik_:.3f}, StepMix {theirs:.3f}: {gain:+.3f}; {told}; "
              f"{fit.n_starts_reached_} of our {fit.n_starts_finished_} finalists reached it", flush=True)  # fmt: skip
    if sound:
        ratio = np.median([a / b for a, b in rounds])
        print(f"  CPU of ours / StepMix's: 1/{1 / ratio:.0f} (median); {verdict(ratio, 0.01, '')}")
    return sound


def at_two_thousand():
    """How often a search ends at or above StepMix's maximum where local optima are many."""
    n, seeds = (500, range(3)) if QUICK else (2_000, range(10))
    few, many = [], []
    for seed in seeds:
        answers, *_ = planted(seed, n)
        theirs = by_stepmix(answers, 5, seed)
        many.append(ours(answers, seed).loglik_ - theirs)
        few.append(ours(answers, seed, n_starts=STARTS).loglik_ - theirs)
        print(f"  seed {seed}: ours less StepMix's log-likelihood {many[-1]:+.3f} with our 50 starts, {few[-1]:+.3f} "
              f"with {STARTS} as its own", flush=True)  # fmt: skip
    good = [int((np.array(gains) >= -EQUAL).sum()) for gains in (many, few)]
    met = good[0] >= 0.9 * len(seeds)
    print(f"  better or equal in {good[0]} of {len(seeds)} seeds (50 starts), {good[1]} (5 starts); goal 9 of 10: "
          f"{'met' if met else 'MISSED'}")  # fmt: skip
    return met


def selection():
    """1 to 8 profiles; each as high as a search of that number alone."""
    n, seconds, sound = 1_000 if QUICK else 10_000, [], True
    for seed in SEEDS:
        answers, *_ = planted(seed, n)
        design = survey_design(pd.DataFrame({"weight": 1.0}, index=answers.index), n_replicates=2)
        table, took = timed(partial(select_profiles, random_state=seed), answers, range(1, 9), design)
        alone = [ours(answers, seed, k).loglik_ for k in range(1, 9)]
        gain = (table["loglik"].to_numpy() - alone).min()
        sound &= gain >= -STOPPED
        seconds.append(took)
        recommended = table.loc[table["recommended"], "n_profiles"].tolist()
        print(f"  seed {seed}: least gain over separate searches {gain:+.3f}; recommended {recommended}"
              + (f"; CPU {took:.1f} s" if gain >= -STOPPED else "; no time told"), flush=True)  # fmt: skip
    if sound:
        print(f"  CPU {max(seconds):.1f} s at most; {verdict(max(seconds), 5, ' s')}")
    return sound


def replicates():
    """200 weighted refits; three of them compared with refits that ran on to 1e-11."""
    n, seconds, sound = 2_000 if QUICK else 10_000, [], True
    for seed in SEEDS:
        answers, *_ = planted(seed, n)
        rows = pd.DataFrame({"weight": np.random.default_rng(seed).gamma(4, 0.25, n) + 0.3}, index=answers.index)
        design = survey_design(rows, n_replicates=200, random_state=seed)
        fit = CompetencyProfiles(5, random_state=seed).fit(answers, sample_weight=design.weights)
        refits, took = timed(profile_replicates, fit, answers, design)
        gain = _least_gain(fit, refits, answers, design)
        sound &= gain >= -STOPPED
        seconds.append(took)
        print(f"  seed {seed}: least gain over three refits run to convergence {gain:+.4f}"
              + (f"; CPU {took:.1f} s" if gain >= -STOPPED else "; no time told"), flush=True)  # fmt: skip
    if sound:
        print(f"  CPU {max(seconds):.1f} s at most; {verdict(max(seconds), 30, ' s')}")
    return sound


def _least_gain(fit, refits, answers, design):
    """Log-likelihood of the first three refits less that of the same run to convergence, the least of them."""
    few = replace(design, replicate_weights=design.replicate_weights[:, :3], scales=design.scales[:3])
    long = profile_replicates(fit, answers, few, max_iter=5000, tol=1e-11)
    gains = []
    for r, weights in enumerate(few.replicate_weights.T):
        heights = []
        for made in (refits, long):
            one = copy.copy(fit)
            one._theta, one.shares_ = made.theta[r], made.shares[r]
            heights.append(one.score(answers, sample_weight=weights) * len(answers))
        gains.append(heights[0] - heights[1])
    return min(gains)


def bootstrap_test():
    """Bootstrap likelihood-ratio test of 1 against 2, ... 5 against 6 profiles, 100 draws each."""
    n, draws, seconds, sound = (500, 20, [], True) if QUICK else (2_500, 100, [], True)
    for seed in SEEDS:
        answers, *_ = planted(seed, n)
        tests, took = timed(_five_steps, answers, draws, seed)
        alone = [ours(answers, seed, k).loglik_ for k in range(1, 7)]
        gain = (np.array([test.statistic for test in tests]) / 2 - np.diff(alone)).min()
        sound &= gain >= -EQUAL
        seconds.append(took)
        print(f"  seed {seed}: least gain over separate searches {gain:+.3f}; p "
              f"{', '.join(f'{test.p:.2f}' for test in tests)}"
              + (f"; CPU {took:.1f} s" if gain >= -EQUAL else "; no time told"), flush=True)  # fmt: skip
    if sound:
        print(f"  CPU {max(seconds):.1f} s at most; {verdict(max(seconds), 60, ' s')}")
    return sound


def _five_steps(answers, draws, seed):
    return [bootstrap_likelihood_ratio(answers, k, n_draws=draws, random_state=seed) for k in range(2, 7)]


def census():
    """A whole civil service, in a process of its own so that the memory is its own."""
    run = subprocess.run([sys.executable, __file__, "census"], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    sound = found["loglik"] >= found["truth"]
    told = (f"CPU {found['seconds']:.1f} s; {verdict(found['seconds'], 180, ' s')}; peak {found['peak']:.2f} GB; "
            f"{verdict(found['peak'], 1.5, ' GB')}") if sound else "no time told"  # fmt: skip
    print(f"  log-likelihood {found['loglik']:.1f}, at the planted parameters {found['truth']:.1f}; {told}")
    return sound


def fit_census():
    answers, truth, _ = planted(0, 35_000 if QUICK else 350_000, 6)
    fit, seconds = timed(ours, answers, 0, 6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(json.dumps({"loglik": fit.loglik_, "truth": truth, "seconds": seconds, "peak": peak}))


def beside_k_means():
    """Who is found where those without a computer, mostly of the lowest profile, skip the digital items."""
    found = []
    for seed in SEEDS:
        answers, _, profile = planted(seed, 2_000, missing=0.05)
        rng = np.random.default_rng(seed + 1000)
        skipped = rng.random(len(answers)) > np.array([0.3, 0.8, 0.95, 0.99, 1.0])[profile]
        answers.insert(0, "computer", 1.0 - skipped)
        answers.iloc[skipped, 1:19] = np.nan
        imputed = answers.fillna(answers.mean())
        groups = KMeans(5, n_init=50, random_state=seed).fit_predict((imputed - imputed.mean()) / imputed.std())
        fitted = CompetencyProfiles(5, random_state=seed).fit(answers).predict(answers)
        found.append([adjusted_rand_score(profile, fitted), adjusted_rand_score(profile, groups), skipped.mean()])
    profiles, groups, skipped = np.mean(found, axis=0)
    print(f"  {skipped:.0%} skip 18 of 30 items; adjusted Rand index against the planted profiles, mean of "
          f"{len(found)} seeds: ours {profiles:.2f}, k-means on mean-imputed answers {groups:.2f}")  # fmt: skip
    return True


PARTS = {
    "beside StepMix, K = 5, 10 % missing, StepMix n_init = 5 with its own settings": beside_stepmix,
    "2,000 people, K = 5: who ends higher": at_two_thousand,
    "selection over 1-8 profiles": selection,
    "200 weighted replicate refits": replicates,
    "bootstrap likelihood-ratio test, 5 steps": bootstrap_test,
    "a census of 350,000 people, K = 6": census,
    "beside k-means where a skip pattern hides the least digital staff": beside_k_means,
}


def main():
    print(f"latent classes of {ITEMS} items with {CATEGORIES} categories (synthetic), one thread"
          + (", QUICK: fewer people, seeds and draws" if QUICK else ""))  # fmt: skip
    sound = []
    for name, part in PARTS.items():
        print(name, flush=True)
        sound.append(part())
    return 0 if all(sound) else 1


if __name__ == "__main__":
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.exit(fit_census() if sys.argv[1:] == ["census"] else main())
