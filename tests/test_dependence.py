"""Numbers that go together: the copula and the Dirichlet distribution against closed forms, and everything that they leave alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import special, stats

from simengine.config import Study, load_study
from simengine.dependence import Correlation, correlate, share_out, shifted
from simengine.errors import StudyError
from simengine.pipeline import draw_numbers, simulate
from simengine.records import Floats
from simengine.replications.blocks import run_study
from simengine.report.document import as_text, assumptions

N = 40_000
SEED = 20160208
A = "effect.sooner_home.hazard_ratio"  # lognormal
B = "measurement.metrics.saving.drift_per_year"  # normal
C = "pathway.moves.home -> placed.per_month"  # beta
D = "capital.drawdown_months"
E = "effect.school_support.odds_ratio"
OTHERS = [f"{D}={{distribution: pert, low: 3, mode: 5, high: 9}}", f"{E}={{distribution: gamma, interval_90: [1, 3]}}"]
"""Two more distributions for the tiny study, which has three."""
TOGETHER = {"x": (A, B, 0.5), "y": (C, B, -0.6), "z": (A, C, 0.1)}
COUNTS = {"home": 4.0, "placed": 10.0, "away": 6.0}


def study_with(path, correlations: Mapping[str, tuple[str, str, float]] = {}, *overrides: str) -> Study:
    pairs = {name: f"{{between: ['{one}', '{other}'], value: {value}}}" for name, (one, other, value) in correlations.items()}
    text = ", ".join(f"{name}: {pair}" for name, pair in pairs.items())
    return load_study(path, [*OTHERS, f"correlations={{{text}}}", *overrides])


def draws(study: Study, first: int = 0, end: int = N) -> Mapping[str, Floats]:
    return draw_numbers(study, SEED, np.arange(first, end)).values


@pytest.fixture(scope="module")
def alone(tiny_path) -> Mapping[str, Floats]:
    return draws(study_with(tiny_path))


@pytest.fixture(scope="module")
def together(tiny_path) -> Mapping[str, Floats]:
    return draws(study_with(tiny_path, TOGETHER))


def scores(study: Study, drawn: Mapping[str, Floats], path: str) -> Floats:
    """Return the standard normal score of each draw, by the distribution functions of SciPy."""
    distribution = {
        A: stats.lognorm(s=(np.log(2.0) - np.log(0.9)) / (2 * stats.norm.ppf(0.95)), scale=np.sqrt(1.8)),
        B: stats.norm(0, 0.02),
        C: stats.beta(*(0.04 * (0.04 * 0.96 / 1e-4 - 1), 0.96 * (0.04 * 0.96 / 1e-4 - 1))),
    }[path]
    return stats.norm.ppf(distribution.cdf(drawn[path]))


# ------------------------------------------------ correlations ------------------------------------------------


@pytest.mark.parametrize("path", [A, B, C])
@pytest.mark.statistical
def test_correlation__leaves_each_distribution_as_it_was(tiny_path, together, path) -> None:
    # Source: Kolmogorov's distribution; P(sqrt(n) D > 2.47) = 2 exp(-2 x 2.47^2) = 1e-5.
    distance = stats.kstest(scores(study_with(tiny_path), together, path), stats.norm.cdf).statistic

    assert np.sqrt(N) * distance < 2.47


def test_correlation__leaves_the_first_of_its_numbers_as_it_was(alone, together) -> None:
    # Invariant: the first row of a Cholesky factor is (1, 0, 0).
    assert together[A].tobytes() == alone[A].tobytes()
    assert together[B].tobytes() != alone[B].tobytes()
    assert together[C].tobytes() != alone[C].tobytes()


def z_of_normal_scores(x: Floats, y: Floats, value: float) -> float:
    """Source: for standard normal pairs with correlation r the mean of the product is r, its variance (1 + r²) / n."""
    return float((np.mean(x * y) - value) / np.sqrt((1 + value**2) / len(x)))


def z_of_ranks(x: Floats, y: Floats, value: float) -> float:
    """Source: Spearman's correlation is 6 / pi arcsin(r / 2); Bonett and Wright 2000, doi:10.1007/BF02294183."""
    expected = 6 / np.pi * np.arcsin(value / 2)
    got = stats.spearmanr(x, y).statistic
    return float((np.arctanh(got) - np.arctanh(expected)) / np.sqrt((1 + expected**2 / 2) / (len(x) - 3)))


