"""After `simengine warmup` nothing that comes with the package is left to compile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from simengine import compilation
from simengine.cli.main import commands
from simengine.config import shipped_studies
from tests.command import in_this_process
from tests.conftest import CHECKOUT


@pytest.fixture(scope="module")
def asked() -> Iterator[list[str]]:
    """Warm up, and list the kernels that are asked for in a new form from then on, whether or not an earlier process kept them."""
    names: list[str] = []
    load = compilation._Cache.load_overload

    def load_and_list(cache: compilation._Cache, signature: object, context: object) -> object:
        names.append(f"{cache._impl.filename_base} {signature}")
        return load(cache, signature, context)

    done = in_this_process(["warmup"])
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Compiled and ran in \d+\.\d s\. .*(later runs start at once|NUMBA_CACHE_DIR).*\n", done.stdout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation._Cache, "load_overload", load_and_list)
        yield names


QUESTIONS = {
    "run": ("-n", "4"),
    "certificate": ("-n", "20"),
    "stress": ("-n", "20"),
    "value": ("-n", "20"),
    "sensitivity": ("-n", "20", "--points", "16", "--trajectories", "4", "--panel", "2"),
    "size": ("-n", "20", "--free", "contract.terms.guarantee.share=0..1", "--points", "4"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_warmup__leaves_nothing_to_compile_for_a_question(question: str, asked: list[str], tiny_path: Path) -> None:
    asked.clear()

    commands([question, str(tiny_path), "--seed", "1", *QUESTIONS[question]], standalone_mode=False)

    assert asked == []


UNUSUAL = (
    "population.engagement={share: 0.5, doses: {whole: {share: rest, strength: 1}}, dropout: {mean_months: 4}}",
    "population.transfer={per_year: 0.3, factor_in: {placed: 0}, ratio_with_service: 2}",
    "population.history_months=3",
    "effect.sooner_home.only_while_engaged=true",
    "outcomes.placement_cost_sek.by_months_since_entry={placed: {from_months: [2], factor: [3]}}",
)


CHANGED = "measurement.metrics.saving.redefined={from_month: 6, factor: 0.5}"


@pytest.mark.parametrize("more", ["measurement.transfers=hidden", "measurement.transfers=left_out", CHANGED])
def test_warmup__leaves_nothing_to_compile_for_what_no_shipped_study_says(more: str, asked: list[str], tiny_path: Path) -> None:
    asked.clear()

    sets = [word for text in (*UNUSUAL, more) for word in ("--set", text)]
    commands(["run", str(tiny_path), "-n", "4", "--seed", "1", *sets], standalone_mode=False)

    assert asked == []


@pytest.mark.parametrize("path", [*shipped_studies(), CHECKOUT / "tests/cases/everything.yaml"], ids=lambda path: path.stem)
def test_warmup__leaves_nothing_to_compile_for_a_shipped_study(path: Path, asked: list[str]) -> None:
    asked.clear()

    commands(["run", str(path), "-n", "4", "--seed", "2"], standalone_mode=False)

    assert asked == []
