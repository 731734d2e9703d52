"""The contract check: each rule on a contract with one planted flaw, and silence on one without any."""

import pytest

from simengine.config import find_study, load_contract, load_contract_document, load_study
from simengine.config.reach import reaches_of
from simengine.contract_text.lint import lint_contract
from simengine.contract_text.words import LINT

SOUND = """\
title: A test
currency: SEK
commitment: 1_000_000
metrics:
  saving: {meaning: a saving, unit: SEK, evaluator: a university, when_missing: 0}
  school: {meaning: a difference, unit: share, evaluator: a university, when_missing: 0}
dates:
  early: {month: 12}
  late: {month: 24}
terms:
  fee: {amount: 100_000, contingent: false, at: [early]}
  shared: {share: 0.5, of: saving, floor: 0, cap: 500_000, at: [late]}
  table:
    steps:
      - {at_least: 0.2, pays: 40_000}
      - {at_least: 0.1, below: 0.2, pays: 20_000}
      - {at_least: 0, below: 0.1, pays: 0}
    of: school
    at: [late]
  curve: {line: [{at: 0, pays: 0}, {at: 0.5, pays: 200_000}], of: school, at: [late]}
total_cap: 900_000
"""

CARD = "people: {milestones: {entry: 400, job: 500}, cap: 9_000, at: [late]}\n"
FLAWS = {
    "large_share": ("shared: {share: 0.5,", "shared: {share: 60,", "terms.shared.share"),
    "small_commitment": ("commitment: 1_000_000", "commitment: 6.000", "commitment"),
    "currency_in_letters": ("saving: {meaning: a saving, unit: SEK", "saving: {meaning: a saving, unit: kr", "metrics.saving.unit"),
    "not_monotone": ("{at_least: 0, below: 0.1, pays: 0}", "{at_least: 0, below: 0.1, pays: 30_000}", "terms.table.steps"),
    "not_monotone in a line": ("{at: 0.5, pays: 200_000}]", "{at: 0.5, pays: 200_000}, {at: 0.6, pays: 180_000}]",
        "terms.curve.line"),
    "gap": ("{at_least: 0.1, below: 0.2, pays", "{at_least: 0.1, below: 0.15, pays", "terms.table.steps"),
    "gap at a point": ("{at_least: 0.1, below: 0.2, pays", "{above: 0.1, below: 0.2, pays", "terms.table.steps"),
    "overlap": ("{at_least: 0, below: 0.1, pays", "{at_least: 0, below: 0.15, pays", "terms.table.steps.2"),
    "tie": ("{at_least: 0, below: 0.1, pays", "{at_least: 0, at_most: 0.1, pays", "terms.table.steps.2"),
    "tie of gates": ("  curve: {", "  low: {amount: 9, only_if: {school: {at_most: 0.3}}, at: [late]}\n"
        "  high: {amount: 8, only_if: {school: {at_least: 0.3}}, at: [late]}\n  curve: {", "terms.low.only_if.school.at_most"),
    "hole": ("  curve: {", "  low: {amount: 9, only_if: {school: {below: 0.3}}, at: [late]}\n"
        "  high: {amount: 8, only_if: {school: {above: 0.3}}, at: [late]}\n  curve: {", "terms.low.only_if.school.below"),
    "never_reached": ("- {at_least: 0.2, pays: 40_000}", "- {at_least: 0.1, pays: 40_000}", "terms.table.steps.1"),
    "unbounded": ("floor: 0, cap: 500_000,", "floor: 0,", "terms.shared"),
    "owed_back": ("floor: 0, cap: 500_000,", "cap: 500_000,", "terms.shared"),
    "cliff": ("{at_least: 0.2, pays: 40_000}", "{at_least: 0.2, pays: 80_000}", "terms.table.steps.0.at_least"),
    "cliff at a gate": ("cap: 500_000, at", "cap: 500_000, only_if: {school: {above: 0}}, at", "terms.shared.only_if.school.above"),
    "never_binds": ("{at: 0.5, pays: 200_000}], of: school,", "{at: 0.5, pays: 200_000}], of: school, cap: 300_000,",
        "terms.curve.cap"),
    "never_binds inside": ("shared: {share: 0.5, of: saving,", "shared: {share: 0.5, of: {greatest: [saving, 5], floor: 3},",
        "terms.shared.of.floor"),
    "never_pays": ("share: 0.5, of: saving, floor: 0,", "share: 0.5, of: saving, floor: 0, only_if: {fee: {above: 5}},",
        "terms.shared.only_if"),
    "missing_data": ("unit: share, evaluator: a university, when_missing: 0}", "unit: share, evaluator: a university}",
        "metrics.school"),
    "cap_below_guarantee": ("total_cap: 900_000", "total_cap: 90_000", "total_cap"),
    "cap_below_guarantee inside": ("  curve: {",
        "  pot: {sum: [50_000, {share: 0.1, of: saving, floor: 0, cap: 9_000}], cap: 40_000, at: [late]}\n  curve: {",
        "terms.pot.cap"),
    "out_of_reach": ("{at_least: 0.2, pays: 40_000}", "{at_least: 20, pays: 40_000}", "terms.table.steps.0.at_least"),
    "out_of_reach in a gate": ("floor: 0, cap: 500_000,", "floor: 0, cap: 500_000, only_if: {school: {above: -2}},",
        "terms.shared.only_if.school.above"),
    "pays_again": ("cap: 500_000, at: [late]}", "cap: 500_000}", "terms.shared"),
    "unpriced": ("dates:\n", "milestones: {entry: starts, job: works}\ndates:\n", "milestones.job"),
    "priced_twice": ("  curve: {", f"  {CARD}  more: {{milestones: {{job: 500}}, cap: 9_000, at: [late]}}\n  curve: {{",
        "terms.more.milestones.job"),
    "unused party": ("dates:\n", "parties: {bank: a bank}\ndates:\n", "parties.bank"),
    "unused wave": ("dates:\n", "waves: {first: x, second: x}\ndates:\n", "waves.second"),
    "unused date": ("  late: {month: 24}\n", "  late: {month: 24}\n  last: {month: 36}\n", "dates.last"),
    "unused derived metric": ("dates:\n",
        "  both: {meaning: x, unit: SEK, derived: {sum: [saving]}}\ndates:\n", "metrics.both"),
    "unbounded with two together": ("{share: 0.5, of: saving, floor: 0, cap: 500_000, at: [late]}",
        "{least: [{share: 0.5, of: saving}, {share: 2, of: other}], floor: 0, at: [late]}", "terms.shared"),
    "nobody_measures": ("unit: share, evaluator: a university,", "unit: share,", "metrics.school"),
    "nobody_pays": ("dates:\n", "  idle: {meaning: nothing, unit: share, evaluator: a university, when_missing: 0}\ndates:\n",
        "metrics.idle"),
}  # fmt: skip
BOUNDED_BY_TOTAL = {"unbounded"}
NEEDS_MILESTONES = {"priced_twice"}
OTHER = "  other: {meaning: x, unit: SEK, evaluator: x, when_missing: 0}\n"


