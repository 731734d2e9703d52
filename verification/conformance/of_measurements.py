"""Contracts that are paid on what an evaluator measured, each worked out from its words."""

from __future__ import annotations

from fractions import Fraction

from verification.conformance.ledger import INVESTOR, PAYER, PROVIDER, CannotSettleError, Story, power


def augsburg_all_or_nothing(s: Story) -> None:
    if s["placed"] >= 20:
        s.pay(Fraction("1.03") * s.drawn)


def norrkoping_guarantee_share_and_upside(s: Story) -> None:
    s.pay(Fraction("0.4") * s.drawn)
    s.pay(min(max(Fraction("0.6") * s["saving"], 0), Fraction("0.6") * s.drawn))
    if s["school"] > 0:
        s.pay(min(max(s["saving"] - s.drawn, 0), Fraction("0.2") * s.drawn))


def norrkoping_amount_saved(s: Story) -> None:
    guarantee = Fraction("0.4") * s.drawn
    s.pay(guarantee)
    s.pay(min(max(s["saving"] - guarantee, 0), Fraction("0.6") * s.drawn))
    if s["school"] > 0:
        s.pay(min(max(s["saving"] - s.drawn, 0), Fraction("0.2") * s.drawn))


def kobe_fee_targets_and_proportion(s: Story) -> None:
    s.pay(10_480_000)
    if s["completion"] >= Fraction("0.8") and s["lifestyle"] >= Fraction("0.75"):
        s.pay(15_720_000)
    s.pay(min(max(7_860_000 * s["egfr"] / Fraction("0.8"), 0), 7_860_000))


def rikers_ladder_and_guarantor(s: Story) -> None:
    steps = {
        "0.2": 11_712_000, "0.16": 10_944_000, "0.13": 10_368_000, "0.125": 10_272_000, "0.12": 10_176_000,
        "0.11": 10_080_000, "0.1": 9_600_000, "0.085": 4_800_000,
    }  # fmt: skip
    paid = s.pay(next((amount for edge, amount in steps.items() if s["reduction"] >= Fraction(edge)), 0))
    s.pay(min(max(s.drawn - paid, 0), 6_000_000), payer="guarantor")


def utah_share_until_a_return(s: Story) -> None:
    needed, avoided = s.drawn * Fraction("1.05") ** 2, s["avoided_cost"]
    if Fraction("0.95") * avoided <= needed:
        s.pay(max(Fraction("0.95") * avoided, 0), 24)
    else:
        s.pay(needed + Fraction("0.4") * (avoided - needed / Fraction("0.95")), 24)


def educate_girls_return_by_performance(s: Story) -> None:
    performance = min(max(Fraction("0.2") * s["enrolment"] + Fraction("0.8") * s["learning"], 0), 1)
    s.pay(min(s.drawn * Fraction("1.15") ** 3 * performance, 422_000), 36)


def peterborough_triggers_by_cohort_and_pooled(s: Story) -> None:
    left = Fraction(8_000_000)
    first, second, pooled = s["reduction.cohort_1"], s["reduction.cohort_2"], s["reduction"]
    if first >= Fraction("0.1"):
        left -= s.pay(min(32_200_000 * first, left), 47)
    if second >= Fraction("0.1"):
        left -= s.pay(min(32_200_000 * second, left), 82)
    if pooled >= Fraction("0.075") and left == 8_000_000:
        s.pay(min(64_400_000 * pooled, left), 82)


def benevolent_two_tranches(s: Story) -> None:
    reached = s["performance"]
    rates = next(
        (one for edge, *one in ((20, "0.07", "0.15"), (15, "0.06", "0.105"), (5, "0.05", "0.08")) if reached >= edge), None
    )
    s.pay(7_500_000, payee="investor_p")
    if rates is not None:
        s.pay(Fraction(rates[0]) * 7_500_000, payee="investor_p")
        s.pay(2_500_000 * (1 + Fraction(rates[1])), payee="investor_e")


