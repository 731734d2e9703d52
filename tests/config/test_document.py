"""What the reader of YAML takes, and everything that it refuses with file, line and way out."""

import os
import re
from pathlib import Path

import pytest
import yaml

from simengine.config import document, nodes
from simengine.config.document import MAX_BYTES, MAX_DEPTH, Document, is_quantity, read_document, read_value
from simengine.errors import Problem, StudyError


def write(folder, text):
    path = folder / "study.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, text):
    return read_document(write(folder, text)).content


def refusal_of(path):
    with pytest.raises(StudyError) as caught:
        read_document(path)
    (problem,) = caught.value.problems
    return problem


TAKEN = {
    "whole numbers": ("a: 12\nb: -3\nc: +4", {"a": 12, "b": -3, "c": 4}),
    "underscores": ("a: 10_000_000\nb: 1_000.5", {"a": 10_000_000, "b": 1000.5}),
    "leading zeros": ("a: 007", {"a": 7}),
    "decimal numbers": ("a: 0.40\nb: -1.5\nc: .5\nd: 1.5e3\ne: 1e-3", {"a": 0.4, "b": -1.5, "c": 0.5, "d": 1500.0, "e": 0.001}),
    "infinite numbers": ("a: .inf\nb: -.inf", {"a": float("inf"), "b": float("-inf")}),
    "months and dates as text": ("a: 2030-01\nb: 2030-01-31", {"a": "2030-01", "b": "2030-01-31"}),
    "truth values": ("a: true\nb: false\nc: True\nd: FALSE", {"a": True, "b": False, "c": True, "d": False}),
    "words that other readers take for truth values": (
        "a: yes\nb: no\nc: on\nd: off",
        {"a": "yes", "b": "no", "c": "on", "d": "off"},
    ),
    "nothing": ("a:\nb: ~\nc: null", {"a": None, "b": None, "c": None}),
    "digits in quotes as text": ("a: '12'\nb: \"true\"", {"a": "12", "b": "true"}),
    "Swedish letters": ("a: Norrköping", {"a": "Norrköping"}),
    "lists and mappings": ("a: [1, [2, x]]\nb: {c: {d: 1}}", {"a": [1, [2, "x"]], "b": {"c": {"d": 1}}}),
    "keys that are arrows": ("placed -> home: 1", {"placed -> home": 1}),
    "keys that are numbers, as text": ("2030: 1", {"2030": 1}),
    "a byte-order mark": ("\ufeffa: 1", {"a": 1}),
    "line ends of another system": ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
    "a marked start of the document": ("---\na: 1\n", {"a": 1}),
}


@pytest.fixture(params=[yaml.CSafeLoader, yaml.SafeLoader], ids=["libyaml", "without libyaml"])
def parser(request, monkeypatch):
    """Both parsers that a reader may have; what was parsed by the other is not remembered."""
    monkeypatch.setattr(nodes, "PARSER", request.param)
    document._composed_once.cache_clear()


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("name", TAKEN)
def test_reader__takes(tmp_path, name):
    text, expected = TAKEN[name]

    got = read(tmp_path, text)

    assert got == expected
    assert [type(value) for value in got.values()] == [type(value) for value in expected.values()]


def test_reader__keeps_a_whole_number_whole_and_a_decimal_number_decimal(tmp_path):
    got = read(tmp_path, "a: 1\nb: 1.0")

    assert [type(got["a"]), type(got["b"])] == [int, float]


def test_reader__reads_not_a_number_for_the_models_to_refuse(tmp_path):
    got = read(tmp_path, "a: .nan")["a"]

    assert got != got


