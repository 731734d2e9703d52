"""Results of all designs as plain numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simengine.config import Study
from simengine.questions.methods.answer import MethodSpread
from simengine.report.answers import answer_heading
from simengine.report.document import plain
from simengine.risk.statistics import Statistic


def methods(study: Study, found: MethodSpread) -> dict[str, Any]:
    """Return a method spread as plain numbers."""
    return answer_heading(study, found) | {
        "contingent_terms": list(found.contingent_terms),
        "prescribed": found.prescribed,
        "metrics": {
            name: {
                "prescribed": found.by_metric[name],
                "truth": plain(found.truth[name]),
                "designs": {
                    design: {key: plain(Statistic(**one)) for key, one in asdict(reading).items()}
                    for design, reading in readings.items()
                },
            }
            for name, readings in found.readings.items()
        },
        "paid": {
            design: {"payment": plain(paid.payment), "p_pay": plain(paid.p_pay), "borrowed": list(found.borrowed.get(design, ()))}
            for design, paid in found.paid.items()
        },
    }
