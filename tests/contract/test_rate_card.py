"""Rate cards: the engine against its slow twin, laws that every card obeys, and sums by hand."""

from collections import Counter
from copy import deepcopy
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from simengine.config import load_contract
from simengine.contract import settle_cards, settle_terms
from simengine.contract.rules import contract_rules
from simengine.contract.scope import PEOPLE_COUNTED, REACHED
from simengine.contract.spec import Contract, MetricUse
from simengine.currencies import units_of
from simengine.errors import StudyError
from tests.conftest import sized
from tests.contract.by_hand import NEVER, SURE, check_refusal, contract_of, measured, pays, record_by_hand
from tests.contract.random_cards import CardCase, record_of
from tests.reference import rate_card as reference
from tests.reference.rate_card import Row

OFTEN = {
    0.4: (
        "once", "never paid", "waits", "waited", "too late to be lost", "lost", "index", "units reached", "each time", "later band",
        "below units", "from month",
    ),
    0.2: ("by group", "by wave", "cap_per_year", "open at end", "owed back", "audit", "lost while it waited"),
    0.1: ("dispute", "counted back", "cap", "net of", "lost in a year", "cap_per_person", "carried over", "cap_per_wave"),
    0.05: ("extrapolated", "cap_in_all"),
    0.02: ("no more owed back than paid",),
    0.15: ("varied price", "varied cap"),
    0.005: ("lost before it was paid", "lost what was found false", "extrapolated beside what is owed back"),
    0.0: ("wave that owes no more back",),
}  # fmt: skip
"""By share of the cases, the rules of the twin that decide something in at least so many of them."""


@cache
def compared() -> list:
    """Settle random cases both ways: case, engine, and by replication the twin."""
    found = []
    for seed in range(sized(120, 2000)):
        case = CardCase(seed)
        settled = settle_cards(case.contract, case.record(), case.measurements(), with_rows=True)
        found.append((case, settled, reference.settle(case.contract, "card", case.rows, case.levels)))
    return found


def in_units(contract, settled, name="card"):
    """Give what a card pays in smallest units: replication, outcome and date to a whole number."""
    amount = settled.paid[name] * units_of(contract.currency)
    assert np.abs(amount - np.rint(amount)).max(initial=0) < 1e-6
    return np.rint(amount).astype(int)


def of_twin(case, twin):
    """Put what the twin paid in the same order."""
    dates = case.contract.dates_of(case.contract.terms["card"])
    paid = [twin[number].paid if number in twin else {} for number in range(len(case.people))]
    return [[[one.get((name, date), 0) for date in dates] for name in case.contract.outcomes] for one in paid]


# ---------------------------------------------------- the slow twin ----------------------------------------------------


def test_settle_cards__equals_its_slow_twin():
    # Source: the slow twin, tests/reference/rate_card.py; exact, in smallest units.
    for seed, (case, settled, twin) in enumerate(compared()):
        assert list(contract_rules(case.contract)) == []
        assert in_units(case.contract, settled).tolist() == of_twin(case, twin), seed
        by_row = {place: change for one in twin.values() for place, change in one.by_row.items()}
        assert settled.by_row["card"].tolist() == [by_row.get(place, 0) for place in range(len(case.rows))], seed


def test_random_cases__make_every_rule_decide():
    bound = Counter(
        rule for _, _, twin in compared() for rule in {rule for one in twin.values() for rule, n in one.bound.items() if n}
    )
    lacking = {rule: bound[rule] for share, rules in OFTEN.items() for rule in rules if bound[rule] < share * len(compared())}

    assert lacking == {}
    assert set(bound) <= {rule for rules in OFTEN.values() for rule in rules}


def test_numbers_reached__equal_their_slow_twin():
    # Source: the slow twin, by outcome, wave and date.
    for seed in range(sized(40, 400)):
        case = CardCase(seed)
        # Numbers are counted where something asks for them.
        asked = MetricUse.model_validate(
            {"meaning": "x", "unit": "people", "derived": {"reached": next(iter(case.contract.outcomes))}}
        )
        columns = settle_cards(case.contract.model_copy(update={"metrics": {"asked": asked}}), case.record()).columns
        before = -1.0
        for date, due in case.contract.calendar.items():
            for name in case.contract.outcomes:
                for place, wave in enumerate(case.waves or [None]):
                    for since_last, after in ((False, -1.0), (True, before)):
                        got = columns[REACHED, name, place, date, since_last]
                        expected = [
                            float(reference.reached_by(case.contract, name, case.rows, number, wave, after, due.month))
                            for number in range(len(case.people))
                        ]
                        assert got.tolist() == expected, (seed, name, wave, date, since_last)
            before = due.month
        for place, wave in enumerate(case.waves or [None]):
            number = [float(sum(one == wave for one, _ in people)) for people in case.people]
            assert columns[PEOPLE_COUNTED, place].tolist() == number


# ------------------------------------------------------- laws -------------------------------------------------------

CAPS = ("cap_per_person", "cap_per_wave", "cap_per_year", "cap", "cap_in_all")


def paid_by(raw, record):
    """Give what a card pays, in smallest units."""
    contract = Contract.model_validate(raw)
    return in_units(contract, settle_cards(contract, record))


def with_dates(case, dates):
    raw = deepcopy(case.raw) | {"dates": dates, "variations": {}}
    for key in ("at", "varied"):
        raw["terms"]["card"].pop(key, None)
    return raw


def test_payment__when_reached_sums_to_payment_at_the_end():
    # Law: without caps, bands, audits and losses a date only says when, as long as the last one stays.
    moved = 0
    for seed in range(sized(24, 300)):
        case = CardCase(seed, without=(*CAPS, "bands", "audit", "lost_by"))
        spread = paid_by(with_dates(case, {"quarter": {"every_months": 3, "until_month": 36}}), case.record())
        at_end = paid_by(with_dates(case, {"end": {"month": 36}}), case.record())

        assert spread.sum(axis=2).tolist() == at_end[:, :, 0].tolist()
        moved += (spread[:, :, :-1] != 0).any()
    assert moved > 0.7 * sized(24, 300)


