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
# # Norrköping: what the lender could have known
#
# In 2016 a lender financed support for sixty placed children and young people in Norrköping. The municipality repaid
# according to the saving that it measured. This notebook computes the distribution of the lender's result as it could
# have been computed before signing.
#
# The terms of the contract are public. The people are not: most numbers about them are wide assumptions, and each is
# marked as one. The results are a prior, not a forecast. [What Norrköping
# shows](../explanation/what-norrkoping-shows.md) tells which conclusion depends on which assumption.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from simengine import find_study, load_study, run, settle, simulate, summarise

SEED, N_REPLICATIONS = 2016, 2_000
study = load_study(find_study("norrkoping"))

# %% [markdown]
# ## Facts and assumptions
#
# Every number of the study has a certainty code. Q is stated in a source, D is derived from one, and C means that
# sources conflict. P and U are not known here, `assumption` is made by the study, and `choice` is made by the analyst.
# The first table counts the entries by code; the second lists what is assumed about the effect.

# %%
numbers = list(study.numbers.items())
granted = list(study.study.takes_for_granted.values())
codes = [entry.certainty for entry in [*(number for _, number in numbers), *granted]]
pd.Series(codes, name="certainty").value_counts().sort_index().to_frame("entries")

# %%
pd.DataFrame(
    [
        {"path": path, "value": str(number), "certainty": number.certainty}
        for path, number in numbers
        if path.startswith("effect.")
    ]
).set_index("path")

# %% [markdown]
# ## Run the study
#
# Two thousand replications. In each of them sixty people live with the service and their twins without it, and
# sixty-one people before them are the comparison group. The evaluator estimates the saving, the contract pays on the
# estimate, and the cash of every party follows.

# %%
result = run(study, N_REPLICATIONS, SEED)
print(result)

# %% [markdown]
# ## The lender's result
#
# Money in millions of kronor. ± is one Monte Carlo standard error: it measures the precision of the computation, not
# whether the assumptions are right.


# %%
def say(table, path, scale=1.0, digits=2):
    """Write a statistic with its Monte Carlo standard error."""
    statistic = table.get(path)
    if statistic is None:  # too few replications for it
        return "-"
    return f"{statistic.value / scale:.{digits}f} ± {statistic.se / scale:.{digits}f}"


amounts = {"money back": "money_back", "net": "net", "net present value": "npv"}
rows = ("mean", "p05", "p50", "p95")
pd.DataFrame(
    {
        name: [say(result.table, f"investor.{amount}.{row}", 1e6) for row in rows]
        for name, amount in amounts.items()
    },
    index=rows,
)

# %%
events = {
    "P(loss)": "p_loss",
    "P(nothing beyond the guarantee)": "p_no_payment_beyond_guarantee",
    "P(profit)": "p_profit",
}
probabilities = {
    name: say(result.table, f"investor.{path}") for name, path in events.items()
}
pd.Series(probabilities, name="probability").to_frame()

# %% [markdown]
# ## The same as a picture
#
# Left: money back as a share of the money drawn. Most replications end at the guarantee, at break-even or at the cap.
# Right: what the municipality pays against what it truly saves. Above the diagonal it pays more than it saves.

# %% mystnb={"image": {"alt": "Money back of the lender, and payment over saving"}}
figure, (lender, payer) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")

share_back = 100 * result["investor.moic"]
guarantee = 100 * study.contract.terms["guarantee"].share.value
weights = np.full(N_REPLICATIONS, 100 / N_REPLICATIONS)
lender.hist(share_back, bins=np.arange(-2, 150, 4), weights=weights, color="0.55")
lender.axvline(guarantee, color="0.15", linestyle="--", label="guarantee")
lender.axvline(100, color="0.15", label="break-even")
lender.set(xlabel="money back, % of the money drawn", ylabel="replications, %")
lender.legend()

saving = result["outcome_payer.true_saving"] / 1e6
payment = result["outcome_payer.payment"] / 1e6
payer.scatter(saving, payment, s=5, alpha=0.3, color="0.15", linewidths=0)
payer.axline((0, 0), slope=1, color="0.15", label="payment equals saving")
payer.set(xlabel="true saving to the horizon, million", ylabel="payment, million")
payer.set(xlim=np.quantile(saving, [0.005, 0.995]), ylim=(0, 1.3 * payment.max()))
payer.legend(loc="upper right")
plt.show()

# %% [markdown]
# ## Why payment and saving do not move together
#
# The contract pays on an estimate. How well does the estimate follow the truth?

# %%
estimate = result["metric.saving.estimate"] / 1e6
truth = result["metric.saving.truth"] / 1e6
pd.Series(
    {
        "true saving in the window, mean": truth.mean(),
        "true saving in the window, sd": truth.std(ddof=1),
        "error of the estimate, sd": (estimate - truth).std(ddof=1),
        "correlation of estimate and truth": np.corrcoef(estimate, truth)[0, 1],
        "P(a saving is not found)": ((truth > 0) & (estimate <= 0)).mean(),
        "P(a saving is found, but there is none)": (
            (truth <= 0) & (estimate > 0)
        ).mean(),
    }
).round(2).to_frame("million SEK, or share")

# %% [markdown]
# ## Other terms for the same people
#
# People and measurements do not depend on the terms. They are simulated once for each follow-up period, and any number
# of contracts is settled on them. Here the guarantee is 20, 40 or 60 % of the loan, and the rest is at risk. The
# lender's share of each krona saved equals the share at risk, so that all three contracts break even at the same
# saving. The middle one is the contract of Norrköping. CVaR 95 % is the lender's; the payer loses if it pays more than
# it saves.


# %%
def terms(guarantee):
    """Return the terms with a guarantee and the rest of the loan at risk."""
    return {
        "contract.terms.guarantee.share": guarantee,
        "contract.terms.saving_share.share": 1 - guarantee,
        "contract.terms.saving_share.cap.share": 1 - guarantee,
    }


comparison, money_back = {}, {}
variants = {"two years": None, "three years": "three_year_window"}
for follow_up, variant in variants.items():
    evidence = simulate(study.with_(variant=variant), SEED, np.arange(N_REPLICATIONS))
    for guarantee in (0.2, 0.4, 0.6):
        settled = settle(evidence, terms(guarantee))
        table = summarise(settled)
        money_back[follow_up, guarantee] = settled["investor.money_back"]
        comparison[follow_up, guarantee] = {
            "money back, M SEK": say(table, "investor.money_back.mean", 1e6),
            "P(lender loses)": say(table, "investor.p_loss", digits=3),
            "CVaR 95 %, M SEK": say(table, "investor.cvar95", 1e6),
            "P(payer loses)": say(table, "outcome_payer.p_loss", digits=3),
        }
assert (money_back["two years", 0.4] == result["investor.money_back"]).all()
pd.DataFrame(comparison).T.rename_axis(["follow-up", "guarantee"])

# %% [markdown]
# All six rows use the same replications, so the error of a difference is smaller than that of either side. One more
# year of follow-up changes the lender's money back by:

# %%
gain = (money_back["three years", 0.4] - money_back["two years", 0.4]) / 1e6
se = gain.std(ddof=1) / np.sqrt(len(gain))
print(f"{gain.mean():.2f} ± {se:.2f} million SEK")

# %% [markdown]
# ## Conclusions
#
# - A guarantee limits the worst case. It does not change the probability of a loss here, because all three contracts
#   break even at the same saving.
# - A longer follow-up helps the lender *if* the effect lasts as long as the study assumes. That is an assumption.
# - The evaluator's error is larger than the saving to be measured. The rule for the comparison with earlier people
#   deserves as much negotiation as the shares.
