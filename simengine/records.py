"""The nouns: every array that travels between stages, with its axes, its unit and its meaning.

Axes have one name each: `replication` (one Monte Carlo world), `wave` (people who enter together), `arm` (service, twin,
baseline), `state`, `outcome`, `window` (months after a person's entry), `year` (of the calendar, from the start of the study),
`metric`, `combination` (of milestones), `pair` (of outcomes), `term`, `due` (a date on which the contract pays), `date` (month
of the calendar, 0 is the first), `line` (one kind of posting), `tranche`.

The *twin* arm holds the same people with the same luck, without the service: the true effect of each world, which no
evaluator sees. Other people, without the service, stand in the arms against which an evaluator may compare: *baseline*,
earlier people (it has one wave); *control*, those of the same referral whom a lot left out; *parallel*, people elsewhere;
*matched*, people chosen to be like the service users, and *matched_service*, those of the service users for whom somebody
was found. *service_before* and *parallel_before* are others of the same places, seen in the months before entry alone: a
cross-section. An arm that nobody asks for is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import add
from typing import Annotated, Any, cast, get_type_hints

import numpy as np
from numpy.typing import NDArray

from simengine.asked import refuse_mixed

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ARMS = ("service", "twin", "baseline", "control", "parallel", "matched_service", "matched", "service_before", "parallel_before")
SERVICE, TWIN, BASELINE, CONTROL, PARALLEL, MATCHED_SERVICE, MATCHED, SERVICE_BEFORE, PARALLEL_BEFORE = range(9)


@dataclass(frozen=True)
class Axes:
    """The axes of an array in order, separated by blanks, and its unit."""

    names: str
    unit: str = ""


class Record:
    """A frozen bundle of arrays whose shared axes have the same length."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together: always a defect of the stage that made them."""
        lengths: dict[str, int] = {}
        for name, axes in axes_of(cast(Any, type(self))).items():
            if getattr(self, name) is None:
                continue
            shape = getattr(self, name).shape
            names = axes.names.split()
            if len(shape) != len(names):
                raise ValueError(f"{type(self).__name__}.{name} has axes {names}; found shape {shape}")
            for axis, length in zip(names, shape, strict=True):
                if lengths.setdefault(axis, length) != length:
                    raise ValueError(f"{type(self).__name__}.{name}: axis {axis} has {length}, elsewhere {lengths[axis]}")


@cache
def axes_of(record: Any) -> dict[str, Axes]:
    """Give the axes of every array of a record, by its name."""
    hints = get_type_hints(record, include_extras=True)
    return {name: axes for name, hint in hints.items() for axes in getattr(hint, "__metadata__", ()) if isinstance(axes, Axes)}


@dataclass(frozen=True, eq=False)
class Worlds(Record):
    """The parameters of each replication, drawn from their laws."""

    seed: int
    replications: Annotated[Integers, Axes("replication")]
    """The numbers of the replications."""
    values: Mapping[str, Floats]
    """By path in the study: one value per replication."""
    weight: Annotated[Floats | None, Axes("replication")] = None
    """What each world counts for in a mean; absent: all the same."""
    seed_by_purpose: Callable[[str], int] | None = None
    """For a question that draws some decisions anew and leaves the others: from the name of a decision to its seed."""

    def seed_of(self, purpose: str) -> int:
        """Give the seed from which a decision is drawn."""
        return self.seed if self.seed_by_purpose is None else self.seed_by_purpose(purpose)

    def __getitem__(self, path: str) -> Floats:
        return self.values[path]

    def __len__(self) -> int:
        return len(self.replications)


