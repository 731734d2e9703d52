"""Timing of outcomes, and consistency rules between values and outcomes.

Each rule is a generator of findings `(path, rule, found, way out)`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simengine.config.study import Study
from simengine.errors import Finding, one_of
from simengine.records import Draws
from simengine.value import Timing, ValuePrice

_NEEDED = {
    "value_per_unit": "the currency per unit",
    "better": "`lower` or `higher`",
    "cashable_share": "a share from 0 to 1",
}
"""Keys required for the value of an outcome that is not money."""


def timing_of(study: Study, draws: Draws) -> Timing:
    """Return the timing of the outcomes of a study."""
    waves = study.population.waves
    months = [np.floor(draws[f"population.waves.{name}.enrolment_months"]) for name in waves]
    first = tuple(int(wave.from_month.value) for wave in waves.values())
    return Timing(
        horizon_months=int(study.study.horizon_months.value),
        read_after={name: read_after(study, name) for name in study.outcomes},
        first_entry=first,
        middle_of_entry=np.stack([begin + (length - 1) / 2 for begin, length in zip(first, months, strict=True)], axis=1),
    )


def read_after(study: Study, outcome: str) -> int | None:
    """Return the month after entry in which an outcome is read, nothing where it adds up over time.

    What is reached within a window is read when the longest one closes.
    """
    spec = study.outcomes[outcome]
    if spec.adds_up:
        return None
    return _longest_window(study) if spec.read_at_month is None else int(spec.read_at_month)


def value_problems(study: Study) -> Iterator[Finding]:
    """Find all inconsistencies about value."""
    for outcome, by_party in study.public_value.items():
        path = f"public_value.{outcome}"
        if outcome not in study.outcomes:
            yield path, "what is valued must be one of `outcomes`", f"`{outcome}`", one_of(list(study.outcomes))
            continue
        read, longest = read_after(study, outcome), _longest_window(study)
        if read is not None and read > longest:
            rule = f"what is valued must be read within the longest window of a metric, {longest} months"
            yield path, rule, f"month {read} after entry", "Give a metric a longer window, or read the outcome earlier"
        for party, price in by_party.items():
            if party not in study.parties:
                yield f"{path}.{party}", "who gains must be one of `parties`", f"`{party}`", one_of(list(study.parties))
            yield from _price(price, f"{path}.{party}", study.outcomes[outcome].is_amount, read is not None)
            if price.share_after_transfer is not None and (study.population.transfer is None or read is not None):
                rule = "a share of what comes after moving away must be that of an outcome that adds up, where people move away"
                found = "no population.transfer" if study.population.transfer is None else f"`{outcome}`, read once"
                yield f"{path}.{party}.share_after_transfer", rule, found, "Leave it out"


def _price(price: ValuePrice, path: str, is_money: bool, is_read_once: bool) -> Iterator[Finding]:
    for key, wanted in _NEEDED.items():
        if not is_money and getattr(price, key) is None:
            rule = "an outcome that is not an amount of money must say what a unit is worth"
            yield f"{path}.{key}", rule, f"no `{key}`", f"Give {wanted}"
    if price.years is not None and not is_read_once:
        rule = "a stream of years must begin where an outcome is read once"
        yield f"{path}.years", rule, "an outcome that adds up over time to the horizon", "Leave it out"
    if price.drop_off_per_year is not None and is_read_once and price.years is None:
        yield f"{path}.drop_off_per_year", "what drops off must be a stream of years", "a value that arises once", "Give `years`"


def _longest_window(study: Study) -> int:
    windows = [int(metric.window_months.value) for metric in study.measurement.measured.values()]
    return max(windows, default=int(study.study.horizon_months.value))
