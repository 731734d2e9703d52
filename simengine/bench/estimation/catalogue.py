"""The problems of estimation: their cards, what each asks, and where its answer comes from."""

from __future__ import annotations

from collections.abc import Iterator

from simengine.bench.card import Card
from simengine.bench.estimation import closed, small
from simengine.bench.estimation.amounts import AmountProblem
from simengine.bench.estimation.quantity import AskedQuantity
from simengine.bench.estimation.studies import StudyProblem

_SMALL = (1024, 4096, 16_384, 65_536)
_STUDY = (1024, 4096, 16_384)
_NO_ERROR = "none but rounding"

_STUDIES = (
    # name, title, what is hard about it, where its answer comes from
    ("two_people_and_a_coin", "Two people and a coin", "nothing: three outcomes", "Binomial(2, 0.5)"),
    ("sixty_coins", "Sixty coins", "sampling variation alone", "Binomial(60, 0.4)"),
    ("sixty_unknown_coins", "Sixty unknown coins", "sampling variation and an unknown chance", "beta-binomial, enumerated"),
    ("a_trigger_of_thirty", "A trigger of thirty", "a jump in the payment", "beta-binomial, enumerated"),
    ("floor_and_cap", "Floor and cap", "two kinks, atoms in the tail", "beta-binomial, enumerated"),
    ("a_volume_of_referrals", "A volume of referrals", "how many people come", "negative binomial, enumerated"),
    ("a_late_payment", "A late payment", "an uncertain month", "twelve months, enumerated"),
    ("a_prize_by_lot", "A prize by lot", "a jump in a noisy estimate", "normal distribution"),
    ("a_price_per_point", "A price per point", "kinks in a noisy estimate", "normal distribution, 2,000,000 quantiles"),
    ("a_rare_prize", "A rare prize", "one replication in thirty thousand pays", "normal distribution"),
    ("norrkoping", "Norrköping", "34 assumptions, all layers of uncertainty", "a long run of the engine"),
    (
        "peterborough",
        "Peterborough",
        "1,800 men, ten matched to each by exact moments",
        "exact distributions of the counts, integrated over the assumptions",
    ),
)
_LONG_RUNS = {
    "norrkoping": (
        "standard errors are frozen with the answers: below half a unit of the fourth digit",
        "python -m verification.bench.long_run norrkoping --rounds 50 --seed 2000003",
    ),
    "peterborough": (
        "standard errors are frozen with the answers: below a twentieth of a unit of the fourth digit",
        "python -m verification.bench.peterborough --scrambles 32",
    ),
}


def estimation_problems() -> Iterator[AmountProblem | StudyProblem]:
    """Yield the problems: the studies from the smallest to the largest, then the small ones."""
    yield from map(_study, _STUDIES)
    yield from (*_of_money(), *_of_changed_terms(), *_of_tails(), *_of_quantiles(), *_of_many_parts(), *_of_nested_simulation())


def _study(row: tuple[str, str, str, str]) -> StudyProblem:
    name, title, difficulty, answer_from = row
    error, command = _LONG_RUNS.get(name, (_NO_ERROR, ""))
    asked = "Mean, standard deviation, P(loss) and CVaR 95 % of what the investor is left with."
    cost = "a run of the engine: people, measurement, money"
    return StudyProblem(Card(name, "estimation", title, asked, difficulty, answer_from, error, _STUDY, cost, made_by=command))


def _card(name: str, title: str, question: str, difficulty: str, answer_from: str, *sources: str) -> Card:
    cost = "a line of NumPy"
    return Card(name, "estimation", title, question, difficulty, answer_from, _NO_ERROR, _SMALL, cost, sources)


