"""Seals of samples that somebody made, without any study's replications."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simengine.seals.distribution import sealed_distribution
from simengine.seals.document import Seal, SealedStudy


def seal_of(samples: Mapping[str, object], title: str = "made up", seed: int = 1, variant: str | None = None) -> Seal:
    """A seal of some samples, of no real study."""
    found = {name: np.asarray(sample, dtype=np.float64) for name, sample in samples.items()}
    n = len(next(iter(found.values())))
    study = SealedStudy(title=title, currency="SEK", variant=variant, overrides=[], text_sha256="a" * 64, contract_sha256="b" * 64)
    return Seal(study, seed, n, "0.1.0", 1, {name: sealed_distribution(sample) for name, sample in found.items()})
