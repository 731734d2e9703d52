"""Term sheets settled at the effort that each of them induces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simengine.config import Study, cohort_of
from simengine.config.numbers import with_numbers
from simengine.errors import UsageError
from simengine.pipeline import draw_numbers
from simengine.questions.incentives.answer import Reply, borne_by, live_choices, reply_to
from simengine.questions.incentives.efforts import behaviour_of, cost_of_efforts, cost_of_referrals
from simengine.records import Floats, Integers
from simengine.replications.blocks import map_blocks, map_items
from simengine.replications.ensemble import Ensemble, with_used_designs_alone
from simengine.replications.settling import CachedEvidence, Windows, cache_evidence, chosen_windows, join, with_windows
from simengine.replications.stored import StoredEnsemble, store_evidence, truths_of
from simengine.risk.amounts import Columns
from simengine.risk.measures import Measure


@dataclass(frozen=True)
class ChoiceEvidence:
    """Replications simulated and measured with one choice."""

    kept: CachedEvidence
    cost: Floats
    referral_cost: Floats


@dataclass(frozen=True)
class RespondingEnsemble:
    """Replications simulated and measured once for each choice, so that hundreds of term sheets are settled on them."""

    study: Study
    lives: tuple[ChoiceEvidence, ...]
    """By choice."""
    truths: tuple[Mapping[Windows, Columns], ...]
    """By choice: what is true with each choice of the windows."""
    parties: tuple[str, ...]
    threads: int | None

    def settle(self, terms: Mapping[str, float]) -> dict[str, Columns]:
        """Settle the contract with other numbers at some paths, at what these terms make people choose.

        Returns
        -------
        By party: its money less the costs that it bears, in the columns that its measures read.
        """
        place, answers = self.reply(terms)
        chosen = answers[place.place]
        return {party: self._kept(party, chosen) for party in self.parties}

    def reply(self, terms: Mapping[str, float]) -> tuple[Reply, list[Columns]]:
        """Say what some terms make people choose, and give the columns of every choice."""
        study, windows = with_numbers(self.study, terms), chosen_windows(self.study, terms)
        n = len(self.lives[0].kept.draws)
        settled = map_items(lambda lives: self._settled(study, terms, windows, lives), self.lives, n, threads=self.threads)
        answers: list[Columns] = [{**one, **truth[windows]} for one, truth in zip(settled, self.truths, strict=True)]
        return reply_to(self.study, answers), answers

    def _settled(self, study: Study, terms: Mapping[str, float], windows: Windows, lives: ChoiceEvidence) -> Columns:
        behaviour, columns = behaviour_of(study), lives.kept.settle(study, terms, windows)
        columns = {**columns, "cost": lives.cost, "referral_cost": lives.referral_cost}
        columns["money"] = columns[f"{behaviour.party}.{behaviour.objective}"]
        if behaviour.referral is not None:
            columns["referrer_money"] = columns[f"{behaviour.referral.party}.{behaviour.referral.objective}"]
        return columns

    def _kept(self, party: str, chosen: Columns) -> Columns:
        own = {name: chosen[name] - borne_by(self.study, party, chosen) for name in (f"{party}.net", f"{party}.npv")}
        return {**chosen, **own}


def stored_evidence(study: Study, ensemble: Ensemble, measures: Iterable[Measure]) -> StoredEnsemble | RespondingEnsemble:
    """Store the replications for term sheets: one set, or one for each choice if the sizing includes responses."""
    measures = tuple(measures)
    if study.sizing is not None and study.sizing.responding:
        return store_choices(study, ensemble, measures)
    parties = tuple(dict.fromkeys(measure.party for measure in measures))
    return store_evidence(study, ensemble, parties, parties, measures)


def store_choices(study: Study, ensemble: Ensemble, measures: Iterable[Measure]) -> RespondingEnsemble:
    """Simulate and measure replications once for each choice, and store what settlement needs.

    Raises
    ------
    UsageError
        If a negotiating party has its own belief about the effect: it would then expect another response.
    """
    measures = tuple(measures)
    parties = tuple(dict.fromkeys(measure.party for measure in measures))
    sides = {} if study.sizing is None else study.sizing.parties
    for name in parties:
        if name in sides and (sides[name].beliefs or sides[name].effect_multiple is not None):
            raise UsageError(
                f"sizing.parties.{name}: where people respond, every party must believe the study; found beliefs of its own"
            )
    lean, behaviour = with_used_designs_alone(study), behaviour_of(study)
    deciders = [behaviour.party, *([] if behaviour.referral is None else [behaviour.referral.party])]

    def lived(replications: Integers) -> tuple[ChoiceEvidence, ...]:
        draws = draw_numbers(lean, ensemble.seed, replications)
        return tuple(
            ChoiceEvidence(
                cache_evidence(lean, own, tallies, dict.fromkeys([*parties, *deciders]), measures),
                cost_of_efforts(lean, choice, own, tallies),
                cost_of_referrals(lean, choice, own, tallies),
            )
            for choice, own, tallies in live_choices(lean, with_windows(lean, cohort_of(lean)), draws)
        )

    blocks = map_blocks(
        lived,
        ensemble.n_replications,
        threads=ensemble.threads,
        block_size=ensemble.block_size,
        first=ensemble.first,
        on_progress=ensemble.on_progress,
        on_pace=ensemble.on_pace,
    )
    lives = tuple(_join(by_block) for by_block in zip(*blocks, strict=True))
    return RespondingEnsemble(study, lives, tuple(truths_of([one.kept]) for one in lives), parties, ensemble.threads)


def _join(blocks: Sequence[ChoiceEvidence]) -> ChoiceEvidence:
    costs, referral_costs = ([getattr(one, name) for one in blocks] for name in ("cost", "referral_cost"))
    return ChoiceEvidence(join([one.kept for one in blocks]), np.concatenate(costs), np.concatenate(referral_costs))
