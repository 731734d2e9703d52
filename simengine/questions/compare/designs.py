"""The same study under other contracts: from files of contracts and from its own variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simengine.errors import UsageError
from simengine.sections import OWN, TERMS

if TYPE_CHECKING:
    from simengine.config import Study

OWN_CONTRACT = OWN
"""The name of a study's own contract beside others."""


def designs_of(study: Study, names: Sequence[str], variant: Callable[[str], Study]) -> dict[str, Study]:
    """Read designs, each the study with other terms.

    Parameters
    ----------
    study
        As it was read.
    names
        Files of contracts (or studies whose contract is meant), and names of the study's own variants.
    variant
        From the name of one of them to that study.

    Returns
    -------
    By name: the stem of a file, or the folder of a file `study.yaml`, or the name of a variant.

    Raises
    ------
    StudyError
        If a contract does not fit the study.
    UsageError
        If a name stands twice or is taken, or a variant changes more than terms.
    """
    from simengine.config import load_contract
    from simengine.questions.compare.answer import with_contract

    designs: dict[str, Study] = {}
    for name in names:
        if not name.strip():
            raise UsageError("CONTRACT: must be the name of a file or of a variant; found an empty one")
        is_variant = name in study.variants and not Path(name).is_file()
        key = name if is_variant else _name_of(Path(name))
        if key in designs or key in (OWN_CONTRACT, "study"):
            rule = (
                f"CONTRACT: each must have a name of its own, that of its file, and none may be called `{OWN_CONTRACT}` or `study`"
            )
            raise UsageError(f"{rule}; found {name!r}. Rename or leave out one of them")
        if is_variant:
            designs[key] = variant(name)
            section = other_section(study, designs[key])
            if section is not None:
                raise UsageError(
                    f"CONTRACT {name}: a variant that is compared here must change terms alone ({', '.join(TERMS)}), so that "
                    f"the same people are settled; found another `{section}`. Ask about it by itself, with --variant {name}"
                )
        else:
            designs[key] = with_contract(study, name, load_contract(name))
    return designs


def _name_of(file: Path) -> str:
    """Call a contract after its file, or, where that is called as every kept study, after its folder."""
    return file.resolve().parent.name if file.stem == "study" else file.stem


def as_variant(study: Study, design: Study) -> dict[str, object]:
    """Say a design with other terms as a variant of the study: by section, all that stands there."""
    written = design.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    absent: dict[str, object] = {section: None if getattr(design, section) is None else {} for section in TERMS}
    changed = (section for section in TERMS if getattr(study, section) != getattr(design, section))
    return {section: written.get(section, absent[section]) for section in changed}


def other_section(study: Study, design: Study) -> str | None:
    """Find a section of a design, beside its terms, that is not that of the study; nothing where terms alone differ."""
    fixed = (section for section in type(study).model_fields if section not in (*TERMS, "variants"))
    return next((section for section in fixed if getattr(study, section) != getattr(design, section)), None)
