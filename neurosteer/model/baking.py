"""An edit in the weights: the projection behind an activation takes the scale of each of its inputs.

Scaling a unit of `mlp_post` or of `z` is scaling what the projection behind it reads from that unit: a column of the
MLP's down projection, or of W_O. Nothing else of an edit is in reach of weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurosteer.errors import InputError
from neurosteer.layer_edits import LayerEdit
from neurosteer.sites import projection_behind
from neurosteer.vocabulary import Site

from .model import Model


def bake(model: Model, network: Any, parts: Mapping[int, LayerEdit], site: Site) -> None:
    """Scale the columns of a plain network's projections, in place; `model` is the same network behind hooks.

    The network goes to float32 unless its own type holds the scaled weights exactly. Raises `InputError` for a
    projection whose columns are not known.
    """
    if not all(_is_exact(part.scale) for part in parts.values()):
        network.float()
    for layer, part in parts.items():
        weight = _projection(model, network, site, layer)
        _scale_inputs(weight, part.units.to(weight.device), part.scale)


def _is_exact(scale: float) -> bool:
    """Whether every number times this scale has as many digits as before."""
    return scale == 0 or math.frexp(abs(scale))[0] == 0.5


def _projection(model: Model, network: Any, site: Site, layer: int) -> Float[Tensor, "output input"]:
    """The weights behind a site at a layer, its units as the last axis: a view, whose changes are the network's."""
    behind = projection_behind(site)
    if behind is None:
        raise InputError(f"{site} has no projection of its own behind it, so an edit cannot be put into weights")
    part, name = behind
    hooked: Any = getattr(getattr(getattr(model.bridge.blocks[layer], part), name), "original_component", None)
    kind = type(hooked).__name__
    same = []
    if kind in ("Linear", "Conv1D"):
        alike = (module for module in network.modules() if type(module).__name__ == kind)
        same = [module for module in alike if _equal(module.weight, hooked.weight)]
    if len(same) != 1:
        raise InputError(
            f"the projection behind {site} at layer {layer} of {model.name} is no plain matrix of its own ({kind}), "
            "so an edit cannot be put into its weights"
        )
    [found] = same
    weight: Tensor = found.weight.data
    return weight if isinstance(found, nn.Linear) else weight.T


def _equal(own: Tensor, theirs: Tensor) -> bool:
    return own.shape == theirs.shape and torch.equal(own.to(theirs), theirs)


def _scale_inputs(weight: Float[Tensor, "output input"], units: Int[Tensor, "unit"], scale: float) -> None:
    weight[:, units] = weight[:, units] * scale if scale else 0.0
