"""Studies whose answers are known: scores that are normal between people, judged by lot; and people chosen for their past."""

from __future__ import annotations

from pathlib import Path

from simengine.config import Study, load_study

N, SD, DIFFERENCE, PRICE = 40, 10.0, 3.0, 1000.0

SCORES = """
study: {title: Scores, currency: EUR, start: 2030-01, horizon_months: 24}
parties:
  investor: {name: Fund, discount_rate_per_year: 0.04}
  outcome_payer: {name: Region, discount_rate_per_year: 0.02}
  service_provider: {name: School, discount_rate_per_year: 0.04}
population:
  waves: {all: {size: 40, enrolment_months: 1}}
  strata: {everybody: {share: 1}}
pathway:
  states: [here, gone]
  start: {everybody: {here: 1}}
  moves: {here -> gone: {per_month: 0.1}}
effect:
  better: {outcome: test, difference: 3}
outcomes:
  test: {kind: score, at_month: 12, mean: 50, sd: 10, correlation: 0.5}
  time: {kind: amount, per_day: {here: 1}}
measurement:
  design: randomised
  control: {ratio: 1}
  metrics:
    gain: {outcome: test, window_months: 12, estimate: rate_difference, better: higher}
contract:
  title: A sum of money for a gain
  currency: EUR
  commitment: 1000
  metrics: {gain: {meaning: gain in the test, unit: points}}
  terms:
    advance: {share: 0.5, of: drawn, contingent: false}
    prize: {share: 1, of: drawn, only_if: {gain: {at_least: 1.5}}}
capital: {drawn_share: 1, drawdown_months: 6, payment_month: {advance: 6, prize: 20}}
public_value: {time: {outcome_payer: {}}}
run: {replications: 100}
"""

CHOSEN = """
study: {title: People chosen for four spells or more, currency: EUR, start: 2030-01, horizon_months: 30}
parties:
  investor: {name: Fund, discount_rate_per_year: 0.03}
  outcome_payer: {name: Municipality, discount_rate_per_year: 0.03}
  service_provider: {name: Provider, discount_rate_per_year: 0.03}
population:
  waves: {all: {size: 60, enrolment_months: 6}}
  strata: {everybody: {share: 1}}
  history_months: 12
  selection: {outcome: spells, at_least: 4}
  frailties: {unseen: {variance: 0.5, on: [spell]}}
pathway: {states: [well], start: {everybody: {well: 1}}, moves: {}}
events:
  spell: {rates: {well: {rate_per_year: 1.5}}}
effect:
  fewer: {event: spell, hazard_ratio: {distribution: lognormal, interval_90: [0.6, 1.0]}}
promise: {effect.fewer.hazard_ratio: 0.85}
outcomes:
  spells: {kind: count, events: [spell]}
  sick_pay: {kind: amount, per_event: {spell: 2_000}}
measurement:
  design: before_after
  control: {ratio: 1}
  parallel: {ratio: 1, trend_gap_per_year: 0.02}
  matched: {per_person: 2, before: {outcome: spells, within: 1}, candidates: 400}
  baseline: {size: 60, years_before: 2}
  metrics:
    reduction: {outcome: spells, window_months: 12, estimate: relative_reduction, better: lower}
contract:
  title: A share for every point, and a bonus at ten
  currency: EUR
  commitment: 300_000
  metrics: {reduction: {meaning: fewer spells, unit: share}}
  terms:
    per_point: {share: 2_000_000, of: reduction, above: 0.05, floor: 0, cap: {share: 1, of: drawn}}
    bonus: {share: 0.2, of: drawn, only_if: {reduction: {at_least: 0.10}}}
capital: {drawn_share: 1, drawdown_months: 6, payment_month: {per_point: 20, bonus: 20}}
public_value: {sick_pay: {outcome_payer: {}}}
run: {replications: 200}
"""


def study_of(text: str, folder: Path, *overrides: str) -> Study:
    """Read a study from text."""
    path = folder / "study.yaml"
    path.write_text(text)
    return load_study(path, overrides)
