"""The kinds of numbers in a study, their ranges, and the iteration over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, cast

import numpy as np
from pydantic import AfterValidator, BaseModel, Discriminator, Tag
from typing_extensions import TypeAliasType

from simengine.distributions.counts import Referrals, SeenEvents
from simengine.distributions.families import Beta, Gamma, Lognormal, Normal, Pert, Triangular, Uniform
from simengine.distributions.listed import Empirical, Quantiles
from simengine.distributions.shares import DirichletCount
from simengine.distributions.sourced import Constant, Sourced, computable


def _form_of(raw: Any) -> str:
    """Choose the model that reads a quantity: by its `distribution`, else a constant."""
    if isinstance(raw, Mapping):
        distribution = raw.get("distribution", "constant")
        return distribution if isinstance(distribution, str) else "unknown"
    return str(getattr(raw, "distribution", "constant"))


DISTRIBUTIONS = (
    *(
        "uniform",
        "triangular",
        "pert",
        "normal",
        "lognormal",
        "beta",
        "gamma",
        "empirical",
        "quantiles",
        "referrals",
        "seen_events",
    ),
    "dirichlet",
)
"""What `distribution` may say; the last one alone of the shares of a whole."""
Quantity = TypeAliasType(
    "Quantity",
    Annotated[
        Annotated[
            Annotated[Constant, Tag("constant")]
            | Annotated[Uniform, Tag("uniform")]
            | Annotated[Triangular, Tag("triangular")]
            | Annotated[Pert, Tag("pert")]
            | Annotated[Normal, Tag("normal")]
            | Annotated[Lognormal, Tag("lognormal")]
            | Annotated[Beta, Tag("beta")]
            | Annotated[Gamma, Tag("gamma")]
            | Annotated[Empirical, Tag("empirical")]
            | Annotated[Quantiles, Tag("quantiles")]
            | Annotated[Referrals, Tag("referrals")]
            | Annotated[SeenEvents, Tag("seen_events")],
            Discriminator(
                _form_of,
                custom_error_type="unknown_distribution",
                custom_error_message=f"a quantity must be a number or one of the distributions {', '.join(DISTRIBUTIONS[:-1])}; "
                f"shares of a whole also know the distribution {DISTRIBUTIONS[-1]}",
            ),
        ],
        AfterValidator(computable),
    ],
)
Fixed: TypeAlias = Constant
"""A number that the parties write down: it may carry a source, but no distribution."""


class within:  # noqa: N801 - reads as a word in annotations
    """Refuse a quantity whose distribution can leave the range from `low` to `high`."""

    def __init__(self, low: float, high: float, rule: str) -> None:
        self.low, self.high, self.rule = low, high, rule

    def __call__(self, quantity: Any) -> Any:
        low, high = quantity.support
        if low < self.low or high > self.high:
            found = (
                f"{quantity.value:g}" if isinstance(quantity, Constant) else f"a distribution on {low:g} to {high:g} ({quantity})"
            )
            raise ValueError(f"{self.rule}; found {found}")
        return quantity


def _whole(quantity: Any) -> Any:
    if quantity.value != int(quantity.value):
        raise ValueError(f"a count must be a whole number; found {quantity.value:g}")
    return quantity


_probability = within(0, 1, "a probability must lie between 0 and 1")
_not_negative = within(0, np.inf, "a size, price, ratio or duration must not be negative")

Probability = TypeAliasType("Probability", Annotated[Quantity, AfterValidator(_probability)])
NotNegative = TypeAliasType("NotNegative", Annotated[Quantity, AfterValidator(_not_negative)])
FixedNotNegative = TypeAliasType("FixedNotNegative", Annotated[Fixed, AfterValidator(_not_negative)])
Count = TypeAliasType(
    "Count", Annotated[Fixed, AfterValidator(within(0, 1e9, "a count must lie between 0 and 1e9")), AfterValidator(_whole)]
)
Months = TypeAliasType(
    "Months",
    Annotated[Fixed, AfterValidator(within(1, 1200, "a number of months must lie between 1 and 1200")), AfterValidator(_whole)],
)


def _form_of_share(raw: Any) -> str:
    if isinstance(raw, str):
        return "rest"
    return "dirichlet" if _form_of(raw) == "dirichlet" else "probability"


Share = TypeAliasType(
    "Share",
    Annotated[
        Annotated[Probability, Tag("probability")]
        | Annotated[DirichletCount, Tag("dirichlet")]
        | Annotated[Literal["rest"], Tag("rest")],
        Discriminator(_form_of_share),
    ],
)
"""A share of a total; `rest` is the remainder."""


def _form_of_chance(raw: Any) -> str:
    return "dirichlet" if _form_of(raw) == "dirichlet" else "probability"


Chance = TypeAliasType(
    "Chance",
    Annotated[
        Annotated[Probability, Tag("probability")] | Annotated[DirichletCount, Tag("dirichlet")], Discriminator(_form_of_chance)
    ],
)
"""A probability beside others of the same total, or a count of people observed to make that move."""


def quantities_in(node: Any, path: str = "") -> list[tuple[str, Quantity]]:
    """List every quantity of a part of a study with its dotted path, in the order of the file's models."""
    found: list[tuple[str, Quantity]] = []
    _gather(node, path, found)
    return found


def _gather(node: Any, path: str, found: list[tuple[str, Quantity]]) -> None:
    # Asked for every study many times: plain loops, and no generator inside another.
    if isinstance(node, Sourced):
        found.append((path, cast("Quantity", node)))
    elif isinstance(node, BaseModel):
        for name in type(node).__pydantic_fields__:
            _gather(getattr(node, name), _join(path, name), found)
    elif isinstance(node, dict):
        for name, child in node.items():
            _gather(child, _join(path, str(name)), found)
    elif isinstance(node, tuple):
        for number, child in enumerate(node):
            _gather(child, _join(path, str(number)), found)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
