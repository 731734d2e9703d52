"""The tables of keys: where they stand on the pages, and what their rows say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, relpath
from typing import Any, NamedTuple

from pydantic import BaseModel

from docs.keys.examples import example
from docs.keys.models import Key, every_key, key_at, kind_of, models_at, models_in, without_kind
from docs.keys.words import allowed, listed, meaning_and_default
from simengine.config import Study
from simengine.config.portfolio import Portfolio
from simengine.contract.spec import Contract
from simengine.distributions import Share
from simengine.spells.choices import FitChoices
from simengine.spells.mapping import SpellsMapping

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
TABLE = re.compile(
    r"(?P<begins><!-- keys(?: of (?P<noun>[\w ]+))?: (?P<places>[^\n]+) -->\n).*?(?P<ends><!-- end of keys -->)", re.DOTALL
)
SECTIONS = re.compile(r"(<!-- sections -->\n).*?(<!-- end of sections -->)", re.DOTALL)
HEAD = "| key | allowed | default | meaning | example |\n|---|---|---|---|---|\n"
_ROOTS: Mapping[str, Any] = {
    "contract.md": Contract,
    "portfolio.md": Portfolio,
    "distributions.md": Share,
    "fit.md": FitChoices,
    "spells.md": SpellsMapping,
}
"""By page: the model at which its places begin; on all others a study."""


class Place(NamedTuple):
    """Where a model is described that stands in many places."""

    page: str
    anchor: str
    noun: str

    def link_from(self, page: str) -> str:
        """Return a link to it from a page."""
        target = "" if self.page == page else relpath(self.page, dirname(page) or ".")
        return f"[{self.noun}]({target}{self.anchor})"


@dataclass(frozen=True)
class Table:
    """A table of keys: where it stands, and what it lists."""

    page: str
    anchor: str
    noun: str
    places: tuple[str, ...]

    @property
    def root(self) -> Any:
        """The model at which its places begin."""
        return _ROOTS.get(self.page, Study)


def pages() -> dict[Path, str]:
    """Return the pages with tables of keys as they have to be.

    Raises
    ------
    ValueError
        If a key has no sentence below it in its model, or stands in no table.
    """
    texts = {path.relative_to(REFERENCE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(REFERENCE.rglob("*.md"))}
    return {REFERENCE / page: text for page, text in filled(texts).items() if TABLE.search(text)}


def filled(texts: Mapping[str, str]) -> dict[str, str]:
    """Return pages of the reference, by their names, with their tables filled.

    Raises
    ------
    ValueError
        If a key has no sentence below it in its model, or stands in no table.
    """
    tables = [table for page, text in texts.items() for table in _tables(page, text)]
    reference = _Reference(tables)
    reference.refuse_missing()
    bodies = iter([reference.body(table) for table in tables])
    sections = reference.sections()
    return {
        page: SECTIONS.sub(
            lambda found: found[1] + sections + found[2],
            TABLE.sub(lambda found: found["begins"] + next(bodies) + found["ends"], text),
        )
        for page, text in texts.items()
    }


def _tables(page: str, text: str) -> Iterator[Table]:
    for found in TABLE.finditer(text):
        heading = re.findall(r"^(#+) (.*)$", text[: found.start()], re.MULTILINE)[-1]
        anchor = "" if heading[0] == "#" else "#" + re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
        yield Table(page, anchor, found["noun"] or "", tuple(found["places"].split(", ")))


def _any_names(place: str) -> str:
    return re.sub(r"<\w+>", "<name>", place)


class _Reference:
    """All tables together: what is described where."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self.places = {(table.root, _any_names(place)) for table in tables if not table.noun for place in table.places}
        self.shared: dict[type[BaseModel], Place] = {Contract: Place("contract.md", "", "the contract")}
        for table in tables:
            if table.noun:
                self.shared[models_at(table.root, table.places[0])[0]] = Place(table.page, table.anchor, table.noun)

    def refuse_missing(self) -> None:
        """Refuse keys that stand in no table.

        Raises
        ------
        ValueError
            With all of them.
        """
        told = {(key.declared_in, key.name) for table in self.tables for key in self.keys(table)}
        known = [key for root in (Study, Contract, Portfolio, Share) for key in every_key(root) if not key.is_mark]
        missing = [key.path for key in known if (key.declared_in, key.name) not in told]
        if missing:
            raise ValueError(f"every key must stand in a table of the reference; none has {', '.join(dict.fromkeys(missing))}")

    def keys(self, table: Table) -> Iterator[Key]:
        """Yield the keys that a table lists."""
        for place in table.places:
            path = without_kind(place)
            if path and not path.endswith(">") and not table.noun:
                yield from self._from(table, key_at(table.root, path))
                continue
            for model in self._models(table, place):
                yield from self._below(table, model, "" if table.noun and not path.endswith(">") else path)

    def _models(self, table: Table, place: str) -> list[type[BaseModel]]:
        """List the models whose keys stand at a place."""
        found = models_at(table.root, place)
        if not place.endswith("(*)"):
            return found[:1]
        return [model for model in found if not self._has_table(table, f"{without_kind(place)}({kind_of(model)})")]

    def _has_table(self, table: Table, place: str) -> bool:
        return (table.root, _any_names(place)) in self.places

    def _from(self, table: Table, key: Key) -> Iterator[Key]:
        """Yield a key, and those below it that are told in this table."""
        yield key
        models = models_in(key.hint)
        if len(models) > 1:
            yield from (
                Key(f"{key.inside}.{name}", models[0], name) for name in models[0].model_fields if Key("", models[0], name).is_mark
            )
        elif models and models[0] not in self.shared and (key.inside == key.path or not self._has_table(table, key.inside)):
            yield from self._below(table, models[0], key.inside)

    def _below(self, table: Table, model: type[BaseModel], path: str) -> Iterator[Key]:
        for name in model.model_fields:
            key = Key(f"{path}.{name}".lstrip("."), model, name)
            is_told_elsewhere = not table.noun and key.declared_in in self.shared.keys() - {model}
            if not (key.is_mark or is_told_elsewhere or self._has_table(table, key.path)):
                yield from self._from(table, key)

    def body(self, table: Table) -> str:
        """Return a table as it stands on its page."""
        return f"\n{HEAD}{''.join(self._row(key, table) for key in self.keys(table))}\n"

    def _row(self, key: Key, table: Table) -> str:
        meaning, default = meaning_and_default(key)
        may_stand = (
            self._kinds(key, table)
            if key.is_mark
            else allowed(key.hint, lambda model: self._told(model, table.page), key.free_names)
        )
        shown = example(key, table.root, is_anywhere=bool(table.noun))
        cells = [f"`{key.path}`", may_stand, default, meaning, shown]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"

    def _kinds(self, key: Key, table: Table) -> str:
        return listed([f"`{kind_of(model)}`" for model in models_at(table.root, key.path.rpartition(".")[0])])

    def _told(self, model: type[BaseModel], page: str) -> str:
        """Say that keys stand below, or where they are told."""
        base = next((one for one in model.__mro__ if one in self.shared), None)
        if base is None:
            return "the keys below"
        link = self.shared[base].link_from(page)
        return link if base is model else f"{link}, and the keys below"

    def sections(self) -> str:
        """Return the table of the sections of a study."""
        page_of = {place: table.page for table in self.tables if table.root is Study for place in table.places}
        rows = []
        for name in Study.model_fields:
            meaning, default = meaning_and_default(Key(name, Study, name))
            rows.append(f"| [`{name}`]({page_of[name]}) | {meaning} | {default} |\n")
        return f"\n| section | what it says | default |\n|---|---|---|\n{''.join(rows)}\n"
