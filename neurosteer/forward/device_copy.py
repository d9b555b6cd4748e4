"""Copies of results from the device to main memory: those of one pack run while the next pack is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


class DeviceCopies:
    """Copies tensors to main memory without waiting for a GPU: copies from there are used one pack later.

    A pack that does not fit into memory is run again in parts; `drop` forgets what the failed run has sent.
    """

    def __init__(self) -> None:
        self._sent: list[_Copy] = []
        self._expected: list[_Copy] = []

    def send(self, tensors: Sequence[Tensor], arrive: Callable[[list[Tensor]], None]) -> None:
        """Start to copy tensors; `arrive` gets the copies once they are complete and their pack has finished."""
        devices = {tensor.device for tensor in tensors if tensor.is_cuda}
        copies = [tensor.to("cpu", non_blocking=tensor.is_cuda) for tensor in tensors]
        waits = [torch.cuda.current_stream(device).record_event().synchronize for device in devices]
        self._sent.append(_Copy(copies, arrive, waits))

    def drop(self) -> None:
        """Forget what was sent since the last pack finished."""
        self._sent.clear()

    def next_pack(self) -> None:
        """A pack has finished: its copies from main memory arrive, and those that an earlier pack sent from a GPU."""
        arriving = [*self._expected, *(copy for copy in self._sent if not copy.waits)]
        self._expected, self._sent = [copy for copy in self._sent if copy.waits], []
        for copy in arriving:
            copy.end()

    def finish(self) -> None:
        """Wait until every copy has arrived."""
        self.next_pack()
        self.next_pack()


@dataclass(frozen=True, eq=False)
class _Copy:
    tensors: list[Tensor]
    arrive: Callable[[list[Tensor]], None]
    waits: list[Callable[[], None]]  # one per device: returns when the copies from it are complete

    def end(self) -> None:
        for wait in self.waits:
            wait()
        self.arrive(self.tensors)
