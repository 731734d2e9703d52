"""What a contract pays on and nobody measured: its own rule decides, or the run stops once and says where and why."""

import json

import numpy as np
import pytest

from simengine.config.load import load_study
from simengine.contract import settle_terms
from simengine.contract.spec import Contract
from simengine.errors import NotMeasuredError, StudyError
from simengine.questions.information.pilot import pilot_shows
from simengine.questions.methods.answer import compare_methods
from simengine.questions.run import trust
from simengine.questions.trace.answer import trace
from simengine.records import Measurements
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble
from simengine.replications.stored import belief_of
from simengine.report.document import as_json, plain
from simengine.risk import summarise
from simengine.risk.statistics import Statistic

LOST = ["measurement.metrics.saving.attrition={share: 0.85}"]
SHRUNK = [*LOST, "measurement.metrics.saving.shrinkage={prior: 0, prior_sd: 100000}"]
HISTORY = "population.history_months=12"
DECIDED = "contract.metrics.saving.when_missing=0"
RULE = "what a contract pays on must be measured in every replication, or it must say what counts in its place"


def refused(path, overrides, n=300, **how):
    with pytest.raises(NotMeasuredError) as found:
        run_study(load_study(path, overrides), 1, n, **how)
    return found.value


def test_run__stops_once_and_says_how_many_which_and_why(tiny_path):
    # Closed form: all twelve are lost with .85^12 = .142 in each of two groups.
    error = refused(tiny_path, LOST)
    served, compared = error.lacking.values()

    assert len(error.problems) == 1
    assert str(error).startswith(f"the run: contract.metrics.saving: {RULE}; found `saving` not measured in ")
    found = {*served, *compared}
    assert f" {len(found)} of 300 replications (number {', '.join(map(str, sorted(found)[:5]))}, ...)" in str(error)
    assert f"nobody is seen of the service users, in {len(served)}; nobody is seen of those with whom they" in str(error)
    assert str(error).endswith(
        "Give contract.metrics.saving.when_missing, or a fallback with `first_of`; or let more people be seen"
    )
    for share, chance in ((len(served) / 300, 0.142), (len(found) / 300, 1 - 0.858**2)):
        assert abs(share - chance) < 4.5 * np.sqrt(chance * (1 - chance) / 300)


def test_run__says_the_same_whatever_the_blocks(tiny_path):
    assert str(refused(tiny_path, LOST, threads=1, block_size=300)) == str(refused(tiny_path, LOST, threads=2, block_size=7))


def test_rule_of_the_contract__decides_where_nobody_was_seen(tiny_path):
    results = run_study(load_study(tiny_path, [*SHRUNK, "contract.metrics.saving.when_missing=1_000_000"]), 1, 300)
    estimate, error = results["metric.saving.estimate"], results["metric.saving.standard_error"]
    missing = np.isnan(estimate)

    assert missing.sum() == len({*sum(refused(tiny_path, SHRUNK).lacking.values(), ())})
    # Hand arithmetic: 60 % of a saving of 1 M.
    np.testing.assert_array_equal(results["term.saving_share.amount"][missing], 600_000)
    # A standard error that one person alone would tell is unknown, and the estimate is then the prior.
    unknown = np.isnan(error) & ~missing
    assert unknown.any()
    assert (error[~missing & ~unknown] > 0).all()
    np.testing.assert_array_equal(estimate[unknown], 0)
    np.testing.assert_array_equal(results["term.saving_share.amount"][unknown], 0)


def test_diagnostics__count_what_was_not_measured(tiny_path):
    results = run_study(load_study(tiny_path, [*LOST, DECIDED]), 1, 300)
    table = summarise(results)
    estimate, error = results["metric.saving.estimate"], results["metric.saving.standard_error"]
    there = np.isfinite(estimate)

    counted = trust.trust_content(table)["diagnostics"]["metrics"]
    assert counted["saving"]["not_measured"].value == np.mean(~there)
    assert counted["saving"]["standard_error_unknown"].value == np.mean(np.isnan(error) & there)
    assert counted["school"]["not_measured"] == Statistic(0, 0, upper_95=0.01)
    # Statistics are those of the replications in which something was measured.
    assert table["metrics.saving.estimate.mean"].value == pytest.approx(estimate[there].mean())
    assert table["metrics.saving.p_estimate_positive"].value == np.mean(estimate[there] > 0)
    assert table["metrics.saving.evaluators_standard_error.mean"].value == pytest.approx(np.nanmean(error))
    assert "saving: was not measured in" in str(trust.run_warnings(table))
    assert json.loads(as_json(plain(table.sections)))


