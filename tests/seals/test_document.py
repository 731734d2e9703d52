"""A seal as a file: the same bytes, every change found, and everything else refused in one line."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simengine.errors import ResultsError, SimengineError, StudyError
from simengine.seals.document import Seal, read_seal, write_seal
from tests.seals.made import seal_of

SEAL = seal_of(
    {"investor.net": np.round(np.random.default_rng(1).normal(0, 1e6, 60), 2), "paid": [0] * 30 + [1] * 30}, "Å contract"
)


def saying(path: Path, data: bytes) -> str:
    """What the refusal of a file says; empty if it is read."""
    path.write_bytes(data)
    try:
        read_seal(path)
    except SimengineError as error:
        return str(error)
    return ""


def changed(**changes: object) -> bytes:
    """A seal with other parts, written as a seal is, but for its hash."""
    content = {**json.loads(SEAL.text), **changes}
    return json.dumps(content, allow_nan=True).encode()


def test_a_seal__reads_back_as_it_was_written(tmp_path):
    path = tmp_path / "a.seal.json"
    write_seal(SEAL, path)
    again = read_seal(path)
    assert again == SEAL
    assert path.read_text("ascii") == SEAL.text == again.text
    assert json.loads(SEAL.text)["sha256"] == SEAL.sha256
    assert [one.name for one in tmp_path.iterdir()] == ["a.seal.json"]


def test_hash__is_that_of_the_rest_by_another_way():
    """Without the key of the hash, written as the seal is, in a few lines of another program's making."""
    from hashlib import sha256

    lines = [line for line in SEAL.text.split("\n") if not line.startswith('"sha256"')]
    assert sha256("\n".join(lines).encode()).hexdigest() == SEAL.sha256


def test_a_seal_in_other_lines__says_the_same(tmp_path):
    assert saying(tmp_path / "a", json.dumps(json.loads(SEAL.text), indent=3).replace("\n", "\r\n").encode()) == ""


def test_a_flip_of_any_byte__is_found_or_says_the_same(tmp_path):
    data, path, generator = SEAL.text.encode(), tmp_path / "a.seal.json", random.Random(1)
    unseen, kept = [], 0
    for place, old in enumerate(data):
        new = bytes([old ^ (1 << generator.randrange(8))])
        said = saying(path, data[:place] + new + data[place + 1 :])
        if said:
            assert "the seal is broken: it must be as `simengine seal` wrote it; found" in said
            assert "\n" not in said
        else:
            kept += 1
            unseen += [place] if read_seal(path) != SEAL else []
    assert unseen == []
    assert kept < len(data) / 100


def test_every_digit__breaks_the_seal(tmp_path):
    data, path = SEAL.text.encode(), tmp_path / "a.seal.json"
    digits = [place for place, one in enumerate(data) if chr(one).isdigit()]
    for place in digits[::3]:
        other = str((int(chr(data[place])) + 1) % 10).encode()
        assert saying(path, data[:place] + other + data[place + 1 :]), data[place - 20 : place + 20]


