"""Forecasts of the shipped studies, sealed and held against what is known to have come.

Every shipped study with a section `known` has a seal in `configs/seals` (those of variants in `configs/seals/variants`), with the
results of which something is known; what is known stands beside them in `outcomes.csv`. `--make` makes them all anew: after a change
of a study, or of the random streams. Without it nothing is simulated: the seals are scored, and the tables are written from them, one
of numbers (`verification/sealed_forecasts.csv`) and those of the page that explains them. Run it from the checkout; with `--make` it
takes some minutes:

    python -m verification.sealed_forecasts --make
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from simengine.config import Study, load_study, shipped_studies
from simengine.replications.ensemble import Ensemble
from simengine.report.units import cell
from simengine.seals.document import Seal, read_seal
from simengine.seals.making import results_of_study, sealed
from simengine.seals.outcome import Outcome, outcome_of, outcomes_table
from simengine.seals.scores import SUFFIX, ScoredSeals, score
from simengine.seals.scoring import ScoredOutcome
from simengine.seals.tables import brier_cell, came, figure, log_score_cell

CHECKOUT = Path(__file__).resolve().parent.parent
SEALS = CHECKOUT / "configs" / "seals"
TABLE = CHECKOUT / "verification" / "sealed_forecasts.csv"
PAGE = CHECKOUT / "docs" / "explanation" / "forecasts-held-against-what-came.md"
SEED = 2016
_MILLION = 1e6
_MARK = re.compile(r"(?P<begins><!-- seals: (?P<name>\w+) -->\n).*?(?P<ends><!-- end of seals -->)", re.DOTALL)


@dataclass(frozen=True)
class Shipped:
    """A study of which something is known."""

    name: str
    variant: str | None
    study: Study
    outcomes: tuple[Outcome, ...]

    @property
    def path(self) -> Path:
        """Where its seal is."""
        folder = SEALS if self.variant is None else SEALS / "variants"
        return folder / f"{self.name}{SUFFIX}"

    def seal(self, n_replications: int | None = None, seed: int = SEED) -> Seal:
        """Simulate the study, by default in its own number of replications, and seal what something is known of."""
        n = int(self.study.run.replications.value) if n_replications is None else n_replications
        names = [one.result for one in self.outcomes]
        return sealed(self.study, seed, results_of_study(self.study, Ensemble(seed, n), names), self.variant)


def shipped() -> Iterator[Shipped]:
    """Yield every shipped study, and variant, of which something is known."""
    for path in shipped_studies():
        of_any = load_study(path).known.values()
        for variant in sorted({one.variant for one in of_any}, key=lambda name: name or ""):
            study = load_study(path, (), variant)
            name = path.stem if variant is None else f"{path.stem}_{variant}"
            known = [one for one in study.known.values() if one.variant == variant]
            yield Shipped(name, variant, study, tuple(map(outcome_of, known)))


def make() -> None:
    """Make every seal anew, and the table of what is known."""
    every = list(shipped())
    for one in every:
        one.path.parent.mkdir(exist_ok=True, parents=True)
        one.path.write_text(one.seal().text, encoding="ascii", newline="\n")
        print(one.path.relative_to(CHECKOUT), flush=True)
    (SEALS / "outcomes.csv").write_text(outcomes_table({one.name: one.outcomes for one in every}), encoding="utf-8")


def scores(*, with_variants: bool) -> ScoredSeals:
    """Score the seals that there are: those of the studies themselves, or those of their variants too."""
    paths = [one.path for one in shipped() if with_variants or one.variant is None]
    return score({path.name.removesuffix(SUFFIX): read_seal(path) for path in paths}, SEALS / "outcomes.csv")


def rows() -> str:
    """Return all scores as comma-separated values."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(
        [
            "seal",
            "result",
            "came",
            "p_below",
            "p_inside",
            "pit",
            "crps",
            "crps_se",
            "log_score",
            "log_score_se",
            "brier",
            "brier_se",
        ]
    )
    for name, one in _each(scores(with_variants=True)):
        pairs = (one.crps, one.log_score.score, one.brier)
        numbers = [f"{value:.4g}" for pair in pairs for value in ((pair.value, pair.se) if pair else ())]
        crps, log_score, brier = (numbers[:2], numbers[2:], ["", ""]) if one.crps else (["", ""], numbers[:2], numbers[2:])
        chances = [f"{one.below.value:.4g}", f"{one.inside.value:.4g}", f"{one.pit.value:.4g}" if one.pit else ""]
        lines.writerow([name, one.outcome.result, came(one.outcome), *chances, *crps, *log_score, *brier])
    return out.getvalue()


def page() -> str:
    """Return the page with its tables as the seals have them."""
    found = scores(with_variants=True)
    bodies: Mapping[str, str] = {
        "figures": _figures(found),
        "directions": _directions(found),
        "calibration": _calibration(scores(with_variants=False)),
    }
    return _MARK.sub(
        lambda mark: f"{mark['begins']}\n{bodies[mark['name']]}\n{mark['ends']}",
        PAGE.read_text(encoding="utf-8"),
    )


def _each(found: ScoredSeals) -> Iterator[tuple[str, ScoredOutcome]]:
    return ((name, one) for name, some in found.outcomes.items() for one in some)


def _unit(one: ScoredOutcome) -> tuple[float, str]:
    is_large = max(abs(one.outcome.value), *map(abs, one.intervals["95"])) >= _MILLION
    return (_MILLION, ", millions") if is_large else (1.0, "")


def _figures(found: ScoredSeals) -> str:
    text = "| seal | result | came | 80 % interval | PIT | CRPS | log score |\n|---|---|---|---|---|---|---|\n"
    for name, one in _each(found):
        if one.pit is not None:
            unit, said = _unit(one)
            low, high = (figure(end / unit) for end in one.intervals["80"])
            text += (
                f"| `{name}` | `{one.outcome.result}`{said} | {came(one.outcome, unit)} | {low} to {high} | {cell(one.pit, 1.0)} "
                f"| {cell(one.crps, unit)} | {log_score_cell(one.log_score)} |\n"
            )
    return text


def _directions(found: ScoredSeals) -> str:
    text = "| seal | result | came | probability | Brier score | log score |\n|---|---|---|---|---|---|\n"
    for name, one in _each(found):
        if one.brier is not None:
            unit, said = _unit(one)
            text += (
                f"| `{name}` | `{one.outcome.result}`{said} | {came(one.outcome, unit)} | {cell(one.inside, 1.0)} "
                f"| {brier_cell(one.brier)} | {log_score_cell(one.log_score)} |\n"
            )
    return text


def _calibration(found: ScoredSeals) -> str:
    text = (
        "| interval | within | missed | a true forecast misses | accepted misses | P-value | power | contracts for a power of 80 % |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    for row in found.calibration:
        text += (
            f"| {100 * row.level:g} % | {row.within} of {row.contracts} | {row.missed} | {row.expected_missed:.3g} "
            f"| {row.accepted[0]} to {row.accepted[1]} | {row.p_value:.2f} | {100 * row.found_if_twice:.0f} % | {row.contracts_needed} |\n"
        )
    counted = ", ".join(f"`{result}` of {name}" for name, result in found.counted.items())
    told = "\n".join(f"- {row.sentence}" for row in found.calibration)
    return f"{text}\nCounted: {counted}.\n\n{told}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true", help="make the seals anew, which simulates every study")
    if parser.parse_args().make:
        make()
    TABLE.write_text(rows(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
