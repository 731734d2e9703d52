"""The real tables, where somebody has downloaded them: what is known of them from elsewhere. Nothing of them is in this project."""

from __future__ import annotations

from pathlib import Path

import pytest

from simengine.reference_class.indigo import ProjectFilter
from simengine.reference_class.reference import read_reference
from verification.outside_view import folder_of_tables, main, projects_in


@pytest.fixture
def tables() -> Path:
    found = folder_of_tables()
    if found is None:
        pytest.skip("no download of the INDIGO tables: set SIMENGINE_INDIGO to its folder")
    return found


def test_ratios__are_near_one_with_a_long_spread(tables: Path) -> None:
    """The note beside the extract: a median near 1.0, from about 0.2 to above 3, over the projects with a plan and payments."""
    ratios = sorted(one.paid / one.planned_in_all if not one.is_finished else one.ratio for one in projects_in(tables))
    assert 0.8 < ratios[len(ratios) // 2] < 1.2
    assert ratios[0] < 0.4
    assert ratios[-1] > 3


def test_oddities__are_those_that_are_known(tables: Path) -> None:
    """The note beside the extract names them: Plan1, overlapping periods, unfinished projects, rows without type, `2018-13`."""
    odd = {one.what: one.number for one in read_reference(tables, ProjectFilter()).oddities}
    assert odd["no_type"] > 0
    assert {"plan_respelled", "overlapping_periods", "unfinished", "no_period_of_result"} <= set(odd)


def test_forecasts__cover_within_their_band(
    tables: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["outside_view", str(tables)])
    assert main() == 0
    assert "OUTSIDE" not in capsys.readouterr().out.partition("| censored")[0]
