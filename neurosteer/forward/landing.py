"""Results on their way from the device to memory: those of one pack travel while the next is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.model import placed

from .forest import Pack


class Landing:
    """Brings tensors to memory and waits for no GPU: what a pack sends from there arrives after the next pack.

    A pack that memory does not hold comes again in parts; `drop` forgets what it had sent.
    """

    def __init__(self) -> None:
        self._sent: list[_Journey] = []
        self._expected: list[_Journey] = []

    def send(self, tensors: Sequence[Tensor], arrive: Callable[[list[Tensor]], None]) -> None:
        """Send tensors to memory; once their pack is through, `arrive` is called with them when they are there."""
        devices = {tensor.device for tensor in tensors if tensor.is_cuda}
        copies = [tensor.to("cpu", non_blocking=tensor.is_cuda) for tensor in tensors]
        waits = [torch.cuda.current_stream(device).record_event().synchronize for device in devices]
        self._sent.append(_Journey(copies, arrive, waits))

    def drop(self) -> None:
        """Forget what was sent since the last pack was through."""
        self._sent.clear()

    def next_pack(self) -> None:
        """A pack is through: what it has sent from memory arrives, and what an earlier one has sent from a GPU."""
        arriving = [*self._expected, *(journey for journey in self._sent if not journey.waits)]
        self._expected, self._sent = [journey for journey in self._sent if journey.waits], []
        for journey in arriving:
            journey.end()

    def finish(self) -> None:
        """Everything arrives."""
        self.next_pack()
        self.next_pack()


@dataclass(frozen=True, eq=False)
class _Journey:
    copies: list[Tensor]
    arrive: Callable[[list[Tensor]], None]
    waits: list[Callable[[], None]]  # for each device to have made its copies whole

    def end(self) -> None:
        for wait in self.waits:
            wait()
        self.arrive(self.copies)


class LastStates:
    """The states of every sequence's last token, gathered layer by layer into `out`.

    Of a pack that did not get through, what was taken is dropped when the next one begins.
    """

    def __init__(self, out: Float[Tensor, "sequence layer unit"]) -> None:
        self.out = out
        self.finite = True  # of all that has arrived
        self._taken: dict[int, tuple[Tensor, Tensor]] = {}  # by layer: the states, and whether they are finite
        self._pack: Pack | None = None
        self._places = lru_cache(maxsize=8)(_places)  # of one pack, on each device

    def take(self, pack: Pack, layer: int, values: Float[Tensor, "row node unit"]) -> None:
        """The last tokens' states at a layer (its place among those of `out`)."""
        if pack is not self._pack:
            self._taken.clear()
            self._pack = pack
        states = values[self._places(pack, values.device)]
        self._taken[layer] = states, states.isfinite().all()  # asked where it is fast

    def send(self, pack: Pack, landing: Landing) -> None:
        """All layers of the pack are taken."""
        layers, taken = list(self._taken), [part for both in self._taken.values() for part in both]
        self._taken.clear()

        def arrive(arrived: list[Tensor]) -> None:
            self.finite &= all(map(bool, arrived[1::2]))
            for layer, states in zip(layers, arrived[::2], strict=True):
                self.out[pack.sequences, layer] = states.float()

        landing.send(taken, arrive)


def _places(pack: Pack, device: torch.device) -> tuple[Tensor, Tensor]:
    rows, leaves = (placed(torch.from_numpy(index), device) for index in (pack.rows, pack.leaves))
    return rows, leaves