def write(tmp_path, text):
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    return path


def findings_of(path):
    return {(finding.rule, finding.key) for finding in lint_contract(load_contract(path))}


def test_sound_contract__has_no_finding(tmp_path):
    assert findings_of(write(tmp_path, SOUND)) == set()


@pytest.mark.parametrize("name", FLAWS)
def test_flaw__is_found_where_it_stands(tmp_path, name):
    old, new, key = FLAWS[name]
    rule = name.partition(" ")[0]
    text = SOUND.replace("total_cap: 900_000\n", "") if rule in BOUNDED_BY_TOTAL else SOUND
    text = text.replace("dates:\n", "milestones: {entry: starts, job: works}\ndates:\n") if rule in NEEDS_MILESTONES else text
    text = text.replace("dates:\n", f"{OTHER}dates:\n") if "other" in new else text
    assert text.count(old) == 1

    assert (rule, key) in findings_of(write(tmp_path, text.replace(old, new)))


SOUND_CARD = """\
title: A card
currency: GBP
commitment: 1_000_000
dates: {quarter: {every_months: 3, until_month: 24}}
groups: {young: under 25, old: others}
outcomes:
  started: {meaning: has begun, evaluator: x}
  job: {meaning: has work, evaluator: x, validated_after_months: 1}
  lost: {meaning: has lost it, evaluator: x}
terms:
  card:
    rate_card:
      started: {price: 100, by_group: {old: 120}}
      job: {price: 1_000, needs: started, lost_by: {outcome: lost, share_owed_back: 0.5}}
    cap_per_person: 2_000
    cap_in_all: 90_000
"""
CARD_FLAWS = {
    "unpriced_outcome": ("terms:\n", "  spare: {meaning: nothing, evaluator: x}\nterms:\n", "outcomes.spare"),
    "outcome_priced_twice": (
        "terms:\n",
        "terms:\n  other: {rate_card: {job: {price: 5}}, cap_in_all: 50}\n",
        "terms.card.rate_card.job",
    ),
    "card_unbounded": ("    cap_in_all: 90_000\n", "", "terms.card"),
    "cap_below_price": ("cap_per_person: 2_000", "cap_per_person: 900", "terms.card.cap_per_person"),
    "cap_below_price of an outcome": ("share_owed_back: 0.5}}", "share_owed_back: 0.5}, cap: 900}", "terms.card.rate_card.job.cap"),
    "never_validated": ("validated_after_months: 1", "validated_after_months: 24", "terms.card.rate_card.job"),
    "needs_its_loss": ("needs: started", "needs: [started, lost]", "terms.card.rate_card.job.needs"),
    "price_of_nothing": ("price: 1_000", "price: 0", "terms.card.rate_card.job"),
    "unused group": (", by_group: {old: 120}", "", "groups.young"),
}