@pytest.mark.parametrize("kind", CAPS)
def test_tighter_cap__never_pays_more(kind):
    # Law: with one kind of cap, and nothing owed back or extrapolated, less room never pays more in all.
    bound = 0
    for seed in range(sized(40, 400)):
        case = CardCase(seed, without=(*(one for one in CAPS if one != kind), "audit", "lost_by"))
        paid = []
        for share in (1e6, 1.0, 0.25):
            raw = deepcopy(case.raw)
            scale_caps(raw["terms"]["card"], share)
            paid.append(paid_by(raw, case.record()).sum(axis=(1, 2)))

        assert all((more >= less).all() for more, less in pairwise(paid)), seed
        bound += (paid[0] > paid[2]).any()
    assert bound >= 4


def scale_caps(card, share):
    """Multiply all caps of a card."""
    for key in ("cap_per_person", "cap_in_all"):
        if key in card:
            card[key] *= share
    for wave in card.get("cap_per_wave", {}):
        card["cap_per_wave"][wave] *= share
    if "cap_per_year" in card:
        card["cap_per_year"]["at_most"] *= share
    for one in card["rate_card"].values():
        if "cap" in one:
            one["cap"] *= share


@pytest.mark.parametrize("kind", ["cap_per_person", "cap_per_wave", "cap", "cap_in_all"])
def test_quarters__split_into_months_change_no_total(kind):
    # Law: without a cap per year, and without losses, a total does not depend on how finely dates lie.
    for seed in range(sized(15, 200)):
        case = CardCase(seed, without=(*(one for one in CAPS if one != kind), "audit", "lost_by"))
        quarters, months = (
            paid_by(with_dates(case, {"date": {"every_months": every, "until_month": 36}}), case.record()) for every in (3, 1)
        )

        assert quarters.sum(axis=(1, 2)).tolist() == months.sum(axis=(1, 2)).tolist(), seed


def test_people__in_another_order_are_paid_the_same():
    # Law: without bands nobody's place among others matters; lots go with the rows.
    for seed in range(sized(40, 400)):
        case = CardCase(seed, without=("bands",))
        before = paid_by(case.raw, case.record())
        for replication, people in enumerate(case.people):
            places = case.random.sample(range(len(people)), len(people))
            case.people[replication] = [people[places.index(new)] for new in range(len(people))]
            for row in case.rows:
                row.person = places[row.person] if row.replication == replication else row.person
        case.rows = case.in_order(case.rows)

        assert paid_by(case.raw, case.record()).tolist() == before.tolist(), seed


def test_replications__do_not_see_each_other():
    # Law: the first replication pays alone what it pays among others.
    for seed in range(sized(25, 200)):
        case = CardCase(seed)
        together = paid_by(case.raw, case.record())
        for replication, people in enumerate(case.people):
            rows = [Row(**vars(row) | {"replication": 0}) for row in case.rows if row.replication == replication]
            waves = list(case.waves) or ["all"]
            alone = paid_by(case.raw, record_of(rows, [people], case.listed, waves, case.groups))

            assert alone[0].tolist() == together[replication].tolist(), (seed, replication)


def test_amounts_by_row__sum_to_the_payment_where_only_people_are_capped():
    # Law: what each row changed adds up to the payment, unless more would be owed back than was paid.
    added = 0
    for seed in range(sized(40, 400)):
        case = CardCase(seed, without=(*(one for one in CAPS if one != "cap_per_person"), "audit"))
        twin = reference.settle(case.contract, "card", case.rows)
        settled = settle_cards(case.contract, case.record(), with_rows=True)
        paid = in_units(case.contract, settled).sum(axis=(1, 2))
        replication = np.array([row.replication for row in case.rows], dtype=int)
        for number in range(len(case.people)):
            if number in twin and not twin[number].bound["no more owed back than paid"]:
                assert settled.by_row["card"][replication == number].sum() == paid[number], seed
                added += paid[number] > 0
    assert added > 40


