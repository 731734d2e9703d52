"""The shipped studies speak the whole language: every part of it stands in one of them, and every command answers on one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from simengine.bench.frozen_studies import study_of, substance_of
from simengine.cli.main import commands
from simengine.config import find_study, load_study, shipped_contracts, shipped_studies
from simengine.config.document import read_document
from simengine.pipeline import draw_numbers
from simengine.questions.attribute.layers import layers_in
from simengine.questions.retrospect.answer import columns_of
from simengine.replications.points import uncertain_paths
from simengine.sampling import Sampling, distributions_of
from tests.test_docs import REFERENCE, section

PARTS = [
    "sizing", "sizing.free", "sizing.parties", "behaviour", "behaviour.efforts", "capital.tranches", "capital.waterfall",
    "capital.guarantees", "capital.payers", "parties.*.costs", "outcomes.*.per_move", "outcomes.*.moves", "contract.milestones",
    "contract.terms.*.milestones", "contract.stops", "contract.terms.*.true_up", "known", "variants", "measurement.counted",
    "measurement.metrics.*.design",
]  # fmt: skip
NORRKOPING, LENDERS = find_study("norrkoping"), find_study("two_lenders")
CONTRACT = next(path for path in shipped_contracts() if path.stem == "norrkoping")
COST = "behaviour.efforts.work.cost.quadratic"
SMALL = ("--seed", 1, "--threads", 1)
ASKED: dict[str, tuple[object, ...]] = {
    "attribute": (NORRKOPING, "-n", 125, *SMALL),
    "batch": (NORRKOPING, LENDERS, "-n", 40, *SMALL),
    "cash": (NORRKOPING, "-n", 40, *SMALL),
    "certificate": (NORRKOPING, "-n", 40, *SMALL),
    "check": (NORRKOPING,),
    "compare": (NORRKOPING, CONTRACT, "-n", 40, *SMALL),
    "incentives": (NORRKOPING, "-n", 20, *SMALL),
    "information": (NORRKOPING, "-n", 500, *SMALL),
    "learn": (NORRKOPING, "--given", "better_school", "-n", 800, *SMALL),
    "methods": (NORRKOPING, "-n", 20, *SMALL),
    "retrospect": (NORRKOPING, "-n", 100, *SMALL),
    "run": (NORRKOPING, "-n", 20, *SMALL),
    "sensitivity": (NORRKOPING, "-n", 20, "--points", 16, "--trajectories", 4, "--panel", 2, "--party", "investor", *SMALL),
    "size": (NORRKOPING, "-n", 20, "--points", 9, *SMALL),
    "stress": (NORRKOPING, "-n", 20, *SMALL),
    "trace": (NORRKOPING, "--replication", 3, "--seed", 1),
    "tradeoffs": (NORRKOPING, "-n", 20, *SMALL),
    "value": (NORRKOPING, "-n", 20, *SMALL),
    "window": (NORRKOPING, "--months", "12,24", "-n", 20, *SMALL),
}
OF_NO_STUDY = {
    "schema",
    "bench",
    "conform",
    "demo",
    "explain",
    "fit",
    "lint",
    "portfolio",
    "record",
    "reference",
    "replay",
    "sweep",
    "warmup",
}
OF_A_RUN = {"export", "rerun", "score", "seal", "workbook"}
PRINTS_NO_ANSWER = {"report"}
"""What writes a file instead: `tests/documents` asks it of shipped studies."""


def answer(name: str, *arguments: object) -> str:
    done = CliRunner().invoke(commands, [name, *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def places(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of a file."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield (*path, str(name))
            yield from places(child, (*path, str(name)))


def studies_with(part: str) -> set[str]:
    """Name the shipped studies in whose file a part of the language stands; * is any name."""
    wanted = part.split(".")
    return {
        path.stem
        for path in shipped_studies()
        for place in places(read_document(path).content)
        if len(place) == len(wanted) and all(one in ("*", key) for one, key in zip(wanted, place, strict=True))
    }


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_language__stands_in_a_shipped_study(part: str) -> None:
    assert studies_with(part)


def test_a_part_that_nobody_uses__is_seen() -> None:
    assert studies_with("capital.nothing") == set()
    assert studies_with("capital.waterfall") == {"two_lenders", "iaam_adoption", "outcomes_fund_children"}


def test_norrkoping__has_a_sizing_and_a_behaviour_of_its_own() -> None:
    study = load_study(NORRKOPING)
    assert {side.objective for side in study.sizing.parties.values()} == {"expected_npv"}  # type: ignore[union-attr]
    assert all(side.limits for side in study.sizing.parties.values())  # type: ignore[union-attr]
    assert study.behaviour.party == "service_provider"  # type: ignore[union-attr]
    assert study.numbers[COST].certainty == "assumption"


def test_table_of_the_reference__names_the_studies_in_which_each_part_stands() -> None:
    rows = [row.split("|")[1:4] for row in section(REFERENCE["study"], "Shipped studies").splitlines() if row.startswith("| ")]
    found = {keys.strip(): studies for _, keys, studies in rows}
    for part, keys in [
        ("sizing", "`sizing`"),
        ("behaviour", "`behaviour`"),
        ("capital.guarantees", "`capital.guarantees`"),
        ("measurement.metrics.*.design", "`measurement.metrics.<metric>.design`"),
    ]:
        assert set(found[keys].replace("`", "").replace(" ", "").split(",")) == studies_with(part)


def test_every_command__is_asked() -> None:
    assert set(ASKED) | OF_NO_STUDY | OF_A_RUN | PRINTS_NO_ANSWER == set(commands.commands)


@pytest.mark.parametrize("name", ASKED)
def test_command__answers_on_a_shipped_study_as_it_stands(name: str) -> None:
    assert answer(name, *ASKED[name])


@pytest.mark.parametrize("name", ["run", "cash", "size", "incentives", "stress", "value"])
def test_command__answers_on_the_study_with_two_lenders(name: str) -> None:
    more = ("--points", 9) if name == "size" else ()
    assert answer(name, LENDERS, "-n", 20, *more, *SMALL)


def test_incentives__of_a_team_that_is_paid_what_is_drawn_is_no_effort() -> None:
    # Source: hand: the team's money is the same at every effort, so the effort that costs nothing is worth most to it.
    own = json.loads(answer("incentives", NORRKOPING, "-n", 20, *SMALL, "--json"))["contracts"]["own"]
    assert own["chosen"]["efforts"] == {"work": 0}


@pytest.mark.parametrize("path", shipped_studies(), ids=lambda path: path.stem)
def test_shipped_study__is_valid_and_runs(path: Path) -> None:
    assert "valid" in answer("check", path)
    assert answer("run", path, "-n", 20, *SMALL)


# ------------------------------- what only these questions read moves no answer of a run -------------------------------


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(is_sobol=True)], ids=["plain", "sobol"])
def test_draws__are_the_same_without_sizing_and_behaviour(sampling: Sampling) -> None:
    # Invariant: whatever no run reads takes no stream and no dimension of another number.
    study = load_study(NORRKOPING)
    bare = study.model_copy(update={"sizing": None, "behaviour": None})
    one, other = (draw_numbers(each, 1, np.arange(64), sampling) for each in (study, bare))
    assert set(one.values) - set(other.values) == {COST}
    assert all((one[path] == values).all() for path, values in other.values.items())


def test_cost_of_effort__is_no_assumption_of_a_result() -> None:
    study = load_study(NORRKOPING)
    assert COST in study.numbers
    assert COST not in distributions_of(study.numbers)
    assert COST not in uncertain_paths(study)
    told = columns_of(study, 1, np.arange(4))
    assert any("effect.sooner_home" in name for name in told)
    assert not [name for name in told if "behaviour" in name]
    single = json.loads(answer("information", *ASKED["information"], "--json"))
    assert "behaviour" not in json.dumps({"sections": single["evppi_of_sections"], "single": single["evppi"]})


def test_layer__in_which_only_the_cost_of_effort_is_drawn_is_no_layer() -> None:
    cost = "{quadratic: {distribution: uniform, low: 1, high: 2}}"
    study = load_study(find_study("tiny"), [f"behaviour={{efforts: {{work: {{levels: [0, 1], cost: {cost}}}}}}}"])
    assert layers_in(study) == layers_in(load_study(find_study("tiny")))


def test_fingerprint_of_a_problem__leaves_out_what_moves_no_answer() -> None:
    study = study_of("norrkoping")
    assert substance_of(study) == substance_of(study.model_copy(update={"sizing": None, "behaviour": None}))
