"""The models behind a reference: which keys they read, where they stand, and what stands below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType

from simengine import distributions
from simengine.config import Study
from simengine.config.schema import meanings
from simengine.contract.terms import Named, Term
from simengine.distributions import Constant, Share, Sourced

NUMBERS = {one for one in Sourced.__subclasses__() if one.__module__.startswith(f"{distributions.__name__}.")}
"""A number without a distribution, and one for each of them."""


@dataclass(frozen=True)
class Key:
    """A key by its path, and the model that reads it."""

    path: str
    model: type[BaseModel]
    name: str

    @property
    def field(self) -> FieldInfo:
        """What the model knows of it."""
        return self.model.model_fields[self.name]

    @property
    def hint(self) -> Any:
        """Its type with all its rules."""
        return _hints(self.model)[self.name]

    @property
    def sentence(self) -> str:
        """What stands below it in the model.

        Raises
        ------
        ValueError
            If nothing does.
        """
        text = meanings(self.model).get(self.name)
        if text is None:
            raise ValueError(f"{self.model.__module__}.{self.model.__name__}.{self.name}: a key must have a sentence below it")
        return text

    @property
    def is_mark(self) -> bool:
        """Whether it only says of which kind a thing is."""
        hint = self.field.annotation
        return self.name in ("kind", "distribution") and get_origin(hint) is Literal and len(get_args(hint)) == 1

    @property
    def declared_in(self) -> type[BaseModel]:
        """The model that declares it: the key's own, or one that this extends."""
        return next(one for one in self.model.__mro__ if self.name in vars(one).get("__annotations__", {}))

    @property
    def free_names(self) -> list[str]:
        """What the names below it are names of."""
        depth, hint = 0, bare(self.hint)[0]
        while get_origin(hint) is dict:
            depth, hint = depth + 1, bare(get_args(hint)[1])[0]
        return names_below(self.name, self.sentence, depth)

    @property
    def inside(self) -> str:
        """The path of what stands below it."""
        return self.path + "".join(f".<{name}>" for name in self.free_names)


@cache
def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def names_below(key: str, sentence: str, depth: int) -> list[str]:
    """List what so many names below a key are names of: as its sentence begins, `By wave: ...`, else as the key says."""
    told = re.match(r"By (\w+)(?:(?:,? then by| and) (\w+))?\b", sentence)
    names = [name for name in (told.groups() if told else ()) if name]
    return [*names, *[_singular(key), "name"][len(names) :]][:depth]


def _singular(key: str) -> str:
    for end, one in (("ies", "y"), ("ata", "atum"), ("s", "")):
        if key.endswith(end):
            return key.removesuffix(end) + one
    return key


def bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without its rules, and without nothing at all; and the rules."""
    rules: tuple[Any, ...] = ()
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            rules = (*more, *rules)
        elif isinstance(hint, TypeAliasType):
            hint = hint.__value__
        elif get_origin(hint) in (Union, UnionType) and type(None) in get_args(hint):
            kept = tuple(part for part in get_args(hint) if part is not type(None))
            hint = kept[0] if len(kept) == 1 else Union[kept]  # noqa: UP007 - of parts that are known only here
        else:
            return hint, rules


def classes(hint: Any) -> list[type]:
    """List the classes of which a type is made."""
    if isinstance(hint, TypeAliasType):
        return classes(hint.__value__)
    if isinstance(hint, type) and not get_args(hint):
        return [hint]
    return list(dict.fromkeys(one for part in get_args(hint) for one in classes(part)))


def numbers_in(hint: Any) -> list[type]:
    """List the kinds of numbers that a type allows."""
    return [one for one in classes(hint) if one in NUMBERS]


def models_in(hint: Any) -> list[type[BaseModel]]:
    """List the models that may stand below a key, by names or in rows; a number, or what a term may refer to, is none."""
    found = classes(hint)
    return [] if Named in found else [one for one in found if issubclass(one, BaseModel) and one not in NUMBERS]


def kind_of(model: type[BaseModel]) -> str:
    """Return the word for a model among others in one place."""
    mark = next((name for name in model.model_fields if Key("", model, name).is_mark), None)
    if mark is not None:
        return str(get_args(model.model_fields[mark].annotation)[0])
    if issubclass(model, Term) and model is not Term:
        return model.key
    return {Constant: "constant", Sourced: "any"}.get(model, model.__name__.lower())


def without_kind(place: str) -> str:
    """Return the path of a place."""
    return place.partition("(")[0]


def models_at(root: Any, place: str) -> list[type[BaseModel]]:
    """List the models that may stand at a place; one if it names a kind."""
    path, _, kind = place.rstrip(")").partition("(")
    if kind == "term":
        return [Term]
    hint = key_at(root, re.sub(r"(\.<\w+>)+$", "", path)).hint if path else root
    models = [*numbers_in(hint), Sourced] if hint is Share else models_in(hint)
    return [model for model in models if kind in ("", "*", kind_of(model))]


def key_at(root: Any, path: str) -> Key:
    """Return the key at a path."""
    models, found = models_in(root), None
    for name in path.split("."):
        if not name.startswith("<"):
            owner = next(model for model in models if name in model.model_fields)
            found = Key(path, owner, name)
            models = models_in(found.hint)
    assert found is not None, path
    return found


@cache
def every_key(root: Any, path: str = "") -> tuple[Key, ...]:
    """List every key that a model reads, with its path; a contract is a model of its own."""
    models = [*numbers_in(root), Sourced] if root is Share else models_in(root)
    return tuple(
        found for model in models for name in model.model_fields for found in _from(Key(f"{path}.{name}".lstrip("."), model, name))
    )


def _from(key: Key) -> Iterator[Key]:
    yield key
    if not (key.model is Study and key.name == "contract"):
        for model in models_in(key.hint):
            yield from every_key(model, key.inside)
