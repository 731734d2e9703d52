"""Two shipped studies as programs in C, `c/botkyrka.c` and `c/peterborough.c`: what they are given, and what they find.

The numbers of each replication are drawn by the engine and handed over as a table, so that a program and the engine can be held
together replication by replication; people, events, evaluation and payment are the program's own.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from simengine.arrays import Floats
from simengine.benchmark.c_limit import compile_c
from simengine.config import Study, find_study, load_study
from simengine.pipeline import Evidence, evaluate, simulate
from simengine.records import BASELINE, PARALLEL, Draws
from simengine.streams import uniforms

FOLDER = Path(__file__).parent / "c"
_METRICS = ("estimate", "standard_error", "truth")
_FALLS = [f"metric.{metric}.{what}" for metric in ("fall", "first_year", "days_17_months", "saving") for what in _METRICS]
_SIZES = "population.waves.{}.size"


@dataclass(frozen=True)
class Program:
    """One study as a program in C."""

    study: str
    found: tuple[str, ...]
    """What it fills, in its order, by the engine's names; an empty name: something that the engine does not keep."""
    _library: list[ctypes.CDLL] = field(default_factory=list)

    def load(self) -> Study:
        """Load the study."""
        return load_study(find_study(self.study))

    def given(self, study: Study, draws: Draws) -> Floats:
        """Return the numbers of each replication in the program's order, shape (n_replications, n_given)."""
        return _botkyrka(study, draws) if self.study == BOTKYRKA.study else _peterborough(study, draws)

    def run(self, seed: int, given: Floats) -> dict[str, Floats]:
        """Run every replication; by the engine's names, each of shape (n_replications,)."""
        if not self._library:
            self._library.append(compile_c(FOLDER / f"{self.study.split('_')[0]}.c"))
        floats = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
        call = self._library[0].run
        call.argtypes = [ctypes.c_uint64, ctypes.c_int64, floats, floats]
        found = np.empty((len(given), len(self.found)))
        if call(seed, len(given), given, found) != 0:
            raise RuntimeError(f"{self.study}: the program has too little room for what somebody met")
        return {name: found[:, i].copy() for i, name in enumerate(self.found) if name}

    def by_engine(self, study: Study, seed: int, n: int) -> tuple[Draws, dict[str, Floats]]:
        """Return the engine's numbers and what it finds, by the same names."""
        evidence = simulate(study, seed, n)
        columns = dict(evaluate(study, evidence).columns)
        if self.study == PETERBOROUGH.study:
            columns |= _beside(evidence)
        return evidence.draws, {name: np.asarray(columns[name], np.float64) for name in self.found if name}


BOTKYRKA = Program(
    "botkyrka_ornskoldsvik",
    (
        *_FALLS,
        *(f"term.{term}.amount" for term in ("saving_back", "refund")),
        *("investor.net", "investor.npv", "outcome_payer.net", "outcome_payer.npv"),
    ),
)
PETERBOROUGH = Program(
    "peterborough",
    (
        *(f"metric.{metric}.{what}" for metric in ("reduction", "six_months", "share_reconvicted") for what in _METRICS),
        *("", ""),
        *(f"term.{term}.amount" for term in ("cohort_1_payment", "cohort_2_payment", "pooled_payment")),
        *("investor.net", "investor.npv", "earlier men", "men elsewhere", "men elsewhere, before"),
    ),
)


def _drawn_money(study: Study, draws: Draws) -> Floats:
    return np.round(study.contract.commitment.value * draws["capital.drawn_share"], 2)


def _botkyrka(study: Study, draws: Draws) -> Floats:
    spells = "events.short_spell", "events.long_spell"
    years = [
        np.exp(draws["shocks.years.sd_per_year"] * ndtri(uniforms(draws.seed, f"world/shocks/years/study/{y}", draws.replications)))
        for y in (-1, 0, 1, 2)
    ]
    employees = sum(np.floor(draws[_SIZES.format(wave)]) for wave in study.population.waves)
    columns = [
        employees,
        draws["population.frailties.health.variance"],
        *(draws[f"{spell}.rates.employed.rate_per_year"] for spell in spells),
        draws[f"{spells[0]}.by_calendar.trend_per_year"],
        *(draws[f"{spells[0]}.by_calendar.season.{month}"] for month in ("jan", "feb", "jul")),
        *years,
        draws["effect.fewer_spells.hazard_ratio"],
        draws["effect.fewer_spells.ramp_months"],
        *(draws[f"{spell}.length.{what}_days"] for spell in spells for what in ("mean", "sd")),
        draws["outcomes.sick_cost.per_spell_day.short_spell"],
        draws["outcomes.sick_cost.per_event.long_spell"],
        _drawn_money(study, draws),
    ]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _peterborough(study: Study, draws: Draws) -> Floats:
    moves, events = "pathway.moves.{}.per_month", "events.reconviction"
    columns = [
        *(np.floor(draws[_SIZES.format(wave)]) for wave in study.population.waves),
        draws["pathway.start.men.unsettled"],
        draws[moves.format("unsettled -> settled")],
        draws[moves.format("settled -> unsettled")],
        draws["population.frailties.between_men.variance"],
        draws[f"{events}.rates.unsettled.rate_per_month"],
        draws[f"{events}.by_months_since_entry.factor.1"],
        draws["effect.fewer_reconvictions.hazard_ratio"],
        _drawn_money(study, draws),
        np.floor(draws["capital.drawdown_months"]),
    ]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _beside(evidence: Evidence) -> dict[str, Floats]:
    """Return the means of the groups that no estimate of this contract uses, though they are simulated."""
    tallies = evidence.tallies
    outcome, window = tallies.outcomes.index("reconvictions"), tallies.windows.index(12)
    people = tallies.n_people[:, :, PARALLEL].sum(axis=1)
    return {
        "earlier men": tallies.sums[:, 0, BASELINE, outcome, window] / tallies.n_people[:, 0, BASELINE],
        "men elsewhere": tallies.sums[:, :, PARALLEL, outcome, window].sum(axis=1) / people,
        "men elsewhere, before": tallies.sums_before[:, :, PARALLEL, outcome].sum(axis=1) / people,
    }
