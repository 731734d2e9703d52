"""What JSON says of a run; and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, cast

from pydantic import Field

from simengine.config import Study
from simengine.questions.run import trust
from simengine.questions.run.answer import Run
from simengine.questions.run.outside import OutsideView
from simengine.report import document, folder, steps
from simengine.report.answers import Heading, answer_heading, as_plain
from simengine.risk.sections import (
    DiagnosticsSection,
    LenderSection,
    MetricSection,
    OutcomeSection,
    PartySection,
    PayerSection,
    PaymentAgainstSaving,
    PeopleSection,
    StructureSections,
    TermSection,
    ValueSection,
)
from simengine.risk.statistics import MeanAndSd, Statistic


class SamplingContent(TypedDict):
    """How the numbers of the study were drawn."""

    sobol: bool
    """Whether they were spread evenly: `--sobol`."""
    tilts: Mapping[str, float]
    """By path: the shift of `--tilt`."""
    control_variates: bool
    """Whether results are corrected by known means: `--control-variates`."""
    measured: int
    """How often the same people were measured: `--measured`."""


_ByName = TypedDict(
    "_ByName",
    {
        "<name>": Annotated[
            PartySection,
            Field(
                description="By name of a lender or a payer, `all_lenders` and `all_payers` if several have the role: its money."
            ),
        ],
        "<lender>": Annotated[LenderSection, Field(description="The same, of who lends: its lending.")],
        "<payer>": Annotated[PayerSection, Field(description="The same, of who pays: its payments.")],
    },
)
"""A name in angle brackets stands for any."""


class RunContent(Heading, _ByName, StructureSections):
    """A run."""

    parties: Mapping[str, str]
    """By party: its name."""
    payment_against_saving: PaymentAgainstSaving
    """Joint statistics of payment and saving."""
    public_value: Mapping[str, ValueSection]
    """By party: who pays and who saves."""
    metrics: Mapping[str, MetricSection]
    """By metric: the evaluator's estimates."""
    terms: Mapping[str, TermSection]
    """By term: its payments."""
    outcomes: NotRequired[Mapping[str, OutcomeSection]]
    """By outcome counted person by person: what is claimed and paid; absent if there are none."""
    people: PeopleSection
    """How many entered."""
    person_months: Mapping[str, Mapping[str, MeanAndSd]]
    """By arm and state: months spent in the state by all people of the arm (`service`, `twin`, `baseline`), within the longest window."""
    diagnostics: Annotated[trust.DiagnosticsContent, DiagnosticsSection]
    """Diagnostics of the run."""
    assumptions: list[document.LedgerEntry]
    """The assumption ledger: every number of the study, then what it takes for granted."""
    exceedance: Mapping[str, list[trust.ExceedanceContent]]
    """By party: the exceedance curve of its loss, one entry for each of about 40 round amounts that span 99.8 % of the losses, and 0."""
    refused: list[document.RefusedContent]
    """Statistics that are not reported."""
    measures: NotRequired[Mapping[str, Statistic]]
    """By measure of `--measure`: its statistic; absent if none is requested ([amounts and measures](measures.md))."""
    outside: NotRequired[OutsideView]
    """The outside view: the study's own forecast against signed contracts; absent unless the study names a reference class and its plan."""
    sampling: SamplingContent
    """How the numbers of the study were drawn: the options of the same names."""
    precision: trust.PrecisionContent | None
    """The goals of `--until`; null if there are none."""


def run_content(study: Study, found: Run) -> RunContent:
    """Return what JSON says of a run."""
    content: dict[str, Any] = {
        **answer_heading(study, found),
        "parties": {name: party.name for name, party in study.parties.items()},
        **found.table.sections,
        "assumptions": document.assumptions(study),
        **trust.trust_content(found.table),
    }
    content["diagnostics"]["moves"] = steps.steps_content(study)
    if found.outside is not None:
        content["outside"] = as_plain(found.outside)
    if found.table.asked:
        content["measures"] = found.table.asked
    sampling: SamplingContent = {
        "sobol": found.sampling.is_sobol,
        "tilts": found.sampling.tilts,
        "control_variates": found.with_control_variates,
        "measured": found.sampling.measured,
    }
    content |= {"sampling": sampling, "precision": trust.precision(found.precise) if found.precise else None}
    return cast("RunContent", content)


def write_run(draft: Path, study: Study, found: Run) -> None:  # noqa: ARG001
    """Write one row per replication, and the exceedance curves."""
    folder.write_replications(draft, found.results)
    folder.write_rows(draft, "exceedance.parquet", trust.exceedance_rows(found.table))
