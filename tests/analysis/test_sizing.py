"""Sizing against textbook answers, arithmetic by hand, brute force, and the distributions that no contract can break."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simengine.config import Study, find_study, load_study
from simengine.config.request import Requested, with_request
from simengine.config.sizing import Sizing
from simengine.errors import SimengineError, StudyError
from simengine.pipeline import draw_numbers, evaluate, simulate
from simengine.questions.size.answer import refuse_impossible_terms, shares_kept, size_terms, sizing_of, stored_for_sizing, table_of
from simengine.questions.size.search import Candidate, frontier
from simengine.replications.ensemble import Ensemble
from simengine.replications.stored import StoredEnsemble, store_evidence
from simengine.risk.limits import read_limit, read_measure
from simengine.risk.statistics import Statistic
from tests.analysis.made import study_of
from tests.analysis.made_sizing import BINOMIAL, pay_agent, share_risk, solved

GUARANTEE, CAP = "contract.terms.guarantee.share", "contract.terms.upside.cap.share"


def asked(study: Study, *limits: str, free: tuple[str, ...] = (f"{GUARANTEE}=0..0.9",), **more: tuple[str, ...]) -> Study:
    return with_request(study, Requested(free=free, limits=limits, **more))  # type: ignore[arg-type]


# ------------------------------------------------ known answers ------------------------------------------------


def test_risk_of_three__is_shared_as_their_tolerances() -> None:
    """Borch 1962, Wilson 1968: with constant absolute risk aversion the efficient share is tau_i / sum tau: (1, 3, 6) -> .1/.3/.6.

    Free are the shares of the first two. The sum of certainty equivalents there is 10 - 25 / (2 * 10) = 8.75, to the sample's
    third moment.
    """
    objectives = ("a.certainty_equivalent(1)", "b.certainty_equivalent(3)", "c.certainty_equivalent(6)")
    found = solved(share_risk, {"one": (0.0, 0.4), "two": (0.0, 0.6)}, objectives)
    assert found.deal is not None
    assert found.deal.recommended.terms == pytest.approx((0.1, 0.3), abs=3e-3)
    assert sum(value.value for value in found.deal.recommended.objectives) == pytest.approx(8.75, abs=0.02)


def test_share_of_an_outcome__is_half() -> None:
    """Holmstrom and Milgrom 1987: beta = 1 / (1 + r c s^2 / b^2) = 1 / (1 + 2 * .5) = .5, and the surplus is beta / 2 = .25."""
    objectives = ("agent.certainty_equivalent(0.5)", "principal.expected_npv")
    found = solved(pay_agent, {"beta": (0.0, 1.0)}, objectives)
    assert found.deal is not None
    assert found.deal.recommended.terms[0] == pytest.approx(0.5, abs=5e-3)
    assert sum(value.value for value in found.deal.recommended.objectives) == pytest.approx(0.25, abs=5e-3)


def test_nash__splits_a_sum_of_money_in_half() -> None:
    """Nash 1950: of a sum that two parties can share at will, with nothing without a deal, each gets half."""

    def share(terms: dict[str, float]) -> dict[str, dict[str, np.ndarray]]:
        part = np.full(10, terms["part"])
        return {"a": {"a.npv": part}, "b": {"b.npv": 1 - part}}

    for rule in ("nash", "equal_sacrifice"):
        found = solved(share, {"part": (0.0, 1.0)}, ("a.expected_npv", "b.expected_npv"), rule=rule, points=20)  # type: ignore[arg-type]
        assert found.deal is not None
        assert found.deal.recommended.terms[0] == pytest.approx(0.5, abs=2e-3)
        assert shares_kept(found, found.deal.recommended) == pytest.approx([0.5, 0.5], abs=2e-3)


def sum_at_risk(terms: dict[str, float]) -> dict[str, dict[str, np.ndarray]]:
    """Let a payer give `x` to an investor who lent 10; and a third party to whom nothing happens."""
    x = np.full(50, terms["x"])
    return {"a": {"a.net": x - 10}, "b": {"b.net": -x}, "c": {"c.net": np.zeros(50)}}


def test_no_deal__names_the_limits_that_cannot_be_kept_together_and_the_smallest_move() -> None:
    """By hand: a wants -2 (x >= 8), b -5 (x <= 5), c -1 (always). One of the first two must move by 3."""
    limits = ("a.expected_net >= -2", "b.expected_net >= -5", "c.expected_net >= -1")
    found = solved(sum_at_risk, {"x": (0.0, 10.0)}, limits=limits, points=20)
    assert found.deal is None
    assert found.no_deal is not None
    assert [tuple(map(str, one)) for one in found.no_deal.conflicts] == [limits[:2]]
    assert tuple(map(str, found.no_deal.binding)) == limits[:2]
    moved = {str(one.limit): one.to.value for one in found.no_deal.relaxations}
    assert moved == pytest.approx({limits[0]: -5.0, limits[1]: -8.0}, abs=0.02)


def test_no_deal__a_limit_that_nothing_keeps_stands_alone_and_no_other_can_help() -> None:
    """By hand: a would need x >= 12, which lies outside the range, so that its own limit must move from 2 to 0."""
    found = solved(sum_at_risk, {"x": (0.0, 10.0)}, limits=("a.expected_net >= 2", "c.expected_net >= -1"), points=20)
    assert found.no_deal is not None
    assert [tuple(map(str, one)) for one in found.no_deal.conflicts] == [("a.expected_net >= 2",)]
    assert [(str(one.limit), one.to.value) for one in found.no_deal.relaxations] == [("a.expected_net >= 2", 0.0)]
    both = solved(sum_at_risk, {"x": (0.0, 10.0)}, limits=("a.expected_net >= 2", "c.expected_net >= 1"), points=20)
    assert both.no_deal is not None
    assert both.no_deal.relaxations == ()


def test_narrow_deal__is_found_between_the_points_of_the_grid() -> None:
    """By hand: only x from 5.01 to 5.03 keeps both limits; the grid of 20 points has none there."""
    found = solved(sum_at_risk, {"x": (0.0, 10.0)}, limits=("a.expected_net >= -4.99", "b.expected_net >= -5.03"), points=20)
    assert found.deal is not None
    assert 5.01 <= found.deal.recommended.terms[0] <= 5.03


def test_frontier__holds_what_nobody_can_better() -> None:
    """By hand: of (1, 5), (2, 4), (2, 3), (0, 5), (1, 5) only the first and second stay."""
    measures = (read_measure("a.expected_net"), read_measure("b.p_loss"))
    values = [(1, -5), (2, -4), (2, -3), (0, -5), (1, -5)]
    points = [
        Candidate((float(place),), (Statistic(float(one), 0.0), Statistic(float(other), 0.0)), ())
        for place, (one, other) in enumerate(values)
    ]
    kept = frontier(points, measures)
    assert {point.objectives[0].value for point in kept} == {1.0, 2.0}
    assert len(kept) == 2


# ------------------------------------------------ studies ------------------------------------------------


@pytest.fixture(scope="module")
def norrkoping() -> Study:
    return load_study(find_study("norrkoping"), ["sizing=null"])


def test_settlement__is_what_a_run_of_the_changed_study_says(norrkoping: Study) -> None:
    """Another way: the same term set in the file and run with everything that a run works out."""
    study = asked(norrkoping)
    stored = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(3, 60, block_size=25))
    got = stored.settle({GUARANTEE: 0.7, "capital.drawn_share": 0.8})["investor"]
    changed = load_study(find_study("norrkoping"), [f"{GUARANTEE}=0.7", "capital.drawn_share=0.8"])
    expected = evaluate(changed, simulate(changed, 3, np.arange(60)))
    for name in ("investor.net", "investor.npv", "outcome_payer.net", "outcome_payer.npv", "contingent_payment"):
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-12)


def test_answer__is_the_same_on_any_threads_and_in_any_blocks(norrkoping: Study) -> None:
    study = asked(norrkoping, "investor.p_loss <= 0.5")
    one = size_terms(study, Ensemble(1, 80, threads=1), n_points=5)
    other = size_terms(study, Ensemble(1, 80, threads=2, block_size=33), n_points=5)
    assert one == other


def test_deal_on_norrkoping__agrees_with_brute_force_and_with_fresh_draws(norrkoping: Study) -> None:
    """Brute force: the whole study is run again with each pair of terms, and the limit checked on what a run reports."""
    study = asked(norrkoping, "investor.p_loss <= 0.5", free=(f"{GUARANTEE}=0.3..0.9..0.15", f"{CAP}=0..0.4..0.2"))
    # Five times five points: so each of the fifteen pairs is on the grid, of which 0.6 is the edge of what can be signed.
    found = size_terms(study, Ensemble(5, 400), n_points=25)
    assert found.deal is not None
    evidence = simulate(study, 5, np.arange(400))
    kept = []
    for guarantee, cap in product((0.3, 0.45, 0.6, 0.75, 0.9), (0.0, 0.2, 0.4)):
        changed = load_study(find_study("norrkoping"), [f"{GUARANTEE}={guarantee}", f"{CAP}={cap}"])
        if np.mean(evaluate(changed, evidence)["investor.net"] < 0) <= 0.5:
            kept.append((guarantee, cap))
    assert sorted(point.terms for point in found.feasible) == kept
    npv = {point.terms: [value.value for value in point.objectives] for point in found.feasible}
    assert found.deal.best[0].terms == max(npv, key=lambda terms: npv[terms][0])
    assert found.deal.best[1].terms == max(npv, key=lambda terms: npv[terms][1])
    # Luck is no more than noise: within 4.5 standard errors.
    assert all(abs(one.value) < 4.5 * one.se for one in found.deal.optimism)
    sets = [f"{path}={value}" for path, value in zip((GUARANTEE, CAP), found.deal.recommended.terms, strict=True)]
    sized = load_study(find_study("norrkoping"), sets)
    fresh = evaluate(sized, simulate(sized, 5, np.arange(400, 800)))
    assert found.deal.fresh.objectives[0].value == pytest.approx(fresh["investor.npv"].mean(), rel=1e-12)


def test_moves__add_up_to_nothing_where_money_only_changes_hands(norrkoping: Study) -> None:
    """Both parties discount at 3 %, so what a term gives one it takes from the other, replication by replication."""
    found = size_terms(asked(norrkoping, "investor.p_loss <= 0.6"), Ensemble(2, 100), n_points=7)
    assert found.deal is not None
    assert len(found.deal.moves) > 2
    for move in found.deal.moves:
        assert move.gains[0].value == pytest.approx(-move.gains[1].value, abs=1e-6)


def test_beliefs__are_lived_with_the_same_luck_and_agree_with_importance_weights(norrkoping: Study) -> None:
    """Another way: the study's own replications, weighted by the ratio of two lognormal densities, agree in the mean."""
    path = "effect.sooner_home.hazard_ratio"
    believed = asked(norrkoping, beliefs=("investor: " + path + "={distribution: lognormal, interval_90: [1.0, 1.9]}",))
    parties = ("investor", "outcome_payer")
    stored = store_evidence(believed, Ensemble(4, 1500), parties, parties)
    columns = stored.settle({})
    x = draw_numbers(norrkoping, 4, np.arange(1500))[path]
    z = {name: _log_density(np.log(x), low, high) for name, low, high in (("study", 0.8, 1.8), ("belief", 1.0, 1.9))}
    weight = np.exp(z["belief"] - z["study"])
    weight /= weight.sum()
    effective = 1 / (weight**2).sum()
    assert effective > 400
    money = columns["outcome_payer"]["investor.npv"]
    weighted = float(weight @ money)
    error = np.hypot(np.sqrt((weight**2) @ (money - weighted) ** 2), money.std() / np.sqrt(len(money)))
    assert abs(columns["investor"]["investor.npv"].mean() - weighted) < 4.5 * error
    # The belief matters, and only for who holds it.
    assert columns["investor"]["investor.npv"].mean() > money.mean() + 4.5 * error / 3
    plain = stored_for_sizing(asked(norrkoping), table_of(sizing_of(asked(norrkoping))), Ensemble(4, 1500)).settle({})
    np.testing.assert_array_equal(plain["outcome_payer"]["investor.npv"], money)


