"""False-positive and false-negative payments."""

from typing import Any

from simengine.questions.question import Question, later

CERTIFICATE = Question[Any](
    name="certificate",
    summary="Report the false-positive and false-negative payments of STUDY: the payment-error certificate of its evaluation.",
    ask=later("simengine.questions.certificate.answer", "certify"),
    content=later("simengine.questions.certificate.content", "certificate"),
    tables=later("simengine.questions.certificate.tables", "certificate_tables"),
    picture=later("simengine.questions.certificate.picture", "draw_power"),
    keeps="certificate.json, power-curve.png, study.yaml, run-again.txt",
    picture_name="power-curve",
)
