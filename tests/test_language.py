"""The language of the program: one name for one thing, and the field's words."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from simengine import find_study, load_study, run_study
from simengine.questions.listed import QUESTIONS

GONE = (
    "what is paid for nothing, and withheld for something",
    "who carries what: luck, ignorance, the evaluator, the world",
    "How alike two lives under unlike hazards stay",
    "A state that no move leaves is for ever",
    "Places of one step share what there is",
    "A measure that turns along the range has no smallest value",
    "No CVaR: it takes",
    "Numba asks whether the file of a kernel has changed",
    "Where a question takes hold of the random half",
    "Let events happen: a Poisson process",
    "Put the questions to a dear study",
    "Pay for a group that a test tells",
    "the file exists; found no such file",
    "a file is UTF-8 text; found byte",
    "Choices of whoever asks",
)
"""Sentences over which readers stumbled."""
PAGES = ("docs/*.md", "docs/*/*.md", "notebooks/*.py", "README.md", "CONTRIBUTING.md")
LEGAL = ("the new law", "a new law", "new law, a pandemic")
"""Where a law is one of a parliament."""


def public_names(package: Path) -> dict[str, list[str]]:
    """By name: the modules that define it as a class, a function or a constant."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = [node.name]
            for name in names:
                if not name.startswith("_"):
                    found[name].append(path.relative_to(package).as_posix())
    return found


def texts(checkout: Path, *patterns: str) -> dict[str, str]:
    paths = [path for pattern in patterns for path in checkout.glob(pattern)]
    assert paths
    return {path.relative_to(checkout).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def test_public_name__is_defined_in_one_module(checkout: Path) -> None:
    twice = {name: where for name, where in public_names(checkout / "simengine").items() if len(where) > 1}
    assert twice == {}


def test_public_names_and_columns__do_not_speak_of_luck(checkout: Path) -> None:
    assert [name for name in public_names(checkout / "simengine") if "luck" in name.lower()] == []
    results = run_study(load_study(find_study("tiny")), 1, 200, with_variates=True)
    assert [name for name in results.columns if "luck" in name] == []
    options = [
        name for question in QUESTIONS for option in question.every_option().values() for name in (option.name, option.written)
    ]
    assert [name for name in options if "luck" in name] == []


def test_public_names__defined_twice_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class Part: ...\n_x = 1\n")
    (tmp_path / "b.py").write_text("Part: int = 1\n_x = 2\n")
    assert {name: where for name, where in public_names(tmp_path).items() if len(where) > 1} == {"Part": ["a.py", "b.py"]}


def test_docstring__does_not_give(checkout: Path) -> None:
    found = [
        f"{path.name}: {text.splitlines()[0]}"
        for path in sorted((checkout / "simengine").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module)
        and (text := ast.get_docstring(node) or "").startswith(("Give ", "Give, "))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("word", "way_out"), [("laws?", "distribution"), ("worlds?", "replication"), ("luck", "sampling variation, or panel")]
)
def test_page__uses_the_fields_word(word: str, way_out: str, checkout: Path) -> None:
    found = []
    for name, text in texts(checkout, *PAGES, "ARCHITECTURE.md").items():
        for line in text.splitlines():
            # Addresses of streams and what a file of before said keep their words; they stand in backticks.
            plain = re.sub(r"`[^`]*`", "", line)
            for legal in LEGAL:
                plain = plain.replace(legal, "")
            if re.search(rf"\b{word}\b", plain, re.IGNORECASE) and "->" not in line:
                found.append(f"{name}: {line.strip()[:120]}")
    assert found == [], f"say {way_out}"


@pytest.mark.parametrize("sentence", GONE)
def test_sentence__that_nobody_understood_is_gone(sentence: str, checkout: Path) -> None:
    pattern = re.compile(r"\s+".join(map(re.escape, sentence.split())), re.IGNORECASE)
    everywhere = texts(checkout, "simengine/**/*.py", *PAGES, "CHANGELOG.md")
    assert [name for name, text in everywhere.items() if pattern.search(re.sub(r"[`*]", "", text))] == []


def test_documented_parameters__are_those_of_the_function(checkout: Path) -> None:
    """Every line of a list of parameters names parameters that there are."""
    wrong = []
    for path in sorted((checkout / "simengine").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            told = (ast.get_docstring(node) or "") if isinstance(node, ast.FunctionDef) else ""
            section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", told, re.DOTALL | re.MULTILINE)
            if section is None:
                continue
            given = {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}  # type: ignore[attr-defined]
            lines = re.findall(r"^(\w+(?:, \w+)*)$", section[1], re.MULTILINE)
            wrong += [f"{path.name}: {node.name}: {line}" for line in lines if not set(line.split(", ")) <= given]  # type: ignore[attr-defined]
    assert wrong == []


def _literal(node: ast.expr) -> str:
    """The text of a literal, with {} for what is put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def rules_without_must(text: str) -> list[str]:
    """List the messages that say what was found, and before it a rule that does not say what must be."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.args]
    errors = [call for call in calls if getattr(call.func, "id", "") in ("ValueError", "UsageError", "ResultsError")]
    rules = [rule for rule, found, _ in (_literal(call.args[0]).partition("; found") for call in errors) if found]
    # What is put in is a rule that stands elsewhere.
    return [rule for rule in rules if "must" not in rule and "{}" not in rule.rpartition(": ")[2]]


def test_messages__say_what_must_be(checkout: Path) -> None:
    assert [rule for path in (checkout / "simengine").rglob("*.py") for rule in rules_without_must(path.read_text("utf-8"))] == []


def test_rules_without_must__sees_a_rule_that_reads_like_a_fact() -> None:
    assert rules_without_must('raise UsageError(f"--n: a number is above 0; found {n}")') == ["--n: a number is above 0"]
    assert rules_without_must('raise UsageError(f"--n: a number must be above 0; found {n}")') == []
