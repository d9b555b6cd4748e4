"""Which neurons a command edits: the options that say so, and the find that is made where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import (
    DIRECTION_KINDS,
    METHODS,
    NOUNS,
    PAPER_METHODS,
    Edited,
    Json,
    Method,
    SplitKind,
    counted,
)
from neurosteer.vocabulary import Grain as GrainName
from neurosteer.vocabulary import Reach as ReachName

from . import options, parse
from .progress import TerminalProgress

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.studies import Origin, Wanted

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

    def wanted(self, seed: int | None, offline: bool) -> Wanted:
        """What a find has to answer."""
        from neurosteer.studies import Wanted

        return Wanted(
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

    def model_of(
        self, asked: options.ModelOfFind, out: Path, *, seed: int | None, progress: TerminalProgress
    ) -> options.ModelFrom:
        """The model that was asked for; where none was named, that of the newest find, and a notice says so."""
        if asked.model is not None:
            return asked.named(asked.model)
        from neurosteer.studies import model_of_newest_find

        wanted = self.wanted(seed, offline=True)
        wanted = wanted if self.given is None else replace(wanted, by=None)  # any find tells the model
        from_file = isinstance(self.given, Path) or isinstance(self.direction, Path)
        found = None if from_file else model_of_newest_find(wanted, out=out)
        if found is None:
            return asked.named(options.DEFAULT_MODEL)
        progress.notice(f"model {found.name}, that of the newest find")
        return asked.named(
            found.name,
            revision=asked.revision or found.revision,
            bos=asked.bos or found.bos,
            eos=asked.eos or found.eos,
        )

    def origin(
        self,
        model: Model,
        out: Path,
        *,
        seed: int | None,
        pairs: bool,
        offline: bool,
        planned: bool = False,
        progress: TerminalProgress,
    ) -> Origin:
        """The neurons, and with `pairs` those to measure on; a notice says where from, unless a plan did."""
        from neurosteer.studies import direction_from, neurons_from

        def find_now(methods: Sequence[Method]) -> Path:
            return self._find(model, out, methods, seed or 0, offline, progress)

        wanted, now = self.wanted(seed, offline), find_now if self.task else None
        if self.direction is not None:
            origin = direction_from(
                model, wanted, self.direction, out=out, find_now=now, pairs=pairs, progress=progress
            )
            tell_origin(origin.task, origin.where, dict.fromkeys(origin.sets, (1, "direction")), progress, planned)
            return origin
        origin = neurons_from(model, wanted, out=out, given=self.given, find_now=now, pairs=pairs, progress=progress)
        sizes: dict[str, tuple[int, Edited]] = {
            method: (len(chosen.members), chosen.by) for method, chosen in origin.sets.items()
        }
        tell_origin(origin.task, origin.where, sizes, progress, planned)
        return origin

    def _find(
        self, model: Model, out: Path, methods: Sequence[Method], seed: int, offline: bool, progress: TerminalProgress
    ) -> Path:
        from neurosteer.pairs import load_pairs
        from neurosteer.studies import find, save_find

        source, columns, layout = self.data or "auto", self.columns or parse.Columns(), self.layout or "auto"
        chosen, split = parse.each_once(methods, METHODS) or PAPER_METHODS, self.split or "pair"
        by = self.by or "unit"
        pairs = load_pairs(
            self.task,
            source=source,
            limit=self.limit,
            columns=columns,
            layout=layout,
            seed=seed,
            offline=offline,
            progress=progress,
        )
        progress.notice(f"no find of {self.task} that fits in '{out}': finding now")
        found = find(model, pairs, methods=chosen, split=split, by=by, seed=seed, progress=progress)
        pairs_from = options.PairsFrom(
            [self.task] if self.task else None, source, columns, layout, self.limit
        ).record(None)
        study = {"methods": chosen, "split": split, **({} if self.by is None else {"by": by}), "seed": seed}
        folder, _ = save_find(model, [found], out=out, options={**pairs_from, **study}, progress=progress)
        return folder


def tell_origin(
    task: str, where: str, sizes: Mapping[str, tuple[int, Edited]], progress: TerminalProgress, planned: bool = False
) -> None:
    """Say where neurons (heads, a direction) come from, unless a plan did, and which method has fewer than others.

    `sizes` are how many of what, by method. `InputError` where one has none.
    """
    nouns, most = {NOUNS[by] for _, by in sizes.values()}, max(size for size, _ in sizes.values())
    what = "direction" if nouns == {NOUNS["direction"]} else f"{'s and '.join(sorted(nouns))}s"
    if not planned:
        progress.notice(f"{what} of {task} from {where}")
    for method, (size, by) in sizes.items():
        if not size:
            raise InputError(f"no {NOUNS[by]}s to edit: {method} has none with a score above 0 there")
        if size < most:
            progress.notice(f"{method} has only {counted(size, NOUNS[by])} with a score above 0 there")
