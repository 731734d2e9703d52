"""Draw a run: what each party gets, and how often a loss is exceeded."""

from __future__ import annotations

from simengine.questions.question import Asked, Files, Source
from simengine.questions.run.answer import Run
from simengine.report import picture, trust
from simengine.settlement import payment_marks


def pictures(asked: Asked, source: Source, found: Run) -> Files:  # noqa: ARG001
    """Draw both pictures in every form, by the names of their files."""
    study = asked.subject
    images = {
        "picture": picture.draw(study, found.outturns, found.table, payment_marks(study.contract, found.outturns)),
        "exceedance": trust.draw_exceedance(study, found.table),
    }
    return {f"{name}.{form}": image for name, forms in images.items() for form, image in forms.items()}
