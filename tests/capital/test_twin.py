"""The walk through the calendar against its slow twin, line by line, on random capital structures; and the distributions of the ledger."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.capital.rules import capital_rules
from simengine.capital.spec import Party
from simengine.distributions import quantities_in
from simengine.records import PROJECT
from tests.capital.made import CAPITAL, PARTIES, draws_of, moved, payments_of
from tests.conftest import sized
from tests.reference.money import to_even, walk_money

HORIZON = 14
EVERYBODY = (*PARTIES, "bank", "foundation", "guarantor", "region")
WAVES = {"first": (0, 3), "second": (4, 2)}
COSTS = ("delivery", "team", "fee", "set_up")
TRANCHES = ("senior", "middle", "junior")


def one_of_lists(names, smallest=1):
    return st.lists(st.sampled_from(names), min_size=smallest, max_size=len(names), unique=True)


@st.composite
def costs(draw):
    """Return some costs of all forms."""
    found = {}
    for name in draw(one_of_lists(COSTS)):
        form = draw(st.sampled_from(["amount", "per_month", "per_person", "share_of_income"]))
        cost = {"payee": draw(st.sampled_from(["service_provider", "region", "bank"]))}
        cost[form] = draw(st.floats(0, 0.25)) if form == "share_of_income" else draw(st.floats(0, 2_000))
        if form in ("amount", "per_month"):
            cost["from_month"] = draw(st.integers(0, 5))
        if form == "per_month":
            cost["until_month"] = draw(st.integers(5, HORIZON))
        if form == "per_person":
            cost["over_months"] = draw(st.integers(1, 5))
            cost["waves"] = draw(one_of_lists(tuple(WAVES)))
        if form != "share_of_income" and draw(st.booleans()):
            cost["growth_per_year"] = draw(st.floats(-0.1, 0.2))
        if draw(st.booleans()):
            cost["deferred_share"] = draw(st.floats(0, 1))
        elif form != "share_of_income" and draw(st.booleans()):
            cost["fails"] = draw(failures(cost["payee"]))
        found[name] = cost
    return found


@st.composite
def failures(draw, payee):
    """Return how a payee fails, and by whom it is replaced."""
    found = {"in_month": draw(st.floats(0, HORIZON + 3))}
    if draw(st.booleans()):
        found["recovered"] = draw(st.floats(0, 3_000))
    if draw(st.booleans()):
        found |= {"replaced_by": "foundation" if payee != "foundation" else "bank", "after_months": draw(st.integers(0, 5))}
        found |= {"price_factor": draw(st.floats(0, 3))} if draw(st.booleans()) else {}
    return found


@st.composite
def lines(draw, section):
    """Return what makes a line of credit of a tranche: it may be drawn again, for a fee, until some month."""
    found = {"commitment_fee_per_year": draw(st.sampled_from([0.01, 0.24, 1.0]))} if draw(st.booleans()) else {}
    if section.get("draws") == "as_needed":
        found |= {"revolving": draw(st.booleans())}
        found |= {"available_until_month": draw(st.integers(0, HORIZON))} if draw(st.booleans()) else {}
    return found


@st.composite
def grants(draw, section):
    """Return some grants of all forms, for a section that has costs."""
    found = {}
    for name in draw(one_of_lists(("gift", "fund"), 0)) if "costs" in section else ():
        forms = ["amount", "per_month", "per_person", *(["at_most"] if section.get("draws") == "as_needed" else [])]
        form = draw(st.sampled_from(forms))
        found[name] = {"giver": draw(st.sampled_from(["foundation", "region"])), form: draw(st.floats(0, 3_000))}
        if form in ("amount", "per_month"):
            found[name]["from_month"] = draw(st.integers(0, HORIZON))
    return found


@st.composite
def structures(draw):
    """Return a section `capital` and the commitment."""
    commitment = draw(st.floats(1, 30_000))
    section = {"shortfall": "allowed"}
    if draw(st.booleans()):
        section["costs"] = draw(costs())
    if "costs" in section and draw(st.booleans()):
        section["draws"] = "as_needed"
    else:
        section["drawdown_months"] = draw(st.integers(1, 9))
    if draw(st.booleans()):
        section["reserve"] = {"amount": draw(st.floats(0, 5_000)), "until_month": draw(st.integers(0, HORIZON))}
    if draw(st.booleans()):
        section["recycled_share"] = draw(st.floats(0, 1))
    if draw(st.booleans()):
        section["distributed_from_month"] = draw(st.integers(0, HORIZON))
    section["draw_order"] = draw(st.sampled_from(["side_by_side", "senior_first", "junior_first"]))
    names = draw(one_of_lists(TRANCHES))
    sizes = [draw(st.floats(0, 1)) * commitment / len(names) for _ in names[1:]]
    section["tranches"] = {
        name: {"holder": draw(st.sampled_from(["bank", "foundation", "investor"])), "size": size}
        for name, size in zip(names, ["rest", *sizes], strict=True)
    }
    for tranche in section["tranches"].values():
        if draw(st.booleans()):
            tranche["coupon_per_year"] = draw(st.floats(0, 0.5))
        if draw(st.booleans()):
            tranche["returns_at_most_multiple"] = draw(st.floats(0, 2))
        if draw(st.booleans()):
            tranche["returns_at_most_per_year"] = draw(st.floats(0, 0.9))
        tranche |= draw(lines(section)) if draw(st.booleans()) else {}
    guarantees = {}
    for name in draw(one_of_lists(("first_call", "second_call"), 0)):
        covers = draw(one_of_lists(names)) if name == "first_call" or not guarantees else ["first_call"]
        guarantor = "guarantor" if name == "first_call" else "region"
        guarantees[name] = {"guarantor": guarantor, "covers": covers, "share": draw(st.floats(0, 1))}
        if draw(st.booleans()):
            guarantees[name]["at_most"] = draw(st.floats(0, 10_000))
        if draw(st.booleans()):
            guarantees[name]["at_most_share_of_drawn"] = draw(st.floats(0, 1))
        guarantees[name]["month"] = draw(st.integers(4, HORIZON))
    section["guarantees"] = guarantees
    section["grants"] = draw(grants(section))
    section["waterfall"] = draw(waterfalls(section, names))
    return section, commitment


@st.composite
def waterfalls(draw, section, names):
    """Return steps in any order that leave nobody out."""
    steps = [{"interest": [name]} for name in names] + [{"principal": [name]} for name in names]
    if draw(st.booleans()):
        steps = [{"interest": names}, {"principal": names}]
    deferred = [name for name, cost in section.get("costs", {}).items() if "deferred_share" in cost]
    steps += [{"deferred": deferred}] if deferred else []
    steps += [{"reimburse": list(section["guarantees"])}] if section["guarantees"] else []
    steps += [{"returns": {name: draw(st.floats(0, 1)) / len(names) for name in names}}]
    steps += [{"retained": draw(st.floats(0, 1))}] if draw(st.booleans()) else []
    steps = draw(st.permutations(steps))
    limited = {name for name, tranche in section["tranches"].items() if any(key.startswith("returns") for key in tranche)}
    free = [name for name in names if name not in limited]
    rest = dict.fromkeys(["service_provider", *free][:1], "rest") | dict.fromkeys(free[:2], 0.3)
    return {f"step_{place}": step for place, step in enumerate([*steps, {"rest": rest}])}


@st.composite
def draws(draw):
    """Return a structure, income by month, people by wave, and where it stops."""
    section, commitment = draw(structures())
    income = {f"term_{month}": draw(st.floats(0, 9_000)) for month in draw(one_of_lists(tuple(range(HORIZON + 1)), 0))}
    people = [draw(st.integers(0, 5)), draw(st.integers(0, 5))]
    return section, commitment, income or {"term_0": 0.0}, people, draw(st.one_of(st.just(-1), st.integers(0, HORIZON)))


def move(section, commitment, income, people, stop):
    capital = CAPITAL.validate_python(section)
    months = {term: int(term.removeprefix("term_")) for term in income}
    payments = payments_of(income, months, stop=[stop])
    return capital, moved(
        capital, payments, commitment, HORIZON, parties=EVERYBODY, waves=WAVES, people=np.array([people]), draws=draws_of(1)
    )


def assert_ends(ledger, ending):
    """Hold how each tranche ends to what the twin says of it."""
    found = zip(ledger.lost[0], ledger.owed[0], ledger.peak[0], ledger.spent[0], strict=True)
    wanted = [(one["principal"], max(to_even(one["interest"]), 0), one["peak"], one["spent"]) for one in ending.values()]
    assert list(found) == wanted


@settings(deadline=None, max_examples=sized(120, 400))
@given(draws())
def test_walk__equals_its_plain_twin_line_by_line(replication):
    # Source: the slow twin in tests/reference/money.py.
    _, commitment, income, people, stop = replication
    capital, ledger = move(*replication)
    parties = {name: Party(name=name, discount_rate_per_year=0) for name in EVERYBODY}
    assert list(capital_rules(capital, parties, (), commitment, WAVES, HORIZON)) == []

    by_month = [0] * (HORIZON + 1)
    for term, amount in income.items():
        by_month[int(term.removeprefix("term_"))] += round(amount * 100)
    numbers = {path: number.value for path, number in quantities_in(capital, "capital")}
    counts = dict(zip(WAVES, people, strict=True))
    lines, ending = walk_money(
        capital, commitment, HORIZON, WAVES, numbers.get, counts, by_month, None if stop < 0 else stop
    )  # fmt: skip

    got = {line.name: ledger.journal[0, :, place].tolist() for place, line in enumerate(ledger.lines)}
    got = {name: months for name, months in got.items() if not name.startswith("term.") and any(months)}
    assert got == {name: months for name, months in lines.items() if any(months)}
    assert_ends(ledger, ending)


@settings(deadline=None, max_examples=sized(60, 200))
@given(draws())
def test_ledger__obeys_the_distributions_of_money(replication):
    # Invariants: all cash sums to zero at every date, the project's account included, and nothing stays in it; nobody draws beyond
    # the commitment, but for what may be drawn again; a guarantor pays no more than the loss; every unit that comes in goes out.
    section, commitment, income, _, _ = replication
    _, ledger = move(*replication)

    everybody = ledger.cash_in({account.name for account in ledger.accounts if account.role != PROJECT})
    project = ledger.cash(PROJECT)
    assert not (everybody + project).any()
    reserve = np.cumsum(project, axis=1)
    assert (reserve >= 0).all()
    assert reserve[0, -1] == 0
    again = [one.get("revolving", False) for one in section["tranches"].values()]
    assert ledger.paid_in[0, ~np.array(again)].sum() <= round(commitment * 100)
    assert ledger.peak.sum() <= round(commitment * 100)
    assert (ledger.journal >= 0).all()
    for guarantee in ledger.guarantees:
        assert ledger.total(f"guarantee.{guarantee}")[0] <= ledger.paid_in.sum()
    inside = ledger.total("draw") + ledger.total("grant") + sum(round(amount * 100) for amount in income.values())
    outside = ledger.total("cost") + ledger.total("step")
    assert inside == outside
    assert ledger.total("reserve.in") == ledger.total("reserve.used") + ledger.total("reserve.out")


@settings(deadline=None, max_examples=sized(60, 200))
@given(draws())
def test_waterfall__never_pays_a_later_step_while_an_earlier_one_is_short(replication):
    # Invariant: seniority. While principal that comes first is outstanding after its step, none that comes later is paid.
    _, ledger = move(*replication)
    section = replication[0]
    order = [(name, step) for name, step in section["waterfall"].items() if "principal" in step]
    outstanding = dict.fromkeys(section["tranches"], 0)
    journal = {line.name: ledger.journal[0, :, place] for place, line in enumerate(ledger.lines)}
    for month in range(HORIZON + 1):
        for name in outstanding:
            outstanding[name] += journal[f"draw.{name}"][month]
        for place, (step_name, step) in enumerate(order):
            for name in step["principal"]:
                outstanding[name] -= journal[f"step.{step_name}.{name}"][month]
            is_short = any(outstanding[name] > 0 for name in step["principal"])
            later = [journal[f"step.{other}.{name}"][month] for other, one in order[place + 1 :] for name in one["principal"]]
            assert not (is_short and any(later))
        for guarantee, one in section["guarantees"].items():
            for name in one["covers"]:
                if name in outstanding:
                    outstanding[name] -= journal[f"guarantee.{guarantee}.{name}"][month]
    assert list(outstanding.values()) == ledger.lost[0].tolist()


@pytest.mark.parametrize("factor", [10, 1000])
@settings(deadline=None, max_examples=sized(15, 50))
@given(replication=draws())
def test_scale__changes_nothing_but_the_scale(factor, replication):
    # Invariant: all money times a factor moves the same money times that factor, but for rounding to the unit in each posting.
    section, commitment, income, people, stop = replication
    larger = _scaled(section, factor)
    _, one = move(*replication)
    _, many = move(larger, commitment * factor, {term: amount * factor for term, amount in income.items()}, people, stop)

    assert [line.name for line in one.lines] == [line.name for line in many.lines]
    moved_in_all = one.journal.sum()
    np.testing.assert_allclose(many.journal.sum(axis=1), one.journal.sum(axis=1) * factor, atol=400 * factor + 1e-3 * moved_in_all)


def _scaled(node, factor):
    money = ("amount", "per_month", "per_person", "size", "at_most", "recovered")
    if isinstance(node, dict):
        return {
            key: value * factor if key in money and isinstance(value, float) else _scaled(value, factor)
            for key, value in node.items()
        }
    return node
