"""Forward passes that stop as soon as everything asked for has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neurosteer.errors import NeurosteerError

from .model import Model
from .sites import check_site, hook_name

Visit = Callable[[int, Float[Tensor, "row node unit"]], None]
Pass = Callable[..., None]


class _Enough(Exception):
    """Raised inside the model by the last hook that reads: nothing above it is computed, logits least of all."""


@contextmanager
def reading(model: Model, site: str, layers: Sequence[int], visit: Visit) -> Iterator[Pass]:
    """Attach readers; inside the block, each call of the yielded function is one forward pass.

    The function takes `tokens`, and for prefix forests `visible` (which nodes a node attends to) and `depths` (its
    position). `visit(layer, values)` is called once per layer and pass, in the order of the layers. Raises
    `NeurosteerError` if a hook did not fire exactly once per pass; hooks are removed whatever happens.
    """
    check_site(model, site, layers)
    last = max(layers)
    fired: list[int] = []

    def reader(layer: int) -> Callable[..., None]:
        def read(values: Tensor, *, hook: Any) -> None:
            fired.append(layer)
            visit(layer, values)
            if layer == last:
                raise _Enough

        return read

    def one_pass(
        tokens: Int[Tensor, "row node"],
        visible: Bool[Tensor, "row node node"] | None = None,
        depths: Int[Tensor, "row node"] | None = None,
    ) -> None:
        fired.clear()
        extra: dict[str, Tensor] = {}
        if visible is not None and depths is not None:
            lowest = torch.finfo(model.dtype).min
            mask = torch.zeros(visible.shape, dtype=model.dtype).masked_fill_(~visible, lowest)
            extra = {
                "attention_mask": mask[:, None].to(model.device),
                "position_ids": depths.to(model.device),
            }
        try:
            with torch.no_grad():
                model.bridge(tokens.to(model.device), return_type=None, use_cache=False, **extra)
        except _Enough:
            pass
        if fired != sorted(layers):
            raise NeurosteerError(
                f"hooks at '{site}' fired at layers {fired}, expected once at each of {list(layers)}"
            )

    hooks = model.bridge.hook_dict
    handles = []
    try:
        for layer in layers:
            handles.append(hooks[hook_name(site, layer)].add_hook(reader(layer)))
        yield one_pass
    finally:
        for handle in handles:
            handle.hook.remove()
        _forget(model, site, layers, handles)


def site_width(model: Model, site: str) -> int:
    """Units per layer at a site: the residual stream's width, or what one token's pass shows for `mlp_post`."""
    if site != "mlp_post":
        return model.d_model
    widths: list[int] = []
    with reading(model, site, [0], lambda _, values: widths.append(values.shape[-1])) as one_pass:
        one_pass(torch.tensor([[model.eos.id]]))
    return widths[0]


def is_hooked(model: Model) -> bool:
    """Whether anybody has hooks on the model now: what it computes then is not its own."""
    return any(point.fwd_hooks for point in model.bridge.hook_dict.values())


def _forget(model: Model, site: str, layers: Sequence[int], handles: Sequence[Any]) -> None:
    """Take removed handles off the hook points' own lists too."""
    hooks = model.bridge.hook_dict
    for layer, handle in zip(layers, handles, strict=False):
        hooks[hook_name(site, layer)].fwd_hooks.remove(handle)
