"""Several studies held together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simengine.questions.question import Question, Values, Work, later
from simengine.questions.subject import PORTFOLIO

if TYPE_CHECKING:
    from simengine.config.portfolio import Holding


def _of_all_projects(holding: Holding, values: Values, n_replications: int) -> int:  # noqa: ARG001
    return n_replications * len(holding.studies)


HOLD = Question[Any](
    name="portfolio",
    summary="Hold the studies of FUND together: a revolving fund, an outcomes fund or an investor's book under common bad times.",
    subject=PORTFOLIO,
    kept=_of_all_projects,
    worked=lambda holding, values, n_replications: Work(_of_all_projects(holding, values, n_replications)),
    ask=later("simengine.questions.portfolio.answer", "hold"),
    content=later("simengine.questions.portfolio.content", "portfolio_content"),
    tables=later("simengine.questions.portfolio.tables", "portfolio_tables"),
    picture=later("simengine.questions.portfolio.picture", "draw_portfolio"),
    keeps="portfolio.json, portfolio.png, portfolio.yaml, its studies in projects, run-again.txt",
)
