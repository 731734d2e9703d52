"""The calls of Python users: the same questions, the same numbers and the same refusals as on the command line."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import simengine
from simengine import ask, find_study, load_contract, load_study, run, settle, simulate
from simengine.config import shipped_contracts
from simengine.errors import SimengineError, StudyError, UnknownNameError, UsageError
from simengine.pipeline import evaluate
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Question
from tests.command import in_this_process

TINY = find_study("tiny")
CONTRACT = next(path for path in shipped_contracts() if path.stem == "norrkoping")
# What each question needs beside a study, from Python and as words of the command.
ASKED: dict[str, tuple[dict[str, object], tuple[object, ...]]] = {
    "run": ({"measured": 2}, ("--measured", 2)),
    "cash": ({"parties": ["investor"], "every": "year"}, ("--party", "investor", "--every", "year")),
    "compare": ({"contracts": [CONTRACT]}, (CONTRACT,)),
    "attribute": ({"level": 0.5, "measure": "npv"}, ("--level", 0.5, "--of", "npv")),
    "stress": ({}, ()),
    "tradeoffs": (
        {"names": ["contract.terms.guarantee.share"], "step": 0.2},
        ("--term", "contract.terms.guarantee.share", "--step", 0.2),
    ),
    "sensitivity": (
        {"n_points": 16, "n_trajectories": 4, "n_luck": 2},
        ("--points", 16, "--trajectories", 4, "--luck", 2),
    ),
    "certificate": ({}, ()),
    "methods": ({}, ()),
    "window": ({"months": [6, 12]}, ("--months", "6,12")),
    "value": ({"among": ["investor", "outcome_payer"]}, ("--among", "investor,outcome_payer")),
    "size": (
        {"free": ["contract.terms.guarantee.share=0.2..0.6"], "limits": ["investor.p_loss <= 0.9"], "n_points": 4},
        ("--free", "contract.terms.guarantee.share=0.2..0.6", "--limit", "investor.p_loss <= 0.9", "--points", 4),
    ),
    "information": ({"pilots": [8]}, ("--pilot", 8)),
    "trace": ({"replication": 3}, ("--replication", 3)),
}
OF_OTHER_STUDIES = {"incentives", "retrospect", "portfolio"}


def words_for(name: str) -> list[object]:
    n = () if name == "trace" else ("-n", 500 if name == "information" else 80)
    return [name, TINY, *n, "--seed", 3, *ASKED[name][1], "--json"]


def test_every_question__is_asked_here() -> None:
    assert {question.name for question in QUESTIONS} == {*ASKED, *OF_OTHER_STUDIES}


@pytest.mark.parametrize("name", ASKED)
def test_answer__from_python_is_that_of_the_command_line(name: str) -> None:
    question = next(one for one in QUESTIONS if one.name == name)
    n = None if name == "trace" else 500 if name == "information" else 80
    study = load_study(TINY)

    found = ask(name, study, n=n, seed=3, **ASKED[name][0])

    printed = json.loads(in_this_process(words_for(name)).stdout)
    del printed["provenance"]
    asked = study
    if name == "size":
        from simengine.config.request import Requested, with_request

        asked = with_request(study, Requested(free=["contract.terms.guarantee.share=0.2..0.6"], limits=["investor.p_loss <= 0.9"]))
    assert json.loads(json.dumps(question.content(asked, found))) == printed


@pytest.mark.parametrize("name", sorted({*ASKED} - {"run", "trace"}))
def test_answer__says_in_a_line_what_it_is_and_gives_its_numbers_as_a_table(name: str) -> None:
    n = 500 if name == "information" else 80
    found = ask(name, str(TINY), n=n, seed=3, **ASKED[name][0])

    assert repr(found).startswith(f"<{type(found).__name__}: {n} replications, seed 3, ")
    assert len(repr(found)) < 120
    table = found.to_pandas()
    assert list(table.columns) == ["value", "se"]
    assert len(table) > 3
    assert "<table" in found._repr_html_()


def test_run__has_statistics_rows_and_what_was_drawn() -> None:
    study = load_study(TINY)
    result = run(study, n=60, seed=3)

    rows, drawn = result.to_pandas(), result.draws()
    assert result["investor.p_loss"] == result.table["investor.p_loss"]
    assert len(rows) == len(drawn) == 60
    np.testing.assert_array_equal(rows["investor.net"], result["investor.net"])
    # Source: the draws themselves, made again block by block.
    assert (
        drawn["effect.sooner_home.hazard_ratio"] == simulate(study, 3, np.arange(60)).draws["effect.sooner_home.hazard_ratio"]
    ).all()
    assert set(rows["investor.payback.status"].cat.categories) >= {"paid_back"} if "investor.payback.status" in rows else True


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda study: ask("stres", study), "question: must be one of run, cash, .*; found 'stres'"),
        (lambda study: ask("stress", study, levle=0.5), r"stress: has the options .*; found 'levle'. Did you mean `level`\?"),
        (lambda study: ask("stress", study, criterion="investor.loss > 0", names=["x"]), "--stress: is no part"),
        (lambda study: ask("stress", study, boxes=True), "--boxes: is asked together with --reverse; found it alone"),
        (lambda study: ask("window", study), "--months: must be given; found none"),
        (lambda study: ask("run", study, n=1), "replications: must be a whole number from 2"),
        (lambda study: ask("run", study, seed=-1), "seed: must be a whole number"),
        (lambda study: ask("run", study, n=20, measured=0), "--measured: must be a whole number from 1 to 100; found 0"),
        (lambda study: ask("run", study, n=20, until="p_loss se<0.1"), "--until: the precision decides how many replications"),
        (lambda study: ask("attribute", study, n=20, measure="profit"), "--of: must be one of net, npv, loss"),
        (lambda study: run(study, 20, 1)["investor.p_los"], r"statistic: must .*Did you mean 'investor.p_loss'\?"),
        (lambda study: run(study, 20, 1).results["investor.nett"], r"column: must .*Did you mean 'investor.net'\?"),
        (lambda study: study.with_({"contract.terms.guarante.share": 0.5}), r"Did you mean `guarantee`\?"),
        (lambda study: load_study({"study": {"title": "x"}}), "the study: study.currency: this key is needed"),
    ],
)  # fmt: skip
def test_nonsense__is_refused_in_one_message(call: object, message: str) -> None:
    with pytest.raises(SimengineError, match=message):
        call(load_study(TINY))  # type: ignore[operator]


def test_misspelt_name__is_a_key_error_too() -> None:
    # Whoever looks in a mapping expects one.
    with pytest.raises(KeyError):
        run(load_study(TINY), 20, 1)["nothing"]
    assert issubclass(UnknownNameError, UsageError)


def test_study__is_read_from_a_file_or_from_what_it_says_and_changed_by_paths() -> None:
    from simengine.config.document import read_document

    changes = {"contract.terms.guarantee.share": 0.5, "population.waves.all.size": 30}
    written = [f"{path}={value}" for path, value in changes.items()]
    by_file = load_study(TINY, written)
    assert load_study(TINY, changes).contract.terms["guarantee"].share.value == 0.5  # type: ignore[attr-defined]
    one, other, third = (
        run(study, 40, 1).results.columns
        for study in (by_file, load_study(read_document(TINY).content, changes), load_study(TINY).with_(changes))
    )
    for name, column in one.items():
        np.testing.assert_array_equal(column, other[name])
        np.testing.assert_array_equal(column, third[name])


def test_study__is_not_changed_by_changing_it() -> None:
    content: dict[str, object] = {"study": {"title": "x"}}
    with pytest.raises(StudyError):
        load_study(content, {"study.title": "y"})
    assert content == {"study": {"title": "x"}}


def test_settle__under_other_terms_is_a_run_of_the_changed_study() -> None:
    study = load_study(TINY)
    evidence = simulate(study, 1, np.arange(50))
    changed = study.with_({"contract.terms.guarantee.share": 0.3})
    for terms in ({"contract.terms.guarantee.share": 0.3}, changed, changed.contract):
        found = settle(evidence, terms)
        np.testing.assert_array_equal(found["investor.net"], evaluate(changed, evidence)["investor.net"])
        np.testing.assert_array_equal(found["investor.net"], run(changed, 50, 1)["investor.net"])
    with pytest.raises(UsageError, match="evidence: must come from the people and the measurement"):
        settle(evidence, {"population.waves.all.size": 30})


def test_contract__of_another_file_can_be_settled() -> None:
    evidence = simulate(load_study(find_study("norrkoping")), 1, np.arange(20))
    assert len(settle(evidence, load_contract(CONTRACT)).replications) == 20


@pytest.mark.parametrize(
    "question", [*QUESTIONS, *(other for one in QUESTIONS for other in one.instead.values())], ids=lambda one: one.name
)
def test_question__names_functions_that_exist_and_takes_what_it_is_given(question: Question[object]) -> None:
    import importlib

    for call in (question.ask, question.content, question.tables, question.picture):
        if call is not None:
            assert callable(getattr(importlib.import_module(call.__module__), call.__qualname__))
    parameters = inspect.signature(getattr(importlib.import_module(question.ask.__module__), question.ask.__qualname__)).parameters
    assert "ensemble" in parameters
    if question.prepare.__name__ == "as_it_stands":
        assert {option.name for option in question.options} <= set(parameters)


def test_names__of_the_package_are_those_that_are_public() -> None:
    assert set(dir(simengine)) == {*simengine.__all__, "__version__"}
    with pytest.raises(AttributeError, match="Did you mean 'load_study'"):
        simengine.load_studdy  # noqa: B018


def test_place_of_a_file__may_be_given_for_a_study() -> None:
    assert repr(ask("value", Path(TINY), n=40, seed=1)) == repr(ask("value", load_study(TINY), n=40, seed=1))
