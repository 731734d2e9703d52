"""Who pays, who saves, and side payments that leave nobody worse off."""

from typing import Any

from simengine.questions.question import Option, Question, later

VALUE = Question[Any](
    name="value",
    summary="Show who pays and who saves in STUDY, and the side payments that leave no party worse off.",
    options=(
        Option(
            "among",
            "Two to twelve parties between whom side payments are made, with commas between them. If absent: all but those only paid for costs.",
            metavar="PARTIES",
            default=(),
            read=lambda text: tuple(word.strip() for word in text.split(",")),
            write=",".join,
        ),
    ),
    ask=later("simengine.questions.value.answer", "find_wrong_pockets"),
    content=later("simengine.questions.value.content", "wrong_pockets"),
    tables=later("simengine.questions.value.tables", "wrong_pocket_tables"),
    picture=later("simengine.questions.value.picture", "draw_pockets"),
    keeps="value.json, value.png, study.yaml, run-again.txt",
)
