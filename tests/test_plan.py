"""The plan against all plans of tiny countries, against scipy's milp on the same matrices, and against sums by hand."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from skillsgap.decide import relaxation, solve
from skillsgap.decide.check import broken_rules
from skillsgap.decide.options import training_options
from skillsgap.decide.parts import parts_bound, parts_of
from skillsgap.decide.plan import PlanConflict, best_plan, finish_plan, plan_training
from skillsgap.decide.problem import plan_problem
from skillsgap.decide.program import build_program
from skillsgap.errors import PlanError

GAP = 1e-4
KEY = ["role_id", "role_level", "profile", "need_band"]
NAMES = ["c1", "c2"]


def drawn(seed, *, n_cohorts=8, n_courses=4, heads=9, n_agencies=3, n_periods=1, chance=0.35, wide=False):
    """The tables of a small country in arbitrary order, and some of the rules there are; `wide`: few limits bind."""
    rng = np.random.default_rng(seed)
    agency = rng.integers(0, n_agencies, n_cohorts)
    staff = pd.DataFrame({
        "cohort_id": [f"k{i:03d}" for i in range(n_cohorts)], "agency_id": [f"A{a}" for a in agency], "role_id": "r",
        "role_level": rng.choice(["junior", "lead"], n_cohorts), "grade": "g",
        "profile": rng.permutation(n_cohorts) % 6 + 1, "need_band": rng.choice(["low", "high"], n_cohorts),
        "headcount": rng.integers(0, heads + 1, n_cohorts), "region": [f"R{a % 2}" for a in agency]})
    staff.loc[0, "headcount"] = heads
    people = int(staff["headcount"].sum())
    lacks = pd.DataFrame(
        [("r", level, profile, band, name, size, share)
         for level, profile, band, name in product(["junior", "lead"], range(1, 7), ["low", "high"], NAMES)
         for size, share in zip(rng.choice([0, 0.5, 1, 2, 3], 2, replace=False), [0.25, 0.75], strict=True)],
        columns=[*KEY, "competency_id", "shortfall", "share"])
    matter = pd.DataFrame([("r", level, name, round(float(rng.uniform(0.5, 3)), 2))
                           for level in ["junior", "lead"] for name in NAMES],
                          columns=["role_id", "role_level", "competency_id", "weight"])
    n, least = n_courses, rng.integers(0, max(2, people // 6), n_courses)
    offer = pd.DataFrame({
        "course_id": [f"o{i}" for i in range(n)], "tier": [["basic", "champion", "lead"][i % 3] for i in range(n)],
        "provider": ["x", "y", *rng.choice(["x", "y"], n - 2)], "mode": rng.choice(["online", "class"], n),
        "languages": rng.choice(["en", "en|uz"], n), "hours": rng.integers(1, 30, n),
        "cost_per_seat": rng.integers(1, 60, n) / 10, "fixed_cost": rng.integers(0, 8, n) * people / 20,
        "class_min": least, "seats_max": np.maximum(least, rng.integers(people // 6 + 1, people + 2, n)),
        "eligibility": "", "prerequisites": ["o0" if i == n - 1 and rng.random() < 0.7 else "" for i in range(n)]})
    effects = pd.DataFrame(
        [(course, name, gain, 0.3, half) for course in offer["course_id"] for name, gain, half in
         zip(NAMES, rng.choice([0.2, 0.4, 0.7, 1.5], 2), rng.choice([np.nan, 12, 30], 2), strict=True)],
        columns=["course_id", "competency_id", "gain", "sd", "half_life_months"])
    share = rng.random(n_cohorts).round(2)
    groups = pd.concat([pd.DataFrame({"cohort_id": staff["cohort_id"], "by": "sex", "group": group, "share": part})
                        for group, part in (("female", share), ("male", 1 - share))])
    hubs = pd.DataFrame({"agency_id": [f"A{i}" for i in range(n_agencies)],
                         "hub_id": [f"H{i % 2}" for i in range(n_agencies)]})
    tables = {"cohorts": staff, "shortfalls": lacks, "courses": offer, "course_effects": effects, "weights": matter,
              "cohort_groups": groups, "agencies": hubs, "n_periods": n_periods}
    strata = staff.groupby(["agency_id", "role_id", "role_level"])["headcount"].sum().reset_index(name="people")
    asked = sorted(set(options_of(tables).options["needs"]) - {""})
    able = [strata.assign(needs=needs, people=rng.integers(strata["people"] if wide else 0, strata["people"] + 1))
            for needs in asked]
    tables["able"] = pd.concat(able or [strata.iloc[:0].assign(needs="")])
    tables["rules"] = drawn_rules(rng, tables, people, chance, wide)
    return tables


def drawn_rules(rng, tables, people, chance, wide):
    staff, n_periods = tables["cohorts"], tables["n_periods"]
    budget = round(people * 3 * (1.5 if wide else rng.choice([0.05, 0.2, 0.5, 1, 3])), 2)
    few, level, agency = max(1, people // 8), staff["role_level"][0], staff["agency_id"][0]
    first = training_options(tables["courses"], tables["course_effects"], n_periods=n_periods).options["option_id"][0]
    own = [
        {"id": "cap", "type": "max_sum", "field": "cost", "where": {"provider": "x"}, "max": budget / 2},
        {"id": "some", "type": "min_sum", "field": "seats", "by": ["region"], "where": {"tier": ["basic"]},
         "min": {staff["region"][0]: few}},
        {"id": "women", "type": "min_ratio", "num": "people*sex=female", "den": "people", "num_mult": 100,
         "den_mult": 30 if wide else 45},
        {"id": "cover", "type": "min_count", "where": {"role_level": level}, "min": few},
        {"id": "hall", "type": "fixed_cost", "where": {"agency_id": agency}, "cost": 2.5,
         "charged_to": "budget" if n_periods == 1 else "budget:0"},
        {"id": "pair", "type": "implies", "if_": ["b00000", first], "then_group_trained": "b00001"},
    ]  # fmt: skip
    may = {
        "class_by": str(rng.choice(["course", "hub_id", "agency_id"])), "hours": {"agency": float(rng.integers(2, 20))},
        "champions": {"min": 0.05, "max": 0.3, "each_agency": bool(rng.random() < 0.5)},
        "floors": [{"id": "basics", "tier": "basic", "share": 0.1 if wide else float(rng.choice([0.1, 0.4]))},
                   {"id": "leads", "courses": ["o1"], "where": {"role_level": level}, "share": 0.1}],
        "agency_minimum": 0.2 if wide else float(rng.choice([0.2, 0.6])), "provider_max": float(rng.choice([0.7, 0.8])),
        "equity": {"by": ["sex", "region"], "tolerance": float(rng.choice([0.02, 0.15])), "enforce": True},
        "rules": [rule for rule in own if rng.random() < chance],
    }  # fmt: skip
    money = {"budget": budget} if n_periods == 1 else \
        {"periods": [{"label": str(p), "budget": budget / n_periods} for p in range(n_periods)]}
    return {key: value for key, value in may.items() if rng.random() < chance} | money


def options_of(tables):
    return training_options(tables["courses"], tables["course_effects"], n_periods=tables["n_periods"],
                            languages=("en", "uz"), refreshers={"share": 0.3} if tables["n_periods"] > 1 else None)


def problem_of(tables):
    given_as = {name: table for name, table in tables.items() if name != "n_periods"}
    return plan_problem(**given_as, options=options_of(tables))


class AllPlans:
    """Every plan of a tiny country, and which of them keep the rules; nothing of decide/ is used."""

    def __init__(self, tables):
        self.tables, self.rules, self.n_periods = tables, tables["rules"], tables["n_periods"]
        self.staff = tables["cohorts"].sort_values(["agency_id", "role_level", "profile"], ignore_index=True)
        self.offer = tables["courses"].set_index("course_id").to_dict()
        effects = tables["course_effects"].set_index(["course_id", "competency_id"])
        self.effects = dict(zip(effects.index, effects[["gain", "half_life_months"]].to_numpy(), strict=True))
        self.fading = {course for (course, _), (_, half) in self.effects.items() if not np.isnan(half)}
        self.weight = tables["weights"].set_index(["role_level", "competency_id"])["weight"].to_dict()
        women = tables["cohort_groups"].query("group == 'female'").set_index("cohort_id")["share"]
        self.women = women[self.staff["cohort_id"]].to_numpy()
        ways = list(self.ways())
        self.columns = [(k, *way) for k in range(len(self.staff)) for way in ways]
        each = [[seats for seats in product(range(size + 1), repeat=len(ways)) if sum(seats) <= size]
                for size in self.staff["headcount"]]
        self.plans = np.array([sum(some, ()) for some in product(*each)], dtype=float)
        self.steps = [list(self.taken(c)) for c in self.columns]
        self.worth = np.array([self.value(k, route, start, again) for k, _, route, start, again, _ in self.columns])

    def ways(self):
        """Name, courses, start, period of the refresher, and what a person needs."""
        for course, before in self.offer["prerequisites"].items():
            for route, done in [((before, course), set()), ((course,), {f"completed={before}"})] if before else \
                    [((course,), set())]:  # fmt: skip
                needs = done | {"device_access=yes" for c in route if self.offer["mode"][c] == "online"}
                needs |= {"language=en" for c in route if self.offer["languages"][c] == "en"}
                for start in range(self.n_periods):
                    for again in [None, *(range(start + 1, self.n_periods) if self.fading & {*route} else ())]:
                        name = ">".join(route) + ("" if self.n_periods == 1 else f"@{start + 1}")
                        yield name + ("" if again is None else f"+{again + 1}"), route, start, again, needs

    def taken(self, column):
        """Course, period, money and hours of every step."""
        _, _, route, start, again, _ = column
        for course in route:
            money, hours = self.offer["cost_per_seat"][course], self.offer["hours"][course]
            yield course, start, money, hours
            if again is not None and course in self.fading:
                yield course, again, 0.3 * money, 0.3 * hours

    def value(self, k, route, start, again):
        """Mean over the periods of weight x E min(shortfall, gain left)."""
        who, total = self.staff.loc[k], 0.0
        lacks = self.tables["shortfalls"]
        lacks = lacks[(lacks[KEY] == who[KEY]).all(axis=1)]
        for period, row in product(range(start, self.n_periods), lacks.itertuples()):
            gain = 0.0
            for course in route:
                fresh = start if again is None or again > period else again
                full, half = self.effects[course, row.competency_id]
                gain += full * (1 if np.isnan(half) else 0.5 ** ((period - fresh) * 12 / half))
            total += self.weight[who["role_level"], row.competency_id] * row.share * min(row.shortfall, gain)
        return total / self.n_periods

    def sum(self, amount):
        """Of each plan, the sum of an amount (column, course, period, money, hours) over all steps."""
        return self.plans @ np.array([sum(amount(c, *step) for step in steps)
                                      for c, steps in zip(self.columns, self.steps, strict=True)])

    def people(self, which):
        """Of each plan, the number (or the sum of the parts) of people in these columns."""
        return self.plans @ np.array([float(which(c)) for c in self.columns])

    def best(self, budget):
        """Highest value of a plan that keeps all rules, None if none does."""
        good = self.held(budget)
        return (self.plans @ self.worth)[good].max() if good.any() else None

    def held(self, budget):
        """Which plans keep every rule, with so much money in all."""
        rules, good, agency = self.rules, np.ones(len(self.plans), dtype=bool), self.staff["agency_id"]
        hub = agency.map(self.tables["agencies"].set_index("agency_id")["hub_id"])
        place = {"hub_id": hub, "agency_id": agency}.get(rules.get("class_by"), pd.Series("", agency.index))
        own = {rule["id"]: rule for rule in rules.get("rules", ())}
        value, spend = self.plans @ self.worth, self.sum(lambda c, course, p, money, h: money)
        for period in range(self.n_periods):
            paid = self.sum(lambda c, course, p, money, h: money * (p == period))  # noqa: B023
            if "hall" in own and period == 0:
                paid = paid + 2.5 * (self.people(lambda c: agency[c[0]] == own["hall"]["where"]["agency_id"]) > 0)
            for course in self.offer["tier"]:
                def taken(where, course=course, period=period):
                    return self.sum(lambda c, o, p, m, h: o == course and p == period and where in (None, place[c[0]]))
                good &= taken(None) <= self.offer["seats_max"][course]
                for where in place.unique():
                    seats = taken(where)
                    good &= (seats == 0) | (seats >= self.offer["class_min"][course])
                    paid = paid + self.offer["fixed_cost"][course] * (seats > 0)
            good &= paid <= budget / self.n_periods + 1e-9
        for name, staff in self.staff.groupby("agency_id")["headcount"].sum().items():
            mine = self.sum(lambda c, o, p, money, h: money * (agency[c[0]] == name))  # noqa: B023
            good &= mine >= rules.get("agency_minimum", 0) * staff / self.staff["headcount"].sum() * spend - 1e-9
            for period in range(self.n_periods if "hours" in rules else 0):
                good &= self.sum(lambda c, o, p, m, hours: hours * (p == period and agency[c[0]] == name)) \
                    <= rules["hours"]["agency"] * staff + 1e-9  # fmt: skip  # noqa: B023
        for name in ("x", "y") if "provider_max" in rules else ():
            good &= rules["provider_max"] * spend >= self.sum(
                lambda c, o, p, money, h: money * (self.offer["provider"][o] == name)) - 1e-9  # noqa: B023
        for row in self.tables["able"].itertuples():
            key = (row.agency_id, row.role_level)
            good &= self.people(lambda c: set(row.needs.split(";")) <= c[5] and  # noqa: B023
                                (agency[c[0]], self.staff["role_level"][c[0]]) == key) <= row.people  # noqa: B023
        return good & self.quotas(rules, own, hub) & self.fair(rules, value) & self.own(own)

    def tier(self, *names):
        return lambda c: any(self.offer["tier"][course] in names for course in c[2])

    def quotas(self, rules, own, hub):
        """Floors and champions; all agencies here are too small for a champion of their own."""
        good, size = np.ones(len(self.plans), dtype=bool), self.staff["headcount"]
        level, agency = self.staff["role_level"], self.staff["agency_id"]
        if "floors" in rules:
            basic, lead = rules["floors"]
            good &= self.people(self.tier("basic")) >= math.ceil(basic["share"] * size.sum() - 1e-9)
            of = lead["where"]["role_level"]
            mine = self.people(lambda c: "o1" in c[2] and level[c[0]] == of)
            good &= mine >= math.ceil(0.1 * size[level == of].sum())
        if "champions" in rules:
            here = self.people(self.tier("champion"))
            least = math.ceil(size.sum() / 20)
            good &= (here >= least) & (here <= max(math.floor(0.3 * size.sum() + 1e-9), least))
            for name in hub.unique() if rules["champions"]["each_agency"] else ():
                mine = self.people(lambda c: hub[c[0]] == name and self.tier("champion")(c))  # noqa: B023
                good &= mine <= max(1, math.ceil(0.3 * size[(hub == name) & (size.groupby(agency).transform("sum") > 0)]
                                                 .sum() - 1e-9))  # fmt: skip
        return good

    def fair(self, rules, value):
        """Benefit share at least need share less the tolerance."""
        good = np.ones(len(self.plans), dtype=bool)
        if "equity" not in rules:
            return good
        lacks = self.tables["shortfalls"].merge(self.tables["weights"])
        need = (lacks["weight"] * lacks["share"] * lacks["shortfall"]).groupby([lacks[name] for name in KEY]).sum()
        need = need[pd.MultiIndex.from_frame(self.staff[KEY])].to_numpy() * self.staff["headcount"].to_numpy()
        region = self.staff["region"]
        for part in (self.women, 1 - self.women, *(1.0 * (region == name) for name in region.unique())):
            share = (need * part).sum() / need.sum() - rules["equity"]["tolerance"]
            mine = self.plans @ (self.worth * np.array([np.asarray(part)[c[0]] for c in self.columns]))
            good &= (share <= 0) | (mine >= share * value - 1e-9)
        return good

    def own(self, own):
        good = np.ones(len(self.plans), dtype=bool)
        if "cap" in own:
            money = self.sum(lambda c, o, p, money, h: money * (self.offer["provider"][o] == "x"))
            good &= money <= own["cap"]["max"] + 1e-9
        if "some" in own:
            (region, least), = own["some"]["min"].items()
            good &= self.sum(lambda c, o, p, m, h: self.offer["tier"][o] == "basic" and
                             self.staff["region"][c[0]] == region) >= least  # fmt: skip
        if "women" in own:
            good &= 100 * self.people(lambda c: self.women[c[0]]) >= \
                own["women"]["den_mult"] * self.people(lambda c: 1) - 1e-9  # fmt: skip
        if "cover" in own:
            level = own["cover"]["where"]["role_level"]
            good &= self.people(lambda c: self.staff["role_level"][c[0]] == level) >= own["cover"]["min"]
        if "pair" in own:
            asked = self.people(lambda c: c[0] == 0 and c[1] == own["pair"]["if_"][1]) > 0
            good &= ~asked | (self.people(lambda c: c[0] == 1) > 0)
        return good


@pytest.mark.parametrize("part", range(4))
def test_the_best_of_all_plans_is_found(part):
    met = 0
    for seed in range(5 * part, 5 * part + 5):
        n_periods = 2 if seed % 5 == 3 else 1
        tables = drawn(seed, n_cohorts=3, n_courses=3, heads=2, n_periods=n_periods, chance=0.3)
        tables["cohorts"]["headcount"] = [2, 1, 1] if n_periods == 2 else [2, 2, 1 + seed % 2]
        problem, every = problem_of(tables), AllPlans(tables)
        for budget in (0, 0.4 * problem.budget, problem.budget, 1000):
            best = every.best(budget)
            found = solve.solve(problem.with_budget(budget).program, mip_gap=0.0)
            if best is None:
                assert found.status == "infeasible", (seed, budget)
                continue
            met += 1
            assert found.value == pytest.approx(best, abs=1e-7), (seed, budget)
            assert best - 1e-7 <= found.bound <= best + 1e-6, (seed, budget)
        if best is not None:
            plan = finish_plan(problem.with_budget(1000), found.seats, bound=found.bound, status=found.status)
            assert plan.value == pytest.approx(best, abs=1e-7), seed
    assert met >= 6


def judge(program, cost=None, gap=1e-7):
    """scipy's milp on the same matrices: highest value and what it proves at most; None, None if there is no plan."""
    value, matrix, low, high, least, upper = program.as_milp()
    found = milp(-(value if cost is None else cost), constraints=LinearConstraint(matrix, low, high),
                 bounds=Bounds(least, upper), integrality=np.ones(len(value)),
                 options={"mip_rel_gap": gap})  # fmt: skip
    assert found.status in (0, 2), found.message
    return (None, None) if found.x is None else (-found.fun, -found.mip_dual_bound)


