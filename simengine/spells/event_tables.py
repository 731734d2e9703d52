"""Show fitted events on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table

from simengine.spells.event_answer import EventsContent, FittedEventContent
from simengine.spells.fit_table import fit_table, test_cells
from simengine.spells.records import counts_shown


def events_tables(content: EventsContent) -> list[RenderableType]:
    """Lay out what was seen and fitted of events, and how well it fits."""
    fitted = content["fitted"]
    parts: list[RenderableType] = [_rates(content), _numbers(content)]
    parts += [_counts(name, one) for name, one in fitted.items()]
    if any(one["lengths"] is not None for one in fitted.values()):
        parts.append(_lengths(content))
    return parts


def _rates(content: EventsContent) -> Table:
    layout = fit_table(
        "Events: one rate for all, with its 90 % interval if people were alike", "event", "state", "events", "person-months",
        "a month", "from", "to",
    )  # fmt: skip
    for name, one in content["fitted"].items():
        for state, rate in one["rates"].items():
            n = counts_shown(0, content["file"]["small_cells"]) if rate.events is None else f"{rate.events:,}"
            figures = (f"{number:.4f}" for number in (rate.rate_per_month, *rate.interval_90))
            layout.add_row(name, state, n, f"{rate.person_months:,.0f}", *figures)
    return layout


def _numbers(content: EventsContent) -> Table:
    layout = fit_table("Events as they are written into a study", "number", "mean", "90 % interval")
    for one in content["fitted"].values():
        for number in one["numbers"]:
            layout.add_row(number.path, f"{number.mean:.4g}", f"{number.low:.4g} to {number.high:.4g}")
    return layout


def _counts(name: str, one: FittedEventContent) -> Table:
    test = one["counts"]
    said = (
        test.verdict
        if test.p_value is None
        else f"chi-square {test.chi_square:.1f}, {test.degrees} degrees, p {test.p_value:.2f}: {test.verdict}"
    )
    layout = fit_table(f"How many {name} a person had: {said}", "events", "people", "fitted", "95 % band")
    for each in test.classes:
        layout.add_row(each.words, f"{each.observed:,}", f"{each.expected:,.0f}", f"{each.low:,.0f} to {each.high:,.0f}")
    return layout


def _lengths(content: EventsContent) -> Table:
    layout = fit_table(
        "How long events last, observed against fitted", "event", "as", "distance", "at day", "inside band", "verdict"
    )
    for name, one in content["fitted"].items():
        if (lengths := one["lengths"]) is not None:
            test = lengths.test
            layout.add_row(name, lengths.kind, *test_cells(test.distance, test.at_day, test.inside, test.verdict))
    return layout


def events_sentences(content: EventsContent, *, same_file: bool) -> Iterator[str]:
    """Yield what was decided, put together and left out; the notes of a file once."""
    for name, one in content["fitted"].items():
        if one["counts"].way_out:
            yield f"`{name}` {one['counts'].verdict.replace('doubtful', 'is doubtful')}. {one['counts'].way_out}."
        if (lengths := one["lengths"]) is not None and lengths.log_likelihoods:
            compared = ", ".join(f"{kind} {value:,.1f}" for kind, value in lengths.log_likelihoods.items())
            yield f"`{name}`: the likeliest length is taken; log likelihoods: {compared}."
    if not same_file:
        yield from (f"{content['file']['name']}: {note}" for note in content["file"]["notes"])
    yield from content["notes"]
