"""What terms are worth: against closed forms, sums by hand, fresh replications and whole runs; and maps against lines on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats

from simengine import ask
from simengine.config import Study, find_study, load_study
from simengine.config.numbers import with_numbers
from simengine.config.roles import with_money
from simengine.config.sizing import PartySide, Sizing
from simengine.errors import UsageError
from simengine.questions.tradeoffs.answer import Tradeoffs, standard_measures, worth_between, worth_of_terms
from simengine.questions.tradeoffs.grid import MoneyMap, break_even, map_money
from simengine.questions.tradeoffs.tables import map_tables, worth_tables
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from tests.analysis.made import study_of
from tests.analysis.made_sizing import BINOMIAL
from tests.conftest import sized

PRICE, GUARANTEE, SIZE = "contract.terms.prize.share", "contract.terms.guarantee.share", "population.waves.all.size"
CAP, COMMITMENT = "contract.terms.saving_share.cap.share", "contract.commitment"
RATIO = "effect.sooner_home.hazard_ratio"
BOUND = 4.5
"""Standard errors: a false alarm in 150,000."""


def rates(rate: float, study: str = "") -> list[str]:
    return [f"parties.{party}.discount_rate_per_year={rate}" for party in ("investor", "outcome_payer", "service_provider")] + [
        text for text in [study] if text
    ]


@pytest.fixture
def binomial(tmp_path: Path) -> Study:
    return study_of(BINOMIAL, tmp_path)


# ------------------------------------------------ closed forms and sums by hand ------------------------------------------------


def test_price__is_worth_the_discounted_units_in_every_replication(tmp_path: Path) -> None:
    """Source: the distribution of a price. NPV = p X (1 + r)^(-20/12) + what no price moves, so d NPV / dp is the discounted mean of X; its
    error is that of the mean of X, however large the step.
    """
    study = study_of(BINOMIAL, tmp_path, *rates(0.05))
    units = 1.05 ** (-20 / 12) * run_study(study, 3, 400)["metric.passes.estimate"]
    for step in (0.1, 0.5):
        slope = worth_of_terms(study, Ensemble(3, 400), [PRICE], ["investor", "outcome_payer"], step).terms[PRICE]
        for party, sign in (("investor", 1), ("outcome_payer", -1)):
            found = slope.parties[party].npv
            assert found.per_unit.value == pytest.approx(sign * units.mean(), rel=1e-12)
            assert found.per_unit.se == pytest.approx(units.std(ddof=1) / 20, rel=1e-9)
            # A price of 100: a step is 10 or 50 of it.
            assert found.per_step.value == pytest.approx(sign * 100 * step * units.mean(), rel=1e-12)


def test_worth__of_a_made_sample_is_the_sum_by_hand() -> None:
    """Source: hand. Of 200 replications 60 have -3, 40 have -1, 100 have 2; with more of the term half of that plus 0.8: -0.7, 0.3, 1.8.
    Mean: -0.1, then 0.75. P(loss): 100, then 60 of 200. The worst half loses (180 + 40) / 100 = 2.2, then (42 - 12) / 100 = 0.3.
    """
    net = np.repeat([-3.0, -1.0, 2.0], [60, 40, 100])
    np.random.default_rng(1).shuffle(net)
    low, high = ({"a.net": x, "a.npv": x} for x in (net, 0.5 * net + 0.8))
    worth = worth_between(low, high, span=2.0, step=0.5, measures=standard_measures("a", 0.5, 200))
    for change, by_hand in ((worth.npv, 0.85), (worth.p_loss, -0.2), (worth.cvar, -1.9)):
        assert change is not None
        assert change.per_unit.value == pytest.approx(by_hand / 2)
        assert change.per_step.value == pytest.approx(by_hand / 4)
    # 40 of 200 replications cross: a share of 0.2, whose error is that of a binomial share, with n - 1.
    assert worth.p_loss.per_unit.se == pytest.approx(np.sqrt(0.2 * 0.8 / 199) / 2)


def test_p_loss__of_money_that_moves_without_crossing_zero_is_bounded() -> None:
    # Source: no case among 200 replications has a probability of at most 3 / 200; over a span of 2 that is 0.0075 for each unit.
    net = np.linspace(1, 2, 200)
    low, high, none = ({"a.net": x, "a.npv": x} for x in (net, 1.1 * net, net))
    found = worth_between(low, high, 2.0, 1.0, standard_measures("a", 0.5, 200)).p_loss.per_unit
    assert found.interval_95 == pytest.approx((-0.0075, 0.0075))
    assert not found.covers
    assert worth_between(low, none, 2.0, 1.0, standard_measures("a", 0.5, 200)).p_loss.per_unit.covers


@pytest.mark.parametrize("study", ["binomial", "norrkoping"])
def test_sum_over_all_parties__is_nothing_where_nobody_discounts(study: str, tmp_path: Path) -> None:
    # Invariant: what one party pays another gets, and the value of the outcomes is moved by no term.
    asked = study_of(BINOMIAL, tmp_path) if study == "binomial" else load_study(find_study(study), rates(0.0))
    found = worth_of_terms(asked, Ensemble(1, 60))
    assert set(found.base) == set(with_money(asked))
    assert len(found.terms) > 2
    for path, term in found.terms.items():
        each = [worth.npv.per_unit.value for worth in term.parties.values()]
        assert sum(each) == pytest.approx(0, abs=1e-9 * max(map(abs, each)) + 1e-9), path


# ------------------------------------------------ against runs and fresh replications
# ------------------------------------------------


def direct(study: Study, path: str, values: tuple[float, float], seed: int, n: int) -> list[dict[str, np.ndarray]]:
    return [dict(run_study(with_numbers(study, {path: value}), seed, n).columns) for value in values]


@pytest.mark.parametrize("name", ["tiny", "two_lenders"])
def test_every_term__is_worth_what_two_whole_runs_differ_by(name: str) -> None:
    """Brute force: each study with another number, run from the beginning under the same seed."""
    study = load_study(find_study(name))
    found = worth_of_terms(study, Ensemble(5, 30))
    assert len(found.terms) > 10
    for path, term in found.terms.items():
        low, high = direct(study, path, (term.low, term.high), 5, 30)
        for party, worth in term.parties.items():
            by_force = float(np.mean(high[f"{party}.npv"] - low[f"{party}.npv"])) / (term.high - term.low)
            assert worth.npv.per_unit.value == pytest.approx(by_force, rel=1e-9, abs=1e-9), (path, party)
            crossed = np.mean(high[f"{party}.net"] < 0) - np.mean(low[f"{party}.net"] < 0)
            assert worth.p_loss.per_unit.value == pytest.approx(crossed / (term.high - term.low), abs=1e-12), (path, party)


@pytest.mark.statistical
def test_fresh_draws__agree_within_the_errors() -> None:
    """Brute force under another seed: means, shares and the mean of the worst 200 of 2,000 nets, sorted."""
    study, n = load_study(find_study("tiny")), 2000
    found = worth_of_terms(study, Ensemble(1, n), [GUARANTEE, CAP], level=0.9)
    for path, term in found.terms.items():
        low, high = direct(study, path, (term.low, term.high), 77, n)
        for party, worth in term.parties.items():
            fresh = {
                "npv": high[f"{party}.npv"].mean() - low[f"{party}.npv"].mean(),
                "p_loss": (high[f"{party}.net"] < 0).mean() - (low[f"{party}.net"] < 0).mean(),
                "cvar": np.sort(low[f"{party}.net"])[:200].mean() - np.sort(high[f"{party}.net"])[:200].mean(),
            }
            for name, value in fresh.items():
                got = getattr(worth, name).per_unit
                error = np.hypot(got.se, got.se) + 1e-9 * abs(got.value) + 1e-12
                assert abs(got.value - value / (term.high - term.low)) < BOUND * error, (path, party, name)


@pytest.mark.statistical
def test_errors__are_the_spread_over_many_seeds() -> None:
    """Invariant: the squared spread of n answers over its expectation is chi-square with n - 1 degrees of freedom, divided by n - 1."""
    study, n, n_seeds = load_study(find_study("tiny")), sized(200, 400), sized(12, 30)
    found = [worth_of_terms(study, Ensemble(seed, n), [CAP, GUARANTEE, COMMITMENT], level=0.5) for seed in range(n_seeds)]
    low, high = np.sqrt(stats.chi2.ppf([2.5e-5, 1 - 2.5e-5], n_seeds - 1) / (n_seeds - 1))
    for party, path, name in (
        ("investor", CAP, "npv"),
        ("outcome_payer", CAP, "npv"),
        ("investor", GUARANTEE, "p_loss"),
        ("outcome_payer", CAP, "cvar"),
        ("outcome_payer", COMMITMENT, "cvar"),
    ):
        each = [getattr(one.terms[path].parties[party], name).per_step for one in found]
        ratio = np.std([one.value for one in each], ddof=1) / np.sqrt(np.mean([one.se**2 for one in each]))
        assert low < ratio < high, (party, path, name, ratio)


def test_answer__is_the_same_in_any_blocks_and_whatever_somebody_believes() -> None:
    study = load_study(find_study("tiny"))
    one, other = (worth_of_terms(study, Ensemble(5, 60, 2, size), [CAP]) for size in (1000, 17))
    assert one == other
    sides = {"investor": PartySide(objective="expected_npv", effect_multiple=3.0)}
    believing = study.model_copy(update={"sizing": Sizing(free={CAP: {"low": 0, "high": 1}}, parties=sides)})
    assert worth_of_terms(believing, Ensemble(5, 60), [CAP]) == one


# ------------------------------------------------ where a term may be put ------------------------------------------------


def test_term_at_the_end_of_its_range__is_settled_on_one_side(tiny: Study) -> None:
    # Source: hand. All is drawn: no more can be. Of 2,000,000 the provider gets a tenth less.
    found = worth_of_terms(tiny, Ensemble(1, 20), ["capital.drawn_share"], ["service_provider"])
    term = found.terms["capital.drawn_share"]
    assert (term.low, term.high) == (0.9, 1.0)
    assert term.forbidden == "a probability must lie between 0 and 1; found 1.1"
    base = found.base["service_provider"].npv.value
    assert term.parties["service_provider"].npv.per_step.value == pytest.approx(0.1 * base)


def test_months__are_moved_whole(tiny: Study) -> None:
    # Source: hand. A tenth of 12 months is 1.2, of which a calendar keeps one; told for 1.2.
    term = worth_of_terms(tiny, Ensemble(1, 20), ["capital.payment_month.guarantee"]).terms["capital.payment_month.guarantee"]
    assert (term.low, term.high, term.step) == (11.0, 13.0, pytest.approx(1.2))


def test_numbers_that_cannot_be_moved__are_told() -> None:
    found = worth_of_terms(load_study(find_study("norrkoping")), Ensemble(1, 10), parties=["investor"])
    assert "capital.drawn_share" in found.left_out
    assert "has a distribution" in found.left_out["capital.drawn_share"]
    assert found.left_out["contract.terms.upside.floor.amount"].startswith("it is 0")
    assert not set(found.left_out) & set(found.terms)
    assert found.cvar_needs == 2000
    assert all(term.parties["investor"].cvar is None for term in found.terms.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"names": ["contract.terms.guarantee"]},
            r"names: a term must be a number of the contract or the capital, .*guarantee\.share",
        ),
        ({"names": ["population.waves.all.size"]}, "names: a term must be a number of the contract or the capital"),
        (
            {"names": ["contract.terms.upside.floor.amount"]},
            "it is 0, of which no part is a step. Give it a value with changes",
        ),
        (
            {"names": ["capital.drawn_share"]},
            "it has a distribution: .*`simengine sensitivity` speaks of assumptions; or .* changes",
        ),
        ({"parties": ["bank"]}, "parties: must be a party whose money the study moves; found `bank`"),
        ({"level": 1.0}, "level: the level of a tail must lie between 0 and 1; found 1"),
        ({"step": 2.0}, r"step: must be a number from 0\.001 to 0\.5; found 2"),
        ({"up": f"{CAP}=0..1"}, "up: must be asked together with across; found it alone"),
        ({"across": f"{CAP}=0..1"}, "up: must be given; found none"),
        ({"across": f"{CAP}=0..1", "up": f"{GUARANTEE}=0..1", "names": [CAP]}, "names: must stand without across"),
        ({"across": f"{CAP}=1..0", "up": f"{GUARANTEE}=0..1"}, "across: low must be below high; found 1 and 0"),
        ({"across": f"{CAP}=0..1", "up": f"{GUARANTEE}=0..inf"}, "up: a range has finite ends, and a step above 0; found"),
        ({"across": f"{CAP}=0..1", "up": GUARANTEE}, "up: a range must be written PATH=LOW..HIGH, or"),
        ({"across": f"{CAP}=0..1", "up": f"{CAP}=0..2"}, "up: must be another number than across; found"),
        ({"across": f"{CAP}s=0..1", "up": f"{CAP}=0..2"}, "across: the path must be that of a number .* Did you mean"),
        ({"across": "run.replications=2..9", "up": f"{CAP}=0..2"}, "a number of the study that moves people or money; found `run"),
        (
            {"across": f"{CAP}=0..1..0.01", "up": f"{GUARANTEE}=0..1"},
            "a side must hold at most 25 values; found 101. Give a longer",
        ),
        ({"across": "population.waves.all.size=8..10", "up": f"{CAP}=0..2"}, "8.25, .*must be a whole number; found 8.25. Narrow"),
        ({"across": f"{RATIO}=-1..2", "up": f"{CAP}=0..2"}, f"across: at {RATIO} = -1"),
    ],
)
def test_nonsense__is_refused_in_one_message(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask("tradeoffs", load_study(find_study("norrkoping")), n=10, seed=1, **options)


# ------------------------------------------------ the map ------------------------------------------------


def test_break_even__in_price_and_guarantee_is_the_line_on_paper(binomial: Study) -> None:
    """Source: NPV = p X + 3000 g - 3000 without discounting, linear in both: 0 at p = 3000 (1 - g) / mean X. The error of p is that
    of the mean of p X, divided by its slope, which is mean X.
    """
    units = run_study(binomial, 2, 500)["metric.passes.estimate"]
    land = map_money(binomial, Ensemble(2, 500), f"{PRICE}=50..150", f"{GUARANTEE}=0..0.5", 5, ["investor"]).parties["investor"]
    along = {way: [one for one in land.break_even if one.along == way] for way in ("across", "up")}
    assert len(along["across"]) >= 3
    assert len(along["up"]) >= 2
    for one in land.break_even:
        price = 3000 * (1 - one.up) / units.mean()
        assert one.across == pytest.approx(price, rel=1e-9)
        assert one.at.value == getattr(one, one.along)
    for one in along["across"]:
        assert one.at.se == pytest.approx(one.across * units.std(ddof=1) / np.sqrt(500) / units.mean(), rel=1e-6)


def test_break_even_price__by_cohort_size_is_that_of_each_size(binomial: Study) -> None:
    """Source: as above with g = 0.1, and X of as many people as live at each size: p = 2700 / mean X."""
    sizes = (40.0, 60.0, 80.0)
    found = map_money(binomial, Ensemble(2, 300), f"{SIZE}=40..80..20", f"{PRICE}=50..200", 7, ["investor"])
    points = [one for one in found.parties["investor"].break_even if one.along == "up"]
    assert tuple(one.across for one in points) == sizes == found.across.values
    for one in points:
        units = run_study(with_numbers(binomial, {SIZE: one.across}), 2, 300)["metric.passes.estimate"]
        assert one.up == pytest.approx(2700 / units.mean(), rel=1e-9)
    turned = map_money(binomial, Ensemble(2, 300), f"{PRICE}=50..200", f"{SIZE}=40..80..20", 7, ["investor"])
    assert turned.parties["investor"].npv == tuple(zip(*found.parties["investor"].npv, strict=True))
    assert sorted((one.up, one.across) for one in turned.parties["investor"].break_even) == sorted(
        (one.across, one.up) for one in found.parties["investor"].break_even
    )


@pytest.mark.parametrize("up", [f"{SIZE}=10..12", f"{CAP}=0.2..0.6", "parties.investor.discount_rate_per_year=0..0.1"])
def test_map__holds_at_each_point_what_a_whole_run_gives(tiny: Study, up: str) -> None:
    # Brute force: an assumption that has a distribution stands at the value, beside a number of each half and a rate.
    found = map_money(tiny, Ensemble(4, 30), f"{RATIO}=1..1.5", up, 2)
    for i, one in enumerate(found.across.values):
        for j, other in enumerate(found.up.values):
            run = run_study(with_numbers(tiny, {RATIO: one, found.up.path: other}), 4, 30)
            for party, land in found.parties.items():
                assert land.npv[i][j].value == pytest.approx(run[f"{party}.npv"].mean(), abs=1e-6)
                assert land.p_loss[i][j].value == pytest.approx((run[f"{party}.net"] < 0).mean())


def test_break_even__is_found_where_the_sign_changes_alone() -> None:
    # Source: hand. Means -2 and 3 between 10 and 15: 0 at two fifths of the way; both below 0, or 0 and below, cross nothing.
    low, high = np.array([-1.0, -3.0]), np.array([2.0, 4.0])
    assert break_even(low, high, 10, 15).value == pytest.approx(12)  # type: ignore[union-attr]
    assert break_even(low, low, 10, 15) is None
    assert break_even(low, 0 * low, 10, 15) is None
    assert break_even(0 * high, high, 10, 15).value == 10  # type: ignore[union-attr]


# ------------------------------------------------ how it is told ------------------------------------------------


def told(table: object) -> str:
    console = Console(width=110)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_tables__name_terms_sides_and_lines(tiny: Study, binomial: Study) -> None:
    found: Tradeoffs = worth_of_terms(tiny, Ensemble(1, 40), level=0.5)
    said = told(worth_tables(tiny, found))
    for words in (
        "CVaR 50 % needs 100 replications in the tail: use -n 200 or more.",
        "10 % more of",
        "guarantee share",
        "Settled on one side alone",
        "Not moved",
    ):
        assert words in said
    drawn: MoneyMap = map_money(binomial, Ensemble(2, 100), f"{PRICE}=50..150", f"{GUARANTEE}=0..0.5", 3)
    said = told(map_tables(binomial, drawn))
    for words in ("investor (Fund): mean NPV\n", "breaks even at", "service provider (School): mean NPV, above 0 at every point"):
        assert words in said
