"""One number at a time: against a binomial distribution worked out on paper, brute force, and measures that turn or never arrive."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simengine.config import find_study, load_study
from simengine.config.request import Requested, one_free_term, with_request
from simengine.config.sizing import Free
from simengine.errors import UsageError
from simengine.questions.size import one_number
from simengine.questions.size.answer import stored_for_sizing, table_of
from simengine.questions.size.belief import believing, weakest_belief
from simengine.questions.size.one_number import find_number, search_number
from simengine.replications.ensemble import Ensemble
from simengine.risk.limits import read_limit
from tests.analysis.made import study_of
from tests.analysis.made_sizing import BINOMIAL
from tests.conftest import IS_THOROUGH, sized

GUARANTEE = "contract.terms.guarantee.share"


def test_smallest_guarantee__of_a_binomial_contract_is_the_one_on_paper(tmp_path) -> None:
    """P(loss) = P(100 X < 3000 (1 - g)) = P(X < 30 (1 - g)), X ~ Bin(60, .4): at most .095 if 30 (1 - g) <= k for the largest k
    with P(X < k) <= .095. P(X <= 18) = .0709, P(X <= 19) = .1192, so k = 19 and g = 11 / 30.
    """
    assert stats.binom.cdf(18, 60, 0.4) < 0.095 < stats.binom.cdf(19, 60, 0.4)
    study = study_of(BINOMIAL, tmp_path)
    found = find_number(study, GUARANTEE, read_limit("investor.p_loss <= 0.095"), Free(low=0, high=1), Ensemble(1, 3000))
    # Money is rounded to cents, so that the jump lies within a cent of 3000 of 11 / 30.
    assert found.value == pytest.approx(11 / 30, abs=1e-5)
    assert found.low == pytest.approx(11 / 30, abs=1e-5)
    assert found.high == pytest.approx(11 / 30, abs=1e-5)
    exact = stats.binom.cdf(18, 60, 0.4)
    assert abs(found.fresh.value - exact) < 4.5 * found.fresh.se
    assert found.fresh != found.at_value


N_SAMPLES = sized(500, 2000)
FEWEST, MOST = (int(count) for count in stats.binom.ppf([2.5e-5, 1 - 2.5e-5], N_SAMPLES, 0.025))
"""Intervals of 95 % that miss on one side, with a false alarm in one of 20,000 tries: 26 to 79 of 2,000."""


def missed(limit: str, exact: float) -> tuple[int, int]:
    """Size a term by many samples of 400 replications; count the intervals that lie below the exact number, and those above it."""
    below, above, random = 0, 0, np.random.default_rng(3)
    for _ in range(N_SAMPLES):
        z = random.normal(size=400)
        found = search_number("g", read_limit(limit), Free(low=-3, high=3), lambda terms, z=z: {"a": {"a.net": terms["g"] + z}})
        below += found.high < exact
        above += found.low > exact
    return below, above


@pytest.mark.statistical
@pytest.mark.parametrize(("limit", "exact"), [("a.expected_net >= 0.5", 0.5), ("a.p_loss <= 0.2", -stats.norm.ppf(0.2))])
def test_interval__misses_in_25_of_1000_on_each_side_and_one_of_another_width_is_seen(
    limit: str, exact: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed form, Z standard normal: E(g + Z) >= .5 from g = .5 on; P(g + Z < 0) <= .2 from g = .841621 on."""
    if not IS_THOROUGH:  # Fewer points on the way, and ends to 6 / 2^12, a thirtieth of a standard error.
        monkeypatch.setattr(one_number, "_WALK", 3)
        monkeypatch.setattr(one_number, "_HALVINGS", 12)
    assert all(FEWEST <= count <= MOST for count in missed(limit, exact))
    # The test itself is tried: half as wide again misses too rarely (of few samples, five times as wide), two thirds too often.
    monkeypatch.setattr(one_number, "_BAND", 1.96 * (1.5 if IS_THOROUGH else 5))
    assert all(count < FEWEST for count in missed(limit, exact))
    monkeypatch.setattr(one_number, "_BAND", 1.96 / 1.5)
    assert all(count > MOST for count in missed(limit, exact))


def test_largest__mirrors_smallest() -> None:
    """By hand: a.net = 3 - g, so a.expected_net >= 1 holds up to g = 2."""
    settle = lambda terms: {"a": {"a.net": np.full(10, 3 - terms["g"])}}  # noqa: E731
    found = search_number("g", read_limit("a.expected_net >= 1"), Free(low=0, high=5), settle, "largest")
    assert found.value == pytest.approx(2, abs=1e-5)
    stepped = search_number("g", read_limit("a.expected_net >= 1"), Free(low=0, high=5, step=0.3), settle, "largest")
    assert stepped.value == pytest.approx(1.8)  # the term sheet holds 0, .3, ..., 1.8, 2.1, ...
    kept = search_number("g", read_limit("a.expected_net >= -9"), Free(low=0, high=5), settle, "largest")
    assert kept.value == 5