def _of_money() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "a_smooth_saving",
            "A smooth saving",
            "Mean and standard deviation of a saving that is a product of five uncertain factors.",
            "nothing but its dimension, 5: it shows what evenly spread points gain where all is smooth",
            "moments of the log-normal distribution",
        ),
        5,
        small.smooth_saving,
        {"mean": AskedQuantity(), "sd": AskedQuantity("sd")},
        closed.of_smooth_saving,
        small.SMOOTH,
        constants={"exponents": small.SMOOTH_EXPONENTS.tolist()},
    )
    yield AmountProblem(
        _card(
            "a_capped_share",
            "A capped share of a saving",
            "What the lender and the payer are left with, how often the cap binds, and what a little more cap or share would change.",
            "kinks at the floor and the cap; derivatives by terms",
            "partial expectations of the normal distribution",
        ),
        1,
        small.capped_share,
        {
            "mean": AskedQuantity(),
            "p_loss": AskedQuantity("below"),
            "p_cap": AskedQuantity("at_least", "payment", 700.0),
            "payer_mean": AskedQuantity(column="payer"),
            "payer_p_loss": AskedQuantity("below", "payer"),
            "payer_quantile25": AskedQuantity("quantile", "payer", 0.25),
            "by_cap": AskedQuantity(by="cap"),
            "by_share": AskedQuantity(by="share"),
        },
        closed.of_capped_share,
        {"share": 0.5, "cap": 700.0, "lent": 500.0},
        constants={"saving_mean": small.SAVING_MEAN, "saving_sd": small.SAVING_SD},
    )


def _of_changed_terms() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "a_raised_cap",
            "A cap raised by little",
            "By how much the mean payment rises if the cap goes from 700 to 710.",
            "a difference of 2.5 between payments whose standard deviation is a hundred times as large",
            "partial expectations of the normal distribution",
        ),
        3,
        small.raised_cap,
        {"gain": AskedQuantity(terms={"cap": 710.0}, less={"cap": 700.0})},
        closed.of_raised_cap,
        {"cap": 700.0},
        constants={"saving_mean": small.SAVING_MEAN, "saving_sd": small.SAVING_SD},
    )
    yield AmountProblem(
        _card(
            "a_threshold_bonus",
            "A bonus at a threshold",
            "Mean bonus, what a threshold of 7.5 % instead of 10 % adds, and the derivative by the threshold.",
            "the payment jumps: a difference quotient has a variance that grows as its step shrinks",
            "normal distribution",
            "the sizes are those of Peterborough: a fall of 8.4 % with a standard error of about 4.3 %",
        ),
        2,
        small.threshold_bonus,
        {
            "mean": AskedQuantity(),
            "gain": AskedQuantity(terms={"threshold": 0.075}, less={"threshold": 0.1}),
            "by_threshold": AskedQuantity(by="threshold"),
        },
        closed.of_threshold_bonus,
        {"bonus": 1000.0, "threshold": 0.1},
        constants={"effect_mean": small.EFFECT_MEAN, "effect_sd": small.EFFECT_SD, "error_sd": small.ERROR_SD},
    )


def _of_tails() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "one_in_a_million",
            "One in a million",
            "Probability that twelve exponential delays come to 36 months or more.",
            "plain draws see none in a million; twelve dimensions share the blame",
            "Erlang distribution",
        ),
        small.REFERRERS,
        small.delays,
        {"p_breach": AskedQuantity("at_least", "delay", closed.ONE_IN_A_MILLION)},
        closed.of_delays,
    )
    yield AmountProblem(
        _card(
            "a_guarantee_called",
            "A guarantee that is called",
            "Probability that of sixty people, who succeed with a chance of 0.4 each, seven or fewer do.",
            "a probability of one in 700,000, over sixty uniforms each of which only counts as below or above",
            "binomial distribution",
        ),
        small.PEOPLE,
        small.people_alone,
        {"p_call": AskedQuantity("below", "successes", closed.SO_FEW + 0.5)},
        closed.of_people_alone,
        {"price": 1.0},
        60.0,
        constants={"chance": small.CHANCE},
    )


