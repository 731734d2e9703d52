"""Metrics that are measured anew for every period: the same as studies that measure once with each window; what counts when."""

import numpy as np
import pytest

from simengine.config import load_contract, load_study
from simengine.config.load import with_changes
from simengine.errors import StudyError
from simengine.pipeline import evaluate, simulate
from simengine.settlement import replay

CONTRACT = """\
title: Paid every half-year
currency: SEK
commitment: 2_000_000
dates: {signed: {month: 0}, half: {every_months: 6, from_month: 12, until_month: 24}, end: {month: 30}}
metrics:
  saving: {meaning: saving against the earlier people, unit: SEK, measured_on: half, counts: COUNTS}
  school: {meaning: better school results, unit: share}
terms:
  share: {share: 0.5, of: saving, at: half}
  bonus: {amount: 100, at: end, only_if: {saving: {above: 0}}}
"""
ANEW = "{outcome: placement_cost_sek, window_months: 6, every_months: 6, until_months: 18, estimate: total_difference, better: lower, MORE}"
DRIFT = "drift_per_year: {distribution: normal, mean: 0.02, sd: 0.02}"
N = 60


def study_of(tmp_path, tiny_path, counts="so_far", metric=ANEW, more=DRIFT):
    """Write the tiny study with a saving that is measured after 6, 12 and 18 months."""
    text = tiny_path.read_text()
    head, rest = text[: text.index("contract:")], text[text.index("capital:") :]
    head = head.replace("horizon_months: 24", "horizon_months: 36")
    line = next(line for line in head.splitlines() if line.startswith("    saving: {"))
    head = head.replace(line, f"    saving: {metric.replace('MORE', more)}")
    rest = rest.replace("  payment_month: {guarantee: 12, saving_share: 20, upside: 20}\n", "")
    contract = "contract:\n" + "".join(f"  {one}\n" for one in CONTRACT.replace("COUNTS", counts).splitlines())
    (tmp_path / "study.yaml").write_text(head + contract + "\n" + rest)
    return load_study(tmp_path / "study.yaml")


def results_of(study):
    return evaluate(study, simulate(study, 5, np.arange(N)))


def test_each_measurement__is_that_of_a_study_that_measures_once(tmp_path, tiny_path):
    # Source: three studies with one window each; the same people, so the same numbers, bit for bit.
    anew = results_of(study_of(tmp_path, tiny_path))
    assert [name for name in anew.columns if name.startswith("metric.saving") and name.endswith(".estimate")] == [
        f"metric.saving_{number}.estimate" for number in (1, 2, 3)
    ]
    for number, months in ((1, 6), (2, 12), (3, 18)):
        once = f"{{outcome: placement_cost_sek, window_months: {months}, estimate: total_difference, better: lower, {DRIFT}}}"
        plain = load_study(
            tiny_path,
            [
                f"measurement.metrics.saving={once}",
                "study.horizon_months=36",
                "capital.payment_month={guarantee: 12, saving_share: 30, upside: 30}",
            ],
        )
        expected = results_of(plain)
        for what in ("estimate", "truth", "standard_error"):
            assert np.array_equal(anew[f"metric.saving_{number}.{what}"], expected[f"metric.saving.{what}"]), (number, what)


def test_errors__are_the_same_numbers_each_time(tmp_path, tiny_path):
    # What is assumed of a metric is drawn once, under the name that the study states.
    study = study_of(tmp_path, tiny_path, more=f"{DRIFT}, attrition: {{share: {{distribution: beta, mean: 0.2, sd: 0.05}}}}")

    drawn = [path for path in simulate(study, 5, np.arange(3)).draws.values if path.startswith("measurement.metrics.saving")]

    assert "measurement.metrics.saving.drift_per_year" in drawn
    assert "measurement.metrics.saving.attrition.share" in drawn
    assert not any("saving_" in path for path in drawn)


def test_copy__with_other_windows_measures_with_them(tmp_path, tiny_path):
    # What was worked out of one protocol is not that of its copy.
    protocol = study_of(tmp_path, tiny_path).measurement
    assert list(protocol.measured) == ["saving_1", "saving_2", "saving_3", "school"]

    copied = protocol.model_copy(update={"metrics": {"school": protocol.metrics["school"]}})

    assert list(copied.measured) == ["school"]


