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
# # Norrköping through the lender's eyes
#
# In 2016 a lender financed support for sixty placed children and young people in Norrköping, and the municipality
# repaid by what it measured. This notebook asks what the lender could have known before signing.
#
# The terms of the contract are public. The people are not: most numbers about them are wide assumptions, and each
# says so. What follows is a prior, not a forecast. The page *What Norrköping shows* of the documentation tells what
# rests on what.

# %%
import numpy as np
import pandas as pd
from IPython.display import Image, display

from simengine import RiskTable, evaluate, find_study, load_study, run_study, simulate, summarise
from simengine.questions.run.picture import draw_run
from simengine.report.document import assumptions
from simengine.settlement import payment_marks

SEED, N_REPLICATIONS = 2016, 2_000
shipped = find_study("norrkoping")
study = load_study(shipped)

# %% [markdown]
# ## What is known, and what is assumed
#
# Every number of the study carries a certainty code. Q is stated in a source, D derived from it, C means that sources
# conflict. P and U are not known here, and `assumption` is made by the study. Here is how many there are of each, and
# what is assumed about the effect.

# %%
ledger = pd.DataFrame(assumptions(study))
display(ledger.groupby("certainty").size().rename("entries").to_frame())
display(ledger.loc[ledger["path"].str.startswith("effect."), ["path", "value", "certainty"]])

# %% [markdown]
# ## Run it
#
# Two thousand replications. In each of them sixty people live with the service, their twins without it, and sixty-one
# earlier people before it. An evaluator compares, the contract pays, the money moves.

# %%
results = run_study(study, SEED, N_REPLICATIONS)
table = summarise(results)


def say(table: RiskTable, path: str, scale: float = 1.0, digits: int = 2) -> str:
    """Write a statistic with its Monte Carlo standard error."""
    statistic = table.get(path)
    if statistic is None:  # too few replications for it
        return "-"
    return f"{statistic.value / scale:.{digits}f} ± {statistic.se / scale:.{digits}f}"


# %% [markdown]
# ## What the lender gets
#
# Money in millions of kronor. ± is one Monte Carlo standard error: it says how exact the computation is, not how true
# the assumptions are.

# %%
quantities = {"money back": "money_back", "net": "net", "net present value": "npv"}
rows = ("mean", "p05", "p50", "p95")
display(
    pd.DataFrame({name: [say(table, f"investor.{key}.{row}", 1e6) for row in rows] for name, key in quantities.items()}, index=rows)
)
facts = {"P(loss)": "p_loss", "P(nothing beyond the guarantee)": "p_no_payment_beyond_guarantee", "P(profit)": "p_profit"}
display(pd.DataFrame({"probability": {name: say(table, f"investor.{key}") for name, key in facts.items()}}))

# %% [markdown]
# ## The same as a picture
#
# Left: money back as a share of the money drawn. Most replications stand on the guarantee, on break-even or on the cap.
# Right: what the municipality pays against what it truly saves. Left of the diagonal it pays more than it saves.

# %%
display(Image(draw_run(study, results, table, payment_marks(study.contract, results))["png"]))

# %% [markdown]
# ## Why the two do not move together
#
# The contract pays on an estimate. How well does it follow the truth?

# %%
estimate, truth = results["metric.saving.estimate"] / 1e6, results["metric.saving.truth"] / 1e6
display(
    pd.Series(
        {
            "true saving in the window, mean": truth.mean(),
            "true saving in the window, sd": truth.std(ddof=1),
            "error of the estimate, sd": (estimate - truth).std(ddof=1),
            "correlation of estimate and truth": np.corrcoef(estimate, truth)[0, 1],
            "share of replications with a saving that is not found": ((truth > 0) & (estimate <= 0)).mean(),
            "share of replications with a finding that is not true": ((truth <= 0) & (estimate > 0)).mean(),
        }
    )
    .round(2)
    .to_frame("million SEK, or share")
)

# %% [markdown]
# ## Other terms for the same people
#
# People and measurements do not depend on the terms. So they are simulated once for each follow-up, and any number of
# contracts is settled on them. Here the guarantee is 20, 40 or 60 % of the loan. The rest is at risk: the lender's
# share of each krona saved is the share at risk too, so that all three break even at the same saving. The middle one
# is the contract of Norrköping.


# %%
def terms(guarantee: float) -> list[str]:
    """Write a guarantee, with the rest of the loan at risk, as overrides of the study."""
    return [
        f"contract.terms.guarantee.share={guarantee}",
        f"contract.terms.saving_share.share={1 - guarantee}",
        f"contract.terms.saving_share.cap.share={1 - guarantee}",
    ]


comparison, money_back = {}, {}
for follow_up, variant in {"two years": None, "three years": "three_year_window"}.items():
    evidence = simulate(load_study(shipped, variant=variant), SEED, np.arange(N_REPLICATIONS))
    for guarantee in (0.2, 0.4, 0.6):
        design = evaluate(load_study(shipped, terms(guarantee), variant), evidence)
        result = summarise(design)
        money_back[follow_up, guarantee] = design["investor.money_back"]
        comparison[follow_up, guarantee] = {
            "money back, M SEK": say(result, "investor.money_back.mean", 1e6),
            "lender: P(loss)": say(result, "investor.p_loss", digits=3),
            "lender: CVaR 95 %, M SEK": say(result, "investor.cvar95", 1e6),
            "municipality: P(pays more than it saves)": say(result, "outcome_payer.p_loss", digits=3),
        }
display(pd.DataFrame(comparison).T.rename_axis(["follow-up", "guarantee"]))
np.testing.assert_array_equal(money_back["two years", 0.4], results["investor.money_back"])

# %% [markdown]
# The replications are the same in all six rows, so a difference is known better than either side of it. One more year of
# follow-up is worth this much to the lender, replication by replication:

# %%
gain = (money_back["three years", 0.4] - money_back["two years", 0.4]) / 1e6
print(f"{gain.mean():.2f} ± {gain.std(ddof=1) / np.sqrt(len(gain)):.2f} million SEK")

# %% [markdown]
# ## What to take away
#
# - A guarantee limits the worst case. It does not touch the probability of a loss here, because all three designs
#   break even at the same saving.
# - A longer follow-up helps the lender *if* the effect lasts as long as the study assumes. That is an assumption.
# - The evaluator's error is larger than what there is to measure. The rule for comparing with earlier people deserves
#   as much negotiation as the shares.
