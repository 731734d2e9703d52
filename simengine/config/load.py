"""Load a study or a contract from a file, or report everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel

from simengine.asked import place_asked
from simengine.config.consistency import contract_problems, rate_card_problems, study_problems
from simengine.config.document import Document, KeyPath, is_quantity, named_file, read_document, read_value
from simengine.config.steps import steps_problems, with_steps
from simengine.config.study import Study
from simengine.config.validate import refuse, validate
from simengine.contract.spec import Contract
from simengine.distributions import Sourced
from simengine.errors import Problem, StudyError, UsageError, did_you_mean, one_of, shorten

Changes: TypeAlias = Sequence[str] | Mapping[str, Any]
"""Changes of a study: texts `path=value`, or values by path."""


def load_study(study: Path | str | Mapping[str, Any], changes: Changes = (), variant: str | None = None) -> Study:
    """Read a study, apply a variant and then changes, and validate the whole.

    Parameters
    ----------
    study
        A YAML file, or equivalent data. Where it says `contract: {file: NAME}` or `rates: {file: NAME}` that section is read
        from that file beside it, or in the folder in which the program runs.
    changes
        Values by path, or texts `path=value`; applied in order.
    variant
        The name of one of the study's own variants.

    Raises
    ------
    StudyError
        With every problem that was found, each with its file, line and key.

    Examples
    --------
    >>> study = load_study(find_study("tiny"), {"population.waves.all.size": 30})
    >>> study.population.waves["all"].size.value
    30.0
    """
    if isinstance(study, Mapping):
        return _finished(Document(_copied(study), default_place="the study"), Path("the study"), changes, variant)
    place = place_asked(study, "study")
    return _finished(read_document(place), place, changes, variant)


def with_changes(study: Study, changes: Changes = (), variant: str | None = None) -> Study:
    """Change a study as `load_study` does; earlier changes remain.

    Raises
    ------
    StudyError
        With every problem that was found.

    Examples
    --------
    >>> study = with_changes(load_study(find_study("tiny")), {"contract.terms.guarantee.share": 0.5})
    >>> study.contract.terms["guarantee"].share.value
    0.5
    """
    written = study.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return _finished(Document(written, default_place="the study"), Path("the study"), changes, variant)


def _finished(document: Document, path: Path, changes: Changes, variant: str | None) -> Study:
    document = _include(document, path)
    if "terms" in document.content and "study" not in document.content:
        rule = "must be a study, with a section `study`"
        way_out = "`simengine lint` looks for flaws in it, `explain` says it in words, `replay` settles it"
        raise StudyError([Problem(str(path), "", rule, "a contract", way_out)])
    study = validate(Study, document)
    read = list(_changes(document, study, changes, variant))
    for place, source, key_path, value in read:
        _set(document, study, (place, source), key_path, value)
        document = _include(document, path)
        # Two values may need each other: what one of them alone makes of the study is judged at the end.
        with suppress(StudyError):
            study = validate(Study, document)
    if read:
        study = validate(Study, document)
    refuse(document, [*study_problems(study), *rate_card_problems(study)])
    study, step_error = with_steps(study)
    refuse(document, steps_problems(study, step_error))
    return study


def _copied(content: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the data of a study, so that the caller's data are not changed."""
    return {str(name): _copied(child) if isinstance(child, Mapping) else child for name, child in content.items()}


def load_contract(path: Path | str) -> Contract:
    """Read a contract from a separate file, or the contract of a study.

    Raises
    ------
    StudyError
        With every problem that was found.
    """
    return load_contract_document(path)[0]


def load_contract_document(path: Path | str) -> tuple[Contract, Callable[[str], str], Study | None]:
    """Read a contract, a function from any of its paths to file and line, and the study that it stands in, if any."""
    place = place_asked(path, "contract")
    document = read_document(place)
    if "study" in document.content:
        study, whole = load_study(place), _include(document, place)
        return study.contract, lambda key: whole.place_of(("contract", *key.split("."))), study
    contract = validate(Contract, document)
    refuse(document, contract_problems(contract))
    return contract, lambda key: document.place_of(tuple(key.split("."))), None


