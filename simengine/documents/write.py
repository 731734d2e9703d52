"""Write a report of a run or a study: as HTML or PDF, whole or not at all."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.asked import names_asked, number, one_of_words, place_asked, whole
from simengine.disk import sum_of
from simengine.documents.compose import composed
from simengine.documents.frame import AUDIENCES, ReportFrame, roles_of
from simengine.documents.material import Material, kept_material, made_material, refuse_with_run
from simengine.documents.outside import class_of_tables, refuse_class_of_tables, seen_from_outside
from simengine.documents.sections import COMPARED, OUTSIDE, ReportSection, chosen_sections
from simengine.errors import ResultsError, UsageError
from simengine.languages.language import ENGLISH_CODE, language
from simengine.questions.compare.designs import OWN_CONTRACT
from simengine.questions.driver import Posed, pose
from simengine.questions.question import Source
from simengine.questions.subject import Size
from simengine.report.drafts import new_draft

if TYPE_CHECKING:
    from simengine.config import Study

FURTHER = 500
"""Replications of the questions beside the run, where nobody says."""
_MOST_FURTHER, _MOST_CONTRACTS, _MOST_PLANNED = 1_000_000, 2, 1e15
_FORMS = (".html", ".pdf")
Answering = Callable[[Posed, str], Any]
"""From a question that is posed, and its name, to its answer."""


@dataclass(frozen=True)
class ReportAsked:
    """What report is asked for."""

    sections: tuple[str, ...] = ()
    """Names of sections; empty: those of every report."""
    audience: str | None = None
    """`investor`, `outcome_payer` or `service_provider`; absent: all parties."""
    language: str = ENGLISH_CODE
    contracts: tuple[str, ...] = ()
    """Files of contracts, or variants, that are compared with the study's own contract."""
    n_further: int = FURTHER
    """Replications of the questions beside the run; no more than the run has."""
    reference: Path | None = None
    """Folder of public tables of signed contracts, for a study that names no reference class."""
    planned_payments: float | None = None
    """What the contract plans to pay to its end; absent: what the study expects."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """`overrides` and `variant` of a study."""

    def __post_init__(self) -> None:
        """Refuse what no report can be."""
        names_asked(self.sections, "--sections")
        names_asked(self.contracts, "--contract")
        language(self.language)
        if self.audience is not None:
            one_of_words(self.audience, "--audience", AUDIENCES)
        whole(self.n_further, "--further", 2, _MOST_FURTHER)
        if len(self.contracts) > _MOST_CONTRACTS:
            rule = f"must be at most {_MOST_CONTRACTS}, beside that of the study"
            raise UsageError(f"--contract: {rule}; found {len(self.contracts)}. `simengine compare` takes more")
        if COMPARED in self.sections and not self.contracts:
            raise UsageError("--sections: `compare` must go with --contract; found none. Add `--contract FILE`")
        if self.reference is not None and self.sections and OUTSIDE not in self.sections:
            raise UsageError("--reference: must go with the section `outside`; found --sections without it. Add it")
        if self.planned_payments is not None:
            if self.reference is None:
                raise UsageError("--planned-payments: must go with --reference; found none. Add `--reference FOLDER`")
            number(self.planned_payments, "--planned-payments", 1, _MOST_PLANNED)


def write_report(
    place: Path | str,
    output: Path | str,
    *,
    sections: Sequence[str] = (),
    audience: str | None = None,
    language: str = ENGLISH_CODE,
    contracts: Sequence[str] = (),
    n: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    further: int = FURTHER,
    reference: Path | str | None = None,
    planned_payments: float | None = None,
    variant: str | None = None,
    overrides: Sequence[str] = (),
) -> Path:
    """Write a report for a finance committee, and return its place.

    Parameters
    ----------
    place
        A folder that `simengine run -o` wrote, or the file of a study, which is then run.
    output
        A new file; its ending says the form: `.html` or `.pdf`.
    sections
        Names of sections, as the reference of the command line lists them; none: those of every report.
    audience
        Whose report it is: "investor", "outcome_payer" or "service_provider"; absent: everybody's.
    language
        Code of the language: "en" or "sv".
    contracts
        At most two files of contracts, or variants of the study, that are compared with its own.
    n, seed, variant, overrides
        Of a study, as for `run`; a kept run has its own.
    threads
        Blocks that run at once; changes no bit of the report.
    further
        Replications of the questions beside the run.
    reference
        A folder of public tables of signed contracts, beside which the study is put; absent: those that the study names.
    planned_payments
        What the contract plans to pay to its end, in whole units of the currency; absent, with such tables: what the study expects.

    Raises
    ------
    UsageError, StudyError
        If there is no such section, audience or language, or the study cannot be what is asked.
    ResultsError
        If the folder holds no whole run, or the report cannot be written.
    """
    asked = ReportAsked(
        tuple(names_asked(sections, "sections")),
        audience,
        language,
        tuple(names_asked(contracts, "contracts")),
        further,
        None if reference is None else place_asked(reference, "--reference"),
        planned_payments,
        {"overrides": tuple(overrides), "variant": variant},
    )
    outputs = free_outputs([output])
    publish(outputs, reported(Path(place), asked, Size(n, seed, threads), lambda posed, _: posed.answer()))
    return outputs[0]


def reported(place: Path, asked: ReportAsked, size: Size, answered: Answering) -> str:
    """Return a report as one HTML file.

    Parameters
    ----------
    place
        The folder of a run, or the file of a study.
    asked
        Which report.
    size
        Of the run, where a study is run.
    answered
        Asks a question: shows how far it is, and how long it takes.
    """
    # What costs nothing is read first: nothing is simulated for a report that cannot be written.
    tables = None if asked.reference is None else class_of_tables(asked.reference)
    if place.is_dir():
        refuse_with_run(size, asked.changes)
        material = kept_material(place)
    else:
        material = made_material(place, size, asked.changes, answered, lambda study: _chosen(asked, study))
    chosen = _chosen(asked, material.study)
    source = _source(place, asked, material)
    answers: dict[str, Any] = {}
    designs: Mapping[str, Study] = {}
    for section in chosen:
        if section.question is None:
            continue
        n = min(max(asked.n_further, section.least), material.n_replications)
        given = {"contracts": asked.contracts} if section.name == COMPARED else section.given
        with _in_words_of_report():
            posed = pose(section.question, material.study, Size(n, material.seed, size.threads, size.block_size), given, source)
            if section.name == COMPARED:
                designs = {OWN_CONTRACT: material.study, **posed.asked.values["others"]}
            answers[section.name] = answered(posed, section.name)
    if any(section.name == OUTSIDE for section in chosen):
        answers[OUTSIDE] = seen_from_outside(material, tables, asked.planned_payments)
    frame = ReportFrame(material, language(asked.language), asked.audience, answers)
    return composed(frame, chosen, designs)


@contextmanager
def _in_words_of_report() -> Iterator[None]:
    """Say a refusal of a question beside the run with the option that says how many replications it has."""
    try:
        yield
    except UsageError as error:
        if type(error) is not UsageError:
            raise
        raise UsageError(re.sub(r"(?<![\w-])-n(?![\w-])", "--further", str(error))) from None


def _chosen(asked: ReportAsked, study: Study) -> tuple[ReportSection, ...]:
    """Return the sections that are asked for, once it is sure that the study has them, and a party of the audience."""
    if asked.audience is not None and asked.audience not in roles_of(study).values():
        rule = "must be a role of a party whose money the study moves"
        raise UsageError(f"--audience: {rule}; found {asked.audience!r}, which nobody has. Leave it out")
    if asked.reference is not None:
        refuse_class_of_tables(study)
    return chosen_sections(asked.sections, study, with_contracts=bool(asked.contracts), with_tables=asked.reference is not None)


def _source(place: Path, asked: ReportAsked, material: Material) -> Source:
    """Say where other variants of the study come from: a kept study has none but those that were compared."""
    variant = asked.changes.get("variant")
    return (
        Source(variant, lambda name: material.study.with_(variant=name))
        if place.is_dir()
        else Source(variant, lambda name: _variant_of(place, asked, name))
    )


def _variant_of(place: Path, asked: ReportAsked, name: str) -> Study:
    from simengine.config import load_study

    return load_study(place, asked.changes.get("overrides", ()), name)


def free_outputs(names: Sequence[Path | str]) -> list[Path]:
    """Return where reports are written, once it is sure that they can be.

    Raises
    ------
    UsageError, ResultsError
        If a name has another ending, a file stands there already, the folder cannot be written, or a PDF cannot be made.
    """
    if not names:
        raise UsageError("-o: must be the name of a file that ends in .html or .pdf; found none")
    paths = []
    for name in names:
        path = Path(name)
        if not str(name).strip() or path.suffix.lower() not in _FORMS:
            raise UsageError(f"-o: must be the name of a file that ends in .html or .pdf; found {str(name)!r}")
        if path.exists() or path in paths:
            raise ResultsError(f"-o {path}: must be a new file; found one that exists. Give another name")
        if not path.resolve().parent.is_dir() or not os.access(path.resolve().parent, os.W_OK):
            raise ResultsError(f"-o {path}: must lie in a folder that can be written; found {path.resolve().parent.name!r}")
        if path.suffix.lower() == ".pdf":
            from simengine.documents.pdf import refuse_without_library

            refuse_without_library(path)
        paths.append(path)
    return paths


def publish(outputs: Sequence[Path], html: str) -> None:
    """Write a report in the forms that are asked for: each file appears whole, or none.

    Raises
    ------
    ResultsError
        If a file cannot be written.
    """
    made = {path: _in_form(path, html) for path in outputs}
    for path, content in made.items():
        try:
            with new_draft(path.resolve().parent) as draft:
                part = draft / path.name
                with part.open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                # Unlike a renaming, a link takes nothing's place.
                os.link(part, path)
        except OSError as error:
            reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
            raise ResultsError(f"-o {path}: the report must be written; found: {reason}. Nothing was left behind") from None


def _in_form(path: Path, html: str) -> bytes:
    if path.suffix.lower() != ".pdf":
        return html.encode()
    from simengine.documents.pdf import as_pdf

    return as_pdf(html, sum_of(html.encode())[:32].encode())
