"""Sites: which activation of a block is meant. The only module that knows TransformerLens hook names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import SITES, Layers, Site

if TYPE_CHECKING:
    from .model import Model

HOOKS: dict[Site, str] = {
    "resid_post": "hook_out",
    "resid_pre": "hook_in",
    "resid_mid": "hook_resid_mid",
    "attn_out": "hook_attn_out",
    "mlp_out": "hook_mlp_out",
    "mlp_post": "mlp.hook_post",
}


def hook_name(site: Site, layer: int) -> str:
    """The name in the bridge's `hook_dict`."""
    return f"blocks.{layer}.{HOOKS[site]}"


def check_site(model: Model, site: Site, layers: Sequence[int]) -> None:
    """Raise `InputError` unless the site is a known one that the architecture has at every one of the layers."""
    if site not in SITES:
        raise InputError(f"unknown site '{site}'{did_you_mean(site, SITES)}; one of {', '.join(SITES)}")
    for layer in layers:
        _check_layer(model, layer)
    hooks = model.bridge.hook_dict
    lacking = [layer for layer in layers if hook_name(site, layer) not in hooks]
    if lacking:
        has = [name for name in SITES if all(hook_name(name, layer) in hooks for layer in layers)]
        kind = type(model.bridge.original_model).__name__
        raise InputError(f"{kind} has no site '{site}' at layer {lacking[0]}; it has {', '.join(has)}")


def resolve_layers(model: Model, layers: Layers) -> tuple[int, ...]:
    """Block indices, ascending, of `"all"`, one or several. Raises `InputError` for one that the model lacks."""
    if layers == "all":
        return tuple(range(model.n_layers))
    wanted = [layers] if isinstance(layers, int) else layers
    if isinstance(wanted, str) or not wanted:
        raise InputError(f"layers must be 'all' or block indices, not {layers!r}")
    for layer in wanted:
        _check_layer(model, layer)
    return tuple(sorted(set(wanted)))


def _check_layer(model: Model, layer: int) -> None:
    if not 0 <= layer < model.n_layers:
        raise InputError(f"no layer {layer}: {model.name} has layers 0 to {model.n_layers - 1}")
