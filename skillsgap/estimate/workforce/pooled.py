"""Multinomial logit of latent profiles with partly pooled effects, for a sample and all its replicates.

Coefficients are symmetric over the K profiles (no reference class): numbering them otherwise changes nothing.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import linalg

from skillsgap.errors import EstimateError

START_SD = 0.5  # logits; first guess of the spread of effects: a share of 50 % then varies from 38 to 62 %
SPREADS = np.geomspace(0.02, 4.0, 80)  # logits; below nothing differs visibly, above a category is all one profile
PRIOR_SD = 1.0  # logits; half-normal prior of a spread: weak, but few categories never prove that they are all alike
RATIOS = np.geomspace(0.2, 5.0, 60)  # spread of a profile's effects against the term's
PRIOR_RATIO = 0.5  # its logarithm's standard deviation: a profile's effects vary 1 / 2.7 to 2.7 times as much
ROUNDS = 6  # updates of the spread; later ones move effects by less than their errors
SPREAD_STEPS = 3  # of a term's spread and its ratios in turn, in each of them
REPLICATE_STEPS = 4  # each cuts the distance to a replicate's solution to about a tenth
LONGEST = 1.0  # logits; of a replicate's step: where a category is all one profile steps would grow without end
SPREAD_DRAWS = 10  # spreads tried in the replicates: each needs a factor of the information
BLOCK = 1 << 23  # numbers of an array worked on at a time (64 MB)
FREE_SD = 1e3  # logits; of intercepts: no shrinkage to speak of, and a profile that nobody has keeps a finite one
MOST_EFFECTS = 6000  # categories x profiles; the information is a dense matrix of them (290 MB)


@dataclass(frozen=True)
class PooledLogit:
    """Fitted logit of K profiles on p columns.

    Parameters
    ----------
    coefs : ndarray (K, p)
    sd : ndarray (terms,), standard deviation of a term's effects
    ratio : ndarray (terms, K), what multiplies it for each profile
    seen : ndarray (p,), bool; columns with respondents
    information : ndarray, observed, of the coefficients seen, without what pooling adds
    posteriors : list over terms of the posterior of sd over SPREADS and those of ratios (K, RATIOS)
    """

    coefs: np.ndarray
    sd: np.ndarray
    ratio: np.ndarray
    seen: np.ndarray
    information: np.ndarray
    posteriors: list

    @property
    def spread(self):
        """Standard deviation of each term's effects over all profiles (terms,)."""
        return self.sd * np.sqrt((self.ratio**2).mean(axis=1))


def lifted(loglik):
    """Subtract each row's largest value, so that its exponential can't underflow everywhere."""
    return loglik - _over_profiles(np.maximum, loglik)


def softmax(scores):
    scores = np.exp(lifted(scores))
    return scores / _over_profiles(np.add, scores)


def posterior_of(prior, likelihood):
    joint = prior * likelihood
    return joint / np.maximum(_over_profiles(np.add, joint), 1e-300)


def _over_profiles(combine, table):
    """Reduce the last axis, kept: profile by profile, which for so few is many times as fast as numpy's own."""
    return reduce(combine, (table[..., k] for k in range(table.shape[-1])))[..., None]


def fit_pooled(people, likelihood, weights, owner, shares, penalty=None):
    """Fit effects and their spread.

    Newton within EM for the effects, in turn with the spread of each term's effects, and how that differs between
    profiles: their likelihood is that of the effects' Gaussian approximation with the effects integrated out
    (restricted likelihood).

    Parameters
    ----------
    people : sparse (n, p), 0/1, the intercept first; effects of columns without respondents are 0
    likelihood : ndarray (n, K), P(answers | profile) up to a factor for each row
    weights : ndarray (n,)
    owner : ndarray (p,), the term of each column; -1 for the intercept
    shares : ndarray (K,), where to start
    penalty : float, optional; the spread of all terms, which is estimated without
    """
    n_profiles, n_terms = len(shares), owner.max() + 1
    seen = np.asarray(people.sum(axis=0)).ravel() > 0
    people, mine = people[:, seen], owner[seen]
    if n_profiles * len(mine) > MOST_EFFECTS:
        raise EstimateError(f"the terms have {len(mine)} categories with respondents, by {n_profiles} profiles more "
                            f"than {MOST_EFFECTS} effects: leave a term out or make its categories coarser")
    coefs = np.zeros((n_profiles, len(mine)))
    coefs[:, 0] = np.log(np.maximum(shares, 1e-9))
    coefs[:, 0] -= coefs[:, 0].mean()
    sd, ratio = np.full(n_terms, START_SD if penalty is None else penalty), np.ones((n_terms, n_profiles))
    for _ in range(ROUNDS if penalty is None else 0):
        coefs, information = _newton(coefs, people, likelihood, weights, _of_columns(sd, ratio, mine), tol=1e-3)
        for term in range(n_terms):
            sd[term], ratio[term], _ = spread_posterior(coefs, information, sd, ratio, mine, term)
    coefs, information = _newton(coefs, people, likelihood, weights, _of_columns(sd, ratio, mine))
    posteriors = [spread_posterior(coefs, information, sd, ratio, mine, term)[2]
                  for term in range(n_terms if penalty is None else 0)]
    whole = np.zeros((n_profiles, len(owner)))
    whole[:, seen] = coefs
    return PooledLogit(whole, sd, ratio, seen, information, posteriors)


