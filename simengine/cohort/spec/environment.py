"""What the surroundings of a study are known to do to contracts like it: the record of a reference class."""

from __future__ import annotations

from simengine.distributions import FixedNotNegative, NotNegative, Spec


class ReferenceClass(Spec):
    """Signed contracts of the same kind, and how far their payments came of what they had planned."""

    paid_over_planned: NotNegative
    """Payments over those planned at signing. In every replication it multiplies the number of people who enter each wave;
    `simengine reference` fits it to real contracts."""
    planned_payments: FixedNotNegative | None = None
    """What the contract's own plan at signing pays to its end, in whole units of the currency; absent: the study's forecast is not
    held against the reference class."""


class Environment(Spec):
    """What is known of the surroundings as a whole."""

    reference_class: ReferenceClass | None = None
    """The record of signed contracts of the same kind; absent: people enter as `population` says."""
