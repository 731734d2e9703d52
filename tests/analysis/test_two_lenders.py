"""Where several parties lend or pay, every answer names them apart: on the study of docs/how-to/who-lends-what.md."""

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from simengine.cohort import simulate_cohort
from simengine.config import cohort_of, load_contract, load_portfolio, load_study
from simengine.config.request import Requested, with_request
from simengine.config.roles import totals_of, with_money
from simengine.contract_text.curves import _places, _reach
from simengine.errors import StudyError, UsageError
from simengine.pipeline import evaluate, simulate
from simengine.questions.attribute.answer import portions
from simengine.questions.compare.answer import compare_contracts
from simengine.questions.information.answer import Decision, value_information
from simengine.questions.portfolio.answer import hold
from simengine.questions.retrospect.answer import look_back
from simengine.questions.retrospect.picture import _unit
from simengine.questions.reverse.answer import read_criterion, reverse_stress
from simengine.questions.run import trust
from simengine.questions.run.picture import draw_run
from simengine.questions.run.tables import risk_tables
from simengine.questions.sensitivity.answer import sensitivity
from simengine.questions.stress.answer import stress_study
from simengine.questions.stress.named import stresses_of
from simengine.questions.trace.answer import trace
from simengine.questions.trace.tables import trace_tables
from simengine.questions.value.answer import find_wrong_pockets
from simengine.questions.window.answer import compare_windows
from simengine.replications.blocks import run_study
from simengine.replications.ensemble import Ensemble, settled
from simengine.replications.money import chosen_parties, money_of, settled_money
from simengine.replications.precision import read_goals, run_until, statistic_of
from simengine.replications.settling import cache_evidence
from simengine.report.units import money_unit
from simengine.risk import summarise
from simengine.settlement import payment_marks
from simengine.streams import seed_of

ACTIVE = ("bank", "foundation", "guarantor", "outcome_payer", "region", "service_provider", "manager")
"""Everybody whose money the study moves: the party called investor lends nothing."""
N = 30


