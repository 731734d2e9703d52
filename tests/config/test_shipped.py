"""The shipped studies load, and those of real contracts say of every number where it comes from and how sure it is."""

from collections.abc import Mapping

import pytest

from simengine.config import find_study, load_contract, load_study
from simengine.config.document import read_document
from simengine.contract_text.lint import lint_contract
from simengine.distributions import ASSUMED, Constant
from simengine.report.document import assumptions
from simengine.settlement import replay

NORRKOPING = find_study("norrkoping")
STUDIES = sorted(NORRKOPING.parent.glob("*.yaml"))
CONTRACTS = sorted((NORRKOPING.parent / "contracts").glob("*.yaml"))
READING_B = NORRKOPING.parent / "contracts" / "norrkoping_reading_b.yaml"
PETERBOROUGH = find_study("peterborough")
REAL = [path for path in STUDIES if path.stem != "tiny"]
# Of these rate cards prices are published, and payments only in all, which do not say who reached what.
PRICES_ALONE = {"women_in_recovery", "iaam_adoption", "fair_chance_fund", "santa_clara_welcome_home"}
# Nobody signed the first two, and no result of the others was found.
WITHOUT_RESULT = {"two_lenders", "outcomes_fund_children", "vgr_school_completion"} | PRICES_ALONE
VARIANTS = [(path, variant) for path in REAL for variant in (None, *read_document(path).content.get("variants", {}))]


def numbers_in(node, path=""):
    """Walk the raw file: every bare number, and every mapping that is a number with its certainty, with its path."""
    if isinstance(node, Mapping) and ("value" in node or "distribution" in node):
        yield path, node
    elif isinstance(node, Mapping | list):
        for name, child in node.items() if isinstance(node, Mapping) else enumerate(node):
            yield from numbers_in(child, f"{path}.{name}" if path else str(name))
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield path, node


def sources_of(text):
    return [code.strip() for code in (text or "").split(",") if code.strip()]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_study__loads_with_each_of_its_variants(path):
    study = load_study(path)

    for variant in study.variants:
        load_study(path, variant=variant)


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_contract__loads_by_itself(path):
    contract = load_contract(path)

    assert contract.commitment.value > 0
    assert bool(contract.published) != (path.stem in PRICES_ALONE)


@pytest.mark.parametrize("path", [*REAL, *CONTRACTS], ids=lambda path: path.stem)
def test_file__gives_every_number_a_certainty(path):
    # The variants are left out: a bare number there enters the study as a choice, which the next test sees.
    content = {key: section for key, section in read_document(path).content.items() if key != "variants"}

    # The months from which a series holds and the edge of a target are part of what is asked, not numbers of a distribution.
    asked = (".from_months.", ".at_least", ".at_most")
    numbers = {
        key: number
        for key, number in numbers_in(content)
        if not (key.startswith(("pathway", "events", "outcomes", "population.selection")) and any(k in key for k in asked))
        # So are the ranges of a sizing, and the levels between which people choose.
        and not key.startswith("sizing.")
        and ".levels." not in key
    }

    assert len(numbers) > 5
    assert [key for key, number in numbers.items() if not isinstance(number, Mapping) or "certainty" not in number] == []


@pytest.mark.parametrize(("path", "variant"), VARIANTS)
def test_study__gives_every_number_a_certainty(path, variant):
    study = load_study(path, variant=variant)

    without = [path for path, number in study.numbers.items() if number.certainty is None]

    assert without == []


@pytest.mark.parametrize(("path", "variant"), VARIANTS)
def test_study__draws_what_it_assumes_from_a_distribution(path, variant):
    study = load_study(path, variant=variant)

    # Contracts and correlations hold no distributions: what is assumed of them is printed as assumed without one.
    assumed = {
        path: number
        for path, number in study.numbers.items()
        if number.certainty in ASSUMED and not path.startswith(("contract.", "correlations."))
    }

    assert len(assumed) >= 10
    assert [path for path, number in assumed.items() if isinstance(number, Constant)] == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_study__draws_nothing_that_it_calls_stated(path):
    # A number that a source states, or that follows from it, is that number in every replication.
    study = load_study(path)

    stated = [path for path, number in study.numbers.items() if number.certainty in ("Q", "D", "choice")]

    assert [path for path in stated if not isinstance(study.numbers[path], Constant)] == []


