"""Studies at the edge of what may be said: every question answers or refuses in one message, and what is answered is right."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simengine import load_study, run
from simengine.errors import NotGivenError
from simengine.questions.run.answer import Run
from tests.command import in_this_process
from tests.conftest import IS_THOROUGH

EDGES: dict[str, dict[str, object]] = {
    "probability 0": {"outcomes.school_qualified.probability": {"home": 0, "placed": 0}},
    "probability 1": {"outcomes.school_qualified.probability": {"home": 1, "placed": 1}},
    "moves are certain": {"pathway.moves.placed -> home": {"per_month": 1}, "pathway.moves.home -> placed": {"per_month": 1}},
    "nobody moves": {"pathway.moves.placed -> home": {"per_month": 0}, "pathway.moves.home -> placed": {"per_month": 0}},
    "one person": {"population.waves.all.size": 1},
    "nobody in a group": {"population.strata": {"young": {"share": 0}, "older": {"share": 1}}},
    "nobody at all": {"population.waves.all.size": 0},
    "one month": {
        "study.horizon_months": 1,
        "population.waves.all.enrolment_months": 1,
        "outcomes.school_qualified.at_month": 1,
        "measurement.metrics.saving.window_months": 1,
        "measurement.metrics.school.window_months": 1,
        "capital.payment_month": {"guarantee": 1, "saving_share": 1, "upside": 1},
        "capital.drawdown_months": 1,
    },
    "600 months": {"study.horizon_months": 600},
    "a trillion yen": {
        "study.currency": "JPY",
        "contract.currency": "JPY",
        "contract.commitment": 1e12,
        "contract.metrics.saving.unit": "JPY",
        "outcomes.placement_cost_sek.per_day": {"placed": 1e9},
    },
    "all payments are equal": {
        "contract.terms": {"guarantee": {"amount": 1000, "contingent": False}},
        "contract.metrics": {},
        "capital.payment_month": {"guarantee": 12},
    },
    "nothing is lent": {"capital.drawn_share": 0},
    "no commitment": {"contract.commitment": 0},
}
QUESTIONS: dict[str, tuple[object, ...]] = {
    "run": ("-n", 64, "--sobol"),
    "cash": ("-n", 64),
    "attribute": ("-n", 250),
    "stress": ("-n", 64),
    "stress ": ("-n", 64, "--reverse", "investor.loss > 50%"),
    "tradeoffs": ("-n", 64),
    "certificate": ("-n", 64),
    "methods": ("-n", 64),
    "window": ("-n", 64, "--months", "12,24"),
    "value": ("-n", 64),
    "information": ("-n", 500),
    "incentives": ("-n", 64),
    "compare": ("norrkoping", "-n", 64),
    "trace": ("--replication", 3),
}
PAIRS = [
    (edge, question)
    for number, edge in enumerate(EDGES)
    for place, question in enumerate(QUESTIONS)
    # In the quick suite each edge is asked one question, and each question of one edge.
    if IS_THOROUGH or (place - number + 6) % len(QUESTIONS) == 0
]


@pytest.mark.parametrize(("edge", "question"), PAIRS)
def test_question__answers_or_refuses(edge: str, question: str, tiny_path: Path, checkout: Path) -> None:
    changes = [f"--set={path}={_as_yaml(value)}" for path, value in EDGES[edge].items()]
    words = [
        checkout / "configs" / "contracts" / "norrkoping.yaml" if word == "norrkoping" else word for word in QUESTIONS[question]
    ]

    done = in_this_process([question.strip(), tiny_path, *words, "--seed", 1, *changes])

    if done.returncode == 0:
        assert done.stderr == ""
        assert "nan" not in done.stdout
        assert "inf" not in done.stdout.replace("information", "").replace("inform", "")
    else:
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("simengine: ")


def _as_yaml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_as_yaml(part)}" for key, part in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else f"{value:.0f}" if isinstance(value, float) else str(value)


@cache
def at(edge: str, tiny_path: Path, n: int = 64) -> Run:
    return run(load_study(tiny_path, EDGES[edge]), n, 1)


@pytest.mark.parametrize("edge", [edge for edge in EDGES if edge != "nobody at all"])
def test_cash__of_all_parties_sums_to_nothing(edge: str, tiny_path: Path) -> None:
    found = at(edge, tiny_path)

    # Source: what one pays another receives; in yen a unit is 1, else a hundredth.
    unit = 1 if edge == "a trillion yen" else 100
    cash = np.stack([found[f"{party}.cash"] * unit for party in ("investor", "outcome_payer", "service_provider")])
    assert np.isfinite(cash).all()
    assert (np.abs(cash - np.rint(cash)) < 1e-4).all()
    assert (np.rint(cash).sum(axis=0) == 0).all()


@pytest.mark.parametrize("edge", ["probability 0", "probability 1"])
def test_certain_outcome__shows_no_difference(edge: str, tiny_path: Path) -> None:
    # Source: what always, or never, comes does so in both groups; a bonus for more of it is never paid.
    found = at(edge, tiny_path)

    assert (found["metric.school.estimate"] == 0).all()
    assert (found["term.upside.amount"] == 0).all()


def test_nobody_moves__saves_nothing(tiny_path: Path) -> None:
    # Source: an effect on moves that nobody makes changes nobody's days.
    assert (at("nobody moves", tiny_path)["metric.saving.truth"] == 0).all()


def test_a_trillion_yen__is_counted_in_whole_yen(tiny_path: Path) -> None:
    # Source: 0.40 x 10^12.
    found = at("a trillion yen", tiny_path)

    assert (found["term.guarantee.amount"] == 400_000_000_000).all()
    assert (found["investor.net"] == np.rint(found["investor.net"])).all()


def test_equal_payments__have_no_spread(tiny_path: Path) -> None:
    # Source: 1,000 come back of 2,000,000.
    found = at("all payments are equal", tiny_path)

    assert (found["investor.net"] == -1_999_000).all()
    assert (found["investor.net.mean"].value, found["investor.net.mean"].se) == (-1_999_000, 0)
    assert found["investor.p_loss"].value == 1


def test_nothing_lent__pays_no_share_of_it(tiny_path: Path) -> None:
    # Source: 0.40 x 0, and 0.60 of what was saved is capped at 0.60 x 0.
    found = at("nothing is lent", tiny_path)

    assert (found["term.guarantee.amount"] == 0).all()
    assert (found["term.saving_share.amount"] == 0).all()


def test_no_tail__is_said_and_not_guessed(tiny_path: Path) -> None:
    with pytest.raises(NotGivenError, match="Run n="):
        at("one person", tiny_path, n=16)["investor.cvar95"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-n", 1), "must be a whole number from 2 to 4,294,967,296; found '1'"),
        (("--set", "study.horizon_months=0"), "horizon_months"),
        (("--set", "population.waves.all.size=0"), "a wave must have at least one service user"),
        (("--set", "contract.commitment=1e16"), "commitment"),
        (("--set", "outcomes.school_qualified.probability={home: 1.000001, placed: 0}"), "probability"),
    ],
)
def test_beyond_the_edge__is_refused_in_one_message(words: tuple[object, ...], message: str, tiny_path: Path) -> None:
    done = in_this_process(["run", tiny_path, "--seed", 1, "-n", 16, *words])

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
