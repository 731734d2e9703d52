"""Several contracts on the same people: who gains, who loses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simengine.errors import UsageError
from simengine.questions.options import LEVEL
from simengine.questions.question import Asked, Option, Question, Source, Values, as_operand, later

if TYPE_CHECKING:
    from simengine.config import Study
    from simengine.contract.spec import Contract


def _prepare(study: Study, values: Values, source: Source) -> Asked:  # noqa: ARG001
    from simengine.report.document import as_text

    contracts = _read(values["contracts"])
    files = {f"{name}.yaml": as_text(one) for name, one in contracts.items()}
    asked = {"others": contracts, "level": values["level"]}
    return Asked(study, asked, arguments=tuple(map(as_operand, files)), files=files)


def _read(named: Any) -> dict[str, Contract]:
    """Read contracts, each under the name of its file; from Python they may come by name."""
    from simengine.config import load_contract

    if isinstance(named, Mapping):
        return dict(named)
    found: dict[str, Contract] = {}
    for place in named:
        name = Path(place).stem
        if name in found or name in ("own", "study"):
            rule = "CONTRACT: each contract has a file name of its own, and none is called `own` or `study`"
            raise UsageError(f"{rule}; found {str(place)!r}. Rename or leave out one of them")
        found[name] = load_contract(place)
    return found


COMPARE = Question[Any](
    name="compare",
    summary="Settle the contract of STUDY and each CONTRACT on the same people: who gains, who loses.",
    options=(Option("contracts", "Files of contracts.", flag="CONTRACT...", is_many=True, is_required=True), LEVEL),
    prepare=_prepare,
    ask=later("simengine.questions.compare.answer", "compare_contracts"),
    tables=later("simengine.questions.compare.tables", "comparison_tables"),
    picture=later("simengine.questions.compare.picture", "draw_comparison"),
    keeps="compare.json, compare.png, study and provenance",
)