def test_diagnostics__of_a_run_in_which_nothing_was_ever_measured(tiny_path):
    # With nobody qualified there is no share of those who are: neither an estimate nor a truth.
    nobody = "outcomes.school_qualified.probability={home: 0, placed: 0}"
    overrides = [nobody, "measurement.metrics.school.estimate=relative_reduction", "contract.metrics.school.when_missing=0"]
    table = summarise(run_study(load_study(tiny_path, overrides), 1, 50))

    assert table["diagnostics.metrics.school.not_measured"].value == 1
    assert table["diagnostics.metrics.school.no_truth"].value == 1
    assert table.get("metrics.school.estimate.mean") is None
    assert json.loads(as_json(plain(table.sections)))


# Questions that settle the same people many times.


def test_questions__take_what_was_measured_and_leave_the_rest(tiny_path):
    study = load_study(tiny_path, [*LOST, DECIDED])
    found = compare_methods(study, Ensemble(1, 60, threads=1))
    reading = found.metrics["saving"].designs["historical"]
    results = run_study(study, 1, 60)

    assert reading.estimate.value == pytest.approx(np.nanmean(results["metric.saving.estimate"]))
    assert all(np.isfinite(one.value) for one in (reading.bias, reading.sd, reading.standard_error, reading.coverage))
    with pytest.raises(NotMeasuredError, match=r"`saving` not measured in \d+ of 60 replications"):
        compare_methods(load_study(tiny_path, LOST), Ensemble(1, 60, threads=2))


def test_pilot__that_shows_nothing_says_so_beside_what_others_show(tiny_path):
    # Two with and two without the service: where none of the two is qualified there is no share of them.
    changes = ["measurement.metrics.school.estimate=relative_reduction", "contract.metrics.school.when_missing=0"]
    study = load_study(tiny_path, changes)
    shown = pilot_shows(study, belief_of(study, "investor"), 4, Ensemble(1, 100, threads=1))

    _, school, is_gap = shown.T
    assert set(is_gap) == {0.0, 1.0}
    assert np.isfinite(shown).all()
    np.testing.assert_array_equal(school[is_gap == 1], np.median(school[is_gap == 0]))


def test_trace__says_why_nothing_was_measured(tiny_path):
    replication = refused(tiny_path, LOST).lacking["saving", "nobody is seen of the service users"][0]
    row, other = trace(load_study(tiny_path, [*LOST, DECIDED]), 1, replication).metrics

    assert row["estimate"] is row["standard_error"] is None
    assert row["not_measured"] == "nobody is seen of the service users"
    assert other["not_measured"] is None


# What no run could measure.


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["population.waves.all.size=0"], "population.waves.all.size: a wave must have at least one service user"),
        (["population.waves.all.size={distribution: uniform, low: 0, high: 0.9}"], "population.waves.all.size: a wave must have"),
        (["measurement.control={ratio: 0.01}"], "measurement.control.ratio: the people compared with must be somebody"),
        (["measurement.parallel={ratio: 0.08}", "population.history_months=12"], "measurement.parallel.ratio: the people compared"),
        (
            ["measurement.cross_section={ratio: 0.05}", "population.history_months=12"],
            "measurement.cross_section.ratio: the people",
        ),
        (["measurement.metrics.school.attrition={share: 1}"], "measurement.metrics.school.attrition.share: the evaluator must see"),
        (
            ["measurement.metrics.school.attrition={share: 0.1, share_comparison: 1}"],
            "measurement.metrics.school.attrition.share_comparison: the evaluator must see somebody",
        ),
    ],
)
def test_check__refuses_groups_that_are_empty_for_sure(tiny_path, overrides, message):
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, overrides)


@pytest.mark.parametrize(
    "overrides",
    [
        ["population.waves.all.size={distribution: uniform, low: 0, high: 1.5}"],
        ["measurement.control={ratio: 0.09}"],
        ["measurement.metrics.school.attrition={share: {distribution: beta, mean: 0.9, sd: 0.05}}"],
    ],
)
def test_check__lets_groups_through_that_may_have_somebody(tiny_path, overrides):
    load_study(tiny_path, overrides)


# The contract.


