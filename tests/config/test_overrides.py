"""What `--set path=value` and variants change, what they leave alone, and what they refuse."""

import re

import pytest

from simengine.config import find_study, load_study
from simengine.errors import StudyError, UsageError

TINY = find_study("tiny")
NORRKOPING = find_study("norrkoping")
SIZE = "population.waves.all.size"


def described(study):
    return {path: (str(number), number.source, number.certainty) for path, number in study.numbers.items()}


def changed(study, other):
    before, after = described(study), described(other)
    return {path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


@pytest.fixture
def with_variants(tmp_path):
    path = tmp_path / "study.yaml"
    variants = """
variants:
  larger: {population.waves.all.size: 30, capital.drawn_share: {distribution: uniform, low: 0.5, high: 1.0, certainty: U}}
  sourced: {measurement.baseline.size: 20}
  misspelt: {population.waves.all.sizes: 30}
  impossible: {capital.drawdown_months: 30}
"""
    text = TINY.read_text(encoding="utf-8").replace(
        "baseline: {size: 12,", "baseline: {size: {value: 12, source: S1, certainty: Q},"
    )
    path.write_text(text + variants, encoding="utf-8")
    return path


def test_set__replaces_one_number_and_keeps_the_rest():
    study = load_study(TINY, [f"{SIZE}=30"])

    assert changed(load_study(TINY), study) == {SIZE: ("30", None, None)}


def test_set__marks_a_sourced_number_as_a_choice():
    before = load_study(NORRKOPING)

    after = load_study(NORRKOPING, [f"{SIZE}=30"])

    assert described(before)[SIZE] == ("60", "S3, S7, S8", "Q")
    assert changed(before, after) == {SIZE: ("30", "--set", "choice")}


def test_set__marks_a_number_that_replaces_a_distribution_as_a_choice():
    after = load_study(NORRKOPING, ["capital.drawn_share=0.75"])

    assert described(after)["capital.drawn_share"] == ("0.75", "--set", "choice")


def test_set__reaches_into_the_contract_file():
    after = load_study(NORRKOPING, ["contract.commitment=5_000_000"])

    assert changed(load_study(NORRKOPING), after) == {"contract.commitment": ("5,000,000", "--set", "choice")}


def test_set__takes_a_distribution_with_a_source_of_its_own():
    distribution = "{distribution: uniform, low: 0.5, high: 1.0, source: S9, certainty: U}"

    after = load_study(NORRKOPING, [f"capital.drawn_share={distribution}"])

    assert described(after)["capital.drawn_share"] == ("uniform 0.5 to 1", "S9", "U")


def test_set__changes_one_parameter_of_a_distribution():
    path = "pathway.moves.home -> placed.per_month"

    after = load_study(TINY, [f"{path}.mean=0.05"])

    assert after.pathway.moves["home -> placed"].per_month.mean == 0.05
    assert after.pathway.moves["home -> placed"].per_month.sd == 0.01
    assert changed(load_study(TINY), after).keys() == {path}


def test_set__is_applied_in_order():
    study = load_study(TINY, [f"{SIZE}=30", "capital.drawn_share=0.5", f"{SIZE}=40"])

    assert changed(load_study(TINY), study) == {SIZE: ("40", None, None), "capital.drawn_share": ("0.5", None, None)}


def test_set__gives_a_value_to_a_key_that_the_file_leaves_out():
    study = load_study(TINY, ["population.waves.all.from_month=1", "run.seed=7"])

    assert study.population.waves["all"].from_month.value == 1
    assert study.run.seed == 7


@pytest.mark.parametrize(
    ("override", "get", "value"),
    [
        ("study.title=Another title", lambda study: study.study.title, "Another title"),
        ("study.title=a = b", lambda study: study.study.title, "a = b"),
        (" study.title =x", lambda study: study.study.title, "x"),
        ("study.start=2031-02", lambda study: study.study.start, "2031-02"),
        ("contract.commitment=1_000_000", lambda study: study.contract.commitment.value, 1_000_000),
        ("contract.terms.guarantee.contingent=true", lambda study: study.contract.terms["guarantee"].contingent, True),
        ("pathway.states=[home, placed]", lambda study: study.pathway.states, ("home", "placed")),
        ("population.strata.young.share=0.25", lambda study: study.population.strata["young"].share.value, 0.25),
        ("contract.terms.saving_share.cap=7", lambda study: study.contract.terms["saving_share"].cap.amount.value, 7),
        ("contract.terms.saving_share.cap.share=0.5", lambda study: study.contract.terms["saving_share"].cap.share.value, 0.5),
        (
            "effect.school_support.odds_ratio={value: 2, certainty: U}",
            lambda study: study.effect["school_support"].odds_ratio.value,
            2,
        ),
    ],
)
def test_set__takes_every_kind_of_value(override, get, value):
    assert get(load_study(TINY, [override])) == value


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "population.waves.all.sizes=3",
            "--set: population.waves.all.sizes: must be a path of the study; found no `sizes` in `population.waves.all`. "
            "Did you mean `size`?",
        ),
        ("populationn.waves.all.size=3", "found no `populationn` in `the study`. Did you mean `population`?"),
        ("population.waves.second.size=3", "found no `second` in `population.waves`. Keys here: all"),
        ("pathway.moves.placed->home.per_month=3", "found no `placed->home` in `pathway.moves`. Did you mean `placed -> home`?"),
        (f"{SIZE}.value.more=3", f"found no `more` in `{SIZE}.value`. Keys here: none"),
        ("pathway.states.0=x", "found no `0` in `pathway.states`. Keys here: none"),
        ("population..size=3", "found no `` in `population`. Keys here: waves, strata"),
        (f"{SIZE}=", f"--set: {SIZE}: must be a number; found None"),
        (f"{SIZE}=many", f"--set: {SIZE}: must be a number; found 'many'"),
        (f"{SIZE}=-1", f"--set: {SIZE}: a count must lie between 0 and 1e9; found -1"),
        (f"{SIZE}={'9' * 400}", f"--set: {SIZE}: must be a number; found 999"),
        ("measurement.baseline.size={distribution: uniform, low: 2, high: 3}", "measurement.baseline.size.distribution: this key is unknown. Known"),
        (f"{SIZE}=[1", "--set: must be a number, a word or a YAML value; found '[1'"),
        (f"{SIZE}=&x 1", "--set: must not use anchors and aliases (& and *)"),
        ("contract=", "--set: contract: must be `key: value` lines; found None"),
        ("contract.terms.guarantee.of=loan", "--set: contract.terms.guarantee.of: a term must refer to money"),
        ("capital.payment_month={guarantee: 12}", "--set: capital.payment_month: every term must have a month in which it is paid"),
        ("capital.payment_month.upside=30", "--set: capital.payment_month.upside: a term must be paid within the horizon"),
    ],
)  # fmt: skip
def test_set__refuses_with_its_own_name_as_the_place(override, text):
    with pytest.raises(StudyError, match=re.escape(text)) as caught:
        load_study(TINY, [override])

    assert {problem.where for problem in caught.value.problems} == {"--set"}


