"""The documentation against the program: what a page shows is run, what the program knows is on a page.

Each check is a function that gives what is missing, so that the tests at the end can plant a hole and see it found.
"""

from __future__ import annotations

import doctest
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import click
import numpy as np
import pytest
from pyarrow import parquet
from pydantic import AfterValidator, BaseModel, Field

from docs import options
from docs.keys import filled, pages
from docs.keys.models import Key
from docs.keys.words import allowed
from simengine import RiskTable, evaluate, find_study, load_contract, load_study, run_study, simulate, summarise
from simengine.capital.spec import ROLES
from simengine.cli.conform import DIFFERS
from simengine.cli.main import commands
from simengine.cohort import purposes_of_people
from simengine.cohort.kernels import draw_events
from simengine.cohort.spec import FORMS_OF_EFFECT, MONTHS_OF_THE_YEAR
from simengine.config import Study, cohort_of
from simengine.config.document import read_document
from simengine.contract.spec import Contract
from simengine.contract_text.words import LINT
from simengine.distributions import (
    Certainty,
    Count,
    Fixed,
    Month,
    Months,
    Name,
    Names,
    NotNegative,
    Number,
    Probability,
    Quantity,
    Share,
    Sourced,
    within,
)
from simengine.interruption import EXIT_CODES
from simengine.measurement import purposes_of_errors, purposes_of_records
from simengine.measurement.spec import CountedOutcome, Metric
from simengine.records import ARMS, LIMITS, ReplicationResults, Tallies
from simengine.risk.returns import PAYBACK_STATUSES, STATUSES
from tests.command import in_this_process
from tests.conftest import CHECKOUT, IS_THOROUGH

DOCS = CHECKOUT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
REFERENCE = {
    name: (DOCS / "reference" / f"{name}.md").read_text()
    for name in ("study", "contract", "distributions", "results", "command-line")
}
SECTIONS = "\n".join(page.read_text() for page in sorted((DOCS / "reference" / "study").glob("*.md")))
"""The pages of the sections of a study, one after the other."""
DISTRIBUTIONS = {
    get_args(distribution.model_fields["distribution"].annotation)[0]: distribution
    for distribution in Sourced.__subclasses__()
    if "distribution" in distribution.model_fields
}
DISTRIBUTION = {"mean", "sd", "p05", "p25", "p50", "p75", "p95"}

names_of_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


def blocks(text: str, *languages: str) -> list[str]:
    """Return the fenced blocks of a page in some languages, in their order."""
    return [
        body for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if language in languages
    ]


