"""Other values in the place of a pass's own: of some units, at some nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

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
    """The new values of some units of a layer, at some nodes of a pack."""

    rows: Int[Tensor, "place"]
    nodes: Int[Tensor, "place"]
    units: Int[Tensor, "unit"]
    values: Float[Tensor, "place unit"]


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
    changed = values.clone()
    changed[rows[:, None], nodes[:, None], units[None]] = to_device(part.values.to(values.dtype), values.device)
    return changed
