"""The declared rules of the drawn country: limits as tight as drawn, opened as far as the planted plan needs."""

import numpy as np
import pandas as pd

BUDGET = 0.33  # of what it would cost to give everybody the course worth most to them


def rules_around(rng, groups, steps, value, need, planted):
    """Rules of every kind that the planted seats (n_cohorts, n_options) meet.

    Parameters
    ----------
    value : (n_cohorts, n_options) weighted levels a seat closes, 0 where the course is not allowed.
    need : (n_cohorts,) weighted levels a head.
    """
    staff = groups.groupby("agency_id")["size"].sum()
    return [
        *_money(rng, groups, steps, value, planted),
        *_classes(rng, groups, steps, planted),
        *_hours(rng, groups, steps, planted, staff),
        *_quotas(groups, steps, planted, staff),
        *_shares(groups, steps, value, need, planted, staff),
    ]


def _money(rng, groups, steps, value, planted):
    """One budget, to which every course that runs charges its fixed cost; no provider takes too much of it."""
    cost = steps["cost"].to_numpy()
    fixed = np.rint(cost * rng.uniform(1, 8, len(cost)))
    spent = planted.sum(axis=0) * cost
    best = (groups["size"] * cost[value.argmax(axis=1)]).sum()
    budget = np.ceil(max(BUDGET * best, 1.02 * (spent + fixed * (spent > 0)).sum()))
    most = max(0.22, 1.05 * pd.Series(spent).groupby(steps["provider"]).sum().max() / spent.sum())
    return [
        _rule("budget", "budget", "max_sum", field="cost", where={}, max=float(budget)),
        _rule("fixed", "budget", "fixed_cost", where={}, by=["course_id"], charged_to="budget",
              cost=dict(zip(steps["course_id"], fixed.tolist(), strict=True))),
        *(_rule(f"provider:{name}", "providers", "min_ratio", num="cost", num_where={}, num_mult=float(most),
                den="cost", den_where={"provider": name}, den_mult=1.0)
          for name in sorted(steps["provider"].unique())),
    ]  # fmt: skip


def _classes(rng, groups, steps, planted):
    """Seats by course, and the least class of a course in an agency that runs it."""
    agency, names = pd.factorize(groups["agency_id"], sort=True)
    taken = pd.DataFrame(planted).groupby(agency).sum().to_numpy()
    share = {"basic": 0.14, "practice": 0.045, "oversight": 0.05, "champion": 0.03}
    most = steps["tier"].map(share).to_numpy() * groups["size"].sum() * rng.uniform(0.5, 1.5, len(steps))
    most = np.ceil(np.maximum(most, 1.02 * planted.sum(axis=0))).astype(int)
    least = np.tile(rng.integers(10, 26, len(steps)), (len(names), 1))
    least = np.where(taken > 0, np.minimum(least, taken), least)
    pairs = {f"{a}/{c}": int(least[i, j]) for i, a in enumerate(names) for j, c in enumerate(steps["course_id"])}
    return [
        _rule("seats", "seats", "max_sum", field="seats", where={}, by=["course_id"],
              max=dict(zip(steps["course_id"], most.tolist(), strict=True))),
        _rule("class", "classes", "min_sum", field="seats", where={}, by=["agency_id", "course_id"], min=pairs,
              when_used=True),
    ]  # fmt: skip


def _hours(rng, groups, steps, planted, staff):
    """Hours an agency can spare, and online seats for those with a device, by agency and role."""
    used = pd.Series(planted @ steps["hours"].to_numpy()).groupby(groups["agency_id"]).sum()
    hours = np.ceil(np.maximum(staff * rng.uniform(11, 19, len(staff)), 1.02 * used)).astype(int)
    online = pd.Series(planted @ (steps["mode"] == "online").to_numpy())
    cells = pd.DataFrame({"people": groups["size"], "online": online}).groupby(
        [groups["agency_id"], groups["role_id"]]).sum()  # fmt: skip
    device = np.maximum(np.floor(cells["people"] * rng.beta(4, 5, len(cells))), cells["online"]).astype(int)
    device.index = device.index.map("/".join)
    return [
        _rule("hours", "hours", "max_sum", field="hours", where={}, by=["agency_id"], max=hours.to_dict()),
        _rule("device", "able", "max_sum", field="seats", where={"mode": "online"}, by=["agency_id", "role_id"],
              max=device.to_dict()),
    ]  # fmt: skip


def _quotas(groups, steps, planted, staff):
    """Champions of all staff and of each agency; the basics for a share of each agency's staff, oversight for some."""
    total = int(staff.sum())
    champion = {"tier": "champion"}
    low, high = np.floor(0.05 * staff).astype(int), np.maximum(1, np.ceil(0.10 * staff)).astype(int)
    exposed = groups["role_id"].isin(["r01", "r02", "r03"])
    oversight = (planted[:, (steps["tier"] == "oversight").to_numpy()].sum(axis=1) * exposed).sum()
    return [
        _rule("champions_least", "champions", "min_sum", field="seats", where=champion, min=int(np.ceil(0.05 * total))),
        _rule("champions_most", "champions", "max_sum", field="seats", where=champion, max=int(0.10 * total)),
        _rule("champions_from", "champions", "min_sum", field="seats", where=champion, by=["agency_id"],
              min=low.to_dict()),
        _rule("champions_to", "champions", "max_sum", field="seats", where=champion, by=["agency_id"],
              max=high.to_dict()),
        _rule("basics", "floors", "min_sum", field="seats", where={"tier": "basic"}, by=["agency_id"],
              min=np.floor(0.2 * staff).astype(int).to_dict()),
        _rule("oversight", "floors", "min_sum", field="seats",
              where={"tier": "oversight", "role_id": ["r01", "r02", "r03"]}, min=int(0.9 * oversight)),
    ]  # fmt: skip


def _shares(groups, steps, value, need, planted, staff):
    """Each agency's part of the spend, and women's part of what is closed beside their part of the need."""
    spent = pd.Series(planted @ steps["cost"].to_numpy()).groupby(groups["agency_id"]).sum()
    least = min(0.75, 0.98 * ((spent / spent.sum()) / (staff / staff.sum())).min())
    women = groups["sex=female"].to_numpy()
    closed, needed = (planted * value).sum(axis=1), need * groups["size"].to_numpy()
    share = min((needed @ women) / needed.sum() - 0.005, (closed @ women) / closed.sum() - 0.001)
    return [
        *(_rule(f"agency:{name}", "agency_minimum", "min_ratio", num="cost", num_where={"agency_id": name},
                num_mult=1.0, den="cost", den_where={}, den_mult=float(least * heads / staff.sum()))
          for name, heads in staff.items()),
        _rule("equity", "equity", "min_ratio", num="value*sex=female", den="value", where={}, num_mult=1.0,
              den_mult=float(share)),
    ]  # fmt: skip


def _rule(id_, family, type_, **words):
    return {"id": id_, "family": family, "type": type_, **words}
