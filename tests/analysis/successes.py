"""A study whose money is a count: sixty people, each a success with the same unknown chance, a krona for each."""

SUCCESSES = """
study: {title: A coin for each of sixty, currency: SEK, start: 2030-01, horizon_months: 6}
parties:
  investor: {name: Fund, discount_rate_per_year: 0}
  outcome_payer: {name: Town, discount_rate_per_year: 0}
  service_provider: {name: Provider, discount_rate_per_year: 0}
population:
  waves: {all: {size: 60, enrolment_months: 1}}
  strata: {everybody: {share: 1}}
pathway: {states: [here], start: {everybody: {here: 1}}, moves: {}}
effect: {none: {outcome: success, odds_ratio: 1}}
outcomes:
  success: {kind: binary, at_month: 1, probability: {here: {distribution: beta, successes: 8, failures: 12}}}
measurement:
  design: rate_card
  rate_card: {deadweight: 0}
  metrics: {successes: {outcome: success, window_months: 1, estimate: total_difference, better: higher}}
contract:
  title: One for each success
  currency: SEK
  commitment: 0
  metrics: {successes: {meaning: people who succeed, unit: persons}}
  terms: {price: {share: 1, of: successes}}
capital: {drawn_share: 1, drawdown_months: 1, payment_month: {price: 3}}
public_value: {}
run: {replications: 100}
"""
