"""The gallery: every picture of the documentation stands there, under a command that the program understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from matplotlib.text import Text

from simengine.cli.main import commands
from simengine.report.picture import new_figure, plain_style, save
from tests.conftest import CHECKOUT

DOCS = CHECKOUT / "docs"
ENTRY = re.compile(r"^### (.+?)$.*?^!\[.+?\]\(pictures/(\S+)\)$.*?^```text\n(.*?)^```$.*?^The picture is\s`(.*?)`", re.M | re.S)


def entries(page: str) -> dict[str, tuple[str, str]]:
    """By picture: the command that drew it, and the file that holds it afterwards."""
    return {picture: (re.sub(r" \\\n *", " ", command.strip()), file) for _, picture, command, file in ENTRY.findall(page)}


def understood(command: str) -> str | None:
    """Return what the program has against a command, if anything; nothing is run."""
    program, name, *words = shlex.split(command)
    if program != "simengine" or name not in commands.commands:
        return f"no command {name!r}"
    try:
        context = commands.commands[name].make_context(name, list(words))  # it empties the list
    except click.ClickException as error:
        return error.format_message()
    missing = [word for word in words if word.startswith("configs/") and not (CHECKOUT / word).is_file()]
    has_place = context.params.get("output") or context.params.get("outputs")
    return f"no file {missing[0]}" if missing else None if has_place else "no folder for the picture"


PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")


def test_gallery__shows_every_picture_once() -> None:
    shown = re.findall(r"\(pictures/(\S+)\)", PAGE)
    assert sorted(shown) == sorted(path.name for path in (DOCS / "pictures").iterdir())
    assert list(entries(PAGE)) == shown


@pytest.mark.parametrize("picture", entries(PAGE))
def test_gallery__names_a_command_that_the_program_understands(picture: str) -> None:
    command, file = entries(PAGE)[picture]
    assert understood(command) is None
    assert command.split()[-1] in (Path(file).parent.name, file)  # a folder of files, or the one file


def test_understood__sees_a_command_an_option_and_a_file_that_are_not_there() -> None:
    assert understood("simengine strain configs/tiny.yaml -o x") == "no command 'strain'"
    assert "No such option" in (understood("simengine stress configs/tiny.yaml --revers x -o x") or "")
    assert understood("simengine stress configs/nowhere.yaml -o x") == "no file configs/nowhere.yaml"
    assert understood("simengine stress configs/tiny.yaml") == "no folder for the picture"


def test_pictures_on_other_pages__are_in_the_folder() -> None:
    shown = {name for path in DOCS.rglob("*.md") for name in re.findall(r"!\[.*?\]\((?:\.\./)?pictures/(\S+)\)", path.read_text())}
    assert shown <= {path.name for path in (DOCS / "pictures").iterdir()}


@pytest.mark.parametrize("width", [3, 12])
def test_picture__a_long_title_goes_on_below_instead_of_being_cut(width: float) -> None:
    with plain_style():
        figure = new_figure(figsize=(width, 3), layout="constrained")
        figure.subplots()
        title: Text = figure.suptitle("a title of many words " * 6, fontsize=11)
        save(figure, "png")
        box = title.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
