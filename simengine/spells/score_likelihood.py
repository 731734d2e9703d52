"""The likelihood of readings of a score, normal between people: at entry, perhaps twice, and at a date, each of which may lack.

With R the reliability at entry, s0 and s1 the standard deviations as scores are read, and r the correlation between the level at entry
without its error and the reading at the date, two readings at entry have the covariance R s0², and each has r √R s0 s1 with that at
the date. Whoever lacks a reading counts with the others: drop-out that depends on the reading at entry biases nothing (Little and Rubin
2019, "Statistical Analysis with Missing Data", section 7.2).
"""

from __future__ import annotations

import numpy as np

from simengine.arrays import Floats, Integers
from simengine.late import special
from simengine.spells.choices import Priors
from simengine.spells.score_pairs import ScorePairs


class ScoreBlock:
    """The numbers of one score, counted from `centre` in units of `spread`.

    They are the means at entry and at the date, the logarithms of both standard deviations, artanh of the correlation, and, where people
    were read twice at entry, the logit of the reliability.
    """

    def __init__(self, pairs: ScorePairs, priors: Priors) -> None:
        self.priors = priors
        self.has_second = bool(np.isfinite(pairs.second).any())
        read = np.stack([pairs.entry, pairs.second, pairs.at_date], axis=1)
        known = np.isfinite(pairs.entry)
        self.centre, self.spread = float(pairs.entry[known].mean()), float(pairs.entry[known].std())
        standard = (read - self.centre) / self.spread
        pattern = np.isfinite(read) @ np.array([1, 2, 4])
        self._patterns: list[tuple[tuple[Integers, Integers], int, Floats, Floats]] = []
        for one in np.unique(pattern[pattern > 0]):
            which = np.flatnonzero([one & 1, one & 2, one & 4])
            of = standard[pattern == one][:, which]
            mean = of.mean(axis=0)
            self._patterns.append(((which[:, None], which[None, :]), len(of), mean, (of - mean).T @ (of - mean)))
        late = standard[np.isfinite(pairs.at_date), 2]
        self._late = float(late.mean()), float(np.log(max(late.std(), 0.01)))

    def start(self) -> Floats:
        """Return where the search begins: what was read, and half of everything else."""
        return np.array([0.0, self._late[0], 0.0, self._late[1], 0.5, *([1.0] if self.has_second else [])])

    def moments(self, point: Floats) -> tuple[Floats, Floats]:
        """Return mean, shape (3,), and covariance, shape (3, 3), of the readings at entry, at entry again, and at the date."""
        s0, s1 = np.exp(point[2]), np.exp(point[3])
        reliability = special.expit(point[5]) if self.has_second else 1.0
        across = np.tanh(point[4]) * np.sqrt(reliability) * s0 * s1
        again = reliability * s0**2
        covariance = np.array([[s0**2, again, across], [again, s0**2, across], [across, across, s1**2]])
        return np.array([point[0], point[0], point[1]]), covariance

    def log_posterior(self, point: Floats) -> tuple[float, Floats]:
        """Return the logarithm of the posterior density, up to a constant, and its gradient; shape (parameter,)."""
        mean, covariance = self.moments(point)
        value, gradient = self._log_prior(point)
        by_mean, by_covariance = np.zeros(3), np.zeros((3, 3))
        for which, n, seen, scatter in self._patterns:
            part = covariance[which]
            sign, log_determinant = np.linalg.slogdet(part)
            if not sign > 0:
                return -np.inf, gradient
            inverse = np.linalg.inv(part)
            off = seen - mean[which[1][0]]
            of = scatter + n * np.outer(off, off)
            value -= 0.5 * (n * log_determinant + float((inverse * of).sum()))
            by_mean[which[1][0]] += n * inverse @ off
            by_covariance[which] += 0.5 * (inverse @ of @ inverse - n * inverse)
        by_point = self._by_point(point, covariance)
        gradient[0] += by_mean[0] + by_mean[1]
        gradient[1] += by_mean[2]
        gradient[2:] += (by_point * by_covariance).sum(axis=(1, 2))
        return float(value), gradient

    def _by_point(self, point: Floats, covariance: Floats) -> Floats:
        """Return the derivative of the covariance by every number but the means, shape (parameter - 2, 3, 3)."""
        again, across = covariance[0, 1], covariance[0, 2]
        rho = np.tanh(point[4])
        reliability = special.expit(point[5]) if self.has_second else 1.0
        by_rho = np.sqrt(reliability) * np.exp(point[2] + point[3]) * (1 - rho**2)
        rows = [
            (2 * covariance[0, 0], 2 * again, across, 0.0),
            (0.0, 0.0, across, 2 * covariance[2, 2]),
            (0.0, 0.0, by_rho, 0.0),
        ]
        if self.has_second:
            rows.append((0.0, again * (1 - reliability), across * (1 - reliability) / 2, 0.0))
        return np.array([[[a, b, c], [b, a, c], [c, c, d]] for a, b, c, d in rows])

    def _log_prior(self, point: Floats) -> tuple[float, Floats]:
        """Return the log of what is known before, and its gradient: correlation and reliability uniform, the rest as the priors say."""
        gradient = np.zeros(len(point))
        value = float(np.log1p(-(np.tanh(point[4]) ** 2)))
        gradient[4] = -2 * np.tanh(point[4])
        if self.has_second:
            value += float(special.log_expit(point[5]) + special.log_expit(-point[5]))
            gradient[5] = 1 - 2 * special.expit(point[5])
        if (known := self.priors.score_mean) is not None:
            away = (self.centre + self.spread * point[:2] - known.mean) / known.sd
            value -= float((away**2).sum()) / 2
            gradient[:2] -= away * self.spread / known.sd
        if (spread := self.priors.score_sd) is not None:
            away = (np.log(self.spread) + point[2:4] - np.log(spread.median)) / spread.sd_of_log
            value -= float((away**2).sum()) / 2
            gradient[2:4] -= away / spread.sd_of_log
        return value, gradient

    def written(self, points: Floats) -> dict[str, Floats]:
        """Return the numbers as a study names them, in points of the scale; points: shape (point, parameter)."""
        s0, s1 = self.spread * np.exp(points[:, 2]), self.spread * np.exp(points[:, 3])
        found = {
            "mean": self.centre + self.spread * points[:, 1],
            "sd": s1,
            "mean_at_entry": self.centre + self.spread * points[:, 0],
            "sd_at_entry": s0,
            "correlation": np.tanh(points[:, 4]),
        }
        if self.has_second:
            reliability = special.expit(points[:, 5])
            found["sd_at_entry"] = s0 * np.sqrt(reliability)
            found["error_sd_at_entry"] = s0 * np.sqrt(1 - reliability)
        return found
