"""The calls of Python users: the same questions, the same numbers and the same refusals as on the command line."""

from __future__ import annotations

import inspect
import json
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simengine
from simengine import ask, find_study, load_contract, load_portfolio, load_study, run, settle, simulate
from simengine.config import shipped_contracts
from simengine.errors import SimengineError, StudyError, UnknownNameError, UsageError
from simengine.pipeline import evaluate, measured_again
from simengine.questions.listed import QUESTIONS
from simengine.questions.question import Question
from simengine.report.answers import as_plain
from simengine.risk.frames import frame_of
from simengine.risk.statistics import Statistic
from simengine.sampling import seeds_again
from tests.command import in_this_process
from tests.conftest import CHECKOUT

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
        {"n_points": 16, "n_trajectories": 4, "n_panel": 2},
        ("--points", 16, "--trajectories", 4, "--panel", 2),
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
RESPONDING = "behaviour={efforts: {work: {levels: [1, 1.5], cost: {quadratic: 500_000}}}}"
# What is asked of other studies: of which, with which options.
OF_OTHER_STUDIES: dict[str, tuple[Callable[[], object], dict[str, object]]] = {
    "incentives": (
        lambda: load_study(TINY, ["contract.terms.saving_share.payee=service_provider", RESPONDING]),
        {"contracts": {"half": {"contract.terms.saving_share.share": 0.5}}},
    ),
    "retrospect": (lambda: find_study("peterborough"), {}),
    "learn": (lambda: find_study("women_in_recovery"), {"observed": [{"of": "outcome.graduated", "until_month": 24, "value": 30}]}),
    "portfolio": (lambda: CHECKOUT / "configs" / "portfolios" / "investors_book.yaml", {}),
}
# Questions that stand in the place of another one, by the name of that: what is asked of `tiny`.
IN_ITS_PLACE: dict[str, tuple[str, dict[str, object]]] = {
    "reverse": ("stress", {"criterion": "investor.loss > 50%", "n_panel": 4}),
    "tradeoffs_map": (
        "tradeoffs",
        {"across": "contract.terms.guarantee.share=0..0.5", "up": "contract.terms.saving_share.share=0..1", "n_points": 2},
    ),
    "smallest_term": ("size", {"smallest": "contract.terms.guarantee.share", "such_that": "investor.p_loss <= 0.9"}),
    "weakest_belief": (
        "size",
        {
            "parties": ["investor", "outcome_payer"],
            "free": ["contract.terms.guarantee.share=0..1"],
            "limits": ["investor.expected_npv >= 0", "outcome_payer.expected_npv >= -100_000"],
        },
    ),
}


def words_for(name: str) -> list[object]:
    n = () if name == "trace" else ("-n", 500 if name == "information" else 80)
    return [name, TINY, *n, "--seed", 3, *ASKED[name][1], "--json"]


def test_every_question__is_asked_here() -> None:
    assert {question.name for question in QUESTIONS} == {*ASKED, *OF_OTHER_STUDIES}
    others = {other.name for question in QUESTIONS for other in question.instead.values()}
    assert others == {*IN_ITS_PLACE, "largest_term", "shard"}


def asked(name: str) -> Any:
    """Ask any question as briefly as it can be."""
    if name in OF_OTHER_STUDIES:
        study, options = OF_OTHER_STUDIES[name]
        return ask(name, study(), n=400 if name == "learn" else 80, seed=3, **options)
    question, options = IN_ITS_PLACE.get(name, (name, ASKED.get(name, ({}, ()))[0]))
    return ask(question, TINY, n=500 if name == "information" else 80, seed=3, **options)


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
    assert json.loads(json.dumps(as_plain(question.content(asked, found)))) == printed


OF_STATISTICS = sorted({*ASKED, *OF_OTHER_STUDIES, *IN_ITS_PLACE} - {"run", "trace"})


@pytest.mark.parametrize("name", OF_STATISTICS)
def test_answer__says_in_a_line_what_it_is_and_gives_its_numbers_as_a_table(name: str) -> None:
    found = asked(name)

    drawn = f"{found.n_replications} families of " if name == "attribute" else f"{found.n_replications} replications, seed 3, "
    assert repr(found).startswith(f"<{type(found).__name__}: {drawn}")
    assert "seed 3" in repr(found)
    assert len(repr(found)) < 130
    table = found.to_pandas()
    assert list(table.columns) == ["value", "se", "low_95", "high_95", "covers"]
    assert len(table) > 3
    assert "<table" in found._repr_html_()
    assert repr(pickle.loads(pickle.dumps(found))) == repr(found)


