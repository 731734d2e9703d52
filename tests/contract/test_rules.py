"""Contracts that contradict themselves, or name what does not exist, are refused with file, line, key, rule and what was found."""

from pathlib import Path

import pytest

from simengine.config import load_contract
from simengine.settlement import replay
from tests.contract.by_hand import check_refusal

BASE = """\
title: A test
currency: SEK
commitment: 1_000_000
metrics:
  saving: {meaning: a saving, unit: SEK}
  school: {meaning: a difference, unit: SEK}
  both: {meaning: both, unit: SEK, derived: {sum: [saving, school]}}
parties: {guarantor: somebody}
dates:
  early: {month: 12}
  late: {month: 24}
waves: {first: the first, second: the second}
milestones: {entry: starts, job: has work}
stops:
  halt: {at: early, only_if: {school: {below: 0}}, by: [investor]}
terms:
  fee: {amount: 10, contingent: false}
  shared: {share: 0.5, of: saving, floor: 0, cap: {share: 0.5, of: drawn}, only_if: {school: {at_least: 0, below: 1}}}
  waves: {per_wave: {share: 1, of: saving}, waves: [first]}
  people: {milestones: {entry: 100}}
  table: {steps: [{at_least: 0, below: 1, pays: 5}], of: school}
  curve: {line: [{at: 0, pays: 0}, {at: 1, pays: 9}], of: school}
  rest: {true_up: 100, against: [fee], at: [late]}
  return: {to_irr: 0.05, at: [late]}
total_cap: {share: 2, of: drawn}
published:
  end:
    outcome: {saving: 1, school: 0, saving.first: 2, saving.second: 3, entry.first: 4, job.first: 0, entry+job.first: 0}
    date: late
    terms: [fee]
    paid: 10
    basis: strict
"""

PLANTED = {
    "loop on its own result": ("of: saving, floor", "of: shared, floor",
        "terms.shared.of: a result must not depend on itself; found `shared` in `shared`"),
    "loop over two terms": ("of: saving, floor", "of: table, floor",
        "terms.shared.of: a term must refer to what stands before it; found `table`, which stands after `shared`. Change their order"),
    "loop of a metric": ("derived: {sum: [saving, school]}", "derived: {sum: [saving, both]}",
        "metrics.both.derived.sum.1: a result must not depend on itself; found `both` in `both`"),
    "unknown metric inside": ("cap: {share: 0.5, of: drawn}", "cap: {least: [1, {share: 0.5, of: loan}]}",
        "terms.shared.cap.least.1.of: a term must refer to money, a metric, or a term before it; found `loan`"),
    "unknown metric in a gate": ("only_if: {school: {at", "only_if: {schoool: {at",
        "terms.shared.only_if.schoool: a gate must refer to money, a metric, or a term before it; found `schoool`"),
    "unknown term paid": ("against: [fee]", "against: [fees]",
        "terms.rest.against: a term must refer to money, a metric, or a term before it; found `fees`"),
    "unknown party": ("fee: {amount: 10,", "fee: {amount: 10, payer: bank,",
        "terms.fee.payer: must be a party of the contract; found `bank`. One of: investor, outcome_payer, service_provider, guarantor"),
    "party who pays itself": ("fee: {amount: 10,", "fee: {amount: 10, payer: investor,",
        "terms.fee.payee: payer and payee must be two parties; found `investor` twice"),
    "unknown date": ("at: [late]}\n  return", "at: [later]}\n  return",
        "terms.rest.at: must be a date of the contract; found `later`. One of: early, late"),
    "dates in another order": ("fee: {amount: 10,", "fee: {amount: 10, at: [late, early],",
        "terms.fee.at: the dates of a term must stand once, in the order of `dates`; found late, early"),
    "dates that do not follow one another": ("late: {month: 24}", "late: {month: 12}",
        "dates must stand in the order of their months; found `late` in month 12 after `early` in month 12. Give one"),
    "shares drawn that are no whole": ("late: {month: 24}", "late: {month: 24, drawn: 0.7}",
        "the shares that are drawn on dates must add up to 1; found 0.7"),
    "unknown wave": ("waves: [first]", "waves: [third]",
        "terms.waves.waves: must be a wave of the contract; found `third`. One of: first, second"),
    "waves inside waves": ("{per_wave: {share: 1, of: saving}", "{per_wave: {per_wave: {share: 1, of: saving}}",
        "terms.waves.per_wave: waves must be told apart once"),
    "unknown milestone": ("{milestones: {entry: 100}}", "{milestones: {entrance: 100}}",
        "terms.people.milestones.entrance: must be a milestone of the contract; found `entrance`. One of: entry, job"),
    "gate that cannot open": ("{at_least: 0, below: 1}}}", "{at_least: 1, below: 1}}}",
        "terms.shared.only_if.school: the lower edge must leave room below the upper edge; found 1 and 1"),
    "band without room": ("steps: [{at_least: 0, below: 1", "steps: [{at_least: 2, below: 1",
        "terms.table.steps.0: the lower edge must leave room below the upper edge; found 2 and 1"),
    "floor above cap": ("floor: 0, cap: {share: 0.5, of: drawn}", "floor: 7, cap: 5",
        "terms.shared.floor: a floor must not be above the cap; found a floor of 7, a cap of 5"),
    "points out of order": ("[{at: 0, pays: 0}, {at: 1, pays: 9}]", "[{at: 1, pays: 0}, {at: 0, pays: 9}]",
        "terms.curve: the points of a line must stand in order, at most two at one place; found 1, 0"),
    "two kinds at once": ("{amount: 10, contingent", "{amount: 10, share: 1, of: drawn, contingent",
        "terms.fee: a term has exactly one of the keys amount, share"),
    "no kind": ("{amount: 10, contingent", "{contingent", "terms.fee: a term has exactly one of the keys amount, share"),
    "no source": ("of: saving, floor", "of: [saving], floor",
        "terms.shared.of: a number, a name, or a term with exactly one of the keys"),
    "key of the contract's terms inside another": ("cap: {share: 0.5, of: drawn}", "cap: {share: 0.5, of: drawn, payer: investor}",
        "terms.shared.cap.payer: a term that says `payer` must be one of the contract itself; found a term inside another"),
    "name of two things": ("  fee: {amount: 10,", "  school: {amount: 10,",
        "terms.school: a name must stand for one thing; found `school` in metrics and in terms"),
    "amount that no currency holds": ("{amount: 10, contingent", "{amount: 2e15, contingent",
        "terms.fee.amount: an amount of money must lie within 1e15 either way; found 2e+15"),
    "price that no currency holds": ("{share: 0.5, of: saving", "{share: 1e300, of: saving",
        "terms.shared.share: a share or a price must not be negative, and at most 1e15; found 1e+300"),
    "infinite amount": ("{amount: 10, contingent", "{amount: .inf, contingent", "terms.fee.amount: must be a finite number"),
    "unknown date of a stop": ("halt: {at: early", "halt: {at: soon", "stops.halt.at: must be a date of the contract; found `soon`"),
    "stop on a payment": ("only_if: {school: {below: 0}}, by", "only_if: {fee: {below: 0}}, by",
        "stops.halt.only_if.fee: a stop must refer to money, a metric, or a term before it; found `fee`"),
    "unknown party of a stop": ("by: [investor]", "by: [bank]", "stops.halt.by: must be a party of the contract; found `bank`"),
    "total cap on a payment": ("total_cap: {share: 2, of: drawn}", "total_cap: {share: 2, of: fee}",
        "total_cap.of: a term must refer to money"),
    "published outcome of nothing": ("outcome: {saving: 1", "outcome: {savings: 1",
        "published.end.outcome.savings: must be a metric that somebody measures; found `savings`. One of: saving, school"),
    "published outcome of a derived metric": ("outcome: {saving: 1", "outcome: {both: 1",
        "published.end.outcome.both: must be a metric"),
    "published outcome of an unknown wave": ("saving.second: 3", "saving.third: 3",
        "published.end.outcome.saving.third: must be a wave of the contract; found `third`"),
    "published term that is none": ("terms: [fee]\n    paid", "terms: [fees]\n    paid",
        "published.end.terms: must be a term of the contract; found `fees`"),
    "published date that is none": ("date: late", "date: never", "published.end.date: must be a date of the contract; found `never`"),
    "whether anything was paid": ("paid: 10\n", "paid: 10\n    compares: whether_paid\n",
        "published.end.paid: whether anything was paid must be 1 or 0; found 10"),
    "a derived metric that may be missing": ("derived: {sum: [saving, school]}",
        "when_missing: 0, derived: {sum: [saving, school]}",
        "metrics.both.when_missing: a derived metric must never be missing by itself"),
    "calendar without dates": ("dates:\n  early: {month: 12}\n  late: {month: 24}\n", "",
        "terms.return.to_irr: `to_irr` must look at the calendar; found a contract without `dates`. Add `dates`"),
    "principal that is repaid to another": ("fee: {amount: 10,", "fee: {amount: 10, repays_principal: true, payee: guarantor,",
        "terms.fee.repays_principal: principal must be repaid to the investor; found paid to `guarantor`"),
}  # fmt: skip


