"""Say a comparison of windows as plain numbers."""

from __future__ import annotations

from typing import Any

from simengine.config import Study
from simengine.questions.window.answer import WindowSpread
from simengine.report.answers import answer_heading
from simengine.report.document import plain


def window(study: Study, found: WindowSpread) -> dict[str, Any]:
    """Return a comparison of windows as plain numbers."""
    return answer_heading(study, found) | {
        "changed_metrics": list(found.metrics),
        "horizon_months": found.horizon_months,
        "windows": [
            {
                "months": one.months,
                "payment_shift": dict(found.payment_shift[one.months]),
                "estimate": plain(one.estimate),
                "truth": plain(one.truth),
                "payment": plain(one.payment),
                "p_pay": plain(one.p_pay),
                "money_back": plain(one.money_back),
                "p_loss": plain(one.p_loss),
                "npv": plain(one.npv),
                "payer_net": plain(one.payer_net),
                "since_first": plain(one.since_first),
            }
            for one in found.windows
        ],
    }