def paths_in(value: object, path: str = "") -> Iterator[str]:
    """List the paths of all numbers of a JSON object, entries of lists by their number: a slow twin of `numbers_in`."""
    if isinstance(value, dict) and {"value", "se"} <= set(value):
        yield path
    elif isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
        for name, child in children:
            yield from paths_in(child, f"{path}.{name}" if path else str(name))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


@pytest.mark.parametrize("name", sorted({*OF_STATISTICS} - {"cash"}))
def test_table_of_an_answer__has_every_number_of_the_json_object_under_its_path(name: str) -> None:
    found = asked(name)

    content = {key: part for key, part in found.told(found).items() if key not in ("seed", "replications")}
    table, paths = found.to_pandas(), list(paths_in(json.loads(json.dumps(content))))
    assert len(table) == len(paths)
    # Entries of lists have names where they have any; all other paths are the same.
    assert {path for path in paths if not re.search(r"\.\d+\.", path)} <= set(table.index)


def test_table_of_an_answer__calls_entries_of_lists_by_their_path_and_keeps_numbers_without_an_error() -> None:
    table = asked("reverse").to_pandas()

    assert "nearest.steps.effect.sooner_home.hazard_ratio.score" in table.index
    score = table.loc["nearest.steps.effect.sooner_home.hazard_ratio.score"]
    assert np.isfinite(score["value"])
    assert np.isnan(score[["se", "low_95", "high_95"]].astype(float)).all()
    assert table["covers"].isna()["nearest.steps.effect.sooner_home.hazard_ratio.score"]


def test_band__in_a_table_of_an_answer_is_that_of_the_tables() -> None:
    """Source: the printed cells: `0 (< 0.006)`, `0.4 [0.3, 0.5]`, `0.4 ±?`, and 1.96 errors on either side."""
    cases = {
        "plain": Statistic(1.0, 0.5),
        "none": Statistic(0.0, 0.0, upper_95=0.006),
        "all": Statistic(1.0, 0.0, lower_95=0.994),
        "few": Statistic(0.4, 0.1, interval_95=(0.3, 0.5), covers=False),
        "unknown": Statistic(0.4, 0.1, covers=False),
    }
    table = frame_of(cases.items())

    bands = {name: (table.loc[name, "low_95"], table.loc[name, "high_95"]) for name in cases}
    assert bands["plain"] == pytest.approx((1 - 0.979982, 1 + 0.979982), abs=1e-5)
    assert (bands["none"], bands["all"], bands["few"]) == ((0.0, 0.006), (0.994, 1.0), (0.3, 0.5))
    assert np.isnan(bands["unknown"]).all()
    assert table["covers"].tolist() == [True, True, True, False, False]


def test_attribution__says_how_many_replications_its_families_are() -> None:
    found = asked("attribute")

    size = 2 ** len(found.layers)
    assert repr(found).startswith(f"<Attribution: 80 families of {size} replications ({80 * size:,}), seed 3, ")
    printed = in_this_process(words_for("attribute")[:-1]).stdout
    assert f"80 families of {size} replications" in " ".join(printed.split())


def public_objects() -> dict[str, object]:
    """Make one object of every kind that a public name of the package is, or returns."""
    study = load_study(find_study("norrkoping"), {"population.waves.all.size": 5})
    evidence = simulate(study, 1, 3)
    contract = load_contract(CONTRACT)
    made = {name: getattr(simengine, name) for name in dir(simengine)}
    made |= {"a study": study, "evidence": evidence, "draws": evidence.draws, "tallies": evidence.tallies, "contract": contract}
    made |= {"measurements": evidence.measurements, "results": settle(evidence, {}), "run": run(study, 3, 1), "cash": asked("cash")}
    made |= {"table": run(study, 3, 1).table, "portfolio": load_portfolio(CHECKOUT / "configs/portfolios/investors_book.yaml")}
    made |= {"payments": simengine.replay(contract, {"saving": 5e6, "school": 1}, drawn=10e6)}
    made |= {"trace": ask("trace", TINY, seed=1, replication=2), "statistic": run(study, 3, 1)["investor.p_loss"]}
    return made


def test_public_objects__print_as_a_line_or_two() -> None:
    # Twelve thousand lines of arrays help nobody who types a name in a console.
    lengths = {name: max(len(repr(one)), len(str(one))) for name, one in public_objects().items()}
    assert {name: length for name, length in lengths.items() if length > 260} == {}


