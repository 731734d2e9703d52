"""Fixtures that many tests share; nothing clever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from simengine.config import Study, load_study

# The same examples in every run: a property that fails must fail again when somebody looks.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def tiny_path() -> Path:
    return CHECKOUT / "configs" / "tiny.yaml"


@pytest.fixture
def tiny(tiny_path: Path) -> Study:
    return load_study(tiny_path)