REFUSED = {
    "an empty file": ("", None, "must say something", "an empty file"),
    "a file of blanks": (" \n\n", None, "must say something", "an empty file"),
    "a file of comments": ("# only\n# this\n", None, "must say something", "an empty file"),
    "a list at the top": ("- a\n- b\n", None, "must hold `key: value` lines", "['a', 'b']"),
    "a word at the top": ("hello\n", None, "must hold `key: value` lines", "'hello'"),
    "an empty document": ("---\n", None, "must hold `key: value` lines", "None"),
    "an open bracket": ("a: 1\nb: [1\n", 2, "must have a comma between its entries, and be closed", "b: [1"),
    "a bracket of the other kind": ("a: 1\nb: [1}\nc: 2\n", 2, "must have a comma between its entries, and be closed", "b: [1}"),
    "a missing comma": ("a: {b: 1\n  c: 2}\n", 2, "must have a comma between its entries, and be closed", "c: 2}"),
    "an open quote": ("a: 1\nb: 'x\n", 2, "must close its quotes", "b: 'x"),
    "a word after a quote": (
        "a: 'it's'\n",
        1,
        "must begin as far to the right as its neighbours, and hold nothing after a text in quotes",
        "a: 'it's'",
    ),
    "a key too far to the left": (
        "a:\n  b: 1\n c: 2\n",
        3,
        "must begin as far to the right as its neighbours, and hold nothing after a text in quotes",
        "c: 2",
    ),
    "a word alone": ("a: 1\nb\n", 2, "must be `key: value`, with a blank after the colon", "b"),
    "a text that begins with @": ("a: @b\n", 1, "must not begin with @, ` or %", "a: @b"),
    "a tag of a family that is not known": ("a: !e!x 1\n", 1, "must not use tags (!)", "!e!x"),
    "a tabulator": ("a:\n\tb: 1\n", 2, "must be indented with blanks, not with the tab key", "b: 1"),
    "a wrong indent": (
        "a: 1\n b: 2\n",
        2,
        "must begin as far to the right as its neighbours, and have no `: ` inside a text",
        "b: 2",
    ),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "must be YAML, one document", "a second document"),
    "a key twice": ("a: 1\nb: {c: 1,\n  d: 2,\n  c: 3}\n", 4, "a key must stand once", "`c` twice"),
    "a key twice at the top": ("a: 1\nb: 2\na: 3\n", 3, "a key must stand once", "`a` twice"),
    "a key twice in two spellings": ("1: a\n'1': b\n", 2, "a key must stand once", "`1` twice"),
    "an anchor": ("a: 1\nb: &x 2\n", 2, "must not use anchors and aliases (& and *)", ""),
    "an anchor on a list": ("a: &x [1]\n", 1, "must not use anchors and aliases (& and *)", ""),
    "an anchor on a mapping": ("a: &x {b: 1}\n", 1, "must not use anchors and aliases (& and *)", ""),
    "an alias": ("a: &x 1\nb: *x\n", 1, "must not use anchors and aliases (& and *)", ""),
    "an alias of nothing": ("a: *x\n", 1, "must not use anchors and aliases (& and *)", ""),
    "an alias inside its own anchor": ("a: &x [*x]\n", 1, "must not use anchors and aliases (& and *)", ""),
    "a tag": ("a: 1\nb: !secret 2\n", 2, "must not use tags (!)", "!secret"),
    "a tag on a mapping": ("a: !thing {b: 1}\n", 1, "must not use tags (!)", "!thing"),
    "a tag on a list": ("a: !thing [1]\n", 1, "must not use tags (!)", "!thing"),
    "a Python object": ("a: !!python/name:os.system x\n", 1, "must not use tags (!)", "python/name:os.system"),
    "binary data": ("a: !!binary aGVq\n", 1, "must not use tags (!)", "binary"),
    "a merge key": ("a:\n  <<: {b: 1}\n", 2, "must not use merge keys (<<)", ""),
    "a mapping as key": ("? {a: 1}\n: 2\n", 1, "a key must be a word", "a list or mapping as key"),
    "a list as key": ("[1, 2]: 2\n", 1, "a key must be a word", "a list or mapping as key"),
    "a hexadecimal number": ("a: 1\nb: 0x1F\n", 2, "a number must be written as 1234.5", "0x1F"),
    "an octal number": ("a: 0o17\n", 1, "a number must be written as 1234.5", "0o17"),
    "a number of thousands of digits": (f"a: {'9' * 5000}\n", 1, "a number must be written as 1234.5", "999..."),
    "a control character": ("a: \x07\n", None, "must be plain text", "the character"),
    "a zero byte": ("a: \0\n", None, "must be plain text", "the character"),
    "a line break that editors do not know": (
        "a: 1\nb: x\u2028c: y\n",
        2,
        "text must be made of characters that can be seen, blanks, tabs and line breaks",
        r"\u2028",
    ),
    "a byte that is not UTF-8": (b"a: \xe5\n", None, "must be UTF-8 text; byte 3 is not", ""),
    "UTF-16": ("a: 1\n".encode("utf-16"), None, "must be UTF-8 text; byte 0 is not", ""),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None, "must be UTF-8 text; byte 0 is not", ""),
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("name", REFUSED)
def test_reader__refuses(tmp_path, name):
    text, line, rule, found = REFUSED[name]
    path = write(tmp_path, text)

    problem = refusal_of(path)

    assert problem.where == (f"{path}:{line}" if line else str(path))
    assert problem.rule == rule
    assert found in problem.found


