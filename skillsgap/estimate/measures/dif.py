"""Items that work otherwise in one group than in another: at the same level, people answer differently."""

import numpy as np
import pandas as pd
from scipy import stats

from skillsgap.errors import EstimateError
from skillsgap.estimate.measures.cumulative import cumulative_logit, delta_r2, normalised, standardised
from skillsgap.estimate.measures.scoring import LEVEL_TYPES
from skillsgap.estimate.survey.intervals import interval
from skillsgap.estimate.survey.means import category_text

MODERATE, LARGE = 0.035, 0.070  # METHODS; Jodoin & Gierl (2001), of Nagelkerke's R²
ALPHA = 0.05
MIN_ITEMS, MIN_UNFLAGGED = 4, 3  # to match on three others; a comparison rests on more than a pair of items
MIN_RESPONDENTS = 30  # of a category: with fewer the chance part of ΔR² nears what counts as moderate
MIN_CONDITIONING = 10  # answers of a conditioning category; rarer ones are taken together
MAX_ROUNDS = 5  # of leaving flagged items out of the matching score
TOO_FEW_ITEMS, TOO_FEW_RESPONDENTS = "too few items", "too few respondents"
NO_VARIANCE, CONFOUNDED, TOO_FEW_UNFLAGGED = "no variance", "confounded", "too few unflagged items"
COLUMNS = ["by", "group", "item_id", "category", "reference", "estimate", "se", "ci_low", "ci_high", "n", "n_eff",
           "uncertainty", "delta_r2", "p", "p_nonuniform", "flag", "dropped", "comparable", "reason"]  # fmt: skip


def differential_functioning(responses, items, competencies, design, *, by, conditioning=("role_id", "region")):
    """Difference between groups' answers to each anchored item at the same level and conditioning: log odds.

    Cumulative logit of the item on the mean of the respondent's other answers in the competency group, indicators of
    the conditioning columns, those of the grouping column and their products with the score, by weighted
    pseudo-likelihood. The test is Wald's on the design's covariance of all terms of the group, so that clusters don't
    flag at random. Moderate or large needs p < .05 after Benjamini and Hochberg over the items, and ΔR² at or above
    .035 or .070; below that a significant item is negligible. Flagged items leave the matching score, again until the
    same ones are found. At the same *measured* level, groups of unlike true levels still differ a little, the more
    the less reliable the score is: a negligible item isn't evidence of a fault.

    Parameters
    ----------
    responses : DataFrame of shape (n_respondents, …)
        Index ``row_key``; a column an item, and the columns of `by` and `conditioning`.
    items : DataFrame
        item_id, competency_id, type; only anchored ones are examined.
    competencies : DataFrame
        competency_id, group.
    design : SurveyDesign
    by : str or list of str
        Columns whose categories are to be compared, such as answer_language, sex and agency_id; each is set against
        the category of most respondents. Who tells none is left out.
    conditioning : sequence of str
        Columns held constant; one that isn't there, or is compared itself, is not.

    Returns
    -------
    DataFrame
        A row an item and category: by, group (of competencies), item_id, category, reference, estimate (positive: the
        category answers higher), se, ci_low, ci_high, n (answers in the category), n_eff, uncertainty; of the item
        over all categories delta_r2, p, p_nonuniform, flag {none, negligible, moderate, large}, dropped; comparable:
        at least 3 unflagged items of the group remain; reason: why not examined or comparable, else empty.

    Raises
    ------
    EstimateError
        A column of `by` is not in the responses.

    References
    ----------
    Crane et al. (2006), Medical Care 44, S115–S123; Jodoin & Gierl (2001), Applied Measurement in Education 14,
    329–349; Korn & Graubard (1990), The American Statistician 44, 270–276.

    Examples
    --------
    >>> from skillsgap.estimate.survey.design import survey_design
    >>> level = np.arange(120) % 5
    >>> rows = pd.DataFrame({f"q{i}": (level + np.arange(120) % (i + 2) // (i + 1)).clip(0, 4) for i in range(4)})
    >>> rows = rows.assign(weight=1.0, sex=np.where(np.arange(120) % 3, "f", "m"))
    >>> items = pd.DataFrame({"item_id": ["q0", "q1", "q2", "q3"], "competency_id": "c", "type": "anchored"})
    >>> table = differential_functioning(rows, items, pd.DataFrame({"competency_id": ["c"], "group": ["data"]}),
    ...                                  survey_design(rows), by="sex")
    >>> table[["category", "reference", "n"]].drop_duplicates().values.tolist()
    [['m', 'f', 40]]
    """
    by = [by] if isinstance(by, str) else list(by)
    if absent := [column for column in by if column not in responses]:
        raise EstimateError(f"differential functioning by {', '.join(absent)}: responses have no such column")
    anchored = items.loc[items["type"].isin(LEVEL_TYPES), ["item_id", "competency_id"]]
    anchored = anchored.merge(competencies[["competency_id", "group"]], on="competency_id")
    scales = {group: sorted(members["item_id"]) for group, members in anchored.groupby("group", sort=True)}
    rows = responses.loc[design.weights.index]
    held = {column: [name for name in conditioning if name in rows and name != column] for column in by}
    tables = [_by_column(rows, scales, design, column, held[column]) for column in by]
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def comparable_items(dif_table, by):
    """Items on which the groups of one column may be compared: unflagged, in a competency group that has enough.

    Parameters
    ----------
    dif_table : DataFrame
        As `differential_functioning` gives it.
    by : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> table = pd.DataFrame({"by": "sex", "item_id": ["q1", "q2"], "dropped": [False, True], "comparable": True})
    >>> comparable_items(table, "sex")
    ['q1']
    """
    usable = (dif_table["by"] == by) & dif_table["comparable"].astype(bool) & ~dif_table["dropped"].astype(bool)
    return sorted(dif_table.loc[usable, "item_id"].unique())


