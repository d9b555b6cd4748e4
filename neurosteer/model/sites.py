"""Sites of a model: their hook points, and whether its architecture has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from neurosteer.arguments import whole
from neurosteer.errors import InputError, did_you_mean
from neurosteer.sites import KNOWN_SITES
from neurosteer.vocabulary import SITES, Layers, Site

if TYPE_CHECKING:
    from transformer_lens.hook_points import HookPoint

    from .decoder import Decoder
    from .hooks import Hook


def hook_name(site: Site, layer: int) -> str:
    """The name in the bridge's `hook_dict`."""
    return f"blocks.{layer}.{KNOWN_SITES[site].hook}"


def site_hook(site: Site, layer: int, function: Hook) -> tuple[str, Hook]:
    """A hook point and what is called there: `function`, to which all units of the site are one axis.

    TransformerLens gives `z` with an axis of heads; here the units of head h are those from h * width on.
    """
    return hook_name(site, layer), partial(_on_heads, function) if KNOWN_SITES[site].heads else function


def _on_heads(function: Hook, values: Float[Tensor, "row node head unit"], *, hook: Any) -> Tensor:
    flat = values.flatten(2)
    changed = function(flat, hook=hook)
    return (flat if changed is None else changed).reshape(values.shape)


def check_site(model: Decoder, site: Site, layers: Sequence[int]) -> None:
    """Raise `InputError` unless the site is a known one that the architecture has at every one of the layers."""
    if site not in SITES:
        raise InputError(f"unknown site '{site}'{did_you_mean(site, SITES)}; one of {', '.join(SITES)}")
    for layer in layers:
        _check_layer(model, layer)
    hooks = model.bridge.hook_dict
    lacking = [layer for layer in layers if not _has(hooks, site, layer)]
    if lacking:
        kind = type(model.bridge.original_model).__name__
        experts = all(_is_of_experts(hooks, site, layer) for layer in lacking)
        why = ", whose MLPs are mixtures of experts" if experts else ""
        others = [layer for layer in layers if layer not in lacking]
        there = f"it is there at {_named(others)} alone, and " if others else ""
        has = [name for name in SITES if all(_has(hooks, name, layer) for layer in layers)]
        at = _named(lacking if others or experts else lacking[:1])
        raise InputError(f"{kind} has no site '{site}' at {at}{why}; {there}it has {', '.join(has)}")


def resolve_layers(model: Decoder, layers: Layers) -> tuple[int, ...]:
    """Block indices, ascending, of `"all"`, one or several. Raises `InputError` for one that the model lacks."""
    if layers == "all":
        return tuple(range(model.n_layers))
    wanted = layers if isinstance(layers, Iterable) else [layers]
    if isinstance(wanted, str) or not wanted:
        raise InputError(f"layers must be 'all' or block indices, not {layers!r}")
    found = sorted({whole(layer, "a layer") for layer in wanted})
    for layer in found:
        _check_layer(model, layer)
    return tuple(found)


def _has(hooks: Mapping[str, HookPoint], site: Site, layer: int) -> bool:
    return hook_name(site, layer) in hooks and not _is_of_experts(hooks, site, layer)


def _is_of_experts(hooks: Mapping[str, HookPoint], site: Site, layer: int) -> bool:
    """Whether it is `mlp_post` of a mixture of experts: TransformerLens gives its output again under that name."""
    post = hooks.get(hook_name("mlp_post", layer))
    return site == "mlp_post" and post is not None and post is hooks.get(f"blocks.{layer}.mlp.hook_out")


def _named(layers: Sequence[int]) -> str:
    """`layer 0`, `layers 0, 2, 3`, `layers 1 to 26`."""
    if len(layers) > 3 and list(layers) == list(range(layers[0], layers[-1] + 1)):
        return f"layers {layers[0]} to {layers[-1]}"
    return f"layer{'s' * (len(layers) != 1)} {', '.join(map(str, layers))}"


def _check_layer(model: Decoder, layer: int) -> None:
    if not 0 <= layer < model.n_layers:
        raise InputError(f"no layer {layer}: {model.name} has layers 0 to {model.n_layers - 1}")