def shown(content) -> str:
    """Return what a table says, wide enough that no line is folded."""
    console = Console(width=400, file=StringIO())
    console.print(content)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def path(checkout, tmp_path_factory):
    page = (checkout / "docs" / "how-to" / "who-lends-what.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- save lends\.yaml -->\s+```yaml\n(.*?)```", page, re.DOTALL)
    file = tmp_path_factory.mktemp("lends") / "lends.yaml"
    file.write_text(found[1], encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def study(path):
    return load_study(path)


@pytest.fixture(scope="module")
def evidence(study):
    return simulate(study, 1, np.arange(N))


@pytest.fixture(scope="module")
def results(study, evidence):
    return evaluate(study, evidence)


@pytest.fixture(scope="module")
def table(results):
    return summarise(results)


# ------------------------------------------------ what a run says ------------------------------------------------


def test_columns__are_each_partys_own(study, results):
    # Invariants: net is cash and value; over all parties cash sums to 0; a lender's tranche is its money.
    for party in study.parties:
        np.testing.assert_array_equal(results[f"{party}.net"], results[f"{party}.cash"] + results[f"{party}.value"], err_msg=party)
    assert sum(results[f"{party}.cash"] for party in study.parties) == pytest.approx(np.zeros(N), abs=1e-6)
    for lender, tranche in (("bank", "senior"), ("foundation", "junior")):
        for mine, its in (("net", "net"), ("money_in", "paid_in"), ("money_back", "money_back"), ("moic", "moic"), ("irr", "irr")):
            np.testing.assert_array_equal(results[f"{lender}.{mine}"], results[f"tranche.{tranche}.{its}"])
    np.testing.assert_allclose(results["all_lenders.net"], results["bank.net"] + results["foundation.net"])
    np.testing.assert_array_equal(results["all_lenders.money_in"], results["drawn"])
    assert not results["investor.net"].any()


def test_table__has_a_section_for_each_lender_and_payer(study, table):
    content = {**table.sections, **trust.trust_content(table)}
    for lender in ("bank", "foundation", "all_lenders"):
        assert {"money_in", "money_back", "net", "npv", "p_loss", "peak_funding", "irr_status", "payback_status"} <= set(
            content[lender]
        )
    for payer in ("outcome_payer", "region", "all_payers"):
        assert {"payment", "true_saving", "net", "npv", "p_loss"} <= set(content[payer])
    assert "investor" not in content
    assert tuple(content["exceedance"]) == tuple(content["diagnostics"]["split_half"]) == ACTIVE
    assert content["payment_against_saving"]["expected_payment"] == content["all_payers"]["payment"]["mean"]


def test_table__is_of_the_party_that_it_names(results, table):
    # Source: the columns of the party.
    for name in ("bank", "foundation", "all_lenders", "outcome_payer", "region", "all_payers"):
        assert table[f"{name}.net.mean"].value == pytest.approx(results[f"{name}.net"].mean())
        assert table[f"{name}.p_loss"].value == pytest.approx((results[f"{name}.net"] < 0).mean())


def test_terminal__names_bank_and_foundation_apart(study, table):
    text = shown(risk_tables(study, table, 1))
    for title in ("Investor: Bank", "Investor: Foundation", "All lenders: Bank, Foundation"):
        assert title in text
    for title in ("Outcome payer: Town", "Outcome payer: Region", "All payers: Town, Region"):
        assert title in text
    assert not re.search(r"^\s*Lenders ", text, re.MULTILINE)


def test_pictures__have_a_panel_for_each_lender_and_payer(study, results, table):
    svg = draw_run(study, results, table, payment_marks(study.contract, results))["svg"].decode()
    for title in ("gets: Bank", "gets: Foundation", "saves: Town", "saves: Region"):
        assert title in svg
    curves = trust.draw_exceedance(study, table, results)["svg"].decode()
    assert all(study.parties[party].name in curves for party in ACTIVE)
    assert "investor" not in curves


def test_trace__shows_what_each_party_is_left_with(study, results):
    found = trace(study, 1, 3)
    for name in ("bank.net", "foundation.net", "all_lenders.net", "region.net"):
        assert found.result[name] == results[name][3]
    text = shown(trace_tables(study, found)).partition("What each party is left with")[2]
    assert [line.split()[0] for line in text.splitlines() if line.strip()][2:] == list(ACTIVE)


# ------------------------------------------------ what is asked of the money ------------------------------------------------


def test_questions__speak_of_the_parties_that_have_money(study, evidence, results):
    ensemble = Ensemble(1, N, threads=1)
    compared = compare_contracts(study, {"same": study.contract}, ensemble, 0.95)
    stressed = stress_study(study, {"volume": stresses_of(study)["volume"]}, ensemble, 0.95)
    assert compared.parties == stressed.parties == ACTIVE
    for party in ACTIVE:
        mean = results[f"{party}.net"].mean()
        assert compared.standings["own"][party].net.value == pytest.approx(mean)
        assert stressed.base[party].net.value == pytest.approx(mean)
        assert compared.standings["own"][party].p_loss.value == (results[f"{party}.net"] < 0).mean()
    money = settled_money(study, evidence)
    np.testing.assert_array_equal(money["bank.net"], results["bank.net"])
    shares = portions({party: money[f"{party}.net"] for party in ACTIVE}, 0.5)
    # Invariant: cash cancels between the parties, so that all together bear the spread of the public value alone.
    everything = results["outcome_payer.value"] + results["region.value"]
    assert shares["all"].sd.value == pytest.approx(everything.std(ddof=1))


def test_sensitivity__is_of_each_party_or_of_a_role(study, results):
    found = sensitivity(study, Ensemble(1, N, threads=1), 16, 4, 2, parties=["foundation", "all_lenders"])
    assert tuple(found.parties) == ("foundation", "all_lenders")
    for name, one in found.parties.items():
        assert one.mean.value == pytest.approx(results[f"{name}.net"].mean())


def test_sums__settle_parties_and_roles_as_a_run_does(study, evidence, results):
    names = [*ACTIVE, *totals_of(study)]
    tallies = simulate_cohort(cohort_of(study), evidence.draws)
    columns = cache_evidence(study, evidence.draws, tallies, names).settle(study, {}, ())
    for name in names:
        np.testing.assert_array_equal(columns[f"{name}.net"], results[f"{name}.net"])
        np.testing.assert_array_equal(columns[f"{name}.npv"], results[f"{name}.npv"])


def test_money_of_lenders__is_asked_of_all_of_them(study, evidence, results):
    columns = settled(study, evidence.draws, evidence.tallies, evidence.measurements)
    np.testing.assert_array_equal(columns["all_lenders.money_back"], results["all_lenders.money_back"])
    np.testing.assert_array_equal(columns["all_payers.payment"], results["outcome_payer.payment"] + results["region.payment"])
    np.testing.assert_allclose(columns["all_payers.net"], results["all_payers.net"], atol=1e-6)


def test_side_payments__are_between_those_who_have_money(study):
    found = find_wrong_pockets(study, Ensemble(1, N, threads=1))
    assert tuple(found.public_value) == ACTIVE
    assert "investor" not in found.among


def test_per_cent_of_the_money_drawn__is_of_the_lenders_own(study, results):
    # Source: hand arithmetic on the columns: half of what the foundation paid in, not of what all did.
    columns = money_of(results)
    margin = read_criterion("foundation.loss > 50%").margin(columns)
    np.testing.assert_allclose(margin, -results["foundation.net"] - 0.5 * results["foundation.money_in"])
    margin = read_criterion("all_lenders.loss > 50%").margin(columns)
    np.testing.assert_allclose(margin, -results["all_lenders.net"] - 0.5 * results["drawn"])


def test_wishes__of_both_sides_are_those_of_every_party_in_them(study):
    asked = with_request(study, Requested(free=["capital.recycled_share=0..1"]))
    assert list(asked.sizing.parties) == ["bank", "foundation", "outcome_payer", "region"]


# ------------------------------------------------ whose money is meant ------------------------------------------------


def refusals(study, path):
    """Ask in every way for the money of a party that only lends its name to a role."""
    free = ["capital.recycled_share=0..1"]
    yield lambda: with_request(study, Requested(free=free, limits=["investor.p_loss <= 0.1"]))
    yield lambda: with_request(study, Requested(free=free, objectives=["investor.expected_npv"]))
    yield lambda: with_request(study, Requested(free=free, beliefs=["investor: effect.recovery.hazard_ratio=1"]))
    yield lambda: run_until(study, 1, read_goals("investor.p_loss se<0.1"), 1000)
    yield lambda: reverse_stress(study, read_criterion("investor.loss > 50%"), Ensemble(1, 4), 2)
    yield lambda: sensitivity(study, Ensemble(1, 4), 16, 2, 2, parties=["investor"])
    yield lambda: chosen_parties(["investor"], study)
    yield lambda: value_information(study, Decision("investor"), Ensemble(1, 500))
    yield lambda: value_information(study, Decision("region", ("investor",)), Ensemble(1, 500))
    yield lambda: load_study(path, ["known={a: {of: investor.net, value: 0, certainty: Q}}"])
    yield lambda: load_study(path, ["behaviour={party: investor, efforts: {e: {levels: [1, 2]}}}"])


def test_the_money_of_nobody__is_refused_with_the_names_of_the_lenders(study, path):
    for ask in refusals(study, path):
        with pytest.raises((UsageError, StudyError), match="whose money the study moves; found `investor`") as refused:
            ask()
        assert "Who lend: bank, foundation, together all_lenders" in str(refused.value)


def test_a_goal__says_whose_money_it_is_about(study, table):
    paths = [f"{name}.p_loss" for name in ("bank", "foundation", "all_lenders")]
    assert [statistic_of(study, read_goals(f"{path} se<1")[0], paths) for path in paths] == paths
    rule = r"must say whose money .* found 'p_loss'\. One of: bank\.p_loss, foundation\.p_loss, all_lenders\.p_loss"
    with pytest.raises(UsageError, match=rule):
        statistic_of(study, read_goals("p_loss se<1")[0], paths)


def test_a_goal_without_a_name__is_about_the_only_lender_whatever_it_is_called(tiny_path):
    # Invariant: a lender is whoever holds the tranches.
    names = ("investor", "outcome_payer", "service_provider", "bank")
    parties = ", ".join(f"{name}: {{name: {name}, discount_rate_per_year: 0.03}}" for name in names)
    study = load_study(tiny_path, [f"parties={{{parties}}}", "capital.tranches={loan: {holder: bank, size: rest}}"])
    table = summarise(run_study(study, 1, 4, threads=1))
    assert "investor" not in table.sections
    assert statistic_of(study, read_goals("p_loss se<1")[0], ["bank.p_loss", "investor.p_loss"]) == "bank.p_loss"


def test_a_total_of_one__is_refused(tiny):
    with pytest.raises(UsageError, match=r"found `all_lenders`.* Who lends: investor; who pays: outcome_payer"):
        chosen_parties(["all_lenders"], tiny)


def test_roles__are_taken_from_what_the_study_says(study, tiny):
    assert with_money(study) == ACTIVE
    assert totals_of(study) == ("all_lenders", "all_payers")
    assert (with_money(tiny), totals_of(tiny)) == (("investor", "outcome_payer", "service_provider"), ())


def test_prices_of_the_start__are_of_the_partys_own_cash(path):
    # Invariant: where prices do not rise, real cash is cash.
    results = evaluate(study := load_study(path, ["prices={growth_per_year: 0}"]), simulate(study, 1, np.arange(4)))
    for party in study.parties:
        np.testing.assert_allclose(results[f"{party}.real_cash"], results[f"{party}.cash"], atol=1e-6)


def test_retrospect__holds_each_lender_and_the_total_against_what_is_known(path):
    known = (
        "known={a: {of: bank.money_back, stands: above, value: 0, certainty: Q}, b: {of: all_lenders.net, value: 0, certainty: Q}}"
    )
    found = look_back(load_study(path, [known]), Ensemble(1, N, threads=1))
    assert set(found.places) == {"a", "b"}
    assert not any(name.startswith("investor.") for name in found.columns)


def test_windows__need_no_party_called_investor(path):
    # Invariant: the money of all lenders and payers, at the window that the study has, is that of the run.
    sets = ["contract.dates={}", "contract.terms.first_wave.at=[]", "contract.terms.second_wave.at=[]"]
    sets += ["capital.payment_month={first_wave: 24, second_wave: 36}"]
    changed = load_study(path, sets)
    found = compare_windows(changed, [12], Ensemble(1, 4, threads=1))
    results = run_study(changed, 1, 4, threads=1)
    assert found.windows[0].money_back.value == pytest.approx(results["all_lenders.money_back"].mean())
    assert found.windows[0].payer_net.value == pytest.approx(results["all_payers.net"].mean())


# ------------------------------------------------ portfolios and pictures ------------------------------------------------


def portfolio(tmp_path, path, kind, party):
    """Load a portfolio that holds the study twice, of whom it says whose money is held."""
    (tmp_path / "lends.yaml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    held = f", party: {party}" if party else ""
    heading = f"portfolio: {{title: A book, currency: EUR, kind: {kind}, capital: 500_000, months: 60}}"
    projects = "\n".join(f"  {name}: {{study: lends.yaml{held}}}" for name in ("one", "two"))
    (tmp_path / "book.yaml").write_text(f"{heading}\nprojects:\n{projects}\n", encoding="utf-8")
    return load_portfolio(tmp_path / "book.yaml")


@pytest.mark.parametrize(("kind", "parties"), [("investors_book", ("foundation", "all_lenders")), ("outcomes_fund", ("region",))])
def test_portfolio__holds_the_money_of_whom_it_names(tmp_path, path, study, kind, parties):
    # Invariant: a project's result is what the party, or the role, gets in a run with the seed of the project.
    results = run_study(study, seed_of(1, "one"), 8, threads=1)
    for party in parties:
        found = hold(portfolio(tmp_path, path, kind, party), Ensemble(1, 8, threads=1))
        cash = "all_lenders.net" if party == "all_lenders" else f"{party}.cash"
        np.testing.assert_array_equal(found.results["one"], results[cash])


@pytest.mark.parametrize(
    ("kind", "party", "message"),
    [
        ("investors_book", None, r"projects\.one\.party: must say whose money is held .* One of: bank, foundation, all_lenders"),
        ("revolving_fund", "investor", r"must be a party of the study that lends; found `investor`\. One of: bank, foundation"),
        ("outcomes_fund", "bank", r"that pays under the contract; found `bank`\. One of: outcome_payer, region, all_payers"),
    ],
)
def test_portfolio__refuses_money_that_it_cannot_tell(tmp_path, path, kind, party, message):
    with pytest.raises(StudyError, match=message):
        portfolio(tmp_path, path, kind, party)


SOME_DRAWN = "capital.drawn_share={distribution: uniform, low: 0.4, high: 1.0}"


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        # From the terms: 40 % guaranteed, 40 + 60 + 20 % at most, whatever is drawn.
        ((), {"guarantee": 0.4, "cap": 1.2}),
        ((SOME_DRAWN,), {"guarantee": 0.4, "cap": 1.2}),
        # A cap in money is another share of each amount that is drawn; of one amount it is one: 0.4 + 0.8 / 2 + 0.2.
        ((SOME_DRAWN, "contract.terms.saving_share.cap=800000"), {"guarantee": 0.4}),
        (("contract.terms.saving_share.cap=800000",), {"guarantee": 0.4, "cap": 1.0}),
        (("capital.drawn_share=0.5", "contract.terms.saving_share.cap=800000"), {"guarantee": 0.4, "cap": 1.4}),
        # A guarantee in money, and so a cap too.
        ((SOME_DRAWN, "contract.terms.guarantee={amount: 500000, contingent: false}"), {}),
        # What comes back is not what is paid, once somebody else is paid from it: no level of the contract is one of money back.
        (
            (
                "capital.costs={work: {payee: investor, amount: 1000000}, fee: {payee: service_provider, share_of_income: 0.1}}",
                "capital.shortfall=allowed",
            ),
            {},
        ),
    ],
)
def test_marks__are_in_the_unit_of_the_axis_or_missing(tiny_path, changes, marks):
    study = load_study(tiny_path, changes)
    assert payment_marks(study.contract, run_study(study, 1, 20, threads=1)) == pytest.approx(marks, abs=1e-3)


