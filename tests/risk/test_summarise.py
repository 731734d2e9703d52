"""From cash to a table of risks: two replications worked by hand, the rate of return of the mean cash, and its error."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simengine.capital import discount_factors
from simengine.records import Draws, Measurements, PublicValue, ReplicationResults, Tallies
from simengine.risk import DiscountBasis, party_results, summarise
from simengine.risk.kernels import STATUSES, internal_rates
from simengine.risk.statistics import Statistic
from tests.capital.made import ledger_of
from tests.conftest import payments_once, sized

PARTIES = ("investor", "outcome_payer", "service_provider")


def tallies_of(by_year, person_months, clipped):
    """Make tallies of two states, three outcomes and two windows, of which the risk reads the years and the months alone."""
    n, n_waves = by_year.shape[:2]
    nothing = np.zeros((n, n_waves, 3, 3, 2))
    return Tallies(
        ("home", "placed"), ("cost", "school", "rent"), (12, 24), 0, {}, np.ones((n, n_waves, 3), np.int64),
        np.ones((n, n_waves, 3)), np.ones((n, n_waves, 3)), nothing, nothing, nothing[..., 0], nothing[..., 0], nothing,
        person_months, by_year, {}, np.asarray(clipped),
    )  # fmt: skip


def appraised(drawn, paid, *, rates=(0.03, 0.03, 0.03), tallies=None, estimate=None, commitment=10e6):
    """Appraise cash: what is drawn by month in the smallest unit, and by term the amounts and months of payment."""
    n = len(drawn)
    draws = Draws(
        0, np.arange(n), {f"capital.payment_month.{term}": np.broadcast_to(month, n) for term, (_, month) in paid.items()}
    )
    amount = np.stack([np.broadcast_to(np.asarray(amount, np.float64), n) for amount, _ in paid.values()], axis=1)
    payments = payments_once(amount, *paid)
    estimate = np.zeros((n, 1)) if estimate is None else estimate
    basis = DiscountBasis(
        {party: discount_factors(rate, "2030-01", 240)[None, :] for party, rate in zip(PARTIES, rates, strict=True)},
        None,
        dict.fromkeys(tuple(paid)[1:] or tuple(paid), 1),
        commitment,
    )
    tallies = tallies or tallies_of(np.zeros((n, 1, 3, 3, 2)), np.zeros((n, 1, 3, 2, 2)), np.zeros(n, np.int64))
    # The cost of the twins less that of the service users is the outcome payer's; the rent is nobody's.
    saving = (tallies.by_year[:, :, 1, 0] - tallies.by_year[:, :, 0, 0]).sum(axis=1)
    value = np.stack([np.zeros_like(saving), saving, np.zeros_like(saving)], axis=1)
    return party_results(
        basis,
        draws,
        tallies,
        Measurements(("saving",), estimate, estimate / 2, estimate - 1),
        payments,
        ledger_of(np.asarray(drawn, np.int64), paid),
        PublicValue(PARTIES, value, value / 4),
    )


# ------------------------------------------------ two replications by hand ------------------------------------------------


@pytest.fixture(scope="module")
def two():
    """10.00 drawn at once; a guarantee of 4.00 after one year; 8.00 or nothing after two years.

    Two waves. Cost of the twins less cost of the service users: 3 + 1 in the first and 5 + 1 in the second year of
    replication 0; -1 in the first year of replication 1. The rent saved is nobody's.
    """
    by_year = np.zeros((2, 2, 3, 3, 2))  # replication, wave, arm, outcome, year
    by_year[0, 0, 1, 0] = [103, 105]
    by_year[0, 0, 0, 0] = [100, 100]
    by_year[0, 1, 1, 0] = [11, 21]
    by_year[0, 1, 0, 0] = [10, 20]
    by_year[1, 0, 0, 0] = [1, 0]
    by_year[:, :, 1, 2] = 1e6
    person_months = np.zeros((2, 2, 3, 2, 2))  # replication, wave, arm, state, window
    person_months[..., 0] = 5
    person_months[0, :, 0, 0, 1] = [7, 8]
    person_months[1, :, 0, 0, 1] = [9, 10]
    person_months[:, :, 1, 1, 1] = 3
    drawn = np.zeros((2, 25), np.int64)
    drawn[:, 0] = 1000
    return appraised(
        drawn,
        {"guarantee": (4.0, 12), "share": ([8.0, 0.0], 24)},
        rates=(0.25, 0.21, 0.0),
        tallies=tallies_of(by_year, person_months, [0, 3]),
        estimate=np.array([[6.0], [-2.0]]),
        commitment=10.0,
    )


def test_appraise__gives_what_the_investor_gets(two):
    # Source: hand arithmetic. Rate: -10 + 4 v + 8 v^2 = 0 at v = (-4 + sqrt(336)) / 16; -10 + 4 v = 0 at v = 2.5.
    # Present value at 25 %: -10 + 4 x 0.8 + 8 x 0.64 = -1.68, and -10 + 3.2 = -6.8.
    assert two["drawn"].tolist() == [10, 10]
    assert two["investor.money_back"].tolist() == [12, 4]
    assert two["investor.net"].tolist() == [2, -6]
    assert two["investor.moic"] == pytest.approx([1.2, 0.4])
    assert two["investor.npv"] == pytest.approx([-1.68, -6.8])
    assert two["investor.irr"] == pytest.approx([16 / (np.sqrt(336) - 4) - 1, -0.6])
    assert two.is_word("investor.irr_status", "found").all()
    assert two["contingent_payment"].tolist() == [8, 0]


def test_appraise__gives_what_the_outcome_payer_gets(two):
    # Source: hand arithmetic. At 21 % a year is worth 1 / 1.21, two years 1 / 1.4641, the middle of the first year 1 / 1.1
    # and that of the second 1 / 1.331.
    assert two["outcome_payer.payment"].tolist() == [12, 4]
    assert two["outcome_payer.true_saving"].tolist() == [10, -1]
    assert two["outcome_payer.net"].tolist() == [-2, -5]
    expected = [-4 / 1.21 - 8 / 1.4641 + 4 / 1.1 + 6 / 1.331, -4 / 1.21 - 1 / 1.1]
    assert two["outcome_payer.npv"] == pytest.approx(expected)


def test_appraise__passes_on_what_was_measured_and_paid(two):
    # Source: hand arithmetic; person-months are those of the longest window, over both waves.
    assert two["metric.saving.estimate"].tolist() == [6, -2]
    assert two["metric.saving.standard_error"].tolist() == [3, -1]
    assert two["metric.saving.truth"].tolist() == [5, -3]
    assert two["term.guarantee.amount"].tolist() == [4, 4]
    assert two["term.share.amount"].tolist() == [8, 0]
    assert two.is_word("term.share.bound", "formula").all()
    assert two["person_months.service.home"].tolist() == [15, 19]
    assert two["person_months.twin.placed"].tolist() == [6, 6]
    assert two["person_months.baseline.home"].tolist() == [0, 0]
    assert two["clipped"].tolist() == [0, 3]


def test_summarise__gives_each_party_its_distribution(two):
    # Source: hand arithmetic on pairs; a pair a, b has the mean (a + b) / 2 with error |a - b| / 2.
    table = summarise(two)

    assert table.n_replications == 2
    expected = {
        "investor.drawn.mean": (10, 0),
        "investor.money_back.mean": (8, 4),
        "investor.net.mean": (-2, 4),
        "investor.npv.mean": (-4.24, 2.56),
        "investor.moic.mean": (0.8, 0.4),
        "outcome_payer.payment.mean": (8, 4),
        "outcome_payer.true_saving.mean": (4.5, 5.5),
        "outcome_payer.net.mean": (-3.5, 1.5),
        "payment_against_saving.expected_payment": (8, 4),
        "payment_against_saving.expected_true_saving": (4.5, 5.5),
        "payment_against_saving.expected_difference": (-3.5, 1.5),
        "metrics.saving.estimate.mean": (2, 4),
        "metrics.saving.truth.mean": (1, 4),
        "metrics.saving.error.mean": (1, 0),
        "metrics.saving.evaluators_standard_error.mean": (1, 2),
        "terms.guarantee.amount.mean": (4, 0),
        "terms.share.amount.mean": (4, 4),
        "person_months.service.home.mean": (17, 2),
        "person_months.twin.placed.mean": (6, 0),
    }
    got = {path: (table[path].value, table[path].se) for path in expected}
    assert {path: pytest.approx(pair) for path, pair in expected.items()} == got


def test_summarise__counts_draws(two):
    # Source: hand arithmetic; one of two replications has the error sqrt(0.25 / 2) and Clopper and Pearson's interval from
    # 1 - sqrt(0.975), with which one case or more has the probability 2.5 %, to sqrt(0.975); none and both of two bound nothing.
    table = summarise(two)
    interval = pytest.approx((1 - np.sqrt(0.975), np.sqrt(0.975)))
    half = Statistic(0.5, pytest.approx(np.sqrt(0.125)), interval_95=interval, covers=False)
    none, both = Statistic(0.0, 0.0, upper_95=1.0), Statistic(1.0, 0.0, lower_95=0.0)

    assert table["investor.p_loss"] == half
    assert table["investor.p_profit"] == half
    assert table["investor.p_no_payment_beyond_guarantee"] == half
    assert table["investor.irr_status.found"] == both
    assert table["investor.irr_status.total_loss"] == none
    assert table["outcome_payer.p_loss"] == both
    assert table["payment_against_saving.p_paid_beyond_guarantee_without_saving"] == none
    assert table["payment_against_saving.p_saving_without_payment_beyond_guarantee"] == none
    assert table["metrics.saving.p_estimate_positive"] == half
    assert table["terms.share.bound.formula"] == both
    assert table["terms.share.bound.cap"] == none
    assert table["diagnostics.replications_with_clipped_probabilities"] == half


def test_summarise__gives_losses_as_positive_numbers(two):
    # Source: hand arithmetic. The investor loses -2 or 6 and the payer 2 or 5, half of 2,000 times each.
    table = summarise(ReplicationResults.join([replace(two, replications=2 * number + np.arange(2)) for number in range(1000)]))

    assert table["investor.var95"].value == table["investor.cvar95"].value == 6.0
    assert table["outcome_payer.var95"].value == table["outcome_payer.cvar95"].value == 5.0


def test_summarise__gives_quantiles_of_rates_and_no_mean_of_rates(two):
    # Source: hand arithmetic; of the two rates the smaller, -60 %, is the one that half of them do not exceed.
    table = summarise(two)

    assert table["investor.irr.p50"].value == pytest.approx(-0.6)
    assert table.get("investor.irr.mean") is None
    with pytest.raises(KeyError, match=r"investor\.irr\.mean"):
        table["investor.irr.mean"]


def test_summarise__gives_the_rate_of_the_mean_cash_with_its_error(two):
    # Source: hand arithmetic. Mean cash -10, 4, 4: v = (sqrt(11) - 1) / 2. Both rows differ from it by 4 in the second year
    # alone, so the error of the present value is 4 v^2 / sqrt(2); its slope in the rate is -(4 v^2 + 2 x 4 v^3).
    v = (np.sqrt(11) - 1) / 2

    got = summarise(two)["investor.irr_of_mean_cash"]

    assert got.value == pytest.approx(1 / v - 1)
    assert got.se == pytest.approx(4 * v**2 / np.sqrt(2) / (4 * v**2 + 8 * v**3))


def test_summarise__gives_the_rate_of_a_weighted_mean_cash_with_its_error(two):
    # Source: hand arithmetic. With weights 1 and 3 the mean cash is -10, 4, 2: v^2 + 2 v - 5 = 0 at v = sqrt(6) - 1. The rows add
    # 6 v^2 / 4 and -2 v^2 x 3 / 4 to the present value: its error is sqrt(2 (2.25 + 2.25)) v^2 = 3 v^2, and its slope in the
    # rate -(4 v^2 + 2 x 2 v^3).
    v = np.sqrt(6) - 1
    weighted = replace(two, columns={**two.columns, "weight": np.array([1.0, 3.0])})

    got = summarise(weighted)["investor.irr_of_mean_cash"]

    assert got.value == pytest.approx(1 / v - 1)
    assert got.se == pytest.approx(3 * v**2 / (4 * v**2 + 4 * v**3))


# ------------------------------------------------ the rate of the mean cash ------------------------------------------------


def drawn_at_once(n, horizon, units):
    drawn = np.zeros((n, horizon + 1), np.int64)
    drawn[:, 0] = units
    return drawn


def test_irr_of_mean_cash__is_not_the_mean_of_the_rates():
    # Source: hand arithmetic. 1 M pays 1.3 M in 80 % and 0.4 M in 20 % of replications after 4 years: 1.12^(1/4) - 1 = 2.8737 %,
    # while the mean of the rates is 0.8 (1.3^(1/4) - 1) + 0.2 (0.4^(1/4) - 1) = 1.3286 %.
    results = appraised(drawn_at_once(10, 48, 10**8), {"term": ([1.3e6] * 8 + [0.4e6] * 2, 48)}, commitment=1e6)

    got = summarise(results)["investor.irr_of_mean_cash"].value

    assert got == pytest.approx(1.12**0.25 - 1, abs=1e-12)
    assert got == pytest.approx(0.028737, abs=5e-7)
    assert results["investor.irr"].mean() == pytest.approx(0.013286, abs=5e-7)


@pytest.mark.parametrize(
    ("units", "amounts", "status"), [(0, [1.0, 0.0], "no_cost"), (500, [0.0, 0.0], "total_loss")]
)  # fmt: skip
def test_irr_of_mean_cash__is_absent_where_the_mean_cash_has_no_rate(units, amounts, status):
    # Source: the definitions; nothing is drawn, or everything is lost.
    table = summarise(appraised(drawn_at_once(2, 12, units), {"term": (amounts, 12)}))

    assert table.get("investor.irr_of_mean_cash") is None
    assert table[f"investor.irr_status.{status}"].value > 0
    assert (table.get("investor.moic.mean") is None) == (units == 0)


def test_irr_of_mean_cash__has_no_error_where_all_draws_are_alike():
    # Source: the definition; 100 at 10 % in every replication.
    table = summarise(appraised(drawn_at_once(50, 12, 10_000), {"term": (110.0, 12)}, commitment=100.0))

    assert table["investor.irr_of_mean_cash"].value == pytest.approx(0.10)
    assert table["investor.irr_of_mean_cash"].se == pytest.approx(0, abs=1e-7)


def lending(rng, n=150):
    """10 M drawn over 24 months; 4 M after 48; and 0 to 6 M in one of the months 44 to 54."""
    drawn = np.zeros((n, 61), np.int64)
    drawn[:, :24] = 10**9 // 24
    return drawn, {"guarantee": (4e6, 48), "share": (np.round(rng.random(n) * 6e6, 2), rng.integers(44, 55, n))}


def test_outturns__join_to_the_same_table_from_any_blocks():
    # Invariant: the moments of the cash are whole numbers, so that blocks add up exactly in any order.
    drawn, paid = lending(np.random.default_rng(1), 60)
    (guarantee, month), (share, months) = paid.values()

    def block(rows):
        return appraised(drawn[rows], {"guarantee": (guarantee, month), "share": (share[rows], months[rows])})

    whole = block(slice(None))
    parts = [replace(block(rows), replications=np.arange(60)[rows]) for rows in (slice(0, 7), slice(7, 8), slice(8, 60))]

    for joined in (ReplicationResults.join(parts), ReplicationResults.join(parts[::-1])):
        np.testing.assert_array_equal(joined.lending_cash["investor"].products, whole.lending_cash["investor"].products)
        np.testing.assert_array_equal(joined.lending_cash["investor"].total, whole.lending_cash["investor"].total)
        assert summarise(joined)["investor.irr_of_mean_cash"] == summarise(whole)["investor.irr_of_mean_cash"]


def test_irr_of_mean_cash__has_the_same_error_from_exact_and_from_rounded_cash():
    # Invariant: with a commitment of one öre the cash is counted in units of one öre, and its products pass 2^53; with the true one
    # it must be counted in about 1 / 65,536 of it. Source of the products: Python's whole numbers.
    drawn, paid = lending(np.random.default_rng(2), 50)

    fine, coarse = (appraised(drawn, paid, commitment=commitment) for commitment in (0.01, 10e6))

    assert (fine.lending_cash["investor"].unit, coarse.lending_cash["investor"].unit) == (1, 2**14)
    first = [int(-units) for units in drawn[:, 0]]
    assert fine.lending_cash["investor"].products[0, 1] == sum(units * units for units in first) > 2**53
    one, other = (summarise(results)["investor.irr_of_mean_cash"] for results in (fine, coarse))
    assert one.value == other.value
    assert one.se == pytest.approx(other.se, rel=1e-3)


@pytest.mark.statistical
def test_irr_of_mean_cash__has_z_scores_of_mean_0_and_variance_1():
    # Source: the rate of the exact mean row, 10 M / 24 a month out, 4 M and 3 M / 11 in each of eleven months back. Bounds on
    # n z-scores that would be passed once in 100,000 fresh sets of seeds.
    row = np.zeros((1, 61))
    row[0, :24] = -(10**9 // 24)
    row[0, 48] += 4e8
    row[0, 44:55] += 3e8 / 11
    exact, status = np.empty(1), np.empty(1, np.int8)
    internal_rates(row, exact, status)
    assert STATUSES[status[0]] == "found"

    n = sized(40, 100)
    found = [summarise(appraised(*lending(np.random.default_rng(seed))))["investor.irr_of_mean_cash"] for seed in range(n)]

    z = np.array([(statistic.value - exact[0]) / statistic.se for statistic in found])
    least, largest = stats.chi2(n - 1).ppf([5e-6, 1 - 5e-6]) / (n - 1)
    assert abs(z.mean()) < stats.norm.ppf(1 - 5e-6) / np.sqrt(n)
    assert least < z.var(ddof=1) < largest


@pytest.mark.parametrize("contingent", [{"term": 1}, {}])
def test_appraise__takes_contracts_without_savings_or_contingent_terms(contingent):
    # Source: hand arithmetic; what is not there comes to 0.
    n, term = 2, ("term",)
    zeros = np.zeros((n, 1))
    draws = Draws(0, np.arange(n), {"capital.payment_month.term": np.full(n, 1.0)})
    payments = payments_once(zeros + 3, *term)

    results = party_results(
        DiscountBasis(dict.fromkeys(PARTIES, np.ones((1, 240))), None, contingent, commitment=1.0),
        draws,
        tallies_of(np.zeros((n, 1, 3, 3, 2)), np.zeros((n, 1, 3, 2, 2)), np.zeros(n, np.int64)),
        Measurements(("saving",), zeros, zeros, zeros),
        payments,
        ledger_of(drawn_at_once(n, 12, 100), {"term": (3.0, 1)}),
        PublicValue(PARTIES, np.zeros((n, 3, 2)), np.zeros((n, 3, 2))),
    )

    assert results["outcome_payer.true_saving"].tolist() == [0, 0]
    assert results["contingent_payment"].tolist() == ([3, 3] if contingent else [0, 0])
