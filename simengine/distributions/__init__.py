"""Numbers of a study: a value or a distribution, with its source and its certainty.

A *quantity* is written as a bare number, as `{value: 60, source: S3, certainty: Q}`, or as a distribution:
`{distribution: lognormal, interval_90: [0.6, 1.05], source: ..., certainty: U}`. Distributions are drawn by inverting their
distribution function at one keyed uniform per replication, so that adding a distribution moves no other draw.

Every form has three members: `inverse(uniform)` gives the values at which its distribution function reaches the uniforms,
`centre` its mean, `support` the range that it cannot leave.
"""

from simengine.arrays import Floats
from simengine.distributions.counts import Referrals, SeenEvents
from simengine.distributions.families import Beta, Gamma, Lognormal, Normal, Pert, Triangular, Uniform
from simengine.distributions.listed import Empirical, Quantiles
from simengine.distributions.names import CurrencyCode, Month, Name, Names, NamesOrNone, a_name, one_or_several, spelled
from simengine.distributions.quantity import (
    DISTRIBUTIONS,
    Chance,
    Count,
    Fixed,
    FixedNotNegative,
    Months,
    NotNegative,
    Probability,
    Quantity,
    Share,
    quantities_in,
    within,
)
from simengine.distributions.shares import DirichletCount
from simengine.distributions.sourced import ASSUMED, Certainty, Constant, Layer, Number, Sourced, Spec

__all__ = [
    "ASSUMED",
    "DISTRIBUTIONS",
    "Beta",
    "Certainty",
    "Chance",
    "Constant",
    "Count",
    "CurrencyCode",
    "DirichletCount",
    "Empirical",
    "Fixed",
    "FixedNotNegative",
    "Floats",
    "Gamma",
    "Layer",
    "Lognormal",
    "Month",
    "Months",
    "Name",
    "Names",
    "NamesOrNone",
    "Normal",
    "NotNegative",
    "Number",
    "Pert",
    "Probability",
    "Quantiles",
    "Quantity",
    "Referrals",
    "SeenEvents",
    "Share",
    "Sourced",
    "Spec",
    "Triangular",
    "Uniform",
    "a_name",
    "one_or_several",
    "quantities_in",
    "spelled",
    "within",
]
