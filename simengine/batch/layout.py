"""Lay out a batch: one line for each study and party."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from simengine.batch.studies import StudyBatch
from simengine.report.units import cell

_SHOWN = {"net.mean": "mean net", "cvar95": "CVaR 95 %"}


def _folder_of(names: Sequence[str]) -> str:
    """Return the folder in which all files of studies stand, which is no news of any of them; nothing of names given in Python."""
    folders = [name.rpartition("/")[0] for name in names if name.endswith((".yaml", ".yml"))]
    return f"{folders[0]}/" if len(folders) == len(names) and folders[0] and len(set(folders)) == 1 else ""


def batch_table(found: StudyBatch) -> Table:
    """Return the mean net, the tail and P(loss) of everybody who lends or pays, in every study."""
    title = f"{len(found.studies):,} studies, seed {found.seed}. Money in millions; ± is one Monte Carlo standard error."
    layout = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for name in ("study", "party", ""):
        layout.add_column(name, overflow="fold")
    for name in ("P(loss)", *_SHOWN.values()):
        layout.add_column(name, justify="right", no_wrap=True)
    above = _folder_of([one.name for one in found.studies])
    for one in found.studies:
        parties = [path.removesuffix(".p_loss") for path in one.statistics if path.count(".") == 1 and path.endswith(".p_loss")]
        for party in parties:
            cells = [one.statistics.get(f"{party}.{path}") for path in _SHOWN]
            loss = cell(one.statistics[f"{party}.p_loss"], 1.0)
            layout.add_row(
                one.name.removeprefix(above),
                party.replace("_", " "),
                one.currency,
                loss,
                *("-" if it is None else cell(it, 1e6) for it in cells),
            )
    return layout
