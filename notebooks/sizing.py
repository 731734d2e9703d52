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
# # Sizing Norrköping before it is signed
#
# A lender and a municipality sit at a table. How much of the loan should be guaranteed, and what may the lender earn at
# most? This notebook takes a contract designer through the questions, on the study of Norrköping as it stood in 2016.
# Most numbers about the people are wide assumptions, so what follows is a way of working, not advice.

# %%
import pandas as pd
from IPython.display import Image, display

from simengine import find_study, load_study
from simengine.config.numbers import with_numbers
from simengine.config.request import Requested, with_request
from simengine.config.sizing import Free
from simengine.questions.incentives.answer import find_incentives
from simengine.questions.information.answer import Decision, value_information
from simengine.questions.size.answer import size_terms, terms_of
from simengine.questions.size.one_number import find_number
from simengine.questions.size.picture import draw_frontier
from simengine.replications.ensemble import Ensemble
from simengine.risk.limits import read_limit

SEED, N_REPLICATIONS = 2016, 500
GUARANTEE, CAP = "contract.terms.guarantee.share", "contract.terms.upside.cap.share"
# The study has a sizing of its own; here everything is asked anew.
study = load_study(find_study("norrkoping"), ["sizing=null"])
draws = Ensemble(SEED, N_REPLICATIONS)

# %% [markdown]
# ## One number
#
# With which guarantee does the lender expect no loss at its own discount rate? The interval says what the number of
# replications leaves open; the last number is the answer tried in as many fresh replications.

# %%
found = find_number(study, GUARANTEE, read_limit("investor.expected_npv >= 0"), Free(low=0, high=1), draws)
print(f"{found.value:.3f}, from {found.low:.3f} to {found.high:.3f}")
print(f"in fresh replications: {found.fresh.value / 1e6:.2f} ± {found.fresh.se / 1e6:.2f} million")

# %% [markdown]
# How often the lender loses is another matter. In more than a third of the replications nothing is saved, and then the
# guarantee is all it gets: no guarantee below the whole loan helps there.

# %%
by_value = pd.DataFrame(
    [
        {"guarantee": share, "P(loss)": find_at.value}
        for share, find_at in find_number(study, GUARANTEE, read_limit("investor.p_loss <= 0.5"), Free(low=0, high=1), draws).walk
    ]
)
display(by_value[::4].round(3))

# %% [markdown]
# ## Two terms and a frontier
#
# Now both sides say what they will not go beyond, and both terms are free.

# %%
limits = ["investor.p_loss <= 0.5", "outcome_payer.p_cost_over(5_000_000) <= 0.5"]
asked = with_request(study, Requested(free=[f"{GUARANTEE}=0.4..0.9..0.05", f"{CAP}=0..0.5..0.1"], limits=limits))
sized = size_terms(asked, draws, n_points=36)
assert sized.deal is not None
print(terms_of(sized, sized.deal.recommended))
for measure, optimism in zip(sized.table.objectives, sized.deal.optimism, strict=True):
    print(f"{measure}: of its value, {optimism.value / 1e6:.2f} ± {optimism.se / 1e6:.2f} million may be optimism")
display(Image(draw_frontier(asked, sized)))

# %% [markdown]
# The frontier is a straight line: both discount at 3 % and believe the same, so what one gains the other gives up. A lender
# who believes more in the service than the municipality does is another story. It then takes terms that pay it for results.

# %%
belief = "investor:effect.sooner_home.hazard_ratio={distribution: lognormal, interval_90: [1.1, 2.0]}"
believing = with_request(
    study, Requested(free=[f"{GUARANTEE}=0.4..0.9..0.05", f"{CAP}=0..0.5..0.1"], limits=limits, beliefs=[belief])
)
hopeful = size_terms(believing, draws, n_points=36)
rows = [
    {"lender": name, **terms_of(one, one.deal.recommended), "feasible": len(one.feasible), "of": len(one.points)}
    for name, one in (("as the study", sized), ("hopeful", hopeful))
    if one.deal is not None
]
display(pd.DataFrame(rows))

# %% [markdown]
# ## How long people are followed
#
# The window of the saving is a term as well. A longer one catches more of what the service does, and more noise; the
# guarantee pays for the difference. What matters here is where both parties stand.

