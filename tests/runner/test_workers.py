"""Where workers compute: one a GPU where the device is one, else as many as there are cores with room."""

from __future__ import annotations

import pytest

from neurosteer.runner import workers
from neurosteer.runner.workers import WorkerPlace, places

GIB = 1 << 30


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 cores, 64 GiB, two GPUs, a torch for them."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(workers, "_room", lambda: 64 * GIB)
    monkeypatch.setattr(workers, "version", lambda _: "2.13.0+cu130")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.parametrize(
    ("device", "spread", "expected"),
    [
        ("auto", False, [WorkerPlace(8, "3"), WorkerPlace(8, "5")]),
        ("cuda", False, [WorkerPlace(8, "3"), WorkerPlace(8, "5")]),
        ("cuda:1", False, [WorkerPlace(16)]),
        ("mps", False, [WorkerPlace(16)]),
        ("auto", True, [WorkerPlace(16)]),  # a model that may lie on both
        ("cpu", False, [WorkerPlace(1)] * 16),
    ],
)
def test_one_a_gpu_else_one_a_core(device: str, spread: bool, expected: list[WorkerPlace]):
    assert places("auto", device=device, memory=GIB, spread=spread) == expected


def test_a_torch_for_the_cpu_uses_no_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "version", lambda _: "2.13.0+cpu")
    assert places("auto", device="auto", memory=GIB) == [WorkerPlace(1)] * 16


@pytest.mark.parametrize(("hidden", "count"), [("", 16), ("-1", 16), ("0", 1), ("0, 1 ,2", 3)])
def test_what_is_visible(hidden: str, count: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert len(places("auto", device="auto", memory=GIB)) == count


def test_as_many_as_there_is_room_for():
    """Twice a model's weights each: four of 8 GiB, and always one."""
    assert places("auto", device="cpu", memory=8 * GIB) == [WorkerPlace(4)] * 4
    assert places("auto", device="cpu", memory=100 * GIB) == [WorkerPlace(16)]


def test_as_many_as_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    """They share the GPUs in turn; threads are those that the user wants."""
    assert [place.gpu for place in places(3, device="auto", memory=GIB)] == ["3", "5", "3"]
    assert places(4, device="cpu", memory=GIB) == [WorkerPlace(4)] * 4
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert places(4, device="cpu", memory=GIB) == [WorkerPlace(2)] * 4
