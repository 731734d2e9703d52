"""Every standard error that a run reports, against the spread between runs: the small form of verification/standard_errors.py."""

import pytest

from simengine import find_study, load_study
from tests.conftest import sized
from verification import standard_errors

PLANTED = "outcome_payer.net.sd"


@pytest.mark.statistical
def test_every_standard_error__is_the_spread_between_runs_and_a_wrong_one_is_found():
    # Source: the definition of a standard error. 30 or 60 seeds of 2,048 replications; all statistics together raise a false alarm
    # once in 1,000 sets of seeds (Bonferroni).
    runs = standard_errors.many_runs(load_study(find_study("tiny")), sized(30, 60), 2048)
    found = standard_errors.errors_in(runs)

    assert len(found.judged) + len(found.covered) > 150
    assert found.wrong == []
    # Source: planted; an error that is half of what it should be has z-scores of variance 4.
    assert standard_errors.errors_in(runs, {PLANTED: 0.5}).wrong == [PLANTED]