def _by_column(rows, scales, design, column, conditioning):
    categories = category_text(rows[column]).to_numpy(dtype=object, na_value="")
    there = (categories != "") & (design.weights.to_numpy() > 0)
    names, counts = np.unique(categories[there].astype(str), return_counts=True)
    if len(names) < 2:
        return pd.DataFrame(columns=COLUMNS)
    names = names[np.lexsort((names, -counts))]  # the largest first: it is the reference
    held = _indicators(rows[conditioning], there)
    data = design, categories, names, held, there
    found, flagged = {}, set()
    for _ in range(MAX_ROUNDS):
        out = flagged
        keys = {item: (item, group, frozenset(_matching(members, item, out)))
                for group, members in scales.items() for item in members}  # fmt: skip
        for item, (_, group, matching) in keys.items():
            if (item, group, matching) not in found:
                found[item, group, matching] = _examine(rows, item, sorted(matching), len(scales[group]), *data)
        tests = {item: found[key] for item, key in keys.items()}
        flags = _flags(tests)
        flagged = {item for item, flag in flags.items() if flag in ("moderate", "large")}
        if flagged == out:
            break
    return _table(column, scales, names, tests, flags)


def _matching(members, item, flagged):
    """The other items, without flagged ones as long as at least two are left."""
    others = [other for other in members if other != item]
    unflagged = [other for other in others if other not in flagged]
    return unflagged if len(unflagged) >= MIN_UNFLAGGED - 1 else others


def _indicators(conditioning, there):
    """Indicator columns, the first category of each column being the base; who tells none is a category."""
    columns = [np.ones(len(conditioning))]
    for name in conditioning:
        codes = conditioning[name].astype("string").fillna("").to_numpy(dtype=object)
        names, counts = np.unique(codes[there].astype(str), return_counts=True)
        rare = np.isin(codes, names[counts < MIN_CONDITIONING])
        columns += [(codes == level) & ~rare for level in names[counts >= MIN_CONDITIONING][1:]] + [rare]
    return np.column_stack(columns).astype(float)


def _examine(rows, item, matching, n_items, design, categories, names, held, there):
    """What one item's model says: a dict with `reason`, or with the test and a record a category."""
    data = _item_rows(rows, item, matching, categories, names, held, there) if n_items >= MIN_ITEMS else TOO_FEW_ITEMS
    if isinstance(data, str):
        return {"reason": data}
    use, kept, y, mean, base, group = data
    raw = design.weights.to_numpy()[use]
    w, _ = normalised(raw)
    score = standardised(mean, w)
    alone = np.column_stack([score, base[:, 1:]])
    x = np.column_stack([alone, group, group * score[:, None]])
    start, q = alone.shape[1], group.shape[1]
    fits, found = [], None
    for size in (start, start + q, start + 2 * q):
        fits.append(cumulative_logit(y, x[:, :size], w, start=found))
        found = fits[-1].coefficients
    tested, scale, degf = slice(y.max() + start, None), w.sum() / raw.sum(), _degf(design)
    slopes, covariance = _slopes(fits[1], tested, use, scale, design)
    both, wide = _slopes(fits[2], tested, use, scale, design)
    se = np.sqrt(np.diag(covariance))
    low, high = interval(slopes, se, degf)
    records = {}
    for i, name in enumerate(kept[1:]):
        own = raw[group[:, i] == 1]
        records[name] = {"estimate": slopes[i], "se": se[i], "ci_low": low[i], "ci_high": high[i], "n": len(own),
                         "n_eff": normalised(own)[1]}  # fmt: skip
    return {"reason": "", "delta_r2": delta_r2(y, w, fits[0].loglik, fits[2].loglik), "p": _wald(both, wide, degf),
            "p_nonuniform": _wald(both[q:], wide[q:, q:], degf), "categories": records}  # fmt: skip


