"""The slow twin of `simengine.measurement.measure`: one replication after the other, with plain numbers.

Written from what `measurement/spec.py` says of every section and from the textbook form of every variance: the delta method
with a gradient and a matrix of covariances, never the closed form that the engine uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, floor, fsum, isnan, log, nan, sqrt
from typing import Any

import numpy as np
from scipy import special, stats

from tests.reference.streams import uniforms

ARMS = ("service", "twin", "baseline", "control", "parallel", "matched_service", "matched", "service_before", "parallel_before")
Number = Callable[[str], float]


@dataclass
class Group:
    """Moments of the people of one arm: weights, means, and covariances between persons (1 the window, 0 before entry)."""

    weight: float
    squares: float
    mean: float
    before: float
    var: float
    var_before: float
    cov: float

    @property
    def persons(self) -> float:
        return self.weight**2 / self.squares if self.squares else 0.0

    @property
    def per_mean(self) -> float:
        return self.squares / self.weight**2 if self.weight else 0.0


def group_of(sums: Sequence[Mapping[str, float]]) -> Group:
    """Turn sums over persons into moments: unbiased for weighted persons of one distribution."""
    total = {key: fsum(part[key] for part in sums) for key in sums[0]}
    w = total["w"]
    if w == 0:
        return NOBODY
    m1, m0 = total["x"] / w, total["b"] / w
    left = 1 - total["w2"] / w**2
    if left < 1e-12:
        return Group(w, total["w2"], m1, m0, nan, nan, nan)
    var, var_before = ((total[key] / w - mean**2) / left for key, mean in (("xx", m1), ("bb", m0)))
    return Group(w, total["w2"], m1, m0, max(var, 0.0), max(var_before, 0.0), (total["xb"] / w - m1 * m0) / left)


NOBODY = Group(0.0, 0.0, nan, nan, nan, nan, nan)


def sums_of(group: Group) -> dict[str, float]:
    left = 1 - group.per_mean
    w = group.weight
    if not w:
        return dict.fromkeys(("w", "w2", "x", "b", "xx", "bb", "xb"), 0.0)
    if left < 1e-12:
        # One person: nothing between people, whatever it would be.
        group, left = replace(group, var=0.0, var_before=0.0, cov=0.0), 0.0
    return {
        "w": w,
        "w2": group.squares,
        "x": w * group.mean,
        "b": w * group.before,
        "xx": w * (group.var * left + group.mean**2),
        "bb": w * (group.var_before * left + group.before**2),
        "xb": w * (group.cov * left + group.mean * group.before),
    }


def measure(
    protocol: Any,
    tallies: Any,
    kinds: Mapping[str, str],
    waves: Sequence[str],
    seed: int,
    replications: Sequence[int],
    values: Mapping[str, Any],
) -> list[list[dict[str, Any]]]:
    """Give, by replication and metric: estimate, error, truth, by_wave and cumulative."""
    out = []
    for r, replication in enumerate(replications):
        number = {path: float(column[r]) for path, column in values.items()}.__getitem__
        out.append(
            [
                _One(protocol, name, metric, kinds[metric.outcome], tallies, waves, seed, int(replication), r, number).all()
                for name, metric in protocol.metrics.items()
            ]
        )
    return out


@dataclass
class _One:
    protocol: Any
    name: str
    metric: Any
    kind: str
    tallies: Any
    waves: Sequence[str]
    seed: int
    replication: int
    r: int
    number: Number

    def all(self) -> dict[str, Any]:
        every = list(range(len(self.waves)))
        estimate, error = self.conclude(every)
        return {
            "estimate": estimate,
            "error": error,
            "truth": self.truth(),
            "by_wave": [self.conclude([wave])[0] for wave in every],
            "cumulative": [self.conclude(every[: wave + 1])[0] for wave in every],
        }

    # What is seen.

    def sums(self, arm: str, wave: int) -> dict[str, float]:
        place = (self.r, wave, ARMS.index(arm))
        o, months = self.tallies.outcomes.index(self.metric.outcome), int(self.metric.window_months.value)
        w = self.tallies.windows.index(months)
        adds_up = self.kind == "amount" and self.tallies.history_months
        scale = months / self.tallies.history_months if adds_up else 1.0
        read = {
            "w": self.tallies.weight[place],
            "w2": self.tallies.weight_squares[place],
            "x": self.tallies.sums[(*place, o, w)],
            "b": self.tallies.sums_before[(*place, o)] * scale,
            "xx": self.tallies.squares[(*place, o, w)],
            "bb": self.tallies.squares_before[(*place, o)] * scale**2,
            "xb": self.tallies.products_with_before[(*place, o, w)] * scale,
        }
        return {key: float(value) for key, value in read.items()}

    def deflated(self, told: dict[str, float], arm: str, wave: int) -> dict[str, float]:
        """Multiply money by what prices grew more than the index, from the base month to the middle of each period."""

        def entry(w: int) -> float:
            path = f"population.waves.{self.waves[w]}"
            return self.number(f"{path}.from_month") + (floor(self.number(f"{path}.enrolment_months")) - 1) / 2

        path = f"measurement.metrics.{self.name}.prices"
        month = entry(wave)
        if arm == "baseline":
            people = [float(self.tallies.weight[self.r, w, ARMS.index("service")]) for w in range(len(self.waves))]
            month = fsum(n * entry(w) for w, n in enumerate(people)) / fsum(people) if fsum(people) else 0.0
            month -= 12 * self.number("measurement.baseline.years_before")
        month -= self.number(f"{path}.base_month")
        faster = self.number(f"{path}.growth_per_year") - self.number(f"{path}.index_per_year")
        after = exp(faster * (month + self.metric.window_months.value / 2) / 12)
        before = exp(faster * (month - self.tallies.history_months / 2) / 12)
        powers = {"x": (1, 0), "b": (0, 1), "xx": (2, 0), "bb": (0, 2), "xb": (1, 1)}
        return told | {key: told[key] * after**a * before**b for key, (a, b) in powers.items()}

    def luck(self, arm: str, wave: int, decision: str) -> float:
        return uniforms(self.seed, f"measurement/{self.name}/{arm}/{self.waves[wave]}/{decision}", [self.replication])[0]

    def seen(self, arm: str, wave: int) -> dict[str, float]:
        told = self.sums(arm, wave)
        group = group_of([told if self.metric.prices is None else self.deflated(told, arm, wave)])
        path = f"measurement.metrics.{self.name}"
        if self.metric.attrition is not None:
            group = self.thin(group, arm, wave, f"{path}.attrition")
        if self.metric.misclassification is not None:
            group = self.misread(group, arm, wave, f"{path}.misclassification")
        return sums_of(group)

    def thin(self, group: Group, arm: str, wave: int, path: str) -> Group:
        served = arm in ("service", "matched_service", "service_before")
        own = not served and self.metric.attrition.share_comparison is not None
        lost = self.number(f"{path}.share_comparison" if own else f"{path}.share")
        n = round(group.persons)
        left = float(stats.binom(n, 1 - lost).ppf(self.luck(arm, wave, "lost"))) if n else 0.0
        if not left:
            return NOBODY
        if n == 1:
            # Nobody is lost who was seen, so that no luck is needed.
            group = replace(group, var=0.0, var_before=0.0, cov=0.0)
        z1, z2 = (float(special.ndtri(self.luck(arm, wave, decision))) for decision in ("seen", "seen before"))
        both = sqrt(group.var * group.var_before)
        rho = max(-1.0, min(1.0, group.cov / both)) if both else 0.0
        deviation = sqrt(max(1 / left - 1 / n, 0.0) * group.per_mean * n)
        mean = group.mean - lost * self.number(f"{path}.gap") + deviation * sqrt(group.var) * z1
        before = group.before + deviation * sqrt(group.var_before) * (rho * z1 + sqrt(1 - rho**2) * z2)
        var, var_before = group.var, group.var_before
        squares = group.squares * left / n
        if self.kind == "share":
            mean, before = (min(max(round(level * left), 0), left) / left for level in (mean, before))
            inflate = 1 - squares / (group.weight * left / n) ** 2
            var, var_before = ((m * (1 - m) / inflate if inflate > 1e-12 else nan) for m in (mean, before))
        return Group(group.weight * left / n, squares, mean, before, var, var_before, group.cov)

    def misread(self, group: Group, arm: str, wave: int, path: str) -> Group:
        right, rejects = self.number(f"{path}.sensitivity"), self.number(f"{path}.specificity")
        n = round(group.persons)
        if not n:
            return group
        shares = []
        for mean, when in ((group.mean, ""), (group.before, " before")):
            yes = min(max(round(mean * n), 0), n)
            read = stats.binom(yes, right).ppf(self.luck(arm, wave, f"yes{when}")) if yes else 0.0
            read += stats.binom(n - yes, 1 - rejects).ppf(self.luck(arm, wave, f"no{when}")) if n > yes else 0.0
            shares.append(float(read) / n)
        left = 1 - group.per_mean
        var, var_before = ((max(m * (1 - m) / left, 0.0) if left > 1e-12 else nan) for m in shares)
        return Group(group.weight, group.squares, *shares, var, var_before, group.cov * (right + rejects - 1) ** 2)

    def people(self, arm: str, waves: Sequence[int]) -> Group:
        return group_of([self.seen(arm, wave) for wave in ([0] if arm == "baseline" else waves)])

    # What is concluded.

    def conclude(self, waves: Sequence[int]) -> tuple[float, float]:
        of_wave = [self.protocol.by_wave.get(self.waves[wave], self.protocol.design) for wave in waves]
        designs = of_wave if self.metric.design is None else [self.metric.design for _ in waves]
        if len(set(designs)) == 1:
            estimate, error = self.design(designs[0], waves)
        else:
            parts = [self.design(design, [wave]) for design, wave in zip(designs, waves, strict=True)]
            sizes = [self.sums("service", wave)["w"] for wave in waves]
            if self.metric.estimate == "total_difference":
                shares = [1.0] * len(waves)
            elif not sum(sizes):
                return nan, nan
            else:
                shares = [size / sum(sizes) for size in sizes]
                parts = [part if size else (0.0, 0.0) for part, size in zip(parts, sizes, strict=True)]
            estimate = fsum(share * part[0] for share, part in zip(shares, parts, strict=True))
            error = sqrt(fsum((share * part[1]) ** 2 for share, part in zip(shares, parts, strict=True)))
        return self.shrink(estimate, error)

    def shrink(self, estimate: float, error: float) -> tuple[float, float]:
        shrinkage, path = self.metric.shrinkage, f"measurement.metrics.{self.name}.shrinkage"
        if shrinkage is None:
            return estimate, error
        if shrinkage.credibility is not None:
            z = self.number(f"{path}.credibility")
        else:
            prior = self.number(f"{path}.prior_sd") ** 2
            z = 0.0 if isnan(error) else prior / (prior + error**2) if prior + error**2 > 0 else 1.0
        return z * estimate + (1 - z) * self.number(f"{path}.prior"), z * error

    def design(self, design: str, waves: Sequence[int]) -> tuple[float, float]:
        if design == "mix":
            parts = {name: (self.number(f"measurement.mix.{name}"), *self.design(name, waves)) for name in self.protocol.mix}
            return fsum(w * e for w, e, _ in parts.values()), fsum(w * s for w, _, s in parts.values())
        if self.metric.per is not None:
            return self.efficiency(design, waves)
        means, matrix, untreated = getattr(self, f"_{design}")(waves)
        n = fsum(self.sums("service", wave)["w"] for wave in waves)
        return self.report(means, matrix, untreated, n)

    def report(self, means: list[float], matrix: list[list[float]], untreated: Callable[[list[float]], float], n: float) -> Any:
        """Return value and error of what the metric asks for: the first mean is the service users'."""

        def value(at: list[float]) -> float:
            other = untreated(at)
            if self.metric.estimate == "relative_reduction":
                return (other - at[0]) / other if other else nan
            factor = {"total_difference": n, "rate_difference": 1.0, "per_100_difference": 100.0}[self.metric.estimate]
            return factor * (other - at[0])

        if n == 0 and self.metric.estimate == "total_difference":
            return 0.0, 0.0
        gradient = [self.slope(value, means, i) for i in range(len(means))]
        places = range(len(means))
        variance = fsum(gradient[i] * gradient[j] * matrix[i][j] for i in places for j in places)
        turn = 1.0 if self.metric.better == "lower" else -1.0
        found = turn * value(means)
        return found, nan if isnan(found) else sqrt(max(variance, 0.0))

    def spent(self, arm: str, waves: Sequence[int]) -> tuple[list[float], list[list[float]], float]:
        """Return means of the outcome and of what it is per, the covariances of these means, and the people."""
        at = [(self.r, wave, ARMS.index(arm)) for wave in ([0] if arm == "baseline" else waves)]
        w = self.tallies.windows.index(int(self.metric.window_months.value))
        pair = self.tallies.pairs.index((self.metric.outcome, self.metric.per))
        one, two = (self.tallies.outcomes.index(name) for name in (self.metric.outcome, self.metric.per))
        n = fsum(float(self.tallies.weight[place]) for place in at)
        if not n:
            return [nan, nan], [[nan, nan], [nan, nan]], 0.0
        squares = fsum(float(self.tallies.weight_squares[place]) for place in at)
        means = [fsum(float(self.tallies.sums[(*place, o, w)]) for place in at) / n for o in (one, two)]
        seconds = [fsum(float(self.tallies.squares[(*place, o, w)]) for place in at) / n for o in (one, two)]
        joint = fsum(float(self.tallies.pair_products[(*place, pair, w)]) for place in at) / n
        left = 1 - squares / n**2
        scale = squares / n**2 / left if left > 1e-12 else nan
        (a, b), (aa, bb) = means, seconds
        return means, [[(aa - a * a) * scale, (joint - a * b) * scale], [(joint - a * b) * scale, (bb - b * b) * scale]], n

    def efficiency(self, design: str, waves: Sequence[int]) -> tuple[float, float]:
        """Compare the outcome per unit of another: four means, their covariances, and a gradient by steps."""
        arms = {"randomised": ("service", "control"), "matched": ("matched_service", "matched")}
        own, other = arms.get(design, ("service", "baseline"))
        (mine, spread, n_mine), (theirs, other_spread, n_theirs) = (self.spent(arm, waves) for arm in (own, other))
        shift = {"matched": lambda: self.number("measurement.matched.hidden_bias")}
        drift = f"measurement.metrics.{self.name}.drift_per_year"
        shift["historical"] = lambda: -self.number(drift) * self.number("measurement.baseline.years_before")
        factor = exp(shift[design]()) if design in shift else 1.0
        clusters = self.protocol.control.clusters if design == "randomised" else None
        inflate = [1.0, 1.0]
        if clusters is not None:
            rho = self.number("measurement.control.clusters.intra_cluster_correlation")
            inflate = [self.design_effect(arm, n, waves, rho) for arm, n in ((own, n_mine), (other, n_theirs))]

        def value(at: list[float]) -> float:
            before = factor * at[2] / at[3] if at[3] else nan
            return 1 - at[0] / at[1] / before if before and at[1] else nan

        means = [*mine, *theirs]
        gradient = [self.slope(value, means, i) for i in range(4)]
        variance = 0.0
        for start, matrix, more in ((0, spread, inflate[0]), (2, other_spread, inflate[1])):
            variance += more * fsum(gradient[start + i] * gradient[start + j] * matrix[i][j] for i in (0, 1) for j in (0, 1))
        turn = 1.0 if self.metric.better == "lower" else -1.0
        return turn * value(means), sqrt(max(variance, 0.0))

    @staticmethod
    def slope(value: Callable[[list[float]], float], at: list[float], place: int) -> float:
        """Differentiate by five points."""
        step = 1e-3 * max(abs(at[place]), 1e-2)
        moved = {k: value([x + k * step if i == place else x for i, x in enumerate(at)]) for k in (-2, -1, 1, 2)}
        return (moved[-2] - 8 * moved[-1] + 8 * moved[1] - moved[2]) / (12 * step)

    def shift(self, mean: float, size: float) -> float:
        if self.kind == "score":
            return mean + size
        if self.kind == "share" and 0 < mean < 1:
            return 1 / (1 + exp(-(log(mean / (1 - mean)) + size)))
        return mean if self.kind == "share" else mean * exp(size)

    def spread(self, group: Group, mean: float, variance: float, size: float) -> float:
        """Return the variance between people who live at a shifted level."""
        level = self.shift(mean, size)
        if self.kind == "score" or not mean:
            return variance
        if self.kind == "share":
            return variance * level * (1 - level) / (mean * (1 - mean)) if mean != 1 else variance
        return variance * (level / mean) ** 2

    def two(self, service: Group, other: Group, size: float) -> Any:
        level = self.shift(other.mean, size)
        spread = self.spread(other, other.mean, other.var, size)
        matrix = [[service.var * service.per_mean, 0.0], [0.0, spread * other.per_mean]]
        return [service.mean, level], matrix, lambda at: at[1]

    def _historical(self, waves: Sequence[int]) -> Any:
        years = self.number("measurement.baseline.years_before")
        size = -self.number(f"measurement.metrics.{self.name}.drift_per_year") * years
        return self.two(self.people("service", waves), self.people("baseline", waves), size)

    def _matched(self, waves: Sequence[int]) -> Any:
        bias = self.number("measurement.matched.hidden_bias")
        return self.two(self.people("matched_service", waves), self.people("matched", waves), bias)

    def _randomised(self, waves: Sequence[int]) -> Any:
        groups = [self.people(arm, waves) for arm in ("service", "control")]
        means, matrix, untreated = self.two(*groups, 0.0)
        clusters = self.protocol.control.clusters
        if clusters is not None:
            rho = self.number("measurement.control.clusters.intra_cluster_correlation")
            for i, (arm, group) in enumerate(zip(("service", "control"), groups, strict=True)):
                matrix[i][i] *= self.design_effect(arm, group.weight, waves, rho)
        return means, matrix, untreated

    def design_effect(self, arm: str, n: float, waves: Sequence[int], rho: float) -> float:
        """Return 1 + (others in the site of a person who is seen) rho, in sites of equal size."""
        before = fsum(float(self.tallies.n_people[self.r, wave, ARMS.index(arm)]) for wave in waves)
        others = max(before / self.protocol.control.clusters.number.value - 1, 0.0)
        # Each of the others is still seen with the same chance.
        return 1 + (others * max(n - 1, 0.0) / (before - 1) if before > 1 else 0.0) * rho

    def both(self, arm: str, waves: Sequence[int]) -> Group:
        """Put together what is seen before and after; of others before, with a variance as if as many had been seen."""
        after = self.people(arm, waves)
        if self.protocol.cross_section is None:
            return after
        before = self.people(f"{arm}_before", waves)
        scale = before.per_mean / after.per_mean if after.per_mean else 0.0
        return Group(after.weight, after.squares, after.mean, before.before, after.var, before.var_before * scale, 0.0)

    def _before_after(self, waves: Sequence[int]) -> Any:
        own = self.both("service", waves)
        matrix = [[own.var * own.per_mean, own.cov * own.per_mean], [own.cov * own.per_mean, own.var_before * own.per_mean]]
        return [own.mean, own.before], matrix, lambda at: at[1]

    def _difference_in_differences(self, waves: Sequence[int]) -> Any:
        own, other = self.both("service", waves), self.both("parallel", waves)
        months = self.tallies.history_months + self.metric.window_months.value
        level = self.number("measurement.parallel.level")
        later = level + self.number("measurement.parallel.trend_gap_per_year") * months / 24
        after, before = self.shift(other.mean, later), self.shift(other.before, level)
        var, var_before = (
            self.spread(other, mean, variance, size)
            for mean, variance, size in ((other.mean, other.var, later), (other.before, other.var_before, level))
        )
        stretch = 1.0
        for new, old in ((var, other.var), (var_before, other.var_before)):
            stretch *= sqrt(new / old) if old else 0.0
        if self.kind != "share":
            stretch = (after / other.mean if other.mean else 1.0) * (before / other.before if other.before else 1.0)
            stretch = 1.0 if self.kind == "score" else stretch
        cov = other.cov * stretch
        matrix = [
            [own.var * own.per_mean, own.cov * own.per_mean, 0.0, 0.0],
            [own.cov * own.per_mean, own.var_before * own.per_mean, 0.0, 0.0],
            [0.0, 0.0, var * other.per_mean, cov * other.per_mean],
            [0.0, 0.0, cov * other.per_mean, var_before * other.per_mean],
        ]
        means = [own.mean, own.before, after, before]
        form = self.protocol.parallel.form
        if form == "ratio":
            return means, matrix, lambda at: at[1] * at[2] / at[3] if before else nan
        if form == "regression":
            here = (own.mean, own.before, own.var, own.var_before, own.cov, own.persons)
            return self.least_squares(here, (after, before, var, var_before, cov, other.persons))
        return means, matrix, lambda at: at[2] + at[1] - at[3]

    @staticmethod
    def least_squares(own: Sequence[float], other: Sequence[float]) -> Any:
        """Fit y = a + t group + b before by normal equations; give the means, the slope, and how they vary and go together."""
        groups = [(g, *one) for g, one in ((1.0, own), (0.0, other))]
        moment = np.zeros((3, 3))
        right, total = np.zeros(3), 0.0
        for g, y, x, yy, xx, xy, n in groups:
            yy, xx, xy = ((n - 1) * part if n > 1 else 0.0 for part in (yy, xx, xy))
            at = np.array([1.0, g, x])
            moment += n * np.outer(at, at)
            moment[2, 2] += xx
            right += n * at * y
            right[2] += xy
            total += yy + n * y * y
        n, n_other = own[-1], other[-1]
        if not np.isfinite(moment).all():
            return [own[0], nan], [[nan, nan], [nan, nan]], lambda at: at[1]
        coefficient = np.linalg.solve(moment, right)
        left = n + n_other - 3
        spread = float(total - coefficient @ right) / left if left > 1e-9 else nan
        b, of_slope = float(coefficient[2]), spread * float(np.linalg.inv(moment)[2, 2])
        x_spread = spread / of_slope / (n + n_other - 2) if of_slope else 0.0
        matrix = [[0.0] * 5 for _ in range(5)]
        for y, x, m in ((0, 1, n), (2, 3, n_other)):
            matrix[y][y], matrix[x][x] = (spread + b * b * x_spread) / m, x_spread / m
            matrix[y][x] = matrix[x][y] = b * x_spread / m
        matrix[4][4] = of_slope
        return [own[0], own[1], other[0], other[1], b], matrix, lambda at: at[2] + at[4] * (at[1] - at[3])

    def _rate_card(self, waves: Sequence[int]) -> Any:
        own = self.people("service", waves)
        claims, deadweight = 1 + self.number("measurement.rate_card.double_claims"), self.number("measurement.rate_card.deadweight")
        variance = own.var * own.per_mean * claims**2
        return [own.mean * claims], [[variance]], lambda at: at[0] * deadweight

    def truth(self) -> float:
        if self.metric.per is not None:
            (mine, _, n), (theirs, _, _) = (self.spent(arm, range(len(self.waves))) for arm in ("service", "twin"))
            turn = 1.0 if self.metric.better == "lower" else -1.0
            return turn * (1 - mine[0] / mine[1] / (theirs[0] / theirs[1])) if n and theirs[0] else nan
        groups = [group_of([self.sums(arm, wave) for wave in range(len(self.waves))]) for arm in ("service", "twin")]
        zeros = [[0.0, 0.0], [0.0, 0.0]]
        n = fsum(self.sums("service", wave)["w"] for wave in range(len(self.waves)))
        return float(self.report([group.mean for group in groups], zeros, lambda at: at[1], n)[0])
