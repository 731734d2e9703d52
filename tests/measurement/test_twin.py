"""The evaluator against its slow twin, number for number, on random tallies; and the distributions that any evaluator keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simengine.measurement import measure, purposes_of_errors
from simengine.measurement.spec import DESIGNS
from simengine.records import ARMS
from tests.conftest import sized
from tests.measurement.made import draws_of, protocol_of, tallies_of
from tests.reference.measurement import measure as slow_measure

ESTIMATES = ("total_difference", "rate_difference", "per_100_difference", "relative_reduction")
KINDS = ("amount", "share", "score")


def random_case(number):
    """Return a protocol with every section, its numbers, and tallies of random people: whatever fits is a test."""
    rng = np.random.default_rng(number)
    kind = KINDS[number % 3]
    n, n_waves = int(rng.integers(1, 3)), int(rng.integers(1, 4))

    def people(arm):
        size = (n, int(rng.integers(0 if arm == "control" and number % 7 == 0 else 2, 30)))
        frailty = rng.gamma(2, 0.5, size)
        draws = {
            "amount": lambda: rng.poisson(3 * frailty) * rng.uniform(0.5, 1.5, size),
            "share": lambda: (rng.random(size) < 1 - np.exp(-frailty)).astype(float),
            "score": lambda: rng.normal(-3, 2, size) + frailty,
        }[kind]
        weights = 1 / rng.integers(1, 4, size) if arm == "matched" else np.ones(size)
        return draws(), draws(), weights

    tallies = tallies_of(*({arm: people(arm) for arm in ARMS} for _ in range(n_waves)), history=int(rng.choice([6, 12, 24])))
    waves = tuple("abc"[:n_waves])
    parts = [name for name in DESIGNS if name != "mix"]
    first, second = rng.choice(parts, 2, replace=False)
    share = float(rng.uniform(0.1, 0.9))
    sections = {
        "baseline": {"size": 2, "years_before": float(rng.uniform(0, 3))},
        "control": {"clusters": {"number": 3, "intra_cluster_correlation": float(rng.uniform(0, 0.3))}} if number % 2 else {},
        "matched": {"per_person": 3, "hidden_bias": float(rng.normal(0, 0.2))},
        "parallel": {
            "level": float(rng.normal(0, 0.3)),
            "trend_gap_per_year": float(rng.normal(0, 0.2)),
            "form": str(rng.choice(["additive", "ratio", "regression"])),
        },
        "rate_card": {"deadweight": float(rng.uniform(0, 1)), "double_claims": float(rng.uniform(0, 0.2))},
        "mix": {str(first): share, str(second): 1 - share},
        "cross_section": {} if number % 3 == 2 or number % 4 == 1 else None,
        "by_wave": {waves[0]: str(rng.choice(DESIGNS))} if number % 4 == 0 else {},
    }
    if sections["cross_section"] is not None and sections["parallel"]["form"] == "regression":
        sections["parallel"]["form"] = "additive"
    metric = {
        "estimate": str(rng.choice(ESTIMATES[:3] if kind == "score" else ESTIMATES)),
        "better": str(rng.choice(["lower", "higher"])),
        "drift_per_year": float(rng.normal(0, 0.2)),
    }
    if number % 5 in (1, 2):
        metric["attrition"] = {"share": float(rng.uniform(0, 0.6)), "gap": float(rng.normal(0, 0.3))}
        metric["attrition"] |= {"share_comparison": float(rng.uniform(0, 0.6))} if number % 2 else {}
    if kind == "share" and number % 5 in (2, 3):
        metric["misclassification"] = {"sensitivity": float(rng.uniform(0.5, 1)), "specificity": float(rng.uniform(0.5, 1))}
    if number % 5 == 4:
        metric["shrinkage"] = {"prior": 0.1} | ({"prior_sd": 0.2} if number % 2 else {"credibility": 0.3})
    if kind == "amount" and number % 2:
        metric["prices"] = {key: float(rng.normal(0, 0.1)) for key in ("growth_per_year", "index_per_year")} | {"base_month": -7}
    return kind, tallies, waves, sections, metric


def calendar_of(waves):
    """Say when people enter, as a study would."""
    months = {"from_month": lambda i: 5.0 * i, "enrolment_months": lambda i: 3.6 + i}
    return {f"population.waves.{wave}.{key}": of(i) for i, wave in enumerate(waves) for key, of in months.items()}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("number", range(30))
def test_measure__equals_its_slow_twin(design, number):
    kind, tallies, waves, sections, metric = random_case(number)
    protocol = protocol_of(design, {"first": metric, "second": {"estimate": "rate_difference"}}, **sections)
    draws = draws_of(protocol, len(tallies.clipped), calendar_of(waves), seed=number)
    kinds = {"events": kind, "other": "amount"}

    got = measure(protocol, tallies, kinds, waves, draws)
    expected = slow_measure(protocol, tallies, kinds, waves, draws.seed, draws.replications, draws.values)

    for r, row in enumerate(expected):
        for m, one in enumerate(row):
            # A standard error of nothing is the root of a rounding; the twin differentiates by steps.
            assert got.estimate[r, m] == pytest.approx(one["estimate"], rel=1e-9, abs=1e-9, nan_ok=True)
            assert got.standard_error[r, m] == pytest.approx(one["error"], rel=1e-7, abs=1e-6, nan_ok=True)
            assert got.truth[r, m] == pytest.approx(one["truth"], rel=1e-9, abs=1e-9, nan_ok=True)
            assert got.by_wave[r, :, m] == pytest.approx(one["by_wave"], rel=1e-9, abs=1e-9, nan_ok=True)
            assert got.cumulative[r, :, m] == pytest.approx(one["cumulative"], rel=1e-9, abs=1e-9, nan_ok=True)


# Invariants.

AMOUNTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8)
WAVES = st.lists(st.fixed_dictionaries(dict.fromkeys(ARMS, AMOUNTS)), min_size=2, max_size=4)
ALL = {"baseline": {"size": 2, "years_before": 1}, "control": {}, "matched": {"per_person": 2}, "parallel": {"level": 0.1}}
ALL |= {"rate_card": {"deadweight": 0.3}, "mix": {"randomised": 0.4, "before_after": 0.6}}
WRONG = {"attrition": {"share": 0.3, "gap": 0.5}, "drift_per_year": 0.1}


def tallies_from(waves):
    return tallies_of(*({arm: tuple(np.array(people).T) for arm, people in wave.items()} for wave in waves))


def concluded(waves, design, names, metric, numbers=None, seed=3):
    protocol = protocol_of(design, {"metric": metric}, **ALL)
    draws = draws_of(protocol, 1, numbers or {}, seed)
    return measure(protocol, tallies_from(waves), {"events": "amount", "other": "amount"}, names, draws)


def close(one, other):
    for name in ("estimate", "standard_error", "truth"):
        # A standard error of nothing is the root of a rounding.
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("estimate", ["total_difference", "relative_reduction"])
@given(waves=WAVES)
@settings(max_examples=sized(8, 15))
def test_waves__in_another_order_give_the_same(design, estimate, waves):
    # Invariant: people are lost by the name of their wave; the earlier people belong to the first place.
    names = tuple("abcd"[: len(waves)])
    earlier = [wave["baseline"] for wave in waves]
    turned = [wave | {"baseline": people} for wave, people in zip(waves[::-1], earlier, strict=True)]
    metric = {"estimate": estimate} | ({} if design in ("historical", "mix") else WRONG)

    one, other = concluded(waves, design, names, metric), concluded(turned, design, names[::-1], metric)

    close(one, other)
    np.testing.assert_allclose(one.by_wave, other.by_wave[:, ::-1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("estimate", ["total_difference", "rate_difference", "relative_reduction"])
@given(waves=WAVES)
@settings(max_examples=sized(8, 15))
def test_waves__pooled_are_one_wave(design, estimate, waves):
    # Invariant: cutting a wave in two changes nothing that is pooled.
    whole = {arm: [person for wave in waves for person in wave[arm]] for arm in ARMS} | {"baseline": waves[0]["baseline"]}

    close(
        concluded(waves, design, tuple("abcd"[: len(waves)]), {"estimate": estimate}),
        concluded([whole], design, ("all",), {"estimate": estimate}),
    )


@pytest.mark.parametrize("design", DESIGNS)
@given(waves=WAVES, factor=st.floats(0.01, 1000))
@settings(max_examples=sized(8, 15))
def test_scale__of_an_amount_scales_differences_and_leaves_a_reduction(design, waves, factor):
    # Invariant: another unit of the outcome.
    scaled = [{arm: [(x * factor, b * factor) for x, b in people] for arm, people in wave.items()} for wave in waves]
    names = tuple("abcd"[: len(waves)])
    for estimate, multiple in (("total_difference", factor), ("relative_reduction", 1.0)):
        one, other = (concluded(part, design, names, {"estimate": estimate}) for part in (waves, scaled))
        np.testing.assert_allclose(other.estimate, one.estimate * multiple, rtol=1e-8, atol=1e-8 * multiple)
        np.testing.assert_allclose(other.standard_error, one.standard_error * multiple, rtol=1e-6, atol=1e-6 * multiple)


@pytest.mark.parametrize("design", DESIGNS)
@given(waves=WAVES)
@settings(max_examples=sized(8, 15))
def test_better__turns_the_sign_and_nothing_else(design, waves):
    names = tuple("abcd"[: len(waves)])
    lower, higher = (concluded(waves, design, names, WRONG | {"better": better}) for better in ("lower", "higher"))

    np.testing.assert_array_equal(higher.estimate, -lower.estimate)
    np.testing.assert_array_equal(higher.truth, -lower.truth)
    np.testing.assert_array_equal(higher.standard_error, lower.standard_error)


@given(waves=WAVES)
@settings(max_examples=sized(8, 15))
@pytest.mark.parametrize("design", DESIGNS)
def test_metrics__that_are_added_change_no_other(design, waves):
    # Invariant: a metric has luck of its own.
    names, tallies = tuple("abcd"[: len(waves)]), tallies_from(waves)

    def first(metrics):
        protocol = protocol_of(design, metrics, **ALL)
        return measure(protocol, tallies, {"events": "amount", "other": "amount"}, names, draws_of(protocol, 1, {}, 3))

    one, other = first({"one": WRONG}), first({"one": WRONG, "two": WRONG | {"estimate": "relative_reduction"}})
    np.testing.assert_array_equal(one.estimate[0, 0], other.estimate[0, 0])
    np.testing.assert_array_equal(one.standard_error[0, 0], other.standard_error[0, 0])


def test_luck__of_the_evaluator_is_one_stream_per_decision():
    # Invariant: no two decisions about any two arms, waves or metrics share a stream, and those that are drawn are those that are
    # named.
    metric = protocol_of("randomised", {"m": WRONG | {"misclassification": {"sensitivity": 0.9, "specificity": 0.9}}}).metrics["m"]
    named = [*purposes_of_errors("m", metric, ("a", "b")), *purposes_of_errors("n", metric, ("a", "b"))]

    assert len(named) == len(set(named)) == 2 * len(ARMS) * 2 * 7
    assert purposes_of_errors("m", protocol_of("randomised", {"m": {}}).metrics["m"], ("a",)) == []
