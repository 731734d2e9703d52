"""Say a retrospect as plain numbers and in sentences."""

from __future__ import annotations

from typing import Any

from simengine.config import Study
from simengine.questions.retrospect.answer import PlaceInForecast, Retrospect, Shift, Update
from simengine.report.answers import answer_heading
from simengine.report.document import plain

_NOTABLE = 0.25
"""Shift, in standard deviations, from which a number of the study is named."""


def retrospect(study: Study, found: Retrospect) -> dict[str, Any]:
    """Return a look back as plain numbers."""
    return answer_heading(study, found) | {
        "bandwidth": found.bandwidth,
        "known": {name: _place(name, place) for name, place in found.places.items()},
        "update": None if found.update is None else _update(found.update),
    }


def retrospect_sentence(name: str, place: PlaceInForecast) -> str:
    """Say in plain words where a result falls, and what it asks of the study."""
    known, what = place.known, name.replace("_", " ")
    inside = _percent(place.inside.value, place.inside.upper_95)
    if known.stands == "at":
        tail = min(1.0, 2 * min(place.below.value + place.inside.value, 1 - place.below.value))
        said = f"{_percent(place.below.value)} of the replications lie below it, {inside} come so close: {_weight_of(tail)}"
    else:
        said = f"it had a probability of {inside}: {_weight_of(place.inside.value)}"
    moved = [shift for shift in place.shifts if abs(shift.in_sd.value) >= max(_NOTABLE, 3 * shift.in_sd.se)][:2]
    if not place.shifts:
        asks = (
            f"Too few replications come so close (effective sample size {place.effective:z.0f}) to say what it asks of the study."
        )
    elif moved:
        asks = f"Where it happens, {' and '.join(_moved(shift) for shift in moved)}."
    else:
        asks = f"It asks for no assumption in particular: none moves by as much as {_NOTABLE:g} of its standard deviation."
    return f"{what} ({known.of} {known}): {said}. {asks}"


def _weight_of(probability: float) -> str:
    """Say how strange a result with this probability is."""
    if probability >= 0.2:
        return "an ordinary result of this forecast"
    if probability >= 0.05:
        return "less than ordinary, but foreseen"
    if probability > 0:
        return "at the edge of what was foreseen"
    return "outside all that was foreseen"


def _moved(shift: Shift) -> str:
    way = "higher" if shift.in_sd.value > 0 else "lower"
    return (
        f"{shift.path} is {abs(shift.in_sd.value):z.2f} sd {way} than assumed ({shift.updated:.4g} instead of {shift.forecast:.4g})"
    )


def _percent(value: float, upper: float | None = None) -> str:
    return f"less than {100 * upper:.2g} %" if upper is not None else f"{100 * value:.3g} %"


def _place(name: str, place: PlaceInForecast) -> dict[str, Any]:
    known = place.known
    return {
        "of": known.of,
        "wave": known.wave,
        "stands": known.stands,
        "value": known.value,
        "rounded_to": known.rounded_to,
        "source": known.source,
        "certainty": known.certainty,
        "p_below": plain(place.below),
        "p_inside": plain(place.inside),
        "pit": place.pit,
        "effective_sample_size": place.effective,
        "shifts": [_shift(shift) for shift in place.shifts],
        "sentence": retrospect_sentence(name, place),
    }


def _shift(shift: Shift) -> dict[str, Any]:
    return {"path": shift.path, "forecast": shift.forecast, "updated": shift.updated, "in_sd": plain(shift.in_sd)}


def _update(update: Update) -> dict[str, Any]:
    def both(pair: tuple[Any, Any]) -> dict[str, Any]:
        return {"forecast": plain(pair[0]), "updated": plain(pair[1])}

    return {
        "given": list(update.given),
        "effective_sample_size": update.effective,
        "means": {name: both(pair) for name, pair in update.means.items()},
        "quantiles": {name: {level: both(pair) for level, pair in levels.items()} for name, levels in update.quantiles.items()},
        "probabilities": {name: both(pair) for name, pair in update.probabilities.items()},
        "shifts": [_shift(shift) for shift in update.shifts],
    }
