"""Variations on the way: new prices and caps from a date on, agreed beforehand, or where a level is reached."""

import numpy as np
import pytest

from simengine.config import load_contract
from simengine.contract import settle_cards, settle_terms
from simengine.errors import StudyError
from simengine.records import Measurements
from tests.contract.by_hand import check_refusal, contract_of, measured, record_by_hand

JOBS = {"jobs": {"meaning": "so many", "unit": "people", "derived": {"reached": ["job"]}}}
LEVEL = {"level": {"meaning": "a level", "unit": "points"}}


def paid_on(contract, *rows, people=None, measurements=None):
    """Give what each term pays, by date."""
    record = record_by_hand(contract, *rows, people=people)
    payments = settle_terms(contract, measurements or measured(record), np.zeros(1))
    return dict(zip(payments.terms, payments.by_due[0].tolist(), strict=True))


def at(level, record):
    """Say that a level was measured."""
    estimate = np.array([[level]])
    return Measurements(("level",), estimate, estimate, estimate, reached=record)


def test_prices__change_for_what_is_reached_after_the_date():
    # By hand: agreed for quarter 2, month 6. 100 for the job of month 5 and that of month 6, though it is paid in month 9, after three
    # months of validation; 150 for that of month 7, times 1.5 from month 12 on: 225.
    card = {
        "rate_card": {"job": {"price": 100, "index_per_year": 0.5}},
        "varied": {"dearer": {"rate_card": {"job": {"price": 150}}}},
    }
    contract = contract_of({"job": {"validated_after_months": 3}}, card, variations={"dearer": {"at": "quarter_2"}})

    paid = paid_on(contract, *((person, "job", month) for person, month in enumerate((5, 6, 7, 12))))["card"]

    assert paid == [0, 0, 200, 150, 225, 0, 0, 0]