@pytest.mark.parametrize("name", TOGETHER)
@pytest.mark.statistical
def test_correlation__has_the_value_that_was_asked_for(tiny_path, together, name) -> None:
    one, other, value = TOGETHER[name]
    study = study_with(tiny_path, TOGETHER)
    x, y = scores(study, together, one), scores(study, together, other)

    assert abs(z_of_normal_scores(x, y, value)) < 4.5
    assert abs(z_of_ranks(together[one], together[other], value)) < 4.5
    # The check can fail: five points of correlation are seen.
    assert abs(z_of_normal_scores(x, y, value + 0.05)) > 4.5
    assert abs(z_of_ranks(together[one], together[other], value + 0.05)) > 4.5


@pytest.mark.statistical
def test_without_correlations__numbers_are_independent(tiny_path, alone) -> None:
    # Invariant: every number has a stream of its own.
    for one, other, _ in TOGETHER.values():
        assert abs(z_of_ranks(alone[one], alone[other], 0.0)) < 4.5


def test_correlate__follows_the_formula_for_two_numbers() -> None:
    # Source: hand arithmetic. The Cholesky factor of (1, r; r, 1) is (1, 0; r, sqrt(1 - r²)); `a` comes before `b`.
    uniform = {"b": np.array([0.2, 0.5, 0.999]), "a": np.array([0.9, 0.01, 0.3])}
    z_a, z_b = stats.norm.ppf(uniform["a"]), stats.norm.ppf(uniform["b"])

    got = correlate(uniform, {"x": Correlation(value=-0.8, between=("b", "a"))})

    np.testing.assert_allclose(got["b"], stats.norm.cdf(-0.8 * z_a + 0.6 * z_b), rtol=1e-12)
    assert got["a"].tobytes() == uniform["a"].tobytes()
    assert list(got) == ["b", "a"]


def test_correlate__keeps_uniforms_strictly_between_0_and_1() -> None:
    # Source: the largest uniform is 1 - 2^-53, 8.2 sd out; (8.2 + 8.2) / sqrt(2) = 11.6 sd would round to 1.
    edge = 1 - 2.0**-53
    for uniform, value in ((edge, 0.7071), (1 - edge, 0.7071)):
        drawn = {"a": np.array([uniform]), "b": np.array([uniform])}
        got = correlate(drawn, {"x": Correlation(value=value, between=("a", "b"))})["b"][0]
        assert 0 < got < 1
        assert np.isfinite(special.ndtri(got))


@pytest.mark.parametrize(("uniform", "by"), [(1 - 2.0**-53, 3.0), (2.0**-53, -40.0)])
def test_shifted__keeps_uniforms_strictly_between_0_and_1(uniform: float, by: float) -> None:
    # Source: 8.2 + 3 sd would round to 1, and -8.2 - 40 sd to 0.
    assert 0 < shifted(np.array([uniform]), by)[0] < 1


def test_correlation__does_not_depend_on_the_order_in_which_it_is_written(tiny_path, together) -> None:
    # Invariant: renaming and reordering change nothing.
    turned = {f"other_{name}": (other, one, value) for name, (one, other, value) in reversed(TOGETHER.items())}

    got = draws(study_with(tiny_path, turned))

    for path in (A, B, C):
        assert got[path].tobytes() == together[path].tobytes()


def test_correlation__touches_no_other_number(tiny_path, alone, together) -> None:
    # Invariant: a number that no correlation names keeps its draws to the last bit.
    untouched = set(alone) - {A, B, C}

    assert {D, E} < untouched
    assert set(together) - set(alone) == {"correlations.x", "correlations.y", "correlations.z"}
    for path in untouched:
        assert together[path].tobytes() == alone[path].tobytes(), path


