"""What a device computes comes to memory whole, and in time; a GPU is played by tensors that say they are on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosteer.forward.device_copy import DeviceCopies
from neurosteer.forward.forest import Pack, Packing, plan
from neurosteer.forward.last_states import LastStates

PAIRS = [[(1, 2, 3), (1, 2)], [(1, 4), (5,)], [(6, 7), (6, 8)]]


class OnGpu(Tensor):
    """Says it is on a GPU; its copy is garbage until the event that follows it is waited for."""

    is_cuda = True  # type: ignore[assignment]
    copies: list[tuple[Tensor, Tensor]] = []  # noqa: RUF012

    def to(self, *_: Any, non_blocking: bool = False, **__: Any) -> Tensor:
        assert non_blocking
        there = torch.full(self.shape, float("nan"))
        OnGpu.copies.append((there, self.as_subclass(Tensor)))
        return there


class Event:
    def __init__(self) -> None:
        self.copies, OnGpu.copies = OnGpu.copies, []

    def synchronize(self) -> None:
        for there, whole in self.copies:
            there.copy_(whole)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tensor], Tensor]:
    stream = type("Stream", (), {"record_event": staticmethod(Event)})
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: stream)
    return lambda tensor: tensor.as_subclass(OnGpu)


def test_from_a_gpu_it_arrives_after_the_next_pack(gpu: Callable[[Tensor], Tensor]):
    copies, arrived = DeviceCopies(), []
    for i in range(3):
        copies.send([gpu(torch.tensor([float(i)]))], lambda tensors: arrived.append(tensors[0].item()))
        copies.send([gpu(torch.tensor([10.0 + i]))], lambda tensors: arrived.append(tensors[0].item()))
        copies.next_pack()
        assert arrived == [value for j in range(i) for value in (j, 10.0 + j)]
    copies.finish()
    assert arrived == [0, 10, 1, 11, 2, 12]
    copies.finish()
    assert len(arrived) == 6  # once


def test_from_memory_it_arrives_when_its_pack_is_through():
    copies, arrived = DeviceCopies(), []
    for value in (1.0, 2.0):  # the first is of a pack that does not get through
        copies.drop()
        copies.send([torch.tensor([value])], lambda tensors: arrived.append(tensors[0].item()))
        assert arrived == []
    copies.next_pack()
    assert arrived == [2]


def activations(pack: Pack) -> Tensor:
    """Every node's own: a row's number, and a node's."""
    rows, nodes = np.indices(pack.tokens.shape)
    return torch.from_numpy(np.stack([rows, nodes], axis=-1)).float()


@pytest.mark.parametrize("on_gpu", [True, False])
def test_states_are_those_of_the_last_tokens(on_gpu: bool, gpu: Callable[[Tensor], Tensor]):
    """Also of a pack that was begun and did not get through."""
    packs = plan(PAIRS, Packing(rows=1, nodes=4))
    assert len(packs) > 1
    out = torch.full((6, 2, 2), float("nan"))
    copies, last = DeviceCopies(), LastStates(out)
    for pack in packs:
        values = activations(pack)
        place = gpu if on_gpu else Tensor.clone
        last.take(pack, 0, place(values + 7))
        for layer in (0, 1):
            last.take(pack, layer, place(values + 100 * layer))
        last.send(pack, copies)
        copies.next_pack()
    copies.finish()
    for pack in packs:
        for sequence, row, path in zip(pack.sequences, pack.rows, pack.paths, strict=True):
            expected = torch.tensor([row, path[-1]]).float()
            assert torch.equal(out[sequence], torch.stack([expected, expected + 100]))
    assert last.broken == []


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_what_is_not_finite_is_told_when_it_arrives(bad: float):
    [pack] = plan(PAIRS, Packing(rows=8, nodes=16))
    copies, last = DeviceCopies(), LastStates(torch.empty(6, 1, 2))
    values = activations(pack)
    values[pack.rows[0], pack.leaves[0], 0] = bad
    last.take(pack, 0, values)
    last.send(pack, copies)
    copies.finish()
    assert last.broken == [pack.sequences[0]]
