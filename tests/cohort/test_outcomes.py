"""The kinds of outcome: every kind says all of itself, and a kind that nobody listed is refused."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from simengine.cohort import outcomes as room
from simengine.cohort.outcomes import OUTCOME_KINDS, Outcome, OutcomeKind, behind, in_order, price_lists
from simengine.cohort.outcomes.amount import AmountOutcome
from simengine.cohort.outcomes.base import DECLARED, NamedStates, OutcomeScaleName, OutcomeUnit
from simengine.config import Study, cohort_of
from simengine.config.units import yielded
from simengine.errors import StudyError
from simengine.measurement import OutcomeScale
from simengine.measurement.scales import SCALES
from simengine.pipeline import kinds_of, run_block, simulate

EXAMPLES: dict[str, dict[str, Any]] = {
    "amount": {"per_day": {"home": 1}},
    "count": {"events": "arrest"},
    "days": {"events": "stay"},
    "binary": {"at_month": 12, "probability": {"home": 0.5}},
    "score": {"at_month": 12, "mean": 0, "sd": 1, "correlation": 0.5},
    "reached": {"states": "home"},
    "target": {"outcome": "amount", "at_most": 3},
    "claim": {"prices": {"reached": 10, "target": 20}},
}


def examples() -> dict[str, OutcomeKind]:
    """Make one outcome of every kind, called after it."""
    adapter: TypeAdapter[OutcomeKind] = TypeAdapter(Outcome)
    return {kind: adapter.validate_python({"kind": kind, **keys}) for kind, keys in EXAMPLES.items()}


def word_of(kind: type[OutcomeKind]) -> str:
    return str(get_args(kind.model_fields["kind"].annotation)[0])


def test_list__has_every_kind_of_the_room_once_and_each_has_a_word_of_its_own():
    files = sorted(Path(room.__file__).parent.glob("[a-z]*.py"))
    classes = [value for file in files for value in vars(importlib.import_module(f"{room.__name__}.{file.stem}")).values()]
    found = {one for one in classes if inspect.isclass(one) and issubclass(one, OutcomeKind) and not inspect.isabstract(one)}
    assert found == set(OUTCOME_KINDS)
    assert len(OUTCOME_KINDS) == len({word_of(kind) for kind in OUTCOME_KINDS}) == len({kind.__module__ for kind in OUTCOME_KINDS})
    assert [word_of(kind) for kind in OUTCOME_KINDS] == list(EXAMPLES)


@pytest.mark.parametrize("kind", OUTCOME_KINDS)
def test_every_kind__declares_every_trait_that_has_no_answer_of_its_own(kind):
    own = vars(kind)
    assert [trait for trait in DECLARED if trait not in own] == []
    assert sorted(OutcomeKind.__abstractmethods__) == ["named", "span", "without_moments"]
    assert [trait for trait in OutcomeKind.__abstractmethods__ if trait not in own] == []
    # How it is counted: from tables, or from what is counted already.
    assert ("fill" in own) is not ("derive" in own)
    assert ("read_at_month" in own) is (kind.reading == "at_a_month")
    assert ("fill_factors" in own) is ("differs_by" in own)
    assert ("may_rest_on" in own) is ("rests_on_rule" in own)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_kind__answers_every_question(name):
    """A trait is a property or a word of the class: asking for it needs nothing and never fails."""
    outcome = examples()[name]
    traits = [trait for trait, value in vars(OutcomeKind).items() if isinstance(value, property)]
    answers = {trait: getattr(outcome, trait) for trait in (*DECLARED, *traits)}
    assert answers["adds_up"] is (outcome.reading == "over_time")
    assert bool(answers["rests_on"]) is (name in ("target", "claim"))
    assert (answers["read_at_month"] == 12) is (name in ("binary", "score"))
    low, high = outcome.span(12)
    assert low <= high


def test_trait__that_is_left_open_is_refused_when_the_kind_is_made():
    with pytest.raises(TypeError, match=r"the kind Forgetful must declare `has_zero`, one of \(True, False\); found 'nothing'"):

        class Forgetful(OutcomeKind):
            scale: ClassVar[OutcomeScaleName] = "amount"
            unit: ClassVar[OutcomeUnit] = "days"
            reading: ClassVar[Any] = "over_time"

    with pytest.raises(TypeError, match="the kind Wrong must declare `scale`, one of"):

        class Wrong(OutcomeKind):
            scale: ClassVar[Any] = "length"


def test_kind__without_an_answer_cannot_be_used():
    class Silent(OutcomeKind):
        scale: ClassVar[OutcomeScaleName] = "amount"
        unit: ClassVar[OutcomeUnit] = "days"
        reading: ClassVar[Any] = "over_time"
        has_zero: ClassVar[bool] = True
        is_known_before_entry: ClassVar[bool] = True
        can_be_recounted: ClassVar[bool] = True
        kind: Literal["silent"] = "silent"

        @property
        def named(self) -> NamedStates:
            return NamedStates()

    with pytest.raises(TypeError, match="abstract"):
        Silent()


class Stranger(AmountOutcome):
    """A kind that nobody listed."""

    kind: Literal["stranger"] = "stranger"  # type: ignore[assignment]


def with_a_stranger(study: Study) -> Study:
    name = next(iter(study.outcomes))
    return study.model_copy(update={"outcomes": {**study.outcomes, name: Stranger(per_day={"home": 1})}})


@pytest.mark.parametrize(
    "ask",
    [kinds_of, cohort_of, lambda study: simulate(study, 1, np.arange(2)), lambda study: run_block(study, 1, np.arange(2))],
    ids=["kinds_of", "cohort_of", "simulate", "run_block"],
)
def test_unlisted_kind__is_an_error(ask, tiny):
    study = with_a_stranger(tiny)
    message = (
        r"outcomes\.\w+: an outcome must be of a kind that is listed in cohort\.outcomes: AmountOutcome, .*Claim; found Stranger"
    )
    with pytest.raises(StudyError, match=message):
        ask(study)


def test_unlisted_kind__is_an_error_whatever_it_is(tiny):
    with pytest.raises(StudyError, match="found dict"):
        kinds_of(tiny.model_copy(update={"outcomes": {"odd": {"kind": "amount"}}}))


def test_scales__are_the_evaluators():
    assert get_args(OutcomeScaleName) == get_args(OutcomeScale) == tuple(SCALES)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_units__are_known_of_every_kind(name, tiny):
    metric = next(iter(tiny.measurement.metrics.values())).model_copy(update={"estimate": "total_difference"})
    assert yielded(tiny, metric, examples()[name]).bases
    assert {kind.unit for kind in OUTCOME_KINDS} == set(get_args(OutcomeUnit))


def test_order__puts_each_outcome_after_those_on_which_it_rests():
    given = examples()
    for names in (list(given), list(given)[::-1]):
        order = in_order({name: given[name] for name in names})
        assert sorted(order) == sorted(given)
        assert order.index("amount") < order.index("target") < order.index("claim")
        assert order.index("reached") < order.index("claim")
    assert behind(given, "claim") == ["claim", "reached", "target", "amount"]


def test_price_list__prices_each_combination_up_to_the_cap():
    """Source: by hand: 10 for the first milestone (bit 0), 20 for the second, 25 at most."""
    prices = price_lists(examples())["claim"]
    assert prices.by_combination().tolist() == [0, 10, 20, 30]
    capped = TypeAdapter(Outcome).validate_python({"kind": "claim", "prices": {"a": 10, "b": 20}, "cap_per_person": 25})
    assert capped.price_list.by_combination().tolist() == [0, 10, 20, 25]


@pytest.mark.parametrize(
    ("prices", "span"),
    [
        ({"per_day": {"a": 2}}, (0, 2 * 12 * 365.25 / 12)),
        ({"per_move": {"a -> b": 5}}, (0, np.inf)),
        ({"per_move": {"a -> b": -5}}, (-np.inf, 0)),
        ({"per_move_by_stratum": {"a -> b": {"young": 5, "old": -5}}}, (-np.inf, np.inf)),
        ({"per_day": {"a": 2}, "per_move": {"a -> b": -5}}, (-np.inf, 2 * 12 * 365.25 / 12)),
        ({"per_event": {"arrest": 1}}, (0, np.inf)),
    ],
)
def test_amount__has_no_end_where_moves_or_events_are_priced(prices, span):
    """Source: by hand: a move may be made any number of times, at a price that may be negative."""
    amount = TypeAdapter(Outcome).validate_python({"kind": "amount", **prices})
    assert amount.span(12) == pytest.approx(span)
