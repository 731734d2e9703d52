"""One ensemble of replications: the same people, measured and settled any number of times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from simengine.asked import LARGEST_BLOCK, MOST_REPLICATIONS, MOST_THREADS, seed_asked, whole
from simengine.cohort import Cohort, Comparisons, simulate_cohort
from simengine.config import Study
from simengine.errors import UsageError
from simengine.measurement import measure
from simengine.measurement.spec import SECTION_OF, Control, Protocol
from simengine.pipeline import DrawOverrides, Evidence, draw_numbers, evaluate, kinds_of
from simengine.records import (
    ALL_LENDERS,
    ALL_PAYERS,
    CONTROL,
    MATCHED_SERVICE,
    SERVICE,
    TWIN,
    Draws,
    Floats,
    Integers,
    Measurements,
    Seen,
    Tallies,
)
from simengine.replications.blocks import OnPace, map_blocks
from simengine.replications.memory import BLOCK_SIZE
from simengine.risk.amounts import Columns
from simengine.risk.roles import total_of_lenders, total_of_payers


@dataclass(frozen=True)
class Ensemble:
    """Which replications are drawn, and how they are computed."""

    seed: int
    n_replications: int
    threads: int | None = None
    """Blocks that run at once; absent: one per processor. Neither this nor `block_size` changes any bit of a result."""
    block_size: int = BLOCK_SIZE
    on_progress: Callable[[int], None] | None = None
    on_pace: OnPace | None = None
    first: int = 0
    """The number of the first replication: above 0 the replications are fresh ones of the same seed."""

    def __post_init__(self) -> None:
        """Refuse invalid numbers; a single replication gives no standard error."""
        seed_asked(self.seed)
        whole(self.n_replications, "n_replications", 2, MOST_REPLICATIONS)
        whole(self.first, "first", 0, MOST_REPLICATIONS)
        whole(self.block_size, "block_size", 1, LARGEST_BLOCK)
        if self.threads is not None:
            whole(self.threads, "threads", 1, MOST_THREADS)

    @property
    def unwatched(self) -> Ensemble:
        """The same replications, of whose progress nobody is told: they are a part of other work, or no bar counts them."""
        return replace(self, on_progress=None, on_pace=None)

    def ask(self, questions: Callable[[Integers], Sequence[Columns]]) -> list[Columns]:
        """Evaluate the same functions on every block of replications, and join the results of each.

        Parameters
        ----------
        questions
            Function from the numbers of a block's replications to the columns of each result; only these are kept.
        """
        blocks = map_blocks(
            questions,
            self.n_replications,
            threads=self.threads,
            block_size=self.block_size,
            first=self.first,
            on_progress=self.on_progress,
            on_pace=self.on_pace,
        )
        return [{name: np.concatenate([part[name] for part in parts]) for name in parts[0]} for parts in zip(*blocks, strict=True)]


def measured(study: Study, protocol: Protocol, tallies: Tallies, draws: Draws) -> Measurements:
    """Measure simulated people by a protocol."""
    return measure(protocol, tallies, kinds_of(study), tuple(study.population.waves), draws)


def measured_with(study: Study, evidence: Evidence, overrides: DrawOverrides) -> Evidence:
    """Measure the same people with some numbers drawn otherwise, of which none may touch a person (`sections.MEASURED_AGAIN`)."""
    draws = draw_numbers(study, evidence.draws.seed, evidence.draws.replications, overrides=overrides)
    return Evidence(study, draws, evidence.tallies, measured(study, study.measurement, evidence.tallies, draws))


def lived(cohort: Cohort, draws: Draws, strength: float = 1.0) -> Tallies:
    """Simulate people with a multiple of the effect of the service."""
    return simulate_cohort(replace(cohort, effect_strength=strength), draws)


def lived_again(cohort: Cohort, draws: Draws, strength: float, before: Tallies) -> Tallies:
    """Simulate the service users again with another multiple of the effect; the other arms are taken from `before`."""
    has_matching = cohort.comparisons.matching is not None
    some_are_left_out = has_matching and (before.weight[:, :, MATCHED_SERVICE] != before.weight[:, :, SERVICE]).any()
    if some_are_left_out or cohort.comparisons.spill_over is not None:
        return lived(cohort, draws, strength)
    alone = lived(replace(cohort, comparisons=Comparisons()), draws, strength)
    lives = {SERVICE: SERVICE, TWIN: TWIN} | ({MATCHED_SERVICE: SERVICE} if has_matching else {})
    names = [name for name in _BY_ARM if getattr(before, name) is not None]
    arms: dict[str, Any] = {name: _with_arms_of(getattr(before, name), getattr(alone, name), lives) for name in names}
    return replace(alone, **arms, seen=_seen_again(before.seen, alone.seen, lives))


def _seen_again(before: Seen | None, alone: Seen | None, lives: Mapping[int, int]) -> Seen | None:
    if before is None or alone is None:
        return None
    return Seen(**{one.name: _with_arms_of(getattr(before, one.name), getattr(alone, one.name), lives) for one in fields(Seen)})


def _with_arms_of(before: Floats, alone: Floats, lives: Mapping[int, int]) -> Floats:
    changed = before.copy()
    changed[:, :, list(lives)] = alone[:, :, list(lives.values())]
    return changed


def settled(study: Study, draws: Draws, tallies: Tallies, measurements: Measurements) -> Columns:
    """Settle the contract on some measurements, and keep the columns that the questions need.

    Returns
    -------
    Columns of metrics, of outcomes counted person by person and of terms, `contingent_payment`, `drawn`, and the money of all
    lenders and of all payers.
    """
    results = evaluate(study, Evidence(study, draws, tallies, measurements))
    names = [name for name in results.columns if name.startswith(("metric.", "outcome."))]
    names += ["contingent_payment", "drawn"]
    names += [term_column(name) for name, term in study.contract.terms.items() if term.contingent]
    columns = {name: results[name] for name in names}
    lenders, payers = total_of_lenders(results.columns), total_of_payers(results.columns)
    columns |= {f"{ALL_LENDERS}.{what}": results[f"{lenders}.{what}"] for what in ("money_in", "money_back", "npv")}
    columns |= {f"{ALL_PAYERS}.{what}": results[f"{payers}.{what}"] for what in ("payment", "true_saving")}
    # An only lender or payer may have other cash too, which is not part of its role.
    columns[f"{ALL_LENDERS}.net"] = columns[f"{ALL_LENDERS}.money_back"] - columns[f"{ALL_LENDERS}.money_in"]
    columns[f"{ALL_PAYERS}.net"] = columns[f"{ALL_PAYERS}.true_saving"] - columns[f"{ALL_PAYERS}.payment"]
    return {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}


def term_column(term: str) -> str:
    """Return the name of the column of amounts owed under a term."""
    return f"term.{term}.amount"


def with_used_designs_alone(study: Study) -> Study:
    """Return the study without unused designs, so that no people are simulated for them."""
    protocol = study.measurement
    unused = {section: None for design, section in SECTION_OF.items() if design not in protocol.used}
    return study.model_copy(update={"measurement": protocol.model_copy(update=unused)})


def against_twins(study: Study, draws: Draws, tallies: Tallies, measurements: Measurements) -> Measurements:
    """Return the measurements of an evaluator who observes everybody and compares each service user with the twin.

    The estimate is the truth of `measurements`; here it is given by wave as well, so that a contract may pay by wave.
    """
    names = [name for name in _BY_ARM if getattr(tallies, name) is not None]
    arms: dict[str, Any] = {name: _with_twins_as_control(getattr(tallies, name)) for name in names}
    protocol = study.measurement
    plain = {
        name: metric.model_copy(update={"attrition": None, "misclassification": None, "redefined": None, "shrinkage": None})
        for name, metric in protocol.measured.items()
    }
    seeing_all = protocol.model_copy(update={"metrics": plain, "transfers": "followed"})
    honest = seeing_all.all_by("randomised", control=Control())
    seen = measured(study, honest, replace(tallies, **arms, seen=None), draws)
    nothing = np.zeros_like(measurements.truth)
    return replace(seen, estimate=measurements.truth, truth=measurements.truth, standard_error=nothing)


def beyond_twins(tallies: Tallies) -> Tallies:
    """Count people by combination of milestones that the service caused: service users less their twins.

    Negative if twins reached a combination more often. So a contract that pays by milestones is settled on the true difference, as
    for a metric.
    """
    combinations = {claim: _service_less_twin(counts) for claim, counts in tallies.combinations.items()}
    return replace(tallies, combinations=combinations)


def _service_less_twin(counts: Integers) -> Integers:
    changed = counts.copy()
    changed[:, :, SERVICE] = counts[:, :, SERVICE].astype(np.int64) - counts[:, :, TWIN]
    return changed


_BY_ARM = (
    *("n_people", "weight", "weight_squares", "sums", "squares"),
    *("sums_before", "squares_before", "products_with_before", "pair_products", "after_change"),
)
"""The tallies that an evaluator uses, by arm."""


def _with_twins_as_control(array: Floats) -> Floats:
    changed = array.copy()
    changed[:, :, CONTROL] = array[:, :, TWIN]
    return changed


def contingent_terms(study: Study) -> tuple[str, ...]:
    """Return the terms that are payment for outcomes.

    Raises
    ------
    UsageError
        If there are none: measurement error then cannot affect payments.
    """
    terms = tuple(study.contract.paid_for_outcomes())
    if not terms:
        found = ", ".join(study.contract.terms)
        raise UsageError(
            f"contract.terms: at least one term must be contingent on outcomes; found none among {found}. "
            "Where nothing depends on what is measured, no evaluator moves the money"
        )
    return terms
