"""Score sealed forecasts against what came, and count how often several covered it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simengine.errors import ResultsError, UnknownNameError, UsageError, shorten
from simengine.seals.calibration import LevelOfCoverage, calibrate
from simengine.seals.document import Seal, read_seal
from simengine.seals.outcome import outcomes_given
from simengine.seals.scoring import ScoredOutcome, scored

SUFFIX = ".seal.json"
_MOST_SEALS = 10_000


@dataclass(frozen=True)
class ScoredSeals:
    """Forecasts and what came of them."""

    seals: Mapping[str, Seal]
    """By name."""
    outcomes: Mapping[str, tuple[ScoredOutcome, ...]]
    """By seal: its outcomes with their scores, in the order in which they were given."""
    counted: Mapping[str, str]
    """By seal: the result that counts in the calibration, one of each contract."""
    calibration: tuple[LevelOfCoverage, ...]
    """By level of the interval; none if only directions are known."""


def score(seals: Any, outcomes: Any) -> ScoredSeals:
    """Score sealed forecasts against what came.

    Parameters
    ----------
    seals
        A seal, the place of its file, or of a folder of such files; a list of them; or by names of your own.
    outcomes
        What came, by the name of each result: `{"investor.net": 3.5e6}`; a list of texts as the command takes them,
        `["investor.net=3.5e6±500_000", "metric.saving.estimate<=0"]`, or of `Outcome`s; or the place of a table with the columns
        `seal`, `result`, `stands`, `value`, `rounded_to`. Of several seals: by their names, the file's without `.seal.json`.

    Returns
    -------
    The scores of every outcome, each with its Monte Carlo standard error; and, of the first figure of each contract, how often the
    intervals of 50, 80 and 95 % covered it. Seals of one title are of one contract: its results hang together, and count once.

    Raises
    ------
    ResultsError
        If a seal is broken.
    UsageError
        If an outcome is given in another way or twice, is of no result of the seal, or a seal has none.
    StudyError
        With every row of a table that cannot be.
    """
    named = _named(seals)
    given = outcomes_given(outcomes, tuple(named))
    for name in named:
        if not given.get(name):
            raise UsageError(f"outcomes: must have at least one of every seal; found none of {name}")
    found = {name: tuple(_scored(named[name], name, one) for one in given[name]) for name in named}
    counted = _counted(named, found)
    figures = [next(one for one in found[name] if one.outcome.result == result) for name, result in counted.items()]
    return ScoredSeals(named, found, counted, calibrate(figures))


def _scored(seal: Seal, name: str, outcome: Any) -> ScoredOutcome:
    try:
        return scored(seal, outcome)
    except UnknownNameError as error:
        raise UsageError(f"{name}: {error}. A seal holds what was named when it was made") from None


def _named(seals: Any) -> dict[str, Seal]:
    """Return seals by their names, each once."""
    if not isinstance(seals, Mapping):
        listed = list(seals) if isinstance(seals, list | tuple) else [seals]
        pairs = list(_names_of(listed))
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"seals: must have a name each; found several of the name {name}. Rename a file")
        seals = dict(pairs)
    if not 1 <= len(seals) <= _MOST_SEALS:
        raise UsageError(f"seals: must be from 1 to {_MOST_SEALS:,}; found {len(seals):,}")
    found = {str(name): one if isinstance(one, Seal) else _read(one) for name, one in seals.items()}
    first: dict[str, str] = {}
    for name, one in found.items():
        if one.sha256 in first:
            raise UsageError(f"seals: must be different ones; found {first[one.sha256]} and {name}, which are the same")
        first[one.sha256] = name
    return found


def _names_of(listed: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for number, one in enumerate(listed, start=1):
        if isinstance(one, Seal):
            yield str(number), one
        else:
            yield from ((name_of_file(place), place) for place in _files(_place(one)))


def _files(place: Path | str) -> list[Path]:
    """Return the files of a place: itself, or the seals in that folder."""
    folder = Path(place)
    try:
        if not folder.is_dir():
            return [folder]
        found = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))
    except (OSError, ValueError) as error:
        said = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ResultsError(f"{place}: must be a seal, or a folder of seals, that can be read; found: {said}") from None
    if not found:
        raise ResultsError(f"{place}: must hold files that end with {SUFFIX}; found none. Name a seal, or another folder")
    return found


def name_of_file(place: Path) -> str:
    """Return the name by which the seal in a file is called."""
    name = place.name
    return name.removesuffix(SUFFIX) or name


def _place(place: Any) -> Path | str:
    if not isinstance(place, str | Path):
        raise UsageError(f"seals: must be seals, or places of their files; found {shorten(place)}")
    if not str(place).strip():
        raise ResultsError("SEAL: must be the name of a file; found an empty one")
    return place


def _read(place: Any) -> Seal:
    return read_seal(_place(place))


def _counted(seals: Mapping[str, Seal], found: Mapping[str, Sequence[ScoredOutcome]]) -> dict[str, str]:
    """Return the result of each contract that counts: of the first seal of its title with a figure, the first."""
    counted: dict[str, str] = {}
    titles: set[str] = set()
    for name, seal in seals.items():
        figure = next((one for one in found[name] if one.pit is not None), None)
        title = seal.study["title"]
        if figure is not None and title not in titles:
            titles.add(title)
            counted[name] = figure.outcome.result
    return counted