def section(text: str, heading: str, level: int = 2) -> str:
    """Return a page from a heading of some level that begins with some words to the next heading of this level or above."""
    found = re.search(rf"^{'#' * level} {re.escape(heading)}.*?(?=^##{{,{level - 1}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group() if found else ""


def code(text: str) -> set[str]:
    """Return what stands in backticks, with every <placeholder> called <name>."""
    return {re.sub(r"<\w+>", "<name>", span) for span in re.findall(r"`([^`\n]+)`", text)}


# ------------------------------------------------ what a page shows is run ------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds a copy of configs/ and nothing else, on a terminal of 80 columns."""
    shutil.copytree(CHECKOUT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command said beside its answer, but how long it takes on this machine."""
    return re.sub(r"^simengine: this takes about .*\n", "", done.stderr, flags=re.MULTILINE)


def answer(command: str) -> str:
    """Run one line of a console block and give all that it prints."""
    head, pipe, rest = command.partition(" | grep ")
    if pipe and head.startswith("simengine "):
        done = in_this_process(shlex.split(head)[1:])
        kept = subprocess.run(["sh", "-c", f"grep {rest}"], input=done.stdout, capture_output=True, text=True, check=False)
        return kept.stdout + said(done) + said(kept)
    if not command.startswith("simengine ") or "|" in command:
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=os.environ | {"PATH": search}, check=False)
        return done.stdout + said(done)
    done = in_this_process(shlex.split(command)[1:])
    return done.stdout + said(done)


STEP = re.compile(
    r"^<!-- edit (?P<edit>.*?) -->$"  # file | old text | new text: what the page asks the reader to type
    r"|^<!-- save (?P<name>\S+) -->\n\n```(?:yaml|text|python)\n(?P<text>.*?)^```$"  # the block that the reader keeps under a name
    r"|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

COMMAND = re.compile(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n(.*?)(?=^\$ |\Z)", re.MULTILINE | re.DOTALL)
"""A command, which a backslash at the end of a line continues on the next, and what is shown below it."""


FEWER = {
    "how-to/a-report-for-the-committee.md": {"-n 200": "-n 20", "-n 2000": "-n 200", "--further 100": "--further 20"},
    "how-to/audit-in-excel.md": {"-n 400": "-n 40"},
    "how-to/hold-several-deals.md": {"-n 2000": "-n 100", "-n 500": "-n 100"},
    "how-to/question-a-dear-study.md": {"-n 300": "-n 40", "-n 50": "-n 20", "--panel 4": "--panel 2", "--panel 16": "--panel 8"},
    "how-to/rate-cards.md": {"-n 400": "-n 20", "-n 200": "-n 20", "-n 100": "-n 20"},
    "how-to/size-a-contract.md": {"-n 200": "-n 60", "--points 36": "--points 16"},
    "how-to/what-the-evaluator-does-to-the-money.md": {"-n 200": "-n 20"},
    "how-to/which-assumptions-matter.md": {"--points 32": "--points 16", "--trajectories 8": "--trajectories 4"},
    "how-to/your-own-data.md": {"-n 300": "-n 20"},
}
"""By page: what is asked for less in the suite, where every command still runs; its numbers are those of `make verify`."""


def asked_for_less(command: str, page: str) -> str:
    for much, little in ({} if IS_THOROUGH else FEWER.get(page, {})).items():
        command = re.sub(rf"{much}(?!\S)", little, command)
    return command


def follow(text: str, folder: Path, page: str = "") -> Iterator[tuple[str, str, str, bool]]:
    """Do what a page says, step by step: yield each command, what is shown and printed, and whether it was asked as shown."""
    for step in STEP.finditer(text):
        if step["name"]:
            (folder / step["name"]).write_text(step["text"])
        if step["edit"]:
            name, old, new = (part.strip() for part in step["edit"].split(" | "))
            content = (folder / name).read_text()
            assert old in content, f"{name} does not hold {old!r}"
            (folder / name).write_text(content.replace(old, new))
        for typed, shown in COMMAND.findall(step["console"] or ""):
            command = re.sub(r"\\\n *", "", typed)
            asked = asked_for_less(command, page)
            yield command, shown, answer(asked), asked == command


def agrees(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed, where three dots stand for anything and blanks at line ends for nothing."""
    shown, printed = ("\n".join(line.rstrip() for line in text.split("\n")).strip("\n") for text in (shown, printed))
    return re.fullmatch(re.escape(shown).replace(r"\.\.\.", ".*"), printed, re.DOTALL) is not None


def has_the_same_words(shown: str, printed: str) -> bool:
    """Whether what was printed has the words that a page shows: titles, heads of tables, notes, what stands in rows."""
    words = re.compile(r"[A-Za-z_]{3,}")
    return set(words.findall(shown)) <= set(words.findall(printed))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if re.search("^```(console|pycon)", page.read_text(), re.MULTILINE)],
    ids=lambda page: str(page.relative_to(DOCS)),
)
def test_page__prints_what_it_shows(page: Path, folder: Path) -> None:
    """What is typed in a shell first, then what is typed in Python: it may read what the commands left."""
    for command, shown, printed, is_asked_as_shown in follow(page.read_text(), folder, str(page.relative_to(DOCS))):
        assert "Traceback" not in printed
        agree = agrees if is_asked_as_shown else has_the_same_words
        assert agree(shown, printed), f"{page.name}: $ {command}\n{printed}"
    text = "\n".join(blocks(page.read_text(), "pycon"))
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(examples, out=report.append)
    assert runner.failures == 0, "".join(report)


