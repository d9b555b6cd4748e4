"""The one loop over packs: run each, hand out what its hooks read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

from neurosteer.model import Model, reading
from neurosteer.progress import QUIET, Progress

from .forest import Pack, Packing

Visit = Callable[[Pack, int, Float[Tensor, "row node unit"]], None]


def packing_for(model: Model, *, heavy: int = 1) -> Packing:
    """The pack size: a pure function of device and model, so that results never depend on what else runs.

    Short rows keep attention cheap (its cost grows with the square of the row), many rows keep the matrix products
    large. Passes that keep more than activations run in packs smaller by a factor, `heavy`.
    """
    rows = 8 if model.device.type == "cpu" else 64
    return Packing(rows=max(1, rows // heavy), nodes=min(128, model.window))


def sweep(
    model: Model,
    packs: Sequence[Pack],
    *,
    site: str,
    layers: Sequence[int],
    visit: Visit,
    what: str = "tokens",
    progress: Progress = QUIET,
) -> None:
    """Run every pack once. `visit(pack, i, values)` is called for each of the layers, `i` its place among them."""
    place = {layer: i for i, layer in enumerate(layers)}
    total, done = sum(pack.computed for pack in packs), 0
    current = packs[0]

    def hand_out(layer: int, values: Tensor) -> None:
        visit(current, place[layer], values)

    progress.step(what, 0, total)
    with reading(model, site, layers, hand_out) as one_pass:
        for current in packs:
            one_pass(*current.inputs())
            done += current.computed
            progress.step(what, done, total)
