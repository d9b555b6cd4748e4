"""`TASK.probes.safetensors` of a run folder: the dense probes, the pairs and their split.

With the rankings and the numbers it is all that a `Found` consists of.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurosteer.artefacts import PROBES, WrongContentError
from neurosteer.errors import InputError
from neurosteer.pairs import LeftOut, Pair, Pairs, Split
from neurosteer.pairs.splitting import PARTS
from neurosteer.results import FindResult, read_record, record
from neurosteer.store import SUFFIX, file_stem, write_artefact
from neurosteer.vocabulary import SplitKind

from .directions import Directions, direction_arrays, directions_from


@dataclass(frozen=True)
class _SavedPairs:
    """What the artefact records beside its arrays."""

    source: str
    pairs: tuple[Pair, ...]
    left_out: LeftOut
    kind: SplitKind
    seed: int
    dropped: int


def probes_path(folder: Path, task: str) -> Path:
    """Where they lie in a run folder."""
    return folder / f"{file_stem(task)}.probes{SUFFIX}"


def write_probes(path: Path, directions: Directions, pairs: Pairs, split: Split) -> None:
    """Directions and the positions of each part's pairs as arrays, the pairs beside them."""
    arrays = {part: np.array(split.indices[part], dtype=np.int64) for part in PARTS}
    metadata = _SavedPairs(pairs.source, pairs.pairs, pairs.left_out, split.kind, split.seed, split.dropped)
    write_artefact(path, PROBES.kind, direction_arrays(directions) | arrays, record(metadata))


def read_probes(folder: Path, result: FindResult) -> tuple[Directions, Pairs, Split]:
    """What `write_probes` wrote. Raises `InputError` where an earlier version wrote none."""
    path = probes_path(folder, result.task)
    if not path.is_file():
        raise InputError(f"{folder} holds no probes and pairs: an earlier version wrote it; find again")
    arrays, metadata = PROBES.read(path, layer=len(result.layers))
    try:
        saved = read_record(_SavedPairs, metadata)
    except ValueError as error:
        raise WrongContentError(path, str(error)) from None
    pairs = Pairs(result.task, saved.source, saved.pairs, result.phenomenon, saved.left_out)
    indices = {part: tuple(arrays[part].tolist()) for part in PARTS}
    train, validation, test = (pairs.take(indices[part]) for part in PARTS)
    split = Split(saved.kind, saved.seed, train, validation, test, indices, saved.dropped)
    return directions_from(arrays, [layer.layer for layer in result.layers]), pairs, split
