"""Where the study stands among signed contracts: its own forecast of payments beside what they were paid of their plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from simengine.cohort.spec import ReferenceClass
from simengine.config import Study
from simengine.documents.blocks import PageBlock, Paragraph, ReportPage, Sheet
from simengine.documents.frame import ReportFrame
from simengine.documents.material import Material, statistic_from
from simengine.documents.pictures import class_curve, drawing
from simengine.errors import UsageError
from simengine.languages.language import DASH, typed
from simengine.questions.run.outside import OutsideView, view_of
from simengine.risk import statistics
from simengine.risk.roles import total_of_payers
from simengine.risk.statistics import Statistic
from simengine.risk.weighting import Weighting


@dataclass(frozen=True)
class ClassOfTables:
    """A reference class from a folder of public tables, for a study that names none."""

    chosen: str
    """Which projects make it up."""
    projects: int
    """From how many it is fitted."""
    unfinished: int
    """Those of them that go on."""
    levels: tuple[float, ...]
    """Probabilities from 0 to 1."""
    values: tuple[float, ...]
    """Paid over planned below which a project lies with them."""

    def with_plan(self, planned_payments: float) -> ReferenceClass:
        """Return the class as a study says it."""
        quantiles = {"distribution": "quantiles", "levels": self.levels, "values": self.values, "certainty": "D"}
        return ReferenceClass.model_validate({"paid_over_planned": quantiles, "planned_payments": planned_payments})


@dataclass(frozen=True)
class StudyOutside:
    """What is known of a study from outside."""

    known: ReferenceClass | None = None
    """The signed contracts."""
    view: OutsideView | None = None
    """The study held against them; absent without a class or without a plan."""
    tables: ClassOfTables | None = None
    """Where the class comes from public tables and not from the study."""
    plan_is_own: bool = False
    """Whether nobody said what the contract plans to pay, so that the study's own mean is the plan."""


def class_of_tables(folder: Path) -> ClassOfTables:
    """Fit all projects of a folder of public tables.

    Raises
    ------
    StudyError, UsageError
        If the tables cannot be read, or hold too few projects.
    """
    from simengine.reference_class.indigo import ProjectFilter
    from simengine.reference_class.layout import pinned_quantiles
    from simengine.reference_class.reference import read_reference

    found = read_reference(folder, ProjectFilter())
    levels, values = pinned_quantiles(found.fitted)
    return ClassOfTables(found.chosen, found.fitted.projects, found.fitted.unfinished, tuple(levels), tuple(values))


def refuse_class_of_tables(study: Study) -> None:
    """Refuse public tables beside a study that names a class of its own, or of which they tell nothing.

    Raises
    ------
    UsageError
        If the study has a reference class, or counts no outcome person by person.
    """
    if study.reference_class is not None:
        rule = "must go with a study that names no reference class"
        raise UsageError(f"--reference: {rule}; found one in `environment.reference_class`. Leave it out")
    if not study.measurement.counted:
        rule = "public tables tell of payments for outcomes that are counted person by person"
        raise UsageError(f"--reference: {rule}; found a study without `measurement.counted`. Leave it out")


def seen_from_outside(material: Material, tables: ClassOfTables | None, planned_payments: float | None) -> StudyOutside:
    """Hold a run against signed contracts.

    Parameters
    ----------
    material
        The run.
    tables
        The class of public tables; absent: that of the study, if it names one.
    planned_payments
        What the contract plans to pay to its end, in whole units of the currency; absent: what the run pays on average.
    """
    if tables is None:
        said = material.content.get("outside")
        view = None if said is None else OutsideView(**{**said, "own": statistic_from(said["own"])})
        return StudyOutside(material.study.reference_class, view)
    name = f"{total_of_payers(material.rows)}.payment"
    paid, weighting = material.rows[name], _weighting(material)
    # As the run states it, where it is corrected by known means.
    mean = material.get(f"{name}.mean") or statistics.mean(paid, weighting)
    if planned_payments is None and mean.value <= 0:
        raise UsageError("--reference: must go with a contract that pays something; found payments of 0. Say --planned-payments")
    plan = mean.value if planned_payments is None else planned_payments
    low, high = (statistics.quantile(paid, level, weighting).value / plan for level in (0.1, 0.9))
    known = tables.with_plan(plan)
    # The plan that is the mean itself lies at 1 for certain.
    own = Statistic(1.0, 0.0) if planned_payments is None else replace(mean, value=mean.value / plan, se=mean.se / plan)
    return StudyOutside(known, view_of(own, low, high, known), tables, planned_payments is None)


def _weighting(material: Material) -> Weighting | None:
    """Return how the rows of a run were drawn; None where all are independent and weigh the same."""
    weight, group = material.rows.get("weight"), material.rows.get("group")
    if weight is None and group is None:
        return None
    return Weighting(len(material.replications), weight, None if group is None else group.astype(np.int64))


def outside_pages(frame: ReportFrame) -> list[ReportPage]:
    """Say where the study stands among signed contracts, or that nothing is known of it."""
    found = frame.answers["outside"]
    assert isinstance(found, StudyOutside)
    return [ReportPage("outside", frame.language.say("Among signed contracts"), list(_blocks(frame, found)))]


