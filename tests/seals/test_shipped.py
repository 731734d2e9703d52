"""The seals that come with the studies: of those studies, within Monte Carlo error of them, and told on their page."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest

import simengine
from simengine.config import load_study, shipped_studies
from simengine.report.document import as_text, kept_text
from simengine.seals.document import Seal, read_seal
from simengine.seals.making import sealed
from simengine.seals.outcome import outcome_of, outcomes_table
from simengine.seals.scores import SUFFIX
from simengine.streams import STREAM_VERSION
from tests.conftest import IS_THOROUGH
from verification import sealed_forecasts
from verification.sealed_forecasts import SEALS, Shipped, shipped

EVERY = list(shipped())
FEW = {"peterborough": 24, "botkyrka_ornskoldsvik": 16, "denver_supportive_housing": 60}
"""By name: replications of studies that take long."""
by_name = pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)


def differences(kept: Seal, other: Seal) -> list[str]:
    """List the results of which the shares below the kept quartiles, and at its atoms, differ by more than chance does."""
    found = []
    for name, one in kept.results.items():
        sample, again = one.sample, other.results[name].sample
        values = [*np.quantile(sample, [0.1, 0.25, 0.5, 0.75, 0.9], method="inverted_cdf"), *(knot.value for knot in one.atoms[:3])]
        for value in values:
            for share in (np.less, np.less_equal):
                p, q = share(sample, value).mean(), share(again, value).mean()
                pooled = (p * len(sample) + q * len(again)) / (len(sample) + len(again))
                error = np.sqrt(pooled * (1 - pooled) * (1 / len(sample) + 1 / len(again)))
                if abs(p - q) > 4.5 * error + one.lost_probability:
                    found.append(f"{name} at {value:g}: {p:.3f}, and {q:.3f} anew")
    return found


def test_every_study_of_which_something_is_known__has_a_seal():
    known = {path.stem for path in shipped_studies() if load_study(path).known}
    assert len(known) == 8
    assert {one.name.removesuffix(f"_{one.variant}") for one in EVERY} == known
    assert set(SEALS.rglob(f"*{SUFFIX}")) == {one.path for one in EVERY}
    assert (SEALS / "outcomes.csv").read_text() == outcomes_table({one.name: one.outcomes for one in EVERY})


@by_name
def test_seal__is_of_its_study(one: Shipped):
    kept = read_seal(one.path)
    assert kept.study["text_sha256"] == sha256(kept_text(one.study, one.variant).encode()).hexdigest(), sealed_forecasts.__doc__
    assert kept.study["contract_sha256"] == sha256(as_text(one.study.contract).encode()).hexdigest()
    assert (kept.study["variant"], kept.study["title"]) == (one.variant, one.study.study.title)
    known = [outcome_of(known).result for known in one.study.known.values() if known.variant == one.variant]
    assert sorted(kept.results) == sorted(known)
    assert len(one.path.read_bytes()) < 15_000


@by_name
def test_seal__is_within_monte_carlo_error_of_the_study(one: Shipped):
    n = 1000 if IS_THOROUGH else FEW.get(one.name, 200)
    assert differences(read_seal(one.path), one.seal(n, seed=7)) == []


@by_name
def test_seal__is_the_same_bytes_where_nothing_changed_that_draws(one: Shipped):
    kept = read_seal(one.path)
    if (kept.simengine, kept.streams) != (simengine.__version__, STREAM_VERSION):
        pytest.skip("made by another version: run `python -m verification.sealed_forecasts --make`")
    if not IS_THOROUGH and one.name != "norrkoping_three_year_window":
        pytest.skip("takes minutes: in `make verify`")
    assert one.seal().text == one.path.read_text()


def test_differences__are_seen():
    one = next(one for one in EVERY if one.name == "skolfam")
    shifted = {name: part.sample + 0.5 * part.sample.std() for name, part in read_seal(one.path).results.items()}
    assert differences(read_seal(one.path), sealed(one.study, 1, shifted))


def test_tables__are_those_of_the_seals():
    assert sealed_forecasts.TABLE.read_text(encoding="utf-8") == sealed_forecasts.rows(), (
        "run `python -m verification.sealed_forecasts`"
    )
    assert sealed_forecasts.PAGE.read_text(encoding="utf-8") == sealed_forecasts.page(), (
        "run `python -m verification.sealed_forecasts`"
    )
