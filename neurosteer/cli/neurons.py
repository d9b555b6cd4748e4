"""Which neurons a command edits: the options that say so, and the find that is made where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import COLUMNS, ENCODED, METHODS, REACHES, SPLITS, SplitKind

from . import options, parse
from .progress import TerminalProgress

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.studies import Origin

_NEURONS = "The neurons"

File = Annotated[
    str | None,
    typer.Option(
        "--neurons",
        metavar="FILE",
        rich_help_panel=_NEURONS,
        help="A neuron set or ranking, instead of the newest find's.",
        show_default=False,
    ),
]
Method = Annotated[
    list[str] | None,
    typer.Option(
        metavar="welch|l0|attribution",
        rich_help_panel=_NEURONS,
        help="By which ranking they are chosen. Repeats, to compare.",
        show_default="the find's first",
    ),
]
Topk = Annotated[
    str | None,
    typer.Option(
        metavar="K",
        rich_help_panel=_NEURONS,
        help="How many: a count (40) or a share (1%).",
        show_default="the find's",
    ),
]
Layers = Annotated[
    str | None,
    typer.Option(
        metavar="LAYERS",
        rich_help_panel=_NEURONS,
        help="Chosen from which blocks: 14, or pooled over 3,7,12, 0-5 or all.",
        show_default="the find's best",
    ),
]
Reach = Annotated[
    str,
    typer.Option(
        metavar="own|onward|all",
        rich_help_panel=_NEURONS,
        help="Edit them at their own layer, at all later ones too, or at all.",
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        "-t",
        metavar="NAME",
        rich_help_panel=_NEURONS,
        help="The task they were, or are to be, found on.",
        show_default="the newest find's",
    ),
]
Data = Annotated[
    str | None,
    typer.Option(metavar="SOURCE", rich_help_panel=_NEURONS, help="Its pairs.", show_default="the find's, or auto"),
]
Columns = Annotated[
    str | None,
    typer.Option(metavar="GOOD,BAD", rich_help_panel=_NEURONS, help="Its columns.", show_default="the find's"),
]
Split = Annotated[
    str | None,
    typer.Option(metavar="pair|lexical", rich_help_panel=_NEURONS, help="Its split.", show_default="the find's"),
]
Limit = Annotated[
    str | None,
    typer.Option(metavar="N", rich_help_panel=_NEURONS, help="Its number of pairs.", show_default="the find's"),
]
Seed = Annotated[
    str | None,
    typer.Option(
        metavar="N", rich_help_panel=_NEURONS, help="Its seed; also decides every draw.", show_default="the find's"
    ),
]


@dataclass(frozen=True)
class NeuronsFrom:
    """Which neurons, as typed."""

    file: File = None
    task: Task = None
    method: Method = None
    topk: Topk = None
    layers: Layers = None
    reach: Reach = "own"
    data: Data = None
    columns: Columns = None
    split: Split = None
    limit: Limit = None

    def parsed(self, seed: str | None = None) -> Choice:
        """Raises `InputError` for anything malformed, and for a method beside a file, which has its own."""
        if self.file is not None and self.method:
            raise InputError(
                f"--method {self.method[0]} and --neurons {self.file}: the file already says which; leave one out"
            )
        return Choice(
            file=None if self.file is None else parse.file("--neurons", self.file),
            task=parse.text_if_given("--task", self.task),
            methods=parse.choices("--method", self.method, METHODS) if self.method else None,
            topk=None if self.topk is None else parse.topk(self.topk),
            layers=None if self.layers is None else parse.layers(self.layers),
            reach=parse.choice("--reach", self.reach, REACHES),
            source=parse.text_if_given("--data", self.data),
            columns=None if self.columns is None else parse.columns(self.columns),
            split=None if self.split is None else parse.choice("--split", self.split, SPLITS),
            limit=None if self.limit is None else parse.whole("--limit", self.limit, least=1),
            seed=None if seed is None else parse.whole("--seed", seed, least=0),
        )


@dataclass(frozen=True)
class Choice:
    """Which neurons, checked; None leaves it to the find."""

    file: Path | None
    task: str | None
    methods: tuple[str, ...] | None
    topk: str | None
    layers: str | list[int] | None
    reach: str
    source: str | None
    columns: tuple[str, str] | None
    split: SplitKind | None
    limit: int | None
    seed: int | None

    def origin(self, model: Model, out: Path, *, pairs: bool, offline: bool, progress: TerminalProgress) -> Origin:
        """The neurons, and with `pairs` those to measure on; a notice says where they come from."""
        from neurosteer.studies import Wanted, neurons_from

        wanted = Wanted(
            task=self.task,
            methods=self.methods,
            k=self.topk,
            layers=self.layers,
            source=self.source,
            split=self.split,
            seed=self.seed,
            limit=self.limit,
            columns=self.columns,
            offline=offline,
        )

        def find_now(methods: Sequence[str]) -> Path:
            return self._find(model, out, methods, offline, progress)

        origin = neurons_from(
            model,
            wanted,
            out=out,
            file=self.file,
            find_now=find_now if self.task else None,
            pairs=pairs,
            progress=progress,
        )
        progress.notice(f"neurons of {origin.task} from {origin.where}")
        sizes = {method: len(chosen) for method, chosen in origin.sets.items()}
        for method, size in sizes.items():
            if not size:
                raise InputError(f"no neurons to edit: {method} has none with a score above 0 there")
            if size < max(sizes.values()):
                progress.notice(f"{method} has only {size} neurons with a score above 0 there")
        return origin

    def _find(
        self, model: Model, out: Path, methods: Sequence[str], offline: bool, progress: TerminalProgress
    ) -> Path:
        from neurosteer.pairs import load_pairs
        from neurosteer.studies import find, save_find

        columns = self.columns or COLUMNS
        loaded: dict[str, Any] = {"source": self.source or "auto", "limit": self.limit, "columns": columns}
        study: dict[str, Any] = {
            "methods": tuple(methods) or ENCODED,
            "split": self.split or "pair",
            "seed": self.seed or 0,
        }
        pairs = load_pairs(self.task, **loaded, seed=study["seed"], offline=offline, progress=progress)
        progress.notice(f"no find of {self.task} that fits in '{out}': finding now")
        found = find(model, pairs, **study, progress=progress)
        asked = options.as_recorded({"tasks": [self.task], **loaded, **study})
        folder, _ = save_find(model, [found], out=out, options=asked)
        return folder
