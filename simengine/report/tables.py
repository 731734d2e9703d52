"""Show on a terminal; the tables that several answers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from simengine.config import Study
from simengine.config.roles import with_money, without_costs
from simengine.currencies import decimals_of
from simengine.errors import escaped
from simengine.report.document import LedgerEntry, assumptions
from simengine.report.layouts import cost_notes
from simengine.report.units import cell
from simengine.risk.summarise import RiskTable


class _Console(Console):
    """A console that leaves it to the command line to handle a reader who has gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Show escaped what would act on the terminal; colours are added to this later."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(escaped(segment.text), segment.style)


def show(content: RenderableType, *, fold: bool = True) -> None:
    """Print to standard output, in colour only where a terminal shows it; without folding an entry stays on its line."""
    # Titles and notes come from other people: nothing in them is markup.
    _Console(highlight=False, markup=False, emoji=False).print(content, soft_wrap=not fold)


def public_value_table(study: Study, value_by_party: Mapping[str, Any], unit: float) -> RenderableType:
    """Lay out what each party pays or receives, what the effect is worth to it, and what it is left with."""
    layout = Table(pad_edge=False, box=box.SIMPLE_HEAD, collapse_padding=True)
    layout.add_column("", overflow="fold", min_width=min(12, max(len(named.name) for named in study.parties.values())))
    for name in ("cash", "value", "cashable", "net", "P(net < 0)"):
        layout.add_column(name, justify="right", overflow="fold")
    of = RiskTable(0, value_by_party)
    for party, named in study.parties.items():
        if party not in with_money(study):
            continue
        cells = [cell(of[f"{party}.{name}.mean"], unit) for name in ("cash", "value", "cashable", "net")]
        chance = cell(of[f"{party}.p_net_below_zero"], 1.0) if party not in without_costs(study) else "-"
        layout.add_row(named.name, *cells, chance)
    return Group(Text("\nWho pays and who saves: means", style="bold"), layout, *cost_notes(study, study.parties))


CODES = {
    "Q": "stated in the source",
    "D": "derived from stated figures",
    "C": "sources conflict",
    "P": "published, but not read",
    "U": "not public or not found",
    "M": "general knowledge, not confirmed",
    "R": "recalled, not read again",
}
"""What the letters of `certainty` say."""


def assumption_lists(study: Study) -> RenderableType:
    """Lay out the assumption ledger: what is assumed first, then what is a fact, a choice, or unmarked."""
    ledger = assumptions(study)
    groups = {
        "Assumed: not published, or not confirmed": [entry for entry in ledger if entry["is_assumed"]],
        "Facts: stated in a source (Q), derived (D), or sources conflict (C)": [
            entry for entry in ledger if entry["certainty"] in ("Q", "D", "C") and not entry["is_assumed"]
        ],
        "Choices": [entry for entry in ledger if entry["certainty"] == "choice"],
        "Numbers without a certainty code": [entry for entry in ledger if entry["certainty"] is None],
    }
    lists = [_ledger_list(title, entries) for title, entries in groups.items() if entries]
    codes = [code for code in CODES if any(entry["certainty"] == code for entry in ledger)]
    legend = f"In brackets: {'; '.join(f'{code}, {CODES[code]}' for code in codes)}; then the source and a note.\n"
    return Group(*([Text(legend)] if codes else []), *lists)


def _ledger_list(title: str, entries: list[LedgerEntry]) -> Text:
    """List entries one to a line, so that the list can be searched with ordinary tools."""
    text = Text(f"{title}: {len(entries)}\n", style="bold")
    for entry in entries:
        remark = "; ".join(part for part in (entry["certainty"], entry["source"], entry["note"]) if part)
        text.append(f"  {entry['path']}: {entry['value']}", style="not bold")
        text.append(f"  [{remark}]\n" if remark else "\n", style="not bold dim")
    return text


_PAIR = 2
"""Parties between whom a total says all that there is to say."""


def settlement_table(content: Mapping[str, Any]) -> Table:
    """Table of a replay: payer, payee, payment and limit of each term; then the total, or the net of each party."""
    layout = Table(
        title=f"{content['contract']} ({content['currency']})", title_justify="left", pad_edge=False, box=box.SIMPLE_HEAD
    )
    layout.add_column("term")
    layout.add_column("from")
    layout.add_column("to")
    layout.add_column("payment", justify="right")
    layout.add_column("bound by")
    decimals = decimals_of(content["currency"])
    rows = [(row["term"], f"{row['term']}, {row['date']}", row["payment"], row["bound"]) for row in content["dates"]]
    undated = [(name, name, paid, content["bound"][name]) for name, paid in content["payments"].items()]
    for term, name, amount, bound in rows or undated:
        parties = content["parties"][term]
        layout.add_row(name, parties["payer"], parties["payee"], f"{amount:z,.{decimals}f}", bound)
    layout.add_section()
    if content["total"] is not None:
        layout.add_row("total", "", "", f"{content['total']:z,.{decimals}f}", "")
    if content["total"] is None or len(content["net"]) > _PAIR:
        for party, amount in content["net"].items():
            layout.add_row("net", "", party, f"{amount:z,.{decimals}f}", "")
    return layout