@pytest.mark.parametrize("override", [SIZE, "", "=3", " = 3"])
def test_set__refuses_what_is_not_path_and_value(override):
    text = f"--set: must be written path=value; found {override!r}"
    with pytest.raises(UsageError, match=f"^{re.escape(text)}$"):
        load_study(TINY, [override])


def test_set__names_the_line_of_the_file_that_no_longer_fits():
    # The window of 12 months no longer closes: that line stands in the file, and the override is not to blame alone.
    with pytest.raises(StudyError) as caught:
        load_study(TINY, ["study.horizon_months=16"])

    places = {problem.key: problem.where for problem in caught.value.problems}
    line = next(n for n, text in enumerate(TINY.read_text().splitlines(), start=1) if text.startswith("    saving: {outcome"))
    assert places["measurement.metrics.saving.window_months"] == f"{TINY}:{line}"


@pytest.mark.parametrize("override", [f"{SIZE}.value=30", "contract.terms.saving_share.floor.amount=5", f"{SIZE}.certainty=Q"])
def test_set__reaches_the_members_of_a_bare_number(override):
    path, _, value = override.partition("=")

    study = load_study(TINY, [override])

    assert value in str(described(study)[path.removesuffix(".value").removesuffix(".certainty")])


@pytest.mark.parametrize("override", [f"{SIZE}.value=30", "pathway.moves.hvb -> home.per_month.mean=0.1"])
def test_set__takes_the_old_source_from_a_number_of_which_a_member_was_changed(override):
    before = load_study(NORRKOPING)

    after = load_study(NORRKOPING, [override])

    assert [(source, certainty) for _, source, certainty in changed(before, after).values()] == [("--set", "choice")]


def test_set__takes_two_values_that_need_each_other():
    study = load_study(TINY, ["effect.sooner_home.fades_after_months=6", "effect.sooner_home.half_life_months=6"])

    assert study.effect["sooner_home"].half_life_months.value == 6


def test_variant__replaces_numbers_and_says_so(with_variants):
    before = load_study(with_variants)

    assert changed(before, load_study(with_variants, variant="larger")) == {
        SIZE: ("30", None, None),
        "capital.drawn_share": ("uniform 0.5 to 1", None, "U"),
    }
    assert changed(before, load_study(with_variants, variant="sourced")) == {
        "measurement.baseline.size": ("20", "variants.sourced", "choice"),
    }


def test_variant__comes_before_the_overrides(with_variants):
    study = load_study(with_variants, [f"{SIZE}=50"], variant="larger")

    assert study.population.waves["all"].size.value == 50
    assert str(study.capital.drawn_share) == "uniform 0.5 to 1"


def test_variant__is_refused_under_its_name(with_variants):
    text = "(variants.misspelt): population.waves.all.sizes: must be a path of the study; found no `sizes`"
    with pytest.raises(StudyError, match=re.escape(text)):
        load_study(with_variants, variant="misspelt")
    text = "(variants.impossible): capital.drawdown_months: the loan must be drawn within the horizon of 24 months"
    with pytest.raises(StudyError, match=re.escape(text)):
        load_study(with_variants, variant="impossible")


def test_variant__is_one_of_the_study(with_variants):
    with pytest.raises(
        UsageError, match=r"must be a variant of the study; found 'other'\. Its variants: larger, sourced, misspelt, impossible"
    ):
        load_study(with_variants, variant="other")
    with pytest.raises(UsageError, match=r"must be a variant of the study; found 'other'\. Its variants: none"):
        load_study(TINY, variant="other")


def test_study__is_found_by_its_name():
    assert find_study("tiny").name == "tiny.yaml"
    with pytest.raises(UsageError, match="must be the name of a study that comes with simengine; found 'absent'"):
        find_study("absent")