def test_sound_card__is_found_sound(tmp_path):
    assert findings_of(write(tmp_path, SOUND_CARD)) == set()


@pytest.mark.parametrize("name", CARD_FLAWS)
def test_flaw_of_a_card__is_found_where_it_stands(tmp_path, name):
    old, new, key = CARD_FLAWS[name]
    assert SOUND_CARD.count(old) == 1

    assert (name.partition(" ")[0], key) in findings_of(write(tmp_path, SOUND_CARD.replace(old, new)))


def test_every_rule__has_a_flaw_that_it_finds():
    assert {name.partition(" ")[0] for name in (*FLAWS, *CARD_FLAWS)} == LINT.keys()


def test_newpin__has_a_table_that_is_not_monotone():
    # Source: the printed table: 5 % at least below, and 3 % from 55 % on.
    contract, place_of, _ = load_contract_document(find_study("norrkoping").parent / "contracts" / "newpin_nsw.yaml")

    (finding,) = [finding for finding in lint_contract(contract) if finding.rule == "not_monotone"]

    assert finding.found == "the payment falls from 0.05 to 0.03 where the metric reaches 0.55, though it rises elsewhere"
    assert place_of(finding.key).rpartition(":")[2].isdigit()


def test_findings__say_why_and_what_instead(tmp_path):
    for finding in lint_contract(load_contract(write(tmp_path, SOUND.replace("floor: 0, cap", "cap")))):
        assert finding.why
        assert finding.suggestion
        assert "{" not in finding.found


# ------------------------------------------- what is said is true -------------------------------------------