@dataclass(frozen=True, eq=False)
class Tallies(Record):
    """What happened to the people, summed over persons; no person is kept."""

    states: tuple[str, ...]
    outcomes: tuple[str, ...]
    windows: tuple[int, ...]
    """Months after entry, increasing."""
    history_months: int
    """Months before entry that were simulated; 0 for none."""
    milestones: Mapping[str, tuple[str, ...]]
    """By claim: the outcomes that it pays for."""
    n_people: Annotated[Integers, Axes("replication wave arm", "persons")]
    weight: Annotated[Floats, Axes("replication wave arm", "persons")]
    """Sum of the weights with which persons enter the sums: their number, but where several stand for one."""
    weight_squares: Annotated[Floats, Axes("replication wave arm", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """Sum over persons of the outcome within the window."""
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of its square: with `sums`, all that a standard error needs."""
    sums_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome")]
    """Sum over persons of the outcome in the months before entry."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    """Sum over persons of the outcome before entry times that after: all that a correlation needs."""
    person_months: Annotated[Floats, Axes("replication wave arm state window", "person-months")]
    by_year: Annotated[Floats, Axes("replication wave arm outcome year", "of the outcome")]
    """Sum over persons by calendar year, undiscounted, to the horizon (of control, parallel and matched people, and where no study
    values a year, to the last window); 0 for outcomes that do not add up over time."""
    combinations: Mapping[str, Integers]
    """By claim: shape (replication, wave, arm, window, combination), how many people reached each combination of its milestones;
    bit i of the number of a combination is milestone i."""
    clipped: Annotated[Integers, Axes("replication", "probabilities")]
    """Drawn probabilities that had to be clipped to remain probabilities."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Two outcomes that somebody compares with each other."""
    pair_products: Annotated[Floats | None, Axes("replication wave arm pair window", "of both outcomes")] = None
    """Sum over persons of the product of the two outcomes of a pair within the window."""
    changes: tuple[int, ...] = ()
    """Months of the calendar, increasing, from which on somebody counts in another way."""
    after_change: Annotated[
        Floats | None, Axes("replication wave arm change moment outcome window", "of the outcome, or squared")
    ] = None
    """Sums over persons of what came about from each such month on, by `MOMENTS`; absent where there is none."""
    by_year_here: Annotated[Floats | None, Axes("replication wave arm outcome year", "of the outcome")] = None
    """As `by_year`, of the months alone in which people still live in the area; absent where nobody moves out of it."""
    sites: Mapping[str, tuple[float, ...] | int] = field(default_factory=dict)
    """By name: the relative sizes of sites; the number of them, where everybody joins any of them, all equally likely."""
    seen: Seen | None = None
    """What an evaluator sees who loses those who move out of the area; absent where he follows everybody."""


MOMENTS = (
    *("later", "later_squared", "whole_later", "before", "before_squared", "whole_before"),
    *("later_whole", "whole_earlier", "both"),
)
"""Of a person: x within a window and h before entry, of which y and k came about from the month on: y, y y, x y, k, k k, h k, y h,
x k, y k."""


@dataclass(frozen=True, eq=False)
class Seen(Record):
    """The same sums over persons, of what can be seen of them from within the area."""

    weight: Annotated[Floats, Axes("replication wave arm window", "persons")]
    """Sum of the weights of those of whom something is seen."""
    weight_squares: Annotated[Floats, Axes("replication wave arm window", "persons")]
    sums: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    squares: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    sums_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome")]
    """Of the months before entry, over those who are seen in the window."""
    squares_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]
    products_with_before: Annotated[Floats, Axes("replication wave arm outcome window", "of the outcome, squared")]


@dataclass(frozen=True, eq=False)
class Milestones(Record):
    """How many people reached which milestones, by combination, so that prices and caps per person stay with the contract."""

    names: tuple[str, ...]
    counts: Annotated[Floats, Axes("replication wave combination", "persons")]
    """Combination k holds the people who reached exactly the milestones i whose bit 2^i is set in k; 0 reached none."""


@dataclass(frozen=True, eq=False)
class Measurements(Record):
    """What the evaluator concluded, beside what was true. NaN: not measured; of a standard error: unknown."""

    metrics: tuple[str, ...]
    estimate: Annotated[Floats, Axes("replication metric", "of the metric")]
    """Positive when the service users did better."""
    standard_error: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The evaluator's own standard error, from the persons seen."""
    truth: Annotated[Floats, Axes("replication metric", "of the metric")]
    """The same quantity between the service arm and its twin; NaN where there is none, and where outcomes were typed in."""
    by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave alone, in the order of the study's waves."""
    people: Annotated[Floats | None, Axes("replication wave", "persons")] = None
    """Service users per wave: the weights of a mean over waves."""
    milestones: Milestones | None = None
    """Absent where nobody tallied milestones."""
    cumulative: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The estimate from the people of each wave and all before it."""
    standard_error_by_wave: Annotated[Floats | None, Axes("replication wave metric", "of the metric")] = None
    """The evaluator's own standard error of `by_wave`."""
    why: Annotated[NDArray[np.int8] | None, Axes("replication metric")] = None
    """Why an estimate was not made: index into `NOT_MEASURED`. Absent where outcomes were typed in."""
    why_by_wave: Annotated[NDArray[np.int8] | None, Axes("replication wave metric")] = None
    """The same of `by_wave`."""
    replications: Annotated[Integers | None, Axes("replication")] = None
    """The numbers of the replications; absent where outcomes were typed in."""


@dataclass(frozen=True, eq=False)
class Drawing(Record):
    """What the investor pays in: in all and, where somebody asks, month by month."""

    total: Annotated[Floats, Axes("replication", "currency")]
    by_month: Annotated[Floats | None, Axes("replication date", "currency")] = None
    """Absent where a contract is replayed without a study, or where no term asks when money is drawn."""
    payment_month: Mapping[str, Integers] = field(default_factory=dict)
    """By term of a contract without dates: the month in which a study pays it, of shape (replication,)."""

    @property
    def months(self) -> tuple[int, ...] | None:
        """The months in which anything is drawn in any replication."""
        return None if self.by_month is None else tuple(int(month) for month in np.flatnonzero(self.by_month.any(axis=0)))

    def drawn_by(self, month: Integers) -> Floats:
        """Give what is drawn up to and including a month, of shape (replication,)."""
        assert self.by_month is not None, "only a study says when money is drawn"
        so_far = np.cumsum(self.by_month, axis=1)
        return np.asarray(so_far[np.arange(len(so_far)), np.minimum(month, so_far.shape[1] - 1)])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Drawing) or (self.by_month is None) != (other.by_month is None):
            return False
        is_same = bool((self.total == other.total).all())
        return is_same and (self.by_month is None or bool((self.by_month == other.by_month).all()))

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Payments(Record):
    """What the outcome payer owes under each term."""

    terms: tuple[str, ...]
    parties: tuple[tuple[str, str], ...]
    """By term: who owes it, and to whom. A negative amount runs the other way."""
    dues: tuple[str, ...]
    """The dates on which the contract pays, in order; a single one without a month where the contract names none."""
    months: Annotated[Integers, Axes("term due", "months from the start")]
    """When each term is paid; -1 where it is not paid on that date, or where the contract does not say when."""
    by_due: Annotated[Floats, Axes("replication term due", "currency")]
    """Rounded to the smallest unit of the currency; 0 where a term is not paid on a date."""
    bound_by_due: Annotated[NDArray[np.int8], Axes("replication term due")]
    """Which limit decided on each date: index into the limits of the term."""
    stop_month: Annotated[Integers | None, Axes("replication", "months from the start")] = None
    """When the contract was ended early; -1 where it was not. Absent where it cannot be."""
    limits: tuple[tuple[str, ...], ...] = ()
    """By term: `LIMITS`, then the total cap where it may cut, and the limits inside the term by their paths."""

    def limit(self, replication: int, term: int, due: int) -> str:
        """Name the limit that decided."""
        return self.limits[term][int(self.bound_by_due[replication, term, due])]

    @property
    def amount(self) -> Floats:
        """Shape (n_replications, n_terms), in the currency: what is owed under each term over all dates."""
        return add_in_order(self.by_due.transpose(2, 0, 1))

    @property
    def bound(self) -> NDArray[np.int8]:
        """Shape (n_replications, n_terms): which limit decided on the last date on which each term is due."""
        last = [int(np.flatnonzero(row)[-1]) if row.any() else 0 for row in self.is_due]
        return np.stack([self.bound_by_due[:, t, due] for t, due in enumerate(last)], axis=1)

    @property
    def is_due(self) -> NDArray[np.bool_]:
        """Shape (n_terms, n_dues): on which dates each term may be paid."""
        return np.asarray((self.months >= 0) | (len(self.dues) == 1))


