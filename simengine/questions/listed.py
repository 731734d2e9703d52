"""The questions, in the order in which the command line and the reference list them."""

from simengine.questions.attribute.question import ATTRIBUTE
from simengine.questions.cash.question import CASH
from simengine.questions.certificate.question import CERTIFICATE
from simengine.questions.compare.question import COMPARE
from simengine.questions.incentives.question import INCENTIVES
from simengine.questions.information.question import INFORMATION
from simengine.questions.learn.question import LEARN
from simengine.questions.methods.question import METHODS
from simengine.questions.portfolio.question import HOLD
from simengine.questions.retrospect.question import RETROSPECT
from simengine.questions.run.question import RUN
from simengine.questions.sensitivity.question import SENSITIVITY
from simengine.questions.size.question import SIZE
from simengine.questions.stress.question import STRESS
from simengine.questions.trace.question import TRACE
from simengine.questions.tradeoffs.question import TRADEOFFS
from simengine.questions.value.question import VALUE
from simengine.questions.window.question import WINDOW

QUESTIONS = (
    RUN,
    CASH,
    COMPARE,
    ATTRIBUTE,
    STRESS,
    TRADEOFFS,
    SENSITIVITY,
    CERTIFICATE,
    METHODS,
    WINDOW,
    VALUE,
    SIZE,
    INFORMATION,
    INCENTIVES,
    RETROSPECT,
    LEARN,
    HOLD,
    TRACE,
)
