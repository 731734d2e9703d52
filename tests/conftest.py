"""Fixtures that many tests share; nothing clever."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import settings

from simengine.config import Study, load_study
from simengine.records import Payments

# The same examples in every run: a property that fails must fail again when somebody looks.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# Tests start processes: without bytecode each of them would compile the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Workers share the processors: threads of each would wait for those of the others. What holds on several threads asks for them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.sched_getaffinity = lambda _: {0}

CHECKOUT = Path(__file__).resolve().parent.parent
Asked = TypeVar("Asked")
IS_THOROUGH = os.environ.get("SIMENGINE_TESTS") == "thorough"


def sized(quick: Asked, thorough: Asked) -> Asked:
    """Return how many examples, or which, a test takes: few in the suite that everybody runs, many in `make verify`."""
    return thorough if IS_THOROUGH else quick


def payments_once(amount: np.ndarray, *terms: str) -> Payments:
    """Make payments to the investor, of shape (replication, term), in a month that the study gives."""
    once = amount[:, :, None]
    parties = (("outcome_payer", "investor"),) * len(terms)
    return Payments(terms, parties, ("settlement",), np.full((len(terms), 1), -1), once, np.zeros(once.shape, np.int8))


def save_no_pictures(patch: pytest.MonkeyPatch) -> None:
    """Paint pictures, but do not turn them into bytes, which takes longer than a small study: for tests that look at none."""
    patch.setattr("simengine.report.picture._bytes_of", lambda figure, form: b"a picture")


@pytest.fixture
def pictures_unsaved(monkeypatch: pytest.MonkeyPatch) -> None:
    save_no_pictures(monkeypatch)


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def tiny_path() -> Path:
    return CHECKOUT / "configs" / "tiny.yaml"


@pytest.fixture
def tiny(tiny_path: Path) -> Study:
    return load_study(tiny_path)
