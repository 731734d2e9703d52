"""A page for each party: what it can lose, how likely that is, what it depends on, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from simengine.config.roles import values_nothing, without_costs
from simengine.documents.blocks import KeyFigures, PageBlock, Paragraph, ReportPage, Sheet, Subtitle
from simengine.documents.frame import INVESTOR_ROLE, PAYER_ROLE, ReportFrame
from simengine.documents.pictures import drawing, money_distribution
from simengine.documents.stressed import severe_ones, stress_name
from simengine.languages.language import DASH, typed
from simengine.questions.stress.answer import StressTest
from simengine.questions.tradeoffs.answer import Tradeoffs
from simengine.report.term_names import short_names
from simengine.risk.coverage import is_constant
from simengine.risk.statistics import Statistic

_MOST_DRIVERS, _MOST_TERMS, _MOST_STRESSES = 5, 3, 3


def party_pages(frame: ReportFrame) -> list[ReportPage]:
    """Write a page for each party whose report it is."""
    return [
        ReportPage(f"party-{place}", frame.full_name(party), list(_page(frame, party, place)), on_own_page=True)
        for place, party in enumerate(frame.parties)
    ]


def _page(frame: ReportFrame, party: str, place: int) -> Iterator[PageBlock]:
    yield from _key_figures(frame, party)
    yield Subtitle(frame.language.say("What can it lose?"))
    yield from _what(frame, party)
    yield Subtitle(frame.language.say("How likely is that?"))
    yield from _how_likely(frame, party, place)
    yield Subtitle(frame.language.say("What does it depend on?"))
    yield from _on_what(frame, party)
    yield Subtitle(frame.language.say("What would change it?"))
    yield from _what_would_change(frame, party)


def _key_figures(frame: ReportFrame, party: str) -> Iterator[PageBlock]:
    say, of = frame.language.say, frame.material.of_party
    figures = [(say("result on average"), frame.money(of(party, "net.mean")))]
    if frame.knows_loss(party):
        figures.insert(0, (say("chance of a loss"), frame.language.chance(of(party, "p_loss"), with_error=False)))
        worst = of(party, "cvar95")
        if worst is not None:
            figures.append((say("average result in the worst 5 of 100"), frame.money(_minus(worst))))
    if frame.roles[party] == INVESTOR_ROLE:
        figures.append((say("rate of return on average cash, a year"), _per_year(frame, of(party, "irr_of_mean_cash"))))
    yield KeyFigures(tuple(figures))


def _per_year(frame: ReportFrame, one: Statistic | None) -> Markup:
    if one is None:
        return DASH
    return frame.language.say("{rate} %", rate=frame.language.statistic(one, 0.01, with_error=False))


def _what(frame: ReportFrame, party: str) -> Iterator[PageBlock]:
    say, of, role = frame.language.say, frame.material.of_party, frame.roles[party]
    mean = {
        name: frame.money(of(party, f"{name}.mean"))
        for name in ("money_in", "money_back", "payment", "true_saving", "cash", "value")
    }
    if role == INVESTOR_ROLE:
        said = say("It lends {lent} on average and gets {back} back.", lent=mean["money_in"], back=mean["money_back"])
    elif role == PAYER_ROLE and party in values_nothing(frame.study):
        said = say("It pays {paid} on average. What the effect is worth to it, the study does not say.", paid=mean["payment"])
    elif role == PAYER_ROLE:
        said = say(
            "It pays {paid} on average, and saves {saved} by the true effect.", paid=mean["payment"], saved=mean["true_saving"]
        )
    else:
        said = say(
            "What it receives less what it pays is {cash} on average; the effect is worth {value} to it.",
            **{name: mean[name] for name in ("cash", "value")},
        )
    yield Paragraph(said + _worst(frame, party) if frame.knows_loss(party) else said)
    if party in without_costs(frame.study):
        yield Paragraph(
            say("The study states no costs of this party: what it is paid counts as its result, and its risk is not known."),
            "warning",
        )


def _worst(frame: ReportFrame, party: str) -> Markup:
    say, of = frame.language.say, frame.material.of_party
    result = frame.material.rows.get(f"{party}.net")
    low, worst = of(party, "net.p05"), of(party, "cvar95")
    text = Markup("")
    if low is not None and low.value < 0:
        text += " " + say("In 1 replication of 20 it loses {amount} or more.", amount=frame.money(_minus(low)))
    if worst is not None and worst.value > 0:
        text += " " + say("In the worst 5 of 100 it loses {amount} on average.", amount=frame.money(worst))
    if result is not None:
        least, n = float(result.min()), frame.language.whole(frame.material.n_replications)
        if least < 0:
            text += " " + say("The largest loss in {n} replications is {amount}.", n=n, amount=frame.money(Statistic(-least, 0.0)))
        else:
            text += " " + say("In none of {n} replications does it lose anything.", n=n)
    return text


def _minus(one: Statistic) -> Statistic:
    ends = None if one.interval_95 is None else (-one.interval_95[1], -one.interval_95[0])
    return Statistic(-one.value, one.se, interval_95=ends, covers=one.covers)


def _how_likely(frame: ReportFrame, party: str, place: int) -> Iterator[PageBlock]:
    say, of, chance = frame.language.say, frame.material.of_party, frame.language.chance
    if not frame.knows_loss(party):
        yield Paragraph(say("The study does not say enough of this party to know how often it loses."))
        return
    said = say("It loses in {loss} of the replications.", loss=chance(of(party, "p_loss")))
    if frame.roles[party] == INVESTOR_ROLE:
        nothing = of(party, "repayment.no_repayment")
        if nothing is not None:
            said += " " + say("It gets nothing back in {nothing}.", nothing=chance(nothing))
    if (unpaid := of(party, "p_unpaid")) is not None:
        said += " " + say("It leaves something unpaid in {unpaid}.", unpaid=chance(unpaid))
    yield Paragraph(said)
    result = frame.material.rows.get(f"{party}.net")
    if result is None or is_constant(result):
        return
    paint = money_distribution(frame.language, result, frame.material.weights, frame.unit)
    told = say(
        "How often each result of this party occurs; {loss} of the replications are a loss.",
        loss=chance(of(party, "p_loss"), with_error=False),
    )
    yield drawing(paint, f"result-{place}", say("How often each result occurs; losses are hatched."), told)


def _on_what(frame: ReportFrame, party: str) -> Iterator[PageBlock]:
    say, drivers = frame.language.say, frame.drivers[party]
    if not drivers:
        yield Paragraph(say("Its result follows no assumption clearly: what varies is chance, or nothing varies."))
        return
    rows = [
        (
            *(typed(one.path), say("{low} to {high}", low=frame.language.number(one.low), high=frame.language.number(one.high))),
            *(frame.cell(one.mean_low), frame.cell(one.mean_high), frame.language.share(max(one.share.value, 0.0))),
        )
        for one in drivers[:_MOST_DRIVERS]
    ]
    columns = (
        *(say("assumption"), say("9 of 10 draws lie in"), say("result at its lowest fifth"), say("at its highest fifth")),
        say("share of the differences"),
    )
    caption = say("The assumptions that its result follows most, in {unit}", unit=frame.language.unit_name(frame.unit))
    yield Sheet(caption, columns, tuple(rows), frozenset({0, 1}))
    if len(drivers) > _MOST_DRIVERS:
        yield Paragraph(say("Further assumptions that it follows: {n}.", n=len(drivers) - _MOST_DRIVERS), "note")


def _what_would_change(frame: ReportFrame, party: str) -> Iterator[PageBlock]:
    terms, stress = frame.answers.get("tradeoffs"), frame.answers.get("stress")
    if isinstance(terms, Tradeoffs) and party in terms.base:
        yield from _terms(frame, party, terms)
    if isinstance(stress, StressTest) and party in stress.base:
        yield from _bad_times(frame, party, stress)
    if terms is None and stress is None:
        yield Paragraph(frame.language.say("The sections `tradeoffs` and `stress` answer this; they were not asked for."), "note")


def _terms(frame: ReportFrame, party: str, found: Tradeoffs) -> Iterator[PageBlock]:
    say, names = frame.language.say, dict(zip(found.terms, short_names(found.terms), strict=True))
    moved = sorted(found.terms.items(), key=lambda item: -abs(item[1].parties[party].npv.per_step.value))
    seen = [(path, one.parties[party]) for path, one in moved if abs(one.parties[party].npv.per_step.value) > 0][:_MOST_TERMS]
    step = frame.language.share(found.step)
    if not seen:
        yield Paragraph(say("No term of the contract or the capital moves its money."))
        return
    rows = []
    for path, worth in seen:
        risk = _points(frame, worth.p_loss.per_step) if frame.knows_loss(party) else DASH
        rows.append((typed(names[path]), frame.cell(worth.npv.per_step), risk))
    columns = (say("{step} more of", step=step), say("present value, change"), say("chance of a loss, points"))
    caption = say(
        "The terms that are worth most to it, in {unit} ({n} replications)",
        unit=frame.language.unit_name(frame.unit),
        n=frame.language.whole(found.n_replications),
    )
    yield Sheet(caption, columns, tuple(rows))


def _points(frame: ReportFrame, one: Statistic) -> Markup:
    return frame.language.statistic(one, 0.01)


def _bad_times(frame: ReportFrame, party: str, found: StressTest) -> Iterator[PageBlock]:
    say = frame.language.say
    worst = sorted(severe_ones(found), key=lambda item: item[2].moved[party].npv.value)
    hurting = [one for one in worst if one[2].moved[party].npv.value < 0][:_MOST_STRESSES]
    if not hurting:
        yield Paragraph(say("No stress takes anything from it."))
        return
    rows = []
    for name, severity, one in hurting:
        risk = frame.language.chance(one.standings[party].p_loss) if frame.knows_loss(party) else DASH
        rows.append((stress_name(frame.language, name, severity), frame.cell(one.moved[party].npv), risk))
    columns = (say("stress"), say("present value, change"), say("chance of a loss"))
    caption = say(
        "The stresses that hurt it most, in {unit} ({n} replications)",
        unit=frame.language.unit_name(frame.unit),
        n=frame.language.whole(found.n_replications),
    )
    yield Sheet(caption, columns, tuple(rows))
