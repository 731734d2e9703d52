"""Measures in every question: the same number whoever asks, and the same refusal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from simengine.config import load_study
from simengine.config.load import find_study
from simengine.config.request import Requested, one_free_term
from simengine.errors import StudyError, UsageError
from simengine.pipeline import evaluate, simulate
from simengine.questions.attribute.answer import attribute
from simengine.questions.reverse.answer import read_criterion
from simengine.questions.sensitivity.answer import sensitivity
from simengine.questions.size.one_number import find_number
from simengine.replications.ensemble import Ensemble
from simengine.replications.money import asked_measures
from simengine.replications.stored import store_evidence
from simengine.risk.limits import read_measure
from simengine.risk.measures import MEASURES
from tests.command import in_this_process

TWO = "two_lenders"
ASKED = ("bank.irr_quantile(0.25)", "foundation.expected_moic", "bank.p_loss", "all_lenders.peak_funding_quantile",
         "foundation.p_payback_after(30)", "bank.cvar(0.5)", "region.npv_quantile")  # fmt: skip
N = 60


def answer(*words: str, **where: Path) -> dict:
    done = in_this_process([*words, "--json"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def by_run() -> dict:
    return answer(
        "run", str(find_study(TWO)), "-n", str(N), "--seed", "3", *(word for text in ASKED for word in ("--measure", text))
    )["measures"]


def test_run__gives_what_its_own_rows_say(by_run: dict) -> None:
    """The measures of a run, worked out again from the rows that it keeps."""
    study = load_study(find_study(TWO))
    rows = evaluate(study, simulate(study, 3, np.arange(N))).columns
    never = rows["foundation.payback_status"] == 1
    by_hand = {
        "bank.irr_quantile(0.25)": np.quantile(rows["bank.irr"], 0.25, method="inverted_cdf"),
        "foundation.expected_moic": rows["foundation.moic"].mean(),
        "bank.p_loss": (rows["bank.net"] < 0).mean(),
        "all_lenders.peak_funding_quantile": np.quantile(rows["all_lenders.peak_funding"], 0.95, method="inverted_cdf"),
        "foundation.p_payback_after(30)": (never | (rows["foundation.payback_months"] > 30)).mean(),
        "bank.cvar(0.5)": np.sort(-rows["bank.net"])[N // 2 :].mean(),
        "region.npv_quantile": np.quantile(rows["region.npv"], 0.5, method="inverted_cdf"),
    }
    refused = {"all_lenders.peak_funding_quantile", "bank.irr_quantile(0.25)", "region.npv_quantile", "bank.cvar(0.5)"}
    assert set(by_run) == set(by_hand) - refused, "of so few replications no quantile is given"
    for text, one in by_run.items():
        assert one["value"] == pytest.approx(by_hand[text], rel=1e-12), text
    table = {text: read_measure(text).of(rows).value for text in by_hand}
    assert table == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("question", ["stress", "compare", "tradeoffs"])
def test_question__gives_the_same_measures_as_the_run(question: str, by_run: dict, tmp_path: Path) -> None:
    more = {
        "stress": ["--stress", "volume"],
        "compare": [str(_other_contract(tmp_path))],
        "tradeoffs": ["--term", "contract.terms.true_up.true_up.share"],
    }[question]
    words = [word for text in by_run for word in ("--measure", text)]
    found = answer(question, str(find_study(TWO)), *more, "-n", str(N), "--seed", "3", *words)
    base = found["standings"]["own"] if question == "compare" else found["base"]
    for text, one in by_run.items():
        party, _, measure = text.partition(".")
        if party in base:
            assert base[party]["asked"][measure]["value"] == pytest.approx(one["value"], rel=1e-9), text


def _other_contract(folder: Path) -> Path:
    path = folder / "other.yaml"
    study = load_study(find_study(TWO))
    path.write_text(json.dumps(study.contract.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    return path


def test_stored_draws__give_every_amount_of_a_loan_as_a_run_does() -> None:
    """A term sheet on stored replications against a run of the changed study, bit for bit."""
    study = load_study(find_study(TWO))
    path = "contract.terms.true_up.true_up.share"
    changed = load_study(find_study(TWO), {path: 2.5})
    measures = [read_measure(text) for text in ("bank.irr_quantile", "foundation.moic_quantile", "all_lenders.p_payback_after(20)")]
    stored = store_evidence(study.model_copy(update={"sizing": None}), Ensemble(3, N), ["bank"], ["bank", "foundation"], measures)
    found = stored.settle({path: 2.5})["bank"]
    rows = evaluate(changed, simulate(changed, 3, np.arange(N))).columns
    for lender in ("bank", "foundation", "all_lenders"):
        for amount in ("moic", "irr", "payback_months", "payback_status", "peak_funding", "money_in"):
            np.testing.assert_array_equal(found[f"{lender}.{amount}"], rows[f"{lender}.{amount}"], f"{lender}.{amount}")
    for name in ("bank.net", "bank.npv", "foundation.npv"):
        np.testing.assert_array_equal(found[name], rows[name])


def test_size__on_a_rate_of_return_is_where_a_run_has_it() -> None:
    """The smallest guarantee with which half of the replications have 0 % or more: a little less of it has not, by runs."""
    study = load_study(find_study("norrkoping"))
    term = "contract.terms.guarantee.share"
    asked, limit, free = one_free_term(study, Requested(free=[f"{term}=0..1"]), term, "investor.irr_quantile(0.5) >= 0")
    found = find_number(asked, term, limit, free, Ensemble(1, 200))

    def median(share: float) -> float:
        changed = load_study(find_study("norrkoping"), {term: share})
        rows = evaluate(changed, simulate(changed, 1, np.arange(200))).columns["investor.irr"]
        return float(np.quantile(rows[~np.isnan(rows)], 0.5, method="inverted_cdf"))

    assert median(found.value) >= 0
    assert median(found.value - 0.002) < 0
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("amount", ["moic", "p_loss", "p_irr_below(0)"])
def test_attribute__of_anything_adds_up_to_its_variance(amount: str) -> None:
    """Shapley's shares add up, and the total is the variance of what a run has in its rows."""
    study = load_study(find_study("tiny"))
    found = attribute(study, Ensemble(1, 200), 0.5, amount, ["investor"]).burdens["investor"]
    shares = sum(one.value for one in found.variance.shapley.values())
    assert shares == pytest.approx(found.variance.total.value, rel=1e-9)
    rows = evaluate(study, simulate(study, 7, np.arange(4000))).columns
    by_hand = {"moic": rows["investor.moic"], "p_loss": rows["investor.net"] < 0, "p_irr_below(0)": rows["investor.irr"] < 0}[
        amount
    ]
    assert found.sd.value == pytest.approx(by_hand.std(), abs=5 * found.sd.se + 3 * by_hand.std() / np.sqrt(4000))