@pytest.mark.parametrize(("path", "variant"), VARIANTS)
def test_study__lists_every_source_that_it_names(path, variant):
    study = load_study(path, variant=variant)
    known = set(study.study.sources) | set(study.contract.sources) | {f"variants.{variant}"}

    named = {path: sources_of(number.source) for path, number in study.numbers.items()}
    named |= {name: sources_of(assumption.source) for name, assumption in study.study.takes_for_granted.items()}

    assert {path: codes for path, codes in named.items() if not known.issuperset(codes)} == {}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.stem)
def test_contract__lists_every_source_that_it_names(path):
    contract = load_contract(path)
    content = read_document(path).content

    named = {key: sources_of(number["source"]) for key, number in numbers_in(content)}

    assert {key: codes for key, codes in named.items() if not codes or not set(codes) <= set(contract.sources)} == {}


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_study__gives_an_address_for_every_source(path):
    study = load_study(path)
    sources = [item for item in (*study.study.sources.items(), *study.contract.sources.items()) if item[0] != "own"]

    assert [code for code, text in sources if "http://" not in text and "https://" not in text] == []
    assert [code for code, text in sources if study.study.sources[code] != text] == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_study__needs_a_source_for_what_is_stated_or_derived(path):
    study = load_study(path)

    without = [path for path, number in study.numbers.items() if number.certainty in ("Q", "D", "C") and not number.source]

    assert without == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_study__explains_every_finding_of_the_contract_check(path):
    findings = lint_contract(load_study(path).contract)

    assert [finding.key for finding in findings if not finding.explained] == []


@pytest.mark.parametrize(("path", "variant"), VARIANTS)
def test_ledger__is_complete(path, variant):
    # Invariant: walked once more over the plain data: every mapping of the study with a value or a distribution, its contract's
    # included, stands in the ledger with its path, and so does every assumption in words.
    study = load_study(path, variant=variant)
    ledger = {entry["path"]: entry for entry in assumptions(study)}
    content = study.model_dump(mode="json")
    for section in ("known", "promise", "correlations", "variants"):
        content.pop(section)
    content["contract"].pop("published")

    numbers = {key: number for key, number in numbers_in(content) if isinstance(number, Mapping)}

    assert sorted(set(numbers) - set(ledger)) == []
    assert {f"study.takes_for_granted.{name}" for name in study.study.takes_for_granted} <= set(ledger)
    assert [key for key, number in numbers.items() if ledger[key]["certainty"] != number["certainty"]] == []
    assert [key for key, entry in ledger.items() if entry["certainty"] in ASSUMED and not entry["is_assumed"]] == []


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_known__is_no_part_of_the_question(path):
    # Invariant: what is known to have happened changes no draw: the study without it has the same numbers.
    study = load_study(path)

    assert not any(name.startswith("known") for name, _ in study.numbers.items())
    assert list(study.numbers) == list(study.model_copy(update={"known": {}}).numbers)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_known__says_where_it_comes_from(path):
    study = load_study(path)

    assert [name for name, known in study.known.items() if not known.source] == []
    assert bool(study.known) != (path.stem in WITHOUT_RESULT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("population.waves.all.size", 60),
        ("measurement.baseline.size", 61),
        ("measurement.metrics.saving.window_months", 24),
        ("measurement.metrics.school.window_months", 24),
        ("outcomes.school_qualified.at_month", 24),
        ("contract.commitment", 10_000_000),
        ("contract.terms.guarantee.share", 0.40),
        ("contract.terms.saving_share.share", 0.60),
        ("contract.terms.saving_share.cap.share", 0.60),
        ("contract.terms.upside.cap.share", 0.20),
    ],
)
def test_norrkoping__says_what_its_sources_say(path, value):
    # Source: 60 children (Altinget; Vision), 61 earlier ones (NT), two years of follow-up (socialeinvesteringer.nu), a loan of
    # up to 10 M SEK with 40 % guaranteed, 60/40 sharing and a total return capped at 20 % (final report's abstract).
    assert load_study(NORRKOPING).numbers[path].value == value


@pytest.mark.parametrize("saving", [-3e6, 0, 3e6, 5e6, 10e6, 25e6])
def test_norrkoping__has_a_variant_that_pays_like_the_other_contract_file(saving):
    # Invariant: two ways to say one contract.
    one, other = load_study(NORRKOPING, variant="reading_b").contract, load_contract(READING_B)

    got, expected = (replay(contract, {"saving": saving, "school": 0.1}, 10e6) for contract in (one, other))

    assert got.amount.tolist() == expected.amount.tolist()


