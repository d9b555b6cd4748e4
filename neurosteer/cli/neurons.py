"""Which neurons a command edits: the options that say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import DIRECTION_KINDS, METHODS, Json, Method, SplitKind
from neurosteer.vocabulary import Grain as GrainName
from neurosteer.vocabulary import Reach as ReachName

from . import options, parse

if TYPE_CHECKING:
    from neurosteer.studies import FindQuery

_option = partial(typer.Option, rich_help_panel="The neurons")

Given = Annotated[
    Any,  # a file or neurons: typer reads no union
    _option(
        "--neurons",
        metavar="FILE|LAYER:UNIT,...",
        parser=parse.neurons,
        help="A neuron set, a ranking, or neurons as they are (14:3,14:5), instead of the newest find's.",
        show_default=False,
    ),
]
Direction = Annotated[
    Any,  # a kind or a file: typer reads no union
    _option(
        metavar="mean|probe|FILE",
        parser=parse.direction,
        autocompletion=parse.suggest(*DIRECTION_KINDS),
        help="Edit along a direction instead: the difference of means, the dense probe, or one in a file.",
        show_default=False,
    ),
]
Methods = Annotated[
    list[str] | None,
    _option(
        **parse.words(METHODS),
        help="By which ranking they are chosen. Repeats, to compare.",
        show_default="the find's first",
    ),
]
Topk = Annotated[
    str | None,
    _option(
        "--topk",
        "-k",
        metavar="K",
        parser=parse.topk,
        help="How many: a count (40) or a share (1%).",
        show_default="the find's",
    ),
]
By = Annotated[
    GrainName | None,
    _option(help="Whole attention heads, or single units. With --neurons: what is named.", show_default="the find's"),
]
Layers = Annotated[
    Any,  # "all" or their indices: typer reads no union
    _option(
        metavar="LAYERS",
        parser=parse.layers,
        help="Chosen from which blocks: 14, or pooled over 3,7,12, 0-5 or all.",
        show_default="the find's best",
    ),
]
Reach = Annotated[ReachName, _option(help="Edit them at their own layer, at all later ones (onward) too, or at all.")]
Task = Annotated[
    str | None,
    _option(
        "--task",
        "-t",
        metavar="NAME",
        parser=parse.some_text,
        autocompletion=options.known_tasks,
        help="The task they were, or are to be, found on.",
        show_default="the newest find's",
    ),
]
Data = Annotated[
    str | None,
    _option(metavar="SOURCE", parser=parse.some_text, help="Its pairs.", show_default="the find's, or auto"),
]
Columns = Annotated[
    parse.Columns | None,
    _option(metavar="GOOD,BAD", parser=parse.columns, help="Its columns.", show_default="the find's"),
]
Layout = Annotated[
    str | None, _option(metavar="LAYOUT", parser=parse.layout, help="Its layout.", show_default="the find's")
]
Split = Annotated[SplitKind | None, _option(help="Its split.", show_default="the find's")]
Limit = Annotated[
    int | None,
    _option(min=1, max=options.MOST_PAIRS, metavar="N", help="Its number of pairs.", show_default="the find's"),
]
Seed = Annotated[
    int | None,
    _option(
        min=0,
        max=options.LARGEST_SEED,
        metavar="N",
        help="Its seed; also decides every draw.",
        show_default="the find's",
    ),
]


@dataclass(frozen=True)
class NeuronsFrom:
    """Which neurons; None leaves it to the find. A method beside neurons that are given is an `InputError`."""

    given: Given = None
    task: Task = None
    method: Methods = None
    topk: Topk = None
    layers: Layers = None
    by: By = None
    direction: Direction = None
    reach: Reach = "own"
    data: Data = None
    columns: Columns = None
    layout: Layout = None
    split: Split = None
    limit: Limit = None

    def __post_init__(self) -> None:
        if self.given is not None and self.method:
            raise InputError(
                f"--method {self.method[0]} and --neurons {self._typed}: the latter already says which; leave one out"
            )
        if self.direction is not None:
            self._refuse_neurons()
        chosen = {"topk": self.topk, "layers": self.layers}
        named = next((name for name, value in chosen.items() if value is not None), None)
        if named and isinstance(self.given, tuple):
            raise InputError(f"--{named} with --neurons {self._typed}: these are the neurons; leave --{named} out")

    def _refuse_neurons(self) -> None:
        """What says which neurons does not go with a direction."""
        typed = {"neurons": self.given, "method": self.method, "topk": self.topk, "by": self.by}
        named = next((name for name, value in typed.items() if value), None)
        named = "reach" if named is None and self.reach != "own" else named
        if named:
            raise InputError(f"--{named} with --direction: a direction is no set of neurons; leave one of them out")

    def of(self, name: str | None) -> NeuronsFrom:
        """The same with the task that was typed without `--task`."""
        if name and self.task not in (None, name):
            raise InputError(f"which task: '{name}', or '{self.task}' as --task says? name one")
        return replace(self, task=name or self.task)

    @property
    def methods(self) -> tuple[Method, ...] | None:
        """Each once."""
        return parse.each_once(self.method, METHODS) if self.method else None

    @property
    def _typed(self) -> str | None:
        """What was given, as it is typed."""
        if self.given is None or isinstance(self.given, Path):
            return None if self.given is None else str(self.given)
        return ",".join(f"{layer}:{unit}" for layer, unit in self.given)

    def record(self, seed: int | None) -> dict[str, Json]:
        """As a run keeps them, as JSON."""
        return {
            "file": self._typed,
            "task": self.task,
            "methods": self.methods,
            "topk": self.topk,
            "layers": self.layers,
            **({} if self.by is None else {"by": self.by}),
            **({} if self.direction is None else {"direction": str(self.direction)}),
            "reach": self.reach,
            "source": self.data,
            "columns": self.columns,
            **({} if self.layout is None else {"layout": self.layout}),
            "split": self.split,
            "limit": self.limit,
            "seed": seed,
        }

    def wanted(self, seed: int | None, offline: bool) -> FindQuery:
        """What a find has to answer."""
        from neurosteer.studies import FindQuery

        return FindQuery(
            task=self.task,
            methods=self.methods,
            topk=self.topk,
            layers=self.layers,
            by=self.by,
            source=self.data,
            split=self.split,
            seed=seed,
            limit=self.limit,
            columns=self.columns,
            layout=self.layout,
            offline=offline,
        )