def test_sensitivity__of_a_probability_swings_as_two_runs_do() -> None:
    study = load_study(find_study("tiny"))
    found = sensitivity(study, Ensemble(1, 400), 16, 4, 8, "p_loss", ["investor"]).parties["investor"]
    rows = evaluate(study, simulate(study, 1, np.arange(400))).columns
    assert found.mean.value == (rows["investor.net"] < 0).mean()
    path, swing = next(iter(found.tornado.items()))
    ends = []
    for value in (swing.low, swing.high):
        fixed = load_study(find_study("tiny"), {path: value})
        ends.append((evaluate(fixed, simulate(fixed, 1, np.arange(400))).columns["investor.net"] < 0).mean())
    assert (swing.at_low.value, swing.at_high.value) == pytest.approx(tuple(ends), abs=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("investor.p_los", "a measure must be one of expected_net"),
        ("nobody.p_loss", "must be a party whose money the study moves"),
        ("outcome_payer.irr_quantile", "must be asked of who lends.*One of: investor"),
        ("cvar(2)", "the level of cvar must lie between 0 and 1"),
        (7, "--measure"),
    ],
)
def test_measure__that_nobody_has_is_refused_everywhere(text: object, message: str) -> None:
    study = load_study(find_study("tiny"))
    with pytest.raises(UsageError, match=message):
        asked_measures(study, [text])  # type: ignore[list-item]
    if isinstance(text, str):
        for words in (["run"], ["stress"], ["tradeoffs"]):
            done = in_this_process([*words, find_study("tiny"), "-n", "10", "--measure", text])
            assert done.returncode == 2
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("irr", r"must have a mean over replications; found irr. Ask for p_irr_below\(...\)"),
        ("irr_quantile(0.5)", "must be a mean over replications"),
        ("nett", "Did you mean `net`"),
        (3, "--of: must be one of net, npv"),
    ],
)
def test_sensitivity__refuses_what_has_no_mean(amount: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sensitivity(load_study(find_study("tiny")), Ensemble(1, 50), 16, 4, 2, amount)  # type: ignore[arg-type]


def test_amount__that_some_replications_lack_says_in_how_many() -> None:
    study = load_study(find_study("tiny"))
    with pytest.raises(UsageError, match=r"found none of investor.payback_months in [\d,]+ of .* p_payback_after\(...\)"):
        attribute(study, Ensemble(1, 50), 0.5, "payback_months")


def test_sizing__that_asks_a_rate_of_who_lends_nothing_is_refused() -> None:
    with pytest.raises(StudyError, match=r"must be asked of who lends.*found `outcome_payer.irr_quantile`"):
        load_study(find_study("norrkoping"), {"sizing.parties.outcome_payer.limits": ["irr_quantile >= 0"]})


def test_criterion__of_a_rate_counts_a_total_loss_and_not_a_replication_without_a_loan() -> None:
    columns = {"investor.irr": np.array([-1.0, 0.01, 0.05, np.nan]), "drawn": np.ones(4)}
    assert (read_criterion("investor.irr < 3%").margin(columns) > 0).tolist() == [True, True, False, False]
    late = {
        "investor.payback_months": np.array([30.0, np.nan, np.nan]),
        "investor.payback_status": np.array([0, 1, 2]),
        "drawn": np.ones(3),
    }
    assert (read_criterion("investor.payback_months > 48").margin(late) > 0).tolist() == [False, True, False]
    with pytest.raises(UsageError, match="a number of months"):
        read_criterion("investor.payback_months > 48%")


def test_goal__on_a_measure_is_met() -> None:
    done = answer("run", str(find_study("tiny")), "--seed", "1", "--until", "p_npv_below(-1000) se<0.02", "--at-most", "4000")
    (goal,) = done["precision"]["goals"]
    assert goal["statistic"] == "investor.p_npv_below(-1000)"
    assert goal["reached"] <= 0.02
    assert set(done["measures"]) == {goal["statistic"]}


def test_every_kind__can_be_asked_of_a_shipped_study() -> None:
    study = load_study(find_study(TWO))
    rows = evaluate(study, simulate(study, 1, np.arange(300))).columns
    for name, kind in MEASURES.items():
        number = "" if not kind.number or kind.default is not None else "(1000)"
        found = asked_measures(study, [f"{name}{number}"])
        assert found, name
        assert all(np.isfinite(one.of(rows).value) for one in found if one.name != "payback_quantile"), name
