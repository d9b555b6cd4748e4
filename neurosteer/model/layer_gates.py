"""Gates in a forward pass: each unit moved a share of the way to a value, and gradients for the shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.errors import NeurosteerError
from neurosteer.vocabulary import Site

from .devices import to_device
from .hooks import hooked
from .model import Model
from .sites import check_site, site_hook


@dataclass(frozen=True, eq=False)
class LayerGates:
    """One layer's gates, in [0, 1], and where its units are moved to: `h <- h + gate * (to - h)`."""

    gates: Float[Tensor, "unit"]
    to: Float[Tensor, "unit"]


@contextmanager
def gating(
    model: Model, parts: Mapping[int, LayerGates], nodes: Bool[Tensor, "row node"], *, site: Site
) -> Iterator[None]:
    """Inside the block one forward pass has these gates at some nodes; where a gate is 0 every bit is kept.

    At 1 a unit is at `to`, to the bit. Raises `InputError` for a layer or site that the model does not have, and
    `NeurosteerError` on leaving the block where gates did not act exactly once at each layer.
    """
    check_site(model, site, list(parts))
    fired: list[int] = []

    points = [site_hook(site, layer, partial(_move, fired, layer, part, nodes)) for layer, part in parts.items()]
    with hooked(model, points):
        yield
    if fired != sorted(parts):
        raise NeurosteerError(f"gates acted at layers {fired}, expected once at each of {sorted(parts)}")


def _move(
    fired: list[int], layer: int, part: LayerGates, nodes: Bool[Tensor, "row node"], values: Tensor, *, hook: Any
) -> Tensor:
    fired.append(layer)
    weight, to = (to_device(one.to(values.dtype), values.device) for one in (part.gates, part.to))
    moved = torch.lerp(values, to.expand_as(values), weight.expand_as(values))
    return torch.where(to_device(nodes, values.device)[..., None], moved, values)
