"""No account is ever below zero: by hand and on random structures, at the smallest unit, where every rounding shows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital.rules import capital_rules
from simengine.distributions import quantities_in
from tests.capital.made import CAPITAL, PARTIES, capital_of, draws_of, moved, parties_of, payments_of, planned
from tests.capital.test_twin import COSTS, EVERYBODY, HORIZON, TRANCHES, WAVES, assert_ends, grants, lines, one_of_lists
from tests.conftest import sized
from tests.reference.money import by_weight, walk_money

UNIT = 0.01
WEIGHTS = {
    1: ([1.0], [0.5], [1 / 3]),
    2: ([0.5, 0.5], [1 / 3, 2 / 3], [0.75, 0.25], [0.5, 0.25]),
    3: ([1 / 3, 1 / 3, 1 / 3], [0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [0.25, 0.25, 0.25]),
}
HALVES = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0])


# ---------------------------------------------------- by hand ----------------------------------------------------


def steps_of(income, waterfall, tranches, **keys):
    """Return by step what each place got of so many smallest units, the whole of them in month 12."""
    capital = capital_of(tranches=tranches, waterfall=waterfall, **keys)
    commitment = sum(tranche["size"] for tranche in tranches.values())
    ledger = moved(
        capital, payments_of({"term": income * UNIT}, {"term": 12}), commitment, parties=(*PARTIES, "bank"), draws=draws_of(1)
    )
    journal = {line.name: int(ledger.journal[0, :, place].sum()) for place, line in enumerate(ledger.lines)}
    return {name.removeprefix("step."): units for name, units in journal.items() if name.startswith("step.")}


TWO = {"a": {"holder": "bank", "size": 0.03}, "b": {"holder": "investor", "size": 0.02}}


@pytest.mark.parametrize(
    ("left", "shares", "got"),
    # Source: hand arithmetic, half to even. Three units half and half: 1.5 is 2, and the other takes the 1 that is left. One unit:
    # .5 is 0, twice, and 1 is left. Five units: 2.5 is 2, twice, and 1 is left. Of 7, thirds: 2.33 is 2, and 4.67 is 5.
    [(3, (0.5, 0.5), (2, 1, 0)), (1, (0.5, 0.5), (0, 0, 1)), (5, (0.5, 0.5), (2, 2, 1)), (7, (1 / 3, 2 / 3), (2, 5, 0)),
     (3, (0.75, 0.25), (2, 1, 0)), (11, (0.5, 0.5), (6, 5, 0))],
)  # fmt: skip
def test_returns__are_shared_to_the_unit_and_no_further(left, shares, got):
    waterfall = {
        "back": {"principal": ["a", "b"]},
        "more": {"returns": dict(zip("ab", shares, strict=True))},
        "rest": {"rest": {"service_provider": "rest"}},
    }
    found = steps_of(5 + left, waterfall, TWO)
    assert (found["more.a"], found["more.b"], found["rest.service_provider"]) == got


@pytest.mark.parametrize(("income", "fees"), [(1, (0, 0)), (3, (2, 1)), (5, (2, 2)), (7, (4, 3))])
def test_fees__of_a_half_each_take_no_more_than_the_income(income, fees):
    # Source: hand arithmetic, half to even: .5 is 0, 1.5 is 2, 2.5 is 2, 3.5 is 4; of what comes in the second takes what is left.
    half = {"payee": "service_provider", "share_of_income": 0.5}
    capital = capital_of(costs={"one": half, "other": half})
    ledger = moved(capital, payments_of({"term": income * UNIT}, {"term": 6}), 0.05)
    assert (ledger.total("cost.one")[0], ledger.total("cost.other")[0]) == fees
    assert (ledger.cash("project").cumsum(axis=1) >= 0).all()
    assert ledger.journal.min() >= 0


def test_returns__of_a_second_step_share_what_the_first_left():
    # Source: hand arithmetic: 3 units beyond the principal; a quarter of 3 is 1 (.75), half of the other 2 is 1, and 1 is left.
    waterfall = {
        "back": {"principal": ["a", "b"]},
        "first": {"returns": {"a": 0.25}},
        "second": {"returns": {"b": 0.5}},
        "rest": {"rest": {"service_provider": "rest"}},
    }
    found = steps_of(8, waterfall, TWO)
    assert (found["first.a"], found["second.b"], found["rest.service_provider"]) == (1, 1, 1)


@pytest.mark.parametrize(("income", "got"), [(1, (1, 0)), (2, (1, 1)), (3, (2, 1)), (4, (2, 2)), (5, (3, 2)), (6, (3, 2))])
def test_principal__side_by_side_is_shared_in_proportion_to_the_unit(income, got):
    # Source: hand arithmetic: three fifths of the income are .6, 1.2, 1.8, 2.4 and 3; the other takes the rest, to what is due.
    waterfall = {"back": {"principal": ["a", "b"]}, "rest": {"rest": {"service_provider": "rest"}}}
    found = steps_of(income, waterfall, TWO)
    assert (found["back.a"], found["back.b"]) == got


@pytest.mark.parametrize(("income", "got"), [(1, (0, 1)), (3, (2, 1)), (5, (2, 3)), (7, (4, 3))])
def test_rest__by_halves_is_shared_to_the_unit(income, got):
    # Source: hand arithmetic, half to even: .5 is 0, 1.5 is 2, 2.5 is 2, 3.5 is 4; the last place takes what is left.
    waterfall = {"back": {"principal": ["a", "b"]}, "rest": {"rest": {"bank": 0.5, "service_provider": "rest"}}}
    found = steps_of(5 + income, waterfall, TWO)
    assert (found["rest.bank"], found["rest.service_provider"]) == got


def test_principal__is_paid_to_the_unit_where_floating_point_is_coarser_than_a_unit():
    # Invariant: all that was lent comes back, so each gets what it lent; 9e16 units are far beyond 2^53, where floats step by 16.
    sizes = {"a": 333_333_333_333_333.0, "b": 555_555_555_555_555.0, "c": 7.0}
    tranches = {name: {"holder": "bank", "size": size} for name, size in sizes.items()}
    waterfall = {"back": {"principal": ["a", "b", "c"]}, "rest": {"rest": {"service_provider": "rest"}}}
    capital, commitment = capital_of(tranches=tranches, waterfall=waterfall), sum(sizes.values())
    payments = payments_of({"one": commitment / 3, "two": commitment}, {"one": 11, "two": 12})
    ledger = moved(capital, payments, commitment, parties=(*PARTIES, "bank"))
    back = [ledger.total(f"step.back.{name}")[0] for name in sizes]
    assert back == ledger.paid_in[0].tolist()
    assert ledger.lost[0].tolist() == [0, 0, 0]


# ---------------------------------------------------- on random structures ----------------------------------------------------


def units(low, high):
    return st.integers(low, high).map(lambda n: n * UNIT)


@st.composite
def small_costs(draw):
    found, names = {}, draw(one_of_lists(COSTS))
    for name in names:
        form = draw(st.sampled_from(["amount", "per_month", "per_person", "share_of_income"]))
        cost = {"payee": draw(st.sampled_from(["service_provider", "region"]))}
        cost[form] = draw(st.sampled_from([0.1, 1 / len(names)])) if form == "share_of_income" else draw(units(0, 5))
        if form in ("amount", "per_month"):
            cost["from_month"] = draw(st.integers(0, 4))
        if form == "per_person":
            cost["over_months"] = draw(st.integers(1, 4))
        if draw(st.booleans()):
            cost["deferred_share"] = draw(HALVES)
        found[name] = cost
    return found


@st.composite
def small_structures(draw):
    """Return a section of a handful of smallest units, with every option, and the commitment."""
    names = draw(one_of_lists(TRANCHES))
    sizes = [draw(units(0, 9)) for _ in names]
    section = {"shortfall": "allowed"}
    section |= {"costs": draw(small_costs())} if draw(st.booleans()) else {}
    as_needed = "costs" in section and draw(st.booleans())
    section |= {"draws": "as_needed"} if as_needed else {"drawdown_months": draw(st.integers(1, 7))}
    if draw(st.booleans()):
        section["reserve"] = {"amount": draw(units(0, 6)), "until_month": draw(st.integers(0, HORIZON))}
    section |= {"recycled_share": draw(HALVES)} if draw(st.booleans()) else {}
    section |= {"distributed_from_month": draw(st.integers(0, HORIZON))} if draw(st.booleans()) else {}
    section["draw_order"] = draw(st.sampled_from(["side_by_side", "senior_first", "junior_first"]))
    section["tranches"] = {
        name: {"holder": draw(st.sampled_from(["bank", "foundation", "investor"])), "size": size}
        for name, size in zip(names, ["rest", *sizes[1:]], strict=True)
    }
    for tranche in section["tranches"].values():
        tranche |= {"coupon_per_year": draw(st.sampled_from([0.1, 0.5, 1.0]))} if draw(st.booleans()) else {}
        tranche |= {"returns_at_most_multiple": draw(st.sampled_from([1.0, 1.5, 2.0]))} if draw(st.booleans()) else {}
        tranche |= {"returns_at_most_per_year": draw(st.sampled_from([0.1, 0.5, 1.0]))} if draw(st.booleans()) else {}
        tranche |= draw(lines(section)) if draw(st.booleans()) else {}
    section["guarantees"] = draw(small_guarantees(names))
    section["grants"] = {
        name: {
            key: value / 10_000 if key in ("amount", "per_month", "per_person", "at_most") else value for key, value in one.items()
        }
        for name, one in draw(grants(section)).items()
    }
    section["waterfall"] = draw(small_waterfalls(section, names))
    return section, sum(sizes)


@st.composite
def small_guarantees(draw, names):
    found = {}
    for name, guarantor in [("first_call", "guarantor"), ("second_call", "region")][: draw(st.integers(0, 2))]:
        of_second = st.sampled_from([["first_call"], [names[0], "first_call"]])
        covers = draw(one_of_lists(names) if name == "first_call" else of_second)
        found[name] = {"guarantor": guarantor, "covers": covers, "share": draw(HALVES), "month": draw(st.integers(2, HORIZON))}
        found[name] |= {"at_most": draw(units(0, 8))} if draw(st.booleans()) else {}
        found[name] |= {"at_most_share_of_drawn": draw(HALVES)} if draw(st.booleans()) else {}
    return found


@st.composite
def small_waterfalls(draw, section, names):
    bearing = [name for name in names if {"coupon_per_year", "commitment_fee_per_year"} & set(section["tranches"][name])]
    together = draw(st.booleans())
    steps = [{"principal": names}] if together else [{"principal": [name]} for name in names]
    steps += [{"interest": bearing}] if together and bearing else [{"interest": [name]} for name in bearing]
    deferred = [name for name, cost in section.get("costs", {}).items() if "deferred_share" in cost]
    steps += [{"deferred": deferred}] if deferred else []
    steps += [{"reimburse": list(section["guarantees"])}] if section["guarantees"] else []
    for _ in range(draw(st.integers(1, 2))):
        weights = draw(st.sampled_from(WEIGHTS[len(names)]))
        steps += [{"returns": dict(zip(names, weights, strict=True))}]
    steps += [{"retained": draw(HALVES)}] if draw(st.booleans()) else []
    limited = {name for name, tranche in section["tranches"].items() if any(key.startswith("returns") for key in tranche)}
    takers = ["service_provider", "region", *(name for name in names if name not in limited)][: draw(st.integers(1, 3))]
    rest = dict.fromkeys(takers[:-1], draw(st.sampled_from([0.5, 1 / 3, 0.25]))) | {takers[-1]: "rest"}
    return {f"step_{place}": step for place, step in enumerate([*draw(st.permutations(steps)), {"rest": rest}])}


@st.composite
def small_draws(draw):
    section, commitment = draw(small_structures())
    months = draw(one_of_lists(tuple(range(HORIZON + 1))))
    income = {f"term_{month}": draw(units(0, 12)) for month in months}
    people = [draw(st.integers(0, 3)), draw(st.integers(0, 3))]
    return section, commitment, income, people, draw(st.one_of(st.just(-1), st.integers(0, HORIZON)))


def moved_small(replication):
    section, commitment, income, people, stop = replication
    capital = CAPITAL.validate_python(section)
    payments = payments_of(income, {term: int(term.removeprefix("term_")) for term in income}, stop=[stop])
    options = {"parties": EVERYBODY, "waves": WAVES, "people": np.array([people]), "draws": draws_of(1)}
    plan, _ = planned(capital, 1, commitment, HORIZON, **options)
    return capital, plan, moved(capital, payments, commitment, HORIZON, **options)


@settings(deadline=None, max_examples=sized(100, 500))
@given(small_draws())
def test_walk__at_the_smallest_unit_equals_its_plain_twin(replication):
    # Source: the slow twin in tests/reference/money.py.
    _, commitment, income, people, stop = replication
    capital, _, ledger = moved_small(replication)
    assert list(capital_rules(capital, parties_of(EVERYBODY), (), commitment, WAVES, HORIZON)) == []

    by_month = [0] * (HORIZON + 1)
    for term, amount in income.items():
        by_month[int(term.removeprefix("term_"))] += round(amount * 100)
    numbers = {path: number.value for path, number in quantities_in(capital, "capital")}
    by_line, ending = walk_money(
        capital,
        commitment,
        HORIZON,
        WAVES,
        numbers.get,
        dict(zip(WAVES, people, strict=True)),
        by_month,
        None if stop < 0 else stop,
    )
    got = {line.name: ledger.journal[0, :, place].tolist() for place, line in enumerate(ledger.lines)}
    got = {name: months for name, months in got.items() if not name.startswith("term.") and any(months)}
    assert got == {name: months for name, months in by_line.items() if any(months)}
    assert_ends(ledger, ending)


TERMS_OF_A_LINE = {"commitment_fee_per_year": 0.0, "available_until_month": HORIZON}


class Accounts:
    """All accounts inside a structure, kept from postings alone; none may ever be below zero."""

    def __init__(self):
        self.balance = Counter()

    def move(self, amount, source="", target="", slack=0.0):
        assert amount >= 0, (amount, source, target)
        if source and amount:
            self.balance[source] -= amount
            assert self.balance[source] >= -slack, (source, self.balance[source])
        if target:
            self.balance[target] += amount


@settings(deadline=None, max_examples=sized(100, 500))
@given(small_draws())
def test_no_account__is_ever_below_zero(replication):
    # Distribution, posting by posting in the order of the waterfall: the project pays out only cash that it has, beside its
    # reserve; lenders pay in no more than there is to draw, and get back no more principal than they paid in, no more interest than
    # has accrued (to half a unit, the rounding), no more of a return than its limit; what was deferred, and what guarantors paid,
    # is paid once.
    section, _, _, _, stop = replication
    capital, plan, ledger = moved_small(replication)
    journal = {line.name: ledger.journal[0, :, place] for place, line in enumerate(ledger.lines)}
    kept, names = Accounts(), list(section["tranches"])
    for name, part in zip(names, by_weight(int(plan.project.limit[0]), list(plan.loans.size)), strict=True):
        kept.move(part, target=f"undrawn {name}")
    received, paid_in = Counter(), Counter()
    for month in range(HORIZON + 1):
        for name in names:
            rate = section["tranches"][name].get("coupon_per_year", 0.0)
            bearing = kept.balance[f"outstanding {name}"] + kept.balance[f"interest {name}"]
            kept.balance[f"interest {name}"] += bearing * ((1 + rate) ** (1 / 12) - 1) if month else 0.0
            fee, until = (section["tranches"][name].get(key, or_else) for key, or_else in TERMS_OF_A_LINE.items())
            if 0 < month <= until and not 0 <= stop < month:
                kept.balance[f"interest {name}"] += kept.balance[f"undrawn {name}"] * fee / 12
            kept.balance[f"undrawn {name}"] *= month <= until
        came = sum(int(flows[month]) for name, flows in journal.items() if name.startswith("term."))
        kept.move(came, target="cash")
        kept.move(sum(int(flows[month]) for name, flows in journal.items() if name.startswith("grant.")), target="cash")
        for name in names:
            drawn = int(journal[f"draw.{name}"][month])
            kept.move(drawn, f"undrawn {name}", "cash")
            kept.move(drawn, target=f"outstanding {name}")
            paid_in[name] += drawn
        kept.move(int(journal["reserve.in"][month]), "cash", "reserve")
        kept.move(int(journal["reserve.used"][month]), "reserve", "cash")
        left = came
        for c, name in enumerate(plan.costs):
            fee = min(round(came * plan.project.income_share[0, c]), left)
            left -= fee
            asked = fee + (0 if 0 <= stop < month else int(plan.project.due[0, month, c]))
            paid = int(journal[f"cost.{name}"][month])
            kept.move(asked - paid - int(journal[f"unpaid.cost.{name}"][month]), target=f"deferred {name}")
            kept.move(paid, "cash")
        kept.move(int(journal["reserve.out"][month]), "reserve", "cash")
        for step_name, step in capital.all_steps().items():
            before = kept.balance["cash"]
            for name in () if step.kind == "retained" else step.names:
                part = int(journal[f"step.{step_name}.{name}"][month])
                kept.move(part, "cash")
                if step.kind == "principal" and section["tranches"][name].get("revolving"):
                    kept.move(part, target=f"undrawn {name}")
                debt = {"principal": "outstanding", "deferred": "deferred", "reimburse": "called", "interest": "interest"}.get(
                    step.kind
                )
                if debt is not None:
                    kept.move(part, f"{debt} {name}", slack=0.5 + 1e-6 if debt == "interest" else 0)
                if step.kind == "returns":
                    assert part <= round(before * step.returns[name].value), (step_name, name)
                    multiple = section["tranches"][name].get("returns_at_most_multiple")
                    assert not part or multiple is None or received[name] + part <= round(multiple * paid_in[name])
                received[name] += part
        assert not (month == HORIZON and kept.balance["cash"]), "money is left over"
        for guarantee in plan.guarantee_names:
            for name in section["guarantees"][guarantee]["covers"]:
                part = int(journal[f"guarantee.{guarantee}.{name}"][month])
                kept.move(part, f"{'outstanding' if name in names else 'called'} {name}", f"called {guarantee}")
                received[name] += part
    assert ledger.lost[0].tolist() == [kept.balance[f"outstanding {name}"] for name in names]
    assert ledger.waiting[0].tolist() == [kept.balance[f"deferred {name}"] for name in plan.costs]
    assert kept.balance["reserve"] == 0
