"""A model that the caller has loaded: a TransformerBridge, or a Hugging Face model with its tokenizer."""

from __future__ import annotations

import os
from typing import Any

from transformer_lens.model_bridge import TransformerBridge
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from neurosteer import hub
from neurosteer.arguments import a
from neurosteer.errors import InputError
from neurosteer.progress import QUIET, Progress

from .fingerprint import fingerprint, tokenizer_fingerprint
from .model import Model
from .specials import choose_specials
from .tokenizer_file import as_in_its_file
from .weight_checks import check_config, check_finite, check_vocabulary, refuse_quantised
from .wrap import bridge_of, check_decoder


def model_of(given: object, tokenizer: Any, *, bos: str | None, eos: str | None, progress: Progress = QUIET) -> Model:
    """The model behind hooks, in evaluation mode: dropout would make every state a draw.

    A Hugging Face model is wrapped in place. Its sentences are read as the `tokenizer.json` of the tokenizer's folder
    reads them. Raises `InputError` for what is no decoder with plain weights.
    """
    if tokenizer is not None and not isinstance(tokenizer, PreTrainedTokenizerBase):
        named = isinstance(tokenizer, str | os.PathLike)
        how = f"; load it with AutoTokenizer.from_pretrained({str(tokenizer)!r})" if named else ""
        raise InputError(f"tokenizer= must be a tokenizer of transformers, not {a(tokenizer)}{how}")
    if isinstance(given, TransformerBridge):
        tokenizer = given.tokenizer if tokenizer is None else tokenizer
        if tokenizer is None:
            raise InputError("this TransformerBridge has no tokenizer; load it with one, or give tokenizer=")
        bridge, network, name = given, given.original_model, str(given.cfg.model_name)
        tokenizer = as_in_its_file(name, tokenizer, progress)
    elif isinstance(given, PreTrainedModel):
        network, name = given, given.config.name_or_path or type(given).__name__
        _refuse(network, tokenizer)
        tokenizer = as_in_its_file(name, tokenizer, progress)
        network.config.architectures = network.config.architectures or [type(network).__name__]
        with hub.network(False):
            bridge = bridge_of(name, name, network, tokenizer)
        check_decoder(name, bridge)
    else:
        if hasattr(given, "merge_and_unload"):
            raise InputError("this model has an adapter; merge it: model = model.merge_and_unload()")
        raise InputError(
            "load_model takes a name, a folder, a hub id, a TransformerBridge or a Hugging Face model, "
            f"not {type(given).__name__}"
        )
    check_vocabulary(name, network, tokenizer)
    check_finite(name, network)
    bridge.eval()
    stamp = fingerprint(network, tokenizer_fingerprint(tokenizer))
    specials = choose_specials(tokenizer, bos, eos)
    first = next(network.parameters())
    return Model(bridge, tokenizer, name, None, stamp, *specials, dtype=first.dtype, device=first.device)


def _refuse(network: PreTrainedModel, tokenizer: Any) -> None:
    """Raise `InputError` for a Hugging Face model that cannot be wrapped, before anything is done to it."""
    kind = type(network).__name__
    if tokenizer is None:
        raise InputError(f"a {kind} does not bring its tokenizer: load_model(network, tokenizer=tokenizer)")
    if any("_original_component" in name for name, _ in network.named_modules()):
        raise InputError(f"this {kind} is behind a TransformerBridge already; give that bridge")
    if getattr(network.config, "is_encoder_decoder", False):
        raise InputError(f"a {kind} is an encoder-decoder model; neurosteer needs a decoder")
    if network.get_output_embeddings() is None:
        raise InputError(f"a {kind} predicts no next token; load it with AutoModelForCausalLM")
    check_config(kind, network.config)
    for weight in network.parameters():
        if weight.is_meta:
            raise InputError(f"weights of this {kind} are on no device; load them before")
    refuse_quantised(network)
    check_decoder(network.config.name_or_path or kind, network)
