"""A YAML text as nodes with their places in it, by libyaml where PyYAML was built with it, else by PyYAML's own slower parser.

Only the grammar is theirs. Nothing is constructed: what a word means is said in `document`, by the rules of YAML 1.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, Event, NodeEvent, ScalarEvent, SequenceStartEvent

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Of which only the parser is used; libyaml's is about thirty times as fast as the other."""


@dataclass(slots=True)
class Place:
    """Where a node stands: its line, from 0, and its first and last character, from the beginning of the text."""

    line: int
    start: int
    end: int


@dataclass(slots=True)
class ScalarNode:
    """A word, a number or a text."""

    place: Place
    text: str
    is_plain: bool
    """Without quotes: it may be a number, a truth value or nothing."""


@dataclass(slots=True)
class SequenceNode:
    """A list."""

    place: Place
    is_flow: bool
    """In brackets."""
    entries: list[YamlNode] = field(default_factory=list)


@dataclass(slots=True)
class MappingNode:
    """Keys with their values."""

    place: Place
    pairs: list[tuple[YamlNode, YamlNode]] = field(default_factory=list)


YamlNode: TypeAlias = ScalarNode | SequenceNode | MappingNode


def nodes_of(text: str, look_at: Callable[[Event, int], None]) -> YamlNode | None:
    """Parse one document; `look_at` sees every event with its depth before anything is made of it, and may refuse it.

    Raises
    ------
    yaml.YAMLError, ValueError
        If the text is no YAML.
    """
    parser = PARSER(text)
    # Below the document: nodes that are still open, with what they hold so far.
    waiting: list[tuple[YamlNode | None, list[YamlNode]]] = [(None, [])]
    try:
        while parser.check_event():
            event = parser.get_event()
            look_at(event, len(waiting) - 1)
            if isinstance(event, CollectionEndEvent):
                node, held = waiting.pop()
                _fill(node, held)
                node.place.end = event.end_mark.index  # type: ignore[union-attr]  # only the document is none
            elif isinstance(event, NodeEvent) and not isinstance(event, AliasEvent):
                node = _begun(event)
                waiting[-1][1].append(node)
                if not isinstance(node, ScalarNode):
                    waiting.append((node, []))
    finally:
        parser.dispose()
    return next(iter(waiting[0][1]), None)


def _begun(event: NodeEvent) -> YamlNode:
    assert event.start_mark is not None, "a parser says where it is"
    assert event.end_mark is not None
    place = Place(event.start_mark.line, event.start_mark.index, event.end_mark.index)
    if isinstance(event, ScalarEvent):
        return ScalarNode(place, event.value, is_plain=event.implicit[0])
    return SequenceNode(place, bool(event.flow_style)) if isinstance(event, SequenceStartEvent) else MappingNode(place)


def _fill(node: YamlNode | None, held: list[YamlNode]) -> None:
    if isinstance(node, SequenceNode):
        node.entries = held
    elif isinstance(node, MappingNode):
        node.pairs = list(zip(held[::2], held[1::2], strict=True))