LIMITS = ("formula", "floor", "cap", "gate", "stop")
FORMULA, FLOOR, CAP, GATE, STOP = range(5)
TOTAL_CAP = "total_cap"
"""The limit of all terms together."""


@dataclass(frozen=True)
class Account:
    """Where money lies: an account of a party, in a role of the contract or for itself."""

    name: str
    party: str
    role: str = ""
    """`investor` of a tranche, `outcome_payer` of those who pay for outcomes, `project` of the one through which the loan runs."""


@dataclass(frozen=True)
class Line:
    """One kind of posting: what one account pays another; or, without either, a note of what was not paid or only set aside."""

    name: str
    payer: str = ""
    receiver: str = ""


@dataclass(frozen=True, eq=False)
class PublicValue(Record):
    """What the true effect on people is worth to each party, beside any cash of the contract."""

    parties: tuple[str, ...]
    value: Annotated[Floats, Axes("replication party year", "currency")]
    """Undiscounted, by year of the calendar; the years run to the horizon, or to the end of the longest stream."""
    cashable: Annotated[Floats, Axes("replication party year", "currency")]
    """The part of it that can be released as cash, in the year of its release."""


@dataclass(frozen=True, eq=False)
class Ledger(Record):
    """Who paid whom, how much, when. Every posting has two sides, so that all cash sums to zero, to the smallest unit."""

    units: int
    """Smallest units in one unit of the currency."""
    accounts: tuple[Account, ...]
    lines: tuple[Line, ...]
    journal: Annotated[Integers, Axes("replication date line", "smallest unit of the currency")]
    tranches: tuple[str, ...]
    paid_in: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    lost: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    """Principal that was never paid back, after guarantees."""
    owed: Annotated[Integers, Axes("replication tranche", "smallest unit of the currency")]
    """Interest that was never paid."""
    at_limit: Annotated[NDArray[np.bool_], Axes("replication tranche")]
    """Whether a limit of the tranche's returns was reached."""
    costs: tuple[str, ...]
    waiting: Annotated[Integers, Axes("replication cost", "smallest unit of the currency")]
    """What was deferred and never paid."""
    guarantees: tuple[str, ...]
    exhausted: Annotated[NDArray[np.bool_], Axes("replication guarantee")]
    """Whether a guarantor paid the most that was promised, and it was not enough."""

    @property
    def drawn(self) -> Floats:
        """Shape (n_replications,), in the currency: what the tranches paid in."""
        return np.asarray(self.paid_in.sum(axis=1) / self.units)

    @property
    def drawn_by_month(self) -> Floats:
        """Shape (n_replications, n_dates), in the currency: what the tranches paid in, month by month."""
        draws = [place for place, line in enumerate(self.lines) if line.name.startswith("draw.")]
        return np.asarray(self.journal[:, :, draws].sum(axis=2) / self.units)

    @property
    def parties(self) -> tuple[str, ...]:
        """All whose money moves, the project itself aside."""
        return tuple(dict.fromkeys(account.party for account in self.accounts if account.role != PROJECT))

    def cash(self, party: str) -> Integers:
        """Cash of one party by date, in whatever roles, of shape (replication, date); positive is received."""
        return self.cash_in({account.name for account in self.accounts if account.party == party})

    def cash_in(self, mine: Collection[str]) -> Integers:
        """Cash of some accounts by date, of shape (replication, date); positive is received."""
        total = np.zeros(self.journal.shape[:2], dtype=np.int64)
        for place, line in enumerate(self.lines):
            sign = (line.receiver in mine) - (line.payer in mine)
            if sign:
                total += sign * self.journal[:, :, place]
        return total

    def total(self, prefix: str) -> Integers:
        """Give what the lines whose names begin so come to, of shape (replication,)."""
        places = [place for place, line in enumerate(self.lines) if f"{line.name}.".startswith(f"{prefix}.")]
        return np.asarray(self.journal[:, :, places].sum(axis=(1, 2)))