RESULT = {"knots": [[0.0, 0, 60]], "lost": {"probability": 0.0, "crps": 0.0}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Expecting value"),
        (b"null", "other keys than seal"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"seal": 1, "seal": 1}', "the key 'seal' twice"),
        (b'{"seal": NaN}', "NaN, which is no number"),
        (b"\xff\xfe{}", "ascii"),
        (changed(seed=1e400), "Infinity, which is no number"),
        (changed(seed=-1), "seed: -1, which is no whole number from 0 to"),
        (changed(seed=True), "seed: True, which is no whole number"),
        (changed(seed=1.0), "seed: 1.0, which is no whole number"),
        (changed(replications=10**12), "replications: 1000000000000, which is no whole number"),
        (changed(replications=59), "60 replications of investor.net, and 59 of the seal"),
        (changed(seal=2), "a seal of version 2, where this program reads version 1"),
        (changed(seal=True), "a seal of version True"),
        (changed(more=1), "the seal: other keys than seal"),
        (changed(simengine="\x1b[2J"), "which is no plain text"),
        (changed(simengine="\u202e"), "which is no plain text"),
        (changed(simengine="a" * 20_000), "which is no plain text"),
        (changed(sha256="A" * 64), "sha256: 'AAAA"),
        (changed(sha256="a" * 64), "another content than its SHA-256 is of: something in it was changed"),
        (changed(study=[]), "study: other keys than title"),
        (changed(results={}), "results that are no object of 1 to 200"),
        (changed(results={str(x): RESULT for x in range(201)}), "results that are no object of 1 to 200"),
        (changed(results={"x": RESULT | {"knots": [[0.0, 0]]}}), "results.x.knots: [0.0, 0], which is no knot"),
        (changed(results={"x": RESULT | {"knots": [["0", 0, 60]]}}), "results.x.knots: '0', which is no number"),
        (changed(results={"x": RESULT | {"knots": [[10**400, 0, 60]]}}), "which is no number"),
        (changed(results={"x": RESULT | {"knots": [[0, 0, 1]] * 1001}}), "results.x.knots: no list of at most 1000"),
        (changed(results={"x": RESULT | {"knots": [[1, 0, 30], [0, 30, 30]]}}), "must stand in order"),
        (changed(results={"x": RESULT | {"lost": {"probability": 2, "crps": 0}}}), "lost: must be a part and a distance"),
        (changed(results={"x": RESULT}), "another content than its SHA-256 is of"),
        (b'{"seal": ' + b"9" * 5000 + b"}", "found"),
    ],
)
def test_what_is_no_seal__is_refused_in_one_line(data, message, tmp_path):
    said = saying(tmp_path / "a.seal.json", data)
    assert "a.seal.json: the seal is broken: it must be as `simengine seal` wrote it; found" in said
    assert message in said
    assert "\n" not in said
    assert len(said) < 700


def test_a_file_of_a_gigabyte__is_not_read(tmp_path):
    path = tmp_path / "large.seal.json"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(StudyError, match="must be at most 2,097,152 bytes; found 1,073,741,824 bytes"):
        read_seal(path)


def test_what_is_no_file__is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place, message in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device or a pipe"), (tmp_path / "none", "No such file")):
        with pytest.raises(SimengineError, match=message):
            read_seal(place)
    for name in ("", "a\0b"):
        with pytest.raises(ResultsError):
            read_seal(name)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
@example(b"{}")
def test_garbage__is_refused_and_nothing_else(tmp_path, data):
    assert saying(tmp_path / "garbage", data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PLACES = ("seal", "sha256", "simengine", "streams", "study", "seed", "replications", "results")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), JSON, st.booleans())
def test_anything_in_the_place_of_a_part__is_refused(tmp_path, place, node, is_inside):
    content = json.loads(SEAL.text)
    if is_inside and isinstance(content[place], dict):
        first = next(iter(content[place]))
        is_same, content[place][first] = node == content[place][first], node
    else:
        is_same, content[place] = node == content[place] and type(node) is type(content[place]), node
    assert is_same or saying(tmp_path / "other", json.dumps(content).encode())


def test_writing__never_replaces_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.seal.json"
    path.write_text("mine")
    for place, message in (
        (path, "a seal must be a new file; found one of this name"),
        (tmp_path / "no" / "a.seal.json", "must lie in a folder that exists; found none"),
        ("", "must be the name of a file; found an empty one"),
    ):
        with pytest.raises(ResultsError, match=message):
            write_seal(SEAL, place)
    assert path.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["a.seal.json"]


def test_a_seal_that_no_reader_would_take__is_not_made():
    from simengine.seals.document import checked

    wrong = Seal({**SEAL.study, "title": "\x1b[2J"}, 1, 60, "0.1.0", 1, SEAL.results)
    with pytest.raises(SimengineError, match=r"seal: must hold what its reader takes; found study\.title"):
        checked(wrong)
