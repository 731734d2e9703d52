"""Decide in which unit a number is written: money by how much of it a contract moves, everything else as it is counted."""

from __future__ import annotations

from decimal import Decimal
from math import floor, isfinite, log10

from simengine.config import Study
from simengine.currencies import decimals_of
from simengine.risk.amounts import AmountUnit
from simengine.risk.measures import Measure
from simengine.risk.statistics import Statistic


class MoneyScale(float):
    """By what money is divided before it is written; how many decimals are then left to the smallest unit of its currency."""

    def __new__(cls, scale: float, currency: str) -> MoneyScale:
        """Take a power of ten and the code of a currency."""
        made = super().__new__(cls, scale)
        made.decimals = round(log10(scale)) + decimals_of(currency)
        return made

    decimals: int


WrittenUnit = tuple[float, str]
"""By what a number is divided before it is written, and the name of the unit; the name is empty for a pure number."""
_MOST_DIGITS, _OF_SMALL_NUMBERS = 3, 9


def unit_of_money(amount: float, currency: str) -> WrittenUnit:
    """Return the unit for money of about some amount: millions or thousands, or the currency itself where there is less.

    Examples
    --------
    >>> unit_of_money(300_000, "EUR")
    (1000.0, 'thousands of EUR')
    """
    for scale, name in ((1e6, "millions"), (1e3, "thousands")):
        if abs(amount) >= scale:
            return MoneyScale(scale, currency), f"{name} of {currency}"
    return MoneyScale(1.0, currency), currency


def money_unit(study: Study) -> WrittenUnit:
    """Return the unit for all money of a study: by the commitment of its contract or, where nobody lends, by the largest grant."""
    grants = [one.at_most or one.amount for one in study.capital.grants.values()]
    given = [one.support[1] for one in grants if one is not None and isfinite(one.support[1])]
    return unit_of_money(study.contract.commitment.value or max(given, default=0.0), study.study.currency)


def metric_unit(study: Study, metric: str) -> WrittenUnit:
    """Return the unit for a metric: a total of money is written like money, a total of persons or days as they are counted."""
    asked = study.measurement.measured[metric]
    if asked.estimate != "total_difference":
        return 1.0, ""
    if is_money(study, metric):
        return money_unit(study)
    use, outcome = study.contract.metrics.get(metric), study.outcomes[asked.outcome]
    if use is not None:
        return 1.0, use.unit
    return 1.0, {"people": "persons", "days": "days"}.get(outcome.unit, "")


def is_money(study: Study, metric: str) -> bool:
    """Whether a metric counts money: an amount that the contract says in the currency, or that somebody values without a price.

    Of another amount nobody has said what it is, and it may be days.
    """
    outcome = study.measurement.measured[metric].outcome
    if not study.outcomes[outcome].may_be_money:
        return False
    use = study.contract.metrics.get(metric)
    if use is not None:
        return study.study.currency in use.unit
    prices = study.public_value.get(outcome, {}).values()
    return bool(prices) and all(price.value_per_unit is None for price in prices)


def measure_unit(study: Study, measure: Measure) -> WrittenUnit:
    """Return the unit for a number about a party's money."""
    return unit_of_amount(measure.kind.unit, money_unit(study))


def unit_of_amount(of: AmountUnit, money: WrittenUnit) -> WrittenUnit:
    """Return the unit for what an amount is counted in; `money`: that of money.

    Examples
    --------
    >>> unit_of_amount("per year", (1e6, "millions of SEK")), unit_of_amount("share", (1e6, "millions of SEK"))
    ((0.01, '% a year'), (1.0, ''))
    """
    return {"money": money, "per year": (0.01, "% a year"), "months": (1.0, "months")}.get(of, (1.0, ""))


def metric_title(study: Study, metric: str, what: str = "") -> str:
    """Return the name of a metric, what is said of it, and below that, for the heading of a column, in what it is written."""
    use, asked = study.contract.metrics.get(metric), study.measurement.measured[metric]
    stated = metric_unit(study, metric)[1] or ("" if use is None else use.unit.partition(" (")[0])
    unit = stated or {"relative_reduction": "share", "efficiency_ratio": "share", "per_100_difference": "per 100"}.get(
        asked.estimate
    )
    written_in = f"({unit})" if unit else ""
    return f"{metric}: {what}\n{written_in}".strip() if what else f"{metric} {written_in}".strip()


def to_digits(value: float, digits: int = 3) -> str:
    """Write a number to some significant digits, with its thousands apart and never with an exponent.

    Examples
    --------
    >>> to_digits(3_163.2), to_digits(0.000067612), to_digits(-0.0), to_digits(12.0, 1)
    ('3,160', '0.0000676', '0', '10')
    """
    return f"{Decimal(f'{value:.{digits}g}') + 0:,f}"


