"""Putting hooks on a model, and taking exactly those off again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from .model import Model

Hook = Callable[..., Tensor | None]


@contextmanager
def hooked(model: Model, points: Sequence[tuple[str, Hook]]) -> Iterator[None]:
    """Inside the block each named hook point calls its function; afterwards none of them does, whatever happened.

    Later ones see what earlier ones return. Hooks of others are left as they are.
    """
    table = model.bridge.hook_dict
    try:
        for name, function in points:
            table[name].add_hook(function)
        yield
    finally:
        ours = {id(function) for _, function in points}
        for name, _ in points:
            _take_off(table.get(name), ours)


def is_hooked(model: Model) -> bool:
    """Whether anybody has TransformerLens hooks on the model now: what it computes then is not its own.

    Plain PyTorch hooks do not count: TransformerLens and transformers leave some of their own on every network.
    """
    return any(point.fwd_hooks for point in model.bridge.hook_dict.values())


def _take_off(point: Any, ours: set[int]) -> None:
    """Found on the point itself rather than in a list of our own: an interrupt may fall between the two."""
    for handle in [handle for handle in getattr(point, "fwd_hooks", ()) if id(handle.user_hook) in ours]:
        handle.hook.remove()
        point.fwd_hooks.remove(handle)