def test_correlation__of_others_leaves_the_draws_of_a_group(tiny_path, together) -> None:
    # Invariant: numbers that do not hang together have factors of their own.
    got = draws(study_with(tiny_path, TOGETHER | {"w": (D, E, 0.9)}))

    for path in (A, B, C):
        assert got[path].tobytes() == together[path].tobytes()
    assert got[E].tobytes() != together[E].tobytes()


def test_correlation__of_0_is_none(tiny_path, alone) -> None:
    # Source: the factor is the identity, so only the way from uniform to score and back can round.
    got = draws(study_with(tiny_path, {"x": (A, B, 0.0)}))

    np.testing.assert_allclose(got[B], alone[B], rtol=1e-9, atol=1e-15)


def test_correlation__gives_the_same_bits_for_any_block_and_for_one_replication_alone(tiny_path, together) -> None:
    study = study_with(tiny_path, TOGETHER)
    for block in (1, 7, 64):
        parts = [draws(study, start, min(start + block, 150)) for start in range(0, 150, block)]
        for path in together:
            assert np.concatenate([part[path] for part in parts]).tobytes() == together[path][:150].tobytes(), path
    got, expected = run_study(study, 3, 60, threads=2, block_size=7), run_study(study, 3, 60, threads=1, block_size=60)
    for name in expected.columns:
        assert got[name].tobytes() == expected[name].tobytes(), name


def test_correlation__is_part_of_the_ledger_and_of_the_study_that_runs_again(tiny_path, tmp_path, together) -> None:
    study = study_with(tiny_path, TOGETHER, "correlations.x.value=0.25", "correlations.x.certainty=U", "correlations.x.source=S1")
    entry = next(entry for entry in assumptions(study) if entry["path"] == "correlations.x")

    assert entry["value"] == f"0.25 between {A} and {B}"
    assert (entry["is_assumed"], entry["source"]) == (True, "S1")
    (tmp_path / "again.yaml").write_text(as_text(study))
    assert draws(load_study(tmp_path / "again.yaml"))[C].tobytes() == draws(study)[C].tobytes()


@pytest.mark.parametrize("value", [1, -1, 1.5])
def test_correlation__lies_strictly_between_its_bounds(value) -> None:
    with pytest.raises(ValidationError, match=f"a correlation must lie between -1 and 1, both left out; found {value:g}"):
        Correlation(value=value, between=("a", "b"))


