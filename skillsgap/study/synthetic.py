"""A fictional country drawn from a spec: staff, a survey of some of them, and the truth about all of them.

Every true level is known, so whatever is estimated later from the survey can be held against it.
"""

import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from skillsgap.contracts import GROUPS
from skillsgap.errors import SkillsgapError
from skillsgap.study.spec import AGE_BANDS, SEXES, apportion, check_spec

FRAMEWORK = ("competencies", "items", "requirements", "courses", "course_effects")
GENERATED = ("agencies", "register", "responses")
AGE_RANGE = (21, 64)  # years, school leaving to pension
AGE_SD = 8.5  # years within a grade: makes the bands of neighbouring grades overlap
PAPER_RATE = 0.06  # share of those with a device who still answer on paper
HOME_LANGUAGE_RATE = 0.95  # share answering in their first language
TOP_LEVEL = 4
BELOW = 0.5  # levels: below requirement means true level < required - BELOW



@dataclass(frozen=True)
class Country:
    """A fictional country: what a study would be given, and what it could not know.

    Attributes
    ----------
    tables : dict of str to DataFrame
        agencies, register and responses (drawn); competencies, items, requirements, courses and
        course_effects (the authored framework, as read).
    truth : dict of str to DataFrame
        profiles (share and mean level of each competency, all staff), headcounts (agency by profile),
        gaps (all staff and by agency), respondents (profile of each invited person).
    """

    tables: dict
    truth: dict


def make_country(spec, random_state):
    """Draw a fictional country with known profiles, levels and gaps, and a survey with nonresponse.

    A person's profile is multinomial given agency, role and grade; the true level of a competency is
    normal round the profile's mean, independently within the profile; an answer is the true level plus
    noise, rounded to 0..4. Who answers depends on agency, grade, age and sex only, so that weights
    calibrated to the register can put it right.

    Parameters
    ----------
    spec : dict
        From `read_spec` or `small_spec`.
    random_state : int or numpy.random.Generator
        Seed; register, levels, sample and answers have streams of their own, so that a smaller sample
        leaves the staff as they are.

    Returns
    -------
    Country

    Raises
    ------
    SkillsgapError
        When the spec or its framework folder can't be drawn from.
    """
    check_spec(spec)
    tables = _read_framework(spec["framework"])
    staff_rng, level_rng, sample_rng, answer_rng = np.random.default_rng(random_state).spawn(4)
    register = _draw_register(spec, staff_rng)
    profile = _draw_profiles(spec, register, level_rng)
    levels = _draw_levels(spec, tables["competencies"], register, profile, level_rng)
    sample = _draw_sample(spec, register, sample_rng)
    responses = _draw_responses(spec, tables["items"], register, levels, sample, answer_rng)
    agencies = pd.DataFrame(spec["agencies"])[["agency_id", "label_en", "label_uz", "admin_level", "hub_id"]]
    tables |= {"agencies": agencies, "register": register, "responses": responses}
    return Country(tables, _truth(spec, tables["requirements"], register, profile, levels, sample))