HEAD = """\
title: A test
currency: SEK
commitment: 1_000_000
metrics:
  saving: {meaning: a saving, unit: SEK, evaluator: x, when_missing: 0}
  placed: {meaning: people who work, unit: persons, evaluator: x, when_missing: 0}
  school: {meaning: a difference, unit: share, evaluator: x, when_missing: 0}
milestones: {entry: starts, job: works}
waves: {first: x, second: x}
dates:
  early: {month: 12}
  late: {month: 24}
terms:
"""
# By hand: contracts of one or two terms, and rules that must find nothing in them.
NOTHING = {
    # Nobody counts fewer than no people, and a card pays no more than nothing for them.
    "owed_back of a rate card": ("t: {milestones: {entry: 400}, at: [late]}", "owed_back"),
    "owed_back of a rate card by wave": ("t: {per_wave: {milestones: {entry: 400}}, waves: [first], at: [late]}", "owed_back"),
    "owed_back of people": ("t: {share: 400, of: placed, at: [late]}", "owed_back"),
    "owed_back of a share": ("t: {share: 400_000, of: school, at: [late]}", "owed_back"),
    "unbounded of a share": ("t: {share: 400_000, of: school, at: [late]}", "unbounded"),
    "unbounded below a cap that is made of another metric":
        ("t: {share: 0.1, of: saving, cap: {share: 5, of: placed, cap: 7_000}, floor: 0, at: [late]}", "unbounded"),
    "unbounded below a high cap": ("t: {share: 1, of: saving, cap: 5_000_000_000_000, floor: 0, at: [late]}", "unbounded"),
    "unbounded of a gate": ("t: {amount: 5, only_if: {saving: {above: 0}}, at: [late]}", "unbounded"),
    "floor that decides nothing in a difference of people": ("t: {share: 400, of: placed, floor: 0, at: [late]}", "never_binds"),
    "floor that decides where less is drawn": ("t: {share: 0.4, of: drawn, floor: 100_000, at: [late]}", "never_binds"),
    "cap that decides where more must be drawn": ("t: {share: 0.4, of: saving, cap: drawn, at: [late]}", "never_binds"),
    "gate that a relative increase opens": ("t: {amount: 5, only_if: {school: {above: 0.9}}, at: [late]}", "never_pays"),
    "gate on two metrics": (
        "t: {amount: 5, only_if: {school: {above: 0.1, below: 0.2}, saving: {above: 7, below: 8}}, at: [late]}", "never_pays"),
    "cap below a part that may be negative":
        ("t: {sum: [50_000, {share: 1, of: saving, floor: -9_000}], cap: 45_000, at: [late]}", "cap_below_guarantee"),
    "tie of two waves": (
        "a: {per_wave: {amount: 5, only_if: {school: {at_least: 0.1}}}, waves: [first], at: [late]}\n"
        "  b: {per_wave: {amount: 5, only_if: {school: {at_most: 0.1}}}, waves: [second], at: [late]}", "tie"),
    "tie of two dates": ("a: {amount: 5, only_if: {school: {at_least: 0.1}}, at: [early]}\n"
        "  b: {amount: 5, only_if: {school: {at_most: 0.1}}, at: [late]}", "tie"),
    "overlap of rows that pay the same": (
        "t: {steps: [{at_least: 0, below: 0.2, pays: 9}, {at_least: 0.1, below: 0.3, pays: 9}], of: school, at: [late]}",
        "overlap"),
    "table whose floor lifts the rows that fall": (
        "t: {steps: [{at_least: 0.3, pays: 5}, {at_least: 0.2, pays: 3}, {at_least: 0.1, pays: 5}], of: school, floor: 5, "
        "cap: 5, at: [late]}", "not_monotone"),
    "cliff beyond all shares": ("t: {share: 1, of: drawn, only_if: {school: {below: 30}}, at: [late]}", "cliff"),
    "level of a multiple": ("t: {amount: 5, only_if: {saving: {above: 30}}, at: [late]}", "out_of_reach"),
    "fixed sum on every date": ("t: {amount: 5}", "pays_again"),
    "interest on every date": ("t: {coupon: {steps: [{above: 0.1, pays: 0.05}], of: school}, of: outstanding}", "pays_again"),
    "what is still lacking on every date": ("t: {share: 1, of: saving, above: returned, floor: 0}", "pays_again"),
    "milestone that is a condition": ("t: {milestones: {job: 400}, in_order: true, at: [late]}", "unpriced"),
    "milestone of another wave": ("a: {per_wave: {milestones: {entry: 4, job: 5}}, waves: [first], at: [late]}\n"
        "  b: {per_wave: {milestones: {entry: 3, job: 5}}, waves: [second], at: [late]}", "priced_twice"),
    "milestone that a true-up has paid for": (
        "a: {milestones: {entry: 4, job: 5}, at: [early]}\n"
        "  b: {true_up: {milestones: {entry: 4, job: 5}}, against: [a], at: [late]}", "priced_twice"),
    "first of two cards": (
        "a: {first_of: [{milestones: {entry: 4}, only_if: {school: {above: 0}}}, {milestones: {entry: 3}}], at: [late]}",
        "priced_twice"),
    "waves of a card by wave": ("t: {per_wave: {milestones: {entry: 400}}, at: [late]}", "unused"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_rule__is_silent_where_it_would_be_wrong(tmp_path, name):
    terms, rule = NOTHING[name]
    first = "  t0: {share: 0.1, of: saving, floor: 0, cap: 10, at: [early]}\n" if "t0" in terms else ""
    found = findings_of(write(tmp_path, HEAD + first + f"  {terms}\n"))

    parts = ("terms.", "milestones.", "total_cap") if rule != "unused" else ("waves.",)
    assert [key for one, key in found if one == rule and key.startswith(parts)] == []


def test_term_below_a_cap_of_another_metric__grows_with_both_together_alone(tmp_path):
    # By hand: min(0.1 saving, 5 placed) stays below 5 placed however large the saving is, and the other way round.
    term = "  t: {share: 0.1, of: saving, cap: {share: 5, of: placed}, floor: 0, at: [late]}\n"
    findings = lint_contract(load_contract(write(tmp_path, HEAD + term)))

    said = [finding.found for finding in findings if finding.rule == "unbounded"]
    assert said == ["`t` grows without limit with saving and placed"]


ADVICE = {
    "a share of a saving": "t: {share: 0.5, of: saving, cap: 5_000, at: [late]}",
    "a saving above the money drawn": "t: {share: 0.5, of: saving, above: drawn, at: [late]}",
    "a difference of two metrics": "t: {share: 0.5, of: saving, above: {share: 30, of: placed}, at: [late]}",
    "a true-up with claw-back": "t: {true_up: {share: 0.5, of: saving}, against: [t0], claw_back: true, at: [late]}",
    "what is lacking to a return": "t: {share: 1, of: {to_irr: 0.05}, above: saving, at: [late]}",
}


@pytest.mark.parametrize("name", ADVICE)
def test_floor_that_was_advised__decides_something(tmp_path, name):
    first = "  t0: {share: 0.1, of: saving, floor: 0, cap: 10, at: [early]}\n"
    before = findings_of(write(tmp_path, HEAD + first + f"  {ADVICE[name]}\n"))
    after = findings_of(write(tmp_path, HEAD + first + f"  {ADVICE[name].replace(', at: [late]', ', floor: 0, at: [late]')}\n"))

    assert ("owed_back", "terms.t") in before
    assert ("owed_back", "terms.t") not in after
    assert ("never_binds", "terms.t.floor") not in after


def test_study__says_whether_people_can_be_fewer_than_before(tmp_path, tiny_path):
    """By hand: the difference of two groups of people may be negative, a count of those who passed may not."""
    changes = ["measurement.metrics.school.estimate=total_difference", "contract.metrics.school.unit=people"]
    changes += ["contract.terms.upside={share: 100, of: school}"]
    compared = load_study(tiny_path, changes)
    card = "measurement.rate_card={deadweight: 0}"
    counted = load_study(tiny_path, [*changes, card, "measurement.metrics.saving.better=higher", "measurement.design=rate_card"])

    for study, is_found in ((compared, True), (counted, False)):
        found = {(finding.rule, finding.key) for finding in lint_contract(study.contract, reaches_of(study))}
        assert (("owed_back", "terms.upside") in found) == is_found


def test_unit__that_is_empty_is_a_unit_of_its_own(tmp_path):
    # Nothing is read into it: a share of it is not one of money, and the check ends.
    text = SOUND.replace("saving: {meaning: a saving, unit: SEK", 'saving: {meaning: a saving, unit: ""')
    assert text != SOUND

    found = findings_of(write(tmp_path, text.replace("shared: {share: 0.5,", "shared: {share: 60,")))

    assert not {"large_share", "currency_in_letters"} & {rule for rule, _ in found}
