"""What a run has found, as one object: its results, as JSON and back, its figures and its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from neurosteer.report import rows_csv
from neurosteer.report.canvas import own_style
from neurosteer.results import Json, Verdict, read_record, record
from neurosteer.shown import quoted
from neurosteer.vocabulary import counted

from .experiment import Results, Rows
from .registry import experiment_of
from .scope import Scope
from .task_layers import read_task_layers

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

    def with_tasks(self, folder: Path) -> Outcome:
        """With the numbers of single tasks, which are in tables beside `results.json`. Raises as `from_dict` does."""
        found = {
            name: replace(result, by_task=read_task_layers(folder / f"{file_stem(name, 'tasks')}.csv"))
            for name, result in self.results.items()
            if hasattr(result, "by_task")
        }
        return replace(self, results={**self.results, **found})

    def to_dict(self) -> dict[str, Json]:
        """The object in `results.json`."""
        return {
            "command": "run",
            "version": self.version,
            "model": record(self.scope.model),
            "recipe": dict(self.recipe),
            "again": self.again,
            **{name: value for name, value in record(self.scope).items() if name != "model"},
            "results": [record(result) for result in self.results.values()],
            "verdicts": [record(verdict) for verdict in self.verdicts],
            "notices": list(self.notices),
        }

    def __repr__(self) -> str:
        judged = counted(len(self.verdicts), "verdict")
        return f"Outcome({quoted(', '.join(self.results))}, {judged}, {counted(len(self.notices), 'notice')})"

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


def file_stem(experiment: str, middle: str) -> str:
    """The name, but for its ending, of a table or figure; the main one has the experiment's own."""
    return f"{experiment}.{middle}" if middle else experiment


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
