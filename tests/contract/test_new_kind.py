"""A kind of term that nobody has heard of: what it says of itself is all that rules, units, levels and the contract check need."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from simengine.config.levels import unreachable_levels
from simengine.contract.program import Register
from simengine.contract.rules import MOST_LIMITS, contract_rules
from simengine.contract.scope import Scope
from simengine.contract.spec import Contract
from simengine.contract.terms import TERM_KINDS, Band, Named, Source, Term
from simengine.contract.terms.base import Edge, FixedLevel, MilestoneList, WavesApart
from simengine.contract_text.lint import lint_contract
from simengine.distributions.spans import Span
from simengine.errors import Finding
from simengine.settlement import replay

METRIC = {"meaning": "x", "evaluator": "x", "when_missing": 0}
RAW = {
    "title": "A test",
    "currency": "SEK",
    "commitment": 1_000_000,
    "metrics": {"saving": METRIC | {"unit": "SEK"}, "school": METRIC | {"unit": "share"}, "other": METRIC | {"unit": "SEK"}},
    "dates": {"early": {"month": 12}, "late": {"month": 24}},
    "terms": {"all": {"sum": ["saving", "other"], "floor": 0, "cap": 1000, "at": ["late"]}},
}
NO_DATES = {"dates": {}, "terms": {"all": {"amount": 1}}}
ENTRY = {"milestones": {"entry": "starts"}}
WAVES = {"waves": {"first": "x", "second": "x"}}


class Middle(Term):
    """The middle one of three, and whatever else a test wants of it; without a key it is no kind yet."""

    middle: tuple[Source, ...] = ()
    of: Source | None = None
    named: tuple[str, ...] = ()
    rows: tuple[Band, ...] = ()

    def formula(self, scope: Scope) -> Register:
        one, two, three = map(scope.value, self.middle)
        code = scope.code
        return code.greatest(code.least(one, two), code.least(code.greatest(one, two), three))


Make = Callable[..., Term]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return what makes a term of a new kind, with traits, of some sources."""

    def made(*sources: str | Term, traits: dict | None = None, is_dated: bool = True, **fields: object) -> Term:
        kind = type("NewKind", (Middle,), {"key": "middle", "__module__": __name__, **(traits or {})})
        middle = tuple(Named(one) if isinstance(one, str) else one for one in sources)
        return kind.model_construct(middle=middle, **({"at": ("late",)} if is_dated else {}), **fields)

    yield made
    TERM_KINDS.pop("middle", None)


def contract_of(term: Term, **changes: object) -> Contract:
    contract = Contract.model_validate(RAW | changes)
    return contract.model_copy(update={"terms": {**contract.terms, "new": term}})


def found(contract: Contract) -> list[str]:
    return [f"{path}: {rule}; found {fact}" for path, rule, fact, _ in contract_rules(contract)]


def checked(contract: Contract) -> set[tuple[str, str]]:
    assert found(contract) == []
    return {(remark.rule, remark.key) for remark in lint_contract(contract)}


def test_new_kind__is_settled(make: Make) -> None:
    contract = contract_of(make("saving", "school", "other", floor=Named("drawn"), is_dated=False))
    assert found(contract) == []
    outcomes = {"saving": 700.0, "school": 1.0, "other": 900.0}
    assert replay(contract, outcomes, 100.0).by_due[0, 1].tolist() == [700, 700]
    assert replay(contract, outcomes, 800.0).by_due[0, 1].tolist() == [800, 800]


def test_new_kind__without_traits_is_looked_at_like_most(make: Make) -> None:
    assert found(contract_of(make("saving", "school", "other"), **NO_DATES | {"metrics": RAW["metrics"]})) == [
        "terms.new.at: must be a date of the contract; found `late`",
        "terms.new.at: the dates of a term must stand once, in the order of `dates`; found late",
    ]
    contract = contract_of(make("saving", "school", "other"))
    assert {rule for rule, key in checked(contract) if key.startswith("terms.new")} == {"unbounded", "owed_back"}


def test_new_kind__names_what_exists(make: Make) -> None:
    term = make("savings", traits={"names_terms": "named"}, named=("all", "every"))
    assert found(contract_of(term)) == [
        "terms.new.named: a term must refer to money, a metric, or a term before it; found `every`",
        "terms.new.middle.0: a term must refer to money, a metric, or a term before it; found `savings`",
    ]


