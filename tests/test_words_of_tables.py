"""What tables and pictures say beside their numbers: how money is counted, what a study does not know, in which unit a metric is."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise

import pytest

from simengine import run_study, summarise
from simengine.config import find_study, load_study
from simengine.questions.run.trust import draw_exceedance
from simengine.questions.stress.answer import all_together
from simengine.questions.stress.named import stresses_of
from simengine.report.units import cell, money_unit
from simengine.risk.statistics import Statistic
from tests.command import in_this_process

TINY, FAIR = find_study("tiny"), find_study("fair_chance_fund")
DISCOUNTING = "P(loss) and CVaR count money without discounting; NPV is discounted at the party's own rate."
NO_COSTS = "No costs are stated for Provider (parties.service_provider.costs): what it is paid counts as its net."


def shown(*words: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command prints on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "250")
    done = in_this_process([*words, "--seed", 1])
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("run", TINY, "-n", 20),
        ("stress", TINY, "-n", 20, "--stress", "success"),
        ("compare", TINY, "other.yaml", "-n", 20),
        ("tradeoffs", TINY, "-n", 20, "--term", "contract.terms.guarantee.share"),
    ],
    ids=lambda words: words[0],
)
def test_tables__say_once_which_money_is_discounted(words, monkeypatch, tmp_path) -> None:
    shutil.copy(TINY, tmp_path / "other.yaml")
    monkeypatch.chdir(tmp_path)

    assert shown(*words, monkeypatch=monkeypatch).count(DISCOUNTING) == 1


def test_run__says_what_a_loss_is_and_who_is_never_paid_back(monkeypatch) -> None:
    text = shown("run", TINY, "-n", 200, monkeypatch=monkeypatch)

    assert "P(loss): gets back less than it lent" in text
    assert "P(loss): pays more than it saves" in text
    # Who never gets all back loses: with one loan both are the same share.
    lost, never = (re.search(rf"{re.escape(name)}\s+(\S+)", text) for name in ("P(loss): gets back", "P(never paid back)"))
    assert lost is not None
    assert never is not None
    assert "Months until paid back, median of those paid back" in text


@pytest.mark.parametrize(
    "words", [("stress", "--stress", "success"), ("attribute", "--level", 0.3), ("cash",)], ids=lambda words: words[0]
)
def test_tables__name_a_party_whose_costs_are_not_stated(words, monkeypatch) -> None:
    text = shown(words[0], TINY, "-n", 20, *words[1:], monkeypatch=monkeypatch)

    assert text.count(NO_COSTS) == 1


def test_stress__gives_no_risk_of_a_party_without_stated_costs(monkeypatch) -> None:
    text = shown("stress", TINY, "-n", 2000, "--stress", "success", "--party", "service_provider", monkeypatch=monkeypatch)

    assert re.search(r"as it is\s+1\.988 ±0\.000\s+-\s+-", text)
    assert "investor (" not in text  # --party leaves the others out


def test_stress__with_stated_costs_gives_the_risk(monkeypatch) -> None:
    spends = "parties.service_provider.costs={staff: {amount: 1_000_000}}"
    text = shown("stress", TINY, "-n", 20, "--stress", "success", "--set", spends, monkeypatch=monkeypatch)

    assert "No costs are stated" not in text


def test_exceedance__says_that_a_constant_party_cannot_lose_and_marks_the_largest_loss() -> None:
    study, results = load_study(TINY), run_study(load_study(TINY), 1, 200)

    image = draw_exceedance(study, summarise(results), results)["svg"].decode()

    assert image.count("cannot lose in this study -->") == 1
    # At worst the guarantee of 40 % comes back, of 2 million.
    assert "<!-- 1.2 -->" in image
    assert "<!-- largest loss -->" in image


def test_run__says_that_nothing_is_classified_where_most_is_not(monkeypatch) -> None:
    text = shown("run", TINY, "-n", 20, monkeypatch=monkeypatch)

    assert "40 of 45 numbers behind this table are not classified" in text
    assert "None is marked as an assumption." in text


def test_all_together__names_what_it_holds() -> None:
    named = {name: one for name, one in stresses_of(load_study(TINY)).items() if not isinstance(one, str)}
    words = named["all_together"]["adverse"].words

    assert words == "at once: volume; weaker effect; timing; drift, measured effect too low; payer delay"
    assert all_together({"volume": named["volume"]["severe"]}).words == "at once: volume"


def test_run__of_a_payer_that_values_nothing_shows_its_payment_alone(monkeypatch) -> None:
    text = shown("run", FAIR, "-n", 20, monkeypatch=monkeypatch)

    said = "No outcome is valued for Department for Communities and Local Government (`public_value`)"
    assert f"{said}: its saving, net and P(loss) are not shown." in text
    assert "true saving" not in text
    assert re.search(r"P\(no payment\) ", text)  # the contract guarantees nothing
    assert "beyond the guarantee" not in text


def test_run__gives_other_cash_so_that_the_columns_of_a_payer_add_up(monkeypatch, tmp_path) -> None:
    study = load_study(TINY, {"parties.outcome_payer.costs": {"own_staff": {"amount": 300_000}}})
    table = summarise(run_study(study, 1, 50))

    saving, payment, other, net = (
        table[f"outcome_payer.{name}.mean"].value for name in ("true_saving", "payment", "other_cash", "net")
    )

    assert other == pytest.approx(-300_000)
    assert net == pytest.approx(saving - payment + other)
    assert summarise(run_study(load_study(TINY), 1, 50)).get("outcome_payer.other_cash.mean") is None


def test_run__says_the_unit_and_the_months_of_every_metric(monkeypatch) -> None:
    text = shown("run", TINY, "-n", 20, monkeypatch=monkeypatch)

    assert "true saving, whole study (24 months)" in text
    head, units = next(pair for pair in pairwise(text.splitlines()) if "saving: estimate" in pair[0])
    assert re.findall(r"\w+: (?:estimate|truth)", head) == [
        "saving: estimate",
        "saving: truth",
        "school: estimate",
        "school: truth",
    ]
    window = "within 12 months"
    assert re.findall(r"\(.*?\)|within \d+ months", units) == ["(millions of SEK)", window, "(share)", window]


def test_run__tells_an_evaluator_who_is_far_off(monkeypatch) -> None:
    off = ("--set", "measurement.metrics.saving.drift_per_year=-0.5")
    said = (
        r"The evaluator's estimate is on average \S+ above the truth \(saving\): much of what is paid is no effect of the service"
    )

    assert re.search(said, shown("run", TINY, "-n", 200, *off, monkeypatch=monkeypatch))
    assert "on average" not in shown("run", TINY, "-n", 200, monkeypatch=monkeypatch)


def test_cell__of_money_has_no_more_decimals_than_its_smallest_unit() -> None:
    scale, _ = money_unit(load_study(TINY, {"contract.commitment": 500}))

    assert cell(Statistic(-0.0000027, 0.0000002), scale) == "0.00 ±0.00"
    in_millions, _ = money_unit(load_study(TINY))
    assert cell(Statistic(-0.0000027, 0.0000002), in_millions) == "0.000 ±0.000"
    assert cell(Statistic(-0.0000027, 0.0000002), 1.0) == "-0.0000027 ±0.0000002"


def test_portfolio__refuses_tails_of_few_replications(monkeypatch) -> None:
    fund = TINY.parent / "portfolios" / "norrkoping_fund.yaml"
    text = shown("portfolio", fund, "-n", 15, monkeypatch=monkeypatch)

    assert "VaR and CVaR need 100 replications in the tail: use -n 2000 or more." in text
    assert re.search(r"CVaR 95 % of all together \(loss\)\s+-", text)
    content = json.loads(shown("portfolio", fund, "-n", 15, "--json", monkeypatch=monkeypatch))
    assert "cvar95" not in content["spread"]
    assert "spread.cvar95" in [one["statistic"] for one in content["refused"]]


def test_compare__keeps_the_quartiles_where_tails_are_thin(monkeypatch, tmp_path) -> None:
    shutil.copy(TINY, tmp_path / "other.yaml")
    content = json.loads(shown("compare", TINY, tmp_path / "other.yaml", "-n", 50, "--json", monkeypatch=monkeypatch))

    assert content["quantile_levels"] == [0.25, 0.5, 0.75]


def test_size__rounds_one_number_to_its_error(monkeypatch) -> None:
    asked = ("--free", "contract.terms.guarantee.share=0.3..0.95", "--smallest", "contract.terms.guarantee.share")
    text = shown("size", TINY, "-n", 200, *asked, "--such-that", "investor.p_loss <= 0.7", monkeypatch=monkeypatch)

    found = re.search(r"such that investor\.p_loss <= 0\.7: (\S+)\n.*: (\S+) to (\S+)\n", text)
    assert found is not None
    assert all(len(number) <= len("0.123") for number in found.groups())


def test_not_given__names_only_what_a_table_shows(monkeypatch) -> None:
    text = shown("run", TINY, "-n", 20, monkeypatch=monkeypatch)

    assert "Not given (fewer than 100 replications in the tail): investor.var95" in text
    assert "payback_months.p05" not in text