def keeps_matrices(program, seats):
    """Whether whole seats and the switches they need keep every row and bound of the matrices."""
    _, matrix, low, high, least, upper = program.as_milp()
    x = np.concatenate([seats, (program.members @ seats > 0)]).astype(float)
    total, slack = matrix @ x, 1e-9 * np.maximum(1.0, abs(matrix) @ x)
    return bool((x >= least).all() and (x <= upper).all() and (x == np.rint(x)).all()
                and (total >= low - slack).all() and (total <= high + slack).all())  # fmt: skip


def named(rules, names):
    """These rules alone, and costs and abilities; "id:key" is one row of a rule that is told apart."""
    kept = []
    for rule in rules:
        if rule["type"] == "fixed_cost" or rule["family"] == "able":
            kept.append(rule)
            continue
        limit = next((key for key in ("max", "min", "cost") if isinstance(rule.get(key), dict)), None)
        if limit is None:
            kept += [rule] if rule["id"] in names else []
            continue
        rows = {key: each for key, each in rule[limit].items() if f"{rule['id']}:{key}" in names}
        kept += [rule | {limit: rows}] if rows else []
    ids = {rule["id"] for rule in kept}
    return [rule for rule in kept if rule.get("charged_to") in {*ids, None}]


def is_possible(problem, names):
    program = build_program(problem.choices, named(problem.rules, names))
    return judge(program, cost=np.zeros(len(program.as_milp()[0])))[0] is not None


