"""The designs that a command names, and how they are kept beside the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simengine.questions.compare.designs import OWN_CONTRACT, as_variant, designs_of
from simengine.questions.question import Asked, Source, as_operand

if TYPE_CHECKING:
    from simengine.config import Study


def asked_of_designs(study: Study, named: Any, source: Source) -> tuple[dict[str, Study], Asked]:
    """Read designs, and say how they are kept beside the answer.

    Parameters
    ----------
    named
        Files of contracts, and names of variants; from Python also studies or contracts by names of their own.

    Returns
    -------
    By name, `own` first: the study under each contract. And what is asked, still without its values.
    """
    from simengine.questions.compare.answer import under
    from simengine.report.document import as_text

    designs = {OWN_CONTRACT: study}
    if isinstance(named, Mapping):
        designs |= {name: under(study, name, one) for name, one in named.items()}
    else:
        designs |= designs_of(study, [str(name) for name in named], source.read)
    others = {name: design for name, design in designs.items() if name != OWN_CONTRACT}
    variants = {name: as_variant(study, design) for name, design in others.items() if name in study.variants}
    files = {f"{name}.yaml": as_text(one.contract) for name, one in others.items() if name not in variants}
    arguments = tuple(as_operand(f"{name}.yaml") if f"{name}.yaml" in files else name for name in others)
    return designs, Asked(study, {}, arguments=arguments, files=files, variants=variants)