def newpin_interest_by_table(s: Story) -> None:
    table = (("0.7", "0.15"), ("0.65", "0.12"), ("0.6", "0.075"), ("0.55", "0.03"))
    for year in (1, 2, 3):
        restored = s[f"restoration_{year}"]
        rate = next((rate for edge, rate in table if restored >= Fraction(edge)), "0.05")
        s.pay(Fraction(rate) * s.drawn, 12 * year)


def stockholm_line(s: Story) -> None:
    s.pay(s.drawn * (Fraction("0.8") + Fraction("0.3") * min(max(s["saving"], Fraction(0)), Fraction(1))))


def chicago_prices_and_total_cap(s: Story) -> None:
    left = Fraction(34_000_000)
    units = (s["ready"], s.measured.get("special_education_avoided", Fraction(0)), s.measured.get("reading", Fraction(0)))
    for price, number in zip((2_900, 9_100, 750), units, strict=True):
        left -= s.pay(min(price * max(number, Fraction(0)), left))


def botkyrka_fee_at_risk(s: Story) -> None:
    s.pay(250_000, payee=PROVIDER)
    s.pay(750_000 if s["fall"] > 0 else 0, payee=PROVIDER)


def _people(s: Story) -> list[tuple[set[str], Fraction]]:
    return [(set(one["milestones"]), Fraction(str(one["number"]))) for one in s.people if "milestones" in one]


def milestones_with_a_cap_per_person(s: Story) -> None:
    price = {"entry": 500, "job": 700, "kept": 1_100}
    s.pay(sum(number * min(sum(price[one] for one in reached), 2_000) for reached, number in _people(s)), payee=PROVIDER)


def milestones_in_order(s: Story) -> None:
    total = Fraction(0)
    for reached, number in _people(s):
        total += number * 1_000 if reached >= {"entry", "job"} else 0
        total += number * 2_000 if reached >= {"entry", "job", "kept"} else 0
    s.pay(total)


def account_and_true_up(s: Story) -> None:
    s.pay(300_000, 12)
    s.pay(s["saving"] / 2 - 300_000, 36)


def true_up_without_claw_back(s: Story) -> None:
    early = s.pay(max(Fraction("0.6") * s["first_saving"] / 4, 0), 15)
    s.pay(max(s["saving"] / 4 - early, 0), 24)


def interest_on_the_outstanding_loan(s: Story) -> None:
    balance = {month: s.drawn / 2 if month < 12 else s.drawn for month in range(24)}
    back = s.pay(s.drawn / 2, 18)
    balance |= dict.fromkeys(range(18, 24), s.drawn - back)
    for year in (1, 2):
        s.pay(sum(Fraction("0.08") / 12 * balance[month] for month in range(12 * year - 12, 12 * year)), 12 * year)


def return_to_date_and_multiple(s: Story) -> None:
    s.pay(100_000, 12)
    flows = ((Fraction("0.6") * s.drawn, 0), (Fraction("0.4") * s.drawn, 6), (Fraction(-100_000), 12))
    needed = sum(amount * power(Fraction("1.06"), Fraction(30 - month, 12)) for amount, month in flows)
    most = max(Fraction("1.1") * s.drawn - 100_000, Fraction(0))
    s.pay(min(max(needed, 0), most), 30)


def stop_after_the_first_look(s: Story) -> None:
    is_ended = s["early"] < Fraction("0.02")
    for month in (12, 24, 36):
        if month < 36 or not is_ended:
            s.pay(100_000, month, payee=PROVIDER)
    if is_ended:
        s.pay(s.drawn / 4, 24)
        s.pay(30_000, 36, payee=PROVIDER)
    else:
        s.pay(max(s["saving"] / 2, 0), 36)


