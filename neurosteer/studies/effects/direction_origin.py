"""Which direction to edit along: that of a find, or one in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.neurons import Direction
from neurosteer.progress import QUIET, Progress
from neurosteer.studies.finding.found import Found
from neurosteer.vocabulary import DirectionKind

from .finds import FindQuery
from .origin import FindNow, Origin, neurons_from, with_pairs

if TYPE_CHECKING:
    from neurosteer.model import Model


def direction_from(
    model: Model,
    wanted: FindQuery,
    asked: DirectionKind | Path,
    *,
    out: Path,
    find_now: FindNow | None = None,
    pairs: bool = True,
    progress: Progress = QUIET,
) -> Origin:
    """The direction of a file, or of the newest fitting `find` of this model below `out`, at one layer.

    Without a layer it is the one that the find chose. Raises `InputError` as `neurons_from` does, and for several
    layers.
    """
    if isinstance(asked, Path):
        return _from_file(model, asked, wanted, pairs, progress)
    layers = wanted.layers
    if layers is not None and (isinstance(layers, str) or len(layers) != 1):
        raise InputError("a direction is one of a single layer: give --layers one of them, or leave it out")
    origin = neurons_from(model, wanted, out=out, find_now=find_now, pairs=pairs, progress=progress)
    found = Found.load(Path(origin.where), origin.task)
    direction = found.direction(asked, None if layers is None else int(layers[0]))
    return replace(origin, sets={f"{asked} direction": direction}, rankings={})


def _from_file(model: Model, file: Path, wanted: FindQuery, pairs: bool, progress: Progress) -> Origin:
    from neurosteer.forward import check_neurons

    try:
        direction = Direction.load(file)
    except CorruptFileError as error:
        raise InputError(str(error)) from None
    check_neurons(model, direction.neurons, f"{file}: this direction")
    if wanted.layers is not None:
        raise InputError(f"--layers with a direction: {file} already says at which layer; leave --layers out")
    origin = with_pairs(model, direction.neurons, str(file), wanted, pairs=pairs, progress=progress)
    [(method, neurons)] = origin.sets.items()
    assert not isinstance(neurons, Direction)
    return replace(origin, sets={method: replace(direction, neurons=neurons)}, rankings={})
