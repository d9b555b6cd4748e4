"""Other values in the place of a pass's own: of some units, or along a vector of them, at some nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.errors import NeurosteerError
from neurosteer.vocabulary import Site

from .devices import to_device
from .hooks import hooked
from .model import Model
from .sites import check_site, site_hook


@dataclass(frozen=True, eq=False)
class Replacement:
    """The new values of some units of a layer, at some nodes of a pack.

    With `along`, a vector of length 1, only the component along it becomes theirs: the rest stays as it is.
    """

    rows: Int[Tensor, "place"]
    nodes: Int[Tensor, "place"]
    units: Int[Tensor, "unit"]
    values: Float[Tensor, "place unit"]
    along: Float[Tensor, "unit"] | None = None


@contextmanager
def replacing(model: Model, parts: Mapping[int, Replacement], *, site: Site) -> Iterator[None]:
    """Inside the block one forward pass takes the values given for each layer; everything else keeps its bits.

    Raises `InputError` for a layer or site that the model does not have, and `NeurosteerError` on leaving the block
    where the values were not taken exactly once at each layer.
    """
    check_site(model, site, list(parts))
    fired: list[int] = []
    points = [site_hook(site, layer, partial(_replace, fired, layer, part)) for layer, part in parts.items()]
    with hooked(model, points):
        yield
    if fired != sorted(parts):
        raise NeurosteerError(f"values were replaced at layers {fired}, expected once at each of {sorted(parts)}")


def _replace(fired: list[int], layer: int, part: Replacement, values: Tensor, *, hook: Any) -> Tensor:
    fired.append(layer)
    rows, nodes, units = (to_device(index, values.device) for index in (part.rows, part.nodes, part.units))
    changed, at = values.clone(), (rows[:, None], nodes[:, None], units[None])
    new = to_device(part.values.to(values.dtype), values.device)
    changed[at] = new if part.along is None else _along(values[at], new, to_device(part.along, values.device))
    return changed


def _along(
    old: Float[Tensor, "place unit"], new: Float[Tensor, "place unit"], vector: Float[Tensor, "unit"]
) -> Float[Tensor, "place unit"]:
    """The old values with the new component along a vector; computed in float32 at least."""
    wide = torch.promote_types(old.dtype, vector.dtype)
    vector = vector.to(wide)
    step = (new.to(wide) - old.to(wide)) @ vector
    return (old.to(wide) + step[:, None] * vector).to(old.dtype)