def test_reference__gives_every_call_with_its_own_arguments() -> None:
    text = (CHECKOUT / "docs/reference/python.md").read_text(encoding="utf-8")
    calls = re.findall(r"`([\w.]+)\(([\w, ]*)\)`", text.partition("| call | returns |")[2].partition("\n\n")[0])
    assert {name for name, _ in calls} >= {*simengine.__all__} - {"RiskTable", "SimengineError", "Study", "study.with_"}
    for name, arguments in calls:
        function = simengine.Study.with_ if name == "study.with_" else getattr(simengine, name)
        own = [one for one in inspect.signature(function).parameters if one != "self"]
        assert arguments.split(", ") == own, name


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
        (lambda study: ask("stres", study), r"question: must be one of run, cash, .*; found 'stres'. Did you mean `stress`\?"),
        (lambda study: find_study("norkoping"), r"must be the name of a study .*\. Did you mean `norrkoping`\?"),
        (lambda study: ask("stress", study, n=20, names="success"), r"^names: must be a list of names; found 'success'\. Write \['suc"),
        (lambda study: ask("stress", study, n=20, names=["volumme"]), r"^names: must be a stress .*; found 'volumme'\. Did you mean `volume`\?"),
        (lambda study: ask("sensitivity", study, n=20, n_points=30), r"^n_points: must be a power of 2, at least 16; found 30\. Try 32"),
        (lambda study: ask("sensitivity", study, n=20, n_luck=30), r"^sensitivity: `n_luck` is now `n_panel`"),
        (lambda study: ask("information", study, n=20), "^n: what is worth knowing must be seen in at least 500 replications"),
        (lambda study: ask("attribute", study, n=20), "Ask for n=250 or more, or for a lower level"),
        (lambda study: run(study, 2000, 1, sobol=True), "^sobol: .* Use n=1024 or n=2048"),
        (lambda study: ask("compare", study, n=20, contracts={"x": 3}), "^x: must be a contract, .*; found 3"),
        (lambda study: settle(simulate(study, 1, 3), 3), "^terms: must be a contract, .*; found 3"),
        (lambda study: study.with_("study.title=x"), "^changes: must be values by path, or a list of texts"),
        (lambda study: study.with_(variant="x"), "^variant: must be a variant of the study; found 'x'"),
        (lambda study: run(study, 500, 1)["investors.net"], r"Did you mean 'investor\.net'\?"),
        (lambda study: run(study, 500, 1).table["investor.net"], r"One of: investor\.net\.mean, investor\.net\.sd"),
        (
            lambda study: run(study, 500, 1)["investor.cvar95"],
            r"^investor\.cvar95: not given: fewer than 100 replications in the tail; found 25\. Run n=2000 or more, or use `.get\(\)`",
        ),
        (
            lambda study: settle(simulate(study, 1, 3), {})["investor.p_loss"],
            r"found 'investor\.p_loss'\. If it is a statistic, it is found with `summarise\(results\)\['investor\.p_loss'\]`",
        ),
        (lambda study: ask("stress", study, levle=0.5), r"stress: must have one of the options .*; found 'levle'. Did you mean `level`\?"),
        (lambda study: ask("stress", study, criterion="investor.loss > 0", names=["x"]), "^names: must stand without criterion; found"),
        (lambda study: ask("stress", study, boxes=True), "^boxes: must be asked together with criterion; found it alone"),
        (lambda study: ask("window", study), "^months: must be given; found none"),
        (lambda study: ask("run", study, n=1), "replications: must be a whole number from 2"),
        (lambda study: ask("run", study, seed=-1), "seed: must be a whole number"),
        (lambda study: ask("run", study, n=20, measured=0), "^measured: must be a whole number from 1 to 100; found 0"),
        (lambda study: ask("run", study, n=20, until="p_loss se<0.1"), "^until: the precision decides .* found n as well. Use at_most"),
        (lambda study: ask("attribute", study, n=20, measure="profit"), "^measure: must be one of net, npv, loss"),
        (lambda study: run(study, 20, 1)["investor.p_los"], r"name: must .*Did you mean 'investor.p_loss'\?"),
        (lambda study: run(study, 20, 1).results["investor.nett"], r"column: must .*Did you mean 'investor.net'\?"),
        (lambda study: study.with_({"contract.terms.guarante.share": 0.5}), r"Did you mean `guarantee`\?"),
        (lambda study: load_study({"study": {"title": "x"}}), "the study: study.currency: must be given"),
    ],
)  # fmt: skip
def test_nonsense__is_refused_in_one_message(call: object, message: str) -> None:
    with pytest.raises(SimengineError, match=message):
        call(load_study(TINY))  # type: ignore[operator]


def every_option() -> list[tuple[str, str]]:
    return [(one.name, name) for one in QUESTIONS for name, option in one.every_option().items() if not option.is_hidden]