def contract_of(term, **more):
    base = {"title": "t", "currency": "SEK", "commitment": 100, "metrics": {"a": {"meaning": "m", "unit": "SEK"}}}
    return Contract.model_validate({**base, "terms": {"t": term}, **more})


def by_wave(values, people):
    values, people = (np.array([one], dtype=float) for one in (values, people))
    unknown = np.array([[np.nan]])
    why = np.isnan(values)[:, :, None].astype(np.int8)
    return Measurements(
        ("a",), unknown, unknown, unknown, values[:, :, None], people, why=np.zeros((1, 1), np.int8), why_by_wave=why,
        replications=np.array([41]),
    )  # fmt: skip


PER_WAVE = {"per_wave": {"share": 1.0, "of": "a"}, "waves": ["two"], "cumulative": True}
WAVES = {"waves": {"one": "the first", "two": "the second"}}


@pytest.mark.parametrize(
    ("values", "people", "paid"),
    [
        ([10, 40], [1, 2], 30),  # (10 + 2 x 40) / 3
        ([np.nan, 40], [0, 2], 40),  # a wave without people has no say
        ([10, np.nan], [1, 0], 10),
    ],
)
def test_cumulative_metric__is_the_mean_over_waves_with_people(values, people, paid):
    # Source: hand arithmetic.
    got = settle_terms(contract_of(PER_WAVE, **WAVES), by_wave(values, people), np.array([100.0]))
    np.testing.assert_array_equal(got.amount, [[paid]])


@pytest.mark.parametrize(("values", "people"), [([np.nan, np.nan], [0, 0]), ([10, np.nan], [1, 2])])
def test_cumulative_metric__over_nobody_is_missing(values, people):
    with pytest.raises(NotMeasuredError, match=r"`a\.\w+` not measured in 1 of 1 replications \(number 41\)"):
        settle_terms(contract_of(PER_WAVE, **WAVES), by_wave(values, people), np.array([100.0]))
    metrics = {"a": {"meaning": "m", "unit": "SEK", "when_missing": 5}}
    got = settle_terms(contract_of(PER_WAVE, metrics=metrics, **WAVES), by_wave(values, people), np.array([100.0]))
    np.testing.assert_array_equal(got.amount, [[5]])


def test_stop__that_hangs_on_what_was_not_measured_is_refused():
    # The stop at the last date pays nothing by itself, and ends the drawing all the same.
    dates = {"y1": {"month": 12}, "y2": {"month": 24}}
    stop = {"end": {"at": "y2", "only_if": {"a": {"at_most": 0}}, "by": ["investor"]}}
    contract = contract_of({"amount": 3, "at": ["y1"]}, dates=dates, stops=stop)
    nothing = np.array([[np.nan]])
    seen = Measurements(("a",), nothing, nothing, nothing, why=np.array([[2]], np.int8), replications=np.array([7]))

    with pytest.raises(NotMeasuredError, match=r"`a` not measured in 1 of 1 replications \(number 7\): nobody is seen of those"):
        settle_terms(contract, seen, np.array([100.0]))


def test_payment__counts_only_the_replications_in_which_it_hangs_on_what_was_not_measured():
    # Source: the definition: `a` is measured in neither, and the gate is shut in the second, where 0 is paid whatever `a` would be.
    metric = {"meaning": "x", "unit": "number"}
    contract = contract_of({"share": 1, "of": "a", "only_if": {"b": {"at_least": 1}}}, metrics={"a": metric, "b": metric})
    estimate, why = np.array([[np.nan, 1.0], [np.nan, 0.0]]), np.array([[2, 0], [2, 0]], np.int8)
    seen = Measurements(("a", "b"), estimate, estimate, estimate, why=why, replications=np.array([7, 8]))

    with pytest.raises(NotMeasuredError, match=r"`a` not measured in 1 of 2 replications \(number 7\)"):
        settle_terms(contract, seen, np.array([0.0, 0.0]))


@pytest.mark.parametrize("key", ["drift_per_year=-500", "prices={growth_per_year: 900, index_per_year: 0}"])
def test_estimate__beyond_all_numbers_is_refused_and_not_missing(tiny_path, key):
    study = load_study(tiny_path, [f"measurement.metrics.saving.{key}", DECIDED])
    with pytest.raises(StudyError, match=r"measurement\.metrics\.saving: an estimate must be a finite number"):
        run_study(study, 1, 4)
