"""Rules between the sections about people: each broken once, in a study that uses every section."""

from __future__ import annotations

from pathlib import Path

import pytest

from simengine.config import load_study
from simengine.errors import StudyError
from tests.conftest import CHECKOUT

EVERYTHING = CHECKOUT / "tests" / "cases" / "everything.yaml"

BROKEN = {
    "selection without a history": (
        "population.history_months=0",
        "a selection must look at the months before entry; found no history",
    ),
    "selection on nothing": (
        "population.selection.outcome=nothing",
        "a selection must look at an outcome; found `nothing`. One of: spells",
    ),
    "selection without an edge": (
        "population.selection={outcome: spells}",
        "a selection must have an `at_least`, an `at_most`, or both",
    ),
    "selection from nowhere": (
        "population.selection={outcome: spells, at_least: 3, at_most: 2}",
        "at_least must not be above at_most; found 3 and 2",
    ),
    "selection on what is read later": (
        "outcomes.spells={kind: binary, at_month: 3, probability: {work: 0.5, out: 0.5, gone: 0}}",
        "a selection must look at an outcome that is known at entry; found `spells`, read later",
    ),
    "doses above the whole": (
        "population.engagement.doses={full: {share: 0.7, strength: 1}, part: {share: 0.7, strength: 1}}",
        "population.engagement.doses: shares must add up to 1; found 1.4",
    ),
    "two ways to drop out": (
        "population.engagement.dropout={per_month: 0.1, mean_months: 3}",
        "a pace must be given in exactly one way",
    ),
    "frailty on nothing": (
        "population.frailties.vulnerability.on=[sic]",
        "a factor must multiply moves, events or binary outcomes; found `sic`. One of: work -> out",
    ),
    "frailty on a score": (
        "population.frailties.vulnerability.on=score",
        "a factor must multiply moves, events or binary outcomes",
    ),
    "a name twice": ("population.frailties.vulnerability.on=[sick, sick]", "a name must stand once in a list; found sick, sick"),
    "negative variance": (
        "population.frailties.vulnerability.variance=-1",
        "a size, price, ratio or duration must not be negative",
    ),
    "half a site": ("population.sites.office.count=2.5", "a count must be a whole number; found 2.5"),
    "no sites": ("population.sites.office.count=0", "there must be from 1 to 1000 sites; found 0"),
    "volume planned for nobody": ("population.volume.crowding.planned=0", "a duration or count here must be above 0; found 0"),
    "shock of two kinds": (
        "shocks.years={sd_per_year: 0.1, factor: 2, on: [sick]}",
        "a shock must have either `sd_per_year`, or `factor` with `from_month` and `to_month`",
    ),
    "shock without dates": (
        "shocks.years={factor: 2, on: [sick]}",
        "`from_month` and `to_month` must stand with `factor`, and only there",
    ),
    "shock that ends before it begins": (
        "shocks.pandemic={factor: 2, from_month: 5, to_month: 5, on: [sick]}",
        "from_month must be below to_month; found 5 and 5",
    ),
    "shock after the horizon": (
        "shocks.pandemic={factor: 2, from_month: 48, to_month: 50, on: [sick]}",
        "a shock must begin within the horizon of 48 months; found month 48",
    ),
    "event in an unknown state": (
        "events.sick.rates={home: {rate_per_year: 1}}",
        "a state must be one of pathway.states; found unknown state `home`",
    ),
    "event twice a rate": (
        "events.sick.rates.work={rate_per_year: 1, rate_per_month: 1}",
        "a rate must be given in exactly one way",
    ),
    "event in an unknown stratum": (
        "events.sick.by_stratum={odd: 2}",
        "a factor must belong to a stratum; found `odd`. One of: young, old",
    ),
    "rate that explodes": (
        "events.sick.rates.work={rate_per_day: 30}",
        "an event must happen at most 300 times a month on average; found 913.125",
    ),
    "length of the wrong kind": (
        "events.sick.length={kind: weibull, mean_days: 3, sd_days: 2}",
        "a weibull length must be given by mean_days and weibull_shape; found mean_days, sd_days",
    ),
    "length without a mean": (
        "events.sick.length={kind: gamma, mean_days: 0, sd_days: 1}",
        "a duration or count here must be above 0",
    ),
    "length upside down": (
        "events.sick.length={kind: uniform, low_days: 5, high_days: 3}",
        "low_days must not be above high_days; found 5 and 3",
    ),
    "effect on an unknown event": ("effect.fewer.event=[sick, sock]", "an effect changes an event; found `sock`. One of: sick"),
    "effect in an unknown stratum": (
        "effect.stay.strata=[middle]",
        "an effect must act in strata of the population; found `middle`",
    ),
    "ratio on a score": (
        "effect.better={outcome: score, odds_ratio: 2}",
        "an effect on a score must be a difference; found odds_ratio",
    ),
    "length ratio of a move": (
        "effect.stay={move: work -> out, length_ratio: 0.5}",
        "an effect must be given by `move` with one of hazard_ratio, relative_risk, odds_ratio, difference",
    ),
    "days of what has no length": (
        "events={sick: {rates: {work: {rate_per_year: 1}}}}",
        "days must be counted of an event with a length; found `sick`. Give events.sick.length",
    ),
    "days upside down": ("outcomes.short.from_day=20", "to_day must not be before from_day; found 20 and 14"),
    "price of an unknown event": (
        "outcomes.cost.per_event={sock: 3}",
        "an event must be one of `events`; found `sock`. One of: sick",
    ),
    "amount of nothing": (
        "outcomes.cost={kind: amount}",
        "an amount must have one of per_day, per_event, per_spell_day, per_move, per_move_by_stratum; found none of them",
    ),
    "people who differ twice": (
        "outcomes.cost={kind: amount, per_day: {out: 1}, between_people_sd: 0.1, between_people_half_width: 0.1}",
        "people must differ by `between_people_sd` or by `between_people_half_width`; found both",
    ),
    "correlation above 1": ("outcomes.score.correlation=1.1", "a correlation must lie between -1 and 1; found 1.1"),
    "score read after the horizon": ("outcomes.score.at_month=40", "the outcome must be read within the horizon of 48 months"),
    "coming to an unknown state": (
        "outcomes.out_ever.states=[nowhere]",
        "a state must be one of pathway.states; found unknown state `nowhere`",
    ),
    "target of a claim": (
        "outcomes.healthy.outcome=claim",
        "a target asks for an outcome that is not itself a target or a claim; found `claim`",
    ),
    "target of itself": (
        "outcomes.healthy.outcome=healthy",
        "a target asks for an outcome that is not itself a target or a claim; found `healthy`",
    ),
    "window before a score behind a target": (
        "measurement.metrics.days={outcome: fine, window_months: 6, estimate: rate_difference, better: higher}",
        "a metric must measure an outcome; found `fine`",
    ),
    "target with two edges": ("outcomes.healthy.at_least=3", "a target must have an `at_least` or an `at_most`"),
    "claim for an amount": (
        "outcomes.claim.prices={cost: 3}",
        "a claim pays for outcomes that are yes or no: binary, reached or target; found `cost`. One of: out_ever, healthy",
    ),
    "move that stays": ("pathway.moves={out -> out: {per_month: 0.1}}", "a move must leave its state; found out -> out"),
    "time with two groups": (
        "pathway.time_together={a: [work, out], b: [out, gone]}",
        "a state must count its time with one group, once; found `out`",
    ),
    "time with an unknown state": (
        "pathway.time_together={a: [work, lost]}",
        "a state must be one of pathway.states; found unknown state `lost`",
    ),
    "paces along two axes": (
        "pathway.moves={work -> out: {per_month: 0.1, by_months_in_state: {from_months: [3], per_month: [0.2]}, "
        "by_months_since_entry: {from_months: [3], per_month: [0.2]}}}",
        "the paces out of a state must be replaced by months in the state or by months since entry",
    ),
    "a shape and paces": (
        "pathway.moves.out -> work.by_months_in_state={from_months: [3], per_month: [0.2]}",
        "a move must change with the time in the state in one way; found weibull_shape and per_month",
    ),
    "paces of two periods": (
        "pathway.moves.work -> gone.by_months_since_entry={from_months: [3], per_year: [0.2]}",
        "the probabilities of all moves out of a state must be of one period",
    ),
    "as many months as paces": (
        "pathway.moves.work -> gone.by_months_since_entry={from_months: [3, 4], per_month: [0.2]}",
        "there must be one per_month for every month from which it holds; found 2 months and 1 numbers",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_people__breaks_a_rule_and_says_which(name: str) -> None:
    override, text = BROKEN[name]

    with pytest.raises(StudyError) as caught:
        load_study(EVERYTHING, [override])

    assert text in str(caught.value)
    assert all(problem.key for problem in caught.value.problems)


def test_everything__loads() -> None:
    assert isinstance(EVERYTHING, Path)
    load_study(EVERYTHING)


def test_window__reaches_what_stands_behind_a_target() -> None:
    fine = "outcomes.healthy={kind: target, outcome: score, at_least: 0.5}"
    metric = "measurement.metrics.days={outcome: healthy, window_months: 6, estimate: rate_difference, better: higher}"

    with pytest.raises(
        StudyError, match=r"the window must reach the month at which `score` is read \(12\); found a window of 6 months"
    ):
        load_study(EVERYTHING, [fine, metric])


def test_selection__does_not_rest_on_what_is_read_later() -> None:
    later = "outcomes.spells={kind: binary, at_month: 3, probability: {work: 0.5, out: 0.5, gone: 0}}"
    target = "outcomes.healthy={kind: target, outcome: spells, at_least: 1}"

    with pytest.raises(StudyError, match="known at entry; found `healthy`, read later"):
        load_study(EVERYTHING, [later, target, "population.selection.outcome=healthy"])


@pytest.mark.parametrize(
    ("sensitivity", "specificity"), [(0.4, 0.4), (0, 0), (0.99, 0), ("{distribution: uniform, low: 0, high: 1}", 0.4)]
)
def test_readings__worse_than_a_guess_are_refused(sensitivity: object, specificity: object, tiny_path: Path) -> None:
    wrong = f"measurement.metrics.school.misclassification={{sensitivity: {sensitivity}, specificity: {specificity}}}"

    with pytest.raises(StudyError, match="sensitivity and specificity must add up to at least 1: below it a reading is wrong"):
        load_study(tiny_path, [wrong])


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.5, 0.5), (1, 0), (0.9, 0.95)])
def test_readings__no_worse_than_a_guess_are_taken(sensitivity: float, specificity: float, tiny_path: Path) -> None:
    load_study(
        tiny_path, [f"measurement.metrics.school.misclassification={{sensitivity: {sensitivity}, specificity: {specificity}}}"]
    )
