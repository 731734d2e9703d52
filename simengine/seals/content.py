"""What JSON says of scored seals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from simengine.report.answers import as_plain
from simengine.risk.statistics import Statistic
from simengine.seals.calibration import LevelOfCoverage
from simengine.seals.document import Seal, SealedStudy
from simengine.seals.scores import ScoredSeals
from simengine.seals.scoring import ScoredOutcome


class SealHeading(TypedDict):
    """A seal."""

    sha256: str
    """SHA-256 of what it says: the seal that was agreed on has the same."""
    simengine: str
    """Version of `simengine` that made it."""
    streams: int
    """Version of the random streams that made it."""
    study: SealedStudy
    """The study."""
    seed: int
    """Seed of the run."""
    replications: int
    """Number of replications."""


class ScoreRow(TypedDict):
    """An outcome and its scores."""

    seal: str
    """Name of the seal."""
    result: str
    """Name of the result."""
    stands: str
    """Relation of the outcome to the value: `at`, `above`, `at_least`, `below`, `at_most`."""
    value: float
    """What came."""
    rounded_to: float
    """Rounding unit of it."""
    p_below: Statistic
    """Probability of less than what came."""
    p_inside: Statistic
    """Probability of what came: of the figure within its rounding, or of the direction."""
    pit: Statistic | None
    """Randomised probability integral transform; null for a direction."""
    crps: Statistic | None
    """Continuous ranked probability score, in the unit of the result; null for a direction."""
    log_score: Statistic
    """Natural logarithm of the probability, or of the density, that the forecast gave to what came; its value is null where no
    replication came there."""
    log_score_of: str
    """`probability` or `density`."""
    density_between: list[float] | None
    """The values between which it is the mean density; null for a probability, and where no replication came there."""
    brier: Statistic | None
    """Of a direction: the squared distance of its probability from 1; null for a figure."""
    intervals: Mapping[str, list[float]]
    """By level in per cent: the ends of the central interval of the forecast."""
    lost_probability: float
    """The most by which a probability, or the PIT, can differ from that of all replications, because the seal holds some of their values only."""
    lost_crps: float
    """The most by which the CRPS can."""


class CoverageRow(TypedDict):
    """How often an interval covered."""

    level: float
    """Level of the central interval."""
    contracts: int
    """Contracts that are counted."""
    within: int
    """Outcomes whose PIT fell within it."""
    missed: int
    """Outcomes whose PIT fell outside."""
    expected_missed: float
    """As many as a true forecast misses on average."""
    p_value: float
    """Of Kupiec's test; valid for many contracts."""
    accepted: list[int]
    """The fewest and the most misses with which the test does not reject, at 5 %."""
    is_rejected: bool
    """Whether the test rejects."""
    false_alarm: float
    """Probability that a true forecast is rejected for too many misses."""
    found_if_twice: float
    """Power: probability that a forecast which misses twice as often as it says is rejected for too many misses."""
    contracts_needed: int | None
    """Contracts from which this power is 80 %; null if a thousand are too few."""
    sentence: str
    """The same in plain words."""


class ScoreContent(TypedDict):
    """Sealed forecasts against what came."""

    seals: Mapping[str, SealHeading]
    """By seal: what it was made of."""
    outcomes: list[ScoreRow]
    """The outcomes, in the order of their seals."""
    counted: Mapping[str, str]
    """By seal: the result that counts in the calibration, one of each contract."""
    calibration: list[CoverageRow]
    """By level of the interval; empty if only directions are known."""


def score_content(found: ScoredSeals) -> ScoreContent:
    """Say what scored seals hold."""
    return {
        "seals": {name: _heading(seal) for name, seal in found.seals.items()},
        "outcomes": [_row(name, one) for name, some in found.outcomes.items() for one in some],
        "counted": dict(found.counted),
        "calibration": [_coverage(row) for row in found.calibration],
    }


def _heading(seal: Seal) -> SealHeading:
    return {
        "sha256": seal.sha256,
        "simengine": seal.simengine,
        "streams": seal.streams,
        "study": seal.study,
        "seed": seal.seed,
        "replications": seal.n_replications,
    }


def _coverage(row: LevelOfCoverage) -> CoverageRow:
    found: CoverageRow = as_plain(row) | {"sentence": row.sentence}
    return found


def _row(name: str, one: ScoredOutcome) -> ScoreRow:
    log_score, outcome = one.log_score, one.outcome
    return {
        "seal": name,
        "result": outcome.result,
        "stands": outcome.stands,
        "value": outcome.value,
        "rounded_to": outcome.rounded_to,
        "p_below": one.below,
        "p_inside": one.inside,
        "pit": one.pit,
        "crps": one.crps,
        "log_score": log_score.score,
        "log_score_of": log_score.of,
        "density_between": None if log_score.between is None else list(log_score.between),
        "brier": one.brier,
        "intervals": {level: list(ends) for level, ends in one.intervals.items()},
        "lost_probability": one.lost_probability,
        "lost_crps": one.lost_crps,
    }
