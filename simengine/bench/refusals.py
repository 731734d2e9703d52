"""What the bench refuses: a changed problem, work beyond a budget, an answer that cannot be judged, a method that fails."""

from __future__ import annotations

from simengine.errors import SimengineError


class ChangedProblemError(SimengineError):
    """A problem is not the one whose answers are known."""


class OverBudgetError(SimengineError):
    """A method asked for more work than it was given."""


class BadAnswerError(SimengineError):
    """An answer has the wrong form, or holds what is no number."""


class NotApplicableError(SimengineError):
    """A method says that it does not apply to a problem: it is left out of the tables, and nothing is held against it."""