@pytest.mark.parametrize(("question", "option"), [one for one in every_option() if one[0] != "portfolio"])
def test_nonsense__is_refused_in_the_words_of_python(question: str, option: str) -> None:
    beside = next(
        (
            options
            for name, (asked_of, options) in IN_ITS_PLACE.items()
            if asked_of == question and option in options and option not in ASKED[question][0]
        ),
        ASKED.get(question, ({}, ()))[0],
    )
    study = OF_OTHER_STUDIES[question][0]() if question in OF_OTHER_STUDIES else load_study(TINY)
    n = None if question == "trace" else 500 if question == "information" else 20
    for nonsense in ("no such thing", ["no such thing"], -7):
        with pytest.raises(SimengineError) as refused:
            ask(question, study, n=n, seed=1, **{**beside, option: nonsense})
        assert not re.search(r"(?<![\w-])--?[a-z]|CONTRACT", str(refused.value)), str(refused.value)


def test_misspelt_name__is_a_key_error_too() -> None:
    # Whoever looks in a mapping expects one.
    result = run(load_study(TINY), 20, 1)
    for name in ("nothing", "investor.cvar95"):
        with pytest.raises(KeyError):
            result[name]
        assert result.get(name) is None
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


def test_compare__takes_terms_by_their_paths() -> None:
    study = load_study(TINY)
    changes = {"contract.terms.guarantee.share": 0.6}
    found, expected = (ask("compare", study, n=40, seed=1, contracts={"sixty": one}) for one in (changes, study.with_(changes)))
    assert found == expected


def test_simulate__of_a_number_takes_the_first_replications() -> None:
    study = load_study(TINY)
    by_number, by_numbers = simulate(study, 1, 7), simulate(study, 1, np.arange(7))
    np.testing.assert_array_equal(by_number.tallies.sums, by_numbers.tallies.sums)


def test_words__of_a_run_are_texts_as_in_its_table() -> None:
    result = run(load_study(TINY), 60, 3)
    assert list(result["term.saving_share.bound"]) == list(result.to_pandas()["term.saving_share.bound"])


def test_rows_and_draws__of_several_measurements_join() -> None:
    study, drift = load_study(TINY), "measurement.metrics.saving.drift_per_year"
    result = run(study, 20, 3, measured=3)
    rows, drawn = result.to_pandas(), result.draws()

    assert rows.index.names == ["replication", "measurement"]
    assert rows.index.equals(drawn.index)
    assert rows.index.is_unique
    assert len(rows.join(drawn)) == 60
    # Source: the stages themselves: what touches no person is drawn anew for each measurement, the effect is not.
    evidence = simulate(study, 3, 20)
    again = measured_again(study, evidence, seeds_again(3, 3)[1])
    third = drawn.xs(3, level="measurement")
    np.testing.assert_array_equal(third[drift], again.draws[drift])
    np.testing.assert_array_equal(third["effect.sooner_home.hazard_ratio"], evidence.draws["effect.sooner_home.hazard_ratio"])
    assert (third[drift].to_numpy() != evidence.draws[drift]).all()


def test_old_option__is_refused_with_its_new_name_on_the_command_line() -> None:
    refused = in_this_process(["sensitivity", TINY, "-n", 20, "--luck", 4])
    assert refused.returncode == 2
    assert "`--luck` is now `--panel`" in refused.stderr


def test_contract__of_another_file_can_be_settled() -> None:
    evidence = simulate(load_study(find_study("norrkoping")), 1, np.arange(20))
    assert len(settle(evidence, load_contract(CONTRACT)).replications) == 20


@pytest.mark.parametrize(
    "question", [*QUESTIONS, *(other for one in QUESTIONS for other in one.instead.values())], ids=lambda one: one.name
)
def test_question__names_functions_that_exist_and_takes_what_it_is_given(question: Question[object]) -> None:
    for call in (question.ask, question.content, question.tables, question.picture):
        if call is not None:
            assert callable(call.found())  # type: ignore[attr-defined]
    parameters = inspect.signature(question.ask.found()).parameters  # type: ignore[attr-defined]
    assert "ensemble" in parameters
    if question.prepare.__name__ == "as_it_stands":
        assert {option.name for option in question.options} <= set(parameters)


def test_names__of_the_package_are_those_that_are_public() -> None:
    assert set(dir(simengine)) == {*simengine.__all__, "__version__"}
    with pytest.raises(AttributeError, match="Did you mean 'load_study'"):
        simengine.load_studdy  # noqa: B018


def test_place_of_a_file__may_be_given_for_a_study() -> None:
    assert repr(ask("value", Path(TINY), n=40, seed=1)) == repr(ask("value", load_study(TINY), n=40, seed=1))
