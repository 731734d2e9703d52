"""Specification of a sizing: free terms, and each party's objective, limits and beliefs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from simengine.config.roles import lender_findings, money_findings
from simengine.distributions import Fixed, Number, Quantity, Spec, quantities_in, within
from simengine.errors import Finding, one_of, shorten
from simengine.risk.limits import Limit, contradiction, read_limit, read_measure
from simengine.risk.measures import Measure
from simengine.sections import FREE, lies_in

if TYPE_CHECKING:
    from simengine.config.study import Study

MOST_WINDOWS = 100
"""Every combination of windows is a separate measurement of the same people."""
RecommendRule = Literal["equal_sacrifice", "nash", "total"]


class Free(Spec):
    """A free term, and its range."""

    low: Number
    """Lower end of the range of the search."""
    high: Number
    """Upper end of the range of the search."""
    step: Annotated[Number, Field(gt=0)] | None = None
    """The term may only be `low` plus whole steps; a window needs one, in whole months like its ends; absent: any number."""

    @model_validator(mode="after")
    def _has_room(self) -> Free:
        if not self.low < self.high:
            raise ValueError(f"low must be below high; found {self.low:g} and {self.high:g}")
        if self.step is not None and self.step > self.high - self.low:
            raise ValueError(f"a step must not be longer than the range; found {self.step:g} from {self.low:g} to {self.high:g}")
        return self


def _measure(text: str) -> str:
    read_measure(text, "party")
    return text


def _limit(text: str) -> str:
    read_limit(text, "party")
    return text


class PartySide(Spec):
    """One party to the negotiation."""

    objective: Annotated[str, AfterValidator(_measure)] | None = None
    """What it wants to improve: a measure; absent: limits only."""
    without: Number | None = None
    """The value of its objective without a deal: it signs nothing worse; absent: no such limit."""
    limits: Annotated[tuple[Annotated[str, AfterValidator(_limit)], ...], Field(strict=False)] = ()
    """Its conditions: each a measure, `<=` or `>=`, and a number."""
    beliefs: dict[str, Quantity] = {}
    """By path under `effect`: its own value or distribution; absent: those of the study."""
    effect_multiple: Annotated[Fixed, AfterValidator(within(0, 100, "a multiple must lie between 0 and 100"))] | None = None
    """The multiple of the whole effect that it expects; absent: 1."""

    @model_validator(mode="after")
    def _without_what(self) -> PartySide:
        if self.without is not None and self.objective is None:
            raise ValueError("`without` must say what a party has of its objective without a deal; found no objective")
        return self


class Sizing(Spec):
    """The terms that are sized before signing, and the parties who must agree."""

    free: Annotated[dict[str, Free], Field(min_length=1)]
    """By path: the free terms. They are numbers under `contract` or `capital`, and the window of a metric,
    `measurement.metrics.<metric>.window_months`."""
    parties: dict[str, PartySide] = {}
    """By party: the parties to the negotiation; also `all_lenders` or `all_payers`, if several parties lend or pay."""
    recommend: RecommendRule = "equal_sacrifice"
    """The rule that chooses one term sheet on the frontier."""
    responding: bool = False
    """Whether every term sheet is settled at the response that it induces, according to `behaviour`."""

    def objectives(self) -> list[Measure]:
        """List the objectives of the parties, in their order."""
        return [read_measure(side.objective, name) for name, side in self.parties.items() if side.objective is not None]

    def measures_of(self, name: str) -> list[Measure]:
        """List the measures in the objective and the limits of one party."""
        return [measure for measure in [*self.objectives(), *(limit.measure for limit in self.limits())] if measure.party == name]

    def limits(self) -> list[Limit]:
        """List the limits of the parties, in their order, including the value of no deal."""
        found = []
        for name, side in self.parties.items():
            if side.objective is not None and side.without is not None:
                wanted = read_measure(side.objective, name)
                found.append(Limit(wanted, wanted.kind.more_is_better, side.without))
            found += [read_limit(text, name) for text in side.limits]
        return found


def free_numbers(study: Study) -> dict[str, Any]:
    """Return every number of a study that may be a free term, by its path."""
    numbers = [*quantities_in(study.contract, "contract"), *quantities_in(study.capital, "capital")]
    return {path: number for path, number in numbers if not path.startswith("contract.published.")} | _windows(study)


def _windows(study: Study) -> dict[str, Any]:
    """Return the window of every metric, by its path: people are followed for the longest one, and measured with each."""
    return {f"measurement.metrics.{name}.window_months": metric.window_months for name, metric in study.measurement.metrics.items()}


def own_windows(study: Study) -> dict[str, float]:
    """Return the months that a study itself has in those windows that its sizing leaves open, by path."""
    free = {} if study.sizing is None else study.sizing.free
    return {path: window.value for path, window in _windows(study).items() if path in free}


def steps_of(free: Free) -> list[float]:
    """List the values of a term that has steps."""
    assert free.step is not None, "the caller has looked"
    return [float(f"{free.low + k * free.step:.12g}") for k in range(int((free.high - free.low) / free.step + 1e-9) + 1)]


def sizing_problems(study: Study) -> Iterator[Finding]:
    """Find inconsistencies between the sizing and the rest of a study."""
    sizing = study.sizing
    if sizing is None:
        return
    for path in sizing.free:
        yield from _free(study, path)
    yield from _free_windows(study, sizing)
    if sizing.responding and study.behaviour is None:
        rule = "people must respond as the section `behaviour` says"
        yield "sizing.responding", rule, "no `behaviour`", "Add it, or leave `responding` out"
    for name, side in sizing.parties.items():
        where = f"sizing.parties.{name}"
        yield from money_findings(study, name, where)
        for measure in sizing.measures_of(name):
            yield from lender_findings(study, measure, where)
        yield from _beliefs(study, where, side.beliefs)
        if sizing.recommend == "nash" and side.objective is not None and side.without is None:
            rule = "with the rule `nash` every party must say what it has without a deal"
            yield where, rule, "no `without`", "Give it, often 0, or choose the rule equal_sacrifice"
    yield from _agreement(sizing)


def _free(study: Study, path: str) -> Iterator[Finding]:
    numbers = free_numbers(study)
    if path in numbers:
        return
    rule = "a free term must be a number of the contract or the capital, or the window of a metric"
    if not lies_in(path, (*FREE, "measurement")):
        ways = f"{' or '.join(f'{name}.' for name in FREE)}, or is one of {', '.join(_windows(study))}"
        yield f"sizing.free.{path}", rule, f"`{path}`", f"Its path begins with {ways}"
        return
    below = [known for known in numbers if known.startswith(f"{path}.")]
    stem = path.rpartition(".")[0]
    beside = [known for known in numbers if known.startswith(f"{stem}.")]
    near = below or beside or get_close_matches(path, numbers, n=4) or list(numbers)
    there = None if below else _text_at(study, path)
    if there is not None:
        way_out = "Give it a number in the study first" if there == "nothing there" else one_of(near[:12])
        yield f"sizing.free.{path}", rule, there, way_out
        return
    yield f"sizing.free.{path}", rule, "no number" if below else "no such path", one_of(near[:12])


def _text_at(study: Study, path: str) -> str | None:
    """Say what stands at a path that leads to no number; nothing where it leads nowhere."""
    node: Any = study.model_dump(mode="json")
    for name in path.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return None
        node = node[name]
    if isinstance(node, Mapping):
        return "no term of the contract"
    return "nothing there" if node is None else f"{shorten(node)}, which is no number"


def _free_windows(study: Study, sizing: Sizing) -> Iterator[Finding]:
    """Find windows that are not sought among whole months, or among too many choices."""
    n_choices = 1
    for path in own_windows(study):
        free = sizing.free[path]
        if free.step is None or any(not value.is_integer() for value in (free.low, free.high, free.step)):
            found = "no step" if free.step is None else f"{free.low:g} to {free.high:g} in steps of {free.step:g}"
            yield f"sizing.free.{path}", "a window must be sought in steps of whole months", found, "Write such as 12..36..6"
            return
        n_choices *= len({own_windows(study)[path], *steps_of(free)})
    if n_choices > MOST_WINDOWS:
        rule = f"there must be at most {MOST_WINDOWS} choices of the windows, for each is measured"
        yield "sizing.free", rule, f"{n_choices:,}", "Give longer steps"


def _beliefs(study: Study, where: str, beliefs: Mapping[str, Any]) -> Iterator[Finding]:
    effects = dict(quantities_in(study.effect, "effect"))
    for path, distribution in beliefs.items():
        if path not in effects:
            yield f"{where}.beliefs.{path}", "a belief must be about a number under `effect`", f"`{path}`", one_of(effects)
            continue
        _, name, key = path.split(".", 2)
        try:
            written = study.effect[name].model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            type(study.effect[name]).model_validate(written | {key: distribution})
        except ValidationError as error:
            rule, _, found = error.errors()[0]["msg"].removeprefix("Value error, ").partition("; found ")
            yield f"{where}.beliefs.{path}", rule, found, ""


def _agreement(sizing: Sizing) -> Iterator[Finding]:
    found = contradiction(sizing.limits())
    if found is not None:
        party = found[0].measure.party
        yield (
            f"sizing.parties.{party}.limits",
            "limits must be such that all can be kept",
            f"{found[0]} and {found[1]}",
            "Drop one of the two",
        )
    objectives = sizing.objectives()
    if not objectives and not sizing.limits():
        yield "sizing.parties", "somebody must want something, or have a limit", "neither an objective nor a limit", ""
    if sizing.recommend == "total":
        for measure in objectives:
            if not (measure.kind.is_money and measure.kind.more_is_better):
                rule = "the rule `total` adds objectives up: each must be money of which more is better"
                yield f"sizing.parties.{measure.party}.objective", rule, f"{measure}", "Choose the rule equal_sacrifice"
