"""Tensors on their way to a GPU, which is played by a tensor that notes how it is sent."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neurosteer.model import to_device


class Noting(Tensor):
    pinned = False

    def pin_memory(self, *_: Any) -> Tensor:
        copy = self.clone().as_subclass(Noting)
        copy.pinned = True
        return copy

    def to(self, *args: Any, **options: Any) -> Tensor:
        self.sent = (self.pinned, args, options)
        return self


def test_to_a_gpu_from_pinned_memory_and_without_waiting():
    device = torch.device("cuda")
    sent = to_device(torch.arange(3).as_subclass(Noting), device)
    assert sent.sent == (True, (device,), {"non_blocking": True})
    assert sent.tolist() == [0, 1, 2]


def test_elsewhere_it_is_not_pinned():
    tensor = torch.arange(3).as_subclass(Noting)
    assert to_device(tensor, torch.device("cpu")).sent == (False, (torch.device("cpu"),), {})
    assert to_device(torch.arange(3), torch.device("cpu")).tolist() == [0, 1, 2]