def is_sound(problem, mip_gap=GAP):
    """A plan that keeps every rule, or a smallest conflict, both found true by others; which it was."""
    program = problem.program
    best, most = judge(program)
    try:
        plan, found = best_plan(problem, mip_gap=mip_gap)
    except PlanConflict as caught:
        conflict = caught.conflict
        assert best is None and conflict.rules and not is_possible(problem, conflict.rules)
        assert not any(name.startswith(("fixed:", "able ")) for name in conflict.rules)  # facts are no rules
        for name in conflict.rules:
            assert is_possible(problem, set(conflict.rules) - {name}), name
        return "conflict"
    assert keeps_matrices(program, found.seats)
    of_block = plan.allocations.merge(problem.cohorts[["cohort_id", "block"]], on="cohort_id")
    of_block = of_block.assign(group_id=problem.blocks["group_id"].to_numpy()[of_block["block"]])
    of_block = of_block.groupby(["group_id", "option_id"])[["seats", "gap_closed"]].sum().reset_index()
    assert broken_rules(of_block, problem.blocks, problem.options, problem.rules) == []
    near = 1e-6 * max(1.0, best)
    assert plan.value == pytest.approx(program.value @ found.seats) and plan.value <= most + near
    assert plan.bound >= best - near and plan.value >= (1 - mip_gap) * best - near
    assert plan.status == "optimal" and plan.gap <= mip_gap + 1e-9
    return "plan"


few = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
outcomes = []


@few
@given(seed=seeds, part=st.sampled_from([0, 0.02, 0.3, 1, 3, np.inf]))
def test_any_budget_gives_a_sound_plan_or_a_smallest_conflict(seed, part):
    problem = problem_of(drawn(seed, n_periods=1 + (seed % 5 == 0)))
    money = part if part in (0, np.inf) else part * problem.budget
    outcomes.append(is_sound(problem.with_budget(money)))


def test_both_plans_and_conflicts_were_met():
    assert {name: outcomes.count(name) >= 4 for name in set(outcomes)} == {"plan": True, "conflict": True}


@settings(few, max_examples=12)
@given(seed=seeds)
def test_more_budget_never_closes_less_than_the_gap_allows(seed):
    problem, before = problem_of(drawn(seed, chance=0.2)), None
    for part in (0, 0.05, 0.3, 1, 3, np.inf):
        found = solve.solve(problem.with_budget(part if part in (0, np.inf) else part * problem.budget).program)
        if before is not None:  # what less money can do, more can
            assert found.status == "optimal" and found.bound >= before - 1e-9
            assert found.value >= before * (1 - GAP) - 1e-9
        before = before if found.status == "infeasible" else found.value


def test_row_order_changes_nothing():
    for seed in (2, 4, 7):
        tables = drawn(seed, n_cohorts=12, wide=True, n_periods=1 + seed % 2)
        turned = {name: table.sample(frac=1, random_state=seed, ignore_index=bool(seed % 3)) if
                  isinstance(table, pd.DataFrame) else table for name, table in tables.items()}  # fmt: skip
        one, other = (best_plan(problem_of(some))[0] for some in (tables, turned))
        for name in ("allocations", "options", "courses", "competencies", "agencies", "groups", "rules"):
            assert getattr(one, name).to_csv() == getattr(other, name).to_csv(), (seed, name)
        assert (one.value, one.bound, one.spend) == (other.value, other.bound, other.spend)