def _log_density(log_x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Log density in log x of a lognormal distribution with a 90 % interval, without its constant."""
    sd = (np.log(high) - np.log(low)) / (2 * 1.6448536269514722)
    return -0.5 * ((log_x - 0.5 * (np.log(low) + np.log(high))) / sd) ** 2 - np.log(sd)


def test_effect_multiple__of_nothing_leaves_nothing_to_save(tmp_path) -> None:
    """A party that believes in no effect sees twins who live alike: nothing is truly saved in any of its replications."""
    study = load_study(find_study("tiny"))
    sizing = {
        "free": {GUARANTEE: {"low": 0, "high": 1}},
        "parties": {"outcome_payer": {"limits": ["p_loss <= 1"], "effect_multiple": 0}},
    }
    study = study.model_copy(update={"sizing": Sizing.model_validate(sizing)})
    columns = stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(1, 50)).settle({})
    assert (columns["outcome_payer"]["metric.saving.truth"] == 0).all()


# ------------------------------------------------ distributions ------------------------------------------------


@pytest.fixture(scope="module")
def stored(norrkoping: Study) -> StoredEnsemble:
    study = asked(norrkoping)
    return stored_for_sizing(study, table_of(sizing_of(study)), Ensemble(6, 200))


@given(st.floats(0, 1), st.floats(0, 1))
def test_distribution__more_guarantee_never_raises_the_investors_cvar_nor_the_payers_value(
    stored: StoredEnsemble, one: float, other: float
) -> None:
    less, more = (stored.settle({GUARANTEE: share}) for share in sorted((one, other)))
    cvar = read_measure("investor.cvar")
    assert cvar.of(more["investor"]).value <= cvar.of(less["investor"]).value + 1e-6
    assert (more["outcome_payer"]["outcome_payer.npv"] <= less["outcome_payer"]["outcome_payer.npv"] + 1e-6).all()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(-1e7, 1e7))
def test_distribution__a_looser_limit_never_shrinks_the_feasible_set(one: float, other: float, floor: float) -> None:
    tight, loose = sorted((one, other))
    values = np.linspace(0, 1, 11)
    kept = []
    for level in (tight, loose):
        limits = [read_limit(f"a.p_loss <= {level:.17f}"), read_limit(f"b.expected_net >= {floor:.6f}")]
        kept.append({(p, q) for p in values for q in values * 1e7 if limits[0].excess(p) <= 0 and limits[1].excess(q) <= 0})
    assert kept[0] <= kept[1]


def test_distribution__a_looser_limit_finds_no_fewer_term_sheets(norrkoping: Study) -> None:
    found = {
        level: size_terms(
            asked(norrkoping, f"investor.p_loss <= {level}", free=(f"{GUARANTEE}=0..0.9..0.1",)), Ensemble(1, 100), 10
        )
        for level in (0.45, 0.55, 0.65)
    }
    sets = [{point.terms for point in found[level].feasible} for level in (0.45, 0.55, 0.65)]
    assert sets[0] <= sets[1] <= sets[2]
    assert len(sets[0]) < len(sets[2])


# ------------------------------------------------ refusals ------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (Requested(), "--free: at least one term must be free"),
        (Requested(free=[f"{GUARANTEE}=0"]), "--free: a free term must be written PATH=LOW..HIGH"),
        (Requested(free=[f"{GUARANTEE}=1..0"]), "low must be below high; found 1 and 0"),
        (Requested(free=[f"{GUARANTEE}=0..1..2"]), "a step must not be longer than the range"),
        (
            Requested(free=["contract.terms.guaranteed.share=0..1"]),
            "a free term must be a number of the contract or the capital, or the window of a metric; found no such",
        ),
        (Requested(free=["contract.terms.guarantee=0..1"]), "found no number. One of: contract.terms.guarantee.share"),
        (Requested(free=["contract.title=0..1"]), "a free term must be a number of the contract or the capital"),
        (Requested(free=["population.waves.all.size=1..2"]), "Its path begins with contract. or capital."),
        (Requested(free=[f"{GUARANTEE}=0..1"], limits=["bank.p_loss <= 0.1"]), "must be a party whose money the study moves"),
        (Requested(free=[f"{GUARANTEE}=0..1"], objectives=["bank.expected_npv"]), "must be a party whose money the study moves"),
        (Requested(free=[f"{GUARANTEE}=0..1"], objectives=["investor.happiness"]), "--objective: a measure must be one of"),
        (Requested(free=[f"{GUARANTEE}=0..1"], limits=["investor.p_loss = 1"]), "--limit: a limit must be a measure"),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], limits=["investor.p_loss <= 0.1", "investor.p_loss >= 0.2"]),
            "limits must be such that all can be kept; found investor.p_loss >= 0.2 and investor.p_loss <= 0.1",
        ),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], beliefs=["investor: effect.x.hazard_ratio=1"]),
            "a belief must be about a number under `effect`",
        ),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], beliefs=["effect.x=1"]),
            "--belief: a belief must be written PARTY:PATH=DISTRIBUTION",
        ),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], beliefs=["investor:effect.sooner_home.hazard_ratio=-1"]),
            "a size, price, ratio or duration must not be negative; found -1",
        ),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], rule="nash"),
            "with the rule `nash` every party must say what it has without a deal",
        ),
        (
            Requested(free=[f"{GUARANTEE}=0..1"], objectives=["investor.p_loss"], rule="total"),
            "the rule `total` adds objectives up: each must be money of which more is better",
        ),
    ],
)
def test_request__is_refused_before_anything_is_simulated(norrkoping: Study, requested: Requested, message: str) -> None:
    with pytest.raises(SimengineError) as refusal:
        with_request(norrkoping, requested)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("free", "message"),
    [
        (f"{GUARANTEE}=-1..1", "a share or a price must not be negative"),
        ("capital.payment_month.guarantee=0..100", "a term must be paid within the horizon of 60 months"),
    ],
)
def test_ranges__are_refused_where_the_study_itself_would_be(norrkoping: Study, free: str, message: str) -> None:
    study = asked(norrkoping, free=(free,))
    with pytest.raises(StudyError, match=message):
        refuse_impossible_terms(study, sizing_of(study).free)


def test_binomial_study__is_read(tmp_path) -> None:
    study = study_of(BINOMIAL, tmp_path)
    counted = simulate(study, 1, np.arange(400)).measurements.estimate[:, 0]
    assert abs(counted.mean() - 24) < 4.5 * np.sqrt(60 * 0.4 * 0.6 / 400)
