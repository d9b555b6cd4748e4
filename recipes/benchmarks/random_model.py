"""Llama-shaped models with random weights: what a pass costs does not depend on what the weights are."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import neurosteer as ns
from neurosteer.model import Model
from neurosteer.model.load import bridge_of

LLAMA_3_8B = {"layers": 32, "width": 4096, "inner": 14336, "heads": 32, "kv_heads": 8, "vocabulary": 128256}


def random_model(
    *,
    layers: int,
    width: int,
    inner: int,
    heads: int,
    kv_heads: int,
    vocabulary: int = 49152,
    dtype: str = "float32",
    device: str = "cpu",
) -> Model:
    """A model of this shape, made where it shall run, with the built-in model's tokenizer (49,152 words)."""
    tokenizer = ns.load_model().tokenizer
    config = LlamaConfig(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        vocab_size=vocabulary,
        architectures=["LlamaForCausalLM"],
    )
    config._attn_implementation = "eager"
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            torch.manual_seed(0)
            network = LlamaForCausalLM(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)
    with TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return ns.load_model(
            bridge_of("random", folder, network, tokenizer), bos="<|endoftext|>", eos="<|endoftext|>"
        )
