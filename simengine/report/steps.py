"""Say what moving at the end of a step does to a study: in a sentence, and as plain numbers."""

from __future__ import annotations

from typing import TypedDict

from simengine.config import Study, forms_of, step_error_of


class MovesContent(TypedDict):
    """Effect of moving at the end of a step."""

    steps_per_month: int
    """Steps in a month; people move at the end of one."""
    forms: list[str]
    """The forms in which the study states its moves."""
    share_off: float
    """The largest difference in a share of people in a state from moves at any moment, over all months after entry."""
    state: str
    """The state in which it occurs."""
    stratum: str
    """The stratum in which it occurs."""
    months_after_entry: int
    """When it occurs."""
    has_service: bool
    """Whether it occurs with the service."""
    months_in_state_off: float
    """The largest difference in the months that a person spends in a state, to the horizon."""
    moves_per_person: float
    """Moves of a person to the horizon without the service, by the steps."""
    moves_per_person_at_any_moment: float
    """The same if people could move at any moment."""


def steps_content(study: Study) -> MovesContent:
    """Compute what the step does at the centres of all numbers, as plain numbers for JSON."""
    error = step_error_of(study)
    return {
        "steps_per_month": error.steps,
        "forms": sorted(forms_of(study.pathway)),
        "share_off": error.share,
        "state": error.state,
        "stratum": error.stratum,
        "months_after_entry": error.months_after_entry,
        "has_service": error.has_service,
        "months_in_state_off": error.months_in_state,
        "moves_per_person": error.moves,
        "moves_per_person_at_any_moment": error.moves_at_any_moment,
    }


def steps_sentence(content: MovesContent) -> str:
    """Say in words what `steps_content` computes; nothing where nobody moves."""
    if content["moves_per_person_at_any_moment"] == 0:
        return ""
    steps = content["steps_per_month"]
    where = f"{content['stratum']}, {content['months_after_entry']} months after entry"
    where += f", {'with' if content['has_service'] else 'without'} the service"
    # Probabilities of a month say themselves that nobody moves twice in one.
    is_meant = steps == 1 and content["forms"] == ["per_month"]
    often = "a month, at its end" if steps == 1 else f"in each of the {steps} steps of a month, at its end"
    more = "Probabilities of a month say just that." if is_meant else "`pathway.steps_per_month` makes the step shorter."
    return (
        f"Moves: the program moves each person at most once {often}. If moves could happen on any day, the share of people in a state "
        f"would differ by at most {content['share_off']:.2g} (`{content['state']}`: {where}), the months of a person in a state by "
        f"{content['months_in_state_off']:.2g}, and the moves of a person would be {content['moves_per_person_at_any_moment']:.4g} "
        f"instead of {content['moves_per_person']:.4g}. {more}"
    )
