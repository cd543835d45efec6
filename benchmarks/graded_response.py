"""CPU time of a graded response model of 100,000 people and 30 items, and how near it comes to the known truth.

The fit runs with 31 equally spaced abilities and again with 61; what changes is printed beside the standard errors.
QUICK=1 takes 5,000 people. ``make bench`` sets one thread; with more, their waiting counts as CPU time.
"""

import os
import resource
import time

import numpy as np
import pandas as pd

from skillsgap.estimate.measures.irt import ItemResponseModel

SEED, N_ITEMS, N_CATEGORIES = 20240501, 30, 5
N_PEOPLE = 5_000 if os.environ.get("QUICK") else 100_000
LIMIT = 60  # CPU seconds


def main():
    answers, slopes, difficulties = simulated(np.random.default_rng(SEED))
    few, seconds = timed(answers, 31)
    print(f"graded response, {N_PEOPLE} people x {N_ITEMS} items x {N_CATEGORIES} categories, seed {SEED}; "
          f"threads {os.environ.get('OPENBLAS_NUM_THREADS', 'not set')}; peer: none")  # fmt: skip
    print(f"31 abilities: CPU {seconds:.1f} s with standard errors (limit {LIMIT} s), {few.n_iter_} quasi-Newton "
          f"steps, max gradient a person {few.max_gradient_:.1e}, memory at most {peak():.0f} MB")  # fmt: skip
    print(f"converged: next step below {few.tol:g} standard errors over all {few.n_parameters_} parameters together")
    print(f"recovery RMSE: discrimination {rmse(few.discriminations_ - slopes):.4f} (mean standard error "
          f"{few.discrimination_se_.mean():.4f}), difficulty {rmse(few.difficulties_ - difficulties):.4f} "
          f"({few.difficulty_se_.to_numpy().mean():.4f})")  # fmt: skip
    many, seconds = timed(answers, 61)
    moved = abs(few.difficulties_ - many.difficulties_) / many.difficulty_se_
    turned = abs(few.discriminations_ - many.discriminations_) / many.discrimination_se_
    print(f"61 abilities: CPU {seconds:.1f} s; parameters move by at most {max(moved.max().max(), turned.max()):.1e} "
          f"standard errors, log-likelihood a person by {abs(few.loglik_ - many.loglik_) / N_PEOPLE:.1e}")  # fmt: skip


def simulated(rng):
    """Answers 0-4 of people with ability N(0, 1), discriminations and difficulties."""
    slopes = np.exp(rng.normal(0.3, 0.3, N_ITEMS))
    steps = np.array([-1.5, -0.5, 0.5, 1.5]) + rng.uniform(-0.2, 0.2, (N_ITEMS, N_CATEGORIES - 1))
    difficulties = steps + rng.normal(0, 0.4, (N_ITEMS, 1))
    ability, chance = rng.standard_normal((N_PEOPLE, 1)), rng.random((N_PEOPLE, N_ITEMS))
    answers = sum(chance < 1 / (1 + np.exp(-slopes * (ability - step))) for step in difficulties.T)
    return pd.DataFrame(answers), slopes, difficulties


def timed(answers, n_quadrature):
    start = time.process_time()
    fit = ItemResponseModel("grm", quadrature="uniform", n_quadrature=n_quadrature).fit(answers)
    return fit, time.process_time() - start


def rmse(errors):
    return float(np.sqrt(np.mean(np.square(np.asarray(errors)))))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
