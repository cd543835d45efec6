"""What a survey of a fictional country is there to find out, over all of its staff."""

import numpy as np
import pandas as pd

from skillsgap.contracts import GROUPS
from skillsgap.study.synthetic.histories import PILOT_LEVEL, planted_gains

BELOW = 0.5  # levels: below requirement means true level < required - BELOW
GAPS_BY = ("all", "agency_id", "admin_level", "sex")


def planted_truth(spec, tables, staff, sample, leaving):
    """The planted values, as tables to hold estimates against.

    Parameters
    ----------
    spec : dict
    tables : dict of str to DataFrame
        requirements, course_effects, training_records.
    staff : Staff
    sample : DataFrame
    leaving : Series of shape (n_staff,)
        Dates of leaving.

    Returns
    -------
    dict of str to DataFrame
        profiles (share, mean level of each competency), headcounts (agency by profile), gaps, means and needs
        (see `gaps_of`), areas (levels by agency and competency group; climate in
        points), dif and bias (levels), courses (levels a completed course adds, and how many completed), exits (by
        role), pilot; of a register of persons also respondents (profile and mean true level of the invited).
    """
    person = staff.register[["agency_id"]].assign(profile=staff.profile)
    shares = person["profile"].value_counts(sort=False, normalize=True).rename("share")
    means = staff.levels.groupby(staff.profile, observed=False).mean()
    counts = person.groupby(["agency_id", "profile"], observed=False).size()
    leaves = staff.register[["role_id"]].assign(exits=leaving.notna()).groupby("role_id", observed=True)["exits"]
    areas = staff.areas.rename_axis(columns="group").stack().rename("effect").round(6).reset_index()
    truth = {
        "profiles": pd.concat([shares, means], axis=1).round(6).rename_axis("profile").reset_index(),
        "headcounts": counts.rename("headcount").reset_index(),
        **gaps_of(tables["requirements"], staff.register, staff.levels),
        "areas": areas,
        "dif": _planted_dif(spec),
        "bias": _planted_bias(spec),
        "courses": _planted_courses(spec, tables),
        "exits": leaves.agg(staff="size", exits="sum", rate="mean").round(6).reset_index(),
        "pilot": pd.DataFrame([{"level": PILOT_LEVEL, **{k: spec["pilot"][k] for k in (
            "effect", "treated_from", "group_sd", "wave_trend", "sd")}}]),
    }  # fmt: skip
    if spec["register"] == "persons":
        truth["respondents"] = pd.DataFrame({
            "staff_id": tables["responses"]["staff_id"],
            "profile": staff.profile.iloc[sample.index].astype(str).to_numpy(),
            "level": staff.levels.iloc[sample.index].mean(axis=1).round(4).to_numpy(),
        })  # fmt: skip
    return truth


def _planted_dif(spec):
    rows = [(item, language, shift) for item, by in spec.get("dif", {}).items() for language, shift in by.items()]
    return pd.DataFrame(rows, columns=["item_id", "answer_language", "shift"])


def _planted_bias(spec):
    report = spec["self_report"]
    rows = [("group", group, report["bias"].get(group, 0.0)) for group in GROUPS]
    rows += [(field, value, shift) for field, by in report["by"].items() for value, shift in by.items()]
    return pd.DataFrame(rows, columns=["by", "group", "shift"])


def _planted_courses(spec, tables):
    gains = planted_gains(spec, tables["course_effects"]).rename("gain").round(6).to_frame()
    if "training_records" in tables:
        records = tables["training_records"]
        completed = records.loc[records["completed"] == "yes", "course_id"].value_counts()
        gains = gains.assign(completed=completed.reindex(gains.index).fillna(0).astype(int))
    return gains.reset_index()


