"""A report of a run: its numbers are those of the run, it loads nothing, it is the same twice, and nobody's words act in it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from html import unescape
from pathlib import Path

import html5lib
import pytest

from simengine import find_study, load_study, write_report
from simengine.documents import write
from simengine.documents.sections import REPORT_SECTIONS
from simengine.errors import ResultsError, UsageError
from simengine.languages.language import Language, language
from tests.capital.test_grants import ALL_GIVEN
from tests.command import in_this_process
from tests.conftest import sized
from tests.documents.sentences import sentences

X = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
EVERY = ",".join(section.name for section in REPORT_SECTIONS if section.name not in ("compare", "size", "sensitivity"))


def call(*words, cwd):
    return in_this_process(["report", *words], cwd)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A kept run of the small study."""
    place = tmp_path_factory.mktemp("kept")
    done = in_this_process(["run", find_study("tiny"), "-n", 2000, "--seed", 1, "-o", "run"], place)
    assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.fixture(scope="module")
def pages(kept, tmp_path_factory):
    """The reports of the kept run, by language."""
    place = tmp_path_factory.mktemp("pages")
    for code in ("en", "sv"):
        write_report(kept, place / f"{code}.html", language=code, further=200, threads=1)
    return {code: (place / f"{code}.html").read_text(encoding="utf-8") for code in ("en", "sv")}


def tree(text):
    return html5lib.parse(text)


def words_of(node):
    return " ".join("".join(node.itertext()).replace("\u00a0", " ").split())


@pytest.mark.parametrize(("code", "point"), [("en", "."), ("sv", ",")])
def test_numbers__are_those_of_the_run(code, point, kept, pages):
    content = json.loads((kept / "summary.json").read_text())
    table = next(tree(pages[code]).iter(f"{X}table"))
    rows = {words_of(row[0]).partition(" (")[0]: row for row in table.iter(f"{X}tr") if row[0].get("scope") == "row"}
    assert len(rows) == len(content["parties"])
    for party, paths in {
        "investor": ("p_loss", "net.mean", "net.p05", "net.p95"),
        "outcome_payer": ("p_loss", "net.mean", "net.p05", "net.p95"),
    }.items():
        cells = rows[content["parties"][party]].findall(f".//{X}data")
        for cell, path in zip(cells, paths, strict=True):
            node = content[party]
            for name in path.split("."):
                node = node[name]
            assert float(cell.get("value")) == node["value"]
            # What is read by eye is the value, to the digit at which its error begins.
            shown = float(re.match(r"[-\u2212]?[\d,.]+", words_of(cell))[0].replace("\u2212", "-").replace(point, "."))
            scale = 0.01 if path == "p_loss" else 1e6
            assert shown == pytest.approx(node["value"] / scale, abs=max(1.1 * node["se"] / scale, 0.0011))


def test_report__is_the_same_bytes_twice(kept, pages, tmp_path):
    again = write_report(kept, tmp_path / "again.html", language="sv", further=200, threads=2)
    assert again.read_text(encoding="utf-8") == pages["sv"]


def test_report_of_a_study__is_the_same_bytes_twice(tmp_path):
    made = [
        write_report(
            find_study("tiny"), tmp_path / f"{name}.html", n=300, seed=4, further=50, sections=["question", "cash", "provenance"]
        )
        for name in "ab"
    ]
    assert made[0].read_bytes() == made[1].read_bytes()