PROJECT = "project"
ROLES = ("investor", "outcome_payer", "service_provider")
"""Who lends, who pays under the contract, who does the work: every contract and every study has a party of each name."""
INVESTOR, OUTCOME_PAYER, _ = ROLES
ALL_LENDERS, ALL_PAYERS = "all_lenders", "all_payers"
"""Names under which the money of a role stands where several parties are in it."""
SUPPLIERS = "suppliers"
"""Everybody outside a study on whom its parties spend money: staff, landlords, shops."""
LOAN, DELIVERY = "loan", "delivery"
"""The only tranche and the only cost of a study that names none."""


@dataclass(frozen=True, eq=False)
class CashMoments(Record):
    """Cash by date, summed over replications in Python's whole numbers: blocks add up in any order, exactly."""

    unit: float
    """Smallest units of the currency in one unit of `rounded` and `products`."""
    n_replications: int
    total: Annotated[NDArray[np.object_], Axes("date", "smallest unit of the currency")]
    rounded: Annotated[NDArray[np.object_], Axes("date", "`unit`")]
    products: NDArray[np.object_]
    """Shape (date, date), in [`unit` squared]: sum over replications of the product of the cash of two dates."""

    def __add__(self, other: CashMoments) -> CashMoments:
        n = self.n_replications + other.n_replications
        return CashMoments(self.unit, n, self.total + other.total, self.rounded + other.rounded, self.products + other.products)