def misread_lines(text: str) -> list[str]:
    """List lines of prose that do not become prose: a line that begins with % is a comment, one that begins with +, - or * a list."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    comments = re.findall(r"^ *%.*$", prose, re.MULTILINE)
    lists = re.findall(r"^[^\W_|][^\n]*\w\n([+*-] .*)$", prose, re.MULTILINE)
    return [*comments, *lists]


@names_of_pages
def test_page__loses_no_line_of_prose(page: Path) -> None:
    assert misread_lines(page.read_text()) == []


@names_of_pages
def test_page__has_a_title_and_says_something(page: Path) -> None:
    text = page.read_text()
    assert text.startswith("# ")
    assert len(text) > 200


@names_of_pages
def test_yaml__is_readable_and_complete_studies_and_contracts_are_valid(page: Path, folder: Path) -> None:
    text = page.read_text()
    for name, block in re.findall(r"^<!-- save (\S+) -->\n\n```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (folder / "configs" / name).write_text(block)
    for number, block in enumerate(blocks(text, "yaml")):
        path = folder / "configs" / f"block-{number}.yaml"
        path.write_text(block)
        content = read_document(path).content
        if {"study", "population", "contract"} <= set(content):
            load_study(path)
        elif {"title", "commitment", "terms"} <= set(content):
            load_contract(path)


def test_yaml__holds_a_complete_study_and_a_complete_contract() -> None:
    assert any("\npopulation:" in block and block.startswith("study:") for block in blocks(REFERENCE["study"], "yaml"))
    assert any("\nterms:" in block and block.startswith("title:") for block in blocks(REFERENCE["contract"], "yaml"))


def missing_paths(text: str) -> list[str]:
    """List the paths of the project that a page mentions and that do not exist."""
    folders = "simengine|configs|docs|tests|verification|benchmarks"
    mentioned = re.findall(rf"(?<![\w./])((?:{folders})/[\w./-]*\w)", text)
    return [path for path in mentioned if not (CHECKOUT / path).exists()]


@names_of_pages
def test_paths__exist(page: Path) -> None:
    assert missing_paths(page.read_text()) == []


def unverified(page: str) -> list[str]:
    """List the submodels for which the verification table names no file that checks them: a test, a long study, a known answer."""
    rows = [line.strip("|").split(" | ") for line in section(page, "Verification").split("\n") if line.startswith("| ")][1:]
    files = {row[0].strip(): [path for path in code(row[-1]) if (CHECKOUT / path).is_file()] for row in rows}
    runs = r"tests/(\w+/)*test_\w+\.py|verification/\w+\.py"
    return [name for name, paths in files.items() if not any(re.fullmatch(runs, path) for path in paths)]


def test_method__names_a_file_that_runs_for_every_submodel() -> None:
    page = (DOCS / "method" / "verification.md").read_text()
    assert section(page, "Verification").count("`tests/") > 50
    assert unverified(page) == []


def missing_pages(index: str) -> list[str]:
    """List the pages that the index does not show in its lists at the side, or, decisions aside, has no link to.

    The sections of a study are below the page of the study, which leads to them.
    """
    names = [page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if page.name != "index.md"]
    names = [name for name in names if not name.startswith("reference/study/")]
    names += [f"notebooks/{page.stem}" for page in sorted((CHECKOUT / "notebooks").glob("*.py"))]
    beside = [
        line for _, lines in re.findall(r"^```(\{toctree\})\n(.*?)^```$", index, re.MULTILINE | re.DOTALL) for line in lines.split()
    ]
    linked = re.findall(r"\]\((?:\.\./)?([\w/-]+)\.(?:md|py)\)", index)
    return [name for name in names if name not in beside or not (name in linked or name.startswith("decisions/"))]


def test_index__leads_to_every_page() -> None:
    assert missing_pages((DOCS / "index.md").read_text()) == []


def test_study__leads_to_the_pages_of_its_sections() -> None:
    beside = re.findall(r"^(study/[\w-]+)$", REFERENCE["study"], re.MULTILINE)
    linked = re.findall(r"\]\((study/[\w-]+)\.md\)", REFERENCE["study"])
    names = {f"study/{page.stem}" for page in (DOCS / "reference" / "study").glob("*.md")}
    assert names == set(beside)
    assert names <= set(linked)


# ------------------------------------------------ what the program knows is on a page ---------------------------------


def missing_options(page: str) -> list[str]:
    """List the commands without a section of their own, and the options that the section of their command does not name."""
    missing = []
    for name, command in options.every_command().items():
        text = section(page, f"`simengine {name}`", level=3 if " " in name else 2)
        missing += [] if text else [name]
        context = click.Context(command)
        # Earlier names of an option are hidden: they are refused with the new one.
        shown = [option for option in command.get_params(context) if not getattr(option, "hidden", False)]
        spelled = [spelling for option in shown for spelling in (*option.opts, *option.secondary_opts)]
        named = re.findall(r"(?<![\w-])-{1,2}[a-z][\w-]*", text)
        missing += [f"{name} {option}" for option in spelled if option.startswith("-") and option not in named]
    return missing


def test_command_line__names_every_command_and_option() -> None:
    assert missing_options(REFERENCE["command-line"]) == []


def test_tables_of_options__are_those_of_the_commands() -> None:
    assert options.PAGE.read_text() == options.page(), "run `python -m docs.options`"


def test_exit_codes__are_those_of_the_program() -> None:
    told = re.findall(r"^\| (\d+) \|", REFERENCE["results"].partition("## Exit codes")[2], re.MULTILINE)

    assert list(map(int, told)) == [0, DIFFERS, 2, *sorted(EXIT_CODES.values())]
    assert f"are {', '.join(told[:-1])} and {told[-1]}." in REFERENCE["command-line"]


def test_study__names_every_section_that_may_be_left_out() -> None:
    told = REFERENCE["study"].partition("All sections are needed but")[2].partition(". An unknown key")[0]

    assert code(told) == code(" ".join(f"`{name}`" for name, field in Study.model_fields.items() if not field.is_required()))


def test_study__tells_how_often_an_event_may_happen() -> None:
    # Source: the last event that has an address among the random numbers is the one before the kernel's limit.
    told = re.search(r"happens to one person ([\d,]+) times at most", SECTIONS)

    assert told is not None
    assert int(told[1].replace(",", "")) + 1 == draw_events._MOST_EVENTS


def test_tables_of_keys__are_those_of_the_models() -> None:
    assert [path.name for path, text in pages().items() if path.read_text() != text] == [], "run `python -m docs.keys`"


def keys_without_a_table(page: str, table: str) -> str:
    """Return what is said of the keys that stand in no table where one is taken from a page."""
    texts = {path.relative_to(DOCS / "reference").as_posix(): path.read_text() for path in pages()}
    assert table in texts[page]
    with pytest.raises(ValueError, match="every key must stand in a table") as refused:
        filled(texts | {page: texts[page].replace(table, "<!-- ")})
    return str(refused.value).partition("none has ")[2]


def test_tables_of_keys__leave_no_key_out() -> None:
    assert keys_without_a_table("study/run.md", "<!-- keys: run ") == "run, run.replications, run.seed"
    assert keys_without_a_table("study/outcomes.md", "<!-- keys: outcomes.<outcome>(count) ").startswith(
        "outcomes.<outcome>.events"
    )
    assert keys_without_a_table("distributions.md", "<!-- keys: (beta) ") == "mean, sd, successes, failures, interval_90, quantiles"


def test_key__needs_a_sentence_in_its_model() -> None:
    class Unsaid(BaseModel):
        key: int

    with pytest.raises(ValueError, match=r"Unsaid\.key: a key must have a sentence below it"):
        _ = Key("key", Unsaid, "key").sentence


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Probability, "probability"),
        (NotNegative | None, "number, not negative"),
        (Annotated[Quantity, AfterValidator(within(1, 600, "from 1 to 600"))], "number from 1 to 600"),
        (Annotated[Count, AfterValidator(within(2, 1e9, "at least two"))], "whole number from 2"),
        (Months, "whole number from 1 to 1,200"),
        (Annotated[Fixed, AfterValidator(within(1e-6, 1e6, "above 0"))], "fixed number above 0 and at most 1,000,000"),
        (Annotated[Number, Field(gt=0, lt=1)] | None, "plain number above 0 and below 1"),
        (tuple[Annotated[int, Field(ge=0, le=12)], ...], "list of whole numbers from 0 to 12"),
        (dict[Name, NotNegative], "state: number, not negative"),
        (dict[Name, dict[Name, Share]], "state: {name: share}"),
        (Literal["lower", "higher"], "`lower` or `higher`"),
        (bool, "`true` or `false`"),
        (Names, "names"),
        (Month, "a month, as 2030-01"),
        (Certainty | None, "certainty code"),
    ],
)
def test_allowed__follows_from_the_type(hint: Any, words: str) -> None:
    assert allowed(hint, lambda model: model.__name__, ["state", "name"]) == words


def choices(annotation: Any, path: str, within: tuple[type, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield every word that may be chosen below an annotation, with the top-level section in which it stands."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Sourced) and annotation not in within:
            for name, field in annotation.model_fields.items():
                # The contract has a page of its own, and terms that hold terms.
                if path or name != "contract":
                    yield from choices(field.annotation, path or name, (*within, annotation))
    elif get_origin(annotation) is Literal:
        yield from ((path, word) for word in get_args(annotation))
    else:
        for part in get_args(annotation):
            yield from choices(part, path, within)


def missing_choices(page: str) -> list[str]:
    """List the words that may be chosen in a study and that the section in which they stand does not name."""
    elsewhere = {"rest", *get_args(Certainty), *MONTHS_OF_THE_YEAR}  # kinds of values, distributions, "`jan` to `dec`"
    words = dict.fromkeys(choices(Study, ""))
    named = {path: code(section(page, f"`{path}`", level=1)) for path, _ in words}
    return [f"{path}: {word}" for path, word in words if path != "contract" and word not in named[path] | elsewhere]


def test_reference__names_every_word_that_may_be_chosen() -> None:
    assert {"half_cycle", "referred", "lognormal", "gain", "historical"} <= {word for _, word in choices(Study, "")}
    assert missing_choices(SECTIONS) == []


def missing_forms(page: str) -> list[str]:
    """List the forms of effects that the table of targets does not hold."""
    rows = [line for line in section(page, "`effect`", level=1).split("\n") if line.count(" | ") == 1]
    held = {target: set().union(*(code(row) for row in rows if row.startswith(f"| `{target}`"))) for target in FORMS_OF_EFFECT}
    return [f"{target}: {form}" for target, forms in FORMS_OF_EFFECT.items() for form in forms if form not in held[target]]


def test_reference__names_the_forms_of_every_effect() -> None:
    assert missing_forms(SECTIONS) == []


def missing_purposes(page: str) -> list[str]:
    """List the random streams of people that the page on randomness does not name."""
    changes = ["population.frailties={f: {variance: 1, on: school_qualified}}"]
    changes += ["population.sites={s: {count: 2, sd: 1, on: school_qualified}}"]
    changes += ["events={e: {rates: {home: {rate_per_year: 1}}, length: {kind: fixed, mean_days: 1}}}"]
    changes += ["population.transfer={per_year: 0.1}"]
    study = load_study(find_study("tiny"), changes)
    purposes = [purpose.split("/") for purpose in purposes_of_people(cohort_of(study))]
    kinds = {"/".join(["people", "<name>", kind, *["<name>" for _ in name[:1]], *name[1:]]) for _, _, kind, *name in purposes}
    return sorted(kinds - code(page))


def test_randomness__names_every_error_of_the_evaluator() -> None:
    errs = {
        "attrition": {"share": 0.1},
        "misclassification": {"sensitivity": 1, "specificity": 1},
        "redefined": {"from_month": 1, "factor": 1},
    }
    metric = Metric.model_validate({"outcome": "o", "window_months": 12, "estimate": "rate_difference", "better": "lower", **errs})
    named = code((DOCS / "explanation" / "randomness.md").read_text())
    decisions = {purpose.rpartition("/")[2] for purpose in purposes_of_errors("m", metric, ("w",))}
    assert [one for one in decisions if f"measurement/<name>/<name>/<name>/{one}" not in named] == []


def test_randomness__names_every_purpose_of_records() -> None:
    named = code((DOCS / "explanation" / "randomness.md").read_text())
    errors = CountedOutcome.model_validate({"missed": 0.1, "false_claims": 0.1})
    assert [one for one in purposes_of_records({"job": errors}) if one.replace("/job/", "/<name>/") not in named] == []


def test_randomness__names_every_purpose_of_people() -> None:
    assert missing_purposes((DOCS / "explanation" / "randomness.md").read_text()) == []


def missing_distributions(page: str) -> list[str]:
    """List the distributions without a section, their parameters that it does not name, and what else a sourced number may carry."""
    everywhere = code(page)
    missing = [word for word in (*Sourced.model_fields, *get_args(Certainty), "value") if word not in everywhere]
    for name, distribution in DISTRIBUTIONS.items():
        here = code(section(page, f"`{name}`"))
        missing += [
            f"{name}.{field}"
            for field in set(distribution.model_fields) - set(Sourced.model_fields) - {"distribution"}
            if field not in here
        ]
    return missing


def test_distributions__names_every_distribution_and_parameter() -> None:
    assert len(DISTRIBUTIONS) == 12
    assert missing_distributions(REFERENCE["distributions"]) == []


def as_written(column: str) -> str:
    """Turn the name of a column of the replications into the form in which the page writes it."""
    words = column.split(".")
    for place in {"metric": [1], "term": [1], "person_months": [1, 2]}.get(words[0], []):
        words[place] = "<name>"
    if len(words) > 1 and words[0] in ROLES:
        words[0] = "<name>"
    return ".".join(words)


def test_command_line__names_every_rule_of_the_contract_check() -> None:
    assert LINT.keys() <= code(section(REFERENCE["command-line"], "`simengine lint`"))


def test_results__names_every_file_and_column_of_the_cash(tmp_path: Path) -> None:
    tilted = ("--tilt", "effect.sooner_home.hazard_ratio=0.5", "-o", tmp_path / "cash")
    answer(shlex.join(map(str, ("simengine", "cash", CHECKOUT / "configs/tiny.yaml", "-n", 50, "--seed", 1, *tilted))))
    named = code(section(REFERENCE["results"], "`cash --json`"))
    assert {path.name for path in (tmp_path / "cash").iterdir()} - {"SHA256SUMS"} <= named
    header = (tmp_path / "cash" / "cash-by-date.csv").read_text().split("\n")[0].split(",")
    assert [name for name in header if name not in named and not re.fullmatch(r"(cash|cumulative)_(mean|p\d\d)(_se)?", name)] == []
    assert set(parquet.read_schema(tmp_path / "cash" / "cash.parquet").names) <= named


def test_results__names_every_file_and_column(folder: Path) -> None:
    answer("simengine run configs/tiny.yaml -n 50 --seed 1 -o results")
    named = code(section(REFERENCE["results"], "The results folder"))
    assert [path.name for path in sorted((folder / "results").iterdir()) if path.name not in named] == []
    named = code(section(REFERENCE["results"], "`replications.parquet`"))
    columns = run_study(load_study(find_study("tiny")), 1, 2).columns
    assert [column for column in map(as_written, ("replication", *columns)) if column not in named] == []


def missing_tallies(page: str) -> list[str]:
    """List the fields of the tallies, and the arms, that their section does not name."""
    named = code(section(page, "Tallies"))
    return [name for name in (*Tallies.__dataclass_fields__, *ARMS) if name not in named]


def test_results__names_every_field_of_the_tallies() -> None:
    assert missing_tallies(REFERENCE["results"]) == []


def test_results__names_every_word() -> None:
    assert set(LIMITS) | set(STATUSES) | set(PAYBACK_STATUSES) | DISTRIBUTION <= code(REFERENCE["results"])


# ------------------------------------------------ numbers on a page ------------------------------------------------


N = 20_000 if IS_THOROUGH else 2_000
"""Replications behind a page's numbers: its own in `make verify`; in the suite a tenth, beside whose numbers they must lie."""