@pytest.fixture
def large(monkeypatch):
    """Programs of a few hundred columns are solved as those of a hundred thousand are."""
    for module, name, number in ((solve, "DIRECT", 0), (relaxation, "SMALL", 20), (relaxation, "SAMPLE", 50)):
        monkeypatch.setattr(module, name, number)


def hundreds(seed, **more):
    """A problem of some hundred columns whose rules can mostly be met; every third has classes in each agency."""
    tables = drawn(seed, n_cohorts=60, n_agencies=6, heads=12, wide=True, **more)
    tables["rules"]["class_by"] = ["agency_id", "course", "hub_id"][seed % 3]
    return problem_of(tables)


@pytest.mark.parametrize("seed", [1, 3, 8, 12, 22, 26, 33])
def test_large_programs_are_solved_within_their_bound(large, monkeypatch, seed):
    program = hundreds(seed).program
    monkeypatch.setattr(solve, "MODEST", 0 if seed % 2 else 12_000)  # 0: HiGHS never gets the whole program
    best, most = judge(program, gap=GAP)
    found = solve.solve(program, mip_gap=1e-3)
    near = 1e-6 * max(1.0, best)
    assert keeps_matrices(program, found.seats) and found.value <= most + near
    assert found.bound >= best - near
    assert found.status == "optimal" or seed % 2
    assert found.value >= (1 - (0.001 if found.status == "optimal" else 0.02)) * best - near
    again = solve.solve(program, mip_gap=1e-3)
    assert (again.seats == found.seats).all() and again.bound == found.bound


