"""Who carries what: closed forms for normal layers, the nested decomposition of sixty coins, and shares that add up."""

import numpy as np
import pytest
from scipy import stats

from simengine.config import find_study, load_study
from simengine.distributions import Constant
from simengine.errors import UsageError
from simengine.pipeline import DrawOverrides, draw_numbers, simulate
from simengine.questions.attribute.answer import attribute, burden, portions, shapley, tail_game, variance_game
from simengine.questions.attribute.layers import coalitions, layer_of_decision, layer_of_number, layers_in, seeds_with
from simengine.records import BASELINE, CONTROL, SERVICE, TWIN
from simengine.replications.ensemble import Ensemble
from tests.analysis.made import SCORES, study_of
from tests.analysis.successes import SUCCESSES

LAYERS = ("parameters", "environment", "sampling")


def family_of(function, n: int, seed: int) -> np.ndarray:
    """Settle every mixture of two independent normal draws of three layers."""
    draws = np.random.default_rng(seed).standard_normal((2, 3, n))
    mixtures = [[draws[0 if layer in first else 1, layer] for layer in range(3)] for first in coalitions(3)]
    return np.stack([function(*layers) for layers in mixtures], axis=1)


def z(statistic, exact: float) -> float:
    return (statistic.value - exact) / statistic.se


def test_shapley__of_the_glove_game():
    # Source: the glove game (Shapley 1953; Osborne and Rubinstein): one left and two right gloves, a pair is worth 1: (4, 1,
    # 1) / 6.
    worth = [float(0 in one and len(one) > 1) for one in coalitions(3)]
    assert shapley(np.array(worth), 3) == pytest.approx([4 / 6, 1 / 6, 1 / 6])


@pytest.mark.statistical
def test_additive_layers__get_back_their_own_variances_and_tails():
    # Source: closed form. Money -(1 a + 2 b + 3 c) of independent normals: variances 1, 4, 9; in the tail each brings
    # var_i / sd x phi(q) / (1 - level), here 2.0627128 at 95 %.
    found = burden(family_of(lambda a, b, c: -(a + 2 * b + 3 * c), 3000, 1), LAYERS, 0.95)
    for layer, variance in zip(LAYERS, (1, 4, 9), strict=True):
        for view in (found.variance.shapley, found.variance.alone, found.variance.nested):
            assert abs(z(view[layer], variance)) < 4.5
        assert abs(z(found.tail.shapley[layer], variance / np.sqrt(14) * 2.0627128)) < 4.5
        assert abs(z(found.sd_if_known[layer], np.sqrt(14 - variance))) < 4.5
    q = 1.6448536 * np.sqrt(14)
    assert abs(z(found.guarantee.beyond, q)) < 4.5
    assert abs(z(found.guarantee.fair_premium, 0.05 * (2.0627128 * np.sqrt(14) - q))) < 4.5
    assert abs(z(found.cvar, 2.0627128 * np.sqrt(14))) < 4.5


@pytest.mark.statistical
def test_interaction__is_halved_between_two_layers():
    # Source: closed form. a b has variance 1 and no part that a or b explains alone; c brings nothing, exactly.
    found = burden(family_of(lambda a, b, c: a * b, 3000, 2), LAYERS, 0.95)
    assert abs(z(found.variance.shapley["parameters"], 0.5)) < 4.5
    assert abs(z(found.variance.shapley["environment"], 0.5)) < 4.5
    assert abs(z(found.variance.alone["parameters"], 0)) < 4.5
    assert abs(z(found.variance.nested["environment"], 1)) < 4.5
    assert found.variance.shapley["sampling"].value == pytest.approx(0, abs=1e-12)
    assert found.tail.shapley["sampling"].value == pytest.approx(0, abs=1e-12)


def test_shares__add_up_to_the_last_bits():
    family = family_of(lambda a, b, c: np.exp(a + b * c) - c**2, 500, 3)
    found = burden(family, LAYERS, 0.9)
    for shares in (found.variance, found.tail):
        assert sum(one.value for one in shares.shapley.values()) == pytest.approx(shares.total.value)
        assert sum(one.value for one in shares.nested.values()) == pytest.approx(shares.total.value)
    # The mean loss is that of the members that share nothing with the tail: the same but for its own error.
    assert abs(found.tail.total.value - found.cvar.value - found.mean.value) < 4.5 * found.mean.se
    assert variance_game(family)[0] == tail_game(family, 0.9)[0] == 0


