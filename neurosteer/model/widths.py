"""How many units a site has at a layer, and how many of them are one head's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.sites import KNOWN_SITES
from neurosteer.vocabulary import Site

from .decoder import Decoder
from .edit_hooks import without_hooks
from .hooks import Hook, hooked
from .sites import check_site, hook_name

_shapes: WeakKeyDictionary[Decoder, dict[tuple[Site, int], tuple[int, ...]]] = WeakKeyDictionary()


def site_width(model: Decoder, site: Site, layers: Sequence[int]) -> int:
    """Units per layer at a site: the residual stream's width, or measured on one token, once.

    Raises `InputError` for a site that one of the layers lacks, and for layers of different widths.
    """
    if KNOWN_SITES[site].width == "stream" or not layers:
        return model.d_model
    return _common(site, "units", {layer: math.prod(_shape(model, site, layer)) for layer in layers})


def head_width(model: Decoder, layers: Sequence[int]) -> int:
    """Units of one head of `z`. Query heads: where several share keys and values, each still has its own output.

    Raises `InputError` for a layer that has no heads, and for layers whose heads are of different widths.
    """
    return _common("z", "units in a head", {layer: _shape(model, "z", layer)[-1] for layer in layers})


def _common(site: Site, what: str, widths: Mapping[int, int]) -> int:
    layers = list(widths)
    first = widths[layers[0]]
    for layer, width in widths.items():
        if width != first:
            raise InputError(
                f"{site} has {first} {what} at layer {layers[0]}, {width} at layer {layer}; name layers of one width"
            )
    return first


def _shape(model: Decoder, site: Site, layer: int) -> tuple[int, ...]:
    """The axes of a site's activation behind row and token: units, or heads and their units."""
    known = _shapes.setdefault(model, {})
    if (site, layer) not in known:
        layers = [one for one in range(model.n_layers) if hook_name(site, one) in model.bridge.hook_dict]
        check_site(model, site, [layer])

        def reader(at: int) -> Hook:
            def read(values: Tensor, *, hook: Any) -> None:
                known[site, at] = tuple(values.shape[2:])

            return read

        points = [(hook_name(site, at), reader(at)) for at in layers]
        with without_hooks(model), hooked(model, points), torch.no_grad():
            model.bridge(torch.tensor([[model.eos.id]], device=model.device), return_type=None, use_cache=False)
    if (site, layer) not in known:
        raise NeurosteerError(f"the hook of '{site}' at layer {layer} did not fire; its width is not known")
    return known[site, layer]