@pytest.mark.parametrize("seed", [0, 9, 18, 21])
def test_a_bound_holds_at_any_prices(large, seed):
    program = hundreds(seed).program
    best, _ = judge(program, gap=GAP)
    relaxed, rng = relaxation.Relaxation(program), np.random.default_rng(seed)
    assert relaxed.run() and relaxed.bound >= best * (1 - 1e-9)
    parts = parts_of(program)
    assert (parts is not None) == (seed % 3 == 0)  # classes of each agency
    true = relaxed.prices.copy()
    for spread in (0.0, 0.1, 1.0, 10.0):
        relaxed.prices = true * rng.lognormal(0, spread, len(true)) + rng.normal(0, spread, len(true)) * true.std()
        bounds = [relaxed._bound()]
        if parts is not None:
            bounds += [parts_bound(relaxed, parts, near=0.0)[0]]
            assert bounds[1] <= bounds[0] * (1 + 1e-9)  # classes open or shut tell more than divided ones
        assert min(bounds) >= best * (1 - 1e-6), (seed, spread)


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_a_class_and_its_fixed_cost_are_one_switch_and_the_same_plans_are_kept(seed):
    program, rng = hundreds(seed).program, np.random.default_rng(seed)
    joined = program.joined()
    asked = program.least > 0
    of_class, of_cost = ({tuple(sorted(row.indices)) for row in program.members[kept]} for kept in (asked, ~asked))
    assert len(joined.least) == asked.sum() + len(of_cost - of_class) < len(program.least)
    assert joined.switching.sum() == pytest.approx(program.switching.sum())
    best = solve.solve(program, mip_gap=1e-3).seats
    for part in (0.0, 0.02, 0.1, 0.5):  # the best plan keeps all rules, what is drawn from it mostly doesn't
        for _ in range(20):
            seats = np.where(rng.random(len(best)) < part, rng.integers(0, 3, len(best)), best)
            assert program.keeps(seats) == joined.keeps(seats)
    assert program.keeps(best)


