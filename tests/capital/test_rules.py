"""Money that does not fit together is refused with the place, the rule, what was found and the way out."""

import pytest

from simengine.config import load_study
from simengine.errors import StudyError

TRANCHES = "capital.tranches={senior: {holder: investor, size: 1_500_000}, junior: {holder: service_provider, size: rest}}"
COSTS = "capital.costs={delivery: {payee: service_provider, per_month: 1000}}"
REFUSED = {
    # ------------------------------------------------ names ------------------------------------------------
    "an unknown payer": (
        ["capital.payers={region: {share: 1}}"],
        r"capital\.payers\.region: must be a party of the study; found `region`\. One of: investor, outcome_payer, service_provider",
    ),
    "an unknown payee": (
        ["capital.costs={delivery: {payee: nobody, amount: 1}}"],
        r"capital\.costs\.delivery\.payee: must be a party of the study; found `nobody`",
    ),
    "an unknown holder": (
        ["capital.tranches={senior: {holder: bank, size: rest}}"],
        r"capital\.tranches\.senior\.holder: must be a party of the study; found `bank`",
    ),
    "an unknown guarantor": (
        ["capital.guarantees={promise: {guarantor: fund, covers: [loan]}}"],
        r"capital\.guarantees\.promise\.guarantor: must be a party of the study; found `fund`",
    ),
    "a tranche named like a party": (
        ["capital.tranches={investor: {holder: investor, size: rest}}"],
        r"capital\.tranches\.investor: a tranche must have a name of its own",
    ),
    "a table of rates that is not there": (
        ["parties.investor={name: x, discounting: treasury}"],
        r"parties\.investor\.discounting: must be a table of `rates`; found `treasury`\. The study has no `rates`",
    ),
    "a wave that is not there": (
        ["capital.costs={delivery: {payee: service_provider, per_person: 1, waves: [second]}}"],
        r"capital\.costs\.delivery\.waves: must be a wave of the population; found `second`\. One of: all",
    ),
    # ------------------------------------------------ shares and sizes ------------------------------------------------
    "payers who pay less than all": (
        ["capital.payers={outcome_payer: {share: 0.7}}"],
        r"capital\.payers: the shares of the payers must add up to 1; found 0\.7\. Give one of them the share `rest`",
    ),
    "tranches that are not the commitment": (
        ["capital.tranches={senior: {holder: investor, size: 1_500_000}}"],
        r"capital\.tranches: the tranches together must be the commitment of the contract, 2,000,000; found 1,500,000",
    ),
    "two rests": (
        ["capital.tranches={senior: {holder: investor, size: rest}, junior: {holder: investor, size: rest}}"],
        r"capital\.tranches: the size `rest` must be that of one tranche at most; found senior, junior",
    ),
    "returns of more than all": (
        [
            TRANCHES,
            "capital.waterfall={a: {principal: [senior, junior]}, b: {returns: {senior: 0.6, junior: 0.5}}, "
            "c: {rest: {junior: 1}}}",
        ],
        r"capital\.waterfall\.b\.returns: the shares of what is left must add up to 1 at most; found 1\.1",
    ),
    # ------------------------------------------------ the waterfall ------------------------------------------------
    "a lender who is never paid back": (
        [TRANCHES, "capital.waterfall={a: {principal: [senior]}, c: {rest: {service_provider: 1}}}"],
        r"capital\.waterfall: everybody to whom money is owed must have a step in the waterfall; found no step `principal` for `junior`",
    ),
    "money that nobody gets": (
        ["capital.waterfall={a: {principal: [loan]}}"],
        r"capital\.waterfall: the last step, and no other, must hand out the `rest`: otherwise money is left over",
    ),
    "a tranche paid twice": (
        ["capital.waterfall={a: {principal: [loan]}, b: {principal: [loan]}, c: {rest: {loan: 1}}}"],
        r"capital\.waterfall\.b\.principal: nothing must be paid twice; found `loan` here and in `a`",
    ),
    "a step for nobody": (
        ["capital.waterfall={a: {principal: [loan, mezzanine]}, c: {rest: {loan: 1}}}"],
        r"capital\.waterfall\.a\.principal: a tranche; found `mezzanine`\. One of: loan",
    ),
    "the rest for a tranche with a limit": (
        ["capital.tranches={senior: {holder: investor, size: rest, returns_at_most_multiple: 1.2}}"],
        r"capital\.waterfall\.rest\.rest\.senior: a tranche whose returns have a limit must share in `returns`, not in the rest",
    ),
    "the rest, by name, for a tranche with a limit": (
        [
            "capital.tranches={senior: {holder: investor, size: rest, returns_at_most_multiple: 1.2}}",
            "capital.waterfall={a: {principal: [senior]}, c: {rest: {senior: 1}}}",
        ],
        r"capital\.waterfall\.c\.rest\.senior: a tranche whose returns have a limit must share in `returns`, not in the rest",
    ),
    # ------------------------------------------------ guarantees ------------------------------------------------
    "a loop of guarantees": (
        ["capital.guarantees={one: {guarantor: outcome_payer, covers: [two]}, two: {guarantor: service_provider, covers: [one]}}"],
        r"capital\.guarantees: guarantees must not cover each other in a loop; found one, two",
    ),
    "a lender who guarantees himself": (
        ["capital.guarantees={promise: {guarantor: investor, covers: [loan]}}"],
        r"capital\.guarantees\.promise\.covers: a guarantor must make good what another lost; found `investor` bears",
    ),
    "a guarantee of nothing": (
        ["capital.guarantees={promise: {guarantor: outcome_payer, covers: [bond]}}"],
        r"capital\.guarantees\.promise\.covers: must be a tranche or another guarantee; found `bond`\. One of: loan, promise",
    ),
    "a guarantee after the end": (
        ["capital.guarantees={promise: {guarantor: outcome_payer, covers: [loan], month: 99}}"],
        r"capital\.guarantees\.promise\.month: it must lie within the horizon of 24 months; found month 99",
    ),
    # ------------------------------------------------ costs and draws ------------------------------------------------
    "a cost in two forms": (
        ["capital.costs={delivery: {payee: service_provider, amount: 1, per_month: 2}}"],
        r"a cost must be given by one of amount, per_month, per_person, share_of_income; found amount, per_month",
    ),
    "a key that the form does not have": (
        ["capital.costs={delivery: {payee: service_provider, amount: 1, over_months: 3}}"],
        r"capital\.costs\.delivery\.over_months: a cost by `amount` must have no `over_months`; found 3\. Leave it out",
    ),
    "fees of more than all": (
        [
            "capital.costs={a: {payee: investor, share_of_income: 0.6}, "
            "b: {payee: service_provider, share_of_income: {distribution: uniform, low: 0.1, high: 0.5}}}"
        ],
        r"capital\.costs: costs by `share_of_income` together must take no more than all of the income; found up to 1\.1 of it",
    ),
    "a cost after the end": (
        ["capital.costs={delivery: {payee: service_provider, amount: 1, from_month: 99}}"],
        r"capital\.costs\.delivery\.from_month: a cost must fall due within the horizon of 24 months; found month 99",
    ),
    "drawing as needed for nothing": (
        ["capital={draws: as_needed, payment_month: {guarantee: 12, saving_share: 20, upside: 20}}"],
        r"capital\.draws: a loan that is drawn as needed must pay costs; found no `costs`",
    ),
    "drawing in two ways": (
        [COSTS, "capital.draws=as_needed"],
        r"capital\.drawdown_months: a loan that is drawn as needed must have no months of drawdown; found 6",
    ),
    "a payer so late that nothing comes": (
        ["capital.payers={outcome_payer: {share: 1, pays_late_months: 6}}"],
        r"capital\.payment_month\.saving_share: a term must be paid within the horizon of 24 months; found up to month 26, 6",
    ),
    "a party with two rates": (
        ["parties.investor={name: x, discount_rate_per_year: 0.03, discounting: table}"],
        r"a party must have a `discount_rate_per_year` or name a table of `rates` as `discounting`; found both",
    ),
    "a study without a provider": (
        ["parties={investor: {name: x, discount_rate_per_year: 0}, outcome_payer: {name: y, discount_rate_per_year: 0}}"],
        r"every study must have the parties investor, outcome_payer, service_provider; missing: service_provider",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_money__that_does_not_fit_together_is_refused(case, tiny_path):
    overrides, message = REFUSED[case]
    with pytest.raises(StudyError, match=message):
        load_study(tiny_path, overrides)
