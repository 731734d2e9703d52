"""Run any question and store its answer: contradictory requests are refused, a folder is complete or absent."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.question import Asked, Question, Source, Values, Work
from simengine.questions.subject import Size

if TYPE_CHECKING:
    from simengine.provenance import Provenance, Stopwatch
    from simengine.replications.blocks import OnPace

OnProgress = Callable[[int], None]


@dataclass(frozen=True)
class Posed:
    """A question that can be answered: every contradiction is refused, and nothing is simulated yet."""

    question: Question[Any]
    values: Values
    asked: Asked
    source: Source
    size: Size
    seed: int
    n_replications: int
    block_size: int

    @property
    def work(self) -> Work:
        """How many replications are worked on."""
        return self.question.worked(self.asked.subject, {**self.values, **self.asked.values}, self.n_replications)

    def answer(self, on_progress: OnProgress | None = None, on_pace: OnPace | None = None) -> Any:
        """Simulate, and answer."""
        from simengine.replications.answer import Answer
        from simengine.replications.ensemble import Ensemble

        ensemble = Ensemble(self.seed, self.n_replications, self.size.threads, self.block_size, on_progress, on_pace)
        found = self.question.ask(self.asked.subject, ensemble=ensemble, **self.asked.values)
        return (
            replace(found, told=partial(_as_plain, self.question.content, self.asked.subject))
            if isinstance(found, Answer)
            else found
        )

    def settings(self, found: Any) -> dict[str, Any]:
        """Return what was asked, for the provenance."""
        own: dict[str, Any] = {"seed": self.seed}
        if self.question.is_drawn:
            own |= {"replications": found.n_replications, "threads": self.size.threads, "block_size": self.block_size}
        shown = (option for option in self.question.options if option.is_recorded and not option.is_hidden)
        return own | {option.setting: option.plain(self.values[option.name]) for option in shown}

    def texts(self) -> dict[str, str]:
        """Write what was asked about, by the names of files."""
        return self.question.subject.texts(self.asked.subject, self.source.variant, self.asked.variants)

    def described(self, clock: Stopwatch, text: str, command: str, settings: Mapping[str, Any]) -> Provenance:
        """Describe how it was asked."""
        from simengine.provenance import describe_run

        contract = self.question.subject.contract_text(self.asked.subject)
        return describe_run(clock, text, settings, command=command, arguments=self.asked.arguments, contract_text=contract)

    def words(self, command: str, found: Any) -> list[object]:
        """Write the command that gives the same answer again in the folder where it is kept."""
        counts = ["-n", found.n_replications] if self.question.is_drawn else []
        own = self.question.words(self.values, self.asked.said)
        return [command, self.question.subject.file, *self.asked.arguments, *counts, "--seed", self.seed, *own]


def pose(question: Question[Any], subject: Any, size: Size, given: Values, source: Source) -> Posed:
    """Put a question, so that it can be answered.

    Parameters
    ----------
    question
        This one, or, where what is given says so, one that is asked in its place.
    subject
        What it is asked about, with its changes.
    size
        Of the simulation.
    given
        Values of options, by name.
    source
        Where the subject comes from.

    Raises
    ------
    UsageError
        If the options contradict each other or the study, or what is kept of the replications cannot be held.
    StudyError
        If what is asked makes another study of it, and that one cannot be.
    """
    meant, values = question.chosen(given)
    if size.replications is not None and (refusal := meant.sized_by(values)):
        raise UsageError(refusal)
    asked = meant.prepare(subject, values, source)
    seed, n_replications = meant.subject.size(asked.subject, size)
    block_size = meant.subject.block_size(asked.subject, n_replications, size)
    size = replace(size, block_size=block_size)
    kept = meant.kept(asked.subject, values, n_replications)
    meant.subject.refuse_if_too_large(asked.subject, kept, size, **meant.how_kept(values))
    return Posed(meant, values, asked, source, size, seed, n_replications, block_size)


def keep(
    posed: Posed,
    command: str,
    output: Path | None,
    answer: Callable[[], Any],
    describe: Callable[[str, Mapping[str, Any]], Any],
    *,
    is_told: bool = True,
) -> tuple[Any, dict[str, Any] | None]:
    """Answer a question, and keep the answer in a folder if one is named: whole, or not at all.

    Parameters
    ----------
    posed
        The question.
    command
        Which asks it.
    output
        The folder; it is claimed before the work begins.
    answer
        Does the work.
    describe
        From the text of what was asked about, and the settings, to the provenance.
    is_told
        Whether the caller reads the answer as plain numbers.

    Returns
    -------
    What was found; and the same as plain numbers with its provenance, None where neither a folder nor the caller asks for them.

    Raises
    ------
    ResultsError
        If the folder cannot be written or is in use.
    """
    from simengine.report import folder

    with nullcontext() if output is None else folder.results_folder(output) as draft:
        found = answer()
        content = told_with(posed, found, describe) if is_told or draft is not None else None
        if draft is not None and content is not None:
            write_answer(draft, posed, command, found, content)
    return found, content


def told_with(posed: Posed, found: Any, describe: Callable[[str, Mapping[str, Any]], Any]) -> dict[str, Any]:
    """Return an answer as plain numbers, with its provenance."""
    content = _as_plain(posed.question.content, posed.asked.subject, found)
    content["provenance"] = describe("".join(posed.texts().values()), posed.settings(found))
    return content


def write_answer(draft: Path, posed: Posed, command: str, found: Any, content: Mapping[str, Any]) -> None:
    """Write an answer, what was asked about, and the line that asks it again, into an empty folder."""
    from simengine.report import document, folder

    asked, question = posed.asked, posed.question
    files: dict[str, str | bytes] = {**posed.texts(), **asked.files, **question.files(asked, posed.source, found)}
    files["run-again.txt"] = asked_again(*posed.words(command, found))
    files[f"{question.answer_name or question.name}.json"] = document.as_json(content) + "\n"
    if question.picture is not None:
        files[f"{question.picture_name or question.name}.png"] = question.picture(asked.subject, found)
    folder.write_files(draft, files)
    if question.write is not None:
        question.write(draft, asked.subject, found)


def _as_plain(content: Callable[[Any, Any], Mapping[str, Any]], subject: Any, found: Any) -> dict[str, Any]:
    """Return what JSON says of an answer as plain numbers."""
    from simengine.report.answers import as_plain

    plain: dict[str, Any] = as_plain(content(subject, found))
    return plain


def asked_again(*words: object) -> str:
    """Write a command as a line that a shell runs as it stands, whatever blanks or signs its words hold."""
    return shlex.join(["simengine", *map(str, words)]) + "\n"