def _blocks(frame: ReportFrame, found: StudyOutside) -> Iterator[PageBlock]:
    say = frame.language.say
    if found.known is None:
        yield Paragraph(
            say(
                "Nothing stands here: the study names no reference class, and no public tables were given. {command} reads them, and "
                "{option} of this report puts the study beside them.",
                command=_code("simengine reference"),
                option=_code("--reference"),
            )
        )
        return
    if found.view is None:
        yield Paragraph(
            say(
                "The study names a reference class, and every result contains it. It does not say what the contract plans to pay "
                "({key}), so where the study stands among signed contracts is not known.",
                key=_code("planned_payments"),
            ),
            "warning",
        )
    else:
        yield from _standing(frame, found, found.view)
    yield _in_numbers(frame, found.known, found.view)
    yield _picture(frame, found.known, found.view)
    # Public tables only stand beside the run; the class of a study multiplies it.
    if found.tables is None and found.view is not None and found.view.counted_twice:
        yield Paragraph(
            say(
                "The spread of the study and that of signed contracts hold some of the same: who comes, and who succeeds. It counts "
                "twice in this report, so its intervals are rather too wide than too narrow."
            ),
            "note",
        )
    yield Paragraph(_origin(frame, found), "note")


def _standing(frame: ReportFrame, found: StudyOutside, view: OutsideView) -> Iterator[PageBlock]:
    say, language = frame.language.say, frame.language
    plan = language.amount(frame.in_unit(view.planned_payments), frame.unit)
    less = language.whole(round(100 * view.paid_less))
    if found.plan_is_own:
        yield Paragraph(
            say(
                "Of 100 signed contracts {less} were paid less than they had planned. The plan of this contract was not stated; what "
                "the study expects on average, {plan}, stands in its place.",
                less=less,
                plan=plan,
            ),
            "answer",
        )
        return
    own = language.statistic(view.own, 1.0, with_error=False)
    yield Paragraph(
        say(
            "By itself the study expects payments of {own} times the plan of {plan}; of 100 signed contracts {less} were paid less of "
            "theirs.",
            own=own,
            plan=plan,
            less=less,
        ),
        "answer",
    )
    if view.is_optimistic:
        yield Paragraph(say("The study is more optimistic than nine in ten signed contracts turned out."), "warning")


def _in_numbers(frame: ReportFrame, known: ReferenceClass, view: OutsideView | None) -> Sheet:
    say, language = frame.language.say, frame.language
    low, middle, high = (float(one) for one in known.paid_over_planned.inverse(np.array([0.1, 0.5, 0.9])))
    rows = [
        (say("signed contracts: 1 of 10 was paid less than"), Statistic(low, 0.0)),
        (say("signed contracts: half were paid less than"), Statistic(middle, 0.0)),
        (say("signed contracts: 1 of 10 was paid more than"), Statistic(high, 0.0)),
    ]
    if view is not None:
        rows += [
            (say("this study by itself: 1 of 10 replications pays less than"), Statistic(view.own_low_80, 0.0)),
            (say("this study by itself: on average"), view.own),
            (say("this study by itself: 1 of 10 replications pays more than"), Statistic(view.own_high_80, 0.0)),
        ]

    def money(one: Statistic) -> Markup:
        if view is None:
            return DASH
        scaled = Statistic(one.value * view.planned_payments, one.se * view.planned_payments)
        return language.statistic(scaled, frame.unit[0]) if one.se else _shown(scaled, frame.in_unit(scaled.value), frame)

    return Sheet(
        say("Payments, as multiples of what was planned"),
        (say("what"), say("times the plan"), say("on the plan of this contract, {unit}", unit=language.unit_name(frame.unit))),
        tuple(
            (name, language.statistic(one, 1.0) if one.se else _shown(one, f"{one.value:.2f}", frame), money(one))
            for name, one in rows
        ),
    )


def _shown(one: Statistic, text: str, frame: ReportFrame) -> Markup:
    return Markup('<data value="{}">{}</data>').format(repr(one.value), frame.language.numeral(text))


def _picture(frame: ReportFrame, known: ReferenceClass, view: OutsideView | None) -> PageBlock:
    say, language = frame.language.say, frame.language
    half = language.numeral(f"{float(known.paid_over_planned.inverse(np.array([0.5]))[0]):.2f}")
    told = say(
        "How many of 100 signed contracts were paid less than each multiple of their plan; half less than {half}.", half=half
    )
    own = None if view is None else (view.own_low_80, view.own.value, view.own_high_80)
    return drawing(class_curve(language, known.paid_over_planned.inverse, own), "outside", told, told)


def _origin(frame: ReportFrame, found: StudyOutside) -> Markup:
    say, tables = frame.language.say, found.tables
    few = say(
        "Few contracts have published both what they planned and what they were paid. They may differ from this one in country, "
        "target group and kind of contract."
    )
    if tables is not None:
        whence = say(
            "The signed contracts: {n} projects of public tables, of which {unfinished} go on; the uncertainty of so few is in the "
            "curve.",
            n=frame.language.whole(tables.projects),
            unfinished=frame.language.whole(tables.unfinished),
        )
        return whence + " " + few
    assert found.known is not None
    number = found.known.paid_over_planned
    said = Markup("; ").join(typed(text) for text in (number.source, number.note) if text)
    return say("The signed contracts are those that the study names: {source}.", source=said) + " " + few if said else few


def _code(text: str) -> Markup:
    return Markup('<code class="typed">{}</code>').format(text)