def test_reader__names_the_line_of_what_it_refuses(tmp_path):
    problem = refusal_of(write(tmp_path, "a:\n  b:\n    - 1\n    - {c: !x 2}\n"))

    assert str(problem) == f"{tmp_path / 'study.yaml'}:4: must not use tags (!); found '!x'"


def test_reader__refuses_an_alias_bomb_at_its_first_anchor(tmp_path):
    # Ten lines that would stand for 10^9 words.
    lines = ["a0: &a0 [word, word, word, word, word, word, word, word, word, word]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]

    problem = refusal_of(write(tmp_path, "\n".join(lines)))

    assert (problem.where, problem.rule) == (f"{tmp_path / 'study.yaml'}:1", "must not use anchors and aliases (& and *)")
    assert problem.way_out == "Write the value out"


@pytest.mark.parametrize(
    "text", ["a: !!set {b, c}\n", "a: !!python/object:os.system {b: 1}\n", "a: !!python/tuple [1]\n", "a: !!str 5\n"]
)
def test_reader__refuses_every_tag(tmp_path, text):
    assert refusal_of(write(tmp_path, text)).rule == "must not use tags (!)"


@pytest.mark.parametrize("text", ["&x a: 1\n", "!thing a: 1\n", "a: {&x b: 1}\n"])
def test_reader__refuses_anchors_and_tags_on_keys(tmp_path, text):
    assert refusal_of(write(tmp_path, text)).rule in ("must not use tags (!)", "must not use anchors and aliases (& and *)")


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("text", ['a: "\\U00110000"\n', 'a: "\\UFFFFFFFF"\n', 'a: "\\uD800"\n'])
def test_reader__refuses_escapes_that_are_no_character(tmp_path, text):
    assert refusal_of(write(tmp_path, text)).rule


def test_reader__refuses_a_file_above_256_kibibytes(tmp_path):
    text = "a: 1\n#"

    problem = refusal_of(write(tmp_path, text + "x" * (MAX_BYTES - len(text) + 1)))

    assert problem.rule == "must be at most 262,144 bytes"
    assert problem.found == "262,145 bytes"


def test_reader__takes_a_file_of_256_kibibytes(tmp_path):
    text = "a: 1\n#"

    assert read(tmp_path, text + "x" * (MAX_BYTES - len(text))) == {"a": 1}


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 20_000])
def test_reader__refuses_deep_nesting(tmp_path, depth):
    problem = refusal_of(write(tmp_path, f"a: {'[' * depth}{']' * depth}\n"))

    assert problem.rule == "must nest at most 30 levels deep"


def test_reader__takes_thirty_levels(tmp_path):
    content = read(tmp_path, f"a: {'[' * MAX_DEPTH}{']' * MAX_DEPTH}\n")

    assert str(content["a"]) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def test_reader__refuses_a_folder(tmp_path):
    problem = refusal_of(tmp_path)

    assert str(problem) == f"{tmp_path}: must be a file; found a folder"


def test_reader__refuses_a_missing_file(tmp_path):
    problem = refusal_of(tmp_path / "absent.yaml")

    assert str(problem) == f"{tmp_path / 'absent.yaml'}: no such file. Check the path"


def test_reader__refuses_a_file_below_a_file(tmp_path):
    problem = refusal_of(write(tmp_path, "a: 1") / "study.yaml")

    assert problem.rule.startswith("must be a file that can be read")