@pytest.mark.parametrize("code", ["en", "sv"])
def test_report__loads_nothing(code, pages):
    page = tree(pages[code])
    policy = [meta.get("content") for meta in page.iter(f"{X}meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    for node in page.iter():
        if not isinstance(node.tag, str):
            continue
        assert node.tag not in (f"{X}script", f"{X}link", f"{X}img", f"{X}iframe", f"{SVG}image", f"{SVG}script")
        for name, value in node.items():
            assert not name.startswith("on")
            if name.rpartition("}")[2] in ("href", "src"):
                assert value.startswith("#"), value
            assert all(place.startswith("#") for place in re.findall(r"url\(([^)]*)\)", value))
    style = "".join(node.text or "" for node in page.iter(f"{X}style"))
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("code", ["en", "sv"])
def test_report__can_be_read_by_everybody(code, pages):
    html5lib.HTMLParser(strict=True).parse(pages[code])
    page = tree(pages[code])
    assert page.get("lang") == code
    levels = [int(node.tag[-1]) for node in page.iter() if re.fullmatch(rf"{X}h[1-6]", str(node.tag))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= level + 1 for level, later in itertools.pairwise(levels))
    names = [node.get("id") for node in page.iter() if isinstance(node.tag, str) and node.get("id")]
    assert len(names) == len(set(names))
    targets = {
        value[1:]
        for node in page.iter()
        for name, value in (node.items() if isinstance(node.tag, str) else ())
        if name.endswith("href")
    }
    assert targets <= set(names)
    pictures = [node for node in page.iter(f"{SVG}svg") if node.get("class") == "picture"]
    assert len(pictures) > 3
    for picture in pictures:
        assert picture.get("role") == "img"
        assert len(words_of(next(picture.iter(f"{SVG}title")))) > 10
    # What is wider than a small window scrolls by itself, and by the keyboard too.
    scrolling = [node for node in page.iter(f"{X}div") if node.get("class") in ("table", "wide")]
    assert len(scrolling) == len(pictures) + len(list(page.iter(f"{X}table")))
    assert {node.get("tabindex") for node in scrolling} == {"0"}
    for table in page.iter(f"{X}table"):
        heads = [node.get("scope") for node in table.iter(f"{X}th")]
        assert set(heads) == {"col", "row"}
        rows = [len(row) for row in table.iter(f"{X}tr")]
        assert len(set(rows)) == 1


def test_colours__stand_out_from_white():
    """Contrast of WCAG 2.2, 1.4.3: (L1 + 0.05) / (L2 + 0.05) of relative luminances."""

    def luminance(colour):
        digits = colour.lstrip("#")
        digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    style = (Path(write.__file__).parent / "templates" / "report.css").read_text()
    colours = re.findall(r"(?<![-\w])color: (#\w+)", style)
    assert len(colours) > 4
    behind = min(luminance(one) for one in re.findall(r"background: (#\w+)", style))
    assert all((behind + 0.05) / (luminance(one) + 0.05) >= 4.5 for one in colours)


def pseudo(english):
    """Put a letter of another script in the place of every word that is no part in braces."""
    return "".join(
        part if part.startswith("{") else re.sub("[A-Za-z]+", "\u0436", part) for part in re.split(r"(\{\w*\})", english)
    )


def spoken(page):
    """Every text of a page but that which somebody typed; and what was typed."""
    said, quoted = [], []

    def look(node, is_typed):
        if not isinstance(node.tag, str):
            said.append(node.text or "")  # the words of a picture stand in comments beside their outlines
        else:
            is_typed = is_typed or "typed" in (node.get("class") or "").split()
            if node.tag in (f"{X}style", f"{SVG}style"):
                return
            (quoted if is_typed else said).append(node.text or "")
            for child in node:
                look(child, is_typed)
                (quoted if is_typed else said).append(child.tail or "")

    look(page.find(f"{X}body"), False)
    return said, quoted


@pytest.mark.parametrize(
    ("study", "sections", "contracts"),
    [
        ("tiny", EVERY, ()),
        ("norrkoping", sized("question,compare", "question,compare,sensitivity,size"), ("reading_b",)),
        ("two_lenders", "question,contract,parties,limits", ()),
        ("outcomes_fund_children", "question,contract,provenance", ()),
    ],
)
def test_no_text__comes_from_outside_the_catalogue(study, sections, contracts, tmp_path, monkeypatch):
    swedish = language("sv")
    other = Language("xx", swedish.locale, {english: pseudo(english) for english in sentences()})
    monkeypatch.setattr(write, "language", lambda _: other)
    sheets = {"n": 240, "seed": 2, "further": 40, "threads": 1}
    made = write_report(find_study(study), tmp_path / "xx.html", sections=sections.split(","), contracts=contracts, **sheets)
    said, quoted = spoken(tree(made.read_text(encoding="utf-8")))
    of_locale = [*swedish.locale.months["format"]["wide"].values(), "SEK", "EUR", "GBP"]
    known = sorted({one.strip() for one in quoted if one.strip()}, key=len, reverse=True)
    for text in said:
        left = " ".join(unescape(text).split())
        # In pictures and their titles what was typed has no mark, and may be cut.
        for one in [*known, *of_locale]:
            left = left.replace(one, "")
        assert not re.search(r"[A-Za-z\u00c0-\u00ff]{2,}", left) or left.rstrip("…").strip() in "".join(quoted), text


def test_what_somebody_typed__never_acts(tmp_path):
    text = Path(find_study("tiny")).read_text(encoding="utf-8")
    evil = "<script>alert(1)</script> =1+1 $x$ {{ 7*7 }} {n} %s --> ]]> " + "x" * 300
    study = load_study(find_study("tiny"))
    title = study.study.title
    assert f"title: {title}" in text
    changed = text.replace(f"title: {title}", f"title: {json.dumps(evil)}", 1)
    for party in study.parties.values():
        changed = changed.replace(f"name: {party.name}", f"name: {json.dumps(evil[:60])}")
    (tmp_path / "study.yaml").write_text(changed, encoding="utf-8")
    for path in Path(find_study("tiny")).parent.glob("contracts"):
        (tmp_path / "contracts").symlink_to(path)
    for code in ("en", "sv"):
        made = write_report(tmp_path / "study.yaml", tmp_path / f"{code}.html", n=200, seed=1, further=40, language=code)
        page = tree(made.read_text(encoding="utf-8"))
        assert not list(page.iter(f"{X}script"))
        assert evil in "".join(next(page.iter(f"{X}h1")).itertext())
        assert evil in next(page.iter(f"{X}title")).text


def test_control_characters__are_shown_escaped(tiny, tmp_path, monkeypatch):
    heading = tiny.study.model_copy(update={"title": "a\x1b[2J\x00\u202eb"})
    study = tiny.model_copy(update={"study": heading})
    monkeypatch.setattr("simengine.documents.material.load_study", lambda *_: study)
    made = write_report("tiny.yaml", tmp_path / "a.html", n=100, seed=1, sections=["question", "limits"])
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", made.read_text(encoding="utf-8"))


def test_audience__has_its_own_page_and_no_other(kept, tmp_path):
    made = write_report(kept, tmp_path / "a.html", audience="outcome_payer", sections=["question", "parties", "cash"], further=50)
    page = tree(made.read_text(encoding="utf-8"))
    content = json.loads((kept / "summary.json").read_text())
    body = words_of(page)
    assert content["parties"]["outcome_payer"] in body
    assert content["parties"]["investor"] not in body


def test_comparison__stands_side_by_side_with_the_numbers_of_compare(tmp_path):
    made = write_report(find_study("norrkoping"), tmp_path / "c.html", contracts=["reading_b"], n=200, seed=3, further=200)
    done = in_this_process(["compare", find_study("norrkoping"), "reading_b", "-n", 200, "--seed", 3, "--json"])
    content = json.loads(done.stdout)
    values = {float(node.get("value")) for node in tree(made.read_text(encoding="utf-8")).iter(f"{X}data")}
    for standings in content["standings"].values():
        assert {standings["investor"]["net"]["value"], standings["investor"]["p_loss"]["value"]} <= values


def test_no_deal__is_said_with_the_smallest_concession(tmp_path):
    text = ["sizing.parties.investor.limits=[p_loss <= 0.01]", "sizing.parties.outcome_payer.limits=[p_loss <= 0.01]"]
    made = write_report(find_study("norrkoping"), tmp_path / "s.html", sections=["size"], n=120, seed=3, further=60, overrides=text)
    body = words_of(tree(made.read_text(encoding="utf-8")))
    assert "No deal exists" in body
    assert "must move to" in body or "No single limit that is moved would make a deal" in body


REFUSED = [
    (("nowhere", "-o", "a.html"), "no such file"),
    (("run", "-o", "a.docx"), "-o: must be the name of a file that ends in .html or .pdf; found 'a.docx'"),
    (("run", "-o", "run"), "-o: must be the name of a file that ends in .html or .pdf"),
    (("run", "-o", "gone/a.html"), "must lie in a folder that can be written"),
    (("run", "-o", "taken.html"), "must be a new file; found one that exists"),
    (("run", "-o", "a.html", "-o", "a.html"), "must be a new file; found one that exists"),
    (("run", "-o", "a.html", "--sections", "cahs"), "Did you mean `cash`?"),
    (("run", "-o", "a.html", "--sections", "compare"), "`compare` must go with --contract; found none"),
    (("run", "-o", "a.html", "--sections", "size"), "found 'size': the study says no `sizing`"),
    (("run", "-o", "a.html", "--audience", "mayor"), "--audience"),
    (("run", "-o", "a.html", "--language", "tlh"), "--language"),
    (("run", "-o", "a.html", "-n", 100), "must go with a study; found RUN"),
    (("run", "-o", "a.html", "--seed", 1), "must go with a study; found RUN"),
    (("run", "-o", "a.html", "--further", 1), "--further: must be a whole number from 2"),
    (("run", "-o", "a.html", "--contract", "x", "--contract", "y", "--contract", "z"), "must be at most 2"),
    (("run", "-o", "a.html", "--contract", "x.yaml"), "x.yaml"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_nonsense__is_one_message_and_writes_nothing(words, message, kept, tmp_path):
    (tmp_path / "run").symlink_to(kept)
    (tmp_path / "taken.html").write_text("mine")
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "taken.html"]
    assert (tmp_path / "taken.html").read_text() == "mine"


def test_audience__that_nobody_has_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(UsageError, match="--audience: must be a role of a party"):
        write_report(find_study("tiny"), tmp_path / "a.html", audience="investor", n=10**6, seed=1, overrides=ALL_GIVEN)


def test_study__in_which_nobody_lends_has_a_report(tmp_path):
    made = write_report(
        find_study("tiny"), tmp_path / "a.html", n=60, seed=1, further=40, threads=1, overrides=ALL_GIVEN, language="sv"
    )
    body = words_of(tree(made.read_text(encoding="utf-8")))
    assert "Ingen lånar ut." in body
    assert "internränta" not in body


@pytest.mark.parametrize(
    "how", [("--sobol", "-n", 512), ("--measured", 2, "-n", 300), ("--tilt", "effect.sooner_home.hazard_ratio=1", "-n", 400)]
)
def test_run__that_was_drawn_in_another_way_has_a_report(how, tmp_path):
    done = in_this_process(["run", find_study("tiny"), *how, "--seed", 1, "-o", "run"], tmp_path)
    assert done.returncode == 0, done.stderr
    made = write_report(tmp_path / "run", tmp_path / "a.html", sections=["question", "parties", "assumptions"])
    content = json.loads((tmp_path / "run" / "summary.json").read_text())
    values = {float(node.get("value")) for node in tree(made.read_text(encoding="utf-8")).iter(f"{X}data")}
    assert {content["investor"]["net"]["mean"]["value"], content["outcome_payer"]["p_loss"]["value"]} <= values


def copied(kept, tmp_path):
    return Path(shutil.copytree(kept, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["summary.json", "study.yaml", "replications.parquet", "SHA256SUMS"])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_broken_run__is_one_message(name, how, kept, tmp_path):
    folder = copied(kept, tmp_path)
    path = folder / name
    path.unlink() if how == "gone" else path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ResultsError, match=r"must (be as the run wrote it|hold|be a file)"):
        write_report(folder, tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["provenance"].update(schema_version=0), "must be of version 2 of the layout"),
        (lambda content: content.pop("exceedance"), "found no `exceedance`"),
    ],
)
def test_run_of_another_version__is_one_message(change, message, kept, tmp_path):
    from simengine.report.checksums import NAME, write_checksums

    folder = copied(kept, tmp_path)
    content = json.loads((folder / "summary.json").read_text())
    change(content)
    (folder / "summary.json").write_text(json.dumps(content))
    (folder / NAME).unlink()
    write_checksums(folder)
    with pytest.raises(ResultsError, match=re.escape(message)):
        write_report(folder, tmp_path / "a.html")


@pytest.mark.parametrize(
    "how", [{"sections": "cash"}, {"audience": "mayor"}, {"language": "tlh"}, {"further": 1}, {"contracts": "x"}, {"n": 5}]
)
def test_python__refuses_what_the_command_line_refuses(how, kept, tmp_path):
    with pytest.raises(UsageError):
        write_report(kept, tmp_path / "a.html", **how)
    assert not (tmp_path / "a.html").exists()


def test_report__that_cannot_be_written_leaves_nothing_behind(kept, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.os, "fsync", full)
    with pytest.raises(ResultsError, match="the disk is full"):
        write_report(kept, tmp_path / "a.html", sections=["limits"])
    assert list(tmp_path.iterdir()) == []
