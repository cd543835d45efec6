"""What an option is worth to a kind of person, over the distribution of what that kind lacks."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from skillsgap.decide.options import Options
from skillsgap.errors import PlanError

NEED_TYPE = ["role_id", "role_level", "profile", "need_band"]  # the columns that decide a person's shortfalls
BELOW = 0.5  # levels: who lacks more is below requirement
NOISE = 1e-9  # levels: a gain that ends this near the requirement reaches it


@dataclass(frozen=True)
class Needs:
    """What each kind of staff lacks: `types` (role_id, role_level, profile, need_band as text, sorted), `people` of
    each, `competencies` (sorted), `weight` (n_types, n_competencies), and the distribution of shortfalls `size` with
    its `share`, both (n_competencies, n_types, n_points), padded with share 0.
    """

    types: pd.DataFrame
    people: np.ndarray
    competencies: tuple
    weight: np.ndarray
    size: np.ndarray
    share: np.ndarray

    @property
    def need(self) -> np.ndarray:
        """Weighted levels a head, (n_types, n_competencies)."""
        return self.weight * (self.size * self.share).sum(axis=2).T

    @property
    def below(self) -> np.ndarray:
        """Share of people below requirement, (n_types, n_competencies)."""
        return (self.share * (self.size > BELOW)).sum(axis=2).T

    def number(self, cohorts: pd.DataFrame) -> np.ndarray:
        """Type number of each cohort."""
        keys = pd.MultiIndex.from_frame(cohorts[NEED_TYPE].astype(str))
        return pd.MultiIndex.from_frame(self.types).get_indexer(keys)


@dataclass(frozen=True)
class Worth:
    """What one seat of an option does for one person of a type.

    `closed`: (n_types, n_options, n_competencies) weighted levels, mean over the periods of the horizon; `reached`:
    same shape, people brought to requirement and still there in the last period; `need`, `below`: (n_types,
    n_competencies) weighted levels a head, share of people below requirement.
    """

    types: pd.DataFrame
    competencies: tuple
    closed: np.ndarray
    reached: np.ndarray
    need: np.ndarray
    below: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """Weighted levels one seat closes, all competencies together: (n_types, n_options)."""
        return self.closed.sum(axis=2)


def option_worth(types_of: pd.DataFrame, shortfalls: pd.DataFrame, weights: pd.DataFrame, options: Options, *,
                 gains: np.ndarray | None = None, attrition: pd.DataFrame | None = None) -> Worth:
    """Gap that one seat closes: weight x mean over periods of E[min(shortfall, gain)], by type and competency.

    For repeated draws make `needs_of` once and call `worth_of` with each draw's gains.

    Parameters
    ----------
    types_of, shortfalls, weights : DataFrame, see `needs_of`.
    options, gains, attrition : see `worth_of`.

    Raises
    ------
    PlanError
        For shortfalls, weights, gains or attrition outside their ranges.

    Examples
    --------
    Half lack 2 levels, half none; a course gives 1 level.

    >>> from skillsgap.decide.options import training_options
    >>> key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    >>> lacks = pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0, 2)])
    >>> matter = pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 3.0}])
    >>> offer = pd.DataFrame([{"course_id": "o", "cost_per_seat": 10, "fixed_cost": 20}])
    >>> effect = pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}])
    >>> worth = option_worth(pd.DataFrame([key]), lacks, matter, training_options(offer, effect))
    >>> worth.closed.item(), worth.need.item(), worth.below.item(), worth.reached.item()
    (1.5, 3.0, 0.5, 0.0)
    """
    return worth_of(needs_of(types_of, shortfalls, weights), options, gains=gains, attrition=attrition)


def needs_of(types_of: pd.DataFrame, shortfalls: pd.DataFrame, weights: pd.DataFrame) -> Needs:
    """Types of staff with the distribution of their shortfalls, ready for any number of draws.

    Parameters
    ----------
    types_of : DataFrame: role_id, role_level, profile, need_band, perhaps headcount; cohorts will do.
    shortfalls : DataFrame: role_id, role_level, profile, need_band, competency_id, shortfall (levels, >= 0), share
        (sums to 1 within the first five). A type without rows has no stated requirement and no need.
    weights : DataFrame: role_id, role_level, competency_id, weight (>= 0; the caller normalises).

    Raises
    ------
    PlanError
        For values outside these ranges, or tables that have nobody in common.
    """
    text = types_of[NEED_TYPE].astype(str)
    people = types_of["headcount"].astype(float) if "headcount" in types_of else pd.Series(1.0, text.index)
    people = people.groupby([text[name] for name in NEED_TYPE], sort=True).sum()
    types = people.index.to_frame(index=False).astype(str)
    table = _checked_needs(shortfalls, weights).merge(types.rename_axis("type").reset_index(), on=NEED_TYPE)
    if table.empty:
        raise PlanError("cohorts, shortfalls and weights have no role, profile and need band in common; "
                        "check that they were made with the same ids.")
    table = table.sort_values(["competency_id", "type", "shortfall", "share"], ignore_index=True)
    names = tuple(sorted(table["competency_id"].unique()))
    row, column = table["type"].to_numpy(), pd.Index(names).get_indexer(table["competency_id"])
    point = table.groupby(["competency_id", "type"]).cumcount().to_numpy()
    weight = np.zeros((len(types), len(names)))
    weight[row, column] = table["weight"]
    size, share = np.zeros((2, len(names), len(types), point.max() + 1))
    size[column, row, point], share[column, row, point] = table["shortfall"], table["share"]
    return Needs(types, people.to_numpy(), names, weight, size, share)


def _checked_needs(shortfalls, weights):
    role, full = ["role_id", "role_level", "competency_id"], [*NEED_TYPE, "competency_id"]
    table = shortfalls.astype(dict.fromkeys(full, str))
    odd = table[~(table[["shortfall", "share"]] >= 0).all(axis=1)].sort_values(full)
    if len(odd):
        first = odd.iloc[0]
        raise PlanError(f"shortfalls: {'/'.join(first[full])} has shortfall {first['shortfall']:g} and share "
                        f"{first['share']:g}; both must be >= 0, correct the row.")
    total = table.groupby(full)["share"].sum()
    off = (total - 1).abs()
    if (off > 1e-6).any():
        raise PlanError(f"shortfalls: shares must sum to 1, but {'/'.join(off.idxmax())} has the sum "
                        f"{total[off.idxmax()]:g}; divide its shares by it.")
    importance = weights[[*role, "weight"]].astype(dict.fromkeys(role, str))
    if importance.duplicated(role).any() or not (importance["weight"] >= 0).all():
        raise PlanError("weights: one row a role, role level and competency with weight >= 0 is expected; "
                        "remove doubles and negative or missing weights.")
    return table.merge(importance, on=role)


def worth_of(needs: Needs, options: Options, *, gains: np.ndarray | None = None,
             attrition: pd.DataFrame | None = None) -> Worth:
    """Worth of every option to every type of `needs`.

    Gains of several steps add; nobody closes more than they lack. Hiring and contracting close the whole shortfall of
    a place; moving somebody closes what people of their profile lack less in the new role, averaged over its need
    bands, and nothing where the new role has none of that profile. Of those who leave the gain is lost: a rate a
    leaves (1 - a) ** years after the option's start, taken in the middle of each period.

    Parameters
    ----------
    needs : Needs from `needs_of`.
    options : Options from `training_options`.
    gains : (n_effects,) levels, drawn in place of options.effects["gain"]; below 0 counts as 0.
    attrition : DataFrame: role_id ("" or empty = every role without a row), attrition (share that leaves in a year,
        0 to below 1). Staffing with an attrition of its own keeps it. None = nobody leaves.

    Raises
    ------
    PlanError
        For gains of another length or missing, or attrition outside its range.
    """
    drawn = options.effects["gain"].to_numpy() if gains is None else np.asarray(gains, dtype=float)
    if drawn.shape != (len(options.effects),) or np.isnan(drawn).any():
        raise PlanError(f"gains must be {len(options.effects)} numbers, one a row of effects; came {drawn.shape}.")
    cells = _cells(options, needs.competencies, np.maximum(drawn, 0.0))
    edges = np.searchsorted(cells["competency"], np.arange(len(needs.competencies) + 1))
    stay = _staying(needs, options, attrition)
    shape = (len(needs.types), len(options.options), len(needs.competencies))
    closed, reached = np.zeros(shape), np.zeros(shape)
    for place, (first, end) in enumerate(pairwise(edges)):
        own = {name: column[first:end] for name, column in cells.items()}
        part = _closed(needs.size[place], needs.share[place], own, stay, options)
        closed[:, :, place], reached[:, :, place] = part[0] * needs.weight[:, [place]], part[1]
    need, below = needs.need, needs.below
    _staffed(closed, reached, needs, options, stay)
    return Worth(needs.types, needs.competencies, closed, reached, need, below)


def _cells(options, names, drawn):
    """Gain by competency, option and period, in this order, with the periods since the option's start."""
    table = options.gains[options.gains["effect"] >= 0]
    table = table.assign(competency=pd.Index(names).get_indexer(table["competency_id"]),
                         gain=drawn[table["effect"]] * table["factor"])
    key = ["competency", "option", "period"]
    table = table[table["competency"] >= 0].groupby(key, sort=True)["gain"].sum().reset_index()
    start = options.options["period"].to_numpy()[table["option"]]
    table = table.assign(since=table["period"] - start)
    return {name: table[name].to_numpy() for name in table}