def test_caps__are_never_exceeded():
    # Law: what was paid so far lies between nothing and the cap of the outcome, of the budget year and of the whole, or the highest
    # of those by which it is varied.
    def highest(signed, varied):
        return max([signed.value, *(cap.value for cap in varied if cap is not None)])

    for seed, (case, settled, _) in enumerate(compared()):
        varied = list(case.contract.terms["card"].varied.values())
        card, paid, smallest = case.contract.terms["card"], in_units(case.contract, settled), units_of(case.contract.currency)
        for place, name in enumerate(case.contract.outcomes):
            so_far = paid[:, place].cumsum(axis=1)
            cap = card.rate_card[name].cap if name in card.rate_card else None
            assert (so_far >= 0).all(), seed
            new = [one.rate_card[name].cap for one in varied if name in one.rate_card]
            assert cap is None or (so_far <= round(highest(cap, new) * smallest)).all(), seed
        if card.cap_in_all is not None:
            most = highest(card.cap_in_all, [one.cap_in_all for one in varied])
            assert (paid.sum(axis=1).cumsum(axis=1) <= round(most * smallest)).all(), seed
        if card.cap_per_year is not None:
            first = 12 if card.cap_per_year.from_month is None else card.cap_per_year.from_month.value
            months = np.array([case.contract.month_of(date) for date in case.contract.dates_of(card)])
            year = np.where(months < first, -1, (months - first) // 12)
            for one in set(year):
                most = highest(card.cap_per_year.at_most, [one.cap_per_year for one in varied])
                assert (paid[:, :, year == one].sum(axis=(1, 2)) <= round(most * smallest)).all(), seed


def test_card__moves_exactly_its_money_under_the_contract():
    # Law: a card's payment on each date is the sum of its outcomes, held between floor and cap like every term.
    for seed in range(sized(12, 200)):
        case = CardCase(seed)
        settled = settle_cards(case.contract, case.record(), case.measurements())
        summed = in_units(case.contract, settled).sum(axis=1) / units_of(case.contract.currency)
        mine = [list(case.contract.calendar).index(date) for date in case.contract.dates_of(case.contract.terms["card"])]
        for floor, cap in ((None, None), (5.0, 20.0), (-1.0, 2.0)):
            raw = deepcopy(case.raw)
            raw["terms"]["card"] |= ({} if floor is None else {"floor": floor}) | ({} if cap is None else {"cap": cap})
            payments = settle_terms(Contract.model_validate(raw), case.measurements(), np.zeros(len(case.people)))
            expected = np.zeros((len(case.people), len(case.contract.calendar)))
            expected[:, mine] = np.minimum(np.maximum(summed, -np.inf if floor is None else floor), np.inf if cap is None else cap)

            assert payments.by_due[:, 0].tolist() == expected.tolist(), seed
            assert payments.parties == (("outcome_payer", "investor"),)


# ---------------------------------------------------- sums by hand ----------------------------------------------------


def test_needs__that_come_late_set_month_and_price():
    # By hand: both have work in month 4, when it pays 1,000; from month 6 on it pays 1,200, and it is validated two months later. The
    # first was enrolled before: 1,000, validated in month 6. The second is enrolled in month 7: 1,200, validated in month 9. From month
    # 12 on the price is half as high again: the third, enrolled in month 13, brings 1,200 x 1.5 = 1,800 in month 15.
    card = {"rate_card": {"job": {"price": 1000, "from_month": {6: 1200}, "needs": ["enrolled"], "index_per_year": 0.5}}}
    contract = contract_of({"enrolled": {}, "job": {"validated_after_months": 2}}, card)
    rows = [(0, "enrolled", 1), (0, "job", 4), (1, "job", 4), (1, "enrolled", 7), (2, "job", 4), (2, "enrolled", 13)]

    assert pays(contract, *rows) == {"job": {6: 1000, 9: 1200, 15: 1800}}


def test_loss__is_owed_back_and_a_second_placement_is_paid_again():
    # By hand: placed in month 1, 2,000 in month 3; the placement breaks down in month 5, within 6 months: 75 % of 2,000 = 1,500 back in
    # month 6; placed again in month 8: 2,000 in month 9. The breakdown of month 15 is 7 months later, and takes nothing back.
    lost = {"outcome": "breakdown", "within_months": 6, "share_owed_back": 0.75}
    contract = contract_of({"placed": {}, "breakdown": {}}, {"rate_card": {"placed": {"price": 2000, "lost_by": lost}}})
    rows = [(0, "placed", 1), (0, "breakdown", 5), (0, "placed", 8), (0, "placed", 10), (0, "breakdown", 15)]

    assert pays(contract, *rows) == {"placed": {3: 2000, 6: -1500, 9: 2000}}
    assert pays(contract, *rows[:3], (0, "breakdown", 14)) == {"placed": {3: 2000, 6: -1500, 9: 2000, 15: -1500}}


def test_days_housed__are_counted_back_and_net_of_other_days():
    # By hand, 15.12 a day: 30 days housed a month, less 10 in jail in month 3: 12 x 30 - 10 = 350 by month 12, 380 by month 13. All
    # 380 are due then, 380 x 15.12 = 5,745.60, and 2 x 30 x 15.12 = 907.20 for months 14 and 15: 6,652.80 in month 15. In month 16 the
    # 4.5 days in jail leave 25.5 x 15.12 = 385.56, and the 40 of month 17 leave none. Not counted back: of month 13 only 15 x 15.12 =
    # 226.80, so that 1,134 are due in month 15.
    days = {"housed": {"unit": "days"}, "jail": {"unit": "days"}}
    price = {"price": 15.12, "beyond_units": 365, "net_of": ["jail"]}
    contract = contract_of(
        days,
        {"rate_card": {"housed": price | {"counted_back": True}}},
        terms={"beyond": {"rate_card": {"housed": price}, "payee": "service_provider"}},
    )
    rows = [(0, "housed", month, {"units": 30.0}) for month in range(1, 18)]
    rows += [(0, "jail", month, {"units": units}) for month, units in ((3, 10.0), (16, 4.5), (17, 40.0))]

    assert pays(contract, *rows) == {"housed": {15: 6652.80, 18: 385.56}}
    assert pays(contract, *rows, name="beyond") == {"housed": {15: 1134, 18: 385.56}}


def test_cap_per_person__binds_in_order():
    # By hand, 3,000 for one person. The first: 800 + 1,500 = 2,300, of the 2,200 for keeping work 700 are left. The second reaches all
    # in one month, in the order of the contract: 2,200, then 800, and nothing for the work.
    outcomes = {"kept": {}, "entry": {}, "job": {}}
    prices = {"entry": {"price": 800}, "job": {"price": 1500}, "kept": {"price": 2200}}
    contract = contract_of(outcomes, {"rate_card": prices, "cap_per_person": 3000})
    rows = [(0, "entry", 1), (0, "job", 2), (0, "kept", 9), (1, "job", 17), (1, "entry", 17), (1, "kept", 17)]

    assert pays(contract, *rows) == {"entry": {3: 800, 18: 800}, "job": {3: 1500}, "kept": {9: 700, 18: 2200}}


def test_budget_year__is_carried_over_or_lost():
    # By hand, 1,500 each and 10,000 a year, the second of which begins in month 12. 5 in month 2: 7,500 in month 3. 4 in month 4: 6,000,
    # of which 2,500 are left in month 6. 6 in month 11: 9,000, and 3,500 carried over: 10,000 of 12,500 in month 12, so that 2,500 wait
    # until month 24. Lost: 9,000 in month 12, and nothing more.
    outcomes, prices = {"job": {}}, {"job": {"price": 1500}}
    rows = [(person, "job", 2 if person < 5 else 4 if person < 9 else 11) for person in range(15)]

    def paid(excess, **more):
        return pays(
            contract_of(outcomes, {"rate_card": prices, "cap_per_year": {"at_most": 10_000, "excess": excess} | more}), *rows
        )

    assert paid("carried_over") == {"job": {3: 7500, 6: 2500, 12: 10_000, 24: 2500}}
    assert paid("lost") == {"job": {3: 7500, 6: 2500, 12: 9000}}
    # Where the first new year begins in month 18, the first one lasts until then: 10,000, then 10,000, and 2,500 are never paid.
    assert paid("carried_over", from_month=18) == {"job": {3: 7500, 6: 2500, 18: 10_000}}
    # Where it begins in month 6: 7,500; 6,000; 4,000 of 9,000, and the rest in month 18.
    assert paid("carried_over", from_month=6) == {"job": {3: 7500, 6: 6000, 12: 4000, 18: 5000}}


def test_cuts__follow_one_another():
    # By hand, wave a at most 500, job at most 700, 900 a year, 1,000 in all; 100 for entry, 300 for a job. Month 3: entry 2 x 100 = 200
    # of wave a and 100 of b; jobs 2 x 300, of which wave a has 300 left, and 300 of b: 600. 900 fill the year. Month 6 adds 300 of b for
    # a job: 100 of the cap of jobs are left, the year holds none. Month 12 begins another: 300 for a job, 100 left of its cap, and of
    # the whole.
    card = {
        "rate_card": {"entry": {"price": 100}, "job": {"price": 300, "cap": 700}},
        "cap_per_wave": {"a": 500},
        "cap_per_year": {"at_most": 900, "excess": "lost"},
        "cap_in_all": 950,
    }
    contract = contract_of({"entry": {}, "job": {}}, card, waves={"a": "first", "b": "second"})
    people = [("a", None), ("a", None), ("b", None), ("b", None), ("b", None)]
    rows = [(0, "entry", 1), (1, "entry", 1), (2, "entry", 2), (0, "job", 3), (1, "job", 3), (2, "job", 3), (3, "job", 4)]
    rows += [(4, "job", 12)]

    assert pays(contract, *rows, people=people) == {"entry": {3: 300}, "job": {3: 600, 12: 50}}


def test_bands__price_people_in_their_order():
    # By hand: the first two at 100, three more at 80, others at 50, times 1.5 from month 12: 2 x 100 + 80 = 280 of three in month 2; in
    # month 13 the fourth and fifth at 120 and the sixth at 75, 315. What is never paid counts in no band: the one disputed in month 2
    # would be validated in month 32.
    bands = [{"beyond": 0, "price": 100}, {"beyond": 2, "price": 80}, {"beyond": 5, "price": 50}]
    card = {"rate_card": {"job": {"bands": bands, "index_per_year": 0.5}}, "dispute": {"share": 0.5, "later_by_months": 30}}
    contract = contract_of({"job": {}}, card)
    rows = [(0, "job", 2, {"lot": SURE})]
    rows += [(person, "job", month, {"lot": NEVER}) for person, month in ((1, 2), (2, 2), (3, 2), (4, 13), (5, 13), (6, 13))]

    assert pays(contract, *rows) == {"job": {3: 280, 15: 315}}


def test_audit__takes_off_what_it_found_or_the_same_share_of_all():
    # By hand: four claims of 100, two in the sample, one of these false, and a false one outside it: 300; extrapolated, a half of 400.
    def paid(is_extrapolated):
        contract = contract_of(
            {"job": {}}, {"rate_card": {"job": {"price": 100}}, "audit": audit | {"extrapolated": is_extrapolated}}
        )
        lots = ((SURE, True), (SURE, False), (NEVER, True), (NEVER, False))
        return pays(contract, *((n, "job", 1, {"lot": lot, "is_false": false}) for n, (lot, false) in enumerate(lots)))

    audit = {"share": 0.5}
    assert paid(False) == {"job": {3: 300}}
    assert paid(True) == {"job": {3: 200}}


def test_open_at_end__pays_what_is_validated_later_on_the_last_date():
    # By hand: reached in months 22, 24 and 25, validated six months later; the last date is month 24.
    outcomes, prices = {"job": {"validated_after_months": 6}}, {"job": {"price": 100}}
    rows = [(0, "job", 22), (1, "job", 24), (2, "job", 25), (3, "job", 18)]

    assert pays(contract_of(outcomes, {"rate_card": prices, "open_at_end": "paid"}), *rows) == {"job": {24: 300}}
    assert pays(contract_of(outcomes, {"rate_card": prices}), *rows) == {"job": {24: 100}}


def test_group__takes_precedence_over_wave_and_month():
    # By hand: 10, from month 6 on 20; wave b 30; group old 40.
    price = {"price": 10, "from_month": {6: 20}, "by_wave": {"b": 30}, "by_group": {"old": 40}}
    contract = contract_of({"job": {}}, {"rate_card": {"job": price}}, waves={"a": "one", "b": "two"}, groups={"old": "old"})
    people = [("a", None), ("a", None), ("b", None), ("b", "old"), ("a", "old")]
    months = (1, 7, 10, 13, 16)

    paid = pays(contract, *((person, "job", month) for person, month in enumerate(months)), people=people)

    assert paid == {"job": {3: 10, 9: 20, 12: 30, 15: 40, 18: 40}}


@pytest.mark.parametrize(
    ("currency", "price", "share", "expected"),
    [("SEK", 0.125, 0.5, {3: 0.12, 6: -0.06}), ("JPY", 2.5, 0.25, {3: 2}), ("JPY", 3.5, 0.5, {3: 4, 6: -2}), ("KWD", 0.0625, 0, {3: 0.062})],
)  # fmt: skip
def test_money__is_in_whole_smallest_units(currency, price, share, expected):
    # By hand, half to even: 0.125 kronor are 12 öre, and half of them 6; 2.5 yen are 2, and a quarter of them 0; 3.5 yen are 4.
    card = {"rate_card": {"job": {"price": price, "lost_by": {"outcome": "gone", "share_owed_back": share}}}}
    contract = contract_of({"job": {}, "gone": {}}, card, currency=currency)

    assert pays(contract, (0, "job", 1), (0, "gone", 4)) == {"job": expected}


def test_terms__follow_the_card_and_the_numbers_reached():
    # By hand: work in months 1, 4, 5 and 8 of four people: 1, 3, 4 and 4 by quarter; 1, 2, 1 and 0 since the last one.
    # card     200, 400, 200, 0; shut below 2 people, then at least 150 and at most 350: 0, 350, 200, 150
    # new      10 for each since the last date: 10, 20, 10, 0
    # level    1,000 times the share of all four: 250, 750, 1,000, 1,000
    # second   7 for each of the second wave, months 5 and 8: 0, 7, 14, 14
    # so_far   wave by wave with those before: the first wave has 1, 2, 2, 2, both have 1, 3, 4, 4; 3 for each: 6, 15, 18, 18
    # double   5 for each who has work or took a course, beyond 3: 0, 5, 10, 10
    counted = {"job": {}, "course": {}}
    metric = {"meaning": "so many", "unit": "people"}
    contract = contract_of(
        counted,
        {"rate_card": {"job": {"price": 200}}, "floor": 150, "cap": 350, "only_if": {"jobs": {"at_least": 2}}},
        dates={"quarter": {"every_months": 3, "until_month": 12}},
        waves={"first": "one", "second": "two"},
        metrics={
            "jobs": metric | {"derived": {"reached": ["job"]}},
            "rate": {"meaning": "a share", "unit": "share", "derived": {"reached": ["job"], "per_person": True}},
        },
        terms={
            "new": {"share": 10, "of": {"reached": ["job"], "since": "last_date"}},
            "level": {"share": 1000, "of": "rate"},
            "second": {"per_wave": {"price": 7, "per": {"reached": ["job"]}}, "waves": ["second"]},
            "so_far": {"per_wave": {"price": 3, "per": "jobs"}, "cumulative": True},
            "double": {"price": 5, "per": {"reached": ["job", "course"]}, "deadweight": 3},
        },
    )
    people = [("first", None), ("first", None), ("second", None), ("second", None)]
    rows = [(0, "job", 1), (0, "job", 2), (1, "job", 4), (2, "job", 5), (3, "job", 8), (3, "course", 6)]

    payments = settle_terms(contract, measured(record_by_hand(contract, *rows, people=people)), np.zeros(1))

    paid = dict(zip(payments.terms, payments.by_due[0].tolist(), strict=True))
    assert paid == {
        "card": [0, 350, 200, 150],
        "new": [10, 20, 10, 0],
        "level": [250, 750, 1000, 1000],
        "second": [0, 7, 14, 14],
        "so_far": [6, 15, 18, 18],
        "double": [0, 5, 10, 10],
    }
    assert [payments.limit(0, 0, due) for due in range(4)] == ["gate", "cap", "formula", "floor"]
    assert payments.months[0].tolist() == [3, 6, 9, 12]


def test_total_cap__holds_for_a_card_too():
    # By hand: 200 and 300 under a total of 400: 200 and 200.
    contract = contract_of({"job": {}}, {"rate_card": {"job": {"price": 100}}}, total_cap=400)
    rows = [(person, "job", 1 if person < 2 else 4) for person in range(5)]

    payments = settle_terms(contract, measured(record_by_hand(contract, *rows)), np.zeros(1))

    assert payments.by_due[0, 0, :3].tolist() == [200, 200, 0]


@pytest.mark.parametrize(
    ("limit", "where"),
    [
        ({"cap_per_person": 150}, "cap_per_person"), ({"cap_per_wave": {"a": 150}}, "cap_per_wave"), ({"cap_in_all": 150}, "cap_in_all"),
        ({"cap_per_year": {"at_most": 150, "excess": "lost"}}, "cap_per_year"), ({}, "formula"),
    ],
)  # fmt: skip
def test_limit__names_the_cap_that_cut_the_date(limit, where):
    # By hand: two times 100 of one person in months 1 and 4, at most 150.
    card = {"rate_card": {"job": {"price": 100, "each_time": True}}} | limit
    contract = contract_of({"job": {}}, card, waves={"a": "one"})

    payments = settle_terms(contract, measured(record_by_hand(contract, (0, "job", 1), (0, "job", 4))), np.zeros(1))

    assert payments.by_due[0, 0, :2].tolist() == [100, 50 if limit else 100]
    assert [payments.limit(0, 0, due) for due in range(3)] == ["formula", where, "formula"]


def test_limit__tells_the_cap_of_an_outcome_from_that_of_the_card():
    # By hand: 100 in month 1 under a cap of 50 of the outcome; `cap` stands for the term's own cap, which is 1,000.
    contract = contract_of({"job": {}}, {"rate_card": {"job": {"price": 100, "cap": 50}}, "cap": 1000})

    payments = settle_terms(contract, measured(record_by_hand(contract, (0, "job", 1))), np.zeros(1))

    assert payments.by_due[0, 0, 0] == 50
    assert payments.limit(0, 0, 0) not in ("cap", "formula")


# ------------------------------------------------ where two rules meet ------------------------------------------------


def test_reached__counts_when_it_is_validated():
    # By hand: reached in month 2 and validated in month 6, when it is paid too.
    terms = {"bonus": {"share": 10, "of": {"reached": ["job"]}}}
    contract = contract_of({"job": {"validated_after_months": 4}}, {"rate_card": {"job": {"price": 100}}}, terms=terms)

    payments = settle_terms(contract, measured(record_by_hand(contract, (0, "job", 2))), np.zeros(1))

    assert payments.by_due[0, 0, :3].tolist() == [0, 100, 0]
    assert payments.by_due[0, 1, :3].tolist() == [0, 10, 10]


def test_loss__owes_nothing_back_of_what_was_found_false_and_not_paid():
    # By hand: of two claims one is found false, 100 are paid; that one is lost, and nothing was paid for it.
    lost = {"outcome": "breakdown", "share_owed_back": 1}
    card = {"rate_card": {"placed": {"price": 100, "lost_by": lost}}, "audit": {"share": 0.5}}
    contract = contract_of({"placed": {}, "breakdown": {}}, card)
    rows = [
        (0, "placed", 1, {"lot": SURE, "is_false": True}),
        (1, "placed", 1, {"lot": NEVER}),
        (0, "breakdown", 4, {"lot": NEVER}),
    ]

    assert pays(contract, *rows) == {"placed": {3: 100}}


def test_extrapolated_audit__takes_its_share_off_claims_and_not_off_what_is_owed_back():
    # By hand: 100 in month 3; in month 6 two claims of 100, one of them found false: half of 200 is taken off, and 50 are owed back.
    lost = {"outcome": "breakdown", "share_owed_back": 0.5}
    card = {"rate_card": {"placed": {"price": 100, "lost_by": lost}}, "audit": {"share": 1, "extrapolated": True}}
    contract = contract_of({"placed": {}, "breakdown": {}}, card)
    rows = [(0, "placed", 1), (0, "breakdown", 4), (1, "placed", 4, {"is_false": True}), (2, "placed", 4)]

    assert pays(contract, *rows) == {"placed": {3: 100, 6: 50}}


def test_cap_per_wave__is_not_exceeded_where_something_is_lost_before_it_is_paid():
    # Law: for the only wave no more than 100 is paid. Housing is lost in month 2 and validated in month 7; two jobs are 200.
    lost = {"outcome": "breakdown", "share_owed_back": 1}
    card = {"rate_card": {"housed": {"price": 50, "lost_by": lost}, "job": {"price": 100}}, "cap_per_wave": {"a": 100}}
    outcomes = {"housed": {"validated_after_months": 6}, "breakdown": {}, "job": {}}
    contract = contract_of(outcomes, card, waves={"a": "one"})

    paid = pays(contract, (0, "housed", 1), (0, "breakdown", 2), (1, "job", 1), (2, "job", 1))

    assert sum(amount for by_month in paid.values() for amount in by_month.values()) <= 100


def test_cap_per_person__is_not_exceeded_where_something_is_lost_before_it_is_paid():
    # Law: for the only person no more than 100 is paid. Housing is lost in month 2 and validated in month 7; a job follows.
    lost = {"outcome": "breakdown", "share_owed_back": 1}
    card = {"rate_card": {"housed": {"price": 100, "lost_by": lost}, "job": {"price": 100}}, "cap_per_person": 100}
    contract = contract_of({"housed": {"validated_after_months": 6}, "breakdown": {}, "job": {}}, card)

    paid = pays(contract, (0, "housed", 1), (0, "breakdown", 2), (0, "job", 3))

    assert sum(amount for by_month in paid.values() for amount in by_month.values()) <= 100


# ---------------------------------------------------- bad contracts ----------------------------------------------------

BASE = """\
title: A test
currency: SEK
commitment: 1_000_000
metrics:
  jobs: {meaning: so many, unit: people, derived: {reached: [job, kept]}}
dates:
  signed: {month: 1}
  quarter: {every_months: 3, until_month: 12}
waves: {first: the first, second: the second}
groups: {young: under 25, old: others}
outcomes:
  job: {meaning: has work}
  kept: {meaning: keeps it, validated_after_months: 3}
  lost: {meaning: loses it}
  housed: {meaning: has a home, unit: days}
  jail: {meaning: is in jail, unit: days}
  hours: {meaning: is taught, unit: hours}
terms:
  card:
    rate_card:
      job: {price: 1000, by_group: {young: 1500}, by_wave: {second: 900}, from_month: {6: 1100}}
      kept: {price: 2000, needs: [job], lost_by: {outcome: lost, share_owed_back: 0.5}}
      housed: {price: 15.12, beyond_units: 365, net_of: [jail], counted_back: true}
      hours: {bands: [{beyond: 0, price: 10}, {beyond: 100, price: 8}], index_per_year: 0.02}
    cap_per_wave: {first: 90_000}
    cap_per_year: {at_most: 50_000, from_month: 6, excess: lost}
    audit: {share: 0.1}
    dispute: {share: 0.2, later_by_months: 3}
    at: [quarter]
  bonus: {share: 10, of: {reached: [job], per_person: true, since: last_date}, at: [quarter_2]}
"""

PLANTED = {
    "unknown outcome of a card": ("      hours: {bands", "      hour: {bands",
        "terms.card.rate_card.hour: must be an outcome of the contract; found `hour`. One of: job, kept, lost, housed, jail, hours"),
    "unknown outcome needed": ("needs: [job]", "needs: [jobs]",
        "terms.card.rate_card.kept.needs: must be an outcome of the contract; found `jobs`"),
    "unknown outcome net of": ("net_of: [jail]", "net_of: [jails]",
        "terms.card.rate_card.housed.net_of: must be an outcome of the contract; found `jails`"),
    "unknown outcome that undoes": ("{outcome: lost,", "{outcome: loss,",
        "terms.card.rate_card.kept.lost_by.outcome: must be an outcome of the contract; found `loss`"),
    "unknown outcome reached": ("{reached: [job], per", "{reached: [jobs], per",
        "terms.bonus.of.reached: must be an outcome of the contract; found `jobs`"),
    "unknown outcome of a metric": ("{reached: [job, kept]}", "{reached: [job, keeps]}",
        "metrics.jobs.derived.reached: must be an outcome of the contract; found `keeps`"),
    "needs itself": ("needs: [job]", "needs: [kept]", "terms.card.rate_card.kept.needs: must be another outcome; found `kept` itself"),
    "net of itself": ("net_of: [jail]", "net_of: [housed]",
        "terms.card.rate_card.housed.net_of: must be another outcome; found `housed` itself"),
    "lost by itself": ("{outcome: lost,", "{outcome: kept,",
        "terms.card.rate_card.kept.lost_by.outcome: must be another outcome; found `kept` itself"),
    "circle of needs": ("job: {price: 1000,", "job: {price: 1000, needs: [kept],",
        "terms.card.rate_card.job.needs: an outcome must not need itself; found job needs kept needs job. Leave one of them out"),
    "unknown group": ("{young: 1500}", "{younger: 1500}",
        "terms.card.rate_card.job.by_group.younger: must be a group of the contract; found `younger`. One of: young, old"),
    "unknown wave": ("{second: 900}", "{third: 900}",
        "terms.card.rate_card.job.by_wave.third: must be a wave of the contract; found `third`. One of: first, second"),
    "unknown wave of a cap": ("{first: 90_000}", "{third: 90_000}",
        "terms.card.cap_per_wave.third: must be a wave of the contract; found `third`. One of: first, second"),
    "no groups": ("groups: {young: under 25, old: others}\n", "",
        "terms.card.rate_card.job.by_group.young: must be a group of the contract; found `young`. It has no `groups`"),
    "people beyond units": ("job: {price: 1000,", "job: {price: 1000, beyond_units: 2,",
        "terms.card.rate_card.job.beyond_units: units must be counted beyond others, or net of others; "
        "found `beyond_units` of an outcome in people. Leave it out, or say another `unit`"),
    "people net of units": ("job: {price: 1000,", "job: {price: 1000, net_of: [jail],",
        "terms.card.rate_card.job.net_of: units must be counted beyond others, or net of others; found `net_of` of an outcome in people"),
    "lost and each time": ("share_owed_back: 0.5}}", "share_owed_back: 0.5}, each_time: true}",
        "terms.card.rate_card.kept: what is lost again must be reached once until then, by a person; found `lost_by` and `each_time`"),
    "units each time": ("housed: {price: 15.12,", "housed: {price: 15.12, each_time: true,",
        "terms.card.rate_card.housed.each_time: people reach an outcome again, or lose it; found `each_time` of an outcome in days"),
    "units that are lost": ("hours: {bands", "hours: {lost_by: {outcome: lost, share_owed_back: 1}, bands",
        "terms.card.rate_card.hours.lost_by: people reach an outcome again, or lose it; found `lost_by` of an outcome in hours"),
    "units of another kind": ("net_of: [jail]", "net_of: [hours]",
        "terms.card.rate_card.housed.net_of: units must be taken off units of the same kind; found `days` and `hours`"),
    "units per person": ("{reached: [job], per", "{reached: [housed], per",
        "terms.bonus.of.per_person: a share of people must be of those who reached an outcome; found `housed` in days. Leave `per_person` out"),
    "units among people per person": ("{reached: [job], per", "{reached: [job, housed], per",
        "terms.bonus.of.per_person: a share of people must be of those who reached an outcome; found `housed` in days. Leave `per_person` out"),
    "card inside a term": ("of: {reached: [job], per_person: true, since: last_date}", "of: {rate_card: {job: {price: 1}}}",
        "terms.bonus.of: a rate card must be a term of the contract itself; found one inside another term. Refer to it by its name"),
    "card without outcomes": ("of: {reached: [job], per_person: true, since: last_date}", "of: {rate_card: {}}",
        "terms.bonus.of.rate_card: "),
    "card without dates": ("dates:\n  signed: {month: 1}\n  quarter: {every_months: 3, until_month: 12}\n", "",
        "terms.card.rate_card: `rate_card` must look at the calendar; found a contract without `dates`. Add `dates`"),
    "number without dates": ("dates:\n  signed: {month: 1}\n  quarter: {every_months: 3, until_month: 12}\n", "",
        "metrics.jobs.derived.reached: `reached` must look at the calendar; found a contract without `dates`. Add `dates`"),
    "price and bands": ("hours: {bands", "hours: {price: 3, bands",
        "terms.card.rate_card.hours: a price must be one number, or `bands` by volume; found both"),
    "prices of groups and bands": ("hours: {bands", "hours: {by_group: {old: 3}, bands",
        "terms.card.rate_card.hours: a price must be one number, or `bands` by volume; found both"),
    "other prices alone": ("job: {price: 1000,", "job: {",
        "terms.card.rate_card.job: other prices must stand beside a `price`; found none. Write `price: 0` where nobody else is paid for"),
    "bands that begin late": ("[{beyond: 0, price: 10}", "[{beyond: 1, price: 10}",
        "terms.card.rate_card.hours: bands by volume must begin beyond 0 and stand in order; found 1, 100"),
    "bands out of order": ("{beyond: 100, price: 8}", "{beyond: 0, price: 8}",
        "terms.card.rate_card.hours: bands by volume must begin beyond 0 and stand in order; found 0, 0"),
    "price from a month before the start": ("from_month: {6: 1100}", "from_month: {-1: 1100}",
        "terms.card.rate_card.job: a price must hold from a month between 0 and 1200; found -1"),
    "price from a month too late": ("from_month: {6: 1100}", "from_month: {1201: 1100}",
        "terms.card.rate_card.job: a price must hold from a month between 0 and 1200; found 1201"),
    "counted back from nothing": ("beyond_units: 365, ", "",
        "terms.card.rate_card.housed: `counted_back` must count back from `beyond_units`; found none"),
    "lost units": ("housed: {price: 15.12,", "housed: {price: 15.12, lost_by: {outcome: lost, share_owed_back: 0},",
        "terms.card.rate_card.housed: what is lost again must be reached once until then, by a person; found `lost_by` and `beyond_units`"),
    "negative price": ("price: 1000,", "price: -1000,",
        "terms.card.rate_card.job.price: a share or a price must not be negative, and at most 1e15; found -1000"),
    "share owed back above one": ("share_owed_back: 0.5", "share_owed_back: 1.5",
        "terms.card.rate_card.kept.lost_by.share_owed_back: a share must lie between 0 and 1; found 1.5"),
    "index out of range": ("index_per_year: 0.02", "index_per_year: 1.02",
        "terms.card.rate_card.hours.index_per_year: a rate must lie between -0.5 and 1 a year; found 1.02"),
    "share audited above one": ("audit: {share: 0.1}", "audit: {share: 1.1}",
        "terms.card.audit.share: a share must lie between 0 and 1; found 1.1"),
    "share disputed below nothing": ("dispute: {share: 0.2,", "dispute: {share: -0.2,",
        "terms.card.dispute.share: a share must lie between 0 and 1; found -0.2"),
    "excess that goes elsewhere": ("excess: lost", "excess: paid", "terms.card.cap_per_year.excess: "),
    "half a month": ("later_by_months: 3", "later_by_months: 3.5", "terms.card.dispute.later_by_months: "),
    "names of dates twice": ("signed: {month: 1}", "quarter_2: {month: 1}",
        "each date must have a name of its own; found `quarter_2` twice, once of dates that repeat"),
    "two dates in one month": ("signed: {month: 1}", "signed: {month: 6}",
        "one date must lie in one month, so that nothing is paid twice; found two in month 6"),
    "too many dates": ("quarter: {every_months: 3, until_month: 12}", "quarter: {every_months: 2, until_month: 1200}",
        "a contract must have at most 400 dates; found 601"),
    "date of no form": ("quarter: {every_months: 3, until_month: 12}", "quarter: {}",
        "dates.quarter: a date must have a `month`, or repeats: `every_months` until `until_month`; found neither"),
    "date of two forms": ("quarter: {every_months: 3,", "quarter: {month: 3, every_months: 3,",
        "dates.quarter: a date must have a `month`, or repeats: `every_months` until `until_month`; found `month` and every_months, until_month"),
    "dates without an end": ("quarter: {every_months: 3, until_month: 12}", "quarter: {every_months: 3}",
        "dates.quarter: dates that repeat must have `every_months` and `until_month`; found every_months alone"),
    "dates that end before they begin": ("quarter: {every_months: 3,", "quarter: {every_months: 3, from_month: 13,",
        "dates.quarter: dates must end after they begin; found 13 to 12"),
    "dates that repeat never": ("quarter: {every_months: 3,", "quarter: {every_months: 0,",
        "dates.quarter.every_months: dates must repeat every 1 to 1200 months; found 0"),
    "money drawn on dates that repeat": ("quarter: {every_months: 3,", "quarter: {every_months: 3, drawn: 1,",
        "dates.quarter: the investor must pay in on a single date; found `drawn` on dates that repeat"),
    "one of dates that repeat twice": ("at: [quarter_2]}", "at: [quarter, quarter_2]}",
        "terms.bonus.at: a term must be settled once on each date; found quarter, quarter_2"),
    "a date that does not repeat so long": ("at: [quarter_2]}", "at: [quarter_5]}",
        "terms.bonus.at: must be a date of the contract; found `quarter_5`. One of: signed, quarter, quarter_1, quarter_2"),
}  # fmt: skip
LINELESS = (
    "no groups",
    "card without dates",
    "number without dates",
    "names of dates twice",
    "two dates in one month",
    "too many dates",
)
"""Cases of the contract as a whole, and those in which lines are left out."""


def test_base__is_accepted_and_pays(tmp_path):
    # By hand: two aged under 25 have work, 1,500 each; days and hours of nobody.
    (tmp_path / "contract.yaml").write_text(BASE)
    contract = load_contract(tmp_path / "contract.yaml")
    people = [("first", "young"), ("second", "young")]

    assert pays(contract, (0, "job", 2, {"lot": NEVER}), (1, "job", 3, {"lot": NEVER}), people=people) == {"job": {3: 3000}}


@pytest.mark.parametrize("name", PLANTED)
def test_contract__is_refused_with_its_reason(tmp_path, name):
    check_refusal(tmp_path / "contract.yaml", BASE, PLANTED[name], has_line=name not in LINELESS)


def test_outcomes__are_at_most_64(tmp_path):
    many = "".join(f"  o{number}: {{meaning: something}}\n" for number in range(59))
    (tmp_path / "contract.yaml").write_text(BASE.replace("terms:\n", many + "terms:\n"))

    with pytest.raises(StudyError, match="outcomes: a contract must count at most 64 outcomes; found 65"):
        load_contract(tmp_path / "contract.yaml")


def test_outcome__64th_is_counted_and_paid():
    # By hand: the last of 64 outcomes needs the first one: 7.
    outcomes = {f"o{number}": {} for number in range(64)}
    contract = contract_of(outcomes, {"rate_card": {"o63": {"price": 7, "needs": ["o0"]}}})

    assert pays(contract, (0, "o63", 1), (0, "o0", 4), (1, "o63", 1)) == {"o63": {6: 7}}