def find_study(name: str) -> Path:
    """Return the path of a shipped study by its name ("norrkoping", "tiny")."""
    if (shipped_folder() / f"{name}.yaml").is_file():
        return shipped_folder() / f"{name}.yaml"
    names = [path.stem for path in shipped_studies()]
    way_out = did_you_mean(name, names, one_of(names))
    raise UsageError(f"find_study: must be the name of a study that comes with simengine; found {name!r}. {way_out}")


def shipped_studies() -> list[Path]:
    """List the shipped studies."""
    return sorted(shipped_folder().glob("*.yaml"))


def shipped_contracts() -> list[Path]:
    """List the shipped contracts."""
    return sorted((shipped_folder() / "contracts").glob("*.yaml"))


def shipped_folder() -> Path:
    """Return the folder of what comes with the package: inside it, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


INCLUDABLE = {"contract": "a contract file", "rates": "a file of rates"}


def _include(document: Document, path: Path) -> Document:
    """Put in place of `{file: NAME}` what stands in that file."""
    for key, noun in INCLUDABLE.items():
        section = document.content.get(key)
        if not isinstance(section, Mapping) or set(section) != {"file"}:
            continue
        included = read_document(named_file(path, section["file"], document.place_of((key, "file")), f"{key}.file", noun))
        document.content[key] = included.content
        document.places.update({(key, *place): line for place, line in included.places.items()})
    return document


def _changes(document: Document, study: Study, changes: Changes, variant: str | None) -> Iterable[tuple[str, str, KeyPath, Any]]:
    """Yield each change: its place for messages, what it says of where its number comes from, its path and value."""
    if variant is not None:
        if variant not in study.variants:
            way_out = did_you_mean(variant, study.variants, f"Its variants: {', '.join(study.variants) or 'none'}")
            raise UsageError(f"variant: must be a variant of the study; found {variant!r}. {way_out}")
        for key, value in study.variants[variant].items():
            source = f"variants.{variant}"
            yield f"{document.place_of(('variants', variant, key))} ({source})", source, tuple(key.split(".")), value
    if isinstance(changes, str):
        raise UsageError(f"changes: must be values by path, or a list of texts path=value; found {shorten(changes)}")
    if isinstance(changes, Mapping):
        for key, value in changes.items():
            yield "changes", "changes", tuple(str(key).split(".")), value
        return
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--set: must be written path=value; found {shorten(change)}")
        yield "--set", "--set", tuple(key.strip().split(".")), read_value(text)


def _set(document: Document, study: Study, origin: tuple[str, str], path: KeyPath, value: Any) -> None:
    """Replace the value at a path of the raw data; a changed number is marked as such, without its old source.

    origin: the place for messages, and the source that the number now has.
    """
    place, source = origin
    node: Any = study
    parent: Any = document.content
    for depth, name in enumerate(path):
        keys = list(type(node).model_fields) if isinstance(node, BaseModel) else list(node) if isinstance(node, Mapping) else []
        if name not in keys:
            way_out = did_you_mean(name, keys, f"Keys here: {', '.join(keys) or 'none'}")
            found = f"no `{name}` in `{'.'.join(path[:depth]) or 'the study'}`"
            raise StudyError([Problem(place, ".".join(path), "must be a path of the study", found, way_out)])
        if depth + 1 == len(path):
            break
        node = getattr(node, name) if isinstance(node, BaseModel) else node[name]
        if not isinstance(parent.get(name), dict):
            # What the file leaves out, or writes short as a bare number, is written out.
            parent[name] = _written_out(node)
        parent = parent[name]
    if isinstance(node, Sourced) and path[-1] not in Sourced.model_fields:
        parent |= {"source": source, "certainty": "choice"}
    elif is_quantity(parent.get(path[-1])) and not isinstance(value, Mapping):
        value = {"value": value, "source": source, "certainty": "choice"}
    parent[path[-1]] = value
    document.places = {key: line for key, line in document.places.items() if key[: len(path)] != path}
    document.places[path] = place


def _written_out(node: Any) -> dict[str, Any]:
    return node.model_dump(mode="json", exclude_defaults=True, exclude_none=True) if isinstance(node, BaseModel) else {}