def _of_quantiles() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "a_deep_tail",
            "A deep tail",
            "The 0.5 % quantile, the CVaR at 99.5 % and P(loss) of a fixed fee less a log-normal cost.",
            "the tail is heavy, and one replication in two hundred lies in it",
            "log-normal distribution",
        ),
        2,
        small.deep_tail,
        {
            "quantile005": AskedQuantity("quantile", at=0.005),
            "cvar995": AskedQuantity("cvar", at=0.995),
            "p_loss": AskedQuantity("below"),
        },
        closed.of_deep_tail,
        {"fee": 1000.0, "median_cost": 500.0, "sigma": 0.8},
    )
    yield AmountProblem(
        _card(
            "two_payments",
            "A rate of return",
            "Quantiles at 5, 50 and 95 % of the rate of return on two payments, and the probability of getting back too little.",
            "a rate is found, not computed, and its quantiles are asked for, not its mean",
            "rates at the quantiles of a log-normal multiple, by Brent's method",
        ),
        2,
        small.two_payments,
        {
            "irr_quantile05": AskedQuantity("quantile", "irr", 0.05),
            "irr_quantile50": AskedQuantity("quantile", "irr", 0.5),
            "irr_quantile95": AskedQuantity("quantile", "irr", 0.95),
            "p_loss": AskedQuantity("below"),
        },
        closed.of_two_payments,
        constants={"paid_in": small.PAID_IN, "plan": small.PLAN.tolist(), "years": small.PAID_YEARS.tolist()},
    )


def _of_many_parts() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "a_fund_of_eight",
            "A fund of eight projects",
            "Mean, standard deviation, 5 % quantile, P(loss) and CVaR 95 % of a fund whose projects share good and bad years.",
            "a common year with three states, and counts below it: nothing is smooth",
            "convolution of binomial counts, mixed over the years",
        ),
        1 + len(small.PROJECTS),
        small.fund_of_eight,
        {
            "mean": AskedQuantity(),
            "sd": AskedQuantity("sd"),
            "p_loss": AskedQuantity("below"),
            "cvar95": AskedQuantity("cvar", at=0.95),
            "quantile05": AskedQuantity("quantile", at=0.05),
        },
        closed.of_fund_of_eight,
        {"lent": small.FUND_PAID_IN},
        float(sum(people for people, _ in small.PROJECTS)),
        constants={"projects": small.PROJECTS, "years": small.YEARS},
    )
    yield AmountProblem(
        _card(
            "a_card_of_24",
            "A rate card of 24 outcomes",
            "Mean, standard deviation, P(loss), CVaR 95 % and how often the cap binds.",
            "24 counts at 24 prices under one cap",
            "convolution of binomial counts",
        ),
        len(small.CARD_OUTCOMES),
        small.card_of_24,
        {
            "mean": AskedQuantity(),
            "sd": AskedQuantity("sd"),
            "p_loss": AskedQuantity("below"),
            "cvar95": AskedQuantity("cvar", at=0.95),
            "p_cap": AskedQuantity("at_least", "payment", closed.CARD_CAP),
        },
        closed.of_card_of_24,
        {"cap": closed.CARD_CAP, "lent": closed.CARD_LENT},
        float(sum(number for number, _, _ in small.CARD_OUTCOMES)),
        constants={"card": small.CARD_OUTCOMES},
    )


def _of_nested_simulation() -> Iterator[AmountProblem]:
    yield AmountProblem(
        _card(
            "a_decision_after_a_pilot",
            "A decision after a pilot",
            "What it is worth to know the truth before deciding whether to go on, as the limit of ever larger pilots.",
            "nested: a pilot of few people is biased upwards, one of many costs as many; `people` counts as that much work",
            "normal distribution",
            "Giles, M. B. and Goda, T. (2019), Decision-making under uncertainty: using MLMC for efficient estimation of EVPPI, "
            "Statistics and Computing 29, 739-751",
        ),
        3,
        small.decision_after_pilot,
        {"value": AskedQuantity(column="decided")},
        closed.of_decision_after_pilot,
        {"people": 64.0},
        constants={"mean": small.PILOT_MEAN, "sd": small.PILOT_SD, "person_sd": small.PERSON_SD},
        work_term="people",
    )
