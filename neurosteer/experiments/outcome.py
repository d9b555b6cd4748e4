"""What a run has found, as one object; and on disk: results, tables, figures, page. The same gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

from neurosteer.errors import cannot_draw
from neurosteer.progress import QUIET, Progress
from neurosteer.report import rows_csv, to_json
from neurosteer.report.canvas import own_style, save_figure, save_svg
from neurosteer.results import Json, Verdict, read_record, record
from neurosteer.store import write_bytes

from .experiment import Results, Rows
from .page import file_stem, outcome_page
from .registry import experiment_of
from .scope import Scope

DPI, PAGE_DPI = 160, 110
DIGITS = 6  # significant ones, of every float in a CSV file


@dataclass(frozen=True)
class _Written:
    """What `results.json` holds beside the scope."""

    version: str
    recipe: Mapping[str, Json]
    again: str
    results: list[Mapping[str, Json]]
    verdicts: list[Verdict]
    notices: list[str]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of a run's experiments by their names, and the verdicts on the paper's claims."""

    version: str  # of neurosteer
    recipe: Mapping[str, Json]
    again: str  # the command that makes the same run
    scope: Scope
    results: Results
    verdicts: Sequence[Verdict]
    notices: Sequence[str]

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Outcome:
        """What `to_dict` gave. Raises `ValueError`, one line, for an object of another kind."""
        written = read_record(_Written, values)
        results = {result["experiment"]: result for result in written.results}
        return cls(
            version=written.version,
            recipe=written.recipe,
            again=written.again,
            scope=read_record(Scope, values),
            results={name: read_record(experiment_of(name).result, result) for name, result in results.items()},
            verdicts=written.verdicts,
            notices=written.notices,
        )

    def to_dict(self) -> dict[str, Json]:
        """The object in `results.json`."""
        return {
            "command": "run",
            "version": self.version,
            "model": dict(self.scope.model),
            "recipe": dict(self.recipe),
            "again": self.again,
            **{name: value for name, value in record(self.scope).items() if name != "model"},
            "results": [record(result) for result in self.results.values()],
            "verdicts": [record(verdict) for verdict in self.verdicts],
            "notices": list(self.notices),
        }

    def drawings(self) -> Iterator[tuple[str, Callable[[], Figure]]]:
        """Name by name everything that can be drawn, experiment by experiment."""
        for name, result in self.results.items():
            for figure, drawing in experiment_of(name).drawings.items():
                yield file_stem(name, figure), own_style()(partial(drawing.draw, result, self.scope))

    def csvs(self) -> Iterator[tuple[str, str]]:
        """Name and text of each table: `fig5.csv`, `fig5.tasks.csv`."""
        for name, result in self.results.items():
            for table, rows in experiment_of(name).csvs(result).items():
                yield f"{file_stem(name, table)}.csv", csv_text(rows)


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
            pictures[name] = _content(save_figure, figure, PAGE_DPI)
        except Exception as error:  # whatever a drawing library says, the numbers are there
            progress.notice(cannot_draw(name, error))
            continue
        for suffix, content in drawn.items():
            write(f"{name}.{suffix}", content)
    write("index.html", outcome_page(outcome, pictures).encode())
    return names


def _content(save: Callable[..., None], figure: Figure, dpi: int) -> bytes:
    file = BytesIO()
    save(figure, file, dpi=dpi)
    return file.getvalue()


def csv_text(rows: Rows) -> str:
    """A table as CSV, floats of six significant digits."""
    return rows_csv([_rounded(row) for row in rows])


def _rounded(row: object) -> dict[str, Json]:
    """A row with its floats cut to what they are worth; no zero has a sign."""
    values = row if isinstance(row, Mapping) else record(row)
    return {
        column: float(f"{value:.{DIGITS}g}") + 0.0 if isinstance(value, float) else value
        for column, value in values.items()
    }
