"""Draw what each term of a contract pays over each outcome that it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nextafter
from typing import TYPE_CHECKING

import numpy as np

from simengine.contract import inputs_of
from simengine.contract.spec import Contract
from simengine.contract_text import words
from simengine.contract_text.explain import example_of
from simengine.contract_text.trials import edges_of, pay
from simengine.records import Floats
from simengine.report.picture import new_figure, plain_style, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 400
_MOST_PANELS = 4


def draw_curves(contract: Contract) -> dict[str, bytes]:
    """Draw one picture for each term.

    Returns
    -------
    By term: a PNG with a panel for each outcome that the term looks at, at most four, the others as in the worked example.
    """
    others, drawn, _ = example_of(contract)
    edges = edges_of(contract)
    pictures = {}
    for t, name in enumerate(contract.terms):
        alone = contract.model_copy(update={"terms": dict(list(contract.terms.items())[: t + 1])})
        asked = [one for one in inputs_of(alone) if one in inputs_of(_only(alone, name))][:_MOST_PANELS]
        with plain_style():
            figure = new_figure(figsize=(4.5 * max(len(asked), 1), 3.6), layout="constrained")
            for panel, metric in zip(figure.subplots(1, max(len(asked), 1), squeeze=False)[0], asked or [""], strict=True):
                _draw_panel(panel, alone, t, metric, others, drawn, edges.get(metric.partition(".")[0], []))
            figure.suptitle(f"{contract.title}: {name}", fontsize=10)
            pictures[name] = save(figure, "png")
    return pictures


def _only(contract: Contract, name: str) -> Contract:
    """Return the contract with one term; what it reads of other terms is 0 there, which changes no list of outcomes of its own."""
    return contract.model_copy(update={"terms": {name: contract.terms[name]}, "total_cap": None})


def _draw_panel(
    axes: Axes, contract: Contract, term: int, metric: str, others: Mapping[str, float], drawn: float, edges: list[float]
) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    base = {name: value for name, value in others.items() if name in inputs_of(contract)}
    over = _places(base.get(metric, 1.0), edges, _reach(contract, metric, base.get(metric, 1.0)))
    draws = [base | ({metric: float(place)} if metric else {}) for place in over]
    axes.plot(over, pay(contract, draws, drawn).amount[:, term], color="0.15", linewidth=1.4)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel(words.PHRASES["axis"].format(currency=contract.currency))
    axes.set_xlabel(metric or words.MONEY_WORD["drawn"])
    rest = ", ".join(f"{name} {value:,.10g}" for name, value in base.items() if name != metric)
    if rest:
        axes.set_title(words.PHRASES["others"].format(others=rest), fontsize=8)


def _reach(contract: Contract, metric: str, example: float) -> float:
    """Say how far an outcome without an edge is drawn, in its own unit: by the commitment, or the example where it is no money."""
    name = metric.partition(".")[0]
    is_money = name in contract.metrics and contract.metrics[name].unit == contract.currency
    return contract.commitment.value if is_money else example


def _places(example: float, edges: list[float], reach: float) -> Floats:
    """Spread points over the edges and the example, with one on each side of every edge so that a jump stays upright."""
    marks = [*edges, example, 0.0]
    if not edges and abs(example) > 1:
        marks += [-0.2 * reach, 1.5 * reach]
    low, high = min(marks), max(marks)
    span = (high - low) or 1.0
    sides = [side for edge in edges for side in (nextafter(edge, -inf), edge, nextafter(edge, inf))]
    return np.unique(np.concatenate([np.linspace(low - 0.1 * span, high + 0.25 * span, _POINTS), sides]))
