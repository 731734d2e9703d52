"""Errors planted in the program's own payment rules: each is caught by a case of the conformance set."""

from __future__ import annotations

import pytest

from verification.conformance.mutations import MUTATIONS, Mutation, caught


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.words)
def test_planted_error__is_caught(mutation: Mutation) -> None:
    assert caught(mutation, (mutation.caught_by,))


def test_without_an_error__nothing_is_caught() -> None:
    first = MUTATIONS[0]
    assert caught(Mutation("none", first.place, first.right, first.right, ""), (first.caught_by,)) == []


def test_error__that_has_no_place_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold 'nowhere' once; found 0 times"):
        caught(Mutation("none", MUTATIONS[0].place, "nowhere", "", ""), ())