# %%
WINDOW = "measurement.metrics.saving.window_months"
followed = with_request(
    study, Requested(free=[f"{WINDOW}=12..24..6", f"{GUARANTEE}=0.4..0.85..0.15"], limits=["investor.p_loss <= 0.6"])
)
by_window = size_terms(followed, draws, n_points=16)
rows = [
    {
        "months": point.terms[0],
        "guarantee": point.terms[1],
        **{str(measure): value.value / 1e6 for measure, value in zip(by_window.table.objectives, point.objectives, strict=True)},
        "P(loss)": point.limits[0].value,
    }
    for point in by_window.points
]
display(pd.DataFrame(rows).sort_values(["months", "guarantee"]).round(2))

# %% [markdown]
# ## A provider who responds
#
# So far the service does what the study says, whatever is paid. Now the provider is paid the share of the saving itself, chooses
# how hard to work, and bears the cost: half a million for half as much effort again. What should its share be? Every term sheet is
# settled at the effort that it induces.

# %%
SHARE = "contract.terms.saving_share.share"
responding = load_study(
    find_study("norrkoping"),
    [
        "sizing=null",
        "contract.terms.saving_share.payee=service_provider",
        "behaviour={efforts: {work: {levels: [0, 0.5, 1, 1.5, 2], cost: {quadratic: 500_000}}}}",
    ],
)
designs = {f"{share:.0%}": with_numbers(responding, {SHARE: share}) for share in (0.2, 0.6, 1.0)}
replies = find_incentives(responding, designs, draws).contracts
display(
    pd.DataFrame(
        [
            {
                "share": name,
                "effort": one.chosen.choice.efforts["work"],
                "is decided": one.reply.efforts.is_decided,
                "saving, millions": one.chosen.truth["saving"].value / 1e6,
                "paid beyond the truth": one.paid_beyond_truth.value / 1e6,
                "optimism": one.fresh.optimism.value / 1e6,
                "lost surplus": one.lost_surplus.value / 1e6,
            }
            for name, one in replies.items()
        ]
    ).round(2)
)

# %% [markdown]
# The best effort is the same under all three shares here, and decided under none: so few replications cannot tell it from the
# next. A larger share need not buy more work, because the payment has a cap. What was optimism shows in fresh replications.

# %%
at_effort = with_request(
    responding,
    Requested(
        free=[f"{SHARE}=0..1..0.1"],
        objectives=["service_provider.expected_net", "outcome_payer.expected_net"],
        limits=["outcome_payer.expected_net >= 0"],
        responding=True,
    ),
)
worked = size_terms(at_effort, draws, n_points=11)
assert worked.deal is not None
print(terms_of(worked, worked.deal.recommended))

# %% [markdown]
# ## No deal
#
# Ask for more than there is, and the limits that stand in the way are named, with the smallest step out of it.

# %%
greedy = ["investor.expected_npv >= 0", "outcome_payer.expected_npv >= 7_000_000"]
none = size_terms(with_request(study, Requested(free=[f"{GUARANTEE}=0..0.9"], limits=greedy)), draws, n_points=20)
assert none.no_deal is not None
print("Not to be kept together:", " and ".join(map(str, none.no_deal.binding)))
for step in none.no_deal.relaxations:
    print(f"{step.limit} would have to be {step.to.value / 1e6:.1f} ± {step.to.se / 1e6:.1f} million")

# %% [markdown]
# ## Sign, or wait and learn
#
# What would a pilot tell the municipality, and is it worth waiting for?

# %%
known = value_information(study, Decision("outcome_payer"), draws, [20, 500], delay_months=12)
for name, one in {"everything": known.hindsight, "every number of the study": known.evpi}.items():
    print(f"{name}: {one.value / 1e6:.2f} ± {one.se / 1e6:.2f} million")
display(
    pd.DataFrame(
        [
            {
                "people": one.n_people,
                "worth": one.evsi.value / 1e6,
                "±": one.evsi.se / 1e6,
                "after a year of waiting": one.evsi_after_waiting.value / 1e6,
                "± of it": one.evsi_after_waiting.se / 1e6,
            }
            for one in known.pilots
        ]
    ).round(2)
)
