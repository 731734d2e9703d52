"""What is known of numbers before the spells are read, as a density."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from simengine.arrays import Floats
from simengine.spells.choices import Priors


def log_prior(kinds: Iterable[str], point: Floats, priors: Priors) -> tuple[float, Floats]:
    """Return the log density, up to a constant, of numbers as they are fitted (logarithms, but of trends), and its gradient.

    Parameters
    ----------
    kinds
        What each number is: `rate`, `trend`, or one of those that have a spread.
    point
        Shape (number,).
    priors
        Gamma for rates, normal for trends, lognormal for the rest.
    """
    spreads = {
        "factor": priors.factor,
        "stratum": priors.factor,
        "season": priors.season_factor,
        "shape": priors.weibull_shape,
        "variance": priors.frailty_variance,
    }
    value, gradient = 0.0, np.zeros(len(point))
    for place, (kind, x) in enumerate(zip(kinds, point, strict=True)):
        if kind == "rate":
            value += priors.rate.events * x - priors.rate.at_risk_months * np.exp(x)
            gradient[place] = priors.rate.events - priors.rate.at_risk_months * np.exp(x)
        else:
            known = None if kind == "trend" else spreads[kind]
            centre, sd = (0.0, priors.trend_sd) if known is None else (np.log(known.median), known.sd_of_log)
            value -= ((x - centre) / sd) ** 2 / 2
            gradient[place] = -(x - centre) / sd**2
    return float(value), gradient
