"""Outcomes counted person by person: what a study must be able to reach, and what its contract may count."""

import copy

import pytest

from simengine import load_study
from simengine.errors import StudyError
from tests.cohort.test_reached import STUDY

PATH = "measurement.counted"
WRONG = {
    "no such outcome": ({PATH: {"job": {"outcome": "jobs"}, "days": {}}}, f"{PATH}.job.outcome: must be an outcome of the study; found `jobs`"),
    "no outcome of its name": ({PATH: {"job": {}, "days": {}, "work": {}}},
        f"{PATH}.work: must be an outcome of the study; found `work`. Write `outcome:`"),
    "a level": ({PATH: {"job": {}, "days": {}, "score": {}}},
        f"{PATH}.score: what is counted person by person must be reached or not, or add up over time; found `score`, of kind score"),
    "beyond the horizon": ({PATH: {"job": {"within_months": 61}, "days": {}}},
        f"{PATH}.job.within_months: it must be reached within the horizon of 60 months; found 61"),
    "told at the end alone": ({PATH: {"job": {}, "days": {}, "few": {}}}, f"{PATH}.few: what only the end of a window tells"),
    "nobody can reach it": ({PATH: {"job": {}, "days": {}, "paper": {"within_months": 12}}},
        f"{PATH}.paper: some people must be able to reach what is counted; found `paper`, read 14 months after entry, within 12"),
    "false units": ({PATH: {"job": {}, "days": {"false_claims": 0.1}}},
        f"{PATH}.days.false_claims: a claim must be false for a person, not for units"),
    "nobody counts it": ({PATH: {"days": {}}},
        "contract.outcomes.job: every outcome of the contract must be counted under `measurement.counted`; found nobody counts `job`"),
    "people as units": ({"contract.outcomes.job": {"meaning": "a job", "unit": "jobs"}},
        "contract.outcomes.job.unit: an outcome of kind reached must be counted in people; found `jobs`. Write people"),
    "units as people": ({"contract.outcomes.days": {"meaning": "days"}},
        "contract.outcomes.days.unit: an outcome of kind amount must be counted in units; found `people`"),
    "no such group": ({"contract.groups": {"rich": "x"}},
        "contract.groups.rich: a group must be a stratum of the population; found `rich`. One of: young, old"),
    "nothing measured": ({PATH: {}},
        "measurement: a measurement must have `metrics`, or outcomes that are `counted` person by person; found neither"),
    "other waves": ({"contract.waves": {"one": "x"}}, "contract.waves: the waves of the contract must be those of the population"),
    "paid beyond the horizon": ({"contract.dates.quarter.until_month": 66}, "a term must be paid within the horizon of 60 months"),
    "missed more than all": ({PATH: {"job": {"missed": 1.2}, "days": {}}}, f"{PATH}.job.missed"),
}  # fmt: skip


def written() -> dict:
    study = copy.deepcopy(STUDY)
    study["measurement"]["counted"] = {"job": {}, "days": {}}
    study["outcomes"]["score"] = {"kind": "score", "at_month": 12, "mean": 0, "sd": 1, "correlation": 0.5}
    return study


def test_base__is_accepted():
    study = load_study(written())
    assert not study.measurement.metrics
    assert study.measurement.design is None


@pytest.mark.parametrize("name", WRONG)
def test_study__is_refused_where_it_is_wrong(name):
    changes, message = WRONG[name]
    with pytest.raises(StudyError) as caught:
        load_study(written(), changes)
    assert message in str(caught.value)


def test_people_who_move__are_counted_wherever_they_live():
    study = written()
    study["measurement"]["transfers"] = "hidden"
    with pytest.raises(
        StudyError, match=r"measurement\.transfers: outcomes that are counted person by person must be counted wherever"
    ):
        load_study(study)