def cell(statistic: Statistic | None, scale: float) -> str:
    """Write a value with its standard error, to the digit at which the error begins; a dash where there is none.

    Where two standard errors would not cover, no ± is written: the 95 % interval stands in brackets, or is the value alone, and ±?
    says that too few replications carry the value for any error to be known.

    Examples
    --------
    >>> cell(Statistic(1_234_567.0, 8_000.0), 1e6), cell(Statistic(1_234_567.0, 8_000.0), 1.0), cell(Statistic(40.0, 3.0), 1e6)
    ('1.235 ±0.008', '1,234,567 ±8,000', '0.000040 ±0.000003')
    >>> cell(Statistic(2.0, 0.5, interval_95=(2.0, 3.0), covers=False), 1.0), cell(Statistic(0.4, 0.3, covers=False), 1.0)
    ('2.0 [2.0, 3.0]', '0.4 ±?')
    >>> cell(Statistic(0.0, 0.0, interval_95=(-3.0, 3.0), covers=False), 1.0)
    '0 [-3, 3]'
    """
    if statistic is None or not isfinite(statistic.value) or not isfinite(statistic.se):
        return "-"
    value, error = statistic.value / scale, statistic.se / scale
    if statistic.upper_95 is not None:
        return f"0 (< {statistic.upper_95:.2g})"
    if statistic.lower_95 is not None:
        return f"1 (> {_just_below_one(statistic.lower_95)})"
    low, high = statistic.interval_95 or (0.0, 0.0)
    # An interval without a standard error, as of what no replication had, is about four wide.
    digits = _digits(value, error if statistic.covers or error else (high - low) / scale / 4, scale)
    said = _rounded(value, digits)
    if statistic.covers:
        return f"{said} ±{error:,.{digits}f}"
    if statistic.interval_95 is None:
        return f"{said} ±?"
    ends = [_rounded(end / scale, digits) for end in (low, high)]
    return said if {*ends} == {said} else f"{said} [{ends[0]}, {ends[1]}]"


def rounded_cell(statistic: Statistic | None, scale: float) -> str:
    """Write a value alone, to the digit at which its error begins; a dash where there is none.

    For tables that say the errors elsewhere: a quantile between atoms is written to three digits, as `cell` does.

    Examples
    --------
    >>> rounded_cell(Statistic(1_234_567.0, 8_000.0), 1e6), rounded_cell(Statistic(40.0, 3.0), 1.0), rounded_cell(None, 1.0)
    ('1.235', '40', '-')
    """
    if statistic is None or not isfinite(statistic.value) or not isfinite(statistic.se):
        return "-"
    return _rounded(statistic.value / scale, _digits(statistic.value / scale, statistic.se / scale, scale))


def percent(statistic: Statistic) -> str:
    """Write a probability in per cent, as `cell` does.

    Examples
    --------
    >>> percent(Statistic(0.254, 0.012)), percent(Statistic(1.0, 0.0, lower_95=0.9985))
    ('25.4 % ± 1.2', '100 % (> 99.85)')
    """
    if statistic.upper_95 is not None:
        return f"0 % (< {100 * statistic.upper_95:.2g})"
    if statistic.lower_95 is not None:
        return f"100 % (> {_just_below_one(statistic.lower_95, 100.0)})"
    value = f"{100 * statistic.value:.1f} %"
    if statistic.covers:
        return f"{value} ± {100 * statistic.se:.1f}"
    if statistic.interval_95 is None:
        return f"{value} ± ?"
    return f"{value} [{100 * statistic.interval_95[0]:.1f}, {100 * statistic.interval_95[1]:.1f}]"


def _just_below_one(bound: float, scale: float = 1.0) -> str:
    """Write a lower bound with two digits of its distance from 1; 0 where it bounds nothing."""
    missing = scale * (1 - bound)
    return f"{scale * bound:.{max(_first_digit(missing) + 1, 0)}f}" if 0 < bound < 1 else f"{scale * bound:g}"


def _digits(value: float, error: float, scale: float) -> int:
    """Return the decimals to which a value is written: of money no more than its smallest unit has."""
    digits = _digits_of_error(value, error)
    if not isinstance(scale, MoneyScale) or digits <= scale.decimals:
        return digits
    is_nothing = round(value, scale.decimals) == 0 and round(error, scale.decimals) == 0
    return min(scale.decimals, _MOST_DIGITS) if is_nothing else scale.decimals


def _digits_of_error(value: float, error: float) -> int:
    digits = _MOST_DIGITS if error == 0 else max(0, min(_MOST_DIGITS, _first_digit(error)))
    if value != 0 and round(value, digits) == 0 and error < abs(value):
        # Small, but surely not nothing: it is not written as 0.
        return min(_OF_SMALL_NUMBERS, _first_digit(error or value))
    return digits


def _rounded(value: float, digits: int) -> str:
    # Adding 0 turns a rounded -0 into 0.
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _first_digit(number: float) -> int:
    """Return the decimal place of the first digit of a number that is rounded to one: 2 for 0.03."""
    return -floor(log10(float(f"{abs(number):.0e}")))
