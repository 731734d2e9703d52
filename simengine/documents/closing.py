"""The last sections of a report: the assumptions by how much they matter, what the model does not know, where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from simengine.distributions import Constant
from simengine.documents.blocks import Bullets, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import ReportFrame
from simengine.languages.language import DASH, sentence, typed
from simengine.replications.answer import Answer
from simengine.sections import AGREED, UNREAD, lies_in

CERTAINTIES: Mapping[str | None, str] = {
    "Q": sentence("stated in the source"),
    "D": sentence("derived from stated figures"),
    "C": sentence("sources conflict"),
    "P": sentence("published, but not read"),
    "U": sentence("not public or not found"),
    "M": sentence("general knowledge, not confirmed"),
    "R": sentence("recalled, not read again"),
    "assumption": sentence("assumed by the study"),
    "choice": sentence("a choice"),
    None: sentence("not classified"),
}
_DEFAULT = "the default"
"""How the notes begin of numbers that nobody typed."""
PROGRAM_LIMITS = (
    sentence(
        "A run estimates nothing from data: every number about people, effects and costs is what the study file says. If "
        "the assumed effect is wrong, every result is wrong, however small its error."
    ),
    sentence("People do not act on each other: crowding out and peers are not there."),
    sentence("The effect is the same for all people of a stratum, on the scale in which it is stated."),
    sentence(
        "Assumptions are independent of each other unless the study correlates them; what goes together only in extreme "
        "cases is not there."
    ),
    sentence("The evaluator does what the contract says, and does not adapt after seeing the data."),
    sentence("Parties do not respond to the terms in a run: whom to take, how hard to work and when to stop is as the study says."),
    sentence("Payers pay in full and on time unless the study says otherwise."),
    sentence("Parties discount at fixed rates; risk premia are not there."),
    sentence("Public-sector, tax and procurement rules are not modelled."),
    sentence(
        "No forecast of such contracts has been validated: too few are settled and published to tell a good forecast "
        "from a bad one."
    ),
)


def assumptions_pages(frame: ReportFrame) -> list[ReportPage]:
    """List the assumptions, those that matter most first."""
    return [ReportPage("assumptions", frame.language.say("The assumptions, by how much they matter"), list(_assumptions(frame)))]


def _importance(frame: ReportFrame) -> dict[str, float]:
    """Return the largest share of the differences of any party's result that goes with each assumption."""
    shares: dict[str, float] = {}
    for drivers in frame.drivers.values():
        for one in drivers:
            shares[one.path] = max(shares.get(one.path, 0.0), one.share.value)
    return shares


def _assumptions(frame: ReportFrame) -> Iterator[PageBlock]:
    say, shares = frame.language.say, _importance(frame)
    numbers = {path: number for path, number in frame.study.numbers.items() if not lies_in(path, UNREAD)}
    uncertain = [path for path, number in numbers.items() if not isinstance(number, Constant)]
    fixed = [path for path in numbers if path not in uncertain]
    yield Paragraph(
        say(
            "How much an assumption matters is the largest share of the differences between replications, of any party of this "
            "report, that goes with it. A dash: the run shows no clear influence."
        )
    )
    ordered = sorted(uncertain, key=lambda path: -shares.get(path, 0.0))
    rows = tuple(
        (
            typed(path),
            frame.range_of(path),
            frame.language.share(shares[path]) if path in shares else DASH,
            *_origin(frame, path),
        )
        for path in ordered
    )
    columns = (say("assumption"), say("9 of 10 draws lie in"), say("matters"), say("certainty"), say("source and note"))
    yield Sheet(say("Numbers with a distribution: {n}", n=len(rows)), columns, rows, frozenset({0, 1, 3, 4}))
    assumed = [path for path in fixed if numbers[path].is_assumed and not lies_in(path, AGREED)]
    others = [path for path in fixed if path not in assumed]
    for title, paths in (
        (say("Assumed, yet without a distribution, so that their uncertainty is missing: {n}", n=len(assumed)), assumed),
        (say("Other numbers, fixed: {n}", n=len(others)), others),
    ):
        if paths:
            fixed_rows = tuple((typed(path), frame.range_of(path), *_origin(frame, path)) for path in paths)
            heads = (say("number"), say("value"), say("certainty"), say("source and note"))
            yield Sheet(title, heads, fixed_rows, frozenset({0, 2, 3}))
    if frame.study.study.sources:
        yield Subtitle(say("Sources"))
        yield Bullets(tuple(typed(f"{code}: {text}") for code, text in frame.study.study.sources.items()))