def _item_rows(rows, item, matching, categories, names, held, there):
    """Rows that answered the item and one to match on, and their codes and columns; or why there are too few."""
    answer, others = rows[item].to_numpy(dtype=float), rows[matching].to_numpy(dtype=float)
    answered = np.isfinite(others).sum(axis=1)
    use = there & np.isfinite(answer) & (answered > 0)
    kept = [name for name in names if (categories[use] == name).sum() >= MIN_RESPONDENTS]
    if names[0] not in kept or len(kept) < 2:
        return TOO_FEW_RESPONDENTS
    use &= np.isin(categories, kept)
    y = np.unique(answer[use], return_inverse=True)[1]
    mean = np.nansum(others[use], axis=1) / answered[use]
    if y.max() == 0 or np.ptp(mean) == 0:
        return NO_VARIANCE
    base = held[use][:, held[use].any(axis=0)]
    group = (categories[use, None] == np.array(kept[1:], dtype=object)).astype(float)
    if _rank(np.column_stack([base, group])) < _rank(base) + group.shape[1]:
        return CONFOUNDED
    return use, kept, y, mean, base, group


def _rank(x):
    return np.linalg.matrix_rank(x.T @ x, hermitian=True)


def _slopes(fit, which, use, scale, design):
    """Coefficients and their design covariance, from what each row's score moves them by."""
    influence = np.zeros((len(use), fit.inverse[:, which].shape[1]))
    influence[use] = fit.scores @ fit.inverse[:, which] * scale
    if design.linearization is not None:
        return fit.coefficients[which], design.covariance(influence)
    moved = design.deviations(design.weights.to_numpy() @ influence, design.replicate_weights.T @ influence)
    return fit.coefficients[which], moved.T @ moved


def _degf(design):
    linearised = design.linearization is not None
    return max(design.degf if linearised else min(design.degf, design.replicate_weights.shape[1] - 1), 1)


def _wald(slopes, covariance, degf):
    """p of all slopes being 0: F with the degrees of freedom that many slopes leave of the design's."""
    q, left = len(slopes), max(degf - len(slopes) + 1, 1)
    chi2 = slopes @ np.linalg.pinv(covariance, hermitian=True) @ slopes
    return stats.f.sf(chi2 * left / (degf * q), q, left)


def _flags(tests):
    """Flag of each examined item."""
    p = pd.Series({item: test["p"] for item, test in tests.items() if not test["reason"]}, dtype=float)
    adjusted = pd.Series(stats.false_discovery_control(p), p.index) if len(p) else p
    named = {}
    for item, value in adjusted.items():
        size = np.searchsorted([MODERATE, LARGE], tests[item]["delta_r2"], side="right")
        named[item] = ("negligible", "moderate", "large")[size] if value < ALPHA else "none"
    return named


def _table(column, scales, names, tests, flags):
    rows = []
    for group, members in scales.items():
        dropped = {item: flags.get(item) in ("moderate", "large") for item in members}
        enough = sum(item in flags and not dropped[item] for item in members) >= MIN_UNFLAGGED
        for item in members:
            test = tests[item]
            for category in names[1:]:
                known = test.get("categories", {}).get(category, {})
                reason = test["reason"] or ("" if known else TOO_FEW_RESPONDENTS)
                rows.append({"by": column, "group": group, "item_id": item, "category": category,
                             "reference": names[0], "uncertainty": "sampling", **known,
                             **{name: test.get(name, np.nan) for name in ("delta_r2", "p", "p_nonuniform")},
                             "flag": flags.get(item, ""), "dropped": dropped[item],
                             "comparable": enough and not reason,
                             "reason": reason or ("" if enough else TOO_FEW_UNFLAGGED)})  # fmt: skip
    made = pd.DataFrame(rows, columns=COLUMNS)
    return made.assign(n=made["n"].fillna(0).astype(int))