def test_a_relaxation_goes_on_with_less_money_and_other_values(large, monkeypatch):
    monkeypatch.setattr(solve, "MODEST", 0)
    for seed in (9,):
        problem, rng = hundreds(seed), np.random.default_rng(seed)
        kept = solve.solve(problem.program, mip_gap=1e-3).relaxation
        changed = [problem.with_budget(part * problem.budget).program for part in (0.7, 0.2, 3)]
        changed = [program.joined() for program in changed]  # as the solver itself does first
        changed += [replace(problem.program.joined(), value=problem.program.value * rng.uniform(low, 2, kept.n))
                    for low in (0.5,)]
        for program in changed:
            found, fresh = solve.solve(program, mip_gap=1e-3, relaxation=kept), relaxation.Relaxation(program)
            best, _ = judge(program, gap=1e-3)
            if best is None:
                assert found.status == "infeasible" and not fresh.run()
                continue
            assert found.bound >= best * (1 - 1e-6) and found.value >= best * (1 - 2e-3), seed
            if not kept.fits(program):  # more money than at first: what its switches allow would be too little
                assert program.high.max() > problem.budget and found.relaxation is not kept
                continue
            kept.turn(program)
            assert kept.run(near=1e-7) and fresh.run(near=1e-7)
            assert kept.value == pytest.approx(fresh.value, rel=1e-5)


@pytest.mark.parametrize(("seed", "part"), [(0, 0.1), (4, 0.1), (12, 0.05), (15, 0.1)])
def test_what_divisible_seats_cannot_keep_is_known_before_switches_are_tied(large, seed, part, monkeypatch):
    """In a large country there are thousands of ties, and a budget that is too small was not told in all the rounds."""
    monkeypatch.setattr("skillsgap.decide.program.STRONG", 0)  # as where a switch has too many members
    problem = hundreds(seed)
    program = problem.with_budget(part * problem.budget).program.joined()
    relaxed = relaxation.Relaxation(program)
    rows = len(relaxed.low)
    assert not relaxed.run() and len(relaxed.low) == rows
    assert judge(program) == (None, None)


def test_limits_in_small_units_are_not_mistaken_for_impossible(large):
    """A floor in parts of a person: what one seat does for it is tiny, so that meeting it looks dear."""
    problem = hundreds(9)
    for unit in (1.0, 1e-3, 1e-6):
        choices = replace(problem.choices, groups=problem.choices.groups.assign(part=unit))
        floor = {"id": "floor", "family": "own", "type": "min_sum", "field": "people*part", "where": {"tier": "lead"},
                 "min": 30 * unit}
        program = build_program(choices, [*problem.rules, floor])
        best, _ = judge(program, gap=GAP)
        found = solve.solve(program, mip_gap=1e-3)
        assert found.status != "infeasible" and found.bound >= best * (1 - 1e-6)


def ten_people(**course):
    """Ten people of whom half lack 2 levels of c (weight 3); a course gives 1 level."""
    key = {"role_id": "r", "role_level": "junior", "profile": 1, "need_band": "mid"}
    usual = {"course_id": "o", "tier": "basic", "cost_per_seat": 10.0, "fixed_cost": 20.0, "class_min": 2,
             "seats_max": 30, "eligibility": ""}
    return (pd.DataFrame([{"cohort_id": "a", "agency_id": "A", "grade": "g", "headcount": 10, **key}]),
            pd.DataFrame([{"competency_id": "c", "shortfall": s, "share": 0.5, **key} for s in (0.0, 2.0)]),
            pd.DataFrame([usual | course]),
            pd.DataFrame([{"course_id": "o", "competency_id": "c", "gain": 1.0, "sd": 0.2}]),
            pd.DataFrame([{"role_id": "r", "role_level": "junior", "competency_id": "c", "weight": 3.0}]))


def test_tables_of_a_plan_counted_by_hand():
    # E min(s, 1) = 0.5 x 0 + 0.5 x 1 = 0.5, while min(E s, 1) = 1; times weight 3
    plan = plan_training(*ten_people(), budget=65)
    assert (plan.spend, plan.value, plan.total_need, plan.status) == (60.0, 6.0, 30.0, "optimal")
    assert plan.closed_share == pytest.approx(0.2) and plan.people_without_need == 0
    assert plan.allocations.values.tolist() == [["a", "o", 4, 40.0, 6.0, 0.0]]
    assert plan.options[["option_id", "seats", "spend", "gap_closed"]].values.tolist() == [["o", 4, 40.0, 6.0]]
    assert plan.courses[["course_id", "seats", "spend", "gap_closed"]].values.tolist() == [["o", 4, 60.0, 6.0]]
    assert plan.competencies.values.tolist() == [["c", 6.0, 30.0, 0.0, 5.0]]
    assert plan.agencies[["staff", "need", "seats", "gap_closed"]].values.tolist() == [[10, 30.0, 4, 6.0]]
    # with the class open, 10 money more is one more divisible seat: 1.5 levels
    prices = plan.rules.set_index("rule_id")
    assert prices.loc["budget", ["price", "money"]].tolist() == pytest.approx([0.15, 1.0])
    assert prices.loc["seats:o", "price"] == 0.0 and not prices.loc["seats:o", "binding"]