def _origin(frame: ReportFrame, path: str) -> tuple[Markup, Markup]:
    number = frame.study.numbers[path]
    parts = [typed(number.source)] if number.source else []
    if number.note:
        is_default = number.note.startswith(_DEFAULT)
        parts.append(frame.language.say("a default of the program") if is_default else typed(number.note))
    return frame.language.say(CERTAINTIES[number.certainty]), Markup("; ").join(parts)


def limits_pages(frame: ReportFrame) -> list[ReportPage]:
    """Say what the study takes for granted and what the program leaves out."""
    say, granted = frame.language.say, frame.study.study.takes_for_granted
    blocks: list[PageBlock] = []
    if granted:
        rows = tuple(
            (typed(one.text), say(CERTAINTIES[one.certainty]), typed(one.source) if one.source else DASH)
            for one in granted.values()
        )
        columns = (say("taken for granted"), say("certainty"), say("source"))
        blocks.append(Sheet(say("What this study takes for granted"), columns, rows, frozenset({0, 1, 2})))
    blocks += [Subtitle(say("What the program does not know")), Bullets(tuple(map(say, PROGRAM_LIMITS)))]
    if frame.material.content["refused"]:
        n = frame.language.whole(len(frame.material.content["refused"]))
        blocks.append(Paragraph(say("Statistics that are not given because too few replications carry them: {n}.", n=n), "note"))
    return [ReportPage("limits", say("What the model does not know"), blocks)]


def provenance_pages(frame: ReportFrame, titles: Mapping[str, str]) -> list[ReportPage]:
    """Say where the numbers come from, so that somebody else gets them again.

    Parameters
    ----------
    titles
        By section of this report: its title.
    """
    return [ReportPage("provenance", frame.language.say("Where the numbers come from"), list(_provenance(frame, titles)))]


def _provenance(frame: ReportFrame, titles: Mapping[str, str]) -> Iterator[PageBlock]:
    say, content, language = frame.language.say, frame.material.content, frame.language
    came = content["provenance"]
    rows = [
        (say("study"), typed(content["title"])),
        (say("fingerprint of the study (SHA-256)"), _code(came["study_sha256"])),
        (say("replications"), Markup(language.whole(frame.material.n_replications))),
        (say("seed"), _code(frame.material.seed)),
    ]
    if came["settings"].get("variant"):
        rows.append((say("variant"), typed(came["settings"]["variant"])))
    rows += [(say("changed value"), typed(one)) for one in came["settings"].get("overrides") or ()]
    if "time" in came:
        rows.append((say("run on"), Markup(language.day(came["time"]["started"]))))
    rows.append((say("software"), _code(", ".join(f"{name} {version}" for name, version in came["software"].items()))))
    rows.append((say("machine"), _code(came["machine"]["system"])))
    for name, answer in frame.answers.items():
        if not isinstance(answer, Answer):
            continue  # what is said from outside takes no replications of its own
        asked = say("replications of the section {title}", title=say(titles[name]))
        rows.append((asked, Markup(language.whole(answer.n_replications))))
    yield Sheet(say("The run"), (say("what"), say("value")), tuple(rows), frozenset({0, 1}))
    if frame.material.is_kept:
        yield Paragraph(
            say(
                "The run was read from its folder; the checksums of all its files held. The line in {file} gives the same "
                "numbers again.",
                file=_code("run-again.txt"),
            )
        )
    else:
        yield Paragraph(
            say("The run was made for this report. The same study, seed and number of replications give the same numbers again.")
        )


def _code(text: object) -> Markup:
    return Markup('<code class="typed">{}</code>').format(str(text))
