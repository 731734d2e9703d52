"""Write a page for each family of the bench from the cards and the tables of baselines: `python -m docs.bench`."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from pathlib import Path

from simengine.bench.card import BENCH_FAMILIES, Card
from simengine.bench.compare import Standing, compare_results
from simengine.bench.problem import SUITE
from simengine.bench.results import BASELINE_TABLES
from simengine.bench.suite import suite

FOLDER = Path(__file__).resolve().parent / "reference"
INTRODUCTIONS = {
    "estimation": """An answer names some of the quantities that are asked for and their estimates: `{"mean": 199.2, "p_loss": 0.31}`. The
error of each is told in a unit that is frozen with the answer: the standard deviation of the money where that is asked for, of a
probability its own size or that of the rarer side, else the size of the answer. The score is the root mean squared error over repeats.

`describe()` gives the `terms` of the contract, the `dimension` of the uniforms of a replication, and of each quantity its
`functional` (`mean`, `sd`, `below`, `at_least`, `quantile`, `cvar`), its `column` of what `simulate` returns, and perhaps other
`terms`, a contract whose value is taken off (`less`), or the term `by` which a derivative is taken. `simulate` takes any of the
terms and `uniforms` of the shape (replications, dimension): so any point set can be put in. Where `describe()` has `given`, a number
of uniforms, `simulate({"given": array}, n, seed)` takes the first so many of them, shape (n, given), and returns by the name of a quantity
its expected value given them, for methods that integrate a part in closed form. Of a study the uniforms are those of its
uncertain numbers, and its people are drawn by the seed.""",
    "sizing": """An answer names a value for every term, `{"terms": {"price": 1.34}}`, or says that no terms keep the limits, `{"terms": None}`. It
is rounded to the steps of the terms and judged exactly, not by another simulation: `loss` is what the objective gives up, as a share of
its range over all terms that keep the limits, plus how far the worst limit is broken, in a unit that the problem states. Saying
wrongly that there is no solution, or naming terms where there is none, costs 1.

`describe()` gives the `terms` with their ranges and steps, whether the `objective` is wanted `least` or `most`, and the `limits`
(`value_at_most` or `value_at_least` of a functional of a column). `simulate` takes a value for every term, and perhaps `uniforms`.""",
    "design": """Form and scores are those of [sizing](bench-sizing.md); what is chosen is how to measure. In most problems the objective is the mean
squared error of an estimate, on which money hangs, and the limit is a cost.""",
    "incentives": """Form and scores are those of [sizing](bench-sizing.md). Who is paid responds to the terms: the response is worked out within
`simulate`, exactly, and what a method sees is what the contract comes to with it.""",
    "inference": """An answer is a sample of the posterior, `{"samples": array}` of the shape (n, n_parameters), n from 20. It is judged against a
sample of the reference posterior (`c2st`, how well nearest neighbours tell the two apart, 0.5 is best; `mean_error` and `sd_error`, in
posterior standard deviations and as a logarithm) and against the truth that is hidden behind the data (`crps` and `log_score`, in
prior standard deviations). `covered_90` is told and not ranked.

Each repeat is another of ten data sets; `describe()` gives what was `observed`. `simulate` draws parameters from the prior, or takes
`theta`, and returns `theta`, `data` and the `log_likelihood` of what was observed at each theta, which a method that may not know it
leaves aside.""",
    "forecasts": """The public INDIGO tables of impact bonds do not come with the package; download them and name their folder with
`--tables`. Each repeat is another contract, forecast from its plan and from all other contracts, none of them twice: with
`--repeats 100` all are. An answer is a sample of what is asked for, `{"samples": array}`: of most problems a multiple of what the
first plan has, scored by its logarithm, else years. `python -m verification.bench.forecasts FOLDER` prints every contract and its
answer, by a program of its own. Results carry the fingerprint of the tables, and those of two downloads are not compared. So few
contracts tell methods apart only where they differ by much: the standard errors beside the scores say by how much.

The numbers of contracts on the cards are those of the tables of May 2025. A contract that paid nothing in a period has no logarithm and
is left out of its problem. A plan that repeats payments already made was written after them; nothing that it repeats is asked for. Not
asked is the number of payments to come or their dates: the tables hold sums by period.

