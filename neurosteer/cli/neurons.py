"""Which neurons a command edits: the options that say so, and the find that is made where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import METHODS, PAPER_METHODS, Json, Method, SplitKind, counted
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
        chosen = {"topk": self.topk, "layers": self.layers}
        named = next((name for name, value in chosen.items() if value is not None), None)
        if named and isinstance(self.given, tuple):
            raise InputError(f"--{named} with --neurons {self._typed}: these are the neurons; leave --{named} out")

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
            "reach": self.reach,
            "source": self.data,
            "columns": self.columns,
            **({} if self.layout is None else {"layout": self.layout}),
            "split": self.split,
            "limit": self.limit,
            "seed": seed,
        }

    def _wanted(self, seed: int | None, offline: bool) -> Wanted:
        from neurosteer.studies import Wanted

        return Wanted(
            task=self.task,
            methods=self.methods,
            topk=self.topk,
            layers=self.layers,
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

        found = (
            None if isinstance(self.given, Path) else model_of_newest_find(self._wanted(seed, offline=True), out=out)
        )
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
        self, model: Model, out: Path, *, seed: int | None, pairs: bool, offline: bool, progress: TerminalProgress
    ) -> Origin:
        """The neurons, and with `pairs` those to measure on; a notice says where they come from."""
        from neurosteer.studies import neurons_from

        def find_now(methods: Sequence[Method]) -> Path:
            return self._find(model, out, methods, seed or 0, offline, progress)

        origin = neurons_from(
            model,
            self._wanted(seed, offline),
            out=out,
            given=self.given,
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
                progress.notice(f"{method} has only {counted(size, 'neuron')} with a score above 0 there")
        return origin

    def _find(
        self, model: Model, out: Path, methods: Sequence[Method], seed: int, offline: bool, progress: TerminalProgress
    ) -> Path:
        from neurosteer.pairs import load_pairs
        from neurosteer.studies import find, save_find

        source, columns, layout = self.data or "auto", self.columns or parse.Columns(), self.layout or "auto"
        chosen, split = parse.each_once(methods, METHODS) or PAPER_METHODS, self.split or "pair"
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
        found = find(model, pairs, methods=chosen, split=split, seed=seed, progress=progress)
        pairs_from = options.PairsFrom(
            [self.task] if self.task else None, source, columns, layout, self.limit
        ).record(None)
        study = {"methods": chosen, "split": split, "seed": seed}
        folder, _ = save_find(model, [found], out=out, options={**pairs_from, **study}, progress=progress)
        return folder