def _staying(needs, options, attrition):
    """Share of those given an option who are still there, (n_periods since the start, n_types, n_options)."""
    rate = np.broadcast_to(_rates(needs.types["role_id"], attrition)[:, None],
                           (len(needs.types), len(options.options)))
    own = options.options["attrition"].to_numpy(dtype=float)
    years = (np.arange(options.n_periods) + 0.5) * options.months / 12
    return (1 - np.where(np.isnan(own), rate, own)) ** years[:, None, None]


def _rates(roles, attrition):
    if attrition is None:
        return np.zeros(len(roles))
    table = attrition[["role_id", "attrition"]].astype({"attrition": float})
    table = table.assign(role_id=table["role_id"].astype("string").fillna("").astype(str)).dropna()
    odd = ~table["attrition"].between(0, 1, inclusive="left") | table["role_id"].duplicated()
    if odd.any():
        role, rate = table[odd].iloc[0]
        raise PlanError(f'attrition: role "{role}" has {rate:g}; give each role one row with a share of 0 to below 1 '
                        "a year.")
    known = table.set_index("role_id")["attrition"]
    return roles.map(known).fillna(known.get("", 0.0)).to_numpy(dtype=float)


def _closed(size, share, cells, stay, options):
    """Levels closed and people brought to requirement by one seat, in one competency: two (n_types, n_options)."""
    gain, place = np.unique(cells["gain"], return_inverse=True)
    short, gain = size[None], gain[:, None, None]
    mean = np.einsum("qtm,tm->tq", np.minimum(short, gain), share)
    closed, reached = np.zeros((2, len(size), len(options.options)))
    for since in np.unique(cells["since"]):  # in one period after its start an option stands once
        now = cells["since"] == since
        option = cells["option"][now]
        closed[:, option] += stay[since][:, option] * (mean[:, place[now]] / options.n_periods)
    lifted = np.einsum("qtm,tm->tq", (short > BELOW) & (short - gain <= BELOW + NOISE), share)
    last = cells["period"] == options.n_periods - 1
    option = cells["option"][last]
    reached[:, option] = lifted[:, place[last]] * stay[cells["since"][last], :, option].T
    return closed, reached


def _staffed(closed, reached, needs, options, stay):
    """Fill in hiring, contracting and moving."""
    need, below, last = needs.need, needs.below, options.n_periods - 1
    for number, option in options.options[options.options["kind"] != "train"].iterrows():
        here = stay[:options.n_periods - option["period"], :, number]
        less, up = need, below
        if option["kind"] == "redeploy":
            there, known = _elsewhere(needs, option)
            less, up = (np.where(known[:, None], full - there @ full, 0.0) for full in (need, below))
        closed[:, number] = less * here.sum(axis=0)[:, None] / options.n_periods
        reached[:, number] = up * stay[last - option["period"], :, number][:, None]


def _elsewhere(needs, option):
    """Weights (n_types, n_types) of the types of the new role with the same profile, and whether there are any."""
    types, level = needs.types, option["to_role_level"]
    there = (types["role_id"] == option["to_role_id"]) & ((types["role_level"] == level) | (level == ""))
    same = types["profile"].to_numpy()[:, None] == types["profile"].to_numpy()
    weight = same * (there.to_numpy() * needs.people)
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0), total[:, 0] > 0
