"""Every mistake planted in a copy of the tiny study is found, and named with file, line, key and rule."""

import re

import pytest

from simengine.config import find_study, load_contract, load_study
from simengine.errors import StudyError

TINY = find_study("tiny")


def plant(folder, *changes):
    """Copy the tiny study with some of its text replaced; each piece of text stands in it once."""
    text = TINY.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path):
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return caught.value.problems


def line_of(path, snippet):
    """Return the number of the line on which a piece of text stands that is in the file once; blank lines before it do not count."""
    text = path.read_text(encoding="utf-8")
    assert text.count(snippet) == 1, snippet
    start = text.index(snippet) + len(snippet) - len(snippet.lstrip("\n"))
    return text.count("\n", 0, start) + 1


# By name: what is replaced, by what, the key with its rule and what was found, and what stands on its line (if not the change).
PLANTED = {
    "unknown key": ("drawdown_months: 6", "drawdown_months: 6\n  quota: 3",
        "capital.quota: this key is unknown. Known keys here: draws", "quota: 3"),
    "misspelt key": ("{size: 12, enrol", "{sizes: 12, size: 12, enrol",
        "population.waves.all.sizes: this key is unknown. Did you mean `size`?"),
    "misspelt section": ("public_value:", "public_values: {}\npublic_value:",
        "public_values: this key is unknown. Did you mean `public_value`?", "public_values:"),
    "missing section": ("run: {replications: 2_000}", "", "run: must be given", "\nstudy:\n"),
    "missing key": ("drawdown_months: 6", "",
        "capital.drawdown_months: a loan that is drawn as scheduled must take some months; found no `drawdown_months`", "capital:"),
    "section without lines": ("run: {replications: 2_000}", "run: 2_000", "run: must be `key: value` lines; found 2000"),
    "no waves": ("all: {size: 12, enrolment_months: 6}", "{}",
        "population.waves: must have 1 or more entries; found {}", "waves:"),
    "text for a number": ("size: 12, enrol", "size: twelve, enrol",
        "population.waves.all.size: must be a number; found 'twelve'"),
    "true for a number": ("size: 12, enrol", "size: true, enrol", "population.waves.all.size: must be a number; found True"),
    "infinite number": ("size: 12, enrol", "size: .inf, enrol",
        "population.waves.all.size: must be a finite number; found inf"),
    "negative size": ("size: 12, enrol", "size: -12, enrol",
        "population.waves.all.size: a count must lie between 0 and 1e9; found -12"),
    "half a person": ("size: 12, enrol", "size: 12.5, enrol",
        "population.waves.all.size: a count must be a whole number; found 12.5"),
    "unknown certainty": ("size: 12, enrol", "size: {value: 12, certainty: X}, enrol",
        "population.waves.all.size.certainty: must be Q, D"),
    "number for a title": ("title: A tiny contract for twelve people", "title: 12", "study.title: must be text; found 12"),
    "month 13": ("start: 2030-01 ", "start: 2030-13 ", "study.start: must be a month, as 2030-01; found '2030-13'"),
    "negative seed": ("replications: 2_000}", "replications: 2_000, seed: -1}",
        "run.seed: must be at least 0; found -1"),
    "one replication": ("replications: 2_000}", "replications: 1}",
        "run.replications: a distribution must have at least 2 replications; found 1"),
    "rate in per cent": ("{name: Investor, discount_rate_per_year: 0.03}", "{name: Investor, discount_rate_per_year: 3}",
        "parties.investor.discount_rate_per_year: a discount rate must lie between 0 and 1 a year (a table of `rates`, named by "
        "`discounting`, may be negative); found 3"),
    "probability above one": ("{distribution: beta, mean: 0.04, sd: 0.01}", "1.10",
        "pathway.moves.home -> placed.per_month: a probability must lie between 0 and 1; found 1.1", "per_month: 1.10"),
    "probability that can be negative": ("{distribution: beta, mean: 0.04", "{distribution: normal, mean: 0.04",
        "pathway.moves.home -> placed.per_month: a probability must lie between 0 and 1; found a distribution on -inf to inf"),
    "beta too wide": ("mean: 0.04, sd: 0.01", "mean: 0.04, sd: 0.4",
        "pathway.moves.home -> placed.per_month: the sd of a beta distribution with mean 0.04 must be below 0.196; found 0.4"),
    "unknown distribution": ("{distribution: beta, mean", "{distribution: betaa, mean",
        "pathway.moves.home -> placed.per_month: a quantity must be a number or one of the distributions uniform,"),
    "half a distribution": ("{distribution: lognormal, interval_90: [0.9, 2.0]}", "{distribution: lognormal, mean: 1.2}",
        "effect.sooner_home.hazard_ratio: a lognormal distribution must be given by mean and sd or interval_90 or quantiles; found mean"),
    "reversed interval": ("[0.9, 2.0]", "[2.0, 0.9]",
        "effect.sooner_home.hazard_ratio: lower_end must be below upper_end; found 2 and 0.9"),
    "interval of one number": ("[0.9, 2.0]", "[0.9]", "effect.sooner_home.hazard_ratio.interval_90"),
    "unknown key of a distribution": ("mean: 0.04, sd: 0.01", "mean: 0.04, sd: 0.01, mode: 1",
        "pathway.moves.home -> placed.per_month.mode: this key is unknown"),
    "misspelt key of an outcome": ("at_month: 12", "at_monthh: 12",
        "outcomes.school_qualified.at_monthh: this key is unknown. Did you mean `at_month`?"),
    "move in two forms": ("{per_month: {distribution: beta", "{mean_months: 9, per_month: {distribution: beta",
        "pathway.moves.home -> placed: a pace must be given in exactly one way of per_month,"),
    "move without a pace": ("{per_month: {distribution: beta, mean: 0.04, sd: 0.01}}", "{}",
        "pathway.moves.home -> placed: a pace must be given in exactly one way of per_month,", "home -> placed: {}"),
    "move without an arrow": ("    home -> placed: {per", "    home to placed: {per",
        "pathway.moves.home to placed: a move must join two states, as home -> placed"),
    "move to an unknown state": ("    home -> placed: {per", "    home -> placedd: {per",
        "pathway.moves.home -> placedd: a move must join two states; found unknown state `placedd`. One of: home, placed"),
    "move that stays": ("    placed -> home: {", "    home -> home: {per_month: 0.1}\n    placed -> home: {",
        "pathway.moves.home -> home: a move must leave its state; found home -> home. Staying is what is left", "home -> home:"),
    "move of an unknown stratum": ("older: {per_month", "olderr: {per_month",
        "pathway.moves.placed -> home.by_stratum.olderr: a pace must belong to a stratum; found `olderr`. One of: young, older"),
    "state named twice": ("[home, placed]", "[home, placed, home]",
        "pathway.states: a state must be named once; found home, placed, home"),
    "states that are no list": ("[home, placed]", "home", "pathway.states: must be a list; found 'home'", "states: home"),
    "start in an unknown state": ("young: {placed: 1}", "young: {placedd: 1}",
        "pathway.start.young.placedd: a state must be one of pathway.states; found unknown state `placedd`"),
    "start without its stratum": ("    young: {placed: 1}\n", "",
        "pathway.start: every stratum must have a start; found none for `young`. Add `young: {home: 1}`", "  start:  "),
    "start of an unknown stratum": ("young: {placed: 1}", "young: {placed: 1}\n    youngg: {placed: 1}",
        "pathway.start.youngg: a start must belong to a stratum; found `youngg`. One of: young, older", "youngg:"),
    "shares below one": ("home: 0.25, placed: rest", "home: 0.25, placed: 0.7",
        "pathway.start.older: shares must add up to 1; found 0.95. Write `rest` for one of them"),
    "shares above one": ("home: 0.25, placed: rest", "home: 0.25, placed: 0.8",
        "pathway.start.older: shares must add up to 1; found 1.05. Write `rest` for one of them"),
    "shares above one before rest": ("young: {share: 0.5}", "young: {share: 0.5}\n    other: {share: 0.6}",
        "population.strata: shares must add up to at most 1 before `rest`; found 1.1", "strata:"),
    "two rests": ("young: {share: 0.5}", "young: {share: rest}",
        "population.strata.older.share: `rest` must be said of one share at most; found young, older", "older: {share"),
    "distributions of shares without rest": ("home: 0.25, placed: rest", "home: {distribution: beta, mean: 0.25, sd: 0.1}, placed: 0.75",
        "pathway.start.older: where a share has a distribution, another must say `rest`"),
    "effect on an unknown move": ("{move: placed -> home,", "{move: placed -> homee,",
        "effect.sooner_home.move: an effect changes a move of the pathway; found `placed -> homee`. One of: placed -> "
        "home, home -> placed"),
    "odds ratio of an amount": ("outcome: school_qualified, odds", "outcome: placement_cost_sek, odds",
        "effect.school_support.outcome: an effect changes a binary outcome or a score; found `placement_cost_sek`. One of: "
        "school_qualified"),
    "effect in two forms": ("odds_ratio: 1.5", "odds_ratio: 1.5, hazard_ratio: 2",
        "effect.school_support: an effect must be given by `move` with one of hazard_ratio, relative_risk, odds_ratio, difference; "
        "`event` with one of hazard_ratio, difference, length_ratio; `outcome` with one of odds_ratio, relative_risk, "
        "hazard_ratio, difference; found outcome, hazard_ratio, odds_ratio"),
    "effect that begins to fade": ("ramp_months: 2", "fades_after_months: 2",
        "effect.sooner_home: fades_after_months and half_life_months must be given together"),
    "lasting effect on all that ends with engagement": ("odds_ratio: 1.5",
        "odds_ratio: 1.5, reaches: referred, only_while_engaged: true",
        "effect.school_support: an effect that acts only while engaged must reach the treated; found `reaches: referred`"),
    "unknown kind of outcome": ("kind: amount", "kind: sum",
        "outcomes.placement_cost_sek: `kind` must be one of amount, count"),
    "price of an unknown state": ("{placed: 3_000}", "{placedd: 3_000}",
        "outcomes.placement_cost_sek.per_day.placedd: a state must be one of pathway.states; found unknown state `placedd`"),
    "negative price": ("{placed: 3_000}", "{placed: -3_000}",
        "outcomes.placement_cost_sek.per_day.placed: a size, price, ratio or duration must not be negative; found -3000"),
    "probability missing for a state": ("{home: 0.6, placed: 0.4}", "{home: 0.6}",
        "outcomes.school_qualified.probability: a binary outcome must have a probability in every state; found none for `placed`"),
    "probability in an unknown state": ("{home: 0.6, placed: 0.4}", "{home: 0.6, placed: 0.4, placedd: 0.1}",
        "outcomes.school_qualified.probability.placedd: a state must be one of pathway.states; found unknown state `placedd`"),
    "value of an unknown outcome": ("placement_cost_sek: {outcome_payer: {}}", "placement_costs: {outcome_payer: {}}",
        "public_value.placement_costs: what is valued must be one of `outcomes`; found `placement_costs`. One of: "
        "placement_cost_sek, school_qualified"),
    "value to an unknown party": ("{outcome_payer: {}}", "{somebody: {}}",
        "public_value.placement_cost_sek.somebody: who gains must be one of `parties`; found `somebody`"),
    "value of a yes or no without a price": ("placement_cost_sek: {outcome_payer: {}}",
        "school_qualified: {outcome_payer: {better: higher, cashable_share: 0}}",
        "public_value.school_qualified.outcome_payer.value_per_unit: an outcome that is not an amount of money must say what a unit is "
        "worth; found no `value_per_unit`. Give the currency per unit"),
    "value of a yes or no without a direction": ("placement_cost_sek: {outcome_payer: {}}",
        "school_qualified: {outcome_payer: {value_per_unit: 1, cashable_share: 0}}",
        "public_value.school_qualified.outcome_payer.better: an outcome that is not an amount of money must say what a unit is "
        "worth; found no `better`. Give `lower` or `higher`"),
    "stream of an amount": ("{outcome_payer: {}}", "{outcome_payer: {years: 3}}",
        "public_value.placement_cost_sek.outcome_payer.years: a stream of years must begin where an outcome is read once; "
        "found an outcome that adds up over time to the horizon"),
    "drop-off of what arises once": ("placement_cost_sek: {outcome_payer: {}}",
        "school_qualified: {outcome_payer: {value_per_unit: 1, better: higher, cashable_share: 0, drop_off_per_year: 0.1}}",
        "public_value.school_qualified.outcome_payer.drop_off_per_year: what drops off must be a stream of years; found a value that "
        "arises once. Give `years`"),
    "share of value above one": ("{outcome_payer: {}}", "{outcome_payer: {share: 1.1}}",
        "public_value.placement_cost_sek.outcome_payer.share: a probability must lie between 0 and 1; found 1.1"),
    "metric of an unknown outcome": ("saving: {outcome: placement_cost_sek", "saving: {outcome: placement_cost",
        "measurement.metrics.saving.outcome: a metric must measure an outcome; found `placement_cost`. One of: "
        "placement_cost_sek, school_qualified"),
    "metric that nobody measures": ("    saving: {outcome", "    savingg: {outcome",
        "contract.metrics.saving: every metric of the contract must be measured; found nobody measures `saving`. One of: "
        "savingg, school", "saving: {meaning"),
    "baseline of one": ("baseline: {size: 12", "baseline: {size: 1",
        "measurement.baseline.size: a baseline group must have at least two people; found 1"),
    "unknown design": ("design: historical", "design: lottery",
        "measurement.design: must be randomised, matched, difference_in_differences, before_after, historical, "
        "rate_card or mix; found 'lottery'"),
    "window before the reading": ("school_qualified, window_months: 12", "school_qualified, window_months: 11",
        "measurement.metrics.school.window_months: the window must reach the month at which `school_qualified` is read "
        "(12); found a window of 11 months"),
    "unknown metric in a term": ("of: saving, floor: 0, cap: {share: 0.60", "of: savings, floor: 0, cap: {share: 0.60",
        "contract.terms.saving_share.of: a term must refer to money, a metric, or a term before it; found `savings`. "
        "One of: drawn, outstanding, returned, saving, school, guarantee"),
    "unknown metric in a cap": ("cap: {share: 0.20, of: drawn}", "cap: {share: 0.20, of: loan}",
        "contract.terms.upside.cap.of: a term must refer to money, a metric, or a term before it; found `loan`. "
        "One of: drawn, outstanding, returned, saving, school, guarantee, saving_share"),
    "unknown metric in a gate": ("only_if: {school: {above: 0}}", "only_if: {schoool: {above: 0}}",
        "contract.terms.upside.only_if.schoool: a gate must refer to money, a metric, or a term before it; found `schoool`. "
        "One of: drawn, outstanding, returned, saving, school, guarantee, saving_share"),
    "gate on its own term": ("only_if: {school: {above: 0}}", "only_if: {upside: {above: 0}}",
        "contract.terms.upside.only_if.upside: a result must not depend on itself; found `upside` in `upside`"),
    "term that stands later": ("of: saving, floor: 0, cap: {share: 0.60", "of: upside, floor: 0, cap: {share: 0.60",
        "contract.terms.saving_share.of: a term must refer to what stands before it; found `upside`, which stands after "
        "`saving_share`. Change their order"),
    "gate with two edges": ("only_if: {school: {above: 0}}", "only_if: {school: {above: 0, at_least: 0}}",
        "contract.terms.upside.only_if.school: a gate must have a lower edge, `above` (the edge is left out) or `at_least` (the edge "
        "counts), an upper edge, `below` or `at_most`, or one of each; found above, at_least"),
    "metric called drawn": ("school: {meaning: better", "drawn: {meaning: better",
        "contract.metrics.drawn: `drawn` must be the money paid in, not a metric; found drawn. Choose another name"),
    "part without its whole": ("floor: 0, cap: {share: 0.60, of: drawn}", "floor: 0, cap: {share: 0.60}",
        "contract.terms.saving_share.cap.of: must be given"),
    "part in two forms": ("floor: 0, cap: {share: 0.60, of: drawn}", "floor: 0, cap: {share: 0.60, of: drawn, amount: 3}",
        "contract.terms.saving_share.cap: a number, a name, or a term with exactly one of the keys amount, share, price"),
    "negative share of a term": ("guarantee: {share: 0.40", "guarantee: {share: -0.40",
        "contract.terms.guarantee.share: a share or a price must not be negative, and at most 1e15; found -0.4"),
    "distribution in a contract": ("guarantee: {share: 0.40", "guarantee: {share: {distribution: uniform, low: 0, high: 1, value: 0}",
        "contract.terms.guarantee.share.distribution: this key is unknown"),
    "floor above cap": ("floor: 0, cap: {share: 0.60, of: drawn}", "floor: 10_000, cap: 5_000",
        "contract.terms.saving_share.floor: a floor must not be above the cap; found a floor of 10,000, a cap of 5,000"),
    "share of a floor above that of a cap": ("floor: 0, cap: {share: 0.60, of: drawn}",
        "floor: {share: 0.7, of: drawn}, cap: {share: 0.6, of: drawn}",
        "contract.terms.saving_share.floor: a floor must not be above the cap; found a floor of 0.7 of drawn, a cap of 0.6 of drawn"),
    "another currency": ("currency: SEK\n  commitment", "currency: EUR\n  commitment",
        "contract.currency: the contract must be in the study's currency, SEK; found EUR", "currency: EUR"),
    "currency in small letters": ("currency: SEK\n  commitment", "currency: sek\n  commitment",
        "contract.currency: must be a currency in three capitals, as SEK", "currency: sek"),
    "enormous commitment": ("commitment: 2_000_000", "commitment: 2e15",
        "contract.commitment: a commitment must lie between 0 and 1e15; found 2e+15"),
    "payment before measurement": ("saving_share: 20,", "saving_share: 16,",
        "capital.payment_month.saving_share: a payment must follow the measurement it depends on; found paid as early as "
        "month 16, measured as late as month 17. Pay later"),
    "payment that may come before measurement": ("saving_share: 20,", "saving_share: {distribution: uniform, low: 16, high: 20},",
        "capital.payment_month.saving_share: a payment must follow the measurement it depends on; found paid as early as month 16"),
    "payment before its gate is measured": ("of: drawn, contingent: false", "of: drawn, only_if: {school: {above: 0}}",
        "capital.payment_month.guarantee: a payment must follow the measurement it depends on; found paid as early as month 12, "
        "measured as late as month 17", "guarantee: 12"),
    "payment before its cap is measured": ("of: drawn, contingent: false", "of: drawn, cap: {share: 1, of: saving}",
        "capital.payment_month.guarantee: a payment must follow the measurement it depends on; found paid as early as month 12, "
        "measured as late as month 17", "guarantee: 12"),
    "payment that may come beyond the horizon": ("saving_share: 20,", "saving_share: {distribution: uniform, low: 20, high: 25},",
        "capital.payment_month.saving_share: a term must be paid within the horizon of 24 months; found up to month 25"),
    "enrolment that may last too long": ("enrolment_months: 6}", "enrolment_months: {distribution: uniform, low: 6, high: 14}}",
        "measurement.metrics.saving.window_months: every window must close within the horizon of 24 months; found people "
        "entering in month 13 are followed for 12 months", "    saving: {outcome"),
    "wave that enters too late": ("    all: {size",
        "    late: {size: 12, from_month: 8, enrolment_months: 6}\n    all: {size",
        "measurement.metrics.saving.window_months: every window must close within the horizon of 24 months; found people "
        "entering in month 13 are followed for 12 months", "    saving: {outcome"),
    "payment beyond the horizon": ("saving_share: 20,", "saving_share: 25,",
        "capital.payment_month.saving_share: a term must be paid within the horizon of 24 months; found up to month 25"),
    "payment of an unknown term": ("guarantee: 12, saving", "guarantee: 12, guaranteee: 12, saving",
        "capital.payment_month.guaranteee: a payment month must belong to a term; found `guaranteee`. One of: guarantee, "
        "saving_share, upside"),
    "term without a month": ("guarantee: 12, saving", "saving",
        "capital.payment_month: every term must have a month in which it is paid; found none for `guarantee`", "payment_month: {saving"),
    "drawdown beyond the horizon": ("drawdown_months: 6", "drawdown_months: {distribution: uniform, low: 6, high: 25}",
        "capital.drawdown_months: the loan must be drawn within the horizon of 24 months; found drawdown over up to 25 months"),
    "no months of drawdown": ("drawdown_months: 6", "drawdown_months: 0",
        "capital.drawdown_months: drawdown must take from 1 to 600 months; found 0"),
    "more drawn than committed": ("drawn_share: 1.0", "drawn_share: 1.1",
        "capital.drawn_share: a probability must lie between 0 and 1; found 1.1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_load__finds_a_planted_mistake_and_says_where(tmp_path, name):
    old, new, expected, *where = PLANTED[name]
    path = plant(tmp_path, (old, new))

    got = [str(problem) for problem in problems_of(path)]

    line = line_of(path, where[0] if where else new)
    assert [problem for problem in got if problem.startswith(f"{path}:{line}: {expected}")], got


# By name: what is replaced, by what, and the keys of everything that follows from it, in order.
FOLLOWING = {
    "moves above one": (
        ("    placed -> home: {", "    placed -> gone: {per_month: 0.95}\n    placed -> home: {"),
        ("[home, placed]", "[home, placed, gone]"),
        ("{home: 0.6, placed: 0.4}", "{home: 0.6, placed: 0.4, gone: 0}"),
        ["pathway.moves.placed -> home: the probabilities of all moves out of a state must add up to at most 1 a month; "
         "found 1.05 out of `placed` in stratum `young`"],
    ),
    "window beyond the horizon": (
        ("placement_cost_sek, window_months: 12", "placement_cost_sek, window_months: 20"),
        ["measurement.metrics.saving.window_months: every window must close within the horizon of 24 months; "
         "found people entering in month 5 are followed for 20 months",
         "capital.payment_month.saving_share: a payment must follow the measurement",
         "capital.payment_month.upside: a payment must follow the measurement"],
    ),
    "enrolment beyond the horizon": (
        ("enrolment_months: 6}", "enrolment_months: 25}"),
        ["population.waves.all.enrolment_months: everybody must enter within the horizon of 24 months; "
         "found the last person may enter in month 24",
         "measurement.metrics.saving.window_months: every window must close",
         "measurement.metrics.school.window_months: every window must close",
         "outcomes.school_qualified.at_month: the outcome must be read within the horizon of 24 months; found month 24 + 12",
         "capital.payment_month.saving_share: a payment must follow",
         "capital.payment_month.upside: a payment must follow"],
    ),
    "value read after the longest window": (
        ("at_month: 12", "at_month: 13"),
        ("{outcome_payer: {}}",
         "{outcome_payer: {}}\n  school_qualified: {investor: {value_per_unit: 1, better: higher, cashable_share: 0}}"),
        ["measurement.metrics.school.window_months: the window must reach",
         "public_value.school_qualified: what is valued must be read within the longest window of a metric, 12 months; "
         "found month 13 after entry"],
    ),
    "three mistakes in what the numbers are": (
        ("size: 12, enrol", "size: -12, enrol"),
        ("young: {per_month: 0.10}", "young: {per_month: ten}"),
        ("drawdown_months: 6", "drawdown_month: 6"),
        ["population.waves.all.size: a count must lie",
         "pathway.moves.placed -> home.by_stratum.young.per_month: must be a number; found 'ten'",
         "capital.drawdown_month: this key is unknown. Did you mean `drawdown_months`?"],
    ),
    "sources that are not listed": (
        ("start: 2030-01 ", "sources: {S1: a page}\n  start: 2030-01 "),
        ("size: 12, enrol", 'size: {value: 12, source: "S1, S2"}, enrol'),
        ("drawn_share: 1.0", "drawn_share: {value: 1.0, source: S3, certainty: Q}"),
        ["population.waves.all.size: a source must be one of those listed under `sources`; found `S2`. One of: S1",
         "capital.drawn_share: a source must be one of those listed under `sources`; found `S3`. One of: S1"],
    ),
    "four mistakes between sections": (
        ("young: {share: 0.5}", "young: {share: rest}"),
        ("{placed: 3_000}", "{placedd: 3_000}"),
        ("only_if: {school: {above: 0}}", "only_if: {schoool: {above: 0}}"),
        ("guarantee: 12, saving", "saving"),
        ["population.strata.older.share: `rest` must be said", "outcomes.placement_cost_sek.per_day.placedd: a state must be",
         "contract.terms.upside.only_if.schoool: a gate must refer", "capital.payment_month: every term must have"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLLOWING)
def test_load__reports_everything_that_is_wrong_at_once(tmp_path, name):
    *changes, expected = FOLLOWING[name]
    path = plant(tmp_path, *changes)

    got = [str(problem) for problem in problems_of(path)]

    assert len(got) == len(expected), got
    for problem, text in zip(got, expected, strict=True):
        assert re.match(rf"{re.escape(str(path))}:\d+: {re.escape(text)}", problem), problem


def test_load__takes_what_just_fits(tmp_path):
    # The last person enters in month 5, and 5 + 19 = 24 is the horizon. Probabilities and shares may be 1 together.
    path = plant(
        tmp_path,
        ("young: {per_month: 0.10}", "young: {per_month: 1.0}"),
        ("home: 0.25, placed: rest", "home: 1.0, placed: rest"),
        ("placement_cost_sek, window_months: 12", "placement_cost_sek, window_months: 19"),
        ("drawdown_months: 6", "drawdown_months: 24"),
        ("{guarantee: 12, saving_share: 20, upside: 20}", "{guarantee: 0, saving_share: 24, upside: 24}"),
    )

    assert load_study(path).capital.payment_month["upside"].value == 24


def test_load__refuses_two_names_that_share_a_random_stream(tmp_path):
    # The sizes of these two waves have purposes with the same hash of 32 bits, found by trying names.
    waves = "w7177: {size: 1, enrolment_months: 1}\n    w33974: {size: 1, enrolment_months: 1}"
    path = plant(tmp_path, ("all: {size: 12, enrolment_months: 6}", waves))

    (problem,) = problems_of(path)

    assert problem.rule == "every decision must have a random stream of its own"
    assert "population.waves.w7177.size" in problem.found
    assert "population.waves.w33974.size" in problem.found


def split(folder, name="contract.yaml", **options):
    """Put the contract of the tiny study into a file of its own."""
    text = TINY.read_text(encoding="utf-8")
    before, _, rest = text.partition("contract:\n")
    section, _, after = rest.partition("\ncapital:")
    (folder / "study.yaml").write_text(
        f"{before}contract: {{file: {options.get('called', name)}}}\n\ncapital:{after}", encoding="utf-8"
    )
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(line.removeprefix("  ") for line in section.splitlines()) + "\n", encoding="utf-8")
    return folder / "study.yaml", target


@pytest.mark.parametrize("name", ["contract.yaml", "below/it/contract.yaml"])
def test_contract_file__reads_as_if_it_stood_in_the_study(tmp_path, name):
    path, contract = split(tmp_path, name)

    assert load_study(path) == load_study(TINY)
    assert load_contract(contract) == load_study(TINY).contract


def test_contract_file__names_itself_in_its_mistakes(tmp_path):
    path, contract = split(tmp_path)
    contract.write_text(contract.read_text().replace("of: saving,", "of: savings,", 1).replace("SEK\n", "EUR\n", 1))

    got = [(problem.where, problem.key) for problem in problems_of(path)]

    term, currency = line_of(contract, "of: savings,"), line_of(contract, "currency: EUR")
    assert got == [
        (f"{contract}:{term}", "contract.terms.saving_share.of"),
        (f"{contract}:{currency}", "contract.currency"),
    ]
    with pytest.raises(
        StudyError,
        match=rf":{term}: terms\.saving_share\.of: a term must refer to money, a metric, or a term before it; found `savings`",
    ):
        load_contract(contract)


@pytest.mark.parametrize("called", ["../contract.yaml", "below/../../contract.yaml", "/contract.yaml", "3", "[a]", ""])
def test_contract_file__stands_beside_or_below_the_study(tmp_path, called):
    path, _ = split(tmp_path, called=called)

    (problem,) = problems_of(path)

    assert (problem.where, problem.key) == (f"{path}:{line_of(path, 'contract: {file')}", "contract.file")
    assert (
        problem.rule
        == "a contract file must stand beside or below this file, and be named by a relative path with / between folders"
    )


def test_contract_file__that_is_missing_is_refused_where_it_is_named(tmp_path):
    path, _ = split(tmp_path, called="absent.yaml")

    (problem,) = problems_of(path)

    place = f"{path}:{line_of(path, 'contract: {file')}: contract.file"
    assert str(problem) == f"{place}: no such file; found 'absent.yaml'. Check the path"


def test_contract_file__is_no_folder(tmp_path):
    path, _ = split(tmp_path, called=".")

    (problem,) = problems_of(path)

    assert str(problem) == f"{tmp_path}: must be a file; found a folder"


def test_contract_file__is_named_with_the_same_stroke_on_every_system(tmp_path):
    path, _ = split(tmp_path, called="sub\\c.yaml")

    (problem,) = problems_of(path)

    assert problem.where == f"{path}:{line_of(path, 'contract: {file')}"
    assert problem.rule.endswith("with / between folders")


def test_contract_file__does_not_lead_elsewhere_by_a_link(tmp_path):
    (tmp_path / "elsewhere").write_text("secret words")
    (tmp_path / "study").mkdir()
    path, _ = split(tmp_path / "study", called="link.yaml")
    (tmp_path / "study" / "link.yaml").symlink_to(tmp_path / "elsewhere")

    (problem,) = problems_of(path)

    assert problem.found == "'link.yaml', which leads elsewhere"
    assert "secret" not in str(problem)
