"""Make a seal: of a run that is kept, or of a study and the results of its replications."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import simengine
from simengine.asked import names_asked, place_asked
from simengine.config import Study, load_study
from simengine.config.roles import with_money
from simengine.disk import sum_of
from simengine.errors import ResultsError, UsageError, did_you_mean
from simengine.late import late
from simengine.records import Floats
from simengine.report.document import as_text, kept_text
from simengine.report.kept import KeptRun, read_run
from simengine.seals.distribution import MOST_SEALED, SealedDistribution, sealed_distribution
from simengine.seals.document import Seal, SealedStudy, checked, refuse_if_taken, write_seal
from simengine.streams import STREAM_VERSION

if TYPE_CHECKING:
    from pyarrow import parquet

    from simengine.replications.ensemble import Ensemble
else:
    parquet = late("pyarrow.parquet")


def seal(run: Path | str, results: Sequence[str] = (), output: Path | str | None = None) -> Seal:
    """Seal the forecast of a run: fix which study it is of, and how its results are distributed.

    Parameters
    ----------
    run
        The folder that `simengine run -o` wrote.
    results
        Names of results, as the columns of its replications are called; or, of one wave, `metric.<metric>.estimate.<wave>`, which is
        measured again from the study and the seed. Absent: the net of every party that has money, the payment of every payer, and
        every estimate.
    output
        A new file for the seal; absent: none is written.

    Returns
    -------
    The seal; `seal.text` is what the file holds, `seal.sha256` its hash.

    Raises
    ------
    ResultsError
        If the folder holds no run, or is not as the run wrote it; or the file cannot be written.
    UsageError
        If there is no such result, or it is no number in every replication; or the replications do not weigh the same.
    """
    if output is not None:
        refuse_if_taken(output)
    kept = read_run(place_asked(run, "run"))
    _refuse_unequal(kept)
    study = load_study(kept.study)
    columns = parquet.read_schema(kept.folder / "replications.parquet").names
    names = names_asked(results, "--results") or default_results(study, columns)
    waves = [name for name in names if name not in columns and name in _of_waves(study)]
    sample = _kept_columns(kept, columns, [name for name in names if name not in waves], _of_waves(study))
    if waves:
        sample |= _measured_again(study, kept, waves)
    variant, overrides = _changes(kept)
    made = sealed(
        study, kept.seed, {name: sample[name] for name in names}, variant, overrides, kept.study.read_text(encoding="utf-8")
    )
    if output is not None:
        write_seal(made, output)
    return made


def sealed(
    study: Study,
    seed: int,
    sample: Mapping[str, Floats],
    variant: str | None = None,
    overrides: Sequence[str] = (),
    text: str | None = None,
) -> Seal:
    """Seal results of a study.

    Parameters
    ----------
    study
        As it was run.
    seed
        Of the run.
    sample
        By result: its value in every replication, shape (n_replications,).
    variant, overrides
        How the study was changed.
    text
        The study as it is kept; absent: as a run would keep it.

    Raises
    ------
    UsageError
        If a result is no number in every replication, or there are too many of them.
    """
    sizes = {len(values) for values in sample.values()}
    if len(sizes) != 1 or not 2 <= max(sizes) <= MOST_SEALED:
        raise UsageError(f"sample: must be one or more results of 2 to {MOST_SEALED:,} replications; found {sorted(sizes)}")
    of = SealedStudy(
        title=study.study.title,
        currency=study.study.currency,
        variant=variant,
        overrides=list(overrides),
        text_sha256=sum_of((kept_text(study, variant) if text is None else text).encode()),
        contract_sha256=sum_of(as_text(study.contract).encode()),
    )
    results = {name: _distribution(name, values) for name, values in sample.items()}
    return checked(Seal(of, seed, sizes.pop(), simengine.__version__, STREAM_VERSION, results))


def default_results(study: Study, columns: Collection[str]) -> tuple[str, ...]:
    """Return what is sealed where nobody says: nets, payments, estimates."""
    parties = [name for party in with_money(study) for name in (f"{party}.net", f"{party}.payment")]
    estimates = [f"metric.{metric}.estimate" for metric in study.measurement.measured]
    return tuple(name for name in (*parties, *estimates) if name in columns)


def results_of_study(study: Study, ensemble: Ensemble, names: Sequence[str]) -> dict[str, Floats]:
    """Simulate results of a study, by name, those of single waves too: shape (n_replications,) each.

    Raises
    ------
    UsageError
        If there is no such result.
    """
    from simengine.questions.retrospect.answer import columns_of

    def asked(columns: Mapping[str, Floats]) -> dict[str, Floats]:
        return {name: columns[_there(name, columns)] for name in names}

    (found,) = ensemble.ask(lambda replications: [asked(columns_of(study, ensemble.seed, replications))])
    return {name: np.asarray(found[name], dtype=np.float64) for name in names}


def _there(name: str, names: Collection[str]) -> str:
    if name not in names:
        way_out = did_you_mean(name, names, "The columns of replications.parquet are listed in docs/reference/results.md")
        raise UsageError(f"--results: must be results of the run; found {name!r}. {way_out}")
    return name


def _refuse_unequal(kept: KeptRun) -> None:
    """Refuse replications that do not weigh the same, or depend on each other: their errors would not be those of a seal."""
    used = {"--tilt": kept.sampling.tilts, "--sobol": kept.sampling.is_sobol, "--measured": kept.sampling.measured > 1}
    for option, is_used in used.items():
        if is_used:
            rule = "a seal must be of independent replications that weigh the same"
            raise UsageError(f"{kept.folder}: {rule}; found a run with {option}. Run the study without it")
    if kept.n_replications > MOST_SEALED:
        raise UsageError(f"{kept.folder}: a seal must be of at most {MOST_SEALED:,} replications; found {kept.n_replications:,}")


def _of_waves(study: Study) -> list[str]:
    return [f"metric.{metric}.estimate.{wave}" for metric in study.measurement.measured for wave in study.population.waves]


def _kept_columns(kept: KeptRun, columns: list[str], names: Sequence[str], others: Sequence[str]) -> dict[str, Floats]:
    table = parquet.read_table(kept.folder / "replications.parquet", columns=[_there(name, [*columns, *others]) for name in names])
    found: dict[str, Floats] = {}
    for name in names:
        column = table.column(name)
        if str(column.type) not in ("double", "int64"):
            raise UsageError(f"--results: must be results that are numbers; found {name!r}, a column of words")
        found[name] = np.asarray(column.to_numpy(), dtype=np.float64)
    return found


def _measured_again(study: Study, kept: KeptRun, waves: Sequence[str]) -> dict[str, Floats]:
    """Measure waves, of which a run keeps no estimate, with the draws of the run; held against what it does keep."""
    from simengine.replications.ensemble import Ensemble

    pooled = list(dict.fromkeys(name.rpartition(".")[0] for name in waves))
    again = results_of_study(study, Ensemble(kept.seed, kept.n_replications), [*waves, *pooled])
    for name, values in _kept_columns(kept, pooled, pooled, ()).items():
        if not np.array_equal(values, again[name], equal_nan=True):
            rule = "estimates of a wave must be measured again with the numbers of the run"
            way_out = "Seal it with the version of simengine that ran it, or run it again"
            raise ResultsError(f"{kept.folder}: {rule}; found other numbers in {name}. {way_out}")
    return {name: again[name] for name in waves}


def _changes(kept: KeptRun) -> tuple[str | None, list[str]]:
    settings = kept.summary["provenance"]["settings"]
    variant, overrides = settings.get("variant"), settings.get("overrides", [])
    if not isinstance(variant, str | None) or not isinstance(overrides, list):
        raise ResultsError(f"{kept.folder / 'summary.json'}: must be as `simengine run -o` writes it; found other settings")
    return variant, [str(one) for one in overrides]


def _distribution(name: str, values: Floats) -> SealedDistribution:
    is_there = np.isfinite(values)
    if not is_there.all():
        absent = int(np.count_nonzero(~is_there))
        rule = "a sealed result must be a number in every replication"
        raise UsageError(f"--results: {rule}; found {name!r} without one in {absent:,} of {len(values):,}. Leave it out")
    try:
        return sealed_distribution(values)
    except UsageError as error:
        raise UsageError(f"--results: {name!r}: {error}") from None
