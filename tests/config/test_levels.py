"""Levels that a metric cannot reach are refused; bounds by hand from the definitions of the estimates."""

from __future__ import annotations

from pathlib import Path

import pytest

from simengine.config import load_study
from simengine.config.reach import reach_of
from simengine.errors import StudyError

EVENT = "events={fall: {rates: {home: {rate_per_year: 1}}, length: {kind: lognormal, mean_days: 5, sd_days: 3}}}"
NO_DRIFT = "measurement.metrics.saving.drift_per_year=0"
SCHOOL, UNIT = "measurement.metrics.school", "contract.metrics.school.unit"
DAYS = 365.25
"""In a window of 12 months."""


def with_outcome(outcome: str, estimate: str, better: str, unit: str) -> list[str]:
    """Changes of the smallest study after which the metric `school` measures another outcome."""
    return [
        EVENT,
        "outcomes={placement_cost_sek: {kind: amount, per_day: {placed: 3_000}}, school_qualified: {kind: binary, at_month: 12, "
        f"probability: {{home: 0.6, placed: 0.4}}}}, other: {outcome}}}",
        f"{SCHOOL}={{outcome: other, window_months: 12, estimate: {estimate}, better: {better}}}",
        f"contract.metrics.school.unit={unit}",
    ]


FALLS = "{kind: days, events: fall}"
PLACED = "{kind: amount, per_day: {placed: 1}}"
CARD = "measurement.rate_card={deadweight: 0.2, double_claims: 0.1}"
# By hand, for 12 people and a window of 12 months, compared with 12 earlier people.
REACH = {
    "a difference of shares": ([], (-1, 1)),
    "a difference of shares per 100": ([f"{SCHOOL}.estimate=per_100_difference", f"{UNIT}=per 100"], (-100, 100)),
    "a number of people": ([f"{SCHOOL}.estimate=total_difference", "contract.metrics.school.unit=people"], (-12, 12)),
    "a relative reduction": (with_outcome(FALLS, "relative_reduction", "lower", "share"), (float("-inf"), 1)),
    "a relative increase": (with_outcome(FALLS, "relative_reduction", "higher", "share"), (-1, float("inf"))),
    "days of spells": (with_outcome(FALLS, "rate_difference", "lower", "days"), (-DAYS, DAYS)),
    "days of spells of all": (with_outcome(FALLS, "total_difference", "lower", "days"), (-12 * DAYS, 12 * DAYS)),
    "days in a state": (with_outcome(PLACED, "total_difference", "higher", "days"), (-12 * DAYS, 12 * DAYS)),
    "spells": (with_outcome("{kind: count, events: fall}", "rate_difference", "lower", "number"), (float("-inf"), float("inf"))),
    "a score": (
        with_outcome("{kind: score, at_month: 12, mean: 0, sd: 1, correlation: 0}", "rate_difference", "higher", "points"),
        (float("-inf"), float("inf")),
    ),
    "an estimate drawn to a value": ([f"{SCHOOL}.shrinkage={{prior: 1.5, credibility: 0.5}}"], (-1, 1.5)),
    "what counts where it is missing": (["contract.metrics.school.when_missing=-2"], (-2, 1)),
    "a share that is lost with a gap": ([f"{SCHOOL}.attrition={{share: 0.1, gap: 0.2}}"], (float("-inf"), float("inf"))),
    "a count of what is claimed": ([CARD, "measurement.design=rate_card"], (0, 1.1)),
}  # fmt: skip


@pytest.mark.parametrize("name", REACH)
def test_reach__is_that_of_the_estimate(name: str, tiny_path: Path) -> None:
    changes, expected = REACH[name]
    if "rate_card" in str(changes):
        changes = [*changes, "measurement.metrics.saving.better=higher"]

    study = load_study(tiny_path, changes)

    assert reach_of(study, "school") == pytest.approx(expected)


def test_reach__of_money_is_every_day_in_the_dearest_state_and_moves_with_the_drift(tiny_path: Path) -> None:
    still = load_study(tiny_path, [NO_DRIFT])
    drifting = load_study(tiny_path, ["measurement.metrics.saving.drift_per_year={distribution: uniform, low: -0.1, high: 0.3}"])

    # By hand: 12 people x 3,000 x 365.25 days; a drift of -0.1 for two years makes those of the earlier people exp(0.2) times it.
    assert reach_of(still, "saving") == pytest.approx((-13_149_000, 13_149_000))
    assert reach_of(drifting, "saving") == pytest.approx((-13_149_000, 13_149_000 * 1.2214027581601699))


WAVES = "population.waves={one: {size: 4, enrolment_months: 6}, two: {size: {distribution: uniform, low: 4, high: 9}, enrolment_months: 6}}"


def test_reach__of_waves_is_that_of_their_people(tiny_path: Path) -> None:
    study = load_study(tiny_path, [WAVES, f"{SCHOOL}.estimate=total_difference", "contract.metrics.school.unit=people"])

    assert [reach_of(study, "school", waves)[1] for waves in (None, ["one"], ["two"])] == pytest.approx([13, 4, 9])


