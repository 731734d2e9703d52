"""Every word of a workbook, by its key: names of sheets, headings, sentences. Names and texts of a study stand as they are."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from simengine.languages.language import ENGLISH_CODE, Language

WORDS: Mapping[str, str] = {
    # Sheets; Excel allows 31 characters and none of []:*?/\.
    "sheet.about": "About",
    "sheet.terms": "Terms",
    "sheet.assumptions": "Assumptions",
    "sheet.discounting": "Discounting",
    "sheet.expected": "Expected cash",
    "sheet.percentiles": "Percentiles",
    "sheet.distribution": "Distribution",
    "sheet.charts": "Charts",
    "sheet.worst": "Worst",
    "sheet.low": "5 %",
    "sheet.median": "Median",
    "sheet.high": "95 %",
    "sheet.best": "Best",
    # What each sheet holds.
    "holds.about": "this page",
    "holds.terms": "the contract in words and its numbers; discount rates and sizes of tranches, the inputs of the formulas",
    "holds.assumptions": "every number of the study with its certainty and source",
    "holds.discounting": "what one unit of money of each month is worth at month 0, by party: formulas",
    "holds.expected": "the mean cash of each month, with its total, present value, rate of return and peak need: formulas",
    "holds.percentiles": "mean and percentiles of the cash by party and period; the cumulative mean: formulas",
    "holds.distribution": "every statistic of the run with its Monte Carlo standard error",
    "holds.charts": "the cumulative cash of each party, and the percentiles of its net",
    "holds.replication": "replication {number} line by line: postings as values, everything above them formulas",
    # The first sheet.
    "about.title": "Workbook of a run of simengine",
    "about.what": (
        "One run of a Monte Carlo simulation of a social outcome contract, to be audited. Amounts are in {currency}, not in thousands. "
        "Positive cash is received. Months count from {start}, which is month 0."
    ),
    "about.how": (
        "Postings, draws and statistics are values: simulated, and not changed by anything in this file. Totals, cumulative cash, "
        "discounting, net present values, rates of return, multiples and shares are formulas on them; each holds the value that the "
        "program found for it."
    ),
    "about.run": "The run",
    "about.study": "study",
    "about.seed": "seed",
    "about.replications": "replications",
    "about.measured": "measurements of each replication",
    "about.currency": "currency",
    "about.fingerprint": "SHA-256 of study.yaml",
    "about.version": "version of simengine",
    "about.ranked": "replications are ranked by the net of",
    "about.sheets": "Sheets",
    "about.styles": "Styles",
    "style.input": "input",
    "style.given": "number of the contract",
    "style.value": "value",
    "style.formula": "formula",
    "about.style.input": "an input: change it, and every formula that uses it follows",
    "about.style.given": "a number of the contract: the payments were simulated with it, and changing it here changes nothing",
    "about.style.value": "a simulated value",
    "about.style.formula": "a formula",
    "about.inputs": "Inputs, which formulas use by these names",
    "about.no_inputs": "There are none: nobody lends, and no party has a rate of its own.",
    # The terms.
    "terms.title": "Terms",
    "terms.inputs": "Inputs",
    "terms.rate": "discount rate of {party}, per year",
    "terms.size": "size of the tranche {tranche}",
    "terms.rate_of_table": "rate per year of the table {table}, from {year}",
    "terms.year_of_study": "year {year} of the study",
    "terms.contract": "The contract in words",
    "terms.numbers": "Numbers of the contract and the capital, as simulated",
    "terms.distribution": "drawn from {distribution}",
    "assumptions.title": "Assumptions",
    # Discounting.
    "discounting.title": "Discount factors",
    "discounting.what": (
        "Factor of a month: (1 + rate) ^ (-month / 12); of a table of rates, each month adds the twelfth root of its year. The public "
        "value of a year is discounted from the middle of the year."
    ),
    "discounting.real": "The rate of {party} is for money in prices of the start: each replication also divides by its own price level.",
    "discounting.middle": "Middle of each year",
    # Cash by date.
    "expected.title": "Expected cash by month",
    "expected.what": (
        "The mean of each month over all replications. The rate of return of the mean cash is not the mean of the rates of return."
    ),
    "percentiles.title": "Cash by party and period",
    "percentiles.what": (
        "se is one Monte Carlo standard error. Percentiles of cumulative cash are those of each date by itself: no single replication "
        "runs along them. An empty cell: too few replications in the tail."
    ),
    # One replication.
    "replication.title.worst": "The worst replication of {party}: replication {number}",
    "replication.title.low": "The replication at the 5th percentile of {party}: replication {number}",
    "replication.title.median": "The median replication of {party}: replication {number}",
    "replication.title.high": "The replication at the 95th percentile of {party}: replication {number}",
    "replication.title.best": "The best replication of {party}: replication {number}",
    "replication.measurement": "{number}, measurement {measurement}",
    "replication.again": "Made again from seed {seed}, and equal to what the run kept. `simengine trace` prints the same:",
    "replication.left": "What each party is left with",
    "replication.returns": "Returns on money lent",
    "replication.metrics": "What the evaluator concluded",
    "replication.payments": "What the contract owes",
    "replication.by_term": "By term",
    "replication.value": "Public value of the true effect, by year",
    "replication.cash": "Cash by month",
    "replication.cumulative": "cumulative: {name}",
    "replication.postings": "Postings",
    "replication.drawn": "Numbers that were drawn",
    "replication.nothing": "none",
    # Columns and rows.
    "party": "party",
    "name": "name",
    "input": "input",
    "value": "value",
    "cash": "cash",
    "net": "net",
    "npv": "NPV",
    "rate": "rate per year",
    "peak": "peak need",
    "paid_in": "paid in",
    "share_paid_in": "share of all paid in",
    "money_back": "money back",
    "share_money_back": "share of all money back",
    "moic": "MOIC",
    "guess": "start of the search (per month)",
    "status": "status of the rate",
    "irr": "IRR per year",
    "xirr": "XIRR (by days)",
    "size": "size",
    "share_drawn": "paid in / size",
    "who": "who",
    "sum_of_parties": "sum of all parties",
    "month": "month",
    "date": "date",
    "price_level": "deflator",
    "year": "year",
    "year_of_study": "year of the study",
    "calendar_year": "calendar year",
    "metric": "metric",
    "estimate": "estimate",
    "standard_error": "standard error",
    "truth": "truth",
    "term": "term",
    "payer": "payer",
    "payee": "payee",
    "amount": "amount",
    "bound": "bound by",
    "line": "line",
    "from_account": "from account",
    "to_account": "to account",
    "from_party": "from party",
    "to_party": "to party",
    "number": "number",
    "path": "number of the study",
    "certainty": "certainty",
    "source": "source",
    "note": "note",
    "period": "period",
    "first": "first month",
    "last": "last month",
    "mean": "mean",
    "se": "se",
    "cumulative_mean": "cumulative mean",
    "cumulative": "cumulative {level}",
    "total": "total",
    "irr_of_mean": "IRR of the mean cash, per year",
    "statistic": "statistic",
    "low_95": "95 % from",
    "high_95": "95 % to",
    "covers": "2 se cover",
    "yes": "yes",
    "no": "no",
    "sd": "sd",
    "p_loss": "P(loss)",
    "var95": "VaR 95 %",
    "cvar95": "CVaR 95 %",
    "none": "none",
    "by_table": "by table",
    # The distribution and the charts.
    "distribution.title": "Distribution of each party's net",
    "distribution.what": "Cash and public value over all replications, undiscounted. Losses are positive. se is one Monte Carlo standard error.",
    "distribution.all": "Every statistic of the run",
    "charts.title": "Charts",
    "charts.fan": "Cumulative cash: {name}",
    "charts.percentiles": "Percentiles of the net of each party",
    "charts.cumulative": "Cumulative cash in this replication",
    "charts.level": "percentile",
    # What the program says in one word.
    "status.found": "found",
    "status.total_loss": "total_loss",
    "status.no_cost": "no_cost",
    "status.no_sign_change": "no_sign_change",
    "status.no_root": "no_root",
    "status.several_roots": "several_roots",
    "bound.formula": "formula",
    "bound.floor": "floor",
    "bound.cap": "cap",
    "bound.gate": "gate",
    "bound.stop": "stop",
    "cut": "... (cut here: {characters} characters; study.yaml of the run has the whole text)",
}


@dataclass(frozen=True)
class WorkbookWords:
    """The words of a workbook in a language."""

    language: Language

    def __call__(self, key: str, **parts: object) -> str:
        """Return a word or a sentence with its parts put in.

        Examples
        --------
        >>> from simengine.languages.language import language
        >>> WorkbookWords(language("en"))("terms.size", tranche="senior")
        'size of the tranche senior'
        """
        # A part may hold braces of its own: it is put in once, and not read again.
        return self.language.text(WORDS[key]).format(**parts)

    def or_as_it_stands(self, kind: str, name: str) -> str:
        """Return the word for one of a kind, such as what bounds a payment; what has none, such as a path of a study, as it stands."""
        return self(f"{kind}.{name}") if f"{kind}.{name}" in WORDS else name

    def whole(self, value: int) -> str:
        """Write a whole number in a text."""
        return self.language.whole(value)

    @cached_property
    def number_locale(self) -> str:
        """What stands before the format of a cell, so that its number or date is written as in the language wherever the file is opened.

        English leaves it to the program that opens the file.
        """
        if self.language.code == ENGLISH_CODE:
            return ""
        name = f"{self.language.code}_{self.language.territory}"
        return next(f"[$-{number:X}]" for number, known in locale.windows_locale.items() if known == name)
