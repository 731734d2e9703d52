"""The table of sections: complete, in the order of a study, and the only place that knows where a section lies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simengine.config import Study
from simengine.sections import FREE, LEFT, MEASURED_AGAIN, OF_PEOPLE, SECTIONS, TERMS, UNREAD, lies_left


def lists_of_sections(text: str) -> list[str]:
    """Find tuples of three or more sections, or of two that end in a dot: a table that somebody keeps for himself."""
    names = "|".join(SECTIONS)
    return re.findall(rf"""\((?:"(?:{names})\.?",\s*){{2,}}"(?:{names})\.?""", text)


def test_table__has_every_section_in_the_order_of_a_study() -> None:
    assert list(SECTIONS) == list(Study.model_fields)


def test_sides__agree_with_each_other() -> None:
    # Invariants: people live left of the wall; terms lie right of it; what is free is a term; what is measured again touches
    # nobody.
    assert set(OF_PEOPLE) < set(LEFT)
    assert set(FREE) < set(TERMS)
    assert not set(LEFT) & {*TERMS, *UNREAD}
    assert not set(OF_PEOPLE) & set(MEASURED_AGAIN)


@pytest.mark.parametrize(
    ("path", "is_left"),
    [
        ("effect.sooner_home.hazard_ratio", True),
        ("study.start", True),
        ("study.title", False),
        ("contract.terms.guarantee.share", False),
        ("correlations.same.between.0", True),
    ],
)
def test_number__lies_on_one_side_of_the_wall(path: str, is_left: bool) -> None:
    assert lies_left(path) is is_left


def test_nobody__keeps_a_list_of_sections_of_his_own(checkout: Path) -> None:
    found = {
        path.name: lists
        for path in (checkout / "simengine").rglob("*.py")
        if path.name != "sections.py" and (lists := lists_of_sections(path.read_text()))
    }
    assert found == {}
    assert lists_of_sections('LEFT = ("population", "pathway", "effect")')
