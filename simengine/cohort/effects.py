"""Turn what the service changes into the tables that the kernels read, for each kind of target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simengine.cohort.kernels.arrays import Effects
from simengine.cohort.spec import Effect, Engagement
from simengine.records import Draws, Floats

_FORMS = ("hazard_ratio", "relative_risk", "odds_ratio", "difference", "length_ratio")
_NEVER = np.inf


def effect_tables(
    effects: Mapping[str, Effect],
    target: str,
    targets: Sequence[str],
    strata: Sequence[str],
    engagement: Engagement | None,
    steps: int,
    draws: Draws,
) -> Effects:
    """Return the effects on moves, events or outcomes, ordered by what they change.

    Parameters
    ----------
    effects
        By name; none for an arm without the service.
    target
        `move`, `event` or `outcome`.
    targets
        Names in the order of the tables.
    strata
        Names in order.
    engagement
        Who takes part.
    steps
        Of a month: the clocks of the effects count them, and a difference on a rate is that of one.
    draws
        The parameters of each replication.
    """
    named = [
        (targets.index(one), name, effect) for name, effect in effects.items() if effect.target == target for one in effect.targets
    ]
    # Ratios before differences, whatever the order in the file.
    named.sort(key=lambda item: (item[0], _FORMS.index(item[2].form)))
    places = np.array([place for place, _, _ in named], dtype=np.int64)
    return Effects(
        of=np.searchsorted(places, np.arange(len(targets) + 1)).astype(np.int64),
        form=np.array([_FORMS.index(effect.form) for _, _, effect in named], dtype=np.int64),
        value=_columns([_value(name, effect, steps, draws) for _, name, effect in named], len(draws)),
        clock=steps * _clocks([(name, effect) for _, name, effect in named], draws),
        acts=np.array([[_acts_in(effect, k) for k in strata] for _, _, effect in named], dtype=np.bool_).reshape(
            len(named), len(strata)
        ),
        weight=_weights([effect for _, _, effect in named], engagement, draws),
    )


def _acts_in(effect: Effect, stratum: str) -> bool:
    return effect.strata is None or stratum in effect.strata


def _value(name: str, effect: Effect, steps: int, draws: Draws) -> Floats:
    drawn = draws[f"effect.{name}.{effect.form}"]
    if effect.form == "difference" and effect.target == "event":
        return drawn / steps
    # A ratio of 0 becomes one that no simulation can tell from it.
    return drawn if effect.form == "difference" else np.log(np.maximum(drawn, 1e-300))


def _clocks(effects: Sequence[tuple[str, Effect]], draws: Draws) -> Floats:
    """Return ramp, start of fading and half-life in months, shape (replication, effect, 3)."""
    out = np.empty((len(draws), len(effects), 3))
    absent = {"ramp_months": 0.0, "fades_after_months": _NEVER, "half_life_months": _NEVER}
    for j, (name, effect) in enumerate(effects):
        for column, (key, value) in enumerate(absent.items()):
            out[:, j, column] = value if getattr(effect, key) is None else draws[f"effect.{name}.{key}"]
    return out


def _weights(effects: Sequence[Effect], engagement: Engagement | None, draws: Draws) -> Floats:
    """Return what each effect is multiplied by on each course, shape (n_replications or 1, n_courses, n_effects).

    Without engagement everybody is on course 0, in full. Else course 0 is that of people who never take part, then come the
    doses, then the same doses after leaving.
    """
    if engagement is None or not effects:
        n_doses = len(engagement.doses or {"full": None}) if engagement is not None else 0
        return np.ones((1, 1 + 2 * n_doses, len(effects)))
    strength = [draws[f"population.engagement.doses.{name}.strength"] for name in engagement.doses or {}] or [np.ones(len(draws))]
    n_doses = len(strength)
    out = np.ones((len(draws), 1 + 2 * n_doses, len(effects)))
    for j, effect in enumerate(effects):
        if effect.reaches == "referred":
            continue
        out[:, 0, j] = 0.0
        for d in range(n_doses):
            out[:, 1 + d, j] = strength[d]
            out[:, 1 + n_doses + d, j] = 0.0 if effect.only_while_engaged else strength[d]
    return out


def _columns(columns: list[Floats], n_replications: int) -> Floats:
    return np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.empty((n_replications, 0))
