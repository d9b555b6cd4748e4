"""Numbers that a model's dtype does not hold, or that it never gives: one line says where, and what helps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.model import Model, capture, without_hooks

_MOST = 64  # sequences that are read again
_WIDER = {torch.float16: "bfloat16 or float32", torch.bfloat16: "float32"}


def overflow(model: Model, sequences: Sequence[Sequence[int]], on: str = "") -> InputError:
    """What is raised where a model without edits gives no finite numbers.

    These sequences, or the first of them, are read once more to see where: one that overflows may spoil others that
    were read beside it. `on` is what was read, if that should be said.
    """
    found = next((layer for tokens in sequences[:_MOST] if (layer := _first(model, tokens)) is not None), None)
    where = "some of its numbers are" if found is None else f"the residual stream after layer {found} is"
    kind, wider = str(model.dtype).removeprefix("torch."), _WIDER.get(model.dtype)
    name = f"{model.name}{on and f' on {on}'}"
    if wider is None:
        return InputError(
            f"{name} computes no finite numbers in {kind}: {where} not finite; its config or weights are not those "
            "that were trained; take another copy"
        )
    return InputError(f"{name} overflows {kind}: {where} not finite; try --dtype {wider}")


def _first(model: Model, tokens: Sequence[int]) -> int | None:
    """The first layer after which the residual stream is not finite; None where that is not seen."""
    broken: list[int] = []

    def look(layer: int, values: Tensor) -> None:
        if not bool(values.isfinite().all()):
            broken.append(layer)

    try:
        with without_hooks(model), capture(model, "resid_post", list(range(model.n_layers)), look) as one_pass:
            one_pass(torch.tensor([list(tokens)]))
    except Exception:  # an architecture whose passes fail elsewhere too; there is an error to tell already
        return None
    return min(broken, default=None)