def test_price__of_a_group_stays_where_only_that_of_all_changes():
    # By hand: the young have 300 whatever happens to others, and those of the second wave 200 until it changes to 250: 100 + 300 + 200
    # before; 120 + 300 + 250 after it. The later variation changes the price of the young: 120 + 310 + 250.
    prices = {"price": 100, "by_group": {"young": 300}, "by_wave": {"second": 200}}
    varied = {
        "one": {"rate_card": {"job": {"price": 120, "by_wave": {"second": 250}}}},
        "two": {"rate_card": {"job": {"by_group": {"young": 310}}}},
    }
    contract = contract_of(
        {"job": {}},
        {"rate_card": {"job": prices}, "varied": varied},
        groups={"young": "under 25", "old": "others"},
        waves={"first": "one", "second": "two"},
        variations={"two": {"at": "quarter_4"}, "one": {"at": "quarter_2"}},
    )
    people = [("first", "old"), ("second", "young"), ("second", "old")] * 3
    rows = [(person, "job", (2, 8, 14)[person // 3]) for person in range(9)]

    assert paid_on(contract, *rows, people=people)["card"] == [600, 0, 670, 0, 680, 0, 0, 0]


@pytest.mark.parametrize(("limit", "paid"), [(3, [200, 0, 150, 0, 0, 0, 0, 0]), (2, [200, 0, 100, 0, 0, 0, 0, 0])])
def test_variation__holds_only_where_its_level_is_reached(limit, paid):
    # By hand: two have a job by month 6, fewer than 3 but not fewer than 2: 150 or 100 for the third.
    card = {"rate_card": {"job": {"price": 100}}, "varied": {"slow": {"rate_card": {"job": {"price": 150}}}}}
    contract = contract_of(
        {"job": {}}, card, metrics=JOBS, variations={"slow": {"at": "quarter_2", "only_if": {"jobs": {"below": limit}}}}
    )

    assert paid_on(contract, (0, "job", 1), (1, "job", 2), (2, "job", 7))["card"] == paid


def test_caps__change_on_later_dates_and_are_never_owed_back():
    # By hand: 4 x 100 by month 6 under a cap of 1,000, lowered to 300 for later dates: the job of month 8 is not paid for, nor is anything
    # owed back; raised to 600 in month 12, 200 of the three jobs of month 14 are paid.
    varied = {"lower": {"cap_in_all": 300}, "higher": {"cap_in_all": 600}}
    card = {"rate_card": {"job": {"price": 100}}, "cap_in_all": 1000, "varied": varied}
    variations = {"lower": {"at": "quarter_2"}, "higher": {"at": "quarter_4"}}
    contract = contract_of({"job": {}}, card, variations=variations)
    rows = [(person, "job", month) for person, month in enumerate((1, 2, 4, 5, 8, 14, 14, 14))]

    assert paid_on(contract, *rows)["card"] == [200, 200, 0, 0, 200, 0, 0, 0]


@pytest.mark.parametrize(
    ("card", "varied", "paid"),
    [
        ({"cap_per_person": 150}, {"cap_per_person": 350}, [150, 0, 200]),
        ({"cap_per_person": 350}, {"cap_per_person": 50}, [200, 0, 0]),
        ({"cap_per_wave": {"a": 150}}, {"cap_per_wave": {"a": 350}}, [150, 0, 200]),
        ({"cap_per_year": {"at_most": 250, "excess": "lost"}}, {"cap_per_year": 300}, [200, 0, 100]),
        ({"cap_per_year": {"at_most": 250, "excess": "carried_over"}}, {"cap_per_year": 210}, [200, 0, 10, 190]),
    ],
)
def test_every_cap__may_be_varied(card, varied, paid):
    # By hand: one person, 100 each time, twice in month 3 and twice in month 7; the variation is of month 6.
    each = {"rate_card": {"job": {"price": 100, "each_time": True}}}
    contract = contract_of(
        {"job": {}}, each | card | {"varied": {"new": varied}}, waves={"a": "one"}, variations={"new": {"at": "quarter_2"}}
    )

    found = paid_on(contract, (0, "job", 3), (0, "job", 3), (0, "job", 7), (0, "job", 7))["card"]

    assert found[: len(paid)] == paid


def test_cap_of_an_outcome__is_named_as_the_limit():
    card = {"rate_card": {"job": {"price": 100}}, "varied": {"new": {"rate_card": {"job": {"cap": 150}}}}}
    contract = contract_of({"job": {}}, card, variations={"new": {"at": "quarter_1"}})
    record = record_by_hand(contract, (0, "job", 1), (1, "job", 4))

    payments = settle_terms(contract, measured(record), np.zeros(1))

    assert payments.by_due[0, 0, :2].tolist() == [100, 50]
    assert payments.limit(0, 0, 1) == "cap_per_outcome"


@pytest.mark.parametrize(("level", "paid", "bonus"), [(0.6, [100, 150], [0, 9]), (0.5, [100, 100], [0, 0])])
def test_variation__looks_at_what_was_measured_and_gates_other_terms(level, paid, bonus):
    # By hand: above 0.5 the price of the second is 150, and 9 are paid from its date on.
    card = {"rate_card": {"job": {"price": 100}}, "varied": {"good": {"rate_card": {"job": {"price": 150}}}}}
    contract = contract_of(
        {"job": {}},
        card,
        metrics=LEVEL,
        variations={"good": {"at": "two", "only_if": {"level": {"above": 0.5}}}},
        terms={"bonus": {"amount": 9, "only_if": {"good": {"at_least": 1}}}},
        dates={"one": {"month": 3}, "two": {"month": 4}, "three": {"month": 9}},
    )
    rows = [(0, "job", 3), (1, "job", 5)]

    found = paid_on(contract, *rows, measurements=at(level, record_by_hand(contract, *rows)))

    assert found == {"card": [paid[0], 0, paid[1]], "bonus": [bonus[0], bonus[1], bonus[1]]}


def test_variation__that_looks_at_something_missing_refuses_what_depends_on_it():
    card = {"rate_card": {"job": {"price": 100}}, "varied": {"good": {"rate_card": {"job": {"price": 150}}}}}
    contract = contract_of(
        {"job": {}}, card, metrics=LEVEL, variations={"good": {"at": "quarter_2", "only_if": {"level": {"above": 0.5}}}}
    )

    with pytest.raises(StudyError, match=r"terms\.card: everything that a payment depends on must be measured; .* level"):
        paid_on(contract, (0, "job", 1), measurements=at(np.nan, record_by_hand(contract, (0, "job", 1))))


def test_card__without_measurements_holds_as_signed():
    card = {"rate_card": {"job": {"price": 100}}, "varied": {"new": {"rate_card": {"job": {"price": 150}}}}}
    contract = contract_of({"job": {}}, card, variations={"new": {"at": "quarter_1"}})

    assert settle_cards(contract, record_by_hand(contract, (0, "job", 5))).paid["card"].sum() == 100


def test_variation_before_everything__is_a_contract_signed_so():
    # Law: what holds from the start is what was signed; the same people, the same money.
    signed = {"rate_card": {"job": {"price": 70}, "kept": {"price": 30, "needs": ["job"]}}, "cap_per_person": 90}
    first = {"rate_card": {"job": {"price": 100}, "kept": {"price": 5, "needs": ["job"]}}, "cap_per_person": 500}
    changed = {"rate_card": {"job": {"price": 70}, "kept": {"price": 30}}, "cap_per_person": 90}
    dates = {"start": {"month": 0}, "quarter": {"every_months": 3, "until_month": 12}}
    outcomes, variations = {"job": {}, "kept": {"validated_after_months": 1}}, {"new": {"at": "start"}}
    one = contract_of(outcomes, first | {"varied": {"new": changed}}, dates=dates, variations=variations)
    other = contract_of(outcomes, signed, dates=dates)
    rows = [(0, "job", 1), (0, "kept", 4), (1, "kept", 2), (1, "job", 6), (2, "job", 11)]

    assert paid_on(one, *rows) == paid_on(other, *rows)


# ---------------------------------------------------- bad contracts ----------------------------------------------------

BASE = """\
title: A test
currency: SEK
commitment: 1_000_000
metrics:
  jobs: {meaning: so many, unit: people, derived: {reached: [job]}}
  part: {meaning: of the money, unit: SEK, derived: {share: 0.1, of: drawn}}
  owed: {meaning: to be paid, unit: SEK, derived: {greatest: [{to_irr: 0.05}, 0]}}
  both: {meaning: of both, unit: SEK, derived: {sum: [part, owed]}}
dates: {quarter: {every_months: 3, until_month: 12}}
waves: {first: the first, second: the second}
groups: {young: under 25, old: others}
outcomes:
  job: {meaning: has work}
  hours: {meaning: is taught, unit: hours}
  seen: {meaning: was seen}
variations:
  slow: {at: quarter_2, only_if: {jobs: {below: 10}}}
terms:
  card:
    rate_card:
      job: {price: 1000, needs: [seen]}
      hours: {bands: [{beyond: 0, price: 10}, {beyond: 100, price: 8}]}
      seen: {}
    varied:
      slow: {rate_card: {job: {price: 1500, by_group: {young: 1700}, by_wave: {first: 10}}}, cap_per_wave: {first: 90}}
"""

PLANTED = {
    "unknown date": ("at: quarter_2", "at: quarter_9", "variations.slow.at: must be a date of the contract; found `quarter_9`"),
    "unknown metric": ("{jobs: {below", "{job: {below",
        "variations.slow.only_if.job: a variation must look at a metric of the contract; found `job`. One of: jobs, part"),
    "money itself": ("{jobs: {below", "{drawn: {below",
        "variations.slow.only_if.drawn: a variation must look at a metric of the contract; found `drawn`"),
    "a share of money": ("{jobs: {below", "{part: {below",
        "variations.slow.only_if.part: a variation must look at metrics that depend on no money: prices that it changes decide what is "
        "paid; found `part`, which depends on `drawn`"),
    "a return": ("{jobs: {below", "{owed: {below", "found `owed`, which depends on `to_irr`"),
    "money behind another metric": ("{jobs: {below", "{both: {below", "found `both`, which depends on"),
    "a gate without room": ("{below: 10}", "{below: 10, above: 12}",
        "variations.slow.only_if.jobs: the lower edge must leave room below the upper edge; found 12 and 10"),
    "two names": ("  slow: {at", "  jobs: {at", "variations.jobs: a name must stand for one thing; found `jobs` in metrics and in variations"),
    "unknown variation": ("      slow: {rate", "      slower: {rate",
        "terms.card.varied.slower: must be a variation of the contract; found `slower`. One of: slow"),
    "outcome of no card": ("{rate_card: {job:", "{rate_card: {jobs:",
        "terms.card.varied.slow.rate_card.jobs: must be an outcome of this card; found `jobs`. One of: job, hours, seen"),
    "outcome without price": ("{rate_card: {job:", "{rate_card: {seen:",
        "terms.card.varied.slow.rate_card.seen: a variation must change the price of an outcome that has one; found `seen` without a price"),
    "bands": ("{rate_card: {job:", "{rate_card: {hours:",
        "terms.card.varied.slow.rate_card.hours: a variation must change one price; bands by volume stay; found `hours` with `bands`. Vary "
        "its `cap`"),
    "unknown group": ("{young: 1700}", "{younger: 1700}",
        "terms.card.varied.slow.rate_card.job.by_group.younger: must be a group of the contract; found `younger`. One of: young, old"),
    "unknown wave": ("{first: 10}", "{third: 10}",
        "terms.card.varied.slow.rate_card.job.by_wave.third: must be a wave of the contract; found `third`. One of: first, second"),
    "unknown wave of a cap": ("{first: 90}", "{third: 90}",
        "terms.card.varied.slow.cap_per_wave.third: must be a wave of the contract; found `third`. One of: first, second"),
    "a year without a rule": ("cap_per_wave: {first: 90}", "cap_per_year: 90",
        "terms.card.varied.slow.cap_per_year: a variation must change a cap that is there from the start, so that it is known what becomes "
        "of the excess; found no `cap_per_year` of the card"),
    "nothing changed": ("{job: {price: 1500, by_group: {young: 1700}, by_wave: {first: 10}}}", "{job: {}}",
        "terms.card.varied.slow.rate_card.job: a variation must change a price or a cap; found neither"),
    "nothing changed at all": ("{rate_card: {job: {price: 1500, by_group: {young: 1700}, by_wave: {first: 10}}}, cap_per_wave: {first: 90}}",
        "{}", "terms.card.varied.slow: a variation must change prices or caps; found neither"),
    "negative price": ("price: 1500", "price: -1", "terms.card.varied.slow.rate_card.job.price: "),
}  # fmt: skip


def test_base__is_accepted(tmp_path):
    (tmp_path / "contract.yaml").write_text(BASE)

    assert list(load_contract(tmp_path / "contract.yaml").variations) == ["slow"]


@pytest.mark.parametrize("name", PLANTED)
def test_contract__is_refused_with_its_line_and_reason(tmp_path, name):
    check_refusal(tmp_path / "contract.yaml", BASE, PLANTED[name], has_line=name != "nothing changed at all")
