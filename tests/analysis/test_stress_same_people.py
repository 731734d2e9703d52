"""Whom a stress does not touch need not live again: the money is that of people who did."""

from __future__ import annotations

import numpy as np
import pytest

from simengine import find_study, load_study
from simengine.config import cohort_of
from simengine.pipeline import draw_numbers
from simengine.questions.stress import answer
from simengine.questions.stress.answer import Stress, settle_under
from simengine.replications.ensemble import lived, with_used_designs_alone

REPLICATIONS = np.arange(12)


@pytest.mark.parametrize(
    ("stress", "lives"),
    [
        (Stress("none"), 0),
        (Stress("late", delay_months=6), 0),
        (Stress("drift", shift={"measurement.metrics.saving.drift_per_year": 1.0}), 0),
        (Stress("costs", change={"capital.drawn_share": lambda drawn: drawn * 0.9}), 0),
        (Stress("weaker", strength=0.5), 1),
        (Stress("slower", change={"effect.sooner_home.ramp_months": lambda drawn: 2 * drawn}), 1),
        (Stress("fewer", constants={"population.waves.all.size": 30.0}), 1),
    ],
    ids=lambda one: one.words if isinstance(one, Stress) else "",
)
def test_money__is_that_of_people_who_live_again(stress: Stress, lives: int, monkeypatch: pytest.MonkeyPatch) -> None:
    study = with_used_designs_alone(load_study(find_study("norrkoping")))
    draws = draw_numbers(study, 3, REPLICATIONS)
    unstressed = draws, lived(cohort_of(study), draws)
    slow, count = settle_under(study, stress, 3, REPLICATIONS), []
    for name in ("lived", "lived_again"):
        real = getattr(answer, name)
        monkeypatch.setattr(answer, name, lambda *given, real=real: (count.append(1), real(*given))[1])
    fast = settle_under(study, stress, 3, REPLICATIONS, (), unstressed)
    assert len(count) == lives
    assert fast.keys() == slow.keys()
    assert all(np.array_equal(fast[name], slow[name], equal_nan=True) for name in slow)