def test_what_counts_so_far__is_the_latest_measurement(tmp_path, tiny_path):
    # By hand: in months 12, 18 and 24 half of what was then measured; the bonus of month 30 looks at the last measurement.
    results = results_of(study_of(tmp_path, tiny_path))

    measured = sum(results[f"metric.saving_{number}.estimate"] for number in (1, 2, 3))
    np.testing.assert_allclose(results["term.share.amount"], 0.5 * measured, atol=0.02)
    assert np.array_equal(results["term.bonus.amount"] == 100, results["metric.saving_3.estimate"] > 0)


def test_what_counts_since_last__adds_up_to_the_last_measurement(tmp_path, tiny_path):
    # Law: the parts of three periods are the whole.
    results = results_of(study_of(tmp_path, tiny_path, "since_last"))

    np.testing.assert_allclose(results["term.share.amount"], 0.5 * results["metric.saving_3.estimate"], atol=0.02)


def test_replay__takes_each_measurement_by_its_name(tmp_path):
    # By hand: 1,000, then 1,800, then 1,500: half of 1,000, of 800 and of -300; the last part is negative, so no bonus.
    (tmp_path / "contract.yaml").write_text(CONTRACT.replace("COUNTS", "since_last"))
    contract = load_contract(tmp_path / "contract.yaml")

    paid = replay(contract, {"saving_1": 1000.0, "saving_2": 1800.0, "saving_3": 1500.0, "school": 0.0}, 0.0)

    assert contract.inputs() == ["saving_1", "saving_2", "saving_3", "school"]
    assert paid.by_due[0].tolist() == [[0, 500, 400, -150, 0], [0, 0, 0, 0, 0]]


def test_contract__that_was_written_out_says_the_same(tmp_path, tiny_path):
    study = study_of(tmp_path, tiny_path, "since_last")
    again = with_changes(study, {"contract.terms.share.share": 0.5})

    assert again.contract.inputs() == study.contract.inputs()
    assert np.array_equal(results_of(again)["term.share.amount"], results_of(study)["term.share.amount"])


REFUSED = {
    "one of the two": ("until_months: 18, ", "",
        "a metric that is measured anew must have `every_months` and `until_months`; found every_months alone"),
    "shorter than the first": ("until_months: 18", "until_months: 5", "the longest window must be no shorter than the first; found 6 and 5 months"),
    "too few windows": ("until_months: 18", "until_months: 17", r"contract\.metrics\.saving_3: every metric of the contract must be measured"),
    "beyond the horizon": ("until_months: 18", "until_months: 36",
        r"measurement\.metrics\.saving\.until_months: every window must close within the horizon of 36 months"),
    "known too late": ("every_months: 6, until_months: 18", "every_months: 9, until_months: 24",
        r"contract\.terms\.share: a payment must follow the measurement it depends on"),
    "parts of a ratio": ("total_difference", "relative_reduction",
        r"contract\.metrics\.saving\.counts: what counts since the last measurement must be a difference .*; found a relative_reduction"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_study__is_refused_with_its_reason(tmp_path, tiny_path, name):
    old, new, message = REFUSED[name]
    assert old in ANEW

    with pytest.raises(StudyError, match=message):
        study_of(tmp_path, tiny_path, "since_last", ANEW.replace(old, new))


PLANTED = {
    "no such date": ("measured_on: half", "measured_on: year", "`measured_on` of `saving` must name dates of the contract; found `year`"),
    "dates twice": ("measured_on: half", "measured_on: [half, half_2]", "the dates of `measured_on` must stand once, in order; found half_1"),
    "also derived": ("counts: so_far", "derived: {amount: 3}", "a metric must be measured anew, or derived from others; found both of `saving`"),
    "a name twice": ("  school:", "  saving_2: {meaning: x, unit: SEK}\n  school:", "found `saving_2` twice"),
    "since nothing": ("measured_on: half, counts: so_far", "counts: since_last",
        "a metric that counts `since_last` must be measured anew; found no `measured_on`"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_contract__is_refused_with_its_reason(tmp_path, name):
    old, new, message = PLANTED[name]
    text = CONTRACT.replace("COUNTS", "so_far")
    assert text.count(old) == 1
    (tmp_path / "contract.yaml").write_text(text.replace(old, new))

    with pytest.raises(StudyError, match=message):
        load_contract(tmp_path / "contract.yaml")