@dataclass(frozen=True, eq=False)
class Outturns(Record):
    """What each replication came to: one column per quantity, the raw material of every distribution."""

    replications: Annotated[Integers, Axes("replication")]
    columns: Mapping[str, NDArray[Any]]
    """By name: one value per replication; names in `codes` hold indices into the words given there."""
    codes: Mapping[str, tuple[str, ...]]
    lending_cash: Mapping[str, CashMoments]
    """By lender, and of all lenders where there are several: the cash of what it lent; empty where nobody asked for returns."""
    lending_cash_by_row: Mapping[str, Integers] | None = None
    """The same cash row by row, shape (n_replications, n_dates) in the smallest unit of the currency: where replications weigh
    differently or depend on each other, its moments do not suffice."""
    made_by: Any = None
    """The study, the seed and the way of drawing of a run; absent where nobody said."""

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def is_word(self, name: str, word: str) -> NDArray[np.bool_]:
        """Say in which replications a coded column holds a word."""
        return np.asarray(self.columns[name] == self.codes[name].index(word))

    @staticmethod
    def join(parts: Sequence[Outturns]) -> Outturns:
        """Put blocks of one run together in their order; blocks of several runs are refused."""
        refuse_mixed([part.made_by for part in parts], [part.replications for part in parts])
        return Outturns._put_together(parts, np.concatenate)

    @staticmethod
    def interleave(parts: Sequence[Outturns]) -> Outturns:
        """Put several outturns of the same replications together, replication by replication, whatever the size of the block."""
        return Outturns._put_together(parts, lambda arrays: np.stack(arrays, axis=1).reshape(-1, *arrays[0].shape[1:]))

    @staticmethod
    def _put_together(parts: Sequence[Outturns], together: Callable[[list[NDArray[Any]]], NDArray[Any]]) -> Outturns:
        by_row = [part.lending_cash_by_row for part in parts if part.lending_cash_by_row is not None]
        return Outturns(
            together([part.replications for part in parts]),
            {name: together([part.columns[name] for part in parts]) for name in parts[0].columns},
            parts[0].codes,
            {name: reduce(add, (part.lending_cash[name] for part in parts)) for name in parts[0].lending_cash},
            {name: together([rows[name] for rows in by_row]) for name in by_row[0]} if by_row else None,
            parts[0].made_by,
        )


def add_in_order(arrays: Iterable[Floats]) -> Floats:
    """Add arrays one after the other.

    NumPy's own sums choose their order by the shape of the array, so that the last bits would depend on the block size.
    """
    return reduce(add, arrays)
