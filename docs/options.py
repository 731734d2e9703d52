"""Fill the tables of options on the page of the command line from the commands themselves: `python -m docs.options`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import click

from docs.keys.words import figure, listed
from simengine.cli.main import commands
from simengine.questions.listed import QUESTIONS

PAGE = Path(__file__).resolve().parent / "reference" / "command-line.md"
COMMON = 5
"""What at least so many commands know in the same words is told once."""
HEAD = "| option | allowed | default | meaning |\n|---|---|---|---|\n"
_CODE = re.compile(
    r"`[^`]+`"  # is code already
    r'|"[^"]+"'
    r"|(?<![\w-])--?[a-z][\w-]*"
    r"|\bsimengine-[\w-]*\w"
    r"|\b[\w-]+\.(?:json|csv|parquet|png|yaml|txt)\b"
    r"|[\w<>-]+\.[A-Za-z_<]\w*>?(?:\.\w+)*(?:=[\w.]*\w)?"
    r"|\b\w+(?:,\w+)+"
    r"|\b[a-z]+(?:_[a-z]+)+\b"
)
"""In what the program prints: options, examples, names of files, paths, words of a study."""


def page() -> str:
    """Return the page as it has to be."""
    text = _filled(PAGE.read_text(encoding="utf-8"), "options of most commands", lambda _: _table(_common()))
    return _filled(text, r"options: (?P<name>[\w -]+?)", lambda found: _of_command(found["name"]))


def _filled(text: str, mark: str, body: Callable[[re.Match[str]], str]) -> str:
    return re.sub(
        rf"(?P<begins><!-- {mark} -->\n).*?(?P<ends><!-- end of options -->)",
        lambda found: f"{found['begins']}\n{body(found)}\n{found['ends']}",
        text,
        flags=re.DOTALL,
    )


def _of_command(name: str) -> str:
    options = list(_options(every_command()[name]))
    own = [option for option in options if not _is_common(option)]
    common = ", ".join(f"`{spelling}`" for option in options if _is_common(option) for spelling in option.opts)
    also = f"{'Also, as' if own else 'As'} [in most commands](#options-of-most-commands): {common}.\n"
    return f"{_table(own, name)}\n{also}" if own else also


def _options(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of a command; that of its help is the same for all."""
    helps = commands.get_help_option(click.Context(commands, **commands.context_settings))
    return (param for param in (*command.params, helps) if isinstance(param, click.Option))


def every_command() -> dict[str, click.Command]:
    """Return the commands by what is typed after `simengine`, those of a group after the group."""
    found: dict[str, click.Command] = {}
    for name, command in commands.commands.items():
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
    return found


@cache
def _counted() -> Counter[tuple[str, ...]]:
    return Counter(_told(option) for command in every_command().values() for option in _options(command))


def _told(option: click.Option) -> tuple[str, ...]:
    return (*option.opts, option.help or "")


def _is_common(option: click.Option) -> bool:
    return _counted()[_told(option)] >= COMMON


def _common() -> list[click.Option]:
    every = {_told(option): option for command in every_command().values() for option in _options(command) if _is_common(option)}
    return list(every.values())


def _table(options: list[click.Option], name: str = "") -> str:
    needed = {
        option.written for question in QUESTIONS if question.name == name for option in question.options if option.is_required
    }
    return HEAD + "".join(_row(option, is_needed=not needed.isdisjoint(option.opts)) for option in options)


def _row(option: click.Option, *, is_needed: bool) -> str:
    metavar = "" if option.is_flag or isinstance(option.type, click.Choice) else f" {option.metavar or _noun(option.type)}"
    spelled = ", ".join(f"`{spelling}`" for spelling in option.opts[:-1])
    spelled += f"{', ' if spelled else ''}`{option.opts[-1]}{metavar}`"
    meaning, _, absent = (option.help or "").partition(" If absent: ")
    meaning += " May be given several times." if option.multiple else ""
    cells = (spelled, _allowed(option.type), "needed" if is_needed else _default(option, absent.removesuffix(".")), _code(meaning))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _noun(kind: click.ParamType) -> str:
    return kind.name.split()[0].upper()


def _allowed(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return listed([f"`{word}`" for word in kind.choices])
    noun = "whole number" if isinstance(kind, click.types.IntParamType) else "number"
    if isinstance(kind, click.IntRange | click.FloatRange) and kind.min is not None and kind.max is not None:
        return f"{noun} from {_limit(kind.min)} to {_limit(kind.max)}"
    return noun if isinstance(kind, click.types.IntParamType | click.types.FloatParamType) else ""


def _limit(number: float) -> str:
    powers = {2**32: "2³²", 2**64: "2⁶⁴", 1e12: "10¹²", 1e9: "10⁹"}
    if number + 1 in powers:
        return f"{powers[number + 1]} \N{MINUS SIGN} 1"
    return powers.get(number, figure(number))


def _default(option: click.Option, absent: str) -> str:
    if absent:
        return _code(absent)
    if option.is_flag:
        return "off"
    if option.default in (None, ()) or not option.show_default:
        return "none"
    return f"`{option.default:.10g}`" if isinstance(option.default, int | float) else f"`{option.default}`"


def _code(text: str) -> str:
    """Set as code what somebody types or reads in a file."""
    return _CODE.sub(lambda found: found[0] if found[0].startswith("`") else f"`{found[0]}`", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