PEOPLE = [WAVES, f"{SCHOOL}.estimate=total_difference", "contract.metrics.school.unit=people"]
RELATIVE = with_outcome(FALLS, "relative_reduction", "lower", "share")
BONUS = "contract.terms.upside"
MIX = [
    "contract.metrics={saving: {meaning: x, unit: SEK}, school: {meaning: x, unit: share}, "
    "mix: {meaning: x, unit: share, derived: {sum: [{share: 0.5, of: school}, 1]}}}"
]
OUT_OF_REACH = {
    "a gate on a relative reduction": (RELATIVE, "{amount: 5, only_if: {school: {at_least: 10}}}",
        "only_if.school.at_least: a level must be one that `school` can reach, 1 at most; found 10"),
    "a gate on a share": ([], "{amount: 5, only_if: {school: {above: 1.2}}}",
        "only_if.school.above: a level must be one that `school` can reach, -1 to 1; found 1.2"),
    "a gate that is always open": ([], "{amount: 5, only_if: {school: {below: 30}}}",
        "only_if.school.below: a level must be one that `school` can reach, -1 to 1; found 30"),
    "a gate on a term inside": ([], "{sum: [1, {amount: 5, only_if: {school: {at_least: 10}}}]}",
        "sum.1.only_if.school.at_least: a level must be one that `school` can reach, -1 to 1; found 10"),
    "a gate on all people": (PEOPLE, "{amount: 5, only_if: {school: {at_least: 14}}}",
        "only_if.school.at_least: a level must be one that `school` can reach, -13 to 13; found 14"),
    "a gate on a derived metric": (MIX,
        "{amount: 5, only_if: {mix: {above: 2}}}",
        "only_if.mix.above: a level must be one that `mix` can reach, 0.5 to 1.5; found 2"),
    "a band": ([], "{steps: [{at_least: 10, pays: 9}, {at_least: 0.05, pays: 5}], of: school}",
        "steps.0.at_least: a level must be one that `school` can reach, -1 to 1; found 10"),
    "a point of a line": ([], "{line: [{at: 0, pays: 0}, {at: 10, pays: 9}], of: school}",
        "line.1.at: a level must be one that `school` can reach, -1 to 1; found 10"),
    "a target": ([], "{target: 10, of: school, full: 9}",
        "target: a level must be one that `school` can reach, -1 to 1; found 10"),
    "a level from which a target pays": ([], "{target: 0.5, of: school, full: 9, pays_from: 5}",
        "pays_from: a level must be one that `school` can reach, -1 to 1; found 5"),
    "a tranche": (PEOPLE, "{prices: [{beyond: 0, price: 5}, {beyond: 20, price: 4}], per: school}",
        "prices.1.beyond: a level must be one that `school` can reach, -13 to 13; found 20"),
    "a table of a term": ([], "{steps: [{at_least: 10, pays: 9}], of: {share: 2, of: school, cap: 1}}",
        "steps.0.at_least: a level must be one that `terms.upside.of` can reach, -2 to 1; found 10"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_level_out_of_reach__is_refused(name: str, tiny_path: Path) -> None:
    changes, term, expected = OUT_OF_REACH[name]

    with pytest.raises(StudyError) as refusal:
        load_study(tiny_path, [*changes, f"{BONUS}={term}"])

    assert [str(problem).partition(f"{BONUS}.")[2].partition(". Check")[0] for problem in refusal.value.problems] == [expected]


WITHIN_REACH = [
    ([], "{amount: 5, only_if: {school: {at_least: 1}}}"),
    ([], "{steps: [{at_least: 0.05, below: 2, pays: 9}, {at_least: -9, pays: 1}], of: school}"),
    ([], "{line: [{at: -1, pays: 0}, {at: 1, pays: 9}], of: school}"),
    ([], "{price: 100, per: school, up_to: 500}"),
    ([], "{amount: 5, only_if: {drawn: {at_least: 1_000_000}}}"),
    (PEOPLE, "{amount: 5, only_if: {school: {at_least: 13}}}"),
    (RELATIVE, "{amount: 5, only_if: {school: {above: -30}}}"),
]


@pytest.mark.parametrize(("changes", "term"), WITHIN_REACH)
def test_level_within_reach__is_accepted(changes: list[str], term: str, tiny_path: Path) -> None:
    load_study(tiny_path, [*changes, f"{BONUS}={term}"])


def test_level__is_compared_with_the_people_of_the_waves_that_it_is_settled_on(tiny_path: Path) -> None:
    # By hand: 4 and 9 people, 13 in all.
    waves = [*PEOPLE, "contract.waves={one: x, two: x}"]
    gate = "{{per_wave: {{amount: 5, only_if: {{school: {{at_least: {level}}}}}}}, waves: [{wave}], cumulative: {together}}}"
    for level, wave, together, is_refused in (
        (5, "one", "false", True),
        (5, "two", "false", False),
        (10, "two", "false", True),
        (10, "two", "true", False),
        (14, "two", "true", True),
    ):
        change = f"{BONUS}={gate.format(level=level, wave=wave, together=together)}"
        if is_refused:
            with pytest.raises(
                StudyError, match=r"per_wave\.only_if\.school\.at_least: a level must be one that `school` can reach"
            ):
                load_study(tiny_path, [*waves, change])
        else:
            load_study(tiny_path, [*waves, change])


def test_stop__is_held_to_the_reach_as_well(tiny_path: Path) -> None:
    dated = "contract.dates={end: {month: 20}}"
    stop = "contract.stops={halt: {at: end, only_if: {school: {below: -10}}, by: [investor]}}"

    with pytest.raises(StudyError, match=r"contract\.stops\.halt\.only_if\.school\.below: a level must be one that `school` can"):
        load_study(tiny_path, [dated, "capital.payment_month={}", stop])