def test_new_kind__looks_at_the_calendar_where_it_says_so(make: Make) -> None:
    term = make("saving", traits={"looks_at_calendar": True}, is_dated=False)
    assert found(contract_of(term, **NO_DATES)) == [
        "terms.new.middle: `middle` must look at the calendar; found a contract without `dates`"
    ]


def test_new_kind__may_stand_alone_and_have_rules_of_its_own(make: Make) -> None:
    def findings(self: Middle, contract: Contract) -> Iterator[Finding]:
        if len(self.middle) != 3:
            yield "middle", "three have a middle", f"{len(self.middle)} of {len(contract.metrics)}", ""

    term = make("saving", traits={"may_stand_inside": False, "findings": findings})
    assert found(contract_of(term)) == ["terms.new.middle: three have a middle; found 1 of 3"]
    inside = contract_of(contract_of(term).terms["all"].model_copy(update={"cap": term.model_copy(update={"at": ()})}))
    assert "terms.new.cap: a middle must be a term of the contract itself; found one inside another term" in found(inside)
    assert "terms.new.cap.middle: three have a middle; found 1 of 3" in found(inside)


def test_new_kind__counts_its_limits(make: Make) -> None:
    term = make(*["saving"] * (MOST_LIMITS + 1), traits={"limit_keys": ("middle",)})
    assert found(contract_of(term)) == [
        f"terms.new: a term must have at most {MOST_LIMITS} limits inside, so that each can be told; found {MOST_LIMITS + 1}"
    ]


def test_new_kind__has_a_level_that_is_compared(make: Make) -> None:
    def fixed_level(self: Middle) -> FixedLevel:
        return FixedLevel(float(len(self.middle)), "drawn")

    more, less = (make(*["drawn"] * number, traits={"fixed_level": fixed_level}, is_dated=False) for number in (3, 1))
    contract = contract_of(make("saving", floor=more, cap=less))
    assert "terms.new.floor: a floor must not be above the cap; found a floor of 3 of drawn, a cap of 1 of drawn" in found(contract)


def test_new_kind__puts_only_like_things_together(make: Make) -> None:
    traits = {"keeps_unit": True, "alike": lambda self: self.middle}
    unlike = "what is added, compared or subtracted must be in one unit; found `SEK` and `share`"
    assert found(contract_of(make("saving", "school", traits=traits))) == [f"terms.new.middle: {unlike}"]
    contract = contract_of(make("saving", "other", traits=traits))
    derived = contract.metrics["school"].model_copy(update={"derived": contract.terms["new"].model_copy(update={"at": ()})})
    contract = contract.model_copy(update={"metrics": {"saving": contract.metrics["saving"], "school": derived}})
    assert (
        "metrics.school.unit: a derived metric must be in the unit of what it follows from; found `share`, and `SEK` of its parts"
        in found(contract)
    )


def test_new_kind__says_how_far_it_goes(make: Make) -> None:
    def formula_span(self: Middle, span_of: Callable[[Source], Span]) -> Span:
        low, high = (sorted(ends)[1] for ends in zip(*map(span_of, self.middle), strict=True))
        return low, high

    def edges(self: Middle) -> tuple[Edge, ...]:
        return (Edge("rows.0", 8.0, "from"),)

    inner = make("saving", "school", "other", traits={"formula_span": formula_span}, is_dated=False)
    contract = contract_of(make("saving", traits={"looks_at": "of", "edges": edges}, of=inner))
    reaches = {"saving": (0.0, 5.0), "school": (1.0, 7.0), "other": (2.0, 9.0)}
    assert [f"{path}: {rule}; found {level}" for path, rule, level, _ in unreachable_levels(contract, reaches)] == [
        "terms.new.rows.0: a level must be one that `terms.new.of` can reach, 1 to 7; found 8"
    ]


def test_new_kind__stands_in_where_something_is_missing(make: Make) -> None:
    school = {"meaning": "x", "unit": "share", "evaluator": "x"}
    metrics = {
        "metrics": RAW["metrics"] | {"school": school},
        "terms": {"all": {"amount": 5, "contingent": False, "at": ["early"]}},
    }
    limits = {"floor": Named("all"), "cap": Named("drawn")}
    missing = ("missing_data", "metrics.school")
    assert missing in checked(contract_of(make("saving", "school", "other", **limits), **metrics))
    covered = make("saving", "school", "other", traits={"covers_missing": True}, **limits)
    assert missing not in checked(contract_of(covered, **metrics))