def test_reader__refuses_a_name_that_no_file_can_have(tmp_path):
    assert refusal_of(tmp_path / "a\0b").rule.startswith("must be a file that can be read")
    assert refusal_of(tmp_path / ("a" * 5000)).rule.startswith("must be a file that can be read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_reader__refuses_a_pipe_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    problem = refusal_of(tmp_path / "pipe")

    assert (problem.rule, problem.found) == ("must be an ordinary file", "a device or a pipe")


@pytest.mark.skipif(os.name != "posix", reason="this system keeps its devices elsewhere")
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_reader__refuses_a_device(device):
    assert refusal_of(Path(device)).rule == "must be an ordinary file"


def test_place__is_the_line_of_the_key(tmp_path):
    path = write(tmp_path, "# a comment\na:\n  b: {c: 1,\n    d: [5,\n 6]}\n")

    document = read_document(path)

    places = {key: place.removeprefix(f"{path}:") for key, place in document.places.items()}
    expected = {(): "2", ("a",): "2", ("a", "b"): "3", ("a", "b", "c"): "3", ("a", "b", "d"): "4"}
    assert places == expected | {("a", "b", "d", "0"): "4", ("a", "b", "d", "1"): "5"}


def test_place__of_an_absent_key_is_that_of_its_nearest_parent(tmp_path):
    path = write(tmp_path, "x: 1\na:\n  b: {c: 1}\n")

    document = read_document(path)

    assert document.place_of(("a", "b", "nothing", "deeper")) == f"{path}:3"
    assert document.place_of(("nothing",)) == f"{path}:1"
    assert Document(content={}, default_place="here").place_of(("a",)) == "here"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30", 30),
        ("10_000", 10_000),
        ("0.5", 0.5),
        ("true", True),
        ("home", "home"),
        ("placed -> home", "placed -> home"),
        ("2030-01", "2030-01"),
        ("[1, 2]", [1, 2]),
        ("{distribution: uniform, low: 1, high: 2}", {"distribution": "uniform", "low": 1, "high": 2}),
        ("", None),
        ("null", None),
        ("# nothing", None),
    ],
)
def test_value__reads_as_in_a_file(text, value):
    assert read_value(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[1", "must be a number, a word or a YAML value; found '[1'"),
        ("1\n---\n2", "must be a number, a word or a YAML value"),
        ("a: b: c", "must be a number, a word or a YAML value"),
        ("\0", "must be a number, a word or a YAML value"),
        ("&x 1", "must not use anchors and aliases (& and *)"),
        ("!x 1", "must not use tags (!); found '!x'"),
        ("{a: 1, a: 2}", "a: a key must stand once; found `a` twice"),
        ("0x10", "a number must be written as 1234.5; found '0x10'"),
        ("[" * 32 + "]" * 32, "must nest at most 30 levels deep"),
    ],
)
def test_value__refuses_what_a_file_refuses(text, rule):
    with pytest.raises(StudyError, match=rf"^--set: .*{re.escape(rule)}") as caught:
        read_value(text)

    assert [problem.where for problem in caught.value.problems] == ["--set"]


@pytest.mark.parametrize("text", ["[" * 3000, '"\\U00110000"', '"\\UFFFFFFFF"'])
def test_value__refuses_what_the_reader_of_yaml_stumbles_over(text):
    with pytest.raises(StudyError, match=r"^--set: "):
        read_value(text)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"value": 1, "source": "S1"}, True),
        ({"distribution": "uniform", "low": 0, "high": 1}, True),
        ({"size": 1}, False),
        (1, False),
        (None, False),
    ],
)
def test_quantity__is_told_from_a_section(raw, expected):
    assert is_quantity(raw) == expected


# What acts without being seen: terminal sequences, bells, C1 controls, Unicode's Bidi_Control, line breaks of other kinds, and
# what no file of XML may hold. YAML can write each of them in quotes, whatever a file itself may contain.
UNSEEN = [
    *(chr(code) for code in (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0))),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff",
]


@pytest.mark.parametrize("form", ['a: "x{}y"', '"x{}y": 1', 'a:\n  - {{b: "x{}y"}}'], ids=["value", "key", "deep"])
@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_reader__refuses_characters_that_act_without_being_seen(tmp_path, unseen, form):
    written = f"\\u{ord(unseen):04x}"

    problem = refusal_of(write(tmp_path, form.format(written) + "\n"))

    assert problem.rule == "text must be made of characters that can be seen, blanks, tabs and line breaks"
    assert problem.where.endswith(":1") or problem.where.endswith(":2")
    assert unseen not in str(problem)
    with pytest.raises(StudyError, match=r"^--set: "):
        read_value(f'"x{written}y"')


