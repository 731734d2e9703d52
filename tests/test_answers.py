"""The tables of answers on the page of the results against real answers: no key without a sentence, no sentence without a key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs import answers
from docs.answers import COMMANDS, Entry, entries_of, kind_of
from simengine.questions.listed import QUESTIONS
from simengine.risk.statistics import LEVELS, Statistic
from tests.analysis.made import SCORES
from tests.analysis.test_incentives import BONUS, behaviour
from tests.command import in_this_process
from tests.conftest import CHECKOUT
from tests.seals.conftest import kept_run
from tests.seals.made import seal_of

CONFIGS = CHECKOUT / "configs"
TINY, LENDERS, NORRKOPING, WOMEN = (CONFIGS / f"{name}.yaml" for name in ("tiny", "two_lenders", "norrkoping", "women_in_recovery"))
CLIFF = (
    "--set", "effect.better.difference=56",
    "--set", BONUS.format(1000, 8.4),
    "--set", behaviour([0, 0.1, 0.2, 0.3], 1000),
)  # fmt: skip
"""Effort falls from some to none at once."""
FREE = ("--free", "contract.terms.guarantee.share=0..1..0.25")
EFFORTS = "behaviour={efforts: {work: {levels: [0, 1], cost: {quadratic: 9}}}, referral: {party: investor, levels: [1, 2]}}"
UNSEEN = ("--set", "measurement.metrics.saving.attrition={share: 0.9}", "--set", "contract.metrics.saving.when_missing=0")
PAYERS = "capital.payers={outcome_payer: {share: rest}, region: {share: 0.4, leaves_in_month: 30}}"
RICHER = "public_value.placement_cost_sek.outcome_payer.value_per_unit=9"
REVOLVING = ("--set", "capital.tranches.senior.revolving=true")
CLASS = "environment={reference_class: {paid_over_planned: 1.1, planned_payments: 9_000_000}}"
CARD = """
title: A card
currency: SEK
commitment: 9
dates: {end: {month: 3}}
metrics: {saved: {meaning: what was saved, unit: SEK}}
terms: {half: {share: 0.5, of: saved, at: end}}
"""
GIFT = ("--set", "capital.grants={gift: {giver: foundation, at_most: 9_000}}")
TILT = ("--tilt", "effect.sooner_home.hazard_ratio=0.5")
SEAL = seal_of({"paid": np.linspace(0, 1, 500), "net": np.linspace(-1, 1, 500), "net_sure": np.zeros(500)}, variant="other")
PLACEMENTS = (CONFIGS / "spells" / "placements_made_up.csv", "--mapping", CONFIGS / "spells" / "mapping.yaml")
_OF_LEAVE = [CONFIGS / "spells" / f"sick_leave_{name}" for name in ("made_up.csv", "mapping.yaml", "pathway.yaml")]
SICK_LEAVE = ("--events", _OF_LEAVE[0], "--mapping", _OF_LEAVE[1], "--pathway", _OF_LEAVE[2])
FRAIL = "stays: {residential: weibull}\nfrailty: [residential -> home, home -> residential]\n"
HAS_BOXES = find_spec("ema_workbench") is not None
ASKED: Mapping[str, tuple[tuple[object, ...], ...]] = {
    "run": (
        (TINY, "--until", "p_loss se<0.1", "--measure", "investor.cvar(0.5)", *TILT),
        (LENDERS, "-n", 50, "--set", PAYERS, *REVOLVING, *GIFT),
        (WOMEN, "-n", 20),
        (WOMEN, "-n", 20, "--set", "population.waves.all.size=500", "--set", CLASS),
        (TINY, "-n", 2000),
    ),
    "cash": ((TINY, "-n", 50), (LENDERS, "-n", 40, *REVOLVING)),
    "check": ((NORRKOPING,),),
    "replay": (
        (CONFIGS / "contracts/utah_preschool.yaml", "--outcome", "avoided_cost=1"),
        (CONFIGS / "contracts/norrkoping.yaml", "--outcome", "saving=1", "--outcome", "school=1"),
        ("card.yaml", "--outcome", "saved=1", "--actual", "paid.csv"),
    ),
    "reference": ((CONFIGS / "indigo_made_up", "--forecasts"), (CONFIGS / "indigo_made_up", "--unfinished", "censored")),
    "replay.all": (("--all",),),
    "rerun": [("run",)],
    "run.dry_run": [(TINY, "-n", 64, "--seed", 1, "--store", "kept", "--dry-run")],
    "conform": ((CONFIGS / "conformance/utah_share_until_a_return.json",),),
    "seal": (("run", "--results", "investor.net,metric.saving.estimate"),),
    "score": (("made.seal.json", "--outcome", "paid=0.4", "--outcome", "net>0", "--outcome", "net_sure<9"),),
    "fit": (
        (*PLACEMENTS, "--pathway", "frail.yaml"),
        (*PLACEMENTS, "--pathway", CONFIGS / "spells" / "pathway.yaml", "--into", "placements.yaml"),
        (*PLACEMENTS, "--events", CONFIGS / "spells" / "reports_made_up.csv"),
        SICK_LEAVE,
    ),
    "fit.scores": (
        (
            "--scores",
            CONFIGS / "spells" / "wellbeing_made_up.csv",
            "--mapping",
            CONFIGS / "spells" / "wellbeing_mapping.yaml",
            "--pathway",
            "scored.yaml",
        ),
    ),
    "fit.totals": (
        ("--totals", CONFIGS / "spells" / "totals_made_up.csv", "--mapping", CONFIGS / "spells" / "totals_mapping.yaml"),
    ),
    "certificate": (("scores.yaml", "-n", 20), (CONFIGS / "peterborough.yaml", "-n", 10), (WOMEN, "-n", 10)),
    "methods": ((NORRKOPING, "-n", 20),),
    "window": ((TINY, "-n", 20, "--months", "6,12"),),
    "incentives": ((TINY, "-n", 20, "--set", EFFORTS), ("scores.yaml", "-n", 500, *CLIFF)),
    "compare": (
        (TINY, CONFIGS / "contracts/norrkoping.yaml", "-n", 50),
        (TINY, CONFIGS / "contracts/norrkoping.yaml", "-n", 2000, "--measure", "investor.p_loss"),
    ),
    "stress": ((TINY, "-n", 50), (TINY, "-n", 2000, "--measure", "p_loss")),
    "stress.criterion": (
        (TINY, "-n", 400, "--reverse", "investor.loss > 50%"),
        *(
            [
                (NORRKOPING, "-n", 600, "--reverse", criterion, "--panel", 2, "--boxes")
                for criterion in ("investor.loss > 50%", "investor.net > 0")
            ]
            if HAS_BOXES
            else []
        ),
    ),
    "tradeoffs": (
        (TINY, "-n", 50),
        (TINY, "-n", 2000, "--measure", "investor.expected_net"),
    ),
    "tradeoffs.across": (
        (TINY, "-n", 50, "--across", "contract.terms.guarantee.share=0..1", "--up", "contract.terms.saving_share.share=0..1"),
    ),
    "sensitivity": ((TINY, "-n", 20, "--points", 16, "--trajectories", 4, "--panel", 2),),
    "attribute": ((TINY, "-n", 250),),
    "value": ((TINY, "-n", 50, "--set", RICHER),),
    "trace": (
        (TINY, "--replication", 4, *UNSEEN),
        (CONFIGS / "denver_supportive_housing.yaml", "--replication", 3),
        (CONFIGS / "outcomes_fund_children.yaml", "--replication", 3),
    ),
    "size": (
        (TINY, "-n", 20, "--points", 5, *FREE, "--limit", "investor.p_loss <= 0.9"),
        (TINY, "-n", 20, "--points", 5, *FREE, "--limit", "investor.expected_net >= 1e9"),
    ),
    "size.smallest": ((TINY, "-n", 20, "--smallest", "contract.terms.guarantee.share", "--such-that", "investor.p_loss <= 1"),),
    "size.parties": ((NORRKOPING, "-n", 400, "--weakest-belief", "investor"),),
    "information": ((TINY, "-n", 500, "--pilot", 8, *FREE),),
    "learn": (
        (TINY, "-n", 3000, "--observed", "results.csv"),
        (WOMEN, "-n", 900, "--observed", "people.csv"),
        (NORRKOPING, "-n", 800, "--given", "better_school"),
    ),
}
"""By table of the page: commands whose answers have every key of it between them."""
DISTRIBUTION = {"distribution": {"mean", "sd", *LEVELS}, "p05 to p95 only": {*LEVELS}, "mean, sd": {"mean", "sd"}}
PLAIN: Mapping[str, Any] = {"number": int | float, "text": str, "true or false": bool, "list": list, "object": dict}


def is_of_kind(node: Any, kind: str) -> bool:
    """Say whether a part of an answer is of the kind that the page tells."""
    kind, null, _ = kind.partition(" or null")
    if node is None or not kind:
        return bool(null) or not kind
    if kind not in PLAIN and not isinstance(node, dict):
        return False
    if kind in DISTRIBUTION:
        return node.keys() <= DISTRIBUTION[kind] and all(is_of_kind(one, "statistic") for one in node.values())
    if kind.startswith("statistic"):
        beside = set(re.findall("`(.*?)`", kind))
        return {"value", "se"} | beside <= node.keys() <= set(Statistic.__dataclass_fields__) | beside
    return isinstance(node, PLAIN[kind]) and (kind == "true or false" or not isinstance(node, bool))


def differences(entries: Iterable[Entry], contents: Iterable[Any]) -> list[str]:
    """Say where answers are not what the page tells of them: in keys, in kinds, and in keys that none of them has."""
    kinds = {tuple(one.path.split(".")): kind_of(one.hint) for one in entries}
    places = {path[:end] for path in kinds for end in range(len(path) + 1)}
    found: dict[str, None] = {}
    seen: set[tuple[str, ...]] = set()

    def walk(node: Any, here: set[tuple[str, ...]]) -> None:
        told = {place: kinds[place] for place in here if place in kinds}
        seen.update(place for place, kind in told.items() if node is not None or not kind)
        found.update({f"{'.'.join(place)}: is no {kind}": None for place, kind in told.items() if not is_of_kind(node, kind)})
        if any(kind.partition(" or null")[0] not in PLAIN for kind in told.values()):
            return
        for one in node if isinstance(node, list) else [node]:
            for key, part in one.items() if isinstance(one, dict) else ():
                below = {place for place in places if len(place) and place[:-1] in here and place[-1] == key}
                below = below or {place for place in places if len(place) and place[:-1] in here and place[-1].startswith("<")}
                if below:
                    walk(part, below)
                else:
                    found[f"{'.'.join((*min(here), key))}: is not told"] = None

    for content in contents:
        walk(content, {()})
    return [*found, *(f"{'.'.join(path)}: is in no answer" for path in kinds if path not in seen)]


def a_study_of_placements() -> str:
    """The study of the page about a municipality's own data."""
    page = (CHECKOUT / "docs" / "how-to" / "your-own-data.md").read_text()
    return page.partition("<!-- save our-study.yaml -->")[2].partition("```yaml\n")[2].partition("```")[0]


