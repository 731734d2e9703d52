"""The contract check: each rule on a contract with one planted flaw, and silence on one without any."""

import pytest

from simengine.config import find_study, load_contract, load_contract_document
from simengine.report.lint import lint_contract
from simengine.report.words import LINT

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

FLAWS = {
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
    "nobody_measures": ("unit: share, evaluator: a university,", "unit: share,", "metrics.school"),
    "nobody_pays": ("dates:\n", "  idle: {meaning: nothing, unit: share, evaluator: a university, when_missing: 0}\ndates:\n",
        "metrics.idle"),
}  # fmt: skip
BOUNDED_BY_TOTAL = {"unbounded"}


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
    assert text.count(old) == 1

    assert (rule, key) in findings_of(write(tmp_path, text.replace(old, new)))


def test_every_rule__has_a_flaw_that_it_finds():
    assert {name.partition(" ")[0] for name in FLAWS} == LINT.keys()


def test_newpin__has_a_table_that_is_not_monotone():
    # Source: the printed table: 5 % at least below, and 3 % from 55 % on.
    contract, place_of = load_contract_document(find_study("norrkoping").parent / "contracts" / "newpin_nsw.yaml")

    (finding,) = [finding for finding in lint_contract(contract) if finding.rule == "not_monotone"]

    assert finding.found == "the payment falls from 0.05 to 0.03 where the metric reaches 0.55, though it rises elsewhere"
    assert place_of(finding.key).rpartition(":")[2].isdigit()


def test_findings__say_why_and_what_instead(tmp_path):
    for finding in lint_contract(load_contract(write(tmp_path, SOUND.replace("floor: 0, cap", "cap")))):
        assert finding.why
        assert finding.suggestion
        assert "{" not in finding.found
