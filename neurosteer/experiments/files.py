"""What a run has found, on disk: results, tables, figures, page. The same gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from neurosteer.errors import cannot_draw
from neurosteer.progress import QUIET, Progress
from neurosteer.report import to_json
from neurosteer.report.canvas import save_figure, save_svg
from neurosteer.store import write_bytes

from .outcome import Outcome
from .page import outcome_page

DPI = 160


def write_outcome(outcome: Outcome, folder: Path, progress: Progress = QUIET) -> list[str]:
    """Write everything that shows an outcome into a folder, each file atomically; returns the names of the files.

    A figure that cannot be drawn is one notice, and the page does without it.
    """
    names = []

    def write(name: str, content: bytes) -> None:
        write_bytes(folder / name, content)
        names.append(name)

    write("results.json", to_json(outcome.to_dict()).encode())
    for name, text in outcome.csvs():
        write(name, text.encode())
    pictures = {}
    for name, draw in outcome.drawings():
        try:
            figure = draw()
            drawn = {"png": _content(save_figure, figure, DPI), "svg": _content(save_svg, figure, DPI)}
        except Exception as error:  # whatever a drawing library says, the numbers are there
            progress.notice(cannot_draw(name, error))
            continue
        pictures[name] = drawn["png"]
        for suffix, content in drawn.items():
            write(f"{name}.{suffix}", content)
    write("index.html", outcome_page(outcome, pictures).encode())
    return names


def _content(save: Callable[..., None], figure: Figure, dpi: int) -> bytes:
    file = BytesIO()
    save(figure, file, dpi=dpi)
    return file.getvalue()