@pytest.mark.parametrize("budget", [0, 29.99, 39.99])
def test_a_budget_too_small_for_a_class_is_an_empty_best_plan(budget, capfd):
    plan = plan_training(*ten_people(), budget=budget)
    assert (plan.status, plan.spend, plan.value, plan.bound, plan.gap) == ("optimal", 0.0, 0.0, 0.0, 0.0)
    assert plan.allocations.empty
    assert tuple(capfd.readouterr()) == ("", "")  # the solver is silent too


def test_costs_that_binary_fractions_cannot_hold():
    plan = plan_training(*ten_people(cost_per_seat=0.1, fixed_cost=0.0), budget=0.3)
    assert plan.allocations["seats"].tolist() == [3]


def test_like_cohorts_share_seats_by_size_and_ties_go_to_the_smaller_name():
    tables = ten_people(seats_max=3, class_min=3)
    for order in ("dbca", "abcd", "cadb"):
        twins = pd.concat([tables[0]] * 4, ignore_index=True).assign(cohort_id=list(order), headcount=1)
        plan = plan_training(twins, *tables[1:], budget=1000)
        assert plan.allocations["cohort_id"].tolist() == ["a", "b", "c"]
    uneven = pd.concat([tables[0]] * 3, ignore_index=True).assign(cohort_id=list("abc"), headcount=[10, 20, 30])
    plan = plan_training(uneven, *ten_people(seats_max=12)[1:], budget=1000)
    assert plan.allocations["seats"].tolist() == [2, 4, 6]


def test_nobody_to_train_and_staff_without_need_are_plans():
    tables = ten_people()
    nobody = plan_training(tables[0].assign(headcount=0), *tables[1:], budget=100)
    assert (nobody.value, nobody.status) == (0.0, "optimal")
    others = pd.concat([tables[0], tables[0].assign(cohort_id="b", role_id="elsewhere", headcount=7)])
    plan = plan_training(others, *tables[1:], budget=1000)
    assert plan.people_without_need == 7 and plan.allocations["cohort_id"].tolist() == ["a"]


def test_an_agency_that_no_course_helps_has_no_least_share_of_the_money():
    tables = ten_people()
    other = tables[0].assign(cohort_id="b", agency_id="B", role_id="elsewhere")
    plan = plan_training(pd.concat([tables[0], other]), *tables[1:], rules={"budget": 1000, "agency_minimum": 1.0})
    assert plan.allocations["cohort_id"].tolist() == ["a"] and "agency_minimum:B" not in set(plan.rules["rule_id"])


def test_a_changed_budget_keeps_the_shares_of_periods():
    options = training_options(*ten_people()[2:4], n_periods=2, completed=False)
    rules = {"periods": [{"label": "1", "budget": 30}, {"label": "2", "budget": 10}]}
    problem = plan_problem(*ten_people(), rules=rules, options=options)
    assert [rule["max"] for rule in problem.with_budget(80).budgets] == [60, 20]
    assert problem.with_budget(0).with_budget(80).budget == 80
    assert problem.with_budget(np.inf).budget == np.inf


@pytest.mark.parametrize(("changes", "words"), [
    ({"budget": -1}, "budget must be >= 0, but is -1; give"), ({"budget": float("nan")}, "budget must be >= 0"),
    ({}, "no budget was given"), ({"budget": 1, "mip_gap": 1.0}, "mip_gap must be at least 0 and below 1"),
    ({"budget": 1, "headcount": 1.5}, "whole head-count"), ({"budget": 1, "cohort_id": [["a", "a"]]}, "appears twice"),
])  # fmt: skip
def test_inputs_outside_their_range_are_one_line(changes, words):
    staff, *others = ten_people()
    if "cohort_id" in changes:
        staff = pd.concat([staff, staff])
    staff = staff.assign(headcount=changes.get("headcount", 10))
    options = {name: value for name, value in changes.items() if name in ("budget", "mip_gap")}
    with pytest.raises(PlanError, match=words) as caught:
        plan_training(staff, *others, **options)
    assert "\n" not in str(caught.value)


def test_a_plan_that_breaks_a_rule_is_refused():
    problem = plan_problem(*ten_people(), rules={"budget": 65})
    with pytest.raises(PlanError, match="the plan breaks its rules: budget: cost is 70, above the limit 65"):
        finish_plan(problem, np.array([5]), status="changed")
