"""The same study under other contracts: from files of contracts and from its own variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simengine.config.consistency import study_problems
from simengine.config.load import load_contract, load_study
from simengine.config.study import Study
from simengine.contract.spec import Contract
from simengine.errors import Problem, StudyError, UsageError

OWN = "own"
"""The name of the study's own contract."""
_TERMS = ("contract", "capital", "parties", "rates", "prices", "variants")
"""Sections right of the wall, in which designs may differ."""


def load_designs(path: Path, study: Study, overrides: Sequence[str], names: Sequence[str]) -> dict[str, Study]:
    """Read designs, each the study with other terms.

    Parameters
    ----------
    path
        The file of the study.
    study
        As it was read: its own contract is the first design.
    overrides
        With which it was read; they hold for its variants too.
    names
        Files of contracts (or studies whose contract is meant), and names of the study's own variants.

    Returns
    -------
    By name: `own`, the stem of a file, or the name of a variant.

    Raises
    ------
    StudyError
        If a contract does not fit the study.
    UsageError
        If a name stands twice or is taken, or a variant changes more than terms.
    """
    designs = {OWN: study}
    for name in names:
        is_variant = name in study.variants and not Path(name).is_file()
        key = name if is_variant else Path(name).stem
        if key in designs or key == "study":
            raise UsageError(f"CONTRACT: designs have names of their own, beside `own` and `study`; found `{key}`. Rename a file")
        if is_variant:
            designs[key] = load_study(path, overrides, name)
            _refuse_other_people(study, designs[key], name)
        else:
            designs[key] = with_contract(study, load_contract(name), name)
    return designs


def with_contract(study: Study, contract: Contract, place: str) -> Study:
    """Give the study under another contract; payment months are kept for the terms that have the same name.

    Raises
    ------
    StudyError
        If the contract does not fit the study; `place` says where it comes from.
    """
    months = {name: month for name, month in study.capital.payment_month.items() if name in contract.terms}
    capital = study.capital.model_copy(update={"payment_month": {} if contract.dates else months})
    changed = study.model_copy(update={"contract": contract, "capital": capital})
    problems = [Problem(place, *finding) for finding in study_problems(changed)]
    if problems:
        raise StudyError(problems)
    return changed


def _refuse_other_people(study: Study, variant: Study, name: str) -> None:
    for section in type(study).model_fields:
        if section not in _TERMS and getattr(study, section) != getattr(variant, section):
            raise UsageError(
                f"CONTRACT {name}: a variant that is compared here changes terms alone ({', '.join(_TERMS[:-1])}), so that "
                f"the same people are settled; found another `{section}`. Ask about it by itself, with --variant {name}"
            )
