"""Whether a drawn country is the planted one: each planted figure beside the one that came, with its error."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import skew

from skillsgap.contracts import GROUPS
from skillsgap.study.synthetic.answering import asked, item_truth, report_shift
from skillsgap.study.synthetic.histories import planted_gains

TRIALS = 2000  # draws of the error of a skewness
STEP = 1e-4  # of a numerical derivative
SKEWNESS = {"normal": 0.0, "skewed": 2.0}
KURTOSIS = {"normal": 3.0, "skewed": 9.0}  # of a normal, and of an exponential


def planted_moments(spec, tables, staff, sample, leaving):
    """Every planted figure beside the one the drawn country has.

    Errors are those of the drawing: of a share sqrt(p (1 - p) / n), of a mean its spread over sqrt(n), of a
    skewness by simulation. What only shows through rounded answers (reliability, bias, unequal items) is
    estimated by one scoring step from the planted value, with the exact distribution of a rounded answer.

    Parameters
    ----------
    spec : dict
    tables : dict of str to DataFrame
        competencies, items, responses, course_effects, pilot_outcomes, and where drawn training_records.
    staff : Staff
    sample : DataFrame
    leaving : Series of shape (n_staff,)

    Returns
    -------
    DataFrame
        figure, planted, generated, se.
    """
    n = spec["n_staff"]
    shares = staff.profile.value_counts(normalize=True)
    rows = [_share(f"share of {name}", entry["share"], shares[name], n) for name, entry in spec["profiles"].items()]
    rows += _levels(spec, tables, staff)
    rows += _areas(spec, staff)
    rows += [_share("response rate", spec["response_rate"], sample["answers"].mean(), len(sample))]
    rows += [_skill_slope(spec, staff, sample)]
    rows += _answers(spec, tables, staff, sample)
    if "training_records" in tables:
        rows += _training(spec, tables)
    rows += [_share("exit rate", spec["exits"]["rate"], leaving.notna().mean(), n), _pilot(spec, tables)]
    table = pd.DataFrame(rows, columns=["figure", "planted", "generated", "se"])
    return table.dropna().round(6).reset_index(drop=True)


def _share(figure, planted, generated, n):
    return figure, planted, generated, np.sqrt(planted * (1 - planted) / n)


def _levels(spec, tables, staff):
    """Mean level of each competency group, round the centres of the people drawn."""
    group = tables["competencies"].set_index("competency_id")["group"]
    for name in GROUPS:
        members = [c for c in staff.levels if group[c] == name]
        if members:
            error = spec["level_sd"] / np.sqrt(spec["n_staff"] * len(members))
            yield f"mean level, {name}", staff.expected[members].mean(), staff.levels[members].mean().mean(), error


def _areas(spec, staff):
    """Spread and skewness of what distinguishes agencies."""
    sd, shape = spec["area_effects"]["sd"], spec["area_effects"]["shape"]
    effects = staff.areas[list(GROUPS)].to_numpy().ravel()
    if sd == 0:
        return
    n = len(effects)
    yield "area effects, sd", sd, np.sqrt((effects**2).mean()), sd * np.sqrt((KURTOSIS[shape] - 1) / (4 * n))
    rng = np.random.default_rng(0)
    trials = rng.exponential(size=(TRIALS, n)) if shape == "skewed" else rng.standard_normal((TRIALS, n))
    # a skewness from few draws is too small: its error is taken round the planted one
    error = np.sqrt(((skew(trials, axis=1) - SKEWNESS[shape]) ** 2).mean())
    yield "area effects, skewness", SKEWNESS[shape], skew(effects), error


def _skill_slope(spec, staff, sample):
    """Logits of answering by a level of skill: one scoring step from the planted slope."""
    skill = staff.levels.iloc[sample.index].mean(axis=1).to_numpy()
    chance = sample["chance"].to_numpy()
    spread = chance * (1 - chance)
    skill = skill - np.average(skill, weights=spread)
    information = (spread * skill**2).sum()
    step = ((sample["answers"] - chance) * skill).sum() / information
    return "response on skill", spec["response_on_skill"], spec["response_on_skill"] + step, 1 / np.sqrt(information)


def _answers(spec, tables, staff, sample):
    """Reliability, bias, unequal items and the assessor, from the answers given."""
    answered = sample["answers"].to_numpy()
    rows, responses = sample.index[answered], tables["responses"][answered]
    people, levels, items = staff.register.loc[rows], staff.levels.loc[rows], asked(tables["items"])
    sd = item_truth(spec, items, staff.levels).set_index("item_id")["noise_sd"]
    anchored, tested = (items[items["type"] == kind] for kind in ("anchored", "tested"))
    language = responses["answer_language"].to_numpy()
    shift = report_shift(spec, anchored, people, language)
    parts = {item.item_id: _rounded(responses, item, levels, sd, shift[:, number])
             for number, item in enumerate(anchored.itertuples())}  # fmt: skip
    yield _reliability(spec["item_reliability"], staff.levels.std(ddof=0), anchored, parts)
    for group in GROUPS:
        names = anchored.loc[anchored["group"] == group, "item_id"]
        bias = spec["self_report"]["bias"].get(group, 0.0)
        yield f"self-report bias, {group}", bias, *_shifted(bias, [parts[name] for name in names])
    for field, by_value in spec["self_report"]["by"].items():
        for value, planted in by_value.items():
            those = (people[field] == value).to_numpy()
            theirs = [replace(part, codes=np.where(those, part.codes, np.nan)) for part in parts.values()]
            yield f"self-report bias, {field} {value}", planted, *_shifted(planted, theirs)
    for item, by_language in spec.get("dif", {}).items():
        for code, planted in by_language.items():
            those = replace(parts[item], codes=np.where(language == code, parts[item].codes, np.nan))
            yield f"shift of {item} in {code}", planted, *_shifted(planted, [those])
    if (responses["tested"] == "yes").any():
        found = [_rounded(responses, item, levels, sd) for item in tested.itertuples()]
        yield "bias of the assessed", 0.0, *_shifted(0.0, found)


@dataclass(frozen=True)
class _Rounded:
    """Answers to an item (NaN where there is none) and what the distribution of a rounded answer depends on."""

    codes: np.ndarray
    centre: np.ndarray
    true: np.ndarray
    sd: float

    def expected(self, power, *, shift=0.0, sd=None):
        """Mean of (answer - true level) ** power of each person."""
        cuts = (np.arange(4) + 0.5 - self.centre[:, None] - shift) / max(self.sd if sd is None else sd, 1e-9)
        chances = np.diff(ndtr(cuts), axis=1, prepend=0.0, append=1.0)
        return (chances * (np.arange(5) - self.true[:, None]) ** power).sum(axis=1)

    def off(self, power):
        """How far each answer is from that."""
        return (self.codes - self.true) ** power - self.expected(power)


def _rounded(responses, item, levels, sd, shift=0.0):
    true = levels[item.competency_id].to_numpy()
    return _Rounded(responses[item.item_id].to_numpy(float, na_value=np.nan), true + shift, true, sd[item.item_id])


def _shifted(planted, parts):
    """A shift of several items: one step from the planted one, and its error."""
    off = np.concatenate([part.off(1) for part in parts]) if parts else np.array([])
    given = ~np.isnan(off)
    if not given.any():
        return np.nan, np.nan
    slope = np.concatenate([part.expected(1, shift=STEP) - part.expected(1) for part in parts]) / STEP
    slope = slope[given].mean()
    return planted + off[given].mean() / slope, off[given].std() / np.sqrt(given.sum()) / slope


def _reliability(planted, true_sd, items, parts):
    """Share of true variance that the spread of the answers bespeaks: one step from the planted one."""
    if planted == 1:
        return "item reliability", planted, np.nan, np.nan
    offs, slope = [], 0.0
    for item in items.itertuples():
        part, sd = parts[item.item_id], true_sd[item.competency_id] * np.sqrt(1 / (planted - STEP) - 1)
        offs.append(part.off(2))
        slope += (part.expected(2) - part.expected(2, sd=sd))[~np.isnan(offs[-1])].sum() / STEP
    off = np.concatenate(offs)
    return ("item reliability", planted, planted + np.nansum(off) / slope,
            abs(np.nanstd(off) * np.sqrt((~np.isnan(off)).sum()) / slope))  # fmt: skip


def _training(spec, tables):
    """What a course added, as a multiple of its gain, and what it added to those who dropped out."""
    records = tables["training_records"]
    gain = records["course_id"].map(planted_gains({"training": {"effect": 1.0}}, tables["course_effects"]))
    added, done = records["post"] - records["pre"], records["completed"] == "yes"
    if done.any():
        x, y = gain[done], added[done]
        slope = (x * y).sum() / (x**2).sum()
        yield "training effect", spec["training"]["effect"], slope, (y - slope * x).std() / np.sqrt((x**2).sum())
    yield "training effect, dropped out", 0.0, added[~done].mean(), added[~done].std() / np.sqrt((~done).sum())


def _pilot(spec, tables):
    """Difference in differences of the pilot."""
    pilot, outcomes = spec["pilot"], tables["pilot_outcomes"]
    wide = outcomes.pivot(index="group", columns="wave", values="outcome")[pilot["waves"]]
    chosen = outcomes.groupby("group")["treated"].max() == "yes"
    start = pilot["waves"].index(pilot["treated_from"])
    change = wide.iloc[:, start:].mean(axis=1) - wide.iloc[:, :start].mean(axis=1)
    effect = change[chosen].mean() - change[~chosen].mean()
    per_wave = 1 / start + 1 / (len(pilot["waves"]) - start)
    error = pilot["sd"] * np.sqrt(per_wave * (1 / chosen.sum() + 1 / (~chosen).sum()) / pilot["people"])
    return "pilot effect", pilot["effect"], effect, error