def test_base__is_accepted(tmp_path):
    (tmp_path / "contract.yaml").write_text(BASE)

    assert len(load_contract(tmp_path / "contract.yaml").terms) == 8


@pytest.mark.parametrize("name", PLANTED)
def test_contract__is_refused_with_its_line_and_reason(tmp_path, name):
    check_refusal(tmp_path / "contract.yaml", BASE, PLANTED[name], has_line="dates" not in name and "drawn" not in name)


def test_contract__of_milestones_alone_has_no_metrics(tmp_path: Path) -> None:
    # By hand: three people reached `start` alone, two both: 3 x 1,000 + 2 x (1,000 + 2,000) = 9,000.
    path = tmp_path / "card.yaml"
    path.write_text(
        "title: Card\ncurrency: SEK\ncommitment: 1_000_000\nmetrics: {}\nmilestones: {start: a job, stay: three months in it}\n"
        "terms: {card: {milestones: {start: 1_000, stay: 2_000}}}\n"
    )

    paid = replay(load_contract(path), {"none": 5, "start": 3, "stay": 0, "start+stay": 2}, 0.0)

    assert paid.amount.sum() == 9000


@pytest.mark.parametrize("text", ["{value: 100, source: S1, certainty: Q}", "100", "{amount: 100}"])
def test_number__with_its_source_stands_where_a_term_may(text: str, tmp_path: Path) -> None:
    path = tmp_path / "fee.yaml"
    path.write_text(
        "title: Fee\ncurrency: SEK\ncommitment: 1_000\nmetrics: {m: {meaning: m, unit: SEK}}\nsources: {S1: somewhere}\n"
        f"terms: {{fee: {{share: 1, of: m, cap: {text}}}}}\n"
    )

    assert replay(load_contract(path), {"m": 500.0}, 0.0).amount.sum() == 100
