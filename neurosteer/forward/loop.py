"""The one loop over packs: run each, and pass on the activations that its hooks capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.model import Model, capture
from neurosteer.progress import QUIET, Progress
from neurosteer.vocabulary import Site

from .device_copy import DeviceCopies
from .forest import Pack, Packing
from .oom_retry import split_on_oom

Result = TypeVar("Result")
Visit = Callable[[Pack, int, Float[Tensor, "row node unit"]], None]


def packing_for(model: Model, *, memory_factor: int = 1) -> Packing:
    """The pack size: a pure function of device and model, so that results never depend on what else runs.

    Short rows keep attention cheap (its cost grows with the square of the row), many rows keep the matrix products
    large. In half precision a CPU multiplies four times as fast and attends no faster: rows are shorter there. Passes
    that need more memory run in packs smaller by the `memory_factor`.
    """
    if model.device.type != "cpu":
        rows, nodes = 64, 128
    elif model.dtype.itemsize < 4:
        rows, nodes = 16, 64
    else:
        rows, nodes = 8, 128
    return Packing(rows=max(1, rows // memory_factor), nodes=min(nodes, model.window))


def inner_nodes(model: Model, pack: Pack) -> Bool[Tensor, "row node"]:
    """All nodes except BOS."""
    depths = torch.from_numpy(pack.depths)
    return depths > 0 if model.bos else torch.ones_like(depths, dtype=torch.bool)


def run_packs(
    model: Model,
    packs: Sequence[Pack],
    run: Callable[[Pack, Callable[[], None]], Result],
    *,
    passes: int = 1,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> Iterator[tuple[Pack, Result]]:
    """Run every pack and yield each with its result; in halves if it does not fit into memory (`split_on_oom`).

    `run` calls its second argument after each of its `passes`.
    """
    total, done = sum(pack.computed for pack in packs) * passes, 0
    progress.step(what, 0, total)

    def counted(pack: Pack) -> Result:
        passed = count(1)
        return run(pack, lambda: progress.step(what, done + next(passed) * pack.computed, total))

    for pack, result in split_on_oom(packs, counted, halves=Pack.halves, unit="row", model=model, progress=progress):
        done += pack.computed * passes
        yield pack, result


def sweep(
    model: Model,
    packs: Sequence[Pack],
    *,
    site: Site,
    layers: Sequence[int],
    visit: Visit,
    send: Callable[[Pack, DeviceCopies], None] = lambda pack, copies: None,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> None:
    """Run every pack once. `visit(pack, i, values)` is called at each layer, where `i` is its index in `layers`.

    `send` is called after a pack's last layer. A pack that does not fit into memory is run again in parts, so what
    visits collect counts only once it was sent and has arrived; all has when this function returns.
    """
    place = {layer: i for i, layer in enumerate(layers)}
    current, copies = packs[0], DeviceCopies()

    def captured(layer: int, values: Tensor) -> None:
        visit(current, place[layer], values)

    def run(pack: Pack, passed: Callable[[], None]) -> None:
        nonlocal current
        current = pack
        copies.drop()
        one_pass(*pack.inputs())
        send(pack, copies)
        passed()

    with capture(model, site, layers, captured) as one_pass:
        for _ in run_packs(model, packs, run, what=what, progress=progress):
            copies.next_pack()
    copies.finish()