def write_country(country, folder):
    """Write what was drawn (not the framework) as CSV, and the truth in a folder beside it.

    The same country gives the same bytes: UTF-8, "\\n" line ends, and the register compressed without
    a clock time.

    Parameters
    ----------
    country : Country
    folder : str or Path
        Made where absent.

    Returns
    -------
    list of Path
        The files written.
    """
    folder = Path(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    frames = {f"{name}.csv": country.tables[name] for name in GENERATED}
    frames |= {f"truth/{name}.csv": frame for name, frame in country.truth.items()}
    written = []
    for name, frame in frames.items():
        data = frame.to_csv(index=False, lineterminator="\n").encode("utf-8")
        path = folder / name
        if name == "register.csv":
            path, data = folder / "register.csv.gz", _compress(data)
        path.write_bytes(data)
        written.append(path)
    return written


def _compress(data):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def _read_framework(folder):
    """The authored tables, as they stand in their folder."""
    missing = [name for name in FRAMEWORK if not (Path(folder) / f"{name}.csv").is_file()]
    if missing:
        raise SkillsgapError(
            f"spec: framework is '{Path(folder).name}', which lacks {missing[0]}.csv: name the folder with it"
        )
    return {
        name: pd.read_csv(Path(folder) / f"{name}.csv", keep_default_na=False)
        for name in FRAMEWORK
    }


def _draw(rng, chances):
    """One code per row from a table of chances (n, k), or for n people from one row repeated."""
    cumulated = np.cumsum(chances, axis=1)
    # rounding may leave the last sum a hair under 1; a draw above it belongs to the last code
    return np.minimum((rng.random((len(chances), 1)) > cumulated).sum(axis=1), chances.shape[1] - 1)


def _draw_register(spec, rng):
    """All staff, in the order of a staff_id that means nothing."""
    n, agencies = spec["n_staff"], pd.DataFrame(spec["agencies"])
    roles, grades = (pd.DataFrame.from_dict(spec[key], orient="index") for key in ("roles", "grades"))
    regions = pd.DataFrame.from_dict(spec["regions"], orient="index")
    agency = np.repeat(np.arange(len(agencies)), agencies["staff"])
    multiples = pd.DataFrame(agencies["roles"].tolist(), columns=roles.index).fillna(1.0).to_numpy(float)
    mix = multiples * roles["share"].to_numpy()
    role = _draw(rng, (mix / mix.sum(axis=1, keepdims=True))[agency])
    grade = _draw(rng, np.tile(grades["share"], (n, 1)))
    spread = _draw(rng, np.tile(regions["share"], (n, 1)))
    seat = agencies["region"].to_numpy()[agency]
    region = pd.Series(np.where(seat == "", regions.index.to_numpy()[spread], seat))
    age = np.clip(rng.normal(grades["age_mean"].to_numpy()[grade], AGE_SD), *AGE_RANGE)
    band = np.searchsorted(list(AGE_BANDS.values()), age, side="right")
    higher = rng.random(n) < grades["higher_education"].to_numpy()[grade]
    admin_level = agencies["admin_level"].to_numpy()[agency]
    device = rng.random(n) < pd.Series(admin_level).map(spec["device_access"]).to_numpy()
    second = rng.random(n) < region.map(regions["second_language"]).to_numpy()
    register = pd.DataFrame({
        "staff_id": [f"A{number:06d}" for number in rng.permutation(n) + 1],
        "agency_id": agencies["agency_id"].to_numpy()[agency],
        "admin_level": admin_level,
        "region": region,
        "role_id": roles.index.to_numpy()[role],
        "role_level": grades["role_level"].to_numpy()[grade],
        "isco08": roles["isco08"].to_numpy()[role],
        "grade": grades.index.to_numpy()[grade],
        "sex": np.where(rng.random(n) < roles["female"].to_numpy()[role], *SEXES),
        "age_band": np.array(list(AGE_BANDS))[band],
        "language": np.array(spec["languages"])[second.astype(int)],
        "tenure_years": np.floor((age - AGE_RANGE[0]) * rng.random(n)).astype(int),
        "education": np.where(higher, np.where(rng.random(n) < 0.4, "master", "bachelor"), "secondary"),
        "device_access": np.where(device, "yes", "no"),
    })  # fmt: skip
    return register.sort_values("staff_id", ignore_index=True)


def _sum_effects(register, effects, columns):
    """For each row the sum of effects[field][its value][column]: array (n, len(columns))."""
    total = np.zeros((len(register), len(columns)))
    for name, by_value in effects.items():
        table = pd.DataFrame.from_dict(by_value, orient="index").reindex(columns=columns).fillna(0.0)
        total += table.reindex(register[name]).fillna(0.0).to_numpy(float)
    return total


def _chances(logits, shares):
    """Class chances from logits, with intercepts such that their mean over people equals `shares`."""
    intercept = np.log(shares)
    for _ in range(200):
        chances = softmax(logits + intercept, axis=1)
        mean = chances.mean(axis=0)
        if np.abs(mean - shares).max() < 1e-10:
            break
        intercept = intercept + np.log(shares / mean)
    return chances


def _draw_profiles(spec, register, rng):
    """Code of each person's profile, in the order of the spec."""
    shares = np.array([profile["share"] for profile in spec["profiles"].values()])
    logits = _sum_effects(register, spec["profile_effects"], list(spec["profiles"]))
    return _draw(rng, _chances(logits, shares))


def _draw_levels(spec, competencies, register, profile, rng):
    """True levels, people by competencies, continuous within 0..4."""
    groups = pd.Index(GROUPS)
    means = pd.DataFrame([p["levels"] for p in spec["profiles"].values()])[list(GROUPS)].to_numpy()
    by_group = means[profile] + _sum_effects(register, spec["level_effects"], list(GROUPS))
    offset = competencies["competency_id"].map(spec["competency_offset"]).fillna(0.0).to_numpy(float)
    centre = by_group[:, groups.get_indexer(competencies["group"])] + offset
    levels = np.clip(rng.normal(centre, spec["level_sd"]), 0, TOP_LEVEL)
    return pd.DataFrame(levels, columns=competencies["competency_id"])


def _draw_sample(spec, register, rng):
    """The invited, stratified by agency: row of the register, stratum and design weight N_h / n_h."""
    staff = register["agency_id"].value_counts().sort_index()
    invited = staff
    if spec["n_invited"] < spec["n_staff"]:
        wanted = apportion(spec["n_invited"], staff.to_numpy() ** spec["allocation_power"])
        invited = staff.clip(upper=pd.Series(wanted, index=staff.index).clip(lower=1))
    order = pd.Series(rng.random(len(register))).groupby(register["agency_id"]).rank(method="first")
    rows = np.flatnonzero(order <= register["agency_id"].map(invited))
    stratum = register["agency_id"].iloc[rows]
    return pd.DataFrame({"stratum": stratum, "weight": stratum.map(staff / invited).round(6)})


def _draw_responses(spec, items, register, levels, sample, rng):
    """One row for each of the invited; those who did not answer have empty answers."""
    invited, n = register.loc[sample.index], len(sample)
    effects = {f: {v: {"answers": e} for v, e in by.items()} for f, by in spec["response_effects"].items()}
    logit = _sum_effects(invited, effects, ["answers"])
    rate = spec["response_rate"]
    chances = _chances(np.hstack([np.zeros_like(logit), logit]), np.array([1 - rate, rate]))
    answers = _draw(rng, chances) == 1
    noise = rng.normal(0, spec["item_noise_sd"], (n, len(items)))
    true = levels.loc[sample.index, items["competency_id"]].to_numpy()
    codes = np.clip(np.rint(true + noise), 0, TOP_LEVEL)
    partial = answers & (rng.random(n) < spec["partial_rate"])
    last = np.where(partial, rng.integers(len(items) // 6, len(items) - 3, n), len(items))
    skipped = rng.random(codes.shape) < spec["item_missing_rate"]
    empty = ~answers[:, None] | skipped | (np.arange(len(items)) >= last[:, None])
    codes = pd.DataFrame(np.where(empty, np.nan, codes), columns=items["item_id"]).astype("Int64")
    days = pd.bdate_range(*spec["survey_dates"]).strftime("%Y-%m-%d").to_numpy()
    paper = (invited["device_access"] == "no") | (rng.random(n) < PAPER_RATE)
    home = rng.random(n) < HOME_LANGUAGE_RATE
    # the other tongue of the two, for the few who don't answer in their first
    other = invited["language"].map(dict(zip(spec["languages"], spec["languages"][::-1], strict=True)))
    about = pd.DataFrame({
        "staff_id": invited["staff_id"],
        "status": np.select([partial, answers], ["partial", "complete"], "no_response"),
        "stratum": sample["stratum"],
        "weight": sample["weight"],
        "answer_language": np.where(answers, np.where(home, invited["language"], other), ""),
        "mode": np.where(answers, np.where(paper, "paper", "web"), ""),
        "date": np.where(answers, days[rng.integers(0, len(days), n)], ""),
    })  # fmt: skip
    return pd.concat([about.reset_index(drop=True), codes], axis=1)


def _truth(spec, requirements, register, profile, levels, sample):
    """What the survey is there to find out, over all staff."""
    names = np.array(list(spec["profiles"]))
    person = register[["agency_id"]].assign(profile=pd.Categorical(names[profile], names))
    by_profile = person.groupby("profile", observed=False)
    shares = (by_profile.size() / len(person)).rename("share")
    means = levels.groupby(person["profile"], observed=False).mean()
    profiles = pd.concat([shares, means], axis=1).round(6).rename_axis("profile").reset_index()
    counts = person.groupby(["agency_id", "profile"], observed=False).size()
    gaps = [_gaps(requirements, register, levels, by) for by in ("all", "agency_id")]
    respondents = register.loc[sample.index, ["staff_id"]].assign(profile=names[profile[sample.index]])
    return {
        "profiles": profiles,
        "headcounts": counts.rename("headcount").reset_index(),
        "gaps": pd.concat(gaps, ignore_index=True),
        "respondents": respondents.reset_index(drop=True),
    }


def _gaps(requirements, register, levels, by):
    """Mean level, requirement, shortfall and share below, for all staff or by a column."""
    role = ["role_id", "role_level"]
    wide = requirements.pivot(index=role, columns="competency_id", values="required_level")[levels.columns]
    needed = wide.reindex(pd.MultiIndex.from_frame(register[role])).to_numpy()
    true = levels.to_numpy()
    values = {
        "level": true,
        "required": needed,
        "shortfall": np.maximum(0, needed - true),
        "share_below": (true < needed - BELOW).astype(float),
    }
    group = register[by] if by in register else pd.Series(by, index=register.index)
    columns = {
        name: pd.DataFrame(value, columns=levels.columns).groupby(group).mean().rename_axis("group").stack()
        for name, value in values.items()
    }
    gaps = pd.DataFrame(columns).round(6).rename_axis(["group", "competency_id"]).reset_index()
    return gaps.assign(by=by)[["by", "group", "competency_id", *values]]
