"""Portfolios: the fund against a closed form and a slow twin, the sum against the convolution of its parts."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from simengine.cli.main import commands
from simengine.config import find_study, load_portfolio
from simengine.errors import StudyError
from simengine.pipeline import DrawOverrides, draw_numbers
from simengine.questions.portfolio.answer import carried, hold, is_ruined, shared_uniforms, spread_of
from simengine.questions.portfolio.fund import NEVER, Flows, FundRule, run_fund
from simengine.replications.ensemble import Ensemble
from simengine.streams import seed_of
from tests.reference.fund import course_of

WITHIN = 4.5  # standard errors

FUND = """
portfolio: {title: A fund, currency: SEK, kind: KIND, capital: 5_000_000, months: 80}
projects:
  one: {study: tiny.yaml}
  two: {study: tiny.yaml, begins_month: 12, set: [population.waves.all.size=20]}
  three: {study: tiny.yaml, begins_month: 24}
"""
SHARED = """
shared:
  evaluator:
    numbers: [one.measurement.metrics.saving.drift_per_year, -two.measurement.metrics.saving.drift_per_year]
    correlation: 0.6
"""


@pytest.fixture
def holding(tmp_path):
    def load(kind="investors_book", more="", without=""):
        shutil.copy(find_study("tiny"), tmp_path / "tiny.yaml")
        lines = [line for line in FUND.splitlines() if not without or not line.startswith(f"  {without}:")]
        path = tmp_path / "fund.yaml"
        path.write_text("\n".join(lines).replace("KIND", kind) + "\n" + more)
        return load_portfolio(path)

    return load


# ------------------------------------------------ the fund ------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(("units", "projects", "p_back"), [(3, 8, 0.6), (2, 5, 0.8), (4, 4, 0.3), (5, 12, 0.5)])
def test_ruin__has_the_probability_of_too_many_losses(units, projects, p_back):
    # Invariant: each project takes one unit and gives one back with probability p, or nothing, before the next one begins. The fund
    # is ruined when all its units are lost before the last project: P(binomial(projects - 1, 1 - p) >= units).
    n, unit = 40_000, 100
    random = np.random.default_rng(7)
    out = np.full((n, 1), unit)
    flows = [Flows(out, np.where(random.uniform(size=(n, 1)) < p_back, unit, 0)) for _ in range(projects)]
    course = run_fund(units * unit, flows, FundRule(tuple(range(0, 3 * projects, 3)), 3 * projects))
    exact = stats.binom.sf(units - 1, projects - 1, 1 - p_back)

    got = is_ruined(course).mean()
    assert abs(got - exact) <= WITHIN * np.sqrt(exact * (1 - exact) / n)
    # The number carried before the units are gone is that at which the last unit is lost: negative binomial.
    for k in range(units, projects):
        distribution = stats.nbinom.pmf(k - units, units, 1 - p_back)
        assert abs((carried(course) == k).mean() - distribution) <= WITHIN * np.sqrt(distribution * (1 - distribution) / n)


@pytest.mark.parametrize("case", range(6))
def test_fund__does_what_its_slow_twin_does(case):
    # Source: tests/reference/fund.py, to the smallest unit.
    random = np.random.default_rng(case)
    n, n_projects, n_months = 40, 5, 30
    share, delay, begun_before = [(1.0, 0, 1200), (0.5, 3, 1200), (1.0, 2, 9)][case % 3]
    flows = [
        Flows(random.integers(0, 40, (n, 6)), random.integers(0, 60, (n, 9)) * (random.uniform(size=(n, 9)) < 0.3))
        for _ in range(n_projects)
    ]
    begins = tuple(int(month) for month in np.sort(random.integers(0, 20, n_projects)))
    course = run_fund(250, flows, FundRule(begins, n_months, share, delay, begun_before))

    for r in range(n):
        projects = [(one.out[r].tolist(), one.back[r].tolist()) for one in flows]
        begun, balance, returned = course_of(250, projects, begins, n_months, share, delay, begun_before)
        assert course.begun[r].tolist() == [NEVER if month is None else month for month in begun]
        assert course.balance[r].tolist() == balance
        assert course.returned[r] == returned


def test_fund__owes_nothing_that_it_does_not_have():
    # Invariant: what running projects will still take is set aside.
    random = np.random.default_rng(3)
    flows = [Flows(random.integers(0, 50, (500, 12)), random.integers(0, 20, (500, 12))) for _ in range(6)]

    assert run_fund(700, flows, FundRule((0,) * 6, 40)).balance.min() >= 0


# ------------------------------------------------ what is shared ------------------------------------------------


def test_project__more_or_less_leaves_the_others_as_they_were(holding):
    ensemble = Ensemble(5, 200)
    with_it, without = hold(holding(more=SHARED), ensemble), hold(holding(more=SHARED, without="three"), ensemble)

    for name in ("one", "two"):
        np.testing.assert_array_equal(with_it.results[name], without.results[name])
    assert not np.array_equal(with_it.results["one"], with_it.results["three"])


def test_project__is_the_same_in_any_blocks(holding):
    one, other = (hold(holding("revolving_fund", SHARED), Ensemble(5, 150, 1, size)) for size in (1000, 11))

    np.testing.assert_array_equal(one.total, other.total)
    np.testing.assert_array_equal(one.course.balance, other.course.balance)


@pytest.mark.statistical
def test_shared__numbers_keep_their_distributions_and_go_together(holding):
    # Invariant: one normal factor: correlation 0.6 of the scores, turned by the minus sign; each uniform as before.
    portfolio, n = holding(more=SHARED).portfolio, np.arange(20_000)
    path = "measurement.metrics.saving.drift_per_year"
    one, two = (shared_uniforms(portfolio, name, 9, n)[path] for name in ("one", "two"))

    assert shared_uniforms(portfolio, "three", 9, n) == {}
    assert min(stats.kstest(one, "uniform").pvalue, stats.kstest(two, "uniform").pvalue) > 1e-4
    got = np.corrcoef(stats.norm.ppf(one), stats.norm.ppf(two))[0, 1]
    assert abs(got + 0.6) < WITHIN * (1 - 0.36) / np.sqrt(len(n))


def test_shared__touches_no_other_number(holding):
    held = holding(more=SHARED)
    study, n = held.studies["one"], np.arange(50)
    path = "measurement.metrics.saving.drift_per_year"
    plain = draw_numbers(study, seed_of(9, "one"), n)
    moved = draw_numbers(study, seed_of(9, "one"), n, overrides=DrawOverrides(shared=shared_uniforms(held.portfolio, "one", 9, n)))

    assert [name for name in plain.values if not np.array_equal(plain[name], moved[name])] == [path]


# ------------------------------------------------ the sum ------------------------------------------------


@pytest.mark.statistical
def test_sum__of_independent_studies_is_the_convolution_of_its_parts(holding):
    # Invariant: without anything shared the sum has the distribution function F(x) = mean over i, j, k of [a_i + b_j + c_k <= x].
    # Here by Fourier transform of the parts on a grid of 1,000 SEK; compared in the largest distance, Kolmogorov's distribution.
    n, grid = 4000, 1000.0
    found = hold(holding(), Ensemble(11, n))
    whole = [np.round(result / grid).astype(int) for result in found.results.values()]
    low = sum(part.min() for part in whole)
    distribution = np.array([1.0])
    for part in whole:
        distribution = np.convolve(distribution, np.bincount(part - part.min()) / n)
    total = sum(whole) - low
    seen = np.cumsum(np.bincount(total, minlength=len(distribution))) / n

    # The distribution itself is estimated from the parts: at most as uncertain again.
    assert np.abs(seen - np.cumsum(distribution)).max() < 1.95 * np.sqrt(2) / np.sqrt(n)
    assert abs(found.spread.sd_over_independent.value - 1) < WITHIN * found.spread.sd_over_independent.se


@pytest.mark.statistical
def test_spread__of_normals_is_that_of_their_closed_forms():
    # Invariant: normals with sds 1 and 2 and correlation r: sd of the sum sqrt(5 + 4 r); CVaR beyond the mean is proportional to
    # the sd.
    random, n = np.random.default_rng(1), 200_000
    for r in (0.0, 0.5):
        x, y = random.normal(size=n), random.normal(size=n)
        found = spread_of({"a": x, "b": 2 * (r * x + np.sqrt(1 - r * r) * y)})
        together = np.sqrt(5 + 4 * r)
        for got, exact in (
            (found.sd, together),
            (found.sd_over_parts, together / 3),
            (found.sd_over_independent, together / np.sqrt(5)),
            (found.cvar_over_parts, together / 3),
            (found.cvar, together * stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05),
        ):
            assert abs(got.value - exact) < WITHIN * got.se
        assert abs(found.correlation["a"]["b"] - r) < WITHIN / np.sqrt(n)


def test_spread__of_a_part_alone_is_its_own():
    # Invariant: nothing is spread where there is one part, or twice the same.
    x = np.random.default_rng(2).normal(size=500)
    for parts in ({"a": x}, {"a": x, "b": x}):
        found = spread_of(parts)
        assert found.sd_over_parts.value == pytest.approx(1)
        assert found.cvar_over_parts.value == pytest.approx(1)


# ------------------------------------------------ files and command ------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("currency: SEK", "currency: GBP", "a project must be in the currency of the portfolio, GBP; found SEK"),
        ("begins_month: 24", "begins_month: 99", "a project must begin within the 80 months"),
        ("[one.meas", "[four.meas", "One of: one, two, three"),
        ("[one.measurement", "[one.measurements", "a shared number must be a number of its study"),
        (
            "[one.measurement.metrics.saving.drift_per_year",
            "[one.contract.commitment",
            "a shared number must have a distribution of its own",
        ),
        ("[one.", "[two.", "a number must be shared once"),
        ("correlation: 0.6", "correlation: 1.6", "shared.evaluator.correlation"),
        ("shared:", "inflow: {share: 0.5}\nshared:", "a section `inflow` must belong to a revolving_fund"),
        ("projects:", "project:", "a portfolio must have the section `projects`"),
    ],
)
def test_portfolio__is_refused_with_place_and_way_out(tmp_path, old, new, message):
    shutil.copy(find_study("tiny"), tmp_path / "tiny.yaml")
    path = tmp_path / "fund.yaml"
    text = FUND.replace("KIND", "investors_book") + SHARED
    assert old in text
    path.write_text(text.replace(old, new, 1))

    with pytest.raises(StudyError) as error:
        load_portfolio(path)

    assert message in str(error.value)
    assert "fund.yaml" in str(error.value)


@pytest.mark.parametrize("kind", ["revolving_fund", "outcomes_fund", "investors_book"])
def test_command__prints_one_object_and_draws(tmp_path, holding, kind):
    holding(kind, SHARED)
    asked = ["portfolio", str(tmp_path / "fund.yaml"), "-n", "60", "--seed", "1"]
    done = CliRunner().invoke(commands, [*asked, "--json", "-o", str(tmp_path / "out")], standalone_mode=False)
    content = json.loads(done.output)

    assert set(content["projects"]) == {"one", "two", "three"}
    assert ("fund" in content) == (kind == "revolving_fund")
    assert ("p_payments_exceed_capital" in content) == (kind == "outcomes_fund")
    assert content["provenance"]
    assert (tmp_path / "out" / "portfolio.png").stat().st_size > 5000
    table = CliRunner().invoke(commands, asked, standalone_mode=False).output
    assert "sd together / sum of the sds" in table


@pytest.mark.parametrize("path", sorted((find_study("tiny").parent / "portfolios").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_portfolio__loads(path):
    assert len(load_portfolio(path).studies) >= 3
