"""The checksums of a folder of results: a file that says what every other file held, in the form that `sha256sum -c` reads."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from simengine.disk import force, force_folder, sum_of_file
from simengine.errors import ResultsError

NAME = "SHA256SUMS"
_WAY_OUT = "Run it again, as run-again.txt says"


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files of a folder, and force everything to the disk.

    Raises
    ------
    ResultsError
        If the name of a file cannot stand on a line of its own.
    """
    lines = []
    for path in _files_in(folder):
        name = path.relative_to(folder).as_posix()
        if not name.isprintable() or "\\" in name:
            raise ResultsError(f"-o: the names of results must be of characters that can be printed; found {name!r}")
        force(path)
        lines.append(f"{sum_of_file(path)}  {name}\n")
    (folder / NAME).write_text("".join(lines), encoding="utf-8", newline="\n")
    force(folder / NAME)
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        force_folder(path)


def verify(folder: Path, needed: Collection[str]) -> None:
    """Look at every file that stands among the checksums of a folder, and that some files stand there.

    Raises
    ------
    ResultsError
        If there are no checksums, or a file is missing or holds another content than when the folder was written.
    """
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        rule = "must hold the checksums of the results"
        raise ResultsError(
            f"{path}: {rule}; found no such file: the folder is incomplete or older than checksums. {_WAY_OUT}"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: must hold the checksums of the results; found {error}. {_WAY_OUT}") from None
    sums = dict(line.split("  ", 1)[::-1] for line in lines if "  " in line)
    if len(sums) != len(lines) or not sums:
        raise ResultsError(f"{path}: must hold a checksum and a name on every line; found something else. {_WAY_OUT}")
    for name in needed:
        if name not in sums:
            raise ResultsError(f"{path}: must hold a checksum of every result; found none of {name}. {_WAY_OUT}")
    for name, kept in sums.items():
        rule = "must be as the run wrote it"
        if Path(name).is_absolute() or ".." in Path(name).parts or ((folder / name).exists() and not (folder / name).is_file()):
            raise ResultsError(f"{path}: must name files of the folder alone; found {name!r}, which is none. {_WAY_OUT}")
        try:
            found = sum_of_file(folder / name)
        except OSError as error:
            raise ResultsError(f"{folder / name}: {rule}; found {error.strerror}. {_WAY_OUT}") from None
        if found != kept:
            raise ResultsError(f"{folder / name}: {rule}; found another content. {_WAY_OUT}")


def verify_beside(path: Path) -> None:
    """Hold a file against the checksum that stands beside it; a file from somewhere else, which has none, is taken as it is.

    Raises
    ------
    ResultsError
        If it is not as it was written.
    """
    line = path.with_name(NAME)
    if not path.is_file() or not line.is_file() or f"  {path.name}\n" not in line.read_text(encoding="utf-8", errors="replace"):
        return
    verify(path.parent, (path.name,))


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
