"""The one loop over packs: run each, hand out what its hooks read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from jaxtyping import Float
from torch import Tensor

from neurosteer.model import Model, reading
from neurosteer.progress import QUIET, Progress
from neurosteer.vocabulary import Site

from .forest import Pack, Packing
from .halving import in_halves
from .landing import Landing

Result = TypeVar("Result")
Visit = Callable[[Pack, int, Float[Tensor, "row node unit"]], None]


def packing_for(model: Model, *, heavy: int = 1) -> Packing:
    """The pack size: a pure function of device and model, so that results never depend on what else runs.

    Short rows keep attention cheap (its cost grows with the square of the row), many rows keep the matrix products
    large. In half precision a CPU multiplies four times as fast and attends no faster: rows are shorter there. Passes
    that keep more than activations run in packs smaller by a factor, `heavy`.
    """
    if model.device.type != "cpu":
        rows, nodes = 64, 128
    elif model.dtype.itemsize < 4:
        rows, nodes = 16, 64
    else:
        rows, nodes = 8, 128
    return Packing(rows=max(1, rows // heavy), nodes=min(nodes, model.window))


def each_pack(
    model: Model,
    packs: Sequence[Pack],
    run: Callable[[Pack, Callable[[], None]], Result],
    *,
    passes: int = 1,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> Iterator[tuple[Pack, Result]]:
    """Run every pack; gives each with its result. A pack that memory does not hold runs in halves: `in_halves`.

    `run` calls its second argument after each of its `passes`.
    """
    total, done = sum(pack.computed for pack in packs) * passes, 0
    progress.step(what, 0, total)

    def counted(pack: Pack) -> Result:
        passed = count(1)
        return run(pack, lambda: progress.step(what, done + next(passed) * pack.computed, total))

    for pack, result in in_halves(packs, counted, halves=Pack.halves, unit="row", model=model, progress=progress):
        done += pack.computed * passes
        yield pack, result


def sweep(
    model: Model,
    packs: Sequence[Pack],
    *,
    site: Site,
    layers: Sequence[int],
    visit: Visit,
    send: Callable[[Pack, Landing], None] = lambda pack, landing: None,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> None:
    """Run every pack once. `visit(pack, i, values)` is called for each of the layers, `i` its place among them.

    `send` is called after a pack's last layer. A pack that memory does not hold comes again in parts: what visits add
    up counts only when it is sent and has arrived, as all has when this returns.
    """
    place = {layer: i for i, layer in enumerate(layers)}
    current, landing = packs[0], Landing()

    def hand_out(layer: int, values: Tensor) -> None:
        visit(current, place[layer], values)

    def run(pack: Pack, passed: Callable[[], None]) -> None:
        nonlocal current
        current = pack
        landing.drop()
        one_pass(*pack.inputs())
        send(pack, landing)
        passed()

    with reading(model, site, layers, hand_out) as one_pass:
        for _ in each_pack(model, packs, run, what=what, progress=progress):
            landing.next_pack()
    landing.finish()
