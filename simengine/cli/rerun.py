"""The command that makes a folder of results again."""

from __future__ import annotations

from pathlib import Path

import click

from simengine.cli.options import PLACE, json_option, output_option, say, threads_option


@click.command("rerun")
@click.argument("run", metavar="RUN", type=PLACE)
@json_option
@threads_option
@output_option("what is made again, the same files as in RUN")
def rerun_command(run: Path, as_json: bool, threads: int | None, output: Path | None) -> None:
    """Make RUN, a folder that any question wrote with -o, again from its study and its record, and compare it file by file."""
    from simengine.questions.rerun import rerun
    from simengine.report import document
    from simengine.report.answers import as_plain

    found = rerun(run, output, threads=threads)
    if as_json:
        say(document.as_json(as_plain(found)))
        return
    width = max(len(one.name) for one in found.files)
    for one in found.files:
        say(f"{one.name:{width}}  {one.verdict}{'' if one.difference is None else f': {one.difference}'}")
    say(f"Made by simengine {found.made_by['simengine']}, version {found.stream_version} of the random streams.")
    for name, version in found.here.items():
        if found.made_by.get(name) != version:
            say(f"{name}: {found.made_by.get(name, 'unknown')} then, {version} here")
    is_in_bytes = all(one.verdict == "same" for one in found.files)
    say("The same, byte by byte." if is_in_bytes else "The same, as far as compared." if found.is_same else "Not the same.")
    if output is not None:
        say(f"Results: {output}")
