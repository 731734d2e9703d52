"""Who pays and who saves: the table against a run, the side payments against their own replications, and their errors."""

import numpy as np
import pytest

from simengine import load_study, run_study
from simengine.errors import UsageError
from simengine.questions.value.answer import _side_payments, find_wrong_pockets
from simengine.questions.value.side_payments import proportional
from simengine.replications.ensemble import Ensemble

FOUR = ("investor", "outcome_payer", "service_provider", "region")
PARTIES = f"parties={{{', '.join(f'{party}: {{name: The {party}, discount_rate_per_year: 0.03}}' for party in FOUR)}}}"
REGION = "region: {value_per_unit: 2, deadweight: {distribution: uniform, low: 0, high: 0.2}}"
RICH = f"public_value={{placement_cost_sek: {{outcome_payer: {{}}, {REGION}}}}}"


@pytest.fixture(scope="module")
def study(tiny_path):
    return load_study(tiny_path, [PARTIES, RICH])


@pytest.fixture(scope="module")
def found(study):
    return find_wrong_pockets(study, Ensemble(5, 400))


def test_pockets__are_those_of_a_run(study, found):
    # Invariant: the same replications give the same money, whichever command asks.
    results = run_study(study, 5, 400)

    assert list(found.public_value) == list(FOUR)
    for party in FOUR:
        for name in ("cash", "value", "cashable", "net"):
            assert found.public_value[party][name]["mean"].value == pytest.approx(results[f"{party}.{name}"].mean())
        assert found.public_value[party]["p_net_below_zero"].value == (results[f"{party}.net"] < 0).mean()
    assert found.total.value == pytest.approx(sum(results[f"{party}.net"].mean() for party in found.among))


def test_side_payments__make_everybody_whole_on_average(study, found):
    # Invariant: balanced, and nobody is left below 0 on expected positions; the probabilities are those of the shifted
    # replications.
    results = run_study(study, 5, 400)
    assert found.among == ("investor", "outcome_payer", "region")
    assert set(found.must_agree) >= {"investor", "outcome_payer"}
    for rule in (found.proportional, found.shapley):
        assert sum(one.value for one in rule.received.values()) == pytest.approx(0, abs=1e-6)
        assert min(one.value for one in rule.left_with.values()) >= -1e-6
        for party in found.among:
            still = (results[f"{party}.net"] + rule.received[party].value < 0).mean()
            assert rule.p_still_loses[party].value == pytest.approx(still, abs=0.003)


SPENT = "parties.service_provider.costs={salaries: {per_person: 250_000, over_months: 3}}"


def test_provider__that_states_its_costs_is_an_actor_and_must_be_made_whole(tiny_path, study):
    # Invariant: its net is what it is paid less what it spends, 12 people at 250,000; what others are left with does not change.
    plain, spent = (
        find_wrong_pockets(study, Ensemble(5, 100)),
        find_wrong_pockets(load_study(tiny_path, [PARTIES, RICH, SPENT]), Ensemble(5, 100)),
    )

    assert spent.among == FOUR
    assert "service_provider" in spent.must_agree
    assert spent.public_value["service_provider"]["net"]["mean"].value == pytest.approx(2_000_000 - 12 * 250_000)
    assert spent.public_value["service_provider"]["p_net_below_zero"].value == 1
    for party in ("investor", "outcome_payer", "region"):
        assert spent.public_value[party]["net"]["mean"] == plain.public_value[party]["net"]["mean"]
    # The provider's million is now in the total: what it is paid was not before, as it was no actor.
    assert spent.total.value == pytest.approx(plain.total.value - 1_000_000)


def test_side_payments__are_not_possible_where_all_lose(tiny_path):
    found = find_wrong_pockets(load_study(tiny_path, [PARTIES, "public_value={}"]), Ensemble(5, 50))

    assert found.total.value < 0
    assert (found.proportional.are_possible, found.shapley.are_possible) == (False, False)
    assert found.among == ("investor", "outcome_payer")


def test_side_payments__have_the_errors_that_repetition_shows():
    # Source: 400 repetitions of 200 normal replications; the standard deviation of what the loser receives has an error of 4 %.
    random = np.random.default_rng(3)
    covariance = [[4, 1, 0], [1, 9, -2], [0, -2, 1]]
    repeated = [
        _side_payments(("a", "b", "c"), random.multivariate_normal([-1, 5, 2], covariance, 200), proportional) for _ in range(400)
    ]

    for actor in "abc":
        received = np.array([one.received[actor].value for one in repeated])
        reported = np.mean([one.received[actor].se for one in repeated])
        assert received.std(ddof=1) == pytest.approx(reported, rel=0.16)


@pytest.mark.parametrize(
    ("among", "message"),
    [
        (["region", "nobody"], "--among: must be a party whose money the study moves; found `nobody`"),
        (["region"], "--among: side payments must be made between 2 to 12 actors; found 1"),
    ],
)
def test_among__refuses_who_cannot_pay(study, among, message):
    with pytest.raises(UsageError, match=message):
        find_wrong_pockets(study, Ensemble(5, 10), among)
