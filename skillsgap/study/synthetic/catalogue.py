"""What a country shares with the other fictional ones: the framework, and courses and staff that it prices itself."""

from pathlib import Path

import numpy as np
import pandas as pd

from skillsgap.contracts import CONTRACTS
from skillsgap.errors import SkillsgapError

# columns the drawing needs, by the spec's key of the folder and the file
NEEDED = {
    "framework": {"competencies": ("competency_id", "group", "audience"),
                  "items": ("item_id", "competency_id", "group", "type", "n_categories", "lowest", "form", "key",
                            "filter_item", "filter_codes")},
    "common": {"requirements": ("role_id", "role_level", "competency_id", "required_level", "importance"),
               "courses": ("course_id", "provider", "hours", "cost_per_seat", "fixed_cost", "class_min", "seats_max",
                           "languages", "eligibility"),
               "course_effects": ("course_id", "competency_id", "gain"),
               "costs": ("role_id", "hour_cost", "hire_cost", "contract_cost")},
}  # fmt: skip
CODES = ("key", "filter_item", "filter_codes")  # matched as text
SMALLEST_CLASS = 4  # seats: below that it is no class
FIGURES = 2  # significant figures of a price


def read_shared(spec):
    """Read the framework and the common tables a spec names.

    Parameters
    ----------
    spec : dict
        Its `framework` and `common` name folders.

    Returns
    -------
    dict of str to DataFrame
        competencies, items, requirements, courses, course_effects, costs.

    Raises
    ------
    SkillsgapError
        When a folder lacks a file, or a file a column.
    """
    tables = {}
    for key, files in NEEDED.items():
        for name, columns in files.items():
            path = Path(spec[key]) / f"{name}.csv"
            if not path.is_file():
                raise SkillsgapError(
                    f"{key} is '{spec[key]}', which lacks {path.name}: name the folder with it (read_spec takes "
                    "folders from where the file is, a dict from the working directory)"
                )
            table = pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys(CODES, str))
            lacking = [column for column in columns if column not in table]
            if lacking:
                raise SkillsgapError(f"{key}: {path.name} lacks the column {lacking[0]}: add it")
            tables[name] = table
    return tables


def own_courses(spec, courses):
    """The common catalogue under the country's providers, prices, languages and class sizes.

    Parameters
    ----------
    spec : dict
        catalogue: providers (name by key), price (factor on every price), seats (factor on seats_max and,
        in a country with fewer seats, on class_min).
    courses : DataFrame
        The common catalogue; its providers are keys of catalogue.providers.

    Returns
    -------
    DataFrame
        In the columns of the contract.

    Examples
    --------
    >>> common = pd.DataFrame([{"course_id": "B01", "provider": "academy", "cost_per_seat": 150,
    ...                         "fixed_cost": 12000, "class_min": 20, "seats_max": 1200, "languages": "en|uz"}])
    >>> spec = {"catalogue": {"providers": {"academy": "Isle School"}, "price": 0.37, "seats": 0.05},
    ...         "currency": "XXX", "languages": ["en"], "survey_dates": ["2026-03-02", "2026-03-27"]}
    >>> [own] = own_courses(spec, common).to_dict("records")
    >>> own["provider"], own["cost_per_seat"], own["fixed_cost"], own["class_min"], own["seats_max"], own["languages"]
    ('Isle School', 56, 4400, 4, 60, 'en')
    """
    price, seats = spec["catalogue"]["price"], spec["catalogue"]["seats"]
    least = np.maximum(SMALLEST_CLASS, np.rint(courses["class_min"] * min(1, seats)).astype(int))
    own = courses.assign(
        provider=courses["provider"].map(spec["catalogue"]["providers"]),
        cost_per_seat=_sensible(courses["cost_per_seat"] * price),
        fixed_cost=_sensible(courses["fixed_cost"] * price),
        currency=spec["currency"],
        price_year=int(spec["survey_dates"][0][:4]),
        class_min=least,
        seats_max=np.maximum(least, np.rint(courses["seats_max"] * seats).astype(int)),
        languages=courses["languages"].map(lambda given: _held_in(given, spec["languages"])),
    )
    return own[[column for column in CONTRACTS["courses"].columns if column in own]]


def own_costs(spec, costs):
    """What staff of each role cost in the country, and which share of them leaves in a year.

    Parameters
    ----------
    spec : dict
        catalogue: price; roles; exits: rate, and logits by role.
    costs : DataFrame
        hour_cost, hire_cost (once) and contract_cost (a year) of a person, by role.

    Returns
    -------
    DataFrame
        In the columns of the contract, in the order of `costs`.

    Examples
    --------
    >>> common = pd.DataFrame([{"role_id": "clerk", "hour_cost": 20, "hire_cost": 6000, "contract_cost": 41000}])
    >>> spec = {"catalogue": {"price": 0.8}, "roles": {"clerk": {}}, "exits": {"rate": 0.06, "role_id": {"clerk": 0.8}}}
    >>> own_costs(spec, common)[["hour_cost", "hire_cost", "contract_cost", "attrition"]].iloc[0].tolist()
    [16.0, 4800.0, 33000.0, 0.124]
    """
    own = costs[costs["role_id"].isin(list(spec["roles"]))]
    prices = {name: _sensible(own[name] * spec["catalogue"]["price"]) for name in
              ("hour_cost", "hire_cost", "contract_cost")}  # fmt: skip
    logit = np.log(spec["exits"]["rate"] / (1 - spec["exits"]["rate"]))
    logit = logit + own["role_id"].map(spec["exits"].get("role_id", {})).fillna(0.0)
    own = own.assign(**prices, attrition=(1 / (1 + np.exp(-logit))).round(3))
    return own[[column for column in CONTRACTS["costs"].columns if column in own]].reset_index(drop=True)


def _held_in(given, languages):
    """The languages of a course that the country has; its first where it has none of them."""
    return "|".join([name for name in given.split("|") if name in languages] or languages[:1])


def _sensible(prices):
    """Prices as an office would print them: whole, and no more than two figures that mean anything."""
    size = np.floor(np.log10(np.maximum(prices, 1))) - FIGURES + 1
    step = 10.0 ** np.maximum(size, 0)
    return (np.rint(prices / step) * step).astype(int)


def eligible(courses, register):
    """Who may take which course: array (n_staff, n_courses); a rule is "column=value|value" parts joined by ";"."""
    may = np.ones((len(register), len(courses)), bool)
    for number, rule in enumerate(courses["eligibility"]):
        for part in filter(None, rule.split(";")):
            column, _, values = part.partition("=")
            may[:, number] &= register[column].isin(values.split("|")).to_numpy()
    return may
