# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The bench: a method of your own beside the baselines
#
# You have an idea how to estimate with fewer replications. Is it better than what is known, on problems that somebody
# who shares risk has to answer? This notebook goes from the list of problems to a method in ten lines, its scores, and
# a picture. [Benchmark your method](../how-to/benchmark-your-method.md) does the same on the command line and tells the
# rules.

# %%
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import qmc

from simengine import bench

print(f"suite {bench.SUITE}")
pd.Series(Counter(one.card.family for one in bench.suite()), name="problems").to_frame()

# %% [markdown]
# ## One problem
#
# A bonus is paid where the measured fall of reconvictions reaches a threshold. Its sizes are those of Peterborough. The
# trial is all that a method gets: it describes the problem, simulates, and counts the work.

# %%
problem = bench.find_problem("a_threshold_bonus")
print(problem.card.question)
print("Hard:", problem.card.difficulty)
trial = bench.Trial(problem, budget=1024)
pd.DataFrame(trial.describe()["quantities"]).T.fillna("")

# %% [markdown]
# Plain draws know the mean bonus quickly. The derivative by the threshold is another matter: the payment jumps, so a
# difference quotient is mostly noise.

# %%
bonus = trial.simulate({"threshold": 0.1}, replications=512, seed=1)["net"]
print(f"mean {bonus.mean():.0f} ± {bonus.std(ddof=1) / np.sqrt(len(bonus)):.0f}")
print(f"{trial.left} replications are left")

# %% [markdown]
# ## A method
#
# A method is a function of a trial and a seed. This one joins two ideas that have a baseline each. Where a problem gives
# expected values given a part of its uniforms, it takes them, and it spreads that part evenly by Sobol points. What is
# left is smooth, and there evenly spread points are at their best.


# %%
def smooth_then_spread(trial, seed):
    given = trial.describe().get("given")
    if not given:
        raise bench.NotApplicableError("no part of this problem has a closed form")
    engine = qmc.Sobol(given, scramble=True, bits=52, seed=seed)
    points = engine.random_base2(int(np.log2(trial.budget)))
    points = np.clip(points, 1e-12, 1 - 1e-12)
    found = trial.simulate({"given": points}, len(points), seed)
    return {name: values.mean() for name, values in found.items()}


# %% [markdown]
# It runs beside the baselines on the same budgets and the same seeds. A score is the root mean squared error over ten
# repeats, as a share of the answer's own size. The answers are closed forms that owe nothing to any of these methods.

# %%
METHODS = ["plain", "sobol", "conditional_monte_carlo", "__main__:smooth_then_spread"]
PROBLEMS = ["a_threshold_bonus", "a_raised_cap", "one_in_a_million", "a_card_of_24"]
attempts = bench.run_methods(METHODS, PROBLEMS, budgets=[256, 1024, 4096])
lines = pd.DataFrame(bench.summarise_attempts(attempts))
scores = lines.pivot_table("score", ["problem", "measure", "budget"], "method")
at_most = scores.xs(4096, level="budget")
shared = at_most.dropna(subset="smooth_then_spread")
shared.map(lambda error: f"{error:.2g}")

# %% [markdown]
# `a_card_of_24` is missing: the method says that it does not apply there, and nothing is held against it. On
# `one_in_a_million` it gains least: eleven of twelve delays still have to be long, and few points of any set are.
# There importance sampling is the right idea.

# %%
ratios = shared["smooth_then_spread"] / shared["conditional_monte_carlo"]
print("error as a share of that of conditional Monte Carlo alone:")
ratios.round(3).to_frame("share")

# %% [markdown]
# ## Error against work
#
# The picture shows the derivative. Plain draws and Sobol points fall slowly, for their quotient is noise over a small
# step. With the noise integrated out the error is lower from the start, and it falls by the order of the points.

# %%
figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
derivative = scores.loc[("a_threshold_bonus", "by_threshold")]
for method, mark in zip(derivative.columns, "os^D", strict=True):
    axes.loglog(derivative.index, derivative[method], marker=mark, label=method)
axes.set_xlabel("replications")
axes.set_ylabel("error of the derivative")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Two warnings. Scores of ten repeats are known to about a fifth of themselves. And a method that was tuned on a problem
# should be told on the others as well: run it on the whole family, as `simengine bench run estimation --method
# mine:smooth_then_spread` does, and compare it with the tables that come with the package.
