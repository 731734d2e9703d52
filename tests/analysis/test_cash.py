"""Cash over time: against arithmetic on paper, the columns of a run row by row, NumPy on the cash itself, and fresh seeds."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from simengine import ask
from simengine.config import Study, find_study, load_study
from simengine.errors import UsageError
from simengine.questions.cash.answer import CashOverTime, cash_over_time
from simengine.questions.cash.content import cash_content
from simengine.questions.cash.flows import commitments, names_with_cash
from simengine.questions.cash.periods import date_of, periods_of
from simengine.questions.cash.picture import draw_cash
from simengine.questions.cash.tables import cash_tables
from simengine.replications import memory
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.precision import control_variates
from simengine.risk import statistics, summarise
from simengine.sampling import PLAIN, Sampling
from tests.command import in_this_process

LENDERS = find_study("two_lenders")
HAZARD = "effect.sooner_home.hazard_ratio"
# Everything is fixed but the people, on whom nothing is paid: 2 million are drawn in six months, and a multiple comes back in month 12.
FIXED = ["contract.terms={guarantee: {share: 1.25, of: drawn, contingent: false}}", "capital.payment_month={guarantee: 12}"]


def cash_of(study: Study, n: int = 40, seed: int = 3, sampling: Sampling = PLAIN, **asked: object) -> CashOverTime:
    return cash_over_time(study, Ensemble(seed, n, threads=1), sampling, **asked)


def printed(study: Study, found: CashOverTime, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(cash_tables(study, found))
    return console.file.getvalue()  # type: ignore[attr-defined]


# ------------------------------------------------ arithmetic on paper ------------------------------------------------


def test_fixed_money__is_the_sum_by_hand(tiny_path: Path) -> None:
    """Source: hand. 2,000,000 in six equal months: 1,000,000 in each of the first two quarters of 2030; 2,500,000 back in month 12,
    January 2031, which ends a need of 2,000,000 that began with month 5. The provider gets what is drawn, the town pays the rest.
    """
    found = cash_of(load_study(tiny_path, FIXED), 20, every="quarter")

    by_hand = {
        "investor": [-1e6, -1e6, 0, 0, 2.5e6, 0, 0, 0, 0],
        "outcome_payer": [0, 0, 0, 0, -2.5e6, 0, 0, 0, 0],
        "service_provider": [1e6, 1e6, 0, 0, 0, 0, 0, 0, 0],
    }
    assert list(found.parties) == list(by_hand)
    for name, cash in by_hand.items():
        periods = found.parties[name].by_date
        assert [one.period.name for one in periods[:5]] == ["2030 Q1", "2030 Q2", "2030 Q3", "2030 Q4", "2031 Q1"]
        assert [one.cash["mean"].value for one in periods] == cash
        assert [one.cumulative["p50"].value for one in periods] == list(np.cumsum(cash))
        assert all(one.cash["mean"].se == one.cumulative["mean"].se == 0 for one in periods)
    lender, payer, provider = found.parties.values()
    assert (lender.peak_funding["mean"].value, lender.deepest_month["mean"].value) == (2e6, 5)
    assert (lender.payback_months["p50"].value, lender.payback_status["paid_back"].value) == (12, 1)
    assert (payer.peak_funding["mean"].value, payer.deepest_month["mean"].value) == (2.5e6, 12)
    assert (payer.payback_status["never"].value, payer.payback_months) == (1, {})
    assert (provider.p_out_of_pocket.value, provider.deepest_month, provider.peak_funding["mean"].value) == (0, {}, 0)
    assert (lender.commitment, lender.money_in["mean"].value, lender.p_exhausted.value) == (2e6, 2e6, 1)  # type: ignore[index, union-attr]
    assert (payer.commitment, payer.money_in, payer.p_exhausted) == (None, None, None)


def test_month_and_year__are_sums_of_the_same_cash(tiny_path: Path) -> None:
    # Source: hand, as above: 333,333.33 a month, the sixth of 2 million rounded to the öre of its running total.
    study = load_study(tiny_path, FIXED)
    months = cash_of(study, 20, every="month").parties["investor"].by_date
    assert [one.cash["mean"].value for one in months[:7]] == pytest.approx(
        [-333_333.33, -333_333.33, -333_333.34] * 2 + [0.0], abs=1e-6
    )
    assert (months[12].period.name, months[12].cash["mean"].value) == ("2031-01", 2.5e6)
    years = cash_of(study, 20, every="year").parties["investor"].by_date
    assert [(one.period.name, one.cash["mean"].value) for one in years] == [("2030", -2e6), ("2031", 2.5e6), ("2032", 0)]


@pytest.mark.parametrize(
    ("share", "exhausted", "deepest"), [(1.0, 1, 5), (0.5, 0, 5), ("{distribution: uniform, low: 0.2, high: 0.9}", 0, 5)]
)
def test_commitment__is_exhausted_where_all_of_it_is_drawn(share: object, exhausted: int, deepest: int, tiny_path: Path) -> None:
    lender = cash_of(load_study(tiny_path, [*FIXED, f"capital.drawn_share={share}"]), 20).parties["investor"]
    assert lender.p_exhausted is not None
    assert (lender.p_exhausted.value, lender.deepest_month["mean"].value) == (exhausted, deepest)


@pytest.mark.parametrize(
    ("start", "n_months", "every", "by_hand"),
    [
        ("2016-08", 7, "quarter", [("2016 Q3", 0, 1), ("2016 Q4", 2, 4), ("2017 Q1", 5, 6)]),
        ("2016-12", 15, "year", [("2016", 0, 0), ("2017", 1, 12), ("2018", 13, 14)]),
        ("2016-11", 3, "month", [("2016-11", 0, 0), ("2016-12", 1, 1), ("2017-01", 2, 2)]),
        ("2016-10", 3, "quarter", [("2016 Q4", 0, 2)]),
    ],
)
def test_periods__are_those_of_the_calendar(start: str, n_months: int, every: str, by_hand: list[tuple[str, int, int]]) -> None:
    found = periods_of(start, n_months, every)
    assert [(one.name, one.first_month, one.last_month) for one in found] == by_hand
    assert found[-1].last == date_of(start, n_months - 1)


# ------------------------------------------------ laws, and the columns of a run ------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "two_lenders"])
def test_cash_of_all_parties__is_nothing_in_every_month(name: str) -> None:
    # Invariant: what one pays another gets, to the smallest unit, with the suppliers outside and the account of the project.
    found = cash_of(load_study(find_study(name)))
    parties = [cash for name, cash in found.cash.items() if "." not in name and not name.startswith("all_")]
    assert len(parties) > 2
    assert not np.add.reduce(parties).any()


@pytest.mark.parametrize("name", ["tiny", "two_lenders", "norrkoping"])
def test_every_row__is_that_of_a_run(name: str) -> None:
    """Source: the columns of `run`, and here the definitions written out with a loop."""
    study, n = load_study(find_study(name)), 30
    found, results = cash_of(study, n), run_study(study, 3, n)
    for party, cash in found.cash.items():
        if f"{party}.cash" in results.columns:
            np.testing.assert_array_equal(cash.sum(axis=1) / found.flows.units, results[f"{party}.cash"])
        if f"{party}.peak_funding" not in results.columns:
            continue
        for row in range(n):
            so_far = np.cumsum(cash[row])
            assert max(0, -so_far.min()) / found.flows.units == results[f"{party}.peak_funding"][row]
            paid_back = next(month for month in range(len(so_far) + 1) if (so_far[month:] >= 0).all())
            told = results[f"{party}.payback_months"][row]
            assert (paid_back == told) if results[f"{party}.payback_status"][row] == 0 else np.isnan(told)
        assert found.parties[party].p_exhausted == statistics.probability(results[f"{party}.money_in"] >= commitments(study)[party])
        assert found.parties[party].money_in["mean"] == statistics.mean(results[f"{party}.money_in"])  # type: ignore[index]


@pytest.mark.parametrize(
    ("sampling", "with_variates"),
    [
        (PLAIN, False),
        (PLAIN, True),
        (Sampling(is_sobol=True), False),
        (Sampling(tilts={HAZARD: 0.5}), False),
        (Sampling(measured=2), False),
        (Sampling(tilts={HAZARD: 0.5}, measured=2), False),
        (Sampling(measured=2), True),
    ],
    ids=["plain", "variates", "sobol", "tilted", "measured", "tilted_measured", "measured_variates"],
)  # fmt: skip
def test_statistics__are_those_of_a_run_however_numbers_are_drawn(sampling: Sampling, with_variates: bool, tiny: Study) -> None:
    n = 2048
    results = run_study(tiny, 3, n, threads=1, sampling=sampling, with_variates=with_variates)
    table = summarise(results, control_variates(tiny, 3, results, sampling) if with_variates else None)

    found = cash_of(tiny, n, sampling=sampling, with_control_variates=with_variates, parties=["investor", "outcome_payer"])

    lender = found.parties["investor"]
    for of in ("peak_funding", "money_in", "payback_months", "payback_status"):
        wanted = {path.rpartition(".")[2]: one for path, one in table.statistics() if path.startswith(f"investor.{of}.")}
        assert len(wanted) > 1
        assert dict(getattr(lender, of)) == wanted, of
    # Who lends has no other cash here, and no value of its own: its net is its cash to the end.
    wanted = {path.rpartition(".")[2]: one for path, one in table.statistics() if path.startswith("investor.net.")}
    assert dict(lender.by_date[-1].cumulative) == wanted
    paid = found.parties["outcome_payer"].by_date[-1].cumulative["mean"]
    assert (-paid.value, paid.se) == pytest.approx(
        (table["outcome_payer.payment.mean"].value, table["outcome_payer.payment.mean"].se)
    )


def test_lender_with_other_cash__has_its_loans_beside_all_of_it() -> None:
    study = load_study(LENDERS, ["parties.bank.costs={office: {per_month: 100}}"])
    found, results = cash_of(study), run_study(study, 3, 40)
    whole, loans = found.cash["bank"], found.cash["bank.loans"]
    # Source: hand: 100.00 in each of 49 months, but after a stop.
    np.testing.assert_array_equal(np.unique(loans - whole), [0, 100_00])
    assert found.parties["bank.loans"].peak_funding["mean"] == statistics.mean(results["bank.peak_funding"])
    assert found.parties["bank"].peak_funding["mean"].value > found.parties["bank.loans"].peak_funding["mean"].value
    assert "foundation.loans" not in found.parties
    assert found.parties["bank.loans"].commitment == found.parties["bank"].commitment == 300_000


def test_tranche__is_shown_where_it_is_not_all_that_its_holder_has() -> None:
    sides = "sizing.parties={bank: {objective: expected_npv}, outcome_payer: {objective: expected_npv}}"
    study = load_study(LENDERS, [sides, "capital.tranches.junior.holder=bank"])
    found, results = cash_of(study), run_study(study, 3, 40)
    np.testing.assert_array_equal(found.cash["tranche.senior"] + found.cash["tranche.junior"], found.cash["bank"])
    np.testing.assert_array_equal(found.cash["tranche.senior"].sum(axis=1) / 100, results["tranche.senior.net"])
    assert found.parties["tranche.junior"].commitment == 100_000
    apart = load_study(LENDERS)
    assert not any("." in name for name in cash_of(apart).cash)
    asked = cash_of(apart, parties=["tranche.senior", "bank.loans", "bank"])
    assert list(asked.cash) == ["tranche.senior", "bank.loans", "bank"]
    np.testing.assert_array_equal(asked.cash["tranche.senior"], asked.cash["bank"])


def test_exhausted_commitment__is_counted_for_each_lender_and_for_all() -> None:
    # A commitment of 270,000 lies among what the costs take: some replications draw all of it, others not.
    sizes = ["contract.commitment=270_000", "capital.tranches.senior.size=202_500"]
    study = load_study(LENDERS, sizes)
    found, results = cash_of(study), run_study(study, 3, 40)
    for name, most in (("all_lenders", 270_000), ("bank", 202_500), ("foundation", 67_500)):
        exhausted = found.parties[name].p_exhausted
        assert exhausted is not None
        assert 0 < exhausted.value == (results[f"{name}.money_in"] >= most).mean() < 1, name


# ------------------------------------------------ statistics ------------------------------------------------


def test_quantiles__are_those_of_numpy_on_the_cash(tiny: Study) -> None:
    found = cash_of(tiny, 2000, every="year")
    for name, party in found.parties.items():
        cash = found.cash[name] / 100
        for one in party.by_date:
            first, end = one.period.first_month, one.period.last_month + 1
            for got, sample in ((one.cash, cash[:, first:end].sum(axis=1)), (one.cumulative, cash[:, :end].sum(axis=1))):
                for level in (0.05, 0.25, 0.5, 0.75, 0.95):
                    wanted = np.quantile(sample, level, method="inverted_cdf")
                    assert got[f"p{100 * level:02.0f}"].value == pytest.approx(wanted, abs=1e-6)
                assert got["mean"].value == pytest.approx(sample.mean(), abs=1e-6)
                assert got["sd"].value == pytest.approx(sample.std(ddof=1), abs=1e-6)
        deepest = np.argmin(np.cumsum(cash, axis=1), axis=1)[np.cumsum(cash, axis=1).min(axis=1) < 0]
        assert len(deepest) == 0 or party.deepest_month["mean"].value == pytest.approx(deepest.mean())


@pytest.mark.statistical
def test_error_of_a_mean__is_the_spread_between_seeds(tiny: Study) -> None:
    """Source: (k - 1) s^2 / se^2 of k independent means is chi-squared; a false alarm in 10,000 on either side. An error that is too small
    by the root of 2 is seen in 95 of 100 runs.
    """
    k, n = 120, 100
    runs = [cash_of(tiny, n, seed, every="year", parties=["investor"]).parties["investor"] for seed in range(k)]
    for of in (
        lambda one: one.by_date[1].cash["mean"],
        lambda one: one.by_date[1].cumulative["mean"],
        lambda one: one.payback_status["never"],
    ):
        values, errors = np.array([(of(one).value, of(one).se) for one in runs]).T
        ratio = (k - 1) * values.var(ddof=1) / np.mean(errors**2)
        assert stats.chi2.ppf(1e-4, k - 1) < ratio < stats.chi2.ppf(1 - 1e-4, k - 1)


def test_tails_on_too_few_replications__are_not_given(tiny: Study) -> None:
    found = cash_of(tiny, 200)
    assert found.tails_need == 2000
    for party in found.parties.values():
        assert all({"p05", "p95"}.isdisjoint(one.cash) and "p50" in one.cash for one in party.by_date)
    said = " ".join(printed(tiny, found).split())
    assert "p05 and p95 need 100 replications in the tail: use -n 2000 or more." in said
    enough = cash_of(tiny, 2000)
    assert enough.tails_need is None
    assert all({"p05", "p95"} <= set(one.cash) for party in enough.parties.values() for one in party.by_date)


def test_answer__is_the_same_on_any_threads_and_in_any_blocks(tiny: Study) -> None:
    one, other = (
        cash_over_time(tiny, Ensemble(9, 23, threads, size), Sampling(tilts={HAZARD: 0.5})) for threads, size in ((1, 1000), (2, 5))
    )
    assert one == other
    assert cash_content(tiny, one) == cash_content(tiny, other)
    assert all(np.array_equal(cash, other.cash[name]) for name, cash in one.cash.items())


# ------------------------------------------------ what is printed, written and given to Python ------------------------------------


@pytest.mark.parametrize("study", ["tiny", "two_lenders", "norrkoping"])
def test_tables__fit_a_terminal_of_80_columns(study: str) -> None:
    asked = load_study(find_study(study))
    text = printed(asked, cash_of(asked, 40))
    assert max(map(len, text.splitlines())) <= 80
    # A row is a line: nothing is cut off, and no number is broken.
    assert "…" not in text
    assert not [line for line in text.splitlines() if line.strip().startswith("±")]


def test_long_calendar__is_shown_by_year_unless_asked_otherwise() -> None:
    study = load_study(find_study("norrkoping"))
    by_year, by_quarter = (printed(study, cash_of(study, 20, every=every)) for every in (None, "quarter"))
    assert " 2019 " in by_year
    assert "Q" not in by_year.partition("Payback")[2].partition("Leksell")[2].replace("Quantiles", "")
    assert " 2019 Q1" in by_quarter
    # The answer itself is by quarter in both.
    assert cash_of(study, 20).every == "quarter"
    assert len(cash_of(study, 20).parties["investor"].by_date) == 21


def test_folder__holds_the_same_numbers_in_every_form(tmp_path: Path, tiny_path: Path) -> None:
    words = ["cash", tiny_path, "-n", 60, "--seed", 3, "--measured", 2, "--tilt", f"{HAZARD}=0.5", "--every", "year"]
    assert in_this_process([*words, "-o", "out"], cwd=tmp_path).returncode == 0
    out = tmp_path / "out"
    kept = ["SHA256SUMS", "cash-by-date.csv", "cash.json", "cash.parquet", "cash.png", "run-again.txt", "study.yaml"]
    assert sorted(path.name for path in out.iterdir()) == kept

    told = json.loads((out / "cash.json").read_text())["cash"]
    rows = list(csv.DictReader((out / "cash-by-date.csv").read_text().splitlines()))
    assert len(rows) == 3 * 3
    for row in rows:
        (one,) = [one for one in told[row["party"]]["by_date"] if one["period"] == row["period"]]
        for what in ("cash", "cumulative"):
            assert float(row[f"{what}_mean"]) == one[what]["mean"]["value"]
            assert float(row[f"{what}_p25_se"]) == one[what]["p25"]["se"]
            assert row[f"{what}_p95"] == ""
    table = pd.read_parquet(out / "cash.parquet")
    assert len(table) == 3 * 60 * 2 * 25
    assert not table.duplicated(["party", "replication", "measurement", "month"]).any()
    # Source: the cash itself in Python; the law that nothing is lost, on the file; and weighted means of what it holds.
    again = ask("cash", tiny_path, n=60, seed=3, measured=2, tilts=[f"{HAZARD}=0.5"])
    for party, cash in again.cash.items():
        np.testing.assert_array_equal(table[table.party == party].cash.to_numpy().reshape(120, 25), cash / 100)
    by_month = table.groupby(["replication", "measurement", "month"]).cash.sum()
    assert by_month.abs().max() < 1e-6
    mine = table[(table.party == "investor") & table.date.astype(str).str.startswith("2031")]
    summed = mine.groupby(["replication", "measurement"]).agg({"cash": "sum", "weight": "first"})
    assert np.average(summed.cash, weights=summed.weight) == pytest.approx(told["investor"]["by_date"][1]["cash"]["mean"]["value"])


def test_python__gives_the_statistics_and_the_cash_as_long_frames(tiny: Study) -> None:
    found = ask("cash", tiny, n=60, seed=3, parties=["investor"], every="year")
    table = found.to_pandas()
    assert table.index.names == ["party", "of", "period", "statistic"]
    assert table.loc[("investor", "cash", "2031", "mean"), "value"] == found.parties["investor"].by_date[1].cash["mean"].value
    assert table.loc[("investor", "peak_funding", "", "p50"), "value"] == 2e6
    assert table.loc[("investor", "p_exhausted", "", "p_exhausted"), "value"] == 1
    rows = found.to_pandas_by_row()
    assert list(rows) == ["party", "replication", "month", "date", "cash"]
    assert rows.groupby("replication").cash.sum().to_numpy() == pytest.approx(found.cash["investor"].sum(axis=1) / 100, abs=1e-6)
    assert repr(found).startswith("<CashOverTime: 60 replications, seed 3, ")


def test_picture__is_drawn_for_one_party_and_for_many_with_and_without_tails(tiny: Study) -> None:
    for asked in ({"n": 40}, {"n": 2000, "parties": ["service_provider"]}):
        image = draw_cash(tiny, cash_of(tiny, **asked))  # type: ignore[arg-type]
        assert image.startswith(b"\x89PNG")
        assert image == draw_cash(tiny, cash_of(tiny, **asked))  # type: ignore[arg-type]


# ------------------------------------------------ refusals ------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"parties": ["investr"]},
            "parties: must be a party whose money the study moves, a total, or a tranche; found `investr`. Did you mean `investor`?",
        ),
        (
            {"parties": ["x"]},
            "parties: must be a party whose money the study moves, a total, or a tranche; found `x`. One of: investor, outcome_payer, "
            "service_provider, project, investor.loans",
        ),
        ({"every": "week"}, "every: must be one of month, quarter, year; found 'week'"),
        ({"sobol": True}, "sobol: the replications must be 32 times a power of two; found 40. Use n=32 or n=64"),
    ],
)
def test_nonsense__is_refused_in_words(options: dict[str, object], message: str, tiny: Study) -> None:
    with pytest.raises(UsageError) as refusal:
        ask("cash", tiny, n=40, seed=1, **options)
    assert str(refusal.value).startswith(message)


def test_party_that_only_saves__has_no_cash_and_may_be_named(tiny_path: Path) -> None:
    parties = "investor: {name: I, discount_rate_per_year: 0.03}, outcome_payer: {name: M, discount_rate_per_year: 0.03}, "
    parties += "service_provider: {name: P, discount_rate_per_year: 0.03}, region: {name: R, discount_rate_per_year: 0.03}"
    saved = "public_value.placement_cost_sek={outcome_payer: {share: 0.5}, region: {share: 0.5}}"
    study = load_study(tiny_path, [f"parties={{{parties}}}", saved])
    assert "region" in names_with_cash(study)
    assert "region" not in cash_of(study).cash
    assert not cash_of(study, parties=["region"]).cash["region"].any()


def test_cash_that_does_not_fit__is_refused_with_what_does(monkeypatch: pytest.MonkeyPatch, tiny_path: Path) -> None:
    monkeypatch.setattr(memory, "memory_left", lambda: 10**9)

    def most(months: int, *parties: str) -> int:
        study = load_study(tiny_path, [f"study.horizon_months={months}"])
        with pytest.raises(UsageError, match=r"At most [\d,]+ here") as caught:
            ask("cash", study, n=10**9, seed=1, parties=parties)
        return int(str(caught.value).rpartition("At most ")[2].removesuffix(" here").replace(",", ""))

    short, long = most(24), most(240)
    # Source: hand: 25 months, or 241, of eight bytes for four parties and one loan, and little else.
    assert short > 5 * long > 0
    assert most(240, "investor") > 3 * long


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not say what a process holds")
def test_guard__counts_what_the_cash_takes_within_a_factor(tiny_path: Path) -> None:
    # Source: the peak that the system itself counts, of a process that asks and writes, beyond that of 200 replications.
    code = f"""