def gaps_of(requirements, register, levels):
    """Levels, gaps and needs of all staff and of groups of them, by GAPS_BY.

    Parameters
    ----------
    requirements : DataFrame
        role_id, role_level, competency_id, required_level, importance.
    register : DataFrame of shape (n_staff, n_columns)
        Codes as categories.
    levels : DataFrame of shape (n_staff, n_competencies)

    Returns
    -------
    dict of str to DataFrame
        gaps (by, group, competency_id, level, required, shortfall, share_below; over those of whom something is
        required), means (by, group, competency_id, level; over all), needs (by, group, need: the shortfall averaged
        over a person's competencies by importance).

    Examples
    --------
    0.4 short and not below 2 - 0.5; 2.0 short and below 3 - 0.5:

    >>> register = pd.DataFrame({"role_id": "clerk", "role_level": ["staff", "lead"], "agency_id": "a",
    ...                          "admin_level": "central", "sex": "female"}, dtype="category")
    >>> needs = pd.DataFrame({"role_id": "clerk", "role_level": ["staff", "lead"], "competency_id": "x",
    ...                       "required_level": [2.0, 3.0], "importance": 4.0})
    >>> found = gaps_of(needs, register, pd.DataFrame({"x": [1.6, 1.0]}))
    >>> found["gaps"].iloc[0, 3:].tolist(), found["needs"]["need"].tolist()
    ([1.3, 2.5, 1.2, 0.5], [1.2, 1.2, 1.2, 1.2])
    """
    required, importance = (_asked(requirements, register, levels, value)
                            for value in ("required_level", "importance"))  # fmt: skip
    groups = {by: register[by] if by in register else pd.Series(by, index=register.index) for by in GAPS_BY}
    parts, short, asked = {by: {} for by in GAPS_BY}, np.zeros(len(register)), np.zeros(len(register))
    for number, name in enumerate(levels.columns):  # a competency at a time: few columns of a large register
        true = levels[name].to_numpy()
        needed = required(number)
        needed = np.where(needed > 0, needed, np.nan)  # what is not required has no gap
        known = ~np.isnan(needed)
        values = pd.DataFrame({
            "mean": true,
            "level": np.where(known, true, np.nan),
            "required": needed,
            "shortfall": np.maximum(0, needed - true),
            "share_below": np.where(known, true < needed - BELOW, np.nan),
        })  # fmt: skip
        counted = np.where(known, importance(number), 0.0)
        short, asked = short + counted * values["shortfall"].fillna(0.0).to_numpy(), asked + counted
        for by, group in groups.items():
            parts[by][name] = values.groupby(group.to_numpy(), observed=True).mean()
    table = pd.concat([pd.concat(part, names=["competency_id", "group"]).assign(by=by).reset_index()
                       for by, part in parts.items()], ignore_index=True).round(6)  # fmt: skip
    need = pd.Series(short / np.where(asked > 0, asked, np.nan))
    needs = [need.groupby(group.to_numpy(), observed=True).mean().rename("need").rename_axis("group").reset_index()
             .assign(by=by) for by, group in groups.items()]  # fmt: skip
    key = ["by", "group", "competency_id"]
    return {
        "gaps": table.dropna(subset="required")[[*key, "level", "required", "shortfall", "share_below"]],
        "means": table[[*key, "mean"]].rename(columns={"mean": "level"}),
        "needs": pd.concat(needs, ignore_index=True)[["by", "group", "need"]].round(6),
    }


def _asked(requirements, register, levels, value):
    """What a competency, by its number, asks of each person."""
    role = ["role_id", "role_level"]
    wide = requirements.pivot_table(index=role, columns="competency_id", values=value)
    # one row a role and level, in the order of their categories, so that codes find it
    kinds = pd.MultiIndex.from_product([register[name].cat.categories for name in role], names=role)
    table = wide.reindex(index=kinds, columns=levels.columns).to_numpy(float)
    kind = register["role_id"].cat.codes.to_numpy(int) * len(register["role_level"].cat.categories)
    kind += register["role_level"].cat.codes.to_numpy(int)
    return lambda number: table[kind, number]