def answers_to(name: str, folder: Path) -> list[Any]:
    (folder / "scores.yaml").write_text(SCORES)
    if name in ("seal", "rerun"):
        kept_run(folder / "run", NORRKOPING, "-n", 20, "--seed", 1, "--variant", "three_year_window")
    (folder / "made.seal.json").write_text(SEAL.text)
    if name == "fit.scores":
        (folder / "scored.yaml").write_text("scores: {wellbeing: {at_month: 12, metric: saving}}\n")
    if name == "fit":
        (folder / "frail.yaml").write_text(FRAIL)
        (folder / "placements.yaml").write_text(a_study_of_placements())
    (folder / "card.yaml").write_text(CARD)
    (folder / "paid.csv").write_text("month,payment\n3,1\n")
    (folder / "results.csv").write_text("of,value,standard_error\nmetric.saving.estimate,600000,300000\n")
    (folder / "people.csv").write_text("of,wave,until_month,value\noutcome.graduated,all,24,30\n")
    found = []
    for words in ASKED[name]:
        seed = () if name in COMMANDS else ("--seed", 1)
        done = in_this_process([name.split(".")[0], *words, *seed, "--json"], folder)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    return found


def test_tables_of_answers__are_those_of_the_code() -> None:
    assert answers.PAGE.read_text() == answers.page(), "run `python -m docs.answers`"