def _of_columns(sd, ratio, owner):
    """Standard deviation of every coefficient (K, p), endless in effect for intercepts."""
    return np.vstack([sd[:, None] * ratio, np.full(ratio.shape[1], FREE_SD)])[owner].T


def _information(people, weights, *signed):
    """Sum of sign * X' w (diag(p) - pp') X over the given (sign, p): (K * columns) squared."""
    n_profiles, width = signed[0][1].shape[1], people.shape[1]
    whole = np.empty((n_profiles, width, n_profiles, width))
    for a in range(n_profiles):
        for b in range(a + 1):
            cell = weights * sum(sign * p[:, a] * ((a == b) - p[:, b]) for sign, p in signed)
            whole[a, :, b] = (people.T @ people.multiply(cell[:, None]).tocsr()).toarray()
            whole[b, :, a] = whole[a, :, b].T
    return whole.reshape(n_profiles * width, -1)


def _ridge(sd):
    """Penalty matrix: 1 / sd² on effects; for intercepts only their common shift, which changes no share."""
    n_profiles, width = sd.shape
    matrix = np.diag(1 / sd.ravel() ** 2)
    first = np.arange(n_profiles) * width
    matrix[np.ix_(first, first)] += 1.0
    return matrix


def _newton(coefs, people, likelihood, weights, sd, tol=1e-8, max_steps=100):
    ridge = _ridge(sd)
    for _ in range(max_steps):
        prior = softmax(people @ coefs.T)
        posterior = posterior_of(prior, likelihood)
        gradient = ((posterior - prior) * weights[:, None]).T @ people
        # The information of known profiles exceeds the observed one: such a step can't overshoot.
        step = linalg.solve(_information(people, weights, (1, prior)) + ridge,
                            gradient.ravel() - ridge @ coefs.ravel(), assume_a="pos").reshape(coefs.shape)
        coefs = coefs + step
        if np.abs(step).max() < tol:
            break
    prior = softmax(people @ coefs.T)
    posterior = posterior_of(prior, likelihood)
    observed = _information(people, weights, (1, prior), (-1, posterior))
    if np.linalg.eigvalsh(observed + ridge)[0] <= 1e-8:
        observed = _information(people, weights, (1, prior))
    return coefs, observed


