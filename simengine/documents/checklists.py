"""The checklists of the field, filled in from the run: what each asks, and where the answer stands or which test holds it.

References
----------
Vemer, P. et al. (2016), AdViSHE: a validation-assessment tool of health-economic models, PharmacoEconomics 34, 349-361. Büyükkaramikli,
N. C. et al. (2019), TECH-VER: a verification checklist, PharmacoEconomics 37, 1391-1408. Monks, T. et al. (2019), Strengthening the
reporting of empirical simulation studies (STRESS), Journal of Simulation 13, 55-67. Grimm, V. et al. (2014), Towards better modelling
and decision support: TRACE, Ecological Modelling 280, 129-139.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from simengine.documents.blocks import PageBlock, Paragraph, ReportPage, Sheet
from simengine.documents.frame import ReportFrame
from simengine.languages.language import sentence

_HERE, _NONE, _KNOWN = "here:", "none", "known"
"""Where an item is answered: in a section of this report, nowhere, or by results that came later if the study knows any."""
_Items = tuple[tuple[str, str], ...]

_ADVISHE: _Items = (
    (sentence("A1 Experts judged the conceptual model"), _NONE),
    (sentence("A2 The conceptual model was compared with others"), "docs/explanation/systems.md"),
    (sentence("B1 Experts judged the input data"), "here:assumptions"),
    (sentence("B2 Fitted numbers were tested against their data"), _NONE),
    (sentence("C1 Others examined the program"), "docs/method/verification.md"),
    (sentence("C2 Extreme values were tried"), "tests/contract/test_invariants.py, tests/capital/test_structures.py"),
    (sentence("C3 Single courses were followed"), "tests/analysis/test_trace.py"),
    (sentence("C4 Parts were tested by themselves"), "tests/contract/test_terms.py, tests/cohort/test_kernels.py"),
    (sentence("D1 Experts judged the results"), _NONE),
    (sentence("D2 Results were compared with those of other models"), "tests/test_published.py"),
    (sentence("D3 Results with other input data were compared"), "here:stress"),
    (sentence("D4 Results were compared with data"), _KNOWN),
    (sentence("E1 Other techniques of validation"), "tests/test_problems.py"),
)
_TECHVER: _Items = (
    (sentence("Inputs"), "here:assumptions"),
    (sentence("Flow of people"), "tests/cohort/test_twin.py, tests/test_published.py"),
    (sentence("Results"), "tests/capital/test_twin.py, tests/risk/test_statistics.py"),
    (sentence("Uncertainty"), "tests/risk/test_standard_errors.py, tests/analysis/test_sensitivity.py"),
    (sentence("Other checks of the whole"), "tests/test_problems.py, tests/test_pipeline.py"),
)
_STRESS: _Items = (
    (sentence("1 Objectives"), "here:question"),
    (sentence("2 Logic of the model"), "docs/method/model.md"),
    (sentence("3 Data"), "here:assumptions"),
    (sentence("4 Experiments: replications, random numbers, errors"), "here:provenance"),
    (sentence("5 Implementation"), "here:provenance"),
    (sentence("6 Access to the code"), "docs/method/summary.md"),
)
_TRACE: _Items = (
    (sentence("1 Formulation of the problem"), "here:question"),
    (sentence("2 Description of the model"), "docs/method/model.md"),
    (sentence("3 Evaluation of the data"), "here:assumptions"),
    (sentence("4 Evaluation of the concept"), "here:limits"),
    (sentence("5 Verification of the implementation"), "docs/method/verification.md"),
    (sentence("6 Verification of the output"), "tests/test_published.py"),
    (sentence("7 Analysis of the model"), "here:stress"),
    (sentence("8 Corroboration of the output"), _KNOWN),
)
CHECKLISTS: Mapping[str, _Items] = {"AdViSHE": _ADVISHE, "TECH-VER": _TECHVER, "STRESS-DES": _STRESS, "TRACE": _TRACE}


def checklists_pages(frame: ReportFrame, names: Mapping[str, str]) -> list[ReportPage]:
    """Fill in the checklists.

    Parameters
    ----------
    names
        By section of this report that is there: its title.
    """
    say = frame.language.say
    blocks: list[PageBlock] = [
        Paragraph(
            say(
                "What four checklists of the field ask for, and where it stands: a section of this report, a page of the "
                "documentation, or a test of the program."
            )
        ),
    ]
    columns = (say("item"), say("where it stands"))
    for title, items in CHECKLISTS.items():
        rows = tuple((say(item), _where(frame, place, names)) for item, place in items)
        blocks.append(Sheet(Markup('<span class="typed">{}</span>').format(title), columns, rows, frozenset({0, 1})))
    return [ReportPage("checklists", say("Checklists of the field"), blocks)]


def _where(frame: ReportFrame, place: str, names: Mapping[str, str]) -> Markup:
    say, study = frame.language.say, frame.study
    if place == _NONE:
        return say("Not done by the program: it is for the readers of this report.")
    if place == _KNOWN:
        if study.known:
            return say(
                "The study holds later results ({n}), with which {command} compares it.",
                n=len(study.known),
                command=_code("simengine retrospect"),
            )
        return say("Not done: the study holds no later results.")
    if place.startswith(_HERE):
        section = place.removeprefix(_HERE)
        if section not in names:
            return say("A section that was left out of this report.")
        return Markup('<a href="#{}">{}</a>').format(section, say(names[section]))
    return Markup(", ").join(map(_code, place.split(", ")))


def _code(text: str) -> Markup:
    return Markup('<code class="typed">{}</code>').format(text)
