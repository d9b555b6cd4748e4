"""The states of the last tokens of sequences, collected while packs run."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.model import to_device
from neurosteer.progress import Progress
from neurosteer.store import home

from .device_copy import DeviceCopies
from .forest import Pack

IN_MEMORY = 2**28  # bytes of states; larger ones are collected in a file
_CHUNK = 2**22


def room_for(shape: Sequence[int], progress: Progress) -> Float[np.ndarray, "pair side layer unit"]:
    """Where states are collected: in memory, or where they are large in a file that vanishes when it is let go.

    So the units of all layers need never be in memory at once. Where the disk has no room for the file they are, and
    a notice says so.
    """
    size = math.prod(shape) * 4
    if size <= IN_MEMORY:
        return np.empty(shape, dtype=np.float32)  # NumPy asks for huge pages: fewer faults
    try:
        home().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home()) as file:  # it stays for as long as it is mapped
            for start in range(0, size, _CHUNK):
                file.write(bytes(min(_CHUNK, size - start)))  # a disk that is full says so now, and not in the map
            file.flush()
            return np.memmap(file, dtype=np.float32, mode="r+", shape=tuple(shape))
    except OSError as error:
        progress.notice(f"states of {size / 1e9:.1f} GB are collected in memory: {error.strerror or error}")
        return np.empty(shape, dtype=np.float32)


class LastStates:
    """Writes the state of every sequence's last token into `out`, layer by layer.

    States of a pack that did not finish are dropped when the next pack begins.
    """

    def __init__(self, out: Float[Tensor, "sequence layer unit"]) -> None:
        self.out = out
        self.broken: list[int] = []  # sequences of whose states one has arrived that is not finite
        self._taken: dict[int, tuple[Tensor, Tensor]] = {}  # by layer: the states, and whether they are finite
        self._pack: Pack | None = None
        self._places = lru_cache(maxsize=8)(_places)  # of one pack, for each device

    def take(self, pack: Pack, layer: int, values: Float[Tensor, "row node unit"]) -> None:
        """Select the last tokens' states at a layer (its index on the layer axis of `out`)."""
        if pack is not self._pack:
            self._taken.clear()
            self._pack = pack
        states = values[self._places(pack, values.device)]
        self._taken[layer] = states, states.isfinite().all()  # checked on the device, where it is fast

    def send(self, pack: Pack, copies: DeviceCopies) -> None:
        """Copy the states of the pack to main memory, once all of its layers are taken."""
        layers, taken = list(self._taken), [part for both in self._taken.values() for part in both]
        self._taken.clear()

        def arrive(arrived: list[Tensor]) -> None:
            for layer, states, finite in zip(layers, arrived[::2], arrived[1::2], strict=True):
                if not bool(finite):
                    self.broken += pack.sequences[~states.isfinite().all(dim=-1).numpy()].tolist()
                self.out[pack.sequences, layer] = states.float()

        copies.send(taken, arrive)


def _places(pack: Pack, device: torch.device) -> tuple[Tensor, Tensor]:
    rows, leaves = (to_device(torch.from_numpy(index), device) for index in (pack.rows, pack.leaves))
    return rows, leaves