def spread_posterior(coefs, information, sd, ratio, owner, term):
    """Standard deviation of a term's effects, its ratio for each profile (K,), and the posterior of both.

    Returns
    -------
    sd, ratio : posterior means (of a ratio in logarithms), each given all others; ratios have the geometric mean 1
    posterior : of sd over SPREADS, and of ratios (K, RATIOS)
    """
    n_profiles, whole = len(coefs), information + _ridge(_of_columns(sd, ratio, owner))
    pull, mine = whole @ coefs.ravel(), np.tile(owner == term, n_profiles)
    whole[mine, mine] -= 1 / _of_columns(sd, ratio, owner).ravel()[mine] ** 2
    sure, pull = _integrated(whole, pull, mine)
    sd, ratio, profile = sd[term], ratio[term].copy(), np.repeat(np.arange(n_profiles), len(pull) // n_profiles)
    for _ in range(SPREAD_STEPS):
        heights = _heights(sure, pull, sd * ratio[profile], SPREADS / sd)
        mass = _mass(heights - 0.5 * (SPREADS / PRIOR_SD) ** 2 + np.log(SPREADS))  # the grid is even in logarithms
        sd, masses = mass @ SPREADS, np.empty((n_profiles, len(RATIOS)))
        for k in range(n_profiles):
            unit = sd * ratio[profile]
            left = _integrated(sure + np.diag(np.where(profile == k, 0, 1 / unit**2)), pull, profile == k)
            heights = _heights(*left, unit[profile == k], RATIOS / ratio[k])
            masses[k] = _mass(heights - 0.5 * (np.log(RATIOS) / PRIOR_RATIO) ** 2)
            ratio[k] = np.exp(masses[k] @ np.log(RATIOS))
        middle = np.exp(np.log(ratio).mean())
        sd, ratio = sd * middle, ratio / middle
    return sd, ratio, (mass, masses)


def _mass(heights):
    mass = np.exp(heights - heights.max())
    return mass / mass.sum()


def _integrated(precision, pull, mine):
    """Precision of Gaussian effects and the pull on them with all but `mine` integrated out."""
    mine, others = np.flatnonzero(mine), np.flatnonzero(~mine)
    across = precision[np.ix_(others, mine)]
    solved = linalg.solve(precision[np.ix_(others, others)], np.column_stack([across, pull[others]]), assume_a="pos")
    left = precision[np.ix_(mine, mine)] - across.T @ solved[:, :-1]
    return (left + left.T) / 2, pull[mine] - across.T @ solved[:, -1]


def _heights(precision, pull, unit, times):
    """Log-likelihood of effects having so many `times` the standard deviations `unit`."""
    sure, turn = np.linalg.eigh(precision * unit * unit[:, None])
    sure, pull, squares = np.maximum(sure, 0), (turn.T @ (pull * unit)) ** 2, times[:, None] ** 2
    grown = 1 + sure * squares
    return 0.5 * (pull * squares / grown - np.log(grown)).sum(axis=1)


def replicate_coefs(model, people, likelihood, replicate_likelihood, weights, owner, scales, random_state):
    """Coefficients of the full sample, then of every replicate: those of its weights and a draw of what pooling hides.

    Each is fitted at a spread drawn from its posterior. Their deviations from the full sample's hold the error of
    sampling, of the spread, and the draw: variance of the pooled effects given the spread, which with that of
    sampling adds up to the posterior's.

    Parameters
    ----------
    likelihood : ndarray (n, K), of the full sample
    replicate_likelihood : callable, places of replicates -> ndarray (n, places, K)
    weights : ndarray (n, 1 + R), the full sample first
    scales : ndarray (R,), of the replicates in a variance
    """
    rng, seen = np.random.default_rng(random_state), model.seen
    start, people, mine = model.coefs[None, :, seen], people[:, seen], owner[seen]
    n_profiles, piece = len(model.coefs), max(1, BLOCK // likelihood.size)
    found = np.zeros((len(scales), *model.coefs.shape))
    tries = _drawn_spreads(model, rng)[:len(scales)]
    for tried, some in zip(tries, np.array_split(rng.permutation(len(scales)), len(tries)), strict=True):
        sd = _of_columns(*tried, mine)
        ridge = _ridge(sd)
        factor = linalg.cho_factor(model.information + ridge)
        moved = _stepped(start, people, likelihood[:, None], weights[:, :1], ridge, factor)  # at another spread
        sampled = [_stepped(np.repeat(start, len(few), axis=0), people, replicate_likelihood(few),
                            weights[:, 1 + few], ridge, factor) - moved
                   for few in np.split(some, range(piece, len(some), piece))]
        noise = rng.standard_normal((len(some), *model.coefs.shape))
        hidden = noise * np.where(owner < 0, 0, _of_columns(*tried, owner))  # of a category without respondents
        push = (noise[:, :, seen] / sd).reshape(len(some), -1)
        hidden[:, :, seen] = moved - start + linalg.cho_solve(factor, push.T).T.reshape(len(some), n_profiles, -1)
        found[some] = model.coefs + hidden / np.sqrt(scales[some] * len(scales))[:, None, None]
        found[np.ix_(some, range(n_profiles), np.flatnonzero(seen))] += np.concatenate(sampled)
    return np.concatenate([model.coefs[None], found])


def _drawn_spreads(model, rng):
    """A Latin hypercube of spreads and ratios of the terms: (draws) of (terms,), (terms, K)."""
    if not model.posteriors:
        return [(model.sd, model.ratio)]
    drawn = [[_quantiles(SPREADS, mass, rng), *(_quantiles(RATIOS, one, rng) for one in masses)]
             for mass, masses in model.posteriors]
    return [(draw[:, 0], draw[:, 1:]) for draw in np.array(drawn).transpose(2, 0, 1)]


def _quantiles(grid, mass, rng):
    middles = (rng.permutation(SPREAD_DRAWS) + 0.5) / SPREAD_DRAWS
    return np.exp(np.interp(middles, np.cumsum(mass) - mass / 2, np.log(grid)))


def _stepped(some, people, likelihood, weights, ridge, factor):
    """A few Newton steps of coefficients (R, K, p) with the full sample's information, all in one product."""
    n_some, n_profiles, width = some.shape
    for _ in range(REPLICATE_STEPS):
        scores = (people @ some.reshape(-1, width).T).reshape(-1, n_some, n_profiles)
        prior = softmax(scores)
        surplus = (posterior_of(prior, likelihood) - prior) * weights[:, :, None]
        gradient = (people.T @ surplus.reshape(len(surplus), -1)).reshape(width, n_some, n_profiles)
        push = gradient.transpose(1, 2, 0).reshape(n_some, -1) - some.reshape(n_some, -1) @ ridge
        some = some + np.clip(linalg.cho_solve(factor, push.T).T.reshape(some.shape), -LONGEST, LONGEST)
    return some
