"""TransformerLens hooks around a Hugging Face network."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from transformer_lens.model_bridge import TransformerBridge

from neurosteer.errors import InputError, NeurosteerError

from .libraries import essence, quiet_transformers


def bridge_of(label: str, source: str, network: Any, tokenizer: Any) -> TransformerBridge:
    """TransformerLens hooks around a network, all of whose weights are frozen, those too that TransformerLens splits.

    Raises `NeurosteerError` for an architecture it does not know.
    """
    tokenizer = deepcopy(tokenizer)  # TransformerLens adds the special tokens that it misses
    tokenizer.init_kwargs["add_bos_token"] = True  # else it loads another, from the hub, without the revision
    tokenizer.init_kwargs.setdefault("name_or_path", source)  # which one that was made in memory lacks
    try:
        with quiet_transformers():
            bridge = TransformerBridge.boot_transformers(
                source, hf_model=network, tokenizer=tokenizer, dtype=network.dtype
            )
    except Exception as error:
        kind = type(network).__name__
        raise NeurosteerError(f"TransformerLens cannot wrap {label} ({kind}): {essence(error)}") from error
    bridge.requires_grad_(False)
    return bridge


def check_decoder(label: str, network: Any) -> None:
    """Raise `InputError` for a network, or a bridge around one, that reads in both directions.

    BERT's attention says so of itself where it is not made a decoder; for other architectures TransformerLens knows.
    """
    told = [module.is_causal for module in network.modules() if hasattr(module, "is_causal")]
    both_ways = bool(told) and not any(told)
    if isinstance(network, TransformerBridge):
        network, both_ways = network.original_model, not network.adapter.supports_causal_loss
    if both_ways:
        kind = type(network).__name__
        raise InputError(f"{label} is no decoder: {kind} reads in both directions; name a model that writes text")
