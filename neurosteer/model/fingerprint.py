"""A fingerprint of a model: equal for the same weights, tokenizer and architecture, in whatever dtype they run.

It is computed from the checkpoint's own numbers, before any cast.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from neurosteer.store import digest_of

_VOLATILE = {  # settings that are not part of what the model is
    "_attn_implementation",
    "_name_or_path",
    "dtype",
    "output_attentions",
    "output_hidden_states",
    "transformers_version",
    "use_cache",
}
_IN_USE = {"bos_token_id": 1, "eos_token_id": 2}  # what these name is recorded beside the fingerprint, and free here
_AROUND_TEXT = {"padding", "post_processor", "truncation"}  # of the tokenizer, but not used here
_WRAPPER = "._original_component"


def fingerprint(network: Any, tokenizer_hash: str) -> str:
    """SHA-256 (hex) of a Hugging Face model's weights and configuration and of its tokenizer.

    It is the same before and after TransformerBridge has wrapped the network, and whatever tokens are BOS and EOS.
    """
    weights = _weights(network)
    with ThreadPoolExecutor() as pool:  # hashlib releases the interpreter lock
        digests = dict(zip(weights, pool.map(_tensor_digest, weights.values()), strict=True))
    config = {k: v for k, v in network.config.to_diff_dict().items() if k not in _VOLATILE} | _IN_USE
    return digest_of([digests, str(sorted(config.items())), tokenizer_hash])


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """SHA-256 (hex) of everything that decides how a tokenizer splits text into tokens."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return digest_of(sorted(tokenizer.get_vocab().items()))
    parts = json.loads(backend.to_str())
    return digest_of({name: part for name, part in parts.items() if name not in _AROUND_TEXT})


def _weights(network: Any) -> dict[str, Tensor]:
    """Weights under the names of the unwrapped network, without the zero biases that a bridge adds."""
    state = {name.replace(_WRAPPER, ""): tensor for name, tensor in network.state_dict().items()}
    with torch.device("meta"):
        names = type(network)(network.config).state_dict().keys()
    return {name: state[name] for name in sorted(names) if name in state}


def _tensor_digest(tensor: Tensor) -> str:
    flat = tensor.detach().cpu().contiguous()
    head = f"{list(flat.shape)} {flat.dtype}".encode()
    digest = hashlib.sha256(head)
    digest.update(flat.reshape(-1).view(torch.uint8).numpy().data)  # no copy: an embedding may fill half the memory
    return digest.hexdigest()
