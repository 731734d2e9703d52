"""Write the page of amounts and measures from the registry that every command reads: `python docs/measures.py`."""
# ruff: noqa: E501 (rows of tables)

from __future__ import annotations

from pathlib import Path

from simengine.risk.amounts import AMOUNTS
from simengine.risk.measures import MEASURES

PAGE = Path(__file__).resolve().parent / "reference" / "measures.md"
HEAD = """# Amounts and measures

Everything that is asked about a party's money is asked in one grammar. The tables are made by `python docs/measures.py`.

An *amount* is a number that a party has in every replication. A *measure* is one number about a party, over all replications: it
is written `party.measure`, or `party.measure(number)`. A *limit* is a measure, `<=` or `>=`, and a number.

| where | what is written | for example |
|---|---|---|
| `run`, `compare`, `stress`, `tradeoffs`: `--measure` | a measure, of one party or, without one, of everybody who has it | `--measure "p_irr_below(0.03)"` |
| `attribute`, `sensitivity`: `--of` | an amount, or a measure that is a mean (not a quantile) | `--of moic`, `--of p_loss` |
| `stress --reverse` | `party.amount`, `<` or `>`, a number; of money also in per cent of what was drawn | `--reverse "investor.irr < 3%"` |
| `run --until` | a measure, or a path of the [results](results.md), and the standard error it shall have | `--until "investor.cvar(0.9) se<1%"` |
| `size`: `--objective`, `--limit`, `--such-that`, and `sizing` in a study | measures and limits | `--limit "investor.p_payback_after(60) <= 0.2"` |

A party is one of the study whose money it moves, or `all_lenders` or `all_payers` where several lend or pay
([parties and roles](results.md#parties-and-roles)). What is about a loan is asked of who lends alone.
"""
NOTES = """
A probability counts all replications: where nothing was lent there is no rate, and it is below no hurdle; money that is never paid
back within the horizon is paid back after any number of months. A mean or a quantile is taken over the replications that have the
amount; a quantile of the payback may lie at "never", and is then not given. There is no mean of rates of return, for it is the
rate of nothing: ask for a quantile, or for the probability of less than a hurdle. `--of` needs the amount in every replication.
"""
_COUNTED_IN = {"money": "money", "share": "share", "per year": "rate per year", "times": "multiple", "months": "months"}


def page() -> str:
    """Return the page as it has to be."""
    amounts = [
        f"| `{name}` | {one.meaning} | {_COUNTED_IN[one.unit]} | {_better(one.more_is_better)} | {_whose(one.of_lenders)} |\n"
        for name, one in AMOUNTS.items()
    ]
    measures = [
        f"| `{name}{_number(one.number)}` | {one.meaning}{_default(one.default)} | {_COUNTED_IN[one.unit]} "
        f"| {_better(one.more_is_better)} | {_whose(one.of_lenders)} |\n"
        for name, one in MEASURES.items()
    ]
    return "".join([
        HEAD,
        "\n## Amounts\n\n| amount | meaning | counted in | better | of |\n|---|---|---|---|---|\n",
        *amounts,
        "\n## Measures\n\n| measure | meaning | counted in | better | of |\n|---|---|---|---|---|\n",
        *measures,
        NOTES,
    ])  # fmt: skip


def _better(more_is_better: bool) -> str:
    return "more" if more_is_better else "less"


def _whose(of_lenders: bool) -> str:
    return "who lends" if of_lenders else "every party"


def _number(number: str) -> str:
    name = number.partition(",")[0].replace(" ", "_")
    return "" if not name else f"({name})"


def _default(default: float | None) -> str:
    return "" if default is None else f"; {default:g} unless said"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