@pytest.mark.parametrize("text", ["tab\tand\nbreak", "Ångström ñ 漢字 עברית العربية 👍", "a\u00a0b", "नी\u200d"])
def test_reader__takes_every_other_character(tmp_path, text):
    written = "".join(f"\\U{ord(character):08x}" for character in text)

    assert read(tmp_path, f'a: "{written}"\n') == {"a": text}


@pytest.mark.parametrize(
    ("text", "found"),
    [("a: [0,9, 2,0]", "0,9"), ("a: {b: [1, 0,9, 1,5]}", "0,9"), ("a: [-0,9, 2]", "-0,9"), ("a: [12,24, 36]", "12,24")],
)
def test_reader__refuses_a_list_whose_commas_may_be_decimal_points(tmp_path, text, found):
    # [0,9, 1,5] is four numbers to YAML and two to most of Europe.
    problem = refusal_of(write(tmp_path, text))

    assert problem.rule == "a list must have a blank after every comma or after none"
    assert problem.found == found
    assert problem.way_out.startswith("A decimal number has a point")


@pytest.mark.parametrize(
    "text", ["a: [1,2,3]", "a: [1, 2, 3]", "a: [x,y, z]", "a: [1,\n  2, 3]", "a: [[1,2], [3,4]]", "a:\n- 1\n- 2"]
)
def test_reader__takes_a_list_whose_commas_say_what_they_are(tmp_path, text):
    assert read(tmp_path, text)


def test_reader__refuses_what_would_take_long_to_read(tmp_path):
    # 100,000 values took twelve seconds.
    problem = refusal_of(write(tmp_path, f"a: [{', '.join('1' * 100_000)}]".replace(", ", ",")))

    assert problem.rule == "must hold at most 20,000 keys, values, lists and mappings"


@pytest.mark.parametrize("piece", ["[],", "{},", "1,", "'',"])
def test_reader__counts_entries_of_every_kind(tmp_path, piece):
    assert refusal_of(write(tmp_path, f"a: [{piece * 30_000}]")).rule.startswith("must hold at most 20,000")


def test_message__shows_names_that_act_escaped_and_short(tmp_path):
    problem = Problem("\x1b]0;x\x07.yaml:3", "k" * 400 + "\n", "must be \u202e", "v" * 2000, "\x9b2J")

    text = str(problem)

    assert text.startswith(r"\x1b]0;x\x07.yaml:3: kkk")
    assert "\\u202e" in text
    assert "\\x9b2J" in text
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", text)
    assert len(text) < 1500


def test_message__spells_out_twenty_problems_and_counts_the_others():
    error = StudyError([Problem("file:1", f"key{i}", "must be known") for i in range(22_000)])

    lines = str(error).splitlines()

    assert len(error.problems) == 22_000
    assert lines[:2] == ["file:1: key0: must be known", "file:1: key1: must be known"]
    assert lines[20:] == ["and 21,980 more"]


def test_message__says_one_cause_once():
    same = [Problem(f"file:{i}", f"start.{i}", "a state must be one of states", "unknown state `x`") for i in range(16)]
    other = Problem("file:99", "run", "this key is needed")

    lines = str(StudyError([*same, other])).splitlines()

    assert lines == [
        "file:0: start.0: a state must be one of states; found unknown state `x` "
        "(the same at start.1, start.2, start.3, start.4, start.5 and 10 more)",
        "file:99: run: this key is needed",
    ]


def test_reader__gives_its_own_data_each_time_and_sees_that_a_file_has_changed(tmp_path):
    # Invariant: a text that is read again is not parsed again, and nobody notices.
    one = read(tmp_path, "a: {b: [1, 2]}")
    one["a"]["b"].append(3)

    assert read(tmp_path, "a: {b: [1, 2]}") == {"a": {"b": [1, 2]}}
    assert read(tmp_path, "a: {b: [1, 9]}") == {"a": {"b": [1, 9]}}