def test_number__is_refused_where_the_measure_turns_or_never_arrives() -> None:
    turning = lambda terms: {"a": {"a.net": np.linspace(-1, 1, 100) - (terms["g"] - 1) ** 2}}  # noqa: E731
    with pytest.raises(UsageError, match=r"g: a.expected_net must move one way .* it comes to -?\d.* at 1 and turns back"):
        search_number("g", read_limit("a.expected_net >= 0.5"), Free(low=0, high=2), turning)
    with pytest.raises(UsageError, match="it moves away from the limit all along"):
        search_number("g", read_limit("a.expected_net >= 0.5"), Free(low=1, high=2), turning)
    rising = lambda terms: {"a": {"a.net": np.full(5, terms["g"])}}  # noqa: E731
    with pytest.raises(UsageError, match="kept somewhere between 0 and 2; found at best 2 ± 0, at 2"):
        search_number("g", read_limit("a.expected_net >= 3"), Free(low=0, high=2), rising)


def test_smallest_guarantee_on_norrkoping__agrees_with_brute_force_and_fresh_draws() -> None:
    """Brute force: the first of 200 guarantees in order with which the limit is kept."""
    study, limit = load_study(find_study("norrkoping"), ["sizing=null"]), read_limit("investor.p_loss <= 0.5")
    ensemble = Ensemble(2, 300)
    found = find_number(study, GUARANTEE, limit, Free(low=0, high=1), ensemble)
    asked = with_request(study, Requested(free=[f"{GUARANTEE}=0..1"], limits=[str(limit)]))
    settle = stored_for_sizing(asked, table_of(asked.sizing), ensemble).settle  # type: ignore[arg-type]
    grid = np.linspace(0.4, 0.8, 81)
    kept = [share for share in grid if np.mean(settle({GUARANTEE: float(share)})["investor"]["investor.net"] < 0) <= 0.5]
    assert kept[0] - 0.005 <= found.value <= kept[0]
    assert found.low <= found.value <= found.high
    assert abs(found.fresh.value - 0.5) < 4.5 * np.hypot(found.fresh.se, found.at_value.se)


def test_range__is_that_of_the_request_else_of_the_study_else_from_nothing_to_twice() -> None:
    study = load_study(find_study("norrkoping"), ["sizing=null"])
    limit = "investor.p_loss <= 0.5"
    assert one_free_term(study, Requested(), GUARANTEE, limit)[2] == Free(low=0, high=1)
    assert one_free_term(study, Requested(), "contract.commitment", limit)[2] == Free(low=0, high=2e7)
    assert one_free_term(study, Requested(free=[f"{GUARANTEE}=0.2..0.5"]), GUARANTEE, limit)[2] == Free(low=0.2, high=0.5)
    sized = with_request(study, Requested(free=[f"{GUARANTEE}=0.1..0.3"]))
    assert one_free_term(sized, Requested(), GUARANTEE, limit)[2] == Free(low=0.1, high=0.3)


N_BELIEVED, N_GRID = sized(80, 150), sized(100, 200)


def test_weakest_belief__lies_where_brute_force_finds_the_first_deal() -> None:
    """Brute force: with one term free, the investor's mean is linear in it, so the deal exists where the sum of means suffices."""
    study = load_study(find_study("norrkoping"), ["sizing=null"])
    limits = ["investor.expected_npv >= 0", "outcome_payer.expected_npv >= 5_000_000"]
    asked = with_request(study, Requested(free=[f"{GUARANTEE}=0..1"], limits=limits))
    parties, ensemble = ["investor", "outcome_payer"], Ensemble(1, N_BELIEVED)
    found = weakest_belief(asked, parties, ensemble)
    assert 0 < found.low < found.high < 2
    assert found.high - found.low == pytest.approx(2 / 2**7)
    assert tuple(map(str, found.below.binding)) == ("investor.expected_npv >= 0", "outcome_payer.expected_npv >= 5000000")

    def is_deal(multiple: float, draws: Ensemble, slack: float) -> bool:
        believed = believing(asked, parties, multiple)
        settle = stored_for_sizing(believed, table_of(believed.sizing), draws).settle  # type: ignore[arg-type]
        seen = [settle({GUARANTEE: share}) for share in np.linspace(0, 1, 1 + N_GRID)]
        return any(
            one["investor"]["investor.npv"].mean() >= -slack and one["outcome_payer"]["outcome_payer.npv"].mean() >= 5e6 - slack
            for one in seen
        )

    # A step of .005 in the guarantee moves some 40,000 from the one to the other, one of .01 twice as much.
    slack = 8_000_000 / N_GRID
    assert is_deal(found.high, ensemble, slack)
    assert not is_deal(found.low, ensemble, 0)
    fresh = replace(ensemble, first=N_BELIEVED)
    assert [one.multiple for one in found.fresh] == [found.low, found.high]
    assert not found.fresh[0].is_deal or is_deal(found.low, fresh, slack)
    assert found.fresh[1].is_deal or not is_deal(found.high, fresh, 0)


def test_weakest_belief__is_refused_where_there_is_always_or_never_a_deal() -> None:
    study = load_study(find_study("tiny"))
    always = with_request(study, Requested(free=[f"{GUARANTEE}=0..1"], limits=["investor.p_loss <= 1"]))
    with pytest.raises(UsageError, match="no deal must exist without any effect; found one"):
        weakest_belief(always, ["investor"], Ensemble(1, 20))
    never = with_request(study, Requested(free=[f"{GUARANTEE}=0..1"], limits=["investor.expected_npv >= 1e9"]))
    with pytest.raises(UsageError, match=r"found none\. In the way: investor.expected_npv >= 1000000000"):
        weakest_belief(never, ["investor"], Ensemble(1, 20))
