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
    """Brings tensors to memory and waits for no GPU: what a pack sends from there arrives after the next pack."""

    def __init__(self) -> None:
        self._sent: list[_Journey] = []
        self._expected: list[_Journey] = []

    def send(self, tensors: Sequence[Tensor], arrive: Callable[[list[Tensor]], None]) -> None:
        """Send tensors to memory; `arrive` is called with them when they are there, at once where they were."""
        devices = {tensor.device for tensor in tensors if tensor.is_cuda}
        if not devices:
            arrive([tensor.cpu() for tensor in tensors])
            return
        copies = [tensor.to("cpu", non_blocking=tensor.is_cuda) for tensor in tensors]
        waits = [torch.cuda.current_stream(device).record_event().synchronize for device in devices]
        self._sent.append(_Journey(copies, arrive, waits))

    def next_pack(self) -> None:
        """All of a pack has been sent: what an earlier one sent arrives."""
        arriving, self._expected, self._sent = self._expected, self._sent, []
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

    What was taken of a pack that did not get through is taken anew.
    """

    def __init__(self, out: Float[Tensor, "sequence layer unit"]) -> None:
        self.out = out
        self.finite = True  # of all that has arrived
        self._taken: dict[int, Tensor] = {}
        self._places = lru_cache(maxsize=8)(_places)  # of one pack, on each device

    def take(self, pack: Pack, layer: int, values: Float[Tensor, "row node unit"]) -> None:
        """The last tokens' states at a layer (its place among those of `out`)."""
        self._taken[layer] = values[self._places(pack, values.device)]

    def commit(self, pack: Pack, landing: Landing) -> None:
        """The pack is through."""
        layers, states = list(self._taken), list(self._taken.values())
        self._taken.clear()
        finite = [values.isfinite().all() for values in states]  # asked where it is fast

        def arrive(arrived: list[Tensor]) -> None:
            self.finite &= all(map(bool, arrived[len(layers) :]))
            for layer, values in zip(layers, arrived, strict=False):
                self.out[pack.sequences, layer] = values.float()

        landing.send([*states, *finite], arrive)


def _places(pack: Pack, device: torch.device) -> tuple[Tensor, Tensor]:
    rows, leaves = (placed(torch.from_numpy(index), device) for index in (pack.rows, pack.leaves))
    return rows, leaves
