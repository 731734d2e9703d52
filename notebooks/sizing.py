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
# # Norrköping: size the contract before it is signed
#
# A lender and a municipality negotiate. How much of the loan should be guaranteed, and what may the lender earn at
# most? This notebook answers such questions from Python, on the study of Norrköping as it stood in 2016. Most numbers
# about the people are wide assumptions: what follows is a way of working, not advice. [Size a
# contract](../how-to/size-a-contract.md) does the same on the command line.

# %%
import matplotlib.pyplot as plt
import pandas as pd

from simengine import ask, find_study, load_study

HOW = {"n": 500, "seed": 2016}
GUARANTEE = "contract.terms.guarantee.share"
CAP = "contract.terms.upside.cap.share"
# The study has a sizing of its own; here everything is asked anew.
study = load_study(find_study("norrkoping"), {"sizing": None})


def say(statistic):
    """Write a statistic in millions, with its Monte Carlo standard error."""
    return f"{statistic.value / 1e6:.2f} ± {statistic.se / 1e6:.2f}"


# %% [markdown]
# ## One term
#
# With which guarantee does the lender expect no loss at its own discount rate? The interval shows the Monte Carlo
# error of the answer. The last line evaluates it in as many fresh replications.

# %%
found = ask(
    "size",
    study,
    smallest=GUARANTEE,
    such_that="investor.expected_npv >= 0",
    free=[f"{GUARANTEE}=0..1"],
    **HOW,
)
print(f"guarantee {found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f}")
print(f"NPV: {say(found.fresh)} million")

# %% [markdown]
# The probability of a loss behaves differently. In more than a third of the replications no saving is
# measured. The guarantee is then all that the lender gets, and no guarantee below the whole loan prevents a loss.

# %%
found = ask(
    "size",
    study,
    smallest=GUARANTEE,
    such_that="investor.p_loss <= 0.5",
    free=[f"{GUARANTEE}=0..1"],
    **HOW,
)
walk = [{"guarantee": value, "P(loss)": p_loss.value} for value, p_loss in found.walk]
pd.DataFrame(walk).set_index("guarantee")[::4].round(3)

# %% [markdown]
# ## Two terms and a frontier
#
# Now both parties state their limits, and both terms are free.


# %%
def recommended(sized):
    """Return the recommended terms by their paths."""
    return dict(zip(sized.table.free, sized.deal.recommended.terms, strict=True))


both = {
    "free": [f"{GUARANTEE}=0.4..0.9..0.05", f"{CAP}=0..0.5..0.1"],
    "limits": [
        "investor.p_loss <= 0.5",
        "outcome_payer.p_cost_over(5_000_000) <= 0.5",
    ],
    "n_points": 36,
}
sized = ask("size", study, **both, **HOW)
recommended(sized)

# %% [markdown]
# Terms that were chosen because they look best are likely to look better than they are. Optimism is the value in the
# replications that chose them less the value in fresh ones.

# %%
objectives = [str(measure) for measure in sized.table.objectives]
chosen, optimism = sized.deal.recommended.objectives, sized.deal.optimism
pd.DataFrame(
    {"value, M SEK": map(say, chosen), "optimism, M SEK": map(say, optimism)},
    index=objectives,
)

# %% mystnb={"image": {"alt": "Term sheets, and what each party has of them"}}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
broken = set(sized.points) - set(sized.feasible)
groups = {
    "breaks a limit": (broken, {"marker": "x", "c": "0.8"}),
    "on the frontier": (sized.frontier, {"c": "0.15"}),
    "recommended": ([sized.deal.recommended], {"marker": "*", "s": 200, "c": "red"}),
}
for name, (points, style) in groups.items():
    left.scatter(*zip(*(point.terms for point in points), strict=True), **style)
    values = [[one.value / 1e6 for one in point.objectives] for point in points]
    right.scatter(*zip(*values, strict=True), label=name, **style)
left.set(xlabel="guarantee, share of the loan", ylabel="cap of the upside, share")
right.set(xlabel=f"{objectives[0]}, million", ylabel=f"{objectives[1]}, million")
right.legend()
assert set(sized.frontier) == set(sized.feasible)
plt.show()

# %% [markdown]
# Every term sheet that keeps the limits is on the frontier, and the frontier is a straight line: both parties discount
# at 3 % and hold the same beliefs, so what one gains the other gives up. It is different if the lender expects a larger
# effect than the municipality does: the lender then accepts more pay by results.

