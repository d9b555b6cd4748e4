"""Llama-shaped models with random weights: what a pass costs does not depend on what the weights are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

import neurosteer as ns
from neurosteer.errors import InputError
from neurosteer.model import Model
from neurosteer.model.builtin import SEPARATOR
from neurosteer.model.wrap import bridge_of


@dataclass(frozen=True)
class Shape:
    """Of a Llama."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int = 49152  # words of the built-in model's tokenizer


SHAPES = {
    "random:llama-3-8b": Shape(32, 4096, 14336, 32, 8, 128256),
    "random:tiny": Shape(4, 256, 512, 8, 4),
}


def random_network(shape: Shape, *, dtype: str = "float32", device: str = "cpu") -> Any:
    """The network alone, as Hugging Face builds it: the same weights at every call."""
    config = LlamaConfig(
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=shape.vocabulary,
        architectures=["LlamaForCausalLM"],
    )
    config._attn_implementation = "eager"
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device), torch.random.fork_rng():
            torch.manual_seed(0)
            return LlamaForCausalLM(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)


def random_model(
    shape: Shape, *, dtype: str = "float32", device: str = "cpu", tokenizer: Path | None = None
) -> Model:
    """A model of this shape, made where it shall run, with the tokenizer of a folder or of the built-in model."""
    words = _tokenizer(tokenizer)
    if len(words) > shape.vocabulary:
        raise InputError(f"a tokenizer of {len(words):,} words for a model of {shape.vocabulary:,}")
    network = random_network(shape, dtype=dtype, device=device)
    with TemporaryDirectory() as folder:
        network.config.save_pretrained(folder)
        words.save_pretrained(folder)
        separator = SEPARATOR if SEPARATOR in words.get_vocab() else None  # the built-in model's; else its own two
        return ns.load_model(bridge_of("random", folder, network, words), bos=separator, eos=separator)


def _tokenizer(folder: Path | None) -> Any:
    if folder is None:
        return ns.load_model().tokenizer
    if not folder.is_dir():
        raise InputError(f"no such folder: '{folder}'")
    try:
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise InputError(f"no tokenizer in '{folder}'") from error