def test_norrkoping__compares_with_people_of_three_and_a_half_years_before():
    # Source: hand arithmetic. From January 2013 to August 2016 are 43 months, 3.58 years; the file rounds to 3.6.
    study = load_study(NORRKOPING)

    assert study.study.start == "2016-08"
    assert study.measurement.baseline.years_before.value == pytest.approx(43 / 12, abs=0.02)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("measurement.matched.per_person", 10),
        ("measurement.metrics.reduction.window_months", 12),
        ("measurement.metrics.reduction.lag_months", 6),
        ("measurement.baseline.size", 1088),
        ("contract.commitment", 5_000_000),
        ("contract.terms.cohort_1_payment.per_wave.only_if.reduction.at_least", 0.10),
        ("contract.terms.cohort_2_payment.per_wave.only_if.reduction.at_least", 0.10),
        ("contract.terms.pooled_payment.only_if.reduction.at_least", 0.075),
        ("contract.dates.final.month", 82),
    ],
)
def test_peterborough__says_what_its_sources_say(path, value):
    # Source: up to 10 men matched to each (P3, P8); convictions for offences within 12 months, 6 more for the courts (P4 to P6);
    # 1,088 men of the series before (P15); 5 M GBP raised (P4); 10 % in a cohort, else 7.5 % over all of them (P3); paid in July
    # 2017 (P4), 82 months after September 2010.
    assert load_study(PETERBOROUGH).numbers[path].value == value


def test_peterborough__has_a_variant_of_one_cohort_and_its_own_trigger_alone():
    # Source: 10 % in any cohort (P3), said of the first alone. Its people and its term are those of the study.
    study, whole = load_study(PETERBOROUGH, variant="one_cohort"), load_study(PETERBOROUGH)

    assert list(study.population.waves) == ["cohort_1"]
    assert list(study.contract.terms) == ["cohort_1_payment"]
    assert study.contract.terms["cohort_1_payment"] == whole.contract.terms["cohort_1_payment"]


def test_peterborough__pays_what_its_contract_file_pays():
    # Invariant: the study settles the signed form, by cohort with a fallback, as `replay` does.
    assert load_study(PETERBOROUGH).contract == load_contract(PETERBOROUGH.parent / "contracts" / "peterborough.yaml")


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("women_in_recovery", "contract.terms.card.rate_card.graduated.price", 5_646),
        ("women_in_recovery", "contract.terms.card.cap_per_person", 22_584),
        ("women_in_recovery", "contract.terms.card.cap_in_all", 625 * 22_584),
        ("women_in_recovery", "outcomes.free_at_54.at_month", 54),
        ("iaam_adoption", "contract.terms.card.cap_per_person", 8_000 + 23_000 + 6_800 + 15_800),
        ("iaam_adoption", "contract.terms.breakdowns_beyond_a_tenth.price", 6_800 + 15_800),
        ("iaam_adoption", "contract.terms.card.cap_in_all", 650 * 53_600),
        ("iaam_adoption", "capital.tranches.bond.coupon_per_year", 0.04),
        ("fair_chance_fund", "contract.terms.card.cap_per_person", 15_000),
        ("fair_chance_fund", "contract.terms.card.rate_card.qualified.price", 5_100),
        ("santa_clara_welcome_home", "contract.terms.card.cap_in_all", 12_000_000),
        ("santa_clara_welcome_home", "contract.terms.card.rate_card.month_after.price", (1_242 + 1_863 + 2_484 + 6_831) / 12),
        ("denver_supportive_housing", "contract.terms.housing.rate_card.housed_days.price", 15.12),
        ("denver_supportive_housing", "contract.terms.fewer_days_in_jail.price", 5_104_000 / 0.319),
        ("denver_supportive_housing", "contract.total_cap.amount", 11_420_000),
    ],
)
def test_rate_cards__say_what_their_sources_say(name, path, value):
    # Source: the articles and fact sheets named in the files; sums are shown.
    assert load_study(find_study(name)).numbers[path].value == pytest.approx(value)


@pytest.mark.parametrize("name", sorted(PRICES_ALONE))
def test_rate_cards__have_the_contract_of_their_file(name):
    # Invariant: a study pays as `replay` of its contract does.
    assert load_study(find_study(name)).contract == load_contract(NORRKOPING.parent / "contracts" / f"{name}.yaml")
