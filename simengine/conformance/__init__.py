"""Contracts whose payments are known without the program, and a program held against them: this one, or somebody else's.

The files stand in `configs/conformance`; `simengine.config.conformance` says what a file may say.
"""

from simengine.conformance.comparison import CaseComparison, Conformance, PaymentComparison
from simengine.conformance.conform import conform

__all__ = ["CaseComparison", "Conformance", "PaymentComparison", "conform"]
