"""Adds hooks to a model, and removes exactly those again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from .decoder import Decoder

Hook = Callable[..., Tensor | None]


@contextmanager
def hooked(model: Decoder, points: Sequence[tuple[str, Hook]]) -> Iterator[None]:
    """Inside the block each named hook point calls its function; on exit the hooks are removed, also after errors.

    Each function gets the output of the one before it. Hooks of others stay as they are.
    """
    table = model.bridge.hook_dict
    try:
        for name, function in points:
            table[name].add_hook(function)
        yield
    finally:
        ours = {id(function) for _, function in points}
        for name, _ in points:
            _remove(table.get(name), ours)


def is_hooked(model: Decoder) -> bool:
    """Whether the model has TransformerLens hooks now, which may change what it computes.

    Plain PyTorch hooks do not count: TransformerLens and transformers put some on every network.
    """
    return any(point.fwd_hooks for point in model.bridge.hook_dict.values())


def _remove(point: Any, ours: set[int]) -> None:
    """Remove hooks by searching the hook point: a list of our own could miss one after an interrupt."""
    for handle in [handle for handle in getattr(point, "fwd_hooks", ()) if id(handle.user_hook) in ours]:
        handle.hook.remove()
        point.fwd_hooks.remove(handle)
