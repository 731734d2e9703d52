"""The same people measured by every design."""

from typing import Any

from simengine.questions.question import Question, later

METHODS = Question[Any](
    name="methods",
    summary="Measure the same people of STUDY by every design that it describes, and say what the contract would pay by each.",
    ask=later("simengine.questions.methods.answer", "compare_methods"),
    tables=later("simengine.questions.methods.tables", "methods_tables"),
    picture=later("simengine.questions.methods.picture", "draw_methods"),
    keeps="methods.json, methods.png, study.yaml, run-again.txt",
)
