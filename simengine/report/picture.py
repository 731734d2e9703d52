"""The frame of every picture: its style, its panels, its bytes."""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from simengine.config import Study
from simengine.errors import ResultsError, escaped
from simengine.risk.statistics import Statistic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# A fixed salt and no date: the same run draws the same bytes. A dollar sign in a title is money, not mathematics.
DARK, MIDDLE, LIGHT = "0.15", "0.55", "0.8"
MOST_BARS = 10
"""Assumptions that a picture shows."""
_MOST_PANELS = 3
_STYLE: Any = {
    "svg.hashsalt": "simengine",
    "text.parse_math": False,
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

FORMS = ("png", "svg")
_DPI = 150
_LEFT, _RIGHT, _BELOW, _LINE, _HEADING, _NOTE = 0.85, 0.2, 0.62, 0.18, 0.5, 0.3
"""Inches beside a panel: for the numbers and the name of its axis, at its right, below it; for a line of its title, for the title of the
figure, and for a line below it."""


def drawn(paint: Callable[[], Figure], forms: Sequence[str] = FORMS) -> dict[str, bytes]:
    """Return what a function paints by form, such as `png`: in the style of all pictures, the same bytes in every run."""
    pictures = {}
    with plain_style():
        figure = paint()
        for form in forms:
            pictures[form] = save(figure, form)
            figure.set_layout_engine("none")  # everything has its place now, and to find it takes as long as to draw
    return pictures


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw in the style of all pictures, whatever settings of their own somebody has for matplotlib.

    It is loaded here, and not before: what draws nothing neither waits for it nor stumbles over those settings.
    """
    log = logging.getLogger("matplotlib")
    level = log.level
    # It speaks of folders that cannot be written and of fonts, which does not concern the user.
    log.setLevel(logging.ERROR)
    try:
        mpl = _matplotlib()
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(_STYLE)
            yield
    finally:
        log.setLevel(level)


def _matplotlib() -> Any:
    """Load matplotlib, which refuses to be loaded under a backend that it does not know; no picture needs one."""
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
        from matplotlib import font_manager  # noqa: F401 - its first loading may take a while and speak of it
    except (ValueError, OSError) as error:
        raise ResultsError(f"pictures: matplotlib must load; found {error}. Move away the file matplotlibrc") from None
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend is not None:
        with suppress(ValueError):
            mpl.rcParams["backend"] = backend
    return mpl


def new_figure(**options: Any) -> Figure:
    """Begin a figure; inside `plain_style`."""
    from matplotlib.figure import Figure

    return Figure(**options)


def save(figure: Figure, form: str) -> bytes:
    """Return a figure as the bytes of a file, the same in every run."""
    for heading in figure.texts:
        heading.set_wrap(True)  # what is wider than the figure goes on below, instead of being cut at both ends
    with warnings.catch_warnings():
        # A character that no font at hand can draw becomes a box: nothing that a reader of the picture must be told.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        return _bytes_of(figure, form)


def _bytes_of(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    if form == "svg":
        figure.savefig(buffer, format=form, metadata={"Date": None})
        # What XML cannot hold would make the whole picture unreadable.
        return escaped(buffer.getvalue().decode()).encode()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    is_grey = bool((pixels == pixels[:, :, :1]).all())
    # One channel instead of four: a quarter of the time to compress, which takes longer than to draw, and of the bytes.
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if is_grey else pixels))
    image.save(buffer, format=form, dpi=(_DPI, _DPI))
    return buffer.getvalue()


def panels_in_place(
    n_rows: int, n_columns: int, size: tuple[float, float], title: str, *, n_lines: int, note: str = ""
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure with panels of one size, in places that need not be searched: that takes as long as to draw them.

    Parameters
    ----------
    n_rows, n_columns
        How many panels there are below and beside each other.
    size
        Width and height of each in inches, with its axes and their names, without its title.
    title
        Of the figure.
    n_lines
        Lines of the title of a panel, at most.
    note
        What stands below all panels.

    Returns
    -------
    The figure, and its panels, of shape (n_rows, n_columns).
    """
    above, below = _LINE * n_lines + 0.1, _NOTE if note else 0.0
    width, height = size[0], size[1] + above
    whole = (width * n_columns, _HEADING + height * n_rows + below)
    figure = new_figure(figsize=whole)
    panels = figure.subplots(
        n_rows,
        n_columns,
        squeeze=False,
        gridspec_kw={
            "left": _LEFT / whole[0],
            "right": 1 - _RIGHT / whole[0],
            "bottom": (_BELOW + below) / whole[1],
            "top": 1 - (_HEADING + above) / whole[1],
            "wspace": (_LEFT + _RIGHT) / (width - _LEFT - _RIGHT),
            "hspace": (_BELOW + above) / (height - _BELOW - above),
        },
    )
    figure.suptitle(title, fontsize=11, y=1 - 0.1 / whole[1])
    if note:
        figure.text(0.5, 0.1 / whole[1], note, ha="center", va="bottom")
    return figure, panels


def grouped(axis: Axis) -> None:
    """Write the numbers of an axis with a comma between thousands, and as few as have room for it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value, 10) + 0.0:,.6g}"))


def panels_for(count: int, names: float, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with one panel for each party, three in a row; where rows have names, these take room on the left."""
    n_columns = min(count, _MOST_PANELS)
    n_rows = -(-count // n_columns)
    figure = new_figure(figsize=(names + width * n_columns, 0.6 + height * n_rows), layout="constrained")
    panels = list(figure.subplots(n_rows, n_columns, squeeze=False).ravel())
    for axes in panels[count:]:
        axes.remove()
    for place, axes in enumerate(panels[:count]):
        axes.tick_params(labelleft=place % n_columns == 0)
        axes.use_sticky_edges = False
    return figure, panels[:count]


def title_of(study: Study) -> str:
    """Return the title of a study, as much of it as has room above a picture."""
    return shorten(study.study.title, 80, placeholder="…")


def in_lines(name: str, width: int) -> str:
    r"""Break a long name over two lines of a picture; only what has no room there is cut.

    Examples
    --------
    >>> in_lines("outcome payer (Botkyrka, six years, 20 places)", 24)
    'outcome payer (Botkyrka,\nsix years, 20 places)'
    """
    return "\n".join(wrap(name, width, max_lines=2, placeholder="…"))


_LONGEST_PATH = 44


def shortened_path(path: str) -> str:
    """Return the end of a path that is too long for an axis."""
    return path if len(path) <= _LONGEST_PATH else f"…{path[-_LONGEST_PATH + 1 :]}"


def with_errors(axes: Axes, names: Sequence[str], statistics: Sequence[Statistic], scale: float) -> None:
    """Put a value with its 95 % interval on each row of a panel, and the names of the rows beside it."""
    for place, one in enumerate(statistics):
        axes.errorbar(one.value / scale, place, xerr=1.96 * one.se / scale, color=DARK, marker="o", markersize=4, capsize=3)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