@pytest.mark.statistical
def test_euler_shares__of_normal_parties():
    # Source: closed form, by NumPy and SciPy: loss means (1, 2, .5), covariance below: variance shares .357143, .642857, 0;
    # CVaR shares m_i + cov(i, all) / sd x 2.0627128 = 3.756416, 6.961549, .5; they add up to 11.217965.
    covariance = [[4, 1, 0], [1, 9, -1], [0, -1, 1]]
    money = -np.random.default_rng(4).multivariate_normal([1, 2, 0.5], covariance, size=40_000)
    found = portions(dict(zip("abc", money.T, strict=True)), 0.95)
    for party, share, exact in zip("abc", (0.357143, 0.642857, 0), (3.756416, 6.961549, 0.5), strict=True):
        assert abs(z(found[party].sd, share * np.sqrt(14))) < 4.5
        assert abs(z(found[party].cvar, exact)) < 4.5
    assert sum(found[party].cvar.value for party in "abc") == pytest.approx(found["all"].cvar.value)
    assert sum(found[party].sd.value for party in "abc") == pytest.approx(found["all"].sd.value)
    assert found["all"].sd.value == pytest.approx(money.sum(axis=1).std(ddof=1))


@pytest.mark.statistical
def test_sixty_coins__divide_into_luck_and_ignorance(tmp_path):
    # Source: closed form. X is Binomial(60, p) with p from Beta(8, 12): Var E(X | p) = 60^2 x 0.4 x 0.6 / 21 = 41.143 and
    # E Var(X | p) = 60 (0.24 - 0.24 / 21) = 13.714, together 54.857. Of the coins alone: each coin u_i < p, so
    # E(X | u) is a sum of P(p > u_i), with 60 x Var P(p > U) = 60 (E min(p, p') - 0.4^2), by quadrature.
    grid = np.linspace(0, 1, 200_001)
    above = stats.beta.sf(grid, 8, 12)
    coins_alone = 60 * (np.trapezoid(above**2, grid) - 0.4**2)
    found = attribute(study_of(SUCCESSES, tmp_path), Ensemble(11, 3000, threads=1), 0.95)
    assert found.layers == ("parameters", "sampling")
    for party in ("investor", "outcome_payer"):
        shares = found.burdens[party].variance
        assert abs(z(shares.total, 54.857)) < 4.5
        assert abs(z(shares.nested["parameters"], 41.143)) < 4.5
        assert abs(z(shares.nested["sampling"], 13.714)) < 4.5
        assert abs(z(shares.alone["sampling"], coins_alone)) < 4.5
        assert abs(z(shares.shapley["sampling"], (13.714 + coins_alone) / 2)) < 4.5
    assert found.portions["all"].sd.value == pytest.approx(0, abs=1e-9)  # what one gets, the other pays


def test_layers__are_those_in_which_something_is_drawn(tiny, tmp_path):
    assert layers_in(tiny) == ("parameters", "sampling", "measurement")
    assert layers_in(study_of(SUCCESSES, tmp_path)) == ("parameters", "sampling")
    assert layers_in(load_study(find_study("norrkoping"))) == ("parameters", "environment", "sampling", "measurement")


def test_decisions__belong_to_their_layers():
    layer = layer_of_decision(load_study(find_study("peterborough")))
    assert layer("people/cohort_1/moves") == "sampling"
    assert layer("people/matched of cohort_1/moves") == layer("people/baseline/entry") == "measurement"
    assert layer("measurement/reduction/service/cohort_1/lost") == "measurement"
    assert layer("world/shocks/x/study/0") == "environment"
    assert layer("parameter/population.waves.cohort_1.size") == "environment"
    assert layer("parameter/measurement.metrics.reduction.drift_per_year") == "measurement"  # its own tag
    assert layer("parameter/effect.fewer_reconvictions.hazard_ratio") == "parameters"


def test_redrawn_layer__changes_its_own_draws_alone(tiny):
    plain = simulate(tiny, 5, np.arange(30))
    steered = {
        name: simulate(tiny, 5, np.arange(30), overrides=DrawOverrides(seed_by_purpose=seeds_with(tiny, 5, [name])))
        for name in ("parameters", "sampling", "measurement", "environment")
    }
    path = "effect.sooner_home.hazard_ratio"
    assert (steered["parameters"].draws[path] != plain.draws[path]).all()
    for name in ("sampling", "measurement", "environment"):
        assert (steered[name].draws[path] == plain.draws[path]).all()
    same = {name: (one.tallies.sums == plain.tallies.sums).all(axis=(0, 1, 3, 4)) for name, one in steered.items()}
    assert same["environment"].all()
    assert list(same["sampling"][:3]) == [False, False, True]  # service, twin, baseline
    assert list(same["measurement"][:3]) == [True, True, False]


def test_correlation_across_layers__is_refused(tmp_path):
    change = ["effect.better.difference={distribution: normal, mean: 3, sd: 1}"]
    change += ["capital.drawn_share={distribution: uniform, low: 0.5, high: 1, layer: environment}"]
    change += ["correlations={x: {between: [effect.better.difference, capital.drawn_share], value: 0.5}}"]
    with pytest.raises(
        UsageError, match=r"correlations\.x: numbers that go together must lie in one layer; found effect.*parameters"
    ):
        attribute(study_of(SCORES, tmp_path, *change), Ensemble(1, 2000), 0.95)


def test_unknown_party__is_refused(tiny):
    with pytest.raises(UsageError, match=r"--party: must be a party whose money the study moves; found `bank`\. One of: investor"):
        attribute(tiny, Ensemble(1, 250), 0.95, parties=["bank"])


