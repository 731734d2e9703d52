"""Plot the value of information."""

from __future__ import annotations

from simengine.config import Study
from simengine.questions.information.answer import Information
from simengine.report.picture import DARK, MIDDLE, MOST_BARS, new_figure, plain_style, save, shortened_path, title_of, with_errors
from simengine.report.units import money_unit


def draw_information(study: Study, found: Information) -> bytes:
    """Plot the value of information before signing, and of pilots of several sizes."""
    unit, money = money_unit(study)
    known = {"everything, sampling variation included": found.hindsight, "every uncertain number (EVPI)": found.evpi}
    known |= {f"all of {name}": one for name, one in found.evppi_of_sections.items()}
    known |= {shortened_path(path): one for path, one in list(found.evppi.items())[:MOST_BARS]}
    with plain_style():
        n_sides = 2 if found.pilots else 1
        figure = new_figure(figsize=(7.5 * n_sides, 1.6 + 0.34 * len(known)), layout="constrained")
        sides = figure.subplots(1, n_sides, squeeze=False)[0]
        sides[0].barh(range(len(known)), [one.value / unit for one in known.values()], color=MIDDLE, height=0.6)
        with_errors(sides[0], list(known), list(known.values()), unit)
        sides[0].set_xlabel(f"worth to {found.choice.party.replace('_', ' ')} before it signs, {money}")
        if found.pilots:
            people = [pilot.n_people for pilot in found.pilots]
            for what, style, label in (
                ("evsi", "-", "decides whether to sign"),
                ("evsi_after_waiting", "--", "less delay and costs"),
            ):
                shown = [getattr(pilot, what) for pilot in found.pilots]
                values, errors = [one.value / unit for one in shown], [1.96 * one.se / unit for one in shown]
                sides[1].errorbar(people, values, yerr=errors, color=DARK, linestyle=style, marker="o", capsize=3, label=label)
            sides[1].axhline(0.0, color=MIDDLE, linewidth=0.8)
            sides[1].set_xlabel("people in the pilot")
            sides[1].set_ylabel(f"worth, {money}")
            sides[1].legend(frameon=False, fontsize=8.5)
        figure.suptitle(f"{title_of(study)}: what knowing more is worth ({found.n_replications:,} replications)", fontsize=11)
        return save(figure, "png")
