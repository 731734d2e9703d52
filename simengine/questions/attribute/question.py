"""Variance by source: each party's variance and tail by layer, and the common risk by party."""

from typing import Any

from simengine.questions.options import LEVEL_OPTION, OF_OPTION, PARTIES_OPTION
from simengine.questions.question import Question, later

ATTRIBUTE = Question[Any](
    name="attribute",
    summary="Split the variance and the tail of each party of STUDY by source, and the common risk by party.",
    options=(PARTIES_OPTION, OF_OPTION, LEVEL_OPTION),
    ask=later("simengine.questions.attribute.answer", "attribute"),
    tables=later("simengine.questions.attribute.tables", "attribution_tables"),
    picture=later("simengine.questions.attribute.picture", "draw_attribution"),
    keeps="attribute.json, attribute.png, study.yaml, run-again.txt",
)
