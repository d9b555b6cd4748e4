"""What is read back of finished runs: a row of `neurosteer ls runs`, and what a later command takes from a `find`.

The views (`ListedRun` and below) name only the keys of results.json that are read, so that runs of version 0.1 and
those with more keys are read alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated

from pydantic import AliasChoices, Field

from neurosteer.shown import quoted, short_repr, table_html
from neurosteer.vocabulary import Grain, Json, Method, RunState, Site, counted

from .effect import AppliedEdit
from .model import ModelUsed
from .pairs_used import SplitPairs
from .record import record

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class RunListing:
    """One finished run; None is what this kind of run does not have."""

    run: str  # the folder's name
    command: str
    model: str
    tasks: tuple[str, ...]
    path: str
    when: str  # it was finished, local time
    data: str | None = None  # source
    site: Site | None = None
    layers: tuple[int, ...] | None = None  # that were looked at or edited
    topk: int | None = None  # neurons of a set

    def __repr__(self) -> str:
        return f"RunListing({self.run}, {self.model}, {self.when})"


class Runs(list[RunListing]):
    """Finished runs, newest first: a list that is also a table."""

    def to_frame(self) -> pd.DataFrame:
        """A row per run: its folder's name, command, model, tasks, path, and when it was finished."""
        import pandas as pd

        rows = [{**record(run), "tasks": ", ".join(run.tasks)} for run in self]
        return pd.DataFrame(rows, columns=[one.name for one in fields(RunListing)])

    def __repr__(self) -> str:
        newest = f", the newest is {quoted(self[0].run)}" if self else ""
        return f"Runs({counted(len(self), 'run')}{newest})"

    def _repr_html_(self) -> str:
        return table_html(repr(self), self.to_frame())


@dataclass(frozen=True, kw_only=True)
class UnfinishedRun:
    """A run of a recipe that is not finished. Units are those that stay; tasks are those of Slurm."""

    run: str  # the folder's name
    recipe: str
    model: str
    path: str
    state: RunState
    units: int
    missing: int  # units that are not done
    running: int  # units that processes compute now
    tasks_running: int = 0
    tasks_waiting: int = 0
    tasks_failed: int = 0  # gone without having ended well

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What every run says of itself; what `options` and the rows of `results` hold depends on the command."""

    command: str
    version: str = ""
    model: ModelUsed | None = None
    options: dict[str, Json] = field(default_factory=dict)
    results: tuple[Json, ...]


@dataclass(frozen=True, kw_only=True)
class FindOptions:
    """What `find` was asked; None where its run does not say."""

    limit: Annotated[int | None, Field(validation_alias=AliasChoices("limit", "n"))] = None
    columns: tuple[str, str] | None = None
    layout: str = "auto"
    model: Annotated[str | None, Field(validation_alias=AliasChoices("model", "name"))] = None
    revision: str | None = None
    bos: str | None = None
    eos: str | None = None


@dataclass(frozen=True, kw_only=True)
class FoundTask:
    """One task of a `find`: its pairs, and where the rankings are."""

    task: str
    data: SplitPairs
    k: int
    methods: tuple[Method, ...]
    rankings: dict[str, str]  # by method
    by: Grain = "unit"


@dataclass(frozen=True, kw_only=True)
class FindRun:
    """A run of `find`."""

    model: ModelUsed
    options: FindOptions = field(default_factory=FindOptions)
    results: tuple[FoundTask, ...]


@dataclass(frozen=True, kw_only=True)
class _Source:
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Layer:
    layer: int


@dataclass(frozen=True, kw_only=True)
class ListedTask:
    """What one element of `results` says of a run; `edit` that of `ablate`, `site` to `k` those of `find`
    and `evidence`."""

    task: str
    data: _Source
    site: Site | None = None
    layers: tuple[_Layer | int, ...] = ()
    k: int | None = None
    edit: AppliedEdit | None = None


@dataclass(frozen=True, kw_only=True)
class ListedRun:
    """A run of `find`, `score`, `ablate`, `amplify` or `evidence`."""

    model: ModelUsed
    results: tuple[ListedTask, ...]

    def listed(self) -> dict[str, object]:
        """What a `RunListing` says of it."""
        edits = [row.edit for row in self.results if row.edit]
        layers = {layer for edit in edits for layer in edit.layers}
        of_rows = [layer for row in self.results for layer in row.layers]
        layers |= {layer if isinstance(layer, int) else layer.layer for layer in of_rows}
        sizes = [edit.k for edit in edits] + [row.k for row in self.results if row.k is not None]
        sites = [edit.site for edit in edits] + [row.site for row in self.results if row.site]
        return {
            "tasks": tuple(dict.fromkeys(row.task for row in self.results)),
            "data": ", ".join(dict.fromkeys(row.data.source for row in self.results if row.data.source)) or None,
            "site": next(iter(sites), None),
            "layers": tuple(sorted(layers)) or None,
            "topk": max(sizes, default=None),
        }


@dataclass(frozen=True, kw_only=True)
class _EditOnly:
    edit: AppliedEdit


@dataclass(frozen=True, kw_only=True)
class ListedTexts:
    """A run of `generate`."""

    model: ModelUsed
    results: tuple[_EditOnly, ...]

    def listed(self) -> dict[str, object]:
        """What a `RunListing` says of it."""
        edits = [row.edit for row in self.results]
        return {
            "tasks": (),
            "site": edits[0].site if edits else None,
            "layers": tuple(sorted({layer for edit in edits for layer in edit.layers})) or None,
            "topk": max((edit.k for edit in edits), default=None),
        }


@dataclass(frozen=True, kw_only=True)
class _TaskName:
    task: str


@dataclass(frozen=True, kw_only=True)
class _Settings:
    site: Site | None = None
    layers: tuple[int, ...] | None = None
    k: int | None = None


@dataclass(frozen=True, kw_only=True)
class ListedRecipe:
    """A run of a recipe."""

    model: ModelUsed
    models: tuple[ModelUsed, ...] = ()  # where there are several
    tasks: tuple[_TaskName, ...]
    data: _Source | None = None
    settings: _Settings = field(default_factory=_Settings)

    def listed(self) -> dict[str, object]:
        """What a `RunListing` says of it."""
        return {
            "tasks": tuple(dict.fromkeys(row.task for row in self.tasks)),
            "data": self.data and self.data.source,
            "site": self.settings.site,
            "layers": self.settings.layers,
            "topk": self.settings.k,
            **({"model": counted(len(self.models), "model")} if self.models else {}),
        }