What the baselines come to with those tables (CRPS and its standard error; `simengine bench run forecasts --tables FOLDER --repeats 100`
with these methods):

| problem | contracts | `plan_holds` | `other_contracts` | `log_normal_of_others` | `so_far_goes_on` |
|---|---|---|---|---|---|
| `paid_of_planned` | 18 | 0.21 ± 0.06 | 0.23 ± 0.06 | 0.23 ± 0.06 |  |
| `paid_when_finished` | 11 | 0.17 ± 0.09 | 0.19 ± 0.10 | 0.23 ± 0.09 |  |
| `half_of_the_plan_paid` | 16 | 0.43 ± 0.10 | 0.42 ± 0.08 | 0.41 ± 0.08 |  |
| `paid_in_the_first_year` | 14 | 0.56 ± 0.23 | 0.58 ± 0.20 | 0.62 ± 0.19 |  |
| `paid_in_the_second_year` | 15 | 0.41 ± 0.11 | 0.42 ± 0.10 | 0.42 ± 0.09 | 0.53 ± 0.09 |
| `people_reached_of_planned` | 44 | 0.22 ± 0.06 | 0.22 ± 0.05 | 0.25 ± 0.05 |  |

No baseline beats another by two standard errors. A first year that fell short was more often made up for in the second than repeated:
`so_far_goes_on` is the worst of the four there.""",
}


def pages() -> dict[Path, str]:
    """Return the pages as they have to be."""
    return {FOLDER / f"bench-{family}.md": _page(family) for family in BENCH_FAMILIES}


def _page(family: str) -> str:
    cards = [problem.card for problem in suite() if problem.card.family == family]
    title = BENCH_FAMILIES[family].partition(":")
    head = f"# Bench: {title[0].lower()}\n\n{title[2].strip().capitalize()}. {len(cards)} problem{'s' * (len(cards) > 1)} of suite {SUITE}"
    guide = "[benchmark your method](../how-to/benchmark-your-method.md) says how to run them."
    text = f"{head}; {guide}\n\n{INTRODUCTIONS[family]}\n\n## Baselines\n\n{_baselines(family)}\n\n## Problems\n"
    return text + "".join(f"\n### `{card.name}`\n\n{_card(card)}" for card in cards)


def _baselines(family: str) -> str:
    table = BASELINE_TABLES / f"{family}.csv"
    if not table.exists():
        return "None are kept with the package, as their scores hang on the tables."
    found = compare_results([table])
    rows = "".join(map(_standing, sorted(found.standings, key=lambda one: one.mean_rank)))
    head = "| method | cases | mean rank | best in | times the first method | in cases | failed |\n|---|---|---|---|---|---|---|\n"
    first = found.standings[0].method
    return (
        f"A case is a problem, measure and budget; a method is ranked in the cases that it has, from 0, the best, to 1, and the ratio is "
        f"the geometric mean of its scores over those of `{first}`. `simengine bench compare baselines` prints this table.\n\n{head}{rows}"
    ).rstrip("\n")


def _standing(one: Standing) -> str:
    ratio = f"{one.ratio:.2g}" if isfinite(one.ratio) else ""
    rank = f"{one.mean_rank:.2f}" if isfinite(one.mean_rank) else ""
    return f"| `{one.method}` | {one.cases} | {rank} | {one.wins} | {ratio} | {one.ratio_cases} | {one.failed} |\n"


def _card(card: Card) -> str:
    rows: Iterable[tuple[str, str]] = (
        ("hard", card.difficulty),
        ("answer", card.answer_from),
        ("its error", card.error),
        ("made by", f"`{card.command}`"),
        ("budgets", ", ".join(f"{budget:,}" for budget in card.budgets)),
        ("a replication", card.cost),
        *((("sources", "; ".join(card.sources)),) if card.sources else ()),
    )
    return f"{card.question}\n\n| | |\n|---|---|\n" + "".join(f"| {name} | {text} |\n" for name, text in rows)


if __name__ == "__main__":
    for page, written in pages().items():
        page.write_text(written, encoding="utf-8")