def test_new_kind__has_a_table_of_its_own(make: Make) -> None:
    def bands(self: Middle) -> tuple[Band, ...]:
        return self.rows

    def formula(self: Middle, scope: Scope) -> Register:
        paid = scope.code.constant(0.0)
        for row in reversed(self.rows):
            paid = scope.code.choose(row.is_open(scope.value(self.of), scope), scope.value(row.pays), paid)
        return paid

    raw = [{"at_least": 0.5, "pays": 100}, {"at_least": 0.1, "below": 0.4, "pays": 900}]
    traits = {"looks_at": "of", "bands": bands, "formula": formula}
    term = make(
        "school", traits=traits | {"can_fall": lambda self: True}, of=Named("school"), rows=tuple(map(Band.model_validate, raw))
    )
    remarks = checked(contract_of(term))
    assert {("gap", "terms.new.middle"), ("not_monotone", "terms.new.middle")} <= remarks


def test_new_kind__prices_milestones(make: Make) -> None:
    listed = property(lambda self: MilestoneList({"entry": 5.0}, None, is_in_order=False))
    zero = {"formula": lambda self, scope: scope.code.constant(0.0)}
    unpriced, twice = ("unpriced", "milestones.entry"), ("priced_twice", "terms.new.middle.entry")
    paid = {"terms": {"people": {"milestones": {"entry": 5}, "cap": 100, "at": ["late"]}}}
    assert unpriced in checked(contract_of(make("saving", traits=zero), **ENTRY))
    assert unpriced not in checked(contract_of(make("saving", traits=zero | {"milestone_list": listed}), **ENTRY))
    assert twice not in checked(contract_of(make("saving", traits=zero), **ENTRY, **paid))
    assert twice in checked(contract_of(make("saving", traits=zero | {"milestone_list": listed}), **ENTRY, **paid))
    one = make("saving", traits=zero | {"milestone_list": listed}, is_dated=False)
    outer = {"formula": zero["formula"], "pays_one_of_several": True}
    assert twice not in checked(contract_of(make(one, traits=outer), **ENTRY, **paid))


def test_new_kind__tells_waves_apart(make: Make) -> None:
    def waves_apart(self: Middle, contract: Contract) -> WavesApart:
        return WavesApart("middle", tuple(contract.waves)[:1], is_cumulative=False)

    term = {"sum": ["saving"], "floor": 0, "cap": 9}
    gated = {"terms": {"all": term | {"at": ["late"], "only_if": {"school": {"at_least": 0.3}}}}}
    below = Contract.model_validate(RAW | {"terms": {"all": term | {"only_if": {"school": {"at_most": 0.3}}}}}).terms["all"]
    formula = {"formula": lambda self, scope: scope.value(self.middle[0])}
    tie = ("tie", "terms.new.middle.0.only_if.school.at_most")
    assert tie in checked(contract_of(make(below, traits=formula), **WAVES, **gated))
    # The one looks at all waves together, the other at one of them.
    assert tie not in checked(contract_of(make(below, traits=formula | {"waves_apart": waves_apart}), **WAVES, **gated))
    unused = ("unused", "waves.second")
    prices = formula | {"prices_waves": property(lambda self: True)}
    assert unused in checked(contract_of(make("saving", traits=formula), **WAVES))
    assert unused not in checked(contract_of(make("saving", traits=prices), **WAVES))


def test_new_kind__accrues(make: Make) -> None:
    formula = {"formula": lambda self, scope: scope.value(self.middle[0])}
    again = ("pays_again", "terms.new")
    assert again in checked(contract_of(make("saving", traits=formula, is_dated=False)))
    assert again not in checked(contract_of(make("saving", traits=formula | {"accrues": True}, is_dated=False)))


def test_new_kind__counts_outcomes(make: Make) -> None:
    formula = {"formula": lambda self, scope: scope.value(self.middle[0])}
    outcomes = {"outcomes": {"job": {"meaning": "has work"}}}
    unpriced = ("unpriced_outcome", "outcomes.job")
    assert unpriced in checked(contract_of(make("saving", traits=formula), **outcomes))
    counting = formula | {"counted_outcomes": property(lambda self: ("job",))}
    assert unpriced not in checked(contract_of(make("saving", traits=counting), **outcomes))
