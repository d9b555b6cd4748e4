"""An untrained model of the same shape: what architecture and tokenizer encode by themselves."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import torch
from transformers import AutoModelForCausalLM

from .fingerprint import fingerprint, tokenizer_fingerprint
from .libraries import quiet_transformers
from .model import Model
from .wrap import bridge_of


def untrained(model: Model, seed: int = 0) -> Model:
    """The same architecture and tokenizer with weights as the library initialises them, drawn by `seed`.

    On the same device, in the same dtype. The global random state is restored.
    """
    config = deepcopy(model.bridge.original_model.config)
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), quiet_transformers():
        torch.manual_seed(seed)
        network = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager")
    stamp = fingerprint(network, tokenizer_fingerprint(model.tokenizer))
    network.to(device=model.device, dtype=model.dtype).eval().requires_grad_(False)
    name = f"{model.name} (untrained, seed {seed})"
    bridge = bridge_of(name, str(model.bridge.cfg.model_name), network, model.tokenizer)
    return replace(model, bridge=bridge, name=name, revision=None, fingerprint=stamp)
