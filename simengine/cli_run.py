"""The commands that run a study: demo, and run with its precision and its ways of drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simengine.cli_options import (
    PLACE,
    Request,
    asked_again,
    no_folder,
    output_option,
    progress,
    request_options,
    say,
    threads_option,
)
from simengine.errors import UsageError

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.records import Outturns
    from simengine.risk import RiskTable
    from simengine.sampling import Sampling
    from simengine.worlds.precision import PreciseRun

_DEMO_SEED = 2016
_DEMO_REPLICATIONS = 10_000


@dataclass(frozen=True)
class _Wish:
    """How precise a run shall be, and how its worlds are drawn."""

    until: str | None = None
    at_most: int | None = None
    is_sobol: bool = False
    tilts: tuple[str, ...] = ()
    with_control_variates: bool = False
    measured: int = 1
    shows_diagnostics: bool = False
    output: Path | None = None

    def sampling(self) -> Sampling:
        from simengine.sampling import Sampling

        return Sampling(self.is_sobol, dict(_tilt(text) for text in self.tilts), self.measured)

    def words(self) -> list[str]:
        """Give the options that draw the same worlds again."""
        words = ["--sobol"] if self.is_sobol else []
        words += [word for tilt in self.tilts for word in ("--tilt", tilt)]
        words += ["--control-variates"] if self.with_control_variates else []
        return words + (["--measured", str(self.measured)] if self.measured > 1 else [])


def _tilt(text: str) -> tuple[str, float]:
    path, _, shift = text.rpartition("=")
    try:
        return path.strip(), float(shift)
    except ValueError:
        rule = "a tilt reads PATH=SHIFT with a shift in standard deviations, such as effect.sooner_home.hazard_ratio=-1.5"
        raise UsageError(f"--tilt: {rule}; found {text!r}") from None


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command the options of precision and of drawing; they come as the fields of a `_Wish`."""
    options = (
        click.option(
            "--until",
            metavar="GOALS",
            help='Run until standard errors are this small, as such or as a part of the value: "p_loss se<0.002, cvar95 se<1%".',
        ),
        click.option("--at-most", type=click.IntRange(1, 2**32), help="With --until: the most replications.  [default: 1000000]"),
        click.option(
            "--sobol", "is_sobol", is_flag=True, help="Spread the numbers that have a law evenly: scrambled Sobol points."
        ),
        click.option(
            "--tilt",
            "tilts",
            multiple=True,
            metavar="PATH=SHIFT",
            help="Draw half of the worlds with a number shifted by so many standard deviations, and weigh them.",
        ),
        click.option(
            "--control-variates",
            "with_control_variates",
            is_flag=True,
            help="Correct every result by what is known of the numbers' laws.",
        ),
        click.option(
            "--measured",
            type=click.IntRange(1, 100),
            default=1,
            show_default=True,
            help="Measure and pay the same people so many times, with new numbers for all that touches no person.",
        ),
        click.option("--diagnostics", "shows_diagnostics", is_flag=True, help="Show also how each mean settles as the run grows."),
        output_option("results, summary, pictures, provenance"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("-o", "--output", type=PLACE, help="Folder for the results; a new one is named if absent.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=_DEMO_SEED, show_default=True, help="Any whole number from 0.")
@threads_option
def demo(output: Path | None, seed: int, threads: int | None) -> None:
    """Run the Norrköping contract as it stood before signing: a risk table and a picture, in seconds."""
    from simengine.config import find_study
    from simengine.report.folder import first_free

    target = output or first_free("simengine-demo")
    request = Request(find_study("norrkoping"), _DEMO_REPLICATIONS, seed, (), None, False, threads, 1000)
    _run(request, _Wish(output=target))
    say(f"\nThe picture: {target / 'picture.png'}")


@click.command()
@request_options
@_run_options
def run(**asked: Any) -> None:
    """Simulate STUDY and show the distribution of what each party gets."""
    names = _Wish.__dataclass_fields__
    wish = _Wish(**{name: value for name, value in asked.items() if name in names})
    _run(Request(**{name: value for name, value in asked.items() if name not in names}), wish)


def _run(request: Request, wish: _Wish) -> None:
    from simengine.provenance import Clock, describe_run
    from simengine.report import document, folder, steps, tables, trust

    study = request.study()
    _refuse_contradictions(request, wish)
    sampling = wish.sampling()
    seed, n_replications = request.size(study, is_kept_whole=False)
    clock, text = Clock(), request.kept_text(study)
    with folder.results_folder(wish.output) if wish.output else no_folder() as draft:
        outturns, table, precise = _simulate(study, request, wish, sampling, seed, n_replications)
        n_replications = table.n_replications
        content = document.summary(study, table, seed) | trust.as_content(table)
        content["diagnostics"]["moves"] = steps.as_content(study)
        content |= {"sampling": _sampling_content(wish, sampling), "precision": trust.precision(precise) if precise else None}
        more = {"until": wish.until, "at_most": wish.at_most, "sampling": wish.words()}
        content["provenance"] = describe_run(clock, text, request.settings(seed, n_replications, **more))
        if draft is not None:
            again = asked_again("run", "study.yaml", "-n", n_replications, "--seed", seed, *wish.words())
            _write(draft, study, outturns, table, {"summary.json": document.as_json(content) + "\n", "study.yaml": text}, again)
    # Printed last: whoever closes our output loses nothing that was asked to be kept.
    if request.as_json:
        say(document.as_json(content))
        return
    tables.show(tables.risk_tables(study, table, seed))
    if wish.shows_diagnostics:
        tables.show(trust.diagnostics_table(study, table))
        say(steps.sentence(content["diagnostics"]["moves"]))
    if precise:
        tables.show(trust.reached(precise))
    if wish.output:
        say(f"Results: {wish.output}")


def _refuse_contradictions(request: Request, wish: _Wish) -> None:
    if wish.until is not None and request.replications is not None:
        raise UsageError(
            "--until: the precision decides how many replications there are; found -n as well. Use --at-most for a limit"
        )
    if wish.until is None and wish.at_most is not None:
        raise UsageError("--at-most: it limits a run with --until; found none. Use -n for a number of replications")


def _simulate(
    study: Study, request: Request, wish: _Wish, sampling: Sampling, seed: int, n_replications: int
) -> tuple[Outturns, RiskTable, PreciseRun | None]:
    from simengine.config import known_metrics
    from simengine.risk import summarise
    from simengine.sampling import refuse_impossible_variates
    from simengine.worlds.blocks import run_study
    from simengine.worlds.precision import AT_MOST, control_variates, read_goals, run_until

    how: dict[str, Any] = {"threads": request.threads, "block_size": request.block_size, "sampling": sampling}
    if wish.until is not None:
        goals, at_most = read_goals(wish.until), wish.at_most or AT_MOST
        request.refuse_if_too_large(study, at_most, sampling=sampling)
        with progress(at_most) as advance:
            precise = run_until(
                study, seed, goals, at_most, with_control_variates=wish.with_control_variates, on_progress=advance, **how
            )
        return precise.outturns, precise.table, precise
    request.refuse_if_too_large(study, n_replications, sampling=sampling)
    if wish.with_control_variates:
        refuse_impossible_variates(sampling, dict(study.quantities()), n_replications, knows_luck=bool(known_metrics(study)))
    with progress(n_replications) as advance:
        outturns = run_study(study, seed, n_replications, on_progress=advance, with_variates=wish.with_control_variates, **how)
    return (
        outturns,
        summarise(outturns, control_variates(study, seed, outturns, sampling) if wish.with_control_variates else None),
        None,
    )


def _sampling_content(wish: _Wish, sampling: Sampling) -> dict[str, Any]:
    return {
        "sobol": sampling.is_sobol,
        "tilts": dict(sampling.tilts),
        "control_variates": wish.with_control_variates,
        "measured": sampling.measured,
    }


def _write(draft: Path, study: Study, outturns: Outturns, table: RiskTable, files: dict[str, str], again: str) -> None:
    """Fill a results folder."""
    from simengine.report import folder, picture, trust
    from simengine.settlement import payment_marks

    folder.write_replications(draft, outturns)
    folder.write_rows(draft, "exceedance.parquet", trust.exceedance_rows(table))
    images = {"picture": picture.draw(study, outturns, table, payment_marks(study.contract, outturns))}
    images["exceedance"] = trust.draw_exceedance(study, table)
    pictures = {f"{name}.{form}": image for name, forms in images.items() for form, image in forms.items()}
    folder.write_files(draft, {**files, "run-again.txt": again, **pictures})
