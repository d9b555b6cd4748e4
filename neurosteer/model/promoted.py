"""What a unit writes towards each word: its output weights, read through the final norm and the unembedding."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.sites import KNOWN_SITES
from neurosteer.vocabulary import Site

from .model import Model
from .sites import check_site


def logit_weights(model: Model, site: Site, layer: int, unit: int) -> Float[Tensor, "vocab"] | None:
    """How far a unit raises each word's logit beside the mean word's, on the direct way to the unembedding (float32).

    A coordinate of the residual stream writes along itself, a unit of `mlp_post` along its row of the output matrix;
    the final norm is taken of that direction alone, without its bias. It says nothing of what later blocks make of it
    (nostalgebraist 2020, "logit lens"). None where the network does not show its final norm or unembedding, and
    for a site that has no direct way.
    """
    check_site(model, site, [layer])
    network = model.bridge.original_model
    words = network.get_output_embeddings()
    norm = _original(getattr(model.bridge, "ln_final", None))
    with torch.no_grad():
        direction = _direction(model, site, layer, unit)
        if words is None or norm is None or direction is None:
            return None
        read = _difference(norm, direction[None, None]).flatten()
        weight = words.weight
        logits: Tensor = weight.float() @ read.to(weight.device).float()
    return (logits - logits.mean()).cpu()


def _direction(model: Model, site: Site, layer: int, unit: int) -> Float[Tensor, "d_model"] | None:
    """What one unit of activation adds to the residual stream."""
    writes = KNOWN_SITES[site].writes
    if writes is None:
        return None
    if writes == "as it is":
        return _one_hot(model, model.d_model, unit)
    part, name = writes
    out = _original(getattr(getattr(model.bridge.blocks[layer], part, None), name, None))
    if out is None:
        return None
    return _difference(out, _one_hot(model, model.site_width(site, [layer]), unit)[None]).flatten()


def _one_hot(model: Model, width: int, unit: int) -> Tensor:
    hot = torch.zeros(width, dtype=model.dtype, device=model.device)
    hot[unit] = 1
    return hot


def _difference(module: Any, values: Tensor) -> Tensor:
    """What a module makes of values beside what it makes of nothing: without its bias."""
    found: Tensor = module(values) - module(torch.zeros_like(values))
    return found


def _original(component: Any) -> Any:
    """The network's own module behind a component of the bridge."""
    return getattr(component, "original_component", None)