def test_every_question_that_is_told_on_the_page__has_a_table_and_is_held_against_answers() -> None:
    tables = {found["name"] for found in answers.TABLE.finditer(answers.PAGE.read_text())}
    assert tables == set(ASKED)
    assert {question.name for question in QUESTIONS} - tables == {"retrospect", "portfolio"}  # these have their own pages


def test_entries_of_an_answer__need_a_sentence_each() -> None:
    @dataclass
    class Unsaid:
        share: float

    with pytest.raises(ValueError, match=r"Unsaid\.share: a field must have a sentence below it"):
        list(answers.entries(Unsaid))


@pytest.mark.parametrize("name", ASKED)
def test_answers__have_the_keys_that_the_page_tells(name: str, tmp_path: Path) -> None:
    told = [one for one in entries_of(name) if HAS_BOXES or not one.path.startswith("boxes")]
    told += [] if HAS_BOXES or name != "stress.criterion" else [Entry("boxes", Any, "")]
    assert differences(told, answers_to(name, tmp_path)) == []


def test_differences__are_seen(tmp_path: Path) -> None:
    told, (answer, *_) = list(entries_of("window")), answers_to("window", tmp_path)
    assert differences(told[:-1], [answer]) == ["provenance: is not told"]
    assert differences([*told, Entry("windows.spread", float, "")], [answer]) == ["windows.spread: is in no answer"]
    other = [replace(one, hint=str) if one.path == "windows.months" else one for one in told]
    assert differences(other, [answer]) == ["windows.months: is no text"]