def test_marks__of_one_lender_are_not_those_of_the_contract(study, results):
    assert payment_marks(study.contract, results) == {}


def test_payer_picture__counts_what_it_shows(study, results):
    # What a payer gets in other roles moves its net, and none of the points: above the diagonal it pays more than it saves.
    loses = replace(results, columns={**results.columns, "outcome_payer.net": -np.ones(N)})
    svg = draw_run(study, loses, summarise(loses), {})["svg"].decode()
    above = (results["outcome_payer.payment"] > results["outcome_payer.true_saving"]).mean()
    assert 0 < above < 1
    assert "pays more than it saves -->" in svg
    assert f"<!-- {100 * above:.1f} %" in svg
    assert "<!-- 100.0 %" not in svg


def test_look_back_picture__has_each_axis_in_its_own_unit(study):
    units = {of: _unit(study, of) for of in ("bank.payback_months", "bank.moic", "bank.irr", "bank.money_back")}
    assert units["bank.payback_months"] == (1.0, "months")
    assert (units["bank.moic"][0], units["bank.irr"][0]) == (1.0, 1.0)
    assert units["bank.money_back"] == money_unit(study)


def test_curve__of_an_outcome_that_is_no_money_is_drawn_in_its_own_unit(checkout):
    # A contract that pays for each of 40 days has an axis of days, not one of the commitment.
    contract = load_contract(checkout / "configs" / "contracts" / "norrkoping.yaml")
    saving = contract.metrics["saving"]
    days = contract.model_copy(update={"metrics": {**contract.metrics, "saving": saving.model_copy(update={"unit": "days"})}})
    assert _reach(contract, "saving", 40.0) == contract.commitment.value
    assert _reach(days, "saving", 40.0) == 40.0
    assert _places(40.0, [], 40.0).max() < 100