def outturns_of(
    n_replications: int, *overrides: str, variant: str | None = None, contract: Contract | None = None
) -> ReplicationResults:
    """Run the Norrköping study as the explanations say: seed 2016."""
    study = load_study(find_study("norrkoping"), overrides, variant)
    study = study if contract is None else study.model_copy(update={"contract": contract})
    return evaluate(study, simulate(study, 2016, np.arange(n_replications)))


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the tables in a section, cell by cell, without those of titles and rules."""
    lines = [line for line in section((DOCS / "explanation" / page).read_text(), heading).split("\n") if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if "±" in line]


def say(value: float, error: float, unit: float, digits: int) -> str:
    return f"{value / unit:.{digits}f} ± {error / unit:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def is_said(shown: str, value: float, error: float, unit: float, digits: int) -> bool:
    """Whether a page shows a number: to the last digit in `make verify`, to 4.5 errors of both from fewer replications."""
    if IS_THOROUGH:
        return shown == say(value, error, unit, digits)
    told, of_it = (float(part) for part in shown.replace("\N{MINUS SIGN}", "-").split(" ± "))
    # An error that is shown as 0 may be half of the last digit.
    return abs(told - value / unit) <= 4.5 * np.hypot(of_it + 0.5 * 10.0**-digits, error / unit)


def is_said_of(shown: str, table: RiskTable, path: str) -> bool:
    statistic = table[path]
    unit, digits = (1e6, 2) if abs(statistic.value) > 1000 else (1, 3)
    error = statistic.se if statistic.covers else max(abs(end - statistic.value) for end in statistic.band_95) / 1.96
    return is_said(shown, statistic.value, error, unit, digits)


@pytest.fixture(scope="module")
def norrkoping() -> list[ReplicationResults]:
    """Readings A and B with two years, then both with three, on the same people."""
    other = load_contract(find_study("norrkoping").parent / "contracts" / "norrkoping_reading_b.yaml")
    return [outturns_of(N, variant=years, contract=reading) for years in (None, "three_year_window") for reading in (None, other)]


def test_norrkoping__the_table_holds_what_the_study_gives(norrkoping: list[ReplicationResults]) -> None:
    rows = rows_of("what-norrkoping-shows.md", "What the run says")
    tables = [summarise(results) for results in norrkoping]
    assert len(rows) > 10
    for name, *expected in rows:
        path = re.search(r"`(.*)`", name).group(1)
        assert all(is_said_of(shown, table, path) for shown, table in zip(expected, tables, strict=True)), path


def test_norrkoping__the_differences_hold_what_the_study_gives(norrkoping: list[ReplicationResults]) -> None:
    text = (DOCS / "explanation" / "what-norrkoping-shows.md").read_text()
    two_years, other_reading, three_years, _ = (results["investor.money_back"] for results in norrkoping)
    for difference in (two_years - other_reading, three_years - two_years):
        error = difference.std(ddof=1) / np.sqrt(N)
        shown = re.findall(r"\N{MINUS SIGN}?[\d.]+ ± [\d.]+", text)
        assert any(is_said(one, difference.mean(), error, 1e6, 3) for one in shown if len(one.split(".")[-1]) == 3)
    assert (two_years >= other_reading).all()
    share, told = (two_years > other_reading).mean(), re.search(r"less in (\d+) % of", " ".join(text.split()))
    assert told is not None
    assert abs(share - int(told[1]) / 100) <= 0.005 + (0 if IS_THOROUGH else 4.5 * np.sqrt(share * (1 - share) / N))


def test_norrkoping__the_second_table_holds_what_the_study_gives() -> None:
    rows = rows_of("what-norrkoping-shows.md", "What moves the answer")
    assert len(rows) == 5
    for name, *expected in rows:
        table = summarise(outturns_of(N // 4, *re.findall(r"`(.*?)`", name)))
        paths = ("investor.p_loss", "investor.moic.mean", "outcome_payer.p_loss")
        assert all(is_said_of(shown, table, path) for shown, path in zip(expected, paths, strict=True)), name


def test_evaluator__the_table_holds_what_the_study_gives(norrkoping: list[ReplicationResults]) -> None:
    rows = rows_of("evaluator.md", "How large is it?")
    no_drift, four_times = "measurement.metrics.saving.drift_per_year=0", "measurement.baseline.size=244"
    runs = [norrkoping[0], *(outturns_of(N, *sets) for sets in ([no_drift], [four_times], [no_drift, four_times]))]
    assert len(rows) == len(runs)
    for (name, *expected), results in zip(rows, runs, strict=True):
        table, own = summarise(results), results["metric.saving.standard_error"]
        error = results["metric.saving.estimate"] - results["metric.saving.truth"]
        got = [table[f"metrics.saving.{path}"] for path in ("error.mean", "error.sd", "evaluators_standard_error.mean")]
        share, told = (np.abs(error) < 1.96 * own).mean(), expected.pop()
        assert all(is_said(shown, one.value, one.se, 1e6, 2) for shown, one in zip(expected, got, strict=True)), name
        off = 0 if IS_THOROUGH else 4.5 * np.sqrt(share * (1 - share) / N)
        assert abs(share - int(told.removesuffix(" %")) / 100) <= 0.005 + off, name


def test_is_said__sees_a_wrong_number() -> None:
    assert is_said("1.00 ± 0.10", 1.0e6, 0.1e6, 1e6, 2)
    assert not is_said("1.00 ± 0.10", 1.8e6, 0.1e6, 1e6, 2)


# ------------------------------------------------ planted holes ------------------------------------------------


def test_checks__find_a_planted_hole() -> None:
    page = REFERENCE["command-line"]
    with_blocks = [name for name, command in commands.commands.items() if any("--block-size" in one.opts for one in command.params)]
    assert len(with_blocks) > 10
    assert missing_options(page.replace("--block-size", "--size")) == [f"{name} --block-size" for name in with_blocks]
    assert missing_options(page.replace("## `simengine check`", "## `simengine test`"))[0] == "check"
    assert missing_choices(SECTIONS.replace("`half_cycle`", "")) == ["outcomes: half_cycle"]
    assert missing_forms(SECTIONS.replace("`difference`, `length_ratio`", "`length_ratio`")) == ["event: difference"]
    assert missing_distributions(REFERENCE["distributions"].replace("`failures`", "")) == ["beta.failures"]
    assert missing_distributions(REFERENCE["distributions"].replace("`layer`", "")) == ["layer"]
    results = REFERENCE["results"]
    assert missing_tallies(results.replace("`sums_before`", "")) == ["sums_before"]
    randomness = (DOCS / "explanation" / "randomness.md").read_text()
    assert missing_purposes(randomness.replace("people/<wave>/engagement", "")) == ["people/<name>/engagement"]
    assert missing_paths("see `simengine/nowhere.py` and `configs/tiny.yaml`") == ["simengine/nowhere.py"]
    assert missing_paths("see `verification/nowhere.py`") == ["verification/nowhere.py"]
    table = "## Verification\n\n| submodel | oracle | file |\n|---|---|---|\n| it | SciPy | `tests/nowhere.py` |\n"
    assert unverified(table) == ["it"]
    index = (DOCS / "index.md").read_text()
    assert missing_pages(index.replace("\nmethod/risk\n", "\n")) == ["method/risk"]
    assert missing_pages(index.replace("](method/risk.md)", "]")) == ["method/risk"]
    assert missing_pages(index.replace("\nnotebooks/sizing\n", "\n")) == ["notebooks/sizing"]
    assert misread_lines("a fall of 18\n% at most\n\n- makes x\n  %.\n") == ["% at most", "  %."]
    assert misread_lines("it makes it x\n+ (f - 1) y\n\n- one\n- two\n\n```text\n% one\n```\n") == ["+ (f - 1) y"]


def test_has_the_same_words__sees_a_changed_word_and_a_missing_row_and_no_number() -> None:
    printed = "Of 40 replications\n\n party      net   P(loss)\n ─────────\n lender  3 ±1      0.4\n payer   1 ±1      0.2\n"
    assert has_the_same_words(" party        net   P(loss)\n lender  12 ±1      0.4\n...\n", printed)
    assert not has_the_same_words(" party        gross   P(loss)\n lender  12 ±1      0.4\n", printed)
    assert not has_the_same_words(" lenders  12 ±1\n", printed)
    assert not has_the_same_words(" provider  12 ±1\n", printed)


def test_agrees__sees_a_changed_number_and_a_missing_line() -> None:
    printed = "one 1.00 \ntwo 2.00\nthree 3.00\n"
    assert agrees("one 1.00\n...\nthree 3.00", printed)
    assert not agrees("one 1.01\n...\nthree 3.00", printed)
    assert not agrees("one 1.00\nthree 3.00", printed)


def test_offline__sees_what_is_loaded_from_a_network_and_a_search_without_results(tmp_path: Path) -> None:
    offline = runpy.run_path(str(DOCS / "offline.py"))
    here = '<link rel="stylesheet" href="a.css"><script src="a.js"></script><a href="https://a.org">a</a><img src="data:image/png;base64,//8a">'
    there = '<script src="https://a.org/a.js"></script><link href="//b.org/b.css"><p style="background: url(http://c.org/c.png)">'
    assert offline["loaded_by_page"](here) == []
    assert offline["loaded_by_page"](there) == ["https://a.org/a.js", "//b.org/b.css", "http://c.org/c.png"]
    (tmp_path / "search.html").write_text('<script src="searchindex.js?v=1"></script>')
    (tmp_path / "searchindex.js").write_text('Search.setIndex({"docnames":["a","b"],"terms":{"guarante":1,"loan":[0,1]}})')
    assert offline["pages_found"]((tmp_path / "searchindex.js").read_text(), "loan") == ["a", "b"]
    assert offline["problems"](tmp_path) == []
    (tmp_path / "a.css").write_text("@font-face { src: url('https://a.org/a.woff') }")
    (tmp_path / "search.html").write_text("<script>fetch('searchindex.js')</script>")
    (tmp_path / "searchindex.js").write_text('Search.setIndex({"docnames":["a"],"terms":{"loan":0}})')
    assert offline["problems"](tmp_path) == [
        "a.css loads https://a.org/a.woff",
        "search.html loads no index",
        "the search finds no page with 'guarante'",
    ]