def both_may_owe(s: Story) -> None:
    most = Fraction("0.2") * s.drawn
    s.pay(min(max(Fraction("0.3") * s["saving"], -most), most))
    if s["seen"] < Fraction("0.85"):
        s.pay(50_000, payer=PROVIDER, payee=PAYER)
    if s["saving"] < 0:
        s.pay(Fraction(200_000, 2), payer=PROVIDER, payee=PAYER)


def what_counts_when_nothing_is_measured(s: Story) -> None:
    if "saving" in s.measured:
        s.pay(Fraction("0.4") * s["saving"])
    elif s["served"] >= 50:
        s.pay(100_000)
    else:
        raise CannotSettleError("saving")
    if s.measured.get("school", Fraction("0.05")) >= Fraction("0.05"):
        s.pay(20_000)
    if s["served"] >= 50 and s["satisfaction"] > 4:
        s.pay(70_000)


def minimum_people_and_payment_group(s: Story) -> None:
    if s["group"] >= 20:
        s.pay(2_450 * min(max(s["avoided"] - Fraction("0.05") * s["group"], Fraction(0)), Fraction(60)))


def three_payers(s: Story) -> None:
    left = Fraction(450_000)
    left -= s.pay(min(10_000 * s["work"], Fraction(400_000), left))
    s.pay(Fraction("3333.333") * s["work"], payer="state")
    s.pay(1_000 * max(s["work"] - 10, Fraction(0)), payer="region")
    s.pay(min(Fraction(60_000), left))


def saving_measured_every_year(s: Story) -> None:
    before = Fraction(0)
    for year in (1, 2, 3):
        s.pay((s[f"new@year_{year}"] - before) / 2, 12 + 12 * year)
        before = s[f"new@year_{year}"]
    s.pay(max(s["whole@year_3"] / 20, 0), 48)


def tranches_of_volume(s: Story) -> None:
    n = s["finished"]
    part = [min(max(n - low, Fraction(0)), Fraction(high - low)) for low, high in ((20, 50), (50, 100), (100, 10**9))]
    s.pay(15_000 * part[0] + 10_000 * part[1] + Fraction("2500.5") * part[2], payee=PROVIDER)


def indexed_amounts_and_an_amendment(s: Story) -> None:
    for month, price in ((12, 1_000), (18, 1_500), (24, 1_500)):
        fee = s.pay(100_000 * power(Fraction("1.02"), Fraction(month, 12)), month, payee=PROVIDER)
        for_work = s.pay(price * s["work"], month)
    s.pay(min(max(Fraction(5_000), Fraction("0.04") * fee), Fraction(6_000), for_work / 10), 24)


def waves_one_by_one_and_together(s: Story) -> None:
    s.pay(max(s["saving.a"] / 2, Fraction(0)) + max(s["saving.b"] / 2, Fraction(0)), 24)
    s.pay(10 * max(s["contacts.a"], Fraction(0)) + 10 * max(s["contacts.a"] + s["contacts.b"], Fraction(0)), 36)
    people = {one["wave"]: one["number"] for one in s.people}
    mean = sum(people[wave] * s[f"school.{wave}"] for wave in "ab") / sum(people.values())
    s.pay(20_000 if mean >= Fraction("0.1") else 0, 36)


def delayed_payments_and_total_cap(s: Story) -> None:
    left = Fraction(250_000)
    for month in (12, 24):
        left -= s.pay(min(Fraction(60_000), left), month + 2)
        left -= s.pay(min(max(Fraction("0.325") * s["saving"], Fraction(0)), left), month)


def a_floor_above_the_cap(s: Story) -> None:
    s.pay(min(max(Fraction("0.1") * s["turnover"], 50_000), s["saving"] / 4), payee=INVESTOR)


def bonus_on_what_the_investor_was_paid(s: Story) -> None:
    paid = s.pay(Fraction("0.4") * s["first_year"], 12) + s.pay(Fraction("0.4") * s["second_year"], 24)
    s.pay(max((paid - 100_000) / 10, Fraction(0)), 24, payer=INVESTOR, payee=PROVIDER)