DIRICHLET = (
    "population.strata={young: {share: {distribution: dirichlet, count: 6}}, older: {share: {distribution: dirichlet, count: 7}}}"
)
REFUSED = {
    "unknown path": (
        {"x": (A, B.replace("drift", "drif"), 0.5)},
        f"correlations.x.between: a correlation must join numbers of the study; found no number `{B.replace('drift', 'drif')}`. "
        f"Did you mean `{B}`?",
    ),
    "path like no other": (
        {"x": (A, "zzz", 0.5)},
        "found no number `zzz`. `simengine check` lists the paths of all numbers",
    ),
    "section": ({"x": (A, "effect", 0.5)}, "found no number `effect`"),
    "constant": (
        {"x": (A, "capital.drawn_share", 0.5)},
        "correlations.x.between: a number with a correlation must have a distribution; found `capital.drawn_share` is 1 in every replication",
    ),
    "correlation": ({"x": (A, B, 0.5), "y": (C, "correlations.x", 0.5)}, "found `correlations.x` is 0.5 between"),
    "dirichlet": (
        {"x": (A, "population.strata.young.share", 0.5)},
        "correlations.x.between: shares with a dirichlet distribution must be drawn together and have no further correlation; found "
        "`population.strata.young.share`",
    ),
    "value 1": ({"x": (A, B, 1)}, "correlations.x.value: a correlation must lie between -1 and 1, both left out; found 1"),
    "with itself": (
        {"x": (A, A, 0.5)},
        f"correlations.x.between: a correlation must join two different numbers; found `{A}` twice",
    ),
    "pair twice": (
        {"x": (A, B, 0.5), "y": (B, A, 0.5)},
        "correlations.y: a pair must be correlated once; found the pair of `x` again. Leave one of them out",
    ),
    # Hand arithmetic: without its diagonal the matrix is 0.9 times one with eigenvalues -2, 1, 1. So the smallest eigenvalue
    # is 1 - 1.8 = -0.8, and 1 / 1.8 = 0.5556 times the correlations would be singular.
    "contradiction": (
        {"x": (A, B, 0.9), "w": (D, E, 0.5), "y": (B, C, 0.9), "z": (C, A, -0.9)},
        f"correlations.x: correlations must be possible together: the matrix of {A}, {B}, {C} must be positive definite; found x, y, z with a "
        "smallest eigenvalue of -0.8. Multiply each of them by 0.555 or less",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_correlation__refuses_what_cannot_go_together(tiny_path, name) -> None:
    correlations, text = REFUSED[name]

    with pytest.raises(StudyError) as caught:
        study_with(tiny_path, correlations, DIRICHLET)

    assert len(caught.value.problems) == 1
    assert text in str(caught.value)


def test_correlation__that_was_shrunk_as_told_is_accepted(tiny_path) -> None:
    largest = 0.555 * 0.9
    study_with(tiny_path, {"x": (A, B, largest), "y": (B, C, largest), "z": (C, A, -largest)})
    with pytest.raises(StudyError, match=re.escape("Multiply each of them by 0.998 or less")):
        study_with(tiny_path, {"x": (A, B, 0.501), "y": (B, C, 0.501), "z": (C, A, -0.501)})


# ------------------------------------------------ shares drawn together ------------------------------------------------


@pytest.fixture(scope="module")
def counted(tiny_path) -> Study:
    shares = ", ".join(f"{state}: {{distribution: dirichlet, count: {count}}}" for state, count in COUNTS.items())
    states = ["pathway.states=[home, placed, away]", "outcomes.school_qualified.probability={home: 0.6, placed: 0.4, away: 0.5}"]
    return load_study(tiny_path, [*states, *OTHERS, DIRICHLET, f"pathway.start.older={{{shares}}}"])


@pytest.fixture(scope="module")
def shares(counted) -> dict[str, Floats]:
    drawn = draws(counted)
    return {state: drawn[f"pathway.start.older.{state}"] for state in COUNTS}


@pytest.mark.parametrize("state", COUNTS)
@pytest.mark.statistical
def test_dirichlet__gives_each_share_its_beta_distribution(shares, state) -> None:
    # Source: Kotz, Balakrishnan and Johnson 2000, "Continuous Multivariate Distributions", chapter 49: a share with count k_i
    # of k is beta(k_i, k - k_i). Kolmogorov: P(sqrt(n) D > 2.47) = 1e-5.
    share, count, whole = shares[state], COUNTS[state], sum(COUNTS.values())
    mean = count / whole
    variance = mean * (1 - mean) / (whole + 1)
    squares = (share - mean) ** 2

    assert np.sqrt(N) * stats.kstest(share, stats.beta(count, whole - count).cdf).statistic < 2.47
    assert abs(np.mean(share) - mean) < 4.5 * np.sqrt(variance / N)
    assert abs(np.mean(squares) - variance) < 4.5 * np.std(squares) / np.sqrt(N)


@pytest.mark.parametrize(("one", "other"), [("home", "placed"), ("home", "away"), ("placed", "away")])
@pytest.mark.statistical
def test_dirichlet__gives_two_shares_their_covariance(shares, one, other) -> None:
    # Source: the same; the covariance is -(k_i / k)(k_j / k) / (k + 1).
    whole = sum(COUNTS.values())
    means = [COUNTS[state] / whole for state in (one, other)]
    expected = -means[0] * means[1] / (whole + 1)
    products = (shares[one] - means[0]) * (shares[other] - means[1])
    error = np.std(products) / np.sqrt(N)

    assert abs(np.mean(products) - expected) < 4.5 * error
    assert abs(np.mean(products)) > 4.5 * error  # the check can fail


def test_dirichlet__makes_every_whole_add_up_and_clips_nothing(counted, shares) -> None:
    np.testing.assert_allclose(sum(shares.values()), 1, rtol=1e-14)
    drawn = draws(counted)
    strata = [drawn[f"population.strata.{name}.share"] for name in ("young", "older")]
    np.testing.assert_allclose(sum(strata), 1, rtol=1e-14)
    assert not simulate(counted, SEED, np.arange(200)).tallies.clipped.any()


def test_dirichlet__touches_no_other_number(counted, alone) -> None:
    drawn = draws(counted)
    for path in (A, B, C, D, E):
        assert drawn[path].tobytes() == alone[path].tobytes(), path


def test_dirichlet__gives_the_same_bits_for_any_block(counted) -> None:
    expected = run_study(counted, 3, 60, threads=1, block_size=60)
    got = run_study(counted, 3, 60, threads=2, block_size=1)
    for name in expected.columns:
        assert got[name].tobytes() == expected[name].tobytes(), name


@pytest.mark.statistical
def test_dirichlet__people_begin_where_the_shares_say(tiny_path) -> None:
    # Source: the mean of a Dirichlet share; nobody moves, so all months are spent in the state of entry. In one replication
    # the 12 people share their replication: the standard error is taken over replications.
    shares = "pathway.start.older={home: {distribution: dirichlet, count: 3}, placed: {distribution: dirichlet, count: 1}}"
    still = ["pathway.moves={}", "effect={}", "population.strata={older: {share: 1}}", "pathway.start={older: {home: 1}}"]
    study = load_study(tiny_path, [*still, shares])
    tallies = simulate(study, SEED, np.arange(4000)).tallies
    months = tallies.person_months[:, 0, 0, :, -1]
    at_home = months[:, 0] / months.sum(axis=1)

    assert abs(at_home.mean() - 0.75) < 4.5 * at_home.std() / np.sqrt(len(at_home))


def test_share_out__leaves_a_whole_without_counts_as_it_is(tiny: Study) -> None:
    numbers = tiny.numbers
    drawn = {path: np.full(3, 0.2) for path in numbers}

    got = share_out(drawn, numbers, tiny.wholes())

    assert list(got) == list(drawn)
    for path, values in got.items():
        assert values is drawn[path]


def test_wholes__names_the_shares_of_every_whole(tiny: Study) -> None:
    # Source: the tiny study, read by eye.
    assert tiny.wholes() == [
        ["population.strata.young.share", "population.strata.older.share"],
        ["pathway.start.young.placed"],
        ["pathway.start.older.home", "pathway.start.older.placed"],
    ]


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "pathway.start.older={home: {distribution: dirichlet, count: 3}, placed: rest}",
            "pathway.start.older.placed: where one share has a dirichlet distribution, every share of the whole must have one; found none for "
            "`placed`. Give it a count, or leave it out",
        ),
        (
            "population.strata={young: {share: 0.5}, older: {share: {distribution: dirichlet, count: 3}}}",
            "population.strata.young.share: where one share has a dirichlet distribution, every share of the whole must have one; found none for "
            "`young`",
        ),
        (
            "pathway.start.older={home: {distribution: dirichlet, count: 3}, placed: {distribution: beta, mean: 0.5, sd: 0.1}}",
            "pathway.start.older.placed: where one share has a dirichlet distribution",
        ),
        ("pathway.start.older.home={distribution: dirichlet, count: -1}", "pathway.start.older.home.count: must be at least"),
        ("pathway.start.older.home={distribution: dirichlet}", "pathway.start.older.home.count: must be given"),
        (
            f"{C}={{distribution: dirichlet, count: 3}}",
            f"{C.rsplit('.', 1)[0]}: where one way out of a state has a count, every way must have one",
        ),
    ],
)
def test_dirichlet__refuses_other_company(tiny_path, override, text) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(tiny_path, [override])

    assert len(caught.value.problems) == 1
    assert text in str(caught.value)
