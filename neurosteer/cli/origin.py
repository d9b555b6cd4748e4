"""Where the neurons that a command edits come from: given, of a find, or of one that is made where there is none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.vocabulary import METHODS, NOUNS, PAPER_METHODS, Edited, Method, counted

from . import options, parse
from .neurons import NeuronsFrom
from .progress import TerminalProgress

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.studies import Origin


def model_of(
    neurons: NeuronsFrom, asked: options.ModelOfFind, out: Path, *, seed: int | None, progress: TerminalProgress
) -> options.ModelFrom:
    """The model that was asked for; where none was named, that of the newest find, and a notice says so."""
    if asked.model is not None:
        return asked.named(asked.model)
    from neurosteer.studies import model_of_newest_find

    wanted = neurons.wanted(seed, offline=True)
    wanted = wanted if neurons.given is None else replace(wanted, by=None)  # any find tells the model
    from_file = isinstance(neurons.given, Path) or isinstance(neurons.direction, Path)
    found = None if from_file else model_of_newest_find(wanted, out=out)
    if found is None:
        for file in (neurons.given, neurons.direction):
            _tell_model_of(file, progress)
        return asked.named(options.DEFAULT_MODEL)
    progress.notice(f"model {found.name}, that of the newest find")
    return asked.named(
        found.name,
        revision=asked.revision or found.revision,
        bos=asked.bos or found.bos,
        eos=asked.eos or found.eos,
    )


def _tell_model_of(file: object, progress: TerminalProgress) -> None:
    """Say of which model a file is where that is not the default one, which may have to be fetched first.

    It is not loaded: a file of others would decide what is.
    """
    from neurosteer.store import verify_artefact

    if not isinstance(file, Path):
        return
    with suppress(NeurosteerError, AttributeError):  # what is wrong with the file is said when it is read
        name = verify_artefact(file).get("network", {}).get("name")
        if name and name != options.DEFAULT_MODEL:
            way_out = f"give --model {shlex.quote(str(name))}"
            progress.notice(f"model {options.DEFAULT_MODEL}; {file} says that it is of '{name}' ({way_out})")


def origin_of(
    neurons: NeuronsFrom,
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
        return _find(neurons, model, out, methods, seed or 0, offline, progress)

    wanted, now = neurons.wanted(seed, offline), find_now if neurons.task else None
    if neurons.direction is not None:
        origin = direction_from(
            model, wanted, neurons.direction, out=out, find_now=now, pairs=pairs, progress=progress
        )
        tell_origin(origin.task, origin.where, dict.fromkeys(origin.sets, (1, "direction")), progress, planned)
        return origin
    origin = neurons_from(model, wanted, out=out, given=neurons.given, find_now=now, pairs=pairs, progress=progress)
    sizes: dict[str, tuple[int, Edited]] = {
        method: (len(chosen.members), chosen.by) for method, chosen in origin.sets.items()
    }
    tell_origin(origin.task, origin.where, sizes, progress, planned)
    return origin


def _find(
    neurons: NeuronsFrom,
    model: Model,
    out: Path,
    methods: Sequence[Method],
    seed: int,
    offline: bool,
    progress: TerminalProgress,
) -> Path:
    from neurosteer.pairs import load_pairs
    from neurosteer.studies import find, save_find

    source, columns, layout = neurons.data or "auto", neurons.columns or parse.Columns(), neurons.layout or "auto"
    chosen, split = parse.each_once(methods, METHODS) or PAPER_METHODS, neurons.split or "pair"
    by = neurons.by or "unit"
    pairs = load_pairs(
        neurons.task,
        source=source,
        limit=neurons.limit,
        columns=columns,
        layout=layout,
        seed=seed,
        offline=offline,
        progress=progress,
    )
    progress.notice(f"no find of {neurons.task} that fits in '{out}': finding now")
    found = find(model, pairs, methods=chosen, split=split, by=by, seed=seed, progress=progress)
    pairs_from = options.PairsFrom(
        [neurons.task] if neurons.task else None, source, columns, layout, neurons.limit
    ).record(None)
    study = {"methods": chosen, "split": split, **({} if neurons.by is None else {"by": by}), "seed": seed}
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
