"""Several studies held together."""

from typing import Any

from simengine.questions.question import Question, later
from simengine.questions.subject import PORTFOLIO

HOLD = Question[Any](
    name="portfolio",
    summary="Hold the studies of FUND together: a revolving fund, an outcomes fund or an investor's book under common bad times.",
    subject=PORTFOLIO,
    kept=lambda holding, values, n_replications: n_replications * len(holding.studies),  # noqa: ARG005
    ask=later("simengine.questions.portfolio.answer", "hold"),
    content=later("simengine.questions.portfolio.content", "portfolio_content"),
    tables=later("simengine.questions.portfolio.tables", "portfolio_tables"),
    picture=later("simengine.questions.portfolio.picture", "draw_portfolio"),
    keeps="the numbers, the picture, the portfolio with its studies and provenance",
)