def test_result__is_the_same_in_any_blocks(tiny):
    one, other = (attribute(tiny, Ensemble(5, 250, 2, size), 0.95) for size in (1000, 31))
    assert one == other


def test_redrawn_replication__changes_the_numbers_of_the_replication_alone():
    study = load_study(find_study("norrkoping"))
    plain, again = (
        draw_numbers(study, 5, np.arange(20), overrides=DrawOverrides(seed_by_purpose=seeds_with(study, 5, layers)))
        for layers in ((), ("environment",))
    )
    distributions = {path: number for path, number in study.numbers.items() if not isinstance(number, Constant)}
    changed = {path for path in distributions if (plain[path] != again[path]).any()}
    assert changed == {path for path, number in distributions.items() if layer_of_number(path, number) == "environment"} != set()


@pytest.mark.parametrize("lives", [(), ("measurement.control.exact_moments=true", "measurement.baseline.exact_moments=true")])
def test_redrawn_measurement__reaches_those_compared_with_whether_they_live_or_not(tmp_path, lives):
    # Source: the layers' own definition. Who is compared with is measurement, drawn person by person or by exact moments.
    many = ["population.waves.all.size=1000", "measurement={design: randomised, control: {ratio: 1}, baseline: {size: 1000, "]
    many[1] += "years_before: 1}, metrics: {less: {outcome: time, window_months: 12, estimate: rate_difference, better: lower}}}"
    contract = "contract={title: t, currency: EUR, commitment: 1000, metrics: {less: {meaning: m, unit: EUR per person}}, "
    contract += "terms: {prize: {share: 1, of: drawn, only_if: {less: {at_least: 0}}}}}"
    study = study_of(SCORES, tmp_path, *many, contract, "capital.payment_month={prize: 20}", *lives)
    plain, again = (
        simulate(study, 5, np.arange(30), overrides=DrawOverrides(seed_by_purpose=seeds_with(study, 5, layers))).tallies.sums
        for layers in ((), ("measurement",))
    )
    place = list(study.outcomes).index("time")
    assert (plain[:, 0, [SERVICE, TWIN], place, -1] == again[:, 0, [SERVICE, TWIN], place, -1]).all()
    assert (plain[:, 0, [CONTROL, BASELINE], place, -1] != again[:, 0, [CONTROL, BASELINE], place, -1]).mean() > 0.9


LENT_BY_TWO = (
    "parties={investor: {name: L, discount_rate_per_year: 0.03}, outcome_payer: {name: P, discount_rate_per_year: 0.03}, "
    "service_provider: {name: S, discount_rate_per_year: 0.03}, bank: {name: B, discount_rate_per_year: 0.03}, "
    "fund: {name: F, discount_rate_per_year: 0.03}}",
    "capital={drawn_share: 1.0, drawdown_months: 6, payment_month: {guarantee: 12, saving_share: 20, upside: 20}, "
    "tranches: {senior: {holder: bank, size: 1_200_000}, junior: {holder: HOLDER, size: rest}}, "
    "waterfall: {first: {principal: [senior]}, last: {principal: [junior]}, surplus: {rest: {fund: rest}}}}",
    "public_value={}",
)


@pytest.mark.parametrize(("holder", "named"), [("fund", {"bank", "fund"}), ("investor", {"bank", "fund", "investor"})])
@pytest.mark.parametrize("measure", ["net", "npv"])
def test_portions__count_no_money_twice_where_several_lend(tiny_path, holder, named, measure):
    # Invariant: what one pays another gets. Without a saving and at one rate of discount all parties together have nothing, at any
    # risk.
    study = load_study(tiny_path, [text.replace("HOLDER", holder) for text in LENT_BY_TWO])
    found = attribute(study, Ensemble(3, 250, threads=1), 0.95, measure)
    assert set(found.portions) == named | {"outcome_payer", "service_provider", "all"}
    assert found.portions["all"].sd.value == pytest.approx(0, abs=0.02)  # öre, rounded
    assert found.portions["all"].cvar.value == pytest.approx(0, abs=0.05)
    assert set(found.burdens) == named | {"outcome_payer", "service_provider"}  # nobody stands for others


def test_portions__of_parties_whose_money_adds_up_to_nothing_are_nothing():
    # Source: hand arithmetic. 0.1 x + 0.2 x - 0.3 x is 0 but for rounding: no risk of all together, so none to be shared.
    x = np.random.default_rng(3).integers(1, 1_000_000, 2000).astype(np.float64)
    found = portions({"one": 0.1 * x, "two": 0.2 * x, "three": -(0.3 * x)}, 0.95)
    for party in ("one", "two", "three", "all"):
        assert (found[party].sd.value, found[party].sd.se) == (0.0, 0.0)
    assert found["all"].cvar.value == pytest.approx(0, abs=1e-6)
    # The tail of nothing is all replications alike.
    assert found["one"].cvar.value == pytest.approx(-0.1 * x.mean())