from pathlib import Path
from simengine import ask, load_study
from simengine.replications import memory
study = load_study({str(tiny_path)!r}, ["study.horizon_months=240"])
def peak():
    told = Path("/proc/self/status").read_text()
    return 1024 * int(told.partition("VmHWM:")[2].split()[0])
ask("cash", study, n=200, seed=1, threads=1, every="year")
before, n = peak(), 12_000
ask("cash", study, n=n, seed=1, threads=1, every="year")
taken = peak() - before
memory.memory_left = lambda: 1
try:
    ask("cash", study, n=n, seed=1, threads=1)
except Exception as error:
    print(taken / 1e9, str(error).partition("about ")[2].split()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    taken, told = map(float, done.stdout.split())
    assert 0.5 * taken <= told <= 2 * taken


def test_line_that_is_drawn_again__is_held_against_no_commitment():
    # What is drawn of it in all exceeds its limit; whether it was exhausted a run tells, tranche by tranche.
    study = load_study(find_study("outcomes_fund_children"))
    found = ask("cash", study, n=40, seed=1)

    assert commitments(study) == {"investor": 200_000, "investor.loans": 200_000, "tranche.loan": 200_000}
    assert found.parties["bank"].p_exhausted is None
    assert found.parties["investor"].p_exhausted is not None