# %%
belief = (
    "investor:effect.sooner_home.hazard_ratio="
    "{distribution: lognormal, interval_90: [1.1, 2.0]}"
)
hopeful = ask("size", study, beliefs=[belief], **both, **HOW)
rows = {}
for name, one in {"as the study": sized, "hopeful lender": hopeful}.items():
    feasible = f"{len(one.feasible)} of {len(one.points)}"
    rows[name] = {**recommended(one), "term sheets that keep every limit": feasible}
pd.DataFrame(rows)

# %% [markdown]
# ## How long people are followed
#
# The follow-up window of the saving is a term as well. A longer one measures more of the effect, and with more noise. A
# larger guarantee can make up for a shorter window. The table shows the position of both parties, in millions of
# kronor.

# %%
WINDOW = "measurement.metrics.saving.window_months"
by_window = ask(
    "size",
    study,
    free=[f"{WINDOW}=12..24..6", f"{GUARANTEE}=0.4..0.85..0.15"],
    limits=["investor.p_loss <= 0.6"],
    n_points=16,
    **HOW,
)
rows = []
for point in by_window.points:
    months, guarantee = point.terms
    p_loss = f"{point.limits[0].value:.2f} ± {point.limits[0].se:.2f}"
    rows.append((int(months), guarantee, *map(say, point.objectives), p_loss))
names = ["months", "guarantee", *map(str, by_window.table.objectives), "P(loss)"]
table = pd.DataFrame(rows, columns=names).set_index(["months", "guarantee"])
table.sort_index()

# %% [markdown]
# ## A provider who responds
#
# So far the effect was given, whatever is paid. Now the provider is paid the share of the saving, chooses how hard to
# work, and bears the cost: half a million for half as much effort again. Which share should it get? Every contract is
# settled at the effort that it induces. Money in millions of kronor.

# %%
SHARE = "contract.terms.saving_share.share"
responding = study.with_(
    {
        "contract.terms.saving_share.payee": "service_provider",
        "behaviour": {
            "efforts": {
                "work": {"levels": [0, 0.5, 1, 1.5, 2], "cost": {"quadratic": 500_000}}
            }
        },
    }
)
contracts = {
    f"{share:.0%}": responding.with_({SHARE: share}) for share in (0.2, 0.6, 1.0)
}
responses = ask("incentives", responding, contracts=contracts, **HOW).contracts
rows = {}
for share in contracts:
    response = responses[share]
    millions = {
        "true saving": response.chosen.truth["saving"],
        "paid beyond the truth": response.paid_beyond_truth,
        "optimism": response.fresh.optimism,
        "lost surplus": response.lost_surplus,
    }
    rows[share] = {
        "effort": response.chosen.choice.efforts["work"],
        "decided": response.reply.efforts.is_decided,
        **{name: say(statistic) for name, statistic in millions.items()},
    }
pd.DataFrame(rows).T

# %% [markdown]
# A larger share does not buy more effort here: the payment has a cap, and a large share reaches it with little work.
# None of the three answers is decided: with so few replications the best effort cannot be told from the next best.
# Which share is recommended if every contract is settled in this way?

# %%
worked = ask(
    "size",
    responding,
    free=[f"{SHARE}=0..1..0.1"],
    objectives=["service_provider.expected_net", "outcome_payer.expected_net"],
    limits=["outcome_payer.expected_net >= 0"],
    responding=True,
    n_points=11,
    **HOW,
)
recommended(worked)

# %% [markdown]
# ## No deal
#
# If the limits cannot be met together, the answer names those that conflict, and how far each would have to move.

# %%
none = ask(
    "size",
    study,
    free=[f"{GUARANTEE}=0..0.9"],
    limits=["investor.expected_npv >= 0", "outcome_payer.expected_npv >= 7_000_000"],
    n_points=20,
    **HOW,
).no_deal
print("Cannot be met together:", *none.binding, sep="\n")
for step in none.relaxations:
    print(f"{step.limit}: would have to be {say(step.to)} million")

# %% [markdown]
# ## Sign now, or learn first
#
# How much would a pilot be worth to the municipality, and is it worth the delay? The first table shows the value of
# perfect information about everything, and about the numbers of the study alone; the second that of two pilots. Money
# in millions of kronor.

# %%
known = ask(
    "information",
    study,
    party="outcome_payer",
    pilots=[20, 500],
    delay_months=12,
    **HOW,
)
perfect = {"everything": known.hindsight, "numbers of the study": known.parameters}
pd.Series({name: say(one) for name, one in perfect.items()}, name="value").to_frame()

# %%
rows = [
    {
        "people in the pilot": one.n_people,
        "value": say(one.value),
        "value less a year's delay": say(one.after_waiting),
    }
    for one in known.pilots
]
pd.DataFrame(rows).set_index("people in the pilot")
