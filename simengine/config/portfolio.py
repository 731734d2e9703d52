"""A portfolio: several studies that share capital, shocks and evaluators; specification and loading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from simengine.asked import place_asked
from simengine.config.document import Document, named_file, read_document
from simengine.config.load import find_study, load_study
from simengine.config.study import Assumption, Study
from simengine.config.validate import refuse, validate
from simengine.distributions import (
    Certainty,
    Constant,
    Count,
    CurrencyCode,
    DirichletCount,
    Fixed,
    FixedNotNegative,
    Months,
    Name,
    Number,
    Spec,
    within,
)
from simengine.errors import Finding, Problem, StudyError, one_of
from simengine.records import ALL_LENDERS, ALL_PAYERS

ProjectKind = Literal["revolving_fund", "outcomes_fund", "investors_book"]
_SHARE = AfterValidator(within(0, 1, "a share must lie between 0 and 1"))
_ALWAYS = Constant(value=1200.0, certainty="choice", note="the default: whenever it begins")


class Project(Spec):
    """A study that belongs to the portfolio."""

    study: str
    """The study: a file beside or below the portfolio, by a relative path; or the name of a study that comes with the package, such
    as `norrkoping`."""
    variant: str | None = None
    """A variant of it; absent: the study itself."""
    set: tuple[str, ...] = ()
    """Changes of it, each as `path=value`."""
    begins_month: Count = Constant(value=0.0, certainty="choice", note="the default: at once")
    """Month of the portfolio in which it begins, if the money is available."""
    party: Name | None = None
    """Whose money is counted: a lender of the study, or `all_lenders`; for an outcomes fund a payer, or `all_payers`; needed if
    there are several; absent: the only one."""


class Inflow(Spec):
    """How a revolving fund is refilled."""

    share: Annotated[Fixed, _SHARE] = Constant(value=1.0, certainty="choice", note="the default: all of it")
    """Share of repayments by projects that returns to a revolving fund."""
    delay_months: Count = Constant(value=0.0, certainty="choice", note="the default: at once")
    """Months from a payment until the fund can spend it; the next month at the earliest."""
    begun_before_month: Count = _ALWAYS
    """Only projects that begin before this month of the portfolio pay back."""


class Shared(Spec):
    """Numbers of several projects that are correlated."""

    numbers: Annotated[tuple[str, ...], Field(min_length=2)]
    """Numbers that are positively correlated, each as `project.path`; with a minus sign in front, negatively."""
    correlation: Annotated[Number, Field(gt=0, le=1)]
    """Correlation of the normal scores of any two."""
    source: str | None = None
    """Where it comes from."""
    certainty: Certainty | None = None
    """How sure it is: a certainty code."""
    note: str | None = None
    """Remarks for the reader."""


class PortfolioHeading(Spec):
    """The heading of the portfolio."""

    title: str
    """Printed above every result."""
    currency: CurrencyCode
    """Currency of all money, and of all studies."""
    kind: ProjectKind
    """`revolving_fund`: capital that is lent to projects and refilled by what they pay back; `outcomes_fund`: capital that pays for
    outcomes; `investors_book`: contracts held by one investor."""
    capital: FixedNotNegative
    """Its capital at the start."""
    months: Months
    """Length of the simulation in months."""
    takes_for_granted: dict[str, Assumption] = {}
    """By name: an assumption that is not a number."""
    sources: dict[str, str] = {}
    """By code that `source:` uses: title and address."""


class Portfolio(Spec):
    """Several studies held together."""

    portfolio: PortfolioHeading
    """The heading."""
    projects: Annotated[dict[Name, Project], Field(min_length=1)]
    """The studies, by names of your choice, in the order in which they receive money."""
    inflow: Inflow = Inflow()
    """How a revolving fund is refilled."""
    shared: dict[Name, Shared] = {}
    """By name: numbers of several projects that are correlated."""

    @model_validator(mode="after")
    def _inflow_of_a_fund(self) -> Portfolio:
        if self.portfolio.kind != "revolving_fund" and self.inflow != Inflow():
            raise ValueError(f"a section `inflow` must belong to a revolving_fund; found {self.portfolio.kind}")
        return self


@dataclass(frozen=True)
class Holding:
    """A portfolio with its studies."""

    portfolio: Portfolio
    studies: Mapping[str, Study]

    def __repr__(self) -> str:
        heading = self.portfolio.portfolio
        title = shorten(heading.title, 100, placeholder="...")
        return f"<Portfolio: {title}; {heading.kind}; {len(self.studies)} projects; {heading.currency}>"


def load_portfolio(path: Path | str) -> Holding:
    """Read a portfolio and all its studies.

    Raises
    ------
    StudyError
        With every problem that was found.
    """
    path = place_asked(path, "portfolio")
    document = read_document(path)
    if "projects" not in document.content:
        raise StudyError(
            [Problem(str(path), "", "a portfolio must have the section `projects`", "none", "See docs/reference/portfolio.md")]
        )
    portfolio = validate(Portfolio, document)
    studies = {
        name: load_study(_study_file(path, document, name, project.study), project.set, project.variant)
        for name, project in portfolio.projects.items()
    }
    holding = Holding(portfolio, studies)
    refuse(document, portfolio_problems(holding))
    return holding


def _study_file(path: Path, document: Document, name: str, study: str) -> Path:
    """Find the study of a project: a file beside or below the portfolio, or a shipped one."""
    if study.isidentifier():
        return find_study(study)
    where, key = document.place_of(("projects", name, "study")), f"projects.{name}.study"
    return named_file(path, study, where, key, "the study of a project")


def split_number(text: str) -> tuple[str, str, float]:
    """Return the project and the path of a shared number, and its sign."""
    project, _, path = text.removeprefix("-").partition(".")
    return project, path, -1.0 if text.startswith("-") else 1.0


def holder_of(holding: Holding, project: str) -> str:
    """Name of the party whose money in a study the portfolio holds, or of the total of its role."""
    named = holding.portfolio.projects[project].party
    return named or _names_held(holding, project)[0]


def _names_held(holding: Holding, project: str) -> tuple[str, ...]:
    """Names of those in a study whose money the portfolio may hold, by its kind."""
    capital, pays = holding.studies[project].capital, holding.portfolio.portfolio.kind == "outcomes_fund"
    parties, total = (capital.who_pays, ALL_PAYERS) if pays else (capital.lenders, ALL_LENDERS)
    return (*parties, total) if len(parties) > 1 else parties


def portfolio_problems(holding: Holding) -> Iterator[Finding]:
    """Find all inconsistencies."""
    portfolio, studies = holding.portfolio, holding.studies
    for name, study in studies.items():
        if study.study.currency != portfolio.portfolio.currency:
            rule = f"a project must be in the currency of the portfolio, {portfolio.portfolio.currency}"
            yield f"projects.{name}.study", rule, study.study.currency, ""
        yield from _holder(holding, name)
        if portfolio.projects[name].begins_month.value >= portfolio.portfolio.months.value:
            rule = f"a project must begin within the {portfolio.portfolio.months.value:g} months of the portfolio"
            yield f"projects.{name}.begins_month", rule, f"{portfolio.projects[name].begins_month.value:g}", ""
    seen: dict[str, str] = {}
    for name, shared in portfolio.shared.items():
        for text in shared.numbers:
            project, path, _ = split_number(text)
            key = f"shared.{name}.numbers"
            if project not in studies:
                yield key, "a shared number must be written project.path", f"`{text}`", one_of(studies)
                continue
            study, number = studies[project], studies[project].numbers.get(path)
            if number is None:
                yield key, "a shared number must be a number of its study", f"`{text}`", "`simengine check` lists their paths"
            elif isinstance(number, Constant | DirichletCount):
                yield key, "a shared number must have a distribution of its own", f"`{text}` is {number}", ""
            elif any(path in correlation.between for correlation in study.correlations.values()):
                yield key, "a number must be shared, or correlated within its study, not both", f"`{text}`", ""
            first = seen.setdefault(f"{project}.{path}", name)
            if first != name or [split_number(one)[:2] for one in shared.numbers].count((project, path)) > 1:
                yield key, "a number must be shared once", f"`{text}` again", ""


def _holder(holding: Holding, project: str) -> Iterator[Finding]:
    """Find a study with an ambiguous holder."""
    known, named = _names_held(holding, project), holding.portfolio.projects[project].party
    if named is None and len(known) > 1:
        rule = "must say whose money is held where several parties share a role"
        yield f"projects.{project}.party", rule, "nobody named", one_of(known)
    elif named is not None and named not in known:
        does = "pays under the contract" if holding.portfolio.portfolio.kind == "outcomes_fund" else "lends"
        yield f"projects.{project}.party", f"must be a party of the study that {does}", f"`{named}`", one_of(known)
